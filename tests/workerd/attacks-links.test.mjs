// Links, the cookie that stands for them and tokens of ours, as somebody would use them who holds a good one and wants
// more: another method, another address, another record, another place, another port.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { eachRow, shared } from "./expect.mjs";
import { SECRET_BYTES, base64url, bearer, jwk, now } from "./given.mjs";
import { HOST, SITE, withGate } from "./harness.mjs";
import { startOrigin } from "./origin.mjs";
import { apiKey, apiKeyLine } from "./programs.mjs";
import { signers } from "./signers.mjs";
import { NAVIGATION, cookieOf, exchanged } from "./visitor.mjs";

const octets = (text, length = 32) => Buffer.from(text.repeat(9).slice(0, length));
const HOME = { "CF-Connecting-IP": "203.0.113.9" };

/** Patterns of nginx that sign more than the path, each below a folder of its own. */
const PATTERNS = {
  address: "$uri|$arg_ts|$arg_e|$remote_addr",
  method: "$request_method|$uri|$arg_ts|$arg_e",
  record: "$uri|$arg_ts|$arg_e|$arg_id",
  origin: "$scheme|$host|$uri|$arg_ts|$arg_e",
  plain: "$uri|$arg_ts|$arg_e",
};
const nginxKey = (name) => octets(`nginx key of ${name}/`);

/** A link whose message is the pattern with these values. */
function nginxLink(name, { path = `/${name}/a`, site = SITE, query = "", method = "GET", address = HOME["CF-Connecting-IP"] } = {}) {
  const [ts, e] = [now() - 10, 600];
  const values = { uri: path, arg_ts: ts, arg_e: e, remote_addr: address, request_method: method, scheme: site.split(":")[0] };
  Object.assign(values, { arg_id: new URLSearchParams(query).get("id") ?? "", host: new URL(site).hostname });
  const message = PATTERNS[name].replace(/\$(\w+)/g, (_, variable) => values[variable]);
  const mac = createHmac("sha256", nginxKey(name)).update(message).digest("base64url");
  return `${site}${path}?${query ? `${query}&` : ""}st=${mac}&ts=${ts}&e=${e}`;
}

const KEYS = { laravel: octets("laravel key of tests/"), symfony: octets("symfony key of tests/"), bunny: octets("bunny key of tests/") };
const CI = apiKey();
const POLICY = {
  token: { lifetime: "15m" },
  tokens: [
    ...Object.entries(PATTERNS).map(([name, pattern]) => ({ format: "nginx-hmac", keys: [`n-${name}`], paths: [`/${name}/*`], pattern })),
    { format: "laravel", keys: ["laravel"], paths: ["/laravel/*"] },
    { format: "symfony", keys: ["symfony"], paths: ["/symfony/*"] },
    { format: "jwt", keys: ["main"], from: ["authorization", "cookie:acme_token", "query:access_token", "header:X-Token"] },
  ],
  rules: [
    ...[...Object.keys(PATTERNS), "laravel", "symfony"].map((name) => ({ path: `/${name}/*`, accept: ["signed-url"], exchange: "cookie" })),
    { path: "/bearer/*", accept: ["bearer"] },
  ],
};
const foreign = (keys) => Object.entries(keys).map(([kid, key]) => ({ kty: "oct", kid, alg: "HS256", k: base64url(key) }));
const nginxKeys = Object.fromEntries(Object.keys(PATTERNS).map((name) => [`n-${name}`, nginxKey(name)]));
const world = shared(() => ({
  policy: POLICY,
  secrets: {
    EDGEWARD_KEYS: JSON.stringify({ keys: [jwk("main"), ...foreign(nginxKeys), ...foreign(KEYS)] }),
    EDGEWARD_API_KEYS: apiKeyLine("ci", CI, "read"),
  },
}));
const { passes, refuses } = world;

const clean = (url) => url.replace(/(\?|&)(st|signature|_hash)=.*$/, "").replace(/[?&](expires|_expiration)=\d+/g, "");
const exchange = async (url, headers = {}) => cookieOf(await world.gate.request(url, { headers: { ...NAVIGATION, ...HOME, ...headers } }));

