//! What the operator reads: one JSON object a line. Never a secret, never a query (a token may stand in it), and
//! nothing of credentials that did not verify.

use super::Visit;
use super::host::Host;
use crate::authenticate::{Authenticated, Decision, Verdict, Who};
use crate::config::{Config, Problem};
use crate::json::ObjectWriter;
use crate::policy::{Kind, LogLevel, Rule};
use crate::reply;
use crate::session::{Factors, Session};
use crate::verdict::{Refusal, Refused};

struct Line<'a> {
    edgeward: &'static str,
    cause: Option<&'static str>,
    status: Option<u16>,
    detail: &'a str,
    message: &'a str,
    rule: Option<usize>,
    kind: Option<&'static str>,
    user: Option<&'a str>,
    key: Option<&'a str>,
    method: &'a str,
    host: &'a str,
    path: &'a str,
    reference: Option<&'a str>,
}

/// Each problem of the configuration, once for each isolate, as a sentence.
pub fn problems(host: &Host, config: &Config) {
    for sentence in config.problems.iter().map(Problem::to_string) {
        problem(host, &sentence);
    }
}

/// One problem that is the operator's to mend.
pub fn problem(host: &Host, sentence: &str) {
    let line = ObjectWriter::new().text("edgeward", "problem").text("problem", sentence);
    host.log(&line.finish());
}

/// A verdict, as far as the policy wants it logged.
pub fn decision(visit: &Visit<'_>, decision: &Decision<'_>) {
    match &decision.verdict {
        Verdict::Refused(it) => refused(visit, it, decision.rule, ""),
        Verdict::Pass(passage) => match passage.who() {
            Who::Reported(it) => reported(visit, it, decision.rule),
            Who::Known(who) => passed(visit, "passed", Some(who), decision.rule),
            Who::Anyone => passed(visit, "passed", None, decision.rule),
        },
        Verdict::ToHttps => passed(visit, "redirected", None, decision.rule),
        Verdict::Exchange(exchange) => passed(visit, "exchanged", Some(&exchange.who), decision.rule),
        Verdict::Preflight(_) | Verdict::Reserved(_) => passed(visit, "answered", None, decision.rule),
    }
}

/// A sign-in, or the first half of one: where everything is logged.
pub fn signed_in(visit: &Visit<'_>, session: &Session) {
    if level(visit) == LogLevel::All {
        let event = if session.factors == Factors::Half { "half-signed-in" } else { "signed-in" };
        let mut it = line(visit, event);
        it.kind = Some(Kind::Session.name());
        it.user = Some(&session.user);
        write(visit, it);
    }
}

/// Somebody signed out, as far as the policy wants it logged; `what` is what is true then.
pub fn signed_out(visit: &Visit<'_>, what: &'static str, user: Option<&str>) {
    if level(visit) == LogLevel::All {
        let mut it = line(visit, what);
        it.user = user;
        write(visit, it);
    }
}

/// A refusal; `message` is what the platform said, where it said anything.
pub fn refused(visit: &Visit<'_>, refused: &Refused, rule: Option<&Rule>, message: &str) {
    if visit.isolate.has_events {
        let Refusal { cause, sent, key, .. } = &refused.refusal;
        point(visit, "refused", cause.name(), reply::status(*cause), *sent, key.as_deref(), rule);
    }
    if level(visit) != LogLevel::None {
        refusal(visit, "refused", refused, rule, message);
    }
}

/// What a rule in report mode would have refused: logged whatever the level, as that is what the mode is for.
fn reported(visit: &Visit<'_>, refused: &Refused, rule: Option<&Rule>) {
    refusal(visit, "reported", refused, rule, "");
}

/// A 401 or 403 that is the origin's, not ours.
pub fn origin_refused(visit: &Visit<'_>, status: u16) {
    if level(visit) != LogLevel::None {
        write(visit, Line { status: Some(status), ..line(visit, "origin-refused") });
    }
}

