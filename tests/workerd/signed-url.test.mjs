// Signed URLs of every dialect: what an independent signer signs is let in, and nothing else is.
import assert from "node:assert/strict";
import { test } from "node:test";
import { COOKIES, DIALECTS, oneBit, policyOfAll, secretsOfAll, withExpiry, withMac } from "./dialects.mjs";
import { eachRow, shared } from "./expect.mjs";
import { base64url, now } from "./given.mjs";
import { SITE } from "./harness.mjs";
import { akamaiToken, googleGrant, mediaToken, signers } from "./signers.mjs";

const world = shared(() => ({ policy: policyOfAll(), secrets: secretsOfAll() }));
const ALL = Object.entries(DIALECTS);
const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Symfony writes the query in its own order; the others leave it as it is. */
const asSent = (link, dialect) => {
  const target = link.slice(SITE.length);
  const own = new Set([dialect.parameter, "expires", "Expires", "KeyName", "ts", "e", "_expiration"]);
  const [path, query = ""] = target.split("?");
  const kept = query.split("&").filter((pair) => !own.has(pair.split("=")[0]));
  return kept.length && kept[0] !== "" ? `${path}?${kept.join("&")}` : path;
};

test("the signers give what the vendors' constructions are known to give", async (t) => {
  const key = Buffer.from("52a152a152a152a152a152a152a1", "hex");
  const times = { key, starts: 1294788122, expires: 1294788422 };
  const media = Buffer.from("g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8=", "base64url");
  const google = { key: Buffer.from("nZtRohdNF9m3cKM24IcK4w==", "base64url"), name: "my-key", expires: 1549751401 };
  const fastly = Buffer.from("iqFPeN2u+Z0Lm5IrsKaOFKRqEU5Gw8ePtaEkHZWuD24=", "base64");
  const bunny = { url: "https://h/300kb.jpg", key: "SecurityKey", expires: 1598024587 };
  const file = { url: "https://h/files/top_secret.pdf", key: "my_very_secret_key", ts: 1700000000, e: 60 };
  await eachRow(
    t,
    [
      [
        "akamai, a list",
        akamaiToken({ ...times, acl: "/*" }),
        "7fc9e05478171e3a7c221a7eb744c85ee583ff838287a372072a3fef317cc851",
      ],
      [
        "akamai, two",
        akamaiToken({ ...times, acl: "/a/*!/b/?.ts" }),
        "8cd0251d83a29cf89870d0ccf16042bfd5db09b0dd523eec115e99414b80c12b",
      ],
      [
        "cloudflare",
        signers.cloudflare({ url: "https://h/images/cat.jpg", key: "mysecrettoken", issued: 1484063787 }),
        encodeURIComponent("XsZ5NmtNBxOd4f4fBOtqVmpWRnDRNkHKVZieqDPKu3U="),
      ],
      [
        "fastly",
        signers.fastly({ url: "https://h/foo/bar.html", key: fastly, expires: 1441307151 }),
        "2bfc5de65ab7c7faffde2b29ac82d4f5177f16d7",
      ],
      [
        "google-cdn",
        signers["google-cdn"]({ ...google, url: "http://35.186.234.33/index.html" }),
        "CRFqQnVfFyiUyR63OQf-HRUpIwc=",
      ],
      [
        "google-cdn, prefix",
        googleGrant({ ...google, prefix: "http://www.example.com/some/" }),
        "3th4ThmpS95I1TAKYyYSCSq3dnQ=",
      ],
      [
        "google-cdn, cookie",
        googleGrant({ ...google, prefix: "http://www.example.com/foo/", separator: ":" }),
        "Z9uYAu73YHioRScZDxnP-TnS274=",
      ],
      [
        "media-cdn",
        mediaToken({ url: "https://h/example.m3u8", key: media, expires: 1663070400 }),
        "365b41fd77297371d890fc9a56e4e3d3baa4c7afbd230a0e9a81c8e1bcab9420",
      ],
      ["bunny", signers.bunny(bunny), "HS256-o10JRWlsAItyAsdKS6jJKjabHN4FrFsplDHPV1idcX4"],
      [
        "bunny, an address",
        signers.bunny({ ...bunny, ip: "1.2.3.4" }),
        "HS256-1-L2rISTLcujMY9UFf2tbZ41d5i-Bme1g1oTK_Z2QMLJk",
      ],
      ["nginx-hmac", signers["nginx-hmac"](file), "ESctZsZH2Y4NDmNR8KbwM21UUVFnmd7UPHlC8aRU2e8"],
      [
        "laravel",
        signers.laravel({ url: "http://localhost/foo", key: "key", expires: 1700000000 }),
        "068377037871db956c399d8b1145095740651ab9309265a07098929db1f0c8d3",
      ],
      [
        "symfony",
        signers.symfony({ url: "http://example.com/foo?baz=bay&foo=bar", key: "foobar", before71: true }),
        encodeURIComponent("rIOcC/F3DoEGo/vnESjSp7uU9zA9S/+OLhxgMexoPUM="),
      ],
    ],
    (signed, known) => assert.ok(signed.includes(known), signed),
  );
});