test("the cookie of a link keeps everything that nginx signed of the request", async (t) => {
  await t.test("the address", async () => {
    const link = nginxLink("address");
    const cookie = exchanged(await world.gate.request(link, { headers: { ...NAVIGATION, ...HOME } }), clean(link));
    await passes("/address/a", { headers: { ...cookie.header, ...HOME } });
    await refuses("/address/a", { headers: { ...cookie.header, "CF-Connecting-IP": "198.51.100.7" } }, "token-wrong-scope");
    await refuses("/address/a", { headers: cookie.header }, "token-wrong-scope");
  });
  await t.test("the method", async () => {
    const cookie = await exchange(nginxLink("method"));
    const sent = (method) => ({ method, headers: { ...cookie.header, Origin: SITE } });
    await passes("/method/a", sent("GET"));
    for (const method of ["DELETE", "POST", "OPTIONS"]) await refuses("/method/a", sent(method), "token-wrong-scope");
  });
  await t.test("a parameter", async () => {
    const cookie = await exchange(nginxLink("record", { query: "id=5" }));
    await passes("/record/a?id=5", { headers: cookie.header });
    for (const other of ["", "?id=6", "?id=5&id=6", "?id=", "?i%64=6", "?x&id=6"])
      await refuses(`/record/a${other}`, { headers: cookie.header }, "token-wrong-scope");
  });
  await t.test("a parameter that was not there", async () => {
    const cookie = await exchange(nginxLink("record"));
    await passes("/record/a", { headers: cookie.header });
    await refuses("/record/a?id=6", { headers: cookie.header }, "token-wrong-scope");
  });
  await t.test("and nothing that was not: other parameters are free", async () => {
    const cookie = await exchange(nginxLink("plain"));
    await passes("/plain/a?x=1", { headers: cookie.header });
    await passes("/plain/a", { method: "POST", headers: { ...cookie.header, Origin: SITE } });
  });
});

test("the cookie of a link that signs the whole origin is for that port alone", async (t) => {
  await eachRow(t, [
    ["laravel", signers.laravel({ url: `${SITE}:8443/laravel/a`, key: KEYS.laravel, expires: now() + 600 })],
    ["symfony", signers.symfony({ url: `${SITE}:8443/symfony/a`, key: KEYS.symfony, expires: now() + 600 })],
    ["origin", nginxLink("origin", { site: `${SITE}:8443` })],
  ], async (link) => {
    const cookie = await exchange(link);
    assert.ok(cookie, "a cookie");
    const { pathname } = new URL(link);
    await passes(`${SITE}:8443${pathname}`, { headers: cookie.header });
    if (pathname !== "/origin/a") await refuses(pathname, { headers: cookie.header }, "token-wrong-scope");
    await refuses(`https://www.${HOST}${pathname}`, { headers: cookie.header }, "token-malformed");
  });
});

test("a fresh token stands in Authorization alone", async (t) => {
  const response = await world.gate.request("/.edgeward/token", { method: "POST", headers: { "X-API-Key": CI } });
  const token = response.json().access_token;
  await passes("/bearer/a", { headers: bearer(token) });
  await eachRow(t, [
    ["a cookie", "/bearer/a", { Cookie: `acme_token=${token}` }],
    ["the query", `/bearer/a?access_token=${token}`, {}],
    ["a field of others", "/bearer/a", { "X-Token": token }],
  ], (target, headers) => refuses(target, { headers }, "token-unknown-key"));
});

test("a token that was the first segment of a page's path leaves Referer, where no other place is looked in", async (t) => {
  const origin = await startOrigin();
  t.after(() => origin.stop());
  const policy = {
    origin: origin.url,
    tokens: [{ format: "bunny", keys: ["bunny"], from: ["path"] }],
    rules: [{ path: "/films/*", accept: ["signed-url"] }, { path: "/public/*", access: "public" }],
  };
  const secrets = { EDGEWARD_SECRET: base64url(SECRET_BYTES), EDGEWARD_KEYS: JSON.stringify({ keys: foreign({ bunny: KEYS.bunny }) }) };
  await withGate({ policy, secrets }, async (gate) => {
    const link = signers.bunny({ url: `${SITE}/films/index.html`, key: KEYS.bunny, expires: now() + 600, directory: "/films/", inPath: true });
    for (const target of [link, `${SITE}/public/a.css`]) {
      const response = await gate.request(target, { headers: { Referer: link } });
      assert.equal(response.status, 200, response.text().slice(0, 200));
      assert.equal(response.origin().get("referer"), `${SITE}/films/index.html`);
    }
  });
});

test("a cookie ends with the key of its link, even where another key has its id", async (t) => {
  const origin = await startOrigin();
  t.after(() => origin.stop());
  const policy = {
    origin: origin.url,
    tokens: [{ format: "laravel", keys: ["laravel"] }],
    rules: [{ path: "/*", accept: ["signed-url"], exchange: "cookie" }],
  };
  const secrets = (key) => ({ EDGEWARD_SECRET: base64url(SECRET_BYTES), EDGEWARD_KEYS: JSON.stringify({ keys: foreign({ laravel: key }) }) });
  const leaked = signers.laravel({ url: `${SITE}/a`, key: KEYS.laravel, expires: 9_999_999_999 });
  const ask = (gate, cookie) => gate.request("/a", { headers: { ...cookie.header, Accept: "application/problem+json" } });
  let cookie;
  await withGate({ policy, secrets: secrets(KEYS.laravel) }, async (gate) => {
    cookie = exchanged(await gate.request(leaked, { headers: NAVIGATION }), `${SITE}/a`);
    assert.equal((await ask(gate, cookie)).status, 200);
  });
  await withGate({ policy, secrets: secrets(octets("the key that came after")) }, async (gate) => {
    const response = await ask(gate, cookie);
    assert.deepEqual([response.status, response.json().cause], [401, "token-unknown-key"]);
  });
});
