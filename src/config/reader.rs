//! A typed walk over the policy's JSON.
//!
//! Every value is asked for by key and by the type it must have; whatever is otherwise becomes a problem that
//! names its place. A [`Table`] can only be read inside [`Node::table`], which refuses the keys that nobody asked
//! for: a misspelt `acess = "denied"` must not leave a door open.

use super::notes::Notes;
use super::{Problem, quote, suggest};
use crate::json::Json;
use core::ops::RangeInclusive;
use std::borrow::Cow;

/// A value and the key path at which it stands.
pub struct Node<'a> {
    at: String,
    value: &'a Json<'a>,
    notes: &'a Notes,
}

/// The members of an object, while they are being read.
pub struct Table<'a> {
    at: &'a str,
    members: &'a [(Cow<'a, str>, Json<'a>)],
    known: Vec<&'static str>,
    is_ignored: bool,
    notes: &'a Notes,
}

impl<'a> Node<'a> {
    /// The root: the whole policy.
    pub fn root(at: &str, value: &'a Json<'a>, notes: &'a Notes) -> Self {
        Self { at: at.to_owned(), value, notes }
    }

    /// The key path.
    pub fn at(&self) -> &str {
        &self.at
    }

    /// The lists that problems go to.
    pub const fn notes(&self) -> &'a Notes {
        self.notes
    }

    /// Records that this value is not what it should be, and shows it.
    pub fn refuse(&self, expected: &str, fix: &str) {
        self.refuse_as(quote::value(self.value), expected, fix);
    }

    /// Records that this value is not what it should be, in words of the caller's.
    pub fn refuse_as<'f>(&self, found: impl Into<Cow<'f, str>>, expected: &str, fix: &str) {
        self.refuse_found(found.into(), expected, fix);
    }

    #[inline(never)]
    fn refuse_found(&self, found: Cow<'_, str>, expected: &str, fix: &str) {
        self.notes.problems.push(Problem::new(&*self.at, found, expected, fix));
    }

    /// Records that the value is of the wrong type. A string is not shown: it may be anything, a key for instance.
    fn refuse_kind(&self, expected: &str, fix: &str) {
        self.refuse_as(quote::kind(self.value), expected, fix);
    }

    /// A string that is not empty.
    pub fn text(&self) -> Option<&'a str> {
        match self.value {
            Json::Text(text) if !text.is_empty() => Some(text),
            Json::Text(_) => {
                self.refuse("a string that is not empty", "Give it a value, or leave the key out.");
                None
            }
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => {
                self.refuse_kind("a string", "Write a value in quotes.");
                None
            }
        }
    }

    /// A string that `parse` understands; `expected` and `fix` say what that is.
    pub fn parsed<T>(&self, parse: impl FnOnce(&str) -> Option<T>, expected: &str, fix: &str) -> Option<T> {
        let parsed = parse(self.text()?);
        if parsed.is_none() {
            self.refuse(expected, fix);
        }
        parsed
    }

    /// A string in which every octet is `allowed`.
    pub fn text_of(&self, allowed: fn(u8) -> bool, expected: &str, fix: &str) -> Option<String> {
        self.parsed(|text| text.bytes().all(allowed).then(|| text.to_owned()), expected, fix)
    }

    /// `true` or `false`.
    pub fn boolean(&self) -> Option<bool> {
        if let Json::Bool(value) = self.value {
            return Some(*value);
        }
        self.refuse_kind("true or false", "Write true or false, without quotes.");
        None
    }

    /// Whole seconds within a range.
    pub fn seconds(&self, range: RangeInclusive<i64>, default: i64) -> Option<i64> {
        let number = match self.value {
            Json::Number(number) => quote::whole(*number).filter(|seconds| range.contains(seconds)),
            Json::Null | Json::Bool(_) | Json::Text(_) | Json::Array(_) | Json::Object(_) => None,
        };
        if number.is_none() {
            let expected = format!("whole seconds from {} to {}", range.start(), range.end());
            self.refuse_kind(&expected, &format!("Set it to {default}."));
        }
        number
    }

    /// One of a few names.
    pub fn one_of<T: Copy>(&self, names: &[(&'static str, T)]) -> Option<T> {
        let text = self.text()?;
        let known = names.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        if known.is_none() {
            let names: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
            self.refuse(&one_of(&names), &did_you_mean(text, &names, "Choose one of these."));
        }
        known
    }

    /// The items of a list, which may be empty.
    pub fn items(&self) -> Option<Vec<Self>> {
        let Json::Array(items) = self.value else {
            let is_table = matches!(self.value, Json::Object(_));
            let fix =
                if is_table { "Write its heading in [[ … ]]." } else { "Put it in brackets: [ … ]." };
            self.refuse_kind("a list", fix);
            return None;
        };
        Some(items.iter().enumerate().map(|(n, item)| self.item(n, item)).collect())
    }

    /// Whether it is a list without items; nothing is refused.
    pub const fn is_empty_list(&self) -> bool {
        matches!(self.value, Json::Array(items) if items.is_empty())
    }

    /// The items of a list that names at least one: an empty one might mean "all" or "none".
    pub fn some_items(&self) -> Option<Vec<Self>> {
        let items = self.items()?;
        if items.is_empty() {
            self.refuse("at least one item", "Name one, or leave the key out.");
            return None;
        }
        Some(items)
    }

    /// The items of such a list, or a single value in place of a list of one.
    pub fn one_or_more(&self) -> Option<Vec<Self>> {
        match self.value {
            Json::Array(_) => self.some_items(),
            Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) | Json::Object(_) => {
                Some(vec![Self::root(&self.at, self.value, self.notes)])
            }
        }
    }

    /// A table: `read` takes its keys, and those it did not ask for are refused.
    pub fn table<T>(&self, read: impl FnOnce(&mut Table<'_>) -> T) -> Option<T> {
        let Json::Object(members) = self.value else {
            self.refuse_kind("a table", "Write it as a table with keys and values.");
            return None;
        };
        let mut table =
            Table { at: &self.at, members, known: Vec::new(), is_ignored: false, notes: self.notes };
        let value = read(&mut table);
        table.refuse_unknown();
        Some(value)
    }

    /// The members of a table whose keys are the operator's own names; at least one.
    pub fn named_items(&self) -> Option<Vec<(&'a str, Self)>> {
        let Json::Object(members) = self.value else {
            self.refuse_kind("a table", "Write it as a table: { name = … }.");
            return None;
        };
        if members.is_empty() {
            self.refuse_as("an empty table", "at least one name", "Name one, or leave the key out.");
            return None;
        }
        Some(members.iter().map(|(name, value)| (&**name, self.member(name, value))).collect())
    }

    /// Whether it is a table that has this key, be its value right or wrong.
    pub fn has(&self, key: &str) -> bool {
        matches!(self.value, Json::Object(members) if members.iter().any(|(name, _)| name == key))
    }

    /// Whether it is just this string.
    pub fn is(&self, wanted: &str) -> bool {
        matches!(self.value, Json::Text(text) if text == wanted)
    }

    /// Whether it is a string: for keys that take a string or a table.
    pub const fn is_text(&self) -> bool {
        matches!(self.value, Json::Text(_))
    }

    fn item(&self, n: usize, value: &'a Json<'a>) -> Self {
        Self { at: format!("{}[{n}]", self.at), value, notes: self.notes }
    }

    fn member(&self, name: &str, value: &'a Json<'a>) -> Self {
        Self { at: join(&self.at, name), value, notes: self.notes }
    }
}

impl<'a> Table<'a> {
    /// The value of a key, where it is there.
    pub fn get(&mut self, key: &'static str) -> Option<Node<'a>> {
        let place = self.known.partition_point(|other| *other < key);
        self.known.insert(place, key);
        let (_, value) = self.members.iter().find(|(name, _)| name == key)?;
        Some(Node { at: join(self.at, key), value, notes: self.notes })
    }

    /// What `parse` makes of the value of a key; `None` where it is not there or not right.
    pub fn read<T>(&mut self, key: &'static str, parse: impl FnOnce(Node<'a>) -> Option<T>) -> Option<T> {
        self.get(key).and_then(parse)
    }

    /// The same, with the type's default for what is not there or not right.
    pub fn read_or_default<T: Default>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(Node<'a>) -> Option<T>,
    ) -> T {
        self.read(key, parse).unwrap_or_default()
    }

    /// Records that a key is not there that must be.
    pub fn require(&self, key: &str, expected: &str, fix: &str) {
        self.notes.problems.push(Problem::new(join(self.at, key), "nothing", expected, fix));
    }

    /// Says nothing of keys that nobody asked for: what they would mean is not known.
    pub const fn ignore_rest(&mut self) {
        self.is_ignored = true;
    }

    fn refuse_unknown(self) {
        if self.is_ignored {
            return;
        }
        for (name, _) in self.members.iter().filter(|(name, _)| !self.known.contains(&&**name)) {
            if self.notes.problems.is_full() {
                self.notes.problems.count();
            } else {
                self.refuse_key(name);
            }
        }
    }

    fn refuse_key(&self, name: &str) {
        let fix = did_you_mean(name, &self.known, "Take it out, or correct its spelling.");
        let problem = Problem::new(join(self.at, name), "an unknown key", one_of(&self.known), fix);
        self.notes.problems.push(problem);
    }
}

/// What `read` makes of every item; `None` where it makes nothing of one. All are read, so that every problem is
/// told, not just the first.
pub fn each<'a, T>(items: &[Node<'a>], read: impl Fn(&Node<'a>) -> Option<T>) -> Option<Vec<T>> {
    let read: Vec<Option<T>> = items.iter().map(read).collect();
    read.into_iter().collect()
}

