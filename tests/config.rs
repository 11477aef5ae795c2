//! The configuration as an operator meets it: what is read, what is refused and in which words, what stays open.

#[path = "config/bounds.rs"]
mod bounds;
#[path = "config/closed.rs"]
mod closed;
#[path = "config/hosts.rs"]
mod hosts;
#[path = "config/links.rs"]
mod links;
#[path = "config/rule_words.rs"]
mod rule_words;
#[path = "config/values.rs"]
mod values;
#[path = "config/words.rs"]
mod words;

use edgeward::config::{Config, Problem, Sources};
use edgeward::policy::{Policy, Rule};
use edgeward::secret::Secret;
use serde_json::json;
use unicode_normalization::UnicodeNormalization;

/// "a marked root secret: 32 octets." in base64url.
const ROOT: &str = "YSBtYXJrZWQgcm9vdCBzZWNyZXQ6IDMyIG9jdGV0cy4";
/// "a marked key for HS256: 32 bytes" in base64url.
const KEY_256: &str = "YSBtYXJrZWQga2V5IGZvciBIUzI1NjogMzIgYnl0ZXM";
/// "a marked key for HS512: …" in base64url, 65 octets.
const KEY_512: &str =
    "YSBtYXJrZWQga2V5IGZvciBIUzUxMjogYXMgbG9uZyBhcyB0aGUgb3V0cHV0IG9mIGl0cyBoYXNoOiA2NCBieS4";
/// A line as `htpasswd -B` writes it.
const USERS: &str = "ann:$2a$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi:editors";

fn keys() -> String {
    json!({"keys": [
        {"kty": "oct", "kid": "2026-11", "alg": "HS256", "k": KEY_256},
        {"kty": "oct", "kid": "long", "alg": "HS512", "k": KEY_512},
    ]})
    .to_string()
}

fn secret(text: impl Into<String>) -> Option<Secret<String>> {
    Some(Secret::new(text.into()))
}

/// Everything there, and right.
fn sources(policy: impl ToString) -> Sources {
    Sources {
        policy: Some(policy.to_string()),
        secret: secret(ROOT),
        keys: secret(keys()),
        users: vec![("EDGEWARD_USERS".to_owned(), Secret::new(USERS.to_owned()))],
        assets: true,
        ..Sources::default()
    }
}

fn parse(sources: &Sources) -> Config {
    Config::parse(sources, |text| text.nfc().collect())
}

fn config(policy: impl ToString) -> Config {
    parse(&sources(policy))
}

fn sentences(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

/// A policy that must be usable, and its verifiers too.
fn usable(policy: impl ToString) -> Policy {
    let config = config(policy);
    assert_eq!(sentences(&config.problems), [""; 0]);
    assert!(config.verifiers.is_some());
    config.policy.expect("a policy without problems")
}

/// The sentences of a policy that must be unusable.
fn refused(policy: impl ToString) -> Vec<String> {
    let shown = policy.to_string();
    let config = config(policy);
    assert!(config.policy.is_none(), "{shown}");
    assert!(config.verifiers.is_none(), "{shown}");
    sentences(&config.problems)
}

fn rules(policy: &Policy) -> Vec<&Rule> {
    policy.rules.iter().filter(|rule| rule.index.is_some()).collect()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}
