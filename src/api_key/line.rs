//! One line: taken apart, and written.

use super::fault::{Fault, LONGEST_NAME, MOST_SCOPES};
use super::form::{Form, form};
use sha2::{Digest as _, Sha256};

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line<'t> {
    /// The name.
    pub(super) name: &'t str,
    /// SHA-256 of the key.
    pub(super) digest: [u8; 32],
    /// The scopes with commas between them; empty where there are none.
    pub(super) scopes: &'t str,
}

/// The line of a key, without a line end: what [`super::ApiKeys::parse`] reads, if name and scopes can stand in one.
#[must_use]
pub fn line(name: &str, digest: &[u8; 32], scopes: &[&str]) -> String {
    let mut line = format!("{name}:");
    for octet in digest {
        line.extend([octet >> 4, octet & 15].into_iter().filter_map(|it| char::from_digit(it.into(), 16)));
    }
    if !scopes.is_empty() {
        line.push(':');
        line.push_str(&scopes.join(","));
    }
    line
}

/// Takes a line apart that is not blank.
pub(super) fn parse(line: &str) -> Result<Line<'_>, Fault<'_>> {
    // Scopes may hold colons (`files:read`): the first two split.
    let (name, rest) = split(line);
    let (digest, scopes) = rest.map_or(("", None), split);
    if form(name) == Form::Ours || form(digest) == Form::Ours {
        return Err(Fault::Exposed);
    }
    if rest.is_none() {
        return Err(Fault::Form);
    }
    let digest = from_hex(digest).ok_or(Fault::Digest)?;
    if let Some(found) = name_fault(name) {
        return Err(Fault::Name(found));
    }
    if of_nothing(&digest) {
        return Err(Fault::OfNothing);
    }
    if let Some(found) = scopes.and_then(scopes_fault) {
        return Err(Fault::Scopes(name, found));
    }
    Ok(Line { name, digest, scopes: scopes.unwrap_or_default() })
}

/// What stands before the first colon, and behind it.
fn split(text: &str) -> (&str, Option<&str>) {
    // Measured: `split_once` is built for texts longer than these, and takes twice as long.
    match text.bytes().position(|octet| octet == b':') {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
        None => (text, None),
    }
}

/// Exactly 64 digits, in either case.
fn from_hex(text: &str) -> Option<[u8; 32]> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let pairs: &[[u8; 2]; 32] = pairs.try_into().ok().filter(|_| rest.is_empty())?;
    let (mut digest, mut wrong) = ([0; 32], 0);
    for (octet, [high, low]) in digest.iter_mut().zip(pairs) {
        let (high, low) = (hex_value(*high), hex_value(*low));
        wrong |= high | low;
        *octet = high << 4 | low & 15;
    }
    (wrong < 16).then_some(digest)
}

/// Not below 16 for what is no digit. Inlined, as it runs 640,000 times for ten thousand lines.
#[inline(always)]
const fn hex_value(digit: u8) -> u8 {
    let (number, letter) = (digit.wrapping_sub(b'0'), (digit | 0x20).wrapping_sub(b'a'));
    if number < 10 {
        number
    } else if letter < 6 {
        letter + 10
    } else {
        u8::MAX
    }
}

/// Why that cannot be a name. It goes into logs and to the origin, so nothing may stand there that is or opens a key.
fn name_fault(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("an empty name")
    } else if name.len() > LONGEST_NAME {
        Some("a name of more than 256 octets")
    } else if form(name) == Form::Mistyped {
        Some("a name that begins with ew_, as keys do")
    } else if from_hex(name).is_some() {
        Some("a SHA-256 for a name (not shown)")
    } else if name.bytes().all(|octet| octet.is_ascii_graphic()) {
        None // most names, and soon told
    } else if name.chars().any(char::is_control) {
        Some("a control character in a name")
    } else if name.trim() != name {
        Some("white space at an end of a name")
    } else {
        None
    }
}

/// SHA-256 of an empty text, and of the line end that `echo "$UNSET" | sha256sum` hashes.
fn of_nothing(digest: &[u8; 32]) -> bool {
    // The one octet is compared first: hashing for each of ten thousand lines would be most of the work.
    let is = |first: u8, text: &str| digest.first() == Some(&first) && Sha256::digest(text)[..] == digest[..];
    is(0xE3, "") || is(0x01, "\n")
}

fn scopes_fault(scopes: &str) -> Option<&'static str> {
    for (index, scope) in scopes.split(',').enumerate() {
        if index == MOST_SCOPES {
            return Some("more than 64 scopes");
        }
        if scope.is_empty() {
            return Some("an empty scope");
        }
        if !scope.bytes().all(is_scope_octet) {
            return Some("a scope with a character that none may have");
        }
        if scopes.split(',').take(index).any(|known| known == scope) {
            return Some("a scope twice");
        }
    }
    None
}

