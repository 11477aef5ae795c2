// The dialog that warns before a sign-in ends, in Chromium before the real Worker: the script is put into the site's pages,
// whose Content-Security-Policy lets nothing but 'self' run and no style apply. Some tests have the real server end real
// sessions after seconds; in the others /.edgeward/session says what the test wants, so that minutes need not pass.
import assert from "node:assert/strict";
import http from "node:http";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import chromium from "@sparticuz/chromium";
import { chromium as browserType } from "playwright-core";
import { PASSWORDS, policy, secrets } from "../workerd/given.mjs";
import { ROOT, startGate } from "../workerd/harness.mjs";
import { Browser, SESSION as SESSION_COOKIE, cookiesOf } from "../workerd/people.mjs";

const QUICK = "https://quick.example"; // sessions end after seconds without use
const SLOW = "https://slow.example";
const BASIC = "https://basic.example";
const SESSION = "/.edgeward/session";
const CSP = "default-src 'none'; script-src 'self'; connect-src 'self'; form-action 'self'";
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const page = (path) => `<!doctype html><html lang="en"><head><title>Acme</title></head><body><main><h1>Private of ann</h1><p>${path}</p>
<a href="/next">Next</a> <label>Note <textarea></textarea></label></main></body></html>`;

let site, gates, browser;

before(async () => {
  site = http.createServer((request, response) => {
    response.writeHead(200, { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": CSP, "Cache-Control": "max-age=600" });
    response.end(page(request.url));
  });
  await once(site.listen(0, "127.0.0.1"), "listening");
  const origin = `http://127.0.0.1:${site.address().port}`;
  const started = (session, options = {}) =>
    startGate({
      policy: policy(origin, { rules: [], tokens: undefined, session: session && { warn: "inject", ...session } }),
      secrets: secrets({ EDGEWARD_KEYS: undefined }),
      options: { durableObjects: { EDGEWARD_LEDGER: { className: "Ledger", useSQLite: true } }, ...options },
    });
  gates = {
    [QUICK]: await started({ idle: "14s" }),
    [SLOW]: await started({}, { serviceBindings: { ASSETS: asset } }),
    [BASIC]: await started(undefined),
  };
  const rules = Object.entries(gates).map(([url, gate]) => `MAP ${new URL(url).host}:443 127.0.0.1:${gate.frontUrl.port}`);
  const args = ["--no-sandbox", "--no-zygote", "--disable-gpu", `--host-resolver-rules=${rules.join(", ")}`];
  browser = await browserType.launch({ executablePath: await chromium.executablePath(), args });
});

after(async () => {
  await browser?.close();
  await Promise.all(Object.values(gates ?? {}).map((gate) => gate.stop()));
  site?.close();
  site?.closeAllConnections();
});

function asset(request) {
  try {
    return new Response(readFileSync(join(ROOT, "www", new URL(request.url).pathname)));
  } catch {
    return new Response("", { status: 404 });
  }
}

/** A browser of somebody who is signed in, and a tab of it; `said` is what the console says. */
async function signedIn(at, body, options = {}) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
  const said = [];
  const open = async (path = "/a") => {
    const tab = await context.newPage();
    tab.on("console", (message) => ["error", "warning"].includes(message.type()) && said.push(message.text()));
    tab.on("pageerror", (error) => said.push(String(error)));
    await tab.goto(at + path);
    return tab;
  };
  try {
    const { [SESSION_COOKIE]: cookie } = cookiesOf(await new Browser(gates[at], { site: at }).signIn("ann"));
    await context.addCookies([{ name: cookie.name, value: cookie.value, url: at, httpOnly: true, secure: true, sameSite: "Lax" }]);
    return await body(open, said, context);
  } finally {
    await context.close();
  }
}

/** Lets `/.edgeward/session` say what the test wants; `asked` are the methods. */
async function saying(context, first) {
  const state = { asked: [], say: first, extended: { idle_in: 1800, expires_in: 9000 } };
  await context.route(`**${SESSION}`, (route) => {
    const method = route.request().method();
    state.asked.push(method);
    if (method === "POST") state.say = state.extended;
    if (state.say === undefined) return route.abort();
    if (state.say === null) return route.fulfill({ status: 401, body: "{}" });
    return route.fulfill({ json: { user: "ann", expires_in: 9000, idle_in: 1800, can_extend: true, ...state.say } });
  });
  return state;
}

const dialogOf = (tab) => tab.getByRole("dialog");
const look = (tab) => tab.evaluate(() => dispatchEvent(new Event("focus")));
const isModal = (tab) => dialogOf(tab).evaluate((it) => it.matches(":modal"));
const appears = (tab, timeout = 4000) => dialogOf(tab).waitFor({ state: "visible", timeout });
const goes = (tab, timeout = 4000) => dialogOf(tab).waitFor({ state: "hidden", timeout });
const focused = (tab) =>
  tab.evaluate(() => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    return at?.textContent || at?.localName;
  });

