//! Pages with forms: signing in, the second step, getting out. `tests/browser/sign-in-page.test.mjs` has them in a browser.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use edgeward::policy::Brand;
use edgeward::reply::action::Exits;
use edgeward::reply::catalog::Variant;
use edgeward::reply::form::{Clear, Code, Form, SignIn, SignOut};
use edgeward::reply::page::{PageFacts, Pages, Rendered};
use edgeward::reply::said::{Said, Saying};
use edgeward::time::{Lifetime, UnixTime};
use edgeward::totp::Digits;
use edgeward::verdict::Cause;
use sha2::{Digest as _, Sha256};

const BACK: &str = "/reports?year=2026&page=2";
const EVIL: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{brand}}{user}";

fn facts(cause: Cause) -> PageFacts<'static> {
    PageFacts {
        host: "staging.acme.example",
        address: "https://staging.acme.example/reports?year=2026&page=2",
        reference: "0123456789abcdef-FRA",
        now: UnixTime::from_seconds(1_795_372_200),
        onward: Some(BACK),
        return_to: BACK,
        exits: Exits { clear: true, ..Exits::NONE },
        ..PageFacts::of(cause)
    }
}

fn acme() -> Brand {
    let url = |text: &str| Some(text.to_owned());
    Brand {
        name: Some("Acme".into()),
        support: url("mailto:help@acme.example"),
        forgot_password: url("https://acme.example/reset"),
        ..Brand::default()
    }
}

fn with(form: Form<'static>, cause: Cause) -> Rendered {
    Pages::new(acme()).render(&PageFacts { form: Some(form), variant: Variant::Form, ..facts(cause) })
}

const SIGN_IN: SignIn<'static> =
    SignIn { user: "", return_to: BACK, remember: Some(false), wrong: false, resend: false, tab: false };
const CODE: Code<'static> =
    Code { return_to: BACK, digits: Some(Digits::Six), wrong: false, resend: false, tab: false };

fn missing(sign_in: SignIn<'static>) -> String {
    with(Form::SignIn(sign_in), Cause::CredentialsMissing).html
}

#[test]
fn the_form_is_the_one_thing_to_do() {
    let html = missing(SIGN_IN);
    for wanted in [
        "<form class=\"ask\" method=\"post\" action=\"/.edgeward/sign-in\" target=\"_self\">",
        "<input type=\"hidden\" name=\"return_to\" value=\"/reports?year=2026&amp;page=2\">",
        "name=\"username\" value=\"\" autocomplete=\"username\"",
        "name=\"password\" autocomplete=\"current-password\"",
        "<input type=\"checkbox\" name=\"remember\" value=\"1\">",
        "<a href=\"https://acme.example/reset\">Forgot your password?</a>",
        "<a href=\"mailto:help@acme.example\">Contact support</a>",
        "<a href=\"/.edgeward/clear\">Clear this site’s sign-in data</a>",
    ] {
        assert!(html.contains(wanted), "{wanted} in {html}");
    }
    assert_eq!(html.matches("class=\"button\"").count(), 1);
    assert!(!html.contains("name=\"tab\"") && !html.contains("name=\"code\""), "{html}");
}

#[test]
fn keeping_signed_in_is_offered_where_it_may_be() {
    assert!(!missing(SignIn { remember: None, ..SIGN_IN }).contains("name=\"remember\""));
    assert!(
        missing(SignIn { remember: Some(true), ..SIGN_IN })
            .contains("name=\"remember\" value=\"1\" checked>")
    );
}

#[test]
fn what_did_not_match_is_said_beside_the_field() {
    let wrong = SignIn { user: "ann", wrong: true, ..SIGN_IN };
    let html = with(Form::SignIn(wrong), Cause::CredentialsWrong).html;
    let said = "User name or password is not right. Check that Caps Lock is off.";
    assert!(html.contains(&format!("<p class=\"error\" id=\"error\" role=\"alert\">{said}</p>")), "{html}");
    assert_eq!(html.matches(said).count(), 1, "once");
    assert!(html.contains("name=\"username\" value=\"ann\""), "the user-id is kept");
    assert!(html.contains("aria-invalid=\"true\" aria-describedby=\"error caps\" required autofocus>"));
    let html = missing(SIGN_IN);
    assert!(html.contains("<p class=\"error\" id=\"error\" role=\"alert\"></p>"), "nothing is wrong yet");
    assert!(!html.contains("aria-invalid=\"true\""));
}

