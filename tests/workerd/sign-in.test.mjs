// Signing in by the page: what lets in, what does not, what the browser is given and where it goes. Contract §§2, 3, 4, 6.
// Addresses and forms by others are in sign-in-vectors.test.mjs, attacks in attacks-people.test.mjs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { challenges, eachRow, refused, schemes, shared } from "./expect.mjs";
import { PASSWORDS, basic, now, passwordLine, secrets } from "./given.mjs";
import { HOST, withGate } from "./harness.mjs";
import { Browser, DEVICE, FORM, RULES, SESSION, SIGN_IN, SITE, cookiesOf, pageOf, signedIn } from "./people.mjs";
import { NAVIGATION } from "./visitor.mjs";

const LOCAL = "http://localhost:8787";
const HOSTS = ["https://other.example", "https://third.example:8443"];
const POLICY = { tokens: [{ format: "jwt", keys: ["main"], from: ["authorization", "query:access_token"] }], rules: RULES, session: { hosts: HOSTS } };
const world = shared(() => ({ policy: POLICY }));
const browser = (more) => new Browser(world.gate, more);
/** A gate of its own before the same origin. */
const gated = (session, body, more = {}) =>
  withGate({ policy: { origin: world.origin.url, log: "all", ...POLICY, session }, secrets: secrets(), ...more }, body);

test("a navigation without credentials gets the form, at the same address", async () => {
  const response = await browser().open("/app/reports?year=2026&q=%C3%A9");
  const { status, cause, inputs } = pageOf(response);
  assert.deepEqual([status, cause], [401, "credentials-missing"]);
  assert.deepEqual(Object.keys(inputs).filter((it) => ["username", "password", "remember", "return_to"].includes(it)).sort(), ["password", "remember", "return_to", "username"]);
  assert.equal(inputs.return_to, "/app/reports?year=2026&q=%C3%A9");
  assert.equal(response.get("cache-control"), "no-store");
  assert.equal(response.get("set-cookie"), undefined, "there is nothing to keep yet");
  assert.match(response.get("content-security-policy"), /form-action 'self'/);
});

test("challenges: the page itself asks, and no prompt opens in front of it", async (t) => {
  await eachRow(t, [
    ["a navigation where Basic is accepted too", "/both/a", NAVIGATION, ["Session"]],
    ["a script", "/both/a", { "Sec-Fetch-Mode": "cors" }, ["Session"]],
    ["a program", "/both/a", {}, ["Basic", "Session"]],
    ["a session alone", "/app/a", {}, ["Session"]],
    ["Basic alone", "/basic/a", NAVIGATION, ["Basic"]],
    ["beside tokens", "/api/a", NAVIGATION, ["Bearer", "Session"]],
  ], async (path, headers, wanted) => {
    const response = await world.gate.request(path, { headers });
    assert.deepEqual(schemes(response).sort(), wanted);
    const session = challenges(response).find(([scheme]) => scheme === "Session");
    if (session) assert.deepEqual(session[1], { realm: "Acme staging", "sign-in": SIGN_IN });
  });
});

test("signing in: 303 to the very address, a cookie, and in", async () => {
  const ann = browser();
  const { inputs } = pageOf(await ann.open("/app/reports?year=2026"));
  const cookies = signedIn(await ann.signIn("ann", { return_to: inputs.return_to }), `${SITE}/app/reports?year=2026`);
  assert.deepEqual(cookies[SESSION].attributes, { path: "/", secure: true, httponly: true, samesite: "Lax" });
  assert.ok(cookies[SESSION].value.length < 1024);
  const page = await ann.open("/app/reports?year=2026");
  assert.equal(page.status, 200);
  const seen = page.origin();
  assert.equal(seen.get("x-edgeward-user"), "ann");
  assert.equal(seen.get("x-edgeward-groups"), "staff,admins");
  assert.equal(seen.get("cookie"), undefined, "our cookies are off before the origin");
  assert.equal((await ann.open("/staff/a")).status, 200, "groups come from the line");
  assert.equal((await ann.fetch("/api/a")).status, 200);
  assert.deepEqual((await ann.fetch("/.edgeward/whoami")).json(), {
    authenticated: true,
    kind: "session",
    user: "ann",
    groups: ["staff", "admins"],
    scopes: [],
    expires: (await ann.fetch("/.edgeward/whoami")).json().expires,
  });
});

