//! Regular expressions that say a path of ours: `^`, text, and `$` or nothing.
//!
//! | expression | pattern | |
//! | --- | --- | --- |
//! | `^/health$` | `/health` | |
//! | `^/static/`, `^/static/.*`, `^/static(/.*)?$` | `/static/*` | |
//! | `^/(live\|ready)$` | `/live`, `/ready` | |
//! | `^/users/[^/]+/avatar$` | `/users/{p1}/avatar` | |
//! | `^/public` | `/public/*` | narrower: `/publicity` stays protected |
//! | `^/robots.txt$` | `/robots.txt` | narrower: `.` is any character there |
//!
//! Everything else is refused: a pattern that is a little wider than its expression would open what was closed.

use super::super::patterns::{below, literal};
use std::iter::Peekable;
use std::str::Chars;

/// The most texts that one expression may stand for, and how deep its groups may go.
const MOST: usize = 64;
const DEEPEST: usize = 16;

/// A pattern that an expression says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The pattern.
    pub pattern: String,
    /// How it matches less than the expression.
    pub narrower: Option<String>,
}

/// The patterns, and why some of the alternatives are none.
pub fn patterns(expression: &str) -> (Vec<Said>, Vec<String>) {
    let mut parser = Parser { chars: expression.chars().peekable() };
    let texts = match parser.alternatives(0) {
        Ok(texts) if parser.chars.peek().is_none() => texts,
        Ok(_) => return (Vec::new(), vec!["a group is closed that is not open".to_owned()]),
        Err(why) => return (Vec::new(), vec![why]),
    };
    let (mut said, mut refused) = (Vec::new(), Vec::new());
    for text in texts {
        match one(&text) {
            Ok(one) if !said.contains(&one) => said.push(one),
            Ok(_) => {}
            Err(why) if !refused.contains(&why) => refused.push(why),
            Err(_) => {}
        }
    }
    let folders: Vec<String> =
        said.iter().filter_map(|it| Some(it.pattern.strip_suffix("/*")?.to_owned())).collect();
    said.retain(|it| {
        !folders.iter().any(|folder| it.pattern.strip_suffix('/').unwrap_or(&it.pattern) == folder)
    });
    (said, refused)
}

/// One thing of an expression without alternatives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Piece {
    /// `^`
    Start,
    /// `$`
    End,
    /// A character.
    Char(char),
    /// `.`
    Dot,
    /// `.*`
    Any,
    /// `[^/]+`
    Segment,
}

type Text = Vec<Piece>;

struct Parser<'e> {
    chars: Peekable<Chars<'e>>,
}

