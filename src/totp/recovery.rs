//! Recovery codes: ten for each user who has a second factor, each good once, for when the device is not at hand.
//!
//! A code is ten characters of Crockford's base32, `7Q4M9-XK2TD`: 50 bits of HMAC-SHA-256 over its index, keyed from
//! the octets that are sealed beside the user's secret. So none is stored anywhere; the ledger knows which were used.

use super::code::is_between;
use crate::secret::Secret;
use crate::token::mac::{MacKey, Purpose};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

/// How many codes there are.
pub const COUNT: u8 = 10;

/// Characters of a code.
pub const LENGTH: usize = 10;

/// Crockford's base32: digits and letters without I, L, O and U.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

const PURPOSE: Purpose = Purpose("edgeward/totp/recovery/v1");

/// The characters of the code of that index.
fn code(seed: &MacKey, index: u8) -> [u8; LENGTH] {
    let tag = seed.tag_for(&PURPOSE, &[&[index]]);
    let mut code = [0; LENGTH];
    for (character, octet) in code.iter_mut().zip(tag.as_bytes()) {
        *character = ALPHABET.get(usize::from(octet & 31)).copied().unwrap_or_default();
    }
    code
}

/// The code of that index as people get it: two groups of five.
pub(super) fn written(seed: &MacKey, index: u8) -> Secret<String> {
    let code = code(seed, index);
    let (first, second) = code.split_at(LENGTH / 2);
    let characters = first.iter().chain(b"-").chain(second);
    Secret::new(characters.copied().map(char::from).collect())
}

/// The index of the code that was typed; `None` where it is none of them. All ten are compared, in constant time.
pub(super) fn index_of(seed: &MacKey, typed: &str) -> Option<u8> {
    let typed = read(typed)?;
    let (mut found, mut is_one) = (0, Choice::from(0));
    for index in 0..COUNT {
        let is_it = code(seed, index).ct_eq(&typed);
        found.conditional_assign(&index, is_it);
        is_one |= is_it;
    }
    bool::from(is_one).then_some(found)
}

/// Whether what was typed may be a recovery code: no code of an app has so many characters.
#[must_use]
pub fn has_form(typed: &str) -> bool {
    read(typed).is_some()
}

/// What was typed as characters of the alphabet: case does not matter, nor do dashes and white space; I and L are read as 1,
/// O as 0. `None` for what no code can be.
fn read(typed: &str) -> Option<[u8; LENGTH]> {
    let mut characters = typed.chars().filter(|c| !is_between(*c));
    let mut code = [0; LENGTH];
    for place in &mut code {
        *place = character(characters.next()?)?;
    }
    characters.next().is_none().then_some(code)
}

fn character(c: char) -> Option<u8> {
    let character = match u8::try_from(c).ok()?.to_ascii_uppercase() {
        b'I' | b'L' => b'1',
        b'O' => b'0',
        character => character,
    };
    ALPHABET.contains(&character).then_some(character)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::HmacAlgorithm;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn seed(byte: u8) -> MacKey {
        MacKey::new(HmacAlgorithm::Hs256, &[byte; 16])
    }

    #[test]
    fn ten_that_differ_and_are_read() {
        let codes: BTreeSet<String> = (0..COUNT).map(|at| written(&seed(1), at).expose().clone()).collect();
        assert_eq!(codes.len(), 10);
        for index in 0..COUNT {
            let code = written(&seed(1), index);
            assert_eq!((code.expose().len(), &code.expose()[5..6]), (11, "-"));
            assert_eq!(index_of(&seed(1), code.expose()), Some(index));
            assert_eq!(index_of(&seed(2), code.expose()), None, "somebody else's");
        }
        assert_eq!(index_of(&seed(1), written(&seed(1), COUNT).expose()), None, "there is no eleventh");
    }

    #[test]
    fn as_people_type_them() {
        for typed in
            ["1o0il-ABCDE", "10011abcde", " 1 0 0 1 1\u{a0}A B C D E\n", "IOOL1\u{2013}abcde", "1OO1l ABC-DE"]
        {
            assert_eq!(read(typed).as_ref(), Some(b"10011ABCDE"), "{typed:?}");
        }
        for typed in
            ["", "10011", "10011-ABCD", "10011-ABCDEF", "10011-ABCDU", "10011-ABCD\u{e9}", "10011-ABCD_"]
        {
            assert_eq!(read(typed), None, "{typed:?}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(typed in "\\PC{0,20}") {
            let _ = read(&typed);
            prop_assert_eq!(index_of(&seed(1), &typed), None);
        }

        #[test]
        fn another_character_is_another_code(index in 0..COUNT, at in 0..LENGTH, to in 0..32_usize) {
            let mut code = read(written(&seed(1), index).expose()).expect("a code");
            let is_same = code[at] == ALPHABET[to];
            code[at] = ALPHABET[to];
            let typed = String::from_utf8(code.to_vec()).expect("ASCII").to_lowercase();
            prop_assert_eq!(index_of(&seed(1), &typed).is_some(), is_same);
        }
    }
}
