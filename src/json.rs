//! JSON as RFC 8259 says, and not a byte more.
//!
//! One reader for what an attacker sends (the header and the claims of a token) and for what the operator writes
//! (the policy, a JWK Set). It refuses
//!
//! 1. a member name that stands twice in one object, at any depth, after unescaping (RFC 8259 §4 leaves open which
//!    one counts, RFC 7515 §4 and RFC 7519 §4 let a reader refuse: two readers that differ are an attack),
//! 2. anything after the value but white space, and a byte order mark (§8.1),
//! 3. nesting of more than 32 arrays and objects (§9 allows a limit; a stack is finite),
//! 4. a number that no finite double holds (§6), and a lone surrogate (§8.2): neither has a value.
//!
//! Text without escapes is borrowed, so that the claims of a token are read with one allocation for each object.
//!
//! ```
//! use edgeward::json::Json;
//! let claims = Json::parse(r#"{"sub":"ann","exp":1767225600}"#).expect("this is JSON");
//! assert_eq!(claims.get("sub").and_then(Json::as_text), Some("ann"));
//! let error = Json::parse(r#"{"sub":"ann","\u0073ub":"root"}"#).expect_err("sub stands there twice");
//! assert_eq!(error.to_string(), "line 1, column 14: a member name that stands twice in one object");
//! ```

mod number;
mod read;
mod write;

use core::fmt;
use std::borrow::Cow;

pub use read::MAX_DEPTH;
pub use write::{ObjectWriter, push_string};

/// A JSON value (RFC 8259 §3).
#[derive(Clone, Debug, PartialEq)]
pub enum Json<'a> {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number; always finite.
    Number(f64),
    /// A string, unescaped.
    Text(Cow<'a, str>),
    /// An array.
    Array(Vec<Json<'a>>),
    /// An object: its members in the order in which they stand; no name stands twice.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

impl<'a> Json<'a> {
    /// Reads a text that is one JSON value.
    ///
    /// # Errors
    /// [`JsonError`] says what is wrong and where.
    pub fn parse(text: &'a str) -> Result<Self, JsonError> {
        read::document(text)
    }

    /// The member of that name, where this is an object that has one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        self.as_object()?.iter().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    /// The string, where this is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Array(_) | Self::Object(_) => None,
        }
    }

    /// The number as an integer, where it is one of those that a JSON number tells exactly (RFC 8259 §6).
    #[must_use]
    pub fn as_whole(&self) -> Option<i64> {
        self.as_number().and_then(crate::config::quote::whole)
    }

    /// The number, where this is one.
    #[must_use]
    pub const fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Null | Self::Bool(_) | Self::Text(_) | Self::Array(_) | Self::Object(_) => None,
        }
    }

    /// `true` or `false`, where this is one.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            Self::Null | Self::Number(_) | Self::Text(_) | Self::Array(_) | Self::Object(_) => None,
        }
    }

    /// The elements, where this is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(elements) => Some(elements),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Object(_) => None,
        }
    }

    /// The members, where this is an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&[(Cow<'a, str>, Self)]> {
        match self {
            Self::Object(members) => Some(members),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) | Self::Array(_) => None,
        }
    }

    /// The strings, where this is an array of nothing but strings.
    #[must_use]
    pub fn as_texts(&self) -> Option<Vec<&str>> {
        self.as_array()?.iter().map(Self::as_text).collect()
    }

    /// What kind of value this is, in words: `a string`, `an object`. For messages; no content is in it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// The same value, which borrows nothing.
    #[must_use]
    pub fn into_owned(self) -> Json<'static> {
        let own = |text: Cow<'a, str>| Cow::Owned(text.into_owned());
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(value),
            Self::Number(number) => Json::Number(number),
            Self::Text(text) => Json::Text(own(text)),
            Self::Array(elements) => Json::Array(elements.into_iter().map(Json::into_owned).collect()),
            Self::Object(members) => Json::Object(
                members.into_iter().map(|(name, value)| (own(name), value.into_owned())).collect(),
            ),
        }
    }
}

