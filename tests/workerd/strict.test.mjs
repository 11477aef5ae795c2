// revocation = "strict": the ledger is asked for each request, and told by signed orders to POST /.edgeward/revoke.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import { after, before, test } from "node:test";
import { OLD_SECRET_BYTES, SECRET, SECRET_BYTES, base64url, basic, bearer, jwt, now, secrets } from "./given.mjs";
import { challenges } from "./expect.mjs";
import { ROOT, SITE, withGate } from "./harness.mjs";
import { startOrigin } from "./origin.mjs";
import { apiKey, apiKeyLine, kidOf, order } from "./programs.mjs";
import { signers } from "./signers.mjs";
import { storesOf, watched } from "./stores.mjs";

const sleep = (millis) => new Promise((done) => setTimeout(done, millis));
const CI = apiKey();
const OTHER = Buffer.from("a-secret-of-nobody-in-this-test/");
// No KV: the ledger is enough.
const REAL = { durableObjects: { EDGEWARD_LEDGER: { className: "Ledger", useSQLite: true } } };

let origin;
before(async () => (origin = await startOrigin()));
after(() => origin.stop());

const settings = (policy = {}, more = { options: REAL }) => ({
  ...more,
  policy: {
    origin: origin.url,
    log: "all",
    revocation: "strict",
    tokens: [{ format: "jwt", keys: ["main", "narrow"], require: [] }, { format: "edgeward" }],
    token: {},
    rules: [
      { path: "/public/*", access: "public" },
      { path: "/share/*", accept: ["signed-url"], exchange: "cookie" },
    ],
    ...policy,
  },
  secrets: secrets({ EDGEWARD_API_KEYS: apiKeyLine("ci", CI) }),
});

const JSON_WANTED = { Accept: "application/problem+json" };
async function ask(gate, [target, headers = {}]) {
  const response = await gate.request(target, { headers: { ...JSON_WANTED, ...headers } });
  return response.status === 200 ? "passed" : response.json().cause;
}
const post = (gate, headers, target = "/.edgeward/revoke") =>
  gate.request(target, { method: "POST", headers: { ...JSON_WANTED, ...headers } });

/** Sends an order; it is carried out. */
async function revoke(gate, what, how) {
  const response = await post(gate, bearer(order(what, how)));
  assert.deepEqual([response.status, response.json()], [200, { revoked: true }]);
  assert.equal(response.get("cache-control"), "no-store");
}

const token = (claims = {}, kid = "main") => ["/x", bearer(jwt({ kid, claims: { iat: now() - 5, ...claims } }))];
const share = (id, more = {}) => [
  signers.edgeward({ url: `${SITE}/share/${more.at ?? id}`, key: SECRET_BYTES, expires: now() + 900, id: idOf(id), ...more }),
];
const idOf = (id) => Buffer.from(id.padEnd(8, "."));
const nameOf = (id) => base64url(idOf(id));

async function cookieFor(gate, [target], held) {
  const headers = { "Sec-Fetch-Mode": "navigate", Accept: "text/html", ...(held ? { Cookie: held } : {}) };
  const response = await gate.request(target, { headers });
  assert.equal(response.status, 303, response.text().slice(0, 200));
  return response.get("set-cookie").split(";")[0];
}

async function freshToken(gate) {
  const response = await post(gate, { "X-API-Key": CI }, "/.edgeward/token");
  const it = response.json().access_token;
  return { given: ["/x", bearer(it)], claims: JSON.parse(Buffer.from(it.split(".")[1], "base64url")) };
}

