//! Google Cloud CDN: signed URLs, signed URL prefixes, signed cookies.
//!
//! ```text
//! URL     URL ( "?" | "&" ) "Expires=" exp "&KeyName=" name "&Signature=" <base64url>     at the very end
//!         message: all before "&Signature=", with scheme and host
//! prefix  "URLPrefix=" <base64url> "&Expires=" exp "&KeyName=" name "&Signature=" <base64url>     anywhere in a query
//!         message: these four without "&Signature=…"
//! cookie  Cloud-CDN-Cookie: the four of the prefix, joined by ":" in place of "&"
//! ```
//!
//! Source: Google's documentation of Cloud CDN ("Use signed URLs", "Use signed cookies") and its samples
//! (`GoogleCloudPlatform/python-docs-samples`, `cdn/`). The five choices:
//!
//! 1. The octets are verified as they were received, in the vendor's order and next to each other: no other order is
//!    made by its tools.
//! 2. The signature is what stands in its octet range; a parameter that stands there twice is refused.
//! 3. The path is raw, host in, query in (URL); or a prefix of scheme, host and path, which has no query.
//! 4. The key is written in base64url, and has 16 octets.
//! 5. It is good through the whole second `Expires`.
//!
//! HMAC-SHA-1. The signature has its padding; a prefix may leave it out, for that spelling is signed. Like the vendor's,
//! these links are for GET (and HEAD) alone. Scheme and host are the ones that the client used.

use super::{Bearing, End, Preset, Reading, Scope, Seen, Stated, Target, Unverified, decode};
use crate::policy::{Format, HmacAlgorithm, LinkEntry, LinkPlace};
use crate::text;
use std::borrow::Cow;

/// Google Cloud CDN.
pub const PRESET: Preset = Preset {
    format: Format::GoogleCdn,
    algorithms: &[HmacAlgorithm::Hs1],
    parameters: &[
        ("signature", "Signature"),
        ("expires", "Expires"),
        ("key_name", "KeyName"),
        ("url_prefix", "URLPrefix"),
    ],
    from: &["query", "cookie:Cloud-CDN-Cookie"],
    settings: &["parameters"],
    names_key: true,
    read,
};

fn read<'r>(seen: &Seen<'r>, bearing: &Bearing<'r>, entry: &'r LinkEntry) -> Reading<'r> {
    let token = match bearing.place {
        LinkPlace::Parameters => in_query(seen, entry),
        _ => in_value(bearing.value),
    };
    token.map_or_else(Reading::Malformed, Reading::Token)
}

type Token<'r> = Result<Unverified<'r>, &'static str>;

const ORDER: &str = "Expires, KeyName and Signature do not follow each other in this order.";

/// A URL or a prefix.
fn in_query<'r>(seen: &Seen<'r>, entry: &'r LinkEntry) -> Token<'r> {
    let [signature, expires, key_name, prefix] = entry.parameters.as_slice() else { return Err(ORDER) };
    let (signed, signature, is_last) = split_at_signature(seen.query(), signature).ok_or(ORDER)?;
    let (before, kid) = last(signed, '&', key_name).ok_or(ORDER)?;
    let (before, expires) = last(before, '&', expires).ok_or(ORDER)?;
    let stated = Stated { end: Some(end(expires)?), ..Stated::default() };
    let tag = tag(signature)?;
    let kid = Some(Cow::Borrowed(kid));
    let (message, scope) = match last(before, '&', prefix) {
        Some((before, prefix)) => (vec![policy(signed, before)], below(prefix)?),
        None if is_last => (url(seen, signed), this(seen)),
        None => return Err("Signature is not the last parameter of the URL."),
    };
    Ok(Unverified { message, tag, kid, stated: Stated { scope, ..stated } })
}

