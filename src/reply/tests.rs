//! Answers as a client gets them, where they depend on policy and request together.

use super::*;
use crate::config::{Config, Sources};
use crate::json::Json;
use crate::policy::{Brand, Kinds};
use crate::request::FieldList;
use crate::secret::Secret;
use crate::verdict::Refusal;

const POLICY: &str =
    r#"{"token":{},"tokens":[{"format":"edgeward"}],"api_key":{"header":"X-Acme-Key"},"realm":"R"}"#;
const NAVIGATION: [(&str, &str); 1] = [("Sec-Fetch-Mode", "navigate")];
const PROBLEM: [(&str, &str); 1] = [("Accept", "application/problem+json")];

fn policy(text: &str) -> Policy {
    let secret = Some(Secret::new(crate::token::to_base64url(&[7; 32])));
    let sources = Sources { policy: Some(text.to_owned()), secret, ledger: true, ..Default::default() };
    Config::parse(&sources, str::to_owned).policy.expect(text)
}

/// What is answered by that policy.
fn answer_by(policy: &Policy, request: (&str, &str, &[(&str, &str)]), refusal: Refusal) -> Reply {
    let (method, uri, fields) = request;
    let fields = FieldList::new(fields.iter().copied());
    let facts = RequestFacts::new(method, uri, &fields).expect("an absolute URI");
    let answerer = Answerer {
        facts: &facts,
        policy: Some(policy),
        places: &Places::of(policy),
        reference: "0123456789abcdef",
        now: UnixTime::from_seconds(1_795_372_200),
    };
    let accept = Kinds::NONE.with(Kind::Bearer).with(Kind::ApiKey).with(Kind::SignedUrl);
    answerer.refused(&Refused { refusal, accept }, &mut Pages::new(Brand::default()))
}

fn answer(method: &str, uri: &str, fields: &[(&str, &str)], refusal: Refusal) -> Reply {
    answer_by(&policy(POLICY), (method, uri, fields), refusal)
}

fn of_link(cause: Cause) -> Refusal {
    Refusal::new(cause, "A link.").sent(Kind::SignedUrl)
}

fn page(uri: &str, refusal: Refusal) -> String {
    answer("GET", uri, &NAVIGATION, refusal).content.expect("a page")
}

fn problem(policy: &Policy, refusal: Refusal) -> Json<'static> {
    let reply = answer_by(policy, ("GET", "https://h/a", &PROBLEM), refusal);
    let text: &'static str = reply.content.expect("problem details").leak();
    Json::parse(text).expect("JSON")
}

fn fields(reply: &Reply, name: &str) -> Vec<String> {
    reply.fields.iter().filter(|(it, _)| *it == name).map(|(_, value)| value.clone()).collect()
}

#[test]
fn a_navigation_is_asked_whether_it_means_to_open_the_link() {
    for (uri, token, return_to) in [
        ("https://h/a?ew=T-k_1", "T-k_1", "/a"),
        ("https://h/a?x=%7e&ew=T&y=+&&z", "T", "/a?x=%7e&amp;y=+&amp;&amp;z"),
        ("https://h/?%65w=T", "T", "/"),
        ("https://h//evil.example/?ew=T%2e", "T%2e", "https://h//evil.example/"),
    ] {
        let html = page(uri, of_link(Cause::TokenNeedsConfirmation));
        let value = |name, value| format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">");
        for wanted in [value("token", token), value("return_to", return_to)] {
            assert!(html.contains(&wanted), "{uri}: {wanted} in {html}");
        }
        let (_, folded) = html.split_once("<details>").expect("folds");
        assert!(!folded.contains("ew="), "{uri}: the address that is read out");
    }
}

#[test]
fn nothing_else_is_asked() {
    let refusal = || of_link(Cause::TokenNeedsConfirmation);
    // Whoever gets a page gets its button: a page that was fetched ahead may be shown later.
    let prefetch = [("Sec-Fetch-Mode", "navigate"), ("Sec-Purpose", "prefetch;prerender")];
    for fields in [&prefetch[..], &[("Accept", "text/html")]] {
        let html = answer("GET", "https://h/a?ew=T", fields, refusal()).content.expect("a page");
        assert!(html.contains("<form"), "{fields:?}");
    }
    let program = answer("GET", "https://h/a?ew=T", &[("Accept", "*/*")], refusal()).content.expect("a text");
    assert!(!program.contains("<form"), "{program}");
    let head = answer("HEAD", "https://h/a?ew=T", &NAVIGATION, refusal());
    assert_eq!((head.status, head.content), (401, None));
    for cause in [Cause::TokenSpent, Cause::TokenRevoked, Cause::TokenExpired] {
        assert!(!page("https://h/a?ew=T", of_link(cause)).contains("<form"), "{cause:?}");
    }
}