/// `one of a, b, c`
pub fn one_of(names: &[&str]) -> String {
    format!("one of {}", names.join(", "))
}

/// `Did you mean "access"?`, or else what there is to do.
pub fn did_you_mean(written: &str, known: &[&str], otherwise: &str) -> String {
    match suggest::nearest(written, known) {
        Some(name) => format!("Did you mean \"{name}\"?"),
        None => otherwise.to_owned(),
    }
}

fn join(at: &str, key: &str) -> String {
    format!("{at}.{}", quote::key(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `text` and gives the problems back as sentences.
    fn problems<T>(text: &str, read: impl FnOnce(Node<'_>) -> T) -> Vec<String> {
        let json = Json::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let notes = Notes::default();
        read(Node::root("P", &json, &notes));
        drop(json);
        notes.problems.into_list().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn wrong_types_are_named_and_strings_not_shown() {
        for (text, found) in [
            ("1", "1"),
            ("true", "true"),
            ("null", "null"),
            ("[]", "an empty list"),
            ("[1]", "a list"),
            ("{}", "a table"),
        ] {
            let sentence = format!("P: found {found}, expected a string. Write a value in quotes.");
            assert_eq!(problems(text, |node| node.text().is_some()), [sentence]);
        }
        let sentence =
            "P: found a string, expected true or false. Write true or false, without quotes.".to_owned();
        assert_eq!(problems("\"hunter2\"", |node| node.boolean()), [sentence]);
        let sentence = "P: found a string, expected a list. Put it in brackets: [ … ].".to_owned();
        assert_eq!(problems("\"hunter2\"", |node| node.items().is_some()), [sentence]);
        let sentence = "P: found a table, expected a list. Write its heading in [[ … ]].".to_owned();
        assert_eq!(problems("{\"format\":\"jwt\"}", |node| node.items().is_some()), [sentence]);
    }

    #[test]
    fn keys_that_nobody_asked_for_are_refused() {
        let read = |node: Node<'_>| {
            node.table(|table| {
                table.read("path", |node| node.text().map(str::to_owned));
                table.read("access", |node| node.one_of(&[("public", 1), ("denied", 2)]))
            })
        };
        assert!(problems(r#"{"path": "/", "access": "public"}"#, read).is_empty());
        assert_eq!(
            problems(r#"{"acess": 1, "x y": 2, "access": "pubic"}"#, read),
            [
                "P.access: found \"pubic\", expected one of public, denied. Did you mean \"public\"?",
                "P.acess: found an unknown key, expected one of access, path. Did you mean \"access\"?",
                "P.\"x y\": found an unknown key, expected one of access, path. Take it out, or correct its spelling.",
            ]
        );
    }

    #[test]
    fn seconds_are_whole_and_in_range() {
        for good in ["0", "300", "30.0", "3e1"] {
            assert!(problems(good, |node| node.seconds(0..=300, 30)).is_empty(), "{good}");
        }
        for (bad, found) in [
            ("900", "900"),
            ("-1", "-1"),
            ("0.5", "a number that is not whole"),
            ("1e300", "a number that is too large"),
            ("\"30s\"", "a string"),
        ] {
            let sentence = format!("P: found {found}, expected whole seconds from 0 to 300. Set it to 30.");
            assert_eq!(problems(bad, |node| node.seconds(0..=300, 30)), [sentence]);
        }
    }

    #[test]
    fn lists_and_single_values() {
        let count = |node: Node<'_>| node.one_or_more().map(|items| items.len());
        let json = Json::parse(r#"[["a", "b"], "a", []]"#).unwrap_or_else(|error| panic!("{error}"));
        let notes = Notes::default();
        let items = Node::root("P", &json, &notes).items().expect("a list");
        assert_eq!(items.into_iter().map(count).collect::<Vec<_>>(), [Some(2), Some(1), None]);
        let sentence =
            "P[2]: found an empty list, expected at least one item. Name one, or leave the key out.";
        assert_eq!(
            notes.problems.into_list().iter().map(ToString::to_string).collect::<Vec<_>>(),
            [sentence]
        );
    }
}
