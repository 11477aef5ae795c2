//! Who is it, and may they: one pure function.
//!
//! The first line that applies answers:
//!
//! | | where | verdict |
//! | --- | --- | --- |
//! | 1 | the policy has a problem | refused, `not-configured` |
//! | 1a | TRACE | refused, `method-not-allowed` |
//! | 2 | in clear, not to loopback, not public | to `https:`, or refused, `insecure-transport` |
//! | 3 | the path's readings differ | refused, `request-ambiguous` |
//! | 4 | below `/.edgeward/` | reserved |
//! | 5 | the rule is closed, or none is for the method | refused, `denied` |
//! | 6 | a preflight from a listed origin | answered here, or passed to the origin |
//! | 7 | the rule is public here and now | passed, nobody known |
//! | 8 | a needed secret is wrong | refused, `not-configured` |
//! | 9 | ambient credentials on a request another site caused | refused, `cross-site` |
//! | 10–13 | ambiguous, missing, unsupported, malformed | refused |
//! | 14 | a password that would have to be verified, after too many wrong ones | refused, `too-many-attempts` |
//! | 15 | they do not verify | refused: `credentials-wrong`, `token-…` |
//! | 16 | it was taken back, or used as often as it may be, or asks for a click | refused: `token-revoked`, `token-spent`, `token-needs-confirmation` |
//! | 17 | the account is switched off, or its password ran out | refused |
//! | 18 | a password alone is not enough for this user, or this rule wants a second factor | refused, `second-factor-required` |
//! | 19 | the rule wants somebody else, another network or another time | refused, `not-allowed` |
//! | 20 | a scope is missing | refused, `insufficient-scope` |
//! | | none of these | passed |
//!
//! Nothing here waits. What has to come from outside (a slow hash, the lists of what is revoked, a count) is the outcome
//! ([`Outcome::Needs`]); the caller gets it and asks again with the answer ([`Circumstances::answers`]).

mod ambient;
mod authorize;
mod identify;
mod outcome;
pub mod second_factor;

use crate::api_key::ApiKeys;
use crate::authority;
use crate::config::Config;
use crate::credentials::Places;
use crate::password::Nfc;
use crate::password::proven::ProvenCache;
use crate::password::stored::StoredAccounts;
use crate::path::RequestPath;
use crate::policy::{Access, Choice, Kind, Kinds, Mode, PlainHttp, Policy, Preflight, Rule};
use crate::request::{RequestFacts, Scheme};
use crate::reserved;
use crate::revocation::Kept;
use crate::time::UnixTime;
use crate::token::signed_url::Grant;
use crate::verdict::{Cause, Refusal, Refused};
use authorize::{authorize, holds_here_and_now};
use identify::{Known, identify};

pub use identify::{Halt, counter, in_good_standing, prove_password, session_of, session_shown, stands};

pub use outcome::{
    About, Answers, Authenticated, Decision, Exchange, LedgerAnswer, LedgerQuestion, Outcome, Passage,
    PasswordQuestion, Question, SecondFactorStep, Verdict, Who,
};

/// What stands between the requests and the origin: made once for each isolate.
#[derive(Debug)]
pub struct Gate {
    /// The configuration.
    pub config: Config,
    /// Every place in which a token is looked for.
    pub places: Places,
    /// What a fresh token may be had for: the rule of `POST /.edgeward/token`.
    exchangeable: Rule,
    /// What says how long a session is good, and extends it: the rule of `/.edgeward/session`.
    of_session: Rule,
    /// The same for whoever wants two factors to have been proven.
    of_session_twice: Rule,
}

impl Gate {
    /// Puts the gate up.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let places = config.policy.as_ref().map_or_else(Places::default, Places::of);
        let keys = Kinds::NONE.with(Kind::ApiKey);
        let signs_in = config.policy.as_ref().is_some_and(|policy| policy.session.is_some());
        let exchangeable = if signs_in { keys.with(Kind::Session) } else { keys };
        Self {
            config,
            places,
            exchangeable: Rule::protected(exchangeable),
            of_session: Rule::protected(Kinds::NONE.with(Kind::Session)),
            of_session_twice: Rule {
                second_factor: true,
                ..Rule::protected(Kinds::NONE.with(Kind::Session))
            },
        }
    }
}

