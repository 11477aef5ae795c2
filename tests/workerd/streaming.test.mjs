// Content flows both ways without being held. Contract §5.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { shared } from "./expect.mjs";
import { basic } from "./given.mjs";

const world = shared();
const { passes } = world;
const ANN = basic("ann");

/** A request of an account that may pass, for answers that are no echo. */
const viaOrigin = (path, more = {}) => world.gate.request(path, { ...more, headers: { ...ANN, ...more.headers } });

test("content streams: the first part is here before the last is sent", async () => {
  const parts = [];
  await viaOrigin("/x/as/held", {
    onResponse: (message) =>
      new Promise((done, failed) => {
        message.on("data", (chunk) => parts.push(String(chunk)));
        message.once("data", () => {
          parts.push("the origin may go on");
          world.origin.release().catch(failed);
        });
        message.on("error", failed);
        message.on("end", done);
      }),
  });
  assert.deepEqual(parts, ["first\n", "the origin may go on", "last\n"]);
});

const GIB = 1 << 30;

test("1 GiB each way with flat memory", { timeout: 180_000 }, async (t) => {
  const watch = watchMemory();
  const got = await viaOrigin(`/x/as/big?bytes=${GIB}`, { onResponse: counted });
  assert.equal(got, GIB);
  const sent = await viaOrigin("/x", { method: "POST", headers: { "Content-Length": String(GIB) }, body: pour });
  assert.equal(sent.origin().body.length, GIB);
  const grown = watch.stop();
  if (grown === undefined) return t.diagnostic("memory of other processes cannot be read here");
  return assert.ok(grown < 200 * 1024 * 1024, `grew by ${Math.round(grown / 1024 / 1024)} MiB`);
});

const counted = (message) =>
  new Promise((done, failed) => {
    let length = 0;
    message.on("data", (chunk) => (length += chunk.length));
    message.on("error", failed);
    message.on("end", () => done(length));
  });

function pour(request) {
  const chunk = Buffer.alloc(1 << 16, "edgeward");
  let left = GIB;
  const more = () => {
    while (left > 0) {
      left -= chunk.length;
      if (!request.write(chunk)) return request.once("drain", more);
    }
    return request.end();
  };
  more();
}

/** Samples the resident memory of the workerd processes that this test started; on Linux. */
function watchMemory() {
  const first = workerdMemory();
  let most = first ?? 0;
  const timer = setInterval(() => (most = Math.max(most, workerdMemory() ?? 0)), 50);
  return {
    stop() {
      clearInterval(timer);
      return first === undefined ? undefined : most - first;
    },
  };
}

function workerdMemory() {
  try {
    const children = readdirSync("/proc").filter(
      (name) => /^\d+$/.test(name) && statusOf(name)?.PPid === String(process.pid),
    );
    const sizes = children
      .map(statusOf)
      .filter((it) => it?.Name === "workerd")
      .map((it) => Number.parseInt(it.VmRSS, 10) * 1024);
    return sizes.length ? sizes.reduce((a, b) => a + b) : undefined;
  } catch {
    return undefined;
  }
}

function statusOf(pid) {
  try {
    return Object.fromEntries(
      readFileSync(`/proc/${pid}/status`, "utf8")
        .split("\n")
        .map((line) => line.split(":\t").map((it) => it.trim())),
    );
  } catch {
    return undefined; // it ended meanwhile
  }
}

test("Expect: 100-continue goes through", async () => {
  const seen = await passes("/x", { method: "POST", headers: { ...ANN, Expect: "100-continue" }, body: "expected" });
  assert.equal(seen.body.length, 8);
});

test("a refusal of a large upload comes without reading all of it", async () => {
  const response = await world.gate.request("/x", {
    method: "POST",
    headers: { "Content-Length": String(GIB) },
    body: (request) => {
      request.on("error", () => {});
      request.write(Buffer.alloc(1 << 16));
    },
  });
  assert.equal(response.status, 401);
});
