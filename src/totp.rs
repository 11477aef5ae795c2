//! `EDGEWARD_TOTP`: the second factor of those who have one, a line each, `user:sha1|sha256|sha512:6|8:sealed-secret`.
//!
//! 1. A code is that of TOTP (RFC 6238): HOTP (RFC 4226 §5.3) over the number of steps of 30 seconds since 1970, by
//!    HMAC-SHA-1, -256 or -512, of 6 or 8 digits. One step of skew either way is taken (RFC 6238 §5.2).
//! 2. The secret is sealed ([`crate::seal`]) for its user, algorithm and number of digits: whoever reads the lines has no
//!    secret, and a line that is changed, or given to another user, opens nothing.
//! 3. With it are sealed 16 octets, from which ten recovery codes come ([`recovery`]), and the names under which the ledger
//!    counts. So these stay what they are while `EDGEWARD_SECRET` rotates: what was used stays used.
//! 4. Lines end with a newline; blank ones and those that begin with `#` are skipped. No user-id stands twice.
//! 5. One bad line makes the whole unreadable: a second factor that silently is not there lets in by the first alone. Each
//!    is told.
//!
//! That a code is good once, and how many wrong ones may be tried, is not decided here: see
//! [`crate::authenticate::second_factor`].
//!
//! ```
//! use edgeward::time::UnixTime;
//! use edgeward::token::{mac::RootSecret, to_base64url};
//! use edgeward::totp::{Digits, Hash, Made, TotpSecrets};
//!
//! let root = RootSecret::parse(&to_base64url(&[7; 32])).unwrap();
//! let made = Made::new("ann", Hash::Sha1, Digits::Six, &[1; 20], &[2; 16]).unwrap();
//! let line = made.line(&root, [3; 24]).unwrap();
//!
//! let secrets = TotpSecrets::parse(&line, &root, str::to_owned).unwrap();
//! let ann = secrets.of("ann").unwrap();
//! let now = UnixTime::from_seconds(1_700_000_000);
//! assert!(ann.matches(&made.enrolment().code(now), now).is_some());
//! assert!(ann.matches("12345", now).is_none());
//!
//! let problems = TotpSecrets::parse("ann:JBSWY3DPEHPK3PXP", &root, str::to_owned).unwrap_err();
//! assert_eq!(problems[0].at, "EDGEWARD_TOTP line 1");
//! ```

mod code;
mod enrolment;
mod fault;
mod line;
mod made;
pub mod recovery;

pub use code::{Digits, Hash, STEP, Step};
pub use enrolment::Enrolment;
pub use made::{Made, SEED_SIZE};

use crate::config::Problem;
use crate::password::Nfc;
use crate::seal::Sealer;
use crate::sorted_map::SortedMap;
use crate::token::mac::{Purpose, RootSecret};
use fault::Fault;

/// What secrets are sealed for.
pub const PURPOSE: Purpose = Purpose("edgeward/totp/v1");

/// The second factors of all who have one.
#[derive(Debug)]
pub struct TotpSecrets(SortedMap<String, Enrolment>);

impl TotpSecrets {
    /// Reads the lines.
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the lines. No problem shows a secret, be it sealed or not.
    pub fn parse(text: &str, root: &RootSecret, nfc: Nfc) -> Result<Self, Vec<Problem>> {
        let sealer = Sealer::new(root, PURPOSE);
        let mut reading = Reading::default();
        // A byte order mark is the editor's, not the first user's.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let lines = text.split('\n').map(str::trim_ascii_end).zip(1_u32..);
        for (line, number) in lines.filter(|(line, _)| !line.is_empty() && !line.starts_with('#')) {
            match line::parse(line, &sealer, nfc) {
                Ok(enrolment) => reading.take(number, enrolment),
                Err(fault) => reading.problems.push(fault.problem(number)),
            }
        }
        match reading.problems {
            problems if !problems.is_empty() => Err(problems),
            _ if reading.places.is_empty() => Err(vec![fault::no_lines()]),
            _ => Ok(Self(reading.enrolments)),
        }
    }

    /// The second factor of that user (in NFC); `None` for who has none.
    #[must_use]
    pub fn of(&self, user: &str) -> Option<&Enrolment> {
        self.0.get(user)
    }

    /// The user-ids of all who have one.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(user, _)| user.as_str())
    }
}

/// What is gathered while the lines are read.
#[derive(Default)]
struct Reading {
    enrolments: SortedMap<String, Enrolment>,
    /// The line in which each user-id stands.
    places: SortedMap<String, u32>,
    problems: Vec<Problem>,
}

impl Reading {
    fn take(&mut self, number: u32, enrolment: Enrolment) {
        let user = enrolment.user();
        if let Some(first) = self.places.get(user) {
            self.problems.push(Fault::UserAgain(user, *first).problem(number));
            return;
        }
        self.places.insert(user.to_owned(), number);
        self.enrolments.insert(user.to_owned(), enrolment);
    }
}

#[cfg(test)]
mod tests;
