// `npm test`: everything, or `npm test -- native|workerd|browser`, and of that what has a word in its name: `npm test -- workerd links`.
//
//   native    cargo test: the core, on this machine
//   workerd   tests/workerd/: the built Worker in the real runtime, over HTTP
//   browser   tests/browser/: the demo and the pages in a real browser
//   checks    format, lints, documentation, dependencies: only where it is named, as `.ci/run` does after the tests
//
// A line for each file that passes, all of each failure. The end names again what failed; the last line counts.
import { runCargo } from "./test/cargo.mjs";
import { runChecks } from "./test/checks.mjs";
import { runFolder } from "./test/files.mjs";
import { add, duration, failedLines, lastWords, nothing, summary } from "./test/result.mjs";
import * as tools from "./tools.mjs";

const SUITES = {
  native: runCargo,
  workerd: (given) => runFolder("tests/workerd", given),
  browser: (given) => runFolder("tests/browser", given),
};
const PARTS = { ...SUITES, checks: runChecks };

// Milliseconds from the start: what still runs then is ended and has failed. All takes a quarter of it on two cores.
const SUITES_UNTIL = 50 * 60 * 1000;
const CHECKS_UNTIL = 65 * 60 * 1000;

async function main() {
  const { parts, filters } = chosen(process.argv.slice(2));
  let all = nothing();
  const lines = [];
  for (const part of parts) {
    const began = performance.now();
    const result = await attempt(part, filters);
    lines.push(`${part}: ${summary(result)}  ${duration(performance.now() - began)}`);
    all = add(all, result);
  }
  if (all.passed + all.skipped === 0 && all.failures.length === 0 && parts.some((part) => part !== "checks"))
    all.failures.push({ name: parts.join(", "), text: "no test ran: nothing there has such a name" });
  console.log(["", ...lines, `in all: ${duration(performance.now())}`, ...lastWords(all), "", summary(all)].join("\n"));
  return all.failures.length > 0 ? 1 : 0;
}

function chosen(words) {
  const parts = Object.keys(PARTS).filter((part) => words.includes(part));
  const filters = words.filter((word) => !parts.includes(word));
  if (words.length === 0) return { parts: Object.keys(SUITES), filters };
  if (parts.length === 0) throw new tools.Stop(`there is no suite ${words[0]}; there are ${Object.keys(PARTS).join(", ")}`);
  return { parts, filters };
}

/** Runs one part; what keeps it from running at all is a failure of it, and the others still run. */
async function attempt(part, filters) {
  console.log(`\n== ${part}`);
  const until = part === "checks" ? CHECKS_UNTIL : SUITES_UNTIL;
  try {
    return await PARTS[part]({ filters, until, say: console.log });
  } catch (error) {
    const failure = { name: part, text: error instanceof tools.Stop ? error.message : error.stack, shown: 40 };
    console.log(failedLines(failure));
    return { ...nothing(), failures: [failure] };
  }
}

await tools.script(main);