for (const [format, dialect] of ALL) {
  test(`${format}: a link is let in, and the origin sees the URL without its token`, async (t) => {
    await eachRow(
      t,
      [
        ["a path", dialect.link("/a/b.txt")],
        ["the root of the rule", dialect.link("")],
        ["a query", dialect.link("/a?x=1&y=2")],
        ["percent-encoding", dialect.link("/caf%C3%A9/a%20b?q=%25")],
        ["an older key", dialect.link("/a", { key: dialect.older })],
        ["HEAD", dialect.link("/a"), "HEAD"],
      ],
      async (link, method = "GET") => {
        const response = await world.gate.request(link, { method });
        assert.equal(response.status, 200, response.text().slice(0, 300));
        assert.equal((await world.origin.last()).url, asSent(link, dialect));
      },
    );
  });

  test(`${format}: one bit changed is refused`, async (t) => {
    const { causes } = dialect;
    const link = dialect.link("/a/b.txt");
    await eachRow(
      t,
      [
        ["of the signature", withMac(dialect, link, oneBit), causes.signature],
        ["of the expiry", changedExpiry(dialect, link), causes.expiry],
        ["of the path", link.replace("/a/b.txt", "/a/c.txt"), causes.path],
        ["of the key", dialect.link("/a/b.txt", { key: dialect.wrong, name: format }), causes.key],
      ],
      async (changed, cause) => {
        assert.notEqual(changed, link);
        await world.refuses(changed, {}, cause, 401);
      },
    );
  });

  test(`${format}: a link that has expired is refused as that, and says when it did`, async () => {
    const expires = now() - 10;
    const response = await world.refuses(dialect.link("/a", { expires }), {}, "token-expired");
    assert.equal(response.json().expired_at, expires);
  });

  test(`${format}: percent-encoding is not interchangeable (attack 25)`, async (t) => {
    const link = dialect.link(dialect.marked);
    await letIn(link);
    const sent = (was, is) => link.replace(was, is);
    const inPath = [
      ["~ as %7e", sent("a~b", "a%7eb")],
      ["~ as %7E", sent("a~b", "a%7Eb")],
      ["/ as %2F", sent("b/c", "b%2Fc")],
      ["%2F as /", sent("c%2Fd", "c/d")],
      ["%2F as %2f", sent("c%2Fd", "c%2fd")],
      ["%20 as +", sent("d%20e", "d+e")],
      ["a letter as %61", sent("a~b", "%61~b")],
    ];
    const rows = inPath.filter(([, changed]) => changed !== link);
    assert.ok(rows.length >= 5);
    await eachRow(t, rows, (changed) => refusedSomehow(changed, link));
    // What is not signed may be changed by whoever has the link: the documentation of each dialect says so.
    const inQuery = [
      ["in the query: + and %20", link.replace(/q=x(\+|%20)y/, (_, space) => `q=x${space === "+" ? "%20" : "+"}y`)],
      ["in the query: ~ and %7E", link.replace(/~z|%7Ez/, (it) => (it === "~z" ? "%7Ez" : "~z"))],
      ["in the query: a parameter twice", sent(/q=x[^&]*/, "$&&$&")],
      ["in the query: a parameter more", sent(/q=x[^&]*/, "$&&z=1")],
      ["in the query: a parameter less", sent(/q=x[^&]*&/, "")],
    ];
    await eachRow(t, inQuery, (changed) => (dialect.query ? refusedSomehow(changed, link) : letIn(changed)));
  });

  test(`${format}: a token parameter that stands twice is ambiguous (attack 25)`, async (t) => {
    const link = dialect.link("/a");
    const [, name, value] = new RegExp(`[?&](${dialect.parameter})=([^&]*)`).exec(link);
    await eachRow(
      t,
      [
        ["the same once more", `${link}&${name}=${value}`],
        ["another before", link.replace("?", `?${name}=x&`)],
        ["another after, its name encoded", `${link}&%${name.charCodeAt(0).toString(16)}${name.slice(1)}=x`],
      ],
      (changed) => world.refuses(changed, {}, "request-ambiguous"),
    );
  });

  test(`${format}: no signature has a second spelling (attack 26)`, async (t) => {
    const link = dialect.link("/a");
    const rows = [...spellings(dialect, link)].filter(
      ([, changed]) => changed !== link && !isOtherAlphabet(changed, dialect),
    );
    await eachRow(t, rows, (changed) => refusedSomehow(changed, link));
  });

  if (dialect.expiry) {
    test(`${format}: no time has a second spelling (attack 26)`, async (t) => {
      const link = dialect.link("/a");
      const spelled = (change) => withExpiry(dialect, link, change);
      await eachRow(
        t,
        [
          ["+12", spelled((it) => `+${it}`)],
          ["%2B12", spelled((it) => `%2B${it}`)],
          ["a space", spelled((it) => `%20${it}`)],
          ["1e9", spelled(() => "2e9")],
          ["a leading zero", spelled((it) => `0${it}`)],
          ["a period", spelled((it) => `${it}.0`)],
          ["hexadecimal", spelled((it) => `0x${Number(it).toString(16)}`)],
          ["a digit percent-encoded", spelled((it) => `%3${it[0]}${it.slice(1)}`)],
          ["nothing", spelled(() => "")],
          ["a minus", spelled((it) => `-${it}`)],
          ["one digit more", spelled((it) => `${it}0`)],
        ],
        (changed) => refusedSomehow(changed, link),
      );
    });
  }
}

