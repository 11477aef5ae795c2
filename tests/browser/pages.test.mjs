// Every page that a visitor can meet, in a real browser. Takes what `cargo run --example gallery` renders.
// Screenshots for the eye are written to target/screenshots/.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import chromium from "@sparticuz/chromium";
import { chromium as browserType } from "playwright-core";
import { render, serve } from "../../scripts/pages.mjs";
import { eventually } from "../workerd/harness.mjs";

const MOST_BYTES = 14_000;
const WIDTHS = [320, 768, 1440];
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const pictures = fileURLToPath(new URL("../../target/screenshots/", import.meta.url));

let browser, manifest, site;

before(async () => {
  manifest = await render();
  site = await serve(manifest);
  mkdirSync(pictures, { recursive: true });
  // Its own args switch off web security, and then nothing here would prove anything.
  const args = ["--no-sandbox", "--no-zygote", "--disable-gpu"];
  browser = await browserType.launch({ executablePath: await chromium.executablePath(), args });
});

after(async () => {
  await browser?.close();
  site?.stop();
});

const files = (pattern) => manifest.map(({ file }) => file).filter((file) => pattern.test(file));

/** Opens a page with every fold open or as it is; closes its context afterwards. */
async function visit(file, { open = false, ...options }, look) {
  const context = await browser.newContext({ reducedMotion: "reduce", ...options });
  try {
    const page = await context.newPage();
    await page.goto(site.base + file);
    if (open) await unfold(page);
    return await look(page);
  } finally {
    await context.close();
  }
}

const unfold = (page) => page.evaluate(() => document.querySelectorAll("details").forEach((it) => (it.open = true)));
const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

test("no page says anything to the console, asks for anything else, or is large", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const said = [];
  const asked = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(String(error)));
  page.on("request", (request) => asked.push(request.url()));
  assert.ok(manifest.length >= 3 * 120, "every brand, cause and variant is there");
  for (const { file } of manifest) {
    asked.length = 0;
    const response = await page.goto(site.base + file);
    const size = (await response.body()).length;
    assert.ok(size < MOST_BYTES, `${file}: ${size} bytes`);
    const elsewhere = asked.filter((url) => url !== site.base + file && !url.startsWith("data:"));
    assert.deepEqual(elsewhere, [], file);
    assert.deepEqual(said, [], file);
    assert.equal(await page.evaluate(() => document.styleSheets.length), 1, `${file}: the style is applied`);
  }
  await context.close();
});

// Light: all that Acme says. Dark, and other colours: the page's parts in every arrangement.
const arrangements = /^(acme|pale|bare)\.(credentials-missing|token-expired|token-needs-confirmation|not-configured)\.(plain|prompt|problem)/;
for (const [scheme, pattern] of [["light", /^acme\./], ["dark", arrangements], ["light", /^pale\.credentials/]]) {
  test(`axe finds nothing, ${scheme}, ${pattern.source}`, { timeout: 300_000 }, async () => {
    const context = await browser.newContext({ colorScheme: scheme, reducedMotion: "reduce" });
    const page = await context.newPage();
    for (const file of files(pattern)) {
      await page.goto(site.base + file);
      await unfold(page);
      await page.evaluate(axe);
      const { violations, passes } = await page.evaluate(() => window.axe.run());
      const told = violations.map((it) => `${it.id}: ${it.nodes.map((node) => node.html).join(" ")}`);
      assert.deepEqual(told, [], file);
      assert.ok(passes.some((it) => it.id === "color-contrast"), `${file}: contrast was looked at`);
    }
    await context.close();
  });
}

test("landmarks and headings", async () => {
  for (const file of files(/^acme\..*\.(plain|problem)\.html/)) {
    await visit(file, {}, async (page) => {
      for (const role of ["banner", "main", "contentinfo"]) {
        assert.equal(await page.getByRole(role).count(), 1, `${file}: ${role}`);
      }
      assert.equal(await page.getByRole("heading", { level: 1 }).count(), 1, file);
      assert.equal(await page.title(), `${await page.locator("h1").innerText()} · Acme`, file);
    });
  }
});

test("no sideways scrolling at 320 px, whatever is unfolded, in either direction", async () => {
  const context = await browser.newContext({ viewport: { width: 320, height: 640 } });
  const page = await context.newPage();
  for (const { file } of manifest) {
    await page.goto(site.base + file);
    await unfold(page);
    assert.equal(await overflow(page), 0, file);
  }
  await page.evaluate(() => (document.documentElement.dir = "rtl"));
  assert.equal(await overflow(page), 0, "rtl");
  await context.close();
});

test("text can be spaced out (WCAG 1.4.12) and doubled", async () => {
  await visit("pale.credentials-wrong.plain.html", { open: true, viewport: { width: 320, height: 640 } }, async (page) => {
    await page.evaluate(() => {
      for (const it of document.querySelectorAll("*")) {
        it.style.setProperty("letter-spacing", ".12em", "important");
        it.style.setProperty("word-spacing", ".16em", "important");
        it.style.setProperty("line-height", "1.5", "important");
      }
      document.documentElement.style.fontSize = "200%";
    });
    assert.equal(await overflow(page), 0);
  });
});

