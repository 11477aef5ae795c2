// Stores that a test can watch, slow down and break: a Worker beside the gate's, with the real KV and the real ledger behind.
//
//   startGate({ ...watched(), policy, secrets })   binds EDGEWARD_KV, EDGEWARD_LEDGER and EDGEWARD_EVENTS to it
//   const stores = await storesOf(gate)
//   await stores.set({ kv: "down" })               "good", "down" (throws), "hangs", or milliseconds that it takes
//   await stores.set({ of: { forget: "down" } })   the same for one method of the ledger, or for `put` of KV
//   await stores.seen()                            { reads, writes, calls, points } since the start
//   await stores.put("revoked:sub", "ann")         into the real KV

const SCRIPT = `
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";

const state = { kv: "good", ledger: "good", of: {}, reads: [], writes: [], calls: [], points: [] };
const sleep = (millis) => new Promise((done) => setTimeout(done, millis));

async function as(mode, answer) {
  if (mode === "down") throw new Error("the store is down");
  if (mode === "hangs") await sleep(30_000);
  if (typeof mode === "number") await sleep(mode);
  return answer();
}

export class Kv extends WorkerEntrypoint {
  get(key, options) {
    state.reads.push({ key, options, at: Date.now() });
    return as(state.kv, () => this.env.REAL_KV.get(key, options));
  }
  put(key, value) {
    return as(state.of.put ?? state.kv, async () => {
      await this.env.REAL_KV.put(key, value);
      state.writes.push({ key, value, at: Date.now() });
    });
  }
}

export class Events extends WorkerEntrypoint {
  writeDataPoint(point) {
    state.points.push(point);
  }
}

// The gate's own class does the work; this one stands in front of it.
export class Watched extends DurableObject {
  #call(method, args) {
    state.calls.push({ method, args });
    const real = this.env.REAL_LEDGER.get(this.env.REAL_LEDGER.idFromName(this.ctx.id.toString()));
    return as(state.of[method] ?? state.ledger, () => real[method](...args));
  }
  mark(...args) { return this.#call("mark", args); }
  marked(...args) { return this.#call("marked", args); }
  spend(...args) { return this.#call("spend", args); }
  peek(...args) { return this.#call("peek", args); }
  attempt(...args) { return this.#call("attempt", args); }
  attempts(...args) { return this.#call("attempts", args); }
  forget(...args) { return this.#call("forget", args); }
}

export default {
  async fetch(request) {
    if (request.method === "POST") Object.assign(state, await request.json());
    return Response.json(state);
  },
};`;

// The platform's own binding takes a data point and returns at once; a call to another Worker needs somebody who waits.
const WITH_EVENTS = `
import gate from "./index.js";
export * from "./index.js";
export default {
  fetch(request, env, ctx) {
    const EDGEWARD_EVENTS = { writeDataPoint: (point) => ctx.waitUntil(env.EVENTS.writeDataPoint(point)) };
    return gate.fetch(request, { ...env, EDGEWARD_EVENTS }, ctx);
  },
};`;

/** What `startGate` takes besides policy and secrets; `kv`, `ledger`, `events`: whether the gate has that binding. */
export function watched({ kv = true, ledger = true, events = false } = {}) {
  const entrypoint = (name) => ({ name: "stores", entrypoint: name });
  return {
    ...(events ? { entry: WITH_EVENTS } : {}),
    options: {
      serviceBindings: {
        ...(kv ? { EDGEWARD_KV: entrypoint("Kv") } : {}),
        ...(events ? { EVENTS: entrypoint("Events") } : {}),
      },
      durableObjects: {
        // What the other one stands in front of: the gate's own class.
        LEDGER_ITSELF: { className: "Ledger", useSQLite: true },
        ...(ledger ? { EDGEWARD_LEDGER: { className: "Watched", scriptName: "stores", useSQLite: true } } : {}),
      },
    },
    beside: [
      {
        name: "stores",
        modules: [{ type: "ESModule", path: "stores.js", contents: SCRIPT }],
        kvNamespaces: ["REAL_KV"],
        durableObjects: {
          REAL_LEDGER: { className: "Ledger", scriptName: "gate", useSQLite: true },
          WATCHED: { className: "Watched", useSQLite: true },
        },
      },
    ],
  };
}

/** The stores of a gate that was started so. */
export async function storesOf(gate) {
  const worker = await gate.miniflare.getWorker("stores");
  const kv = await gate.miniflare.getKVNamespace("REAL_KV", "stores");
  const tell = async (init) => (await worker.fetch("http://stores/", init)).json();
  return {
    set: (state) => tell({ method: "POST", body: JSON.stringify(state) }),
    seen: () => tell(),
    put: (key, value) => kv.put(key, value),
    delete: (key) => kv.delete(key),
    /** Puts several; null takes one out. */
    async putAll(values) {
      for (const [key, value] of Object.entries(values)) await (value === null ? kv.delete(key) : kv.put(key, value));
    },
  };
}
