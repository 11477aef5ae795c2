// POST /.edgeward/token: a token of some minutes for a program that has an API key.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import { after, before, test } from "node:test";
import { refreshing } from "../../examples/refreshing-client.mjs";
import { STATUS, challenges, eachRow, passed, refused, schemes } from "./expect.mjs";
import { OLD_SECRET_BYTES, SECRET, SECRET_BYTES, base64url, basic, bearer, jwt, now, secrets } from "./given.mjs";
import { SITE, withGate } from "./harness.mjs";
import { startOrigin } from "./origin.mjs";
import { apiKey, apiKeyLine, freshToken, kidOf } from "./programs.mjs";
import { signers } from "./signers.mjs";

const TOKEN = "/.edgeward/token";
const KEYS = { ci: apiKey(), plain: apiKey() };
const LINES = [apiKeyLine("ci", KEYS.ci, "read,write,files:read"), apiKeyLine("plain", KEYS.plain)].join("\n");
const APP = "https://app.acme.example";
const FORM = { "Content-Type": "application/x-www-form-urlencoded" };
const sleep = (millis) => new Promise((done) => setTimeout(done, millis));

let origin;
before(async () => (origin = await startOrigin()));
after(() => origin.stop());

const settings = (policy = {}, more = {}) => ({
  policy: {
    origin: origin.url,
    log: "all",
    token: { lifetime: "15m" },
    tokens: [{ format: "jwt", keys: ["main"] }, { format: "edgeward" }],
    rules: [
      { path: "/public/*", access: "public" },
      { path: "/read/*", scopes: ["read"] },
      { path: "/write/*", scopes: ["write"] },
      { path: "/ci/*", api_keys: ["ci"] },
      { path: "/plain/*", api_keys: ["plain"] },
      { path: "/keys/*", accept: ["api-key"] },
    ],
    cors: { origins: [APP], methods: ["GET", "POST"], headers: ["X-API-Key", "Authorization"] },
    ...policy,
  },
  secrets: secrets({ EDGEWARD_API_KEYS: LINES, ...more }),
});

function asking(gate) {
  const ask = (target, headers = {}, more = {}) =>
    gate.request(target, { ...more, headers: { Accept: "application/problem+json", ...headers } });
  const post = (headers, body, more = {}) => ask(TOKEN, headers, { method: "POST", body, ...more });
  return {
    ask,
    post,
    async token(name = "ci", form) {
      const response = await post({ "X-API-Key": KEYS[name], ...(form ? FORM : {}) }, form);
      assert.equal(response.status, 200, response.text());
      return response.json().access_token;
    },
    async passes(target, headers) {
      const response = await ask(target, headers);
      passed(response);
      return response.origin();
    },
    async refuses(target, headers, cause, status = STATUS[cause]) {
      const response = await ask(target, headers);
      refused(response, cause, status);
      return response;
    },
  };
}
const within = (policy, body, more) => withGate(settings(policy, more), (gate) => body(asking(gate), gate));
const key = (name = "ci") => ({ "X-API-Key": KEYS[name] });
const claimsOf = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));

test("off unless configured", async () => {
  await within({ token: undefined }, async ({ post, ask }) => {
    refused(await post(key()), "not-found");
    refused(await ask(TOKEN, key()), "not-found");
    const expired = await ask("/x", bearer(jwt({ claims: { exp: now() - 100 } })));
    assert.deepEqual([expired.json().cause, expired.json().refresh], ["token-expired", undefined]);
  });
});

