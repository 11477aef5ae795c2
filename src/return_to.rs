//! Where somebody is sent back to: an address of this origin, or of a host that shares its sign-in, and no other.
//!
//! The address comes from a form or a query, so anybody may have written it. It is taken in two forms alone, each a
//! strict subset of what every URL parser (RFC 3986, URL Standard) reads in one way:
//!
//! 1. An origin and what follows: `https://app.example/x?y#z`. The origin stands there octet for octet as it is
//!    serialised (RFC 6454 §6.2): this one, or one of `session.hosts`.
//! 2. A path of this origin: `/x?y#z`. It holds no empty segment and no colon in its first one, so nothing that somebody
//!    decodes once more becomes another host or a scheme. Where an own address needs one, the first form bears it
//!    ([`written`]).
//!
//! In both, what a parser would repair or resolve is refused: control characters and white space, octets beyond ASCII,
//! a backslash in the path, and dot segments in every spelling (CVE-2020-11053, CVE-2021-32786). Anything else means the
//! front page ([`ReturnTo::front`]). What is sent is always the absolute URL, so a path that begins with `//` stays a path.

use crate::text::{has, parted};
use std::borrow::Cow;

/// An address to send somebody back to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnTo {
    url: String,
    /// Octets of the origin.
    origin: usize,
}

impl ReturnTo {
    /// Takes what a form or a query says. `origin` is the request's own, serialised; `hosts` are others that may be gone
    /// to, each a serialised origin. `None` where it is anything else.
    #[must_use]
    pub fn parse(text: &str, origin: &str, hosts: &[String]) -> Option<Self> {
        if text.starts_with('/') {
            return (is_plain_path(text) && is_sound(text)).then(|| Self::of(origin, text));
        }
        let rest = |origin: &str| text.strip_prefix(origin).filter(|rest| begins_after_origin(rest));
        let known = core::iter::once(origin).chain(hosts.iter().map(String::as_str));
        let (origin, rest) = known.filter_map(|origin| Some((origin, rest(origin)?))).next()?;
        is_sound(rest).then(|| Self::of(origin, rest))
    }

    /// The front page of an origin.
    #[must_use]
    pub fn front(origin: &str) -> Self {
        Self::of(origin, "/")
    }

    fn of(origin: &str, rest: &str) -> Self {
        let slash = if rest.starts_with('/') { "" } else { "/" };
        Self { url: [origin, slash, rest].concat(), origin: origin.len() }
    }

    /// The absolute URL, as it stands in `Location`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same as a form on a page of `origin` writes it: as short as it will be taken back.
    #[must_use]
    pub fn written(&self, origin: &str) -> Cow<'_, str> {
        match self.url.get(self.origin..) {
            Some(target) if self.origin() == origin => written(origin, target),
            Some(_) | None => Cow::Borrowed(&self.url),
        }
    }

    /// Its origin, serialised.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.url.get(..self.origin).unwrap_or_default()
    }

    /// Path and query, as a request for it has them: without the fragment.
    #[must_use]
    pub fn target(&self) -> (&str, Option<&str>) {
        let target = self.url.get(self.origin..).unwrap_or_default();
        parted(parted(target, b'#').0, b'?')
    }
}

/// An address of this origin (path and query of a request) as our own forms write it: as short as it will be taken back.
#[must_use]
pub fn written<'t>(origin: &str, target: &'t str) -> Cow<'t, str> {
    if target.starts_with('/') && is_plain_path(target) {
        Cow::Borrowed(target)
    } else {
        Cow::Owned([origin, target].concat())
    }
}

/// What stands before the query and the fragment.
fn path(rest: &str) -> &str {
    parted(parted(rest, b'#').0, b'?').0
}

/// Whether nothing in the path can be taken for a host or a scheme, however often it is decoded and by whom.
fn is_plain_path(rest: &str) -> bool {
    let path = path(rest);
    let first = path.split('/').nth(1).unwrap_or_default();
    !has(path, "//") && !first.contains(':')
}

