// A real browser before the real Worker in workerd: what a visitor meets who comes by an address bar, by a link, or
// by a script. The origin, the browser's own prompt and the Content-Security-Policy are all the real ones.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import chromium from "@sparticuz/chromium";
import { chromium as browserType } from "playwright-core";
import { PASSWORDS, jwt, now, policy, secrets } from "../workerd/given.mjs";
import { eventually, startGate } from "../workerd/harness.mjs";
import { startOrigin } from "../workerd/origin.mjs";

const SITE = "https://acme.example";
const BRANDED = "https://branded.example"; // its ASSETS hold pages of its own
const SHUT = "https://shut.example"; // its secrets are not all there
const GONE = "https://gone.example"; // its origin is not there
const ANN = { username: "ann", password: PASSWORDS.ann };
const TOKEN_ENTRIES = [{ format: "jwt", keys: ["main"], algorithms: ["HS256"], from: ["authorization", "query:access_token"] }];
const BRAND = { name: "Acme", color: "#0b5fff", support: "mailto:help@acme.example", notice: "Maintenance on Sunday" };
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What the folder www/ of the branded site holds: one good page, one broken one, and no others. */
const FILES = {
  "/.edgeward/pages/401.html": `<!doctype html><html lang="{{lang}}" data-own="401" data-cause="{{cause}}"><head><meta charset="utf-8">
<title>{{headline}}</title><link rel="icon" href="{{icon}}">{{> colors}}<style>h1 { letter-spacing: 3px }</style></head>
<body><main><h1>{{brand}}: {{headline}}</h1><p>{{address}}</p><p>{{reference}}</p>{{#logo}}<img src="{{logo}}" alt="">{{/logo}}
{{#support}}<a href="{{support}}">Help</a>{{/support}}</main><script>document.documentElement.dataset.ran = "yes"</script></body></html>`,
  "/.edgeward/pages/403.html": "<!doctype html>\n<html lang=\"en\"><title>x</title>\n<script>let who = \"{{user}}\"</script></html>",
  "/.edgeward/brand/logo.svg": readFileSync(new URL("../../www/.edgeward/brand/logo.svg", import.meta.url), "utf8"),
};

let origin, gates, browser;
const assetsAsked = [];

before(async () => {
  origin = await startOrigin();
  const ours = policy(origin, { brand: BRAND, tokens: TOKEN_ENTRIES });
  const branded = { ...ours, brand: { ...BRAND, logo: "/.edgeward/brand/logo.svg" } };
  gates = {
    [SITE]: await startGate({ policy: ours, secrets: secrets() }),
    [BRANDED]: await startGate({ policy: branded, secrets: secrets(), options: { serviceBindings: { ASSETS: asset } } }),
    [SHUT]: await startGate({ policy: ours, secrets: secrets({ EDGEWARD_SECRET: undefined }) }),
    [GONE]: await startGate({ policy: { ...ours, origin: "http://127.0.0.1:1" }, secrets: secrets() }),
  };
  browser = await launch(Object.entries(gates));
});

after(async () => {
  await browser?.close();
  await Promise.all(Object.values(gates ?? {}).map((gate) => gate.stop()));
  await origin?.stop();
});

/** Every host leads to its gate; whatever else is asked for is not found, and seen. */
async function launch(hosts) {
  const rules = hosts.map(([site, gate]) => `MAP ${new URL(site).host}:443 127.0.0.1:${gate.frontUrl.port}`);
  // Its own args switch off web security, and then nothing here would prove anything.
  const args = ["--no-sandbox", "--no-zygote", "--disable-gpu", `--host-resolver-rules=${rules.join(", ")}`];
  return browserType.launch({ executablePath: await chromium.executablePath(), args });
}

async function asset(request) {
  const { pathname } = new URL(request.url);
  assetsAsked.push(pathname);
  const type = pathname.endsWith(".svg") ? "image/svg+xml" : "text/html";
  return FILES[pathname] ? new Response(FILES[pathname], { headers: { "Content-Type": type } }) : new Response("", { status: 404 });
}

/** A fresh browser profile; `said` and `asked` are what it says to the console and asks for. */
async function visitor(options, body) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  const seen = { said: [], asked: [] };
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && seen.said.push(message.text()));
  page.on("pageerror", (error) => seen.said.push(String(error)));
  page.on("request", (request) => seen.asked.push(request.url()));
  try {
    return await body(page, seen);
  } finally {
    await context.close();
  }
}

