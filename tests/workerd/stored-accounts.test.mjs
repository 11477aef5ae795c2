// Accounts in EDGEWARD_KV: found, wrong, taken out, broken, and a store that does not answer.
import assert from "node:assert/strict";
import { createHmac, hkdfSync } from "node:crypto";
import { after, before, test } from "node:test";
import { eachRow, passed, refused, schemes } from "./expect.mjs";
import { SECRET_BYTES, basic, bearer, jwk, jwt, passwordLine, policy, secrets } from "./given.mjs";
import { withGate } from "./harness.mjs";
import { startOrigin } from "./origin.mjs";
import { storesOf, watched } from "./stores.mjs";

const POLICY = {
  tokens: [{ format: "jwt", keys: ["trusted"], algorithms: ["HS256"], trust_subject: true }],
  rules: [{ path: "/*" }, { path: "/staff/*", groups: ["staff"] }, { path: "/for-zoe", users: ["zoe"] }],
};
const password = (user) => `${user}-stored-password-9912`;
const line = (user, more) => passwordLine(user, password(user), more, 1000);
/** What stands behind the user-id. */
const value = (user, more) => line(user, more).slice(user.length + 1);
const right = (user) => basic(user, password(user));
const quick = { EDGEWARD_USERS: line("here"), EDGEWARD_KEYS: JSON.stringify({ keys: [jwk("trusted")] }) };

let origin;
before(async () => (origin = await startOrigin()));
after(() => origin.stop());

/** Runs `body` with a gate of its own, and so with an isolate that has read nothing yet. */
async function fresh(values, body, { secrets: more = quick, policy: changed = {} } = {}) {
  const settings = { ...watched({ ledger: false }), policy: policy(origin, { ...POLICY, ...changed }), secrets: secrets(more) };
  await withGate(settings, async (gate) => {
    const stores = await storesOf(gate);
    await stores.putAll(values);
    const ask = (path, headers) =>
      gate.request(path, { headers: { Accept: "application/problem+json", ...headers } });
    await body({ gate, ask, stores, reads: async () => (await stores.seen()).reads.map(({ key }) => key) });
  });
}

const accountsOf = (reads) => reads.filter((key) => key.startsWith("user:"));

test("an account in EDGEWARD_KV: its password, groups and flags", () =>
  fresh(
    {
      "user:zoe": value("zoe", "staff"),
      "user:yan": `${line("yan", "staff")}\n`,
      "user:off": value("off", "staff:!suspended"),
      "user:old": value("old", "!until=2020-01-01"),
      "user:caf\u00e9": value("caf\u00e9"),
    },
    async ({ ask }) => {
      const seen = await ask("/staff/x", right("zoe"));
      passed(seen);
      assert.equal(seen.origin().get("x-edgeward-user"), "zoe");
      assert.equal(seen.origin().get("x-edgeward-groups"), "staff");
      passed(await ask("/for-zoe", right("zoe")));
      passed(await ask("/staff/x", right("yan")));
      passed(await ask("/x", basic("cafe\u0301", password("caf\u00e9"))));
      refused(await ask("/for-zoe", right("yan")), "not-allowed");
      refused(await ask("/x", right("off")), "account-suspended");
      refused(await ask("/x", right("old")), "password-expired");
      passed(await ask("/x", right("here")));
      for (const user of ["zoe", "off", "old", "here", "nobody"])
        refused(await ask("/x", basic(user, "wrong")), "credentials-wrong");
    },
  ));

test("unknown and wrong get one and the same answer, and the store is asked the same for all", () =>
  fresh({ "user:zoe": value("zoe") }, async ({ ask, reads }) => {
    const said = async (user) => {
      const response = await ask("/x", { ...basic(user, "wrong"), "CF-Ray": "0123456789abcdef-AMS" });
      return [response.status, response.rawHeaders, response.json()];
    };
    const [wrong, unknown, here] = [await said("zoe"), await said("nobody"), await said("here")];
    assert.deepEqual(unknown, wrong);
    assert.deepEqual(here, wrong);
    assert.deepEqual(accountsOf(await reads()), ["user:zoe", "user:nobody", "user:here"]);
  }));

test("EDGEWARD_USERS comes first", () =>
  fresh({ "user:here": passwordLine("here", "of-the-store-0001", "", 1000).slice(5) }, async ({ ask }) => {
    passed(await ask("/x", right("here")));
    refused(await ask("/x", basic("here", "of-the-store-0001")), "credentials-wrong");
  }));

test("read once for all requests of half a minute, and not at all where no key can be", () =>
  fresh({ "user:zoe": value("zoe") }, async ({ ask, reads, stores }) => {
    await stores.set({ kv: 100 });
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask("/x", right("zoe"))));
    answers.forEach(passed);
    const unknown = await Promise.all(Array.from({ length: 30 }, () => ask("/x", basic("nobody", "x"))));
    unknown.forEach((response) => refused(response, "credentials-wrong"));
    assert.deepEqual(accountsOf(await reads()), ["user:zoe", "user:nobody"]);
    for (const user of ["x".repeat(508), " zoe", "zoe "]) refused(await ask("/x", basic(user, "x")), "credentials-wrong");
    assert.equal(accountsOf(await reads()).length, 2);
    refused(await ask("/x", basic("x".repeat(507), "x")), "credentials-wrong");
    assert.equal(accountsOf(await reads()).length, 3, "512 octets with the prefix");
    const { reads: all } = await stores.seen();
    assert.ok(all.every(({ options }) => options.cacheTtl === 30));
  }));

