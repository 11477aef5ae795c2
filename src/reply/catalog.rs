//! Every word that a visitor or a program reads, by language.
//!
//! A catalogue is a file of `www/.edgeward/locales/`, compiled in. Adding a language is adding its file and its line in
//! `BUILT_IN`; a word that it lacks is said in English. A file is read when its language is first asked for.
//!
//! Words may have blanks: `{brand}`, `{user}`, `{when}`, `{wait}`, and `{n}` and the like in times. A word that depends on a
//! number is an object by plural category (`one`, `few`, `many`, `other`), a text that depends on what is known one by what
//! it needs (`confirm`, `span`, `when`, `user`, `wait`, `else`).

use crate::json::Json;
use crate::verdict::Cause;
use std::sync::OnceLock;

/// The built-in catalogues; the first is what the others fall back to.
static BUILT_IN: [BuiltIn; 1] = [BuiltIn::new("en", include_str!("../../www/.edgeward/locales/en.json"))];

struct BuiltIn {
    tag: &'static str,
    json: &'static str,
    read: OnceLock<Catalog>,
}

impl BuiltIn {
    const fn new(tag: &'static str, json: &'static str) -> Self {
        Self { tag, json, read: OnceLock::new() }
    }

    fn catalog(&self) -> &Catalog {
        self.read.get_or_init(|| Catalog::read(self.tag, self.json))
    }
}

/// The tags of the languages that are spoken, the default first.
#[must_use]
pub fn languages() -> Vec<&'static str> {
    BUILT_IN.iter().map(|it| it.tag).collect()
}

/// The catalogue of the language of that tag; English where there is none.
#[must_use]
pub fn in_language(tag: &str) -> &'static Catalog {
    let [english, ..] = &BUILT_IN;
    BUILT_IN.iter().find(|it| it.tag == tag).unwrap_or(english).catalog()
}

/// The English catalogue.
#[must_use]
pub fn english() -> &'static Catalog {
    let [english, ..] = &BUILT_IN;
    english.catalog()
}

/// What a cause is called, in English: `title` of problem details (RFC 9457 §3.1.3).
#[must_use]
pub fn title(cause: Cause) -> &'static str {
    problem_title(cause, "en")
}

/// What a cause means, in English, for programs.
#[must_use]
pub fn detail(cause: Cause) -> &'static str {
    english().problem(cause).text
}

/// What a cause is called in a language.
#[must_use]
pub fn problem_title(cause: Cause, language: &str) -> &'static str {
    in_language(language).problem(cause).headline
}

/// How a visitor came: the same cause has other words for a link than for an app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Variant {
    /// None of the others; where a token is concerned, a link that was opened.
    #[default]
    Plain,
    /// The browser will ask for user name and password: a `Basic` challenge goes along.
    Prompt,
    /// It was a program that came: with a token in the `Authorization` field, or with an API key.
    Program,
    /// The page has the form that signing in takes.
    Form,
    /// The page has the form for the second factor, and what was sent with it did not match.
    Code,
}

impl Variant {
    const fn key(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Prompt => "prompt",
            Self::Program => "program",
            Self::Form => "form",
            Self::Code => "code",
        }
    }
}

/// What is known besides the cause, and may be spoken of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Known {
    /// As whom the visitor is known.
    pub user: bool,
    /// The moment the cause speaks of.
    pub when: bool,
    /// How long to wait.
    pub wait: bool,
    /// What a button on the page confirms.
    pub confirm: bool,
    /// How long the cause speaks of, and the moment with it where the cause has one.
    pub span: bool,
}

impl Known {
    fn has(self, key: &str) -> bool {
        match key {
            "user" => self.user,
            "when" => self.when,
            "wait" => self.wait,
            "confirm" => self.confirm,
            "span" => self.span,
            _ => key == "else",
        }
    }
}

