// Fail closed: what happens when the configuration is wrong. Contract §1, attacks 2 and 4.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { passed } from "./expect.mjs";
import {
  KEYS,
  NO_VECTORS,
  SECRET,
  SECRET_BYTES,
  USERS,
  base64url,
  basic,
  bearer,
  jwk,
  jwt,
  keySet,
  passwordLine,
  policy,
  secrets,
} from "./given.mjs";
import { VECTORS, withGate } from "./harness.mjs";
import { startOrigin } from "./origin.mjs";

let origin;
before(async () => (origin = await startOrigin()));
after(() => origin?.stop());

const ANN = basic("ann");
const JSON_WANTED = { Accept: "application/json" };
const lines = async (gate) => (await gate.printed()).split("\n").filter(Boolean);

/** Asserts 503 `not-configured` for all but what is named in `open`, and that the log says it once, with this in it. */
async function failsClosed(settings, { publicPasses, log }) {
  await withGate(settings, async (gate) => {
    await origin.forget();
    for (const [path, headers] of [
      ["/x", ANN],
      ["/x", {}],
      ["/x", bearer(jwt())],
      ["/", ANN],
      ["/.edgeward/whoami", ANN],
    ]) {
      const response = await gate.request(path, { headers: { ...JSON_WANTED, ...headers } });
      assert.deepEqual([response.status, response.json().cause], [503, "not-configured"], path);
      assert.match(response.get("retry-after"), /^[1-9]\d*$/);
      assert.equal(response.get("cache-control"), "no-store");
      assert.equal(response.get("www-authenticate"), undefined);
      assert.doesNotMatch(response.text(), /EDGEWARD|rules\[|leeway/, "the visitor sees no detail");
    }
    const page = await gate.request("/x", { headers: { Accept: "text/html" } });
    assert.match(
      page.text(),
      /data-status="503"[^>]*data-cause="not-configured"|data-cause="not-configured"[^>]*data-status="503"/,
    );
    assert.equal(await origin.count(), 0);
    assert.equal((await gate.request("/.edgeward/health")).status, 503);
    const open = await gate.request("/public/x", { headers: JSON_WANTED });
    if (publicPasses) passed(open);
    else assert.deepEqual([open.status, open.json().cause], [503, "not-configured"]);
    await tellsOnce(gate, log);
  });
}

/** The log has a problem with this in it, and tells no key path twice. */
async function tellsOnce(gate, log) {
  const told = problems(await lines(gate));
  assert.ok(
    told.some((text) => log.test(text)),
    `${log} in:\n${told.join("\n")}`,
  );
  const places = told.map((text) => text.split(": ")[0]);
  assert.deepEqual(places, [...new Set(places)], `each key path once:\n${told.join("\n")}`);
}

/** The sentences of a log that are problems: key path, what was found, what was expected, what to do. */
const problems = (printed) =>
  printed
    .filter((line) => /: found .*, expected /.test(line))
    .map((line) => (line.startsWith("{") ? JSON.parse(line).problem : line));

test("a good configuration is 200 on health and prints no problem", async () => {
  await withGate({ policy: policy(origin), secrets: secrets() }, async (gate) => {
    assert.equal((await gate.request("/.edgeward/health")).status, 200);
    passed(await gate.request("/x", { headers: ANN }));
    assert.doesNotMatch(await gate.printed(), /expected/);
  });
});

test("the policy may be JSON text", async () => {
  await withGate({ policy: JSON.stringify(policy(origin)), secrets: secrets() }, async (gate) => {
    assert.equal((await gate.request("/.edgeward/health")).status, 200);
    passed(await gate.request("/x", { headers: ANN }));
    passed(await gate.request("/public/x"));
  });
});

const SECRET_PROBLEMS = [
  ["EDGEWARD_SECRET unset", { EDGEWARD_SECRET: undefined }],
  ["EDGEWARD_SECRET empty", { EDGEWARD_SECRET: "" }],
  ["EDGEWARD_SECRET white space", { EDGEWARD_SECRET: " \n" }],
  ["EDGEWARD_SECRET of 31 octets", { EDGEWARD_SECRET: base64url(SECRET_BYTES.subarray(1)) }],
  ["EDGEWARD_SECRET no base64url", { EDGEWARD_SECRET: `${SECRET.slice(0, -2)}!!` }],
  ["EDGEWARD_SECRET the second is short", { EDGEWARD_SECRET: `${SECRET} c2hvcnQ` }],
  ["EDGEWARD_SECRET repeated", { EDGEWARD_SECRET: `${SECRET} ${SECRET}` }],
  ["EDGEWARD_KEYS unset, and entries name its keys", { EDGEWARD_KEYS: undefined }],
  ["EDGEWARD_KEYS empty", { EDGEWARD_KEYS: "" }],
  ["EDGEWARD_KEYS no JSON", { EDGEWARD_KEYS: "secret" }],
  ["EDGEWARD_KEYS an array", { EDGEWARD_KEYS: "[]" }],
  ["EDGEWARD_KEYS no keys in it", { EDGEWARD_KEYS: '{"keys":[]}' }],
  ["EDGEWARD_KEYS one of the named keys is not there", { EDGEWARD_KEYS: keySet("main", "main384", "main512") }],
  ["EDGEWARD_USERS empty", { EDGEWARD_USERS: "" }],
  ["EDGEWARD_USERS unset, and a rule accepts basic", { EDGEWARD_USERS: undefined }],
  ["EDGEWARD_USERS a line of plain text", { EDGEWARD_USERS: `${USERS}\neve:plain-text-password` }],
  ["EDGEWARD_USERS a line without a colon", { EDGEWARD_USERS: `${USERS}\neve` }],
  ["EDGEWARD_USERS a user twice", { EDGEWARD_USERS: `${USERS}\n${passwordLine("ann", "other")}` }],
  ["EDGEWARD_USERS a user twice, in the second secret", { EDGEWARD_USERS_2: passwordLine("ann", "other") }],
  ["EDGEWARD_USERS_2 empty", { EDGEWARD_USERS_2: "" }],
  ["EDGEWARD_USERS an unknown flag", { EDGEWARD_USERS: `${USERS}\n${passwordLine("eve", "x", "!admin")}` }],
  ["EDGEWARD_USERS an unreadable date", { EDGEWARD_USERS: `${USERS}\n${passwordLine("eve", "x", "!until=tomorrow")}` }],
];

test("each secret that is missing, empty, short, repeated or unreadable closes all but what is public", async (t) => {
  for (const [name, more] of SECRET_PROBLEMS) {
    const [secret] = name.split(" ");
    await t.test(name, () =>
      failsClosed(
        { policy: policy(origin), secrets: secrets(more) },
        { publicPasses: true, log: new RegExp(`${secret}`) },
      ),
    );
  }
});

test("each key that is wrong makes the whole of EDGEWARD_KEYS unreadable", async (t) => {
  const short = (alg, octets) => ({
    kty: "oct",
    kid: "short",
    alg,
    k: base64url(Buffer.from("short-key-octets".repeat(9).slice(0, octets))),
  });
  const rows = [
    ["HS256 of 31 octets", short("HS256", 31)],
    ["HS384 of 47 octets", short("HS384", 47)],
    ["HS512 of 63 octets", short("HS512", 63)],
    ["an empty key", { kty: "oct", kid: "x", alg: "HS256", k: "" }],
    ["no k", { kty: "oct", kid: "x", alg: "HS256" }],
    ["no kid", { ...jwk("main"), kid: undefined }],
    ["no alg", { ...jwk("main"), kid: "x", alg: undefined }],
    ["an unknown alg", { ...jwk("main"), kid: "x", alg: "HS257" }],
    ["alg none", { ...jwk("main"), kid: "x", alg: "none" }],
    ["a public key", { kty: "RSA", kid: "x", alg: "RS256", n: "AQAB", e: "AQAB" }],
    ["a kid twice", jwk("main")],
    ["k in standard base64", { ...jwk("main"), kid: "x", k: `${"+/".repeat(22)}` }],
    ["k with padding", { ...jwk("main"), kid: "x", k: `${jwk("main").k}=` }],
  ];
  const good = Object.keys(KEYS).map((kid) => jwk(kid));
  for (const [name, key] of rows) {
    await t.test(name, () =>
      failsClosed(
        { policy: policy(origin), secrets: secrets({ EDGEWARD_KEYS: JSON.stringify({ keys: [...good, key] }) }) },
        { publicPasses: true, log: /EDGEWARD_KEYS/ },
      ),
    );
  }
});

const WEAK = join(VECTORS, "fuzz_jwt_weak_secrets.json");

test(
  "a published weak secret is refused however long it is",
  { skip: existsSync(WEAK) ? false : NO_VECTORS },
  async () => {
    const weak = JSON.parse(readFileSync(WEAK, "utf8")).secrets.filter((text) => Buffer.byteLength(text) >= 32);
    assert.ok(weak.length > 0);
    for (const text of [weak[0], weak.at(-1)]) {
      const key = { kty: "oct", kid: "weak", alg: "HS256", k: base64url(text) };
      const settings = {
        policy: policy(origin),
        secrets: secrets({
          EDGEWARD_KEYS: JSON.stringify({ keys: [...Object.keys(KEYS).map((kid) => jwk(kid)), key] }),
        }),
      };
      await failsClosed(settings, { publicPasses: true, log: /EDGEWARD_KEYS/ });
    }
  },
);

test("no kind configured at all: 503 on all that is not public", async () => {
  const bare = { origin: origin.url, rules: [{ path: "/public/*", access: "public" }] };
  await failsClosed(
    { policy: bare, secrets: { EDGEWARD_SECRET: SECRET } },
    { publicPasses: true, log: /EDGEWARD_(USERS|KEYS)/ },
  );
});

test("a kind that is not configured is not missed where nothing names it", async () => {
  const bare = { origin: origin.url, rules: [{ path: "/public/*", access: "public" }] };
  await withGate({ policy: bare, secrets: { EDGEWARD_SECRET: SECRET, EDGEWARD_USERS: USERS } }, async (gate) =>
    passed(await gate.request("/x", { headers: ANN })),
  );
  await withGate({ policy: bare, secrets: { EDGEWARD_SECRET: SECRET, EDGEWARD_KEYS: keySet() } }, async (gate) =>
    passed(await gate.request("/x", { headers: bearer(jwt()) })),
  );
});

const rule = (more) => ({ rules: [{ path: "/public/*", access: "public" }, more] });
const entry = (more) => ({ tokens: [{ format: "jwt", ...more }] });
const POLICY_PROBLEMS = [
  ["an unknown key", { realms: "x" }, /realms/],
  ["an unknown key in a rule", rule({ path: "/y", acces: "public" }), /rules\[1\].*acces/],
  ["an unknown key in an entry", entry({ issuers: "x" }), /tokens\[0\].*issuers/],
  ["an unknown key in brand", { brand: { colour: "#fff" } }, /brand.*colour/],
  ["two equal rules", rule({ path: "/public/*" }), /rules\[1\]/],
  ["two rules that differ by a slash", rule({ path: "/public/*/" }), /rules\[1\]/],
  ["two rules equal but for names", { rules: [{ path: "/a/{x}" }, { path: "/a/{y}" }] }, /rules\[1\]/],
  [
    "methods that overlap",
    {
      rules: [
        { path: "/a", methods: ["GET", "PUT"] },
        { path: "/a", methods: ["PUT"] },
      ],
    },
    /rules\[1\]/,
  ],
  ["leeway over 300", { leeway: 301 }, /leeway/],
  ["leeway below 0", { leeway: -1 }, /leeway/],
  ["leeway as a text", { leeway: "30" }, /leeway/],
  ["a realm that is not ASCII", { realm: "Ac\u00e9" }, /realm/],
  ["a realm that holds a line", { realm: "a\nb" }, /realm/],
  ["an origin that is no URL", { origin: "origin.example" }, /origin/],
  ["an origin with a query", { origin: "https://origin.example/?x" }, /origin/],
  ["an origin of another scheme", { origin: "ftp://origin.example" }, /origin/],
  ["an unknown access", rule({ path: "/y", access: "open" }), /rules\[1\]\.access/],
  ["an unknown kind", rule({ path: "/y", accept: ["basik"] }), /rules\[1\]\.accept/],
  ["accept that is empty", rule({ path: "/y", accept: [] }), /rules\[1\]\.accept/],
  ["a path without a slash", rule({ path: "y" }), /rules\[1\]\.path/],
  ["* inside a path", rule({ path: "/a/*/b" }), /rules\[1\]\.path/],
  ["a rule without a path", rule({ access: "public" }), /rules\[1\]/],
  ["a network that is none", rule({ path: "/y", networks: ["203.0.113.0/33"] }), /rules\[1\]\.networks/],
  ["a time that is none", rule({ path: "/y", not_before: "tomorrow" }), /rules\[1\]\.not_before/],
  ["an unknown mode", rule({ path: "/y", mode: "dry" }), /rules\[1\]\.mode/],
  ["an unknown format", entry({ format: "jwe" }), /tokens\[0\]\.format/],
  ["an unknown algorithm", entry({ algorithms: ["HS256", "RS256"] }), /tokens\[0\]\.algorithms/],
  ["HS1 for a JWT", entry({ algorithms: ["HS1"] }), /tokens\[0\]\.algorithms/],
  ["two entries without keys", { tokens: [{ format: "jwt", keys: ["main"] }, { format: "jwt" }] }, /tokens\[1\]/],
  [
    "one kid in two entries",
    {
      tokens: [
        { format: "jwt", keys: ["main"] },
        { format: "jwt", keys: ["main"] },
      ],
    },
    /tokens\[1\]/,
  ],
  ["a max_age that is none", entry({ max_age: "soon" }), /tokens\[0\]\.max_age/],
  ["an unknown place", entry({ from: ["body:token"] }), /tokens\[0\]\.from/],
  ['cors "null"', { cors: { origins: ["null"] } }, /cors\.origins/],
  ['cors "*" with credentials', { cors: { origins: ["*"], credentials: true } }, /cors/],
  ["cors with a path", { cors: { origins: ["https://a.example/"] } }, /cors\.origins/],
  ["a logo from elsewhere", { brand: { logo: "https://evil.example/x.svg" } }, /brand\.logo/],
  ["a colour that is none", { brand: { color: "red; background: url(//evil)" } }, /brand\.color/],
  ["a support address that runs", { brand: { support: "javascript:alert(1)" } }, /brand\.support/],
  ["hsts as a text", { hsts: "true" }, /hsts/],
  ["http unknown", { http: "upgrade" }, /http/],
  ["log unknown", { log: "some" }, /log/],
];

test("a policy with any problem closes everything, what is public too", async (t) => {
  for (const [name, more, log] of POLICY_PROBLEMS) {
    const said = { origin: origin.url, rules: [{ path: "/public/*", access: "public" }], ...more };
    await t.test(name, () => failsClosed({ policy: said, secrets: secrets() }, { publicPasses: false, log }));
  }
});

test("a policy that cannot be read closes everything", async (t) => {
  const text = JSON.stringify({ origin: origin.url, rules: [{ path: "/public/*", access: "public" }] });
  const rows = [
    ["no JSON", 'realm = "x"'],
    ["cut off", text.slice(0, -1)],
    ["an array", "[]"],
    ["null", "null"],
    ["empty", ""],
    ["a key twice", text.replace("{", '{"leeway":30,"leeway":30,')],
  ];
  for (const [name, said] of rows)
    await t.test(name, () =>
      failsClosed({ policy: said, secrets: secrets() }, { publicPasses: false, log: /EDGEWARD/ }),
    );
});

test("every problem is told, not only the first", async () => {
  const said = { origin: origin.url, leeway: 900, realm: "\u00e9", unknown_one: 1 };
  await withGate({ policy: said, secrets: secrets() }, async (gate) => {
    for (let i = 0; i < 5; i += 1) await gate.request("/x");
    const told = problems(await lines(gate));
    assert.deepEqual(told.map((text) => text.split(": ")[0]).sort(), [
      "EDGEWARD.leeway",
      "EDGEWARD.realm",
      "EDGEWARD.unknown_one",
    ]);
    assert.match(told.join(), /900/);
  });
});

test("several secrets: all of 32 octets and more, by white space", async () => {
  const more = base64url(Buffer.alloc(64, 7));
  await withGate(
    { policy: policy(origin), secrets: secrets({ EDGEWARD_SECRET: `  ${SECRET}\n\t${more}  ` }) },
    async (gate) => {
      passed(await gate.request("/x", { headers: ANN }));
    },
  );
});

test("EDGEWARD_USERS_2 to _9 are read, blank lines and comments are no problem", async () => {
  const more = {
    EDGEWARD_USERS: `\n# a comment\n${USERS}\r\n\n`,
    EDGEWARD_USERS_2: passwordLine("two", "pw-of-two"),
    EDGEWARD_USERS_9: `${passwordLine("nine", "pw-of-nine")}\n`,
  };
  await withGate({ policy: policy(origin), secrets: secrets(more) }, async (gate) => {
    passed(await gate.request("/x", { headers: basic("two", "pw-of-two") }));
    passed(await gate.request("/x", { headers: basic("nine", "pw-of-nine") }));
    passed(await gate.request("/x", { headers: ANN }));
  });
});

test("a gate that is asked by many at once before it is ready tells its problem once", async () => {
  await withGate({ policy: { leeway: 900 }, secrets: secrets() }, async (gate) => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => gate.request("/x")));
    assert.ok(answers.every(({ status }) => status === 503));
    assert.deepEqual(problems(await lines(gate)).length, 1);
  });
});
