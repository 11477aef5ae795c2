// Renders every page that a visitor can meet and serves them, each under its own Content-Security-Policy, on
// 127.0.0.1 alone: `node scripts/pages.mjs [port]`, then leaf through the index. The browser tests use the same.

import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = `${root}target/pages/`;

/** Renders the gallery; returns what its manifest says of each page. */
export async function render() {
  execFileSync("cargo", ["run", "--quiet", "--example", "gallery"], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  return JSON.parse(await readFile(`${folder}manifest.json`, "utf8"));
}

/** Serves the gallery; `change` may alter a page before it is sent. Resolves to its base URL and a way to stop. */
export async function serve(manifest, { port = 0, change = (html) => html } = {}) {
  const policies = new Map(manifest.map(({ file, csp }) => [file, csp]));
  const server = createServer(async (request, response) => {
    const file = new URL(request.url, "http://localhost").pathname.slice(1) || "index.html";
    if (!policies.has(file) && file !== "index.html") return response.writeHead(404).end();
    const csp = policies.get(file) ?? "default-src 'none'";
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-security-policy": csp });
    response.end(change(await readFile(folder + file, "utf8")));
  });
  await new Promise((ready) => server.listen(port, "127.0.0.1", ready));
  return { base: `http://127.0.0.1:${server.address().port}/`, stop: () => server.close() };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { base } = await serve(await render(), { port: Number(process.argv[2] ?? 0) });
  console.log(base);
}
