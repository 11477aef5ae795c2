// What is tried against the cookie that stands for links: changed, moved, doubled, spelled otherwise, sent by another
// site, set by the origin, kept by a cache, revoked. Attacks 16, 17, 20, 21 and 27.
import assert from "node:assert/strict";
import { createHmac, hkdfSync } from "node:crypto";
import { test } from "node:test";
import { eachRow, shared } from "./expect.mjs";
import { OLD_SECRET_BYTES, SECRET, SECRET_BYTES, base64url, bearer, jwt, now, policy, secrets } from "./given.mjs";
import { HOST, SITE, originView, withGate } from "./harness.mjs";
import { COOKIE, NAVIGATION, PLAIN_COOKIE, cookieOf, exchanged, handedOut, share } from "./visitor.mjs";

const POLICY = {
  tokens: [{ format: "edgeward" }, { format: "jwt", keys: ["main"], algorithms: ["HS256"], from: ["authorization", "cookie:acme_token"] }],
  rules: [
    { path: "/share/*", accept: ["signed-url"], exchange: "cookie" },
    { path: "/lifted/*", accept: ["signed-url"], cross_site: "allow" },
    { path: "/shared/*", accept: ["signed-url"], shared_cache: true },
    { path: "/bearer/*", accept: ["bearer"] },
    { path: "/keep/*", accept: ["signed-url"], forward_credentials: true },
    { path: "/report/*", accept: ["signed-url"], mode: "report" },
    { path: "/public/*", access: "public" },
  ],
};
const world = shared(() => ({ policy: POLICY }));
const { passes, refuses, stops } = world;

const open = (url, headers = {}) => world.gate.request(url, { headers: { ...NAVIGATION, ...headers } });
const given = async (link, headers) => exchanged(await open(link.url, headers), link.clean.replace(/\?$/, ""));
const sent = (cookie, more = {}) => ({ headers: { Cookie: cookie, ...more } });

let whole; // a cookie for all of this host, by most methods

test("what all of these begin with is a cookie that is good", async () => {
  whole = await given(share("/share/x", { prefix: "/", methods: ["GET", "POST", "PUT", "OPTIONS"] }));
  await passes("/share/y", sent(whole.pair));
});

test("one octet changed, cut or added: not let in", async () => {
  const [json, tag] = whole.value.split(".");
  const changed = (text, at) => text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1);
  const values = [
    ...Array.from({ length: json.length }, (_, at) => `${changed(json, at)}.${tag}`),
    ...Array.from({ length: tag.length }, (_, at) => `${json}.${changed(tag, at)}`),
    ...Array.from({ length: 24 }, (_, n) => whole.value.slice(0, n * 7)),
    `${json}.`, `.${tag}`, json, `${json}.${tag}.${tag}`, `${json}..${tag}`, `${json}.${tag}=`, `${json}=.${tag}`, `${json}%2E${tag}`, `"${whole.value}"`, ` ${json} .${tag}`, `${whole.value}${"A".repeat(4000)}`,
    `${base64url("[]")}.${tag}`, "null", "[]", "..", "A".repeat(3000),
  ];
  for (const value of values) await refuses("/share/y", sent(`${COOKIE}=${value}`), "token-malformed");
});

test("more than was granted cannot be written: the tag is over all of it", async () => {
  const narrow = await given(share("/share/narrow"));
  const [json] = narrow.value.split(".");
  const grants = JSON.parse(Buffer.from(json, "base64url"));
  const wider = base64url(JSON.stringify(grants.map((grant) => ({ ...grant, to: ["anywhere"] }))));
  for (const tag of [narrow.value.split(".")[1], whole.value.split(".")[1], hmac("edgeward/link/v1", wider), hmac("edgeward/assertion/v1", wider), hmac("edgeward/link-cookie/v1", wider)])
    await refuses("/share/y", sent(`${COOKIE}=${wider}.${tag}`), "token-malformed");
  await refuses("/share/y", sent(narrow.pair), "token-wrong-scope");
});