test("an API key gets a token, and it is let in as that key", async (t) => {
  await within({}, async ({ post, ask, token, passes, refuses }) => {
    await t.test("the answer (RFC 6749 §5.1)", async () => {
      const response = await post(key());
      assert.equal(response.status, 200);
      assert.match(response.get("content-type"), /^application\/json/);
      assert.equal(response.get("cache-control"), "no-store");
      const { access_token: it, ...rest } = response.json();
      assert.deepEqual(rest, { token_type: "Bearer", expires_in: 900, scope: "read write files:read" });
      const { iat, jti, ...claims } = claimsOf(it);
      assert.deepEqual(claims, { iss: SITE, aud: SITE, sub: "key:ci", scope: "read write files:read", exp: iat + 900 });
      assert.ok(Math.abs(iat - now()) <= 2 && jti.length >= 16);
      const [header, payload, signature] = it.split(".");
      const head = JSON.parse(Buffer.from(header, "base64url"));
      assert.deepEqual(head, { alg: "HS256", kid: kidOf("token"), typ: "at+jwt" });
      const own = freshToken(claimsOf(it)).split(".")[2];
      assert.equal(signature, own, "signed with the key that the documentation names");
      assert.ok(payload.length < 400);
    });
    await t.test("each is another", async () => assert.notEqual(claimsOf(await token()).jti, claimsOf(await token()).jti));
    await t.test("it is let in as the key", async () => {
      const seen = await passes("/x", bearer(await token()));
      assert.deepEqual([seen.get("x-edgeward-user"), seen.get("authorization")], ["key:ci", undefined]);
      const who = (await ask("/.edgeward/whoami", bearer(await token()))).json();
      assert.deepEqual([who.kind, who.user, who.scopes], ["bearer", "key:ci", ["read", "write", "files:read"]]);
      assert.ok(who.expires > now() + 800 && who.expires <= now() + 900);
    });
    await t.test("rules that name keys and scopes hold", async () => {
      await passes("/ci/x", bearer(await token()));
      await passes("/read/x", bearer(await token()));
      await refuses("/plain/x", bearer(await token()), "not-allowed");
      await refuses("/ci/x", bearer(await token("plain")), "not-allowed");
      await refuses("/read/x", bearer(await token("plain")), "insufficient-scope");
      await refuses("/keys/x", bearer(await token()), "credentials-unsupported");
    });
    await t.test("a key without scopes", async () => {
      const { scope, ...rest } = (await post(key("plain"))).json();
      assert.deepEqual([scope, rest.expires_in], [undefined, 900]);
      assert.equal(claimsOf(rest.access_token).scope, undefined);
    });
  });
});

test("fewer scopes, never more", async (t) => {
  await within({}, async ({ post, token, passes, refuses }) => {
    await eachRow(t, [
      ["one", "scope=read", "read"],
      ["two", "scope=write+read", "write read"],
      ["encoded", "grant_type=client_credentials&scope=files%3Aread%20read", "files:read read"],
      ["none named", "grant_type=client_credentials", "read write files:read"],
      ["a parameter without a value (RFC 6749 §3.2)", "scope=", "read write files:read"],
    ], async (form, wanted) => {
      const response = await post({ ...key(), ...FORM }, form);
      assert.equal(response.json().scope, wanted);
      assert.equal(claimsOf(response.json().access_token).scope, wanted);
    });
    await t.test("what was not asked for is not there", async () => {
      const narrow = await token("ci", "scope=read");
      await passes("/read/x", bearer(narrow));
      await refuses("/write/x", bearer(narrow), "insufficient-scope");
    });
    await eachRow(t, [
      ["one that the key has not", "scope=admin"],
      ["one that it has, and one that it has not", "scope=read+admin"],
      ["another case", "scope=Read"],
      ["a part of one", "scope=files"],
    ], async (form) => refused(await post({ ...key(), ...FORM }, form), "insufficient-scope"));
    await t.test("a key without scopes", async () => refused(await post({ ...key("plain"), ...FORM }, "scope=read"), "insufficient-scope"));
    await eachRow(t, [
      ["twice", FORM, "scope=read&scope=write"],
      ["broken", FORM, "scope=%zz"],
      ["in JSON", { "Content-Type": "application/json" }, '{"scope":"read"}'],
      ["without Content-Type", {}, "scope=read"],
    ], async (type, content) => refused(await post({ ...key(), ...type }, content), "request-ambiguous"));
    await t.test("16 KB and no more", async () => {
      assert.equal((await post({ ...key(), ...FORM }, `scope=read&x=${"y".repeat(16_000)}`)).status, 200);
      refused(await post({ ...key(), ...FORM }, `scope=read&x=${"y".repeat(17_000)}`), "content-too-large");
    });
  });
});

test("only an API key gets one", async (t) => {
  await within({}, async ({ post, token, ask }) => {
    const link = signers.edgeward({ url: `${SITE}${TOKEN}`, key: SECRET_BYTES, expires: now() + 600 }).split("?")[1];
    const fresh = await token();
    await eachRow(t, [
      ["nothing", {}, "credentials-missing"],
      ["a token of another issuer", bearer(jwt()), "credentials-unsupported"],
      ["one of these tokens: none lives longer than its 15 minutes", bearer(fresh), "credentials-unsupported"],
      ["Basic", basic("ann"), "credentials-unsupported"],
      ["a key that is unknown", { "X-API-Key": apiKey() }, "credentials-wrong"],
    ], async (headers, cause) => {
      const response = await post(headers);
      refused(response, cause, 401);
      assert.deepEqual(schemes(response), ["ApiKey"]);
      assert.doesNotMatch(response.text(), /access_token/);
    });
    await t.test("a link", async () => {
      const response = await ask(`${TOKEN}?${link}`, {}, { method: "POST" });
      refused(response, "credentials-unsupported", 401);
    });
    await t.test("POST only", async () => {
      for (const method of ["GET", "HEAD", "PUT"]) {
        const response = await ask(TOKEN, key(), { method });
        assert.deepEqual([response.status, response.get("allow")], [405, "POST"], method);
      }
    });
  });
});

