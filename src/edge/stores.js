// What the Rust module asks of the stores. Each function is one question: it takes and gives text, has a limit of time,
// and never throws. A store that fails, or is not bound, answers undefined; what that means is decided in Rust.

const LIMIT = 3000; // milliseconds

// The order of `revocation::KV_KEYS`.
const REVOKED = ["revoked:jti", "revoked:sub", "revoked:kid", "revoked:before"];

// Workers KV takes one write a second for each key, and says 429 to any other.
const WRITES = 3;
const NEXT_WRITE = 1100; // milliseconds
const WRITE_LIMIT = 6000; // milliseconds

// The least that Workers KV takes, in seconds.
const CACHE_TTL = 30;

/** The values of EDGEWARD_KV that say what is revoked, and those of `more` keys, one a line: each text or null. */
export const stored = (env, more = "") =>
  answered("EDGEWARD_KV", async () => {
    const keys = [...REVOKED, ...more.split("\n").filter(Boolean)];
    return Promise.all(keys.map((key) => env.EDGEWARD_KV.get(key, { cacheTtl: CACHE_TTL })));
  });

/**
 * Reads the value of EDGEWARD_KV under a key, has it changed, writes it: true where that was done. `change` takes text or
 * null and gives text, or undefined where nothing may be written over what is there.
 */
export const rewritten = (env, key, change) =>
  answered("EDGEWARD_KV", async () => {
    for (let left = WRITES; ; left -= 1) {
      const value = change(await env.EDGEWARD_KV.get(key, { cacheTtl: CACHE_TTL }));
      if (value === undefined) throw new Error(`${key} holds what cannot be read`);
      try {
        await env.EDGEWARD_KV.put(key, value);
        return true;
      } catch (error) {
        if (left === 1) throw error;
        await new Promise((done) => setTimeout(done, NEXT_WRITE));
      }
    }
  }, WRITE_LIMIT);

/** The value of EDGEWARD_KV under a key: text or null. */
export const value = (env, key) =>
  answered("EDGEWARD_KV", () => env.EDGEWARD_KV.get(key, { cacheTtl: CACHE_TTL }));

/** Calls `method` of the object of EDGEWARD_LEDGER by that name. `args` is a JSON array, the answer JSON. */
export const ledger = (env, object, method, args) =>
  answered("EDGEWARD_LEDGER", async () => {
    const stub = env.EDGEWARD_LEDGER.get(env.EDGEWARD_LEDGER.idFromName(object));
    return JSON.stringify(await stub[method](...JSON.parse(args)));
  });

/** What `ask` comes to, or undefined and a line in the log. */
async function answered(store, ask, limit = LIMIT) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${limit / 1000} s`)), limit);
  });
  try {
    return await Promise.race([ask(), late]);
  } catch (error) {
    console.error(JSON.stringify({ edgeward: "store", store, message: String(error?.message ?? error) }));
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
