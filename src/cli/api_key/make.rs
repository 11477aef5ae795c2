//! A new key, and its line.

use super::{Lists, SECRET};
use crate::cli::check::LONGEST_VARIABLE;
use crate::cli::output::{Misuse, Outcome, visible};
use crate::cli::random;
use crate::cli::secrets::sentences;
use edgeward::api_key::{self, ApiKeys};
use edgeward::secret::Secret;
use serde_json::json;

/// Makes a key that no list here has a name for, and reads its line as the gate does.
pub fn run(name: &str, scopes: &[String], lists: &Lists) -> crate::cli::Result {
    can_begin_a_line(name)?;
    if let Some((_, place)) = lists.first(|keys| keys.by_name(name)) {
        return Err(Misuse::new(format!(
            "The name {name:?} is taken, in {place}: choose another, or take that line out first."
        )));
    }
    let key = api_key::made(Secret::new(random::octets::<32>()?).expose());
    let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
    let line = api_key::line(name, &api_key::digest(key.expose()), &scopes);
    is_read_as_meant(&line, &key, name, &scopes)?;
    let notes = notes(&key, name, &line, lists);
    let json = json!({ "name": name, "scopes": scopes, "key": key.expose(), "line": line });
    Ok(Outcome { notes, ..Outcome::yes(format!("{line}\n"), json) })
}

/// What the reader of the list could not tell, as it takes such a line apart in another way.
fn can_begin_a_line(name: &str) -> Result<(), Misuse> {
    if name.contains(':') {
        return Err(Misuse::new("A name holds no colon: the first one ends it."));
    }
    if name.starts_with('#') {
        return Err(Misuse::new(format!("A name does not begin with #: such a line of {SECRET} is a note.")));
    }
    Ok(())
}

/// The gate's own reader has the last word.
fn is_read_as_meant(line: &str, key: &Secret<String>, name: &str, scopes: &[&str]) -> Result<(), Misuse> {
    let keys = ApiKeys::parse(line, SECRET).map_err(|problems| Misuse::new(sentences(&problems)))?;
    let found = keys.find(&api_key::digest(key.expose()));
    if found.is_some_and(|it| it.name() == name && it.scopes().eq(scopes.iter().copied())) {
        return Ok(());
    }
    Err(Misuse::new("The line would not be read as it is meant: name and scopes hold no line end."))
}

fn notes(key: &Secret<String>, name: &str, line: &str, lists: &Lists) -> Vec<String> {
    let name = visible(name);
    let mut notes = vec![
        format!("The key of {name}, shown this once: {}", key.expose()),
        "Hand over the key and keep the line: append it to the lines that are there, and then".to_owned(),
        format!("  npx wrangler secret put {SECRET} < FILE"),
        "or, for a list in KV,".to_owned(),
        "  npx wrangler kv key put --remote --binding EDGEWARD_KV api-keys --path FILE".to_owned(),
    ];
    if let Some(absent) = &lists.absent {
        notes.push(format!("not checked: {absent}; the name must not stand there yet."));
    }
    let octets = lists.secret_octets + line.len() + 1;
    if octets > LONGEST_VARIABLE {
        notes.push(format!(
            "{SECRET} would have {octets} bytes, and Cloudflare takes 5 KB: put the list into EDGEWARD_KV."
        ));
    }
    notes
}
