// The assertion for the origin, verified without any code of the product. Contract §5, "Set by Edgeward".
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { refused, shared } from "./expect.mjs";
import {
  OLD_SECRET_BYTES,
  SECRET,
  SECRET_BYTES,
  assertionKey,
  base64url,
  basic,
  bearer,
  now,
  policy,
  secrets,
} from "./given.mjs";
import { originView, withGate } from "./harness.mjs";

const world = shared();
const { passes, refuses } = world;
const ANN = basic("ann");
const claimsOf = (seen) => JSON.parse(Buffer.from(seen.get("x-edgeward-assertion").split(".")[1], "base64url"));

/** A request of an account that may pass, for answers that are no echo. */
const viaOrigin = (path, more = {}) => world.gate.request(path, { ...more, headers: { ...ANN, ...more.headers } });

function checkAssertion(token, { audience = world.origin.url, secret = SECRET_BYTES } = {}) {
  const [head, body, tag] = token.split(".");
  const expected = createHmac("sha256", assertionKey(audience, secret)).update(`${head}.${body}`).digest("base64url");
  assert.equal(tag, expected, "the tag, by an independent HKDF and HMAC");
  return { header: JSON.parse(Buffer.from(head, "base64url")), claims: JSON.parse(Buffer.from(body, "base64url")) };
}

test("the assertion is signed with a key derived for its audience, and says who, what and where", async () => {
  const seen = await passes("/x/%C3%A9?a=1", { method: "PUT", headers: ANN, body: "x" });
  const { header, claims } = checkAssertion(seen.get("x-edgeward-assertion"));
  assert.equal(header.typ, "edgeward-assertion+jwt");
  assert.equal(header.alg, "HS256");
  assert.ok(typeof header.kid === "string" && header.kid.length > 0);
  assert.equal(claims.iss, "https://acme.example");
  assert.equal(claims.aud, world.origin.url);
  assert.equal(claims.sub, "ann");
  assert.ok(Math.abs(claims.iat - now()) <= 3);
  assert.equal(claims.exp, claims.iat + 60);
  assert.ok(typeof claims.jti === "string" && claims.jti.length >= 16);
  assert.equal(claims.htm, "PUT");
  assert.equal(claims.htu, "https://acme.example/x/%C3%A9");
  assert.ok(Array.isArray(claims.amr) && claims.amr.length > 0);
});

test("every assertion has a jti of its own, and HEAD is HEAD", async () => {
  const ids = new Set();
  for (let i = 0; i < 5; i += 1) ids.add(claimsOf(await passes("/x", { headers: ANN })).jti);
  assert.equal(ids.size, 5);
  await viaOrigin("/x", { method: "HEAD" });
  assert.equal(claimsOf(originView(await world.origin.last())).htm, "HEAD");
});

test("on public rules the assertion names nobody", async () => {
  const seen = await passes("/public/x", { headers: ANN });
  assert.equal(seen.get("x-edgeward-user"), undefined);
  const { claims } = checkAssertion(seen.get("x-edgeward-assertion"));
  assert.ok(!("sub" in claims));
});

test("an assertion is never accepted as Bearer", async () => {
  const token = (await passes("/x", { headers: ANN })).get("x-edgeward-assertion");
  await refuses("/bearer/x", { headers: bearer(token) }, "token-malformed");
  await withGate(
    {
      policy: policy(world.origin, { tokens: undefined }),
      secrets: secrets({
        EDGEWARD_KEYS: JSON.stringify({
          keys: [{ kty: "oct", kid: claimsKid(token), alg: "HS256", k: base64url(assertionKey(world.origin.url)) }],
        }),
      }),
    },
    async (gate) => {
      const response = await gate.request("/bearer/x", { headers: { ...bearer(token), Accept: "application/json" } });
      refused(response, "token-malformed");
    },
  );
});

const claimsKid = (token) => JSON.parse(Buffer.from(token.split(".")[0], "base64url")).kid;

test("the first of several secrets signs", async () => {
  const two = `${base64url(OLD_SECRET_BYTES)}\n  ${SECRET}`;
  await withGate({ policy: policy(world.origin), secrets: secrets({ EDGEWARD_SECRET: two }) }, async (gate) => {
    const seen = (await gate.request("/x", { headers: ANN })).origin();
    checkAssertion(seen.get("x-edgeward-assertion"), { secret: OLD_SECRET_BYTES });
  });
});
