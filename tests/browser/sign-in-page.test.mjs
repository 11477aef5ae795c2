// The pages that people sign in and out on, in a real browser: what `npm run pages` renders, each under its own policy.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import chromium from "@sparticuz/chromium";
import { chromium as browserType } from "playwright-core";
import { render, serve } from "../../scripts/pages.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const RETURN_TO = "/reports/2026/quarterly?view=full";
const MISSING = "acme.credentials-missing.form.html";
const WRONG = "acme.credentials-wrong.form.html";
const CODE = "acme.second-factor-required.form.html";
const RESEND = "acme.credentials-missing.resend.html";

let browser, manifest, site;

before(async () => {
  manifest = await render("en,ar");
  site = await serve(manifest);
  const args = ["--no-sandbox", "--no-zygote", "--disable-gpu"];
  browser = await browserType.launch({ executablePath: await chromium.executablePath(), args });
});

after(async () => {
  await browser?.close();
  site?.stop();
});

const people = () => manifest.filter(({ variant }) => ["form", "code", "resend", "said", "session"].includes(variant));
const unfold = (page) => page.evaluate(() => document.querySelectorAll("details").forEach((it) => (it.open = true)));
const overflow = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
const focused = (page) => page.evaluate(() => document.activeElement.id);

/** Opens a page in a context of its own, which fails the test where a script of the page fails. */
async function visit(file, options, look) {
  const context = await browser.newContext({ reducedMotion: "reduce", ...options });
  try {
    const page = await context.newPage();
    const faults = [];
    page.on("pageerror", (error) => faults.push(String(error)));
    await page.goto(site.base + file);
    const found = await look(page, context);
    assert.deepEqual(faults, [], file);
    return found;
  } finally {
    await context.close();
  }
}

/** Answers what the page asks of the reserved path, one after the other; keeps what was sent. */
async function answering(page, answers) {
  const asked = [];
  await page.route("**/.edgeward/sign-in**", async (route) => {
    const request = route.request();
    asked.push({ method: request.method(), url: request.url(), headers: await request.allHeaders(), form: new URLSearchParams(request.postData() ?? "") });
    const answer = answers.shift();
    if (!answer) return route.abort();
    if (typeof answer === "object") return route.fulfill({ json: answer });
    const [status, file] = answer.split(" ");
    const html = await (await fetch(site.base + file)).text();
    return route.fulfill({ status: Number(status), contentType: "text/html; charset=utf-8", body: html });
  });
  return asked;
}

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing, ${colorScheme}`, { timeout: 300_000 }, async () => {
    const context = await browser.newContext({ colorScheme, reducedMotion: "reduce" });
    const page = await context.newPage();
    for (const { file } of people().filter(({ brand, language }) => brand === "acme" || (brand === "pale" && language === "en"))) {
      await page.goto(site.base + file);
      await unfold(page);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => window.axe.run());
      const told = violations.map((it) => `${it.id}: ${it.nodes.map((node) => node.html).join(" ")}`);
      assert.deepEqual(told, [], file);
    }
    await context.close();
  });
}

test("no sideways scrolling at 320 px, which is 1280 px at 400%, in either direction", async () => {
  for (const height of [640, 256]) {
    const context = await browser.newContext({ viewport: { width: 320, height } });
    const page = await context.newPage();
    for (const { file } of people()) {
      await page.goto(site.base + file);
      await unfold(page);
      assert.equal(await overflow(page), 0, file);
    }
    await context.close();
  }
});

test("fields and buttons are large enough, and one sees where one is", async () => {
  for (const file of [MISSING, WRONG, CODE, "acme.sign-out.said.html", "acme.signed-in.said.html", "ar/" + MISSING]) {
    await visit(file, {}, async (page) => {
      await unfold(page);
      const reachable = page.locator("main :is(input:not([type=hidden]), .button, .show, .check, summary)").filter({ visible: true });
      for (const it of await reachable.all()) {
        const isBox = (await it.getAttribute("type")) === "checkbox"; // its label is what is hit
        const { height } = await it.boundingBox();
        assert.ok(isBox || height >= 44, `${file}: ${await it.evaluate((it) => it.outerHTML)} is ${height} px high`);
        await it.focus();
        await page.keyboard.press("Shift");
        const ring = await it.evaluate((it) => [getComputedStyle(it).outlineStyle, getComputedStyle(it).outlineWidth]);
        if (await it.evaluate((it) => it.matches(":focus-visible"))) assert.deepEqual(ring, ["solid", "2px"], file);
      }
    });
  }
});

test("the first field to fill in has the focus, and the one in error", async () => {
  for (const [file, id] of [[MISSING, "username"], [WRONG, "password"], [CODE, "code"], ["acme.credentials-wrong.code.html", "code"]]) {
    await visit(file, {}, async (page) => assert.equal(await focused(page), id, file));
  }
});

test("signing in by keyboard alone: fields, button, and everything else after it", async () => {
  await visit(MISSING, {}, async (page) => {
    const order = [];
    for (let turn = 0; turn < 9; turn += 1) {
      order.push(await page.evaluate(() => document.activeElement.name || document.activeElement.title || document.activeElement.innerText));
      await page.keyboard.press("Tab");
    }
    assert.deepEqual(order, ["username", "password", "Show password", "remember", "Forgot your password?", "Sign in", "Contact support", "Clear this site’s sign-in data", "What you can try"]);
  });
});

test("what password managers look for", async () => {
  await visit(MISSING, {}, async (page) => {
    const read = (id) => page.locator(`#${id}`).evaluate((it) => [it.name, it.type, it.autocomplete, it.required]);
    assert.deepEqual(await read("username"), ["username", "text", "username", true]);
    assert.deepEqual(await read("password"), ["password", "password", "current-password", true]);
    assert.equal(await page.getByLabel("User name").getAttribute("id"), "username");
    assert.equal(await page.getByLabel("Password", { exact: true }).getAttribute("id"), "password");
  });
  await visit(CODE, {}, async (page) => {
    const code = page.getByLabel("Code", { exact: true });
    assert.deepEqual(await code.evaluate((it) => [it.name, it.inputMode, it.autocomplete, it.minLength]), ["code", "numeric", "one-time-code", 6]);
  });
});

