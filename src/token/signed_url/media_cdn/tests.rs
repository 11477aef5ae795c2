use crate::policy::Format;
use crate::policy::HmacAlgorithm::{self, Hs1, Hs256};
use crate::request::FieldList;
use crate::token::mac::MacKey;
use crate::token::signed_url::decode;
use crate::token::signed_url::testing::Links;
use crate::token::signed_url::testing::changes::{self, hex};
use crate::token::to_base64url;
use crate::verdict::Cause;
use proptest::prelude::*;

/// The end of the vendor's samples.
const EXP: i64 = 1_663_070_400;
const NOW: i64 = EXP - 300;

/// The key of the vendor's samples.
fn key() -> Vec<u8> {
    decode::base64url_padded("g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8=").expect("base64url")
}

fn links_with(algorithm: HmacAlgorithm) -> Links {
    Links::new(Format::MediaCdn, &[("a", algorithm, &key())], |_| ())
}

fn links() -> Links {
    links_with(Hs256)
}

/// The construction, from its documentation: what is sent, and what is signed in its place.
fn token_of(sent: &str, signed: &str) -> String {
    let tag = MacKey::new(Hs256, &key()).tag(&[signed.as_bytes()]);
    format!("{sent}~hmac={}", hex(tag.as_bytes()))
}

fn token(sent: &str) -> String {
    token_of(sent, sent)
}

fn full_path(path: &str) -> String {
    token_of(&format!("FullPath~Expires={EXP}"), &format!("FullPath={path}~Expires={EXP}"))
}

fn at(path: &str, token: &str) -> String {
    format!("https://h.example{path}?edge-cache-token={token}")
}

fn cause_with(token: &str, lines: &[(&str, &str)]) -> Option<Cause> {
    let fields = FieldList::new(lines.iter().copied());
    links().verify_with(&at("/x", token), &fields, NOW).err().map(|refusal| refusal.cause)
}

#[test]
fn tokens_of_the_vendors_samples() {
    for (algorithm, uri, sent, hmac) in [
        (
            Hs256,
            "https://h.example/example.m3u8",
            "FullPath",
            "365b41fd77297371d890fc9a56e4e3d3baa4c7afbd230a0e9a81c8e1bcab9420",
        ),
        (
            Hs256,
            "https://h.example/any/thing",
            "PathGlobs=/*",
            "9439ecdd5c4919f76f915dea72afa85a045579794e63d8cda664f5a1140c8d93",
        ),
        (
            Hs256,
            "http://10.20.30.40/x",
            "URLPrefix=aHR0cDovLzEwLjIwLjMwLjQwLw",
            "409722313cf6d987da44bb360e60dccc3d79764520fc5e3b57654e1d4d2c862e",
        ),
        (Hs1, "https://h.example/example.m3u8", "FullPath", "7af78177d6bc001d5626eefe387b1774a4a99ca2"),
        (Hs1, "https://h.example/a", "PathGlobs=/*", "c1c446eea24faa31392519f975fea7eefb945625"),
        (
            Hs1,
            "http://10.20.30.40/",
            "URLPrefix=aHR0cDovLzEwLjIwLjMwLjQwLw",
            "6f5b4bb82536810d5ee111cba3e534d49c6ac3cb",
        ),
    ] {
        let token = format!("{sent}~Expires={EXP}~hmac={hmac}");
        let links = links_with(algorithm);
        for name in ["edge-cache-token", "hdnts"] {
            let uri = format!("{uri}?{name}={token}");
            assert_eq!(links.cause(&uri, EXP), None, "{uri}");
            assert_eq!(links.cause(&uri, EXP + 1), Some(Cause::TokenExpired));
        }
        let cookie = FieldList::new([("Cookie", format!("Edge-Cache-Token={token}"))]);
        assert!(links.verify_with(uri, &cookie, EXP).is_ok(), "{uri}");
        let other = links_with(if algorithm == Hs1 { Hs256 } else { Hs1 });
        assert_eq!(other.cause(&format!("{uri}?hdnts={token}"), EXP), Some(Cause::TokenBadSignature));
    }
}

