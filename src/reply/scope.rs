//! The values of one page: what each placeholder of a template stands for.

use crate::policy::{Brand, Notice};
use crate::reply::action::{Action, Ways};
use crate::reply::catalog::{Catalog, Known, Wording};
use crate::reply::color;
use crate::reply::form::{Asks, Shape};
use crate::reply::kept::{Bit, Hole, Kept, bits, monogram};
use crate::reply::languages::Language;
use crate::reply::names::Name;
use crate::reply::scan::Inline;
use crate::reply::template::Node;
use crate::reserved::CLEAR;
use crate::totp::Digits;
use crate::verdict::Cause;

/// The style of a brand's pages.
#[derive(Debug)]
pub struct Style {
    /// The colours, as custom properties.
    pub colors: String,
    /// The built-in style sheet.
    pub sheet: String,
    /// What of it only forms need.
    pub form_sheet: String,
    /// What makes a form quicker.
    pub form_script: String,
    /// What signs in without leaving the page.
    pub resend_script: String,
    /// What counts down.
    pub wait_script: String,
}

/// What one page says.
#[derive(Debug)]
pub struct Content {
    /// Status of the response, or of the cause that is explained.
    pub status: u16,
    /// Why, where it is a refusal's.
    pub cause: Option<Cause>,
    /// What it is called: the name of its cause, or of what it says.
    pub page: &'static str,
    /// What may be spoken of.
    pub known: Known,
    /// What is asked for.
    pub shape: Shape,
    /// In which words.
    pub wording: Wording,
    /// What to do.
    pub ways: Ways,
    /// Whether the page stands at another address than the one that was asked for.
    pub elsewhere: bool,
    /// The host of a Discourse where one may sign in, too.
    pub discourse: Option<String>,
    /// The languages that may be chosen instead: none where there is no other.
    pub languages: &'static [Language],
}

/// What the values of one page are made of.
pub struct Scope<'p> {
    brand: &'p Brand,
    style: &'p Style,
    words: &'static Catalog,
    content: Content,
    /// The brand's name, or the host.
    name: Bit,
}

