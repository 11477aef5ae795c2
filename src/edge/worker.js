// The Worker's entry, and the one place that touches the platform's objects for the Rust module.
//
// Every crossing between JavaScript and WebAssembly costs a part of a microsecond, so each function here does one
// whole step: facts in one text, a request with all its changes, an answer with all its fields. Nothing here
// decides. Texts hold one value a line: no field value, method or URL can hold a line feed.
import * as gate from "./glue.js";
import module from "./index_bg.wasm";
import { ledger, rewritten, stored, value } from "./stores.js";
import sessionScript from "minified:session.js";

// The platform finds the class of EDGEWARD_LEDGER by this name.
export { Ledger } from "./ledger.js";

const ABSENT = "\0";

/** The module panicked: what was in its memory is gone, the isolate lives. */
function startAnew(error) {
  const message = String(error?.message ?? error);
  console.error(JSON.stringify({ edgeward: "panic", message }));
  // A request that waited while another panicked finds its closure gone. The module that has been started since is
  // sound, and others wait for it: to start that anew, too, would go on for as long as there are requests.
  if (!message.includes("previous WASM instance")) gate.__wbg_reset_state();
}

/** Answers for a request in which the module panicked. */
function recover(request, env, error) {
  startAnew(error);
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
  // One pass over all fields: cheaper than a list of their names and a look-up for each that is read.
  read(request) {
    let text = `${request.method}\n${request.url}`;
    request.headers.forEach((value, name) => {
      text += `\n${name}\n${value}`;
    });
    return text;
  },

  // A variable is text, or a table of wrangler.toml that arrives as an object. A binding's object is neither.
  variable(env, name) {
    const value = env[name];
    if (value === undefined || value === null) return undefined;
    return typeof value === "string" ? value : JSON.stringify(value);
  },

  has: (env, name, method) => typeof env[name]?.[method] === "function",

  now: () => Date.now(),

  random: (length) => crypto.getRandomValues(new Uint8Array(length)),

  log: (line) => console.log(line),

  // What a verdict needs from outside is asked for once, and `then` goes on with the request.
  store: (request, env, more, then) =>
    stored(env, more).then((values) => guarded(request, env, () => then(values))),

  value: (request, env, key, then) =>
    value(env, key).then((text) => guarded(request, env, () => then(text))),

  // The store asked with nobody waiting for it.
  renew: (ctx, env, more, then) => ctx.waitUntil(stored(env, more).then((values) => unseen(() => then(values)))),

  // What was ended is put into EDGEWARD_KV: `then` is told whether it was.
  end: (request, env, key, more, then) =>
    rewritten(env, key, (present) => merged(present, more)).then((done) =>
      guarded(request, env, () => then(done === true)),
    ),

  pause: (request, env, millis, then) =>
    new Promise((done) => setTimeout(done, millis)).then(() => guarded(request, env, then)),

  ledger: (request, env, object, method, args, then) =>
    ledger(env, object, method, args).then((answer) => guarded(request, env, () => then(answer))),

  // The content as text; undefined where it is longer than `limit`, or did not come whole.
  content: (request, env, limit, then) =>
    contentOf(request, limit).then((text) => guarded(request, env, () => then(text))),

  // A data point is written in the background; one that is refused is none of the visitor's trouble.
  event(env, text) {
    try {
      env.EDGEWARD_EVENTS.writeDataPoint(JSON.parse(text));
    } catch (error) {
      console.error(JSON.stringify({ edgeward: "event", message: String(error?.message ?? error) }));
    }
  },

  country: (request) => request.cf?.country,

  respond(status, fields, content) {
    return new Response(content ?? null, { status, headers: pairs(fields) });
  },

  // The script that warns, in the words of a language (JSON).
  script: (request, fields, words) =>
    new Response(request.method === "HEAD" ? null : sessionScript.replace("WORDS", () => words), {
      status: 200,
      headers: pairs(fields),
    }),

  // Sends a request on. Copying the fields and naming the rest costs half of `new Request(url, request)`, which only
  // content needs: it brings its length along.
  forward(request, env, outgoing, options, timeout, cookie) {
    const lines = outgoing.split("\n");
    const headers = new Headers(request.headers);
    for (let i = 1; i + 1 < lines.length; i += 2) {
      if (lines[i + 1] === ABSENT) headers.delete(lines[i]);
      else headers.set(lines[i], lines[i + 1]);
    }
    const { method, body } = request;
    const init = { headers, redirect: "manual" };
    if (body === null) init.method = method;
    if (options & PRIVATE) init.cache = "no-store";
    // A function that is async throws nothing: an authority that is no host is no defect of the module's.
    const send = async () => {
      const target = body === null ? lines[0] : new Request(lines[0], request);
      return options & TO_ASSETS ? env.ASSETS.fetch(target, init) : fetch(target, init);
    };
    return (timeout === 0 ? send() : inTime(send(), timeout)).then(
      (response) =>
        guarded(request, env, () => kept(warned(request, env, answered(request, env, response, options), options), cookie)),
      (error) =>
        guarded(request, env, () =>
          gate.unanswered(host, request, env, error === LATE, String(error?.message ?? error)),
        ),
    );
  },

  // A page of the brand's own, the words of a language: nobody waits longer for it than it is worth.
  asset: (request, env, url, then) =>
    inTime(fileOf(env, url), SECONDS_FOR_A_FILE)
      .catch(() => undefined)
      .then((text) => guarded(request, env, () => then(text))),

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

// Bits of `options`, as in edge/send.rs.
const PRIVATE = 1;
const TO_ASSETS = 2;
const RELOCATE = 4;
const SHARE = 8;
const WARN = 16;

const SECONDS_FOR_A_FILE = 2;

/** The text of a file: empty where there is none, undefined where that cannot be told. */
async function fileOf(env, url) {
  const response = await env.ASSETS.fetch(url);
  if (response.ok) return response.text();
  return response.status < 500 ? "" : undefined;
}

const LATE = Symbol("the origin's time is up");

/** What `sent` resolves to; rejects with `LATE` after so many seconds. A timer for each request is what it costs. */
function inTime(sent, seconds) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(reject, seconds * 1000, LATE);
    const settle = (how) => (value) => {
      clearTimeout(timer);
      how(value);
    };
    sent.then(settle(resolve), settle(reject));
  });
}

