//! `edgeward explain`: what would happen to a request that is only described.
//!
//! The verdict is the core's own, slow hash included; nothing is sent anywhere.

pub mod described;
mod forwarded;
mod links;
mod otherwise;
mod presented;
mod report;
mod reserved;
mod shown;

use super::deployment::Deployment;
use super::output::Misuse;
use super::{Which, clock, input, nfc, random};
use clap::Args;
use edgeward::api_key::ApiKeys;
use edgeward::authenticate::{
    About, Answers, Circumstances, Decision, Gate, LedgerQuestion, Outcome, Question, SecondFactorStep,
    Stored, Verdict, authenticate,
};
use edgeward::config::Config;
use edgeward::password::proven::ProvenCache;
use edgeward::password::stored::StoredAccounts;
use edgeward::request::RequestFacts;
use edgeward::revocation::{Kept, Lists};
use edgeward::secret::Secret;
use edgeward::time::UnixTime;
use edgeward::verdict::Cause;

/// The most that one request can need: a password, or the ledger once for each link of a cookie.
const MOST_QUESTIONS: usize = 16;

const AFTER: &str = "\
Field lines are written as for curl: -H 'Name: value'. For credentials, -H @- reads lines from standard input and \
-H @FILE from a file, so that they stay out of the shell's history. No credentials are printed.
A URL that bears a token is as secret as the token: --url - reads it from standard input.
The URL is taken as the Worker gets it: the platform resolves . and .. in a path before that.

The stores are not asked: nothing is taken for revoked, and no link for used. What a click on the page of a link that \
counts its uses would do is told, too; nothing is counted. `edgeward token inspect` and `edgeward url verify` take \
credentials apart.

Exit status: 0 where the request passes or is answered with a success, 1 where it is not.

Examples:
  edgeward explain --url https://staging.acme.example/admin/
  edgeward explain --method POST --url https://acme.example/orders -H 'Origin: https://a.example'
  printf 'Authorization: Bearer %s' \"$TOKEN\" | edgeward explain --url https://acme.example/ -H @-
  pbpaste | edgeward explain --url - --address 203.0.113.9 --country NL
  edgeward explain --url https://acme.example/launch --at 2026-12-01T00:00:00Z";

/// Which rule, which credentials, which verdict and why, for a request that is only described
#[derive(Args)]
#[command(after_help = AFTER)]
pub struct Explain {
    /// The method
    #[arg(long, short = 'X', value_name = "METHOD", default_value = "GET")]
    method: String,

    /// The URL, with scheme and host; - to read it from standard input
    #[arg(long, value_name = "URL")]
    url: String,

    /// The client's address, as CF-Connecting-IP would say it
    #[arg(long, value_name = "ADDRESS")]
    address: Option<std::net::IpAddr>,

    /// The country the client is in: two capital letters
    #[arg(long, value_name = "CODE")]
    country: Option<String>,

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
        let is_argument = self.url != "-";
        let url = Secret::new(if is_argument { self.url.clone() } else { read_url()? });
        let fields = described::fields(&self.headers)?.of(self.address, self.country.as_deref())?;
        let received = RequestFacts::new(&self.method, url.expose(), &fields)
            .map_err(|_| Misuse::new("--url must be absolute, such as https://acme.example/path."))?;
        described::check_method(&self.method)?;
        let mut deployment = Deployment::find(&self.which)?;
        let mut notes = notes(&deployment, &received);
        let none = Config::parse(&edgeward::config::Sources::default(), nfc);
        let gate = Gate::new(std::mem::replace(&mut deployment.config, none));
        if is_argument && shown::bears_token(&gate, &received) {
            notes.push(AS_ARGUMENT.to_owned());
        }
        if gate.config.store || gate.config.ledger {
            notes.push(NOT_ASKED.to_owned());
        }
        let facts = gate.places.set_aside(received);
        let now = clock::at(self.at);
        let decision = decide(&gate, &facts, now, false)?;
        let click = if is_counted(&decision) { Some(decide(&gate, &facts, now, true)?) } else { None };
        let asked =
            report::Asked { gate: &gate, secrets: &deployment.secrets, fields: &fields, facts: &facts, now };
        asked.outcome(decision, click, notes)
    }
}

const AS_ARGUMENT: &str = "note: the URL bears a token, and arguments stay in the shell's history and show in lists of \
                           processes: --url - reads it from standard input.";

const NOT_ASKED: &str = "note: the stores are not asked here: nothing is taken for revoked, no link for used, no password for guessed at too \
     often, and no account is known that is in EDGEWARD_KV alone.";

fn read_url() -> Result<String, Misuse> {
    let text = if input::is_terminal() { input::ask_secret("URL: ")? } else { input::all()? };
    Ok(text.expose().trim().to_owned())
}

/// Whether all that is missing is a click.
fn is_counted(decision: &Decision<'_>) -> bool {
    matches!(&decision.verdict, Verdict::Refused(it) if it.refusal.cause == Cause::TokenNeedsConfirmation)
}

/// Asks the core, runs the slow hash where it asks for one, and answers for the stores, which are not here: nothing was
/// revoked, and no link was used. `clicked`: by a person who says that a use is to be counted.
fn decide<'g>(
    gate: &'g Gate,
    facts: &RequestFacts<'_>,
    now: UnixTime,
    clicked: bool,
) -> Result<Decision<'g>, Misuse> {
    let proven = ProvenCache::new(&Secret::new(random::octets()?));
    let mut revoked = Kept::new();
    revoked.took(Lists::default(), now);
    let no_keys = ApiKeys::default();
    let mut answers = Answers::default();
    let mut accounts = StoredAccounts::new();
    let confirmed = clicked.then_some("");
    let ask = |answers: &Answers, accounts: &StoredAccounts| {
        let store = Stored { revoked: &revoked, api_keys: Some(&no_keys), accounts };
        authenticate(gate, facts, &Circumstances { now, proven: &proven, answers, store, confirmed, nfc })
    };
    for _ in 0..MOST_QUESTIONS {
        match ask(&answers, &accounts) {
            Outcome::Decided(decision) => return Ok(decision),
            Outcome::Needs(Question::Password(question)) => {
                let users = gate.config.verifiers.as_ref().and_then(|verifiers| verifiers.users.as_ref());
                answers.password = Some(users.is_some_and(|users| users.check(&question.user_pass)));
            }
            Outcome::Needs(Question::Ledger(question)) => {
                let answer = nothing_kept(&question).to_owned();
                answers.take(question, Some(answer));
            }
            Outcome::Needs(Question::Account(user)) => {
                // Nothing is nothing that cannot be read.
                let _ = accounts.took(&user, None, now, nfc);
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
        About::Attempt => r#"{"allowed":true,"used":1,"at":null}"#,
        About::Forgotten => "1",
        About::Spent | About::SecondFactor(SecondFactorStep::Spend) => r#"{"ok":true,"used":1,"at":null}"#,
        About::SecondFactor(SecondFactorStep::Attempt) => r#"{"allowed":true,"used":1,"at":null}"#,
        About::SecondFactor(SecondFactorStep::Forget) => "1",
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
            "EDGEWARD_API_KEYS" => "no API key is good here",
            "EDGEWARD_TOTP" => "nobody is known to have a second factor",
            _ => "generated passwords, share links and fresh tokens are not good here",
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
