// The Worker's entry, and the one place that touches the platform's objects for the Rust module.
//
// Every crossing between JavaScript and WebAssembly costs a part of a microsecond, so each function here does one
// whole step: facts in one text, a request with all its changes, an answer with all its fields. Nothing here
// decides. Texts hold one value a line: no field value, method or URL can hold a line feed.
import * as gate from "./glue.js";
import module from "./index_bg.wasm";

const ABSENT = "\0";

/** Answers for a request in which the module panicked. */
function recover(request, env, error) {
  console.error(JSON.stringify({ edgeward: "panic", message: String(error?.message ?? error) }));
  // What was in its memory is gone, the isolate lives.
  gate.__wbg_reset_state();
  try {
    return gate.internal(host, request, env);
  } catch {
    gate.__wbg_reset_state();
    return new Response("Internal error\n", {
      status: 500,
      headers: { "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" },
    });
  }
}

const host = {
  read(request, names) {
    const { headers } = request;
    let text = `${request.method}\n${request.url}`;
    for (const name of names) {
      text += `\n${headers.get(name) ?? ABSENT}`;
    }
    return text;
  },

  field: (request, name) => request.headers.get(name) ?? undefined,

  names: (request) => [...request.headers.keys()].join("\n"),

  // A variable is text, or a table of wrangler.toml that arrives as an object. A binding's object is neither.
  variable(env, name) {
    const value = env[name];
    if (value === undefined || value === null) return undefined;
    return typeof value === "string" ? value : JSON.stringify(value);
  },

  has: (env, name) => typeof env[name]?.fetch === "function",

  now: () => Date.now(),

  random: (length) => crypto.getRandomValues(new Uint8Array(length)),

  log: (line) => console.log(line),

  respond(status, fields, content) {
    return new Response(content ?? null, { status, headers: pairs(fields) });
  },

  // Sends a request on. `fetch` resolves before `Closure`s would: its continuation is a plain function.
  forward(request, env, url, remove, set, options, timeout) {
    const unanswered = (error) =>
      guarded(request, env, () =>
        gate.unanswered(host, request, env, error === LATE, String(error?.message ?? error)),
      );
    let outgoing;
    try {
      outgoing = new Request(url, request);
    } catch (error) {
      // An authority that is no host, sent on as the origin's: no defect, and nothing may be thrown through the module.
      return Promise.reject(error).catch(unanswered);
    }
    const { headers } = outgoing;
    if (remove !== "") for (const name of remove.split("\n")) headers.delete(name);
    const lines = set.split("\n");
    for (let i = 0; i + 1 < lines.length; i += 2) headers.set(lines[i], lines[i + 1]);
    const init = options & NO_STORE ? UNCACHED : UNFOLLOWED;
    const sent = options & TO_ASSETS ? env.ASSETS.fetch(outgoing, init) : fetch(outgoing, init);
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(reject, timeout * 1000, LATE);
    });
    return Promise.race([sent, late]).then(
      (response) => {
        clearTimeout(timer);
        return guarded(request, env, () => answered(request, env, response, options));
      },
      (error) => {
        clearTimeout(timer);
        return unanswered(error);
      },
    );
  },

  // A brand's own page is asked for once for each isolate and status.
  template(request, env, url, status, then) {
    return env.ASSETS.fetch(url)
      .then((response) => (response.ok ? response.text() : ""))
      .catch(() => "")
      .then((text) => guarded(request, env, () => {
        gate.template(host, env, status, text);
        return then();
      }));
  },

  // A file of the brand, with the fields of an answer of ours.
  brand(request, env, url, fields) {
    return env.ASSETS.fetch(url).then((found) => {
      if (!found.ok) return guarded(request, env, () => gate.missing(host, request, env));
      const headers = pairs(fields);
      const type = found.headers.get("content-type");
      if (type !== null) headers.push(["Content-Type", type]);
      return new Response(request.method === "HEAD" ? null : found.body, { status: 200, headers });
    }, (error) => guarded(request, env, () => gate.unanswered(host, request, env, false, String(error?.message ?? error))));
  },
};

// Bits of `options`, as in edge/origin.rs.
const NO_STORE = 1;
const TO_ASSETS = 2;

const UNFOLLOWED = { redirect: "manual" };
const UNCACHED = { redirect: "manual", cache: "no-store" };
const LATE = Symbol("the origin's time is up");

/** Names and values in turn, as pairs: a name may stand more than once. */
function pairs(fields) {
  const lines = fields.split("\n");
  const found = [];
  for (let i = 0; i + 1 < lines.length; i += 2) found.push([lines[i], lines[i + 1]]);
  return found;
}

/** Applies the core's edits to an answer; one that needs none is the platform's own object. */
function answered(request, env, response, options) {
  if (response.status === 101) return response;
  const { headers } = response;
  const get = (name) => headers.get(name) ?? ABSENT;
  let seen = `${response.status}\n${get("cache-control")}\n${get("location")}\n${get("content-location")}`;
  seen += `\n${headers.has("access-control-allow-origin") ? "1" : ""}`;
  if (headers.has("set-cookie")) seen += `\n${headers.getSetCookie().join("\n")}`;
  const edits = gate.answered(host, request, env, seen, options);
  if (edits === "") return response;
  const edited = new Response(response.body, response);
  const lines = edits.split("\n");
  for (let i = 0; i + 2 < lines.length; i += 3) {
    if (lines[i] === "-") edited.headers.delete(lines[i + 1]);
    else if (lines[i] === "=") edited.headers.set(lines[i + 1], lines[i + 2]);
    else edited.headers.append(lines[i + 1], lines[i + 2]);
  }
  return edited;
}

function guarded(request, env, step) {
  try {
    return step();
  } catch (error) {
    return recover(request, env, error);
  }
}

gate.initSync({ module });

export default {
  fetch(request, env) {
    try {
      return gate.fetch(host, request, env);
    } catch (error) {
      return recover(request, env, error);
    }
  },
};
