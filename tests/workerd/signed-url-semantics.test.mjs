// The shared cases of signed-URL behaviour, each by its id, for every dialect that can express it.
//
// `must` holds for all of them. Where a case leaves the choice (`should`, `policy`), CHOSEN says what a dialect does and why:
// mostly that it signs less, or more, than the case supposes.
import assert from "node:assert/strict";
import { test } from "node:test";
import { COOKIES, DIALECTS, policyOfAll, secretsOfAll, withExpiry, withMac } from "./dialects.mjs";
import { shared } from "./expect.mjs";
import { NO_VECTORS, base64url, cases, now, policy, secrets } from "./given.mjs";
import { SITE, withGate } from "./harness.mjs";

const NAMED_KEY = Buffer.from("the key of the cookie toString");

const world = shared(() => {
  const all = policyOfAll();
  const named = { format: "akamai", paths: ["/named/*"], from: ["cookie:toString"], keys: ["named"] };
  const keys = Object.values(DIALECTS).flatMap((it) => it.keys);
  const key = { kty: "oct", kid: "named", alg: "HS256", k: base64url(NAMED_KEY) };
  return {
    policy: { tokens: [...all.tokens, named], rules: [...all.rules, { path: "/named/*", accept: ["signed-url"] }] },
    secrets: secretsOfAll({ EDGEWARD_KEYS: JSON.stringify({ keys: [...keys, key] }) }),
  };
});

const ALL = Object.values(DIALECTS);
const SEPARATE = ALL.filter((it) => !it.separator && it.expiry); // MAC and expiry are parameters of their own
const COOKIE = ALL.filter((it) => COOKIES[it.format]);
const signing = (what) => ALL.filter((it) => it[what]);

/** One request: a link, or `[target, options]`. */
const plain = (below, given) => (dialect) => dialect.link(below, given?.(dialect));
const mac = (below, change) => (dialect) => withMac(dialect, dialect.link(below), change);
const expiry = (change) => (dialect) => withExpiry(dialect, dialect.link("/a"), change);
const moved = (was, is) => (dialect) => dialect.link(was).replace(was, is);
const renamed = (change) => (dialect) => {
  const link = dialect.link("/a");
  return link.replace(new RegExp(`([?&])(${dialect.parameter})=`), (_, mark, name) => `${mark}${change(name)}=`);
};
const appended =
  (what, below = "/foo/1") =>
  (dialect) =>
    dialect.link(below) + what;
const withoutMac = (dialect) => {
  const link = dialect.link("/test.html");
  if (dialect.separator === "~") return link.replace(/~hmac=\w+/, "");
  const rest = new RegExp(`${dialect.parameter}=[^&]*&?`);
  return link.replace(rest, "").replace(/[?&]$/, "");
};
/** Signed anew with a text for an expiry. */
const signedWith = (expires) => (dialect) => {
  if (dialect.format === "cloudflare") return dialect.link("/a", { issued: expires });
  if (dialect.format === "nginx-hmac") return dialect.link("/a", { ts: expires, e: 60 });
  return dialect.link("/a", { expires });
};
const textual = ALL.filter((it) => it.expiry);
const granted = (below) => (dialect) => {
  const link = dialect.link("/video/", dialect.grant(`/${dialect.format}/video/`, {}));
  return link.replace("/video/?", `${below}?`);
};
const cookie =
  (change, below = "/films/1.ts") =>
  (dialect) => {
    const [name, value] = COOKIES[dialect.format](`/${dialect.format}/films/`);
    return [`/${dialect.format}${below}`, { headers: { Cookie: change(value, name, dialect) } }];
  };
const cookieMac = (change) =>
  cookie(
    (value, name) => `${name}=${value.replace(/(hmac|Signature)=([^~:]+)/, (_, it, tag) => `${it}=${change(tag)}`)}`,
  );

