// The Durable Object `Ledger` and the questions to the stores, in the real runtime.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { build } from "esbuild";
import { Miniflare, convertV4MiniflareOptions } from "miniflare";
import { ledger, stored } from "../../src/edge/stores.js";
import { ROOT } from "./harness.mjs";

const FOREVER = 0;
const seconds = () => Math.floor(Date.now() / 1000);
const later = () => seconds() + 3600;
const sleep = (millis) => new Promise((done) => setTimeout(done, millis));
/** A moment that is soon over, but not before what is asked until then was answered, on whatever machine. */
const soon = () => seconds() + 5;
/** Waits until a moment is over, and what was to be cleared away then is. */
const past = (moment) => sleep(moment * 1000 + 600 - Date.now());

let world;
const folder = mkdtempSync(join(tmpdir(), "edgeward-ledger-"));
before(async () => (world = await start()));
after(async () => {
  await world.dispose();
  rmSync(folder, { recursive: true });
});

async function start() {
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, "tests/workerd/ledger/worker.js")],
    bundle: true,
    write: false,
    format: "esm",
    external: ["cloudflare:*"],
  });
  const options = {
    name: "ledger",
    cf: false,
    modules: [{ type: "ESModule", path: "index.js", contents: outputFiles[0].text }],
    compatibilityDate: /^compatibility_date = "([\d-]+)"/m.exec(readFileSync(join(ROOT, "wrangler.toml"), "utf8"))[1],
    kvNamespaces: ["EDGEWARD_KV"],
    durableObjects: { EDGEWARD_LEDGER: { className: "Ledger", useSQLite: true } },
    defaultPersistRoot: folder,
    resourcePersistencePath: folder,
    durableObjectsPersist: folder,
  };
  const miniflare = new Miniflare(convertV4MiniflareOptions(options));
  await miniflare.ready;
  return miniflare;
}

/** The answers to one question that is put so many times at once. */
async function all(object, method, args, times) {
  const body = JSON.stringify({ object, method, args, times });
  const response = await world.dispatchFetch("http://ledger/", { method: "POST", body });
  return (await response.json()).map((answer) => (answer === null ? undefined : JSON.parse(answer)));
}

const ask = async (object, method, ...args) => (await all(object, method, args, 1))[0];
const spend = (id, limit, expires) => ask(`link:${id}`, "spend", id, limit, expires);

test("uses are counted exactly, and never beyond the limit", async () => {
  assert.deepEqual(await ask("link:a", "peek", "a"), { used: 0, at: null });
  const begun = Date.now();
  assert.deepEqual(await spend("a", 2, later()), { ok: true, used: 1, at: null });
  const second = await spend("a", 2, later());
  assert.equal(second.used, 2);
  assert.ok(second.ok && second.at >= begun && second.at <= Date.now());
  const refused = await spend("a", 2, later());
  assert.equal(refused.ok, false);
  assert.equal(refused.used, 2);
  assert.ok(refused.at >= second.at);
  assert.deepEqual(await spend("a", 2, later()), refused, "a refusal changes nothing");
  assert.deepEqual(await ask("link:a", "peek", "a"), { used: 2, at: refused.at });
  assert.equal((await spend("b", 0, later())).ok, false, "no use at all");
});

test("fifty at once, three of them let in: from one request, and from fifty", async () => {
  const inOne = await all("link:c", "spend", ["c", 3, later()], 50);
  const inMany = await Promise.all(Array.from({ length: 50 }, () => spend("d", 3, FOREVER)));
  for (const answers of [inOne, inMany]) {
    const good = answers.filter((answer) => answer.ok);
    assert.deepEqual(good.map((answer) => answer.used).sort(), [1, 2, 3]);
    assert.equal(answers.length, 50);
    assert.ok(answers.filter((answer) => !answer.ok).every((answer) => answer.used === 3 && answer.at > 0));
  }
});

