//! What is done to a draft before it is shown: it gets a form that the gate takes, and loses what would open too much.

use super::draft::{Access, Draft, Left, Rule, Unsaid};
use super::patterns;
use edgeward::config::{Config, Sources};
use serde_json::json;

impl Draft {
    /// Brings the rules into a form that the gate takes, and takes back what would open too much.
    pub fn finish(&mut self) {
        self.sift();
        self.settle_doubles();
        self.close();
        self.separate_twins();
        self.left.sort_by_key(|left| (left.carried, left.file.is_some(), left.line));
    }

    /// Takes out rules that the gate's own reader refuses.
    fn sift(&mut self) {
        for rule in std::mem::take(&mut self.rules) {
            match problem(&rule) {
                None => self.rules.push(rule),
                Some(why) => {
                    self.leave(rule.line, &rule.what, why);
                    if rule.access != Access::Public {
                        self.unsaid.push(Unsaid {
                            line: rule.line,
                            what: rule.what,
                            host: rule.host,
                            prefix: None,
                        });
                    }
                }
            }
        }
    }

    /// Two rules for the same requests: equal ones become one; of others nobody knows which is meant.
    fn settle_doubles(&mut self) {
        let mut kept: Vec<Rule> = Vec::new();
        for rule in std::mem::take(&mut self.rules) {
            let Some(other) = kept.iter_mut().find(|other| other.collides(&rule)) else {
                kept.push(rule);
                continue;
            };
            if !other.says_as(&rule) {
                let why = format!(
                    "line {} says something else of the same path ({}): the path is denied until you decide",
                    other.line, rule.path
                );
                other.deny();
                self.left.push(Left {
                    line: Some(rule.line),
                    file: None,
                    what: rule.what,
                    why,
                    carried: false,
                });
            }
        }
        self.rules = kept;
    }

    /// `/a` and `/a/` are one path to a rule: a public page beside a closed folder of its name would open the folder's own
    /// page.
    fn separate_twins(&mut self) {
        let folders: Vec<Rule> = self
            .rules
            .iter()
            .filter(|it| it.access != Access::Public && it.path.ends_with("/*"))
            .cloned()
            .collect();
        for rule in std::mem::take(&mut self.rules) {
            let is_page = rule.access == Access::Public && !rule.path.ends_with("/*") && rule.path != "/";
            let folder = folders.iter().find(|folder| {
                patterns::are_same(&folder.path, &patterns::below(&rule.path)) && folder.host == rule.host
            });
            match folder.filter(|_| is_page) {
                None => self.rules.push(rule),
                Some(folder) => {
                    let why = format!(
                        "{0} and {0}/ are one path here, and {1} of line {2} protects the other: it stays protected",
                        rule.path, folder.what, folder.line
                    );
                    self.leave(rule.line, rule.what, why);
                }
            }
        }
    }

    /// Takes back each public rule that would open what is protected there and cannot be said here.
    fn close(&mut self) {
        for unsaid in std::mem::take(&mut self.unsaid) {
            while let Some(index) = self.opened_by(&unsaid) {
                let rule = self.rules.remove(index);
                let why = format!(
                    "{} of line {} protects paths below it that no pattern here can say; {} stays protected, too. \
                     If nothing that must stay closed lies there, add a rule with access = \"public\" by hand",
                    unsaid.what, unsaid.line, rule.path
                );
                self.leave(rule.line, rule.what, why);
            }
        }
    }

    fn opened_by(&self, unsaid: &Unsaid) -> Option<usize> {
        let concerned = |rule: &Rule| {
            unsaid.host.is_none() || rule.host.is_none() || rule.host.as_deref() == unsaid.host.as_deref()
        };
        let is_open = |rule: &Rule| rule.access == Access::Public && concerned(rule);
        let Some(prefix) = &unsaid.prefix else {
            return self.rules.iter().position(|rule| is_open(rule) && !rule.settled);
        };
        let paths: Vec<&str> =
            self.rules.iter().filter(|it| concerned(it)).map(|it| it.path.as_str()).collect();
        let deciding = patterns::most_specific(&paths, &format!("{prefix}~"))?.to_owned();
        self.rules.iter().position(|rule| is_open(rule) && rule.path == deciding)
    }
}

