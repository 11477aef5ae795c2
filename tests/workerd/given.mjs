// What the tests are given: accounts, keys, a policy, and credentials made without the product's help.
import { createHmac, hkdfSync, pbkdf2Sync } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { VECTORS } from "./harness.mjs";

export const now = () => Math.floor(Date.now() / 1000);
export const base64url = (bytes) => Buffer.from(bytes).toString("base64url");

/** Passwords by user-id. Each is a secret that must turn up nowhere. */
export const PASSWORDS = {
  ann: "ann-correct-horse-7731",
  bob: "bob-battery-staple-1187",
  colon: "pa:ss:word-4410",
  suspended: "suspended-pw-90210",
  expired: "expired-pw-55512",
  test: "123\u00a3", // RFC 7617 §2.1
  cafe: "caf\u00e9-au-lait-8841", // stored in NFC
  "caf\u00e9": "unicode-user-pw-3321",
};

const GROUPS = { ann: "staff,admins", suspended: "staff:!suspended", expired: "!until=2020-01-01", cafe: "staff" };

/** A password line in PHC form: PBKDF2-HMAC-SHA-256, standard base64 without padding. */
export function passwordLine(user, password, more = "", iterations = 10_000) {
  const salt = Buffer.from(`salt of ${user}`.padEnd(16, ".").slice(0, 16));
  const hash = pbkdf2Sync(password.normalize("NFC"), salt, iterations, 32, "sha256");
  const b64 = (bytes) => Buffer.from(bytes).toString("base64").replace(/=+$/, "");
  return `${user}:$pbkdf2-sha256$i=${iterations},l=32$${b64(salt)}$${b64(hash)}${more ? `:${more}` : ""}`;
}

/** crypt_blowfish's published test vector (Openwall, wrapper.c): the password is `U*U`. */
export const BCRYPT_LINE = "blow:$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

export const USERS = [
  ...Object.entries(PASSWORDS).map(([user, password]) => passwordLine(user, password, GROUPS[user])),
  BCRYPT_LINE,
].join("\n");

/** Keys by kid, each as long as its hash (RFC 7518 §3.2). */
const keyOf = (text, length) => Buffer.from(text.repeat(9).slice(0, length));
export const KEYS = {
  main: { alg: "HS256", key: keyOf("main-key-256-octets/", 32) },
  main384: { alg: "HS384", key: keyOf("main-key-384-octets/", 48) },
  main512: { alg: "HS512", key: keyOf("main-key-512-octets/", 64) },
  strict: { alg: "HS256", key: keyOf("strict-key-octets/", 40) },
  lax: { alg: "HS256", key: keyOf("lax-key-octets-of-it/", 32) },
  trusted: { alg: "HS256", key: keyOf("trusted-subject-key/", 32) },
  narrow: { alg: "HS512", key: keyOf("narrow-key-octets/", 64) },
};

export const jwk = (kid, { alg, key } = KEYS[kid]) => ({ kty: "oct", kid, alg, k: base64url(key) });
export const keySet = (...kids) =>
  JSON.stringify({ keys: (kids.length ? kids : Object.keys(KEYS)).map((kid) => jwk(kid)) });

export const SECRET_BYTES = keyOf("edgeward-root-secret/", 32);
export const OLD_SECRET_BYTES = keyOf("edgeward-former-one/", 32);
export const SECRET = base64url(SECRET_BYTES);

export const secrets = (more = {}) => ({
  EDGEWARD_SECRET: SECRET,
  EDGEWARD_KEYS: keySet(),
  EDGEWARD_USERS: USERS,
  ...more,
});

