// The gate as a black box: the built Worker in real workerd, reached over sockets.
//
// `gate.request` speaks to the Worker's own socket in absolute form (`GET https://acme.example/a HTTP/1.1`), so scheme,
// authority, path bytes, duplicate lines and Host are the test's to choose and nothing normalises them on the way.
// `gate.front` takes the way of `wrangler dev`: TLS, and a proxy in front that parses the URL as WHATWG says.
import { existsSync, readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Log, LogLevel, Miniflare, convertV4MiniflareOptions } from "miniflare";
import { valuesOf } from "./origin.mjs";

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
export const VECTORS = join(ROOT, "../shared/vectors");
export const HOST = "acme.example";
export const SITE = `https://${HOST}`;

// The platform's behaviour that the Worker is shipped with.
const COMPATIBILITY_DATE = /^compatibility_date\s*=\s*"([\d-]+)"/m.exec(
  readFileSync(join(ROOT, "wrangler.toml"), "utf8"),
)[1];

/** A Worker beside the gate that prints what it is asked for: what was printed before is there when that is. */
const BEACON = {
  name: "beacon",
  modules: [
    { type: "ESModule", path: "beacon.js", contents: "export default { fetch({ url }) { console.log(url); return new Response(); } };" },
  ],
};
const BEACONS = "http://beacon/";
let beacons = 0;

/** Where a build is; `build` names a folder below the root of the project. */
export function buildFolder(build = process.env.EDGEWARD_BUILD ?? "build") {
  return resolve(ROOT, build);
}

export function isBuilt(build) {
  return existsSync(join(buildFolder(build), "index.js"));
}

/** Starts a gate. `policy`: an object (a JSON binding), a text (a plain one) or undefined (none). */
export async function startGate({ policy, secrets = {}, bindings = {}, build, options = {}, beside = [], entry } = {}) {
  if (!isBuilt(build)) throw new Error(`no Worker in ${buildFolder(build)}: run "npm run build" first`);
  const [output, marks] = [[], new Set()];
  const environment = { ...secrets, ...bindings };
  for (const [name, value] of Object.entries(environment)) if (value === undefined) delete environment[name];
  // As JSON, so that a member that is undefined is one that is not there.
  if (policy !== undefined)
    environment.EDGEWARD = typeof policy === "string" ? policy : JSON.parse(JSON.stringify(policy));
  const gate = {
    name: "gate",
    modulesRoot: buildFolder(build),
    modules: modulesOf(buildFolder(build), entry),
    compatibilityDate: COMPATIBILITY_DATE,
    bindings: environment,
    stripCfConnectingIp: false,
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0, proxy: true }],
    ...options,
  };
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      https: true,
      cf: false,
      log: new Recorder(output),
      handleStructuredLogs({ message }) {
        const line = String(message);
        if (line.startsWith(BEACONS)) marks.add(line);
        else output.push(line);
      },
      // `beside`: Workers that the gate's bindings lead to.
      workers: [gate, ...[...beside, BEACON].map((worker) => ({ compatibilityDate: COMPATIBILITY_DATE, ...worker }))],
    }),
  );
  const front = await miniflare.ready;
  const direct = await miniflare.unsafeGetDirectURL("gate");
  return new Gate(miniflare, front, direct, output, marks);
}

/** Waits until something is so: for as long as a machine may take that has other things to do. */
export async function eventually(isSo, what, within = 30_000) {
  for (const end = Date.now() + within; !(await isSo()); await new Promise((done) => setTimeout(done, 20)))
    if (Date.now() > end) throw new Error(`not within ${within} ms: ${what}`);
}

/** Runs `body` with a gate of its own and takes it down again. */
export async function withGate(settings, body) {
  const gate = await startGate(settings);
  try {
    return await body(gate);
  } finally {
    await gate.stop();
  }
}

class Gate {
  constructor(miniflare, front, direct, output, marks) {
    Object.assign(this, { miniflare, frontUrl: front, directUrl: direct, output, marks });
    this.answers = [];
  }

  /** A raw request to the Worker's own socket: a path (on https://acme.example), an absolute URI, or options. */
  request(target, more = {}) {
    const it = describe(target, more);
    const path = `${it.scheme}://${it.authority}${it.path}`;
    return this.#keep(exchange(http, { ...it, host: "127.0.0.1", port: this.directUrl.port, path }));
  }

  /** The same through TLS and the proxy that normalises the URL; the authority goes into Host. */
  front(target, more = {}) {
    const it = describe(target, more);
    const port = this.frontUrl.port;
    return this.#keep(exchange(https, { ...it, host: "127.0.0.1", port, rejectUnauthorized: false }));
  }

  /** A request by undici's fetch, https and any host: follows nothing. */
  dispatch(url, init = {}) {
    return this.miniflare.dispatchFetch(url, { redirect: "manual", ...init });
  }

