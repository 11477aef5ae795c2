use super::super::testing::Links;
use super::*;
use crate::request::{FieldList, RequestFacts};
use crate::token::mac::MacKey;
use crate::token::to_base64url;
use crate::verdict::Cause;
use proptest::prelude::*;

const KEY: &[u8] = b"my_very_secret_key";
const ISSUED: i64 = 1_700_000_000;
const MAC: &str = "ESctZsZH2Y4NDmNR8KbwM21UUVFnmd7UPHlC8aRU2e8";

fn links() -> Links {
    Links::new(Format::NginxHmac, &[("a", HmacAlgorithm::Hs256, KEY)], |_| {})
}

fn with(pattern: &str, settings: impl FnOnce(&mut LinkEntry)) -> Links {
    Links::new(Format::NginxHmac, &[("a", HmacAlgorithm::Hs256, KEY)], |entry| {
        entry.pattern = Some(pattern.to_owned());
        settings(entry);
    })
}

/// What signs, from the construction.
fn mac(message: &str) -> String {
    to_base64url(MacKey::new(HmacAlgorithm::Hs256, KEY).tag(&[message.as_bytes()]).as_bytes())
}

/// A link to `path`, which nginx decodes to `uri`.
fn link(path: &str, uri: &str, time: &str, lifetime: &str) -> String {
    let mac = mac(&[uri, time, lifetime].join("|"));
    format!("https://h{path}?st={mac}&ts={time}&e={lifetime}")
}

fn cause(uri: &str) -> Option<Cause> {
    links().cause(uri, ISSUED)
}

#[test]
fn derived_vector() {
    let uri = format!("https://h/files/top_secret.pdf?st={MAC}&ts=1700000000&e=60");
    assert_eq!(link("/files/top_secret.pdf", "/files/top_secret.pdf", "1700000000", "60"), uri);
    let grant = links().verify(&uri, ISSUED).expect("a good link");
    assert_eq!(grant.stated().end, Some(End::Through(UnixTime::from_seconds(ISSUED + 60))));
    assert_eq!(links().cause(&uri, ISSUED + 60), None);
    assert_eq!(links().cause(&uri, ISSUED + 61), Some(Cause::TokenExpired));
    assert_eq!(cause(&uri.replace("top", "not")), Some(Cause::TokenBadSignature));
    let moved = format!("https://h/files/top_secret.pdf?x=1&e=60&ts=1700000000&&st={MAC}&y");
    assert_eq!(cause(&moved), None, "the query is not signed");
}

#[test]
fn longer_tags() {
    for algorithm in [HmacAlgorithm::Hs384, HmacAlgorithm::Hs512] {
        let links = Links::new(Format::NginxHmac, &[("a", algorithm, KEY)], |_| {});
        let tag = to_base64url(MacKey::new(algorithm, KEY).tag(&[b"/a|1700000000|60"]).as_bytes());
        assert_eq!(links.cause(&format!("https://h/a?st={tag}&ts=1700000000&e=60"), ISSUED), None);
        assert_eq!(
            cause(&format!("https://h/a?st={tag}&ts=1700000000&e=60")),
            Some(Cause::TokenBadSignature)
        );
    }
}

#[test]
fn forms_of_a_time() {
    for time in [
        "1700000000",
        "2023-11-14T22:13:20+00:00",
        "2023-11-14T22:13:20Z",
        "2023-11-15T03:43:20+05:30",
        "2023-11-14T14:13:20-08:00",
        "2023-11-14T22%3A13%3A20%2B00%3A00",
        "Tue,%2014%20Nov%202023%2022:13:20%20GMT",
    ] {
        let uri = link("/t", "/t", time, "3600");
        let grant = links().verify(&uri, ISSUED + 3600).expect(time);
        assert_eq!(grant.stated().issued, Some(UnixTime::from_seconds(ISSUED)), "{time}");
        assert_eq!(links().cause(&uri, ISSUED + 3601), Some(Cause::TokenExpired), "{time}");
    }
    for time in [
        "",
        "0",
        "1234abc",
        "+1700000000",
        "01700000000",
        "1.7e9",
        "1e9",
        "-1",
        "0x6553f100",
        "170000000000",
        "99999999999999999999",
        "%31700000000",
        "1700000000%00",
        "1700000000\0",
        "2025-06-01",
        "2025-13-01T00:00:00+00:00",
        "2025-06-32T00:00:00+00:00",
        "2025-06-01T25:00:00+00:00",
        "1969-12-31T23:59:59+00:00",
        "2025-06-01T00:00:00+24:00",
        "2025-06-01T00:00:00",
        "Mon,%2014%20Nov%202023%2022:13:20%20GMT",
    ] {
        assert_eq!(cause(&link("/t", "/t", time, "3600")), Some(Cause::TokenMalformed), "{time}");
    }
}