/** A tag by a key that is derived for another purpose, or over another input. */
function hmac(info, text) {
  const key = Buffer.from(hkdfSync("sha256", SECRET_BYTES, Buffer.alloc(0), info, 32));
  return createHmac("sha256", key).update(text).digest("base64url");
}

test("moved: to another host, another name, another place, another purpose", async (t) => {
  const other = share("https://other.example/share/y");
  const foreign = exchanged(await open(other.url), other.clean);
  const link = share("/share/y");
  await eachRow(t, [
    ["a cookie of another host here", "/share/y", foreign.header, "token-malformed"],
    ["ours there", "https://other.example/share/y", whole.header, "token-malformed"],
    ["ours on a host below", `https://www.${HOST}/share/y`, whole.header, "token-malformed"],
    ["a link's token as the cookie", "/share/y", { Cookie: `${COOKIE}=${link.token}` }, "token-malformed"],
    ["a JWT as the cookie", "/share/y", { Cookie: `${COOKIE}=${jwt()}` }, "token-malformed"],
    ["the cookie as a link's token", `/share/y?ew=${whole.value}`, {}, "token-malformed"],
    ["the cookie as Bearer", "/bearer/y", bearer(whole.value), "token-malformed"],
    ["the cookie under the name of another token", "/bearer/y", { Cookie: `acme_token=${whole.value}` }, "token-malformed"],
    ["the cookie where no link is taken", "/bearer/y", whole.header, "credentials-unsupported"],
    ["under the name for plain http", "/share/y", { Cookie: `${PLAIN_COOKIE}=${whole.value}` }, "credentials-missing"],
    ["__Secure-", "/share/y", { Cookie: `__Secure-edgeward-link=${whole.value}` }, "credentials-missing"],
    ["in other letters", "/share/y", { Cookie: `__host-Edgeward-Link=${whole.value}` }, "credentials-missing"],
  ], (target, headers, cause) => refuses(target, { headers }, cause));
  assert.equal((await passes(`https://${HOST}:8443/share/y`, sent(whole.pair))).get("cookie"), undefined, "cookies know no ports");
});

test("doubled or oddly spelled: refused, and never taken for another", async (t) => {
  const bad = `${COOKIE}=x.y`;
  await eachRow(t, [
    ["twice", `${whole.pair}; ${whole.pair}`, "request-ambiguous"],
    ["bad, then good", `${bad}; ${whole.pair}`, "request-ambiguous"],
    ["good, then bad", `${whole.pair}; ${bad}`, "request-ambiguous"],
    ["good, then empty", `${whole.pair}; ${COOKIE}=`, "request-ambiguous"],
    ["joined by a comma", `${whole.pair}, ${bad}`, "request-ambiguous"],
    ["without a name", `=${whole.pair}`, "credentials-missing"],
    ["quoted", `${COOKIE}="${whole.value}"`, "token-malformed"],
    ["a no-break space before the name", Buffer.from(`\u00a0${whole.pair}`, "utf8"), "credentials-missing"],
    ["a no-break space of one octet", Buffer.from(`\u00a0${whole.pair}`, "latin1"), "credentials-missing"],
    ["in the value of another", `a=${whole.pair}`, "credentials-missing"],
    ["the name alone", COOKIE, "credentials-missing"],
    ["percent-encoded", `__Host%2Dedgeward-link=${whole.value}`, "credentials-missing"],
  ], (cookie, cause) => refuses("/share/y", { headers: ["Cookie", cookie] }, cause));
  await t.test("white space around the name is none of it", () => passes("/share/y", sent(`a=1;\t ${COOKIE} = ${whole.value} `)));
  await t.test("two lines", () => refuses("/share/y", { headers: ["Cookie", whole.pair, "Cookie", bad] }, "request-ambiguous"));
});

