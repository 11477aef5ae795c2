//! The page that a visitor meets.
//!
//! A page is rendered once for each (status, cause, variant, language, what is known) of a brand and kept, with holes for
//! what differs by request: see [`Kept`]. A brand may have a page of its own for a status; it is a [`Template`] like ours.

use crate::policy::Brand;
use crate::reply::action::{Action, Exits, Ways, said_ways, ways};
use crate::reply::catalog::{self, Catalog, Known, Variant};
use crate::reply::color;
use crate::reply::form::{Asks, Form, Shape};
use crate::reply::kept::Kept;
use crate::reply::languages::{self, Language};
use crate::reply::said::{Said, Saying};
use crate::reply::scope::{Content, Scope, Style};
use crate::reply::template::{Template, TemplateError};
use crate::sorted_map::SortedMap;
use crate::text;
use crate::time::{Lifetime, UnixTime};
use crate::verdict::Cause;
use core::fmt;

const PAGE: &str = include_str!("../../www/.edgeward/pages/page.html");
const PROBLEM: &str = include_str!("../../www/.edgeward/pages/problem.html");
const STYLE: &str = include_str!("../../www/.edgeward/pages/page.css");
const FORM_STYLE: &str = include_str!("../../www/.edgeward/pages/form.css");
const FORM_SCRIPT: &str = include_str!("../../www/.edgeward/pages/form.js");
const RESEND_SCRIPT: &str = include_str!("../../www/.edgeward/pages/resend.js");
const WAIT_SCRIPT: &str = include_str!("../../www/.edgeward/pages/wait.js");

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
    /// The tag of the language that was chosen; English where its words are not known.
    pub language: &'a str,
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
    /// How long what has ended lasted, or might have idled.
    pub span: Option<Lifetime>,
    /// As whom the visitor is known.
    pub user: Option<&'a str>,
    /// How long to wait before trying again.
    pub retry_after: Option<Lifetime>,
    /// What a button on the page confirms: only [`Cause::TokenNeedsConfirmation`] has any.
    pub confirm: Option<Confirm<'a>>,
    /// Path and query that the language switch leads back to.
    pub return_to: &'a str,
    /// What the visitor is asked to send.
    pub form: Option<Form<'a>>,
    /// Origins, besides this one, that the form may lead to: as they stand in a Content-Security-Policy, each after a space.
    pub form_origins: &'a str,
    /// The ways out that sessions open.
    pub exits: Exits,
    /// Where signing in elsewhere on this host leads back to; where the one thing to do leads, on a page that is no refusal.
    pub onward: Option<&'a str>,
    /// Where else something is to be done: a host.
    pub place: Option<&'a str>,
}

/// A link that counts its uses, for the form that opens it.
#[derive(Clone, Copy)]
pub struct Confirm<'a> {
    /// Its token, as it stands in the query.
    pub token: &'a str,
    /// Path and query of what it opens, without the token.
    pub return_to: &'a str,
}

impl fmt::Debug for Confirm<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Confirm(…)")
    }
}

impl PageFacts<'_> {
    /// A page about a cause, of which nothing else is known.
    #[must_use]
    pub const fn of(cause: Cause) -> Self {
        Self {
            status: super::status(cause),
            cause,
            variant: Variant::Plain,
            language: "en",
            host: "",
            address: "",
            reference: "",
            now: UnixTime::from_seconds(0),
            when: None,
            user: None,
            retry_after: None,
            confirm: None,
            span: None,
            form: None,
            form_origins: "",
            exits: Exits::NONE,
            onward: None,
            return_to: "",
            place: None,
        }
    }

    const fn known(&self) -> Known {
        Known {
            user: self.user.is_some(),
            when: self.when.is_some(),
            wait: self.retry_after.is_some(),
            confirm: self.confirm.is_some() && matches!(self.cause, Cause::TokenNeedsConfirmation),
            span: self.span.is_some(),
        }
    }

    fn shape(&self) -> Shape {
        self.form.map_or(Shape::default(), |form| form.shape())
    }

    /// Whether the front page is what was asked for.
    fn at_front(&self) -> bool {
        let rest = text::cut(self.address, "://").map_or(self.address, |(_, rest)| rest);
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
    own: SortedMap<u16, Template>,
    kept: Vec<(Key, Kept, String)>,
    rendered: u64,
    /// What the language switch offers.
    offered: &'static [Language],
    /// The host of a Discourse where one may sign in, too.
    discourse: Option<String>,
}

/// What a kept page depends on. Nothing of a visitor is in it but whether it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    subject: Subject,
    status: u16,
    language: &'static str,
    known: Known,
    at_front: bool,
    shape: Shape,
    exits: Exits,
}