test("an order is in force with the next request, and so is its undoing", async (t) => {
  await withGate(settings(), async (gate) => {
    const [byId, bySubject] = [await freshToken(gate), await freshToken(gate)];
    const cookie = await cookieFor(gate, share("granted"));
    const rows = [
      ["a token, by jti", token({ jti: 't"1' }), { jti: ['t"1'] }],
      ["a token, by sub", token({ sub: "mallory" }), { sub: ["mallory"] }],
      ["a token, by its user", token({ sub: "oscar" }), { sub: ["token:oscar"] }],
      ["a token, by kid", token({}, "narrow"), { kid: ["narrow"] }],
      ["a link, by its id", share("l-1"), { jti: [nameOf("l-1")] }],
      ["a link, by its subject", share("l-2", { subject: "guest" }), { sub: ["guest"] }],
      ["a link's cookie", ["/share/granted", { Cookie: cookie }], { jti: [nameOf("granted")] }],
      ["a fresh token, by jti", byId.given, { jti: [byId.claims.jti] }],
      ["a fresh token, by its key's id", bySubject.given, { kid: [kidOf("token")] }],
      ["an API key", ["/x", { "X-API-Key": CI }], { sub: ["key:ci"] }],
      ["several kinds in one order", token({ sub: "peggy" }), { jti: ["a", "b"], sub: ["peggy"], kid: ["c"] }],
      ["all before a moment", token({ iat: now() - 5 }), { before: now() - 1 }],
      ["all before a moment: a token without iat", token({ iat: undefined }), { before: now() - 1 }],
    ];
    for (const [name, given, what] of rows)
      await t.test(name, async () => {
        assert.equal(await ask(gate, given), "passed");
        await revoke(gate, what);
        assert.equal(await ask(gate, given), "token-revoked");
        assert.equal(await ask(gate, token({ sub: "trent", iat: now() + 5 })), "passed", "others are not touched");
        assert.equal(await ask(gate, ["/x", basic("ann")]), "passed");
        assert.equal(await ask(gate, ["/public/x"]), "passed");
        await revoke(gate, { ...what, undo: true });
        assert.equal(await ask(gate, given), "passed");
      });
    await t.test("until a moment", async () => {
      const moment = now() + 6;
      await revoke(gate, { sub: ["mallory"], until: moment });
      assert.equal(await ask(gate, token({ sub: "mallory" })), "token-revoked");
      await sleep(moment * 1000 + 600 - Date.now());
      assert.equal(await ask(gate, token({ sub: "mallory" })), "passed");
    });
  });
});

test("a cookie that stands for several links: each is asked about by itself", async () => {
  await withGate(settings(), async (gate) => {
    const both = { at: "album/", prefix: "/share/album/" };
    const cookie = await cookieFor(gate, share("one", both), await cookieFor(gate, share("two", both)));
    const given = ["/share/album/1.jpg", { Cookie: cookie }];
    assert.equal(await ask(gate, given), "passed");
    await revoke(gate, { jti: [nameOf("one")] });
    assert.equal(await ask(gate, given), "passed", "the other link still holds");
    await revoke(gate, { jti: [nameOf("two")] });
    assert.equal(await ask(gate, given), "token-revoked");
    await revoke(gate, { jti: [nameOf("one")], undo: true });
    assert.equal(await ask(gate, given), "passed");
  });
});

test("what is no order of this site's is refused, and nothing is revoked", async (t) => {
  await withGate(settings(), async (gate) => {
    const what = { sub: ["mallory"] };
    const good = order(what);
    const [header, claims] = good.split(".");
    const none = `${base64url('{"alg":"none","typ":"edgeward-revoke+jwt"}')}.${claims}.`;
    const rows = [
      ["no Authorization", {}],
      ["Basic", basic("ann")],
      ["an API key", { "X-API-Key": CI }],
      ["a Bearer that is none", { Authorization: "Bearer abc" }],
      ["a token of the site's users", token()[1]],
      ["a token of ours for programs", (await freshToken(gate)).given[1]],
      ["two", { Authorization: `Bearer ${good}, Bearer ${good}` }],
      ["another signature", bearer(`${header}.${claims}.${base64url(Buffer.alloc(32, 1))}`)],
      ["one bit of the signature", bearer(good.replace(/.{5}$/, (end) => (end[0] === "A" ? "B" : "A") + end.slice(1)))],
      ["no signature", bearer(none)],
      ["a key of nobody", bearer(order(what, { secret: OTHER }))],
      ["a key of nobody, under our key's id", bearer(order(what, { key: OTHER, header: { kid: kidOf("revoke") } }))],
      ["our key for assertions", bearer(order(what, { key: SECRET_BYTES }))],
      ["another typ", bearer(order(what, { header: { typ: "JWT" } }))],
      ["another algorithm", bearer(order(what, { header: { alg: "HS384" } }))],
      ["expired", bearer(order(what, { claims: { exp: now() - 1 } }))],
      ["without exp", bearer(order(what, { claims: { exp: undefined } }))],
      ["for longer than an order is", bearer(order(what, { claims: { exp: now() + 600 } }))],
      ["for another site", bearer(order(what, { audience: "https://b.example" }))],
      ["for another site, the same in a list", bearer(order(what, { claims: { aud: [SITE, "https://b.example"] } }))],
      ["without aud", bearer(order(what, { claims: { aud: undefined } }))],
      ["that says nothing", bearer(order({}))],
      ["with a member nobody knows", bearer(order({ ...what, all: true }))],
      ["with a member of the wrong type", bearer(order({ sub: "mallory" }))],
      ["with a past before the epoch", bearer(order({ before: -1 }))],
      ["in the query", {}, `/.edgeward/revoke?access_token=${good}`],
    ];
    for (const [name, headers, target] of rows)
      await t.test(name, async () => {
        const response = await post(gate, headers, target);
        assert.equal(response.status, 401, response.text());
        assert.deepEqual(challenges(response).map(([scheme]) => scheme), ["Bearer"]);
        assert.equal(await ask(gate, token({ sub: "mallory" })), "passed");
      });
    await t.test("POST only", async () => {
      for (const method of ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]) {
        const response = await gate.request("/.edgeward/revoke", { method, headers: bearer(good) });
        assert.deepEqual([response.status, response.get("allow")], [405, "POST"], method);
      }
      assert.equal(await ask(gate, token({ sub: "mallory" })), "passed");
    });
    await t.test("nothing of them is printed", async () => {
      const printed = await gate.printed();
      for (const secret of [SECRET, CI, good, claims]) assert.ok(!printed.includes(secret));
    });
    await t.test("nothing of it reaches the origin", async () => {
      for (const { url } of await origin.seen()) assert.ok(!url.includes("edgeward"), url);
    });
  });
});

