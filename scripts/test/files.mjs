// The test files of a folder, each in a process of its own, on Workers that are built once for all of them.
//
// A file that fails is run once more, alone, when the others are done. If it passes then, it counts as passed, and what failed
// is named as unsteady: a test that depends on what else the machine does is to be mended, but says nothing of the product.
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as tools from "../tools.mjs";
import { captured } from "./program.mjs";
import { ITSELF } from "./reporter.mjs";
import { add, duration, failedLines, nothing, partLine } from "./result.mjs";

const FILES_AT_ONCE = 2;
const TEST_TIMEOUT = 10 * 60 * 1000; // milliseconds: a test that hangs fails instead
const FILE_TIMEOUT = TEST_TIMEOUT + 60 * 1000; // one that does not even end then is ended
const REPORTER = fileURLToPath(new URL("./reporter.mjs", import.meta.url));
const BUILDS = [[], ["--features", "panic-probe", "--out", "build-panic"]];

/** Runs the files of a folder whose names contain one of `filters` (all, where there is none). */
export async function runFolder(folder, { filters = [], ...given }) {
  const files = testFiles(folder).filter((file) => filters.length === 0 || filters.some((it) => file.includes(it)));
  if (files.length === 0) return nothing();
  await buildWorkers(given);
  return runFiles(files, given);
}

function testFiles(folder) {
  if (!existsSync(tools.at(folder))) return [];
  const names = readdirSync(tools.at(folder), { recursive: true }).map(String);
  return names.filter((name) => name.endsWith(".test.mjs")).sort().map((name) => join(folder, name));
}

async function buildWorkers({ until, say }) {
  let took = 0;
  for (const args of BUILDS) {
    const built = await captured(process.execPath, [tools.at("scripts/build.mjs"), ...args], { until });
    if (built.status !== 0) throw new tools.Stop(`the Worker could not be built:\n${built.output}`);
    took += built.took;
  }
  say(`  built the Worker  ${duration(took)}`);
}

/** Runs these files, a few at once, then those that failed once more. */
export async function runFiles(files, given) {
  const first = await inPool(files, (file) => runFile(file, given));
  const failed = files.filter((_, index) => first[index].failures.length > 0);
  let result = first.filter(({ failures }) => failures.length === 0).reduce(add, nothing());
  if (failed.length > 0) given.say("  once more, alone:");
  for (const file of failed) result = add(result, await again(file, first[files.indexOf(file)], given));
  return result;
}

async function again(file, earlier, given) {
  const later = await runFile(file, given, earlier.failures);
  if (later.failures.length > 0) return later;
  return { ...later, unsteady: earlier.failures.map(({ name }) => name) };
}

/** What `work` makes of each item, in their order; so many are at work at once. */
async function inPool(items, work) {
  const results = [];
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await work(items[index]);
    }
  };
  await Promise.all(Array.from({ length: FILES_AT_ONCE }, worker));
  return results;
}

/** Runs a file and says what it came to; a failure that was said `earlier` is not said twice. */
async function runFile(file, { until = Infinity, say }, earlier = []) {
  const mine = Math.min(until, performance.now() + FILE_TIMEOUT);
  const ended = await captured(tools.node(), testArguments(file), { until: mine });
  const result = resultOf(file, ended);
  say(partLine(file, result, ended.took));
  for (const { name, text } of result.failures) {
    const known = earlier.some((it) => it.name === name && it.text === text);
    say(failedLines({ name, text: known ? "as before" : text }));
  }
  if (result.output) say(failedLines({ name: `${file} printed`, text: result.output }));
  return result;
}

const testArguments = (file) => [
  ...["--no-warnings", "--test", `--test-timeout=${TEST_TIMEOUT}`, `--test-reporter=${REPORTER}`],
  ...["--test-reporter-destination=stdout", resolve(tools.root, file)],
];

/** What a file came to, of the lines of its reporter; one that ended badly without a test that failed has failed itself. */
function resultOf(file, { status, stdout, output, late }) {
  const told = stdout.split("\n").flatMap(record);
  const counts = told.find((it) => it.passed !== undefined);
  const failures = told.filter((it) => it.name !== undefined).map((it) => ({ ...it, name: `${file}: ${it.name}` }));
  if (late || !counts || (status !== 0 && failures.length === 0))
    failures.push({ name: `${file}: ${ITSELF}`, text: `it ended with status ${status}\n${unreported(output)}` });
  return { ...nothing(), passed: counts?.passed ?? 0, skipped: counts?.skipped ?? 0, failures, output: counts?.output.trimEnd() };
}

function record(line) {
  try {
    return line.startsWith("{") ? [JSON.parse(line)] : [];
  } catch {
    return [];
  }
}

const unreported = (output) => output.split("\n").filter((line) => record(line).length === 0).join("\n");