/// The origin tried to set a cookie of ours.
pub fn cookie_dropped(visit: &Visit<'_>, name: &str) {
    let message = format!("The origin set the cookie {name}, which is ours; it was dropped.");
    write(visit, Line { message: &message, ..line(visit, "cookie-dropped") });
}

fn passed(visit: &Visit<'_>, event: &'static str, who: Option<&Authenticated>, rule: Option<&Rule>) {
    tell_key(visit, event, who, rule);
    if level(visit) != LogLevel::All {
        return;
    }
    let mut it = line(visit, event);
    it.rule = rule.and_then(|rule| rule.index);
    it.kind = who.map(|who| who.kind().name());
    it.user = who.and_then(Authenticated::user);
    it.key = who.and_then(Authenticated::key);
    write(visit, it);
}

/// A data point for each key that verified something, once a minute: so an operator sees when an old one is unused.
fn tell_key(visit: &Visit<'_>, event: &'static str, who: Option<&Authenticated>, rule: Option<&Rule>) {
    if !visit.isolate.has_events {
        return;
    }
    let Some((who, kid)) = who.and_then(|who| Some((who, who.key()?))) else { return };
    if visit.isolate.tells_key(kid, visit.now) {
        point(visit, event, "", 200, Some(who.kind()), Some(kid), rule);
    }
}

/// A data point: blobs are event, cause, kind, key id, rule and host; the double is the status, the index the cause.
fn point(
    visit: &Visit<'_>,
    event: &str,
    cause: &str,
    status: u16,
    kind: Option<Kind>,
    key: Option<&str>,
    rule: Option<&Rule>,
) {
    let rule = rule.and_then(|rule| rule.index).map(|index| index.to_string()).unwrap_or_default();
    let kind = kind.map(Kind::name).unwrap_or_default();
    let blobs = [event, cause, kind, key.unwrap_or_default(), &rule, visit.facts.authority];
    let blobs = blobs.map(str::to_owned);
    let index = if cause.is_empty() { event } else { cause };
    let point = ObjectWriter::new()
        .texts("blobs", &blobs)
        .literal("doubles", &["[", &status.to_string(), "]"].concat())
        .texts("indexes", &[index.to_owned()]);
    visit.host.event(visit.env, &point.finish());
}

fn refusal(visit: &Visit<'_>, event: &'static str, refused: &Refused, rule: Option<&Rule>, message: &str) {
    let refusal = &refused.refusal;
    let mut it = line(visit, event);
    it.cause = Some(refusal.cause.name());
    it.status = Some(reply::status(refusal.cause));
    it.detail = &refusal.detail;
    it.message = message;
    it.rule = rule.and_then(|rule| rule.index);
    it.kind = refusal.sent.map(Kind::name);
    it.user = refusal.user.as_deref();
    it.key = refusal.key.as_deref();
    it.reference = Some(visit.reference());
    write(visit, it);
}

fn level(visit: &Visit<'_>) -> LogLevel {
    visit.isolate.gate.config.policy.as_ref().map_or(LogLevel::Refused, |policy| policy.log)
}

fn line<'a>(visit: &'a Visit<'_>, event: &'static str) -> Line<'a> {
    let facts = visit.facts;
    Line {
        edgeward: event,
        cause: None,
        status: None,
        detail: "",
        message: "",
        rule: None,
        kind: None,
        user: None,
        key: None,
        method: facts.method,
        host: facts.authority,
        path: facts.path,
        reference: None,
    }
}

fn write(visit: &Visit<'_>, line: Line<'_>) {
    let mut object = ObjectWriter::new().text("edgeward", line.edgeward).optional("cause", line.cause);
    if let Some(status) = line.status {
        object = object.number("status", i64::from(status));
    }
    object = object.optional("detail", filled(line.detail)).optional("message", filled(line.message));
    if let Some(rule) = line.rule {
        object = object.literal("rule", &rule.to_string());
    }
    object = object
        .optional("kind", line.kind)
        .optional("user", line.user)
        .optional("key", line.key)
        .text("method", line.method)
        .text("host", line.host)
        .text("path", line.path)
        .optional("reference", line.reference);
    visit.host.log(&object.finish());
}

fn filled(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}