test("an error is said beside its field, with a sign, and belongs to it", async () => {
  await visit(WRONG, {}, async (page) => {
    assert.equal(await page.locator("#username").inputValue(), "ann");
    assert.equal(await page.locator("#password").inputValue(), "");
    const alert = page.getByRole("alert").filter({ visible: true });
    assert.equal(await alert.count(), 1);
    const said = await alert.innerText();
    assert.match(said, /User name or password is not right/);
    const described = await page.locator("#password").evaluate((it) => it.getAttribute("aria-describedby").split(" ").map((id) => document.getElementById(id).textContent).join(""));
    assert.equal(described, said);
    assert.match(await alert.evaluate((it) => getComputedStyle(it, "::before").content), /^"!"/);
    const [field, text] = [await page.locator("#password").boundingBox(), await alert.boundingBox()];
    assert.ok(text.y >= field.y + field.height && text.y < field.y + field.height + 24, "right below it");
  });
});

test("the password can be shown, and is hidden again before it is sent", async () => {
  await visit(MISSING, {}, async (page) => {
    await answering(page, []);
    const type = () => page.locator("#password").getAttribute("type");
    await page.locator("#username").fill("ann");
    await page.locator("#password").fill("correct horse");
    await page.getByRole("button", { name: "Show password" }).click();
    assert.equal(await type(), "text");
    await page.getByRole("button", { name: "Hide password" }).click();
    assert.equal(await type(), "password");
    await page.getByRole("button", { name: "Show password" }).click();
    const at = page.evaluate(() => new Promise((done) => document.querySelector(".ask").addEventListener("submit", () => done(document.querySelector("#password").type))));
    await page.keyboard.press("Tab");
    await page.getByRole("button", { name: "Sign in" }).click({ noWaitAfter: true });
    assert.equal(await at, "password");
  });
});

test("Caps Lock is said while it is on", async () => {
  await visit(MISSING, {}, async (page) => {
    const note = page.getByRole("status");
    const type = (modifierCapsLock) => page.locator("#password").evaluate((it, modifierCapsLock) => it.dispatchEvent(new KeyboardEvent("keydown", { key: "A", modifierCapsLock })), modifierCapsLock);
    assert.equal(await page.locator("#caps").isVisible(), false);
    await page.locator("#password").focus();
    await type(true);
    assert.equal(await note.innerText(), "Caps Lock is on.");
    await type(false);
    assert.equal(await page.locator("#caps").isVisible(), false);
    await type(true);
    await page.locator("#password").blur();
    assert.equal(await page.locator("#caps").isVisible(), false, "nobody types there now");
  });
});