/// What a page is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    /// A refusal or a fault, for who met it.
    Met(Cause, Variant),
    /// A cause, for who writes programs.
    Explained(Cause),
    /// No refusal.
    Said(Said),
}

impl Pages {
    /// The built-in pages, for a brand.
    #[must_use]
    pub fn new(brand: Brand) -> Self {
        let style = Style {
            colors: color::css(brand.color),
            sheet: packed(STYLE),
            form_sheet: packed(FORM_STYLE),
            form_script: packed(FORM_SCRIPT),
            resend_script: packed(RESEND_SCRIPT),
            wait_script: packed(WAIT_SCRIPT),
        };
        let (own, kept) = (SortedMap::new(), Vec::new());
        Self { brand, style, own, kept, rendered: 0, offered: &[], discourse: None }
    }

    /// With a switch between all languages: where their words can be had.
    #[must_use]
    pub fn with_languages(mut self) -> Self {
        // One language is no choice.
        self.offered = Some(languages::all()).filter(|all| all.len() > 1).unwrap_or_default();
        self
    }

    /// With a second way to sign in: at the Discourse of that host.
    #[must_use]
    pub fn with_discourse(mut self, host: Option<&str>) -> Self {
        self.discourse = host.map(str::to_owned);
        self
    }

    /// Takes the brand's own page for a status (`pages/401.html`).
    ///
    /// # Errors
    /// Where it is no template: what is wrong in which line. Then the page for that status stays what it was.
    pub fn replace(&mut self, status: u16, template: &str) -> Result<(), TemplateError> {
        self.own.insert(status, Template::parse(template)?);
        self.kept.retain(|(key, ..)| key.status != status);
        Ok(())
    }

    /// The page for a refusal or a fault.
    pub fn render(&mut self, facts: &PageFacts<'_>) -> Rendered {
        self.show(Subject::Met(facts.cause, facts.variant), facts)
    }

    /// A page that is no refusal. Of `facts` counts what is no cause's: language, host, address, reference, moment.
    pub fn said(&mut self, saying: &Saying<'_>, facts: &PageFacts<'_>) -> Rendered {
        let Saying { said, user, form, url, place } = *saying;
        let none = PageFacts::of(facts.cause);
        let facts = PageFacts {
            status: said.status(),
            user,
            form,
            onward: url,
            place,
            when: none.when,
            span: none.span,
            retry_after: none.retry_after,
            confirm: none.confirm,
            ..*facts
        };
        self.show(Subject::Said(said), &facts)
    }

    /// The page that explains a cause to who writes programs: `/.edgeward/problems/<cause>`, in English. `status` is the
    /// cause's own.
    pub fn problem(&mut self, cause: Cause, status: u16, host: &str) -> Rendered {
        let facts = PageFacts { status, host, ..PageFacts::of(cause) };
        self.show(Subject::Explained(cause), &facts)
    }

    /// How many pages have been rendered, rather than filled from what is kept.
    #[must_use]
    pub const fn rendered(&self) -> u64 {
        self.rendered
    }

    fn show(&mut self, subject: Subject, facts: &PageFacts<'_>) -> Rendered {
        let key = Key {
            subject,
            status: facts.status,
            language: languages::catalog(facts.language).tag(),
            known: facts.known(),
            at_front: facts.at_front(),
            shape: facts.shape(),
            exits: facts.exits,
        };
        let words = languages::catalog(key.language);
        let (kept, csp) = self.keep(key, words);
        let leads = ["form-action 'self'", facts.form_origins].concat();
        let csp = text::replaced(csp, "form-action 'self'", &leads);
        Rendered { html: kept.fill(facts, words), csp, language: words.tag() }
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
        let scope = Scope::new(&self.brand, &self.style, words, self.content(key, words));
        let own = self.own_template(key).map(|own| scope.render(own.nodes()));
        // Without the form nobody could go on: such a page is no replacement.
        let own = own.filter(|kept| kept.asks(key.shape.asks) && (kept.confirms() || !key.known.confirm));
        // Only a built-in template is parsed here, and those parse: a test reads each.
        let kept = own.or_else(|| built_in(key).ok().map(|template| scope.render(template.nodes())));
        let kept = kept.unwrap_or_default();
        let csp = kept.policy();
        (key, kept, csp)
    }

    fn own_template(&self, key: Key) -> Option<&Template> {
        match key.subject {
            Subject::Met(..) => self.own.get(&key.status),
            Subject::Explained(_) | Subject::Said(_) => None,
        }
    }

