// A good link becomes a cookie: when, where to, what it lets in afterwards and for how long. What is tried against the
// cookie is in link-cookie.test.mjs.
import assert from "node:assert/strict";
import { test } from "node:test";
import { DIALECTS, policyOfAll, secretsOfAll } from "./dialects.mjs";
import { eachRow, shared } from "./expect.mjs";
import { basic, now, USERS } from "./given.mjs";
import { SITE, withGate } from "./harness.mjs";
import { akamaiToken, mediaToken } from "./signers.mjs";
import { COOKIE, NAVIGATION, PLAIN_COOKIE, SUBRESOURCE, cookieOf, exchanged, handedOut, share } from "./visitor.mjs";

const ALL = Object.entries(DIALECTS);
const all = policyOfAll();
const POLICY = {
  // Our own links are taken everywhere, the others each below a folder of its own.
  tokens: all.tokens.map((entry) => (entry.format === "edgeward" ? { format: "edgeward" } : entry)),
  rules: [
    ...all.rules.map((rule) => ({ ...rule, exchange: "cookie" })),
    { path: "/share/*", accept: ["signed-url"], exchange: "cookie" },
    { path: "/kept/*", accept: ["signed-url"], exchange: "none" },
    { path: "/silent/*", accept: ["signed-url"] },
    { path: "/mixed/*", accept: ["signed-url", "basic"], exchange: "cookie" },
    { path: "/ann/*", accept: ["signed-url"], users: ["ann"], exchange: "cookie" },
  ],
};
const secrets = (more) => secretsOfAll({ EDGEWARD_USERS: USERS, ...more });
const world = shared(() => ({ policy: POLICY, secrets: secrets() }));
const { passes, refuses } = world;

const open = (url, headers = {}) => world.gate.request(url, { headers: { ...NAVIGATION, ...headers } });
const tokenOf = (url) => url.slice(url.indexOf("?"));
const withCookie = (cookie, more = {}) => ({ headers: { ...cookie.header, ...more } });

test("a navigation is sent to the clean URL with a cookie; the rest of the query stays octet for octet", async (t) => {
  await eachRow(t, [
    ["a path", "/share/a"],
    ["a folder", "/share/"],
    ["a query", "/share/a?x=1&y=2"],
    ["odd octets", "/share/caf%C3%A9/%7e?q=%2F&&r=+%20&s&=t&u=~"],
    ["an empty parameter", "/share/a?"],
    ["a path like a host", "/share//evil.example/a"],
  ], async (target) => {
    const link = share(target);
    const cookie = exchanged(await open(link.url), link.clean);
    assert.deepEqual(Object.keys(cookie.attributes).sort(), ["httponly", "max-age", "path", "samesite", "secure"]);
    assert.deepEqual([cookie.attributes.path, cookie.attributes.samesite], ["/", "Lax"]);
    const seen = await passes(link.clean, withCookie(cookie, NAVIGATION));
    assert.equal(seen.url, target);
    assert.equal(seen.get("cookie"), undefined);
    assert.equal(seen.get("x-edgeward-user"), `link:${link.id}`);
  });
  await t.test("the token first, other tokens of ours besides", async () => {
    const link = share("/share/a?x=1");
    exchanged(await open(`${SITE}/share/a?ew=${link.token}&x=1`), `${SITE}/share/a?x=1`);
  });
});

test("what does not navigate is let in as it is", async (t) => {
  const link = share("/share/direct", { methods: ["GET", "POST"] });
  await eachRow(t, [
    ["a program", "GET", {}],
    ["a program that wants a page", "GET", { Accept: "text/html" }],
    ["a segment", "GET", SUBRESOURCE],
    ["a script's fetch", "GET", { "Sec-Fetch-Mode": "cors" }],
    ["a prefetch", "GET", { ...NAVIGATION, "Sec-Purpose": "prefetch" }],
    ["a form's POST", "POST", NAVIGATION],
  ], async (method, headers) => {
    const response = await world.gate.request(link.url, { method, headers });
    assert.equal(response.status, 200);
    assert.equal(response.get("set-cookie"), undefined);
    assert.equal(response.origin().url, "/share/direct");
  });
  const head = await world.gate.request(link.url, { method: "HEAD", headers: NAVIGATION });
  assert.deepEqual([head.status, head.get("set-cookie")], [200, undefined]);
});

