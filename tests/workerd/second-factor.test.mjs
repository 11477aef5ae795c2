// The second factor: who needs one, that a code is good once, and that wrong ones are counted where nobody can replay them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PASSWORDS, basic, bearer, jwt, secrets } from "./given.mjs";
import { SITE, withGate } from "./harness.mjs";
import { startOrigin } from "./origin.mjs";
import { Browser, SESSION, SIGN_IN, pageOf, signedIn } from "./people.mjs";
import { storesOf, watched } from "./stores.mjs";
import { STEP, code, factor, recoveryCodes, wrongCode } from "./totp.mjs";

let origin;
before(async () => (origin = await startOrigin()));
after(() => origin.stop());

const LEDGER = { durableObjects: { EDGEWARD_LEDGER: { className: "Ledger", useSQLite: true } } };

const ANN = factor("ann");

const CAFE = factor("cafe", { hash: "sha256", digits: 8 });

/** Ann, `cafe` and the suspended one have a second factor, Bob has none. */
const LINES = [ANN, CAFE, factor("suspended", { hash: "sha512" })].map(({ line }) => line).join("\n");

const settings = (policy = {}, more = {}) => ({
  options: LEDGER,
  policy: {
    origin: origin.url,
    log: "all",
    session: {},
    tokens: [{ format: "jwt", keys: ["main"] }],
    rules: [
      { path: "/public/*", access: "public" },
      { path: "/lifted/*", basic_without_second_factor: true },
      { path: "/both/*", second_factor: true },
      { path: "/basic/*", accept: ["basic"] },
      { path: "/staff/*", groups: ["staff"] },
      { path: "/nobody/*", users: ["nobody"] },
    ],
    ...policy,
  },
  secrets: secrets({ EDGEWARD_TOTP: LINES }),
  ...more,
});

const WANTED = { Accept: "application/problem+json" };

async function asked(gate, path, headers) {
  const response = await gate.request(path, { headers: { ...WANTED, ...headers } });
  return response.status === 200 ? "passed" : `${response.status} ${response.json().cause}`;
}

const ann = () => basic("ann", PASSWORDS.ann);
const bob = () => basic("bob", PASSWORDS.bob);

test("Basic alone is refused on every rule for a user who has a second factor", () =>
  withGate(settings(), async (gate) => {
    const needs = "401 second-factor-required";
    for (const [path, headers, expected] of [
      ["/", ann(), needs],
      ["/", ann(), needs], // remembered proof or not
      ["/basic/x", ann(), needs],
      ["/staff/x", ann(), needs],
      ["/nobody/x", ann(), needs],
      ["/both/x", ann(), needs],
      ["/.edgeward/whoami", ann(), needs],
      ["/lifted/x", ann(), "passed"],
      ["/public/x", ann(), "passed"],
      ["/", basic("ann", "wrong"), "401 credentials-wrong"],
      ["/", basic("suspended", PASSWORDS.suspended), "403 account-suspended"],
      ["/", bob(), "passed"],
      ["/basic/x", bob(), "passed"],
      ["/both/x", bob(), needs],
      ["/", bearer(jwt({ claims: { sub: "ann" } })), "passed"],
      ["/both/x", bearer(jwt({ claims: { sub: "ann" } })), needs],
      ["/both/x", {}, "401 credentials-missing"],
    ]) {
      assert.equal(await asked(gate, path, headers), expected, `${path} ${JSON.stringify(headers)}`);
    }
    assert.ok((await origin.seen()).every(({ url }) => !url.startsWith("/both/")), "nothing of it reached the origin");
  }));

