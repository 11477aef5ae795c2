//! What a line says of a user.

use super::line;
use crate::config::Problem;
use crate::password::Nfc;
use crate::password::cost::Cost;
use crate::password::phc::PasswordHash;
use crate::time::UnixTime;

/// One line.
#[derive(Clone, Debug)]
pub struct Account {
    pub(super) user: String,
    pub(super) groups: Vec<String>,
    pub(super) suspended: bool,
    pub(super) until: Option<UnixTime>,
    pub(super) hash: PasswordHash,
    pub(super) stamp: [u8; 32],
    pub(super) digest: [u8; 32],
}

impl Account {
    /// Reads one line; `at`: where it stands.
    ///
    /// # Errors
    /// What is wrong with it; never any part of what may be a password.
    pub(in crate::password) fn parse(at: &str, line: &str, nfc: Nfc) -> Result<Self, Problem> {
        line::parse(at, line, nfc)
    }

    /// What a verification of its password costs.
    #[must_use]
    pub const fn cost(&self) -> Cost {
        self.hash.cost()
    }

    /// The user-id, in NFC.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Its groups, in the order of the line.
    #[must_use]
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// Whether the line says `!suspended`.
    #[must_use]
    pub const fn suspended(&self) -> bool {
        self.suspended
    }

    /// The moment from which the password no longer holds: 00:00 UTC of the day that `!until` names.
    #[must_use]
    pub const fn until(&self) -> Option<UnixTime> {
        self.until
    }

    /// Whether the password has run out.
    #[must_use]
    pub fn expired(&self, now: UnixTime) -> bool {
        self.until.is_some_and(|until| now >= until)
    }

    /// Whether a verification costs so much that its success is worth remembering. One HMAC is not.
    #[must_use]
    pub const fn is_slow(&self) -> bool {
        !matches!(self.hash, PasswordHash::Generated(_))
    }

    /// SHA-256 of the whole line: what rests on all that it says is bound to it.
    #[must_use]
    pub const fn line_digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// SHA-256 of the hash's text: what was proven against this hash is bound to it.
    pub(in crate::password) const fn stamp(&self) -> &[u8; 32] {
        &self.stamp
    }
}
