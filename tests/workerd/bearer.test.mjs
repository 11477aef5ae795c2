// Bearer tokens (RFC 6750) that are JWTs (RFC 7515): what others mint is let in, what has not the form, the algorithm,
// the key or the signature is refused for its cause.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { SignJWT } from "jose";
import jsonwebtoken from "jsonwebtoken";
import { eachRow, passed, refused, shared } from "./expect.mjs";
import { KEYS, NO_VECTORS, base64url, bearer, cases, jwt, now, policy, secrets, sign } from "./given.mjs";
import { withGate } from "./harness.mjs";
import { python } from "./python.mjs";

const world = shared();
const { ask, passes, refuses, stops } = world;
const sent = (token) => ({ headers: bearer(token) });
const refusesToken = (token, cause) => refuses("/bearer/x", sent(token), cause);
const GOOD = () => sent(jwt());

/** Each row is a token and the cause it is refused for; a good token after it still works. */
const refusesEach = (t, rows) =>
  eachRow(t, rows, async (token, cause) => {
    await refusesToken(token, cause);
    await passes("/bearer/x", GOOD());
  });

test("a token made by hand is let in, and the origin is told who it is", async () => {
  const seen = await passes("/x", sent(jwt({ claims: { sub: "ann@idp", groups: ["editors", "a,b c"] } })));
  assert.equal(seen.get("x-edgeward-user"), "token:ann@idp");
  assert.equal(seen.get("x-edgeward-groups"), "editors,a%2Cb%20c");
  assert.equal(seen.get("authorization"), undefined);
});

test("tokens minted by jose are let in", async (t) => {
  await eachRow(
    t,
    ["main", "main384", "main512"].map((kid) => [KEYS[kid].alg, kid]),
    async (kid) => {
      const { alg, key } = KEYS[kid];
      const token = await new SignJWT({ scope: "read" })
        .setProtectedHeader({ alg, kid, typ: "JWT" })
        .setSubject("jo")
        .setIssuedAt()
        .setExpirationTime("5m")
        .sign(key);
      assert.equal((await passes("/x", sent(token))).get("x-edgeward-user"), "token:jo");
    },
  );
});

test("tokens minted by jsonwebtoken are let in", async (t) => {
  await eachRow(
    t,
    ["main", "main384", "main512"].map((kid) => [KEYS[kid].alg, kid]),
    async (kid) => {
      const { alg, key } = KEYS[kid];
      const token = jsonwebtoken.sign({ plan: "pro" }, key, {
        algorithm: alg,
        keyid: kid,
        subject: "jo",
        expiresIn: "5m",
      });
      assert.equal((await passes("/x", sent(token))).get("x-edgeward-user"), "token:jo");
    },
  );
});

test("tokens minted by PyJWT are let in", async (t) => {
  const interpreter = python();
  if (!interpreter) return t.skip("PyJWT cannot be had here");
  const script = [
    "import jwt, sys, time",
    "key, alg, kid = bytes.fromhex(sys.argv[1]), sys.argv[2], sys.argv[3]",
    'print(jwt.encode({"sub": "py", "exp": int(time.time()) + 300}, key, algorithm=alg, headers={"kid": kid}))',
  ].join("\n");
  return eachRow(
    t,
    ["main", "main384", "main512"].map((kid) => [KEYS[kid].alg, kid]),
    async (kid) => {
      const { alg, key } = KEYS[kid];
      const token = execFileSync(interpreter, ["-c", script, key.toString("hex"), alg, kid], {
        encoding: "utf8",
      }).trim();
      assert.equal((await passes("/x", sent(token))).get("x-edgeward-user"), "token:py");
    },
  );
});

test("the scheme is compared without regard to case", async (t) => {
  const rows = ["bearer", "BEARER", "bEaReR"].map((scheme) => [scheme, scheme]);
  await eachRow(t, rows, (scheme) => passes("/x", { headers: { Authorization: `${scheme} ${jwt()}` } }));
});

