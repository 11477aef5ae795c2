// Signing in, staying in and getting out, as people do it: Chromium before the real Worker, and a site whose pages may be
// kept by the browser. Nothing is answered in the Worker's or the site's place.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PASSWORDS, USERS, now, policy, secrets } from "../workerd/given.mjs";
import { HOST, SITE, startGate } from "../workerd/harness.mjs";
import { RULES, SESSION } from "../workerd/people.mjs";
import { session } from "../workerd/sessions.mjs";
import { arrived, causeOf, cookie, focused, heading, launch, passwordField, signIn, startSite, userField, visit } from "./site.mjs";

const LINE = USERS.split("\n").find((line) => line.startsWith("ann:"));
const DEEP = `${SITE}/app/reports/a%20b?view=full&q=%2F%3F&next=//evil.example#part-2`;
const withoutFragment = (url) => url.slice(0, url.indexOf("#"));

let site, gate, browser;

before(async () => {
  site = await startSite();
  gate = await startGate({
    policy: policy(site, { session: {}, rules: RULES }),
    secrets: secrets(),
    options: { durableObjects: { EDGEWARD_LEDGER: { className: "Ledger", useSQLite: true } } },
  });
  // Pages that one leaves are kept whole, as in the browser that people use: Playwright switches that off.
  browser = await launch({ [SITE]: gate }, { ignoreDefaultArgs: ["--disable-back-forward-cache"] });
});

after(async () => {
  await browser?.close();
  await gate?.stop();
  site?.stop();
});

/** A browser that bears a session of ann's with these moments. */
const bearing = (moments, body, options = {}) =>
  visit(browser, options, async (page, context) => {
    const value = session(LINE, { host: HOST, ...moments });
    await context.addCookies([{ name: SESSION, value, url: SITE, httpOnly: true, secure: true, sameSite: "Lax" }]);
    return body(page, context, value);
  });

test("by keyboard alone: in, kept, and out again", async () => {
  await visit(browser, {}, async (page, context) => {
    const { keyboard } = page;
    assert.equal((await page.goto(`${SITE}/app/keys`)).status(), 401);
    assert.equal(await focused(page), "username", "one can type at once");
    await keyboard.type("ann");
    await keyboard.press("Tab");
    await keyboard.type(PASSWORDS.ann);
    await keyboard.press("Tab");
    await keyboard.press("Tab");
    await keyboard.press("Space");
    assert.equal(await page.getByLabel("Keep me signed in").isChecked(), true);
    await keyboard.press("Enter");
    await arrived(page, `${SITE}/app/keys`);
    const kept = await cookie(context, SESSION);
    assert.ok(kept.expires > now() + 86_400, "it outlives the browser");
    assert.deepEqual([kept.httpOnly, kept.secure, kept.sameSite, kept.path], [true, true, "Lax", "/"]);
    assert.equal(await page.evaluate(() => document.cookie), "", "no script reads it");

    await page.goto(`${SITE}/.edgeward/sign-out`);
    const button = page.getByRole("button", { name: "Sign out" });
    for (let turn = 0; !(await button.evaluate((it) => it === document.activeElement)); turn += 1) {
      assert.ok(turn < 20, "Tab reaches the button");
      await keyboard.press("Tab");
    }
    await keyboard.press("Enter");
    await heading(page, "You are signed out").waitFor();
    assert.equal(await cookie(context, SESSION), undefined);
    assert.equal((await page.goto(`${SITE}/app/keys`)).status(), 401);
  });
});

test("a wrong password is said beside its field and announced; the user name stays, the way back, too", async () => {
  await visit(browser, {}, async (page, context) => {
    await page.goto(DEEP);
    const [answer] = await Promise.all([
      page.waitForResponse((it) => it.request().method() === "POST"),
      signIn(page, "ann", "not-hers"),
    ]);
    assert.equal(answer.status(), 401);
    await heading(page, "That did not match").waitFor();
    assert.equal(await causeOf(page), "credentials-wrong");
    assert.equal(await userField(page).inputValue(), "ann");
    assert.equal(await passwordField(page).inputValue(), "");
    assert.equal(await focused(page), "password");
    const alert = page.getByRole("alert").filter({ visible: true });
    assert.equal(await alert.count(), 1, "what a screen reader says by itself");
    assert.match(await alert.innerText(), /User name or password is not right\./);
    const field = await passwordField(page).evaluate((it) => ({
      invalid: it.getAttribute("aria-invalid"),
      says: it.getAttribute("aria-describedby").split(" ").map((id) => document.getElementById(id).textContent).join(" "),
    }));
    assert.equal(field.invalid, "true");
    assert.match(field.says, /User name or password is not right\./);
    assert.ok(!(await page.content()).includes("not-hers"));
    assert.equal(await cookie(context, SESSION), undefined);

    await passwordField(page).fill(PASSWORDS.ann);
    await page.keyboard.press("Enter");
    await arrived(page, DEEP);
  });
});

