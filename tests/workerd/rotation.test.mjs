// Keys with dates (`use_from`, `retire_after`), sets of many keys, and which key the log names.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { shared } from "./expect.mjs";
import { SECRET, SECRET_BYTES, base64url, bearer, now, secrets, sign } from "./given.mjs";
import { ROOT, SITE, withGate } from "./harness.mjs";
import { apiKey, apiKeyLine, kidOf } from "./programs.mjs";
import { signers } from "./signers.mjs";

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
  const until = now() + 12; // the Worker has to start first
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

// Signed URLs by keys with dates: a format that names its key, and one whose keys are tried.
const LINK_KEYS = ["current", "retired", "coming"];
const linkSettings = (since, until) => {
  const dates = { current: { use_from: since, retire_after: until }, retired: { retire_after: since }, coming: { use_from: until } };
  const keys = (prefix, alg, size) =>
    LINK_KEYS.map((kid) => ({
      kty: "oct",
      kid: `${prefix}-${kid}`,
      alg,
      k: base64url(octets(`${prefix}-${kid}`).subarray(0, size)),
      edgeward: dates[kid],
    }));
  const named = (prefix) => LINK_KEYS.map((kid) => `${prefix}-${kid}`);
  return {
    policy: {
      origin: world.origin.url,
      log: "all",
      tokens: [
        { format: "akamai", keys: named("a") },
        { format: "google-cdn", keys: named("g") },
      ],
    },
    secrets: secrets({ EDGEWARD_KEYS: JSON.stringify({ keys: [...keys("a", "HS256", 32), ...keys("g", "HS1", 16)] }), EDGEWARD_USERS: undefined }),
  };
};

test("a link by a key that is retired, or not yet in use, is told so", async (t) => {
  const [since, until] = [now() - 1000, now() + 1000];
  const links = {
    akamai: (kid) => signers.akamai({ url: `${SITE}/${kid}/x`, key: octets(`a-${kid}`), expires: now() + 600 }),
    "google-cdn": (kid) => signers["google-cdn"]({ url: `${SITE}/${kid}/x`, key: octets(`g-${kid}`).subarray(0, 16), name: `g-${kid}`, expires: now() + 600 }),
  };
  await withGate(linkSettings(since, until), async (gate) => {
    for (const [format, link] of Object.entries(links)) {
      const kid = (name) => `${format[0]}-${name}`;
      const get = async (name) => {
        const before = gate.output.length;
        const response = await gate.request(link(name), { headers: { Accept: "application/problem+json" } });
        await gate.printed();
        const line = gate.output.slice(before).join("\n").split("\n").map((text) => JSON.parse(text)).at(-1);
        return { status: response.status, problem: response.status === 200 ? undefined : response.json(), line };
      };
      await t.test(`${format}: in use`, async () => {
        const { status, line } = await get("current");
        assert.deepEqual([status, line.edgeward, line.kind, line.key], [200, "passed", "signed-url", kid("current")]);
      });
      for (const [name, words] of [
        ["retired", `was retired at ${rfc3339(since)}.`],
        ["coming", `is not in use before ${rfc3339(until)}.`],
      ])
        await t.test(`${format}: ${name}`, async () => {
          const { status, problem, line } = await get(name);
          assert.deepEqual([status, problem.cause], [401, "token-unknown-key"]);
          assert.equal(problem.detail, `The key "${kid(name)}", which signed the link, ${words}`);
          assert.deepEqual([line.edgeward, line.cause, line.key, line.detail], ["refused", "token-unknown-key", kid(name), problem.detail]);
        });
      await t.test(`${format}: a forged link is told nothing of a key`, async () => {
        const forged = link("retired").replace("/retired/x", "/retired/y");
        const problem = (await gate.request(forged, { headers: { Accept: "application/problem+json" } })).json();
        assert.equal(problem.cause, "token-bad-signature");
        assert.doesNotMatch(problem.detail, /retired|in use/);
      });
    }
  });
});

