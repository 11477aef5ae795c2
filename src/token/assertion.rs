//! What the origin is told about who passed: a JWT of our own, made for every request that is let through.
//!
//! An origin that verifies it cannot be reached around Edgeward. Its key is for one audience alone: an origin that
//! leaks its key can forge nothing for another. `typ` is `edgeward-assertion+jwt`, which no verifier of ours takes for
//! a bearer token, so that the origin cannot send it back in.

use super::jws::ASSERTION_TYPE;
use super::jwt::{header_segment, sign};
use super::mac::{MacKey, RootSecret};
use super::push_base64url;
use crate::json::push_string;
use crate::policy::HmacAlgorithm;
use crate::secret::Secret;
use crate::time::UnixTime;

/// How long an assertion is good, in seconds: it is made for one request.
pub const ASSERTION_LIFETIME: i64 = 60;

const KEY_PURPOSE: &[u8] = b"edgeward/assertion/v1";
const ID_PURPOSE: &[u8] = b"edgeward/assertion-kid/v1";

/// The key for one audience, prepared once.
#[derive(Debug)]
pub struct AssertionKey {
    mac: MacKey,
    /// The header, in base64url, and the period after it.
    header: String,
    audience: String,
    /// `"aud":"…"`, as JSON.
    audience_member: String,
}

/// Who passed, and with which request.
#[derive(Clone, Copy, Debug)]
pub struct AssertionClaims<'a> {
    /// `iss`: the public origin (`https://host[:port]`).
    pub issuer: &'a str,
    /// `sub`; `None` on public rules, and for a token without one.
    pub subject: Option<&'a str>,
    /// `iat`; `exp` is 60 seconds later.
    pub issued_at: UnixTime,
    /// `jti`: random, never twice.
    pub id: &'a str,
    /// `htm`: the method (RFC 9449 §4.2).
    pub method: &'a str,
    /// `htu`: the public URI without its query (RFC 9449 §4.2).
    pub uri: &'a str,
    /// `amr` (RFC 8176): how.
    pub methods: &'a [&'a str],
}

impl AssertionKey {
    /// The key for `audience`, the serialised origin that requests are sent to. The first secret signs.
    /// `None` where the root holds no secret, which it never does.
    #[must_use]
    pub fn new(root: &RootSecret, audience: &str) -> Option<Self> {
        let (kid, key) = keys(root, audience).into_iter().next()?;
        let mac = MacKey::new(HmacAlgorithm::Hs256, key.expose());
        let mut header = header_segment(HmacAlgorithm::Hs256, &kid, ASSERTION_TYPE);
        header.push('.');
        let mut audience_member = String::from("\"aud\":");
        push_string(&mut audience_member, audience);
        Some(Self { mac, header, audience: audience.to_owned(), audience_member })
    }

    /// The audience it is for.
    #[must_use]
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// Makes the assertion.
    #[must_use]
    pub fn sign(&self, claims: &AssertionClaims<'_>) -> String {
        let json = self.json(claims);
        let mut token = String::with_capacity(self.header.len() + json.len().div_ceil(3) * 4 + 44);
        token.push_str(&self.header);
        push_base64url(&mut token, json.as_bytes());
        sign(&self.mac, token)
    }

    fn json(&self, claims: &AssertionClaims<'_>) -> String {
        let AssertionClaims { issuer, subject, issued_at, id, method, uri, methods } = *claims;
        let mut json = String::with_capacity(384);
        json.push('{');
        json.push_str(&self.audience_member);
        push_member(&mut json, ",\"iss\":", issuer);
        if let Some(subject) = subject {
            push_member(&mut json, ",\"sub\":", subject);
        }
        push_number(&mut json, ",\"iat\":", issued_at.seconds());
        push_number(&mut json, ",\"exp\":", issued_at.seconds().saturating_add(ASSERTION_LIFETIME));
        push_member(&mut json, ",\"jti\":", id);
        push_member(&mut json, ",\"htm\":", method);
        push_member(&mut json, ",\"htu\":", uri);
        json.push_str(",\"amr\":[");
        for (index, method) in methods.iter().enumerate() {
            push_member(&mut json, if index == 0 { "" } else { "," }, method);
        }
        json.push_str("]}");
        json
    }
}

fn push_member(json: &mut String, name: &str, value: &str) {
    json.push_str(name);
    push_string(json, value);
}

fn push_number(json: &mut String, name: &str, value: i64) {
    json.push_str(name);
    json.push_str(&value.to_string());
}