test("what is to be hit is large enough", async () => {
  await visit("acme.credentials-missing.prompt.html", {}, async (page) => {
    const height = async (selector) => (await page.locator(selector).first().boundingBox()).height;
    assert.ok((await height(".button")) >= 44);
    assert.ok((await height("summary")) >= 44);
    assert.ok((await height(".links a")) >= 24);
  });
});

test("the keyboard reaches everything in order, and one sees where one is", async () => {
  await visit("acme.credentials-missing.prompt.html", {}, async (page) => {
    const order = [];
    for (let turn = 0; turn < 5; turn += 1) {
      await page.keyboard.press("Tab");
      order.push(
        await page.evaluate(() => {
          const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
          return `${document.activeElement.innerText} ${outlineStyle} ${outlineWidth}`;
        }),
      );
    }
    const names = ["Sign in", "Forgot your password?", "Contact support", "What you can try", "For whoever helps you"];
    assert.deepEqual(order, names.map((name) => `${name} solid 2px`));
    await page.keyboard.press("Enter");
    assert.ok(await page.getByText("8f2b6c1d9e0a4f37-FRA").isVisible(), "a fold opens by Enter");
  });
});

test("one click selects the reference, the whole of it and nothing else", async () => {
  for (const file of ["acme.token-expired.plain.html", "bare.internal.plain.html"]) {
    await visit(file, { open: true }, async (page) => {
      await page.locator(".reference").click();
      assert.equal(await page.evaluate(() => String(getSelection())), "8f2b6c1d9e0a4f37-FRA");
    });
  }
});

test("the page is whole without scripts", async () => {
  await visit("acme.token-expired.plain.html", { javaScriptEnabled: false }, async (page) => {
    const reference = page.getByText("8f2b6c1d9e0a4f37-FRA");
    assert.equal(await reference.isVisible(), false);
    await page.getByText("For whoever helps you").click();
    assert.equal(await reference.isVisible(), true);
    assert.equal(await page.getByText("What you can try").isVisible(), true);
  });
});

test("trying again asks for the same address, front page for the front page", async () => {
  await visit("acme.internal.plain.html?a=b", {}, async (page) => {
    const [request] = await Promise.all([page.waitForRequest(() => true), page.getByText("Try again", { exact: true }).click()]);
    assert.equal(request.url(), `${site.base}acme.internal.plain.html?a=b`);
    assert.equal(request.method(), "GET");
  });
  await visit("acme.denied.plain.html", {}, async (page) => {
    assert.equal(await page.locator(".button").evaluate((it) => it.href), site.base);
  });
});

/** The form as the browser sends it when the button is pressed with this key or by a click. */
async function sent(page, press) {
  const [request] = await Promise.all([page.waitForRequest((it) => it.method() === "POST"), press(page)]);
  return { url: request.url(), type: request.headers()["content-type"], fields: [...new URLSearchParams(request.postData())] };
}

test("a link that counts is opened by its one button, with and without scripts, by click and by key", async () => {
  const wanted = {
    url: "/.edgeward/link",
    type: "application/x-www-form-urlencoded",
    fields: [
      ["token", "QAAAcj2mB8c1fKp0kS7vZmlnaHRvZmNvdW50ZWRsaW5rcw"],
      ["return_to", "/reports/2026?view=full&note=\"><script>document.title='owned'</script>&percent=%26+%C3%A9"],
    ],
  };
  const file = "acme.token-needs-confirmation.plain.html";
  const click = (page) => page.getByRole("button", { name: "Open", exact: true }).click();
  const key = async (page) => {
    await page.keyboard.press("Tab");
    const { outlineStyle, outlineWidth } = await page.evaluate(() => getComputedStyle(document.activeElement));
    assert.deepEqual([outlineStyle, outlineWidth], ["solid", "2px"], "the button is first, and one sees it");
    await page.keyboard.press("Enter");
  };
  for (const [javaScriptEnabled, press] of [[true, click], [false, click], [true, key]]) {
    await visit(file, { javaScriptEnabled }, async (page) => {
      assert.equal(await page.title(), "Open this link · Acme", "no script of the address ran");
      const { url, fields, ...rest } = await sent(page, press);
      const [mark, ...others] = fields.toReversed();
      assert.deepEqual({ url: url.slice(site.base.length - 1), fields: others.toReversed(), ...rest }, wanted);
      assert.equal(mark[0], "form");
      assert.match(mark[1], /^[0-9a-f]{16}(-[A-Z]{3})?$/, "the reference marks the form");
    });
  }
});

