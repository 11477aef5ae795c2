// One sign-in for hosts that share no parent: session.authority. Attacks 9, 14, 17, 18, 20.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { challenges, eachRow } from "./expect.mjs";
import { PASSWORDS, USERS, basic, now, passwordLine, secrets } from "./given.mjs";
import { HOST, buildFolder, modulesOf, startGate, withGate } from "./harness.mjs";
import { startOrigin } from "./origin.mjs";
import { SESSION, cookiesOf, pageOf } from "./people.mjs";
import { seal } from "./seal.mjs";
import { session, sessionContent } from "./sessions.mjs";
import { storesOf, watched } from "./stores.mjs";
import { code as totpCode, factor } from "./totp.mjs";
import { Traveller } from "./traveller.mjs";
import { NAVIGATION } from "./visitor.mjs";

const LOGIN = "https://login.example";
const APP = `https://${HOST}`;
const OTHER = "https://shop.other";
const AUTHORITY = "/.edgeward/authority";
const LEDGER = { durableObjects: { EDGEWARD_LEDGER: { className: "Ledger", useSQLite: true } } };
const CAFE = factor("cafe");

let origin;
let gate;
before(async () => {
  origin = await startOrigin();
  gate = await startGate(settings());
});
after(async () => {
  await gate?.stop();
  await origin?.stop();
});

function settings(more = {}) {
  return {
    policy: {
      realm: "Acme staging",
      origin: origin.url,
      log: "all",
      tokens: [{ format: "jwt", keys: ["main"] }],
      session: { authority: LOGIN, hosts: [APP, OTHER] },
      rules: [
        { path: "/app/*", accept: ["session"] },
        { path: "/both/*", accept: ["session", "basic"] },
        { path: "/twice/*", accept: ["session"], second_factor: true },
        { path: "/staff/*", accept: ["session"], groups: ["staff"] },
        { path: "/basic/*", accept: ["basic"] },
      ],
    },
    secrets: secrets({ EDGEWARD_TOTP: CAFE.line }),
    options: LEDGER,
    ...more,
  };
}

/** Signs in on the page at which a browser has arrived. */
async function signIn(browser, arrived, user = "ann", hash = "") {
  const { inputs } = pageOf(arrived.response);
  assert.equal(new URL(arrived.url).origin, LOGIN);
  return browser.send(`${LOGIN}/.edgeward/sign-in`, { username: user, password: PASSWORDS[user], return_to: inputs.return_to + hash });
}

/** The way of a browser: hosts and paths, without queries. */
const way = ({ hops }) => hops.map(({ url, status }) => `${status} ${new URL(url).origin}${new URL(url).pathname}`);

/** A browser that is signed in at the authority and has come as far as its code; which it did not use. */
async function withCode(browser = new Traveller(gate), path = "/app/a") {
  if (!browser.jar("login.example").has(SESSION)) await signIn(browser, await browser.go(`${OTHER}/app/x`));
  const sent = await browser.go(APP + path, { follow: false });
  const given = await browser.go(sent.response.get("location"), { follow: false });
  const finish = given.response.get("location");
  assert.ok(finish.startsWith(`${APP}${AUTHORITY}/finish?code=`), finish);
  return { browser, finish, state: new URL(finish).searchParams.get("state"), code: new URL(finish).searchParams.get("code") };
}

/** Asserts that a browser ends on a page that says so and leads back, and has no session on that host. */
function inVain({ response, url }, cause = "session-invalid", status = 401) {
  const page = pageOf(response);
  assert.deepEqual([page.status, page.cause], [status, cause]);
  assert.equal(new URL(url).pathname, `${AUTHORITY}/again`, "no code is the address of a page");
  assert.equal(response.get("cache-control"), "no-store");
  return page;
}

