//! The secrets that are here: of a file that was named, of the environment, of `.dev.vars`.

use super::output::Misuse;
use super::{From, dotenv, input};
use edgeward::secret::Secret;
use edgeward::token::mac::RootSecret;
use std::collections::BTreeMap;
use std::path::Path;

/// The names of all secrets that this version reads.
pub const NAMES: [&str; 14] = [
    "EDGEWARD_SECRET",
    "EDGEWARD_KEYS",
    "EDGEWARD_USERS",
    "EDGEWARD_USERS_2",
    "EDGEWARD_USERS_3",
    "EDGEWARD_USERS_4",
    "EDGEWARD_USERS_5",
    "EDGEWARD_USERS_6",
    "EDGEWARD_USERS_7",
    "EDGEWARD_USERS_8",
    "EDGEWARD_USERS_9",
    "EDGEWARD_API_KEYS",
    "EDGEWARD_TOTP",
    "EDGEWARD_ORIGIN_AUTHORIZATION",
];

/// What the command itself reads: no secret of the Worker's.
const OTHERS: [&str; 1] = ["EDGEWARD_TOKEN"];

/// Secrets by name.
pub struct Secrets {
    values: BTreeMap<&'static str, Found>,
    /// Where was looked, in words.
    searched: String,
    /// Names of ours that this version does not read, and where they stand.
    unknown: Vec<(String, String)>,
}

/// A secret, and where it was found.
pub struct Found {
    /// Its value.
    pub value: Secret<String>,
    /// `the environment`, `.dev.vars`.
    pub from: String,
}

impl Secrets {
    /// Gathers them. `folder`: where `wrangler.toml` is.
    pub fn read(from: &From, folder: &Path) -> Result<Self, Misuse> {
        let mut secrets = Self { values: BTreeMap::new(), searched: String::new(), unknown: Vec::new() };
        if let Some(file) = &from.secrets {
            let (text, name) = named(file)?;
            secrets.take_lines(&text, &name);
            secrets.take_environment();
            // What .dev.vars holds is for this machine: a deployment that lacks it must not look complete.
            secrets.searched = format!("{} and the environment", file.display());
            return Ok(secrets);
        }
        secrets.take_environment();
        let file = dev_vars(folder, from.env.as_deref());
        if let Some((text, name)) = &file {
            secrets.take_lines(text, name);
        }
        let fallback = || from.env.as_ref().map_or(".dev.vars".to_owned(), |env| format!(".dev.vars.{env}"));
        let file = file.map_or_else(|| format!("{} (which is not there)", fallback()), |(_, name)| name);
        secrets.searched = format!("the environment and {file}");
        Ok(secrets)
    }

    /// The secret of that name, where it is here.
    pub fn get(&self, name: &str) -> Option<&Found> {
        self.values.get(name)
    }

    /// Its value.
    pub fn value(&self, name: &str) -> Option<Secret<String>> {
        self.get(name).map(|found| found.value.clone())
    }

    /// All that are here.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Found)> {
        self.values.iter().map(|(name, found)| (*name, found))
    }

    /// Names that look like ours and are none, often misspelt, and where they stand.
    pub fn unknown(&self) -> &[(String, String)] {
        &self.unknown
    }

    /// Where was looked.
    pub fn searched(&self) -> &str {
        &self.searched
    }

    /// Adds one, unless it is here already.
    pub fn take(&mut self, name: &str, value: Secret<String>, from: &str) {
        if let Some(known) = NAMES.into_iter().find(|known| *known == name) {
            self.values.entry(known).or_insert_with(|| Found { value, from: from.to_owned() });
        }
    }

    /// `EDGEWARD_SECRET`, for a command that cannot do without it.
    pub fn root(&self) -> Result<RootSecret, Misuse> {
        let found = self.get("EDGEWARD_SECRET").ok_or_else(|| self.absent("EDGEWARD_SECRET"))?;
        RootSecret::parse(found.value.expose()).map_err(|problems| Misuse::new(sentences(&problems)))
    }

    /// What to say where a secret is not here.
    pub fn absent(&self, name: &str) -> Misuse {
        Misuse::new(format!(
            "{name} is not here: looked in {}. Secrets at Cloudflare cannot be read back; set {name} in the \
             environment, or give a file with --secrets FILE (- for standard input).",
            self.searched
        ))
    }

    fn take_lines(&mut self, text: &Secret<String>, from: &str) {
        for (name, value) in dotenv::parse(text.expose()) {
            if name.starts_with("EDGEWARD_")
                && !OTHERS.contains(&name.as_str())
                && !NAMES.contains(&name.as_str())
            {
                self.unknown.push((name, from.to_owned()));
            } else {
                self.take(&name, value, from);
            }
        }
    }

    fn take_environment(&mut self) {
        for name in NAMES {
            if let Ok(value) = std::env::var(name) {
                self.take(name, Secret::new(value), "the environment");
            }
        }
    }
}

/// Problems as one text.
pub fn sentences(problems: &[edgeward::config::Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The file that `--secrets` names.
fn named(file: &Path) -> Result<(Secret<String>, String), Misuse> {
    if file == Path::new("-") {
        return Ok((input::all()?, "standard input".to_owned()));
    }
    let text = std::fs::read_to_string(file)
        .map_err(|error| Misuse::new(format!("{} cannot be read: {error}.", file.display())))?;
    Ok((Secret::new(text), file.display().to_string()))
}

/// `.dev.vars.NAME`, or else `.dev.vars`: one of them, as wrangler does.
fn dev_vars(folder: &Path, env: Option<&str>) -> Option<(Secret<String>, String)> {
    let of_env = env.map(|env| format!(".dev.vars.{env}"));
    of_env.into_iter().chain([".dev.vars".to_owned()]).find_map(|name| {
        let text = std::fs::read_to_string(folder.join(&name)).ok()?;
        Some((Secret::new(text), name))
    })
}