test("a cookie of a vendor's is let in below its prefix, and is off before the origin", async (t) => {
  for (const [format, cookie] of Object.entries(COOKIES)) {
    await t.test(format, async () => {
      const [name, value] = cookie(`/${format}/films/`);
      const headers = { Cookie: `a=1; ${name}=${value}; b=2` };
      const origin = await world.passes(`/${format}/films/1.ts?x=1`, { headers });
      assert.deepEqual(origin.all("cookie"), ["a=1; b=2"]);
      assert.equal(origin.url, `/${format}/films/1.ts?x=1`);
      await world.refuses(`/${format}/other/1.ts`, { headers }, "token-wrong-scope");
      const [, late] = cookie(`/${format}/films/`, { expires: now() - 10 });
      await world.refuses(`/${format}/films/1.ts`, { headers: { Cookie: `${name}=${late}` } }, "token-expired");
    });
  }
});

test("a link for all below a prefix opens that and nothing beside it", async (t) => {
  for (const [format, dialect] of ALL.filter(([, it]) => it.grant)) {
    await t.test(format, async () => {
      const prefix = `/${format}/films/`;
      const link = dialect.link("/films/", dialect.grant(prefix, {}));
      const token = link.slice(link.indexOf("?"));
      await letIn(`${SITE}${prefix}1.ts${token}`);
      await letIn(`${SITE}${prefix}deep/er/1.ts${token}`);
      for (const elsewhere of [
        "films",
        "film/1.ts",
        "films%2f1.ts",
        "films/..%2fadmin",
        "films/%2e%2e/admin",
        "films/..;/admin",
        "films/%252e%252e/admin",
        "films/..%5cadmin",
      ])
        await refusedSomehow(`${SITE}/${format}/${elsewhere}${token}`);
    });
  }
});

test("bunny.net's token is off the path, too", async () => {
  const link = DIALECTS.bunny.link("/films/1.ts?x=1", { inPath: true, directory: "/bunny/films/" });
  assert.match(link, /^https:\/\/acme\.example\/bcdn_token=HS256-/);
  assert.equal((await world.passes(link)).url, "/bunny/films/1.ts?x=1");
  await refusedSomehow(withMac(DIALECTS.bunny, link, oneBit));
  await world.refuses(link.replace("/films/1.ts", "/others/1.ts"), {}, "token-wrong-scope");
});