/** How each case is expressed; the dialects that can, all of them by default. */
const CASES = {
  "su-001": [plain("/foo/1")],
  "su-003": [plain("/foo/1", () => ({ expires: now() - 300 }))],
  "su-004": [({ format }) => `/${format}/foo/1`],
  "su-005": [plain("/foo/1?param"), ALL.filter((it) => it.format !== "bunny")], // whose signers write `param=`
  "su-008": [plain("/foo/1?custom-signature=signature%3Dvalue")],
  "su-009": [appended("&appended")],
  "su-010": [appended("&two=value&one=&three", "/foo/1?bar=baz")],
  "su-012": [
    (it) => it.link("/foo/1?prefix=value&suffix=value").replace("prefix=value", "prefix=other"),
    signing("query"),
  ],
  "su-014": [plain("/foo/1", ({ older }) => ({ key: older }))],
  "su-016": [mac("/test.html", (it) => it.replace(/(=|%3D)+$/, "")), [DIALECTS["google-cdn"]]],
  "su-019": [mac("/test.html", (it) => `${it}-TOOLONG`)],
  "su-020": [mac("/test.html", () => "BADHASHLENGTH")],
  "su-022": [withoutMac],
  "su-023": [plain("/test.html", () => ({ expires: now() - 86400 }))],
  "su-024": [plain("/test.html", () => ({ expires: 0 }))],
  "su-025": [moved("/test.html", "/other")],
  "su-029": [moved("/p/a", "/p%2fa")],
  "su-030": [mac("/foo", () => "foo")],
  "su-032": [(it) => `${withMac(it, it.link("/foo?foo=bar"), () => "foo")}&bar=foo`],
  "su-033": [plain("/foo")],
  "su-034": [plain("/foo?foo=bar")],
  // Between the expiry and the first name bunny.net signs nothing: a name that begins with a digit could be either's.
  "su-035": [plain("/foo?foo=bar&0=integer"), ALL.filter((it) => it.format !== "bunny")],
  "su-036": [
    (it) => it.link("/foo?foo=bar&bar=foo").replace(/foo=bar|bar=foo/g, (pair) => pair.split("=").reverse().join("=")),
  ],
  "su-037": [(it) => it.link("/a").replace(/\?.*/, (query) => query.toUpperCase())],
  "su-039": [mac("/a", (it) => (it[0] === "a" ? "b" : "a") + it.slice(1))],
  "su-041": [
    (it) => it.link("/a").replace(/\?.*/, (query) => query.replaceAll(it.separator, "*")),
    signing("separator"),
  ],
  "su-042": [mac("/a", (it) => it.slice(0, -1))],
  "su-044": [plain("/a", ({ older }) => ({ key: older }))],
  "su-046": [plain("/a", () => ({ issued: now() - 3611 })), [DIALECTS.cloudflare]],
  "su-047": [
    (it) => (it.endless ? it.link("/a", { expires: undefined }) : it.link("/a", { issued: "" })),
    [...signing("endless"), DIALECTS.cloudflare],
  ],
  "su-048": [signedWith("____________"), textual],
  "su-049": [signedWith(0x4e03d5a1a1a1a1), textual],
  "su-053": [cookie((value, name) => `${name}=garbage.${value}`), COOKIE],
  "su-054": [cookie((value, name) => `${name}=${value}.garbage`), COOKIE],
  "su-056": [
    cookie((value, name, { format }) => {
      const [, other] = COOKIES[format](`/${format}/else/`);
      const tag = (text) => /(?:hmac|Signature)=([^~:]+)/.exec(text)[1];
      return `${name}=${value.replace(tag(value), tag(other))}`;
    }),
    COOKIE,
  ],
  "su-057": [cookieMac((it) => `?${it.slice(1)}`), COOKIE],
  "su-058": [cookieMac(() => "valueShapedLikeASignatureButIsNotASignature="), COOKIE],
  "su-059": [cookie((value, name) => `${name}=${value.replace(/[~:](hmac|Signature)=.*/, "")}`), COOKIE],
  "su-060": [cookie((value, name) => `\u00a0${name}=evil; ${name}=${value}`), COOKIE],
  "su-061": [
    () => {
      const [, value] = COOKIES.akamai("/named/", { key: NAMED_KEY });
      return ["/named/a", { headers: { Cookie: `toString=${value}` } }];
    },
    [DIALECTS.akamai],
  ],
  "su-065": [(it) => it.link("/video/1.mp4").replace(`${SITE}/`, `${SITE}//`)],
  "su-066": [moved("/video/1.mp4", "/video/x/../1.mp4")],
  "su-069": [moved("/video/1.mp4", "/video/%31.mp4")],
  "su-070": [moved("/video/1.mp4", "/VIDEO/1.mp4")],
  "su-072": [moved("/video/1.mp4", "/video/1.mp4%00.jpg")],
  "su-073": [(it) => it.link("/a").replace(SITE, "https://other.example")],
  "su-074": [(it) => it.link("/a").replace("https:", "http:")],
  "su-075": [(it) => [it.link("/a"), { method: "POST" }]],
  "su-076": [(it) => [it.link("/a"), { method: "HEAD" }]],
  "su-077": [(it) => [it.link("/video/1.mp4"), { headers: { Range: "bytes=0-99" } }]],
  "su-079": [(it) => `${it.link("/a")}&${it.parameter}=x`],
  "su-081": [
    (it) => withExpiry(it, it.link("/a"), (seconds) => seconds).replace("?", `?${expiryName(it)}=${now() + 99999}&`),
    SEPARATE,
  ],
  "su-082": [renamed((name) => (name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase()))],
  "su-083": [renamed((name) => name.slice(0, -1) + `%${name.charCodeAt(name.length - 1).toString(16)}`)],
  "su-085": [expiry((it) => `000${it}`), textual],
  "su-086": [expiry((it) => `0x${Number(it).toString(16)}`), textual],
  "su-087": [expiry((it) => `${it}.5`), textual],
  "su-089": [signedWith(-1), textual],
  "su-090": [signedWith("99999999999999999999"), textual],
  "su-091": [expiry(() => ""), textual],
  "su-092": [
    (it) =>
      it.link("/a").replace(new RegExp(`[?&~]?${expiryName(it)}=\\d*`), (found) => (found[0] === "?" ? "?x" : "")),
    textual.filter((it) => it.format !== "cloudflare" && it.format !== "fastly"),
  ],
  "su-098": [granted("/video/%2e%2e/admin"), signing("grant")],
  "su-099": [granted("/video/..%2fadmin"), signing("grant")],
  "su-101": [
    (it) => [
      `/${it.format}/a`,
      { headers: { Cookie: `__Host-edgeward=${it.link("/a").split("=").slice(1).join("=")}` } },
    ],
  ],
  "su-102": [mac("/a", () => "ew_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijk")],
};

