// Return addresses, forms of other sites and cookie fields by others, over HTTP: each case of `../shared/vectors` named by
// its id, and said to be skipped where that folder is missing. What an address may be is src/return_to.rs's.
import assert from "node:assert/strict";
import { test } from "node:test";
import { shared } from "./expect.mjs";
import { NO_VECTORS, PASSWORDS, cases } from "./given.mjs";
import { Browser, DEVICE, RULES, SESSION, SIGN_IN, cookiesOf, pageOf } from "./people.mjs";

const BASE = "https://app.example";
const ALLOWED = ["https://foo.bar", "https://port.bar:8080", "https://www.whitelisteddomain.tld"];
const world = shared(() => ({ policy: { rules: RULES, session: { hosts: ALLOWED } } }));
const browser = (site = BASE) => new Browser(world.gate, { site });

/** Where a browser on the sign-in page of `site` is after it signed in. */
async function led(returnTo, site = BASE) {
  const response = await browser(site).signIn("ann", { return_to: returnTo });
  assert.equal(response.status, 303);
  assert.equal(response.all("location").length, 1);
  const own = response.all("set-cookie").every((line) => line.startsWith(SESSION));
  assert.ok(own, "no cookie of somebody's making");
  return { location: response.get("location"), url: new URL(response.get("location"), `${site}${SIGN_IN}`) };
}

function suite(file, body) {
  const all = cases(file);
  test(file, { skip: all ? false : NO_VECTORS }, async (t) => {
    const tried = await body(t, all);
    t.diagnostic(`${file}: ${tried} cases`);
    assert.ok(tried > 0);
  });
}

/** Cases at a time: each is a slow hash. */
async function each(t, some, body) {
  for (const it of some) await t.test(it.id, () => body(it));
  return some.length;
}

const isRedirect = ({ input }) => input.kind === "redirect";

for (const file of ["cases_open_redirect_oauth2proxy.json", "cases_open_redirect_patt.json"])
  suite(file, (t, all) =>
    each(t, all.filter(isRedirect), async ({ input }) => {
      // As a parameter of the page's address, decoded once by us: what the form then bears is what is sent.
      const value = (await browser().open(`${SIGN_IN}?return_to=${encodeURI(input.target_query_raw).replaceAll("%25", "%").replaceAll("#", "%23")}`));
      const { inputs } = pageOf(value);
      assert.ok([BASE, ...ALLOWED].includes(new URL(inputs.return_to, `${BASE}${SIGN_IN}`).origin), inputs.return_to);
      // In a form, decoded once and not at all.
      for (const target of new Set([input.target_decoded, input.target_query_raw])) {
        const { url, location } = await led(target);
        assert.ok([BASE, ...ALLOWED].includes(url.origin), `${JSON.stringify(target)} leads to ${location}`);
        assert.ok(location.startsWith(`${url.origin}/`), "an absolute URL, as it will be read");
      }
    }),
  );

suite("cases_redirect_frameworks.json", (t, all) =>
  each(t, all.filter(isRedirect), async ({ input, expected }) => {
    const site = new URL(input.config.base).origin;
    if (new URL(site).protocol !== "https:") {
      // In clear nobody is asked for a password.
      const response = await browser(site).signIn("ann", { return_to: input.target_decoded });
      return assert.equal(response.status, 403);
    }
    const { url, location } = await led(input.target_decoded, site);
    assert.ok([site, ...ALLOWED].includes(url.origin), `${input.target_decoded} leads to ${location}`);
    if (expected.allow === true && expected.level === "must")
      assert.equal(url.href, new URL(input.target_decoded, site).href);
    if (expected.allow === false && expected.level === "must") assert.equal(url.href, `${site}/`);
    return undefined;
  }),
);

test("addresses that nobody wrote: the platform's own parser reads each as it was taken", async (t) => {
  const seed = 20_261_122;
  const draw = random(seed);
  const pick = (list) => list[draw() % list.length];
  const PIECES = ["/", "//", "\\", ":", "@", "?", "#", ".", "..", "%2e", "%2F", "%5c", "\t", "\n", "\0", " ", "é", "\u3002", "a", "/b", "?b=c", "#d", "&e=f", "[", "]", "|", "^", "{", "'", "\"", "<",
    "https:", "HTTP:", "javascript:", "evil.example", "app.example", BASE, ALLOWED[0], ALLOWED[2], "127.1", "[::1]", ":443", ":8443"];
  let taken = 0;
  for (let i = 0; i < 600; i += 1) {
    const begin = pick(["", "/a", "/", BASE, `${ALLOWED[1]}/x`]);
    const target = begin + Array.from({ length: 1 + (draw() % 4) }, () => pick(PIECES)).join("");
    const page = await browser().open(`${SIGN_IN}?return_to=${encodeURIComponent(target)}`);
    const back = pageOf(page).inputs.return_to;
    const read = new URL(back, `${BASE}${SIGN_IN}`);
    assert.ok([BASE, ...ALLOWED].includes(read.origin), `${JSON.stringify(target)} leads to ${back}`);
    if (back !== "/") {
      assert.equal(read.href, new URL(target, `${BASE}${SIGN_IN}`).href, JSON.stringify(target));
      taken += 1;
    }
  }
  t.diagnostic(`seed ${seed}: ${taken} of 600 taken`);
  assert.ok(taken > 60, "some are good");
});