test("other sites' requests: a key is no ambient credential, and preflights are answered", async (t) => {
  await within({}, async ({ post, ask }) => {
    await t.test("cross-site, with a key", async () => {
      for (const fields of [{ "Sec-Fetch-Site": "cross-site", Origin: "https://evil.example" }, { Origin: "null" }, { Origin: APP, "Sec-Fetch-Site": "same-site" }])
        assert.equal((await post({ ...key(), ...fields })).status, 200);
    });
    await t.test("CORS", async () => {
      const asked = { Origin: APP, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key" };
      const preflight = await ask(TOKEN, asked, { method: "OPTIONS" });
      assert.equal(preflight.status, 204);
      assert.equal(preflight.get("access-control-allow-origin"), APP);
      assert.match(preflight.get("access-control-allow-methods"), /POST/);
      assert.match(preflight.get("access-control-allow-headers"), /X-API-Key/i);
      const response = await post({ ...key(), Origin: APP });
      assert.deepEqual([response.status, response.get("access-control-allow-origin")], [200, APP]);
      const other = await ask(TOKEN, { ...asked, Origin: "https://evil.example" }, { method: "OPTIONS" });
      assert.equal(other.get("access-control-allow-origin"), undefined);
    });
  });
});

test("what is no token of ours is none", async (t) => {
  await within({}, async ({ token, refuses, passes }) => {
    const good = await token();
    const claims = claimsOf(good);
    const rows = [
      ["another key", freshToken(claims, { key: Buffer.alloc(32, 1) }), "token-bad-signature"],
      ["the secret itself for a key", freshToken(claims, { key: SECRET_BYTES }), "token-bad-signature"],
      ["a secret of nobody", freshToken(claims, { secret: OLD_SECRET_BYTES }), "token-unknown-key"],
      ["a longer life", `${good.split(".")[0]}.${base64url(JSON.stringify({ ...claims, exp: now() + 9000 }))}.${good.split(".")[2]}`, "token-bad-signature"],
      ["alg none", `${base64url(JSON.stringify({ alg: "none", kid: kidOf("token"), typ: "at+jwt" }))}.${good.split(".")[1]}.`, "token-algorithm"],
      ["for another site", freshToken({ ...claims, aud: "https://b.example" }), "token-wrong-audience"],
      ["without exp", freshToken({ ...claims, exp: undefined }), "token-missing-claim"],
      ["without jti", freshToken({ ...claims, jti: undefined }), "token-missing-claim"],
      ["of the future", freshToken({ ...claims, iat: now() + 60, exp: now() + 90 }), "token-not-yet-valid"],
      ["expired this second", freshToken({ ...claims, exp: now() }), "token-expired"],
    ];
    await eachRow(t, rows, (it, cause) => refuses("/x", bearer(it), cause, 401));
    await t.test("one that a foreign key signed with our sub is a foreign token", async () => {
      const seen = await passes("/x", bearer(jwt({ claims: { sub: "key:ci" } })));
      assert.equal(seen.get("x-edgeward-user"), "token:key:ci");
      await refuses("/ci/x", bearer(jwt({ claims: { sub: "key:ci" } })), "not-allowed");
    });
    await t.test("the same made here is let in: the rows above are refused for what they say", () => passes("/x", bearer(freshToken(claims))));
    await t.test("one that another machine made, whose clock is two seconds ahead", () =>
      passes("/x", bearer(freshToken({ ...claims, iat: now() + 2, exp: now() + 60 }))));
    await t.test("on another host of the same gate", async () => {
      await refuses("https://b.example/x", bearer(good), "token-wrong-audience", 401);
    });
  });
});

test("without keys of other issuers, tokens of ours are still read", async () => {
  await within({ tokens: undefined }, async ({ token, passes, refuses }) => {
    await passes("/ci/x", bearer(await token()));
    await refuses("/x", bearer(jwt()), "token-unknown-key");
  }, { EDGEWARD_KEYS: undefined, EDGEWARD_USERS: undefined });
});

test("after a new secret was put in front, what the former signed is good; without it, no longer", async () => {
  const former = await within({}, ({ token }) => token(), { EDGEWARD_SECRET: base64url(OLD_SECRET_BYTES) });
  await within({}, async ({ passes, token }) => {
    await passes("/ci/x", bearer(former));
    assert.equal(JSON.parse(Buffer.from((await token()).split(".")[0], "base64url")).kid, kidOf("token"));
  }, { EDGEWARD_SECRET: `${SECRET} ${base64url(OLD_SECRET_BYTES)}` });
  await within({}, ({ refuses }) => refuses("/ci/x", bearer(former), "token-unknown-key"));
});

test("an expired token is told when it expired and where a fresh one is made", async () => {
  await within({ token: { lifetime: "5s" } }, async ({ token, ask, passes }) => {
    const it = await token();
    await passes("/x", bearer(it));
    await sleep(claimsOf(it).exp * 1000 + 1000 - Date.now());
    const response = await ask("/x", bearer(it));
    const { cause, status, expired_at: at, refresh } = response.json();
    assert.deepEqual([cause, status, at, refresh], ["token-expired", 401, claimsOf(it).exp, TOKEN]);
    const [, fields] = challenges(response).find(([scheme]) => scheme === "Bearer");
    assert.equal(fields.error, "invalid_token");
    const foreign = (await ask("/x", bearer(jwt({ claims: { exp: now() - 100 } })))).json();
    assert.equal(foreign.cause, "token-expired");
    const page = await ask("/x", { ...bearer(it), Accept: "text/html" });
    assert.match(page.text(), /data-cause="token-expired"/);
  });
});

test("lifetimes: from a second to 15 minutes", async (t) => {
  await eachRow(t, [["1s", 1], ["90s", 90], ["15m", 900], [undefined, 900]].map(([text, seconds]) => [String(text), text, seconds]), (lifetime, seconds) =>
    within({ token: { lifetime } }, async ({ post }) => assert.equal((await post(key())).json().expires_in, seconds)));
  await eachRow(t, ["16m", "901s", "0s", "1h", "-1m", 15, ""].map((it) => [String(it), it]), (lifetime) =>
    within({ token: { lifetime } }, async ({ post }, gate) => {
      refused(await post(key()), "not-configured");
      assert.match(await gate.printed(), /EDGEWARD\.token\.lifetime/);
    }));
});

test("the client of the documentation never stops working", async (t) => {
  await within({ token: { lifetime: "3s" } }, async (_, gate) => {
    // What Node's fetch reaches: the gate's own socket takes requests in absolute form only.
    const made = [];
    const door = http.createServer(async ({ method, url, rawHeaders, headers }, response) => {
      if (url === TOKEN) made.push(Date.now());
      const answer = await gate.request({ method, path: `http://${headers.host}${url}`, headers: rawHeaders });
      response.writeHead(answer.status, answer.rawHeaders).end(answer.content);
    });
    await once(door.listen(0, "127.0.0.1"), "listening");
    t.after(() => door.close());
    const site = `http://localhost:${door.address().port}`;
    const client = refreshing(site, KEYS.ci);
    await t.test("for twelve seconds, with tokens of three", async () => {
      const begun = Date.now();
      let count = 0;
      while (Date.now() - begun < 12_000) {
        const responses = await Promise.all([client("/ci/a"), client("/read/b", { method: "POST" }), client("/x?q=1")]);
        for (const response of responses) {
          assert.equal(response.status, 200, await response.clone().text());
          count += 1;
        }
        await sleep(50);
      }
      assert.ok(count > 3 * made.length, `${count} requests, ${made.length} tokens`);
      assert.ok(made.length >= 3 && made.length <= 16, `${made.length} tokens for ${count} requests`);
      t.diagnostic(`${count} requests, ${made.length} tokens`);
    });
    await t.test("what a fresh token does not help is answered as it is", async () => {
      const before = made.length;
      assert.equal((await client("/plain/x")).status, 403);
      assert.ok(made.length <= before + 1);
      const stranger = refreshing(site, apiKey());
      await assert.rejects(stranger("/x"), /no token: 401/);
    });
  });
});

test("no key and no token in the log", async () => {
  await within({}, async ({ token, ask, post }, gate) => {
    const it = await token();
    await ask("/x", bearer(it));
    await ask("/plain/x", bearer(it));
    await post(key(), "scope=admin");
    const printed = await gate.printed();
    const mac = createHmac("sha256", KEYS.ci).digest("hex");
    for (const secret of [KEYS.ci, SECRET, it, it.split(".")[2], mac]) assert.ok(!printed.includes(secret));
    assert.match(printed, new RegExp(`"key":"${kidOf("token")}"`));
  });
});