  /** Everything the Worker printed so far, once what is on its way has arrived. */
  async printed() {
    if (!this.stopped) await this.#settle();
    return this.output.join("\n");
  }

  async #settle() {
    const mark = `${BEACONS}${++beacons}`;
    await (await this.miniflare.getWorker("beacon")).fetch(mark);
    await eventually(() => this.marks.has(mark), "the printed mark");
  }

  async #keep(promise) {
    const response = await promise;
    if (this.answers.length < 5000) this.answers.push(response);
    return response;
  }

  async stop() {
    this.stopped = true;
    await this.miniflare.dispose();
  }
}

/** Takes what Miniflare itself would print. */
class Recorder extends Log {
  #output;
  constructor(output) {
    super(LogLevel.WARN);
    this.#output = output;
  }
  log(message) {
    this.#output.push(String(message));
  }
}

export /** The modules of a build; `entry`: the text of one that stands in front of it, and imports `./index.js`. */
function modulesOf(folder, entry) {
  const module = (type, name) => ({ type, path: join(folder, name), contents: readFileSync(join(folder, name)) });
  const js = module("ESModule", "index.js");
  js.contents = js.contents.toString();
  const wasm = existsSync(join(folder, "index_bg.wasm")) ? [module("CompiledWasm", "index_bg.wasm")] : [];
  const front = entry === undefined ? [] : [{ type: "ESModule", path: join(folder, "entry.js"), contents: entry }];
  return [...front, js, ...wasm];
}

function describe(target, more) {
  const given = typeof target === "string" ? { path: target, ...more } : { ...target, ...more };
  const absolute = /^(https?):\/\/([^/?#]*)(.*)$/.exec(given.path ?? "/");
  const scheme = given.scheme ?? absolute?.[1] ?? "https";
  const authority = given.authority ?? absolute?.[2] ?? HOST;
  const path = (absolute ? absolute[3] : given.path) || "/";
  const lines = headerLines(given.headers);
  const hasHost = valuesOf(lines, "host").length > 0;
  const headers = hasHost ? lines : ["Host", authority, ...lines];
  return {
    method: given.method ?? "GET",
    scheme,
    authority,
    path,
    headers,
    body: given.body,
    signal: given.signal,
    onResponse: given.onResponse,
  };
}

/** Header lines as Node wants raw ones: name, value, name, value. An object's arrays become several lines. */
function headerLines(headers = []) {
  if (Array.isArray(headers)) return headers.flat();
  return Object.entries(headers).flatMap(([name, value]) =>
    Array.isArray(value) ? value.flatMap((v) => [name, v]) : [name, value],
  );
}

function exchange(client, { body, onResponse, scheme, authority, ...options }) {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const headers = [...options.headers];
  if (Buffer.isBuffer(bytes) && valuesOf(headers, "content-length").length === 0)
    headers.push("Content-Length", String(bytes.length));
  const headerText = headers.map((part) => (Buffer.isBuffer(part) ? part.toString("latin1") : part));
  return new Promise((done, failed) => {
    const request = client.request({
      ...options,
      headers: headerText,
      agent: false,
      setHost: false,
      maxHeaderSize: 1 << 18,
    });
    request.on("error", failed);
    request.on("upgrade", (message, socket) => {
      const response = responseOf(message, Buffer.alloc(0));
      response.socket = socket;
      done(response);
    });
    request.on("response", (message) => {
      if (onResponse) return done(onResponse(message, request));
      const chunks = [];
      message.on("data", (chunk) => chunks.push(chunk));
      message.on("error", failed);
      message.on("end", () => done(responseOf(message, Buffer.concat(chunks))));
      return undefined;
    });
    if (typeof bytes === "function") bytes(request);
    else request.end(bytes);
  });
}

function responseOf(message, content) {
  const { statusCode: status, rawHeaders } = message;
  return {
    status,
    rawHeaders,
    content,
    /** The values of a field, one for each line. */
    all: (name) => valuesOf(rawHeaders, name),
    /** The value of a field, its lines joined; undefined where there is none. */
    get: (name) => (valuesOf(rawHeaders, name).length ? valuesOf(rawHeaders, name).join(", ") : undefined),
    text: () => content.toString("utf8"),
    json: () => JSON.parse(content.toString("utf8")),
    /** What the origin saw of the request: for answers of its echo. */
    origin: () => originView(JSON.parse(content.toString("utf8"))),
  };
}

/** The origin's view of a request with a reader of its fields. */
export function originView(echo) {
  const all = (name) => valuesOf(echo.rawHeaders, name);
  return { ...echo, all, get: (name) => (all(name).length ? all(name).join(", ") : undefined) };
}
