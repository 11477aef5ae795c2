// What comes back from the origin, or in its stead. Contract §5.
import assert from "node:assert/strict";
import { test } from "node:test";
import { eachRow, passed, refused, shared } from "./expect.mjs";
import { basic, bearer, jwt, policy, secrets } from "./given.mjs";
import { withGate } from "./harness.mjs";

const world = shared();
const { ask, passes, refuses } = world;
const ANN = basic("ann");
const claimsOf = (seen) => JSON.parse(Buffer.from(seen.get("x-edgeward-assertion").split(".")[1], "base64url"));

/** A request of an account that may pass, for answers that are no echo. */
const viaOrigin = (path, more = {}) => world.gate.request(path, { ...more, headers: { ...ANN, ...more.headers } });

test("shared caches: what is not public is fetched with no-store and leaves as private", async (t) => {
  const STRIPPED = ["cdn-cache-control", "cloudflare-cdn-cache-control", "surrogate-control"];
  const tokens = (value) =>
    (value ?? "")
      .toLowerCase()
      .split(",")
      .map((it) => it.trim().split("=")[0])
      .filter(Boolean);
  await eachRow(
    t,
    [
      ["public", "public, max-age=600, s-maxage=900"],
      ["public in upper case", "PUBLIC, S-MaxAge=900"],
      ["immutable", "public, max-age=31536000, immutable"],
      ["private already", "private, max-age=60"],
    ],
    async (cc) => {
      const response = await viaOrigin(`/x/as/cache-headers?cc=${encodeURIComponent(cc)}`);
      const said = tokens(response.get("cache-control"));
      assert.ok(said.includes("private"), response.get("cache-control"));
      assert.ok(!said.includes("public") && !said.includes("s-maxage"));
      for (const name of STRIPPED) assert.equal(response.get(name), undefined, name);
      assert.equal(response.get("etag"), '"v1"');
    },
  );
  await t.test("stricter stays", async () =>
    assert.ok(tokens((await viaOrigin("/x/as/cache-headers?cc=no-store")).get("cache-control")).includes("no-store")),
  );
  await t.test("none said: private", async () =>
    assert.ok(tokens((await viaOrigin("/x")).get("cache-control")).includes("private")),
  );
  await t.test("by token and in report mode too", async () => {
    for (const [path, headers] of [
      ["/x/as/cache-headers", bearer(jwt())],
      ["/report/as/cache-headers", {}],
    ]) {
      const response = await world.gate.request(path, { headers });
      assert.ok(!tokens(response.get("cache-control")).includes("public"));
    }
  });
  // workerd writes `cache: "no-store"` of a fetch as these two fields.
  await t.test("the fetch says no-store", async () => {
    const seen = await passes("/x", { headers: ANN });
    assert.equal(seen.get("cache-control"), "no-cache");
    assert.equal(seen.get("pragma"), "no-cache");
  });
  for (const [name, path, headers] of [
    ["public", "/public/as/cache-headers", {}],
    ["shared_cache", "/shared/as/cache-headers", ANN],
  ]) {
    await t.test(`${name}: untouched`, async () => {
      const response = await world.gate.request(path, { headers });
      assert.equal(response.get("cache-control"), "public, max-age=600, s-maxage=900");
      for (const field of STRIPPED) assert.ok(response.get(field), field);
    });
  }
});

test("Location and Content-Location on the origin's authority become the public one", async (t) => {
  const of = async (location, content = "/here") =>
    viaOrigin(
      `/x/as/location?location=${encodeURIComponent(location)}&content-location=${encodeURIComponent(content)}`,
    );
  const { url, host } = world.origin;
  await eachRow(
    t,
    [
      ["its own authority", `${url}/there?x=%2f#y`, "https://acme.example/there?x=%2f#y"],
      ["its root", `${url}/`, "https://acme.example/"],
      ["path only", "/there", "/there"],
      ["elsewhere", "https://other.example/there", "https://other.example/there"],
      ["an authority that only begins so", `${url}9.evil.example/`, `${url}9.evil.example/`],
      ["relative", "there", "there"],
      ["scheme-relative, its own", `//${host}/there`, /^(https:)?\/\/acme\.example\/there$/],
    ],
    async (from, to) => {
      const response = await of(from, from);
      assert.equal(response.status, 201);
      for (const name of ["location", "content-location"]) {
        if (to instanceof RegExp) assert.match(response.get(name), to);
        else assert.equal(response.get(name), to);
      }
    },
  );
});

