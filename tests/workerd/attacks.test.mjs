// Attacks that others met, one test for each, against protected and public paths, with and without credentials. Other
// files of this folder hold the whole tables; here each attack is made once for real, so that none can be forgotten.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { eachRow, passed, refused, shared, withFields } from "./expect.mjs";
import {
  KEYS,
  NO_VECTORS,
  PASSWORDS,
  SECRET,
  SECRET_BYTES,
  USERS,
  base64url,
  basic,
  bearer,
  cases,
  jwt,
  now,
  passwordLine,
  policy,
  secrets,
  sign,
} from "./given.mjs";
import { withGate } from "./harness.mjs";

const SCRIPT = '"><script>alert(1)</script>';
const ODD_USERS = [
  [SCRIPT, "odd-pw-1-script", "!suspended"],
  ["ann@a@b", "odd-pw-2-at"],
  ["a,b %c", "odd-pw-3-comma"],
];
const oddLines = ODD_USERS.map(([user, password, more]) => passwordLine(user, password, more, 1000));

const world = shared((origin) => ({
  policy: {
    rules: [
      ...policy(origin).rules,
      { path: "/hook", methods: ["POST"], access: "public" },
      { path: "/hook", users: ["ann"] },
    ],
  },
  secrets: { EDGEWARD_USERS: [USERS, ...oddLines].join("\n") },
}));
const { counted, passes, refuses, stops } = world;

const ANN = basic("ann");
const TOKEN = jwt();
const PAGE = { "Sec-Fetch-Mode": "navigate" };
const FOREIGN = { Origin: "https://evil.example" };
const UPGRADE = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
};

/** Whoever asks: nobody on a public path, an account and a token on a protected one. */
const ASKERS = [
  ["public", "/public/x", {}],
  ["public with Basic", "/public/x", ANN],
  ["Basic", "/x", ANN],
  ["Bearer", "/x", bearer(TOKEN)],
  ["in report mode", "/report/x", {}],
];

const text = (response) => `${response.rawHeaders.join("\n")}\n${response.text()}`;
const segment = (value) => base64url(typeof value === "string" ? value : JSON.stringify(value));

/** The gate still does its work: what came before did it no harm. */
async function stillWorks() {
  await passes("/x", { headers: ANN });
  await passes("/x", { headers: bearer(TOKEN) });
  await passes("/public/x");
  await refuses("/x", {}, "credentials-missing");
}

test("1: an algorithm is the key's, whatever the header says", async (t) => {
  const claims = segment({ exp: now() + 600 });
  for (const alg of ["HS384", "HS512", "HS1", "RS256", "ES256", "hs256", "HS256 "]) {
    await t.test(alg, async () => {
      const input = `${segment({ alg, kid: "main" })}.${claims}`;
      for (const hash of ["HS256", "HS384", "HS512"])
        await refuses("/x", { headers: bearer(`${input}.${sign(input, KEYS.main.key, hash)}`) }, "token-algorithm");
    });
  }
  await t.test("a key that the token brings along", async () => {
    const key = Buffer.alloc(32, 7);
    const jwk = { kty: "oct", alg: "HS256", k: base64url(key) };
    const input = `${segment({ alg: "HS256", jwk, jku: "https://evil.example/", x5u: "//evil" })}.${claims}`;
    await refuses("/x", { headers: bearer(`${input}.${sign(input, key)}`) }, "token-bad-signature");
  });
  await t.test("every token of other projects' tables: none opens this gate, none harms it", async (t) => {
    const tables = ["jwt_rfc_negative", "pyjwt", "node_jsonwebtoken", "hono_jwt", "rust_jsonwebtoken", "golang_jwt"]
      .concat("wycheproof_jws")
      .map((name) => cases(`cases_${name}.json`));
    if (tables.includes(undefined)) return t.skip(NO_VECTORS);
    const tokens = tables.flat().filter(({ input, header_safe: safe }) => input.token && (safe ?? input.header_safe));
    assert.ok(tokens.length > 300, String(tokens.length));
    for (const { id, input } of tokens) {
      const response = await stops("/x", { headers: bearer(input.token) }, [400, 401]);
      assert.ok(response.get("www-authenticate"), id);
    }
    return stillWorks();
  });
});

test("2: no signature is no signature", async (t) => {
  const claims = segment({ exp: now() + 600, sub: "root" });
  for (const alg of ["none", "nOnE", "None", "NONE", "", null, undefined]) {
    for (const signature of ["", "AA", sign("", Buffer.alloc(0))])
      await t.test(`${alg} ${signature.slice(0, 4)}`, async () => {
        const token = `${segment({ alg, typ: "JWT" })}.${claims}.${signature}`;
        await stops("/x", { headers: bearer(token) }, [401]);
        await stops(`/x?access_token=${token}`, {}, [401]);
        await stops("/x", { headers: { Cookie: `acme_token=${token}` } }, [401]);
      });
  }
  await t.test("an empty tag", () => refuses("/x", { headers: bearer(jwt({ signature: "" })) }, "token-bad-signature"));
  const input = `${segment({ alg: "HS256" })}.${claims}`;
  await t.test("the empty key", () =>
    refuses("/x", { headers: bearer(`${input}.${sign(input, "")}`) }, "token-bad-signature"),
  );
  for (const k of ["", base64url("short"), base64url(Buffer.alloc(31, 1))])
    await t.test(`a key of ${Buffer.from(k, "base64url").length} octets`, () =>
      unusable({ EDGEWARD_KEYS: JSON.stringify({ keys: [{ kty: "oct", kid: "main", alg: "HS256", k }] }) }),
    );
});

