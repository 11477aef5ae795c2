//! Strict decoding: one spelling for each value, so that a token cannot be changed and stay good.

use crate::time::UnixTime;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// Lower-case hexadecimal digits, two for each octet.
#[must_use]
pub fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |octet: &u8| match octet {
        b'0'..=b'9' => Some(octet - b'0'),
        b'a'..=b'f' => Some(octet - b'a' + 10),
        _ => None,
    };
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

/// Standard base64 with padding (RFC 4648 §4); unused bits must be zero.
#[must_use]
pub fn base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// base64url with padding (RFC 4648 §5).
#[must_use]
pub fn base64url_padded(text: &str) -> Option<Vec<u8>> {
    URL_SAFE.decode(text).ok()
}

/// base64url without padding.
pub use crate::token::from_base64url as base64url;

/// Unix seconds in decimal digits: no sign, no leading zero, no exponent, at most eleven of them.
#[must_use]
pub fn seconds(text: &str) -> Option<UnixTime> {
    let plain = !text.is_empty() && text.len() <= 11 && text.bytes().all(|b| b.is_ascii_digit());
    let canonical = text == "0" || !text.starts_with('0');
    let seconds = text.parse().ok().filter(|_| plain && canonical)?;
    Some(UnixTime::from_seconds(seconds))
}

/// Whether a path, or a part of it or of a query, is spelled as RFC 3986 §6.2.2 normalises it: every `%` begins two
/// hexadecimal digits in upper case that stand for an octet that is not unreserved, and raw is only what may be raw in
/// a path (§3.3).
#[must_use]
pub fn is_normal(text: &str) -> bool {
    let raw = |octet: u8| is_unreserved(octet) || b"!$&'()*+,;=:@/%".contains(&octet);
    let escape = |part: &str| part.get(..2).and_then(escaped);
    text.bytes().all(raw)
        && text.split('%').skip(1).all(|part| escape(part).is_some_and(|octet| !is_unreserved(octet)))
}

/// Letters, digits, `-`, `.`, `_`, `~` (RFC 3986 §2.3).
#[must_use]
pub const fn is_unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~')
}

fn escaped(digits: &str) -> Option<u8> {
    let upper = digits.bytes().all(|octet| matches!(octet, b'0'..=b'9' | b'A'..=b'F'));
    upper.then(|| u8::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_of_an_escape() {
        for good in ["", "/a%20b", "%2F", "%C3%A9", "/~x-._", "%25", "/%40/@"] {
            assert!(is_normal(good), "{good}");
        }
        for bad in [
            "%2f", "%7E", "%7e", "%41", "%", "%2", "%zz", "%+1", "é", "a b", "a\0", "%é", "a|b", "a?", "[",
            "\\",
        ] {
            assert!(!is_normal(bad), "{bad}");
        }
    }

    #[test]
    fn one_spelling_each() {
        assert_eq!(hex("00ff"), Some(vec![0, 255]));
        for bad in ["0", "0F", "FF", "0x", "+1", "é"] {
            assert_eq!(hex(bad), None, "{bad}");
        }
        assert_eq!(base64("/+8="), Some(vec![255, 239]));
        for bad in ["/+8", "/+9=", "_-8=", "/+8= ", "/+8=="] {
            assert_eq!(base64(bad), None, "{bad}");
        }
        assert_eq!(base64url_padded("_-8="), Some(vec![255, 239]));
        assert_eq!(base64url_padded("_-8"), None);
        assert_eq!(seconds("1700000000"), Some(UnixTime::from_seconds(1_700_000_000)));
        for bad in ["", "+12", "-1", "012", "1e9", " 1", "1.0", "999999999999", "１"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }
}
