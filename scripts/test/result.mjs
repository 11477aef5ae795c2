// What a part of the tests came to, and how it is said.

/** Nothing has run. `failures`: each with the name of what failed and the text that says how. */
export const nothing = () => ({ passed: 0, skipped: 0, failures: [], unsteady: [] });

export const add = (one, other) => ({
  passed: one.passed + other.passed,
  skipped: one.skipped + other.skipped,
  failures: [...one.failures, ...other.failures],
  unsteady: [...one.unsteady, ...other.unsteady],
});

/** `N passed, N failed[, N skipped]`. */
export const summary = ({ passed, failures, skipped }) =>
  `${passed} passed, ${failures.length} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;

/** A line for a file, a binary or a check. */
export function partLine(name, result, took) {
  const state = result.failures.length > 0 ? "FAILED" : "ok    ";
  return `  ${state}  ${name}  ${summary(result).replace(", 0 failed", "")}  ${duration(took)}`;
}

/** Milliseconds for people. */
export function duration(milliseconds) {
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** A failure whole. */
export const failedLines = ({ name, text }) => `    ✖ ${name}\n${indented(text.trimEnd(), 8)}`;

const NAMES_AT_THE_END = 100; // where more fail, the first ones tell it
const FEW = 10; // failures, each of which may take more lines there
const WIDTH = 200;

/** What is said last: each unsteady test, then the names of all that failed with the first lines of each. */
export function lastWords({ failures, unsteady }) {
  const lines = listed(unsteady, (name) => [`unsteady: ${name}`]);
  if (failures.length === 0) return lines;
  const usual = failures.length > FEW ? 3 : 8;
  return [...lines, "Failed:", ...listed(failures, (failure) => [`  ${failure.name}`, ...firstLines(failure, usual)])];
}

/** The lines of each item, as far as somebody reads. */
function listed(items, linesOf) {
  const more = items.length - NAMES_AT_THE_END;
  return [...items.slice(0, NAMES_AT_THE_END).flatMap(linesOf), ...(more > 0 ? [`  and ${more} more`] : [])];
}

/** The first lines of a failure: as many as it says itself (`shown`), else as usual. */
function firstLines({ text, shown }, usual) {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.slice(0, shown ?? usual).map((line) => `      ${line.length > WIDTH ? `${line.slice(0, WIDTH)}…` : line}`);
}

const indented = (text, by) => text.split("\n").map((line) => " ".repeat(by) + line).join("\n");
