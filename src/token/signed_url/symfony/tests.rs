use super::super::testing::Links;
use super::*;
use crate::request::{FieldList, RequestFacts};
use crate::time::UnixTime;
use crate::verdict::Cause;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use proptest::prelude::*;
use sha2::Sha256;

const KEY: &[u8] = b"a secret of Symfony's, 32 octets";
const EXPIRES: i64 = 1_700_000_000;
const NOW: i64 = EXPIRES - 1;

/// PHP's `urlencode`.
fn urlencode(text: &str) -> String {
    let one = |octet: u8| match octet {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'_' | b'.' => char::from(octet).to_string(),
        b' ' => "+".to_owned(),
        _ => format!("%{octet:02X}"),
    };
    text.bytes().map(one).collect()
}

/// `http_build_query` after `ksort`, of parameters that are not yet encoded.
fn built(url: &str, parameters: &[(&str, &str)]) -> String {
    let mut sorted = parameters.to_vec();
    sorted.sort_by_key(|(name, _)| name.split('[').next());
    let pair = |(name, value): &(&str, &str)| format!("{}={}", urlencode(name), urlencode(value));
    let query = sorted.iter().map(pair).collect::<Vec<_>>().join("&");
    if query.is_empty() { url.to_owned() } else { format!("{url}?{query}") }
}

fn mac(message: &str, key: &[u8]) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("any length").chain_update(message);
    mac.finalize().into_bytes().to_vec()
}

/// What `UriSigner::sign` does since 7.1: with base64url.
fn signed(url: &str, parameters: &[(&str, &str)], key: &[u8]) -> String {
    let hash = URL_SAFE_NO_PAD.encode(mac(&built(url, parameters), key));
    built(url, &[parameters, &[("_hash", &hash)]].concat())
}

/// What it did before: with standard base64.
fn signed_as_before(url: &str, parameters: &[(&str, &str)], key: &[u8]) -> String {
    let hash = STANDARD.encode(mac(&built(url, parameters), key));
    built(url, &[parameters, &[("_hash", &hash)]].concat())
}

fn links() -> Links {
    Links::new(Format::Symfony, &[("k", HmacAlgorithm::Hs256, KEY)], |_| {})
}

fn endless(key: &[u8]) -> Links {
    Links::new(Format::Symfony, &[("k", HmacAlgorithm::Hs256, key)], |entry| entry.require_end = false)
}

#[test]
fn the_vector() {
    let links = endless(b"foobar");
    let hash = "rIOcC%2FF3DoEGo%2FvnESjSp7uU9zA9S%2F%2BOLhxgMexoPUM%3D";
    for query in [
        format!("_hash={hash}&baz=bay&foo=bar"),
        format!("baz=bay&foo=bar&_hash={hash}"),
        format!("foo=bar&_hash={hash}&baz=bay"),
        "_hash=rIOcC_F3DoEGo_vnESjSp7uU9zA9S_-OLhxgMexoPUM&baz=bay&foo=bar".to_owned(),
    ] {
        assert_eq!(links.cause(&format!("http://example.com/foo?{query}"), NOW), None, "{query}");
    }
}

#[test]
fn a_fragment_that_was_signed_cannot_be_verified() {
    let hash = "EhpAUyEobiM3QTrKxoLOtQq5IsWyWedoXDPqIjzNj5o%3D";
    let link = format!("http://example.com/foo?_hash={hash}&bar=foo&foo=bar#foobar");
    assert_eq!(endless(b"foobar").cause(&link, NOW), Some(Cause::TokenBadSignature));
    let message = "http://example.com/foo?bar=foo&foo=bar#foobar";
    assert_eq!(STANDARD.encode(mac(message, b"foobar")), hash.replace("%3D", "="));
}

#[test]
fn what_is_signed_is_let_in() {
    let expiry = ("_expiration", "1700000000");
    for parameters in [
        vec![expiry],
        vec![("foo", "bar"), expiry, ("0", "integer")],
        vec![("a[b][c]", "1"), ("a[b][d]", "2"), ("a[0]", "x"), expiry],
        vec![("a", ""), ("b-c", "~ /?&=+%é\u{0}"), ("A_1", "x"), expiry],
        vec![("a[b c]", "1"), ("a[+]", "1"), ("ab", "2"), expiry],
    ] {
        for link in [
            signed("https://h:8443/a/b%7e", &parameters, KEY),
            signed_as_before("https://h/", &parameters, KEY),
        ] {
            let grant = links().verify(&link, NOW).unwrap_or_else(|refusal| panic!("{link}: {refusal:?}"));
            assert_eq!(grant.stated().end, Some(End::Before(UnixTime::from_seconds(EXPIRES))));
            assert_eq!(links().cause(&link, EXPIRES), Some(Cause::TokenExpired));
        }
    }
}