test("the origin never sees it, on any rule, in any state; other cookies stay octet for octet", async (t) => {
  const others = 'a=1;  b="2"; c=%3D';
  for (const folder of ["share", "shared", "keep", "report", "public"])
    for (const pair of [whole.pair, `${COOKIE}=junk`, `${PLAIN_COOKIE}=${whole.value}`, `__Secure-edgeward-link=${whole.value}`])
      await t.test(`${folder}: ${pair.slice(0, 28)}`, async () => {
        const mayPass = ["public", "report"].includes(folder) || pair === whole.pair;
        const { response, reached } = await world.counted(`/${folder}/o`, sent(`a=1; ${pair};  b="2"; c=%3D`));
        assert.equal(reached, mayPass ? 1 : 0);
        if (mayPass) assert.equal(originView(response.json()).get("cookie"), others);
      });
  await t.test("alone: no Cookie field is left", async () => assert.equal((await passes("/share/o", sent(whole.pair))).get("cookie"), undefined));
});

test("the origin may not set it, nor clear it", async () => {
  const line = (text) => encodeURIComponent(text);
  const wanted = [`${COOKIE}=x; Path=/; Secure`, `${PLAIN_COOKIE}=x; Path=/`, `__Secure-edgeward-link=x; Secure`, `${COOKIE}=; Max-Age=0; Path=/; Secure`, ` ${COOKIE} =x`, "mine=1; Path=/"];
  const response = await world.ask(`/share/as/set-cookie?${wanted.map((it) => `c=${line(it)}`).join("&")}`, sent(whole.pair));
  assert.deepEqual(response.all("set-cookie"), ["mine=1; Path=/"]);
  assert.match(await world.gate.printed(), /"cookie-dropped"/);
});

