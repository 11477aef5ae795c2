//! `edgeward totp enroll`: a second factor, what the app scans, and the line to store.

use super::known;
use super::qr::Style;
use super::shown::Shown;
use crate::cli::hash::as_sent;
use crate::cli::output::{Misuse, Outcome, say};
use crate::cli::secrets::{Secrets, sentences};
use crate::cli::wrangler::{Wrangler, folder_of};
use crate::cli::{Which, clock, input, nfc, random};
use clap::{Args, ValueEnum};
use edgeward::secret::Secret;
use edgeward::token::mac::RootSecret;
use edgeward::totp::{Digits, Hash, Made, TotpSecrets};
use serde_json::Value;
use std::io::IsTerminal as _;

/// What apps show where nothing names the site.
const NO_NAME: &str = "Edgeward";

/// Characters of a name that apps show.
const LONGEST_NAME: usize = 64;

/// How often a code may be typed.
const TRIES: usize = 3;

const AFTER: &str = "\
The line goes to standard output; the QR code, the same as text, and ten recovery codes go to standard error, once. The \
line holds the secret sealed with EDGEWARD_SECRET: who reads it learns no code, and it holds as long as the secret \
it was made with stands in EDGEWARD_SECRET.

Which algorithm? SHA-1 and 6 digits, the default, are what authenticator apps support. Several take no notice of another \
algorithm and show codes that are wrong, without a word. What weakens SHA-1 does not weaken HMAC with it (RFC 4226 \
section B.2). --confirm asks for a code before the line is printed, and so tells whether the app has understood.

Where the line goes: into the secret EDGEWARD_TOTP, one line for each user. A user who has lost app and recovery codes gets \
another line in place of the old one.

Examples:
  edgeward totp enroll ann >> totp.txt         then: npx wrangler secret put EDGEWARD_TOTP < totp.txt
  edgeward totp enroll ann --issuer 'Acme staging' --confirm
  edgeward totp enroll ann --json              for a program that shows the QR code itself";

/// A second factor (TOTP, RFC 6238): a QR code for the user's app, recovery codes, and the line to store
#[derive(Args)]
#[command(after_help = AFTER)]
pub struct Enroll {
    /// The user-id, as it stands in EDGEWARD_USERS
    user: String,

    /// The hash under the HMAC
    #[arg(long, value_enum, default_value = "sha1")]
    algorithm: Algorithm,

    /// How many digits a code has
    #[arg(long, value_enum, default_value = "6")]
    digits: Count,

    /// What the app calls this site [default: brand.name of the policy, or its realm]
    #[arg(long, value_name = "NAME")]
    issuer: Option<String>,

    /// Ask for a code of the app, and print the line once it is right
    #[arg(long)]
    confirm: bool,

    /// Draw no QR code; what it says stands below it anyhow
    #[arg(long)]
    no_qr: bool,

    /// Draw the QR code for a terminal that writes dark on light and shows no colours
    #[arg(long, conflicts_with = "no_qr")]
    invert: bool,

    #[command(flatten)]
    which: Which,
}

#[derive(Clone, Copy, ValueEnum)]
enum Algorithm {
    Sha1,
    Sha256,
    Sha512,
}

#[derive(Clone, Copy, ValueEnum)]
enum Count {
    #[value(name = "6")]
    Six,
    #[value(name = "8")]
    Eight,
}

impl Enroll {
    /// Makes it, shows it, and reads its line as the gate does.
    pub fn run(self, as_json: bool) -> crate::cli::Result {
        // No password is asked for, but the user-id has to be one that can be sent.
        let user = as_sent(&self.user, &Secret::new("-".to_owned()))?.user;
        let issuer = self.issuer()?;
        let secrets = Secrets::read(&self.which.from, folder_of(&self.which.config))?;
        let root = secrets.root()?;
        let (hash, digits) = (self.hash(), self.digits());
        let made = made(&user, hash, digits)?;
        let line = sealed(&made, &root)?;
        let shown = Shown { user: &user, issuer: &issuer, hash, digits, made: &made, line: &line };
        if !as_json {
            shown.to_people(self.style()).iter().for_each(|line| say(line));
        }
        if self.confirm {
            confirmed(&made)?;
        }
        let notes = known::notes(&user, &line, &secrets, &root);
        Ok(Outcome { notes, ..Outcome::yes(format!("{line}\n"), shown.to_json()) })
    }