async function contentOf(request, limit) {
  const parts = [];
  let length = 0;
  try {
    for await (const part of request.body ?? []) {
      length += part.byteLength;
      if (length > limit) return undefined;
      parts.push(part);
    }
  } catch {
    return undefined;
  }
  return new Blob(parts).text();
}

/** Names and values in turn, as pairs: a name may stand more than once. */
function pairs(fields) {
  const lines = fields.split("\n");
  const found = [];
  for (let i = 0; i + 1 < lines.length; i += 2) found.push([lines[i], lines[i + 1]]);
  return found;
}

/** Applies the core's edits to an answer; one that needs none is the platform's own object. */
function answered(request, env, response, options) {
  const { status, headers } = response;
  if (status === 101) return response;
  // What Cloudflare itself says of an origin that it could not reach, or that took too long (522, 524).
  if (status >= 520 && status <= 530) {
    return gate.unanswered(host, request, env, status === 522 || status === 524, `status ${status}`);
  }
  const get = (bit, name) => (options & bit ? headers.get(name) : null);
  const [location, contentLocation] = [get(RELOCATE, "location"), get(RELOCATE, "content-location")];
  const cookies = headers.has("set-cookie") ? headers.getSetCookie() : [];
  const cacheControl = get(PRIVATE, "cache-control") ?? ABSENT;
  const isSilent = location === null && contentLocation === null && cookies.length === 0;
  if (isSilent && (options & SHARE) === 0 && status !== 401 && status !== 403) {
    return options & PRIVATE ? edited(response, privateEdits(cacheControl)) : response;
  }
  const shared = options & SHARE && headers.has("access-control-allow-origin") ? "1" : "";
  const seen = [status, cacheControl, location ?? ABSENT, contentLocation ?? ABSENT, shared, ...cookies];
  const edits = gate.answered(host, request, env, seen.join("\n"), options);
  return edits === "" ? response : edited(response, edits.split("\n"));
}

