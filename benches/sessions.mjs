// `npm run bench -- sessions`: what a session costs, as a ratio to a Bearer token, and what writing it anew adds. Neither store
// is bound: with EDGEWARD_LEDGER each request of a session asks it, which is a call of another machine.
import { randomBytes } from "node:crypto";
import { session } from "../tests/workerd/sessions.mjs";
import { ROOT_KEY, ROOT_SECRET, bearer, jwk, now } from "./credentials.mjs";
import { modulesOf, passOnly } from "./variants.mjs";

const HOST = "api.acme.example";
const LINE = "ann:$2a$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi:editors";

/** Pass only, a Bearer token, a session, and one that is written anew with each answer. */
export async function variants(build) {
  const modules = modulesOf(build);
  const key = randomBytes(32);
  const keys = { EDGEWARD_KEYS: JSON.stringify({ keys: [jwk("k", key)] }) };
  const cookie = (value) => ({ fields: [`Cookie: theme=dark; __Host-edgeward=${value}`] });
  const signedIn = (seen) => ({
    good: cookie(session(LINE, { host: HOST, root: ROOT_KEY, began: now - 600, seen })),
    broken: cookie(session(LINE, { host: "other.example", root: ROOT_KEY })),
    bindings: { EDGEWARD_SECRET: ROOT_SECRET, EDGEWARD_USERS: LINE, EDGEWARD: policy(["session"], { session: {} }) },
  });
  const token = { ...bearer("k", key), bindings: { EDGEWARD_SECRET: ROOT_SECRET, ...keys, EDGEWARD: policy(["bearer"]) } };
  return [
    await passOnly(),
    { title: "Bearer, HS256", guards: true, modules, ...token },
    // Good for as long as the benchmark runs: nothing is written.
    { title: "session", guards: true, modules, ...signedIn(now + 1200) },
    { title: "session, written anew", guards: true, modules, ...signedIn(now - 300) },
  ];
}

/** The same but for the kind: the request goes out as it came, but for what proved it. */
const policy = (accept, more = {}) => ({
  forward: { identity: false },
  rules: [{ path: "/v1/*", accept, forward_credentials: true }],
  ...more,
});
