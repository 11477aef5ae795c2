// Keys with dates (`use_from`, `retire_after`), sets of many keys, and which key the log names.
import assert from "node:assert/strict";
import { test } from "node:test";
import { shared } from "./expect.mjs";
import { base64url, bearer, now, secrets, sign } from "./given.mjs";
import { withGate } from "./harness.mjs";

const world = shared();
const octets = (kid) => Buffer.from(`${kid}/`.repeat(40).slice(0, 32));
const jwk = (kid, edgeward) => ({ kty: "oct", kid, alg: "HS256", k: base64url(octets(kid)), edgeward });
const rfc3339 = (seconds) => new Date(seconds * 1000).toISOString().replace(".000", "");

/** A token of that key; `named` says whether it names it. */
function token(kid, { named = true, signer = kid, claims = {} } = {}) {
  const header = { alg: "HS256", typ: "JWT", ...(named ? { kid } : {}) };
  const input = [header, { exp: now() + 600, sub: "ann", ...claims }].map((it) => base64url(JSON.stringify(it)));
  return `${input.join(".")}.${sign(input.join("."), octets(signer))}`;
}

const settings = (keys, more = {}) => ({
  policy: { origin: world.origin.url, log: "all", rules: [{ path: "/staff/*", groups: ["staff"] }], ...more },
  secrets: secrets({ EDGEWARD_KEYS: JSON.stringify({ keys }) }),
});

/** The answer, and the line of the log that tells of it. */
async function asked(gate, path, given) {
  const before = gate.output.length;
  const response = await gate.request(path, { headers: { ...bearer(given), Accept: "application/problem+json" } });
  await gate.printed();
  const lines = gate.output.slice(before).join("\n").split("\n");
  const line = lines.map((text) => text.startsWith("{") && JSON.parse(text)).find((it) => it && it.path === path);
  return { status: response.status, problem: response.status === 200 ? undefined : response.json(), line };
}

test("a key verifies from use_from on and until retire_after, and whoever it signed for is told", async (t) => {
  const since = now() - 1000;
  const until = now() + 1000;
  const keys = [
    jwk("current", { use_from: since, retire_after: rfc3339(until) }),
    jwk("retired", { retire_after: rfc3339(since) }),
    jwk("coming", { use_from: rfc3339(until) }),
  ];
  await withGate(settings(keys), async (gate) => {
    for (const named of [true, false]) {
      const way = named ? "named" : "not named";
      await t.test(`good: in use, ${way}`, async () => {
        const { status, line } = await asked(gate, "/x", token("current", { named }));
        assert.deepEqual([status, line.edgeward, line.key], [200, "passed", "current"]);
      });
      for (const [kid, words] of [
        ["retired", `was retired at ${rfc3339(since)}.`],
        ["coming", `is not in use before ${rfc3339(until)}.`],
      ])
        await t.test(`${kid}, ${way}`, async () => {
          const { status, problem, line } = await asked(gate, "/x", token(kid, { named }));
          assert.deepEqual([status, problem.cause], [401, "token-unknown-key"]);
          assert.equal(problem.detail, `The key "${kid}", which signed the token, ${words}`);
          assert.equal(problem.key, undefined);
          assert.deepEqual([line.edgeward, line.cause, line.key], ["refused", "token-unknown-key", kid]);
          assert.equal(line.detail, problem.detail);
        });
    }
    await t.test("a forged token is told nothing of the key it names", async () => {
      for (const kid of ["current", "retired", "coming"]) {
        const { problem, line } = await asked(gate, "/x", token(kid, { signer: "nobody" }));
        assert.equal(problem.cause, "token-bad-signature");
        assert.equal(line.key, undefined);
        assert.doesNotMatch(problem.detail, /retired|in use/);
      }
    });
  });
});

test("a refusal after the signature names the key in the log", async (t) => {
  await withGate(settings([jwk("a"), jwk("b")]), async (gate) => {
    for (const [path, claims, cause] of [
      ["/x", { exp: 1 }, "token-expired"],
      ["/x", { exp: undefined }, "token-missing-claim"],
      ["/staff/x", {}, "not-allowed"],
    ])
      await t.test(cause, async () => {
        const { problem, line } = await asked(gate, path, token("b", { claims }));
        assert.deepEqual([problem.cause, line.cause, line.key], [cause, cause, "b"]);
      });
  });
});

test("a key retires while the Worker runs", async () => {
  const until = now() + 3;
  await withGate(settings([jwk("a", { retire_after: until }), jwk("b")]), async (gate) => {
    const given = token("a");
    assert.equal((await asked(gate, "/x", given)).status, 200);
    await new Promise((done) => setTimeout(done, until * 1000 - Date.now() + 50));
    assert.equal((await asked(gate, "/x", given)).problem.cause, "token-unknown-key");
    assert.equal((await asked(gate, "/x", token("b"))).status, 200);
  });
});

test("dates that cannot be meant leave nothing in use", async (t) => {
  for (const edgeward of [
    { use_from: 2000, retire_after: 2000 },
    { retire_after: "2026-12-01" },
    { retire_after: null },
    { retire_afer: 2000 },
  ])
    await t.test(JSON.stringify(edgeward), () =>
      withGate(settings([jwk("a"), jwk("b", edgeward)]), async (gate) => {
        assert.equal((await asked(gate, "/x", token("a"))).problem.cause, "not-configured");
        assert.match(await gate.printed(), /EDGEWARD_KEYS keys\[1\]\.edgeward/);
      }),
    );
});

test("a thousand keys: each verifies what names it", async () => {
  const kids = Array.from({ length: 1000 }, (_, n) => `key-${n}`);
  await withGate(settings(kids.map((kid) => jwk(kid))), async (gate) => {
    for (const kid of ["key-0", "key-63", "key-64", "key-999"]) {
      const { status, line } = await asked(gate, "/x", token(kid));
      assert.deepEqual([status, line.key], [200, kid]);
    }
    assert.equal((await asked(gate, "/x", token("key-7", { named: false }))).problem.cause, "token-unknown-key");
  });
});
