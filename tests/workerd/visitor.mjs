// A visitor with a browser, as far as a gate can tell: what a navigation sends, cookies kept by their rules, the form of
// a page filled in and sent. All links are by the independent signers.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { SECRET_BYTES, now } from "./given.mjs";
import { SITE } from "./harness.mjs";
import { edgewardToken } from "./signers.mjs";

/** What a browser sends with a click on a link elsewhere, or from the address bar. */
export const NAVIGATION = {
  "Sec-Fetch-Mode": "navigate",
  "Sec-Fetch-Dest": "document",
  "Sec-Fetch-Site": "none",
  "Sec-Fetch-User": "?1",
  Accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
};

/** What it sends for an image or a segment of a stream. */
export const SUBRESOURCE = { "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "video", "Sec-Fetch-Site": "same-origin", Accept: "*/*" };

export const COOKIE = "__Host-edgeward-link";
export const PLAIN_COOKIE = "edgeward-link";

/** Every token that was made and every cookie that was given: none may turn up where it does not belong. */
export const handedOut = new Set();

/** A share link of its own, with the id it has: `link.url`, `link.token`, `link.clean`, `link.id`. */
export function share(target, more = {}) {
  const clean = target.startsWith("http") ? target : SITE + target;
  const id = randomBytes(8);
  const token = edgewardToken({ url: clean, key: SECRET_BYTES, expires: now() + 600, id, ...more });
  handedOut.add(token);
  const url = `${clean}${clean.includes("?") ? "&" : "?"}ew=${token}`;
  return { url, token, clean, id: id.toString("base64url"), target: clean.replace(/^https?:\/\/[^/]+/, "") };
}

/** The value of our cookie in an answer, and its attributes by their names in lower case; undefined where it sets none. */
export function cookieOf(response, name = COOKIE) {
  const lines = response.all("set-cookie").filter((line) => line.startsWith(`${name}=`));
  assert.ok(lines.length <= 1, "one cookie");
  if (lines.length === 0) return undefined;
  const [pair, ...attributes] = lines[0].split(/; */);
  const value = pair.slice(name.length + 1);
  handedOut.add(value);
  return {
    value,
    pair,
    header: { Cookie: pair },
    attributes: Object.fromEntries(attributes.map((it) => it.split("=")).map(([key, it = true]) => [key.toLowerCase(), it])),
  };
}

/** The form of a page: where it goes, and what it sends. */
export function formOf(response) {
  const html = response.text();
  const forms = [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)];
  assert.equal(forms.length, 1, `one form: ${html.slice(0, 400)}`);
  const [, attributes, content] = forms[0];
  const attribute = (text, name) => unescaped(new RegExp(`\\b${name}="([^"]*)"`).exec(text)?.[1] ?? "");
  const inputs = [...content.matchAll(/<input\b([^>]*)>/g)].map(([, it]) => [attribute(it, "name"), attribute(it, "value")]);
  return {
    method: attribute(attributes, "method").toUpperCase(),
    action: attribute(attributes, "action"),
    fields: Object.fromEntries(inputs),
    buttons: [...content.matchAll(/<button\b/g)].length,
  };
}

const NAMED = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

const unescaped = (text) =>
  text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|([a-z]+));/gi, (_, decimal, hex, name) =>
    name ? NAMED[name] : String.fromCodePoint(decimal ? Number(decimal) : parseInt(hex, 16)),
  );

/** The request that the button of the page makes. `more` replaces form fields, header fields (undefined: none) or the body. */
export function press({ token, target }, { fields = {}, headers = {}, body, site = SITE } = {}) {
  const form = { token, return_to: target, ...fields };
  const sent = Object.entries(form).filter(([, value]) => value !== undefined);
  const all = {
    ...NAVIGATION,
    "Sec-Fetch-Site": "same-origin",
    Origin: site,
    "Content-Type": "application/x-www-form-urlencoded",
    ...headers,
  };
  return [
    `${site}/.edgeward/link`,
    {
      method: "POST",
      headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)),
      body: body ?? new URLSearchParams(sent).toString(),
    },
  ];
}

/** Asserts that an answer sends a browser to `location` with GET and lets nobody keep it; gives the cookie. */
export function exchanged(response, location, name = COOKIE) {
  assert.equal(response.status, 303, response.text().slice(0, 300));
  assert.equal(response.get("location"), location);
  assert.equal(response.get("cache-control"), "no-store");
  assert.equal(response.get("referrer-policy"), "no-referrer");
  assert.equal(response.content.length, 0);
  const cookie = cookieOf(response, name);
  assert.ok(cookie, "a cookie");
  return cookie;
}
