//! A decision in words, and for programs.

use super::described::Described;
use super::forwarded;
use crate::cli::output::{Misuse, Outcome, columns, visible};
use edgeward::authenticate::{Authenticated, Decision, Gate, Verdict, Who};
use edgeward::credentials::{Bearing, Credentials, extract};
use edgeward::policy::{Access, Kind, Mode, Rule, TokenPlace};
use edgeward::reply::page::Pages;
use edgeward::reply::{self, Answerer, Endpoint, Reply};
use edgeward::request::RequestFacts;
use edgeward::time::UnixTime;
use edgeward::token::signed_url::{LinkVerifier, Strength};
use edgeward::verdict::{Refusal, Refused};
use serde_json::{Map, Value, json};

/// What is told, line by line and member by member.
struct Told {
    lines: Vec<(String, String)>,
    json: Map<String, Value>,
    yes: bool,
}

impl Told {
    fn line(&mut self, name: &str, words: impl AsRef<str>) {
        self.lines.push((name.to_owned(), visible(words.as_ref())));
    }

    fn member(&mut self, name: &str, value: impl Into<Value>) {
        self.json.insert(name.to_owned(), value.into());
    }
}

/// Tells a decision.
pub fn outcome(
    gate: &Gate,
    fields: &Described,
    facts: &RequestFacts<'_>,
    decision: Decision<'_>,
    now: UnixTime,
    notes: Vec<String>,
) -> Result<Outcome, Misuse> {
    let mut told = Told { lines: Vec::new(), json: Map::new(), yes: false };
    let url = shown_url(gate, facts);
    told.line("Request", format!("{} {url}", facts.method));
    told.member("request", json!({ "method": facts.method, "url": url, "at": now.to_string() }));
    tell_rule(&mut told, decision.rule);
    tell_credentials(&mut told, gate, facts, &decision);
    let teller = Teller { gate, fields, facts, now };
    teller.tell(&mut told, decision.verdict)?;
    told.member("notes", notes.clone());
    told.member("passes", told.yes);
    Ok(Outcome { text: columns(&told.lines), json: Value::Object(told.json), notes, yes: told.yes })
}

/// The URL without tokens of ours and without userinfo.
fn shown_url(gate: &Gate, facts: &RequestFacts<'_>) -> String {
    let query = facts.query.and_then(|query| gate.places.without_tokens(query));
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}{query}", facts.uri_without_query())
}

fn tell_rule(told: &mut Told, rule: Option<&Rule>) {
    told.line("Rule", rule.map_or("none was asked".to_owned(), rule_words));
    told.member("rule", rule.map_or(Value::Null, rule_json));
}

fn rule_words(rule: &Rule) -> String {
    let Some(index) = rule.index else {
        return format!("none names this path: protected, accepts {}", kinds(rule));
    };
    let mut words = format!("EDGEWARD.rules[{index}], path {:?}", rule.path);
    if let Some(host) = &rule.host {
        words.push_str(&format!(", host {host:?}"));
    }
    if let Some(methods) = &rule.methods {
        words.push_str(&format!(", methods {}", methods.join(" ")));
    }
    match rule.access {
        Access::Public => words.push_str(": public"),
        Access::Denied => words.push_str(": denied"),
        Access::Authenticated => words.push_str(&format!(": accepts {}", kinds(rule))),
    }
    if rule.mode == Mode::Report {
        words.push_str(", reports only");
    }
    words
}

fn kinds(rule: &Rule) -> String {
    let names: Vec<&str> = rule.accept.iter().map(Kind::name).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(" and ") }
}

fn rule_json(rule: &Rule) -> Value {
    json!({
        "index": rule.index,
        "path": rule.index.map(|_| &rule.path),
        "host": rule.host,
        "methods": rule.methods,
        "access": match rule.access {
            Access::Public => "public",
            Access::Denied => "denied",
            Access::Authenticated => "authenticated",
        },
        "accept": rule.accept.iter().map(Kind::name).collect::<Vec<_>>(),
        "mode": if rule.mode == Mode::Report { "report" } else { "enforce" },
    })
}

