//! Reserved paths of a sign-in for several hosts, and who is sent there.

use super::outside::{self, Then};
use super::people::Tried;
use super::{Visit, log, plain};
use crate::authenticate::{Answers, Authenticated, session_shown};
use crate::authority::away::{self, Elsewhere, Sending};
use crate::authority::cookie::{self, Came as CameWith};
use crate::authority::path::{AGAIN, DISCOURSE_START, DONE};
use crate::authority::{self, Asked, At, Came, Errand, Finished, LONGEST_RETURN, Sent};
use crate::policy::SessionSettings;
use crate::reply::escape::component;
use crate::reply::said::{Said, Saying};
use crate::request::Scheme;
use crate::reserved::SIGN_OUT;
use crate::return_to::ReturnTo;
use crate::session::{Factors, ID_SIZE, Session};
use crate::sign_in;
use crate::verdict::{Cause, Refusal, Refused};
use wasm_bindgen::prelude::*;

impl Visit<'_> {
    /// Sends a navigation away that needs a sign-in which is had on another host; `None` where it is answered here.
    pub(super) fn away(&self, refused: &Refused) -> Option<JsValue> {
        if self.answerer().is_script() {
            return None;
        }
        match away::verdict(&self.isolate.gate.config, self.facts, refused)? {
            away::Verdict::InVain(refused) => Some(self.page_here(&refused, None)),
            away::Verdict::Send(elsewhere, second_factor) if matches!(self.facts.method, "GET" | "HEAD") => {
                let query = self.facts.query.and_then(|query| self.isolate.gate.places.without_tokens(query));
                let return_to = away::address(self.facts, query.as_deref());
                Some(self.send_away(elsewhere, &self.errand(return_to, second_factor, false)))
            }
            away::Verdict::Send(elsewhere, second_factor) => {
                let refused = refused.clone();
                Some(self.in_language(move |visit| {
                    let pages = &mut visit.isolate.pages.borrow_mut();
                    visit.respond(&visit.answerer().stays(&refused, elsewhere, second_factor, pages))
                }))
            }
        }
    }

    /// What stands below `authority/`.
    pub(super) fn authority(&self, at: At, who: Option<&Authenticated>) -> JsValue {
        match (at, who) {
            (At::Start | At::DiscourseStart, _) => self.start(),
            (At::Finish, _) => self.come_back(Sent::Authority, self.drawn(), Answers::default()),
            (At::DiscourseFinish, _) => self.come_back(Sent::Discourse, self.drawn(), Answers::default()),
            (At::Again, _) => self.again(),
            (At::Done, _) => self.in_language(|visit| {
                let said = Saying::of(Said::SignedInTab);
                visit.respond(&visit.answerer().said(&said, &mut visit.isolate.pages.borrow_mut()))
            }),
            (At::SignIn | At::Discourse, Some(who)) => self.hand_over(at, who),
            // Nobody is asked about: a Discourse signs its visitor out.
            (At::SignIn | At::Discourse, None) => {
                self.respond(&self.answerer().see_other(self.facts.origin() + SIGN_OUT))
            }
        }
    }

    /// Begins to sign in, on the host where that is done.
    pub(super) fn start(&self) -> JsValue {
        if self.answerer().is_script() {
            let refusal =
                Refusal::new(Cause::CredentialsMissing, "Open this address in a window of its own.");
            return self.refuse(&sign_in::refused(refusal));
        }
        let elsewhere = match self.settings().and_then(|settings| settings.discourse.consumer.as_ref()) {
            Some(consumer) if self.facts.path == DISCOURSE_START => Some(Elsewhere::Discourse(consumer)),
            _ => Elsewhere::of(&self.isolate.gate.config, self.facts),
        };
        let Some(elsewhere) = elsewhere else { return self.not_found() };
        let is_set = |name| self.queried(name).as_deref() == Some("1");
        let return_to = self.address_asked().url().to_owned();
        self.send_away(elsewhere, &self.errand(return_to, is_set("second_factor"), is_set("tab")))
    }

    /// Where somebody wants to go who signs in.
    fn address_asked(&self) -> ReturnTo {
        let origin = self.facts.origin();
        let hosts = self.settings().map(|settings| settings.hosts.as_slice()).unwrap_or_default();
        let address = self.queried("return_to").and_then(|text| ReturnTo::parse(&text, &origin, hosts));
        address.filter(|it| it.url().len() <= LONGEST_RETURN).unwrap_or_else(|| ReturnTo::front(&origin))
    }

    fn errand(&self, return_to: String, second_factor: bool, tab: bool) -> Errand {
        Errand { secret: self.drawn(), began: self.now, second_factor, tab, return_to }
    }

    fn send_away(&self, elsewhere: Elsewhere<'_>, errand: &Errand) -> JsValue {
        let config = &self.isolate.gate.config;
        match away::send(config, self.facts, elsewhere, errand, self.drawn()) {
            Some(sending) => self.respond(&self.answerer().sent_away(sending)),
            None => {
                let detail = "A secret or key that signing in needs is missing, wrong or not in use.";
                self.refuse(&plain(Refusal::new(Cause::NotConfigured, detail)))
            }
        }
    }

    /// Somebody is signed in here: the host or the Discourse that asks learns it.
    fn hand_over(&self, at: At, who: &Authenticated) -> JsValue {
        let config = &self.isolate.gate.config;
        let location = self.settings().zip(session_shown(&self.isolate.gate, self.facts));
        let location = location.and_then(|(settings, session)| {
            let asked = Asked::read(at, config, settings, self.facts, self.now).ok()?;
            asked.answer(config, &session, who.groups(), self.now, self.drawn())
        });
        match location {
            Some(location) => self.respond(&self.answerer().see_other(location)),
            None => self.refuse(&plain(Refusal::new(Cause::Internal, "The session cannot be handed over."))),
        }
    }

    /// Takes what a browser brings back. The answer is a redirect always: a code is the address of no page.
    pub(super) fn come_back(&self, sent: Sent, id: [u8; ID_SIZE], answers: Answers) -> JsValue {
        let finished = self.circumstances(&answers, None, |at| {
            authority::finish(&self.isolate.gate, sent, self.facts, at, id)
        });
        match finished {
            Err(question) => outside::ask(self, question, answers, Then::ComeBack(sent, id)),
            Ok(Finished { errand, came: Came::In(session) }) => self.came_in(errand.as_ref(), &session),
            Ok(Finished { errand, came: Came::Known }) => self.go_on(errand.as_ref(), Vec::new()),
            Ok(Finished { errand, came: Came::Refused(refusal) }) => {
                self.came_in_vain(errand.as_ref(), refusal)
            }
        }
    }

    fn came_in(&self, errand: Option<&Errand>, session: &Session) -> JsValue {
        let Some(cookie) = self.session_cookie(session) else {
            let refusal = Refusal::new(Cause::Internal, "The session does not fit into a cookie.");
            return self.came_in_vain(errand, refusal);
        };
        log::signed_in(self, session);
        let came = if session.factors == Factors::Both { CameWith::Twice } else { CameWith::SignedIn };
        let mut cookies = vec![cookie];
        cookies
            .extend(errand.into_iter().flat_map(|errand| cookie::came_back(errand, came, self.is_https())));
        self.go_on(errand, cookies)
    }

    fn go_on(&self, errand: Option<&Errand>, cookies: Vec<String>) -> JsValue {
        let origin = self.facts.origin();
        let location = match errand {
            Some(errand) if errand.tab => origin + DONE,
            Some(errand) => errand.return_to.clone(),
            None => origin + "/",
        };
        self.respond(&self.answerer().sent_away(Sending { location, cookies }))
    }

    fn came_in_vain(&self, errand: Option<&Errand>, refusal: Refusal) -> JsValue {
        let cookies = errand.map(|errand| cookie::failed(errand, refusal.cause, self.is_https()));
        log::refused(self, &sign_in::refused(refusal), None, "");
        let mut location = self.facts.origin() + AGAIN;
        if let Some(errand) = errand {
            location.push_str("?return_to=");
            location.push_str(&component(&errand.return_to));
        }
        let cookies = cookies.into_iter().flatten().collect();
        self.respond(&self.answerer().sent_away(Sending { location, cookies }))
    }

    /// Says why nothing came of it. The button leads to where somebody wanted to go, and so away once more.
    fn again(&self) -> JsValue {
        let field = self.facts.field("cookie").unwrap_or_default();
        let cause = cookie::why(&field, self.is_https()).unwrap_or(Cause::SessionInvalid);
        let refusal = Refusal::new(cause, "The sign-in on another host came to nothing.");
        let return_to = self.address_asked().written(&self.facts.origin()).into_owned();
        self.page_here(&sign_in::refused(refusal), Some(&Tried::to(return_to)))
    }


    /// Octets drawn at random.
    fn drawn<const N: usize>(&self) -> [u8; N] {
        let octets = self.host.random(u32::try_from(N).unwrap_or_default());
        octets.first_chunk().copied().unwrap_or([0; N])
    }

    fn is_https(&self) -> bool {
        self.facts.scheme == Scheme::Https
    }

    pub(super) fn settings(&self) -> Option<&'static SessionSettings> {
        self.isolate.gate.config.policy.as_ref()?.session.as_ref()
    }
}
