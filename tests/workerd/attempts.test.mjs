// Lock-out (attacks.md 30 and 32): what is counted, for whom, and who is never locked out by others.
import assert from "node:assert/strict";
import { createHmac, hkdfSync } from "node:crypto";
import { connect } from "node:net";
import { test } from "node:test";
import { eachRow, passed, refused, shared } from "./expect.mjs";
import { PASSWORDS, SECRET_BYTES, base64url, basic, now, passwordLine, policy, secrets } from "./given.mjs";
import { HOST, withGate } from "./harness.mjs";
import { startOrigin } from "./origin.mjs";
import { storesOf, watched } from "./stores.mjs";

const LEDGER = { durableObjects: { EDGEWARD_LEDGER: { className: "Ledger", useSQLite: true } } };
const POLICY = { tokens: undefined, rules: [{ path: "/*", accept: ["basic"] }] };
const FREE = 5;

// Quick to verify: what is asked here is how often, not how long.
const password = (user) => `${user}-right-password-4471`;
const NAMES = ["ann", "bob", "cid", "dan", "eve", "fay", "gus", "hal", "ida", "jon", "kim", "lea", "max"];
const lines = NAMES.map((user) => passwordLine(user, password(user), "", 1000)).join("\n");
const quick = { EDGEWARD_USERS: lines, EDGEWARD_KEYS: undefined };

const world = shared(() => ({ policy: POLICY, secrets: quick, options: LEDGER }));

let networks = 0;
/** An address of a network that no other test has. */
const elsewhere = () => `198.18.${(networks += 1)}.7`;

const from = (address, headers) => ({ headers: { "CF-Connecting-IP": address, ...headers } });
const right = (user) => basic(user, password(user));
const wrong = (user, attempt = 0) => basic(user, `wrong-${attempt}`);
const ask = (address, headers, gate = world.gate) =>
  gate.request("/x", { headers: { Accept: "application/problem+json", ...from(address, headers).headers } });

/** So many wrong passwords, one after the other. */
async function guess(times, user, address, more = {}, gate = world.gate) {
  for (let n = 0; n < times; n += 1)
    refused(await ask(address, { ...wrong(user, n), ...more }, gate), "credentials-wrong");
}

/** One wrong password for each name, one after the other on one connection: the statuses. */
function guessed(address, names) {
  const request = (name) =>
    `HEAD https://${HOST}/x HTTP/1.1\r\nHost: ${HOST}\r\nCF-Connecting-IP: ${address}\r\n` +
    `Authorization: ${wrong(name).Authorization}\r\n\r\n`;
  return new Promise((done, failed) => {
    const [socket, next, statuses] = [connect(world.gate.directUrl.port, "127.0.0.1"), names.values(), []];
    const send = () => {
      const { value, done: isOver } = next.next();
      if (!isOver) return socket.write(request(value));
      return socket.end(() => done(statuses));
    };
    let text = "";
    socket.on("data", (bytes) => {
      text += bytes.toString("latin1");
      if (!text.endsWith("\r\n\r\n")) return;
      statuses.push(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
      text = "";
      send();
    });
    socket.on("error", failed);
    socket.on("connect", send);
  });
}

/** The device cookie, made by an independent HKDF (RFC 5869) and HMAC. */
function deviceOf(user, { id = 1, made = now() - 1000, host = HOST, secret = SECRET_BYTES } = {}) {
  const purpose = "edgeward/device/v1";
  const key = Buffer.from(hkdfSync("sha256", secret, Buffer.alloc(0), purpose, 32));
  const eight = (number) => {
    const octets = Buffer.alloc(8);
    octets.writeBigUInt64BE(BigInt(number));
    return octets;
  };
  const [octets, moment] = [Buffer.alloc(16, id), eight(made)];
  const fields = [Buffer.from(host), Buffer.from(user), octets, moment];
  const mac = createHmac("sha256", key).update(`${purpose}\0`);
  for (const field of fields) mac.update(eight(field.length)).update(field);
  return { Cookie: `__Host-edgeward-device=${base64url(Buffer.concat([octets, moment, mac.digest()]))}` };
}

test("five wrong passwords are answered; then one has to wait, the right one too", async () => {
  const here = elsewhere();
  await guess(FREE, "ann", here);
  for (const headers of [wrong("ann", 9), right("ann")]) {
    const response = await ask(here, headers);
    refused(response, "too-many-attempts");
    const seconds = Number(response.get("retry-after"));
    assert.ok(seconds > 20 && seconds <= 30, `Retry-After: ${seconds}`);
    assert.equal(response.json().retry_after, seconds);
    assert.equal(response.get("cache-control"), "no-store");
    assert.equal(response.get("www-authenticate"), undefined, "no challenge: credentials would not help");
  }
  const page = await world.gate.request("/x", from(here, { ...wrong("ann"), "Sec-Fetch-Mode": "navigate" }));
  assert.equal(page.status, 429);
  assert.match(page.text(), /data-status="429" data-cause="too-many-attempts"/);
});

test("a hundred guesses at once: five are answered", async () => {
  const here = elsewhere();
  const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => ask(here, wrong("bob", n))));
  const statuses = answers.map(({ status }) => status);
  assert.equal(statuses.filter((status) => status === 401).length, FREE);
  assert.equal(statuses.filter((status) => status === 429).length, 95);
});

