// Getting out: attack 35, a sign-out that leaves the cookie good. The saved cookie is sent again after each sign-out, with the
// ledger, with KV alone, with neither, and with stores that fail.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { basic, passwordLine, policy, secrets } from "./given.mjs";
import { startGate } from "./harness.mjs";
import { startOrigin } from "./origin.mjs";
import { Browser, DEVICE, FORM, RULES, SESSION, SITE, cookieLine, cookiesOf, pageOf, signedIn } from "./people.mjs";
import { storesOf, watched } from "./stores.mjs";
import { NAVIGATION } from "./visitor.mjs";

const SIGN_OUT = "/.edgeward/sign-out";
const CLEAR = "/.edgeward/clear";
const gates = {};
let origin;

const started = (more = {}, session = {}) =>
  startGate({ policy: policy(origin, { rules: RULES, session }), secrets: secrets(), ...more });

before(async () => {
  origin = await startOrigin();
  gates.neither = await started();
  gates.kv = await started(watched({ ledger: false }));
  gates.ledger = await started(watched({ kv: false }));
  gates.both = await started(watched());
  gates.shared = await started(watched(), { domain: "acme.example", clear_site_data: ["storage"] });
});

after(async () => {
  await Promise.all(Object.values(gates).map((gate) => gate.stop()));
  await origin?.stop();
});

/** Somebody who is signed in, and the cookie that somebody else has copied. */
async function somebody(gate, user = "ann", fields = {}) {
  const browser = new Browser(gate);
  signedIn(await browser.signIn(user, fields));
  return { browser, copy: browser.jar.get(SESSION) };
}

const withCookie = (gate, value, path = "/app/x") =>
  gate.request(SITE + path, { headers: { ...NAVIGATION, Cookie: `${SESSION}=${value}` } });

/** A second after a sign-in: "everywhere" ends what began in its very second, too. */
const nextSecond = () => new Promise((done) => setTimeout(done, 1050));

function isCleared(response, { more = [] } = {}) {
  const lines = response.all("set-cookie").map(cookieLine);
  for (const name of [SESSION, "edgeward", ...more]) {
    const line = lines.find((it) => it.name === name);
    assert.ok(line && line.value === "" && line.attributes["max-age"] === "0" && line.attributes.path === "/", name);
  }
  assert.match(response.get("clear-site-data"), /^"cache"/);
  assert.equal(response.get("cache-control"), "no-store");
}

function isSaid(response, page, status = 200) {
  assert.equal(response.status, status, response.text().slice(0, 200));
  assert.match(response.text(), new RegExp(`data-page="${page}"`), response.text().slice(0, 300));
}

async function isOut(gate, copy, cause = "session-revoked") {
  const answer = await withCookie(gate, copy);
  assert.equal(answer.status, 401, "the copy is good for nothing");
  assert.equal(pageOf(answer).cause, cause);
}

for (const name of ["ledger", "kv", "both"]) {
  test(`${name}: the saved cookie is refused at once, and no other session is touched`, async () => {
    const gate = gates[name];
    const [one, other, bob] = [await somebody(gate), await somebody(gate), await somebody(gate, "bob")];
    assert.equal((await withCookie(gate, one.copy)).status, 200);
    const out = await one.browser.post(SIGN_OUT, {});
    isSaid(out, "signed-out");
    isCleared(out);
    assert.equal(one.browser.jar.has(SESSION), false);
    await isOut(gate, one.copy);
    assert.equal((await one.browser.open("/app/x")).status, 401);
    for (const { copy } of [other, bob]) assert.equal((await withCookie(gate, copy)).status, 200);
  });

  test(`${name}: everywhere ends all of that user, and none that begin later`, async () => {
    const gate = gates[name];
    const [one, other, bob] = [await somebody(gate, "cafe"), await somebody(gate, "cafe", { remember: "1" }), await somebody(gate, "bob")];
    const out = await one.browser.post(SIGN_OUT, { everywhere: "1" });
    isSaid(out, "signed-out-everywhere");
    isCleared(out);
    for (const { copy } of [one, other]) await isOut(gate, copy);
    assert.equal((await withCookie(gate, bob.copy)).status, 200);
    await nextSecond();
    const again = await somebody(gate, "cafe");
    assert.equal((await withCookie(gate, again.copy)).status, 200);
  });
}

