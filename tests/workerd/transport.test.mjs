// Requests in clear, HSTS and TRACE. Contract §2, "In clear" and "Order" (1a), (2).
import assert from "node:assert/strict";
import { test } from "node:test";
import { eachRow, passed, refused, shared } from "./expect.mjs";
import { basic, policy, secrets } from "./given.mjs";
import { withGate } from "./harness.mjs";

const world = shared();
const { ask, passes, refuses } = world;
const ANN = basic("ann");
const HSTS = "max-age=31536000";

test("GET and HEAD in clear get 308 to https, the port dropped, the rest byte for byte", async (t) => {
  await eachRow(
    t,
    [
      ["plain", "http://acme.example/x", "https://acme.example/x"],
      ["port", "http://acme.example:8080/x", "https://acme.example/x"],
      ["query", "http://acme.example/x?a=%2f&b=/../&&c", "https://acme.example/x?a=%2f&b=/../&&c"],
      ["empty path", "http://acme.example/", "https://acme.example/"],
      [
        "a path that looks like an authority",
        "http://acme.example//evil.example/x",
        "https://acme.example//evil.example/x",
      ],
      ["encoded bytes", "http://acme.example/a%20b/%C3%A9", "https://acme.example/a%20b/%C3%A9"],
    ],
    async (from, to) => {
      for (const method of ["GET", "HEAD"]) {
        const before = await world.origin.count();
        const response = await ask(from, { method, headers: ANN });
        assert.equal(response.status, 308);
        assert.equal(response.get("location"), to);
        assert.equal(response.get("www-authenticate"), undefined, "no challenge in clear");
        assert.equal(response.get("strict-transport-security"), undefined);
        assert.equal(await world.origin.count(), before);
      }
    },
  );
});

test("all else in clear is 403, with no challenge", async (t) => {
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
    await t.test(method, async () => {
      const response = await refuses("http://acme.example/x", { method, headers: ANN }, "insecure-transport");
      assert.equal(response.get("www-authenticate"), undefined);
    });
  }
});

test("in clear comes before an ambiguous path, a denied rule and a reserved path", async () => {
  assert.equal((await ask("http://acme.example/denied/x")).status, 308);
  assert.equal((await ask("http://acme.example/.edgeward/whoami")).status, 308);
  await refuses("http://acme.example/%zz", { method: "POST" }, "insecure-transport");
});

test("public rules are public in clear too", async () => {
  await passes("http://acme.example/public/x");
  await passes("http://acme.example/public/x", { method: "POST", body: "x" });
});

test("loopback is exempt", async (t) => {
  for (const host of ["localhost", "localhost:8787", "a.localhost", "127.0.0.1", "127.9.9.9:80", "[::1]:8787"]) {
    await t.test(host, () => passes(`http://${host}/x`, { headers: ANN }));
  }
  for (const host of ["localhost.example", "128.0.0.1", "notlocalhost", "127.0.0.1.evil.example"]) {
    await t.test(host, async () => assert.equal((await ask(`http://${host}/x`, { headers: ANN })).status, 308));
  }
});

test("X-Forwarded-Proto and kin make nothing secure", async () => {
  const headers = {
    ...ANN,
    "X-Forwarded-Proto": "https",
    Forwarded: "proto=https",
    "CF-Visitor": '{"scheme":"https"}',
    "X-Forwarded-Ssl": "on",
    "Front-End-Https": "on",
  };
  assert.equal((await ask("http://acme.example/x", { headers })).status, 308);
  await passes("/x", { headers: { ...ANN, "X-Forwarded-Proto": "http", "CF-Visitor": '{"scheme":"http"}' } });
});

test('http = "refuse" refuses, http = "allow" allows', async () => {
  await withGate({ policy: policy(world.origin, { http: "refuse" }), secrets: secrets() }, async (gate) => {
    const response = await gate.request("http://acme.example/x", { headers: { ...ANN, Accept: "application/json" } });
    refused(response, "insecure-transport");
    passed(await gate.request("http://acme.example/public/x"));
    passed(await gate.request("https://acme.example/x", { headers: ANN }));
  });
  await withGate({ policy: policy(world.origin, { http: "allow" }), secrets: secrets() }, async (gate) => {
    passed(await gate.request("http://acme.example/x", { headers: ANN }));
    assert.equal((await gate.request("http://acme.example/x")).status, 401);
  });
});

test("own answers over https carry HSTS, the origin's do not, and hsts = false turns it off", async () => {
  for (const path of ["/x", "/denied/x", "/%zz", "/.edgeward/health", "/.edgeward/nothing"]) {
    assert.equal((await ask(path)).get("strict-transport-security"), HSTS, path);
  }
  assert.equal((await ask("/x", { headers: ANN })).get("strict-transport-security"), undefined);
  await withGate({ policy: policy(world.origin, { hsts: false }), secrets: secrets() }, async (gate) => {
    assert.equal((await gate.request("/x")).get("strict-transport-security"), undefined);
  });
});

test("TRACE is 405 with the methods that are let, on every kind of path", async (t) => {
  for (const target of ["/x", "/public/x", "/denied/x", "/%zz", "/.edgeward/health", "http://acme.example/x"]) {
    await t.test(target, async () => {
      const response = await refuses(
        target,
        { method: "TRACE", headers: { ...ANN, "X-Secret": "do-not-echo" } },
        "method-not-allowed",
      );
      assert.equal(response.get("allow"), "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
      assert.doesNotMatch(response.text(), /do-not-echo/);
    });
  }
});

test("the gate works at the front too, as wrangler dev serves it", async () => {
  const response = await world.gate.front("/x", { headers: ANN });
  passed(response);
  assert.equal((await world.gate.dispatch("https://acme.example/x")).status, 401);
});
