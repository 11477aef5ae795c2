// What the origin gets of a request. Contract §5, attacks 7, 8, 12 and 21.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { eachRow, passed, shared } from "./expect.mjs";
import { basic, bearer, jwt, policy, secrets } from "./given.mjs";
import { withGate } from "./harness.mjs";

const world = shared();
const { passes } = world;
const ANN = basic("ann");
const ADDRESS = "203.0.113.77";

/** A request of an account that may pass, for answers that are no echo. */
const viaOrigin = (path, more = {}) => world.gate.request(path, { ...more, headers: { ...ANN, ...more.headers } });

test("method, path, query and content reach the origin as they came", async (t) => {
  for (const method of ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"]) {
    await t.test(method, async () => {
      const body = `content of ${method} \u00e9`;
      const seen = await passes("/x/%C3%A9/a%20b?q=%2f+%zz&&x", { method, headers: ANN, body });
      assert.equal(seen.method, method);
      assert.equal(seen.url, "/x/%C3%A9/a%20b?q=%2f+%zz&&x");
      assert.deepEqual(seen.body, {
        length: Buffer.byteLength(body),
        sha256: createHash("sha256").update(body).digest("hex"),
      });
    });
  }
  await t.test("HEAD", async () => {
    const response = await viaOrigin("/x", { method: "HEAD" });
    assert.equal(response.status, 200);
    assert.equal(response.content.length, 0);
    assert.equal((await world.origin.last()).method, "HEAD");
  });
  await t.test("Host is the origin's", async () =>
    assert.equal((await passes("/x", { headers: ANN })).get("host"), world.origin.host),
  );
});

test("what a client says of itself does not reach the origin", async (t) => {
  const ours = ["X-Edgeward-User", "X-Edgeward-Groups", "X-Edgeward-Assertion", "X-Edgeward-Anything", "X-Edgeward-"];
  const others = [
    "X-Original-URL",
    "X-Rewrite-URL",
    "X-HTTP-Method-Override",
    "X-HTTP-Method",
    "X-Method-Override",
    "Forwarded",
    "X-Real-IP",
  ];
  const forwarded = [
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-User",
    "X-Forwarded-Anything",
  ];
  const requests = [
    ["protected", "/x", ANN],
    ["protected, by token", "/x", bearer(jwt())],
    ["public", "/public/x", {}],
    ["report", "/report/x", {}],
    ["forward_credentials", "/keep/x", ANN],
    ["shared_cache", "/shared/x", ANN],
  ];
  for (const [rule, path, headers] of requests) {
    for (const name of [...ours, ...others, ...forwarded]) {
      await t.test(`${rule}: ${name}`, async () => {
        for (const alias of aliases(name)) {
          const seen = await passes(path, {
            headers: [...Object.entries(headers), [alias, "spoofed-value"], ["X-Kept", "yes"]],
          });
          assert.doesNotMatch(seen.rawHeaders.join("\n"), /spoofed-value/, alias);
          assert.equal(seen.get("x-kept"), "yes");
        }
      });
    }
  }
});

/** `-`, `_` and `.` in any mixture as separators, in any case. */
function aliases(name) {
  const mixed = name.split("-").reduce((out, part, i) => out + ["_", ".", "-"][i % 3] + part);
  const other = name.split("-").reduce((out, part, i) => out + [".", "-", "_"][i % 3] + part);
  return [
    ...new Set([
      name,
      name.toLowerCase(),
      name.toUpperCase(),
      name.replaceAll("-", "_"),
      name.replaceAll("-", "."),
      mixed,
      other,
    ]),
  ];
}

test("a spoofed field in two lines and two spellings is off in all of them", async () => {
  const lines = [
    ["X-Edgeward-User", "spoofed"],
    ["x-edgeward-user", "spoofed"],
    ["X_Edgeward_User", "spoofed"],
    ["X-Edgeward_User", "spoofed"],
  ];
  const seen = await passes("/x", { headers: [...Object.entries(ANN), ...lines] });
  assert.equal(seen.get("x-edgeward-user"), "ann");
  assert.doesNotMatch(seen.rawHeaders.join("\n"), /spoofed/);
});

test("Connection cannot name ours away", async () => {
  const seen = await passes("/x", {
    headers: {
      ...ANN,
      Connection: "close, X-Edgeward-User, X-Edgeward-Assertion, X-Forwarded-For",
      "CF-Connecting-IP": ADDRESS,
    },
  });
  assert.equal(seen.get("x-edgeward-user"), "ann");
  assert.equal(seen.get("x-forwarded-for"), ADDRESS);
  assert.ok(seen.get("x-edgeward-assertion"));
});

