//! The page that a visitor meets.
//!
//! A page is rendered once for each (status, cause, variant, language, what is known) of a brand and kept, with holes for
//! what differs by request: see [`Kept`]. A brand may have a page of its own for a status; it is a [`Template`] like ours.

use crate::policy::{Brand, Notice};
use crate::reply::action::{Action, Ways, ways};
use crate::reply::catalog::{self, Catalog, Known, Variant, Wording};
use crate::reply::color;
use crate::reply::kept::{Bit, Hole, Kept, bits, monogram};
use crate::reply::language;
use crate::reply::names::Name;
use crate::reply::scan::{Inline, Place};
use crate::reply::template::{Node, Template, TemplateError};
use crate::time::{Lifetime, UnixTime};
use crate::verdict::Cause;
use std::collections::BTreeMap;

const PAGE: &str = include_str!("../../www/.edgeward/pages/page.html");
const PROBLEM: &str = include_str!("../../www/.edgeward/pages/problem.html");
const STYLE: &str = include_str!("../../www/.edgeward/pages/page.css");

/// How many pages are kept at most; the one that was shown longest ago goes first.
const MOST_KEPT: usize = 64;

/// What a page says, and to whom.
#[derive(Clone, Copy, Debug)]
pub struct PageFacts<'a> {
    /// Status of the response.
    pub status: u16,
    /// Why.
    pub cause: Cause,
    /// How the visitor came.
    pub variant: Variant,
    /// The value of `Accept-Language`.
    pub accept_language: Option<&'a str>,
    /// Host and port as received: stands for the brand's name where it has none.
    pub host: &'a str,
    /// The URL that was asked for.
    pub address: &'a str,
    /// What the log knows this answer by.
    pub reference: &'a str,
    /// Now.
    pub now: UnixTime,
    /// The moment the cause speaks of.
    pub when: Option<UnixTime>,
    /// As whom the visitor is known.
    pub user: Option<&'a str>,
    /// How long to wait before trying again.
    pub retry_after: Option<Lifetime>,
}

impl PageFacts<'_> {
    const fn known(&self) -> Known {
        Known { user: self.user.is_some(), when: self.when.is_some(), wait: self.retry_after.is_some() }
    }

    /// Whether the front page is what was asked for.
    fn at_front(&self) -> bool {
        let rest = self.address.split_once("://").map_or(self.address, |(_, rest)| rest);
        let path = rest.find(['/', '?', '#']).and_then(|at| rest.get(at..)).unwrap_or("/");
        path.split(['?', '#']).next().is_some_and(|path| path.is_empty() || path == "/")
    }
}

/// A page, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The document.
    pub html: String,
    /// The value of its `Content-Security-Policy`.
    pub csp: String,
    /// The tag of its language: `Content-Language`.
    pub language: &'static str,
}

/// The pages of a brand, as far as they have been shown.
#[derive(Debug)]
pub struct Pages {
    brand: Brand,
    style: Style,
    own: BTreeMap<u16, Template>,
    kept: Vec<(Key, Kept, String)>,
    rendered: u64,
}

#[derive(Debug)]
struct Style {
    colors: String,
    sheet: String,
}

/// What a kept page depends on. Nothing of a visitor is in it but whether it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Page { status: u16, cause: Cause, variant: Variant, language: &'static str, known: Known, at_front: bool },
    Problem { cause: Cause, status: u16, language: &'static str },
}

impl Key {
    const fn language(&self) -> &'static str {
        match self {
            Self::Page { language, .. } | Self::Problem { language, .. } => language,
        }
    }
}

impl Pages {
    /// The built-in pages, for a brand.
    #[must_use]
    pub fn new(brand: Brand) -> Self {
        let colors = color::css(brand.color);
        let sheet = packed(STYLE);
        Self { brand, style: Style { colors, sheet }, own: BTreeMap::new(), kept: Vec::new(), rendered: 0 }
    }

    /// Takes the brand's own page for a status (`pages/401.html`).
    ///
    /// # Errors
    /// Where it is no template: what is wrong in which line. Then the page for that status stays what it was.
    pub fn replace(&mut self, status: u16, template: &str) -> Result<(), TemplateError> {
        self.own.insert(status, Template::parse(template)?);
        self.kept.retain(|(key, ..)| !matches!(key, Key::Page { status: of, .. } if *of == status));
        Ok(())
    }

    /// The page for a refusal or a fault.
    pub fn render(&mut self, facts: &PageFacts<'_>) -> Rendered {
        let language = language::choose(facts.accept_language, &catalog::languages());
        let key = Key::Page {
            status: facts.status,
            cause: facts.cause,
            variant: facts.variant,
            language,
            known: facts.known(),
            at_front: facts.at_front(),
        };
        self.show(key, facts)
    }

