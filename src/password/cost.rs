//! What a verification costs, and how to spend the rest.
//!
//! Whoever can time answers must not learn from them whether a user-id is there. So every "no" costs the same:
//! the most expensive verification among the lines. An unknown user costs one of it in full; a wrong password for
//! a cheaper line is topped up with verifications of dummies, whose costs add up to what is missing. Within a
//! scheme the sum is exact (for bcrypt 2^12 = 2^10 + 2^10 + 2^11), between schemes it is as good as the model.

use super::UserPass;
use super::phc::{Argon2id, Bcrypt, Digest, Generated, PasswordHash, Pbkdf2};
use super::tag::Tagger;
use core::fmt;

/// One of bcrypt's 2^cost rounds, in nanoseconds. This and the next were measured with this very code as wasm in
/// V8 (Node 20: bcrypt of cost 10 in 65 ms) and rounded; from machine to machine they differ by a third.
const BCRYPT_ROUND: u64 = 65_000;
/// One KiB in one pass of Argon2id.
const ARGON2_BLOCK: u64 = 750;
/// One round of PBKDF2-HMAC-SHA-256, for each 32 octets of output.
const PBKDF2_SHA256_ROUND: u64 = 430;
/// One round of PBKDF2-HMAC-SHA-512, for each 64 octets of output.
const PBKDF2_SHA512_ROUND: u64 = 980;
/// The tag of a generated password.
const GENERATED: u64 = 800;

/// The scheme of a verification, with all that its work depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// Argon2id.
    Argon2id {
        /// KiB.
        memory: u32,
        /// Passes over the memory.
        passes: u32,
        /// Lanes, computed one after the other.
        lanes: u32,
    },
    /// bcrypt.
    Bcrypt {
        /// The logarithm of the rounds, to the base 2.
        cost: u32,
    },
    /// PBKDF2.
    Pbkdf2 {
        /// The hash function under the HMAC.
        digest: Digest,
        /// Rounds for each block.
        rounds: u32,
        /// Octets of output: each begun block costs all rounds again.
        length: usize,
    },
    /// One HMAC for each `EDGEWARD_SECRET`.
    Generated,
}

impl Cost {
    /// CPU time in a Worker, in nanoseconds, by a model: exact in proportion within a scheme.
    #[must_use]
    pub fn nanos(self) -> u64 {
        match self {
            Self::Argon2id { memory, passes, .. } => u64::from(memory) * u64::from(passes) * ARGON2_BLOCK,
            Self::Bcrypt { cost } => BCRYPT_ROUND << cost.min(32),
            Self::Pbkdf2 { digest, rounds, length } => u64::from(rounds) * pbkdf2_round(digest, length),
            Self::Generated => GENERATED,
        }
    }

    /// What OWASP's Password Storage Cheat Sheet (2025) recommends at least, where this is less.
    #[must_use]
    pub const fn recommended(self) -> Option<&'static str> {
        match self {
            Self::Argon2id { memory, passes, .. }
                if memory >= 7168 && memory.saturating_mul(passes) >= 35_840 =>
            {
                None
            }
            Self::Argon2id { .. } => Some("m=19456,t=2,p=1 or more"),
            Self::Bcrypt { cost } if cost < 10 => Some("a cost of 10 or more"),
            Self::Pbkdf2 { digest: Digest::Sha256, rounds, .. } if rounds < 600_000 => {
                Some("600,000 rounds or more")
            }
            Self::Pbkdf2 { digest: Digest::Sha512, rounds, .. } if rounds < 210_000 => {
                Some("210,000 rounds or more")
            }
            Self::Bcrypt { .. } | Self::Pbkdf2 { .. } | Self::Generated => None,
        }
    }

    /// Verifications of this scheme that cost `nanos` together, which is no more than this costs: this itself if
    /// it is just that, none if it is less than the least of the scheme.
    #[must_use]
    pub fn part(self, nanos: u64) -> Vec<Self> {
        match self {
            Self::Argon2id { passes, lanes, .. } => argon2_part(nanos / ARGON2_BLOCK, passes, lanes),
            Self::Bcrypt { cost } => bcrypt_part(nanos / BCRYPT_ROUND, cost),
            Self::Pbkdf2 { digest, length, .. } => pbkdf2_part(nanos, digest, length),
            Self::Generated => {
                if nanos >= GENERATED {
                    vec![self]
                } else {
                    Vec::new()
                }
            }
        }
    }

    fn dummy(self) -> PasswordHash {
        match self {
            Self::Argon2id { memory, passes, lanes } => {
                PasswordHash::Argon2id(Argon2id::dummy(memory, passes, lanes))
            }
            Self::Bcrypt { cost } => PasswordHash::Bcrypt(Bcrypt::dummy(cost)),
            Self::Pbkdf2 { digest, rounds, length } => {
                PasswordHash::Pbkdf2(Pbkdf2::dummy(digest, rounds, length))
            }
            Self::Generated => PasswordHash::Generated(Generated::dummy()),
        }
    }
}

