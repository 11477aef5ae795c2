//! What the origin gets, and what the client gets of its answer.
//!
//! 1. The target is made by replacing scheme, authority and base path, never by resolving: `//evil/` stays a path.
//! 2. Off before the origin: every credential in a place that any rule reads, verified or not; whatever claims to
//!    be from Edgeward or from a proxy, in any spelling. A spoofed field that reaches the origin is a sign-in.
//! 3. On: who passed, an assertion of it, and how the request came in.
//!
//! [`answer`] is the way back.

pub mod answer;
pub mod fields;
pub mod inject;

use crate::authenticate::{Authenticated, Passage, Who};
use crate::credentials::{Places, cookie};
use crate::policy::{Access, Kinds, Origin, Policy};
use crate::request::{RequestFacts, Scheme};
use crate::secret::Secret;
use crate::time::UnixTime;
use crate::token::assertion::{AssertionClaims, AssertionKey};
use std::borrow::Cow;

/// A request as the origin is to get it: method, content and all fields that are not named stay.
#[derive(Debug, PartialEq, Eq)]
pub struct Outgoing<'a> {
    /// Absolute URL.
    pub url: String,
    /// Names of fields to take off.
    pub remove: Vec<&'a str>,
    /// Fields to set.
    pub set: Vec<(&'a str, Cow<'a, str>)>,
    /// Whether shared caches are kept out (`cache: "no-store"`).
    pub no_store: bool,
}

/// What forwarding is told besides the request.
pub struct Forwarding<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// Every place in which a token is looked for.
    pub places: &'a Places,
    /// Our own pseudonym for `Via`: `edgeward-<8 hex>`.
    pub pseudonym: &'a str,
    /// What the origin expects as its own `Authorization`.
    pub origin_authorization: Option<&'a Secret<String>>,
    /// Signs assertions for the origin this is sent to; `None` while `EDGEWARD_SECRET` is wrong.
    pub assertion: Option<&'a AssertionKey>,
    /// An identifier never used before, for `jti`.
    pub jti: &'a str,
    /// The moment of the request.
    pub now: UnixTime,
}

/// Whether the request has come through this very gate before (RFC 9110 §7.6.3).
#[must_use]
pub fn is_loop(facts: &RequestFacts<'_>, pseudonym: &str) -> bool {
    let Some(via) = facts.field("via") else { return false };
    via.split(',').any(|element| element.split_ascii_whitespace().nth(1) == Some(pseudonym))
}

/// The serialised origin that a request is sent to: `aud` of its assertion.
#[must_use]
pub fn audience(policy: &Policy, facts: &RequestFacts<'_>) -> String {
    match &policy.origin {
        Origin::Own | Origin::Assets => facts.origin(),
        Origin::Url { origin, .. } => origin.clone(),
    }
}