test("a rule that does not say so exchanges nothing; the cookie is good there all the same", async () => {
  for (const folder of ["kept", "silent"]) {
    const link = share(`/${folder}/a`);
    const response = await open(link.url);
    assert.deepEqual([response.status, response.get("set-cookie")], [200, undefined]);
  }
  const link = share("/share/a", { prefix: "/" });
  const cookie = exchanged(await open(link.url), link.clean);
  await passes("/silent/b", withCookie(cookie));
});

test("what is refused is not exchanged", async () => {
  for (const [link, status] of [
    [share("/ann/a"), 403],
    [share("/share/a", { expires: now() - 5 }), 401],
    [share("/share/a", { from: now() + 300 }), 401],
    [share("/share/a", { key: Buffer.alloc(32, 8) }), 401],
    [share("/share/a", { network: "203.0.113.0/24" }), 401],
    [share("/share/a", { methods: ["POST"] }), 401],
  ]) {
    const response = await open(link.url);
    assert.deepEqual([response.status, response.get("set-cookie"), response.get("location")], [status, undefined, undefined]);
    assert.equal(response.get("cache-control"), "no-store");
  }
});

test("no longer-lived than the token", async () => {
  const expires = now() + 8;
  const short = share("/share/short", { expires });
  const cookie = exchanged(await open(short.url), short.clean);
  assert.ok(Number(cookie.attributes["max-age"]) <= expires - now() + 1, cookie.attributes["max-age"]);
  const both = exchanged(await open(share("/share/long").url, cookie.header), `${SITE}/share/long`);
  assert.ok(Number(both.attributes["max-age"]) > 500, "the longest of them");
  await passes("/share/short", withCookie(both));
  await new Promise((done) => setTimeout(done, expires * 1000 - Date.now()));
  await refuses("/share/short", withCookie(cookie), "token-expired");
  await refuses("/share/short", withCookie(both), "token-expired");
  await passes("/share/long", withCookie(both));
});

for (const [format, dialect] of ALL) {
  test(`${format}: exchanged`, async (t) => {
    const link = dialect.link("/a/b.txt?x=1&y=%25");
    const { url: clean } = await passes(link);
    const cookie = exchanged(await open(link), SITE + clean);
    const life = Number(cookie.attributes["max-age"]);
    assert.ok(life > 500 && life <= (format === "cloudflare" ? 3600 : 601), `${life}`);
    await t.test("the clean URL is let in by the cookie", async () =>
      assert.equal((await passes(SITE + clean, withCookie(cookie, NAVIGATION))).url, clean));
    await t.test("nothing else is", () => refuses(`/${format}/a/c.txt?x=1&y=%25`, withCookie(cookie), "token-wrong-scope"));
    if (dialect.query) await t.test("the query is bound where it was signed", () => refuses(`${SITE}${clean}&z`, withCookie(cookie), "token-wrong-scope"));
    else await t.test("the query is free where it was not signed", () => passes(`${SITE}${clean}&z`, withCookie(cookie)));
    await t.test("on no other host", () => refuses(`https://other.example${clean}`, withCookie(cookie), "token-malformed"));
    if (!dialect.grant) return;
    await t.test("a stream: its list, then its segments by the cookie", async () => {
      const prefix = `/${format}/films/1/`;
      const stream = `${SITE}${prefix}master.m3u8${tokenOf(dialect.link("/films/1/master.m3u8", dialect.grant(prefix, {})))}`;
      const films = exchanged(await open(stream), `${SITE}${prefix}master.m3u8`);
      for (const path of ["master.m3u8", "low/1.ts", "low/2.ts?x=1", "a%20b.ts"]) {
        const seen = await passes(prefix + path, withCookie(films, SUBRESOURCE));
        assert.deepEqual([seen.url, seen.get("cookie")], [prefix + path, undefined]);
      }
      for (const path of [`/${format}/films/2/1.ts`, `/${format}/films/1`, `/${format}/`])
        await refuses(path, withCookie(films), "token-wrong-scope");
      for (const path of ["..%2f2/1.ts", "%2e%2e%2f2/1.ts", "..;/2/1.ts", "%252e%252e/2/1.ts"])
        await world.stops(prefix + path, withCookie(films), [400, 401]);
    });
  });
}