test("the refusal says what is missing, and whose it is in the log alone", () =>
  withGate(settings(), async (gate) => {
    const response = await gate.request("/x", { headers: { ...WANTED, ...ann() } });
    assert.equal(response.status, 401);
    assert.match(response.get("www-authenticate"), /Session realm="/);
    assert.equal(response.get("cache-control"), "no-store");
    assert.ok(!response.text().includes('"ann"'));
    const printed = await gate.printed();
    assert.match(printed, /second-factor-required/);
    for (const secret of [ANN.secret.toString("base64"), ANN.seed.toString("hex"), ANN.line.split(":")[3], PASSWORDS.ann])
      assert.ok(!printed.includes(secret));
  }));

test("without a ledger, or with a line that cannot be read, all that is not public is closed", async () => {
  const other = factor("ann", { root: Buffer.alloc(32, 7) });
  for (const more of [
    { options: {} },
    { secrets: secrets({ EDGEWARD_TOTP: "" }) },
    { secrets: secrets({ EDGEWARD_TOTP: `${LINES}\nx` }) },
    { secrets: secrets({ EDGEWARD_TOTP: `${LINES}\n${ANN.line}` }) },
    { secrets: secrets({ EDGEWARD_TOTP: other.line }) },
    { secrets: secrets({ EDGEWARD_TOTP: ANN.line.replace("ann:", "bob:") }) },
    { secrets: secrets() }, // a rule asks for one
  ]) {
    await withGate(settings({}, more), async (gate) => {
      assert.equal(await asked(gate, "/x", bob()), "503 not-configured");
      assert.equal(await asked(gate, "/public/x"), "passed");
      const printed = await gate.printed();
      assert.match(printed, more.options ? /EDGEWARD_LEDGER: found nothing/ : /EDGEWARD_TOTP/);
      assert.ok(!printed.includes(other.line.split(":")[3]) && !printed.includes(ANN.line.split(":")[3]));
    });
  }
});


/** A browser in which the password of that user was right. */
async function halfway(gate, user = "ann", return_to = "/x") {
  const browser = new Browser(gate);
  signedIn(await browser.signIn(user, { return_to }), SITE + return_to);
  return browser;
}

const send = (browser, fields) => browser.post(SIGN_IN, { return_to: "/x", ...fields });

/** What comes of a code, in a word. */
async function said(browser, fields) {
  const response = await send(browser, fields);
  if (response.status === 303) return "in";
  const { status, cause } = pageOf(response);
  if (status === 429) assert.ok(Number(response.get("retry-after")) >= 1, "how long to wait");
  else assert.equal(status, cause === "check-unavailable" ? 503 : 401);
  assert.equal(response.get("set-cookie"), undefined);
  return cause;
}

test("password, then code: half a sign-in opens the second form and nothing else (attack 15)", () =>
  withGate(settings(), async (gate) => {
    const browser = new Browser(gate);
    const first = signedIn(await browser.signIn("ann", { return_to: "/staff/a?b=c" }), `${SITE}/staff/a?b=c`);
    assert.deepEqual(Object.keys(first), [SESSION], "no other cookie yet: nobody is in");
    for (const path of ["/", "/staff/a?b=c", "/lifted/x", "/both/x", "/.edgeward/whoami"]) {
      const response = await browser.fetch(path);
      assert.deepEqual([response.status, response.json().cause], [401, "second-factor-required"], path);
    }
    assert.equal((await browser.fetch("/public/x")).origin().get("cookie"), undefined);
    for (const path of ["/.edgeward/session", "/.edgeward/token"]) {
      const response = await browser.fetch(path, { method: "POST" });
      assert.ok(response.status >= 400, `${path}: ${response.status}`);
      assert.equal(response.get("set-cookie"), undefined, path);
    }
    const { status, cause, inputs } = pageOf(await browser.open("/staff/a?b=c"));
    assert.deepEqual([status, cause, inputs.return_to], [401, "second-factor-required", "/staff/a?b=c"]);
    assert.ok("code" in inputs && !("password" in inputs), JSON.stringify(inputs));

    const both = signedIn(await browser.post(SIGN_IN, { code: code(ANN), return_to: inputs.return_to }), `${SITE}/staff/a?b=c`);
    assert.notEqual(both[SESSION].value, first[SESSION].value);
    const seen = (await browser.open("/both/x")).origin();
    assert.equal(seen.get("x-edgeward-user"), "ann");
    const [, claims] = seen.get("x-edgeward-assertion").split(".");
    assert.deepEqual(JSON.parse(Buffer.from(claims, "base64url")).amr, ["pwd", "otp", "mfa"]);
    assert.equal((await browser.open("/staff/a")).status, 200);

    // What the browser was made to hold before is worth what it was.
    const old = new Browser(gate, { jar: new Map([[SESSION, first[SESSION].value]]) });
    assert.equal(pageOf(await old.open("/x")).cause, "second-factor-required");
    assert.equal(await said(old, { code: code(ANN) }), "credentials-wrong", "the code is used");
  }));

test("eight digits and SHA-256; a user without a second factor is asked for none", () =>
  withGate(settings(), async (gate) => {
    const cafe = await halfway(gate, "cafe");
    assert.equal(await said(cafe, { code: code(ANN) }), "credentials-wrong");
    const grouped = code(CAFE).replace(/^(....)/, "$1 ");
    assert.equal(await said(cafe, { code: grouped }), "in");
    assert.equal((await cafe.open("/both/x")).status, 200);
    const withoutOne = new Browser(gate);
    signedIn(await withoutOne.signIn("bob"));
    assert.equal((await withoutOne.open("/x")).status, 200);
    assert.equal((await withoutOne.fetch("/both/x")).json().cause, "second-factor-required");
    assert.equal(await said(withoutOne, { code: code(ANN) }), "second-factor-required", "of others is none");
  }));

test("the same code twice: good once, and of many at once for one (attack 29)", () =>
  withGate(settings(), async (gate) => {
    const [one, other] = [await halfway(gate), await halfway(gate)];
    const used = code(ANN);
    assert.equal(await said(one, { code: used }), "in");
    assert.equal(await said(other, { code: used }), "credentials-wrong");
    const browsers = await Promise.all([1, 2, 3, 4].map(() => halfway(gate)));
    const next = code(ANN, Date.now() / 1000 + STEP);
    const answers = await Promise.all(browsers.map((browser) => said(browser, { code: next })));
    assert.deepEqual(answers.sort(), ["credentials-wrong", "credentials-wrong", "credentials-wrong", "in"]);
  }));

test("wrong lengths, other steps and other people's codes are wrong (attack 29)", () =>
  withGate(settings(), async (gate) => {
    const seconds = Date.now() / 1000;
    for (const typed of ["1", "12345", "1234567", "abcdef", "-12345", code(ANN, seconds - 20 * STEP), code(CAFE).slice(0, 6)]) {
      const browser = await halfway(gate);
      const found = await said(browser, { code: typed });
      assert.ok(["credentials-wrong", "too-many-attempts"].includes(found), `${typed}: ${found}`);
      assert.equal(pageOf(await browser.open("/x")).cause, "second-factor-required");
    }
  }));

test("five wrong ones, then wait: whatever cookie is sent, and the right one too (attacks 29, 30)", () =>
  withGate(settings(), async (gate) => {
    const browser = await halfway(gate);
    const first = new Map(browser.jar);
    const wrong = wrongCode(ANN);
    for (let tries = 0; tries < 5; tries += 1) assert.equal(await said(browser, { code: wrong }), "credentials-wrong");
    const late = await send(browser, { code: code(ANN) });
    assert.equal(late.status, 429);
    assert.equal(pageOf(late).cause, "too-many-attempts");
    const wait = Number(late.get("retry-after"));
    assert.ok(wait > 20 && wait <= 30, `${wait}`);
    // The first cookie once more, and a sign-in from the beginning: what is counted is in neither.
    const again = new Browser(gate, { jar: first });
    assert.equal(await said(again, { code: code(ANN) }), "too-many-attempts");
    assert.equal(await said(await halfway(gate), { code: code(ANN) }), "too-many-attempts");
    const script = await again.fetch(SIGN_IN, {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      body: `code=${code(ANN)}`,
    });
    assert.deepEqual([script.status, script.json().cause, script.json().retry_after > 0], [429, "too-many-attempts", true]);
    // Nobody else waits, and a recovery code is another matter.
    assert.equal(await said(await halfway(gate, "cafe"), { code: code(CAFE) }), "in");
    assert.equal(await said(again, { recovery: recoveryCodes(ANN)[0] }), "in");
    assert.equal((await again.open("/both/x")).status, 200);
  }));

test("guesses that come all at once are counted as well (attack 30)", () =>
  withGate(settings(), async (gate) => {
    const browser = await halfway(gate);
    const wrong = wrongCode(ANN);
    const tabs = [...Array(12)].map(() => new Browser(gate, { jar: new Map(browser.jar) }));
    const answers = await Promise.all(tabs.map((tab) => said(tab, { code: wrong })));
    assert.equal(answers.filter((it) => it === "credentials-wrong").length, 5, answers.join());
    assert.equal(answers.filter((it) => it === "too-many-attempts").length, 7, answers.join());
  }));

test("recovery codes: each good once, however it is typed and into whichever field", () =>
  withGate(settings(), async (gate) => {
    const codes = recoveryCodes(ANN);
    assert.equal(await said(await halfway(gate), { recovery: codes[0] }), "in");
    assert.equal(await said(await halfway(gate), { recovery: codes[0] }), "credentials-wrong");
    const typed = ` ${codes[1].toLowerCase().replace("-", "")} `.replaceAll("0", "o").replaceAll("1", "l");
    assert.equal(await said(await halfway(gate), { code: typed }), "in");
    assert.equal(await said(await halfway(gate), { code: codes[1] }), "credentials-wrong");
    assert.equal(await said(await halfway(gate, "cafe"), { recovery: codes[2] }), "credentials-wrong", "not hers");
    assert.equal(await said(await halfway(gate), { recovery: codes[2] }), "in");
  }));

test("signed in before the second factor came: asked for it, and then in as before", async () => {
  const policy = { rules: [{ path: "/public/*", access: "public" }] };
  const jar = new Map();
  await withGate(settings(policy, { secrets: secrets() }), async (gate) => {
    signedIn(await new Browser(gate, { jar }).signIn("ann"));
    assert.equal((await new Browser(gate, { jar }).open("/x")).status, 200);
  });
  await withGate(settings(), async (gate) => {
    const browser = new Browser(gate, { jar });
    const before = jar.get(SESSION);
    const { cause, inputs } = pageOf(await browser.open("/x"));
    assert.equal(cause, "second-factor-required");
    assert.ok("code" in inputs, JSON.stringify(inputs));
    signedIn(await send(browser, { code: code(ANN) }), `${SITE}/x`);
    assert.notEqual(jar.get(SESSION), before);
    assert.equal((await browser.open("/both/x")).status, 200);
  });
});

test("a script learns that a code is to come, and is never led away", () =>
  withGate(settings(), async (gate) => {
    const browser = new Browser(gate);
    const first = (await browser.signInByFetch("ann", { return_to: "/x" })).json();
    assert.deepEqual([first.signed_in, first.second_factor], [false, true]);
    const second = await browser.fetch(SIGN_IN, {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      body: new URLSearchParams({ code: code(ANN), return_to: "/x" }).toString(),
    });
    assert.deepEqual([second.status, second.json().signed_in], [200, true]);
    assert.equal((await browser.fetch("/both/x")).status, 200);
  }));

test("a ledger that is silent lets nobody in by a code", () =>
  withGate(settings({}, watched({ kv: false })), async (gate) => {
    const browser = await halfway(gate);
    const stores = await storesOf(gate);
    await stores.set({ ledger: "down" });
    assert.equal(await said(browser, { code: code(ANN) }), "check-unavailable");
    assert.equal(await said(browser, { recovery: recoveryCodes(ANN)[0] }), "check-unavailable");
    await stores.set({ ledger: "good" });
    assert.equal(await said(browser, { code: code(ANN) }), "in");
    const { calls } = await stores.seen();
    assert.ok(calls.every(({ args }) => !JSON.stringify(args).includes("ann")), "no user-id reaches it");
  }));
