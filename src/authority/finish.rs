//! Coming back: with a code of the authority's, or with what a Discourse says.
//!
//! | | where | then |
//! | --- | --- | --- |
//! | 1 | the errand is none of ours, or over | refused, `session-invalid` |
//! | 2 | another browser was sent on it | refused, `session-invalid` |
//! | 3 | the code is not for this host and this errand, or its minute is over; Discourse did not sign this | refused, `session-invalid` |
//! | 4 | the session would not be good here: the account was changed, is switched off, was signed out | refused as that is |
//! | 5 | somebody came back on this errand before | refused, `session-invalid` |
//! | 6 | none of these | a session |
//!
//! Where the browser has a good session of this host all the same, as after a code that was sent twice, it goes on with
//! that: only what begins one is refused.

use super::away::shared_key;
use super::discourse::{Fault, Message};
use super::{Errand, Sent, asked, cookie};
use crate::authenticate::{About, Circumstances, Gate, Halt, LedgerQuestion, Question, session_of, stands};
use crate::json::{Json, push_string};
use crate::policy::{Kind, SessionSettings};
use crate::request::{RequestFacts, Scheme};
use crate::reserved::form_value;
use crate::session::{Beginning, ELSEWHERE, Factors, ID_SIZE, STAMP_SIZE, Session};
use crate::time::Lifetime;
use crate::verdict::{Cause, Refusal};

/// Octets of groups that are kept, whatever they are. With more, only those count that a rule names: all have to fit into
/// a cookie.
const MOST_GROUPS: usize = 300;
/// The ledger remembers an errand for so much longer than it lasts: clocks differ.
const MARGIN: Lifetime = Lifetime::from_seconds(120);

/// Where the browser goes on, and with what.
#[derive(Debug)]
pub struct Finished {
    /// What it was sent for, where that can be told.
    pub errand: Option<Errand>,
    /// What it has now.
    pub came: Came,
}

/// With what somebody came back.
#[derive(Debug)]
pub enum Came {
    /// A session begins.
    In(Box<Session>),
    /// There was one before, and it is good.
    Known,
    /// There is none.
    Refused(Refusal),
}

/// Takes what a browser brings back. `id`: drawn at random, for the session of who signed in at a Discourse; the
/// authority's has its own.
///
/// # Errors
/// What has to be known first.
pub fn finish(
    gate: &Gate,
    sent: Sent,
    facts: &RequestFacts<'_>,
    at: &Circumstances<'_>,
    id: [u8; ID_SIZE],
) -> Result<Finished, Question> {
    let mut finishing = Finishing { gate, facts, at, id, errand: None };
    let came = match finishing.session(sent) {
        Ok(session) => Came::In(Box::new(session)),
        Err(Halt::Needs(question)) => return Err(question),
        Err(Halt::Refused(refusal)) => finishing.known_all_the_same(refusal)?,
    };
    Ok(Finished { errand: finishing.errand, came })
}

struct Finishing<'a> {
    gate: &'a Gate,
    facts: &'a RequestFacts<'a>,
    at: &'a Circumstances<'a>,
    id: [u8; ID_SIZE],
    errand: Option<Errand>,
}

