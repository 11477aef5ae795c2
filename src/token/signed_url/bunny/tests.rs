use super::super::testing::Links;
use super::*;
use crate::request::FieldList;
use crate::token::mac::MacKey;
use crate::token::to_base64url;
use crate::verdict::Cause;
use proptest::prelude::*;

const KEY: &[u8] = b"SecurityKey";
const EXPIRES: i64 = 1_598_024_587;
const V6: &str = "2001:db8:85a3::8a2e:370:7334";

fn links() -> Links {
    Links::new(Format::Bunny, &[("a", HmacAlgorithm::Hs256, KEY)], |_| {})
}

fn from(address: &str, country: &str) -> FieldList {
    FieldList::new([("CF-Connecting-IP", address)]).with_country(Some(country))
}

/// What signs, from the construction: `data` as it is signed.
fn token(path: &str, expires: &str, address: &[u8], data: &str) -> String {
    let parts = [path.as_bytes(), expires.as_bytes(), address, data.as_bytes()];
    let mac = to_base64url(MacKey::new(HmacAlgorithm::Hs256, KEY).tag(&parts).as_bytes());
    if address.is_empty() { format!("HS256-{mac}") } else { format!("HS256-1-{mac}") }
}

/// A link to `path` with parameters as they are signed and as they are sent.
fn link(path: &str, data: &str, sent: &str) -> String {
    format!("https://h{path}?token={}{sent}&expires=1598024587", token(path, "1598024587", &[], data))
}

fn cause(uri: &str) -> Option<Cause> {
    links().verify_with(uri, &from("1.2.3.4", "US"), EXPIRES).err().map(|refusal| refusal.cause)
}

/// From the vendor's `e2e/vectors.json`; key, time and addresses are those of its `e2e/inputs.json`.
const VECTORS: &[(&str, &str, &str)] = &[
    ("/300kb.jpg?token=HS256-o10JRWlsAItyAsdKS6jJKjabHN4FrFsplDHPV1idcX4", "", "US"),
    ("/300kb.jpg?token=HS256-i5s3Uv7mnrFfN5nznwU2BxhILpnipYeE18TapV0WNFM&token_countries=CA%2CUS", "", "CA"),
    (
        "/300kb.jpg?token=HS256-JS8dSuBSjSH-W2-xhdkCPC36-2rlxfDCQJjlNMPqKZQ&token_countries_blocked=RU%2CCN",
        "",
        "US",
    ),
    ("/abc/300kb.jpg?token=HS256-uVZvT3SbEoVKYJyDJgbcsDmSFf73cv-uNUVaJiKWpbQ&token_path=%2Fabc", "", "US"),
    ("/300kb.jpg?token=HS256-1lwWBD_c1IAGSj1UKPoxreu8ePDQ-Z9FoWLcRn_RRH0&token_ignore_params=true", "", "US"),
    ("/300kb.jpg?token=HS256-DAVapqNNED3Z7JkjRTYX0UOIHNtbHEuuhRNEc4A7mMQ&limit=1000", "", "US"),
    ("/300kb.jpg?token=HS256-1-L2rISTLcujMY9UFf2tbZ41d5i-Bme1g1oTK_Z2QMLJk", "1.2.3.4", "US"),
    ("/300kb.jpg?token=HS256-1-Z1BaGdhTZdU4iANcyKpurFR2VgCNdqC6hlBv5x_TyaI", V6, "US"),
    (
        "/bcdn_token=HS256-1-4lIDGI2_t3wiTmopXzB7z71wtZKTe1Ic0lDlL72iAJw&token_countries=CA%2CUS /abc/",
        "1.2.3.4",
        "CA",
    ),
    (
        "/bcdn_token=HS256-1-LGpoP8i1bV4P1kN4NrO_iYxLJuLAD2R3Clstsy9kWAc&token_countries=CA%2CUS /abc/",
        V6,
        "US",
    ),
    ("/bcdn_token=HS256-1-X01Z6A9xAo1_ds1XFf9y8gAIzk_JpmoevOx7EtgMQhY&limit=5000 /abc/", "1.2.3.4", "US"),
    (
        "/abc/300kb.jpg?token=HS256-1-wag9tC0r1QWfg-2eMj5QcdzgPLCIdQb-D0WVU1Mhg2w&token_path=%2Fabc",
        "1.2.3.4",
        "US",
    ),
    (
        "/300kb.jpg?token=HS256-1-rWalmQRJ-A_qrb08-JoeU3b-gOS5mJiJjPOfDWa0gsQ&token_ignore_params=true",
        "1.2.3.4",
        "US",
    ),
    (
        "/300kb.jpg?token=HS256-1-myF6Rnz7Z9VAfAjjkyUHJQ_6gr-AJ7VyPsG5rQdQKm8&token_countries_blocked=RU%2CCN",
        "1.2.3.4",
        "US",
    ),
    ("/300kb.jpg?token=HS256-q6oRQr-5ccQ-piO1HSEQu1DVMy9UMppRxGlIQwoeM5Y&v=123", "", "US"),
    ("/bcdn_token=HS256-uVZvT3SbEoVKYJyDJgbcsDmSFf73cv-uNUVaJiKWpbQ&token_path=%2Fabc /abc/", "", "US"),
    ("/bcdn_token=HS256-bTMv4RVOkjx2UXLfVDl-JIygaxfSIQP8UCnCy7CILuY /abc/", "", "US"),
];