test("names of renamed fields are off, and set under the new name", async () => {
  await withGate(
    { policy: policy(world.origin, { forward: { user: "Remote-User", groups: "Remote-Groups" } }), secrets: secrets() },
    async (gate) => {
      for (const alias of aliases("Remote-User")) {
        const response = await gate.request("/x", {
          headers: [...Object.entries(ANN), [alias, "spoofed"], ["X-Edgeward-User", "spoofed"]],
        });
        const seen = response.origin();
        assert.equal(seen.get("remote-user"), "ann");
        assert.equal(seen.get("remote-groups"), "staff,admins");
        assert.doesNotMatch(seen.rawHeaders.join("\n"), /spoofed/);
        const open = (await gate.request("/public/x", { headers: [[alias, "spoofed"]] })).origin();
        assert.doesNotMatch(open.rawHeaders.join("\n"), /spoofed/);
      }
    },
  );
});

test("forward.identity = false tells the origin nothing, and still believes no client", async () => {
  await withGate(
    { policy: policy(world.origin, { forward: { identity: false } }), secrets: secrets() },
    async (gate) => {
      const seen = (
        await gate.request("/x", {
          headers: { ...ANN, "X-Edgeward-User": "spoofed", "X-Edgeward-Assertion": "spoofed" },
        })
      ).origin();
      assert.doesNotMatch(seen.rawHeaders.join("\n"), /x-edgeward|spoofed/i);
    },
  );
});

test("credentials are off before the origin, verified or not, on every rule", async (t) => {
  const token = jwt();
  const wrong = "Basic d3Jvbmc6d3Jvbmc=";
  await eachRow(
    t,
    [
      ["protected", "/x", ANN],
      ["protected, Bearer", "/x", bearer(token)],
      ["public, good", "/public/x", ANN],
      ["public, wrong", "/public/x", { Authorization: wrong }],
      [
        "public, two lines",
        "/public/x",
        [
          ["Authorization", wrong],
          ["Authorization", wrong],
        ],
      ],
      ["public, another scheme", "/public/x", { Authorization: "Negotiate abc" }],
      ["report, wrong", "/report/x", { Authorization: wrong }],
      ["report, Bearer", "/report/x", bearer("a.b.c")],
      ["shared cache", "/shared/x", ANN],
      ["a weaker credential beside a stronger one", "/x", { ...ANN, Cookie: `acme_token=${token}` }],
      ["the configured field on public", "/public/x", { "X-Token": token }],
      ["the configured field on a rule that takes Basic alone", "/basic/x", { ...ANN, "X-Token": token }],
      ["the configured field under an alias", "/public/x", { X_Token: token }],
      ["the cookie on public", "/public/x", { Cookie: `acme_token=${token}` }],
      ["the cookie twice on public", "/public/x", { Cookie: `acme_token=${token}; acme_token=${token}` }],
    ],
    async (path, headers) => {
      const seen = await passes(path, { headers });
      assert.equal(seen.get("authorization"), undefined);
      assert.equal(seen.get("x-token"), undefined);
      assert.equal(seen.get("cookie"), undefined);
      assert.ok(!seen.rawHeaders.join("\n").includes(token));
    },
  );
});

test("forward_credentials keeps Authorization and nothing else", async () => {
  assert.equal((await passes("/keep/x", { headers: ANN })).get("authorization"), ANN.Authorization);
  assert.equal((await passes("/keep-public/x", { headers: ANN })).get("authorization"), ANN.Authorization);
  const seen = await passes("/keep/x?access_token=abc&z", { headers: { ...ANN, Cookie: "acme_token=abc; z=1" } });
  assert.deepEqual([seen.get("authorization"), seen.get("cookie"), seen.url], [ANN.Authorization, "z=1", "/keep/x?z"]);
});

test("EDGEWARD_ORIGIN_AUTHORIZATION is what the origin gets as Authorization", async () => {
  await withGate(
    { policy: policy(world.origin), secrets: secrets({ EDGEWARD_ORIGIN_AUTHORIZATION: "Bearer origin-secret" }) },
    async (gate) => {
      assert.deepEqual((await gate.request("/x", { headers: ANN })).origin().all("authorization"), [
        "Bearer origin-secret",
      ]);
    },
  );
});