test("what else a foreign link is bound to is in the cookie, too", async (t) => {
  const here = { "CF-Connecting-IP": "203.0.113.7" };
  const there = { "CF-Connecting-IP": "203.0.113.8" };
  await eachRow(t, [
    ["akamai", DIALECTS.akamai.link("/bound", { ip: "203.0.113.7" })],
    ["bunny", DIALECTS.bunny.link("/bound", { ip: "203.0.113.7" })],
    ["edgeward", DIALECTS.edgeward.link("/bound", { network: "203.0.113.7/32" })],
  ], async (link) => {
    const clean = link.split("?")[0];
    const cookie = exchanged(await open(link, here), clean);
    await passes(clean, withCookie(cookie, here));
    await refuses(clean, withCookie(cookie, there), "token-wrong-scope");
    await refuses(clean, withCookie(cookie), "token-wrong-scope");
  });
  await t.test("methods", async () => {
    const link = share("/share/post", { methods: ["GET", "PUT"] });
    const cookie = exchanged(await open(link.url), link.clean);
    await passes(link.clean, { method: "PUT", ...withCookie(cookie) });
    await refuses(link.clean, { method: "POST", ...withCookie(cookie) }, "token-wrong-scope");
  });
  await t.test("bunny.net's token leaves the path, and the Referer", async () => {
    const link = DIALECTS.bunny.link("/films/1.ts?x=1", { inPath: true, directory: "/bunny/films/" });
    const cookie = exchanged(await open(link), `${SITE}/bunny/films/1.ts?x=1`);
    const seen = await passes("/bunny/films/2.ts", withCookie(cookie, { Referer: link }));
    assert.equal(seen.get("referer"), `${SITE}/bunny/films/1.ts?x=1`);
    const clear = await world.gate.request(link.replace("https:", "http:"), { headers: NAVIGATION });
    assert.deepEqual([clear.status, clear.get("location")], [308, link], "in clear the link stays whole");
  });
});

test("Media CDN: fields of the request that a link binds stay bound", async (t) => {
  const { keys } = DIALECTS["media-cdn"];
  const key = Buffer.from(keys[0].k, "base64url");
  const given = (fields) => `${SITE}/media-cdn/f/1.ts?edge-cache-token=${mediaToken({ key, expires: now() + 600, globs: "/media-cdn/f/*", fields })}`;
  const clean = `${SITE}/media-cdn/f/1.ts`;
  const agent = { "User-Agent": 'Player/1.0 (X11; "quoted", é~)'.replace("é", "e") };
  await t.test("let in with them, and with no others", async () => {
    await passes(given(agent), { headers: agent });
    await refuses(given(agent), { headers: { "User-Agent": "Player/2.0" } }, "token-bad-signature");
  });
  await t.test("by the cookie too", async () => {
    const cookie = exchanged(await open(given(agent), agent), clean);
    await passes("/media-cdn/f/2.ts", withCookie(cookie, agent));
    await refuses("/media-cdn/f/2.ts", withCookie(cookie, { "User-Agent": "Player/2.0" }), "token-wrong-scope");
    await refuses("/media-cdn/f/2.ts", withCookie(cookie), "token-wrong-scope");
  });
  await t.test("a field that is not there is bound to be away", async () => {
    const cookie = exchanged(await open(given({ "X-Debug": "" })), clean);
    await passes("/media-cdn/f/2.ts", withCookie(cookie));
    await refuses("/media-cdn/f/2.ts", withCookie(cookie, { "X-Debug": "1" }), "token-wrong-scope");
  });
  await t.test("a link that binds the cookies is not exchanged: ours would change them", async () => {
    const response = await open(given({ Cookie: "a=1" }), { Cookie: "a=1" });
    assert.deepEqual([response.status, response.get("set-cookie")], [200, undefined]);
  });
});

