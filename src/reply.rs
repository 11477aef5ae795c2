//! Verdict → reply: status, fields and content that are right for whoever asked.
//!
//! Nothing here verifies anything, and nothing here knows the platform.

pub mod action;
mod away;
pub mod catalog;
pub mod color;
pub mod escape;
pub mod form;
pub mod kept;
pub mod language;
pub mod languages;
pub mod leaving;
pub mod names;
pub mod negotiate;
pub mod page;
pub mod plain;
pub mod problem;
pub mod reserved;
pub mod said;
pub mod scan;
pub mod scope;
pub mod signed_in;
mod signing;
mod switch;
pub mod template;
pub mod when;

use crate::authenticate::Authenticated;
use crate::challenge::{self, Asker};
use crate::credentials::{Places, query};
use crate::exchange::Exchanged;
use crate::forward::answer::sharing;
use crate::json::ObjectWriter;
use crate::policy::{Cors, Kind, Policy};
use crate::request::{RequestFacts, Scheme};
use crate::reserved::SIGN_IN;
use crate::return_to;
use crate::time::{Lifetime, UnixTime};
use crate::token::signed_url::edgeward;
use crate::verdict::{Cause, Refusal, Refused};
use form::Sent;
use negotiate::Form;
use page::{Confirm, PageFacts, Pages, Rendered};
use std::borrow::Cow;

pub use reserved::{Endpoint, PROBLEMS, endpoint};

/// An answer of Edgeward's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Status code (RFC 9110 §15).
    pub status: u16,
    /// Fields; a name may stand more than once.
    pub fields: Vec<(&'static str, String)>,
    /// Content; `None` where there is none.
    pub content: Option<String>,
}

/// Content-Security-Policy of an answer without a page: nothing runs, nothing is framed.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; img-src 'self' data:; style-src 'none'; \
    script-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Methods that TRACE is answered with.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// The status of a cause: total, so that no cause goes without.
#[must_use]
pub const fn status(cause: Cause) -> u16 {
    match cause {
        Cause::RequestAmbiguous => 400,
        Cause::CredentialsMissing
        | Cause::CredentialsMalformed
        | Cause::CredentialsUnsupported
        | Cause::CredentialsWrong
        | Cause::TokenMalformed
        | Cause::TokenAlgorithm
        | Cause::TokenUnknownKey
        | Cause::TokenBadSignature
        | Cause::TokenExpired
        | Cause::TokenNotYetValid
        | Cause::TokenTooOld
        | Cause::TokenWrongIssuer
        | Cause::TokenWrongAudience
        | Cause::TokenMissingClaim
        | Cause::TokenWrongScope
        | Cause::TokenRevoked
        | Cause::TokenSpent
        | Cause::TokenNeedsConfirmation
        | Cause::SessionInvalid
        | Cause::SessionExpired
        | Cause::SessionIdle
        | Cause::SessionRevoked
        | Cause::SecondFactorRequired
        | Cause::PasswordExpired => 401,
        Cause::NotAllowed
        | Cause::InsufficientScope
        | Cause::Denied
        | Cause::CrossSite
        | Cause::AccountSuspended
        | Cause::InsecureTransport => 403,
        Cause::NotFound => 404,
        Cause::MethodNotAllowed => 405,
        Cause::ContentTooLarge => 413,
        Cause::TooManyAttempts => 429,
        Cause::Internal => 500,
        Cause::OriginUnreachable => 502,
        Cause::NotConfigured | Cause::CheckUnavailable => 503,
        Cause::OriginTimeout => 504,
    }
}

/// Seconds after which a client may ask again (RFC 9110 §10.2.3), where the cause may pass by itself.
#[must_use]
pub fn retry_after(refusal: &Refusal) -> Option<Lifetime> {
    match refusal.cause {
        Cause::NotConfigured => Some(Lifetime::from_seconds(60)),
        Cause::CheckUnavailable => Some(Lifetime::from_seconds(5)),
        _ => refusal.retry_after,
    }
}

