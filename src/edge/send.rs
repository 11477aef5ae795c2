//! To the origin, and back.

use super::host::ABSENT;
use super::{Visit, log, plain};
use crate::authenticate::Passage;
use crate::forward::answer::{Back, Edits, Seen, kept_private};
use crate::forward::inject::Document;
use crate::forward::{self, Forwarding, Outgoing, PublicOrigin};
use crate::policy::{Cors, Origin, Policy};
use crate::request::Scheme;
use crate::session::{Session, cookie};
use crate::verdict::{Cause, Refusal};
use wasm_bindgen::JsValue;

/// Bits of `options`, as in `worker.js`: shared caches are kept out.
const PRIVATE: u32 = 1;
/// The request goes to the `ASSETS` binding.
const TO_ASSETS: u32 = 2;
/// References in the answer may be on the origin's authority.
const RELOCATE: u32 = 4;
/// The answer is for a script of a listed origin.
const SHARE: u32 = 8;
/// The answer may be a page of somebody who is signed in, and is to have the script that warns.
const WARN: u32 = 16;

/// Sends a request that may pass to the origin. Takes the leave to do so by value.
pub fn pass(visit: &Visit<'_>, passage: Passage<'_>) -> JsValue {
    let isolate = visit.isolate;
    let Some(policy) = &isolate.gate.config.policy else {
        return visit.refuse(&plain(Refusal::new(Cause::NotConfigured, "The policy has a problem.")));
    };
    if forward::is_loop(visit.facts, &isolate.pseudonym) {
        let refusal = Refusal::new(Cause::OriginUnreachable, "The origin is this gate itself.");
        return visit.refuse_because(&plain(refusal), "loop");
    }
    let key = policy
        .forward
        .identity
        .then(|| isolate.assertion_key(&forward::audience(policy, visit.facts)))
        .flatten();
    let jti = if key.is_some() { isolate.random_hex(visit.host) } else { String::new() };
    let forwarding = Forwarding {
        policy,
        places: &isolate.gate.places,
        pseudonym: &isolate.pseudonym,
        origin_authorization: isolate.gate.config.origin_authorization.as_ref(),
        assertion: key.as_deref(),
        jti: &jti,
        now: visit.now,
    };
    let warns = forward::inject::is_asked(policy, visit.facts, passage.who());
    let cookie = passage.renewal().and_then(|session| visit.session_cookie(session));
    let outgoing = forwarding.outgoing(passage, visit.facts, visit.fields.names());
    visit.host.forward(
        visit.request,
        visit.env,
        &text_of(&outgoing),
        options(visit, policy, &outgoing) | if warns { WARN } else { 0 },
        policy.origin_timeout.map_or(0, |limit| u32::try_from(limit.seconds()).unwrap_or(u32::MAX)),
        cookie.as_deref(),
    )
}

/// The lines of `worker.js`: the URL, then names and values.
fn text_of(outgoing: &Outgoing<'_>) -> String {
    let removed = outgoing.remove.iter().map(|name| (*name, ABSENT));
    let set = outgoing.set.iter().map(|(name, value)| (&**name, &**value));
    let mut text = String::with_capacity(1024);
    text.push_str(&outgoing.url);
    for line in removed.chain(set).flat_map(|(name, value)| [name, value]) {
        text.push('\n');
        text.push_str(line);
    }
    text
}

/// What the answer will have to be looked at for.
fn options(visit: &Visit<'_>, policy: &Policy, outgoing: &Outgoing<'_>) -> u32 {
    let bit = |holds: bool, bit: u32| if holds { bit } else { 0 };
    bit(outgoing.no_store, PRIVATE)
        | bit(policy.origin == Origin::Assets, TO_ASSETS)
        | bit(matches!(policy.origin, Origin::Url { .. }), RELOCATE)
        | bit(visit.listed_origin(policy).is_some(), SHARE)
}

