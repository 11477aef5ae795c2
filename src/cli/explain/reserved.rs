//! Reserved paths: what answers there, and what it would do.

use super::report::{Asked, Told, answer, tell_who};
use edgeward::authenticate::Authenticated;
use edgeward::policy::{Kind, Kinds};
use edgeward::reply::{self, Endpoint};
use edgeward::reserved::is_own_form;
use edgeward::revocation::order;
use edgeward::verdict::{Cause, Refusal, Refused};
use serde_json::json;

impl Asked<'_> {
    /// Tells what answers there.
    pub(super) fn reserved(&self, told: &mut Told, who: Option<&Authenticated>) {
        told.member("verdict", "reserved");
        told.yes = true;
        match (reply::endpoint(self.facts, &self.gate.config), who) {
            (Endpoint::Refused(refusal), _) => self.refuse(told, refusal),
            (Endpoint::WhoAmI, Some(who)) => tell_who(told, who),
            (Endpoint::Token, Some(who)) => self.fresh_token(told, who),
            (Endpoint::Link, _) => self.link(told),
            (Endpoint::Revoke, _) => self.revoke(told),
            (Endpoint::Language, _) => self.language(told),
            (Endpoint::SignIn, _) => {
                self.asks_or_does(told, "signs in whoever the form shows to be who they say")
            }
            (Endpoint::SignOut, _) => self.asks_or_does(told, "signs out whoever the request is from"),
            (Endpoint::Clear, _) => self.asks_or_does(told, "takes away every cookie of ours, and signs out"),
            (Endpoint::Session, Some(who)) => {
                tell_who(told, who);
                let extends = if self.facts.method == "POST" { ", and makes it last longer" } else { "" };
                told.line("Answer", format!("200: says how long the session is good{extends}"));
            }
            (Endpoint::Brand, _) => told.line("Verdict", "a file of the brand, if it is there"),
            (Endpoint::Explained(cause), _) => {
                told.line("Verdict", "a page of Edgeward's own");
                answer(told, &self.answerer().explained(cause, &mut self.pages()));
            }
            (Endpoint::Authority(_), who) => {
                who.into_iter().for_each(|who| tell_who(told, who));
                told.line("Answer", "303: on the way to sign in on another host, or back");
            }
            (
                Endpoint::Token
                | Endpoint::Health
                | Endpoint::WhoAmI
                | Endpoint::Session
                | Endpoint::SessionScript,
                _,
            ) => {
                told.line("Verdict", "answered by Edgeward itself: 200");
            }
        }
    }

    fn refuse(&self, told: &mut Told, refusal: Refusal) {
        told.yes = false;
        self.refused(told, None, &Refused { refusal, accept: Kinds::NONE });
    }

    /// The content may ask for fewer scopes, and is not described.
    fn fresh_token(&self, told: &mut Told, who: &Authenticated) {
        tell_who(told, who);
        let lifetime = self.fresh().map(|fresh| fresh.lifetime().seconds()).unwrap_or_default();
        let scopes = if who.scopes().is_empty() { "none".to_owned() } else { who.scopes().join(" ") };
        told.line(
            "Answer",
            format!("200 with a fresh token, good for {lifetime} s; scopes: {scopes}, or fewer"),
        );
        told.member("fresh_token", json!({ "lifetime": lifetime, "scopes": who.scopes() }));
    }

    /// Opens the link that the content names.
    fn link(&self, told: &mut Told) {
        if !is_own_form(self.facts) {
            let refusal = Refusal::new(Cause::CrossSite, "The form is not one of this site.");
            return self.refuse(told, refusal);
        }
        told.line(
            "Verdict",
            "answered by Edgeward itself: opens the link that the form names; with --url and that link's own URL, \
             explain says what a click does",
        );
    }

    /// GET shows a page that asks, POST does it.
    fn asks_or_does(&self, told: &mut Told, what: &str) {
        if self.facts.method != "POST" {
            return told.line("Verdict", "a page of Edgeward's own, which asks first");
        }
        if !is_own_form(self.facts) {
            let refusal = Refusal::new(Cause::CrossSite, "The form is not one of this site.");
            return self.refuse(told, refusal);
        }
        told.line("Verdict", format!("answered by Edgeward itself: {what}"));
    }

    /// Takes the language that the content names.
    fn language(&self, told: &mut Told) {
        if !is_own_form(self.facts) {
            let refusal = Refusal::new(Cause::CrossSite, "The form is not one of this site.");
            return self.refuse(told, refusal);
        }
        told.line(
            "Verdict",
            "answered by Edgeward itself: keeps the language that the form names, and leads back",
        );
    }

    /// Takes the order of `edgeward revoke` that the request bears.
    fn revoke(&self, told: &mut Told) {
        let field = self.facts.field("authorization").unwrap_or_default();
        let token = field.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let refused = |cause, detail| Refusal::new(cause, detail).sent(Kind::Bearer);
        let Some((_, token)) = token else {
            return self.refuse(told, refused(Cause::CredentialsMissing, "The request bears no order."));
        };
        let Some(root) = &self.gate.config.root else {
            return self.refuse(told, Refusal::new(Cause::NotConfigured, "EDGEWARD_SECRET is wrong."));
        };
        match order::verify(root, token.trim(), &self.facts.origin(), self.now) {
            Ok(order) if order.undo => told.line("Verdict", "takes back what was revoked, at once"),
            Ok(_) => told.line("Verdict", "revokes what the order names, at once"),
            Err(detail) => self.refuse(told, refused(Cause::TokenBadSignature, detail)),
        }
    }
}
