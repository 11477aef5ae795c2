//! Password hashes: four schemes that are verified, and the words for all that are not.
//!
//! | scheme | looks like | ceiling | floor |
//! | --- | --- | --- | --- |
//! | [`Argon2id`] (RFC 9106) | `$argon2id$v=19$m=19456,t=2,p=1$salt$hash` | m=65536 (64 MiB), t=16, p=16 | m=8p, t=1 |
//! | [`Bcrypt`] | `$2y$10$` and 53 characters; `$2a$`, `$2b$` too | cost 14 | cost 4 |
//! | [`Pbkdf2`] (RFC 8018) | `$pbkdf2-sha256$i=600000,l=32$salt$hash`, `$pbkdf2-sha512$…`, passlib's form too | 2,000,000 rounds | 1,000 rounds |
//! | [`Generated`] | `{HMAC-SHA256}` and 43 characters | | |
//!
//! The first and third are PHC strings (Base64 of RFC 4648 §4 without padding, canonical trailing bits). The
//! ceilings are what about a second of a Worker's CPU and half of its memory can bear; the floors are where the
//! schemes end. Between a floor and what OWASP recommends a hash is verified, with a warning.
//!
//! ```
//! use edgeward::password::phc::PasswordHash;
//!
//! assert!(PasswordHash::parse("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW").is_ok());
//! let refused = PasswordHash::parse("$apr1$salt$Xxd1irWT9ycqoYxGFn4cb.").unwrap_err();
//! assert_eq!(refused.found, "an Apache MD5 hash ($apr1$)");
//! ```

mod argon2id;
mod bcrypt;
mod foreign;
mod generated;
mod pbkdf2;
mod text;

pub use argon2id::Argon2id;
pub use bcrypt::Bcrypt;
pub use generated::{Generated, PURPOSE as GENERATED_PURPOSE};
pub use pbkdf2::{Digest, Pbkdf2};

use super::UserPass;
use super::cost::Cost;
use super::tag::Tagger;
use crate::secret::Secret;

/// What a verification costs of what `edgeward hash` makes unless it is told otherwise.
pub const HASHED: Cost = argon2id::HASHED;

/// A password hash that can be verified, within the ceilings above.
#[derive(Clone, Debug)]
pub enum PasswordHash {
    /// RFC 9106.
    Argon2id(Argon2id),
    /// What `htpasswd -B` writes.
    Bcrypt(Bcrypt),
    /// RFC 8018 §5.2.
    Pbkdf2(Pbkdf2),
    /// The MAC of a generated password.
    Generated(Generated),
}

impl PasswordHash {
    /// Reads the second field of an `htpasswd` line.
    ///
    /// # Errors
    /// What is wrong with it, by the operator's fault; never any part of it.
    pub fn parse(text: &str) -> Result<Self, Unusable> {
        if let Some(tag) = text.strip_prefix("{HMAC-SHA256}") {
            return Generated::parse(tag).map(Self::Generated);
        }
        let parts: Vec<&str> = text.split('$').collect();
        match parts.as_slice() {
            ["", "argon2id", rest @ ..] => Argon2id::parse(rest).map(Self::Argon2id),
            ["", "2a" | "2b" | "2y", rest @ ..] => Bcrypt::parse(rest).map(Self::Bcrypt),
            ["", "pbkdf2-sha256", rest @ ..] => Pbkdf2::parse(Digest::Sha256, rest).map(Self::Pbkdf2),
            ["", "pbkdf2-sha512", rest @ ..] => Pbkdf2::parse(Digest::Sha512, rest).map(Self::Pbkdf2),
            _ => Err(foreign::name(text)),
        }
    }

    /// What one verification costs.
    #[must_use]
    pub const fn cost(&self) -> Cost {
        match self {
            Self::Argon2id(hash) => hash.cost(),
            Self::Bcrypt(hash) => hash.cost(),
            Self::Pbkdf2(hash) => hash.cost(),
            Self::Generated(_) => Cost::Generated,
        }
    }

    /// Whether this is the hash of that password (and, for a generated one, of that user-id under one of `keys`).
    ///
    /// The work depends on the hash's parameters alone, never on where a difference is.
    #[must_use]
    pub fn verify(&self, user_pass: &UserPass, keys: &[Tagger]) -> bool {
        let password = user_pass.password.expose().as_bytes();
        match self {
            Self::Argon2id(hash) => hash.verify(password),
            Self::Bcrypt(hash) => hash.verify(password),
            Self::Pbkdf2(hash) => hash.verify(password),
            Self::Generated(hash) => hash.verify(user_pass, keys),
        }
    }
}

/// Why a hash cannot be used. Errors of the operator; none holds any part of the hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// What it is: a scheme that is not supported, or a fault in one that is.
    pub found: String,
    /// What would be right.
    pub expected: &'static str,
    /// Whether it is a hash at all. What is not may be a password, in whatever field.
    pub is_hash: bool,
}

impl Unusable {
    pub(crate) fn new(found: impl Into<String>, expected: &'static str) -> Self {
        Self { found: found.into(), expected, is_hash: true }
    }
}

