//! How a value of the policy is shown in a problem: short, in quotes, on one line.

use crate::json::Json;

/// Characters of a value that are shown; what is beyond is left out.
const SHOWN: usize = 80;

/// The text in quotes, shortened, with whatever could break or forge a line of a log escaped.
pub fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars().take(SHOWN) {
        push_escaped(&mut quoted, c);
    }
    quoted.push_str(if text.chars().nth(SHOWN).is_some() { "…\"" } else { "\"" });
    quoted
}

/// A key of a table: bare where TOML would take it bare, in quotes elsewhere.
pub fn key(name: &str) -> String {
    let bare = !name.is_empty()
        && name.len() <= SHOWN
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if bare { name.to_owned() } else { quote(name) }
}

/// A value, as far as it can be told in a few words.
pub fn value(json: &Json<'_>) -> String {
    match json {
        Json::Text(text) if text.is_empty() => "an empty string".into(),
        Json::Text(text) if may_hold_password(text) => NOT_SHOWN.into(),
        Json::Text(text) => quote(text),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => kind(json),
    }
}

/// What is said in place of such a value.
pub const NOT_SHOWN: &str = "a value with \"@\" in it, which may hold a password (not shown)";

/// `https://ann:password@…`, well-formed or not. An address for mail is no secret.
pub fn may_hold_password(text: &str) -> bool {
    text.contains('@') && text.contains(':') && !text.starts_with("mailto:")
}

/// What kind of value it is. A string is not shown: where another kind belongs, it may be anything.
pub fn kind(json: &Json<'_>) -> String {
    match json {
        Json::Null => "null".into(),
        Json::Bool(true) => "true".into(),
        Json::Bool(false) => "false".into(),
        Json::Number(number) => self::number(*number),
        Json::Text(_) => "a string".into(),
        Json::Array(items) if items.is_empty() => "an empty list".into(),
        Json::Array(_) => "a list".into(),
        Json::Object(_) => "a table".into(),
    }
}

/// The number where it is whole and exact; otherwise words. (Printing any float costs 15 KB of wasm.)
fn number(number: f64) -> String {
    match whole(number) {
        Some(whole) => whole.to_string(),
        None if number.trunc() == number => "a number that is too large".into(),
        None => "a number that is not whole".into(),
    }
}

/// The number as an integer, where it is one of those that a JSON number tells exactly (RFC 8259 §6).
pub fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_991.0; // 2^53 - 1
    // Whole and below 2^53 by this very check, so nothing is cut off.
    #[allow(clippy::cast_possible_truncation)]
    (number.trunc() == number && number.abs() <= EXACT).then_some(number as i64)
}

fn push_escaped(out: &mut String, c: char) {
    match c {
        '"' | '\\' => {
            out.push('\\');
            out.push(c);
        }
        c if is_unsafe_in_a_log(c) => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
        c => out.push(c),
    }
}

/// Control characters, line separators, and marks that turn or hide what follows them.
const fn is_unsafe_in_a_log(c: char) -> bool {
    matches!(
        c,
        '\0'..='\x1f'
            | '\x7f'..='\u{9f}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quotes() {
        for (text, quoted) in [
            ("a", r#""a""#),
            ("", r#""""#),
            ("a\"b\\c", r#""a\"b\\c""#),
            ("a\nb\u{202e}c", r#""a\u{a}b\u{202e}c""#),
            ("zażółć", r#""zażółć""#),
        ] {
            assert_eq!(quote(text), quoted);
        }
        assert_eq!(quote(&"x".repeat(80)), format!("\"{}\"", "x".repeat(80)));
        assert_eq!(quote(&"x".repeat(81)), format!("\"{}…\"", "x".repeat(80)));
    }

    #[test]
    fn passwords_in_urls_are_not_shown() {
        let shown = |text: &'static str| value(&Json::Text(text.into()));
        for text in ["https://ann:pw@a.example", "htps:/ann:pw@a", "ann:pw@a", "tcp:@"] {
            assert_eq!(shown(text), "a value with \"@\" in it, which may hold a password (not shown)");
        }
        for text in ["mailto:ann@a.example", "ann@a.example", "https://a.example"] {
            assert_eq!(shown(text), quote(text));
        }
    }

    #[test]
    fn keys() {
        for (name, shown) in
            [("path", "path"), ("X-Y_9", "X-Y_9"), ("", "\"\""), ("a.b", "\"a.b\""), ("ä", "\"ä\"")]
        {
            assert_eq!(key(name), shown);
        }
    }

    #[test]
    fn numbers() {
        for (n, shown) in [
            (30.0, "30"),
            (-1.0, "-1"),
            (0.5, "a number that is not whole"),
            (1e300, "a number that is too large"),
            (9_007_199_254_740_991.0, "9007199254740991"),
            (9_007_199_254_740_992.0, "a number that is too large"),
        ] {
            assert_eq!(number(n), shown);
        }
        assert_eq!(whole(f64::NAN), None);
    }

    proptest! {
        #[test]
        fn stays_on_one_line(text in any::<String>()) {
            let quoted = quote(&text);
            prop_assert!(!quoted.chars().any(is_unsafe_in_a_log));
            prop_assert!(quoted.chars().count() <= 80 * 10 + 3);
        }
    }
}
