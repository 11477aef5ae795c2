//! The languages that pages are spoken in: one for each file of `www/.edgeward/locales/` at build time.
//!
//! English is compiled in. The words of the others are learned when they are first needed: whoever runs the gate hands
//! over the file ([`learn`]). They are kept as long as the isolate lives, and there are no more than there were files.

use crate::json::Json;
use crate::reply::catalog::Catalog;
use std::sync::OnceLock;

// `static LANGUAGES: [Language; …]`, by their own names: build.rs.
include!(concat!(env!("OUT_DIR"), "/languages.rs"));

const ENGLISH: &str = include_str!(concat!(env!("OUT_DIR"), "/english.json"));

/// What English is called where it is no file: never, as the build fails without one.
static ENGLISH_ALONE: Language = Language::new("en", "English", false);

/// A language.
#[derive(Debug)]
pub struct Language {
    tag: &'static str,
    name: &'static str,
    right_to_left: bool,
    /// `Some(None)`: its file was no catalogue, and is not read again.
    learned: OnceLock<Option<Catalog>>,
}

impl Language {
    /// A language nothing of which is known but what it is called.
    #[must_use]
    pub const fn new(tag: &'static str, name: &'static str, right_to_left: bool) -> Self {
        Self { tag, name, right_to_left, learned: OnceLock::new() }
    }

    /// Its tag (RFC 5646).
    #[must_use]
    pub const fn tag(&self) -> &'static str {
        self.tag
    }

    /// What its speakers call it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// `ltr` or `rtl`.
    #[must_use]
    pub const fn dir(&self) -> &'static str {
        if self.right_to_left { "rtl" } else { "ltr" }
    }

    /// Whether its words are known.
    #[must_use]
    pub fn is_learned(&'static self) -> bool {
        self.tag == "en" || self.catalog().is_some()
    }

    fn catalog(&'static self) -> Option<&'static Catalog> {
        self.learned.get()?.as_ref()
    }

    fn learn(&'static self, json: &str) -> Result<(), String> {
        // What is kept lives as long as the program. A text that is no catalogue is not kept.
        let read =
            Json::parse(json).map_err(|error| error.to_string()).and_then(|words| self.accepts(&words));
        let words = read.as_ref().ok().and_then(|()| Json::parse(Box::leak(Box::from(json))).ok());
        let _ = self.learned.set(words.map(|words| Catalog::new(self, words)));
        read
    }

    fn accepts(&self, words: &Json<'_>) -> Result<(), String> {
        match words.get("language").and_then(|language| language.get("tag")).and_then(Json::as_text) {
            Some(tag) if tag == self.tag => Ok(()),
            Some(_) | None => Err(["language.tag is not ", self.tag].concat()),
        }
    }
}

/// Every language, by their own names.
#[must_use]
pub fn all() -> &'static [Language] {
    &LANGUAGES
}

/// The language of that tag.
#[must_use]
pub fn find(tag: &str) -> Option<&'static Language> {
    LANGUAGES.iter().find(|language| language.tag == tag)
}

/// The tags of the languages that `wanted` says yes to, English first.
pub fn tags(wanted: impl Fn(&'static Language) -> bool) -> Vec<&'static str> {
    let others = LANGUAGES.iter().filter(|language| language.tag != "en" && wanted(language));
    core::iter::once("en").chain(others.map(Language::tag)).collect()
}

/// Learns the words of a language; does nothing where they are known.
///
/// # Errors
/// Why they were not learned, without a full stop. A file that is no catalogue is not tried again.
pub fn learn(tag: &str, json: &str) -> Result<(), String> {
    let language = find(tag).ok_or("no language of this build")?;
    match (language.is_learned(), language.learned.get()) {
        (true, _) => Ok(()),
        (false, Some(_)) => Err("was no catalogue when it was first read".to_owned()),
        (false, None) => language.learn(json),
    }
}

/// The words of the language of that tag; the English ones where they are not known.
#[must_use]
pub fn catalog(tag: &str) -> &'static Catalog {
    find(tag).filter(|language| language.tag != "en").and_then(Language::catalog).unwrap_or_else(english)
}

/// The English words.
#[must_use]
pub fn english() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| {
        let language = find("en").unwrap_or(&ENGLISH_ALONE);
        // It can be read: a test does.
        Catalog::new(language, Json::parse(ENGLISH).unwrap_or(Json::Null))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn language(tag: &'static str) -> &'static Language {
        Box::leak(Box::new(Language::new(tag, "Xish", true)))
    }

    #[test]
    fn english_is_always_there() {
        assert!(Json::parse(ENGLISH).is_ok());
        assert!(find("en").is_some_and(Language::is_learned));
        assert_eq!((english().tag(), english().dir(), tags(|_| false)), ("en", "ltr", vec!["en"]));
        for tag in ["en", "xx", "", "EN", "de\0"] {
            assert!(core::ptr::eq(catalog(tag), english()), "{tag}");
        }
        learn("en", "anything").expect("known");
        learn("xx", "{}").expect_err("no language");
    }

    #[test]
    fn a_file_is_a_catalogue_or_it_is_not() {
        for (json, error) in [
            ("", "line 1, column 1: "),
            ("<!doctype html>", "line 1, column 1: "),
            ("{}", "language.tag is not xx"),
            (r#"{"language":{"tag":"en"}}"#, "language.tag is not xx"),
            (r#"{"language":{"tag":"xx","tag":"xx"}}"#, "line 1, column 25: "),
            ("[]", "language.tag is not xx"),
        ] {
            let language = language("xx");
            let said = language.learn(json).expect_err(json);
            assert!(said.starts_with(error), "{json}: {said}");
            assert!(!language.is_learned() && language.learned.get().is_some(), "not tried again");
        }
    }

    #[test]
    fn what_a_file_lacks_is_said_in_english() {
        let language = language("xx");
        language.learn(r#"{"language":{"tag":"xx"},"labels":{"cause":"Xause"}}"#).expect("a catalogue");
        let words = language.catalog().expect("learned");
        assert_eq!((words.tag(), words.dir()), ("xx", "rtl"));
        assert_eq!(words.word("/labels/cause"), "Xause");
        assert_eq!(words.word("/labels/help"), english().word("/labels/help"));
        assert_eq!(words.plural("/time/past/hours", 1), "{n} hour ago");
    }

    #[test]
    fn names_are_in_order() {
        assert!(all().is_sorted_by_key(Language::name));
        assert_eq!(tags(|_| true).len(), all().len());
        assert_eq!(tags(|_| true).first(), Some(&"en"));
    }
}
