//! Sealing: what only we can read, and nobody can change.
//!
//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03 §2.3) with keys derived from `EDGEWARD_SECRET`: its nonces of 24 octets may be
//! drawn at random. What is sealed is bound to its purpose (the key) and to its surroundings (the associated data): a
//! session is no hand-over, and one of this host is none of another. The first secret seals, all open.
//!
//! The text is `base64url(nonce ‖ ciphertext ‖ tag)`.

use crate::secret::Secret;
use crate::token::mac::{Purpose, RootSecret};
use crate::token::{from_base64url, to_base64url};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use core::fmt;

/// Octets of a nonce.
pub const NONCE_SIZE: usize = 24;

/// The keys for one purpose.
#[derive(Clone)]
pub struct Sealer {
    purpose: Purpose,
    ciphers: Vec<XChaCha20Poly1305>,
}

/// Says what it is for, never its keys.
impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealer({}, [redacted])", self.purpose.0)
    }
}

impl Sealer {
    /// Derives the keys: one for each secret.
    #[must_use]
    pub fn new(root: &RootSecret, purpose: Purpose) -> Self {
        let keys = root.derive(&[purpose.0.as_bytes()]);
        Self {
            purpose,
            ciphers: keys.iter().map(|key| XChaCha20Poly1305::new(key.expose().into())).collect(),
        }
    }

    /// Seals `content` for these surroundings. `nonce`: drawn at random for this one text.
    #[must_use]
    pub fn seal(&self, nonce: [u8; NONCE_SIZE], around: &[&[u8]], content: &[u8]) -> Option<String> {
        let aad = self.purpose.input(around);
        let payload = Payload { msg: content, aad: &aad };
        let sealed = self.ciphers.first()?.encrypt(&XNonce::from(nonce), payload).ok()?;
        Some(to_base64url(&[&nonce[..], &sealed].concat()))
    }

    /// What was sealed for these surroundings; `None` where it was not by us, not for this, or was changed.
    #[must_use]
    pub fn open(&self, around: &[&[u8]], text: &str) -> Option<Secret<Vec<u8>>> {
        let octets = from_base64url(text)?;
        let (nonce, sealed) = octets.split_first_chunk::<NONCE_SIZE>()?;
        let (nonce, aad) = (XNonce::from(*nonce), self.purpose.input(around));
        let open =
            |cipher: &XChaCha20Poly1305| cipher.decrypt(&nonce, Payload { msg: sealed, aad: &aad }).ok();
        self.ciphers.iter().find_map(open).map(Secret::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PURPOSE: Purpose = Purpose("edgeward/test/v1");

    fn sealer(secrets: &[u8], purpose: Purpose) -> Sealer {
        let text: Vec<String> = secrets.iter().map(|byte| to_base64url(&[*byte; 32])).collect();
        Sealer::new(&RootSecret::parse(&text.join(" ")).expect("good secrets"), purpose)
    }

    #[test]
    fn only_for_its_purpose_and_surroundings() {
        let one = sealer(&[1], PURPOSE);
        let text = one.seal([9; 24], &[b"host", b"x"], b"content").expect("sealed");
        let opened =
            |sealer: &Sealer, around: &[&[u8]]| sealer.open(around, &text).map(|it| it.expose().clone());
        assert_eq!(opened(&one, &[b"host", b"x"]).as_deref(), Some(&b"content"[..]));
        assert_eq!(opened(&one, &[b"hos", b"tx"]), None);
        assert_eq!(opened(&one, &[b"host"]), None);
        assert_eq!(opened(&sealer(&[1], Purpose("edgeward/other/v1")), &[b"host", b"x"]), None);
        assert_eq!(opened(&sealer(&[2], PURPOSE), &[b"host", b"x"]), None);
        assert!(opened(&sealer(&[2, 1], PURPOSE), &[b"host", b"x"]).is_some(), "every secret opens");
        assert_eq!(format!("{one:?}"), "Sealer(edgeward/test/v1, [redacted])");
    }

    proptest! {
        #[test]
        fn one_changed_octet_opens_nothing(content in proptest::collection::vec(any::<u8>(), 0..80), at in any::<prop::sample::Index>(), bit in 0..8u8) {
            let sealer = sealer(&[1], PURPOSE);
            let text = sealer.seal([3; 24], &[], &content).expect("sealed");
            let mut octets = from_base64url(&text).expect("base64url");
            let at = at.index(octets.len());
            octets[at] ^= 1 << bit;
            prop_assert!(sealer.open(&[], &to_base64url(&octets)).is_none());
            let opened = sealer.open(&[], &text).expect("opened");
            prop_assert_eq!(opened.expose(), &content);
        }

        #[test]
        fn never_panics(text in "\\PC{0,80}") {
            prop_assert!(sealer(&[1], PURPOSE).open(&[], &text).is_none());
        }
    }
}
