//! `EDGEWARD_KEYS`: the keys of tokens that others issue, as a JWK Set (RFC 7517 §5) of symmetric keys
//! (RFC 7518 §6.4).
//!
//! ```json
//! { "keys": [ { "kty": "oct", "kid": "2026-11", "alg": "HS256", "k": "<base64url of 32 random octets or more>",
//!               "edgeward": { "use_from": "2026-11-01T00:00:00Z", "retire_after": "2027-12-01T00:00:00Z" } } ] }
//! ```
//!
//! Members that RFC 7517 does not name are ignored, as it asks; `edgeward` is kept for settings of ours: from when and
//! until when the key verifies. All that is wrong is told at once, and one bad key makes the whole set unreadable: a key
//! that silently is not there would refuse good tokens.
//!
//! How long a key has to be depends on what it is for, which the policy says: [`KeySet::check_sizes`] judges that.

mod dates;
mod index;
mod reading;
pub(in crate::token) mod weak;

use super::mac::MacKey;
use crate::config::Problem;
use crate::json::Json;
use crate::policy::HmacAlgorithm;
use crate::time::UnixTime;
use dates::Dates;
pub use dates::Standing;
pub(in crate::token) use index::Index;
use std::sync::Arc;

/// The fewest octets of a key for signed-URL formats of others, where their entry does not allow weak keys.
pub const FOREIGN_KEY_SIZE: usize = 16;

/// Keys by their ids.
#[derive(Debug)]
pub struct KeySet {
    /// In the order of the set; so a position is the index in it, too.
    keys: Vec<Key>,
    by_kid: Index,
    warnings: Vec<Problem>,
}

/// A key, with its one algorithm.
#[derive(Clone, Debug)]
pub struct Key {
    kid: Arc<str>,
    mac: MacKey,
    size: usize,
    dates: Dates,
}

impl Key {
    /// A key that is in no set: one of ours.
    #[must_use]
    pub fn new(kid: &str, mac: MacKey) -> Self {
        Self { kid: kid.into(), size: mac.algorithm().output_size(), mac, dates: Dates::default() }
    }

    /// Its id (RFC 7517 §4.5).
    #[must_use]
    pub const fn kid(&self) -> &Arc<str> {
        &self.kid
    }

    /// The key itself, ready for use.
    #[must_use]
    pub const fn mac(&self) -> &MacKey {
        &self.mac
    }

    /// The one algorithm it is for.
    #[must_use]
    pub const fn algorithm(&self) -> HmacAlgorithm {
        self.mac.algorithm()
    }

    /// How many octets it has; at least one.
    #[must_use]
    pub const fn size(&self) -> usize {
        self.size
    }

    /// The fewest octets it may have where no entry of the policy is content with fewer: the hash's output (RFC 7518
    /// §3.2), and 16 for SHA-1, which signs no JWT.
    #[must_use]
    pub const fn least_size(&self) -> usize {
        match self.algorithm() {
            HmacAlgorithm::Hs1 => FOREIGN_KEY_SIZE,
            algorithm @ (HmacAlgorithm::Hs256 | HmacAlgorithm::Hs384 | HmacAlgorithm::Hs512) => {
                algorithm.output_size()
            }
        }
    }

    /// The first moment at which it verifies, where it has one.
    #[must_use]
    pub const fn use_from(&self) -> Option<UnixTime> {
        self.dates.use_from
    }

    /// The first moment at which it verifies no longer, where it has one.
    #[must_use]
    pub const fn retire_after(&self) -> Option<UnixTime> {
        self.dates.retire_after
    }

    /// Whether what it signed is taken when it is presented now.
    #[must_use]
    pub fn standing(&self, now: UnixTime) -> Standing {
        self.dates.standing(now)
    }

    /// Whether what it signed is taken now.
    ///
    /// # Errors
    /// Why not, as a sentence; `what` is a token or a link.
    pub fn in_use(&self, now: UnixTime, what: &str) -> Result<(), String> {
        let (why, when) = match self.standing(now) {
            Standing::Good => return Ok(()),
            Standing::NotYet(from) => ("is not in use before", from),
            Standing::Retired(until) => ("was retired at", until),
        };
        Err(format!("The key \"{}\", which signed the {what}, {why} {when}.", self.kid))
    }
}

