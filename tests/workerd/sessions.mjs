// Sessions, sealed without the product: src/session.rs says what stands in one.
import { createHash, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { SECRET_BYTES } from "./given.mjs";
import { input, seal } from "./seal.mjs";

const VERSION = 1;
export const FACTORS = { half: 1, password: 2, both: 3, elsewhere: 4 };

const now = () => Math.floor(Date.now() / 1000);

/** The value of the cookie of who signed in under `line`, on `host`. Moments are Unix seconds, spans seconds. */
export function session(line, { host, root = SECRET_BYTES, ...more }) {
  return seal("edgeward/session/v1", [host], sessionContent(line, { root, ...more }), root);
}

/** What is sealed in it. */
export function sessionContent(line, { root = SECRET_BYTES, ...more }) {
  const began = more.began ?? now();
  const { seen = began, ends = began + 43_200, idle = 1800, factors = FACTORS.password, remembered = false } = more;
  const { id = randomBytes(16), user = line.split(":")[0], groups = [] } = more;
  const numbers = [began, seen, ends, idle].map((number) => eight(BigInt(number)));
  const texts = [user, ...groups].flatMap((text) => [two(Buffer.byteLength(text)), Buffer.from(text)]);
  const stamp = lineMac(line, root);
  return Buffer.concat([Buffer.from([VERSION, factors, Number(remembered)]), id, stamp, ...numbers, ...texts]);
}

/** 64 bits of a MAC over the digest of the line. */
function lineMac(line, root) {
  const purpose = "edgeward/line/v1";
  const key = Buffer.from(hkdfSync("sha256", root, Buffer.alloc(0), purpose, 32));
  const digest = createHash("sha256").update(line).digest();
  return createHmac("sha256", key).update(input(purpose, [digest])).digest().subarray(0, 8);
}

function eight(number) {
  const octets = Buffer.alloc(8);
  octets.writeBigInt64BE(number);
  return octets;
}

function two(number) {
  const octets = Buffer.alloc(2);
  octets.writeUInt16BE(number);
  return octets;
}
