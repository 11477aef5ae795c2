// Bare workerd: one process, a service and a port for each Worker, no proxy in front.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import workerd from "workerd";
import { at } from "../scripts/tools.mjs";

const START_TIME = 20_000; // milliseconds

/** Starts it; what the Workers fetch goes to `originPort`, whatever the URL says. */
export async function startWorkerd(variants, originPort) {
  const folder = mkdtempSync(join(tmpdir(), "edgeward-bench-"));
  writeFileSync(join(folder, "config.capnp"), configuration(variants, originPort));
  for (const [name, { modules }] of servicesOf(variants)) {
    mkdirSync(join(folder, name));
    for (const [file, content] of Object.entries(modules)) writeFileSync(join(folder, name, file), content);
  }
  const args = ["serve", "--control-fd=3", join(folder, "config.capnp")];
  const child = spawn(workerd.default ?? workerd, args, { stdio: ["ignore", "ignore", "inherit", "pipe"] });
  const ended = new Promise((done) => child.on("close", done));
  const stop = async () => {
    child.kill();
    await ended;
    rmSync(folder, { recursive: true });
  };
  try {
    const ports = await listening(child, variants.length);
    return { ports, stop, cpuTime: () => cpuTime(child.pid) };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Each Worker by its name: those that are measured, and the stores that they are bound to. */
function servicesOf(variants) {
  return variants.flatMap((variant, index) => {
    const stores = Object.entries(variant.stores ?? {}).map(([name, values]) => [`w${index}-${name}`, store(values)]);
    return [[`w${index}`, variant], ...stores];
  });
}

const store = (values) => ({
  bindings: {},
  modules: { "index.js": readFileSync(at("benches/workers/store.js")), "values.json": JSON.stringify(values) },
});

/** Microseconds that all threads of a process have run: nanoseconds in /proc, where `stat` has hundredths of a second. */
function cpuTime(pid) {
  const of = (task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "latin1").split(" ")[0]);
  return readdirSync(`/proc/${pid}/task`).reduce((sum, task) => sum + of(task), 0) / 1000;
}

async function listening(child, count) {
  const ports = [];
  const timer = setTimeout(() => child.kill(), START_TIME);
  for await (const line of createInterface({ input: child.stdio[3] })) {
    const { event, socket, port } = JSON.parse(line);
    if (event === "listen") ports[Number(socket.slice(1))] = port;
    if (Object.keys(ports).length === count) break;
  }
  clearTimeout(timer);
  if (Object.keys(ports).length < count) throw new Error("workerd does not listen");
  return ports;
}

const quoted = JSON.stringify; // a capnp text literal escapes as JSON does

function configuration(variants, originPort) {
  const date = readFileSync(at("wrangler.toml"), "utf8").match(/^compatibility_date = "([^"]+)"/m)[1];
  const http = `http = (forwardedProtoHeader = "X-Bench-Scheme")`;
  const socket = (_, index) => `(name = "s${index}", address = "127.0.0.1:0", ${http}, service = "w${index}")`;
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "origin", external = (address = "127.0.0.1:${originPort}", http = ())),
    ${servicesOf(variants).map(([name, variant]) => service(name, variant, date)).join(",\n    ")}
  ],
  sockets = [${variants.map(socket).join(", ")}],
);
`;
}

function service(name, { modules, bindings, stores = {} }, date) {
  const kind = (file) => ({ wasm: "wasm", json: "json" })[file.split(".").at(-1)] ?? "esModule";
  const module = (file) => `(name = ${quoted(file)}, ${kind(file)} = embed ${quoted(`${name}/${file}`)})`;
  const value = (it) => (typeof it === "string" ? `text = ${quoted(it)}` : `json = ${quoted(JSON.stringify(it))}`);
  const bound = Object.entries(bindings).map(([variable, it]) => `(name = ${quoted(variable)}, ${value(it)})`);
  const kept = Object.keys(stores).map((it) => `(name = ${quoted(it)}, kvNamespace = ${quoted(`${name}-${it}`)})`);
  return `(name = ${quoted(name)}, worker = (
      modules = [${Object.keys(modules).map(module).join(", ")}],
      bindings = [${[...bound, ...kept].join(", ")}],
      compatibilityDate = "${date}", globalOutbound = "origin"))`;
}
