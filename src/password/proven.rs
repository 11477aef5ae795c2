//! The memory of passwords that were proven, so that a slow verification is paid once in five minutes.
//!
//! What is kept is no password and no hash of one that could be tried offline, but a MAC under a key that this
//! isolate alone has: over the user-id, the password, the very hash that it was proven against, and the network it came
//! from. Change the line, and nothing remembered of it holds any more; and whoever guesses from elsewhere, and has to wait,
//! learns nothing from a password that is in use. Only what was right is remembered, so a guess never finds
//! a cheaper way in; the store has a bound, and a hit does not prolong it.

use super::UserPass;
use super::htpasswd::Account;
use super::tag::{TAG_SIZE, Tagger};
use crate::secret::Secret;
use crate::sorted_map::SortedMap;
use crate::time::{Lifetime, UnixTime};
use core::fmt;
use std::collections::VecDeque;

/// How long a proof holds.
pub const HOLDS: Lifetime = Lifetime::from_seconds(300);

/// How many proofs are kept; then the oldest goes.
pub const CAPACITY: usize = 1024;

const PURPOSE: &str = "edgeward/proven/v1";

/// The MAC that stands for a user-id, a password and a hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Proof([u8; TAG_SIZE]);

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof([redacted])")
    }
}

/// Proofs by the moment they were remembered.
#[derive(Debug)]
pub struct ProvenCache {
    tagger: Tagger,
    /// A look-up by MAC needs no constant time: what its duration could tell is how much of the MAC agrees with one
    /// that is kept, and without the key nobody can choose a password for the MAC it will have.
    since: SortedMap<Proof, UnixTime>,
    /// Oldest first; each proof once.
    order: VecDeque<Proof>,
}

impl ProvenCache {
    /// An empty store. `key`: 32 octets that were drawn for this isolate, or derived for it from `EDGEWARD_SECRET`.
    #[must_use]
    pub fn new(key: &Secret<[u8; 32]>) -> Self {
        Self { tagger: Tagger::new(key.expose(), PURPOSE), since: SortedMap::new(), order: VecDeque::new() }
    }

    /// What stands for this password of this account, sent from `near` ([`crate::attempts::near`]): one HMAC, nothing
    /// allocated.
    #[must_use]
    pub fn proof(&self, user_pass: &UserPass, account: &Account, near: &[u8]) -> Proof {
        let password = user_pass.password.expose();
        Proof(self.tagger.tag(&[user_pass.user.as_bytes(), password.as_bytes(), account.stamp(), near]))
    }

    /// Whether this was proven less than [`HOLDS`] ago. A clock that went back proves nothing.
    #[must_use]
    pub fn holds(&self, proof: &Proof, now: UnixTime) -> bool {
        self.since.get(proof).is_some_and(|since| is_fresh(*since, now))
    }

    /// Remembers what was verified just now: call it after a success only.
    pub fn remember(&mut self, proof: Proof, now: UnixTime) {
        if self.since.insert(proof, now).is_some() {
            self.order.retain(|kept| *kept != proof);
        }
        self.order.push_back(proof);
        self.forget_the_old(now);
    }

    fn forget_the_old(&mut self, now: UnixTime) {
        while let Some(oldest) = self.order.front() {
            let is_stale = !self.since.get(oldest).is_some_and(|since| is_fresh(*since, now));
            if !is_stale && self.order.len() <= CAPACITY {
                return;
            }
            self.since.remove(oldest);
            self.order.pop_front();
        }
    }
}