/// The words of one page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wording {
    /// What happened.
    pub headline: &'static str,
    /// What it means.
    pub text: &'static str,
    /// What to try or to check.
    pub steps: Vec<&'static str>,
}

/// The words of one language.
#[derive(Debug)]
pub struct Catalog {
    tag: &'static str,
    words: Json<'static>,
}

impl Catalog {
    /// A file that cannot be read has no words of its own: then all are English. The tests read each one.
    fn read(tag: &'static str, json: &'static str) -> Self {
        Self { tag, words: Json::parse(json).unwrap_or(Json::Null) }
    }

    /// The language's tag (RFC 5646).
    #[must_use]
    pub const fn tag(&self) -> &'static str {
        self.tag
    }

    /// `ltr` or `rtl`.
    #[must_use]
    pub fn dir(&'static self) -> &'static str {
        self.word("/language/dir")
    }

    /// The word at a JSON pointer (RFC 6901); the English one where this language has none.
    #[must_use]
    pub fn word(&'static self, pointer: &str) -> &'static str {
        self.value(pointer).and_then(Json::as_text).unwrap_or_default()
    }

    /// The word at a JSON pointer in the plural category that `number` has in this language.
    #[must_use]
    pub fn plural(&'static self, pointer: &str, number: u64) -> &'static str {
        let Some(value) = self.own_value(pointer) else { return self.english_plural(pointer, number) };
        let category = category(self.word("/language/plural"), number);
        value.get(category).or_else(|| value.get("other")).and_then(Json::as_text).unwrap_or_default()
    }

    /// The words of the page for a cause.
    #[must_use]
    pub fn page(&'static self, cause: Cause, variant: Variant, known: Known) -> Wording {
        let cause = cause.name();
        let variant = format!("/pages/{cause}/{}", variant.key());
        self.value(&variant)
            .or_else(|| self.value(&format!("/pages/{cause}/plain")))
            .map(|words| wording(words, "headline", "steps", known))
            .unwrap_or(Wording { headline: "", text: "", steps: Vec::new() })
    }

    /// The words of a page that is no refusal.
    #[must_use]
    pub fn said(&'static self, said: &str, known: Known) -> Wording {
        self.value(&format!("/said/{said}"))
            .map(|words| wording(words, "headline", "steps", known))
            .unwrap_or(Wording { headline: "", text: "", steps: Vec::new() })
    }

    /// What a program, or who writes it, has to know of a cause: title, explanation, what to check.
    #[must_use]
    pub fn problem(&'static self, cause: Cause) -> Wording {
        self.value(&format!("/problems/{}", cause.name()))
            .map(|words| wording(words, "title", "check", Known::default()))
            .unwrap_or(Wording { headline: "", text: "", steps: Vec::new() })
    }

    fn value(&'static self, pointer: &str) -> Option<&'static Json<'static>> {
        self.own_value(pointer).or_else(|| if self.is_default() { None } else { english().value(pointer) })
    }

    fn own_value(&'static self, pointer: &str) -> Option<&'static Json<'static>> {
        pointer.split('/').skip(1).try_fold(&self.words, |value, name| match value {
            Json::Array(elements) => elements.get(name.parse::<usize>().ok()?),
            other => other.get(name),
        })
    }

    fn english_plural(&'static self, pointer: &str, number: u64) -> &'static str {
        if self.is_default() { "" } else { english().plural(pointer, number) }
    }

    fn is_default(&self) -> bool {
        let [english, ..] = &BUILT_IN;
        self.tag == english.tag
    }
}

fn wording(words: &'static Json<'static>, headline: &str, steps: &str, known: Known) -> Wording {
    let text = |value: &'static Json<'static>| match value {
        cases @ Json::Object(_) => ["confirm", "span", "when", "user", "wait", "else"]
            .iter()
            .filter(|key| known.has(key))
            .find_map(|key| cases.get(key)),
        other => Some(other),
    };
    Wording {
        headline: words.get(headline).and_then(Json::as_text).unwrap_or_default(),
        text: words.get("text").and_then(text).and_then(Json::as_text).unwrap_or_default(),
        steps: words
            .get(steps)
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
            .filter_map(Json::as_text)
            .collect(),
    }
}

/// The plural category (Unicode CLDR) of a whole number, by the name of the language's rule.
fn category(rule: &str, n: u64) -> &'static str {
    let (last, last_two) = (n % 10, n % 100);
    let teen = (11..=14).contains(&last_two);
    match rule {
        "zero-one-other" if n <= 1 => "one",
        "one-other" | "czech" if n == 1 => "one",
        "czech" if (2..=4).contains(&n) => "few",
        "east-slavic" if last == 1 && last_two != 11 => "one",
        "polish" if n == 1 => "one",
        "east-slavic" | "polish" if (2..=4).contains(&last) && !teen => "few",
        "east-slavic" | "polish" => "many",
        "arabic" if n == 0 => "zero",
        "arabic" if n == 1 => "one",
        "arabic" if n == 2 => "two",
        "arabic" if (3..=10).contains(&last_two) => "few",
        "arabic" if last_two >= 11 => "many",
        _ => "other",
    }
}

/// `text` with its blanks filled; a blank that is not named stays.
#[must_use]
pub fn fill(text: &str, blanks: &[(&str, &str)]) -> String {
    let mut filled = String::new();
    for part in parts(text) {
        match part {
            Part::Words(words) => filled.push_str(words),
            Part::Blank(name) => match blanks.iter().find(|(blank, _)| *blank == name) {
                Some((_, value)) => filled.push_str(value),
                None => filled.extend(["{", name, "}"]),
            },
        }
    }
    filled
}

/// A piece of a text with blanks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'t> {
    /// Words.
    Words(&'t str),
    /// The name of a blank.
    Blank(&'t str),
}

/// The pieces of a text with blanks.
#[must_use]
pub fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        parts.extend([Part::Words(before), Part::Blank(name)]);
        rest = after;
    }
    parts.push(Part::Words(rest));
    parts.retain(|part| *part != Part::Words(""));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLANKS: [&str; 5] = ["brand", "user", "when", "wait", "span"];

    fn blanks(text: &str) -> Vec<&str> {
        parts(text)
            .into_iter()
            .filter_map(|part| if let Part::Blank(name) = part { Some(name) } else { None })
            .collect()
    }

    fn every_known() -> impl Iterator<Item = Known> {
        (0..32).map(|bits| Known {
            user: bits & 1 > 0,
            when: bits & 2 > 0,
            wait: bits & 4 > 0,
            confirm: bits & 8 > 0,
            span: bits & 16 > 0,
        })
    }

    #[test]
    fn every_file_can_be_read() {
        for it in &BUILT_IN {
            Json::parse(it.json).expect(it.tag);
            assert_eq!(in_language(it.tag).word("/language/tag"), it.tag);
            assert!(["ltr", "rtl"].contains(&in_language(it.tag).dir()));
        }
    }

    #[test]
    fn every_cause_has_its_words() {
        for cause in Cause::ALL {
            for variant in [Variant::Plain, Variant::Prompt, Variant::Program] {
                for known in every_known() {
                    check_page(&english().page(cause, variant, known), known, cause);
                }
            }
        }
    }

    fn check_page(page: &Wording, known: Known, cause: Cause) {
        let name = cause.name();
        assert!(!page.headline.is_empty() && page.headline.split(' ').count() <= 6, "{name}: {page:?}");
        assert!(!page.text.is_empty(), "{name}");
        assert!((2..=4).contains(&page.steps.len()), "{name}");
        for text in [page.headline, page.text].into_iter().chain(page.steps.iter().copied()) {
            for blank in blanks(text) {
                assert!(blank == "brand" || (BLANKS.contains(&blank) && known.has(blank)), "{name}: {text}");
            }
        }
        for step in &page.steps {
            assert!(step.ends_with('.'), "{name}: {step}");
        }
    }

    #[test]
    fn the_voice_is_kept() {
        let banned = [
            "!",
            "oops",
            "unauthorized",
            "forbidden",
            "authenticat",
            "credential",
            "token",
            "session",
            "sorry",
            "401",
        ];
        for cause in Cause::ALL {
            for variant in [Variant::Plain, Variant::Prompt, Variant::Program] {
                for known in every_known() {
                    let page = english().page(cause, variant, known);
                    let all = [page.headline, page.text]
                        .into_iter()
                        .chain(page.steps)
                        .collect::<Vec<_>>()
                        .join(" ")
                        .to_lowercase();
                    for word in banned {
                        assert!(!all.contains(word), "{}: {word} in {all}", cause.name());
                    }
                }
            }
        }
    }

    #[test]
    fn the_page_is_the_brands() {
        for it in &BUILT_IN {
            let credit = in_language(it.tag).word("/labels/credit");
            let elsewhere = it.json.replace(credit, "").to_lowercase();
            assert!(!elsewhere.contains("edgeward"), "{}", it.tag);
        }
    }

    #[test]
    fn every_cause_is_explained() {
        for cause in Cause::ALL {
            let it = english().problem(cause);
            assert!(
                !it.headline.is_empty() && it.text.ends_with('.') && !it.steps.is_empty(),
                "{}",
                cause.name()
            );
            assert_eq!(blanks(it.text), Vec::<&str>::new());
            assert_eq!((title(cause), detail(cause)), (it.headline, it.text));
        }
    }

    #[test]
    fn no_words_without_a_cause() {
        for section in ["pages", "problems"] {
            let words = english().words.get(section).and_then(Json::as_object).expect(section);
            for (name, _) in words {
                assert!(Cause::from_name(name).is_some(), "{section}/{name}");
            }
        }
    }

    #[test]
    fn plural_categories() {
        for (rule, numbers) in [
            ("one-other", [(0, "other"), (1, "one"), (2, "other"), (21, "other")]),
            ("zero-one-other", [(0, "one"), (1, "one"), (2, "other"), (100, "other")]),
            ("only-other", [(0, "other"), (1, "other"), (2, "other"), (5, "other")]),
            ("east-slavic", [(1, "one"), (22, "few"), (11, "many"), (112, "many")]),
            ("polish", [(1, "one"), (22, "few"), (21, "many"), (13, "many")]),
            ("czech", [(1, "one"), (3, "few"), (5, "other"), (22, "other")]),
            ("arabic", [(0, "zero"), (2, "two"), (103, "few"), (111, "many")]),
        ] {
            for (number, wanted) in numbers {
                assert_eq!(category(rule, number), wanted, "{rule} {number}");
            }
        }
        assert_eq!(english().plural("/time/past/minutes", 1), "{n} minute ago");
        assert_eq!(english().plural("/time/past/minutes", 3), "{n} minutes ago");
    }

    #[test]
    fn blanks_are_filled() {
        assert_eq!(fill("{n} of {m}, {n}{", &[("n", "1"), ("m", "{n}")]), "1 of {n}, 1{");
        assert_eq!(fill("{x}", &[]), "{x}");
        assert_eq!(parts("a{b}"), [Part::Words("a"), Part::Blank("b")]);
    }

    #[test]
    fn a_language_falls_back_to_english() {
        let half: &'static Catalog =
            Box::leak(Box::new(Catalog::read("xx", r#"{"language":{"dir":"rtl"}}"#)));
        assert_eq!(half.dir(), "rtl");
        assert_eq!(half.word("/labels/cause"), "Cause");
        assert_eq!(half.plural("/time/past/hours", 1), "{n} hour ago");
        assert_eq!(
            half.page(Cause::Denied, Variant::Plain, Known::default()).headline,
            "This page is closed"
        );
    }
}
