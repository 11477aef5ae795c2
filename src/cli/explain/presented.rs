//! Which credentials decide, and what each turns out to be.

use super::links;
use super::report::{Asked, Told};
use edgeward::authenticate::{Decision, Verdict, Who};
use edgeward::credentials::{Bearing, Credentials, extract};
use edgeward::policy::{Access, Rule, TokenPlace};
use edgeward::token::signed_url::{LinkVerifier, Seen, Strength};
use serde_json::Value;

/// Calls `tell` with the credentials that decide, where any were looked at.
pub fn looked_at<T>(
    asked: &Asked<'_>,
    rule: &Rule,
    tell: impl FnOnce(&Credentials<'_>, Option<&Seen<'_>>) -> T,
) -> T {
    let bearing = Bearing::read(asked.facts, &asked.gate.places);
    let (seen, none) = (bearing.seen(asked.facts), LinkVerifier::default());
    let links = asked.gate.config.verifiers.as_ref().map_or(&none, |verifiers| &verifiers.links);
    let credentials = extract(asked.facts, &asked.gate.places, rule.accept, links, seen.as_ref());
    tell(&credentials, seen.as_ref())
}

/// The rule whose credentials were looked at, where any were.
pub fn looking_rule<'g>(decision: &Decision<'g>) -> Option<&'g Rule> {
    let is_looked_at = match &decision.verdict {
        Verdict::Pass(passage) => !matches!(passage.who(), Who::Anyone),
        Verdict::Refused(_) | Verdict::Exchange(_) => true,
        Verdict::Reserved(who) => who.is_some(),
        Verdict::ToHttps | Verdict::Preflight(_) => false,
    };
    decision.rule.filter(|rule| is_looked_at && rule.access != Access::Denied)
}

/// Tells them.
pub fn tell(told: &mut Told, asked: &Asked<'_>, decision: &Decision<'_>) {
    let Some(rule) = looking_rule(decision) else {
        told.line("Credentials", "not looked at");
        told.member("credentials", "not looked at");
        return;
    };
    looked_at(asked, rule, |credentials, seen| {
        let words = words(asked, credentials);
        told.line("Credentials", &words);
        told.member("credentials", words);
        match (credentials, seen) {
            (Credentials::Link(strength), Some(seen)) => tell_links(told, asked, seen, *strength),
            (Credentials::Jar(value), Some(seen)) => tell_jar(told, asked, seen, value.expose()),
            _ => {}
        }
    });
}

fn words(asked: &Asked<'_>, credentials: &Credentials<'_>) -> String {
    match credentials {
        Credentials::Missing => "none".to_owned(),
        Credentials::Unsupported(Some(kind)) => format!("{}, which is not accepted here", kind.name()),
        Credentials::Unsupported(None) => "of a kind that is not accepted here".to_owned(),
        Credentials::Ambiguous(it) => format!("ambiguous: {}", it.detail),
        Credentials::Malformed => "malformed".to_owned(),
        Credentials::Basic(_) => "basic, in Authorization".to_owned(),
        Credentials::Token(token, place) => {
            let place = place_words(place);
            let is_fresh = asked.fresh().is_some_and(|fresh| fresh.is_ours(token.expose()));
            let what = if is_fresh { ", a fresh token of Edgeward's own" } else { "" };
            format!("bearer, in {place}{what}")
        }
        Credentials::ApiKey(_) => format!("api-key, in {}", asked.api_key_field()),
        Credentials::Link(Strength::Field) => "signed-url, in a field of its own".to_owned(),
        Credentials::Link(Strength::Url) => "signed-url, in the URL".to_owned(),
        Credentials::Link(Strength::Cookie) => "signed-url, in a cookie".to_owned(),
        Credentials::Jar(_) => "signed-url, by the cookie that stands for it".to_owned(),
        Credentials::Session(_) => "session, in its cookie".to_owned(),
    }
}

fn place_words(place: &TokenPlace) -> String {
    match place {
        TokenPlace::Authorization => "Authorization".to_owned(),
        TokenPlace::Cookie(name) => format!("the cookie {name}"),
        TokenPlace::Query(name) => format!("the query parameter {name}"),
        TokenPlace::Header(name) => format!("the field {name}"),
    }
}

fn tell_links(told: &mut Told, asked: &Asked<'_>, seen: &Seen<'_>, strength: Strength) {
    let found = links::found(asked.gate, seen, strength, asked.now);
    found.iter().for_each(|it| told.line("Link", it.words(asked.now)));
    told.member("links", found.iter().map(links::Found::json).collect::<Vec<Value>>());
}

fn tell_jar(told: &mut Told, asked: &Asked<'_>, seen: &Seen<'_>, value: &str) {
    let grants = links::jar(asked.gate, seen, value, asked.now).unwrap_or_default();
    let (words, json): (Vec<String>, Vec<Value>) = grants.into_iter().unzip();
    words.iter().for_each(|words| told.line("Grants", words));
    told.member("grants", json);
}