#[test]
fn vectors_of_the_vendor() {
    for (target, address, country) in VECTORS {
        let (start, path) = target.split_once(' ').unwrap_or((target, ""));
        let uri = format!("https://token-tester.b-cdn.net{start}&expires=1598024587{path}");
        let fields = from(address, country);
        assert_eq!(links().verify_with(&uri, &fields, EXPIRES).err(), None, "{uri}");
        let late = links().verify_with(&uri, &fields, EXPIRES + 1).expect_err(&uri);
        assert_eq!(late.cause, Cause::TokenExpired, "{uri}");
        if !address.is_empty() {
            for other in ["1.2.3.5", "2001:db8:85a3:1::1", "203.0.113.9"] {
                let refusal = links().verify_with(&uri, &from(other, country), EXPIRES).expect_err(&uri);
                assert_eq!(refusal.cause, Cause::TokenBadSignature, "{uri} {other}");
            }
            let unknown = links().verify_with(&uri, &FieldList::default(), EXPIRES).expect_err(&uri);
            assert_eq!(unknown.cause, Cause::TokenMalformed, "{uri}");
        }
    }
}

#[test]
fn an_ipv6_address_is_its_network() {
    let uri = format!("https://h{}&expires=1598024587", VECTORS[7].0);
    let grant = links().verify_with(&uri, &from("2001:db8:85a3::1", "US"), EXPIRES).expect("the same /64");
    assert_eq!(grant.stated().scope.networks, ["2001:db8:85a3::/64".parse().expect("a network")]);
    assert!(links().verify_with(&uri, &from("2001:db8:85a4::1", "US"), EXPIRES).is_err());
}

#[test]
fn countries_are_checked() {
    let both = "token_countries=CA, us&token_countries_blocked=US";
    let uri = link("/a", both, "&token_countries=CA%2C%20us&token_countries_blocked=US");
    for (country, wanted) in
        [("CA", None), ("US", Some(Cause::TokenWrongScope)), ("NL", Some(Cause::TokenWrongScope))]
    {
        let outcome = links().verify_with(&uri, &from("", country), EXPIRES);
        assert_eq!(outcome.err().map(|refusal| refusal.cause), wanted, "{country}");
    }
    assert_eq!(links().cause(&uri, EXPIRES), Some(Cause::TokenWrongScope), "a country that is not known");
    for list in ["", "CA%2C", "CAN", "C%C3%84", "12", "CA%20US"] {
        let data = format!("token_countries={}", seen::decoded(list).expect("decodes"));
        let uri = link("/a", &data, &format!("&token_countries={list}"));
        assert_eq!(cause(&uri), Some(Cause::TokenMalformed), "{list}");
    }
}

