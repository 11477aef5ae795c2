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
