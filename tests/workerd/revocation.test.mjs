// Revocation with the real KV and the real Durable Object: before, after, undone, and while a store is down.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { PASSWORDS, SECRET_BYTES, OLD_SECRET_BYTES, base64url, basic, bearer, jwt, now, secrets } from "./given.mjs";
import { SITE, eventually, withGate } from "./harness.mjs";
import { startOrigin } from "./origin.mjs";
import { apiKey, apiKeyLine, kidOf } from "./programs.mjs";
import { signers } from "./signers.mjs";
import { storesOf, watched } from "./stores.mjs";

const DELAY = 30_000; // milliseconds: what is promised
const SLACK = 8_000; // this machine has other things to do
const sleep = (millis) => new Promise((done) => setTimeout(done, millis));
const JSON_WANTED = { Accept: "application/problem+json" };

let origin;
before(async () => (origin = await startOrigin()));
after(() => origin.stop());

const AKAMAI = Buffer.from("akamai-key-of-revocation-tests/01");
const AKAMAI_OLD = Buffer.from("akamai-key-of-revocation-tests/00");
const hs256 = (kid, key) => ({ kty: "oct", kid, alg: "HS256", k: base64url(key) });
const NAMES = ["ci", "deploy", "eve"];
const API_KEYS = Object.fromEntries(NAMES.map((name) => [name, apiKey()]));
const JWT_KEYS = { main: "main-key-256-octets/main-key-256-", narrow: "narrow-key-octets/narrow-key-octe" };

const settings = (policy = {}, bindings = {}) => ({
  ...watched(bindings),
  policy: {
    origin: origin.url,
    log: "all",
    tokens: [
      { format: "jwt", keys: ["main", "narrow"], require: [] },
      { format: "edgeward" },
      { format: "akamai", keys: ["akamai", "akamai-old"] },
    ],
    token: { lifetime: "15m" },
    rules: [
      { path: "/public/*", access: "public" },
      { path: "/basic/*", accept: ["basic"] },
      { path: "/share/*", accept: ["signed-url"], exchange: "cookie" },
    ],
    ...policy,
  },
  secrets: secrets({
    EDGEWARD_SECRET: `${base64url(SECRET_BYTES)} ${base64url(OLD_SECRET_BYTES)}`,
    EDGEWARD_KEYS: JSON.stringify({
      keys: [
        ...Object.entries(JWT_KEYS).map(([kid, key]) => hs256(kid, Buffer.from(key))),
        hs256("akamai", AKAMAI),
        hs256("akamai-old", AKAMAI_OLD),
      ],
    }),
    EDGEWARD_API_KEYS: NAMES.map((name) => apiKeyLine(name, API_KEYS[name], "read")).join("\n"),
  }),
});

/** A request, and what became of it: "passed", or the cause. */
async function ask(gate, [target, headers = {}]) {
  const response = await gate.request(target, { headers: { ...JSON_WANTED, ...headers } });
  const said = response.status === 200 ? "passed" : response.json().cause;
  return { said, status: response.status, response };
}
const said = async (gate, given) => (await ask(gate, given)).said;
const token = (claims = {}, kid = "main") => [
  "/x",
  bearer(jwt({ kid, alg: "HS256", key: Buffer.from(JWT_KEYS[kid]), claims: { iat: now() - 5, ...claims } })),
];
const withKey = (name) => ["/x", { "X-API-Key": API_KEYS[name] }];
const share = (id, more = {}) => [
  signers.edgeward({
    url: `${SITE}/share/${id}`,
    key: SECRET_BYTES,
    expires: now() + 900,
    id: Buffer.from(id.padEnd(8, ".")),
    ...more,
  }),
];
const shareId = (id) => base64url(Buffer.from(id.padEnd(8, ".")));
const akamai = (path, key = AKAMAI) => [signers.akamai({ url: `${SITE}/${path}`, key, expires: now() + 900 })];

