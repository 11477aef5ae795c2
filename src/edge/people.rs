//! Reserved paths for people: signing in.

use super::outside::{self, Then};
use super::{Visit, log, plain};
use crate::authenticate::{Answers, Halt, Question, second_factor, session_of};
use crate::authority::away::Elsewhere;
use crate::device::{DeviceId, Reach};
use crate::reply::Reply;
use crate::reply::form::Sent;
use crate::reply::said::{Said, Saying};
use crate::reply::signed_in::SignedIn;
use crate::reserved::{SIGN_IN, is_own_form};
use crate::return_to::ReturnTo;
use crate::session::{Factors, Session};
use crate::sign_in::{self, SignIn, SignInForm, SignInOutcome};
use crate::verdict::{Cause, Refusal, Refused};
use wasm_bindgen::prelude::*;

/// A form that was refused, as far as the next one begins with it: without the password.
#[derive(Clone)]
pub struct Tried {
    user: String,
    return_to: String,
    remember: bool,
    code: bool,
    tab: bool,
}

impl Tried {
    fn of(form: &SignInForm, origin: &str) -> Self {
        Self {
            user: form.typed.clone(),
            return_to: form.return_to.written(origin).into_owned(),
            remember: form.remembers(),
            code: form.is_second(),
            tab: form.tab,
        }
    }

    /// Nothing but where it leads back to.
    pub fn to(return_to: String) -> Self {
        Self { user: String::new(), return_to, remember: false, code: false, tab: false }
    }

    /// What the page makes of it.
    pub fn sent(&self) -> Sent<'_> {
        let Self { user, return_to, remember, code, tab } = self;
        Sent { user, return_to, remember: *remember, code: *code, tab: *tab }
    }
}

/// Where a visitor stands who asks for the sign-in page.
enum Standing {
    Out { is_stale: bool },
    Half(Session),
    In(Session),
}

