// Which language a page speaks: Accept-Language, the switch on the page and its cookie; and where the words come from.
// Contract §1 "ASSETS", §4 "Languages by Accept-Language", §6 `language`.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { policy, secrets } from "./given.mjs";
import { ROOT, SITE, startGate, withGate } from "./harness.mjs";

const LOCALES = join(ROOT, "www/.edgeward/locales");
const WORDS = Object.fromEntries(
  readdirSync(LOCALES).map((file) => [file.slice(0, -".json".length), JSON.parse(readFileSync(join(LOCALES, file)))]),
);
const TAGS = Object.keys(WORDS);
const PAGE = { Accept: "text/html" };

/** A binding that answers for the files of `www/`, and keeps what it was asked for. */
function assets(answer = (path) => readFileSync(join(ROOT, "www", path))) {
  const asked = [];
  const ASSETS = (request) => {
    const { pathname } = new URL(request.url);
    // Miniflare's own Response is a node one; a page of the brand's is not there.
    if (!pathname.startsWith("/.edgeward/locales/")) return new Response("", { status: 404 });
    asked.push(pathname);
    const answered = answer(pathname);
    return answered instanceof Response || answered instanceof Promise ? answered : new Response(answered);
  };
  return { asked, options: { serviceBindings: { ASSETS } } };
}

const settings = (options) => ({ policy: policy("http://127.0.0.1:9"), secrets: secrets(), options });

const { asked, options } = assets();
let gate;
before(async () => {
  gate = await startGate(settings(options));
});
after(() => gate?.stop());

const page = (headers, at = gate, path = "/x") => at.request(path, { headers: { ...PAGE, ...headers } });
const speaks = async (headers, at) => {
  const response = await page(headers, at);
  assert.equal(response.status, 401);
  const [, lang, dir] = /<html lang="([^"]*)" dir="([^"]*)"/.exec(response.text());
  assert.equal(response.get("content-language"), lang);
  assert.equal(dir, WORDS[lang].language.dir);
  return lang;
};
const headline = (tag) => WORDS[tag].pages["credentials-missing"].prompt.headline;

test("every language there is, by Accept-Language", async (t) => {
  for (const tag of TAGS) {
    await t.test(tag, async () => {
      const html = (await page({ "Accept-Language": tag })).text();
      assert.match(html, new RegExp(`<html lang="${tag}" dir="${WORDS[tag].language.dir}"`));
      assert.ok(html.includes(`<h1>${headline(tag)}</h1>`), html);
      assert.equal(html.split("<option ").length - 1, TAGS.length);
      assert.ok(html.includes(`selected>${WORDS[tag].language.name}</option>`));
    });
  }
});

test("what a browser asks for", async (t) => {
  const rows = [
    ["de-AT,de;q=0.9,en;q=0.8", "de"],
    ["tlh, fr;q=0.5", "fr"],
    ["tlh", "en"],
    ["", "en"],
    ["*", "en"],
    ["zh-TW,zh;q=0.9", "zh-Hant"],
    ["zh-CN", "zh-Hans"],
    ["pt-PT", "pt-BR"],
    ["en;q=0.1, ja", "ja"],
    ["../../policy, de;q=0.1", "de"],
  ];
  for (const [accept, wanted] of rows) {
    await t.test(accept, async () => assert.equal(await speaks({ "Accept-Language": accept }), wanted));
  }
  assert.equal(await speaks({}), "en");
});

test("a file is asked for once in an isolate, and English never is", async () => {
  await Promise.all(TAGS.map((tag) => speaks({ "Accept-Language": tag })));
  const before = asked.length;
  for (const tag of TAGS) await speaks({ "Accept-Language": tag });
  assert.equal(asked.length, before);
  assert.equal(new Set(asked).size, asked.length, asked.join());
  assert.ok(asked.every((path) => /^\/\.edgeward\/locales\/[A-Za-z-]+\.json$/.test(path)));
  assert.ok(!asked.includes("/.edgeward/locales/en.json"));
});

test("the cookie comes before Accept-Language, and holds a tag or nothing", async (t) => {
  const rows = [
    ["__Host-edgeward-lang=ja", "ja"],
    ["a=b; __Host-edgeward-lang=ja; c=d", "ja"],
    ["__Host-edgeward-lang=JA", "fr"],
    ["__Host-edgeward-lang=tlh", "fr"],
    ["__Host-edgeward-lang=", "fr"],
    ["__Host-edgeward-lang=../policy", "fr"],
    ["__Host-edgeward-lang=%6aa", "fr"],
    ['__Host-edgeward-lang="ja"', "fr"],
    ["edgeward-lang=ja", "fr"],
    ["=__Host-edgeward-lang=ja", "fr"],
  ];
  for (const [cookie, wanted] of rows) {
    await t.test(cookie, async () => assert.equal(await speaks({ "Accept-Language": "fr", Cookie: cookie }), wanted));
  }
  const local = { headers: { ...PAGE, Cookie: "edgeward-lang=ja" } };
  assert.match((await gate.request("http://localhost:8787/x", local)).text(), /<html lang="ja"/);
});

const OWN = { "Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded" };
const choose = (fields, { headers = OWN, at = `${SITE}/.edgeward/language`, method = "POST" } = {}) =>
  gate.request(at, { method, headers: { Accept: "application/json", ...headers }, body: new URLSearchParams(fields).toString() });

test("a choice is kept for a year, and the page is shown once more", async () => {
  const response = await choose({ language: "pt-BR", return_to: "/reports?year=2026&page=2" });
  assert.equal(response.status, 303);
  assert.equal(response.get("location"), `${SITE}/reports?year=2026&page=2`);
  const cookie = "__Host-edgeward-lang=pt-BR; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=31536000";
  assert.deepEqual(response.all("set-cookie"), [cookie]);
  assert.equal(response.get("cache-control"), "no-store");
  assert.equal(await speaks({ "Accept-Language": "fr", Cookie: cookie.split(";")[0] }), "pt-BR");
});

test("over plain http to loopback the cookie has no prefix and is not Secure", async () => {
  const at = "http://localhost:8787/.edgeward/language";
  const response = await choose({ language: "de", return_to: "/x" }, { at });
  assert.equal(response.get("location"), "http://localhost:8787/x");
  assert.equal(response.get("set-cookie"), "edgeward-lang=de; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000");
});

test("the form on the page does what its fields say", async () => {
  const html = (await page({ "Accept-Language": "de" }, gate, "/reports?year=2026&x=%22")).text();
  const form = /<form[^>]*action="\/\.edgeward\/language"[^>]*>(.*?)<\/form>/s.exec(html)[1];
  const hidden = /<input type="hidden" name="return_to" value="([^"]*)">/.exec(form)[1].replaceAll("&amp;", "&");
  assert.match(form, /<select name="language"/);
  assert.match(form, /<option value="ar" lang="ar">العربية<\/option>/);
  const response = await choose({ language: "ar", return_to: hidden });
  assert.equal(response.get("location"), `${SITE}/reports?year=2026&x=%22`);
});