test("a session opens what accepts one, and nothing else", async () => {
  const bob = browser();
  signedIn(await bob.signIn("bob"));
  assert.equal((await bob.open("/staff/a")).status, 403, "another group");
  refused(await bob.fetch("/staff/a"), "not-allowed");
  refused(await bob.fetch("/basic/a"), "credentials-unsupported");
  const seen = (await bob.fetch("/public/a")).origin();
  assert.equal(seen.get("cookie"), undefined, "off on public rules, too");
  assert.equal(seen.get("x-edgeward-user"), undefined);
});

test("a wrong password and an unknown user get the same page, with what was typed", async () => {
  const answers = [];
  for (const user of ["ann", "nobody-there"]) {
    const response = await browser().post(SIGN_IN, { username: user, password: "wrong", return_to: "/app/x?y", remember: "1" });
    const { status, cause, inputs, html } = pageOf(response);
    assert.deepEqual([status, cause], [401, "credentials-wrong"]);
    assert.equal(inputs.username, user);
    assert.equal(inputs.password, "");
    assert.equal(inputs.return_to, "/app/x?y");
    assert.equal(response.get("set-cookie"), undefined);
    assert.deepEqual(schemes(response), ["Session"]);
    const reference = /class="reference"[^>]*>([^<]+)</.exec(html)?.[1] ?? "";
    assert.notEqual(reference, "");
    answers.push(html.replaceAll(user, "USER").replaceAll(reference, "REFERENCE").replaceAll(/<time[^>]*>[^<]*<\/time>/g, "TIME"));
  }
  assert.equal(answers[0], answers[1]);
});

test("what was typed cannot leave its place", async () => {
  const typed = `"><script>alert(1)</script>'&{{user}}`;
  const response = await browser().post(SIGN_IN, { username: typed, password: "x", return_to: `/a?"><script>alert(2)</script>` });
  const { html, inputs } = pageOf(response);
  assert.equal(inputs.username, typed);
  assert.equal(inputs.return_to, "/");
  assert.doesNotMatch(html, /<script>alert/);
});

test("accounts that may not: told only to whoever knows the password", async (t) => {
  await eachRow(t, [
    ["switched off", "suspended", PASSWORDS.suspended, "account-suspended", 403],
    ["switched off, wrong password", "suspended", "x", "credentials-wrong", 401],
    ["ran out", "expired", PASSWORDS.expired, "password-expired", 401],
    ["ran out, wrong password", "expired", "x", "credentials-wrong", 401],
  ], async (user, password, cause, status) => {
    const page = pageOf(await browser().post(SIGN_IN, { username: user, password }));
    assert.deepEqual([page.status, page.cause], [status, cause]);
    const script = await browser().fetch(SIGN_IN, { method: "POST", headers: { "Content-Type": FORM }, body: new URLSearchParams({ username: user, password }).toString() });
    refused(script, cause, status);
    assert.equal(script.get("set-cookie"), undefined);
  });
});

test("forms that are none", async (t) => {
  await eachRow(t, [
    ["nothing", "", "credentials-malformed", 401],
    ["no password", "username=ann", "credentials-malformed", 401],
    ["no user-id", "username=&password=x", "credentials-malformed", 401],
    ["a user-id twice", `username=ann&username=bob&password=${PASSWORDS.ann}`, "credentials-malformed", 401],
    ["a control character", "username=a%00nn&password=x", "credentials-malformed", 401],
    ["too long for Basic", `username=ann&password=${"x".repeat(1021)}`, "credentials-malformed", 401],
    ["a code without a first factor", "code=123456", "credentials-missing", 401],
    ["longer than a form of ours", `username=ann&password=${PASSWORDS.ann}&x=${"y".repeat(17_000)}`, "content-too-large", 413],
  ], async (body, cause, status) => {
    const response = await browser().fetch(SIGN_IN, { method: "POST", headers: { "Content-Type": FORM }, body });
    refused(response, cause, status);
    assert.equal(response.get("set-cookie"), undefined);
  });
});

