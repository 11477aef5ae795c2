// `npm run bench`: the CPU time that a Worker adds to a request it lets pass, on bare workerd, as a ratio to a
// hand-tuned Worker in JavaScript that verifies one HS256 token with WebCrypto.
//
//   node benches/added-cost.mjs [--rounds 40] [--requests 500] [--build folder]… [--only name,name]
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
import { variants } from "./variants.mjs";
import { startWorkerd } from "./workerd.mjs";

const MOST_SECONDS = 75; // rounds that have not begun by then are left out
const WARM_UP = 30000; // requests for each Worker: an isolate lives for hours, and V8 optimises a function of WebAssembly only after it has run for long

async function main() {
  const { rounds, requests, builds, only } = options();
  await build();
  const chosen = await variants(["build", ...builds], only);
  const origin = await startOrigin();
  const workerd = await startWorkerd(chosen, origin.port);
  const loads = chosen.map((variant, index) => new Load(workerd.ports[index], variant));
  try {
    for (const load of loads) await load.check();
    for (const load of loads) await load.run(WARM_UP);
    const costs = await measure(workerd, loads, rounds, requests);
    console.log(table(chosen.map(({ title }) => title), costs));
    console.log(`${costs.length} rounds of ${requests} requests for each; median, and 95 % of 2000 resamplings of the rounds`);
  } finally {
    await workerd.stop();
    origin.close();
  }
}

function options() {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "40" },
      requests: { type: "string", default: "500" },
      build: { type: "string", multiple: true, default: [] },
      only: { type: "string", default: "" },
    },
  });
  const [rounds, requests] = [Number(values.rounds), Number(values.requests)];
  if (!(rounds >= 3 && rounds <= 1000 && requests >= 10 && requests <= 10000)) {
    throw new tools.Stop("3 to 1000 rounds of 10 to 10000 requests");
  }
  return { rounds, requests, builds: values.build, only: values.only.split(",").filter(Boolean) };
}

/** CPU microseconds of workerd for one request: a line for each round, a column for each Worker. */
async function measure(workerd, loads, rounds, requests) {
  const costs = [];
  const end = Date.now() + MOST_SECONDS * 1000;
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
