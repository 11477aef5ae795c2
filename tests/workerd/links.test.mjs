// Share links: what each is bound to, its times, its key, and that its token goes no further than the gate.
// Links are by the independent signer; uses that are counted are in counted.test.mjs, cookies in exchange.test.mjs.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { eachRow, shared } from "./expect.mjs";
import { OLD_SECRET_BYTES, SECRET, base64url, basic, bearer, jwt, now } from "./given.mjs";
import { HOST, SITE } from "./harness.mjs";
import { NAVIGATION, handedOut, share } from "./visitor.mjs";

const LEEWAY = 30; // of the policy

const world = shared(() => ({
  policy: {
    tokens: [{ format: "edgeward" }, { format: "jwt", keys: ["main"], algorithms: ["HS256"], from: ["authorization", "query:access_token"] }],
    rules: [
      { path: "/share/*", accept: ["signed-url"] },
      { path: "/mixed/*", accept: ["signed-url", "basic", "bearer"] },
      { path: "/basic/*", accept: ["basic"] },
      { path: "/ann/*", accept: ["signed-url"], users: ["ann"] },
      { path: "/scoped/*", accept: ["signed-url"], scopes: ["read"] },
      { path: "/net/*", accept: ["signed-url"], networks: ["203.0.113.0/24"] },
      { path: "/public/*", access: "public" },
      { path: "/denied/*", access: "denied" },
    ],
  },
  secrets: { EDGEWARD_SECRET: `${SECRET} ${base64url(OLD_SECRET_BYTES)}` },
}));
const { passes, refuses, stops } = world;

const from = (address) => ({ headers: { "CF-Connecting-IP": address } });
const until = (millis) => new Promise((done) => setTimeout(done, Math.max(0, millis - Date.now())));

/** Nothing that was handed out is told to anybody but the visitor who has it. */
after(async () => {
  const printed = await world.gate.printed();
  for (const token of handedOut) assert.ok(!printed.includes(token), "a token is in the log");
  const { answers } = world.gate;
  assert.ok(answers.length > 50 && handedOut.size > 50, "something was tried");
  for (const { rawHeaders, content } of answers)
    for (const token of handedOut) assert.ok(!`${rawHeaders} ${content}`.includes(token), "a token is in an answer");
});

test("what a link is for", async (t) => {
  const one = share("/share/report.pdf?page=2&x=%2F");
  const bare = share("/share/report.pdf");
  const elsewhere = (url, token) => `${url}${url.includes("?") ? "&" : "?"}ew=${token}`;
  await t.test("that address", async () => assert.equal((await passes(one.url)).url, "/share/report.pdf?page=2&x=%2F"));
  await t.test("the token may stand first in the query", async () =>
    assert.equal((await passes(`/share/report.pdf?ew=${one.token}&page=2&x=%2F`)).url, "/share/report.pdf?page=2&x=%2F"));
  await t.test("any port of the host, and any case of it", async () => {
    await passes(`https://${HOST}:8443/share/report.pdf?ew=${bare.token}`);
    await passes(`https://ACME.example/share/report.pdf?ew=${bare.token}`);
  });
  await eachRow(t, [
    ["another host", `https://other.example/share/report.pdf?ew=${bare.token}`],
    ["a host below", `https://www.${HOST}/share/report.pdf?ew=${bare.token}`],
    ["another path", elsewhere(`${SITE}/share/report2.pdf`, bare.token)],
    ["the path in other letters", elsewhere(`${SITE}/share/Report.pdf`, bare.token)],
    ["a slash more", elsewhere(`${SITE}/share/report.pdf/`, bare.token)],
    ["a letter percent-encoded", elsewhere(`${SITE}/share/%72eport.pdf`, bare.token)],
    ["a parameter more", elsewhere(`${SITE}/share/report.pdf?x=1`, bare.token)],
    ["a parameter less", elsewhere(`${SITE}/share/report.pdf?page=2`, one.token)],
    ["parameters in another order", elsewhere(`${SITE}/share/report.pdf?x=%2F&page=2`, one.token)],
    ["a value in another spelling", elsewhere(`${SITE}/share/report.pdf?page=2&x=/`, one.token)],
    ["a value in another case of hex", elsewhere(`${SITE}/share/report.pdf?page=2&x=%2f`, one.token)],
  ], (target) => refuses(target, {}, "token-wrong-scope"));
});

