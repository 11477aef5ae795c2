// A share link of the demo, here where the command is not built yet: what `edgeward url sign --uses N` makes.
// The format is told in src/token/signed_url/edgeward.rs.
import { createHash, createHmac, hkdfSync, randomBytes } from "node:crypto";

const LINK = "edgeward/link/v1";
const VERSION_1 = 0x40;
const COUNTED = 0x02;
const NONE = Buffer.alloc(0);

/** The URL with its token: good for this address, by GET, `uses` times, until `end` (Unix seconds). */
export function shareLink(secret, url, { uses, now, end }) {
  const { host, path, query } = parts(url);
  const key = (info) => Buffer.from(hkdfSync("sha256", secret, NONE, info, 32));
  const where = createHash("sha256").update(framed("edgeward/link-target/v1", [host, "exactly", path, query]));
  const fields = [
    Buffer.from([VERSION_1 | COUNTED]),
    key("edgeward/link-kid/v1").subarray(0, 3),
    randomBytes(8), // its identifier, by which it is counted and can be revoked
    number(4, now),
    number(4, end),
    number(2, uses),
    ...[NONE, NONE, NONE, NONE], // methods, prefix, network, subject: nothing is said of these
    where.digest().subarray(0, 16),
  ];
  const tag = createHmac("sha256", key(LINK)).update(framed(LINK, fields)).digest();
  const token = Buffer.concat([...fields, tag]).toString("base64url");
  return `${url}${query ? "&" : "?"}ew=${token}`;
}

/** A URL taken apart as it is spelled. */
function parts(url) {
  const { hostname } = new URL(url);
  const [path, query = ""] = url.replace(/^[a-z]+:\/\/[^/]*/, "").split("?");
  return { host: hostname, path, query };
}

/** Purpose, NUL, and each field after its length in eight octets: no two lists of fields read alike. */
function framed(purpose, fields) {
  const each = fields.map((field) => Buffer.from(field)).flatMap((octets) => [number(8, octets.length), octets]);
  return Buffer.concat([Buffer.from(`${purpose}\0`), ...each]);
}

function number(size, value) {
  const octets = Buffer.alloc(size);
  octets.writeUIntBE(value, Math.max(0, size - 6), Math.min(size, 6));
  return octets;
}
