//! Reserved paths that take a POST.

use super::outside::{self, Opened, Then};
use super::{Visit, log, once, plain, visit};
use crate::authenticate::{Answers, Authenticated, Exchange, LedgerAnswer, Verdict};
use crate::credentials::authorization::Authorization;
use crate::exchange;
use crate::policy::Kind;
use crate::request::RequestFacts;
use crate::reserved::{LONGEST_FORM, form_value, is_own_form, scope_asked};
use crate::return_to::ReturnTo;
use crate::revocation::order::Order;
use crate::revocation::{ledger, order};
use crate::token::fresh::Holder;
use crate::token::signed_url::edgeward::PARAMETER;
use crate::verdict::{Cause, Refusal};
use wasm_bindgen::prelude::*;

impl Visit<'_> {
    /// `token`: a fresh token for who proved who they are. `scope` in a form asks for fewer scopes.
    pub(super) fn fresh_token(&self, who: &Authenticated) -> JsValue {
        let (kept, reference) = (who.clone(), self.reference().to_owned());
        self.with_content(move |visit, content| {
            let _ = visit.reference.set(reference);
            visit.give_token(&kept, &content)
        })
    }

    fn give_token(&self, who: &Authenticated, form: &str) -> JsValue {
        let verifiers = self.isolate.gate.config.verifiers.as_ref();
        let Some(fresh) = verifiers.and_then(|verifiers| verifiers.fresh.as_ref()) else {
            return self.not_found();
        };
        let scope = match scope_asked(self.facts, form) {
            Ok(Some(wanted)) => match narrowed(who, &wanted) {
                Ok(scope) => scope,
                Err(refusal) => return self.refuse(&plain(refusal)),
            },
            Ok(None) => who.scopes().join(" "),
            Err(detail) => return self.refuse(&plain(Refusal::new(Cause::RequestAmbiguous, detail))),
        };
        let (origin, id) = (self.facts.origin(), self.isolate.random_hex(self.host));
        let holder = Holder { origin: &origin, user: who.user().unwrap_or_default(), scope: &scope, id: &id };
        let token = fresh.mint(&holder, self.now);
        self.respond(&self.answerer().fresh_token(&token, fresh.lifetime(), &scope))
    }

    /// `link`: somebody says that a link which counts its uses is to be used.
    pub(super) fn link(&self) -> JsValue {
        if self.isolate.gate.config.verifiers.is_none() {
            let detail = "A secret or binding that the policy needs is missing or wrong.";
            return self.refuse(&plain(Refusal::new(Cause::NotConfigured, detail)));
        }
        if !is_own_form(self.facts) {
            return self.refuse(&plain(Refusal::new(Cause::CrossSite, "The form is not one of this site.")));
        }
        self.with_content(|visit, form| {
            let value = |name| form_value(&form, name).map(std::borrow::Cow::into_owned);
            match (value("token"), value("return_to")) {
                (Some(token), Some(return_to)) => {
                    let form = value("form").filter(|form| is_mark(form)).unwrap_or_default();
                    visit.open(Opened { token, return_to, form }, Answers::default())
                }
                _ => visit.refuse(&malformed("The form does not say which link is to be opened.")),
            }
        })
    }

    /// Decides about the request that the link stands for, as one that was confirmed.
    pub(super) fn open(&self, opened: Opened, answers: Answers) -> JsValue {
        let is_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let address = ReturnTo::parse(&opened.return_to, &self.facts.origin(), &[]);
        let Some(address) = address.filter(|_| opened.token.chars().all(is_token)) else {
            return self.refuse(&malformed("The form does not say which link is to be opened."));
        };
        let (path, query) = address.target();
        let token = [PARAMETER, "=", &opened.token].concat();
        let query = query.map_or_else(|| token.clone(), |query| [query, "&", &token].concat());
        let facts = RequestFacts { method: "GET", path, query: Some(&query), ..*self.facts };
        match self.decide(&facts, answers, Some(&opened.form)) {
            Ok(decision) => {
                log::decision(self, &decision);
                match decision.verdict {
                    Verdict::Exchange(exchange) => self.opened(&exchange, &facts),
                    Verdict::Refused(refused) => self.page(&refused),
                    // There is nothing to confirm there.
                    Verdict::Pass(_) | Verdict::ToHttps | Verdict::Preflight(_) | Verdict::Reserved(_) => {
                        self.respond(&self.answerer().see_other(address.url().to_owned()))
                    }
                }
            }
            Err((question, answers)) => outside::ask(self, question, answers, Then::Open(opened)),
        }
    }

    /// To what the link opens; where no cookie can stand for it, to the link itself, which then lets in as it is.
    fn opened(&self, exchange: &Exchange<'_>, facts: &RequestFacts<'_>) -> JsValue {
        let answerer = self.answerer();
        match exchange::exchanged(&self.isolate.gate, exchange, facts, self.now) {
            Some(exchanged) => self.respond(&answerer.exchanged(exchanged)),
            None => {
                let query = facts.query.unwrap_or_default();
                self.respond(&answerer.see_other([&facts.uri_without_query(), "?", query].concat()))
            }
        }
    }

    /// `revoke`: an order of the command's, which the ledger keeps.
    pub(super) fn revoke(&self) -> JsValue {
        let field = self.facts.field("authorization").unwrap_or_default();
        let Authorization::Bearer(token) = Authorization::parse(&field) else {
            return self.refuse(&refused_order(Cause::CredentialsMissing, "The request bears no order."));
        };
        let Some(root) = &self.isolate.gate.config.root else {
            return self.refuse(&plain(Refusal::new(Cause::NotConfigured, "EDGEWARD_SECRET is wrong.")));
        };
        let order = match order::verify(root, token, &self.facts.origin(), self.now) {
            Ok(order) => order,
            Err(detail) => return self.refuse(&refused_order(Cause::TokenBadSignature, detail)),
        };
        if !order.marks() {
            return self.end_by_order(&order.sessions);
        }
        let host: JsValue = self.host.into();
        let (request, env) = (self.request.clone(), self.env.clone());
        let arguments = ledger::mark_arguments(&order);
        let then = once(move |answer| {
            visit(host.unchecked_ref(), &request, &env, |visit| visit.kept(answer.as_string(), &order))
        });
        self.host.ledger(self.request, self.env, ledger::OBJECT, ledger::MARK, &arguments, &then)
    }

    fn kept(&self, answer: LedgerAnswer, order: &Order) -> JsValue {
        match answer {
            Some(_) if !order.sessions.is_empty() => self.end_by_order(&order.sessions),
            Some(_) => self.respond(&self.answerer().revoked()),
            None => {
                let detail = "EDGEWARD_LEDGER did not answer: nothing was revoked.";
                self.refuse(&plain(Refusal::new(Cause::CheckUnavailable, detail)))
            }
        }
    }

    /// Goes on with the content of the request, or refuses one that is too long.
    pub(super) fn with_content(
        &self,
        go_on: impl FnOnce(&Visit<'_>, String) -> JsValue + 'static,
    ) -> JsValue {
        let host: JsValue = self.host.into();
        let (request, env) = (self.request.clone(), self.env.clone());
        let then = once(move |content| {
            visit(host.unchecked_ref(), &request, &env, |visit| match content.as_string() {
                Some(content) => go_on(visit, content),
                None => visit.refuse(&plain(Refusal::new(Cause::ContentTooLarge, "The form is too long."))),
            })
        });
        self.host.content(self.request, self.env, LONGEST_FORM, &then)
    }
}

/// The scopes that are asked for, where all of them are had.
fn narrowed(who: &Authenticated, wanted: &str) -> Result<String, Refusal> {
    let scopes: Vec<String> =
        wanted.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect();
    if scopes.iter().all(|scope| who.scopes().contains(scope)) {
        return Ok(scopes.join(" "));
    }
    let refusal = Refusal::new(Cause::InsufficientScope, "More scopes are asked for than there are.");
    Err(Refusal { sent: Some(who.kind()), scopes, user: who.user().map(str::to_owned), ..refusal })
}

/// Whether a text is a reference of ours, which marks the form that it stands in.
fn is_mark(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn malformed(detail: &str) -> crate::verdict::Refused {
    plain(Refusal::new(Cause::TokenMalformed, detail).sent(Kind::SignedUrl))
}

fn refused_order(cause: Cause, detail: &str) -> crate::verdict::Refused {
    let accept = crate::policy::Kinds::NONE.with(Kind::Bearer);
    crate::verdict::Refused { refusal: Refusal::new(cause, detail).sent(Kind::Bearer), accept }
}
