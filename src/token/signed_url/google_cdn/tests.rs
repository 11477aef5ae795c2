use crate::policy::Format;
use crate::policy::HmacAlgorithm::Hs1;
use crate::request::FieldList;
use crate::token::mac::MacKey;
use crate::token::signed_url::decode;
use crate::token::signed_url::testing::Links;
use crate::token::signed_url::testing::changes;
use crate::verdict::Cause;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use proptest::prelude::*;

/// The end of the vendor's samples.
const EXP: i64 = 1_549_751_401;
const NOW: i64 = EXP - 300;

/// The key of the vendor's samples.
fn key() -> Vec<u8> {
    decode::base64url_padded("nZtRohdNF9m3cKM24IcK4w==").expect("base64url")
}

fn links() -> Links {
    Links::new(Format::GoogleCdn, &[("my-key", Hs1, &key())], |_| ())
}

/// The construction, from its documentation.
fn signature(key: &[u8], message: &str) -> String {
    URL_SAFE.encode(MacKey::new(Hs1, key).tag(&[message.as_bytes()]).as_bytes())
}

/// `message` with its signature.
fn signed(message: &str) -> String {
    format!("{message}&Signature={}", signature(&key(), message))
}

fn policy(prefix: &str) -> String {
    format!("URLPrefix={}&Expires={EXP}&KeyName=my-key", URL_SAFE.encode(prefix))
}

fn cookie(value: &str) -> FieldList {
    FieldList::new([("Cookie", format!("Cloud-CDN-Cookie={value}"))])
}

fn cookie_cause(uri: &str, value: &str, now: i64) -> Option<Cause> {
    links().verify_with(uri, &cookie(value), now).err().map(|refusal| refusal.cause)
}

#[test]
fn urls_of_the_vendors_samples() {
    for (url, signature) in [
        ("http://35.186.234.33/index.html?", "CRFqQnVfFyiUyR63OQf-HRUpIwc="),
        ("http://www.example.com/?", "OqDUFfHpN5Vxga6r80bhsgxKves="),
        ("http://www.example.com/some/path?some=query&another=param&", "9Q9TCxSju8-W5nUkk5CuTrun2_o="),
    ] {
        let uri = format!("{url}Expires={EXP}&KeyName=my-key&Signature={signature}");
        assert_eq!(links().cause(&uri, EXP), None, "{uri}");
        assert_eq!(links().cause(&uri, EXP + 1), Some(Cause::TokenExpired));
    }
}

#[test]
fn prefixes_of_the_vendors_samples() {
    let policy = policy("http://www.example.com/some/");
    let token = format!("{policy}&Signature=3th4ThmpS95I1TAKYyYSCSq3dnQ=");
    for (uri, wanted) in [
        (format!("http://www.example.com/some/path?{token}"), None),
        (format!("http://www.example.com/some/?{token}"), None),
        (format!("http://www.example.com/some/path?some=query&{token}"), None),
        (format!("http://www.example.com/some/path?{token}&some=query"), None),
        (format!("http://www.example.com/some?{token}"), Some(Cause::TokenWrongScope)),
        (format!("http://www.example.com/some/../x?{token}"), Some(Cause::TokenWrongScope)),
        (format!("http://www.example.com/some/%2e%2e/x?{token}"), Some(Cause::TokenWrongScope)),
        (format!("http://www.example.com/some/..%2fx?{token}"), Some(Cause::TokenWrongScope)),
        (format!("http://www.example.com/s%6fme/x?{token}"), Some(Cause::TokenWrongScope)),
        (format!("http://www.example.com/other?{token}"), Some(Cause::TokenWrongScope)),
        (format!("https://www.example.com/some/path?{token}"), Some(Cause::TokenWrongScope)),
        (format!("http://www.example.com:8080/some/path?{token}"), Some(Cause::TokenWrongScope)),
        (format!("http://www.example.com.evil/some/path?{token}"), Some(Cause::TokenWrongScope)),
    ] {
        assert_eq!(links().cause(&uri, EXP), wanted, "{uri}");
    }
    let key = decode::base64url_padded("aaaaaaaaaaaaaaaaaaaaaQ==").expect("base64url");
    let java = Links::new(Format::GoogleCdn, &[("my-key", Hs1, &key)], |_| ());
    let uri = "https://media.example.com/videos/id/main.m3u8?userID=abc123&starting_profile=1&URLPrefix=\
               aHR0cHM6Ly9tZWRpYS5leGFtcGxlLmNvbS92aWRlb3Mv&Expires=1518135754&KeyName=my-key&Signature=\
               SPov5sp5XKefUpuJaqUckinUO_4=";
    assert_eq!(java.cause(uri, 1_518_135_754), None);
}

