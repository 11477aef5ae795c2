//! `edgeward token inspect`: a token taken apart for whoever builds a client.
//!
//! The one place that shows claims before a signature holds; it says so first.

use super::advice::{self, Looked};
use super::verify::{place_name, user, verdict};
use super::{Shown, read_token};
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
Header and claims are shown even where nothing is verified: then believe none of them.
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
        let token = read_token()?;
        let deployment = Deployment::find(&self.which)?;
        let now = clock::at(self.shown.at);
        let verdict = verdict(&deployment, token.expose(), &self.shown, now).ok();
        let parts = Parts::of(token.expose());
        let refusal = verdict.as_ref().and_then(|it| it.as_ref().err());
        let policy = deployment.config.policy.as_ref();
        let looked = Looked::at(token.expose(), &deployment.secrets, policy, refusal, now);
        Ok(self.outcome(&parts, &looked, verdict.as_ref(), &deployment, now))
    }

    fn outcome(
        &self,
        parts: &Parts,
        looked: &Looked<'_>,
        verdict: Option<&Result<VerifiedJwt, Refusal>>,
        deployment: &Deployment,
        now: UnixTime,
    ) -> Outcome {
        let entries = deployment.config.policy.as_ref().map_or(&[][..], |policy| &policy.tokens);
        let place = place_name(&self.shown.place(entries));
        let advice = advice::advice(looked);
        let times = parts.times(now);
        let lines = [
            ("Signature".to_owned(), looked.signature()),
            ("Verdict".to_owned(), format!("{} (found in {place}, at {now})", verdict_words(verdict))),
        ];
        let mut text = columns(&lines);
        advice.iter().for_each(|sentence| text.push_str(&format!("  {sentence}\n")));
        text.push_str(&format!(
            "\nHeader\n{}\nClaims{}\n{}",
            parts.header_text(),
            looked.caveat(),
            parts.claims_text()
        ));
        if !times.is_empty() {
            text.push_str(&format!("\nTimes\n{}", columns(&times)));
        }
        let json = json!({
            "verified": verdict.is_some_and(Result::is_ok),
            "signature": { "holds": !looked.fitting.is_empty(), "kids": looked.fitting },
            "verdict": verdict_json(verdict),
            "place": place,
            "advice": advice,
            "header": parts.header.as_ref().map(|text| json_or_text(text)),
            "claims": parts.claims.as_ref().map(|text| json_or_text(text)),
            "times": times.iter().map(|(name, words)| (name.clone(), words.as_str().into())).collect::<serde_json::Map<_, Value>>(),
        });
        Outcome { yes: verdict.is_some_and(Result::is_ok), ..Outcome::yes(text, json) }
    }
}

fn verdict_words(verdict: Option<&Result<VerifiedJwt, Refusal>>) -> String {
    match verdict {
        None => "none: EDGEWARD_KEYS is not here".to_owned(),
        Some(Ok(token)) => {
            format!("let in as {}", visible(&user(token).unwrap_or("nobody in particular".to_owned())))
        }
        Some(Err(refusal)) => format!("refused: {}: {}", refusal.cause.name(), refusal.detail),
    }
}

fn verdict_json(verdict: Option<&Result<VerifiedJwt, Refusal>>) -> Value {
    match verdict {
        None => Value::Null,
        Some(Ok(token)) => json!({ "ok": true, "user": user(token), "kid": token.kid() }),
        Some(Err(refusal)) => {
            json!({ "ok": false, "cause": refusal.cause.name(), "detail": refusal.detail })
        }
    }
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
