//! `edgeward token`: tokens made, taken apart, and verified as the gate does; and what else may be taken for one.

pub(super) mod advice;
mod given;
mod inspect;
mod mint;
mod ours;
mod pair;
mod verify;

use super::clock;
use clap::{Args, Subcommand};
use edgeward::policy::{TokenEntry, TokenPlace};
use edgeward::time::UnixTime;

/// Tokens (JWT) made; tokens, API keys and passwords taken apart and verified
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