/// An Argon2id hash at OWASP's first choice: 19 MiB, 2 passes, 1 lane. `password` in NFC.
///
/// # Errors
/// If there is no memory for it.
pub fn hash_argon2id(password: &Secret<String>, salt: [u8; 16]) -> Result<String, Unusable> {
    argon2id::hash(password.expose().as_bytes(), &salt)
}

/// A bcrypt hash (`$2y$`) of a cost from 4 to 14. `password` in NFC.
///
/// # Errors
/// If the cost is another, or the password has more than 72 bytes or a NUL: bcrypt would not see all of it.
pub fn hash_bcrypt(password: &Secret<String>, salt: [u8; 16], cost: u32) -> Result<String, Unusable> {
    bcrypt::hash(password.expose().as_bytes(), salt, cost)
}

/// A PBKDF2 hash of 1,000 to 2,000,000 rounds, as long as the digest's output. `password` in NFC.
///
/// # Errors
/// If the rounds are others.
pub fn hash_pbkdf2(
    digest: Digest,
    password: &Secret<String>,
    salt: [u8; 16],
    rounds: u32,
) -> Result<String, Unusable> {
    pbkdf2::hash(digest, password.expose().as_bytes(), &salt, rounds)
}

/// The entry of a generated password: `{HMAC-SHA256}` and the tag under `key`, which was derived from the first
/// `EDGEWARD_SECRET` for [`GENERATED_PURPOSE`].
///
/// Only for passwords of 128 random bits: one HMAC is no obstacle to somebody who guesses and has the key.
#[must_use]
pub fn hash_generated(user_pass: &UserPass, key: &Secret<Vec<u8>>) -> String {
    generated::hash(user_pass, key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.into())
    }

    fn verifies(line: &str, password: &str) -> bool {
        let user_pass = UserPass { user: "ann".into(), password: secret(password) };
        PasswordHash::parse(line).unwrap().verify(&user_pass, &[])
    }

    #[test]
    fn what_is_made_verifies() {
        let salt = *b"0123456789abcdef";
        for password in ["", "pässwörd", "with:colon$and,comma"] {
            let made = [
                hash_argon2id(&secret(password), salt).unwrap(),
                hash_bcrypt(&secret(password), salt, 4).unwrap(),
                hash_pbkdf2(Digest::Sha256, &secret(password), salt, 1000).unwrap(),
                hash_pbkdf2(Digest::Sha512, &secret(password), salt, 1000).unwrap(),
            ];
            for line in made {
                assert!(!line.contains(':'), "{line}");
                assert!(verifies(&line, password), "{line}");
                assert!(!verifies(&line, &format!("{password}x")), "{line}");
            }
        }
    }

    #[test]
    fn what_is_made_has_the_documented_form() {
        let salt = *b"0123456789abcdef";
        let starts = [
            (hash_argon2id(&secret("x"), salt), "$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$"),
            (hash_bcrypt(&secret("x"), salt, 4), "$2y$04$KBCwKxOzLha2MUDgW0PjXe"),
            (
                hash_pbkdf2(Digest::Sha256, &secret("x"), salt, 1000),
                "$pbkdf2-sha256$i=1000,l=32$MDEyMzQ1Njc4OWFiY2RlZg$",
            ),
            (
                hash_pbkdf2(Digest::Sha512, &secret("x"), salt, 1000),
                "$pbkdf2-sha512$i=1000,l=64$MDEyMzQ1Njc4OWFiY2RlZg$",
            ),
        ];
        for (made, start) in starts {
            let made = made.unwrap();
            assert!(made.starts_with(start), "{made}");
        }
    }

    #[test]
    fn debug_does_not_leak() {
        let text = hash_bcrypt(&secret("hunter2"), *b"0123456789abcdef", 4).unwrap();
        let shown = format!("{:?}", PasswordHash::parse(&text).unwrap());
        assert_eq!(shown, "Bcrypt(Bcrypt { cost: 4, salt: Secret([redacted]), digest: Secret([redacted]) })");
    }

    proptest! {
        #[test]
        fn parse_never_panics(text in "\\PC{0,90}") {
            let _ = PasswordHash::parse(&text);
        }

        #[test]
        fn parse_never_panics_near_a_hash(
            text in "(\\$|\\{)(2[abxy]|argon2id|pbkdf2-sha(256|512)|HMAC-SHA256\\}|apr1|5)[$=,.mtpilv0-9A-Za-zé]{0,80}"
        ) {
            let _ = PasswordHash::parse(&text);
        }

        /// A refusal never shows what it refuses.
        #[test]
        fn a_refusal_shows_no_part(hash in "[a-z]{0,2}[g-zQ-Z]{12,30}", prefix in 0_usize..7) {
            let prefix =
                ["", "$2y$05$", "$argon2id$v=19$", "$pbkdf2-sha256$29000$", "{HMAC-SHA256}", "{SSHA}", "$6$"][prefix];
            let refused = PasswordHash::parse(&format!("{prefix}{hash}")).unwrap_err();
            let shown = format!("{refused:?}");
            prop_assert!(!shown.contains(&hash), "{}", shown);
        }
    }
}
