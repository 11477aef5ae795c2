//! `edgeward explain`: what would happen to a request that is only described.
//!
//! The verdict is the core's own, slow hash included; nothing is sent anywhere.

pub mod described;
mod forwarded;
mod report;

use super::deployment::Deployment;
use super::output::Misuse;
use super::{Which, clock, nfc, random};
use clap::Args;
use edgeward::authenticate::{
    About, Answers, Circumstances, Decision, Gate, LedgerQuestion, Outcome, Question, Stored, authenticate,
};
use edgeward::config::Config;
use edgeward::password::proven::ProvenCache;
use edgeward::request::RequestFacts;
use edgeward::revocation::{Kept, Lists};
use edgeward::secret::Secret;
use edgeward::time::UnixTime;

/// The most that one request can need: a password, or the ledger once for each link of a cookie.
const MOST_QUESTIONS: usize = 16;

const AFTER: &str = "\
Field lines are written as for curl: -H 'Name: value'. For credentials, -H @- reads lines from standard input and \
-H @FILE from a file, so that they stay out of the shell's history. No credentials are printed.
The URL is taken as the Worker gets it: the platform resolves . and .. in a path before that.

Exit status: 0 where the request passes or is answered with a success, 1 where it is not.

Examples:
  edgeward explain --url https://staging.acme.example/admin/
  edgeward explain --method POST --url https://acme.example/orders -H 'Origin: https://a.example'
  printf 'Authorization: Bearer %s' \"$TOKEN\" | edgeward explain --url https://acme.example/ -H @-
  edgeward explain --url https://acme.example/launch --at 2026-12-01T00:00:00Z";

/// Which rule, which credentials, which verdict and why, for a request that is only described
#[derive(Args)]
#[command(after_help = AFTER)]
pub struct Explain {
    /// The method
    #[arg(long, short = 'X', value_name = "METHOD", default_value = "GET")]
    method: String,

    /// The URL, with scheme and host
    #[arg(long, value_name = "URL")]
    url: String,

    /// A field line; @- for lines of standard input, @FILE for lines of a file
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    headers: Vec<String>,

    /// The moment of the request [default: now]
    #[arg(long, value_name = "RFC3339", value_parser = clock::moment)]
    at: Option<UnixTime>,

    #[command(flatten)]
    which: Which,
}

impl Explain {
    /// Decides it.
    pub fn run(self) -> super::Result {
        let fields = described::fields(&self.headers)?;
        let facts = RequestFacts::new(&self.method, &self.url, &fields)
            .map_err(|_| Misuse::new("--url must be absolute, such as https://acme.example/path."))?;
        described::check_method(&self.method)?;
        let mut deployment = Deployment::find(&self.which)?;
        let notes = notes(&deployment, &facts);
        let config = std::mem::replace(
            &mut deployment.config,
            Config::parse(&edgeward::config::Sources::default(), nfc),
        );
        let gate = Gate::new(config);
        let facts = gate.places.set_aside(facts);
        let now = clock::at(self.at);
        let decision = decide(&gate, &facts, now)?;
        report::outcome(&gate, &fields, &facts, decision, now, notes)
    }
}

/// Asks the core, runs the slow hash where it asks for one, and answers for the stores, which are not here: nothing was
/// revoked, and no link was used.
fn decide<'g>(gate: &'g Gate, facts: &RequestFacts<'_>, now: UnixTime) -> Result<Decision<'g>, Misuse> {
    let proven = ProvenCache::new(&Secret::new(random::octets()?));
    let mut revoked = Kept::new();
    revoked.took(Lists::default(), now);
    let mut answers = Answers::default();
    let store = Stored { revoked: &revoked, api_keys: None };
    let ask = |answers: &Answers| {
        authenticate(
            gate,
            facts,
            &Circumstances { now, proven: &proven, answers, store, confirmed: None, nfc },
        )
    };
    for _ in 0..MOST_QUESTIONS {
        match ask(&answers) {
            Outcome::Decided(decision) => return Ok(decision),
            Outcome::Needs(Question::Password(question)) => {
                let users = gate.config.verifiers.as_ref().and_then(|verifiers| verifiers.users.as_ref());
                answers.password = Some(users.is_some_and(|users| users.check(&question.user_pass)));
            }
            Outcome::Needs(Question::Ledger(question)) => {
                let answer = nothing_kept(&question).to_owned();
                answers.take(question, Some(answer));
            }
            Outcome::Needs(Question::Store) => break,
        }
    }
    Err(Misuse::new("The verdict did not settle: this is a defect of Edgeward."))
}

/// What a ledger says that keeps nothing.
fn nothing_kept(question: &LedgerQuestion) -> &'static str {
    match question.about {
        About::Revoked => r#"{"marked":[],"before":null}"#,
        About::Used => r#"{"used":0,"at":null}"#,
        About::Spent => r#"{"ok":true,"used":1,"at":null}"#,
    }
}

/// What to know about the answer.
fn notes(deployment: &Deployment, facts: &RequestFacts<'_>) -> Vec<String> {
    let mut notes: Vec<String> = deployment.problems().map(|problem| format!("problem: {problem}")).collect();
    if deployment.wrangler.is_none() {
        notes.push(
            "note: there is no wrangler.toml here: this is a policy of nothing but defaults.".to_owned(),
        );
    }
    for stand_in in &deployment.stand_ins {
        let what = match stand_in.name {
            "EDGEWARD_KEYS" => "no token is good here",
            "EDGEWARD_USERS" => "no password is good here",
            _ => "generated passwords are not good here",
        };
        notes.push(format!("note: {} is not here, and is taken to be right: {what}.", stand_in.name));
    }
    let bears_dots =
        facts.path.split('/').any(|segment| matches!(segment, "." | "..")) || facts.path.contains('\\');
    if bears_dots {
        notes.push("note: browsers and the platform resolve . and .. and write \\ as / before the Worker sees a path.".to_owned());
    }
    notes
}
