//! Netlify's `_headers`: `Basic-Auth: user:password user2:password2` below a path.
//!
//! 1. A line that begins with `/` is a path; what follows, `Name: value`, is for it. `#` begins a comment line.
//! 2. `*` as the last segment is all below, `:name` one segment. A `*` anywhere else is no pattern of ours.
//! 3. What no `Basic-Auth` names is public at Netlify, as far as this file goes: `netlify.toml` and the site's own
//!    password may say otherwise. So it stays protected, and the rule that opens it is written behind `#`.

use super::Unreadable;
use super::draft::{Access, Draft, Rule};
use super::patterns::literal;
use edgeward::secret::Secret;

const REST: &str = "\
What no line protects is public at Netlify, unless netlify.toml or the site's own password says otherwise.
Here it is protected. To open it:
[[vars.EDGEWARD.rules]]
path = \"/*\"
access = \"public\"";

/// Reads `_headers`.
pub fn import(text: &str) -> Result<Draft, Unreadable> {
    let mut reading = Reading::default();
    for (line, number) in text.lines().map(str::trim).zip(1..) {
        reading.line(line, number);
    }
    Ok(reading.finish())
}

#[derive(Default)]
struct Reading {
    draft: Draft,
    /// The path that lines are for, and its line.
    path: Option<(usize, String)>,
    /// A path with `Basic-Auth` that no pattern says.
    unsaid: bool,
    /// The first of the other fields, and how many there are.
    others: Option<(usize, usize)>,
}

impl Reading {
    fn line(&mut self, line: &str, number: usize) {
        if line.is_empty() || line.starts_with('#') {
            return;
        }
        if line.starts_with('/') {
            self.path = Some((number, line.to_owned()));
            return;
        }
        let Some((name, value)) = line.split_once(':') else {
            // It may be a password that lost its line.
            self.draft.leave(number, "a line", "it is neither a path nor a field with its value");
            return;
        };
        if name.trim().eq_ignore_ascii_case("Basic-Auth") {
            self.basic(value, number);
        } else {
            let (first, count) = self.others.unwrap_or((number, 0));
            self.others = Some((first, count + 1));
        }
    }

    fn basic(&mut self, value: &str, number: usize) {
        self.draft.needs_users = true;
        let users = self.users(value, number);
        let Some((at, path)) = self.path.clone() else {
            self.unsaid = true;
            self.draft.leave(number, "Basic-Auth", "no path stands before it");
            return;
        };
        match pattern(&path) {
            Some(pattern) => self.rule(at, &path, pattern, users),
            None => {
                self.unsaid = true;
                let why = "a path here has * only as its last segment, and :name only as a whole one: it stays \
                           protected, for every account";
                self.draft.leave(at, path, why);
            }
        }
    }

    /// One more rule, or more users for the one that is there.
    fn rule(&mut self, line: usize, what: &str, path: String, users: Vec<String>) {
        let there = self.draft.rules.iter_mut().find(|rule| super::patterns::are_same(&rule.path, &path));
        let rule = match there {
            Some(rule) => rule,
            None => {
                let what = what.to_owned();
                self.draft.rules.push(Rule { line, what, path, accept: vec!["basic"], ..Rule::default() });
                let Some(rule) = self.draft.rules.last_mut() else { return };
                rule
            }
        };
        for user in users {
            if !rule.users.contains(&user) {
                rule.users.push(user);
            }
        }
    }

    /// The user-ids of a value whose accounts can be made.
    fn users(&mut self, value: &str, number: usize) -> Vec<String> {
        let mut users = Vec::new();
        for (pair, position) in value.split_whitespace().zip(1..) {
            let Some((user, password)) = pair.split_once(':') else {
                let what = format!("word {position} of Basic-Auth");
                self.draft.leave(number, what, "it is not of the form user:password");
                continue;
            };
            match self.draft.accounts.add_password(user, &Secret::new(password.to_owned())) {
                Ok(()) => users.push(crate::cli::nfc(user)),
                Err(why) => self.draft.leave(number, format!("the account {user:?}"), why),
            }
        }
        users
    }

