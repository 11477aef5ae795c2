//! A good link becomes a cookie: where the browser is sent, and what it is given.

use crate::authenticate::{Exchange, Gate};
use crate::request::{RequestFacts, Scheme};
use crate::time::UnixTime;
use crate::token::signed_url::grants::{self, Jar};

/// Where the browser is sent, and the cookie it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchanged {
    /// The clean URL, absolute: a path that begins with `//` stays a path.
    pub location: String,
    /// `Set-Cookie`, where there is one to set.
    pub cookie: Option<String>,
}

/// Exchanges what a link grants. `facts` are those of the request with the link; links that the browser has exchanged
/// before stay good. `None` where the grant is too long for a cookie: then there is nothing to send the browser to. A link
/// that counts its uses never is: all of its fields are short.
#[must_use]
pub fn exchanged(
    gate: &Gate,
    exchange: &Exchange<'_>,
    facts: &RequestFacts<'_>,
    now: UnixTime,
) -> Option<Exchanged> {
    let query = facts.query.and_then(|query| gate.places.without_tokens(query));
    let mut location = facts.uri_without_query();
    if let Some(query) = &query {
        location.push('?');
        location.push_str(query);
    }
    let verifiers = gate.config.verifiers.as_ref()?;
    let keys = verifiers.jar.as_slice();
    let https = facts.scheme == Scheme::Https;
    let mut jar = Jar::of_request(keys, facts);
    let key_print = verifiers.links.key_print(&exchange.grant);
    jar.add(exchange.grant.clone().written_out(facts, query.as_deref().unwrap_or_default(), key_print), now);
    let until = jar.expires();
    let value = jar.write(keys, now)?;
    Some(Exchanged { location, cookie: Some(grants::set_cookie(&value, https, until, now)) })
}