test("a deep link: to the authority, the form in place, and back with query and fragment", async () => {
  const browser = new Traveller(gate);
  const arrived = await browser.go(`${APP}/app/reports?year=2026&q=%C3%A9#part-2`);
  assert.deepEqual(way(arrived), [`303 ${APP}/app/reports`, `401 ${LOGIN}${AUTHORITY}/sign-in`]);
  assert.equal(new URL(arrived.url).hash, "#part-2", "the fragment came along");
  const { inputs, cause } = pageOf(arrived.response);
  assert.equal(cause, "credentials-missing");
  assert.ok(inputs.return_to.startsWith(`${AUTHORITY}/sign-in?host=`), inputs.return_to);
  // The form's script adds the fragment.
  const back = await signIn(browser, arrived, "ann", "#part-2");
  assert.deepEqual(way(back), [
    `303 ${LOGIN}/.edgeward/sign-in`,
    `303 ${LOGIN}${AUTHORITY}/sign-in`,
    `303 ${APP}${AUTHORITY}/finish`,
    `200 ${APP}/app/reports`,
  ]);
  assert.equal(back.url, `${APP}/app/reports?year=2026&q=%C3%A9#part-2`);
  assert.equal(back.response.origin().get("x-edgeward-user"), "ann");
  assert.doesNotMatch(back.response.origin().get("cookie") ?? "", /edgeward/);
});

test("each step says nothing to anybody else: no cache, no Referer, no code in a page", async () => {
  const { browser, finish } = await withCode();
  const finished = await browser.go(finish, { follow: false });
  const sent = await new Traveller(gate).go(`${APP}/app/a`, { follow: false });
  for (const { response } of [sent, finished]) {
    assert.equal(response.status, 303);
    assert.equal(response.get("cache-control"), "no-store");
    assert.equal(response.get("referrer-policy"), "no-referrer");
    assert.equal(response.content.length, 0);
  }
  const away = Object.entries(cookiesOf(sent.response));
  assert.equal(away.length, 1);
  const [[name, cookie]] = away;
  assert.match(name, /^__Host-edgeward-away-[0-9a-f]{8}$/);
  assert.deepEqual(cookie.attributes, { path: "/", secure: true, httponly: true, samesite: "Lax", "max-age": "3600" });
  const cookies = cookiesOf(finished.response);
  assert.deepEqual(cookies[SESSION].attributes, { path: "/", secure: true, httponly: true, samesite: "Lax" });
  const printed = await gate.printed();
  for (const secret of [new URL(finish).searchParams.get("code"), cookies[SESSION].value, cookie.value]) {
    assert.ok(!printed.includes(secret), "no code and no cookie in the log");
  }
});

test("who is signed in at the authority is in on every host without a page", async () => {
  const browser = new Traveller(gate);
  await signIn(browser, await browser.go(`${APP}/app/a`));
  const other = await browser.go(`${OTHER}/app/b?c`);
  assert.deepEqual(way(other), [
    `303 ${OTHER}/app/b`,
    `303 ${LOGIN}${AUTHORITY}/sign-in`,
    `303 ${OTHER}${AUTHORITY}/finish`,
    `200 ${OTHER}/app/b`,
  ]);
  assert.equal(other.response.origin().get("x-edgeward-user"), "ann");
  assert.deepEqual(way(await browser.go(`${OTHER}/app/b?c`)), [`200 ${OTHER}/app/b`]);
  // At the authority itself nobody is sent anywhere.
  assert.deepEqual(way(await browser.go(`${LOGIN}/app/c`)), [`200 ${LOGIN}/app/c`]);
  assert.equal(pageOf((await new Traveller(gate).go(`${LOGIN}/app/c`)).response).cause, "credentials-missing");
});

