//! Every page there is, each as a visitor would meet it.

use edgeward::reply::action::Exits;
use edgeward::reply::catalog::Variant;
use edgeward::reply::form::{Clear, Code, Form, SignIn, SignOut};
use edgeward::reply::languages::english;
use edgeward::reply::page::{Confirm, PageFacts, Pages, Rendered};
use edgeward::reply::said::{Said, Saying};
use edgeward::reply::status;
use edgeward::time::{Lifetime, UnixTime};
use edgeward::totp::Digits;
use edgeward::verdict::Cause;

/// Sunday, 22 November 2026, 18:30 UTC: every run writes the same bytes.
const NOW: i64 = 1_795_372_200;

const HOST: &str = "staging.acme.example";
const RETURN_TO: &str = "/reports/2026/quarterly?view=full";

/// What the form of the page sends has to come back as it went, whatever it is.
const LINK: Confirm<'static> = Confirm {
    token: "QAAAcj2mB8c1fKp0kS7vZmlnaHRvZmNvdW50ZWRsaW5rcw",
    return_to: "/reports/2026?view=full&note=\"><script>document.title='owned'</script>&percent=%26+%C3%A9",
};

/// A page, and what it is called.
pub struct Scene {
    /// The cause, or what is said.
    pub name: &'static str,
    /// How the visitor came.
    pub variant: &'static str,
    /// The page.
    pub page: Rendered,
}

/// Every page in a language whose words are known.
pub fn scenes(pages: &mut Pages, language: &str) -> Vec<Scene> {
    let mut scenes = Vec::new();
    for cause in Cause::ALL {
        let name = cause.name();
        for facts in variants(cause).map(|variant| facts(cause, variant, language)) {
            scenes.push(Scene { name, variant: facts.variant.name(), page: pages.render(&facts) });
        }
        for (variant, facts) in others(cause, language) {
            scenes.push(Scene { name, variant, page: pages.render(&facts) });
        }
        // Programs are written in English.
        if language == "en" {
            let page = pages.problem(cause, status(cause), HOST);
            scenes.push(Scene { name, variant: "problem", page });
        }
    }
    for said in Said::ALL {
        let facts = PageFacts {
            variant: Variant::Plain,
            ..facts(Cause::CredentialsMissing, Variant::Plain, language)
        };
        let page = pages.said(&saying(said), &facts);
        scenes.push(Scene { name: said.name(), variant: "said", page });
    }
    scenes
}

/// The variants in which a cause is met: those it has words for, and the form where it has one.
fn variants(cause: Cause) -> impl Iterator<Item = Variant> {
    Variant::ALL.into_iter().filter(move |variant| {
        let words = ["/pages/", cause.name(), "/", variant.name(), "/headline"].concat();
        !english().word(&words).is_empty() || (*variant == Variant::Form && asks_again(cause))
    })
}

fn facts(cause: Cause, variant: Variant, language: &str) -> PageFacts<'_> {
    let now = UnixTime::from_seconds(NOW);
    let ahead = cause == Cause::TokenNotYetValid;
    let when = if ahead { now + Lifetime::from_seconds(290) } else { now - Lifetime::from_seconds(185) };
    let form = form(cause, variant);
    PageFacts {
        variant,
        language,
        host: HOST,
        address: "http://staging.acme.example/reports/2026/quarterly-figures-of-the-northern-branch?view=full&access_token=\
                  eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJlIG9mIDMyIGJ5dGVzLCBhcyBIUzI1Ng",
        reference: "8f2b6c1d9e0a4f37-FRA",
        now,
        when: Some(when),
        span: Some(Lifetime::from_seconds(if cause == Cause::SessionIdle { 1_800 } else { 43_200 })),
        user: Some("ann"),
        retry_after: waits(cause),
        confirm: (cause == Cause::TokenNeedsConfirmation).then_some(LINK),
        return_to: RETURN_TO,
        form,
        exits: exits(cause, form.is_some()),
        onward: Some(RETURN_TO),
        ..PageFacts::of(cause)
    }
}

fn waits(cause: Cause) -> Option<Lifetime> {
    match cause {
        Cause::TooManyAttempts => Some(Lifetime::from_seconds(40)),
        Cause::NotConfigured | Cause::CheckUnavailable | Cause::OriginUnreachable => {
            Some(Lifetime::from_seconds(30))
        }
        _ => None,
    }
}

/// Whether the page of a cause asks for user name and password where sessions are accepted.
const fn asks_again(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::SessionInvalid | Cause::SessionExpired | Cause::SessionIdle | Cause::SessionRevoked
    )
}

fn form(cause: Cause, variant: Variant) -> Option<Form<'static>> {
    let wrong = cause == Cause::CredentialsWrong;
    let code = Code { return_to: RETURN_TO, digits: Some(Digits::Six), wrong, ..Code::default() };
    match (variant, cause) {
        (Variant::Code, _) | (Variant::Form, Cause::SecondFactorRequired) => Some(Form::Code(code)),
        (Variant::Form, _) => Some(Form::SignIn(sign_in(wrong))),
        _ => None,
    }
}

fn sign_in(wrong: bool) -> SignIn<'static> {
    let user = if wrong { "ann" } else { "" };
    SignIn { user, return_to: RETURN_TO, remember: Some(wrong), wrong, ..SignIn::default() }
}

fn exits(cause: Cause, has_form: bool) -> Exits {
    let other = matches!(cause, Cause::NotAllowed | Cause::InsufficientScope);
    Exits { clear: has_form || other, other, ..Exits::NONE }
}

/// What a cause shows besides its variants.
fn others(cause: Cause, language: &str) -> Vec<(&'static str, PageFacts<'_>)> {
    let of = |variant| facts(cause, variant, language);
    match cause {
        Cause::TokenNeedsConfirmation => {
            vec![("unasked", PageFacts { confirm: None, ..of(Variant::Plain) })]
        }
        Cause::CredentialsMissing => {
            let resend = Form::SignIn(SignIn { resend: true, ..sign_in(false) });
            vec![("resend", PageFacts { form: Some(resend), ..of(Variant::Form) })]
        }
        Cause::TokenExpired => {
            let exits = Exits { sign_in: true, clear: true, ..Exits::NONE };
            vec![("session", PageFacts { exits, ..of(Variant::Plain) })]
        }
        _ => Vec::new(),
    }
}

fn saying(said: Said) -> Saying<'static> {
    let form = match said {
        Said::SignIn | Said::SignedIn => Some(Form::SignIn(sign_in(false))),
        Said::SignOut => Some(Form::SignOut(SignOut { return_to: RETURN_TO, everywhere: true })),
        Said::Clear => Some(Form::Clear(Clear { return_to: RETURN_TO })),
        _ => None,
    };
    let place = (said == Said::Away).then_some("login.acme.example");
    Saying { user: Some("ann"), form, url: Some(RETURN_TO), place, ..Saying::of(said) }
}
