// Links that count their uses: who is asked, what counts, and that nothing counts twice or by mistake.
import assert from "node:assert/strict";
import { test } from "node:test";
import { eachRow, refused, shared } from "./expect.mjs";
import { cases, NO_VECTORS, now, policy, secrets } from "./given.mjs";
import { HOST, SITE, buildFolder, modulesOf, withGate } from "./harness.mjs";
import { NAVIGATION, SUBRESOURCE, cookieOf, exchanged, formOf, handedOut, press, share } from "./visitor.mjs";

const LEDGER = { durableObjects: { EDGEWARD_LEDGER: { className: "Ledger", useSQLite: true } } };
const POLICY = {
  tokens: [{ format: "edgeward" }],
  rules: [
    { path: "/share/*", accept: ["signed-url"] },
    { path: "/exchange/*", accept: ["signed-url"], exchange: "cookie" },
    { path: "/mixed/*", accept: ["signed-url", "basic"] },
    { path: "/net/*", accept: ["signed-url"], networks: ["203.0.113.0/24"] },
    { path: "/ann/*", accept: ["signed-url"], users: ["ann"] },
    { path: "/scoped/*", accept: ["signed-url"], scopes: ["read"] },
    { path: "/past/*", accept: ["signed-url"], not_after: "2020-01-01T00:00:00Z" },
    { path: "/basic/*", accept: ["basic"] },
    { path: "/denied/*", access: "denied" },
    { path: "/public/*", access: "public" },
  ],
};
const world = shared(() => ({ policy: POLICY, options: LEDGER }));
const { refuses } = world;

const counted = (target, uses = 1, more = {}) => share(target, { uses, ...more });
const open = (link, headers = {}) => world.gate.request(link.url, { headers: { ...NAVIGATION, ...headers } });
const pressed = (link, more) => world.gate.request(...press(link, more));

/** The cause that a page says. */
const causeOf = (response) => /data-cause="([^"]+)"/.exec(response.text())?.[1];

/** Asserts that so many uses of a link are left, by using them up. */
async function left(link, uses) {
  for (let use = 0; use < uses; use += 1) exchanged(await pressed(link), link.clean);
  const response = await pressed(link);
  assert.deepEqual([response.status, causeOf(response)], [401, "token-spent"], `after ${uses} uses`);
}

/** What neither navigates nor is a person's doing. */
const NOT_A_PERSON = [
  ["a program", "GET", {}],
  ["curl", "GET", { Accept: "*/*", "User-Agent": "curl/8.5.0" }],
  ["a link scanner that says it wants a page", "GET", { Accept: "text/html", "User-Agent": "Mozilla/5.0 (compatible; preview)" }],
  ["HEAD", "HEAD", {}],
  ["HEAD of a browser", "HEAD", NAVIGATION],
  ["a prefetch", "GET", { ...NAVIGATION, "Sec-Purpose": "prefetch" }],
  ["a prerender", "GET", { ...NAVIGATION, "Sec-Purpose": "prefetch;prerender" }],
  ["a prefetch by its older name", "GET", { ...NAVIGATION, Purpose: "prefetch" }],
  ["a prefetch by its oldest name", "GET", { ...NAVIGATION, "X-Moz": "prefetch" }],
  ["an image", "GET", { ...SUBRESOURCE, "Sec-Fetch-Dest": "image" }],
  ["a script's fetch", "GET", { "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin" }],
  ["a script's fetch that wants a page", "GET", { "Sec-Fetch-Mode": "same-origin", Accept: "text/html" }],
];

test("what is no person opening a page is told so, and never counts", async (t) => {
  const link = counted("/share/once");
  for (const [name, method, headers] of NOT_A_PERSON)
    await t.test(name, async () => {
      const before = await world.origin.count();
      const response = await world.gate.request(link.url, { method, headers });
      assert.equal(response.status, 401);
      assert.match(response.get("www-authenticate"), /Bearer realm="[^"]*", error="invalid_token"/);
      assert.equal(response.get("cache-control"), "no-store");
      assert.equal(response.get("set-cookie"), undefined);
      // A page may be kept for a person who comes later: only its button counts.
      const isPage = method === "GET" && (response.get("content-type")?.startsWith("text/html") ?? false);
      assert.equal(response.text().includes(link.token), isPage, "the token is in the form of a page, and nowhere else");
      assert.equal(await world.origin.count(), before);
    });
  await refuses(link.url, {}, "token-needs-confirmation");
  await left(link, 1);
});

