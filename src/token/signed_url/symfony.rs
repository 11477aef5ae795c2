//! `symfony`: `UriSigner` of the PHP framework Symfony.
//!
//! *Construction.* `_hash` is HMAC-SHA-256, in base64, of the URL whose query is what PHP's `http_build_query` makes of its
//! parameters less `_hash`, sorted by name (`ksort` with `SORT_STRING`, which compares octets and leaves the inside of arrays as
//! it is). Versions up to 7.0 write standard base64, percent-encoded; later ones base64url without padding.
//!
//! *Source.* `Symfony/Component/HttpFoundation/UriSigner.php`: `sign`, `buildUrl` and `doVerify`.
//!
//! *The five choices.*
//! 1. Verified are the octets that were received, sorted. What the signer writes is already spelled as `http_build_query` spells,
//!    so each parameter has to be: then nothing is decoded and written anew, and what was verified is what the origin gets.
//! 2. `_hash` is taken out by octet range, wherever it stands. The order of the others means nothing, as at Symfony.
//! 3. The path is raw; `scheme://host[:port]` stands before it, as the client sees them. A fragment is signed by `sign`, but never
//!    sent: such a link can be verified by no server, this one included.
//! 4. The key is text; in `EDGEWARD_KEYS` it is octets in base64url.
//! 5. Good while `now < _expiration`.
//!
//! *Stricter than the source.* PHP reads several names as one (`a.b`, `a b` and `a_b`; `a[b]c` and `a[b]`), of two parameters with
//! one name the last, and nothing at all of some. A name that is not read as it is written, a parameter that
//! stands twice and a value spelled otherwise (`%20` for `+`, `%7e` for `%7E`) are malformed: the signer writes none of them.

use super::{Bearing, End, Preset, Reading, Scope, Seen, Stated, Target, Unverified, decode};
use crate::order;
use crate::policy::{Format, HmacAlgorithm, LinkEntry};
use std::borrow::Cow;

/// Symfony's `UriSigner`.
pub const PRESET: Preset = Preset {
    format: Format::Symfony,
    algorithms: &[HmacAlgorithm::Hs256],
    parameters: &[("hash", "_hash"), ("expiration", "_expiration")],
    from: &["query"],
    settings: &[],
    names_key: false,
    read,
};

/// `max_input_vars` of PHP, unless it is configured: it reads no more.
const MAX_PARAMETERS: usize = 1000;
/// `max_input_nesting_level` of PHP.
const MAX_DEPTH: usize = 64;

const MALFORMED: &str = "The link's query is not spelled as Symfony's UriSigner writes it.";

fn read<'r>(seen: &Seen<'r>, _bearing: &Bearing<'r>, entry: &'r LinkEntry) -> Reading<'r> {
    take_apart(seen, entry).map_or_else(Reading::Malformed, Reading::Token)
}

fn take_apart<'r>(seen: &Seen<'r>, entry: &'r LinkEntry) -> Result<Unverified<'r>, &'static str> {
    let [hash, expiration] = entry.parameters.as_slice() else {
        return Err("A Symfony link has two parameters of its own.");
    };
    let mut parameters = parameters(seen.query())?;
    // `_expiration[]` would be an array, than which no time is greater.
    let own = [hash.as_bytes(), expiration.as_bytes()];
    if parameters.iter().any(|it| own.contains(&it.base()) && it.is_nested()) {
        return Err(MALFORMED);
    }
    let value_of = |name: &str| parameters.iter().find(|it| it.name == name.as_bytes()).map(|it| it.value);
    let tag = value_of(hash).and_then(tag_of).ok_or("The link's hash is not base64.")?;
    let end = value_of(expiration).map(|value| decode::seconds(value).map(End::Before));
    let end = end.map(|end| end.ok_or("The link's expiry is not a number of Unix seconds.")).transpose()?;
    parameters.retain(|it| it.name != hash.as_bytes());
    // The tag has said it of this request; a cookie that stands for the link has to say it of others.
    let origin = Some(seen.facts.origin());
    let scope = Scope { origin, target: Target::This { query: true }, ..Scope::default() };
    Ok(Unverified {
        message: message(seen, parameters),
        tag,
        kid: None,
        stated: Stated { end, scope, ..Stated::default() },
    })
}

