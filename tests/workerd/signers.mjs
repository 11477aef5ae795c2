// A signer for each dialect of signed URLs, written from the vendors' constructions without any help of the product's.
//
//   signers[format]({ url, key, expires, … }) → the signed URL
//
// `url` is absolute and goes out octet for octet: nothing here parses it as WHATWG says. `key` is octets. `expires` is Unix
// seconds; undefined where a format may do without. What else a format can say is in its own options.
import { createHash, createHmac, hkdfSync } from "node:crypto";

const hmac = (key, text, hash = "sha256") => createHmac(hash, key).update(text);
const join = (url, parameter) => `${url}${url.includes("?") ? "&" : "?"}${parameter}`;
const base64url = (text) => Buffer.from(text).toString("base64url");
const padded = (text) => text + "=".repeat((4 - (text.length % 4)) % 4);

/** `scheme://host`, path, query (undefined where there is none). */
export function parts(url) {
  const [, origin, path, query] = /^([a-z]+:\/\/[^/?#]+)([^?#]*)(?:\?([^#]*))?/.exec(url);
  return { origin, host: origin.split("//")[1].split(":")[0], path: path || "/", query };
}

const pathAndQuery = (url) => url.slice(parts(url).origin.length);

/** EdgeAuth 2.0: a token for the URL, or for what `acl` names. Also a cookie's or a field's value. */
export function akamaiToken({ url, key, expires, starts, acl, ip, id, data, salt, escape, hash = "sha256" }) {
  const early = (text) => (escape ? quotePlus(text).replace(/%../g, (it) => it.toLowerCase()) : text);
  const fields = [
    ip && `ip=${early(ip)}`,
    starts && `st=${starts}`,
    expires !== undefined && `exp=${expires}`,
    acl && `acl=${acl}`,
    id && `id=${early(id)}`,
    data && `data=${early(data)}`,
  ].filter(Boolean);
  const signed = [...fields, !acl && `url=${early(pathAndQuery(url))}`, salt && `salt=${salt}`].filter(Boolean);
  return `${[...fields, `hmac=${hmac(key, signed.join("~"), hash).digest("hex")}`].join("~")}`;
}

/** Python's `quote_plus`. */
const quotePlus = (text) =>
  encodeURIComponent(text)
    .replace(/[!'()*]/g, (it) => `%${it.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");

/** Cloud CDN's prefix or cookie: the four, joined by `&` or `:`. */
export function googleGrant({ prefix, key, expires, name, separator = "&" }) {
  const encoded = padded(base64url(prefix));
  const signed = [`URLPrefix=${encoded}`, `Expires=${expires}`, `KeyName=${name}`].join(separator);
  return `${signed}${separator}Signature=${padded(hmac(key, signed, "sha1").digest("base64url"))}`;
}

/** Media CDN: `globs`, `prefix`, or the path itself; `fields`: of the request, by name. Also a cookie's value. */
export function mediaToken({ url, key, expires, starts, globs, prefix, session, fields = {}, hash = "sha256" }) {
  const where = globs ? `PathGlobs=${globs}` : prefix ? `URLPrefix=${base64url(prefix)}` : "FullPath";
  const names = Object.keys(fields);
  const headers = (of) => (names.length ? `Headers=${names.map(of).join(",")}` : "");
  const rest = [starts && `Starts=${starts}`, expires !== undefined && `Expires=${expires}`, session && `SessionID=${session}`];
  const sent = [where, ...rest, headers((name) => name)].filter(Boolean).join("~");
  const bound = [where, ...rest, headers((name) => `${name}=${fields[name]}`)].filter(Boolean).join("~");
  const signed = bound.replace(/^FullPath/, () => `FullPath=${parts(url).path}`);
  return `${sent}~hmac=${hmac(key, signed, hash).digest("hex")}`;
}

/** bunny.net: everything that is signed, and the parameters that say it. */
function bunny({ url, key, expires, directory, countries, blocked, limit, ip, inPath }) {
  const { origin, path, query } = parts(url);
  const own = { token_path: directory, token_countries: countries, token_countries_blocked: blocked, limit };
  const given = (inPath ? [] : (query ?? "").split("&").filter(Boolean)).map((pair) => pair.split("="));
  const data = [...given, ...Object.entries(own).filter(([, value]) => value !== undefined)].map(
    ([name, value = ""]) => [name, decodeURIComponent(value)],
  );
  data.sort(([one], [other]) => (one < other ? -1 : 1));
  const address = ip ? Buffer.from(ip.split(".").map(Number)) : Buffer.alloc(0);
  const signed = [
    directory ?? path,
    String(expires),
    address,
    data.map(([name, value]) => `${name}=${value}`).join("&"),
  ];
  const tag = signed.reduce((mac, part) => mac.update(part), createHmac("sha256", key)).digest("base64url");
  const extra = Object.entries(own).filter(([, value]) => value !== undefined);
  const said = extra.map(([name, value]) => `&${name}=${encodeURIComponent(value)}`).join("");
  const token = `token=HS256-${ip ? "1-" : ""}${tag}&expires=${expires}${said}`;
  return inPath ? `${origin}/bcdn_${token}${path}${query === undefined ? "" : `?${query}`}` : join(url, token);
}

/** `is_timed_hmac_valid_v0`: signed is the time of issue, `ttl` before it ends. */
function cloudflare({ url, key, expires, ttl = 3600, issued = expires - ttl, urlSafe = false }) {
  const mac = hmac(key, `${pathAndQuery(url)}${issued}`);
  const encoded = urlSafe ? mac.digest("base64url") : encodeURIComponent(mac.digest("base64"));
  return join(url, `verify=${issued}-${encoded}`);
}

const LINK_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/**
 * Our own share link; `key` is a value of EDGEWARD_SECRET, decoded. `from`: not-before; `network`: `address/bits`;
 * `change` makes mistakes: it gets the fields, before they are signed.
 */
export function edgewardToken({ url, key, expires, issued, from, id = Buffer.alloc(8, 7), prefix, kid, uses, methods, network, subject = "", change = () => {} }) {
  const derived = (info) => Buffer.from(hkdfSync("sha256", key, Buffer.alloc(0), info, 32));
  const { host, path, query = "" } = parts(url);
  const where = prefix ? [host.toLowerCase(), "below", prefix] : [host.toLowerCase(), "exactly", path, query];
  const flag = (bit, value) => (value === undefined ? 0 : bit);
  const octets = (value, write) => (value === undefined ? Buffer.alloc(0) : Buffer.from(write(value)));
  const fields = {
    head: [0x40 | flag(1, from) | flag(2, uses) | flag(4, methods) | flag(8, prefix) | flag(16, network)],
    kid: kid ?? derived("edgeward/link-kid/v1").subarray(0, 3),
    id,
    from: uint32(from ?? issued ?? Math.floor(Date.now() / 1000) - 60),
    expires: uint32(expires),
    uses: octets(uses, (it) => [it >> 8, it & 0xff]),
    methods: octets(methods, (it) => [it.reduce((set, name) => set | (1 << LINK_METHODS.indexOf(name)), 0)]),
    prefix: octets(prefix, (it) => [Buffer.byteLength(it)]),
    network: octets(network, networkOctets),
    subject,
    where: createHash("sha256").update(framed("edgeward/link-target/v1", where)).digest().subarray(0, 16),
  };
  change(fields);
  const all = Object.values(fields).map((field) => Buffer.from(field));
  const tag = hmac(derived("edgeward/link/v1"), framed("edgeward/link/v1", all)).digest();
  return Buffer.concat([...all, tag]).toString("base64url");
}

const edgeward = (given) => join(given.url, `ew=${edgewardToken(given)}`);

const uint32 = (number) => Buffer.from([24, 16, 8, 0].map((shift) => (number >>> shift) & 0xff));

/** `203.0.113.0/24`, `2001:db8::/32`: the length of the prefix (32 more for IPv6), and the octets that it takes. */
function networkOctets(network) {
  const [address, bits] = network.split("/");
  const isSix = address.includes(":");
  const groups = () => {
    const [before, after = ""] = address.split("::").map((half) => half.split(":").filter(Boolean));
    return [...before, ...Array(8 - before.length - after.length).fill("0"), ...after];
  };
  const octets = isSix
    ? groups().flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff])
    : address.split(".").map(Number);
  return [Number(bits) + (isSix ? 32 : 0), ...octets.slice(0, Math.ceil(bits / 8))];
}

/** Purpose, NUL, and each field after its length in eight octets. */
function framed(purpose, fields) {
  const length = (octets) => {
    const size = Buffer.alloc(8);
    size.writeBigUInt64BE(BigInt(octets.length));
    return size;
  };
  const framedFields = fields.map((field) => Buffer.from(field)).flatMap((octets) => [length(octets), octets]);
  return Buffer.concat([Buffer.from(`${purpose}\0`), ...framedFields]);
}

/** Laravel's `URL::temporarySignedRoute`: the root is signed without its slash. */
function laravel({ url, key, expires, relative }) {
  const full = expires === undefined ? url : join(url, `expires=${expires}`);
  const { origin, path } = parts(full);
  const signed = relative ? full.slice(origin.length) : path === "/" ? full.replace(`${origin}/`, origin) : full;
  return join(full, `signature=${hmac(key, signed).digest("hex")}`);
}

/** nginx's `secure_link_hmac` with the message `$uri|$arg_ts|$arg_e`: `$uri` is the path decoded. */
function nginxHmac({ url, key, expires, ts, e, hash = "sha256" }) {
  const began = ts ?? Math.min(expires, Math.floor(Date.now() / 1000)) - 60;
  const span = e ?? expires - began;
  const signed = `${decodeURIComponent(parts(url).path)}|${began}|${span}`;
  return join(url, `st=${hmac(key, signed, hash).digest("base64url")}&ts=${began}&e=${span}`);
}

/** Symfony's UriSigner: `http_build_query` of the sorted parameters, the hash among them. */
function symfony({ url, key, expires, before71 = false }) {
  const { origin, path, query } = parts(url);
  const pairs = query ? query.split("&").map((pair) => pair.split(/=(.*)/s).slice(0, 2)) : [];
  const decoded = pairs.map(([name, value = ""]) =>
    [name, value].map((it) => decodeURIComponent(it.replaceAll("+", " "))),
  );
  const base = ([name]) => name.split("[")[0];
  const build = (all) => {
    const sorted = [...all].sort((one, other) => Buffer.compare(Buffer.from(base(one)), Buffer.from(base(other))));
    const text = sorted.map(([name, value]) => `${urlencode(name)}=${urlencode(value)}`).join("&");
    return `${origin}${path}${text ? `?${text}` : ""}`;
  };
  if (expires !== undefined) decoded.push(["_expiration", String(expires)]);
  const hash = hmac(key, build(decoded)).digest(before71 ? "base64" : "base64url");
  return build([...decoded, ["_hash", hash]]);
}

/** PHP's `urlencode`. */
const urlencode = (text) => quotePlus(text).replaceAll("~", "%7E");

export const signers = {
  akamai: ({ parameter = "__token__", ...given }) => join(given.url, `${parameter}=${akamaiToken(given)}`),
  bunny,
  cloudflare,
  edgeward,
  fastly: ({ url, key, expires }) =>
    join(url, `token=${expires}_${hmac(key, `${parts(url).path}${expires}`, "sha1").digest("hex")}`),
  "google-cdn": ({ url, key, expires, name, prefix }) => {
    if (prefix) return join(url, googleGrant({ prefix, key, expires, name }));
    const signed = join(url, `Expires=${expires}&KeyName=${name}`);
    return `${signed}&Signature=${padded(hmac(key, signed, "sha1").digest("base64url"))}`;
  },
  laravel,
  "media-cdn": ({ parameter = "edge-cache-token", ...given }) => join(given.url, `${parameter}=${mediaToken(given)}`),
  "nginx-hmac": nginxHmac,
  symfony,
};
