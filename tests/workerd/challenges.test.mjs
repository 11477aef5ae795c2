// What a refusal asks for: WWW-Authenticate (RFC 9110 §11.6.1). Contract §4, "Challenges".
import assert from "node:assert/strict";
import { test } from "node:test";
import { CAUSES, PROBLEM, RAY, settings } from "./causes.mjs";
import { challenges, refused, schemes, shared } from "./expect.mjs";
import { basic, bearer, jwt, policy, secrets } from "./given.mjs";
import { withGate } from "./harness.mjs";

const world = shared(settings);

const send = (path, headers, method = "GET", form = PROBLEM) =>
  world.gate.request(path, { method, headers: { "CF-Ray": RAY, ...form, ...headers } });

test("every 401 has a challenge, and no 403 of a kind that a challenge would mislead", async (t) => {
  for (const [cause, path, headers, method] of CAUSES) {
    await t.test(`${cause} ${method ?? ""}${path}`, async () => {
      const response = await send(path, headers, method);
      const names = schemes(response);
      if (response.status === 401) assert.ok(names.length > 0, "a challenge");
      else if (cause === "insufficient-scope") assert.ok(names.includes("Bearer"));
      else if (response.status === 403) assert.deepEqual(names, []);
    });
  }
});

test("one challenge for each kind the rule accepts", async () => {
  const of = async (path, headers) => challenges(await send(path, headers));
  const BASIC = ["Basic", { realm: "Acme staging", charset: "UTF-8" }];
  const BEARER = ["Bearer", { realm: "Acme staging" }];
  assert.deepEqual((await of("/x", {})).sort(), [BASIC, BEARER]);
  assert.deepEqual(await of("/basic/x", {}), [BASIC]);
  assert.deepEqual(await of("/bearer/x", {}), [BEARER]);
  const line = (await send("/basic/x", {})).all("www-authenticate").join();
  assert.equal(line, 'Basic realm="Acme staging", charset="UTF-8"');
});

test("Bearer says error and error_description where a token was sent (RFC 6750 §3.1)", async (t) => {
  const rows = CAUSES.filter(
    ([cause, , headers]) =>
      /^token-|^credentials-(?!wrong|missing)/.test(cause) && /^Bearer/.test(headers.Authorization),
  );
  for (const [cause, path, headers] of rows.filter(([, path]) => path !== "/basic/x")) {
    await t.test(cause, async () => {
      const [, said] = challenges(await send(path, headers)).find(([name]) => name === "Bearer");
      assert.equal(said.error, "invalid_token");
      assert.match(said.error_description, /^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/);
    });
  }
  await t.test("nothing was sent: no error", async () => {
    const [, said] = challenges(await send("/bearer/x", {})).find(([name]) => name === "Bearer");
    assert.deepEqual(Object.keys(said), ["realm"]);
  });
  await t.test("Basic was sent: no error on Bearer", async () => {
    const [, said] = challenges(await send("/x", basic("ann", "nope"))).find(([name]) => name === "Bearer");
    assert.equal(said.error, undefined);
  });
  await t.test("credentials that are no b64token", async () => {
    const [, said] = challenges(await send("/bearer/x", { Authorization: "Bearer a b" })).find(
      ([name]) => name === "Bearer",
    );
    assert.equal(said.error, "invalid_token");
  });
  await t.test("insufficient scope", async () => {
    const [, said] = challenges(await send("/scoped/x", bearer(jwt()))).find(([name]) => name === "Bearer");
    assert.equal(said.error, "insufficient_scope");
    assert.deepEqual(said.scope.split(" ").sort(), ["read", "write"]);
  });
  await t.test("400 on Bearer credentials", async () => {
    const token = jwt();
    for (const headers of [
      { ...bearer(token), "X-Token": token },
      { Authorization: [`Bearer ${token}`, `Bearer ${token}`] },
    ]) {
      const response = await send("/x", headers);
      refused(response, "request-ambiguous");
      const [, said] = challenges(response).find(([name]) => name === "Bearer") ?? [];
      assert.equal(said?.error, "invalid_request", JSON.stringify(Object.keys(headers)));
    }
  });
});

test("a browser's prompt opens only on navigation", async (t) => {
  const of = async (path, mode) => schemes(await send(path, { "Sec-Fetch-Mode": mode }));
  await t.test("navigate", async () => assert.ok((await of("/basic/x", "navigate")).includes("Basic")));
  for (const mode of ["cors", "no-cors", "same-origin", "websocket"]) {
    await t.test(`${mode}: EdgewardBasic where Basic is all there is`, async () => {
      const response = await send("/basic/x", { "Sec-Fetch-Mode": mode });
      assert.deepEqual(challenges(response), [["EdgewardBasic", { realm: "Acme staging" }]]);
    });
    await t.test(`${mode}: no Basic where there is another kind`, async () =>
      assert.ok(!(await of("/x", mode)).includes("Basic")),
    );
  }
  await t.test("none: Basic, for programs", async () => assert.ok(schemes(await send("/x", {})).includes("Basic")));
});

test("a realm with quotes and backslashes is quoted (RFC 9110 §5.6.4)", async () => {
  const realm = 'my "quoted" \\ realm';
  await withGate({ policy: policy(world.origin, { realm }), secrets: secrets() }, async (gate) => {
    for (const [, said] of challenges(await gate.request("/x"))) assert.equal(said.realm, realm);
  });
});

test('the realm is "Restricted" where none is configured', async () => {
  await withGate({ policy: { origin: world.origin.url }, secrets: secrets() }, async (gate) => {
    for (const [, said] of challenges(await gate.request("/x"))) assert.equal(said.realm, "Restricted");
  });
});
