//! What the origin would get: field names, never their values.

use super::shown;
use crate::cli::output::{Misuse, visible};
use crate::cli::random;
use edgeward::authenticate::{Gate, Passage};
use edgeward::forward::{self, Forwarding};
use edgeward::policy::Policy;
use edgeward::request::RequestFacts;
use edgeward::time::UnixTime;
use edgeward::token::assertion::AssertionKey;
use edgeward::token::to_base64url;
use serde_json::{Value, json};

/// What is worth telling of the request for the origin.
#[derive(Debug)]
pub struct Forwarded {
    url: String,
    removed: Vec<String>,
    set: Vec<String>,
    shared_caches: bool,
}

/// Makes the request for the origin, as the Worker would.
pub fn outgoing(
    gate: &Gate,
    policy: &Policy,
    passage: Passage<'_>,
    facts: &RequestFacts<'_>,
    names: &[String],
    now: UnixTime,
) -> Result<Forwarded, Misuse> {
    let root = gate.config.root.as_ref().filter(|_| policy.forward.identity);
    let key = root.and_then(|root| AssertionKey::new(root, &forward::audience(policy, facts)));
    let jti = to_base64url(&random::octets::<16>()?);
    let forwarding = Forwarding {
        policy,
        places: &gate.places,
        pseudonym: "edgeward-00000000",
        origin_authorization: gate.config.origin_authorization.as_ref(),
        assertion: key.as_ref(),
        jti: &jti,
        now,
    };
    let outgoing = forwarding.outgoing(passage, facts, names.iter().map(String::as_str));
    Ok(Forwarded {
        removed: outgoing.remove.iter().map(|name| (*name).to_owned()).collect(),
        set: outgoing.set.iter().map(|(name, _)| name.to_ascii_lowercase()).collect(),
        shared_caches: !outgoing.no_store,
        url: shown::masked(&outgoing.url),
    })
}

/// Lines for people.
pub fn lines(forwarded: &Forwarded) -> Vec<(String, String)> {
    let list = |names: &[String]| if names.is_empty() { "nothing".to_owned() } else { names.join(", ") };
    let shared = if forwarded.shared_caches { "allowed" } else { "kept out" };
    vec![
        ("Goes to".to_owned(), visible(&forwarded.url)),
        ("Taken off".to_owned(), visible(&list(&forwarded.removed))),
        ("Set".to_owned(), visible(&list(&forwarded.set))),
        ("Shared caches".to_owned(), shared.to_owned()),
    ]
}

/// The same for programs.
pub fn json(forwarded: &Forwarded) -> Value {
    let Forwarded { url, removed, set, shared_caches } = forwarded;
    json!({ "url": url, "remove": removed, "set": set, "shared_caches": shared_caches })
}