    const fn hash(&self) -> Hash {
        match self.algorithm {
            Algorithm::Sha1 => Hash::Sha1,
            Algorithm::Sha256 => Hash::Sha256,
            Algorithm::Sha512 => Hash::Sha512,
        }
    }

    const fn digits(&self) -> Digits {
        match self.digits {
            Count::Six => Digits::Six,
            Count::Eight => Digits::Eight,
        }
    }

    /// What was asked for, or what the policy calls the site.
    fn issuer(&self) -> Result<String, Misuse> {
        let Some(issuer) = &self.issuer else {
            return Ok(self.site().unwrap_or_else(|| NO_NAME.to_owned()));
        };
        // A colon ends the issuer in what apps read.
        if issuer.trim().is_empty() || issuer.contains(':') || issuer.chars().any(char::is_control) {
            return Err(Misuse::new("An issuer is a name without colons and control characters."));
        }
        if issuer.chars().count() > LONGEST_NAME {
            return Err(Misuse::new(format!("An issuer has {LONGEST_NAME} characters at most.")));
        }
        Ok(issuer.clone())
    }

    fn site(&self) -> Option<String> {
        let wrangler = Wrangler::read(&self.which.config, self.which.from.env.as_deref()).ok()?;
        let policy: Value = serde_json::from_str(&wrangler.policy()?).ok()?;
        let brand = policy.get("brand").and_then(|brand| brand.get("name"));
        let name = brand.or_else(|| policy.get("realm"))?.as_str()?;
        let fits = |c: char| !c.is_control() && c != ':';
        let name: String = name.chars().filter(|c| fits(*c)).take(LONGEST_NAME).collect();
        (!name.trim().is_empty()).then_some(name)
    }

    /// `None` where none is to be drawn. Colours are for a terminal alone.
    fn style(&self) -> Option<Style> {
        let colored = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        (!self.no_qr).then_some(Style { colored, invert: self.invert })
    }
}

fn made(user: &str, hash: Hash, digits: Digits) -> Result<Made, Misuse> {
    let (secret, seed) = (Secret::new(random::octets::<64>()?), Secret::new(random::octets::<16>()?));
    let secret = secret.expose().get(..hash.secret_size()).unwrap_or_default();
    Made::new(user, hash, digits, secret, seed.expose())
        .ok_or_else(|| Misuse::new("The system's random generator gives too little."))
}

/// The line; the gate's own reader has the last word.
fn sealed(made: &Made, root: &RootSecret) -> Result<String, Misuse> {
    let meant = made.enrolment();
    let line = made.line(root, random::octets()?).unwrap_or_default();
    let read = TotpSecrets::parse(&line, root, nfc).map_err(|problems| Misuse::new(sentences(&problems)))?;
    if read.of(meant.user()).is_some_and(|it| it.name() == meant.name()) {
        return Ok(line);
    }
    Err(Misuse::new("The line would not be read as it is meant."))
}

/// Asks for what the app shows, a few times.
fn confirmed(made: &Made) -> Result<(), Misuse> {
    for _ in 0..TRIES {
        let typed = input::ask("The code that the app shows now:")?;
        if typed.trim().is_empty() {
            break;
        }
        if made.enrolment().matches(&typed, clock::now()).is_some() {
            return Ok(());
        }
        say(
            "That is not it. Apps show other codes for an algorithm they do not know, and where a clock is wrong.",
        );
    }
    Err(Misuse::new(
        "No code was right, so no line was printed: nothing that is shown above is good for anything.",
    ))
}
