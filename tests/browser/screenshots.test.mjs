// The main pages look as they did: compared, sign by sign, with the pictures in tests/browser/screenshots/. Text is set in the
// font that comes with Chromium, whatever the machine has, so a picture taken anywhere is the same. After a change that is
// meant: `UPDATE_SCREENSHOTS=1 node --test tests/browser/screenshots.test.mjs`, then look at what git shows.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import chromium from "@sparticuz/chromium";
import pixelmatch from "pixelmatch";
import { chromium as browserType } from "playwright-core";
import { PNG } from "pngjs";
import { render, serve } from "../../scripts/pages.mjs";
import { ROOT } from "../workerd/harness.mjs";

const KEPT = join(ROOT, "tests/browser/screenshots");
const FOUND = join(ROOT, "target/screenshots-compared");
const UPDATE = process.env.UPDATE_SCREENSHOTS === "1";
const MOST_BYTES = 400_000;

// What may differ: how an edge is smoothed, which pixelmatch knows, and a few pixels. A letter has more.
const THRESHOLD = 0.02;
const MOST_PIXELS = 12;

const FORM = "acme.credentials-missing.form.html";
const SHOTS = {
  "sign-in": [FORM],
  "sign-in-dark": [FORM, { colorScheme: "dark" }],
  "sign-in-320": [FORM, { viewport: { width: 320, height: 640 } }],
  "sign-in-forced-colors": [FORM, { forcedColors: "active" }],
  // The font has no Arabic letters and leaves their room: this is about what is mirrored.
  "sign-in-arabic": [`ar/${FORM}`],
  "wrong-password": ["acme.credentials-wrong.form.html"],
  code: ["acme.second-factor-required.form.html"],
  idle: ["acme.session-idle.form.html"],
  "signed-out": ["acme.signed-out.said.html"],
  "expired-link": ["acme.token-expired.plain.html"],
  "too-many-attempts": ["acme.too-many-attempts.plain.html"],
  "not-allowed": ["acme.not-allowed.plain.html"],
  "origin-down": ["acme.origin-unreachable.plain.html"],
};

let browser, manifest, site, fonts;

before(async () => {
  manifest = await render("en,ar");
  site = await serve(manifest);
  const executablePath = await chromium.executablePath();
  fonts = bundledFonts();
  const args = ["--no-sandbox", "--no-zygote", "--disable-gpu", "--disable-lcd-text", "--font-render-hinting=none", "--force-color-profile=srgb"];
  browser = await browserType.launch({ executablePath, args, env: { ...process.env, FONTCONFIG_FILE: join(fonts, "fonts.conf") } });
  for (const folder of [KEPT, FOUND]) mkdirSync(folder, { recursive: true });
});

after(async () => {
  await browser?.close();
  site?.stop();
  if (fonts) rmSync(fonts, { recursive: true, force: true });
});

/** A folder whose fonts.conf knows the font that Chromium brought with it and no other. */
function bundledFonts() {
  const brought = join(tmpdir(), "fonts");
  assert.ok(existsSync(brought), `@sparticuz/chromium put no fonts into ${brought}: remove ${join(tmpdir(), "chromium")}, then it does`);
  const folder = mkdtempSync(join(tmpdir(), "edgeward-fonts-"));
  const config = `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${brought}</dir><cachedir>${join(folder, "cache")}</cachedir></fontconfig>`;
  writeFileSync(join(folder, "fonts.conf"), config);
  return folder;
}

/** Opens a page of the gallery as it is at one moment: nothing moves, nothing counts down. */
async function open(file, options, look) {
  const context = await browser.newContext({
    viewport: { width: 760, height: 900 },
    deviceScaleFactor: 1,
    reducedMotion: "reduce",
    locale: "en-GB",
    timezoneId: "UTC",
    ...options,
  });
  try {
    const page = await context.newPage();
    await page.clock.setFixedTime(new Date("2026-11-22T18:30:00Z"));
    await page.goto(site.base + file);
    return await look(page);
  } finally {
    await context.close();
  }
}