/** A gate with wrong secrets: nothing but what is public. */
async function unusable(wrong) {
  const said = { origin: world.origin.url, rules: [{ path: "/public/*", access: "public" }] };
  await withGate({ policy: said, secrets: secrets(wrong) }, async (gate) => {
    for (const headers of [{}, ANN, bearer(TOKEN), bearer(jwt({ key: "" }))])
      assert.equal((await gate.request("/x", { headers })).status, 503);
    passed(await gate.request("/public/x"));
  });
}

test("3: claims have the type they should have", async (t) => {
  const wrong = ['"1999999999"', "[1999999999]", "null", "-1", "1e300", "true", "{}", "253402300800", "1e999"];
  for (const name of ["exp", "nbf", "iat"]) {
    for (const value of wrong) {
      await t.test(`${name} ${value}`, async () => {
        const rest = name === "exp" ? "" : `"exp":${now() + 600},`;
        const token = jwt({ claims: `{${rest}"${name}":${value}}` });
        await refuses("/x", { headers: bearer(token) }, "token-malformed");
      });
    }
  }
  await t.test("exp twice", () =>
    refuses("/x", { headers: bearer(jwt({ claims: `{"exp":1,"exp":${now() + 600}}` })) }, "token-malformed"),
  );
  await t.test("no exp", () => refuses("/x", { headers: bearer(jwt({ claims: "{}" })) }, "token-missing-claim"));
  await t.test("exp is now", () =>
    refuses("/x", { headers: bearer(jwt({ claims: { exp: now() - 30 } })) }, "token-expired"),
  );
});

test("4: there is no secret by default", async (t) => {
  for (const name of ["EDGEWARD_SECRET", "EDGEWARD_KEYS", "EDGEWARD_USERS"])
    await t.test(`${name} is set to nothing`, () => unusable({ [name]: "" }));
  await t.test("EDGEWARD_SECRET is not set", () => unusable({ EDGEWARD_SECRET: undefined }));
  await t.test("none is set", () =>
    unusable({ EDGEWARD_SECRET: undefined, EDGEWARD_KEYS: undefined, EDGEWARD_USERS: undefined }),
  );
});

test("5: a crafted field harms nobody", async (t) => {
  const values = [
    "",
    "Basic",
    "Basic ",
    "Basic !!!",
    "Basic bm9jb2xvbg==",
    "Basic Og==",
    "Basic YTo=",
    "Basic /w==",
    "Bearer",
    "Bearer .",
    "Bearer ..",
    "Bearer ...",
    `Bearer ${"a".repeat(65_536)}`,
    `Basic ${"A".repeat(65_536)}`,
    ",".repeat(65_536),
    `Bearer ${segment("[".repeat(5900))}.e30.AA`,
    `Bearer ${segment('{"a":'.repeat(1180))}.e30.AA`,
    `Bearer ${"=".repeat(8000)}`,
    Buffer.from([0x42, 0xff, 0xfe, 0x80]),
    Buffer.from("Bearer \xff.\xfe.\x80", "latin1"),
    Buffer.from("Basic \xc3\x28", "latin1"),
  ];
  for (const value of values) {
    const name = String(value).slice(0, 24);
    await t.test(`${name} (${value.length})`, async () => {
      await stops("/x", { headers: { Authorization: value } }, [400, 401]);
      await stops("/x", { headers: { "X-Token": value } }, [400, 401]);
      await stops("/x", { headers: { Cookie: Buffer.concat([Buffer.from("acme_token="), Buffer.from(value)]) } }, [400, 401]);
      const { response, reached } = await counted("/public/x", { headers: { Authorization: value } });
      assert.deepEqual([response.status, reached], [200, 1]);
    });
  }
  await stillWorks();
});

test("5: many cookies cost no more than their length", async () => {
  for (const [path, status] of [
    ["/public/x", 200],
    ["/x", 401],
  ]) {
    for (const cookie of [";".repeat(100_000), "a=1;".repeat(25_000), ", ".repeat(50_000)]) {
      const times = [];
      for (let round = 0; round < 3; round += 1) {
        const began = performance.now();
        assert.equal((await world.gate.request(path, { headers: { Cookie: cookie } })).status, status);
        times.push(performance.now() - began);
      }
      // The square of its length took ten seconds.
      assert.ok(Math.min(...times) < 3000, `${path} ${cookie.slice(0, 5)}: ${times} ms`);
    }
  }
});

