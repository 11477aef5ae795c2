//! JWTs (RFC 7519) signed with HMAC: verified here, and made for the command.
//!
//! A token is looked at in this order, and the first that fails is the cause: form, algorithm, key, signature, claim
//! types, missing claim, issuer, audience, too early, expired, too old. The algorithm is the key's, never the token's
//! wish (RFC 8725 §3.1); a `kid` that is there must be known; no claim is read before the signature holds. Nor is anybody
//! told that a key is out of use who has no token that it signed.

mod keyring;

use super::claims::{Claims, any_text};
use super::jws::{Compact, Header, Malformed};
use super::keys::{Key, KeySet};
use super::mac::MacKey;
use crate::config::Problem;
use crate::json::{Json, push_string};
use crate::policy::{HmacAlgorithm, Kind, TokenEntry, TokenPlace};
use crate::sorted_map::SortedMap;
use crate::time::{Lifetime, UnixTime};
use crate::verdict::{Cause, Refusal};
use keyring::{Entry, Keyring, Named, Wanted};
use std::sync::Arc;

/// Without a `kid`, so many keys of an entry are tried at most; an entry that has more in use requires it.
pub const MAX_TRIED: usize = 8;

/// All that verifies JWTs, prepared once for each isolate.
#[derive(Debug)]
pub struct JwtVerifier {
    keyring: Keyring,
    leeway: Lifetime,
}

impl JwtVerifier {
    /// Puts the entries of the policy and the keys together.
    ///
    /// # Errors
    /// Every entry that names a key that is not there, or is left without one that fits (`EDGEWARD.tokens[0].keys[1]`).
    pub fn new(entries: &[TokenEntry], keys: &KeySet, leeway: Lifetime) -> Result<Self, Vec<Problem>> {
        Ok(Self { keyring: Keyring::new(entries, keys)?, leeway })
    }

    /// Verifies a token that was found in `place`; only entries that look there are considered.
    ///
    /// # Errors
    /// A [`Refusal`] of the first thing that is wrong, in the order of the contract.
    pub fn verify(&self, token: &str, place: &TokenPlace, now: UnixTime) -> Result<VerifiedJwt, Refusal> {
        let compact = Compact::parse(token).map_err(malformed)?;
        let wanted = self.wanted(compact.header)?;
        let (key, entry) = self.signer(&compact, wanted, place, now)?;
        self.judged(compact.payload, key, entry.policy(), now).map_err(|refusal| refusal.signed_by(key.kid()))
    }

    /// The claims of a token whose signature holds.
    fn judged(
        &self,
        payload: Vec<u8>,
        key: &Key,
        entry: &TokenEntry,
        now: UnixTime,
    ) -> Result<VerifiedJwt, Refusal> {
        let not_json = |_| malformed(Malformed::new("The claims set is not JSON."));
        let text = String::from_utf8(payload).map_err(|_| not_json(()))?;
        let json = Json::parse(&text).map_err(|_| not_json(()))?;
        let claims = Claims::read(&json).map_err(malformed)?;
        claims.check(entry, self.leeway, now)?;
        let read = Read::new(&claims);
        drop(json);
        Ok(VerifiedJwt {
            kid: Arc::clone(key.kid()),
            algorithm: key.algorithm(),
            trust_subject: entry.trust_subject,
            read,
            text,
        })
    }

    /// What the header asks for; one that is spelled as most libraries do is known by its look.
    fn wanted(&self, header: &str) -> Result<Wanted, Refusal> {
        match self.keyring.known_header(header) {
            Some(wanted) => Ok(wanted),
            None => Header::read(header).map(|header| self.keyring.resolve(&header)).map_err(malformed),
        }
    }

    /// The key that signed the token, with its entry.
    fn signer(
        &self,
        token: &Compact<'_>,
        wanted: Wanted,
        place: &TokenPlace,
        now: UnixTime,
    ) -> Result<(&Key, &Entry), Refusal> {
        let Some(algorithm) = wanted.algorithm.filter(|a| self.keyring.allows(*a, place)) else {
            return Err(refusal(
                Cause::TokenAlgorithm,
                "The token is not signed with an algorithm allowed here.",
            ));
        };
        match wanted.kid {
            Named::Key(index) => {
                let Some((key, entry)) = self.keyring.key(index, place) else { return Err(unknown_key()) };
                if key.algorithm() != algorithm || !entry.policy().algorithms.contains(&algorithm) {
                    let detail = "The token is not signed with the algorithm of its key.";
                    return Err(refusal(Cause::TokenAlgorithm, detail));
                }
                if !signed_by(token, key) {
                    return Err(bad_signature());
                }
                in_use(key, now).map(|()| (key, entry))
            }
            Named::Unknown => Err(unknown_key()),
            Named::Nobody => self.try_all(token, algorithm, place, now),
        }
    }

    /// Tries the keys that are in use; then, as far as tries are left, the others: only to say whose token it is.
    fn try_all(
        &self,
        token: &Compact<'_>,
        algorithm: HmacAlgorithm,
        place: &TokenPlace,
        now: UnixTime,
    ) -> Result<(&Key, &Entry), Refusal> {
        let (mut tried, mut too_many) = (0, false);
        for entry in self.keyring.entries(algorithm, place) {
            let Some(keys) = self.keyring.keys_to_try(entry, algorithm, now) else {
                too_many = true;
                continue;
            };
            for key in keys {
                tried += 1;
                if signed_by(token, key) {
                    return Ok((key, entry));
                }
            }
        }
        let left = MAX_TRIED.saturating_sub(tried);
        let mut tried_more = 0;
        for key in self.keyring.keys_out_of_use(algorithm, place, now).take(left) {
            tried_more += 1;
            if signed_by(token, key) {
                in_use(key, now)?;
            }
        }
        Err(match (tried, tried_more, too_many) {
            (0, _, true) => {
                refusal(Cause::TokenUnknownKey, "The token names no key, and there are too many to try.")
            }
            (0, 0, false) => refusal(Cause::TokenAlgorithm, "No key here is for the algorithm of the token."),
            (_, _, _) => bad_signature(),
        })
    }
}