impl Finishing<'_> {
    fn session(&mut self, sent: Sent) -> Result<Session, Halt> {
        let (errand, session) = match sent {
            Sent::Authority => self.by_code()?,
            Sent::Discourse => self.by_message()?,
        };
        stands(self.gate, &session, self.at)?;
        self.spend(&errand)?;
        Ok(session)
    }

    fn by_code(&mut self) -> Result<(Errand, Session), Refusal> {
        let state = self.parameter("state").ok_or_else(|| invalid("There is not one state."))?;
        let errand = self.begun(Sent::Authority, &state)?;
        let code = self.parameter("code").ok_or_else(|| invalid("There is not one code."))?;
        let keys = self.gate.config.verifiers.as_ref().and_then(|verifiers| verifiers.authority.as_ref());
        let code = keys.and_then(|keys| keys.open_code(&self.facts.origin(), &errand, &code));
        let code = code.ok_or_else(|| invalid("The code is not for this host and this errand."))?;
        let session = code.session(self.at.now).ok_or_else(|| invalid("The code is too old."))?;
        Ok((errand, session.used(self.at.now)))
    }

    fn by_message(&mut self) -> Result<(Errand, Session), Refusal> {
        let settings = settings(self.gate).ok_or_else(|| invalid("Nobody can sign in here."))?;
        let consumer = settings.discourse.consumer.as_ref();
        let key = consumer.and_then(|it| shared_key(&self.gate.config, &it.key, self.at.now));
        let key = key.ok_or_else(|| invalid("The key of the Discourse is not in use."))?;
        let query = self.facts.query.unwrap_or_default();
        let message = Message::read(query, key.mac()).map_err(not_taken)?;
        let nonce = message.get("nonce").ok_or_else(|| invalid("There is no nonce."))?.to_owned();
        let errand = self.begun(Sent::Discourse, &nonce)?;
        if message.failed().map_err(not_taken)? {
            return Err(invalid("Nobody is signed in at the Discourse."));
        }
        let identity = message.identity().map_err(not_taken)?;
        let beginning = Beginning {
            user: &[ELSEWHERE, &identity.username].concat(),
            stamp: [0; STAMP_SIZE],
            factors: Factors::Elsewhere,
            remembered: false,
            groups: &self.groups(identity.groups),
        };
        Ok((errand, Session::begin(settings, &beginning, self.id, self.at.now)))
    }

    /// The errand that this browser was sent on, and that is not over.
    fn begun(&mut self, sent: Sent, sealed: &str) -> Result<Errand, Refusal> {
        let keys = self.gate.config.verifiers.as_ref().and_then(|verifiers| verifiers.authority.as_ref());
        let errand = keys.and_then(|keys| keys.open_errand(sent, &self.facts.origin(), sealed));
        let errand = errand.ok_or_else(|| invalid("No browser was sent away from here like that."))?;
        self.errand = Some(errand.clone());
        if !errand.in_time(self.at.now) {
            return Err(invalid("The browser was sent away too long ago."));
        }
        let field = self.facts.field("cookie").unwrap_or_default();
        if !cookie::is_on(&errand, &field, self.facts.scheme == Scheme::Https) {
            return Err(invalid("Another browser was sent away, or this one keeps no cookies."));
        }
        Ok(errand)
    }

    /// Counts the end of an errand: there is one.
    fn spend(&self, errand: &Errand) -> Result<(), Halt> {
        let Some(answer) = &self.at.answers.spent else {
            return Err(Halt::Needs(Question::Ledger(spending(errand))));
        };
        let answer = answer.as_deref().and_then(|answer| Json::parse(answer).ok());
        match answer.and_then(|answer| answer.get("ok").and_then(Json::as_bool)) {
            Some(true) => Ok(()),
            Some(false) => Err(invalid("The code was used before.").into()),
            None => {
                let detail = "EDGEWARD_LEDGER has to be asked, and does not answer.";
                Err(Refusal::new(Cause::CheckUnavailable, detail).into())
            }
        }
    }

    /// Whether the browser has a good session anyhow.
    fn known_all_the_same(&self, refusal: Refusal) -> Result<Came, Question> {
        if self.errand.is_none() {
            return Ok(Came::Refused(refusal));
        }
        match session_of(self.gate, self.facts, self.at) {
            Ok(Some(session)) if session.factors != Factors::Half => Ok(Came::Known),
            Err(Halt::Needs(question)) => Err(question),
            Ok(_) | Err(Halt::Refused(_)) => Ok(Came::Refused(refusal)),
        }
    }

    fn groups(&self, groups: Vec<String>) -> Vec<String> {
        if groups.iter().map(|group| group.len() + 2).sum::<usize>() <= MOST_GROUPS {
            return groups;
        }
        let rules = self.gate.config.policy.iter().flat_map(|policy| policy.rules.iter());
        let named: Vec<&String> = rules.flat_map(|rule| &rule.admits.groups).collect();
        groups.into_iter().filter(|group| named.contains(&group)).collect()
    }

    fn parameter(&self, name: &str) -> Option<String> {
        form_value(self.facts.query?, name).map(std::borrow::Cow::into_owned)
    }
}

fn settings(gate: &Gate) -> Option<&SessionSettings> {
    gate.config.policy.as_ref()?.session.as_ref()
}

fn invalid(detail: &str) -> Refusal {
    Refusal::new(Cause::SessionInvalid, detail).sent(Kind::Session)
}

/// For who reads the page it is all one; for who reads the log it is not.
fn not_taken(fault: Fault) -> Refusal {
    invalid(&asked::refusal(fault).detail)
}

/// One of 256 objects counts: neither one for all nor one for each.
fn spending(errand: &Errand) -> LedgerQuestion {
    let id = errand.id();
    let until = (errand.ends() + MARGIN).seconds();
    let mut arguments = String::from("[");
    push_string(&mut arguments, &id);
    arguments.push_str(",1,");
    arguments.push_str(&until.to_string());
    arguments.push(']');
    let object = ["away:", id.get(..2).unwrap_or_default()].concat();
    LedgerQuestion { about: About::Spent, object, method: "spend", arguments }
}