/** The line of the log that tells of a request's path. */
async function logged(gate, path) {
  const lines = (await gate.printed()).split("\n").filter((line) => line.startsWith("{"));
  return lines.map((line) => JSON.parse(line)).findLast((line) => line.path === path);
}

/** The cookie that a browser is given for a link. */
async function cookieFor(gate, [target], held) {
  const headers = { "Sec-Fetch-Mode": "navigate", Accept: "text/html", ...(held ? { Cookie: held } : {}) };
  const response = await gate.request(target, { headers });
  assert.equal(response.status, 303, response.text().slice(0, 200));
  return response.get("set-cookie").split(";")[0];
}

/** A token of ours for an API key, and its claims. */
async function freshToken(gate, name) {
  const response = await gate.request("/.edgeward/token", { method: "POST", headers: { "X-API-Key": API_KEYS[name] } });
  assert.equal(response.status, 200, response.text());
  const it = response.json().access_token;
  return { given: ["/x", bearer(it)], claims: JSON.parse(Buffer.from(it.split(".")[1], "base64url")) };
}

/** Asks until all of them are answered so, and says how long that took; gives up after the delay that is promised. */
async function until(gate, given, wanted, since) {
  for (;;) {
    const found = await Promise.all(given.map((it) => said(gate, it)));
    const took = Date.now() - since;
    if (found.every((it) => it === wanted)) return took;
    if (took > DELAY + SLACK) assert.deepEqual(found, given.map(() => wanted), `after ${took} ms`);
    await sleep(500);
  }
}

