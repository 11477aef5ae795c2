//! The `Cookie` field (RFC 6265bis §5.8.1, as servers read it), and taking cookies of ours out of it.
//!
//! 1. Pairs are parted by `;`. Two field lines arrive joined by `, `, so a comma and a space part them too: a
//!    cookie of ours must be found, and taken off, wherever an origin might find it. But no browser joins cookies so, and all
//!    let a value hold a comma: any host below the same domain can set `x=1, __Host-y=2`, which no prefix of a name
//!    forbids. So what stands behind a comma counts as twice: it may be a cookie, or a part of another one.
//! 2. Only SP and HTAB around a name are white space: no-break spaces are part of the name, and `=__Host-x=1` is a
//!    cookie without a name, never `__Host-x`.
//! 3. Names are compared octet by octet; quotes are part of a value.

use crate::text::parted;

/// The values of the cookie `name`, in the order in which they stand; one behind a comma twice.
pub fn values<'v>(field: &'v str, name: &str) -> impl Iterator<Item = &'v str> {
    all(field).filter(move |(found, _)| *found == name).map(|(_, value)| value)
}

/// The same, one behind a comma once: of a client that is no browser, and whose several lines arrive joined.
pub fn values_of_lines<'v>(field: &'v str, name: &str) -> impl Iterator<Item = &'v str> {
    let found = pairs(field).filter_map(|pair| {
        let (name, value) = parted(pair.text, b'=');
        Some((trim(name), trim(value?)))
    });
    found.filter(move |(found, _)| *found == name).map(|(_, value)| value)
}

/// The names and values of all cookies that have one, in the order in which they stand; one behind a comma twice.
pub fn all(field: &str) -> impl Iterator<Item = (&str, &str)> {
    pairs(field).flat_map(|pair| {
        let (name, value) = parted(pair.text, b'=');
        let found = value.map(|value| (trim(name), trim(value)));
        found.into_iter().chain(found.filter(|_| pair.separator == ","))
    })
}

/// The field without the cookies whose name `ours` knows, the rest octet for octet; `None` where nothing is left,
/// and the field as it was where none is ours.
#[must_use]
pub fn without<'v>(field: &'v str, ours: impl Fn(&str) -> bool) -> Option<std::borrow::Cow<'v, str>> {
    use std::borrow::Cow;
    let is_ours = |pair: &Pair<'_>| ours(trim(parted(pair.text, b'=').0));
    if !pairs(field).any(|pair| is_ours(&pair)) {
        return Some(Cow::Borrowed(field));
    }
    let mut kept = String::with_capacity(field.len());
    for pair in pairs(field).filter(|pair| !is_ours(pair)) {
        if kept.is_empty() {
            kept.push_str(pair.text.trim_start_matches([' ', '\t']));
        } else {
            kept.push_str(pair.separator);
            kept.push_str(pair.text);
        }
    }
    (!trim(&kept).is_empty()).then_some(Cow::Owned(kept))
}

/// A cookie-pair as it stands, and what parted it from the one before.
struct Pair<'v> {
    separator: &'v str,
    text: &'v str,
}

fn pairs(field: &str) -> impl Iterator<Item = Pair<'_>> {
    let mut rest = Some(("", field));
    core::iter::from_fn(move || {
        let (separator, text) = rest?;
        let Some((pair, (next, after))) =
            end(text).and_then(|at| Some((text.get(..at)?, text.get(at..)?.split_at_checked(1)?)))
        else {
            rest = None;
            return Some(Pair { separator, text });
        };
        rest = Some((next, after));
        Some(Pair { separator, text: pair })
    })
}

/// Where the first pair ends. One walk for both separators: to look for one of them through the rest at each pair would
/// cost the square of the field's length, and that is the client's to choose.
fn end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let joins = |at: usize| bytes.get(at + 1) == Some(&b' ');
    bytes.iter().enumerate().find(|(at, b)| **b == b';' || **b == b',' && joins(*at)).map(|(at, _)| at)
}

fn trim(text: &str) -> &str {
    let is_ours = |octet: u8| !matches!(octet, b' ' | b'\t');
    let begin = text.bytes().position(is_ours).unwrap_or(text.len());
    let end = text.bytes().rposition(is_ours).map_or(begin, |at| at + 1);
    text.get(begin..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(field: &str, name: &str) -> Vec<String> {
        values(field, name).map(str::to_owned).collect()
    }

    #[test]
    fn finds_every_one_of_a_name() {
        assert_eq!(found("a=1; t=x; b=2", "t"), ["x"]);
        assert_eq!(found("t=x; t=y", "t"), ["x", "y"]);
        assert_eq!(found("a=1, t=y", "t"), ["y", "y"], "it may be a part of a");
        assert_eq!(found("t=x, a=1", "t"), ["x"]);
        assert_eq!(found("t=x, t=y", "t"), ["x", "y", "y"]);
        assert_eq!(found("t =\tx ;T=z", "t"), ["x"]);
        assert_eq!(found("t=a=b", "t"), ["a=b"]);
        assert_eq!(found("t=\"x\"", "t"), ["\"x\""]);
        for none in ["", "t", "=t=x", "\u{a0}t=x", "tt=x", "T=x", "a=t=x"] {
            assert!(found(none, "t").is_empty(), "{none:?}");
        }
    }

    #[test]
    fn takes_ours_out_and_keeps_the_rest() {
        let rest = |field| without(field, |name| name == "t").map(std::borrow::Cow::into_owned);
        assert_eq!(rest("a=1;  b=\"2\"").as_deref(), Some("a=1;  b=\"2\""));
        assert_eq!(rest("a=1; t=x; b=2").as_deref(), Some("a=1; b=2"));
        assert_eq!(rest("t=x; a=1").as_deref(), Some("a=1"));
        assert_eq!(rest("a=1; t=x").as_deref(), Some("a=1"));
        assert_eq!(rest("a=1, t=x; b=Mon, 2").as_deref(), Some("a=1; b=Mon, 2"));
        assert_eq!(rest("t=x; t=y"), None);
        assert_eq!(rest("t"), None);
    }

    #[test]
    fn many_cookies_cost_no_more_than_their_length() {
        let field = ";".repeat(1 << 20);
        let began = std::time::Instant::now();
        assert_eq!(values(&field, "t").count(), 0);
        // The square of it would take minutes.
        assert!(began.elapsed() < std::time::Duration::from_secs(5), "{:?}", began.elapsed());
    }

    proptest! {
        #[test]
        fn what_is_taken_out_is_gone(field in "[atb=;, \"]{0,40}") {
            let left = without(&field, |name| name == "t");
            prop_assert!(left.is_none_or(|left| values(&left, "t").next().is_none()));
        }

        #[test]
        fn a_field_without_ours_stays_as_it_is(field in "[abc=;, \"]{0,40}") {
            let left = without(&field, |name| name == "t");
            prop_assert_eq!(left.as_deref(), Some(field.as_str()));
        }
    }
}
