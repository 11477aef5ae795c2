//! Query parameters of ours: found, and taken out, by octet range.
//!
//! Names are compared as an origin would read them (percent-decoded, `+` a space), so that no spelling of a name
//! smuggles a token past us; the rest of the query is kept octet for octet.

use std::borrow::Cow;

/// The values of the parameter `name`, still encoded, in the order in which they stand.
pub fn values<'q>(query: &'q str, name: &str) -> impl Iterator<Item = &'q str> {
    query.split('&').filter_map(move |parameter| {
        let (found, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        (decoded(found) == name.as_bytes()).then_some(value)
    })
}

/// The query without the parameters whose name `ours` knows; `None` where nothing is left of it.
#[must_use]
pub fn without(query: &str, ours: impl Fn(&[u8]) -> bool) -> Option<Cow<'_, str>> {
    let is_ours =
        |parameter: &&str| ours(&decoded(parameter.split_once('=').map_or(*parameter, |(name, _)| name)));
    if !query.split('&').any(|parameter| is_ours(&parameter)) {
        return Some(Cow::Borrowed(query));
    }
    let kept: Vec<&str> = query.split('&').filter(|parameter| !is_ours(parameter)).collect();
    (!kept.is_empty()).then(|| Cow::Owned(kept.join("&")))
}

/// A value percent-decoded; `None` where it is not UTF-8 or a `%` stands alone.
#[must_use]
pub fn decode_value(value: &str) -> Option<Cow<'_, str>> {
    if !value.contains('%') {
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
    if !name.contains(['%', '+']) {
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
