//! Path patterns: `/a/b`, `/a/*`, `/a/{name}`.
//!
//! A pattern is written like a path, percent-encoded or not: `/caf%C3%A9` and `/café` are one. `*` stands only
//! as the last segment, `{name}` only as a whole one; `%2A`, `%7B` and `%7D` are the plain characters. What could
//! never be matched, because every request for it is ambiguous, is refused here with the fix.

use super::rules::PathCase;
use crate::config::quote;
use crate::path::{INNER_SLASH, PathError, Stray, decode, is_dot_segment, is_mark};
use crate::text;

/// The most segments a pattern may have: it bounds how deep the search for a rule goes.
pub const MAX_SEGMENTS: usize = 64;

/// The first segment of every path that is Edgeward's own.
pub const RESERVED: &[u8] = b".edgeward";

/// A path pattern, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    /// What it wants of each segment.
    pub segments: Vec<Segment>,
    /// Whether it also matches all that is below: whether it ends with `/*`.
    pub below: bool,
}

/// What a pattern wants of one segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// This text, decoded; folded where case does not matter.
    Literal(Vec<u8>),
    /// Anything: `{name}`.
    Parameter,
}

/// What is wrong with a part of a rule: what was expected, and the fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub expected: &'static str,
    pub fix: String,
}

impl Wrong {
    pub fn new(expected: &'static str, fix: impl Into<String>) -> Self {
        Self { expected, fix: fix.into() }
    }
}

impl Pattern {
    /// Reads a pattern as the operator wrote it.
    pub fn parse(text: &str, case: PathCase) -> Result<Self, Wrong> {
        let Some(path) = text.strip_prefix('/') else { return Err(no_slash(text)) };
        forbid_characters(text)?;
        let path = path.strip_suffix('/').unwrap_or(path);
        let mut written: Vec<&str> = if path.is_empty() { Vec::new() } else { path.split('/').collect() };
        let below = written.pop_if(|last| *last == "*").is_some();
        if text.starts_with("//") || written.len() > MAX_SEGMENTS {
            return Err(bad_segments(written.len()));
        }
        let segments = written.into_iter().map(|s| Segment::parse(s, case)).collect::<Result<_, _>>()?;
        Self { segments, below }.unless_reserved(case)
    }

    fn unless_reserved(self, case: PathCase) -> Result<Self, Wrong> {
        match self.segments.first() {
            Some(Segment::Literal(first)) if *case.fold(first) == *RESERVED => Err(Wrong::new(
                "a path outside of /.edgeward/, which is reserved",
                "Remove the rule: paths below /.edgeward/ are Edgeward's own and follow their own rules.",
            )),
            Some(_) | None => Ok(self),
        }
    }
}

impl Segment {
    fn parse(written: &str, case: PathCase) -> Result<Self, Wrong> {
        if written.is_empty() {
            return Err(bad_segments(0));
        }
        if written.contains('*') {
            return Err(Wrong::new(
                "* only as the last whole segment",
                "End the path with /* for all below, write {name} for one segment, or %2A for a plain *.",
            ));
        }
        if written.contains(['{', '}']) {
            return Self::parse_parameter(written);
        }
        let literal = decode(written.as_bytes(), Stray::Refused).map_err(undecodable)?;
        forbid_marks(&literal)?;
        Ok(Self::Literal(case.fold(&literal).into_owned()))
    }

    fn parse_parameter(written: &str) -> Result<Self, Wrong> {
        let name = written.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let is_name = |name: &str| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
        };
        if name.is_some_and(is_name) {
            return Ok(Self::Parameter);
        }
        Err(Wrong::new(
            "{name} as a whole segment, its name of letters, digits, _ and -",
            "Write for example /users/{id}, or %7B and %7D for plain braces.",
        ))
    }
}

fn no_slash(text: &str) -> Wrong {
    let path = text::cut(text, "://").map_or(text, |(_, rest)| rest.split_once('/').map_or("", |(_, p)| p));
    Wrong::new("a path that begins with /", ["Write ", &quote::quote(&["/", path].concat()), "."].concat())
}

/// Refuses what a path never holds as it stands.
fn forbid_characters(text: &str) -> Result<(), Wrong> {
    const EXPECTED: &str = "a path without ?, #, \\, ; and control characters";
    let fix = match text.chars().find(|c| matches!(c, '?' | '#' | '\\' | ';') || c.is_control()) {
        None => return Ok(()),
        Some('?' | '#') => "Leave out the query and the fragment: a rule matches the path alone.",
        Some('\\') => "Write / between segments.",
        Some(';') => "Leave out the parameters: a rule for the segment without them decides.",
        Some(_) => "Leave out the control character.",
    };
    Err(Wrong::new(EXPECTED, fix))
}