test("the button that opens a link looks like the one that leads somewhere", async () => {
  const looks = (file) =>
    visit(file, {}, async (page) => {
      const button = page.locator(".button");
      assert.equal(await button.count(), 1, file);
      const { x, width, height } = await button.boundingBox();
      const style = await button.evaluate((it) => {
        const { font, color, backgroundColor, borderRadius } = getComputedStyle(it);
        return { font, color, backgroundColor, borderRadius };
      });
      return { x, width, height, ...style };
    });
  const [form, link] = [await looks("acme.token-needs-confirmation.plain.html"), await looks("acme.denied.plain.html")];
  assert.deepEqual(form, link);
  assert.ok(form.height >= 44);
});

test("whoever was not asked can ask for the page once more", async () => {
  await visit("acme.token-needs-confirmation.unasked.html?ew=abc", {}, async (page) => {
    assert.equal(await page.getByRole("main").getByRole("button").count(), 0);
    const again = page.getByText("Try again", { exact: true });
    const [request] = await Promise.all([page.waitForRequest(() => true), again.click()]);
    assert.equal(request.url(), `${site.base}acme.token-needs-confirmation.unasked.html?ew=abc`);
    assert.deepEqual([request.method(), request.isNavigationRequest()], ["GET", true]);
  });
});

test("moments are machine-readable", async () => {
  await visit("acme.token-expired.plain.html", {}, async (page) => {
    const time = page.locator("h1 + p time");
    assert.equal(await time.innerText(), "3 minutes ago");
    assert.equal(await time.getAttribute("datetime"), "2026-11-22T18:26:55Z");
    assert.equal(await time.getAttribute("title"), "22 November 2026, 18:26 UTC");
  });
});

test("right to left, the page is mirrored and codes are not", async () => {
  await visit("acme.token-expired.plain.html", { open: true }, async (page) => {
    await page.evaluate(() => (document.documentElement.dir = "rtl"));
    const left = async (selector) => (await page.locator(selector).first().boundingBox()).x;
    assert.ok((await left(".monogram")) > (await left("header bdi")));
    assert.ok((await left("dt")) > (await left("dd")));
    assert.equal(await page.locator(".reference").evaluate((it) => getComputedStyle(it).direction), "ltr");
  });
});

test("forced colours keep the button's edge; motion stops where it is not wanted", async () => {
  await visit("acme.denied.plain.html", { forcedColors: "active" }, async (page) => {
    const edge = await page.locator(".button").evaluate((it) => {
      const style = getComputedStyle(it);
      return [style.borderTopStyle, style.borderTopColor !== style.backgroundColor];
    });
    assert.deepEqual(edge, ["solid", true]);
    await page.screenshot({ path: `${pictures}forced-colors.png` });
  });
  for (const [reducedMotion, wanted] of [["reduce", "0s"], ["no-preference", "0.15s"]]) {
    await visit("acme.denied.plain.html", { reducedMotion }, async (page) => {
      const duration = (it) => getComputedStyle(it, "::after").transitionDuration;
      assert.equal(await page.locator("summary").first().evaluate(duration), wanted, reducedMotion);
    });
  }
});

test("on paper the folds are open and the button is gone", async () => {
  await visit("acme.token-expired.plain.html", { colorScheme: "dark" }, async (page) => {
    await page.emulateMedia({ media: "print" });
    assert.equal(await page.locator(".button").isVisible(), false);
    assert.ok((await page.locator("dl").boundingBox()).height > 50);
    for (const paper of ["body", ".card"]) {
      const color = await page.locator(paper).evaluate((it) => getComputedStyle(it).backgroundColor);
      assert.equal(color, "rgb(255, 255, 255)", paper);
    }
    await page.screenshot({ path: `${pictures}print.png`, fullPage: true });
  });
});

test("the policy holds: a script or style that got in does nothing", async () => {
  const evil = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"><style>h1{color:red}</style></main>";
  const open = await serve(manifest, { change: (html) => html.replace("</main>", evil) });
  const context = await browser.newContext();
  const page = await context.newPage();
  const said = [];
  page.on("console", (message) => said.push(message.text()));
  await page.goto(`${open.base}acme.denied.plain.html`);
  const words = () => said.filter((it) => it.includes("Content Security Policy"));
  await eventually(() => words().length >= 3, "three words of the policy");
  await page.waitForTimeout(200);
  assert.equal(await page.title(), "This page is closed · Acme");
  assert.notEqual(await page.locator("h1").evaluate((it) => getComputedStyle(it).color), "rgb(255, 0, 0)");
  await context.close();
  open.stop();
});

test("screenshots", { timeout: 300_000 }, async () => {
  const shown = files(/^(acme|bare|pale)\.(credentials-(missing|wrong)|token-(expired|spent|needs-confirmation)|not-allowed|not-configured)\.(plain|prompt|unasked)|^acme\.token-malformed\.problem/);
  for (const file of shown) {
    for (const width of WIDTHS) {
      for (const colorScheme of ["light", "dark"]) {
        const options = { open: width === 320, colorScheme, viewport: { width, height: width === 320 ? 640 : 900 } };
        const path = `${pictures}${file.replace(".html", "")}.${width}.${colorScheme}.png`;
        await visit(file, options, (page) => page.screenshot({ path, fullPage: true }));
      }
    }
  }
});
