//! Pages with places in them: HTML in which `{{name}}` stands for a value.
//!
//! 1. `{{name}}` is one of [`Name`]; it is escaped for where it stands. It may stand in text, in `<title>` and
//!    `<textarea>`, and in quoted attribute values — not in `<style>`, `<script>`, comments, names, unquoted values, nor in
//!    attributes that take code or several URLs.
//! 2. In `href` and `src` only URLs of ours may stand, first and alone or with text after them; URLs of ours may stand
//!    in text too.
//! 3. `{{#name}}…{{/name}}` is shown where the value is there, `{{^name}}…{{/name}}` where it is not; `{{#steps}}`,
//!    `{{#links}}` and `{{#languages}}` once for each. A section ends in the same kind of place where it begins.
//! 4. `{{> style}}` is the built-in style sheet, `{{> colors}}` the colours alone, each as one `<style>` element;
//!    `{{> script}}` what of the built-in scripts the page has a use for.
//! 5. `{{! words }}` is a note and is left out.
//!
//! Whatever else: [`TemplateError`], and the caller shows the built-in page.

use crate::reply::names::Name;
use crate::reply::scan::{Inline, Place, Scanner};
use crate::text;
use core::fmt;

/// A parsed page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    nodes: Vec<Node>,
}

/// A part of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// HTML as it was written.
    Literal(String),
    /// The content of a `<style>` or `<script>`: as it was written, and to be hashed.
    Inline(Inline, String),
    /// A value.
    Value(Name, Place),
    /// What is shown where the value is there (`true`) or is not (`false`).
    Section(Name, bool, Vec<Node>),
    /// The colours, with the built-in style sheet after them (`true`) or alone.
    Style(bool),
    /// The built-in scripts that the page has a use for.
    Script,
}

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there, as a sentence without its full stop.
    pub what: String,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// At the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        // The HTML parser makes every line end a line feed (§13.2.3.5) before a style is hashed; so do we.
        let text = text::replaced(text.trim_start_matches('\u{feff}'), "\r\n", "\n");
        let text = text::replaced(&text, "\r", "\n");
        if let Some(at) = text.find('\0') {
            return Err(Parser::new(&text).error(at, "a NUL character"));
        }
        Parser::new(&text).run()
    }

    /// Its parts.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }
}

/// A section that is open: what it is for, where it began, and the parts before it.
struct Open {
    name: Name,
    shown: bool,
    scanner: Scanner,
    before: Vec<Node>,
}

