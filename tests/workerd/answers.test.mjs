// What a refusal looks like: status, cause, form, fields, pages. Contract §4.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { ANN, CAUSES, EVIL_USER, PAGE, PROBLEM, RAY, settings } from "./causes.mjs";
import { STATUS, eachRow, passed, shared } from "./expect.mjs";
import { basic, bearer, jwt, now, policy, secrets } from "./given.mjs";
import { withGate } from "./harness.mjs";

const world = shared(settings);
const { ask, passes } = world;
const REFERENCE = /^[0-9a-f]{16}(-[A-Z]{3})?$/;

const send = (path, headers, method = "GET", form = PROBLEM) =>
  world.gate.request(path, { method, headers: { "CF-Ray": RAY, ...form, ...headers } });

test("problem details (RFC 9457): type, title, status, detail, instance, cause, reference", async (t) => {
  for (const [cause, path, headers, method] of CAUSES) {
    await t.test(`${cause} ${method ?? ""}${path}`, async () => {
      const response = await send(path, headers, method);
      assert.match(response.get("content-type"), /^application\/problem\+json(;|$)/);
      const problem = response.json();
      assert.equal(response.status, STATUS[cause]);
      assert.equal(problem.status, STATUS[cause]);
      assert.equal(problem.cause, cause);
      assert.equal(problem.reference, RAY);
      assert.equal(problem.instance, `urn:edgeward:${RAY}`);
      assert.equal(
        new URL(problem.type, new URL(path, "https://acme.example")).pathname,
        `/.edgeward/problems/${cause}`,
      );
      assert.equal(new URL(problem.type, "https://acme.example").hostname, "acme.example");
      for (const member of ["title", "detail"])
        assert.ok(typeof problem[member] === "string" && problem[member].length > 3, member);
    });
  }
});

