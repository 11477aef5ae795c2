//! A decision in words, and for programs.

use super::described::Described;
use super::{forwarded, otherwise, presented, shown};
use crate::cli::output::{Misuse, Outcome, columns, visible};
use crate::cli::secrets::Secrets;
use edgeward::authenticate::{Authenticated, Decision, Exchange, Gate, Passage, Verdict, Who};
use edgeward::authority::away;
use edgeward::exchange::exchanged;
use edgeward::policy::{Access, Kind, Mode, Rule};
use edgeward::reply::page::Pages;
use edgeward::reply::{self, Answerer, Reply};
use edgeward::request::{RequestFacts, Scheme};
use edgeward::time::UnixTime;
use edgeward::token::fresh::FreshTokens;
use edgeward::token::signed_url::grants;
use edgeward::verdict::{Refusal, Refused};
use serde_json::{Map, Value, json};

/// What is told, line by line and member by member.
pub struct Told {
    lines: Vec<(String, String)>,
    json: Map<String, Value>,
    /// Whether it passes.
    pub yes: bool,
}

impl Told {
    fn nothing() -> Self {
        Self { lines: Vec::new(), json: Map::new(), yes: false }
    }

    /// A line for people.
    pub fn line(&mut self, name: &str, words: impl AsRef<str>) {
        self.lines.push((name.to_owned(), visible(words.as_ref())));
    }

    /// A member for programs.
    pub fn member(&mut self, name: &str, value: impl Into<Value>) {
        self.json.insert(name.to_owned(), value.into());
    }
}

/// A request that is described, and what it meets.
pub struct Asked<'a> {
    /// What stands before the origin.
    pub gate: &'a Gate,
    /// The secrets that are here.
    pub secrets: &'a Secrets,
    /// Its fields.
    pub fields: &'a Described,
    /// The request as rules see it.
    pub facts: &'a RequestFacts<'a>,
    /// The moment.
    pub now: UnixTime,
}