impl Parser<'_> {
    /// Everything up to the end or a `)`: the texts that it stands for.
    fn alternatives(&mut self, depth: usize) -> Result<Vec<Text>, String> {
        if depth > DEEPEST {
            return Err("its groups go too deep".to_owned());
        }
        let (mut all, mut current) = (Vec::new(), vec![Text::new()]);
        while let Some(c) = self.chars.next_if(|c| *c != ')') {
            if c == '|' {
                all.append(&mut std::mem::replace(&mut current, vec![Text::new()]));
                continue;
            }
            let item = self.item(c, depth)?;
            current = joined(&current, &item)?;
        }
        all.append(&mut current);
        if all.len() > MOST { Err(too_many()) } else { Ok(all) }
    }

    /// One item with what says how often: the texts that it stands for.
    fn item(&mut self, c: char, depth: usize) -> Result<Vec<Text>, String> {
        let mut texts = match c {
            '^' => return Ok(vec![vec![Piece::Start]]),
            '$' => return Ok(vec![vec![Piece::End]]),
            '.' if self.chars.next_if_eq(&'*').is_some() => vec![vec![Piece::Any]],
            '.' => vec![vec![Piece::Dot]],
            '[' => self.class()?,
            '(' => self.group(depth)?,
            '\\' => vec![vec![Piece::Char(self.escaped()?)]],
            '*' | '+' | '?' | '{' => return Err(format!("{c} stands where nothing can be repeated")),
            c => vec![vec![Piece::Char(c)]],
        };
        if let Some(c) = self.chars.next_if(|c| matches!(c, '*' | '+' | '{')) {
            return Err(format!("a pattern cannot say how often ({c})"));
        }
        if self.chars.next_if_eq(&'?').is_some() {
            if texts == [[Piece::Any]] {
                return Ok(texts);
            }
            texts.push(Text::new());
        }
        if self.chars.peek().is_some_and(|c| matches!(c, '?' | '*' | '+')) {
            return Err("a pattern cannot say how often".to_owned());
        }
        Ok(texts)
    }

    /// `[^/]+`, and no other class.
    fn class(&mut self) -> Result<Vec<Text>, String> {
        for expected in ['^', '/', ']', '+'] {
            if self.chars.next() != Some(expected) {
                return Err("of the classes of characters a pattern knows only [^/]+".to_owned());
            }
        }
        Ok(vec![vec![Piece::Segment]])
    }

    fn group(&mut self, depth: usize) -> Result<Vec<Text>, String> {
        if self.chars.next_if_eq(&'?').is_some() && self.chars.next() != Some(':') {
            return Err("a pattern cannot say a group with flags or a name".to_owned());
        }
        let texts = self.alternatives(depth + 1)?;
        if self.chars.next() == Some(')') { Ok(texts) } else { Err("a group is not closed".to_owned()) }
    }

    fn escaped(&mut self) -> Result<char, String> {
        match self.chars.next() {
            Some(c) if c.is_ascii_punctuation() => Ok(c),
            Some(c) => Err(format!("a pattern cannot say \\{c}")),
            None => Err("it ends with a backslash".to_owned()),
        }
    }
}

fn joined(heads: &[Text], tails: &[Text]) -> Result<Vec<Text>, String> {
    if heads.len() * tails.len() > MOST {
        return Err(too_many());
    }
    Ok(heads.iter().flat_map(|head| tails.iter().map(move |tail| [head.as_slice(), tail].concat())).collect())
}

fn too_many() -> String {
    format!("it stands for more than {MOST} paths")
}

/// The pattern of one text without alternatives.
fn one(text: &[Piece]) -> Result<Said, String> {
    let Some((Piece::Start, rest)) = text.split_first() else {
        return Err("it is not anchored with ^, and so it matches in the middle of any path".to_owned());
    };
    let (body, is_exact) = match rest {
        [body @ .., Piece::Any, Piece::End] | [body @ .., Piece::Any] => (body, false),
        [body @ .., Piece::End] => (body, true),
        body => (body, false),
    };
    let path = path(body)?;
    let is_dotted = body.contains(&Piece::Dot);
    if is_exact {
        let narrower = is_dotted.then(|| dotted(&path));
        return if path.is_empty() { Err(no_slash()) } else { Ok(Said { pattern: path, narrower }) };
    }
    let ends_whole = matches!(body.last(), None | Some(Piece::Char('/') | Piece::Segment));
    let narrower = if ends_whole { is_dotted.then(|| dotted(&path)) } else { Some(prefix(&path)) };
    Ok(Said { pattern: below(&path), narrower })
}

/// The path of text and whole segments.
fn path(body: &[Piece]) -> Result<String, String> {
    let (mut path, mut names) = (String::new(), 0);
    for (index, piece) in body.iter().enumerate() {
        match piece {
            Piece::Char(c) => path.push_str(&literal(c.encode_utf8(&mut [0; 4]))),
            Piece::Dot => path.push('.'),
            Piece::Segment => {
                let after = body.get(index + 1);
                if !path.ends_with('/') || !matches!(after, None | Some(Piece::Char('/'))) {
                    return Err("[^/]+ is not a whole segment".to_owned());
                }
                names += 1;
                path.push_str(&format!("{{p{names}}}"));
            }
            Piece::Any => return Err("a pattern cannot say .* before its end".to_owned()),
            Piece::Start | Piece::End => return Err("^ or $ stands in the middle".to_owned()),
        }
    }
    if path.is_empty() || path.starts_with('/') { Ok(path) } else { Err(no_slash()) }
}

