//! "Did you mean …?"

use crate::text;

/// Longer names are not compared: nobody misspells a key by that much.
const LONGEST: usize = 40;

/// The one of `known` that `written` is most likely a misspelling of: at most a third of it may differ.
pub fn nearest<'k>(written: &str, known: &[&'k str]) -> Option<&'k str> {
    if written.len() > LONGEST {
        return None;
    }
    let written = fold(written);
    let allowed = written.len().div_ceil(3).clamp(1, 3);
    let by_distance = known.iter().map(|name| (distance(&written, &fold(name)), *name));
    by_distance.filter(|(distance, _)| *distance <= allowed).min().map(|(_, name)| name)
}

/// Case and the choice between `-` and `_` are no difference.
fn fold(name: &str) -> String {
    text::replaced(&name.to_ascii_lowercase(), "-", "_")
}

/// How many octets must be put in, taken out or exchanged to turn one into the other (Levenshtein), row by row.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let (mut diagonal, mut left) = (i, i + 1);
        for (cell, y) in row.iter_mut().skip(1).zip(b.bytes()) {
            left = (diagonal + usize::from(x != y)).min(*cell + 1).min(left + 1);
            diagonal = core::mem::replace(cell, left);
        }
    }
    if b.is_empty() { a.len() } else { row.last().copied().unwrap_or(a.len()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn distances() {
        for (a, b, n) in
            [("", "", 0), ("a", "", 1), ("", "ab", 2), ("kitten", "sitting", 3), ("acess", "access", 1)]
        {
            assert_eq!(distance(a, b), n, "{a} {b}");
        }
    }

    #[test]
    fn suggestions() {
        let known = ["accept", "access", "methods", "not_before", "path"];
        for (written, meant) in [
            ("acess", Some("access")),
            ("method", Some("methods")),
            ("Not-Before", Some("not_before")),
            ("PATH", Some("path")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(written, &known), meant, "{written}");
        }
        assert_eq!(nearest(&"path".repeat(100), &known), None);
    }

    proptest! {
        #[test]
        fn is_a_metric(a in ".{0,12}", b in ".{0,12}") {
            prop_assert_eq!(distance(&a, &b), distance(&b, &a));
            prop_assert_eq!(distance(&a, &b) == 0, a == b);
        }
    }
}
