use super::*;
use crate::policy::{TokenEntry, TokenPlace};
use crate::time::Lifetime;
use crate::token::jwt::JwtVerifier;
use crate::token::keys::KeySet;
use proptest::prelude::*;

const SITE: &str = "https://acme.example";
const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);
const ONE: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
const TWO: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";

fn root(text: &str) -> RootSecret {
    RootSecret::parse(text).expect("good secrets")
}

fn order() -> Order {
    Order {
        ids: vec!["a\"1".into(), "b".into()],
        subjects: vec!["token:ann".into()],
        keys: vec!["2026-05".into()],
        sessions: Vec::new(),
        before: Some(NOW),
        until: 1_900_000_000,
        undo: false,
    }
}

fn signed(order: &Order) -> String {
    sign(&root(ONE), SITE, order, NOW).expect("there is a secret")
}

/// A token with these claims, by the right key.
fn with(typ: &str, claims: &str) -> String {
    let (kid, key) = keys(&root(ONE)).remove(0);
    mint(&MacKey::new(HmacAlgorithm::Hs256, key.expose()), &kid, typ, claims)
}

#[test]
fn what_is_signed_is_verified() {
    for order in [
        order(),
        Order { undo: true, until: 0, ..order() },
        Order { ids: vec!["x".into()], ..Order::default() },
        Order { sessions: vec!["a\"nn".into(), "discourse:bob".into()], ..Order::default() },
        Order { sessions: vec!["ann".into()], ..order() },
    ] {
        assert_eq!(verify(&root(ONE), &signed(&order), SITE, NOW), Ok(order));
    }
}

#[test]
fn all_secrets_verify_and_the_first_signs() {
    let token = signed(&order());
    assert!(verify(&root(&format!("{TWO} {ONE}")), &token, SITE, NOW).is_ok());
    assert_eq!(sign(&root(&format!("{ONE} {TWO}")), SITE, &order(), NOW), Some(token.clone()));
    let unknown = "The order is signed with a key that is not known here.";
    assert_eq!(verify(&root(TWO), &token, SITE, NOW), Err(unknown));
}

#[test]
fn it_is_good_for_a_minute_and_for_one_site() {
    let token = signed(&order());
    let at = |seconds| verify(&root(ONE), &token, SITE, NOW + Lifetime::from_seconds(seconds)).map(drop);
    assert_eq!(at(59), Ok(()));
    assert_eq!(at(60), Err("The order has expired."));
    let early = |seconds| verify(&root(ONE), &token, SITE, NOW - Lifetime::from_seconds(seconds)).map(drop);
    assert_eq!(early(60), Ok(()), "the clock of whoever signed is ahead");
    assert_eq!(early(61), Err("The order is made to last too long."));
    for elsewhere in ["https://acme.example:8443", "http://acme.example", "https://acme.example/", ""] {
        assert_eq!(
            verify(&root(ONE), &token, elsewhere, NOW),
            Err("The order is for another site."),
            "{elsewhere}"
        );
    }
}

/// `wrangler dev` tells the Worker no port; the command is given the one that curl has to take.
#[test]
fn the_port_does_not_matter_on_the_machine_of_whoever_orders() {
    let good = |site: &str, at: &str| {
        let token = sign(&root(ONE), site, &order(), NOW).expect("a secret");
        verify(&root(ONE), &token, at, NOW).is_ok()
    };
    assert!(
        good("http://localhost:8787", "http://localhost")
            && good("http://localhost", "http://localhost:8787")
    );
    for (site, at) in [
        ("http://localhost:8787", "http://localhost.acme.example"),
        ("http://localhost.acme.example", "http://localhost"),
        ("https://localhost:8787", "https://localhost"),
        ("http://localhost", SITE),
        (SITE, "http://localhost"),
    ] {
        assert!(!good(site, at), "{site} at {at}");
    }
}