#[test]
fn a_directory() {
    let token = token("/v/s/", "1598024587", &[], "token_path=/v/s/");
    let query = |path: &str| {
        cause(&format!("https://h{path}?token={token}&token_path=%2Fv%2Fs%2F&expires=1598024587"))
    };
    let path = |path: &str| {
        cause(&format!("https://h/bcdn_token={token}&expires=1598024587&token_path=%2Fv%2Fs%2F{path}"))
    };
    for (used, wanted) in [
        ("/v/s/", None),
        ("/v/s/1.ts", None),
        ("/v/s/a%20b/1.ts", None),
        ("/v/s", Some(Cause::TokenWrongScope)),
        ("/v/t/1.ts", Some(Cause::TokenWrongScope)),
        ("/V/s/1.ts", Some(Cause::TokenWrongScope)),
        ("/v/s/../t", Some(Cause::TokenWrongScope)),
        ("/v/s/%2e%2e/t", Some(Cause::TokenWrongScope)),
        ("/v/s/..%2ft", Some(Cause::TokenWrongScope)),
        ("/v%2Fs/1.ts", Some(Cause::TokenWrongScope)),
        ("//v/s/1.ts", Some(Cause::TokenWrongScope)),
        ("/", Some(Cause::TokenWrongScope)),
    ] {
        assert_eq!((query(used), path(used)), (wanted, wanted), "{used}");
    }
    assert_eq!(path("/v/s/a.css?v=2"), None, "a directory's link says nothing of queries below");
    let added = format!("https://h/v/s/a.css?v=2&token={token}&token_path=%2Fv%2Fs%2F&expires=1598024587");
    assert_eq!(cause(&added), Some(Cause::TokenBadSignature), "the query of the query form is signed");
}

#[test]
fn what_of_the_query_is_signed() {
    let plain = link("/a", "", "");
    assert_eq!(cause(&plain), None);
    for added in ["&x=1", "&x=", "&limit=5", "&utm_source=y"] {
        assert_eq!(cause(&format!("{plain}{added}")), Some(Cause::TokenBadSignature), "{added}");
    }
    for odd in
        ["&x", "&", "&=1", "&x=a+b", "&x=%7e", "&x=%2f", "&x=/", "&x%41=1", "&1=x", "&x=%zz", "&é=1", "&x=\0"]
    {
        assert_eq!(cause(&format!("{plain}{odd}")), Some(Cause::TokenMalformed), "{odd}");
    }
    // The vendor's libraries sort.
    let many = link("/a", "a=1/2&filter[]=x y&z=", "&z=&filter[]=x%20y&a=1%2F2");
    assert_eq!(cause(&many), None);
    assert_eq!(cause(&many.replace("%2F", "/")), Some(Cause::TokenMalformed));
    assert_eq!(cause(&many.replace("%20", "+")), Some(Cause::TokenMalformed));
    // Nothing of it, where the link says so.
    let ignoring = link("/a", "token_ignore_params=true", "&token_ignore_params=true");
    for added in ["", "&x", "&x=%7e&x=1", "&limit=5", "&1=2"] {
        assert_eq!(cause(&format!("{ignoring}{added}")), None, "{added}");
    }
    for added in ["&token_countries=US", "&token_ref=x", "&token_path", "&token_ignore_params=true"] {
        assert_eq!(cause(&format!("{ignoring}{added}")), Some(Cause::TokenMalformed), "{added}");
    }
    assert_eq!(cause(&format!("{ignoring}&token_path=%2F")), Some(Cause::TokenBadSignature));
    let not_true = link("/a", "token_ignore_params=1", "&token_ignore_params=1");
    assert_eq!(cause(&not_true), Some(Cause::TokenMalformed));
    let unknown = link("/a", "token_referer=x", "&token_referer=x");
    assert_eq!(cause(&unknown), Some(Cause::TokenMalformed), "a condition that cannot be checked");
}

