//! The words of a visitor's language, asked for when they are first needed.

use super::host::Host;
use super::isolate::{self, Isolate};
use super::{Visit, log, once, plain, visit};
use crate::reply::{language, languages};
use crate::reserved::is_own_form;
use crate::time::{Lifetime, UnixTime};
use crate::verdict::{Cause, Refusal};
use core::cell::RefCell;
use wasm_bindgen::prelude::*;

/// Seconds after which words that could not be had are asked for again.
const ASK_AGAIN_AFTER: i64 = 60;

/// Languages whose words could not be had: from when on they are asked for again, or `None` where that is of no use. No
/// more than there are languages.
#[derive(Default)]
pub struct Unavailable(RefCell<Vec<(&'static str, Option<UnixTime>)>>);

impl Unavailable {
    fn is_to_be_asked(&self, tag: &str, now: UnixTime) -> bool {
        let kept = self.0.borrow();
        let known = kept.iter().find(|(known, _)| *known == tag);
        known.is_none_or(|(_, again)| again.is_some_and(|again| again <= now))
    }

    /// Whether that is news.
    fn note(&self, tag: &'static str, again: Option<UnixTime>) -> bool {
        let mut kept = self.0.borrow_mut();
        let before = kept.len();
        kept.retain(|(known, _)| *known != tag);
        let is_news = kept.len() == before;
        kept.push((tag, again));
        is_news
    }
}

impl Visit<'_> {
    /// Goes on once the words of the visitor's language are here, or could not be had: then another language is spoken.
    pub(super) fn in_language(&self, go_on: impl FnOnce(&Visit<'_>) -> JsValue + 'static) -> JsValue {
        let tag = language::wanted(self.facts);
        let is_learned = languages::find(tag).is_some_and(languages::Language::is_learned);
        if is_learned || !self.isolate.unavailable.is_to_be_asked(tag, self.now) {
            return go_on(self);
        }
        if !self.isolate.has_assets {
            self.isolate.lacks(self.host, tag, None, "there is no binding ASSETS");
            return go_on(self);
        }
        let url = [&self.facts.origin(), "/.edgeward/locales/", tag, ".json"].concat();
        let (host, isolate): (JsValue, _) = (self.host.into(), self.isolate);
        let (request, env, reference) = (self.request.clone(), self.env.clone(), self.reference().to_owned());
        let then = once(move |text: JsValue| {
            let host: &Host = host.unchecked_ref();
            isolate.take_language(host, tag, text.as_string().as_deref());
            visit(host, &request, &env, |visit| {
                // The cell of a new visit is empty, so this cannot fail.
                let _ = visit.reference.set(reference);
                go_on(visit)
            })
        });
        self.host.asset(self.request, self.env, &url, &then)
    }

    /// `language`: a visitor chose one on a page.
    pub(super) fn language(&self) -> JsValue {
        if !is_own_form(self.facts) {
            return self.refuse(&plain(Refusal::new(Cause::CrossSite, "The form is not one of this site.")));
        }
        self.with_content(|visit, form| match visit.answerer().language_chosen(&form) {
            Ok(reply) => visit.respond(&reply),
            Err(refusal) => visit.refuse(&plain(refusal)),
        })
    }
}

impl Isolate {
    /// Takes the file of a language; empty where there is none, `None` where that could not be learned: then it is asked
    /// for again, in a while.
    fn take_language(&self, host: &Host, tag: &'static str, text: Option<&str>) {
        let soon = Some(isolate::now(host) + Lifetime::from_seconds(ASK_AGAIN_AFTER));
        match text {
            None => self.lacks(host, tag, soon, "it could not be read"),
            Some("") => self.lacks(host, tag, None, "there is no such file"),
            Some(text) => {
                if let Err(why) = languages::learn(tag, text) {
                    self.lacks(host, tag, None, &why);
                }
            }
        }
    }

    fn lacks(&self, host: &Host, tag: &'static str, again: Option<UnixTime>, why: &str) {
        if self.unavailable.note(tag, again) {
            let file = ["www/.edgeward/locales/", tag, ".json: "].concat();
            log::problem(host, &[&file, why, ". Another language is spoken."].concat());
        }
    }
}
