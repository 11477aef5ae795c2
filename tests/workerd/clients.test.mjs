// What people really use: curl, Python's requests, htpasswd.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { shared } from "./expect.mjs";
import { PASSWORDS, basic, jwt, policy, secrets } from "./given.mjs";
import { withGate } from "./harness.mjs";
import { python } from "./python.mjs";

const world = shared();
const run = promisify(execFile);
const has = (program, ...arguments_) => {
  try {
    execFileSync(program, arguments_, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};

const CURL = has("curl", "--version") ? false : "curl is not here";

async function curl(...more) {
  const { port } = world.gate.frontUrl;
  const { stdout } = await run("curl", [
    "-sk",
    "-w",
    "\n%{http_code}",
    "--resolve",
    `acme.example:${port}:127.0.0.1`,
    ...more,
    `https://acme.example:${port}/x`,
  ]);
  const lines = stdout.split("\n");
  return { status: Number(lines.pop()), text: lines.join("\n") };
}

test("curl -u", { skip: CURL }, async () => {
  const right = await curl("-u", `ann:${PASSWORDS.ann}`);
  assert.equal(right.status, 200);
  assert.ok(right.text.includes('"ann"'));
  assert.equal((await curl("-u", "ann:wrong")).status, 401);
});

test("curl -u with colons and Unicode", { skip: CURL }, async () => {
  assert.equal((await curl("-u", `colon:${PASSWORDS.colon}`)).status, 200);
  assert.equal((await curl("-u", `test:${PASSWORDS.test}`)).status, 200);
});

test("curl --anyauth finds Basic in the challenge", { skip: CURL }, async () => {
  assert.equal((await curl("--anyauth", "-u", `ann:${PASSWORDS.ann}`)).status, 200);
});

test("curl --oauth2-bearer", { skip: CURL }, async () => {
  assert.equal((await curl("--oauth2-bearer", jwt())).status, 200);
});

test(
  "curl without credentials gets a short text and a new line at the end is its own affair",
  { skip: CURL },
  async () => {
    const { status, text } = await curl();
    assert.equal(status, 401);
    assert.ok(text.length < 600);
  },
);

test("Python's requests: auth=(user, password)", async (t) => {
  const interpreter = python();
  if (!interpreter) return t.skip("requests cannot be had here");
  const script = [
    "import json, sys, requests, warnings",
    'warnings.simplefilter("ignore")',
    "url, user, password, token = sys.argv[1:]",
    "get = lambda **more: requests.get(url, verify=False, **more)",
    'print(json.dumps([get(auth=(user, password)).status_code, get(auth=(user, "wrong")).status_code, get().status_code,',
    '  get(headers={"Authorization": "Bearer " + token}).status_code, get(auth=("test", "123\\u00a3".encode())).status_code]))',
  ].join("\n");
  const { stdout } = await run(interpreter, [
    "-c",
    script,
    `https://localhost:${world.gate.frontUrl.port}/x`,
    "ann",
    PASSWORDS.ann,
    jwt(),
  ]);
  return assert.deepEqual(JSON.parse(stdout), [200, 401, 401, 200, 200]);
});

test("fetch of Node (undici) through the front", async () => {
  assert.equal((await world.gate.dispatch("https://acme.example/x", { headers: basic("ann") })).status, 200);
  const response = await world.gate.dispatch("https://acme.example/x");
  assert.equal(response.status, 401);
  assert.match(response.headers.get("content-type"), /problem\+json/); // undici sends Sec-Fetch-Mode: cors
});

test("lines that htpasswd writes let in", async (t) => {
  if (!has("htpasswd", "-nbB", "-C", "4", "u", "p")) return t.skip("htpasswd (apache2-utils) is not here");
  const line = execFileSync("htpasswd", ["-nbB", "-C", "5", "hugo", "htpasswd-made-this"], { encoding: "utf8" }).trim();
  return withGate(
    { policy: policy(world.origin), secrets: secrets({ EDGEWARD_USERS: `${line}\n\n` }) },
    async (gate) => {
      assert.equal((await gate.request("/x", { headers: basic("hugo", "htpasswd-made-this") })).status, 200);
      assert.equal((await gate.request("/x", { headers: basic("hugo", "wrong") })).status, 401);
    },
  );
});
