//! The page of a refusal as the page to sign in: at the address that was asked for, so that nothing is lost.
//!
//! 1. The form stands where the rule accepts a session and the cause is one that signing in mends: no credentials, wrong
//!    ones, a session that ended. A link or an app that failed keeps its own words, and signing in is a plain link there.
//! 2. Whoever has one factor of two gets the form for the second.
//! 3. Where people sign in on another host, no form of this one would do.

use super::Answerer;
use crate::challenge::Asker;
use crate::policy::{Kind, SessionSettings};
use crate::reply::action::Exits;
use crate::reply::catalog::Variant;
use crate::reply::form::{Code, Form, Sent, SignIn};
use crate::reply::page::{PageFacts, Pages};
use crate::reply::said::Saying;
use crate::reply::{Reply, plain};
use crate::reply::{language, negotiate};
use crate::return_to;
use crate::verdict::{Cause, Refused};

/// Where hosts that share a sign-in send their visitors: what stands there leads on to one of them.
const AUTHORITY: &str = "/.edgeward/authority/";

impl Answerer<'_> {
    /// A page that is no refusal. Whoever asked for no page gets its words as text. Cookies and `Clear-Site-Data` are for
    /// the caller to add.
    #[must_use]
    pub fn said(&self, saying: &Saying<'_>, pages: &mut Pages) -> Reply {
        let target = self.target();
        let origin = self.facts.origin();
        let address = [&origin, target.as_str()].concat();
        let return_to = return_to::written(&origin, &target);
        let origins = saying.form.map(|form| self.form_origins(&form)).unwrap_or_default();
        let facts = PageFacts {
            language: language::spoken(self.facts),
            host: self.facts.authority,
            address: &address,
            reference: self.reference,
            now: self.now,
            form_origins: &origins,
            return_to: &self.own_address(&return_to, None),
            ..PageFacts::of(Cause::CredentialsMissing)
        };
        let status = saying.said.status();
        let reply = match self.form() {
            negotiate::Form::Html => Reply::page(status, pages.said(saying, &facts)),
            negotiate::Form::Nothing => Reply::new(status),
            negotiate::Form::Text | negotiate::Form::Problem => {
                let text = plain::said(saying, &facts);
                Reply::new(status).typed("text/plain; charset=utf-8", text)
            }
        };
        self.finish(reply)
    }

    /// Says no to what was sent to `/.edgeward/sign-in`: with the form once more, where trying again may help.
    #[must_use]
    pub fn refused_form(&self, refused: &Refused, sent: &Sent<'_>, pages: &mut Pages) -> Reply {
        self.answer(refused, Some(sent), pages)
    }

    /// The form to sign in, as the policy has it.
    #[must_use]
    pub fn sign_in_form<'f>(&self, user: &'f str, return_to: &'f str) -> Form<'f> {
        let remember = self.sessions().and_then(|sessions| sessions.remember).map(|_| false);
        Form::SignIn(SignIn { user, return_to, remember, ..SignIn::default() })
    }

    pub(super) fn sessions(&self) -> Option<&SessionSettings> {
        self.policy.and_then(|policy| policy.session.as_ref())
    }

    /// What the page of a refusal asks for; `target` is what was asked for, without tokens.
    pub(super) fn asked<'f>(
        &'f self,
        refused: &'f Refused,
        sent: Option<&Sent<'f>>,
        target: &'f str,
    ) -> Option<Form<'f>> {
        let refusal = &refused.refusal;
        let accepted = sent.is_some() || refused.accept.has(Kind::Session);
        let here = self.sessions().is_some_and(|sessions| sessions.has_form(&self.facts.origin()));
        if !accepted || !here || self.is_program(refused) {
            return None;
        }
        let wrong = refusal.cause == Cause::CredentialsWrong;
        let resend = sent.is_none() && !matches!(self.facts.method, "GET" | "HEAD");
        let (return_to, tab) = sent.map_or((target, false), |sent| (sent.return_to, sent.tab));
        let code_wrong = wrong && sent.is_some_and(|sent| sent.code);
        if refusal.cause == Cause::SecondFactorRequired || code_wrong {
            let helps = code_wrong || refusal.digits.is_some();
            let code = Code { return_to, digits: refusal.digits, wrong, resend, tab };
            return helps.then_some(Form::Code(code));
        }
        let remember = self.sessions()?.remember.map(|_| sent.is_some_and(|sent| sent.remember));
        let user = sent.map_or(refusal.user.as_deref().unwrap_or_default(), |sent| sent.user);
        mends(refusal.cause).then_some(Form::SignIn(SignIn { user, return_to, remember, wrong, resend, tab }))
    }

    /// The ways out of the page of a refusal that sessions open.
    pub(super) fn exits(&self, refused: &Refused, form: Option<&Form<'_>>, sent: Option<&Sent<'_>>) -> Exits {
        if self.sessions().is_none() {
            return Exits::NONE;
        }
        let refusal = &refused.refusal;
        let is_in = refusal.sent == Some(Kind::Session) || sent.is_some();
        let other = is_in && !matches!(form, Some(Form::SignIn(_)));
        let refused_so = super::status(refusal.cause) == 401
            || matches!(refusal.cause, Cause::NotAllowed | Cause::InsufficientScope);
        let helps = refused_so && !is_in && form.is_none();
        Exits {
            clear: true,
            sign_in: helps && refused.accept.has(Kind::Session),
            other,
            elsewhere: sent.is_some(),
        }
    }

    /// How the visitor came, as far as the words differ.
    pub(super) fn variant(&self, refused: &Refused, asker: Asker, form: Option<&Form<'_>>) -> Variant {
        let wrong = refused.refusal.cause == Cause::CredentialsWrong;
        match (form, asker) {
            (Some(Form::Code(_)), _) if wrong => Variant::Code,
            (Some(Form::SignIn(_) | Form::Code(_)), _) => Variant::Form,
            (_, _) if self.is_program(refused) => Variant::Program,
            (_, Asker::Navigation | Asker::Other) if refused.accept.has(Kind::Basic) => Variant::Prompt,
            (..) => Variant::Plain,
        }
    }

    fn is_program(&self, refused: &Refused) -> bool {
        match refused.refusal.sent {
            Some(Kind::ApiKey) => true,
            Some(Kind::Bearer) => self.facts.field("authorization").is_some(),
            Some(Kind::Basic | Kind::SignedUrl | Kind::Session) | None => false,
        }
    }

    /// Origins that the answer to a form may redirect to: a browser holds `form-action` against each (CSP3 §6.4.1).
    pub(super) fn form_origins(&self, form: &Form<'_>) -> String {
        let Some(sessions) = self.sessions() else { return String::new() };
        let back = form.return_to();
        let leads = |origin: &&String| match form {
            // All hosts learn of it.
            Form::SignOut(_) => true,
            _ if back.starts_with(AUTHORITY) => true,
            _ => back
                .strip_prefix(origin.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
        };
        let origins = sessions.hosts.iter().chain(&sessions.authority).filter(leads);
        origins.flat_map(|origin| [" ", origin]).collect()
    }
}

