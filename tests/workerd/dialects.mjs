// The dialects of signed URLs as the tests go through them: an entry of the policy for each, its keys, how a link is made
// and changed, and what of a URL each of them signs.
import { SITE } from "./harness.mjs";
import { SECRET_BYTES, OLD_SECRET_BYTES, base64url, now } from "./given.mjs";
import { akamaiToken, googleGrant, mediaToken, parts, signers } from "./signers.mjs";

const octets = (text, length) => Buffer.from(text.repeat(8).slice(0, length));
const flipped = (key) => Buffer.from(key.map((octet, at) => (at === 5 ? octet ^ 1 : octet)));

/** The pairs of a raw query. */
const pairs = (url) => (parts(url).query === undefined ? [] : parts(url).query.split("&"));
const nameOf = (pair) => decoded(pair.split("=")[0]);
/** The raw values of parameters, however their names are spelled: all of them leave the URL before the origin. */
export const values = (url, ...names) =>
  pairs(url)
    .filter((pair) => names.includes(nameOf(pair)))
    .map((pair) => pair.slice(pair.indexOf("=") + 1));
const rest = (url, ...names) => pairs(url).filter((pair) => !names.includes(nameOf(pair)));
/** Cloudflare and Symfony write either alphabet of base64, and where a MAC has none of the characters that differ, it is one. */
const eitherAlphabet = (text) => text.replaceAll("%2B", "-").replaceAll("%2F", "_").replace(/%3D$/, "");
const path = (url) => parts(url).path;
const decoded = (text) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
};
const origin = (url) => parts(url).origin;

/**
 * `alg`: of its keys. `mac`, `expiry`: where they stand in a link. `parameter`: the one that bears the MAC. `view`: all that
 * a link signs, and the token that signs it. `query`: whether the query is signed;
 * `decoded`: whether the path is, decoded. `below`, `search`: what it can sign of a path and a query, where that is not all. `through`: whether the last second is good.
 */
export const DIALECTS = {
  akamai: {
    alg: "HS256",
    mac: /hmac=([0-9a-f]{64})/,
    expiry: /exp=(\d+)/,
    parameter: "__token__",
    separator: "~",
    query: true,
    through: true,
    view: (url) => [path(url), rest(url, "__token__"), values(url, "__token__")],
    grant: (prefix, given) => ({ ...given, acl: `${prefix}*` }),
    endless: true,
  },
  bunny: {
    alg: "HS256",
    mac: /HS256-([A-Za-z0-9_-]{43})/,
    expiry: /expires=(\d+)/,
    parameter: "token",
    query: true,
    anyOrder: true,
    through: true,
    search: "q=x%20y&r=~z",
    view: (url) => [path(url), pairs(url).sort()],
    grant: (prefix, given) => ({ ...given, directory: prefix }),
  },
  cloudflare: {
    alg: "HS256",
    entry: { ttl: 3600 },
    mac: /verify=\d+-([A-Za-z0-9%]+)/,
    expiry: /verify=(\d+)/,
    parameter: "verify",
    separator: "-",
    query: true,
    through: false,
    view: (url) => [path(url), pairs(url).map((pair) => (/^verify=/.test(pair) ? eitherAlphabet(pair) : pair))],
  },
  edgeward: {
    mac: /ew=[\w-]*([\w-]{43})/,
    parameter: "ew",
    query: true,
    host: true,
    methods: ["GET"],
    through: false,
    view: (url) => [path(url), rest(url, "ew"), values(url, "ew")],
    grant: (prefix, given) => ({ ...given, prefix }),
    causes: { path: "token-wrong-scope", key: "token-unknown-key" },
  },
  fastly: {
    alg: "HS1",
    mac: /token=\d+_([0-9a-f]{40})/,
    expiry: /token=(\d+)/,
    parameter: "token",
    separator: "_",
    query: false,
    through: true,
    view: (url) => [path(url), values(url, "token")],
  },
  "google-cdn": {
    alg: "HS1",
    size: 16,
    named: true,
    mac: /Signature=([\w-]{27}=)/,
    expiry: /Expires=(\d+)/,
    parameter: "Signature",
    query: true,
    host: true,
    methods: ["GET"],
    through: true,
    view: (url) => [origin(url), path(url), pairs(url)],
    grant: (prefix, given) => ({ ...given, prefix: SITE + prefix }),
  },
  laravel: {
    alg: "HS256",
    mac: /signature=([0-9a-f]{64})/,
    expiry: /expires=(\d+)/,
    parameter: "signature",
    query: true,
    host: true,
    through: true,
    view: (url) => [origin(url), path(url), rest(url, "signature"), values(url, "signature")],
    endless: true,
  },
  "media-cdn": {
    alg: "HS256",
    mac: /hmac=([0-9a-f]{64})/,
    expiry: /Expires=(\d+)/,
    parameter: "edge-cache-token",
    separator: "~",
    query: false,
    through: true,
    view: (url) => [path(url), values(url, "edge-cache-token")],
    grant: (prefix, given) => ({ ...given, globs: `${prefix}*` }),
    endless: true,
  },
  "nginx-hmac": {
    alg: "HS256",
    entry: { pattern: "$uri|$arg_ts|$arg_e" },
    mac: /st=([\w-]{43})/,
    expiry: /&e=(\d+)/,
    parameter: "st",
    query: false,
    through: true,
    decoded: true,
    below: "/a~b/c/d%20e",
    view: (url) => [decoded(path(url)), values(url, "st"), values(url, "ts"), values(url, "e")],
  },
  symfony: {
    alg: "HS256",
    mac: /_hash=([\w-]{43})/,
    expiry: /_expiration=(\d+)/,
    parameter: "_hash",
    query: true,
    anyOrder: true,
    host: true,
    through: false,
    view: (url) => [
      origin(url),
      path(url),
      pairs(url)
        .map((pair) => (/^_hash=/.test(pair) ? eitherAlphabet(pair) : pair))
        .sort(),
    ],
    endless: true,
  },
};