/// Row 31 of the attacks, whatever a platform lets through in a URL.
#[test]
fn nothing_of_the_url_gets_out_of_its_quotes() {
    let evil = "\"><script>alert(1)</script>";
    for uri in [format!("https://h/{evil}?ew=T&{evil}"), format!("https://h/a?ew={evil}")] {
        let html = page(&uri, of_link(Cause::TokenNeedsConfirmation));
        assert!(!html.contains("<script") && html.contains("&quot;&gt;&lt;script&gt;"), "{html}");
    }
}

#[test]
fn an_expired_token_says_where_a_fresh_one_is_made() {
    let without = policy(r#"{"tokens":[{"format":"edgeward"}]}"#);
    let with = policy(POLICY);
    let expired = |kind| {
        Refusal::new(Cause::TokenExpired, "It expired.").sent(kind).at(UnixTime::from_seconds(1_795_372_000))
    };
    let refresh = |policy, refusal| {
        let said = problem(policy, refusal);
        assert!(said.get("cause").is_some());
        said.get("refresh").and_then(Json::as_text).map(str::to_owned)
    };
    assert_eq!(refresh(&with, expired(Kind::Bearer)).as_deref(), Some("/.edgeward/token"));
    assert_eq!(refresh(&without, expired(Kind::Bearer)), None, "off unless configured");
    assert_eq!(refresh(&with, expired(Kind::SignedUrl)), None, "no link is made there");
    assert_eq!(refresh(&with, Refusal::new(Cause::TokenRevoked, "No.").sent(Kind::Bearer)), None);
    let at = problem(&with, expired(Kind::Bearer));
    assert!(at.get("expired_at").is_some() && at.get("retry_after").is_none());
}

#[test]
fn a_check_that_failed_says_when_to_try_again() {
    let refusal = || Refusal::new(Cause::CheckUnavailable, "No answer.").sent(Kind::ApiKey);
    let reply = answer("GET", "https://h/a", &PROBLEM, refusal());
    assert_eq!((reply.status, fields(&reply, "Retry-After")), (503, vec!["5".to_owned()]));
    assert!(reply.content.expect("problem details").contains("\"retry_after\":5"));
    assert!(page("https://h/a", refusal()).contains("Try again in 5 seconds."));
}

#[test]
fn an_api_key_is_a_programs() {
    let wrong = |kind| Refusal::new(Cause::CredentialsWrong, "No.").sent(kind);
    let html = page("https://h/a", wrong(Kind::ApiKey));
    assert!(html.contains("The app was not recognised") && html.contains(">Try again</a>"), "{html}");
    assert!(!html.contains("password"), "{html}");
    assert!(page("https://h/a", wrong(Kind::Basic)).contains("User name or password is not right."));
    let reply = answer("GET", "https://h/a", &PROBLEM, wrong(Kind::ApiKey));
    let wanted = ["Bearer realm=\"R\"", "ApiKey realm=\"R\", header=\"X-Acme-Key\""];
    assert_eq!(fields(&reply, "WWW-Authenticate"), wanted, "in the field that the operator wrote");
}

#[test]
fn the_names_of_links_and_keys_are_not_said() {
    let refusal = |kind, user: &str| Refusal {
        user: Some(user.to_owned()),
        ..Refusal::new(Cause::NotAllowed, "No.").sent(kind)
    };
    for (kind, user) in [(Kind::SignedUrl, "link:Zm9v"), (Kind::ApiKey, "key:ci")] {
        let html = page("https://h/a", refusal(kind, user));
        assert!(!html.contains(user) && html.contains("What you came with is good"), "{html}");
    }
    assert!(page("https://h/a", refusal(Kind::Basic, "ann")).contains("signed in as <bdi>ann</bdi>"));
}