impl Visit<'_> {
    /// `sign-in`: the page with the form, and what the form sends.
    pub(super) fn sign_in(&self) -> JsValue {
        let is_asked = self.facts.method != "POST";
        if Elsewhere::of(&self.isolate.gate.config, self.facts).is_some() {
            let refusal = Refusal::new(Cause::Denied, "People sign in on another host.");
            return if is_asked { self.start() } else { self.refuse(&plain(refusal)) };
        }
        if is_asked {
            return self.sign_in_page(Answers::default());
        }
        if !is_own_form(self.facts) {
            return self.refuse(&plain(Refusal::new(Cause::CrossSite, "The form is not one of this site.")));
        }
        self.with_content(|visit, content| {
            let form = SignInForm::read(&content, &visit.facts.origin(), visit.hosts(), super::host::nfc);
            visit.try_sign_in(Box::new(form), Answers::default())
        })
    }

    /// Takes a form, as far as its answers go.
    pub(super) fn try_sign_in(&self, form: Box<SignInForm>, mut answers: Answers) -> JsValue {
        let id = self.host.random(16).first_chunk().copied().unwrap_or_default();
        loop {
            let outcome = self.circumstances(&answers, None, |at| {
                sign_in::sign_in(&self.isolate.gate, self.facts, &form, at, id)
            });
            match outcome {
                SignInOutcome::Decided(SignIn::In(session)) => return self.signed_in(&session, &form),
                SignInOutcome::Decided(SignIn::Refused(refused)) => return self.refuse_form(&refused, &form),
                SignInOutcome::Needs(Question::Password(question)) if answers.password.is_none() => {
                    answers.password = Some(self.is_right(question));
                }
                SignInOutcome::Needs(question) => {
                    return outside::ask(self, question, answers, Then::SignIn(form));
                }
            }
        }
    }

    fn refuse_form(&self, refused: &Refused, form: &SignInForm) -> JsValue {
        log::refused(self, refused, None, "");
        self.page_after(refused, Some(&Tried::of(form, &self.facts.origin())))
    }

    /// A browser goes on to where it wanted to be, a script learns that it may. A tab that was opened to sign in says that it
    /// can be closed; where a code is still to come, it asks for that first.
    fn signed_in(&self, session: &Session, form: &SignInForm) -> JsValue {
        let Some(cookie) = self.session_cookie(session) else {
            let detail = "The session does not fit into a cookie: the user-id is too long.";
            return self.refuse(&plain(Refusal::new(Cause::Internal, detail)));
        };
        log::signed_in(self, session);
        let (answerer, whole) = (self.answerer(), session.factors != Factors::Half);
        let done = SignedIn { whole, return_to: form.return_to.url() };
        let mut reply = match (answerer.is_script(), form.tab, whole) {
            (true, ..) => answerer.signed_in_for_script(&done),
            (false, true, true) => {
                let cookies = self.cookies_of(session, cookie);
                return self.in_language(move |visit| visit.close_tab(cookies));
            }
            (false, true, false) => {
                let origin = self.facts.origin();
                let back = crate::reply::escape::component(&form.return_to.written(&origin));
                answerer.see_other([&origin, SIGN_IN, "?tab=1&return_to=", &back].concat())
            }
            (false, false, _) => answerer.see_other(done.return_to.to_owned()),
        };
        reply.fields.extend(self.cookies_of(session, cookie));
        self.respond(&reply)
    }

    fn close_tab(&self, cookies: Vec<(&'static str, String)>) -> JsValue {
        let mut reply =
            self.answerer().said(&Saying::of(Said::SignedInTab), &mut self.isolate.pages.borrow_mut());
        reply.fields.extend(cookies);
        self.respond(&reply)
    }

    /// What the browser keeps: the session, and, where somebody is in, that they were here before.
    fn cookies_of(&self, session: &Session, cookie: String) -> Vec<(&'static str, String)> {
        let device = Some(session).filter(|session| session.factors != Factors::Half);
        let device = device.and_then(|session| self.device_cookie(&session.user));
        core::iter::once(cookie).chain(device).map(|cookie| ("Set-Cookie", cookie)).collect()
    }

    fn device_cookie(&self, user: &str) -> Option<String> {
        let config = &self.isolate.gate.config;
        let reach = Reach::of(self.facts, config.policy.as_ref()?.session.as_ref());
        let fresh = DeviceId::new(*self.host.random(16).first_chunk()?);
        config.verifiers.as_ref()?.devices.set_cookie(self.facts, reach, user, fresh, self.now)
    }

    /// `sign-in`, asked for: the form, the second form for whoever has one factor, or as whom one is signed in.
    pub(super) fn sign_in_page(&self, answers: Answers) -> JsValue {
        let session = self.circumstances(&answers, None, |at| session_of(&self.isolate.gate, self.facts, at));
        let standing = match session {
            Err(Halt::Needs(question)) => {
                return outside::ask(self, question, answers, Then::SignInPage);
            }
            Err(Halt::Refused(refusal)) if !is_over(refusal.cause) => return self.refuse(&plain(refusal)),
            Err(Halt::Refused(_)) => Standing::Out { is_stale: true },
            Ok(None) => Standing::Out { is_stale: false },
            Ok(Some(_)) if self.queried("other").as_deref() == Some("1") => Standing::Out { is_stale: false },
            Ok(Some(half)) if half.factors == Factors::Half => Standing::Half(half),
            Ok(Some(session)) => Standing::In(session),
        };
        self.in_language(move |visit| visit.show_sign_in(&standing))
    }

    fn show_sign_in(&self, standing: &Standing) -> JsValue {
        let origin = self.facts.origin();
        let back = self.queried("return_to");
        let back = back.and_then(|text| ReturnTo::parse(&text, &origin, self.hosts()));
        let back = back.unwrap_or_else(|| ReturnTo::front(&origin));
        let return_to = back.written(&origin).into_owned();
        let tab = self.queried("tab").as_deref() == Some("1");
        match standing {
            Standing::Half(half) => {
                let detail = "The first factor was proven, and the second is still to come.";
                let mut refused = sign_in::refused(Refusal::new(Cause::SecondFactorRequired, detail));
                let verifiers = self.isolate.gate.config.verifiers.as_ref();
                refused.refusal.digits =
                    verifiers.and_then(|verifiers| second_factor::digits(verifiers, &half.user));
                let tried = Tried { user: String::new(), return_to, remember: false, code: true, tab };
                self.page_after(&refused, Some(&tried))
            }
            Standing::In(session) => {
                self.respond(&self.with_form(Said::SignedIn, Some(&session.user), &return_to))
            }
            Standing::Out { is_stale } => {
                let mut reply = self.with_form(Said::SignIn, None, &return_to);
                if *is_stale {
                    self.answerer().clear_session(&mut reply);
                }
                self.respond(&reply)
            }
        }
    }

    fn with_form(&self, said: Said, user: Option<&str>, return_to: &str) -> Reply {
        let answerer = self.answerer();
        let form = Some(answerer.sign_in_form("", return_to));
        let saying = Saying { user, form, url: Some(return_to), ..Saying::of(said) };
        answerer.said(&saying, &mut self.isolate.pages.borrow_mut())
    }

    /// Where a sign-in may lead back to besides this origin.
    fn hosts(&self) -> &'static [String] {
        let policy = self.isolate.gate.config.policy.as_ref();
        policy.and_then(|policy| policy.session.as_ref()).map_or(&[], |session| &session.hosts)
    }
}

/// Whether signing in is the way on, and not a fault of ours.
const fn is_over(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::SessionInvalid
            | Cause::SessionExpired
            | Cause::SessionIdle
            | Cause::SessionRevoked
            | Cause::AccountSuspended
            | Cause::PasswordExpired
    )
}