test("a count is of its id and its object alone", async () => {
  await spend("e", 1, later());
  assert.equal((await ask("link:e", "spend", "f", 1, later())).ok, true);
  assert.equal((await ask("link:x", "spend", "e", 1, later())).ok, true);
  await ask("link:e", "mark", [["e", FOREVER]]);
  assert.deepEqual((await ask("link:e", "marked", ["count:e", "e", "mark:e"])).marked, ["e"]);
});

test("a count is forgotten when it expires, and what has expired is not counted", async () => {
  const expires = soon();
  assert.equal((await spend("g", 1, expires)).ok, true);
  assert.equal((await spend("g", 1, expires)).ok, false);
  assert.deepEqual(await spend("h", 5, seconds() - 1), { ok: false, used: 0, at: null });
  await past(expires);
  assert.deepEqual(await ask("link:g", "peek", "g"), { used: 0, at: null });
  assert.deepEqual(await spend("g", 1, expires), { ok: false, used: 0, at: null }, "it cannot be remembered");
  assert.equal((await spend("g", 1, later())).ok, true, "an object that gave its storage back works");
});

test("a form sent again counts once for who holds what it gave, and each time for others", async () => {
  const send = (form, holds) => ask("link:form", "spend", "form", 3, later(), form, holds);
  assert.deepEqual(await send("one", false), { ok: true, used: 1, at: null });
  assert.equal((await send("one", true)).used, 1);
  assert.equal((await send("one", false)).used, 2);
  assert.equal((await send("two", true)).used, 3, "another form is another use");
  assert.deepEqual([(await send("one", true)).ok, (await send("one", false)).ok, (await send("new", true)).ok], [true, false, false]);
});

test("of two ends the later one counts", async () => {
  const expires = soon();
  await spend("i", 5, expires);
  await spend("i", 5, later());
  await spend("i", 5, expires);
  await past(expires);
  assert.equal((await ask("link:i", "peek", "i")).used, 3);
});

test("marks: set, asked, taken out", async () => {
  const marked = async (...names) => (await ask("revocation", "marked", names)).marked;
  assert.deepEqual(await marked("jti:a", "sub:ann"), []);
  await ask("revocation", "mark", [["jti:a", later()], ["sub:ann", FOREVER], ["kid:2026-05", FOREVER]]);
  assert.deepEqual(await marked("jti:a", "jti:b", "sub:ann", "sub:token:ann", "kid:2026-05"), ["jti:a", "sub:ann", "kid:2026-05"]);
  await ask("revocation", "mark", [["sub:ann", null], ["sub:nobody", null]]);
  assert.deepEqual(await marked("jti:a", "sub:ann"), ["jti:a"]);
  assert.deepEqual(await marked(), []);
});

test("everything before a moment: the latest stays until it is taken out", async () => {
  const moment = async () => (await ask("moments", "marked", [])).before;
  assert.equal(await moment(), null);
  await ask("moments", "mark", [["before", 1000]]);
  await ask("moments", "mark", [["before", 500], ["jti:x", FOREVER]]);
  assert.equal(await moment(), 1000);
  await ask("moments", "mark", [["before", 2000]]);
  assert.equal(await moment(), 2000);
  await ask("moments", "mark", [["before", null]]);
  assert.equal(await moment(), null);
});

test("marks that have expired are gone, the others are not", async () => {
  const expires = soon();
  const entries = [["jti:soon", expires], ["jti:later", later()], ["jti:never", FOREVER], ["jti:past", 1]];
  await ask("pruned", "mark", entries);
  await ask("pruned", "mark", [["before", 7]]);
  const names = entries.map(([name]) => name);
  assert.deepEqual((await ask("pruned", "marked", names)).marked, ["jti:soon", "jti:later", "jti:never"]);
  await past(expires);
  assert.deepEqual(await ask("pruned", "marked", names), { marked: ["jti:later", "jti:never"], before: 7, at: {} });
});

