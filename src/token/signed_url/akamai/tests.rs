use crate::policy::HmacAlgorithm::{self, Hs1, Hs256};
use crate::policy::{Format, LinkEntry, UrlMode};
use crate::request::FieldList;
use crate::token::mac::MacKey;
use crate::token::signed_url::testing::Links;
use crate::token::signed_url::testing::changes::{self, hex};
use crate::verdict::Cause;
use proptest::prelude::*;

/// `52a152a152a152a152a152a152a1`: the key of the official library's tests.
const KEY: &[u8] = &[0x52, 0xa1, 0x52, 0xa1, 0x52, 0xa1, 0x52, 0xa1, 0x52, 0xa1, 0x52, 0xa1, 0x52, 0xa1];
const NOW: i64 = 1_700_000_400;
const FIELDS: &str = "exp=1700000500";

fn links(settings: impl FnOnce(&mut LinkEntry)) -> Links {
    Links::new(Format::Akamai, &[("a", Hs256, KEY)], settings)
}

/// The construction, from its documentation: `sent` and what is signed besides.
fn signed(algorithm: HmacAlgorithm, key: &[u8], sent: &str, besides: &str) -> String {
    let tag = MacKey::new(algorithm, key).tag(&[sent.as_bytes(), besides.as_bytes()]);
    format!("{sent}~hmac={}", hex(tag.as_bytes()))
}

fn token(sent: &str, besides: &str) -> String {
    signed(Hs256, KEY, sent, besides)
}

fn at(path: &str, token: &str) -> String {
    format!("https://h.example{path}?hdnts={token}")
}

#[test]
fn what_the_official_library_makes_is_let_in() {
    let until = "st=1294788122~exp=1294788422";
    for (path, sent, hmac) in [
        ("/x", "acl=/*", "7fc9e05478171e3a7c221a7eb744c85ee583ff838287a372072a3fef317cc851"),
        ("/b/1.ts", "acl=/a/*!/b/?.ts", "8cd0251d83a29cf89870d0ccf16042bfd5db09b0dd523eec115e99414b80c12b"),
    ] {
        let uri = at(path, &format!("{until}~{sent}~hmac={hmac}"));
        assert_eq!(links(|_| ()).cause(&uri, 1_294_788_422), None, "{uri}");
        assert_eq!(links(|_| ()).cause(&uri, 1_294_788_423), Some(Cause::TokenExpired));
        assert_eq!(links(|_| ()).cause(&uri, 1_294_788_122 - 30), None, "leeway on st");
        assert_eq!(links(|_| ()).cause(&uri, 1_294_788_122 - 31), Some(Cause::TokenNotYetValid));
    }
    let url = "exp=1700000500~hmac=60ee3ae874fd3f5d18ee75a0621ac27ad4ec55cae2ed7c3bc36609d474e5526f";
    assert_eq!(links(|_| ()).cause(&at("/q_escape_ignore", url), NOW), None);
    let session = "exp=1700000500~id=SOME_SESSION_ID_DATA~hmac=\
                   5c427e1eb1d0ea5a533b4f943f3fb32701d45aee149f22bbddba195a61fcf272";
    assert_eq!(links(|_| ()).cause(&at("/q", session), NOW), None);
}

#[test]
fn every_name_and_place_is_looked_at() {
    let token = token(FIELDS, "~url=/q");
    for name in ["__token__", "hdnts", "hdnea"] {
        let uri = format!("https://h.example/q?{name}={token}");
        assert_eq!(links(|_| ()).cause(&uri, NOW), None, "{name}");
        let cookie = FieldList::new([("Cookie", format!("a=b; {name}={token}"))]);
        assert!(links(|_| ()).verify_with("https://h.example/q", &cookie, NOW).is_ok(), "{name}");
    }
    // Two places that each bear one: the one is not signed by the other, and either may be good.
    let both = format!("https://h.example/q?hdnts={token}&hdnea=x");
    assert_eq!(links(|_| ()).cause(&both, NOW), Some(Cause::TokenBadSignature), "hdnea=x was not signed");
    assert_eq!(
        links(|entry| entry.url_mode = UrlMode::Path).cause(&both, NOW),
        None,
        "nor need it be where the query is not"
    );
}

