// Hosts of one parent: session.domain. One cookie for all of them, and for nobody else. Attacks 9, 17, 18.
import assert from "node:assert/strict";
import { test } from "node:test";
import { eachRow, shared } from "./expect.mjs";
import { PASSWORDS, USERS, now } from "./given.mjs";
import { cookiesOf, pageOf } from "./people.mjs";
import { session } from "./sessions.mjs";
import { Traveller } from "./traveller.mjs";
import { NAVIGATION } from "./visitor.mjs";

const PARENT = "https://acme.example";
const APP = "https://app.acme.example";
const WIKI = "https://wiki.acme.example";
const STRANGER = "https://evilacme.example";
const SHARED = "__Secure-edgeward";
const OWN = "__Host-edgeward";
const LINE = USERS.split("\n").find((line) => line.startsWith("ann:"));
const world = shared(() => ({
  policy: {
    tokens: [{ format: "jwt", keys: ["main"] }],
    session: { domain: "acme.example", hosts: [APP, WIKI], idle: "30m" },
    rules: [{ path: "/app/*", accept: ["session"] }],
  },
  options: { durableObjects: { EDGEWARD_LEDGER: { className: "Ledger", useSQLite: true } } },
}));

const signIn = (browser, host, fields = {}, more = {}) =>
  browser.send(`${host}/.edgeward/sign-in`, { username: "ann", password: PASSWORDS.ann, ...fields }, more);

test("signed in on one host, in on all of the parent, and on no other", async () => {
  const browser = new Traveller(world.gate);
  const { response } = await signIn(browser, APP, { return_to: "/app/a" }, { follow: false });
  const cookies = cookiesOf(response);
  assert.deepEqual(cookies[SHARED].attributes, { path: "/", secure: true, httponly: true, samesite: "Lax", domain: "acme.example" });
  assert.equal(cookies[OWN], undefined);
  for (const host of [APP, WIKI, PARENT, "https://deep.app.acme.example"]) {
    const page = await browser.go(`${host}/app/a`);
    assert.equal(page.response.status, 200, host);
    const seen = page.response.origin();
    assert.equal(seen.get("x-edgeward-user"), "ann");
    assert.doesNotMatch(seen.get("cookie") ?? "", /edgeward/);
  }
  // The very value, moved elsewhere by hand.
  const value = cookies[SHARED].value;
  for (const [host, name] of [[STRANGER, SHARED], [STRANGER, OWN], ["https://acme.example.evil", OWN], [APP, OWN]]) {
    const response = await world.gate.request(`${host}/app/a`, { headers: { ...NAVIGATION, Cookie: `${name}=${value}` } });
    assert.equal(response.status, 401, `${host} ${name}`);
  }
});

test("what a session is sealed for is what it opens", async (t) => {
  const of = (host) => session(LINE, { host });
  await eachRow(t, [
    ["of the parent", APP, SHARED, ".acme.example", 200],
    ["of the host that has the parent's name", PARENT, SHARED, "acme.example", 401],
    ["of this host alone", APP, SHARED, "app.acme.example", 401],
    ["of this host alone, by the name of such", APP, OWN, "app.acme.example", 401],
    ["of another host", STRANGER, OWN, "evilacme.example", 200],
    ["of the parent, on another", STRANGER, OWN, ".acme.example", 401],
  ], async (host, name, bound, status) => {
    const response = await world.gate.request(`${host}/app/a`, { headers: { ...NAVIGATION, Cookie: `${name}=${of(bound)}` } });
    assert.equal(response.status, status);
  });
});

