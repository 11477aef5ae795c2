//! What goes out: one text or one JSON value, words beside it, and the exit status.

use edgeward::config::Problem;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

/// What a subcommand came to.
pub struct Outcome {
    /// For people, on standard output; ends with a line feed.
    pub text: String,
    /// The same for programs (`--json`).
    pub json: Value,
    /// Words beside it, on standard error: one line each.
    pub notes: Vec<String>,
    /// Whether the answer is yes: exit status 0, otherwise 1.
    pub yes: bool,
}

impl Outcome {
    /// A yes without words beside it.
    pub const fn yes(text: String, json: Value) -> Self {
        Self { text, json, notes: Vec::new(), yes: true }
    }
}

/// The command was not used as it can be: exit status 2. A sentence.
#[derive(Debug, PartialEq, Eq)]
pub struct Misuse(pub String);

impl Misuse {
    /// Takes a sentence; nothing secret may stand in it.
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

/// Prints, and says how to exit.
pub fn finish(outcome: Result<Outcome, Misuse>, as_json: bool) -> ExitCode {
    match outcome {
        Ok(Outcome { text, json, notes, yes }) => {
            notes.iter().for_each(|note| say(note));
            let printed = print(&if as_json { pretty(&json) } else { text });
            if printed { ExitCode::from(u8::from(!yes)) } else { ExitCode::from(1) }
        }
        Err(Misuse(sentence)) => {
            say(&format!("edgeward: {sentence}"));
            if as_json {
                print(&pretty(&json!({ "error": sentence })));
            }
            ExitCode::from(2)
        }
    }
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// A line on standard error. Nobody there to read it is nobody to tell.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Writes to standard output; a reader that went away has read what it wanted. Whether all is well.
fn print(text: &str) -> bool {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => true,
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => true,
        Err(error) => {
            say(&format!("edgeward: standard output cannot be written: {error}"));
            false
        }
    }
}

/// A problem for programs: its parts, and the sentence.
pub fn problem(problem: &Problem) -> Value {
    json!({
        "at": problem.at,
        "found": problem.found,
        "expected": problem.expected,
        "fix": problem.fix,
        "sentence": problem.to_string(),
    })
}

/// Text of somebody else's as it can be shown on a terminal: no control character and no character that changes the
/// direction of writing gets through.
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        let steers = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if c.is_control() || steers {
            // Writing to a String cannot fail.
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// The same, line by line.
pub fn visible_lines(text: &str) -> String {
    text.split('\n').map(visible).collect::<Vec<_>>().join("\n")
}

/// Names and values in two columns.
pub fn columns(lines: &[(String, String)]) -> String {
    let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    lines.iter().map(|(name, value)| format!("{name:width$}  {value}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(visible("a\u{1b}[2Jb\u{9b}c\u{202e}d\u{e9}"), "a\\u{1b}[2Jb\\u{9b}c\\u{202e}d\u{e9}");
    }

    #[test]
    fn columns_are_even() {
        let lines = [("a".into(), "1".into()), ("bcd".into(), "2".into())];
        assert_eq!(columns(&lines), "a    1\nbcd  2\n");
    }
}
