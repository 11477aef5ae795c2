// The ASSETS binding: the site it holds, a brand's own files, a brand's own pages. Contract §1, §2 "origin", §4 "Kept pages".
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { basic, policy, secrets } from "./given.mjs";
import { startGate, withGate } from "./harness.mjs";

const STYLE = "p{color:#123}";
const FILES = {
  "index.html": "<p>front page</p>",
  "public/open.txt": "open to all",
  "notes/secret.txt": "for those who are known",
  "private.html": "<p>private</p>",
  ".edgeward/policy.json": '{"not":"for visitors"}',
  ".edgeward/brand/logo.svg": '<svg xmlns="http://www.w3.org/2000/svg"/>',
  ".edgeward/pages/401.html": `<!doctype html><html lang="{{lang}}" data-status="{{status}}" data-cause="{{cause}}"><title>{{brand}}</title><style>${STYLE}</style><p title="{{brand}}">own page of {{brand}}</p><code>{{reference}}</code>`,
  ".edgeward/pages/403.html": '<!doctype html><p>broken page</p><script>let x = "{{brand}}"</script>',
  ".edgeward/pages/404.html": "<!doctype html><p>broken page</p><p title={{brand}}>x</p>",
  ".edgeward/pages/400.html": '<!doctype html><p>broken page</p><a href="{{brand}}">x</a>',
};
const BRAND = "<b>\"Acme' & Co";
const PAGE = { Accept: "text/html" };
const RAY = "0123456789abcdef-AMS";

let folder;
let gate;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "edgeward-assets-"));
  for (const [name, content] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  const said = policy("assets", { brand: { name: BRAND, logo: "/.edgeward/brand/logo.svg" } });
  const assets = {
    directory: folder,
    binding: "ASSETS",
    routerConfig: { invoke_user_worker_ahead_of_assets: true, has_user_worker: true },
    assetConfig: { html_handling: "none", not_found_handling: "none" },
  };
  gate = await startGate({ policy: said, secrets: secrets(), options: { assets } });
});
after(async () => {
  await gate?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const ANN = basic("ann");
const get = (path, headers = {}) => gate.front(path, { headers });

test("the site behind the gate is in the binding", async () => {
  assert.equal((await get("/public/open.txt")).text(), "open to all");
  assert.equal((await get("/notes/secret.txt", ANN)).text(), "for those who are known");
  assert.equal((await get("/private.html", ANN)).text(), "<p>private</p>");
  assert.equal((await get("/nowhere.txt", ANN)).status, 404);
  assert.equal((await get("/notes/secret.txt")).status, 401);
});

test("nothing below /.edgeward/ is served as part of the site", async (t) => {
  const paths = [
    "/.edgeward/policy.json",
    "/.edgeward/pages/401.html",
    "/%2eedgeward/policy.json",
    "/.edgeward/brand/..%2fpolicy.json",
    "//.edgeward/policy.json",
    "/public/..%2f.edgeward/policy.json",
    "/.edgeward%2fpolicy.json",
  ];
  for (const path of paths) {
    for (const send of ["front", "request"]) {
      await t.test(`${send} ${path}`, async () => {
        const response = await gate[send](path, { headers: ANN });
        assert.ok([400, 404].includes(response.status), String(response.status));
        assert.doesNotMatch(response.text(), /for visitors/);
      });
    }
  }
});

test("files of the brand are for everybody, as answers of our own", async () => {
  const response = await get("/.edgeward/brand/logo.svg");
  assert.equal(response.status, 200);
  assert.match(response.get("content-type"), /^image\/svg\+xml/);
  assert.equal(response.text(), FILES[".edgeward/brand/logo.svg"]);
  assert.equal(response.get("x-content-type-options"), "nosniff");
  assert.match(response.get("content-security-policy"), /default-src 'none'/);
  assert.equal((await get("/.edgeward/brand/none.svg")).status, 404);
});

test("a brand's own page stands in for ours, with what is spliced in escaped and its styles in the policy", async () => {
  for (let round = 0; round < 2; round += 1) {
    const response = await get("/x", { ...PAGE, "CF-Ray": RAY });
    const html = response.text();
    assert.equal(response.status, 401);
    assert.match(html, /own page of/);
    assert.match(html, /<html lang="en" data-status="401" data-cause="credentials-missing">/);
    assert.ok(html.includes(RAY));
    assert.ok(!html.includes(BRAND) && !html.includes("<b>"), "escaped");
    assert.match(html, /title="&lt;b&gt;(?:&quot;|&#34;|&#x22;)Acme/i);
    const hash = createHash("sha256").update(STYLE).digest("base64");
    assert.ok(response.get("content-security-policy").includes(`'sha256-${hash}'`));
  }
});

test("a page that is broken falls back to ours, and is logged once", async (t) => {
  const rows = [
    ["a placeholder in a script", "/denied/x", 403],
    ["a placeholder in an attribute without quotes", "/.edgeward/none", 404],
    ["text in href", "/%zz", 400],
  ];
  for (const [name, path, status] of rows) {
    await t.test(name, async () => {
      for (let round = 0; round < 3; round += 1) {
        const response = await get(path, PAGE);
        assert.equal(response.status, status);
        assert.doesNotMatch(response.text(), /broken page/);
        assert.match(response.text(), new RegExp(`data-status="${status}"`));
      }
      const told = (await gate.printed()).split("\n").filter((line) => line.includes(`pages/${status}.html`));
      assert.equal(told.length, 1, told.join("\n"));
    });
  }
});

test("a brand's own page that could not be had at first is asked for again", async () => {
  let asked = 0;
  const ASSETS = () => {
    asked += 1;
    return asked === 1 ? new Response("not now", { status: 503 }) : new Response(FILES[".edgeward/pages/401.html"]);
  };
  const options = { serviceBindings: { ASSETS } };
  await withGate({ policy: policy("assets", { brand: { name: "Acme" } }), secrets: secrets(), options }, async (gate) => {
    const page = async () => (await gate.request("/x", { headers: PAGE })).text();
    assert.doesNotMatch(await page(), /own page of/, "the built-in page meanwhile");
    assert.match(await page(), /own page of .*Acme/);
    assert.match(await page(), /own page of .*Acme/);
    assert.equal(asked, 2, "and once it is here, no more");
  });
});
