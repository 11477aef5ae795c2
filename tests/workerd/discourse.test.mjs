// DiscourseConnect in both directions, against messages that are signed without the product.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { eachRow } from "./expect.mjs";
import { PASSWORDS, jwk, jwt, keySet, bearer, secrets } from "./given.mjs";
import { HOST, SITE, startGate, withGate } from "./harness.mjs";
import { startOrigin } from "./origin.mjs";
import { SESSION, cookiesOf, pageOf } from "./people.mjs";
import { code as totpCode, factor } from "./totp.mjs";
import { Traveller } from "./traveller.mjs";

const FORUM = "https://forum.example";
const CLUB = "https://club.example";
const DISCOURSE = `${SITE}/.edgeward/authority/discourse`;
const LEDGER = { durableObjects: { EDGEWARD_LEDGER: { className: "Ledger", useSQLite: true } } };
const CAFE = factor("cafe");

const SHARED = {
  forum: { alg: "HS256", key: Buffer.from("forum-shared-secret-octets-32-..") },
  club: { alg: "HS256", key: Buffer.from("sixteen-octets-!") },
};
/** A key that is for a Discourse may be as short as the club's; one that is for nothing may not. */
const keysOf = ({ provider }) =>
  JSON.stringify({ keys: [...JSON.parse(keySet("main")).keys, jwk("forum", SHARED.forum), ...(provider ? [jwk("club", SHARED.club)] : [])] });
const PROVIDER = [{ return: FORUM, key: "forum" }, { return: CLUB, key: "club" }];
const CONSUMER = { url: `${FORUM}/session/sso_provider`, key: "forum" };

let origin;
before(async () => (origin = await startOrigin()));
after(() => origin.stop());

const settings = (discourse, more = {}) => ({
  policy: {
    origin: origin.url,
    log: "all",
    session: { discourse },
    tokens: [{ format: "jwt", keys: ["main"] }],
    rules: [
      { path: "/app/*", accept: ["session"] },
      { path: "/staff/*", accept: ["session"], groups: ["staff"] },
      { path: "/ann/*", accept: ["session"], users: ["Zoe", "ann"] },
      { path: "/twice/*", accept: ["session"], second_factor: true },
      { path: "/token/*", accept: ["bearer"] },
    ],
  },
  secrets: secrets({ EDGEWARD_KEYS: keysOf(discourse), EDGEWARD_TOTP: CAFE.line }),
  options: LEDGER,
  ...more,
});

const hmac = (sso, key) => createHmac("sha256", key).update(sso).digest("hex");
/** A message as Discourse makes one (lib/discourse_connect_base.rb): strict base64 of a form, and its tag. */
const signed = (fields, key = SHARED.forum.key) => {
  const sso = Buffer.from(new URLSearchParams(fields).toString()).toString("base64");
  return new URLSearchParams({ sso, sig: hmac(sso, key) }).toString();
};
/** The fields of a message in an address, once its tag was checked. */
function read(url, key = SHARED.forum.key) {
  const query = new URL(url).searchParams;
  assert.equal(query.get("sig"), hmac(query.get("sso"), key), "the tag");
  return Object.fromEntries(new URLSearchParams(Buffer.from(query.get("sso"), "base64").toString()));
}

async function signedIn(gate, user = "ann") {
  const browser = new Traveller(gate);
  await browser.send(`${SITE}/.edgeward/sign-in`, { username: user, password: PASSWORDS[user] });
  return browser;
}