test("the page says the same: lang, data-status, data-cause, reference", async (t) => {
  for (const [cause, path, headers, method] of CAUSES) {
    await t.test(`${cause} ${method ?? ""}${path}`, async () => {
      const response = await send(path, headers, method, PAGE);
      assert.equal(response.status, STATUS[cause]);
      assert.match(response.get("content-type"), /^text\/html;\s*charset=utf-8$/i);
      const html = response.text();
      const root = /<html\b[^>]*>/.exec(html)?.[0] ?? "";
      assert.match(root, /\blang="en/);
      assert.match(root, new RegExp(`\\bdata-status="${STATUS[cause]}"`));
      assert.match(root, new RegExp(`\\bdata-cause="${cause}"`));
      assert.ok(html.includes(RAY), "the reference is shown");
      checkPage(response);
    });
  }
});

/** No script needed, nothing from elsewhere, and a CSP whose hashes are those of what is in it. */
function checkPage(response) {
  const html = response.text();
  const policy_ = contentSecurityPolicy(response);
  const contents = (tag) =>
    [...html.matchAll(new RegExp(`<${tag}\\b[^>]*>([\\s\\S]*?)</${tag}>`, "g"))].map(([, text]) => text);
  const hashOf = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  for (const text of contents("style")) assert.ok(policy_["style-src"].includes(hashOf(text)), "the style's hash");
  for (const text of contents("script")) assert.ok(policy_["script-src"].includes(hashOf(text)), "the script's hash");
  assert.doesNotMatch(html, /\son[a-z]+\s*=/i, "no handler attributes");
  assert.doesNotMatch(html, /\sstyle\s*=\s*["']/i, "no style attributes: the policy would not let them work");
  assert.doesNotMatch(
    html,
    /<(?:script|link|img|iframe|source|video|audio|object|embed)\b[^>]*\b(?:src|href|data)\s*=\s*["']?(?:https?:)?\/\//i,
  );
  assert.doesNotMatch(html, /\{\{/, "no placeholder is left");
  assert.doesNotMatch(html, /edgeward(?![/-])/i, "the brand owns the page");
  assert.ok(Buffer.byteLength(html) < 14 * 1024, `${Buffer.byteLength(html)} octets`);
}

function contentSecurityPolicy(response) {
  const text = response.get("content-security-policy") ?? "";
  return Object.fromEntries(
    text
      .split(";")
      .map((part) => part.trim().split(/\s+/))
      .filter(([name]) => name)
      .map(([name, ...values]) => [name, values]),
  );
}

test("fields of every answer of our own", async (t) => {
  for (const [name, form] of [
    ["HTML", PAGE],
    ["problem+json", PROBLEM],
    ["text", { Accept: "*/*" }],
    ["nothing", { "Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors" }],
  ]) {
    for (const [cause, path, headers, method] of CAUSES) {
      await t.test(`${name}: ${cause} ${method ?? ""}${path}`, async () => {
        const response = await send(path, headers, method, form);
        assert.equal(response.status, STATUS[cause]);
        assert.equal(response.get("cache-control"), "no-store");
        assert.equal(response.get("x-content-type-options"), "nosniff");
        assert.equal(response.get("x-frame-options"), "DENY");
        assert.equal(response.get("referrer-policy"), form === PAGE ? "same-origin" : "no-referrer");
        const said = contentSecurityPolicy(response);
        assert.deepEqual(said["default-src"], ["'none'"]);
        assert.deepEqual(said["frame-ancestors"], ["'none'"]);
        assert.deepEqual(said["base-uri"], ["'none'"]);
        assert.ok(!/unsafe|\*|http/.test(response.get("content-security-policy")), "nothing unsafe is let");
        if (form === PAGE) {
          assert.deepEqual(said["img-src"], ["'self'", "data:"]);
          assert.deepEqual(said["form-action"], ["'self'"]);
        }
        assert.equal(
          response.get("strict-transport-security"),
          path.startsWith("http:") ? undefined : "max-age=31536000",
        );
      });
    }
  }
});

test("form: what the client can read", async (t) => {
  const [HTML, JSON_, TEXT] = ["text/html", "application/problem+json", "text/plain"];
  await eachRow(
    t,
    [
      ["nothing said", {}, TEXT],
      ["*/*", { Accept: "*/*" }, TEXT],
      ["none of the three", { Accept: "image/png" }, TEXT],
      ["text/html", { Accept: "text/html" }, HTML],
      ["application/json", { Accept: "application/json" }, JSON_],
      ["application/problem+json", { Accept: "application/problem+json" }, JSON_],
      ["text/plain", { Accept: "text/plain" }, TEXT],
      ["names in upper case", { Accept: "TEXT/HTML" }, HTML],
      ["an old browser", { Accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8" }, HTML],
      ["equal: problem+json before HTML", { Accept: "text/html, application/json" }, JSON_],
      ["equal: HTML before text", { Accept: "text/plain, text/html" }, HTML],
      ["q decides", { Accept: "application/json;q=0.5, text/html;q=0.9" }, HTML],
      ["q decides the other way", { Accept: "text/html;q=0.8, text/plain" }, TEXT],
      ["q=0 is none", { Accept: "text/html;q=0" }, TEXT],
      ["axios", { Accept: "application/json, text/plain, */*" }, JSON_],
      ["a parameter", { Accept: "text/html;level=1" }, HTML],
      ["nonsense", { Accept: ",;q=,;,/" }, TEXT],
      ["navigation", { "Sec-Fetch-Mode": "navigate" }, HTML],
      ["navigation, whatever Accept says", { "Sec-Fetch-Mode": "navigate", Accept: "application/json" }, HTML],
      ["fetch()", { "Sec-Fetch-Mode": "cors", Accept: "*/*" }, JSON_],
      ["fetch() without Accept", { "Sec-Fetch-Mode": "cors" }, JSON_],
      ["fetch() for HTML", { "Sec-Fetch-Mode": "cors", Accept: "text/html" }, HTML],
      ["fetch() for text", { "Sec-Fetch-Mode": "same-origin", Accept: "text/plain" }, TEXT],
      [
        "fetch() for JSON rather than HTML",
        { "Sec-Fetch-Mode": "cors", Accept: "application/json, text/html;q=0.5" },
        JSON_,
      ],
    ],
    async (headers, type) => {
      for (const [path, more] of [
        ["/x", {}],
        ["/denied/x", {}],
        ["/scoped/x", ANN],
      ]) {
        const response = await world.gate.request(path, { headers: { ...more, ...headers } });
        assert.equal(response.get("content-type").split(";")[0], type, path);
        assert.ok(response.content.length > 0);
      }
    },
  );
});

test("images, styles, scripts and fonts get no content", async (t) => {
  for (const dest of ["image", "style", "script", "font"]) {
    await t.test(dest, async () => {
      const response = await world.gate.request("/x", {
        headers: { "Sec-Fetch-Dest": dest, "Sec-Fetch-Mode": "no-cors", Accept: "*/*" },
      });
      assert.equal(response.status, 401);
      assert.equal(response.content.length, 0);
    });
  }
});

test("text is short, one can read it, and it says cause or words, and the reference", async (t) => {
  for (const [cause, path, headers, method] of CAUSES) {
    await t.test(`${cause} ${method ?? ""}${path}`, async () => {
      const response = await send(path, headers, method, { Accept: "*/*" });
      assert.match(response.get("content-type"), /^text\/plain;\s*charset=utf-8$/i);
      assert.ok(response.content.length > 20 && response.content.length < 600, `${response.content.length} octets`);
      assert.ok(response.text().includes(RAY));
      assert.doesNotMatch(response.text(), /[<>]/);
    });
  }
});

test("HEAD: the same fields, no content", async (t) => {
  const fields = ({ rawHeaders }) =>
    rawHeaders
      .map((text, i) => (i % 2 ? text : text.toLowerCase()))
      .reduce((out, text, i, all) => (i % 2 ? [...out, `${all[i - 1]}: ${text}`] : out), [])
      .filter((line) => !/^(content-length|transfer-encoding|date|connection):/.test(line))
      .sort();
  for (const form of [PAGE, PROBLEM, { Accept: "*/*" }]) {
    for (const [cause, path, headers] of CAUSES.filter(([, , , method]) => !method)) {
      await t.test(`${form.Accept} ${cause}`, async () => {
        const get = await send(path, headers, "GET", form);
        const head = await send(path, headers, "HEAD", form);
        assert.equal(head.status, get.status);
        assert.deepEqual(fields(head), fields(get));
        assert.equal(head.content.length, 0);
      });
    }
  }
});

test("the reference is CF-Ray where it has its form, else random", async (t) => {
  for (const ray of ["0123456789abcdef", "0123456789abcdef-AMS"]) {
    await t.test(ray, async () =>
      assert.equal((await ask("/x", { headers: { "CF-Ray": ray } })).json().reference, ray),
    );
  }
  for (const ray of [
    "",
    "x",
    "0123456789ABCDEF",
    "0123456789abcdef-ams",
    "0123456789abcdef-AMSX",
    ' "><script>',
    `0123456789abcdef-AMS, 0123456789abcdef-AMS`,
  ]) {
    await t.test(JSON.stringify(ray), async () => {
      const references = new Set();
      for (let i = 0; i < 3; i += 1) {
        const { reference } = (await ask("/x", { headers: { "CF-Ray": ray } })).json();
        assert.match(reference, /^[0-9a-f]{16}$/);
        references.add(reference);
      }
      assert.equal(references.size, 3);
    });
  }
  await t.test("none", async () => assert.match((await ask("/x")).json().reference, REFERENCE));
});

test("problem details say when a token expired", async () => {
  const problem = (await send("/x", bearer(jwt({ claims: { exp: now() - 100 } })))).json();
  assert.ok(problem.expired_at !== undefined);
  assert.equal((await send("/x", {})).json().expired_at, undefined);
});

test("no claim is shown before the signature holds", async () => {
  const forged = jwt({
    key: "x",
    claims: { sub: "sub-unproven-4711", iss: "iss-unproven-4711", exp: 1, name: "name-unproven-4711" },
  });
  for (const form of [PAGE, PROBLEM, { Accept: "*/*" }]) {
    const response = await send("/x", bearer(forged), "GET", form);
    assert.doesNotMatch(response.text() + response.rawHeaders.join(), /unproven-4711/);
  }
});

test("nothing of a request becomes markup", async (t) => {
  const attack = '"><script>alert(1)</script>';
  const encoded = encodeURIComponent(attack);
  const requests = [
    ["path", `/${encoded}`, {}],
    ["path, encoded twice", `/${encodeURIComponent(encoded)}`, {}],
    ["query", `/x?q=${encoded}`, {}],
    ["query, raw apostrophes", "/x?q='onload='alert(1)", {}],
    ["user-id, wrong", "/x", basic(attack, "x")],
    ["user-id, right but not allowed", "/past/x", basic(EVIL_USER, "evil-answers-pw-4")],
    ["claims", "/past/x", bearer(jwt({ claims: { sub: attack, groups: [attack] } }))],
    ["kid", "/x", bearer(jwt({ header: { kid: attack } }))],
    ["Referer", "/x", { Referer: `https://evil.example/${attack}` }],
    ["Accept-Language", "/x", { "Accept-Language": attack }],
    ["CF-Ray", "/x", { "CF-Ray": attack }],
    ["User-Agent", "/x", { "User-Agent": attack }],
    ["Host", { path: "/x", authority: 'a"b.example' }, {}],
    ["reserved path", `/.edgeward/problems/${encoded}`, {}],
    ["reserved path below", `/.edgeward/${encoded}`, {}],
  ];
  for (const [name, target, headers] of requests) {
    await t.test(name, async () => {
      const response = await world.gate.request(target, { headers: { ...PAGE, ...headers } });
      assert.doesNotMatch(response.text(), /<script>alert|"><script|'onload='/i);
      assert.doesNotMatch(response.rawHeaders.join("\n"), /<script>/);
    });
  }
});

test("CR and LF of a decoded path or user-id do not become fields", async () => {
  for (const [path, headers] of [
    ["/x%0d%0aSet-Cookie:%20a=b", {}],
    ["/past/x", basic("a\r\nX-Evil: 1", "x")],
    ["/.edgeward/problems/x%0d%0aX-Evil:1", {}],
    ["http://acme.example/x%0d%0aX-Evil:%201", {}],
  ]) {
    const response = await send(path, headers);
    assert.ok(!response.get("x-evil") && !response.get("set-cookie"));
  }
});

test("the brand is on the page: name, support, notice, and markup in them is text", async () => {
  const html = (await send("/x", {}, "GET", PAGE)).text();
  assert.match(html, /Acme &amp; Söhne/);
  assert.match(html, /mailto:help@acme\.example/);
  assert.match(html, /Maintenance on Sunday/);
  const brand = { name: "<b>\"A'", notice: "<img src=x onerror=alert(1)>" };
  await withGate({ policy: policy(world.origin, { brand }), secrets: secrets() }, async (gate) => {
    const page = (await gate.request("/x", { headers: PAGE })).text();
    assert.doesNotMatch(page, /<b>"A|<img src=x/);
  });
});

test("report mode lets pass what that very rule would refuse, without identity, and logs it", async (t) => {
  const seen = await passes("/report/x");
  assert.equal(seen.get("x-edgeward-user"), undefined);
  assert.equal(seen.get("x-edgeward-groups"), undefined);
  const claims = JSON.parse(Buffer.from((seen.get("x-edgeward-assertion") ?? ".e30.").split(".")[1], "base64url"));
  assert.ok(!("sub" in claims), "an assertion, if there is one, names nobody");
  await t.test("wrong credentials pass, and are off", async () => {
    const view = await passes("/report/x", { headers: basic("ann", "wrong") });
    assert.equal(view.get("authorization"), undefined);
    assert.equal(view.get("x-edgeward-user"), undefined);
  });
  await t.test("an expired token passes", () => passes("/report/x", { headers: bearer(jwt({ claims: { exp: 1 } })) }));
  await t.test("not-allowed and insufficient-scope pass", () => passes("/report-staff/x", { headers: bearer(jwt()) }));
  await t.test("who is right is told", async () =>
    assert.equal((await passes("/report/x", { headers: ANN })).get("x-edgeward-user"), "ann"),
  );
  await t.test("every other refusal stands", async () => {
    await world.refuses(
      "/report/x",
      {
        headers: [
          ["Authorization", ANN.Authorization],
          ["Authorization", ANN.Authorization],
        ],
      },
      "request-ambiguous",
    );
    await world.refuses(
      "/report/x",
      { method: "POST", headers: { ...ANN, "Sec-Fetch-Site": "cross-site" } },
      "cross-site",
    );
    await world.refuses("/report/x", { headers: basic("sam", "sam-answers-pw-2") }, "account-suspended");
    await world.refuses("http://acme.example/report/x", { method: "POST" }, "insecure-transport");
    await world.refuses("/report/%zz", {}, "request-ambiguous");
  });
  await t.test("the log has it", async () => assert.match(await world.gate.printed(), /credentials-missing/));
});

test("401 and 403 of the origin pass unchanged", async () => {
  for (const status of [401, 403]) {
    const response = await world.gate.request(`/x/as/status/${status}`, { headers: ANN });
    assert.equal(response.status, status);
    assert.equal(response.text(), "from the origin");
    assert.equal(response.get("x-origin"), "yes");
    assert.match(response.get("www-authenticate"), /Foo realm="a".*Bar realm="b"/);
    assert.equal(response.get("content-security-policy"), undefined);
  }
});

test("a good request is not weighed down with fields of refusals", async () => {
  const response = await world.gate.request("/x", { headers: ANN });
  passed(response);
  for (const name of ["www-authenticate", "content-security-policy", "x-frame-options", "strict-transport-security"])
    assert.equal(response.get(name), undefined, name);
});
