//! `WWW-Authenticate`: one challenge for each kind that would have been accepted (RFC 9110 §11.6.1).
//!
//! 1. Every 401 carries at least one. 403 `insufficient-scope`, and 400 on Bearer credentials, carry `Bearer` too
//!    (RFC 6750 §3.1).
//! 2. A browser that fetches for a script must not open its password prompt over somebody's page: `Basic` goes
//!    only to navigations and to clients that send no `Sec-Fetch-Mode`. A script for which Basic is all there is
//!    gets `EdgewardBasic`, which no browser knows.
//! 3. API keys have a scheme of their own, `ApiKey`, which names their field; where that is `Authorization`, they are
//!    Bearer values and share that challenge. `error` is for what RFC 6750 is about: Bearer values and signed URLs.

use crate::policy::{Kind, Kinds};
use crate::reserved::SIGN_IN;
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

/// What the policy says of challenges.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'p> {
    /// `realm` (RFC 9110 §11.5).
    pub realm: &'p str,
    /// The field of API keys, as the operator wrote its name.
    pub api_key: &'p str,
}

impl Terms<'_> {
    /// Whether an API key is a Bearer value.
    const fn keys_are_bearer(self) -> bool {
        self.api_key.eq_ignore_ascii_case("authorization")
    }
}

/// The field values, one for each challenge.
#[must_use]
pub fn challenges(refused: &Refused, terms: Terms<'_>, asker: Asker, status: u16) -> Vec<String> {
    let refusal = &refused.refusal;
    match (status, refusal.cause, refusal.sent) {
        (401, ..) => {
            // Who has a good link and is asked to press a button must not be asked for a password first.
            let is_asked = refusal.cause == Cause::TokenNeedsConfirmation && asker == Asker::Navigation;
            let asker = if is_asked { Asker::Subresource } else { asker };
            let of = |kind| challenge(kind, refused.accept, refusal, terms, asker);
            let mut challenges: Vec<String> = refused.accept.iter().filter_map(of).collect();
            // No scheme is for signed URLs; where they stand alone, Bearer says why the token was not taken.
            if challenges.is_empty() && refused.accept.has(Kind::SignedUrl) {
                challenges.push(bearer(terms, refusal));
            }
            // Bearer and API keys are neighbours, and may be challenged alike.
            challenges.dedup();
            challenges
        }
        (_, Cause::InsufficientScope, Some(Kind::ApiKey)) => vec![api_key(terms, refusal)],
        (_, Cause::InsufficientScope, _) | (400, _, Some(Kind::Bearer)) => vec![bearer(terms, refusal)],
        _ => Vec::new(),
    }
}

/// The challenge of Basic (RFC 7617 §2, §2.1).
#[must_use]
pub fn basic(realm: &str) -> String {
    format!("Basic realm={}, charset=\"UTF-8\"", quoted(realm))
}

fn challenge(kind: Kind, accept: Kinds, refusal: &Refusal, terms: Terms<'_>, asker: Asker) -> Option<String> {
    let alone = accept.iter().count() == 1;
    let realm = quoted(terms.realm);
    match (kind, asker) {
        // The page itself is where people sign in: no prompt opens in front of it.
        (Kind::Basic, Asker::Navigation) if accept.has(Kind::Session) => None,
        (Kind::Basic, Asker::Navigation | Asker::Other) => Some(basic(terms.realm)),
        (Kind::Basic, Asker::Subresource) => alone.then(|| format!("EdgewardBasic realm={realm}")),
        (Kind::Bearer, _) => Some(bearer(terms, refusal)),
        (Kind::ApiKey, _) => Some(api_key(terms, refusal)),
        (Kind::SignedUrl, _) => None,
        (Kind::Session, _) => Some(format!("Session realm={realm}, sign-in={}", quoted(SIGN_IN))),
    }
}

/// The scheme of API keys; as Bearer values they have that one's.
fn api_key(terms: Terms<'_>, refusal: &Refusal) -> String {
    if terms.keys_are_bearer() {
        return bearer(terms, refusal);
    }
    let challenge = format!("ApiKey realm={}, header={}", quoted(terms.realm), quoted(terms.api_key));
    with_scopes(challenge, refusal)
}

/// RFC 6750 §3: `error` and `error_description` only where a token was sent.
fn bearer(terms: Terms<'_>, refusal: &Refusal) -> String {
    let mut challenge = format!("Bearer realm={}", quoted(terms.realm));
    let by_other_field = refusal.sent == Some(Kind::ApiKey) && !terms.keys_are_bearer();
    let Some(error) = error(refusal).filter(|_| !by_other_field) else { return challenge };
    challenge.push_str(&format!(", error=\"{error}\", error_description=\"{}\"", described(&refusal.detail)));
    with_scopes(challenge, refusal)
}

