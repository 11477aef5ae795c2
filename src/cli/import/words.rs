//! Text that is cut into words: quotation marks and backslashes.

/// The words of a line, as Apache and a shell cut it: white space between them; `"…"` and `'…'` hold it, with `\` before
/// a quotation mark. `None` where a quotation mark is not closed.
pub fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = match first {
            '"' | '\'' => quoted(rest, first)?,
            _ => plain(rest),
        };
        words.push(word);
        rest = after.trim_start();
    }
    Some(words)
}

/// The words of a line as a shell cuts it: quotation marks may begin within a word.
pub fn shell_words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let mut word = String::new();
        while let Some(c) = rest.chars().next().filter(|c| !c.is_whitespace()) {
            if matches!(c, '"' | '\'') {
                let (part, after) = quoted(rest, c)?;
                word.push_str(&part);
                rest = after;
            } else {
                word.push(c);
                rest = rest.get(c.len_utf8()..)?;
            }
        }
        words.push(word);
        rest = rest.trim_start();
    }
    Some(words)
}

fn plain(text: &str) -> (String, &str) {
    let (word, rest) = text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()));
    (word.to_owned(), rest)
}

fn quoted(text: &str, mark: char) -> Option<(String, &str)> {
    let mut word = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' if chars.peek().is_some_and(|(_, next)| *next == mark || *next == '\\') => {
                word.extend(chars.next().map(|(_, next)| next));
            }
            _ if c == mark => return Some((word, text.get(at + 1..)?)),
            _ => word.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cuts() {
        let cut = |line: &str| words(line).map(|words| words.join("|"));
        assert_eq!(cut("AuthName \"a b\"\t'c d' e").as_deref(), Some("AuthName|a b|c d|e"));
        assert_eq!(cut(r#"x "a \" b" "c\\""#).as_deref(), Some(r#"x|a " b|c\"#));
        assert_eq!(cut("  ").as_deref(), Some(""));
        assert_eq!(cut("AuthName \"open"), None);
    }

    #[test]
    fn cuts_as_a_shell() {
        let cut = |line: &str| shell_words(line).map(|words| words.join("|"));
        assert_eq!(cut("--a='b c' --d=\"e\"f 'g'").as_deref(), Some("--a=b c|--d=ef|g"));
        assert_eq!(cut("--a='open"), None);
        assert_eq!(cut("").as_deref(), Some(""));
    }

    proptest! {
        #[test]
        fn never_panics(line in "([\"'\\\\ \ta]|\\PC){0,30}") {
            let _ = words(&line);
            let _ = shell_words(&line);
        }
    }
}
