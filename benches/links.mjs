// `npm run bench -- links`: what a signed URL of each format costs, as a ratio to a Bearer token. The gates are the same but
// for the one entry of their policy; all verify and pass on.
import { randomBytes } from "node:crypto";
import { akamaiToken, googleGrant, mediaToken, signers } from "../tests/workerd/signers.mjs";
import { ROOT_KEY, ROOT_SECRET, bearer, jwk, now } from "./credentials.mjs";
import { lean, modulesOf, passOnly } from "./variants.mjs";

const SITE = "https://api.acme.example";
const URL_SIGNED = `${SITE}/v1/orders/1234?page=2`;
const expires = now + 3600;

const query = (sign) => (key) => ({ path: sign({ url: URL_SIGNED, key, expires }).slice(SITE.length) });
const cookie = (name, value) => (key) => ({
  path: URL_SIGNED.slice(SITE.length),
  fields: [`Cookie: theme=dark; ${name}=${value(key)}`],
});

/** Name, format, the request that a key signs; then what else its entry says, and the algorithm of its key. */
const FORMATS = [
  ["akamai, acl", "akamai", query((it) => signers.akamai({ ...it, acl: "/v1/*" }))],
  ["akamai, url", "akamai", query(signers.akamai)],
  ["akamai, cookie", "akamai", cookie("__token__", (key) => akamaiToken({ key, expires, acl: "/v1/*" }))],
  ["bunny", "bunny", query(signers.bunny)],
  ["bunny, path", "bunny", query((it) => signers.bunny({ ...it, inPath: true, directory: "/v1/" })), { from: ["path"] }],
  ["cloudflare", "cloudflare", query(signers.cloudflare), { ttl: 3600 }],
  ["edgeward", "edgeward", query(signers.edgeward)],
  ["edgeward, prefix", "edgeward", query((it) => signers.edgeward({ ...it, prefix: "/v1/" }))],
  ["fastly", "fastly", query(signers.fastly), {}, "HS1"],
  ["google-cdn", "google-cdn", query((it) => signers["google-cdn"]({ ...it, name: "k" })), {}, "HS1"],
  [
    ...["google-cdn, prefix", "google-cdn"],
    ...[query((it) => signers["google-cdn"]({ ...it, name: "k", prefix: `${SITE}/v1/` })), {}, "HS1"],
  ],
  [
    ...["google-cdn, cookie", "google-cdn"],
    cookie("Cloud-CDN-Cookie", (key) => googleGrant({ key, expires, name: "k", prefix: `${SITE}/v1/`, separator: ":" })),
    ...[{}, "HS1"],
  ],
  ["laravel", "laravel", query(signers.laravel)],
  ["media-cdn", "media-cdn", query(signers["media-cdn"])],
  ["media-cdn, globs", "media-cdn", query((it) => signers["media-cdn"]({ ...it, globs: "/v1/*" }))],
  ["media-cdn, cookie", "media-cdn", cookie("Edge-Cache-Token", (key) => mediaToken({ key, expires, globs: "/v1/*" }))],
  ["nginx-hmac", "nginx-hmac", query(signers["nginx-hmac"]), { pattern: "$uri|$arg_ts|$arg_e" }],
  ["symfony", "symfony", query(signers.symfony)],
];

/** Pass only, a Bearer token, and each format. */
export async function variants(build, only) {
  const modules = modulesOf(build);
  const formats = FORMATS.map((format) => link(modules, ...format));
  return [await passOnly(), token(modules), ...formats.filter(({ title }) => only.length === 0 || only.some((it) => title.startsWith(it)))];
}

function token(modules) {
  const key = randomBytes(32);
  const bindings = { ...secrets(jwk("k", key)), EDGEWARD: lean(["bearer"]) };
  return { title: "Bearer, HS256", guards: true, modules, bindings, ...bearer("k", key) };
}

function link(modules, title, format, request, entry = {}, alg = "HS256") {
  const own = format === "edgeward";
  const key = own ? ROOT_KEY : randomBytes(alg === "HS1" ? 16 : 32);
  const EDGEWARD = { ...lean(["signed-url"]), tokens: [{ format, ...entry }] };
  const bindings = { ...(own ? secrets() : secrets(jwk("k", key, alg))), EDGEWARD };
  return { title, guards: true, modules, bindings, good: request(key), broken: request(randomBytes(key.length)) };
}

const secrets = (...keys) => ({
  EDGEWARD_SECRET: ROOT_SECRET,
  ...(keys.length > 0 && { EDGEWARD_KEYS: JSON.stringify({ keys }) }),
});
