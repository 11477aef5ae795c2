// What others met whose people sign in by a page: addresses that lead elsewhere (9), fixed sessions (14), half a sign-in taken
// for a whole one (15), cookies read in two ways (16), values that are moved (17), forms of other sites (18), scripts in
// what is shown (31), odd names (33). The numbers are the attack list's.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { eachRow, refused, shared } from "./expect.mjs";
import { PASSWORDS, USERS, base64url, passwordLine, secrets } from "./given.mjs";
import { HOST, withGate } from "./harness.mjs";
import { Browser, DEVICE, FORM, RULES, SESSION, SIGN_IN, SITE, cookiesOf, pageOf, signedIn } from "./people.mjs";
import { code, factor, recoveryCodes, wrongCode } from "./totp.mjs";
import { NAVIGATION } from "./visitor.mjs";

const LEDGER = { durableObjects: { EDGEWARD_LEDGER: { className: "Ledger", useSQLite: true } } };
const TESS = factor("bob");
const OTHER = factor("cafe", { digits: 8 });
/** User-ids that something might read in another way. */
const ODD = ["a@b@c.example", "ANN", "ann\u202e", "\u0430nn", "..", "x\u00a0y", "%00", "<b>ann</b>", "{{user}}", "__proto__", "a,b"];
const oddPassword = (user) => `odd-password-of-${Buffer.from(user).toString("hex")}`;
const EVIL = "https://evil.example";
const SIGN_OUT = "/.edgeward/sign-out";

const POLICY = { rules: RULES, session: { hosts: ["https://other.example"] } };
const SECRETS = {
  EDGEWARD_USERS: [USERS, ...ODD.map((user) => passwordLine(user, oddPassword(user)))].join("\n"),
  EDGEWARD_TOTP: [TESS.line, OTHER.line].join("\n"),
};
const world = shared(() => ({ policy: POLICY, secrets: SECRETS, options: LEDGER }));
const browser = (more) => new Browser(world.gate, more);
const cookieOf = (browserOfIt, name = SESSION) => browserOfIt.jar.get(name);
const holding = (value, name = SESSION) => browser({ jar: new Map([[name, value]]) });
const whoami = async (it) => {
  const response = await it.fetch("/.edgeward/whoami");
  return response.status === 200 ? response.json().user : response.json().cause;
};
async function signedInAs(user, more) {
  const it = browser(more);
  signedIn(await it.signIn(user, { return_to: "/" }), `${it.site}/`, it.site === SITE ? SESSION : undefined);
  return it;
}

// 9. oauth2-proxy GHSA-qqxw-m5fj-f7gv, CVE-2020-11053, mod_auth_openidc CVE-2021-32786
const ELSEWHERE = [
  "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "/\n/evil.example", "\t//evil.example",
  "/%09/evil.example", "/%5cevil.example", "/.//evil.example", "/..//evil.example", "/a/..//evil.example", "/%2e%2e//evil.example", "https:evil.example",
  "https:/evil.example", "https:\\\\evil.example", "HTTPS://EVIL.EXAMPLE", "http://evil.example", "//evil.example:443", "javascript:alert(1)",
  "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", "data:text/html,x", "vbscript:x", "blob:x", "file:///etc/passwd", "ftp://evil.example",
  `${SITE}@evil.example`, `https://${HOST}:x@evil.example`, `${SITE}.evil.example`, `${SITE}\\@evil.example`, `${SITE}%2eevil.example`,
  `http://${HOST}/`, `${SITE}:8443/`, "https://other.example.evil.example", "https://other.example@evil.example", "https://otherXexample/",
  "/a\r\nLocation: https://evil.example", "/a\u2028b", "//%65vil.example", "/\u3002evil.example", "?//evil.example", "#//evil.example", "evil.example", "",
];