test("edgeward keygen --rotate: nobody who holds something notices", { timeout: 600_000 }, async (t) => {
  const CI = apiKey();
  const first = JSON.stringify({ keys: [jwk("2026-05"), jwk("cdn")] });
  const given = (EDGEWARD_SECRET, EDGEWARD_KEYS, kids) => ({
    policy: {
      origin: world.origin.url,
      log: "all",
      token: {},
      tokens: [{ format: "jwt", keys: kids }, { format: "akamai", keys: ["cdn"] }, { format: "edgeward" }],
      rules: [{ path: "/share/*", exchange: "cookie" }],
    },
    secrets: secrets({ EDGEWARD_SECRET, EDGEWARD_KEYS, EDGEWARD_API_KEYS: apiKeyLine("ci", CI) }),
  });
  const share = (key) => signers.edgeward({ url: `${SITE}/share/page`, key, expires: now() + 600 });
  const made = async (gate) => (await gate.request("/.edgeward/token", { method: "POST", headers: { "X-API-Key": CI } })).json().access_token;
  const cookie = async (gate, link) => {
    const response = await gate.request(link, { headers: { "Sec-Fetch-Mode": "navigate" } });
    assert.equal(response.status, 303);
    return response.get("set-cookie").split(";")[0];
  };

  // What people hold before.
  const held = await withGate(given(SECRET, first, ["2026-05"]), async (gate) => ({
    "a token": ["/x", bearer(token("2026-05"))],
    "a token that does not name its key": ["/x", bearer(token("2026-05", { named: false }))],
    "a fresh token": ["/x", bearer(await made(gate))],
    "a share link": [share(SECRET_BYTES)],
    "the cookie of one": ["/share/page", { Cookie: await cookie(gate, share(SECRET_BYTES)) }],
    "a foreign signed URL": [signers.akamai({ url: `${SITE}/video/1`, key: octets("cdn"), expires: now() + 600 })],
    "an API key": ["/x", { "X-API-Key": CI }],
  }));

  const run = spawnSync("cargo", ["run", "--quiet", "--", "keygen", "--rotate", "--kid", "2026-11", "--secrets", "-", "--json"], {
    cwd: ROOT,
    input: `EDGEWARD_SECRET='${SECRET}'\nEDGEWARD_KEYS='${first}'\n`,
    encoding: "utf8",
  });
  assert.equal(run.status, 0, run.stderr);
  const rotated = JSON.parse(run.stdout);
  const [newest, ...rest] = JSON.parse(rotated.EDGEWARD_KEYS).keys;
  assert.deepEqual([newest.kid, ...rest.map(({ kid }) => kid)], ["2026-11", "2026-05", "cdn"]);
  assert.equal(rotated.EDGEWARD_SECRET.split(/\s+/)[1], SECRET);

  await withGate(given(rotated.EDGEWARD_SECRET, rotated.EDGEWARD_KEYS, ["2026-11", "2026-05"]), async (gate) => {
    for (const [name, [target, headers]] of Object.entries(held))
      await t.test(`${name} is still good`, async () => assert.equal((await gate.request(target, { headers })).status, 200));
    await t.test("what is made from now on is of the new keys, and the log tells which verified", async () => {
      const secret = Buffer.from(rotated.EDGEWARD_SECRET.split(/\s+/)[0], "base64url");
      const fresh = await made(gate);
      assert.equal((await asked(gate, "/fresh", fresh)).line.key, kidOf("token", secret));
      assert.equal((await asked(gate, "/old", held["a fresh token"][1].Authorization.slice(7))).line.key, kidOf("token", SECRET_BYTES));
      assert.equal((await asked(gate, "/old-key", token("2026-05"))).line.key, "2026-05");
      const claims = { exp: now() + 600, sub: "ann" };
      const input = [{ alg: "HS256", kid: "2026-11" }, claims].map((it) => base64url(JSON.stringify(it))).join(".");
      const signed = `${input}.${sign(input, Buffer.from(newest.k, "base64url"))}`;
      assert.equal((await asked(gate, "/new-key", signed)).line.key, "2026-11");
      assert.equal((await gate.request(share(secret))).status, 200);
    });
  });
});