test("a link that was opened stays one, though no page has its token in it", async () => {
  const path = "/x?access_token=eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl&b=1";
  const html = (await page({}, gate, path)).text();
  assert.doesNotMatch(html, /c2lnbmF0dXJl/);
  const return_to = /name="return_to" value="([^"]*)"/.exec(html)[1];
  assert.equal(return_to, "/x?b=1");
  const back = async (referer) => (await choose({ language: "de", return_to }, { headers: { ...OWN, Referer: referer } })).get("location");
  assert.equal(await back(`${SITE}${path}`), `${SITE}${path}`);
  for (const other of ["https://evil.example/x?b=1", `${SITE}/other`, `${SITE}.evil.example/x?b=1`, "nothing"]) {
    assert.equal(await back(other), `${SITE}/x?b=1`, other);
  }
});

test("a choice leads nowhere else", async (t) => {
  for (const bad of ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "x", "", "/a\r\nX: y", "/%2e%2e//evil"]) {
    await t.test(JSON.stringify(bad), async () => {
      const response = await choose({ language: "de", return_to: bad });
      assert.equal(response.status, 303);
      assert.equal(response.get("location"), `${SITE}/`);
    });
  }
});

test("what is no choice is refused, and sets nothing", async (t) => {
  const rows = [
    ["no form", {}, OWN, 400, "request-ambiguous"],
    ["a language that there is not", { language: "tlh" }, OWN, 400, "request-ambiguous"],
    ["a language in another spelling", { language: "DE" }, OWN, 400, "request-ambiguous"],
    ["a cookie of somebody's making", { language: "de; Domain=example" }, OWN, 400, "request-ambiguous"],
    ["another site", { language: "de" }, { ...OWN, "Sec-Fetch-Site": "cross-site" }, 403, "cross-site"],
    ["a site beside", { language: "de" }, { ...OWN, "Sec-Fetch-Site": "same-site" }, 403, "cross-site"],
    ["another origin", { language: "de" }, { "Content-Type": OWN["Content-Type"], Origin: "https://evil.example" }, 403, "cross-site"],
    ["an opaque origin", { language: "de" }, { "Content-Type": OWN["Content-Type"], Origin: "null" }, 403, "cross-site"],
    ["nobody's word for it", { language: "de" }, { "Content-Type": OWN["Content-Type"] }, 403, "cross-site"],
    ["text", { language: "de" }, { ...OWN, "Content-Type": "text/plain" }, 403, "cross-site"],
    ["too much", { language: "de", more: "x".repeat(20_000) }, OWN, 413, "content-too-large"],
  ];
  for (const [name, fields, headers, status, cause] of rows) {
    await t.test(name, async () => {
      const response = await choose(fields, { headers });
      assert.equal(response.status, status);
      assert.equal(response.json().cause, cause);
      assert.equal(response.get("set-cookie"), undefined);
    });
  }
  const same = await choose({ language: "de", return_to: "/" }, { headers: { "Content-Type": OWN["Content-Type"], Origin: SITE } });
  assert.equal(same.status, 303, "an older browser");
});

