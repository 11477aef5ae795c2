//! Signed URLs: an HMAC over an address, and over what else the signer wanted to say about who may use it.
//!
//! Every dialect is a [`Preset`]: one file that states its construction, its source and its five choices, and one
//! function that takes a token apart. It decides nothing. All of the deciding stands here, once for all of them:
//!
//! 1. Whether the request bears a token of an entry of the policy, found in the bytes as they came in; a parameter that
//!    stands there twice is refused, always.
//! 2. Which key: the one that the token names, or each of the entry's, of which there are eight at most.
//! 3. Whether the tag is that key's over the bytes that were received. Tags have one spelling each.
//! 4. Only then is looked at what the token says: missing expiry, where it may be used, too early, expired.
//!
//! Leeway is granted on not-before alone.

pub mod akamai;
pub mod bunny;
pub mod cloudflare;
pub mod decode;
pub mod edgeward;
pub mod fastly;
pub mod google_cdn;
pub mod grants;
pub mod laravel;
pub mod media_cdn;
pub mod nginx_hmac;
pub mod preset;
pub mod scope;
pub mod seen;
pub mod symfony;
#[cfg(test)]
mod testing;

use super::keys::{Key, KeySet, Standing};
use super::mac::Purpose;
use crate::policy::{Format, Kind, LinkEntry, LinkPlace};
use crate::request::RequestFacts;
use crate::time::{Lifetime, UnixTime};
use crate::verdict::{Cause, Refusal};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;

pub use preset::{Preset, preset};
pub use scope::{Scope, Target};
pub use seen::Seen;

/// So many keys of an entry are tried at most, where a token names none.
pub const MAX_TRIED: usize = 8;

/// What a preset makes of a token.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // It is moved once, and nearly always a token: a box would cost more.
pub enum Reading<'r> {
    /// It does not have its format's form; the sentence is for programs.
    Malformed(&'static str),
    /// It is signed in a way that is not taken here (MD5, a bare hash): why, and what to use instead.
    Algorithm(&'static str),
    /// It has its form; nothing is verified.
    Token(Unverified<'r>),
}

/// A token that was taken apart. Nothing of it is believed before the tag fits.
#[derive(Debug)]
pub struct Unverified<'r> {
    /// What was signed, one part after the other with nothing between.
    pub message: Vec<Cow<'r, [u8]>>,
    /// The tag, decoded.
    pub tag: Vec<u8>,
    /// The key that it names; `None` where the format names none.
    pub kid: Option<Cow<'r, str>>,
    /// What it says.
    pub stated: Stated,
}

/// What a token says, besides its scope's own file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stated {
    /// Its identifier; where the format has none, one is made of the tag.
    pub id: Option<String>,
    /// For whom it was made.
    pub subject: Option<String>,
    /// When it was made.
    pub issued: Option<UnixTime>,
    /// From when on it is good.
    pub not_before: Option<UnixTime>,
    /// When it ends; `None`: never.
    pub end: Option<End>,
    /// How often it may be used; `None`: any number of times.
    pub uses: Option<u32>,
    /// Where it may be used, and by whom.
    pub scope: Scope,
}

/// When a token ends: the fifth of the five choices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Good while `now < t`.
    Before(UnixTime),
    /// Good through the whole second `t`: while `now ≤ t` in whole seconds.
    Through(UnixTime),
}

impl End {
    /// The moment as the token states it.
    #[must_use]
    pub const fn stated(self) -> UnixTime {
        match self {
            Self::Before(at) | Self::Through(at) => at,
        }
    }

    /// The first moment at which it is no longer good.
    #[must_use]
    pub const fn first_bad(self) -> UnixTime {
        match self {
            Self::Before(at) => at,
            Self::Through(at) => UnixTime::from_seconds(at.seconds().saturating_add(1)),
        }
    }
}

/// What a link grants. Only [`LinkVerifier`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    format: Format,
    key: String,
    /// By what the key is known again: [`LinkVerifier::key_print`]. Empty where the grant stands in no cookie.
    key_print: String,
    stated: Stated,
}

impl Grant {
    /// Its format.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// Id of the key that signed it.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What it says.
    #[must_use]
    pub const fn stated(&self) -> &Stated {
        &self.stated
    }

    /// The same grant for other requests than the one the token came with: [`Scope::written_out`]. `key_print` is its key's
    /// ([`LinkVerifier::key_print`]).
    #[must_use]
    pub fn written_out(mut self, facts: &RequestFacts<'_>, query: &str, key_print: String) -> Self {
        self.stated.scope = self.stated.scope.written_out(facts, query);
        self.key_print = key_print;
        self
    }

    /// Its identifier: there always is one.
    #[must_use]
    pub fn id(&self) -> &str {
        self.stated.id.as_deref().unwrap_or_default()
    }
}

/// An entry of the policy with its keys.
#[derive(Debug)]
pub struct Entry {
    policy: LinkEntry,
    preset: &'static Preset,
    keys: KeySet,
}