impl Asked<'_> {
    /// Tells a decision, and what a click would do where that is all that is missing.
    pub fn outcome(
        &self,
        decision: Decision<'_>,
        click: Option<Decision<'_>>,
        notes: Vec<String>,
    ) -> Result<Outcome, Misuse> {
        let mut told = Told::nothing();
        let url = shown::url(self.gate, self.facts);
        told.line("Request", format!("{} {url}", self.facts.method));
        let at = self.now.to_string();
        told.member("request", json!({ "method": self.facts.method, "url": url, "at": at }));
        tell_rule(&mut told, decision.rule);
        presented::tell(&mut told, self, &decision);
        self.tell(&mut told, decision)?;
        if let Some(click) = click {
            self.tell_click(&mut told, click)?;
        }
        told.member("notes", notes.clone());
        told.member("passes", told.yes);
        Ok(Outcome { text: columns(&told.lines), json: Value::Object(told.json), notes, yes: told.yes })
    }

    /// What reads fresh tokens, where there are any.
    pub fn fresh(&self) -> Option<&FreshTokens> {
        self.gate.config.verifiers.as_ref()?.fresh.as_ref()
    }

    /// The field of API keys.
    pub fn api_key_field(&self) -> &str {
        let policy = self.gate.config.policy.as_ref();
        policy.map_or("X-API-Key", |policy| policy.api_key.written.as_str())
    }

    fn tell(&self, told: &mut Told, decision: Decision<'_>) -> Result<(), Misuse> {
        match decision.verdict {
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
            Verdict::Exchange(exchange) => self.exchange(told, *exchange)?,
            Verdict::Reserved(who) => self.reserved(told, who.as_ref()),
            Verdict::Refused(refused) => self.refused(told, decision.rule, &refused),
        }
        Ok(())
    }

    fn pass(&self, told: &mut Told, passage: Passage<'_>) -> Result<(), Misuse> {
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

    /// To the clean URL, with a cookie; where the grant is too long for one, the request goes on as it is.
    fn exchange(&self, told: &mut Told, exchange: Exchange<'_>) -> Result<(), Misuse> {
        if let Some(exchanged) = exchanged(self.gate, &exchange, self.facts, self.now) {
            tell_who(told, &exchange.who);
            let location = shown::masked(&exchanged.location);
            let cookie = grants::name(self.facts.scheme == Scheme::Https);
            let words = format!("303 to {location}, with the cookie {cookie}, which grants the same");
            told.line("Answer", words);
            told.member("verdict", "exchange");
            told.member("exchange", json!({ "status": 303, "location": location, "cookie": cookie }));
            told.yes = true;
            return Ok(());
        }
        match exchange.into_passage() {
            Some(passage) => self.pass(told, passage)?,
            None => told.line("Answer", "500 internal: what the link grants does not fit into a cookie"),
        }
        Ok(())
    }

    /// What happens when a person presses the button of the page; nothing is counted here.
    fn tell_click(&self, told: &mut Told, click: Decision<'_>) -> Result<(), Misuse> {
        let mut then = Told::nothing();
        match click.verdict {
            Verdict::Exchange(exchange) => self.exchange(&mut then, *exchange)?,
            Verdict::Refused(refused) => self.refused(&mut then, click.rule, &refused),
            Verdict::Pass(_) | Verdict::ToHttps | Verdict::Preflight(_) | Verdict::Reserved(_) => {}
        }
        let what = "counts one use, if one is left, which is known at the edge alone";
        told.line("A click", format!("POST /.edgeward/link {what}; then:"));
        told.lines.extend(then.lines.into_iter().map(|(name, words)| (format!("  {name}"), words)));
        told.member("click", Value::Object(then.json));
        Ok(())
    }

    pub(super) fn refused(&self, told: &mut Told, rule: Option<&Rule>, refused: &Refused) {
        let Refusal { cause, detail, user, key, .. } = &refused.refusal;
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
        if let Some(key) = key {
            told.line("Signed by", key);
            told.member("key", key.as_str());
        }
        self.elsewhere(told, refused);
        let advice = otherwise::otherwise(self, rule, &refused.refusal);
        advice.iter().for_each(|sentence| told.line("To pass", sentence));
        told.member("advice", advice);
        let answerer = self.answerer();
        match answerer.leads_away(&self.gate.config, refused) {
            Some(away::Verdict::Send(elsewhere, _)) if matches!(self.facts.method, "GET" | "HEAD") => {
                told.line("Answer", format!("303: sent to {} to sign in", elsewhere.host()));
                told.member("sign_in_at", elsewhere.host());
            }
            _ => answer(told, &answerer.refused(refused, &mut self.pages())),
        }
    }

    /// Where a navigation is sent that needs a sign-in which is had on another host.
    fn elsewhere(&self, told: &mut Told, refused: &Refused) {
        let is_read = matches!(self.facts.method, "GET" | "HEAD");
        match away::verdict(&self.gate.config, self.facts, refused) {
            Some(away::Verdict::Send(elsewhere, _)) if is_read => {
                let host = elsewhere.host();
                told.line("A browser", format!("is sent to {host} (303), where people sign in"));
                told.member("sent_to", host);
            }
            Some(_) | None => {}
        }
    }

    pub(super) fn pages(&self) -> Pages {
        let policy = self.gate.config.policy.as_ref();
        Pages::new(policy.map(|policy| policy.brand.clone()).unwrap_or_default())
    }

    pub(super) fn answerer(&self) -> Answerer<'_> {
        Answerer {
            facts: self.facts,
            policy: self.gate.config.policy.as_ref(),
            places: &self.gate.places,
            reference: "0000000000000000",
            now: self.now,
        }
    }
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
    match names.as_slice() {
        [] => "nothing".to_owned(),
        [one] => (*one).to_owned(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
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

/// As whom it passes.
pub(super) fn tell_who(told: &mut Told, who: &Authenticated) {
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
pub(super) fn answer(told: &mut Told, reply: &Reply) {
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
