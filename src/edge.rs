//! The Worker: the one module that knows the platform, and it reads like the picture in the crate's doc.
//!
//! `worker.js` calls these functions; they call back into its `host`. A request that needs nothing from outside is
//! decided without a single await: [`fetch`] hands back the platform's own promise.

mod authority;
mod endpoints;
mod facts;
mod host;
mod isolate;
mod languages;
mod leaving;
mod log;
mod outside;
mod people;
mod send;

use crate::authenticate::{
    Answers, Circumstances, Decision, Exchange, Outcome, PasswordQuestion, Question, Stored, Verdict,
    authenticate,
};
use crate::exchange;
use crate::forward::inject;
use crate::password::htpasswd::Users;
use crate::policy::Kinds;
use crate::reply::{self, Answerer};
use crate::request::{FieldList, RequestFacts};
use crate::revocation::sessions;
use crate::time::UnixTime;
use crate::verdict::{Cause, Refusal, Refused};
use core::cell::OnceCell;
use host::Host;
use isolate::Isolate;
use people::Tried;
use wasm_bindgen::prelude::*;

/// What cannot be: see [`exchange::exchanged`].
const TOO_LONG: &str = "What the link grants does not fit into a cookie.";

/// One request, and everything that answering it needs.
struct Visit<'v> {
    isolate: &'static Isolate,
    host: &'v Host,
    request: &'v JsValue,
    env: &'v JsValue,
    fields: &'v facts::Read<'v>,
    facts: &'v RequestFacts<'v>,
    now: UnixTime,
    reference: OnceCell<String>,
}

/// Answers a request: a `Response`, or a promise of one.
#[wasm_bindgen]
pub fn fetch(host: &Host, request: &JsValue, env: &JsValue, ctx: &JsValue) -> JsValue {
    let answer = visit(host, request, env, |visit| {
        visit.isolate.used_store.set(false);
        visit.answer(Answers::default())
    });
    outside::renew(host, env, ctx);
    answer
}

/// The origin answered: returns the changes to its fields, three lines each; nothing where it goes out as it is.
#[wasm_bindgen]
pub fn answered(host: &Host, request: &JsValue, env: &JsValue, seen: &str, options: u32) -> String {
    let seen = send::seen_of(seen);
    let mut edits = String::new();
    visit(host, request, env, |visit| {
        edits = visit.edits(&seen, options);
        JsValue::UNDEFINED
    });
    edits
}

/// The changes to an answer that is to be kept out of shared caches and has nothing else which could need any.
#[wasm_bindgen]
pub fn private_edits(cache_control: &str) -> String {
    send::private_edits(cache_control)
}

/// The changes to an answer that gets the script which warns; `None` where it does not. `url`: what was asked for.
#[wasm_bindgen]
pub fn injects(url: &str, seen: &str) -> Option<String> {
    inject::edits(&send::document_of(seen), &origin_of(url)).map(|edits| send::lines(&edits))
}

/// Whether a Content-Security-Policy in a page lets that script run.
#[wasm_bindgen]
pub fn allows_script(url: &str, csp: &str) -> bool {
    inject::allows(csp, &origin_of(url))
}

/// What was ended, added to what stands in `EDGEWARD_KV`; `None` where that cannot be read. `now`: Unix milliseconds.
#[wasm_bindgen]
#[allow(clippy::cast_possible_truncation, clippy::needless_pass_by_value)]
pub fn merge_ended(present: Option<String>, more: &str, now: f64) -> Option<String> {
    sessions::merged(present.as_deref(), more, UnixTime::from_millis(now as i64))
}

/// The origin did not answer, or not in time.
#[wasm_bindgen]
pub fn unanswered(host: &Host, request: &JsValue, env: &JsValue, late: bool, message: &str) -> JsValue {
    let (cause, detail) = if late {
        (Cause::OriginTimeout, "The origin did not answer in time.")
    } else {
        (Cause::OriginUnreachable, "The origin could not be reached.")
    };
    visit(host, request, env, |visit| visit.refuse_because(&plain(Refusal::new(cause, detail)), message))
}

