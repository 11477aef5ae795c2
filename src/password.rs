//! Passwords: lines of accounts, their hashes, and the memory of what was proven.
//!
//! 1. [`htpasswd`] reads the lines of `EDGEWARD_USERS` once, into accounts whose hashes are known to be usable.
//! 2. [`phc`] knows the schemes: what a hash looks like, what its cost may be, and how it is verified.
//! 3. [`cost`] says what a verification costs, so that a wrong password takes as much work as an unknown user.
//! 4. [`proven`] remembers for minutes that a password was right: no honest hash fits 10 ms of CPU.
//! 5. [`stored`] reads lines of `EDGEWARD_KV`, one by one, and keeps them for half a minute.
//! 6. [`tag`] is the one MAC that 2 and 4 share.
//!
//! A password that may log in is never looked at twice, and one that may not is never told why.

pub mod cost;
pub mod htpasswd;
pub mod phc;
pub mod proven;
pub mod stored;
pub mod tag;

use crate::secret::Secret;

/// Brings text to Unicode Normalization Form C (UAX #15).
///
/// The Worker asks the platform (`String.prototype.normalize`), the command brings its own table. Only called
/// for text that is not ASCII.
pub type Nfc = fn(&str) -> String;

/// A user-id and a password (RFC 7617 §2, "user-pass"), both in NFC as the contract wants them compared.
#[derive(Clone, Debug)]
pub struct UserPass {
    /// The user-id: no colon, no control characters.
    pub user: String,
    /// The password: colons are its own.
    pub password: Secret<String>,
}

/// What the tests bring text to NFC with.
#[cfg(test)]
pub(crate) fn nfc(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    text.nfc().collect()
}
