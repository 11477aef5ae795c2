// Keys, and what they sign: good for this run.
import { createHmac, randomBytes } from "node:crypto";

export const now = Math.floor(Date.now() / 1000);

export const ROOT_KEY = randomBytes(32);
export const ROOT_SECRET = ROOT_KEY.toString("base64url");

/** A key of EDGEWARD_KEYS. */
export const jwk = (kid, key, alg = "HS256") => ({ kty: "oct", kid, alg, k: key.toString("base64url") });

/** A request with a Bearer token as an identity provider makes it, and the same with a broken tag. */
export function bearer(kid, key) {
  const token = minted(kid, key);
  const broken = token.slice(0, -8) + (token.endsWith("AAAAAAAA") ? "BBBBBBBB" : "AAAAAAAA");
  const request = (value) => ({ fields: [`Authorization: Bearer ${value}`] });
  return { good: request(token), broken: request(broken) };
}

function minted(kid, key) {
  const segment = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = {
    ...{ iss: "https://login.acme.example", sub: "8f14e45fceea167a5a36dedd4bea2543", aud: "api" },
    ...{ iat: now - 60, exp: now + 3600, jti: randomBytes(12).toString("hex"), scope: "read write" },
  };
  const input = `${segment({ alg: "HS256", typ: "JWT", kid })}.${segment(claims)}`;
  return `${input}.${createHmac("sha256", key).update(input).digest("base64url")}`;
}