test("an account that was taken out is out, and one that was put in is in, within 30 seconds", { timeout: 180_000 }, () =>
  fresh({ "user:zoe": value("zoe"), "user:yan": value("yan") }, async ({ ask, stores }) => {
    passed(await ask("/x", right("zoe")));
    passed(await ask("/x", right("yan")));
    refused(await ask("/x", right("new")), "credentials-wrong");
    await stores.putAll({ "user:zoe": null, "user:yan": passwordLine("yan", "another-one-5522", "", 1000).slice(4), "user:new": value("new") });
    await new Promise((done) => setTimeout(done, 30_500));
    refused(await ask("/x", right("zoe")), "credentials-wrong");
    refused(await ask("/x", right("yan")), "credentials-wrong");
    passed(await ask("/x", basic("yan", "another-one-5522")));
    passed(await ask("/x", right("new")));
  }));

test("a value that cannot be read: that account is 503, logged without what it holds, and the others live", (t) =>
  fresh(
    { "user:zoe": value("zoe"), "user:bad": "hunter2-in-the-clear", "user:bob": line("ann"), "user:nil": "" },
    async ({ gate, ask }) => {
      await eachRow(t, [["plain text", "bad"], ["another user's line", "bob"], ["nothing", "nil"]], async (user) => {
        for (const headers of [right(user), basic(user, "hunter2-in-the-clear")]) refused(await ask("/x", headers), "not-configured");
      });
      passed(await ask("/x", right("zoe")));
      passed(await ask("/x", right("here")));
      const printed = await gate.printed();
      assert.match(printed, /EDGEWARD_KV user:bad: found plain text, or a hash of an unknown scheme/);
      assert.ok(!printed.includes("hunter2"), "nothing of the value");
    },
  ));

test("a store that does not answer: its accounts are 503, those of EDGEWARD_USERS live", () =>
  fresh({ "user:zoe": value("zoe") }, async ({ ask, stores }) => {
    await stores.set({ kv: "down" });
    for (const user of ["zoe", "nobody"]) refused(await ask("/x", right(user)), "check-unavailable");
    passed(await ask("/x", right("here")));
    refused(await ask("/x", basic("here", "wrong")), "credentials-wrong");
    await stores.set({ kv: "good" });
    await new Promise((done) => setTimeout(done, 1100));
    passed(await ask("/x", right("zoe")));
    await stores.set({ kv: "down" });
    passed(await ask("/x", right("zoe")), "what was read last holds for half a minute");
  }));

test("a token that names an account finds it in EDGEWARD_KV", () =>
  fresh({ "user:zoe": value("zoe", "staff"), "user:off": value("off", "!suspended"), "user:bad": "?" }, async ({ ask, stores }) => {
    const token = (sub) => bearer(jwt({ kid: "trusted", claims: { sub } }));
    const seen = await ask("/staff/x", token("zoe"));
    passed(seen);
    assert.equal(seen.origin().get("x-edgeward-user"), "zoe");
    refused(await ask("/x", token("off")), "account-suspended");
    refused(await ask("/x", token("nobody")), "credentials-wrong");
    refused(await ask("/x", token("bad")), "not-configured");
    await stores.set({ kv: "down" });
    refused(await ask("/x", token("another")), "check-unavailable");
  }));

test("with EDGEWARD_KV alone Basic is configured, and a generated password costs one HMAC", () => {
  const key = Buffer.from(hkdfSync("sha256", SECRET_BYTES, Buffer.alloc(0), "edgeward/password/v1", 32));
  const only = { EDGEWARD_USERS: undefined, EDGEWARD_KEYS: undefined };
  return fresh(
    { "user:zoe": value("zoe"), "user:robot": `{HMAC-SHA256}${generated(key, "robot", "Zm9vYmFyYmF6cXV4MTIz")}` },
    async ({ ask }) => {
      assert.deepEqual(schemes(await ask("/x")), ["Basic"]);
      passed(await ask("/x", right("zoe")));
      passed(await ask("/x", basic("robot", "Zm9vYmFyYmF6cXV4MTIz")));
      refused(await ask("/x", basic("robot", "Zm9vYmFyYmF6cXV4MTIy")), "credentials-wrong");
      refused(await ask("/x", basic("nobody", "x")), "credentials-wrong");
    },
    { secrets: only, policy: { tokens: undefined } },
  );
});

/** The tag of a generated password, as README tells. */
function generated(key, user, secret) {
  const mac = createHmac("sha256", key);
  for (const field of ["edgeward/password/v1", user, secret]) {
    const length = Buffer.alloc(8);
    length.writeBigUInt64BE(BigInt(Buffer.byteLength(field)));
    mac.update(length).update(field);
  }
  return mac.digest("base64url");
}