impl Rule {
    fn collides(&self, other: &Self) -> bool {
        let any = self.methods.is_empty() && other.methods.is_empty();
        let shared = self.methods.iter().any(|method| other.methods.contains(method));
        patterns::are_same(&self.path, &other.path) && self.host == other.host && (any || shared)
    }

    fn says_as(&self, other: &Self) -> bool {
        let but_origin = |rule: &Self| Self {
            line: 0,
            what: String::new(),
            path: String::new(),
            settled: false,
            ..rule.clone()
        };
        but_origin(self) == but_origin(other)
    }

    fn deny(&mut self) {
        *self = Self {
            line: self.line,
            what: std::mem::take(&mut self.what),
            path: std::mem::take(&mut self.path),
            host: self.host.take(),
            access: Access::Denied,
            ..Self::default()
        };
    }
}

/// What the gate's reader says of the rule; the kinds it accepts are a matter of the secrets, and left out.
fn problem(rule: &Rule) -> Option<String> {
    let rule = Rule { accept: Vec::new(), ..rule.clone() };
    let policy = json!({ "rules": [rule.json()] }).to_string();
    let config = Config::parse(&Sources { policy: Some(policy), ..Sources::default() }, crate::cli::nfc);
    let first = config.problems.first().filter(|_| config.policy.is_none())?;
    Some(format!("a rule cannot say it: expected {}", first.expected))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(path: &str, access: Access) -> Rule {
        Rule { line: 1, what: format!("location {path}"), path: path.into(), access, ..Rule::default() }
    }

    fn finished(rules: Vec<Rule>, unsaid: Vec<Option<&str>>) -> (Vec<String>, usize) {
        let unsaid = unsaid.into_iter().map(|prefix| Unsaid {
            line: 9,
            what: "location /x".into(),
            host: None,
            prefix: prefix.map(str::to_owned),
        });
        let mut draft = Draft { rules, unsaid: unsaid.collect(), ..Draft::default() };
        draft.finish();
        let shown = draft.rules.iter().map(|rule| format!("{} {:?}", rule.path, rule.access)).collect();
        (shown, draft.left.len())
    }

    #[test]
    fn what_is_public_around_something_unsaid_is_taken_back() {
        let rules = || {
            vec![
                rule("/*", Access::Public),
                rule("/a/*", Access::Authenticated),
                rule("/b/*", Access::Public),
            ]
        };
        let (all, left) = finished(rules(), vec![]);
        assert_eq!((all.len(), left), (3, 0));
        let (kept, left) = finished(rules(), vec![Some("/admin")]);
        assert_eq!((kept, left), (vec!["/a/* Authenticated".into(), "/b/* Public".into()], 1));
        let (kept, left) = finished(rules(), vec![Some("/a/x")]);
        assert_eq!((kept.len(), left), (3, 0), "what is around it is protected");
        let (kept, left) = finished(rules(), vec![None]);
        assert_eq!((kept, left), (vec!["/a/* Authenticated".into()], 2));
    }

    #[test]
    fn a_settled_rule_is_out_of_the_reach_of_expressions() {
        let settled = Rule { settled: true, ..rule("/static/*", Access::Public) };
        assert_eq!(finished(vec![settled], vec![None]).0, ["/static/* Public"]);
    }

    #[test]
    fn two_that_disagree_are_denied() {
        let (kept, left) = finished(
            vec![rule("/a", Access::Public), rule("/a/", Access::Authenticated), rule("/a", Access::Public)],
            vec![],
        );
        assert_eq!(kept, ["/a Denied"]);
        assert!(left >= 1);
        let (kept, left) = finished(vec![rule("/a/*", Access::Public), rule("/a/*", Access::Public)], vec![]);
        assert_eq!((kept.len(), left), (1, 0));
    }

    #[test]
    fn what_the_gate_would_refuse_is_left() {
        for path in ["/.edgeward/x", "/a//b", "/a?b", "/a/../b", "/a;b/*"] {
            let (kept, left) =
                finished(vec![rule("/*", Access::Public), rule(path, Access::Authenticated)], vec![]);
            assert!(kept.is_empty() && left == 2, "{path}: {kept:?}");
        }
    }
}