test("9: no address leads to another site", async (t) => {
  const allowed = [SITE, "https://other.example"];
  const stays = (text, from) => {
    const url = new URL(text, `${SITE}${SIGN_IN}`);
    assert.ok(allowed.includes(url.origin), `${JSON.stringify(from)} leads to ${text}`);
  };
  const signedInAlready = await signedInAs("ann");
  for (const target of ELSEWHERE) {
    await t.test(JSON.stringify(target), async () => {
      for (const it of [browser(), signedInAlready.tab()]) {
        const response = await it.signIn("ann", { return_to: target });
        assert.equal(response.status, 303);
        stays(response.get("location"), target);
        assert.deepEqual(response.all("location").length, 1);
        stays((await it.signInByFetch("ann", { return_to: target })).json().return_to, target);
      }
      const wrong = await browser().post(SIGN_IN, { username: "ann", password: "x", return_to: target });
      stays(pageOf(wrong).inputs.return_to, target);
      for (const it of [browser(), signedInAlready.tab()]) {
        const page = await it.open(`${SIGN_IN}?return_to=${encodeURIComponent(target)}`);
        assert.equal(page.status, 200);
        for (const [, href] of page.text().matchAll(/(?:href|action|value)="(https?:[^"]*|\/[^"]*)"/g)) stays(href.replaceAll("&amp;", "&"), target);
      }
    });
  }
});

// 14. oauth2-proxy GHSA-f24x-5g9q-753f
test("14: what a browser was made to hold before a sign-in is worth nothing after it", async (t) => {
  await t.test("a session of the attacker's", async () => {
    const planted = cookieOf(await signedInAs("ann"));
    const victim = holding(planted);
    signedIn(await victim.signIn("café", { return_to: "/" }));
    assert.notEqual(cookieOf(victim), planted);
    assert.equal(await whoami(victim), "café");
    assert.equal(await whoami(holding(planted)), "ann", "it is still who it was");
  });
  await t.test("a value of the attacker's choice: taken away where it is seen, and never taken over", async () => {
    for (const planted of ["x", "A".repeat(120), base64url(randomBytes(90))]) {
      const victim = holding(planted);
      const page = await victim.open("/app/a");
      assert.deepEqual([page.status, pageOf(page).cause], [401, "session-invalid"]);
      assert.equal(victim.jar.has(SESSION), false);
      const quick = holding(planted);
      signedIn(await quick.signIn("ann", { return_to: "/" }));
      assert.notEqual(cookieOf(quick), planted);
    }
  });
  await t.test("half a session", async () => {
    const it = browser();
    signedIn(await it.signIn("bob", { return_to: "/" }));
    const half = cookieOf(it);
    signedIn(await it.post(SIGN_IN, { code: code(TESS), return_to: "/" }));
    assert.notEqual(cookieOf(it), half);
    assert.equal(await whoami(it), "bob");
    assert.equal(await whoami(holding(half)), "second-factor-required", "it stays half of one");
  });
  await t.test("each sign-in has another", async () => {
    const values = await Promise.all([1, 2, 3, 4].map(async () => cookieOf(await signedInAs("ann"))));
    assert.equal(new Set(values).size, 4);
  });
});

