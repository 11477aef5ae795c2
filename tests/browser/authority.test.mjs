// Several hosts and one sign-in, in a real browser: redirects across hosts with their cookies, fragments and policies are all
// the browser's own.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import chromium from "@sparticuz/chromium";
import { chromium as browserType } from "playwright-core";
import { PASSWORDS, jwk, keySet, secrets } from "../workerd/given.mjs";
import { startGate } from "../workerd/harness.mjs";
import { startOrigin } from "../workerd/origin.mjs";

const LOGIN = "https://login.example";
const APP = "https://acme.example";
const SHOP = "https://shop.other";
const FORUM = "https://forum.example";
const KEY = Buffer.from("forum-shared-secret-octets-32-..");

let origin, gate, browser;

before(async () => {
  origin = await startOrigin();
  gate = await startGate({
    policy: {
      origin: origin.url,
      tokens: [{ format: "jwt", keys: ["main"] }],
      session: { authority: LOGIN, hosts: [APP, SHOP], discourse: { provider: [{ return: FORUM, key: "forum" }] } },
      rules: [{ path: "/app/*", accept: ["session"] }, { path: "/public/*", access: "public" }, { path: "/session/*", access: "public" }],
    },
    secrets: secrets({
      EDGEWARD_KEYS: JSON.stringify({ keys: [...JSON.parse(keySet("main")).keys, jwk("forum", { alg: "HS256", key: KEY })] }),
    }),
    options: { durableObjects: { EDGEWARD_LEDGER: { className: "Ledger", useSQLite: true } } },
  });
  // The forum is played by what stands behind the gate, where everybody may see it.
  const rules = [LOGIN, APP, SHOP, FORUM].map((site) => `MAP ${new URL(site).host}:443 127.0.0.1:${gate.frontUrl.port}`);
  const args = ["--no-sandbox", "--no-zygote", "--disable-gpu", `--host-resolver-rules=${rules.join(", ")}`];
  browser = await browserType.launch({ executablePath: await chromium.executablePath(), args });
});

after(async () => {
  await browser?.close();
  await gate?.stop();
  await origin?.stop();
});

/** A fresh profile; `said` is what the browser complains of, but for the 401 that a page to sign in is. */
async function visitor(options, body) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
  const said = [];
  const listen = (page) => {
    page.on("console", (message) => /Content Security|Refused|violates/i.test(message.text()) && said.push(message.text()));
    page.on("pageerror", (error) => said.push(String(error)));
  };
  context.on("page", listen);
  try {
    await body(await context.newPage(), context);
    assert.deepEqual(said, []);
  } finally {
    await context.close();
  }
}

async function signIn(page) {
  await page.getByLabel("User name").fill("ann");
  await page.keyboard.press("Tab");
  await page.keyboard.type(PASSWORDS.ann);
  await page.keyboard.press("Enter");
}

const shownTo = async (page) => JSON.parse(await page.locator("body").innerText());

test("a deep link with query and fragment; then another host without a page", () =>
  visitor({}, async (page, context) => {
    await page.goto(`${APP}/app/reports?year=2026#part-2`);
    assert.equal(new URL(page.url()).origin, LOGIN);
    await signIn(page);
    await page.waitForURL(`${APP}/app/reports?year=2026#part-2`);
    assert.ok((await shownTo(page)).rawHeaders.includes("ann"));
    await page.goto(`${SHOP}/app/basket#last`);
    assert.equal(page.url(), `${SHOP}/app/basket#last`);
    const cookies = (await context.cookies()).map(({ name, domain }) => `${domain} ${name}`).sort();
    assert.deepEqual(cookies.filter((it) => it.endsWith(" __Host-edgeward")), ["acme.example", "login.example", "shop.other"].map((host) => `${host} __Host-edgeward`));
    assert.deepEqual(cookies.filter((it) => /away-/.test(it)), [], "no errand is left over");
    // Neither the browser's history nor the origin knows a code.
    await page.goBack();
    assert.equal(page.url(), `${APP}/app/reports?year=2026#part-2`);
    assert.ok((await origin.seen()).every(({ rawHeaders }) => !rawHeaders.some((it) => /code=|state=/.test(it))));
  }));

test("without scripts, and in three tabs at once", () =>
  visitor({ javaScriptEnabled: false }, async (page, context) => {
    const tabs = [page, await context.newPage(), await context.newPage()];
    await Promise.all(tabs.map((tab, n) => tab.goto(`${n === 1 ? SHOP : APP}/app/${n}`)));
    await signIn(tabs[2]);
    await tabs[2].waitForURL(`${APP}/app/2`);
    for (const n of [0, 1]) {
      await tabs[n].reload();
      await tabs[n].waitForURL(`${n === 1 ? SHOP : APP}/app/${n}`);
    }
  }));

test("a form that was being sent: sign in in a new tab, come back, reload", () =>
  visitor({}, async (page, context) => {
    const form = `<form method="post" action="/app/letters"><input name="letter" value="typed"><button>Send</button></form>`;
    await page.route(`${APP}/public/form`, (route) => route.fulfill({ contentType: "text/html; charset=utf-8", body: form }));
    await page.goto(`${APP}/public/form`);
    await page.getByRole("button", { name: "Send" }).click();
    await page.getByText("login.example").first().waitFor();
    assert.equal(page.url(), `${APP}/app/letters`);
    const [tab] = await Promise.all([context.waitForEvent("page"), page.getByRole("link", { name: "Sign in" }).first().click()]);
    await tab.getByLabel("User name").waitFor();
    await signIn(tab);
    await tab.getByRole("heading", { name: "You are signed in" }).waitFor();
    await tab.close();
    await page.reload();
    const { method, body } = await origin.last();
    assert.deepEqual([method, body.length], ["POST", "letter=typed".length]);
  }));

test("a Discourse asks who it is: the form leads there", () =>
  visitor({}, async (page) => {
    const sso = Buffer.from(`nonce=abc&return_sso_url=${encodeURIComponent(`${FORUM}/session/sso_login`)}`).toString("base64");
    const sig = createHmac("sha256", KEY).update(sso).digest("hex");
    await page.goto(`${LOGIN}/.edgeward/authority/discourse?${new URLSearchParams({ sso, sig })}`);
    await signIn(page);
    await page.waitForURL((url) => url.origin === FORUM);
    const answer = new URL(page.url()).searchParams;
    assert.equal(answer.get("sig"), createHmac("sha256", KEY).update(answer.get("sso")).digest("hex"));
    assert.equal(new URLSearchParams(Buffer.from(answer.get("sso"), "base64").toString()).get("external_id"), "ann");
  }));