/// Why a text is no JSON value: what is wrong, and where; never what stands there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// What is wrong, in words.
    pub what: &'static str,
    /// Line, from 1.
    pub line: usize,
    /// Character in that line, from 1.
    pub column: usize,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.what)
    }
}

impl core::error::Error for JsonError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_kind_of_value_is_read() {
        let text = r#" { "a" : null , "b":true,"c":[false,-0,1.5e2,[],{}], "d":"\u00e9\ud83d\ude00\"\\\/\b\f\n\r\tx" } "#;
        let value = Json::parse(text).expect("this is JSON");
        assert_eq!(value.get("a"), Some(&Json::Null));
        assert_eq!(value.get("b").and_then(Json::as_bool), Some(true));
        assert_eq!(value.get("d").and_then(Json::as_text), Some("é😀\"\\/\u{8}\u{c}\n\r\tx"));
        let elements = value.get("c").and_then(Json::as_array).expect("an array");
        assert_eq!(elements[1].as_number(), Some(-0.0));
        assert_eq!(elements[2].as_number(), Some(150.0));
        assert_eq!(elements[4].as_object(), Some(&[][..]));
        assert_eq!(value.get("e"), None);
        assert_eq!(value.clone().into_owned(), value);
    }

    #[test]
    fn text_without_escapes_is_borrowed() {
        assert!(matches!(Json::parse(r#""plain é""#), Ok(Json::Text(Cow::Borrowed("plain é")))));
        assert!(matches!(Json::parse(r#""\n""#), Ok(Json::Text(Cow::Owned(_)))));
    }

    #[test]
    fn errors_say_what_and_where() {
        let table = [
            ("", "line 1, column 1: nothing where a value should be"),
            ("\u{feff}{}", "line 1, column 1: a byte order mark"),
            ("{} x", "line 1, column 4: something after the end of the value"),
            ("{\n  \"é\": tru\n}", "line 2, column 8: no value"),
            ("[1,]", "line 1, column 4: no value"),
            ("[1 2]", "line 1, column 4: no comma and no end of the array"),
            ("[1", "line 1, column 3: no comma and no end of the array"),
            ("{\"a\":1,}", "line 1, column 8: no member name in quotation marks"),
            ("{\"a\" 1}", "line 1, column 6: no colon after a member name"),
            ("{\"a\":1 \"b\"", "line 1, column 8: no comma and no end of the object"),
            ("{\"a\":1,\"b\":2,\"a\":3}", "line 1, column 14: a member name that stands twice in one object"),
            (
                "{\"x\":[{\"a\":1,\"\\u0061\":3}]}",
                "line 1, column 14: a member name that stands twice in one object",
            ),
            ("\"a", "line 1, column 1: a string without its end"),
            ("\"a\tb\"", "line 1, column 3: a control character in a string"),
            ("\"\\x\"", "line 1, column 2: an escape that JSON does not have"),
            ("\"\\u12g4\"", "line 1, column 2: an escape that JSON does not have"),
            ("\"\\ud800\"", "line 1, column 2: half of a surrogate pair"),
            ("\"\\ud800\\u0041\"", "line 1, column 2: half of a surrogate pair"),
            ("\"\\udc00\"", "line 1, column 2: half of a surrogate pair"),
            ("01", "line 1, column 1: a number that JSON does not have"),
            ("-", "line 1, column 1: a number that JSON does not have"),
            ("1.", "line 1, column 1: a number that JSON does not have"),
            ("1e", "line 1, column 1: a number that JSON does not have"),
            ("1e400", "line 1, column 1: a number out of range"),
            ("+1", "line 1, column 1: no value"),
            ("NaN", "line 1, column 1: no value"),
        ];
        for (text, expected) in table {
            assert_eq!(Json::parse(text).expect_err(text).to_string(), expected, "{text:?}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(Json::parse(&nested(MAX_DEPTH)).is_ok());
        let error = Json::parse(&nested(MAX_DEPTH + 1)).expect_err("too deep");
        assert_eq!(error.to_string(), "line 1, column 33: more than 32 levels of nesting");
        assert!(Json::parse(&"[{\"a\":".repeat(100_000)).is_err());
    }

    #[test]
    fn duplicates_are_found_in_large_objects_too() {
        let members: Vec<String> = (0..500).map(|i| format!("\"k{}\":{i}", (i * 7919) % 500)).collect();
        assert!(Json::parse(&format!("{{{}}}", members.join(","))).is_ok());
        for twice in ["k0", "k250", "k499"] {
            assert!(Json::parse(&format!("{{{},\"{twice}\":1}}", members.join(","))).is_err(), "{twice}");
        }
    }

    /// JSON text in odd spellings, from `serde_json`'s own writer and with white space put in.
    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(serde_json::Value::from),
            any::<i32>().prop_map(serde_json::Value::from),
            any::<String>().prop_map(serde_json::Value::from),
        ];
        leaf.prop_recursive(5, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(serde_json::Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..8)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn same(ours: &Json<'_>, theirs: &serde_json::Value) -> bool {
        match (ours, theirs) {
            (Json::Null, serde_json::Value::Null) => true,
            (Json::Bool(a), serde_json::Value::Bool(b)) => a == b,
            // serde_json's quick reading of doubles may be off by the last bit.
            (Json::Number(a), serde_json::Value::Number(b)) => {
                b.as_f64().is_some_and(|b| (a - b).abs() <= b.abs() * 1e-15)
            }
            (Json::Text(a), serde_json::Value::String(b)) => a == b,
            (Json::Array(a), serde_json::Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
            }
            (Json::Object(a), serde_json::Value::Object(b)) => {
                a.len() == b.len() && a.iter().all(|(name, a)| b.get(&**name).is_some_and(|b| same(a, b)))
            }
            _ => false,
        }
    }

    /// Whether `serde_json` reads the text the same way; what only we refuse is left to the tables above.
    fn agrees(text: &str) -> bool {
        match (Json::parse(text), serde_json::from_str::<serde_json::Value>(text)) {
            (Ok(ours), Ok(theirs)) => same(&ours, &theirs),
            (Err(error), Ok(_)) => error.what.contains("twice") || error.what.contains("nesting"),
            (Err(_), Err(_)) => true,
            (Ok(_), Err(_)) => false,
        }
    }

    proptest! {
        #[test]
        fn reads_what_serde_json_writes(value in any_json(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
            prop_assert!(same(&Json::parse(&text.expect("writable")).expect("JSON"), &value));
        }

        #[test]
        fn agrees_with_serde_json_on_any_text(text in r#"[\[\]{}",:0-9eE.+\-\\utrfalsn dD\x00-\x20é]{0,24}"#) {
            prop_assert!(agrees(&text), "{text:?}");
        }

        #[test]
        fn agrees_with_serde_json_on_numbers(text in r"-?[0-9]{1,25}(\.[0-9]{0,5})?([eE][+-]?[0-9]{0,3})?") {
            prop_assert!(agrees(&text), "{text:?}");
        }

        #[test]
        fn agrees_with_serde_json_after_one_change(value in any_json(), at in any::<prop::sample::Index>(), new in any::<char>()) {
            let mut characters: Vec<char> = value.to_string().chars().collect();
            let at = at.index(characters.len());
            characters[at] = new;
            let text: String = characters.into_iter().collect();
            prop_assert!(agrees(&text), "{text:?}");
        }

        #[test]
        fn never_panics(text in any::<String>()) {
            let _ = Json::parse(&text);
        }

        #[test]
        fn strings_round_trip(text in any::<String>()) {
            let mut written = String::new();
            push_string(&mut written, &text);
            let json = Json::parse(&written);
            prop_assert_eq!(json.as_ref().ok().and_then(Json::as_text), Some(&*text));
            prop_assert_eq!(serde_json::from_str::<String>(&written).ok(), Some(text));
        }
    }
}