test("a link of one dialect is nothing to another", async (t) => {
  for (const [format, dialect] of ALL) {
    await t.test(format, async () => {
      for (const [other] of ALL.filter(([it]) => it !== format)) {
        const link = dialect.link("/a").replace(`/${format}/`, `/${other}/`);
        await refusedSomehow(link);
      }
    });
  }
});

/** Refused with 400 or 401 by one of the causes that are for it, and nothing of it reaches the origin. */
async function refusedSomehow(changed, link) {
  assert.notEqual(changed, link, "nothing was changed");
  const response = await world.stops(changed, {}, [400, 401]);
  const { cause } = response.json();
  assert.match(
    cause,
    /^(token-(malformed|bad-signature|wrong-scope|unknown-key|algorithm|missing-claim)|request-ambiguous|credentials-(missing|unsupported))$/,
  );
}

async function letIn(link) {
  const response = await world.ask(link);
  assert.equal(response.status, 200, `${link}: ${response.text().slice(0, 300)}`);
}

/** The expiry with one bit changed; where it stands inside the token, there. */
function changedExpiry(dialect, link) {
  const bit = (digits) => digits.slice(0, -1) + (Number(digits.at(-1)) ^ 1);
  if (dialect.expiry) return withExpiry(dialect, link, bit);
  const [before, token] = link.split("ew=");
  const octets = Buffer.from(token, "base64url");
  octets[19] ^= 1; // head, key id, identifier, time of issue; then four octets of expiry
  return `${before}ew=${base64url(octets)}`;
}

/**
 * Whether it is what the vendor's other versions would have written: Cloudflare and Symfony write either alphabet of base64,
 * and where a MAC has none of the characters that differ, the padding alone tells them apart.
 */
const isOtherAlphabet = (link, { format }) =>
  (format === "cloudflare" && /verify=\d+-[A-Za-z0-9]{43}$/.test(link)) ||
  (format === "symfony" && /_hash=[A-Za-z0-9]{43}%3D($|&)/.test(link));

/** Other ways to write the MAC of a link, and MACs that are nearly it. */
function* spellings(dialect, link) {
  const changed = (name, change) => [name, withMac(dialect, link, change)];
  const mac = dialect.mac.exec(link)[1];
  const isHex = /^[0-9a-f]+$/.test(mac);
  const alphabet = isHex ? "0123456789abcdefABCDEFg" : `${BASE64URL}+/.~*`;
  const end = /(%3D|=)*$/.exec(mac).index;
  for (const last of alphabet)
    yield changed(`last character ${last}`, (it) => it.slice(0, end - 1) + last + it.slice(end));
  yield changed("upper case", (it) => it.toUpperCase());
  yield changed("lower case", (it) => it.toLowerCase());
  yield changed("one = more", (it) => `${it}=`);
  yield changed("one %3D more", (it) => `${it}%3D`);
  yield changed("no padding", (it) => it.replace(/(%3D|=)+$/, ""));
  yield changed("= for %3D", (it) => it.replaceAll("%3D", "="));
  yield changed("%3d for %3D", (it) => it.replaceAll("%3D", "%3d"));
  yield changed("%3D for =", (it) => it.replace(/=$/, "%3D"));
  yield changed("the other alphabet", (it) => it.replaceAll("-", "%2B").replaceAll("_", "%2F"));
  yield changed("the other alphabet, raw", (it) => it.replaceAll("%2B", "+").replaceAll("%2F", "/"));
  yield changed("a character percent-encoded", (it) => `%${it.charCodeAt(0).toString(16)}${it.slice(1)}`);
  yield changed("a space before", (it) => `%20${it}`);
  yield changed("a line feed after", (it) => `${it}%0A`);
  yield changed("a NUL after", (it) => `${it}%00`);
  yield changed("the last character cut", (it) => it.slice(0, -1));
  yield changed("half of it", (it) => it.slice(0, it.length / 2));
  yield changed("twice", (it) => it + it);
  yield changed("nothing", () => "");
}
