//! Percent-decoding (RFC 3986 §2.1) of a path, with its segments kept apart.

use super::{INNER_SLASH, PathError};

/// What becomes of a `%` that two hexadecimal digits do not follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stray {
    /// The path is refused: so in what was received.
    Refused,
    /// It stands for itself: so in what was decoded already.
    Kept,
}

/// Decodes every percent-encoded octet once. A `/` that comes of it becomes [`INNER_SLASH`]: it does not split.
///
/// # Errors
/// [`PathError::InvalidPercent`] as `stray` says; [`PathError::NotUtf8`].
pub(crate) fn decode(path: &[u8], stray: Stray) -> Result<Vec<u8>, PathError> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((octet, after)) = rest.split_first() {
        let (octet, after) = match (*octet, encoded_octet(after)) {
            (b'%', Some((encoded, after))) => (kept_apart(encoded)?, after),
            (b'%', None) if stray == Stray::Refused => return Err(PathError::InvalidPercent),
            (octet, _) => (octet, after),
        };
        decoded.push(octet);
        rest = after;
    }
    if is_utf8(&decoded) { Ok(decoded) } else { Err(PathError::NotUtf8) }
}

/// The octet that two hexadecimal digits stand for, and what follows them.
fn encoded_octet(digits: &[u8]) -> Option<(u8, &[u8])> {
    let [high, low, rest @ ..] = digits else { return None };
    Some((hex_digit(*high)? << 4 | hex_digit(*low)?, rest))
}

const fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

const fn kept_apart(octet: u8) -> Result<u8, PathError> {
    match octet {
        b'/' => Ok(INNER_SLASH),
        INNER_SLASH => Err(PathError::NotUtf8),
        other => Ok(other),
    }
}

fn is_utf8(path: &[u8]) -> bool {
    path.split(|octet| *octet == INNER_SLASH).all(|part| core::str::from_utf8(part).is_ok())
}
