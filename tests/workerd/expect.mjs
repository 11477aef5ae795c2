// What is expected of an answer, said once.
import assert from "node:assert/strict";
import { after, before } from "node:test";
import { startGate } from "./harness.mjs";
import { startOrigin } from "./origin.mjs";
import { policy, secrets } from "./given.mjs";

const JSON_WANTED = { Accept: "application/problem+json" };

/**
 * One origin and one gate for a whole file. `settings(origin)` may change the policy, the secrets or the build.
 * The object that is returned is filled in before the first test and taken down after the last.
 */
export function shared(settings = () => ({})) {
  const world = {};
  before(async () => {
    world.origin = await startOrigin();
    const { policy: more, secrets: moreSecrets, ...rest } = settings(world.origin);
    const said = typeof more === "string" ? more : policy(world.origin, more);
    world.gate = await startGate({ policy: said, secrets: secrets(moreSecrets), ...rest });
  });
  after(async () => {
    await world.gate?.stop();
    await world.origin?.stop();
  });
  /** A request that asks for problem details, so that the cause can be read. */
  world.ask = (target, more = {}) =>
    world.gate.request(target, { ...more, headers: withFields(JSON_WANTED, more.headers) });
  /** The same, with the number of requests that reached the origin meanwhile. */
  world.counted = async (target, more) => {
    const earlier = await world.origin.count();
    const response = await world.ask(target, more);
    return { response, reached: (await world.origin.count()) - earlier };
  };
  /** Asserts that the request is refused for this cause, and that nothing of it reached the origin. */
  world.refuses = async (target, more, cause, status = STATUS[cause]) => {
    const { response, reached } = await world.counted(target, more);
    refused(response, cause, status);
    assert.equal(reached, 0, "nothing may reach the origin");
    return response;
  };
  /** Asserts that the request reaches the origin once, and gives the origin's view of it. */
  world.passes = async (target, more) => {
    const { response, reached } = await world.counted(target, more);
    passed(response);
    assert.equal(reached, 1, "it reaches the origin once");
    return response.origin();
  };
  /** Asserts that nothing reaches the origin, whatever the answer is. */
  world.stops = async (target, more, statuses = [400, 401, 403, 404]) => {
    const { response, reached } = await world.counted(target, more);
    assert.equal(reached, 0, `nothing may reach the origin (status ${response.status})`);
    assert.ok(statuses.includes(response.status), `status ${response.status} is none of ${statuses}`);
    return response;
  };
  return world;
}

/** Contract §4: the status of each cause. */
export const STATUS = {
  "credentials-missing": 401,
  "credentials-malformed": 401,
  "credentials-unsupported": 401,
  "credentials-wrong": 401,
  "token-malformed": 401,
  "token-algorithm": 401,
  "token-unknown-key": 401,
  "token-bad-signature": 401,
  "token-expired": 401,
  "token-not-yet-valid": 401,
  "token-too-old": 401,
  "token-wrong-issuer": 401,
  "token-wrong-audience": 401,
  "token-missing-claim": 401,
  "token-wrong-scope": 401,
  "token-revoked": 401,
  "token-spent": 401,
  "token-needs-confirmation": 401,
  "password-expired": 401,
  "session-invalid": 401,
  "session-expired": 401,
  "session-idle": 401,
  "session-revoked": 401,
  "second-factor-required": 401,
  "too-many-attempts": 429,
  "request-ambiguous": 400,
  "not-allowed": 403,
  "insufficient-scope": 403,
  denied: 403,
  "cross-site": 403,
  "account-suspended": 403,
  "insecure-transport": 403,
  "not-found": 404,
  "method-not-allowed": 405,
  "content-too-large": 413,
  "too-many-attempts": 429,
  internal: 500,
  "origin-unreachable": 502,
  "not-configured": 503,
  "check-unavailable": 503,
  "origin-timeout": 504,
};

export function refused(response, cause, status = STATUS[cause]) {
  const text = response.text();
  const said = text.startsWith("{") ? JSON.parse(text).cause : text.slice(0, 200); // answers.test.mjs looks at Content-Type
  assert.deepEqual({ status: response.status, cause: said }, { status, cause });
}

export function passed(response) {
  assert.equal(response.status, 200, `let in, but: ${response.text().slice(0, 300)}`);
  assert.equal(response.get("x-echo"), "1", "the answer is the origin's");
}

/** Challenges of an answer (RFC 9110 §11.6.1) as [scheme, parameters] pairs: strict about what it reads. */
export function challenges(response) {
  const found = [];
  let rest = response.get("www-authenticate") ?? "";
  const token = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)/;
  const parameter = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*("(?:[^"\\]|\\.)*"|[!#$%&'*+.^_`|~0-9A-Za-z-]+)/;
  while (rest !== "") {
    const pair = parameter.exec(rest);
    if (pair && found.length) {
      found.at(-1)[1][pair[1].toLowerCase()] = pair[2].replace(/^"(.*)"$/s, "$1").replace(/\\(.)/g, "$1");
      rest = rest.slice(pair[0].length);
    } else {
      const scheme = token.exec(rest);
      assert.ok(scheme, `no challenge at ${JSON.stringify(rest)}`);
      found.push([scheme[1], {}]);
      rest = rest.slice(scheme[0].length);
      if (rest.startsWith(" ")) rest = rest.trimStart();
      else assert.ok(rest === "" || rest.startsWith(","), `what follows a scheme: ${JSON.stringify(rest)}`);
      if (parameter.test(rest)) continue;
    }
    rest = rest.replace(/^[ \t]*,?[ \t]*/, "");
  }
  return found;
}

export const schemes = (response) => challenges(response).map(([scheme]) => scheme);

/** Two sets of fields, the second over the first; either may be raw lines. */
export function withFields(first, second = {}) {
  const lines = (fields) =>
    Array.isArray(fields)
      ? fields.flat()
      : Object.entries(fields).flatMap(([name, value]) =>
          Array.isArray(value) ? value.flatMap((v) => [name, v]) : [name, value],
        );
  const over = lines(second);
  const names = new Set(over.filter((_, i) => i % 2 === 0).map((name) => name.toLowerCase()));
  const under = lines(first).filter((_, i, all) => !names.has(all[i - (i % 2)].toLowerCase()));
  return [...under, ...over];
}

/** `[name, row, …]` tables: one subtest a row, so that each failure has a name. */
export async function eachRow(t, rows, body) {
  for (const [name, ...row] of rows) await t.test(name, () => body(...row));
}