/// Whether the key that signed a token is in use.
fn in_use(key: &Key, now: UnixTime) -> Result<(), Refusal> {
    key.in_use(now, "token").map_err(|detail| refusal(Cause::TokenUnknownKey, &detail).signed_by(key.kid()))
}

fn signed_by(token: &Compact<'_>, key: &Key) -> bool {
    key.mac().verify(&[token.signing_input.as_bytes()], token.signature.as_bytes())
}

fn refusal(cause: Cause, detail: &str) -> Refusal {
    Refusal::new(cause, detail).sent(Kind::Bearer)
}

fn malformed(Malformed(sentence): Malformed) -> Refusal {
    refusal(Cause::TokenMalformed, &sentence)
}

fn unknown_key() -> Refusal {
    refusal(Cause::TokenUnknownKey, "The token names a key that is not known here.")
}

fn bad_signature() -> Refusal {
    refusal(Cause::TokenBadSignature, "The signature of the token does not match.")
}

/// A token that was verified. Only [`JwtVerifier::verify`] makes one.
#[derive(Clone, Debug)]
pub struct VerifiedJwt {
    kid: Arc<str>,
    algorithm: HmacAlgorithm,
    trust_subject: bool,
    read: Read,
    /// The claims set, for what is rarely asked for.
    text: String,
}

/// The claims that are asked for with every request.
#[derive(Clone, Debug)]
struct Read {
    subject: Option<String>,
    scope: Option<String>,
    groups: Vec<String>,
    expires: Option<UnixTime>,
    issued: Option<UnixTime>,
    id: Option<String>,
}

impl Read {
    fn new(claims: &Claims<'_>) -> Self {
        Self {
            subject: claims.subject.map(str::to_owned),
            scope: claims.scope.map(str::to_owned),
            groups: claims.groups.iter().filter_map(Json::as_text).map(str::to_owned).collect(),
            expires: claims.expires,
            issued: claims.issued_at,
            id: claims.id.map(str::to_owned),
        }
    }
}

impl VerifiedJwt {
    /// Id of the key that signed it.
    #[must_use]
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The algorithm of that key.
    #[must_use]
    pub const fn algorithm(&self) -> HmacAlgorithm {
        self.algorithm
    }

    /// `sub` (RFC 7519 §4.1.2).
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.read.subject.as_deref()
    }

    /// The members of `scope` (RFC 8693 §4.2: separated by spaces).
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.read.scope.as_deref().unwrap_or_default().split(' ').filter(|scope| !scope.is_empty())
    }

    /// The members of `groups`.
    #[must_use]
    pub fn groups(&self) -> &[String] {
        &self.read.groups
    }

    /// `exp` (RFC 7519 §4.1.4).
    #[must_use]
    pub const fn expires(&self) -> Option<UnixTime> {
        self.read.expires
    }

    /// `iat` (RFC 7519 §4.1.6).
    #[must_use]
    pub const fn issued(&self) -> Option<UnixTime> {
        self.read.issued
    }

    /// `jti` (RFC 7519 §4.1.7).
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.read.id.as_deref()
    }

    /// Whether `sub` is a user-id of ours.
    #[must_use]
    pub const fn trust_subject(&self) -> bool {
        self.trust_subject
    }

    /// Whether every name is a claim that is one of its values, or an array of which one member is. Where nothing is
    /// named, nothing matches.
    #[must_use]
    pub fn claims_match(&self, wanted: &SortedMap<String, Vec<String>>) -> bool {
        let claims = self.claims();
        let matches = |(name, values): (&String, &Vec<String>)| {
            claims
                .get(name)
                .is_some_and(|claim| any_text(claim, |text| values.iter().any(|value| value == text)))
        };
        !wanted.is_empty() && wanted.iter().all(matches)
    }

    /// All claims; read again each time, as few ask for more than the above.
    #[must_use]
    pub fn claims(&self) -> Json<'_> {
        // It was read when the token was verified.
        Json::parse(&self.text).unwrap_or(Json::Null)
    }
}

/// Makes a token in compact form (RFC 7515 §7.1): `claims` is the JSON text of the claims set.
#[must_use]
pub fn mint(key: &MacKey, kid: &str, typ: &str, claims: &str) -> String {
    let mut token = header_segment(key.algorithm(), kid, typ);
    token.push('.');
    super::push_base64url(&mut token, claims.as_bytes());
    sign(key, token)
}

/// A header in base64url.
pub(super) fn header_segment(algorithm: HmacAlgorithm, kid: &str, typ: &str) -> String {
    let mut header = format!("{{\"alg\":\"{}\",\"typ\":", algorithm.name());
    push_string(&mut header, typ);
    header.push_str(",\"kid\":");
    push_string(&mut header, kid);
    header.push('}');
    super::to_base64url(header.as_bytes())
}

/// Appends the signature to a signing input.
pub(super) fn sign(key: &MacKey, mut signing_input: String) -> String {
    let tag = key.tag(&[signing_input.as_bytes()]);
    signing_input.push('.');
    super::push_base64url(&mut signing_input, tag.as_bytes());
    signing_input
}

#[cfg(test)]
mod tests;
