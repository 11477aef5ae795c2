//! Cookies and query parameters of ours: whatever surrounds them, all are found and all are taken off.
//!
//! First line: a `Cookie` field. Second line: a query.

use super::{first_line, text};
use edgeward::credentials::{cookie, query};
use std::borrow::Cow;

const COOKIES: [&str; 2] = ["t", "__Host-edgeward"];
const PARAMETERS: [&str; 2] = ["t", "access_token"];

/// Checks both lines.
pub fn run(data: &[u8]) {
    let text = text(data);
    let (field, rest) = first_line(&text);
    cookies(field);
    parameters(first_line(rest).0);
}

fn is_own_cookie(name: &str) -> bool {
    COOKIES.contains(&name)
}

fn cookies(field: &str) {
    let pairs = pairs(field);
    for name in COOKIES {
        assert_eq!(cookie::values(field, name).collect::<Vec<_>>(), cookie_values(field, name), "{field:?}");
    }
    let left = cookie::without(field, is_own_cookie);
    if !pairs.iter().any(|pair| is_own_cookie(name_of(pair))) {
        assert_eq!(left, Some(Cow::Borrowed(field)), "nothing of ours was there");
    }
    cookies_left(&left.unwrap_or_default(), &pairs);
}

/// The values of the cookies of one name, found the plain way: what stands behind a comma may be a part of a value, and
/// counts as twice.
pub fn cookie_values<'v>(field: &'v str, name: &str) -> Vec<&'v str> {
    let of_part = |part: &'v str| {
        let pieces = part.split(", ").enumerate();
        pieces
            .flat_map(|(at, pair)| core::iter::repeat_n(pair, if at == 0 { 1 } else { 2 }))
            .collect::<Vec<_>>()
    };
    field.split(';').flat_map(of_part).filter_map(|pair| value_of(pair, name)).collect()
}

/// None of ours is left, the others are, in their order, and there is no more to take off.
fn cookies_left(left: &str, before: &[&str]) {
    // A server that knows no joined lines splits at semicolons alone.
    for pair in pairs(left).into_iter().chain(left.split(';')) {
        assert!(!is_own_cookie(name_of(pair)), "{pair:?} is left of {before:?}");
    }
    let others = |pairs: &[&str]| -> Vec<String> {
        let kept = pairs.iter().filter(|pair| !is_own_cookie(name_of(pair)) && !trim(pair).is_empty());
        kept.map(|pair| trim(pair).to_owned()).collect()
    };
    assert_eq!(others(&pairs(left)), others(before));
    if !left.is_empty() {
        assert_eq!(cookie::without(left, is_own_cookie), Some(Cow::Borrowed(left)));
    }
}

/// The pairs of a field: between semicolons, and between the lines that were joined by a comma and a space.
fn pairs(field: &str) -> Vec<&str> {
    field.split(';').flat_map(|part| part.split(", ")).collect()
}

fn name_of(pair: &str) -> &str {
    trim(pair.split('=').next().unwrap_or(pair))
}

fn value_of<'v>(pair: &'v str, name: &str) -> Option<&'v str> {
    let at = pair.find('=')?;
    (name_of(pair) == name).then(|| trim(&pair[at + 1..]))
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

fn parameters(received: &str) {
    let is_ours = |parameter: &&str| {
        let name = parameter_name(parameter);
        PARAMETERS.iter().any(|ours| ours.as_bytes() == name)
    };
    for name in PARAMETERS {
        let values: Vec<&str> = query::values(received, name).collect();
        assert_eq!(values, parameter_values(received, name), "{received:?}");
        values.into_iter().for_each(decoded_value);
    }
    let kept: Vec<&str> = received.split('&').filter(|parameter| !is_ours(parameter)).collect();
    let left = query::without(received, |name| PARAMETERS.iter().any(|ours| ours.as_bytes() == name));
    assert_eq!(left.as_deref(), (!kept.is_empty()).then(|| kept.join("&")).as_deref(), "octet for octet");
    decoded_value(received);
}

/// The values of the parameters of one name, found the plain way.
pub fn parameter_values<'q>(query: &'q str, name: &str) -> Vec<&'q str> {
    let named = query.split('&').filter(|parameter| parameter_name(parameter) == name.as_bytes());
    named.map(|parameter| parameter.find('=').map_or("", |at| &parameter[at + 1..])).collect()
}

/// Whether a parameter has one of these names, in whatever spelling.
pub fn is_parameter(parameter: &str, names: &[&str]) -> bool {
    names.iter().any(|name| name.as_bytes() == parameter_name(parameter))
}

fn parameter_name(parameter: &str) -> Vec<u8> {
    percent_decoded(parameter.split('=').next().unwrap_or_default().replace('+', " ").as_bytes()).0
}

/// Decoded as a strict reader does, and the same again once it is encoded.
fn decoded_value(value: &str) {
    let (octets, is_valid) = percent_decoded(value.as_bytes());
    let expected = String::from_utf8(octets).ok().filter(|_| is_valid);
    let decoded = query::decode_value(value).map(Cow::into_owned);
    assert_eq!(decoded, expected, "{value:?}");
    if let Some(decoded) = decoded {
        let encoded: String = decoded.bytes().map(|octet| format!("%{octet:02x}")).collect();
        assert_eq!(query::decode_value(&encoded).as_deref(), Some(&*decoded));
    }
}

/// Every `%` with two hexadecimal digits decoded, and whether there was no other `%`.
pub fn percent_decoded(text: &[u8]) -> (Vec<u8>, bool) {
    let (mut octets, mut is_valid, mut at) = (Vec::new(), true, 0);
    while at < text.len() {
        let digits = text.get(at + 1..at + 3).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let encoded =
            digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        match encoded.filter(|_| text[at] == b'%') {
            Some(octet) => {
                octets.push(octet);
                at += 3;
            }
            None => {
                is_valid &= text[at] != b'%';
                octets.push(text[at]);
                at += 1;
            }
        }
    }
    (octets, is_valid)
}
