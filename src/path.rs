//! The path of a request, and every way in which it can be read.
//!
//! A rule is worth as much as the agreement between the gate and the origin about what a path means. Where they
//! read it differently, `/pub/..;/admin` is public to one and the admin page to the other. So a path is not
//! *normalised* here: all of its readings are found, and [`crate::policy::RuleSet::choose`] refuses the request
//! unless all of them fall to the same rule. The origin gets the received bytes.
//!
//! # One reading
//!
//! A path is split at `/` and each segment percent-decoded once (RFC 3986 §2.4, §3.3). `/a` and `/a/` are one path.
//! A path that bears none of these **marks** has that one reading and is never copied:
//!
//! - a `%`, or a character outside ASCII, which a URL parser percent-encodes: raw `é` and `%C3%A9` are one;
//! - `\`, `;`, `?`, `#` or NUL;
//! - a segment that is `.` or `..`;
//! - an empty segment, other than the last one.
//!
//! # All readings
//!
//! Servers do these **steps**, some of them, in different orders, and a chain of servers does some twice:
//!
//! 1. decode once more (the received path is decoded once, twice or three times);
//! 2. split segments at `\`;
//! 3. split segments at a decoded `/`;
//! 4. cut `;…` off each segment;
//! 5. resolve dot segments (RFC 3986 §5.2.4);
//! 6. drop empty segments;
//! 7. cut the path at its first `?`; 8. at its first `#`; 9. at its first NUL.
//!
//! The readings are the closure of the path decoded once under all steps in any order. That holds each
//! combination at each level, before and after each other step, and also what comes of two servers in a row of
//! which the first resolves dot segments and the second decodes again: `/pub/%252e%252e/admin/%252e%252e/%2e%2e/pub`
//! is `/admin/pub` to such a pair and to no single one of them.
//!
//! # Always refused
//!
//! A `%` that two hexadecimal digits do not follow, octets that are no UTF-8 at any level, and a path that still
//! changes when it is decoded a fourth time ([`PathError`]). A `%` that becomes invalid only deeper stands for
//! itself: `100%25` is `100%`. So is a path with more than [`MAX_READINGS`] readings, or [`MAX_OCTETS`] octets in
//! all of them: no honest path comes near, and an attacker's costs a bounded time.

mod decode;
mod readings;

use core::fmt;
pub(crate) use decode::{Stray, decode};
pub use readings::{MAX_OCTETS, MAX_READINGS};

/// Why a URI or path cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathError {
    /// No absolute `http:` or `https:` URI, or a path that does not begin with `/`.
    NotAbsolute,
    /// A `%` that two hexadecimal digits do not follow (RFC 3986 §2.1).
    InvalidPercent,
    /// Octets that are no UTF-8, however often they are decoded.
    NotUtf8,
    /// Still percent-encoded after three decodings.
    TooDeep,
    /// So many marks that its readings cannot all be looked at.
    TooManyReadings,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAbsolute => "The target is no absolute http or https URI.",
            Self::InvalidPercent => "The path has a % that two hexadecimal digits do not follow.",
            Self::NotUtf8 => "The path is not UTF-8 once it is percent-decoded.",
            Self::TooDeep => "The path is percent-encoded more than three times over.",
            Self::TooManyReadings => "The path can be read in too many ways.",
        })
    }
}

impl core::error::Error for PathError {}

/// The path of a request, with all of its readings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestPath<'p>(Readings<'p>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Readings<'p> {
    /// The path bears no marks: it is its own reading.
    Plain(&'p [u8]),
    /// The path bears marks.
    Marked(Vec<Vec<u8>>),
}

impl<'p> RequestPath<'p> {
    /// Finds the readings of a path as it was received, without its query. Copies nothing if it bears no marks.
    ///
    /// # Errors
    /// Every [`PathError`]: the request is to be refused as ambiguous, whatever the rules say.
    pub fn parse(raw: &'p str) -> Result<Self, PathError> {
        let path = raw.as_bytes();
        if path.first() != Some(&b'/') {
            return Err(PathError::NotAbsolute);
        }
        if !bears_marks(path) {
            return Ok(Self(Readings::Plain(path)));
        }
        let once = decode(path, Stray::Refused)?;
        readings::check_depth(&once)?;
        Ok(Self(Readings::Marked(readings::of(once)?)))
    }

    /// Whether the path bears a mark: whether there may be more than one reading.
    #[must_use]
    pub const fn bears_marks(&self) -> bool {
        matches!(self.0, Readings::Marked(_))
    }

    /// The readings, no two of them the same; the path decoded once comes first.
    pub fn readings(&self) -> impl Iterator<Item = Reading<'_>> {
        let (plain, marked) = match &self.0 {
            Readings::Plain(path) => (Some(*path), [].as_slice()),
            Readings::Marked(paths) => (None, paths.as_slice()),
        };
        plain.into_iter().chain(marked.iter().map(Vec::as_slice)).map(Reading)
    }
}