test("what is sent: once, with the fragment that only the browser knows", async () => {
  const press = async (page) => {
    await page.locator("#username").fill("ann");
    await page.locator("#password").fill("a b&c");
    await page.getByLabel("Keep me signed in").check();
    await page.evaluate(() => {
      const button = document.querySelector(".ask .button");
      button.click();
      button.click();
    });
  };
  for (const [javaScriptEnabled, fragment] of [[true, "#figures"], [false, ""]]) {
    await visit(`${MISSING}#figures`, { javaScriptEnabled }, async (page) => {
      const asked = await answering(page, [`401 ${WRONG}`]);
      if (javaScriptEnabled) await press(page);
      else {
        await page.locator("#username").fill("ann");
        await page.locator("#password").fill("a b&c");
        await page.getByLabel("Keep me signed in").check();
        await page.keyboard.press("Enter");
      }
      await page.getByRole("heading", { name: "That did not match" }).waitFor();
      assert.equal(asked.length, 1);
      assert.deepEqual([...asked[0].form], [["return_to", RETURN_TO + fragment], ["username", "ann"], ["password", "a b&c"], ["remember", "1"]]);
      assert.equal(asked[0].headers["content-type"], "application/x-www-form-urlencoded");
    });
  }
});

test("after going back the button is free again", async () => {
  await visit(MISSING, {}, async (page) => {
    await answering(page, [`401 ${WRONG}`, `401 ${WRONG}`]);
    for (let turn = 0; turn < 2; turn += 1) {
      await page.locator("#username").fill("ann");
      await page.locator("#password").fill("x");
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("heading", { name: "That did not match" }).waitFor();
      await page.goBack();
      assert.equal(await page.locator(".ask .button").innerText(), "Sign in");
    }
  });
});

test("the page is whole without scripts", async () => {
  await visit(MISSING, { javaScriptEnabled: false }, async (page) => {
    assert.equal(await page.locator(".show").isVisible(), false, "what needs a script is not there");
    assert.equal(await page.getByRole("button", { name: "Sign in" }).isVisible(), true);
  });
  await visit(CODE, { javaScriptEnabled: false }, async (page) => {
    assert.equal(await page.getByLabel("Recovery code").isVisible(), false);
    await page.getByText("Use a recovery code").click();
    assert.equal(await page.getByLabel("Recovery code").isVisible(), true);
  });
  await visit(RESEND, { javaScriptEnabled: false }, async (page, context) => {
    assert.equal(await page.getByText("Signing in opens a new tab.").isVisible(), true);
    await page.locator("#username").fill("ann");
    await page.locator("#password").fill("x");
    const [tab] = await Promise.all([context.waitForEvent("page"), page.getByRole("button", { name: "Sign in" }).click()]);
    assert.notEqual(tab, page);
    assert.equal(new URL(page.url()).pathname, `/${RESEND}`, "this page is not left");
  });
});

test("what was being sent is not lost: the page signs in without being left, and then reloads", async () => {
  await visit(RESEND, {}, async (page) => {
    const asked = await answering(page, [
      `401 ${WRONG}`,
      "429 acme.too-many-attempts.plain.html",
      { signed_in: false, second_factor: true, return_to: RETURN_TO },
      `401 ${CODE}`,
      "401 acme.credentials-wrong.code.html",
      { signed_in: true, second_factor: false, return_to: RETURN_TO },
    ]);
    const note = page.getByText("What you were sending is not lost.");
    assert.equal(await page.getByText("Signing in opens a new tab.").count(), 0, "a script does it better");
    const sign = async (name, value) => {
      await page.locator(name).fill(value);
      await page.keyboard.press("Enter");
    };
    await page.locator("#username").fill("ann");
    await sign("#password", "wrong");
    await page.getByRole("heading", { name: "That did not match" }).waitFor();
    assert.match(await page.getByRole("alert").filter({ visible: true }).innerText(), /User name or password is not right/);
    assert.equal(await focused(page), "password");
    assert.equal(await page.locator("#username").inputValue(), "ann");
    assert.equal(await page.title(), "That did not match · Acme");
    assert.equal(await note.isVisible(), true);
    assert.equal(await page.getByRole("button", { name: "Show password" }).isVisible(), true, "the new form is as quick as the old one");
    await sign("#password", "wrong");
    await page.getByRole("heading", { name: "Too many tries" }).waitFor();
    assert.match(await page.getByRole("alert").filter({ visible: true }).innerText(), /Wait 40 seconds/);
    await sign("#password", "right");
    await page.getByRole("heading", { name: "One more step" }).waitFor();
    assert.equal(await focused(page), "code");
    assert.equal(await page.getByText("Enter the code that your authenticator app shows.").isVisible(), true);
    await sign("#code", "000000");
    await page.getByRole("heading", { name: "That did not match" }).waitFor();
    assert.equal(await note.isVisible(), true);
    assert.equal(new URL(page.url()).pathname, `/${RESEND}`, "never left");
    await Promise.all([page.waitForRequest((it) => it.isNavigationRequest() && it.url() === site.base + RESEND), sign("#code", "123456")]);
    assert.deepEqual(asked.map(({ method }) => method), ["POST", "POST", "POST", "GET", "POST", "POST"]);
    assert.equal(new URL(asked[3].url).searchParams.get("return_to"), RETURN_TO);
    const posts = asked.filter(({ method }) => method === "POST");
    assert.ok(posts.every(({ form, headers }) => !form.has("tab") && form.get("return_to") === RETURN_TO && headers.accept === "text/html"));
    assert.deepEqual([...posts.at(-1).form.keys()], ["return_to", "code", "recovery"]);
  });
});