test("6: a password may hold colons", async () => {
  await passes("/x", { headers: basic("colon") });
  // A proof that was remembered is for this user-id and this password, not for their octets in a row.
  await refuses("/x", { headers: basic("colo", `n${PASSWORDS.colon}`) }, "credentials-wrong");
  await refuses("/x", { headers: basic("colon", `${PASSWORDS.colon} `) }, "credentials-wrong");
});

test("7: nobody says who they are but us", async (t) => {
  const spoofed = {
    "X-Edgeward-User": "root",
    "X-Edgeward-Groups": "admins",
    "X-Edgeward-Assertion": "e30.e30.AA",
    "X-Edgeward-Anything": "root",
    Connection: "X-Edgeward-User, X-Forwarded-For, close",
  };
  const user = { Basic: "ann", Bearer: "token:ann@idp" };
  await eachRow(t, ASKERS.map((row) => [row[0], ...row]), async (name, path, headers) => {
    const seen = await passes(path, { headers: withFields(spoofed, headers) });
    assert.equal(seen.get("x-edgeward-user"), user[name]);
    assert.equal(seen.get("x-edgeward-groups"), name === "Basic" ? "staff,admins" : undefined);
    assert.equal(seen.get("x-edgeward-anything"), undefined);
    assert.notEqual(seen.get("x-edgeward-assertion"), "e30.e30.AA");
    assert.equal(seen.all("x-edgeward-assertion").length, path.startsWith("/report") ? 0 : 1);
  });
});

test("8: nor by another spelling of the field", async (t) => {
  const names = ["X_Edgeward_User", "x-edgeward_user", "X.Edgeward.User", "x_edgeward-groups", "X-Edgeward.Assertion"];
  const aliases = [...names, "X_Token", "X.Token", "X_Forwarded_For", "X.Original-URL", "x_real.ip"];
  await eachRow(t, ASKERS, async (path, headers) => {
    const spoofed = Object.fromEntries(aliases.map((name) => [name, "spoofed-value"]));
    const seen = await passes(path, { headers: withFields(spoofed, headers) });
    assert.ok(!JSON.stringify(seen.rawHeaders).includes("spoofed-value"), JSON.stringify(seen.rawHeaders));
  });
});

test("9: no path that the origin redirects to becomes another site", async (t) => {
  const said = policy(world.origin, { origin: `${world.origin.url}/base` });
  await withGate({ policy: said, secrets: secrets() }, (gate) =>
    eachRow(
      t,
      [
        ["an empty segment", "/base//evil.example/x", "https://acme.example//evil.example/x"],
        ["a backslash", "/base/\\evil.example", "https://acme.example/\\evil.example"],
        ["a tab", "/base/\t/evil.example", "https://acme.example/\t/evil.example"],
        ["a path", "/base/there", "/there"],
      ],
      async (location, expected) => {
        const query = new URLSearchParams({ location, "content-location": location });
        const response = await gate.request(`/public/as/location?${query}`);
        assert.equal(response.get("location"), expected);
        assert.equal(response.get("content-location"), expected);
        assert.equal(new URL(response.get("location"), "https://acme.example/public/").host, "acme.example");
      },
    ),
  );
});

test("10: a path is read in one way or refused", async (t) => {
  const paths = ["/public/../x", "/public/%2e%2e/x", "/public/%252e%252e/x", "/public%2f..%2fx", "/public/..;/x"].concat(
    ["/public\\..\\x", "//x", "/public/x/..%2f..%2fdenied/x", "/public/%00/../../x", "/public/..%00/x"],
    ["/public/%2e%2e%23", "/x?x=/public", "/public/%2e%2e/scoped/x", "/%70ublic%2f%2e%2e/denied/x", "/public/private;/x"],
    ["/public/%70rivate/x", "/public//private/x", "/public/./private/x"],
  );
  for (const path of paths) {
    await t.test(path, async () => {
      await stops(path);
      await stops(path, { headers: { Accept: "text/html" } });
    });
  }
  for (const path of ["/denied/.", "/denied/%2e", "/%64enied/x", "/denied//x", "/x/%2e%2e/denied/x", "/denied;a/x"])
    await t.test(`${path} with credentials`, () => stops(path, { headers: ANN }, [400, 403]));
  const reserved = ["/.edgeward", "/.edgeward/", "/.Edgeward/health", "//.edgeward/health", "/.edgeward/../x"].concat(
    ["/.edgeward/health/", "/.edgeward//health", "/.edgeward/./health", "/.edgeward/%68ealth", "/%2eedgeward/health"],
    ["/.edgeward/health;x", "/.edgeward/health%00", "/.edgeward/brand/../../x", "/x/../.edgeward/health"],
  );
  for (const path of reserved)
    await t.test(`reserved: ${path}`, async () => {
      if (path === "/.Edgeward/health") return refuses(path, {}, "credentials-missing");
      return stops(path, { headers: ANN }, [400, 404]);
    });
});