    /// The page that explains a cause to who writes programs: `/.edgeward/problems/<cause>`. `status` is the cause's own.
    pub fn problem(
        &mut self,
        cause: Cause,
        status: u16,
        host: &str,
        accept_language: Option<&str>,
    ) -> Rendered {
        let language = language::choose(accept_language, &catalog::languages());
        let facts = PageFacts {
            status,
            cause,
            variant: Variant::Plain,
            accept_language,
            host,
            address: "",
            reference: "",
            now: UnixTime::from_seconds(0),
            when: None,
            user: None,
            retry_after: None,
        };
        self.show(Key::Problem { cause, status, language }, &facts)
    }

    /// How many pages have been rendered, rather than filled from what is kept.
    #[must_use]
    pub const fn rendered(&self) -> u64 {
        self.rendered
    }

    fn show(&mut self, key: Key, facts: &PageFacts<'_>) -> Rendered {
        let words = catalog::in_language(key.language());
        let (kept, csp) = self.keep(key, words);
        Rendered { html: kept.fill(facts, words), csp: csp.clone(), language: words.tag() }
    }

    /// The kept page, rendered if it is not there; moved to the end, as the one shown last.
    fn keep(&mut self, key: Key, words: &'static Catalog) -> (&Kept, &String) {
        let found = self.kept.iter().position(|(kept, ..)| *kept == key);
        let entry = if let Some(at) = found { self.kept.remove(at) } else { self.make(key, words) };
        if self.kept.len() >= MOST_KEPT {
            self.kept.remove(0);
        }
        let (_, kept, csp) = self.kept.push_mut(entry);
        (kept, csp)
    }

    fn make(&mut self, key: Key, words: &'static Catalog) -> (Key, Kept, String) {
        self.rendered += 1;
        let scope = Scope::new(&self.brand, &self.style, words, key);
        let mut kept = Kept::default();
        let own = if let Key::Page { status, .. } = key { self.own.get(&status) } else { None };
        match own {
            Some(template) => scope.nodes(template.nodes(), None, &mut kept),
            // The built-in templates parse: a test reads each.
            None => match Template::parse(if matches!(key, Key::Page { .. }) { PAGE } else { PROBLEM }) {
                Ok(template) => scope.nodes(template.nodes(), None, &mut kept),
                Err(error) => kept.markup(&error.to_string()),
            },
        }
        let csp = kept.policy();
        (key, kept, csp)
    }
}

/// What the values of one page are made of.
struct Scope<'p> {
    brand: &'p Brand,
    style: &'p Style,
    words: &'static Catalog,
    wording: Wording,
    ways: Ways,
    status: u16,
    cause: Cause,
    known: Known,
    /// The brand's name, or the host.
    name: Bit,
}

/// One turn of a list.
#[derive(Clone, Copy)]
enum Item {
    Step(&'static str),
    Link(Action),
}

impl<'p> Scope<'p> {
    fn new(brand: &'p Brand, style: &'p Style, words: &'static Catalog, key: Key) -> Self {
        let name = brand.name.clone().map_or(Bit::Hole(Hole::Host), Bit::Proper);
        let common = |status, cause, known, wording, ways| Self {
            brand,
            style,
            words,
            wording,
            ways,
            status,
            cause,
            known,
            name,
        };
        match key {
            Key::Page { status, cause, variant, known, at_front, .. } => {
                let wording = words.page(cause, variant, known);
                common(status, cause, known, wording, ways(cause, variant, brand, at_front))
            }
            Key::Problem { cause, status, .. } => {
                let links = brand.support.is_some().then_some(Action::Support).into_iter().collect();
                common(status, cause, Known::default(), words.problem(cause), Ways { button: None, links })
            }
        }
    }

    fn nodes(&self, nodes: &[Node], item: Option<Item>, kept: &mut Kept) {
        for node in nodes {
            match node {
                Node::Literal(html) => kept.markup(html),
                Node::Inline(kind, content) => kept.inline(*kind, content),
                Node::Style(whole) => self.style(*whole, kept),
                Node::Value(name, place) => kept.value(&self.value(*name, item, *place), *place),
                Node::Section(name, shown, inner) => self.section(*name, *shown, inner, item, kept),
            }
        }
    }

    fn style(&self, whole: bool, kept: &mut Kept) {
        let sheet = if whole { self.style.sheet.as_str() } else { "" };
        kept.markup("<style>");
        kept.inline(Inline::Style, &format!("{}{sheet}", self.style.colors));
        kept.markup("</style>");
    }