test("eight links are kept; the ninth pushes the oldest out, and the same again is no more than one", async () => {
  const links = Array.from({ length: 9 }, (_, n) => share(`/share/many/${n}`));
  let cookie = { header: {} };
  for (const link of [...links.slice(0, 8), links[0], links[7]]) cookie = exchanged(await open(link.url, cookie.header), link.clean);
  for (const link of links.slice(0, 8)) await passes(link.clean, withCookie(cookie));
  cookie = exchanged(await open(links[8].url, cookie.header), links[8].clean);
  // The first was opened again and so is younger than the second.
  await refuses(links[1].clean, withCookie(cookie), "token-wrong-scope");
  for (const link of links.filter((_, n) => n !== 1)) await passes(link.clean, withCookie(cookie));
});

test("links of several formats share the cookie", async () => {
  let cookie = { header: {} };
  const links = ALL.slice(0, 8).map(([, dialect]) => dialect.link("/together"));
  for (const link of links) {
    const response = await open(link, cookie.header);
    assert.equal(response.status, 303);
    cookie = cookieOf(response);
  }
  for (const [format] of ALL.slice(0, 8)) await passes(`/${format}/together`, withCookie(cookie));
});

test("an address of any length is exchanged; what no cookie can hold is let in with its token", async (t) => {
  await t.test("a long query", async () => {
    const link = share(`/share/long?q=${"x".repeat(6000)}`);
    const cookie = exchanged(await open(link.url), link.clean);
    assert.ok(cookie.pair.length < 1000);
    await passes(link.clean, withCookie(cookie));
    await refuses(`${link.clean}x`, withCookie(cookie), "token-wrong-scope");
    await refuses("/share/long", withCookie(cookie), "token-wrong-scope");
  });
  await t.test("a long path whose query is free", async () => {
    const link = DIALECTS.fastly.link(`/${"x".repeat(600)}`);
    const clean = link.split("?")[0];
    const cookie = exchanged(await open(link), clean);
    await passes(`${clean}?y`, withCookie(cookie));
    await refuses(`${clean}x`, withCookie(cookie), "token-wrong-scope");
  });
  await t.test("the longest subjects: the youngest are kept", async () => {
    let cookie = { header: {} };
    for (let n = 0; n < 8; n += 1) {
      const link = share(`/share/subject/${n}`, { subject: '"'.repeat(255) });
      cookie = exchanged(await open(link.url, cookie.header), link.clean);
      assert.ok(cookie.pair.length < 4000);
      await passes(link.clean, withCookie(cookie));
    }
  });
  await t.test("a list of paths that is longer than a cookie", async () => {
    const key = Buffer.from(DIALECTS.akamai.keys[0].k, "base64url");
    const acl = Array.from({ length: 200 }, (_, n) => `/akamai/${"film".repeat(6)}${n}/*`).join("!");
    const link = `${SITE}/akamai/${"film".repeat(6)}7/1.ts?__token__=${akamaiToken({ key, expires: now() + 600, acl })}`;
    const response = await open(link);
    assert.deepEqual([response.status, response.get("set-cookie")], [200, undefined]);
    assert.equal(response.origin().url, `/akamai/${"film".repeat(6)}7/1.ts`);
  });
});