impl Entry {
    /// Puts an entry and its keys together. `keys` are eight at most where the format names none: the configuration
    /// sees to that.
    #[must_use]
    pub fn new(policy: LinkEntry, keys: Vec<Key>) -> Self {
        Self { preset: preset(policy.format), policy, keys: KeySet::of(keys) }
    }

    /// The entry of the policy.
    #[must_use]
    pub const fn policy(&self) -> &LinkEntry {
        &self.policy
    }

    /// Its keys.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter()
    }

    /// Whether links of this entry are looked at where the request goes.
    fn is_here(&self, seen: &Seen<'_>) -> bool {
        self.policy.paths.is_empty() || scope::is_below(&self.policy.paths, seen)
    }

    /// Whether links of this entry are taken from the client's network.
    fn is_open_to(&self, seen: &Seen<'_>) -> bool {
        self.policy.networks.is_empty() || scope::is_inside(&self.policy.networks, seen)
    }

    /// Takes the token apart that `bearing` says is there, and verifies it.
    fn verify(&self, seen: &Seen<'_>, bearing: &Bearing<'_>, at: &Moment) -> Result<Grant, Refusal> {
        let unverified = match (self.preset.read)(seen, bearing, &self.policy) {
            Reading::Token(unverified) => unverified,
            Reading::Malformed(detail) => return Err(refusal(Cause::TokenMalformed, detail)),
            Reading::Algorithm(detail) => return Err(refusal(Cause::TokenAlgorithm, detail)),
        };
        let key = self.signer(&unverified, at.now)?;
        // The tag fits from here on.
        let mut stated = unverified.stated;
        if stated.id.is_none() {
            stated.id = Some(id_of(&unverified.tag));
        }
        let kid = key.kid().to_string();
        let grant = Grant { format: self.policy.format, key: kid.clone(), key_print: String::new(), stated };
        self.judge(grant, seen, at).map_err(|refusal| refusal.signed_by(&kid))
    }

    /// The key that signed a token: the one that it names, or the first of the entry's that fits. One that is not in use
    /// is looked for, too: then it can be said why the token is not taken.
    fn signer(&self, token: &Unverified<'_>, now: UnixTime) -> Result<&Key, Refusal> {
        let parts: Vec<&[u8]> = token.message.iter().map(|part| &**part).collect();
        let fits = |key: &&Key| key.mac().verify(&parts, &token.tag);
        let key = match &token.kid {
            None => self.keys.iter().take(MAX_TRIED).find(fits).ok_or_else(bad_signature)?,
            Some(kid) => {
                let unknown =
                    || refusal(Cause::TokenUnknownKey, "The link names a key that is not known here.");
                Some(self.keys.get(kid).ok_or_else(unknown)?).filter(fits).ok_or_else(bad_signature)?
            }
        };
        let not_in_use = |detail: String| refusal(Cause::TokenUnknownKey, &detail).signed_by(key.kid());
        key.in_use(now, "link").map(|()| key).map_err(not_in_use)
    }

    /// What comes after the signature: missing expiry, where it may be used, too early, expired.
    fn judge(&self, grant: Grant, seen: &Seen<'_>, at: &Moment) -> Result<Grant, Refusal> {
        let stated = &grant.stated;
        if stated.end.is_none() && self.policy.require_end {
            return Err(refusal(Cause::TokenMissingClaim, "The link has no expiry, and one is required."));
        }
        stated.scope.check(seen).map_err(|detail| refusal(Cause::TokenWrongScope, &detail))?;
        if !self.is_open_to(seen) {
            let detail = "Links of this format are not taken from this network.";
            return Err(refusal(Cause::TokenWrongScope, detail));
        }
        in_time(stated, at)?;
        Ok(grant)
    }
}

/// The moment of a request, and what is forgiven.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Now.
    pub now: UnixTime,
    /// Clock skew, for not-before alone.
    pub leeway: Lifetime,
}

/// Too early, expired.
fn in_time(stated: &Stated, at: &Moment) -> Result<(), Refusal> {
    if let Some(from) = stated.not_before
        && at.now + at.leeway < from
    {
        return Err(refusal(Cause::TokenNotYetValid, "The link is not good yet.").at(from));
    }
    match stated.end {
        Some(end) if at.now >= end.first_bad() => {
            Err(refusal(Cause::TokenExpired, &format!("The link expired at {}.", end.stated()))
                .at(end.stated()))
        }
        Some(_) | None => Ok(()),
    }
}

/// What a link without an identifier is called: it can be revoked by that, too.
fn id_of(tag: &[u8]) -> String {
    let digest = Sha256::digest(tag);
    super::to_base64url(digest.get(..9).unwrap_or(&digest))
}

/// Where a token was found.
#[derive(Clone, Copy, Debug)]
pub struct Bearing<'r> {
    /// In which place.
    pub place: &'r LinkPlace,
    /// The value that was found there, as it came in; empty for [`LinkPlace::Parameters`], whose preset reads each
    /// parameter by itself.
    pub value: &'r str,
}

/// Whether a request bears a token in some places.
#[derive(Debug)]
pub enum Borne {
    /// None.
    Absent,
    /// A parameter, cookie or field of ours twice.
    Twice,
    /// At least one.
    Present,
}

