// Second factors made without the product's help: lines of EDGEWARD_TOTP, the codes that an app shows, recovery codes.
import { createCipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { SECRET_BYTES, base64url, now } from "./given.mjs";

export const STEP = 30;
const DEFAULTS = { hash: "sha1", digits: 6 };

/** RFC 6238 §4 at a moment in Unix seconds. */
export function code({ secret, hash = "sha1", digits = 6 }, at = now()) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / STEP)));
  const tag = createHmac(hash, secret).update(counter).digest();
  const number = tag.readUInt32BE(tag[tag.length - 1] & 15) & 0x7fffffff;
  return String(number % 10 ** digits).padStart(digits, "0");
}

/** A code that is wrong now and for the next minutes. */
export function wrongCode(factor) {
  const good = [-3, -2, -1, 0, 1, 2, 3, 4, 5].map((step) => code(factor, now() + step * STEP));
  return ["000000", "000001", "000002", "000003"].find((it) => !good.includes(it));
}

/** What is signed for a purpose: each field after its length. */
function input(purpose, fields) {
  const parts = [...fields].flatMap((field) => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(Buffer.from(field).length));
    return [length, Buffer.from(field)];
  });
  return Buffer.concat([Buffer.from(`${purpose}\0`), ...parts]);
}

/** The ten recovery codes: Crockford's base32 of an HMAC over the index. */
export function recoveryCodes({ seed }) {
  const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  return [...Array(10).keys()].map((index) => {
    const mac = createHmac("sha256", seed).update(input("edgeward/totp/recovery/v1", [Buffer.from([index])]));
    const text = [...mac.digest().subarray(0, 10)].map((octet) => letters[octet & 31]).join("");
    return `${text.slice(0, 5)}-${text.slice(5)}`;
  });
}

/** A second factor of that user: its secret, its seed, and its line. */
export function factor(user, { hash, digits, root = SECRET_BYTES } = {}) {
  const kind = { ...DEFAULTS, ...(hash && { hash }), ...(digits && { digits }) };
  const secret = randomBytes({ sha1: 20, sha256: 32, sha512: 64 }[kind.hash]);
  const seed = randomBytes(16);
  const around = [user, kind.hash, String(kind.digits)];
  const sealed = seal("edgeward/totp/v1", around, Buffer.concat([secret, seed]), root);
  return { user, ...kind, secret, seed, line: [...around, sealed].join(":") };
}

/** base64url of nonce, ciphertext and tag: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03 §2.3). */
export function seal(purpose, around, content, root = SECRET_BYTES) {
  const key = Buffer.from(hkdfSync("sha256", root, Buffer.alloc(0), purpose, 32));
  const nonce = randomBytes(24);
  const short = Buffer.concat([Buffer.alloc(4), nonce.subarray(16)]);
  const cipher = createCipheriv("chacha20-poly1305", hchacha20(key, nonce.subarray(0, 16)), short, { authTagLength: 16 });
  cipher.setAAD(input(purpose, around), { plaintextLength: content.length });
  const sealed = Buffer.concat([cipher.update(content), cipher.final()]);
  return base64url(Buffer.concat([nonce, sealed, cipher.getAuthTag()]));
}

/** §2.2 of the same draft. */
function hchacha20(key, nonce) {
  const words = Buffer.concat([Buffer.from("expand 32-byte k"), key, nonce]);
  const state = new Uint32Array(16).map((_, at) => words.readUInt32LE(at * 4));
  for (let round = 0; round < 10; round += 1) {
    for (const at of [0, 1, 2, 3]) quarter(state, at, at + 4, at + 8, at + 12);
    for (const at of [0, 1, 2, 3]) quarter(state, at, 4 + ((at + 1) % 4), 8 + ((at + 2) % 4), 12 + ((at + 3) % 4));
  }
  const out = Buffer.alloc(32);
  [0, 1, 2, 3, 12, 13, 14, 15].forEach((word, at) => out.writeUInt32LE(state[word], at * 4));
  return out;
}

/** RFC 8439 §2.1. */
function quarter(state, a, b, c, d) {
  const turned = (word, by) => (word << by) | (word >>> (32 - by));
  for (const [x, y, z, by] of [[a, b, d, 16], [c, d, b, 12], [a, b, d, 8], [c, d, b, 7]]) {
    state[x] += state[y];
    state[z] = turned(state[z] ^ state[x], by);
  }
}