/** Every kind of rule, in one policy; most files share it. */
export function policy(origin, more = {}) {
  return {
    realm: "Acme staging",
    origin: origin.url ?? origin,
    leeway: 30,
    log: "all",
    tokens: [
      {
        format: "jwt",
        keys: ["main", "main384", "main512"],
        algorithms: ["HS256", "HS384", "HS512"],
        from: ["authorization", "cookie:acme_token", "query:access_token", "header:X-Token"],
      },
      {
        format: "jwt",
        keys: ["strict"],
        algorithms: ["HS256"],
        issuer: ["https://login.acme.example", "https://login2.acme.example"],
        audience: ["staging", "preview"],
        require: ["exp", "sub", "jti"],
        max_age: "1h",
      },
      { format: "jwt", keys: ["lax"], algorithms: ["HS256"], require: [], max_age: "2h" },
      { format: "jwt", keys: ["trusted"], algorithms: ["HS256"], trust_subject: true },
      { format: "jwt", keys: ["narrow"], algorithms: ["HS512"], require: [] },
    ],
    rules: [
      { path: "/public/*", access: "public" },
      { path: "/public/private/*" },
      { path: "/denied/*", access: "denied" },
      { path: "/staff/*", groups: ["staff"] },
      { path: "/for-ann", users: ["ann"] },
      { path: "/scoped/*", scopes: ["read", "write"] },
      { path: "/basic/*", accept: ["basic"] },
      { path: "/bearer/*", accept: ["bearer"] },
      { path: "/claims/*", accept: ["bearer"], claims: { plan: ["pro", "team"], region: ["eu"] } },
      { path: "/either/*", users: ["ann"], groups: ["editors"] },
      { path: "/report/*", mode: "report" },
      { path: "/report-staff/*", mode: "report", groups: ["staff"], scopes: ["read"] },
      { path: "/net/*", networks: ["203.0.113.0/24", "2001:db8::/32"] },
      { path: "/public-net/*", access: "public", networks: ["203.0.113.0/24"] },
      { path: "/past/*", not_after: "2020-01-01T00:00:00Z" },
      { path: "/future/*", not_before: "2999-01-01T00:00:00Z" },
      { path: "/hosted/*", host: "api.acme.example", access: "public" },
      { path: "/get-only/*", methods: ["GET"], access: "public" },
      { path: "/both/*", methods: ["GET"], access: "public" },
      { path: "/both/*" },
      { path: "/item/{id}/open", access: "public" },
      { path: "/item/7/open" },
      { path: "/keep/*", forward_credentials: true },
      { path: "/keep-public/*", access: "public", forward_credentials: true },
      { path: "/shared/*", shared_cache: true },
      { path: "/lifted/*", cross_site: "allow" },
    ],
    ...more,
  };
}

/** A JWT made by hand: header and claims are JSON texts or values, so that every mistake can be made. */
export function jwt({ kid = "main", header = {}, claims = {}, key, alg, signature } = {}) {
  const known = KEYS[kid];
  const algorithm = alg ?? known?.alg ?? "HS256";
  const head = typeof header === "string" ? header : JSON.stringify({ alg: algorithm, typ: "JWT", kid, ...header });
  const body =
    typeof claims === "string" || Buffer.isBuffer(claims)
      ? claims
      : JSON.stringify({ exp: now() + 600, sub: "ann@idp", ...claims });
  const input = `${base64url(head)}.${base64url(body)}`;
  return `${input}.${signature ?? sign(input, key ?? known.key, algorithm)}`;
}

/** Claims that the entry `strict` takes. */
export function strictClaims(more = {}) {
  return {
    iss: "https://login.acme.example",
    aud: "staging",
    sub: "ann",
    jti: "j1",
    iat: now() - 10,
    exp: now() + 600,
    ...more,
  };
}

export function sign(input, key, alg = "HS256") {
  const hash = { HS256: "sha256", HS384: "sha384", HS512: "sha512", HS1: "sha1" }[alg] ?? "sha256";
  return createHmac(hash, key).update(input).digest("base64url");
}

export const bearer = (token) => ({ Authorization: `Bearer ${token}` });
export const basic = (user, password = PASSWORDS[user]) => ({
  Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
});

/** The key of assertions for one audience, as the contract writes it: an independent HKDF (RFC 5869). */
export const assertionKey = (audience, secret = SECRET_BYTES) =>
  Buffer.from(
    hkdfSync(
      "sha256",
      secret,
      Buffer.alloc(0),
      Buffer.concat([Buffer.from("edgeward/assertion/v1\0"), Buffer.from(audience)]),
      32,
    ),
  );

/** Cases of the shared folder; undefined where it is not there. */
export function cases(file) {
  const path = join(VECTORS, file);
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).cases : undefined;
}

export const NO_VECTORS = "skipped: the folder ../shared/vectors is not here";
