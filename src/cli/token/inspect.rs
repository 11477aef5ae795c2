//! `edgeward token inspect`: a token taken apart for whoever builds a client.
//!
//! The one place that shows claims before a signature holds; it says so first.

use super::advice::{self, Looked};
use super::given::{self, Given, Kind};
use super::ours::{self, Ours};
use super::verify::{place_name, user, verdict};
use super::{Shown, pair};
use crate::cli::deployment::Deployment;
use crate::cli::output::{Outcome, columns, visible};
use crate::cli::{Which, clock};
use clap::Args;
use edgeward::json::{Json, push_string};
use edgeward::time::UnixTime;
use edgeward::token::from_base64url;
use edgeward::token::jwt::VerifiedJwt;
use edgeward::verdict::Refusal;
use serde_json::{Value, json};

/// Claims that are moments.
const TIMES: [(&str, &str); 4] =
    [("iat", "issued at"), ("nbf", "good from"), ("exp", "expires"), ("auth_time", "signed in at")];

const AFTER: &str = "\
It may be a JWT, one of Edgeward's own, an API key, or a user-id and password; signed URLs are for `edgeward url verify`.
Header and claims of a JWT are shown even where nothing is verified: then believe none of them.
The token is a credential: it is read from EDGEWARD_TOKEN or from standard input, never from an argument.
Exit status: 0 where the gate would take it, 1 where it would not, or where EDGEWARD_KEYS is not here.

Examples:
  edgeward token inspect < token.txt
  pbpaste | edgeward token inspect --env production --secrets production.vars";

/// What a token says, which key fits, what the gate says to it, and what would have to be otherwise
#[derive(Args)]
#[command(after_help = AFTER)]
pub struct Inspect {
    #[command(flatten)]
    shown: Shown,

    #[command(flatten)]
    which: Which,
}

impl Inspect {
    /// Takes it apart.
    pub fn run(self) -> crate::cli::Result {
        let Given { kind, value } = given::read()?;
        if kind == Kind::ApiKey {
            return pair::of_key(&value, &self.which);
        }
        let deployment = Deployment::find(&self.which)?;
        let now = clock::at(self.shown.at);
        if kind == Kind::Basic {
            return pair::look(value.expose(), &deployment, now);
        }
        let token = value.expose();
        let told = match ours::look(token, &deployment, now) {
            Some(ours) => Told::of_ours(ours),
            None => self.of_others(token, &deployment, now),
        };
        Ok(told.outcome(&Parts::of(token), now))
    }

    /// A JWT that others sign.
    fn of_others(&self, token: &str, deployment: &Deployment, now: UnixTime) -> Told {
        let verdict = verdict(deployment, token, &self.shown, now).ok();
        let refusal = verdict.as_ref().and_then(|it| it.as_ref().err());
        let policy = deployment.config.policy.as_ref();
        let looked = Looked::at(token, &deployment.secrets, policy, refusal, now);
        let advice = advice::advice(&looked);
        let signature = looked.signature();
        let place = place_name(&self.shown.place(policy.map_or(&[][..], |policy| &policy.tokens)));
        Told {
            kind: "a JWT",
            signature,
            kids: looked.fitting,
            words: format!("{} (found in {place}, at {now})", verdict_words(verdict.as_ref())),
            json: verdict_json(verdict.as_ref()),
            yes: verdict.is_some_and(|it| it.is_ok()),
            place: Some(place),
            advice,
        }
    }
}

/// What is found out about a JWT.
struct Told {
    kind: &'static str,
    signature: String,
    kids: Vec<String>,
    words: String,
    json: Value,
    yes: bool,
    place: Option<String>,
    advice: Vec<String>,
}

impl Told {
    fn of_ours(ours: Ours) -> Self {
        let Ours { kind, kids, verdict, advice } = ours;
        let signature = match kids.first() {
            Some(kid) => format!("holds, by the key {} of EDGEWARD_SECRET", visible(kid)),
            None => "NOT VERIFIED: no key of EDGEWARD_SECRET made it, or it is not for there".to_owned(),
        };
        let yes = verdict.is_ok();
        let (words, json) = match verdict {
            Ok(taken) => (format!("taken: {}", taken.words), json!({ "ok": true, "taken": taken.json })),
            Err(refusal) => (refusal_words(&refusal), refusal_json(&refusal)),
        };
        Self { kind, signature, kids, words, json, yes, place: None, advice }
    }