#[test]
fn the_query_is_signed_without_the_token() {
    for (signed, request, wanted) in [
        ("/q?x=1", "/q?x=1&hdnts=", true),
        ("/q?x=1&y=%7e+", "/q?x=1&hdnts=…&y=%7e+", true),
        ("/q?x=1", "/q?hdnts=…&x=1", true),
        ("/q", "/q?x=1&hdnts=", false),
        ("/q?", "/q?hdnts=", false),
        ("/q?x=%20", "/q?x=+&hdnts=", false),
        ("/q?x=~", "/q?x=%7e&hdnts=", false),
        ("/a/b", "/a%2Fb?hdnts=", false),
        ("/a%2Fb", "/a%2fb?hdnts=", false),
        ("/a~b", "/a%7eb?hdnts=", false),
    ] {
        let token = token(FIELDS, &format!("~url={signed}"));
        let uri = match request.split_once('…') {
            Some((before, after)) => format!("https://h.example{before}{token}{after}"),
            None => format!("https://h.example{request}{token}"),
        };
        assert_eq!(links(|_| ()).cause(&uri, NOW).is_none(), wanted, "{uri}");
    }
    let ignoring = links(|entry| entry.url_mode = UrlMode::Path);
    let token = token(FIELDS, "~url=/q");
    assert_eq!(ignoring.cause(&format!("https://h.example/q?x=1&hdnts={token}"), NOW), None);
    assert_eq!(
        ignoring.cause(&format!("https://h.example/r?hdnts={token}"), NOW),
        Some(Cause::TokenBadSignature)
    );
}

#[test]
fn an_acl_holds_in_every_reading_of_a_path() {
    let token = token("exp=1700000500~acl=/a/*!/b/?.ts", "");
    for (path, wanted) in [
        ("/a/", None),
        ("/a/b/c.m3u8", None),
        ("/b/1.ts", None),
        ("/b/12.ts", Some(Cause::TokenWrongScope)),
        ("/c", Some(Cause::TokenWrongScope)),
        ("/a", Some(Cause::TokenWrongScope)),
        ("/A/b", Some(Cause::TokenWrongScope)),
        ("/a/../c", Some(Cause::TokenWrongScope)),
        ("/a/%2e%2e/c", Some(Cause::TokenWrongScope)),
        ("/a/..%2fc", Some(Cause::TokenWrongScope)),
        ("/a/%252e%252e/c", Some(Cause::TokenWrongScope)),
        ("/%61/b", Some(Cause::TokenWrongScope)),
    ] {
        assert_eq!(links(|_| ()).cause(&at(path, &token), NOW), wanted, "{path}");
    }
}

#[test]
fn an_address_is_the_clients() {
    let link = at("/q", &token("ip=192.0.2.1~exp=1700000500", "~url=/q"));
    let from = |address: &str| {
        let fields = FieldList::new([("CF-Connecting-IP", address)]);
        links(|_| ()).verify_with(&link, &fields, NOW).err().map(|refusal| refusal.cause)
    };
    assert_eq!(from("192.0.2.1"), None);
    assert_eq!(from("::ffff:192.0.2.1"), None);
    assert_eq!(from("192.0.2.2"), Some(Cause::TokenWrongScope));
    assert_eq!(links(|_| ()).cause(&link, NOW), Some(Cause::TokenWrongScope), "an unknown one");
    let six = at("/q", &token("ip=2001%3adb8%3a%3a1~exp=1700000500", "~url=%2fq"));
    let fields = FieldList::new([("CF-Connecting-IP", "2001:db8::1")]);
    assert!(links(|entry| entry.escape_early = true).verify_with(&six, &fields, NOW).is_ok());
}

