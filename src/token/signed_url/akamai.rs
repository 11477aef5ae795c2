//! Akamai EdgeAuth 2.0 (`hdnts`, `hdnea`, `__token__`).
//!
//! ```text
//! token   = field *( "~" field ) "~hmac=" <hex>
//! field   = ip= | st= | exp= | acl= | id= | data=      in this order, each once at most; exp is a must
//! message = fields as they were sent
//!           [ "~url=" path [ "?" query less the token ] ]     where there is no acl
//!           [ "~salt=" salt ]                                 where the policy has one
//! ```
//!
//! Source: Akamai's `EdgeAuth-Token-Python` (package `akamai-edgeauth`) and its documentation. The five choices:
//!
//! 1. The fields are verified as they were received; the token is not percent-decoded.
//! 2. The token is one value (a query parameter, a cookie or a field) and leaves the query by its octet range.
//! 3. `url` is path and query as received, host out. Akamai's option "Ignore query string" is `url_mode = "path"`. With
//!    `escape_early` the whole of it is percent-encoded once more before it is signed, as Python's `quote_plus` does it
//!    but with lower-case digits; Akamai's libraries do not agree on `~ ! ( ) ' *` there, and Python's is followed.
//! 4. The key is written in hexadecimal digits at Akamai.
//! 5. It is good through the whole second `exp`.
//!
//! HMAC-SHA-256 by default; HMAC-SHA-1 for a key whose `alg` is `HS1`; HMAC-MD5 is refused. `id` names a session and not
//! a user, and several tokens may share it: it is signed, and means nothing here. An acl that was escaped as a whole
//! (older libraries do that with `escape_early`) begins with `%2f` and is read decoded.

use super::{Bearing, End, Preset, Reading, Scope, Seen, Stated, Target, Unverified, decode, seen};
use crate::network::Network;
use crate::policy::{Format, HmacAlgorithm, LinkEntry, LinkPlace, UrlMode};
use crate::text;
use core::net::IpAddr;
use std::borrow::Cow;

/// Akamai EdgeAuth 2.0.
pub const PRESET: Preset = Preset {
    format: Format::Akamai,
    algorithms: &[HmacAlgorithm::Hs256, HmacAlgorithm::Hs1],
    parameters: &[("token", "__token__")],
    from: &[
        "query:__token__",
        "query:hdnts",
        "query:hdnea",
        "cookie:__token__",
        "cookie:hdnts",
        "cookie:hdnea",
    ],
    settings: &["salt", "escape_early", "url_mode"],
    names_key: false,
    read,
};

/// The fields, in their order.
const FIELDS: [&str; 6] = ["ip", "st", "exp", "acl", "id", "data"];

/// Octets of an MD5 hash.
const MD5_SIZE: usize = 16;

fn read<'r>(seen: &Seen<'r>, bearing: &Bearing<'r>, entry: &'r LinkEntry) -> Reading<'r> {
    reading(token(seen, bearing, entry))
}

/// The reading of a token whose tag stands in `~hmac=`: by its length it says how it was made.
pub(super) fn reading<'r>(token: Result<Unverified<'r>, &'static str>) -> Reading<'r> {
    match token {
        Ok(token) if token.tag.len() == MD5_SIZE => {
            Reading::Algorithm("The link is signed with HMAC-MD5, which is not taken; sign with SHA-256.")
        }
        Ok(token) => Reading::Token(token),
        Err(detail) => Reading::Malformed(detail),
    }
}

fn token<'r>(
    seen: &Seen<'r>,
    bearing: &Bearing<'r>,
    entry: &'r LinkEntry,
) -> Result<Unverified<'r>, &'static str> {
    let (sent, tag) = tagged(bearing.value)?;
    let [ip, from, end, acl, _, _] = fields(sent)?;
    let stated = Stated {
        not_before: from.map(time).transpose()?,
        end: Some(End::Through(time(end.ok_or("The link has no exp field.")?)?)),
        scope: Scope {
            target: target(acl, entry)?,
            networks: ip.map(|ip| address(ip, entry)).transpose()?.into_iter().collect(),
            ..Scope::default()
        },
        ..Stated::default()
    };
    let url = acl.is_none().then(|| url(seen, bearing.place, entry));
    Ok(Unverified { message: message(sent, url, entry), tag, kid: None, stated })
}