/// In words that show no part of a hash.
impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argon2id { memory, passes, lanes } => {
                write!(f, "Argon2id of m={memory},t={passes},p={lanes}")
            }
            Self::Bcrypt { cost } => write!(f, "bcrypt of cost {cost}"),
            Self::Pbkdf2 { digest: Digest::Sha256, rounds, .. } => {
                write!(f, "PBKDF2-SHA-256 of {rounds} rounds")
            }
            Self::Pbkdf2 { digest: Digest::Sha512, rounds, .. } => {
                write!(f, "PBKDF2-SHA-512 of {rounds} rounds")
            }
            Self::Generated => f.write_str("{HMAC-SHA256}"),
        }
    }
}

/// The memory is what is cut: `blocks` of it, in as many passes as the whole makes.
fn argon2_part(blocks: u64, passes: u32, lanes: u32) -> Vec<Cost> {
    let memory = u32::try_from(blocks / u64::from(passes.max(1))).unwrap_or(u32::MAX);
    // RFC 9106 §3.1: 8 KiB for each lane at least.
    let lanes = lanes.min(memory / 8);
    if lanes == 0 { Vec::new() } else { vec![Cost::Argon2id { memory, passes, lanes }] }
}

/// `rounds` in powers of two: one verification for each bit that is set.
fn bcrypt_part(rounds: u64, most: u32) -> Vec<Cost> {
    (4..=most).rev().filter(|cost| rounds >> cost & 1 == 1).map(|cost| Cost::Bcrypt { cost }).collect()
}

fn pbkdf2_part(nanos: u64, digest: Digest, length: usize) -> Vec<Cost> {
    let rounds = u32::try_from(nanos / pbkdf2_round(digest, length)).unwrap_or(u32::MAX);
    if rounds == 0 { Vec::new() } else { vec![Cost::Pbkdf2 { digest, rounds, length }] }
}

/// One round, in every block of the output (RFC 8018 §5.2).
fn pbkdf2_round(digest: Digest, length: usize) -> u64 {
    let round = match digest {
        Digest::Sha256 => PBKDF2_SHA256_ROUND,
        Digest::Sha512 => PBKDF2_SHA512_ROUND,
    };
    round * length.div_ceil(digest.output_size()).max(1) as u64
}

/// The verifications that a check took, in their order: what a test looks at instead of a clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work(Vec<Cost>);

impl Work {
    /// The verifications.
    #[must_use]
    pub fn runs(&self) -> &[Cost] {
        &self.0
    }

    /// What they cost together, in nanoseconds of the model.
    #[must_use]
    pub fn nanos(&self) -> u64 {
        self.0.iter().map(|cost| cost.nanos()).sum()
    }

    /// Verifies, and notes it down.
    pub(super) fn verify(&mut self, hash: &PasswordHash, user_pass: &UserPass, keys: &[Tagger]) -> bool {
        self.0.push(hash.cost());
        hash.verify(user_pass, keys)
    }