/// What the core is told besides the request.
#[derive(Clone, Copy)]
pub struct Circumstances<'a> {
    /// The moment of the request.
    pub now: UnixTime,
    /// Passwords that were proven lately.
    pub proven: &'a ProvenCache,
    /// Answers to what this very request needed: see [`Outcome::Needs`].
    pub answers: &'a Answers,
    /// What was read of `EDGEWARD_KV`.
    pub store: Stored<'a>,
    /// Somebody said that a link which counts its uses is to be used: the mark of the form in which they did. The same
    /// form sent twice, as by a double click, counts once.
    pub confirmed: Option<&'a str>,
    /// Brings text to Normalization Form C.
    pub nfc: Nfc,
}

/// What was read of `EDGEWARD_KV`.
#[derive(Clone, Copy)]
pub struct Stored<'a> {
    /// What is revoked, and how old that knowledge is.
    pub revoked: &'a Kept,
    /// API keys, read together with it; `None` where they cannot be read.
    pub api_keys: Option<&'a ApiKeys>,
    /// Accounts, each read when it was asked about.
    pub accounts: &'a StoredAccounts,
}

impl Stored<'static> {
    /// Nothing: of a gate without that binding, and of the command, which has no store to ask.
    #[must_use]
    pub const fn nothing() -> Self {
        static NOTHING: Kept = Kept::new();
        static NOBODY: StoredAccounts = StoredAccounts::new();
        Self { revoked: &NOTHING, api_keys: None, accounts: &NOBODY }
    }
}

/// Decides one request.
#[must_use]
pub fn authenticate<'g>(gate: &'g Gate, facts: &RequestFacts<'_>, at: &Circumstances<'_>) -> Outcome<'g> {
    let Some(policy) = &gate.config.policy else {
        return refused(None, not_configured("The policy has a problem."));
    };
    if facts.method == "TRACE" {
        return refused(None, Refusal::new(Cause::MethodNotAllowed, "TRACE is not answered here."));
    }
    let path = RequestPath::parse(facts.path);
    let choice = path.as_ref().map(|path| policy.rules.choose(path, &deciding_method(facts), &facts.host()));
    if let Some(verdict) = in_clear(policy, facts, choice.as_ref().ok(), at.now) {
        return decided(None, verdict);
    }
    let rule = match choice {
        Err(error) => return refused(None, Refusal::new(Cause::RequestAmbiguous, error.to_string())),
        Ok(Choice::Ambiguous) => {
            let detail = "The path can be read in more than one way, and different rules hold for them.";
            return refused(None, Refusal::new(Cause::RequestAmbiguous, detail));
        }
        Ok(Choice::ReservedMarked) => {
            return refused(None, Refusal::new(Cause::NotFound, "No such reserved path."));
        }
        Ok(Choice::Reserved) => return reserved(gate, policy, facts, at),
        Ok(Choice::Unlisted(rule)) => {
            return refused(
                Some(rule),
                Refusal::new(Cause::Denied, "No rule of this path is for this method."),
            );
        }
        Ok(Choice::Rule(rule)) => rule,
    };
    decide(gate, policy, rule, facts, at)
}

/// Steps 5 to 20: what a rule says.
fn decide<'g>(
    gate: &'g Gate,
    policy: &'g Policy,
    rule: &'g Rule,
    facts: &RequestFacts<'_>,
    at: &Circumstances<'_>,
) -> Outcome<'g> {
    if rule.access == Access::Denied {
        return refused(Some(rule), Refusal::new(Cause::Denied, "The rule of this path lets nobody in."));
    }
    if let Some(verdict) = preflight(policy, rule, facts) {
        return decided(Some(rule), verdict);
    }
    if is_public(rule, facts, at.now) {
        return decided(Some(rule), Verdict::Pass(Passage::of(rule, Who::Anyone)));
    }
    let known = match identify(gate, policy, rule, facts, at) {
        Ok(known) => known,
        Err(Halt::Refused(refusal)) => return refuse_or_report(rule, refusal),
        Err(Halt::Needs(question)) => return Outcome::Needs(question),
    };
    if let Err(refusal) = authorize(rule, &known, facts, at.now) {
        return refuse_or_report(rule, refusal);
    }
    match identify::count_use(&known, at) {
        Ok(()) => decided(Some(rule), let_in(rule, known, facts, at)),
        Err(Halt::Refused(refusal)) => refused(Some(rule), refusal),
        Err(Halt::Needs(question)) => Outcome::Needs(question),
    }
}