describe("revocation", { concurrency: true }, () => {
  test("by id, subject and key: all kinds, within 30 s, until it is undone", async (t) => {
    await withGate(settings(), async (gate) => {
      const stores = await storesOf(gate);
      const [byId, bySubject] = [await freshToken(gate, "ci"), await freshToken(gate, "deploy")];
      const cookie = await cookieFor(gate, share("granted"));
      const signedUrl = akamai("video/1.ts");
      assert.equal(await said(gate, signedUrl), "passed");
      // Its format has no id: the gate makes one, and its log says which.
      const { user } = await logged(gate, "/video/1.ts");
      assert.match(user, /^link:[\w-]{12}$/);
      const rows = {
        "a token, by jti": [token({ jti: "t-1" }), { jti: ["t-1"] }],
        "a token, by sub": [token({ sub: "mallory" }), { sub: ["mallory"] }],
        "a token, by its user": [token({ sub: "oscar" }), { sub: ["token:oscar"] }],
        "a token, by kid": [token({ sub: "ann" }, "narrow"), { kid: ["narrow"] }],
        "a link, by its id": [share("l-1"), { jti: [shareId("l-1")] }],
        "a link, by its user": [share("l-2"), { sub: [`link:${shareId("l-2")}`] }],
        "a link, by its subject": [share("l-3", { subject: "guest 3" }), { sub: ["guest 3"] }],
        "a link, by kid": [share("l-4", { key: OLD_SECRET_BYTES }), { kid: [linkKid(OLD_SECRET_BYTES)] }],
        "a link's cookie": [["/share/granted", { Cookie: cookie }], { jti: [shareId("granted")] }],
        "a foreign signed URL, by the id that the log tells": [signedUrl, { jti: [user.slice("link:".length)] }],
        "a foreign signed URL, by kid": [akamai("video/2.ts", AKAMAI_OLD), { kid: ["akamai-old"] }],
        "an API key": [withKey("eve"), { sub: ["key:eve"] }],
        "a fresh token, by jti": [byId.given, { jti: [byId.claims.jti] }],
        "a fresh token, by its user": [bySubject.given, { sub: ["key:deploy"] }],
      };
      const controls = [
        token({ jti: "t-2", sub: "ann" }),
        token({ jti: "mallory", sub: "t-1" }), // an id is no subject
        share("l-5"),
        akamai("video/3.ts"),
        withKey("ci"),
        ["/basic/x", basic("ann")],
        ["/public/x"],
      ];
      const given = Object.values(rows).map(([it]) => it);
      for (const [name, [it]] of Object.entries(rows)) assert.equal(await said(gate, it), "passed", name);

      const values = (kind) => Object.values(rows).flatMap(([, list]) => list[kind] ?? []);
      await stores.put("revoked:jti", JSON.stringify(Object.fromEntries(values("jti").map((id) => [id, now() + 900]))));
      await stores.put("revoked:sub", JSON.stringify(values("sub")));
      await stores.put("revoked:kid", `${values("kid").join("\n")}\n`);
      const took = await until(gate, given, "token-revoked", Date.now());
      t.diagnostic(`refused after ${took} ms`);
      for (const [name, [it]] of Object.entries(rows)) {
        await t.test(name, async () => {
          const { response } = await ask(gate, it);
          assert.equal(response.status, 401);
          assert.ok(response.get("www-authenticate"), "a challenge");
        });
      }
      for (const it of controls) assert.equal(await said(gate, it), "passed", it[0]);
      const line = await logged(gate, "/video/2.ts");
      assert.deepEqual([line.cause, line.key], ["token-revoked", "akamai-old"]);
      assert.equal(line.detail, "All that this key signed was revoked.");

      const begun = Date.now();
      await stores.putAll({ "revoked:jti": null, "revoked:sub": "", "revoked:kid": "{}" });
      t.diagnostic(`let in after ${await until(gate, given, "passed", begun)} ms`);

      const { reads } = await stores.seen();
      const span = reads.at(-1).at - reads[0].at;
      for (const kind of ["jti", "sub", "kid", "before"]) {
        const times = reads.filter(({ key }) => key === `revoked:${kind}`).length;
        const most = 1 + Math.ceil(span / 27_000);
        assert.ok(times <= most, `${times} reads of ${kind} in ${span} ms, for some hundreds of requests`);
      }
      assert.ok(reads.every(({ options }) => options.cacheTtl === 30));
    });
  });

  test("everything before a moment, within 30 s, until it is undone", async (t) => {
    await withGate(settings(), async (gate) => {
      const stores = await storesOf(gate);
      const fresh = await freshToken(gate, "ci");
      const cookie = await cookieFor(gate, share("granted"));
      const older = [
        token({ iat: now() - 60 }),
        token({ iat: undefined }), // it should say and does not
        share("l-1"),
        ["/share/granted", { Cookie: cookie }],
        akamai("video/1.ts"),
        fresh.given,
      ];
      const younger = [token({ iat: now() + 20 }), share("l-2", { issued: now() + 20 }), withKey("ci"), ["/basic/x", basic("ann")]];
      for (const it of [...older, ...younger]) assert.equal(await said(gate, it), "passed", it[0]);
      const moment = new Date((now() + 10) * 1000).toISOString();
      await stores.put("revoked:before", moment);
      t.diagnostic(`refused after ${await until(gate, older, "token-revoked", Date.now())} ms`);
      for (const it of younger) assert.equal(await said(gate, it), "passed", it[0]);
      await stores.delete("revoked:before");
      t.diagnostic(`let in after ${await until(gate, older, "passed", Date.now())} ms`);
    });
  });

  test("a store that is silent after the first read: refused after 30 s, or let in by what it said last", async (t) => {
    const lasting = (policy) =>
      withGate(settings(policy), async (gate) => {
        const stores = await storesOf(gate);
        await stores.put("revoked:sub", "mallory");
        const bad = token({ sub: "mallory" });
        assert.deepEqual([await said(gate, token()), await said(gate, bad)], ["passed", "token-revoked"]);
        await stores.set({ kv: "down" });
        await stores.delete("revoked:sub");
        const begun = Date.now();
        while (Date.now() - begun < 20_000) {
          assert.deepEqual([await said(gate, token()), await said(gate, bad)], ["passed", "token-revoked"]);
          await sleep(1000);
        }
        await sleep(DELAY + 1000 - (Date.now() - begun));
        return {
          good: await ask(gate, token()),
          bad: await said(gate, bad),
          key: await said(gate, withKey("ci")),
          others: [await said(gate, ["/basic/x", basic("ann")]), await said(gate, ["/public/x"])],
          back: await stores.set({ kv: "good" }).then(() => until(gate, [token(), bad], "passed", Date.now())),
        };
      });
    const [refuse, allow] = await Promise.all([lasting({}), lasting({ revocation_unavailable: "allow" })]);
    await t.test("refuse", () => {
      assert.deepEqual([refuse.good.said, refuse.bad, refuse.key], ["check-unavailable", "check-unavailable", "check-unavailable"]);
      assert.equal(refuse.good.status, 503);
      assert.ok(Number(refuse.good.response.get("retry-after")) > 0);
      assert.deepEqual(refuse.others, ["passed", "passed"]);
    });
    await t.test("allow", () => {
      assert.deepEqual([allow.good.said, allow.bad, allow.key], ["passed", "token-revoked", "passed"]);
      assert.deepEqual(allow.others, ["passed", "passed"]);
    });
    await t.test("a store that is back is asked within seconds", () => {
      assert.ok(refuse.back < 12_000 && allow.back < 12_000, `${refuse.back}, ${allow.back} ms`);
    });
  });
});