/// Which credentials decide, where any were looked at.
fn tell_credentials(told: &mut Told, gate: &Gate, facts: &RequestFacts<'_>, decision: &Decision<'_>) {
    let is_looked_at = match &decision.verdict {
        Verdict::Pass(passage) => !matches!(passage.who(), Who::Anyone),
        Verdict::Refused(_) | Verdict::Exchange(_) => true,
        Verdict::Reserved(who) => who.is_some(),
        Verdict::ToHttps | Verdict::Preflight(_) => false,
    };
    let rule = decision.rule.filter(|rule| is_looked_at && rule.access != Access::Denied);
    let words = rule.map_or("not looked at".to_owned(), |rule| {
        let bearing = Bearing::read(facts, &gate.places);
        let (seen, none) = (bearing.seen(facts), LinkVerifier::default());
        let links = gate.config.verifiers.as_ref().map_or(&none, |verifiers| &verifiers.links);
        credentials_words(&extract(facts, &gate.places, rule.accept, links, seen.as_ref()))
    });
    told.line("Credentials", &words);
    told.member("credentials", words);
}

fn credentials_words(credentials: &Credentials<'_>) -> String {
    match credentials {
        Credentials::Missing => "none".to_owned(),
        Credentials::Unsupported(Some(kind)) => format!("{}, which is not accepted here", kind.name()),
        Credentials::Unsupported(None) => "of a kind that is not accepted here".to_owned(),
        Credentials::Ambiguous(_) => "ambiguous".to_owned(),
        Credentials::Malformed => "malformed".to_owned(),
        Credentials::Basic(_) => "basic, in Authorization".to_owned(),
        Credentials::Token(_, TokenPlace::Authorization) => "bearer, in Authorization".to_owned(),
        Credentials::Token(_, TokenPlace::Cookie(name)) => format!("bearer, in the cookie {name}"),
        Credentials::Token(_, TokenPlace::Query(name)) => format!("bearer, in the query parameter {name}"),
        Credentials::Token(_, TokenPlace::Header(name)) => format!("bearer, in the field {name}"),
        Credentials::ApiKey(_) => "api-key".to_owned(),
        Credentials::Link(Strength::Field) => "signed-url, in a field of its own".to_owned(),
        Credentials::Link(Strength::Url) => "signed-url, in the URL".to_owned(),
        Credentials::Link(Strength::Cookie) => "signed-url, in a cookie".to_owned(),
        Credentials::Jar(_) => "signed-url, by the cookie that stands for it".to_owned(),
    }
}

/// What telling a verdict needs.
struct Teller<'t> {
    gate: &'t Gate,
    fields: &'t Described,
    facts: &'t RequestFacts<'t>,
    now: UnixTime,
}

