// One reading of a path, for public, denied and scoped rules, on two doors: the Worker's own socket, where the path
// arrives byte for byte, and the front, which parses it as WHATWG says. Attacks 10 to 13 and 28.
import assert from "node:assert/strict";
import { test } from "node:test";
import { eachRow, refused, shared } from "./expect.mjs";
import { basic, policy, secrets } from "./given.mjs";
import { withGate } from "./harness.mjs";

const world = shared((origin) => ({
  policy: {
    origin: origin.url,
    rules: [
      { path: "/pub/*", access: "public" },
      { path: "/admin/*", groups: ["admins"] },
      { path: "/denied/*", access: "denied" },
      { path: "/scoped/*", scopes: ["read"] },
      { path: "/pub/inner/*", groups: ["admins"] },
      { path: "/a/{id}/open", access: "public" },
      { path: "/a/7/open" },
      { path: "/exact", access: "public" },
      { path: "/hosted/*", host: "api.acme.example", access: "public" },
      { path: "/hosted/*", access: "denied" },
      { path: "/get-only/*", methods: ["GET"], access: "public" },
      { path: "/both/*", methods: ["GET"], access: "public" },
      { path: "/both/*" },
      { path: "/writes/*", methods: ["POST", "PUT"], access: "denied" },
      { path: "/writes/*", access: "public" },
    ],
  },
}));
const { ask, passes, refuses, stops } = world;
const ANN = { headers: basic("ann") };

const open = async (path, more) => assert.equal((await passes(path, more)).url, path);

test("what a public rule covers is public, and the origin gets the received bytes", async (t) => {
  const paths = [
    "/pub",
    "/pub/",
    "/pub/x",
    "/pub/x/y/",
    "/pub/%70%75b",
    "/%70ub/x",
    "/pub/a%20b",
    "/pub/%C3%A9",
    "/pub/%c3%a9",
    "/pub//x",
    "/pub/a;b",
    "/pub/a;b=c/d",
    "/pub/a%2Fb",
    "/pub/a%5Cb",
    "/pub/a%3Fb",
    "/pub/a%23b",
    "/pub/%25zz",
    "/pub/%252541",
    "/pub/~a!$&'()*+,=:@-._",
    "/exact",
    "/exact/",
    "/a/8/open",
    "/a/x%20y/open",
    "/pub/x?a=%zz&&b=/../&c=;",
    "/pub/x??",
  ];
  await eachRow(
    t,
    paths.map((path) => [path, path]),
    (path) => open(path),
  );
});

test("a request that is not public stays so, however its path is written", async (t) => {
  const paths = [
    "/pub/../admin",
    "/pub/..%2fadmin",
    "/pub/%2e%2e/admin",
    "/pub/%2E%2E/admin",
    "/pub/.%2e/admin",
    "/pub/%252e%252e/admin",
    "/pub/%252e%252e%252fadmin",
    "/pub/%25252e%25252e/admin",
    "/pub/..;/admin",
    "/pub/..;x=1/admin",
    "/pub/..%3b/admin",
    "/pub/;/../admin",
    "/pub;/../admin",
    "/pub\\..\\admin",
    "/pub/..\\admin",
    "/pub/%5c../admin",
    "/pub/..%5cadmin",
    "/pub%2f..%2fadmin",
    "/pub%252f..%252fadmin",
    "/pub//../admin",
    "/pub/./../admin",
    "/pub/x/../../admin",
    "/pub/.%00./admin",
    "/pub/..%00/admin",
    "/pub%00/../admin",
    "//admin",
    "///admin",
    "/./admin",
    "/%61dmin",
    "/%61%64%6d%69%6e/x",
    "/admin/",
    "/admin/.",
    "/admin/%2e",
    "/admin//",
    "/admin;x",
    "/admin%23",
    "/admin%3f",
    "/admin%00",
    "/admin%2fx",
    "/admin%5cx",
    "/admin?x=/pub",
    "/admin?/../pub/x",
    "/admin/x?../../pub",
    "/admin/..%2fpub",
    "/admin/%2e%2e/admin/x",
    "/PUB/x",
    "/Pub",
    "/publ",
    "/pu",
    "/pub%zz",
    "/%2e/admin",
    "/x/%2e%2e/admin",
    "/pub/inner",
    "/pub/inner/x",
    "/pub//inner",
    "/pub/./inner",
    "/pub/%69nner",
    "/pub/inner;x",
    "/pub/inner%2f",
    "/pub/x/..%2finner",
    "/pub%2finner",
    "/pub/%2finner",
    "/pub\\inner",
    "/pub/inner%00",
    "/a/7/open",
    "/a/%37/open",
    "/a/7;x/open",
    "/a//7/open",
    "/a/8/%2e%2e/7/open",
    "/a/8%2f..%2f7/open",
    "/a/8/close",
    "/a/8/9/open",
    "/exact/x",
    "/exact%2fx",
    "/exac",
    "/",
  ];
  await eachRow(
    t,
    paths.map((path) => [path, path]),
    async (path) => {
      await stops(path);
      await stopsAtFront(path);
    },
  );
});