#[test]
fn one_field_has_the_focus() {
    for (user, before) in [("", "id=\"username\""), ("ann", "id=\"password\"")] {
        let html = missing(SignIn { user, ..SIGN_IN });
        let (head, _) = html.split_once(" autofocus>").expect("a field");
        let (_, tag) = head.rsplit_once("<input ").expect("a tag");
        assert!(tag.contains(before), "{tag}");
        assert_eq!(html.matches(" autofocus").count(), 1);
    }
}

#[test]
fn the_second_step_asks_for_a_code() {
    for (digits, least) in [(Some(Digits::Six), 6), (Some(Digits::Eight), 8), (None, 6)] {
        let html = with(Form::Code(Code { digits, ..CODE }), Cause::SecondFactorRequired).html;
        assert!(html.contains("<h1>One more step</h1>"), "{html}");
        assert!(html.contains(&format!(
            "inputmode=\"numeric\" autocomplete=\"one-time-code\" minlength=\"{least}\""
        )));
        assert!(
            html.contains("<summary>Use a recovery code</summary>") && html.contains("name=\"recovery\"")
        );
        assert!(!html.contains("name=\"password\"") && html.contains("name=\"return_to\""), "{html}");
    }
    let wrong = PageFacts {
        form: Some(Form::Code(Code { wrong: true, ..CODE })),
        variant: Variant::Code,
        ..facts(Cause::CredentialsWrong)
    };
    let html = Pages::new(acme()).render(&wrong).html;
    assert!(html.contains("role=\"alert\">The code is not right, or was used already."), "{html}");
}

#[test]
fn a_page_that_is_not_to_be_left_stays() {
    for form in [Form::SignIn(SignIn { resend: true, ..SIGN_IN }), Form::Code(Code { resend: true, ..CODE })]
    {
        let mut pages = Pages::new(acme()).with_languages();
        let facts = PageFacts { form: Some(form), variant: Variant::Form, ..facts(Cause::SessionExpired) };
        let page = pages.render(&facts);
        for wanted in ["target=\"_blank\"", "name=\"tab\" value=\"1\"", "What you were sending is not lost."]
        {
            assert!(page.html.contains(wanted), "{wanted}");
        }
        assert!(page.html.contains("<span class=\"unscripted\">Signing in opens a new tab."));
        assert!(!page.html.contains("<select"), "choosing a language would leave it");
        assert!(page.csp.contains("; connect-src 'self'; "), "{}", page.csp);
    }
    let tab = with(Form::SignIn(SignIn { tab: true, ..SIGN_IN }), Cause::CredentialsMissing);
    assert!(tab.html.contains("name=\"tab\" value=\"1\"") && tab.html.contains("target=\"_self\""));
    assert!(!tab.csp.contains("connect-src"), "{}", tab.csp);
}

#[test]
fn every_script_of_a_page_is_in_its_policy_and_no_other() {
    for form in [
        Form::SignIn(SIGN_IN),
        Form::SignIn(SignIn { resend: true, ..SIGN_IN }),
        Form::Code(CODE),
        Form::SignOut(SignOut { return_to: "", everywhere: true }),
    ] {
        let page = with(form, Cause::SessionExpired);
        let scripts: Vec<&str> =
            page.html.split("<script>").skip(1).filter_map(|it| it.split("</script>").next()).collect();
        for script in &scripts {
            let hash = STANDARD.encode(Sha256::digest(script));
            assert!(page.csp.contains(&format!("'sha256-{hash}'")), "{form:?}");
            assert!(!script.contains('\n') && !script.contains("/*"), "{script}");
        }
        // The style is the one besides.
        assert_eq!(page.csp.matches("'sha256-").count(), scripts.len() + 1, "{form:?}");
    }
}

#[test]
fn a_form_may_lead_to_hosts_that_share_the_sign_in() {
    let facts = PageFacts {
        form: Some(Form::SignIn(SIGN_IN)),
        form_origins: " https://app.acme.example",
        ..facts(Cause::CredentialsMissing)
    };
    let mut pages = Pages::new(acme());
    let csp = pages.render(&facts).csp;
    assert!(csp.contains("; form-action 'self' https://app.acme.example; base-uri"), "{csp}");
    let csp = pages.render(&PageFacts { form_origins: "", ..facts }).csp;
    assert!(csp.contains("; form-action 'self'; base-uri"), "{csp}");
    assert_eq!(pages.rendered(), 1);
}

