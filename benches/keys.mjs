// `npm run bench -- keys`: whether cost grows with what is configured. Keys of tokens, keys of a format that names its key,
// API keys in a secret and in EDGEWARD_KV, and EDGEWARD_KV itself.
import { createHash, randomBytes } from "node:crypto";
import { signers } from "../tests/workerd/signers.mjs";
import { ROOT_SECRET, bearer, jwk, now } from "./credentials.mjs";
import { lean, modulesOf, passOnly } from "./variants.mjs";

const SITE = "https://api.acme.example";
const SIZES = [1, 8, 64, 1000];
const MANY = 10_000;

/** Pass only, one Bearer key, and what may cost more than that. */
export async function variants(build, only) {
  const gate = (title, given) => ({ title, guards: true, modules: modulesOf(build), ...given });
  const all = [
    ...SIZES.map((size) => gate(counted("Bearer", size), tokens(size))),
    gate("Bearer, EDGEWARD_KV bound", { ...tokens(1), stores: { EDGEWARD_KV: {} } }),
    ...SIZES.map((size) => gate(counted("google-cdn", size), links(size))),
    gate("API key, 1 in a secret", apiKeys(1, false)),
    gate("API key, 1 in EDGEWARD_KV", apiKeys(1, true)),
    gate(`API key, ${MANY} in EDGEWARD_KV`, apiKeys(MANY, true)),
  ];
  const [yardstick, ...others] = all;
  return [await passOnly(), yardstick, ...others.filter(({ title }) => only.length === 0 || only.some((it) => title.startsWith(it)))];
}

const counted = (what, size) => `${what}, ${size} ${size === 1 ? "key" : "keys, by the last"}`;

/** `size` keys; the last of them. */
function keySet(size, alg, octets) {
  const keys = Array.from({ length: size }, (_, n) => [`key-${n}`, randomBytes(octets)]);
  const EDGEWARD_KEYS = JSON.stringify({ keys: keys.map(([kid, key]) => jwk(kid, key, alg)) });
  return { last: keys.at(-1), secrets: { EDGEWARD_SECRET: ROOT_SECRET, EDGEWARD_KEYS } };
}

function tokens(size) {
  const { last, secrets } = keySet(size, "HS256", 32);
  return { ...bearer(...last), bindings: { ...secrets, EDGEWARD: lean(["bearer"]) } };
}

function links(size) {
  const { last, secrets } = keySet(size, "HS1", 16);
  const [name, key] = last;
  const signed = (by) => ({
    path: signers["google-cdn"]({ url: `${SITE}/v1/orders/1234`, key: by, expires: now + 3600, name }).slice(SITE.length),
  });
  const EDGEWARD = { ...lean(["signed-url"]), tokens: [{ format: "google-cdn" }] };
  return { good: signed(key), broken: signed(randomBytes(16)), bindings: { ...secrets, EDGEWARD } };
}

function apiKeys(size, stored) {
  const keys = Array.from({ length: size }, () => randomBytes(24).toString("base64url"));
  const line = (key, n) => `client-${n}:${createHash("sha256").update(key).digest("hex")}:read,write`;
  const lines = keys.map(line).join("\n");
  const request = (key) => ({ fields: [`X-API-Key: ${key}`] });
  const EDGEWARD = { ...lean(["api-key"]), ...(stored && { api_key: { kv: true } }) };
  return {
    ...{ good: request(keys.at(-1)), broken: request("another") },
    bindings: { EDGEWARD_SECRET: ROOT_SECRET, ...(stored ? {} : { EDGEWARD_API_KEYS: lines }), EDGEWARD },
    ...(stored && { stores: { EDGEWARD_KV: { "api-keys": lines } } }),
  };
}