fn with_scopes(mut challenge: String, refusal: &Refusal) -> String {
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
        | Cause::SessionInvalid
        | Cause::SessionExpired
        | Cause::SessionIdle
        | Cause::SessionRevoked
        | Cause::SecondFactorRequired
        | Cause::TooManyAttempts
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
        let terms = Terms { realm: "My \"place\"", api_key: "X-API-Key" };
        challenges(&Refused { refusal, accept }, terms, asker, status)
    }

    /// What is said in realm "R", where API keys are in that field and the token's scope lacks `read` and `write`.
    fn by_field(api_key: &str, cause: Cause, sent: Option<Kind>, accept: &[Kind]) -> Vec<String> {
        let scopes = (cause == Cause::InsufficientScope).then(|| vec!["read".into(), "write".into()]);
        let scopes = scopes.unwrap_or_default();
        let refusal = Refusal { sent, scopes, ..Refusal::new(cause, "No.") };
        let accept = accept.iter().copied().collect();
        let status = crate::reply::status(cause);
        challenges(&Refused { refusal, accept }, Terms { realm: "R", api_key }, Asker::Other, status)
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

    const BEARER: &str = "Bearer realm=\"R\"";
    const INVALID: &str = "Bearer realm=\"R\", error=\"invalid_token\", error_description=\"No.\"";
    const KEY: &str = "ApiKey realm=\"R\", header=\"X-Acme-Key\"";

    #[test]
    fn api_keys_in_a_field_of_their_own() {
        use Kind::{ApiKey, Bearer, SignedUrl};
        let said = |cause, sent, accept: &[Kind]| by_field("X-Acme-Key", cause, sent, accept);
        let missing = Cause::CredentialsMissing;
        assert_eq!(said(missing, None, &[ApiKey]), [KEY]);
        assert_eq!(said(missing, None, &[Bearer, ApiKey, SignedUrl]), [BEARER, KEY]);
        for cause in [Cause::CredentialsWrong, Cause::TokenRevoked] {
            assert_eq!(said(cause, Some(ApiKey), &[Bearer, ApiKey]), [BEARER, KEY], "no token was sent");
        }
        assert_eq!(said(Cause::TokenRevoked, Some(Bearer), &[Bearer, ApiKey]), [INVALID, KEY]);
        let lacking = said(Cause::InsufficientScope, Some(ApiKey), &[Bearer, ApiKey]);
        assert_eq!(lacking, [[KEY, ", scope=\"read write\""].concat()]);
        assert!(said(Cause::CheckUnavailable, Some(ApiKey), &[ApiKey]).is_empty());
    }

    #[test]
    fn api_keys_as_bearer_values() {
        use Kind::{ApiKey, Basic, Bearer};
        let said = |cause, sent, accept: &[Kind]| by_field("authorization", cause, sent, accept);
        let basic = "Basic realm=\"R\", charset=\"UTF-8\"";
        assert_eq!(said(Cause::CredentialsMissing, None, &[Basic, Bearer, ApiKey]), [basic, BEARER]);
        assert_eq!(said(Cause::CredentialsMissing, None, &[ApiKey]), [BEARER]);
        assert_eq!(said(Cause::CredentialsWrong, Some(ApiKey), &[ApiKey]), [BEARER]);
        assert_eq!(said(Cause::TokenRevoked, Some(ApiKey), &[Bearer, ApiKey]), [INVALID]);
        let lacking = said(Cause::InsufficientScope, Some(ApiKey), &[ApiKey]);
        let wanted = "Bearer realm=\"R\", error=\"insufficient_scope\", error_description=\"No.\", scope=\"read write\"";
        assert_eq!(lacking, [wanted]);
    }

    #[test]
    fn signed_urls_alone_and_beside_others() {
        use Kind::{Basic, Bearer, SignedUrl};
        let said = |cause, sent, accept: &[Kind]| by_field("X-API-Key", cause, sent, accept);
        let sent = Some(SignedUrl);
        assert_eq!(said(Cause::CredentialsMissing, None, &[SignedUrl]), [BEARER]);
        let causes = [
            Cause::TokenExpired,
            Cause::TokenWrongScope,
            Cause::TokenRevoked,
            Cause::TokenSpent,
            Cause::TokenNeedsConfirmation,
        ];
        for cause in causes {
            assert_eq!(said(cause, sent, &[SignedUrl]), [INVALID], "{cause:?}");
            assert_eq!(said(cause, sent, &[Bearer, SignedUrl]), [INVALID], "{cause:?}");
            assert_eq!(said(cause, sent, &[Basic, SignedUrl]).len(), 1, "{cause:?}: Basic alone");
        }
    }
}
