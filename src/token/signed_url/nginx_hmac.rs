//! `nginx-hmac`: the module `ngx_http_hmac_secure_link_module` of nginx.
//!
//! Construction: `/a.pdf?st=<MAC>&ts=<time>&e=<seconds>`, where the MAC is HMAC-SHA-256, 384 or 512, as the key says,
//! over what `pattern` makes of the request: `secure_link_hmac_message`, by default `$uri|$arg_ts|$arg_e`.
//!
//! - `$uri`: the path decoded. nginx normalises it as well; here a path that would not stay what it is (dot segments,
//!   empty segments, `%2F`, `;`, …) is refused, and so is one that is not spelled as RFC 3986 §6.2.2 has it: `%7E`,
//!   `%2f`. `%40` and `@`, which that section keeps apart, are one to `$uri`.
//! - `$request_uri`, `$args`: path and query, or query, as received, without the parameter of the signature.
//! - `$arg_NAME`: a parameter as received, not decoded; nothing where it is not there. Not signed as `$args` is, other
//!   parameters may be added to a link.
//! - `$host`, `$scheme`, `$remote_addr`, `$request_method` (`GET` for HEAD); each also as `${NAME}`.
//!
//! The time is Unix seconds, ISO 8601 as RFC 3339 has it, or an IMF-fixdate (RFC 9110 §5.6.7). `e` of 0, or none, is a
//! link that never expires: refused unless the entry has `require = []`. Time and lifetime that are not in the pattern
//! are not signed, and refused.
//!
//! What nginx does not do: a text that can be taken apart in two ways is refused. With `$uri$arg_ts$arg_e`, a link to
//! `/v2` is one to `/v` at another time. So no variable but the path may hold what ends it in the pattern, and where
//! nothing stands before or after a time it must be a calendar's, whose length is known.
//!
//! Source: README and tests of `nginx-modules/ngx_http_hmac_secure_link_module`. nginx's own `secure_link` is MD5 over
//! key and text, no HMAC: refused, with the name of this format.
//!
//! The five choices:
//!
//! 1. The octets that were received are verified; `$uri` has one spelling, but for what is said above.
//! 2. The parameters are found by octet range.
//! 3. By the pattern: path decoded or raw, host and query in or out.
//! 4. The key is text.
//! 5. The last second is valid: `now ≤ ts + e`.

mod pattern;

use super::{Bearing, End, Preset, Reading, Scope, Seen, Stated, Target, Unverified, decode, seen};
use crate::network::Network;
use crate::policy::{Format, HmacAlgorithm, LinkEntry, LinkPlace};
use crate::time::{Lifetime, UnixTime};
use pattern::Pattern;
use std::borrow::Cow;

/// The preset.
pub const PRESET: Preset = Preset {
    format: Format::NginxHmac,
    algorithms: &[HmacAlgorithm::Hs256, HmacAlgorithm::Hs384, HmacAlgorithm::Hs512],
    parameters: &[("signature", "st"), ("timestamp", "ts"), ("expires", "e")],
    from: &["query"],
    settings: &["pattern"],
    names_key: false,
    read,
};

/// Whether a pattern can be used at all: it has the path, names no variable that is not known, and something stands
/// between variables that are not times. Whether it signs the times, [`check_entry`] says.
///
/// # Errors
/// What was expected.
pub fn check_pattern(pattern: &str) -> Result<(), String> {
    let pattern = Pattern::parse(pattern)?;
    if !pattern.has("uri") && !pattern.has("request_uri") {
        return Err("a pattern with the path: $uri or $request_uri".to_owned());
    }
    match pattern.separators().find(|(variable, octet)| octet.is_none() && !is_argument(variable.name)) {
        Some((variable, _)) => Err(["something between $", variable.name, " and the path or query"].concat()),
        None => Ok(()),
    }
}

/// Whether the pattern of an entry signs time and lifetime under the names that they have there. It may sign neither
/// where no expiry is required.
///
/// # Errors
/// What was expected.
pub fn check_entry(entry: &LinkEntry) -> Result<(), String> {
    check_pattern(entry.pattern.as_deref().unwrap_or(pattern::DEFAULT))?;
    let pattern = Pattern::of(entry)?;
    let [_, time, lifetime] = entry.parameters.as_slice() else { return Ok(()) };
    match (pattern.signs(time), pattern.signs(lifetime)) {
        (true, true) => Ok(()),
        (false, false) if !entry.require_end => Ok(()),
        _ => Err(["a pattern with $arg_", time, " and $arg_", lifetime, ": what is not in it is not signed"]
            .concat()),
    }
}

fn is_argument(name: &str) -> bool {
    name.starts_with("arg_")
}

