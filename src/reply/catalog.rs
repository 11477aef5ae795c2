//! Every word that a visitor reads, by language; and what programs are told, in English.
//!
//! A catalogue is a file of `www/.edgeward/locales/`; [`languages`](super::languages) lists and learns them. A word that one
//! lacks is said in English.
//!
//! Words may have blanks: `{brand}`, `{user}`, `{when}`, `{wait}`, `{span}`, `{place}`, and `{n}` and the like in times. A
//! word that depends on a number is an object by plural category, a text that depends on what is known one by what it
//! needs (`confirm`, `span`, `when`, `user`, `wait`, `else`).

mod blanks;
mod plural;
mod problems;

use crate::json::Json;
use crate::reply::languages::{Language, english};
use crate::verdict::Cause;

pub use blanks::{Part, blanks, fill, parts};
pub use plural::{categories, category};
pub use problems::{detail, problem, title};

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
    /// The page has the form for user name and password, or is about to ask for a code.
    Form,
    /// The page has the form for a code, and one was sent.
    Code,
}

impl Variant {
    /// Every variant.
    pub const ALL: [Self; 5] = [Self::Plain, Self::Prompt, Self::Program, Self::Form, Self::Code];

    /// What it is called in a catalogue.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Prompt => "prompt",
            Self::Program => "program",
            Self::Form => "form",
            Self::Code => "code",
        }
    }

    /// Whose words are said where a page has none for this one.
    const fn without(self) -> Option<Self> {
        match self {
            Self::Code => Some(Self::Form),
            Self::Form | Self::Prompt | Self::Program => Some(Self::Plain),
            Self::Plain => None,
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
    /// How long what has ended lasted, or might have idled.
    pub span: bool,
    /// What a button on the page confirms.
    pub confirm: bool,
}

impl Known {
    fn has(self, key: &str) -> bool {
        match key {
            "user" => self.user,
            "when" => self.when,
            "wait" => self.wait,
            "span" => self.span,
            "confirm" => self.confirm,
            _ => key == "else",
        }
    }

    /// Whether nothing that a text speaks of is unknown.
    fn fills(self, text: &str) -> bool {
        blanks(text).all(|blank| !matches!(blank, "user" | "when" | "wait" | "span") || self.has(blank))
    }
}

/// The words of one page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    language: &'static Language,
    words: Json<'static>,
}

impl Catalog {
    /// The catalogue of a language: what its file says.
    #[must_use]
    pub const fn new(language: &'static Language, words: Json<'static>) -> Self {
        Self { language, words }
    }

    /// The language's tag (RFC 5646).
    #[must_use]
    pub const fn tag(&self) -> &'static str {
        self.language.tag()
    }

    /// `ltr` or `rtl`.
    #[must_use]
    pub const fn dir(&self) -> &'static str {
        self.language.dir()
    }

    /// The word at a JSON pointer (RFC 6901); the English one where this language has none.
    #[must_use]
    pub fn word(&'static self, pointer: &str) -> &'static str {
        let own = self.value(pointer).and_then(Json::as_text);
        own.or_else(|| self.in_english()?.value(pointer)?.as_text()).unwrap_or_default()
    }

    /// The word at a JSON pointer in the plural category that `number` has in this language.
    #[must_use]
    pub fn plural(&'static self, pointer: &str, number: u64) -> &'static str {
        let own = self.value(pointer).and_then(|forms| {
            let category = category(self.word("/language/plural"), number);
            forms.get(category).or_else(|| forms.get("other")).and_then(Json::as_text)
        });
        own.or_else(|| self.in_english().map(|english| english.plural(pointer, number))).unwrap_or_default()
    }

    /// The words of the page for a cause.
    #[must_use]
    pub fn page(&'static self, cause: Cause, variant: Variant, known: Known) -> Wording {
        let variants = core::iter::successors(Some(variant), |variant| variant.without());
        let own = self.value(&["/pages/", cause.name()].concat()).and_then(|page| {
            variants
                .map(Variant::name)
                .find_map(|name| page.get(name))
                .map(|words| page_wording(words, known))
        });
        own.or_else(|| self.in_english().map(|english| english.page(cause, variant, known)))
            .unwrap_or_default()
    }

    /// The words of a page without a cause: `said` of the catalogue.
    #[must_use]
    pub fn said(&'static self, name: &str, known: Known) -> Wording {
        let own = self.value(&["/said/", name].concat()).map(|words| page_wording(words, known));
        own.or_else(|| self.in_english().map(|english| english.said(name, known))).unwrap_or_default()
    }

    fn value(&'static self, pointer: &str) -> Option<&'static Json<'static>> {
        pointer.split('/').skip(1).try_fold(&self.words, |value, name| match value {
            Json::Array(elements) => elements.get(name.parse::<usize>().ok()?),
            other => other.get(name),
        })
    }

    /// What says the words that this language lacks.
    fn in_english(&self) -> Option<&'static Self> {
        (self.tag() != "en").then(english)
    }
}

