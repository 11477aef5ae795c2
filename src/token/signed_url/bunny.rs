//! `bunny`: the advanced token authentication of bunny.net.
//!
//! Construction: HMAC-SHA-256 over `path ‖ expires ‖ address ‖ data`, base64url without padding, after `HS256-`, or
//! after `HS256-1-` where the link is bound to an address.
//!
//! - `path` is that of the request, or `token_path`: then the link is good for every path that begins so. End it with
//!   `/`, as `/user/1` begins `/user/10` too.
//! - `expires` is Unix seconds in ten digits.
//! - `address` is the client's: four octets, or sixteen of which the last eight are zero. Nothing where it is not bound.
//! - `data` is every other parameter, sorted by name, `name=value` joined by `&`, values decoded.
//!
//! It stands in the query (`/a.mp4?token=…&expires=…`), or is the first segment of the path
//! (`/bcdn_token=…&expires=…&token_path=%2Fv%2F/v/a.ts`), which rules and the origin do not see.
//!
//! `token_countries` and `token_countries_blocked` are checked; `limit` is a speed, which is not kept here. A parameter
//! `token_…` that is not known here is a condition that could not be checked: refused. With
//! `token_ignore_params=true` the query is not signed, and `token_path` is the only condition. Otherwise all of the
//! query is signed, so that a parameter that is added is refused; in the path form a directory's link says nothing of
//! the query of what is below, and another link is for an address without a query.
//!
//! Source: `BunnyWay/BunnyCDN.TokenAuthentication`, its code and its `e2e/vectors.json`; the README puts the address
//! after the data. The older form without `HS256-` hashes the key before the text and is refused: who has one such
//! link can lengthen the text and hash on.
//!
//! The five choices:
//!
//! 1. The octets that were received are verified; what is signed decoded has one spelling: values as Python's
//!    `quote(value, safe="")` writes them, names raw (letters, digits, `-._~[]`). The order of the parameters is free, as the vendor sorts them.
//! 2. Parameters are found by octet range.
//! 3. Path raw, query in as said above; host, scheme and method are not signed.
//! 4. The key is text.
//! 5. The last second is valid: `now ≤ expires`.
//!
//! Nothing stands between what is signed. Ten digits for the time and no digit at the beginning of a name keep path,
//! time and data apart, unless a path holds ten digits, a name and a `=` itself: a link to `/a9999999999x=` is also one to
//! `/a?x=…` until 2286. Who signs paths that visitors name has to see to that, or use `edgeward`. An address is kept apart by its own octets alone: where all four of an IPv4 address are
//! characters of a name to ASCII (one of some hundreds is), a bound link is also one that is not bound and has a parameter by that name. Who
//! relies on addresses had better use `edgeward`.

use super::{Bearing, End, Preset, Reading, Scope, Seen, Stated, Target, Unverified, decode, seen};
use crate::network::Network;
use crate::order;
use crate::policy::{Format, HmacAlgorithm, LinkEntry, LinkPlace};
use crate::time::UnixTime;
use core::net::IpAddr;
use std::borrow::Cow;

/// The preset.
pub const PRESET: Preset = Preset {
    format: Format::Bunny,
    algorithms: &[HmacAlgorithm::Hs256],
    parameters: &[
        ("token", "token"),
        ("expires", "expires"),
        ("token_path", "token_path"),
        ("token_countries", "token_countries"),
        ("token_countries_blocked", "token_countries_blocked"),
        ("limit", "limit"),
    ],
    from: &["query", "path"],
    settings: &[],
    names_key: false,
    read,
};

/// How the first segment of a path begins that is a token.
pub const PATH_MARK: &str = "bcdn_token=";

/// The parameter that takes the query out of what is signed.
const IGNORE: &str = "token_ignore_params";

/// Digits of a time: until the year 2286.
const EXPIRES_DIGITS: usize = 10;

/// Octets of a tag of HMAC-SHA-256, and characters of it.
const TAG_SIZE: usize = 32;
const TAG_CHARACTERS: usize = 43;

fn read<'r>(seen: &Seen<'r>, bearing: &Bearing<'r>, entry: &'r LinkEntry) -> Reading<'r> {
    match Parameters::read(seen, bearing, entry) {
        Err(detail) => Reading::Malformed(detail),
        Ok(parameters) if is_bare_hash(parameters.token) => Reading::Algorithm(
            "The token is a hash of key and text, which can be extended: sign with the form that begins with HS256-.",
        ),
        Ok(parameters) => match unverified(seen, &parameters) {
            Ok(token) => Reading::Token(token),
            Err(detail) => Reading::Malformed(detail),
        },
    }
}

