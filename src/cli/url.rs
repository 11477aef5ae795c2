//! `edgeward url`: share links made, and signed URLs of every format taken apart.

mod advice;
mod candidate;
mod otherwise;
mod report;
mod sign;
mod verify;
mod words;

use clap::Subcommand;

/// Signed URLs: share links made, and links of every format taken apart
#[derive(Subcommand)]
pub enum Url {
    Sign(sign::Sign),
    Verify(verify::Verify),
}

impl Url {
    /// Runs the one that was named.
    pub fn run(self) -> super::Result {
        match self {
            Self::Sign(command) => command.run(),
            Self::Verify(command) => command.run(),
        }
    }
}