#[test]
fn a_link_that_never_expires_is_for_those_who_ask_for_it() {
    let endless = with("$uri|$arg_ts|$arg_e", |entry| entry.require_end = false);
    let zero = link("/t", "/t", "1700000000", "0");
    let none = format!("https://h/t?st={}&ts=1700000000", mac("/t|1700000000|"));
    let nothing = format!("https://h/t?st={}", mac("/t||"));
    for uri in [&zero, &none, &nothing] {
        assert_eq!(cause(uri), Some(Cause::TokenMissingClaim), "{uri}");
        assert_eq!(endless.cause(uri, ISSUED + 1_000_000_000), None, "{uri}");
    }
    for lifetime in ["-1", "+60", "060", "00", "1e9", "60.0", "60s", "%360", "99999999999999999999"] {
        let uri = link("/t", "/t", "1700000000", lifetime);
        assert_eq!(endless.cause(&uri, ISSUED), Some(Cause::TokenMalformed), "{lifetime}");
    }
}

#[test]
fn the_path_is_decoded_and_has_one_spelling() {
    for (path, uri) in [
        ("/a b", None),
        ("/a%20b", Some("/a b")),
        ("/caf%C3%A9", Some("/café")),
        ("/café", None),
        ("/caf%c3%a9", None),
        ("/100%25", Some("/100%")),
        ("/a|b", None),
        ("/a%7Cb", Some("/a|b")),
        ("/a@b", Some("/a@b")),
        ("/a%40b", Some("/a@b")),
        ("/~ann", Some("/~ann")),
        ("/a/", Some("/a/")),
    ] {
        let signed = link(path, uri.unwrap_or("/café"), "1700000000", "60");
        assert_eq!(cause(&signed), if uri.is_some() { None } else { Some(Cause::TokenMalformed) }, "{path}");
    }
    for path in [
        "/%7Eann/x",
        "/%7eann/x",
        "/~ann%2Fx",
        "/~ann%2fx",
        "/~ann//x",
        "//~ann/x",
        "/~ann/./x",
        "/~ann/y/../x",
        "/~ann/%2e/x",
        "/~ann/x;y",
        "/~ann/x%3By",
        "/~ann/x%00",
        "/~ann/x%3Fy",
        "/~ann/x%23y",
        "/~ann\\x",
        "/~ann/%2578",
        "/~ann/%zz",
        "/~ann/%ff",
        "/~ann/%78",
    ] {
        let signed = link(path, "/~ann/x", "1700000000", "60");
        assert_eq!(cause(&signed), Some(Cause::TokenMalformed), "{path}");
    }
    for path in ["/~ann/X", "/~ann/x/", "/~ann/x+y", "/~ann/x%20y"] {
        let signed = link(path, "/~ann/x", "1700000000", "60");
        assert_eq!(cause(&signed), Some(Cause::TokenBadSignature), "{path}");
    }
}

