// Cross-origin sharing. Contract §5, "CORS", and step 6 of the order.
import assert from "node:assert/strict";
import { test } from "node:test";
import { eachRow, refused, shared } from "./expect.mjs";
import { basic, bearer, jwt, policy, secrets } from "./given.mjs";
import { withGate } from "./harness.mjs";

const APP = "https://app.acme.example";
const CORS = {
  origins: [APP, "https://second.example"],
  methods: ["GET", "POST", "DELETE"],
  headers: ["Authorization", "Content-Type"],
  credentials: false,
  max_age: 600,
};
const world = shared(() => ({ policy: { cors: CORS } }));
const { ask, passes, refuses } = world;
const ANN = basic("ann");
const preflight = (origin, method = "POST", more = {}) => ({
  method: "OPTIONS",
  headers: { Origin: origin, "Access-Control-Request-Method": method, ...more },
});
const list = (value) =>
  (value ?? "")
    .split(",")
    .map((it) => it.trim().toLowerCase())
    .filter(Boolean)
    .sort();

test("a preflight from a listed origin gets 204 with the configured values, and does not reach the origin", async (t) => {
  await eachRow(
    t,
    [
      ["protected", "/x"],
      ["scoped", "/scoped/x"],
      ["for one user", "/for-ann"],
      ["nowhere", "/nowhere"],
      ["report", "/report/x"],
    ],
    async (path) => {
      const { response, reached } = await world.counted(
        path,
        preflight(APP, "POST", { "Access-Control-Request-Headers": "authorization" }),
      );
      assert.equal(reached, 0);
      assert.equal(response.status, 204);
      assert.equal(response.content.length, 0);
      assert.equal(response.get("access-control-allow-origin"), APP);
      assert.deepEqual(list(response.get("access-control-allow-methods")), ["delete", "get", "post"]);
      assert.deepEqual(list(response.get("access-control-allow-headers")), ["authorization", "content-type"]);
      assert.equal(response.get("access-control-max-age"), "600");
      assert.equal(response.get("access-control-allow-credentials"), undefined);
      assert.ok(list(response.get("vary")).includes("origin"));
      assert.equal(response.get("www-authenticate"), undefined);
    },
  );
});

test("the answer to a preflight is the same for every protected path", async () => {
  const fields = async (path) =>
    (await ask(path, preflight(APP))).rawHeaders.filter((_, i, all) => !/^(date|connection)$/i.test(all[i - (i % 2)]));
  assert.deepEqual(await fields("/scoped/x"), await fields("/x"));
});

test("a preflight from any other origin is decided like any request", async (t) => {
  for (const origin of [
    "https://evil.example",
    "null",
    "http://app.acme.example",
    `${APP}.evil.example`,
    `${APP}:8443`,
    `${APP}/`,
    APP.toUpperCase(),
  ]) {
    await t.test(origin, async () => {
      const response = await refuses("/x", preflight(origin), "credentials-missing");
      assert.equal(response.get("access-control-allow-origin"), undefined);
    });
  }
});

test("OPTIONS that is no preflight is decided like any request", async () => {
  await refuses("/x", { method: "OPTIONS" }, "credentials-missing");
  await refuses("/x", { method: "OPTIONS", headers: { Origin: APP } }, "credentials-missing");
  await refuses(
    "/x",
    { method: "OPTIONS", headers: { "Access-Control-Request-Method": "GET" } },
    "credentials-missing",
  );
  await passes("/x", { method: "OPTIONS", headers: ANN });
});

test("denied comes before a preflight", () => refuses("/denied/x", preflight(APP), "denied"));

test("a preflight is matched to its rule by the method it asks for", async () => {
  assert.equal((await world.gate.request("/both/x", preflight(APP, "GET"))).get("x-echo"), "1");
  const { response, reached } = await world.counted("/both/x", preflight(APP, "POST"));
  assert.deepEqual([response.status, reached], [204, 0]);
  await refuses("/get-only/x", preflight(APP, "POST"), "denied");
});

test("on public rules a preflight goes to the origin, with credentials off", async () => {
  const seen = await passes("/public/x", preflight(APP, "GET", ANN));
  assert.equal(seen.method, "OPTIONS");
  assert.equal(seen.get("authorization"), undefined);
  assert.equal(seen.get("origin"), APP);
});

