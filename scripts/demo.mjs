// The demo's secrets: made once for this machine, kept in .dev.vars, and what can be made of them.
import { createHmac, hkdfSync, randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { shareLink } from "./share-link.mjs";
import { at } from "./tools.mjs";

const FILE = at(".dev.vars");
const USER = "demo";
const PASSWORD_PURPOSE = "edgeward/password/v1";
const PASSWORD_NOTE = "# demo password: ";
const TOKEN_LIFETIME = 12 * 60 * 60; // seconds; of the link, too
const LINK_USES = 3;
const SECRET_SIZE = 32; // bytes, at least
const HASHES = { HS256: "sha256", HS384: "sha384", HS512: "sha512" };

/** What a visitor of the demo may show: null where .dev.vars is not ours any more and cannot tell. */
export function demoCredentials(now = Math.floor(Date.now() / 1000)) {
  if (!existsSync(FILE)) write(freshSecrets(now));
  const text = readFileSync(FILE, "utf8");
  return { user: USER, password: notedPassword(text), token: token(parseEnv(text).EDGEWARD_KEYS, now) };
}

/** A link that lets in who has no credentials, some times; null where .dev.vars has nothing to sign it with. */
export function demoLink(url, now = Math.floor(Date.now() / 1000)) {
  const [first] = (parseEnv(readFileSync(FILE, "utf8")).EDGEWARD_SECRET ?? "").trim().split(/\s+/);
  const secret = Buffer.from(first, "base64url");
  if (secret.length < SECRET_SIZE) return null;
  return { uses: LINK_USES, url: shareLink(secret, url, { uses: LINK_USES, now, end: now + TOKEN_LIFETIME }) };
}

/** All at once, and readable by its owner only: a start that is broken off leaves no half a file. */
function write(text) {
  writeFileSync(`${FILE}.new`, text, { mode: 0o600 });
  renameSync(`${FILE}.new`, FILE);
}

function freshSecrets(now) {
  const [secret, password] = [random(32), random(16)];
  const kid = `demo-${new Date(now * 1000).toISOString().slice(0, 7)}`;
  const keys = { keys: [{ kty: "oct", kid, alg: "HS256", k: random(32) }] };
  // Single quotes: between any others the dollar signs of a hash would be taken for variables.
  return `# Secrets of the demo, made by \`npm start\` for this machine alone; git ignores this file.
# Delete it, and the next start makes fresh ones.
${PASSWORD_NOTE}${password}
EDGEWARD_SECRET='${secret}'
EDGEWARD_KEYS='${JSON.stringify(keys)}'
EDGEWARD_USERS='${USER}:${generated(secret, password)}'
`;
}

const random = (bytes) => randomBytes(bytes).toString("base64url");

/**
 * What `edgeward hash demo --generate` makes, here where the command is not built yet: one HMAC is enough for a
 * password of 128 random bits. Key: HKDF-SHA-256 (RFC 5869) of the secret; each field stands after its length.
 */
function generated(secret, password) {
  const key = hkdfSync("sha256", Buffer.from(secret, "base64url"), "", PASSWORD_PURPOSE, 32);
  const mac = createHmac("sha256", Buffer.from(key));
  for (const field of [PASSWORD_PURPOSE, USER, password]) {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(Buffer.byteLength(field)));
    mac.update(length).update(field);
  }
  return `{HMAC-SHA256}${mac.digest("base64url")}`;
}

function notedPassword(text) {
  const line = text.split(/\r?\n/).find((it) => it.startsWith(PASSWORD_NOTE));
  return line ? line.slice(PASSWORD_NOTE.length).trim() : null;
}

/** A token by the first key that can sign one (RFC 7515 §3.1, RFC 7519). */
function token(jwks, now) {
  const key = keysOf(jwks).find((it) => HASHES[it.alg]);
  if (!key) return null;
  const header = { alg: key.alg, typ: "JWT", kid: key.kid };
  const claims = { sub: USER, iat: now, exp: now + TOKEN_LIFETIME };
  const input = [header, claims].map((it) => Buffer.from(JSON.stringify(it)).toString("base64url")).join(".");
  const tag = createHmac(HASHES[key.alg], Buffer.from(key.k, "base64url")).update(input).digest("base64url");
  return `${input}.${tag}`;
}

function keysOf(jwks) {
  try {
    return JSON.parse(jwks).keys;
  } catch {
    return []; // the Worker says what is wrong with them
  }
}
