// The second factor as people meet it: Chromium before the real Worker with a real ledger. Codes and recovery codes are made
// without the product's help.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PASSWORDS, policy, secrets } from "../workerd/given.mjs";
import { SITE, startGate } from "../workerd/harness.mjs";
import { RULES, SESSION } from "../workerd/people.mjs";
import { code, factor, recoveryCodes, wrongCode } from "../workerd/totp.mjs";
import { arrived, causeOf, cookie, focused, heading, launch, signIn, startSite, visit } from "./site.mjs";

const DEEP = `${SITE}/app/reports?view=full#part-2`;
const FACTORS = { ann: factor("ann"), bob: factor("bob", { hash: "sha256", digits: 8 }), cafe: factor("cafe") };

let site, gate, browser;

before(async () => {
  site = await startSite();
  gate = await startGate({
    policy: policy(site, { session: {}, rules: RULES }),
    secrets: secrets({ EDGEWARD_TOTP: Object.values(FACTORS).map(({ line }) => line).join("\n") }),
    options: { durableObjects: { EDGEWARD_LEDGER: { className: "Ledger", useSQLite: true } } },
  });
  browser = await launch({ [SITE]: gate });
});

after(async () => {
  await browser?.close();
  await gate?.stop();
  site?.stop();
});

const codeField = (page) => page.getByLabel("Code", { exact: true });
const recoveryField = (page) => page.getByLabel("Recovery code");

/** The password was right: the page that asks for the code is shown, at the very address. */
const halfway = (user, options, body, address = DEEP) =>
  visit(browser, options, async (page, context) => {
    site.asked.length = 0;
    await page.goto(address);
    await signIn(page, user, PASSWORDS[user]);
    await heading(page, "One more step").waitFor();
    assert.equal(await causeOf(page), "second-factor-required");
    assert.deepEqual(site.asked, [], "the password alone opens nothing");
    return body(page, context);
  });

async function send(field, value) {
  await field.fill(value);
  await field.press("Enter");
}

async function refused(page, name) {
  await heading(page, "That did not match").waitFor();
  const alert = page.getByRole("alert").filter({ visible: true });
  assert.match(await alert.innerText(), /The code is not right, or was used already\./);
  assert.equal(await focused(page), name);
}

test("password, a wrong code, the right one: at the exact address, with another cookie; and good once", async () => {
  let used;
  await halfway("ann", {}, async (page, context) => {
    assert.equal(page.url(), DEEP);
    assert.equal(await focused(page), "code", "one can type at once");
    assert.deepEqual(
      await codeField(page).evaluate((it) => [it.name, it.autocomplete, it.inputMode]),
      ["code", "one-time-code", "numeric"],
    );
    const half = (await cookie(context, SESSION)).value;
    await send(codeField(page), wrongCode(FACTORS.ann));
    await refused(page, "code");
    used = code(FACTORS.ann);
    await send(codeField(page), used);
    await arrived(page, DEEP);
    assert.notEqual((await cookie(context, SESSION)).value, half);
  });
  await halfway("ann", {}, async (page) => {
    await send(codeField(page), used);
    await refused(page, "code");
    assert.deepEqual(site.asked, []);
  });
});

test("a recovery code, found by keyboard alone, in small letters without its dash; and good once", async () => {
  const [recovery, other] = recoveryCodes(FACTORS.bob);
  await halfway("bob", {}, async (page) => {
    const way = page.getByText("Use a recovery code");
    for (let turn = 0; !(await way.evaluate((it) => it.contains(document.activeElement) || document.activeElement.contains(it))) || turn === 0; turn += 1) {
      assert.ok(turn < 20, "Tab reaches it");
      await page.keyboard.press("Tab");
    }
    await page.keyboard.press("Enter");
    await recoveryField(page).waitFor();
    await send(recoveryField(page), recovery.toLowerCase().replace("-", " "));
    await arrived(page, DEEP, "bob");
  });
  // The same again, and another, where no script runs.
  await halfway("bob", { javaScriptEnabled: false }, async (page) => {
    const open = async () => {
      if (!(await recoveryField(page).isVisible())) await page.getByText("Use a recovery code").click();
    };
    await open();
    await send(recoveryField(page), recovery);
    await heading(page, "That did not match").waitFor();
    assert.deepEqual(site.asked, []);
    await open();
    await send(recoveryField(page), other);
    await arrived(page, DEEP.split("#")[0], "bob");
  });
});

test("five wrong codes, then even the right one waits: the page says how long", async () => {
  await halfway("cafe", {}, async (page) => {
    const wrong = wrongCode(FACTORS.cafe);
    for (let turn = 0; turn < 5; turn += 1) {
      await Promise.all([page.waitForResponse((it) => it.request().method() === "POST"), send(codeField(page), wrong)]);
      await refused(page, "code");
    }
    const posted = page.waitForResponse((it) => it.request().method() === "POST");
    await send(codeField(page), code(FACTORS.cafe));
    const answer = await posted;
    assert.equal(answer.status(), 429);
    assert.ok(Number(await answer.headerValue("retry-after")) >= 1);
    await heading(page, "Too many tries").waitFor();
    assert.match(await page.locator("main").innerText(), /Wait \d+ seconds?/);
    assert.deepEqual(site.asked, []);
  });
});
