// `npm run bench`: the CPU time that a Worker adds to a request it lets pass, on bare workerd, as a ratio to a
// hand-tuned Worker in JavaScript that verifies one HS256 token with WebCrypto; or, of formats, of numbers of keys and of sessions, as
// a ratio to the same gate's Bearer token.
//
//   node benches/added-cost.mjs [links|keys|sessions] [--rounds 40] [--requests 500] [--warm-up 30000] [--build folder]… [--only name,name]
//
// All Workers are services of one workerd process, each on a port of its own. Many short rounds are interleaved, the
// order turned by one place each round, so that whatever else this machine does falls on all of them alike. `--build`
// measures other builds of Edgeward beside the one in build/.
import { parseArgs } from "node:util";
import * as tools from "../scripts/tools.mjs";
import { build } from "../scripts/build.mjs";
import { Load } from "./load.mjs";
import { startOrigin } from "./origin.mjs";
import { table } from "./statistics.mjs";
import * as keys from "./keys.mjs";
import * as links from "./links.mjs";
import * as sessions from "./sessions.mjs";
import { variants } from "./variants.mjs";
import { startWorkerd } from "./workerd.mjs";

const MOST_SECONDS = { "": 75, links: 300, keys: 300, sessions: 150 }; // rounds that have not begun by then are left out
const WARM_UP = "30000"; // requests for each Worker: an isolate lives for hours, and V8 optimises a function of WebAssembly only after it has run for long

async function main() {
  const { table: named, rounds, requests, warmUp, builds, only } = options();
  await build();
  const chosen = await {
    "": () => variants(["build", ...builds], only),
    links: () => links.variants(builds[0] ?? "build", only),
    keys: () => keys.variants(builds[0] ?? "build", only),
    sessions: () => sessions.variants(builds[0] ?? "build"),
  }[named]();
  const origin = await startOrigin();
  const workerd = await startWorkerd(chosen, origin.port);
  const loads = chosen.map((variant, index) => new Load(workerd.ports[index], variant));
  try {
    for (const load of loads) await load.check();
    for (const load of loads) await load.run(warmUp);
    const costs = await measure(workerd, loads, rounds, requests, MOST_SECONDS[named]);
    console.log(table(chosen.map(({ title }) => title), costs));
    console.log(`${costs.length} rounds of ${requests} requests for each; median, and 95 % of 2000 resamplings of the rounds`);
  } finally {
    await workerd.stop();
    origin.close();
  }
}

function options() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: "string", default: "40" },
      requests: { type: "string", default: "500" },
      "warm-up": { type: "string", default: WARM_UP },
      build: { type: "string", multiple: true, default: [] },
      only: { type: "string", default: "" },
    },
  });
  const [rounds, requests] = [Number(values.rounds), Number(values.requests)];
  if (!(rounds >= 3 && rounds <= 1000 && requests >= 10 && requests <= 10000)) {
    throw new tools.Stop("3 to 1000 rounds of 10 to 10000 requests");
  }
  const [name = "", ...more] = positionals;
  if (!Object.hasOwn(MOST_SECONDS, name) || more.length > 0) throw new tools.Stop("one table: links, keys or sessions, or none of them");
  const only = values.only.split(",").filter(Boolean);
  return { table: name, rounds, requests, warmUp: Number(values["warm-up"]), builds: values.build, only };
}

/** CPU microseconds of workerd for one request: a line for each round, a column for each Worker. */
async function measure(workerd, loads, rounds, requests, seconds) {
  const costs = [];
  const end = Date.now() + seconds * 1000;
  for (let round = 0; round < rounds && Date.now() < end; round += 1) {
    const row = new Array(loads.length);
    for (let turn = 0; turn < loads.length; turn += 1) {
      const index = (round + turn) % loads.length;
      const before = workerd.cpuTime();
      await loads[index].run(requests);
      row[index] = (workerd.cpuTime() - before) / requests;
    }
    costs.push(row);
  }
  return costs;
}

await tools.script(main);
