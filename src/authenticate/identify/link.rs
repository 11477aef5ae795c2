//! By a signed URL, or by the cookie that stands for one.

use super::revoked::unavailable;
use super::{Asking, Halt, Known};
use crate::authenticate::{About, Authenticated, Circumstances, LedgerQuestion, Question, not_configured};
use crate::json::{Json, push_string};
use crate::policy::Kind;
use crate::revocation::{Issued, Traits};
use crate::time::UnixTime;
use crate::token::signed_url::grants::Jar;
use crate::token::signed_url::{Grant, Moment, Seen, Strength};
use crate::verdict::{Cause, Refusal};

impl Asking<'_> {
    pub(super) fn by_link(&self, seen: &Seen<'_>, strength: Strength) -> Result<Known, Halt> {
        let grant = self.verifiers.links.verify(seen, strength, self.at.now)?;
        let known = self.unrevoked_link(&grant)?;
        let is_held =
            self.at.confirmed.is_some() && Jar::of_request(&self.verifiers.jar, seen.facts).holds(&grant);
        if let Some(uses) = grant.stated().uses {
            self.may_be_used(&grant, uses, is_held)?;
        }
        let link = (strength == Strength::Url).then_some(grant);
        Ok(Known { link, is_held, ..known })
    }

    /// A cookie that grants what links granted: a use that counts was counted when it was made.
    pub(super) fn by_jar(&self, seen: &Seen<'_>, value: &str) -> Result<Known, Halt> {
        let unreadable = || {
            let detail = "The cookie that stands for links is not whole, or not of this host.";
            Refusal::new(Cause::TokenMalformed, detail).sent(Kind::SignedUrl)
        };
        let links = &self.verifiers.links;
        let jar = Jar::read(&self.verifiers.jar, &seen.facts.host(), value).ok_or_else(unreadable)?;
        let moment = Moment { now: self.at.now, leeway: self.policy.leeway };
        let known = |grant: &Grant| links.knows(seen, grant, self.at.now);
        let mut refused = None;
        for grant in jar.covering(seen, &moment, known) {
            match self.unrevoked_link(grant) {
                // Where one was revoked, the next may do.
                Err(Halt::Refused(refusal)) => refused = Some(refusal),
                done => return done,
            }
        }
        let judged = || jar.judge(seen, &moment, known).err();
        Err(refused.or_else(judged).unwrap_or_else(unreadable).into())
    }

    fn unrevoked_link(&self, grant: &Grant) -> Result<Known, Halt> {
        let authenticated = known_link(grant);
        let stated = grant.stated();
        let user = authenticated.user.as_deref();
        let subjects: Vec<&str> = stated.subject.as_deref().into_iter().chain(user).collect();
        let issued = stated.issued.map_or(Issued::Unknown, Issued::At);
        let traits = Traits { id: Some(grant.id()), subjects: &subjects, key: Some(grant.key()), issued };
        self.not_revoked(&traits, &authenticated)?;
        Ok(authenticated.into())
    }

    /// A link that counts its uses lets nobody in by itself: that takes a click, and a use that is left.
    fn may_be_used(&self, grant: &Grant, uses: u32, is_held: bool) -> Result<(), Halt> {
        if !self.gate.config.ledger {
            let refusal = not_configured("The link counts its uses, and EDGEWARD_LEDGER is not bound.");
            return Err(about(grant, refusal).into());
        }
        if is_held {
            // It may be the same form once more, which counting alone can tell.
            return Ok(());
        }
        let Some(answer) = &self.at.answers.used else {
            return Err(Halt::Needs(Question::Ledger(call(grant, About::Used, "peek", &[]))));
        };
        let used = answer.as_deref().and_then(Used::read).ok_or_else(|| unavailable(Kind::SignedUrl))?;
        // Once this very use was counted, that it was the last one is no reason to refuse it.
        if used.times >= u64::from(uses) && self.at.answers.spent.is_none() {
            return Err(spent(grant, used.last).into());
        }
        if self.at.confirmed.is_none() {
            let detail = "The link counts its uses, and is opened by a person who says so.";
            return Err(about(grant, Refusal::new(Cause::TokenNeedsConfirmation, detail)).into());
        }
        Ok(())
    }
}

/// Counts one use of a link that counts them: last of all, so that none is lost on a request that is refused.
pub fn count_use(known: &Known, at: &Circumstances<'_>) -> Result<(), Halt> {
    let counted = known.link.as_ref().and_then(|grant| Some((grant, grant.stated().uses?)));
    let Some((grant, uses)) = counted else { return Ok(()) };
    let Some(answer) = &at.answers.spent else {
        let end = grant.stated().end.map_or(0, |end| end.first_bad().seconds());
        let mut question = call(grant, About::Spent, "spend", &[i64::from(uses), end]);
        if let Some(form) = at.confirmed.filter(|form| !form.is_empty()) {
            question.arguments.pop();
            question.arguments.push(',');
            push_string(&mut question.arguments, form);
            question.arguments.push_str(if known.is_held { ",true]" } else { "]" });
        }
        return Err(Halt::Needs(Question::Ledger(question)));
    };
    match answer.as_deref().and_then(Used::read) {
        Some(Used { ok: true, .. }) => Ok(()),
        Some(used) => Err(spent(grant, used.last).into()),
        None => Err(unavailable(Kind::SignedUrl).into()),
    }
}

fn spent(grant: &Grant, last: Option<UnixTime>) -> Refusal {
    let refusal = Refusal::new(Cause::TokenSpent, "The link was used as often as it may be.");
    last.into_iter().fold(about(grant, refusal), Refusal::at)
}

fn about(grant: &Grant, refusal: Refusal) -> Refusal {
    let user = Some(["link:", grant.id()].concat());
    Refusal { user, ..refusal.sent(Kind::SignedUrl).signed_by(grant.key()) }
}

/// Name of the object that counts the uses of a link.
#[must_use]
pub fn counter(id: &str) -> String {
    ["link:", id].concat()
}

/// A call about a link: its id, then numbers.
fn call(grant: &Grant, about: About, method: &'static str, numbers: &[i64]) -> LedgerQuestion {
    let mut arguments = String::from("[");
    push_string(&mut arguments, grant.id());
    for number in numbers {
        arguments.push(',');
        arguments.push_str(&number.to_string());
    }
    arguments.push(']');
    LedgerQuestion { about, object: counter(grant.id()), method, arguments }
}

/// What the ledger says of a link: `{ ok, used, at }`.
struct Used {
    /// Whether this use was counted.
    ok: bool,
    times: u64,
    last: Option<UnixTime>,
}

impl Used {
    fn read(answer: &str) -> Option<Self> {
        let json = Json::parse(answer).ok()?;
        let times = u64::try_from(json.get("used")?.as_whole()?).ok()?;
        let last = json.get("at").and_then(Json::as_whole).map(UnixTime::from_millis);
        Some(Self { ok: json.get("ok").and_then(Json::as_bool) == Some(true), times, last })
    }
}

fn known_link(grant: &Grant) -> Authenticated {
    let stated = grant.stated();
    Authenticated {
        user: Some(["link:", grant.id()].concat()),
        expires: stated.end.map(crate::token::signed_url::End::first_bad),
        key: Some(grant.key().to_owned()),
        ..Authenticated::nobody(Kind::SignedUrl)
    }
}