/// The module panicked in this request, and was started anew.
#[wasm_bindgen]
pub fn internal(host: &Host, request: &JsValue, env: &JsValue) -> JsValue {
    let refused = plain(Refusal::new(Cause::Internal, "A defect of the gate itself ended this request."));
    visit(host, request, env, |visit| visit.refuse(&refused))
}

/// A file of the brand that is not there.
#[wasm_bindgen]
pub fn missing(host: &Host, request: &JsValue, env: &JsValue) -> JsValue {
    visit(host, request, env, |visit| visit.not_found())
}

/// Reads the facts of a request, and answers it.
fn visit(
    host: &Host,
    request: &JsValue,
    env: &JsValue,
    answer: impl FnOnce(&Visit<'_>) -> JsValue,
) -> JsValue {
    let mut answer = Some(answer);
    visit_once(host, request, env, &mut |visit| {
        answer.take().map_or(JsValue::UNDEFINED, |answer| answer(visit))
    })
}

/// The same, compiled once.
fn visit_once(
    host: &Host,
    request: &JsValue,
    env: &JsValue,
    answer: &mut dyn FnMut(&Visit<'_>) -> JsValue,
) -> JsValue {
    let isolate = Isolate::of(host, env);
    let text = facts::Text::read(host, request);
    let (method, url, fields) = text.parts(host, request);
    let now = isolate::now(host);
    match RequestFacts::new(method, url, &fields) {
        Ok(facts) => {
            let (facts, reference) = (&isolate.gate.places.set_aside(facts), OnceCell::new());
            answer(&Visit { isolate, host, request, env, fields: &fields, facts, now, reference })
        }
        // The platform hands out absolute URLs only; anything else is nobody's request.
        Err(_) => host.respond(400, "Cache-Control\nno-store", None),
    }
}

/// A function that JavaScript calls once. Compiled once for all of them.
fn once(go_on: impl FnOnce(JsValue) -> JsValue + 'static) -> JsValue {
    let go_on: Box<dyn FnOnce(JsValue) -> JsValue> = Box::new(go_on);
    Closure::once_into_js(move |value: JsValue| go_on(value))
}

/// The serialised origin of a URL as the platform hands it out.
fn origin_of(url: &str) -> String {
    RequestFacts::new("GET", url, &FieldList::default()).map(|facts| facts.origin()).unwrap_or_default()
}

fn unsettled() -> Decision<'static> {
    let refusal = Refusal::new(Cause::Internal, "The verdict did not settle.");
    Decision { rule: None, verdict: Verdict::Refused(plain(refusal)) }
}

fn plain(refusal: Refusal) -> Refused {
    Refused { refusal, accept: Kinds::NONE }
}

impl Visit<'_> {
    fn answer(&self, answers: Answers) -> JsValue {
        #[cfg(feature = "panic-probe")]
        assert!(self.facts.field("x-edgeward-panic").is_none(), "asked to");
        match self.decide(self.facts, answers, None) {
            Ok(decision) => self.carry_out(decision),
            Err((question, answers)) => outside::ask(self, question, answers, outside::Then::Answer),
        }
    }

    fn carry_out(&self, decision: Decision<'static>) -> JsValue {
        log::decision(self, &decision);
        self.isolate.used_store.set(self.isolate.gate.config.store && decision.verdict.rests_on_store());
        match decision.verdict {
            Verdict::Pass(passage) => send::pass(self, passage),
            Verdict::ToHttps => self.respond(&self.answerer().to_https()),
            Verdict::Preflight(cors) => self.respond(&self.answerer().preflight(cors)),
            Verdict::Reserved(who) => self.reserved(who.as_ref()),
            Verdict::Exchange(exchange) => self.exchange(*exchange),
            Verdict::Refused(refused) => self.page(&refused),
        }
    }

    /// Asks the core about a request, and runs a slow hash where it needs one: one at a time, as nothing here awaits.
    /// What else it needs comes back as the question.
    fn decide(
        &self,
        facts: &RequestFacts<'_>,
        mut answers: Answers,
        confirmed: Option<&str>,
    ) -> Result<Decision<'static>, (Question, Answers)> {
        loop {
            match self.ask(facts, &answers, confirmed) {
                Outcome::Decided(decision) => return Ok(decision),
                // It was answered before; asking again would be a defect of ours, and refuses.
                Outcome::Needs(Question::Password(_)) if answers.password.is_some() => {
                    return Ok(unsettled());
                }
                Outcome::Needs(Question::Password(question)) => {
                    answers.password = Some(self.is_right(question));
                }
                Outcome::Needs(question) => return Err((question, answers)),
            }
        }
    }

    fn is_right(&self, question: PasswordQuestion) -> bool {
        let verifiers = self.isolate.gate.config.verifiers.as_ref();
        let users = verifiers.and_then(|verifiers| verifiers.users.as_ref());
        let stored = self.isolate.accounts.borrow();
        let check = |users: &Users| users.check_with(&stored, &question.user_pass, self.now).0;
        let right = users.is_some_and(check);
        if let Some(proof) = question.proof.filter(|_| right) {
            self.isolate.proven.borrow_mut().remember(proof, self.now);
        }
        right
    }

    fn ask(&self, facts: &RequestFacts<'_>, answers: &Answers, confirmed: Option<&str>) -> Outcome<'static> {
        self.circumstances(answers, confirmed, |at| authenticate(&self.isolate.gate, facts, at))
    }

    /// Tells the core what it is told besides a request.
    fn circumstances<T>(
        &self,
        answers: &Answers,
        confirmed: Option<&str>,
        told: impl FnOnce(&Circumstances<'_>) -> T,
    ) -> T {
        let isolate = self.isolate;
        let (proven, kept, api_keys) =
            (isolate.proven.borrow(), isolate.kept.borrow(), isolate.stored_keys());
        let accounts = isolate.accounts.borrow();
        let store = Stored { revoked: &kept, api_keys: api_keys.as_deref(), accounts: &accounts };
        let at = Circumstances { now: self.now, proven: &proven, answers, store, confirmed, nfc: host::nfc };
        told(&at)
    }

    /// To the clean URL; without a cookie there would be nothing to show there, and the request goes on as it is.
    fn exchange(&self, exchange: Exchange<'_>) -> JsValue {
        if let Some(exchanged) = exchange::exchanged(&self.isolate.gate, &exchange, self.facts, self.now) {
            return self.respond(&self.answerer().exchanged(exchanged));
        }
        match exchange.into_passage() {
            Some(passage) => send::pass(self, passage),
            None => self.refuse(&plain(Refusal::new(Cause::Internal, TOO_LONG))),
        }
    }

    /// Paths below `/.edgeward/`.
    fn reserved(&self, who: Option<&crate::authenticate::Authenticated>) -> JsValue {
        let answerer = self.answerer();
        let endpoint = reply::endpoint(self.facts, &self.isolate.gate.config);
        match (endpoint, who) {
            (reply::Endpoint::Health, _) => self.respond(&answerer.healthy()),
            (reply::Endpoint::WhoAmI, Some(who)) => self.respond(&answerer.whoami(who)),
            (reply::Endpoint::Explained(cause), _) => {
                let reply = answerer.explained(cause, &mut self.isolate.pages.borrow_mut());
                self.respond(&reply)
            }
            (reply::Endpoint::Token, Some(who)) => self.fresh_token(who),
            (reply::Endpoint::Link, _) => self.link(),
            (reply::Endpoint::Revoke, _) => self.revoke(),
            (reply::Endpoint::SignIn, _) => self.sign_in(),
            (reply::Endpoint::Language, _) => self.language(),
            (reply::Endpoint::Brand, _) if self.host.has(self.env, "ASSETS", "fetch") => {
                let url = format!("{}{}", self.facts.origin(), self.facts.path);
                let fields = lines(&answerer.around_file());
                self.host.brand(self.request, self.env, &url, &fields)
            }
            (reply::Endpoint::SignOut, _) => self.sign_out(),
            (reply::Endpoint::Clear, _) => self.clear(),
            (reply::Endpoint::Session, Some(_)) => self.session(),
            (reply::Endpoint::Authority(at), who) => self.authority(at, who),
            (reply::Endpoint::SessionScript, _) => self.session_script(),
            (
                reply::Endpoint::Brand
                | reply::Endpoint::WhoAmI
                | reply::Endpoint::Token
                | reply::Endpoint::Session,
                _,
            ) => self.not_found(),
            (reply::Endpoint::Refused(refusal), _) => self.refuse(&plain(refusal)),
        }
    }

    fn not_found(&self) -> JsValue {
        self.refuse(&plain(Refusal::new(Cause::NotFound, "No such reserved path.")))
    }

    /// Says no, and logs it.
    fn refuse(&self, refused: &Refused) -> JsValue {
        self.refuse_because(refused, "")
    }

    fn refuse_because(&self, refused: &Refused, message: &str) -> JsValue {
        log::refused(self, refused, None, message);
        self.page(refused)
    }

    /// Says no, on the brand's own page where it has one, and in the visitor's language.
    fn page(&self, refused: &Refused) -> JsValue {
        self.page_after(refused, None)
    }

    /// The same, to a form that was sent.
    fn page_after(&self, refused: &Refused, tried: Option<&Tried>) -> JsValue {
        if self.answerer().form() != reply::negotiate::Form::Html {
            return self.show(refused, tried);
        }
        let away = if tried.is_none() { self.away(refused) } else { None };
        away.unwrap_or_else(|| self.page_here(refused, tried))
    }

    /// The same where nobody is sent to another host.
    fn page_here(&self, refused: &Refused, tried: Option<&Tried>) -> JsValue {
        let status = reply::status(refused.refusal.cause);
        if self.isolate.wants_template(status) {
            return self.fetch_template(refused, tried, status);
        }
        self.show_in_language(refused.clone(), tried.cloned())
    }

    /// Asks for the brand's own page, then says no under the same reference.
    fn fetch_template(&self, refused: &Refused, tried: Option<&Tried>, status: u16) -> JsValue {
        let url = format!("{}/.edgeward/pages/{status}.html", self.facts.origin());
        let (host, isolate): (JsValue, _) = (self.host.into(), self.isolate);
        let (request, env) = (self.request.clone(), self.env.clone());
        let (refused, tried, reference) = (refused.clone(), tried.cloned(), self.reference().to_owned());
        let then = once(move |text: JsValue| {
            let host: &Host = host.unchecked_ref();
            isolate.take_template(host, status, text.as_string().as_deref());
            visit(host, &request, &env, |visit| {
                // The cell of a new visit is empty, so this cannot fail.
                let _ = visit.reference.set(reference);
                visit.show_in_language(refused, tried)
            })
        });
        self.host.asset(self.request, self.env, &url, &then)
    }

    fn show_in_language(&self, refused: Refused, tried: Option<Tried>) -> JsValue {
        self.in_language(move |visit| visit.show(&refused, tried.as_ref()))
    }

    fn show(&self, refused: &Refused, tried: Option<&Tried>) -> JsValue {
        let (answerer, pages) = (self.answerer(), &mut self.isolate.pages.borrow_mut());
        let reply = match tried {
            Some(tried) => answerer.refused_form(refused, &tried.sent(), pages),
            None => answerer.refused(refused, pages),
        };
        self.respond(&reply)
    }

    fn answerer(&self) -> Answerer<'_> {
        Answerer {
            facts: self.facts,
            policy: self.isolate.gate.config.policy.as_ref(),
            places: &self.isolate.gate.places,
            reference: self.reference(),
            now: self.now,
        }
    }

    /// What a visitor reads out to whoever helps: the ray id, or 16 random hexadecimal digits.
    fn reference(&self) -> &str {
        self.reference.get_or_init(|| {
            let ray = self.facts.field("cf-ray").filter(|ray| reply::is_ray(ray));
            ray.unwrap_or_else(|| self.isolate.random_hex(self.host).chars().take(16).collect())
        })
    }

    fn respond(&self, reply: &reply::Reply) -> JsValue {
        self.host.respond(reply.status, &lines(reply), reply.content.as_deref())
    }
}

/// Fields, names and values in turn.
fn lines(reply: &reply::Reply) -> String {
    let mut lines = String::new();
    for (name, value) in &reply.fields {
        if !lines.is_empty() {
            lines.push('\n');
        }
        lines.push_str(name);
        lines.push('\n');
        // A line feed would be a field of somebody else's making.
        lines.extend(value.chars().map(|c| if c.is_control() { ' ' } else { c }));
    }
    lines
}
