// A real browser opens share links before the real Worker: the page that asks, the button, the cookie, and what is left
// in the address bar, in Referer and in the history. With scripts and without.
import assert from "node:assert/strict";
import http from "node:http";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import chromium from "@sparticuz/chromium";
import { chromium as browserType } from "playwright-core";
import { policy, secrets } from "../workerd/given.mjs";
import { SITE, eventually, startGate } from "../workerd/harness.mjs";
import { handedOut, share } from "../workerd/visitor.mjs";

const FOLDER = "/share/tour/";
const PAGE = `${FOLDER}index.html`;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What the site holds: a page, and what it loads from its own folder. */
const FILES = {
  "index.html": ["text/html", '<!doctype html><html lang="en"><title>The tour</title><link rel="stylesheet" href="style.css"><h1>Welcome</h1><img src="picture.svg" alt=""><a href="next.html">On</a><script src="script.js"></script></html>'],
  "next.html": ["text/html", '<!doctype html><html lang="en"><title>The next page</title><h1>Further</h1></html>'],
  "style.css": ["text/css", "h1 { letter-spacing: 3px }"],
  "picture.svg": ["image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg" width="7" height="5"/>'],
  "script.js": ["text/javascript", "document.documentElement.dataset.ran = 'yes'"],
};

let site, gate, browser, asked;

before(async () => {
  site = await startSite();
  const rules = [
    { path: "/share/*", accept: ["signed-url"], exchange: "cookie" },
    { path: "/public/*", access: "public" },
  ];
  const said = policy(`http://127.0.0.1:${site.address().port}`, { tokens: [{ format: "edgeward" }], rules });
  const options = { durableObjects: { EDGEWARD_LEDGER: { className: "Ledger", useSQLite: true } } };
  gate = await startGate({ policy: said, secrets: secrets(), options });
  const rule = `MAP ${new URL(SITE).host}:443 127.0.0.1:${gate.frontUrl.port}`;
  // Its own args switch off web security, and then nothing here would prove anything.
  const args = ["--no-sandbox", "--no-zygote", "--disable-gpu", `--host-resolver-rules=${rule}`];
  browser = await browserType.launch({ executablePath: await chromium.executablePath(), args });
});

after(async () => {
  await browser?.close();
  await gate?.stop();
  site?.close();
});

/** The site behind the gate; `asked` is what it was asked for. A page below /public/ holds whatever its query says. */
async function startSite() {
  asked = [];
  const server = http.createServer((request, response) => {
    asked.push({ url: request.url, fields: JSON.stringify(request.headers) });
    const { pathname, searchParams } = new URL(request.url, SITE);
    const [type, content] = pathname.startsWith("/public/")
      ? ["text/html", `<!doctype html><html lang="en"><title>Public</title><body>${searchParams.get("html")}</body></html>`]
      : (FILES[pathname.split("/").at(-1)] ?? ["text/plain", "nothing"]);
    response.writeHead(200, { "Content-Type": type }).end(content);
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return server;
}

/** A fresh browser profile; `said` is what it says to the console. */
async function visitor(options, body) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  const said = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  try {
    return await body(page, said);
  } finally {
    await context.close();
  }
}

const cause = (page) => page.locator("html").getAttribute("data-cause");
const counted = (uses) => share(PAGE, { uses, prefix: FOLDER });

/** Presses the button of the page as somebody does who has no mouse. */
async function press(page) {
  const button = page.locator("form button");
  assert.equal(await button.count(), 1, "one button");
  for (let step = 0; step < 8 && !(await button.evaluate((it) => it === document.activeElement)); step += 1) await page.keyboard.press("Tab");
  assert.ok(await button.evaluate((it) => it === document.activeElement), "the keyboard reaches it");
  await Promise.all([page.waitForURL(SITE + PAGE), page.keyboard.press("Enter")]);
}

/** The page of the site is there with all it loads, and nothing in sight says by which link. */
async function isThere(page, scripts) {
  assert.equal(page.url(), SITE + PAGE);
  assert.equal(await page.title(), "The tour");
  if (!scripts) return assert.equal(await page.locator("h1").count(), 1);
  const loaded = await page.evaluate(() => ({
    style: getComputedStyle(document.querySelector("h1")).letterSpacing,
    picture: document.querySelector("img").naturalWidth,
    ran: document.documentElement.dataset.ran,
    referrer: document.referrer,
    cookie: document.cookie,
  }));
  assert.deepEqual({ ...loaded, referrer: "" }, { style: "3px", picture: 7, ran: "yes", referrer: "", cookie: "" });
  return undefined;
}

for (const scripts of [true, false])
  test(`a link for two uses, from the first to the last${scripts ? "" : ", with scripts off"}`, async () => {
    const link = counted(2);
    await visitor({ javaScriptEnabled: scripts }, async (page, said) => {
      for (let use = 1; use <= 2; use += 1) {
        const response = await page.goto(link.url);
        assert.equal(response.status(), 401);
        assert.equal(await cause(page), "token-needs-confirmation");
        await page.reload();
        await press(page);
        await isThere(page, scripts);
        assert.equal((await page.reload()).status(), 200);
        await isThere(page, scripts);
        await page.getByText("On").click();
        await page.waitForURL(`${SITE}${FOLDER}next.html`);
        assert.equal(await page.title(), "The next page");
      }
      await page.goto(link.url);
      assert.equal(await cause(page), "token-spent");
      assert.equal(await page.locator("form").count(), 0);
      assert.equal((await page.goto(SITE + PAGE)).status(), 200, "who has used it, has it");
      const odd = said.filter((line) => !/^Failed to load resource: the server responded with a status of 401 /.test(line));
      assert.deepEqual(odd, [], "nothing is said of policies, mixed content or cookies");
    });
    await visitor({ javaScriptEnabled: scripts }, async (page) => {
      await page.goto(link.url);
      assert.equal(await cause(page), "token-spent", "for everybody else, too");
      assert.equal((await page.goto(SITE + PAGE)).status(), 401);
    });
  });

test("the way back asks again, and takes no use by itself", async () => {
  const link = counted(3);
  await visitor({}, async (page) => {
    await page.goto(link.url);
    await press(page);
    await page.goBack();
    assert.equal(await cause(page), "token-needs-confirmation", "nothing was kept");
    await page.goForward();
    await isThere(page, true);
  });
  await visitor({}, async (page) => {
    for (let use = 2; use <= 3; use += 1) {
      await page.goto(link.url);
      assert.equal(await cause(page), "token-needs-confirmation", "two of three uses are left after that");
      await press(page);
    }
    await page.goto(link.url);
    assert.equal(await cause(page), "token-spent");
  });
});

test("nothing that a browser fetches by itself takes a use, nor can another page", async () => {
  const link = counted(1);
  const html = `<link rel="prefetch" href="${link.url}"><link rel="preload" as="fetch" href="${link.url}"><link rel="prerender" href="${link.url}">
    <script type="speculationrules">{"prefetch":[{"urls":["${link.url}"],"eagerness":"immediate"}],"prerender":[{"urls":["${link.url}"],"eagerness":"immediate"}]}</script>
    <img src="${link.url}" alt=""><iframe src="${link.url}"></iframe><object data="${link.url}"></object>
    <script>fetch("${link.url}").finally(() => { document.title = "fetched" })</script>`;
  await visitor({}, async (page) => {
    const statuses = new Map();
    page.on("response", (it) => it.url() === link.url && statuses.set(it.status(), (statuses.get(it.status()) ?? 0) + 1));
    await page.goto(`${SITE}/public/?html=${encodeURIComponent(html)}`);
    await page.waitForFunction(() => document.title === "fetched");
    await eventually(() => statuses.get(401) >= 4, "four requests");
    await page.waitForTimeout(500); // prefetches have no event of their own
    assert.deepEqual([...statuses.keys()], [401]);
  });
  await visitor({}, async (page) => {
    // A sandboxed frame's form has no origin of this site's.
    const form = `<form method="post" action="${SITE}/.edgeward/link"><input name="token" value="${link.token}"><input name="return_to" value="${PAGE}"></form><script>document.forms[0].submit()</script>`;
    const frame = `<iframe sandbox="allow-forms allow-scripts" srcdoc="${form.replaceAll('"', "&quot;")}"></iframe>`;
    const [answer] = await Promise.all([
      page.waitForResponse((it) => it.url().endsWith("/.edgeward/link")),
      page.goto(`${SITE}/public/?html=${encodeURIComponent(frame)}`),
    ]);
    assert.equal(answer.status(), 403);
  });
  await visitor({}, async (page) => {
    await page.goto(link.url);
    assert.equal(await cause(page), "token-needs-confirmation", "the use is still there");
    await press(page);
    await isThere(page, true);
  });
});

test("a link that counts nothing leads straight there, without its token in sight", async () => {
  const link = share(PAGE, { prefix: FOLDER });
  await visitor({}, async (page) => {
    const response = await page.goto(link.url);
    assert.equal(response.status(), 200);
    await isThere(page, true);
    assert.equal(await page.evaluate(() => document.referrer), "");
    assert.equal(await page.evaluate(() => history.length), 2, "about:blank and the page: the link itself is no stop on the way back");
    const [cookie, ...others] = await page.context().cookies();
    assert.deepEqual(others, []);
    assert.deepEqual([cookie.name, cookie.httpOnly, cookie.secure, cookie.sameSite, cookie.path, cookie.domain], ["__Host-edgeward-link", true, true, "Lax", "/", "acme.example"]);
    assert.ok(cookie.expires <= Date.now() / 1000 + 600);
  });
});

test("the page that asks is accessible, in light and dark", async () => {
  const link = counted(1);
  for (const colorScheme of ["light", "dark"])
    await visitor({ colorScheme, bypassCSP: true, viewport: { width: 320, height: 640 } }, async (page) => {
      await page.goto(link.url);
      await page.addScriptTag({ content: axe });
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      assert.deepEqual(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)]), []);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing to scroll sideways");
    });
});

test("no token, and no cookie of ours, reached the site or the log", async () => {
  const printed = await gate.printed();
  const seen = JSON.stringify(asked);
  assert.ok(asked.length > 20 && handedOut.size >= 5);
  assert.ok(!seen.includes("edgeward-link"), "no cookie");
  const told = JSON.stringify(asked.filter(({ url }) => !url.startsWith("/public/")).map(({ url, fields }) => url + fields.replace(/"referer":"[^"]*\/public\/[^"]*"/, "")));
  for (const token of handedOut) {
    assert.ok(!printed.includes(token), "in the log");
    assert.ok(!told.includes(token), "at the site");
  }
});
