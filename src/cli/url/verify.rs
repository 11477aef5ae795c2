//! `edgeward url verify`: a signed URL taken apart for whoever makes or gets one.
//!
//! Shows what a link says before its signature holds, and says so first. The token itself is never shown.

use super::candidate::Described;
use super::report;
use crate::cli::deployment::Deployment;
use crate::cli::explain::described;
use crate::cli::output::Misuse;
use crate::cli::{Which, clock, input};
use clap::Args;
use edgeward::request::Fields;
use edgeward::secret::Secret;
use edgeward::time::UnixTime;

const AFTER: &str = "\
A link is a credential: its URL is read from standard input or a prompt, never from an argument. Formats that the \
policy has no entry for are recognised, too. What a rule asks for besides is for `edgeward explain`; what was revoked, \
and how often a counted link was used, is known at the edge alone.

Exit status: 0 where the gate would take it, 1 where it would not, or where its key is not here.

Examples:
  edgeward url verify < link.txt
  pbpaste | edgeward url verify --address 203.0.113.9 --country NL
  edgeward url verify --at 2026-12-01T00:00:00Z --env production --secrets production.vars < link.txt";

/// What a signed URL says, which key fits, what the gate says to it, and what would have to be otherwise
#[derive(Args)]
#[command(after_help = AFTER)]
pub struct Verify {
    /// The method it is used with
    #[arg(long, short = 'X', value_name = "METHOD", default_value = "GET")]
    method: String,

    /// The client's address
    #[arg(long, value_name = "ADDRESS")]
    address: Option<std::net::IpAddr>,

    /// The country the client is in: two capital letters
    #[arg(long, value_name = "CODE")]
    country: Option<String>,

    /// A field line; @- for lines of standard input, @FILE for lines of a file
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    headers: Vec<String>,

    /// The moment to decide at [default: now]
    #[arg(long, value_name = "RFC3339", value_parser = clock::moment)]
    at: Option<UnixTime>,

    #[command(flatten)]
    which: Which,
}

/// Fields of the request, address and country among them.
struct Client {
    described: described::Described,
    address: Option<String>,
    country: Option<String>,
}

impl Fields for Client {
    fn get(&self, name: &str) -> Option<String> {
        let address = self.address.clone().filter(|_| name == "cf-connecting-ip");
        address.or_else(|| self.described.get(name))
    }

    fn country(&self) -> Option<String> {
        self.country.clone()
    }
}

impl Verify {
    /// Takes it apart.
    pub fn run(self) -> crate::cli::Result {
        described::check_method(&self.method)?;
        let client = Client {
            described: described::fields(&self.headers)?,
            address: self.address.map(|address| address.to_string()),
            country: self.country.clone(),
        };
        let url = read_url()?;
        let deployment = Deployment::find(&self.which)?;
        let described = Described {
            method: &self.method,
            cookies: client.get("cookie").unwrap_or_default(),
            bearing: client
                .described
                .names
                .iter()
                .filter_map(|name| Some((name.clone(), client.get(name)?)))
                .collect(),
            fields: &client,
        };
        report::outcome(&deployment, &described, url.expose(), clock::at(self.at))
    }
}

fn read_url() -> Result<Secret<String>, Misuse> {
    let text = if input::is_terminal() { input::ask_secret("URL: ")? } else { input::all()? };
    let url = text.expose().trim();
    if url.is_empty() {
        return Err(Misuse::new("No link: write its URL to standard input."));
    }
    Ok(Secret::new(url.to_owned()))
}