    fn content(&self, key: Key, words: &'static Catalog) -> Content {
        let Key { subject, status, known, shape, .. } = key;
        let (cause, page, wording, ways) = match subject {
            Subject::Met(cause, variant) => {
                let mut ways = ways(cause, variant, &self.brand, key.at_front, key.exits);
                // The form is the one thing to do.
                ways.button = ways.button.filter(|_| !known.confirm && shape.asks == Asks::Nothing);
                (Some(cause), cause.name(), words.page(cause, variant, known), ways)
            }
            Subject::Explained(cause) => {
                let links = self.brand.support.is_some().then_some(Action::Support).into_iter().collect();
                (Some(cause), cause.name(), catalog::problem(cause), Ways { button: None, links })
            }
            Subject::Said(said) => {
                (None, said.name(), words.said(said.name(), known), said_ways(said, &self.brand))
            }
        };
        let mut ways = ways;
        let discourse = self.discourse.clone().filter(|_| shape.asks == Asks::SignIn && !shape.resend);
        if discourse.is_some() {
            ways.links.insert(0, Action::Discourse);
        }
        let elsewhere = key.exits.elsewhere;
        // A page that is not to be left offers nothing that would.
        let stays = matches!(subject, Subject::Explained(_)) || shape.resend;
        let languages = if stays { &[] } else { self.offered };
        Content { status, cause, page, known, shape, wording, ways, elsewhere, discourse, languages }
    }
}

fn built_in(key: Key) -> Result<Template, TemplateError> {
    let text = match key.subject {
        Subject::Met(..) | Subject::Said(_) => PAGE,
        Subject::Explained(_) => PROBLEM,
    };
    // Visitors need no indentation.
    let lines: String = text.lines().flat_map(|line| [line.trim_start(), "\n"]).collect();
    Template::parse(&lines)
}

/// A style sheet or script without notes and indentation: visitors need neither.
fn packed(text: &str) -> String {
    const SHORT: [(&str, &str); 18] = [
        (" {", "{"),
        ("{ ", "{"),
        (" }", "}"),
        (";}", "}"),
        (": ", ":"),
        (", ", ","),
        ("; ", ";"),
        (" = ", "="),
        (" =>", "=>"),
        ("=> ", "=>"),
        (" === ", "==="),
        (" && ", "&&"),
        (" || ", "||"),
        (" !== ", "!=="),
        (" += ", "+="),
        (" ? ", "?"),
        (" !important", "!important"),
        ("if (", "if("),
    ];
    let packed = unwrapped(text);
    SHORT.iter().fold(packed, |text, (long, short)| text::replaced(&text, long, short))
}

fn unwrapped(text: &str) -> String {
    let mut packed = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (code, note) = text::cut(rest, "/*").unwrap_or((rest, ""));
        code.lines().for_each(|line| packed.push_str(line.trim()));
        rest = text::cut(note, "*/").map_or("", |(_, code)| code);
    }
    packed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::form::SignIn;

    #[test]
    fn the_built_in_pages_parse() {
        for text in [PAGE, PROBLEM] {
            Template::parse(text).expect("a template");
        }
    }

    #[test]
    fn packing_keeps_the_code() {
        assert_eq!(packed("/* a */\na {\n  b: c d;\n}\n/* e\nf */ g { }"), "a{b:c d}g{}");
        assert_eq!(packed("const a = (b) => {\n  c(b, d) && e;\n};\n"), "const a=(b)=>{c(b,d)&&e};");
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
        let sign_in = Form::SignIn(SignIn { user: "Zoe", return_to: "/visited?a", ..SignIn::default() });
        for cause in Cause::ALL {
            pages.render(&PageFacts { cause, ..facts() });
            pages.render(&PageFacts { cause, form: Some(sign_in), ..facts() });
        }
        for said in Said::ALL {
            let (user, url, place) = (Some("Zoe"), Some("/visited?a"), Some("login.visited.example"));
            pages.said(&Saying { said, user, form: Some(sign_in), url, place }, &facts());
        }
        let kept = format!("{:?}", pages.kept);
        for of_visitor in
            ["visited.example", "Zoe", "0123456789abcdef", "2026", "1796", "AXsecretlink", "/visited"]
        {
            assert!(!kept.contains(of_visitor), "{of_visitor}");
        }
    }

    fn facts() -> PageFacts<'static> {
        PageFacts {
            status: 401,
            host: "visited.example",
            address: "https://visited.example/a",
            reference: "0123456789abcdef",
            now: UnixTime::from_seconds(1_796_083_200),
            when: Some(UnixTime::from_seconds(1_796_083_100)),
            user: Some("Zoe"),
            retry_after: Some(Lifetime::from_seconds(7)),
            confirm: Some(Confirm { token: "AXsecretlink", return_to: "/visited?a" }),
            span: Some(Lifetime::from_seconds(7 * 3600)),
            onward: Some("/visited?a"),
            place: Some("login.visited.example"),
            return_to: "/visited?b",
            ..PageFacts::of(Cause::NotAllowed)
        }
    }
}