fn is_fresh(since: UnixTime, now: UnixTime) -> bool {
    since <= now && now < since + HOLDS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::htpasswd::Users;
    use proptest::prelude::*;

    const HASH: &str = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    const SAME_PASSWORD: &str = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK";

    fn account(user: &str, hash: &str) -> Account {
        let source = ("EDGEWARD_USERS".to_owned(), Secret::new(format!("{user}:{hash}")));
        Users::parse(&[source], &[], str::to_owned).unwrap().account(user).unwrap().clone()
    }

    fn user_pass(user: &str, password: &str) -> UserPass {
        UserPass { user: user.into(), password: Secret::new(password.into()) }
    }

    fn cache() -> ProvenCache {
        ProvenCache::new(&Secret::new([7; 32]))
    }

    fn at(millis: i64) -> UnixTime {
        UnixTime::from_millis(millis)
    }

    fn number(n: usize) -> Proof {
        let mut bytes = [0; TAG_SIZE];
        bytes[..8].copy_from_slice(&n.to_be_bytes());
        Proof(bytes)
    }

    #[test]
    fn holds_for_five_minutes_and_a_hit_does_not_prolong_it() {
        let mut cache = cache();
        let proof = cache.proof(&user_pass("ann", "x"), &account("ann", HASH), b"");
        assert!(!cache.holds(&proof, at(0)), "nothing was proven");
        cache.remember(proof, at(1000));
        for (millis, good) in [(999, false), (1000, true), (299_999, true), (300_999, true), (301_000, false)]
        {
            assert_eq!(cache.holds(&proof, at(millis)), good, "{millis}");
        }
        cache.remember(proof, at(301_000));
        assert!(cache.holds(&proof, at(600_999)));
        assert_eq!((cache.since.len(), cache.order.len()), (1, 1));
    }

    #[test]
    fn a_proof_is_of_one_user_password_hash_and_key() {
        let cache = cache();
        let of = |user, password, hash| cache.proof(&user_pass(user, password), &account("ann", hash), b"4");
        let base = of("ann", "x", HASH);
        assert_eq!(base, of("ann", "x", HASH));
        assert_ne!(base, of("bob", "x", HASH), "user");
        assert_ne!(base, of("ann", "y", HASH), "password");
        assert_ne!(base, of("ann", "x", SAME_PASSWORD), "hash");
        assert_ne!(base, of("annx", "", HASH), "a shifted border");
        let other = ProvenCache::new(&Secret::new([8; 32]));
        assert_ne!(base, other.proof(&user_pass("ann", "x"), &account("ann", HASH), b"4"), "key");
        assert_ne!(base, cache.proof(&user_pass("ann", "x"), &account("ann", HASH), b"6"), "network");
    }

    #[test]
    fn the_oldest_goes_when_there_are_too_many() {
        let mut cache = cache();
        for n in 0..=CAPACITY {
            cache.remember(number(n), at(0));
        }
        assert_eq!((cache.since.len(), cache.order.len()), (CAPACITY, CAPACITY));
        assert!(!cache.holds(&number(0), at(0)) && cache.holds(&number(1), at(0)));
        assert!(cache.holds(&number(CAPACITY), at(0)));
    }

    #[test]
    fn what_no_longer_holds_is_let_go() {
        let mut cache = cache();
        (0..10).for_each(|n| cache.remember(number(n), at(0)));
        cache.remember(number(10), at(300_000));
        assert_eq!(cache.since.len(), 1);
    }

    #[test]
    fn debug_does_not_leak() {
        let mut cache = cache();
        cache.remember(number(3), at(0));
        let shown = format!("{cache:?}");
        assert!(shown.contains("Proof([redacted])") && shown.contains("Tagger([redacted])"), "{shown}");
    }

    proptest! {
        /// Whatever is remembered when: the bound holds, both halves agree, and nothing holds that was not remembered.
        #[test]
        fn bounded_and_consistent(steps in proptest::collection::vec((0_usize..2000, 0_i64..1_000_000), 0..300)) {
            let mut cache = cache();
            for (n, millis) in steps {
                cache.remember(number(n), at(millis));
                prop_assert!(cache.holds(&number(n), at(millis)));
                prop_assert!(!cache.holds(&number(n + 2000), at(millis)));
                prop_assert!(cache.order.len() <= CAPACITY);
                prop_assert_eq!(cache.order.len(), cache.since.len());
            }
        }
    }
}
