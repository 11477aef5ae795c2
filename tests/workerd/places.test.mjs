// Where credentials are looked for, and which of several decides. Contract §3.
import assert from "node:assert/strict";
import { test } from "node:test";
import { eachRow, shared } from "./expect.mjs";
import { basic, bearer, jwt, strictClaims } from "./given.mjs";

const world = shared();
const { passes, refuses, stops } = world;
const sent = (token) => ({ headers: bearer(token) });

test("places: Authorization, query, cookie and field", async (t) => {
  const token = jwt();
  await t.test("query", async () => assert.equal((await passes(`/x?a=1&access_token=${token}`)).url, "/x?a=1"));
  await t.test("cookie", async () =>
    assert.equal((await passes("/x", { headers: { Cookie: `acme_token=${token}` } })).get("cookie"), undefined),
  );
  await t.test("field", async () =>
    assert.equal((await passes("/x", { headers: { "X-Token": token } })).get("x-token"), undefined),
  );
  await t.test("cookie names are case-sensitive", () =>
    refuses("/x", { headers: { Cookie: `Acme_Token=${token}` } }, "credentials-missing"),
  );
  await t.test("a damaged one in the cookie", () =>
    stops("/x", { headers: { Cookie: `acme_token=s${token}` } }, [401]),
  );
  await t.test("two words in the cookie", () =>
    stops("/x", { headers: { Cookie: "acme_token=invalid token" } }, [401]),
  );
  await t.test("a form parameter is none", () =>
    refuses(
      "/x",
      {
        method: "POST",
        headers: { "Content-Type": "application/x-www-form-urlencoded" },
        body: `access_token=${token}`,
      },
      "credentials-missing",
    ),
  );
});

test("an entry's key is good only in that entry's places", async () => {
  const token = jwt({ kid: "strict", claims: strictClaims() });
  await passes("/x", sent(token));
  await stops("/x", { headers: { Cookie: `acme_token=${token}` } }, [401]);
  await stops(`/x?access_token=${token}`, {}, [401]);
});

test("twice is ambiguous: a cookie, a parameter, two fields", async (t) => {
  const token = jwt();
  await eachRow(
    t,
    [
      ["cookie twice", "/x", { Cookie: `acme_token=${token}; acme_token=${token}` }],
      ["cookie twice, bad then good", "/x", { Cookie: `acme_token=bad; acme_token=${token}` }],
      ["parameter twice", `/x?access_token=${token}&access_token=${token}`, {}],
      ["Authorization and the configured field", "/x", { ...bearer(token), "X-Token": token }],
      ["Basic and the configured field", "/x", { ...basic("ann"), "X-Token": token }],
    ],
    (path, headers) => refuses(path, { headers }, "request-ambiguous"),
  );
  await t.test("the configured field in two lines", () =>
    stops(
      "/x",
      {
        headers: [
          ["X-Token", token],
          ["X-Token", token],
        ],
      },
      [400, 401],
    ),
  );
  await t.test("the cookie in two lines", () =>
    stops(
      "/x",
      {
        headers: [
          ["Cookie", `acme_token=${token}`],
          ["Cookie", `acme_token=${token}`],
        ],
      },
      [400, 401],
    ),
  );
});

test("the strongest place decides alone", async () => {
  const [good, bad] = [jwt(), jwt({ claims: { exp: 1 } })];
  await passes(`/x?access_token=${bad}`, { headers: bearer(good) });
  await refuses(`/x?access_token=${good}`, { headers: bearer(bad) }, "token-expired");
  await refuses(`/x?access_token=${bad}`, { headers: { Cookie: `acme_token=${good}` } }, "token-expired");
  await passes(`/x?access_token=${good}`, { headers: { Cookie: `acme_token=${bad}` } });
  await refuses("/x", { headers: { ...basic("ann", "wrong"), Cookie: `acme_token=${good}` } }, "credentials-wrong");
});

test("what a rule does not accept is as if it were absent", async () => {
  const token = jwt();
  await passes("/basic/x", { headers: { ...basic("ann"), Cookie: `acme_token=${token}` } });
  await passes("/basic/x", { headers: { ...basic("ann"), "X-Token": token } });
  await passes(`/bearer/x?access_token=${token}`, { headers: basic("ann") });
  await refuses("/basic/x", sent(token), "credentials-unsupported");
  await refuses("/basic/x", { headers: { Cookie: `acme_token=${token}` } }, "credentials-unsupported");
});
