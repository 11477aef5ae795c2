//! Tokens: nothing is accepted but what a key of ours signed, and of that just what the policy takes.
//!
//! The input is a token as received; and its first line is a header and the rest a claims set, both not yet encoded,
//! which are signed here. So the fuzzer reaches what stands behind a signature that it could not make.

pub mod expected;

use super::{first_line, text};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward::json::Json;
use edgeward::policy::{HmacAlgorithm, TokenEntry, TokenPlace};
use edgeward::time::{Lifetime, UnixTime};
use edgeward::token::jws::{Compact, Header, MAX_TOKEN_SIZE};
use edgeward::token::jwt::{JwtVerifier, VerifiedJwt, mint};
use edgeward::token::keys::KeySet;
use edgeward::token::mac::MacKey;
use edgeward::verdict::{Cause, Refusal};
use hmac::{Hmac, KeyInit, Mac};
use std::sync::LazyLock;

const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);
const LEEWAY: Lifetime = Lifetime::from_seconds(30);

/// A key, and the entry it belongs to.
struct Key {
    kid: &'static str,
    algorithm: HmacAlgorithm,
    octets: [u8; 64],
    entry: usize,
}

const KEYS: [Key; 3] = [
    Key { kid: "a", algorithm: HmacAlgorithm::Hs256, octets: [0xA7; 64], entry: 0 },
    Key { kid: "b", algorithm: HmacAlgorithm::Hs512, octets: [0xB7; 64], entry: 0 },
    Key { kid: "c", algorithm: HmacAlgorithm::Hs384, octets: [0xC7; 64], entry: 1 },
];

/// A key that the gate does not have, under the id of one that it has.
const FOREIGN: Key = Key { octets: [0xF7; 64], ..KEYS[0] };

/// The second entry asks for all that one can ask for.
static ENTRIES: LazyLock<[TokenEntry; 2]> = LazyLock::new(|| {
    let first = TokenEntry {
        index: Some(0),
        keys: Some(vec!["a".into(), "b".into()]),
        algorithms: vec![HmacAlgorithm::Hs256, HmacAlgorithm::Hs512],
        issuer: Vec::new(),
        audience: Vec::new(),
        require: vec!["exp".into()],
        max_age: None,
        from: vec![TokenPlace::Authorization],
        trust_subject: false,
    };
    let second = TokenEntry {
        index: Some(1),
        keys: Some(vec!["c".into()]),
        algorithms: vec![HmacAlgorithm::Hs384],
        issuer: vec!["https://i.example".into()],
        audience: vec!["here".into(), "there".into()],
        require: vec!["sub".into()],
        max_age: Some(Lifetime::from_seconds(3600)),
        from: vec![TokenPlace::Cookie("t".into())],
        trust_subject: true,
    };
    [first, second]
});