// 15. tinyauth
test("15: the cookie after the first factor opens the second form and nothing else", async (t) => {
  const half = async () => {
    const it = browser();
    signedIn(await it.signIn("bob", { return_to: "/app/secret?x=1" }), `${SITE}/app/secret?x=1`);
    return it;
  };
  await t.test("no path of the origin", async () => {
    const it = await half();
    for (const path of ["/app/a", "/both/a", "/api/a", "/staff/a", "/"]) {
      const before = await world.origin.count();
      refused(await it.fetch(path), "second-factor-required");
      for (const method of ["POST", "HEAD", "PUT"]) assert.equal((await it.fetch(path, { method })).status, 401, method);
      assert.equal(await world.origin.count(), before, path);
    }
    const seen = (await it.fetch("/public/a")).origin();
    assert.equal(seen.get("x-edgeward-user"), undefined);
    assert.equal(seen.get("cookie"), undefined);
  });
  await t.test("no path of ours", async () => {
    const it = await half();
    refused(await it.fetch("/.edgeward/whoami"), "second-factor-required");
    for (const method of ["GET", "POST"]) {
      const response = await it.fetch("/.edgeward/session", { method });
      assert.equal(response.status, 401);
      assert.equal(response.get("set-cookie"), undefined, "nothing is extended");
    }
  });
  await t.test("the second form, at the same address", async () => {
    const it = await half();
    for (const path of ["/app/secret?x=1", `${SIGN_IN}?return_to=%2Fapp%2Fsecret%3Fx%3D1`]) {
      const { status, cause, inputs } = pageOf(await it.open(path));
      assert.deepEqual([status, cause], [401, "second-factor-required"], path);
      assert.ok("code" in inputs && !("password" in inputs), path);
      assert.equal(inputs.return_to, "/app/secret?x=1");
    }
  });
  await t.test("a wrong code, one of somebody else, one of another length: still half in", async () => {
    const it = await half();
    for (const typed of [wrongCode(TESS), code(OTHER), `${code(TESS)}0`, code(TESS).slice(1), "", "abcdef"]) {
      const response = await it.post(SIGN_IN, { code: typed, return_to: "/app/a" });
      assert.ok([401, 429].includes(response.status), typed);
      assert.equal(cookiesOf(response)[SESSION], undefined);
      assert.equal(await whoami(it), "second-factor-required");
    }
  });
  await t.test("a code without it", async () => {
    const response = await browser().fetch(SIGN_IN, { method: "POST", headers: { "Content-Type": FORM }, body: `code=${code(OTHER)}` });
    refused(response, "credentials-missing");
  });
  await t.test("a script is told that a step is left, and a recovery code is one", async () => {
    const it = browser();
    const first = await it.signInByFetch("cafe", { return_to: "/app/a" });
    assert.deepEqual(first.json(), { signed_in: false, second_factor: true, return_to: `${SITE}/app/a` });
    const [recovery] = recoveryCodes(OTHER);
    const send = () => it.fetch(SIGN_IN, { method: "POST", headers: { "Content-Type": FORM }, body: new URLSearchParams({ recovery, return_to: "/app/a" }).toString() });
    assert.deepEqual((await send()).json(), { signed_in: true, second_factor: false, return_to: `${SITE}/app/a` });
    assert.equal(await whoami(it), "cafe");
    refused(await send(), "credentials-wrong");
  });
  await t.test("in a tab that was opened to sign in, the second form comes before it can be closed", async () => {
    const it = browser();
    const response = await it.signIn("cafe", { tab: "1", return_to: "/app/a" });
    assert.equal(response.status, 303);
    const next = new URL(response.get("location"));
    assert.equal(next.origin + next.pathname, `${SITE}${SIGN_IN}`);
    const { inputs } = pageOf(await it.open(next.pathname + next.search));
    assert.deepEqual([inputs.tab, inputs.return_to], ["1", "/app/a"]);
    const done = await it.post(SIGN_IN, { recovery: recoveryCodes(OTHER)[1], tab: "1", return_to: "/app/a" });
    assert.equal(pageOf(done).page, "signed-in-tab");
  });
});

