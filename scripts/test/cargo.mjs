// The native tests. `cargo test` would print a line for each test, and with `--show-output` all that passing ones print: here each
// binary is run by itself, and its output read.
import { relative } from "node:path";
import * as tools from "../tools.mjs";
import { captured } from "./program.mjs";
import { add, duration, failedLines, nothing, partLine } from "./result.mjs";

const LAST_LINES = 60; // of a binary that did not come to its end

/** Runs the tests whose names contain one of `filters` (all, where there is none). */
export async function runCargo({ filters = [], until, say }) {
  const { binaries, result } = await compiled({ until, say });
  const said = ["--show-output", ...filters];
  let all = result;
  for (const { name, path } of binaries) all = add(all, await runTests(name, path, said, { until, say }));
  return add(all, await runTests("documentation", "cargo", ["test", "--quiet", "--doc", "--", ...said], { until, say }));
}

/** The binaries of `cargo test`; what does not compile is a failure, and the others still run. */
async function compiled({ until, say }) {
  const args = ["test", "--no-run", "--quiet", "--no-fail-fast", "--message-format=json-render-diagnostics"];
  const { status, stdout, output, took } = await captured("cargo", args, { until });
  const result = nothing();
  say(`  ${status === 0 ? "ok    " : "FAILED"}  compiled  ${duration(took)}`);
  if (status !== 0) result.failures.push({ name: "native: compile", text: withoutJson(output), shown: 40 });
  for (const failure of result.failures) say(failedLines(failure));
  return { binaries: binariesOf(stdout), result };
}

const withoutJson = (text) => text.split("\n").filter((line) => !line.startsWith('{"reason"')).join("\n");

/** Of cargo's messages: each test binary, named by its source; those of `src/` first. */
export function binariesOf(messages) {
  const artifacts = messages.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  return artifacts
    .filter(({ executable, profile }) => executable && profile?.test)
    .map(({ executable, target }) => ({ name: relative(tools.root, target.src_path), path: executable }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
}

async function runTests(name, program, args, { until, say }) {
  const variables = { CARGO_MANIFEST_DIR: tools.root };
  const ended = await captured(program, args, { until, variables });
  const result = resultOf(name, ended);
  if (result.passed + result.skipped + result.failures.length > 0) say(partLine(name, result, ended.took));
  for (const failure of result.failures) say(failedLines(failure));
  for (const reason of result.reasons) say(`          ${reason}`);
  return result;
}

/** What a binary's output says; where it ended badly without a test that failed, it has failed itself. */
export function resultOf(name, { status, stdout, output }) {
  const [passed, ignored] = [1, 2].map((n) => sum(stdout.matchAll(/^test result: \w+\. (\d+) passed; \d+ failed; (\d+) ignored/gm), n));
  // A test whose data is not on this machine says so and returns: it has shown nothing.
  const without = sectionsOf(stdout, "successes").map(([, text]) => text.match(/^skipped: .*$/m)?.[0]).filter(Boolean);
  const texts = new Map(sectionsOf(stdout, "failures"));
  const failures = failedNames(stdout).map((test) => ({ name: `${name}: ${test}`, text: texts.get(test) ?? "it said nothing" }));
  if (status !== 0 && failures.length === 0) failures.push({ name, text: crash(status, output), shown: 40 });
  const counts = { passed: passed - without.length, skipped: ignored + without.length };
  return { ...nothing(), ...counts, failures, reasons: [...new Set(without)] };
}

const sum = (matches, n) => [...matches].reduce((all, match) => all + Number(match[n]), 0);

/** The tests of a section (`successes` or `failures`) that said something, each with what it said. */
function sectionsOf(text, section) {
  const parts = text.split(/^(?=successes:$|failures:$|test result: )/m).filter((part) => part.startsWith(`${section}:\n`));
  return parts.flatMap((part) => {
    const [, ...pieces] = part.split(/^---- (.+) stdout ----$/m);
    return Array.from({ length: pieces.length / 2 }, (_, i) => [pieces[2 * i], pieces[2 * i + 1].trim()]);
  });
}

const failedNames = (text) =>
  [...text.matchAll(/^failures:\n((?: {4}.+\n)+)/gm)].flatMap(([, names]) => names.trimEnd().split("\n").map((it) => it.trim()));

const crash = (status, output) =>
  `it ended with status ${status}\n${output.trimEnd().split("\n").slice(-LAST_LINES).join("\n")}`;
