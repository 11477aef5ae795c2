//! `edgeward key assertion`: keys for the origin.

use crate::cli::output::{Misuse, Outcome};
use crate::cli::secrets::Secrets;
use crate::cli::wrangler::folder_of;
use crate::cli::{Which, nfc};
use clap::Args;
use edgeward::config::{Config, Sources};
use edgeward::policy::Origin;
use edgeward::token::assertion;

const AFTER: &str = "\
The origin looks for X-Edgeward-Assertion, a JWT, and verifies: alg HS256; typ edgeward-assertion+jwt; the signature, by \
the key that kid names; aud, its own origin as given here; iss, the public origin; exp; and htm and htu against the \
request. Whoever reaches it around Edgeward has no such field. The keys are as secret as EDGEWARD_SECRET, and good \
for this one origin. After `edgeward keygen --rotate`, give it the new set first.

Where the policy names no origin, requests go to the URL they came to: name that site's own origin.

Examples:
  edgeward key assertion --origin https://origin.acme.example > edgeward-keys.json
  EDGEWARD_SECRET=\"$(pass edgeward/secret)\" edgeward key assertion --origin https://acme.example";

/// The keys by which an origin verifies X-Edgeward-Assertion: a JWK Set, one key for each EDGEWARD_SECRET
#[derive(Args)]
#[command(after_help = AFTER)]
pub struct Assertion {
    /// The origin's URL, as in EDGEWARD.origin; a path does not matter
    #[arg(long, value_name = "URL")]
    origin: String,

    #[command(flatten)]
    which: Which,
}

impl Assertion {
    /// Makes them.
    pub fn run(self) -> crate::cli::Result {
        let audience = serialised("--origin", &self.origin)?;
        let secrets = Secrets::read(&self.which.from, folder_of(&self.which.config))?;
        let set = assertion::jwk_set(&secrets.root()?, &audience);
        let notes = vec![format!("For the audience {audience}.")];
        Ok(Outcome { notes, ..Outcome::yes(format!("{set:#}\n"), set) })
    }
}

/// The origin as the gate serialises it: by the reader of the policy itself.
pub fn serialised(option: &str, url: &str) -> Result<String, Misuse> {
    let policy = serde_json::json!({ "origin": url }).to_string();
    let config = Config::parse(&Sources { policy: Some(policy), ..Sources::default() }, nfc);
    match config.policy.map(|policy| policy.origin) {
        Some(Origin::Url { origin, .. }) => Ok(origin),
        Some(Origin::Own | Origin::Assets) | None => {
            let example = "https://origin.acme.example";
            Err(Misuse::new(format!("{option} must be an http: or https: URL, such as {example}.")))
        }
    }
}
