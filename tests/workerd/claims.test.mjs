// Claims of a token (RFC 7519): their types, times, issuer, audience, and the order of causes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { eachRow, passed, refused, shared } from "./expect.mjs";
import { KEYS, bearer, jwt, now, policy, secrets, strictClaims } from "./given.mjs";
import { withGate } from "./harness.mjs";

const world = shared();
const { passes, refuses } = world;
const sent = (token) => ({ headers: bearer(token) });
const refusesToken = (token, cause) => refuses("/bearer/x", sent(token), cause);
const GOOD = () => sent(jwt());

/** Each row is a token and the cause it is refused for; a good token after it still works. */
const refusesEach = (t, rows) =>
  eachRow(t, rows, async (token, cause) => {
    await refusesToken(token, cause);
    await passes("/bearer/x", GOOD());
  });

test("claim types: a NumericDate is a number from 0 to 253402300799", async (t) => {
  const exp = now() + 600;
  const wrong = (name) =>
    ['"1999999999"', "[1999999999]", "true", "null", "{}", "-1", "1e300", "253402300800", "-0.5"].map((text) => [
      `${name} ${text}`,
      jwt({ claims: name === "exp" ? `{"exp":${text},"sub":"x"}` : `{"exp":${exp},"${name}":${text}}` }),
      "token-malformed",
    ]);
  await refusesEach(t, [...wrong("exp"), ...wrong("nbf"), ...wrong("iat")]);
  await refusesEach(t, [
    ["sub as a number", jwt({ claims: { sub: 7 } }), "token-malformed"],
    ["sub as null", jwt({ claims: { sub: null } }), "token-malformed"],
    [
      "iss as an array",
      jwt({ kid: "strict", claims: strictClaims({ iss: ["https://login.acme.example"] }) }),
      "token-malformed",
    ],
    ["iss as a number", jwt({ claims: { iss: 7 } }), "token-malformed"],
    ["aud as a number", jwt({ kid: "strict", claims: strictClaims({ aud: 7 }) }), "token-malformed"],
    [
      "aud with a number in it",
      jwt({ kid: "strict", claims: strictClaims({ aud: ["staging", 7] }) }),
      "token-malformed",
    ],
    ["jti as a number", jwt({ kid: "strict", claims: strictClaims({ jti: 7 }) }), "token-malformed"],
    ["scope as an array", jwt({ claims: { scope: ["read"] } }), "token-malformed"],
    ["groups as a text", jwt({ claims: { groups: "editors" } }), "token-malformed"],
    ["groups with a number in it", jwt({ claims: { groups: ["editors", 7] } }), "token-malformed"],
  ]);
  await t.test("fractions and the largest date are allowed", async () => {
    await passes("/bearer/x", sent(jwt({ claims: `{"exp":${exp}.5,"nbf":0.25,"sub":"x"}` })));
    await passes("/bearer/x", sent(jwt({ claims: `{"exp":253402300799,"nbf":0,"iat":0,"sub":"x"}` })));
    await passes("/bearer/x", sent(jwt({ claims: `{"exp":${exp / 1e9}e9,"sub":"x"}` })));
  });
});

test("leeway: thirty seconds on exp, nbf and iat, and not one more", async (t) => {
  const at = (claims) => sent(jwt({ claims: { ...claims } }));
  await t.test("good: expired 27 s ago", () => passes("/bearer/x", at({ exp: now() - 27 })));
  await t.test("good: nbf in 29 s", () => passes("/bearer/x", at({ nbf: now() + 29 })));
  await t.test("good: issued in 29 s", () => passes("/bearer/x", at({ iat: now() + 29 })));
  await t.test("expired 30 s ago", () => refuses("/bearer/x", at({ exp: now() - 30 }), "token-expired"));
  await t.test("nbf in 33 s", () => refuses("/bearer/x", at({ nbf: now() + 33 }), "token-not-yet-valid"));
  await t.test("issued in 33 s", () => refuses("/bearer/x", at({ iat: now() + 33 }), "token-not-yet-valid"));
  await t.test("long expired", () => refuses("/bearer/x", at({ exp: 1 }), "token-expired"));
});