/** A tab that was told of plenty of time, and now of these seconds. */
async function warned(context, open, say, prepare = async () => {}) {
  const state = await saying(context, {});
  const tab = await open();
  await tab.waitForFunction(() => document.edgeward === 1);
  await prepare(tab);
  state.say = say;
  await look(tab);
  return { state, tab };
}

async function sound(tab) {
  await tab.evaluate(axe);
  const { violations } = await tab.evaluate(() => axe.run(document, { rules: { region: { enabled: false } } }));
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`), []);
}

test("a real session: warned, extended by keyboard alone, warned again, and signed out of when time is up", async () => {
  await signedIn(QUICK, async (open, said) => {
    const tab = await open();
    await tab.getByRole("link", { name: "Next" }).focus();
    assert.equal(await dialogOf(tab).count(), 0, "not from the beginning");
    await appears(tab, 12_000);
    assert.equal(await focused(tab), "Stay signed in");
    await tab.keyboard.press("Enter");
    await goes(tab);
    assert.equal(await focused(tab), "Next", "the focus is back");
    const { idle_in } = await tab.evaluate(async () => (await fetch("/.edgeward/session")).json());
    assert.ok(idle_in >= 11, `${idle_in}`);
    await appears(tab, 12_000);
    await tab.getByRole("heading", { name: "You were signed out." }).waitFor({ timeout: 12_000 });
    assert.equal(await tab.getByRole("button", { name: "Sign in" }).isVisible(), true);
    assert.equal(await tab.getByRole("button", { name: "Sign out" }).isVisible(), false);
    assert.deepEqual(said.filter((line) => !/status of 401/.test(line)), [], "no policy was violated");
  });
});

test("two tabs: extended in one, closed in both; signed out in one, said in the other", async () => {
  await signedIn(QUICK, async (open, said) => {
    const [one, two] = [await open("/one"), await open("/two")];
    await Promise.all([appears(one, 12_000), appears(two, 12_000)]);
    await one.getByRole("button", { name: "Stay signed in" }).click();
    await Promise.all([goes(one), goes(two)]);
    await Promise.all([appears(one, 12_000), appears(two, 12_000)]);
    await Promise.all([one.waitForURL("**/.edgeward/sign-out"), one.getByRole("button", { name: "Sign out" }).click()]);
    assert.equal(await one.locator("html").getAttribute("data-page"), "signed-out");
    await two.getByRole("heading", { name: "You were signed out." }).waitFor({ timeout: 8000 });
    await one.goBack().catch(() => {});
    await one.waitForLoadState();
    assert.equal(await one.getByText("Private of ann").count(), 0, "the button back shows nothing private");
    assert.equal(await one.locator("html").getAttribute("data-status"), "401");
    assert.deepEqual(said.filter((line) => !/status of 401/.test(line)), []);
  });
});

test("signed in again in another tab, the page is as it was", async () => {
  await signedIn(SLOW, async (open, said, context) => {
    const { tab } = await warned(context, open, null, (it) => it.getByLabel("Note").fill("not sent yet"));
    await tab.getByRole("heading", { name: "You were signed out." }).waitFor();
    await context.unroute(`**${SESSION}`);
    const [other] = await Promise.all([context.waitForEvent("page"), tab.getByRole("button", { name: "Sign in" }).click()]);
    await other.waitForLoadState();
    assert.equal(new URL(other.url()).pathname, "/.edgeward/sign-in");
    await other.close();
    await look(tab);
    await goes(tab);
    assert.equal(await tab.getByLabel("Note").inputValue(), "not sent yet");
  });
});

test("it counts down, is described, and axe finds nothing; its style applies where no style may", async () => {
  await signedIn(SLOW, async (open, said, context) => {
    const { tab } = await warned(context, open, { idle_in: 100 });
    await appears(tab);
    const text = () => dialogOf(tab).locator("p").innerText();
    assert.match(await text(), /^Your sign-in ends in (100|99|98) seconds\.$/);
    const first = await text();
    await tab.waitForTimeout(1500);
    assert.notEqual(await text(), first);
    assert.match(await dialogOf(tab).getAttribute("aria-label"), /^You will be signed out soon\. Your sign-in ends in \d+ seconds\.$/);
    assert.equal(await dialogOf(tab).evaluate((it) => getComputedStyle(it).borderRadius), "9px");
    assert.ok((await tab.getByRole("button", { name: "Stay signed in" }).boundingBox()).height >= 40);
    await sound(tab);
    for (const options of [{ colorScheme: "dark" }, { forcedColors: "active" }]) {
      await tab.emulateMedia(options);
      await sound(tab);
    }
    await tab.setViewportSize({ width: 320, height: 480 });
    const box = await dialogOf(tab).boundingBox();
    assert.ok(box.x >= 0 && box.x + box.width <= 320, JSON.stringify(box));
    assert.deepEqual(said, []);
  });
});

test("keyboard: nothing behind it is reached; Escape puts it away until the last half minute", async () => {
  await signedIn(SLOW, async (open, said, context) => {
    const { state, tab } = await warned(context, open, { idle_in: 100 }, (it) => it.getByRole("link", { name: "Next" }).focus());
    await appears(tab);
    assert.equal(await isModal(tab), true);
    const seen = new Set();
    for (let i = 0; i < 4; i += 1) {
      await tab.keyboard.press("Tab");
      seen.add(await focused(tab));
    }
    assert.ok(seen.has("Sign out") && !seen.has("Next") && !seen.has("textarea"), [...seen].join());
    await tab.keyboard.press("Escape");
    await goes(tab);
    assert.equal(await focused(tab), "Next");
    await look(tab);
    await tab.waitForTimeout(2500);
    assert.equal(await dialogOf(tab).count(), 0);
    state.say = { idle_in: 29 };
    await look(tab);
    await appears(tab);
    await tab.keyboard.press("Escape");
    await goes(tab);
    await tab.waitForTimeout(2000);
    assert.equal(await dialogOf(tab).count(), 0, "put away once more, for good");
    assert.deepEqual(state.asked.filter((method) => method === "POST"), []);
  });
});

test("typing is not interrupted: it waits for a pause, and never takes the focus", async () => {
  await signedIn(SLOW, async (open, said, context) => {
    const note = (tab) => tab.getByLabel("Note");
    const { state, tab } = await warned(context, open, { idle_in: 110 }, async (it) => {
      await note(it).focus();
      await it.keyboard.type("a");
    });
    for (let i = 0; i < 12; i += 1) {
      await tab.keyboard.type("b");
      await tab.waitForTimeout(300);
      assert.equal(await dialogOf(tab).count(), 0, "while somebody types");
    }
    await appears(tab, 6000);
    assert.equal(await isModal(tab), false);
    assert.equal(await focused(tab), "textarea");
    await tab.keyboard.type("c");
    assert.equal(await note(tab).inputValue(), `a${"b".repeat(12)}c`);
    assert.match(await dialogOf(tab).locator("[role=status]").textContent(), /^You will be signed out soon\. /, "it is read out");
    await sound(tab);
    await tab.getByRole("button", { name: "Stay signed in" }).click();
    await goes(tab);
    assert.equal(await focused(tab), "textarea", "and gives the focus back");
    assert.deepEqual(state.asked.filter((method) => method === "POST"), ["POST"]);
    // Half a minute before the end it waits for nobody.
    await tab.keyboard.type("d");
    state.say = { idle_in: 29 };
    await look(tab);
    const typing = (async () => {
      for (let i = 0; i < 10; i += 1) {
        await tab.keyboard.type("e");
        await tab.waitForTimeout(150);
      }
    })();
    await appears(tab, 2500);
    await typing;
    assert.equal(await note(tab).inputValue(), `a${"b".repeat(12)}cd${"e".repeat(10)}`);
  });
});

test("what a field in a shadow root holds is typing, too; a button is not", async () => {
  await signedIn(SLOW, async (open, said, context) => {
    const { tab } = await warned(context, open, { idle_in: 100 }, (it) =>
      it.evaluate(() => {
        const root = document.body.appendChild(document.createElement("x-field")).attachShadow({ mode: "open" });
        root.appendChild(document.createElement("input")).focus();
      }),
    );
    await appears(tab, 6000);
    assert.deepEqual([await isModal(tab), await focused(tab)], [false, "input"]);
  });
});

test("where nothing can be added, it says so and can be put away", async () => {
  await signedIn(SLOW, async (open, said, context) => {
    const { state, tab } = await warned(context, open, { idle_in: 1800, expires_in: 100, can_extend: false });
    await appears(tab);
    assert.equal(await tab.getByRole("button", { name: "Stay signed in" }).count(), 0);
    await tab.getByRole("button", { name: "Continue" }).click();
    await goes(tab);
    assert.deepEqual(state.asked.filter((method) => method === "POST"), []);
  });
});

test("used elsewhere meanwhile: it goes by itself. Without a network it stays. Somebody else's session is none", async () => {
  await signedIn(SLOW, async (open, said, context) => {
    const { state, tab } = await warned(context, open, { idle_in: 100 });
    await appears(tab);
    state.say = undefined;
    await look(tab);
    await tab.waitForTimeout(500);
    assert.equal(await dialogOf(tab).isVisible(), true);
    state.say = { idle_in: 1800 };
    await look(tab);
    await goes(tab);
    state.say = { user: "bob" };
    await look(tab);
    await tab.getByRole("heading", { name: "You were signed out." }).waitFor();
  });
});

test("nobody was signed in: nothing is shown, and nothing is asked over and over", async () => {
  await signedIn(SLOW, async (open, said, context) => {
    const state = await saying(context, null);
    const tab = await open();
    await tab.waitForTimeout(3500);
    assert.equal(await dialogOf(tab).count(), 0);
    assert.ok(state.asked.length <= 2, state.asked.join());
  });
});

test("right to left, in the visitor's language", async () => {
  await signedIn(SLOW, async (open, said, context) => {
    const words = JSON.parse(readFileSync(join(ROOT, "www/.edgeward/locales/ar.json"), "utf8"));
    const { tab } = await warned(context, open, { idle_in: 100 });
    await tab.getByRole("button", { name: words.session.stay }).waitFor();
    const [stay, leave] = await Promise.all(
      [words.session.stay, words.session.leave].map((name) => tab.getByRole("button", { name, exact: true }).boundingBox()),
    );
    assert.ok(stay.x > leave.x || stay.y < leave.y, "mirrored");
    await sound(tab);
  }, { locale: "ar" });
});

test("Basic: after signing out and declining the prompt Chromium has forgotten what was typed", async () => {
  const context = await browser.newContext({ ignoreHTTPSErrors: true });
  try {
    const tab = await context.newPage();
    const client = await context.newCDPSession(tab);
    const prompts = [];
    const answers = [{ response: "ProvideCredentials", username: "ann", password: PASSWORDS.ann }];
    client.on("Fetch.requestPaused", ({ requestId }) => client.send("Fetch.continueRequest", { requestId }).catch(() => {}));
    client.on("Fetch.authRequired", ({ requestId, authChallenge }) => {
      prompts.push(authChallenge.scheme);
      client.send("Fetch.continueWithAuth", { requestId, authChallengeResponse: answers.shift() ?? { response: "CancelAuth" } }).catch(() => {});
    });
    await client.send("Fetch.enable", { handleAuthRequests: true });
    assert.equal((await tab.goto(`${BASIC}/a`)).status(), 200);
    assert.equal((await tab.goto(`${BASIC}/b`)).status(), 200);
    assert.equal(prompts.length, 1);
    await tab.goto(`${BASIC}/.edgeward/sign-out`);
    await Promise.all([tab.waitForResponse((it) => it.request().method() === "POST"), tab.getByRole("button", { name: "Sign out" }).click()]);
    await tab.waitForLoadState();
    assert.equal(await tab.locator("html").getAttribute("data-page"), "signed-out-basic");
    assert.equal(prompts.length, 2, "the prompt that was declined");
    assert.equal((await tab.goto(`${BASIC}/a`)).status(), 401, "nothing is sent any more");
  } finally {
    await context.close();
  }
});