test("GET chooses nothing", async () => {
  for (const method of ["GET", "HEAD", "PUT"]) {
    const response = await gate.request("/.edgeward/language?language=de", { method, headers: OWN });
    assert.equal(response.status, 405, method);
    assert.equal(response.get("allow"), "POST");
    assert.equal(response.get("set-cookie"), undefined);
  }
  const html = (await page({}, gate, "/.edgeward/language")).text();
  assert.match(html, /name="return_to" value="\/"/, "back to where a page is");
});

test("the words themselves are served to nobody", async () => {
  for (const path of ["/.edgeward/locales/de.json", "/.edgeward/locales/en.json", "/.edgeward/locales/"]) {
    assert.equal((await gate.request(path)).status, 404, path);
  }
});

test("our cookie does not reach the origin", async () => {
  const { startOrigin } = await import("./origin.mjs");
  const origin = await startOrigin();
  try {
    await withGate({ policy: policy(origin), secrets: secrets() }, async (gate) => {
      const seen = await gate.request("/public/x", { headers: { Cookie: "a=1; __Host-edgeward-lang=de; b=2" } });
      assert.equal(seen.origin().get("cookie"), "a=1; b=2");
    });
  } finally {
    await origin.stop();
  }
});

test("programs and terminals are answered in English, and nothing is asked for them", async () => {
  const own = assets();
  await withGate(settings(own.options), async (gate) => {
    const german = { "Accept-Language": "de", Cookie: "__Host-edgeward-lang=de" };
    const text = await gate.request("/x", { headers: { Accept: "text/plain", ...german } });
    assert.match(text.text(), /^401 Credentials are missing\n\n[^]*\n\nMore: \/\.edgeward\/problems\/credentials-missing\nReference: /);
    const problem = await gate.request("/x", { headers: { Accept: "application/json", ...german } });
    assert.equal(problem.json().title, "Credentials are missing");
    const explained = await page(german, gate, "/.edgeward/problems/denied");
    assert.match(explained.text(), /<html lang="en" dir="ltr"/);
    assert.equal(explained.get("content-language"), "en");
    assert.doesNotMatch(explained.text(), /<select/);
    assert.deepEqual(own.asked, []);
  });
});

test("HEAD has the fields of the page, and no content", async () => {
  const own = assets();
  await withGate(settings(own.options), async (gate) => {
    const response = await gate.request("/x", { method: "HEAD", headers: { ...PAGE, "Accept-Language": "ko" } });
    assert.equal(response.status, 401);
    assert.equal(response.get("content-language"), "ko");
    assert.equal(response.content.length, 0);
  });
});

