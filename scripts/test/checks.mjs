// What the tools say of the code. A check that passes is no test that passes; one that fails is a failure.
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { WASM_TARGET } from "../tools.mjs";
import { captured } from "./program.mjs";
import { duration, failedLines, nothing } from "./result.mjs";

const STRICT = ["--", "-D", "warnings"];
const SHOWN = 40; // lines of a check that failed, at the very end

const CHECKS = {
  "format": cargo(["fmt", "--check"]),
  "lints, native": cargo(["clippy", "--quiet", "--all-targets", ...STRICT]),
  "lints, Worker": cargo(["clippy", "--quiet", "--lib", "--target", WASM_TARGET, ...STRICT]),
  "documentation": cargo(["doc", "--quiet", "--no-deps"], { RUSTDOCFLAGS: "-D warnings" }),
  "dependencies": dependencies,
};

export async function runChecks({ until, say }) {
  const result = nothing();
  for (const [name, check] of Object.entries(CHECKS)) {
    const { status, output, took, note = "" } = await check(until);
    say(`  ${status === 0 ? "ok    " : "FAILED"}  ${name}  ${duration(took)}${note}`);
    if (status === 0) continue;
    const failure = { name: `check: ${name}`, text: output, shown: SHOWN };
    result.failures.push(failure);
    say(failedLines(failure));
  }
  return result;
}

function cargo(args, variables) {
  return (until) => captured("cargo", args, { until, variables });
}

/** Licences, advisories and sources: only where cargo-deny is installed and has its database. */
async function dependencies(until) {
  const found = await captured("cargo", ["deny", "--version"], { until });
  if (found.status !== 0) return { ...found, status: 0, note: "  skipped: cargo-deny is not installed" };
  const advisories = existsSync(join(process.env.CARGO_HOME || join(homedir(), ".cargo"), "advisory-dbs"));
  const parts = ["bans", "licenses", "sources", ...(advisories ? ["advisories"] : [])];
  const checked = await captured("cargo", ["deny", "--offline", "check", ...parts], { until });
  return { ...checked, note: advisories ? "" : "  skipped: advisories, no database here" };
}