test("neither: the cookie goes, and the page says that a copy stays good", async () => {
  const gate = gates.neither;
  const { browser } = await somebody(gate);
  const asked = await browser.open(SIGN_OUT);
  isSaid(asked, "sign-out");
  assert.doesNotMatch(asked.text(), /name="everywhere"/, "nothing that could not be done is offered");
  const out = await browser.post(SIGN_OUT, { everywhere: "1" });
  isSaid(out, "signed-out-here");
  isCleared(out);
  assert.match(out.text(), /could use it until it ends by itself/);
  assert.equal((await browser.open("/app/x")).status, 401);
});

test("KV alone: another isolate learns of it with the next reading, within the time that is promised", async () => {
  const stores = await storesOf(gates.kv);
  const { browser, copy } = await somebody(gates.kv, "colon");
  await browser.post(SIGN_OUT, {});
  const { writes } = await stores.seen();
  const [{ key, value }] = writes.slice(-1);
  assert.equal(key, "revoked:sessions");
  const kept = JSON.parse(value);
  const ends = Object.values(kept.ids);
  assert.ok(ends.length >= 1 && ends.every((until) => until > Date.now() / 1000 && until < Date.now() / 1000 + 31 * 86_400));
  // Another isolate knows nothing but what it reads.
  const fresh = await started(watched({ ledger: false }));
  try {
    assert.equal((await withCookie(fresh, copy)).status, 200, "nobody told it");
    await (await storesOf(fresh)).put("revoked:sessions", value);
    const other = await started(watched({ ledger: false }));
    await (await storesOf(other)).put("revoked:sessions", value);
    await isOut(other, copy);
    await other.stop();
  } finally {
    await fresh.stop();
  }
});

test("what stands in KV already stays there, and what is over goes", async () => {
  const gate = await started(watched({ ledger: false }));
  const stores = await storesOf(gate);
  const later = Math.floor(Date.now() / 1000) + 1000;
  await stores.put("revoked:sessions", JSON.stringify({ ids: { theirs: later, over: 5 }, users: { zoe: [7, later] } }));
  const one = await somebody(gate);
  await one.browser.post(SIGN_OUT, {});
  const [{ value }] = (await stores.seen()).writes.slice(-1);
  const kept = JSON.parse(value);
  assert.deepEqual([kept.ids.theirs, kept.ids.over, kept.users.zoe], [later, undefined, [7, later]]);
  assert.equal(Object.keys(kept.ids).length, 2);
  // A value that cannot be read is never written over, and the page says no more than is true.
  await stores.put("revoked:sessions", "{broken");
  const two = await somebody(await started(watched({ ledger: false })));
  const stores2 = await storesOf(two.browser.gate);
  await stores2.put("revoked:sessions", "{broken");
  isSaid(await two.browser.post(SIGN_OUT, {}), "signed-out-here");
  assert.deepEqual((await stores2.seen()).writes, []);
  await two.browser.gate.stop();
  await gate.stop();
});

for (const [name, mode] of [["ledger", "down"], ["kv", "down"], ["kv", "unwritable"]]) {
  test(`${name} ${mode}: the cookie goes all the same, and the page promises nothing`, async () => {
    const gate = await started(watched({ kv: name === "kv", ledger: name === "ledger" }));
    const stores = await storesOf(gate);
    try {
      const { browser } = await somebody(gate);
      await stores.set(mode === "unwritable" ? { of: { put: "down" } } : { [name]: mode });
      const out = await browser.post(SIGN_OUT, { everywhere: "1" });
      isSaid(out, "signed-out-here");
      isCleared(out);
      assert.equal(browser.jar.has(SESSION), false);
      const script = await somebodyElse(gate, stores, name);
      assert.deepEqual(script.json(), { signed_out: true, revoked: false, everywhere: false });
    } finally {
      await gate.stop();
    }
  });
}

/** The same by a script, with the store down. */
async function somebodyElse(gate, stores, name) {
  await stores.set({ [name]: "good", of: {} });
  const { browser } = await somebody(gate, "bob");
  await stores.set({ [name]: "down" });
  return browser.fetch(SIGN_OUT, { method: "POST", headers: { "Content-Type": FORM }, body: "everywhere=1" });
}

test("a ledger that does not answer leaves it to KV", async () => {
  const gate = await started(watched());
  const stores = await storesOf(gate);
  try {
    const { browser, copy } = await somebody(gate);
    await stores.set({ ledger: "down" });
    isSaid(await browser.post(SIGN_OUT, {}), "signed-out");
    assert.equal((await stores.seen()).writes.length, 1);
    await stores.set({ ledger: "good" });
    await isOut(gate, copy);
  } finally {
    await gate.stop();
  }
});

