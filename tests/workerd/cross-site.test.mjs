// WebSocket upgrades and ambient credentials. Contract §3 "Ambient credentials", attack 27.
import assert from "node:assert/strict";
import { test } from "node:test";
import { eachRow, shared } from "./expect.mjs";
import { basic, bearer, jwt } from "./given.mjs";
import { originView } from "./harness.mjs";

const world = shared();
const { ask, passes, refuses } = world;
const ANN = basic("ann");

const UPGRADE = {
  Connection: "Upgrade",
  Upgrade: "websocket",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
};
const OWN = { Origin: "https://acme.example" };
const FOREIGN = { Origin: "https://evil.example" };

/** Opens a WebSocket, sends one frame, and tells what comes back. */
async function talk(path, headers) {
  const response = await world.gate.request(path, { headers: { ...UPGRADE, ...headers } });
  if (!response.socket) return { status: response.status };
  const mask = Buffer.from([1, 2, 3, 4]);
  const payload = Buffer.from(Buffer.from("hello").map((octet, i) => octet ^ mask[i % 4]));
  const answer = new Promise((done) => response.socket.once("data", done));
  response.socket.write(Buffer.concat([Buffer.from([0x81, 0x85]), mask, payload]));
  const frame = await answer;
  response.socket.destroy();
  return { status: response.status, text: frame.subarray(2).toString() };
}

test("WebSocket: who may pass talks to the origin", async (t) => {
  const token = jwt();
  const OPEN = { status: 101, text: "hello" };
  await eachRow(
    t,
    [
      ["Bearer", "/ws", bearer(token)],
      ["Bearer with a foreign Origin: it is not ambient", "/ws", { ...bearer(token), ...FOREIGN }],
      ["Basic with our Origin", "/ws", { ...ANN, ...OWN }],
      ["Basic with no Origin: a program", "/ws", ANN],
      ["a token cookie with our Origin", "/ws", { Cookie: `acme_token=${token}`, ...OWN }],
      ["a token in the query with a foreign Origin", `/ws?access_token=${token}`, FOREIGN],
      ["public, without credentials, from anywhere", "/public/ws", FOREIGN],
      ['cross_site = "allow" lifts it', "/lifted/ws", { ...ANN, ...FOREIGN }],
    ],
    async (path, headers) => {
      assert.deepEqual(await talk(path, headers), OPEN);
      const seen = originView(await world.origin.last());
      assert.equal(seen.get("authorization"), undefined);
      assert.ok(!JSON.stringify(seen).includes(token));
    },
  );
});

test("WebSocket: who may not pass does not reach the origin", async (t) => {
  const token = jwt();
  await eachRow(
    t,
    [
      ["no credentials", "/ws", {}, "credentials-missing"],
      ["no credentials, our Origin", "/ws", OWN, "credentials-missing"],
      ["no credentials, a foreign Origin", "/ws", FOREIGN, "credentials-missing"],
      ["wrong password", "/ws", { ...basic("ann", "no"), ...OWN }, "credentials-wrong"],
      ["Basic with a foreign Origin", "/ws", { ...ANN, ...FOREIGN }, "cross-site"],
      ["Basic with Origin null", "/ws", { ...ANN, Origin: "null" }, "cross-site"],
      ["Basic with our host over http", "/ws", { ...ANN, Origin: "http://acme.example" }, "cross-site"],
      ["Basic with our host on another port", "/ws", { ...ANN, Origin: "https://acme.example:8443" }, "cross-site"],
      ["Basic with a host below ours", "/ws", { ...ANN, Origin: "https://a.acme.example" }, "cross-site"],
      ["a cookie with no Origin", "/ws", { Cookie: `acme_token=${token}` }, "cross-site"],
      ["a cookie with a foreign Origin", "/ws", { Cookie: `acme_token=${token}`, ...FOREIGN }, "cross-site"],
      ["denied", "/denied/ws", { ...ANN, ...OWN }, "denied"],
    ],
    async (path, headers, cause) => refuses(path, { headers: { ...UPGRADE, ...headers } }, cause),
  );
});

test("an upgrade that the origin refuses comes back as it is", async () => {
  const response = await world.gate.request("/not-a-socket", { headers: { ...UPGRADE, ...ANN } });
  assert.equal(response.status, 404);
});

test("cross-site requests with ambient credentials", async (t) => {
  const token = jwt();
  const COOKIE = { Cookie: `acme_token=${token}` };
  const SITE = (value) => ({ "Sec-Fetch-Site": value });
  const refusedRows = [
    ["POST, Basic, cross-site", "POST", { ...ANN, ...SITE("cross-site") }],
    ["POST, Basic, cross-site, whatever Origin says", "POST", { ...ANN, ...SITE("cross-site"), ...OWN }],
    ["POST, Basic, a foreign Origin", "POST", { ...ANN, ...FOREIGN }],
    ["POST, Basic, Origin null", "POST", { ...ANN, Origin: "null" }],
    ["POST, cookie, cross-site", "POST", { ...COOKIE, ...SITE("cross-site") }],
    ["POST, cookie, a foreign Origin", "POST", { ...COOKIE, ...FOREIGN }],
    ["PUT", "PUT", { ...ANN, ...SITE("cross-site") }],
    ["DELETE", "DELETE", { ...ANN, ...SITE("cross-site") }],
    ["PATCH", "PATCH", { ...ANN, ...FOREIGN }],
    ["PROPFIND", "PROPFIND", { ...ANN, ...SITE("cross-site") }],
    ["wrong password: it comes before verification", "POST", { ...basic("ann", "no"), ...SITE("cross-site") }],
  ];
  for (const [name, method, headers] of refusedRows)
    await t.test(`refused: ${name}`, () => refuses("/x", { method, headers }, "cross-site"));
  const passedRows = [
    ["POST, Basic, same-origin", "POST", { ...ANN, ...SITE("same-origin") }],
    ["POST, Basic, same-site", "POST", { ...ANN, ...SITE("same-site") }],
    ["POST, Basic, none: the address bar", "POST", { ...ANN, ...SITE("none") }],
    ["POST, Basic, our Origin", "POST", { ...ANN, ...OWN }],
    ["POST, Basic, neither: a program", "POST", ANN],
    ["POST, cookie, our Origin", "POST", { ...COOKIE, ...OWN }],
    ["GET, cross-site: a link", "GET", { ...ANN, ...SITE("cross-site") }],
    ["HEAD", "HEAD", { ...ANN, ...SITE("cross-site") }],
    ["OPTIONS", "OPTIONS", { ...ANN, ...FOREIGN }],
    ["Bearer is exempt", "POST", { ...bearer(token), ...SITE("cross-site"), ...FOREIGN }],
  ];
  for (const [name, method, headers] of passedRows)
    await t.test(`let in: ${name}`, async () => assert.equal((await ask("/x", { method, headers })).status, 200));
  await t.test('cross_site = "allow" lifts it', () =>
    passes("/lifted/x", { method: "POST", headers: { ...ANN, ...SITE("cross-site") } }),
  );
  await t.test("no credentials at all: missing", () =>
    refuses("/x", { method: "POST", headers: SITE("cross-site") }, "credentials-missing"),
  );
  await t.test("public is public", () =>
    passes("/public/x", { method: "POST", headers: { ...ANN, ...SITE("cross-site") } }),
  );
});
