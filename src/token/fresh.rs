//! Tokens of `POST /.edgeward/token`: a JWT of ours for a program that proved who it is by other means.
//!
//! Good for some minutes, so that what a program sends with each request is worth little when it leaks. It names the
//! user as the gate does (`key:ci`), and scopes that are no more than those of what it was made from. It is made and
//! read by keys of `EDGEWARD_SECRET`, one for each secret, and by nobody else: its header is known by its look.

use super::jwt::{JwtVerifier, VerifiedJwt, header_segment, sign};
use super::keys::{Key, KeySet};
use super::mac::{MacKey, RootSecret};
use super::push_base64url;
use crate::json::{Json, ObjectWriter};
use crate::policy::{HmacAlgorithm, Kind, TokenEntry, TokenPlace};
use crate::time::{Lifetime, UnixTime};
use crate::verdict::{Cause, Refusal};

const KEY_PURPOSE: &[u8] = b"edgeward/token/v1";
const ID_PURPOSE: &[u8] = b"edgeward/token-kid/v1";

/// How far the clock of another of Cloudflare's machines may be ahead, in milliseconds.
const SKEW: i64 = 5_000;

/// `typ` (RFC 9068 §2.1).
const TYPE: &str = "at+jwt";

/// Makes and reads them.
#[derive(Debug)]
pub struct FreshTokens {
    verifier: JwtVerifier,
    signer: MacKey,
    /// The headers, in base64url, one for each secret; the first signs.
    headers: Vec<String>,
    lifetime: Lifetime,
}

/// For whom a token is made.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'a> {
    /// The public origin (`https://host[:port]`): who makes it, and whom it is for.
    pub origin: &'a str,
    /// The user, as the gate names them.
    pub user: &'a str,
    /// Scopes, separated by spaces.
    pub scope: &'a str,
    /// An identifier that was never used before.
    pub id: &'a str,
}

impl FreshTokens {
    /// The keys of ours; `None` where the root holds no secret, which it never does.
    #[must_use]
    pub fn new(root: &RootSecret, lifetime: Lifetime) -> Option<Self> {
        let keys = keys(root);
        let signer = keys.first()?.mac().clone();
        let headers = keys.iter().map(|key| header_segment(HmacAlgorithm::Hs256, key.kid(), TYPE)).collect();
        let verifier = JwtVerifier::new(&[entry()], &KeySet::of(keys), Lifetime::default()).ok()?;
        Some(Self { verifier, signer, headers, lifetime })
    }

    /// Seconds that a new one is good.
    #[must_use]
    pub const fn lifetime(&self) -> Lifetime {
        self.lifetime
    }

    /// Whether a token is one of ours, by its look: whether it is good is another question.
    #[must_use]
    pub fn is_ours(&self, token: &str) -> bool {
        token.split_once('.').is_some_and(|(header, _)| self.headers.iter().any(|ours| ours == header))
    }

    /// Verifies one of ours that came to the site `origin` (`https://host[:port]`): one of another site is not for this one,
    /// should both have the same secret (RFC 7519 §4.1.3).
    ///
    /// # Errors
    /// The first thing that is wrong, as with any JWT.
    pub fn verify(&self, token: &str, origin: &str, now: UnixTime) -> Result<VerifiedJwt, Refusal> {
        let at = |now| self.verifier.verify(token, &TokenPlace::Authorization, now);
        let verified = match at(now) {
            // Made a moment ago, where the clock is a little ahead of ours.
            Err(refusal) if refusal.cause == Cause::TokenNotYetValid => {
                at(UnixTime::from_millis(now.millis().saturating_add(SKEW)))?
            }
            verified => verified?,
        };
        if verified.claims().get("aud").and_then(Json::as_text) == Some(origin) {
            return Ok(verified);
        }
        let refusal = Refusal::new(Cause::TokenWrongAudience, "The token is for another site.");
        Err(refusal.sent(Kind::Bearer).signed_by(verified.kid()))
    }

    /// Makes one.
    #[must_use]
    pub fn mint(&self, holder: &Holder<'_>, now: UnixTime) -> String {
        let claims = ObjectWriter::new()
            .text("iss", holder.origin)
            .text("aud", holder.origin)
            .text("sub", holder.user)
            .optional("scope", (!holder.scope.is_empty()).then_some(holder.scope))
            .text("jti", holder.id)
            .number("iat", now.seconds())
            .number("exp", now.seconds().saturating_add(self.lifetime.seconds()))
            .finish();
        let mut token = self.headers.first().cloned().unwrap_or_default();
        token.push('.');
        push_base64url(&mut token, claims.as_bytes());
        sign(&self.signer, token)
    }
}

/// How they are read.
fn entry() -> TokenEntry {
    TokenEntry {
        index: None,
        keys: None,
        algorithms: vec![HmacAlgorithm::Hs256],
        issuer: Vec::new(),
        audience: Vec::new(),
        require: ["exp", "iat", "sub", "jti"].map(str::to_owned).to_vec(),
        max_age: None,
        from: vec![TokenPlace::Authorization],
        trust_subject: false,
    }
}

fn keys(root: &RootSecret) -> Vec<Key> {
    let named = root.derive_named(&[ID_PURPOSE], &[KEY_PURPOSE], 9).into_iter();
    named.map(|(kid, key)| Key::new(&kid, MacKey::new(HmacAlgorithm::Hs256, key.expose()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::to_base64url;

    const HOLDER: Holder<'_> =
        Holder { origin: "https://acme.example", user: "key:ci", scope: "read", id: "j1" };

    fn tokens(secrets: &[u8]) -> FreshTokens {
        let values: Vec<String> = secrets.iter().map(|octet| to_base64url(&[*octet; 32])).collect();
        let root = RootSecret::parse(&values.join(" ")).expect("good secrets");
        FreshTokens::new(&root, Lifetime::from_seconds(900)).expect("there is a secret")
    }

    #[test]
    fn made_and_read() {
        let (old, rotated, other) = (tokens(&[1]), tokens(&[2, 1]), tokens(&[3]));
        let at = UnixTime::from_seconds;
        let token = old.mint(&HOLDER, at(1_000));
        assert!(old.is_ours(&token) && rotated.is_ours(&token) && !other.is_ours(&token));
        let read =
            rotated.verify(&token, HOLDER.origin, at(1_899)).expect("the former secret still verifies");
        assert_eq!(read.subject(), Some("key:ci"));
        assert_eq!(read.scopes().collect::<Vec<_>>(), ["read"]);
        assert_eq!(read.id(), Some("j1"));
        assert!(old.verify(&token, HOLDER.origin, at(995)).is_ok(), "another machine's clock");
        let early = old.verify(&token, HOLDER.origin, at(994)).expect_err("no clock of Cloudflare's");
        assert_eq!(early.cause, Cause::TokenNotYetValid);
        let late = old.verify(&token, HOLDER.origin, at(1_900)).expect_err("its time is over");
        assert_eq!((late.cause, late.when), (Cause::TokenExpired, Some(at(1_900))));
        let mut forged = token.clone();
        forged.replace_range(token.len() - 5..token.len() - 4, "!");
        assert!(old.verify(&forged, HOLDER.origin, at(1_000)).is_err());
        let elsewhere = old.verify(&token, "https://b.example", at(1_000)).expect_err("not for that site");
        assert_eq!(elsewhere.cause, Cause::TokenWrongAudience);
    }
}
