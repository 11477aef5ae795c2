//! `fastly`: the token validation of Fastly's VCL example.
//!
//! Construction: `/foo/bar.html?token=<exp>_<MAC>`, where the MAC is HMAC-SHA-1 over `path ‖ exp` in lower-case
//! hexadecimal digits: `^(\d{10,11})_([a-f0-9]{40})$`.
//!
//! Source: the README of `fastly/token-functions`. Its tokens do not verify with its key; the vector of the tests was
//! computed from the construction.
//!
//! The five choices:
//!
//! 1. The octets that were received are verified.
//! 2. The parameter is found by octet range, wherever it stands in the query.
//! 3. Path raw. Query, host, scheme and method are not signed: whoever has a link may add parameters to it.
//! 4. The key is base64, which the key set holds decoded.
//! 5. The last second is valid: `now ≤ exp`.
//!
//! Here a time has ten digits, though the pattern allows eleven. Nothing stands between path and time, so that
//! `/video/12` with `1700000000` and `/video/1` with `21700000000` are one signed text: who holds a link to the one
//! would hold a link to the other, good until 2657. With one length there is one way to take it apart, and ten
//! digits last until 2286.

use super::{Bearing, End, Preset, Reading, Scope, Seen, Stated, Target, Unverified, decode};
use crate::policy::{Format, HmacAlgorithm, LinkEntry, LinkPlace};
use crate::time::UnixTime;
use std::borrow::Cow;

/// The preset.
pub const PRESET: Preset = Preset {
    format: Format::Fastly,
    algorithms: &[HmacAlgorithm::Hs1],
    parameters: &[("token", "token")],
    from: &["query"],
    settings: &[],
    names_key: false,
    read,
};

/// Octets of a tag of HMAC-SHA-1.
const TAG_SIZE: usize = 20;

fn read<'r>(seen: &Seen<'r>, bearing: &Bearing<'r>, entry: &'r LinkEntry) -> Reading<'r> {
    let Some((digits, expires, tag)) = value(seen, bearing, entry).and_then(taken_apart) else {
        return Reading::Malformed("The token is not a time of ten digits, _ and 40 lower-case hex digits.");
    };
    Reading::Token(Unverified {
        message: vec![Cow::Borrowed(seen.facts.path.as_bytes()), Cow::Borrowed(digits.as_bytes())],
        tag,
        kid: None,
        stated: stated(expires),
    })
}

fn value<'r>(seen: &Seen<'r>, bearing: &Bearing<'r>, entry: &'r LinkEntry) -> Option<&'r str> {
    match bearing.place {
        LinkPlace::Parameters => seen.parameter(entry.parameters.first()?),
        LinkPlace::Query(_) | LinkPlace::Cookie(_) | LinkPlace::Field(_) | LinkPlace::Path => {
            Some(bearing.value)
        }
    }
}

fn taken_apart(value: &str) -> Option<(&str, UnixTime, Vec<u8>)> {
    let (digits, mac) = value.split_once('_').filter(|(digits, _)| digits.len() == 10)?;
    let tag = decode::hex(mac).filter(|tag| tag.len() == TAG_SIZE)?;
    Some((digits, decode::seconds(digits)?, tag))
}