struct Parser<'t> {
    text: &'t str,
    scanner: Scanner,
    nodes: Vec<Node>,
    open: Vec<Open>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, scanner: Scanner::default(), nodes: Vec::new(), open: Vec::new() }
    }

    fn run(mut self) -> Result<Template, TemplateError> {
        let mut at = 0;
        while let Some((start, end)) = self.next_tag(at)? {
            self.literal(at, start)?;
            let inner = self.text.get(start + 2..end - 2).unwrap_or_default();
            self.tag(inner).map_err(|what| self.error(start, &format!("{{{{{inner}}}}} {what}")))?;
            at = end;
        }
        self.literal(at, self.text.len())?;
        self.finish()
    }

    /// Start and end of the next `{{…}}` from `at` on.
    fn next_tag(&self, at: usize) -> Result<Option<(usize, usize)>, TemplateError> {
        let rest = self.text.get(at..).unwrap_or_default();
        let Some(start) = text::find(rest, "{{") else { return Ok(None) };
        match rest.get(start..).and_then(|tag| text::find(tag, "}}")) {
            Some(length) => Ok(Some((at + start, at + start + length + 2))),
            None => Err(self.error(at + start, "{{ is never closed")),
        }
    }

    fn literal(&mut self, from: usize, to: usize) -> Result<(), TemplateError> {
        let text = self.text.get(from..to).unwrap_or_default();
        let blocks = self.scanner.feed(text).map_err(|(at, what)| self.error(from + at, what))?;
        let mut done = 0;
        for (kind, range) in blocks {
            self.push_literal(text.get(done..range.start));
            done = range.end;
            self.nodes.push(Node::Inline(kind, text.get(range).unwrap_or_default().to_owned()));
        }
        self.push_literal(text.get(done..));
        Ok(())
    }

    fn push_literal(&mut self, text: Option<&str>) {
        let text = text.unwrap_or_default();
        if !text.is_empty() {
            self.nodes.push(Node::Literal(text.to_owned()));
        }
    }

    fn tag(&mut self, inner: &str) -> Result<(), String> {
        let (sigil, name) = match inner.chars().next() {
            Some(sigil @ ('#' | '^' | '/' | '>' | '!')) => (sigil, inner.get(1..).unwrap_or_default()),
            _ => (' ', inner),
        };
        match (sigil, name.trim()) {
            ('!', _) => self.note(),
            ('>', name) => self.partial(name),
            ('#' | '^', name) => self.open_section(known(name)?, sigil == '#'),
            ('/', name) => self.close_section(known(name)?),
            (_, name) => self.value(known(name)?),
        }
    }

    fn note(&mut self) -> Result<(), String> {
        self.content_only()
    }

    fn partial(&mut self, name: &str) -> Result<(), String> {
        self.content_only()?;
        self.nodes.push(match name {
            "style" => Node::Style(true),
            "colors" => Node::Style(false),
            "script" => Node::Script,
            _ => return Err("is unknown; there are style, colors and script".into()),
        });
        Ok(())
    }

    fn content_only(&mut self) -> Result<(), String> {
        match self.scanner.place() {
            Ok(Place::Content) => Ok(()),
            Ok(Place::Text | Place::Url) | Err(_) => Err("may stand between elements only".into()),
        }
    }

    fn value(&mut self, name: Name) -> Result<(), String> {
        let place = self.scanner.place().map_err(|where_| {
            format!("stands {where_}; a placeholder may stand in text and in quoted attribute values only")
        })?;
        if place == Place::Url && !name.is_url() {
            return Err("stands in href or src, where only URLs may stand".into());
        }
        if name.is_section_only() {
            return Err("is no value; write it as a section".into());
        }
        self.within(name)?;
        self.nodes.push(Node::Value(name, place));
        Ok(())
    }

    /// What belongs to a section stands in it.
    fn within(&self, name: Name) -> Result<(), String> {
        let is_open = |list| self.open.iter().any(|open| open.name == list && open.shown);
        match name.within().filter(|list| !is_open(*list)) {
            Some(list) => Err(format!("stands outside of {{{{#{}}}}}", list.as_str())),
            None => Ok(()),
        }
    }

    fn open_section(&mut self, name: Name, shown: bool) -> Result<(), String> {
        // Asked of a copy: that a section begins here does not make a URL begun.
        self.scanner
            .clone()
            .place()
            .map_err(|where_| format!("stands {where_}, where no section may begin"))?;
        if name.within().is_some() && !name.is_section_only() {
            return Err("is always there; it needs no section".into());
        }
        self.within(name)?;
        if self.open.len() >= 8 {
            return Err("is the ninth section within another".into());
        }
        let (scanner, before) = (self.scanner.clone(), core::mem::take(&mut self.nodes));
        self.open.push(Open { name, shown, scanner, before });
        Ok(())
    }

    fn close_section(&mut self, name: Name) -> Result<(), String> {
        let Some(open) = self.open.pop() else { return Err("closes a section that is not open".into()) };
        if open.name != name {
            return Err(format!("closes a section, but {} is open", open.name.as_str()));
        }
        if !open.scanner.same_place(&self.scanner) {
            return Err("closes a section in another kind of place than it began".into());
        }
        let inner = core::mem::replace(&mut self.nodes, open.before);
        self.nodes.push(Node::Section(name, open.shown, inner));
        Ok(())
    }

    fn finish(self) -> Result<Template, TemplateError> {
        if let Some(open) = self.open.last() {
            return Err(
                self.error(self.text.len(), &format!("{{{{#{}}}}} is never closed", open.name.as_str()))
            );
        }
        self.scanner.end().map_err(|what| self.error(self.text.len(), what))?;
        Ok(Template { nodes: self.nodes })
    }

    fn error(&self, at: usize, what: &str) -> TemplateError {
        let before = self.text.as_bytes().get(..at).unwrap_or_default();
        TemplateError {
            line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
            what: what.to_owned(),
        }
    }
}