    fn outcome(&self, parts: &Parts, now: UnixTime) -> Outcome {
        let times = parts.times(now);
        let lines = [
            ("Kind".to_owned(), self.kind.to_owned()),
            ("Signature".to_owned(), self.signature.clone()),
            ("Verdict".to_owned(), self.words.clone()),
        ];
        let mut text = columns(&lines);
        self.advice.iter().for_each(|sentence| text.push_str(&format!("  {sentence}\n")));
        let caveat = if self.kids.is_empty() { " (not verified: anybody can write these)" } else { "" };
        text.push_str(&format!("\nHeader\n{}\nClaims{caveat}\n{}", parts.header_text(), parts.claims_text()));
        if !times.is_empty() {
            text.push_str(&format!("\nTimes\n{}", columns(&times)));
        }
        let json = json!({
            "kind": self.kind,
            "verified": self.yes,
            "signature": { "holds": !self.kids.is_empty(), "kids": self.kids },
            "verdict": self.json,
            "place": self.place,
            "advice": self.advice,
            "header": parts.header.as_ref().map(|text| json_or_text(text)),
            "claims": parts.claims.as_ref().map(|text| json_or_text(text)),
            "times": times.iter().map(|(name, words)| (name.clone(), words.as_str().into())).collect::<serde_json::Map<_, Value>>(),
        });
        Outcome { yes: self.yes, ..Outcome::yes(text, json) }
    }
}

fn verdict_words(verdict: Option<&Result<VerifiedJwt, Refusal>>) -> String {
    match verdict {
        None => "none: EDGEWARD_KEYS is not here".to_owned(),
        Some(Ok(token)) => {
            format!("let in as {}", visible(&user(token).unwrap_or("nobody in particular".to_owned())))
        }
        Some(Err(refusal)) => refusal_words(refusal),
    }
}

fn refusal_words(refusal: &Refusal) -> String {
    format!("refused: {}: {}", refusal.cause.name(), refusal.detail)
}

fn verdict_json(verdict: Option<&Result<VerifiedJwt, Refusal>>) -> Value {
    match verdict {
        None => Value::Null,
        Some(Ok(token)) => json!({ "ok": true, "user": user(token), "kid": token.kid() }),
        Some(Err(refusal)) => refusal_json(refusal),
    }
}

fn refusal_json(refusal: &Refusal) -> Value {
    json!({ "ok": false, "cause": refusal.cause.name(), "detail": refusal.detail })
}

/// Header and claims as text, as far as they can be decoded.
struct Parts {
    header: Option<String>,
    claims: Option<String>,
}

impl Parts {
    /// Takes a token apart, leniently: padding is no reason to show nothing.
    fn of(token: &str) -> Self {
        let mut parts = token.split('.');
        let mut decoded = || {
            let octets = from_base64url(parts.next()?.trim_end_matches('='))?;
            String::from_utf8(octets).ok()
        };
        Self { header: decoded(), claims: decoded() }
    }

    fn header_text(&self) -> String {
        shown(self.header.as_deref())
    }

    fn claims_text(&self) -> String {
        shown(self.claims.as_deref())
    }

    /// Every time field in words.
    fn times(&self, now: UnixTime) -> Vec<(String, String)> {
        let Some(json) = self.claims.as_deref().and_then(|text| Json::parse(text).ok()) else {
            return Vec::new();
        };
        let words = |(name, what): (&str, &str)| {
            let moment = json.get(name)?.as_number().and_then(UnixTime::from_numeric_date)?;
            Some((name.to_owned(), format!("{what} {moment}, {}", clock::relative(moment, now))))
        };
        TIMES.into_iter().filter_map(words).collect()
    }
}

/// One member a line, in the order in which they stand; what is no object is shown as it is.
fn shown(text: Option<&str>) -> String {
    let Some(text) = text else { return "  (not base64url of UTF-8)\n".to_owned() };
    let Ok(Json::Object(members)) = Json::parse(text) else {
        return format!("  {} (not a JSON object, or one name twice)\n", visible(text));
    };
    let lines: Vec<_> = members
        .iter()
        .map(|(name, value)| (format!("  {}", visible(name)), visible(&written(value))))
        .collect();
    columns(&lines)
}

fn written(value: &Json<'_>) -> String {
    let list = |items: Vec<String>, open: &str, close: &str| format!("{open}{}{close}", items.join(", "));
    match value {
        Json::Null => "null".to_owned(),
        Json::Bool(value) => value.to_string(),
        Json::Number(number) => number.to_string(),
        Json::Text(text) => quoted(text),
        Json::Array(items) => list(items.iter().map(written).collect(), "[", "]"),
        Json::Object(members) => {
            let members = members.iter().map(|(name, value)| format!("{}: {}", quoted(name), written(value)));
            list(members.collect(), "{", "}")
        }
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    push_string(&mut quoted, text);
    quoted
}

fn json_or_text(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}