/** Answers the browser's own prompt as a person does; `prompts` are those that opened. */
async function person(page, answers) {
  const client = await page.context().newCDPSession(page);
  const prompts = [];
  client.on("Fetch.requestPaused", ({ requestId }) => client.send("Fetch.continueRequest", { requestId }).catch(() => {}));
  client.on("Fetch.authRequired", ({ requestId, authChallenge }) => {
    prompts.push(authChallenge);
    const given = answers.shift();
    const authChallengeResponse = given ? { response: "ProvideCredentials", ...given } : { response: "CancelAuth" };
    client.send("Fetch.continueWithAuth", { requestId, authChallengeResponse }).catch(() => {});
  });
  await client.send("Fetch.enable", { handleAuthRequests: true });
  return prompts;
}

const cause = (page) => page.locator("html").getAttribute("data-cause");

/** The browser itself notes every refused navigation; nothing else may be said. */
const refusalLine = (status) => new RegExp(`^Failed to load resource: the server responded with a status of ${status} `);

test("without credentials: the prompt, and the page of the brand once it is cancelled", async () => {
  await visitor({}, async (page, { said, asked }) => {
    const prompts = await person(page, []);
    const response = await page.goto(`${SITE}/reports/2026`);
    assert.equal(response.status(), 401);
    assert.equal(await cause(page), "credentials-missing");
    assert.match(await page.title(), /· Acme$/);
    assert.equal(await page.getByText("Maintenance on Sunday").count(), 1);
    assert.equal(await page.evaluate(() => document.styleSheets.length), 1, "its own style is applied");
    assert.deepEqual(prompts.map(({ scheme, realm, origin: from }) => ({ scheme, realm, from })), [
      { scheme: "basic", realm: "Acme staging", from: SITE },
    ]);
    assert.deepEqual([...new Set(asked)], [`${SITE}/reports/2026`], "and asks for nothing else");
    assert.equal(said.length, 1, said.join("\n"));
    assert.match(said[0], refusalLine(401));
  });
});

test("what is typed into the prompt lets in, and is not asked for again", async () => {
  await visitor({}, async (page) => {
    const prompts = await person(page, [ANN]);
    assert.equal((await page.goto(`${SITE}/a`)).status(), 200);
    assert.equal((await page.goto(`${SITE}/b/c`)).status(), 200);
    assert.equal(prompts.length, 1);
    const fields = (await origin.last()).rawHeaders;
    assert.equal(fields[fields.findIndex((name) => name.toLowerCase() === "x-edgeward-user") + 1], "ann");
    assert.ok(!fields.some((name) => name.toLowerCase() === "authorization"), "the password stays here");
  });
});

test("a wrong password opens the prompt again; then the page says that it did not match", async () => {
  await visitor({}, async (page) => {
    const prompts = await person(page, [{ ...ANN, password: "wrong" }]);
    assert.equal((await page.goto(`${SITE}/a`)).status(), 401);
    assert.equal(prompts.length, 2);
    assert.equal(await cause(page), "credentials-wrong");
  });
});

test("'Sign in' on the page opens the prompt, and leads to where one wanted to go", async () => {
  await visitor({}, async (page) => {
    const answers = [];
    const prompts = await person(page, answers);
    await page.goto(`${SITE}/reports/2026?x=1`);
    answers.push(ANN);
    await Promise.all([page.waitForResponse((it) => it.status() === 200), page.getByText("Sign in", { exact: true }).click()]);
    assert.equal(page.url(), `${SITE}/reports/2026?x=1`);
    assert.equal(prompts.length, 2);
  });
});

test("the credentials that an automated browser is given let it in", async () => {
  await visitor({ httpCredentials: ANN }, async (page) => assert.equal((await page.goto(`${SITE}/a`)).status(), 200));
  await visitor({ httpCredentials: { ...ANN, password: "wrong" } }, async (page) => {
    assert.equal((await page.goto(`${SITE}/a`)).status(), 401);
    assert.equal(await cause(page), "credentials-wrong");
  });
});

