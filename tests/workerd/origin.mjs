// The origin behind the gate: a process of its own, so that nothing of it shares a thread with the tests.
// It echoes what it got as JSON; some paths behave in their own way. What it saw is told over IPC, never over HTTP.
import { createHash } from "node:crypto";
import { fork } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import { fileURLToPath } from "node:url";

const BASE = "/base";
const WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const CHUNK = Buffer.alloc(1 << 16, "edgeward");
const RANGED = Buffer.from("0123456789abcdefghij");

/** Starts the origin; `seen()` tells every request that reached it since the last `forget()`. */
export async function startOrigin() {
  const child = fork(fileURLToPath(import.meta.url), ["--serve"], { serialization: "json" });
  const [{ port }] = await once(child, "message");
  let next = 0;
  const ask = (question) =>
    new Promise((resolve) => {
      const id = ++next;
      const answer = (message) => {
        if (message.id !== id) return;
        child.off("message", answer);
        resolve(message.value);
      };
      child.on("message", answer);
      child.send({ id, question });
    });
  return {
    port,
    host: `127.0.0.1:${port}`,
    url: `http://127.0.0.1:${port}`,
    seen: () => ask("seen"),
    count: () => ask("count"),
    forget: () => ask("forget"),
    last: async () => (await ask("seen")).at(-1),
    memory: () => ask("memory"),
    /** Lets the answers of `/held` end; says how many there were. */
    release: () => ask("release"),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

/** The values of a field in a list of raw header lines, by any case of its name. */
export function valuesOf(rawHeaders, name) {
  const values = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i].toLowerCase() === name.toLowerCase()) values.push(rawHeaders[i + 1]);
  }
  return values;
}

if (process.argv[2] === "--serve") serve();

function serve() {
  let seen = [];
  let count = 0;
  const remember = (request) => {
    count += 1;
    const entry = { method: request.method, url: request.url, rawHeaders: request.rawHeaders };
    seen.push(entry);
    if (seen.length > 2000) seen.shift();
    return entry;
  };
  const server = http.createServer({ maxHeaderSize: 1 << 18 }, (request, response) =>
    answer(request, response, remember(request), server),
  );
  server.on("checkContinue", (request, response) => {
    remember(request).expected = true;
    response.writeContinue();
    answer(request, response, seen.at(-1), server);
  });
  server.on("upgrade", (request, socket) => echoWebSocket(request, socket, remember(request)));
  server.requestTimeout = 0;
  server.listen(0, "127.0.0.1", () => process.send({ port: server.address().port }));
  process.on("message", ({ id, question }) => {
    if (question === "forget") [seen, count] = [[], 0];
    const value = question === "release" ? release() : { seen, count, forget: true, memory: process.memoryUsage.rss() }[question];
    process.send({ id, value });
  });
  process.on("disconnect", () => process.exit(0));
}

