//! What a key of ours looks like. The form is that of GitHub's tokens (2021): a prefix, random octets, a checksum.
//!
//! ```text
//! ew_ 003a…43 digits…f 1OYTB1
//!  │          │          └─ CRC-32 (IEEE 802.3) of the 46 octets before it, in base62, 6 digits
//!  │          └──────────── 32 random octets as one number, the first octet the most significant, in base62, 43 digits
//!  └─────────────────────── says whose it is
//! ```
//!
//! 1. base62 has the digits `0-9A-Za-z` in this order, and leading zeros: every key has 52 characters.
//! 2. A double click marks all of it, and no shell, URL or field value changes any of it.
//! 3. CRC-32 notices every change within 32 bits that follow one another: one wrong character, up to four next to one
//!    another, two that changed places. Anything else gets through once in four thousand million times.
//! 4. The checksum is no secret and proves nothing: whether a key is good is for the list to say.

use crate::secret::Secret;
use zeroize::Zeroizing;

/// How a key of ours begins.
const PREFIX: &str = "ew_";
/// Digits of 32 octets: 62⁴³ is just above 2²⁵⁶.
const RANDOM_DIGITS: usize = 43;
/// Digits of four octets: 62⁶ is above 2³².
const CHECK_DIGITS: usize = 6;
/// Octets of a whole key.
const LENGTH: usize = PREFIX.len() + RANDOM_DIGITS + CHECK_DIGITS;

/// What a text looks like, before anything is hashed or looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A key of ours whose checksum fits: worth a look-up.
    Ours,
    /// It begins as ours do, and length or checksum do not fit: no key, so nothing to look up.
    Mistyped,
    /// Anything else: a key that was made elsewhere, perhaps.
    Foreign,
}

/// The key of these random octets: 52 characters.
#[must_use]
pub fn made(octets: &[u8; 32]) -> Secret<String> {
    let mut number = Zeroizing::new(*octets);
    let digits = Zeroizing::new(base62::<RANDOM_DIGITS>(&mut *number));
    let mut key = String::with_capacity(LENGTH);
    key.push_str(PREFIX);
    key.extend(digits.iter().copied().map(char::from));
    let check = check_digits(key.as_bytes());
    key.extend(check.into_iter().map(char::from));
    Secret::new(key)
}

/// What that text looks like. Takes no longer for a long one.
#[must_use]
pub fn form(text: &str) -> Form {
    let octets = text.as_bytes();
    if !octets.starts_with(PREFIX.as_bytes()) {
        return Form::Foreign;
    }
    match octets.split_last_chunk::<CHECK_DIGITS>() {
        Some((start, check))
            if octets.len() == LENGTH && is_base62(octets) && check_digits(start) == *check =>
        {
            Form::Ours
        }
        Some(_) | None => Form::Mistyped,
    }
}

/// Whether all behind the prefix are digits: else a hand-made checksum could make any 52 octets a key.
fn is_base62(key: &[u8]) -> bool {
    key.iter().skip(PREFIX.len()).all(u8::is_ascii_alphanumeric)
}

fn check_digits(start: &[u8]) -> [u8; CHECK_DIGITS] {
    base62(&mut crc32(start).to_be_bytes())
}