impl KeySet {
    /// Reads a JWK Set. Keys of any length are read, only none at all is a problem.
    ///
    /// # Errors
    /// Everything that is wrong, each with its path (`EDGEWARD_KEYS keys[1].k`); never a key.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        if text.trim().is_empty() {
            return Err(vec![Problem::new("EDGEWARD_KEYS", "nothing", "a JWK Set", SET_FIX)]);
        }
        let json = Json::parse(text).map_err(|error| {
            let found = format!("no JSON ({error})");
            vec![Problem::new("EDGEWARD_KEYS", found, "a JWK Set (RFC 7517 §5)", SET_FIX)]
        })?;
        match json.get("keys") {
            Some(Json::Array(keys)) if !keys.is_empty() => reading::set(keys),
            Some(Json::Array(_)) => Err(vec![set_problem("an empty list", "at least one key")]),
            Some(other) => Err(vec![set_problem(other.kind(), "a list of keys")]),
            None => Err(vec![set_problem("nothing", "a list of keys")]),
        }
    }

    /// A set of keys that are ours.
    #[must_use]
    pub fn of(keys: Vec<Key>) -> Self {
        Self::new(keys, Vec::new())
    }

    fn new(keys: Vec<Key>, warnings: Vec<Problem>) -> Self {
        let by_kid = Index::new(&keys.iter().map(|key| key.kid.as_bytes()).collect::<Vec<_>>());
        Self { keys, by_kid, warnings }
    }

    /// The keys, in the order of the set.
    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter()
    }

    /// The key of that id.
    #[must_use]
    pub fn get(&self, kid: &str) -> Option<&Key> {
        self.keys.get(self.position(kid)?)
    }

    /// The place of the key of that id in [`KeySet::iter`].
    #[must_use]
    pub fn position(&self, kid: &str) -> Option<usize> {
        let kid_at = |position: usize| self.keys.get(position).map_or(&[][..], |key| key.kid.as_bytes());
        self.by_kid.find(kid.as_bytes(), &kid_at)
    }

    /// The algorithms for JWTs that the keys have, each once: what an entry allows that names none.
    #[must_use]
    pub fn jwt_algorithms(&self) -> Vec<HmacAlgorithm> {
        let all = [HmacAlgorithm::Hs256, HmacAlgorithm::Hs384, HmacAlgorithm::Hs512];
        all.into_iter().filter(|a| self.keys.iter().any(|key| key.algorithm() == *a)).collect()
    }

    /// What works but deserves a second look.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// The keys that have fewer octets than what they are for demands; `demanded` says that for each.
    #[must_use]
    pub fn check_sizes(&self, demanded: &dyn Fn(&Key) -> usize) -> Vec<Problem> {
        let short = |(index, key): (usize, &Key)| {
            let least = demanded(key);
            (key.size < least).then(|| size_problem(index, key, least))
        };
        self.keys.iter().enumerate().filter_map(short).collect()
    }

    /// The keys that only `weak_keys = true` allows, for `check` to warn of.
    #[must_use]
    pub fn short_keys(&self) -> Vec<Problem> {
        self.check_sizes(&|_| FOREIGN_KEY_SIZE)
    }
}

const SET_FIX: &str =
    r#"Set it to {"keys":[{"kty":"oct","kid":"a","alg":"HS256","k":"…"}]}; `edgeward keygen` makes a key."#;

fn set_problem(found: &str, expected: &str) -> Problem {
    Problem::new("EDGEWARD_KEYS keys", found, expected, SET_FIX)
}

fn size_problem(index: usize, key: &Key, least: usize) -> Problem {
    let found = format!("a key of {} octets", key.size);
    let expected = format!("{least} octets or more for {}", key.algorithm().name());
    // So few are asked for where others sign: there a key cannot always be had anew.
    let is_foreign = least <= FOREIGN_KEY_SIZE;
    let fix = if is_foreign {
        "Have a longer one made; weak_keys = true in its entry allows this one."
    } else {
        // What no entry names is judged as for JWTs, and may be a CDN's that was brought here first.
        "`edgeward keygen` makes a good key; one that signs links elsewhere belongs into the keys of their entry."
    };
    Problem::new(k_at(index), found, expected, fix)
}

fn k_at(index: usize) -> String {
    format!("EDGEWARD_KEYS keys[{index}].k")
}

#[cfg(test)]
mod tests;