/// Whether the origin ends where it seems to: `https://app.example.evil` and `https://app.example@evil` are others.
fn begins_after_origin(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['/', '?', '#'])
}

/// Whether a URL parser finds nothing in it to repair or to resolve.
fn is_sound(rest: &str) -> bool {
    let path = path(rest);
    rest.bytes().all(|octet| octet.is_ascii_graphic() && !matches!(octet, b'"' | b'<' | b'>' | b'`'))
        && !path.contains(['\\', '{', '}'])
        && !path.split('/').any(is_dot_segment)
}

/// A dot segment, each dot as it is or as `%2e` (URL Standard §4.3).
fn is_dot_segment(segment: &str) -> bool {
    let (mut rest, mut dots) = (segment, 0_u8);
    while let Some(after) = without_dot(rest) {
        (rest, dots) = (after, dots.saturating_add(1));
    }
    rest.is_empty() && matches!(dots, 1 | 2)
}

fn without_dot(text: &str) -> Option<&str> {
    [".", "%2e", "%2E"].iter().find_map(|dot| text.strip_prefix(dot))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use url::Url;

    const HERE: &str = "https://app.example";

    fn hosts() -> Vec<String> {
        vec!["https://b.example".to_owned(), "http://c.localhost:8787".to_owned()]
    }

    fn read(text: &str) -> Option<String> {
        ReturnTo::parse(text, HERE, &hosts()).map(|it| it.url().to_owned())
    }

    #[test]
    fn addresses_of_this_origin_and_its_hosts() {
        for (text, wanted) in [
            ("/", "https://app.example/"),
            ("/x?y#z", "https://app.example/x?y#z"),
            ("/a/b:c/d@e?f=//g&h=https://i/", "https://app.example/a/b:c/d@e?f=//g&h=https://i/"),
            ("/?q#//r", "https://app.example/?q#//r"),
            ("/#a?b#c", "https://app.example/#a?b#c"),
            ("/a%20b/%252e%252e/...", "https://app.example/a%20b/%252e%252e/..."),
            ("/a?\\b|{c}^", "https://app.example/a?\\b|{c}^"),
            (HERE, "https://app.example/"),
            ("https://app.example?x", "https://app.example/?x"),
            ("https://app.example#x", "https://app.example/#x"),
            ("https://app.example//x/https://y", "https://app.example//x/https://y"),
            ("https://b.example/x", "https://b.example/x"),
            ("http://c.localhost:8787/x", "http://c.localhost:8787/x"),
        ] {
            assert_eq!(read(text).as_deref(), Some(wanted), "{text}");
        }
    }

    #[test]
    fn all_else_is_refused() {
        for text in [
            "",
            "a",
            "?a",
            "#a",
            "//evil",
            "///evil",
            "/\\evil",
            "\\/evil",
            "/\t/evil",
            "/\r\nSet-Cookie: a=b",
            "/\u{0}",
            "/a b",
            " /a",
            "/é",
            "/\u{3000}evil",
            "/a//b",
            "/a:b",
            "/javascript:alert(1)",
            "/https://evil/",
            "/.",
            "/..",
            "/./a",
            "/a/../b",
            "/a/%2e%2E/b",
            "/a/.%2e",
            "/%2e//evil",
            "/<a>",
            "/a?\"b",
            "/{a}",
            "javascript:alert(1)",
            "data:text/html,a",
            "https:evil",
            "https:/evil",
            "https://evil",
            "https://app.example.evil/",
            "https://app.example@evil/",
            "https://app.example:443/",
            "https://app.example:8443/",
            "https://app.example\\@evil/",
            "https://app.example\t/",
            "https://good@app.example/",
            "HTTPS://app.example/",
            "https://APP.example/",
            "http://app.example/",
            "http://b.example/",
            "https://b.example.evil/",
            "https://x.b.example/",
            "https://app.example/\\evil",
            "https://app.example/a/../b",
            "https://app.example/ ",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    #[test]
    fn its_parts() {
        let parse = |text| ReturnTo::parse(text, HERE, &hosts()).expect("an address");
        assert_eq!(parse("/a/b?c?d#e?f").target(), ("/a/b", Some("c?d")));
        assert_eq!(parse("/a#e?f").target(), ("/a", None));
        assert_eq!(parse("https://b.example?x").target(), ("/", Some("x")));
        assert_eq!(parse("https://b.example?x").origin(), "https://b.example");
        assert_eq!(ReturnTo::front(HERE).url(), "https://app.example/");
    }

    #[test]
    fn own_addresses_are_written_as_short_as_they_are_taken() {
        for (target, wanted) in [
            ("/a?b=//c", "/a?b=//c"),
            ("/a//b", "https://app.example/a//b"),
            ("//a", "https://app.example//a"),
            ("/Special:Login?a", "https://app.example/Special:Login?a"),
        ] {
            assert_eq!(written(HERE, target), wanted);
            assert_eq!(read(&written(HERE, target)), Some([HERE, target].concat()), "{target}");
            let it = ReturnTo::parse(wanted, HERE, &[]).expect("an address");
            assert_eq!(it.written(HERE), wanted);
            assert_eq!(it.written("https://b.example"), [HERE, target].concat());
        }
    }

    /// Octets that matter to URL parsers, and a few that do not.
    const TEXTS: &str =
        "(https?:|javascript:|)[/\\\\]{0,3}(app\\.example|b\\.example|evil)?[@:/.?#%2e\\\\a\t^'|{ é]{0,12}";

    fn decoded(text: &str) -> Vec<u8> {
        percent(text.as_bytes())
    }

    fn percent(octets: &[u8]) -> Vec<u8> {
        let hex = |digits: &[u8]| u8::from_str_radix(core::str::from_utf8(digits).ok()?, 16).ok();
        match octets {
            [b'%', a, b, rest @ ..] if hex(&[*a, *b]).is_some() && *a != b'+' => {
                [vec![hex(&[*a, *b]).expect("two digits")], percent(rest)].concat()
            }
            [first, rest @ ..] => [vec![*first], percent(rest)].concat(),
            [] => Vec::new(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_url_parser_reads_the_same(text in TEXTS) {
            let base = Url::parse("https://app.example/.edgeward/sign-in").expect("a URL");
            if let Some(it) = ReturnTo::parse(&text, HERE, &hosts()) {
                // What was written, what is sent, and what is sent resolved against any page: all one address.
                let sent = Url::parse(it.url()).expect("a URL");
                prop_assert_eq!(&base.join(&text).expect("a URL"), &sent);
                prop_assert_eq!(&base.join(it.url()).expect("a URL"), &sent);
                prop_assert_eq!(sent.origin().ascii_serialization(), it.origin());
                prop_assert!(it.origin() == HERE || hosts().iter().any(|host| host == it.origin()));
                let (path, query) = it.target();
                prop_assert_eq!(decoded(sent.path()), decoded(path));
                prop_assert_eq!(sent.query().map(decoded), query.map(decoded));
                let fragment = it.url().split_once('#').map(|(_, fragment)| fragment);
                prop_assert_eq!(sent.fragment().map(decoded), fragment.map(decoded));
                prop_assert!(!it.url().contains(char::is_control));
            }
        }

        #[test]
        fn never_panics(text in any::<String>()) {
            let _ = ReturnTo::parse(&text, HERE, &hosts());
        }

        #[test]
        fn what_is_written_is_taken_back(path in "(/[a-z:.]{0,4}[a-z]){1,4}(\\?[!-~&&[^\"<>`#]]{0,8})?") {
            let wanted = [HERE, &path].concat();
            prop_assert_eq!(read(&written(HERE, &path)), Some(wanted));
        }
    }
}
