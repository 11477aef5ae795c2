//! Signing in: what a form proves, and the session that begins with it.
//!
//! The first line that applies answers. For the form with a password:
//!
//! | | where | then |
//! | --- | --- | --- |
//! | 1 | it is no form of ours ([`form`]) | refused, `credentials-malformed` |
//! | 2 | too many wrong passwords ([`crate::attempts`]) | refused, `too-many-attempts` |
//! | 3 | nobody of that user-id, or another password: the same work, the same answer | refused, `credentials-wrong` |
//! | 4 | the account is switched off, or its password ran out | refused, `account-suspended`, `password-expired` |
//! | 5 | the user has a second factor | half a session: it opens the second form and nothing else |
//! | 6 | none of these | a session |
//!
//! For the form with a code:
//!
//! | | where | then |
//! | --- | --- | --- |
//! | 1 | no session, or one that is over | refused, `credentials-missing`, `session-…` |
//! | 2 | the code does not prove it ([`second_factor`]) | refused: `credentials-wrong`, `too-many-attempts`, … |
//! | 3 | half a session | a session of both factors |
//! | 4 | a whole one | the same session, now of both factors; it ends when it would have |
//!
//! Each session that begins, and each further factor, has an id of its own, drawn anew: what a browser was made to hold before
//! is worth nothing afterwards. A second factor that is proven once more is none further.
//!
//! Like [`authenticate`](crate::authenticate::authenticate()) this never waits: it says what it needs from outside, and is asked again from the
//! beginning with the answer.

pub mod form;

pub use form::{SignInForm, Step};

use crate::authenticate::{
    Circumstances, Gate, Halt, Question, in_good_standing, prove_password, second_factor, session_of,
};
use crate::password::UserPass;
use crate::policy::{Kind, Kinds, SessionSettings};
use crate::request::RequestFacts;
use crate::session::{Beginning, Factors, ID_SIZE, Session, SessionKeys};
use crate::verdict::{Cause, Refusal, Refused};

/// What came of it, or what it needs first.
#[derive(Debug)]
pub enum SignInOutcome {
    /// It is decided.
    Decided(SignIn),
    /// Something from outside: get it, and ask again with the answer.
    Needs(Question),
}

/// What came of it.
#[derive(Debug)]
pub enum SignIn {
    /// A session begins; of [`Factors::Half`] it is but a step.
    In(Box<Session>),
    /// None does.
    Refused(Refused),
}

/// Takes a form that was sent. `id`: drawn at random, for the session that may begin.
#[must_use]
pub fn sign_in(
    gate: &Gate,
    facts: &RequestFacts<'_>,
    form: &SignInForm,
    at: &Circumstances<'_>,
    id: [u8; ID_SIZE],
) -> SignInOutcome {
    let session = match Signing::new(gate, facts, at, id) {
        Ok(signing) => signing.take(&form.step),
        Err(refusal) => Err(refusal.into()),
    };
    match session {
        Ok(session) => SignInOutcome::Decided(SignIn::In(Box::new(session))),
        Err(Halt::Needs(question)) => SignInOutcome::Needs(question),
        Err(Halt::Refused(refusal)) => SignInOutcome::Decided(SignIn::Refused(refused(refusal))),
    }
}

/// A refusal of the form: the answer asks for a session, whatever else opens the page that it leads back to.
#[must_use]
pub fn refused(refusal: Refusal) -> Refused {
    Refused { refusal: refusal.sent(Kind::Session), accept: Kinds::NONE.with(Kind::Session) }
}

/// Everything that taking a form needs.
struct Signing<'a> {
    gate: &'a Gate,
    settings: &'a SessionSettings,
    keys: &'a SessionKeys,
    facts: &'a RequestFacts<'a>,
    at: &'a Circumstances<'a>,
    id: [u8; ID_SIZE],
}

impl<'a> Signing<'a> {
    fn new(
        gate: &'a Gate,
        facts: &'a RequestFacts<'a>,
        at: &'a Circumstances<'a>,
        id: [u8; ID_SIZE],
    ) -> Result<Self, Refusal> {
        let settings = gate.config.policy.as_ref().and_then(|policy| policy.session.as_ref());
        let keys = gate.config.verifiers.as_ref().and_then(|verifiers| verifiers.session.as_ref());
        match (settings, keys) {
            (Some(settings), Some(keys)) => Ok(Self { gate, settings, keys, facts, at, id }),
            _ => Err(Refusal::new(Cause::NotConfigured, "Nobody can sign in here.")),
        }
    }

    fn take(&self, step: &Step) -> Result<Session, Halt> {
        match step {
            Step::Password { user_pass, remember } => self.by_password(user_pass, *remember),
            Step::Code(code) => self.by_code(second_factor::Sent::Code(code.expose())),
            Step::Recovery(code) => self.by_code(second_factor::Sent::Recovery(code.expose())),
            Step::Malformed(detail) => Err(Refusal::new(Cause::CredentialsMalformed, *detail).into()),
        }
    }

    fn by_password(&self, user_pass: &UserPass, remembered: bool) -> Result<Session, Halt> {
        let account = prove_password(self.gate, self.facts, user_pass.clone(), self.at)?;
        in_good_standing(account, Kind::Session, self.at.now)?;
        let factors = if self.has_second(account.user()) { Factors::Half } else { Factors::Password };
        let stamp = self.keys.stamp(account);
        Ok(self.begin(&Beginning { user: account.user(), stamp, factors, remembered, groups: &[] }))
    }

    fn by_code(&self, sent: second_factor::Sent<'_>) -> Result<Session, Halt> {
        let Some(session) = session_of(self.gate, self.facts, self.at)? else {
            let detail = "A code is the second factor, and no first one was proven.";
            return Err(Refusal::new(Cause::CredentialsMissing, detail).into());
        };
        second_factor::verify(self.gate, &session.user, sent, self.at)?;
        if session.factors == Factors::Half {
            let Session { user, stamp, remembered, .. } = &session;
            let (stamp, remembered, factors) = (*stamp, *remembered, Factors::Both);
            return Ok(self.begin(&Beginning { user, stamp, factors, remembered, groups: &[] }));
        }
        // What proved both before proves no more now: under another id, signing out would leave a copy of the first good.
        let id = if session.factors == Factors::Both { session.id } else { self.id };
        Ok(Session { id, factors: Factors::Both, ..session.used(self.at.now) })
    }

    fn begin(&self, beginning: &Beginning<'_>) -> Session {
        Session::begin(self.settings, beginning, self.id, self.at.now)
    }

    fn has_second(&self, user: &str) -> bool {
        let secrets = self.gate.config.verifiers.as_ref().and_then(|verifiers| verifiers.totp.as_ref());
        secrets.is_some_and(|secrets| secrets.of(user).is_some())
    }
}

#[cfg(test)]
mod tests;
