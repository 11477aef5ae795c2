//! A user-id and password, as Basic has them.

use crate::cli::deployment::Deployment;
use crate::cli::nfc;
use crate::cli::output::{Misuse, Outcome, columns, visible};
use crate::cli::secrets::sentences;
use edgeward::credentials::basic;
use edgeward::password::htpasswd::Account;
use edgeward::time::UnixTime;
use edgeward::verdict::Cause;
use serde_json::json;

/// What the gate says to it, and what would have to be otherwise; the slow hash is run.
pub fn look(value: &str, deployment: &Deployment, now: UnixTime) -> crate::cli::Result {
    let is_here = deployment.secrets.iter().any(|(name, _)| name.starts_with("EDGEWARD_USERS"));
    if !is_here {
        return Err(deployment.secrets.absent("EDGEWARD_USERS"));
    }
    let problems: Vec<_> = deployment.problems().cloned().collect();
    let users = deployment.config.verifiers.as_ref().and_then(|verifiers| verifiers.users.as_ref());
    let Some(users) = users else {
        return Ok(refused(None, Cause::NotConfigured, &sentences(&problems), ""));
    };
    let sent = match basic::parse(value, nfc) {
        Ok(sent) => sent,
        Err(detail) => return Ok(refused(None, Cause::CredentialsMalformed, detail, "")),
    };
    let user = Some(sent.user.as_str());
    let is_right = users.check(&sent);
    let account = users.account(&sent.user);
    Ok(match account {
        None => {
            let advice = "EDGEWARD_USERS has no such account; a client is not told whether it has.";
            refused(user, Cause::CredentialsWrong, "User-id or password is wrong.", advice)
        }
        Some(_) if !is_right => {
            let advice = "The account is there: the password would have to be its own.";
            refused(user, Cause::CredentialsWrong, "User-id or password is wrong.", advice)
        }
        Some(account) if account.suspended() => {
            let advice = "Its line in EDGEWARD_USERS would have to be without !suspended.";
            refused(user, Cause::AccountSuspended, "The account is switched off.", advice)
        }
        Some(account) => in_time(account, now),
    })
}

fn in_time(account: &Account, now: UnixTime) -> Outcome {
    match account.until().filter(|until| now >= *until) {
        Some(until) => {
            let detail = format!("The password ran out at {until}.");
            let advice = "Its line in EDGEWARD_USERS would have to have a later !until.";
            refused(Some(account.user()), Cause::PasswordExpired, &detail, advice)
        }
        None => good(account),
    }
}

fn good(account: &Account) -> Outcome {
    let groups = account.groups().join(", ");
    let lines = [
        ("Kind".to_owned(), "a user-id and password (Basic)".to_owned()),
        ("User-id".to_owned(), visible(account.user())),
        ("Groups".to_owned(), if groups.is_empty() { "none".to_owned() } else { visible(&groups) }),
        ("Verdict".to_owned(), "good".to_owned()),
    ];
    let json = json!({ "ok": true, "kind": "basic", "user": account.user(), "groups": account.groups() });
    Outcome::yes(columns(&lines), json)
}

fn refused(user: Option<&str>, cause: Cause, detail: &str, advice: &str) -> Outcome {
    let mut lines = vec![("Kind".to_owned(), "a user-id and password (Basic)".to_owned())];
    lines.extend(user.map(|user| ("User-id".to_owned(), visible(user))));
    lines.push(("Verdict".to_owned(), format!("refused: {}: {detail}", cause.name())));
    let mut text = columns(&lines);
    if !advice.is_empty() {
        text.push_str(&format!("  {advice}\n"));
    }
    let json = json!({
        "ok": false,
        "kind": "basic",
        "user": user,
        "cause": cause.name(),
        "detail": detail,
        "advice": if advice.is_empty() { vec![] } else { vec![advice] },
    });
    Outcome { yes: false, ..Outcome::yes(text, json) }
}

/// What is known of an API key: its form, its name, its scopes.
pub fn of_key(key: &edgeward::secret::Secret<String>, which: &crate::cli::Which) -> Result<Outcome, Misuse> {
    let mut outcome = crate::cli::api_key::known(key, which)?;
    outcome.text = format!("{}{}", columns(&[("Kind ".to_owned(), "an API key".to_owned())]), outcome.text);
    if let Some(json) = outcome.json.as_object_mut() {
        json.insert("kind".to_owned(), "api-key".into());
    }
    Ok(outcome)
}