const linkKid = (secret) => {
  const [target] = share("x", { key: secret });
  return base64url(Buffer.from(target.split("ew=")[1], "base64url").subarray(1, 4));
};

describe("a store that is silent from the beginning", { concurrency: 2 }, () => {
  for (const [kv, most] of [["down", 2900], ["hangs", 15_000]])
    test(`${kv}: refused in time, and what needs no store passes meanwhile`, async () => {
      await withGate(settings(), async (gate) => {
        const stores = await storesOf(gate);
        await gate.request("/public/x"); // the isolate is there
        await stores.set({ kv });
        const begun = Date.now();
        let answered = false;
        const waiting = Promise.all(Array.from({ length: 30 }, () => ask(gate, token())));
        waiting.then(() => (answered = true), () => {});
        for (const it of [["/basic/x", basic("ann")], ["/public/x"]]) assert.equal(await said(gate, it), "passed");
        if (kv === "hangs") assert.ok(!answered, "Basic does not wait");
        for (const { said: cause, status, response } of await waiting) {
          assert.deepEqual([cause, status], ["check-unavailable", 503]);
          assert.ok(Number(response.get("retry-after")) > 0);
        }
        assert.ok(Date.now() - begun < most, `${Date.now() - begun} ms`);
        const { reads } = await stores.seen();
        assert.ok(reads.length <= 4 * 7, `${reads.length} reads for thirty requests`);
        assert.match(await gate.printed(), /EDGEWARD_KV did not answer/);
        await stores.set({ kv: "good" });
        await sleep(1100);
        assert.equal(await said(gate, token()), "passed");
      });
    });

  test("allow: let in, and the log tells", async () => {
    await withGate(settings({ revocation_unavailable: "allow" }), async (gate) => {
      const stores = await storesOf(gate);
      await stores.set({ kv: "down" });
      assert.equal(await said(gate, token()), "passed");
      assert.match(await gate.printed(), /EDGEWARD_KV did not answer/);
    });
  });
});

test("a value that cannot be read is a store that does not answer", async (t) => {
  await withGate(settings(), async (gate) => {
    const stores = await storesOf(gate);
    for (const [key, value] of [
      ["revoked:jti", '{"t-secret-1": '],
      ["revoked:jti", '{"t-secret-1": 1, "t-secret-1": 2}'],
      ["revoked:sub", '"t-secret-1"'],
      ["revoked:kid", "[1]"],
      ["revoked:kid", "t-secret-1\u0000"],
      ["revoked:before", "yesterday"],
      ["revoked:before", "-1"],
    ])
      await t.test(`${key}: ${JSON.stringify(value)}`, async () => {
        await stores.put(key, value);
        const { said: cause, status, response } = await ask(gate, token());
        assert.deepEqual([cause, status], ["check-unavailable", 503]);
        assert.ok(Number(response.get("retry-after")) > 0);
        const printed = await gate.printed();
        assert.ok(printed.includes(`${key} in EDGEWARD_KV cannot be read`), printed.slice(-400));
        assert.ok(!printed.includes("t-secret-1"), "no id in the log");
        await stores.delete(key);
        await sleep(1050);
      });
    assert.equal(await said(gate, token()), "passed");
  });
});