test("an unknown user name is answered in the same words as a wrong password", async () => {
  const texts = [];
  for (const user of ["ann", "nobody-here"]) {
    await visit(browser, {}, async (page) => {
      await page.goto(`${SITE}/app/same`);
      await signIn(page, user, "not-right");
      await heading(page, "That did not match").waitFor();
      texts.push(await page.locator("main form").first().innerText());
    });
  }
  assert.equal(texts[0], texts[1]);
});

test("Caps Lock is noted under the policy that the Worker sends", async () => {
  await visit(browser, {}, async (page) => {
    await page.goto(`${SITE}/app/caps`);
    // No protocol lets a test press the lock itself: these are the events that it makes.
    const press = (modifierCapsLock) =>
      passwordField(page).evaluate((it, on) => it.dispatchEvent(new KeyboardEvent("keydown", { key: "A", modifierCapsLock: on })), modifierCapsLock);
    await passwordField(page).focus();
    await press(true);
    const note = page.getByRole("status").filter({ hasText: "Caps Lock is on." });
    await note.waitFor();
    assert.match(await passwordField(page).getAttribute("aria-describedby"), new RegExp(`\\b${await note.getAttribute("id")}\\b`));
    await press(false);
    await note.waitFor({ state: "hidden" });
  });
});

test("a deep link: query and fragment are there afterwards, and the page is at its part", async () => {
  await visit(browser, {}, async (page) => {
    assert.equal((await page.goto(DEEP)).status(), 401);
    assert.equal(page.url(), DEEP, "the form is at the address itself");
    await signIn(page, "ann", PASSWORDS.ann);
    await arrived(page, DEEP);
    assert.equal(await page.evaluate(() => document.querySelector(":target").id), "part-2");
    assert.equal(site.asked.at(-1).url, withoutFragment(DEEP).slice(SITE.length), "not an octet of the query is another");
  });
});

test("scripts off: wrong, right, and back; only the fragment is lost", async () => {
  await visit(browser, { javaScriptEnabled: false }, async (page) => {
    await page.goto(DEEP);
    await signIn(page, "ann", "not-hers");
    await heading(page, "That did not match").waitFor();
    assert.equal(await userField(page).inputValue(), "ann");
    await passwordField(page).fill(PASSWORDS.ann);
    await page.getByRole("button", { name: "Sign in" }).click();
    await arrived(page, withoutFragment(DEEP));
    await page.goto(`${SITE}/.edgeward/sign-out`);
    await page.getByRole("button", { name: "Sign out" }).click();
    await heading(page, "You are signed out").waitFor();
  });
});

// How many seconds ago a session began, was used and ended, and the words that its page has for that.
for (const [name, { began, seen = began, ended }, cause, headline, text] of [
  ["unused for too long", { began: 7200, ended: -36_000 }, "session-idle", "You were away for a while", /after 30 minutes without activity/],
  ["over", { began: 50_000, seen: 7000, ended: 6800 }, "session-expired", "You were signed out", /Your sign-in lasted 12 hours and ended 1 hour ago/],
]) {
  test(`a session that is ${name} says so, and signing in leads on`, async () => {
    const at = now();
    const path = `/app/${cause}?x=1`;
    await bearing({ began: at - began, seen: at - seen, ends: at - ended }, async (page) => {
      assert.equal((await page.goto(SITE + path)).status(), 401);
      assert.equal(await causeOf(page), cause);
      await heading(page, headline).waitFor();
      assert.match(await page.locator("main").innerText(), text);
      assert.equal(site.count(path), 0, "nothing reached the site");
      await signIn(page, "ann", PASSWORDS.ann);
      await arrived(page, SITE + path);
    });
  });
}