test("a Discourse learns who is signed in", () =>
  withGate(settings({ provider: PROVIDER }), async (gate) => {
    const ask = (more = {}) => `${DISCOURSE}?${signed({ nonce: "cb68251eefb5211e58c00ff1395f0c0b", return_sso_url: `${FORUM}/session/sso_login`, ...more })}`;
    const browser = new Traveller(gate);
    // Nobody yet: the form stands at this very address, and leads back to it.
    const arrived = await browser.go(ask());
    const { cause, inputs } = pageOf(arrived.response);
    assert.equal(cause, "credentials-missing");
    const sent = await browser.send(`${SITE}/.edgeward/sign-in`, { username: "ann", password: PASSWORDS.ann, return_to: inputs.return_to }, { follow: false });
    assert.equal(sent.response.get("location"), ask());
    const { response } = await browser.go(ask(), { follow: false });
    assert.equal(response.status, 303);
    assert.equal(response.get("cache-control"), "no-store");
    assert.equal(response.get("referrer-policy"), "no-referrer");
    const location = response.get("location");
    assert.ok(location.startsWith(`${FORUM}/session/sso_login?sso=`), location);
    assert.deepEqual(read(location), {
      nonce: "cb68251eefb5211e58c00ff1395f0c0b",
      external_id: "ann",
      username: "ann",
      groups: "staff,admins",
      require_activation: "true",
    });
    // Its own query stays.
    const other = await browser.go(ask({ return_sso_url: `${FORUM}/a?b=c` }), { follow: false });
    assert.ok(other.response.get("location").startsWith(`${FORUM}/a?b=c&sso=`));
    // Another Discourse has another key.
    const club = `${DISCOURSE}?${signed({ nonce: "n", return_sso_url: `${CLUB}/x` }, SHARED.club.key)}`;
    assert.equal(read((await browser.go(club, { follow: false })).response.get("location"), SHARED.club.key).nonce, "n");
    assert.equal((await browser.go(ask({ logout: "true" }), { follow: false })).response.get("location"), `${SITE}/.edgeward/sign-out`);
  }));

test("an account whose user-id is an address, and one with a second factor", () =>
  withGate(
    settings({ provider: PROVIDER }, { secrets: secrets({ EDGEWARD_KEYS: keysOf({ provider: PROVIDER }), EDGEWARD_TOTP: CAFE.line, EDGEWARD_USERS_2: `ann@acme.example${secrets().EDGEWARD_USERS.split("\n")[0].slice(3)}` }) }),
    async (gate) => {
      const browser = new Traveller(gate);
      await browser.send(`${SITE}/.edgeward/sign-in`, { username: "ann@acme.example", password: PASSWORDS.ann });
      const url = `${DISCOURSE}?${signed({ nonce: "n", return_sso_url: `${FORUM}/x` })}`;
      const said = read((await browser.go(url, { follow: false })).response.get("location"));
      assert.deepEqual(said, { nonce: "n", external_id: "ann@acme.example", username: "ann", email: "ann@acme.example", groups: "staff,admins" });

      const twice = `${DISCOURSE}?${signed({ nonce: "n", return_sso_url: `${FORUM}/x`, require_2fa: "true" })}`;
      assert.equal(pageOf((await browser.go(twice)).response).cause, "second-factor-required");
      const cafe = await signedIn(gate, "cafe");
      const page = pageOf((await cafe.go(twice)).response);
      assert.equal(page.cause, "second-factor-required");
      const back = await cafe.send(`${SITE}/.edgeward/sign-in`, { code: totpCode(CAFE), return_to: page.inputs.return_to }, { follow: false });
      const answer = await cafe.go(back.response.get("location"), { follow: false });
      assert.equal(read(answer.response.get("location")).confirmed_2fa, "true");
    },
  ));