/// CRC-32 of IEEE 802.3: polynomial 04C11DB7 reflected, all ones before and after. 46 octets are not worth a table.
fn crc32(octets: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for octet in octets {
        crc ^= u32::from(*octet);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

/// The last `N` digits of a number, which is divided away.
fn base62<const N: usize>(number: &mut [u8]) -> [u8; N] {
    let mut digits = [0; N];
    for place in digits.iter_mut().rev() {
        *place = digit(divided(number));
    }
    digits
}

/// Divides a number by 62 and gives the remainder.
fn divided(number: &mut [u8]) -> u8 {
    let mut rest = 0_u8;
    for octet in number {
        let part = u16::from_be_bytes([rest, *octet]);
        // The remainder before is below 62, so that the quotient fits into the low octet.
        [_, *octet] = (part / 62).to_be_bytes();
        [_, rest] = (part % 62).to_be_bytes();
    }
    rest
}

const fn digit(value: u8) -> u8 {
    match value {
        0..=9 => b'0' + value,
        10..=35 => b'A' + (value - 10),
        _ => b'a' + (value - 36),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// "The quick brown fox": the check values that everyone publishes.
    #[test]
    fn crc32_is_that_of_ieee() {
        for (text, crc) in [
            ("", 0),
            ("123456789", 0xCBF4_3926),
            ("The quick brown fox jumps over the lazy dog", 0x414F_A339),
        ] {
            assert_eq!(crc32(text.as_bytes()), crc, "{text}");
        }
    }

    /// Calculated with Python: `int.from_bytes(…)`, `divmod` by 62, `zlib.crc32`.
    #[test]
    fn keys_of_known_octets() {
        let mut counted = [0; 32];
        counted.iter_mut().zip(0..).for_each(|(octet, number)| *octet = number);
        for (octets, key) in [
            ([0; 32], "ew_00000000000000000000000000000000000000000001mM179"),
            ([255; 32], "ew_yhjskwdA6OZ1AL1YmHWZWm8LLG7HjnuCA2j5rOw8Xp13iCJ3P"),
            (counted, "ew_003aUlTJC7tjlCTQj2uNU3MFagCXG9LRKRcwGkBIDlf1OYTB1"),
        ] {
            assert_eq!(made(&octets).expose(), key);
        }
    }

    #[test]
    fn forms() {
        let key = made(&[7; 32]);
        let key = key.expose().as_str();
        for (text, expected) in [
            (key, Form::Ours),
            ("", Form::Foreign),
            ("ew", Form::Foreign),
            ("ew-", Form::Foreign),
            ("EW_", Form::Foreign),
            ("sk_live_0123456789", Form::Foreign),
            ("ew_", Form::Mistyped),
            ("ew_1", Form::Mistyped),
            (&format!(" {key}"), Form::Foreign),
            (&format!("{key} "), Form::Mistyped),
            (&format!("{key}0"), Form::Mistyped),
            (&key[..51], Form::Mistyped),
            (&format!("ew_{}", "\u{e9}".repeat(24)), Form::Mistyped),
            (&"ew_x".repeat(10_000), Form::Mistyped),
        ] {
            assert_eq!(form(text), expected, "{text}");
        }
    }

    /// The checksum fits, and still it is no key.
    #[test]
    fn only_digits_make_a_key() {
        for filler in ["-", " ", "_", "/"] {
            let start = format!("ew_{}", filler.repeat(43));
            let check = check_digits(start.as_bytes());
            let text = format!("{start}{}", str::from_utf8(&check).unwrap());
            assert_eq!((text.len(), form(&text)), (LENGTH, Form::Mistyped), "{text}");
        }
    }

    /// The digits read back as a number: long multiplication, the other way round.
    fn octets_of(digits: &str) -> Vec<u8> {
        let mut number = vec![0_u8; 32];
        for c in digits.bytes() {
            let mut carry = match c {
                b'0'..=b'9' => u32::from(c - b'0'),
                b'A'..=b'Z' => u32::from(c - b'A') + 10,
                _ => u32::from(c - b'a') + 36,
            };
            for octet in number.iter_mut().rev() {
                carry += u32::from(*octet) * 62;
                *octet = (carry & 0xFF) as u8;
                carry >>= 8;
            }
            assert_eq!(carry, 0, "no more than 256 bits");
        }
        number
    }

    proptest! {
        #[test]
        fn what_is_made_is_ours_and_holds_every_octet(octets: [u8; 32]) {
            let key = made(&octets);
            prop_assert_eq!(form(key.expose()), Form::Ours);
            prop_assert_eq!(key.expose().len(), LENGTH);
            prop_assert_eq!(octets_of(&key.expose()[3..46]), octets);
        }

        #[test]
        fn one_other_character_is_noticed(octets: [u8; 32], at in 0..LENGTH, other in "[ -~]") {
            let mut text = made(&octets).expose().clone();
            prop_assume!(text[at..=at] != other);
            text.replace_range(at..=at, &other);
            prop_assert_eq!(form(&text), if at < 3 { Form::Foreign } else { Form::Mistyped });
        }

        #[test]
        fn slips_of_the_hand_are_noticed(octets: [u8; 32], at in 3..LENGTH - 1, extra in "[0-9A-Za-z]") {
            let key = made(&octets).expose().clone();
            let mut swapped = key.clone().into_bytes();
            swapped.swap(at, at + 1);
            let swapped = String::from_utf8(swapped).unwrap();
            prop_assert_eq!(form(&swapped) == Form::Ours, swapped == key);
            let mut longer = key.clone();
            longer.insert_str(at, &extra);
            prop_assert_eq!(form(&longer), Form::Mistyped);
            let mut shorter = key;
            shorter.remove(at);
            prop_assert_eq!(form(&shorter), Form::Mistyped);
        }

        #[test]
        fn never_panics(text in "(ew_)?\\PC{0,60}") {
            let _ = form(&text);
        }
    }
}
