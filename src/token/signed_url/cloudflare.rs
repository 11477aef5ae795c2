//! `cloudflare`: what a WAF rule with `is_timed_hmac_valid_v0` lets in.
//!
//! Construction: `/images/cat.jpg?verify=<issued>-<MAC>`, where the MAC is HMAC-SHA-256 over `message ‖ issued`.
//! `message` is what stands before the separator: the path, and the parameters before `verify` with their `?`. The
//! separator (`?verify=`, `&verify=`) is not signed. `issued` is Unix seconds in ten digits, so that message and time
//! cannot run into each other; nothing may follow the MAC. How long a link is good stands in no link: it is the `ttl`
//! of the entry.
//!
//! Source: "Configure token authentication" in the vendor's WAF documentation, and the functions of its Rules
//! language. The MACs printed there do not reproduce; the vector of the tests was computed from the construction.
//!
//! The five choices:
//!
//! 1. The octets that were received are verified.
//! 2. The parameter is taken out by octet range; it is the last, in this spelling of its name.
//! 3. Path raw, the query before `verify` signed as it came in; host, scheme and method are not signed.
//! 4. The key is text.
//! 5. The last second is not valid: `now < issued + ttl`. Issued in the future is too early, beyond the leeway.
//!
//! A MAC has two spellings: standard base64 with each of `+`, `/`, `=` as `encodeURIComponent` writes it (`%2B`,
//! `%2F`, `%3D`), and, for rules with the flag `s`, base64url without padding.

use super::{Bearing, End, Preset, Reading, Scope, Seen, Stated, Target, Unverified, decode};
use crate::policy::{Format, HmacAlgorithm, LinkEntry, LinkPlace};
use crate::text;
use crate::time::UnixTime;
use std::borrow::Cow;

/// The preset.
pub const PRESET: Preset = Preset {
    format: Format::Cloudflare,
    algorithms: &[HmacAlgorithm::Hs256],
    parameters: &[("signature", "verify")],
    from: &["query"],
    settings: &["ttl"],
    names_key: false,
    read,
};

/// Digits of a time of issue: until the year 2286.
const ISSUED_DIGITS: usize = 10;

/// Octets of a tag of HMAC-SHA-256.
const TAG_SIZE: usize = 32;

fn read<'r>(seen: &Seen<'r>, bearing: &Bearing<'r>, entry: &'r LinkEntry) -> Reading<'r> {
    let Some(name) = parameter(bearing, entry) else {
        return Reading::Malformed("A link of this format has its token in the query.");
    };
    let Some((before, value)) = last_parameter(seen.query(), name) else {
        return Reading::Malformed("The token is not the last parameter of the query.");
    };
    let Some((digits, issued, mac)) = taken_apart(value) else {
        return Reading::Malformed("The token is not a time of ten digits, a hyphen and a MAC.");
    };
    let Some(tag) = mac_octets(mac) else {
        return Reading::Malformed("The MAC is neither percent-encoded base64 nor base64url.");
    };
    Reading::Token(Unverified {
        message: message(seen.facts.path, before, digits),
        tag,
        kid: None,
        stated: stated(issued, entry),
    })
}

fn parameter<'r>(bearing: &Bearing<'r>, entry: &'r LinkEntry) -> Option<&'r str> {
    match bearing.place {
        LinkPlace::Parameters => entry.parameters.first().map(String::as_str),
        LinkPlace::Query(name) => Some(name),
        LinkPlace::Cookie(_) | LinkPlace::Field(_) | LinkPlace::Path => None,
    }
}

/// The query before the last parameter (`None` where there is nothing before it), and its value.
fn last_parameter<'r>(query: &'r str, name: &str) -> Option<(Option<&'r str>, &'r str)> {
    let (before, last) = match query.rsplit_once('&') {
        Some((before, last)) => (Some(before), last),
        None => (None, query),
    };
    Some((before, last.strip_prefix(name)?.strip_prefix('=')?))
}