test("a session that is used goes on: the browser gets a newer cookie, and a page can ask for one", async () => {
  const began = now() - 1500; // 5 minutes are left of its 30
  await bearing({ began }, async (page, context, value) => {
    const left = () => page.evaluate(async () => (await fetch("/.edgeward/session")).json());
    assert.equal((await page.goto(`${SITE}/app/used`)).status(), 200);
    const renewed = await cookie(context, SESSION);
    assert.notEqual(renewed.value, value);
    const { user, idle_in: idle } = await left();
    assert.equal(user, "ann");
    assert.ok(idle > 1500, `${idle} s`);
  });
  await bearing({ began }, async (page, context, value) => {
    await page.goto(`${SITE}/public/page`);
    const [status, answer] = await page.evaluate(async () => {
      const response = await fetch("/.edgeward/session", { method: "POST" });
      return [response.status, await response.json()];
    });
    assert.equal(status, 200);
    assert.ok(answer.idle_in > 1500, `${answer.idle_in} s`);
    assert.notEqual((await cookie(context, SESSION)).value, value);
  });
});

test("back after signing out shows nothing private", async () => {
  await visit(browser, {}, async (page, context) => {
    const address = `${SITE}/app/private`;
    const shown = () => page.evaluate(() => document.body.innerText);
    const back = async () => {
      await page.evaluate(() => history.back());
      await page.waitForURL(address);
    };
    await page.goto(address);
    await signIn(page, "ann", PASSWORDS.ann);
    await arrived(page, address);
    const asked = site.count("/app/private");

    // Still signed in, the browser shows what it kept: else this test could not fail.
    await page.goto(`${SITE}/.edgeward/sign-out`);
    await back();
    await heading(page, "Private of ann").waitFor();
    assert.equal(site.count("/app/private"), asked, "from what it kept");

    await page.goto(`${SITE}/.edgeward/sign-out`);
    await page.getByRole("button", { name: "Sign out" }).click();
    await heading(page, "You are signed out").waitFor();
    await page.evaluate(() => history.go(-2));
    await page.waitForURL(address);
    await userField(page).waitFor();
    assert.doesNotMatch(await shown(), /Private of/);
    assert.equal(site.count("/app/private"), asked, "nor was it fetched again");
    assert.equal(await cookie(context, SESSION), undefined);
  });
});

test("a password manager finds one form, fills it without a keyboard, and sends it in either way", async () => {
  for (const send of ["requestSubmit", "submit"]) {
    await visit(browser, {}, async (page) => {
      const address = `${SITE}/app/managed?by=${send}`;
      await page.goto(address);
      const form = await page.locator("form:has([type=password])").evaluateAll((forms) =>
        forms.map((it) => ({
          method: it.method,
          action: it.action,
          fields: [...it.elements].filter((it) => /^(text|password)$/.test(it.type)).map((it) => [it.name, it.id, it.type, it.autocomplete]),
          sends: [...it.elements].filter((it) => it.type === "submit").length,
          others: [...it.elements].some((it) => it.autocomplete === "off"),
        })),
      );
      assert.deepEqual(form, [
        {
          method: "post",
          action: `${SITE}/.edgeward/sign-in`,
          fields: [["username", "username", "text", "username"], ["password", "password", "password", "current-password"]],
          sends: 1,
          others: false,
        },
      ]);
      await page.evaluate(
        ([password, send]) => {
          const form = document.querySelector("form:has([type=password])");
          const put = (field, value) => {
            field.value = value;
            for (const type of ["input", "change"]) field.dispatchEvent(new Event(type, { bubbles: true }));
          };
          put(form.querySelector("[autocomplete=username]"), "ann");
          put(form.querySelector("[autocomplete=current-password]"), password);
          form[send]();
        },
        [PASSWORDS.ann, send],
      );
      await arrived(page, address);
    });
  }
});

test("several tabs that sign in at once all arrive, each where it was", async () => {
  await visit(browser, {}, async (first, context) => {
    const tabs = [first, await context.newPage(), await context.newPage()];
    const address = (at) => `${SITE}/app/tab?n=${at}`;
    for (const [at, tab] of tabs.entries()) {
      await tab.goto(address(at));
      await userField(tab).fill("ann");
      await passwordField(tab).fill(PASSWORDS.ann);
    }
    await Promise.all(tabs.map((tab) => tab.evaluate(() => document.querySelector(".ask").requestSubmit())));
    await Promise.all(tabs.map((tab, at) => arrived(tab, address(at))));
    const answers = await Promise.all(tabs.map((tab, at) => tab.goto(`${SITE}/app/again?n=${at}`)));
    assert.deepEqual(answers.map((it) => it.status()), [200, 200, 200]);
    assert.equal((await context.cookies()).filter(({ name }) => name === SESSION).length, 1);
  });
});