test("a link whose token expired says when", async () => {
  const exp = now() - 200;
  const token = jwt({ claims: { exp } });
  await visitor({}, async (page) => {
    const prompts = await person(page, []);
    assert.equal((await page.goto(`${SITE}/bearer/x?access_token=${token}`)).status(), 401);
    assert.equal(await cause(page), "token-expired");
    assert.equal(prompts.length, 0, "a password would not help here");
    const time = page.locator("main p time").first();
    assert.equal(await time.getAttribute("datetime"), new Date(exp * 1000).toISOString().replace(".000", ""));
    assert.equal(await time.innerText(), "3 minutes ago");
    assert.ok(!(await page.content()).includes(token.split(".")[2]), "the token is not on the page");
  });
});

test("a script gets problem details, and no prompt opens in front of the visitor", async () => {
  await visitor({}, async (page, { said }) => {
    const prompts = await person(page, []);
    assert.equal((await page.goto(`${SITE}/public/as/page`)).status(), 200);
    const answers = await page.evaluate(async () => {
      const seen = [];
      for (const path of ["/basic/data", "/data"]) {
        const answer = await fetch(path, { method: "POST", body: "x" });
        const { status, headers } = answer;
        seen.push({ status, type: headers.get("content-type"), challenge: headers.get("www-authenticate"), problem: await answer.json() });
      }
      return seen;
    });
    for (const { status, type, challenge, problem } of answers) {
      assert.equal(status, 401);
      assert.match(type, /^application\/problem\+json/);
      assert.equal(problem.cause, "credentials-missing");
      assert.equal(problem.type, `${SITE}/.edgeward/problems/credentials-missing`);
      assert.doesNotMatch(challenge, /(^|, )Basic /);
    }
    assert.equal(prompts.length, 0);
    assert.deepEqual(said.filter((it) => !refusalLine(401).test(it)), []);
    assert.equal((await page.goto(answers[0].problem.type)).status(), 200, "its type is a page that explains it");
  });
});

// Each page as the Worker sends it, status and cause first.
const PAGES = [
  [400, "request-ambiguous", `${SITE}/public/%2e%2e%2fsecret`],
  [401, "credentials-missing", `${SITE}/x`],
  [401, "token-bad-signature", `${SITE}/bearer/x?access_token=${jwt({ signature: "A".repeat(43) })}`],
  [403, "denied", `${SITE}/denied/x`],
  [403, "not-allowed", `${SITE}/staff/x?access_token=${jwt()}`],
  [404, "not-found", `${SITE}/.edgeward/nothing`],
  [502, "origin-unreachable", `${GONE}/public/x`],
  [503, "not-configured", `${SHUT}/x`],
  [200, "token-expired", `${SITE}/.edgeward/problems/token-expired`],
];

test("every page: nothing for axe to find, nothing in the console, nothing from elsewhere", { timeout: 300_000 }, async (t) => {
  for (const colorScheme of ["light", "dark"]) {
    for (const [status, wanted, url] of PAGES) {
      await t.test(`${status} ${wanted}, ${colorScheme}`, () => visitor({ colorScheme }, (page, seen) => looked(page, seen, { status, wanted, url })));
    }
  }
});

async function looked(page, { said, asked }, { status, wanted, url }) {
  const response = await page.goto(url);
  assert.equal(response.status(), status);
  if (status !== 200) assert.equal(await cause(page), wanted);
  assert.ok((await response.headerValue("content-security-policy")).startsWith("default-src 'none'"));
  assert.ok((await response.body()).length < 14_000);
  assert.equal(await page.evaluate(() => document.styleSheets.length), 1, "its style is applied");
  assert.deepEqual([...new Set(asked)], [url]);
  assert.deepEqual(said.filter((it) => !refusalLine(status).test(it)), []);
  await page.evaluate(() => document.querySelectorAll("details").forEach((it) => (it.open = true)));
  await page.evaluate(axe);
  const { violations, passes } = await page.evaluate(() => window.axe.run());
  assert.deepEqual(violations.map((it) => `${it.id}: ${it.nodes.map((node) => node.html).join(" ")}`), []);
  assert.ok(passes.some((it) => it.id === "color-contrast"), "contrast was looked at");
}