test("several tabs at once: each comes back to its own page", async () => {
  const browser = new Traveller(gate);
  const tabs = [0, 1, 2, 3].map(() => browser.tab());
  // None of them has a cookie yet when it is sent away.
  const arrived = await Promise.all(tabs.map((tab, n) => tab.go(`${n % 2 ? OTHER : APP}/app/${n}`)));
  await signIn(tabs[2], arrived[2]);
  for (const n of [0, 1, 3]) {
    const back = await tabs[n].go(arrived[n].url);
    assert.equal(back.url, `${n % 2 ? OTHER : APP}/app/${n}`);
    assert.equal(back.response.status, 200);
  }
  const left = [...browser.jar(HOST).keys()].filter((name) => /away-/.test(name));
  assert.deepEqual(left, [], "no errand is left over");
});

test("a code is good once", async () => {
  const { browser, finish } = await withCode();
  const stolen = browser.tab();
  stolen.cookies = [...browser.cookies];
  assert.equal((await browser.go(finish)).response.status, 200);
  // The very same browser has its session, and goes on; with its older cookies it is nobody.
  assert.deepEqual(way(await browser.go(finish)), [`303 ${APP}${AUTHORITY}/finish`, `200 ${APP}/app/a`]);
  const page = inVain(await stolen.go(finish));
  assert.match(page.html, /href="\/app\/a"/, "and a way to begin again");
  assert.ok(!stolen.jar(HOST).has(SESSION));
});

test("a code is for the browser that was sent, for one host, for one errand, and for a minute", async (t) => {
  const { browser, finish, state, code } = await withCode();
  const keeps = (cookies) => Object.assign(new Traveller(gate), { cookies });
  const url = (values) => `${APP}${AUTHORITY}/finish?${new URLSearchParams(values)}`;
  const elsewhere = await withCode(browser.tab(), "/app/other");
  await eachRow(t, [
    ["another browser", keeps([]), finish],
    ["another browser that is on an errand of its own", (await withCode(new Traveller(gate))).browser, finish],
    ["another host", keeps(browser.cookies.map((it) => ({ ...it, domain: it.domain === HOST ? "shop.other" : it.domain }))), finish.replace(APP, OTHER)],
    ["another errand's code", keeps([...browser.cookies]), url({ code: elsewhere.code, state })],
    ["the state as the code", keeps([...browser.cookies]), url({ code: state, state })],
    ["the code as the state", keeps([...browser.cookies]), url({ code, state: code })],
    ["no code", keeps([...browser.cookies]), url({ state })],
    ["no state", keeps([...browser.cookies]), url({ code })],
    ["two codes", keeps([...browser.cookies]), `${finish}&code=${code}`],
    ["a changed code", keeps([...browser.cookies]), url({ code: `${code.slice(0, -8)}AAAAAAAA`, state })],
    ["a session as the code", keeps([...browser.cookies]), url({ code: browser.jar("login.example").get(SESSION), state })],
  ], async (who, address) => {
    inVain(await who.go(address));
    assert.ok(!who.jar(new URL(address).hostname).has(SESSION));
  });
  assert.equal((await browser.go(finish)).response.status, 200, "and none of that spent it");
});

/** Errands and codes sealed without the product: src/authority/errand.rs and code.rs say what stands in one. */
const eight = (number) => {
  const octets = Buffer.alloc(8);
  octets.writeBigInt64BE(BigInt(number));
  return octets;
};
const errandOf = (host, { began = now(), secret = randomBytes(20), flags = 0, back = `${host}/app/a` } = {}) => ({
  secret,
  state: seal("edgeward/away/v1", [host], Buffer.concat([Buffer.from([1, flags]), eight(began), secret, Buffer.from(back)])),
  cookie: [`__Host-edgeward-away-${secret.subarray(0, 4).toString("hex")}`, secret.subarray(4).toString("base64url")],
});
const LINE = (user) => USERS.split("\n").find((line) => line.startsWith(`${user}:`));

const codeOf = (host, errand, { made = now(), line = LINE("ann"), ...more } = {}) =>
  seal("edgeward/hand-over/v1", [host], Buffer.concat([Buffer.from([1]), eight(made), errand.secret, sessionContent(line, more)]));

