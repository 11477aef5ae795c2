// What the table without a name measures: for each Worker its modules, its bindings, a request that it lets pass, and one
// that is broken.
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { resolve } from "node:path";
import * as tools from "../scripts/tools.mjs";
import { ROOT_SECRET, bearer, jwk } from "./credentials.mjs";

const KEY = randomBytes(32);
const K = KEY.toString("base64url");
const SECRETS = { EDGEWARD_SECRET: ROOT_SECRET, EDGEWARD_KEYS: JSON.stringify({ keys: [jwk("2026-11", KEY)] }) };

/** Everything that no target demands: the request goes out as it came, but for how it came in. */
export const lean = (accept) => ({
  forward: { identity: false },
  rules: [{ path: "/v1/*", accept, shared_cache: true, forward_credentials: true }],
});
const DEFAULTS = { rules: [{ path: "/v1/*", accept: ["bearer"] }] };

/** The Workers in the order of the table; of Edgeward two for each folder of a build. */
export async function variants(builds, only) {
  const requests = bearer("2026-11", KEY);
  const script = async (name, title, guards) => ({
    ...{ name, title, guards, ...requests, bindings: { KEY: K }, modules: { "index.js": await bundled(name) } },
  });
  const all = [
    await passOnly(),
    await script("tuned", "JavaScript by hand, verify only", true),
    await script("jose", "jose jwtVerify", true),
    ...builds.flatMap((folder) => gates(folder, requests)),
  ];
  const kept = (variant) => only.length === 0 || ["pass", "tuned"].includes(variant.name) || only.includes(variant.name);
  return all.filter(kept);
}

/** What every Worker costs. */
export const passOnly = async () => ({
  ...{ name: "pass", title: "pass only", guards: false, good: {}, broken: {}, bindings: {} },
  modules: { "index.js": await bundled("pass") },
});

/** The modules of a build. */
export function modulesOf(folder) {
  const read = (name) => readFileSync(resolve(tools.root, folder, name));
  return { "index.js": read("index.js"), "index_bg.wasm": read("index_bg.wasm") };
}

function gates(folder, requests) {
  const modules = modulesOf(folder);
  const where = folder === "build" ? "" : ` (${folder})`;
  const gate = (name, title, EDGEWARD) => ({
    ...{ name, title: `Edgeward, ${title}${where}`, guards: true, ...requests, modules, bindings: { ...SECRETS, EDGEWARD } },
  });
  return [gate("lean", "verify and pass on", lean(["bearer"])), gate("defaults", "defaults", DEFAULTS)];
}

/** A Worker of benches/workers/ in one file, its packages with it. */
async function bundled(name) {
  const esbuild = await import(pathToFileURL(tools.at("node_modules/esbuild/lib/main.js")));
  const entry = tools.at("benches/workers", `${name}.js`);
  const { outputFiles } = await esbuild.build({ entryPoints: [entry], bundle: true, format: "esm", write: false, conditions: ["workerd"] });
  return outputFiles[0].contents;
}
