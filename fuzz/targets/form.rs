//! What a form sends: a second reader finds the same values, and where it leads back to is on this host, or on
//! one that shares its sign-in.
//!
//! First line: a form. Second line: an address to return to. Third line: `Content-Type`. Fourth line: `Sec-Fetch-Site`, or `-`.
//! Fifth line: `Origin`, or `-`.

pub(super) mod address;

use super::cookie::{parameter_values, percent_decoded};
use super::{first_line, text};
use edgeward::request::{FieldList, RequestFacts};
use edgeward::reserved::{form_value, is_own_form, scope_asked};

const NAMES: [&str; 4] = ["token", "return_to", "form", "scope"];

/// Checks the form, the address, and the request that bears the form.
pub fn run(data: &[u8]) {
    let text = text(data);
    let (form, rest) = first_line(&text);
    let (address, rest) = first_line(rest);
    NAMES
        .iter()
        .for_each(|name| assert_eq!(value(form, name), expected_value(form, name), "{name} in {form:?}"));
    is_sent_whole(form, address);
    address::stays_here(address);
    value(form, "return_to").iter().for_each(|address| address::stays_here(address));
    request(form, rest);
}

fn value(form: &str, name: &str) -> Option<String> {
    form_value(form, name).map(std::borrow::Cow::into_owned)
}

/// The one value, decoded; none where there are two.
pub(super) fn expected_value(form: &str, name: &str) -> Option<String> {
    let values = parameter_values(form, name);
    let [value] = values.as_slice() else { return None };
    let (octets, is_valid) = percent_decoded(value.replace('+', " ").as_bytes());
    String::from_utf8(octets).ok().filter(|_| is_valid)
}

/// What a browser writes into a form is what is read of it, whatever it is and whatever stands beside it.
fn is_sent_whole(other: &str, sent: &str) {
    let pair = format!("return_to={}", serialised(sent));
    assert_eq!(value(&pair, "return_to").as_deref(), Some(sent));
    let beside = format!("token={}&{pair}&form=", serialised(other));
    let found = ["token", "return_to", "form", "scope"].map(|name| value(&beside, name));
    assert_eq!(found, [Some(other.to_owned()), Some(sent.to_owned()), Some(String::new()), None]);
}

/// The serialiser of URL Standard §5.2.
fn serialised(text: &str) -> String {
    let one = |octet: u8| match octet {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => char::from(octet).to_string(),
        b' ' => "+".to_owned(),
        _ => format!("%{octet:02X}"),
    };
    text.bytes().map(one).collect()
}

fn request(form: &str, rest: &str) {
    let (content_type, rest) = first_line(rest);
    let (site, rest) = first_line(rest);
    let origin = first_line(rest).0;
    let there = |value: &&str| *value != "-";
    let lines = [
        ("content-type", Some(content_type)),
        ("sec-fetch-site", Some(site).filter(there)),
        ("origin", Some(origin).filter(there)),
    ];
    let fields = FieldList::new(lines.into_iter().filter_map(|(name, value)| Some((name, value?))));
    let facts =
        RequestFacts::new("POST", "https://h.example:8443/.edgeward/token", &fields).expect("absolute");
    let is_form = is_form(content_type);
    let is_own = site == "same-origin" || site == "-" && origin == "https://h.example:8443";
    assert_eq!(is_own_form(&facts), is_form && is_own, "{content_type:?} {site:?} {origin:?}");
    let asked = scope_asked(&facts, form).map(|scope| scope.map(std::borrow::Cow::into_owned));
    assert_eq!(asked.ok(), expected_scope(is_form, form), "{content_type:?} {form:?}");
}

/// The essence of a MIME type, with the white space that HTTP knows around it.
fn is_form(content_type: &str) -> bool {
    let end = content_type.find(';').unwrap_or(content_type.len());
    let essence = content_type[..end].trim_matches([' ', '\t', '\r', '\n']);
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// All scopes (`Some(None)`), these, or a refusal (`None`).
fn expected_scope(is_form: bool, form: &str) -> Option<Option<String>> {
    if form.is_empty() {
        return Some(None);
    }
    let names_none = parameter_values(form, "scope").concat().is_empty();
    match expected_value(form, "scope") {
        _ if !is_form => None,
        _ if names_none => Some(None),
        Some(scope) => Some(Some(scope)),
        None => None,
    }
}