test("a Discourse that is none of ours learns nothing (attack 9)", async (t) => {
  const gate = await startGate(settings({ provider: PROVIDER }));
  t.after(() => gate.stop());
  const browser = await signedIn(gate);
  const ask = (url, key) => signed({ nonce: "n", return_sso_url: url }, key);
  const good = ask(`${FORUM}/x`);
  const [sso, sig] = [new URLSearchParams(good).get("sso"), new URLSearchParams(good).get("sig")];
  const query = (values) => new URLSearchParams(values).toString();
  const raw = (text) => query({ sso: text, sig: hmac(text, SHARED.forum.key) });
  await eachRow(t, [
    ...["https://evil.example/", `${FORUM}.evil.example/`, `${FORUM}@evil.example/`, `${FORUM}:444/`, "http://forum.example/", "//forum.example/", "/x", "https:forum.example", "javascript:alert(1)", `${FORUM}\\@evil.example`, `${FORUM}/\r\nSet-Cookie: a=b`, `${FORUM}/a/../../b`, `${CLUB}/x`, ""].map((url) => [`to ${url || "nowhere"}`, ask(url), url === "" ? 401 : 403]),
    ["the other's key for this one's address", ask(`${FORUM}/x`, SHARED.club.key), 403],
    ["another key", ask(`${FORUM}/x`, Buffer.alloc(32, 1)), 401],
    ["the key of JWTs", ask(`${FORUM}/x`, Buffer.from(JSON.parse(keySet("main")).keys[0].k, "base64url")), 401],
    ["upper case", query({ sso, sig: sig.toUpperCase() }), 401],
    ["sig twice", `${good}&sig=${sig}`, 401],
    ["sso twice", `${good}&${query({ sso })}`, 401],
    ["no sig", query({ sso }), 401],
    ["nothing", "", 401],
    ["a line feed in base64", raw(`${sso}\n`), 401],
    ["no padding", raw(Buffer.from("nonce=n&return_sso_url=https://forum.example/xy").toString("base64").replace(/=+$/, "").slice(0, -1)), 401],
    ["a field twice", raw(Buffer.from(`nonce=a&nonce=b&return_sso_url=${FORUM}/`).toString("base64")), 401],
    ["no nonce", raw(Buffer.from(`return_sso_url=${FORUM}/`).toString("base64")), 401],
    ["no text", raw(Buffer.from([0xff, 0xfe, 0xfd]).toString("base64")), 401],
  ], async (message, status) => {
    const { response } = await browser.go(`${DISCOURSE}?${message}`, { follow: false });
    assert.deepEqual([response.status, response.get("location")], [status, undefined]);
  });
  for (let at = 0; at < 64; at += 7) {
    const forged = sig.slice(0, at) + (sig[at] === "0" ? "1" : "0") + sig.slice(at + 1);
    assert.equal((await browser.go(`${DISCOURSE}?${query({ sso, sig: forged })}`, { follow: false })).response.status, 401);
  }
});

/** A browser that was sent to the Discourse from a path; the message that it took along. */
async function sentThere(browser, path) {
  const { response } = await browser.go(SITE + path, { follow: false });
  assert.equal(response.status, 303);
  const location = response.get("location");
  assert.ok(location.startsWith(`${CONSUMER.url}?sso=`), location);
  return read(location);
}

const ZOE = { external_id: "7", username: "Zoe", email: "zoe@example.org", name: "Zoë", groups: "trust_level_1,staff" };

test("who is signed in at a Discourse is in", () =>
  withGate(settings({ consumer: CONSUMER }, { secrets: { ...secrets({ EDGEWARD_KEYS: keysOf({}), EDGEWARD_TOTP: CAFE.line }), EDGEWARD_USERS: undefined } }), async (gate) => {
    const browser = new Traveller(gate);
    const asked = await sentThere(browser, "/app/a?b=c");
    assert.equal(asked.return_sso_url, `${DISCOURSE}/finish`);
    const finish = `${DISCOURSE}/finish?${signed({ ...ZOE, nonce: asked.nonce })}`;
    const back = await browser.go(finish);
    assert.equal(back.url, `${SITE}/app/a?b=c`);
    const seen = back.response.origin();
    assert.equal(seen.get("x-edgeward-user"), "discourse:Zoe");
    assert.equal(seen.get("x-edgeward-groups"), "trust_level_1,staff");
    assert.doesNotMatch(seen.get("cookie") ?? "", /edgeward/);
    const status = async (path) => (await browser.go(SITE + path)).response.status;
    assert.deepEqual([await status("/staff/a"), await status("/ann/a"), await status("/twice/a")], [200, 403, 401]);
    const who = (await browser.fetch(`${SITE}/.edgeward/whoami`)).json();
    assert.deepEqual([who.kind, who.user], ["session", "discourse:Zoe"]);
    // Once more with the same nonce: the browser has its session, and a copy of what it was has nothing.
    assert.equal((await browser.go(finish)).response.status, 200);
    await browser.send(`${SITE}/.edgeward/sign-out`, {});
    assert.equal(pageOf((await browser.go(finish)).response).cause, "session-invalid");
  }));

