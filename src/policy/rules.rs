//! Which rule decides a request.
//!
//! Patterns compare segment by segment from the left: at the first difference a literal precedes `{name}`, `{name}`
//! precedes `*`, and an end precedes `*`. Then a rule that names the request's host precedes one that names none.
//! Among the rules with the most specific path and host that match, the one that names the method decides, else
//! the one that names none; if there is neither, the request is denied. Nothing falls through to a less
//! specific path or host, and the order in the file means nothing.
//!
//! All readings of the path ([`crate::path`]) must fall to the same rule. What no rule matches falls to the default
//! rule; [`Choice::Unlisted`] and `/.edgeward/` count as rules of their own in this comparison.

use super::Rule;
use super::pattern::{Pattern, RESERVED};
use super::problems::{equal_rules, host_problem, methods_problem, path_problem};
use super::tree::{Node, Search};
use crate::case;
use crate::config::Problem;
use crate::path::{Reading, RequestPath};
use std::borrow::Cow;

/// Whether case matters in paths (`paths` in the policy).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PathCase {
    /// It does (the default; RFC 3986 §6.2.2.1).
    #[default]
    Exact,
    /// It does not, in any script: segments compare by the lower case of each character.
    Ignore,
}

impl PathCase {
    /// A decoded segment as it is compared. Copies only where there is something to change.
    pub(super) fn fold(self, segment: &[u8]) -> Cow<'_, [u8]> {
        let is_folded = |octet: &u8| octet.is_ascii() && !octet.is_ascii_uppercase();
        if self == Self::Exact || segment.iter().all(is_folded) {
            return Cow::Borrowed(segment);
        }
        let mut folded = String::with_capacity(segment.len());
        let mut octets = Vec::with_capacity(segment.len());
        for chunk in segment.utf8_chunks() {
            folded.clear();
            chunk.valid().chars().for_each(|character| case::push_lower(&mut folded, character));
            octets.extend_from_slice(folded.as_bytes());
            octets.extend_from_slice(chunk.invalid());
        }
        Cow::Owned(octets)
    }
}

/// The rules of a policy, and the one that holds where none matches.
#[derive(Clone, Debug)]
pub struct RuleSet {
    rules: Vec<Rule>,
    default: Rule,
    case: PathCase,
    tree: Node,
}

/// What a request falls to.
#[derive(Clone, Copy, Debug)]
pub enum Choice<'r> {
    /// A rule, or the default rule ([`Rule::index`] is `None`) where none matches.
    Rule(&'r Rule),
    /// Rules for this path and host, none of them for this method: `denied`. The first of them in the file.
    Unlisted(&'r Rule),
    /// `/.edgeward` or below it, by a path with one reading.
    Reserved,
    /// The same, by a path that bears marks: `not-found`.
    ReservedMarked,
    /// Readings of the path fall to different rules: `request-ambiguous`.
    Ambiguous,
}

/// What one reading falls to; by position, so that it can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Rule(usize),
    Unlisted(usize),
    Default,
    Reserved,
}

impl RuleSet {
    /// Takes up the rules of a policy.
    ///
    /// # Errors
    /// Every path, host or method that is wrong, and every two rules that a request could fall to alike.
    pub fn new(rules: Vec<Rule>, default: Rule, case: PathCase) -> Result<Self, Vec<Problem>> {
        let (mut tree, mut problems) = (Node::default(), Vec::new());
        for (position, rule) in rules.iter().enumerate() {
            problems.extend(host_problem(rule, position));
            problems.extend(methods_problem(rule, position));
            match Pattern::parse(&rule.path, case) {
                Err(wrong) => problems.push(path_problem(rule, position, wrong)),
                Ok(pattern) => {
                    let same = tree.insert(pattern, rule.host.as_deref(), rule.methods.as_deref(), position);
                    let other = same.err().and_then(|other| rules.get(other).map(|rule| (rule, other)));
                    problems.extend(other.map(|other| equal_rules((rule, position), other)));
                }
            }
        }
        if problems.is_empty() { Ok(Self { rules, default, case, tree }) } else { Err(problems) }
    }

