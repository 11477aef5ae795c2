// Whom a rule lets in: scopes, groups, users, claims, networks and times. Contract §2.
import assert from "node:assert/strict";
import { test } from "node:test";
import { challenges, eachRow, shared } from "./expect.mjs";
import { basic, bearer, jwt } from "./given.mjs";

const world = shared();
const { passes, refuses, stops } = world;
const sent = (token) => ({ headers: bearer(token) });

test("scopes: all of them, by exact words, and said in the challenge", async (t) => {
  const with_ = (scope) => sent(jwt({ claims: { scope } }));
  await t.test("both", () => passes("/scoped/x", with_("write read")));
  await t.test("both and more", () => passes("/scoped/x", with_("read admin write")));
  await eachRow(
    t,
    [
      ["one of two", "read"],
      ["none", undefined],
      ["joined by a comma", "read,write"],
      ["prefixes", "reader writer"],
      ["upper case", "READ WRITE"],
      ["empty", ""],
    ],
    async (scope) => {
      const response = await refuses("/scoped/x", with_(scope), "insufficient-scope");
      const [scheme, said] = challenges(response).find(([name]) => name === "Bearer");
      assert.equal(scheme, "Bearer");
      assert.equal(said.error, "insufficient_scope");
      assert.deepEqual(said.scope.split(" ").sort(), ["read", "write"]);
    },
  );
  await t.test("accounts have none", () => refuses("/scoped/x", { headers: basic("ann") }, "insufficient-scope"));
});

test("groups and claims: one that matches is enough, within claims every name must", async (t) => {
  const with_ = (claims) => sent(jwt({ claims }));
  await t.test("group of the token", () => passes("/staff/x", with_({ groups: ["x", "staff"] })));
  await t.test("no group", () => refuses("/staff/x", with_({}), "not-allowed"));
  await t.test("another group", () => refuses("/staff/x", with_({ groups: ["Staff", "staff2"] }), "not-allowed"));
  await t.test("groups or users: by group", () => passes("/either/x", with_({ groups: ["editors"] })));
  await t.test("groups or users: by user", () => passes("/either/x", { headers: basic("ann") }));
  await t.test("neither", () => refuses("/either/x", { headers: basic("bob") }, "not-allowed"));
  await t.test("both claims", () => passes("/claims/x", with_({ plan: "team", region: ["us", "eu"] })));
  await t.test("one claim of two", () => refuses("/claims/x", with_({ plan: "pro" }), "not-allowed"));
  await t.test("a wrong value", () => refuses("/claims/x", with_({ plan: "free", region: "eu" }), "not-allowed"));
  await t.test("a value of another type", () =>
    refuses("/claims/x", with_({ plan: { pro: true }, region: "eu" }), "not-allowed"),
  );
  await t.test("a claim of the prototype is none", () =>
    refuses("/claims/x", with_({ constructor: "pro" }), "not-allowed"),
  );
});

test("a token is not an account: users names accounts alone", async () => {
  await passes("/for-ann", { headers: basic("ann") });
  await refuses("/for-ann", sent(jwt({ claims: { sub: "ann" } })), "not-allowed");
});

test("trust_subject: sub is a user-id of ours, whose line holds", async (t) => {
  const of = (sub) => sent(jwt({ kid: "trusted", claims: { sub, groups: ["forged"] } }));
  await t.test("ann", async () => {
    const seen = await passes("/for-ann", of("ann"));
    assert.equal(seen.get("x-edgeward-user"), "ann");
    assert.equal(seen.get("x-edgeward-groups"), "staff,admins");
  });
  await t.test("nobody of that name", () => stops("/x", of("nobody-here"), [401, 403]));
  await t.test("a suspended account", () => refuses("/x", of("suspended"), "account-suspended"));
  await t.test("her line's groups hold", () =>
    refuses("/staff/x", sent(jwt({ kid: "trusted", claims: { sub: "bob", groups: ["staff"] } })), "not-allowed"),
  );
  for (const sub of ["token:ann", "key:ann", "link:ann"])
    await t.test(`${sub} is malformed`, () => refuses("/x", of(sub), "token-malformed"));
});

test("a token without sub has no user: the field and the claim are left out", async () => {
  const seen = await passes("/x", {
    headers: { ...bearer(jwt({ claims: { sub: undefined } })), "X-Edgeward-User": "root" },
  });
  assert.equal(seen.get("x-edgeward-user"), undefined);
  const claims = JSON.parse(Buffer.from(seen.get("x-edgeward-assertion").split(".")[1], "base64url"));
  assert.ok(!("sub" in claims));
});

test("networks and times narrow: not-allowed elsewhere and otherwise", async (t) => {
  const from = (address) => ({ headers: { ...basic("ann"), ...(address && { "CF-Connecting-IP": address }) } });
  await t.test("inside, IPv4", () => passes("/net/x", from("203.0.113.77")));
  await t.test("inside, IPv6", () => passes("/net/x", from("2001:db8:1::5")));
  await t.test("outside", () => refuses("/net/x", from("203.0.114.1"), "not-allowed"));
  await t.test("no address", () => refuses("/net/x", from(), "not-allowed"));
  await t.test("X-Forwarded-For is not believed", () =>
    refuses(
      "/net/x",
      { headers: { ...basic("ann"), "X-Forwarded-For": "203.0.113.77", "X-Real-IP": "203.0.113.77" } },
      "not-allowed",
    ),
  );
  await t.test("before not_before", () => refuses("/future/x", from(), "not-allowed"));
  await t.test("after not_after", () => refuses("/past/x", from(), "not-allowed"));
  await t.test("public inside", () => passes("/public-net/x", { headers: { "CF-Connecting-IP": "203.0.113.9" } }));
  await t.test("decided as authenticated outside", () =>
    refuses("/public-net/x", { headers: { "CF-Connecting-IP": "198.51.100.9" } }, "credentials-missing"),
  );
});