    fn finish(mut self) -> Draft {
        for rule in self.draft.rules.iter_mut().filter(|rule| rule.users.is_empty()) {
            (rule.access, rule.accept) = (Access::Denied, Vec::new());
        }
        if let Some((first, count)) = self.others {
            let what = if count == 1 { "1 other field".to_owned() } else { format!("{count} other fields") };
            self.draft.leave(
                first,
                what,
                "Edgeward sets no fields of the site's own: let the origin send them",
            );
        }
        self.note_overlaps();
        let covers_all = self.draft.rules.iter().any(|rule| rule.path == "/*");
        if !covers_all && !self.unsaid && !self.draft.rules.is_empty() {
            self.draft.suggestions.push(REST.to_owned());
        }
        self.draft
    }

    fn note_overlaps(&mut self) {
        let rules = self.draft.rules.clone();
        for rule in &rules {
            let outer = rules.iter().find(|outer| {
                let base = outer.path.strip_suffix('*').unwrap_or(&outer.path);
                outer.path != rule.path && outer.path.ends_with("/*") && rule.path.starts_with(base)
            });
            if let Some(outer) = outer.filter(|outer| outer.users != rule.users) {
                let why = format!(
                    "the most specific path alone decides here: the accounts of {} (line {}) do not open it",
                    outer.what, outer.line
                );
                self.draft.differs(rule.line, &rule.what, why);
            }
        }
    }
}

/// The pattern of a path; `None` where no pattern says it.
fn pattern(path: &str) -> Option<String> {
    let (path, below) = path.strip_suffix("/*").map_or((path, false), |folder| (folder, true));
    let segments: Option<Vec<String>> = path.split('/').map(segment).collect();
    let path = segments?.join("/");
    Some(match (below, path.as_str()) {
        (true, path) => format!("{path}/*"),
        (false, "") => "/".to_owned(),
        (false, path) => path.to_owned(),
    })
}

fn segment(text: &str) -> Option<String> {
    match text.strip_prefix(':') {
        Some(name) if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') => {
            Some(format!("{{{name}}}"))
        }
        Some(_) => None,
        None if text.contains('*') => None,
        // Written as in a URL, percent-encoded or not: so are our patterns.
        None if text.contains('%') => Some(text.to_owned()),
        None => Some(literal(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths() {
        for (path, expected) in [
            ("/*", Some("/*")),
            ("/", Some("/")),
            ("/a/*", Some("/a/*")),
            ("/a/b.html", Some("/a/b.html")),
            ("/:lang/x", Some("/{lang}/x")),
            ("/caf%C3%A9/*", Some("/caf%C3%A9/*")),
            ("/a*", None),
            ("/*/b", None),
            ("/*.jpg", None),
            ("/a/:b-c", None),
        ] {
            assert_eq!(pattern(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn reads_paths_and_accounts() {
        let text = "# note\n/*\n  X-Frame-Options: DENY\n/secret/*\r\n\tbasic-auth: ann:right:pass bob:two\n\
                    /secret/deep/*\nBasic-Auth: bob:two eve:\n/x*\n  Basic-Auth: cid:three\n";
        let draft = import(text).unwrap();
        let shown: Vec<_> =
            draft.rules.iter().map(|it| (it.line, it.path.as_str(), it.users.join(" "))).collect();
        assert_eq!(shown, [(4, "/secret/*", "ann bob".into()), (6, "/secret/deep/*", "bob".into())]);
        let lines: Vec<_> = draft.left.iter().filter(|it| !it.carried).map(|it| it.line.unwrap()).collect();
        assert_eq!(lines, [7, 8, 3], "{:?}", draft.left);
        assert!(draft.left.iter().any(|it| it.carried && it.line == Some(6)));
        assert!(draft.suggestions.is_empty(), "/x* is unsaid");
        assert!(draft.rules.iter().all(|rule| rule.access == Access::Authenticated));
    }

    #[test]
    fn nobody_left_is_denied() {
        let draft = import("/a/*\n Basic-Auth: nonsense\n").unwrap();
        assert_eq!(draft.rules[0].access, Access::Denied);
        assert!(draft.left.iter().all(|it| !it.what.contains("nonsense") && !it.why.contains("nonsense")));
    }

    proptest! {
        #[test]
        fn never_panics_and_opens_nothing(text in "(/|\\*|:|#|\n|Basic-Auth: |[a-c]|\\PC){0,40}") {
            let mut draft = import(&text).unwrap();
            draft.finish();
            prop_assert!(draft.rules.iter().all(|rule| rule.access != Access::Public));
        }
    }
}