/** The front may resolve a path to one that is rightly public: then the origin gets that one and no other. */
async function stopsAtFront(path) {
  const resolved = new URL(path.replaceAll("//", "/-/"), "https://acme.example").pathname.replaceAll("/-/", "//");
  const rightlyPublic = /^\/pub\/(?!inner)\w+$/.test(resolved);
  const before = await world.origin.count();
  const { status } = await world.gate.front(path);
  assert.equal((await world.origin.count()) - before, rightlyPublic ? 1 : 0, `${resolved}: status ${status}`);
  if (rightlyPublic) assert.equal((await world.origin.last()).url, resolved);
  else assert.ok([400, 401, 403, 404].includes(status), String(status));
}

test("paths with more than one reading are 400, before any credentials are looked at", async (t) => {
  const paths = [
    "/pub/../admin",
    "/pub%2f..%2fadmin",
    "/pub/..;/admin",
    "/pub/..%5cadmin",
    "/pub;x=1/y",
    "/pub/%252e%252e/admin",
    "//admin",
    "/admin%2f..%2fpub",
    "/pub/%2finner",
    "/pub/x%2f..%2finner",
    "/admin%00",
    "/admin%3fx",
    "/admin%23x",
  ];
  await eachRow(
    t,
    paths.map((path) => [path, path]),
    async (path) => {
      await refuses(path, {}, "request-ambiguous");
      await refuses(path, ANN, "request-ambiguous");
    },
  );
});

test("what cannot be decoded is always 400", async (t) => {
  const paths = [
    "/pub/%zz",
    "/pub/%",
    "/pub/%4",
    "/pub/%G0",
    "/pub/%ff",
    "/pub/%c3",
    "/pub/%C0%AE",
    "/pub/%ED%A0%80",
    "/pub/%25ff",
    "/pub/%25252541",
    "/pub/%2525252541",
    "/denied/%zz",
    "/admin/%zz",
    "/nowhere/%ff",
  ];
  await eachRow(
    t,
    paths.map((path) => [path, path]),
    (path) => refuses(path, ANN, "request-ambiguous"),
  );
});

test("a denied path stays denied, however it is written and whoever asks", async (t) => {
  await refuses("/denied/x", ANN, "denied");
  await refuses("/denied", {}, "denied");
  await refuses("/%64enied/x", ANN, "denied");
  await refuses("/denied/?a=b", ANN, "denied");
  const paths = [
    "//denied/x",
    "/./denied/x",
    "/denied;a/x",
    "/denied%2fx",
    "/denied%5cx",
    "/denied%00",
    "/denied%3f",
    "/denied%23",
    "/x/../denied/x",
    "/x/%2e%2e/denied/x",
    "/x%2f..%2fdenied/x",
    "/x/..;/denied/x",
    "/%2564enied/x",
    "/pub/..%252fdenied/x",
    "/denied\\x",
    "/denied/../denied/x",
  ];
  await eachRow(
    t,
    paths.map((path) => [path, path]),
    (path) => stops(path, ANN, [400, 403]),
  );
});

test("a rule that wants scopes wants them, however its path is written", async (t) => {
  const paths = [
    "/scoped",
    "/scoped/",
    "/scoped/x",
    "/%73coped/x",
    "//scoped/x",
    "/scoped;a/x",
    "/scoped%2fx",
    "/x/../scoped/x",
    "/x/%2e%2e/scoped/x",
    "/x/..;/scoped/x",
    "/scoped%00",
    "/scoped%3fx",
    "/scoped/./x",
    "/scoped//x",
  ];
  await eachRow(
    t,
    paths.map((path) => [path, path]),
    (path) => stops(path, ANN, [400, 403]),
  );
});

