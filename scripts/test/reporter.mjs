// A reporter of node:test for programs: a line of JSON for each failure as it comes, and one with the counts at the end.
//
//   {"name": "what fails > the case of it", "text": "where, message, difference, stack"}
//   {"passed": 12, "skipped": 1, "output": "what a file with failures printed"}
//
// A test that fails only because one below it does is no failure of its own, and a suite is no test.
import { basename } from "node:path";
import { inspect, stripVTControlCharacters } from "node:util";

/** The name of a failure that is none of one test: the file could not be loaded, or crashed. */
export const ITSELF = "(the file itself)";
const OUTPUT_LINES = 80; // of what a file printed: the last ones tell how it ended

export default async function* report(events) {
  const counts = { passed: 0, skipped: 0 };
  const path = [];
  let output = "";
  let failed = false;
  for await (const { type, data } of events) {
    if (type === "test:start") path.splice(data.nesting, path.length, data.name);
    if (type === "test:stdout" || type === "test:stderr") output += data.message;
    if (type !== "test:pass" && type !== "test:fail") continue;
    const kind = kindOf(type, data);
    if (kind === "failed") yield line(isOfFile(data) ? fileFailure(data, output) : { name: nameOf(path, data), text: told(data) });
    else if (kind) counts[kind] += 1;
    failed ||= kind === "failed" && !isOfFile(data);
  }
  yield line({ ...counts, output: failed ? lastLines(output) : "" });
}

/** Without colours, which only a terminal shows. */
const line = (value) => `${JSON.stringify(value, (_, it) => (typeof it === "string" ? stripVTControlCharacters(it) : it))}\n`;

const lastLines = (text) => text.split("\n").slice(-OUTPUT_LINES).join("\n");

function kindOf(type, { skip, todo, details }) {
  if (details?.error?.failureType === "subtestsFailed") return undefined;
  if (isSet(skip) || isSet(todo)) return "skipped";
  if (type === "test:fail") return "failed";
  return details?.type === "suite" ? undefined : "passed";
}

// Either is `true` or a reason, which may be empty.
const isSet = (mark) => mark !== undefined && mark !== false;

const isOfFile = ({ name, file }) => name === file || Boolean(file?.endsWith(`/${name}`));

/** Why a file failed as a whole, what it printed says best. */
const fileFailure = (data, output) => ({ name: ITSELF, text: `${told(data)}\n${lastLines(output)}`, shown: 30 });

/** The names from the outermost test inwards. */
const nameOf = (path, { name, nesting }) => [...path.slice(0, nesting), name].join(" > ");

function told({ file, line: row, details }) {
  const error = details?.error;
  const cause = error?.cause ?? error;
  const place = file ? `at ${basename(file)}:${row}\n` : "";
  return place + withoutNode(typeof cause === "string" ? cause : inspected(cause));
}

/** An assertion that made its own message shows the difference in it; of any other the values are shown. */
function inspected(error) {
  if (error?.generatedMessage && error.stack?.includes(error.message)) return error.stack;
  return inspect(error, { depth: 6, maxArrayLength: 200, maxStringLength: 20_000, breakLength: 120 });
}

/** Without the runtime's own frames; the last frame may open the error's fields. */
const withoutNode = (text) =>
  text.split("\n").filter((it) => !/^\s+at .*\bnode:(internal\/|async_hooks).*[^{]$/.test(it)).join("\n");