    /// What a request falls to. `host` comes in lower case, without port and trailing dot
    /// ([`crate::request::host_of`]); `method` as it is, HEAD is decided as GET here.
    #[must_use]
    pub fn choose(&self, path: &RequestPath<'_>, method: &str, host: &str) -> Choice<'_> {
        let mut outcomes = path.readings().map(|reading| self.outcome(reading, method, host));
        let Some(first) = outcomes.next() else { return Choice::Ambiguous };
        if outcomes.any(|other| other != first) {
            return Choice::Ambiguous;
        }
        // A position comes out of the tree as it went in, so the rule is there; were it not, nobody gets in.
        let rule = |position, choice: fn(_) -> _| self.rules.get(position).map_or(Choice::Ambiguous, choice);
        match first {
            Outcome::Rule(position) => rule(position, Choice::Rule),
            Outcome::Unlisted(position) => rule(position, Choice::Unlisted),
            Outcome::Default => Choice::Rule(&self.default),
            Outcome::Reserved if path.bears_marks() => Choice::ReservedMarked,
            Outcome::Reserved => Choice::Reserved,
        }
    }

    /// The rule that holds where none matches.
    #[must_use]
    pub const fn default_rule(&self) -> &Rule {
        &self.default
    }

    /// Every rule in the order of the file, then the default rule.
    pub fn iter(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().chain(core::iter::once(&self.default))
    }

    /// Whether case matters in paths.
    #[must_use]
    pub const fn case(&self) -> PathCase {
        self.case
    }

    fn outcome(&self, reading: Reading<'_>, method: &str, host: &str) -> Outcome {
        if reading.split_first().is_some_and(|(first, _)| *self.case.fold(first) == *RESERVED) {
            return Outcome::Reserved;
        }
        let mut search = Search { host, case: self.case, visited: 0 };
        match self.tree.find(reading, &mut search).map(|methods| methods.find(method)) {
            Some(Ok(rule)) => Outcome::Rule(rule),
            Some(Err(rule)) => Outcome::Unlisted(rule),
            None => Outcome::Default,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Kinds;

    fn rule(path: &str) -> Rule {
        Rule { path: path.into(), ..Rule::protected(Kinds::NONE) }
    }

    fn with(path: &str, host: Option<&str>, methods: &[&str]) -> Rule {
        let methods = (!methods.is_empty()).then(|| methods.iter().map(ToString::to_string).collect());
        Rule { host: host.map(Into::into), methods, ..rule(path) }
    }

    fn problems(rules: Vec<Rule>, case: PathCase) -> Vec<String> {
        let set = RuleSet::new(rules, Rule::protected(Kinds::NONE), case);
        set.err().unwrap_or_default().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn equal_rules_are_a_problem() {
        let any = |path| with(path, None, &[]);
        for (one, two) in [
            (any("/a"), any("/a/")),
            (any("/a/{x}"), any("/a/{y}")),
            (any("/{x}/*"), any("/{y}/*")),
            (any("/caf%C3%A9"), any("/café")),
            (with("/a", Some("h"), &[]), with("/a", Some("h"), &[])),
            (with("/a", None, &["GET", "PUT"]), with("/a", None, &["POST", "PUT"])),
            (with("/a", None, &["HEAD"]), with("/a", None, &["GET"])),
        ] {
            let found = problems(vec![rule("/z"), one, two], PathCase::Exact);
            assert_eq!(found.len(), 1, "{found:?}");
            assert!(found[0].starts_with(
                "EDGEWARD.rules[2]: found the same path, host and method as rules[1], expected"
            ));
        }
        assert_eq!(problems(vec![rule("/A"), rule("/a")], PathCase::Ignore).len(), 1);
    }

    #[test]
    fn different_rules_are_none() {
        let rules = vec![
            rule("/a"),
            rule("/A"),
            rule("/a/*"),
            rule("/{x}"),
            with("/a", Some("h"), &[]),
            with("/a", Some("i"), &[]),
            with("/a", None, &["GET", "HEAD", "GET"]),
            with("/a", None, &["POST"]),
            with("/a", Some("h"), &["POST"]),
            with("/a", Some("[::1]"), &["X-CUSTOM~method"]),
        ];
        assert_eq!(problems(rules, PathCase::Exact), Vec::<String>::new());
    }

    #[test]
    fn every_problem_names_its_place() {
        let mut late = rule("b");
        late.index = Some(7);
        let rules = vec![
            rule("/ok"),
            with("/a", None, &["GET", "post"]),
            with("/a", None, &[" "]),
            with("/b", Some("Api.Example:443"), &[]),
            Rule { methods: Some(Vec::new()), ..rule("/a//b") },
            late,
        ];
        let found = problems(rules, PathCase::Exact);
        let expected = [
            "EDGEWARD.rules[1].methods: found \"post\", expected a method in upper case, as methods are \
             case-sensitive. Write \"POST\".",
            "EDGEWARD.rules[2].methods: found \" \", expected a method (RFC 9110 §5.6.2, token)",
            "EDGEWARD.rules[3].host: found \"Api.Example:443\", expected one host in lower case",
            "EDGEWARD.rules[4].methods: found no method",
            "EDGEWARD.rules[4].path: found \"/a//b\", expected no empty segments. Write one / between segments.",
            "EDGEWARD.rules[7].path: found \"b\", expected a path that begins with /. Write \"/b\".",
        ];
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(expected), "{found}");
        }
        for host in ["", "h.", "*.h", "h/x", "a b", "bücher.example", "[", "[]", "http://h"] {
            assert_eq!(problems(vec![with("/", Some(host), &[])], PathCase::Exact).len(), 1, "{host}");
        }
    }

    /// Found while the configuration was fuzzed: a URL in the place of a path was shown with its password, in the fix too.
    #[test]
    fn a_password_in_the_place_of_a_path_is_not_shown() {
        for path in ["https://ann:hunter2@h.example/a", "ann:hunter2@h.example", "/ann:hunter2@h//a"] {
            let found = problems(vec![rule(path)], PathCase::Exact);
            assert_eq!(found.len(), 1, "{path}");
            assert!(found[0].contains("(not shown)") && !found[0].contains("hunter2"), "{}", found[0]);
        }
    }

    /// How many nodes a search looks at.
    fn visits(set: &RuleSet, path: &str) -> usize {
        let path = RequestPath::parse(path).expect("a path");
        let mut search = Search { host: "h", case: set.case, visited: 0 };
        for reading in path.readings() {
            set.tree.find(reading, &mut search);
        }
        search.visited
    }

    fn numbered(count: usize, pattern: fn(usize) -> String) -> RuleSet {
        let rules = (0..count).map(|n| rule(&pattern(n))).collect();
        RuleSet::new(rules, Rule::protected(Kinds::NONE), PathCase::Exact).expect("good rules")
    }

    #[test]
    fn a_thousand_rules_cost_no_more_than_ten() {
        let patterns: [fn(usize) -> String; 4] = [
            |n| format!("/api/v{n}/users"),
            |n| format!("/site{n}/*"),
            |n| format!("/{{tenant}}/page{n}/{{id}}"),
            |n| format!("/a/b/c{n}/{{id}}/*"),
        ];
        for pattern in patterns {
            let (few, many) = (numbered(10, pattern), numbered(1000, pattern));
            for path in ["/", "/api/v7/users", "/site3/x/y/z", "/t/page9/5", "/a/b/c1/2/3/4/5/6", "/none"] {
                assert_eq!(visits(&few, path), visits(&many, path), "{} {path}", pattern(0));
                assert!(visits(&many, path) <= path.matches('/').count() + 1, "{path}");
            }
        }
    }

    #[test]
    fn going_back_is_bounded() {
        // Both a text and {name} after every prefix, four deep, none of them with a rule that matches at the end.
        let choices = |n: usize| (0..4).map(move |bit| if n >> bit & 1 == 0 { "/a" } else { "/{x}" });
        let rules = (0..16).map(|n| rule(&(choices(n).collect::<String>() + "/end"))).collect();
        let set = RuleSet::new(rules, Rule::protected(Kinds::NONE), PathCase::Exact).expect("good rules");
        assert_eq!(visits(&set, "/a/a/a/a/none"), 31);
        assert_eq!(visits(&set, &"/a".repeat(1000)), 31, "a long path costs no more");
        assert_eq!(visits(&set, "/b/b/b/b/end"), 6);
    }

    #[test]
    fn nothing_is_copied_to_compare() {
        assert!(matches!(PathCase::Exact.fold("Ä".as_bytes()), Cow::Borrowed(_)));
        assert!(matches!(PathCase::Ignore.fold(b"abc-1"), Cow::Borrowed(_)));
        assert_eq!(*PathCase::Ignore.fold(b"A\xFF\xC3\x89"), *b"a\xFF\xC3\xA9");
    }
}