const expiryName = (dialect) => /[\w]+/.exec(dialect.expiry.source)[0];

/** What is ours to choose, where it is not what the case would have: the dialects, the verdict, and why. */
const notSigned = "the dialect signs no query: whoever has a link may add to it";
const CHOSEN = {
  "su-009": [(it) => !it.query, "accept", notSigned],
  "su-010": [(it) => it.query, "reject", "there is no list of parameters that are left out of what is signed"],
  "su-016": [() => true, "reject", "a MAC has one spelling, and the vendor's has its padding"],
  "su-036": [(it) => it.query && !it.anyOrder, "reject", "the query is signed as it was received"],
  "su-066": [() => true, "reject", "a path is verified as it arrives; who resolves it on the way does so before"],
  "su-073": [(it) => !it.host, "accept", "the dialect signs no host: rules name hosts, where it matters"],
  "su-075": [(it) => !it.methods, "accept", "the dialect signs no method: rules name methods, where it matters"],
  "su-083": [
    () => true,
    "reject",
    "a name in another spelling is another sequence of octets than the one that was signed",
  ],
};

/** Cases that no request can express, or that are tests of their own below. */
const ELSEWHERE = {
  "su-013": "the signer of the command refuses a URL that bears a token: tests of the command",
  "su-093": "below",
  "su-094": "below",
  "su-103": "below",
  "su-105": "below",
  "su-106": "below",
};

const given = cases("cases_signed_url_semantics.json");
const byId = (id) => given?.find((it) => it.id === id);

test("every case is expressed, or said why not", { skip: given ? false : NO_VECTORS }, () => {
  assert.deepEqual(
    given.map(({ id }) => id).filter((id) => !CASES[id] && !ELSEWHERE[id]),
    [],
  );
});

