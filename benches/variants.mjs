// What is measured: for each Worker its modules, its bindings, and a token that it lets pass.
import { createHmac, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { resolve } from "node:path";
import * as tools from "../scripts/tools.mjs";

const KEY = randomBytes(32);
const K = KEY.toString("base64url");
const SECRETS = {
  EDGEWARD_SECRET: randomBytes(32).toString("base64url"),
  EDGEWARD_KEYS: JSON.stringify({ keys: [{ kty: "oct", kid: "2026-11", alg: "HS256", k: K }] }),
};

/** Everything that no target demands: the request goes out as it came, but for how it came in. */
const LEAN = {
  forward: { identity: false },
  rules: [{ path: "/v1/*", accept: ["bearer"], shared_cache: true, forward_credentials: true }],
};
const DEFAULTS = { rules: [{ path: "/v1/*", accept: ["bearer"] }] };

/** The Workers in the order of the table; of Edgeward two for each folder of a build. */
export async function variants(builds, only) {
  const token = mint();
  const script = async (name, title, guards) => ({
    ...{ name, title, guards, token, bindings: { KEY: K }, modules: { "index.js": await bundled(name) } },
  });
  const all = [
    await script("pass", "pass only", false),
    await script("tuned", "JavaScript by hand, verify only", true),
    await script("jose", "jose jwtVerify", true),
    ...builds.flatMap((folder) => gates(folder, token)),
  ];
  const kept = (variant) => only.length === 0 || ["pass", "tuned"].includes(variant.name) || only.includes(variant.name);
  return all.filter(kept);
}

function gates(folder, token) {
  const at = resolve(tools.root, folder);
  const read = (name) => readFileSync(resolve(at, name));
  const modules = { "index.js": read("index.js"), "index_bg.wasm": read("index_bg.wasm") };
  const where = folder === "build" ? "" : ` (${folder})`;
  const gate = (name, title, EDGEWARD) => ({
    ...{ name, title: `Edgeward, ${title}${where}`, guards: true, token, modules, bindings: { ...SECRETS, EDGEWARD } },
  });
  return [gate("lean", "verify and pass on", LEAN), gate("defaults", "defaults", DEFAULTS)];
}

/** A token as an identity provider makes it, good for this run. */
function mint() {
  const now = Math.floor(Date.now() / 1000);
  const segment = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = {
    ...{ iss: "https://login.acme.example", sub: "8f14e45fceea167a5a36dedd4bea2543", aud: "api" },
    ...{ iat: now - 60, exp: now + 3600, jti: randomBytes(12).toString("hex"), scope: "read write" },
  };
  const input = `${segment({ alg: "HS256", typ: "JWT", kid: "2026-11" })}.${segment(claims)}`;
  return `${input}.${createHmac("sha256", KEY).update(input).digest("base64url")}`;
}

/** A Worker of benches/workers/ in one file, its packages with it. */
async function bundled(name) {
  const esbuild = await import(pathToFileURL(tools.at("node_modules/esbuild/lib/main.js")));
  const entry = tools.at("benches/workers", `${name}.js`);
  const { outputFiles } = await esbuild.build({ entryPoints: [entry], bundle: true, format: "esm", write: false, conditions: ["workerd"] });
  return outputFiles[0].contents;
}