/// The keys for `audience` as a JWK Set (RFC 7517), one for each secret: what the operator gives to the origin. It is as
/// secret as they are.
#[cfg(not(target_family = "wasm"))] // The command prints it; the Worker has no use for it.
#[must_use]
pub fn jwk_set(root: &RootSecret, audience: &str) -> serde_json::Value {
    let jwk = |(kid, key): (String, Secret<[u8; 32]>)| {
        let k = super::to_base64url(key.expose());
        serde_json::json!({ "kty": "oct", "kid": kid, "use": "sig", "alg": "HS256", "k": k })
    };
    serde_json::json!({ "keys": keys(root, audience).into_iter().map(jwk).collect::<Vec<_>>() })
}

/// Each key for `audience` with its id.
fn keys(root: &RootSecret, audience: &str) -> Vec<(String, Secret<[u8; 32]>)> {
    let info = |purpose: &'static [u8]| [purpose, b"\0", audience.as_bytes()];
    root.derive_named(&info(ID_PURPOSE), &info(KEY_PURPOSE), 9)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;
    use crate::policy::{TokenEntry, TokenPlace};
    use crate::time::Lifetime;
    use crate::token::from_base64url;
    use crate::token::jwt::JwtVerifier;
    use crate::token::keys::KeySet;
    use crate::token::to_base64url;
    use crate::verdict::Cause;

    const CLAIMS: AssertionClaims<'static> = AssertionClaims {
        issuer: "https://shop.example",
        subject: Some("ann \"é\"\n"),
        issued_at: UnixTime::from_millis(1_700_000_000_999),
        id: "0011",
        method: "GET",
        uri: "https://shop.example/a%20b",
        methods: &["pwd", "otp"],
    };

    fn root() -> RootSecret {
        RootSecret::parse(&format!("{} {}", to_base64url(&[1; 32]), to_base64url(&[2; 32]))).expect("good")
    }

    fn part(token: &str, index: usize) -> String {
        let segment = token.split('.').nth(index).expect("three parts");
        String::from_utf8(from_base64url(segment).expect("base64url")).expect("UTF-8")
    }

    #[test]
    fn says_what_the_contract_names() {
        let key = AssertionKey::new(&root(), "https://origin.example").expect("a secret");
        let token = key.sign(&CLAIMS);
        let expected = serde_json::json!({
            "iss": "https://shop.example", "aud": "https://origin.example", "sub": "ann \"é\"\n",
            "iat": 1_700_000_000, "exp": 1_700_000_060, "jti": "0011", "htm": "GET",
            "htu": "https://shop.example/a%20b", "amr": ["pwd", "otp"],
        });
        let read = |index| serde_json::from_str::<serde_json::Value>(&part(&token, index)).expect("JSON");
        assert_eq!(read(1), expected);
        let kid = jwk_set(&root(), "https://origin.example")["keys"][0]["kid"].clone();
        assert_eq!(
            read(0),
            serde_json::json!({ "alg": "HS256", "typ": "edgeward-assertion+jwt", "kid": kid })
        );
        let public = key.sign(&AssertionClaims { subject: None, methods: &[], ..CLAIMS });
        assert!(Json::parse(&part(&public, 1)).expect("JSON").get("sub").is_none());
    }

    #[test]
    fn verifies_with_the_printed_keys_and_no_other() {
        let token = AssertionKey::new(&root(), "https://origin.example").expect("a secret").sign(&CLAIMS);
        let (input, signature) = token.rsplit_once('.').expect("a signature");
        let signature = from_base64url(signature).expect("base64url");
        let holds = |audience: &str, index: usize| {
            let k = jwk_set(&root(), audience)["keys"][index]["k"].as_str().expect("text").to_owned();
            let key = MacKey::new(HmacAlgorithm::Hs256, &from_base64url(&k).expect("base64url"));
            key.verify(&[input.as_bytes()], &signature)
        };
        assert!(holds("https://origin.example", 0));
        assert!(!holds("https://origin.example", 1));
        assert!(!holds("https://another.example", 0));
    }

    #[test]
    fn the_key_is_derived_as_the_contract_says() {
        let derived = root().derive(&[b"edgeward/assertion/v1\0https://origin.example"]);
        let set = jwk_set(&root(), "https://origin.example");
        let printed = set["keys"][1]["k"].as_str().expect("text");
        assert_eq!(printed, to_base64url(derived[1].expose()));
    }

    #[test]
    fn is_no_bearer_token() {
        let set = jwk_set(&root(), "https://origin.example").to_string();
        let keys = KeySet::parse(&set).expect("the printed set is good");
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
        let token = AssertionKey::new(&root(), "https://origin.example").expect("a secret").sign(&CLAIMS);
        let refusal =
            verifier.verify(&token, &TokenPlace::Authorization, CLAIMS.issued_at).expect_err("refused");
        assert_eq!(refusal.cause, Cause::TokenMalformed);
    }
}