// The last `Cache-Control` and its edits: most origins send few different ones, and asking costs two crossings of text.
const lastEdits = { cacheControl: undefined, lines: [] };

function privateEdits(cacheControl) {
  if (lastEdits.cacheControl !== cacheControl) {
    lastEdits.lines = gate.private_edits(cacheControl).split("\n");
    lastEdits.cacheControl = cacheControl;
  }
  return lastEdits.lines;
}

/** Three lines for each edit: what to do, name, value. */
function edited(response, lines) {
  const copy = new Response(response.body, response);
  const { headers } = copy;
  for (let i = 0; i + 2 < lines.length; i += 3) {
    if (lines[i] === "-") headers.delete(lines[i + 1]);
    else if (lines[i] === "=") headers.set(lines[i + 1], lines[i + 2]);
    else headers.append(lines[i + 1], lines[i + 2]);
  }
  return copy;
}

/** The answer with a cookie to be kept; what has no fields of its own to add to goes out as it is. */
function kept(answer, cookie) {
  if (cookie === undefined || !(answer instanceof Response) || answer.status === 101) return answer;
  const copy = new Response(answer.body, answer);
  copy.headers.append("Set-Cookie", cookie);
  return copy;
}

const WARNING = '<script src="/.edgeward/session.js" defer></script>';
// In the order of `edge::send::document_of`.
const CONTENT_FIELDS = ["content-type", "cache-control", "content-encoding", "content-security-policy", "etag", "content-disposition"];
// Fields that speak of each octet of the content, or of each script.
const FIXED_FIELDS = ["content-digest", "repr-digest", "digest", "content-md5", "signature", "integrity-policy"];

/** The answer with the script that warns, where it is a page that may have one. */
function warned(request, env, answer, options) {
  if ((options & WARN) === 0 || !(answer instanceof Response) || answer.body === null) return answer;
  const { status, headers } = answer;
  const seen = CONTENT_FIELDS.map((name) => headers.get(name) ?? ABSENT);
  const isFixed = FIXED_FIELDS.some((name) => headers.has(name)) ? "1" : "";
  const edits = gate.injects(request.url, [status, isFixed, ...seen].join("\n"));
  return edits === undefined ? answer : withScript(request, edited(answer, edits.split("\n")));
}

/** Streams; every octet but those of the script stays. At the end of the head, else of the body, else of the document. */
function withScript(request, answer) {
  let isDone = false;
  const put = (token, how) => {
    if (!isDone) token[how](WARNING, { html: true });
    isDone = true;
  };
  const atItsEnd = { element: (element) => element.onEndTag((tag) => put(tag, "before")) };
  // A policy in the page itself; one that stands behind the head does not bind what is in the head.
  const policy = (meta) => {
    if (meta.getAttribute("http-equiv").trim().toLowerCase() !== "content-security-policy") return;
    isDone ||= !gate.allows_script(request.url, meta.getAttribute("content") ?? "");
  };
  return new HTMLRewriter()
    .on("meta[http-equiv]", { element: policy })
    .on("head", atItsEnd)
    .on("body", atItsEnd)
    .onDocument({ end: (end) => put(end, "append") })
    .transform(answer);
}

/** What was ended, added to what stands in EDGEWARD_KV. */
function merged(present, more) {
  try {
    return gate.merge_ended(present ?? undefined, more, Date.now());
  } catch (error) {
    startAnew(error);
    return undefined;
  }
}

/** A step that no request waits for. */
function unseen(step) {
  try {
    step();
  } catch (error) {
    startAnew(error);
  }
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
  fetch(request, env, ctx) {
    try {
      return gate.fetch(host, request, env, ctx);
    } catch (error) {
      return recover(request, env, error);
    }
  },
};
