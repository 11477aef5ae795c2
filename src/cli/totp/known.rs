//! What the secrets that are here say of the user: whether there is an account, and a second factor already.

use super::SECRET;
use crate::cli::check::LONGEST_VARIABLE;
use crate::cli::nfc;
use crate::cli::output::visible;
use crate::cli::secrets::{Secrets, sentences};
use edgeward::password::htpasswd::Users;
use edgeward::secret::Secret;
use edgeward::token::mac::RootSecret;
use edgeward::totp::TotpSecrets;

/// What there is to say before the line is stored.
pub fn notes(user: &str, line: &str, secrets: &Secrets, root: &RootSecret) -> Vec<String> {
    let (mut notes, replaces) = lines_here(user, line, secrets, root);
    // A user-id that stands there twice makes all lines unreadable.
    let others =
        if replaces { "Keep the lines of all others" } else { "Store the line beside those that are there" };
    notes.push(format!("{others}, and then: npx wrangler secret put {SECRET} < FILE"));
    notes.push(
        "Codes are counted in EDGEWARD_LEDGER, which has to be bound: `edgeward check` looks.".to_owned(),
    );
    notes.extend(no_account(user, secrets));
    notes
}

/// A second factor without a first one lets nobody in.
fn no_account(user: &str, secrets: &Secrets) -> Option<String> {
    let is_of_users = |name: &str| name.starts_with("EDGEWARD_USERS");
    let users = secrets.iter().filter(|(name, _)| is_of_users(name));
    let users: Vec<_> = users.map(|(name, found)| (name.to_owned(), found.value.clone())).collect();
    // Nothing is verified here: any key will do for generated passwords.
    let key = [Secret::new(vec![0; 32])];
    let lacks = |users: Users| users.account(user).is_none();
    let is_absent = !users.is_empty() && Users::parse(&users, &key, nfc).is_ok_and(lacks);
    is_absent.then(|| {
        let user = visible(user);
        format!("{user} has no line in EDGEWARD_USERS here: without an account, there or in EDGEWARD_KV, it proves nothing.")
    })
}

/// Also whether the line takes the place of one that is there.
fn lines_here(user: &str, line: &str, secrets: &Secrets, root: &RootSecret) -> (Vec<String>, bool) {
    let user_shown = visible(user);
    let Some(found) = secrets.get(SECRET).filter(|found| !found.value.expose().trim().is_empty()) else {
        let words = format!(
            "not checked: {SECRET} is not here, so nobody knows whether {user_shown} has a line already; there may be one for each user."
        );
        return (vec![words], false);
    };
    let mut notes = Vec::new();
    let mut replaces = false;
    match TotpSecrets::parse(found.value.expose(), root, nfc) {
        Ok(known) if known.of(user).is_some() => {
            replaces = true;
            notes.push(format!(
                "{user_shown} has a line in {SECRET} ({}): put this one in its place, and the old app and recovery codes \
                 are worth nothing.",
                found.from
            ));
        }
        Ok(_) => {}
        // Perhaps the very reason for a new line.
        Err(problems) => notes.push(sentences(&problems)),
    }
    let octets = found.value.expose().len() + line.len() + 1;
    if octets > LONGEST_VARIABLE {
        notes.push(format!("{SECRET} would have {octets} bytes, and Cloudflare takes 5 KB."));
    }
    (notes, replaces)
}
