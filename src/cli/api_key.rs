//! `edgeward api-key`: a key for a program, and the line that the gate knows it by; or what is known of a key.

mod check;
mod make;

use super::Which;
use super::output::Misuse;
use super::secrets::{Secrets, sentences};
use clap::Args;
use edgeward::api_key::{ApiKey, ApiKeys};
use edgeward::secret::Secret;
use std::path::{Path, PathBuf};

/// The secret that holds lines of keys.
const SECRET: &str = "EDGEWARD_API_KEYS";

const AFTER: &str = "\
A key is ew_, 256 random bits and a checksum, 52 letters and digits. The line holds its SHA-256, so that nobody who \
reads the list has a key. The client sends the key in X-API-Key, or in the field that api_key.header names.

Where the lines go:
  some dozens   the secret EDGEWARD_API_KEYS, 5 KB in all:
                npx wrangler secret put EDGEWARD_API_KEYS < api-keys.txt
  thousands     the value api-keys of EDGEWARD_KV, read anew every 30 s; a request costs the same:
                npx wrangler kv key put --remote --binding EDGEWARD_KV api-keys --path api-keys.txt
One bad line makes the whole list unreadable: names and keys stand in it once. A key that was made elsewhere can stay: \
its line is NAME:SHA-256, as from printf %s \"$KEY\" | sha256sum (not echo, which adds a line end).

--check reads a key from standard input or asks for it, never from an argument, and does not show it. Exit status: 0 \
where a list here knows it, 1 where none does or none is here.

Examples:
  edgeward api-key ci                          the line on standard output, the key on standard error
  edgeward api-key ci --scopes deploy,files:read --list api-keys.txt >> api-keys.txt
  pbpaste | edgeward api-key --check
  edgeward api-key --check --list api-keys.txt --json < key.txt";

/// An API key and the line that the gate knows it by; with --check, what is known of a key
#[derive(Args)]
#[command(after_help = AFTER)]
pub struct ApiKeyCommand {
    /// Who will send it: the origin is told key:NAME, and rules name it in api_keys
    #[arg(required_unless_present = "check", conflicts_with = "check")]
    name: Option<String>,

    /// Its scopes, with commas between them
    #[arg(long, value_name = "SCOPES", value_delimiter = ',', conflicts_with = "check")]
    scopes: Vec<String>,

    /// Read a key, and say whether it has our form, and whether it is known
    #[arg(long)]
    check: bool,

    /// A file of lines to look in besides EDGEWARD_API_KEYS, such as that of the value in EDGEWARD_KV
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,

    #[command(flatten)]
    which: Which,
}

impl ApiKeyCommand {
    /// Makes a key, or looks at one.
    pub fn run(self) -> super::Result {
        match &self.name {
            Some(name) => make::run(name, &self.scopes, &self.lists()?),
            None => check::run(|| self.lists()),
        }
    }

    fn lists(&self) -> Result<Lists, Misuse> {
        let mut lists = in_secret(&self.which)?;
        if let Some(file) = &self.list {
            let place = file.display().to_string();
            lists.add(&text_of(file)?, &place, place.clone())?;
        }
        Ok(lists)
    }
}

/// What is known of a key by the secret that is here.
pub fn known(key: &Secret<String>, which: &Which) -> super::Result {
    Ok(check::known(key, &in_secret(which)?))
}

/// The list in `EDGEWARD_API_KEYS`.
fn in_secret(which: &Which) -> Result<Lists, Misuse> {
    let secrets = Secrets::read(&which.from, super::wrangler::folder_of(&which.config))?;
    let mut lists = Lists { lists: Vec::new(), secret_octets: 0, absent: None };
    match secrets.get(SECRET) {
        Some(found) => {
            lists.secret_octets = found.value.expose().len();
            lists.add(&found.value, SECRET, format!("{SECRET} ({})", found.from))?;
        }
        None => {
            lists.absent = Some(format!("{SECRET} is not here (looked in {})", secrets.searched()));
        }
    }
    Ok(lists)
}

/// The lists that are here.
struct Lists {
    lists: Vec<(ApiKeys, String)>,
    /// What `EDGEWARD_API_KEYS` takes up.
    secret_octets: usize,
    /// A sentence's beginning where it is not here.
    absent: Option<String>,
}

impl Lists {
    /// Adds one, unless nothing is in it yet. `place`: where it is, in words.
    fn add(&mut self, text: &Secret<String>, source: &str, place: String) -> Result<(), Misuse> {
        if text.expose().trim().is_empty() {
            return Ok(());
        }
        let keys =
            ApiKeys::parse(text.expose(), source).map_err(|problems| Misuse::new(sentences(&problems)))?;
        self.lists.push((keys, place));
        Ok(())
    }

    /// The first key that is found, and where.
    fn first<'l>(
        &'l self,
        find: impl Fn(&'l ApiKeys) -> Option<ApiKey<'l>>,
    ) -> Option<(ApiKey<'l>, &'l str)> {
        self.lists.iter().find_map(|(keys, place)| Some((find(keys)?, place.as_str())))
    }

    /// Where was looked, in words.
    fn places(&self) -> String {
        self.lists.iter().map(|(_, place)| place.as_str()).collect::<Vec<_>>().join(" and ")
    }
}

fn text_of(file: &Path) -> Result<Secret<String>, Misuse> {
    std::fs::read_to_string(file)
        .map(Secret::new)
        .map_err(|error| Misuse::new(format!("{} cannot be read: {error}.", file.display())))
}