static VERIFIER: LazyLock<JwtVerifier> = LazyLock::new(|| {
    let jwk = |key: &Key| {
        let (alg, k) = (key.algorithm.name(), URL_SAFE_NO_PAD.encode(key.octets));
        format!(r#"{{"kty":"oct","kid":"{}","alg":"{alg}","k":"{k}"}}"#, key.kid)
    };
    let keys = format!(r#"{{"keys":[{}]}}"#, KEYS.each_ref().map(jwk).join(","));
    JwtVerifier::new(&*ENTRIES, &KeySet::parse(&keys).expect("good keys"), LEEWAY).expect("good entries")
});

/// Checks the input as a token, and as what one is made of.
pub fn run(data: &[u8]) {
    let text = text(data);
    let (header, claims) = first_line(&text);
    json(&text);
    json(header);
    json(claims);
    received(&text);
    for key in &KEYS {
        signed(header, claims, key);
    }
    forged(header, claims);
    minted(header, claims);
}

/// Whether `serde_json` reads the text the same way; what only we refuse are names that stand twice, and deep nesting.
fn json(text: &str) {
    match (Json::parse(text), serde_json::from_str::<serde_json::Value>(text)) {
        (Ok(ours), Ok(theirs)) => assert!(expected::same(&ours, &theirs), "{ours:?} and {theirs:?}"),
        (Err(error), Ok(_)) => {
            assert!(error.what.contains("twice") || error.what.contains("nesting"), "{error}: {text:?}");
        }
        (Err(_), Err(_)) => {}
        (Ok(ours), Err(error)) => panic!("{ours:?}, but {error}"),
    }
}

/// A token as it comes: taken apart without loss, and accepted only with a signature of ours.
fn received(token: &str) {
    if let Ok(compact) = Compact::parse(token) {
        assert!(token.len() <= MAX_TOKEN_SIZE);
        let payload = URL_SAFE_NO_PAD.encode(&compact.payload);
        let (before, signature) = token.rsplit_once('.').expect("two periods");
        assert_eq!(format!("{}.{payload}", compact.header), before);
        assert_eq!(compact.signing_input, before);
        let kept = URL_SAFE_NO_PAD.encode(compact.signature.as_bytes());
        assert!(kept == signature || kept.is_empty() && signature.len() > 86);
    }
    for entry in &*ENTRIES {
        if let Ok(jwt) = VERIFIER.verify(token, &entry.from[0], NOW) {
            signed_by_us(token, &jwt);
        }
    }
}

fn signed_by_us(token: &str, jwt: &VerifiedJwt) {
    let key = KEYS.iter().find(|key| key.kid == jwt.kid()).expect("a key of ours");
    assert_eq!(jwt.algorithm(), key.algorithm);
    let (input, _) = token.rsplit_once('.').expect("two periods");
    assert_eq!(sign(input, key), token, "accepted with another signature");
    let (header, claims) = input.split_once('.').expect("two periods");
    let decoded = |part| String::from_utf8(URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("UTF-8");
    assert!(expected::accepts(&decoded(header), &decoded(claims), key, &ENTRIES[key.entry]));
}

/// What a key of ours signed is accepted exactly where a second reading of header and claims says so.
fn signed(header: &str, claims: &str, key: &Key) {
    let input = encoded(header, claims);
    let token = sign(&input, key);
    let entry = &ENTRIES[key.entry];
    let verified = VERIFIER.verify(&token, &entry.from[0], NOW);
    let accepted = token.len() <= MAX_TOKEN_SIZE && expected::accepts(header, claims, key, entry);
    assert_eq!(verified.as_ref().err().map(|refusal| refusal.cause).is_none(), accepted, "{verified:?}");
    if let Ok(jwt) = verified {
        expected::says_what_it_was_signed_with(&jwt, claims);
    }
    let elsewhere = &ENTRIES[1 - key.entry].from[0];
    assert!(VERIFIER.verify(&token, elsewhere, NOW).is_err(), "its entry does not look there");
    let cut = &token[..token.len() - 1];
    assert!(VERIFIER.verify(cut, &entry.from[0], NOW).is_err(), "a cut signature");
}

/// Of a token that nobody here signed no claim is read: it makes no difference what they say.
fn forged(header: &str, claims: &str) {
    let verdict = |claims: &str| -> Refusal {
        let token = sign(&encoded(header, claims), &FOREIGN);
        VERIFIER.verify(&token, &TokenPlace::Authorization, NOW).expect_err("a forged token")
    };
    let refusal = verdict(claims);
    use Cause::{TokenAlgorithm, TokenBadSignature, TokenMalformed, TokenUnknownKey};
    let causes = [TokenMalformed, TokenAlgorithm, TokenUnknownKey, TokenBadSignature];
    assert!(causes.contains(&refusal.cause), "{refusal:?}");
    if !claims.is_empty() && sign(&encoded(header, claims), &FOREIGN).len() <= MAX_TOKEN_SIZE {
        assert_eq!(refusal, verdict("{}"));
    }
}

/// What the command makes is read as it was meant.
fn minted(text: &str, claims: &str) {
    let key = MacKey::new(HmacAlgorithm::Hs384, &KEYS[2].octets);
    let token = mint(&key, text, "JWT", claims);
    let header = Header::read(token.split('.').next().unwrap_or_default()).expect("a header of ours");
    assert_eq!(header, Header { algorithm: Some(HmacAlgorithm::Hs384), kid: Some(text.to_owned()) });
    let token = mint(&key, "c", text, claims);
    let signed = sign(&encoded(r#"{"kid":"c","alg":"HS384"}"#, claims), &KEYS[2]);
    let verify =
        |token: &str| VERIFIER.verify(token, &ENTRIES[1].from[0], NOW).map(|jwt| jwt.kid().to_owned());
    let is_assertion = expected::is_assertion_type(text);
    if is_assertion {
        assert!(verify(&token).is_err(), "an assertion for the origin opens nothing");
    } else if token.len().max(signed.len()) <= MAX_TOKEN_SIZE {
        assert_eq!(verify(&token), verify(&signed));
    }
}

fn encoded(header: &str, claims: &str) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims))
}

/// Signed without any help of the product's.
fn sign(input: &str, key: &Key) -> String {
    fn tag<M: KeyInit + Mac>(input: &str, key: &Key) -> Vec<u8> {
        let mut mac = <M as KeyInit>::new_from_slice(&key.octets).expect("any length");
        mac.update(input.as_bytes());
        mac.finalize().into_bytes().to_vec()
    }
    let tag = match key.algorithm {
        HmacAlgorithm::Hs256 => tag::<Hmac<sha2::Sha256>>(input, key),
        HmacAlgorithm::Hs384 => tag::<Hmac<sha2::Sha384>>(input, key),
        HmacAlgorithm::Hs512 => tag::<Hmac<sha2::Sha512>>(input, key),
        HmacAlgorithm::Hs1 => unreachable!("no key here is for it"),
    };
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag))
}