test("the stronger place decides alone", async () => {
  const link = share("/mixed/a");
  const cookie = exchanged(await open(link.url), link.clean);
  const bad = share("/mixed/a", { expires: now() - 5 });
  await refuses(bad.url, withCookie(cookie), "token-expired");
  await refuses("/mixed/a", withCookie(cookie, basic("ann", "no")), "credentials-wrong");
  assert.equal((await passes("/mixed/a", withCookie(cookie, basic("ann")))).get("x-edgeward-user"), "ann");
});

test("whoami tells the holder of a link for the whole host, and no other", async () => {
  const expires = now() + 500;
  const whole = share("/share/a", { prefix: "/", expires });
  const cookie = exchanged(await open(whole.url), whole.clean);
  const response = await world.ask("/.edgeward/whoami", withCookie(cookie));
  assert.deepEqual([response.status, response.json()], [200, { authenticated: true, expires, groups: [], kind: "signed-url", scopes: [], user: `link:${whole.id}` }]);
  const page = share("/share/a");
  const other = exchanged(await open(page.url), page.clean);
  await refuses("/.edgeward/whoami", withCookie(other), "token-wrong-scope");
});

test("on plain-http loopback: without the prefix and without Secure", async () => {
  const link = share("http://localhost:8787/share/local?x=1");
  const cookie = exchanged(await open(link.url), link.clean, PLAIN_COOKIE);
  assert.deepEqual(Object.keys(cookie.attributes).sort(), ["httponly", "max-age", "path", "samesite"]);
  const seen = await passes(link.clean, withCookie(cookie));
  assert.equal(seen.get("cookie"), undefined);
  await refuses(link.clean, { headers: { Cookie: cookie.pair.replace(PLAIN_COOKIE, COOKIE) } }, "credentials-missing");
  const secure = share("https://localhost:8787/share/local");
  await refuses(secure.clean, withCookie(cookie), "credentials-missing");
});

test("after a retired key, a key or entry that was taken out, the cookie counts as nothing", async (t) => {
  const { akamai } = DIALECTS;
  const link = akamai.link("/a");
  const cookie = exchanged(await open(link), `${SITE}/akamai/a`);
  const keys = (change) => secrets({ EDGEWARD_KEYS: JSON.stringify({ keys: ALL.flatMap(([, it]) => it.keys).flatMap(change) }) });
  const entries = (change) => ({ ...POLICY, tokens: POLICY.tokens.flatMap((it) => (it.format === "akamai" ? change(it) : it)) });
  const retired = (jwk) => (jwk.kid === "akamai" ? { ...jwk, edgeward: { retire_after: now() - 5 } } : jwk);
  await eachRow(t, [
    ["as it was", entries((it) => it), secrets(), undefined],
    ["the key retired", entries((it) => it), keys(retired), "token-unknown-key"],
    ["the key of another entry's", entries((it) => ({ ...it, keys: ["akamai-old"] })), secrets(), "token-unknown-key"],
    ["the key taken out", entries((it) => ({ ...it, keys: ["akamai-old"] })), keys((it) => (it.kid === "akamai" ? [] : it)), "token-unknown-key"],
    ["the entry taken out", entries(() => []), secrets(), "token-unknown-key"],
    ["the entry for other paths", entries((it) => ({ ...it, paths: ["/elsewhere/*"] })), secrets(), "token-unknown-key"],
    ["the entry for other networks", entries((it) => ({ ...it, networks: ["203.0.113.0/24"] })), secrets(), "token-unknown-key"],
  ], async (policy, given, cause) =>
    withGate({ policy: { origin: world.origin.url, ...policy }, secrets: given }, async (gate) => {
      const response = await gate.request("/akamai/a", { headers: { ...cookie.header, Accept: "application/json" } });
      assert.equal(response.status, cause ? 401 : 200, response.text());
      if (cause) assert.equal(response.json().cause, cause);
    }));
});

test("nothing of a token or cookie is printed, and the origin sees none", async () => {
  const printed = await world.gate.printed();
  const seen = JSON.stringify(await world.origin.seen());
  assert.ok(handedOut.size > 80);
  for (const token of handedOut) assert.ok(!printed.includes(token) && !seen.includes(token));
});
