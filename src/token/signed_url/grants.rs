//! Links that were exchanged for a cookie: `__Host-edgeward-link`.
//!
//! What a page loads besides itself (the segments of a stream, its images) bears no token, and a token that stays in
//! the address bar is copied and sent on in `Referer`. So a link may be exchanged: the token leaves the address, and
//! what it granted stands here, whole, with its identifier, so that it can still be revoked, and with its own end.
//!
//! The value is `base64url(JSON) "." base64url(tag)`. It is no secret to whom it was given, so it is signed and not
//! sealed. The tag is HMAC-SHA-256 over the purpose `edgeward/link-cookie/v1`, the host and the JSON, each with its
//! length: a cookie of one host is none of another. Keys are derived from `EDGEWARD_SECRET`; the first signs, all verify.
//!
//! A grant is not more than its link was: it holds only while the policy has an entry of that format with that key, for
//! that path and that network, and everything the link said of where, who and when is checked with each request.

mod written;

use super::{Grant, Moment, Seen, Target, in_time, progress, refusal};
use crate::credentials::cookie;
use crate::policy::HmacAlgorithm;
use crate::request::{RequestFacts, Scheme};
use crate::time::UnixTime;
use crate::token::mac::{MacKey, Purpose, RootSecret};
use crate::token::{from_base64url, to_base64url};
use crate::verdict::{Cause, Refusal};

/// So many links are kept; the oldest goes first.
pub const MOST: usize = 8;

/// The longest value, in octets: browsers take 4,096 of name, value and attributes (RFC 6265bis §5.6).
pub const LONGEST: usize = 3_800;

const COOKIE: Purpose = Purpose("edgeward/link-cookie/v1");

/// The keys of the cookie, one for each secret: the first signs.
#[must_use]
pub fn keys(root: &RootSecret) -> Vec<MacKey> {
    let keys = root.derive(&[COOKIE.0.as_bytes()]);
    keys.iter().map(|key| MacKey::new(HmacAlgorithm::Hs256, key.expose())).collect()
}

/// The name of the cookie: with the prefix that binds it to the host (RFC 6265bis §4.1.3.2), which only works over https.
#[must_use]
pub const fn name(https: bool) -> &'static str {
    if https { "__Host-edgeward-link" } else { "edgeward-link" }
}

/// What a browser was granted on one host: the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Jar {
    host: String,
    grants: Vec<Grant>,
}

impl Jar {
    /// A jar of that host with nothing in it.
    #[must_use]
    pub const fn empty(host: String) -> Self {
        Self { host, grants: Vec::new() }
    }

    /// What the browser holds already: nothing where its cookie is there twice, or not whole.
    #[must_use]
    pub fn of_request(keys: &[MacKey], facts: &RequestFacts<'_>) -> Self {
        let host = facts.host();
        let field = facts.field("cookie").unwrap_or_default();
        let mut values = cookie::values(&field, name(facts.scheme == Scheme::Https));
        let value = values.next().filter(|_| values.next().is_none());
        value.and_then(|value| Self::read(keys, &host, value)).unwrap_or_else(|| Self::empty(host))
    }

    /// Whether it holds what that very link grants.
    #[must_use]
    pub fn holds(&self, grant: &Grant) -> bool {
        self.grants.iter().any(|it| is_same(it, grant))
    }

    /// Reads the cookie's value; one that is not ours, not this host's or not whole is nothing.
    #[must_use]
    pub fn read(keys: &[MacKey], host: &str, value: &str) -> Option<Self> {
        let (json, tag) = value.split_once('.').filter(|_| value.len() <= LONGEST)?;
        let (json, tag) = (from_base64url(json)?, from_base64url(tag)?);
        keys.iter().find(|key| key.verify_for(&COOKIE, &[host.as_bytes(), &json], &tag))?;
        let grants = written::grants(core::str::from_utf8(&json).ok()?)?;
        Some(Self { host: host.to_owned(), grants })
    }

    /// Takes a grant in as the youngest; the same link again replaces itself, and what has expired goes.
    ///
    /// The grant is one that was [`Grant::written_out`] for other requests: one that is for "this request" alone is
    /// not taken.
    pub fn add(&mut self, mut grant: Grant, now: UnixTime) {
        self.drop_expired(now);
        self.grants.retain(|it| !is_same(it, &grant));
        if matches!(grant.stated.scope.target, Target::This { .. } | Target::Elsewhere) {
            return;
        }
        // It was counted when it was exchanged.
        grant.stated.uses = None;
        self.grants.push(grant);
        let surplus = self.grants.len().saturating_sub(MOST);
        self.grants.drain(..surplus);
    }

