//! What a request bears of signed URLs: entry by entry, and what the cookie that stands for them grants.

use crate::cli::clock;
use crate::cli::output::visible;
use edgeward::authenticate::Gate;
use edgeward::policy::{Format, LinkEntry};
use edgeward::request::RequestFacts;
use edgeward::time::{Lifetime, UnixTime};
use edgeward::token::signed_url::grants::Jar;
use edgeward::token::signed_url::{Borne, Entry, Grant, LinkVerifier, Moment, Seen, Strength, bunny, preset};
use edgeward::verdict::Refusal;
use serde_json::{Value, json};

/// A link as an entry of the policy reads it.
pub struct Found {
    index: usize,
    format: Format,
    verdict: Result<Grant, Refusal>,
}

/// What each entry that finds a token in places of that strength makes of it; the one that takes it first.
pub fn found(gate: &Gate, seen: &Seen<'_>, strength: Strength, now: UnixTime) -> Vec<Found> {
    let entries = gate.config.verifiers.iter().flat_map(|verifiers| verifiers.links.entries());
    let leeway = gate.config.policy.as_ref().map(|policy| policy.leeway).unwrap_or_default();
    let mut found: Vec<Found> =
        entries.filter_map(|entry| alone(entry, seen, strength, leeway, now)).collect();
    found.sort_by_key(|it| it.verdict.is_err());
    found
}

/// One entry, as if there were no other.
fn alone(
    entry: &Entry,
    seen: &Seen<'_>,
    strength: Strength,
    leeway: Lifetime,
    now: UnixTime,
) -> Option<Found> {
    let LinkEntry { index, format, .. } = *entry.policy();
    let verifier =
        LinkVerifier::new(vec![Entry::new(entry.policy().clone(), entry.keys().cloned().collect())], leeway);
    match verifier.borne(seen, strength) {
        Borne::Present => Some(Found { index, format, verdict: verifier.verify(seen, strength, now) }),
        Borne::Absent | Borne::Twice => None,
    }
}

impl Found {
    /// In words.
    pub fn words(&self, now: UnixTime) -> String {
        let name = format!("{}, EDGEWARD.tokens[{}]", self.format.name(), self.index);
        match &self.verdict {
            Ok(grant) => format!("{name}: {}", grant_words(grant, now)),
            Err(refusal) => {
                let key = refusal.key.as_ref().map(|key| format!(", signed by key {}", visible(key)));
                format!("{name}{}: {}", key.unwrap_or_default(), refusal.cause.name())
            }
        }
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let (format, entry) = (self.format.name(), self.index);
        match &self.verdict {
            Ok(grant) => grant_json(grant, "entry", entry.into()),
            Err(refusal) => {
                json!({ "format": format, "entry": entry, "key": refusal.key, "cause": refusal.cause.name() })
            }
        }
    }
}

fn grant_words(grant: &Grant, now: UnixTime) -> String {
    let stated = grant.stated();
    let end = stated.end.map_or("for ever".to_owned(), |end| {
        format!("until {} ({})", end.stated(), clock::relative(end.stated(), now))
    });
    let uses = stated.uses.map(|uses| format!(", {uses} uses in all")).unwrap_or_default();
    format!("good by key {}, id {}, {end}{uses}", visible(grant.key()), visible(grant.id()))
}

/// A grant, and what else there is to say of it.
fn grant_json(grant: &Grant, name: &str, value: Value) -> Value {
    let stated = grant.stated();
    json!({
        name: value,
        "format": grant.format().name(),
        "key": grant.key(),
        "id": grant.id(),
        "subject": stated.subject,
        "expires": stated.end.map(|end| end.stated().seconds()),
        "uses": stated.uses,
    })
}

/// What the cookie grants, and whether each grant is good for this request; `None` where it is not whole.
pub fn jar(gate: &Gate, seen: &Seen<'_>, value: &str, now: UnixTime) -> Option<Vec<(String, Value)>> {
    let verifiers = gate.config.verifiers.as_ref()?;
    let jar = Jar::read(&verifiers.jar, &seen.facts.host(), value)?;
    let leeway = gate.config.policy.as_ref().map(|policy| policy.leeway).unwrap_or_default();
    let moment = Moment { now, leeway };
    let known = |grant: &Grant| verifiers.links.knows(seen, grant, now);
    let covering: Vec<&Grant> = jar.covering(seen, &moment, known).collect();
    let told = |grant: &Grant| {
        let covers = covering.iter().any(|it| std::ptr::eq(*it, grant));
        let good = if covers { "for this request" } else { "not for this request" };
        let words = format!("{}, {}; {good}", grant.format().name(), grant_words(grant, now));
        (words, grant_json(grant, "covers", covers.into()))
    };
    Some(jar.grants().iter().rev().map(told).collect())
}

/// Formats whose tokens a request seems to bear and that the policy has no entry for.
pub fn unread(gate: &Gate, facts: &RequestFacts<'_>) -> Vec<&'static str> {
    let facts = facts.with_token_in_path(bunny::PATH_MARK);
    let cookies = facts.field("cookie").unwrap_or_default();
    let seen = Seen::new(&facts, &cookies, &[]);
    let has = |format: Format| {
        gate.config.policy.iter().flat_map(|policy| &policy.links).any(|entry| entry.format == format)
    };
    let is_borne = |format: Format| {
        let entry = preset(format).defaults(0);
        entry.from.iter().any(|place| !matches!(seen.bearing(&entry, place), Ok(None)))
    };
    let unread = |(name, format): (&'static str, Format)| (!has(format) && is_borne(format)).then_some(name);
    Format::ALL.into_iter().filter_map(unread).collect()
}
