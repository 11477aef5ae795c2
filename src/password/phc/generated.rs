//! Entries of generated passwords: `{HMAC-SHA256}` and the tag in base64url.
//!
//! A password of 128 random bits cannot be guessed, so nothing is won by making each guess slow: one HMAC is
//! enough, which fits any plan. Its key is derived from `EDGEWARD_SECRET`, so that who reads the lines alone
//! cannot test a guess at all; the user-id is in the input, so that a line is worth nothing under another name.

use super::Unusable;
use crate::password::UserPass;
use crate::password::tag::{TAG_SIZE, Tagger};
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::{Choice, ConstantTimeEq as _};

/// The purpose for which the key is derived from `EDGEWARD_SECRET`, and under which it is used.
pub const PURPOSE: &str = "edgeward/password/v1";

/// The entry of a generated password.
#[derive(Clone, Debug)]
pub struct Generated(Secret<[u8; TAG_SIZE]>);

impl Generated {
    /// Reads what stands behind `{HMAC-SHA256}`.
    pub(super) fn parse(text: &str) -> Result<Self, Unusable> {
        let mut tag = [0; TAG_SIZE];
        match URL_SAFE_NO_PAD.decode_slice(text, &mut tag) {
            Ok(TAG_SIZE) => Ok(Self(Secret::new(tag))),
            _ => {
                Err(Unusable::new("a malformed {HMAC-SHA256} entry", "43 characters of base64url behind it"))
            }
        }
    }

    /// One that no password is known for, to spend the work on.
    pub(in crate::password) const fn dummy() -> Self {
        Self(Secret::new([0; TAG_SIZE]))
    }

    /// Whether any of `keys` made this entry for that user-id and password. All of them are tried.
    #[must_use]
    pub fn verify(&self, user_pass: &UserPass, keys: &[Tagger]) -> bool {
        let found = keys
            .iter()
            .fold(Choice::from(0), |found, key| found | tag(user_pass, key).expose().ct_eq(self.0.expose()));
        found.into()
    }
}

/// The entry under `key`.
pub(super) fn hash(user_pass: &UserPass, key: &Secret<Vec<u8>>) -> String {
    let tag = tag(user_pass, &Tagger::new(key.expose(), PURPOSE));
    format!("{{HMAC-SHA256}}{}", URL_SAFE_NO_PAD.encode(tag.expose()))
}

fn tag(user_pass: &UserPass, key: &Tagger) -> Secret<[u8; TAG_SIZE]> {
    Secret::new(key.tag(&[user_pass.user.as_bytes(), user_pass.password.expose().as_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn user_pass(user: &str, password: &str) -> UserPass {
        UserPass { user: user.into(), password: Secret::new(password.into()) }
    }

    fn key(byte: u8) -> Secret<Vec<u8>> {
        Secret::new(vec![byte; 32])
    }

    fn entry(user_pass: &UserPass, byte: u8) -> Generated {
        Generated::parse(hash(user_pass, &key(byte)).strip_prefix("{HMAC-SHA256}").unwrap()).unwrap()
    }

    fn taggers(bytes: &[u8]) -> Vec<Tagger> {
        bytes.iter().map(|b| Tagger::new(key(*b).expose(), PURPOSE)).collect()
    }

    #[test]
    fn a_line_holds_for_its_user_password_and_keys() {
        let ann = user_pass("ann", "Zm9vYmFyYmF6cXV4MTIz");
        let entry = entry(&ann, 1);
        for (what, user_pass, keys, good) in [
            ("the key", &ann, &[1][..], true),
            ("first of two", &ann, &[1, 2], true),
            ("last of three", &ann, &[3, 2, 1], true),
            ("another key", &ann, &[2], false),
            ("no key", &ann, &[], false),
            ("another user", &user_pass("bob", "Zm9vYmFyYmF6cXV4MTIz"), &[1], false),
            ("another password", &user_pass("ann", "Zm9vYmFyYmF6cXV4MTIZ"), &[1], false),
            ("a shifted border", &user_pass("annZ", "m9vYmFyYmF6cXV4MTIz"), &[1], false),
            ("no password", &user_pass("ann", ""), &[1], false),
        ] {
            assert_eq!(entry.verify(user_pass, &taggers(keys)), good, "{what}");
        }
    }

    #[test]
    fn forms() {
        let good = "A".repeat(43);
        assert!(Generated::parse(&good).is_ok());
        for bad in
            ["", &good[1..], &format!("{good}A"), &format!("{good}="), &"+".repeat(43), &"B".repeat(43)]
        {
            assert!(Generated::parse(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn round_trip(user in "[^:]{1,20}", password in ".{0,40}") {
            let user_pass = user_pass(&user, &password);
            prop_assert!(entry(&user_pass, 7).verify(&user_pass, &taggers(&[7])));
        }
    }
}
