//! Getting out: whose sessions a request bears, what ends them, and what takes away all that the browser keeps for us.
//!
//! 1. The cookie is taken away in every variant, whatever else comes of it.
//! 2. The session is ended for whoever has a copy of the cookie, where a store is bound ([`crate::revocation::sessions`]).
//!    Where none is, or none answers, the page says that a copy stays good: it never says more than is true.
//! 3. A browser that was given user name and password by its own prompt sends them with each request, and there is no way to
//!    take them back. An answer of 401 with a `Basic` challenge makes Chromium drop what it sent with that request, and ask
//!    anew; whoever declines sees the page. Not every browser can be counted on to do the same, so the page says to close
//!    it.
//! 4. `Clear-Site-Data: "cache"` empties the cache and the pages behind the back button. `"cookies"` is not ours to send
//!    unasked: it clears those of the whole registrable domain (Clear Site Data §3.1).

use crate::authenticate::Gate;
use crate::authority;
use crate::credentials::authorization::Authorization;
use crate::credentials::cookie;
use crate::forward::is_own_cookie;
use crate::json::ObjectWriter;
use crate::policy::SessionSettings;
use crate::reply::said::Said;
use crate::request::{RequestFacts, Scheme};
use crate::revocation::sessions::Ending;
use crate::session::{self, Factors, Session};
use crate::time::{Lifetime, UnixTime};

/// Sessions that one request may bear and that are looked at: no browser of ours is given more.
const MOST: usize = 4;

/// Cookies of ours besides the session.
const OTHERS: [&str; 3] = ["edgeward-device", "edgeward-lang", "edgeward-link"];

/// Who wants to get out.
#[derive(Debug, Default)]
pub struct Leaving {
    /// The sessions that the request bears, in every variant of the cookie: sealed by us and in time.
    pub sessions: Vec<Session>,
    /// Whether it bears Basic credentials.
    pub basic: bool,
    /// Whether it bears a cookie that cannot be read just now, as a secret is wrong.
    pub unreadable: bool,
}

/// Reads who wants to get out.
#[must_use]
pub fn leaving(gate: &Gate, facts: &RequestFacts<'_>, now: UnixTime) -> Leaving {
    let authorization = facts.field("authorization").unwrap_or_default();
    let basic = matches!(Authorization::parse(&authorization), Authorization::Basic(_));
    let field = facts.field("cookie").unwrap_or_default();
    let mut values = values(&field, gate.places.session_cookie(facts).unwrap_or_default());
    let policy = gate.config.policy.as_ref();
    let Some(settings) = policy.and_then(|policy| policy.session.as_ref()) else {
        return Leaving { basic, ..Leaving::default() };
    };
    let Some(keys) = gate.config.verifiers.as_ref().and_then(|verifiers| verifiers.session.as_ref()) else {
        return Leaving { basic, unreadable: values.next().is_some(), ..Leaving::default() };
    };
    let host = facts.host();
    let bound = settings.bound_to(&host);
    let sessions = values
        .take(MOST)
        .filter_map(|value| keys.open(&bound, value))
        .filter(|session| session.in_time(now).is_ok())
        .collect();
    Leaving { sessions, basic, unreadable: false }
}

/// The values of the session's cookie, in every variant. That of the name which is `good` here comes first: the others anybody
/// may have set who has a host below the same domain, and as many as they like.
fn values<'v>(field: &'v str, good: &'static str) -> impl Iterator<Item = &'v str> {
    let is_it = |name: &str| is_own_cookie(name) && name.ends_with("edgeward");
    let others = cookie::all(field).filter(move |(name, _)| is_it(name) && *name != good);
    cookie::values(field, good).chain(others.map(|(_, value)| value))
}

impl Leaving {
    /// As whom somebody is signed in; nobody is before the second factor.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.whole().next().map(|session| session.user.as_str())
    }

    /// Whether there is anything to get out of.
    #[must_use]
    pub const fn is_somebody(&self) -> bool {
        !self.sessions.is_empty() || self.basic || self.unreadable
    }

    /// What is to be ended: each session, or with it all that its user has. Half a sign-in ends nobody else's, and nor does
    /// a session that is not good any more: `everywhere` names whose is.
    #[must_use]
    pub fn endings(
        &self,
        settings: &SessionSettings,
        everywhere: Option<&str>,
        now: UnixTime,
    ) -> Vec<Ending> {
        let is_meant = |session: &Session| everywhere.is_some_and(|user| user == session.user);
        let end = |session: &Session| match is_meant(session) && session.factors != Factors::Half {
            true => Ending::all(&session.user, settings, now),
            false => Ending::one(session),
        };
        self.sessions.iter().map(end).collect()
    }

    /// What is true once the cookie is gone. `is_kept`: that the sessions were ended stands in a store.
    #[must_use]
    pub fn said(&self, everywhere: bool, is_kept: bool) -> Said {
        let everywhere = everywhere && self.whole().next().is_some();
        match (self.basic, self.sessions.is_empty(), is_kept) {
            (true, ..) => Said::SignedOutBasic,
            (false, true, _) if self.unreadable => Said::SignedOutHere,
            (false, true, _) => Said::SignedOutNot,
            (false, false, false) => Said::SignedOutHere,
            (false, false, true) if everywhere => Said::SignedOutEverywhere,
            (false, false, true) => Said::SignedOut,
        }
    }

    fn whole(&self) -> impl Iterator<Item = &Session> {
        self.sessions.iter().filter(|session| session.factors != Factors::Half)
    }
}

