// What programs bear, made without the product's help: API keys, orders to revoke, tokens of ours.
import { createHash, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { crc32 } from "node:zlib";
import { SECRET_BYTES, base64url, now } from "./given.mjs";

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

function base62(number, length) {
  let text = "";
  for (let rest = BigInt(number); text.length < length; rest /= 62n) text = DIGITS[Number(rest % 62n)] + text;
  return text;
}

/** IEEE 802.3, bit by bit, where this Node has none of its own. */
function checksum(text) {
  if (crc32) return crc32(text);
  let crc = 0xffffffff;
  for (const octet of Buffer.from(text)) {
    crc ^= octet;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** `ew_`, 32 octets in base62, CRC-32 of all that in base62. */
export function apiKey(octets = randomBytes(32)) {
  const start = `ew_${base62(`0x${Buffer.from(octets).toString("hex")}`, 43)}`;
  return start + base62(checksum(start), 6);
}

/** A line of EDGEWARD_API_KEYS. */
export function apiKeyLine(name, key, scopes = "") {
  return [name, createHash("sha256").update(key).digest("hex"), ...(scopes ? [scopes] : [])].join(":");
}

const derived = (secret, info) => Buffer.from(hkdfSync("sha256", secret, Buffer.alloc(0), info, 32));

/** The key id of what a secret signs for a purpose: nine octets of HKDF. */
export const kidOf = (purpose, secret = SECRET_BYTES) =>
  base64url(derived(secret, `edgeward/${purpose}-kid/v1`).subarray(0, 9));

function signed(purpose, header, claims, { secret = SECRET_BYTES, key } = {}) {
  const parts = [{ alg: "HS256", ...header, kid: header.kid ?? kidOf(purpose, secret) }, claims];
  const input = parts.map((part) => base64url(JSON.stringify(part))).join(".");
  const mac = createHmac("sha256", key ?? derived(secret, `edgeward/${purpose}/v1`));
  return `${input}.${mac.update(input).digest("base64url")}`;
}

/** An order to revoke, as `edgeward revoke --ledger` sends one. */
export function order(revoke, { audience = "https://acme.example", header = {}, claims = {}, ...how } = {}) {
  const all = { aud: audience, iat: now(), exp: now() + 60, revoke, ...claims };
  return signed("revoke", { typ: "edgeward-revoke+jwt", ...header }, all, how);
}

/** A token of ours for a program, of these claims. */
export const freshToken = (claims, how = {}) => signed("token", { typ: "at+jwt" }, claims, how);