test("an order by the former secret is one", async () => {
  const both = `${base64url(SECRET_BYTES)} ${base64url(OLD_SECRET_BYTES)}`;
  const { secrets: given, ...rest } = settings();
  await withGate({ ...rest, secrets: { ...given, EDGEWARD_SECRET: both } }, async (gate) => {
    await revoke(gate, { sub: ["mallory"] }, { secret: OLD_SECRET_BYTES });
    assert.equal(await ask(gate, token({ sub: "mallory" })), "token-revoked");
  });
});

test("an order is for the origin that it came to", async () => {
  await withGate(settings(), async (gate) => {
    for (const [authority, audience] of [["b.example", "https://b.example"], ["b.example:8443", "https://b.example:8443"]]) {
      const response = await gate.request("/.edgeward/revoke", { method: "POST", authority, headers: bearer(order({ jti: ["x"] }, { audience })) });
      assert.equal(response.status, 200, response.text());
    }
  });
});

test("without the ledger there is no such path", async () => {
  await withGate(settings({ revocation: "delayed" }, {}), async (gate) => {
    assert.equal((await post(gate, bearer(order({ jti: ["x"] })))).status, 404);
  });
});

test("strict without the ledger: 503 on all that is not public, and the log says what is missing", async () => {
  await withGate(settings({}, {}), async (gate) => {
    for (const it of [token(), ["/x", basic("ann")], ["/x", { "X-API-Key": CI }], share("l"), ["/x"], ["/.edgeward/health"]])
      assert.equal(await ask(gate, it), "not-configured", it[0]);
    assert.equal(await ask(gate, ["/public/x"]), "passed");
    const printed = await gate.printed();
    assert.match(printed, /EDGEWARD_LEDGER/);
    assert.match(printed, /EDGEWARD\.revocation/);
    assert.match(printed, /durable_objects/);
  });
});

test("a ledger that is silent", async (t) => {
  for (const [mode, least, most] of [["down", 0, 2900], ["hangs", 2500, 15_000]])
    await t.test(`${mode}: refused in time, or let in where the policy says so`, async () => {
      const during = (policy) =>
        withGate(settings(policy, watched({ kv: false })), async (gate) => {
          const stores = await storesOf(gate);
          await revoke(gate, { sub: ["mallory"] });
          assert.equal(await ask(gate, ["/x", basic("ann")]), "passed");
          await stores.set({ ledger: mode });
          const begun = Date.now();
          const found = await Promise.all([token(), token({ sub: "mallory" }), ["/x", { "X-API-Key": CI }], share("l")].map((it) => ask(gate, it)));
          const took = Date.now() - begun;
          assert.ok(took >= least && took < most, `${took} ms`);
          const refused = await gate.request("/x", { headers: { ...JSON_WANTED, ...token()[1] } });
          const orderly = await post(gate, bearer(order({ sub: ["oscar"] })));
          const others = [await ask(gate, ["/x", basic("ann")]), await ask(gate, ["/public/x"])];
          assert.deepEqual(others, ["passed", "passed"], "a password that was proven lately asks nobody");
          assert.equal(await ask(gate, ["/x", basic("bob")]), "check-unavailable", "tries cannot be counted");
          assert.equal(orderly.json().cause, "check-unavailable", "an order that was not kept is not said to be");
          assert.ok(Number(orderly.get("retry-after")) > 0);
          assert.match(await gate.printed(), /"store":"EDGEWARD_LEDGER"/);
          await stores.set({ ledger: "good" });
          assert.deepEqual([await ask(gate, token()), await ask(gate, token({ sub: "mallory" }))], ["passed", "token-revoked"]);
          return { found, refused };
        });
      const [refuse, allow] = await Promise.all([during({}), during({ revocation_unavailable: "allow" })]);
      assert.deepEqual(refuse.found, refuse.found.map(() => "check-unavailable"));
      assert.equal(refuse.refused.status, 503);
      assert.ok(Number(refuse.refused.get("retry-after")) > 0);
      assert.deepEqual(allow.found, allow.found.map(() => "passed"), "nobody knows better");
    });
});