test("a person gets a page with one button, again and again, until one is pressed", async () => {
  const link = counted("/share/once?a=%22%3E%3Cscript%3E&b=%2F&c=%27&lt;&amp;=+&&");
  for (let view = 0; view < 5; view += 1) {
    const response = await open(link);
    assert.deepEqual([response.status, causeOf(response)], [401, "token-needs-confirmation"]);
    assert.equal(response.get("cache-control"), "no-store");
    assert.equal(response.get("referrer-policy"), "same-origin");
    assert.match(response.get("content-security-policy"), /form-action 'self'/);
    assert.equal(response.get("set-cookie"), undefined);
    const form = formOf(response);
    assert.deepEqual([form.method, form.action, form.buttons], ["POST", "/.edgeward/link", 1]);
    assert.deepEqual(Object.keys(form.fields).sort(), ["form", "return_to", "token"]);
    assert.equal(form.fields.token, link.token);
    const html = response.text();
    assert.equal(html.split(link.token).length, 2, "the token stands there once");
    assert.equal(form.fields.return_to, link.target, "octet for octet");
  }
  const { fields } = formOf(await open(link));
  const answer = await world.gate.request(...press(link, { fields }));
  const cookie = exchanged(answer, SITE + fields.return_to);
  assert.equal((await world.passes(SITE + fields.return_to, { headers: cookie.header })).url, fields.return_to);
  assert.equal(causeOf(await open(link)), "token-spent");
});

test("each press counts one use; then it is spent, and the moment is told", async () => {
  const link = counted("/share/thrice?x=1", 3);
  const began = now();
  for (let use = 0; use < 3; use += 1) {
    const cookie = exchanged(await pressed(link), `${SITE}/share/thrice?x=1`);
    assert.ok(Number(cookie.attributes["max-age"]) <= 600);
    const seen = await world.passes("/share/thrice?x=1", { headers: cookie.header });
    assert.equal(seen.get("x-edgeward-user"), `link:${link.id}`);
  }
  const page = await open(link);
  assert.deepEqual([page.status, causeOf(page)], [401, "token-spent"]);
  assert.equal(page.text().split("<form").length, 1, "nothing is left to press");
  const when = [...page.text().matchAll(/datetime="([^"]+)"/g)].map(([, it]) => Date.parse(it) / 1000);
  assert.ok(when.some((moment) => moment >= began - 1 && moment <= now() + 1), `${when}`);
  await refuses(link.url, {}, "token-spent");
  await refuses(...press(link, { headers: { "Sec-Fetch-Mode": "cors", Accept: "*/*" } }), "token-spent");
});

test("a cookie stays good when its link is spent, and what it opens is what the link opened", async () => {
  const link = counted("/share/films/index.html", 1, { prefix: "/share/films/" });
  const { header } = exchanged(await pressed(link), link.clean);
  await left(link, 0);
  for (const path of ["/share/films/index.html", "/share/films/1.ts", "/share/films/index.html?reload"]) await world.passes(path, { headers: header });
  await refuses("/share/other", { headers: header }, "token-wrong-scope");
  await refuses(link.url, { headers: header }, "token-spent");
});

test("fifty presses at once, three uses: three succeed", async () => {
  const link = counted("/share/rush", 3);
  const answers = await Promise.all(Array.from({ length: 50 }, () => pressed(link)));
  const good = answers.filter(({ status }) => status === 303);
  const bad = answers.filter(({ status }) => status !== 303);
  assert.equal(good.length, 3);
  for (const response of good) assert.ok(cookieOf(response));
  for (const response of bad) {
    assert.deepEqual([response.status, causeOf(response)], [401, "token-spent"]);
    assert.equal(response.get("set-cookie"), undefined);
  }
});

