//! The command: each subcommand is a thin face on a function of the core.
//!
//! 1. Secrets come from the environment, from `.dev.vars` or from standard input, never from arguments: those stand in
//!    the shell's history and in every list of processes.
//! 2. What was asked for goes to standard output, words about it to standard error. A reader that goes away is no error.
//! 3. The exit status is 0, 1 for "no", 2 for misuse.

mod api_key;
mod check;
mod clock;
mod deployment;
mod dotenv;
mod explain;
mod hash;
mod import;
mod input;
mod key;
mod keygen;
mod output;
mod random;
mod revoke;
mod secrets;
mod stand_in;
mod token;
mod totp;
mod url;
mod wrangler;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, Parser, Subcommand};
use output::Outcome;
use std::path::PathBuf;
use std::process::ExitCode;
use unicode_normalization::UnicodeNormalization as _;

const AFTER: &str = "\
Where secrets are read from:
  1. the file named by --secrets (- for standard input), lines of NAME='value'
  2. the environment: EDGEWARD_SECRET, EDGEWARD_KEYS, EDGEWARD_USERS, ...
  3. without --secrets: .dev.vars beside wrangler.toml (.dev.vars.NAME with --env NAME), as wrangler reads it
Never from arguments: those stay in the shell's history and show in lists of processes.

Exit status: 0, 1 for \"no\", 2 for misuse.

Examples:
  edgeward keygen > .dev.vars                  secrets for your machine
  edgeward keygen --json | npx wrangler secret bulk
                                               fresh ones, straight to Cloudflare
  edgeward hash ann --groups editors           an account, its password asked for
  edgeward api-key ci --scopes deploy          a key for a program, and the line to store
  edgeward totp enroll ann                     a second factor, its QR code and recovery codes
  edgeward check --env production --strict     before each deploy
  edgeward explain --url https://example.com/admin/
                                               who may go there, and why not you";

/// The doorkeeper at the edge: keys, accounts and tokens for Edgeward, and what its policy says
#[derive(Parser)]
#[command(name = "edgeward", version, after_help = AFTER, arg_required_else_help = true)]
struct Cli {
    /// Print one JSON value instead of words
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Keygen(keygen::Keygen),
    Hash(hash::Hash),
    #[command(subcommand)]
    Token(token::Token),
    #[command(subcommand)]
    Url(url::Url),
    #[command(subcommand)]
    Key(key::Key),
    ApiKey(api_key::ApiKeyCommand),
    #[command(subcommand)]
    Totp(totp::Totp),
    #[command(subcommand)]
    Revoke(revoke::Revoke),
    Check(check::Check),
    Explain(explain::Explain),
    Import(import::Import),
}

/// Which deployment is meant.
#[derive(Args)]
struct Which {
    /// The Worker's configuration
    #[arg(long, value_name = "FILE", default_value = "wrangler.toml")]
    config: PathBuf,

    #[command(flatten)]
    from: From,
}

/// Where the environment and its secrets are.
#[derive(Args)]
struct From {
    /// An environment of the configuration ([env.NAME]), and .dev.vars.NAME
    #[arg(long, value_name = "NAME")]
    env: Option<String>,

    /// Lines of NAME='value' to read secrets from, in place of .dev.vars; - for standard input
    #[arg(long, value_name = "FILE")]
    secrets: Option<PathBuf>,
}

/// Runs the command that the arguments name.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if is_secret_argument(&error) => {
            return output::finish(Err(output::Misuse::new(NO_ARGUMENT)), false);
        }
        Err(error) => error.exit(),
    };
    let outcome = match cli.command {
        Command::Keygen(command) => command.run(),
        Command::Hash(command) => command.run(),
        Command::Token(command) => command.run(),
        Command::Url(command) => command.run(),
        Command::Key(command) => command.run(),
        Command::ApiKey(command) => command.run(),
        Command::Totp(command) => command.run(cli.json),
        Command::Revoke(command) => command.run(),
        Command::Check(command) => command.run(),
        Command::Explain(command) => command.run(),
        Command::Import(command) => command.run(),
    };
    output::finish(outcome, cli.json)
}

const NO_ARGUMENT: &str = "Keys, passwords, tokens and links are asked for, or read from standard input (\"< FILE\"), and never \
from an argument: what you have just written stays in the shell's history.";

/// Whether what should have come by standard input was written behind a command that reads it. Nothing of it is shown.
fn is_secret_argument(error: &clap::Error) -> bool {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.as_str(),
        _ => "",
    };
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).take(2).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let reads = [["url", "verify"], ["key", "import"], ["token", "inspect"], ["token", "verify"]];
    match error.kind() {
        ErrorKind::UnknownArgument => {
            !context(ContextKind::InvalidArg).starts_with('-') && reads.iter().any(|it| words == it)
        }
        ErrorKind::ArgumentConflict => words.iter().any(|word| word.starts_with("ew_")),
        _ => false,
    }
}

/// What a subcommand comes to, or why it could not begin.
type Result<T = Outcome> = std::result::Result<T, output::Misuse>;

/// Normalization Form C (UAX #15); the Worker asks the platform for it.
fn nfc(text: &str) -> String {
    text.nfc().collect()
}