// 16. name prefixes bypassed by white space and nameless cookies; Hono CVE-2026-29086
test("16: a cookie of ours has one reading, or none", async (t) => {
  const ann = cookieOf(await signedInAs("ann"));
  const other = cookieOf(await signedInAs("café"));
  const nbsp = Buffer.from(`\u00a0${SESSION}=${ann}`);
  await eachRow(t, [
    ["alone", [`${SESSION}=${ann}`], 200],
    ["among others", [`a=1; ${SESSION}=${ann}; b="2"`], 200],
    ["white space that HTTP knows", [`a=1;  ${SESSION} =\t${ann} ;b=2`], 200],
    ["two of them", [`${SESSION}=${ann}; ${SESSION}=${other}`], 400],
    ["the same twice", [`${SESSION}=${ann}; ${SESSION}=${ann}`], 400],
    ["two lines", [`${SESSION}=${ann}`, `${SESSION}=${other}`], 400],
    ["one of them empty", [`${SESSION}=; ${SESSION}=${ann}`], 400],
    ["nameless", [`=${SESSION}=${ann}`], 401],
    ["nameless beside a good one", [`=${SESSION}=${other}; ${SESSION}=${ann}`], 200],
    ["a no-break space before the name", [nbsp], 401],
    ["quoted", [`${SESSION}="${ann}"`], 401],
    ["another case", [`${SESSION.toUpperCase()}=${ann}`], 401],
    ["percent-encoded", [`${SESSION.replace("_", "%5F")}=${ann}`], 401],
    ["without the prefix", [`edgeward=${ann}`], 401],
    ["the prefix of a parent", [`__Secure-edgeward=${ann}`], 401],
    ["behind a comma", [`a=1,${SESSION}=${ann}`], 401],
    // A host below the same domain can set this: `document.cookie = "x=1, __Host-edgeward=…; Domain=acme.example"`.
    ["in a value, behind a comma and a space", [`x=1, ${SESSION}=${ann}`], 400],
    ["in a value without a name", [`x, ${SESSION}=${ann}`], 400],
    ["in a value, of somebody else", [`x=1, ${SESSION}=${other}; ${SESSION}=${ann}`], 400],
    ["parameters of old", [`$Version=1; ${SESSION}=${ann}; $Path=/`], 200],
  ], async (lines, status) => {
    // What is planted is sent by browsers, and they say that they are one.
    const browser = lines.some((line) => line.includes(", ")) ? ["Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "cors"] : [];
    const headers = [...lines.flatMap((line) => ["Cookie", line]), "Accept", "application/json", ...browser];
    const before = await world.origin.count();
    const response = await world.gate.request("/app/a", { headers });
    assert.equal(response.status, status, response.text().slice(0, 200));
    assert.equal((await world.origin.count()) - before, status === 200 ? 1 : 0);
    if (status === 200) assert.doesNotMatch(response.origin().get("cookie") ?? "", new RegExp(ann));
  });
  await t.test("the second factor of one of two is nobody's", async () => {
    const headers = { Cookie: `${SESSION}=${ann}; ${SESSION}=${other}`, Origin: SITE, "Content-Type": FORM, Accept: "application/json" };
    refused(await world.gate.request(SIGN_IN, { method: "POST", headers, body: "code=123456" }), "request-ambiguous");
  });
});

// 14, 16. A parent's cookie has no prefix, and any host below it can set one, for a narrower path than ours.
test("16: a cookie of another variant is nobody's session", async (t) => {
  const NARROW = "edgeward";
  const both = (theirs, mine) => new Map([[NARROW, theirs], [SESSION, mine]]);
  await t.test("staying signed in stays with whom one is", async () => {
    const [theirs, it] = [cookieOf(await signedInAs("café")), await signedInAs("ann")];
    const victim = browser({ jar: both(theirs, cookieOf(it)) });
    for (const method of ["GET", "POST"]) assert.equal((await victim.fetch("/.edgeward/session", { method })).json().user, "ann");
    assert.equal(await whoami(holding(cookieOf(victim))), "ann");
  });
  await t.test("signing out ends what one had, however many there are", async () => {
    const it = await signedInAs("ann");
    const copy = cookieOf(it);
    const headers = { Cookie: `${Array(9).fill(`${NARROW}=x`).join("; ")}; ${SESSION}=${copy}` };
    const response = await browser({ headers }).fetch(SIGN_OUT, { method: "POST", headers: { "Content-Type": FORM } });
    assert.deepEqual(response.json(), { signed_out: true, revoked: true, everywhere: false });
    assert.equal(await whoami(holding(copy)), "session-revoked");
  });
});

// 17. Express and Hono sign no name
test("17: a sealed value is good in its place alone", async (t) => {
  const it = await signedInAs("ann");
  const [session, device] = [cookieOf(it), cookieOf(it, DEVICE)];
  const last = session.endsWith("A") ? "B" : "A";
  await eachRow(t, [
    ["the cookie of the browser as a session", SESSION, device, SITE],
    ["a session as the cookie of links", "__Host-edgeward-link", session, SITE],
    ["a session as the cookie of the browser", DEVICE, session, SITE],
    ["a line of the second factor", SESSION, TESS.line.split(":").at(-1), SITE],
    ["on another host", SESSION, session, "https://other.example"],
    ["on a host below", SESSION, session, `https://www.${HOST}`],
    ["on plain http", "edgeward", session, `http://localhost:8787`],
    ["another last character", SESSION, session.slice(0, -1) + last, SITE],
    ["another first character", SESSION, (session.startsWith("A") ? "B" : "A") + session.slice(1), SITE],
    ["shorter", SESSION, session.slice(0, -4), SITE],
    ["longer", SESSION, `${session}AAAA`, SITE],
    ["padded", SESSION, `${session}=`, SITE],
    ["in another alphabet", SESSION, Buffer.from(session, "base64url").toString("base64"), SITE],
    ["halves of two", SESSION, session.slice(0, 60) + cookieOf(await signedInAs("ann")).slice(60), SITE],
    ["empty", SESSION, "", SITE],
  ], async (name, value, site) => {
    const thief = browser({ site, jar: new Map([[name, value]]) });
    const response = await thief.fetch("/app/a");
    assert.equal(response.status, 401, response.text().slice(0, 200));
    assert.ok(["session-invalid", "credentials-missing"].includes(response.json().cause));
  });
  await t.test("of another gate", async () => {
    const EDGEWARD_SECRET = base64url(randomBytes(32));
    const settings = { policy: { origin: world.origin.url, ...POLICY }, options: LEDGER };
    await withGate({ ...settings, secrets: secrets({ EDGEWARD_SECRET }) }, async (gate) => {
      refused(await new Browser(gate, { jar: new Map(it.jar) }).fetch("/app/a"), "session-invalid");
    });
  });
  await t.test("nothing of it can be read", () => {
    for (const value of [session, device]) {
      const octets = value.split(".").map((part) => Buffer.from(part, "base64url").toString("latin1")).join("");
      assert.equal(octets.includes("ann"), false);
    }
  });
});

// 18. Rodauth CVE-2026-82468
test("18: no other site signs anybody in or out", async (t) => {
  const own = { Origin: SITE, "Content-Type": FORM };
  const FORMS = [
    [SIGN_IN, `username=ann&password=${PASSWORDS.ann}`],
    [SIGN_IN, "code=123456"],
    ["/.edgeward/sign-out", "everywhere=1"],
    ["/.edgeward/clear", ""],
    ["/.edgeward/session", ""],
    ["/.edgeward/language", "language=en"],
  ];
  await eachRow(t, [
    ["another Origin", { ...own, Origin: EVIL }],
    ["null", { ...own, Origin: "null" }],
    ["none", { "Content-Type": FORM }],
    ["a longer one", { ...own, Origin: `${SITE}.evil.example` }],
    ["in clear", { ...own, Origin: `http://${HOST}` }],
    ["another port", { ...own, Origin: `${SITE}:8443` }],
    ["a host of the policy", { ...own, Origin: "https://other.example" }],
    ["Sec-Fetch-Site: cross-site", { ...own, "Sec-Fetch-Site": "cross-site" }],
    ["Sec-Fetch-Site: same-site", { ...own, "Sec-Fetch-Site": "same-site" }],
    ["Sec-Fetch-Site: none", { ...own, "Sec-Fetch-Site": "none" }],
    ["text/plain", { ...own, "Content-Type": "text/plain" }],
    ["multipart/form-data", { ...own, "Content-Type": "multipart/form-data; boundary=x" }],
    ["JSON", { ...own, "Content-Type": "application/json" }],
    ["no type", { Origin: SITE }],
  ], async (headers) => {
    const ann = await signedInAs("ann");
    const type = headers["Content-Type"] === FORM;
    for (const [path, body] of FORMS) {
      // The script that extends a session sends no content, and needs no type for it.
      if (path === "/.edgeward/session" && !type) continue;
      const cookies = { Cookie: `${SESSION}=${cookieOf(ann)}`, Accept: "application/json" };
      const response = await world.gate.request(path, { method: "POST", headers: { ...headers, ...cookies }, body });
      refused(response, "cross-site");
      assert.equal(response.get("set-cookie"), undefined, path);
    }
    assert.equal(await whoami(ann), "ann");
  });
  await t.test("asking is not doing", async () => {
    const ann = await signedInAs("ann");
    for (const path of ["/.edgeward/sign-out", "/.edgeward/sign-out?everywhere=1", "/.edgeward/clear", `${SIGN_IN}?username=bob&password=${PASSWORDS.bob}`]) {
      const response = await ann.open(path, { "Sec-Fetch-Site": "cross-site" });
      assert.equal(response.status, 200, path);
      assert.equal(response.get("set-cookie"), undefined, path);
      assert.equal(response.get("clear-site-data"), undefined, path);
    }
    assert.equal(await whoami(ann), "ann");
  });
});

// 31. caddy-security#264
test("31: no text becomes a script", async (t) => {
  const SCRIPT = `"><script>alert(document.domain)</script><img src=x onerror=alert(1)>'`;
  const ann = await signedInAs("ann");
  await eachRow(t, [
    ["user-id", () => browser().post(SIGN_IN, { username: SCRIPT, password: "x" })],
    ["return address", () => browser().post(SIGN_IN, { username: "ann", password: "x", return_to: `/a?${SCRIPT}` })],
    ["return address of the page", () => browser().open(`${SIGN_IN}?return_to=${encodeURIComponent(`/${SCRIPT}`)}`)],
    ["that page, signed in", () => ann.open(`${SIGN_IN}?return_to=${encodeURIComponent(`/${SCRIPT}`)}`)],
    ["the path that was asked for", () => browser().open(`/app/${encodeURIComponent(SCRIPT)}?${encodeURIComponent(SCRIPT)}`)],
    ["its query, as it is", () => world.gate.request(`/app/a?x='onmouseover='alert(1)`, { headers: NAVIGATION })],
    ["Referer", () => browser().open("/app/a", { Referer: `${EVIL}/${SCRIPT}` })],
    ["User-Agent and Accept-Language", () => browser().open("/app/a", { "User-Agent": SCRIPT, "Accept-Language": SCRIPT })],
    ["CF-Ray", () => browser().open("/app/a", { "CF-Ray": SCRIPT })],
    ["a cookie", () => holding(SCRIPT.replaceAll(";", "")).open("/app/a")],
  ], async (ask) => {
    const response = await ask();
    const html = response.text();
    assert.match(response.get("content-type"), /^text\/html/);
    assert.doesNotMatch(html, /<script>alert|<img src=x|onmouseover='alert/);
    const policy = response.get("content-security-policy");
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval|\*/);
    assert.match(policy, /base-uri 'none'/);
  });
});

// 35. caddy-security#272
test("35: the cookie of a session that was ended ends no other", async (t) => {
  const everywhere = (it) => it.fetch(SIGN_OUT, { method: "POST", headers: { "Content-Type": FORM }, body: "everywhere=1" });
  const stolen = cookieOf(await signedInAs("ann"));
  await holding(stolen).post(SIGN_OUT, {});
  const victim = await signedInAs("ann");
  await t.test("alone, or beside one that is good", async () => {
    assert.deepEqual((await everywhere(holding(stolen))).json(), { signed_out: true, revoked: true, everywhere: false });
    const own = cookieOf(await signedInAs("café"));
    const response = await everywhere(browser({ jar: new Map([["edgeward", stolen], [SESSION, own]]) }));
    assert.equal(response.json().everywhere, true);
    assert.equal(await whoami(holding(own)), "session-revoked");
    assert.equal(await whoami(victim), "ann");
  });
  await t.test("a good one does", async () => {
    const another = await signedInAs("ann");
    assert.equal((await everywhere(another)).json().everywhere, true);
    assert.equal(await whoami(victim), "session-revoked");
  });
});

test("35: a second factor that is proven once more leaves no copy good", async () => {
  const it = browser();
  signedIn(await it.signIn("bob", { return_to: "/" }));
  const [, , , , , , , first, second] = recoveryCodes(TESS);
  signedIn(await it.post(SIGN_IN, { recovery: first, return_to: "/" }));
  const copy = cookieOf(it);
  signedIn(await it.post(SIGN_IN, { recovery: second, return_to: "/" }));
  await it.post(SIGN_OUT, {});
  assert.equal(await whoami(holding(copy)), "session-revoked");
});

// 33. oauth2-proxy CVE-2026-40574
test("33: odd names are somebody's own, or nobody's", async (t) => {
  for (const user of ODD) {
    await t.test(JSON.stringify(user), async () => {
      const it = browser();
      signedIn(await it.post(SIGN_IN, { username: user, password: oddPassword(user), return_to: "/" }));
      assert.equal(await whoami(it), user);
      const seen = (await it.open("/app/a")).origin();
      assert.equal(decodeURIComponent(seen.get("x-edgeward-user")), user);
      assert.match(seen.get("x-edgeward-user"), /^[\x21-\x7e]+$/);
      assert.equal((await it.open("/staff/a")).status, 403, "no group of somebody like them");
    });
  }
  await eachRow(t, [
    ["another case", "Ann"],
    ["a look-alike", "\uff41nn"],
    ["a zero-width space", "a\u200bnn"],
    ["a no-break space behind", "ann\u00a0"],
    ["a suffix", "ann@evil.example"],
    ["a colon", "ann:x"],
    ["a kind of credentials", "token:ann"],
    ["nothing but spaces", "   "],
    ["a NUL", "ann\0"],
    ["a line feed", "ann\nx"],
    ["a delete character", "ann\x7f"],
    ["a C1 control", "ann\u0085"],
    ["a field name", "__proto__x"],
    ["long", "a".repeat(1100)],
  ], async (user) => {
    const it = browser();
    const response = await it.post(SIGN_IN, { username: user, password: PASSWORDS.ann });
    assert.equal(response.status, 401);
    assert.ok(["credentials-wrong", "credentials-malformed"].includes(pageOf(response).cause));
    assert.equal(it.jar.size, 0);
  });
});