test("an unknown user-id is counted like a known one, and told the same", async () => {
  const [known, unknown] = [[], []];
  for (let n = 0; n < FREE + 1; n += 1) {
    const ray = { "CF-Ray": `00000000000000${n}0-AMS` };
    known.push(await ask("198.19.1.1", { ...wrong("cid", n), ...ray }));
    unknown.push(await ask("198.19.1.1", { ...wrong("nobody-of-this-name", n), ...ray }));
  }
  // The time that is left may differ by the second that passed in between.
  const said = (response) => response.text().replace(/"retry_after":\d+/, "").replace(/\d+ seconds/, "");
  const fields = ({ rawHeaders }) => rawHeaders.map((it, n) => (/^retry-after$/i.test(rawHeaders[n - 1] ?? "") ? "" : it));
  assert.deepEqual(known.map(({ status }) => status), [401, 401, 401, 401, 401, 429]);
  assert.deepEqual(unknown.map(said), known.map(said));
  assert.deepEqual(unknown.map(fields), known.map(fields));
});

test("a right password begins the count anew", async () => {
  const here = elsewhere();
  await guess(FREE - 1, "dan", here);
  passed(await ask(here, right("dan")));
  await guess(FREE, "dan", here);
  refused(await ask(here, wrong("dan")), "too-many-attempts");
});

test("cookies of earlier answers change nothing (attack 30)", async () => {
  const here = elsewhere();
  const first = await ask(here, wrong("eve"));
  assert.deepEqual(first.all("set-cookie"), [], "nothing is counted in a cookie");
  for (const cookie of ["", "edgeward-device=x", "__Host-edgeward-device=AAAA.BBBB", deviceOf("fay").Cookie])
    refused(await ask(here, { ...wrong("eve"), Cookie: cookie }), "credentials-wrong");
  for (const cookie of ["", "__Host-edgeward-device=AAAA", deviceOf("fay").Cookie])
    refused(await ask(here, { ...wrong("eve"), Cookie: cookie }), "too-many-attempts");
});

test("who guesses elsewhere locks out neither the user nor another", async () => {
  const [attacker, home] = [elsewhere(), elsewhere()];
  await guess(FREE, "fay", attacker);
  refused(await ask(attacker, right("fay")), "too-many-attempts");
  passed(await ask(home, right("fay")));
  passed(await ask(attacker, right("gus")));
});

test("fifty wrong ones from many networks: from a new one nobody can guess, but a known browser and a known network can sign in", async () => {
  const [home, known] = [elsewhere(), deviceOf("hal")];
  passed(await ask(home, right("hal")));
  for (let n = 0; n < 10; n += 1) await guess(FREE, "hal", elsewhere());
  refused(await ask(elsewhere(), wrong("hal")), "too-many-attempts");
  // The password is proven in this isolate; what would have to be verified is a wrong one.
  refused(await ask(elsewhere(), wrong("hal")), "too-many-attempts");
  refused(await ask(home, wrong("hal")), "credentials-wrong");
  refused(await ask(elsewhere(), { ...wrong("hal"), ...known }), "credentials-wrong");
});

test("a known browser has a count of its own", async (t) => {
  const [here, known] = [elsewhere(), deviceOf("ida")];
  await guess(FREE, "ida", here);
  refused(await ask(here, wrong("ida")), "too-many-attempts");
  refused(await ask(here, { ...wrong("ida"), ...known }), "credentials-wrong");
  await eachRow(
    t,
    [
      ["of another user", deviceOf("jon")],
      ["of another host", deviceOf("ida", { host: "other.example" })],
      ["signed with another secret", deviceOf("ida", { secret: Buffer.alloc(32, 7) })],
      ["older than 400 days", deviceOf("ida", { made: now() - 401 * 86_400 })],
      ["twice", { Cookie: `${known.Cookie}; ${known.Cookie}` }],
      ["under another name", { Cookie: known.Cookie.replace("__Host-", "") }],
    ],
    async (cookie) => refused(await ask(here, { ...wrong("ida"), ...cookie }), "too-many-attempts"),
  );
  await guess(FREE - 1, "ida", here, known);
  refused(await ask(elsewhere(), { ...right("ida"), ...known }), "too-many-attempts");
  passed(await ask(elsewhere(), right("ida")));
  passed(await ask(here, { ...right("ida"), ...deviceOf("ida", { id: 2 }) }));
});

