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

#[cfg(test)]
mod tests {
    use super::super::errand::tests::{errand, keys};
    use super::super::tests::{NOW, config, config_of};
    use super::*;
    use crate::authenticate::{Answers, Stored};
    use crate::password::nfc;
    use crate::password::proven::ProvenCache;
    use crate::request::FieldList;
    use crate::secret::Secret;
    use crate::time::UnixTime;
    use proptest::prelude::*;

    const APP: &str = "https://app.example";
    const COOKIE: &str = "__Host-edgeward-away-07070707=BwcHBwcHBwcHBwcHBwcHBw";

    fn finished(
        gate: &Gate,
        sent: Sent,
        query: &str,
        cookie: &str,
        answers: &Answers,
    ) -> Result<Finished, Question> {
        let proven = ProvenCache::new(&Secret::new([1; 32]));
        let fields = FieldList::new([("Cookie", cookie)]);
        let url = [APP, super::super::path::FINISH, "?", query].concat();
        let facts = RequestFacts::new("GET", &url, &fields).expect("an absolute URL");
        let store = Stored::nothing();
        let at = Circumstances { now: NOW, proven: &proven, answers, store, confirmed: None, nfc };
        finish(gate, sent, &facts, &at, [5; ID_SIZE])
    }

    fn ann(gate: &Gate) -> Session {
        let verifiers = gate.config.verifiers.as_ref().expect("secrets");
        let account = verifiers.users.as_ref().and_then(|users| users.account("ann")).expect("Ann");
        let settings = settings(gate).expect("sessions");
        let stamp = verifiers.session.as_ref().expect("keys").stamp(account);
        let beginning =
            Beginning { user: "ann", stamp, factors: Factors::Password, remembered: false, groups: &[] };
        Session::begin(settings, &beginning, [3; ID_SIZE], UnixTime::from_seconds(NOW.seconds() - 600))
    }

    fn query(gate: &Gate) -> String {
        let errand = Errand { began: NOW, ..errand() };
        let state = keys(&[1]).seal_errand(Sent::Authority, APP, &errand, [9; 24]).expect("sealed");
        let code = keys(&[1]).seal_code(APP, &errand, &ann(gate), NOW, [8; 24]).expect("sealed");
        ["code=", &code, "&state=", &state].concat()
    }

    /// What the ledger is asked, and what comes of its answers, one after the other.
    fn told(gate: &Gate, query: &str, said: &[Option<&str>]) -> (Vec<String>, Option<Finished>) {
        let (mut asked, mut answers, mut said) = (Vec::new(), Answers::default(), said.iter());
        loop {
            match finished(gate, Sent::Authority, query, COOKIE, &answers) {
                Ok(finished) => return (asked, Some(finished)),
                Err(Question::Ledger(question)) => {
                    asked.push([&question.object, " ", question.method, &question.arguments].concat());
                    let Some(answer) = said.next() else { return (asked, None) };
                    answers.take(question, answer.map(str::to_owned));
                }
                Err(_) => unreachable!("nothing else is bound"),
            }
        }
    }

    #[test]
    fn a_code_is_counted_last_and_begins_a_session_of_the_same_id() {
        let gate = Gate::new(config());
        let not_marked = Some(r#"{"marked":[],"before":null,"at":{}}"#);
        let (asked, done) =
            told(&gate, &query(&gate), &[not_marked, Some(r#"{"ok":true,"used":1,"at":null}"#)]);
        let [ended, spent] = &asked[..] else { panic!("{asked:?}") };
        assert!(ended.starts_with("sessions:"), "{ended}");
        let until = NOW.seconds() + 3600 + 120;
        assert_eq!(*spent, format!("away:07 spend[\"{}\",1,{until}]", "07".repeat(20)));
        let Some(Finished { errand: Some(errand), came: Came::In(session) }) = done else {
            panic!("{done:?}")
        };
        assert_eq!(errand.return_to, "https://a.example/x?y");
        let ann = ann(&gate);
        assert_eq!((session.id, session.began, session.ends), (ann.id, ann.began, ann.ends));
        assert_eq!(session.seen, NOW, "coming back is use");
    }

    #[test]
    fn answers_that_let_nobody_in() {
        let gate = Gate::new(config());
        let not_marked = Some(r#"{"marked":[],"before":null,"at":{}}"#);
        for (spent, wanted) in [
            (Some(r#"{"ok":false,"used":1,"at":1}"#), Cause::SessionInvalid),
            (Some("{}"), Cause::CheckUnavailable),
            (Some("true"), Cause::CheckUnavailable),
            (Some(r#"{"ok":1}"#), Cause::CheckUnavailable),
            (Some(""), Cause::CheckUnavailable),
            (None, Cause::CheckUnavailable),
        ] {
            let (_, done) = told(&gate, &query(&gate), &[not_marked, spent]);
            let Some(Finished { came: Came::Refused(refusal), .. }) = done else {
                panic!("{spent:?} {done:?}")
            };
            assert_eq!(refusal.cause, wanted, "{spent:?}");
        }
    }

    #[test]
    fn groups_that_do_not_fit_are_those_that_no_rule_names() {
        let discourse = r#"{"consumer":{"url":"https://forum.example/session/sso_provider","key":"forum"}}"#;
        let rules = r#"[{"path":"/a","groups":["staff","editors"]}]"#;
        let gate = Gate::new(config_of(
            &format!(
                r#"{{"rules":{rules},"session":{{"discourse":{discourse}}},"tokens":[{{"format":"jwt","keys":["other"]}}]}}"#
            ),
            true,
        ));
        let proven = ProvenCache::new(&Secret::new([1; 32]));
        let fields = FieldList::default();
        let facts = RequestFacts::new("GET", APP, &fields).expect("an absolute URL");
        let (answers, store) = (Answers::default(), Stored::nothing());
        let at = Circumstances { now: NOW, proven: &proven, answers: &answers, store, confirmed: None, nfc };
        let finishing = Finishing { gate: &gate, facts: &facts, at: &at, id: [5; ID_SIZE], errand: None };
        let few = vec!["staff".to_owned(), "readers".to_owned()];
        assert_eq!(finishing.groups(few.clone()), few);
        let many: Vec<String> = (0..50).map(|n| format!("group-{n}")).chain(few).collect();
        assert_eq!(finishing.groups(many), ["staff"]);
    }

    proptest! {
        #[test]
        fn nothing_invented_lets_anybody_in(query in "(code|state|sso|sig|x)=[ -~]{0,80}(&(code|state|sso|sig)=[A-Za-z0-9_%-]{0,80}){0,3}", cookie in "[ -~]{0,60}") {
            let gate = Gate::new(config());
            for sent in [Sent::Authority, Sent::Discourse] {
                let url_safe = query.replace(['#', ' ', '"', '<', '>', '`', '\\', '^', '{', '|', '}'], "");
                let done = finished(&gate, sent, &url_safe, &cookie, &Answers::default());
                let is_refused = matches!(done, Ok(Finished { came: Came::Refused(_), errand: None }));
                prop_assert!(is_refused);
            }
        }
    }
}
