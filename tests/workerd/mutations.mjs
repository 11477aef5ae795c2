// Changes to a link as chance makes them: seeded, so that what was found is found again.

const PRINTABLE = Array.from({ length: 94 }, (_, at) => String.fromCharCode(0x21 + at))
  .filter((it) => it !== "#")
  .join("");
/** What a URL, a query and a token are made of: chance alone would seldom choose it. */
const TELLING = "/?&=%.;~_-+*:,!|@0123456789abcdef";

/** Numbers from 0 to 1 (mulberry32). */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `count` links that differ from `link` somewhere behind its first slash. */
export function* mutations(link, count, seed) {
  const chance = random(seed);
  const below = (limit) => Math.floor(chance() * limit);
  const start = link.indexOf("/", link.indexOf("//") + 2) + 1;
  for (let made = 0; made < count; ) {
    let rest = link.slice(start);
    const steps = chance() < 0.6 ? 1 : 2 + below(4);
    for (let step = 0; step < steps; step++) rest = CHANGES[below(CHANGES.length)](rest, below);
    if (rest === link.slice(start)) continue;
    made += 1;
    yield link.slice(0, start) + rest;
  }
}

const spliced = (text, at, removed, added = "") => text.slice(0, at) + added + text.slice(at + removed);
const pick = (text, below) => text[below(text.length)];

const CHANGES = [
  // One bit of one octet; what cannot stand in a request line, or is never sent, is no change.
  (text, below) => {
    const at = below(text.length);
    const octet = (text.charCodeAt(at) ^ (1 << below(8))) & 0xff;
    const sendable = octet > 0x20 && octet !== 0x7f && octet !== 0x23;
    return text && sendable ? spliced(text, at, 1, String.fromCharCode(octet)) : text;
  },
  (text, below) => spliced(text, below(text.length), 1, pick(PRINTABLE, below)),
  (text, below) => spliced(text, below(text.length + 1), 0, pick(TELLING, below)),
  (text, below) => spliced(text, below(text.length), 1, pick(TELLING, below)),
  (text, below) => spliced(text, below(text.length), 1),
  (text, below) => spliced(text, below(text.length), 1 + below(8)),
  // Two octets swapped: next to each other, or anywhere.
  (text, below) => swapped(text, below(text.length), 1),
  (text, below) => swapped(text, below(text.length), 1 + below(40)),
  // An octet percent-encoded, in either case; one that is encoded decoded; the case of its digits changed.
  (text, below) => {
    const at = below(text.length);
    const digits = text.charCodeAt(at).toString(16).padStart(2, "0");
    return text ? spliced(text, at, 1, `%${below(2) ? digits : digits.toUpperCase()}`) : text;
  },
  (text, below) => encoded(text, below, (octet) => (/[\x21\x22\x24-\x7e]/.test(octet) ? octet : "+")),
  (text, below) =>
    encoded(
      text,
      below,
      (_, digits) => `%${digits === digits.toLowerCase() ? digits.toUpperCase() : digits.toLowerCase()}`,
    ),
  (text, below) => encoded(text, below, (_, digits) => `%25${digits}`),
  // The case of a letter.
  (text, below) => {
    const at = below(text.length);
    const letter = text[at] ?? "";
    return spliced(
      text,
      at,
      letter.length,
      letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
    );
  },
  // A piece once more, or elsewhere; two parameters in the other order; one of them twice; one renamed.
  (text, below) => {
    const at = below(text.length);
    return spliced(text, at, 0, text.slice(at, at + 1 + below(12)));
  },
  (text, below) => parameters(text, (all) => all.splice(below(all.length), 0, ...all.splice(below(all.length), 1))),
  (text, below) => parameters(text, (all) => all.push(all[below(all.length)])),
  (text, below) => parameters(text, (all) => all.splice(below(all.length), 1)),
  (text, below) =>
    parameters(text, (all) => all.splice(below(all.length + 1), 0, ["x=1", "", "x", "a[]=1", "q=x+y"][below(5)])),
  // What readings of a path differ about.
  (text, below) => {
    const slashes = [...text.split("?")[0].matchAll(/\//g)].map(({ index }) => index);
    const at = slashes.length ? slashes[below(slashes.length)] : 0;
    return spliced(text, at, 0, ["/", "/.", "/x/..", ";x", "/%2e%2e", "\\", "%2f", "/..;"][below(8)]);
  },
];

function swapped(text, at, distance) {
  const [one, other] = [text[at], text[at + distance]];
  return other === undefined ? text : spliced(spliced(text, at, 1, other), at + distance, 1, one);
}

function encoded(text, below, change) {
  const all = [...text.matchAll(/%([0-9A-Fa-f]{2})/g)];
  if (!all.length) return text;
  const { index, 1: digits } = all[below(all.length)];
  return spliced(text, index, 3, change(String.fromCharCode(parseInt(digits, 16)), digits));
}

function parameters(text, change) {
  const at = text.indexOf("?");
  if (at < 0) return text;
  const all = text.slice(at + 1).split("&");
  change(all);
  return `${text.slice(0, at)}?${all.join("&")}`;
}