/// MD5 or SHA-256 in base64url: the two older forms.
fn is_bare_hash(token: &str) -> bool {
    !token.starts_with("HS256-")
        && decode::base64url(token).is_some_and(|octets| matches!(octets.len(), 16 | TAG_SIZE))
}

fn unverified<'r>(seen: &Seen<'r>, sent: &Parameters<'r>) -> Result<Unverified<'r>, &'static str> {
    let (bound, tag) = tag(sent.token).ok_or("The token is not HS256- and a MAC in base64url.")?;
    let expires = Some(sent.expires).filter(|digits| digits.len() == EXPIRES_DIGITS);
    let expires = expires.and_then(decode::seconds).ok_or("The time is not ten digits.")?;
    let address = if bound { Some(address(seen).ok_or("The client's address is not known.")?) } else { None };
    let scope = scope(seen, sent, address)?;
    let octets = address.map(|network| octets(network.address())).unwrap_or_default();
    let path = sent.path.clone().unwrap_or(Cow::Borrowed(seen.facts.path));
    Ok(Unverified {
        message: vec![
            into_octets(path),
            Cow::Borrowed(sent.expires.as_bytes()),
            Cow::Owned(octets),
            Cow::Owned(sent.data().into_bytes()),
        ],
        tag,
        kid: None,
        stated: stated(expires, scope),
    })
}

/// Whether it is bound to an address, and the tag.
fn tag(token: &str) -> Option<(bool, Vec<u8>)> {
    let mac = token.strip_prefix("HS256-")?;
    // A MAC may begin with `1-`: the length tells.
    let (bound, mac) = match mac.strip_prefix("1-") {
        Some(bound) if bound.len() == TAG_CHARACTERS => (true, bound),
        Some(_) | None => (false, mac),
    };
    Some((bound, decode::base64url(mac).filter(|tag| tag.len() == TAG_SIZE)?))
}

/// The client's IPv4 address, or the /64 of its IPv6 address.
fn address(seen: &Seen<'_>) -> Option<Network> {
    let address = seen.facts.client_address()?;
    let prefix = if address.is_ipv4() { 32 } else { 64 };
    Network::new(address, prefix).map(Network::truncated)
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

fn into_octets(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

fn stated(expires: UnixTime, scope: Scope) -> Stated {
    Stated { end: Some(End::Through(expires)), scope, ..Stated::default() }
}

fn scope(seen: &Seen<'_>, sent: &Parameters<'_>, address: Option<Network>) -> Result<Scope, &'static str> {
    Ok(Scope {
        target: target(seen, sent)?,
        networks: address.into_iter().collect(),
        countries: countries(sent.countries.as_deref())?,
        blocked_countries: countries(sent.blocked.as_deref())?,
        ..Scope::default()
    })
}

fn target(seen: &Seen<'_>, sent: &Parameters<'_>) -> Result<Target, &'static str> {
    match &sent.path {
        Some(path) if path.starts_with('/') => Ok(Target::Below(path.clone().into_owned())),
        Some(_) => Err("The token_path does not begin with a /."),
        None if sent.in_path && !sent.ignores_query => {
            Ok(Target::Exactly { path: seen.facts.path.to_owned(), query: Some(String::new()) })
        }
        None => Ok(Target::This { query: !sent.ignores_query }),
    }
}

/// `CA,US`; with a space after a comma too, as the vendor's documentation writes them.
fn countries(list: Option<&str>) -> Result<Vec<String>, &'static str> {
    let country = |code: &str| {
        let code = code.trim_matches(' ').to_ascii_uppercase();
        Some(code).filter(|code| code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase()))
    };
    let codes = list.map(|list| list.split(',').map(country).collect());
    codes.unwrap_or(Some(Vec::new())).ok_or("A list of countries is not one of codes of two letters.")
}

/// The parameters of a link, taken apart and decoded.
struct Parameters<'r> {
    token: &'r str,
    expires: &'r str,
    path: Option<Cow<'r, str>>,
    countries: Option<Cow<'r, str>>,
    blocked: Option<Cow<'r, str>>,
    /// Whether they are the first segment of the path.
    in_path: bool,
    /// Whether the query is not signed.
    ignores_query: bool,
    /// What is signed besides the time, by name.
    signed: Vec<Pair<'r>>,
}

