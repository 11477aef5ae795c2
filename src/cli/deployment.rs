//! A deployment as far as it is here: the configuration, the secrets, and what the core makes of both.

use super::output::Misuse;
use super::secrets::Secrets;
use super::stand_in::{self, StandIn};
use super::wrangler::{Wrangler, folder_of};
use super::{From, Which, nfc};
use edgeward::config::{Config, Problem};
use std::path::Path;

/// What would stand at the edge.
pub struct Deployment {
    /// `wrangler.toml`; `None` where there is none.
    pub wrangler: Option<Wrangler>,
    /// The secrets that are here.
    pub secrets: Secrets,
    /// Those that are not, and are needed.
    pub stand_ins: Vec<StandIn>,
    /// What the core makes of it.
    pub config: Config,
}

impl Deployment {
    /// Reads a configuration that must be there.
    pub fn read(file: &Path, from: &From) -> Result<Self, Misuse> {
        Self::of(Some(Wrangler::read(file, from.env.as_deref())?), file, from)
    }

    /// Reads what is there: without a configuration, a policy of nothing but defaults.
    pub fn find(which: &Which) -> Result<Self, Misuse> {
        let is_default = which.config == Path::new("wrangler.toml") && which.from.env.is_none();
        if is_default && !which.config.exists() {
            return Self::of(None, &which.config, &which.from);
        }
        Self::read(&which.config, &which.from)
    }

    fn of(wrangler: Option<Wrangler>, file: &Path, from: &From) -> Result<Self, Misuse> {
        let mut secrets = Secrets::read(from, folder_of(file))?;
        for name in super::secrets::NAMES {
            // The Worker would read it there. That it may not stand there is for `check` to say.
            if let Some(text) = wrangler.as_ref().and_then(|it| it.var(name)).and_then(toml::Value::as_str) {
                secrets.take(name, edgeward::secret::Secret::new(text.to_owned()), "wrangler.toml");
            }
        }
        let (sources, stand_ins) = stand_in::sources(wrangler.as_ref(), &secrets)?;
        let config = Config::parse(&sources, nfc);
        Ok(Self { wrangler, secrets, stand_ins, config })
    }

    /// The core's problems, but for those of stand-ins.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.config.problems.iter().filter(|problem| self.is_real(problem))
    }

    /// The core's warnings, but for those of stand-ins.
    pub fn warnings(&self) -> impl Iterator<Item = &Problem> {
        self.config.warnings.iter().filter(|problem| self.is_real(problem))
    }

    /// Whether that secret is stood in for.
    pub fn is_stood_in(&self, name: &str) -> bool {
        self.stand_ins.iter().any(|stand_in| stand_in.name == name)
    }

    /// What could not be looked at, a sentence for each secret.
    pub fn not_checked(&self) -> Vec<String> {
        let sentence = |it: &StandIn| {
            if it.is_here {
                return format!("not checked: {}, as {}, and that is not here.", it.name, it.reason);
            }
            let place = self.secrets.searched();
            format!("not checked: {} is not here ({}); looked in {place}.", it.name, it.reason)
        };
        self.stand_ins.iter().map(sentence).collect()
    }

    fn is_real(&self, problem: &Problem) -> bool {
        !self.stand_ins.iter().any(|stand_in| stand_in.is_subject_of(problem))
    }
}