test("a prefix, in every reading of the path", async (t) => {
  const { token } = share("/share/a/", { prefix: "/share/a/" });
  const at = (path) => `${SITE}${path}${path.includes("?") ? "&" : "?"}ew=${token}`;
  await eachRow(t, [["itself", "/share/a/"], ["a file", "/share/a/b.ts"], ["deeper", "/share/a/b/c/d"], ["any query", "/share/a/b?x=1&y=%7e"], ["percent-encoding", "/share/a/b%20c%C3%A9"]],
    (path) => passes(at(path)));
  await eachRow(t, [["the folder without its slash", "/share/a"], ["another", "/share/b/c"], ["what begins alike", "/share/ab"], ["above", "/share/"], ["another rule", "/mixed/a"]],
    (path) => refuses(at(path), {}, "token-wrong-scope"));
  const ways = ["..", "%2e%2e", "%2E%2E", ".%2e", "%252e%252e", "%25252e%25252e", "..;", "..;x=1", "..%3b", "%2e%2e;"];
  const rows = ways.flatMap((up) => [`/share/a/${up}/b`, `/share/a/${up}%2fb`, `/share/a/${up}%5cb`, `/share/a/${up}\\b`, `/share/a/x/${up}/${up}/b`]);
  const odd = ["/share/a%2fb", "/share%2fa/b", "/share/%61/b", "/share//a/b", "/share/./a/b", "/share/a;x/b", "/share/x/../a/../b", "/share/a%00/b", "/share/a/%zz", "/share/a/%ff"];
  for (const path of [...rows, ...odd]) await t.test(path, () => stops(at(path), {}, [400, 401]));
});

test("methods: HEAD is GET, all others by their own name", async (t) => {
  const plain = share("/share/m");
  const both = share("/share/m", { methods: ["GET", "POST", "DELETE"] });
  const post = share("/share/m", { methods: ["POST"] });
  const head = await world.gate.request(plain.url, { method: "HEAD" });
  assert.equal(head.status, 200);
  await eachRow(t, [["GET", plain, "GET"], ["POST", both, "POST"], ["DELETE", both, "DELETE"], ["GET of many", both, "GET"], ["POST alone", post, "POST"]],
    async (link, method) => assert.equal((await passes(link.url, { method })).method, method));
  await eachRow(t, [["POST", plain, "POST"], ["PUT", plain, "PUT"], ["DELETE", plain, "DELETE"], ["OPTIONS", plain, "OPTIONS"], ["PATCH of others", both, "PATCH"], ["GET of POST", post, "GET"], ["one of nobody's", both, "PURGE"]],
    (link, method) => refuses(link.url, { method }, "token-wrong-scope"));
  await t.test("what claims to be another method is not", () =>
    refuses(plain.url, { method: "POST", headers: { "X-HTTP-Method-Override": "GET" } }, "token-wrong-scope"));
  await t.test("HEAD of a link for POST", async () =>
    assert.equal((await world.gate.request(post.url, { method: "HEAD" })).status, 401));
});

test("networks", async (t) => {
  const four = share("/share/n", { network: "203.0.113.0/24" });
  const odd = share("/share/n", { network: "198.51.100.64/27" });
  const six = share("/share/n", { network: "2001:db8:7::/48" });
  await eachRow(t, [["IPv4", four, "203.0.113.200"], ["IPv4 written as IPv6", four, "::ffff:203.0.113.1"], ["27 bits", odd, "198.51.100.95"], ["IPv6", six, "2001:db8:7:1::9"]],
    (link, address) => passes(link.url, from(address)));
  await eachRow(t, [["IPv4", four, "203.0.112.200"], ["27 bits", odd, "198.51.100.96"], ["IPv6", six, "2001:db8:8::1"], ["IPv6 for IPv4", four, "2001:db8:7::1"]],
    (link, address) => refuses(link.url, from(address), "token-wrong-scope"));
  await t.test("no address at all", () => refuses(four.url, {}, "token-wrong-scope"));
  await t.test("X-Forwarded-For is nobody's address", () =>
    refuses(four.url, { headers: { "CF-Connecting-IP": "192.0.2.1", "X-Forwarded-For": "203.0.113.1" } }, "token-wrong-scope"));
});