    fn section(&self, name: Name, shown: bool, inner: &[Node], item: Option<Item>, kept: &mut Kept) {
        let items: Vec<Item> = match name {
            Name::Steps => self.wording.steps.iter().copied().map(Item::Step).collect(),
            Name::Links => self.ways.links.iter().copied().map(Item::Link).collect(),
            _ => {
                return if self.has(name) == shown {
                    self.nodes(inner, item, kept)
                };
            }
        };
        if !shown && items.is_empty() {
            self.nodes(inner, item, kept);
        }
        if shown {
            items.into_iter().for_each(|item| self.nodes(inner, Some(item), kept));
        }
    }

    fn has(&self, name: Name) -> bool {
        match name {
            Name::HasSteps => !self.wording.steps.is_empty(),
            Name::HasLinks => !self.ways.links.is_empty(),
            Name::HasFoot => self.brand.credit || self.notice().is_some(),
            Name::User => self.known.user,
            Name::When => self.known.when,
            Name::Wait => self.known.wait,
            other => !self.value(other, None, Place::Text).is_empty(),
        }
    }

    fn value(&self, name: Name, item: Option<Item>, place: Place) -> Vec<Bit> {
        let words = |text: &str| vec![Bit::Words(text.to_owned())];
        let optional = |text: Option<&str>| text.map(words).unwrap_or_default();
        match name {
            Name::Lang => words(self.words.tag()),
            Name::Dir => words(self.words.dir()),
            Name::Status => words(&self.status.to_string()),
            Name::Cause => words(self.cause.name()),
            Name::Brand => vec![self.name.clone()],
            Name::Monogram => match &self.brand.name {
                Some(name) => words(&monogram(name)),
                None => vec![Bit::Hole(Hole::Monogram)],
            },
            Name::Icon => words(&self.icon()),
            Name::Logo => optional(self.brand.logo.as_deref()),
            Name::Headline => bits(self.wording.headline, &self.name),
            Name::Text => bits(self.wording.text, &self.name),
            Name::Button => optional(self.ways.button.map(|action| self.button_label(action))),
            Name::ButtonUrl => self.ways.button.map(|action| self.url(action)).unwrap_or_default(),
            Name::Step | Name::Link | Name::LinkUrl => self.item(name, item),
            Name::Host => vec![Bit::Hole(Hole::Host)],
            Name::Address => vec![Bit::Hole(Hole::Address)],
            Name::Moment => vec![Bit::Hole(Hole::Moment)],
            Name::MomentIso => vec![Bit::Hole(Hole::MomentIso)],
            Name::Reference => vec![Bit::Hole(Hole::Reference)],
            Name::User => vec![Bit::Hole(Hole::User)],
            Name::When => vec![Bit::Hole(Hole::When)],
            Name::Wait => vec![Bit::Hole(Hole::Wait)],
            Name::Support => optional(self.brand.support.as_deref()),
            Name::ForgotPassword => optional(self.brand.forgot_password.as_deref()),
            Name::StatusPage => optional(self.brand.status_page.as_deref()),
            Name::Notice => optional(self.notice()),
            Name::Credit => optional(self.brand.credit.then(|| self.words.word("/labels/credit"))),
            Name::LabelSteps => words(self.words.word("/labels/steps")),
            Name::LabelHelp => words(self.words.word("/labels/help")),
            Name::LabelAddress => words(self.words.word("/labels/address")),
            Name::LabelMoment => words(self.words.word("/labels/moment")),
            Name::LabelReference => words(self.words.word("/labels/reference")),
            Name::LabelCause => words(self.words.word("/labels/cause")),
            Name::LabelStatus => words(self.words.word("/labels/status")),
            Name::LabelCheck => words(self.words.word("/labels/check")),
            // Flags and lists have no value: the template was refused where it asks for one.
            Name::HasSteps | Name::HasLinks | Name::HasFoot | Name::Steps | Name::Links => Vec::new(),
        }
    }

    fn item(&self, name: Name, item: Option<Item>) -> Vec<Bit> {
        match (name, item) {
            (Name::Step, Some(Item::Step(text))) => bits(text, &self.name),
            (Name::Link, Some(Item::Link(action))) => vec![Bit::Words(self.link_label(action).to_owned())],
            (Name::LinkUrl, Some(Item::Link(action))) => self.url(action),
            _ => Vec::new(),
        }
    }

    fn button_label(&self, action: Action) -> &'static str {
        self.words.word(match action {
            Action::SignIn => "/actions/sign-in",
            Action::Again => "/actions/again",
            Action::Front => "/actions/front",
            Action::Support => "/actions/support",
            Action::Password => "/actions/password",
            Action::Secure => "/actions/secure",
            Action::Status => "/links/status",
        })
    }