/// Origin, path and the query, sorted.
fn message<'r>(seen: &Seen<'r>, parameters: Vec<Parameter<'r>>) -> Vec<Cow<'r, [u8]>> {
    let base = |at: usize| parameters.get(at).map(Parameter::base).unwrap_or_default();
    let order = order::sorted(parameters.len(), &base);
    let query: Vec<&str> = order.iter().filter_map(|at| parameters.get(*at)).map(|it| it.raw).collect();
    let mut message =
        vec![Cow::Owned(seen.facts.origin().into_bytes()), Cow::Borrowed(seen.facts.path.as_bytes())];
    if !query.is_empty() {
        message.push(Cow::Borrowed(b"?"));
        message.push(Cow::Owned(query.join("&").into_bytes()));
    }
    message
}

/// A parameter of the query, in its one spelling.
struct Parameter<'r> {
    raw: &'r str,
    /// Decoded: `a`, `a[b]`.
    name: Vec<u8>,
    /// Still encoded.
    value: &'r str,
}

impl<'r> Parameter<'r> {
    fn read(raw: &'r str) -> Option<Self> {
        let (name, value) = raw.split_once('=')?;
        decoded(value)?;
        let name = decoded(name)?;
        is_read_as_written(&name).then_some(Self { raw, name, value })
    }

    /// The name of the variable: what stands before the first bracket.
    fn base(&self) -> &[u8] {
        self.name.split(|octet| *octet == b'[').next().unwrap_or_default()
    }

    fn is_nested(&self) -> bool {
        self.name.contains(&b'[')
    }
}

/// The parameters of a query, where PHP reads all of them as they are written.
fn parameters(query: &str) -> Result<Vec<Parameter<'_>>, &'static str> {
    let read: Option<Vec<_>> = query.split('&').take(MAX_PARAMETERS + 1).map(Parameter::read).collect();
    let read = read.filter(|all| all.len() <= MAX_PARAMETERS).ok_or(MALFORMED)?;
    let names: Vec<&[u8]> = order::by(read.iter().map(|it| &*it.name).collect(), |name| name);
    if names.windows(2).any(|pair| matches!(pair, [one, other] if one == other))
        || names.iter().any(|name| is_within_another(name, &names))
    {
        return Err("A parameter stands in the link twice.");
    }
    Ok(read)
}

/// Whether `a` is there besides `a[b]`: PHP keeps the later of them.
fn is_within_another(name: &[u8], sorted: &[&[u8]]) -> bool {
    let ends = name.iter().enumerate().filter(|(_, octet)| **octet == b'[').map(|(at, _)| at);
    ends.filter_map(|at| name.get(..at)).any(|outer| sorted.binary_search(&outer).is_ok())
}

/// A name or value decoded, where it is spelled as PHP's `urlencode` does: letters, digits, `-`, `_` and `.` as they are, a
/// space as `+`, all else as `%` and two capital digits.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.');
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((octet, after)) = rest.split_first() {
        let (octet, after) = match (octet, after) {
            (b'%', [high, low, after @ ..]) => {
                let encoded = digit(*high)? << 4 | digit(*low)?;
                (Some(encoded).filter(|it| !plain(*it) && *it != b' ')?, after)
            }
            (b'+', _) => (b' ', after),
            (octet, _) => (Some(*octet).filter(|it| plain(*it))?, after),
        };
        octets.push(octet);
        rest = after;
    }
    Some(octets)
}

const fn digit(octet: u8) -> Option<u8> {
    match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'A'..=b'F' => Some(octet - b'A' + 10),
        _ => None,
    }
}

/// Whether PHP makes of a name just that: `a`, `a[b]`, `a[b][c]`. In the first part a space and a period become `_`; white
/// space before a key is left out, what follows the last bracket too, and all that follows a NUL.
fn is_read_as_written(name: &[u8]) -> bool {
    let mut parts = name.split(|octet| *octet == b'[');
    let base = parts.next().unwrap_or_default();
    let is_key = |part: &[u8]| match part.split_last() {
        Some((b']', key)) => key.first().is_some_and(|first| *first > b' ') && !key.contains(&b']'),
        _ => false,
    };
    !base.is_empty()
        && !base.iter().any(|octet| matches!(octet, b'.' | b' ' | b']'))
        && !name.contains(&0)
        && parts.clone().count() <= MAX_DEPTH
        && parts.all(is_key)
}

/// Standard base64 with padding, percent-encoded, or base64url without: 32 octets are never both.
fn tag_of(value: &str) -> Option<Vec<u8>> {
    if !value.contains('%') {
        return decode::base64url(value);
    }
    decode::base64(core::str::from_utf8(&decoded(value)?).ok()?)
}

#[cfg(test)]
mod tests;