/// A navigation with a good link goes to the clean URL first, where the rule says so, and always where its use was
/// counted.
fn let_in<'g>(rule: &'g Rule, known: Known, facts: &RequestFacts<'_>, at: &Circumstances<'_>) -> Verdict<'g> {
    let Known { authenticated: who, link, session, .. } = known;
    let exchanges = |grant: &Grant| {
        let is_counted = grant.stated().uses.is_some();
        let is_asked = rule.exchange && (facts.is_navigation() || at.confirmed.is_some());
        is_counted || (is_asked && !grant.stated().scope.is_bound_to_cookies())
    };
    match link.filter(exchanges) {
        Some(grant) => Verdict::Exchange(Box::new(Exchange { rule, grant, who })),
        None => {
            let renewal = session.and_then(|session| session.renewed(at.now));
            Verdict::Pass(Passage { renewal, ..Passage::of(rule, Who::Known(who)) })
        }
    }
}

/// Step 4. `whoami` needs to know who asks, and so do `session` and what makes tokens.
fn reserved<'g>(
    gate: &'g Gate,
    policy: &'g Policy,
    facts: &RequestFacts<'_>,
    at: &Circumstances<'_>,
) -> Outcome<'g> {
    let rule = match (facts.path, facts.method) {
        ("/.edgeward/whoami", "GET" | "HEAD") => policy.rules.default_rule(),
        (reserved::SESSION, "POST") if policy.session.is_some() && !reserved::is_own(facts) => {
            let detail = "The request is not from a page of this site.";
            return refused(None, Refusal::new(Cause::CrossSite, detail));
        }
        (reserved::SESSION, "GET" | "HEAD" | "POST") if policy.session.is_some() => &gate.of_session,
        (reserved::TOKEN, "POST") if policy.fresh_tokens.is_some() => &gate.exchangeable,
        (reserved::TOKEN, "OPTIONS") => {
            let preflight = preflight(policy, &gate.exchangeable, facts);
            return decided(None, preflight.unwrap_or(Verdict::Reserved(None)));
        }
        _ => match authority_rule(gate, policy, facts, at.now) {
            Ok(Some(rule)) => rule,
            Ok(None) => return decided(None, Verdict::Reserved(None)),
            Err(refusal) => return refused(Some(&gate.of_session), refusal),
        },
    };
    match identify(gate, policy, rule, facts, at) {
        Ok(who) if facts.method == "POST" && is_foreign(&who, facts) => {
            let detail = "Another site caused this request, and the browser added the session by itself.";
            refused(Some(rule), Refusal::new(Cause::CrossSite, detail).sent(Kind::Session))
        }
        Ok(who) => decided(Some(rule), Verdict::Reserved(Some(who.authenticated))),
        Err(Halt::Refused(refusal)) => refused(Some(rule), refusal),
        Err(Halt::Needs(question)) => Outcome::Needs(question),
    }
}

/// The rule for whoever is to be handed over to another host, or to a Discourse; `None` where nobody is.
fn authority_rule<'g>(
    gate: &'g Gate,
    policy: &Policy,
    facts: &RequestFacts<'_>,
    now: UnixTime,
) -> Result<Option<&'g Rule>, Refusal> {
    let is_read = matches!(facts.method, "GET" | "HEAD");
    let Some(settings) = policy.session.as_ref().filter(|_| is_read) else { return Ok(None) };
    let place = authority::At::of(facts.path, settings, &facts.origin());
    let Some(place) = place.filter(|place| place.needs_somebody()) else { return Ok(None) };
    // Without secrets nothing can be read; identifying says so.
    if gate.config.verifiers.is_none() {
        return Ok(Some(&gate.of_session));
    }
    let asked = authority::Asked::read(place, &gate.config, settings, facts, now)?;
    if asked.signs_out() {
        return Ok(None);
    }
    Ok(Some(if asked.second_factor() { &gate.of_session_twice } else { &gate.of_session }))
}

/// What the browser adds by itself is taken from pages of this very origin only.
fn is_foreign(who: &Known, facts: &RequestFacts<'_>) -> bool {
    who.authenticated.kind == Kind::Session && !reserved::is_own(facts)
}

const fn decided<'g>(rule: Option<&'g Rule>, verdict: Verdict<'g>) -> Outcome<'g> {
    Outcome::Decided(Decision { rule, verdict })
}

fn refused(rule: Option<&Rule>, refusal: Refusal) -> Outcome<'_> {
    let accept = rule.map_or(Kinds::NONE, |rule| rule.accept);
    decided(rule, Verdict::Refused(Refused { refusal, accept }))
}

