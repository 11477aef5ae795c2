//! Which rule a request falls to, whatever its path looks like.
//!
//! Tables hold the examples of the policy's description and the attacks that other gates met; `paths/properties.rs` holds
//! the product against `paths/reference.rs`, which says the same in another way: it sorts the rules and scans them, and
//! lists readings by nested choices on texts.

#[path = "paths/properties.rs"]
mod properties;
#[path = "paths/reference.rs"]
mod reference;

use edgeward::path::RequestPath;
use edgeward::policy::{Access, Choice, Kinds, PathCase, Rule, RuleSet};
use reference::Outcome;

fn rule(path: &str, host: Option<&str>, methods: &[&str]) -> Rule {
    let methods = (!methods.is_empty()).then(|| methods.iter().map(ToString::to_string).collect());
    Rule { path: path.into(), host: host.map(Into::into), methods, ..Rule::protected(Kinds::NONE) }
}

fn numbered(rules: Vec<Rule>) -> Vec<Rule> {
    rules.into_iter().enumerate().map(|(n, rule)| Rule { index: Some(n), ..rule }).collect()
}

fn set(rules: Vec<Rule>, case: PathCase) -> RuleSet {
    RuleSet::new(numbered(rules), Rule::protected(Kinds::NONE), case).expect("good rules")
}

fn paths(patterns: &[&str]) -> RuleSet {
    set(patterns.iter().map(|path| rule(path, None, &[])).collect(), PathCase::Exact)
}

fn outcome(set: &RuleSet, path: &str, method: &str, host: &str) -> Outcome {
    let Ok(path) = RequestPath::parse(path) else { return Outcome::Ambiguous };
    match set.choose(&path, method, host) {
        Choice::Rule(rule) => rule.index.map_or(Outcome::Default, Outcome::Rule),
        Choice::Unlisted(rule) => Outcome::Unlisted(rule.index.expect("the default rule takes every method")),
        Choice::Reserved => Outcome::Reserved,
        Choice::ReservedMarked => Outcome::ReservedMarked,
        Choice::Ambiguous => Outcome::Ambiguous,
    }
}

/// The path of the rule that decides a GET, or what else becomes of it.
fn decides(set: &RuleSet, path: &str) -> String {
    match outcome(set, path, "GET", "h") {
        Outcome::Rule(n) => set.iter().nth(n).map(|rule| rule.path.clone()).unwrap_or_default(),
        other => format!("{other:?}"),
    }
}

#[test]
fn the_most_specific_path_decides() {
    let patterns = [
        "/",
        "/a",
        "/a/b",
        "/a/*",
        "/a/{x}",
        "/a/{x}/c",
        "/{x}",
        "/{x}/b",
        "/{x}/b/c",
        "/a/b/*",
        "/deep/*",
        "/deep/{x}/{y}/z",
        "/deep/e/*",
    ];
    let mut reversed = patterns;
    reversed.reverse();
    for set in [paths(&patterns), paths(&reversed)] {
        for (path, expected) in [
            ("/", "/"),
            ("/a", "/a"),
            ("/a/", "/a"),
            ("/z", "/{x}"),
            ("/z/", "/{x}"),
            ("/a/b", "/a/b"),
            ("/a/z", "/a/{x}"),
            ("/a/b/", "/a/b"),
            ("/a/b/c", "/a/b/*"),
            ("/a/b/c/d", "/a/b/*"),
            ("/a/z/c", "/a/{x}/c"),
            ("/a/z/d", "/a/*"),
            ("/a/z/c/d", "/a/*"),
            ("/z/b", "/{x}/b"),
            ("/z/b/c", "/{x}/b/c"),
            ("/z/c", "Default"),
            ("/z/b/c/d", "Default"),
            ("/deep", "/deep/*"),
            ("/deep/e/y/z", "/deep/e/*"),
            ("/deep/f/y/z", "/deep/{x}/{y}/z"),
            ("/deep/f/y/w", "/deep/*"),
        ] {
            assert_eq!(decides(&set, path), expected, "{path}");
        }
    }
}

#[test]
fn an_end_precedes_a_star_and_a_star_matches_its_own_folder() {
    let set = paths(&["/*", "/a/*", "/b/*", "/b"]);
    for (path, expected) in [
        ("/", "/*"),
        ("/x/y", "/*"),
        ("/a", "/a/*"),
        ("/a/", "/a/*"),
        ("/ab", "/*"),
        ("/a/b/c", "/a/*"),
        ("/b", "/b"),
        ("/b/", "/b"),
        ("/b/c", "/b/*"),
    ] {
        assert_eq!(decides(&set, path), expected, "{path}");
    }
}

