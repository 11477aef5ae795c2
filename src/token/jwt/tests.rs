use super::*;
use crate::token::{from_base64url, to_base64url};
use proptest::prelude::*;
use std::sync::LazyLock;

const NOW: UnixTime = UnixTime::from_seconds(1_700_000_000);
const AUTHORIZATION: TokenPlace = TokenPlace::Authorization;

fn entry() -> TokenEntry {
    TokenEntry {
        index: Some(0),
        keys: None,
        algorithms: vec![HmacAlgorithm::Hs256],
        issuer: vec![],
        audience: vec![],
        require: vec!["exp".into()],
        max_age: None,
        from: vec![AUTHORIZATION],
        trust_subject: false,
    }
}

fn octets(name: u8, algorithm: HmacAlgorithm) -> Vec<u8> {
    // "aaaa…" itself is a published key.
    vec![name ^ 0x80; algorithm.output_size()]
}

/// A set of keys named by one letter each.
fn key_set(names: &[(char, HmacAlgorithm)]) -> KeySet {
    let jwks: Vec<String> = names
        .iter()
        .map(|(name, algorithm)| {
            let k = to_base64url(&octets(*name as u8, *algorithm));
            format!(r#"{{"kty":"oct","kid":"{name}","alg":"{}","k":"{k}"}}"#, algorithm.name())
        })
        .collect();
    KeySet::parse(&format!(r#"{{"keys":[{}]}}"#, jwks.join(","))).expect("a good set")
}

fn verifier(entries: &[TokenEntry], names: &[(char, HmacAlgorithm)]) -> JwtVerifier {
    JwtVerifier::new(entries, &key_set(names), Lifetime::default()).expect("a good verifier")
}

/// A token with this very header and these very claims.
fn token(header: &str, claims: &str, name: char, algorithm: HmacAlgorithm) -> String {
    let input = format!("{}.{}", to_base64url(header.as_bytes()), to_base64url(claims.as_bytes()));
    sign(&MacKey::new(algorithm, &octets(name as u8, algorithm)), input)
}

fn cause(verifier: &JwtVerifier, token: &str) -> Option<Cause> {
    verifier.verify(token, &AUTHORIZATION, NOW).err().map(|refusal| {
        assert_eq!(refusal.sent, Some(Kind::Bearer));
        refusal.cause
    })
}

const GOOD: &str =
    r#"{"sub":"ann","exp":1700000001,"scope":"read  write","groups":["a","b"],"plan":["pro",1]}"#;
use HmacAlgorithm::{Hs1, Hs256, Hs384, Hs512};

#[test]
fn a_good_token_says_who_and_what() {
    let verifier = verifier(&[TokenEntry { trust_subject: true, ..entry() }], &[('a', Hs256)]);
    let jwt =
        verifier.verify(&token(r#"{"alg":"HS256"}"#, GOOD, 'a', Hs256), &AUTHORIZATION, NOW).expect("good");
    assert_eq!((jwt.kid(), jwt.algorithm(), jwt.subject()), ("a", Hs256, Some("ann")));
    assert_eq!(jwt.scopes().collect::<Vec<_>>(), ["read", "write"]);
    assert_eq!(jwt.groups(), ["a", "b"]);
    assert_eq!(jwt.expires(), Some(UnixTime::from_seconds(1_700_000_001)));
    assert!(jwt.trust_subject());
    let wanted = |pairs: &[(&str, &[&str])]| {
        let values = |values: &[&str]| values.iter().map(ToString::to_string).collect();
        jwt.claims_match(&pairs.iter().map(|(n, v)| (n.to_string(), values(v))).collect())
    };
    assert!(wanted(&[("plan", &["free", "pro"])]));
    assert!(wanted(&[("plan", &["pro"]), ("sub", &["ann"])]));
    assert!(!wanted(&[("plan", &["pro"]), ("sub", &["bob"])]));
    assert!(!wanted(&[("plan", &["1"])]));
    assert!(!wanted(&[("exp", &["1700000001"])]));
    assert!(!wanted(&[("none", &["x"])]));
    assert!(!wanted(&[]));
}

#[test]
fn headers_known_by_their_look_and_others_are_read_alike() {
    let verifier = verifier(&[entry()], &[('a', Hs256)]);
    let known = [
        r#"{"alg":"HS256"}"#,
        r#"{"alg":"HS256","typ":"JWT"}"#,
        r#"{"typ":"JWT","alg":"HS256"}"#,
        r#"{"alg":"HS256","kid":"a","typ":"JWT"}"#,
        r#"{"kid":"a","typ":"JWT","alg":"HS256"}"#,
    ];
    for header in known {
        let segment = to_base64url(header.as_bytes());
        let by_look = verifier.keyring.known_header(&segment).expect(header);
        assert_eq!(by_look, verifier.keyring.resolve(&Header::read(&segment).expect(header)));
        assert_eq!(cause(&verifier, &token(header, GOOD, 'a', Hs256)), None, "{header}");
    }
    for header in [r#"{"alg": "HS256", "typ": "JWT"}"#, "\r\n{ \"kid\":\"a\",\t\"x\":[1], \"alg\":\"HS256\"}"]
    {
        assert!(verifier.keyring.known_header(&to_base64url(header.as_bytes())).is_none());
        assert_eq!(cause(&verifier, &token(header, GOOD, 'a', Hs256)), None, "{header}");
    }
}

#[test]
fn every_cause_in_its_order() {
    let strict = TokenEntry {
        algorithms: vec![Hs256, Hs384],
        issuer: vec!["i".into()],
        audience: vec!["a".into()],
        max_age: Some(Lifetime::from_seconds(60)),
        ..entry()
    };
    let verifier = verifier(&[strict], &[('a', Hs256), ('b', Hs256), ('c', Hs512)]);
    let plain = r#"{"alg":"HS256"}"#;
    let all = r#"{"exp":1700000001,"iat":1700000000,"iss":"i","aud":"a"}"#;
    let table = [
        (token(plain, all, 'a', Hs256), None),
        (token(plain, all, 'b', Hs256), None),
        (token(r#"{"alg":"HS256","kid":"b"}"#, all, 'b', Hs256), None),
        // Form.
        ("x.y".into(), Some(Cause::TokenMalformed)),
        (token(r#"{"alg":"none","crit":["x"]}"#, all, 'z', Hs256), Some(Cause::TokenMalformed)),
        (token(r#"{"alg":"none"}"#, all, 'z', Hs256) + "=", Some(Cause::TokenMalformed)),
        // Algorithm, before the key.
        (
            format!("{}.{}.", to_base64url(br#"{"alg":"none"}"#), to_base64url(all.as_bytes())),
            Some(Cause::TokenAlgorithm),
        ),
        (token(r#"{"alg":"nOnE","kid":"z"}"#, all, 'z', Hs256), Some(Cause::TokenAlgorithm)),
        (token("{}", all, 'a', Hs256), Some(Cause::TokenAlgorithm)),
        (token(r#"{"alg":""}"#, all, 'a', Hs256), Some(Cause::TokenAlgorithm)),
        (token(r#"{"alg":"HS512","kid":"c"}"#, all, 'c', Hs512), Some(Cause::TokenAlgorithm)),
        (token(r#"{"alg":"HS256","kid":"c"}"#, all, 'c', Hs512), Some(Cause::TokenAlgorithm)),
        (token(r#"{"alg":"HS384","kid":"a"}"#, all, 'a', Hs384), Some(Cause::TokenAlgorithm)),
        (token(r#"{"alg":"HS384"}"#, all, 'a', Hs384), Some(Cause::TokenAlgorithm)),
        (token(r#"{"alg":"RS256","kid":"z"}"#, all, 'a', Hs256), Some(Cause::TokenAlgorithm)),
        // Key: no fallback.
        (token(r#"{"alg":"HS256","kid":"z"}"#, all, 'a', Hs256), Some(Cause::TokenUnknownKey)),
        (token(r#"{"alg":"HS256","kid":""}"#, all, 'a', Hs256), Some(Cause::TokenUnknownKey)),
        // Signature, before any claim.
        (token(r#"{"alg":"HS256","kid":"b"}"#, all, 'a', Hs256), Some(Cause::TokenBadSignature)),
        (token(plain, "no JSON", 'z', Hs256), Some(Cause::TokenBadSignature)),
        (
            format!("{}.{}.", to_base64url(plain.as_bytes()), to_base64url(all.as_bytes())),
            Some(Cause::TokenBadSignature),
        ),
        // Claims.
        (token(plain, "no JSON", 'a', Hs256), Some(Cause::TokenMalformed)),
        (token(plain, "[]", 'a', Hs256), Some(Cause::TokenMalformed)),
        (token(plain, r#"{"exp":1,"exp":2}"#, 'a', Hs256), Some(Cause::TokenMalformed)),
        (token(plain, r#"{"exp":"1"}"#, 'a', Hs256), Some(Cause::TokenMalformed)),
        (token(plain, r#"{"exp":1,"iss":"x","aud":"x"}"#, 'a', Hs256), Some(Cause::TokenMissingClaim)),
        (token(plain, r#"{"exp":1,"iat":1,"iss":"x","aud":"x"}"#, 'a', Hs256), Some(Cause::TokenWrongIssuer)),
        (
            token(plain, r#"{"exp":1,"iat":1,"iss":"i","aud":"x"}"#, 'a', Hs256),
            Some(Cause::TokenWrongAudience),
        ),
        (
            token(plain, r#"{"exp":1,"iat":1700000001,"iss":"i","aud":"a"}"#, 'a', Hs256),
            Some(Cause::TokenNotYetValid),
        ),
        (token(plain, r#"{"exp":1,"iat":1,"iss":"i","aud":"a"}"#, 'a', Hs256), Some(Cause::TokenExpired)),
        (
            token(plain, r#"{"exp":1700000001,"iat":1,"iss":"i","aud":"a"}"#, 'a', Hs256),
            Some(Cause::TokenTooOld),
        ),
    ];
    for (token, expected) in table {
        assert_eq!(cause(&verifier, &token), expected, "{token}");
    }
}

#[test]
fn refusals_say_when() {
    let verifier = verifier(&[entry()], &[('a', Hs256)]);
    let refusal = |claims: &str| {
        let token = token(r#"{"alg":"HS256"}"#, claims, 'a', Hs256);
        verifier.verify(&token, &AUTHORIZATION, NOW).expect_err(claims)
    };
    let expired = refusal(r#"{"exp":1699999999}"#);
    assert_eq!(expired.when, Some(UnixTime::from_seconds(1_699_999_999)));
    assert_eq!(expired.detail, "The token expired at 2023-11-14T22:13:19Z.");
    assert_eq!(
        refusal(r#"{"exp":1700000001,"nbf":1700000005}"#).when,
        Some(UnixTime::from_seconds(1_700_000_005))
    );
    assert_eq!(refusal("{}").when, None);
}

#[test]
fn without_a_kid_at_most_eight_keys_are_tried() {
    let names: Vec<(char, HmacAlgorithm)> = ('a'..='h').map(|name| (name, Hs256)).collect();
    let eight = verifier(&[entry()], &names);
    assert_eq!(cause(&eight, &token(r#"{"alg":"HS256"}"#, GOOD, 'h', Hs256)), None);
    let names: Vec<(char, HmacAlgorithm)> = ('a'..='i').map(|name| (name, Hs256)).collect();
    let nine = verifier(&[entry()], &names);
    let without = token(r#"{"alg":"HS256"}"#, GOOD, 'a', Hs256);
    assert_eq!(cause(&nine, &without), Some(Cause::TokenUnknownKey));
    assert_eq!(cause(&nine, &token(r#"{"alg":"HS256","kid":"i"}"#, GOOD, 'i', Hs256)), None);
    let mixed = TokenEntry { algorithms: vec![Hs256, Hs384], ..entry() };
    let names: Vec<_> = names.into_iter().map(|(n, a)| (n, if n == 'i' { Hs384 } else { a })).collect();
    assert_eq!(cause(&verifier(&[mixed], &names), &without), None, "eight of them fit");
}

/// A set of HS256 keys, each with its member `edgeward`.
fn dated(names: &[(char, &str)]) -> KeySet {
    let jwk = |(name, dates): &(char, &str)| {
        let k = to_base64url(&octets(*name as u8, Hs256));
        format!(r#"{{"kty":"oct","kid":"{name}","alg":"HS256","k":"{k}","edgeward":{dates}}}"#)
    };
    let jwks: Vec<String> = names.iter().map(jwk).collect();
    KeySet::parse(&format!(r#"{{"keys":[{}]}}"#, jwks.join(","))).expect("a good set")
}

const RETIRED: &str = r#"{"retire_after":1700000000}"#;
const COMING: &str = r#"{"use_from":1700000001}"#;
const GOOD_STILL: &str = r#"{"use_from":1700000000,"retire_after":1700000001}"#;

#[test]
fn a_key_out_of_use_is_told_only_to_who_has_its_signature() {
    let keys = dated(&[('a', GOOD_STILL), ('b', RETIRED), ('c', COMING)]);
    let verifier = JwtVerifier::new(&[entry()], &keys, Lifetime::default()).expect("good");
    let refused = |kid: Option<char>, signer: char| {
        let header =
            kid.map_or(r#"{"alg":"HS256"}"#.into(), |kid| format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#));
        let token = token(&header, r#"{"exp":1}"#, signer, Hs256);
        let refusal = verifier.verify(&token, &AUTHORIZATION, NOW).expect_err("expired at the least");
        assert_eq!(
            (refusal.sent, refusal.when.is_some()),
            (Some(Kind::Bearer), refusal.cause == Cause::TokenExpired)
        );
        (refusal.cause, refusal.key, refusal.detail)
    };
    for named in [false, true] {
        let kid = |name: char| named.then_some(name);
        assert_eq!(refused(kid('a'), 'a').0, Cause::TokenExpired);
        let (cause, key, detail) = refused(kid('b'), 'b');
        assert_eq!((cause, key.as_deref()), (Cause::TokenUnknownKey, Some("b")));
        assert_eq!(detail, "The key \"b\", which signed the token, was retired at 2023-11-14T22:13:20Z.");
        let (cause, key, detail) = refused(kid('c'), 'c');
        assert_eq!((cause, key.as_deref()), (Cause::TokenUnknownKey, Some("c")));
        assert_eq!(
            detail,
            "The key \"c\", which signed the token, is not in use before 2023-11-14T22:13:21Z."
        );
    }
    for kid in [Some('a'), Some('b'), Some('c'), None] {
        let (cause, key, detail) = refused(kid, 'z');
        assert_eq!((cause, key), (Cause::TokenBadSignature, None));
        assert_eq!(detail, "The signature of the token does not match.");
    }
}

#[test]
fn a_key_comes_into_use_and_goes_out_of_it_to_the_millisecond() {
    let keys = dated(&[('a', r#"{"use_from":1700000000}"#), ('b', RETIRED)]);
    let verifier = JwtVerifier::new(&[entry()], &keys, Lifetime::from_seconds(300)).expect("good");
    let at = |signer: char, millis: i64| {
        let token = token(r#"{"alg":"HS256"}"#, r#"{"exp":1700000900}"#, signer, Hs256);
        verifier.verify(&token, &AUTHORIZATION, UnixTime::from_millis(millis)).is_ok()
    };
    assert_eq!(
        [at('a', 1_699_999_999_999), at('a', 1_700_000_000_000)],
        [false, true],
        "leeway is for claims"
    );
    assert_eq!([at('b', 1_699_999_999_999), at('b', 1_700_000_000_000)], [true, false]);
}

#[test]
fn keys_out_of_use_do_not_count_among_the_eight() {
    let names: Vec<char> = ('a'..='t').collect();
    let dates = |at: usize| if (4..12).contains(&at) { "{}" } else { RETIRED };
    let listed: Vec<(char, &str)> = names.iter().enumerate().map(|(at, name)| (*name, dates(at))).collect();
    let found = |listed: &[(char, &str)], signer: char| {
        let verifier = JwtVerifier::new(&[entry()], &dated(listed), Lifetime::default()).expect("good");
        let refused =
            verifier.verify(&token(r#"{"alg":"HS256"}"#, GOOD, signer, Hs256), &AUTHORIZATION, NOW).err();
        refused.map(|refusal| (refusal.cause, refusal.key))
    };
    assert_eq!(found(&listed, 'e'), None);
    assert_eq!(found(&listed, 'l'), None);
    // Eight tries are spent: whose token it is cannot be said any more.
    assert_eq!(found(&listed, 'a'), Some((Cause::TokenBadSignature, None)));
    let seven = [&listed[..4], &listed[5..]].concat();
    assert_eq!(
        found(&seven, 'a'),
        Some((Cause::TokenUnknownKey, Some("a".into()))),
        "one is left for the first"
    );
    assert_eq!(found(&seven, 'b'), Some((Cause::TokenBadSignature, None)));
    let nine = [&listed[..], &[('u', "{}")]].concat();
    assert_eq!(found(&nine, 'e'), Some((Cause::TokenUnknownKey, None)));
}

#[test]
fn refusals_after_the_signature_name_the_key() {
    let verifier = verifier(&[TokenEntry { audience: vec!["x".into()], ..entry() }], &[('a', Hs256)]);
    let key = |claims: &str, signer: char| {
        let token = token(r#"{"alg":"HS256"}"#, claims, signer, Hs256);
        let refusal = verifier.verify(&token, &AUTHORIZATION, NOW).expect_err(claims);
        (refusal.cause, refusal.key.is_some_and(|key| key == "a"))
    };
    assert_eq!(key("no JSON", 'a'), (Cause::TokenMalformed, true));
    assert_eq!(key("{}", 'a'), (Cause::TokenMissingClaim, true));
    assert_eq!(key(r#"{"exp":1,"aud":"y"}"#, 'a'), (Cause::TokenWrongAudience, true));
    assert_eq!(key(r#"{"exp":1,"aud":"x"}"#, 'a'), (Cause::TokenExpired, true));
    assert_eq!(key(r#"{"exp":1,"aud":"x"}"#, 'b'), (Cause::TokenBadSignature, false));
}

/// Built at once, and the last is found as quickly as the first.
#[test]
fn any_number_of_keys_verifies() {
    let key = |n: u32| [&n.to_be_bytes()[..], &[9; 28]].concat();
    let jwk =
        |n: u32| format!(r#"{{"kty":"oct","kid":"key-{n}","alg":"HS256","k":"{}"}}"#, to_base64url(&key(n)));
    let jwks: Vec<String> = (0..5_000).map(jwk).collect();
    let keys = KeySet::parse(&format!(r#"{{"keys":[{}]}}"#, jwks.join(","))).expect("a good set");
    let begun = std::time::Instant::now();
    let verifier = JwtVerifier::new(&[entry()], &keys, Lifetime::default()).expect("good");
    assert!(begun.elapsed().as_secs() < 1, "{:?}", begun.elapsed());
    for n in [0, 63, 64, 4_999] {
        let token = mint(&MacKey::new(Hs256, &key(n)), &format!("key-{n}"), "JWT", GOOD);
        let jwt = verifier.verify(&token, &AUTHORIZATION, NOW).expect("good");
        assert_eq!(jwt.kid(), format!("key-{n}"));
        let swapped = mint(&MacKey::new(Hs256, &key(n)), &format!("key-{}", n + 1), "JWT", GOOD);
        let cause = cause(&verifier, &swapped);
        assert!(matches!(cause, Some(Cause::TokenBadSignature | Cause::TokenUnknownKey)), "{cause:?}");
    }
    assert!(verifier.keyring.known_headers() <= 64 * 11, "the table is bounded");
    assert_eq!(
        cause(&verifier, &token(r#"{"alg":"HS256"}"#, GOOD, 'a', Hs256)),
        Some(Cause::TokenUnknownKey)
    );
}

#[test]
fn an_entry_is_for_its_places_and_its_keys() {
    let named = |index: usize, kid: &str, from: TokenPlace, audience: &str| TokenEntry {
        index: Some(index),
        keys: Some(vec![kid.into()]),
        from: vec![from],
        audience: vec![audience.into()],
        ..entry()
    };
    let cookie = TokenPlace::Cookie("t".into());
    let entries = [named(0, "a", AUTHORIZATION, "x"), named(1, "b", cookie.clone(), "y")];
    let verifier = verifier(&entries, &[('a', Hs256), ('b', Hs256), ('c', Hs256), ('d', Hs1)]);
    let claims = |audience: &str| format!(r#"{{"exp":1700000001,"aud":"{audience}"}}"#);
    let found = |kid: Option<char>, signer: char, audience: &str, place: &TokenPlace| {
        let header =
            kid.map_or(r#"{"alg":"HS256"}"#.into(), |kid| format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#));
        let token = token(&header, &claims(audience), signer, Hs256);
        verifier.verify(&token, place, NOW).err().map(|refusal| refusal.cause)
    };
    assert_eq!(found(Some('a'), 'a', "x", &AUTHORIZATION), None);
    assert_eq!(found(None, 'b', "y", &cookie), None);
    assert_eq!(found(Some('b'), 'b', "y", &AUTHORIZATION), Some(Cause::TokenUnknownKey));
    assert_eq!(found(None, 'b', "y", &AUTHORIZATION), Some(Cause::TokenBadSignature));
    assert_eq!(found(None, 'b', "x", &cookie), Some(Cause::TokenWrongAudience));
    assert_eq!(found(Some('c'), 'c', "x", &AUTHORIZATION), Some(Cause::TokenUnknownKey), "no entry has it");
    assert_eq!(found(None, 'a', "x", &TokenPlace::Query("t".into())), Some(Cause::TokenAlgorithm));
}

#[test]
fn an_entry_that_does_not_fit_its_keys_is_a_problem() {
    let keys = key_set(&[('a', Hs256), ('b', Hs512), ('s', Hs1)]);
    let with = |kids: &[&str], algorithms: &[HmacAlgorithm], index: usize| TokenEntry {
        index: Some(index),
        keys: Some(kids.iter().map(ToString::to_string).collect()),
        algorithms: algorithms.to_vec(),
        ..entry()
    };
    let problems = |entries: &[TokenEntry]| -> Vec<String> {
        let verifier = JwtVerifier::new(entries, &keys, Lifetime::default());
        verifier
            .err()
            .unwrap_or_default()
            .into_iter()
            .map(|p| format!("{}: found {}", p.at, p.found))
            .collect()
    };
    assert!(problems(&[entry()]).is_empty());
    assert!(problems(&[with(&["a"], &[Hs256], 0), with(&["b"], &[Hs512], 1)]).is_empty());
    assert_eq!(
        problems(&[with(&["a", "x"], &[Hs256], 3)]),
        ["EDGEWARD.tokens[3].keys[1]: found \"x\", which is not in EDGEWARD_KEYS"]
    );
    assert_eq!(
        problems(&[with(&["b"], &[Hs256], 0)]),
        ["EDGEWARD.tokens[0].keys[0]: found \"b\", a key for HS512"]
    );
    assert_eq!(
        problems(&[with(&["s"], &[Hs256], 0)]),
        ["EDGEWARD.tokens[0].keys[0]: found \"s\", a key for HS1"]
    );
    assert_eq!(
        problems(&[TokenEntry { algorithms: vec![Hs384], ..entry() }]),
        ["EDGEWARD.tokens[0].algorithms: found no key in EDGEWARD_KEYS for any of them"]
    );
    assert_eq!(
        problems(&[with(&["a"], &[Hs256], 0), with(&["a"], &[Hs256], 1)]),
        ["EDGEWARD.tokens[1].keys: found the key \"a\" in two entries or twice in one"]
    );
    let first = problems(&[entry(), with(&["b"], &[Hs512], 1)]);
    assert_eq!(first.first().map(String::as_str), Some("EDGEWARD.tokens[0].keys: found nothing"));
}

#[test]
fn the_entry_of_nothing_but_defaults_takes_the_algorithms_of_its_keys() {
    let default = TokenEntry { index: None, algorithms: vec![], ..entry() };
    let verifier = verifier(&[default], &[('a', Hs256), ('b', Hs512), ('s', Hs1)]);
    assert_eq!(cause(&verifier, &token(r#"{"alg":"HS512"}"#, GOOD, 'b', Hs512)), None);
    assert_eq!(cause(&verifier, &token(r#"{"alg":"HS384"}"#, GOOD, 'a', Hs384)), Some(Cause::TokenAlgorithm));
    assert_eq!(cause(&verifier, &token(r#"{"alg":"HS1"}"#, GOOD, 's', Hs1)), Some(Cause::TokenAlgorithm));
}

#[test]
fn what_is_minted_verifies() {
    let ring = verifier(&[entry()], &[('a', Hs256)]);
    let key = MacKey::new(Hs256, &octets(b'a', Hs256));
    assert_eq!(cause(&ring, &mint(&key, "a", "JWT", GOOD)), None);
    let odd = mint(&key, "a\"\n", "a\\b", "{}");
    let header = from_base64url(odd.split('.').next().unwrap_or_default()).expect("base64url");
    assert_eq!(String::from_utf8_lossy(&header), r#"{"alg":"HS256","typ":"a\\b","kid":"a\"\n"}"#);
}

static RING: LazyLock<JwtVerifier> = LazyLock::new(|| verifier(&[entry()], &[('a', Hs256)]));
static TOKEN: LazyLock<String> = LazyLock::new(|| token(r#"{"alg":"HS256","typ":"JWT"}"#, GOOD, 'a', Hs256));

/// RFC 4648 §3.5: the last character of a tag of 32 octets carries four bits, so three twins decode alike elsewhere.
#[test]
fn no_last_character_has_a_twin() {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. ";
    let (start, last) = TOKEN.split_at(TOKEN.len() - 1);
    for other in alphabet.chars().filter(|other| !last.starts_with(*other)) {
        assert!(cause(&RING, &format!("{start}{other}")).is_some(), "{other}");
    }
    for other in [start.to_owned(), format!("{}=", *TOKEN), format!("{}A", *TOKEN), format!(" {}", *TOKEN)] {
        assert!(cause(&RING, &other).is_some(), "{other}");
    }
    assert_eq!(cause(&RING, &TOKEN), None);
}

proptest! {
    #[test]
    fn any_one_change_is_refused(at in any::<prop::sample::Index>(), new in any::<u8>()) {
        let mut octets = TOKEN.clone().into_bytes();
        let at = at.index(octets.len());
        prop_assume!(octets[at] != new);
        octets[at] = new;
        if let Ok(changed) = String::from_utf8(octets) {
            prop_assert!(cause(&RING, &changed).is_some());
        }
    }

    #[test]
    fn never_panics(token in any::<String>(), parts in "[A-Za-z0-9_.=-]{0,300}") {
        prop_assert!(cause(&RING, &token).is_some());
        prop_assert!(cause(&RING, &parts).is_some());
    }

    #[test]
    fn signed_claims_never_panic(header in ".{0,40}", claims in any::<String>(), json in r#"\{"(exp|aud|sub|groups)":[\[\]{}",0-9eE.a-]{0,20}\}"#) {
        let _ = cause(&RING, &token(&header, &claims, 'a', Hs256));
        let _ = cause(&RING, &token(r#"{"alg":"HS256"}"#, &claims, 'a', Hs256));
        let _ = cause(&RING, &token(r#"{"alg":"HS256"}"#, &json, 'a', Hs256));
    }
}
