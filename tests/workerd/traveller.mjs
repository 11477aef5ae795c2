// A browser that goes from host to host: cookies by host and by domain (RFC 6265bis §5), redirects followed with their
// fragments (Fetch §4.4), forms sent, and a record of where it was.
import assert from "node:assert/strict";
import { cookieLine } from "./people.mjs";
import { NAVIGATION } from "./visitor.mjs";

const MOST_HOPS = 20;

export class Traveller {
  /** `gate`: what answers, or a function that finds it by host. `keeps`: whether a cookie is kept, by name and host. */
  constructor(gate, { keeps = () => true } = {}) {
    Object.assign(this, { find: typeof gate === "function" ? gate : () => gate, keeps, cookies: [], hops: [] });
  }

  /** Another tab: the same cookies. */
  tab() {
    const tab = new Traveller(this.find, { keeps: this.keeps });
    tab.cookies = this.cookies;
    return tab;
  }

  /** Opens an address and follows where it leads: `{ response, url, hops }`. */
  go(url, more = {}) {
    this.hops = [];
    return this.#follow(url, { headers: { ...NAVIGATION, ...more.headers } }, more);
  }

  /** Sends a form from a page of that host. */
  send(url, fields, more = {}) {
    this.hops = [];
    const headers = {
      ...NAVIGATION,
      "Sec-Fetch-Site": "same-origin",
      Origin: new URL(url).origin,
      "Content-Type": "application/x-www-form-urlencoded",
      ...more.headers,
    };
    return this.#follow(url, { method: "POST", headers, body: new URLSearchParams(fields).toString() }, more);
  }

  /** What a script of a page of that host fetches; redirects are shown, not followed. */
  fetch(url, headers = {}) {
    const own = { "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin", Accept: "*/*" };
    return this.#ask(url, { headers: { ...own, ...headers } });
  }

  /** The cookies that go to a host, by name. */
  jar(host) {
    const goes = (it) => (it.hostOnly ? it.domain === host : `.${host}`.endsWith(`.${it.domain}`));
    return new Map(this.cookies.filter(goes).map(({ name, value }) => [name, value]));
  }

  /** Puts a cookie in, as somebody would who can write into the browser. */
  plant(host, name, value) {
    this.#put({ name, value, domain: host, hostOnly: true });
  }

  async #follow(url, request, { follow = true } = {}) {
    const response = await this.#ask(url, request);
    this.hops.push({ url, status: response.status });
    assert.ok(this.hops.length < MOST_HOPS, `a loop: ${this.hops.map((hop) => hop.url).join("\n")}`);
    const location = response.get("location");
    if (!follow || location === undefined) return { response, url, hops: this.hops };
    const next = new URL(location, url);
    if (next.hash === "") next.hash = new URL(url).hash;
    const { Origin: _, "Content-Type": __, ...headers } = request.headers;
    return this.#follow(next.href, { headers }, { follow });
  }

  async #ask(url, { headers, ...more }) {
    const { host, hostname, href, hash } = new URL(url);
    const cookies = [...this.jar(hostname)].map(([name, value]) => `${name}=${value}`).join("; ");
    const fields = cookies === "" ? headers : { ...headers, Cookie: cookies };
    const response = await this.find(host).request(href.slice(0, href.length - hash.length), { headers: fields, ...more });
    response.all("set-cookie").map(cookieLine).forEach((cookie) => this.#keep(cookie, new URL(url)));
    return response;
  }

  #keep({ name, value, attributes }, { protocol, hostname }) {
    if (attributes.secure && protocol !== "https:") return;
    if (name.startsWith("__Host-")) assert.ok(attributes.secure && attributes.path === "/" && !attributes.domain, name);
    if (name.startsWith("__Secure-")) assert.ok(attributes.secure, name);
    const domain = attributes.domain ?? hostname;
    assert.ok(`.${hostname}`.endsWith(`.${domain}`), `${hostname} may not set a cookie for ${domain}`);
    if (!this.keeps(name, hostname)) return;
    this.#put({ name, value, domain, hostOnly: attributes.domain === undefined }, Number(attributes["max-age"]) <= 0);
  }

  #put(cookie, isGone = false) {
    const same = (it) => it.name === cookie.name && it.domain === cookie.domain && it.hostOnly === cookie.hostOnly;
    const at = this.cookies.findIndex(same);
    if (at >= 0) this.cookies.splice(at, 1);
    if (!isGone) this.cookies.push(cookie);
  }
}