impl Teller<'_> {
    fn tell(&self, told: &mut Told, verdict: Verdict<'_>) -> Result<(), Misuse> {
        match verdict {
            Verdict::Pass(passage) => self.pass(told, passage)?,
            Verdict::ToHttps => {
                told.line("Verdict", "sent to https");
                told.member("verdict", "to-https");
                answer(told, &self.answerer().to_https());
            }
            Verdict::Preflight(cors) => {
                told.line("Verdict", "a preflight, answered here");
                told.member("verdict", "preflight");
                told.yes = true;
                answer(told, &self.answerer().preflight(cors));
            }
            Verdict::Exchange(exchange) => {
                tell_who(told, &exchange.who);
                told.line("Answer", "303 to the clean URL, with a cookie that grants the same");
                told.member("verdict", "exchange");
                told.yes = true;
            }
            Verdict::Reserved(who) => self.reserved(told, who.as_ref()),
            Verdict::Refused(refused) => self.refused(told, &refused),
        }
        Ok(())
    }

    fn pass(&self, told: &mut Told, passage: edgeward::authenticate::Passage<'_>) -> Result<(), Misuse> {
        told.member("verdict", "pass");
        match passage.who() {
            Who::Anyone => told.line("Verdict", "passes; nobody is asked who they are"),
            Who::Known(who) => tell_who(told, who),
            Who::Reported(refused) => {
                let Refusal { cause, detail, .. } = &refused.refusal;
                told.line(
                    "Verdict",
                    format!("passes, as the rule only reports; it would be {}", cause.name()),
                );
                told.line("Why", detail);
                told.member("reported", json!({ "cause": cause.name(), "detail": detail }));
            }
        }
        told.yes = true;
        let Some(policy) = &self.gate.config.policy else { return Ok(()) };
        let outgoing =
            forwarded::outgoing(self.gate, policy, passage, self.facts, &self.fields.names, self.now)?;
        told.lines.extend(forwarded::lines(&outgoing));
        told.member("forward", forwarded::json(&outgoing));
        Ok(())
    }

    fn reserved(&self, told: &mut Told, who: Option<&Authenticated>) {
        told.member("verdict", "reserved");
        let mut pages = self.pages();
        match (reply::endpoint(self.facts, &self.gate.config), who) {
            (Endpoint::Refused(refusal), _) => {
                let refused = Refused { refusal, accept: edgeward::policy::Kinds::NONE };
                return self.refused(told, &refused);
            }
            (Endpoint::WhoAmI, Some(who)) => tell_who(told, who),
            (Endpoint::Token, Some(who)) => {
                tell_who(told, who);
                told.line("Answer", "200 with a fresh token");
                told.yes = true;
            }
            (Endpoint::Link | Endpoint::Revoke | Endpoint::Token, _) => {
                told.line("Verdict", "answered by Edgeward itself, by what the content says");
            }
            (Endpoint::Brand, _) => told.line("Verdict", "a file of the brand, if it is there"),
            (Endpoint::Explained(cause), _) => {
                told.line("Verdict", "a page of Edgeward's own");
                answer(told, &self.answerer().explained(cause, &mut pages));
            }
            (Endpoint::Health | Endpoint::WhoAmI, _) => {
                told.line("Verdict", "answered by Edgeward itself: 200")
            }
        }
        told.yes = true;
    }

    fn refused(&self, told: &mut Told, refused: &Refused) {
        let Refusal { cause, detail, user, .. } = &refused.refusal;
        let status = reply::status(*cause);
        told.line("Verdict", format!("refused: {status} {}", cause.name()));
        told.line("Why", detail);
        told.json.entry("verdict").or_insert_with(|| "refused".into());
        told.member("cause", cause.name());
        told.member("detail", detail.as_str());
        if let Some(user) = user {
            told.line("Known as", user);
            told.member("user", user.as_str());
        }
        let reply = self.answerer().refused(refused, &mut self.pages());
        answer(told, &reply);
    }

    fn pages(&self) -> Pages {
        let policy = self.gate.config.policy.as_ref();
        Pages::new(policy.map(|policy| policy.brand.clone()).unwrap_or_default())
    }

    fn answerer(&self) -> Answerer<'_> {
        Answerer {
            facts: self.facts,
            policy: self.gate.config.policy.as_ref(),
            places: &self.gate.places,
            reference: "0000000000000000",
            now: self.now,
        }
    }
}

fn tell_who(told: &mut Told, who: &Authenticated) {
    let name = who.user().unwrap_or("nobody in particular");
    let mut words = format!("passes as {name}");
    if !who.groups().is_empty() {
        words.push_str(&format!(", groups {}", who.groups().join(", ")));
    }
    if !who.scopes().is_empty() {
        words.push_str(&format!(", scopes {}", who.scopes().join(" ")));
    }
    if let Some(key) = who.key() {
        words.push_str(&format!(", by key {key}"));
    }
    told.line("Verdict", words);
    told.member("user", who.user().map_or(Value::Null, Value::from));
    told.member("groups", who.groups());
    told.member("scopes", who.scopes());
    told.member("key", who.key().map_or(Value::Null, Value::from));
}

/// Status and the fields that a client acts on.
fn answer(told: &mut Told, reply: &Reply) {
    told.line("Status", reply.status.to_string());
    told.member("status", reply.status);
    let of = |wanted: &str| {
        reply
            .fields
            .iter()
            .filter(|(name, _)| *name == wanted)
            .map(|(_, value)| value.clone())
            .collect::<Vec<_>>()
    };
    let challenges = of("WWW-Authenticate");
    challenges.iter().for_each(|challenge| told.line("Challenge", challenge));
    told.member("challenges", challenges);
    if let Some(allow) = of("Allow").first() {
        told.line("Allow", allow);
    }
    // Where it is sent is the URL that was typed: query and all, tokens of ours among it.
    if !of("Location").is_empty() {
        told.line("Location", "the same URL with https:");
    }
}