/// Where a token stands, by how strongly it speaks: the stronger place decides alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// A field of its own.
    Field,
    /// The query or the path.
    Url,
    /// A cookie.
    Cookie,
}

impl Strength {
    const fn of(place: &LinkPlace) -> Self {
        match place {
            LinkPlace::Field(_) => Self::Field,
            LinkPlace::Parameters | LinkPlace::Query(_) | LinkPlace::Path => Self::Url,
            LinkPlace::Cookie(_) => Self::Cookie,
        }
    }
}

/// All that verifies signed URLs, prepared once for each isolate.
#[derive(Debug, Default)]
pub struct LinkVerifier {
    entries: Vec<Entry>,
    leeway: Lifetime,
}

impl LinkVerifier {
    /// Puts the entries together.
    #[must_use]
    pub const fn new(entries: Vec<Entry>, leeway: Lifetime) -> Self {
        Self { entries, leeway }
    }

    /// The entries.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether the request bears a token in a place of that strength.
    #[must_use]
    pub fn borne(&self, seen: &Seen<'_>, strength: Strength) -> Borne {
        let mut borne = Borne::Absent;
        for (entry, place) in self.places(seen, strength) {
            match seen.bearing(&entry.policy, place) {
                Ok(None) => {}
                Ok(Some(_)) => borne = Borne::Present,
                Err(seen::Twice) => return Borne::Twice,
            }
        }
        borne
    }

    /// Verifies what the request bears in places of that strength: the first token that is good, or the refusal of the
    /// one that came furthest.
    ///
    /// # Errors
    /// The first thing that is wrong, in the order of the contract.
    pub fn verify(&self, seen: &Seen<'_>, strength: Strength, now: UnixTime) -> Result<Grant, Refusal> {
        let at = Moment { now, leeway: self.leeway };
        let mut furthest: Option<Refusal> = None;
        for (entry, place) in self.places(seen, strength) {
            let Ok(Some(bearing)) = seen.bearing(&entry.policy, place) else { continue };
            match entry.verify(seen, &bearing, &at) {
                Ok(grant) => return Ok(grant),
                Err(refusal) if furthest.as_ref().is_none_or(|it| progress(it) < progress(&refusal)) => {
                    furthest = Some(refusal);
                }
                Err(_) => {}
            }
        }
        Err(furthest.unwrap_or_else(|| refusal(Cause::TokenMalformed, "The link bears no token.")))
    }

    /// Whether the policy still has an entry of the grant's format with its key, which takes links for this path and from
    /// this network: without it a grant in a cookie counts as nothing.
    #[must_use]
    pub fn knows(&self, seen: &Seen<'_>, grant: &Grant, now: UnixTime) -> bool {
        let is_its_key = |key: &Key| key.standing(now) == Standing::Good && key_print(key) == grant.key_print;
        let has_key = |entry: &Entry| entry.keys.get(&grant.key).is_some_and(is_its_key);
        self.entries.iter().any(|entry| {
            let is_of_format = entry.policy.format == grant.format;
            is_of_format && has_key(entry) && entry.is_here(seen) && entry.is_open_to(seen)
        })
    }

    /// By what a grant's key is known again in a cookie. Its id is not enough: whoever puts another key under the id of one
    /// that leaked wants nothing more of what that one signed.
    #[must_use]
    pub fn key_print(&self, grant: &Grant) -> String {
        let entries = self.entries.iter().filter(|entry| entry.policy.format == grant.format);
        entries.filter_map(|entry| entry.keys.get(&grant.key)).next().map(key_print).unwrap_or_default()
    }

    fn places<'e>(
        &'e self,
        seen: &'e Seen<'_>,
        strength: Strength,
    ) -> impl Iterator<Item = (&'e Entry, &'e LinkPlace)> {
        let here = |entry: &&Entry| entry.is_here(seen);
        self.entries.iter().filter(here).flat_map(move |entry| {
            let fits = move |place: &&LinkPlace| Strength::of(place) == strength;
            entry.policy.from.iter().filter(fits).map(move |place| (entry, place))
        })
    }
}

/// Six octets of a tag that no link has: they tell nothing of the key that a link does not.
fn key_print(key: &Key) -> String {
    const PRINT: Purpose = Purpose("edgeward/link-key-print/v1");
    super::to_base64url(key.mac().tag_for(&PRINT, &[]).as_bytes().get(..6).unwrap_or_default())
}

/// How far a token came before it was refused.
const fn progress(refusal: &Refusal) -> u8 {
    match refusal.cause {
        Cause::TokenMalformed => 0,
        Cause::TokenAlgorithm => 1,
        Cause::TokenUnknownKey => 2,
        Cause::TokenBadSignature => 3,
        Cause::TokenMissingClaim => 4,
        Cause::TokenWrongScope => 5,
        _ => 6,
    }
}

fn refusal(cause: Cause, detail: &str) -> Refusal {
    Refusal::new(cause, detail).sent(Kind::SignedUrl)
}

fn bad_signature() -> Refusal {
    refusal(Cause::TokenBadSignature, "The signature of the link does not match.")
}
