// What README.md promises, tried on the built Worker: its recipes let in and keep out whom they say, and the origin's
// code in it verifies what Edgeward sends. That each policy parses is tests/readme.rs's.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { parse } from "smol-toml";
import { PASSWORDS, SECRET, basic, bearer, jwk, jwt, now, passwordLine, secrets } from "./given.mjs";
import { ROOT, SITE, originView, startGate, withGate } from "./harness.mjs";
import { startOrigin } from "./origin.mjs";

const README = readFileSync(join(ROOT, "README.md"), "utf8");
const KEY = Buffer.alloc(32, "a key of the readme");
const OFFICE = { "CF-Connecting-IP": "203.0.113.7" };
const ELSEWHERE = { "CF-Connecting-IP": "198.51.100.7" };

let origin;
before(async () => (origin = await startOrigin()));
after(() => origin?.stop());

/** The text below a heading, up to the next one. */
function section(heading) {
  const [, rest] = README.split(`\n### ${heading}\n`);
  assert.ok(rest, `README has the heading ${heading}`);
  return rest.split(/\n#+ /)[0];
}

const block = (text, language) => new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(text)[1];

/** A gate with the policy of a recipe, before our origin; `kid` names the key that its entry wants. */
function recipe(heading, { kid, ...more } = {}, body) {
  const policy = { origin: origin.url, ...parse(block(section(heading), "toml")).vars.EDGEWARD, ...more };
  const keys = kid ? JSON.stringify({ keys: [jwk(kid, { alg: "HS256", key: KEY })] }) : undefined;
  return withGate({ policy, secrets: secrets({ EDGEWARD_KEYS: keys }) }, async (gate) => {
    const status = async (path, headers = {}, method = "GET") => (await gate.request(path, { headers, method })).status;
    await body({ gate, status });
    assert.doesNotMatch(await gate.printed(), /"problem"/);
  });
}

const token = (kid, claims) => jwt({ kid, key: KEY, alg: "HS256", claims: { iat: now(), ...claims } });

test("an API with JWTs", () =>
  recipe("An API with JWTs", { kid: "login-2026" }, async ({ status }) => {
    const claims = { iss: "https://login.acme.example", aud: "orders-api" };
    const reader = bearer(token("login-2026", { ...claims, scope: "orders:read" }));
    const writer = bearer(token("login-2026", { ...claims, scope: "orders:write" }));
    assert.equal(await status("/api/customers", reader), 200);
    assert.equal(await status("/api/orders/1", reader), 200);
    assert.equal(await status("/api/orders/1", reader, "PUT"), 403);
    assert.equal(await status("/api/orders/1", writer, "PUT"), 200);
    assert.equal(await status("/api/customers", basic("ann")), 401);
    assert.equal(await status("/api/customers", bearer(token("login-2026", { aud: "orders-api" }))), 401, "no iss");
    assert.equal(await status("/api/customers", bearer(token("login-2026", { ...claims, exp: now() + 86_400 }))), 401, "made for too long");
  }));

test("downloads by link", () =>
  recipe("Downloads by link", { kid: "downloads", log: "all" }, async ({ gate, status }) => {
    const good = token("downloads", { aud: "downloads" });
    assert.equal(await status(`/downloads/report.pdf?access_token=${good}&v=2`), 200);
    assert.equal((await origin.last()).url, "/downloads/report.pdf?v=2", "the token is taken off");
    assert.equal(await status("/downloads/report.pdf", { Cookie: `acme_token=${good}` }), 200);
    assert.equal(await status("/downloads/report.pdf"), 401);
    assert.equal(await status("/downloads/report.pdf", bearer(good)), 401, "not in this place");
    const printed = await gate.printed();
    assert.match(printed, /\/downloads\/report\.pdf/);
    assert.ok(!printed.includes(good.slice(-20)));
  }));

test("an intranet by network and password", () =>
  recipe("An intranet by network and password", {}, async ({ status }) => {
    assert.equal(await status("/x", { ...OFFICE, ...basic("bob") }), 200);
    assert.equal(await status("/x", { ...ELSEWHERE, ...basic("bob") }), 403);
    assert.equal(await status("/x", OFFICE), 401);
    assert.equal(await status("/admin/x", { ...OFFICE, ...basic("bob") }), 403, "not in the group");
    assert.equal(await status("/admin/x", { ...OFFICE, ...basic("ann") }), 200);
    assert.equal(await status("/canteen/menu", OFFICE), 200);
    assert.equal(await status("/canteen/menu", ELSEWHERE), 401);
    assert.equal(await status("/canteen/menu", { ...ELSEWHERE, "X-Forwarded-For": "203.0.113.7" }), 401);
  }));

test("public paths and health checks", () =>
  recipe("Public paths and health checks", {}, async ({ status }) => {
    assert.equal(await status("/health"), 200);
    assert.equal(await status("/health", basic("ann"), "POST"), 403);
    assert.equal(await status("/assets/a.css"), 200);
    assert.equal(await status("/assets/internal/a.css"), 401);
    assert.equal(await status("/assets/..%2fadmin"), 400);
    assert.equal(await status("/.git/config", basic("ann")), 403);
    assert.equal(await status("/elsewhere"), 401);
    assert.equal(await status("/launch/"), now() < Date.parse("2026-12-01T09:00:00Z") / 1000 ? 401 : 200);
    assert.equal(await status("/.edgeward/health"), 200);
  }));

test("a single-page app on another origin", () =>
  recipe("A single-page app on another origin (CORS)", { kid: "main", tokens: undefined }, async ({ gate }) => {
    const app = { Origin: "https://app.acme.example", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-site" };
    const preflight = await gate.request("/api/x", { method: "OPTIONS", headers: { ...app, "Access-Control-Request-Method": "PUT" } });
    assert.equal(preflight.status, 204);
    assert.match(preflight.get("access-control-allow-methods"), /PUT/);
    const refused = await gate.request("/api/x", { headers: app });
    assert.equal(refused.status, 401);
    assert.equal(refused.json().cause, "credentials-missing");
    assert.equal(refused.get("access-control-allow-origin"), "https://app.acme.example");
    assert.match(refused.get("access-control-expose-headers"), /WWW-Authenticate/);
    assert.doesNotMatch(refused.get("www-authenticate"), /(^|, )Basic /);
    const foreign = await gate.request("/api/x", { headers: { ...app, Origin: "https://evil.example" } });
    assert.equal(foreign.get("access-control-allow-origin"), undefined);
  }));

test("your own page", () =>
  recipe("Your own page", {}, async ({ gate }) => {
    const page = async (language) => (await gate.request("/x", { headers: { Accept: "text/html", "Accept-Language": language } })).text();
    assert.match(await page("en"), /Maintenance on Sunday, 2–3 am/);
    for (const part of ["mailto:help@acme.example", "https://acme.example/reset", "/.edgeward/brand/logo.svg"]) {
      assert.ok((await page("en")).includes(part), part);
    }
  }));

test("report mode", () =>
  recipe("See first, enforce later: report mode", {}, async ({ gate, status }) => {
    assert.equal(await status("/legacy/x"), 200);
    assert.equal(await status("/x"), 401);
    assert.match(await gate.printed(), /\{"edgeward":"reported","cause":"credentials-missing"/);
  }));

test("closing a staging site: the policy of the first step", async () => {
  const first = block(README.split("\n## Close a staging site tonight\n")[1], "toml");
  const { vars, routes, secrets: listed } = parse(first);
  assert.deepEqual(listed.required, ["EDGEWARD_SECRET", "EDGEWARD_USERS"]);
  assert.equal(routes[0].pattern, "staging.acme.example/*");
  const given = secrets({ EDGEWARD_KEYS: undefined, EDGEWARD_USERS: passwordLine("ann", PASSWORDS.ann) });
  await withGate({ policy: { ...vars.EDGEWARD, origin: origin.url }, secrets: given }, async (gate) => {
    assert.equal((await gate.request("/")).get("www-authenticate"), 'Basic realm="Acme staging", charset="UTF-8"');
    assert.equal((await gate.request("/", { headers: basic("ann") })).status, 200);
  });
});

/** The code of the README as a module of its own, with our hosts in place of its examples. */
async function originCode(t, keys) {
  const folder = mkdtempSync(join(ROOT, "node_modules", ".readme-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const code = block(section("The origin verifies who passed"), "js");
  const swaps = [
    ["https://staging.acme.example", SITE],
    ["https://origin.acme.example", origin.url],
    [`"edgeward-keys.json"`, JSON.stringify(join(folder, "keys.json"))],
  ];
  const adapted = swaps.reduce((text, [from, to]) => {
    assert.equal(text.split(from).length, 2, from);
    return text.replace(from, to);
  }, code);
  writeFileSync(join(folder, "keys.json"), keys);
  writeFileSync(join(folder, "edgeward.mjs"), adapted);
  return import(pathToFileURL(join(folder, "edgeward.mjs")));
}

/** `edgeward key assertion`, as the README says it. */
function assertionKeys() {
  const args = ["run", "--quiet", "--bin", "edgeward", "--", "key", "assertion", "--origin", origin.url, "--secrets", "-"];
  const run = spawnSync("cargo", args, { cwd: ROOT, input: `EDGEWARD_SECRET='${SECRET}'\n`, encoding: "utf8" });
  assert.equal(run.status, 0, run.stderr);
  return run.stdout;
}

test("the origin's code verifies who passed, and nothing else", { timeout: 300_000 }, async (t) => {
  const { whoIs } = await originCode(t, assertionKeys());
  const gate = await startGate({ policy: { origin: origin.url, rules: [{ path: "/public/*", access: "public" }] }, secrets: secrets() });
  t.after(() => gate.stop());
  /** A request as Node's http shows it to the origin. */
  const seen = async (path, more) => {
    const { method, url, get } = originView((await gate.request(path, more)).origin());
    return { method, url, headers: { "x-edgeward-assertion": get("x-edgeward-assertion") } };
  };
  const request = await seen("/orders/7%2f8?x=1", { method: "POST", headers: basic("ann") });
  assert.equal(await whoIs(request), "ann");
  assert.equal(await whoIs(await seen("/orders", { headers: bearer(jwt({ claims: { sub: "jo" } })) })), "token:jo");
  assert.equal(await whoIs(await seen("/public/x", {})), undefined);
  await assert.rejects(whoIs({ ...request, method: "GET" }), /another request/);
  await assert.rejects(whoIs({ ...request, url: "/orders/9" }), /another request/);
  await assert.rejects(whoIs({ ...request, headers: {} }), "none at all");
  const forged = jwt({ key: KEY, alg: "HS256", header: { typ: "edgeward-assertion+jwt" }, claims: { iss: SITE, aud: origin.url } });
  await assert.rejects(whoIs({ ...request, headers: { "x-edgeward-assertion": forged } }), /no key of ours/);
  const { kid } = JSON.parse(Buffer.from(request.headers["x-edgeward-assertion"].split(".")[0], "base64url"));
  const byKid = jwt({ kid, key: KEY, alg: "HS256", header: { typ: "edgeward-assertion+jwt" }, claims: { iss: SITE, aud: origin.url } });
  await assert.rejects(whoIs({ ...request, headers: { "x-edgeward-assertion": byKid } }), /signature/);
});
