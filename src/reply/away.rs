//! What is said to whoever signs in on another host.

use super::{Answerer, Reply};
use crate::authority::away::{self, Elsewhere, Sending};
use crate::authority::path::START;
use crate::challenge;
use crate::config::Config;
use crate::reply::negotiate;
use crate::reply::page::Pages;
use crate::reply::said::{Said, Saying};
use crate::verdict::Refused;

impl Answerer<'_> {
    /// What is done about a person who needs a sign-in that is had on another host; `None` where the answer is one of this host.
    /// A script is never sent away: what it asked for is not what it would get.
    #[must_use]
    pub fn leads_away<'p>(&self, config: &'p Config, refused: &Refused) -> Option<away::Verdict<'p>> {
        let is_person = self.form() == negotiate::Form::Html && !self.is_script();
        away::verdict(config, self.facts, refused).filter(|_| is_person)
    }

    /// To another host, with the cookies of that errand.
    #[must_use]
    pub fn sent_away(&self, sending: Sending) -> Reply {
        let mut reply = self.see_other(sending.location);
        reply.fields.extend(sending.cookies.into_iter().map(|cookie| ("Set-Cookie", cookie)));
        reply
    }

    /// For a form that was being sent: a redirect would lose it. Its button opens the other host in a new tab.
    #[must_use]
    pub fn stays(
        &self,
        refused: &Refused,
        elsewhere: Elsewhere<'_>,
        second_factor: bool,
        pages: &mut Pages,
    ) -> Reply {
        let start = [START, "?tab=1", if second_factor { "&second_factor=1" } else { "" }].concat();
        let saying = Saying { url: Some(&start), place: Some(elsewhere.host()), ..Saying::of(Said::Away) };
        let mut reply = self.said(&saying, pages);
        let asker = negotiate::asker(self.facts);
        let challenges = challenge::challenges(refused, self.terms(), asker, reply.status);
        reply.fields.extend(challenges.into_iter().map(|challenge| ("WWW-Authenticate", challenge)));
        reply
    }
}