/// Report mode lets pass the 401s, `not-allowed` and `insufficient-scope` of that very rule; all else stands.
fn refuse_or_report(rule: &Rule, refusal: Refusal) -> Outcome<'_> {
    if rule.mode == Mode::Report && is_reportable(refusal.cause) {
        let who = Who::Reported(Refused { refusal, accept: rule.accept });
        return decided(Some(rule), Verdict::Pass(Passage::of(rule, who)));
    }
    refused(Some(rule), refusal)
}

const fn is_reportable(cause: Cause) -> bool {
    match cause {
        Cause::CredentialsMissing
        | Cause::CredentialsMalformed
        | Cause::CredentialsUnsupported
        | Cause::CredentialsWrong
        | Cause::TokenMalformed
        | Cause::TokenAlgorithm
        | Cause::TokenUnknownKey
        | Cause::TokenBadSignature
        | Cause::TokenExpired
        | Cause::TokenNotYetValid
        | Cause::TokenTooOld
        | Cause::TokenWrongIssuer
        | Cause::TokenWrongAudience
        | Cause::TokenMissingClaim
        | Cause::TokenWrongScope
        | Cause::TokenRevoked
        | Cause::TokenSpent
        | Cause::TokenNeedsConfirmation
        | Cause::SessionInvalid
        | Cause::SessionExpired
        | Cause::SessionIdle
        | Cause::SessionRevoked
        | Cause::SecondFactorRequired
        | Cause::PasswordExpired
        | Cause::NotAllowed
        | Cause::InsufficientScope => true,
        Cause::RequestAmbiguous
        | Cause::TooManyAttempts
        | Cause::Denied
        | Cause::CrossSite
        | Cause::AccountSuspended
        | Cause::InsecureTransport
        | Cause::NotFound
        | Cause::MethodNotAllowed
        | Cause::ContentTooLarge
        | Cause::Internal
        | Cause::OriginUnreachable
        | Cause::OriginTimeout
        | Cause::NotConfigured
        | Cause::CheckUnavailable => false,
    }
}

fn not_configured(detail: &str) -> Refusal {
    Refusal::new(Cause::NotConfigured, detail)
}

/// A preflight is decided as the method it asks for, every other request by its own.
fn deciding_method<'f>(facts: &RequestFacts<'f>) -> std::borrow::Cow<'f, str> {
    asked_method(facts).map_or(facts.method.into(), Into::into)
}

/// The method a preflight asks for (Fetch §3.2.2); `None` where this is none.
fn asked_method(facts: &RequestFacts<'_>) -> Option<String> {
    if facts.method != "OPTIONS" {
        return None;
    }
    facts.field("origin")?;
    facts.field("access-control-request-method")
}

/// Step 2.
fn in_clear<'g>(
    policy: &Policy,
    facts: &RequestFacts<'_>,
    choice: Option<&Choice<'_>>,
    now: UnixTime,
) -> Option<Verdict<'g>> {
    let public = matches!(choice, Some(Choice::Rule(rule)) if is_public(rule, facts, now));
    if facts.scheme == Scheme::Https || policy.http == PlainHttp::Allow || public || facts.is_loopback() {
        return None;
    }
    if policy.http == PlainHttp::Redirect && matches!(facts.method, "GET" | "HEAD") {
        return Some(Verdict::ToHttps);
    }
    let refusal = Refusal::new(Cause::InsecureTransport, "Requests are answered over https only.");
    Some(Verdict::Refused(Refused { refusal, accept: Kinds::NONE }))
}

/// Step 6. A preflight of a public rule falls through to step 7.
fn preflight<'g>(policy: &'g Policy, rule: &'g Rule, facts: &RequestFacts<'_>) -> Option<Verdict<'g>> {
    asked_method(facts)?;
    let cors = policy.cors.as_ref()?;
    let public = rule.access == Access::Public;
    match cors.preflight {
        Preflight::Origin => Some(Verdict::Pass(Passage::of(rule, Who::Anyone))),
        Preflight::Edge if !public && facts.field("origin").is_some_and(|origin| cors.lists(&origin)) => {
            Some(Verdict::Preflight(cors))
        }
        Preflight::Edge => None,
    }
}

fn is_public(rule: &Rule, facts: &RequestFacts<'_>, now: UnixTime) -> bool {
    rule.access == Access::Public && holds_here_and_now(rule, facts, now).is_ok()
}
