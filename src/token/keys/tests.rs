use super::*;
use crate::token::to_base64url;
use proptest::prelude::*;

fn jwk(kid: &str, alg: &str, key: &[u8]) -> String {
    format!(r#"{{"kty":"oct","kid":"{kid}","alg":"{alg}","k":"{}"}}"#, to_base64url(key))
}

fn set(jwks: &[String]) -> String {
    format!(r#"{{"keys":[{}]}}"#, jwks.join(","))
}

#[test]
fn a_good_set_is_read() {
    let text = set(&[
        jwk("a", "HS256", &[1; 32]),
        jwk("b", "HS512", &[2; 64]),
        jwk("c", "HS1", &[3; 16]),
        format!(
            r#"{{"kty":"oct","kid":"d é","alg":"HS384","use":"sig","key_ops":["sign","verify"],"x":1,"edgeward":{{}},"k":"{}"}}"#,
            to_base64url(&[4; 48])
        ),
    ]);
    let keys = KeySet::parse(&text).expect("a good set");
    let kids: Vec<&str> = keys.iter().map(|key| &**key.kid()).collect();
    assert_eq!(kids, ["a", "b", "c", "d é"]);
    assert_eq!(keys.get("c").map(Key::algorithm), Some(HmacAlgorithm::Hs1));
    assert_eq!(keys.jwt_algorithms(), [HmacAlgorithm::Hs256, HmacAlgorithm::Hs384, HmacAlgorithm::Hs512]);
    assert!(keys.get("e").is_none() && keys.warnings().is_empty());
    assert!(!format!("{keys:?}").contains(&to_base64url(&[1; 32])));
}

fn first_problem(text: &str) -> String {
    KeySet::parse(text).expect_err(text)[0].to_string()
}

#[test]
fn a_set_that_is_wrong_is_refused_in_words() {
    let table = [
        ("", "EDGEWARD_KEYS: found nothing, expected a JWK Set"),
        (" \n", "EDGEWARD_KEYS: found nothing"),
        ("{", "EDGEWARD_KEYS: found no JSON (line 1, column 2: no member name in quotation marks)"),
        ("[]", "EDGEWARD_KEYS keys: found nothing, expected a list of keys"),
        (r#"{"keys":{}}"#, "EDGEWARD_KEYS keys: found an object, expected a list of keys"),
        (r#"{"keys":[]}"#, "EDGEWARD_KEYS keys: found an empty list, expected at least one key"),
        (r#"{"keys":["x"]}"#, "EDGEWARD_KEYS keys[0]: found a string, expected an object"),
        (r#"{"keys":[],"keys":[]}"#, "EDGEWARD_KEYS: found no JSON (line 1, column 12: a member name"),
    ];
    for (text, expected) in table {
        let found = first_problem(text);
        assert!(found.starts_with(expected), "{found}");
    }
}

#[test]
fn a_key_that_is_wrong_is_refused_in_words() {
    let good = to_base64url(&[1; 32]);
    let with = |from: &str, to: &str| set(&[jwk("a", "HS256", &[1; 32]).replace(from, to)]);
    let table = [
        (with(r#""kty":"oct""#, r#""kty":"RSA""#), "kty: found another type of key"),
        (with(r#""kty":"oct","#, ""), "kty: found nothing"),
        (with(r#""kid":"a","#, ""), "kid: found nothing"),
        (with(r#""kid":"a""#, r#""kid":"""#), "kid: found a string"),
        (with(r#""kid":"a""#, r#""kid":"a\n""#), "kid: found a string"),
        (with(r#""kid":"a""#, r#""kid":1"#), "kid: found a number"),
        (with(r#""alg":"HS256","#, ""), "alg: found nothing"),
        (with("HS256", "RS256"), "alg: found another algorithm"),
        (with("HS256", "hs256"), "alg: found another algorithm"),
        (with("HS256", "none"), "alg: found another algorithm"),
        (with(&good, ""), "k: found a key of 0 octets, expected a key"),
        (with(&good, &format!("{good}=")), "k: found no base64url"),
        (with(&good, &good.replace("EBAQ", "EB+Q")), "k: found no base64url"),
        (with(&good, &(good[..42].to_owned() + "F")), "k: found no base64url"),
        (with(r#""kty""#, r#""use":"enc","kty""#), "use: found another use"),
        (with(r#""kty""#, r#""key_ops":["sign"],"kty""#), "key_ops: found no \"verify\""),
        (with(r#""kty""#, r#""key_ops":["verify",1],"kty""#), "key_ops: found no \"verify\""),
        (with(r#""kty""#, r#""edgeward":1,"kty""#), "edgeward: found a number, expected an object"),
        (
            with(r#""kty""#, r#""edgeward":{"retire_after":"2026-12-01T00:00:00Z","until":1},"kty""#),
            "edgeward: found an unknown member, expected use_from and retire_after, and no others",
        ),
        (
            with(r#""kty""#, r#""edgeward":{"use_from":"tomorrow"},"kty""#),
            "edgeward.use_from: found a string that names no moment, expected a date and time",
        ),
        (
            with(r#""kty""#, r#""edgeward":{"retire_after":null},"kty""#),
            "edgeward.retire_after: found null that names no moment",
        ),
        (
            with(
                r#""kty""#,
                r#""edgeward":{"use_from":1796083200,"retire_after":"2026-12-01T00:00:00Z"},"kty""#,
            ),
            "edgeward.retire_after: found 2026-12-01T00:00:00Z, which is not after use_from (2026-12-01T00:00:00Z)",
        ),
        (
            with(&good, &to_base64url(b"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0C")),
            "k: found a PEM or SSH key",
        ),
        (with(&good, &to_base64url(b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI")), "k: found a PEM or SSH key"),
        (
            set(&[jwk("a", "HS256", b"super-secret-jwt-token-with-at-least-32-characters-long")]),
            "k: found a key that is published",
        ),
    ];
    for (text, expected) in table {
        let found = first_problem(&text);
        assert!(found.starts_with(&format!("EDGEWARD_KEYS keys[0].{expected}")), "{found}");
        assert!(!found.contains(&good), "{found}");
    }
}

#[test]
fn keys_and_ids_stand_once() {
    let two = |a: String, b: String| first_problem(&set(&[a, b]));
    let same_id = two(jwk("a", "HS256", &[1; 32]), jwk("a", "HS256", &[2; 32]));
    assert!(same_id.starts_with("EDGEWARD_KEYS keys[1].kid: found \"a\" a second time"), "{same_id}");
    let same_key = two(jwk("a", "HS256", &[1; 32]), jwk("b", "HS256", &[1; 32]));
    assert!(
        same_key.starts_with("EDGEWARD_KEYS keys[1].k: found the key of \"a\" a second time"),
        "{same_key}"
    );
    let keys = KeySet::parse(&set(&[jwk("a", "HS256", &[1; 64]), jwk("b", "HS512", &[1; 64])]));
    assert_eq!(keys.expect("allowed").warnings().len(), 1);
    let three = set(&[jwk("a", "HS256", &[1; 64]), jwk("b", "HS512", &[1; 64]), jwk("c", "HS512", &[1; 64])]);
    let third = first_problem(&three);
    assert!(third.starts_with("EDGEWARD_KEYS keys[2].k: found the key of \"b\" a second time"), "{third}");
}

/// Each in the words of the place that uses it, and at its index in the set.
#[test]
fn sizes_are_judged_by_what_a_key_is_for() {
    let text = set(&[
        jwk("a", "HS256", &[1; 32]),
        jwk("b", "HS512", &[2; 32]),
        jwk("c", "HS1", &[3; 15]),
        jwk("d", "HS256", b"x"),
    ]);
    let keys = KeySet::parse(&text).expect("any length is read");
    assert_eq!(keys.iter().map(Key::size).collect::<Vec<_>>(), [32, 32, 15, 1]);
    let told = |demanded: fn(&Key) -> usize| -> Vec<String> {
        keys.check_sizes(&demanded).iter().map(ToString::to_string).collect()
    };
    let foreign = "Have a longer one made; weak_keys = true in its entry allows this one.";
    let made = "`edgeward keygen` makes a good key; one that signs links elsewhere belongs into the keys of their entry.";
    let (b, c, d) = (
        "EDGEWARD_KEYS keys[1].k: found a key of 32 octets",
        "EDGEWARD_KEYS keys[2].k: found a key of 15 octets",
        "EDGEWARD_KEYS keys[3].k: found a key of 1 octets",
    );
    assert_eq!(
        told(Key::least_size),
        [
            format!("{b}, expected 64 octets or more for HS512. {made}"),
            format!("{c}, expected 16 octets or more for HS1. {foreign}"),
            format!("{d}, expected 32 octets or more for HS256. {made}"),
        ]
    );
    assert_eq!(
        told(|_| FOREIGN_KEY_SIZE),
        [
            format!("{c}, expected 16 octets or more for HS1. {foreign}"),
            format!("{d}, expected 16 octets or more for HS256. {foreign}"),
        ]
    );
    assert!(told(|_| 1).is_empty());
    let warned: Vec<String> = keys.short_keys().into_iter().map(|problem| problem.at).collect();
    assert_eq!(warned, ["EDGEWARD_KEYS keys[2].k", "EDGEWARD_KEYS keys[3].k"]);
}

#[test]
fn dates_are_on_the_key() {
    let dated = r#"{"kty":"oct","kid":"a","alg":"HS256","edgeward":{"use_from":1000,"retire_after":"1970-01-01T01:00:00Z"},"k":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE"}"#;
    let keys = KeySet::parse(&set(&[dated.into(), jwk("b", "HS256", &[2; 32])])).expect("a good set");
    let at = UnixTime::from_seconds;
    let key = keys.get("a").expect("there");
    assert_eq!((key.use_from(), key.retire_after()), (Some(at(1000)), Some(at(3600))));
    assert_eq!(key.standing(at(999)), Standing::NotYet(at(1000)));
    assert_eq!(key.standing(at(3599)), Standing::Good);
    assert_eq!(key.standing(at(3600)), Standing::Retired(at(3600)));
    assert_eq!(keys.get("b").map(|key| key.standing(at(0))), Some(Standing::Good));
}

/// What is quadratic takes minutes here.
#[test]
fn any_number_of_keys_is_read_at_once() {
    let many = |count: u32| -> Vec<String> {
        (0..count)
            .map(|n| jwk(&format!("key-{n}"), "HS256", &[&n.to_be_bytes()[..], &[7; 28]].concat()))
            .collect()
    };
    let keys = KeySet::parse(&set(&many(5_000))).expect("a good set");
    for n in [0_usize, 1, 2_500, 4_999] {
        assert_eq!(keys.position(&format!("key-{n}")), Some(n));
        assert_eq!(keys.get(&format!("key-{n}")).map(|key| key.kid().to_string()), Some(format!("key-{n}")));
    }
    assert!(keys.get("key-5000").is_none() && keys.get("").is_none());
    let mut twice = many(5_000);
    twice.push(jwk("key-17", "HS256", &[&17_u32.to_be_bytes()[..], &[7; 28]].concat()));
    assert!(
        first_problem(&set(&twice))
            .starts_with("EDGEWARD_KEYS keys[5000].kid: found \"key-17\" a second time")
    );
}

#[test]
fn all_problems_are_told() {
    let text = set(&["{}".into(), jwk("a", "HS256", &[1; 32]), jwk("a", "x", &[1; 3])]);
    let problems = KeySet::parse(&text).expect_err("bad");
    let places: Vec<&str> = problems.iter().map(|problem| problem.at.as_str()).collect();
    let expected = ["keys[0].kty", "keys[0].kid", "keys[0].alg", "keys[0].k", "keys[2].kid", "keys[2].alg"];
    assert_eq!(places, expected.map(|place| format!("EDGEWARD_KEYS {place}")));
}

/// The example key of RFC 7515 A.1 stands, as text, in the list: it works, and `check` says so.
#[test]
fn a_published_text_as_k_is_warned_of() {
    let k = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let text = format!(r#"{{"keys":[{{"kty":"oct","kid":"a","alg":"HS256","k":"{k}"}}]}}"#);
    let keys = KeySet::parse(&text).expect("64 octets");
    assert_eq!(keys.warnings()[0].at, "EDGEWARD_KEYS keys[0].k");
}

proptest! {
    #[test]
    fn never_panics(text in any::<String>(), k in any::<String>()) {
        let _ = KeySet::parse(&text);
        let _ = KeySet::parse(&set(&[format!(r#"{{"k":{k:?},"kid":{text:?}}}"#)]));
    }

    #[test]
    fn dates_never_panic(member in r#"\{("(use_from|retire_after|x)":("[0-9TZ:+. -]{0,30}"|[0-9eE.-]{1,20}|null|\[\]),?){0,3}\}"#) {
        let jwk = jwk("a", "HS256", &[1; 32]).replace("\"kty\"", &format!("\"edgeward\":{member},\"kty\""));
        if let Ok(keys) = KeySet::parse(&set(&[jwk])) {
            let key = keys.get("a").expect("there");
            prop_assert!(key.use_from().zip(key.retire_after()).is_none_or(|(from, until)| from < until));
        }
    }

    #[test]
    fn dates_are_read_back(from in 0_i64..1_000_000, span in 1_i64..1_000_000, as_text: bool) {
        let (from, until) = (UnixTime::from_seconds(from), UnixTime::from_seconds(from + span));
        let written = |at: UnixTime| if as_text { format!("\"{at}\"") } else { at.seconds().to_string() };
        let member = format!(r#""edgeward":{{"use_from":{},"retire_after":{}}},"kty""#, written(from), written(until));
        let keys = KeySet::parse(&set(&[jwk("a", "HS256", &[1; 32]).replace("\"kty\"", &member)])).expect("good");
        let key = keys.get("a").expect("there");
        prop_assert_eq!((key.use_from(), key.retire_after()), (Some(from), Some(until)));
    }
}
