//! What is said about a session: to a script whose form began one, and to a browser that has one which is over.

use super::{Answerer, Reply};
use crate::authority::path::START;
use crate::challenge::Asker;
use crate::json::ObjectWriter;
use crate::policy::Kind;
use crate::reply::escape::component;
use crate::reply::negotiate;
use crate::request::Scheme;
use crate::reserved::SIGN_IN;
use crate::session::cookie;
use crate::verdict::{Cause, Refused};

/// What came of a form.
pub struct SignedIn<'a> {
    /// Whether somebody is signed in now, or has a second factor still to prove.
    pub whole: bool,
    /// Where they wanted to go: an absolute URL.
    pub return_to: &'a str,
}

impl Answerer<'_> {
    /// Whether a script asks: a browser says so (Fetch Metadata), and nobody else has to.
    #[must_use]
    pub fn is_script(&self) -> bool {
        negotiate::asker(self.facts) == Asker::Subresource
    }

    /// Takes away the cookie of a session that is over, in every variant. Not in the answer to what a page fetches: such an
    /// answer may be on its way while somebody signs in in another tab, and would take away that cookie.
    pub(super) fn clear_if_over(&self, refused: &Refused, reply: &mut Reply) {
        let is_over = matches!(
            refused.refusal.cause,
            Cause::SessionInvalid | Cause::SessionExpired | Cause::SessionIdle | Cause::SessionRevoked
        );
        if is_over && !self.is_script() {
            self.clear_session(reply);
        }
    }

    /// Takes away the cookie of a session, in every variant.
    pub fn clear_session(&self, reply: &mut Reply) {
        let Some(settings) = self.policy.and_then(|policy| policy.session.as_ref()) else { return };
        let domain = settings.domain.as_deref().filter(|_| settings.shares(&self.facts.host()));
        let lines = cookie::cleared(self.facts.scheme == Scheme::Https, domain);
        reply.fields.extend(lines.into_iter().map(|line| ("Set-Cookie", line)));
    }

    /// Where a person can sign in and gets back to what was asked for, where that opens it: an absolute URL, for a program to
    /// open. What was asked for with another method than GET, or is no page, is nothing to get back to.
    pub(super) fn sign_in_url(&self, refused: &Refused, status: u16, return_to: &str) -> Option<String> {
        if status != 401 || !refused.accept.has(Kind::Session) {
            return None;
        }
        let is_page =
            matches!(self.facts.method, "GET" | "HEAD") && !self.facts.path.starts_with("/.edgeward/");
        let query = is_page.then(|| ["?return_to=", &component(return_to)].concat());
        let origin = self.facts.origin();
        let away = self.sessions().is_some_and(|sessions| sessions.away_from(&origin).is_some());
        let path = if away { START } else { SIGN_IN };
        Some([&origin, path, query.as_deref().unwrap_or_default()].concat())
    }

    /// `{"signed_in": …, "second_factor": …, "return_to": …}`: exactly one of the two is true.
    #[must_use]
    pub fn signed_in_for_script(&self, done: &SignedIn<'_>) -> Reply {
        let is = |it: bool| if it { "true" } else { "false" };
        let document = ObjectWriter::new()
            .literal("signed_in", is(done.whole))
            .literal("second_factor", is(!done.whole))
            .text("return_to", done.return_to);
        self.finish(Reply::new(200).typed("application/json", document.finish()))
    }
}