test("the algorithm is the key's: whatever else the header says is refused", async (t) => {
  const input = (header) =>
    `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify({ exp: now() + 600, sub: "x" }))}`;
  const unsigned = (header) => `${input(header)}.`;
  const signed = (header, kid, alg) => `${input(header)}.${sign(input(header), KEYS[kid].key, alg)}`;
  await refusesEach(t, [
    ["none", unsigned({ alg: "none", kid: "main" }), "token-algorithm"],
    ["nOnE", unsigned({ alg: "nOnE", kid: "main" }), "token-algorithm"],
    ["NONE with a MAC", signed({ alg: "NONE", kid: "main" }, "main", "HS256"), "token-algorithm"],
    ["no alg", signed({ kid: "main" }, "main", "HS256"), "token-algorithm"],
    ["HS512 with the key of HS256", signed({ alg: "HS512", kid: "main" }, "main", "HS512"), "token-algorithm"],
    ["HS256 with the key of HS384", signed({ alg: "HS256", kid: "main384" }, "main384", "HS256"), "token-algorithm"],
    ["RS256", signed({ alg: "RS256", kid: "main" }, "main", "HS256"), "token-algorithm"],
    ["ES256", signed({ alg: "ES256", kid: "main" }, "main", "HS256"), "token-algorithm"],
    ["HS1", signed({ alg: "HS1", kid: "main" }, "main", "HS1"), "token-algorithm"],
    ["hs256 in lower case", signed({ alg: "hs256", kid: "main" }, "main", "HS256"), "token-algorithm"],
    ["an empty alg", signed({ alg: "", kid: "main" }, "main", "HS256"), "token-algorithm"],
    [
      "HS512 where the entry allows HS256 alone",
      signed({ alg: "HS512", kid: "strict" }, "strict", "HS512"),
      "token-algorithm",
    ],
  ]);
  await t.test("none with the signature left off altogether", () =>
    stops("/bearer/x", sent(input({ alg: "none" })), [401]),
  );
});

test("an empty signature, a foreign key, and a changed claim are bad signatures", async (t) => {
  const good = jwt();
  const [head, , tag] = good.split(".");
  await refusesEach(t, [
    ["another key", jwt({ key: KEYS.strict.key }), "token-bad-signature"],
    ["the empty key", jwt({ key: Buffer.alloc(0) }), "token-bad-signature"],
    [
      "another payload",
      `${head}.${base64url(JSON.stringify({ exp: now() + 600, sub: "root" }))}.${tag}`,
      "token-bad-signature",
    ],
    ["a tag cut short", good.slice(0, -3), "token-bad-signature"],
    [
      "the tag of another token",
      `${good.split(".").slice(0, 2).join(".")}.${jwt({ claims: { sub: "y" } }).split(".")[2]}`,
      "token-bad-signature",
    ],
  ]);
});

test("an empty signature does not let in", () => stops("/bearer/x", sent(jwt({ signature: "" })), [401]));

test("kid: unknown ones are refused, there is no falling back to another key", async (t) => {
  await refusesEach(t, [
    ["unknown", jwt({ header: { kid: "nobody" }, key: KEYS.main.key }), "token-unknown-key"],
    ["empty", jwt({ header: { kid: "" }, key: KEYS.main.key }), "token-unknown-key"],
    ["in another case", jwt({ header: { kid: "MAIN" }, key: KEYS.main.key }), "token-unknown-key"],
    ["a path", jwt({ header: { kid: "../../dev/null" }, key: Buffer.alloc(0) }), "token-unknown-key"],
    ["a number", jwt({ header: { kid: 1 } }), "token-malformed"],
    ["null", jwt({ header: { kid: null } }), "token-malformed"],
    ["that of another key", jwt({ header: { kid: "main" }, key: KEYS.trusted.key }), "token-bad-signature"],
  ]);
});

test("without a kid the fitting keys of the one entry are tried", async () => {
  const tokens = [{ format: "jwt", algorithms: ["HS256", "HS512"], require: ["exp"] }];
  await withGate({ policy: policy(world.origin, { tokens, rules: [] }), secrets: secrets() }, async (gate) => {
    for (const kid of ["main", "trusted", "lax", "main512"]) {
      const token = jwt({ kid, header: { kid: undefined } });
      passed(await gate.request("/x", sent(token)));
    }
    const foreign = await gate.request("/x", {
      headers: { ...bearer(jwt({ header: { kid: undefined }, key: Buffer.alloc(32, 9) })), Accept: "application/json" },
    });
    assert.deepEqual([foreign.status, foreign.json().cause], [401, "token-bad-signature"]);
  });
});

