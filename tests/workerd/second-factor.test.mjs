// The second factor: who needs one, that a code is good once, and that wrong ones are counted where nobody can replay them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { PASSWORDS, basic, bearer, jwt, secrets } from "./given.mjs";
import { withGate } from "./harness.mjs";
import { startOrigin } from "./origin.mjs";
import { factor } from "./totp.mjs";

let origin;
before(async () => (origin = await startOrigin()));
after(() => origin.stop());

const LEDGER = { durableObjects: { EDGEWARD_LEDGER: { className: "Ledger", useSQLite: true } } };

const ANN = factor("ann");

/** Ann and the suspended one have a second factor, Bob has none. */
const LINES = [ANN.line, factor("suspended", { hash: "sha512", digits: 8 }).line].join("\n");

const settings = (policy = {}, more = {}) => ({
  options: LEDGER,
  policy: {
    origin: origin.url,
    log: "all",
    session: {},
    tokens: [{ format: "jwt", keys: ["main"] }],
    rules: [
      { path: "/public/*", access: "public" },
      { path: "/lifted/*", basic_without_second_factor: true },
      { path: "/both/*", second_factor: true },
      { path: "/basic/*", accept: ["basic"] },
      { path: "/staff/*", groups: ["staff"] },
      { path: "/nobody/*", users: ["nobody"] },
    ],
    ...policy,
  },
  secrets: secrets({ EDGEWARD_TOTP: LINES }),
  ...more,
});

const WANTED = { Accept: "application/problem+json" };

async function asked(gate, path, headers) {
  const response = await gate.request(path, { headers: { ...WANTED, ...headers } });
  return response.status === 200 ? "passed" : `${response.status} ${response.json().cause}`;
}

const ann = () => basic("ann", PASSWORDS.ann);
const bob = () => basic("bob", PASSWORDS.bob);

test("Basic alone is refused on every rule for a user who has a second factor", () =>
  withGate(settings(), async (gate) => {
    const needs = "401 second-factor-required";
    for (const [path, headers, expected] of [
      ["/", ann(), needs],
      ["/", ann(), needs], // remembered proof or not
      ["/basic/x", ann(), needs],
      ["/staff/x", ann(), needs],
      ["/nobody/x", ann(), needs],
      ["/both/x", ann(), needs],
      ["/.edgeward/whoami", ann(), needs],
      ["/lifted/x", ann(), "passed"],
      ["/public/x", ann(), "passed"],
      ["/", basic("ann", "wrong"), "401 credentials-wrong"],
      ["/", basic("suspended", PASSWORDS.suspended), "403 account-suspended"],
      ["/", bob(), "passed"],
      ["/basic/x", bob(), "passed"],
      ["/both/x", bob(), needs],
      ["/", bearer(jwt({ claims: { sub: "ann" } })), "passed"],
      ["/both/x", bearer(jwt({ claims: { sub: "ann" } })), needs],
      ["/both/x", {}, "401 credentials-missing"],
    ]) {
      assert.equal(await asked(gate, path, headers), expected, `${path} ${JSON.stringify(headers)}`);
    }
    assert.ok((await origin.seen()).every(({ url }) => !url.startsWith("/both/")), "nothing of it reached the origin");
  }));

test("the refusal says what is missing, and whose it is in the log alone", () =>
  withGate(settings(), async (gate) => {
    const response = await gate.request("/x", { headers: { ...WANTED, ...ann() } });
    assert.equal(response.status, 401);
    assert.match(response.get("www-authenticate"), /Session realm="/);
    assert.equal(response.get("cache-control"), "no-store");
    assert.ok(!response.text().includes('"ann"'));
    const printed = await gate.printed();
    assert.match(printed, /second-factor-required/);
    for (const secret of [ANN.secret.toString("base64"), ANN.seed.toString("hex"), ANN.line.split(":")[3], PASSWORDS.ann])
      assert.ok(!printed.includes(secret));
  }));

test("without a ledger, or with a line that cannot be read, all that is not public is closed", async () => {
  const other = factor("ann", { root: Buffer.alloc(32, 7) });
  for (const more of [
    { options: {} },
    { secrets: secrets({ EDGEWARD_TOTP: "" }) },
    { secrets: secrets({ EDGEWARD_TOTP: `${LINES}\nx` }) },
    { secrets: secrets({ EDGEWARD_TOTP: `${LINES}\n${ANN.line}` }) },
    { secrets: secrets({ EDGEWARD_TOTP: other.line }) },
    { secrets: secrets({ EDGEWARD_TOTP: ANN.line.replace("ann:", "bob:") }) },
    { secrets: secrets() }, // a rule asks for one
  ]) {
    await withGate(settings({}, more), async (gate) => {
      assert.equal(await asked(gate, "/x", bob()), "503 not-configured");
      assert.equal(await asked(gate, "/public/x"), "passed");
      const printed = await gate.printed();
      assert.match(printed, more.options ? /EDGEWARD_LEDGER: found nothing/ : /EDGEWARD_TOTP/);
      assert.ok(!printed.includes(other.line.split(":")[3]) && !printed.includes(ANN.line.split(":")[3]));
    });
  }
});

