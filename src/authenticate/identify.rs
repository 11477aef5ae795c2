//! Steps 8 to 17: who it is.

use super::ambient::is_cross_site;
use super::{Authenticated, Circumstances, Gate, PasswordQuestion, not_configured};
use crate::config::Verifiers;
use crate::credentials::{self, Credentials, basic};
use crate::password::htpasswd::Account;
use crate::policy::{Kind, Policy, Rule, TokenPlace};
use crate::request::RequestFacts;
use crate::secret::Secret;
use crate::time::UnixTime;
use crate::token::jwt::VerifiedJwt;
use crate::verdict::{Cause, Refusal};

/// What steps 8 to 17 found.
pub enum Identified {
    /// Somebody known.
    Known(Known),
    /// Nobody that we know.
    Refused(Refusal),
    /// The slow verification of a password comes first.
    NeedsPassword(PasswordQuestion),
}

/// Somebody known, and what authorizing needs of the token.
pub struct Known {
    /// The proof.
    pub authenticated: Authenticated,
    /// The token, where that was what proved it.
    pub token: Option<VerifiedJwt>,
}

impl From<Refusal> for Identified {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Steps 8 to 17: who it is.
pub fn identify(
    gate: &Gate,
    policy: &Policy,
    rule: &Rule,
    facts: &RequestFacts<'_>,
    at: &Circumstances<'_>,
) -> Identified {
    let Some(verifiers) = &gate.config.verifiers else {
        return not_configured("A secret or binding that the policy needs is missing or wrong.").into();
    };
    let credentials = credentials::extract(facts, &gate.places, rule.accept);
    if credentials.is_ambient() && is_cross_site(policy, rule, facts, &credentials) {
        let detail = "Another site caused this request, and the browser added the credentials by itself.";
        return Refusal::new(Cause::CrossSite, detail).into();
    }
    match credentials {
        Credentials::Ambiguous(it) => {
            Refusal { sent: it.kind, ..Refusal::new(Cause::RequestAmbiguous, it.detail) }.into()
        }
        Credentials::Missing => {
            Refusal::new(Cause::CredentialsMissing, "The request bears no credentials.").into()
        }
        Credentials::Unsupported(kind) => {
            let detail = match kind {
                Some(Kind::Bearer) if rule.accept.has(Kind::Bearer) => {
                    "No token is looked for in the Authorization field."
                }
                _ => "No credentials of this kind are accepted here.",
            };
            Refusal { sent: kind, ..Refusal::new(Cause::CredentialsUnsupported, detail) }.into()
        }
        Credentials::Malformed => {
            Refusal::new(Cause::CredentialsMalformed, "The Authorization field names no scheme.").into()
        }
        Credentials::Basic(value) => by_password(verifiers, value.expose(), at),
        Credentials::Token(value, place) => by_token(verifiers, &value, place, at),
    }
}

fn by_password(verifiers: &Verifiers, value: &str, at: &Circumstances<'_>) -> Identified {
    let Some(users) = &verifiers.users else {
        return not_configured("No accounts are configured.").into();
    };
    let user_pass = match basic::parse(value, at.nfc) {
        Ok(user_pass) => user_pass,
        Err(detail) => {
            return Refusal::new(Cause::CredentialsMalformed, detail).sent(Kind::Basic).into();
        }
    };
    let account = users.account(&user_pass.user);
    let proof = account.map(|account| at.proven.proof(&user_pass, account));
    let proven = proof.as_ref().is_some_and(|proof| at.proven.holds(proof, at.now));
    let right = if proven { Some(true) } else { at.password };
    match (right, account) {
        (None, _) => Identified::NeedsPassword(PasswordQuestion { user_pass, proof }),
        (Some(true), Some(account)) => in_good_standing(account, Kind::Basic, at.now)
            .map_or_else(Identified::Refused, |()| Identified::Known(known_account(account))),
        (Some(_), _) => {
            Refusal::new(Cause::CredentialsWrong, "User-id or password is wrong.").sent(Kind::Basic).into()
        }
    }
}

/// Step 17.
fn in_good_standing(account: &Account, kind: Kind, now: UnixTime) -> Result<(), Refusal> {
    if account.suspended() {
        let refusal = Refusal::new(Cause::AccountSuspended, "The account is switched off.").sent(kind);
        return Err(Refusal { user: Some(account.user().to_owned()), ..refusal });
    }
    match account.until() {
        Some(until) if now >= until => {
            let refusal = Refusal::new(Cause::PasswordExpired, format!("The password ran out at {until}."));
            Err(Refusal { user: Some(account.user().to_owned()), ..refusal.sent(kind).at(until) })
        }
        Some(_) | None => Ok(()),
    }
}

fn known_account(account: &Account) -> Known {
    let authenticated = Authenticated {
        kind: Kind::Basic,
        user: Some(account.user().to_owned()),
        groups: account.groups().to_vec(),
        scopes: Vec::new(),
        expires: account.until(),
        key: None,
        is_account: true,
    };
    Known { authenticated, token: None }
}

fn by_token(
    verifiers: &Verifiers,
    value: &Secret<String>,
    place: &TokenPlace,
    at: &Circumstances<'_>,
) -> Identified {
    let Some(jwt) = &verifiers.jwt else {
        return not_configured("No keys of tokens are configured.").into();
    };
    let token = match bearer_value(value.expose(), place) {
        Ok(token) => token,
        Err(refusal) => return refusal.into(),
    };
    match jwt.verify(&token, place, at.now) {
        Ok(token) if token.trust_subject() => {
            let kid = token.kid().to_owned();
            let trusted =
                trusted_account(verifiers, token, at.now).map_err(|refusal| refusal.signed_by(&kid));
            trusted.map_or_else(Identified::Refused, Identified::Known)
        }
        Ok(token) => Identified::Known(known_token(token)),
        Err(refusal) => refusal.into(),
    }
}

/// The token itself, out of the place it was found in.
fn bearer_value<'v>(value: &'v str, place: &TokenPlace) -> Result<std::borrow::Cow<'v, str>, Refusal> {
    let malformed = |cause, detail| Refusal::new(cause, detail).sent(Kind::Bearer);
    match place {
        TokenPlace::Authorization if !credentials::authorization::is_b64token(value) => Err(malformed(
            Cause::CredentialsMalformed,
            "What follows Bearer is not a b64token (RFC 6750 section 2.1).",
        )),
        TokenPlace::Authorization | TokenPlace::Cookie(_) | TokenPlace::Header(_) => Ok(value.into()),
        TokenPlace::Query(_) => credentials::query::decode_value(value).ok_or_else(|| {
            malformed(Cause::TokenMalformed, "The query parameter is not percent-encoded UTF-8.")
        }),
    }
}