test("where no answer comes, the form is sent as without scripts", async () => {
  await visit(RESEND, {}, async (page, context) => {
    await answering(page, []);
    await page.locator("#username").fill("ann");
    await page.locator("#password").fill("x");
    const [tab] = await Promise.all([context.waitForEvent("page"), page.keyboard.press("Enter")]);
    assert.notEqual(tab, page);
  });
});

test("too many tries: it counts down, and the way is free in time", async () => {
  await visit("acme.denied.plain.html", {}, async (page) => {
    await page.clock.install({ time: new Date("2026-11-22T18:30:00Z") });
    await page.goto(`${site.base}acme.too-many-attempts.plain.html`);
    const button = page.locator(".button");
    const text = page.locator("h1 + p");
    assert.equal(await text.innerText(), "Wait 40 seconds, then try again.");
    assert.deepEqual(await button.evaluate((it) => [it.hasAttribute("href"), it.getAttribute("aria-disabled")]), [false, "true"]);
    await page.clock.runFor(15_000);
    assert.equal(await text.innerText(), "Wait 25 seconds, then try again.");
    await page.clock.runFor(24_000);
    assert.equal(await text.innerText(), "Wait 1 second, then try again.");
    await page.clock.runFor(1_500);
    assert.deepEqual(await button.evaluate((it) => [it.hasAttribute("href"), it.getAttribute("aria-disabled")]), [true, null]);
    assert.equal(await text.isVisible(), false);
    assert.equal(await button.evaluate((it) => it === document.activeElement), true, "it is said, and Enter goes on");
  });
  await visit("acme.too-many-attempts.plain.html", { javaScriptEnabled: false }, async (page) => {
    assert.equal(await page.locator(".button").getAttribute("href"), "", "a plain link");
  });
});

test("right to left, everything is mirrored", async () => {
  await visit("ar/" + MISSING, {}, async (page) => {
    const box = (name) => page.locator(name).first().boundingBox();
    const [field, show, check] = [await box("#password"), await box(".show"), await box(".check input")];
    assert.ok(Math.abs(show.x - field.x) < 2, "the button is at the end of the field: left");
    assert.ok(Math.abs(check.x + check.width - field.x - field.width) < 2, "the box is at the start: right");
  });
});

test("forced colours leave edges and signs; paper has no forms", async () => {
  await visit(WRONG, { forcedColors: "active" }, async (page) => {
    const edge = (name) => page.locator(name).evaluate((it) => [getComputedStyle(it).borderTopStyle, getComputedStyle(it).borderTopWidth]);
    for (const name of ["#username", "#password", ".ask .button"]) assert.deepEqual(await edge(name), ["solid", "1px"], name);
    assert.equal(await page.locator(".show svg").evaluate((it) => getComputedStyle(it).stroke !== "none"), true);
  });
  await visit(MISSING, {}, async (page) => {
    await page.emulateMedia({ media: "print" });
    assert.equal(await page.locator(".ask").isVisible(), false);
    assert.equal(await page.getByRole("heading", { level: 1 }).isVisible(), true);
  });
});

test("signing out and clearing ask first, and send what is chosen", async () => {
  for (const [file, button, path, fields] of [
    ["acme.sign-out.said.html", "Sign out", "/.edgeward/sign-out", [["return_to", RETURN_TO], ["everywhere", "1"]]],
    ["acme.clear.said.html", "Clear sign-in data", "/.edgeward/clear", [["return_to", RETURN_TO]]],
  ]) {
    await visit(file, { javaScriptEnabled: false }, async (page) => {
      const everywhere = page.getByLabel("On all my devices");
      if (await everywhere.count()) await everywhere.check();
      const [request] = await Promise.all([page.waitForRequest((it) => it.method() === "POST"), page.getByRole("button", { name: button }).click()]);
      assert.equal(new URL(request.url()).pathname, path);
      assert.deepEqual([...new URLSearchParams(request.postData())], fields);
    });
  }
});