const picture = ([file, options]) =>
  open(file, options, async (page) => {
    // Forced colours show the caret, which blinks, whatever the picture asks for.
    if (options?.forcedColors) await page.evaluate(() => document.activeElement.blur());
    return page.locator(".card").screenshot({ animations: "disabled" });
  });

test("text is set in the font that comes with the browser", async () => {
  await open(FORM, {}, async (page) => {
    const client = await page.context().newCDPSession(page);
    await client.send("DOM.enable");
    await client.send("CSS.enable");
    const { root } = await client.send("DOM.getDocument");
    for (const selector of ["h1", "label", ".button"]) {
      const { nodeId } = await client.send("DOM.querySelector", { nodeId: root.nodeId, selector });
      const { fonts } = await client.send("CSS.getPlatformFontsForNode", { nodeId });
      assert.deepEqual(fonts.map((it) => it.familyName), ["Open Sans"], selector);
    }
  });
});

for (const [name, shot] of Object.entries(SHOTS)) {
  test(`as it was: ${name}`, { timeout: 120_000 }, async () => {
    const [taken, kept] = [await picture(shot), join(KEPT, `${name}.png`)];
    if (UPDATE) return updated(kept, taken);
    assert.ok(existsSync(kept), `there is no ${kept}: take it with UPDATE_SCREENSHOTS=1`);
    compared(name, PNG.sync.read(taken), PNG.sync.read(readFileSync(kept)));
  });
}

/** What looks the same stays, octet for octet: git shows only what changed. */
function updated(kept, taken) {
  const same = existsSync(kept) && difference(PNG.sync.read(taken), PNG.sync.read(readFileSync(kept))).pixels <= MOST_PIXELS;
  if (!same) writeFileSync(kept, taken);
}

function compared(name, taken, kept) {
  const { pixels, diff } = difference(taken, kept);
  if (pixels <= MOST_PIXELS) return;
  const files = { taken, ...(diff && { diff }) };
  const written = Object.entries(files).map(([what, image]) => {
    const file = join(FOUND, `${name}.${what}.png`);
    writeFileSync(file, PNG.sync.write(image));
    return file;
  });
  const how = diff ? `${pixels} pixels differ` : `it is ${sizeOf(taken)}, not ${sizeOf(kept)}`;
  assert.fail(`${name} looks otherwise: ${how}; see ${written.join(" and ")}. If that is meant: UPDATE_SCREENSHOTS=1`);
}

const sizeOf = ({ width, height }) => `${width} × ${height}`;

/** How many pixels differ, and where. */
function difference(taken, kept) {
  if (sizeOf(taken) !== sizeOf(kept)) return { pixels: Infinity };
  const diff = new PNG({ width: kept.width, height: kept.height });
  const pixels = pixelmatch(kept.data, taken.data, diff.data, kept.width, kept.height, { threshold: THRESHOLD });
  return { pixels, diff };
}

test("a changed letter, a moved edge and another shade are seen; the same page is the same", async () => {
  const shown = (change) => open(FORM, {}, async (page) => {
    await page.evaluate(change);
    return PNG.sync.read(await page.locator(".card").screenshot({ animations: "disabled" }));
  });
  const before = await shown(() => {});
  const seen = async (change) => difference(await shown(change), before).pixels;
  assert.equal(await seen(() => {}), 0, "the same twice");
  assert.ok((await seen(() => (document.querySelector("h1").textContent = "Sign in to continua"))) > MOST_PIXELS, "a letter");
  assert.ok((await seen(() => (document.querySelector(".button").style.marginTop = "1px"))) > MOST_PIXELS, "a pixel");
  assert.ok((await seen(() => (document.querySelector(".button").style.background = "#0b5fe0"))) > MOST_PIXELS, "a shade of the brand's colour");
});

test("every picture is one of these pages, and all of them are small", () => {
  const files = readdirSync(KEPT);
  assert.deepEqual(files.sort(), Object.keys(SHOTS).map((name) => `${name}.png`).sort());
  const bytes = files.reduce((sum, file) => sum + statSync(join(KEPT, file)).size, 0);
  assert.ok(bytes < MOST_BYTES, `${bytes} bytes`);
});
