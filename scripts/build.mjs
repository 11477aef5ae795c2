// `npm run build`: src/ → build/index.js + build/index_bg.wasm, all that a Worker needs at run time.
//
//   node scripts/build.mjs [--features a,b] [--out folder]
//
// Does nothing when what stands there was made of these very inputs.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import * as tools from "./tools.mjs";

const INPUTS = [
  "src",
  "build.rs",
  "www/.edgeward",
  "Cargo.toml",
  "Cargo.lock",
  "rust-toolchain.toml",
  ".cargo/config.toml",
  "package-lock.json",
  "scripts/build.mjs",
  "scripts/tools.mjs",
];
const OUTPUTS = ["index.js", "index_bg.wasm"];

/** Builds the Worker into `out` (below the root); true where there was something to do. */
export async function build({ features = "", out = "build" } = {}) {
  const folder = resolve(tools.root, out);
  await tools.installModules();
  const wanted = fingerprint(features);
  if (isFresh(folder, wanted)) return false;

  await tools.installWasmTarget();
  const bindgen = await tools.installWasmBindgen();
  const stage = join(folder, `tmp-${process.pid}`); // two builds at once do not meet
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  await tools.must(bindgen, bindgenArguments(await compile(features), stage));
  await optimise(stage);
  await bundle(stage);
  publish(stage, folder, wanted);
  return true;
}

/** One hash of everything that the Worker is made of. */
function fingerprint(features) {
  const hash = createHash("sha256").update(`${features}\0${process.env.RUSTFLAGS ?? ""}\0`);
  for (const file of INPUTS.flatMap(filesBelow)) hash.update(`${file}\0`).update(digest(tools.at(file)));
  return hash.digest("hex");
}

function filesBelow(path) {
  if (!existsSync(tools.at(path))) return [];
  if (!tools.isDirectory(tools.at(path))) return [path];
  return readdirSync(tools.at(path)).sort().flatMap((name) => filesBelow(`${path}/${name}`));
}

const digest = (file) => createHash("sha256").update(readFileSync(file)).digest("hex");

const stampOf = (folder) => join(folder, ".stamp");

/** What was made of which inputs: a damaged or exchanged output is made again. */
const stamp = (folder, inputs) => [inputs, ...OUTPUTS.map((name) => digest(join(folder, name)))].join("\n");

function isFresh(folder, inputs) {
  if (![...OUTPUTS, ".stamp"].every((name) => existsSync(join(folder, name)))) return false;
  return readFileSync(stampOf(folder), "utf8") === stamp(folder, inputs);
}

/** Compiles the library; the path of the module, wherever the target folder is. */
async function compile(features) {
  // The cdylib alone: beside an rlib the linker keeps what nobody calls, a twentieth of the module.
  const args = ["rustc", "--lib", "--crate-type", "cdylib", "--release", "--target", tools.WASM_TARGET];
  args.push("--message-format=json-render-diagnostics", ...flags(), ...(features ? ["--features", features] : []));
  const messages = await output("cargo", args);
  const files = messages.split("\n").filter(Boolean).map((line) => JSON.parse(line)).flatMap((it) => it.filenames ?? []);
  const module = files.findLast((file) => file.endsWith("edgeward.wasm"));
  if (!module) throw new tools.Stop("cargo made no edgeward.wasm");
  return module;
}

/**
 * The places that panics name are those of the crates, not of the builder's home. With SIMD, which every Worker has, SHA-2
 * is 16 KB smaller and runs 1.5 to 2 times as fast.
 */
function flags() {
  const home = process.env.CARGO_HOME || join(homedir(), ".cargo");
  const flags = JSON.stringify([`--remap-path-prefix=${home}=cargo`, "-Ctarget-feature=+simd128"]);
  return ["--config", `target.${tools.WASM_TARGET}.rustflags=${flags}`];
}

/** What a program that must succeed prints; its errors are passed on. */
function output(program, args) {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { cwd: tools.root, stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (part) => (text += part));
    child.on("error", (error) => fail(new tools.Stop(`${program} did not start: ${error.message}`)));
    child.on("close", (status) =>
      status === 0 ? done(text) : fail(new tools.Stop(`\`${program} ${args[0]}\` ended with status ${status}`)),
    );
  });
}

const bindgenArguments = (module, stage) => [
  ...["--target", "web", "--no-typescript", "--experimental-reset-state-function", "--encode-into", "always", "--out-dir", stage, "--out-name", "glue"],
  module,
];

/** In place; which features of WebAssembly the module may use, its own target_features section says. */
async function optimise(stage) {
  const module = join(stage, "glue_bg.wasm");
  // What LLVM did not inline stays apart: repeated code compresses well, but still costs more than a call.
  const inlineNothing = ["-aimfs", "-fimfs", "-ocimfs"].flatMap((limit) => [limit, "0"]);
  // The stack ends at address 0: nothing that is real stands in the first 1,024 octets, so addresses fold into loads.
  const strip = ["--low-memory-unused", "--strip-debug", "--strip-producers", "--strip-target-features"];
  await tools.must(tools.node(), [tools.at("node_modules/binaryen/bin/wasm-opt"), "-O2", ...inlineNothing, ...strip, module, "-o", join(stage, "index_bg.wasm")]);
}

/** One ES module beside the WebAssembly one, which the platform itself loads and compiles. */
async function bundle(stage) {
  const esbuild = await import(pathToFileURL(tools.at("node_modules/esbuild/lib/main.js")));
  await esbuild.build({
    entryPoints: [tools.at("src/edge/worker.js")],
    outfile: join(stage, "index.js"),
    bundle: true,
    external: ["cloudflare:*"], // the platform's own modules
    format: "esm",
    target: "es2022",
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    plugins: [generated(stage), minified(esbuild)],
    logLevel: "warning",
  });
}

/** Finds what wasm-bindgen made, in whatever folder this build has put it. */
const generated = (stage) => ({
  name: "generated",
  setup(build) {
    build.onResolve({ filter: /(^|\/)glue\.js$/ }, () => ({ path: join(stage, "glue.js") }));
    build.onResolve({ filter: /(^|\/)index_bg\.wasm$/ }, () => ({ path: "./index_bg.wasm", external: true }));
  },
});

/** `minified:<file>` is the text of a script of src/edge, as small as it gets: what browsers are sent. */
const minified = (esbuild) => ({
  name: "minified",
  setup(build) {
    build.onResolve({ filter: /^minified:/ }, ({ path }) => ({ path: path.slice("minified:".length), namespace: "minified" }));
    build.onLoad({ filter: /.*/, namespace: "minified" }, async ({ path }) => {
      const source = readFileSync(tools.at(`src/edge/${path}`), "utf8");
      const { code } = await esbuild.transform(source, { minify: true, target: "es2022", legalComments: "none" });
      return { contents: code.trim(), loader: "text" };
    });
  },
});

/** Puts the finished pair in place, the stamp last. */
function publish(stage, folder, inputs) {
  rmSync(stampOf(folder), { force: true });
  for (const name of OUTPUTS) renameSync(join(stage, name), join(folder, name));
  rmSync(stage, { recursive: true });
  writeFileSync(stampOf(folder), stamp(folder, inputs));
}

async function main() {
  const { values } = parseArgs({ options: { features: { type: "string" }, out: { type: "string" } } });
  const { out = "build" } = values;
  if (await build(values)) console.log(`edgeward: built ${OUTPUTS.map((name) => `${out}/${name}`).join(" and ")}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await tools.script(main);