/// `scope-token` of RFC 6749 §3.3: `%x21 / %x23-5B / %x5D-7E`.
const fn is_scope_octet(octet: u8) -> bool {
    matches!(octet, 0x21 | 0x23..=0x5B | 0x5D..=0x7E)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_key::{digest, made};
    use proptest::prelude::*;

    /// SHA-256 of "abc" (FIPS 180-2, B.1).
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_line_and_its_parts() {
        for (text, name, scopes) in [
            (format!("ci:{ABC}"), "ci", ""),
            (format!("ci:{}", ABC.to_uppercase()), "ci", ""),
            (format!("ci:{ABC}:read"), "ci", "read"),
            (format!("ci:{ABC}:files:read,a!b"), "ci", "files:read,a!b"),
            (format!("the \u{e9} server:{ABC}"), "the \u{e9} server", ""),
        ] {
            let line = parse(&text).unwrap();
            assert_eq!((line.name, line.scopes, line.digest), (name, scopes, digest("abc")), "{text}");
        }
        assert_eq!(line("ci", &digest("abc"), &[]), format!("ci:{ABC}"));
        assert_eq!(line("ci", &digest("abc"), &["a", "b:c"]), format!("ci:{ABC}:a,b:c"));
    }

    #[test]
    fn digests() {
        for (text, fault) in [
            ("", Fault::Digest),
            (&ABC[1..], Fault::Digest),
            (&format!("{ABC}0"), Fault::Digest),
            (&format!("{}g", &ABC[1..]), Fault::Digest),
            (&format!(" {}", &ABC[1..]), Fault::Digest),
            (&format!("{}\u{e9}", &ABC[2..]), Fault::Digest),
            (&format!("0x{}", &ABC[2..]), Fault::Digest),
            ("ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=", Fault::Digest),
            ("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", Fault::OfNothing),
            ("01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b", Fault::OfNothing),
            (made(&[9; 32]).expose(), Fault::Exposed),
        ] {
            assert_eq!(parse(&format!("ci:{text}")), Err(fault), "{text}");
        }
        assert_eq!(parse(&format!("build:2:{ABC}")), Err(Fault::Digest), "the first colon splits");
        assert_eq!(parse("ci"), Err(Fault::Form));
        assert_eq!(parse(made(&[9; 32]).expose()), Err(Fault::Exposed));
        assert_eq!(parse(&format!("{}:{ABC}", made(&[9; 32]).expose())), Err(Fault::Exposed));
    }

    #[test]
    fn names() {
        let longest = "x".repeat(LONGEST_NAME);
        for name in ["a", "CI 2", "\u{fc}", "ew", "ew-1", "ann@acme.example", "!", "-x", &ABC[1..], &longest]
        {
            assert_eq!(parse(&format!("{name}:{ABC}")).map(|line| line.name), Ok(name));
        }
        for name in [
            "",
            " a",
            "a\tb",
            "a\u{0}",
            "a\u{85}b",
            "\u{a0}a",
            "a ",
            "ew_1",
            "ew_",
            ABC,
            &format!("{longest}x"),
        ] {
            let text = format!("{name}:{ABC}");
            let fault = parse(&text);
            assert!(matches!(fault, Err(Fault::Name(_))), "{name:?}: {fault:?}");
        }
    }

    #[test]
    fn scopes() {
        let many = (0..65).map(|number| number.to_string()).collect::<Vec<_>>();
        for scopes in ["a", "a,A", "a:b", "!#[]~", &many[1..].join(",")] {
            assert_eq!(parse(&format!("ci:{ABC}:{scopes}")).map(|line| line.scopes), Ok(scopes));
        }
        for scopes in [
            "",
            ",",
            "a,",
            ",a",
            "a,,b",
            "a, b",
            "a b",
            "a\"",
            "a\\",
            "\u{e9}",
            "a\u{7f}",
            "a,b,a",
            &many.join(","),
        ] {
            let text = format!("ci:{ABC}:{scopes}");
            let fault = parse(&text);
            assert!(matches!(fault, Err(Fault::Scopes("ci", _))), "{scopes:?}: {fault:?}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(line in "\\PC{0,80}", tail in "[:,a-f0-9 ]{0,80}") {
            let _ = parse(&line);
            let _ = parse(&tail);
            let _ = parse(&format!("ci:{ABC}{tail}"));
        }

        #[test]
        fn any_digest_is_read_back(digest: [u8; 32]) {
            let text = line("ci", &digest, &[]);
            prop_assert_eq!(parse(&text).map(|line| line.digest), Ok(digest));
        }
    }
}