const UPGRADE = { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==" };
const FOREIGN = { Origin: "https://evil.example" };

test("it is ambient: another site cannot use it to change anything, or open a WebSocket", async (t) => {
  await eachRow(t, [
    ["POST, cross-site", { "Sec-Fetch-Site": "cross-site" }, "POST"],
    ["POST, cross-site, whatever Origin says", { "Sec-Fetch-Site": "cross-site", Origin: SITE }, "POST"],
    ["POST, a foreign Origin", FOREIGN, "POST"],
    ["POST, Origin null", { Origin: "null" }, "POST"],
    ["PUT", FOREIGN, "PUT"],
    ["a WebSocket, a foreign Origin", { ...UPGRADE, ...FOREIGN }, "GET"],
    ["a WebSocket, Origin null", { ...UPGRADE, Origin: "null" }, "GET"],
    ["a WebSocket, no Origin", UPGRADE, "GET"],
    ["a WebSocket, a host below", { ...UPGRADE, Origin: `https://a.${HOST}` }, "GET"],
  ], (headers, method) => refuses("/share/ws", { method, ...sent(whole.pair, headers) }, "cross-site"));
  await t.test("even a cookie that is not whole: it comes before verification", () =>
    refuses("/share/ws", { method: "POST", ...sent(`${COOKIE}=junk`, FOREIGN) }, "cross-site"));
  await eachRow(t, [
    ["POST of our own", { Origin: SITE, "Sec-Fetch-Site": "same-origin" }, "POST"],
    ["POST of a program", {}, "POST"],
    ["GET of a link elsewhere", { "Sec-Fetch-Site": "cross-site" }, "GET"],
  ], (headers, method) => passes("/share/p", { method, ...sent(whole.pair, headers) }));
  await t.test("a WebSocket of our own", async () => {
    const response = await world.gate.request("/share/ws", { headers: { ...UPGRADE, Origin: SITE, Cookie: whole.pair } });
    response.socket?.destroy();
    assert.equal(response.status, 101);
    assert.equal(originView(await world.origin.last()).get("cookie"), undefined);
  });
  await t.test('cross_site = "allow" lifts it', () => passes("/lifted/p", { method: "POST", ...sent(whole.pair, FOREIGN) }));
  await t.test("a token in the URL is not ambient: who has it, has it", async () =>
    passes(share("/share/p", { methods: ["POST"] }).url, { method: "POST", headers: FOREIGN }));
});

test("no cache holds what one visitor got for another", async (t) => {
  const ann = share("/share/as/page", { prefix: "/share/as/" });
  const bob = share("/share/as/page", { prefix: "/share/as/" });
  const cookies = [await given(ann), await given(bob)];
  for (const [n, { id }] of [ann, bob].entries()) {
    const response = await world.ask("/share/as/page", sent(cookies[n].pair));
    assert.equal(response.text(), `<p>for link:${id}</p>`);
    assert.equal(response.get("cache-control"), "private, max-age=3600");
  }
  for (const headers of [NAVIGATION, {}]) {
    const nobody = await world.gate.request("/share/as/page", { headers });
    assert.deepEqual([nobody.status, nobody.get("cache-control")], [401, "no-store"]);
    for (const { id } of [ann, bob]) assert.ok(!nobody.text().includes(id), "a kept page holds nothing of a visitor");
  }
  await t.test("shared caches are kept out, by the cookie and by the token", async () => {
    for (const response of [await world.ask("/share/as/cache-headers", sent(cookies[0].pair)), await world.ask(`/share/as/cache-headers?ew=${ann.token}`)]) {
      assert.equal(response.get("cache-control"), "private, max-age=600");
      for (const name of ["cdn-cache-control", "cloudflare-cdn-cache-control", "surrogate-control"]) assert.equal(response.get(name), undefined);
    }
  });
});

test("an exchange does not take over what is not whole: the new link alone is granted", async () => {
  const foreign = share("https://other.example/share/y", { prefix: "/" });
  const theirs = exchanged(await open(foreign.url), foreign.clean);
  for (const cookie of [`${COOKIE}=junk`, theirs.pair, `${whole.pair}; ${whole.pair}`]) {
    const link = share("/share/fresh");
    const response = await open(link.url, { Cookie: cookie });
    if (response.status === 400) continue; // twice is ambiguous whatever else is there
    const fresh = exchanged(response, link.clean);
    await passes("/share/fresh", sent(fresh.pair));
    await refuses("/share/y", sent(fresh.pair), "token-wrong-scope");
  }
});

test("EDGEWARD_SECRET rotates: cookies and links of the old one stay good, until it is taken out", async (t) => {
  const link = share("/share/y");
  await eachRow(t, [
    ["a new one in front", `${base64url(OLD_SECRET_BYTES)} ${SECRET}`, 200],
    ["the old one taken out", base64url(OLD_SECRET_BYTES), 401],
  ], async (secret, status) =>
    withGate({ policy: policy(world.origin, POLICY), secrets: secrets({ EDGEWARD_SECRET: secret }) }, async (gate) => {
      assert.equal((await gate.request("/share/y", { headers: whole.header })).status, status);
      assert.equal((await gate.request(link.url)).status, status);
      if (status !== 200) return;
      const again = cookieOf(await gate.request(link.url, { headers: { ...NAVIGATION, ...whole.header } }));
      assert.equal((await gate.request("/share/z", { headers: again.header })).status, 200, "signed anew, with all it had");
    }));
});

test("revoked by its id: the cookie is worth nothing for that link, and something for the next", async () => {
  const [one, other] = [share("/share/r/1", { prefix: "/share/r/" }), share("/share/r/2", { prefix: "/share/r/" })];
  const alone = await given(one);
  const both = await given(other, alone.header);
  const options = { kvNamespaces: ["EDGEWARD_KV"] };
  await withGate({ policy: policy(world.origin, POLICY), secrets: secrets(), options }, async (gate) => {
    const kv = await gate.miniflare.getKVNamespace("EDGEWARD_KV");
    await kv.put("revoked:jti", JSON.stringify({ [one.id]: 0 }));
    const ask = (path, headers) => gate.request(path, { headers: { Accept: "application/json", ...headers } });
    const refused = await ask("/share/r/1", alone.header);
    assert.deepEqual([refused.status, refused.json().cause], [401, "token-revoked"]);
    assert.equal((await ask("/share/r/1", both.header)).status, 200);
    const navigated = await gate.request(one.url, { headers: NAVIGATION });
    assert.deepEqual([navigated.status, navigated.get("set-cookie")], [401, undefined]);
  });
});

test("nothing of a token or cookie is printed, and the origin sees none", async () => {
  const printed = await world.gate.printed();
  const seen = JSON.stringify(await world.origin.seen());
  assert.ok(handedOut.size > 15 && now() > 0);
  for (const token of handedOut) assert.ok(!printed.includes(token) && !seen.includes(token));
});
