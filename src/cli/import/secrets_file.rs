//! What secrets the policy needs, and the file that they are written to on request.

use super::draft::{Draft, Key};
use crate::cli::check::LONGEST_VARIABLE;
use crate::cli::dotenv;
use crate::cli::output::Misuse;
use edgeward::secret::Secret;
use edgeward::token::to_base64url;
use serde_json::json;
use std::io::Write as _;
use std::path::Path;

/// `EDGEWARD_USERS`, `_2` … `_9`.
const MOST_VARIABLES: usize = 9;

/// The secrets of a draft.
pub struct Secrets {
    accounts: super::accounts::Accounts,
    keys: Vec<Key>,
}

impl Secrets {
    /// Takes them out of the draft.
    pub fn of(draft: &mut Draft) -> Self {
        draft.needs_users |= !draft.accounts.is_empty();
        Self { accounts: std::mem::take(&mut draft.accounts), keys: std::mem::take(&mut draft.keys) }
    }

    /// How many accounts there are.
    pub fn accounts(&self) -> usize {
        self.accounts.len()
    }

    /// Whose hash could not be carried over.
    pub fn lost(&self) -> &[String] {
        &self.accounts.lost
    }

    /// The ids of the keys.
    pub fn kids(&self) -> Vec<&str> {
        self.keys.iter().map(|key| key.kid.as_str()).collect()
    }

    /// Writes them to a new file that only its owner reads; whether there was anything to write.
    pub fn write(&self, file: &Path) -> Result<bool, Misuse> {
        // Before the hashing, which takes its time.
        if file.symlink_metadata().is_ok() {
            return Err(Misuse::new(format!(
                "{} is there already, and nothing is overwritten: name a new file with --secrets-out.",
                file.display()
            )));
        }
        let text = self.lines()?;
        if text.expose().is_empty() {
            return Ok(false);
        }
        let cannot = |error| Misuse::new(format!("{} cannot be written: {error}.", file.display()));
        let mut out = new_file(file).map_err(cannot)?;
        out.write_all(text.expose().as_bytes()).map_err(cannot)?;
        Ok(true)
    }

    /// Lines of `.dev.vars`.
    fn lines(&self) -> Result<Secret<String>, Misuse> {
        let mut text = String::new();
        for (name, value) in self.users()? {
            text.push_str(&dotenv::line(&name, value.expose()));
        }
        if !self.keys.is_empty() {
            text.push_str(&dotenv::line("EDGEWARD_KEYS", self.key_set().expose()));
        }
        Ok(Secret::new(text))
    }

    /// The lines of accounts, in as many variables as Cloudflare's limit makes of them.
    fn users(&self) -> Result<Vec<(String, Secret<String>)>, Misuse> {
        let mut values: Vec<String> = Vec::new();
        for line in self.accounts.lines()? {
            match values.last_mut().filter(|it| it.len() + 1 + line.expose().len() <= LONGEST_VARIABLE) {
                Some(value) => {
                    value.push('\n');
                    value.push_str(line.expose());
                }
                None => values.push(line.expose().clone()),
            }
        }
        if values.len() > MOST_VARIABLES {
            let sentence = "There are more accounts than EDGEWARD_USERS to EDGEWARD_USERS_9 hold, 5 KB each.";
            return Err(Misuse::new(sentence));
        }
        let name = |number| if number == 1 { String::new() } else { format!("_{number}") };
        Ok(values
            .into_iter()
            .zip(1..)
            .map(|(value, number)| (format!("EDGEWARD_USERS{}", name(number)), Secret::new(value)))
            .collect())
    }

    fn key_set(&self) -> Secret<String> {
        let keys: Vec<_> = self
            .keys
            .iter()
            .map(|key| {
                let k = to_base64url(key.secret.expose().as_bytes());
                json!({ "kty": "oct", "kid": key.kid, "alg": key.algorithm.name(), "k": k })
            })
            .collect();
        Secret::new(json!({ "keys": keys }).to_string())
    }
}

fn new_file(file: &Path) -> std::io::Result<std::fs::File> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}
