//! `edgeward key`: keys for others, and keys of others.

mod assertion;
mod import;
pub(super) mod jwks;
mod vendor;

pub use assertion::serialised;
use clap::Subcommand;

/// Keys for others, and keys of others
#[derive(Subcommand)]
pub enum Key {
    Assertion(assertion::Assertion),
    Import(import::Import),
}

impl Key {
    /// Runs the one that was named.
    pub fn run(self) -> super::Result {
        match self {
            Self::Assertion(command) => command.run(),
            Self::Import(command) => command.run(),
        }
    }
}
