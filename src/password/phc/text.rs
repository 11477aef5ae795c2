//! Pieces of PHC strings: numbers with one spelling, Base64 with one spelling.

use super::Unusable;
use crate::secret::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// A decimal number with one spelling: digits, no sign, no leading zero.
pub(super) fn number(text: &str) -> Option<u32> {
    let one_spelling = text == "0" || !text.starts_with('0');
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    if one_spelling && digits { text.parse().ok() } else { None }
}

/// The number in `name=…`.
pub(super) fn parameter(text: &str, name: &str) -> Option<u32> {
    number(text.strip_prefix(name)?.strip_prefix('=')?)
}

/// RFC 4648 §4 without padding; trailing bits must be zero, so that a value has one spelling.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    STANDARD_NO_PAD.decode(text).ok()
}

/// The text of `bytes`, as [`base64`] reads it.
pub(super) fn to_base64(bytes: &[u8]) -> String {
    STANDARD_NO_PAD.encode(bytes)
}

/// A salt of 8 to 64 octets (RFC 9106 §3.1 and RFC 8018 §4.1 want 8 at least, both recommend 16).
pub(super) fn salt(bytes: Option<Vec<u8>>) -> Result<Secret<Vec<u8>>, Unusable> {
    sized(
        bytes,
        8,
        "a salt that is no Base64 of 8 to 64 octets",
        "a salt of 16 octets, in Base64 without padding",
    )
}

/// A hash of 16 to 64 octets: 128 bits at least.
pub(super) fn digest(bytes: Option<Vec<u8>>) -> Result<Secret<Vec<u8>>, Unusable> {
    sized(
        bytes,
        16,
        "a hash that is no Base64 of 16 to 64 octets",
        "a hash of 32 octets, in Base64 without padding",
    )
}

fn sized(
    bytes: Option<Vec<u8>>,
    least: usize,
    found: &str,
    expected: &'static str,
) -> Result<Secret<Vec<u8>>, Unusable> {
    match bytes.map(Secret::new) {
        Some(bytes) if (least..=64).contains(&bytes.expose().len()) => Ok(bytes),
        _ => Err(Unusable::new(found, expected)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_have_one_spelling() {
        assert_eq!(number("0"), Some(0));
        assert_eq!(number("4294967295"), Some(u32::MAX));
        for bad in ["", "00", "01", "+1", "-1", " 1", "1 ", "1e3", "4294967296", "٣"] {
            assert_eq!(number(bad), None, "{bad}");
        }
        assert_eq!(parameter("m=19456", "m"), Some(19_456));
        for bad in ["m", "m=", "t=1", "mm=1", "=1"] {
            assert_eq!(parameter(bad, "m"), None, "{bad}");
        }
    }

    #[test]
    fn base64_has_one_spelling() {
        assert_eq!(base64("Zg").as_deref(), Some(&b"f"[..]));
        for bad in ["Zh", "Zg==", "Zg=", "Z", "Zg ", "Z-", "Z_", "é"] {
            assert_eq!(base64(bad), None, "{bad}");
        }
    }

    #[test]
    fn lengths_are_bounded() {
        for (length, as_salt, as_digest) in [
            (0, false, false),
            (7, false, false),
            (8, true, false),
            (16, true, true),
            (64, true, true),
            (65, false, false),
        ] {
            assert_eq!(salt(Some(vec![0; length])).is_ok(), as_salt, "{length}");
            assert_eq!(digest(Some(vec![0; length])).is_ok(), as_digest, "{length}");
        }
        assert!(salt(None).is_err() && digest(None).is_err());
    }

    proptest! {
        #[test]
        fn base64_round_trips(bytes: Vec<u8>) {
            prop_assert_eq!(base64(&to_base64(&bytes)), Some(bytes));
        }
    }
}
