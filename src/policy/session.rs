//! How people sign in and stay in: a part of the policy.

use crate::time::Lifetime;
use std::borrow::Cow;

/// `[vars.EDGEWARD.session]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSettings {
    /// How long a session may go unused.
    pub idle: Lifetime,
    /// How long it may last in all.
    pub absolute: Lifetime,
    /// How long one may last that was asked to be kept; `None` where that is forbidden.
    pub remember: Option<Lifetime>,
    /// How long such a one may go unused.
    pub remember_idle: Lifetime,
    /// Whether visitors are warned before the end.
    pub warn: Warn,
    /// The parent of hosts that share one sign-in: lower case, without a period at the front.
    pub domain: Option<String>,
    /// Origins, besides the request's own, that a sign-in may lead back to.
    pub hosts: Vec<String>,
    /// The origin where people sign in, if that is another host.
    pub authority: Option<String>,
    /// What signing out clears besides the cookie: directives of `Clear-Site-Data` besides `cache`.
    pub clear_site_data: Vec<String>,
}

/// Whether visitors are warned before their session ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Warn {
    /// No (the default).
    #[default]
    Off,
    /// By a script that the site's own pages load: `/.edgeward/session.js`.
    Script,
    /// By that script, which is put into the site's pages on their way.
    Inject,
}

impl SessionSettings {
    /// What a session on this host is bound to: the host, or the parent that it shares sessions with.
    #[must_use]
    pub fn bound_to<'b>(&'b self, host: &'b str) -> Cow<'b, str> {
        match &self.domain {
            // No host begins with a period: a session of the parent is none of the host of that name.
            Some(domain) if self.shares(host) => Cow::Owned([".", domain].concat()),
            Some(_) | None => Cow::Borrowed(host),
        }
    }

    /// Whether the host is one that shares the sign-in of [`Self::domain`].
    #[must_use]
    pub fn shares(&self, host: &str) -> bool {
        self.domain.as_ref().is_some_and(|domain| {
            host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }
}