/// Whether signing in with user name and password mends it.
const fn mends(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::CredentialsMissing
            | Cause::CredentialsMalformed
            | Cause::CredentialsUnsupported
            | Cause::CredentialsWrong
            | Cause::SessionInvalid
            | Cause::SessionExpired
            | Cause::SessionIdle
            | Cause::SessionRevoked
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Sources};
    use crate::credentials::Places;
    use crate::policy::{Brand, Kinds, Policy};
    use crate::reply::said::Said;
    use crate::request::{FieldList, RequestFacts};
    use crate::secret::Secret;
    use crate::time::UnixTime;
    use crate::totp::Digits;
    use crate::verdict::Refusal;

    const SESSION: &str = r#"{"tokens":[{"format":"edgeward"}],"session":{"hosts":["https://app.example"]}}"#;
    const AWAY: &str = r#"{"session":{"authority":"https://login.example"}}"#;

    fn policy(text: &str) -> Policy {
        let secret = Some(Secret::new(crate::token::to_base64url(&[7; 32])));
        // With a store there may be accounts: without any nobody signs in by a form.
        let (policy, store) = (Some(text.to_owned()), true);
        let sources = Sources { policy, secret, store, ledger: true, ..Default::default() };
        Config::parse(&sources, str::to_owned).policy.expect(text)
    }

    /// Runs with what answers a navigation by that policy.
    fn answering<T>(policy: &Policy, method: &str, uri: &str, look: impl FnOnce(&Answerer<'_>) -> T) -> T {
        let fields = FieldList::new([("Sec-Fetch-Mode", "navigate")]);
        let facts = RequestFacts::new(method, uri, &fields).expect("an absolute URI");
        let (places, now) = (Places::of(policy), UnixTime::from_seconds(1_795_372_200));
        look(&Answerer { facts: &facts, policy: Some(policy), places: &places, reference: "r", now })
    }

    fn refused(cause: Cause, sent: Option<Kind>) -> Refused {
        let refusal = Refusal { sent, ..Refusal::new(cause, "No.") };
        Refused { refusal, accept: Kinds::NONE.with(Kind::Session).with(Kind::SignedUrl) }
    }

    fn asks(refused: &Refused, sent: Option<&Sent<'_>>) -> Option<&'static str> {
        answering(&policy(SESSION), "GET", "https://h.example/a", |it| {
            it.asked(refused, sent, "/a").map(|form| match form {
                Form::SignIn(_) => "password",
                Form::Code(_) => "code",
                Form::SignOut(_) | Form::Clear(_) => "neither",
            })
        })
    }

    #[test]
    fn the_page_asks_where_an_answer_helps() {
        let password = Some("password");
        for (cause, sent, wanted) in [
            (Cause::CredentialsMissing, None, password),
            (Cause::CredentialsUnsupported, Some(Kind::Basic), password),
            (Cause::CredentialsWrong, Some(Kind::Basic), password),
            (Cause::SessionExpired, Some(Kind::Session), password),
            (Cause::SessionRevoked, Some(Kind::Session), password),
            (Cause::CredentialsWrong, Some(Kind::ApiKey), None),
            (Cause::TokenExpired, Some(Kind::SignedUrl), None),
            (Cause::TokenNeedsConfirmation, Some(Kind::SignedUrl), None),
            (Cause::NotAllowed, Some(Kind::Session), None),
            (Cause::AccountSuspended, Some(Kind::Session), None),
            (Cause::TooManyAttempts, Some(Kind::Session), None),
            (Cause::SecondFactorRequired, Some(Kind::Session), None),
        ] {
            assert_eq!(asks(&refused(cause, sent), None), wanted, "{cause:?} {sent:?}");
        }
        let mut half = refused(Cause::SecondFactorRequired, Some(Kind::Session));
        half.refusal.digits = Some(Digits::Six);
        assert_eq!(asks(&half, None), Some("code"));
        let other = Refused { accept: Kinds::NONE.with(Kind::Basic), ..half };
        assert_eq!(asks(&other, None), None, "the rule takes no session");
    }

    #[test]
    fn what_was_wrong_is_asked_for_once_more() {
        let wrong = refused(Cause::CredentialsWrong, Some(Kind::Session));
        let sent = Sent { user: "ann", return_to: "/b#c", remember: true, code: false, tab: true };
        assert_eq!(asks(&wrong, Some(&sent)), Some("password"));
        assert_eq!(asks(&wrong, Some(&Sent { code: true, ..sent })), Some("code"));
        answering(&policy(SESSION), "POST", "https://h.example/.edgeward/sign-in", |it| {
            let form = it.asked(&wrong, Some(&sent), "/").expect("a form");
            assert_eq!((form.user(), form.return_to()), ("ann", "/b#c"));
            let shape = form.shape();
            assert!(shape.wrong && shape.tab && !shape.resend && shape.remember == Some(true), "{shape:?}");
        });
    }

    #[test]
    fn what_is_not_fetched_can_be_sent_once_more() {
        for (method, wanted) in [("GET", false), ("HEAD", false), ("POST", true), ("DELETE", true)] {
            let resend = answering(&policy(SESSION), method, "https://h.example/a", |it| {
                let refused = refused(Cause::SessionExpired, Some(Kind::Session));
                it.asked(&refused, None, "/a").map(|form| form.shape().resend)
            });
            assert_eq!(resend, Some(wanted), "{method}");
        }
    }

    #[test]
    fn no_form_where_people_sign_in_elsewhere() {
        let missing = refused(Cause::CredentialsMissing, None);
        for (uri, wanted) in [("https://app.example/a", false), ("https://login.example/a", true)] {
            let has = answering(&policy(AWAY), "GET", uri, |it| it.asked(&missing, None, "/a").is_some());
            assert_eq!(has, wanted, "{uri}");
        }
    }

    #[test]
    fn ways_out_by_who_came() {
        let exits = |cause, sent| {
            answering(&policy(SESSION), "GET", "https://h.example/a", |it| {
                let refused = refused(cause, sent);
                let form = it.asked(&refused, None, "/a");
                it.exits(&refused, form.as_ref(), None)
            })
        };
        let only = Exits { clear: true, ..Exits::NONE };
        let (sign_in, other) = (Exits { sign_in: true, ..only }, Exits { other: true, ..only });
        for (cause, sent, wanted) in [
            (Cause::CredentialsMissing, None, only),
            (Cause::TokenExpired, Some(Kind::SignedUrl), sign_in),
            (Cause::NotAllowed, Some(Kind::SignedUrl), sign_in),
            (Cause::NotAllowed, Some(Kind::Session), other),
            (Cause::Denied, None, only),
            (Cause::OriginUnreachable, None, only),
        ] {
            assert_eq!(exits(cause, sent), wanted, "{cause:?} {sent:?}");
        }
        let without = policy(r#"{"tokens":[{"format":"edgeward"}]}"#);
        answering(&without, "GET", "https://h.example/a", |it| {
            assert_eq!(it.exits(&refused(Cause::Denied, None), None, None), Exits::NONE);
        });
    }

    #[test]
    fn a_form_leads_where_it_says() {
        let form = |return_to| Form::SignIn(SignIn { return_to, ..SignIn::default() });
        for (return_to, wanted) in [
            ("/a", ""),
            ("https://app.example/x", " https://app.example"),
            ("https://app.example", " https://app.example"),
            ("https://app.example.evil.example/", ""),
            ("/.edgeward/authority/back?x", " https://app.example"),
        ] {
            let origins = answering(&policy(SESSION), "GET", "https://h.example/", |it| {
                it.form_origins(&form(return_to))
            });
            assert_eq!(origins, wanted, "{return_to}");
        }
    }

    #[test]
    fn what_is_said_fits_who_asks() {
        let policy = policy(SESSION);
        for (accept, kind) in
            [("text/html", "text/html; charset=utf-8"), ("*/*", "text/plain; charset=utf-8")]
        {
            let fields = FieldList::new([("Accept", accept)]);
            let facts =
                RequestFacts::new("GET", "https://h.example/.edgeward/sign-out", &fields).expect("absolute");
            let (places, now) = (Places::of(&policy), UnixTime::from_seconds(0));
            let answerer =
                Answerer { facts: &facts, policy: Some(&policy), places: &places, reference: "r", now };
            let reply = answerer.said(&Saying::of(Said::SignedOut), &mut Pages::new(Brand::default()));
            assert_eq!(reply.status, 200);
            assert!(reply.fields.contains(&("Content-Type", kind.to_owned())), "{:?}", reply.fields);
            assert!(reply.content.expect("content").contains("You are signed out"));
        }
    }
}
