//! By a signed URL, or by the cookie that stands for one.

use super::revoked::unavailable;
use super::{Asking, Halt, Known};
use crate::authenticate::{About, Authenticated, LedgerQuestion, Question, not_configured};
use crate::json::{Json, push_string};
use crate::policy::{Format, Kind};
use crate::revocation::{Issued, Traits};
use crate::time::UnixTime;
use crate::token::signed_url::grants::Jar;
use crate::token::signed_url::{Grant, Moment, Seen, Strength};
use crate::verdict::{Cause, Refusal};

impl Asking<'_> {
    pub(super) fn by_link(&self, seen: &Seen<'_>, strength: Strength) -> Result<Known, Halt> {
        let grant = self.verifiers.links.verify(seen, strength, self.at.now)?;
        let known = self.unrevoked_link(&grant)?;
        if let Some(uses) = grant.stated().uses {
            return Err(self.counted(&grant, uses)?.signed_by(grant.key()).into());
        }
        let link = (strength == Strength::Url).then_some(grant);
        Ok(Known { link, ..known })
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
        let known = |format: Format, kid: &str| links.knows(seen, format, kid, self.at.now);
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

    /// A link that counts its uses lets nobody in by itself: that takes a click. Says whether there is one left.
    fn counted(&self, grant: &Grant, uses: u32) -> Result<Refusal, Halt> {
        let user = Some(["link:", grant.id()].concat());
        let refuse = |cause, detail| Refusal {
            user: user.clone(),
            ..Refusal::new(cause, detail).sent(Kind::SignedUrl)
        };
        if !self.gate.config.ledger {
            let detail = "The link counts its uses, and EDGEWARD_LEDGER is not bound.";
            return Ok(Refusal { user, ..not_configured(detail).sent(Kind::SignedUrl) });
        }
        let Some(answer) = &self.at.answers.used else {
            return Err(Halt::Needs(Question::Ledger(peek(grant))));
        };
        let (used, last) =
            answer.as_deref().and_then(read_used).ok_or_else(|| unavailable(Kind::SignedUrl))?;
        if used < u64::from(uses) {
            let detail = "The link counts its uses, and is opened by a person who says so.";
            return Ok(refuse(Cause::TokenNeedsConfirmation, detail));
        }
        let spent = refuse(Cause::TokenSpent, "The link was used as often as it may be.");
        Ok(last.into_iter().fold(spent, Refusal::at))
    }
}

/// Name of the object that counts the uses of a link.
#[must_use]
pub fn counter(id: &str) -> String {
    ["link:", id].concat()
}

fn peek(grant: &Grant) -> LedgerQuestion {
    let mut arguments = String::from("[");
    push_string(&mut arguments, grant.id());
    arguments.push(']');
    LedgerQuestion { about: About::Used, object: counter(grant.id()), method: "peek", arguments }
}

/// `{ used, at }`: how often, and when last.
fn read_used(answer: &str) -> Option<(u64, Option<UnixTime>)> {
    let json = Json::parse(answer).ok()?;
    let used = crate::config::quote::whole(json.get("used")?.as_number()?)?;
    let at = json.get("at").and_then(Json::as_number).and_then(crate::config::quote::whole);
    Some((u64::try_from(used).ok()?, at.map(UnixTime::from_millis)))
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