/// One reading of a path: its segments, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading<'a>(&'a [u8]);

/// Stands for a `/` inside of a segment: an octet that UTF-8 never has, so no received octet is taken for it.
pub(crate) const INNER_SLASH: u8 = 0xFF;

impl<'a> Reading<'a> {
    /// The first segment and what follows it, or `None` at the end. One empty segment at the end is none:
    /// `/a/` is `/a`.
    ///
    /// A segment is UTF-8, but for `0xFF`, which stands for a `/` that does not split.
    #[must_use]
    pub fn split_first(self) -> Option<(&'a [u8], Self)> {
        if matches!(self.0, [] | [b'/']) {
            return None;
        }
        let path = self.0.strip_prefix(b"/").unwrap_or(self.0);
        let end = path.iter().position(|octet| *octet == b'/').unwrap_or(path.len());
        let (segment, rest) = path.split_at_checked(end)?;
        Some((segment, Self(rest)))
    }

    /// The whole path, decoded: begins with `/` or is empty. `0xFF` stands for a `/` that does not split.
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The segments, in their order.
    pub fn segments(self) -> impl Iterator<Item = &'a [u8]> {
        let mut rest = self;
        core::iter::from_fn(move || {
            let (segment, after) = rest.split_first()?;
            rest = after;
            Some(segment)
        })
    }
}

/// Whether a path bears one of the marks of the module's list.
fn bears_marks(path: &[u8]) -> bool {
    path.iter().any(|octet| is_mark(*octet) || !octet.is_ascii())
        || Reading(path).segments().any(|segment| segment.is_empty() || is_dot_segment(segment))
}

/// Whether an octet alone gives a path another reading.
pub(crate) const fn is_mark(octet: u8) -> bool {
    matches!(octet, b'%' | b'\\' | b';' | b'?' | b'#' | 0)
}