/// Its second range is no network (`2001:db8:4a7f:a732/64` lacks its `::`), so it is nobody's.
#[test]
fn the_vendors_sample_with_every_field() {
    let sent = "PathGlobs=/*~Starts=1663027200~Expires=1663070400~SessionID=test-id~Data=test-data~Headers=Foo,BAZ~\
                IPRanges=MjAzLjAuMTEzLjAvMjQsMjAwMTpkYjg6NGE3ZjphNzMyLzY0";
    let sent = sent.replace([' ', '\n'], "");
    for (algorithm, hmac) in [
        (Hs1, "b8242e8b76cbfbbd61b3540ed0eb60a2ec2fdbdb"),
        (Hs256, "dda9c3d6f3b2e867a09fbb76209ea138dd81f8512210f970d1e92f90927bef4b"),
    ] {
        let uri = at("/x", &format!("{sent}~hmac={hmac}"));
        let cause = |foo: &str, baz: &str, address: &str, now: i64| {
            let lines = [("foo", foo), ("Baz", baz), ("cf-connecting-ip", address)];
            let outcome = links_with(algorithm).verify_with(&uri, &FieldList::new(lines), now);
            outcome.err().map(|refusal| refusal.cause)
        };
        assert_eq!(cause("bar", "quux", "203.0.113.7", NOW), None);
        assert_eq!(cause("bar", "quux", "203.0.114.7", NOW), Some(Cause::TokenWrongScope));
        assert_eq!(cause("bar", "quux", "2001:db8:4a7f:a732::1", NOW), Some(Cause::TokenWrongScope));
        assert_eq!(cause("bar", "quux", "", NOW), Some(Cause::TokenWrongScope));
        assert_eq!(cause("Bar", "quux", "203.0.113.7", NOW), Some(Cause::TokenBadSignature));
        assert_eq!(cause("quux", "bar", "203.0.113.7", NOW), Some(Cause::TokenBadSignature));
        assert_eq!(cause("bar", "quux", "203.0.113.7", 1_663_027_200 - 30), None);
        assert_eq!(cause("bar", "quux", "203.0.113.7", 1_663_027_200 - 31), Some(Cause::TokenNotYetValid));
    }
}

#[test]
fn a_full_path_is_this_path_with_any_query() {
    let token = full_path("/a/b~c");
    assert_eq!(links().cause(&at("/a/b~c", &token), NOW), None);
    assert_eq!(links().cause(&format!("{}&x=1", at("/a/b~c", &token)), NOW), None);
    for other in ["/a/b", "/a/b~c/", "/a%2Fb~c", "/a/b%7ec", "/A/b~c", "//a/b~c", "/a/./b~c", "/a/b~c%00"] {
        assert_eq!(links().cause(&at(other, &token), NOW), Some(Cause::TokenBadSignature), "{other}");
    }
}

#[test]
fn globs_hold_in_every_reading_of_a_path() {
    for sent in ["PathGlobs=/tv/*!/film/?.ts", "paths=/tv/*,/film/?.ts", "acl=/tv/*!/film/?.ts"] {
        let token = token(&format!("{sent}~Expires={EXP}"));
        for (path, wanted) in [
            ("/tv/a/b", None),
            ("/film/1.ts", None),
            ("/film/12.ts", Some(Cause::TokenWrongScope)),
            ("/tv", Some(Cause::TokenWrongScope)),
            ("/tv/%2e%2e/x", Some(Cause::TokenWrongScope)),
            ("/tv/..%2fx", Some(Cause::TokenWrongScope)),
            ("/tv/../x", Some(Cause::TokenWrongScope)),
            ("/tv/..;/x", Some(Cause::TokenWrongScope)),
            ("/t%76/x", Some(Cause::TokenWrongScope)),
        ] {
            assert_eq!(links().cause(&at(path, &token), NOW), wanted, "{sent} {path}");
        }
    }
}

#[test]
fn a_prefix_is_of_one_origin() {
    let prefix = to_base64url(b"https://h.example/tv");
    let token = token(&format!("URLPrefix={prefix}~Expires={EXP}"));
    for (uri, wanted) in [
        ("https://h.example/tv", None),
        ("https://h.example/tv/a", None),
        ("https://h.example/tvs", None),
        ("https://h.example/t", Some(Cause::TokenWrongScope)),
        ("https://h.example/tv/%2e%2e/x", Some(Cause::TokenWrongScope)),
        ("http://h.example/tv", Some(Cause::TokenWrongScope)),
        ("https://g.example/tv", Some(Cause::TokenWrongScope)),
        ("https://h.example:8443/tv", Some(Cause::TokenWrongScope)),
    ] {
        assert_eq!(links().cause(&format!("{uri}?hdnts={token}"), NOW), wanted, "{uri}");
    }
}