fn page_wording(words: &'static Json<'static>, known: Known) -> Wording {
    wording(words, "headline", "steps", known)
}

fn wording(words: &'static Json<'static>, headline: &str, steps: &str, known: Known) -> Wording {
    let steps = words.get(steps).and_then(Json::as_array).unwrap_or_default();
    Wording {
        headline: words.get(headline).and_then(Json::as_text).unwrap_or_default(),
        text: words.get("text").and_then(|text| text_for(text, known)).unwrap_or_default(),
        steps: steps.iter().filter_map(Json::as_text).collect(),
    }
}

/// Of a text by what it needs, the one that says most of what is known.
fn text_for(text: &'static Json<'static>, known: Known) -> Option<&'static str> {
    if text.as_object().is_none() {
        return text.as_text();
    }
    let needs =
        ["confirm", "span", "when", "user", "wait", "else"].into_iter().filter(|need| known.has(need));
    needs.filter_map(|need| text.get(need)?.as_text()).find(|text| known.fills(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_known() -> impl Iterator<Item = Known> {
        (0..32).map(|bits| Known {
            user: bits & 1 > 0,
            when: bits & 2 > 0,
            wait: bits & 4 > 0,
            confirm: bits & 8 > 0,
            span: bits & 16 > 0,
        })
    }

    /// Every page in English, for whatever is known.
    fn every_page() -> Vec<(&'static str, Wording, Known)> {
        let mut pages = Vec::new();
        for known in every_known() {
            for cause in Cause::ALL {
                for variant in Variant::ALL {
                    pages.push((cause.name(), english().page(cause, variant, known), known));
                }
            }
            for (name, _) in english().value("/said").and_then(Json::as_object).expect("said") {
                pages.push((name, english().said(name, known), known));
            }
        }
        pages
    }

    #[test]
    fn every_cause_has_its_words() {
        for (name, page, known) in every_page() {
            let words = page.headline.split(' ').count();
            assert!(!page.headline.is_empty() && words <= 6, "{name}: {page:?}");
            assert!(!page.text.is_empty(), "{name}");
            for text in [page.headline, page.text].into_iter().chain(page.steps.iter().copied()) {
                assert!(known.fills(text), "{name}: {text}");
            }
            assert!(page.steps.iter().all(|step| step.ends_with('.')), "{name}: {page:?}");
        }
        for cause in Cause::ALL {
            let steps = english().page(cause, Variant::Plain, Known::default()).steps;
            assert!((2..=4).contains(&steps.len()), "{}", cause.name());
        }
    }

    #[test]
    fn the_voice_is_kept() {
        let banned = [
            "!",
            "oops",
            "unauthorized",
            "forbidden",
            "authenticate",
            "authenticati",
            "credential",
            "token",
            "session",
            "sorry",
            "401",
        ];
        for (name, page, _) in every_page() {
            let texts = [page.headline, page.text].into_iter().chain(page.steps);
            let all = texts.collect::<Vec<_>>().join(" ").to_lowercase();
            for word in banned {
                assert!(!all.contains(word), "{name}: {word} in {all}");
            }
        }
    }

    #[test]
    fn what_is_not_known_is_not_spoken_of() {
        let page = |known| english().page(Cause::TokenExpired, Variant::Plain, known).text;
        assert!(page(Known { when: true, ..Known::default() }).contains("until {when}"));
        assert!(page(Known { span: true, ..Known::default() }).contains("a limited time"));
        let text: &'static Json<'static> = Box::leak(Box::new(
            Json::parse(r#"{"span":"{span} {when}","when":"{when}","else":"none"}"#).expect("JSON"),
        ));
        let (span, when) =
            (Known { span: true, ..Known::default() }, Known { when: true, ..Known::default() });
        for (known, wanted) in [
            (Known { when: true, ..span }, "{span} {when}"),
            (span, "none"),
            (when, "{when}"),
            (Known::default(), "none"),
        ] {
            assert_eq!(text_for(text, known), Some(wanted), "{known:?}");
        }
    }

    #[test]
    fn a_variant_without_words_is_said_as_the_next() {
        let headline = |variant| english().page(Cause::CredentialsWrong, variant, Known::default()).headline;
        let steps = |variant| english().page(Cause::CredentialsWrong, variant, Known::default()).steps;
        assert_eq!(headline(Variant::Program), "The app was not recognised");
        assert_eq!(steps(Variant::Prompt), steps(Variant::Plain));
        assert_ne!(steps(Variant::Form), steps(Variant::Code));
        let of_missing = |variant| english().page(Cause::CredentialsMissing, variant, Known::default());
        assert_eq!(of_missing(Variant::Code), of_missing(Variant::Form));
        assert_eq!(english().said("nothing", Known::default()), Wording::default());
    }

    #[test]
    fn words_by_number() {
        assert_eq!(english().plural("/time/past/minutes", 1), "{n} minute ago");
        assert_eq!(english().plural("/time/past/minutes", 3), "{n} minutes ago");
        assert_eq!(english().plural("/time/past/centuries", 3), "");
    }
}