test("a session that nobody can check is not let in", async () => {
  const gate = await started(watched({ kv: false }));
  const stores = await storesOf(gate);
  try {
    const { copy } = await somebody(gate);
    await stores.set({ ledger: "down" });
    const answer = await withCookie(gate, copy);
    assert.deepEqual([answer.status, pageOf(answer).cause], [503, "check-unavailable"]);
  } finally {
    await gate.stop();
  }
});

test("GET asks, and does nothing", async () => {
  const gate = gates.ledger;
  const { browser, copy } = await somebody(gate);
  for (const path of [SIGN_OUT, CLEAR]) {
    const asked = await browser.open(path);
    isSaid(asked, path === CLEAR ? "clear" : "sign-out");
    assert.equal(asked.all("set-cookie").length, 0);
    assert.equal(asked.get("clear-site-data"), undefined);
    assert.match(asked.text(), new RegExp(`<form method="post" action="${path}"`));
    assert.equal((await gate.request(SITE + path, { method: "HEAD", headers: NAVIGATION })).content.length, 0);
  }
  assert.match((await browser.open(SIGN_OUT)).text(), /ann[\s\S]*name="everywhere" value="1"/);
  assert.equal((await withCookie(gate, copy)).status, 200);
});

test("nobody to sign out", async () => {
  const browser = new Browser(gates.ledger);
  isSaid(await browser.open(SIGN_OUT), "signed-out-not");
  const out = await browser.post(SIGN_OUT, { everywhere: "1" });
  isSaid(out, "signed-out-not");
  isCleared(out);
  browser.jar.set(SESSION, "broken");
  isSaid(await browser.post(SIGN_OUT, {}), "signed-out-not");
  assert.equal(browser.jar.has(SESSION), false, "a broken cookie goes, too");
});

test("only our own forms sign out (attack 18)", async () => {
  for (const path of [SIGN_OUT, CLEAR]) {
    for (const headers of [
      { "Sec-Fetch-Site": "cross-site" },
      { "Sec-Fetch-Site": "same-site" },
      { "Sec-Fetch-Site": "none" },
      { "Sec-Fetch-Site": undefined, Origin: "null" },
      { "Sec-Fetch-Site": undefined, Origin: "https://evil.example" },
      { "Sec-Fetch-Site": undefined, Origin: undefined },
      { "Content-Type": "text/plain" },
      { "Content-Type": undefined },
    ]) {
      const { browser, copy } = await somebody(gates.neither);
      const answer = await browser.post(path, { everywhere: "1" }, headers);
      assert.deepEqual([answer.status, pageOf(answer).cause], [403, "cross-site"], JSON.stringify(headers));
      assert.equal(answer.all("set-cookie").length, 0);
      assert.equal(answer.get("clear-site-data"), undefined);
      assert.equal((await withCookie(gates.neither, copy)).status, 200);
    }
    const { browser } = await somebody(gates.neither);
    const old = await browser.post(path, {}, { "Sec-Fetch-Site": undefined, "Sec-Fetch-Mode": undefined });
    assert.equal(old.status, 200, "a browser without Sec-Fetch-Site");
  }
});

test("methods", async () => {
  for (const path of [SIGN_OUT, CLEAR]) {
    const answer = await gates.neither.request(SITE + path, { method: "DELETE" });
    assert.deepEqual([answer.status, answer.get("allow")], [405, "GET, HEAD, POST"]);
  }
});

test("scripts are told in JSON", async () => {
  const post = { method: "POST", headers: { "Content-Type": FORM } };
  const { browser } = await somebody(gates.ledger);
  const out = await browser.fetch(SIGN_OUT, { ...post, body: "" });
  assert.equal(out.get("content-type"), "application/json");
  assert.deepEqual(out.json(), { signed_out: true, revoked: true, everywhere: false });
  isCleared(out);
  const everywhere = await (await somebody(gates.ledger)).browser.fetch(SIGN_OUT, { ...post, body: "everywhere=1" });
  assert.deepEqual(everywhere.json(), { signed_out: true, revoked: true, everywhere: true });
  await nextSecond();
  const cleared = await (await somebody(gates.ledger)).browser.fetch(CLEAR, { ...post, body: "" });
  assert.deepEqual(cleared.json(), { cleared: true });
});

test("clear takes every cookie of ours away, and ends the session", async () => {
  const { browser, copy } = await somebody(gates.ledger);
  browser.jar.set("__Host-edgeward-lang", "en");
  browser.jar.set("theirs", "1");
  const cleared = await browser.post(CLEAR, {});
  isSaid(cleared, "cleared");
  isCleared(cleared, { more: [DEVICE, "__Host-edgeward-lang", "__Host-edgeward-link", "edgeward-link"] });
  assert.deepEqual([...browser.jar.keys()], ["theirs"]);
  await isOut(gates.ledger, copy);
});