test("strict with both stores: the lists count as well, and refuse without the ledger", async () => {
  await withGate(settings({}, watched()), async (gate) => {
    const stores = await storesOf(gate);
    await stores.put("revoked:sub", "mallory");
    await revoke(gate, { sub: ["oscar"] });
    const before = (await stores.seen()).calls.length;
    assert.equal(await ask(gate, token({ sub: "mallory" })), "token-revoked");
    assert.equal((await stores.seen()).calls.length, before);
    assert.equal(await ask(gate, token({ sub: "oscar" })), "token-revoked");
    assert.equal(await ask(gate, token({ sub: "trent" })), "passed");
    assert.equal((await stores.seen()).calls.length, before + 2, "one call for each request");
  });
});

test("edgeward revoke --ledger says the same as the order above", { timeout: 600_000 }, async (t) => {
  const args = ["run", "--quiet", "--", "revoke"];
  const run = async (...more) => {
    const child = spawn("cargo", [...args, ...more, "--secrets", "-"], { cwd: ROOT });
    const said = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"]) child[name].setEncoding("utf8").on("data", (text) => (said[name] += text));
    child.stdin.end(`EDGEWARD_SECRET='${SECRET}'\n`);
    const [status] = await once(child, "close");
    return { status, ...said };
  };
  await withGate(settings(), async (gate) => {
    const sent = async (...more) => {
      const { status, stdout, stderr } = await run(...more, "--ledger", SITE, "--json");
      assert.equal(status, 0, stderr);
      const { command } = JSON.parse(stdout);
      const field = command.find((it) => it.startsWith("Authorization: "));
      assert.equal(command.at(-1), `${SITE}/.edgeward/revoke`);
      return post(gate, { Authorization: field.slice("Authorization: ".length) });
    };
    const given = token({ jti: "t-1", sub: "mallory" });
    for (const [name, more] of [
      ["an id", ["id", "t-1"]],
      ["a subject", ["subject", "mallory"]],
      ["a key", ["key", "main"]],
      ["before", ["before"]],
    ])
      await t.test(name, async () => {
        assert.equal(await ask(gate, given), "passed");
        assert.equal((await sent(...more)).status, 200);
        assert.equal(await ask(gate, given), "token-revoked");
        assert.equal((await sent(...more, "--undo")).status, 200);
        assert.equal(await ask(gate, given), "passed");
      });
    await t.test("with --run, over the network", async (t) => {
      // The gate's own socket takes requests in absolute form only, which curl does not send.
      const door = http.createServer(async ({ method, url, rawHeaders, headers }, response) => {
        const given = { method, path: `http://${headers.host}${url}`, headers: rawHeaders };
        const { status, rawHeaders: fields, content } = await gate.request(given);
        response.writeHead(status, fields).end(content);
      });
      await once(door.listen(0, "127.0.0.1"), "listening");
      t.after(() => door.close());
      const here = `http://localhost:${door.address().port}`;
      const done = await run("subject", "mallory", "--ledger", here, "--run");
      assert.equal(done.status, 0, done.stderr);
      assert.equal(await ask(gate, given), "token-revoked");
      const elsewhere = await run("subject", "trent", "--ledger", `${here.replace("localhost", "127.0.0.1")}`, "--run");
      assert.equal(elsewhere.status, 0, "the order is for the origin that it is sent to");
    });
  });
});