test('preflight = "origin" leaves it to the origin, with credentials off', async () => {
  await withGate(
    { policy: policy(world.origin, { cors: { ...CORS, preflight: "origin" } }), secrets: secrets() },
    async (gate) => {
      const response = await gate.request(
        "/x",
        preflight(APP, "POST", { ...ANN, Cookie: "acme_token=abc; z=1", "X-Edgeward-User": "spoofed" }),
      );
      const seen = response.origin();
      assert.equal(seen.method, "OPTIONS");
      assert.equal(seen.get("authorization"), undefined);
      assert.equal(seen.get("cookie"), "z=1");
      assert.equal(seen.get("x-edgeward-user"), undefined);
    },
  );
});

test("every answer of our own to a listed origin can be read there", async (t) => {
  const rows = [
    ["401", "/x", {}],
    ["401 on a wrong token", "/x", bearer("a.b.c")],
    ["403", "/past/x", ANN],
    ["denied", "/denied/x", {}],
    ["400", "/%zz", {}],
    ["404", "/.edgeward/nothing", {}],
    ["whoami", "/.edgeward/whoami", bearer(jwt())],
    ["health", "/.edgeward/health", {}],
  ];
  for (const [name, path, headers] of rows) {
    await t.test(name, async () => {
      for (const form of ["application/json", "text/html", "*/*"]) {
        const response = await world.gate.request(path, { headers: { ...headers, Accept: form, Origin: APP } });
        assert.equal(response.get("access-control-allow-origin"), APP);
        assert.ok(list(response.get("vary")).includes("origin"));
        assert.deepEqual(list(response.get("access-control-expose-headers")), ["retry-after", "www-authenticate"]);
        assert.equal(response.get("access-control-allow-credentials"), undefined);
      }
    });
    await t.test(`${name}, from elsewhere`, async () => {
      const response = await world.gate.request(path, { headers: { ...headers, Origin: "https://evil.example" } });
      assert.equal(response.get("access-control-allow-origin"), undefined);
    });
  }
});

test("the origin's answers keep their own fields; where there are none, ours are added for a listed origin", async () => {
  const get = (path, origin) => world.gate.request(path, { headers: { ...bearer(jwt()), Origin: origin } });
  const own = await get("/x/as/cors", APP);
  assert.deepEqual(own.all("access-control-allow-origin"), ["https://origin-says.example"]);
  const ours = await get("/x", APP);
  assert.equal(ours.get("access-control-allow-origin"), APP);
  assert.ok(list(ours.get("vary")).includes("origin"));
  assert.equal((await get("/x", "https://evil.example")).get("access-control-allow-origin"), undefined);
  assert.equal((await get("/x", "null")).get("access-control-allow-origin"), undefined);
});

test("with credentials the field says so, and a listed origin may send ambient ones", async () => {
  await withGate(
    { policy: policy(world.origin, { cors: { ...CORS, credentials: true } }), secrets: secrets() },
    async (gate) => {
      const flight = await gate.request("/x", preflight(APP));
      assert.equal(flight.get("access-control-allow-credentials"), "true");
      assert.equal(flight.get("access-control-allow-origin"), APP);
      const mine = await gate.request("/x", { method: "POST", headers: { ...ANN, Origin: APP } });
      assert.equal(mine.status, 200);
      assert.equal(mine.get("access-control-allow-credentials"), "true");
      const foreign = await gate.request("/x", {
        method: "POST",
        headers: { ...ANN, Origin: "https://evil.example", Accept: "application/json" },
      });
      refused(foreign, "cross-site");
    },
  );
  await refuses("/x", { method: "POST", headers: { ...ANN, Origin: APP } }, "cross-site");
});

test('"*" lets every origin read, without credentials, and null is nobody', async () => {
  await withGate(
    { policy: policy(world.origin, { cors: { ...CORS, origins: ["*"] } }), secrets: secrets() },
    async (gate) => {
      for (const origin of [APP, "https://anyone.example"]) {
        const response = await gate.request("/x", { headers: { Origin: origin } });
        assert.ok(["*", origin].includes(response.get("access-control-allow-origin")));
        assert.equal(response.get("access-control-allow-credentials"), undefined);
        assert.equal((await gate.request("/x", preflight(origin))).status, 204);
      }
    },
  );
});

test("without a cors table no answer carries its fields", async () => {
  await withGate({ policy: policy(world.origin), secrets: secrets() }, async (gate) => {
    for (const path of ["/x", "/.edgeward/health"]) {
      const { rawHeaders } = await gate.request(path, { headers: { Origin: APP } });
      assert.doesNotMatch(rawHeaders.join("\n"), /access-control-/i);
    }
    assert.equal((await gate.request("/x", preflight(APP))).status, 401);
  });
});
