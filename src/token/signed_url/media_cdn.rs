//! Google Media CDN: tokens with an HMAC.
//!
//! ```text
//! token   = field *( "~" field ) "~hmac=" <hex>
//! field   = "FullPath" | PathGlobs= | URLPrefix=              one of these
//!         | Expires= | Starts= | SessionID= | Data= | Headers= | IPRanges=
//! message = the fields as they were sent, in the order in which they were sent, but
//!           "FullPath"           is signed as "FullPath=" path
//!           "Headers=" a "," b   is signed as "Headers=" a "=" value "," b "=" value
//! ```
//!
//! Source: Google's documentation of Media CDN ("Generate tokens") and its samples
//! (`GoogleCloudPlatform/python-docs-samples`, `media_cdn/`). The five choices:
//!
//! 1. The fields are verified as they were received. Any order is one that somebody may have signed (the vendor's own
//!    long-duration tokens begin with `Expires`), and each field stands there once.
//! 2. The token is one value: a query parameter, a cookie or a field.
//! 3. The path is raw, host and query out (`FullPath`); or globs of paths; or a prefix of scheme, host and path.
//! 4. The key is written in base64url.
//! 5. It is good from the second `Starts` through the whole second `Expires`.
//!
//! HMAC-SHA-256, or HMAC-SHA-1 for a key whose `alg` is `HS1`. Ed25519 (`~Signature=`) is no HMAC and is refused. The
//! names that this dialect shares with Akamai's are taken too: `acl` and `paths`, `st`, `exp`, `id`, `data`, `payload`.
//!
//! What is signed of the request could be read in two ways where it holds the separators: with `Headers=A~IPRanges=…`
//! signed, whoever sends `A: 1~IPRanges=…` and leaves the field out would have the same message, and no limit. So a path
//! that looks like another field, and a value that looks like another field or header, are refused.

use super::akamai::{reading, tagged, time};
use super::google_cdn::url_prefix;
use super::{Bearing, End, Preset, Reading, Scope, Seen, Stated, Target, Unverified, decode};
use crate::credentials::authorization::is_token;
use crate::policy::{Format, HmacAlgorithm, LinkEntry};
use core::net::IpAddr;
use ipnet::IpNet;
use std::borrow::Cow;

/// Google Media CDN.
pub const PRESET: Preset = Preset {
    format: Format::MediaCdn,
    algorithms: &[HmacAlgorithm::Hs256, HmacAlgorithm::Hs1],
    parameters: &[("token", "edge-cache-token")],
    from: &["query:edge-cache-token", "query:hdnts", "cookie:Edge-Cache-Token"],
    settings: &[],
    names_key: false,
    read,
};

/// So many fields of a request are signed at most: each costs a look at the platform's, before anything is verified.
const MAX_HEADERS: usize = 16;

fn read<'r>(seen: &Seen<'r>, bearing: &Bearing<'r>, _entry: &'r LinkEntry) -> Reading<'r> {
    if bearing.value.contains("~Signature=") && !bearing.value.contains("~hmac=") {
        return Reading::Algorithm("The link is signed with Ed25519, which is not taken; sign with an HMAC.");
    }
    reading(token(seen, bearing.value))
}

fn token<'r>(seen: &Seen<'r>, value: &'r str) -> Result<Unverified<'r>, &'static str> {
    let (sent, tag) = tagged(value)?;
    let mut stated = Stated::default();
    let mut message = String::with_capacity(sent.len() + seen.facts.path.len());
    let mut known = Vec::with_capacity(FIELDS.len());
    for text in sent.split('~') {
        let (field, value) = Field::parse(text)?;
        if known.contains(&field.slot()) {
            return Err("A field stands in the link twice, or more than one says where it may be used.");
        }
        known.push(field.slot());
        field.state(value, &mut stated)?;
        if !message.is_empty() {
            message.push('~');
        }
        field.sign(text, value, seen, &mut message, &mut stated.scope.fields)?;
    }
    if !known.contains(&Field::FullPath.slot()) || stated.end.is_none() {
        return Err("The link does not say where it may be used, or has no Expires.");
    }
    Ok(Unverified { message: vec![Cow::Owned(message.into_bytes())], tag, kid: None, stated })
}

/// What a field says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    FullPath,
    PathGlobs,
    UrlPrefix,
    Starts,
    Expires,
    SessionId,
    Data,
    Headers,
    IpRanges,
}

/// Their names.
const FIELDS: [(&str, Field); 16] = [
    ("FullPath", Field::FullPath),
    ("PathGlobs", Field::PathGlobs),
    ("paths", Field::PathGlobs),
    ("acl", Field::PathGlobs),
    ("URLPrefix", Field::UrlPrefix),
    ("Starts", Field::Starts),
    ("st", Field::Starts),
    ("Expires", Field::Expires),
    ("exp", Field::Expires),
    ("SessionID", Field::SessionId),
    ("id", Field::SessionId),
    ("Data", Field::Data),
    ("data", Field::Data),
    ("payload", Field::Data),
    ("Headers", Field::Headers),
    ("IPRanges", Field::IpRanges),
];

