//! Lines of `EDGEWARD_TOTP` where there are none, or none that can be opened here.

use super::StandIn;
use crate::cli::output::Misuse;
use crate::cli::random;
use edgeward::config::Sources;
use edgeward::secret::Secret;
use edgeward::token::mac::RootSecret;
use edgeward::totp::{Digits, Hash, Made};
use serde_json::Value;

const NAME: &str = "EDGEWARD_TOTP";

/// Why lines are needed; `None` where nothing needs them.
pub fn reason(policy: &Value) -> Option<String> {
    let asks = |rule: &Value| rule.get("second_factor") == Some(&Value::Bool(true));
    let index = super::items(policy, "rules").position(asks)?;
    Some(format!("EDGEWARD.rules[{index}].second_factor is true"))
}

/// Stands in for lines that are not here but needed, and for those that are here while the secret which opens them is not.
pub fn stand_in(
    sources: &mut Sources,
    reason: Option<String>,
    is_secret_here: bool,
) -> Result<Option<StandIn>, Misuse> {
    let (reason, is_here) = match (&sources.totp, reason) {
        (Some(_), _) if !is_secret_here => ("EDGEWARD_SECRET opens it".to_owned(), true),
        (None, Some(reason)) => (reason, false),
        (Some(_) | None, _) => return Ok(None),
    };
    sources.totp = line(sources)?;
    Ok(sources.totp.as_ref().map(|_| StandIn { name: NAME, reason, is_here }))
}

/// `None` where the secret cannot be read, which is told by itself.
fn line(sources: &Sources) -> Result<Option<Secret<String>>, Misuse> {
    let root = sources.secret.as_ref().and_then(|secret| RootSecret::parse(secret.expose()).ok());
    let (secret, seed) = (Secret::new(random::octets::<20>()?), Secret::new(random::octets::<16>()?));
    let made = Made::new("edgeward-check", Hash::Sha1, Digits::Six, secret.expose(), seed.expose());
    let nonce = random::octets()?;
    Ok(root.zip(made).and_then(|(root, made)| made.line(&root, nonce)).map(Secret::new))
}