#[test]
fn then_the_host_decides_and_then_the_method() {
    use Outcome::{Default, Rule, Unlisted};
    let set = set(
        vec![
            rule("/api/*", Some("api.example"), &["GET", "HEAD"]),
            rule("/api/*", None, &[]),
            rule("/api/v1", Some("other.example"), &[]),
            rule("/form", None, &["POST"]),
            rule("/form", None, &[]),
            rule("/*", Some("www.example"), &["PURGE"]),
        ],
        PathCase::Exact,
    );
    for (path, method, host, expected) in [
        ("/api/x", "GET", "api.example", Rule(0)),
        ("/api/x", "HEAD", "api.example", Rule(0)),
        ("/api/x", "POST", "api.example", Unlisted(0)),
        ("/api/x", "get", "api.example", Unlisted(0)),
        ("/api/x", "POST", "h", Rule(1)),
        ("/api/v1", "GET", "other.example", Rule(2)),
        ("/api/v1", "GET", "api.example", Rule(0)),
        ("/api/v1", "POST", "api.example", Unlisted(0)),
        ("/api/v1", "GET", "h", Rule(1)),
        ("/form", "POST", "h", Rule(3)),
        ("/form", "PUT", "h", Rule(4)),
        ("/form", "FROB", "h", Rule(4)),
        ("/none", "GET", "h", Default),
        ("/none", "GET", "www.example", Unlisted(5)),
        ("/none", "PURGE", "www.example", Rule(5)),
        ("/form", "PURGE", "www.example", Rule(4)),
    ] {
        assert_eq!(outcome(&set, path, method, host), expected, "{method} {host}{path}");
    }
}

#[test]
fn head_is_decided_as_get() {
    let head = set(vec![rule("/a", None, &["HEAD"]), rule("/a", None, &["POST"])], PathCase::Exact);
    for (method, expected) in [
        ("GET", Outcome::Rule(0)),
        ("HEAD", Outcome::Rule(0)),
        ("POST", Outcome::Rule(1)),
        ("OPTIONS", Outcome::Unlisted(0)),
    ] {
        assert_eq!(outcome(&head, "/a", method, "h"), expected, "{method}");
    }
}

#[test]
fn case_matters_unless_it_is_told_not_to() {
    let rules = || vec![rule("/Admin/*", None, &[]), rule("/caf%C3%89/{Id}", None, &[])];
    let (exact, ignore) = (set(rules(), PathCase::Exact), set(rules(), PathCase::Ignore));
    for (path, in_exact, in_ignore) in [
        ("/Admin/x", "/Admin/*", "/Admin/*"),
        ("/ADMIN/x", "Default", "/Admin/*"),
        ("/%61dmin", "Default", "/Admin/*"),
        ("/café/1", "Default", "/caf%C3%89/{Id}"),
        ("/CAF%c3%89/1", "Default", "/caf%C3%89/{Id}"),
        ("/caf%c3%89/1", "/caf%C3%89/{Id}", "/caf%C3%89/{Id}"),
        ("/cafÉ/1", "/caf%C3%89/{Id}", "/caf%C3%89/{Id}"),
        ("/.EDGEWARD/health", "Default", "Reserved"),
    ] {
        assert_eq!(decides(&exact, path), in_exact, "{path}");
        assert_eq!(decides(&ignore, path), in_ignore, "{path}");
    }
}

#[test]
fn reserved_paths_are_a_rule_of_their_own() {
    let set = paths(&["/*", "/{x}/health"]);
    for (path, expected) in [
        ("/.edgeward", "Reserved"),
        ("/.edgeward/", "Reserved"),
        ("/.edgeward/health", "Reserved"),
        ("/.edgeward/brand/a/b", "Reserved"),
        ("/.edgewards", "/*"),
        ("/a/.edgeward/health", "/*"),
        ("/.edgeward/he%61lth", "ReservedMarked"),
        ("/%2eedgeward/health", "ReservedMarked"),
        ("/.edgeward//health", "ReservedMarked"),
        ("/.edgeward/./health", "ReservedMarked"),
        ("/.edgeward/brand/../health", "ReservedMarked"),
        ("/.edgeward/health;x", "ReservedMarked"),
        ("/.edgeward/a%2fb", "ReservedMarked"),
        ("/.edgeward/../x", "Ambiguous"),
        ("/.edgeward/%2e%2e/x", "Ambiguous"),
        ("/.edgeward;/health", "Ambiguous"),
        ("/.edgeward%2fhealth", "Ambiguous"),
        ("//.edgeward/health", "Ambiguous"),
        ("/x/../.edgeward/health", "Ambiguous"),
        ("/%252eedgeward/health", "Ambiguous"),
        ("/.edgeward/%zz", "Ambiguous"),
        ("/.edgeward/%ff", "Ambiguous"),
    ] {
        assert_eq!(decides(&set, path), expected, "{path}");
    }
}

/// Row 10 of the attacks that others met: a public folder, a denied one, the rest protected.
fn public_and_denied() -> RuleSet {
    let rules = vec![
        Rule { access: Access::Public, ..rule("/pub/*", None, &[]) },
        Rule { access: Access::Denied, ..rule("/admin/*", None, &[]) },
        Rule { scopes: vec!["read".into()], ..rule("/scoped/*", None, &[]) },
    ];
    set(rules, PathCase::Exact)
}

