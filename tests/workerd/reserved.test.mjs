// What lies below /.edgeward/. Contract §6.
import assert from "node:assert/strict";
import { test } from "node:test";
import { STATUS, eachRow, shared } from "./expect.mjs";
import { basic, bearer, jwt, now } from "./given.mjs";

const world = shared();
const { ask, refuses, stops } = world;
const ANN = basic("ann");
const whoami = (headers) => ask("/.edgeward/whoami", { headers });

test("health is 200, for everybody", async () => {
  const response = await ask("/.edgeward/health");
  assert.equal(response.status, 200);
  assert.equal(response.get("cache-control"), "no-store");
  assert.equal((await ask("/.edgeward/health", { method: "HEAD" })).status, 200);
});

test("whoami: an account", async () => {
  const response = await whoami(ANN);
  assert.equal(response.status, 200);
  assert.match(response.get("content-type"), /^application\/json/);
  assert.deepEqual(response.json(), {
    authenticated: true,
    kind: "basic",
    user: "ann",
    groups: ["staff", "admins"],
    scopes: [],
    expires: null,
  });
});

test("whoami: a token", async () => {
  const exp = now() + 600;
  const response = await whoami(bearer(jwt({ claims: { sub: "jo", exp, groups: ["g"], scope: "read write" } })));
  assert.deepEqual(response.json(), {
    authenticated: true,
    kind: "bearer",
    user: "token:jo",
    groups: ["g"],
    scopes: ["read", "write"],
    expires: exp,
  });
});

test("whoami: a token that names nobody and never ends", async () => {
  const response = await whoami(bearer(jwt({ kid: "narrow", claims: { sub: undefined, exp: undefined } })));
  assert.deepEqual(response.json(), {
    authenticated: true,
    kind: "bearer",
    user: null,
    groups: [],
    scopes: [],
    expires: null,
  });
});

test("whoami: nobody", async () => {
  await refuses("/.edgeward/whoami", {}, "credentials-missing");
  await refuses("/.edgeward/whoami", { headers: basic("ann", "wrong") }, "credentials-wrong");
  await refuses("/.edgeward/whoami", { headers: bearer(jwt({ claims: { exp: 1 } })) }, "token-expired");
});

test("every cause has a page that explains it", async (t) => {
  await eachRow(
    t,
    Object.keys(STATUS).map((cause) => [cause, cause]),
    async (cause) => {
      const response = await world.gate.request(`/.edgeward/problems/${cause}`, { headers: { Accept: "text/html" } });
      assert.equal(response.status, 200);
      assert.match(response.get("content-type"), /^text\/html/);
      assert.ok(response.content.length > 300);
      assert.ok(response.text().includes(cause));
      const head = await world.gate.request(`/.edgeward/problems/${cause}`, {
        method: "HEAD",
        headers: { Accept: "text/html" },
      });
      assert.deepEqual([head.status, head.content.length], [200, 0]);
    },
  );
});

test("what is not there is 404, and never the origin's", async (t) => {
  const paths = [
    "/.edgeward/",
    "/.edgeward/x",
    "/.edgeward/problems",
    "/.edgeward/problems/",
    "/.edgeward/problems/none-such",
    "/.edgeward/brand/none.svg",
    "/.edgeward/brand/",
    "/.edgeward/HEALTH",
    "/.edgeward/health2",
    "/.edgeward/pages/401.html",
    "/.edgeward/policy.json",
  ];
  await eachRow(
    t,
    paths.map((path) => [path, path]),
    (path) => refuses(path, { headers: ANN }, "not-found"),
  );
});

test("a reserved path that bears a mark is 404", async (t) => {
  const paths = [
    "/.edgeward//health",
    "/.edgeward/health;x",
    "/.edgeward/%2e%2e/health",
    "/.edgeward/x%2fhealth",
    "/.edgeward/health%00",
    "/.edgeward/health%3f",
    "/.edgeward/brand/..%2fpolicy.json",
    "/.edgeward/brand/%2e%2e%2fpolicy.json",
    "/.edgeward/brand/..%5cpolicy.json",
  ];
  await eachRow(
    t,
    paths.map((path) => [path, path]),
    (path) => stops(path, { headers: ANN }, [400, 404]),
  );
});

test("another spelling of a reserved path does not reach the origin either", async (t) => {
  const paths = [
    "/%2eedgeward/health",
    "/.%65dgeward/health",
    "//.edgeward/health",
    "/./.edgeward/health",
    "/x/../.edgeward/health",
    "/x%2f..%2f.edgeward/health",
    "/.edgeward%2fhealth",
    "/.edgeward;x/health",
    "/public/..%2f.edgeward/whoami",
    "/.edgeward\\health",
    "/.edgeward/../x",
  ];
  await eachRow(
    t,
    paths.map((path) => [path, path]),
    (path) => stops(path, { headers: ANN }, [200, 400, 404]),
  );
});

test("rules do not open or close what is reserved", async () => {
  assert.equal((await ask("/.edgeward/health")).status, 200);
  await stops("/.edgeward/nothing", { headers: ANN }, [404]);
});

test("methods that are not there are 405, with Allow", async (t) => {
  for (const path of ["/.edgeward/health", "/.edgeward/whoami", "/.edgeward/problems/denied"]) {
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"]) {
      await t.test(`${method} ${path}`, async () => {
        const response = await refuses(path, { method, headers: ANN }, "method-not-allowed");
        assert.deepEqual(
          response
            .get("allow")
            .split(",")
            .map((it) => it.trim())
            .sort(),
          ["GET", "HEAD"],
        );
      });
    }
  }
});