/** Park and Miller's minimal standard. */
function random(seed) {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647);
}

// Where ours parts from the peer: a form says whose it is, and is a form (contract §6).
const OTHERWISE = {
  "cs-009": 403,
  "cs-023": 403,
  // The peer is told of one origin, which this is not; here it is the request's own.
  "cs-013": 303,
};

suite("cases_csrf_login_form.json", (t, all) =>
  each(t, all.filter(({ input }) => input.kind === "http-request"), async ({ id, input, expected }) => {
    const { origin, pathname } = new URL(input.url);
    assert.ok(["/form", "/login"].includes(pathname));
    const body = new URLSearchParams({ username: "ann", password: PASSWORDS.ann }).toString();
    const isPost = input.method === "POST";
    const fields = input.headers.map(([name, value]) => [name, value]);
    const response = await world.gate.request(`${origin}${SIGN_IN}`, {
      method: input.method,
      headers: [...fields.flat(), "Accept", "application/json"],
      ...(isPost ? { body } : {}),
    });
    const allowed = { GET: 200, HEAD: 200, OPTIONS: 405, POST: 303 }[input.method];
    const wanted = OTHERWISE[id] ?? (expected.status === 200 ? allowed : expected.status);
    assert.equal(response.status, wanted, response.text().slice(0, 200));
    if (wanted === 403) {
      assert.equal(response.json().cause, "cross-site");
      assert.equal(response.get("set-cookie"), undefined, "nobody is signed in");
    }
  }),
);

/** The peer's cookie as ours: whatever it calls `name`, in any spelling, becomes `__Host-edgeward`. */
const asOurs = (field, name, value) => field.replaceAll(name, SESSION).replaceAll(value, "GOOD");

/** A cookie that lets in. */
const goodOne = async () => cookiesOf(await browser().signIn("ann"))[SESSION].value;

// Case → the cookie that is ours in it, the value that is the good one, and whether it lets in. Two of ours, or one that only
// looks like ours, never do (contract §3). ck-010 cannot travel: no client sends a control character.
const COOKIES = {
  "ck-001": ["tasty_cookie", "strawberry", true],
  "ck-003": ["yummy_cookie", '"choco"', true],
  "ck-005": ["none", "none", false],
  "ck-008": ["best_cookie", "sugar", false],
  "ck-013": ["dummy-cookie", "victim", true],
  "ck-014": ["a", "first", false],
  "ck-015": ["session", "legit", false],
  "ck-016": ["hasOwnProperty", "bar", true],
  "ck-019": ["baz", "raz", true],
  "ck-023": ["bar", "bar", false],
  "ck-024": ["buzz", "2", true],
  "ck-025": ["foo", "false", false],
  "ck-027": ["__Host-sess", "good", true],
  "ck-030": ["sess", "x", true],
  "ck-031": ["sess", "ok", true],
  "ck-032": ["sess", "a,b", true],
};

suite("cases_cookie_parse.json", async (t, all) => {
  const good = await goodOne();
  const parsed = all.filter(({ input, id }) => input.kind === "cookie-parse" && id in COOKIES);
  assert.equal(parsed.length, Object.keys(COOKIES).length, "each of them is there");
  return each(t, parsed, async ({ id, input }) => {
    const [name, value, letsIn] = COOKIES[id];
    const lines = [input.cookie].flat().map((line) => asOurs(line, name, value).replaceAll("GOOD", good));
    const headers = lines.flatMap((line) => ["Cookie", Buffer.from(line)]);
    const response = await world.gate.request(`${BASE}/app/a`, { headers: [...headers, "Accept", "application/json"] });
    assert.equal(response.status === 200, letsIn, `${response.status} ${response.text().slice(0, 200)}`);
  });
});

// Sessions of the peer are signed; ours are sealed. The same is tried of ours: what is changed, or moved to another name.
suite("cases_cookie_parse.json", async (t, all) => {
  const good = await goodOne();
  return each(t, all.filter(({ input }) => input.kind === "session-cookie"), async ({ id, input, expected }) => {
    const [change = ""] = input.mutate;
    const end = good.endsWith("AAA") ? "BBB" : "AAA";
    const cookie = /name/.test(change)
      ? `${DEVICE}=${good}`
      : `${SESSION}=${change === "" ? good : good.slice(0, -3) + end}`;
    const response = await world.gate.request(`${BASE}/app/a`, { headers: { Cookie: cookie, Accept: "application/json" } });
    assert.equal(response.status, expected.verdict === "accept" ? 200 : 401, `${id}: ${change}`);
  });
});