#[test]
fn the_cookie_of_the_vendors_samples() {
    let value = "URLPrefix=aHR0cDovL3d3dy5leGFtcGxlLmNvbS9mb28v:Expires=1549751401:KeyName=my-key:\
                 Signature=Z9uYAu73YHioRScZDxnP-TnS274=";
    for (uri, wanted) in [
        ("http://www.example.com/foo/", None),
        ("http://www.example.com/foo/a/b?c", None),
        ("http://www.example.com/foo", Some(Cause::TokenWrongScope)),
        ("http://www.example.com/foo/%2e%2e/", Some(Cause::TokenWrongScope)),
        ("https://www.example.com/foo/", Some(Cause::TokenWrongScope)),
        ("http://example.com/foo/", Some(Cause::TokenWrongScope)),
    ] {
        assert_eq!(cookie_cause(uri, value, EXP), wanted, "{uri}");
    }
    let uri = "http://www.example.com/foo/";
    assert_eq!(cookie_cause(uri, value, EXP + 1), Some(Cause::TokenExpired));
    for changed in changes::of(value) {
        // White space and separators of the field end a cookie; none of these are octets that are tried.
        assert!(cookie_cause(uri, &changed, NOW).is_some(), "{changed}");
    }
    let twice = FieldList::new([("Cookie", format!("Cloud-CDN-Cookie={value}; Cloud-CDN-Cookie=x"))]);
    assert_eq!(links().verify_with(uri, &twice, NOW).err().map(|it| it.cause), Some(Cause::RequestAmbiguous));
}

#[test]
fn only_get_and_head() {
    let grant = links().verify(&signed(&format!("http://h/a?Expires={EXP}&KeyName=my-key")), NOW);
    assert_eq!(grant.expect("let in").stated().scope.methods, ["GET"]);
    let grant = links().verify(&format!("http://h/a?{}", signed(&policy("http://h/"))), NOW);
    assert_eq!(grant.expect("let in").stated().scope.methods, ["GET"]);
}

#[test]
fn the_key_is_the_one_that_is_named() {
    let keys: &[(&str, _, &[u8])] = &[("a", Hs1, b"the first of two"), ("b", Hs1, b"second of them, ")];
    let links = Links::new(Format::GoogleCdn, keys, |_| ());
    let uri = |name: &str, key: &[u8]| {
        let message = format!("http://h/x?Expires={EXP}&KeyName={name}");
        format!("{message}&Signature={}", signature(key, &message))
    };
    assert_eq!(links.cause(&uri("a", keys[0].2), NOW), None);
    assert_eq!(links.cause(&uri("b", keys[1].2), NOW), None);
    assert_eq!(links.cause(&uri("a", keys[1].2), NOW), Some(Cause::TokenBadSignature));
    for unknown in ["c", "A", "%61", "a%00"] {
        assert_eq!(links.cause(&uri(unknown, keys[0].2), NOW), Some(Cause::TokenUnknownKey), "{unknown}");
    }
}