/// Google's own long-duration tokens begin with their times.
#[test]
fn fields_may_be_signed_in_any_order_and_are_good_in_no_other() {
    let orders = [
        format!("Expires={EXP}~Starts=1~PathGlobs=/*~Data=d"),
        format!("PathGlobs=/*~Expires={EXP}~Starts=1~Data=d"),
        format!("Data=d~PathGlobs=/*~Starts=1~Expires={EXP}"),
    ];
    for signed in &orders {
        for sent in &orders {
            let wanted = (sent != signed).then_some(Cause::TokenBadSignature);
            assert_eq!(links().cause(&at("/x", &token_of(sent, signed)), NOW), wanted, "{sent} {signed}");
        }
    }
}

#[test]
fn names_of_akamais_dialect() {
    let akamais = token(&format!("st=1~exp={EXP}~acl=/*~id=s~data=d"));
    assert_eq!(links().cause(&at("/x", &akamais), NOW), None);
    for twice in [
        format!("exp={EXP}~Expires={EXP}~acl=/*"),
        format!("exp={EXP}~acl=/*~PathGlobs=/*"),
        format!("exp={EXP}~acl=/*~paths=/*"),
        format!("exp={EXP}~acl=/*~st=1~Starts=1"),
        format!("exp={EXP}~acl=/*~data=1~payload=1"),
        format!("exp={EXP}~acl=/*~id=1~SessionID=1"),
    ] {
        assert_eq!(links().cause(&at("/x", &token(&twice)), NOW), Some(Cause::TokenMalformed), "{twice}");
    }
}

#[test]
fn fields_of_the_request() {
    let signed = |pairs: &str| format!("PathGlobs=/*~Expires={EXP}~Headers={pairs}");
    let one = token_of(&signed("X-One"), &signed("X-One=1"));
    assert_eq!(cause_with(&one, &[("x-one", "1")]), None);
    assert_eq!(cause_with(&one, &[("x-one", "2")]), Some(Cause::TokenBadSignature));
    assert_eq!(cause_with(&one, &[]), Some(Cause::TokenBadSignature));
    assert_eq!(cause_with(&one, &[("x-one", "1"), ("x-one", "1")]), Some(Cause::TokenBadSignature));
    let none = token_of(&signed("X-One"), &signed("X-One="));
    assert_eq!(cause_with(&none, &[]), None, "a field that is not there is empty");
    assert_eq!(cause_with(&none, &[("x-one", "1")]), Some(Cause::TokenBadSignature));
    let agent = "Mozilla/5.0 (X11; Linux) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/1.0; a=b";
    let plain = token_of(&signed("User-Agent"), &signed(&format!("User-Agent={agent}")));
    assert_eq!(cause_with(&plain, &[("user-agent", agent)]), None);
    let languages = "en,de;q=0.5, x=1";
    let plain = token_of(&signed("Accept-Language"), &signed(&format!("Accept-Language={languages}")));
    assert_eq!(cause_with(&plain, &[("accept-language", languages)]), None);
}

/// The message of one token, had by another token and another request: it would lose its limits.
#[test]
fn a_request_cannot_speak_for_the_token() {
    let base = format!("PathGlobs=/*~Expires={EXP}");
    let ranges = to_base64url(b"203.0.113.0/24");
    let bound = format!("{base}~Headers=A=1~IPRanges={ranges}");
    let loose = token_of(&format!("{base}~Headers=A"), &bound);
    let value = format!("1~IPRanges={ranges}");
    assert_eq!(cause_with(&loose, &[("a", &value)]), Some(Cause::TokenMalformed));

    let two = format!("{base}~Headers=A=1,B=2");
    let loose = token_of(&format!("{base}~Headers=A"), &two);
    assert_eq!(cause_with(&loose, &[("a", "1,B=2")]), Some(Cause::TokenMalformed));

    let bound = format!("Expires={EXP}~FullPath=/x~IPRanges={ranges}");
    let loose = token_of(&format!("Expires={EXP}~FullPath"), &bound);
    let uri = at(&format!("/x~IPRanges={ranges}"), &loose);
    assert_eq!(links().cause(&uri, NOW), Some(Cause::TokenMalformed));
}

