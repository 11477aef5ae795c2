// No secret is printed, shown or sent back: the whole output of a busy run is searched for every secret used in it. Attack 34.
import assert from "node:assert/strict";
import { test } from "node:test";
import { shared } from "./expect.mjs";
import { KEYS, PASSWORDS, SECRET, SECRET_BYTES, USERS, base64url, basic, bearer, jwt, now, secrets } from "./given.mjs";
import { withGate } from "./harness.mjs";

const ORIGIN_AUTHORIZATION = "Bearer origin-authorization-secret-1";
const world = shared(() => ({
  policy: { log: "all" },
  secrets: { EDGEWARD_ORIGIN_AUTHORIZATION: ORIGIN_AUTHORIZATION },
}));

const TOKENS = {
  good: jwt(),
  expired: jwt({ claims: { exp: 1, sub: "secret-subject-of-expired" } }),
  forged: jwt({ key: "x", claims: { sub: "secret-subject-of-forged" } }),
  early: jwt({ claims: { nbf: now() + 900 } }),
};
const WRONG = "a-wrong-password-that-is-nearly-right";

/** Every text that may turn up nowhere, with a name to report it by. */
function needles() {
  const out = [
    ["EDGEWARD_SECRET", SECRET],
    ["EDGEWARD_SECRET as bytes", SECRET_BYTES.toString()],
    ["EDGEWARD_SECRET in hex", SECRET_BYTES.toString("hex")],
    ["EDGEWARD_ORIGIN_AUTHORIZATION", ORIGIN_AUTHORIZATION.slice(7)],
    ["a wrong password", WRONG],
    ["a wrong password, encoded", basic("ann", WRONG).Authorization.slice(6)],
    ["the subject of a forged token", "secret-subject-of-forged"],
    ["a cookie", "secret-in-cookie-5522"],
    ["a body", "secret-in-body-5523"],
  ];
  for (const [kid, { key }] of Object.entries(KEYS))
    out.push([`key ${kid}`, base64url(key)], [`key ${kid} as bytes`, key.toString()]);
  for (const [user, password] of Object.entries(PASSWORDS)) {
    if (password.length > 6) out.push([`password of ${user}`, password]);
    out.push([`credentials of ${user}`, basic(user).Authorization.slice(6)]);
  }
  for (const line of USERS.split("\n"))
    out.push([`hash of ${line.split(":")[0]}`, line.split(":")[1].split("$").at(-1)]);
  for (const [name, token] of Object.entries(TOKENS))
    out.push([`token ${name}`, token], [`tag of token ${name}`, token.split(".")[2]]);
  return out;
}

async function busy() {
  const paths = [
    "/x",
    "/public/x",
    "/staff/x",
    "/scoped/x",
    "/for-ann",
    "/report/x",
    "/denied/x",
    "/%zz",
    "/basic/x",
    "/bearer/x",
    "/.edgeward/whoami",
    "/x/as/hang-up",
    "/x/as/status/500",
    "http://acme.example/x",
  ];
  const credentials = [
    {},
    ...Object.keys(PASSWORDS).map((user) => basic(user)),
    basic("ann", WRONG),
    { Authorization: [basic("ann").Authorization, basic("ann", WRONG).Authorization] },
    ...Object.values(TOKENS).flatMap((token) => [
      bearer(token),
      { "X-Token": token },
      { Cookie: `acme_token=${token}; s=secret-in-cookie-5522` },
    ]),
    { Authorization: `Basic ${TOKENS.good}` },
    { Authorization: `Bearer ${basic("ann").Authorization.slice(6)}` },
  ];
  for (const path of paths) {
    await Promise.all(
      credentials.flatMap((headers) => [
        world.gate.request(path, { headers: { ...headers, Accept: "application/json" } }),
        world.gate.request(`${path}?q=secret-in-query-5521`, {
          method: "POST",
          headers: { ...headers, Accept: "text/html" },
          body: "secret-in-body-5523",
        }),
        world.gate.request(path, { headers: { ...headers, Accept: "*/*" } }),
      ]),
    );
    for (const token of Object.values(TOKENS)) await world.gate.request(`${path}?access_token=${token}`);
  }
}

test("no secret of a busy run is in what the Worker printed or answered", { timeout: 180_000 }, async (t) => {
  await busy();
  const printed = await world.gate.printed();
  assert.ok(printed.length > 1000, "the run was logged");
  const own = world.gate.answers.filter(
    (response) => response.get("x-echo") === undefined && response.get("x-origin") === undefined,
  );
  assert.ok(own.length > 100, "Edgeward answered");
  const answered = own.map((response) => `${response.rawHeaders.join("\n")}\n${response.text()}`).join("\n");
  // Whoever asked is shown the address they asked for; the log is not.
  await t.test("a query", () => assert.ok(!printed.includes("secret-in-query-5521")));
  for (const [name, needle] of needles()) {
    await t.test(name, () => {
      assert.ok(!printed.includes(needle), "printed");
      assert.ok(!answered.replaceAll(/^location\n.*$/gim, "").includes(needle), "answered");
    });
  }
});

test("a secret that is broken is not printed with the problem", async (t) => {
  const broken = [
    ["EDGEWARD_SECRET", "not base64url but-secret-7781!"],
    ["EDGEWARD_SECRET", "c2hvcnQtc2VjcmV0LTc3ODI"],
    ["EDGEWARD_KEYS", '{"keys":[{"kty":"oct","kid":"a","alg":"HS256","k":"c2hvcnQtc2VjcmV0LTc3ODM"}]}'],
    ["EDGEWARD_KEYS", "plain-secret-7784"],
    ["EDGEWARD_KEYS", '{"keys":[{"kty":"oct","kid":"a","alg":"HS256","secret-7785":"x","k":"secret-7785'],
    ["EDGEWARD_USERS", "ann:plain-secret-7786"],
    ["EDGEWARD_USERS", "no-colon-secret-7787"],
    ["EDGEWARD_USERS", "ann:$2y$05$secret-7788"],
  ];
  for (const [name, value] of broken) {
    await t.test(`${name}: ${value.slice(0, 24)}`, async () => {
      await withGate({ policy: { origin: world.origin.url }, secrets: secrets({ [name]: value }) }, async (gate) => {
        const response = await gate.request("/x", { headers: { Accept: "application/json" } });
        assert.equal(response.status, 503);
        const printed = await gate.printed();
        assert.match(printed, new RegExp(name));
        const found = /but-secret-7781|c2hvcnQtc2VjcmV0|plain-secret|secret-778\d/;
        assert.doesNotMatch(printed, found);
        assert.doesNotMatch(response.text(), found);
        assert.doesNotMatch(response.text(), /EDGEWARD_/, "the visitor sees no detail");
      });
    });
  }
});