test("requests that come at once wait for one reading of the store", async () => {
  await withGate(settings(), async (gate) => {
    const stores = await storesOf(gate);
    await gate.request("/public/x");
    await stores.set({ kv: 250 });
    await stores.put("revoked:sub", "mallory");
    const asked = Array.from({ length: 60 }, (_, n) => said(gate, n % 3 === 0 ? token({ sub: "mallory" }) : token()));
    const found = await Promise.all(asked);
    assert.deepEqual(found, found.map((_, n) => (n % 3 === 0 ? "token-revoked" : "passed")));
    assert.equal((await stores.seen()).reads.length, 4, "one for each kind");
  });
});

test("a client that goes away takes nobody's answer along", async () => {
  await withGate(settings(), async (gate) => {
    const stores = await storesOf(gate);
    await gate.request("/public/x");
    await stores.set({ kv: 2000 });
    const gone = new AbortController();
    const first = gate.request(...[token()].map(([path, headers]) => [path, { headers, signal: gone.signal }])[0]);
    await eventually(async () => (await stores.seen()).reads.length > 0, "the first has asked");
    const others = Array.from({ length: 10 }, () => said(gate, token()));
    await sleep(300);
    gone.abort();
    await assert.rejects(first);
    assert.deepEqual(await Promise.all(others), others.map(() => "passed"));
  });
});

test("what is public or denied never asks a store", async () => {
  const policy = { revocation: "strict", rules: [{ path: "/public/*", access: "public" }, { path: "/denied/*", access: "denied" }] };
  await withGate(settings(policy), async (gate) => {
    const stores = await storesOf(gate);
    await stores.set({ kv: "hangs", ledger: "hangs" });
    const begun = Date.now();
    for (const [path, headers, wanted] of [
      ["/public/x", {}, "passed"],
      ["/public/x", bearer(jwt()), "passed"],
      ["/denied/x", bearer(jwt()), "denied"],
      ["/x", {}, "credentials-missing"],
      ["/x", bearer(jwt({ key: "x" })), "token-bad-signature"],
      ["/x", { "X-API-Key": apiKey() }, "credentials-wrong"],
    ])
      assert.equal(await said(gate, [path, headers]), wanted, path);
    const health = await gate.request("/.edgeward/health");
    assert.equal(health.status, 200);
    const { reads, calls } = await stores.seen();
    assert.deepEqual([reads, calls], [[], []]);
    assert.ok(Date.now() - begun < 20_000, "a store that hangs takes longer");
  });
});

test("nobody with a password is asked about in what is revoked", async () => {
  await withGate(settings({ revocation: "strict" }), async (gate) => {
    const stores = await storesOf(gate);
    assert.equal(await said(gate, ["/x", basic("ann")]), "passed");
    assert.equal(await said(gate, ["/x", basic("ann", `${PASSWORDS.ann}!`)]), "credentials-wrong");
    const { reads, calls } = await stores.seen();
    assert.deepEqual(reads.map(({ key }) => key), ["user:ann"], "after a wrong one");
    assert.deepEqual(calls.map(({ method }) => method), ["attempts", "forget", "attempts"]);
  });
});

test("without EDGEWARD_KV nothing is asked, and nothing is revoked", async () => {
  await withGate(settings({}, { kv: false }), async (gate) => {
    assert.equal(await said(gate, token()), "passed");
    assert.deepEqual((await (await storesOf(gate)).seen()).reads, []);
  });
});

test("the key ids of what Edgeward signs are as its documentation says", () => {
  assert.match(kidOf("token"), /^[\w-]{12}$/);
  assert.match(linkKid(SECRET_BYTES), /^[\w-]{4}$/);
});