type Pair<'r> = (&'r str, Cow<'r, str>);

impl<'r> Parameters<'r> {
    fn read(seen: &Seen<'r>, bearing: &Bearing<'r>, entry: &'r LinkEntry) -> Result<Self, &'static str> {
        let [token, expires, path, countries, blocked, ..] = entry.parameters.as_slice() else {
            return Err("The format has its parameters.");
        };
        let (text, token) = match bearing.place {
            LinkPlace::Parameters => (seen.query(), token.as_str()),
            LinkPlace::Query(name) => (seen.query(), name.as_str()),
            LinkPlace::Path => (bearing.value, PATH_MARK.trim_end_matches('=')),
            LinkPlace::Cookie(_) | LinkPlace::Field(_) => return Err("A link of this format is a URL."),
        };
        let ignores_query = ignores_query(text)?;
        let conditions: &[&str] =
            if ignores_query { &[path, IGNORE] } else { &[path, IGNORE, countries, blocked] };
        let signed = signed(text, [token, expires], conditions, ignores_query)?;
        let raw = |name: &str| raw(text, name).ok_or("The token or its time is not there.");
        let value = |name: &str| signed.iter().find(|(it, _)| *it == name).map(|(_, value)| value.clone());
        Ok(Self {
            token: raw(token)?,
            expires: raw(expires)?,
            path: value(path),
            countries: value(countries),
            blocked: value(blocked),
            in_path: *bearing.place == LinkPlace::Path,
            ignores_query,
            signed,
        })
    }

    fn data(&self) -> String {
        let mut data = String::new();
        for (name, value) in &self.signed {
            if !data.is_empty() {
                data.push('&');
            }
            data.extend([*name, "=", value]);
        }
        data
    }
}

fn raw<'r>(text: &'r str, name: &str) -> Option<&'r str> {
    text.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn ignores_query(text: &str) -> Result<bool, &'static str> {
    match raw(text, IGNORE) {
        None => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err("The parameter token_ignore_params is not true."),
    }
}

/// What is signed besides token and time. `conditions`: those of bunny.net's own parameters that can be checked.
fn signed<'r>(
    text: &'r str,
    ours: [&str; 2],
    conditions: &[&str],
    ignores_query: bool,
) -> Result<Vec<Pair<'r>>, &'static str> {
    let is_condition = |name: &str| name.starts_with("token_");
    let mut pairs = pairs(text, |name| !ignores_query || ours.contains(&name) || is_condition(name))
        .ok_or("A parameter is not spelled as the vendor's libraries do, or stands there twice.")?;
    pairs.retain(|(name, _)| !ours.contains(name));
    if pairs.iter().any(|(name, _)| is_condition(name) && !conditions.contains(name)) {
        return Err("The link has a condition that is not known here.");
    }
    Ok(pairs)
}

/// The parameters that `wanted` knows by name, sorted; `None` where one is not spelled as it must be, or stands there
/// twice.
fn pairs<'r>(text: &'r str, wanted: impl Fn(&str) -> bool) -> Option<Vec<Pair<'r>>> {
    let name_of = |pair: &&str| wanted(pair.split_once('=').map_or(*pair, |(name, _)| name));
    let pairs: Option<Vec<Pair<'_>>> = text.split('&').filter(name_of).map(pair).collect();
    let pairs = order::by(pairs?, |(name, _)| name.as_bytes());
    let repeated = pairs.windows(2).any(|two| matches!(two, [(one, _), (other, _)] if one == other));
    (!repeated).then_some(pairs)
}

fn pair(text: &str) -> Option<Pair<'_>> {
    let (name, value) = text.split_once('=')?;
    let plain = |octet: u8| decode::is_unreserved(octet) || matches!(octet, b'[' | b']');
    let spelled = |octet: u8| decode::is_unreserved(octet) || octet == b'%';
    let is_name = !name.starts_with(|c: char| c.is_ascii_digit()) && name.bytes().all(plain);
    if name.is_empty() || !is_name || !value.bytes().all(spelled) || !decode::is_normal(value) {
        return None;
    }
    Some((name, seen::decoded(value)?))
}

#[cfg(test)]
mod tests;
