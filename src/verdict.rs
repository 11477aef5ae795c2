//! What was decided. Nothing in here knows a status code, a field or a page.

use crate::policy::{Kind, Kinds};
use crate::time::{Lifetime, UnixTime};
use crate::totp::Digits;
use std::borrow::Cow;

/// Why a request was not let in: each cause has its own words, and its name is what programs read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// No credentials at all.
    CredentialsMissing,
    /// Credentials that do not have their scheme's form.
    CredentialsMalformed,
    /// Credentials of a kind that is not accepted here.
    CredentialsUnsupported,
    /// Unknown user or wrong password: nobody is told which.
    CredentialsWrong,
    /// A token that does not have its format's form.
    TokenMalformed,
    /// A token signed in another way than its key allows.
    TokenAlgorithm,
    /// A token that names a key we do not have.
    TokenUnknownKey,
    /// A token that none of its keys signed.
    TokenBadSignature,
    /// A token that was good.
    TokenExpired,
    /// A token that will be good.
    TokenNotYetValid,
    /// A token that is older, or made to last longer, than the policy allows.
    TokenTooOld,
    /// A token of another issuer.
    TokenWrongIssuer,
    /// A token for another audience.
    TokenWrongAudience,
    /// A token without a claim that the policy requires.
    TokenMissingClaim,
    /// A signed URL that is used elsewhere than where it is for.
    TokenWrongScope,
    /// A token that was taken back.
    TokenRevoked,
    /// A link that was used as often as it may be.
    TokenSpent,
    /// A link that counts its uses, and was opened by what cannot be asked whether it means to.
    TokenNeedsConfirmation,
    /// A session cookie that is none of ours, or was changed.
    SessionInvalid,
    /// A session that has lasted as long as one may.
    SessionExpired,
    /// A session that nobody used for too long.
    SessionIdle,
    /// A session that was ended, or whose account has changed since.
    SessionRevoked,
    /// The first factor was right, and the second is still to come.
    SecondFactorRequired,
    /// Too many wrong tries for this account.
    TooManyAttempts,
    /// A request that can be read in more than one way.
    RequestAmbiguous,
    /// Known, but the rule wants somebody else.
    NotAllowed,
    /// Known, but the token's scopes do not suffice.
    InsufficientScope,
    /// Closed to all.
    Denied,
    /// Another site caused the request.
    CrossSite,
    /// An account that is switched off.
    AccountSuspended,
    /// A password that ran out.
    PasswordExpired,
    /// Sent in clear.
    InsecureTransport,
    /// A reserved path that is not there.
    NotFound,
    /// There, but not with this method.
    MethodNotAllowed,
    /// More content than a reserved path takes.
    ContentTooLarge,
    /// Our own defect.
    Internal,
    /// The origin could not be reached.
    OriginUnreachable,
    /// The origin did not answer in time.
    OriginTimeout,
    /// The configuration has a problem.
    NotConfigured,
    /// A store that has to be asked does not answer.
    CheckUnavailable,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 40] = [
        Self::CredentialsMissing,
        Self::CredentialsMalformed,
        Self::CredentialsUnsupported,
        Self::CredentialsWrong,
        Self::TokenMalformed,
        Self::TokenAlgorithm,
        Self::TokenUnknownKey,
        Self::TokenBadSignature,
        Self::TokenExpired,
        Self::TokenNotYetValid,
        Self::TokenTooOld,
        Self::TokenWrongIssuer,
        Self::TokenWrongAudience,
        Self::TokenMissingClaim,
        Self::TokenWrongScope,
        Self::TokenRevoked,
        Self::TokenSpent,
        Self::TokenNeedsConfirmation,
        Self::SessionInvalid,
        Self::SessionExpired,
        Self::SessionIdle,
        Self::SessionRevoked,
        Self::SecondFactorRequired,
        Self::TooManyAttempts,
        Self::RequestAmbiguous,
        Self::NotAllowed,
        Self::InsufficientScope,
        Self::Denied,
        Self::CrossSite,
        Self::AccountSuspended,
        Self::PasswordExpired,
        Self::InsecureTransport,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::ContentTooLarge,
        Self::Internal,
        Self::OriginUnreachable,
        Self::OriginTimeout,
        Self::NotConfigured,
        Self::CheckUnavailable,
    ];

    /// The name that programs read.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CredentialsMissing => "credentials-missing",
            Self::CredentialsMalformed => "credentials-malformed",
            Self::CredentialsUnsupported => "credentials-unsupported",
            Self::CredentialsWrong => "credentials-wrong",
            Self::TokenMalformed => "token-malformed",
            Self::TokenAlgorithm => "token-algorithm",
            Self::TokenUnknownKey => "token-unknown-key",
            Self::TokenBadSignature => "token-bad-signature",
            Self::TokenExpired => "token-expired",
            Self::TokenNotYetValid => "token-not-yet-valid",
            Self::TokenTooOld => "token-too-old",
            Self::TokenWrongIssuer => "token-wrong-issuer",
            Self::TokenWrongAudience => "token-wrong-audience",
            Self::TokenMissingClaim => "token-missing-claim",
            Self::TokenWrongScope => "token-wrong-scope",
            Self::TokenRevoked => "token-revoked",
            Self::TokenSpent => "token-spent",
            Self::TokenNeedsConfirmation => "token-needs-confirmation",
            Self::SessionInvalid => "session-invalid",
            Self::SessionExpired => "session-expired",
            Self::SessionIdle => "session-idle",
            Self::SessionRevoked => "session-revoked",
            Self::SecondFactorRequired => "second-factor-required",
            Self::TooManyAttempts => "too-many-attempts",
            Self::RequestAmbiguous => "request-ambiguous",
            Self::NotAllowed => "not-allowed",
            Self::InsufficientScope => "insufficient-scope",
            Self::Denied => "denied",
            Self::CrossSite => "cross-site",
            Self::AccountSuspended => "account-suspended",
            Self::PasswordExpired => "password-expired",
            Self::InsecureTransport => "insecure-transport",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::ContentTooLarge => "content-too-large",
            Self::Internal => "internal",
            Self::OriginUnreachable => "origin-unreachable",
            Self::OriginTimeout => "origin-timeout",
            Self::NotConfigured => "not-configured",
            Self::CheckUnavailable => "check-unavailable",
        }
    }

    /// The cause of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.name() == name)
    }
}

