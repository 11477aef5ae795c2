// Renders every page that a visitor can meet, in every language, and serves them, each under its own
// Content-Security-Policy, on 127.0.0.1 alone: `npm run pages [port]`, then leaf through the index. The index can be opened
// from the disk as well: target/pages/index.html. The browser tests use the same.

import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Where the pages of some languages are written: two tests that run at once do not meet. */
const folderOf = (languages) => `${root}target/pages${languages === "all" ? "" : `-${languages}`}/`;

// The index shows the pages in frames; its own script and style are the gallery's.
const INDEX_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'";

/**
 * Renders the gallery: English, or `languages` ("all", or tags with commas between them). Returns what its manifest says
 * of each page, and knows its folder.
 */
export async function render(languages = "en") {
  const folder = folderOf(languages);
  const args = ["run", "--quiet", "--example", "gallery", "--", languages, folder];
  execFileSync("cargo", args, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  return Object.assign(JSON.parse(await readFile(`${folder}manifest.json`, "utf8")), { folder });
}

/** Serves the gallery; `change` may alter a page before it is sent. Resolves to its base URL and a way to stop. */
export async function serve(manifest, { port = 0, change = (html) => html } = {}) {
  const policies = new Map(manifest.map(({ file, csp }) => [file, csp]));
  policies.set("index.html", INDEX_POLICY);
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://localhost");
    const file = pathname.slice(1) || "index.html";
    if (!policies.has(file)) return response.writeHead(404).end();
    const page = { html: change(await readFile(manifest.folder + file, "utf8")), csp: policies.get(file) };
    const { html, csp } = searchParams.has("framed") ? framed(page, searchParams.get("framed")) : page;
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-security-policy": csp });
    response.end(html);
  });
  await new Promise((ready) => server.listen(port, "127.0.0.1", ready));
  return { base: `http://127.0.0.1:${server.address().port}/`, stop: () => server.close() };
}

/** A page for the frames of the index, which none of them allows a site: light or dark, or as the system is. */
function framed({ html, csp }, scheme) {
  const own = csp.replace("frame-ancestors 'none'", "frame-ancestors 'self'");
  if (!scheme) return { html, csp: own };
  const query = scheme === "dark" ? "screen" : "not all";
  const shown = html
    .replaceAll("screen and (prefers-color-scheme:dark)", query)
    .replaceAll(/(name="color-scheme" content=")light dark/g, `$1${scheme}`)
    .replaceAll("color-scheme:light dark", `color-scheme:${scheme}`);
  // Its style has another hash now.
  return { html: shown, csp: own.replace(/style-src [^;]*/, "style-src 'unsafe-inline'") };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { base } = await serve(await render("all"), { port: Number(process.argv[2] ?? 0) });
  console.log(base);
}