for (const { id, what, expected } of given ?? []) {
  if (!CASES[id]) continue;
  test(`${id}: ${what}`, async (t) => {
    const [express, dialects = ALL] = CASES[id];
    assert.ok(dialects.length > 0);
    for (const dialect of dialects) {
      const [applies, ours, why] = CHOSEN[id] ?? [() => false];
      const chosen = applies(dialect);
      assert.ok(!chosen || expected.level !== "must", "what must be is not ours to choose");
      const verdict = chosen ? ours : expected.verdict;
      await t.test(chosen ? `${dialect.format}: ${verdict}, as ${why}` : dialect.format, () =>
        decided(express(dialect), verdict),
      );
    }
  });
}

async function decided(described, verdict) {
  const [target, more = {}] = Array.isArray(described) ? described : [described];
  const { response, reached } = await world.counted(target, more);
  if (verdict === "accept") {
    assert.deepEqual([response.status, reached], [200, 1], `${target} ${response.text().slice(0, 200)}`);
    return;
  }
  assert.equal(reached, 0, `nothing may reach the origin: ${target}`);
  const isRedirected = response.status === 308 || response.status === 301;
  if (target.startsWith?.("http:")) assert.ok(isRedirected, `in clear: to https, not decided (${response.status})`);
  else assert.ok([400, 401, 403].includes(response.status), `${response.status} for ${target}`);
}

test(`su-093: ${byId("su-093")?.what ?? "the last second"}`, { skip: given ? false : NO_VECTORS }, async (t) => {
  for (const dialect of ALL) {
    await t.test(`${dialect.format}: good ${dialect.through ? "through" : "until"} it`, async () => {
      for (let attempt = 0; attempt < 5; attempt++) {
        const expires = now();
        const response = await world.ask(dialect.link("/a", { expires }));
        if (now() !== expires) continue; // the second ended meanwhile
        assert.equal(response.status, dialect.through ? 200 : 401);
        return;
      }
      assert.fail("no request was answered within its second");
    });
  }
});

test("su-066: dot segments that were resolved on the way are not there any more", async () => {
  for (const dialect of ALL) {
    const link = dialect.link("/video/1.mp4").replace("/video/1.mp4", "/video/x/../1.mp4");
    const response = await world.gate.front(link);
    assert.equal(response.status, 200, dialect.format);
    assert.equal(response.origin().url, `/${dialect.format}/video/1.mp4`);
  }
});

test("su-094: a fragment is not sent", async () => {
  for (const dialect of ALL)
    assert.equal((await world.gate.dispatch(`${dialect.link("/a")}#x`)).status, 200, dialect.format);
});

test("su-103: signing parameters are not forwarded to the origin", async () => {
  for (const dialect of ALL) assert.equal((await world.passes(dialect.link("/a?x=1"))).url, `/${dialect.format}/a?x=1`);
});

test("su-105: an answer of ours says nothing of the URL to whom it leads", async () => {
  for (const dialect of ALL) {
    const link = dialect.link("/a", { expires: now() - 10 });
    const page = await world.gate.request(link, { headers: { Accept: "text/html" } });
    assert.equal(page.get("referrer-policy"), "same-origin", dialect.format);
    assert.equal((await world.ask(link)).get("referrer-policy"), "no-referrer", dialect.format);
  }
});

test("su-106: an empty key is no key", async () => {
  const { tokens, rules } = policyOfAll();
  for (const [keys, status] of [
    [[{ ...DIALECTS.laravel.keys[0], k: "" }], 503],
    [[DIALECTS.laravel.keys[0]], 200],
  ]) {
    const settings = {
      policy: {
        ...policy(world.origin),
        tokens: [{ ...tokens.find((it) => it.format === "laravel"), keys: ["laravel"] }],
        rules,
      },
      secrets: secrets({ EDGEWARD_KEYS: JSON.stringify({ keys }) }),
    };
    await withGate(settings, async (gate) => {
      assert.equal((await gate.request(DIALECTS.laravel.link("/a"))).status, status);
      if (status === 503) assert.equal((await gate.request(DIALECTS.laravel.link("/a", { key: "" }))).status, 503);
    });
  }
});