/// What stands before the last `~hmac=`, and the tag after it.
pub(super) fn tagged(token: &str) -> Result<(&str, Vec<u8>), &'static str> {
    let (sent, tag) = text::cut_last(token, "~hmac=").ok_or("The link does not end with an hmac field.")?;
    let size = |tag: &Vec<u8>| matches!(tag.len(), MD5_SIZE | 20 | 32);
    let tag = decode::hex(tag).filter(size);
    Ok((sent, tag.ok_or("The hmac of the link is not 64 (or 40) lower-case hexadecimal digits.")?))
}

fn fields(sent: &str) -> Result<[Option<&str>; 6], &'static str> {
    let mut found = [None; 6];
    let mut next = 0;
    for field in sent.split('~') {
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        let at = FIELDS.iter().position(|known| *known == name);
        let at = at.ok_or("The link has a field that EdgeAuth 2.0 does not know.")?;
        if at < next || value.is_empty() {
            return Err(
                "The fields of the link are not ip, st, exp, acl, id, data in this order, each once.",
            );
        }
        next = at + 1;
        if let Some(slot) = found.get_mut(at) {
            *slot = Some(value);
        }
    }
    Ok(found)
}

pub(super) fn time(text: &str) -> Result<crate::time::UnixTime, &'static str> {
    decode::seconds(text).ok_or("A time in the link is not a number of Unix seconds.")
}

fn address(ip: &str, entry: &LinkEntry) -> Result<Network, &'static str> {
    let ip = if entry.escape_early { seen::decoded(ip) } else { Some(Cow::Borrowed(ip)) };
    let ip: Option<IpAddr> = ip.and_then(|ip| ip.parse().ok());
    ip.map(|ip| Network::from(ip.to_canonical())).ok_or("The ip field of the link is not one address.")
}

fn target(acl: Option<&str>, entry: &LinkEntry) -> Result<Target, &'static str> {
    let Some(acl) = acl else { return Ok(Target::This { query: entry.url_mode != UrlMode::Path }) };
    let whole = entry.escape_early && acl.starts_with("%2f");
    let acl = if whole { seen::decoded(acl) } else { Some(Cow::Borrowed(acl)) };
    let globs = acl.map(|acl| acl.split('!').map(str::to_owned).collect::<Vec<_>>());
    let globs = globs.filter(|globs| globs.iter().all(|glob| !glob.is_empty()));
    globs.map(Target::Globs).ok_or("The acl of the link holds an empty path, or cannot be decoded.")
}

/// What is signed of the URL.
fn url<'r>(seen: &Seen<'r>, place: &'r LinkPlace, entry: &LinkEntry) -> Cow<'r, [u8]> {
    let ours: &[String] = match place {
        LinkPlace::Query(name) => core::slice::from_ref(name),
        _ => &[],
    };
    let url = match entry.url_mode {
        UrlMode::Path => Cow::Borrowed(seen.facts.path),
        UrlMode::Absolute | UrlMode::Relative => Cow::Owned(seen.target_without(ours)),
    };
    if entry.escape_early {
        return Cow::Owned(escaped(&url));
    }
    match url {
        Cow::Borrowed(path) => Cow::Borrowed(path.as_bytes()),
        Cow::Owned(target) => Cow::Owned(target.into_bytes()),
    }
}

/// Percent-encoded once more, with lower-case digits.
fn escaped(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() * 2);
    for octet in text.bytes() {
        match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => out.push(octet),
            b' ' => out.push(b'+'),
            _ => out.extend_from_slice(&[b'%', digit(octet >> 4), digit(octet & 15)]),
        }
    }
    out
}

const fn digit(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 }
}

fn message<'r>(sent: &'r str, url: Option<Cow<'r, [u8]>>, entry: &'r LinkEntry) -> Vec<Cow<'r, [u8]>> {
    let mut message = vec![Cow::Borrowed(sent.as_bytes())];
    if let Some(url) = url {
        message.extend([Cow::Borrowed(&b"~url="[..]), url]);
    }
    if let Some(salt) = &entry.salt {
        message.extend([Cow::Borrowed(&b"~salt="[..]), Cow::Borrowed(salt.as_bytes())]);
    }
    message
}

#[cfg(test)]
mod tests;