test("codes by the clock, and sessions that would not be good here", async (t) => {
  const changed = passwordLine("ann", "another password", "staff,admins");
  await eachRow(t, [
    ["made now", {}, {}, 200],
    ["made 50 seconds ago", {}, { made: now() - 50 }, 200],
    ["made a minute ago", {}, { made: now() - 61 }, "session-invalid"],
    ["an errand of an hour ago", { began: now() - 3601 }, {}, "session-invalid"],
    ["a session that is over", {}, { ends: now() - 1 }, "session-expired"],
    ["under another line", {}, { line: changed }, "session-revoked"],
    ["of nobody", {}, { line: passwordLine("nobody", "x") }, "session-revoked"],
    ["of somebody who is switched off", {}, { line: LINE("suspended") }, "account-suspended", 403],
  ], async (errand, code, wanted, status = 401) => {
    const browser = new Traveller(gate);
    const sent = errandOf(APP, errand);
    browser.plant(HOST, ...sent.cookie);
    const finished = await browser.go(`${APP}${AUTHORITY}/finish?code=${codeOf(APP, sent, code)}&state=${sent.state}`);
    if (wanted === 200) return assert.equal(finished.response.status, 200, finished.response.text().slice(0, 200));
    inVain(finished, wanted, status);
    return assert.ok(!browser.jar(HOST).has(SESSION));
  });
});

test("an errand that is over begins anew, and whoever signed in is in", async () => {
  const browser = new Traveller(gate);
  await signIn(browser, await browser.go(`${OTHER}/app/x`));
  const { state } = errandOf(APP, { began: now() - 7200, back: `${APP}/app/late?x` });
  const back = await browser.go(`${LOGIN}${AUTHORITY}/sign-in?host=${encodeURIComponent(APP)}&state=${state}`);
  assert.equal(back.url, `${APP}/app/late?x`);
  assert.equal(back.response.status, 200);
  assert.equal(new URL(back.hops[1].url).pathname, `${AUTHORITY}/start`);
});

test("only hosts of session.hosts are handed anybody (attack 9)", async (t) => {
  const browser = new Traveller(gate);
  await signIn(browser, await browser.go(`${APP}/app/a`));
  const url = (host, state) => `${LOGIN}${AUTHORITY}/sign-in?host=${encodeURIComponent(host)}&state=${state}`;
  const hosts = ["https://evil.example", "//evil.example", `${APP}.evil.example`, `${APP}@evil.example`, `${APP}/`, `${APP}:443`, "http://acme.example", "javascript:alert(1)", "https://ACME.example", "null", "*", ""];
  await eachRow(t, hosts.map((host) => [host || "nothing", host]), async (host) => {
    for (const state of [errandOf(APP).state, errandOf(host).state]) {
      const { response } = await browser.go(url(host, state), { follow: false });
      assert.deepEqual([response.status, response.get("location")], [403, undefined]);
    }
  });
  for (const state of ["", "AAAA", errandOf(OTHER).state]) {
    assert.equal((await browser.go(url(APP, state), { follow: false })).response.status, 403, state);
  }
  // Whoever is not signed in is told the same, and is shown no form that would lead there.
  const stranger = await new Traveller(gate).go(url("https://evil.example", errandOf("https://evil.example").state));
  assert.equal(stranger.response.status, 403);
  assert.doesNotMatch(stranger.response.text(), /<input[^>]*password/);
});

test("return addresses of start stay on the hosts of this site (attack 9)", async (t) => {
  const browser = new Traveller(gate);
  await signIn(browser, await browser.go(`${APP}/app/a`));
  await eachRow(t, [
    ["a path", "/app/x?y=1", `${APP}/app/x?y=1`],
    ["this origin", `${APP}/app/x`, `${APP}/app/x`],
    ["a host of session.hosts", `${OTHER}/app/x`, `${OTHER}/app/x`],
    ...["https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example", "https:evil.example", "javascript:alert(1)", `${APP}@evil.example`, "/\r\nSet-Cookie: a=b", "/.//evil.example", `/${"x".repeat(3001)}`, ""].map(
      (bad) => [bad.slice(0, 40) || "nothing", bad, `${APP}/`],
    ),
  ], async (address, wanted) => {
    const start = await browser.go(`${APP}${AUTHORITY}/start?return_to=${encodeURIComponent(address)}`);
    assert.equal(start.url, wanted);
  });
  const again = await browser.go(`${APP}${AUTHORITY}/again?return_to=${encodeURIComponent("https://evil.example/")}`);
  assert.equal(again.response.status, 401);
  assert.doesNotMatch(again.response.text(), /evil/);
});