test("user-ids and passwords are one in either normal form, and colons are the password's own", async (t) => {
  await eachRow(t, [
    ["composed", "café", PASSWORDS["café"]],
    ["decomposed", "cafe\u0301", PASSWORDS["café"]],
    ["a password, decomposed", "cafe", PASSWORDS.cafe.normalize("NFD")],
    ["colons", "colon", PASSWORDS.colon],
    ["a space behind, as keyboards add it", "ann ", PASSWORDS.ann],
  ], async (user, password) => {
    signedIn(await browser().post(SIGN_IN, { username: user, password }));
  });
  await t.test("case matters", async () => {
    assert.equal((await browser().post(SIGN_IN, { username: "Ann", password: PASSWORDS.ann })).status, 401);
  });
});

test("where it leads back to", async (t) => {
  await eachRow(t, [
    ["nothing said", undefined, `${SITE}/`],
    ["path, query and fragment", "/app/a%20b?c=d&e=/f?g#h/i?j", `${SITE}/app/a%20b?c=d&e=/f?g#h/i?j`],
    ["a URL of this origin", `${SITE}/app//a`, `${SITE}/app//a`],
    ["a host of the policy", "https://other.example/x?y#z", "https://other.example/x?y#z"],
    ["a host with a port", "https://third.example:8443/", "https://third.example:8443/"],
    ["that host without it", "https://third.example/", `${SITE}/`],
    ["another site", "https://evil.example/", `${SITE}/`],
    ["a host in disguise", "//evil.example", `${SITE}/`],
    ["a backslash", "/\\evil.example", `${SITE}/`],
    ["a line feed", "/a\r\nSet-Cookie: x=y", `${SITE}/`],
  ], async (back, location) => {
    const response = await browser().signIn("ann", back === undefined ? {} : { return_to: back });
    signedIn(response, location);
    assert.deepEqual(Object.keys(cookiesOf(response)).filter((name) => !name.startsWith("__Host-edgeward")), []);
  });
});

test("a page whose path looks like a host gets its visitor back", async () => {
  const ann = browser();
  const { inputs } = pageOf(await ann.open("/app//evil.example/Special:Login?a"));
  signedIn(await ann.signIn("ann", { return_to: inputs.return_to }), `${SITE}/app//evil.example/Special:Login?a`);
});

test("kept signed in: only where it is asked for and allowed", async (t) => {
  await eachRow(t, [
    ["not asked", { remember: "7d" }, {}, undefined],
    ["asked", { remember: "7d" }, { remember: "1" }, String(7 * 86_400)],
    ["as a box without a value sends it", {}, { remember: "on" }, String(30 * 86_400)],
    ["forbidden", { remember: "0" }, { remember: "1" }, undefined],
  ], async (session, fields, wanted) => {
    await gated(session, async (gate) => {
      const ann = new Browser(gate);
      const { inputs } = pageOf(await ann.open("/app/a"));
      assert.equal("remember" in inputs, session.remember !== "0", "offered where it is allowed");
      const cookies = signedIn(await ann.signIn("ann", fields));
      assert.equal(cookies[SESSION].attributes["max-age"], wanted);
    });
  });
});

test("a script signs in without being sent anywhere", async () => {
  const ann = browser();
  const wrong = await ann.fetch(SIGN_IN, { method: "POST", headers: { "Content-Type": FORM }, body: "username=ann&password=x" });
  refused(wrong, "credentials-wrong");
  assert.match(wrong.get("content-type"), /^application\/problem\+json/);
  const response = await ann.signInByFetch("ann", { return_to: "/app/a?b#c" });
  assert.deepEqual([response.status, response.get("location")], [200, undefined]);
  assert.match(response.get("content-type"), /^application\/json/);
  assert.equal(response.get("cache-control"), "no-store");
  assert.deepEqual(response.json(), { signed_in: true, second_factor: false, return_to: `${SITE}/app/a?b#c` });
  assert.ok(cookiesOf(response)[SESSION]);
  assert.equal((await ann.fetch("/app/a")).status, 200);
});