#[test]
fn refused_variants() {
    for (query, wanted) in [
        (format!("st={MAC}&ts=1700000001&e=60"), Cause::TokenBadSignature),
        (format!("st={MAC}&ts=1700000000&e=61"), Cause::TokenBadSignature),
        (format!("st={MAC}&ts=1700000000"), Cause::TokenBadSignature),
        (format!("st={MAC}&e=60"), Cause::TokenMalformed),
        (format!("st={MAC}=&ts=1700000000&e=60"), Cause::TokenMalformed),
        (format!("st={MAC}%3D&ts=1700000000&e=60"), Cause::TokenMalformed),
        (format!("st={MAC}A&ts=1700000000&e=60"), Cause::TokenMalformed),
        (format!("st={MAC}-TOOLONG&ts=1700000000&e=60"), Cause::TokenMalformed),
        (format!("st={MAC}%00&ts=1700000000&e=60"), Cause::TokenMalformed),
        (format!("st={}&ts=1700000000&e=60", &MAC[..42]), Cause::TokenMalformed),
        (format!("st={}%38&ts=1700000000&e=60", &MAC[..42]), Cause::TokenMalformed),
        (format!("st={}&ts=1700000000&e=60", MAC.to_uppercase()), Cause::TokenBadSignature),
        ("st=BADHASHLENGTH&ts=1700000000&e=60".to_owned(), Cause::TokenMalformed),
        ("st=q-5vpkjBkRXXtkUMXiJVHA&ts=1700000000&e=60".to_owned(), Cause::TokenAlgorithm),
        ("st=wh6tMHxLgJqB6oY1uT73iMlyrOA&ts=1700000000&e=60".to_owned(), Cause::TokenAlgorithm),
        ("st=&ts=1700000000&e=60".to_owned(), Cause::TokenMalformed),
        ("st&ts=1700000000&e=60".to_owned(), Cause::TokenMalformed),
        (format!("st={MAC}&ts=1700000000&e=60&st=x"), Cause::RequestAmbiguous),
        (format!("e=99999&st={MAC}&ts=1700000000&e=60"), Cause::RequestAmbiguous),
        (format!("st={MAC}&ts=1700000000&e=60&%65=99999"), Cause::RequestAmbiguous),
        (format!("st={MAC}&ts=1700000000&%65=60"), Cause::TokenMalformed),
        (format!("s%74={MAC}&ts=1700000000&e=60"), Cause::TokenMalformed),
        (format!("ST={MAC}&ts=1700000000&e=60"), Cause::CredentialsMissing),
    ] {
        let uri = format!("https://h/files/top_secret.pdf?{query}");
        assert_eq!(cause(&uri), Some(wanted), "{query}");
    }
    // Of the last character two bits are not used.
    for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz012345679-_".chars() {
        let uri = format!("https://h/files/top_secret.pdf?st={}{last}&ts=1700000000&e=60", &MAC[..42]);
        assert!(cause(&uri).is_some(), "{uri}");
    }
}

#[test]
fn variables() {
    let fields = FieldList::new([("CF-Connecting-IP", "::ffff:203.0.113.9")]);
    for (pattern, signed) in [
        ("$uri|$arg_ts|$arg_e", "/a b|1700000000|60"),
        ("${uri}|${arg_ts}|${arg_e}", "/a b|1700000000|60"),
        ("x$uri|$arg_ts|$arg_e|y", "x/a b|1700000000|60|y"),
        ("$request_uri", "/a%20b?ts=1700000000&u=%7e&e=60"),
        ("$uri?$args", "/a b?ts=1700000000&u=%7e&e=60"),
        ("$scheme://$host$uri|$arg_ts|$arg_e", "https://shop.example/a b|1700000000|60"),
        ("$request_method $uri $remote_addr $arg_ts $arg_e", "GET /a b 203.0.113.9 1700000000 60"),
        ("$uri|$arg_u|$arg_ts|$arg_e", "/a b|%7e|1700000000|60"),
        ("$uri|$arg_none|$arg_ts|$arg_e", "/a b||1700000000|60"),
        ("$arg_e,$arg_ts$uri", "60,1700000000/a b"),
    ] {
        let links = with(pattern, |entry| assert_eq!(check_entry(entry), Ok(()), "{pattern}"));
        let uri = format!("https://Shop.Example:8443/a%20b?ts=1700000000&u=%7e&st={}&e=60", mac(signed));
        let outcome = links.verify_with(&uri, &fields, ISSUED);
        assert_eq!(outcome.err(), None, "{pattern}");
        let added = links.verify_with(&format!("{uri}&v=1"), &fields, ISSUED);
        assert_eq!(added.is_err(), pattern.contains("args") || pattern.contains("request_uri"), "{pattern}");
    }
    let unknown = with("$uri|$remote_addr|$arg_ts|$arg_e", |_| {});
    let uri = format!("https://h/a?ts=1700000000&st={}&e=60", mac("/a||1700000000|60"));
    assert_eq!(unknown.cause(&uri, ISSUED), Some(Cause::TokenMalformed));
    let smuggled = with("$uri|$arg_user|$arg_ts|$arg_e", |_| {});
    let uri = format!("https://h/a?ts=1700000000&st={}&e=60", mac("/a||1700000000|60"));
    assert_eq!(smuggled.cause(&uri, ISSUED), None);
    for added in ["us%65r=admin", "user", "us%65r"] {
        assert_eq!(smuggled.cause(&format!("{uri}&{added}"), ISSUED), Some(Cause::TokenMalformed), "{added}");
    }
    assert_eq!(smuggled.cause(&format!("{uri}&user=admin"), ISSUED), Some(Cause::TokenBadSignature));
}