fn read<'r>(seen: &Seen<'r>, bearing: &Bearing<'r>, entry: &'r LinkEntry) -> Reading<'r> {
    let tag = signature(seen, bearing, entry).and_then(decode::base64url).unwrap_or_default();
    match tag.len() {
        32 | 48 | 64 => match unverified(seen, entry, tag) {
            Ok(token) => Reading::Token(token),
            Err(detail) => Reading::Malformed(detail),
        },
        16 => {
            Reading::Algorithm("MD5 is no HMAC: sign as nginx-hmac does, with secure_link_hmac and SHA-256.")
        }
        20 => Reading::Algorithm("SHA-1 is not taken here: sign with SHA-256."),
        _ => Reading::Malformed("The signature is not a MAC in base64url without padding."),
    }
}

fn signature<'r>(seen: &Seen<'r>, bearing: &Bearing<'r>, entry: &'r LinkEntry) -> Option<&'r str> {
    match bearing.place {
        LinkPlace::Parameters => seen.parameter(entry.parameters.first()?),
        LinkPlace::Query(_) | LinkPlace::Cookie(_) | LinkPlace::Field(_) | LinkPlace::Path => {
            Some(bearing.value)
        }
    }
}

fn unverified<'r>(
    seen: &Seen<'r>,
    entry: &'r LinkEntry,
    tag: Vec<u8>,
) -> Result<Unverified<'r>, &'static str> {
    let pattern = Pattern::of(entry).map_err(|_| "The pattern of the entry cannot be read.")?;
    let times = Times::read(seen, entry, &pattern)?;
    let message = message(seen, entry, &pattern)?;
    one_way(seen, entry, &pattern, &times)?;
    let stated = Stated {
        issued: times.issued,
        end: times.end(),
        scope: scope(seen, entry, &pattern)?,
        ..Stated::default()
    };
    Ok(Unverified { message, tag, kid: None, stated })
}

/// What the pattern signs of the request besides the path: the tag has said it of this request, and a cookie that stands
/// for the link has to say it of others. Where one parameter is signed, the whole query is kept: there it is as it was.
fn scope(seen: &Seen<'_>, entry: &LinkEntry, pattern: &Pattern<'_>) -> Result<Scope, &'static str> {
    let signed = |variable: &str| pattern.has(variable).then(|| value(variable, seen, entry)).transpose();
    let method = signed("request_method")?.and_then(|method| String::from_utf8(method.into_owned()).ok());
    let address = signed("remote_addr")?.and(seen.facts.client_address());
    Ok(Scope {
        target: Target::This { query: pattern.signs_query() || signs_record(entry, pattern) },
        origin: pattern.has("scheme").then(|| seen.facts.origin()),
        methods: method.into_iter().collect(),
        networks: address.map(Network::from).into_iter().collect(),
        ..Scope::default()
    })
}

/// Whether a parameter is signed that is none of the format's own.
fn signs_record(entry: &LinkEntry, pattern: &Pattern<'_>) -> bool {
    let names = pattern.variables.iter().filter_map(|variable| variable.name.strip_prefix("arg_"));
    names.into_iter().any(|name| !entry.parameters.iter().any(|own| own == name))
}

/// The signed text: the pattern with its variables filled in.
fn message<'r>(
    seen: &Seen<'r>,
    entry: &'r LinkEntry,
    pattern: &Pattern<'r>,
) -> Result<Vec<Cow<'r, [u8]>>, &'static str> {
    let mut parts = Vec::with_capacity(pattern.variables.len() * 2 + 1);
    for variable in &pattern.variables {
        parts.push(Cow::Borrowed(variable.before.as_bytes()));
        parts.push(value(variable.name, seen, entry)?);
    }
    parts.push(Cow::Borrowed(pattern.tail.as_bytes()));
    Ok(parts)
}

/// Refuses a text that could be taken apart in another way.
fn one_way(
    seen: &Seen<'_>,
    entry: &LinkEntry,
    pattern: &Pattern<'_>,
    times: &Times,
) -> Result<(), &'static str> {
    let is_time = |name: &str| {
        let name = name.strip_prefix("arg_").unwrap_or_default();
        entry.parameters.iter().skip(1).any(|time| time == name)
    };
    for (variable, octet) in pattern.separators() {
        let parted = match octet {
            Some(octet) => !value(variable.name, seen, entry)?.contains(&octet),
            None => times.of_calendar && is_time(variable.name),
        };
        if !parted {
            return Err("The signed text could be taken apart in two ways: put something between its parts.");
        }
    }
    Ok(())
}

