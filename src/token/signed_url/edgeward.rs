//! `edgeward`: our own share link, `https://host/path?ew=<token>`.
//!
//! What the others lack in one: it is bound to host and to a path or to all below a prefix, to methods, to a client
//! network, to a span of time and to a number of uses; it has an identifier by which it can be revoked; it names its
//! key; and it can be told in words what is wrong with one, because what it says stands in it and is signed apart from
//! where it is used.
//!
//! # Construction
//!
//! The token is base64url without padding (RFC 4648 §5) of these octets, numbers big-endian; what stands in brackets is
//! there where its flag is set, and then not empty:
//!
//! | octets | field |
//! | --- | --- |
//! | 1 | version 1 in the two highest bits, one bit that is 0, five flags: address, prefix, methods, uses, not-before |
//! | 3 | key id |
//! | 8 | identifier, random |
//! | 4 | from, Unix seconds: not-before where its flag is set, else the time of issue |
//! | 4 | expiry, Unix seconds (until 2106) |
//! | \[2\] | number of uses |
//! | \[1\] | methods, a bit each: GET (and HEAD), POST, PUT, PATCH, DELETE, OPTIONS; without it GET alone |
//! | \[1\] | so many octets of the path are bound, the last of which is `/`; without it the whole path and the query |
//! | \[1 + n\] | network: length of its prefix (plus 32 for IPv6), and as many octets of its address as that takes |
//! | 0–255 | subject, UTF-8; what is left is its length |
//! | 16 | where: SHA-256 over purpose, host, path and query (or the bound octets of the path), cut |
//! | 32 | tag: HMAC-SHA-256 over the purpose `edgeward/link/v1` and each field above with its length |
//!
//! A key is derived from each value of `EDGEWARD_SECRET`: the first signs, all verify. Source: this page.
//!
//! # The five choices
//!
//! 1. The tag is over the octets that were received.
//! 2. The token is taken out of the query by octet range, wherever it stands in it; the rest is bound as it is.
//! 3. The path is raw, the host is in (lower case, without port), the scheme is not, the query is where no prefix is.
//! 4. Keys are not written by anybody: they are derived.
//! 5. Good while `now < expiry`.

mod fields;
mod sign;

use super::decode::base64url;
use super::scope::query_without;
use super::{Bearing, Preset, Reading, Scope, Seen, Stated, Target, Unverified};
use crate::policy::{Format, HmacAlgorithm, LinkEntry, LinkPlace};
use crate::token::keys::Key;
use crate::token::mac::{MacKey, Purpose, RootSecret};
use crate::token::to_base64url;
use fields::{Fields, KID_SIZE, Parts, Where};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;

pub use sign::{Terms, sign};

/// The query parameter that bears the token.
pub const PARAMETER: &str = "ew";

/// What the tag is for, and what its keys are derived with.
const LINK: Purpose = Purpose("edgeward/link/v1");
const KID_PURPOSE: &[u8] = b"edgeward/link-kid/v1";

/// Our own.
pub const PRESET: Preset = Preset {
    format: Format::Edgeward,
    algorithms: &[],
    parameters: &[("token", PARAMETER)],
    from: &["query"],
    settings: &[],
    names_key: true,
    read,
};

/// The keys of share links, one for each secret: the first signs.
#[must_use]
pub fn keys(root: &RootSecret) -> Vec<Key> {
    let named = root.derive_named(&[KID_PURPOSE], &[LINK.0.as_bytes()], KID_SIZE).into_iter();
    named.map(|(kid, key)| Key::new(&kid, MacKey::new(HmacAlgorithm::Hs256, key.expose()))).collect()
}

fn read<'r>(seen: &Seen<'r>, bearing: &Bearing<'r>, entry: &'r LinkEntry) -> Reading<'r> {
    let (name, token) = token(seen, bearing, entry);
    let Some(octets) = base64url(token) else {
        return Reading::Malformed("The link's token is not base64url.");
    };
    let Some((parts, tag)) = Parts::split(&octets) else {
        return Reading::Malformed("The link's token does not have the fields of a share link.");
    };
    let Some(fields) = Fields::read(&parts) else {
        return Reading::Malformed("A field of the link's token has a value that it cannot have.");
    };
    let target = target(&fields, seen, name);
    Reading::Token(Unverified {
        message: vec![Cow::Owned(LINK.input(&parts.0))],
        tag: tag.to_vec(),
        kid: Some(Cow::Owned(to_base64url(&fields.kid))),
        stated: stated(fields, target),
    })
}

/// The parameter that bears the token, and the token.
fn token<'r>(seen: &Seen<'r>, bearing: &Bearing<'r>, entry: &'r LinkEntry) -> (&'r str, &'r str) {
    let name = entry.parameters.first().map_or(PARAMETER, String::as_str);
    match bearing.place {
        // A name that is percent-encoded is none of ours.
        LinkPlace::Parameters => (name, seen.parameter(name).unwrap_or_default()),
        LinkPlace::Query(name) => (name, bearing.value),
        LinkPlace::Cookie(_) | LinkPlace::Field(_) | LinkPlace::Path => (name, bearing.value),
    }
}

fn stated(fields: Fields, target: Target) -> Stated {
    Stated {
        id: Some(to_base64url(&fields.id)),
        subject: fields.subject,
        issued: (!fields.delayed).then_some(fields.from),
        not_before: fields.delayed.then_some(fields.from),
        end: Some(super::End::Before(fields.end)),
        uses: fields.uses.map(u32::from),
        scope: Scope {
            target,
            methods: fields::method_names(fields.methods),
            networks: fields.network.into_iter().collect(),
            ..Scope::default()
        },
    }
}

/// Where the link is for, as far as this request tells: the token holds a digest of it.
fn target(fields: &Fields, seen: &Seen<'_>, name: &str) -> Target {
    let (facts, host) = (seen.facts, seen.facts.host());
    let Some(length) = fields.prefix else {
        let query = query_without(facts, |it| it == name.as_bytes());
        let here = digest(&host, &Where::Exactly { path: facts.path, query: &query });
        return if here == fields.target { Target::This { query: true } } else { Target::Elsewhere };
    };
    let prefix = facts.path.get(..usize::from(length)).filter(|prefix| prefix.ends_with('/'));
    match prefix.filter(|prefix| digest(&host, &Where::Below(prefix)) == fields.target) {
        Some(prefix) => Target::Below(prefix.to_owned()),
        None => Target::Elsewhere,
    }
}

/// The digest of where a link is for. No secret: it is signed.
fn digest(host: &str, place: &Where<'_>) -> [u8; fields::TARGET_SIZE] {
    const TARGET: Purpose = Purpose("edgeward/link-target/v1");
    let input = match place {
        Where::Exactly { path, query } => {
            TARGET.input(&[host.as_bytes(), b"exactly", path.as_bytes(), query.as_bytes()])
        }
        Where::Below(prefix) => TARGET.input(&[host.as_bytes(), b"below", prefix.as_bytes()]),
    };
    let mut cut = [0; fields::TARGET_SIZE];
    cut.iter_mut().zip(Sha256::digest(&input)).for_each(|(to, from)| *to = from);
    cut
}

#[cfg(test)]
mod tests;