/// With `trust_subject`, `sub` is a user-id of ours: the account must exist, and its line's groups and flags hold.
fn trusted_account(verifiers: &Verifiers, token: VerifiedJwt, now: UnixTime) -> Result<Known, Refusal> {
    let Some(subject) = token.subject() else {
        let detail = "The token has no sub, and its subject is to name an account.";
        return Err(Refusal::new(Cause::TokenMissingClaim, detail).sent(Kind::Bearer));
    };
    let account = verifiers.users.as_ref().and_then(|users| users.account(subject));
    let Some(account) = account else {
        let detail = "The token's subject names no account.";
        return Err(Refusal::new(Cause::CredentialsWrong, detail).sent(Kind::Bearer));
    };
    in_good_standing(account, Kind::Bearer, now)?;
    let account = known_account(account).authenticated;
    let mut known = known_token(token);
    known.authenticated.user = account.user;
    known.authenticated.groups = account.groups;
    known.authenticated.is_account = true;
    Ok(known)
}

fn known_token(token: VerifiedJwt) -> Known {
    let authenticated = Authenticated {
        kind: Kind::Bearer,
        user: token.subject().map(|subject| format!("token:{subject}")),
        groups: token.groups().to_vec(),
        scopes: token.scopes().map(str::to_owned).collect(),
        expires: token.expires(),
        key: Some(token.kid().to_owned()),
        is_account: false,
    };
    Known { authenticated, token: Some(token) }
}
