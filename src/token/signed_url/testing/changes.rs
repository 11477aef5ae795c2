//! Every small change of a link: what an attacker tries first.

use super::Links;

/// What takes an octet's place, or is put before it. No `#`: what follows one never reaches a server.
const OCTETS: &[u8] = b"aA0/.~=%&+-_!*?:";

/// Every text that is one octet away: one changed, one left out, one put in. `text` is ASCII.
pub fn of(text: &str) -> impl Iterator<Item = String> + '_ {
    let replaced = (0..text.len()).flat_map(move |at| splice(text, at, at + 1));
    let inserted = (0..=text.len()).flat_map(move |at| splice(text, at, at));
    let left_out = (0..text.len()).map(move |at| [&text[..at], &text[at + 1..]].concat());
    replaced.chain(inserted).chain(left_out).filter(move |changed| changed != text)
}

fn splice(text: &str, from: usize, to: usize) -> impl Iterator<Item = String> + '_ {
    OCTETS.iter().map(move |octet| format!("{}{}{}", &text[..from], char::from(*octet), &text[to..]))
}

/// Asserts that the link is let in, and that nothing is that is one octet away from it between `before` and `after`.
pub fn are_refused(links: &Links, [before, text, after]: [&str; 3], now: i64) {
    let uri = [before, text, after].concat();
    assert_eq!(links.cause(&uri, now), None, "{uri}");
    for changed in of(text) {
        let changed = [before, &changed, after].concat();
        // An empty parameter at the end is a change of the URL, and not of the token.
        let is_change = changed.strip_suffix('&') != Some(&uri);
        assert!(!is_change || links.cause(&changed, now).is_some(), "{uri} was signed, let in was {changed}");
    }
}

/// Lower-case hexadecimal digits.
pub fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