/// Refuses a segment that has more than one reading, once it is decoded: no request for it would reach the rule.
fn forbid_marks(segment: &[u8]) -> Result<(), Wrong> {
    const EXPECTED: &str = "segments that can be read in one way only";
    if is_dot_segment(segment) {
        return Err(Wrong::new(EXPECTED, "Write the path with its . and .. resolved."));
    }
    let splits = segment.contains(&INNER_SLASH) || segment.iter().any(|b| *b != b'%' && is_mark(*b));
    if splits || decode(segment, Stray::Kept).as_deref() != Ok(segment) {
        return Err(Wrong::new(
            EXPECTED,
            "Write a rule for what stands before it, ended with /*: requests with an encoded /, \\, ;, ?, #, % \
             or NUL are decided only where every reading falls to the same rule.",
        ));
    }
    Ok(())
}

fn undecodable(error: PathError) -> Wrong {
    match error {
        PathError::InvalidPercent => {
            Wrong::new("two hexadecimal digits after each %", "Write %25 for a plain %.")
        }
        _ => Wrong::new("UTF-8 once it is percent-decoded", "Write the characters themselves, not encoded."),
    }
}

fn bad_segments(count: usize) -> Wrong {
    if count > MAX_SEGMENTS {
        return Wrong::new("at most 64 segments", "Write a shorter path that ends with /*.");
    }
    Wrong::new("no empty segments", "Write one / between segments.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literal(text: &str) -> Segment {
        Segment::Literal(text.into())
    }

    #[test]
    fn takes_patterns_apart() {
        for (text, segments, below) in [
            ("/", vec![], false),
            ("/*", vec![], true),
            ("/a", vec![literal("a")], false),
            ("/a/", vec![literal("a")], false),
            ("/a/*", vec![literal("a")], true),
            ("/a/*/", vec![literal("a")], true),
            ("/a/{id}/b", vec![literal("a"), Segment::Parameter, literal("b")], false),
            ("/{a-B_9}/*", vec![Segment::Parameter], true),
            ("/caf%C3%A9", vec![literal("café")], false),
            ("/café", vec![literal("café")], false),
            ("/%2A/%7Bx%7D", vec![literal("*"), literal("{x}")], false),
            ("/100%25/my file", vec![literal("100%"), literal("my file")], false),
            ("/A/.b/...", vec![literal("A"), literal(".b"), literal("...")], false),
        ] {
            assert_eq!(Pattern::parse(text, PathCase::Exact), Ok(Pattern { segments, below }), "{text}");
        }
        let folded = Pattern::parse("/CAFÉ/{Id}/%41", PathCase::Ignore).map(|pattern| pattern.segments);
        assert_eq!(folded, Ok(vec![literal("café"), Segment::Parameter, literal("a")]));
    }

    #[test]
    fn says_what_is_wrong_and_what_to_write() {
        for (text, part) in [
            ("", "Write \"/\"."),
            ("*", "Write \"/*\"."),
            ("a/b", "Write \"/a/b\"."),
            ("https://h.example/a/*", "Write \"/a/*\"."),
            ("/a?x=1", "Leave out the query"),
            ("/a#x", "fragment"),
            ("/a\\b", "Write / between"),
            ("/a;v=1", "Leave out the parameters"),
            ("/a\0", "control character"),
            ("//", "Write one /"),
            ("//a", "Write one /"),
            ("/a//b", "Write one /"),
            ("/a//", "Write one /"),
            ("//*", "Write one /"),
            ("/a/./b", "resolved"),
            ("/a/..", "resolved"),
            ("/%2e%2E/a", "resolved"),
            ("/a*", "End the path with /*"),
            ("/*/b", "End the path with /*"),
            ("/**", "End the path with /*"),
            ("/{}", "/users/{id}"),
            ("/{a b}", "/users/{id}"),
            ("/{a", "/users/{id}"),
            ("/x{a}", "/users/{id}"),
            ("/{a}{b}", "/users/{id}"),
            ("/100%", "Write %25"),
            ("/%zz", "Write %25"),
            ("/%ff", "not encoded"),
            ("/a%2Fb", "every reading"),
            ("/a%3Bb", "every reading"),
            ("/a%00", "every reading"),
            ("/%2541", "every reading"),
            ("/%25ff", "every reading"),
            ("/.edgeward", "Remove the rule"),
            ("/.edgeward/*", "Remove the rule"),
            ("/%2eedgeward/health", "Remove the rule"),
        ] {
            let wrong = Pattern::parse(text, PathCase::Exact).expect_err(text);
            assert!(wrong.fix.contains(part), "{text}: {wrong:?}");
        }
        assert!(Pattern::parse("/.EDGEWARD/x", PathCase::Exact).is_ok());
        assert!(Pattern::parse("/.EDGEWARD/x", PathCase::Ignore).is_err());
        assert!(Pattern::parse(&"/a".repeat(64), PathCase::Exact).is_ok());
        assert!(Pattern::parse(&"/a".repeat(65), PathCase::Exact).is_err());
    }
}