test("11: what cannot be read is refused", async (t) => {
  for (const path of ["/%", "/%zz", "/public/%", "/public/%f", "/public/%ff", "/public/%c0%ae", "/public/%u002e"])
    await t.test(path, () => refuses(path, { headers: ANN }, "request-ambiguous"));
  await t.test("encoded four times over", () => refuses("/public/%2525252561", {}, "request-ambiguous"));
  await t.test("so many marks that no one can tell", () =>
    refuses(`/public/${"a;/%252e%252e/%5c%2f%00%23%3f/".repeat(200)}`, {}, "request-ambiguous"),
  );
});

const OVERRIDES = {
  "X-HTTP-Method-Override": "POST",
  "X-HTTP-Method": "POST",
  "X-Method-Override": "POST",
  "X-Original-URL": "/public/x",
  "X-Rewrite-URL": "/public/x",
  "X-Forwarded-Host": "evil.example",
  "X-Forwarded-Proto": "http",
  "X-Forwarded-Uri": "/public/x",
  "X-Forwarded-Method": "POST",
  "X-Forwarded-User": "root",
  "X-Forwarded-For": "203.0.113.9",
  "X-Forwarded-Prefix": "/public",
  "X-Real-IP": "203.0.113.9",
  Forwarded: "for=203.0.113.9;host=evil.example",
};

test("12: what a proxy would say decides nothing and does not reach the origin", async (t) => {
  await refuses("/x", { headers: OVERRIDES }, "credentials-missing");
  await refuses("/denied/x", { headers: OVERRIDES }, "denied");
  await refuses("/hook", { headers: OVERRIDES }, "credentials-missing");
  await refuses("/public-net/x", { headers: OVERRIDES }, "credentials-missing");
  await refuses("/net/x", { headers: withFields(OVERRIDES, ANN) }, "not-allowed");
  await eachRow(t, ASKERS, async (path, headers) => {
    const seen = await passes(path, { headers: withFields(OVERRIDES, headers) });
    const left = Object.keys(OVERRIDES).filter((name) => seen.get(name) !== undefined);
    assert.deepEqual(left, ["X-Forwarded-Host", "X-Forwarded-Proto"]);
    assert.deepEqual([seen.all("x-forwarded-host"), seen.all("x-forwarded-proto")], [["acme.example"], ["https"]]);
  });
});

test("13: no agent is exempt", async (t) => {
  const agents = ["kube-probe/1.30", "GoogleHC/1.0", "ELB-HealthChecker/2.0", "Mozilla/5.0 (compatible; Googlebot/2.1)", ""];
  await eachRow(t, agents.map((agent) => [agent, agent]), async (agent) => {
    await refuses("/x", { headers: { "User-Agent": agent } }, "credentials-missing");
    await refuses("/denied/x", { headers: { "User-Agent": agent, ...ANN } }, "denied");
  });
});

test("16: cookies of ours are found where an origin would find them, and nowhere else", async (t) => {
  const cookie = (value) => ({ headers: { Cookie: value } });
  await refuses("/x", cookie(`acme_token=${TOKEN}; acme_token=${TOKEN}`), "request-ambiguous");
  await refuses("/x", { headers: { Cookie: [`acme_token=${TOKEN}`, `acme_token=x`] } }, "request-ambiguous");
  for (const name of ["=acme_token", "\u00a0acme_token", "\u2000acme_token", "Acme_Token", "__Host-acme_token", "acme_token%20"])
    await t.test(`${name}=`, () => refuses("/x", cookie(Buffer.from(`${name}=${TOKEN}`)), "credentials-missing"));
  await t.test("in quotation marks", () => refuses("/x", cookie(`acme_token="${TOKEN}"`), "token-malformed"));
  await t.test("ours of all names are taken off, the rest is kept", async () => {
    const own = ["__Host-edgeward", "__Secure-edgeward", "edgeward", "__Host-edgeward-device", "__Host-edgeward-link"];
    const field = `a=1; ${own.map((name) => `${name}=owned`).join("; ")}; \t__Host-edgeward =owned; acme_token=owned;b="2"`;
    for (const [, path, headers] of ASKERS) {
      const seen = await passes(path, { headers: { ...headers, Cookie: [field, "edgeward=owned", "c=3"] } });
      assert.match(seen.get("cookie"), /^a=1; ?b="2"[,;] ?c=3$/);
    }
  });
  await t.test("an origin cannot set them", async () => {
    const query = ["__Host-edgeward=x; Path=/", " edgeward=x", "=__Host-edgeward=x; Path=/", "ok=1"];
    const lines = query.map((line) => `c=${encodeURIComponent(line)}`).join("&");
    const response = await world.gate.request(`/public/as/set-cookie?${lines}`);
    assert.deepEqual(response.all("set-cookie"), ["ok=1"]);
  });
});