function answer(request, response, entry, server) {
  const own = `http://127.0.0.1:${server.address().port}`;
  const under = request.url.startsWith(`${BASE}/`) ? BASE : "";
  const url = request.url.slice(under.length);
  const cut = url.search(/[?#]/);
  const path = (cut < 0 ? url : url.slice(0, cut)).replace(/^\/[^/]+(?=\/as\/)/, "").replace(/^\/as(?=\/)/, "");
  const query = new URLSearchParams(cut < 0 ? "" : url.slice(cut + 1));
  const special = SPECIAL[path] ?? (path.startsWith("/status/") ? SPECIAL["/status/"] : undefined);
  if (special) return special({ request, response, query, path, own, under, entry });
  return echo(request, response, entry);
}

const held = [];

function release() {
  const many = held.length;
  for (const response of held.splice(0)) response.end("last\n");
  return many;
}

/** Paths that behave in their own way. Any prefix of one segment and `/as` before them is allowed: `/public/as/redirect`. */
const SPECIAL = {
  "/redirect": ({ response }) => response.writeHead(302, { Location: "/elsewhere?x=%2f" }).end("moved"),
  "/location": ({ response, own, under, query }) =>
    response
      .writeHead(201, {
        Location: query.get("location") ?? `${own}${under}/there?x=%2f#y`,
        "Content-Location": query.get("content-location") ?? `${own}${under}/here`,
      })
      .end("made"),
  "/set-cookie": ({ response, query }) => {
    const cookies = query.getAll("c");
    response.writeHead(200, { "Set-Cookie": cookies.length ? cookies : ["a=1; Path=/", "b=2; HttpOnly"] }).end("baked");
  },
  "/range": ({ request, response }) => ranged(request, response),
  "/slow": ({ response, query }) =>
    setTimeout(
      () => response.writeHead(200, { "Content-Type": "text/plain" }).end("slow"),
      Number(query.get("ms") ?? 500),
    ),
  "/stream": ({ response }) => {
    response.writeHead(200, { "Content-Type": "text/plain" });
    response.write("first\n");
    setTimeout(() => response.end("last\n"), 700);
  },
  // The same, but it ends when the test says so.
  "/held": ({ response }) => {
    response.writeHead(200, { "Content-Type": "text/plain" });
    response.write("first\n");
    held.push(response);
  },
  "/big": ({ response, query }) => pour(response, Number(query.get("bytes") ?? 1 << 30)),
  "/status/": ({ response, path }) =>
    response
      .writeHead(Number(path.slice(8)), { "WWW-Authenticate": ['Foo realm="a"', 'Bar realm="b"'], "X-Origin": "yes" })
      .end("from the origin"),
  "/no-answer": () => {},
  "/hang-up": ({ request }) => request.socket.destroy(),
  "/half": ({ response }) => {
    response.writeHead(200, { "Content-Length": "100", "Content-Type": "text/plain" });
    response.write("half");
    setTimeout(() => response.socket.destroy(), 50);
  },
  "/cache-headers": ({ response, query }) =>
    response
      .writeHead(200, {
        "Cache-Control": query.get("cc") ?? "public, max-age=600, s-maxage=900",
        "CDN-Cache-Control": "public, max-age=600",
        "Cloudflare-CDN-Cache-Control": "public, max-age=600",
        "Surrogate-Control": "max-age=600",
        ETag: '"v1"',
        Vary: "Accept-Encoding",
      })
      .end("cached?"),
  "/cors": ({ response }) =>
    response
      .writeHead(200, { "Access-Control-Allow-Origin": "https://origin-says.example", "X-Origin": "yes" })
      .end("shared"),
  "/page": ({ response, entry }) => {
    const user = valuesOf(entry.rawHeaders, "x-edgeward-user")[0] ?? "nobody";
    response
      .writeHead(200, { "Content-Type": "text/html", "Cache-Control": "public, max-age=3600" })
      .end(`<p>for ${user}</p>`);
  },
};

function echo(request, response, entry) {
  const hash = createHash("sha256");
  let length = 0;
  let peak = 0;
  request.on("data", (chunk) => {
    length += chunk.length;
    hash.update(chunk);
    peak = Math.max(peak, process.memoryUsage.rss());
  });
  request.on("end", () => {
    const told = { ...entry, body: { length, sha256: hash.digest("hex") } };
    entry.body = told.body;
    const content = JSON.stringify(told);
    response.writeHead(200, {
      "Content-Type": "application/json",
      "Content-Length": Buffer.byteLength(content),
      "X-Echo": "1",
    });
    response.end(content);
  });
}

function ranged(request, response) {
  const validators = { ETag: '"r1"', "Last-Modified": "Tue, 01 Sep 2026 00:00:00 GMT", "Accept-Ranges": "bytes" };
  if (request.headers["if-none-match"] === '"r1"') return response.writeHead(304, validators).end();
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  if (!range) return response.writeHead(200, { ...validators, "Content-Length": RANGED.length }).end(RANGED);
  const part = RANGED.subarray(Number(range[1]), Number(range[2]) + 1);
  const about = { "Content-Range": `bytes ${range[1]}-${range[2]}/${RANGED.length}`, "Content-Length": part.length };
  return response.writeHead(206, { ...validators, ...about }).end(part);
}

function pour(response, bytes) {
  response.writeHead(200, { "Content-Type": "application/octet-stream", "Content-Length": bytes });
  let left = bytes;
  const more = () => {
    while (left > 0) {
      const chunk = left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK;
      left -= chunk.length;
      if (!response.write(chunk)) return response.once("drain", more);
    }
    return response.end();
  };
  response.on("close", () => (left = 0));
  more();
}

function echoWebSocket(request, socket, entry) {
  entry.upgrade = true;
  if (!request.url.split("?")[0].endsWith("/ws"))
    return socket.end("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
  const accept = createHash("sha1")
    .update(request.headers["sec-websocket-key"] + WEBSOCKET_GUID)
    .digest("base64");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  socket.on("error", () => {});
  let pending = Buffer.alloc(0);
  socket.on("data", (data) => {
    pending = Buffer.concat([pending, data]);
    for (let frame = takeFrame(pending); frame; frame = takeFrame(pending)) {
      pending = pending.subarray(frame.size);
      if (frame.opcode === 8) return socket.end(Buffer.from([0x88, 0x00]));
      if (frame.opcode === 1) socket.write(Buffer.concat([Buffer.from([0x81, frame.payload.length]), frame.payload]));
    }
    return undefined;
  });
  return undefined;
}

/** One masked client frame of less than 126 octets (RFC 6455 §5.2): all that the tests send. */
function takeFrame(bytes) {
  if (bytes.length < 6) return undefined;
  const length = bytes[1] & 0x7f;
  const masked = (bytes[1] & 0x80) !== 0;
  const start = masked ? 6 : 2;
  if (bytes.length < start + length) return undefined;
  const payload = Buffer.from(bytes.subarray(start, start + length));
  if (masked) payload.forEach((octet, i) => (payload[i] = octet ^ bytes[2 + (i % 4)]));
  return { opcode: bytes[0] & 0x0f, payload, size: start + length };
}
