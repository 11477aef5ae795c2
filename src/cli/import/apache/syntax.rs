//! Apache's configuration files: a directive on each line, and sections `<Name …>` to `</Name>`.
//!
//! A line that ends with `\` goes on in the next. `#` as the first character of a line makes it a comment; nowhere else.
//! Names of directives and sections are written in any case: here in lower case.

use super::super::Unreadable;
use super::super::words::words;

/// How deep sections may stand in sections.
const DEEPEST: usize = 50;

/// A directive, or a section with what stands in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// Its line, from 1.
    pub line: usize,
    /// Its name in lower case; of a section without the `<`.
    pub name: String,
    /// The words behind it.
    pub args: Vec<String>,
    /// What stands in the section; `None` for a directive.
    pub block: Option<Vec<Directive>>,
}

impl Directive {
    /// The first word behind the name.
    pub fn first(&self) -> &str {
        self.args.first().map_or("", String::as_str)
    }

    /// A section's head as it is written.
    pub fn head(&self) -> String {
        format!("<{} {}>", self.name, self.args.join(" "))
    }
}

/// All directives of a text.
pub fn parse(text: &str) -> Result<Vec<Directive>, Unreadable> {
    let mut open: Vec<Directive> = Vec::new();
    let mut top: Vec<Directive> = Vec::new();
    for (line, number) in joined(text) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(name) = line.strip_prefix("</") {
            let closed = close(&mut open, name.trim_end_matches('>').trim(), number)?;
            open.last_mut().and_then(|outer| outer.block.as_mut()).unwrap_or(&mut top).push(closed);
            continue;
        }
        let directive = directive(line, number)?;
        if directive.block.is_none() {
            open.last_mut().and_then(|outer| outer.block.as_mut()).unwrap_or(&mut top).push(directive);
        } else if open.len() < DEEPEST {
            open.push(directive);
        } else {
            return Err(Unreadable::new(number, format!("sections stand more than {DEEPEST} deep.")));
        }
    }
    match open.pop() {
        None => Ok(top),
        Some(it) => {
            let why = format!("the section {} is not closed: </{}> is missing.", it.head(), it.name);
            Err(Unreadable::new(it.line, why))
        }
    }
}

fn close(open: &mut Vec<Directive>, name: &str, line: usize) -> Result<Directive, Unreadable> {
    match open.pop() {
        Some(section) if section.name.eq_ignore_ascii_case(name) => Ok(section),
        Some(section) => {
            let why = format!("</{name}> closes {} of line {}.", section.head(), section.line);
            Err(Unreadable::new(line, why))
        }
        None => Err(Unreadable::new(line, format!("</{name}> closes nothing."))),
    }
}

fn directive(line: &str, number: usize) -> Result<Directive, Unreadable> {
    let section = line.strip_prefix('<').map(|head| head.strip_suffix('>').unwrap_or(head));
    let unclosed = || Unreadable::new(number, "a quotation mark is not closed.");
    let mut words = words(section.unwrap_or(line)).ok_or_else(unclosed)?.into_iter();
    let name = words.next().unwrap_or_default().to_ascii_lowercase();
    Ok(Directive { line: number, name, args: words.collect(), block: section.map(|_| Vec::new()) })
}

/// The lines with their numbers, those that go on put together.
fn joined(text: &str) -> Vec<(String, usize)> {
    let mut lines: Vec<(String, usize)> = Vec::new();
    let mut goes_on = false;
    for (line, number) in text.lines().zip(1..) {
        let line = line.trim_end_matches('\r');
        let (part, continues) = line.strip_suffix('\\').map_or((line, false), |part| (part, true));
        match lines.last_mut().filter(|_| goes_on) {
            Some((last, _)) => last.push_str(part),
            None => lines.push((part.to_owned(), number)),
        }
        goes_on = continues;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sections_and_lines() {
        let text = "# <Location /x>\r\n<location \"/a b\">\r\n\tREQUIRE user ann \\\r\n  bob # no comment\r\n</LOCATION>\r\nOptions None\n";
        let parsed = parse(text).unwrap();
        assert_eq!(parsed.len(), 2);
        assert_eq!((parsed[0].head().as_str(), parsed[0].line), ("<location /a b>", 2));
        let inner = &parsed[0].block.as_ref().unwrap()[0];
        assert_eq!(
            (inner.name.as_str(), inner.args.join(" ").as_str(), inner.line),
            ("require", "user ann bob # no comment", 3)
        );
    }

    #[test]
    fn faults_have_a_line() {
        for (text, line, part) in [
            ("\n<Location /a>\nRequire all denied\n", 2, "</location> is missing"),
            ("</Location>", 1, "closes nothing"),
            ("<Location /a>\n</Directory>", 2, "closes <location /a> of line 1"),
            ("AuthName \"open\nx", 1, "a quotation mark"),
        ] {
            let unreadable = parse(text).unwrap_err();
            assert!(unreadable.line == line && unreadable.why.contains(part), "{text}: {unreadable:?}");
        }
        assert!(parse(&"<a>\n".repeat(1000)).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(text in "(</?|>|[a-c]|\"|\\\\|\n|\\PC){0,40}") {
            let _ = parse(&text);
        }
    }
}