#[test]
fn a_head_is_decided_as_a_get() {
    let entry = PRESET.defaults(0);
    for (method, wanted) in [("GET", "GET"), ("HEAD", "GET"), ("POST", "POST")] {
        let fields = FieldList::default();
        let facts = RequestFacts::new(method, "https://h/", &fields).expect("an absolute URI");
        let seen = Seen::new(&facts, "", &[]);
        assert_eq!(value("request_method", &seen, &entry).as_deref(), Ok(wanted.as_bytes()));
    }
}

#[test]
fn what_could_be_taken_apart_in_two_ways_is_refused() {
    let close = with("$uri$arg_ts$arg_e", |_| {});
    let at = |path: &str, mac: &str, time: &str, lifetime: &str, now: i64| {
        close.cause(&format!("https://h{path}?st={mac}&ts={time}&e={lifetime}"), now)
    };
    // Unix seconds: a link to /v2 would be one to /v until 2038.
    let mac_of_both = mac("/v2170000000560");
    assert_eq!(at("/v2", &mac_of_both, "1700000005", "60", ISSUED), Some(Cause::TokenMalformed));
    assert_eq!(at("/v", &mac_of_both, "2170000000", "560", ISSUED), Some(Cause::TokenMalformed));
    // A calendar's time says itself where it begins and ends: the module's README signs so.
    let time = "2023-11-14T22:13:20+00:00";
    let signed = mac(&format!("/v2{time}60"));
    assert_eq!(at("/v2", &signed, time, "60", ISSUED), None);
    assert_eq!(at("/v2", &signed, time, "60", ISSUED + 61), Some(Cause::TokenExpired));
    assert_eq!(at("/v", &signed, &format!("2{time}"), "60", ISSUED), Some(Cause::TokenMalformed));
    // A value with the separator in it.
    let three = with("$uri|$arg_user|$arg_ts|$arg_e", |_| {});
    let signed = mac("/a|b|c|1700000000|60");
    let at = |path: &str, user: &str| {
        three.cause(&format!("https://h{path}?st={signed}&user={user}&ts=1700000000&e=60"), ISSUED)
    };
    assert_eq!((at("/a%7Cb", "c"), at("/a", "b|c")), (None, Some(Cause::TokenMalformed)));
}

#[test]
fn times_that_are_not_signed_are_refused() {
    let bare = mac("/t");
    for (pattern, require_end, query, wanted) in [
        ("$uri", false, "", None),
        ("$uri", true, "", Some(Cause::TokenMissingClaim)),
        ("$uri", false, "&ts=1700000000&e=60", Some(Cause::TokenMalformed)),
        ("$uri", false, "&e=60", Some(Cause::TokenMalformed)),
        ("$uri", false, "&%65=60", Some(Cause::TokenMalformed)),
    ] {
        let links = with(pattern, |entry| entry.require_end = require_end);
        assert_eq!(
            links.cause(&format!("https://h/t?st={bare}{query}"), ISSUED),
            wanted,
            "{pattern} {query}"
        );
    }
    let half = with("$uri|$arg_ts", |_| {});
    let uri = format!("https://h/t?st={}&ts=1700000000&e=99999", mac("/t|1700000000"));
    assert_eq!(half.cause(&uri, ISSUED), Some(Cause::TokenMalformed));
    let renamed = with("$uri|$arg_ts|$arg_e", |entry| {
        entry.parameters = ["s", "t", "x"].map(str::to_owned).to_vec();
    });
    let uri = format!("https://h/t?s={}&t=1700000000&x=60", mac("/t||"));
    assert_eq!(renamed.cause(&uri, ISSUED), Some(Cause::TokenMalformed));
    let renamed = with("$uri|$arg_t|$arg_x", |entry| {
        entry.parameters = ["s", "t", "x"].map(str::to_owned).to_vec();
    });
    let uri = format!("https://h/t?s={}&t=1700000000&x=60", mac("/t|1700000000|60"));
    assert_eq!(renamed.cause(&uri, ISSUED), None);
}

