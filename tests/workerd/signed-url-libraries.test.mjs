// Links that Akamai's own libraries sign, from npm and from PyPI. The other dialects have no library of their vendor's there:
// signers.mjs signs those.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import EdgeAuth from "akamai-edgeauth";
import { eachRow, shared } from "./expect.mjs";
import { base64url, now, secrets } from "./given.mjs";
import { SITE } from "./harness.mjs";
import { EDGEAUTH, python } from "./python.mjs";

const KEYS = { plain: "HS256", salted: "HS256", escaped: "HS256", sha1: "HS1" };
const octets = (kid) => Buffer.from(`the key of ${kid} links, long enough`);
const address = { headers: { "CF-Connecting-IP": "192.0.2.1" } };

const world = shared(() => ({
  policy: {
    tokens: Object.keys(KEYS).map((kid) => ({
      format: "akamai",
      keys: [kid],
      paths: [`/${kid}/*`],
      ...(kid === "salted" ? { salt: "a salt" } : {}),
      ...(kid === "escaped" ? { escape_early: true } : {}),
    })),
    rules: Object.keys(KEYS).map((kid) => ({ path: `/${kid}/*`, accept: ["signed-url"] })),
  },
  secrets: secrets({
    EDGEWARD_USERS: undefined,
    EDGEWARD_KEYS: JSON.stringify({
      keys: Object.entries(KEYS).map(([kid, alg]) => ({ kty: "oct", kid, alg, k: base64url(octets(kid)) })),
    }),
  }),
}));

/** What the libraries are asked for: options in their words; `url` or `acl`; and a path to use it on. */
const ROWS = () => [
  ["a URL", "plain", {}, { url: "/plain/a.ts" }, "/plain/a.ts"],
  ["a URL with a query", "plain", {}, { url: "/plain/a?x=1&y=%20" }, "/plain/a?x=1&y=%20"],
  ["a start", "plain", { start_time: now() - 60 }, { url: "/plain/a" }, "/plain/a"],
  ["a session and a payload", "plain", { session_id: "s-1", payload: "p=1" }, { url: "/plain/a" }, "/plain/a"],
  ["an address", "plain", { ip: "192.0.2.1" }, { url: "/plain/a" }, "/plain/a"],
  ["a list", "plain", {}, { acl: "/plain/films/*" }, "/plain/films/1/2.ts?any=1"],
  ["two lists", "plain", {}, { acl: "/plain/x/*!/plain/?.ts" }, "/plain/7.ts"],
  ["a salt", "salted", { salt: "a salt" }, { url: "/salted/a" }, "/salted/a"],
  ["a salt and a list", "salted", { salt: "a salt" }, { acl: "/salted/films/*" }, "/salted/films/a"],
  ["escape_early", "escaped", { escape_early: true }, { url: "/escaped/a?x=1" }, "/escaped/a?x=1"],
  [
    "escape_early and a list",
    "escaped",
    { escape_early: true, payload: "a=b&c" },
    { acl: "/escaped/films/*" },
    "/escaped/films/a",
  ],
  ["SHA-1", "sha1", { algorithm: "sha1" }, { url: "/sha1/a" }, "/sha1/a"],
];

const withToken = (path, token) => `${SITE}${path}${path.includes("?") ? "&" : "?"}__token__=${token}`;

async function goesThrough(t, sign) {
  await eachRow(t, ROWS(), async (kid, options, what, path) => {
    const given = { key: octets(kid).toString("hex"), end_time: now() + 300, ...options };
    const token = sign(given, what);
    assert.equal((await world.passes(withToken(path, token), address)).url, path);
    const other = sign({ ...given, key: octets(`not ${kid}`).toString("hex") }, what);
    await world.refuses(withToken(path, other), address, "token-bad-signature");
    const late = sign({ ...given, start_time: undefined, end_time: now() - 5 }, what);
    await world.refuses(withToken(path, late), address, "token-expired");
    await world.stops(withToken(path.replace(`/${kid}/`, `/${kid}/elsewhere/`), token), address, [401]);
  });
  const given = { key: octets("plain").toString("hex"), end_time: now() + 300 };
  const bound = sign({ ...given, ip: "192.0.2.2" }, { url: "/plain/a" });
  await world.refuses(withToken("/plain/a", bound), address, "token-wrong-scope");
  const early = sign({ ...given, start_time: now() + 120 }, { url: "/plain/a" });
  await world.refuses(withToken("/plain/a", early), address, "token-not-yet-valid");
  const md5 = sign({ ...given, algorithm: "md5" }, { url: "/plain/a" });
  await world.refuses(withToken("/plain/a", md5), address, "token-algorithm");
}

test("akamai-edgeauth of npm", async (t) => {
  const camel = (options) =>
    Object.fromEntries(
      Object.entries(options).map(([name, value]) => [name.replace(/_(.)/g, (_, it) => it.toUpperCase()), value]),
    );
  await goesThrough(t, (options, { url, acl }) => {
    const signer = new EdgeAuth(camel(options));
    return url ? signer.generateURLToken(url) : signer.generateACLToken(acl.split("!"));
  });
});

test("akamai-edgeauth of PyPI", async (t) => {
  const interpreter = python(EDGEAUTH);
  if (!interpreter) return t.skip("akamai-edgeauth cannot be had here");
  const script = [
    "import json, sys",
    "from akamai.edgeauth import EdgeAuth",
    "options, what = json.loads(sys.argv[1])",
    "signer = EdgeAuth(**options)",
    'print(signer.generate_url_token(what["url"]) if "url" in what else signer.generate_acl_token(what["acl"].split("!")))',
  ].join("\n");
  return goesThrough(t, (...given) =>
    execFileSync(interpreter, ["-c", script, JSON.stringify(given)], { encoding: "utf8" }).trim(),
  );
});
