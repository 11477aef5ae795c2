//! Requests that stand for all that a policy tells apart: what no one of them comes to, no request does.
//!
//! For each rule there is one that falls to it unless a more specific one takes it: its path with something for `{name}`
//! and `*`, its host, its first method.

use edgeward::path::RequestPath;
use edgeward::policy::{Choice, Policy, Rule};

/// What stands where a pattern leaves room: longer than what anybody writes, and so equal to none of it.
const ANYTHING: &str = "edgeward-check-of-what-no-rule-names";
const ANY_HOST: &str = "no-rule-names-this.invalid";

/// A request.
#[derive(Clone, Debug)]
pub struct Sample {
    path: String,
    host: String,
    method: String,
}

impl Sample {
    fn of(rule: &Rule) -> Self {
        let method = rule.methods.as_ref().and_then(|methods| methods.first());
        Self {
            path: filled(&rule.path),
            host: rule.host.clone().unwrap_or_else(|| ANY_HOST.to_owned()),
            method: method.cloned().unwrap_or_else(|| "GET".to_owned()),
        }
    }

    fn at(path: &str) -> Self {
        Self { path: filled(path), host: ANY_HOST.to_owned(), method: "GET".to_owned() }
    }

    /// The rule that it falls to; `None` where it is refused before one is asked.
    pub fn rule<'p>(&self, policy: &'p Policy) -> Option<&'p Rule> {
        let path = RequestPath::parse(&self.path).ok()?;
        match policy.rules.choose(&path, &self.method, &self.host) {
            Choice::Rule(rule) => Some(rule),
            Choice::Unlisted(_) | Choice::Reserved | Choice::ReservedMarked | Choice::Ambiguous => None,
        }
    }
}

/// The rules that requests below `paths` fall to (all requests where there are none), as far as they differ.
pub fn rules<'p>(policy: &'p Policy, paths: &'p [String]) -> impl Iterator<Item = &'p Rule> {
    let of_rules = policy.rules.iter().map(Sample::of).filter(|it| is_below(paths, &it.path));
    let own = paths.iter().flat_map(|path| [Sample::at(path), Sample::at(path.trim_end_matches("/*"))]);
    of_rules.chain(own).filter_map(|sample| sample.rule(policy))
}

/// `/a/*` is `/a` and all below.
fn is_below(paths: &[String], path: &str) -> bool {
    let below = |pattern: &String| match pattern.strip_suffix("/*") {
        Some(folder) => {
            path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
        None => pattern == path,
    };
    paths.is_empty() || paths.iter().any(below)
}

fn filled(pattern: &str) -> String {
    let segment = |segment: &str| match segment {
        "*" => ANYTHING.to_owned(),
        _ if segment.starts_with('{') && segment.ends_with('}') => ANYTHING.to_owned(),
        _ => segment.to_owned(),
    };
    let path = pattern.split('/').map(segment).collect::<Vec<_>>().join("/");
    if path.is_empty() { "/".to_owned() } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pattern_leaves_open_is_filled() {
        assert_eq!(filled("/a/*"), format!("/a/{ANYTHING}"));
        assert_eq!(filled("/{x}/b"), format!("/{ANYTHING}/b"));
        assert_eq!((filled("/a"), filled("")), ("/a".to_owned(), "/".to_owned()));
    }

    #[test]
    fn below() {
        let paths = ["/a/*".to_owned(), "/b".to_owned()];
        for (path, wanted) in [("/a", true), ("/a/x", true), ("/ab", false), ("/b", true), ("/b/x", false)] {
            assert_eq!(is_below(&paths, path), wanted, "{path}");
        }
        assert!(is_below(&[], "/x"));
    }
}