test("query tokens are off, the rest stays byte for byte", async (t) => {
  const token = jwt();
  const rows = [
    ["first", `?access_token=${token}&a=1`, "?a=1"],
    ["last", `?a=1&access_token=${token}`, "?a=1"],
    ["between", `?a=%2f+%zz&access_token=${token}&&c=;%20`, "?a=%2f+%zz&&c=;%20"],
    ["empties around", `?&access_token=${token}&&b`, "?&&b"],
    ["a name that only ends so", `?xaccess_token=1&access_token=${token}`, "?xaccess_token=1"],
    ["a name that only begins so", `?access_token=${token}&access_tokens=1`, "?access_tokens=1"],
    ["its name in a value", `?a=access_token=1&access_token=${token}`, "?a=access_token=1"],
    ["upper case is another name", `?ACCESS_TOKEN=1&access_token=${token}`, "?ACCESS_TOKEN=1"],
  ];
  await eachRow(t, rows, async (query, left) => {
    for (const [path, headers] of [
      ["/x", {}],
      ["/public/x", {}],
      ["/report/x", {}],
      ["/x", ANN],
    ]) {
      assert.equal((await passes(path + query, { headers })).url, path + left, path);
    }
  });
  await t.test("alone", async () => assert.match((await passes(`/x?access_token=${token}`)).url, /^\/x\??$/));
  await t.test("its name percent-encoded is no way round", async () => {
    const seen = await passes(`/public/x?access%5Ftoken=${token}&a=1`);
    assert.ok(!seen.url.includes(token));
  });
});

test("cookies of ours are off, the rest stays byte for byte", async (t) => {
  const names = [
    "acme_token",
    "__Host-edgeward",
    "__Host-edgeward-device",
    "__Host-edgeward-lang",
    "__Host-edgeward-link",
  ];
  for (const name of names) {
    for (const [rule, path, headers] of [
      ["protected", "/x", ANN],
      ["public", "/public/x", {}],
    ]) {
      await t.test(`${name} on ${rule}`, async () => {
        const off = async (cookie) => (await passes(path, { headers: { ...headers, Cookie: cookie } })).get("cookie");
        assert.equal(await off(`a=1; ${name}=v; b=2`), "a=1; b=2");
        assert.equal(await off(`${name}=v; b="q u"; c==%zz`), 'b="q u"; c==%zz');
        assert.equal(await off(`a=1; ${name}=v`), "a=1");
        assert.equal(await off(`${name}=v`), undefined);
        assert.equal(await off(`x${name}=v; ${name}x=v`), `x${name}=v; ${name}x=v`);
      });
    }
  }
  await t.test("none of ours: untouched, odd as it is", async () => {
    const odd = 'a=1;b=2;; c ; =d; e="x;y"';
    assert.equal((await passes("/x", { headers: { ...ANN, Cookie: odd } })).get("cookie"), odd);
  });
});

test("X-Forwarded-Host, -Proto and -For are Edgeward's", async () => {
  const seen = await passes(
    { path: "/x", authority: "shop.example:8443" },
    { headers: { ...ANN, "CF-Connecting-IP": ADDRESS, "X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "http" } },
  );
  assert.equal(seen.get("x-forwarded-host"), "shop.example:8443");
  assert.equal(seen.get("x-forwarded-proto"), "https");
  assert.equal(seen.get("x-forwarded-for"), ADDRESS);
  const clear = await passes("http://localhost/public/x", { headers: { "X-Forwarded-Proto": "https" } });
  assert.equal(clear.get("x-forwarded-proto"), "http");
  assert.equal(clear.get("x-forwarded-for"), undefined);
});

test("user and groups: bytes outside 0x21–0x7E, % and , are percent-encoded", async () => {
  const seen = await passes("/x", {
    headers: bearer(jwt({ claims: { sub: "Ann %41 L\u00e9e, x", groups: ["a,b", "c d", "50%", "\u00fc", '~!"'] } })),
  });
  assert.equal(seen.get("x-edgeward-user"), "token:Ann%20%2541%20L%C3%A9e%2C%20x");
  assert.equal(seen.get("x-edgeward-groups"), 'a%2Cb,c%20d,50%25,%C3%BC,~!"');
  const evil = await passes("/x", { headers: bearer(jwt({ claims: { sub: "a\r\nX-Evil: 1", groups: ["x\n"] } })) });
  assert.equal(evil.get("x-edgeward-user"), "token:a%0D%0AX-Evil:%201");
  assert.equal(evil.get("x-evil"), undefined);
});

test("no groups: no field or an empty one, never the client's", async () => {
  const seen = await passes("/x", { headers: { ...basic("bob"), "X-Edgeward-Groups": "admins" } });
  assert.ok([undefined, ""].includes(seen.get("x-edgeward-groups")));
});

test("many requests at once are kept apart", async () => {
  const users = Array.from({ length: 80 }, (_, i) => `u${i}`);
  const answers = await Promise.all(
    users.map((sub) =>
      world.gate.request(`/x?${sub}`, {
        method: "POST",
        headers: bearer(jwt({ claims: { sub } })),
        body: sub.repeat(1000),
      }),
    ),
  );
  answers.forEach((response, i) => {
    passed(response);
    const seen = response.origin();
    assert.deepEqual(
      [seen.url, seen.get("x-edgeward-user"), seen.body.length],
      [`/x?${users[i]}`, `token:${users[i]}`, users[i].length * 1000],
    );
  });
});