test("every variant goes where hosts share a sign-in, and all of them learn of it", async () => {
  const gate = gates.shared;
  const browser = new Browser(gate, { site: "https://shop.acme.example" });
  const cookies = signedIn(await browser.signIn("ann"), "https://shop.acme.example/", "__Secure-edgeward");
  const { pair } = cookies["__Secure-edgeward"];
  const onOther = () => gate.request("https://acme.example/app/x", { headers: { ...NAVIGATION, Cookie: pair } });
  assert.equal((await onOther()).status, 200);
  const out = await browser.post(SIGN_OUT, {});
  isSaid(out, "signed-out");
  const { "__Secure-edgeward": gone } = cookiesOf(out);
  assert.deepEqual([gone.value, gone.attributes.domain, gone.attributes["max-age"]], ["", "acme.example", "0"]);
  assert.equal(out.get("clear-site-data"), '"cache", "storage"');
  assert.equal(browser.jar.size, browser.jar.has("__Secure-edgeward") ? -1 : browser.jar.size);
  assert.equal((await onOther()).status, 401);
  const cleared = await browser.post(CLEAR, {});
  assert.equal(cookiesOf(cleared)["__Secure-edgeward-device"].attributes.domain, "acme.example");
});

test("on plain-http loopback the cookie without a prefix goes", async () => {
  const gate = gates.ledger;
  const browser = new Browser(gate, { site: "http://localhost:8787" });
  signedIn(await browser.signIn("ann"), "http://localhost:8787/", "edgeward");
  const copy = browser.jar.get("edgeward");
  isSaid(await browser.post(SIGN_OUT, {}), "signed-out");
  assert.equal(browser.jar.has("edgeward"), false);
  const again = await gate.request("http://localhost:8787/app/x", { headers: { ...NAVIGATION, Cookie: `edgeward=${copy}` } });
  assert.equal(again.status, 401);
});

test("Basic: a 401 with its challenge, and the page says to close the browser", async () => {
  const headers = basic("ann");
  const browser = new Browser(gates.ledger, { headers });
  isSaid(await browser.open(SIGN_OUT), "sign-out");
  for (const path of [SIGN_OUT, CLEAR]) {
    const out = await browser.post(path, { everywhere: "1" });
    isSaid(out, "signed-out-basic", 401);
    assert.equal(out.get("www-authenticate"), 'Basic realm="Acme staging", charset="UTF-8"');
    isCleared(out);
  }
  const script = await browser.fetch(SIGN_OUT, { method: "POST", headers: { "Content-Type": FORM }, body: "" });
  assert.deepEqual([script.status, script.get("www-authenticate")], [200, undefined], "no prompt opens for a script");
  assert.equal(script.json().signed_out, false);
});

test("where a secret is broken the cookie still goes, and nothing is promised", async () => {
  const { copy } = await somebody(gates.neither);
  const gate = await started({ secrets: secrets({ EDGEWARD_SECRET: "broken" }) });
  try {
    const browser = new Browser(gate);
    browser.jar.set(SESSION, copy);
    const out = await browser.post(SIGN_OUT, {});
    isSaid(out, "signed-out-here");
    isCleared(out);
    assert.equal(browser.jar.has(SESSION), false);
  } finally {
    await gate.stop();
  }
});

test("where to go from there: only to our own addresses", async () => {
  const browser = new Browser(gates.ledger);
  for (const [text, wanted] of [["/app/x?y=1", true], ["//evil.example", false], ["https://evil.example/", false], ["javascript:alert(1)", false]]) {
    const page = (await browser.open(`${SIGN_OUT}?return_to=${encodeURIComponent(text)}`)).text();
    assert.equal(page.includes("evil.example") || page.includes("javascript:"), false, text);
    if (wanted) assert.match(page, /return_to=\/app\/x%3Fy%3D1"/, text);
  }
});

test("a session of an account whose line is gone ends like any other", async () => {
  const line = passwordLine("gone", "gone-pw-10101");
  const gate = await started({ ...watched(), secrets: secrets({ EDGEWARD_USERS: line }) });
  const without = await started({ ...watched(), secrets: secrets() });
  try {
    const first = new Browser(gate);
    signedIn(await first.signIn("gone", { password: "gone-pw-10101" }));
    const browser = new Browser(without, { jar: first.jar });
    await isOut(without, browser.jar.get(SESSION));
    isSaid(await browser.post(SIGN_OUT, {}), "signed-out");
  } finally {
    await gate.stop();
    await without.stop();
  }
});