test("with no tokens entry every key is taken with its own algorithm", async () => {
  const said = policy(world.origin, { tokens: undefined, rules: [] });
  await withGate({ policy: JSON.stringify(said), secrets: secrets() }, async (gate) => {
    for (const kid of Object.keys(KEYS)) passed(await gate.request("/x", sent(jwt({ kid }))));
    const noExp = await gate.request("/x", sent(jwt({ claims: { exp: undefined } })));
    assert.equal(noExp.status, 401);
  });
});

test("an entry with more than eight keys requires a kid", async () => {
  const nine = Array.from({ length: 9 }, (_, i) => ({
    kty: "oct",
    kid: `k${i}`,
    alg: "HS256",
    k: base64url(Buffer.from(`${i}-of-nine-keys`.repeat(4))),
  }));
  const said = JSON.stringify(policy(world.origin, { tokens: undefined, rules: [] }));
  await withGate(
    { policy: said, secrets: secrets({ EDGEWARD_KEYS: JSON.stringify({ keys: nine }) }) },
    async (gate) => {
      const key = Buffer.from("0-of-nine-keys".repeat(4));
      passed(await gate.request("/x", sent(jwt({ header: { kid: "k0" }, key }))));
      assert.equal((await gate.request("/x", sent(jwt({ header: { kid: undefined }, key })))).status, 401);
    },
  );
});

test("form: what is no JWS in compact form is malformed", async (t) => {
  const good = jwt();
  const [head, body, tag] = good.split(".");
  const raw = (header, claims) => jwt({ header, claims });
  const HEADER = '{"alg":"HS256","kid":"main"}';
  const lastChanged = `${head}.${body}.${tag.slice(0, -1)}${nextSpelling(tag.at(-1))}`;
  await refusesEach(t, [
    ["one part", "abcdef", "token-malformed"],
    ["two parts", `${head}.${body}`, "token-malformed"],
    ["four parts", `${good}.x`, "token-malformed"],
    ["five parts, as a JWE", `${good}.x.y`, "token-malformed"],
    ["an empty header", `.${body}.${tag}`, "token-malformed"],
    ["an empty payload, signed", raw({}, ""), "token-malformed"],
    ["only dots", "..", "token-malformed"],
    ["a header that is no JSON", raw("abc"), "token-malformed"],
    ["a header that is an array", raw('["HS256"]'), "token-malformed"],
    ["a header that is a text", raw('"HS256"'), "token-malformed"],
    ["alg as an array", raw('{"alg":["HS256"],"kid":"main"}'), "token-malformed"],
    ["alg twice", raw('{"alg":"none","alg":"HS256","kid":"main"}'), "token-malformed"],
    ["kid twice", raw('{"alg":"HS256","kid":"x","kid":"main"}'), "token-malformed"],
    ["text after the header", raw(`${HEADER} x`), "token-malformed"],
    ["crit", raw('{"alg":"HS256","kid":"main","crit":["exp"],"exp":1}'), "token-malformed"],
    ["crit with nothing in it", raw('{"alg":"HS256","kid":"main","crit":[]}'), "token-malformed"],
    ["b64 false", raw('{"alg":"HS256","kid":"main","b64":false}'), "token-malformed"],
    ["typ of our assertions", raw('{"alg":"HS256","kid":"main","typ":"edgeward-assertion+jwt"}'), "token-malformed"],
    ["the same in another case", raw('{"alg":"HS256","kid":"main","typ":"Edgeward-Assertion+JWT"}'), "token-malformed"],
    [
      "the same with the media type's prefix",
      raw('{"alg":"HS256","kid":"main","typ":"application/edgeward-assertion+jwt"}'),
      "token-malformed",
    ],
    ["padding", `${head}.${body}.${tag}=`, "token-malformed"],
    ["another spelling of the last character", lastChanged, "token-malformed"],
    ["standard base64 alphabet", `${head}.${body}.${`+/${tag.slice(2)}`}`, "token-malformed"],
    ["claims that are no JSON", raw({}, "abc"), "token-malformed"],
    ["claims that are an array", raw({}, "[]"), "token-malformed"],
    ["claims that are null", raw({}, "null"), "token-malformed"],
    ["claims that are a text", raw({}, '"x"'), "token-malformed"],
    [
      "claims that are no UTF-8",
      raw({}, Buffer.from(`{"exp":${now() + 600},"sub":"\xff"}`, "latin1")),
      "token-malformed",
    ],
    ["text after the claims", raw({}, `{"exp":${now() + 600}} x`), "token-malformed"],
    ["exp twice", raw({}, `{"exp":1,"exp":${now() + 600}}`), "token-malformed"],
    ["exp twice, one escaped", raw({}, `{"exp":1,"\\u0065xp":${now() + 600}}`), "token-malformed"],
    ["an unknown claim twice", raw({}, `{"exp":${now() + 600},"x":1,"x":2}`), "token-malformed"],
    ["a member twice deeper down", raw({}, `{"exp":${now() + 600},"x":{"y":1,"y":2}}`), "token-malformed"],
    ["over 8 KB", jwt({ claims: { x: "x".repeat(8200) } }), "token-malformed"],
  ]);
});