test("a form sent twice, as by a double click, is one use for who got the cookie, and for nobody else", async () => {
  const link = counted("/share/hasty", 3);
  const { fields } = formOf(await open(link));
  const { header } = exchanged(await pressed(link, { fields }), link.clean);
  for (let again = 0; again < 3; again += 1) exchanged(await pressed(link, { fields, headers: header }), link.clean);
  const next = formOf(await open(link, header)).fields;
  assert.notEqual(next.form, fields.form, "a page opened anew has another form");
  exchanged(await pressed(link, { fields: next, headers: header }), link.clean);
  exchanged(await pressed(link, { fields }), link.clean);
  assert.equal(causeOf(await pressed(link, { fields })), "token-spent", "without the cookie each counts");
  exchanged(await pressed(link, { fields: next, headers: header }), link.clean);
  const late = await pressed(link, { fields: { form: "another" }, headers: header });
  assert.deepEqual([late.status, causeOf(late), late.get("set-cookie")], [401, "token-spent", undefined]);
  const other = exchanged(await open(share("/exchange/x")), `${SITE}/exchange/x`);
  assert.equal(causeOf(await pressed(link, { fields: next, headers: other.header })), "token-spent", "the cookie of another link is none");
});

test("fifty times the very same form at once: three of three succeed", async () => {
  const link = counted("/share/crowd", 3);
  const { fields } = formOf(await open(link));
  const answers = await Promise.all(Array.from({ length: 50 }, () => pressed(link, { fields })));
  assert.equal(answers.filter(({ status }) => status === 303).length, 3);
});

