// What README.md promises, tried on the built Worker: its recipes let in and keep out whom they say, and the origin's
// code in it verifies what Edgeward sends. That each policy parses is tests/readme.rs's.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { parse } from "smol-toml";
import { DIALECTS, oneBit, withMac } from "./dialects.mjs";
import { PASSWORDS, SECRET, basic, bearer, jwk, jwt, now, passwordLine, secrets } from "./given.mjs";
import { ROOT, SITE, originView, startGate, withGate } from "./harness.mjs";
import { startOrigin } from "./origin.mjs";
import { Browser, SESSION, SIGN_IN, pageOf, signedIn } from "./people.mjs";
import { signers } from "./signers.mjs";
import { code } from "./totp.mjs";

const README = readFileSync(join(ROOT, "README.md"), "utf8");
const KEY = Buffer.alloc(32, "a key of the readme");
const OFFICE = { "CF-Connecting-IP": "203.0.113.7" };
const ELSEWHERE = { "CF-Connecting-IP": "198.51.100.7" };

let origin;
before(async () => (origin = await startOrigin()));
after(() => origin?.stop());

/** The text below a heading, up to the next one of its rank or above. */
function section(heading) {
  const [, rest] = README.split(`\n### ${heading}\n`);
  assert.ok(rest, `README has the heading ${heading}`);
  return rest.split(/\n##+ /)[0];
}

const blocks = (text, language) => [...text.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, "g"))].map(([, block]) => block);
const block = (text, language) => blocks(text, language)[0];

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

test("a sign-in page instead of the browser's prompt", () =>
  recipe("A sign-in page instead of the browser's prompt", {}, async ({ gate, status }) => {
    const ann = new Browser(gate);
    const page = await ann.open("/reports?year=2026");
    assert.equal(page.status, 401);
    assert.deepEqual(page.all("www-authenticate").filter((it) => it.startsWith("Basic")), []);
    const { inputs } = pageOf(page);
    assert.deepEqual([inputs.return_to, "remember" in inputs], ["/reports?year=2026", true]);
    const back = `${inputs.return_to}#chapter-2`;
    const cookies = signedIn(await ann.signIn("ann", { return_to: back, remember: "1" }), `${SITE}${back}`);
    assert.equal(cookies[SESSION].attributes["max-age"], String(14 * 86_400));
    assert.equal((await ann.open("/reports?year=2026")).status, 200);
    assert.equal(pageOf(await new Browser(gate).open("/feeds/a")).cause, "credentials-missing");
    assert.equal(await status("/feeds/a", basic("ann")), 200, "curl -u");
    assert.equal(await status("/reports", basic("ann")), 401);
    const script = await new Browser(gate).fetch("/api/orders");
    assert.deepEqual([script.status, script.get("location")], [401, undefined]);
    assert.equal(script.json().sign_in, `${SITE}/.edgeward/sign-in?return_to=/api/orders`);
    assert.deepEqual(await led(gate, "/orders", "?open=1", "#x"), ["/.edgeward/sign-in?return_to=%2Forders%3Fopen%3D1%23x"]);
  }));

/** Where the recipe's script sends the browser that runs it on a page. */
async function led(gate, pathname, search, hash) {
  const went = [];
  const code = block(section("A sign-in page instead of the browser's prompt"), "js");
  const location = { pathname, search, hash, assign: (url) => went.push(url) };
  const fetchHere = async (path, init) => {
    const response = await new Browser(gate).fetch(path, init);
    return { status: response.status, json: async () => response.json() };
  };
  await new Function("fetch", "location", `return (async () => {${code}})();`)(fetchHere, location);
  return went;
}

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

/** The command `edgeward`, built once. */
let built;
function edgeward() {
  if (built) return built;
  const args = ["build", "--quiet", "--bin", "edgeward", "--message-format=json"];
  const run = spawnSync("cargo", args, { cwd: ROOT, encoding: "utf8", maxBuffer: 1 << 26 });
  assert.equal(run.status, 0, run.stderr);
  const messages = run.stdout.trim().split("\n").map((line) => JSON.parse(line));
  return (built = messages.find(({ executable }) => executable?.includes("edgeward")).executable);
}