#[test]
fn every_other_form_is_malformed_though_it_is_signed() {
    for parameters in [
        "Expires=+1549751401&KeyName=my-key",
        "Expires=01549751401&KeyName=my-key",
        "Expires=1e10&KeyName=my-key",
        "Expires=1549751401.0&KeyName=my-key",
        "Expires=0x5c5f5a29&KeyName=my-key",
        "Expires=-1&KeyName=my-key",
        "Expires=99999999999999999999&KeyName=my-key",
        "Expires=1549751401%00&KeyName=my-key",
        "Expires=&KeyName=my-key",
        "Expires&KeyName=my-key",
        "KeyName=my-key",
        "KeyName=my-key&Expires=1549751401",
        "Expires=1549751401",
        "Expires=1549751401&KeyName=",
        "Expires=1549751401&KeyName=my-key&x=1",
        "Expires=1549751401&x=1&KeyName=my-key",
        "Expires=1549751401&&KeyName=my-key",
        "expires=1549751401&keyname=my-key",
        "Exp%69res=1549751401&KeyName=my-key",
        "URLPrefix=&Expires=+1&KeyName=my-key",
        "URLPrefix=a&Expires=1549751401&KeyName=my-key",
        "URLPrefix=aHR0cDovL2gvYWI&Expires=1549751401&x=1&KeyName=my-key",
    ] {
        for message in [format!("http://h/a?{parameters}"), format!("http://h/a?y=1&{parameters}")] {
            let uri = signed(&message);
            assert_eq!(links().cause(&uri, NOW), Some(Cause::TokenMalformed), "{uri}");
        }
    }
}

#[test]
fn a_signature_has_one_spelling_and_one_place() {
    let message = format!("http://h/a?Expires={EXP}&KeyName=my-key");
    let good = signature(&key(), &message);
    assert!(good.ends_with('='), "20 octets need one");
    let last = |octet: char| format!("{}{octet}=", &good[..good.len() - 2]);
    let mut bad = vec![
        good.trim_end_matches('=').to_owned(),
        format!("{good}="),
        format!("{}%3D", good.trim_end_matches('=')),
        good.replace(['-', '_'], "%2d"),
        format!("{good}%00"),
        format!("{good}&x=1"),
        format!("{good}&"),
        format!("+{good}"),
        String::new(),
    ];
    bad.extend("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/".chars().map(last));
    bad.retain(|it| *it != good);
    for signature in bad {
        let uri = format!("{message}&Signature={signature}");
        assert!(links().cause(&uri, NOW).is_some(), "{uri}");
    }
    for front in
        [format!("http://h/a?Signature={good}"), format!("http://h/a?Expires={EXP}&Signature={good}")]
    {
        let uri = format!("{front}&Expires={EXP}&KeyName=my-key");
        assert!(links().cause(&uri, NOW).is_some(), "{uri}");
    }
}

#[test]
fn twice_is_ambiguous() {
    let good = signed(&format!("http://h/a?Expires={EXP}&KeyName=my-key"));
    for other in ["Signature=x", "Signature", "Expires=1", "KeyName=my-key", "%53ignature=x"] {
        let wanted = Some(Cause::RequestAmbiguous);
        assert_eq!(links().cause(&format!("{good}&{other}"), NOW), wanted, "{other}");
        let front = good.replace('?', &format!("?{other}&"));
        assert_eq!(links().cause(&front, NOW), wanted, "{other}");
    }
    // Two of a name that were signed are two all the same.
    let uri = signed(&format!("http://h/a?Expires=9999999999&Expires={EXP}&KeyName=my-key"));
    assert_eq!(links().cause(&uri, NOW), Some(Cause::RequestAmbiguous));
}