/// What `worker.js` saw of an answer that may be a page: status, a mark, and fields, one a line.
pub fn document_of(text: &str) -> Document<'_> {
    let mut lines = text.split('\n');
    let status = lines.next().and_then(|line| line.parse().ok()).unwrap_or_default();
    let is_fixed = lines.next() == Some("1");
    let mut field = || lines.next().filter(|line| *line != ABSENT);
    Document {
        status,
        is_fixed,
        content_type: field(),
        cache_control: field(),
        coding: field(),
        csp: field(),
        etag: field(),
        disposition: field(),
    }
}

/// The edits that keep an answer out of shared caches, whatever the request was.
pub fn private_edits(cache_control: &str) -> String {
    let cache_control = (cache_control != ABSENT).then_some(cache_control);
    lines(&kept_private(&Seen { cache_control, ..Seen::default() }))
}

impl Visit<'_> {
    /// The `Set-Cookie` that hands a session to the browser; `None` where it does not fit into a cookie.
    pub fn session_cookie(&self, session: &Session) -> Option<String> {
        let config = &self.isolate.gate.config;
        let settings = config.policy.as_ref()?.session.as_ref()?;
        let nonce = *self.host.random(24).first_chunk()?;
        let host = self.facts.host();
        let keys = config.verifiers.as_ref()?.session.as_ref()?;
        let value = keys.seal(session, &settings.bound_to(&host), nonce)?;
        let domain = settings.domain.as_deref().filter(|_| settings.shares(&host));
        let https = self.facts.scheme == Scheme::Https;
        Some(cookie::set(&value, https, domain, session.max_age(self.now)))
    }

    /// The changes that an answer of the origin needs, as `worker.js` applies them: three lines each.
    pub fn edits(&self, seen: &Seen<'_>, options: u32) -> String {
        let Some(policy) = &self.isolate.gate.config.policy else { return String::new() };
        if matches!(seen.status, 401 | 403) {
            log::origin_refused(self, seen.status);
        }
        let edits = self.edits_of(policy, seen, options & PRIVATE != 0);
        for name in &edits.dropped {
            log::cookie_dropped(self, name);
        }
        lines(&edits)
    }

    fn edits_of(&self, policy: &Policy, seen: &Seen<'_>, private: bool) -> Edits {
        let public = PublicOrigin { scheme: self.facts.scheme, authority: self.facts.authority.to_owned() };
        let listed = self.listed_origin(policy);
        let cors = listed.as_ref().map(|(cors, origin)| (*cors, origin.as_str()));
        Back { origin: &policy.origin, public: &public, private, cors }.edits(seen)
    }

    /// The request's `Origin`, where it is a listed one.
    fn listed_origin<'p>(&self, policy: &'p Policy) -> Option<(&'p Cors, String)> {
        let cors = policy.cors.as_ref()?;
        let origin = self.facts.field("origin")?;
        cors.lists(&origin).then_some((cors, origin))
    }
}

/// The lines of `worker.js`: status, three fields, a mark, and the lines of `Set-Cookie`.
pub fn seen_of(text: &str) -> Seen<'_> {
    let mut lines = text.split('\n');
    let status = lines.next().and_then(|line| line.parse().ok()).unwrap_or_default();
    let mut field = || lines.next().filter(|line| *line != ABSENT);
    let (cache_control, location, content_location) = (field(), field(), field());
    let allows_origin = field() == Some("1");
    Seen { status, cache_control, location, content_location, allows_origin, set_cookie: lines.collect() }
}

/// The lines of `worker.js`: three for each edit.
pub fn lines(edits: &Edits) -> String {
    let mut lines: Vec<&str> = Vec::new();
    lines.extend(edits.remove.iter().flat_map(|name| ["-", name, ""]));
    lines.extend(edits.set.iter().flat_map(|(name, value)| ["=", name, value]));
    if let Some(cookies) = &edits.set_cookie {
        lines.extend(["-", "set-cookie", ""]);
        lines.extend(cookies.iter().flat_map(|line| ["+", "set-cookie", line]));
    }
    if edits.vary_origin {
        lines.extend(["+", "vary", "Origin"]);
    }
    lines.join("\n")
}