/// One turn of a list.
#[derive(Clone, Copy)]
enum Item {
    Step(&'static str),
    Link(Action),
    Language(&'static Language),
}

impl<'p> Scope<'p> {
    /// Puts together what a page is made of.
    #[must_use]
    pub fn new(brand: &'p Brand, style: &'p Style, words: &'static Catalog, content: Content) -> Self {
        let name = brand.name.clone().map_or(Bit::Hole(Hole::Host), Bit::Proper);
        Self { brand, style, words, content, name }
    }

    /// Renders a template, but for what differs by request.
    #[must_use]
    pub fn render(&self, nodes: &[Node]) -> Kept {
        let mut kept = Kept::default();
        self.nodes(nodes, None, &mut kept);
        kept
    }

    fn nodes(&self, nodes: &[Node], item: Option<Item>, kept: &mut Kept) {
        for node in nodes {
            match node {
                Node::Literal(html) => kept.markup(html),
                Node::Inline(kind, content) => kept.inline(*kind, content),
                Node::Style(whole) => self.style(*whole, kept),
                Node::Script => self.scripts(kept),
                Node::Value(name, place) => kept.value(&self.value(*name, item), *place),
                Node::Section(name, shown, inner) => self.section(*name, *shown, inner, item, kept),
            }
        }
    }

    fn style(&self, whole: bool, kept: &mut Kept) {
        let asks = self.content.shape.asks != Asks::Nothing;
        let sheet = if whole { self.style.sheet.as_str() } else { "" };
        let form_sheet = if whole && asks { self.style.form_sheet.as_str() } else { "" };
        kept.markup("<style>");
        kept.inline(Inline::Style, &[&self.style.colors, sheet, form_sheet].concat());
        kept.markup("</style>");
    }

    fn scripts(&self, kept: &mut Kept) {
        let shape = self.content.shape;
        if matches!(shape.asks, Asks::SignIn | Asks::Code) {
            script(&self.style.form_script, kept);
            if shape.resend {
                script(&self.style.resend_script, kept);
                kept.connects();
            }
        }
        if self.content.cause == Some(Cause::TooManyAttempts) && self.content.known.wait {
            script(&self.style.wait_script, kept);
        }
    }

    fn section(&self, name: Name, shown: bool, inner: &[Node], item: Option<Item>, kept: &mut Kept) {
        let items: Vec<Item> = match name {
            Name::Steps => self.content.wording.steps.iter().copied().map(Item::Step).collect(),
            Name::Links => self.content.ways.links.iter().copied().map(Item::Link).collect(),
            Name::Languages => self.content.languages.iter().map(Item::Language).collect(),
            _ => {
                return if self.has(name, item) == shown {
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

    fn has(&self, name: Name, item: Option<Item>) -> bool {
        match name {
            Name::HasSteps => !self.content.wording.steps.is_empty(),
            Name::HasLinks => !self.content.ways.links.is_empty(),
            Name::HasLanguages => !self.content.languages.is_empty(),
            Name::HasFoot => {
                self.brand.credit || self.notice().is_some() || self.has(Name::HasLanguages, None)
            }
            Name::LanguageSelected => {
                matches!(item, Some(Item::Language(it)) if it.tag() == self.words.tag())
            }
            Name::User => self.content.known.user,
            Name::When => self.content.known.when,
            Name::Wait => self.content.known.wait,
            Name::Span => self.content.known.span,
            Name::Confirm => self.content.known.confirm,
            Name::HasHelp => self.content.cause.is_some(),
            Name::ButtonTab => self.content.ways.button == Some(Action::Away),
            other => self.asks(other).unwrap_or_else(|| !self.value(other, item).is_empty()),
        }
    }

    /// Whether the form has something; `None` where the name is none of a form's.
    fn asks(&self, name: Name) -> Option<bool> {
        let shape = self.content.shape;
        Some(match name {
            Name::SignIn => shape.asks == Asks::SignIn,
            Name::Folded => shape.asks == Asks::SignIn && self.content.ways.button.is_some(),
            Name::Code => shape.asks == Asks::Code,
            Name::SignOut => shape.asks == Asks::SignOut,
            Name::Clear => shape.asks == Asks::Clear,
            Name::FormUser => shape.user,
            Name::FormReturnTo => shape.asks != Asks::Nothing,
            Name::Wrong => shape.wrong,
            Name::Remember => shape.remember.is_some(),
            Name::Remembered => shape.remember == Some(true),
            Name::Resend => shape.resend,
            Name::Tab => shape.tab || shape.resend,
            Name::Everywhere => shape.everywhere,
            _ => return None,
        })
    }

    fn value(&self, name: Name, item: Option<Item>) -> Vec<Bit> {
        let words = |text: &str| vec![Bit::Words(text.to_owned())];
        let optional = |text: Option<&str>| text.map(words).unwrap_or_default();
        match name {
            Name::Lang => words(self.words.tag()),
            Name::Dir => words(self.words.dir()),
            Name::Status => words(&self.content.status.to_string()),
            Name::Cause => optional(self.content.cause.map(Cause::name)),
            Name::Page => words(self.content.page),
            Name::Brand => vec![self.name.clone()],
            Name::Monogram => match &self.brand.name {
                Some(name) => words(&monogram(name)),
                None => vec![Bit::Hole(Hole::Monogram)],
            },
            Name::Icon => words(&self.icon()),
            Name::Logo => optional(self.brand.logo.as_deref()),
            Name::Headline => bits(self.content.wording.headline, &self.name),
            Name::Text => bits(self.content.wording.text, &self.name),
            Name::Button => optional(self.content.ways.button.map(|action| self.button_label(action))),
            Name::ButtonUrl => self.content.ways.button.map(|action| self.url(action)).unwrap_or_default(),
            Name::Step | Name::Link | Name::LinkUrl | Name::LanguageTag | Name::LanguageName => {
                self.item(name, item)
            }
            Name::Host => vec![Bit::Hole(Hole::Host)],
            Name::Address => vec![Bit::Hole(Hole::Address)],
            Name::Moment => vec![Bit::Hole(Hole::Moment)],
            Name::MomentIso => vec![Bit::Hole(Hole::MomentIso)],
            Name::Reference => vec![Bit::Hole(Hole::Reference)],
            Name::User => vec![Bit::Hole(Hole::User)],
            Name::When => vec![Bit::Hole(Hole::When)],
            Name::Wait => vec![Bit::Hole(Hole::Wait)],
            Name::Span => vec![Bit::Hole(Hole::Span)],
            Name::Place => vec![Bit::Hole(Hole::Place)],
            Name::ReturnTo => vec![Bit::Hole(Hole::ReturnTo)],
            Name::ConfirmToken => vec![Bit::Hole(Hole::ConfirmToken)],
            Name::ConfirmReturnTo => vec![Bit::Hole(Hole::ConfirmReturnTo)],
            Name::FormUser => vec![Bit::Hole(Hole::FormUser)],
            Name::FormReturnTo => vec![Bit::Hole(Hole::FormReturnTo)],
            Name::CodeDigits => words(self.content.shape.digits.unwrap_or(Digits::Six).name()),
            Name::Support => optional(self.brand.support.as_deref()),
            Name::ForgotPassword => optional(self.brand.forgot_password.as_deref()),
            Name::StatusPage => optional(self.brand.status_page.as_deref()),
            Name::Notice => optional(self.notice()),
            Name::Credit => optional(self.brand.credit.then(|| self.words.word("/labels/credit"))),
            // Flags and lists have no value: the template was refused where it asks for one.
            _ => optional(label(name).map(|pointer| self.words.word(pointer))),
        }
    }

    fn item(&self, name: Name, item: Option<Item>) -> Vec<Bit> {
        match (name, item) {
            (Name::Step, Some(Item::Step(text))) => bits(text, &self.name),
            (Name::Link, Some(Item::Link(Action::Discourse))) => vec![Bit::Words(self.discourse())],
            (Name::Link, Some(Item::Link(action))) => vec![Bit::Words(self.link_label(action).to_owned())],
            (Name::LinkUrl, Some(Item::Link(action))) => self.url(action),
            (Name::LanguageTag, Some(Item::Language(it))) => vec![Bit::Words(it.tag().to_owned())],
            (Name::LanguageName, Some(Item::Language(it))) => vec![Bit::Words(it.name().to_owned())],
            _ => Vec::new(),
        }
    }

    fn button_label(&self, action: Action) -> &'static str {
        self.words.word(match action {
            Action::SignIn | Action::SignInPage | Action::Away | Action::Discourse => "/actions/sign-in",
            Action::Again => "/actions/again",
            Action::Front => "/actions/front",
            Action::Support => "/actions/support",
            Action::Password => "/actions/password",
            Action::Secure => "/actions/secure",
            Action::Status => "/links/status",
            Action::Other => "/actions/other",
            Action::Clear => "/actions/clear",
            Action::Next => "/actions/next",
            Action::Back => "/actions/back",
        })
    }

    /// Where else one may sign in. The host keeps its direction in every language.
    fn discourse(&self) -> String {
        let host = self.content.discourse.as_deref().unwrap_or_default();
        [self.words.word("/actions/sign-in"), " \u{2013} \u{2068}", host, "\u{2069}"].concat()
    }

    fn link_label(&self, action: Action) -> &'static str {
        match action {
            Action::Password => self.words.word("/links/password"),
            Action::SignInPage => self.words.word("/links/sign-in"),
            Action::Other => self.words.word("/links/other"),
            Action::Clear => self.words.word("/links/clear"),
            Action::Front => self.words.word("/links/front"),
            Action::Support => self.words.word("/links/support"),
            other => self.button_label(other),
        }
    }

    /// Where an action leads. The same page once more is the empty reference (RFC 3986 §4.4): nothing that a visitor
    /// sent stands in it.
    fn url(&self, action: Action) -> Vec<Bit> {
        let words = |text: Option<&str>| vec![Bit::Words(text.unwrap_or_default().to_owned())];
        match action {
            Action::SignIn | Action::Again if self.content.elsewhere => vec![Bit::Hole(Hole::Onward)],
            Action::SignIn | Action::Again => words(None),
            Action::Front => words(Some("/")),
            Action::Support => words(self.brand.support.as_deref()),
            Action::Password => words(self.brand.forgot_password.as_deref()),
            Action::Status => words(self.brand.status_page.as_deref()),
            Action::Secure => vec![Bit::Hole(Hole::SecureUrl)],
            Action::Clear => words(Some(CLEAR)),
            Action::SignInPage => vec![Bit::Hole(Hole::SignInUrl)],
            Action::Other => vec![Bit::Hole(Hole::OtherUrl)],
            Action::Discourse => vec![Bit::Hole(Hole::DiscourseUrl)],
            Action::Next | Action::Back | Action::Away => vec![Bit::Hole(Hole::Onward)],
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
                found.or_else(|| texts.iter().next().map(|(_, text)| text)).map(String::as_str)
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

fn script(script: &str, kept: &mut Kept) {
    kept.markup("<script>");
    kept.inline(Inline::Script, script);
    kept.markup("</script>");
}

/// Where the word beside something stands in a catalogue.
const fn label(name: Name) -> Option<&'static str> {
    Some(match name {
        Name::LabelConfirm => "/labels/confirm",
        Name::LabelSteps => "/labels/steps",
        Name::LabelHelp => "/labels/help",
        Name::LabelAddress => "/labels/address",
        Name::LabelMoment => "/labels/moment",
        Name::LabelReference => "/labels/reference",
        Name::LabelCause => "/labels/cause",
        Name::LabelStatus => "/labels/status",
        Name::LabelCheck => "/labels/check",
        Name::LabelLanguage => "/labels/language",
        Name::LabelChange => "/actions/language",
        Name::LabelUser => "/labels/user",
        Name::LabelPassword => "/labels/password",
        Name::LabelRemember => "/labels/remember",
        Name::LabelShow => "/labels/show",
        Name::LabelHide => "/labels/hide",
        Name::LabelCaps => "/labels/caps",
        Name::LabelCode => "/labels/code",
        Name::LabelRecovery => "/labels/recovery",
        Name::LabelEverywhere => "/labels/everywhere",
        Name::LabelResend => "/labels/resend",
        Name::LabelResendTab => "/labels/resend-tab",
        Name::LabelBusy => "/labels/busy",
        Name::LabelSignIn => "/actions/sign-in",
        Name::LabelNext => "/actions/next",
        Name::LabelSignOut => "/actions/sign-out",
        Name::LabelClear => "/actions/clear",
        Name::LabelUseRecovery => "/actions/recovery",
        Name::LabelOther => "/actions/other",
        Name::LabelForgot => "/links/password",
        _ => return None,
    })
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
