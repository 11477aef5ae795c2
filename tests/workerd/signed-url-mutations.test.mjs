// Thousands of changes to a good link of each dialect, through the running Worker: none is let in, unless what was changed
// is nothing that the dialect signs, and none is answered with 5xx.
//
// EDGEWARD_MUTATIONS says how many for each link (10,000 by default), EDGEWARD_SEED where chance begins.
import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import { DIALECTS, policyOfAll, secretsOfAll, values } from "./dialects.mjs";
import { shared } from "./expect.mjs";
import { now } from "./given.mjs";
import { HOST } from "./harness.mjs";
import { mutations } from "./mutations.mjs";
import { parts } from "./signers.mjs";

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

/** What is signed of a URL as the platform understands it; undefined where it is none. */
function view(of, uri) {
  const url = URL.canParse(uri) ? new URL(uri) : undefined;
  return url && JSON.stringify(of(url.href.replace(/#.*/s, "")));
}

/** For links to all below a prefix: the token, and whether the path is there in whatever way it is read. */
const inside =
  (prefix, ...names) =>
  (url) => {
    const raw = parts(url).path;
    return [[raw, resolved(raw)].every((path) => path.startsWith(prefix)), ...names.map((name) => values(url, name))];
  };
/** Decoded as often as it can be, backslashes turned, parameters of segments cut, dot segments resolved. */
function resolved(path) {
  let text = path;
  for (let level = 0; level < 3; level++)
    text = text.replace(/%([0-9A-Fa-f]{2})/g, (_, digits) => String.fromCharCode(parseInt(digits, 16)));
  const kept = [];
  for (const segment of text
    .replaceAll("\\", "/")
    .split("/")
    .map((it) => it.split(";")[0])) {
    if (segment === "..") kept.pop();
    else if (segment !== ".") kept.push(segment);
  }
  return kept.join("/");
}

const expires = now() + 1200;
const ofDialect = (dialect) => [dialect.format, dialect.link(dialect.marked, { expires }), dialect.view];
const ofPrefix = (format, name) => {
  const prefix = `/${format}/films/`;
  const link = DIALECTS[format].link("/films/1.ts?q=1", DIALECTS[format].grant(prefix, { expires }));
  return [`${format}, a prefix`, link, inside(prefix, name)];
};
const directory = "/bunny/films/";
const LINKS = [
  ...Object.values(DIALECTS).map(ofDialect),
  ofPrefix("akamai", "__token__"),
  ofPrefix("edgeward", "ew"),
  ofPrefix("google-cdn", "Signature"),
  ofPrefix("media-cdn", "edge-cache-token"),
  [
    "bunny, in the path",
    DIALECTS.bunny.link("/films/1.ts?q=1", { expires, directory, inPath: true }),
    (url) => {
      const [, token, path] = /^(\/bcdn_token=[^/]*)(.*)/.exec(parts(url).path) ?? [];
      return [token, path !== undefined && [path, resolved(path)].every((it) => it.startsWith(directory))];
    },
  ],
];

for (const [seed, [name, link, signed]] of LINKS.entries()) {
  test(`${name}: ${COUNT} changes to a good link`, async (t) => {
    assert.equal((await asked(link)).letIn, true, link);
    const good = view(signed, link);
    const tally = { refused: 0, unsigned: 0 };
    const wrong = [];
    const changed = mutations(link, COUNT, SEED * 1000 + seed);
    const worker = async () => {
      for (const uri of changed) {
        const { status, letIn } = await asked(uri);
        if (!letIn && status >= 400 && status < 500) tally.refused += 1;
        else if (letIn && status === 200 && view(signed, uri) === good) tally.unsigned += 1;
        else wrong.push(`${status} ${uri}`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    t.diagnostic(
      `${tally.refused} refused; ${tally.unsigned} let in, of which nothing signed was changed; link ${link}`,
    );
    assert.deepEqual(wrong.slice(0, 10), [], `${wrong.length} of ${COUNT}`);
    assert.equal(tally.refused + tally.unsigned, COUNT);
    assert.ok(tally.refused > COUNT * 0.5, "most of the changes are to what is signed");
    assert.equal((await asked(link)).letIn, true, "the link itself is still good");
  });
}

test("the connections are put away", () => agent.destroy());
