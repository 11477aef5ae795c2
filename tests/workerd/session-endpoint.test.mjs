// /.edgeward/session: how long a sign-in is good, and more of it; and the script that asks there.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { basic, bearer, jwt, now, policy, secrets } from "./given.mjs";
import { ROOT, startGate } from "./harness.mjs";
import { startOrigin } from "./origin.mjs";
import { Browser, RULES, SESSION, SITE, cookiesOf, pageOf, signedIn } from "./people.mjs";

const PATH = "/.edgeward/session";
const SCRIPT = "/.edgeward/session.js";
const LOCALES = join(ROOT, "www/.edgeward/locales");
const gates = {};
let origin;

const started = (session, more = {}) =>
  startGate({ policy: policy(origin, { rules: RULES, session }), secrets: secrets(), ...more });

/** `www/` as the platform serves it. */
const asset = (request) => {
  const { pathname } = new URL(request.url);
  try {
    return new Response(readFileSync(join(ROOT, "www", pathname)));
  } catch {
    return new Response("", { status: 404 });
  }
};

before(async () => {
  origin = await startOrigin();
  gates.long = await started({}, { options: { serviceBindings: { ASSETS: asset } } });
  gates.short = await started({ idle: "4s", absolute: "9s", remember: "0" });
  gates.none = await startGate({ policy: policy(origin), secrets: secrets() });
});

after(async () => {
  await Promise.all(Object.values(gates).map((gate) => gate.stop()));
  await origin?.stop();
});

async function somebody(gate, user = "ann", fields = {}) {
  const browser = new Browser(gate);
  signedIn(await browser.signIn(user, fields));
  return browser;
}

const sleep = (millis) => new Promise((done) => setTimeout(done, millis));
const near = (found, wanted) => assert.ok(Math.abs(found - wanted) <= 3, `${found} is not about ${wanted}`);

test("it says as whom, for how long, and whether there can be more", async () => {
  const browser = await somebody(gates.long);
  const answer = await browser.fetch(PATH);
  assert.equal(answer.status, 200);
  assert.equal(answer.get("content-type"), "application/json");
  assert.equal(answer.get("cache-control"), "no-store");
  const { user, expires_in, idle_in, can_extend, ...more } = answer.json();
  assert.deepEqual([user, can_extend, more], ["ann", true, {}]);
  near(expires_in, 12 * 3600);
  near(idle_in, 30 * 60);
  const kept = (await (await somebody(gates.long, "ann", { remember: "1" })).fetch(PATH)).json();
  near(kept.expires_in, 30 * 86_400);
  near(kept.idle_in, 7 * 86_400);
  const head = await browser.fetch(PATH, { method: "HEAD" });
  assert.deepEqual([head.status, head.content.length], [200, 0]);
});

test("asking is no use of it, extending is", async () => {
  const browser = await somebody(gates.short);
  await sleep(2100);
  const asked = await browser.fetch(PATH);
  assert.deepEqual(asked.all("set-cookie"), []);
  assert.ok(asked.json().idle_in <= 2, asked.text());
  const extended = await browser.fetch(PATH, { method: "POST" });
  assert.equal(extended.status, 200);
  const { [SESSION]: cookie } = cookiesOf(extended);
  assert.deepEqual([cookie.attributes.path, cookie.attributes.samesite, cookie.attributes.httponly], ["/", "Lax", true]);
  assert.ok(extended.json().idle_in >= 3, extended.text());
  await sleep(2500);
  assert.equal((await browser.fetch(PATH)).status, 200, "without it, it would have ended");
  await sleep(1700);
  const over = await browser.fetch(PATH);
  assert.deepEqual([over.status, over.json().cause], [401, "session-idle"]);
});

test("never beyond the end it was born with", async () => {
  const browser = await somebody(gates.short);
  const seen = [];
  for (let i = 0; i < 3; i += 1) {
    await sleep(2000);
    seen.push((await browser.fetch(PATH, { method: "POST" })).json());
  }
  assert.deepEqual(seen.map(({ can_extend }) => can_extend), [true, true, false]);
  assert.ok(seen.at(-1).expires_in <= 3 && seen.every(({ idle_in }) => idle_in <= 4), JSON.stringify(seen));
  await sleep(3200);
  const over = await browser.fetch(PATH, { method: "POST" });
  assert.deepEqual([over.status, over.json().cause, over.all("set-cookie").length <= 3], [401, "session-expired", true]);
});

