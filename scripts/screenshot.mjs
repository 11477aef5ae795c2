// The pictures of README.md: the page to sign in, as the built Worker sends it, in a real browser.
//
//   node scripts/build.mjs && node scripts/screenshot.mjs      → docs/page.png, docs/page-dark.png
import { readFileSync } from "node:fs";
import chromium from "@sparticuz/chromium";
import { chromium as browserType } from "playwright-core";
import { USERS, secrets } from "../tests/workerd/given.mjs";
import { withGate } from "../tests/workerd/harness.mjs";
import { at, script } from "./tools.mjs";

const SITE = "https://staging.acme.example";
const SIZE = { width: 640, height: 848 };
const POLICY = {
  realm: "Acme staging",
  session: {},
  brand: {
    name: "Acme",
    color: "#0b5fff",
    support: "mailto:help@acme.example",
    forgot_password: "https://acme.example/reset",
  },
};

async function main() {
  const settings = { policy: POLICY, secrets: { ...secrets({ EDGEWARD_KEYS: undefined }), EDGEWARD_USERS: USERS } };
  settings.options = { serviceBindings: { ASSETS: assets } };
  await withGate(settings, async (gate) => {
    const browser = await launch(gate.frontUrl.port);
    try {
      await picture(browser, "light", "docs/page.png");
      await picture(browser, "dark", "docs/page-dark.png");
    } finally {
      await browser.close();
    }
  });
}

/** The languages, as the binding has them. */
function assets(request) {
  const { pathname } = new URL(request.url);
  if (!/^\/\.edgeward\/locales\/[\w-]+\.json$/.test(pathname)) return new Response("", { status: 404 });
  return new Response(readFileSync(at(`www${pathname}`)));
}

async function launch(port) {
  const rule = `--host-resolver-rules=MAP ${new URL(SITE).host}:443 127.0.0.1:${port}`;
  const args = ["--no-sandbox", "--no-zygote", "--disable-gpu", rule];
  return browserType.launch({ executablePath: await chromium.executablePath(), args });
}

async function picture(browser, colorScheme, file) {
  const context = await browser.newContext({ colorScheme, viewport: SIZE, deviceScaleFactor: 2, ignoreHTTPSErrors: true });
  const page = await context.newPage();
  const response = await page.goto(`${SITE}/reports/2026`);
  if (response.status() !== 401) throw new Error(`status ${response.status()}`);
  await page.screenshot({ path: at(file) });
  await context.close();
  console.log(file);
}

await script(main);