test("without the binding all is English, there is no switch, and the log says so once", async () => {
  await withGate(settings(), async (gate) => {
    for (let round = 0; round < 3; round += 1) assert.equal(await speaks({ "Accept-Language": "de" }, gate), "en");
    assert.doesNotMatch((await page({}, gate)).text(), /<select/);
    const told = (await gate.printed()).split("\n").filter((line) => line.includes("locales/de.json"));
    assert.equal(told.length, 1, told.join("\n"));
    assert.match(told[0], /there is no binding ASSETS/);
  });
});

test("a file that is none falls back to what is there, is logged once, and is not asked for again", async (t) => {
  const rows = [
    ["missing", () => new Response("", { status: 404 }), /there is no such file/],
    ["a page instead", () => "<!doctype html><title>Our app</title>", /line 1, column 1/],
    ["cut off", (path) => readFileSync(join(ROOT, "www", path), "utf8").slice(0, 999), /line \d+, column \d+/],
    ["another language", () => readFileSync(join(LOCALES, "fr.json")), /language\.tag is not de/],
    ["empty", () => "", /there is no such file/],
  ];
  for (const [name, german, said] of rows) {
    await t.test(name, async () => {
      const own = assets((path) => (path.endsWith("/de.json") ? german(path) : readFileSync(join(ROOT, "www", path))));
      await withGate(settings(own.options), async (gate) => {
        assert.equal(await speaks({ "Accept-Language": "de, fr;q=0.5" }, gate), "en", "nothing else is there yet");
        assert.equal(await speaks({ "Accept-Language": "fr" }, gate), "fr");
        assert.equal(await speaks({ "Accept-Language": "de, fr;q=0.5" }, gate), "fr", "the next that is there");
        assert.equal(await speaks({ Cookie: "__Host-edgeward-lang=de" }, gate), "en");
        assert.equal(own.asked.filter((path) => path.endsWith("/de.json")).length, 1);
        const told = (await gate.printed()).split("\n").filter((line) => line.includes("locales/de.json"));
        assert.equal(told.length, 1, told.join("\n"));
        assert.match(told[0], said);
      });
    });
  }
});

test("a binding that fails, or hangs, holds up no page", async (t) => {
  const rows = [
    ["fails", () => new Response("", { status: 503 })],
    ["throws", () => Promise.reject(new Error("down"))],
    ["hangs", () => new Promise(() => {})],
  ];
  for (const [name, answer] of rows) {
    await t.test(name, async () => {
      const own = assets(answer);
      await withGate(settings(own.options), async (gate) => {
        const began = Date.now();
        assert.equal(await speaks({ "Accept-Language": "de" }, gate), "en");
        assert.ok(Date.now() - began < 15_000, "in time");
        const again = Date.now();
        for (let round = 0; round < 5; round += 1) assert.equal(await speaks({ "Accept-Language": "de" }, gate), "en");
        assert.ok(Date.now() - again < 3000, "nobody waits a second time for a while");
        assert.equal(own.asked.length, 1);
        assert.match(await gate.printed(), /locales\/de\.json: it could not be read/);
      });
    });
  }
});

test("many at once get the language they read", async () => {
  const own = assets((path) => new Promise((done) => setTimeout(() => done(new Response(readFileSync(join(ROOT, "www", path)))), 50)));
  await withGate(settings(own.options), async (gate) => {
    const said = await Promise.all(Array.from({ length: 12 }, (_, at) => speaks({ "Accept-Language": at % 2 ? "de" : "ja" }, gate)));
    assert.deepEqual(new Set(said.filter((_, at) => at % 2)), new Set(["de"]));
    assert.deepEqual(new Set(said.filter((_, at) => !(at % 2))), new Set(["ja"]));
  });
});

test("a word that a file of the brand's lacks is said in English", async () => {
  const brand = () => {
    const words = structuredClone(WORDS.de);
    words.pages["credentials-missing"].prompt.headline = "Bitte klopfen";
    delete words.labels.help;
    delete words.pages.denied;
    return JSON.stringify(words);
  };
  const own = assets(brand);
  await withGate(settings(own.options), async (gate) => {
    const html = (await page({ "Accept-Language": "de" }, gate)).text();
    assert.match(html, /<h1>Bitte klopfen<\/h1>/);
    assert.ok(html.includes(WORDS.en.labels.help) && html.includes(WORDS.de.labels.steps));
    const denied = (await page({ "Accept-Language": "de" }, gate, "/denied/x")).text();
    assert.ok(denied.includes(WORDS.en.pages.denied.plain.headline));
  });
});
