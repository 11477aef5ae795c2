// A panic is one request's misfortune: 500 in the right form, and the next request works. Attack 5.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { passed, refused, shared } from "./expect.mjs";
import { basic, bearer, jwt, policy, secrets } from "./given.mjs";
import { eventually, isBuilt, withGate } from "./harness.mjs";
import { startOrigin } from "./origin.mjs";
import { storesOf, watched } from "./stores.mjs";

const BUILD = "build-panic";
const skip = isBuilt(BUILD) ? false : `no ${BUILD}: node scripts/build.mjs --features panic-probe --out ${BUILD}`;
const ANN = basic("ann");
const PANIC = { "X-Edgeward-Panic": "1" };

test("a Worker that is shipped has no such switch", async () => {
  const origin = await startOrigin();
  try {
    await withGate({ policy: policy(origin), secrets: secrets() }, async (gate) => {
      const response = await gate.request("/x", { headers: { ...ANN, ...PANIC } });
      passed(response);
      assert.equal(response.origin().get("x-edgeward-panic"), undefined);
    });
  } finally {
    await origin.stop();
  }
});

if (skip) test("a panic", { skip }, () => {});
else prove(shared(() => ({ build: BUILD })));

function prove(world) {
  const good = async () => passed(await world.gate.request("/x", { headers: ANN }));

  test("a panic is 500 internal, as problem details", async () => {
    await good();
    const response = await world.ask("/x", { headers: { ...ANN, ...PANIC, "CF-Ray": "0123456789abcdef-AMS" } });
    refused(response, "internal");
    assert.equal(response.get("cache-control"), "no-store");
    assert.equal(response.json().status, 500);
    await good();
  });

  test("a panic is a page for people and a text for programs", async () => {
    const page = await world.gate.request("/x", {
      headers: { ...PANIC, Accept: "text/html", "Sec-Fetch-Mode": "navigate" },
    });
    assert.equal(page.status, 500);
    assert.match(page.get("content-type"), /^text\/html/);
    assert.match(page.text(), /data-cause="internal"/);
    const text = await world.gate.request("/x", { headers: PANIC });
    assert.equal(text.status, 500);
    assert.match(text.get("content-type"), /^text\/plain/);
    assert.ok(text.content.length < 600);
    for (const response of [page, text])
      assert.doesNotMatch(response.text(), /panicked|\.rs\b|unreachable|wasm|RuntimeError/);
  });

  test("a request that waits for a store meanwhile is refused, and one that came after is not", async () => {
    const said = { build: BUILD, ...watched({ ledger: false }), policy: policy(world.origin), secrets: secrets() };
    await withGate(said, async (gate) => {
      const stores = await storesOf(gate);
      await gate.request("/public/x");
      await stores.set({ kv: 2500 });
      const ask = () => gate.request("/x", { headers: { ...bearer(jwt()), Accept: "application/problem+json" } });
      const before = [ask(), ask(), ask()];
      await eventually(async () => (await stores.seen()).reads.length > 0, "the first of them has asked");
      await sleep(800); // the others wait for its answer, which nobody can see
      assert.equal((await gate.request("/x", { headers: PANIC })).status, 500);
      const after = [ask(), ask(), ask()];
      for (const response of await Promise.all(before)) refused(response, "internal");
      for (const response of await Promise.all(after)) passed(response);
    });
  });

  test("ten panics in a row, and after each a good request", async () => {
    for (let i = 0; i < 10; i += 1) {
      assert.equal((await world.ask("/x", { headers: PANIC })).status, 500);
      await good();
      assert.equal((await world.ask("/x")).status, 401);
    }
  });

  test("requests in flight when it happens are answered, by the origin or with 500 in the right form", async () => {
    const flying = Array.from({ length: 12 }, (_, i) => world.ask(`/x/as/slow?ms=${200 + 20 * i}`, { headers: ANN }));
    await sleep(60); // whatever has become of them until then
    assert.equal((await world.ask("/x", { headers: PANIC })).status, 500);
    for (const response of await Promise.all(flying)) {
      if (response.status === 200) assert.equal(response.text(), "slow");
      else refused(response, "internal");
    }
    await good();
  });

  test("a content that streams when it happens arrives whole", async () => {
    let text = "";
    const streaming = await world.gate.request("/x/as/held", { headers: ANN, onResponse: (message) => message.setEncoding("utf8") });
    const ended = once(streaming.on("data", (part) => (text += part)), "end");
    await eventually(() => text === "first\n", "the first part");
    assert.equal((await world.ask("/x", { headers: PANIC })).status, 500);
    assert.equal(await world.origin.release(), 1);
    await ended;
    assert.equal(text, "first\nlast\n");
  });

  test("a panic lets nobody in", async () => {
    await world.origin.forget();
    await world.ask("/x", { headers: PANIC });
    await world.ask("/public/x", { headers: PANIC });
    assert.equal(await world.origin.count(), 0);
  });
}

const sleep = (millis) => new Promise((done) => setTimeout(done, millis));