/// A refusal: the client's side of a verdict that is no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub cause: Cause,
    /// A sentence for programs that says what exactly was wrong; never a secret, nothing unverified.
    pub detail: String,
    /// The kind of the credentials that were looked at, if any were.
    pub sent: Option<Kind>,
    /// The moment the cause speaks of: when a token expired, or will be good.
    pub when: Option<UnixTime>,
    /// How long the cause speaks of: how long a session lasted, or may be idle.
    pub span: Option<Lifetime>,
    /// After how long a client may try again, where that depends on more than the cause.
    pub retry_after: Option<Lifetime>,
    /// How many digits a code has that would help (`second-factor-required`): `None` where the user has none to enter, or
    /// nothing on the page could take it.
    pub digits: Option<Digits>,
    /// Scopes the rule needs (`insufficient-scope`).
    pub scopes: Vec<String>,
    /// As whom the client is known, where it is.
    pub user: Option<String>,
    /// The `kid` of the key that signed what was sent, where its signature holds: for the log, not for the client.
    pub key: Option<String>,
}

impl Refusal {
    /// A refusal that says no more than its cause.
    #[must_use]
    pub fn new<'d>(cause: Cause, detail: impl Into<Cow<'d, str>>) -> Self {
        Self::of(cause, detail.into())
    }

    /// The same, compiled once.
    #[inline(never)]
    fn of(cause: Cause, detail: Cow<'_, str>) -> Self {
        Self {
            cause,
            detail: detail.into_owned(),
            sent: None,
            when: None,
            span: None,
            retry_after: None,
            digits: None,
            scopes: Vec::new(),
            user: None,
            key: None,
        }
    }

    /// The same, with the kind of the credentials that were looked at.
    #[must_use]
    pub const fn sent(mut self, kind: Kind) -> Self {
        self.sent = Some(kind);
        self
    }

    /// The same, with the key whose signature holds.
    #[must_use]
    pub fn signed_by(mut self, kid: &str) -> Self {
        self.key = Some(kid.to_owned());
        self
    }

    /// The same, with the moment it speaks of.
    #[must_use]
    pub const fn at(mut self, when: UnixTime) -> Self {
        self.when = Some(when);
        self
    }
}

/// A refusal with what the answer needs to know of the rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why, precisely.
    pub refusal: Refusal,
    /// The kinds that would have been accepted: one challenge each.
    pub accept: Kinds,
}