test("not before: with leeway, and exact to the second", async () => {
  const begin = now() + LEEWAY;
  await passes(share("/share/t", { from: begin - 5 }).url);
  await refuses(share("/share/t", { from: begin + 60 }).url, {}, "token-not-yet-valid");
  const soon = share("/share/t", { from: begin + 6 });
  await refuses(soon.url, {}, "token-not-yet-valid");
  await until((begin + 6 - LEEWAY) * 1000);
  await passes(soon.url);
});

test("expiry: exact to the second, without leeway", async () => {
  await refuses(share("/share/t", { expires: now() - 1 }).url, {}, "token-expired");
  const expires = now() + 3;
  const link = share("/share/t", { expires });
  await until(expires * 1000 - 900);
  const { status } = await world.ask(link.url);
  assert.ok(status === 200 || Date.now() >= expires * 1000, "good in its last second");
  await until(expires * 1000);
  const response = await refuses(link.url, {}, "token-expired");
  assert.equal(response.json().expired_at, expires);
});

test("who it is: the link by its id; its subject is the signer's affair", async () => {
  const link = share("/share/s", { subject: "ann@example.com – Zoë" });
  const seen = await passes(link.url);
  assert.equal(seen.get("x-edgeward-user"), `link:${link.id}`);
  assert.equal(seen.get("x-edgeward-groups"), undefined);
  assert.ok(!JSON.stringify(seen).includes("ann@example.com"));
  await refuses(share("/ann/s", { subject: "ann" }).url, {}, "not-allowed");
  await refuses(share("/scoped/s", { subject: "ann" }).url, {}, "insufficient-scope");
});