impl Field {
    /// A field and its value, which `FullPath` alone has none of.
    fn parse(text: &str) -> Result<(Self, &str), &'static str> {
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        let field = FIELDS.iter().find(|(known, _)| *known == name).map(|(_, field)| *field);
        match (field.ok_or("The link has a field that Media CDN does not know.")?, value) {
            (Self::FullPath, None) => Ok((Self::FullPath, "")),
            (Self::FullPath, Some(_)) => Err("FullPath is to stand in the link without its value."),
            (_, None | Some("")) => Err("A field of the link is empty."),
            (field, Some(value)) => Ok((field, value)),
        }
    }

    /// Fields of which there may be one only have the same slot.
    const fn slot(self) -> Self {
        match self {
            Self::PathGlobs | Self::UrlPrefix => Self::FullPath,
            other => other,
        }
    }

    fn state(self, value: &str, stated: &mut Stated) -> Result<(), &'static str> {
        match self {
            Self::FullPath => stated.scope.target = Target::This { query: false },
            Self::PathGlobs => stated.scope.target = Target::Globs(globs(value)?),
            Self::UrlPrefix => {
                let (origin, target) = url_prefix(value)?;
                stated.scope = Scope { origin: Some(origin), target, ..core::mem::take(&mut stated.scope) };
            }
            Self::Starts => stated.not_before = Some(time(value)?),
            Self::Expires => stated.end = Some(End::Through(time(value)?)),
            Self::IpRanges => stated.scope.networks = networks(value)?,
            Self::SessionId | Self::Data | Self::Headers => {}
        }
        Ok(())
    }

    /// Appends what is signed of the field.
    fn sign(
        self,
        text: &str,
        value: &str,
        seen: &Seen<'_>,
        message: &mut String,
        fields: &mut Vec<(String, String)>,
    ) -> Result<(), &'static str> {
        match self {
            Self::FullPath => {
                let path = seen.facts.path;
                if holds_field(path) {
                    return Err("The path looks like a field of the link.");
                }
                message.push_str("FullPath=");
                message.push_str(path);
                Ok(())
            }
            Self::Headers => headers(value, seen, message, fields),
            _ => {
                message.push_str(text);
                Ok(())
            }
        }
    }
}

/// Whether a text of the request holds what could be another field of the message.
fn holds_field(text: &str) -> bool {
    let is_known = |name: &str| FIELDS.iter().any(|(known, _)| *known == name);
    text.split('~').skip(1).any(|part| part.split_once('=').is_some_and(|(name, _)| is_known(name)))
}

/// Appends the values of the request's fields, and keeps them: a cookie for this link is bound to them, too.
fn headers(
    names: &str,
    seen: &Seen<'_>,
    message: &mut String,
    fields: &mut Vec<(String, String)>,
) -> Result<(), &'static str> {
    if names.split(',').count() > MAX_HEADERS || !names.split(',').all(is_token) {
        return Err("Headers is not a list of at most 16 field names.");
    }
    let mut separator = "Headers=";
    for name in names.split(',') {
        // A field that is not there is signed as an empty one.
        let lower = name.to_ascii_lowercase();
        let value = seen.facts.field(&lower).unwrap_or_default();
        if holds_field(&value) || holds_header(&value) {
            return Err("A field of the request looks like a field of the link.");
        }
        for part in [separator, name, "=", &value] {
            message.push_str(part);
        }
        separator = ",";
        fields.push((lower, value));
    }
    Ok(())
}

/// Whether a value could be read as more than one: `1,B=2`.
fn holds_header(value: &str) -> bool {
    value.split(',').skip(1).any(|part| part.split_once('=').is_some_and(|(name, _)| is_token(name)))
}

/// Globs, parted by `!` or by `,` but not by both.
fn globs(value: &str) -> Result<Vec<String>, &'static str> {
    let separator = if value.contains('!') { '!' } else { ',' };
    let globs: Vec<String> = value.split(separator).map(str::to_owned).collect();
    if globs.iter().any(|glob| glob.is_empty() || glob.contains(['!', ','])) {
        return Err("PathGlobs holds an empty path, or both separators.");
    }
    Ok(globs)
}

/// Networks, in base64url. One that cannot be read (the vendor's own sample has one) is nobody's.
fn networks(value: &str) -> Result<Vec<IpNet>, &'static str> {
    let octets = decode::base64url(value).or_else(|| decode::base64url_padded(value));
    let text = octets.and_then(|octets| String::from_utf8(octets).ok());
    let text = text.ok_or("IPRanges is not base64url.")?;
    let network = |range: &str| {
        let address = || range.parse::<IpAddr>().ok().map(|it| IpNet::from(it.to_canonical()));
        range.parse().ok().or_else(address)
    };
    let networks: Vec<IpNet> = text.split(',').filter_map(network).collect();
    if networks.is_empty() { Err("IPRanges holds no network.") } else { Ok(networks) }
}

#[cfg(test)]
mod tests;
