//! To the origin, and back.

use super::{Visit, log, plain};
use crate::authenticate::Passage;
use crate::forward::answer::{Back, Edits, Seen};
use crate::forward::{self, Forwarding, PublicOrigin};
use crate::policy::{Origin, Policy};
use crate::verdict::{Cause, Refusal};
use wasm_bindgen::JsValue;

/// Bits of `options`, as in `worker.js`.
const NO_STORE: u32 = 1;
const TO_ASSETS: u32 = 2;

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
    let names = visit.host.names(visit.request);
    let outgoing = forwarding.outgoing(passage, visit.facts, names.split('\n'));
    let options = if outgoing.no_store { NO_STORE } else { 0 }
        | if policy.origin == Origin::Assets { TO_ASSETS } else { 0 };
    let set: Vec<&str> =
        outgoing.set.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]).collect();
    visit.host.forward(
        visit.request,
        visit.env,
        &outgoing.url,
        &outgoing.remove.join("\n"),
        &set.join("\n"),
        options,
        u32::try_from(policy.origin_timeout.seconds()).unwrap_or(u32::MAX),
    )
}

impl Visit<'_> {
    /// The changes that an answer of the origin needs, as `worker.js` applies them: three lines each.
    pub fn edits(&self, seen: &str, options: u32) -> String {
        let Some(policy) = &self.isolate.gate.config.policy else { return String::new() };
        let seen = seen_of(seen);
        if matches!(seen.status, 401 | 403) {
            log::origin_refused(self, seen.status);
        }
        let edits = self.edits_of(policy, &seen, options & NO_STORE != 0);
        for name in &edits.dropped {
            log::cookie_dropped(self, name);
        }
        lines(&edits)
    }

    fn edits_of(&self, policy: &Policy, seen: &Seen<'_>, private: bool) -> Edits {
        let public = PublicOrigin { scheme: self.facts.scheme, authority: self.facts.authority.to_owned() };
        let listed = policy.cors.as_ref().and_then(|cors| {
            let origin = self.facts.field("origin")?;
            cors.lists(&origin).then_some((cors, origin))
        });
        let cors = listed.as_ref().map(|(cors, origin)| (*cors, origin.as_str()));
        Back { origin: &policy.origin, public: &public, private, cors }.edits(seen)
    }
}

/// The lines of `worker.js`: status, three fields, a mark, and the lines of `Set-Cookie`.
fn seen_of(text: &str) -> Seen<'_> {
    let mut lines = text.split('\n');
    let status = lines.next().and_then(|line| line.parse().ok()).unwrap_or_default();
    let mut field = || lines.next().filter(|line| *line != "\0");
    let (cache_control, location, content_location) = (field(), field(), field());
    let allows_origin = field() == Some("1");
    Seen { status, cache_control, location, content_location, allows_origin, set_cookie: lines.collect() }
}

fn lines(edits: &Edits) -> String {
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