#[test]
fn salt_is_signed_and_not_sent() {
    let salted = links(|entry| entry.salt = Some("salt".into()));
    let hmac = "e40562ba8c08868ccd48fd447f5ffed3d82359971d5495539e1ffb105d64d667";
    let uri = at("/salt", &format!("exp=1700000500~hmac={hmac}"));
    assert_eq!(salted.cause(&uri, NOW), None);
    assert_eq!(links(|_| ()).cause(&uri, NOW), Some(Cause::TokenBadSignature));
    let unsalted = at("/salt", &token(FIELDS, "~url=/salt"));
    assert_eq!(salted.cause(&unsalted, NOW), Some(Cause::TokenBadSignature));
    let other = links(|entry| entry.salt = Some("Salt".into()));
    assert_eq!(other.cause(&uri, NOW), Some(Cause::TokenBadSignature));
}

#[test]
fn escape_early() {
    let escaping = links(|entry| entry.escape_early = true);
    let acl = at("/video/1.ts", &token("exp=1700000500~acl=%2fvideo%2f%2a", ""));
    assert_eq!(escaping.cause(&acl, NOW), None);
    assert_eq!(links(|_| ()).cause(&acl, NOW), Some(Cause::TokenWrongScope));
    let hmac = "47b5dcff3f508aef2c4ddc464d236ea79a4eb9ca92ca34718975784cdf8a311e";
    let cookie = FieldList::new([("Cookie", format!("hdnts=exp=1700000500~hmac={hmac}"))]);
    let uri = "https://h.example/q_escape?%EC%95%88%EB%85%95%3D%EC%84%B8%EC%83%81";
    assert!(escaping.verify_with(uri, &cookie, NOW).is_ok());
    assert!(links(|_| ()).verify_with(uri, &cookie, NOW).is_err());
}

#[test]
fn algorithms() {
    let sha1 = Links::new(Format::Akamai, &[("a", Hs1, KEY)], |_| ());
    let link = at("/q", &signed(Hs1, KEY, FIELDS, "~url=/q"));
    assert_eq!(sha1.cause(&link, NOW), None);
    assert_eq!(links(|_| ()).cause(&link, NOW), Some(Cause::TokenBadSignature), "not asked for");
    let md5 = at("/h_escape", "exp=1700000500~hmac=36c0b9b585b213a66ba1468ecc7b8c86");
    for links in [&sha1, &links(|_| ())] {
        assert_eq!(links.cause(&md5, NOW), Some(Cause::TokenAlgorithm));
    }
}

#[test]
fn a_transition_key_verifies() {
    let both = Links::new(Format::Akamai, &[("new", Hs256, b"another key"), ("old", Hs256, KEY)], |_| ());
    let grant = both.verify(&at("/q", &token(FIELDS, "~url=/q")), NOW).expect("let in");
    assert_eq!(grant.key(), "old");
    assert_eq!(grant.id().len(), 12, "made of the tag: a session's id is not the link's");
}

#[test]
fn every_other_form_is_malformed() {
    let good = token(FIELDS, "~url=/q");
    let tag = good.rsplit('=').next().expect("a tag");
    let long = format!("{FIELDS}~hmac={tag}");
    for bad in [
        long.to_uppercase(),
        format!("{FIELDS}~hmac={}", tag.to_uppercase()),
        format!("{FIELDS}~hmac={}", &tag[1..]),
        format!("{FIELDS}~hmac={}", &tag[2..]),
        format!("{FIELDS}~hmac={tag}00"),
        format!("{FIELDS}~hmac={tag}="),
        format!("{FIELDS}~hmac={tag}~data=x"),
        format!("{FIELDS}~hmac="),
        format!("{FIELDS}~HMAC={tag}"),
        format!("{FIELDS}%7ehmac={tag}"),
        format!("hmac={tag}~{FIELDS}"),
        format!("hmac={tag}"),
        format!("~hmac={tag}"),
        FIELDS.to_owned(),
        String::new(),
    ] {
        assert_eq!(links(|_| ()).cause(&at("/q", &bad), NOW), Some(Cause::TokenMalformed), "{bad}");
    }
}