test("without a session: 401 problem+json that says where to sign in", async () => {
  for (const method of ["GET", "POST"]) {
    const answer = await new Browser(gates.long).fetch(PATH, { method });
    assert.equal(answer.status, 401);
    assert.equal(answer.get("content-type"), "application/problem+json");
    assert.match(answer.get("www-authenticate"), /^Session realm="[^"]*", sign-in="\/\.edgeward\/sign-in"$/);
    assert.equal(answer.json().cause, "credentials-missing");
  }
  for (const headers of [basic("ann"), bearer(jwt({ sub: "ann", exp: now() + 60 }))]) {
    const browser = new Browser(gates.long, { headers });
    assert.equal((await browser.fetch(PATH)).status, 401, "it is about sessions alone");
  }
  const broken = new Browser(gates.long);
  broken.jar.set(SESSION, "broken");
  assert.equal((await broken.fetch(PATH)).json().cause, "session-invalid");
});

test("only our own pages extend", async () => {
  const browser = await somebody(gates.long);
  for (const headers of [
    { "Sec-Fetch-Site": "cross-site" },
    { "Sec-Fetch-Site": "same-site" },
    { "Sec-Fetch-Site": "none" },
    { "Sec-Fetch-Site": undefined, Origin: "null" },
    { "Sec-Fetch-Site": undefined, Origin: undefined },
    { "Sec-Fetch-Site": undefined, Origin: "https://evil.example" },
  ]) {
    const answer = await browser.fetch(PATH, { method: "POST", headers });
    assert.deepEqual([answer.status, answer.json().cause, answer.all("set-cookie").length], [403, "cross-site", 0], JSON.stringify(headers));
    const nobody = await new Browser(gates.long).fetch(PATH, { method: "POST", headers });
    assert.equal(nobody.status, 403, "whoever it is");
  }
  const old = await browser.fetch(PATH, { method: "POST", headers: { "Sec-Fetch-Site": undefined } });
  assert.equal(old.status, 200, "a browser without Sec-Fetch-Site");
});

test("methods, and nothing of it where nobody can sign in", async () => {
  const browser = await somebody(gates.long);
  for (const [path, method, allow] of [[PATH, "DELETE", "GET, HEAD, POST"], [PATH, "PUT", "GET, HEAD, POST"], [SCRIPT, "POST", "GET, HEAD"]]) {
    const answer = await browser.fetch(path, { method });
    assert.deepEqual([answer.status, answer.get("allow")], [405, allow], `${method} ${path}`);
  }
  for (const path of [PATH, SCRIPT]) {
    assert.equal((await new Browser(gates.none).fetch(path)).status, 404);
  }
});

test("whoami knows a session", async () => {
  const browser = await somebody(gates.long);
  const { authenticated, kind, user, groups, expires } = (await browser.fetch("/.edgeward/whoami")).json();
  assert.deepEqual([authenticated, kind, user, groups], [true, "session", "ann", ["staff", "admins"]]);
  near(expires, now() + 12 * 3600);
});

test("the page of somebody without a session is the page to sign in", async () => {
  const page = pageOf(await new Browser(gates.long).open(PATH));
  assert.deepEqual([page.status, page.cause], [401, "credentials-missing"]);
});

test("the script is small, whole in every language, and has its fields", async () => {
  const languages = readdirSync(LOCALES).filter((name) => name.endsWith(".json")).map((name) => name.slice(0, -5));
  assert.ok(languages.length > 1);
  for (const language of languages) {
    const answer = await gates.long.request(SITE + SCRIPT, { headers: { "Accept-Language": language } });
    assert.equal(answer.status, 200);
    assert.match(answer.get("content-type"), /^text\/javascript; charset=utf-8$/);
    assert.deepEqual([answer.get("cache-control"), answer.get("x-content-type-options")], ["no-store", "nosniff"]);
    assert.ok(answer.content.length < 3072, `${language}: ${answer.content.length}`);
    const { session, language: { tag }, time } = JSON.parse(readFileSync(join(LOCALES, `${language}.json`), "utf8"));
    const text = answer.text();
    const words = [tag, session.title, session.text, session.stay, session.leave, session.ended, session.again];
    for (const word of [...words, ...Object.values(time.span.seconds)]) {
      assert.ok(text.includes(JSON.stringify(word)), `${language}: ${word}`);
    }
    assert.doesNotMatch(text, /WORDS/);
    new Function(text); // it parses
  }
  const head = await gates.long.request(SITE + SCRIPT, { method: "HEAD" });
  assert.deepEqual([head.status, head.content.length], [200, 0]);
});
