//! A second factor that is being made: the one place where its secret is at hand.

use super::{Digits, Enrolment, Hash, PURPOSE};
use crate::password::Nfc;
use crate::seal::{NONCE_SIZE, Sealer};
use crate::secret::Secret;
use crate::token::mac::RootSecret;

/// Octets that are sealed beside the secret.
pub const SEED_SIZE: usize = 16;

/// RFC 4648 §6.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A second factor that is being made.
#[derive(Debug)]
pub struct Made {
    user: String,
    hash: Hash,
    digits: Digits,
    /// The secret, and the seed behind it.
    content: Secret<Vec<u8>>,
}

impl Made {
    /// Of octets that were drawn at random: [`Hash::secret_size`] and [`SEED_SIZE`] of them; `None` with more or fewer.
    /// `user`: in NFC.
    #[must_use]
    pub fn new(user: &str, hash: Hash, digits: Digits, secret: &[u8], seed: &[u8]) -> Option<Self> {
        let is_whole = secret.len() == hash.secret_size() && seed.len() == SEED_SIZE;
        let content = Secret::new([secret, seed].concat());
        is_whole.then(|| Self { user: user.to_owned(), hash, digits, content })
    }

    /// What a line was made of; `None` for one that is not good.
    #[must_use]
    pub fn of_line(line: &str, root: &RootSecret, nfc: Nfc) -> Option<Self> {
        super::line::open(line, &Sealer::new(root, PURPOSE), nfc).ok()
    }

    /// The line to store. `nonce`: drawn at random for this one line.
    #[must_use]
    pub fn line(&self, root: &RootSecret, nonce: [u8; NONCE_SIZE]) -> Option<String> {
        let Self { user, hash, digits, content } = self;
        let around = around(user, hash.name(), digits.name());
        let sealed = Sealer::new(root, PURPOSE).seal(nonce, &around, content.expose())?;
        Some([user, hash.name(), digits.name(), &sealed].join(":"))
    }

    /// What an authenticator app reads from a QR code: the `otpauth:` URI of the Key Uri Format of Google Authenticator, which
    /// all apps know (a standard it is not). `issuer`: as the app shows it.
    #[must_use]
    pub fn uri(&self, issuer: &str) -> Secret<String> {
        let (secret, _) = self.split();
        let mut uri = String::from("otpauth://totp/");
        push_encoded(&mut uri, issuer);
        uri.push(':');
        push_encoded(&mut uri, &self.user);
        uri.push_str("?secret=");
        push_base32(&mut uri, secret);
        uri.push_str("&issuer=");
        push_encoded(&mut uri, issuer);
        for (name, value) in [
            ("algorithm", self.hash.name().to_ascii_uppercase().as_str()),
            ("digits", self.digits.name()),
            ("period", "30"),
        ] {
            uri.extend(["&", name, "=", value]);
        }
        Secret::new(uri)
    }

    /// The secret as apps take it from a keyboard: base32 (RFC 4648 §6) without padding, in groups of four.
    #[must_use]
    pub fn typed(&self) -> Secret<String> {
        let mut text = String::new();
        push_base32(&mut text, self.split().0);
        let groups: Vec<&str> = text.as_bytes().chunks(4).filter_map(|it| str::from_utf8(it).ok()).collect();
        Secret::new(groups.join(" "))
    }

    /// The same as the gate has it.
    #[must_use]
    pub fn enrolment(&self) -> Enrolment {
        let (secret, seed) = self.split();
        Enrolment::new(&self.user, self.hash, self.digits, secret, seed)
    }

    fn split(&self) -> (&[u8], &[u8]) {
        split(self.content.expose()).unwrap_or_default()
    }
}

/// What is sealed, taken apart: the secret, and the seed behind it.
pub(super) fn split(content: &[u8]) -> Option<(&[u8], &[u8])> {
    content.split_at_checked(content.len().checked_sub(SEED_SIZE)?)
}

/// What a secret is sealed for.
pub(super) const fn around<'a>(user: &'a str, hash: &'a str, digits: &'a str) -> [&'a [u8]; 3] {
    [user.as_bytes(), hash.as_bytes(), digits.as_bytes()]
}

/// Base32 without padding: apps want none, and the secrets of two of the three hashes would need it.
fn push_base32(text: &mut String, octets: &[u8]) {
    for chunk in octets.chunks(5) {
        let mut five = [0; 5];
        five.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
        let bits = five.iter().fold(0_u64, |bits, octet| bits << 8 | u64::from(*octet));
        for place in 0..(chunk.len() * 8).div_ceil(5) {
            let value = bits >> (35 - 5 * place) & 31;
            let letter = usize::try_from(value).ok().and_then(|value| BASE32.get(value));
            text.extend(letter.map(|letter| char::from(*letter)));
        }
    }
}

/// Percent-encoded but for what is unreserved (RFC 3986 §2.3): apps differ in what else they understand.
fn push_encoded(uri: &mut String, text: &str) {
    for octet in text.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
            uri.push(char::from(octet));
        } else {
            uri.push('%');
            let digits = [octet >> 4, octet & 15].map(|digit| char::from_digit(digit.into(), 16));
            uri.extend(digits.into_iter().flatten().map(|digit| digit.to_ascii_uppercase()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648 §10, without the padding.
    #[test]
    fn base32_of_rfc_4648() {
        for (octets, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            let mut written = String::new();
            push_base32(&mut written, octets.as_bytes());
            assert_eq!(written, text, "{octets}");
        }
    }

    #[test]
    fn what_apps_read() {
        let made = |user: &str, hash: Hash, digits| {
            Made::new(user, hash, digits, &[b'f'; 64][..hash.secret_size()], &[0; 16]).expect("whole")
        };
        assert_eq!(
            made("ann@acme.example", Hash::Sha1, Digits::Six).uri("Acme & Söhne").expose(),
            "otpauth://totp/Acme%20%26%20S%C3%B6hne:ann%40acme.example?secret=MZTGMZTGMZTGMZTGMZTGMZTGMZTGMZTG&\
             issuer=Acme%20%26%20S%C3%B6hne&algorithm=SHA1&digits=6&period=30"
        );
        let uri = made("ann", Hash::Sha256, Digits::Eight).uri("A");
        assert!(uri.expose().ends_with("&issuer=A&algorithm=SHA256&digits=8&period=30"));
        assert_eq!(
            made("ann", Hash::Sha1, Digits::Six).typed().expose(),
            "MZTG MZTG MZTG MZTG MZTG MZTG MZTG MZTG"
        );
    }

    #[test]
    fn neither_more_nor_less_than_is_needed() {
        for (hash, secret, seed, is_whole) in [
            (Hash::Sha1, 20, 16, true),
            (Hash::Sha256, 32, 16, true),
            (Hash::Sha512, 64, 16, true),
            (Hash::Sha1, 16, 16, false),
            (Hash::Sha1, 21, 16, false),
            (Hash::Sha1, 20, 15, false),
            (Hash::Sha1, 0, 36, false),
        ] {
            let made = Made::new("ann", hash, Digits::Six, &vec![1; secret], &vec![2; seed]);
            assert_eq!(made.is_some(), is_whole, "{hash:?} {secret} {seed}");
        }
    }

    #[test]
    fn debug_does_not_leak() {
        let made = Made::new("ann", Hash::Sha1, Digits::Six, &[b'f'; 20], &[b's'; 16]).expect("whole");
        let shown = format!("{made:?} {:?}", made.enrolment());
        assert!(!shown.contains("102") && !shown.contains("115"), "{shown}");
    }
}
