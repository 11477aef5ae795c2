//! `WWW-Authenticate`: one challenge for each kind that would have been accepted (RFC 9110 §11.6.1).
//!
//! 1. Every 401 carries at least one. 403 `insufficient-scope`, and 400 on Bearer credentials, carry `Bearer` too
//!    (RFC 6750 §3.1).
//! 2. A browser that fetches for a script must not open its password prompt over somebody's page: `Basic` goes
//!    only to navigations and to clients that send no `Sec-Fetch-Mode`. A script for which Basic is all there is
//!    gets `EdgewardBasic`, which no browser knows.

use crate::policy::{Kind, Kinds};
use crate::verdict::{Cause, Refusal, Refused};

/// Who asks, as far as challenges differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// A browser that navigates.
    Navigation,
    /// A browser that fetches for a page or a script.
    Subresource,
    /// A client that sends no `Sec-Fetch-Mode`.
    Other,
}

/// The field values, one for each challenge.
#[must_use]
pub fn challenges(refused: &Refused, realm: &str, asker: Asker, status: u16) -> Vec<String> {
    let refusal = &refused.refusal;
    let on_bearer = refusal.sent == Some(Kind::Bearer);
    match (status, refusal.cause) {
        (401, _) => refused
            .accept
            .iter()
            .filter_map(|kind| challenge(kind, refused.accept, refusal, realm, asker))
            .collect(),
        (_, Cause::InsufficientScope) => vec![bearer(realm, refusal)],
        (400, _) if on_bearer => vec![bearer(realm, refusal)],
        _ => Vec::new(),
    }
}

fn challenge(kind: Kind, accept: Kinds, refusal: &Refusal, realm: &str, asker: Asker) -> Option<String> {
    let alone = accept.iter().count() == 1;
    match (kind, asker) {
        (Kind::Basic, Asker::Navigation | Asker::Other) => {
            Some(format!("Basic realm={}, charset=\"UTF-8\"", quoted(realm)))
        }
        (Kind::Basic, Asker::Subresource) => alone.then(|| format!("EdgewardBasic realm={}", quoted(realm))),
        (Kind::Bearer, _) => Some(bearer(realm, refusal)),
        (Kind::ApiKey, _) => Some(format!("ApiKey realm={}, header={}", quoted(realm), quoted("X-API-Key"))),
        // No scheme is for signed URLs; where they are all there is, Bearer says why the token was not taken.
        (Kind::SignedUrl, _) => alone.then(|| bearer(realm, refusal)),
    }
}

/// RFC 6750 §3: `error` and `error_description` only where a token was sent.
fn bearer(realm: &str, refusal: &Refusal) -> String {
    let mut challenge = format!("Bearer realm={}", quoted(realm));
    let Some(error) = error(refusal) else { return challenge };
    challenge.push_str(&format!(", error=\"{error}\", error_description=\"{}\"", described(&refusal.detail)));
    if !refusal.scopes.is_empty() {
        challenge.push_str(&format!(", scope={}", quoted(&refusal.scopes.join(" "))));
    }
    challenge
}

/// The code of RFC 6750 §3.1 for a cause.
fn error(refusal: &Refusal) -> Option<&'static str> {
    let on_bearer = refusal.sent == Some(Kind::Bearer);
    match refusal.cause {
        Cause::TokenMalformed
        | Cause::TokenAlgorithm
        | Cause::TokenUnknownKey
        | Cause::TokenBadSignature
        | Cause::TokenExpired
        | Cause::TokenNotYetValid
        | Cause::TokenTooOld
        | Cause::TokenWrongIssuer
        | Cause::TokenWrongAudience
        | Cause::TokenMissingClaim
        | Cause::TokenWrongScope
        | Cause::TokenRevoked
        | Cause::TokenSpent
        | Cause::TokenNeedsConfirmation => Some("invalid_token"),
        Cause::CredentialsMalformed | Cause::CredentialsUnsupported | Cause::CredentialsWrong
            if on_bearer =>
        {
            Some("invalid_token")
        }
        Cause::RequestAmbiguous if on_bearer => Some("invalid_request"),
        Cause::InsufficientScope => Some("insufficient_scope"),
        Cause::CredentialsMissing
        | Cause::CredentialsMalformed
        | Cause::CredentialsUnsupported
        | Cause::CredentialsWrong
        | Cause::RequestAmbiguous
        | Cause::NotAllowed
        | Cause::Denied
        | Cause::CrossSite
        | Cause::AccountSuspended
        | Cause::PasswordExpired
        | Cause::InsecureTransport
        | Cause::NotFound
        | Cause::MethodNotAllowed
        | Cause::ContentTooLarge
        | Cause::Internal
        | Cause::OriginUnreachable
        | Cause::OriginTimeout
        | Cause::NotConfigured
        | Cause::CheckUnavailable => None,
    }
}

/// A quoted-string (RFC 9110 §5.6.4) of printable ASCII.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// Text cut down to what `error_description` may hold (RFC 6750 §3: %x20-21 / %x23-5B / %x5D-7E).
fn described(text: &str) -> String {
    text.chars().map(|c| if matches!(c, ' '..='~') && !matches!(c, '"' | '\\') { c } else { '\'' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: Kinds = Kinds::NONE.with(Kind::Basic).with(Kind::Bearer);
    const BASIC: Kinds = Kinds::NONE.with(Kind::Basic);

    fn said(cause: Cause, sent: Option<Kind>, accept: Kinds, asker: Asker, status: u16) -> Vec<String> {
        let refusal = Refusal { sent, ..Refusal::new(cause, "Say \"no\".") };
        challenges(&Refused { refusal, accept }, "My \"place\"", asker, status)
    }

    #[test]
    fn one_for_each_kind() {
        let basic = "Basic realm=\"My \\\"place\\\"\", charset=\"UTF-8\"";
        let bearer = "Bearer realm=\"My \\\"place\\\"\"";
        let missing = |accept, asker| said(Cause::CredentialsMissing, None, accept, asker, 401);
        assert_eq!(missing(BOTH, Asker::Other), [basic, bearer]);
        assert_eq!(missing(BOTH, Asker::Navigation), [basic, bearer]);
        assert_eq!(missing(BOTH, Asker::Subresource), [bearer]);
        assert_eq!(missing(BASIC, Asker::Subresource), ["EdgewardBasic realm=\"My \\\"place\\\"\""]);
    }

    #[test]
    fn errors_of_rfc_6750() {
        let bearer = Some(Kind::Bearer);
        let expired = said(Cause::TokenExpired, bearer, BOTH, Asker::Subresource, 401);
        assert_eq!(
            expired,
            ["Bearer realm=\"My \\\"place\\\"\", error=\"invalid_token\", error_description=\"Say 'no'.\""]
        );
        assert!(
            said(Cause::InsufficientScope, bearer, BOTH, Asker::Other, 403)[0].contains("insufficient_scope")
        );
        assert!(
            said(Cause::RequestAmbiguous, bearer, BOTH, Asker::Other, 400)[0].contains("invalid_request")
        );
        assert!(said(Cause::RequestAmbiguous, Some(Kind::Basic), BOTH, Asker::Other, 400).is_empty());
        assert!(said(Cause::NotAllowed, bearer, BOTH, Asker::Other, 403).is_empty());
    }
}
