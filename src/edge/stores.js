// What the Rust module asks of the stores. Each function is one question: it takes and gives text, has a limit of time,
// and never throws. A store that fails, or is not bound, answers undefined; what that means is decided in Rust.

const LIMIT = 3000; // milliseconds

// The order of `revocation::KV_KEYS`, and what `edge::store` reads behind it.
const REVOKED = ["revoked:jti", "revoked:sub", "revoked:kid", "revoked:before"];
const API_KEYS = "api-keys";

// The least that Workers KV takes, in seconds.
const CACHE_TTL = 30;

/** The values of EDGEWARD_KV that say what is revoked, and with `withKeys` the API keys: each text or null. */
export const stored = (env, withKeys) =>
  answered("EDGEWARD_KV", async () => {
    const keys = withKeys ? [...REVOKED, API_KEYS] : REVOKED;
    return Promise.all(keys.map((key) => env.EDGEWARD_KV.get(key, { cacheTtl: CACHE_TTL })));
  });

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
async function answered(store, ask) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${LIMIT / 1000} s`)), LIMIT);
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