#[test]
fn what_was_signed_is_what_is_asked_for() {
    for (signed_part, asked) in [
        ("http://h/a/b?", "http://h/a%2Fb?"),
        ("http://h/a%2Fb?", "http://h/a%2fb?"),
        ("http://h/a%7Eb?", "http://h/a~b?"),
        ("http://h/a?x=~&", "http://h/a?x=%7e&"),
        ("http://h/a?x=%20&", "http://h/a?x=+&"),
        ("http://h/a?x=1&y=2&", "http://h/a?y=2&x=1&"),
        ("http://h/a?", "https://h/a?"),
        ("http://h/a?", "http://h:8787/a?"),
        ("http://h/a?", "http://g/a?"),
        ("http://h/a?", "http://h/A?"),
        ("http://h/a?", "http://h//a?"),
        ("http://h/a?", "http://h/a/?"),
        ("http://h/a?", "http://h/a%00?"),
        ("http://h/a?", "http://h/a?x=1&"),
        ("http://h/a?", "http://h/a?&"),
    ] {
        let rest = format!("Expires={EXP}&KeyName=my-key");
        let signature = signature(&key(), &format!("{signed_part}{rest}"));
        let uri = |url: &str| format!("{url}{rest}&Signature={signature}");
        assert_eq!(links().cause(&uri(signed_part), NOW), None, "{signed_part}");
        assert_eq!(links().cause(&uri(asked), NOW), Some(Cause::TokenBadSignature), "{asked}");
    }
}

#[test]
fn a_prefix_has_a_scheme_and_a_host_and_no_query() {
    for (prefix, wanted) in [
        ("http://h", None),
        ("http://h/", None),
        ("http://h/a", None),
        ("http://h/a/b.c", None),
        ("http://h/b", Some(Cause::TokenWrongScope)),
        ("https://h/", Some(Cause::TokenWrongScope)),
        ("http://H/", Some(Cause::TokenWrongScope)),
        ("http://", Some(Cause::TokenMalformed)),
        ("http:///a", Some(Cause::TokenMalformed)),
        ("ftp://h/", Some(Cause::TokenMalformed)),
        ("//h/", Some(Cause::TokenMalformed)),
        ("h/", Some(Cause::TokenMalformed)),
        ("/", Some(Cause::TokenMalformed)),
        ("http://h/a?x", Some(Cause::TokenMalformed)),
        ("http://h?x", Some(Cause::TokenMalformed)),
        ("http://h/a#x", Some(Cause::TokenMalformed)),
        ("http://ann@h/", Some(Cause::TokenMalformed)),
        ("http://h\\/", Some(Cause::TokenMalformed)),
    ] {
        let uri = format!("http://h/a/b.c?{}", signed(&policy(prefix)));
        assert_eq!(links().cause(&uri, NOW), wanted, "{prefix}");
    }
    // Padding is signed as it is written, and either is: the one is not good for the other.
    let padded = policy("http://h/ab");
    assert!(padded.contains("=&"), "{padded}");
    let bare = padded.replace("=&", "&");
    for policy in [&padded, &bare] {
        let other = if *policy == padded { &bare } else { &padded };
        let signature = signature(&key(), policy);
        let uri = |policy: &str| format!("http://h/abc?{policy}&Signature={signature}");
        assert_eq!(links().cause(&uri(policy), NOW), None, "{policy}");
        assert_eq!(links().cause(&uri(other), NOW), Some(Cause::TokenBadSignature), "{other}");
    }
}

#[test]
fn one_form_is_none_of_the_others() {
    // The cookie's fields in a query, and the query's in a cookie.
    let policy = policy("http://h/");
    let colons = policy.replace('&', ":");
    let in_cookie = format!("{colons}:Signature={}", signature(&key(), &policy));
    assert_eq!(cookie_cause("http://h/a", &in_cookie, NOW), Some(Cause::TokenBadSignature));
    let in_query = format!("http://h/a?{policy}&Signature={}", signature(&key(), &colons));
    assert_eq!(links().cause(&in_query, NOW), Some(Cause::TokenBadSignature));
    assert_eq!(cookie_cause("http://h/a", &signed(&policy), NOW), Some(Cause::TokenMalformed));
    // A cookie names a prefix, always.
    let message = format!("Expires={EXP}:KeyName=my-key");
    let bare = format!("{message}:Signature={}", signature(&key(), &message));
    assert_eq!(cookie_cause("http://h/a", &bare, NOW), Some(Cause::TokenMalformed));
}