#[test]
fn the_path_form_without_a_directory_is_for_one_address() {
    let start = format!("https://h/bcdn_token={}&expires=1598024587", token("/abc/", "1598024587", &[], ""));
    for (rest, wanted) in [
        ("/abc/", None),
        ("/abc/?", None),
        ("/abc/?x=1", Some(Cause::TokenWrongScope)),
        ("/abc/x", Some(Cause::TokenBadSignature)),
        ("/abc", Some(Cause::TokenBadSignature)),
        ("", Some(Cause::TokenBadSignature)),
        ("&x=1/abc/", Some(Cause::TokenBadSignature)),
        ("&expires=1598024587/abc/", Some(Cause::TokenMalformed)),
        ("&bcdn_token=x/abc/", Some(Cause::TokenMalformed)),
        ("&token=x/abc/", Some(Cause::TokenBadSignature)),
        ("%00/abc/", Some(Cause::TokenMalformed)),
    ] {
        assert_eq!(cause(&format!("{start}{rest}")), wanted, "{rest}");
    }
}

#[test]
fn refused_variants() {
    let mac = "o10JRWlsAItyAsdKS6jJKjabHN4FrFsplDHPV1idcX4";
    let at = |query: &str| cause(&format!("https://h/300kb.jpg?{query}"));
    assert_eq!(at(&format!("expires=1598024587&token=HS256-{mac}")), None);
    for (query, wanted) in [
        (format!("token=HS256-{mac}&expires=1598024588"), Cause::TokenBadSignature),
        (format!("token=HS256-{mac}&expires=%31598024587"), Cause::TokenMalformed),
        (format!("token=HS256-{mac}&expires=+598024587"), Cause::TokenMalformed),
        (format!("token=HS256-{mac}&expires=0598024587"), Cause::TokenMalformed),
        (format!("token=HS256-{mac}&expires=01598024587"), Cause::TokenMalformed),
        (format!("token=HS256-{mac}&expires=15980245e7"), Cause::TokenMalformed),
        (format!("token=HS256-{mac}&expires=1e9"), Cause::TokenMalformed),
        (format!("token=HS256-{mac}&expires="), Cause::TokenMalformed),
        (format!("token=HS256-{mac}&expires=-1"), Cause::TokenMalformed),
        (format!("token=HS256-{mac}&expires=99999999999999999999"), Cause::TokenMalformed),
        (format!("token=HS256-{mac}"), Cause::TokenMalformed),
        (format!("token=HS256-{mac}=&expires=1598024587"), Cause::TokenMalformed),
        (format!("token=HS256-{mac}%3D&expires=1598024587"), Cause::TokenMalformed),
        (format!("token=HS256-{mac}A&expires=1598024587"), Cause::TokenMalformed),
        (format!("token=HS256-{mac}%00&expires=1598024587"), Cause::TokenMalformed),
        (format!("token=hs256-{mac}&expires=1598024587"), Cause::TokenMalformed),
        (format!("token=HS512-{mac}&expires=1598024587"), Cause::TokenMalformed),
        (format!("token=HS256-1-{mac}&expires=1598024587"), Cause::TokenBadSignature),
        (format!("token=HS256-2-{mac}&expires=1598024587"), Cause::TokenMalformed),
        (format!("token=HS256-{}&expires=1598024587", mac.to_uppercase()), Cause::TokenBadSignature),
        ("token=HS256-&expires=1598024587".to_owned(), Cause::TokenMalformed),
        ("token=&expires=1598024587".to_owned(), Cause::TokenMalformed),
        ("token&expires=1598024587".to_owned(), Cause::TokenMalformed),
        (format!("token={mac}&expires=1598024587"), Cause::TokenAlgorithm),
        ("token=q-5vpkjBkRXXtkUMXiJVHA&expires=1598024587".to_owned(), Cause::TokenAlgorithm),
        (format!("token=HS256-{mac}&expires=1598024587&token=x"), Cause::RequestAmbiguous),
        (format!("token=HS256-{mac}&expires=1598024587&exp%69res=9"), Cause::RequestAmbiguous),
        (format!("t%6Fken=HS256-{mac}&expires=1598024587"), Cause::TokenMalformed),
        (format!("TOKEN=HS256-{mac}&expires=1598024587"), Cause::CredentialsMissing),
    ] {
        assert_eq!(at(&query), Some(wanted), "{query}");
    }
    // Of the last character two bits are not used.
    for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz012356789-_".chars() {
        let query = format!("token=HS256-{}{last}&expires=1598024587", &mac[..42]);
        assert!(at(&query).is_some(), "{query}");
    }
    for path in ["/300kb%2Ejpg", "/%3300kb.jpg", "//300kb.jpg", "/300KB.jpg", "/300kb.jpg%00", "/300kb.jpg/"]
    {
        let uri = format!("https://h{path}?token=HS256-{mac}&expires=1598024587");
        assert_eq!(cause(&uri), Some(Cause::TokenBadSignature), "{path}");
    }
}

