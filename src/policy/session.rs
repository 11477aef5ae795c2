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
    /// Whether there are accounts that can sign in by a form.
    pub by_form: bool,
    /// The parent of hosts that share one sign-in: lower case, without a period at the front.
    pub domain: Option<String>,
    /// Origins, besides the request's own, that a sign-in may lead back to.
    pub hosts: Vec<String>,
    /// The origin where people sign in, if that is another host.
    pub authority: Option<String>,
    /// What signing out clears besides the cookie: directives of `Clear-Site-Data` besides `cache`.
    pub clear_site_data: Vec<String>,
    /// Discourses that take our word for who somebody is, or whose word we take.
    pub discourse: Discourse,
}

/// `[vars.EDGEWARD.session.discourse]`: DiscourseConnect in both directions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discourse {
    /// The one whose word is taken.
    pub consumer: Option<Consumer>,
    /// Those that take ours.
    pub providers: Vec<Provider>,
}

/// A Discourse that says who somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumer {
    /// Its `/session/sso_provider`.
    pub url: String,
    /// The id of the key that is shared with it.
    pub key: String,
}

/// A Discourse that is told who somebody is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its serialised origin.
    pub origin: String,
    /// The id of the key that is shared with it.
    pub key: String,
}

impl Discourse {
    /// The ids of all keys, each with the key path that names it.
    pub fn keys(&self) -> impl Iterator<Item = (String, &String)> {
        let at = |rest: &str| ["EDGEWARD.session.discourse.", rest, ".key"].concat();
        let providers = self.providers.iter().enumerate();
        let providers =
            providers.map(move |(n, it)| (at(&["provider[", &n.to_string(), "]"].concat()), &it.key));
        self.consumer.iter().map(move |it| (at("consumer"), &it.key)).chain(providers)
    }
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

    /// The origin where people sign in, where that is not this one.
    #[must_use]
    pub fn away_from(&self, origin: &str) -> Option<&str> {
        self.authority.as_deref().filter(|authority| *authority != origin)
    }

    /// Whether people sign in by a form on the host with that serialised origin.
    #[must_use]
    pub fn has_form(&self, origin: &str) -> bool {
        self.by_form && self.away_from(origin).is_none()
    }

    /// Whether the host is one that shares the sign-in of [`Self::domain`].
    #[must_use]
    pub fn shares(&self, host: &str) -> bool {
        self.domain.as_ref().is_some_and(|domain| {
            host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }
}
