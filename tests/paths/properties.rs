//! The product against the reference, on random rules and paths.

use super::reference::{self, Outcome};
use super::{numbered, outcome, paths, rule, set};
use edgeward::path::{PathError, RequestPath};
use edgeward::policy::{Choice, Kinds, PathCase, Rule, RuleSet};
use proptest::prelude::*;

fn any_pattern() -> impl Strategy<Value = String> {
    let segment = prop::sample::select(vec!["a", "b", "pub", "admin", "{x}", "{y}"]);
    (prop::collection::vec(segment, 0..4), any::<bool>()).prop_map(|(segments, below)| {
        let path: String = segments.iter().flat_map(|segment| ["/", segment]).collect();
        if below || path.is_empty() { path + if below { "/*" } else { "/" } } else { path }
    })
}

fn any_rule() -> impl Strategy<Value = Rule> {
    let host = prop::sample::select(vec![None, None, Some("h"), Some("i")]);
    let methods: Vec<&[&str]> = vec![&[], &[], &["GET"], &["HEAD", "GET"], &["POST"], &["POST", "PUT"]];
    (any_pattern(), host, prop::sample::select(methods))
        .prop_map(|(path, host, methods)| rule(&path, host, methods))
}

/// Rules of which no two are equal.
fn any_rules() -> impl Strategy<Value = Vec<Rule>> {
    prop::collection::vec(any_rule(), 0..24).prop_map(|rules| {
        let mut kept: Vec<Rule> = Vec::new();
        for rule in rules {
            if !kept.iter().any(|other| reference::equal(other, &rule)) {
                kept.push(rule);
            }
        }
        numbered(kept)
    })
}

fn plain_path() -> impl Strategy<Value = String> {
    let segment = prop::sample::select(vec!["a", "b", "pub", "admin", "z", ".edgeward"]);
    (prop::collection::vec(segment, 0..5), any::<bool>()).prop_map(|(segments, slash)| {
        let path: String = segments.iter().flat_map(|segment| ["/", segment]).collect();
        if slash || path.is_empty() { path + "/" } else { path }
    })
}

fn marked_path() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "/",
        "/",
        "/",
        "/a",
        "/b",
        "/pub",
        "/admin",
        "/.edgeward",
        "a",
        "b",
        "x",
        ".",
        "..",
        "/..",
        "/../",
        "/..;/",
        "//",
        ";",
        ";x",
        "\\",
        "%2e",
        "%2e%2e",
        "%252e%252e",
        "%2f",
        "%2F",
        "%252f",
        "%5c",
        "%255C",
        "%3b",
        "%3f",
        "%23",
        "%00",
        "%61",
        "%2561",
        "%25",
        "%2525",
        "%25zz",
        "%C3%A9",
        "é",
        "%25c3%25a9",
        "%252525",
        "%ff",
        "%",
    ]);
    prop::collection::vec(part, 0..9).prop_map(|parts| "/".to_owned() + &parts.concat())
}

fn any_method() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["GET", "HEAD", "POST", "PUT", "FROB", "get"])
}

fn any_host() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["h", "i", "j"])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn the_tree_agrees_with_a_sorted_list(
        rules in any_rules(), paths in prop::collection::vec(plain_path(), 16), method in any_method(), host in any_host(),
    ) {
        let set = set(rules.clone(), PathCase::Exact);
        for path in paths {
            let segments = reference::split(&path);
            let expected = reference::choose(&rules, &segments, method, host);
            prop_assert_eq!(outcome(&set, &path, method, host), expected, "{} {}{}", method, host, path);
        }
    }

    #[test]
    fn equal_rules_are_found_wherever_they_stand(rules in prop::collection::vec(any_rule(), 0..8)) {
        let equal = rules.iter().enumerate().any(|(n, a)| rules[..n].iter().any(|b| reference::equal(a, b)));
        let refused = RuleSet::new(numbered(rules), Rule::protected(Kinds::NONE), PathCase::Exact).is_err();
        prop_assert_eq!(refused, equal);
    }

    #[test]
    fn readings_that_part_are_ambiguous(
        rules in any_rules(), paths in prop::collection::vec(marked_path(), 2), method in any_method(), host in any_host(),
    ) {
        let set = set(rules.clone(), PathCase::Exact);
        for path in paths {
            let found = outcome(&set, &path, method, host);
            let Some(readings) = reference::readings(&path) else {
                prop_assert_eq!(found, Outcome::Ambiguous, "{} cannot be decoded", path);
                continue;
            };
            for reading in readings {
                let expected = reference::choose(&rules, &reading, method, host);
                let decided = if found == Outcome::ReservedMarked { Outcome::Reserved } else { found };
                prop_assert!(decided == Outcome::Ambiguous || decided == expected, "{path} is {decided:?}, {reading:?} {expected:?}");
            }
        }
    }

    #[test]
    fn what_cannot_be_decoded_is_refused_and_nothing_else_is(path in marked_path()) {
        let refused = match RequestPath::parse(&path) {
            Ok(_) | Err(PathError::TooManyReadings) => false,
            // The reference drops no NULs, so it does not see that `%`, NUL, `ab` becomes an octet that is no UTF-8.
            Err(PathError::NotUtf8) if path.contains("%00") => return Ok(()),
            Err(_) => true,
        };
        prop_assert_eq!(refused, reference::readings(&path).is_none());
    }

    #[test]
    fn one_rule_for_all_is_never_ambiguous(path in marked_path()) {
        let set = paths(&["/*"]);
        if let (Ok(parsed), false) = (RequestPath::parse(&path), path.contains("edgeward")) {
            prop_assert!(matches!(set.choose(&parsed, "GET", "h"), Choice::Rule(rule) if rule.index == Some(0)));
        }
    }

    #[test]
    fn never_panics(pattern in "/?[\\PC/*{}%;?.]{0,12}", path in "/[\\PC/%;?.]{0,24}", method in "\\PC{0,4}", host in "\\PC{0,4}") {
        let rules = vec![rule(&pattern, Some(&host), &[&method]), rule(&pattern, None, &[])];
        for case in [PathCase::Exact, PathCase::Ignore] {
            let set = RuleSet::new(rules.clone(), Rule::protected(Kinds::NONE), case)
                .or_else(|_| RuleSet::new(rules[1..].to_vec(), Rule::protected(Kinds::NONE), case));
            if let (Ok(set), Ok(path)) = (set, RequestPath::parse(&path)) {
                let _ = set.choose(&path, &method, &host);
            }
        }
    }
}