impl<'a> Forwarding<'a> {
    /// Makes the request for the origin; `names` are those of the fields that are there, in lower case.
    ///
    /// Takes the passage by value: it is good for this one request.
    #[must_use]
    pub fn outgoing(
        &self,
        passage: Passage<'_>,
        facts: &RequestFacts<'a>,
        names: impl Iterator<Item = &'a str>,
    ) -> Outgoing<'a> {
        let rule = passage.rule();
        let who = match passage.who() {
            Who::Known(who) => Some(who),
            Who::Anyone | Who::Reported(_) => None,
        };
        let public = matches!(passage.who(), Who::Anyone) && rule.access == Access::Public;
        // A preflight goes without credentials, whatever the rule of the request to come keeps.
        let forward_credentials =
            rule.forward_credentials && (public || !matches!(passage.who(), Who::Anyone));
        let mut outgoing = Outgoing {
            url: self.target(facts),
            remove: self.spoofed(names, forward_credentials, facts.method),
            set: Vec::with_capacity(8),
            no_store: !public && !rule.shared_cache,
        };
        self.take_cookies_off(facts, &mut outgoing);
        self.take_tokens_off_referer(facts, &mut outgoing);
        self.tell_how_it_came(facts, &mut outgoing.set);
        if let Some(value) = self.origin_authorization.filter(|_| !forward_credentials) {
            outgoing.set.push(("authorization", value.expose().into()));
        }
        let reported = matches!(passage.who(), Who::Reported(_));
        if self.policy.forward.identity && !reported {
            self.tell_who(who, facts, &mut outgoing.set);
        }
        // What is set replaces what was there: each edit is a crossing.
        let Outgoing { remove, set, .. } = &mut outgoing;
        remove.retain(|name| !set.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)));
        outgoing
    }

    /// Scheme, authority and base path replaced; the path as received; our query tokens off.
    fn target(&self, facts: &RequestFacts<'_>) -> String {
        let mut url = match &self.policy.origin {
            Origin::Own | Origin::Assets => facts.origin(),
            Origin::Url { origin, base_path } => [origin.as_str(), base_path].concat(),
        };
        url.push_str(facts.path);
        if self.policy.origin == Origin::Assets && facts.path.ends_with('/') {
            // The binding serves files as they are named; a folder is its index.
            url.push_str("index.html");
        }
        if let Some(rest) = facts.query.and_then(|query| self.places.without_tokens(query)) {
            url.push('?');
            url.push_str(&rest);
        }
        url
    }

    fn spoofed(
        &self,
        names: impl Iterator<Item = &'a str>,
        forward_credentials: bool,
        method: &str,
    ) -> Vec<&'a str> {
        let reads_authorization = || self.policy.rules.iter().any(|rule| rule.accept != Kinds::NONE);
        names
            .filter(|name| match *name {
                "authorization" => !forward_credentials && reads_authorization(),
                // RFC 6455 §4.1: a handshake is a GET. The platform sends one as a GET whatever was asked for, and then
                // the origin would do what no rule has decided.
                "upgrade" => method != "GET",
                name => {
                    fields::is_claimed(name, &self.policy.forward)
                        || self.places.fields().any(|field| fields::is_same(field, name))
                }
            })
            .collect()
    }

    fn take_cookies_off(&self, facts: &RequestFacts<'_>, outgoing: &mut Outgoing<'a>) {
        let Some(field) = facts.field("cookie") else { return };
        let ours = |name: &str| is_own_cookie(name) || self.places.has_cookie(name);
        match cookie::without(&field, ours) {
            None => outgoing.remove.push("cookie"),
            Some(Cow::Owned(rest)) => outgoing.set.push(("cookie", rest.into())),
            Some(Cow::Borrowed(_)) => {}
        }
    }

    /// A page whose URL holds a token tells that URL with everything it loads.
    fn take_tokens_off_referer(&self, facts: &RequestFacts<'_>, outgoing: &mut Outgoing<'a>) {
        if !self.places.are_in_urls() {
            return;
        }
        let Some(referer) = facts.field("referer") else { return };
        let (page, query) =
            referer.split_once('?').map_or((&*referer, None), |(page, query)| (page, Some(query)));
        let bare = RequestFacts::new("GET", page, facts.fields).map(|page| self.places.set_aside(page));
        let mut clean = match bare {
            Ok(bare) if bare.path_token.is_some() => bare.uri_without_query(),
            Ok(_) | Err(_) => page.to_owned(),
        };
        if let Some(rest) = query.and_then(|query| self.places.without_tokens(query)) {
            clean.push('?');
            clean.push_str(&rest);
        }
        if clean != referer {
            outgoing.set.push(("referer", clean.into()));
        }
    }

    fn tell_how_it_came(&self, facts: &RequestFacts<'a>, set: &mut Vec<(&'a str, Cow<'a, str>)>) {
        set.push(("x-forwarded-host", facts.authority.into()));
        set.push(("x-forwarded-proto", facts.scheme.as_str().into()));
        if let Some(address) = facts.client_address() {
            set.push(("x-forwarded-for", address.to_string().into()));
        }
        let before = facts.field("via").map(|via| via + ", ").unwrap_or_default();
        set.push(("via", (before + "1.1 " + self.pseudonym).into()));
    }

    fn tell_who(
        &self,
        who: Option<&Authenticated>,
        facts: &RequestFacts<'_>,
        set: &mut Vec<(&'a str, Cow<'a, str>)>,
    ) {
        let forward = &self.policy.forward;
        let user = who.and_then(Authenticated::user);
        if let Some(user) = user {
            set.push((&forward.user, fields::encoded(user).into()));
        }
        let groups = who.map(Authenticated::groups).unwrap_or_default();
        if !groups.is_empty() {
            let groups: Vec<String> = groups.iter().map(|group| fields::encoded(group)).collect();
            set.push((&forward.groups, groups.join(",").into()));
        }
        let Some(key) = self.assertion else { return };
        let claims = AssertionClaims {
            issuer: &facts.origin(),
            subject: user,
            issued_at: self.now,
            id: self.jti,
            method: facts.method,
            uri: &facts.uri_without_query(),
            methods: who.map(Authenticated::methods).unwrap_or_default(),
        };
        set.push(("x-edgeward-assertion", key.sign(&claims).into()));
    }
}

/// Whether a cookie of this name is Edgeward's own, in any of its variants.
#[must_use]
pub fn is_own_cookie(name: &str) -> bool {
    let bare = name.strip_prefix("__Host-").or_else(|| name.strip_prefix("__Secure-")).unwrap_or(name);
    matches!(bare, "edgeward" | "edgeward-device" | "edgeward-lang" | "edgeward-link")
        || crate::authority::cookie::is_ours(bare)
}

/// The scheme and authority under which the client knows this site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicOrigin {
    /// How the request came in.
    pub scheme: Scheme,
    /// Host and port as received.
    pub authority: String,
}
