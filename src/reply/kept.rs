//! A page that is rendered but for what differs by request.
//!
//! What is kept depends on cause, variant, language and brand alone. Everything of a visitor is a [`Hole`] in it, filled and
//! escaped for its place when the page is sent.

use crate::authority::path::DISCOURSE_START;
use crate::reply::catalog::{Catalog, Part, parts};
use crate::reply::escape::{component, html, shown_address};
use crate::reply::form::Asks;
use crate::reply::page::PageFacts;
use crate::reply::scan::{Inline, Place};
use crate::reply::when;
use crate::reserved::SIGN_IN;
use crate::time::Lifetime;
use crate::verdict::Cause;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// A page with holes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    pieces: Vec<Piece>,
    styles: Vec<String>,
    scripts: Vec<String>,
    connects: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Html(String),
    Hole(Hole, Place),
}

/// What differs by request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hole {
    /// The host that was asked.
    Host,
    /// Its first character.
    Monogram,
    /// The address that was asked for.
    Address,
    /// The same over https, as a URL.
    SecureUrl,
    /// Now, as people write it.
    Moment,
    /// Now, as machines write it.
    MomentIso,
    /// The reference.
    Reference,
    /// As whom the visitor is known.
    User,
    /// The moment the cause speaks of.
    When,
    /// How long to wait.
    Wait,
    /// How long what has ended lasted.
    Span,
    /// Where else something is to be done.
    Place,
    /// Where a form of the page leads back to.
    ReturnTo,
    /// The token that a form sends to confirm.
    ConfirmToken,
    /// Where that form leads back to.
    ConfirmReturnTo,
    /// The user-id that a form begins with.
    FormUser,
    /// Where a form leads back to.
    FormReturnTo,
    /// The page that asks for user name and password, and leads back to this one.
    SignInUrl,
    /// The same, whoever is signed in.
    OtherUrl,
    /// Where one signs in at a Discourse.
    DiscourseUrl,
    /// Where the one thing to do leads.
    Onward,
}

/// A value of a page: words that are known, or what each request brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bit {
    /// Known when the page is kept.
    Words(String),
    /// A name of the operator's: kept apart from the text around it (`<bdi>`).
    Proper(String),
    /// What stands in a program: between backticks in a catalogue.
    Code(String),
    /// By request.
    Hole(Hole),
}

impl Kept {
    /// HTML as it is.
    pub fn markup(&mut self, html: &str) {
        match self.pieces.last_mut() {
            Some(Piece::Html(last)) => last.push_str(html),
            _ => self.pieces.push(Piece::Html(html.to_owned())),
        }
    }

    /// The content of a `<style>` or `<script>`: its hash goes into the policy.
    pub fn inline(&mut self, kind: Inline, content: &str) {
        self.markup(content);
        let source = format!("'sha256-{}'", STANDARD.encode(Sha256::digest(content)));
        let sources = match kind {
            Inline::Style => &mut self.styles,
            Inline::Script => &mut self.scripts,
        };
        if !sources.contains(&source) {
            sources.push(source);
        }
    }

    /// A script that asks this site something: the policy has to allow that.
    pub const fn connects(&mut self) {
        self.connects = true;
    }

    /// A value at a place.
    pub fn value(&mut self, bits: &[Bit], place: Place) {
        for bit in bits {
            match bit {
                Bit::Hole(hole) => self.pieces.push(Piece::Hole(*hole, place)),
                Bit::Words(words) => self.markup(&escaped(words)),
                Bit::Proper(name) => self.markup(&isolated(name, place)),
                Bit::Code(code) if place == Place::Content => {
                    self.markup(&format!("<code dir=\"ltr\">{}</code>", escaped(code)));
                }
                Bit::Code(code) => self.markup(&escaped(code)),
            }
        }
    }

    /// Content-Security-Policy (CSP3 §6): nothing but what is in the page itself, and images of this site.
    #[must_use]
    pub fn policy(&self) -> String {
        let sources =
            |hashes: &[String]| if hashes.is_empty() { "'none'".to_owned() } else { hashes.join(" ") };
        format!(
            "default-src 'none'; img-src 'self' data:; style-src {}; script-src {}; {}form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'",
            sources(&self.styles),
            sources(&self.scripts),
            if self.connects { "connect-src 'self'; " } else { "" }
        )
    }

    /// Whether the page has all that a form has to send to confirm.
    #[must_use]
    pub fn confirms(&self) -> bool {
        self.has(Hole::ConfirmToken) && self.has(Hole::ConfirmReturnTo)
    }

