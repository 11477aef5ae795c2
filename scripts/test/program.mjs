// Runs a program of a test: what it says is kept, it ends in time, and nothing of it is left behind.
import { spawn } from "node:child_process";
import { environment, root } from "../tools.mjs";

const windows = process.platform === "win32";
const GRACE = 3000; // milliseconds: between asking to end and ending it, and for output that is on its way
const running = new Set();

for (const signal of ["SIGINT", "SIGTERM"])
  process.once(signal, () => {
    for (const child of running) end(child, "SIGKILL");
    process.exit(1);
  });

/**
 * Runs a program to its end, or until `until` (of `performance.now()`), in a process group of its own.
 * Returns its status, `stdout`, `output` (that and its errors, as they came), `took` in milliseconds, and whether it was `late`.
 */
export function captured(program, args, { until = Infinity, variables = {} } = {}) {
  const { NODE_TEST_CONTEXT: _, ...inherited } = environment(); // a runner in a test of it is one of its own
  const began = performance.now();
  const child = spawn(program, args, {
    cwd: root,
    env: { ...inherited, ...variables },
    stdio: ["ignore", "pipe", "pipe"],
    detached: !windows,
  });
  running.add(child);
  const heard = listen(child);
  return new Promise((done) => {
    const late = stopAt(child, until);
    const finish = (status, error) => {
      late.over();
      running.delete(child);
      end(child, "SIGKILL"); // whoever is left of its group
      const output = `${heard.output}${error ? `${program} did not start: ${error.message}\n` : ""}${late.words()}`;
      done({ status, stdout: heard.stdout, output, took: performance.now() - began, late: late.words() !== "" });
    };
    child.once("error", (error) => finish(1, error));
    // Whoever it left behind may hold its pipes: they are not waited for.
    child.once("exit", (status) => {
      const wait = setTimeout(() => finish(status ?? 1), GRACE);
      child.once("close", () => (clearTimeout(wait), finish(status ?? 1)));
    });
  });
}

function listen(child) {
  const heard = { stdout: "", output: "" };
  child.stdout.setEncoding("utf8").on("data", (part) => ((heard.stdout += part), (heard.output += part)));
  child.stderr.setEncoding("utf8").on("data", (part) => (heard.output += part));
  return heard;
}

function stopAt(child, until) {
  let words = "";
  const timers = [];
  const stop = () => {
    words = "\nIt was stopped: its time was up.\n";
    end(child, "SIGTERM");
    timers.push(setTimeout(() => end(child, "SIGKILL"), GRACE));
  };
  if (until !== Infinity) timers.push(setTimeout(stop, Math.max(0, until - performance.now())));
  return { words: () => words, over: () => timers.forEach(clearTimeout) };
}

function end(child, signal) {
  try {
    if (windows) child.kill(signal);
    else if (child.pid) process.kill(-child.pid, signal);
  } catch {
    // it is gone
  }
}