test("a nonce is for one browser, once; a message is taken whole or not at all", async (t) => {
  const gate = await startGate(settings({ consumer: CONSUMER }));
  t.after(() => gate.stop());
  const begun = async () => {
    const browser = new Traveller(gate);
    const { response } = await browser.go(`${DISCOURSE}/start?return_to=/app/x`, { follow: false });
    return { browser, nonce: read(response.get("location")).nonce };
  };
  const finish = (message) => `${DISCOURSE}/finish?${message}`;
  const { browser, nonce } = await begun();
  const copy = [...browser.cookies];
  const other = await begun();
  const now = (fields) => signed({ ...ZOE, nonce, ...fields });
  await eachRow(t, [
    ["another browser", new Traveller(gate), signed({ ...ZOE, nonce })],
    ["another browser on its own errand", other.browser, signed({ ...ZOE, nonce })],
    ["another key", browser, signed({ ...ZOE, nonce }, SHARED.club.key)],
    ["no nonce", browser, signed(ZOE)],
    ["another nonce", browser, now({ nonce: "cb68251eefb5211e58c00ff1395f0c0b" })],
    ["no name", browser, now({ username: "" })],
    ["no id", browser, now({ external_id: "" })],
    ["a control character", browser, now({ username: "Zoe\u0000" })],
    ["a truth of another kind", browser, now({ admin: "1" })],
    ["nobody there", browser, now({ failed: "true" })],
  ], async (who, message) => {
    const cookies = [...who.cookies];
    const end = await who.go(finish(message));
    assert.equal(pageOf(end.response).cause, "session-invalid");
    assert.equal(new URL(end.url).pathname, "/.edgeward/authority/again");
    assert.ok(!who.jar(HOST).has(SESSION));
    who.cookies = cookies;
  });
  browser.cookies = [...copy];
  assert.equal((await browser.go(finish(now({})))).url, `${SITE}/app/x`);
  const again = Object.assign(new Traveller(gate), { cookies: copy });
  assert.equal(pageOf((await again.go(finish(now({})))).response).cause, "session-invalid", "the nonce was used");
});

test("with accounts a Discourse is a choice", () =>
  withGate(settings({ consumer: CONSUMER }), async (gate) => {
    const { response } = await new Traveller(gate).go(`${SITE}/app/a?b`);
    const page = pageOf(response);
    assert.deepEqual([page.status, page.cause], [401, "credentials-missing"]);
    assert.ok("password" in page.inputs);
    assert.match(page.html, /href="\/\.edgeward\/authority\/discourse\/start\?return_to=\/app\/a%3Fb"[^>]*>\s*forum\.example/);
  }));

test("many groups: those that rules name fit into the cookie", () =>
  withGate(settings({ consumer: CONSUMER }), async (gate) => {
    const browser = new Traveller(gate);
    const { response } = await browser.go(`${DISCOURSE}/start?return_to=/staff/x`, { follow: false });
    const { nonce } = read(response.get("location"));
    const groups = [...Array(200).keys()].map((n) => `group_number_${n}`).concat("staff").join(",");
    const back = await browser.go(`${DISCOURSE}/finish?${signed({ ...ZOE, nonce, groups })}`);
    assert.equal(back.response.status, 200);
    assert.equal(back.response.origin().get("x-edgeward-groups"), "staff");
    assert.ok(browser.jar(HOST).get(SESSION).length <= 1024);
  }));

test("the key of a Discourse signs no JWT", async () => {
  const { policy, ...rest } = settings({ provider: PROVIDER });
  const { tokens: _, ...withoutEntry } = policy;
  for (const said of [policy, withoutEntry]) {
    await withGate({ ...rest, policy: said }, async (gate) => {
      const ask = async (kid, key) => (await gate.request("/token/a", { headers: bearer(jwt({ kid, ...key })) })).status;
      assert.equal(await ask("forum", SHARED.forum), 401);
      assert.equal(await ask("main"), 200);
    });
  }
});
