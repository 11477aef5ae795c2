// `npm start`: the Worker and the demo site on this machine, with credentials to try, until Ctrl-C.
//
//   npm start [-- --port 8787] [-- other options of `wrangler dev`]
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { demoCredentials, demoLink } from "./demo.mjs";
import * as tools from "./tools.mjs";

const FIRST_PORT = 8787;
const LAST_PORT = 8887;
const SHARED = "/notes/index.html"; // the page that the demo's share link is for
const LOOPBACK = ["127.0.0.1", "::1"];

async function main() {
  const { port: wanted, rest } = options();
  await tools.installModules();
  await build();
  const credentials = demoCredentials();
  const port = await choosePort(wanted);
  const server = serve(port, rest);
  announce(server, port, credentials);
  return server.ended;
}

function options() {
  const { values, tokens } = parseArgs({ options: { port: { type: "string" } }, strict: false, tokens: true });
  if (values.port !== undefined && !/^\d{1,5}$/.test(values.port)) throw new tools.Stop("--port takes a number");
  const ours = new Set(tokens.filter((it) => it.name === "port").flatMap((it) => [it.index, it.inlineValue ? -1 : it.index + 1]));
  return { port: values.port && Number(values.port), rest: process.argv.slice(2).filter((_, index) => !ours.has(index)) };
}

async function choosePort(wanted) {
  if (wanted && !(await isFree(wanted))) throw new tools.Stop(`port ${wanted} is in use`);
  if (wanted) return wanted;
  for (let port = FIRST_PORT; port <= LAST_PORT; port++) if (await isFree(port)) return port;
  throw new tools.Stop(`no port is free from ${FIRST_PORT} to ${LAST_PORT}; name one: npm start -- --port N`);
}

/** Free on both families: `localhost` may mean either. */
async function isFree(port) {
  for (const host of LOOPBACK) if (await isTaken(host, port)) return false;
  return true;
}

async function isTaken(host, port) {
  const server = createServer();
  try {
    server.listen(port, host);
    await once(server, "listening");
    return false;
  } catch (error) {
    return error.code !== "EADDRNOTAVAIL" && error.code !== "EAFNOSUPPORT";
  } finally {
    server.close();
  }
}

/** Starts `wrangler dev`; `ended` is its exit status, 0 where we were asked to stop. */
function serve(port, rest) {
  const args = ["dev", "--ip", LOOPBACK[0], "--port", String(port), "--show-interactive-dev-session=false", ...rest];
  const env = { ...tools.environment(), CLOUDFLARE_CF_FETCH_ENABLED: "false" };
  const stdio = ["ignore", "inherit", "inherit"];
  const child = spawn(tools.node(), tools.wrangler(...args), { cwd: tools.root, env, stdio });
  const asked = stopWithUs(child);
  const ended = once(child, "close").then(([status]) => (asked.stop ? 0 : (status ?? 1)));
  return { child, ended };
}

/** Hands a signal on by process id, and does not wait for ever. */
function stopWithUs(child) {
  const asked = { stop: false };
  const stop = () => {
    asked.stop = true;
    child.kill("SIGTERM");
    setTimeout(() => child.kill("SIGKILL"), 5000).unref();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, stop);
  onceAlone(stop);
  return asked;
}

/** npm hands a signal to a shell between us, and the shell ends without a word: then we are somebody else's child. */
function onceAlone(stop) {
  const parent = process.ppid;
  if (!process.env.npm_lifecycle_event) return;
  const watch = setInterval(() => process.ppid !== parent && (clearInterval(watch), stop()), 250).unref();
}

/** Prints what to try as soon as it can be tried. */
async function announce({ child }, port, credentials) {
  while (child.exitCode === null && child.signalCode === null) {
    if (await answers(port)) return console.log(await invitation(`http://localhost:${port}`, credentials));
    await pause(200);
  }
}

async function answers(port) {
  try {
    await fetch(`http://${LOOPBACK[0]}:${port}/.edgeward/health`, { signal: AbortSignal.timeout(2000) });
    return true;
  } catch {
    return false;
  }
}

async function invitation(address, { user, password, token }) {
  const configuration = await configured();
  const lines = ["", `  Edgeward guards ${guarded(configuration)}:  ${address}/`, ""];
  if (password) lines.push("  Open it in a browser and sign in:", "", `    user name  ${user}`, `    password   ${password}`, "");
  if (password || token) lines.push("  Or without a browser:", "");
  if (password) lines.push(`    curl -u '${user}:${password}' ${address}/`, "");
  if (token) lines.push(`    curl -H 'Authorization: Bearer ${token}' ${address}/`, "");
  const link = password && sharesLinks(configuration) ? demoLink(`${address}${SHARED}`) : null;
  if (link) lines.push(`    A share link for a browser, good ${link.uses} times; no password is asked for:`, `    ${link.url}`, "");
  if (!password && !token) lines.push("    Your own .dev.vars is in force: use your own credentials.", "");
  lines.push("  The secrets are in .dev.vars, the rules in wrangler.toml. Ctrl-C stops it.", "");
  return lines.join("\n");
}

/** wrangler.toml. The package that reads it is there only now that the build has installed it. */
async function configured() {
  const { parse } = await import("smol-toml");
  return parse(readFileSync(tools.at("wrangler.toml"), "utf8"));
}

/** What stands behind the gate. */
function guarded({ vars }) {
  const { origin } = vars?.EDGEWARD ?? {};
  if (origin === undefined) return "itself, as wrangler.toml names no origin";
  return origin === "assets" ? "the demo site in www/" : origin;
}

/** Whether the demo's site is there, and a link to it would be read and counted. */
function sharesLinks({ vars, durable_objects: objects }) {
  const { origin, tokens = [] } = vars?.EDGEWARD ?? {};
  const isCounted = objects?.bindings?.some(({ name }) => name === "EDGEWARD_LEDGER");
  return origin === "assets" && isCounted && tokens.some(({ format }) => format === "edgeward");
}

await tools.script(main);