#[test]
fn ways_to_another_account() {
    let facts = PageFacts {
        user: Some("ann"),
        exits: Exits { clear: true, other: true, ..Exits::NONE },
        ..facts(Cause::NotAllowed)
    };
    let html = Pages::new(acme()).render(&facts).html;
    assert!(html.contains("You are signed in as <bdi>ann</bdi>"), "{html}");
    let url = "/.edgeward/sign-in?other=1&amp;return_to=/reports%3Fyear%3D2026%26page%3D2";
    assert!(html.contains(&format!("<a class=\"button\" href=\"{url}\">Use another account</a>")), "{html}");
    let exits = Exits { clear: true, sign_in: true, ..Exits::NONE };
    let html = Pages::new(acme()).render(&PageFacts { exits, ..self::facts(Cause::TokenExpired) }).html;
    assert!(
        html.contains("href=\"/.edgeward/sign-in?return_to=/reports%3Fyear%3D2026%26page%3D2\">Sign in</a>")
    );
    let none = PageFacts { exits: Exits::NONE, ..self::facts(Cause::TokenExpired) };
    assert!(
        !Pages::new(acme()).render(&none).html.contains("/.edgeward/"),
        "without sessions nothing of them"
    );
}

#[test]
fn too_many_tries_count_down() {
    let facts = PageFacts { retry_after: Some(Lifetime::from_seconds(40)), ..facts(Cause::TooManyAttempts) };
    let html = Pages::new(acme()).render(&facts).html;
    assert!(html.contains("Wait <span class=\"wait\" data-seconds=\"40\">40 seconds</span>, then"), "{html}");
    assert!(html.contains("<a class=\"button\" href=\"\">Try again</a>"), "a plain link without a script");
    let exits = Exits { clear: true, elsewhere: true, ..Exits::NONE };
    let html = Pages::new(acme()).render(&PageFacts { exits, ..facts }).html;
    assert!(
        html.contains("href=\"/reports?year=2026&amp;page=2\">Try again</a>"),
        "back to what was asked for"
    );
}

fn saying(said: Said) -> Saying<'static> {
    let form = match said {
        Said::SignIn | Said::SignedIn => Some(Form::SignIn(SIGN_IN)),
        Said::SignOut => Some(Form::SignOut(SignOut { return_to: BACK, everywhere: true })),
        Said::Clear => Some(Form::Clear(Clear { return_to: BACK })),
        _ => None,
    };
    Saying { said, user: Some("ann"), form, url: Some(BACK), place: Some("login.acme.example") }
}

fn says(saying: &Saying<'_>) -> String {
    Pages::new(acme()).said(saying, &facts(Cause::CredentialsMissing)).html
}

#[test]
fn what_is_no_refusal_has_no_cause() {
    for said in Said::ALL {
        let html = says(&saying(said));
        let (status, name) = (said.status(), said.name());
        let data = format!("data-status=\"{status}\" data-cause=\"\" data-page=\"{name}\"");
        assert!(html.contains(&data), "{name}");
        assert!(!html.contains("For whoever helps you") && !html.contains("{{"), "{name}: {html}");
        assert!(html.len() < 14_000, "{name}");
    }
}

#[test]
fn each_leads_on() {
    for (said, wanted) in [
        (Said::SignedIn, "<a class=\"button\" href=\"/reports?year=2026&amp;page=2\">Continue</a>"),
        (Said::SignedIn, "<summary>Use another account</summary>"),
        (Said::SignOut, "<form method=\"post\" action=\"/.edgeward/sign-out\">"),
        (Said::SignOut, "<input type=\"checkbox\" name=\"everywhere\" value=\"1\"> On all my devices"),
        (Said::SignOut, "<a href=\"/reports?year=2026&amp;page=2\">Go back</a>"),
        (
            Said::SignedOut,
            "href=\"/.edgeward/sign-in?return_to=/reports%3Fyear%3D2026%26page%3D2\">Sign in</a>",
        ),
        (Said::Clear, "<form method=\"post\" action=\"/.edgeward/clear\">"),
        (Said::Away, "target=\"_blank\">Sign in</a>"),
        (Said::Away, "at <bdi>login.acme.example</bdi>."),
    ] {
        let html = says(&saying(said));
        assert!(html.contains(wanted), "{said:?}: {wanted} in {html}");
    }
}

