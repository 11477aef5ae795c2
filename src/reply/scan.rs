//! Where in an HTML document one stands: as much of the tokenizer of the HTML standard (§13.2.5) as it takes to know
//! what escaping makes a value harmless there.
//!
//! The document is the operator's own, so this guards against mistakes, not against malice. It is stricter than a
//! browser: what a browser would repair — a quote left open, a bare `<` — is refused here, because a repaired document
//! is one whose placeholders stand elsewhere than they seem to.

use crate::text;
use core::ops::Range;

/// What a value may be, where the scanner stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Between elements: escaped text, and elements of ours.
    Content,
    /// In `<title>`, `<textarea>` or a quoted attribute value: escaped text alone.
    Text,
    /// At the start of a quoted `href` or `src`: a URL of ours alone.
    Url,
}

/// A block whose hash belongs into the Content-Security-Policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inline {
    /// `<style>`.
    Style,
    /// `<script>`.
    Script,
}

/// What is wrong, and at which byte of the text that was fed.
pub type Fault = (usize, &'static str);

/// Elements whose content is not parsed as HTML and may hold no value. `noscript` is one where scripts run.
const RAW: [&str; 8] = ["script", "style", "noscript", "iframe", "noembed", "noframes", "xmp", "plaintext"];
/// Elements whose content is text with character references.
const RCDATA: [&str; 2] = ["title", "textarea"];
/// Elements whose URL decides what runs or where every other URL leads.
const POWERFUL: [&str; 7] = ["script", "base", "iframe", "embed", "object", "frame", "use"];
/// Attributes that hold a URL, code or a document in another form than one quoted text.
const FORBIDDEN: [&str; 23] = [
    "action",
    "archive",
    "attributename",
    "background",
    "by",
    "cite",
    "classid",
    "codebase",
    "data",
    "formaction",
    "from",
    "http-equiv",
    "imagesrcset",
    "longdesc",
    "manifest",
    "ping",
    "poster",
    "profile",
    "srcdoc",
    "srcset",
    "style",
    "to",
    "values",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Content,
    /// Inside one of [`RAW`] or [`RCDATA`], whose name is in `tag`.
    Raw,
    TagOpen,
    EndTagOpen,
    TagName,
    BeforeName,
    Name,
    AfterName,
    BeforeValue,
    Value(u8),
    Unquoted,
    AfterValue,
    Declaration,
    CommentDash,
    /// The number of dashes just seen, and whether `!` followed them.
    Comment(u8, bool),
    Doctype,
}

/// The scanner. Feed it the literal text between placeholders, ask it for the place of each placeholder.
#[derive(Clone, Debug)]
pub struct Scanner {
    state: State,
    /// The tag (in lower case) one stands in, or the element whose raw content one stands in.
    tag: String,
    closing: bool,
    attribute: String,
    /// Whether the attribute value has anything in it yet.
    begun: bool,
    /// Whether the tag says `http-equiv`, and whether it has a value in `content`.
    directive: (bool, bool),
}

impl Default for Scanner {
    fn default() -> Self {
        let (tag, attribute) = (String::new(), String::new());
        Self {
            state: State::Content,
            tag,
            closing: false,
            attribute,
            begun: false,
            directive: (false, false),
        }
    }
}

impl Scanner {
    /// Reads on. Returns the inline blocks that lie in `text`, which no placeholder can interrupt.
    ///
    /// # Errors
    /// Where the text is no HTML that can be followed: the byte offset and what is wrong.
    pub fn feed(&mut self, text: &str) -> Result<Vec<(Inline, Range<usize>)>, Fault> {
        let mut blocks = Vec::new();
        let mut at = 0;
        while let Some(byte) = text.as_bytes().get(at) {
            if self.state == State::Raw {
                let Some(length) = text.get(at..).and_then(|rest| end_tag(rest, &self.tag)) else {
                    return Ok(blocks);
                };
                let range = at..at + length;
                self.check_script(text.get(range.clone()).unwrap_or_default()).map_err(|what| (at, what))?;
                blocks.extend(self.inline().map(|kind| (kind, range.clone())));
                self.state = State::Content;
                at = range.end;
            } else {
                self.step(*byte).map_err(|what| (at, what))?;
                at += 1;
            }
        }
        Ok(blocks)
    }

    /// What a placeholder here may be.
    ///
    /// # Errors
    /// Where it may not be: what it stands in.
    pub fn place(&mut self) -> Result<Place, &'static str> {
        match self.state {
            State::Content => Ok(Place::Content),
            State::Raw if RCDATA.contains(&self.tag.as_str()) => Ok(Place::Text),
            State::Raw => Err("inside an element that is no text, such as <style> or <script>"),
            State::Value(_) => {
                let place = self.attribute_place();
                self.begun = true;
                place
            }
            State::TagOpen | State::EndTagOpen | State::TagName => Err("in the name of an element"),
            State::BeforeName | State::Name | State::AfterName | State::AfterValue => {
                Err("where the name of an attribute stands")
            }
            State::BeforeValue | State::Unquoted => Err("in an attribute value without quotes"),
            State::Declaration | State::CommentDash | State::Comment(..) => Err("in a comment"),
            State::Doctype => Err("in the doctype"),
        }
    }

    /// Whether the document may end here.
    ///
    /// # Errors
    /// What is still open.
    pub fn end(&self) -> Result<(), &'static str> {
        match self.state {
            State::Content => Ok(()),
            State::Raw => Err("an element such as <style>, <script> or <title> is never closed"),
            State::Value(_) => Err("a quote is never closed"),
            State::Declaration | State::CommentDash | State::Comment(..) => Err("a comment is never closed"),
            _ => Err("a tag is never closed"),
        }
    }

    /// Whether both stand at a place of the same kind: a section has to end where it began.
    #[must_use]
    pub fn same_place(&self, other: &Self) -> bool {
        let within = |it: &Self| match it.state {
            State::Content => String::new(),
            State::Raw => it.tag.clone(),
            _ => format!("{} {}", it.tag, it.attribute),
        };
        self.state == other.state && within(self) == within(other)
    }

    fn attribute_place(&mut self) -> Result<Place, &'static str> {
        let name = self.attribute.as_str();
        if name.starts_with("on") || FORBIDDEN.contains(&name) || name.contains(':') {
            return Err("in an attribute that takes code or URLs in a form of its own");
        }
        if !matches!(name, "href" | "src") {
            self.directive.1 |= name == "content";
            return Ok(Place::Text);
        }
        if POWERFUL.contains(&self.tag.as_str()) {
            return Err("in the URL of an element that runs or embeds what it names");
        }
        if self.begun { Err("in href or src, but not at the start of it") } else { Ok(Place::Url) }
    }

    fn step(&mut self, byte: u8) -> Result<(), &'static str> {
        self.state = match self.state {
            State::Content if byte == b'<' => State::TagOpen,
            State::Content | State::Raw => self.state,
            State::TagOpen | State::EndTagOpen | State::TagName => self.tag_step(byte)?,
            State::BeforeName | State::Name | State::AfterName => self.name_step(byte)?,
            State::BeforeValue | State::Value(_) | State::Unquoted | State::AfterValue => {
                self.value_step(byte)?
            }
            State::Declaration | State::CommentDash | State::Comment(..) | State::Doctype => {
                self.declaration_step(byte)?
            }
        };
        Ok(())
    }

    fn tag_step(&mut self, byte: u8) -> Result<State, &'static str> {
        match (self.state, byte) {
            (State::TagOpen, b'!') => Ok(State::Declaration),
            (State::TagOpen, b'/') => Ok(State::EndTagOpen),
            (State::TagOpen | State::EndTagOpen, letter) if letter.is_ascii_alphabetic() => {
                self.closing = self.state == State::EndTagOpen;
                self.directive = (false, false);
                self.tag = char::from(letter.to_ascii_lowercase()).to_string();
                Ok(State::TagName)
            }
            (State::TagOpen | State::EndTagOpen, _) => Err("a `<` that opens no tag; write &lt;"),
            (_, b'>') => self.tag_end(),
            (_, b'/') => Ok(State::BeforeName),
            (_, space) if space.is_ascii_whitespace() => Ok(State::BeforeName),
            (_, b'<' | b'"' | b'\'' | b'=') => Err("a tag that is not closed"),
            (_, other) => {
                self.tag.push(char::from(other.to_ascii_lowercase()));
                Ok(State::TagName)
            }
        }
    }

    fn name_step(&mut self, byte: u8) -> Result<State, &'static str> {
        match (self.state, byte) {
            (_, b'>') => self.tag_end(),
            (_, b'/') => Ok(State::BeforeName),
            (State::Name | State::AfterName, b'=') => Ok(State::BeforeValue),
            (_, b'<' | b'"' | b'\'' | b'=') => Err("a quote or sign where the name of an attribute stands"),
            (State::Name, space) if space.is_ascii_whitespace() => Ok(State::AfterName),
            (_, space) if space.is_ascii_whitespace() => Ok(self.state),
            (State::Name, other) => {
                self.attribute.push(char::from(other.to_ascii_lowercase()));
                self.directive.0 |= self.attribute == "http-equiv";
                Ok(State::Name)
            }
            (_, other) => {
                self.attribute = char::from(other.to_ascii_lowercase()).to_string();
                Ok(State::Name)
            }
        }
    }

    fn value_step(&mut self, byte: u8) -> Result<State, &'static str> {
        match (self.state, byte) {
            (State::Value(quote), byte) if byte == quote => Ok(State::AfterValue),
            (State::Value(_), _) => {
                self.begun = true;
                Ok(self.state)
            }
            (State::BeforeValue, b'"' | b'\'') => {
                self.begun = false;
                Ok(State::Value(byte))
            }
            (State::BeforeValue, b'>') => Err("an attribute with `=` but no value"),
            (State::BeforeValue, space) if space.is_ascii_whitespace() => Ok(State::BeforeValue),
            (_, b'>') => self.tag_end(),
            (_, space) if space.is_ascii_whitespace() => Ok(State::BeforeName),
            (State::AfterValue, b'/') => Ok(State::BeforeName),
            (State::AfterValue, _) => {
                Err("no space after a quoted attribute value; a quote before it may be missing")
            }
            (_, b'"' | b'\'' | b'<' | b'=' | b'`') => {
                Err("a quote or sign in an attribute value without quotes")
            }
            _ => Ok(State::Unquoted),
        }
    }

    fn declaration_step(&mut self, byte: u8) -> Result<State, &'static str> {
        match (self.state, byte) {
            (State::Declaration, b'-') => Ok(State::CommentDash),
            (State::Declaration, letter) if letter.is_ascii_alphabetic() => Ok(State::Doctype),
            // `<!-->` is a whole comment: as if two dashes had been seen.
            (State::CommentDash, b'-') => Ok(State::Comment(2, false)),
            (State::Declaration | State::CommentDash, _) => {
                Err("a `<!` that opens no comment and no doctype")
            }
            (State::Comment(2.., _), b'>') | (State::Doctype, b'>') => Ok(State::Content),
            (State::Comment(dashes, _), b'-') => Ok(State::Comment((dashes + 1).min(2), false)),
            (State::Comment(2.., false), b'!') => Ok(State::Comment(2, true)),
            (State::Comment(..), _) => Ok(State::Comment(0, false)),
            _ => Ok(State::Doctype),
        }
    }

    fn tag_end(&mut self) -> Result<State, &'static str> {
        if self.directive == (true, true) {
            return Err("a placeholder in the content of a http-equiv");
        }
        let raw = RAW.contains(&self.tag.as_str()) || RCDATA.contains(&self.tag.as_str());
        Ok(if raw && !self.closing { State::Raw } else { State::Content })
    }

    fn inline(&self) -> Option<Inline> {
        match self.tag.as_str() {
            "style" => Some(Inline::Style),
            "script" => Some(Inline::Script),
            _ => None,
        }
    }

    /// In a script `<!--` changes what ends it (HTML §13.2.5.20): simpler not to take it.
    fn check_script(&self, content: &str) -> Result<(), &'static str> {
        if self.tag == "script" && text::has(content, "<!--") { Err("`<!--` in a script") } else { Ok(()) }
    }
}