fn taken_apart(value: &str) -> Option<(&str, UnixTime, &str)> {
    let (digits, rest) = value.split_at_checked(ISSUED_DIGITS)?;
    Some((digits, decode::seconds(digits)?, rest.strip_prefix('-')?))
}

fn mac_octets(mac: &str) -> Option<Vec<u8>> {
    let octets = match (mac.contains('%'), mac.contains(['+', '/', '='])) {
        (false, _) => decode::base64url(mac),
        (true, false) => {
            let encoded = [("%2B", "+"), ("%2F", "/"), ("%3D", "=")];
            let plain = encoded.iter().fold(mac.to_owned(), |mac, (old, new)| text::replaced(&mac, old, new));
            decode::base64(&plain)
        }
        (true, true) => None,
    };
    octets.filter(|octets| octets.len() == TAG_SIZE)
}

fn message<'r>(path: &'r str, before: Option<&'r str>, issued: &'r str) -> Vec<Cow<'r, [u8]>> {
    let signed = [path, before.map_or("", |_| "?"), before.unwrap_or_default(), issued];
    signed.iter().map(|part| Cow::Borrowed(part.as_bytes())).collect()
}

fn stated(issued: UnixTime, entry: &LinkEntry) -> Stated {
    Stated {
        issued: Some(issued),
        not_before: Some(issued),
        end: entry.ttl.map(|ttl| End::Before(issued + ttl)),
        scope: Scope { target: Target::This { query: true }, ..Scope::default() },
        ..Stated::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Links;
    use super::*;
    use crate::time::Lifetime;
    use crate::token::mac::MacKey;
    use crate::token::to_base64url;
    use crate::verdict::Cause;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;

    const KEY: &[u8] = b"mysecrettoken";
    const ISSUED: i64 = 1_484_063_787;
    const MAC: &str = "XsZ5NmtNBxOd4f4fBOtqVmpWRnDRNkHKVZieqDPKu3U%3D";

    fn links(key: &[u8]) -> Links {
        Links::new(Format::Cloudflare, &[("a", HmacAlgorithm::Hs256, key)], |entry| {
            entry.ttl = Some(Lifetime::from_seconds(10_800));
        })
    }

    /// What signs, from the construction: `message` is path and query before the separator.
    fn mac(message: &str, issued: &str) -> Vec<u8> {
        let key = MacKey::new(HmacAlgorithm::Hs256, KEY);
        key.tag(&[message.as_bytes(), issued.as_bytes()]).as_bytes().to_vec()
    }

    fn encoded(mac: &[u8]) -> String {
        STANDARD.encode(mac).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
    }

    fn sign(message: &str, issued: &str) -> String {
        let separator = if message.contains('?') { '&' } else { '?' };
        format!("https://h{message}{separator}verify={issued}-{}", encoded(&mac(message, issued)))
    }

    #[test]
    fn derived_vector() {
        let uri = format!("https://downloads.example.com/images/cat.jpg?verify={ISSUED}-{MAC}");
        let grant = links(KEY).verify(&uri, ISSUED).expect("a good link");
        assert_eq!(grant.stated().issued, Some(UnixTime::from_seconds(ISSUED)));
        assert_eq!(sign("/images/cat.jpg", "1484063787"), uri.replace("downloads.example.com", "h"));
        let other = format!("https://h/images/dog.jpg?verify={ISSUED}-{MAC}");
        assert_eq!(links(KEY).cause(&other, ISSUED), Some(Cause::TokenBadSignature));
        assert_eq!(links(b"another").cause(&uri, ISSUED), Some(Cause::TokenBadSignature));
    }

    #[test]
    fn good_from_its_issue_for_as_long_as_the_entry_says() {
        let uri = sign("/a?x=1", "1484063787");
        for (now, cause) in [
            (ISSUED - 31, Some(Cause::TokenNotYetValid)),
            (ISSUED - 30, None),
            (ISSUED, None),
            (ISSUED + 10_799, None),
            (ISSUED + 10_800, Some(Cause::TokenExpired)),
        ] {
            assert_eq!(links(KEY).cause(&uri, now), cause, "{now}");
        }
        let endless = Links::new(Format::Cloudflare, &[("a", HmacAlgorithm::Hs256, KEY)], |_| {});
        assert_eq!(endless.cause(&uri, ISSUED), Some(Cause::TokenMissingClaim), "no ttl, no end");
    }

    #[test]
    fn both_spellings_of_a_mac_and_no_third() {
        let octets = mac("/~mac/9", "1484063787");
        let (standard, url) = (STANDARD.encode(&octets), to_base64url(&octets));
        assert!(standard.contains('/') && standard.contains('+'), "{standard}");
        let percent = encoded(&octets);
        let cause =
            |mac: &str| links(KEY).cause(&format!("https://h/~mac/9?verify=1484063787-{mac}"), ISSUED);
        assert_eq!((cause(&percent), cause(&url)), (None, None));
        for bad in [
            standard.clone(),
            standard.replace('=', "%3D"),
            percent.replace("%2F", "/"),
            percent.replace("%2B", "+"),
            percent.replace("%2B", "%20"),
            percent.replace("%3D", "="),
            percent.replace("%3D", "%3d"),
            percent.replace("%2F", "%2f"),
            percent.replace("%3D", ""),
            format!("{percent}%3D"),
            format!("{percent}="),
            format!("{url}="),
            format!("{url}%3D"),
            format!("{url}%00"),
            format!("{url}\0"),
            format!("{url} "),
            format!("{url}A"),
            String::new(),
        ] {
            assert_eq!(cause(&bad), Some(Cause::TokenMalformed), "{bad}");
        }
    }

    #[test]
    fn the_last_characters_have_no_unused_bits() {
        let url = to_base64url(&mac("/a", "1484063787"));
        let (head, last) = url.split_at(42);
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        for other in alphabet.chars().filter(|c| !last.contains(*c)) {
            let uri = format!("https://h/a?verify=1484063787-{head}{other}");
            let cause = links(KEY).cause(&uri, ISSUED);
            assert!(
                matches!(cause, Some(Cause::TokenMalformed | Cause::TokenBadSignature)),
                "{other}: {cause:?}"
            );
        }
    }

    #[test]
    fn refused_variants() {
        let good = encoded(&mac("/a/~b?x=1%202", "1484063787"));
        let at = |target: &str| links(KEY).cause(&format!("https://h{target}"), ISSUED);
        assert_eq!(at(&format!("/a/~b?x=1%202&verify=1484063787-{good}")), None);
        for (target, cause) in [
            (format!("/a%2F~b?x=1%202&verify=1484063787-{good}"), Cause::TokenBadSignature),
            (format!("/a/%7eb?x=1%202&verify=1484063787-{good}"), Cause::TokenBadSignature),
            (format!("/a/~b?x=1+2&verify=1484063787-{good}"), Cause::TokenBadSignature),
            (format!("//a/~b?x=1%202&verify=1484063787-{good}"), Cause::TokenBadSignature),
            (format!("/a/~b?x=1%202&&verify=1484063787-{good}"), Cause::TokenBadSignature),
            (format!("/a/~b?&x=1%202&verify=1484063787-{good}"), Cause::TokenBadSignature),
            (format!("/a/~b?verify=1484063787-{good}&x=1%202"), Cause::TokenMalformed),
            (format!("/a/~b?x=1%202&verify=1484063787-{good}&"), Cause::TokenMalformed),
            (format!("/a/~b?x=1%202&verify=1484063787-{good}&y"), Cause::TokenMalformed),
            (format!("/a/~b?x=1%202&%76erify=1484063787-{good}"), Cause::TokenMalformed),
            (format!("/a/~b?x=1%202&verify=+484063787-{good}"), Cause::TokenMalformed),
            (format!("/a/~b?x=1%202&verify=01484063787-{good}"), Cause::TokenMalformed),
            (format!("/a/~b?x=1%202&verify=0484063787-{good}"), Cause::TokenMalformed),
            (format!("/a/~b?x=1%202&verify=148406378-{good}"), Cause::TokenMalformed),
            (format!("/a/~b?x=1%202&verify=1484063e10-{good}"), Cause::TokenMalformed),
            (format!("/a/~b?x=1%202&verify=1484063787{good}"), Cause::TokenMalformed),
            (format!("/a/~b?x=1%202&verify=148406378７-{good}"), Cause::TokenMalformed),
            ("/a/~b?x=1%202&verify=".to_owned(), Cause::TokenMalformed),
            ("/a/~b?x=1%202&verify".to_owned(), Cause::TokenMalformed),
            (
                format!("/a/~b?verify=1484063787-{good}&x=1%202&verify=1484063787-{good}"),
                Cause::RequestAmbiguous,
            ),
            (format!("/a/~b?x=1%202&ver%69fy=x&verify=1484063787-{good}"), Cause::RequestAmbiguous),
            (format!("/a/~b?x=1%202&VERIFY=1484063787-{good}"), Cause::CredentialsMissing),
        ] {
            assert_eq!(at(&target), Some(cause), "{target}");
        }
    }

    #[test]
    fn an_empty_query_before_it_is_none() {
        let uri = sign("/a", "1484063787");
        assert_eq!(links(KEY).cause(&uri, ISSUED), None);
        let moved = uri.replace("?verify", "?&verify");
        assert_eq!(links(KEY).cause(&moved, ISSUED), Some(Cause::TokenBadSignature));
    }

    #[test]
    fn another_name_of_the_parameter() {
        let uri = sign("/a", "1484063787").replace("verify", "sig");
        let from = |place: LinkPlace| {
            Links::new(Format::Cloudflare, &[("a", HmacAlgorithm::Hs256, KEY)], |entry| {
                entry.ttl = Some(Lifetime::from_seconds(60));
                entry.from = vec![place];
            })
        };
        assert_eq!(from(LinkPlace::Query("sig".into())).cause(&uri, ISSUED), None);
        let elsewhere = from(LinkPlace::Cookie("sig".into()));
        let fields = crate::request::FieldList::new([("Cookie", "sig=x")]);
        let refusal = elsewhere.verify_with("https://h/a", &fields, ISSUED).expect_err("not there");
        assert_eq!(refusal.cause, Cause::TokenMalformed);
    }

    proptest! {
        #[test]
        fn what_is_signed_verifies_and_no_change_does(
            message in "/[a-z0-9/._~%-]{0,12}(\\?[a-z]=[a-z0-9+&=]{0,8})?",
            ttl in 0_i64..10_800,
            at: prop::sample::Index,
            octet in 0x21_u8..0x7f,
        ) {
            let uri = sign(&message, "1484063787");
            prop_assert_eq!(links(KEY).cause(&uri, ISSUED + ttl), None);
            prop_assert!(links(b"mysecrettokem").cause(&uri, ISSUED + ttl).is_some());
            // Behind `https://h/`: path, query and token.
            let mut changed = uri.clone().into_bytes();
            let at = 10 + at.index(changed.len() - 10);
            prop_assume!(changed[at] != octet && octet != b'#');
            changed[at] = octet;
            let changed = String::from_utf8(changed).expect("ASCII");
            prop_assert!(links(KEY).cause(&changed, ISSUED + ttl).is_some(), "{}", changed);
        }

        #[test]
        fn never_panics(path in "/\\PC{0,20}", query in "(verify=)?([0-9]{10}-)?\\PC{0,40}") {
            let _ = links(KEY).cause(&format!("https://h{path}?{query}"), ISSUED);
        }
    }
}