/// What a cookie holds, or another single value.
fn in_value(value: &str) -> Token<'_> {
    const FORM: &str = "The cookie is not URLPrefix, Expires, KeyName and Signature, joined by colons.";
    let (signed, signature) = last(value, ':', "Signature").ok_or(FORM)?;
    let (before, kid) = last(signed, ':', "KeyName").ok_or(FORM)?;
    let (before, expires) = last(before, ':', "Expires").ok_or(FORM)?;
    let prefix = before.strip_prefix("URLPrefix=").ok_or(FORM)?;
    let stated = Stated { end: Some(end(expires)?), scope: below(prefix)?, ..Stated::default() };
    let message = vec![Cow::Borrowed(signed.as_bytes())];
    Ok(Unverified { message, tag: tag(signature)?, kid: Some(Cow::Borrowed(kid)), stated })
}

/// What stands before the parameter of the signature, its value, and whether nothing follows.
fn split_at_signature<'q>(query: &'q str, name: &str) -> Option<(&'q str, &'q str, bool)> {
    let mut start = 0;
    for pair in query.split('&') {
        let end = start + pair.len();
        if let Some(value) = pair.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')) {
            return Some((query.get(..start.checked_sub(1)?)?, value, end == query.len()));
        }
        start = end + 1;
    }
    None
}

/// What stands before the last pair, and the pair's value; `None` where it has another name.
fn last<'q>(pairs: &'q str, separator: char, name: &str) -> Option<(&'q str, &'q str)> {
    let (before, pair) = pairs.rsplit_once(separator).unwrap_or(("", pairs));
    let value = pair.strip_prefix(name)?.strip_prefix('=')?;
    (!value.is_empty()).then_some((before, value))
}

fn tag(signature: &str) -> Result<Vec<u8>, &'static str> {
    decode::base64url_padded(signature).ok_or("The signature of the link is not base64url with padding.")
}

fn end(expires: &str) -> Result<End, &'static str> {
    let at = decode::seconds(expires).ok_or("Expires is not a number of Unix seconds.")?;
    Ok(End::Through(at))
}

/// What is signed of a prefix: all that follows `before`, which its URL had already.
fn policy<'r>(signed: &'r str, before: &str) -> Cow<'r, [u8]> {
    let policy = signed.get(before.len()..).unwrap_or_default();
    Cow::Borrowed(policy.strip_prefix('&').unwrap_or(policy).as_bytes())
}

fn url<'r>(seen: &Seen<'r>, signed: &'r str) -> Vec<Cow<'r, [u8]>> {
    let facts = seen.facts;
    let parts = [facts.scheme.as_str(), "://", facts.authority, facts.path, "?", signed];
    parts.into_iter().map(|part| Cow::Borrowed(part.as_bytes())).collect()
}

fn this(seen: &Seen<'_>) -> Scope {
    Scope { origin: Some(seen.facts.origin()), target: Target::This { query: true }, ..reading() }
}

fn below(prefix: &str) -> Result<Scope, &'static str> {
    let (origin, target) = url_prefix(prefix)?;
    Ok(Scope { origin: Some(origin), target, ..reading() })
}

/// Cloud CDN refuses all other methods with a signature.
fn reading() -> Scope {
    Scope { methods: vec!["GET".to_owned()], ..Scope::default() }
}

/// `URLPrefix`: base64url of `scheme://host` and the beginning of a path, without a query.
pub(super) fn url_prefix(encoded: &str) -> Result<(String, Target), &'static str> {
    let octets = decode::base64url_padded(encoded).or_else(|| decode::base64url(encoded));
    let url = octets.and_then(|octets| String::from_utf8(octets).ok());
    let url = url.ok_or("URLPrefix is not base64url.")?;
    split_prefix(&url).ok_or("URLPrefix does not hold a scheme, a host, and the beginning of a path.")
}

fn split_prefix(url: &str) -> Option<(String, Target)> {
    let (scheme, rest) = text::cut(url, "://").filter(|(scheme, _)| matches!(*scheme, "http" | "https"))?;
    let (authority, path) = text::split(rest, rest.find('/').unwrap_or(rest.len()));
    let is_plain = |text: &str| !text.contains(['?', '#', '@', '\\']);
    if authority.is_empty() || !is_plain(rest) {
        return None;
    }
    let path = if path.is_empty() { "/" } else { path };
    Some(([scheme, "://", authority].concat(), Target::Below(path.to_owned())))
}

#[cfg(test)]
mod tests;