test("17: what is signed for one purpose is good for no other", async () => {
  const seen = await passes("/public/x");
  const assertion = seen.get("x-edgeward-assertion");
  assert.ok(assertion);
  await stops("/x", { headers: bearer(assertion) }, [401]);
  const typed = jwt({ header: { typ: "edgeward-assertion+jwt" } });
  await refuses("/x", { headers: bearer(typed) }, "token-malformed");
  await refuses("/x", { headers: bearer(jwt({ header: { typ: "application/Edgeward-Assertion+JWT" } })) }, "token-malformed");
  // A key of one entry, in the name of another.
  await refuses("/x", { headers: bearer(jwt({ kid: "strict", key: KEYS.main.key })) }, "token-bad-signature");
});

test("18, 27: another site causes nothing by credentials that browsers add themselves", async (t) => {
  const ambient = [
    ["Basic", ANN],
    ["a cookie", { Cookie: `acme_token=${TOKEN}` }],
  ];
  for (const [name, headers] of ambient) {
    for (const [how, fields] of [
      ["a foreign Origin", FOREIGN],
      ["Origin null", { Origin: "null" }],
      ["Sec-Fetch-Site", { "Sec-Fetch-Site": "cross-site" }],
      ["Sec-Fetch-Site in an upgrade", { "Sec-Fetch-Site": "cross-site", Upgrade: "websocket", Connection: "Upgrade" }],
    ])
      await t.test(`${name}, POST with ${how}`, () =>
        refuses("/x", { method: "POST", headers: { ...headers, ...fields }, body: "" }, "cross-site"),
      );
    await t.test(`${name}, an upgrade with a foreign Origin`, () =>
      refuses("/ws", { headers: { ...UPGRADE, ...headers, ...FOREIGN } }, "cross-site"),
    );
  }
  await t.test("an upgrade without credentials", () => refuses("/ws", { headers: UPGRADE }, "credentials-missing"));
  await t.test("an upgrade by a token in a cookie without Origin", () =>
    refuses("/ws", { headers: { ...UPGRADE, Cookie: `acme_token=${TOKEN}` } }, "cross-site"),
  );
  await t.test("Bearer is not ambient", () => passes("/x", { method: "POST", headers: { ...bearer(TOKEN), ...FOREIGN } }));
});

test("19: nobody learns who is there", async (t) => {
  const users = [passwordLine("slow", "slow-password-1", "", 60_000), passwordLine("quick", "quick-pw-1", "", 1000)].join("\n");
  await withGate({ policy: policy(world.origin), secrets: secrets({ EDGEWARD_USERS: users }) }, async (gate) => {
    const ask = async (user, accept) => {
      const began = performance.now();
      const response = await gate.request("/x", { headers: { ...basic(user, "wrong-password"), Accept: accept } });
      return { response, took: performance.now() - began };
    };
    /** The median time for each, in turns, so that whatever else the machine does weighs on all alike. */
    const median = async (...users) => {
      const times = users.map(() => []);
      for (let i = 0; i < 11; i += 1)
        for (const [at, user] of users.entries()) times[at].push((await ask(user, "*/*")).took);
      return times.map((each) => each.toSorted((a, b) => a - b)[5]);
    };
    for (const accept of ["text/html", "application/json", "text/plain"])
      await t.test(`the same answer in ${accept}`, async () => {
        const same = async (user) => {
          const { response } = await ask(user, accept);
          assert.equal(response.status, 401);
          return text(response).replaceAll(/\b[0-9a-f]{16}\b/g, "").replaceAll(/\d\d:\d\d(:\d\d)?/g, "").replaceAll(/date\n.*\n/gi, "");
        };
        const of = await Promise.all(["slow", "quick", "nobody"].map(same));
        assert.equal(of[0], of[1]);
        assert.equal(of[0], of[2]);
      });
    await t.test("the same work", async () => {
      const [slow, quick, nobody] = await median("slow", "quick", "nobody");
      // Else an unknown user and "quick" cost less than one part in ten.
      for (const other of [quick, nobody])
        assert.ok(other > slow * 0.35 && other < slow * 3, `${slow} ms, ${quick} ms, ${nobody} ms`);
    });
    await t.test("a password that was proven makes no wrong one cheaper", async () => {
      passed(await gate.request("/x", { headers: basic("quick", "quick-pw-1") }));
      const [slow, quick] = await median("slow", "quick");
      assert.ok(quick > slow * 0.35, `${slow} ms, ${quick} ms`);
      refused((await ask("quick", "application/json")).response, "credentials-wrong");
    });
  });
});