    /// Whether the page has all that a form has to send to sign in.
    #[must_use]
    pub fn asks(&self, asks: Asks) -> bool {
        match asks {
            Asks::SignIn => self.has(Hole::FormUser) && self.has(Hole::FormReturnTo),
            Asks::Code => self.has(Hole::FormReturnTo),
            Asks::Nothing | Asks::SignOut | Asks::Clear => true,
        }
    }

    fn has(&self, wanted: Hole) -> bool {
        self.pieces.iter().any(|it| matches!(it, Piece::Hole(hole, _) if *hole == wanted))
    }

    /// The page for one visitor.
    #[must_use]
    pub fn fill(&self, facts: &PageFacts<'_>, words: &'static Catalog) -> String {
        let length: usize =
            self.pieces.iter().map(|it| if let Piece::Html(html) = it { html.len() } else { 64 }).sum();
        let mut page = String::with_capacity(length);
        for piece in &self.pieces {
            match piece {
                Piece::Html(html) => page.push_str(html),
                Piece::Hole(hole, place) => page.push_str(&fill(*hole, *place, facts, words)),
            }
        }
        page
    }
}

/// A text of the catalogue as bits: `{brand}` as it is given, the other blanks as holes.
#[must_use]
pub fn bits(text: &str, brand: &Bit) -> Vec<Bit> {
    let bits_of = |part| match part {
        Part::Words(words) => code_and_words(words),
        Part::Blank("brand") => vec![brand.clone()],
        Part::Blank("user") => vec![Bit::Hole(Hole::User)],
        Part::Blank("when") => vec![Bit::Hole(Hole::When)],
        Part::Blank("wait") => vec![Bit::Hole(Hole::Wait)],
        Part::Blank("span") => vec![Bit::Hole(Hole::Span)],
        Part::Blank("place") => vec![Bit::Hole(Hole::Place)],
        Part::Blank(other) => vec![Bit::Words(format!("{{{other}}}"))],
    };
    parts(text).into_iter().flat_map(bits_of).collect()
}

fn code_and_words(text: &str) -> Vec<Bit> {
    let bit = |(turn, piece): (usize, &str)| match turn % 2 {
        0 => Bit::Words(piece.to_owned()),
        _ => Bit::Code(piece.to_owned()),
    };
    text.split('`').enumerate().filter(|(_, piece)| !piece.is_empty()).map(bit).collect()
}

fn fill(hole: Hole, place: Place, facts: &PageFacts<'_>, words: &'static Catalog) -> String {
    match hole {
        Hole::Host => isolated(facts.host, place),
        Hole::Monogram => escaped(&monogram(facts.host)),
        Hole::Address => address(facts.address, place),
        Hole::SecureUrl => escaped(&secure(facts)),
        Hole::Moment => escaped(&when::exact(words, facts.now)),
        Hole::MomentIso => facts.now.to_string(),
        Hole::Reference => escaped(facts.reference),
        Hole::User => facts.user.map(|user| isolated(user, place)).unwrap_or_default(),
        Hole::When => facts.when.map(|then| moment(then, place, facts, words)).unwrap_or_default(),
        Hole::ConfirmToken => facts.confirm.map(|it| escaped(it.token)).unwrap_or_default(),
        Hole::ConfirmReturnTo => facts.confirm.map(|it| escaped(it.return_to)).unwrap_or_default(),
        Hole::Wait => facts.retry_after.map(|span| wait(span, place, facts, words)).unwrap_or_default(),
        Hole::Span => facts.span.map(|span| escaped(&when::span(words, span))).unwrap_or_default(),
        Hole::Place => facts.place.map(|host| isolated(host, place)).unwrap_or_default(),
        Hole::ReturnTo => escaped(facts.return_to),
        Hole::FormUser => escaped(facts.form.map_or("", |form| form.user())),
        Hole::FormReturnTo => escaped(facts.form.map_or("", |form| form.return_to())),
        Hole::SignInUrl => sign_in_url("", facts.onward),
        Hole::DiscourseUrl => escaped(&discourse_url(facts)),
        Hole::OtherUrl => sign_in_url("other=1&", facts.onward),
        Hole::Onward => escaped(facts.onward.filter(|url| is_url(url)).unwrap_or("/")),
    }
}

/// How long to wait; a script of ours counts it down where that opens the way.
fn wait(span: Lifetime, place: Place, facts: &PageFacts<'_>, words: &'static Catalog) -> String {
    let said = escaped(&when::span(words, span));
    if place != Place::Content || facts.cause != Cause::TooManyAttempts {
        return said;
    }
    format!("<span class=\"wait\" data-seconds=\"{}\">{said}</span>", span.seconds())
}