test("a base path of the origin is put on, and taken off again", async (t) => {
  await withGate({ policy: policy(`${world.origin.url}/base`), secrets: secrets() }, async (gate) => {
    const get = (path, more) => gate.request(path, { ...more, headers: ANN });
    await t.test("on", async () => assert.equal((await get("/x/y?z")).origin().url, "/base/x/y?z"));
    await t.test("on a path that looks like an authority", async () =>
      assert.equal((await get("//evil.example/x")).origin().url, "/base//evil.example/x"),
    );
    await t.test("the assertion is for the origin, without the path", async () => {
      const seen = (await get("/x")).origin();
      const claims = claimsOf(seen);
      assert.equal(claims.aud, world.origin.url);
      assert.equal(claims.htu, "https://acme.example/x");
    });
    const rows = [
      ["absolute", `${world.origin.url}/base/there?x`, "https://acme.example/there?x"],
      ["path only", "/base/there?x", "/there?x"],
      ["the base itself", "/base/", "/"],
      ["a path that only begins so", "/basement", "/basement"],
    ];
    for (const [name, from, to] of rows) {
      await t.test(`off, ${name}`, async () => {
        const response = await get(`/location?location=${encodeURIComponent(from)}`);
        assert.equal(response.get("location"), to);
      });
    }
  });
});

test("redirects are passed on, never followed", async () => {
  await world.origin.forget();
  const response = await viaOrigin("/x/as/redirect");
  assert.equal(response.status, 302);
  assert.equal(response.get("location"), "/elsewhere?x=%2f");
  assert.equal(await world.origin.count(), 1);
});

test("Set-Cookie lines stay apart and in order; ours are dropped, a Domain of the origin is dropped", async (t) => {
  const bake = async (...cookies) =>
    (await viaOrigin(`/x/as/set-cookie?${cookies.map((c) => `c=${encodeURIComponent(c)}`).join("&")}`)).all(
      "set-cookie",
    );
  await t.test("two lines", async () =>
    assert.deepEqual(await bake("a=1; Path=/; Expires=Wed, 01 Sep 2027 00:00:00 GMT", "b=2; HttpOnly"), [
      "a=1; Path=/; Expires=Wed, 01 Sep 2027 00:00:00 GMT",
      "b=2; HttpOnly",
    ]),
  );
  await t.test("three of one name", async () =>
    assert.deepEqual(await bake("a=1", "a=2", "a=3"), ["a=1", "a=2", "a=3"]),
  );
  await t.test("Domain of the origin", async () => {
    const [line] = await bake("a=1; Domain=127.0.0.1; Path=/; Secure");
    assert.doesNotMatch(line, /domain/i);
    assert.match(line, /^a=1;.*Path=\/.*Secure/);
  });
  await t.test("Domain of another", async () =>
    assert.deepEqual(await bake("a=1; Domain=acme.example"), ["a=1; Domain=acme.example"]),
  );
  await t.test("names of ours", async () => {
    const lines = await bake(
      "__Host-edgeward=x; Path=/; Secure",
      "a=1",
      "__Host-edgeward-device=x",
      "__Host-edgeward-lang=x",
      "__Host-edgeward-link=x",
      " __Host-edgeward =x",
    );
    assert.deepEqual(lines, ["a=1"]);
    assert.match(await world.gate.printed(), /__Host-edgeward/);
  });
  await t.test("on public rules too", async () => {
    const response = await world.gate.request(`/public/as/set-cookie?c=${encodeURIComponent("__Host-edgeward=x")}&c=b`);
    assert.deepEqual(response.all("set-cookie"), ["b"]);
  });
});

