//! What can be wrong with a line, in words. None shows a digest, a key, or what may be one.

use crate::config::{Problem, quote};

/// A line as it should be.
pub(super) const FORM: &str = "name:sha256-hex-of-key[:scope,scope]";
/// Octets of a name.
pub(super) const LONGEST_NAME: usize = 256;
/// Scopes of a key.
pub(super) const MOST_SCOPES: usize = 64;

/// What is wrong with one line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault<'t> {
    /// No colon in it.
    Form,
    /// A key of ours stands where its name or digest should.
    Exposed,
    /// The name is this.
    Name(&'static str),
    /// The digest is none.
    Digest,
    /// The digest is that of an empty text or an empty line.
    OfNothing,
    /// The scopes of this key are that.
    Scopes(&'t str, &'static str),
    /// This name stands in an earlier line, too.
    NameAgain(&'t str, usize),
    /// The digest is that of an earlier line, of this name.
    KeyAgain(&'t str, usize),
}

impl Fault<'_> {
    /// The same as a problem of a line of that source.
    pub(super) fn problem(&self, source: &str, line: usize) -> Problem {
        let (found, expected, fix) = self.words(source);
        Problem::new(format!("{source} line {line}"), found, expected, fix)
    }

    fn words(&self, source: &str) -> (String, &'static str, String) {
        const HASH: &str =
            "Put there what `edgeward api-key` prints, or what `printf %s \"$KEY\" | sha256sum` does.";
        match self {
            Self::Form => (
                "a line of another form".into(),
                FORM,
                "Run `edgeward api-key ci` and replace the line.".into(),
            ),
            Self::Exposed => (
                "a key itself (not shown)".into(),
                "its SHA-256, as otherwise whoever reads the list has the key",
                "Make another with `edgeward api-key`, and replace the line.".into(),
            ),
            Self::Name(found) => ((*found).into(), FORM, "Correct the name.".into()),
            Self::Digest => ("no SHA-256 of a key (not shown)".into(), "64 hexadecimal digits", HASH.into()),
            Self::OfNothing => {
                ("the SHA-256 of nothing, or of an empty line".into(), "that of a key", HASH.into())
            }
            Self::Scopes(name, found) => (
                (*found).into(),
                "scopes of RFC 6749 section 3.3, each once, with commas and no spaces between them",
                format!("Correct the line of {}.", quote::quote(name)),
            ),
            Self::NameAgain(name, first) => (
                format!("the name {} again, after {source} line {first}", quote::quote(name)),
                "each name once",
                "Remove one of the two lines, or rename it.".into(),
            ),
            Self::KeyAgain(name, first) => (
                format!("the key of {} again, after {source} line {first}", quote::quote(name)),
                "each key once",
                "Remove one of the two lines, or make another key.".into(),
            ),
        }
    }
}

/// A list without a line.
pub(super) fn no_lines(source: &str) -> Problem {
    let fix = "Run `edgeward api-key ci` and put its line in, or delete the value.";
    Problem::new(source, "no lines of keys", format!("lines of the form {FORM}"), fix)
}

/// Lines that are not told one by one.
pub(super) fn more(source: &str, count: usize) -> Problem {
    Problem::new(source, format!("{count} more problems"), "none", "Mend those above, then check again.")
}
