//! HMAC-SHA-256 over fields that cannot run into each other.
//!
//! The input is the purpose and then the fields, each after its length in 8 octets, most significant first: no
//! two lists of fields give the same input, and a tag made for one purpose means nothing for another.

use core::fmt;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Octets of a tag.
pub const TAG_SIZE: usize = 32;

/// A key and a purpose, taken in once: each tag starts from a copy of the prepared state (RFC 2104 §4).
#[derive(Clone)]
pub struct Tagger(Hmac<Sha256>);

impl Tagger {
    /// Prepares `key` for `purpose`.
    #[must_use]
    pub fn new(key: &[u8], purpose: &str) -> Self {
        // RFC 2104 §2: a key of any length will do, so there is no error to meet.
        #[allow(clippy::expect_used)]
        let mac = Hmac::new_from_slice(key).expect("HMAC takes a key of any length");
        let mut tagger = Self(mac);
        tagger.absorb(purpose.as_bytes());
        tagger
    }

    /// The tag of `fields`, in this order.
    #[must_use]
    pub fn tag(&self, fields: &[&[u8]]) -> [u8; TAG_SIZE] {
        let mut state = self.clone();
        for field in fields {
            state.absorb(field);
        }
        state.0.finalize().into_bytes().into()
    }

    fn absorb(&mut self, field: &[u8]) {
        self.0.update(&(field.len() as u64).to_be_bytes());
        self.0.update(field);
    }
}

/// Shows nothing of the key.
impl fmt::Debug for Tagger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tagger([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The construction, spelled out: a tag that a line carries must mean the same in years.
    #[test]
    fn the_input_is_purpose_then_fields_each_after_its_length() {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"key").unwrap();
        mac.update(b"\0\0\0\0\0\0\0\x01p\0\0\0\0\0\0\0\x03ann\0\0\0\0\0\0\0\0");
        let expected: [u8; TAG_SIZE] = mac.finalize().into_bytes().into();
        assert_eq!(Tagger::new(b"key", "p").tag(&[b"ann", b""]), expected);
    }

    #[test]
    fn every_input_has_its_own_tag() {
        let tag = |key: &[u8], purpose, fields: &[&[u8]]| Tagger::new(key, purpose).tag(fields);
        let base = tag(b"key", "p", &[b"ab", b"c"]);
        assert_eq!(base, tag(b"key", "p", &[b"ab", b"c"]));
        for (what, other) in [
            ("the key", tag(b"kez", "p", &[b"ab", b"c"])),
            ("the purpose", tag(b"key", "q", &[b"ab", b"c"])),
            ("where a field ends", tag(b"key", "p", &[b"a", b"bc"])),
            ("how many there are", tag(b"key", "p", &[b"abc"])),
            ("the order", tag(b"key", "p", &[b"c", b"ab"])),
            ("what is purpose", tag(b"key", "pab", &[b"c"])),
        ] {
            assert_ne!(base, other, "{what}");
        }
    }

    #[test]
    fn debug_does_not_leak() {
        assert_eq!(format!("{:?}", Tagger::new(b"hunter2", "p")), "Tagger([redacted])");
    }
}
