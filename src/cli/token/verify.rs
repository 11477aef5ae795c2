//! `edgeward token verify`: the gate's verdict on a token, and nothing else of it.

use super::given::{self, Given, Kind};
use super::ours::{self, Ours};
use super::{Shown, pair};
use crate::cli::deployment::Deployment;
use crate::cli::output::{Misuse, Outcome};
use crate::cli::secrets::sentences;
use crate::cli::{Which, clock};
use clap::Args;
use edgeward::policy::TokenPlace;
use edgeward::time::UnixTime;
use edgeward::token::jwt::VerifiedJwt;
use edgeward::verdict::{Cause, Refusal};
use serde_json::json;

const AFTER: &str = "\
It may be a JWT, one of Edgeward's own, an API key, or a user-id and password; signed URLs are for `edgeward url \
verify`. It is read from EDGEWARD_TOKEN or from standard input, never from an argument. What a rule asks for besides (scopes, groups, networks) is for `edgeward explain`.

Examples:
  edgeward token verify < token.txt
  EDGEWARD_TOKEN=\"$TOKEN\" edgeward token verify --at 2026-12-01T00:00:00Z --json";

/// Whether the gate would take a token: exit status 0 or 1, with the cause
#[derive(Args)]
#[command(after_help = AFTER)]
pub struct Verify {
    #[command(flatten)]
    shown: Shown,

    #[command(flatten)]
    which: Which,
}

impl Verify {
    /// Verifies it.
    pub fn run(self) -> crate::cli::Result {
        let Given { kind, value } = given::read()?;
        if kind == Kind::ApiKey {
            return pair::of_key(&value, &self.which);
        }
        let deployment = Deployment::find(&self.which)?;
        let now = clock::at(self.shown.at);
        if kind == Kind::Basic {
            return pair::look(value.expose(), &deployment, now);
        }
        if let Some(ours) = ours::look(value.expose(), &deployment, now) {
            return Ok(of_ours(ours));
        }
        Ok(match verdict(&deployment, value.expose(), &self.shown, now)? {
            Ok(token) => good(&token, now),
            Err(refusal) => bad(&refusal),
        })
    }
}

fn of_ours(ours: Ours) -> Outcome {
    match ours.verdict {
        Ok(taken) => {
            let mut json = taken.json;
            if let Some(members) = json.as_object_mut() {
                members.insert("ok".to_owned(), true.into());
                members.insert("kind".to_owned(), ours.kind.into());
            }
            Outcome::yes(format!("good: {}: {}\n", ours.kind, taken.words), json)
        }
        Err(refusal) => bad(&refusal),
    }
}

/// How long, in words.
pub(super) fn until(end: Option<UnixTime>, now: UnixTime) -> String {
    end.map_or("for ever".to_owned(), |at| format!("until {at} ({})", clock::relative(at, now)))
}

/// What the gate says to a token that is found in that place.
pub(super) fn verdict(
    deployment: &Deployment,
    token: &str,
    shown: &Shown,
    now: UnixTime,
) -> Result<Result<VerifiedJwt, Refusal>, Misuse> {
    if deployment.secrets.get("EDGEWARD_KEYS").is_none() {
        return Err(deployment.secrets.absent("EDGEWARD_KEYS"));
    }
    let problems: Vec<_> = deployment.problems().cloned().collect();
    let verifier = deployment.config.verifiers.as_ref().and_then(|verifiers| verifiers.jwt.as_ref());
    let (Some(verifier), Some(policy)) = (verifier, &deployment.config.policy) else {
        return Ok(Err(Refusal::new(Cause::NotConfigured, sentences(&problems))));
    };
    let place = shown.place(&policy.tokens);
    Ok(verifier.verify(token, &place, now).and_then(|token| has_account(deployment, token, now)))
}

/// With `trust_subject` the subject is a user-id of ours: its account must be there, and in good standing.
fn has_account(deployment: &Deployment, token: VerifiedJwt, now: UnixTime) -> Result<VerifiedJwt, Refusal> {
    if !token.trust_subject() || deployment.is_stood_in("EDGEWARD_USERS") {
        return Ok(token);
    }
    let Some(subject) = token.subject() else {
        return Err(Refusal::new(
            Cause::TokenMissingClaim,
            "The token has no sub, and its subject is to name an account.",
        ));
    };
    let users = deployment.config.verifiers.as_ref().and_then(|verifiers| verifiers.users.as_ref());
    match users.and_then(|users| users.account(subject)) {
        // It may be in EDGEWARD_KV, which is not asked here.
        None if deployment.config.store => Ok(token),
        None => Err(Refusal::new(Cause::CredentialsWrong, "The token's subject names no account.")),
        Some(account) if account.suspended() => {
            Err(Refusal::new(Cause::AccountSuspended, "The account is switched off."))
        }
        Some(account) if account.expired(now) => {
            Err(Refusal::new(Cause::PasswordExpired, "The password ran out."))
        }
        Some(_) => Ok(token),
    }
}

/// As whom the origin would know the client.
pub(super) fn user(token: &VerifiedJwt) -> Option<String> {
    token.subject().map(
        |subject| {
            if token.trust_subject() { subject.to_owned() } else { format!("token:{subject}") }
        },
    )
}

fn good(token: &VerifiedJwt, now: UnixTime) -> Outcome {
    let user = user(token);
    let until = until(token.expires(), now);
    let shown = crate::cli::output::visible(user.as_deref().unwrap_or("nobody in particular"));
    let text = format!("good: {shown}, by key {}, {until}\n", token.kid());
    let json = json!({
        "ok": true,
        "user": user,
        "kid": token.kid(),
        "algorithm": token.algorithm().name(),
        "groups": token.groups(),
        "scopes": token.scopes().collect::<Vec<_>>(),
        "expires": token.expires().map(UnixTime::seconds),
    });
    Outcome::yes(text, json)
}

fn bad(refusal: &Refusal) -> Outcome {
    let json = json!({ "ok": false, "cause": refusal.cause.name(), "detail": refusal.detail });
    let text = format!("refused: {}: {}\n", refusal.cause.name(), refusal.detail);
    Outcome { yes: false, ..Outcome::yes(text, json) }
}

/// A place as the policy writes it.
pub(super) fn place_name(place: &TokenPlace) -> String {
    match place {
        TokenPlace::Authorization => "authorization".to_owned(),
        TokenPlace::Cookie(name) => format!("cookie:{name}"),
        TokenPlace::Query(name) => format!("query:{name}"),
        TokenPlace::Header(name) => format!("header:{name}"),
    }
}