test("no loop: a browser that keeps no cookies gets a page that says so", async (t) => {
  await eachRow(t, [
    ["none on the host", (name, host) => host !== HOST, `${AUTHORITY}/again`],
    ["no session on the host", (name, host) => host !== HOST || name !== SESSION, "/app/a"],
  ], async (keeps, path) => {
    const browser = new Traveller(gate, { keeps });
    await signIn(browser, await browser.go(`${OTHER}/app/x`));
    const end = await browser.go(`${APP}/app/a`);
    const page = pageOf(end.response);
    assert.deepEqual([page.status, page.cause, new URL(end.url).pathname], [401, "session-invalid", path]);
    assert.match(page.html, /allow cookies/);
    assert.match(page.html, /href="(\/app\/a)?"/, "and a way to begin again");
  });
  const none = new Traveller(gate, { keeps: () => false });
  const arrived = await none.go(`${APP}/app/a`);
  assert.equal(pageOf(arrived.response).cause, "credentials-missing");
  assert.equal(pageOf((await signIn(none, arrived)).response).cause, "credentials-missing", "the form again");
});

test("signing out and in again is no loop", async () => {
  const browser = new Traveller(gate);
  await signIn(browser, await browser.go(`${APP}/app/a`));
  await browser.send(`${APP}/.edgeward/sign-out`, {});
  const again = await browser.go(`${APP}/app/a`);
  assert.equal(new URL(again.url).origin, LOGIN, "and the authority's session is over, too");
  assert.equal((await signIn(browser, again, "bob")).response.origin().get("x-edgeward-user"), "bob");
});

test("a form that was being sent stays: the page's button opens a tab", async () => {
  const browser = new Traveller(gate);
  const posted = await browser.send(`${APP}/app/save`, { text: "typed" });
  const page = pageOf(posted.response);
  assert.deepEqual([page.status, page.page], [401, "away"]);
  assert.match(page.html, /login\.example/);
  assert.deepEqual(challenges(posted.response), [["Session", { realm: "Acme staging", "sign-in": "/.edgeward/sign-in" }]]);
  const button = /<a\b[^>]*href="([^"]*authority\/start[^"]*)"[^>]*>/.exec(page.html);
  assert.match(button[0], /target="_blank"/);
  const tab = browser.tab();
  const done = await signIn(tab, await tab.go(APP + button[1].replaceAll("&amp;", "&")));
  assert.equal(new URL(done.url).pathname, `${AUTHORITY}/done`);
  assert.equal(pageOf(done.response).page, "signed-in-tab");
  const again = await browser.send(`${APP}/app/save`, { text: "typed" });
  assert.equal(again.response.status, 200);
  assert.equal(again.response.origin().get("x-edgeward-user"), "ann");
});

test("scripts never see a redirect", async () => {
  const browser = new Traveller(gate);
  const response = await browser.fetch(`${APP}/app/data`);
  assert.equal(response.status, 401);
  const { cause, sign_in: address } = response.json();
  assert.equal(cause, "credentials-missing");
  assert.equal(address, `${APP}${AUTHORITY}/start?return_to=/app/data`);
  assert.equal((await browser.fetch(address)).status, 401);
  assert.equal((await browser.fetch(`${APP}/app/page`, { Accept: "text/html" })).status, 401);
  // Opened in a window it leads to the form.
  assert.equal(new URL((await browser.go(address)).url).origin, LOGIN);
  const program = await gate.request(`${APP}/app/data`, { headers: { Accept: "application/json" } });
  assert.equal(program.status, 401);
});

