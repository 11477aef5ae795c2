//! All lines → [`ApiKeys`], or what is wrong with them.

use super::fault::{self, Fault};
use super::line::{self, Line};
use super::list::{ApiKeys, Entry};
use crate::config::Problem;
use crate::order::{self, Octets};

/// Problems that are told: a list with more of them has one cause.
const MOST_PROBLEMS: usize = 20;

/// Reads a list.
pub(super) fn read(text: &str, source: &str) -> Result<ApiKeys, Vec<Problem>> {
    let mut faults = Faults { source, told: Vec::new(), more: 0 };
    let mut keys = gathered(text, &mut faults);
    keys.by_digest = order::sorted(keys.entries.len(), &|at| keys.digest_at(at));
    keys.by_name = order::sorted(keys.entries.len(), &|at| keys.name_at(at));
    tell_twins(&keys, &mut faults);
    match faults.problems() {
        problems if !problems.is_empty() => Err(problems),
        _ if keys.entries.is_empty() => Err(vec![fault::no_lines(source)]),
        _ => Ok(keys),
    }
}

/// The lines that are good each by itself, in no order yet.
fn gathered(text: &str, faults: &mut Faults<'_>) -> ApiKeys {
    let mut keys = ApiKeys::default();
    // A byte order mark is the editor's, not the first key's.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines = text.split('\n').map(str::trim_ascii_end).zip(1..);
    for (line, number) in lines.filter(|(line, _)| !line.is_empty() && !line.starts_with('#')) {
        match line::parse(line) {
            Ok(line) => keys.push(&line, number),
            Err(fault) => faults.push(number, &fault),
        }
    }
    keys
}

/// Tells names and digests that stand in two lines.
fn tell_twins(keys: &ApiKeys, faults: &mut Faults<'_>) {
    each_twin(keys, &keys.by_name, &|at| keys.name_at(at), &mut |first, second| {
        faults.push(second.line, &Fault::NameAgain(keys.key(second).name(), first.line));
    });
    each_twin(keys, &keys.by_digest, &|at| keys.digest_at(at), &mut |first, second| {
        faults.push(second.line, &Fault::KeyAgain(keys.key(first).name(), first.line));
    });
}

/// Those that are equal are neighbours, the earlier line first.
fn each_twin(keys: &ApiKeys, order: &[usize], octets: Octets<'_>, tell: &mut dyn FnMut(&Entry, &Entry)) {
    for pair in order.windows(2) {
        if let [first, second] = pair
            && octets(*first) == octets(*second)
            && let (Some(first), Some(second)) = (keys.entries.get(*first), keys.entries.get(*second))
        {
            tell(first, second);
        }
    }
}

impl ApiKeys {
    fn push(&mut self, line: &Line<'_>, number: usize) {
        let name = self.words.len();
        self.words.push_str(line.name);
        let scopes = self.words.len();
        self.words.push_str(line.scopes);
        let end = self.words.len();
        self.entries.push(Entry { digest: line.digest, line: number, name, scopes, end });
    }
}

/// What is wrong, in the order of the lines.
struct Faults<'s> {
    source: &'s str,
    told: Vec<(usize, Problem)>,
    more: usize,
}