/// Even where they are signed: each value has one spelling, and each field its place.
#[test]
fn every_other_form_is_malformed_though_it_is_signed() {
    for sent in [
        "exp=+1700000500",
        "exp=01700000500",
        "exp=1700000500.0",
        "exp=1700000500%00",
        "exp=17e8",
        "exp=-1",
        "exp=0x6553f300",
        "exp=99999999999999999999",
        "exp=",
        "exp",
        "EXP=1700000500",
        "e%78p=1700000500",
        "acl=/*",
        "st=1~acl=/*",
        "exp=1700000500~exp=1700000500",
        "exp=1600000000~exp=1700000500",
        "exp=1700000500~st=1",
        "acl=/*~exp=1700000500",
        "exp=1700000500~id=a~acl=/*",
        "exp=1700000500~data=a~id=b",
        "exp=1700000500~acl=/a~acl=/*",
        "exp=1700000500~acl=",
        "exp=1700000500~acl=/a!!/b",
        "exp=1700000500~acl=/a!",
        "exp=1700000500~id=",
        "exp=1700000500~url=/q",
        "exp=1700000500~salt=s",
        "exp=1700000500~hmac=00",
        "exp=1700000500~",
        "~exp=1700000500",
        "exp=1700000500~~acl=/*",
        "exp=1700000500~unknown=1",
        "st=1e9~exp=1700000500",
        "ip=192.0.2.0/24~exp=1700000500",
        "ip=~exp=1700000500",
        "ip=192.0.2.01~exp=1700000500",
        "ip=192.0.2.1,192.0.2.2~exp=1700000500",
    ] {
        for besides in ["", "~url=/q"] {
            let uri = at("/q", &token(sent, besides));
            assert_eq!(links(|_| ()).cause(&uri, NOW), Some(Cause::TokenMalformed), "{uri}");
        }
    }
}

#[test]
fn twice_is_ambiguous() {
    let good = token(FIELDS, "~url=/q");
    for other in ["hdnts=x", "hdnts=", "hdnts", "%68dnts=x", &format!("hdnts={good}")] {
        let uri = format!("https://h.example/q?hdnts={good}&{other}");
        assert_eq!(links(|_| ()).cause(&uri, NOW), Some(Cause::RequestAmbiguous), "{other}");
    }
}

#[test]
fn a_token_of_one_kind_is_none_of_the_other() {
    // What was signed for a URL is no acl, and the other way round.
    let url = token(FIELDS, "~url=/q");
    let hmac = url.rsplit('=').next().expect("a tag");
    let uri = at("/q", &format!("{FIELDS}~url=/q~hmac={hmac}"));
    assert_eq!(links(|_| ()).cause(&uri, NOW), Some(Cause::TokenMalformed));
    let acl = token("exp=1700000500~acl=/q", "");
    let hmac = acl.rsplit('=').next().expect("a tag");
    let uri = at("/q", &format!("{FIELDS}~hmac={hmac}"));
    assert_eq!(links(|_| ()).cause(&uri, NOW), Some(Cause::TokenBadSignature));
}