/// Whether a decoded segment is `.` or `..` (RFC 3986 §3.3).
pub(crate) const fn is_dot_segment(segment: &[u8]) -> bool {
    matches!(segment, b"." | b"..")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The readings as texts, sorted; `|` for a `/` inside of a segment.
    fn readings(raw: &str) -> Result<Vec<String>, PathError> {
        let path = RequestPath::parse(raw)?;
        let text = |s: &[u8]| {
            let shown: Vec<u8> = s.iter().map(|b| if *b == INNER_SLASH { b'|' } else { *b }).collect();
            String::from_utf8(shown).expect("UTF-8")
        };
        let mut all: Vec<String> =
            path.readings().map(|r| r.segments().map(|s| format!("/{}", text(s))).collect()).collect();
        all.sort();
        all.dedup();
        Ok(all)
    }

    #[test]
    fn a_path_without_marks_is_its_own_reading() {
        for (raw, segments) in [
            ("/", &[] as &[&str]),
            ("/a", &["a"]),
            ("/a/", &["a"]),
            ("/a/b.c/..d/...", &["a", "b.c", "..d", "..."]),
            ("/~a:b@c,d=e&f+g!$'()*", &["~a:b@c,d=e&f+g!$'()*"]),
        ] {
            let path = RequestPath::parse(raw).expect("a path");
            assert!(matches!(path.0, Readings::Plain(plain) if plain == raw.as_bytes()), "{raw} was copied");
            let found: Vec<_> = path.readings().flat_map(Reading::segments).collect();
            assert_eq!(found, segments.iter().map(|s| s.as_bytes()).collect::<Vec<_>>(), "{raw}");
        }
    }

    #[test]
    fn marks_give_readings() {
        for (raw, expected) in [
            ("/caf%C3%A9", &["/café"] as &[&str]),
            ("/café", &["/café"]),
            ("/%61", &["/a"]),
            ("/a%20b/", &["/a b"]),
            ("/100%25", &["/100%"]),
            ("/%25zz", &["/%zz"]),
            ("/%2541", &["/%41", "/A"]),
            ("/%252541", &["/%2541", "/%41", "/A"]),
            ("//a", &["/", "//a", "/a"][1..]),
            ("/a//", &["/a", "/a/"]),
            ("/a/.", &["/a", "/a/."]),
            ("/a/../b", &["/a/../b", "/b"]),
            ("/a%5cb", &["/a/b", "/a\\b"]),
            ("/a%2Fb", &["/a/b", "/a|b"]),
            ("/a;x/b", &["/a/b", "/a;x/b"]),
            ("/a%00b/c", &["/a", "/a\0b/c", "/ab/c"]),
            ("/a/%3Fx", &["/a", "/a/?x"]),
            ("/a/%23x/../b", &["/a", "/a/#x/../b", "/a/b"]),
            ("/a/..;/b", &["/a/../b", "/a/..;/b", "/b"]),
        ] {
            assert_eq!(readings(raw).as_deref(), Ok(expected.map_strings().as_slice()), "{raw}");
        }
    }

    trait MapStrings {
        fn map_strings(&self) -> Vec<String>;
    }
    impl MapStrings for &[&str] {
        fn map_strings(&self) -> Vec<String> {
            self.iter().map(ToString::to_string).collect()
        }
    }

    #[test]
    fn the_order_of_steps_matters() {
        for (raw, reading, why) in [
            ("/a//../b", "/b", "empty segments dropped, then dots resolved"),
            ("/a//../b", "/a/b", "dots resolved, an empty segment popped"),
            ("/a;x%2f..%2fb", "/b", "split, then cut"),
            ("/a;x%2f..%2fb", "/a", "cut, then split"),
            ("/a/%3f/../b", "/a", "cut, then resolved"),
            ("/a/%3f/../b", "/a/b", "resolved, then nothing left to cut"),
            ("/a/%3f/%23/../../b", "/a/?", "cut at # alone"),
            ("/a/;x/../b", "/b", "cut, dropped, resolved"),
            ("/%252e%252e%2f..%2fb", "/b", "split, decoded, resolved"),
            ("/pub/%252e%252e/admin/%252e%252e/%2e%2e/pub", "/admin/pub", "resolved, decoded, resolved"),
        ] {
            let all = readings(raw).expect("readings");
            assert!(all.iter().any(|found| found == reading), "{raw}: {why} is missing in {all:?}");
        }
    }

    #[test]
    fn what_is_always_refused() {
        use PathError::{InvalidPercent, NotAbsolute, NotUtf8, TooDeep};
        for (raw, error) in [
            ("", NotAbsolute),
            ("*", NotAbsolute),
            ("a/b", NotAbsolute),
            ("/%", InvalidPercent),
            ("/%4", InvalidPercent),
            ("/a%zz", InvalidPercent),
            ("/%u002e", InvalidPercent),
            ("/%+1", InvalidPercent),
            ("/%4/1", InvalidPercent),
            ("/%ff", NotUtf8),
            ("/%c0%ae%c0%ae", NotUtf8),
            ("/%C3/%A9", NotUtf8),
            ("/%C3%2F%A9", NotUtf8),
            ("/%ed%a0%80", NotUtf8),
            ("/%25ff", NotUtf8),
            ("/%2525c0%2525ae", NotUtf8),
            ("/%25252541", TooDeep),
            ("/%25252525", TooDeep),
        ] {
            assert_eq!(readings(raw), Err(error), "{raw}");
        }
    }

    /// Found by fuzzing: dropping NULs is the one step that joins octets, and so the one that makes new escapes.
    #[test]
    fn an_escape_that_a_dropped_nul_makes_is_read_or_refused() {
        for raw in ["/a%25%00ff", "/%25%00ad/b", "/%2525%2500c0", "/a%25f%00f"] {
            assert_eq!(readings(raw), Err(PathError::NotUtf8), "{raw}");
        }
        assert_eq!(
            readings("/%25%0041").as_deref(),
            Ok((&["/%", "/%\x0041", "/%41", "/A"] as &[&str]).map_strings().as_slice())
        );
    }

    #[test]
    fn three_levels_are_read_and_no_more() {
        assert_eq!(readings("/%252525").as_deref().map(<[_]>::len), Ok(3));
        assert_eq!(readings("/%252525zz").as_deref().map(<[_]>::len), Ok(3), "%zz stands for itself");
    }

    #[test]
    fn an_attackers_path_is_bounded() {
        let marks = "/a%5c..;x%2f..%3fb%23c%00d//./%252e%252e/e;f/../g%252f%255c%253b%253f";
        assert!(marks.repeat(110).len() < 8192);
        for raw in [marks.repeat(110), "/%2f..;%5c".repeat(800), "/../%2e%2e;//".repeat(600)] {
            if let Ok(path) = RequestPath::parse(&raw) {
                let octets: usize = path.readings().map(|r| r.0.len()).sum();
                assert!(path.readings().count() <= MAX_READINGS && octets <= MAX_OCTETS, "{raw}");
            }
        }
        let long = format!("/{}", "%20".repeat(20_000));
        assert_eq!(readings(&long).map(|all| all.len()), Ok(1), "length alone is no reason to refuse");
    }

    proptest! {
        #[test]
        fn never_panics(raw in "\\PC*") {
            let _ = RequestPath::parse(&raw);
        }

        #[test]
        fn never_panics_on_marks(raw in "/([ab./;%25cCefF03?#\\\\]|%2[ef35]|%5c|%00){0,24}") {
            let _ = RequestPath::parse(&raw);
        }

        #[test]
        fn an_encoded_path_is_the_path(plain in "/[a-z/]{0,12}") {
            let encoded: String =
                plain.bytes().map(|b| if b == b'/' { "/".into() } else { format!("%{b:02x}") }).collect();
            prop_assert_eq!(readings(&encoded), readings(&plain));
        }
    }
}