#[test]
fn no_attack_reaches_another_rule() {
    let set = public_and_denied();
    let up = [
        "../",
        "%2e%2e/",
        "%2E%2e/",
        ".%2e/",
        "%252e%252e/",
        "%25252e%25252e/",
        "..%2f",
        "%2e%2e%2f",
        "..%252f",
        "%2e%2e%252f",
        "..%25252f",
        "..;/",
        "..;x=y/",
        "..%3b/",
        "%2e%2e;/",
        "..%253b/",
        "..\\",
        "..%5c",
        "..%5C",
        "%2e%2e%5c",
        "..%255c",
        "x/../../",
        "x/..;/../",
        "./../",
        "/../",
        "..//",
        "%2f../",
        "x%2f..%2f..%2f",
        "%3f/../../",
        "%23/../../",
        "%00/../../",
        "x%3fy/../../",
        ";/../../",
        "..%3f/..%2f../",
        "%252e%252e%255c",
        "%5c../",
        "%2e%2e%2f%2e%2e%2f",
        "%252e%252e/admin/%252e%252e/%2e%2e/../",
    ];
    for (from, to) in
        [("pub", "admin"), ("pub", "scoped"), ("scoped", "admin"), ("admin", "pub"), ("pub", "other")]
    {
        for step in up {
            for path in [
                format!("/{from}/{step}{to}"),
                format!("/{from}/{step}{to}/x"),
                format!("/{from}/x/{step}{step}{to}"),
            ] {
                assert_eq!(outcome(&set, &path, "GET", "h"), Outcome::Ambiguous, "{path}");
            }
        }
    }
}

#[test]
fn an_attack_on_one_rule_is_refused_or_decided_by_it() {
    let set = public_and_denied();
    for (path, expected) in [
        ("/%61dmin", "/admin/*"),
        ("/%61%64%6d%69%6e/x", "/admin/*"),
        ("/admin/", "/admin/*"),
        ("/admin/.", "/admin/*"),
        ("/admin/./x", "/admin/*"),
        ("/admin//x", "/admin/*"),
        ("/admin/;x", "/admin/*"),
        ("/admin/%3f", "/admin/*"),
        ("/admin/x/..", "/admin/*"),
        ("/%2561dmin", "Ambiguous"),
        ("//admin", "Ambiguous"),
        ("///admin", "Ambiguous"),
        ("/./admin", "Ambiguous"),
        ("/x/../admin", "Ambiguous"),
        ("/admin;x", "Ambiguous"),
        ("/;x/admin", "Ambiguous"),
        ("/admin%3fx", "Ambiguous"),
        ("/admin%23/pub", "Ambiguous"),
        ("/admin%3f/../pub", "Ambiguous"),
        ("/admin%00.css", "Ambiguous"),
        ("/pub/..%00/admin", "Ambiguous"),
        ("/admin%2f", "Ambiguous"),
        ("/admin%2fx", "Ambiguous"),
        ("/admin%5cx", "Ambiguous"),
        ("/admin\\x", "Ambiguous"),
        ("\\admin", "Ambiguous"),
        ("/%2fadmin", "Ambiguous"),
        ("/%5cadmin", "Ambiguous"),
        ("/admin%", "Ambiguous"),
        ("/admin%c0%afx", "Ambiguous"),
        ("/admin/..", "Ambiguous"),
        ("/Admin", "Default"),
        ("/admin%20", "Default"),
    ] {
        assert_eq!(decides(&set, path), expected, "{path}");
    }
}

#[test]
fn honest_marks_are_let_through() {
    let set = public_and_denied();
    for (path, expected) in [
        ("/pub/my%20file.txt", "/pub/*"),
        ("/pub/caf%C3%A9/100%25", "/pub/*"),
        ("/pub/map;lat=50;long=20/x", "/pub/*"),
        ("/pub/group%2Fproject/raw", "/pub/*"),
        ("/pub/a//b/./c/../d", "/pub/*"),
        ("/pub/https%3A%2F%2Fh.example%2Fa%3Fb%3Dc%23d", "/pub/*"),
        ("/pub/https%253A%252F%252Fh.example%252Fa%253Fb", "/pub/*"),
        ("/pub/C%23/F%23?", "/pub/*"),
        ("/any/..;/%2f%5c%3f%23%00;//../x", "Default"),
    ] {
        assert_eq!(decides(&set, path), expected, "{path}");
    }
    let one_for_all = paths(&["/*"]);
    assert_eq!(decides(&one_for_all, "/a%5c..;x%2f..%3fb%23c%00d//./e;f/../g"), "/*");
}

#[test]
fn every_rule_is_told_and_the_default_comes_last() {
    let set = paths(&["/b", "/a/*"]);
    let told: Vec<_> = set.iter().map(|rule| (rule.index, rule.path.as_str())).collect();
    assert_eq!(told, [(Some(0), "/b"), (Some(1), "/a/*"), (None, "/*")]);
    assert_eq!(set.case(), PathCase::Exact);
}