#[test]
fn parameters_may_have_other_names() {
    let settings = ["sig", "until", "key", "prefix"].map(str::to_owned).to_vec();
    let links = Links::new(Format::GoogleCdn, &[("my-key", Hs1, &key())], |it| it.parameters = settings);
    let message = format!("http://h/a?until={EXP}&key=my-key");
    let uri = format!("{message}&sig={}", signature(&key(), &message));
    assert_eq!(links.cause(&uri, NOW), None);
    let vendors = signed(&format!("http://h/a?Expires={EXP}&KeyName=my-key"));
    assert_eq!(links.cause(&vendors, NOW), Some(Cause::CredentialsMissing));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_url_is_good_and_nothing_near_it_is(
        key in prop::collection::vec(any::<u8>(), 1..40),
        authority in "[a-z]{1,8}(:[1-9][0-9]{1,3})?",
        path in "[a-z0-9%._/~-]{1,12}",
        query in prop::option::of("[a-z0-9=%._~&-]{1,12}"),
        exp in 1_700_000_000_i64..99_999_999_999,
    ) {
        let query = query.map(|query| query + "&").unwrap_or_default();
        let rest = format!("{authority}/{path}?{query}Expires={exp}&KeyName=k");
        let signature = signature(&key, &format!("https://{rest}"));
        let uri = format!("{rest}&Signature={signature}");
        let links = Links::new(Format::GoogleCdn, &[("k", Hs1, &key)], |_| ());
        let (first, uri) = uri.split_at(1);
        changes::are_refused(&links, [&format!("https://{first}"), uri, ""], exp);
        for end in ["&", "&x=1"] {
            let longer = format!("https://{first}{uri}{end}");
            prop_assert_eq!(links.cause(&longer, exp), Some(Cause::TokenMalformed));
        }
        for at in 0..key.len() {
            let mut changed = key.clone();
            changed[at] ^= 1;
            let other = Links::new(Format::GoogleCdn, &[("k", Hs1, &changed)], |_| ());
            let cause = other.cause(&format!("https://{first}{uri}"), exp);
            prop_assert_eq!(cause, Some(Cause::TokenBadSignature));
        }
    }

    #[test]
    fn a_prefix_is_good_below_it_and_nothing_near_it_is(
        folder in "[a-z0-9]{1,8}",
        file in "[a-z0-9]{0,8}",
        exp in 1_700_000_000_i64..99_999_999_999,
    ) {
        let prefix = URL_SAFE.encode(format!("https://h.example/{folder}/"));
        let token = signed(&format!("URLPrefix={prefix}&Expires={exp}&KeyName=my-key"));
        let (first, rest) = token.split_at(1);
        let before = format!("https://h.example/{folder}/{file}?{first}");
        changes::are_refused(&links(), [&before, rest, ""], exp);
        let elsewhere = format!("https://h.example/_{folder}/{file}?{token}");
        prop_assert_eq!(links().cause(&elsewhere, exp), Some(Cause::TokenWrongScope));
    }
}

proptest! {
    #[test]
    fn reading_never_panics(
        path in "[ -~é\u{0}]{0,20}",
        value in "\\PC{0,60}",
        near in "(URLPrefix|Expires|KeyName|Signature|my-key|[&:=?/]|=+|[0-9A-Za-z]{2}){0,30}",
    ) {
        for value in [&value, &near, &format!("Expires=1&KeyName=my-key&Signature={near}")] {
            for query in [value.clone(), value.replace(':', "&")] {
                let uri = format!("https://h.example/{path}?{query}");
                prop_assert!(links().cause(&uri, NOW).is_some());
            }
            let value = value.replace('&', ":");
            prop_assert!(cookie_cause("https://h.example/", &value, NOW).is_some());
        }
    }
}
