//! By a session.

use super::account::in_good_standing;
use super::{Asking, Halt, Known, is_cross_site};
use crate::authenticate::{
    About, Authenticated, Circumstances, Gate, LedgerQuestion, Question, not_configured, second_factor,
};
use crate::credentials::{self, Credentials};
use crate::password::htpasswd::Account;
use crate::policy::{Kind, Rule};
use crate::request::RequestFacts;
use crate::revocation::{Issued, Traits, ledger, sessions};
use crate::session::{Ended, Factors, Session};
use crate::verdict::{Cause, Refusal};

/// The session that the request bears, be it half a one: of the same account as when it began, and not ended. `None` where
/// it bears none.
///
/// # Errors
/// Why it is not good, or what has to be known first.
pub fn session_of(
    gate: &Gate,
    facts: &RequestFacts<'_>,
    at: &Circumstances<'_>,
) -> Result<Option<Session>, Halt> {
    let (Some(policy), Some(verifiers)) = (&gate.config.policy, &gate.config.verifiers) else {
        return Err(not_configured("A secret or binding that the policy needs is missing or wrong.").into());
    };
    let value = credentials::session_alone(facts, &gate.places)
        .map_err(|detail| Refusal::new(Cause::RequestAmbiguous, detail).sent(Kind::Session))?;
    let Some(value) = value else { return Ok(None) };
    Asking { gate, policy, verifiers, at }.whose(value.expose(), facts).map(|known| known.session)
}

/// The session that a request bears, as far as its cookie alone tells: for a request that was let in by it.
#[must_use]
pub fn session_shown(gate: &Gate, facts: &RequestFacts<'_>) -> Option<Session> {
    let settings = gate.config.policy.as_ref()?.session.as_ref()?;
    let value = credentials::session_alone(facts, &gate.places).ok()??;
    let keys = gate.config.verifiers.as_ref()?.session.as_ref()?;
    keys.open(&settings.bound_to(&facts.host()), value.expose())
}

/// Whether a session that began on another host, or elsewhere altogether, is good here: its time, its account, and whether
/// it was ended.
///
/// # Errors
/// Why it is not, or what has to be known first.
pub fn stands(gate: &Gate, session: &Session, at: &Circumstances<'_>) -> Result<(), Halt> {
    let (Some(policy), Some(verifiers)) = (&gate.config.policy, &gate.config.verifiers) else {
        return Err(not_configured("A secret or binding that the policy needs is missing or wrong.").into());
    };
    let asking = Asking { gate, policy, verifiers, at };
    asking.in_time(session)?;
    asking.known_by(session).map(|_| ())
}

