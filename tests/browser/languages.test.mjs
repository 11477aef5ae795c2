// Every page in every language, in a real browser: nothing overflows, nothing complains, and axe finds nothing. Takes what
// `cargo run --example gallery` renders. Then the switch on the page, against the built Worker in workerd.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import chromium from "@sparticuz/chromium";
import { chromium as browserType } from "playwright-core";
import { render, serve } from "../../scripts/pages.mjs";
import { ROOT, startGate } from "../workerd/harness.mjs";
import { policy, secrets } from "../workerd/given.mjs";

const LOCALES = join(ROOT, "www/.edgeward/locales");
const WORDS = Object.fromEntries(
  readdirSync(LOCALES).map((file) => [file.slice(0, -".json".length), JSON.parse(readFileSync(join(LOCALES, file)))]),
);
const TAGS = Object.keys(WORDS).sort();
const MOST_BYTES = 14 * 1024;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
// Of the pages of a language axe looks at every seventh, each language beginning at another: every page is looked at in
// two or three languages. All of all would take a quarter of an hour: EDGEWARD_AXE=all.
const EVERY = process.env.EDGEWARD_AXE === "all" ? 1 : 7;

let browser, manifest, site;

before(async () => {
  const all = await render("all");
  manifest = all.filter(({ brand }) => brand === "acme");
  site = await serve(all);
  const args = ["--no-sandbox", "--no-zygote", "--disable-gpu"];
  browser = await browserType.launch({ executablePath: await chromium.executablePath(), args });
});

after(async () => {
  await browser?.close();
  site?.stop();
});

const pagesIn = (tag) => manifest.filter(({ language, variant }) => language === tag && variant !== "problem");
const unfold = (page) => page.evaluate(() => document.querySelectorAll("details").forEach((it) => (it.open = true)));

test("every language has every page", () => {
  const english = pagesIn("en").map(({ page, variant }) => `${page}.${variant}`);
  assert.ok(english.length >= 60, `${english.length} pages`);
  for (const tag of TAGS) assert.deepEqual(pagesIn(tag).map(({ page, variant }) => `${page}.${variant}`), english, tag);
});

for (const tag of TAGS) {
  test(`${tag}: at 320 px nothing is cut off, and nothing is said to the console`, { timeout: 300_000 }, async () => {
    const context = await browser.newContext({ viewport: { width: 320, height: 640 }, reducedMotion: "reduce" });
    const page = await context.newPage();
    const said = [];
    page.on("console", (message) => said.push(message.text()));
    page.on("pageerror", (error) => said.push(String(error)));
    for (const { file } of pagesIn(tag)) {
      const size = (await (await page.goto(site.base + file)).body()).length;
      assert.ok(size <= MOST_BYTES, `${file}: ${size} bytes`);
      await unfold(page);
      const { over, lang, dir, mirrored } = await page.evaluate(() => {
        const { lang, dir, scrollWidth, clientWidth } = document.documentElement;
        const mark = document.querySelector("header > *").getBoundingClientRect();
        return { over: scrollWidth - clientWidth, lang, dir, mirrored: mark.left > clientWidth / 2 };
      });
      assert.equal(over, 0, `${file}: sideways`);
      assert.deepEqual({ lang, dir }, { lang: tag, dir: WORDS[tag].language.dir }, file);
      assert.equal(mirrored, dir === "rtl", `${file}: the mark stands where lines begin`);
    }
    assert.deepEqual(said, []);
    await context.close();
  });

  test(`${tag}: axe finds nothing`, { timeout: 600_000 }, async () => {
    const begin = TAGS.indexOf(tag) % EVERY;
    const scheme = TAGS.indexOf(tag) % 2 ? "dark" : "light";
    const context = await browser.newContext({ colorScheme: scheme, reducedMotion: "reduce" });
    const page = await context.newPage();
    for (const { file } of pagesIn(tag).filter((_, at) => at % EVERY === begin)) {
      await page.goto(site.base + file);
      await unfold(page);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run());
      assert.deepEqual(violations.map((it) => `${it.id}: ${it.nodes.map((node) => node.html).join(" ")}`), [], file);
    }
    await context.close();
  });
}

test("the switch: by keyboard, without scripts, and remembered", async (t) => {
  const ASSETS = (request) => {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith("/.edgeward/locales/")) return new Response("", { status: 404 });
    return new Response(readFileSync(join(ROOT, "www", pathname)));
  };
  const gate = await startGate({ policy: policy("http://127.0.0.1:9"), secrets: secrets(), options: { serviceBindings: { ASSETS } } });
  const context = await browser.newContext({ ignoreHTTPSErrors: true, javaScriptEnabled: false, locale: "en-GB" });
  try {
    const page = await context.newPage();
    const address = `${gate.frontUrl.origin}/reports?year=2026&x=%22`;
    const spoken = () => page.locator("html").getAttribute("lang");
    await page.goto(address);
    assert.equal(await spoken(), "en");
    const list = page.getByRole("combobox", { name: "Language" });
    assert.deepEqual((await list.locator("option").allInnerTexts()).sort(), TAGS.map((tag) => WORDS[tag].language.name).sort());

    await t.test("a choice shows the page once more", async () => {
      await list.selectOption("ar");
      await list.press("Tab");
      await page.keyboard.press("Enter");
      // The address is the same before and after.
      await page.locator("html[lang=ar]").waitFor({ state: "attached" });
      assert.equal(page.url(), address);
      assert.equal(await page.locator("html").getAttribute("dir"), "rtl");
      assert.equal(await page.locator("select[name=language]").inputValue(), "ar");
    });
    await t.test("and the next one", async () => {
      await page.goto(`${gate.frontUrl.origin}/denied/x`);
      assert.equal(await spoken(), "ar");
      assert.equal(await page.locator("h1").innerText(), WORDS.ar.pages.denied.plain.headline);
    });
    await t.test("the cookie is not for scripts", async () => {
      const [cookie] = await context.cookies();
      assert.deepEqual(
        [cookie.name, cookie.value, cookie.httpOnly, cookie.secure, cookie.sameSite, cookie.path],
        ["__Host-edgeward-lang", "ar", true, true, "Lax", "/"],
      );
    });
  } finally {
    await context.close();
    await gate.stop();
  }
});