fn no_slash() -> String {
    "its text does not begin with /".to_owned()
}

fn prefix(path: &str) -> String {
    format!(
        "narrower here: the expression also matches paths that go on after {path} without a /; those stay protected"
    )
}

fn dotted(path: &str) -> String {
    format!("narrower here: a dot is any character there, and a dot in {path}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(expression: &str) -> Vec<String> {
        let (said, refused) = patterns(expression);
        let mark = |it: Said| if it.narrower.is_some() { format!("{} <", it.pattern) } else { it.pattern };
        said.into_iter().map(mark).chain(refused.into_iter().map(|_| "-".to_owned())).collect()
    }

    #[test]
    fn what_a_pattern_can_say() {
        for (expression, expected) in [
            ("^/health$", &["/health"][..]),
            ("^/health/?$", &["/health/", "/health"]),
            ("^/$", &["/"]),
            ("^/static/", &["/static/*"]),
            ("^/static/.*", &["/static/*"]),
            ("^/static/.*$", &["/static/*"]),
            ("^/static(/.*)?$", &["/static/*"]),
            ("^/static(?:/|$)", &["/static/*"]),
            ("^/(live|ready)$", &["/live", "/ready"]),
            ("^\\/a\\.b\\-c$", &["/a.b-c"]),
            ("^/a$|^/b/", &["/a", "/b/*"]),
            ("^(/a|/b)$", &["/a", "/b"]),
            ("^/users/[^/]+/avatar$", &["/users/{p1}/avatar"]),
            ("^/users/[^/]+/[^/]+$", &["/users/{p1}/{p2}"]),
            ("^/users/[^/]+", &["/users/{p1}/*"]),
            ("^/", &["/*"]),
            ("^", &["/*"]),
            ("^/100%/a\\*b$", &["/100%25/a%2Ab"]),
            ("^/public", &["/public/* <"]),
            ("^/robots.txt$", &["/robots.txt <"]),
            ("^/a.b/", &["/a.b/* <"]),
        ] {
            assert_eq!(said(expression), expected, "{expression}");
        }
    }

    #[test]
    fn what_it_cannot() {
        for expression in [
            "",
            "/health",
            "/health$",
            "health",
            "^health",
            "^$",
            "^/a.+",
            "^/a+$",
            "^/[a-z]+$",
            "^/\\d+$",
            "(?i)^/a$",
            "^/a/.*/b$",
            "^/a.*b$",
            "^/a$/b",
            "^/x[^/]+$",
            "^/[^/]+x$",
            "^/[^/]*$",
            "^/(a$",
            "^/a)$",
            "^/a\\",
            "^/a{2}",
            "^/a??$",
            "^*",
            "^/(a|b)*$",
            "^/(?P<n>a)$",
            "\\A/a\\z",
            "^/.*?x$",
        ] {
            assert_eq!(said(expression), ["-"], "{expression}");
        }
        assert_eq!(said("^/a$|/b"), ["/a", "-"], "one alternative of two");
        assert_eq!(said(&format!("^/{}$", "(a|b)".repeat(7))), ["-"]);
        assert_eq!(said(&"(".repeat(100_000)), ["-"]);
    }

    proptest! {
        #[test]
        fn never_panics(expression in "(\\^|/|\\$|\\(|\\)|\\||\\[\\^/\\]\\+|\\.|\\*|\\?|\\\\|a|\\PC){0,30}") {
            let _ = patterns(&expression);
        }

        /// What is said for a text, escaped and anchored, is that text.
        #[test]
        fn a_text_is_itself(text in "(/[a-z0-9._-]{1,5}){1,4}") {
            let escaped = text.replace('.', "\\.").replace('-', "\\-");
            prop_assert_eq!(said(&format!("^{escaped}$")), vec![text.clone()]);
            prop_assert_eq!(said(&format!("^{escaped}/")), vec![format!("{text}/*")]);
        }
    }
}
