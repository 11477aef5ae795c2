//! Texts with blanks: `{brand}`, `{when}`, `{n}`.

/// `text` with its blanks filled; a blank that is not named stays.
#[must_use]
pub fn fill(text: &str, blanks: &[(&str, &str)]) -> String {
    let mut filled = String::new();
    for part in parts(text) {
        match part {
            Part::Words(words) => filled.push_str(words),
            Part::Blank(name) => match blanks.iter().find(|(blank, _)| *blank == name) {
                Some((_, value)) => filled.push_str(value),
                None => filled.extend(["{", name, "}"]),
            },
        }
    }
    filled
}

/// A piece of a text with blanks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'t> {
    /// Words.
    Words(&'t str),
    /// The name of a blank.
    Blank(&'t str),
}

/// The pieces of a text with blanks.
#[must_use]
pub fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        parts.extend([Part::Words(before), Part::Blank(name)]);
        rest = after;
    }
    parts.push(Part::Words(rest));
    parts.retain(|part| *part != Part::Words(""));
    parts
}

/// The names of the blanks of a text, in the order in which they stand.
pub fn blanks(text: &str) -> impl Iterator<Item = &str> {
    parts(text).into_iter().filter_map(|part| match part {
        Part::Blank(name) => Some(name),
        Part::Words(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn blanks_are_filled() {
        assert_eq!(fill("{n} of {m}, {n}{", &[("n", "1"), ("m", "{n}")]), "1 of {n}, 1{");
        assert_eq!(fill("{x}", &[]), "{x}");
        assert_eq!(parts("a{b}"), [Part::Words("a"), Part::Blank("b")]);
        assert_eq!(blanks("{a} b {c}").collect::<Vec<_>>(), ["a", "c"]);
    }

    proptest! {
        #[test]
        fn what_has_a_value_leaves_no_brace(words in "[a-z .]{0,9}", names in "(\\{(n|when|brand)\\}[a-z ]{0,5}){0,6}") {
            let text = words + &names;
            let filled = fill(&text, &[("n", "7"), ("when", "now"), ("brand", "Acme")]);
            prop_assert!(!filled.contains(['{', '}']), "{}", filled);
            prop_assert_eq!(blanks(&text).count(), text.matches('{').count());
        }

        #[test]
        fn nothing_else_is_touched(text in "[^{}]{0,40}", any in "\\PC{0,40}") {
            prop_assert_eq!(fill(&text, &[("n", "7")]), text);
            let _ = fill(&any, &[("n", "7")]);
        }
    }
}