test("Range and conditional requests go through", async () => {
  const part = await viaOrigin("/x/as/range", { headers: { Range: "bytes=2-5" } });
  assert.deepEqual([part.status, part.get("content-range"), part.text()], [206, "bytes 2-5/20", "2345"]);
  const same = await viaOrigin("/x/as/range", { headers: { "If-None-Match": '"r1"' } });
  assert.deepEqual([same.status, same.get("etag")], [304, '"r1"']);
});

test("Via goes out, after those that are there", async () => {
  const seen = await passes("/x", { headers: { ...ANN, Via: "1.0 fred" } });
  assert.match(seen.get("via"), /^1\.0 fred, 1\.1 edgeward-[0-9a-f]{8}$/);
  assert.match((await passes("/public/x")).get("via"), /^1\.1 edgeward-[0-9a-f]{8}$/);
});

test("a Via of ours coming in is a loop: 502, logged", async () => {
  const via = (await passes("/x", { headers: ANN })).get("via");
  for (const [path, headers] of [
    ["/x", ANN],
    ["/public/x", {}],
  ]) {
    await refuses(path, { headers: { ...headers, Via: `1.1 other, ${via}` } }, "origin-unreachable");
  }
  assert.match(await world.gate.printed(), /loop/i);
  await passes("/x", { headers: { ...ANN, Via: "1.1 edgeward-00000000x, 1.1 edgewardly" } });
});

test("an origin that is down is 502, one that hangs up too, and the gate goes on", async () => {
  await withGate({ policy: policy("http://127.0.0.1:1"), secrets: secrets() }, async (gate) => {
    for (const path of ["/x", "/public/x"]) {
      const response = await gate.request(path, { headers: { ...ANN, Accept: "application/json" } });
      refused(response, "origin-unreachable");
      assert.equal(response.get("cache-control"), "no-store");
    }
    assert.equal((await gate.request("/x")).status, 401);
  });
  const response = await ask("/x/as/hang-up", { headers: ANN });
  refused(response, "origin-unreachable");
  await passes("/x", { headers: ANN });
});

test("an origin that breaks off in the middle does not harm the next request", async () => {
  await assert.rejects(viaOrigin("/x/as/half"));
  await passes("/x", { headers: ANN });
});

test("an origin that never answers holds up nobody else, and its own 504 passes", async () => {
  const waiting = new AbortController();
  const hung = viaOrigin("/x/as/no-answer", { signal: waiting.signal }).catch((error) => error.name);
  for (let i = 0; i < 5; i += 1) passed(await ask("/x", { headers: ANN }));
  waiting.abort();
  assert.equal(await hung, "AbortError");
  passed(await ask("/x", { headers: ANN }));
  const own = await viaOrigin("/x/as/status/504");
  assert.deepEqual([own.status, own.text()], [504, "from the origin"]);
});

test("an origin that does not answer in time is 504", async () => {
  await withGate({ policy: policy(world.origin, { origin_timeout: "3s" }), secrets: secrets() }, async (gate) => {
    const response = await gate.request("/x/as/no-answer", { headers: { ...ANN, Accept: "application/json" } });
    refused(response, "origin-timeout");
    const page = await gate.request("/x/as/no-answer", { headers: { ...ANN, Accept: "text/html" } });
    assert.match(page.text(), /data-cause="origin-timeout"/);
    assert.equal((await gate.request("/x/as/slow?ms=200", { headers: ANN })).text(), "slow");
    const text = await gate.request("/x/as/stream", { headers: ANN });
    assert.equal(text.text(), "first\nlast\n", "only the wait for the fields is timed, not the content");
  });
});
