//! `edgeward totp`: second factors for those who sign in.

mod enroll;
mod known;
mod qr;
mod shown;

use clap::Subcommand;

/// Second factors: what an authenticator app scans, and the line of EDGEWARD_TOTP
#[derive(Subcommand)]
pub enum Totp {
    Enroll(enroll::Enroll),
}

impl Totp {
    /// Runs it. `as_json`: a program reads the answer.
    pub fn run(self, as_json: bool) -> super::Result {
        match self {
            Self::Enroll(command) => command.run(as_json),
        }
    }
}

/// The secret that holds the lines.
const SECRET: &str = "EDGEWARD_TOTP";
