//! `edgeward totp reseal`: the lines that are there, sealed anew, so that an old secret can go.

use super::SECRET;
use crate::cli::output::{Misuse, Outcome};
use crate::cli::secrets::{Secrets, sentences};
use crate::cli::wrangler::folder_of;
use crate::cli::{Which, nfc, random};
use clap::Args;
use edgeward::token::mac::RootSecret;
use edgeward::totp::{Made, TotpSecrets};
use serde_json::json;

const AFTER: &str = "\
A line holds as long as the value of EDGEWARD_SECRET that it was sealed with stands there. When that rotates, the new value \
is put before the old one: seal the lines anew then, store them, and take the old value out. Apps, recovery codes and what \
was counted stay as they are.

Example:
  edgeward totp reseal --secrets .dev.vars.production > totp.txt
                                               then: npx wrangler secret put EDGEWARD_TOTP < totp.txt";

/// The lines of EDGEWARD_TOTP, sealed with the first value of EDGEWARD_SECRET
#[derive(Args)]
#[command(after_help = AFTER)]
pub struct Reseal {
    #[command(flatten)]
    which: Which,
}

impl Reseal {
    /// Reads the lines as the gate does, and writes them; notes and blank lines stay where they are.
    pub fn run(self) -> crate::cli::Result {
        let secrets = Secrets::read(&self.which.from, folder_of(&self.which.config))?;
        let root = secrets.root()?;
        let text = secrets.value(SECRET).ok_or_else(|| secrets.absent(SECRET))?;
        let read = TotpSecrets::parse(text.expose(), &root, nfc);
        let users = read.map_err(|problems| Misuse::new(sentences(&problems)))?;
        let users: Vec<&str> = users.users().collect();
        let lines = text.expose().trim_start_matches('\u{feff}').lines();
        let lines = lines.map(|line| resealed(line, &root)).collect::<Result<Vec<_>, _>>()?;
        let text = format!("{}\n", lines.join("\n"));
        Ok(Outcome::yes(text, json!({ "users": users, "lines": lines })))
    }
}

fn resealed(line: &str, root: &RootSecret) -> Result<String, Misuse> {
    match Made::of_line(line.trim_ascii_end(), root, nfc) {
        Some(made) => made
            .line(root, random::octets()?)
            .ok_or_else(|| Misuse::new("A line cannot be sealed: this is a defect of Edgeward.")),
        None => Ok(line.to_owned()),
    }
}