test("20: nothing of one visitor is shown to another", async (t) => {
  const page = async (headers, accept = {}) => world.gate.request("/x/as/page", { headers: { ...headers, ...accept } });
  assert.match((await page(ANN)).text(), /for ann/);
  assert.match((await page(basic("bob"))).text(), /for bob/);
  const nobody = await page({}, PAGE);
  assert.equal(nobody.status, 401);
  assert.equal(nobody.get("cache-control"), "no-store");
  assert.doesNotMatch(nobody.text(), /for (ann|bob)/);
  assert.match((await page(ANN)).get("cache-control"), /^private, max-age=3600$/);
  await t.test("a kept page", async () => {
    const ask = (path, credentials) => world.gate.request(path, { headers: { ...credentials, ...PAGE } });
    assert.match((await ask("/secret-path-of-one", basic("suspended"))).text(), /secret-path-of-one/);
    const other = await ask("/two", basic(...ODD_USERS[0]));
    assert.equal(other.status, 403);
    assert.doesNotMatch(other.text(), /secret-path-of-one|>suspended</);
  });
  await t.test("must-understand does not open a shared cache", async () => {
    const cc = encodeURIComponent("public, must-understand, no-store, s-maxage=9");
    const response = await world.gate.request(`/x/as/cache-headers?cc=${cc}`, { headers: ANN });
    assert.equal(response.get("cache-control"), "private, must-understand, no-store");
    for (const name of ["cdn-cache-control", "cloudflare-cdn-cache-control", "surrogate-control"])
      assert.equal(response.get(name), undefined);
  });
});

test("21: a token is off before the origin", async (t) => {
  const signature = TOKEN.split(".")[2];
  const places = [
    ["Authorization", "", bearer(TOKEN)],
    ["a field", "", { "X-Token": TOKEN }],
    ["a cookie", "", { Cookie: `a=1; acme_token=${TOKEN}` }],
    ["the query", `?a=1&access_token=${TOKEN}&b=%20`, {}],
    ["Referer", "", { Referer: `https://acme.example/x?access_token=${TOKEN}`, ...bearer(TOKEN) }],
    ["the query, its name encoded", `?a=1&%61ccess%5ftoken=${TOKEN}&b=%20`, {}],
  ];
  for (const path of ["/x", "/public/x", "/report/x"]) {
    await eachRow(t, places.map((row) => [`${row[0]}, ${path}`, ...row.slice(1)]), async (query, headers) => {
      const seen = await passes(path + query, { headers });
      assert.ok(!JSON.stringify(seen).includes(signature), JSON.stringify(seen));
      assert.equal(seen.url, query ? `${path}?a=1&b=%20` : path);
    });
  }
  await t.test("the rest of Referer is kept", async () => {
    for (const [referer, expected] of [
      [`https://acme.example/x?a=%2f&access_token=${TOKEN}&b`, "https://acme.example/x?a=%2f&b"],
      [`https://acme.example/x?access_token=${TOKEN}`, "https://acme.example/x"],
      ["https://other.example/?a&&b=%zz", "https://other.example/?a&&b=%zz"],
    ])
      assert.equal((await passes("/public/x", { headers: { Referer: referer } })).get("referer"), expected);
  });
  await t.test("Basic", async () => {
    for (const path of ["/x", "/public/x"]) assert.equal((await passes(path, { headers: ANN })).get("authorization"), undefined);
  });
});

test("21: a credential is off while the secret that would verify it is missing", async () => {
  const said = { origin: world.origin.url, rules: [{ path: "/public/*", access: "public" }, { path: "/x", accept: ["basic"] }] };
  await withGate({ policy: said, secrets: { EDGEWARD_SECRET: SECRET } }, async (gate) => {
    assert.equal((await gate.request("/x", { headers: ANN })).status, 503);
    assert.equal((await gate.request("/public/x", { headers: ANN })).origin().get("authorization"), undefined);
  });
});

test("21: a preflight that the origin answers goes there without credentials", async () => {
  const cors = { origins: ["https://app.acme.example"], preflight: "origin" };
  await withGate({ policy: policy(world.origin, { cors }), secrets: secrets() }, async (gate) => {
    const headers = { ...ANN, Origin: "https://app.acme.example", "Access-Control-Request-Method": "GET" };
    for (const path of ["/x", "/keep/x"]) {
      const seen = (await gate.request(path, { method: "OPTIONS", headers })).origin();
      assert.deepEqual([seen.method, seen.get("authorization"), seen.get("x-edgeward-user")], ["OPTIONS", undefined, undefined]);
    }
  });
});

test("22: nobody is asked for credentials in clear", async (t) => {
  await eachRow(t, [["nobody", {}], ["Basic", ANN], ["Bearer", bearer(TOKEN)]], async (headers) => {
    for (const [method, status] of [["GET", 308], ["HEAD", 308], ["POST", 403], ["OPTIONS", 403]]) {
      const { response, reached } = await counted("http://acme.example//evil.example/x?a=%2f", { method, headers });
      assert.deepEqual([response.status, reached, response.get("www-authenticate")], [status, 0, undefined]);
      if (status === 308) assert.equal(response.get("location"), "https://acme.example//evil.example/x?a=%2f");
    }
  });
  await t.test("a host that only looks like loopback", () =>
    refuses("http://localhost.evil.example/x", { method: "POST", headers: ANN }, "insecure-transport"),
  );
});