test("a mark may bear a moment: of two, the later moment and the later end stay", async () => {
  const marked = async (...names) => ask("dated", "marked", names);
  const expires = soon();
  await ask("dated", "mark", [["all", expires, 1000], ["id:a", later()], ["__proto__", later(), 7]]);
  const all = await marked("all", "id:a", "__proto__", "id:b");
  assert.deepEqual(all.marked, ["all", "id:a", "__proto__"]);
  assert.deepEqual(Object.entries(all.at), [["all", 1000], ["__proto__", 7]]);
  await ask("dated", "mark", [["all", later(), 500]]);
  await past(expires);
  assert.deepEqual((await marked("all")).at, { all: 1000 });
  await ask("dated", "mark", [["all", soon(), 2000]]);
  assert.deepEqual((await marked("all")).at, { all: 2000 });
  await ask("dated", "mark", [["all", null]]);
  assert.deepEqual(await marked("all"), { marked: [], before: null, at: {} });
});

const DAY = 86_400;
const attempt = (name, { free = 3, base = 3, most = 5, keep = DAY } = {}) =>
  ask("tries:00", "attempt", name, free, base, most, keep);

/** Tries until a try is allowed. */
async function allowed(name) {
  for (const end = Date.now() + 30_000; Date.now() < end; await sleep(100)) {
    const answer = await attempt(name);
    if (answer.allowed) return answer;
  }
  return assert.fail("it is never allowed");
}

test("tries: free ones, then waits that double up to the most", async () => {
  assert.deepEqual(await attempt("a"), { allowed: true, used: 1, at: null });
  const second = await attempt("a");
  assert.ok(second.allowed && second.used === 2 && second.at <= Date.now());
  const begun = Date.now();
  assert.equal((await attempt("a")).used, 3);
  const refused = await attempt("a");
  assert.ok(!refused.allowed && refused.wait >= 1 && refused.wait <= 3, `${refused.wait} s`);
  const next = await allowed("a"); // asking prolongs nothing, or this would not end
  assert.ok(Date.now() - begun >= 3000, `${Date.now() - begun} ms`);
  assert.equal(next.used, 4);
  const { wait } = await attempt("a");
  assert.ok(wait > 3 && wait <= 5, `${wait} s: twice as long, but never more than the most`);
  assert.equal((await attempt("b")).used, 1, "another name");
  assert.deepEqual(await attempt("c", { free: 0 }), { allowed: true, used: 1, at: null }, "the first is never waited for");
  const endless = { free: 1, base: 20, most: 50, keep: DAY };
  await Promise.all(Array.from({ length: 3 }, () => attempt("endless", endless)));
  assert.equal((await attempt("endless", endless)).allowed, false);
});

test("a hundred guesses at once: the free ones are answered, from one request and from a hundred", async () => {
  const limits = [5, 30, 900, DAY];
  const inOne = await all("tries:01", "attempt", ["ann", ...limits], 100);
  const inMany = await Promise.all(Array.from({ length: 100 }, () => ask("tries:01", "attempt", "bob", ...limits)));
  for (const answers of [inOne, inMany]) {
    assert.deepEqual(answers.filter(({ allowed }) => allowed).map(({ used }) => used).sort(), [1, 2, 3, 4, 5]);
    assert.ok(answers.filter(({ allowed }) => !allowed).every(({ wait }) => wait > 15 && wait <= 30));
  }
});

test("tries are forgotten after a right one, and some time after the last", async () => {
  for (const _ of "123") await attempt("right");
  assert.equal((await attempt("right")).allowed, false);
  assert.equal(await ask("tries:00", "forget", "right"), 1);
  assert.equal((await attempt("right")).used, 1);
  const short = { free: 3, keep: 6 };
  await attempt("short", short);
  await sleep(3500);
  assert.equal((await attempt("short", short)).used, 2);
  await sleep(3500);
  assert.equal((await attempt("short", short)).used, 3, "kept after the last, not the first");
  await sleep(7100);
  assert.equal((await attempt("short", short)).used, 1);
  assert.equal(await ask("tries:never", "forget", ["a", "b"]), 2, "of what was never tried");
});

