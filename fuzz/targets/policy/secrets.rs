//! Octets that are marked, so that they can be found wherever they come out.

use super::Texts;
use edgeward::config::Config;
use edgeward::password::phc::PasswordHash;
use serde_json::Value;

/// What stands for something secret.
const MARK: &str = "Marked-Octets-Of-Secrets";
/// The same in base64url.
const MARK_ENCODED: &str = "TWFya2VkLU9jdGV0cy1PZi1TZWNyZXRz";
/// How any of it begins: as it is, encoded, and as `Debug` prints octets.
const TRACES: [&str; 3] = ["Marked-Oct", "TWFya2VkLU9j", "77, 97, 114, 107, 101, 100"];

/// Strings that are never what belongs at these keys: a secret that was put there by mistake.
const NEVER_STRINGS: [&str; 9] =
    ["leeway", "hsts", "rules", "tokens", "cors", "websocket", "forward", "api_key", "brand"];

/// The text with its marks put in.
pub fn marked(text: &str) -> String {
    text.replace('\u{a7}', MARK).replace('\u{b6}', MARK_ENCODED)
}

/// No problem and no warning shows what is secret, and neither does `Debug`.
pub fn stay_hidden(config: &Config, texts: &Texts) {
    let may_show_user = texts.users.as_deref().is_some_and(|users| users.lines().any(shows_mark_in_user));
    let may_show_kid = texts.keys.as_deref().is_some_and(has_marked_kid);
    let may_show_policy = texts.policy.as_deref().is_some_and(has_shown_mark);
    if may_show_user || may_show_kid || may_show_policy {
        return;
    }
    for problem in config.problems.iter().chain(&config.warnings) {
        assert!(!is_traced(&problem.to_string()), "{problem}");
    }
    let is_told_by_users =
        texts.users.as_deref().is_some_and(|users| users.lines().any(has_mark_beside_hash));
    if !is_told_by_users && !texts.policy.as_deref().is_some_and(is_traced) {
        assert!(!is_traced(&format!("{config:?}")), "{config:?}");
    }
}

fn is_traced(text: &str) -> bool {
    TRACES.iter().any(|trace| text.contains(trace))
}

/// A user-id is shown only where a hash stands behind it.
fn shows_mark_in_user(line: &str) -> bool {
    let mut fields = line.split(':');
    let (user, hash) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
    let is_hash = PasswordHash::parse(hash.trim_end()).map_or_else(|unusable| unusable.is_hash, |_| true);
    is_hash && is_traced(user)
}

/// User-ids and groups are no secrets to `Debug`.
fn has_mark_beside_hash(line: &str) -> bool {
    line.split(':').enumerate().any(|(place, field)| place != 1 && is_traced(field))
}

/// An id of a key is none; where the text is no JSON nothing of it is shown.
fn has_marked_kid(keys: &str) -> bool {
    fn any_kid(value: &Value) -> bool {
        match value {
            Value::Object(members) => members.iter().any(|(name, value)| {
                name == "kid" && value.as_str().is_some_and(is_traced) || any_kid(value)
            }),
            Value::Array(items) => items.iter().any(any_kid),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        }
    }
    serde_json::from_str(keys).is_ok_and(|keys| any_kid(&keys))
}

/// Values of the policy are shown, but for the password in a URL and strings where none belongs.
fn has_shown_mark(policy: &str) -> bool {
    let Ok(Value::Object(mut members)) = serde_json::from_str(policy) else { return false };
    if let Some(Value::Array(rules)) = members.get_mut("rules") {
        rules.iter_mut().for_each(without_password_as_path);
    }
    members.iter().any(|(key, value)| match value {
        Value::String(text) if NEVER_STRINGS.contains(&key.as_str()) => is_traced(key) && !text.is_empty(),
        Value::String(text) if key == "origin" && may_hold_password(text) => false,
        other => is_traced(key) || is_traced(&other.to_string()),
    })
}

/// A URL in the place of a path is not shown where it may hold a password.
fn without_password_as_path(rule: &mut Value) {
    if let Some(Value::String(path)) = rule.get_mut("path")
        && may_hold_password(path)
    {
        path.clear();
    }
}

fn may_hold_password(text: &str) -> bool {
    text.contains('@') && text.contains(':') && !text.starts_with("mailto:")
}