test("keys: the first secret and the second, and no third", async () => {
  await passes(share("/share/k").url);
  await passes(share("/share/k", { key: OLD_SECRET_BYTES }).url);
  const other = Buffer.alloc(32, 3);
  await refuses(share("/share/k", { key: other }).url, {}, "token-unknown-key");
  await refuses(share("/share/k", { kid: Buffer.from([1, 2, 3]) }).url, {}, "token-unknown-key");
  const printed = await world.gate.printed();
  const kids = new Set([...printed.matchAll(/"kind":"signed-url"[^\n]*"key":"([^"]+)"/g)].map(([, kid]) => kid));
  assert.ok(kids.size >= 2, "the log says which key verified");
});

test("every field has one spelling, and none of its values is nonsense", async (t) => {
  const changed = (change, more = {}) => share("/share/f", { change, ...more }).url;
  await eachRow(t, [
    ["another version", changed((it) => (it.head[0] |= 0x80))],
    ["the bit that is 0", changed((it) => (it.head[0] |= 0x20))],
    ["no use at all", changed((it) => (it.uses = Buffer.from([0, 0])), { uses: 1 })],
    ["no method", changed((it) => (it.methods = Buffer.from([0])), { methods: ["POST"] })],
    ["GET said", changed((it) => (it.methods = Buffer.from([1])), { methods: ["POST"] })],
    ["a method that is none", changed((it) => (it.methods = Buffer.from([0x82])), { methods: ["POST"] })],
    ["a prefix of no octets", changed((it) => (it.prefix = Buffer.from([0])), { prefix: "/share/" })],
    ["a network of all addresses", changed((it) => (it.network = Buffer.from([0])), { network: "203.0.113.0/24" })],
    ["a network of 161 bits", changed((it) => (it.network = Buffer.from([193, ...Array(21).fill(0)])), { network: "203.0.113.0/24" })],
    ["an address beyond its network", changed((it) => (it.network = Buffer.from([24, 203, 0, 113].map((o, n) => (n ? o : 23)))), { network: "203.0.113.0/24" })],
    ["a subject that is no UTF-8", changed((it) => (it.subject = Buffer.from([0xff])))],
    ["a subject with a line feed", changed((it) => (it.subject = "ann\nbob"))],
    ["nothing", `${SITE}/share/f?ew=`],
    ["half of it", share("/share/f").url.slice(0, -50)],
    ["padding", `${share("/share/f", { subject: "x" }).url}=`],
    ["standard base64", share("/share/f").url.replace(/ew=.*/, (it) => `${it.slice(0, -2)}+/`)],
  ], (url) => refuses(url, {}, "token-malformed"));
});

test("one token, once, under its own name", async (t) => {
  const { url, token, clean } = share("/share/p");
  await eachRow(t, [
    ["twice", `${url}&ew=${token}`, 400],
    ["twice, one empty", `${url}&ew=`, 400],
    ["twice, once in another spelling", `${url}&%65w=${token}`, 400],
    ["%65w alone", `${clean}?%65w=${token}`, 401],
    ["EW", `${clean}?EW=${token}`, 401],
    ["ew[]", `${clean}?ew[]=${token}`, 401],
    ["after a semicolon", `${clean}?x;ew=${token}`, 401],
    ["in the fragment of another", `${clean}?x=ew=${token}`, 401],
  ], (target, status) => stops(target, {}, [status]));
});

test("with Authorization: that decides, and the link is not consulted", async (t) => {
  const { url } = share("/mixed/a");
  await t.test("a good one", async () => {
    const seen = await passes(url, { headers: basic("ann") });
    assert.equal(seen.get("x-edgeward-user"), "ann");
    assert.equal(seen.url, "/mixed/a");
  });
  await t.test("a bad one: no weaker place is asked", () => refuses(url, { headers: basic("ann", "no") }, "credentials-wrong"));
  await t.test("a bad token", () => refuses(url, { headers: bearer("a.b.c") }, "token-malformed"));
  await t.test("a kind that the rule does not take is as if absent", () => passes(share("/share/a").url, { headers: basic("ann", "no") }));
  await t.test("a link where none is taken", () => refuses(share("/basic/a").url, {}, "credentials-unsupported"));
  await t.test("a token in the query besides", () => refuses(`${share("/share/a").url}&access_token=${jwt()}`, {}, "token-wrong-scope"));
});

test("the rule's own limits stand", async () => {
  await refuses(share("/net/a").url, from("192.0.2.1"), "not-allowed");
  await passes(share("/net/a").url, from("203.0.113.7"));
  await refuses(share("/denied/a").url, {}, "denied");
});

test("the token is off before the origin: from the query, from Referer, on public paths too", async (t) => {
  const { url, token } = share("/share/o?a=%2F&b=+&&c");
  for (const [name, target, wanted] of [
    ["protected", url, "/share/o?a=%2F&b=+&&c"],
    ["public", `${SITE}/public/o?a=1&ew=${token}&b=2`, "/public/o?a=1&b=2"],
    ["public, in another spelling, twice", `${SITE}/public/o?%65w=${token}&ew=${token}`, "/public/o"],
  ])
    await t.test(name, async () => {
      const seen = await passes(target, { headers: { Referer: url } });
      assert.equal(seen.url, wanted);
      assert.equal(seen.get("referer"), `${SITE}/share/o?a=%2F&b=+&&c`);
      assert.ok(!JSON.stringify(seen).includes(token));
    });
});

test("255 characters hold a link to an address of 100, with all that it can say", async () => {
  const address = `${SITE}/share/`.padEnd(100, "x");
  const all = { uses: 3, methods: ["GET", "POST"], from: now() - 5, network: "2001:db8:7:1::/64" };
  for (const more of [{}, all, { ...all, subject: "ann.of.acme@mail.example" }, { ...all, prefix: "/share/" }]) {
    const { url } = share(address, more);
    assert.ok(url.length <= 255, `${url.length} characters`);
    if (!more.uses) await passes(url);
  }
  await passes(share(address, { ...all, uses: undefined }).url, from("2001:db8:7:1::5"));
});

test("in clear: to https with the token, never let in", async () => {
  const { url } = share("/share/c");
  const response = await stops(url.replace("https:", "http:"), {}, [308]);
  assert.equal(response.status, 308);
  assert.match(response.get("location"), /^https:\/\/acme\.example\/share\/c\?ew=/);
  world.gate.answers.splice(world.gate.answers.indexOf(response), 1); // the one answer that repeats the URL
});

test("no page, text or problem repeats the token", async (t) => {
  const { token } = share("/share/q");
  const target = `${SITE}/share/other?x=1&ew=${token}`;
  for (const [name, headers] of [["a page", NAVIGATION], ["text", { Accept: "text/plain" }], ["a problem", {}]])
    await t.test(name, async () => {
      const response = await world.ask(target, { headers });
      assert.equal(response.status, 401);
      assert.ok(!response.text().includes(token));
    });
});