    /// The cookie's value: without what has expired, and without the oldest where all is too long. `None` where
    /// nothing is left to write: a link may be longer than a cookie can be.
    #[must_use]
    pub fn write(&mut self, keys: &[MacKey], now: UnixTime) -> Option<String> {
        self.drop_expired(now);
        let key = keys.first()?;
        loop {
            if self.grants.is_empty() {
                return None;
            }
            let json = written::json(&self.grants);
            let tag = key.tag_for(&COOKIE, &[self.host.as_bytes(), json.as_bytes()]);
            let value = [&to_base64url(json.as_bytes()), ".", &to_base64url(tag.as_bytes())].concat();
            if value.len() <= LONGEST {
                return Some(value);
            }
            self.grants.remove(0);
        }
    }

    /// The grants, the oldest first.
    #[must_use]
    pub fn grants(&self) -> &[Grant] {
        &self.grants
    }

    /// The first moment at which none of them is good any more; `None` where one of them never ends.
    #[must_use]
    pub fn expires(&self) -> Option<UnixTime> {
        let ends: Option<Vec<UnixTime>> = self.grants.iter().map(first_bad).collect();
        ends?.into_iter().max()
    }

    /// The youngest grant that covers a request and is in time. `known` says whether the policy still takes links of
    /// its format and key here ([`super::LinkVerifier::knows`]): a grant it does not know counts as nothing.
    ///
    /// # Errors
    /// The refusal of the one that came furthest: expired or too early where it covers the request, else
    /// [`Cause::TokenWrongScope`]; [`Cause::TokenUnknownKey`] where none counts.
    pub fn judge(
        &self,
        seen: &Seen<'_>,
        at: &Moment,
        known: impl Fn(&Grant) -> bool,
    ) -> Result<&Grant, Refusal> {
        let mut furthest: Option<Refusal> = None;
        for grant in self.grants.iter().rev().filter(|grant| known(grant)) {
            match covers(grant, seen, at) {
                Ok(()) => return Ok(grant),
                Err(refusal) if furthest.as_ref().is_none_or(|it| progress(it) < progress(&refusal)) => {
                    furthest = Some(refusal);
                }
                Err(_) => {}
            }
        }
        let nothing = "The links that the cookie stands for are no longer taken here.";
        Err(furthest.unwrap_or_else(|| refusal(Cause::TokenUnknownKey, nothing)))
    }

    /// Every grant that covers a request and is in time, the youngest first: where one was revoked, the next may do.
    pub fn covering<'j>(
        &'j self,
        seen: &'j Seen<'_>,
        at: &'j Moment,
        known: impl Fn(&Grant) -> bool + 'j,
    ) -> impl Iterator<Item = &'j Grant> {
        let grants = self.grants.iter().rev();
        grants.filter(move |it| known(it) && covers(it, seen, at).is_ok())
    }

    fn drop_expired(&mut self, now: UnixTime) {
        self.grants.retain(|grant| first_bad(grant).is_none_or(|end| now < end));
    }
}

fn covers(grant: &Grant, seen: &Seen<'_>, at: &Moment) -> Result<(), Refusal> {
    let scope = grant.stated.scope.check(seen);
    scope.map_err(|detail| refusal(Cause::TokenWrongScope, &detail))?;
    in_time(&grant.stated, at)
}

fn is_same(one: &Grant, other: &Grant) -> bool {
    (one.format, &one.key, &one.stated.id) == (other.format, &other.key, &other.stated.id)
}

fn first_bad(grant: &Grant) -> Option<UnixTime> {
    grant.stated.end.map(super::End::first_bad)
}

/// A `Set-Cookie` value: `until` is [`Jar::expires`], without which the cookie ends with the browser's session.
#[must_use]
pub fn set_cookie(value: &str, https: bool, until: Option<UnixTime>, now: UnixTime) -> String {
    let secure = if https { "; Secure" } else { "" };
    let mut cookie = [name(https), "=", value, "; Path=/", secure, "; HttpOnly; SameSite=Lax"].concat();
    if let Some(until) = until {
        cookie.push_str("; Max-Age=");
        cookie.push_str(&until.since(now).seconds().to_string());
    }
    cookie
}

#[cfg(test)]
mod tests;
