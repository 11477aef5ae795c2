//! What a verdict needs from outside: asked for, and the request gone on with.
//!
//! The answer may come when this call has long returned: then the request is read again, and asked about again with what is
//! known by now.

use super::host::{self, Host};
use super::isolate::{self, Isolate};
use super::{Visit, once, plain, visit};
use crate::authenticate::{Answers, LedgerQuestion, Question};
use crate::authority::Sent;
use crate::password::stored;
use crate::revocation::State;
use crate::session::ID_SIZE;
use crate::sign_in::SignInForm;
use crate::verdict::{Cause, Refusal};
use wasm_bindgen::prelude::*;

/// Milliseconds after which a request that lets another ask looks whether it has its answer.
const LOOK_AGAIN_AFTER: u32 = 10;

/// What goes on once the answer is there.
#[derive(Clone)]
pub enum Then {
    /// The request is answered.
    Answer,
    /// A link that counts its uses is opened.
    Open(Opened),
    /// A form of the sign-in page is taken.
    SignIn(Box<SignInForm>),
    /// The sign-in page is shown.
    SignInPage,
    /// The form to sign out is taken.
    SignOut(String),
    /// A browser came back that was sent away to sign in; and the id of the session that may begin, which is asked about.
    ComeBack(Sent, [u8; ID_SIZE]),
}

/// What the form says that opens a link.
#[derive(Clone)]
pub struct Opened {
    /// The token, as it stood in the link.
    pub token: String,
    /// Path and query of the link, without the token.
    pub return_to: String,
    /// The mark of the form; empty where it has none.
    pub form: String,
}

/// Asks outside, and goes on with the answer.
pub fn ask(visit: &Visit<'_>, question: Question, answers: Answers, then: Then) -> JsValue {
    match question {
        Question::Store => ask_store(visit, answers, then),
        Question::Account(user) => ask_account(visit, user, answers, then),
        Question::Ledger(question) => ask_ledger(visit, question, answers, then),
        Question::Password(_) => {
            visit.refuse(&plain(Refusal::new(Cause::Internal, "A password is not verified outside.")))
        }
    }
}

/// Asks the store in the background, where what is kept of it was used just now and will soon be too old: then nobody
/// waits.
pub fn renew(host: &Host, env: &JsValue, ctx: &JsValue) {
    let isolate = Isolate::of(host, env);
    let now = isolate::now(host);
    if !isolate.used_store.take() || isolate.kept.borrow().state(now) != State::Renew {
        return;
    }
    isolate.kept.borrow_mut().asking(now);
    let host_value: JsValue = host.into();
    let took = once(move |values| {
        isolate.take_store(host_value.unchecked_ref(), texts(&values).as_deref(), now);
        JsValue::UNDEFINED
    });
    host.renew(ctx, env, &isolate.more_keys(), &took);
}

/// One request asks for all that need to know: the page of a site is thirty requests at once, and the free plan has
/// 100,000 reads a day. The others look again until it has its answer, each by a timer of its own: no request may wait
/// for the promise of another, which ends with that.
fn ask_store(visit: &Visit<'_>, answers: Answers, then: Then) -> JsValue {
    let (isolate, asked) = (visit.isolate, visit.now);
    let resume = Resume::of(visit, answers, then);
    if isolate.kept.borrow().others_ask(asked) {
        let then = once(move |_| resume.go_on());
        return visit.host.pause(visit.request, visit.env, LOOK_AGAIN_AFTER, &then);
    }
    isolate.kept.borrow_mut().asking(asked);
    let then = once(move |values| {
        isolate.take_store(resume.host(), texts(&values).as_deref(), asked);
        resume.go_on()
    });
    visit.host.store(visit.request, visit.env, &isolate.more_keys(), &then)
}

/// One request asks for all that need to know of that user, as with [`ask_store`].
fn ask_account(visit: &Visit<'_>, user: String, answers: Answers, then: Then) -> JsValue {
    let (isolate, asked) = (visit.isolate, visit.now);
    let resume = Resume::of(visit, answers, then);
    let Some(key) = stored::key(&user, host::nfc) else {
        return visit.refuse(&plain(Refusal::new(Cause::Internal, "There can be no such account.")));
    };
    if isolate.accounts.borrow_mut().others_ask(&user, asked) {
        let then = once(move |_| resume.go_on());
        return visit.host.pause(visit.request, visit.env, LOOK_AGAIN_AFTER, &then);
    }
    let then = once(move |value| {
        let text = value.as_string();
        let answer = (text.is_some() || value.is_null()).then_some(text.as_deref());
        isolate.take_account(resume.host(), &user, answer, asked);
        resume.go_on()
    });
    visit.host.value(visit.request, visit.env, &key, &then)
}

fn ask_ledger(visit: &Visit<'_>, question: LedgerQuestion, answers: Answers, then: Then) -> JsValue {
    let mut resume = Resume::of(visit, answers, then);
    let LedgerQuestion { object, method, arguments, .. } = question.clone();
    let then = once(move |answer| {
        resume.answers.take(question, answer.as_string());
        resume.go_on()
    });
    visit.host.ledger(visit.request, visit.env, &object, method, &arguments, &then)
}

/// An array of texts and nulls; `None` where it is none.
fn texts(values: &JsValue) -> Option<Vec<Option<String>>> {
    let values: &js_sys::Array = values.dyn_ref()?;
    Some(values.iter().map(|value| value.as_string()).collect())
}

/// A request that waits for an answer.
struct Resume {
    host: JsValue,
    request: JsValue,
    env: JsValue,
    reference: String,
    answers: Answers,
    then: Then,
}

impl Resume {
    fn of(visit: &Visit<'_>, answers: Answers, then: Then) -> Self {
        Self {
            host: visit.host.into(),
            request: visit.request.clone(),
            env: visit.env.clone(),
            reference: visit.reference().to_owned(),
            answers,
            then,
        }
    }

    fn host(&self) -> &Host {
        self.host.unchecked_ref()
    }

    fn go_on(self) -> JsValue {
        let Self { host, request, env, reference, answers, then } = self;
        visit(host.unchecked_ref(), &request, &env, |visit| {
            // The cell of a new visit is empty, so this cannot fail.
            let _ = visit.reference.set(reference);
            match then {
                Then::Answer => visit.answer(answers),
                Then::Open(opened) => visit.open(opened, answers),
                Then::SignIn(form) => visit.try_sign_in(form, answers),
                Then::SignInPage => visit.sign_in_page(answers),
                Then::SignOut(form) => visit.leave(form, answers),
                Then::ComeBack(sent, id) => visit.come_back(sent, id, answers),
            }
        })
    }
}
