//! Two signers, written without any help of the product's.

use edgeward::request::RequestFacts;
use hmac::{Hmac, KeyInit as _, Mac as _};

fn tag(message: &str, key: &[u8]) -> Vec<u8> {
    let mac = Hmac::<sha2::Sha256>::new_from_slice(key).expect("any length").chain_update(message);
    mac.finalize().into_bytes().to_vec()
}

/// A temporary signed route of Laravel for the path and query of a request; `None` where they hold one already.
pub fn laravel(facts: &RequestFacts<'_>, key: &[u8], expires: i64) -> Option<String> {
    let query = facts.query.unwrap_or_default();
    let reserved = |pair: &str| super::super::cookie::is_parameter(pair, &["signature", "expires"]);
    if query.split('&').any(reserved) {
        return None;
    }
    let before = if facts.query.is_some() { format!("{query}&") } else { String::new() };
    let rest = format!("?{before}expires={expires}");
    let signed_path = if facts.path == "/" { "" } else { facts.path };
    let tag = tag(&format!("{}{signed_path}{rest}", facts.origin()), key);
    let tag: String = tag.iter().map(|octet| format!("{octet:02x}")).collect();
    Some(format!("{}{}{rest}&signature={tag}", facts.origin(), facts.path))
}

/// What Symfony's UriSigner makes of the letters and digits of a request's query: names `p0`, `p1`, …
pub fn symfony(facts: &RequestFacts<'_>, key: &[u8], expires: i64) -> Option<String> {
    let values = facts.query.unwrap_or_default().split('&').take(20).map(urlencoded);
    let mut pairs: Vec<(String, String)> = values.enumerate().map(|(n, it)| (format!("p{n}"), it)).collect();
    pairs.push(("_expiration".into(), expires.to_string()));
    let hash = urlencoded(&base64(&tag(&built(facts, &mut pairs), key)));
    pairs.push(("_hash".into(), hash));
    Some(built(facts, &mut pairs))
}

fn built(facts: &RequestFacts<'_>, pairs: &mut [(String, String)]) -> String {
    pairs.sort();
    let query: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{}{}?{}", facts.origin(), facts.path, query.join("&"))
}

/// PHP's `urlencode`.
fn urlencoded(text: &str) -> String {
    let one = |octet: u8| match octet {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_' | b'.' => char::from(octet).to_string(),
        b' ' => "+".to_owned(),
        _ => format!("%{octet:02X}"),
    };
    text.bytes().map(one).collect()
}

fn base64(octets: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(octets)
}