fn plain() -> impl Strategy<Value = String> {
    "[a-z0-9%._/~-]{0,12}"
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_url_token_is_good_and_nothing_near_it_is(
        key in prop::collection::vec(any::<u8>(), 1..40),
        path in plain(),
        query in prop::option::of("[a-z0-9=%._~&-]{1,12}"),
        exp in 1_700_000_000_i64..99_999_999_999,
        id in prop::option::of("[A-Za-z0-9._-]{1,8}"),
        salt in prop::option::of("[ -~]{1,8}"),
        escape_early in any::<bool>(),
    ) {
        let url = format!("/{path}{}", query.as_ref().map(|query| format!("?{query}")).unwrap_or_default());
        let signed_url = if escape_early { quoted(&url) } else { url.clone() };
        let mut sent = format!("exp={exp}");
        if let Some(id) = id { sent += &format!("~id={id}") }
        let salted = salt.as_ref().map(|salt| format!("~salt={salt}")).unwrap_or_default();
        let token = signed(Hs256, &key, &sent, &format!("~url={signed_url}{salted}"));
        let rest = format!("{url}{}hdnts={token}", if query.is_some() { '&' } else { '?' });
        let settings = |entry: &mut LinkEntry| { entry.salt = salt.clone(); entry.escape_early = escape_early };
        let links = Links::new(Format::Akamai, &[("k", Hs256, &key)], settings);
        changes::are_refused(&links, ["https://h.example/", &rest[1..], ""], exp);
        let longer = format!("https://h.example{rest}&");
        prop_assert_eq!(links.cause(&longer, exp), Some(Cause::TokenBadSignature));
        // An HMAC's key is padded with zeros (RFC 2104 §2): only another octet than zero makes another key of it.
        let longer = [&key[..], &[1]].concat();
        let other = Links::new(Format::Akamai, &[("k", Hs256, &longer)], settings);
        prop_assert_eq!(other.cause(&format!("https://h.example{rest}"), exp), Some(Cause::TokenBadSignature));
        for at in 0..key.len() {
            let mut changed = key.clone();
            changed[at] ^= 1;
            let other = Links::new(Format::Akamai, &[("k", Hs256, &changed)], settings);
            let uri = format!("https://h.example{rest}");
            prop_assert!(other.cause(&uri, exp).is_some());
        }
    }

    #[test]
    fn an_acl_token_is_good_and_nothing_near_it_is(
        folder in "[a-z0-9]{1,8}",
        file in "[a-z0-9.]{0,8}[a-z0-9]",
        exp in 1_700_000_000_i64..99_999_999_999,
        data in prop::option::of("[A-Za-z0-9=._-]{1,8}"),
    ) {
        let data = data.map(|data| format!("~data={data}")).unwrap_or_default();
        let token = token(&format!("st=1~exp={exp}~acl=/x!/{folder}/*{data}"), "");
        let before = format!("https://h.example/{folder}/{file}?hdnts=");
        changes::are_refused(&links(|_| ()), [&before, &token, ""], exp);
        let elsewhere = format!("https://h.example/y{folder}/{file}?hdnts={token}");
        prop_assert_eq!(links(|_| ()).cause(&elsewhere, exp), Some(Cause::TokenWrongScope));
    }
}

proptest! {
    #[test]
    fn reading_never_panics(path in "[ -~é\u{0}]{0,20}", value in "\\PC{0,60}", near in "(ip|st|exp|acl|id|data|hmac|[~=%!*]|[0-9a-f]{2}){0,30}") {
        for value in [&value, &near, &format!("exp=1~hmac={near}")] {
            let uri = format!("https://h.example/{path}?__token__={value}&hdnts={value}");
            let fields = FieldList::new([("cookie", format!("hdnea={value}; hdnts={near}"))]);
            for escape_early in [false, true] {
                let links = links(|entry| entry.escape_early = escape_early);
                prop_assert!(links.verify_with(&uri, &fields, NOW).is_err());
                let plain = format!("https://h.example/{path}");
                prop_assert!(links.verify_with(&plain, &fields, NOW).is_err());
            }
        }
    }
}

/// Python's `quote_plus`, with lower-case digits.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-~".contains(c);
    text.chars().map(|c| if plain(c) { c.to_string() } else { format!("%{:02x}", u32::from(c)) }).collect()
}
