//! `edgeward token`: tokens made, taken apart, and verified as the gate does.

pub(super) mod advice;
mod inspect;
mod mint;
mod verify;

use super::output::Misuse;
use super::{clock, input};
use clap::{Args, Subcommand};
use edgeward::policy::{TokenEntry, TokenPlace};
use edgeward::secret::Secret;
use edgeward::time::UnixTime;

/// Tokens (JWT): made, taken apart, verified
#[derive(Subcommand)]
pub enum Token {
    Mint(mint::Mint),
    Inspect(inspect::Inspect),
    Verify(verify::Verify),
}

impl Token {
    /// Runs the one that was named.
    pub fn run(self) -> super::Result {
        match self {
            Self::Mint(command) => command.run(),
            Self::Inspect(command) => command.run(),
            Self::Verify(command) => command.run(),
        }
    }
}

/// When and where the token would be shown.
#[derive(Args)]
struct Shown {
    /// The moment to decide at [default: now]
    #[arg(long, value_name = "RFC3339", value_parser = clock::moment)]
    at: Option<UnixTime>,

    /// The place it is found in: authorization, cookie:NAME, query:NAME or header:NAME [default: the first that the
    /// policy looks in]
    #[arg(long, value_name = "PLACE", value_parser = place)]
    from: Option<TokenPlace>,
}

impl Shown {
    /// The place that was asked for, or the first of the policy's.
    fn place(&self, entries: &[TokenEntry]) -> TokenPlace {
        let first = || entries.iter().flat_map(|entry| &entry.from).next().cloned();
        self.from.clone().or_else(first).unwrap_or(TokenPlace::Authorization)
    }
}

fn place(text: &str) -> Result<TokenPlace, String> {
    match text.split_once(':') {
        None if text == "authorization" => Ok(TokenPlace::Authorization),
        Some(("cookie", name)) if !name.is_empty() => Ok(TokenPlace::Cookie(name.to_owned())),
        Some(("query", name)) if !name.is_empty() => Ok(TokenPlace::Query(name.to_owned())),
        Some(("header", name)) if !name.is_empty() => Ok(TokenPlace::Header(name.to_ascii_lowercase())),
        Some(_) | None => Err("write authorization, cookie:NAME, query:NAME or header:NAME".to_owned()),
    }
}

/// The token: `EDGEWARD_TOKEN`, or standard input. A whole field value is taken too.
fn read_token() -> Result<Secret<String>, Misuse> {
    let text = match std::env::var("EDGEWARD_TOKEN") {
        Ok(text) => Secret::new(text),
        Err(_) if input::is_terminal() => input::ask_secret("Token: ")?,
        Err(_) => input::all()?,
    };
    let token = text.expose().trim();
    let token = match token.get(..7) {
        Some(scheme) if scheme.eq_ignore_ascii_case("bearer ") => token.get(7..).unwrap_or_default().trim(),
        Some(_) | None => token,
    };
    if token.is_empty() {
        return Err(Misuse::new("No token: set EDGEWARD_TOKEN, or write it to standard input."));
    }
    Ok(Secret::new(token.to_owned()))
}