/// Where `</name` begins in `text`, followed by what ends a tag's name.
fn end_tag(text: &str, name: &str) -> Option<usize> {
    let ends = |at: usize| {
        let rest = text.as_bytes().get(at + 2..)?;
        let (found, after) = (rest.get(..name.len())?, rest.get(name.len())?);
        (found.eq_ignore_ascii_case(name.as_bytes())
            && (after.is_ascii_whitespace() || matches!(after, b'/' | b'>')))
        .then_some(at)
    };
    text::places(text, "</").find_map(ends)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place(before: &str) -> Result<Place, &'static str> {
        let mut scanner = Scanner::default();
        scanner.feed(before).map_err(|(_, what)| what)?;
        scanner.place()
    }

    #[test]
    fn places_that_are_good() {
        for (before, wanted) in [
            ("", Place::Content),
            ("<!doctype html><p>", Place::Content),
            ("<p>a</p>", Place::Content),
            ("<!-- < \" -->", Place::Content),
            ("<!-->", Place::Content),
            ("<!-- --!>", Place::Content),
            ("<br/>", Place::Content),
            ("<style>a{}</style>", Place::Content),
            ("<script>'</p>'</SCRIPT >", Place::Content),
            ("<title>", Place::Text),
            ("<textarea>a", Place::Text),
            ("<p title=\"", Place::Text),
            ("<p title = '", Place::Text),
            ("<p a b=c title='x ", Place::Text),
            ("<meta name=\"description\" content=\"", Place::Text),
            ("<a href=\"", Place::Url),
            ("<A HREF='", Place::Url),
            ("<img alt='' src=\"", Place::Url),
        ] {
            assert_eq!(place(before), Ok(wanted), "{before}");
        }
    }

    #[test]
    fn places_that_are_refused() {
        for before in [
            "<",
            "</",
            "<p",
            "<p ",
            "<p title",
            "<p title ",
            "<p title=",
            "<p title= ",
            "<p title=a",
            "<p title=\"\"",
            "<style>",
            "<style>a{color:",
            "<script>",
            "<script>var a = '",
            "<noscript>",
            "<iframe>",
            "<xmp>",
            "<!--",
            "<!-- -",
            "<!doctype ",
            "<p onclick=\"",
            "<p ONCLICK='",
            "<p style=\"",
            "<form action=\"",
            "<button formaction=\"",
            "<img srcset=\"",
            "<iframe srcdoc=\"",
            "<iframe src=\"",
            "<base href=\"",
            "<script src=\"",
            "<a href=\"x",
            "<a href=\"javascript:",
            "<a xlink:href=\"",
            "<object data=\"",
            "<animate to=\"",
            "<meta http-equiv=\"",
        ] {
            assert!(place(before).is_err(), "{before}");
        }
    }

    #[test]
    fn broken_html_is_refused() {
        for text in [
            "a < b",
            "<p title=\"a\"b\">",
            "<a href=\"x>text</a><p class=\"y\">",
            "<p \"a\">",
            "<p a=b\"c>",
            "<p a=>",
            "<p<p>",
            "<![CDATA[a]]>",
            "<?xml?>",
            "</>",
            "<!->",
            "<script><!-- </script>",
        ] {
            assert!(Scanner::default().feed(text).is_err(), "{text}");
        }
        for text in ["<p", "<p title=\"a", "<!-- a --", "<style>a{}", "<title>a", "<textarea>a</textare>"] {
            let mut scanner = Scanner::default();
            scanner.feed(text).expect("so far so good");
            assert!(scanner.end().is_err(), "{text}");
        }
    }

    #[test]
    fn a_directive_takes_no_value() {
        for tag in ["<meta http-equiv=refresh content=\"", "<meta content=\""] {
            let mut scanner = Scanner::default();
            scanner.feed(tag).expect("a tag");
            scanner.place().expect("so far a text");
            let rest = if tag.contains("equiv") { "\">" } else { "\" http-equiv='refresh'>" };
            assert!(scanner.feed(rest).is_err(), "{tag}");
        }
    }

    #[test]
    fn finds_inline_blocks() {
        let text = "<style>a</style><p><script>b</b>c</script><style media=print>d</style >";
        let blocks = Scanner::default().feed(text).expect("good HTML");
        let found: Vec<_> = blocks.iter().map(|(kind, range)| (*kind, &text[range.clone()])).collect();
        assert_eq!(found, [(Inline::Style, "a"), (Inline::Script, "b</b>c"), (Inline::Style, "d")]);
    }

    proptest! {
        #[test]
        fn never_panics(text in "[<>!/=\"' \\-a-c\\PC]{0,60}", more in "\\PC{0,20}") {
            let mut scanner = Scanner::default();
            if scanner.feed(&text).is_ok() {
                let _ = scanner.place();
                let _ = scanner.feed(&more);
                let _ = scanner.end();
            }
        }
    }
}
