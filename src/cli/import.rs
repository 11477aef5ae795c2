//! `edgeward import`: what another doorkeeper was told, as a policy of ours, and what of it could not be taken along.
//!
//! 1. Whatever is not certain ends protected. A rule that opens a path is written only where the source opens exactly
//!    that path, or more of it; [`draft::Draft::finish`] takes it back where something protected lies below it that no
//!    pattern of ours can say.
//! 2. Everything that is not carried over is listed with its line and the reason, and so is what is carried over but
//!    means less here than there.
//! 3. No password, hash or key is shown. They are written to the file of `--secrets-out`, or named as still to do.

mod accounts;
mod apache;
mod draft;
mod netlify;
mod networks;
mod nginx;
mod oauth2_proxy;
mod patterns;
mod render;
mod secrets_file;
mod settle;
mod words;

use super::input;
use super::output::Misuse;
use accounts::UserFiles;
use clap::{Args, ValueEnum};
use draft::Draft;
use edgeward::secret::Secret;
use std::path::{Path, PathBuf};

const AFTER: &str = "\
What is read:
  nginx         location with auth_basic, allow and deny, satisfy, and secure_link_hmac
  apache        <Location>, <Directory> and .htaccess with AuthType Basic and Require
  netlify       _headers with Basic-Auth
  oauth2-proxy  oauth2-proxy.cfg, or a file of --flag=value: skip_auth_routes, htpasswd_file, upstreams, ...
The policy goes to standard output; what could not be carried over, with line and reason, to standard error. What is not \
certain ends protected, never public. No secret is shown: --secrets-out writes them to a file that only you can read.

Examples:
  edgeward import nginx /etc/nginx/sites-enabled/acme.conf --secrets-out .dev.vars > policy.toml
  edgeward import apache .htaccess --at /admin/ --users ./htpasswd
  edgeward import netlify public/_headers --secrets-out .dev.vars.production
  edgeward import oauth2-proxy oauth2-proxy.cfg --json
Then: put the policy into wrangler.toml, and run edgeward check.";

/// Turn what nginx, Apache, Netlify or oauth2-proxy were told into a policy, and list what is left over
#[derive(Args)]
#[command(after_help = AFTER)]
pub struct Import {
    /// Whose configuration it is
    #[arg(value_enum)]
    source: Source,

    /// The configuration; - for standard input
    file: PathBuf,

    /// The htpasswd file, where the path in the configuration cannot be read here; once for each
    #[arg(long, value_name = "FILE")]
    users: Vec<PathBuf>,

    /// Write EDGEWARD_USERS and EDGEWARD_KEYS to this new file, as lines of .dev.vars
    #[arg(long, value_name = "FILE")]
    secrets_out: Option<PathBuf>,

    /// For an .htaccess: the URL path of the folder that it is in
    #[arg(long, value_name = "PATH", value_parser = url_path)]
    at: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Source {
    Nginx,
    Apache,
    Netlify,
    #[value(name = "oauth2-proxy")]
    Oauth2Proxy,
}

impl Import {
    /// Reads it, and says what came of it.
    pub fn run(self) -> super::Result {
        if self.at.is_some() && self.source != Source::Apache {
            return Err(Misuse::new("--at says where an .htaccess is: it is for apache."));
        }
        let text = read(&self.file)?;
        let files = UserFiles::new(&self.users, folder(&self.file));
        let name = name(&self.file);
        let mut draft = self.draft(text.expose(), &name, &files)?;
        draft.finish();
        let secrets = secrets_file::Secrets::of(&mut draft);
        let written = match &self.secrets_out {
            Some(file) if secrets.write(file)? => Some(file.as_path()),
            Some(_) | None => None,
        };
        Ok(render::outcome(&draft, &secrets, written, (self.source.name(), &name)))
    }

    fn draft(&self, text: &str, name: &str, files: &UserFiles) -> Result<Draft, Misuse> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let draft = match self.source {
            Source::Nginx => nginx::import(text, files),
            Source::Apache => apache::import(text, files, self.at.as_deref()),
            Source::Netlify => netlify::import(text),
            Source::Oauth2Proxy => oauth2_proxy::import(text, files),
        };
        draft.map_err(|unreadable| unreadable.sentence(name))
    }
}

impl Source {
    const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Apache => "apache",
            Self::Netlify => "netlify",
            Self::Oauth2Proxy => "oauth2-proxy",
        }
    }
}

/// The source cannot be read at all: where, and what is wrong.
#[derive(Debug, PartialEq, Eq)]
struct Unreadable {
    line: usize,
    why: String,
}

impl Unreadable {
    fn new(line: usize, why: impl Into<String>) -> Self {
        Self { line, why: why.into() }
    }

    fn sentence(&self, file: &str) -> Misuse {
        Misuse::new(super::output::visible(&format!("{file}:{}: {}", self.line, self.why)))
    }
}

fn read(file: &Path) -> Result<Secret<String>, Misuse> {
    if file == Path::new("-") {
        return input::all();
    }
    std::fs::read_to_string(file)
        .map(Secret::new)
        .map_err(|error| Misuse::new(format!("{} cannot be read: {error}.", file.display())))
}

/// What the file is called in the list: `site.conf:12`.
fn name(file: &Path) -> String {
    if file == Path::new("-") { "stdin".to_owned() } else { file.display().to_string() }
}

/// Where the paths in a configuration begin that are not absolute.
fn folder(file: &Path) -> &Path {
    super::wrangler::folder_of(file)
}

fn url_path(text: &str) -> Result<String, String> {
    if text.starts_with('/') { Ok(text.to_owned()) } else { Err("write it like /admin/".to_owned()) }
}
