//! What the origin would get: field names, never their values.

use crate::cli::output::{Misuse, visible};
use crate::cli::random;
use edgeward::authenticate::{Gate, Passage};
use edgeward::forward::{self, Forwarding, Outgoing};
use edgeward::policy::Policy;
use edgeward::request::RequestFacts;
use edgeward::time::UnixTime;
use edgeward::token::assertion::AssertionKey;
use edgeward::token::to_base64url;
use serde_json::{Value, json};

/// Makes the request for the origin, as the Worker would.
pub fn outgoing(
    gate: &Gate,
    policy: &Policy,
    passage: Passage<'_>,
    facts: &RequestFacts<'_>,
    names: &[String],
    now: UnixTime,
) -> Result<Outgoing, Misuse> {
    let root = gate.config.root.as_ref().filter(|_| policy.forward.identity);
    let key = root.and_then(|root| AssertionKey::new(root, &forward::audience(policy, facts)));
    let forwarding = Forwarding {
        policy,
        places: &gate.places,
        pseudonym: "edgeward-00000000",
        origin_authorization: gate.config.origin_authorization.as_ref(),
        assertion: key.as_ref(),
        jti: &to_base64url(&random::octets::<16>()?),
        now,
    };
    Ok(forwarding.outgoing(passage, facts, names.iter().map(String::as_str)))
}

/// Lines for people.
pub fn lines(outgoing: &Outgoing) -> Vec<(String, String)> {
    let list = |names: Vec<String>| if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    let set = outgoing.set.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    let shared = if outgoing.no_store { "kept out" } else { "allowed" };
    vec![
        ("Goes to".to_owned(), visible(&outgoing.url)),
        ("Taken off".to_owned(), visible(&list(outgoing.remove.clone()))),
        ("Set".to_owned(), visible(&list(set))),
        ("Shared caches".to_owned(), shared.to_owned()),
    ]
}

/// The same for programs.
pub fn json(outgoing: &Outgoing) -> Value {
    let set: Vec<String> = outgoing.set.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    json!({ "url": outgoing.url, "remove": outgoing.remove, "set": set, "shared_caches": !outgoing.no_store })
}