test("with no leeway exp is the first second that is too late (RFC 7519 §4.1.4)", async () => {
  await withGate({ policy: policy(world.origin, { leeway: 0 }), secrets: secrets() }, async (gate) => {
    assert.equal((await gate.request("/x", sent(jwt({ claims: { exp: now() } })))).status, 401);
    passed(await gate.request("/x", sent(jwt({ claims: { exp: now() + 3, nbf: now(), iat: now() } }))));
    assert.equal((await gate.request("/x", sent(jwt({ claims: { nbf: now() + 3 } })))).status, 401);
  });
});

test("issuer, audience, max_age and required claims: configured means required", async (t) => {
  const of = (more) => jwt({ kid: "strict", claims: strictClaims(more) });
  await t.test("all there", () => passes("/bearer/x", sent(of())));
  await t.test("the second issuer, one of several audiences", () =>
    passes("/bearer/x", sent(of({ iss: "https://login2.acme.example", aud: ["x", "preview"] }))),
  );
  await t.test("an hour exactly", () => passes("/bearer/x", sent(of({ iat: now() - 10, exp: now() + 3590 }))));
  await refusesEach(t, [
    ["no issuer", of({ iss: undefined }), "token-missing-claim"],
    ["another issuer", of({ iss: "https://evil.example" }), "token-wrong-issuer"],
    ["an issuer with a slash more", of({ iss: "https://login.acme.example/" }), "token-wrong-issuer"],
    ["an empty issuer", of({ iss: "" }), "token-wrong-issuer"],
    ["no audience", of({ aud: undefined }), "token-missing-claim"],
    ["another audience", of({ aud: "production" }), "token-wrong-audience"],
    ["no audience in the array", of({ aud: [] }), "token-wrong-audience"],
    ["a prefix of the audience", of({ aud: "stag" }), "token-wrong-audience"],
    ["no sub", of({ sub: undefined }), "token-missing-claim"],
    ["no jti", of({ jti: undefined }), "token-missing-claim"],
    ["no exp", of({ exp: undefined }), "token-missing-claim"],
    ["no iat under max_age", of({ iat: undefined }), "token-missing-claim"],
    ["a second over an hour", of({ iat: now() - 10, exp: now() + 3591 }), "token-too-old"],
  ]);
});

test("max_age without exp counts from iat, and forgives the leeway", async () => {
  const of = (claims) => sent(jwt({ kid: "lax", claims: { exp: undefined, ...claims } }));
  await passes("/bearer/x", of({ iat: now() - 7200 - 25 }));
  await refuses("/bearer/x", of({ iat: now() - 7200 - 35 }), "token-too-old");
  await refuses("/bearer/x", of({}), "token-missing-claim");
});

test("exp is required unless require says otherwise", async () => {
  await refuses("/bearer/x", sent(jwt({ claims: { exp: undefined } })), "token-missing-claim");
  await passes("/bearer/x", sent(jwt({ kid: "narrow", claims: { exp: undefined, sub: undefined } })));
});

test("one cause comes before another in the order of the contract", async (t) => {
  const both = (first, more) => jwt({ kid: "strict", claims: strictClaims(more), ...first });
  await refusesEach(t, [
    ["algorithm before signature", both({ alg: "HS512", header: {}, key: KEYS.main.key }), "token-algorithm"],
    ["signature before claim types", both({ key: KEYS.main.key }, { exp: "x" }), "token-bad-signature"],
    ["signature before expiry", both({ key: KEYS.main.key }, { exp: 1 }), "token-bad-signature"],
    ["claim types before a missing claim", both({}, { nbf: "x", iss: undefined }), "token-malformed"],
    ["a missing claim before a wrong issuer", both({}, { iss: "x", jti: undefined }), "token-missing-claim"],
    ["issuer before audience", both({}, { iss: "x", aud: "x" }), "token-wrong-issuer"],
    ["audience before too early", both({}, { aud: "x", nbf: now() + 900 }), "token-wrong-audience"],
    ["too early before expired", both({}, { nbf: now() + 900, exp: 1, iat: 1 }), "token-not-yet-valid"],
    ["expired before too old", both({}, { exp: now() - 40, iat: now() - 9000 }), "token-expired"],
  ]);
});