fn known(name: &str) -> Result<Name, String> {
    Name::parse(name).ok_or_else(|| "is unknown".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn error(text: &str) -> String {
        Template::parse(text).expect_err(text).to_string()
    }

    #[test]
    fn values_sections_and_blocks() {
        let text = "<p title='{{brand}}'>{{#support}}<a href=\"{{support}}\">x</a>{{/support}}\r\n<style>a\r\n</style>";
        let template = Template::parse(text).expect("a template");
        let literal = |text: &str| Node::Literal(text.into());
        assert_eq!(
            template.nodes(),
            [
                literal("<p title='"),
                Node::Value(Name::Brand, Place::Text),
                literal("'>"),
                Node::Section(
                    Name::Support,
                    true,
                    vec![literal("<a href=\""), Node::Value(Name::Support, Place::Url), literal("\">x</a>")],
                ),
                literal("\n<style>"),
                Node::Inline(Inline::Style, "a\n".into()),
                literal("</style>"),
            ]
        );
    }

    #[test]
    fn errors_say_line_and_why() {
        for (text, wanted) in [
            ("<p>\n{{nobody}}", "line 2: {{nobody}} is unknown"),
            (
                "\n\n<style>a{color:{{brand}}}</style>",
                "line 3: {{brand}} stands inside an element that is no text, such as <style> or <script>; a placeholder \
                 may stand in text and in quoted attribute values only",
            ),
            ("<a href=\"{{brand}}\">", "line 1: {{brand}} stands in href or src, where only URLs may stand"),
            ("{{#support}}\n<p>", "line 2: {{#support}} is never closed"),
            ("{{#support}}{{/notice}}", "line 1: {{/notice}} closes a section, but support is open"),
            ("{{/notice}}", "line 1: {{/notice}} closes a section that is not open"),
            ("{{step}}", "line 1: {{step}} stands outside of {{#steps}}"),
            ("{{#language_selected}}", "line 1: {{#language_selected}} stands outside of {{#languages}}"),
            ("{{#step}}", "line 1: {{#step}} is always there; it needs no section"),
            ("{{steps}}", "line 1: {{steps}} is no value; write it as a section"),
            (
                "{{#notice}}<p title=\"{{/notice}}\">",
                "line 1: {{/notice}} closes a section in another kind of place than it began",
            ),
            ("<p title=\"{{> style}}\">", "line 1: {{> style}} may stand between elements only"),
            ("{{> scripts}}", "line 1: {{> scripts}} is unknown; there are style, colors and script"),
            ("<p>\n<p title=\"a>", "line 2: a quote is never closed"),
            ("a\n{{brand", "line 2: {{ is never closed"),
        ] {
            assert_eq!(error(text), wanted);
        }
    }

    #[test]
    fn placeholders_elsewhere_are_refused() {
        for text in [
            "<p title={{brand}}>",
            "<p {{brand}}>",
            "<{{brand}}>",
            "</{{brand}}>",
            "<p {{brand}}=\"a\">",
            "<script>{{brand}}</script>",
            "<script>let a = \"{{brand}}\"</script>",
            "<!-- {{brand}} -->",
            "<p onclick=\"{{brand}}\">",
            "<p style=\"color:{{brand}}\">",
            "<a href='javascript:{{support}}'>",
            "<a href={{support}}>",
            "<form action=\"{{support}}\">",
            "<script src=\"{{logo}}\"></script>",
            "{{#brand}}<p {{/brand}}>",
            "<{{#brand}}p{{/brand}}>",
            "{{}}",
            "{{ }}",
            "{{{brand}}}",
        ] {
            error(text);
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "([<>!/=\"' a-c\\n]|\\{\\{|\\}\\}|#|brand|\\PC){0,60}") {
            let _ = Template::parse(&text);
        }
    }
}