// Each is a write to a disk: ten thousand take a minute or three. That no two names share a count, whatever their number,
// src/attempts.rs tests.
const INVENTED = Number(process.env.EDGEWARD_INVENTED_NAMES ?? 1000);

test(`${INVENTED} invented names lock out nobody real (attack 32)`, { timeout: 600_000 }, async () => {
  const here = elsewhere();
  const names = Array.from({ length: INVENTED / 10 }, (_, n) => n);
  const sockets = Array.from({ length: 10 }, (_, socket) => guessed(here, names.map((n) => `invented-${socket}-${n}`)));
  assert.deepEqual((await Promise.all(sockets)).flat().filter((status) => status !== "401"), []);
  refused(await ask(here, wrong("jon")), "credentials-wrong");
  passed(await ask(here, right("jon")));
});

test("after the wait one try is answered, and after that one the wait is twice as long", { timeout: 60_000 }, async () => {
  const here = elsewhere();
  await guess(FREE, "kim", here);
  const wait = Number((await ask(here, wrong("kim"))).get("retry-after"));
  await new Promise((done) => setTimeout(done, wait * 1000 + 100));
  refused(await ask(here, wrong("kim")), "credentials-wrong");
  const again = Number((await ask(here, right("kim"))).get("retry-after"));
  assert.ok(again > 55 && again <= 60, `${again}`);
});

/** Runs `body` with a gate whose stores can be watched and broken. */
async function watching(body, bindings = { kv: false }) {
  const origin = await startOrigin();
  try {
    const settings = { ...watched(bindings), policy: policy(origin, POLICY), secrets: secrets(quick) };
    await withGate(settings, async (gate) => body(gate, await storesOf(gate)));
  } finally {
    await origin.stop();
  }
}

test("the ledger is asked before a password is verified, told when one was right, and asked no more while that is known", () =>
  watching(async (gate, stores) => {
    const here = elsewhere();
    for (let n = 0; n < 3; n += 1) passed(await ask(here, right("ann"), gate));
    const { calls } = await stores.seen();
    assert.deepEqual(calls.map(({ method }) => method), ["attempts", "forget"]);
    const text = JSON.stringify(calls);
    assert.ok(!text.includes("ann") && !text.includes(here) && !text.includes(PASSWORDS.ann), "MACs alone");
    refused(await ask(here, basic("ann", "no"), gate), "credentials-wrong");
    assert.deepEqual((await stores.seen()).calls.map(({ method }) => method), ["attempts", "forget", "attempts"]);
  }));

test("a ledger that does not answer: nobody is let in by a password that would have to be verified", () =>
  watching(async (gate, stores) => {
    const here = elsewhere();
    passed(await ask(here, right("ann"), gate));
    await stores.set({ ledger: "down" });
    for (const headers of [right("bob"), wrong("bob"), wrong("nobody-of-this-name")]) {
      const response = await ask(here, headers, gate);
      refused(response, "check-unavailable");
      assert.ok(Number(response.get("retry-after")) > 0);
    }
    passed(await ask(here, right("ann"), gate));
    await stores.set({ ledger: "good" });
    passed(await ask(here, right("bob"), gate));
  }));

test("a right password lets in, also where the ledger does not take that note", () =>
  watching(async (gate, stores) => {
    await stores.set({ of: { forget: "down" } });
    passed(await ask(elsewhere(), right("ann"), gate));
    assert.deepEqual((await stores.seen()).calls.map(({ method }) => method), ["attempts", "forget"]);
  }));

test("without a ledger nothing is counted", async () => {
  const origin = await startOrigin();
  await withGate({ policy: policy(origin, POLICY), secrets: secrets(quick) }, async (gate) => {
    const here = elsewhere();
    await guess(3 * FREE, "ann", here, {}, gate);
    passed(await ask(here, right("ann"), gate));
  });
  await origin.stop();
});

test("a rule in report mode lets nobody guess without end", async () => {
  const origin = await startOrigin();
  const reporting = { ...POLICY, rules: [{ path: "/*", accept: ["basic"], mode: "report" }] };
  await withGate({ policy: policy(origin, reporting), secrets: secrets(quick), options: LEDGER }, async (gate) => {
    const here = elsewhere();
    for (let n = 0; n < FREE; n += 1) passed(await ask(here, wrong("ann", n), gate));
    refused(await ask(here, wrong("ann"), gate), "too-many-attempts");
  });
  await origin.stop();
});

test("a password that is in use tells nothing to who has to wait elsewhere", async () => {
  const [home, away] = [elsewhere(), elsewhere()];
  passed(await ask(home, right("max")));
  await guess(FREE, "max", away);
  refused(await ask(away, wrong("max")), "too-many-attempts");
  refused(await ask(away, right("max")), "too-many-attempts");
  passed(await ask(home, right("max")));
});