#[test]
fn a_link_without_an_expiry_is_refused_unless_it_is_not_required() {
    let link = signed("https://h/a", &[], KEY);
    assert_eq!(links().cause(&link, NOW), Some(Cause::TokenMissingClaim));
    assert_eq!(endless(KEY).cause(&link, NOW), None);
    for expiry in ["", "0x10", "-1", "1e9", "99999999999999999999", "01", "tomorrow"] {
        let link = signed("https://h/a", &[("_expiration", expiry)], KEY);
        assert_eq!(endless(KEY).cause(&link, NOW), Some(Cause::TokenMalformed), "{expiry}");
    }
    for name in ["_expiration[0]", "_expiration[a][b]"] {
        let link = signed("https://h/a", &[(name, "1")], KEY);
        assert_eq!(
            endless(KEY).cause(&link, NOW),
            Some(Cause::TokenMalformed),
            "{name}: an array is greater than any time"
        );
    }
}

#[test]
fn names_that_php_reads_in_another_way_are_malformed() {
    for raw in [
        "a.b=1",
        "a+b=1",
        "+a=1",
        "a%00b=1",
        "=1",
        "",
        "a",
        "a[]=1",
        "a%5B%5D=1",
        "a%5Bb=1",
        "a%5Bb%5Dc=1",
        "a%5B+b%5D=1",
        "a%5B%0Ab%5D=1",
        "%5Bb%5D=1",
        "a%5D=1",
        "a%5Bb%5D%5D=1",
        "a[b]=1",
        "a=1=2",
        "a=%20",
        "a=%7e",
        "a=~",
        "a=%2f",
        "a=/",
        "a=%41",
        "%61=1",
        "a=%",
        "a=%4",
        "a=é",
        "a=\"",
        "a;b=1",
    ] {
        // Signed with it as it stands, so that it is not the signature that refuses.
        let hash = URL_SAFE_NO_PAD.encode(mac(&format!("https://h/?{raw}"), KEY));
        let link = format!("https://h/?_hash={hash}&{raw}");
        assert_eq!(endless(KEY).cause(&link, NOW), Some(Cause::TokenMalformed), "{raw}");
    }
}

#[test]
fn of_two_parameters_with_one_name_none_is_taken() {
    for pair in ["a=1&a=2", "a=1&a%5Bb%5D=2", "a%5Bb%5D=1&c=2&a%5Bb%5D=3", "a%5Bb%5D%5Bc%5D=1&a%5Bb%5D=3"] {
        let hash = URL_SAFE_NO_PAD.encode(mac(&format!("https://h/?{pair}"), KEY));
        let link = format!("https://h/?_hash={hash}&{pair}");
        assert_eq!(endless(KEY).cause(&link, NOW), Some(Cause::TokenMalformed), "{pair}");
    }
    let many: Vec<String> = (0..1000).map(|n| format!("p{n:04}=")).collect();
    let link = |query: &str| {
        let hash = URL_SAFE_NO_PAD.encode(mac(&format!("https://h/?{query}"), KEY));
        format!("https://h/?{query}&_hash={hash}")
    };
    assert_eq!(endless(KEY).cause(&link(&many[1..].join("&")), NOW), None);
    assert_eq!(endless(KEY).cause(&link(&many.join("&")), NOW), Some(Cause::TokenMalformed));
    let deep = |depth: usize| format!("a{}=1", "%5B1%5D".repeat(depth));
    assert_eq!(endless(KEY).cause(&link(&deep(64)), NOW), None);
    assert_eq!(endless(KEY).cause(&link(&deep(65)), NOW), Some(Cause::TokenMalformed));
}

