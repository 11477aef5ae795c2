//! What can be wrong with a line, in words. None shows a secret, be it sealed or not.

use crate::config::{Problem, quote};
use crate::password::htpasswd::is_plain_word;

/// A line as it should be.
const FORM: &str = "user:sha1|sha256|sha512:6|8:sealed-secret";
const SOURCE: &str = "EDGEWARD_TOTP";
/// Octets of a user-id that is shown.
const LONGEST_SHOWN: usize = 64;
const REPLACE: &str = "Run `edgeward totp enroll ann` and replace the line.";

/// What is wrong with one line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault<'t> {
    /// It has not the four fields.
    Form,
    /// The user-id is this.
    User(&'static str),
    /// What stands between user-id and secret is none of what may.
    Middle(Place),
    /// A secret in clear.
    Exposed,
    /// The sealed secret has not the form, or not the length, of one.
    Sealed,
    /// It was not sealed for this line, or not by us.
    Unopened(&'t str),
    /// This user-id stands in an earlier line, too.
    UserAgain(&'t str, u32),
}

/// The two fields in the middle.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The second.
    Hash,
    /// The third.
    Digits,
}

impl Fault<'_> {
    /// The same as a problem of that line.
    pub(super) fn problem(&self, line: u32) -> Problem {
        let (found, expected, fix) = self.words();
        Problem::new([SOURCE, " line ", &line.to_string()].concat(), found, expected, fix)
    }

    fn words(&self) -> (String, &'static str, String) {
        match self {
            Self::Form => ("a line of another form".into(), FORM, REPLACE.into()),
            Self::User(found) => ((*found).into(), FORM, "Correct the user-id.".into()),
            Self::Middle(Place::Hash) => {
                ("an algorithm of another name".into(), "sha1, sha256 or sha512", REPLACE.into())
            }
            Self::Middle(Place::Digits) => ("another number of digits".into(), "6 or 8", REPLACE.into()),
            Self::Exposed => (
                "a secret that is not sealed (not shown)".into(),
                "a sealed one, as otherwise whoever reads the list has the second factor",
                "Make another with `edgeward totp enroll`: this one has been seen.".into(),
            ),
            Self::Sealed => (
                "a sealed secret that is cut or changed (not shown)".into(),
                "what `edgeward totp enroll` prints, for this very algorithm",
                REPLACE.into(),
            ),
            Self::Unopened(user) => (
                "a secret that EDGEWARD_SECRET does not open (not shown)".into(),
                "one that was sealed with it, for this user, this algorithm and this number of digits",
                ["Put the secret it was sealed with back into EDGEWARD_SECRET, or ", &replace(user)].concat(),
            ),
            Self::UserAgain(user, first) => (
                ["the user-id ", &quote::quote(user), " again, after line ", &first.to_string()].concat(),
                "each user-id once",
                "Remove one of the two lines.".into(),
            ),
        }
    }
}

/// What to do about a line that does not open.
fn replace(user: &str) -> String {
    // A name that a shell might read in another way is not put into a command, and what is so long may be anything.
    let user = if is_plain_word(user) && user.len() <= LONGEST_SHOWN { user } else { "ann" };
    ["run `edgeward totp enroll ", user, "` and replace the line."].concat()
}

/// Lines that are not there.
pub(super) fn no_lines() -> Problem {
    let fix = "Run `edgeward totp enroll ann` and put its line in, or delete the secret.";
    Problem::new(SOURCE, "no lines", ["lines of the form ", FORM].concat(), fix)
}
