// The Worker without wrangler and without Miniflare: two files, text and JSON bindings, no flags.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { parse } from "smol-toml";
import workerd from "workerd";
import { at } from "../../scripts/tools.mjs";

const POLICY = { realm: "Bare", origin: "https://origin.example", rules: [{ path: "/open", access: "public" }] };
const secret = () => randomBytes(32).toString("base64url");
const KEYS = JSON.stringify({ keys: [{ kty: "oct", kid: "a", alg: "HS256", k: secret() }] });

test("bare workerd runs the two files", async () => {
  const bindings = [json("EDGEWARD", JSON.stringify(POLICY)), text("EDGEWARD_SECRET", secret()), text("EDGEWARD_KEYS", KEYS)];
  await serving(bindings, async (address) => {
    assert.equal((await fetch(`${address}/.edgeward/health`)).status, 200);
  });
});

test("the policy may be text", async () => {
  const bindings = [text("EDGEWARD", JSON.stringify(POLICY)), text("EDGEWARD_SECRET", secret()), text("EDGEWARD_KEYS", KEYS)];
  await serving(bindings, async (address) => {
    assert.equal((await fetch(`${address}/.edgeward/health`)).status, 200);
  });
});

test("without any binding it is up, and says that it is not configured", async () => {
  await serving([], async (address) => {
    assert.equal((await fetch(`${address}/.edgeward/health`)).status, 503);
  });
});

const quoted = JSON.stringify; // a capnp text literal escapes as JSON does
const text = (name, value) => `(name = ${quoted(name)}, text = ${quoted(value)})`;
const json = (name, value) => `(name = ${quoted(name)}, json = ${quoted(value)})`;

/** Runs `body` while workerd serves the Worker with these bindings; what it logged as an exception fails the test. */
async function serving(bindings, body) {
  const folder = mkdtempSync(join(tmpdir(), "edgeward-bare-"));
  const file = join(folder, "config.capnp");
  for (const name of ["index.js", "index_bg.wasm"]) copyFileSync(at("build", name), join(folder, name));
  writeFileSync(file, configuration(bindings));
  const child = spawn(workerd.default ?? workerd, ["serve", "--control-fd=3", file], { stdio: ["ignore", "pipe", "pipe", "pipe"] });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (part) => (errors += part));
  try {
    await body(`http://127.0.0.1:${await listening(child, () => errors)}`);
    assert.doesNotMatch(errors, /exception|panicked/i);
  } finally {
    child.kill();
    rmSync(folder, { recursive: true });
  }
}

async function listening(child, errors) {
  for await (const line of createInterface({ input: child.stdio[3] })) {
    const event = JSON.parse(line);
    if (event.event === "listen") return event.port;
  }
  throw new Error(`workerd does not listen:\n${errors()}`);
}

function configuration(bindings) {
  const { compatibility_date: date } = parse(readFileSync(at("wrangler.toml"), "utf8"));
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "gate", worker = (
    modules = [
      (name = "index.js", esModule = embed "index.js"),
      (name = "index_bg.wasm", wasm = embed "index_bg.wasm"),
    ],
    compatibilityDate = ${quoted(date)},
    bindings = [${bindings.join(", ")}],
  ))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "gate")],
);
`;
}
