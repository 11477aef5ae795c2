// warn = "inject": the script goes into pages of those who are signed in, and not one other octet changes.
import assert from "node:assert/strict";
import http from "node:http";
import { brotliCompressSync, brotliDecompressSync, deflateSync, gunzipSync, gzipSync } from "node:zlib";
import { after, before, test } from "node:test";
import { basic, policy, secrets } from "./given.mjs";
import { startGate } from "./harness.mjs";
import { Browser, signedIn } from "./people.mjs";

const SCRIPT = '<script src="/.edgeward/session.js" defer></script>';
const HTML = { "Content-Type": "text/html; charset=utf-8" };
const PAGE = `<!doctype html>\r\n<html lang=en><head>\n<title>grün &amp; \u{1f512}</title>\n<script>"</head>"</script></head >\n<body class='a' >\n<p>x<br/>\n</body></html>\n`;
const PAGE_WITH = PAGE.replace("</head >", `${SCRIPT}</head >`);

const gates = {};
const browsers = {};
let server;
let answer; // what the origin answers next: { status, headers, chunks }

before(async () => {
  server = http.createServer((request, response) => {
    const { status = 200, headers = HTML, chunks, pause = 0 } = answer;
    response.writeHead(status, headers);
    const send = (left) => {
      if (left.length === 0) return response.end();
      response.write(left[0]);
      return pause ? setTimeout(send, pause, left.slice(1)) : send(left.slice(1));
    };
    send([chunks ?? PAGE].flat());
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", done));
  const origin = `http://127.0.0.1:${server.address().port}`;
  const rules = [{ path: "/both/*", accept: ["session", "basic"] }, { path: "/public/*", access: "public" }];
  for (const warn of ["inject", "script", "off"]) {
    const gate = await startGate({ policy: policy(origin, { rules, session: { warn } }), secrets: secrets() });
    gates[warn] = gate;
    browsers[warn] = new Browser(gate);
    signedIn(await browsers[warn].signIn("ann"));
  }
});

after(async () => {
  await Promise.all(Object.values(gates).map((gate) => gate.stop()));
  server?.close();
  server?.closeAllConnections();
});

/** Opens a page for which the origin has this answer. */
async function opened(next = {}, { by = browsers.inject, path = "/x", headers = {} } = {}) {
  answer = next;
  return by.open(path, headers);
}

const isAsItWas = (response, page = PAGE) => assert.equal(response.content.toString("latin1"), Buffer.from(page).toString("latin1"));

test("at the end of the head, and every other octet as it was", async () => {
  const response = await opened();
  assert.equal(response.status, 200);
  isAsItWas(response, PAGE_WITH);
  assert.equal(response.get("content-length"), undefined);
  assert.equal(response.get("content-type"), HTML["Content-Type"]);
});

test("pages without a head have it at the end of the body, else at their own", async () => {
  for (const [page, wanted] of [
    ["<body><p>a</body>", `<body><p>a${SCRIPT}</body>`],
    ["<!doctype html><title>t</title><p>a", `<!doctype html><title>t</title><p>a${SCRIPT}`],
    ["<html><head><title>t</title><body>a</body></html>", `<html><head><title>t</title><body>a${SCRIPT}</body></html>`],
    ["<HTML><HEAD></HEAD><BODY></BODY></HTML>", `<HTML><HEAD>${SCRIPT}</HEAD><BODY></BODY></HTML>`],
    ["<!-- </head> --><head></head><body></body>", `<!-- </head> --><head>${SCRIPT}</head><body></body>`],
    ["<head></head><body><template><head></head></template></body>", `<head>${SCRIPT}</head><body><template><head></head></template></body>`],
    ["<head></head><body><textarea></body></textarea></body>", `<head>${SCRIPT}</head><body><textarea></body></textarea></body>`],
  ]) {
    isAsItWas(await opened({ chunks: page }), wanted);
  }
});

test("wherever the chunks part, and octets that are no UTF-8", async () => {
  const octets = Buffer.concat([Buffer.from("<head>\xff\xfe</head><body>\x80\0\xc3", "latin1"), Buffer.from("</body>")]);
  const wanted = Buffer.from(octets.toString("latin1").replace("</head>", `${SCRIPT}</head>`), "latin1");
  for (const whole of [octets, Buffer.from(PAGE)]) {
    const expected = whole === octets ? wanted : Buffer.from(PAGE_WITH);
    const single = [...whole].map((octet) => Buffer.from([octet]));
    assert.deepEqual((await opened({ chunks: single, pause: whole === octets ? 1 : 0 })).content, expected);
    for (const at of [3, 7, whole.indexOf("</head") + 4, whole.length - 3]) {
      const chunks = [whole.subarray(0, at), whole.subarray(at)];
      assert.deepEqual((await opened({ chunks, pause: 5 })).content, expected, `${at}`);
    }
  }
});

test("it streams: the head is there before the end of the page is", async () => {
  const [head, rest] = ["<html><head></head><body>", "the end</body></html>"];
  answer = { chunks: [head, rest], pause: 1500 };
  const began = Date.now();
  const first = await new Promise((done, failed) => {
    const cookie = [...browsers.inject.jar].map(([name, value]) => `${name}=${value}`).join("; ");
    gates.inject
      .request("https://acme.example/x", {
        headers: { Cookie: cookie, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document" },
        onResponse: (message) => {
          let text = "";
          message.on("data", (chunk) => {
            text += chunk;
            if (text.includes("<body>")) done(text);
          });
        },
      })
      .catch(failed);
  });
  assert.ok(Date.now() - began < 1200, "before the rest");
  assert.equal(first, `<html><head>${SCRIPT}</head><body>`);
});

test("two megabytes pass as they are", async () => {
  const long = `<html><head></head><body>${"<p title='a'>é</p>".repeat(100_000)}</body></html>`;
  isAsItWas(await opened({ chunks: long }), long.replace("</head>", `${SCRIPT}</head>`));
});

test("codings: gzip and br are undone and done again, others are left alone", async () => {
  for (const [coding, encode, decode] of [["gzip", gzipSync, gunzipSync], ["br", brotliCompressSync, brotliDecompressSync]]) {
    const body = encode(PAGE);
    const headers = { ...HTML, "Content-Encoding": coding, "Content-Length": body.length };
    const response = await opened({ headers, chunks: body }, { headers: { "Accept-Encoding": "gzip, br" } });
    assert.equal(response.get("content-encoding"), coding);
    assert.equal(response.get("content-length"), undefined);
    assert.equal(decode(response.content).toString(), PAGE_WITH);
  }
  for (const [coding, body] of [["deflate", deflateSync(PAGE)], ["GZIP", gzipSync(PAGE)], ["x-unknown", Buffer.from(PAGE)], ["gzip, br", brotliCompressSync(gzipSync(PAGE))]]) {
    const response = await opened({ headers: { ...HTML, "Content-Encoding": coding }, chunks: body });
    assert.deepEqual(response.content, body, coding);
  }
});

test("a strong ETag becomes weak, and no range of the origin's is offered", async () => {
  for (const [etag, wanted] of [['"abc"', 'W/"abc"'], ['W/"abc"', 'W/"abc"']]) {
    const response = await opened({ headers: { ...HTML, ETag: etag, "Accept-Ranges": "bytes", "Content-Length": Buffer.byteLength(PAGE), "Last-Modified": "Mon, 01 Jun 2026 00:00:00 GMT" } });
    assert.deepEqual([response.get("etag"), response.get("accept-ranges"), response.get("content-length")], [wanted, undefined, undefined]);
    assert.equal(response.get("last-modified"), "Mon, 01 Jun 2026 00:00:00 GMT");
    isAsItWas(response, PAGE_WITH);
  }
});

test("other changes to the answer stand beside it", async () => {
  const headers = { ...HTML, "Set-Cookie": ["a=1", "__Host-edgeward=evil", "b=2"], "Cache-Control": "public, max-age=60", Vary: "Accept" };
  const response = await opened({ headers });
  isAsItWas(response, PAGE_WITH);
  assert.deepEqual(response.all("set-cookie").filter((line) => !line.startsWith("__Host-edgeward=ey")), ["a=1", "b=2"]);
  assert.equal(response.get("cache-control"), "private, max-age=60");
  assert.equal(response.get("vary"), "Accept");
});

const CSP = "Content-Security-Policy";
for (const [name, next, wanted = {}] of [
  ["206", { status: 206, headers: { ...HTML, "Content-Range": "bytes 0-4/9", ETag: '"a"' } }, { etag: '"a"' }],
  ["no-transform", { headers: { ...HTML, "Cache-Control": "max-age=1, No-Transform", ETag: '"a"' } }, { etag: '"a"' }],
  ["text", { headers: { "Content-Type": "text/plain" } }],
  ["XHTML", { headers: { "Content-Type": "application/xhtml+xml" } }],
  ["no type", { headers: {} }],
  ["UTF-16", { headers: { "Content-Type": "text/html; charset=utf-16le" }, chunks: Buffer.from(PAGE, "utf16le") }],
  ["a download", { headers: { ...HTML, "Content-Disposition": 'attachment; filename="a.html"' } }],
  ["a digest", { headers: { ...HTML, "Repr-Digest": "sha-256=:AAAA:" } }],
  ["an integrity policy", { headers: { ...HTML, "Integrity-Policy": "blocked-destinations=(script)" } }],
  ["a redirection", { status: 302, headers: { ...HTML, Location: "/y" } }],
  ["the origin's 401", { status: 401 }],
  ["the origin's 403", { status: 403 }],
  ["script-src none", { headers: { ...HTML, [CSP]: "script-src 'none'" } }],
  ["a nonce alone", { headers: { ...HTML, [CSP]: "script-src 'nonce-abc'" } }],
  ["strict-dynamic", { headers: { ...HTML, [CSP]: "script-src 'self' 'nonce-abc' 'strict-dynamic'" } }],
  ["default-src none", { headers: { ...HTML, [CSP]: "default-src 'none'" } }],
  ["connect-src none", { headers: { ...HTML, [CSP]: "script-src 'self'; connect-src 'none'" } }],
  ["the second of two policies", { headers: { ...HTML, [CSP]: ["script-src 'self'", "script-src https://cdn.example"] } }],
  ["a sandbox", { headers: { ...HTML, [CSP]: "sandbox allow-scripts" } }],
]) {
  test(`left alone: ${name}`, async () => {
    const response = await opened(next);
    assert.equal(response.status, next.status ?? 200);
    const body = next.chunks ?? PAGE;
    assert.deepEqual(response.content, Buffer.from(body));
    if (wanted.etag) assert.equal(response.get("etag"), wanted.etag);
  });
}

for (const policy of ["script-src 'self'", "default-src 'self'; img-src *", "default-src 'none'; script-src 'self'; connect-src 'self'"]) {
  test(`policies that let it run: ${policy}`, async () => {
    isAsItWas(await opened({ headers: { ...HTML, [CSP]: policy } }), PAGE_WITH);
  });
}

test("a policy in the page itself counts, too", async () => {
  const page = (content) => `<head><meta charset=utf-8><meta HTTP-EQUIV=" Content-Security-Policy" content="${content}"></head><body></body>`;
  isAsItWas(await opened({ chunks: page("script-src 'none'") }), page("script-src 'none'"));
  const good = page("script-src 'self'");
  isAsItWas(await opened({ chunks: good }), good.replace("</head>", `${SCRIPT}</head>`));
});

test("304, 204 and HEAD have no content", async () => {
  for (const status of [204, 304]) {
    const response = await opened({ status, headers: { ETag: '"a"' }, chunks: [] }, { headers: { "If-None-Match": '"a"' } });
    assert.deepEqual([response.status, response.content.length, response.get("etag")], [status, 0, '"a"']);
  }
  answer = { headers: { ...HTML, ETag: '"a"', "Content-Length": 7 }, chunks: [] };
  const head = await browsers.inject.fetch("/x", { method: "HEAD", headers: { "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document" } });
  assert.deepEqual([head.status, head.content.length, head.get("etag")], [200, 0, '"a"']);
});

test("an error page of the origin and the answer to a form have it, too", async () => {
  isAsItWas(await opened({ status: 404 }), PAGE_WITH);
  answer = {};
  isAsItWas(await browsers.inject.post("/x", { a: "1" }), PAGE_WITH);
});

test("only where somebody who is signed in opens a page", async () => {
  isAsItWas(await opened({}, { headers: { "Sec-Fetch-Dest": "iframe" } }));
  isAsItWas(await opened({}, { path: "/public/x" }));
  isAsItWas(await opened({}, { by: new Browser(gates.inject, { headers: basic("ann") }), path: "/both/x" }));
  for (const by of [browsers.script, browsers.off]) isAsItWas(await opened({}, { by }));
  answer = {};
  isAsItWas(await browsers.inject.fetch("/x"));
  isAsItWas(await browsers.inject.fetch("/x", { headers: { "Sec-Fetch-Mode": undefined, "Sec-Fetch-Dest": undefined, "Sec-Fetch-Site": undefined } }));
});