    fn link_label(&self, action: Action) -> &'static str {
        match action {
            Action::Password => self.words.word("/links/password"),
            other => self.button_label(other),
        }
    }

    /// Where an action leads. The same page once more is the empty reference (RFC 3986 §4.4): nothing that a visitor
    /// sent stands in it.
    fn url(&self, action: Action) -> Vec<Bit> {
        let words = |text: Option<&str>| vec![Bit::Words(text.unwrap_or_default().to_owned())];
        match action {
            Action::SignIn | Action::Again => words(None),
            Action::Front => words(Some("/")),
            Action::Support => words(self.brand.support.as_deref()),
            Action::Password => words(self.brand.forgot_password.as_deref()),
            Action::Status => words(self.brand.status_page.as_deref()),
            Action::Secure => vec![Bit::Hole(Hole::SecureUrl)],
        }
    }

    /// The notice in this language, else in English, else in the first one there is.
    fn notice(&self) -> Option<&'p str> {
        match self.brand.notice.as_ref()? {
            Notice::Text(text) => Some(text),
            Notice::ByLanguage(texts) => {
                let tag = self.words.tag().to_ascii_lowercase();
                let primary = tag.split('-').next().unwrap_or_default();
                let found = [tag.as_str(), primary, "en"].into_iter().find_map(|tag| texts.get(tag));
                found.or_else(|| texts.values().next()).map(String::as_str)
            }
        }
    }

    /// What the browser's tab shows: the logo, else the monogram, drawn in place so that no request is made for it.
    fn icon(&self) -> String {
        if let Some(logo) = &self.brand.logo {
            return logo.clone();
        }
        let fill = color::reach(
            self.brand.color.unwrap_or(color::DEFAULT),
            color::BLACK,
            &[color::WHITE],
            color::SEEN,
        );
        let letter = self.brand.name.as_deref().map(monogram).unwrap_or_default();
        percent_encoded(&format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 32 32\"><rect width=\"32\" height=\"32\" rx=\"8\" \
             fill=\"{}\"/><text x=\"16\" y=\"23\" font-family=\"system-ui\" font-size=\"20\" font-weight=\"600\" \
             text-anchor=\"middle\" fill=\"{}\">{letter}</text></svg>",
            color::hex(fill),
            color::hex(color::text_on(fill))
        ))
    }
}

fn percent_encoded(svg: &str) -> String {
    let mut url = String::from("data:image/svg+xml,");
    for byte in svg.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'/' | b':' | b'=' => {
                url.push(char::from(byte))
            }
            other => url.push_str(&format!("%{other:02X}")),
        }
    }
    url
}

/// A style sheet without notes and indentation: visitors need neither.
fn packed(css: &str) -> String {
    let mut packed = String::new();
    for (at, part) in css.split("/*").enumerate() {
        let code = if at == 0 { part } else { part.split_once("*/").map_or("", |(_, code)| code) };
        code.lines().for_each(|line| packed.push_str(line.trim()));
    }
    packed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_pages_parse() {
        for text in [PAGE, PROBLEM] {
            Template::parse(text).expect("a template");
        }
    }

    #[test]
    fn packing_keeps_the_code() {
        assert_eq!(packed("/* a */\na {\n  b: c d;\n}\n/* e\nf */ g { }"), "a {b: c d;}g { }");
    }

    #[test]
    fn front_pages() {
        for (address, wanted) in [
            ("https://a.example", true),
            ("https://a.example/", true),
            ("https://a.example/?x=1/2", true),
            ("https://a.example?x", true),
            ("https://a.example/a", false),
            ("https://a.example//", false),
        ] {
            let facts = PageFacts { address, ..facts() };
            assert_eq!(facts.at_front(), wanted, "{address}");
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let mut pages = Pages::new(Brand::default());
        for status in 0..200 {
            pages.render(&PageFacts { status, ..facts() });
            assert!(pages.kept.len() <= MOST_KEPT);
        }
        assert_eq!(pages.rendered(), 200);
        pages.render(&PageFacts { status: 199, ..facts() });
        pages.render(&PageFacts { status: 200 - 64, ..facts() });
        assert_eq!(pages.rendered(), 200, "the last 64 are still there");
    }

    #[test]
    fn nothing_of_a_visitor_is_kept() {
        let mut pages = Pages::new(Brand::default());
        for cause in Cause::ALL {
            pages.render(&PageFacts { cause, ..facts() });
        }
        let kept = format!("{:?}", pages.kept);
        for of_visitor in ["visited.example", "Zoe", "0123456789abcdef", "2026", "1796"] {
            assert!(!kept.contains(of_visitor), "{of_visitor}");
        }
    }

    fn facts() -> PageFacts<'static> {
        PageFacts {
            status: 401,
            cause: Cause::NotAllowed,
            variant: Variant::Plain,
            accept_language: None,
            host: "visited.example",
            address: "https://visited.example/a",
            reference: "0123456789abcdef",
            now: UnixTime::from_seconds(1_796_083_200),
            when: Some(UnixTime::from_seconds(1_796_083_100)),
            user: Some("Zoe"),
            retry_after: Some(Lifetime::from_seconds(7)),
        }
    }
}
