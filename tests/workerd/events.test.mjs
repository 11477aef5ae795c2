// EDGEWARD_EVENTS: a data point for each refusal, and one a minute for each key that verifies something.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { SECRET_BYTES, base64url, basic, bearer, jwt, now, secrets } from "./given.mjs";
import { SITE, eventually, withGate } from "./harness.mjs";
import { startOrigin } from "./origin.mjs";
import { apiKey, apiKeyLine, kidOf } from "./programs.mjs";
import { signers } from "./signers.mjs";
import { storesOf, watched } from "./stores.mjs";

const CI = apiKey();
const sleep = (millis) => new Promise((done) => setTimeout(done, millis));
let origin;
before(async () => (origin = await startOrigin()));
after(() => origin.stop());

const settings = (policy = {}) => ({
  ...watched({ kv: false, ledger: false, events: true }),
  policy: {
    origin: origin.url,
    token: {},
    tokens: [{ format: "jwt", keys: ["main", "main384", "main512"] }, { format: "edgeward" }],
    rules: [
      { path: "/public/*", access: "public" },
      { path: "/denied/*", access: "denied" },
      { path: "/scoped/*", scopes: ["read"] },
      { path: "/report/*", mode: "report" },
    ],
    ...policy,
  },
  secrets: secrets({ EDGEWARD_API_KEYS: apiKeyLine("ci", CI) }),
});

const get = (gate, [path, headers = {}, method = "GET"]) => gate.request(path, { method, headers: { Accept: "application/problem+json", ...headers } });

/** A data point with its blobs by name. */
function read({ blobs, doubles, indexes, ...rest }) {
  assert.deepEqual(rest, {});
  const [event, cause, kind, key, rule, host, ...more] = blobs;
  assert.deepEqual(more, []);
  return { event, cause, kind, key, rule, host, status: doubles, indexes };
}

/** The points that were written, once there are so many, and a moment for one too many. */
async function points(gate, many) {
  const stores = await storesOf(gate);
  await eventually(async () => (await stores.seen()).points.length >= many, `${many} points`);
  await sleep(100);
  return (await stores.seen()).points.map(read);
}

test("one for each refusal: its cause, its status, its rule, and never a secret", async () => {
  await withGate(settings(), async (gate) => {
    const secret = "secret-in-query-77";
    const rows = [
      [["/x"], "credentials-missing", "", "", "", 401],
      [["/x", basic("ann", "no")], "credentials-wrong", "basic", "", "", 401],
      [["/x", { "X-API-Key": apiKey() }], "credentials-wrong", "api-key", "", "", 401],
      [[`/x?q=${secret}`, bearer(jwt({ claims: { exp: now() - 100 } }))], "token-expired", "bearer", "main", "", 401],
      [["/x", bearer(jwt({ key: "x" }))], "token-bad-signature", "bearer", "", "", 401],
      [["/scoped/x", bearer(jwt({ kid: "main384" }))], "insufficient-scope", "bearer", "main384", "2", 403],
      [["/denied/x"], "denied", "", "", "1", 403],
      [["/%zz"], "request-ambiguous", "", "", "", 400],
      [["/.edgeward/nothing"], "not-found", "", "", "", 404],
      [["/.edgeward/health", {}, "DELETE"], "method-not-allowed", "", "", "", 405],
      [["/x", { ...basic("ann"), Origin: "https://evil.example" }, "POST"], "cross-site", "", "", "", 403],
    ];
    for (const [given] of rows) await get(gate, given);
    const found = await points(gate, rows.length);
    const wanted = rows.map(([, cause, kind, key, rule, status]) => ({
      event: "refused", cause, kind, key, rule, host: "acme.example", status: [status], indexes: [cause],
    }));
    assert.deepEqual(found, wanted);
    const everything = JSON.stringify(await (await storesOf(gate)).seen());
    for (const it of [secret, CI, base64url(SECRET_BYTES)]) assert.ok(!everything.includes(it));
  });
});

test("also where the log is silent, and where many come at once", async () => {
  await withGate(settings({ log: "none" }), async (gate) => {
    await Promise.all(Array.from({ length: 40 }, () => get(gate, ["/x"])));
    assert.equal((await points(gate, 40)).length, 40);
    assert.doesNotMatch(await gate.printed(), /credentials-missing/);
  });
});

test("one a minute for each key that let somebody in: so an old one is seen to be unused", async () => {
  await withGate(settings(), async (gate) => {
    const link = signers.edgeward({ url: `${SITE}/a/b`, key: SECRET_BYTES, expires: now() + 600 });
    const fresh = JSON.parse((await gate.request("/.edgeward/token", { method: "POST", headers: { "X-API-Key": CI } })).text()).access_token;
    const given = [
      ["/x", bearer(jwt())],
      ["/scoped/x", bearer(jwt({ claims: { scope: "read" } }))], // the same key by another rule
      ["/x", bearer(jwt({ kid: "main512" }))],
      ["/x", bearer(jwt({ kid: "main512", header: { kid: undefined } }))], // a key that the token does not name
      [link],
      ["/x", bearer(fresh)],
      ["/x", { "X-API-Key": CI }],
      ["/x", basic("ann")],
      ["/public/x", bearer(jwt({ kid: "main384" }))],
      ["/report/x", {}],
    ];
    for (let round = 0; round < 5; round += 1) for (const it of given) assert.equal((await get(gate, it)).status, 200, it[0]);
    const found = await points(gate, 4);
    assert.deepEqual(found.map(({ event, kind, key }) => [event, kind, key]), [
      ["passed", "bearer", "main"],
      ["passed", "bearer", "main512"],
      ["passed", "signed-url", linkKid(link)],
      ["passed", "bearer", kidOf("token")],
    ]);
    assert.deepEqual(found[0], {
      event: "passed", cause: "", kind: "bearer", key: "main", rule: "", host: "acme.example", status: [200], indexes: ["passed"],
    });
  });
});

const linkKid = (link) => base64url(Buffer.from(link.split("ew=")[1], "base64url").subarray(1, 4));

test("without the binding nothing is said, and nothing fails", async () => {
  await withGate({ ...settings(), ...watched({ kv: false, ledger: false }), entry: undefined }, async (gate) => {
    assert.equal((await get(gate, ["/x"])).status, 401);
    assert.equal((await get(gate, ["/x", bearer(jwt())])).status, 200);
    assert.deepEqual(await points(gate, 0), []);
  });
});