/// What a script is told: whether the browser has no session any more, whether a copy of it is good for nothing, and whether
/// all sessions of that user were ended.
#[must_use]
pub fn document(said: Said) -> String {
    let truth = |holds: bool| if holds { "true" } else { "false" };
    let everywhere = said == Said::SignedOutEverywhere;
    ObjectWriter::new()
        .literal("signed_out", truth(said != Said::SignedOutBasic))
        .literal("revoked", truth(everywhere || said == Said::SignedOut))
        .literal("everywhere", truth(everywhere))
        .finish()
}

/// `Set-Cookie` lines that take the session away.
#[must_use]
pub fn without_session(facts: &RequestFacts<'_>, settings: Option<&SessionSettings>) -> Vec<String> {
    let mut lines = session::cookie::cleared(is_https(facts), domain(facts, settings).as_deref());
    // Who signs out and in again is no browser that came back in vain.
    lines.extend(authority::cookie::cleared(&facts.field("cookie").unwrap_or_default(), is_https(facts)));
    lines
}

/// `Set-Cookie` lines that take away every cookie of ours, in every variant.
#[must_use]
pub fn without_any(facts: &RequestFacts<'_>, settings: Option<&SessionSettings>) -> Vec<String> {
    let (https, domain) = (is_https(facts), domain(facts, settings));
    let mut lines = session::cookie::cleared(https, domain.as_deref());
    lines.extend(authority::cookie::cleared(&facts.field("cookie").unwrap_or_default(), https));
    for bare in OTHERS {
        if https {
            lines.push(gone(&["__Host-", bare].concat(), true, None));
            lines.extend(
                domain.as_deref().map(|domain| gone(&["__Secure-", bare].concat(), true, Some(domain))),
            );
        }
        lines.push(gone(bare, https, None));
    }
    lines
}

/// The value of `Clear-Site-Data`.
#[must_use]
pub fn clear_site_data(settings: Option<&SessionSettings>) -> String {
    let mut value = String::from("\"cache\"");
    for directive in settings.map(|settings| settings.clear_site_data.as_slice()).unwrap_or_default() {
        value.extend([", \"", directive, "\""]);
    }
    value
}

fn is_https(facts: &RequestFacts<'_>) -> bool {
    facts.scheme == Scheme::Https
}

/// The parent that hosts share, where this is one of them.
fn domain(facts: &RequestFacts<'_>, settings: Option<&SessionSettings>) -> Option<String> {
    let settings = settings.filter(|settings| settings.shares(&facts.host()))?;
    settings.domain.clone()
}

fn gone(name: &str, https: bool, domain: Option<&str>) -> String {
    let secure = if https { "; Secure" } else { "" };
    let domain = domain.map(|domain| ["; Domain=", domain].concat()).unwrap_or_default();
    [name, "=; Path=/", secure, "; HttpOnly; SameSite=Lax", &domain, "; Max-Age=0"].concat()
}

/// How long a session is good: what `/.edgeward/session` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remaining {
    /// Until it ends whatever happens.
    pub expires_in: Lifetime,
    /// Until it ends if nobody uses it.
    pub idle_in: Lifetime,
    /// Whether using it makes it last longer.
    pub can_extend: bool,
}

impl Remaining {
    /// Of a session at a moment.
    #[must_use]
    pub fn of(session: &Session, now: UnixTime) -> Self {
        Self {
            expires_in: session.ends.since(now),
            idle_in: session.idle_ends().since(now),
            can_extend: session.idle_ends() < session.ends,
        }
    }

    /// As JSON.
    #[must_use]
    pub fn document(&self, user: &str) -> String {
        ObjectWriter::new()
            .text("user", user)
            .number("expires_in", self.expires_in.seconds())
            .number("idle_in", self.idle_in.seconds())
            .literal("can_extend", if self.can_extend { "true" } else { "false" })
            .finish()
    }
}

#[cfg(test)]
mod tests;