fn stated(expires: UnixTime) -> Stated {
    Stated {
        end: Some(End::Through(expires)),
        scope: Scope { target: Target::This { query: false }, ..Scope::default() },
        ..Stated::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Links;
    use super::*;
    use crate::token::mac::MacKey;
    use crate::verdict::Cause;
    use proptest::prelude::*;

    const KEY: &str = "iqFPeN2u+Z0Lm5IrsKaOFKRqEU5Gw8ePtaEkHZWuD24=";
    const EXPIRES: i64 = 1_441_307_151;
    const MAC: &str = "2bfc5de65ab7c7faffde2b29ac82d4f5177f16d7";

    fn key() -> Vec<u8> {
        decode::base64(KEY).expect("base64")
    }

    fn links() -> Links {
        Links::new(Format::Fastly, &[("a", HmacAlgorithm::Hs1, &key())], |_| {})
    }

    /// What signs, from the construction.
    fn token(path: &str, expires: &str) -> String {
        let tag = MacKey::new(HmacAlgorithm::Hs1, &key()).tag(&[path.as_bytes(), expires.as_bytes()]);
        let hex: String = tag.as_bytes().iter().map(|octet| format!("{octet:02x}")).collect();
        format!("{expires}_{hex}")
    }

    #[test]
    fn derived_vector() {
        assert_eq!(token("/foo/bar.html", "1441307151"), format!("1441307151_{MAC}"));
        let uri = format!("https://h/foo/bar.html?token=1441307151_{MAC}");
        let grant = links().verify(&uri, EXPIRES).expect("a good link, in its last second");
        assert_eq!(grant.stated().end, Some(End::Through(UnixTime::from_seconds(EXPIRES))));
        assert_eq!(links().cause(&uri, EXPIRES + 1), Some(Cause::TokenExpired));
        assert_eq!(links().cause(&uri.replace("bar", "baz"), EXPIRES), Some(Cause::TokenBadSignature));
    }

    #[test]
    fn the_query_is_not_signed() {
        for query in ["a=1&token=T", "token=T&a=1", "token=T&&b"] {
            let uri = format!("https://h/foo/bar.html?{}", query.replace('T', &format!("1441307151_{MAC}")));
            assert_eq!(links().cause(&uri, EXPIRES), None, "{uri}");
        }
    }

    #[test]
    fn path_and_time_do_not_run_into_each_other() {
        let moved = token("/video/12", "1700000000").replace("1700000000", "21700000000");
        assert_eq!(moved, token("/video/1", "21700000000"), "one signed text");
        let cause = links().cause(&format!("https://h/video/1?token={moved}"), EXPIRES);
        assert_eq!(cause, Some(Cause::TokenMalformed));
        let shorter = token("/video/1", "1700000000").replace("1700000000", "700000000");
        let cause = links().cause(&format!("https://h/video/11?token={shorter}"), EXPIRES);
        assert_eq!(cause, Some(Cause::TokenMalformed));
    }

    #[test]
    fn refused_variants() {
        let upper = MAC.to_ascii_uppercase();
        let last = MAC.replace("16d7", "16D7");
        for (token, cause) in [
            (format!("1441307152_{MAC}"), Cause::TokenBadSignature),
            (format!("1441307151_{upper}"), Cause::TokenMalformed),
            (format!("1441307151_{last}"), Cause::TokenMalformed),
            (format!("1441307151_{MAC}0"), Cause::TokenMalformed),
            (format!("1441307151_{MAC}00"), Cause::TokenMalformed),
            (format!("1441307151_{}", &MAC[..38]), Cause::TokenMalformed),
            (format!("1441307151_{MAC}="), Cause::TokenMalformed),
            (format!("1441307151_{MAC}%00"), Cause::TokenMalformed),
            (format!("1441307151_{MAC}\0"), Cause::TokenMalformed),
            (format!("1441307151%5F{MAC}"), Cause::TokenMalformed),
            (format!("1441307151-{MAC}"), Cause::TokenMalformed),
            (format!("1441307151__{MAC}"), Cause::TokenMalformed),
            (format!("+441307151_{MAC}"), Cause::TokenMalformed),
            (format!("+1441307151_{MAC}"), Cause::TokenMalformed),
            (format!("01441307151_{MAC}"), Cause::TokenMalformed),
            (format!("0441307151_{MAC}"), Cause::TokenMalformed),
            (format!("1e9_{MAC}"), Cause::TokenMalformed),
            (format!("14413071e9_{MAC}"), Cause::TokenMalformed),
            (format!("1441307151.0_{MAC}"), Cause::TokenMalformed),
            (format!("99999999999999999999_{MAC}"), Cause::TokenMalformed),
            (format!("_{MAC}"), Cause::TokenMalformed),
            ("1441307151_".to_owned(), Cause::TokenMalformed),
            (String::new(), Cause::TokenMalformed),
            (format!("1441307151_{MAC}&token=1441307151_{MAC}"), Cause::RequestAmbiguous),
            (format!("1441307151_{MAC}&t%6Fken=x"), Cause::RequestAmbiguous),
        ] {
            let uri = format!("https://h/foo/bar.html?token={token}");
            assert_eq!(links().cause(&uri, EXPIRES), Some(cause), "{token}");
        }
        for path in
            ["/foo%2Fbar.html", "/foo//bar.html", "/foo/bar%2ehtml", "/FOO/bar.html", "/foo/bar.html%00"]
        {
            let uri = format!("https://h{path}?token=1441307151_{MAC}");
            assert_eq!(links().cause(&uri, EXPIRES), Some(Cause::TokenBadSignature), "{path}");
        }
        let encoded = format!("https://h/foo/bar.html?t%6Fken=1441307151_{MAC}");
        assert_eq!(links().cause(&encoded, EXPIRES), Some(Cause::TokenMalformed));
    }

    #[test]
    fn in_a_cookie() {
        let links = Links::new(Format::Fastly, &[("a", HmacAlgorithm::Hs1, &key())], |entry| {
            entry.from = vec![LinkPlace::Cookie("t".into())];
        });
        let cookie = format!("a=b; t=1441307151_{MAC}");
        let fields = crate::request::FieldList::new([("Cookie", cookie)]);
        assert!(links.verify_with("https://h/foo/bar.html", &fields, EXPIRES).is_ok());
        assert!(links.verify_with("https://h/foo/baz.html", &fields, EXPIRES).is_err());
    }

    proptest! {
        #[test]
        fn what_is_signed_verifies_and_no_change_does(
            path in "/[a-z0-9/._~%-]{0,16}",
            expires in 1_000_000_000_i64..10_000_000_000,
            at: prop::sample::Index,
            octet in 0x21_u8..0x7f,
        ) {
            let uri = format!("https://h{path}?token={}", token(&path, &expires.to_string()));
            prop_assert_eq!(links().cause(&uri, expires), None);
            let other = Links::new(Format::Fastly, &[("a", HmacAlgorithm::Hs1, b"another")], |_| {});
            prop_assert!(other.cause(&uri, expires).is_some());
            let mut changed = uri.clone().into_bytes();
            let at = 10 + at.index(changed.len() - 10);
            prop_assume!(changed[at] != octet && octet != b'#');
            changed[at] = octet;
            let changed = String::from_utf8(changed).expect("ASCII");
            prop_assert!(links().cause(&changed, expires).is_some(), "{}", changed);
        }

        #[test]
        fn never_panics(path in "/\\PC{0,20}", query in "(token=)?([0-9]{10}_)?\\PC{0,50}") {
            let _ = links().cause(&format!("https://h{path}?{query}"), EXPIRES);
        }
    }
}
