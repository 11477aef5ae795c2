// `npm start` as a new user meets it: what it prints can be pasted, and it leaves nothing running.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { statSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { at } from "../../scripts/tools.mjs";

const STARTED = /Ctrl-C stops it/;
const DEADLINE = 120_000; // milliseconds
let demo;

const DIRECTLY = [process.execPath, at("scripts/start.mjs")];
const BY_NPM = ["npm", "start", "--"];

before(async () => (demo = await start(DIRECTLY)), { timeout: DEADLINE });
after(() => demo?.child.kill("SIGTERM"));

test("what the demo guards wants credentials", async () => {
  const response = await fetch(demo.address);
  assert.equal(response.status, 401);
});

test("the printed user name and password sign in on the page itself", async () => {
  const navigation = { accept: "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
  const asked = await send("GET", `${demo.address}notes/index.html?a=b`, navigation);
  assert.equal(asked.status, 401);
  assert.equal(asked.headers["www-authenticate"].includes("Basic"), false, "no prompt opens in front of the page");
  const returnTo = asked.content.match(/name="return_to" value="([^"]*)"/)[1];
  assert.equal(returnTo, "/notes/index.html?a=b");
  const posted = { ...navigation, "sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded" };
  const form = new URLSearchParams({ username: "demo", password: demo.password, return_to: returnTo });
  const signedIn = await send("POST", `${demo.address}.edgeward/sign-in`, posted, String(form));
  assert.equal(signedIn.status, 303);
  assert.equal(signedIn.headers.location, `${demo.address}notes/index.html?a=b`);
  const cookie = signedIn.headers["set-cookie"].map((line) => line.split(";")[0]).join("; ");
  const page = await send("GET", signedIn.headers.location, { ...navigation, cookie });
  assert.equal(page.status, 200);
  assert.match(page.content, /session\.js/, "the page warns before the sign-in ends");
});

test("the printed curl lines open it, Basic and Bearer", async () => {
  assert.equal(demo.curls.length, 2);
  for (const line of demo.curls) assert.match(await paste(line), /<h1>You are in<\/h1>/, line);
});

test("the printed share link opens by a click, as often as it says", async () => {
  const navigation = { accept: "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
  const posted = { ...navigation, "sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded" };
  const page = new URL(demo.link).pathname;
  for (let use = 1; use <= 3; use++) {
    const asked = await send("GET", demo.link, navigation);
    assert.equal(asked.status, 401, "whoever only looks at it counts nothing");
    assert.match(asked.content, /data-cause="token-needs-confirmation"/);
    const value = (name) => asked.content.match(new RegExp(`name="${name}" value="([^"]*)"`))[1];
    const form = new URLSearchParams({ token: value("token"), return_to: value("return_to") });
    const opened = await send("POST", new URL("/.edgeward/link", demo.address).href, posted, String(form));
    assert.equal(opened.status, 303, `use ${use}`);
    assert.equal(new URL(opened.headers.location, demo.address).pathname, page);
    const cookie = opened.headers["set-cookie"][0].split(";")[0];
    const shared = await send("GET", new URL(page, demo.address).href, { ...navigation, cookie });
    assert.equal(shared.status, 200);
  }
  const spent = await send("GET", demo.link, navigation);
  assert.match(spent.content, /data-cause="token-spent"/);
  assert.equal((await send("GET", `${demo.link.slice(0, -1)}_`, navigation)).status, 401);
});

test("the pages are where their links say", async () => {
  const seen = new Set();
  for (const queue = [demo.address]; queue.length > 0; ) {
    const url = queue.pop();
    const response = await fetch(url, { headers: demo.credentials });
    assert.equal(response.status, 200, url);
    seen.add(url);
    queue.push(...linksOf(url, await response.text()).filter((link) => !seen.has(link)));
  }
  assert.ok(seen.size >= 6, [...seen].join(" "));
});

test("the public page asks for nothing", async () => {
  const response = await fetch(new URL("/public/index.html", demo.address));
  assert.equal(response.status, 200);
  assert.match(await response.text(), /Open to all/);
});

test("the secrets are the owner's alone", () => {
  assert.equal(statSync(at(".dev.vars")).mode & 0o777, 0o600);
});

test("stopping it is a success and leaves nothing that listens", async () => {
  assert.deepEqual(await stop(demo), [0, null]);
  await silence(demo.port);
});

test("a second start keeps the password, and goes when npm goes", async () => {
  const again = await start(BY_NPM);
  try {
    assert.equal(again.password, demo.password);
  } finally {
    await stop(again);
  }
  await silence(again.port);
});

/** Starts the demo on a free port and reads what it prints. */
async function start([program, ...args]) {
  const port = await freePort();
  const stdio = ["ignore", "pipe", "pipe"];
  const child = spawn(program, [...args, "--port", String(port)], { cwd: at(), stdio });
  const text = await printed(child);
  const [address] = text.match(/http:\/\/localhost:\d+\//);
  const curls = text.match(/^ *curl .*$/gm);
  const password = text.match(/password +(\S+)/)[1];
  const [link] = text.match(/http:\/\/\S+[?&]ew=\S+/);
  const credentials = { authorization: `Basic ${Buffer.from(`demo:${password}`).toString("base64")}` };
  return { child, port, address, curls, password, link, credentials };
}

async function printed(child) {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (part) => (text += part));
  while (!STARTED.test(text)) {
    if (child.exitCode !== null) throw new Error(`npm start ended:\n${text}`);
    await new Promise((done) => setTimeout(done, 100));
  }
  return text;
}

async function stop({ child }) {
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  return ended;
}

/** Waits until nobody listens on a port any more. */
async function silence(port) {
  for (const end = Date.now() + 30_000; Date.now() < end; await new Promise((done) => setTimeout(done, 100))) {
    if (await fetch(`http://127.0.0.1:${port}/`).then(() => false, () => true)) return;
  }
  assert.fail(`something still listens on port ${port}`);
}

/** A port that nobody listens on, below those that the system gives to others until the demo takes it. */
async function freePort() {
  for (;;) {
    const port = randomInt(20_000, 30_000);
    const server = createServer().listen(port, "127.0.0.1");
    const isFree = await once(server, "listening").then(() => true, () => false);
    server.close();
    if (isFree) return port;
  }
}

/** As a browser sends it: `fetch` would say of itself that it is a script. */
async function send(method, url, headers, content) {
  const sent = request(url, { method, headers });
  sent.end(content);
  const [response] = await once(sent, "response");
  let text = "";
  for await (const part of response.setEncoding("utf8")) text += part;
  return { status: response.statusCode, headers: response.headers, content: text };
}

/** Runs a printed line as the user's shell would. */
async function paste(line) {
  const { stdout } = await promisify(execFile)("sh", ["-c", `${line.trim()} --silent`]);
  return stdout;
}

const linksOf = (url, html) =>
  [...html.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, link]) => new URL(link, url).href).filter((link) => new URL(link).host === new URL(url).host);
