// `npm test`: everything, or `npm test -- native|workerd|browser`. The last line counts what ran.
//
//   native    cargo test: the core, on this machine
//   workerd   tests/workerd/: the built Worker in the real runtime, over HTTP
//   browser   tests/browser/: the demo and the pages in a real browser
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.mjs";
import * as tools from "./tools.mjs";

const SUITES = {
  native: runCargo,
  workerd: () => runNode("tests/workerd"),
  browser: () => runNode("tests/browser"),
};
const FILES_AT_ONCE = 2;
const TEST_TIMEOUT = 10 * 60 * 1000; // milliseconds: a test that hangs fails instead

async function main() {
  const parts = chosen(process.argv.slice(2));
  const results = [];
  for (const part of parts) results.push(await attempt(part));
  console.log("");
  for (const [index, part] of parts.entries()) console.log(`${part}: ${line(results[index])}`);
  const all = sum(results);
  console.log(line(all));
  return all.failed > 0 || all.passed === 0 ? 1 : 0;
}

function chosen(names) {
  const wrong = names.find((name) => !Object.hasOwn(SUITES, name));
  if (wrong) throw new tools.Stop(`there is no suite ${wrong}; there are ${Object.keys(SUITES).join(", ")}`);
  return names.length > 0 ? Object.keys(SUITES).filter((name) => names.includes(name)) : Object.keys(SUITES);
}

/** Runs one suite; what keeps it from running at all is a failure of it, and the others still run. */
async function attempt(part) {
  console.log(`\n== ${part}`);
  try {
    return await SUITES[part]();
  } catch (error) {
    console.error(error instanceof tools.Stop ? `edgeward: ${error.message}` : error);
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

const line = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;

const sum = (results) =>
  results.reduce(
    (all, it) => ({
      passed: all.passed + it.passed,
      failed: all.failed + it.failed,
      skipped: all.skipped + it.skipped,
    }),
    { passed: 0, failed: 0, skipped: 0 },
  );

/** A suite that ends badly without a test that failed did not compile, or crashed: that is a failure too. */
const counted = (status, counts) => ({ ...counts, failed: Math.max(counts.failed, status === 0 ? 0 : 1) });

async function runCargo() {
  const { status, text } = await echoed("cargo", ["test", "--no-fail-fast", "--", "--show-output"]);
  const results = [...text.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/gm)];
  const [passed, failed, ignored] = [1, 2, 3].map((n) => results.reduce((all, it) => all + Number(it[n]), 0));
  // A test whose data is not on this machine says so and returns: it has shown nothing.
  const without = [...text.matchAll(/^skipped: /gm)].length;
  return counted(status, { passed: passed - without, failed, skipped: ignored + without });
}

/** Runs a program whose output is shown as it comes, and kept. */
function echoed(program, args) {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { cwd: tools.root, stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (part) => {
      text += part;
      process.stdout.write(part);
    });
    child.on("error", (error) => fail(new tools.Stop(`${program} did not start: ${error.message}`)));
    child.on("close", (status) => done({ status, text }));
  });
}

/** Runs the test files below a folder, on Workers that are built once for all of them. */
async function runNode(folder) {
  const files = testFiles(folder);
  if (files.length === 0) return { passed: 0, failed: 0, skipped: 0 };
  await build();
  await build({ features: "panic-probe", out: "build-panic" });
  const notes = mkdtempSync(join(tmpdir(), "edgeward-test-"));
  try {
    const tap = join(notes, "tap");
    return countTap(await tools.run(tools.node(), testArguments(tap, files)), tap);
  } finally {
    rmSync(notes, { recursive: true });
  }
}

function testFiles(folder) {
  if (!existsSync(tools.at(folder))) return [];
  const names = readdirSync(tools.at(folder), { recursive: true }).map(String);
  return names.filter((name) => name.endsWith(".test.mjs")).sort().map((name) => join(folder, name));
}

const testArguments = (tap, files) => [
  ...["--no-warnings", "--test", `--test-concurrency=${FILES_AT_ONCE}`, `--test-timeout=${TEST_TIMEOUT}`],
  ...["--test-reporter=spec", "--test-reporter-destination=stdout"],
  ...["--test-reporter=tap", `--test-reporter-destination=${tap}`],
  ...files,
];

function countTap(status, tap) {
  const text = existsSync(tap) ? readFileSync(tap, "utf8") : "";
  const count = (name) => Number(text.match(new RegExp(`^# ${name} (\\d+)$`, "m"))?.[1] ?? 0);
  const failed = count("fail") + count("cancelled");
  return counted(status, { passed: count("pass"), failed, skipped: count("skipped") + count("todo") });
}

await tools.script(main);