/// Whether a `CF-Ray` has the form of one: 16 hexadecimal digits, and perhaps a data centre.
#[must_use]
pub fn is_ray(value: &str) -> bool {
    let (digits, place) =
        value.split_once('-').map_or((value, None), |(digits, place)| (digits, Some(place)));
    let hex = digits.len() == 16 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    hex && place.is_none_or(|place| place.len() == 3 && place.bytes().all(|b| b.is_ascii_uppercase()))
}

impl Reply {
    const fn new(status: u16) -> Self {
        Self { status, fields: Vec::new(), content: None }
    }

    fn typed(mut self, content_type: &str, content: String) -> Self {
        self.fields.push(("Content-Type", content_type.to_owned()));
        self.content = Some(content);
        self
    }

    fn page(status: u16, page: Rendered) -> Self {
        let mut reply = Self::new(status).typed("text/html; charset=utf-8", page.html);
        reply.fields.push(("Content-Language", page.language.to_owned()));
        reply.fields.push(("Content-Security-Policy", page.csp));
        reply
    }
}

/// Answers one request.
pub struct Answerer<'a> {
    /// The request.
    pub facts: &'a RequestFacts<'a>,
    /// The policy; `None` where it is unusable.
    pub policy: Option<&'a Policy>,
    /// Every place in which a token is looked for: none is shown.
    pub places: &'a Places,
    /// What the visitor reads out to whoever helps.
    pub reference: &'a str,
    /// The moment of the request.
    pub now: UnixTime,
}