    /// Verifies dummies until the whole costs what `most` costs.
    pub(super) fn top_up(&mut self, most: Cost, user_pass: &UserPass, keys: &[Tagger]) {
        for cost in most.part(most.nanos().saturating_sub(self.nanos())) {
            // Its answer is nobody's: the compiler must not conclude that it need not be found.
            core::hint::black_box(self.verify(&cost.dummy(), user_pass, keys));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn bcrypt(cost: u32) -> Cost {
        Cost::Bcrypt { cost }
    }

    const fn argon2(memory: u32, passes: u32) -> Cost {
        Cost::Argon2id { memory, passes, lanes: 1 }
    }

    const fn pbkdf2(rounds: u32, length: usize) -> Cost {
        Cost::Pbkdf2 { digest: Digest::Sha256, rounds, length }
    }

    #[test]
    fn the_whole_is_one_verification_of_itself() {
        for cost in
            [bcrypt(4), bcrypt(14), argon2(19_456, 2), argon2(8, 1), pbkdf2(1000, 32), Cost::Generated]
        {
            assert_eq!(cost.part(cost.nanos()), [cost]);
            assert_eq!(cost.part(0), []);
            assert_eq!(cost.dummy().cost(), cost);
        }
    }

    #[test]
    fn parts_add_up() {
        let rest = |most: Cost, spent: Cost| most.part(most.nanos() - spent.nanos());
        assert_eq!(rest(bcrypt(12), bcrypt(10)), [bcrypt(11), bcrypt(10)]);
        assert_eq!(rest(bcrypt(5), bcrypt(4)), [bcrypt(4)]);
        assert_eq!(rest(pbkdf2(600_000, 32), pbkdf2(1000, 32)), [pbkdf2(599_000, 32)]);
        assert_eq!(
            rest(pbkdf2(600_000, 32), pbkdf2(1000, 64)),
            [pbkdf2(598_000, 32)],
            "64 octets are two blocks"
        );
        assert_eq!(rest(argon2(19_456, 2), argon2(12_288, 3)), [argon2(1024, 2)]);
        assert_eq!(rest(argon2(19_456, 2), Cost::Generated), [argon2(19_455, 2)]);
        assert_eq!(
            rest(bcrypt(6), Cost::Generated),
            [bcrypt(5), bcrypt(4)],
            "less than the least is left away"
        );
    }

    #[test]
    fn lanes_never_ask_for_more_memory_than_there_is() {
        let most = Cost::Argon2id { memory: 256, passes: 1, lanes: 4 };
        let part = |memory: u64| most.part(memory * ARGON2_BLOCK);
        assert_eq!(part(31), [Cost::Argon2id { memory: 31, passes: 1, lanes: 3 }]);
        assert_eq!(part(8), [argon2(8, 1)]);
        assert_eq!(part(7), []);
    }

    #[test]
    fn recommendations() {
        for (cost, low) in [
            (bcrypt(9), true),
            (bcrypt(10), false),
            (argon2(19_456, 2), false),
            (argon2(47_104, 1), false),
            (argon2(7168, 5), false),
            (argon2(19_456, 1), true),
            (argon2(4096, 16), true),
            (pbkdf2(599_999, 32), true),
            (pbkdf2(600_000, 32), false),
            (Cost::Generated, false),
        ] {
            assert_eq!(cost.recommended().is_some(), low, "{cost}");
        }
    }

    proptest! {
        /// The sum of the parts is never more than asked for, and less by the scheme's least at most.
        #[test]
        fn parts_come_close(which in 0_usize..4, permille in 0_u64..=1000) {
            let most = [bcrypt(12), argon2(19_456, 2), pbkdf2(600_000, 32), Cost::Generated][which];
            let least = [bcrypt(4), argon2(8, 2), pbkdf2(1, 32), Cost::Generated][which];
            let asked = most.nanos() / 1000 * permille;
            let sum: u64 = most.part(asked).iter().map(|cost| cost.nanos()).sum();
            prop_assert!(sum <= asked && asked - sum < least.nanos(), "{} of {}", sum, asked);
        }
    }
}