test("several names at once: all are counted or none, and a mark leaves one out", async () => {
  const [narrow, wide] = [["narrow", 2, 30, 900, DAY], ["wide", 3, 30, 900, DAY, "known"]];
  const attempts = (...entries) => ask("tries:02", "attempts", entries);
  assert.equal((await attempts(narrow, wide)).used, 1);
  assert.equal((await attempts(narrow, wide)).used, 2);
  assert.equal((await attempts(narrow, wide)).allowed, false, "the first says no");
  assert.equal((await attempts(["other", 9, 30, 900, DAY], wide)).used, 1, "so the second was not counted");
  assert.equal((await attempts(["other", 9, 30, 900, DAY], wide)).allowed, false, "the second says no");
  await ask("tries:02", "forget", ["narrow"], [["known", later()]]);
  assert.equal((await attempts(narrow, wide)).used, 1, "it is not asked about the second any more");
  assert.equal((await attempts(wide)).allowed, true);
  assert.deepEqual((await ask("tries:02", "marked", ["known", "narrow", "wide"])).marked, ["known"]);
});

test("an order is carried out whole or not at all, and nonsense is an answer that is none", async () => {
  for (const [method, ...args] of [
    ["mark", [["jti:half", FOREVER], ["jti:bad", "soon"]]],
    ["mark", [["jti:half", FOREVER], [7, FOREVER]]],
    ["mark", [["jti:half", FOREVER], ["before", -1]]],
    ["mark", null],
    ["marked", [1]],
    ["spend", "a", 1.5, FOREVER],
    ["spend", "a", 1, "tomorrow"],
    ["spend", 1, 1, FOREVER],
    ["mark", [["jti:half", FOREVER, "now"]]],
    ["attempt", "jti:half", 5, 30, 900, -1],
    ["attempt", 7, 5, 30, 900, 60],
    ["attempts", [["a", 5, 30, 900, 60], ["b", 5, 30, 900, 60, 1]]],
    ["forget", [7]],
    ["forget", "a", [["jti:half", "soon"]]],
    ["nothing"],
  ])
    assert.equal(await ask("orders", method, ...args), undefined, `${method} ${JSON.stringify(args)}`);
  assert.deepEqual(await ask("orders", "marked", ["jti:half"]), { marked: [], before: null, at: {} });
});

test("the values of EDGEWARD_KV come together, in order", async () => {
  const values = async () => (await (await world.dispatchFetch("http://ledger/revocations")).json()).values;
  assert.deepEqual(await values(), [null, null, null, null]);
  const kv = await world.getKVNamespace("EDGEWARD_KV");
  await kv.put("revoked:sub", '{"ann":0}');
  await kv.put("revoked:before", "1767225600");
  assert.deepEqual(await values(), [null, '{"ann":0}', null, "1767225600"]);
});

test("a store that fails, hangs or is not there answers undefined", { timeout: 20_000 }, async () => {
  const kv = (get) => ({ EDGEWARD_KV: { get } });
  assert.equal(await stored({}, ""), undefined);
  assert.equal(await stored(kv(async () => Promise.reject(new Error("down"))), ""), undefined);
  assert.equal(await stored(kv((key) => (key === "revoked:kid" ? Promise.reject(new Error("down")) : "x")), ""), undefined);
  assert.equal(await ledger({}, "a", "peek", '["a"]'), undefined);
  assert.equal(await ledger({ EDGEWARD_LEDGER: {} }, "a", "peek", '["a"]'), undefined);
  const begun = Date.now();
  assert.equal(await stored(kv(() => new Promise(() => {})), ""), undefined);
  assert.ok(Date.now() - begun < 10_000, "three seconds, and no more than this machine makes of them");
});

test("what is counted and marked outlives the process", async () => {
  await spend("j", 1, later());
  await ask("revocation", "mark", [["jti:kept", FOREVER]]);
  await world.dispose();
  world = await start();
  assert.equal((await spend("j", 1, later())).ok, false);
  assert.deepEqual((await ask("revocation", "marked", ["jti:kept"])).marked, ["jti:kept"]);
});