impl Faults<'_> {
    fn push(&mut self, line: usize, fault: &Fault<'_>) {
        if self.told.len() == MOST_PROBLEMS {
            self.more += 1;
            return;
        }
        let at = self.told.partition_point(|(known, _)| *known <= line);
        self.told.insert(at, (line, fault.problem(self.source, line)));
    }

    fn problems(self) -> Vec<Problem> {
        let mut problems: Vec<Problem> = self.told.into_iter().map(|(_, problem)| problem).collect();
        if self.more > 0 {
            problems.push(fault::more(self.source, self.more));
        }
        problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_key::{digest, line};
    use proptest::prelude::*;

    const SOURCE: &str = "EDGEWARD_API_KEYS";

    fn hex(key: &str) -> String {
        line("", &digest(key), &[])[1..].to_owned()
    }

    fn sentences(text: &str) -> Vec<String> {
        ApiKeys::parse(text, SOURCE).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn lines_are_read_and_blank_ones_skipped() {
        let (ci, app) = (hex("one"), hex("two").to_uppercase());
        let text = format!(
            "\u{feff}# keys\r\n\r\n  \t\nci:{ci}:deploy,files:read\r\nthe app \u{e9}:{app} \n#old:{ci}\n"
        );
        let keys = ApiKeys::parse(&text, SOURCE).unwrap();
        let found = keys.find(&digest("one")).unwrap();
        assert_eq!((found.name(), found.scopes().collect::<Vec<_>>()), ("ci", vec!["deploy", "files:read"]));
        let found = keys.find(&digest("two")).unwrap();
        assert_eq!((found.name(), found.scopes().count()), ("the app \u{e9}", 0));
        assert!(found.scopes().next().is_none() && !found.has_scope(""));
        assert_eq!(keys.iter().map(|key| key.name()).collect::<Vec<_>>(), ["ci", "the app \u{e9}"]);
        assert_eq!(keys.by_name("ci"), keys.find(&digest("one")));
        for unknown in ["old", "#old", "", "CI", "c", "ci ", "zz"] {
            assert!(keys.by_name(unknown).is_none(), "{unknown}");
        }
        for unknown in ["", "\n", "One", "three"] {
            assert!(keys.find(&digest(unknown)).is_none(), "{unknown}");
        }
        assert!(keys.find(&[0; 32]).is_none() && keys.find(&[255; 32]).is_none());
    }

    #[test]
    fn one_octet_more_or_less_is_another_digest() {
        let keys = ApiKeys::parse(&format!("a:{}\nb:{}", hex("a"), hex("b")), SOURCE).unwrap();
        for at in 0..32 {
            let mut near = digest("a");
            near[at] ^= 1;
            assert!(keys.find(&near).is_none(), "{at}");
        }
    }

    #[test]
    fn a_problem_says_what_to_do() {
        let good = hex("x");
        let ours = crate::api_key::made(&[1; 32]).expose().clone();
        const FORM: &str = "expected name:sha256-hex-of-key[:scope,scope].";
        for (text, shown) in [
            ("hunter2", format!("found a line of another form, {FORM} Run `edgeward api-key ci` and replace the line.")),
            (&format!(":{good}"), format!("found an empty name, {FORM} Correct the name.")),
            (
                &format!("ci:{ours}"),
                "found a key itself (not shown), expected its SHA-256, as otherwise whoever reads the list has the \
                 key. Make another with `edgeward api-key`, and replace the line."
                    .to_owned(),
            ),
            (
                "ci:hunter2",
                "found no SHA-256 of a key (not shown), expected 64 hexadecimal digits. Put there what `edgeward \
                 api-key` prints, or what `printf %s \"$KEY\" | sha256sum` does."
                    .to_owned(),
            ),
            (
                &format!("ci:{good}:a b"),
                "found a scope with a character that none may have, expected scopes of RFC 6749 section 3.3, each \
                 once, with commas and no spaces between them. Correct the line of \"ci\"."
                    .to_owned(),
            ),
        ] {
            assert_eq!(sentences(&format!("#\n\n{text}\r\n")), [format!("EDGEWARD_API_KEYS line 3: {shown}")]);
        }
    }

    #[test]
    fn names_and_keys_stand_once() {
        let (a, b, c) = (hex("a"), hex("b"), hex("c"));
        let text = format!("ci:{a}\napp:{b}\nci:{c}\nnew:{}\n#\nci:{a}", b.to_uppercase());
        assert_eq!(
            sentences(&text),
            [
                "EDGEWARD_API_KEYS line 3: found the name \"ci\" again, after EDGEWARD_API_KEYS line 1, expected each \
                 name once. Remove one of the two lines, or rename it.",
                "EDGEWARD_API_KEYS line 4: found the key of \"app\" again, after EDGEWARD_API_KEYS line 2, expected \
                 each key once. Remove one of the two lines, or make another key.",
                "EDGEWARD_API_KEYS line 6: found the name \"ci\" again, after EDGEWARD_API_KEYS line 3, expected each \
                 name once. Remove one of the two lines, or rename it.",
                "EDGEWARD_API_KEYS line 6: found the key of \"ci\" again, after EDGEWARD_API_KEYS line 1, expected each \
                 key once. Remove one of the two lines, or make another key.",
            ]
        );
    }

    #[test]
    fn one_bad_line_is_enough_and_twenty_are_told() {
        let mut text = format!("good:{}\n", hex("good"));
        for number in 0..30 {
            text.push_str(&format!("bad{number}:x\n"));
        }
        let problems = ApiKeys::parse(&text, "EDGEWARD_KV api-keys").unwrap_err();
        assert_eq!(problems.len(), 21);
        assert_eq!(problems[0].at, "EDGEWARD_KV api-keys line 2");
        assert_eq!((&*problems[20].at, &*problems[20].found), ("EDGEWARD_KV api-keys", "10 more problems"));
    }

    #[test]
    fn nothing_at_all_is_a_problem() {
        for text in ["", "\n\n", "# ci\r\n", " ", "\u{feff}"] {
            let problems = ApiKeys::parse(text, SOURCE).unwrap_err();
            assert_eq!((problems.len(), &*problems[0].at), (1, SOURCE), "{text:?}");
        }
    }

    #[test]
    fn debug_does_not_leak() {
        let digest_hex = hex("guess me");
        let shown = format!("{:?}", ApiKeys::parse(&format!("ci:{digest_hex}:read"), SOURCE).unwrap());
        assert!(shown.contains("ci") && shown.contains("read"), "{shown}");
        assert!(
            !shown.contains(&digest_hex[..8]) && !shown.contains(&digest("guess me")[0].to_string()),
            "{shown}"
        );
    }

    /// Wherever in a line it stands.
    #[test]
    fn a_problem_shows_nothing_that_may_be_a_key() {
        let (ours, good) = (crate::api_key::made(&[1; 32]).expose().clone(), hex("x"));
        for marked in ["s3cr3t-w0rd", &ours, &ours[..40], &good] {
            for text in [
                marked.to_owned(),
                format!("ci:{marked}x"),
                format!("{marked}:ci"),
                format!("{marked}:{marked}:"),
                format!("ci:x:{marked}"),
                format!("ci:{good}:a,,{marked}"),
                format!("a:{good}\nb:{good}\n{marked}"),
            ] {
                for shown in sentences(&text) {
                    assert!(!shown.contains(marked), "{shown}");
                }
            }
        }
    }

    fn name() -> impl Strategy<Value = String> {
        "[A-Za-z0-9._@\u{e9}-]{1,12}( [a-z]{1,5})?"
            .prop_filter("those of keys", |name| !name.starts_with("ew_"))
    }

    proptest! {
        #[test]
        fn parse_never_panics(text in "([a-z\u{e9}]{0,3}[:,!#\r\n]?(e3b0c44298fc1c149afbf4c8996fb924){0,2}){0,12}\\PC{0,20}") {
            let _ = ApiKeys::parse(&text, SOURCE);
        }

        #[test]
        fn what_is_written_is_read(
            keys in prop::collection::hash_map(
                name(),
                (any::<[u8; 32]>(), prop::collection::hash_set("[!#-+\\--\\[\\]-~]{1,8}", 0..5)),
                1..20,
            ),
            ends in prop::sample::select(vec!["\n", "\r\n", "\n\n# note\n", " \n"]),
        ) {
            let keys: Vec<(String, [u8; 32], Vec<String>)> =
                keys.into_iter().map(|(name, (digest, scopes))| (name, digest, scopes.into_iter().collect())).collect();
            let mut text = String::new();
            for (name, digest, scopes) in &keys {
                let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
                text.push_str(&line(name, digest, &scopes));
                text.push_str(ends);
            }
            let read = ApiKeys::parse(&text, SOURCE).unwrap();
            prop_assert_eq!(read.iter().count(), keys.len());
            for (name, digest, scopes) in &keys {
                let found = read.find(digest).unwrap();
                prop_assert_eq!(found.name(), name);
                prop_assert_eq!(&found.scopes().collect::<Vec<_>>(), scopes);
                prop_assert_eq!(read.by_name(name), Some(found));
            }
        }
    }
}