/// The value of a variable.
fn value<'r>(name: &str, seen: &Seen<'r>, entry: &LinkEntry) -> Result<Cow<'r, [u8]>, &'static str> {
    let facts = seen.facts;
    let value = match name {
        "uri" => return uri(seen),
        "request_uri" => match args(seen, entry) {
            args if args.is_empty() => facts.path.to_owned(),
            args => [facts.path, "?", &args].concat(),
        },
        "args" => args(seen, entry),
        "host" => facts.host(),
        "scheme" => return Ok(Cow::Borrowed(facts.scheme.as_str().as_bytes())),
        "remote_addr" => facts.client_address().ok_or("The client's address is not known.")?.to_string(),
        // As everywhere: HEAD is decided as GET.
        "request_method" if facts.method == "HEAD" => "GET".to_owned(),
        "request_method" => facts.method.to_owned(),
        _ => return argument(name.strip_prefix("arg_").unwrap_or(name), seen),
    };
    Ok(Cow::Owned(value.into_bytes()))
}

/// The path decoded, where there is one way to read and one way to spell it.
fn uri<'r>(seen: &Seen<'r>) -> Result<Cow<'r, [u8]>, &'static str> {
    let path = seen.facts.path;
    match seen.readings().filter(|_| decode::is_normal(path)) {
        Some([]) => Ok(Cow::Borrowed(path.as_bytes())),
        Some([only]) => Ok(Cow::Owned(only.clone())),
        Some(_) | None => Err("The path can be read or spelled in more than one way."),
    }
}

/// The query as received, without the signature.
fn args(seen: &Seen<'_>, entry: &LinkEntry) -> String {
    let signature = entry.parameters.first();
    let is_signature =
        |pair: &&str| pair.split_once('=').map(|(name, _)| name) == signature.map(String::as_str);
    seen.query().split('&').filter(|pair| !is_signature(pair)).collect::<Vec<_>>().join("&")
}

/// A parameter as received; nothing where it is not there. One whose name is spelled otherwise is none to a signer and
/// one to the origin.
fn argument<'r>(name: &str, seen: &Seen<'r>) -> Result<Cow<'r, [u8]>, &'static str> {
    match (seen.values(name).take(2).count(), seen.parameter(name)) {
        (0, _) => Ok(Cow::Borrowed(&[])),
        (1, Some(value)) => Ok(Cow::Borrowed(value.as_bytes())),
        _ => Err("A parameter that is signed stands there twice, or its name is spelled otherwise."),
    }
}

/// Time and lifetime of a link.
#[derive(Default)]
struct Times {
    issued: Option<UnixTime>,
    lifetime: Option<Lifetime>,
    /// Whether the time is a calendar's, written as it is: where it begins and ends can be told.
    of_calendar: bool,
}

impl Times {
    fn read(seen: &Seen<'_>, entry: &LinkEntry, pattern: &Pattern<'_>) -> Result<Self, &'static str> {
        let [_, time, lifetime] = entry.parameters.as_slice() else {
            return Err("The format has its parameters.");
        };
        let signed = pattern.signs(time) && pattern.signs(lifetime);
        let sent = |name: &str| seen.values(name).next().is_some();
        if !signed {
            let any = sent(time) || sent(lifetime) || pattern.signs(time) || pattern.signs(lifetime);
            return if any {
                Err("The pattern of the entry does not sign the time.")
            } else {
                Ok(Self::default())
            };
        }
        let lifetime = lifetime_of(seen.parameter(lifetime).unwrap_or_default())?;
        match seen.parameter(time).unwrap_or_default() {
            "" if lifetime.is_some() => Err("The link has a lifetime and no time."),
            "" => Ok(Self::default()),
            text => {
                let (issued, of_calendar) = time_of(text)
                    .ok_or("The time is neither Unix seconds nor ISO 8601 nor an IMF-fixdate.")?;
                Ok(Self { issued: Some(issued), lifetime, of_calendar })
            }
        }
    }

    fn end(&self) -> Option<End> {
        Some(End::Through(self.issued? + self.lifetime?))
    }
}

/// Seconds; `None` for none, and for 0.
fn lifetime_of(text: &str) -> Result<Option<Lifetime>, &'static str> {
    match text {
        "" | "0" => Ok(None),
        digits => {
            let seconds = decode::seconds(digits).ok_or("The lifetime is not a number of seconds.")?;
            Ok(Some(Lifetime::from_seconds(seconds.seconds())))
        }
    }
}

/// A time after 1970 began, and whether it is a calendar's that is not percent-encoded.
fn time_of(text: &str) -> Option<(UnixTime, bool)> {
    let (time, of_calendar) = if text.bytes().all(|octet| octet.is_ascii_digit()) {
        (decode::seconds(text)?, false)
    } else {
        let decoded = seen::decoded(text)?;
        let time = UnixTime::parse_rfc3339(&decoded).or_else(|| UnixTime::parse_imf_fixdate(&decoded))?;
        (time, !text.contains('%'))
    };
    (time.seconds() > 0).then_some((time, of_calendar))
}

#[cfg(test)]
mod tests;