for (const [format, dialect] of Object.entries(DIALECTS)) {
  const own = format === "edgeward";
  const current = own ? SECRET_BYTES : octets(`${format} key of tests/`, dialect.size ?? 32);
  const older = own ? OLD_SECRET_BYTES : octets(`${format} older key/`, dialect.size ?? 32);
  const name = (key) => (key === older ? `${format}-old` : format);
  Object.assign(dialect, {
    format,
    older,
    wrong: flipped(current),
    /** A path and query that bear every mark that the dialect can sign. */
    marked: `${dialect.below ?? "/a~b/c%2Fd%20e"}?${dialect.search ?? "q=x+y&r=~z"}`,
    /** A link to a path and query below the rule of this dialect. */
    link: (below, given = {}) => {
      const key = given.key ?? current;
      const all = { url: `${SITE}/${format}${below}`, key, expires: now() + 600, name: name(key), ...given };
      return signers[format](all);
    },
    causes: {
      signature: "token-bad-signature",
      expiry: "token-bad-signature",
      path: "token-bad-signature",
      key: "token-bad-signature",
      ...dialect.causes,
    },
  });
  dialect.keys = own ? [] : [current, older].map((key) => jwk(name(key), dialect.alg, key));
}

function jwk(kid, alg, key) {
  return { kty: "oct", kid, alg, k: base64url(key) };
}

const all = Object.values(DIALECTS);

/** A link with its MAC put through `change`. */
export const withMac = (dialect, link, change) => replaced(link, dialect.mac, change);
/** A link with its expiry put through `change`: nothing is signed anew. */
export const withExpiry = (dialect, link, change) => replaced(link, dialect.expiry, change);

function replaced(link, pattern, change) {
  const found = pattern.exec(link);
  const at = found.index + found[0].lastIndexOf(found[1]);
  return link.slice(0, at) + change(found[1]) + link.slice(at + found[1].length);
}

const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** A MAC with one bit of it changed, in its own spelling; the bit is one in the middle. */
export function oneBit(mac) {
  const at = [20, 21, 22, 23, 24, 25].find((it) => /[A-Za-z0-9]/.test(mac[it]) && !/%.?$/.test(mac.slice(0, it)));
  const one = /^[0-9a-f]+$/.test(mac) ? (parseInt(mac[at], 16) ^ 1).toString(16) : BASE64[BASE64.indexOf(mac[at]) ^ 1];
  return mac.slice(0, at) + one + mac.slice(at + 1);
}

/** Cookies that bear a token for all below a prefix: name and value. */
export const COOKIES = {
  akamai: (prefix, more) => ["__token__", akamaiToken({ acl: `${prefix}*`, ...fields("akamai", more) })],
  "google-cdn": (prefix, more) => [
    "Cloud-CDN-Cookie",
    googleGrant({ prefix: SITE + prefix, separator: ":", ...fields("google-cdn", more) }),
  ],
  "media-cdn": (prefix, more) => [
    "Edge-Cache-Token",
    mediaToken({ globs: `${prefix}*`, ...fields("media-cdn", more) }),
  ],
};

function fields(format, more) {
  const key = Buffer.from(DIALECTS[format].keys[0].k, "base64url");
  return { key, expires: now() + 600, name: format, ...more };
}

/** An entry and a rule for each dialect. `more` is put over the policy. */
export const policyOfAll = (more = {}) => ({
  tokens: all.map(({ format, entry, keys }) => ({
    format,
    paths: [`/${format}/*`],
    ...(keys.length ? { keys: keys.map(({ kid }) => kid) } : {}),
    ...entry,
  })),
  rules: all.map(({ format }) => ({ path: `/${format}/*`, accept: ["signed-url"] })),
  ...more,
});

/** The secrets that go with it. */
export const secretsOfAll = (more = {}) => ({
  EDGEWARD_SECRET: `${base64url(SECRET_BYTES)} ${base64url(OLD_SECRET_BYTES)}`,
  EDGEWARD_KEYS: JSON.stringify({ keys: all.flatMap(({ keys }) => keys) }),
  EDGEWARD_USERS: undefined,
  ...more,
});
