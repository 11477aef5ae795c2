//! nginx's configuration files: directives of words, ended by `;` or by a block in braces.
//!
//! Words end at white space, `;` or `{`; a word in `"…"` or `'…'` holds them. `\` before a quotation mark, a backslash, `;`
//! or `{` takes its meaning away. `#` where a word could begin starts a comment. `${name}` is no block.

use super::super::Unreadable;

/// How deep blocks may stand in blocks.
const DEEPEST: usize = 50;

/// One directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive {
    /// Its line, from 1.
    pub line: usize,
    /// Its first word.
    pub name: String,
    /// The others.
    pub args: Vec<String>,
    /// The directives of its block, where it has one.
    pub block: Option<Vec<Directive>>,
}

impl Directive {
    /// The words as one text. Not for a directive that may hold a secret.
    pub fn head(&self) -> String {
        [std::slice::from_ref(&self.name), &self.args].concat().join(" ")
    }

    /// The first word behind the name.
    pub fn first(&self) -> Option<&str> {
        self.args.first().map(String::as_str)
    }
}

/// All directives of a text.
pub fn parse(text: &str) -> Result<Vec<Directive>, Unreadable> {
    let mut lexer = Lexer { rest: text, line: 1 };
    lexer.block(None, 0)
}

enum Token {
    Word(String),
    Semicolon,
    Open,
    Close,
    End,
}

struct Lexer<'t> {
    rest: &'t str,
    line: usize,
}