test("who is sent away, and who is not", async (t) => {
  await eachRow(t, [
    ["nobody", "/app/a", {}, 303],
    ["HEAD", "/app/a", {}, 303, "HEAD"],
    ["Basic is accepted too", "/both/a", {}, 303],
    ["a wrong password for Basic", "/both/a", basic("ann", "wrong"), 401],
    ["a right one", "/both/a", basic("ann", PASSWORDS.ann), 200],
    ["no session is accepted", "/basic/a", {}, 401],
    ["a session that was changed", "/app/a", { Cookie: `${SESSION}=AAAA` }, 303],
    ["another host's session", "/app/a", { Cookie: `${SESSION}=${session(LINE("ann"), { host: "shop.other" })}` }, 303],
    ["a good one", "/app/a", { Cookie: `${SESSION}=${session(LINE("ann"), { host: HOST })}` }, 200],
    ["known, and not allowed", "/staff/a", { Cookie: `${SESSION}=${session(LINE("bob"), { host: HOST })}` }, 403],
    ["two cookies", "/app/a", { Cookie: `${SESSION}=a; ${SESSION}=b` }, 400],
  ], async (path, headers, status, method = "GET") => {
    const response = await gate.request(APP + path, { method, headers: { ...NAVIGATION, ...headers } });
    assert.equal(response.status, status);
    if (status === 303) assert.ok(response.get("location").startsWith(`${LOGIN}${AUTHORITY}/sign-in?`));
  });
});

test("the form is on the authority alone", async () => {
  const { response } = await new Traveller(gate).go(`${APP}/.edgeward/sign-in?return_to=/app/x`, { follow: false });
  assert.equal(response.status, 303);
  assert.ok(response.get("location").startsWith(`${LOGIN}${AUTHORITY}/sign-in?`));
  const fields = { username: "ann", password: PASSWORDS.ann, return_to: "/" };
  const posted = await new Traveller(gate).send(`${APP}/.edgeward/sign-in`, fields);
  assert.equal(posted.response.status, 403);
  assert.equal(posted.response.get("set-cookie"), undefined);
});

test("what is where, and by which method", async () => {
  for (const [host, paths] of [[APP, ["start", "finish", "again", "done"]], [LOGIN, ["sign-in"]]]) {
    for (const path of paths) {
      const response = await gate.request(`${host}${AUTHORITY}/${path}`, { method: "POST", headers: { Origin: host } });
      assert.deepEqual([response.status, response.get("allow")], [405, "GET, HEAD"], path);
    }
  }
  for (const url of [`${LOGIN}${AUTHORITY}/start`, `${LOGIN}${AUTHORITY}/finish`, `${APP}${AUTHORITY}/sign-in`, `${APP}${AUTHORITY}/`, `${APP}${AUTHORITY}/x`, `${APP}${AUTHORITY}/discourse`]) {
    assert.equal((await gate.request(url, { headers: NAVIGATION })).status, 404, url);
  }
});

test("a second factor is proven at the authority", async () => {
  const browser = new Traveller(gate);
  await signIn(browser, await browser.go(`${APP}/app/a`), "bob");
  const bob = await browser.go(`${APP}/twice/a`);
  assert.equal(new URL(bob.url).origin, LOGIN, "Bob has none, and learns it there");
  assert.equal(pageOf(bob.response).cause, "second-factor-required");

  const cafe = new Traveller(gate);
  const half = await signIn(cafe, await cafe.go(`${APP}/twice/a?b`), "cafe");
  const page = pageOf(half.response);
  assert.deepEqual([page.cause, new URL(half.url).pathname], ["second-factor-required", `${AUTHORITY}/sign-in`]);
  assert.ok(!cafe.jar(HOST).has(SESSION), "half a sign-in is handed to nobody");
  const fields = { code: totpCode(CAFE), return_to: page.inputs.return_to };
  const back = await cafe.send(`${LOGIN}/.edgeward/sign-in`, fields);
  assert.equal(back.url, `${APP}/twice/a?b`);
  assert.equal(back.response.status, 200);
});