impl Answerer<'_> {
    /// The form this client gets; the caller may fetch a brand's own page first.
    #[must_use]
    pub fn form(&self) -> Form {
        negotiate::form(self.facts, negotiate::asker(self.facts))
    }

    /// Says no.
    #[must_use]
    pub fn refused(&self, refused: &Refused, pages: &mut Pages) -> Reply {
        self.answer(refused, None, pages)
    }

    fn answer(&self, refused: &Refused, sent: Option<&Sent<'_>>, pages: &mut Pages) -> Reply {
        let refusal = &refused.refusal;
        let status = status(refusal.cause);
        let asker = negotiate::asker(self.facts);
        let mut reply = self.content(refused, sent, asker, pages);
        let challenges = challenge::challenges(refused, self.terms(), asker, status);
        reply.fields.extend(challenges.into_iter().map(|challenge| ("WWW-Authenticate", challenge)));
        if let Some(span) = retry_after(refusal) {
            reply.fields.push(("Retry-After", span.seconds().to_string()));
        }
        self.clear_if_over(refused, &mut reply);
        if refusal.cause == Cause::MethodNotAllowed {
            reply.fields.push(("Allow", self.allowed().to_owned()));
        }
        self.finish(reply)
    }

    fn terms(&self) -> challenge::Terms<'_> {
        let unknown = challenge::Terms { realm: "Restricted", api_key: "X-API-Key" };
        self.policy.map_or(unknown, |policy| challenge::Terms {
            realm: &policy.realm,
            api_key: &policy.api_key.written,
        })
    }

    fn allowed(&self) -> &'static str {
        if self.facts.method == "TRACE" { METHODS } else { reserved::allowed(self.facts.path) }
    }

    fn content(&self, refused: &Refused, sent: Option<&Sent<'_>>, asker: Asker, pages: &mut Pages) -> Reply {
        let refusal = &refused.refusal;
        let status = status(refusal.cause);
        let target = self.target();
        let origin = self.facts.origin();
        let address = [&origin, target.as_str()].concat();
        let return_to = return_to::written(&origin, &target);
        let form = self.asked(refused, sent, &return_to);
        let origins = form.map(|form| self.form_origins(&form)).unwrap_or_default();
        let back = sent.map_or(&*return_to, |sent| sent.return_to);
        let facts = PageFacts {
            variant: self.variant(refused, asker, form.as_ref()),
            language: language::spoken(self.facts),
            host: self.facts.authority,
            address: &address,
            reference: self.reference,
            now: self.now,
            when: refusal.when,
            span: refusal.span,
            user: refusal.user.as_deref().filter(|_| signs_in(refusal.sent)),
            retry_after: retry_after(refusal),
            confirm: self.confirm(refusal.cause, &return_to),
            return_to: &self.own_address(&return_to, sent),
            form,
            form_origins: &origins,
            exits: self.exits(refused, form.as_ref(), sent),
            onward: Some(back),
            ..PageFacts::of(refusal.cause)
        };
        match negotiate::form(self.facts, asker) {
            Form::Html => Reply::page(status, pages.render(&facts)),
            Form::Text => {
                let text = plain::plain_text(&facts, Some(&refusal.detail));
                Reply::new(status).typed("text/plain; charset=utf-8", text)
            }
            Form::Problem => {
                let title = catalog::title(refusal.cause);
                let sign_in = self.sign_in_url(refused, status, &return_to);
                let known = problem::Known { status, reference: self.reference, title, sign_in };
                let problem = problem::document(self.facts, self.policy, refused, &known);
                Reply::new(status).typed("application/problem+json", problem)
            }
            Form::Nothing => Reply::new(status),
        }
    }

    /// Path and query of the URL that was asked for, without tokens of ours: it is read out to whoever helps.
    fn target(&self) -> String {
        self.target_of(self.facts)
    }

    fn target_of(&self, facts: &RequestFacts<'_>) -> String {
        let mut target = facts.path.to_owned();
        if let Some(query) = facts.query.and_then(|query| self.places.without_tokens(query)) {
            target.push('?');
            target.push_str(&query);
        }
        target
    }

    /// Where a page can be had once more, with GET: the front page where nothing answers that.
    fn own_address<'t>(&self, target: &'t str, sent: Option<&Sent<'_>>) -> Cow<'t, str> {
        match sent.filter(|_| self.facts.method == "POST") {
            Some(sent) => [SIGN_IN, "?return_to=", &escape::component(sent.return_to)].concat().into(),
            _ if reserved::answers_get(self.facts.path) => target.into(),
            _ => "/".into(),
        }
    }

    /// The link that whoever opened it is asked about. The page may stand where nobody sees it: only its button counts.
    fn confirm<'c>(&self, cause: Cause, return_to: &'c str) -> Option<Confirm<'c>>
    where
        Self: 'c,
    {
        if cause != Cause::TokenNeedsConfirmation || self.facts.method != "GET" {
            return None;
        }
        let token = query::values(self.facts.query?, edgeward::PARAMETER).next()?;
        Some(Confirm { token, return_to })
    }

    /// A page that explains a cause to whoever builds a client.
    #[must_use]
    pub fn explained(&self, cause: Cause, pages: &mut Pages) -> Reply {
        let status = status(cause);
        let reply = match self.form() {
            Form::Html => Reply::page(200, pages.problem(cause, status, self.facts.authority)),
            Form::Text | Form::Problem | Form::Nothing => {
                let text = format!("{status} {}\n\n{}\n", catalog::title(cause), catalog::detail(cause));
                Reply::new(200).typed("text/plain; charset=utf-8", text)
            }
        };
        self.finish(reply)
    }

    /// To `https:`, with the port dropped: 308 keeps the method (RFC 9110 §15.4.9).
    #[must_use]
    pub fn to_https(&self) -> Reply {
        let query = self.facts.query.map(|query| format!("?{query}")).unwrap_or_default();
        let authority = self.facts.authority;
        let host = match authority.rfind(']') {
            Some(end) => authority.get(..=end).unwrap_or(authority),
            None => authority.split(':').next().unwrap_or(authority),
        };
        let mut reply = Reply::new(308);
        // A token in the path is as much of the link as one in the query.
        let token = self.facts.path_token.map(|token| format!("/{token}")).unwrap_or_default();
        reply.fields.push(("Location", format!("https://{host}{token}{}{query}", self.facts.path)));
        self.finish(reply)
    }

    /// A preflight from a listed origin: the same for every protected path.
    #[must_use]
    pub fn preflight(&self, cors: &Cors) -> Reply {
        let mut reply = Reply::new(204);
        reply.fields.push(("Access-Control-Allow-Methods", cors.methods.join(", ")));
        reply.fields.push(("Access-Control-Allow-Headers", cors.headers.join(", ")));
        reply.fields.push(("Access-Control-Max-Age", cors.max_age.seconds().to_string()));
        self.finish(reply)
    }

    /// `health`: configured.
    #[must_use]
    pub fn healthy(&self) -> Reply {
        self.finish(Reply::new(200).typed("text/plain; charset=utf-8", "ok\n".to_owned()))
    }

    /// `whoami`: who asks.
    #[must_use]
    pub fn whoami(&self, who: &Authenticated) -> Reply {
        let expires = who.expires().map_or_else(|| "null".to_owned(), |at| at.seconds().to_string());
        let document = ObjectWriter::new()
            .literal("authenticated", "true")
            .literal("expires", &expires)
            .texts("groups", who.groups())
            .text("kind", who.kind().name())
            .texts("scopes", who.scopes())
            .nullable("user", who.user());
        self.finish(Reply::new(200).typed("application/json", document.finish()))
    }

    /// To the clean URL, with the cookie that grants what the link did (RFC 9110 §15.4.4).
    #[must_use]
    pub fn exchanged(&self, exchanged: Exchanged) -> Reply {
        let mut reply = Reply::new(303);
        reply.fields.push(("Location", exchanged.location));
        reply.fields.extend(exchanged.cookie.map(|cookie| ("Set-Cookie", cookie)));
        self.finish(reply)
    }

    /// To a page of this host, with GET.
    #[must_use]
    pub fn see_other(&self, location: String) -> Reply {
        self.exchanged(Exchanged { location, cookie: None })
    }

    /// A fresh token (RFC 6749 §5.1).
    #[must_use]
    pub fn fresh_token(&self, token: &str, lifetime: Lifetime, scope: &str) -> Reply {
        let document = ObjectWriter::new()
            .text("access_token", token)
            .text("token_type", "Bearer")
            .number("expires_in", lifetime.seconds())
            // RFC 6749 §3.3 knows no empty scope.
            .optional("scope", (!scope.is_empty()).then_some(scope));
        self.finish(Reply::new(200).typed("application/json", document.finish()))
    }

    /// An order to revoke was carried out.
    #[must_use]
    pub fn revoked(&self) -> Reply {
        let document = ObjectWriter::new().literal("revoked", "true");
        self.finish(Reply::new(200).typed("application/json", document.finish()))
    }

    /// The fields of an answer of ours around content that comes from elsewhere: a file of the brand.
    #[must_use]
    pub fn around_file(&self) -> Reply {
        self.finish(Reply::new(200))
    }

    /// The fields of every answer of Edgeward's own, and no content for HEAD.
    fn finish(&self, mut reply: Reply) -> Reply {
        let html = reply
            .fields
            .iter()
            .any(|(name, value)| *name == "Content-Type" && value.starts_with("text/html"));
        let referrer = if html { "same-origin" } else { "no-referrer" };
        reply.fields.push(("Cache-Control", "no-store".to_owned()));
        reply.fields.push(("X-Content-Type-Options", "nosniff".to_owned()));
        reply.fields.push(("X-Frame-Options", "DENY".to_owned()));
        reply.fields.push(("Referrer-Policy", referrer.to_owned()));
        if !html {
            reply.fields.push(("Content-Security-Policy", CONTENT_SECURITY_POLICY.to_owned()));
        }
        let hsts = self.policy.is_none_or(|policy| policy.hsts);
        if hsts && self.facts.scheme == Scheme::Https {
            reply.fields.push(("Strict-Transport-Security", "max-age=31536000".to_owned()));
        }
        self.share(&mut reply);
        if self.facts.method == "HEAD" {
            reply.content = None;
        }
        reply
    }

    /// CORS fields for a listed origin; `Vary` for any, as another origin would have been answered otherwise.
    fn share(&self, reply: &mut Reply) {
        let Some(cors) = self.policy.and_then(|policy| policy.cors.as_ref()) else { return };
        reply.fields.push(("Vary", "Origin".to_owned()));
        if let Some(origin) = self.facts.field("origin").filter(|origin| cors.lists(origin)) {
            reply.fields.extend(sharing(cors, &origin));
        }
    }
}

/// Whether whoever sent this is a person that can be told as whom: a link and an API key have names that no visitor knows.
const fn signs_in(sent: Option<Kind>) -> bool {
    !matches!(sent, Some(Kind::ApiKey | Kind::SignedUrl))
}

#[cfg(test)]
mod tests;
