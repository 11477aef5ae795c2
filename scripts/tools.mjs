// What every script needs: where things are, how to run a program, and the build tools at the versions that the
// two lock files name. Each is installed once, and only when it is missing: later runs need no network.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = resolve(fileURLToPath(new URL("..", import.meta.url)));
export const WASM_TARGET = "wasm32-unknown-unknown";
const windows = process.platform === "win32";

/** A path below the root of the project. */
export const at = (...parts) => join(root, ...parts);

/** A failure that its sentence explains; a stack would add nothing. */
export class Stop extends Error {}

/** Runs a script's `main`: what it throws ends the process with status 1. */
export async function script(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    console.error(error instanceof Stop ? `edgeward: ${error.message}` : error);
    process.exitCode = 1;
  }
}

/** Runs a program to its end, its output passed on; returns its exit status. */
export function run(program, args, options = {}) {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { cwd: root, stdio: "inherit", env: environment(), ...options });
    child.on("error", (error) => fail(new Stop(`${program} did not start: ${error.message}`)));
    child.on("close", (status, signal) => done(status ?? (signal ? 1 : 0)));
  });
}

/** Runs a program that must succeed. */
export async function must(program, args, options) {
  const status = await run(program, args, options);
  if (status !== 0) throw new Stop(`\`${program} ${args.join(" ")}\` ended with status ${status}`);
}

/** What a program answers, or null where it cannot be run. Its errors are shown: rustup installs what is missing. */
function ask(program, args) {
  const answer = spawnSync(program, args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  return answer.status === 0 ? answer.stdout.trim() : null;
}

/** The environment of what we start: our tools first on the path, and no reports to anybody. */
export function environment() {
  return {
    ...process.env,
    PATH: [at("node_modules", ".bin"), process.env.PATH].join(delimiter),
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_HIDE_BANNER: "true",
    WRANGLER_WRITE_LOGS: "false",
  };
}

/** The Node that wrangler runs on: the one that the lock file pins, else the one that runs this. */
export function node() {
  const pinned = at("node_modules", "node", "bin", windows ? "node.exe" : "node");
  return existsSync(pinned) ? pinned : process.execPath;
}

/** The arguments that make Node run wrangler itself: its launcher would stand between us and its process id. */
export const wrangler = (...args) => ["--no-warnings", at("node_modules/wrangler/wrangler-dist/cli.js"), ...args];

/** Installs `node_modules` from the lock file where it is missing or another version than the lock names. */
export async function installModules() {
  if (modulesFit()) return;
  console.log("edgeward: installing the npm packages of package-lock.json");
  // The engines that npm would warn of are those of wrangler, which runs on the Node that is being installed.
  await must("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { shell: windows });
}

function modulesFit() {
  const installed = packagesOf(at("node_modules", ".package-lock.json"));
  if (!installed) return false;
  return Object.entries(packagesOf(at("package-lock.json")) ?? {}).every(
    ([path, { version, optional }]) => path === "" || optional || installed[path]?.version === version,
  );
}

function packagesOf(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).packages : null;
}

/** Makes sure that Rust is there with the target of the Worker. */
export async function installWasmTarget() {
  const library = ask("rustc", ["--print", "target-libdir", "--target", WASM_TARGET]);
  if (library && existsSync(library)) return;
  if (!ask("rustup", ["which", "cargo"])) {
    throw new Stop(`Rust with the target ${WASM_TARGET} is needed; install it with rustup (https://rustup.rs)`);
  }
  await must("rustup", ["target", "add", WASM_TARGET]);
}

/** The path of wasm-bindgen at the very version that Cargo.lock names; compiled on first use, shared by all clones. */
export async function installWasmBindgen() {
  const version = lockedVersion("wasm-bindgen");
  const home = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "edgeward", `wasm-bindgen-${version}`);
  const program = join(home, "bin", windows ? "wasm-bindgen.exe" : "wasm-bindgen");
  if (!existsSync(program)) {
    console.log(`edgeward: compiling wasm-bindgen ${version} (once, two to four minutes)`);
    // Without --locked: its own lock file names a crate version that is gone.
    await must("cargo", ["install", "wasm-bindgen-cli", "--version", version, "--root", home]);
  }
  return program;
}

function lockedVersion(crate) {
  const lock = readFileSync(at("Cargo.lock"), "utf8");
  const version = lock.match(new RegExp(`name = "${crate}"\\r?\\nversion = "([^"]+)"`))?.[1];
  if (!version) throw new Stop(`Cargo.lock names no version of ${crate}`);
  return version;
}

/** Whether a path is a directory. */
export const isDirectory = (path) => existsSync(path) && statSync(path).isDirectory();