#[test]
fn path_time_and_data_do_not_run_into_each_other() {
    // One signed text each: a link to the first would be one to the second, longer and without its condition.
    let first = token("/v2", "1598024587", &[], "token_countries=CA");
    assert_eq!(first, token("/v", "2159802458", &[], "7token_countries=CA"));
    let second = format!("https://h/v?token={first}&expires=2159802458&7token_countries=CA");
    assert_eq!(cause(&second), Some(Cause::TokenMalformed));
    let first = token("/v2", "1598024587", &[], "");
    assert_eq!(first, token("/v", "21598024587", &[], ""));
    assert_eq!(cause(&format!("https://h/v?token={first}&expires=21598024587")), Some(Cause::TokenMalformed));
    let moved = token("", "1598024587", &[], "token_path=");
    let uri = format!("https://h/v?token={moved}&token_path=&expires=1598024587");
    assert_eq!(cause(&uri), Some(Cause::TokenMalformed), "a directory of everything");
}

#[test]
fn a_mac_that_begins_like_a_bound_one() {
    let path = (0..20_000)
        .map(|n| format!("/{n}"))
        .find(|path| token(path, "1598024587", &[], "").starts_with("HS256-1-"));
    let path = path.expect("one in 4,096 does");
    assert_eq!(cause(&link(&path, "", "")), None, "{path}");
}

proptest! {
    #[test]
    fn what_is_signed_verifies_and_no_change_does(
        path in "/[a-z0-9/._~%-]{0,12}",
        address in any::<Option<[u8; 4]>>(),
        value in proptest::option::of("[a-z0-9]{0,6}"),
        in_path: bool,
        at: prop::sample::Index,
        octet in 0x21_u8..0x7f,
    ) {
        let data = value.map(|value| format!("x={value}")).unwrap_or_default();
        let token = token(&path, "1598024587", address.as_ref().map_or(&[], <[u8; 4]>::as_slice), &data);
        let sent = if data.is_empty() { String::new() } else { format!("&{data}") };
        let uri = if in_path {
            format!("https://h/bcdn_token={token}{sent}&expires=1598024587{path}")
        } else {
            format!("https://h{path}?token={token}{sent}&expires=1598024587")
        };
        let client = address.map_or_else(String::new, |address| IpAddr::from(address).to_string());
        let fields = from(&client, "US");
        prop_assert_eq!(links().verify_with(&uri, &fields, EXPIRES).err(), None);
        let other = Links::new(Format::Bunny, &[("a", HmacAlgorithm::Hs256, b"SecurityKex")], |_| {});
        prop_assert!(other.verify_with(&uri, &fields, EXPIRES).is_err());
        let mut changed = uri.clone().into_bytes();
        let at = 10 + at.index(changed.len() - 10);
        prop_assume!(changed[at] != octet && octet != b'#');
        changed[at] = octet;
        let changed = String::from_utf8(changed).expect("ASCII");
        prop_assert!(links().verify_with(&changed, &fields, EXPIRES).is_err(), "{}", changed);
    }

    #[test]
    fn never_panics(
        path in "/(bcdn_token=(HS256-)?(1-)?\\PC{0,50})?\\PC{0,20}",
        query in "(token=(HS256-)?(1-)?)?\\PC{0,50}(&expires=1598024587)?(&token_[a-z_]{0,12}=\\PC{0,8})?",
    ) {
        let _ = cause(&format!("https://h{path}?{query}"));
    }
}
