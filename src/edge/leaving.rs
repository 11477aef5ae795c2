//! Getting out: `sign-out`, `clear`, and how long there is still (`session`).

use super::outside::{self, Then as Next};
use super::{Visit, log, once, plain, visit};
use crate::authenticate::{Answers, Halt, session_of, session_shown};
use crate::reply::Reply;
use crate::reply::form::{Clear, Form, SignOut};
use crate::reply::negotiate;
use crate::reply::said::{Said, Saying};
use crate::reserved::{form_value, is_own_form};
use crate::return_to::ReturnTo;
use crate::revocation::ledger;
use crate::revocation::sessions::{Ended, Ending, KV_KEY};
use crate::session::Session;
use crate::sign_out::{self, Leaving, Remaining};
use crate::verdict::{Cause, Refusal};
use std::borrow::Cow;
use wasm_bindgen::prelude::*;

/// Sessions that are being ended: one after the other, as each is another object of the ledger.
struct Job {
    endings: Vec<Ending>,
    next: usize,
    /// Whether the ledger did not answer to one of them.
    is_missed: bool,
    then: Then,
}

/// What is said once they are.
enum Then {
    /// Somebody signed out.
    SignedOut { leaving: Leaving, everywhere: bool, return_to: String },
    /// Somebody had all of this site's sign-in data cleared.
    Cleared { leaving: Leaving, return_to: String },
    /// The command ordered it.
    Ordered,
}

