//! Basic credentials (RFC 7617): base64 of `user-id ":" password` in UTF-8.
//!
//! 1. The value is base64 with its padding (RFC 4648 §4), in its one canonical spelling: unused bits are zero.
//! 2. The octets are UTF-8 (RFC 7617 §2.1, as our challenges ask for), brought to Normalization Form C, so that
//!    `é` typed on any keyboard is the same `é`.
//! 3. The first colon splits: a password may hold colons, a user-id may not.
//! 4. No control characters, no empty user-id, at most 1,024 octets.

use crate::password::{Nfc, UserPass};
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Most octets of a user-pass.
pub const MAX_USER_PASS: usize = 1024;

/// Reads what stands behind the scheme; `Err` says what is wrong, in words for programs.
///
/// # Errors
/// A sentence, where the credentials do not have Basic's form.
pub fn parse(credentials: &str, nfc: Nfc) -> Result<UserPass, &'static str> {
    if credentials.len() > MAX_USER_PASS.div_ceil(3) * 4 {
        return Err("The user-pass is longer than 1,024 octets.");
    }
    let octets = STANDARD
        .decode(credentials)
        .map_err(|_| "What follows the scheme is not base64 with padding (RFC 4648 section 4).")?;
    let octets = Secret::new(octets);
    if octets.expose().len() > MAX_USER_PASS {
        return Err("The user-pass is longer than 1,024 octets.");
    }
    let text = core::str::from_utf8(octets.expose()).map_err(|_| "The user-pass is not UTF-8.")?;
    let (user, password) =
        text.split_once(':').ok_or("The user-pass has no colon between user-id and password.")?;
    user_pass(user, password, nfc)
}

/// A user-id and a password that were sent apart, as a form does, under the same rules.
///
/// # Errors
/// A sentence, where they are none.
pub fn user_pass(user: &str, password: &str, nfc: Nfc) -> Result<UserPass, &'static str> {
    if user.is_empty() {
        return Err("The user-id is empty.");
    }
    // A colon stands between them.
    if user.len().saturating_add(password.len()) >= MAX_USER_PASS {
        return Err("The user-pass is longer than 1,024 octets.");
    }
    if user.chars().chain(password.chars()).any(char::is_control) {
        return Err("The user-pass holds a control character.");
    }
    Ok(UserPass { user: normalized(user, nfc), password: Secret::new(normalized(password, nfc)) })
}

/// The text in Normalization Form C; ASCII is in it already.
fn normalized(text: &str, nfc: Nfc) -> String {
    if text.is_ascii() { text.to_owned() } else { nfc(text) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization;

    fn nfc(text: &str) -> String {
        text.nfc().collect()
    }

    fn read(credentials: &str) -> Result<(String, String), &'static str> {
        parse(credentials, nfc).map(|it| (it.user.clone(), it.password.expose().clone()))
    }

    fn pair(user: &str, password: &str) -> Result<(String, String), &'static str> {
        Ok((user.into(), password.into()))
    }

    #[test]
    fn rfc_7617_examples() {
        assert_eq!(read("QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), pair("Aladdin", "open sesame"));
        assert_eq!(read("dGVzdDoxMjPCow=="), pair("test", "123£"));
    }

    #[test]
    fn colons_and_normal_forms() {
        assert_eq!(read(&STANDARD.encode("user:pa:ss:word")), pair("user", "pa:ss:word"));
        assert_eq!(read(&STANDARD.encode("u:")), pair("u", ""));
        assert_eq!(read(&STANDARD.encode("u:cafe\u{301}")), read(&STANDARD.encode("u:café")));
    }

    #[test]
    fn malformed() {
        let long = STANDARD.encode(format!("u:{}", "x".repeat(1023)));
        for bad in [
            "",
            "!!!",
            "Zm9vOmJhcg",
            "Zm9vOmJhcg===",
            "Zm9vOmJhch==",
            "Zm9v OmJhcg==",
            "Zm9v",
            "OnBhc3M=",
            "Og==",
            "Zm9vADpiYXI=",
            "Zm9vfzpiYXI=",
            "dGVzdDoxMjOj",
            &long,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert!(read(&STANDARD.encode(format!("u:{}", "x".repeat(1022)))).is_ok());
    }

    proptest! {
        #[test]
        fn never_panics(text in "\\PC*") {
            let _ = parse(&text, nfc);
        }

        #[test]
        fn round_trip(user in "[a-zA-Z0-9@.]{1,30}", password in "[ -~]{0,60}") {
            prop_assert_eq!(read(&STANDARD.encode(format!("{user}:{password}"))), Ok((user, password)));
        }
    }
}
