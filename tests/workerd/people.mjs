// Somebody at a browser who signs in: cookies kept by their rules (RFC 6265bis §5), pages opened, forms filled in and sent,
// scripts that fetch.
import assert from "node:assert/strict";
import { PASSWORDS } from "./given.mjs";
import { HOST, SITE } from "./harness.mjs";
import { NAVIGATION } from "./visitor.mjs";

export const SESSION = "__Host-edgeward";
export const DEVICE = "__Host-edgeward-device";
export const SIGN_IN = "/.edgeward/sign-in";
export const FORM = "application/x-www-form-urlencoded";

/** Rules that a session opens, beside some that it does not. */
export const RULES = [
  { path: "/app/*", accept: ["session"] },
  { path: "/both/*", accept: ["session", "basic"] },
  { path: "/basic/*", accept: ["basic"] },
  { path: "/api/*", accept: ["session", "bearer"] },
  { path: "/staff/*", accept: ["session"], groups: ["staff"] },
  { path: "/public/*", access: "public" },
];

/** A `Set-Cookie` line taken apart. */
export function cookieLine(line) {
  const [pair, ...attributes] = line.split(/; */);
  const at = pair.indexOf("=");
  const named = attributes.map((it) => it.split("=")).map(([key, value = true]) => [key.toLowerCase(), value]);
  return { name: pair.slice(0, at), value: pair.slice(at + 1), pair, attributes: Object.fromEntries(named) };
}

/** The cookies that an answer sets, by their names. */
export const cookiesOf = (response) =>
  Object.fromEntries(response.all("set-cookie").map(cookieLine).map((cookie) => [cookie.name, cookie]));

/** A browser at one site. `jar` may be shared: another tab of the same browser. */
export class Browser {
  constructor(gate, { site = SITE, jar = new Map(), headers = {} } = {}) {
    Object.assign(this, { gate, site, jar, headers });
  }

  /** Another tab: the same cookies. */
  tab() {
    return new Browser(this.gate, { site: this.site, jar: this.jar, headers: this.headers });
  }

  /** Opens a page. */
  open(path, headers = {}) {
    return this.#send(path, { headers: { ...NAVIGATION, ...headers } });
  }

  /** What a script of the page fetches. */
  fetch(path, { method = "GET", headers = {}, body } = {}) {
    const own = { "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin", Accept: "*/*" };
    if (method !== "GET") Object.assign(own, { Origin: this.site });
    return this.#send(path, { method, headers: { ...own, ...headers }, body });
  }

  /** Sends a form, as the browser does with a click. */
  post(path, fields, headers = {}) {
    return this.#send(path, {
      method: "POST",
      headers: { ...NAVIGATION, "Sec-Fetch-Site": "same-origin", Origin: this.site, "Content-Type": FORM, ...headers },
      body: new URLSearchParams(fields).toString(),
    });
  }

  /** Signs in by the form. */
  signIn(user, fields = {}, headers = {}) {
    return this.post(SIGN_IN, { username: user, password: PASSWORDS[user], ...fields }, headers);
  }

  /** Signs in as a script does. */
  signInByFetch(user, fields = {}) {
    const body = new URLSearchParams({ username: user, password: PASSWORDS[user], ...fields }).toString();
    return this.fetch(SIGN_IN, { method: "POST", headers: { "Content-Type": FORM }, body });
  }

  async #send(path, { headers, ...more }) {
    const cookies = [...this.jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const sent = { ...headers, ...this.headers, ...(cookies === "" ? {} : { Cookie: cookies }) };
    const fields = Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== undefined));
    const response = await this.gate.request(this.site + path, { headers: fields, ...more });
    response.all("set-cookie").map(cookieLine).forEach((cookie) => this.#keep(cookie));
    return response;
  }

  #keep({ name, value, attributes }) {
    const https = this.site.startsWith("https:");
    if (attributes.secure && !https) return;
    if (name.startsWith("__Host-")) assert.ok(attributes.secure && attributes.path === "/" && !attributes.domain, name);
    if (name.startsWith("__Secure-")) assert.ok(attributes.secure, name);
    if (attributes.domain) assert.ok(`.${new URL(this.site).hostname}`.endsWith(`.${attributes.domain}`), attributes.domain);
    if (Number(attributes["max-age"]) <= 0) this.jar.delete(name);
    else this.jar.set(name, value);
  }
}

/** Asserts that an answer is a sign-in that leads to `location`; gives the cookies. */
export function signedIn(response, location = `${SITE}/`, name = SESSION) {
  assert.equal(response.status, 303, response.text().slice(0, 300));
  assert.equal(response.get("location"), location);
  assert.equal(response.get("cache-control"), "no-store");
  assert.equal(response.content.length, 0);
  const cookies = cookiesOf(response);
  assert.ok(cookies[name]?.value.length > 40, `the cookie ${name}`);
  return cookies;
}

/** The causes and the form that a page shows. */
export function pageOf(response) {
  const html = response.text();
  assert.match(response.get("content-type") ?? "", /^text\/html/, html.slice(0, 200));
  const attribute = (name) => new RegExp(`<html[^>]*\\bdata-${name}="([^"]*)"`).exec(html)?.[1];
  return { html, status: response.status, cause: attribute("cause"), page: attribute("page"), inputs: inputsOf(html) };
}

const NAMED = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", "#39": "'" };
const unescaped = (text) => text.replace(/&(#?\w+);/g, (whole, name) => NAMED[name] ?? whole);

/** The fields of the forms that sign in, with their values. */
function inputsOf(html) {
  const forms = [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].filter(([, it]) => it.includes(`action="${SIGN_IN}"`));
  const inputs = forms.flatMap(([, , content]) => [...content.matchAll(/<input\b([^>]*)>/g)]);
  const attribute = (text, name) => new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(text)?.[1];
  return Object.fromEntries(inputs.map(([, it]) => [attribute(it, "name"), unescaped(attribute(it, "value") ?? "")]));
}

export { HOST, SITE };