test("23: Basic is UTF-8, in Normalization Form C", async () => {
  await passes("/x", { headers: { Authorization: "Basic dGVzdDoxMjPCow==" } });
  const decomposed = basic("caf\u00e9".normalize("NFD"), PASSWORDS["caf\u00e9"]);
  assert.equal((await passes("/x", { headers: decomposed })).get("x-edgeward-user"), "caf%C3%A9");
  await passes("/x", { headers: basic("cafe", PASSWORDS.cafe.normalize("NFD")) });
  await refuses("/x", { headers: { Authorization: `Basic ${Buffer.from("test:123\xa3", "latin1").toString("base64")}` } }, "credentials-malformed");
});

test("24: two Authorization lines are none", async (t) => {
  const values = [ANN.Authorization, bearer(TOKEN).Authorization, basic("bob").Authorization, "Digest a=b"];
  for (const one of values)
    for (const other of values)
      await t.test(`${one.slice(0, 12)} ${other.slice(0, 12)}`, async () => {
        await stops("/x", { headers: ["Authorization", one, "Authorization", other] }, one === other && one === "Digest a=b" ? [400, 401] : [400]);
        await stops("/x", { headers: { Authorization: `${one},${other}` } }, [400, 401]);
      });
  await refuses("/x", { headers: ["Authorization", ANN.Authorization, "Authorization", ""] }, "request-ambiguous");
  await refuses("/x", { headers: { ...ANN, "X-Token": TOKEN } }, "request-ambiguous");
  await refuses("/x", { headers: ["X-Token", TOKEN, "X-Token", TOKEN] }, "request-ambiguous");
  await refuses(`/x?access_token=${TOKEN}&access%5Ftoken=${TOKEN}`, {}, "request-ambiguous");
});

test("25: the rest of the query is left as it is", async () => {
  const query = "a=%2F&b=/&c=%7e&d=~&e=+&f=%20&a=2&&=&%zz";
  assert.equal((await passes(`/x?${query}&access_token=${TOKEN.replaceAll(".", "%2e")}`)).url, `/x?${query}`);
});

test("26: a token has one spelling", async (t) => {
  const [header, claims, signature] = TOKEN.split(".");
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = alphabet.indexOf(signature.at(-1));
  const others = [last ^ 1, last ^ 2, last ^ 3].map((at) => signature.slice(0, -1) + alphabet[at]);
  const standard = jwt({ claims: { sub: "a>?a>?\u00ff" } }).split(".");
  const spellings = [
    ...others.map((other) => `${header}.${claims}.${other}`),
    `${TOKEN}=`,
    `${header}.${claims}=.${signature}`,
    `${header}=.${claims}.${signature}`,
    `${TOKEN}.`,
    `.${TOKEN}`,
    `${header}.${claims}.${signature.toLowerCase()}`,
    `${header}.${claims}.${Buffer.from(signature, "base64url").toString("hex")}`,
    standard.map((part) => part.replaceAll("-", "+").replaceAll("_", "/")).join("."),
  ].filter((spelling) => spelling !== TOKEN && spelling !== standard.join("."));
  await eachRow(t, spellings.map((spelling) => [spelling.slice(-12), spelling]), async (spelling) => {
    await stops("/x", { headers: bearer(spelling) }, [401]);
    await stops(`/x?access_token=${encodeURIComponent(spelling)}`, {}, [401]);
  });
  await passes("/x", { headers: bearer(TOKEN) });
});

test("28: a method is decided by its own name, and is the one that the origin gets", async (t) => {
  for (const method of ["PUT", "DELETE", "PATCH", "PROPFIND", "QUERY", "OPTIONS", "GET", "HEAD"])
    await t.test(`${method} of a path that is public for POST`, () => stops("/hook", { method, headers: OVERRIDES }, [401]));
  await t.test("HEAD is GET", async () => {
    const response = await world.gate.request("/get-only/x", { method: "HEAD" });
    assert.equal(response.status, 200);
    assert.equal((await world.origin.last()).method, "HEAD");
  });
  for (const method of ["TRACK", "DEBUG", "TRACE"])
    await t.test(method, async () => {
      for (const path of ["/x", "/public/x", "/hook"]) await stops(path, { method, headers: ANN }, [400, 405, 501]);
    });
  for (const method of ["POST", "PUT", "PROPFIND"])
    await t.test(`${method} that asks for a WebSocket does not become a GET`, async () => {
      const path = method === "POST" ? "/hook" : "/public/hook";
      const earlier = await world.origin.count();
      const response = await world.gate.request(path, { method, headers: UPGRADE, body: "content" });
      response.socket?.destroy();
      assert.equal((await world.origin.count()) - earlier, 1);
      const seen = await world.origin.last();
      assert.deepEqual([seen.method, seen.upgrade, seen.body?.length], [method, undefined, 7]);
    });
});

