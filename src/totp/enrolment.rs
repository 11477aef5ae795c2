//! The second factor of one user.

use super::code::{Digits, Hash, Step, hotp};
use super::recovery;
use crate::policy::HmacAlgorithm;
use crate::secret::Secret;
use crate::time::UnixTime;
use crate::token::mac::{MacKey, Purpose};
use crate::token::to_base64url;
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

/// Octets of the names that the ledger gets: what cannot be guessed, and says nothing of the user.
const NAME_SIZE: usize = 16;

const NAME: Purpose = Purpose("edgeward/totp/name/v1");
const SPENT: Purpose = Purpose("edgeward/totp/spent/v1");

/// The second factor of one user: the keys that its codes come from.
#[derive(Clone, Debug)]
pub struct Enrolment {
    user: String,
    digits: Digits,
    /// The key of the app's codes.
    key: MacKey,
    /// The key of all else: recovery codes, and names in the ledger.
    seed: MacKey,
}

impl Enrolment {
    pub(super) fn new(user: &str, hash: Hash, digits: Digits, secret: &[u8], seed: &[u8]) -> Self {
        let (key, seed) = (MacKey::new(hash.algorithm(), secret), MacKey::new(HmacAlgorithm::Hs256, seed));
        Self { user: user.to_owned(), digits, key, seed }
    }

    /// The user-id, in NFC.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// How many digits a code has.
    #[must_use]
    pub const fn digits(&self) -> Digits {
        self.digits
    }

    /// Whether what was typed may be a code of this user's app.
    #[must_use]
    pub fn has_form(&self, typed: &str) -> bool {
        self.digits.read(typed).is_some()
    }

    /// The step whose code was typed: this one, the one before or the one after (RFC 6238 §5.2). The caller has to see to it
    /// that each is good once.
    ///
    /// All three are compared, in constant time. Should two have the same code, it is the later: then that code is no good
    /// in the next step either.
    #[must_use]
    pub fn matches(&self, typed: &str, now: UnixTime) -> Option<Step> {
        let typed = self.digits.read(typed)?;
        let (mut found, mut is_one) = (0, Choice::from(0));
        for step in Step::at(now).taken() {
            let is_it = hotp(&self.key, step.number(), self.digits).ct_eq(&typed);
            found.conditional_assign(&step.number(), is_it);
            is_one |= is_it;
        }
        bool::from(is_one).then_some(Step(found))
    }

    /// The code that an app shows at that moment.
    #[must_use]
    pub fn code(&self, now: UnixTime) -> String {
        self.digits.write(hotp(&self.key, Step::at(now).number(), self.digits))
    }

    /// The name under which the ledger counts the use of the recovery code that was typed; `None` where it is none of this
    /// user's. All ten are compared, in constant time.
    #[must_use]
    pub fn recovery(&self, typed: &str) -> Option<String> {
        let index = recovery::index_of(&self.seed, typed)?;
        Some(self.named(SPENT, &[index]))
    }

    /// The recovery codes, for who made the line.
    pub fn recovery_codes(&self) -> impl Iterator<Item = Secret<String>> {
        (0..recovery::COUNT).map(|index| recovery::written(&self.seed, index))
    }

    /// What the ledger knows this user by: nothing that tells who it is, and another one for every line that is made.
    #[must_use]
    pub fn name(&self) -> String {
        self.named(NAME, &[])
    }

    fn named(&self, purpose: Purpose, field: &[u8]) -> String {
        let tag = self.seed.tag_for(&purpose, &[self.user.as_bytes(), field]);
        to_base64url(tag.as_bytes().get(..NAME_SIZE).unwrap_or_default())
    }
}