test("only a form of this site's own counts", async (t) => {
  const link = counted("/share/forged");
  const rows = [
    ["another site's", { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" }],
    ["another site's, whatever Origin says", { "Sec-Fetch-Site": "cross-site" }],
    ["a sibling's", { Origin: `https://evil.${HOST}`, "Sec-Fetch-Site": "same-site" }],
    ["from the address bar", { "Sec-Fetch-Site": "none" }],
    ["without Origin, of an older browser", { Origin: undefined, "Sec-Fetch-Site": undefined }],
    ["Origin null", { Origin: "null", "Sec-Fetch-Site": undefined }],
    ["a foreign Origin", { Origin: "https://evil.example", "Sec-Fetch-Site": undefined }],
    ["in clear", { Origin: `http://${HOST}`, "Sec-Fetch-Site": undefined }],
    ["another port", { Origin: `https://${HOST}:8443`, "Sec-Fetch-Site": undefined }],
    ["text/plain", { "Content-Type": "text/plain" }],
    ["multipart", { "Content-Type": "multipart/form-data; boundary=x" }],
    ["JSON", { "Content-Type": "application/json" }],
    ["no Content-Type", { "Content-Type": undefined }],
  ];
  for (const [name, headers] of rows)
    await t.test(name, async () => {
      const response = await pressed(link, { headers });
      assert.deepEqual([response.status, causeOf(response)], [403, "cross-site"]);
      assert.equal(response.get("set-cookie"), undefined);
    });
  await t.test("an older browser's own form counts", async () =>
    exchanged(await pressed(link, { headers: { "Sec-Fetch-Site": undefined, "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8" } }), link.clean));
  await left(link, 0);
});

test("GET and HEAD of /.edgeward/link are nobody's business", async () => {
  for (const method of ["GET", "HEAD", "PUT", "DELETE"]) {
    const response = await world.gate.request("/.edgeward/link", { method, headers: NAVIGATION });
    assert.deepEqual([response.status, response.get("allow")], [405, "POST"]);
  }
});

test("a press on what the link does not open, or its rule does not let in, counts nothing", async (t) => {
  const link = counted("/share/strict", 1);
  const inside = counted("/net/strict", 1);
  const bound = counted("/share/bound", 1, { network: "203.0.113.0/24" });
  const rows = [
    ["another path", link, { fields: { return_to: "/share/other" } }, 401, "token-wrong-scope"],
    ["another query", link, { fields: { return_to: "/share/strict?x" } }, 401, "token-wrong-scope"],
    ["another host", link, { site: "https://other.example" }, 401, "token-wrong-scope"],
    ["a rule that is closed", counted("/denied/x"), {}, 403, "denied"],
    ["a rule for others", counted("/ann/x"), {}, 403, "not-allowed"],
    ["a rule that wants a scope", counted("/scoped/x"), {}, 403, "insufficient-scope"],
    ["a rule whose time is over", counted("/past/x"), {}, 403, "not-allowed"],
    ["a rule that takes no links", counted("/basic/x"), {}, 401, "credentials-unsupported"],
    ["the rule's network", inside, {}, 403, "not-allowed"],
    ["the link's network", bound, {}, 401, "token-wrong-scope"],
    ["for POST alone", counted("/share/post", 1, { methods: ["POST"] }), {}, 401, "token-wrong-scope"],
    ["expired", counted("/share/late", 1, { expires: now() - 1 }), {}, 401, "token-expired"],
    ["too early", counted("/share/early", 1, { from: now() + 300 }), {}, 401, "token-not-yet-valid"],
    ["another key", counted("/share/key", 1, { key: Buffer.alloc(32, 9) }), {}, 401, "token-unknown-key"],
    ["a token that was changed", link, { fields: { token: link.token.slice(0, -2) + "AA" } }, 401, "token-bad-signature"],
    ["more uses than were signed", link, { fields: { token: withUses(link.token, 9) } }, 401, "token-bad-signature"],
    ["a token that is none", link, { fields: { token: "x" } }, 401, "token-malformed"],
    ["no token", link, { fields: { token: undefined } }, 401, "token-malformed"],
    ["no address", link, { fields: { return_to: undefined } }, 401, "token-malformed"],
    ["two tokens", link, { body: `token=${link.token}&token=${link.token}&return_to=%2Fshare%2Fstrict` }, 401, "token-malformed"],
    ["a token and a parameter", link, { fields: { token: `${link.token}&x=1` } }, 401, "token-malformed"],
    ["a reserved path", link, { fields: { return_to: "/.edgeward/whoami" } }, 401, undefined],
    ["too much", link, { body: `token=${link.token}&return_to=%2Fshare%2Fstrict&x=${"x".repeat(20_000)}` }, 413, "content-too-large"],
  ];
  for (const [name, it, more, status, cause] of rows)
    await t.test(name, async () => {
      const response = await pressed(it, more);
      assert.equal(response.status, status, response.text().slice(0, 200));
      if (cause) assert.equal(causeOf(response), cause);
      assert.equal(response.get("set-cookie"), undefined);
      assert.equal(response.get("location"), undefined);
    });
  await left(link, 1);
  for (const it of [inside, bound]) {
    const here = { headers: { "CF-Connecting-IP": "203.0.113.7" } };
    exchanged(await pressed(it, here), it.clean);
    assert.equal(causeOf(await pressed(it, here)), "token-spent");
  }
});

/** The token with another number of uses in it: two octets behind head, key id, id and both times. */
function withUses(token, uses) {
  const octets = Buffer.from(token, "base64url");
  octets.writeUInt16BE(uses, 20);
  return octets.toString("base64url");
}

test("where nothing has to be confirmed, the press leads there and counts nothing", async () => {
  const link = counted("/public/x");
  const response = await pressed(link);
  assert.deepEqual([response.status, response.get("location"), response.get("set-cookie")], [303, link.clean, undefined]);
  assert.equal((await world.passes(link.url)).url, "/public/x", "no page is shown either");
});

test("a link that counts nothing may be pressed, too: an exchange where the rule has one", async () => {
  const link = share("/exchange/x");
  exchanged(await pressed(link), link.clean);
  const plain = share("/share/x");
  const response = await pressed(plain);
  assert.deepEqual([response.status, response.get("set-cookie")], [303, undefined]);
});

test("the address is this host's, or there is no way to it", async (t) => {
  const table = ["oauth2proxy", "patt"].map((name) => cases(`cases_open_redirect_${name}.json`));
  if (table.some((it) => it === undefined)) t.diagnostic(NO_VECTORS);
  const payloads = table.flatMap((it) => it ?? []).flatMap(({ input }) => [input.target_query_raw, input.target_decoded]);
  const ours = ["//evil.example", "https://evil.example", "https:evil.example", "/\\evil.example", "\\/evil.example", "/%09/evil.example", "/\t/evil.example", "//evil.example/%2e%2e", "/.//evil.example", "/..//evil.example", "javascript:alert(1)", "https://good@evil.example", `${SITE}@evil.example`, `//${HOST}.evil.example`, "/x\r\nLocation: https://evil.example", "/x\nSet-Cookie: a=1", "/x%0d%0aSet-Cookie:%20a=1", "", "x", "?", "#", "/#//evil.example", "/é", "/\u0000", "/\u2028/evil.example"];
  const all = [...new Set([...payloads, ...ours])];
  assert.ok(all.length > 20);
  const everywhere = share("/", { prefix: "/", uses: 1000 });
  handedOut.add(everywhere.token);
  let sent = 0;
  for (const target of all) {
    for (const link of [everywhere, counted("/share/redirect")]) {
      const response = await pressed(link, { fields: { return_to: target } });
      assert.ok(response.status < 500, `${response.status} for ${JSON.stringify(target)}`);
      assert.ok(response.all("set-cookie").every((line) => line.startsWith("__Host-edgeward-link=")), target);
      const location = response.get("location");
      if (location === undefined) continue;
      sent += 1;
      assert.ok(location.startsWith(`${SITE}/`), `${JSON.stringify(target)} leads to ${location}`);
      assert.equal(new URL(location, `${SITE}/.edgeward/link`).origin, SITE, target);
    }
  }
  assert.ok(sent > 0, "some of them are paths of this host");
});

test("without EDGEWARD_LEDGER such a link is refused as not-configured, whoever asks", async () => {
  await withGate({ policy: policy(world.origin, POLICY), secrets: secrets() }, async (gate) => {
    const link = counted("/share/x");
    const before = await world.origin.count();
    for (const response of [
      await gate.request(link.url),
      await gate.request(link.url, { headers: NAVIGATION }),
      await gate.request(link.url, { method: "HEAD" }),
      await gate.request(...press(link)),
    ]) {
      assert.equal(response.status, 503);
      assert.equal(response.get("set-cookie"), undefined);
      assert.ok(response.get("retry-after"));
    }
    const problem = await gate.request(link.url, { headers: { Accept: "application/json" } });
    refused(problem, "not-configured");
    assert.equal(await world.origin.count(), before);
    assert.equal((await gate.request(share("/share/x").url)).status, 200, "others are let in");
  });
});

/** The Worker with a ledger in which some methods fail or hang. */
const brokenLedger = (methods) => ({
  ...LEDGER,
  modules: [
    {
      type: "ESModule",
      path: `${buildFolder()}/broken.js`,
      contents: `import gate, { Ledger as Real } from "./index.js"; export default gate; export class Ledger extends Real { ${methods} }`,
    },
    ...modulesOf(buildFolder()),
  ],
});

test("a ledger that does not answer lets nobody in", async (t) => {
  await eachRow(t, [
    ["it fails", brokenLedger('peek() { throw new Error("down"); } spend() { throw new Error("down"); }'), 503],
    ["it fails to count", brokenLedger('spend() { throw new Error("down"); }'), 401],
    ["it hangs", brokenLedger("peek() { return new Promise(() => {}); }"), 503],
    ["it hangs when it counts", brokenLedger("async spend() { await new Promise(() => {}); }"), 401],
    ["it answers nonsense", brokenLedger("peek() { return 7; } spend() { return { ok: 'yes' }; }"), 503],
    ["it answers nothing", brokenLedger("peek() {} spend() {}"), 503],
    ["it is another binding", { serviceBindings: { EDGEWARD_LEDGER: () => new Response("{}") } }, 503],
  ], async (options, status) =>
    withGate({ policy: policy(world.origin, POLICY), secrets: secrets(), options }, async (gate) => {
      const link = counted("/share/x");
      const before = await world.origin.count();
      assert.equal((await gate.request(link.url, { headers: NAVIGATION })).status, status);
      const response = await gate.request(...press(link));
      assert.deepEqual([response.status, causeOf(response)], [503, "check-unavailable"]);
      assert.ok(response.get("retry-after"));
      assert.equal(response.get("set-cookie"), undefined);
      assert.equal(await world.origin.count(), before);
      assert.ok(!(await gate.printed()).includes(link.token));
      assert.equal((await gate.request(share("/share/x").url)).status, 200, "what counts nothing needs no ledger");
    }));
});

test("nothing of a token is printed, and the origin sees none", async () => {
  const printed = await world.gate.printed();
  const seen = JSON.stringify(await world.origin.seen());
  assert.ok(handedOut.size > 50);
  for (const token of handedOut) {
    assert.ok(!printed.includes(token), "in the log");
    assert.ok(!seen.includes(token), "at the origin");
  }
  assert.match(printed, /"edgeward":"exchanged"[^\n]*"user":"link:/);
  assert.match(printed, /"cause":"token-spent"[^\n]*"user":"link:/);
});