test("31: no script is let into a page", async (t) => {
  const encoded = encodeURIComponent(SCRIPT);
  const suspended = basic(...ODD_USERS[0]);
  const asked = [
    ["in the path", `/x/${encoded}`, {}, 401],
    ["in the query", `/x?q=${encoded}`, {}, 401],
    ["in Referer", "/x", { Referer: `https://evil.example/${SCRIPT}` }, 401],
    ["in CF-Ray", "/x", { "CF-Ray": SCRIPT }, 401],
    ["in Accept-Language", "/x", { "Accept-Language": `${SCRIPT}, en` }, 401],
    ["in Origin", "/x", { Origin: SCRIPT }, 401],
    ["in a user-id", "/x", suspended, 403],
    ["in a refused path", `/%zz/${encoded}`, {}, 400],
    ["in a reserved path", `/.edgeward/problems/${encoded}`, {}, 404],
    ["in the port", "https://acme.example:1/x", { "User-Agent": SCRIPT }, 401],
  ];
  await eachRow(t, asked, async (path, headers, status) => {
    const response = await world.gate.request(path, { headers: { ...PAGE, ...headers } });
    assert.equal(response.status, status);
    const page = response.text();
    assert.match(response.get("content-type"), /^text\/html/);
    assert.doesNotMatch(page, /<script>alert|"><script/);
    const policy = response.get("content-security-policy");
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe|\*/);
    // Whatever runs was hashed before any request came.
    for (const [, script] of page.matchAll(/<script[^>]*>([^]*?)<\/script>/g))
      assert.ok(policy.includes(createHash("sha256").update(script).digest("base64")));
    assert.doesNotMatch(response.rawHeaders.join("\n"), /<script>/);
    for (const name of ["content-language", "www-authenticate", "allow", "location"])
      assert.doesNotMatch(response.get(name) ?? "", /alert/);
  });
  await t.test("in problem details", async () => {
    const response = await world.ask(`/x/${encoded}`, { headers: { "CF-Ray": SCRIPT } });
    assert.match(response.json().reference, /^[0-9a-f]{16}$/);
    assert.doesNotMatch(text(response), /<script>/);
  });
});

test("33: user-ids are compared as they are, and written so that nothing can be read into them", async (t) => {
  for (const user of ["Ann", "ANN", "ann ", " ann", "ann\u200b", "\uff41nn", "ann@a", "token:ann", "bob,ann"])
    await t.test(JSON.stringify(user), () => refuses("/x", { headers: basic(user, PASSWORDS.ann) }, "credentials-wrong"));
  for (const user of ["ann\0", "ann\n", "a\x1bnn", "ann\x7f", "ann\u0085", ""])
    await t.test(JSON.stringify(user), () => refuses("/x", { headers: basic(user, PASSWORDS.ann) }, "credentials-malformed"));
  await t.test("several @", async () =>
    assert.equal((await passes("/x", { headers: basic("ann@a@b", "odd-pw-2-at") })).get("x-edgeward-user"), "ann@a@b"),
  );
  await t.test("a comma, a space and a percent sign", async () =>
    assert.equal((await passes("/x", { headers: basic("a,b %c", "odd-pw-3-comma") })).get("x-edgeward-user"), "a%2Cb%20%25c"),
  );
  await t.test("a token's subject is no account of ours", async () => {
    for (const sub of ["ann", "a\r\nX-Edgeward-Groups: admins", "\u0000", "a,b"]) {
      const seen = await passes("/x", { headers: bearer(jwt({ claims: { sub } })) });
      assert.equal(seen.get("x-edgeward-user"), `token:${encodeURIComponent(sub).replaceAll("%3A", ":")}`);
      assert.equal(seen.get("x-edgeward-groups"), undefined);
    }
    await refuses("/for-ann", { headers: bearer(jwt({ claims: { sub: "ann" } })) }, "not-allowed");
  });
});

test("an authority that is no host is no defect of ours", async () => {
  await withGate({ policy: policy(world.origin, { origin: undefined }), secrets: secrets() }, async (gate) => {
    for (const host of ["acme.example:99999", "1.2.3.4.5"])
      assert.equal((await gate.request(`https://${host}/public/x`)).status, 502, host);
    assert.doesNotMatch(await gate.printed(), /panic|internal/);
  });
});

test("34: no secret of this whole run was printed or answered", async (t) => {
  const printed = await world.gate.printed();
  assert.ok(printed.split("\n").length > 300, "the run was logged");
  const own = world.gate.answers.filter(({ get }) => get("x-echo") === undefined);
  assert.ok(own.length > 300, "Edgeward answered");
  // A redirect to https keeps the query that came.
  const answered = own.filter(({ status }) => status !== 308).map(text).join("\n");
  const needles = [SECRET, SECRET_BYTES.toString(), TOKEN, TOKEN.split(".")[2], ANN.Authorization.slice(6)].concat(
    Object.values(PASSWORDS).filter((password) => password.length > 6),
    ODD_USERS.map(([, password]) => password),
    Object.values(KEYS).flatMap(({ key }) => [key.toString(), base64url(key)]),
  );
  for (const [index, needle] of needles.entries())
    await t.test(`secret ${index}`, () => {
      assert.ok(!printed.includes(needle), "printed");
      assert.ok(!answered.includes(needle), "answered");
    });
  assert.doesNotMatch(printed, /"edgeward":"panic"|"cause":"internal"/);
});