test("claims nested two thousand deep are no fault of the gate", async () => {
  const deep = jwt({ claims: `{"exp":${now() + 600},"x":${"[".repeat(2000)}${"]".repeat(2000)}}` });
  assert.ok([200, 401].includes((await ask("/bearer/x", sent(deep))).status));
  await passes("/bearer/x", GOOD());
});

function nextSpelling(character) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return alphabet[alphabet.indexOf(character) ^ 1]; // 32 octets end in two unused bits
}

test("a Bearer value that is no b64token is malformed credentials (RFC 6750 §2.1)", async (t) => {
  const rows = [
    ["nothing", "Bearer"],
    ["a space", "Bearer "],
    ["two words", `Bearer invalid ${jwt()}`],
    ["quotes", 'Bearer "abc"'],
    ["a character that is none of it", "Bearer ab$c"],
    ["= inside", "Bearer a=b"],
  ];
  await eachRow(t, rows, (value) =>
    refuses("/bearer/x", { headers: { Authorization: value } }, "credentials-malformed"),
  );
});

test("tokens of any length that break do not break the gate", async (t) => {
  const rows = [1000, 8192, 65_536, 200_000].map((length) => [`${length} octets`, "x".repeat(length)]);
  await eachRow(t, rows, async (text) => {
    const response = await ask("/bearer/x", { headers: { Authorization: `Bearer ${text}` } });
    assert.ok([401, 431].includes(response.status), String(response.status));
    await passes("/bearer/x", GOOD());
  });
});

const PEERS = cases("cases_bearer_apikey_peers.json");

test("the cases of public suites that speak of Bearer", { skip: PEERS ? false : NO_VECTORS }, async (t) => {
  for (const it of PEERS.filter(
    ({ input }) => input.kind === "http-request" && !input.config.api_keys && !input.config.users,
  )) {
    const asked = peer(it);
    if (asked) await t.test(`${it.id}: ${it.what}`, asked);
  }
});

/** Opaque tokens and short keys are not ours: a good JWT stands where the suite's own good token stood. */
function peer({ input, expected }) {
  if (expected.level !== "must" || input.config.prefix) return undefined;
  const own = [...(input.config.tokens ?? []), /eyJ[\w-]+\.[\w-]+\.[\w-]+/.exec(JSON.stringify(input))?.[0]].filter(
    Boolean,
  );
  const good = jwt();
  const swap = (text) =>
    (expected.status === 200 ? own.reduce((out, token) => out.replace(token, good), text) : text).replace(
      "access_token=",
      place(input),
    );
  const value = (it) =>
    typeof it === "string" ? swap(it) : `${it.repeat[0]}${it.repeat[1].repeat(it.repeat[2])}${it.repeat[3]}`;
  const headers = input.headers.map(([name, it]) => [name, value(it)]);
  return async () => {
    const before = await world.origin.count();
    const response = await world.gate.request(`/bearer${input.path}`, {
      method: input.method,
      headers,
      body: input.body,
    });
    const told = expected.status === 200 ? response.status : Math.floor(response.status / 100) * 100 + 1; // another 4xx is right too
    assert.equal(told, expected.status);
    assert.equal((await world.origin.count()) - before, expected.origin_called ? 1 : 0);
  };
}

const place = (input) => (input.config.cookie ? "acme_token=" : "access_token=");
