// What is handed over: the two files of the Worker, what wrangler says of them, and what the configuration promises.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { parse } from "smol-toml";
import { at, environment, wrangler } from "../../scripts/tools.mjs";

// Bytes of both files together, gzipped. The platform takes 3 MB on the free plan; every KB is compiled in each new isolate,
// which takes some 4 ms today.
const LIMIT = 352 * 1024;
const configuration = parse(readFileSync(at("wrangler.toml"), "utf8"));

test("the Worker is two files and nothing else", () => {
  const files = readdirSync(at("build")).filter((name) => name !== ".stamp");
  assert.deepEqual(files.sort(), ["index.js", "index_bg.wasm"]);
});

test("the Worker stays under 352 KB gzipped", (t) => {
  const sizes = ["index.js", "index_bg.wasm"].map((name) => gzipSync(readFileSync(at("build", name)), { level: 9 }).length);
  const total = sizes[0] + sizes[1];
  t.diagnostic(`index.js ${sizes[0]} + index_bg.wasm ${sizes[1]} = ${total} bytes gzipped`);
  assert.ok(total < LIMIT, `${total} bytes are ${total - LIMIT} too many`);
});

test("the module is stripped of names and of this machine's paths", () => {
  const sections = WebAssembly.Module.customSections;
  const bytes = readFileSync(at("build/index_bg.wasm"));
  const module = new WebAssembly.Module(bytes);
  assert.equal(sections(module, "name").length + sections(module, "producers").length, 0);
  assert.ok(!bytes.includes(Buffer.from(process.env.HOME ?? at())), "a path of the builder's home is in the module");
});

test("a dry run of the deploy passes and uploads what was built", async () => {
  const out = mkdtempSync(join(tmpdir(), "edgeward-dry-run-"));
  try {
    const args = wrangler("deploy", "--dry-run", "--outdir", out);
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: at(), env: environment() });
    assert.match(stdout, /Total Upload: [\d.]+ KiB/);
    assert.match(stdout, /env\.ASSETS/);
    assert.match(stdout, /env\.EDGEWARD_LEDGER \(Ledger\)/);
    const modules = readdirSync(out).filter((name) => name.endsWith(".wasm"));
    assert.deepEqual(modules.map((name) => statSync(join(out, name)).size), [statSync(at("build/index_bg.wasm")).size]);
  } finally {
    rmSync(out, { recursive: true });
  }
});

test("the shipped configuration leaves no second door open", () => {
  assert.equal(configuration.workers_dev, false);
  assert.equal(configuration.preview_urls, false);
  assert.equal(configuration.assets.run_worker_first, true);
  assert.equal(configuration.assets.html_handling, "none");
  assert.notEqual(configuration.cache?.enabled, true);
  assert.equal(configuration.dev.host, "localhost");
});

test("the shipped configuration asks for no flags and no platform newer than promised", () => {
  assert.equal(configuration.compatibility_flags, undefined);
  assert.ok(configuration.compatibility_date <= "2026-07-01");
});

test("no secret has a value in the shipped configuration", () => {
  const secrets = configuration.secrets.required;
  assert.ok(secrets.includes("EDGEWARD_SECRET"));
  for (const name of secrets) assert.ok(!Object.hasOwn(configuration.vars, name), `${name} stands under [vars]`);
});

test("the lock file pins every package by its hash and names no registry", () => {
  const { packages } = JSON.parse(readFileSync(at("package-lock.json"), "utf8"));
  for (const [path, { integrity, resolved }] of Object.entries(packages)) {
    if (path !== "") assert.match(integrity ?? "", /^sha512-/, `${path} has no hash`);
    assert.equal(resolved, undefined, `${path} is bound to a registry`);
  }
});

test("every tool in package.json is pinned to one version", () => {
  const { devDependencies, dependencies } = JSON.parse(readFileSync(at("package.json"), "utf8"));
  assert.equal(dependencies, undefined, "a Worker has no npm packages at run time");
  for (const [name, version] of Object.entries(devDependencies)) assert.match(version, /^\d+\.\d+\.\d+(-[\w.]+)?$/, name);
});