impl Lexer<'_> {
    /// Directives up to the brace that closes `opened` (its words and line), or to the end of the text.
    fn block(&mut self, opened: Option<(&str, usize)>, depth: usize) -> Result<Vec<Directive>, Unreadable> {
        if depth > DEEPEST {
            return Err(Unreadable::new(self.line, format!("blocks stand more than {DEEPEST} deep.")));
        }
        let mut directives = Vec::new();
        loop {
            match self.token()? {
                Token::Word(name) => directives.push(self.directive(name, depth)?),
                Token::Close if opened.is_some() => return Ok(directives),
                Token::End if opened.is_none() => return Ok(directives),
                Token::Semicolon => return Err(self.fault("a directive was expected, and not \";\".")),
                Token::Open => return Err(self.fault("a directive was expected, and not \"{\".")),
                Token::Close => return Err(self.fault("\"}\" closes nothing.")),
                Token::End => {
                    let (head, line) = opened.unwrap_or_default();
                    let why = format!("the block {head} of line {line} is not closed: a \"}}\" is missing.");
                    return Err(self.fault(why));
                }
            }
        }
    }

    fn directive(&mut self, name: String, depth: usize) -> Result<Directive, Unreadable> {
        let mut directive = Directive { line: self.line, name, args: Vec::new(), block: None };
        loop {
            match self.token()? {
                Token::Word(word) => directive.args.push(word),
                Token::Semicolon => return Ok(directive),
                Token::Open if directive.name.ends_with("_by_lua_block") => {
                    self.skip_program(directive.line)?;
                    directive.block = Some(Vec::new());
                    return Ok(directive);
                }
                Token::Open => {
                    let head =
                        format!("{:?}", [&directive.name, " ", &directive.args.join(" ")].concat().trim());
                    directive.block = Some(self.block(Some((&head, directive.line)), depth + 1)?);
                    return Ok(directive);
                }
                Token::Close | Token::End => {
                    // The line where the words end, not the next one with something on it; no argument is shown.
                    let why = format!("the directive {:?} is not ended: a \";\" is missing.", directive.name);
                    return Err(Unreadable::new(directive.line, why));
                }
            }
        }
    }

    fn token(&mut self) -> Result<Token, Unreadable> {
        self.skip_blank();
        match self.next() {
            None => Ok(Token::End),
            Some(';') => Ok(Token::Semicolon),
            Some('{') => Ok(Token::Open),
            Some('}') => Ok(Token::Close),
            Some(mark @ ('"' | '\'')) => self.quoted(mark),
            Some(first) => Ok(Token::Word(self.word(first))),
        }
    }

    fn skip_blank(&mut self) {
        while let Some(c) = self.rest.chars().next() {
            if c == '#' {
                while self.peek().is_some_and(|c| c != '\n') {
                    self.next();
                }
            } else if c.is_whitespace() {
                self.next();
            } else {
                return;
            }
        }
    }

    fn quoted(&mut self, mark: char) -> Result<Token, Unreadable> {
        let line = self.line;
        let mut word = String::new();
        while let Some(c) = self.next() {
            match c {
                _ if c == mark => return Ok(Token::Word(word)),
                '\\' => self.escape(&mut word),
                _ => word.push(c),
            }
        }
        Err(Unreadable::new(line, format!("a quotation mark ({mark}) is not closed.")))
    }

    fn word(&mut self, first: char) -> String {
        let mut word = String::new();
        if first == '\\' {
            self.escape(&mut word)
        } else {
            word.push(first)
        }
        while let Some(c) = self.peek() {
            let is_variable = c == '{' && word.ends_with('$');
            if c.is_whitespace() || c == ';' || (c == '{' && !is_variable) {
                break;
            }
            self.next();
            if c == '\\' { self.escape(&mut word) } else { word.push(c) }
        }
        word
    }

    /// What stands behind a backslash. Only some characters lose it.
    fn escape(&mut self, word: &mut String) {
        match self.next() {
            Some(c @ ('"' | '\'' | '\\')) => word.push(c),
            Some('t') => word.push('\t'),
            Some('r') => word.push('\r'),
            Some('n') => word.push('\n'),
            Some(c) => word.extend(['\\', c]),
            None => word.push('\\'),
        }
    }

    /// Lua, up to its closing brace.
    fn skip_program(&mut self, line: usize) -> Result<(), Unreadable> {
        let mut depth = 1_usize;
        while let Some(c) = self.next() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Ok(());
            }
        }
        Err(Unreadable::new(line, "the program that begins here is not closed: a \"}\" is missing."))
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = self.rest.get(c.len_utf8()..).unwrap_or_default();
        self.line += usize::from(c == '\n');
        Some(c)
    }

    fn fault(&self, why: impl Into<String>) -> Unreadable {
        Unreadable::new(self.line, why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(directives: &[Directive]) -> String {
        let one = |it: &Directive| {
            let block = it.block.as_ref().map(|block| format!("{{{}}}", shown(block))).unwrap_or_default();
            format!("{}:{}{block}", it.line, [std::slice::from_ref(&it.name), &it.args].concat().join("|"))
        };
        directives.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn words_and_blocks() {
        for (text, expected) in [
            ("a b;c d { e f; }", "1:a|b 1:c|d{1:e|f}"),
            ("a \"b; } { # c\" 'd\\'e';\r\n\tf; # g; }\n", "1:a|b; } { # c|d'e 2:f"),
            ("location ~ ^/a\\.b$ {}", "1:location|~|^/a\\.b${}"),
            ("set $x ${y}z;\nlocation /{ }", "1:set|$x|${y}z 2:location|/{}"),
            ("a b#c;", "1:a|b#c"),
            ("content_by_lua_block {\n if a then b({}) end\n}\nc;", "1:content_by_lua_block{} 4:c"),
            ("", ""),
        ] {
            assert_eq!(parse(text).map(|it| shown(&it)).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn faults_have_a_line() {
        for (text, line, part) in [
            ("server {\n location / {\n a b;\n }\n", 5, "the block \"server\" of line 1 is not closed"),
            ("a b;\n}\n", 2, "\"}\" closes nothing"),
            ("server {\n auth_basic \"x\"\n}", 2, "the directive \"auth_basic\" is not ended"),
            ("a;\nb \"c;\nd;", 2, "a quotation mark (\") is not closed"),
            ("a;\n;", 2, "and not \";\""),
            ("{}", 1, "and not \"{\""),
            ("x_by_lua_block { {", 1, "not closed"),
        ] {
            let unreadable = parse(text).unwrap_err();
            assert!(unreadable.line == line && unreadable.why.contains(part), "{text}: {unreadable:?}");
        }
        assert!(parse(&"a{".repeat(100_000)).is_err());
    }

    proptest! {
        #[test]
        fn never_panics(text in "([a-c ;{}\"'\\\\#$\n]|\\PC){0,60}") {
            let _ = parse(&text);
        }
    }
}
