// Nothing of one visitor is shown to another: attack 20.
import assert from "node:assert/strict";
import { test } from "node:test";
import { shared } from "./expect.mjs";
import { PASSWORDS, basic, bearer, jwt } from "./given.mjs";

const world = shared(() => ({ policy: { brand: { name: "Acme" } } }));
const { ask } = world;
const PAGE = { Accept: "text/html" };

test("A, then B, then nobody on one URL: each gets their own answer", async () => {
  const get = (headers) => world.gate.request("/x/as/page", { headers });
  for (let round = 0; round < 3; round += 1) {
    assert.equal((await get(basic("ann"))).text(), "<p>for ann</p>");
    assert.equal((await get(basic("bob"))).text(), "<p>for bob</p>");
    assert.equal((await get(bearer(jwt({ claims: { sub: "jo" } })))).text(), "<p>for token:jo</p>");
    const nobody = await get({});
    assert.equal(nobody.status, 401);
    assert.doesNotMatch(nobody.text(), /ann|bob|jo</);
  }
});

test("the same by a token in the query: the token is in no cache key", async () => {
  const get = (sub) => world.gate.request(`/x/as/page?access_token=${jwt({ claims: { sub } })}`);
  assert.equal((await get("one")).text(), "<p>for token:one</p>");
  assert.equal((await get("two")).text(), "<p>for token:two</p>");
  assert.equal((await world.gate.request("/x/as/page")).status, 401);
});

test("what is not public leaves as private; refusals as no-store", async () => {
  const response = await world.gate.request("/x/as/page", { headers: basic("ann") });
  assert.match(response.get("cache-control"), /\bprivate\b/);
  assert.doesNotMatch(response.get("cache-control"), /public|s-maxage/);
  for (const [path, headers] of [
    ["/x", {}],
    ["/denied/x", {}],
    ["/%zz", {}],
    ["/.edgeward/whoami", basic("ann")],
    ["/.edgeward/problems/denied", {}],
    ["http://acme.example/x", {}],
  ]) {
    assert.equal((await ask(path, { headers })).get("cache-control"), "no-store", path);
  }
});

/** A visitor with everything that could be kept by mistake. */
const visitor = (mark) => ({
  path: `/private-${mark}/page-${mark}?q=query-${mark}`,
  headers: {
    ...PAGE,
    ...basic(`user-${mark}`, `password-${mark}`),
    "CF-Ray": `${mark.repeat(16)}-AMS`,
    "CF-Connecting-IP": "203.0.113.5",
    "User-Agent": `agent-${mark}`,
    Referer: `https://referer-${mark}.example/`,
    Cookie: `c=cookie-${mark}`,
  },
});

test("a kept page holds nothing of the visitor it was first made for", async () => {
  const [a, b] = [visitor("a"), visitor("b")];
  await world.gate.request(a.path, { headers: a.headers });
  const page = (await world.gate.request(b.path, { headers: b.headers })).text();
  assert.doesNotMatch(page, /-a\b|aaaaaaaaaaaaaaaa/);
  assert.ok(page.includes("b".repeat(16)));
});

test("two requests for one page differ in nothing but what is spliced in", async () => {
  const at = (ray) => world.gate.request("/x", { headers: { ...PAGE, "CF-Ray": ray } });
  const [first, second] = [await at("1111111111111111-AMS"), await at("2222222222222222-AMS")];
  const plain = (response) =>
    response
      .text()
      .replaceAll(/1{16}-AMS|2{16}-AMS/g, "RAY")
      .replaceAll(/datetime="[^"]*"|\d{1,2}:\d{2}(:\d{2})?/g, "TIME");
  assert.equal(plain(second), plain(first));
  assert.equal(second.get("content-security-policy"), first.get("content-security-policy"));
});

test("languages and causes are kept apart", async () => {
  const get = async (path, language) =>
    (await world.gate.request(path, { headers: { ...PAGE, "Accept-Language": language } })).text();
  for (let round = 0; round < 2; round += 1) {
    for (const language of ["en", "de", "tlh", "ar"]) {
      assert.match(await get("/x", language), /data-cause="credentials-missing"/);
      assert.match(await get("/denied/x", language), /data-cause="denied"/);
    }
    assert.match(await get("/x", "en"), /<html\b[^>]*\blang="en/);
  }
});

test("a password that was wrong is in no answer", async () => {
  for (const Accept of ["text/html", "application/json", "*/*"]) {
    const response = await world.gate.request("/x", { headers: { ...basic("ann", "a-wrong-secret-99"), Accept } });
    assert.doesNotMatch(response.text() + response.rawHeaders.join(), new RegExp(`a-wrong-secret-99|${PASSWORDS.ann}`));
  }
});
