//! Step 9: credentials that the browser adds by itself, whoever caused the request.

use crate::credentials::Credentials;
use crate::policy::{CrossSite, Policy, Rule};
use crate::request::RequestFacts;

/// Whether another site caused a request that could change something or open a WebSocket.
pub fn is_cross_site(
    policy: &Policy,
    rule: &Rule,
    facts: &RequestFacts<'_>,
    credentials: &Credentials<'_>,
) -> bool {
    if rule.cross_site == CrossSite::Allow {
        return false;
    }
    let upgrade = facts.field("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
    let foreign_upgrade = || match facts.field("origin") {
        Some(origin) => origin != facts.origin() && !policy.websocket_origins.contains(&origin),
        None => !credentials.is_basic(),
    };
    if upgrade && foreign_upgrade() {
        return true;
    }
    if matches!(facts.method, "GET" | "HEAD" | "OPTIONS") {
        return false;
    }
    let foreign = match facts.field("sec-fetch-site").as_deref() {
        Some("same-origin" | "same-site" | "none") => false,
        Some("cross-site") => true,
        // No browser says anything else; then its `Origin` has to speak for it.
        Some(_) | None => facts.field("origin").is_some_and(|origin| origin != facts.origin()),
    };
    foreign && !shares_credentials(policy, facts)
}

/// Whether the request's `Origin` is listed in `cors.origins`, with `cors.credentials`.
fn shares_credentials(policy: &Policy, facts: &RequestFacts<'_>) -> bool {
    let Some(cors) = policy.cors.as_ref().filter(|cors| cors.credentials) else { return false };
    facts.field("origin").is_some_and(|origin| cors.lists(&origin))
}