#[test]
fn every_other_form_is_malformed_though_it_is_signed() {
    let ranges = |text: &str| format!("FullPath~Expires={EXP}~IPRanges={}", to_base64url(text.as_bytes()));
    let names = (0..17).map(|n| format!("h{n}")).collect::<Vec<_>>().join(",");
    let good = format!("PathGlobs=/*~Expires={EXP}");
    for sent in [
        "PathGlobs=/*".to_owned(),
        format!("Expires={EXP}"),
        "PathGlobs=/*~Expires=+1663070400".to_owned(),
        "PathGlobs=/*~Expires=01663070400".to_owned(),
        "PathGlobs=/*~Expires=1e10".to_owned(),
        "PathGlobs=/*~Expires=1663070400.0".to_owned(),
        "PathGlobs=/*~Expires=1663070400%00".to_owned(),
        "PathGlobs=/*~Expires=99999999999999999999".to_owned(),
        "PathGlobs=/*~Expires=".to_owned(),
        "PathGlobs=/*~Expires".to_owned(),
        format!("PathGlobs=~Expires={EXP}"),
        format!("PathGlobs=/a!!/b~Expires={EXP}"),
        format!("PathGlobs=/a!/b,/c~Expires={EXP}"),
        format!("PathGlobs=/a,~Expires={EXP}"),
        format!("PathGlobs=/*~FullPath~Expires={EXP}"),
        format!("{good}~URLPrefix=aHR0cDovLzEwLjIwLjMwLjQwLw"),
        format!("{good}~Expires={EXP}"),
        format!("{good}~Starts=1~Starts=1"),
        format!("{good}~Starts=-1"),
        format!("{good}~SessionID="),
        format!("{good}~Data"),
        format!("{good}~"),
        format!("~{good}"),
        format!("{good}~~Data=x"),
        format!("{good}~Unknown=1"),
        format!("{good}~KeyName=a"),
        format!("{good}~expires=1"),
        format!("{good}~url=/x"),
        format!("{good}~Headers="),
        format!("{good}~Headers=A,,B"),
        format!("{good}~Headers=A B"),
        format!("{good}~Headers=A=1"),
        format!("{good}~Headers={names}"),
        format!("FullPath=/x~Expires={EXP}"),
        format!("FullPath=~Expires={EXP}"),
        format!("fullpath~Expires={EXP}"),
        format!("URLPrefix=aHR0cDovLzEwLjIwLjMwLjQwLx~Expires={EXP}"),
        format!("URLPrefix={}~Expires={EXP}", to_base64url(b"https://h.example/x?y=1")),
        format!("URLPrefix={}~Expires={EXP}", to_base64url(b"h.example/x")),
        ranges(""),
        ranges("everybody"),
        ranges("203.0.113.0/33"),
        format!("FullPath~Expires={EXP}~IPRanges=203.0.113.0/24"),
        format!("FullPath~Expires={EXP}~IPRanges=MjAzLjAuMTEzLjAvMjR"),
    ] {
        assert_eq!(links().cause(&at("/x", &token(&sent)), NOW), Some(Cause::TokenMalformed), "{sent}");
    }
}

#[test]
fn a_tag_has_one_spelling_and_one_place() {
    let good = token(&format!("PathGlobs=/*~Expires={EXP}"));
    let (sent, tag) = good.rsplit_once("~hmac=").expect("a tag");
    for bad in [
        format!("{sent}~hmac={}", tag.to_uppercase()),
        format!("{sent}~hmac={}", &tag[1..]),
        format!("{sent}~hmac={tag}0"),
        format!("{sent}~hmac={tag}="),
        format!("{sent}~hmac={tag}%00"),
        format!("{sent}~hmac="),
        format!("{sent}~Hmac={tag}"),
        format!("{sent}%7ehmac={tag}"),
        format!("{sent}~hmac={tag}~Data=x"),
        format!("{sent}~hmac={tag}~hmac={tag}"),
        format!("hmac={tag}~{sent}"),
        sent.to_owned(),
        String::new(),
    ] {
        assert_eq!(links().cause(&at("/x", &bad), NOW), Some(Cause::TokenMalformed), "{bad}");
    }
    for (other, what) in [
        (format!("{sent}~Signature=9pBdD_6O6LB-4V67HZ_SOc2G_jIkSZ_tMsKnVqElmPlwKB_xDiW7DK"), "Ed25519"),
        (format!("{sent}~hmac={}", &tag[..32]), "MD5"),
    ] {
        assert_eq!(links().cause(&at("/x", &other), NOW), Some(Cause::TokenAlgorithm), "{what}");
    }
}

