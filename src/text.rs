//! Finding a mark in a text, in less code than the standard library's search, which is made for long texts.

/// Where `mark` stands first.
#[must_use]
pub fn find(text: &str, mark: &str) -> Option<usize> {
    places(text, mark).next()
}

/// Whether `mark` stands in it.
#[must_use]
pub fn has(text: &str, mark: &str) -> bool {
    find(text, mark).is_some()
}

/// What stands before and behind the first `mark`.
#[must_use]
pub fn cut<'t>(text: &'t str, mark: &str) -> Option<(&'t str, &'t str)> {
    around(text, find(text, mark)?, mark)
}

/// What stands before and behind the last `mark`.
#[must_use]
pub fn cut_last<'t>(text: &'t str, mark: &str) -> Option<(&'t str, &'t str)> {
    around(text, places(text, mark).next_back()?, mark)
}

/// What stands before the first octet `mark`, which is ASCII, and behind it: quicker than [`str::split_once`] on short texts.
#[must_use]
pub fn parted(text: &str, mark: u8) -> (&str, Option<&str>) {
    match text.bytes().position(|octet| octet == mark) {
        Some(at) => (text.get(..at).unwrap_or_default(), text.get(at + 1..)),
        None => (text, None),
    }
}

/// The text up to a place, and the rest; all of it and nothing, where no character begins at that place.
#[must_use]
pub fn split(text: &str, at: usize) -> (&str, &str) {
    text.split_at_checked(at).unwrap_or((text, ""))
}

/// The text with `new` in the place of every `old`.
#[must_use]
pub fn replaced(text: &str, old: &str, new: &str) -> String {
    let (mut rest, mut done) = (text, String::with_capacity(text.len()));
    while let Some((before, behind)) = cut(rest, old) {
        done.push_str(before);
        done.push_str(new);
        rest = behind;
    }
    done + rest
}

/// Where `mark` stands.
pub fn places(text: &str, mark: &str) -> impl DoubleEndedIterator<Item = usize> {
    let windows = text.as_bytes().windows(mark.len().max(1)).enumerate();
    windows.filter(|(_, octets)| *octets == mark.as_bytes()).map(|(at, _)| at)
}

fn around<'t>(text: &'t str, at: usize, mark: &str) -> Option<(&'t str, &'t str)> {
    Some((text.get(..at)?, text.get(at + mark.len()..)?))
}

/// Octets in hexadecimal, in lower case.
#[must_use]
pub fn hex(octets: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |value: u8| DIGITS.get(usize::from(value & 15)).copied().unwrap_or('0');
    octets.iter().flat_map(|octet| [digit(octet >> 4), digit(*octet)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn is_like_the_standard_library(text in "[ab\u{e9}]{0,12}", mark in "[ab\u{e9}]{1,3}", new in "[ab]{0,3}") {
            prop_assert_eq!(find(&text, &mark), text.find(&mark));
            prop_assert_eq!(has(&text, &mark), text.contains(&mark));
            prop_assert_eq!(cut(&text, &mark), text.split_once(&mark));
            prop_assert_eq!(cut_last(&text, &mark), text.rsplit_once(&mark));
            let (before, behind) = parted(&text, b'a');
            prop_assert_eq!(behind.map(|it| (before, it)), text.split_once('a'));
            prop_assert!(behind.is_some() || before == text);
            prop_assert_eq!(replaced(&text, &mark, &new), text.replace(&mark, &new));
        }

        #[test]
        fn splits_where_a_character_begins(text in "[ab\u{e9}]{0,12}", at in 0..30_usize) {
            let (before, behind) = split(&text, at);
            prop_assert_eq!([before, behind].concat(), &*text);
            prop_assert_eq!(before.len() == at, text.is_char_boundary(at));
        }
    }
}
