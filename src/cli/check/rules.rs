//! What stands in the policy and does nothing: demands that nobody can meet are the core's to tell, entries and names
//! that no request comes to are told here.

use super::{Findings, reach};
use crate::cli::deployment::Deployment;
use edgeward::api_key::ApiKeys;
use edgeward::policy::{Access, Kind, LinkEntry, LinkPlace, Policy, Rule, TokenPlace};
use edgeward::secret::Secret;

/// Looks at rules and entries together.
pub fn look(deployment: &Deployment, findings: &mut Findings) {
    let Some(policy) = &deployment.config.policy else { return };
    let written = || policy.rules.iter().filter_map(|rule| Some((rule.index?, rule)));
    written().for_each(|(index, rule)| exchange(index, rule, findings));
    if let Some(keys) = deployment.secrets.value("EDGEWARD_API_KEYS").filter(|_| !policy.api_key.in_store) {
        key_names(written(), &keys, findings);
    }
    for entry in &policy.links {
        for_ever(entry, findings);
        weak_keys(deployment, entry, findings);
        reached(policy, entry, findings);
        shadowed(policy, entry, findings);
    }
    fresh_tokens(policy, deployment, findings);
}

/// Whether a rule verifies credentials of that kind.
fn verifies(rule: &Rule, kind: Kind) -> bool {
    let is_narrowed = !rule.networks.is_empty() || rule.not_before.is_some() || rule.not_after.is_some();
    let looks = match rule.access {
        Access::Authenticated => true,
        Access::Public => is_narrowed,
        Access::Denied => false,
    };
    looks && rule.accept.has(kind)
}

/// Links have neither scopes nor names.
fn lets_links_in(rule: &Rule) -> bool {
    verifies(rule, Kind::SignedUrl) && rule.scopes.is_empty() && rule.admits.anyone()
}

fn exchange(index: usize, rule: &Rule, findings: &mut Findings) {
    if rule.exchange && !lets_links_in(rule) {
        let expected = if verifies(rule, Kind::SignedUrl) {
            "a rule that asks for neither scopes nor somebody in particular, as links have neither"
        } else {
            "a rule that accepts signed-url, as there is no link to exchange otherwise"
        };
        let fix = "Take it out, or change what the rule accepts.";
        findings.warn(&format!("EDGEWARD.rules[{index}].exchange"), "\"cookie\"", expected, fix);
    }
}

/// Names of API keys that no list has. A list that cannot be read is told by the core.
fn key_names<'p>(
    rules: impl Iterator<Item = (usize, &'p Rule)>,
    text: &Secret<String>,
    findings: &mut Findings,
) {
    let Ok(keys) = ApiKeys::parse(text.expose(), "EDGEWARD_API_KEYS") else { return };
    for (index, rule) in rules {
        for (n, name) in rule.admits.api_keys.iter().enumerate() {
            if keys.by_name(name).is_none() {
                let expected = "the name of a key that is there, as nobody has this one";
                let fix = "Correct the name, or add the key with `edgeward api-key`.";
                let found = format!("{name:?}, which is not in EDGEWARD_API_KEYS");
                findings.warn(&format!("EDGEWARD.rules[{index}].api_keys[{n}]"), found, expected, fix);
            }
        }
    }
}

fn for_ever(entry: &LinkEntry, findings: &mut Findings) {
    if !entry.require_end {
        let at = format!("EDGEWARD.tokens[{}].require", entry.index);
        let expected = "[\"exp\"], as a link without an end is good for ever, for whoever it is passed on to";
        findings.warn(&at, "[]", expected, "Take the key out once the signer sets an expiry.");
    }
}

/// Where the key is here, the core tells which one is short.
fn weak_keys(deployment: &Deployment, entry: &LinkEntry, findings: &mut Findings) {
    let is_told = deployment.warnings().any(|it| it.at.starts_with("EDGEWARD_KEYS"));
    if entry.weak_keys && !is_told {
        let at = format!("EDGEWARD.tokens[{}].weak_keys", entry.index);
        let expected = "false, as a key of less than 16 octets can be found by trying";
        findings.warn(&at, "true", expected, "Take it out once the signer has a longer key.");
    }
}

/// An entry is of use where a request within its paths falls to a rule that takes its links.
fn reached(policy: &Policy, entry: &LinkEntry, findings: &mut Findings) {
    let mut rules = reach::rules(policy, &entry.paths);
    if !rules.any(lets_links_in) {
        let (key, found) = match entry.paths.as_slice() {
            [] => ("", "an entry whose links no rule takes".to_owned()),
            paths => (".paths", format!("{}, where no rule takes its links", paths.join(", "))),
        };
        let at = format!("EDGEWARD.tokens[{}]{key}", entry.index);
        let expected =
            "a rule there that accepts signed-url, and asks for neither scopes nor somebody in particular";
        findings.warn(&at, found, expected, "Add signed-url to the rule's accept, or take the entry out.");
    }
}

/// A JWT and a link under one name: where both are accepted, what stands there is read as a JWT, and no link gets in.
fn shadowed(policy: &Policy, entry: &LinkEntry, findings: &mut Findings) {
    let mut names = names(entry).into_iter();
    let of_tokens: Vec<String> =
        policy.tokens.iter().flat_map(|it| &it.from).filter_map(token_name).collect();
    let Some(name) = names.find(|name| of_tokens.contains(name)) else { return };
    let takes_both = |rule: &Rule| verifies(rule, Kind::SignedUrl) && verifies(rule, Kind::Bearer);
    if reach::rules(policy, &entry.paths).any(takes_both) {
        let at = format!("EDGEWARD.tokens[{}].from", entry.index);
        let found = format!("{name}, where JWTs are looked for too");
        let expected = "a place of its own, as where a rule accepts both kinds each link is read as a JWT";
        let fix = "Rename one of the two, or have the rules of these paths accept one kind.";
        findings.warn(&at, found, expected, fix);
    }
}

fn token_name(place: &TokenPlace) -> Option<String> {
    match place {
        TokenPlace::Query(name) => Some(format!("query:{name}")),
        TokenPlace::Cookie(name) => Some(format!("cookie:{name}")),
        // One field for two kinds is a problem of the policy.
        TokenPlace::Authorization | TokenPlace::Header(_) => None,
    }
}

/// The names without which there is no link.
fn names(entry: &LinkEntry) -> Vec<String> {
    let name = |place: &LinkPlace| match place {
        LinkPlace::Parameters => entry.parameters.first().map(|name| format!("query:{name}")),
        LinkPlace::Query(name) => Some(format!("query:{name}")),
        LinkPlace::Cookie(name) => Some(format!("cookie:{name}")),
        LinkPlace::Field(_) | LinkPlace::Path => None,
    };
    entry.from.iter().filter_map(name).collect()
}

/// Fresh tokens are made for API keys.
fn fresh_tokens(policy: &Policy, deployment: &Deployment, findings: &mut Findings) {
    let has_keys = deployment.secrets.get("EDGEWARD_API_KEYS").is_some()
        || deployment.is_stood_in("EDGEWARD_API_KEYS")
        || policy.api_key.in_store;
    if policy.fresh_tokens.is_some() && !has_keys {
        let expected = "API keys (EDGEWARD_API_KEYS, or api_key.kv), as these are what tokens are made for";
        findings.warn(
            "EDGEWARD.token",
            "a way to fresh tokens that nobody can go",
            expected,
            "Set some, or take the table out.",
        );
    }
}
