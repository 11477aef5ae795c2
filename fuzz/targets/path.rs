//! The path of a request: a rule decides it only where every server would read the same rule's path.
//!
//! First line: the path as received. Second line: method. Third line: authority.

#[path = "../../tests/paths/reference.rs"]
#[allow(dead_code)] // what its other users need
pub mod reference;

use super::{first_line, text};
use edgeward::path::{MAX_OCTETS, MAX_READINGS, PathError, RequestPath};
use edgeward::policy::{Access, Choice, Kinds, PathCase, Rule, RuleSet};
use edgeward::request::host_of;
use reference::Outcome;
use std::sync::LazyLock;

/// Folders of every kind of access, beside and inside of each other.
static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let rules = [
        rule("/pub/*", Access::Public),
        rule("/pub/{id}/edit", Access::Authenticated),
        Rule { methods: Some(vec!["POST".into()]), ..rule("/pub/form", Access::Authenticated) },
        rule("/admin/*", Access::Denied),
        Rule { host: Some("api.example".into()), ..rule("/api/*", Access::Public) },
        Rule { methods: Some(vec!["GET".into()]), ..rule("/api/{version}/open", Access::Public) },
        rule("/caf\u{e9}", Access::Public),
        rule("/", Access::Public),
    ];
    rules.into_iter().enumerate().map(|(index, rule)| Rule { index: Some(index), ..rule }).collect()
});

fn rule(path: &str, access: Access) -> Rule {
    Rule { path: path.into(), access, ..Rule::protected(Kinds::NONE) }
}

static SET: LazyLock<RuleSet> = LazyLock::new(|| {
    RuleSet::new(RULES.clone(), Rule::protected(Kinds::NONE), PathCase::Exact).expect("good rules")
});

/// Checks the readings of the path, and the rule it falls to.
pub fn run(data: &[u8]) {
    let text = text(data);
    let (path, rest) = first_line(&text);
    let (method, rest) = first_line(rest);
    let host = host_of(first_line(rest).0);
    match RequestPath::parse(path) {
        Err(PathError::NotAbsolute) => assert!(!path.starts_with('/')),
        Err(PathError::TooManyReadings) => {}
        Err(error) => assert!(is_undecodable(path, error), "{path:?} can be decoded: {error}"),
        Ok(parsed) => {
            bounded(&parsed);
            plain(path, &parsed);
            chosen(path, &parsed, method, &host);
        }
    }
}

/// Whether the second implementation cannot decode the path either. It drops no NULs: `%`, NUL, `ff` is nothing to it.
fn is_undecodable(path: &str, error: PathError) -> bool {
    let may_hold_nul = path.contains('\0') || path.contains("00");
    reference::readings(path).is_none() || error == PathError::NotUtf8 && may_hold_nul
}

/// Few readings, no two of them the same, each of segments that do not split again.
fn bounded(path: &RequestPath<'_>) {
    let readings: Vec<Vec<&[u8]>> = path.readings().map(|reading| reading.segments().collect()).collect();
    let octets: usize = readings.iter().flatten().map(|segment| segment.len() + 1).sum();
    assert!((1..=MAX_READINGS).contains(&readings.len()), "{} readings", readings.len());
    assert!(octets <= MAX_OCTETS || !path.bears_marks(), "{octets} octets");
    for segment in readings.iter().flatten() {
        assert!(!segment.contains(&b'/'));
        assert!(segment.split(|octet| *octet == 0xFF).all(|part| std::str::from_utf8(part).is_ok()));
    }
}

/// A path without marks is what it looks like, and the same encoded.
fn plain(raw: &str, path: &RequestPath<'_>) {
    if path.bears_marks() {
        return;
    }
    assert!(raw.is_ascii() && !raw.contains(['%', '\\', ';', '?', '#', '\0']), "{raw:?}");
    let segments: Vec<Vec<u8>> = reference::split(raw).into_iter().map(String::into_bytes).collect();
    assert!(!segments.iter().any(|segment| matches!(&**segment, b"" | b"." | b"..")), "{raw:?}");
    assert_eq!(readings(path), [segments]);
    let encoded: String =
        raw.bytes().map(|octet| if octet == b'/' { "/".into() } else { format!("%{octet:02X}") }).collect();
    assert_eq!(readings(&RequestPath::parse(&encoded).expect("encoded once")), readings(path));
}

fn readings(path: &RequestPath<'_>) -> Vec<Vec<Vec<u8>>> {
    path.readings().map(|reading| reading.segments().map(<[u8]>::to_vec).collect()).collect()
}

/// What decides is what a second implementation finds for each of its readings.
fn chosen(raw: &str, path: &RequestPath<'_>, method: &str, host: &str) {
    let found = outcome(path, method, host);
    if method == "GET" {
        assert_eq!(outcome(path, "HEAD", host), found, "HEAD is decided as GET");
    }
    if found == Outcome::Ambiguous {
        return assert!(path.bears_marks(), "{raw:?} has one reading");
    }
    let readings = reference::readings(raw).expect("what was read can be decoded");
    for reading in readings {
        let expected = reference::choose(&RULES, &reading, method, host);
        let decided = if found == Outcome::ReservedMarked { Outcome::Reserved } else { found };
        assert_eq!(decided, expected, "{method} {host} {raw:?} as {reading:?}");
    }
}

fn outcome(path: &RequestPath<'_>, method: &str, host: &str) -> Outcome {
    match SET.choose(path, method, host) {
        Choice::Rule(rule) => {
            assert_eq!(
                rule.access == Access::Public,
                rule.index.is_some_and(|index| RULES[index].access == Access::Public)
            );
            rule.index.map_or(Outcome::Default, Outcome::Rule)
        }
        Choice::Unlisted(rule) => Outcome::Unlisted(rule.index.expect("the default rule takes every method")),
        Choice::Reserved => Outcome::Reserved,
        Choice::ReservedMarked => Outcome::ReservedMarked,
        Choice::Ambiguous => Outcome::Ambiguous,
    }
}
