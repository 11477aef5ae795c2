// What `npm test` counts and says: a runner that loses a failure would make all other tests worthless.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { resultOf } from "../../scripts/test/cargo.mjs";
import { runFiles } from "../../scripts/test/files.mjs";
import { captured } from "../../scripts/test/program.mjs";
import { duration, lastWords, summary } from "../../scripts/test/result.mjs";

const folder = mkdtempSync(join(tmpdir(), "edgeward-test-command-"));
after(() => rmSync(folder, { recursive: true }));
const HEAD = `import assert from "node:assert/strict"; import { describe, test } from "node:test";\n`;

/** Runs test files of these texts as `npm test` does. */
async function run(texts, until) {
  const files = Object.keys(texts).map((name) => join(folder, name));
  for (const [index, text] of Object.values(texts).entries()) writeFileSync(files[index], HEAD + text);
  const said = [];
  const result = await runFiles(files, { until, say: (line) => said.push(line) });
  return { ...result, names: result.failures.map(({ name }) => name.slice(folder.length + 1)), said: said.join("\n") };
}

test("each test counts once, and a failure is said whole", async () => {
  const { names, said, ...result } = await run({
    "all.test.mjs": `
      test("good", () => console.log("from the good one"));
      test("bad", () => assert.deepEqual({ a: 1 }, { a: 2 }));
      test("of many", async (t) => { await t.test("fine", () => {}); await t.test("wrong", () => assert.equal(1, 2, "own words")); });
      describe("a suite", () => test("inside", () => assert.ok(true)));
      test("absent", { skip: "not here" }, () => {});
      test("later", { todo: true }, () => assert.fail());`,
    "good.test.mjs": `test("quiet", () => console.log("passing tests say nothing"));`,
  });
  assert.equal(summary(result), "4 passed, 2 failed, 2 skipped");
  assert.deepEqual(names, ["all.test.mjs: bad", "all.test.mjs: of many > wrong"]);
  for (const part of [/all\.test\.mjs:4$/m, /\+ +a: 1\n.*- +a: 2/, /own words[^]*actual: 1/, /from the good one/]) assert.match(said, part);
  assert.match(said, /ok {6}\S+good\.test\.mjs {2}1 passed {2}\d+\.\d s/);
  assert.doesNotMatch(said, /passing tests say nothing/);
  assert.deepEqual(lastWords(result).slice(0, 2), ["Failed:", `  ${join(folder, "all.test.mjs")}: bad`]);
});

test("a file that fails and passes alone is unsteady, not failed", async () => {
  const mark = join(folder, "mark");
  const { names, ...result } = await run({
    "unsteady.test.mjs": `import { existsSync, writeFileSync } from "node:fs";
      test("first time", () => { const seen = existsSync(${JSON.stringify(mark)}); writeFileSync(${JSON.stringify(mark)}, ""); assert.ok(seen); });
      test("always", () => {});`,
  });
  assert.equal(summary(result), "2 passed, 0 failed");
  assert.deepEqual(names, []);
  assert.deepEqual(lastWords(result), [`unsteady: ${join(folder, "unsteady.test.mjs")}: first time`]);
});

test("a file that crashes, does not load or does not end has failed itself", async () => {
  const { names, failures, said } = await run({
    "crash.test.mjs": `test("one", () => {}); test("two", () => { console.error("last words"); process.exit(3); });`,
    "hook.test.mjs": `import { after } from "node:test"; after(() => { throw new Error("not cleared away"); }); test("one", () => {});`,
    "load.test.mjs": `import "./nowhere.mjs";`,
    "silent.test.mjs": `process.exitCode = 4;`,
  });
  assert.deepEqual(names, ["crash", "hook", "load", "silent"].map((name) => `${name}.test.mjs: (the file itself)`));
  for (const [index, words] of [/last words/, /not cleared away/, /Cannot find module.*nowhere/, /test failed/].entries())
    assert.match(failures[index].text, words);
  assert.match(said, /as before/, "the second time it is not said again");
  const hanging = await run({ "hang.test.mjs": `setInterval(() => {}, 1000);` }, performance.now() + 3000);
  assert.deepEqual(hanging.names, ["hang.test.mjs: (the file itself)"]);
  assert.match(hanging.failures[0].text, /its time was up/);
});

test("a program is ended with all that it started", async () => {
  const orphan = `const { spawn } = require("node:child_process");
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "inherit" });
    child.unref(); console.log(child.pid);`;
  const { status, stdout, took } = await captured(process.execPath, ["-e", orphan], {});
  assert.equal(status, 0);
  assert.ok(took < 60_000, "what it left behind holds its output open, and is not waited for");
  for (let left = 100; left > 0 && alive(Number(stdout)); left -= 1) await new Promise((done) => setTimeout(done, 50));
  assert.ok(!alive(Number(stdout)));
});

function alive(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const CARGO = `
running 6 tests
test fine ... ok
test vectors ... ok
test broken::one ... FAILED
test broken::two ... FAILED
test slow ... ignored

successes:

---- fine stdout ----
a passing test says this

---- vectors stdout ----
skipped: the vectors are not here

successes:
    fine
    vectors

failures:

---- broken::one stdout ----
thread 'broken::one' panicked at src/a.rs:1:1:
skipped: is a word in a failure too

failures:
    broken::one
    broken::two

test result: FAILED. 3 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s
`;

test("the output of a native binary is counted, and what skipped itself with it", () => {
  const result = resultOf("src/lib.rs", { status: 101, stdout: CARGO, output: CARGO });
  assert.equal(summary(result), "2 passed, 2 failed, 2 skipped");
  assert.deepEqual(result.failures.map(({ name }) => name), ["src/lib.rs: broken::one", "src/lib.rs: broken::two"]);
  assert.match(result.failures[0].text, /panicked at src\/a\.rs/);
  assert.deepEqual(result.reasons, ["skipped: the vectors are not here"]);
  const crashed = resultOf("tests/a.rs", { status: 1, stdout: "running 2 tests\n", output: "running 2 tests\nout of memory\n" });
  assert.equal(summary(crashed), "0 passed, 1 failed");
  assert.match(crashed.failures[0].text, /out of memory/);
});

test("what is said last is short, however much failed", () => {
  const failures = Array.from({ length: 500 }, (_, i) => ({ name: `test ${i}`, text: "a\nb\nc\nd\ne" }));
  assert.equal(lastWords({ failures, unsteady: [] }).length, 1 + 100 * 4 + 1);
  const check = { name: "check: format", text: "Diff\n".repeat(100), shown: 40 };
  assert.equal(lastWords({ failures: [check], unsteady: [] }).length, 1 + 1 + 40);
  assert.equal(duration(4120), "4.1 s");
  assert.equal(duration(59_990), "1 min 0 s");
  assert.equal(duration(312_000), "5 min 12 s");
});
