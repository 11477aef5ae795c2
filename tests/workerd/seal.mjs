// What Edgeward seals and signs for itself, done without the product: src/seal.rs and src/token/mac.rs say how.
import { createCipheriv, hkdfSync, randomBytes } from "node:crypto";
import { SECRET_BYTES, base64url } from "./given.mjs";

/** What is signed for a purpose: each field after its length. */
export function input(purpose, fields) {
  const parts = [...fields].flatMap((field) => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(Buffer.from(field).length));
    return [length, Buffer.from(field)];
  });
  return Buffer.concat([Buffer.from(`${purpose}\0`), ...parts]);
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