impl Asking<'_> {
    pub(super) fn by_session(&self, value: &str, facts: &RequestFacts<'_>) -> Result<Known, Halt> {
        let known = self.whose(value, facts)?;
        match known.session.as_ref().filter(|session| session.factors == Factors::Half) {
            None => Ok(known),
            Some(half) => {
                let detail = "The first factor was proven, and the second is still to come.";
                let digits = second_factor::digits(self.verifiers, &half.user);
                Err(Refusal { digits, ..of(half, Cause::SecondFactorRequired, detail) }.into())
            }
        }
    }

    /// Whose session it is, be it half a one.
    fn whose(&self, value: &str, facts: &RequestFacts<'_>) -> Result<Known, Halt> {
        let session = self.open(value, facts)?;
        let authenticated = self.known_by(&session)?;
        Ok(Known { session: Some(session), ..authenticated.into() })
    }

    /// Who a session that is in time makes known.
    fn known_by(&self, session: &Session) -> Result<Authenticated, Halt> {
        let groups = match session.factors {
            Factors::Elsewhere => self.groups_elsewhere(session)?,
            Factors::Half | Factors::Password | Factors::Both => self.line_of(session)?.groups().to_vec(),
        };
        let authenticated = Authenticated {
            user: Some(session.user.clone()),
            groups,
            expires: Some(session.ends),
            is_account: session.factors != Factors::Elsewhere,
            factors: Some(session.factors),
            ..Authenticated::nobody(Kind::Session)
        };
        self.not_ended(session, &authenticated)?;
        Ok(authenticated)
    }

    /// Nobody's word is taken any longer whom the policy no longer names.
    fn groups_elsewhere(&self, session: &Session) -> Result<Vec<String>, Refusal> {
        let settings = self.policy.session.as_ref();
        let is_taken = settings.is_some_and(|it| it.authority.is_some() || it.discourse.consumer.is_some());
        if is_taken {
            return Ok(session.groups.clone());
        }
        Err(of(session, Cause::SessionRevoked, "What another site says of its users is no longer taken."))
    }

    /// A valid session stands in for a signed URL that failed; one that is not valid changes nothing.
    pub(super) fn by_session_besides(
        &self,
        refusal: Refusal,
        rule: &Rule,
        facts: &RequestFacts<'_>,
    ) -> Result<Known, Halt> {
        let Some(value) = credentials::session_besides(facts, &self.gate.places, rule.accept) else {
            return Err(refusal.into());
        };
        let known = self.by_session(value.expose(), facts);
        if is_cross_site(self.policy, rule, facts, &Credentials::Session(value)) {
            return Err(refusal.into());
        }
        match known {
            Err(Halt::Refused(_)) => Err(refusal.into()),
            known => known,
        }
    }

    /// The session, as far as the cookie alone tells.
    fn open(&self, value: &str, facts: &RequestFacts<'_>) -> Result<Session, Halt> {
        let (Some(keys), Some(settings)) = (&self.verifiers.session, &self.policy.session) else {
            return Err(not_configured("Nobody can sign in here.").into());
        };
        let Some(session) = keys.open(&settings.bound_to(&facts.host()), value) else {
            let detail = "The session cookie was not made here, or was changed.";
            return Err(Refusal::new(Cause::SessionInvalid, detail).sent(Kind::Session).into());
        };
        self.in_time(&session)?;
        Ok(session)
    }

    fn in_time(&self, session: &Session) -> Result<(), Refusal> {
        match session.in_time(self.at.now) {
            Ok(()) => Ok(()),
            Err(Ended::Expired) => {
                let refusal = of(session, Cause::SessionExpired, "The session lasted as long as one may.");
                let span = Some(session.ends.since(session.began));
                Err(Refusal { span, ..refusal.at(session.ends) })
            }
            Err(Ended::Idle) => {
                let refusal = of(session, Cause::SessionIdle, "The session was not used for too long.");
                Err(Refusal { span: Some(session.idle), ..refusal.at(session.idle_ends()) })
            }
        }
    }

    /// The account's line, if it is the one the session was begun under.
    fn line_of(&self, session: &Session) -> Result<&Account, Halt> {
        let changed =
            || of(session, Cause::SessionRevoked, "The account was changed or removed since the sign-in.");
        let account =
            self.account(&session.user).map_err(|halt| halt.sent(Kind::Session))?.ok_or_else(changed)?;
        let holds = self.verifiers.session.as_ref().is_some_and(|keys| keys.is_of(session, account));
        if !holds {
            return Err(changed().into());
        }
        in_good_standing(account, Kind::Session, self.at.now)?;
        Ok(account)
    }

    /// Whether it was ended before its time: by signing out, or as tokens are revoked.
    fn not_ended(&self, session: &Session, who: &Authenticated) -> Result<(), Halt> {
        let (id, subjects) = (session.id_text(), [session.user.as_str()]);
        let traits =
            Traits { id: Some(&id), subjects: &subjects, key: None, issued: Issued::At(session.began) };
        match self.not_revoked(&traits, who) {
            Err(Halt::Refused(refusal)) if refusal.cause == Cause::TokenRevoked => {
                return Err(Refusal { cause: Cause::SessionRevoked, ..refusal }.into());
            }
            ended => ended?,
        }
        self.not_signed_out(session, who)
    }

    /// The lists are fresh by now where there are any.
    fn not_signed_out(&self, session: &Session, who: &Authenticated) -> Result<(), Halt> {
        let signed_out = || of(session, Cause::SessionRevoked, "Its user signed out, or was signed out.");
        if self.at.store.revoked.has_ended(session) {
            return Err(signed_out().into());
        }
        if !self.gate.config.ledger {
            return Ok(());
        }
        let arguments = sessions::marked_arguments(session);
        let Some(answer) = self.at.answers.revoked(&arguments) else {
            return Err(Halt::Needs(Question::Ledger(LedgerQuestion {
                about: About::Revoked,
                object: sessions::object(&session.user),
                method: ledger::MARKED,
                arguments,
            })));
        };
        match answer.as_deref().map(|answer| sessions::is_marked(answer, session)) {
            Some(Ok(false)) => Ok(()),
            Some(Ok(true)) => Err(signed_out().into()),
            Some(Err(_)) | None if self.policy.revocation.pass_unchecked => Ok(()),
            Some(Err(_)) | None => Err(self.unchecked(who).into()),
        }
    }
}

/// A refusal that knows whose session it was.
fn of(session: &Session, cause: Cause, detail: &str) -> Refusal {
    Refusal { user: Some(session.user.clone()), ..Refusal::new(cause, detail).sent(Kind::Session) }
}
