//! `edgeward totp`: second factors for those who sign in.

mod enroll;
mod known;
mod qr;
mod reseal;
mod shown;

use clap::Subcommand;

/// Second factors: what an authenticator app scans, and the line of EDGEWARD_TOTP
#[derive(Subcommand)]
pub enum Totp {
    Enroll(enroll::Enroll),
    Reseal(reseal::Reseal),
}

impl Totp {
    /// Runs it. `as_json`: a program reads the answer.
    pub fn run(self, as_json: bool) -> super::Result {
        match self {
            Self::Enroll(command) => command.run(as_json),
            Self::Reseal(command) => command.run(),
        }
    }
}

/// The secret that holds the lines.
const SECRET: &str = "EDGEWARD_TOTP";