#[test]
fn twice_is_ambiguous() {
    let uri = at("/x", &full_path("/x"));
    for other in ["edge-cache-token=x", "edge-cache-token", "edge%2Dcache-token=x"] {
        assert_eq!(links().cause(&format!("{uri}&{other}"), NOW), Some(Cause::RequestAmbiguous), "{other}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_full_path_is_good_and_nothing_near_it_is(
        key in prop::collection::vec(any::<u8>(), 1..40),
        path in "[a-z0-9%._/~-]{0,12}",
        exp in 1_700_000_000_i64..99_999_999_999,
        data in prop::option::of("[A-Za-z0-9=._-]{1,8}"),
    ) {
        let data = data.map(|data| format!("~Data={data}")).unwrap_or_default();
        let message = format!("FullPath=/{path}~Starts=1~Expires={exp}{data}");
        let tag = hex(MacKey::new(Hs256, &key).tag(&[message.as_bytes()]).as_bytes());
        let token = format!("FullPath~Starts=1~Expires={exp}{data}~hmac={tag}");
        let links = Links::new(Format::MediaCdn, &[("k", Hs256, &key)], |_| ());
        let uri = format!("https://h.example/{path}?hdnts={token}");
        changes::are_refused(&links, ["https://h.example/", &path, &format!("?hdnts={token}")], exp);
        changes::are_refused(&links, [&format!("https://h.example/{path}?hdnts="), &token, ""], exp);
        for at in 0..key.len() {
            let mut changed = key.clone();
            changed[at] ^= 1;
            let other = Links::new(Format::MediaCdn, &[("k", Hs256, &changed)], |_| ());
            prop_assert_eq!(other.cause(&uri, exp), Some(Cause::TokenBadSignature));
        }
    }

    #[test]
    fn a_wider_token_is_good_and_nothing_near_it_is(
        folder in "[a-z0-9]{1,8}",
        by_prefix in any::<bool>(),
        exp in 1_700_000_000_i64..99_999_999_999,
    ) {
        let scope = if by_prefix {
            format!("URLPrefix={}", to_base64url(format!("https://h.example/{folder}/").as_bytes()))
        } else {
            format!("PathGlobs=/{folder}/*")
        };
        let token = token(&format!("{scope}~Expires={exp}~SessionID=s"));
        let before = format!("https://h.example/{folder}/x?edge-cache-token=");
        changes::are_refused(&links(), [&before, &token, ""], exp);
        let elsewhere = at(&format!("/_{folder}/x"), &token);
        prop_assert_eq!(links().cause(&elsewhere, exp), Some(Cause::TokenWrongScope));
    }
}

proptest! {
    #[test]
    fn reading_never_panics(
        path in "[ -~é\u{0}]{0,20}",
        value in "\\PC{0,60}",
        near in "(FullPath|PathGlobs|URLPrefix|Expires|Starts|Headers|IPRanges|hmac|A|[~=%!,*]|[0-9a-f]{2}){0,30}",
        field in "[ -~]{0,30}",
    ) {
        let tag = "0".repeat(64);
        for value in [&value, &near, &format!("FullPath~Expires=1~Headers=A~{near}~hmac={tag}")] {
            let uri = format!("https://h.example/{path}?edge-cache-token={value}&hdnts={near}");
            let fields = FieldList::new([("cookie", format!("Edge-Cache-Token={value}")), ("a", field.clone())]);
            prop_assert!(links().verify_with(&uri, &fields, NOW).is_err());
            let plain = format!("https://h.example/{path}");
            prop_assert!(links().verify_with(&plain, &fields, NOW).is_err());
        }
    }
}