#[test]
fn patterns_that_cannot_be_used() {
    for (pattern, expected) in [
        ("", "a pattern with the path: $uri or $request_uri"),
        ("/a", "a pattern with the path: $uri or $request_uri"),
        ("$args", "a pattern with the path: $uri or $request_uri"),
        ("$arg_ts|$arg_e", "a pattern with the path: $uri or $request_uri"),
        ("$uri|$", "a name after each $, as in $uri or ${uri}"),
        ("$uri|$$arg_ts", "a name after each $, as in $uri or ${uri}"),
        ("$uri|${arg_ts", "a name after each $, as in $uri or ${uri}"),
        ("$uri|${}", "a name after each $, as in $uri or ${uri}"),
        ("$uri|${arg-ts}", "a name after each $, as in $uri or ${uri}"),
        ("$uri$remote_addr", "something between $remote_addr and the path or query"),
        ("$uri$args", "something between $uri and the path or query"),
    ] {
        assert_eq!(check_pattern(pattern), Err(expected.to_owned()), "{pattern}");
    }
    for unknown in ["$uri|$http_cookie", "$uri|$arg_", "$uri|$secret", "$uri|$URI", "$urix"] {
        let error = check_pattern(unknown).expect_err(unknown);
        assert!(error.starts_with("$arg_NAME, $uri, ") && error.contains(" instead of $"), "{error}");
    }
    for good in [
        "$uri",
        "${uri}$arg_ts$arg_e",
        "$host$uri",
        "$request_uri",
        "$uri?$args",
        "$scheme://$host$request_uri",
    ] {
        assert_eq!(check_pattern(good), Ok(()), "{good}");
    }
}

#[test]
fn an_entry_signs_its_times() {
    let check = |pattern: Option<&str>, require_end: bool, names: [&str; 3]| {
        let mut entry = PRESET.defaults(0);
        entry.pattern = pattern.map(str::to_owned);
        entry.require_end = require_end;
        entry.parameters = names.map(str::to_owned).to_vec();
        check_entry(&entry)
    };
    let usual = ["st", "ts", "e"];
    for (pattern, require_end, names) in [
        (None, true, usual),
        (Some("$uri|$arg_t|$arg_x"), true, ["s", "t", "x"]),
        (Some("$request_uri"), true, usual),
        (Some("$uri?$args"), true, usual),
        (Some("$uri"), false, usual),
    ] {
        assert_eq!(check(pattern, require_end, names), Ok(()), "{pattern:?}");
    }
    for (pattern, require_end, names) in [
        (Some("$uri"), true, usual),
        (Some("$uri|$arg_ts"), true, usual),
        (Some("$uri|$arg_ts"), false, usual),
        (Some("$uri|$arg_e"), false, usual),
        (None, true, ["st", "t", "e"]),
        (Some("$nothing"), false, usual),
    ] {
        assert!(check(pattern, require_end, names).is_err(), "{pattern:?}");
    }
    let error = check(None, true, ["s", "t", "x"]).expect_err("other names");
    assert_eq!(error, "a pattern with $arg_t and $arg_x: what is not in it is not signed");
}

proptest! {
    #[test]
    fn what_is_signed_verifies_and_no_change_does(
        path in "/[a-z0-9_-][a-z0-9._~@-]{0,12}",
        lifetime in 1_u32..1_000_000,
        at: prop::sample::Index,
        octet in 0x21_u8..0x7f,
    ) {
        let uri = link(&path, &path, "1700000000", &lifetime.to_string());
        prop_assert_eq!(links().cause(&uri, ISSUED + i64::from(lifetime)), None);
        let other = Links::new(Format::NginxHmac, &[("a", HmacAlgorithm::Hs256, b"another")], |_| {});
        prop_assert!(other.cause(&uri, ISSUED).is_some());
        let mut changed = uri.clone().into_bytes();
        let at = 10 + at.index(changed.len() - 10);
        prop_assume!(changed[at] != octet && octet != b'#');
        changed[at] = octet;
        let changed = String::from_utf8(changed).expect("ASCII");
        prop_assert!(links().cause(&changed, ISSUED).is_some(), "{}", changed);
    }

    #[test]
    fn never_panics(path in "/\\PC{0,20}", time in "\\PC{0,30}", lifetime in "[0-9]{0,30}|\\PC{0,5}") {
        let _ = cause(&format!("https://h{path}?st={MAC}&ts={time}&e={lifetime}"));
    }

    #[test]
    fn patterns_never_panic(text in "([$]?[{]?(uri|args|arg_|ts|host)?[}]?\\PC{0,3}){0,6}") {
        let _ = check_pattern(&text);
        let _ = with(&text, |_| {}).cause(&link("/a", "/a", "1700000000", "60"), ISSUED);
    }
}
