//! Steps 8 to 18: who it is.

mod account;
mod key;
mod link;
mod password;
mod revoked;
mod session;
mod token;

pub use account::in_good_standing;
pub use link::{count_use, counter};
pub use password::prove_password;
pub use session::{session_of, session_shown, stands};

use super::ambient::is_cross_site;
use super::second_factor;
use super::{Authenticated, Circumstances, Gate, Question, not_configured};
use crate::config::Verifiers;
use crate::credentials::{self, Credentials};
use crate::policy::{Kind, Policy, Rule};
use crate::request::RequestFacts;
use crate::session::Session;
use crate::token::jwt::VerifiedJwt;
use crate::token::signed_url::{Grant, Seen};
use crate::verdict::{Cause, Refusal};

/// Why steps 8 to 18 found nobody.
pub enum Halt {
    /// Nobody that we know.
    Refused(Refusal),
    /// Something from outside has to be known first.
    Needs(Question),
}

impl Halt {
    /// The same, with the kind of the credentials that were looked at.
    #[must_use]
    pub fn sent(self, kind: Kind) -> Self {
        match self {
            Self::Refused(refusal) => Self::Refused(refusal.sent(kind)),
            Self::Needs(question) => Self::Needs(question),
        }
    }
}

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Somebody known, and what authorizing needs besides.
pub struct Known {
    /// The proof.
    pub authenticated: Authenticated,
    /// The token, where that was what proved it.
    pub token: Option<VerifiedJwt>,
    /// The signed URL, where the token stood in the URL itself.
    pub link: Option<Grant>,
    /// Whether the browser that confirms it holds the cookie for it already.
    pub is_held: bool,
    /// The session, where that was what proved it.
    pub session: Option<Session>,
}

impl From<Authenticated> for Known {
    fn from(authenticated: Authenticated) -> Self {
        Self { authenticated, token: None, link: None, is_held: false, session: None }
    }
}

/// A request with everything that identifying takes.
struct Asking<'a> {
    gate: &'a Gate,
    policy: &'a Policy,
    verifiers: &'a Verifiers,
    at: &'a Circumstances<'a>,
}

/// Steps 8 to 18: who it is, and whether that is proven well enough.
///
/// # Errors
/// Who it is not, or what has to be known first.
pub fn identify(
    gate: &Gate,
    policy: &Policy,
    rule: &Rule,
    facts: &RequestFacts<'_>,
    at: &Circumstances<'_>,
) -> Result<Known, Halt> {
    let Some(verifiers) = &gate.config.verifiers else {
        return Err(not_configured("A secret or binding that the policy needs is missing or wrong.").into());
    };
    let bearing = credentials::Bearing::read(facts, &gate.places);
    let seen = bearing.seen(facts);
    let credentials = credentials::extract(facts, &gate.places, rule.accept, &verifiers.links, seen.as_ref());
    if credentials.is_ambient() && is_cross_site(policy, rule, facts, &credentials) {
        let detail = "Another site caused this request, and the browser added the credentials by itself.";
        return Err(Refusal::new(Cause::CrossSite, detail).into());
    }
    let asking = Asking { gate, policy, verifiers, at };
    let is_link = matches!(credentials, Credentials::Link(_) | Credentials::Jar(_));
    let known = match asking.look_at(credentials, seen.as_ref(), rule, facts) {
        Err(Halt::Refused(refusal)) if is_link => asking.by_session_besides(refusal, rule, facts),
        known => known,
    }?;
    second_factor::demand(verifiers, rule, &known)?;
    Ok(known)
}

impl Asking<'_> {
    fn look_at(
        &self,
        credentials: Credentials<'_>,
        seen: Option<&Seen<'_>>,
        rule: &Rule,
        facts: &RequestFacts<'_>,
    ) -> Result<Known, Halt> {
        match credentials {
            Credentials::Ambiguous(it) => {
                Err(Refusal { sent: it.kind, ..Refusal::new(Cause::RequestAmbiguous, it.detail) }.into())
            }
            Credentials::Missing => {
                Err(Refusal::new(Cause::CredentialsMissing, "The request bears no credentials.").into())
            }
            Credentials::Unsupported(kind) => Err(unsupported(kind, rule).into()),
            Credentials::Malformed => {
                let detail = "The Authorization field names no scheme.";
                Err(Refusal::new(Cause::CredentialsMalformed, detail).into())
            }
            Credentials::Basic(value) => self.by_password(value.expose(), facts),
            Credentials::Token(value, place) => self.by_token(value.expose(), place, facts),
            Credentials::ApiKey(value) => self.by_key(value.expose()),
            Credentials::Link(strength) => match seen {
                Some(seen) => self.by_link(seen, strength),
                None => Err(Refusal::new(Cause::CredentialsMissing, "The request bears no link.").into()),
            },
            Credentials::Session(value) => self.by_session(value.expose(), facts),
            Credentials::Jar(value) => match seen {
                Some(seen) => self.by_jar(seen, value.expose()),
                None => Err(Refusal::new(Cause::CredentialsMissing, "The request bears no link.").into()),
            },
        }
    }
}

fn unsupported(kind: Option<Kind>, rule: &Rule) -> Refusal {
    let detail = match kind {
        Some(Kind::Bearer) if rule.accept.has(Kind::Bearer) => {
            "No token is looked for in the Authorization field."
        }
        _ => "No credentials of this kind are accepted here.",
    };
    Refusal { sent: kind, ..Refusal::new(Cause::CredentialsUnsupported, detail) }
}
