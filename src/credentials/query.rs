//! Query parameters of ours: found, and taken out, by octet range.
//!
//! Names are compared as an origin would read them (percent-decoded, `+` a space), so that no spelling of a name
//! smuggles a token past us; the rest of the query is kept octet for octet.

use crate::text::parted;
use std::borrow::Cow;

/// The values of the parameter `name`, still encoded, in the order in which they stand.
pub fn values<'q>(query: &'q str, name: &str) -> impl Iterator<Item = &'q str> {
    Parameters::of(query).filter(move |it| *it.name == *name.as_bytes()).map(|it| it.value)
}

/// A parameter of a query.
#[derive(Clone, Debug)]
pub struct Parameter<'q> {
    /// As it stands there.
    pub raw: &'q str,
    /// Its name, as an origin would read it.
    pub name: Cow<'q, [u8]>,
    /// Its value, still encoded; empty where it has none.
    pub value: &'q str,
}

/// The parameters of a query in their order. Looked for octet by octet: every request with a query pays for this.
#[derive(Clone, Debug)]
pub struct Parameters<'q> {
    rest: Option<&'q str>,
}

impl<'q> Parameters<'q> {
    /// Of a query, which always has one, be it empty.
    #[must_use]
    pub const fn of(query: &'q str) -> Self {
        Self { rest: Some(query) }
    }
}

impl<'q> Iterator for Parameters<'q> {
    type Item = Parameter<'q>;

    fn next(&mut self) -> Option<Parameter<'q>> {
        let (raw, rest) = parted(self.rest?, b'&');
        self.rest = rest;
        let (name, value) = parted(raw, b'=');
        Some(Parameter { raw, name: decoded(name), value: value.unwrap_or_default() })
    }
}

/// The query without the parameters whose name `ours` knows; `None` where nothing is left of it.
#[must_use]
pub fn without(query: &str, ours: impl Fn(&[u8]) -> bool) -> Option<Cow<'_, str>> {
    let (mut kept, mut found) = (Vec::new(), false);
    for parameter in Parameters::of(query) {
        if ours(&parameter.name) {
            found = true;
        } else {
            kept.push(parameter.raw);
        }
    }
    if !found {
        return Some(Cow::Borrowed(query));
    }
    (!kept.is_empty()).then(|| Cow::Owned(kept.join("&")))
}

/// A value percent-decoded; `None` where it is not UTF-8 or a `%` stands alone.
#[must_use]
pub fn decode_value(value: &str) -> Option<Cow<'_, str>> {
    if !value.as_bytes().contains(&b'%') {
        return Some(Cow::Borrowed(value));
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            bytes.push(hex_pair(after)?);
            rest = after.get(2..)?;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

/// A name as an origin would read it. A `%` that stands alone stays.
fn decoded(name: &str) -> Cow<'_, [u8]> {
    if !name.bytes().any(|octet| matches!(octet, b'%' | b'+')) {
        return Cow::Borrowed(name.as_bytes());
    }
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (first, hex_pair(after)) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
    }
    Cow::Owned(bytes)
}

fn hex_pair(bytes: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*bytes.get(at)?).to_digit(16).and_then(|d| u8::try_from(d).ok());
    Some(digit(0)? << 4 | digit(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn finds_every_spelling_of_a_name() {
        let all = |query: &'static str| values(query, "access_token").collect::<Vec<_>>();
        assert_eq!(all("a=1&access_token=x&b"), ["x"]);
        assert_eq!(all("access%5Ftoken=x&access_token=y"), ["x", "y"]);
        assert_eq!(all("access_token"), [""]);
        assert!(all("xaccess_token=1&a=access_token=2&Access_Token=3&access_token%=4").is_empty());
    }

    #[test]
    fn takes_ours_out_and_keeps_the_rest() {
        let rest = |query| without(query, |name| name == b"t").map(Cow::into_owned);
        assert_eq!(rest("a=%7e&t=x&b=+&&c").as_deref(), Some("a=%7e&b=+&&c"));
        assert_eq!(rest("%74=x&a").as_deref(), Some("a"));
        assert_eq!(rest("t=x"), None);
        assert_eq!(rest("").as_deref(), Some(""));
    }

    #[test]
    fn values_are_decoded_strictly() {
        assert_eq!(decode_value("a%2Eb").as_deref(), Some("a.b"));
        for bad in ["%", "%2", "%zz", "%ff", "%+1"] {
            assert_eq!(decode_value(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_taken_out_is_gone(query in "[ta=&%74+]{0,40}") {
            let left = without(&query, |name| name == b"t");
            prop_assert!(left.is_none_or(|left| values(&left, "t").next().is_none()));
        }

        #[test]
        fn never_panics(query in "\\PC*") {
            let _ = (without(&query, |name| name == b"t"), decode_value(&query));
        }
    }
}
