// Second factors made without the product's help: lines of EDGEWARD_TOTP, the codes that an app shows, recovery codes.
import { createHmac, randomBytes } from "node:crypto";
import { SECRET_BYTES, now } from "./given.mjs";
import { input, seal } from "./seal.mjs";

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