/** A folder of somebody's who reads the README, with `wrangler.toml` and a secret; commands run there as they are written. */
function desk(t, policy) {
  const folder = mkdtempSync(join(tmpdir(), "edgeward-readme-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = (name) => join(folder, name);
  writeFileSync(file("wrangler.toml"), `name = "edgeward"\n${policy}`);
  for (const name of [".dev.vars", ".dev.vars.production"]) writeFileSync(file(name), `EDGEWARD_SECRET='${SECRET}'\n`);
  const { PATH, HOME } = process.env;
  return {
    write: (name, text) => writeFileSync(file(name), text),
    read: (name) => readFileSync(file(name), "utf8"),
    /** Runs lines of shell; `input` is what is typed, or comes in from before. */
    type: (lines, input = "") => {
      const script = `set -e\nedgeward() { "$EDGEWARD_COMMAND" "$@"; }\n${lines}`;
      const env = { PATH, HOME, EDGEWARD_COMMAND: edgeward() };
      return spawnSync("sh", ["-c", script], { cwd: folder, input, env, encoding: "utf8" });
    },
  };
}

/** The value of a variable in a file of secrets. */
const variable = (text, name) => new RegExp(`^${name}='(.*)'$`, "m").exec(text)[1];

// What each vendor's customer has: the key as they see it, and its octets; a path of the recipe, and what else is signed.
const MOVES = [
  {
    heading: "Moving from Akamai",
    format: "akamai",
    key: "52a152a152a152a152a152a152a1c0ffee52a152a152a152a152a152a152a1aa",
    encoding: "hex",
    path: "/video/film/1.ts?quality=hd",
    says: { parameter: "hdnts" },
  },
  {
    heading: "Moving from Cloudflare WAF tokens",
    format: "cloudflare",
    key: "the secret of a WAF rule, as text",
    path: "/downloads/report.pdf?version=2",
    says: { ttl: 10_800 },
  },
  {
    heading: "Moving from Bunny",
    format: "bunny",
    key: "0f8fad5b-d9cb-469f-a165-70867728950e",
    path: "/vod/film.mp4",
    says: {},
  },
  {
    heading: "Moving from Laravel",
    format: "laravel",
    key: `base64:${Buffer.alloc(32, "an APP_KEY ").toString("base64")}`,
    path: "/invitations/7?guest=ann",
    says: {},
  },
];

for (const { heading, format, key, encoding = "utf8", path, says } of MOVES) {
  test(`${heading}: a link that was signed there is let in, one bit changed is not`, { timeout: 300_000 }, async (t) => {
    const text = section(heading);
    const policy = block(text, "toml");
    const [bring, check] = blocks(text, "sh");
    const here = desk(t, policy);
    const brought = here.type(bring, `${key}\n`);
    assert.equal(brought.status, 0, brought.stderr);
    assert.ok(!(brought.stdout + brought.stderr).includes(key), "the key is not shown");

    const sign = (given = {}) =>
      signers[format]({ url: SITE + path, key: Buffer.from(key, encoding), expires: now() + 600, ...says, ...given });
    const good = sign();
    const changed = withMac(DIALECTS[format], good, oneBit);
    here.write("link.txt", `${good}\n`);
    const told = here.type(check);
    assert.equal(told.status, 0, told.stdout + told.stderr);
    assert.match(told.stdout, new RegExp(`^Format +${format} [^]*\nVerdict +let in `));
    here.write("link.txt", `${changed}\n`);
    assert.equal(here.type(check).status, 1);

    const production = here.read(".dev.vars.production");
    const given = {
      EDGEWARD_SECRET: variable(production, "EDGEWARD_SECRET"),
      EDGEWARD_KEYS: variable(production, "EDGEWARD_KEYS"),
    };
    await withGate({ policy: { origin: origin.url, ...parse(policy).vars.EDGEWARD }, secrets: given }, async (gate) => {
      const cause = async (url) => (await gate.request(url, { headers: { Accept: "application/json" } })).json().cause;
      assert.equal((await gate.request(good)).status, 200);
      assert.equal((await origin.last()).url, path, "the token is taken off");
      assert.equal(await cause(changed), "token-bad-signature");
      assert.equal(await cause(sign({ expires: now() - 10 })), "token-expired");
      assert.equal(await cause(SITE + path), "credentials-missing");
      assert.doesNotMatch(await gate.printed(), /"problem"/);
    });
  });
}

test("share a link: what the commands make is good for what they say", { timeout: 300_000 }, async (t) => {
  const text = section("Share a link");
  const policy = block(text, "toml");
  const here = desk(t, policy);
  const commands = block(text, "sh").trim().split("\n");
  const [exact, below, later, counted] = commands.map((command) => here.type(command));
  const link = ({ status, stdout, stderr }) => {
    assert.equal(status, 0, stderr);
    return stdout.trim();
  };
  assert.match(below.stderr, /^It grants GET \(and HEAD\) of every path of acme\.example that begins with \/album\/, to ann\.\n/);
  const given = secrets({ EDGEWARD_KEYS: undefined, EDGEWARD_USERS: undefined });
  await withGate({ policy: { origin: origin.url, ...parse(policy).vars.EDGEWARD }, secrets: given }, async (gate) => {
    const ask = async (url, headers) => {
      const response = await gate.request(url, { headers: { Accept: "application/json", ...headers } });
      return response.status === 200 ? 200 : response.json().cause;
    };
    assert.equal(await ask(link(exact)), 200);
    assert.equal((await origin.last()).url, "/report.pdf");
    assert.equal(await ask(link(exact).replace("report", "other")), "token-wrong-scope");
    assert.equal(await ask(`${link(exact)}&utm_source=mail`), "token-wrong-scope");
    assert.equal(await ask(link(below).replace("index.html", "2.jpg")), 200);
    const opened = await gate.request(link(below), { headers: { "Sec-Fetch-Mode": "navigate" } });
    assert.deepEqual([opened.status, opened.get("location")], [303, `${SITE}/album/index.html`]);
    const cookie = { Cookie: opened.get("set-cookie").split(";")[0] };
    assert.match(cookie.Cookie, /^__Host-edgeward-link=/);
    assert.equal(await ask(`${SITE}/album/3.jpg`, cookie), 200);
    assert.equal(await ask(`${SITE}/report.pdf`, cookie), "token-wrong-scope");
    if (now() < Date.parse("2026-12-01T08:59:00Z") / 1000) assert.equal(await ask(link(later)), "token-not-yet-valid");
    assert.equal(await ask(link(counted), OFFICE), "not-configured", "there is no ledger");
    assert.equal(await ask(link(counted), ELSEWHERE), "token-wrong-scope");
  });
});

test("API keys: the one that is made opens what its line says", { timeout: 300_000 }, async (t) => {
  const text = section("API keys");
  const policy = block(text, "toml");
  const here = desk(t, policy);
  const [make, , check] = blocks(text, "sh");
  const made = here.type(make);
  assert.equal(made.status, 0, made.stderr);
  const [key] = /\bew_[0-9A-Za-z]{49}\b/.exec(made.stderr);
  const lines = here.read("api-keys.txt");
  assert.ok(!lines.includes(key));
  const checked = here.type(check.replace("pbpaste | ", ""), key);
  assert.equal(checked.status, 0, checked.stderr);
  assert.equal(checked.stdout, blocks(text, "text")[1]);

  const given = secrets({ EDGEWARD_KEYS: undefined, EDGEWARD_API_KEYS: lines });
  await withGate({ policy: { origin: origin.url, ...parse(policy).vars.EDGEWARD }, secrets: given }, async (gate) => {
    const ask = (path, headers) => gate.request(path, { headers });
    const seen = (await ask("/api/files", { "X-Acme-Key": key })).origin();
    assert.deepEqual([seen.get("x-edgeward-user"), seen.get("x-acme-key")], ["key:ci", undefined]);
    assert.equal((await ask("/deploy/now", { "X-Acme-Key": key })).status, 200);
    assert.equal((await ask("/deploy/now", basic("ann"))).status, 401);
    assert.equal((await ask("/api/files", { "X-API-Key": key })).status, 401, "not in that field");
    const mistyped = await ask("/api/files", { "X-Acme-Key": oneBit(key) });
    assert.match(mistyped.text(), /typing error/);
  });
});

test("a second factor: what the command shows signs in, and the password alone does not", { timeout: 300_000 }, async (t) => {
  const text = section("A second factor");
  const policy = block(text, "toml");
  const here = desk(t, policy);
  const [enroll] = block(text, "sh").split("\n");
  const made = here.type(enroll);
  assert.equal(made.status, 0, made.stderr);
  const shown = new URL(/^otpauth:.*$/m.exec(made.stderr)[0]).searchParams;
  const [recovery] = /\b[0-9A-HJKMNP-TV-Z]{5}-[0-9A-HJKMNP-TV-Z]{5}\b/.exec(made.stderr);
  const bits = [...shown.get("secret")].map((it) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(it).toString(2).padStart(5, "0")).join("");
  const secret = Buffer.from(bits.match(/.{8}/g).map((it) => Number.parseInt(it, 2)));

  const given = secrets({ EDGEWARD_TOTP: here.read("totp.txt") });
  const options = { durableObjects: { EDGEWARD_LEDGER: { className: "Ledger", useSQLite: true } } };
  await withGate({ policy: { origin: origin.url, ...parse(policy).vars.EDGEWARD }, secrets: given, options }, async (gate) => {
    const refused = async (path, headers) => (await gate.request(path, { headers: { Accept: "application/problem+json", ...headers } })).json().cause;
    assert.equal(await refused("/", basic("ann")), "second-factor-required");
    assert.equal((await gate.request("/", { headers: basic("bob") })).status, 200);
    for (const fields of [{ code: code({ secret }) }, { recovery }]) {
      const ann = new Browser(gate);
      signedIn(await ann.signIn("ann", { return_to: "/payroll/may" }), `${SITE}/payroll/may`);
      assert.equal(pageOf(await ann.open("/payroll/may")).cause, "second-factor-required");
      signedIn(await ann.post(SIGN_IN, { ...fields, return_to: "/payroll/may" }), `${SITE}/payroll/may`);
      assert.equal((await ann.open("/payroll/may")).status, 200);
    }
    const bob = new Browser(gate);
    signedIn(await bob.signIn("bob"));
    assert.equal(pageOf(await bob.open("/payroll/may")).cause, "second-factor-required");
  });
});

test("fresh tokens for programs: a key becomes a token, which opens what the key does", { timeout: 300_000 }, async (t) => {
  const policy = block(section("Fresh tokens for programs"), "toml");
  const here = desk(t, policy);
  const made = here.type("edgeward api-key ci --scopes deploy,files:read");
  const [key] = /\bew_[0-9A-Za-z]{49}\b/.exec(made.stderr);
  const given = secrets({ EDGEWARD_KEYS: undefined, EDGEWARD_API_KEYS: made.stdout });
  await withGate({ policy: { origin: origin.url, ...parse(policy).vars.EDGEWARD }, secrets: given }, async (gate) => {
    const post = (body) =>
      gate.request("/.edgeward/token", {
        method: "POST",
        headers: { "X-API-Key": key, "Content-Type": "application/x-www-form-urlencoded" },
        body,
      });
    const { access_token: fresh, ...rest } = (await post()).json();
    assert.deepEqual(rest, { token_type: "Bearer", expires_in: 900, scope: "deploy files:read" });
    const response = await gate.request("/api/files", { headers: bearer(fresh) });
    assert.equal(response.origin().get("x-edgeward-user"), "key:ci");
    const narrow = (await post("scope=deploy")).json();
    assert.equal(narrow.scope, "deploy");
    assert.equal((await gate.request("/api/files", { headers: bearer(narrow.access_token) })).status, 403);
    assert.equal((await post("scope=admin")).status, 403);
    assert.equal((await gate.request("/api/files", { headers: { "X-API-Key": key } })).status, 401, "the rule takes tokens alone");
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