#[test]
fn refused_variants() {
    let good =
        signed_as_before("https://h/a/b", &[("x", "~ "), ("y", "1"), ("_expiration", "1700000000")], KEY);
    assert_eq!(links().cause(&good, NOW), None, "{good}");
    use Cause::{RequestAmbiguous, TokenBadSignature, TokenMalformed};
    for (was, is, cause) in [
        ("/a/b", "/a/b/", TokenBadSignature),
        ("/a/b", "/a%2Fb", TokenBadSignature),
        ("/a/b", "/%61/b", TokenBadSignature),
        ("https", "http", TokenBadSignature),
        ("//h/", "//H/", TokenBadSignature),
        ("%7E", "%7e", TokenMalformed),
        ("%7E", "~", TokenMalformed),
        ("+", "%20", TokenMalformed),
        ("y=1", "y=1&y=1", TokenMalformed),
        ("y=1", "y=1&", TokenMalformed),
        ("y=1", "y=1&z=", TokenBadSignature),
        ("&y=1", "", TokenBadSignature),
        ("1700000000", "1700000001", TokenBadSignature),
        ("1700000000", "%31700000000", TokenMalformed),
        ("1700000000", "+1700000000", TokenMalformed),
        ("_expiration", "%5Fexpiration", TokenMalformed),
        ("_expiration", "_Expiration", TokenBadSignature),
        ("_hash=", "%5Fhash=", TokenMalformed),
        ("_hash=", "_hash=x&_hash=", RequestAmbiguous),
        ("_hash=", "%5Fhash=x&_hash=", RequestAmbiguous),
        ("_expiration=", "_expiration=1&_expiration=", RequestAmbiguous),
        ("%3D", "=", TokenMalformed),
        ("%3D", "%3d", TokenMalformed),
        ("%3D", "%3D%3D", TokenMalformed),
        ("_hash=", "_hash=A", TokenMalformed),
        ("_hash=", "_hash=AAAA", TokenBadSignature),
    ] {
        let link = good.replacen(was, is, 1);
        assert_ne!(link, good, "{was}");
        assert_eq!(links().cause(&link, NOW), Some(cause), "{link}");
    }
}

#[test]
fn a_tag_has_one_spelling_in_each_alphabet() {
    let tag = [0xFB; 32];
    let standard = urlencode(&STANDARD.encode(tag));
    let url_safe = URL_SAFE_NO_PAD.encode(tag);
    assert_eq!(tag_of(&standard).as_deref(), Some(&tag[..]));
    assert_eq!(tag_of(&url_safe).as_deref(), Some(&tag[..]));
    for bad in [
        STANDARD.encode(tag),
        standard.replace("%3D", ""),
        standard.replace("%2B", "+"),
        standard.replace("%2B", "-"),
        format!("{url_safe}="),
        format!("{url_safe}%3D"),
        format!("{}t", &url_safe[..42]), // unused bits that are set
    ] {
        assert_eq!(tag_of(&bad), None, "{bad}");
    }
}

fn parameter() -> impl Strategy<Value = (String, String)> {
    ("[a-cA-C0-9_-]{1,3}(\\[[a-c0-9 +]{0,2}[a-c0-9]\\])?", "\\PC{0,6}")
}

proptest! {
    #[test]
    fn signed_then_verified(path in "(/[a-z%2F~]{0,4}){1,4}", all in proptest::collection::vec(parameter(), 0..6)) {
        let mut parameters: Vec<(&str, &str)> = vec![("_expiration", "1700000000")];
        for (name, value) in &all {
            let clashes = |(other, _): &(&str, &str)| other.split('[').next() == name.split('[').next();
            if !parameters.iter().any(clashes) && !name.contains("[ ") {
                parameters.push((name, value));
            }
        }
        let url = format!("https://h{path}");
        for link in [signed(&url, &parameters, KEY), signed_as_before(&url, &parameters, KEY)] {
            prop_assert_eq!(links().cause(&link, NOW), None, "{}", link);
        }
        let other = signed(&url, &parameters, b"another key");
        prop_assert_eq!(links().cause(&other, NOW), Some(Cause::TokenBadSignature));
    }

    #[test]
    fn any_changed_octet_is_refused(at in 0_usize..200, to in proptest::char::range(' ', '~'), before in any::<bool>()) {
        let parameters = [("x", "~ +"), ("a[b]", "1"), ("_expiration", "1700000000")];
        let sign = if before { signed_as_before } else { signed };
        let link = sign("https://h/a/b%7e", &parameters, KEY);
        let at = at % link.len();
        let mut changed = link.clone();
        changed.replace_range(at..=at, to.encode_utf8(&mut [0; 4]));
        // A fragment is not sent.
        prop_assume!(changed != link && to != '#');
        let none = FieldList::default();
        prop_assume!(RequestFacts::new("GET", &changed, &none).is_ok());
        prop_assert!(links().cause(&changed, NOW).is_some(), "{}", changed);
    }

    #[test]
    fn never_panics(rest in "\\PC{0,80}") {
        let _ = endless(KEY).cause(&format!("https://h/?{rest}&_hash={rest}"), NOW);
    }

    #[test]
    fn decoding_is_the_inverse_of_urlencode(text in "\\PC{0,20}") {
        prop_assert_eq!(decoded(&urlencode(&text)), Some(text.clone().into_bytes()));
        if let Some(octets) = decoded(&text) {
            prop_assert_eq!(urlencode(&String::from_utf8_lossy(&octets)) == text || String::from_utf8(octets).is_err(), true);
        }
    }
}
