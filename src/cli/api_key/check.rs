//! What is known of a key: its form, its name, its scopes. Never the key.

use super::Lists;
use crate::cli::input;
use crate::cli::output::{Misuse, Outcome, columns, visible};
use edgeward::api_key::{self, ApiKey, Form};
use edgeward::secret::Secret;
use serde_json::{Value, json};

/// Reads a key, and looks for it in the lists.
pub fn run(lists: impl FnOnce() -> Result<Lists, Misuse>) -> crate::cli::Result {
    let key = read_key()?;
    Ok(known(&key, &lists()?))
}

/// What is known of that one.
pub fn known(key: &Secret<String>, lists: &Lists) -> Outcome {
    let form = api_key::form(key.expose());
    // As at the gate: what is mistyped is not looked up.
    let digest = (form != Form::Mistyped).then(|| api_key::digest(key.expose()));
    let found = digest.and_then(|digest| lists.first(|keys| keys.find(&digest)));
    outcome(form, found, lists)
}

/// The key: standard input, or what is typed.
fn read_key() -> Result<Secret<String>, Misuse> {
    let text = if input::is_terminal() { input::ask_secret("API key: ")? } else { input::all()? };
    let key = text.expose().trim();
    if key.is_empty() {
        return Err(Misuse::new("No key: write it to standard input."));
    }
    Ok(Secret::new(key.to_owned()))
}

fn outcome(form: Form, found: Option<(ApiKey<'_>, &str)>, lists: &Lists) -> Outcome {
    let mut lines = vec![("Form".to_owned(), form_words(form).to_owned())];
    lines.push(("Known".to_owned(), known_words(form, found, lists)));
    if let Some((key, _)) = found {
        let scopes: Vec<&str> = key.scopes().collect();
        lines.push(("Name".to_owned(), visible(key.name())));
        lines.push((
            "Scopes".to_owned(),
            if scopes.is_empty() { "none".to_owned() } else { scopes.join(" ") },
        ));
    }
    let json = json!({
        "ok": found.is_some(),
        "form": form_name(form),
        "known": is_known(form, found, lists),
        "name": found.map(|(key, _)| key.name()),
        "scopes": found.map(|(key, _)| key.scopes().collect::<Vec<_>>()),
        "place": found.map(|(_, place)| place),
    });
    Outcome { yes: found.is_some(), ..Outcome::yes(columns(&lines), json) }
}

const fn form_name(form: Form) -> &'static str {
    match form {
        Form::Ours => "ours",
        Form::Mistyped => "mistyped",
        Form::Foreign => "foreign",
    }
}

const fn form_words(form: Form) -> &'static str {
    match form {
        Form::Ours => "ours, and the checksum fits",
        Form::Mistyped => {
            "mistyped: it begins with ew_, and length or checksum do not fit; copy it once more, whole"
        }
        Form::Foreign => "not ours: made elsewhere, perhaps",
    }
}

/// `null` where there was nothing to look in.
fn is_known(form: Form, found: Option<(ApiKey<'_>, &str)>, lists: &Lists) -> Value {
    if form != Form::Mistyped && lists.lists.is_empty() {
        return Value::Null;
    }
    found.is_some().into()
}

fn known_words(form: Form, found: Option<(ApiKey<'_>, &str)>, lists: &Lists) -> String {
    match (form, found) {
        (_, Some((_, place))) => format!("yes, in {place}"),
        (Form::Mistyped, None) => "no: the gate does not look it up".to_owned(),
        (Form::Ours | Form::Foreign, None) if lists.lists.is_empty() => {
            let absent = lists.absent.as_deref().unwrap_or("the list is empty");
            format!("not looked up: {absent}")
        }
        (Form::Ours | Form::Foreign, None) => format!("no, not in {}", lists.places()),
    }
}
