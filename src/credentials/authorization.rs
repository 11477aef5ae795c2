//! The `Authorization` field: `credentials = auth-scheme [ 1*SP ( token68 / #auth-param ) ]` (RFC 9110 §11.4).
//!
//! 1. The scheme is compared without regard to case.
//! 2. One or more spaces part it from its credentials; a tab does not.
//! 3. Two field lines arrive as one value joined by a comma. Which of them the origin, a log or another filter
//!    would have taken is anybody's guess, so a value that holds two credentials is ambiguous, never its first half.
//!
//! `Basic dGVzdDoxMjPCow==` is Basic; `Basic a, Bearer b` is ambiguous; `Digest username="a", realm="b"` is another
//! scheme, as its comma parts two parameters of one credential.

/// What an `Authorization` field holds.
#[derive(Debug, PartialEq, Eq)]
pub enum Authorization<'v> {
    /// RFC 7617: what stands behind the scheme, not decoded.
    Basic(&'v str),
    /// RFC 6750 §2.1: what stands behind the scheme, not checked.
    Bearer(&'v str),
    /// Another scheme.
    Other,
    /// No scheme that can be read.
    Malformed,
    /// Two credentials in one value.
    Ambiguous(Option<Scheme>),
}

/// The schemes that are known here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// RFC 7617.
    Basic,
    /// RFC 6750.
    Bearer,
}

impl<'v> Authorization<'v> {
    /// Reads a field value.
    #[must_use]
    pub fn parse(value: &'v str) -> Self {
        let value = value.trim_matches([' ', '\t']);
        let (name, rest) = value.split_once(' ').unwrap_or((value, ""));
        let first = name.split(',').next().unwrap_or(name);
        if !is_token(first) {
            return Self::Malformed;
        }
        let scheme = known_scheme(first);
        if first.len() < name.len() || holds_two(rest, scheme) {
            return Self::Ambiguous(scheme);
        }
        let credentials = rest.trim_start_matches(' ');
        match scheme {
            Some(Scheme::Basic) => Self::Basic(credentials),
            Some(Scheme::Bearer) => Self::Bearer(credentials),
            None => Self::Other,
        }
    }
}

fn known_scheme(name: &str) -> Option<Scheme> {
    if name.eq_ignore_ascii_case("bearer") {
        Some(Scheme::Bearer)
    } else if name.eq_ignore_ascii_case("basic") {
        Some(Scheme::Basic)
    } else {
        None
    }
}

/// Whether a second credential follows a comma. The credentials of Basic and Bearer hold no comma, so any that a
/// space follows is the joint of two lines; in other schemes it is one only where no auth-param follows.
fn holds_two(rest: &str, scheme: Option<Scheme>) -> bool {
    if !rest.contains(',') {
        return false;
    }
    // Only other schemes have quoted-strings: in Basic and Bearer a quotation mark hides no comma.
    let mut elements = elements(rest, scheme.is_none());
    elements.next();
    elements.any(|element| {
        let joined = element.starts_with([' ', '\t']) || element.is_empty();
        let element = element.trim_matches([' ', '\t']);
        let second_scheme = element
            .split_once([' ', '\t'])
            .is_some_and(|(name, value)| is_token(name) && !value.trim_start().starts_with('='));
        second_scheme || joined && scheme.is_some() || known_scheme(element).is_some()
    })
}

/// Splits at commas; where `has_quotes`, not within quoted-strings (RFC 9110 §5.6.4).
fn elements(text: &str, has_quotes: bool) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c| {
        let splits = c == ',' && !quoted;
        match (c, quoted, escaped) {
            ('\\', true, false) => escaped = true,
            ('"', _, false) => quoted = has_quotes && !quoted,
            _ => escaped = false,
        }
        splits
    })
}

/// Whether `text` is a token (RFC 9110 §5.6.2).
#[must_use]
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
}

/// Whether `text` is a b64token (RFC 6750 §2.1).
#[must_use]
pub fn is_b64token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty() && body.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_credential() {
        for (value, expected) in [
            ("Basic Zm9vOmJhcg==", Authorization::Basic("Zm9vOmJhcg==")),
            ("bAsIc    Zm9v", Authorization::Basic("Zm9v")),
            ("Bearer abc", Authorization::Bearer("abc")),
            ("BEARER abc def", Authorization::Bearer("abc def")),
            ("Basic", Authorization::Basic("")),
            ("Bearer abc,def", Authorization::Bearer("abc,def")),
            ("Digest username=\"a, b c\", realm=\"x\"", Authorization::Other),
            ("Digest username = \"a\", realm = \"x\"", Authorization::Other),
            ("Something", Authorization::Other),
            ("BasicQWxhZGRpbg==", Authorization::Malformed),
            ("", Authorization::Malformed),
            ("Basic\tZm9v", Authorization::Malformed),
            ("\u{fffd} x", Authorization::Malformed),
        ] {
            assert_eq!(Authorization::parse(value), expected, "{value:?}");
        }
    }

    #[test]
    fn two_credentials() {
        for value in [
            "Basic Zm9v, Basic Zm9v",
            "Basic Zm9v, Bearer x",
            "Basic Zm9v,Bearer x",
            "Bearer a, b",
            "Bearer a, ",
            "Basic, Basic Zm9v",
            "Digest a=\"b\", Basic Zm9v",
            "Digest a=\"b\", basic",
            "Negotiate abc, Bearer x",
        ] {
            let parsed = Authorization::parse(value);
            assert!(matches!(parsed, Authorization::Ambiguous(_)), "{value:?}: {parsed:?}");
        }
    }

    /// Found by fuzzing: a quotation mark in the first credentials made the comma after them part of a string.
    #[test]
    fn a_quotation_mark_does_not_hide_a_second_credential() {
        for (value, scheme) in [
            ("Bearer a\", Bearer b", Scheme::Bearer),
            ("Bearer a\\\", Basic b", Scheme::Bearer),
            ("Basic \", Bearer b", Scheme::Basic),
            ("Basic \"a, Bearer b\"", Scheme::Basic),
        ] {
            assert_eq!(Authorization::parse(value), Authorization::Ambiguous(Some(scheme)), "{value}");
        }
        assert_eq!(Authorization::parse("Digest a=\"x, Basic y\""), Authorization::Other);
    }

    #[test]
    fn b64tokens() {
        for good in ["a", "abcdefg12345-._~+/=", "a=="] {
            assert!(is_b64token(good), "{good}");
        }
        for bad in ["", "=", "a b", "a=b", "ä", "a,b", "$"] {
            assert!(!is_b64token(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(value in "\\PC*") {
            let _ = Authorization::parse(&value);
        }

        #[test]
        fn two_known_credentials_are_never_one(a in "(Basic|BASIC|bearer) [a-z0-9+/]{1,20}={0,2}", b in "(basic|BEARER|Digest) [a-z0-9+/]{1,20}", comma in " ?, ?") {
            let joined = format!("{a}{comma}{b}");
            prop_assert!(matches!(Authorization::parse(&joined), Authorization::Ambiguous(_)));
        }
    }
}