/// The page that asks for user name and password, with the way back to where one came from.
fn sign_in_url(options: &str, return_to: Option<&str>) -> String {
    let url = match return_to {
        Some(return_to) => [SIGN_IN, "?", options, "return_to=", &component(return_to)].concat(),
        None if options.is_empty() => SIGN_IN.to_owned(),
        None => [SIGN_IN, "?", options].concat(),
    };
    escaped(url.trim_end_matches('&'))
}

/// Where one signs in at a Discourse, and gets back to where the form would lead.
fn discourse_url(facts: &PageFacts<'_>) -> String {
    let return_to = facts.form.map(|form| form.return_to()).or(facts.onward).unwrap_or_default();
    [DISCOURSE_START, "?return_to=", &component(return_to)].concat()
}

/// Whether a text is what may stand in `href`: a path of this host, or a URL that leads to a web page.
fn is_url(text: &str) -> bool {
    let is_path = text.starts_with('/') && !text.starts_with("//") && !text.starts_with("/\\");
    is_path || text.starts_with("https://") || text.starts_with("http://")
}

/// An address; between elements it may be broken into lines where its parts end.
fn address(address: &str, place: Place) -> String {
    let shown = shown_address(address);
    if place != Place::Content {
        return escaped(&shown);
    }
    let part = |part: &str| escaped(part) + if part.ends_with(['/', '?', '&', '=']) { "<wbr>" } else { "" };
    shown.split_inclusive(['/', '?', '&', '=']).map(part).collect()
}

fn moment(
    then: crate::time::UnixTime,
    place: Place,
    facts: &PageFacts<'_>,
    words: &'static Catalog,
) -> String {
    let said = escaped(&when::relative(words, then, facts.now));
    if place != Place::Content {
        return said;
    }
    format!("<time datetime=\"{then}\" title=\"{}\">{said}</time>", escaped(&when::exact(words, then)))
}

/// The address over https; the front page where the address is too long for a link that anyone needs.
fn secure(facts: &PageFacts<'_>) -> String {
    let rest = facts.address.strip_prefix("http://").filter(|rest| rest.len() <= 2000);
    rest.map_or_else(|| format!("https://{}/", facts.host), |rest| format!("https://{rest}"))
}

/// The letter that stands for a name: its first one; `www.` is no part of a name. The style sheet makes a capital of it.
#[must_use]
pub fn monogram(name: &str) -> String {
    let name = name.strip_prefix("www.").unwrap_or(name);
    let letter = name.chars().find(|character| character.is_alphanumeric());
    letter.map(|letter| letter.to_ascii_uppercase().to_string()).unwrap_or_default()
}

/// A name in a text: its direction of writing has no effect on the text around it.
fn isolated(name: &str, place: Place) -> String {
    let name = escaped(name);
    if place == Place::Content { format!("<bdi>{name}</bdi>") } else { name }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    html(text, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn monograms() {
        for (name, wanted) in [
            ("Acme", "A"),
            ("www.acme.example", "A"),
            ("ärzte", "ä"),
            ("<b>", "B"),
            ("127.0.0.1", "1"),
            ("", ""),
            ("ß", "ß"),
        ] {
            assert_eq!(monogram(name), wanted, "{name}");
        }
    }

    #[test]
    fn texts_become_bits() {
        let brand = Bit::Proper("Acme".into());
        let words = |text: &str| Bit::Words(text.into());
        let wanted = [
            words("a "),
            Bit::Code("b".into()),
            words(" c "),
            brand.clone(),
            words("."),
            Bit::Hole(Hole::User),
        ];
        assert_eq!(bits("a `b` c {brand}.{user}", &brand), wanted);
    }

    #[test]
    fn the_policy_names_each_block_once() {
        let mut kept = Kept::default();
        assert!(kept.policy().contains("style-src 'none'; script-src 'none';"));
        kept.inline(Inline::Style, "a{}");
        kept.inline(Inline::Style, "a{}");
        kept.inline(Inline::Script, "1");
        // printf 'a{}' | openssl dgst -sha256 -binary | base64
        let wanted = "style-src 'sha256-X1RutGBrXCt9KkSaXMK7tHftWiRscFHOhxsS8tv8hBk='; script-src 'sha256-";
        assert!(kept.policy().contains(wanted), "{}", kept.policy());
    }
}