test("a script that needs a session is told where a person gets one, and never redirected", async (t) => {
  await eachRow(t, [
    ["GET", "/api/a?b=c&d", "GET", `${SITE}${SIGN_IN}?return_to=/api/a%3Fb%3Dc%26d`],
    ["HEAD has no content", "/api/a", "HEAD", undefined],
    ["POST: no page would be at that address", "/api/a", "POST", `${SITE}${SIGN_IN}`],
    ["a path of ours is no page", "/.edgeward/whoami", "GET", `${SITE}${SIGN_IN}`],
  ], async (path, method, wanted) => {
    const response = await browser().fetch(path, { method });
    assert.equal(response.status, 401);
    assert.equal(response.get("location"), undefined);
    if (wanted) assert.equal(response.json().sign_in, wanted);
  });
  await t.test("not where a session would not do", async () => {
    const response = await world.ask("/basic/a");
    assert.equal("sign_in" in response.json(), false);
  });
  await t.test("not for what is no 401", async () => {
    const ann = browser();
    await ann.signIn("bob");
    assert.equal("sign_in" in (await ann.fetch("/staff/a")).json(), false);
  });
  await t.test("no token in it", async () => {
    const response = await world.ask("/api/a?access_token=abc&x=1");
    refused(response, "token-malformed");
    assert.equal(response.json().sign_in, `${SITE}${SIGN_IN}?return_to=/api/a%3Fx%3D1`);
  });
  await t.test("it works", async () => {
    const ann = browser();
    const { sign_in: url } = (await ann.fetch("/api/a?b=c")).json();
    const { inputs, status } = pageOf(await ann.open(url.slice(SITE.length)));
    assert.deepEqual([status, inputs.return_to], [200, "/api/a?b=c"]);
  });
});

test("a client that says nothing of how it fetches is sent on like a browser", async () => {
  const body = new URLSearchParams({ username: "ann", password: PASSWORDS.ann, return_to: "/app/a" }).toString();
  const response = await world.gate.request(SIGN_IN, { method: "POST", headers: { Origin: SITE, "Content-Type": FORM }, body });
  signedIn(response, `${SITE}/app/a`);
});

test("several tabs at once: all are in, each sign-in has a session of its own", async () => {
  const first = browser();
  const tabs = [first, first.tab(), first.tab(), first.tab()];
  await Promise.all(tabs.map((tab, i) => tab.open(`/app/${i}`)));
  const answers = await Promise.all(tabs.map((tab, i) => tab.signIn("ann", { return_to: `/app/${i}` })));
  const values = answers.map((response, i) => signedIn(response, `${SITE}/app/${i}`)[SESSION].value);
  assert.equal(new Set(values).size, tabs.length);
  for (const [i, tab] of tabs.entries()) assert.equal((await tab.open(`/app/${i}`)).status, 200);
  for (const value of values) {
    const copy = browser({ jar: new Map([[SESSION, value]]) });
    assert.equal((await copy.open("/app/a")).status, 200, "each of the cookies is good");
  }
});

test("a tab that was opened to sign in says that it can be closed", async () => {
  const ann = browser();
  const wrong = pageOf(await ann.post(SIGN_IN, { username: "ann", password: "x", tab: "1" }));
  assert.equal(wrong.inputs.tab, "1", "it stays such a tab");
  const response = await ann.signIn("ann", { tab: "1", return_to: "/app/a" });
  assert.equal(pageOf(response).page, "signed-in-tab");
  assert.equal(response.status, 200);
  assert.ok(cookiesOf(response)[SESSION]);
  assert.equal((await ann.open("/app/a")).status, 200);
});