#[test]
fn a_url_that_is_none_leads_to_the_front_page() {
    for url in ["javascript:alert(1)", "//evil.example", "/\\evil.example", "data:text/html,x", "", "a"] {
        let html = says(&Saying { url: Some(url), ..Saying::of(Said::SignedIn) });
        assert!(html.contains("<a class=\"button\" href=\"/\">Continue</a>"), "{url}: {html}");
    }
}

/// Row 31 of the attacks, in every form.
#[test]
fn what_a_visitor_sent_stays_in_its_quotes() {
    let sign_in = Form::SignIn(SignIn { user: EVIL, return_to: EVIL, wrong: true, ..SIGN_IN });
    let mut pages: Vec<String> = Vec::new();
    for form in [
        sign_in,
        Form::Code(Code { return_to: EVIL, ..CODE }),
        Form::SignOut(SignOut { return_to: EVIL, everywhere: true }),
        Form::Clear(Clear { return_to: EVIL }),
    ] {
        for cause in [Cause::CredentialsWrong, Cause::NotAllowed, Cause::TooManyAttempts] {
            let exits = Exits { clear: true, sign_in: true, other: true, elsewhere: true };
            let (onward, user) = (Some(EVIL), Some(EVIL));
            let facts = PageFacts { form: Some(form), exits, onward, user, return_to: EVIL, ..facts(cause) };
            pages.push(Pages::new(acme()).render(&facts).html);
        }
    }
    for said in Said::ALL {
        pages.push(says(&Saying {
            user: Some(EVIL),
            form: Some(sign_in),
            url: Some(EVIL),
            place: Some(EVIL),
            said,
        }));
    }
    for html in pages {
        let html = html.replace("<script>(()=>{", "");
        assert!(!html.contains("<script") && !html.contains("<img src=x"), "{html}");
        assert!(
            !html.contains("alert(1)") || html.contains("{{brand}}{user}") || html.contains("%7B%7Bbrand")
        );
    }
}

#[test]
fn a_brands_page_without_the_form_is_not_used_for_it() {
    let mut pages = Pages::new(acme());
    pages.replace(401, "<!doctype html><title>{{headline}}</title><p>Ours: {{text}}").expect("a template");
    let form = |form| PageFacts { form, variant: Variant::Form, ..facts(Cause::CredentialsMissing) };
    assert!(pages.render(&form(None)).html.contains("<p>Ours: "));
    for asks in [Form::SignIn(SIGN_IN), Form::Code(CODE)] {
        assert!(pages.render(&form(Some(asks))).html.contains("class=\"card\""), "{asks:?}");
    }
    let own = "<!doctype html><title>{{headline}}</title>{{#sign_in}}<form class=\"ask\" method=\"post\" \
               action=\"/.edgeward/sign-in\"><input name=\"username\" value=\"{{form_user}}\"><input type=\"password\" \
               name=\"password\"><input type=\"hidden\" name=\"return_to\" value=\"{{form_return_to}}\"><button>{{label_sign_in}}\
               </button></form>{{/sign_in}}";
    pages.replace(401, own).expect("a template");
    let html = pages.render(&form(Some(Form::SignIn(SignIn { user: "<ann>", ..SIGN_IN })))).html;
    assert!(html.contains("value=\"&lt;ann&gt;\"") && !html.contains("class=\"card\""), "{html}");
    assert!(
        pages.render(&form(Some(Form::Code(CODE)))).html.contains("class=\"card\""),
        "no place for a code"
    );
}

#[test]
fn each_visitors_form_is_their_own() {
    let mut pages = Pages::new(acme());
    let of = |user, return_to| PageFacts {
        form: Some(Form::SignIn(SignIn { user, return_to, ..SIGN_IN })),
        ..facts(Cause::SessionExpired)
    };
    let first = pages.render(&of("ann", "/ann")).html;
    let second = pages.render(&of("bob", "/bob")).html;
    assert_eq!(pages.rendered(), 1, "filled from what is kept");
    assert!(first.contains("\"ann\"") && !second.contains("\"ann\"") && !second.contains("\"/ann\""));
    assert!(second.contains("value=\"bob\"") && second.contains("value=\"/bob\""));
}
