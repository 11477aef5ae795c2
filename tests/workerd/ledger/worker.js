// A Worker of nothing but the stores: what the Rust module would ask is asked over HTTP.
import { ledger, stored } from "../../../src/edge/stores.js";

export { Ledger } from "../../../src/edge/ledger.js";

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/revocations") return Response.json({ values: await stored(env, "") });
    const { object, method, args, times = 1 } = await request.json();
    const ask = () => ledger(env, object, method, JSON.stringify(args));
    return Response.json(await Promise.all(Array.from({ length: times }, ask)));
  },
};