test("the sign-in page by itself", async (t) => {
  await t.test("for somebody", async () => {
    const { status, page, inputs } = pageOf(await browser().open(`${SIGN_IN}?return_to=%2Fapp%2Fa%3Fb`));
    assert.deepEqual([status, page, inputs.return_to], [200, "sign-in", "/app/a?b"]);
  });
  await t.test("an address of somebody else's is none", async () => {
    for (const back of ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example", "%ff", ""]) {
      const { inputs, html } = pageOf(await browser().open(`${SIGN_IN}?return_to=${back}`));
      assert.equal(inputs.return_to, "/", back);
      assert.doesNotMatch(html, /evil\.example\/?"/);
    }
  });
  await t.test("for who is in: as whom, and on", async () => {
    const ann = browser();
    await ann.signIn("ann");
    const response = await ann.open(`${SIGN_IN}?return_to=%2Fapp%2Fa`);
    const { page, html } = pageOf(response);
    assert.deepEqual([response.status, page], [200, "signed-in"]);
    assert.match(html, /\bann\b/);
    assert.match(html, /href="\/app\/a"/);
    assert.equal(pageOf(await ann.open(`${SIGN_IN}?other=1`)).page, "sign-in", "as somebody else");
    signedIn(await ann.signIn("bob"));
    assert.equal((await ann.open("/app/a")).origin().get("x-edgeward-user"), "bob");
  });
  await t.test("with a session that is over, it is the form again and the cookie goes", async () => {
    const ann = browser({ jar: new Map([[SESSION, "x".repeat(60)]]) });
    const response = await ann.open(SIGN_IN);
    assert.equal(pageOf(response).page, "sign-in");
    assert.equal(ann.jar.has(SESSION), false);
  });
  await t.test("methods", async () => {
    const head = await world.gate.request(SIGN_IN, { method: "HEAD" });
    assert.deepEqual([head.status, head.content.length], [200, 0]);
    const put = await world.gate.request(SIGN_IN, { method: "PUT" });
    assert.deepEqual([put.status, put.get("allow")], [405, "GET, HEAD, POST"]);
  });
  await t.test("without the table there is none", async () => {
    await withGate({ policy: { origin: world.origin.url }, secrets: secrets() }, async (gate) => {
      for (const method of ["GET", "POST"]) assert.equal((await gate.request(SIGN_IN, { method })).status, 404);
    });
  });
});

test("cookies by scheme and host", async (t) => {
  await t.test("plain http on loopback: no prefix, not Secure", async () => {
    const ann = browser({ site: LOCAL });
    const cookies = signedIn(await ann.signIn("ann"), `${LOCAL}/`, "edgeward");
    assert.deepEqual(cookies.edgeward.attributes, { path: "/", httponly: true, samesite: "Lax" });
    assert.equal((await ann.open("/app/a")).status, 200);
    assert.deepEqual([...ann.jar.keys()].sort(), ["edgeward", "edgeward-device"]);
  });
  await t.test("over https the bare name is nobody's", async () => {
    const ann = browser({ site: LOCAL });
    await ann.signIn("ann");
    const moved = browser({ jar: new Map([["edgeward", ann.jar.get("edgeward")]]) });
    assert.equal((await moved.open("/app/a")).status, 401);
  });
  await t.test("hosts of one parent", async () => {
    await gated({ domain: HOST }, async (gate) => {
      const ann = new Browser(gate, { site: `https://one.${HOST}` });
      const cookies = signedIn(await ann.signIn("ann"), `https://one.${HOST}/`, "__Secure-edgeward");
      assert.deepEqual(cookies["__Secure-edgeward"].attributes, { path: "/", secure: true, httponly: true, samesite: "Lax", domain: HOST });
      const other = new Browser(gate, { site: `https://two.${HOST}`, jar: ann.jar });
      assert.equal((await other.open("/app/a")).status, 200);
      const stranger = new Browser(gate, { site: "https://elsewhere.example", jar: ann.jar });
      assert.equal((await stranger.open("/app/a")).status, 401);
    });
  });
});

test("a browser that signed in is known afterwards", async () => {
  const ann = browser();
  const cookies = signedIn(await ann.signIn("ann"));
  assert.equal(cookies[DEVICE].attributes["max-age"], String(400 * 86_400));
  assert.ok(cookies[DEVICE].attributes.secure && cookies[DEVICE].attributes.httponly);
  const wrong = await browser().post(SIGN_IN, { username: "ann", password: "x" });
  assert.equal(cookiesOf(wrong)[DEVICE], undefined);
});

test("a session that is over is taken out of the browser", async (t) => {
  await eachRow(t, [
    ["a page", (it) => it.open("/app/a"), true],
    ["a program", (it) => it.gate.request("/app/a", { headers: { Cookie: `${SESSION}=${it.jar.get(SESSION)}` } }), true],
    ["what a page fetches: another tab may be signing in", (it) => it.fetch("/app/a"), false],
  ], async (ask, gone) => {
    const ann = browser({ jar: new Map([[SESSION, "A".repeat(80)]]) });
    const response = await ask(ann);
    assert.equal(response.status, 401);
    const names = response.all("set-cookie").map((line) => [line.split("=")[0], /; Max-Age=0/i.test(line)]);
    assert.deepEqual(names, gone ? [[SESSION, true], ["edgeward", true]] : []);
  });
});

test("the session ends when the line of its account changes, and with its time", async () => {
  const ann = browser();
  await ann.signIn("ann");
  const changed = secrets().EDGEWARD_USERS.replace("staff,admins", "staff");
  await withGate(
    { policy: { origin: world.origin.url, ...POLICY }, secrets: { ...secrets(), EDGEWARD_USERS: changed } },
    async (gate) => {
      const there = new Browser(gate, { jar: new Map(ann.jar) });
      refused(await there.fetch("/app/a"), "session-revoked");
      assert.equal(pageOf(await there.open("/app/a")).inputs.username, "ann", "whose it was is known");
    },
  );
  await gated({ idle: "1s", absolute: "9s" }, async (gate) => {
    const there = new Browser(gate);
    await there.signIn("ann");
    const began = now();
    await new Promise((done) => setTimeout(done, 1200));
    refused(await there.fetch("/app/a"), "session-idle");
    await new Promise((done) => setTimeout(done, (began + 9) * 1000 + 1100 - Date.now()));
    refused(await there.fetch("/app/a"), "session-expired");
  });
});

test("what is logged: who signed in, and no password", async () => {
  const ann = browser();
  await ann.signIn("ann");
  await ann.post(SIGN_IN, { username: "somebody-typed-this", password: "a-password-typed-wrong" });
  const printed = await world.gate.printed();
  assert.match(printed, /"edgeward":"signed-in"[^\n]*"user":"ann"/);
  assert.match(printed, /"cause":"credentials-wrong"[^\n]*"path":"\/.edgeward\/sign-in"/);
  for (const secret of [PASSWORDS.ann, "a-password-typed-wrong", "somebody-typed-this", ann.jar.get(SESSION)])
    assert.equal(printed.includes(secret), false, secret.slice(0, 12));
});

const STORES = { kvNamespaces: ["EDGEWARD_KV"], durableObjects: { EDGEWARD_LEDGER: { className: "Ledger", useSQLite: true } } };

test("an account of EDGEWARD_KV signs in like one of EDGEWARD_USERS", () =>
  gated({}, async (gate) => {
    const kv = await gate.miniflare.getKVNamespace("EDGEWARD_KV", "gate");
    await kv.put("user:zoe", passwordLine("zoe", "zoe-kept-in-kv-2219", "staff"));
    const zoe = new Browser(gate);
    signedIn(await zoe.post(SIGN_IN, { username: "zoe", password: "zoe-kept-in-kv-2219", return_to: "/" }));
    assert.equal((await zoe.open("/staff/a")).origin().get("x-edgeward-user"), "zoe");
    assert.equal((await new Browser(gate).post(SIGN_IN, { username: "zoe", password: "x" })).status, 401);
  }, { options: STORES }));

test("too many wrong passwords: the page says how long to wait, and a known browser does not", () =>
  gated({}, async (gate) => {
    const from = (address, more) => new Browser(gate, { headers: { "CF-Connecting-IP": address }, ...more });
    const known = from("203.0.113.1");
    await known.signIn("ann");
    const answers = [];
    for (const user of ["ann", "nobody-at-all"]) {
      const guesser = from("198.51.100.7");
      for (let i = 0; i < 5; i += 1) assert.equal((await guesser.post(SIGN_IN, { username: user, password: `x${i}` })).status, 401);
      // Ann's password is right, and was proven just now: whoever has to wait is not told so.
      const response = await guesser.signIn("ann", { username: user });
      assert.deepEqual([response.status, pageOf(response).cause], [429, "too-many-attempts"], "right or wrong");
      assert.equal(response.get("set-cookie"), undefined);
      const script = await guesser.fetch(SIGN_IN, { method: "POST", headers: { "Content-Type": FORM }, body: `username=${user}&password=x` });
      refused(script, "too-many-attempts");
      answers.push([Number(script.get("retry-after")) > 0, script.json().retry_after > 0, script.json().detail]);
    }
    assert.deepEqual(answers[0], answers[1], "an unknown user-id waits like a known one");
    const again = from("198.51.100.9", { jar: new Map([[DEVICE, known.jar.get(DEVICE)]]) });
    signedIn(await again.signIn("ann"));
    assert.equal((await from("192.0.2.1").signIn("café")).status, 303, "others are not waited for");
  }, { options: STORES }));

test("Basic goes on as before where it is accepted", async () => {
  assert.equal((await world.gate.request("/both/a", { headers: basic("ann") })).status, 200);
  refused(await world.ask("/app/a", { headers: basic("ann") }), "credentials-unsupported");
});
