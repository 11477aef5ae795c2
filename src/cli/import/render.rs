//! The draft as lines of `wrangler.toml`, as JSON, and in words.

use super::draft::{Draft, Left, Rule, Token};
use super::secrets_file::Secrets;
use crate::cli::output::{Outcome, visible};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::Path;

/// Everything that is said. `source`: whose configuration it is, and the file's name.
pub fn outcome(draft: &Draft, secrets: &Secrets, written: Option<&Path>, source: (&str, &str)) -> Outcome {
    let (kind, file) = source;
    let text = policy_lines(draft, secrets, source);
    let todo = todo(draft, secrets, written);
    let list = |carried: bool| -> Vec<Value> {
        draft.left.iter().filter(|left| left.carried == carried).map(|left| left_json(left, file)).collect()
    };
    let json = json!({
        "source": kind,
        "file": file,
        "policy": policy_json(draft),
        "toml": text,
        "left": list(false),
        "differs": list(true),
        "secrets": needed(draft, secrets),
        "secrets_written": written.map(|file| file.display().to_string()),
        "todo": todo,
    });
    Outcome { notes: notes(draft, file, &todo), ..Outcome::yes(text, json) }
}

/// `EDGEWARD` as JSON.
fn policy_json(draft: &Draft) -> Value {
    let mut policy = serde_json::Map::new();
    for (name, value) in [("realm", &draft.realm), ("origin", &draft.origin)] {
        if let Some(value) = value {
            policy.insert(name.to_owned(), json!(value));
        }
    }
    let tokens: Vec<Value> = draft.tokens.iter().map(token_json).collect();
    let rules: Vec<Value> = draft.rules.iter().map(Rule::json).collect();
    for (name, list) in [("tokens", tokens), ("rules", rules)] {
        if !list.is_empty() {
            policy.insert(name.to_owned(), Value::Array(list));
        }
    }
    Value::Object(policy)
}

fn token_json(token: &Token) -> Value {
    let [signature, timestamp, expires] = &token.parameters;
    let mut json = json!({
        "format": "nginx-hmac",
        "keys": token.keys,
        "parameters": { "signature": signature, "timestamp": timestamp, "expires": expires },
        "pattern": token.pattern,
    });
    if let (true, Some(members)) = (token.weak_keys, json.as_object_mut()) {
        members.insert("weak_keys".to_owned(), true.into());
    }
    json
}

fn policy_lines(draft: &Draft, secrets: &Secrets, (kind, file): (&str, &str)) -> String {
    let mut text = format!("# Made by `edgeward import {kind}` from {}.\n", visible(file));
    let _ = writeln!(text, "# Secrets it needs: {}", needed(draft, secrets).join(", "));
    text.push_str("\n[vars.EDGEWARD]\n");
    for (name, value) in [("realm", &draft.realm), ("origin", &draft.origin)] {
        if let Some(value) = value {
            let _ = writeln!(text, "{name} = {}", quoted(value));
        }
    }
    for token in &draft.tokens {
        let _ = write!(text, "\n# {}:{}\n[[vars.EDGEWARD.tokens]]\n", visible(file), token.line);
        members(&mut text, &token_json(token), &["format", "keys", "parameters", "pattern", "weak_keys"]);
    }
    for rule in &draft.rules {
        let _ = write!(
            text,
            "\n# {}:{} {}\n[[vars.EDGEWARD.rules]]\n",
            visible(file),
            rule.line,
            visible(&rule.what)
        );
        members(
            &mut text,
            &rule.json(),
            &["path", "host", "methods", "access", "accept", "users", "groups", "networks"],
        );
    }
    for suggestion in &draft.suggestions {
        let _ = write!(text, "\n{}\n", commented(suggestion));
    }
    text
}

/// The members of an object, in this order.
fn members(text: &mut String, object: &Value, order: &[&str]) {
    for name in order {
        if let Some(value) = object.get(name) {
            let _ = writeln!(text, "{name} = {}", toml_value(value));
        }
    }
}

fn toml_value(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(toml_value).collect::<Vec<_>>().join(", "))
        }
        Value::Object(object) => {
            let pairs = ["signature", "timestamp", "expires"];
            let pairs = pairs.iter().filter_map(|name| Some((name, object.get(*name)?)));
            let pairs: Vec<_> =
                pairs.map(|(name, value)| format!("{name} = {}", toml_value(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        other => other.to_string(),
    }
}

/// A basic string of TOML: JSON's escapes are TOML's too, but for DEL, which JSON leaves as it is.
fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

fn commented(text: &str) -> String {
    text.lines().map(|line| format!("# {}", visible(line))).collect::<Vec<_>>().join("\n")
}

/// The names of the secrets that the policy needs.
fn needed(draft: &Draft, secrets: &Secrets) -> Vec<&'static str> {
    let mut names = vec!["EDGEWARD_SECRET"];
    if draft.needs_users {
        names.push("EDGEWARD_USERS");
    }
    if !secrets.kids().is_empty() {
        names.push("EDGEWARD_KEYS");
    }
    names
}

fn todo(draft: &Draft, secrets: &Secrets, written: Option<&Path>) -> Vec<String> {
    let mut todo = vec!["EDGEWARD_SECRET: make one with `edgeward keygen --only secret`.".to_owned()];
    let again = "run this again with --secrets-out FILE";
    let kids = secrets.kids();
    if let Some(file) = written {
        todo.push(format!(
            "{} holds what was carried over ({}, {}): npx wrangler secret bulk {0}",
            file.display(),
            counted(secrets.accounts(), "account"),
            counted(kids.len(), "key")
        ));
    } else {
        if secrets.accounts() > 0 {
            todo.push(format!(
                "EDGEWARD_USERS: {} to carry over; {again}.",
                counted(secrets.accounts(), "account")
            ));
        }
        if !kids.is_empty() {
            todo.push(format!("EDGEWARD_KEYS: the keys {}; {again}.", kids.join(", ")));
        }
    }
    if draft.needs_users && secrets.accounts() == 0 {
        todo.push(
            "EDGEWARD_USERS: no account is carried over; `edgeward hash` makes a line for each.".to_owned(),
        );
    }
    for user in secrets.lost() {
        todo.push(format!("A new password for {}: edgeward hash, and add the line.", visible(user)));
    }
    todo.push("Then: edgeward check.".to_owned());
    todo
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

fn notes(draft: &Draft, file: &str, todo: &[String]) -> Vec<String> {
    let mut notes = Vec::new();
    for (title, carried) in [("Not carried over:", false), ("Carried over, and not the same here:", true)] {
        let list: Vec<&Left> = draft.left.iter().filter(|left| left.carried == carried).collect();
        if !list.is_empty() {
            notes.push(title.to_owned());
            notes.extend(list.into_iter().map(|left| format!("  {}", sentence(left, file))));
        }
    }
    notes.push("Still to do:".to_owned());
    notes.extend(todo.iter().map(|line| format!("  {line}")));
    notes
}

fn sentence(left: &Left, file: &str) -> String {
    let file = left.file.as_deref().unwrap_or(file);
    let line = left.line.map(|line| format!(":{line}")).unwrap_or_default();
    visible(&format!("{file}{line}: {}: {}.", left.what, left.why))
}

fn left_json(left: &Left, file: &str) -> Value {
    json!({
        "file": left.file.as_deref().unwrap_or(file),
        "line": left.line,
        "what": left.what,
        "why": left.why,
    })
}