test("renewed, it is still the parent's", async () => {
  const began = now() - 300;
  const value = session(LINE, { host: ".acme.example", began });
  const response = await world.gate.request(`${WIKI}/app/a`, { headers: { ...NAVIGATION, Cookie: `${SHARED}=${value}` } });
  assert.equal(response.status, 200);
  const renewed = cookiesOf(response)[SHARED];
  assert.equal(renewed.attributes.domain, "acme.example");
  assert.notEqual(renewed.value, value);
  const host = await world.gate.request(`${STRANGER}/app/a`, { headers: { ...NAVIGATION, Cookie: `${OWN}=${session(LINE, { host: "evilacme.example", began })}` } });
  assert.equal(cookiesOf(host)[OWN].attributes.domain, undefined);
});

test("signing out on one host signs out on all, and takes the cookie away in every variant", async () => {
  const browser = new Traveller(world.gate);
  await signIn(browser, APP);
  const copy = [...browser.cookies];
  const { response } = await browser.send(`${WIKI}/.edgeward/sign-out`, {});
  const gone = response.all("set-cookie").filter((line) => /edgeward=;/.test(line));
  assert.ok(gone.some((line) => line.startsWith(`${SHARED}=;`) && /Domain=acme\.example/.test(line) && /Max-Age=0/.test(line)), gone.join("\n"));
  assert.ok(gone.some((line) => line.startsWith(`${OWN}=;`)));
  assert.ok(!browser.jar("app.acme.example").has(SHARED));
  const stolen = Object.assign(new Traveller(world.gate), { cookies: copy });
  assert.equal(pageOf((await stolen.go(`${APP}/app/a`)).response).cause, "session-revoked");
});

test("return addresses: hosts of the policy, and no other host of the parent (attack 9)", async (t) => {
  await eachRow(t, [
    ["a host of the policy", `${WIKI}/app/x?y`, `${WIKI}/app/x?y`],
    ["another host of the parent", "https://customer.acme.example/", `${APP}/`],
    ["the parent's name in front", "https://acme.example.evil/", `${APP}/`],
    ["in clear", "http://wiki.acme.example/", `${APP}/`],
    ["another port", "https://wiki.acme.example:8443/", `${APP}/`],
    ["user name", "https://wiki.acme.example@evil.example/", `${APP}/`],
  ], async (address, wanted) => {
    const { response } = await signIn(new Traveller(world.gate), APP, { return_to: address }, { follow: false });
    assert.equal(response.get("location"), wanted);
  });
  const arrived = await new Traveller(world.gate).go(`${APP}/.edgeward/sign-in?return_to=${encodeURIComponent(`${WIKI}/app/x`)}`);
  assert.match(arrived.response.get("content-security-policy"), /form-action 'self' https:\/\/wiki\.acme\.example;/);
});

test("two of the parent's cookie: a neighbour set one, and neither counts (attack 16)", async () => {
  const value = session(LINE, { host: ".acme.example" });
  const headers = { ...NAVIGATION, Cookie: `${SHARED}=${value}; ${SHARED}=${value}` };
  assert.equal((await world.gate.request(`${APP}/app/a`, { headers })).status, 400);
});

test("in clear on loopback: the cookie of the parent, without prefix", async () => {
  const { withGate } = await import("./harness.mjs");
  const { secrets } = await import("./given.mjs");
  const policy = { origin: world.origin.url, session: { domain: "acme.localhost" }, tokens: [{ format: "jwt", keys: ["main"] }], rules: [{ path: "/app/*", accept: ["session"] }] };
  await withGate({ policy, secrets: secrets() }, async (gate) => {
    const browser = new Traveller(gate);
    const { response } = await signIn(browser, "http://a.acme.localhost:8787", { return_to: "/app/a" }, { follow: false });
    const cookie = cookiesOf(response).edgeward;
    assert.deepEqual(cookie.attributes, { path: "/", httponly: true, samesite: "Lax", domain: "acme.localhost" });
    assert.equal((await browser.go("http://b.acme.localhost:8787/app/b")).response.status, 200);
    const out = await browser.send("http://b.acme.localhost:8787/.edgeward/sign-out", {});
    assert.ok(!browser.jar("a.acme.localhost").has("edgeward"), out.response.all("set-cookie").join("\n"));
  });
});