test("the policy of a page as it was sent keeps out what got into it", async () => {
  await visitor({}, async (page, { said }) => {
    const sent = await gates[SITE].front({ path: "/denied/x", headers: { Accept: "text/html", "Sec-Fetch-Mode": "navigate" } });
    const policy = sent.get("content-security-policy");
    const evil = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"></main>";
    const body = sent.text().replace("</main>", evil);
    assert.ok(body.includes(evil));
    const headers = { "content-type": "text/html", "content-security-policy": policy };
    await page.route(`${SITE}/denied/x`, (route) => route.fulfill({ headers, body }));
    await page.goto(`${SITE}/denied/x`);
    await eventually(() => said.some((it) => it.includes("Content Security Policy")), "a word of the policy");
    await page.waitForTimeout(200);
    assert.notEqual(await page.title(), "owned");
  });
});

test("a page of the brand's own: asked for once, its style and script allowed by their hashes", async () => {
  const asked = () => assetsAsked.filter((path) => path === "/.edgeward/pages/401.html").length;
  for (const path of ["/first", "/second?q=<b>", "/third"]) {
    await visitor({}, async (page, { said }) => {
      const response = await page.goto(BRANDED + path);
      assert.equal(response.status(), 401);
      assert.equal(await page.locator("html").getAttribute("data-own"), "401");
      assert.equal(await page.locator("html").getAttribute("data-ran"), "yes", "its script ran");
      assert.equal(await page.locator("h1").evaluate((it) => getComputedStyle(it).letterSpacing), "3px", "its style is applied");
      assert.equal(await page.locator("h1").innerText(), "Acme: Sign in to continue");
      assert.equal(await page.locator("img").evaluate((it) => it.complete && it.naturalWidth > 0), true, "its logo is shown");
      assert.equal(await page.getByText("Help").getAttribute("href"), "mailto:help@acme.example");
      assert.equal(await page.locator("main b").count(), 0, "what a visitor sent is text");
      assert.deepEqual(said.filter((it) => !refusalLine(401).test(it)), []);
    });
    assert.equal(asked(), 1, path);
  }
});

test("a broken page of the brand falls back to the built-in one, and the log says where and why, once", async () => {
  for (const path of ["/denied/a", "/denied/b"]) {
    await visitor({}, async (page, { said }) => {
      assert.equal((await page.goto(BRANDED + path)).status(), 403);
      assert.equal(await cause(page), "denied");
      assert.equal(await page.getByText("This page is closed").count(), 1);
      assert.deepEqual(said.filter((it) => !refusalLine(403).test(it)), []);
    });
  }
  const lines = (await gates[BRANDED].printed()).split("\n").filter((line) => line.includes("pages/403.html"));
  assert.equal(lines.length, 1);
  assert.match(JSON.parse(lines[0]).problem, /^www\/\.edgeward\/pages\/403\.html: line 3: \{\{user\}\} stands inside an element/);
  assert.equal(assetsAsked.filter((path) => path === "/.edgeward/pages/403.html").length, 1);
});

test("a status without a page of the brand's own has the built-in one, and is asked for once", async () => {
  for (const path of ["/.edgeward/a", "/.edgeward/b"]) {
    await visitor({}, async (page) => {
      assert.equal((await page.goto(BRANDED + path)).status(), 404);
      assert.equal(await cause(page), "not-found");
    });
  }
  assert.equal(assetsAsked.filter((path) => path === "/.edgeward/pages/404.html").length, 1);
});

test("programs never wait for a page of the brand's own", async () => {
  const before = assetsAsked.length;
  const answer = await gates[BRANDED].request("/public/%zz", { headers: { Accept: "application/json" } });
  assert.equal(answer.status, 400);
  assert.equal(assetsAsked.length, before);
});

test("the files that wrangler uploads are the ones that are asked for", async () => {
  const directory = join(import.meta.dirname, "../../www");
  assert.ok(existsSync(join(directory, ".edgeward/brand/logo.svg")));
  const options = {
    assets: {
      directory,
      binding: "ASSETS",
      routerConfig: { has_user_worker: true, invoke_user_worker_ahead_of_assets: true },
      assetConfig: { html_handling: "none" },
    },
  };
  const gate = await startGate({ policy: policy(origin, { origin: "assets", brand: BRAND }), secrets: secrets(), options });
  try {
    assert.equal((await gate.front("/.edgeward/brand/logo.svg")).get("content-type"), "image/svg+xml");
    assert.equal((await gate.front("/.edgeward/pages/page.html")).status, 404, "a template is nobody's page");
    assert.equal((await gate.front("/")).status, 401);
    assert.equal((await gate.front("/public/")).status, 200);
  } finally {
    await gate.stop();
  }
});