test('case matters, unless paths = "ignore-case"', async () => {
  await refuses("/PUB/x", {}, "credentials-missing");
  const rules = [
    { path: "/Pub/*", access: "public" },
    { path: "/denied/*", access: "denied" },
  ];
  await withGate(
    { policy: policy(world.origin, { paths: "ignore-case", rules }), secrets: secrets() },
    async (gate) => {
      assert.equal((await gate.request("/pUB/x")).status, 200);
      assert.equal((await gate.request("/DENIED/x", ANN)).status, 403);
    },
  );
});

test("a host is compared in lower case, without port and trailing dot", async (t) => {
  for (const host of ["api.acme.example", "API.acme.EXAMPLE", "api.acme.example:8443", "api.acme.example."]) {
    await t.test(host, () => passes({ path: "/hosted/x", authority: host }));
  }
  for (const host of ["acme.example", "xapi.acme.example", "api.acme.example.evil.example"]) {
    await t.test(host, () => refuses({ path: "/hosted/x", authority: host }, {}, "denied"));
  }
  await t.test("X-Forwarded-Host decides nothing", () =>
    refuses(
      "/hosted/x",
      { headers: { "X-Forwarded-Host": "api.acme.example", Forwarded: "host=api.acme.example" } },
      "denied",
    ),
  );
});

test("HEAD is decided as GET, every other method by its own name", async (t) => {
  const status = async (path, method) => (await ask(path, { method })).status;
  assert.equal(await status("/get-only/x", "GET"), 200);
  assert.equal(await status("/get-only/x", "HEAD"), 200);
  assert.equal(await status("/both/x", "HEAD"), 200);
  for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "PURGE", "QUERY"]) {
    await t.test(`${method}: no rule of that path names it`, () =>
      refuses("/get-only/x", { ...ANN, method }, "denied"),
    );
    await t.test(`${method}: the rule without methods decides`, () =>
      refuses("/both/x", { method }, "credentials-missing"),
    );
  }
  await t.test("a rule that names POST decides POST", () => refuses("/writes/x", { ...ANN, method: "POST" }, "denied"));
  await t.test("and no other", () => passes("/writes/x", { method: "PATCH" }));
  await t.test("a method that nobody knows does not get by", async () => {
    const before = await world.origin.count();
    for (const method of ["FOO", "M-SEARCH", "LINK"]) await ask("/both/x", { method });
    assert.equal(await world.origin.count(), before);
  });
});

test("fields that would override the method, the path or the client change nothing", async (t) => {
  const rows = [
    ["X-HTTP-Method-Override", "GET"],
    ["X-HTTP-Method", "GET"],
    ["X-Method-Override", "GET"],
    ["X-Original-URL", "/pub/x"],
    ["X-Rewrite-URL", "/pub/x"],
    ["X-Original-URI", "/pub/x"],
    ["X-Forwarded-Uri", "/pub/x"],
    ["X-Forwarded-Prefix", "/pub"],
    ["X-Forwarded-Proto", "https"],
    ["X-Forwarded-For", "127.0.0.1"],
    ["User-Agent", "kube-probe/1.29"],
    ["User-Agent", "Mozilla/5.0 (compatible; Googlebot/2.1)"],
    ["Referer", "https://acme.example/pub/x"],
  ];
  for (const [name, value] of rows) {
    await t.test(`${name}: ${value}`, async () => {
      await refuses("/admin/x", { headers: { [name]: value } }, "credentials-missing");
      await refuses("/get-only/x", { method: "POST", headers: { [name]: value } }, "denied");
      await refuses("/denied/x", { headers: { ...basic("ann"), [name]: value } }, "denied");
    });
  }
  await t.test("_method in the query", () => refuses("/get-only/x?_method=GET", { method: "POST" }, "denied"));
});

test("what no rule matches is protected", () => refuses("/nowhere/at/all", {}, "credentials-missing"));

test("a path that begins with // stays a path of the origin", async () => {
  const seen = await passes("//evil.example/x", ANN);
  assert.equal(seen.url, "//evil.example/x");
  assert.equal(seen.get("host"), world.origin.host);
});

test("a long path is decided in good time", async () => {
  const times = [];
  for (let round = 0; round < 3; round += 1) {
    const started = performance.now();
    const response = await ask(`/pub/${"%252e%252e%252f;/".repeat(400)}`);
    assert.ok(response.status < 500, String(response.status));
    times.push(performance.now() - started);
  }
  assert.ok(Math.min(...times) < 2000, `${times} ms`);
  refused(await ask(`/pub/${"../".repeat(2000)}admin`), "request-ambiguous");
});
