// A form that was being posted when the session ended: a real browser before the real Worker. What was typed arrives once
// somebody has signed in on the page that came instead, with scripts and without.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import chromium from "@sparticuz/chromium";
import { chromium as browserType } from "playwright-core";
import { PASSWORDS, USERS, policy, secrets } from "../workerd/given.mjs";
import { HOST, SITE, startGate } from "../workerd/harness.mjs";
import { startOrigin } from "../workerd/origin.mjs";
import { RULES } from "../workerd/people.mjs";
import { session } from "../workerd/sessions.mjs";

const LINE = USERS.split("\n").find((line) => line.startsWith("ann:"));
const TYPED = "a letter & more, grün";

let origin, gate, browser;

before(async () => {
  origin = await startOrigin();
  gate = await startGate({ policy: policy(origin, { session: {}, rules: RULES }), secrets: secrets() });
  const args = ["--no-sandbox", "--no-zygote", "--disable-gpu", `--host-resolver-rules=MAP ${HOST}:443 127.0.0.1:${gate.frontUrl.port}`];
  browser = await browserType.launch({ executablePath: await chromium.executablePath(), args });
});

after(async () => {
  await browser?.close();
  await gate?.stop();
  await origin?.stop();
});

/** Somebody whose session has gone unused for too long sends a form of the site's. */
async function sending(options, look) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
  try {
    await origin.forget();
    const began = Math.floor(Date.now() / 1000) - 7200;
    const value = session(LINE, { host: HOST, began });
    await context.addCookies([{ name: "__Host-edgeward", value, url: SITE, httpOnly: true, secure: true, sameSite: "Lax" }]);
    const page = await context.newPage();
    const form = `<form method="post" action="/app/letters?draft=1"><input name="letter" value="${TYPED.replace("&", "&amp;")}"><button>Send</button></form>`;
    await page.route(`${SITE}/public/form`, (route) => route.fulfill({ contentType: "text/html; charset=utf-8", body: form }));
    await page.goto(`${SITE}/public/form`);
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByRole("heading", { name: "You were away for a while" }).waitFor();
    assert.equal(page.url(), `${SITE}/app/letters?draft=1`);
    assert.equal(await origin.count(), 0, "nothing has arrived yet");
    return await look(page, context);
  } finally {
    await context.close();
  }
}

/** What the origin got, once it got something. */
async function arrived() {
  const content = new URLSearchParams({ letter: TYPED }).toString();
  const sha256 = createHash("sha256").update(content).digest("hex");
  const { method, url, body } = await origin.last();
  assert.deepEqual({ method, url, body }, { method: "POST", url: "/app/letters?draft=1", body: { length: content.length, sha256 } });
  assert.equal(await origin.count(), 1, "once");
}

test("with scripts: signed in in place, and sent once more", async () => {
  await sending({}, async (page) => {
    await page.getByLabel("User name").fill("ann");
    await page.getByLabel("Password", { exact: true }).fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "That did not match" }).waitFor();
    await page.getByLabel("Password", { exact: true }).fill(PASSWORDS.ann);
    await page.keyboard.press("Enter");
    await page.getByText("x-edgeward-user").waitFor();
    await arrived();
  });
});

test("without scripts: signed in in another tab, then sent once more by reloading", async () => {
  await sending({ javaScriptEnabled: false }, async (page, context) => {
    await page.getByLabel("User name").fill("ann");
    await page.getByLabel("Password", { exact: true }).fill(PASSWORDS.ann);
    const [tab] = await Promise.all([context.waitForEvent("page"), page.keyboard.press("Enter")]);
    await tab.getByRole("heading", { name: "You are signed in" }).waitFor();
    assert.equal(await tab.getByText("Close this tab, go back to the one before and reload it.").isVisible(), true);
    await tab.close();
    await page.reload();
    await arrived();
  });
});