#[test]
fn claims_are_as_they_must_be() {
    let good = r#"{"aud":"https://acme.example","exp":1800000060,"revoke":{"jti":["a"]}}"#;
    let verified = |claims: &str| verify(&root(ONE), &with(TYPE, claims), SITE, NOW);
    assert_eq!(verified(good), Ok(Order { ids: vec!["a".into()], ..Order::default() }));
    let unsaid = "The order does not say what to revoke.";
    for (from, to, expected) in [
        (r#""exp":1800000060,"#, "", "The order has no claim exp."),
        ("1800000060", "\"1800000060\"", "A claim of the order has the wrong type."),
        ("1800000060", "4102444800", "The order is made to last too long."),
        (r#""https://acme.example""#, r#"["https://acme.example"]"#, "The order is for another site."),
        (r#""aud":"https://acme.example","#, "", "The order is for another site."),
        (r#","revoke":{"jti":["a"]}"#, "", unsaid),
        (r#"{"jti":["a"]}"#, "{}", unsaid),
        (r#"{"jti":["a"]}"#, r#"{"jti":[]}"#, unsaid),
        (r#"{"jti":["a"]}"#, r#"{"jti":"a"}"#, unsaid),
        (r#"{"jti":["a"]}"#, r#"{"jti":["a",1]}"#, unsaid),
        (r#"{"jti":["a"]}"#, r#"{"jti":["a"],"user":["ann"]}"#, unsaid),
        (r#"{"jti":["a"]}"#, r#"{"jti":["a"],"until":null}"#, unsaid),
        (r#"{"jti":["a"]}"#, r#"{"before":-1}"#, unsaid),
        (r#"{"jti":["a"]}"#, r#"{"jti":["a"],"undo":1}"#, unsaid),
        (r#"}}"#, "}", NOT_JSON),
    ] {
        let claims = good.replacen(from, to, 1);
        assert_ne!(claims, good, "{from}");
        assert_eq!(verified(&claims), Err(expected), "{claims}");
    }
}

#[test]
fn nothing_else_is_an_order() {
    let claims = r#"{"aud":"https://acme.example","exp":1800000060,"revoke":{"jti":["a"]}}"#;
    for typ in ["JWT", "edgeward-assertion+jwt", "Edgeward-Revoke+JWT", "application/edgeward-revoke+jwt", ""]
    {
        let verdict = verify(&root(ONE), &with(typ, claims), SITE, NOW);
        assert_eq!(verdict, Err("The token is not an order to revoke."), "{typ}");
    }
    // An assertion's key, and its token, are for the origin.
    let key = root(ONE).derive(&[b"edgeward/assertion/v1", b"\0", SITE.as_bytes()]).remove(0);
    let (kid, _) = keys(&root(ONE)).remove(0);
    let forged = mint(&MacKey::new(HmacAlgorithm::Hs256, key.expose()), &kid, TYPE, claims);
    let verdict = verify(&root(ONE), &forged, SITE, NOW);
    assert_eq!(verdict, Err("The signature of the order does not match."));
}

/// Not even where the secret itself is a key of tokens, and whatever the entry takes.
#[test]
fn an_order_opens_nothing() {
    let keys = KeySet::parse(&format!(r#"{{"keys":[{{"kty":"oct","kid":"k","alg":"HS256","k":"{ONE}"}}]}}"#))
        .expect("good");
    let entry = TokenEntry {
        index: None,
        keys: None,
        algorithms: vec![HmacAlgorithm::Hs256],
        issuer: vec![],
        audience: vec![],
        require: vec![],
        max_age: None,
        from: vec![TokenPlace::Authorization],
        trust_subject: false,
    };
    let verifier = JwtVerifier::new(&[entry], &keys, Lifetime::default()).expect("good");
    assert!(verifier.verify(&signed(&order()), &TokenPlace::Authorization, NOW).is_err());
}

proptest! {
    #[test]
    fn any_order_comes_back(
        names in [prop::collection::vec(any::<String>(), 0..3), prop::collection::vec(any::<String>(), 0..3), prop::collection::vec(any::<String>(), 0..3), prop::collection::vec(any::<String>(), 0..3)],
        before in prop::option::of(0..253_402_300_800_i64),
        until in 0..253_402_300_800_i64,
        undo in any::<bool>(),
    ) {
        let [ids, subjects, keys, sessions] = names;
        let sessions = if undo { Vec::new() } else { sessions };
        let order = Order { ids, subjects, keys, sessions, before: before.map(UnixTime::from_seconds), until, undo };
        let token = signed(&order);
        prop_assume!(token.len() <= crate::token::jws::MAX_TOKEN_SIZE);
        let expected = if order.is_empty() { Err("The order does not say what to revoke.") } else { Ok(order) };
        prop_assert_eq!(verify(&root(ONE), &token, SITE, NOW), expected);
    }

    #[test]
    fn one_octet_changed_is_no_order(at in any::<prop::sample::Index>(), new in any::<u8>()) {
        let token = signed(&order());
        let mut octets = token.clone().into_bytes();
        let at = at.index(octets.len());
        prop_assume!(octets[at] != new);
        octets[at] = new;
        let changed = String::from_utf8_lossy(&octets);
        prop_assert!(verify(&root(ONE), &changed, SITE, NOW).is_err());
    }

    #[test]
    fn verify_never_panics(token in any::<String>()) {
        prop_assert!(verify(&root(ONE), &token, SITE, NOW).is_err());
    }
}

#[test]
fn what_has_ended_cannot_begin_again() {
    let order = Order { sessions: vec!["ann".into()], undo: true, ..Order::default() };
    assert!(verify(&root(ONE), &signed(&order), SITE, NOW).is_err());
}
