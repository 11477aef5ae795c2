//! Steps 19 and 20: whether they may.

use super::identify::Known;
use crate::policy::Rule;
use crate::request::RequestFacts;
use crate::time::UnixTime;
use crate::verdict::{Cause, Refusal};

/// Whether a rule lets somebody known pass, here and now.
pub fn authorize(rule: &Rule, who: &Known, facts: &RequestFacts<'_>, now: UnixTime) -> Result<(), Refusal> {
    let known = &who.authenticated;
    let not_allowed = |detail| Refusal {
        sent: Some(known.kind),
        user: known.user.clone(),
        key: known.key.clone(),
        ..Refusal::new(Cause::NotAllowed, detail)
    };
    holds_here_and_now(rule, facts, now).map_err(not_allowed)?;
    if !is_admitted(rule, who) {
        return Err(not_allowed("The rule of this path is for others."));
    }
    if rule.scopes.iter().all(|scope| known.scopes.contains(scope)) {
        return Ok(());
    }
    let detail = format!("This needs the scope {}.", rule.scopes.join(" "));
    Err(Refusal {
        sent: Some(known.kind),
        user: known.user.clone(),
        key: known.key.clone(),
        scopes: rule.scopes.clone(),
        ..Refusal::new(Cause::InsufficientScope, detail)
    })
}

/// One of `users`, `groups`, `api_keys` and `claims` that matches is enough; with none of them, whoever is known.
fn is_admitted(rule: &Rule, who: &Known) -> bool {
    let (admits, known) = (&rule.admits, &who.authenticated);
    let by_user = known.is_account && known.user.as_ref().is_some_and(|user| admits.users.contains(user));
    let by_group = known.groups.iter().any(|group| admits.groups.contains(group));
    let by_claims = !admits.claims.is_empty()
        && who.token.as_ref().is_some_and(|token| token.claims_match(&admits.claims));
    let by_key = known.api_key.as_ref().is_some_and(|name| admits.api_keys.contains(name));
    admits.anyone() || by_user || by_group || by_key || by_claims
}

/// Whether the rule's networks and times hold; what does not, in words for programs.
pub fn holds_here_and_now(rule: &Rule, facts: &RequestFacts<'_>, now: UnixTime) -> Result<(), &'static str> {
    if rule.not_before.is_some_and(|from| now < from) {
        return Err("The rule of this path does not let anyone in yet.");
    }
    if rule.not_after.is_some_and(|until| now >= until) {
        return Err("The rule of this path does not let anyone in any more.");
    }
    let inside = || {
        facts.client_address().is_some_and(|address| rule.networks.iter().any(|net| net.contains(address)))
    };
    if rule.networks.is_empty() || inside() {
        return Ok(());
    }
    Err("The rule of this path does not let this network in.")
}