impl Visit<'_> {
    /// `sign-out`: GET asks, POST does.
    pub(super) fn sign_out(&self) -> JsValue {
        match self.facts.method {
            "POST" => self.own_form(|visit, form| visit.leave(form, Answers::default())),
            _ => self.in_language(|visit| visit.ask_to_sign_out()),
        }
    }

    /// Signs out, as a form says.
    pub(super) fn leave(&self, form: String, answers: Answers) -> JsValue {
        let leaving = self.leaving();
        let is_asked = form_value(&form, "everywhere").is_some_and(|value| value == "1");
        // Whoever kept the cookie of a session that was ended ends no others with it.
        let everywhere = match is_asked
            .then(|| self.circumstances(&answers, None, |at| session_of(&self.isolate.gate, self.facts, at)))
        {
            Some(Err(Halt::Needs(question))) => {
                return outside::ask(self, question, answers, Next::SignOut(form));
            }
            Some(Ok(Some(session))) => Some(session.user),
            // Nobody can tell, and who wants to get out is not kept.
            Some(Err(Halt::Refused(refusal))) if refusal.cause == Cause::CheckUnavailable => {
                session_shown(&self.isolate.gate, self.facts).map(|session| session.user)
            }
            Some(_) | None => None,
        };
        let return_to = self.back(form_value(&form, "return_to"));
        let endings = self.endings(&leaving, everywhere.as_deref());
        self.end(endings, Then::SignedOut { leaving, everywhere: everywhere.is_some(), return_to })
    }

    fn ask_to_sign_out(&self) -> JsValue {
        let leaving = self.leaving();
        let return_to = self.back(self.queried("return_to"));
        if !leaving.is_somebody() {
            let url = (!return_to.is_empty()).then_some(return_to.as_str());
            return self.say(&Saying { url, ..Saying::of(Said::SignedOutNot) });
        }
        let everywhere = leaving.user().is_some() && self.keeps();
        let form = Form::SignOut(SignOut { return_to: &return_to, everywhere });
        let url = (!return_to.is_empty()).then_some(return_to.as_str());
        self.say(&Saying { user: leaving.user(), form: Some(form), url, ..Saying::of(Said::SignOut) })
    }

    /// `clear`: GET asks, POST does.
    pub(super) fn clear(&self) -> JsValue {
        match self.facts.method {
            "POST" => self.own_form(|visit, form| {
                let return_to = visit.back(form_value(&form, "return_to"));
                let leaving = visit.leaving();
                let endings = visit.endings(&leaving, None);
                visit.end(endings, Then::Cleared { leaving, return_to })
            }),
            _ => self.in_language(|visit| {
                let return_to = visit.back(visit.queried("return_to"));
                let form = Form::Clear(Clear { return_to: &return_to });
                let url = (!return_to.is_empty()).then_some(return_to.as_str());
                visit.say(&Saying { form: Some(form), url, ..Saying::of(Said::Clear) })
            }),
        }
    }

    /// `session`: how long it is good. Asking is no use of it; POST is.
    pub(super) fn session(&self) -> JsValue {
        // Whoever gets here was let in by it: another variant of the cookie may be of somebody else's making.
        let Some(session) = session_shown(&self.isolate.gate, self.facts) else {
            return self.refuse(&plain(Refusal::new(Cause::Internal, "There is no session.")));
        };
        match self.facts.method {
            "POST" => self.extend(&session.used(self.now)),
            _ => self.respond(&self.remaining(&session)),
        }
    }

    fn extend(&self, session: &Session) -> JsValue {
        let mut reply = self.remaining(session);
        reply.fields.extend(self.session_cookie(session).map(|cookie| ("Set-Cookie", cookie)));
        self.respond(&reply)
    }

    fn remaining(&self, session: &Session) -> Reply {
        self.answerer().json(Remaining::of(session, self.now).document(&session.user))
    }

    /// `session.js`.
    pub(super) fn session_script(&self) -> JsValue {
        self.in_language(|visit| {
            let (reply, words) = visit.answerer().session_script();
            visit.host.script(visit.request, &super::lines(&reply), &words)
        })
    }

    /// Ends sessions by an order of the command's.
    pub(super) fn end_by_order(&self, users: &[String]) -> JsValue {
        let Some(settings) = self.settings() else {
            return self.refuse(&plain(Refusal::new(Cause::NotFound, "Nobody can sign in here.")));
        };
        let endings = users.iter().map(|user| Ending::all(user, settings, self.now)).collect();
        self.end(endings, Then::Ordered)
    }

    /// What a form of our own says.
    fn own_form(&self, go_on: impl FnOnce(&Visit<'_>, String) -> JsValue + 'static) -> JsValue {
        if !is_own_form(self.facts) {
            return self.refuse(&plain(Refusal::new(Cause::CrossSite, "The form is not one of this site.")));
        }
        self.with_content(go_on)
    }

    fn leaving(&self) -> Leaving {
        sign_out::leaving(&self.isolate.gate, self.facts, self.now)
    }

    fn endings(&self, leaving: &Leaving, everywhere: Option<&str>) -> Vec<Ending> {
        let settings = self.settings();
        settings.map(|settings| leaving.endings(settings, everywhere, self.now)).unwrap_or_default()
    }

    /// Whether anything keeps what was ended.
    const fn keeps(&self) -> bool {
        let config = &self.isolate.gate.config;
        config.ledger || config.store
    }

    /// Where a form or a query wants to lead back to; empty where that is nowhere of ours.
    fn back(&self, text: Option<Cow<'_, str>>) -> String {
        let hosts = self.settings().map(|settings| settings.hosts.as_slice()).unwrap_or_default();
        let origin = self.facts.origin();
        let address = text.and_then(|text| ReturnTo::parse(&text, &origin, hosts));
        address.map(|address| address.written(&origin).into_owned()).unwrap_or_default()
    }

    pub(super) fn queried(&self, name: &str) -> Option<Cow<'_, str>> {
        form_value(self.facts.query?, name)
    }

    /// Ends them, each in turn. This isolate knows at once.
    fn end(&self, endings: Vec<Ending>, then: Then) -> JsValue {
        let mut kept = self.isolate.kept.borrow_mut();
        endings.iter().for_each(|ending| kept.end(ending, self.now));
        drop(kept);
        self.end_next(Job { endings, next: 0, is_missed: false, then })
    }

    fn end_next(&self, job: Job) -> JsValue {
        let config = &self.isolate.gate.config;
        match job.endings.get(job.next) {
            Some(ending) if config.ledger && !job.is_missed => {
                let (object, arguments) = (ending.object(), ending.mark_arguments());
                let then = self.later(move |visit, answer| {
                    let is_missed = job.is_missed || answer.as_string().is_none();
                    visit.end_next(Job { next: job.next.saturating_add(1), is_missed, ..job })
                });
                self.host.ledger(self.request, self.env, &object, ledger::MARK, &arguments, &then)
            }
            _ if job.endings.is_empty() || config.ledger && !job.is_missed => self.ended(true, job),
            _ if config.store => self.end_in_store(job),
            _ => self.ended(false, job),
        }
    }

    /// What this isolate ended lately goes along: another may have written over it.
    fn end_in_store(&self, job: Job) -> JsValue {
        let mut more = Ended::new();
        job.endings.iter().for_each(|ending| more.add(ending));
        more.merge(self.isolate.kept.borrow().here(), self.now);
        let then = self.later(move |visit, done| visit.ended(done.is_truthy(), job));
        self.host.end(self.request, self.env, KV_KEY, &more.written(), &then)
    }

    /// `is_kept`: that they were ended stands in a store.
    fn ended(&self, is_kept: bool, job: Job) -> JsValue {
        match job.then {
            Then::SignedOut { leaving, everywhere, return_to } => {
                let said = leaving.said(everywhere, is_kept);
                log::signed_out(self, said.name(), leaving.user());
                self.in_language(move |visit| visit.signed_out(said, &return_to))
            }
            Then::Cleared { leaving, return_to } => {
                // What its own prompt asked for the browser keeps whatever we do.
                let said = if leaving.basic { Said::SignedOutBasic } else { Said::Cleared };
                log::signed_out(self, said.name(), leaving.user());
                self.in_language(move |visit| visit.cleared(said, &return_to))
            }
            Then::Ordered if is_kept => self.respond(&self.answerer().revoked()),
            Then::Ordered => {
                let detail = "No store answered: nothing was ended for sure.";
                self.refuse(&plain(Refusal::new(Cause::CheckUnavailable, detail)))
            }
        }
    }

    fn signed_out(&self, said: Said, return_to: &str) -> JsValue {
        let reply = match self.answerer().form() {
            negotiate::Form::Problem => self.answerer().json(sign_out::document(said)),
            negotiate::Form::Html | negotiate::Form::Text | negotiate::Form::Nothing => {
                self.left(said, return_to)
            }
        };
        self.without(reply, sign_out::without_session(self.facts, self.settings()))
    }

    fn cleared(&self, said: Said, return_to: &str) -> JsValue {
        let reply = match self.answerer().form() {
            negotiate::Form::Problem => {
                self.answerer().json(format!("{{\"cleared\":{}}}", said == Said::Cleared))
            }
            negotiate::Form::Html | negotiate::Form::Text | negotiate::Form::Nothing => {
                self.left(said, return_to)
            }
        };
        self.without(reply, sign_out::without_any(self.facts, self.settings()))
    }

    /// The page of somebody who is out. One that signs out of the browser's own prompt is a 401 with its challenge.
    fn left(&self, said: Said, return_to: &str) -> Reply {
        let url = (!return_to.is_empty()).then_some(return_to);
        let mut reply = self.reply_to(&Saying { url, ..Saying::of(said) });
        if said == Said::SignedOutBasic {
            reply.fields.push(("WWW-Authenticate", self.answerer().basic_challenge()));
        }
        reply
    }

    fn without(&self, mut reply: Reply, cookies: Vec<String>) -> JsValue {
        reply.fields.extend(cookies.into_iter().map(|cookie| ("Set-Cookie", cookie)));
        reply.fields.push(("Clear-Site-Data", sign_out::clear_site_data(self.settings())));
        self.respond(&reply)
    }

    fn say(&self, saying: &Saying<'_>) -> JsValue {
        self.respond(&self.reply_to(saying))
    }

    fn reply_to(&self, saying: &Saying<'_>) -> Reply {
        self.answerer().said(saying, &mut self.isolate.pages.borrow_mut())
    }

    /// A function that JavaScript calls once, with an answer; the request is read again then.
    fn later(&self, go_on: impl FnOnce(&Visit<'_>, JsValue) -> JsValue + 'static) -> JsValue {
        let host: JsValue = self.host.into();
        let (request, env, reference) = (self.request.clone(), self.env.clone(), self.reference().to_owned());
        once(move |answer| {
            visit(host.unchecked_ref(), &request, &env, |visit| {
                // The cell of a new visit is empty, so this cannot fail.
                let _ = visit.reference.set(reference);
                go_on(visit, answer)
            })
        })
    }
}
