// What the browser tests of people share: a site with private pages behind the gate, a browser to which the names of the
// gates lead there, and a fresh profile for each test.
import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import tls from "node:tls";
import chromium from "@sparticuz/chromium";
import { chromium as browserType } from "playwright-core";

/** Pages that say for whom they are and may be kept for ten minutes; `asked` are the requests that reached the site. */
export async function startSite() {
  const asked = [];
  const server = http.createServer((request, response) => {
    const user = request.headers["x-edgeward-user"] ?? "nobody";
    asked.push({ method: request.method, url: request.url, user });
    response.writeHead(200, { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "max-age=600" });
    response.end(`<!doctype html><html lang="en"><head><title>Acme</title></head><body><main><h1>Private of ${user}</h1>
<p>${request.url.replaceAll("&", "&amp;").replaceAll("<", "&lt;")}</p><p id="part-2">Part 2</p></main></body></html>`);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    asked,
    count: (url) => asked.filter((it) => it.url === url).length,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/**
 * A browser in which each of these sites (`{ "https://…": gate }`) leads to its gate, whose certificate it trusts: nothing is
 * kept, neither in the cache nor for the way back, of what comes with one that it was only told to overlook.
 */
export async function launch(gates, options = {}) {
  const rules = Object.entries(gates).map(([site, gate]) => `MAP ${new URL(site).host}:443 127.0.0.1:${gate.frontUrl.port}`);
  const keys = await Promise.all(Object.values(gates).map((gate) => keyOf(Number(gate.frontUrl.port))));
  // Its own args switch off web security, and then nothing here would prove anything.
  const args = ["--no-sandbox", "--no-zygote", "--disable-gpu", `--host-resolver-rules=${rules.join(", ")}`];
  args.push(`--ignore-certificate-errors-spki-list=${keys.join(",")}`);
  return browserType.launch({ executablePath: await chromium.executablePath(), args, ...options });
}

/** The hash of the public key that is shown at a port. */
async function keyOf(port) {
  const socket = tls.connect({ host: "127.0.0.1", port, rejectUnauthorized: false });
  await once(socket, "secureConnect");
  const { publicKey } = new X509Certificate(socket.getPeerCertificate().raw);
  socket.destroy();
  return createHash("sha256").update(publicKey.export({ type: "spki", format: "der" })).digest("base64");
}

/** A fresh profile with one tab; fails the test where a script of a page fails or a policy is broken. */
export async function visit(browser, options, body) {
  const context = await browser.newContext({ reducedMotion: "reduce", ...options });
  const faults = [];
  context.on("weberror", (error) => faults.push(String(error.error())));
  context.on("console", (message) => /Content Security Policy/.test(message.text()) && faults.push(message.text()));
  try {
    const found = await body(await context.newPage(), context);
    assert.deepEqual(faults, []);
    return found;
  } finally {
    await context.close();
  }
}

export const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true });
export const userField = (page) => page.getByLabel("User name");
export const passwordField = (page) => page.getByLabel("Password", { exact: true });
export const focused = (page) => page.evaluate(() => document.activeElement.id);
export const causeOf = (page) => page.locator("html").getAttribute("data-cause");

/** Types a password on the page that is shown, and sends it. */
export async function signIn(page, user, password) {
  await userField(page).fill(user);
  await passwordField(page).fill(password);
  await passwordField(page).press("Enter");
}

/** The private page of that user is shown, at that address. */
export async function arrived(page, url, user = "ann") {
  await heading(page, `Private of ${user}`).waitFor();
  assert.equal(page.url(), url);
}

/** The browser's own cookie of that name, or undefined. */
export async function cookie(context, name) {
  return (await context.cookies()).find((it) => it.name === name);
}
