// Thousands of changes to a good link of each dialect, through the running Worker: none is let in, unless what was changed
// is nothing that the dialect signs, and none is answered with 5xx.
//
// EDGEWARD_MUTATIONS says how many for each link (10,000 by default), EDGEWARD_SEED where chance begins.
import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import { DIALECTS, policyOfAll, secretsOfAll } from "./dialects.mjs";
import { shared } from "./expect.mjs";
import { now } from "./given.mjs";
import { HOST } from "./harness.mjs";
import { mutations } from "./mutations.mjs";

const COUNT = Number(process.env.EDGEWARD_MUTATIONS ?? 10_000);
const SEED = Number(process.env.EDGEWARD_SEED ?? 1);
const AT_ONCE = 48;

const world = shared(() => ({ policy: policyOfAll({ log: "none" }), secrets: secretsOfAll() }));
const agent = new http.Agent({ keepAlive: true, maxSockets: AT_ONCE });

/** Status of a GET, and whether the origin answered. */
function ask(uri) {
  return new Promise((done, failed) => {
    const request = http.request({
      host: "127.0.0.1",
      port: world.gate.directUrl.port,
      path: uri,
      headers: { Host: HOST, Accept: "application/problem+json" },
      agent,
    });
    request.on("error", failed);
    request.on("response", (response) => {
      response.resume();
      response.on("end", () => done({ status: response.statusCode, letIn: response.headers["x-echo"] === "1" }));
      response.on("error", failed);
    });
    request.end();
  });
}

/** A connection that was closed between two requests is no answer: once more. */
const asked = (uri) => ask(uri).catch(() => ask(uri));

/** What a dialect signs of a URL as the platform understands it; undefined where it is none. */
function view(dialect, uri) {
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  return url && JSON.stringify(dialect.view(url.href.replace(/#.*/s, "")));
}

for (const [seed, dialect] of Object.values(DIALECTS).entries()) {
  test(`${dialect.format}: ${COUNT} changes to a good link`, async (t) => {
    const link = dialect.link("/a~b/c%20d.txt?q=x+y&r=%7E", { expires: now() + 1200 });
    assert.equal((await asked(link)).letIn, true, link);
    const good = view(dialect, link);
    const tally = { refused: 0, unsigned: 0 };
    const wrong = [];
    const changed = mutations(link, COUNT, SEED * 1000 + seed);
    const worker = async () => {
      for (const uri of changed) {
        const { status, letIn } = await asked(uri);
        if (!letIn && status >= 400 && status < 500) tally.refused += 1;
        else if (letIn && status === 200 && view(dialect, uri) === good) tally.unsigned += 1;
        else wrong.push(`${status} ${uri}`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    t.diagnostic(`${tally.refused} refused; ${tally.unsigned} let in, of which nothing signed was changed; link ${link}`);
    assert.deepEqual(wrong.slice(0, 10), [], `${wrong.length} of ${COUNT}`);
    assert.equal(tally.refused + tally.unsigned, COUNT);
    assert.ok(tally.refused > COUNT * 0.6, "most of the changes are to what is signed");
    assert.equal((await asked(link)).letIn, true, "the link itself is still good");
  });
}

test("the connections are put away", () => agent.destroy());