test("ending one session ends it on every host", async () => {
  const browser = new Traveller(gate);
  await signIn(browser, await browser.go(`${APP}/app/a`));
  await browser.go(`${OTHER}/app/b`);
  // A copy of the sessions, on a later day.
  const copies = Object.assign(new Traveller(gate), { cookies: browser.cookies.filter(({ name }) => name === SESSION) });
  await browser.send(`${OTHER}/.edgeward/sign-out`, {});
  for (const host of [APP, OTHER, LOGIN]) {
    const end = await copies.go(`${host}/app/c`);
    assert.equal(new URL(end.url).origin, LOGIN, host);
    assert.equal(pageOf(end.response).status, 401, host);
  }
});

test("a silent ledger lets nobody in", async () => {
  await withGate(settings(watched()), async (watchedGate) => {
    const stores = await storesOf(watchedGate);
    const sent = errandOf(APP);
    const browser = new Traveller(watchedGate);
    browser.plant(HOST, ...sent.cookie);
    await stores.set({ of: { spend: "down" } });
    const finish = `${APP}${AUTHORITY}/finish?code=${codeOf(APP, sent)}&state=${sent.state}`;
    inVain(await browser.go(finish), "check-unavailable", 503);
    assert.ok(!browser.jar(HOST).has(SESSION));
  });
});

test("two Workers that share the secret, the accounts and the ledger", async () => {
  const modules = { modulesRoot: buildFolder(), modules: modulesOf(buildFolder()) };
  const { policy } = settings();
  const beside = [
    {
      name: "app",
      ...modules,
      bindings: { ...secrets({ EDGEWARD_TOTP: CAFE.line }), EDGEWARD: JSON.parse(JSON.stringify({ ...policy, session: { authority: LOGIN } })) },
      durableObjects: { EDGEWARD_LEDGER: { className: "Ledger", scriptName: "gate", useSQLite: true } },
      stripCfConnectingIp: false,
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0, proxy: true }],
    },
    {
      name: "stale",
      ...modules,
      // Its copy of the accounts is an old one.
      bindings: { ...secrets({ EDGEWARD_TOTP: CAFE.line, EDGEWARD_USERS: passwordLine("ann", "an older password") }), EDGEWARD: JSON.parse(JSON.stringify({ ...policy, session: { authority: LOGIN } })) },
      durableObjects: { EDGEWARD_LEDGER: { className: "Ledger", scriptName: "gate", useSQLite: true } },
      stripCfConnectingIp: false,
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0, proxy: true }],
    },
  ];
  await withGate(settings({ beside }), async (login) => {
    const urls = {
      "login.example": login.directUrl,
      [HOST]: await login.miniflare.unsafeGetDirectURL("app"),
      "shop.other": await login.miniflare.unsafeGetDirectURL("stale"),
    };
    const at = (host) => ({
      request(...request) {
        login.directUrl = urls[host];
        return login.request(...request);
      },
    });
    const browser = new Traveller(at);
    const back = await signIn(browser, await browser.go(`${APP}/app/a`));
    assert.equal(back.url, `${APP}/app/a`);
    assert.equal(back.response.origin().get("x-edgeward-user"), "ann");
    // A host whose accounts differ says so, once, and sends nobody round and round.
    inVain(await browser.go(`${OTHER}/app/a`), "session-revoked");
    await browser.send(`${LOGIN}/.edgeward/sign-out`, {});
    const end = pageOf((await browser.go(`${APP}/app/a`)).response);
    assert.deepEqual([end.status, end.cause], [401, "session-revoked"], "signed out there, out here");
  });
});
