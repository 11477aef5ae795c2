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
//! | 15 | they do not verify | refused: `credentials-wrong`, `token-…` |
//! | 17 | the account is switched off, or its password ran out | refused |
//! | 19 | the rule wants somebody else, another network or another time | refused, `not-allowed` |
//! | 20 | a scope is missing | refused, `insufficient-scope` |
//! | | none of these | passed |
//!
//! Nothing here waits. A password that was not proven before needs a slow hash: then the outcome is that
//! question, and the caller asks again with the answer ([`Circumstances::password`]).

use crate::config::{Config, Verifiers};
use crate::credentials::{self, Credentials, Places, basic};
use crate::password::Nfc;
use crate::password::UserPass;
use crate::password::htpasswd::Account;
use crate::password::proven::{Proof, ProvenCache};
use crate::path::RequestPath;
use crate::policy::{
    Access, Choice, Cors, CrossSite, Kind, Kinds, Mode, PlainHttp, Policy, Preflight, Rule, TokenPlace,
};
use crate::request::{RequestFacts, Scheme};
use crate::secret::Secret;
use crate::time::UnixTime;
use crate::token::jwt::VerifiedJwt;
use crate::verdict::{Cause, Refusal, Refused};

/// What stands between the requests and the origin: made once for each isolate.
#[derive(Debug)]
pub struct Gate {
    /// The configuration.
    pub config: Config,
    /// Every place in which a token is looked for.
    pub places: Places,
}

impl Gate {
    /// Puts the gate up.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let places = config.policy.as_ref().map_or_else(Places::default, |policy| Places::of(&policy.tokens));
        Self { config, places }
    }
}

/// What the core is told besides the request.
#[derive(Clone, Copy)]
pub struct Circumstances<'a> {
    /// The moment of the request.
    pub now: UnixTime,
    /// Passwords that were proven lately.
    pub proven: &'a ProvenCache,
    /// Whether the password of this very request is right: the answer to [`Outcome::NeedsPassword`].
    pub password: Option<bool>,
    /// Brings text to Normalization Form C.
    pub nfc: Nfc,
}

/// A verdict, or what it needs first.
#[derive(Debug)]
pub enum Outcome<'g> {
    /// It is decided.
    Decided(Decision<'g>),
    /// The slow verification of a password: run [`crate::password::htpasswd::Users::check`], then ask again.
    NeedsPassword(PasswordQuestion),
}

/// A password to verify, and how a right one is remembered.
#[derive(Debug)]
pub struct PasswordQuestion {
    /// What was sent.
    pub user_pass: UserPass,
    /// What is remembered if it is right; `None` for an unknown user.
    pub proof: Option<Proof>,
}

/// A verdict and the rule it rests on.
#[derive(Debug)]
pub struct Decision<'g> {
    /// The rule that decided; `None` where the request did not get as far as one.
    pub rule: Option<&'g Rule>,
    /// What was decided.
    pub verdict: Verdict<'g>,
}

/// What was decided.
#[derive(Debug)]
pub enum Verdict<'g> {
    /// It goes to the origin.
    Pass(Passage<'g>),
    /// It is sent to `https:`.
    ToHttps,
    /// A preflight, answered here.
    Preflight(&'g Cors),
    /// A path of our own, and who asks where that matters.
    Reserved(Option<Authenticated>),
    /// It is not let in.
    Refused(Refused),
}

/// Leave to go to the origin. Only [`authenticate`] gives it, and forwarding takes it away: passing a request on
/// without a check does not compile.
#[derive(Debug)]
pub struct Passage<'g> {
    rule: &'g Rule,
    who: Who,
}

impl<'g> Passage<'g> {
    /// The rule that let it pass.
    #[must_use]
    pub const fn rule(&self) -> &'g Rule {
        self.rule
    }

    /// As whom.
    #[must_use]
    pub const fn who(&self) -> &Who {
        &self.who
    }
}

/// As whom a request passes.
#[derive(Debug)]
pub enum Who {
    /// Anyone: a public rule, or a preflight for the origin. Nothing was verified.
    Anyone,
    /// Somebody who proved who they are.
    Known(Authenticated),
    /// Nobody: a rule in report mode would have refused this.
    Reported(Refused),
}

/// Proof that somebody is who they say. Has no public constructor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticated {
    kind: Kind,
    user: Option<String>,
    groups: Vec<String>,
    scopes: Vec<String>,
    expires: Option<UnixTime>,
    key: Option<String>,
    is_account: bool,
}

impl Authenticated {
    /// By which kind of credentials.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The user-id of an account, or `token:<sub>`; `None` for a token without `sub`.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Groups.
    #[must_use]
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// Scopes of a token; accounts have none.
    #[must_use]
    pub fn scopes(&self) -> &[String] {
        &self.scopes
    }

    /// When the credentials expire, where they do.
    #[must_use]
    pub const fn expires(&self) -> Option<UnixTime> {
        self.expires
    }

    /// The `kid` of the key that verified a token.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// Authentication methods for `amr` (RFC 8176 §2): `pwd` for a password. A token's own methods are not known
    /// to us: `token` says so.
    #[must_use]
    pub const fn methods(&self) -> &'static [&'static str] {
        match self.kind {
            Kind::Basic => &["pwd"],
            Kind::Bearer => &["token"],
        }
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
        return decided(Some(rule), Verdict::Pass(Passage { rule, who: Who::Anyone }));
    }
    match identify(gate, policy, rule, facts, at) {
        Identified::Known(who) => match authorize(rule, &who, facts, at.now) {
            Ok(()) => {
                decided(Some(rule), Verdict::Pass(Passage { rule, who: Who::Known(who.authenticated) }))
            }
            Err(refusal) => refuse_or_report(rule, refusal),
        },
        Identified::Refused(refusal) => refuse_or_report(rule, refusal),
        Identified::NeedsPassword(question) => Outcome::NeedsPassword(question),
    }
}

/// Step 4. Only `whoami` needs to know who asks.
fn reserved<'g>(
    gate: &'g Gate,
    policy: &'g Policy,
    facts: &RequestFacts<'_>,
    at: &Circumstances<'_>,
) -> Outcome<'g> {
    let asks_who = facts.path == "/.edgeward/whoami" && matches!(facts.method, "GET" | "HEAD");
    if !asks_who {
        return decided(None, Verdict::Reserved(None));
    }
    let rule = policy.rules.default_rule();
    match identify(gate, policy, rule, facts, at) {
        Identified::Known(who) => decided(Some(rule), Verdict::Reserved(Some(who.authenticated))),
        Identified::Refused(refusal) => refused(Some(rule), refusal),
        Identified::NeedsPassword(question) => Outcome::NeedsPassword(question),
    }
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
        return decided(Some(rule), Verdict::Pass(Passage { rule, who }));
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
        | Cause::PasswordExpired
        | Cause::NotAllowed
        | Cause::InsufficientScope => true,
        Cause::RequestAmbiguous
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
        | Cause::NotConfigured => false,
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
        Preflight::Origin => Some(Verdict::Pass(Passage { rule, who: Who::Anyone })),
        Preflight::Edge if !public && facts.field("origin").is_some_and(|origin| cors.lists(&origin)) => {
            Some(Verdict::Preflight(cors))
        }
        Preflight::Edge => None,
    }
}

fn is_public(rule: &Rule, facts: &RequestFacts<'_>, now: UnixTime) -> bool {
    rule.access == Access::Public && holds_here_and_now(rule, facts, now).is_ok()
}

/// Whether the rule's networks and times hold; what does not, in words for programs.
fn holds_here_and_now(rule: &Rule, facts: &RequestFacts<'_>, now: UnixTime) -> Result<(), &'static str> {
    if rule.not_before.is_some_and(|from| now < from) {
        return Err("The rule of this path does not let anyone in yet.");
    }
    if rule.not_after.is_some_and(|until| now >= until) {
        return Err("The rule of this path does not let anyone in any more.");
    }
    let inside = || {
        facts.client_address().is_some_and(|address| rule.networks.iter().any(|net| net.contains(&address)))
    };
    if rule.networks.is_empty() || inside() {
        return Ok(());
    }
    Err("The rule of this path does not let this network in.")
}

/// What steps 8 to 17 found.
enum Identified {
    Known(Known),
    Refused(Refusal),
    NeedsPassword(PasswordQuestion),
}

/// Somebody known, and what authorizing needs of the token.
struct Known {
    authenticated: Authenticated,
    token: Option<VerifiedJwt>,
}

impl From<Refusal> for Identified {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Steps 8 to 17: who it is.
fn identify(
    gate: &Gate,
    policy: &Policy,
    rule: &Rule,
    facts: &RequestFacts<'_>,
    at: &Circumstances<'_>,
) -> Identified {
    let Some(verifiers) = &gate.config.verifiers else {
        return not_configured("A secret or binding that the policy needs is missing or wrong.").into();
    };
    let credentials = credentials::extract(facts, &gate.places, rule.accept);
    if credentials.is_ambient() && is_cross_site(policy, rule, facts, &credentials) {
        let detail = "Another site caused this request, and the browser added the credentials by itself.";
        return Refusal::new(Cause::CrossSite, detail).into();
    }
    match credentials {
        Credentials::Ambiguous(it) => {
            Refusal { sent: it.kind, ..Refusal::new(Cause::RequestAmbiguous, it.detail) }.into()
        }
        Credentials::Missing => {
            Refusal::new(Cause::CredentialsMissing, "The request bears no credentials.").into()
        }
        Credentials::Unsupported(kind) => Refusal {
            sent: kind,
            ..Refusal::new(Cause::CredentialsUnsupported, "No credentials of this kind are accepted here.")
        }
        .into(),
        Credentials::Malformed => {
            Refusal::new(Cause::CredentialsMalformed, "The Authorization field names no scheme.").into()
        }
        Credentials::Basic(value) => by_password(verifiers, value.expose(), at),
        Credentials::Token(value, place) => by_token(verifiers, &value, place, at),
    }
}

/// Step 9: whether another site caused a request that could change something or open a WebSocket.
fn is_cross_site(
    policy: &Policy,
    rule: &Rule,
    facts: &RequestFacts<'_>,
    credentials: &Credentials<'_>,
) -> bool {
    if rule.cross_site == CrossSite::Allow {
        return false;
    }
    let upgrade = facts.field("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket"));
    let foreign_upgrade = || match facts.field("origin") {
        Some(origin) => origin != facts.origin() && !policy.websocket_origins.contains(&origin),
        None => !credentials.is_basic(),
    };
    if upgrade && foreign_upgrade() {
        return true;
    }
    if matches!(facts.method, "GET" | "HEAD" | "OPTIONS") {
        return false;
    }
    if let Some(site) = facts.field("sec-fetch-site") {
        return site == "cross-site" && !shares_credentials(policy, facts);
    }
    facts.field("origin").is_some_and(|origin| origin != facts.origin()) && !shares_credentials(policy, facts)
}

/// Whether the request's `Origin` is listed in `cors.origins`, with `cors.credentials`.
fn shares_credentials(policy: &Policy, facts: &RequestFacts<'_>) -> bool {
    let Some(cors) = policy.cors.as_ref().filter(|cors| cors.credentials) else { return false };
    facts.field("origin").is_some_and(|origin| cors.lists(&origin))
}

fn by_password(verifiers: &Verifiers, value: &str, at: &Circumstances<'_>) -> Identified {
    let Some(users) = &verifiers.users else {
        return not_configured("No accounts are configured.").into();
    };
    let user_pass = match basic::parse(value, at.nfc) {
        Ok(user_pass) => user_pass,
        Err(detail) => {
            return Refusal::new(Cause::CredentialsMalformed, detail).sent(Kind::Basic).into();
        }
    };
    let account = users.account(&user_pass.user);
    let proof = account.map(|account| at.proven.proof(&user_pass, account));
    let proven = proof.as_ref().is_some_and(|proof| at.proven.holds(proof, at.now));
    let right = if proven { Some(true) } else { at.password };
    match (right, account) {
        (None, _) => Identified::NeedsPassword(PasswordQuestion { user_pass, proof }),
        (Some(true), Some(account)) => in_good_standing(account, Kind::Basic, at.now)
            .map_or_else(Identified::Refused, |()| Identified::Known(known_account(account))),
        (Some(_), _) => {
            Refusal::new(Cause::CredentialsWrong, "User-id or password is wrong.").sent(Kind::Basic).into()
        }
    }
}

/// Step 17.
fn in_good_standing(account: &Account, kind: Kind, now: UnixTime) -> Result<(), Refusal> {
    if account.suspended() {
        let refusal = Refusal::new(Cause::AccountSuspended, "The account is switched off.").sent(kind);
        return Err(Refusal { user: Some(account.user().to_owned()), ..refusal });
    }
    match account.until() {
        Some(until) if now >= until => {
            let refusal = Refusal::new(Cause::PasswordExpired, format!("The password ran out at {until}."));
            Err(Refusal { user: Some(account.user().to_owned()), ..refusal.sent(kind).at(until) })
        }
        Some(_) | None => Ok(()),
    }
}

fn known_account(account: &Account) -> Known {
    let authenticated = Authenticated {
        kind: Kind::Basic,
        user: Some(account.user().to_owned()),
        groups: account.groups().to_vec(),
        scopes: Vec::new(),
        expires: account.until(),
        key: None,
        is_account: true,
    };
    Known { authenticated, token: None }
}

fn by_token(
    verifiers: &Verifiers,
    value: &Secret<String>,
    place: &TokenPlace,
    at: &Circumstances<'_>,
) -> Identified {
    let Some(jwt) = &verifiers.jwt else {
        return not_configured("No keys of tokens are configured.").into();
    };
    let token = match bearer_value(value.expose(), place) {
        Ok(token) => token,
        Err(refusal) => return refusal.into(),
    };
    match jwt.verify(&token, place, at.now) {
        Ok(token) if token.trust_subject() => trusted_account(verifiers, token, at.now),
        Ok(token) => Identified::Known(known_token(token)),
        Err(refusal) => refusal.into(),
    }
}

/// The token itself, out of the place it was found in.
fn bearer_value<'v>(value: &'v str, place: &TokenPlace) -> Result<std::borrow::Cow<'v, str>, Refusal> {
    let malformed = |cause, detail| Refusal::new(cause, detail).sent(Kind::Bearer);
    match place {
        TokenPlace::Authorization if !credentials::authorization::is_b64token(value) => Err(malformed(
            Cause::CredentialsMalformed,
            "What follows Bearer is not a b64token (RFC 6750 section 2.1).",
        )),
        TokenPlace::Authorization | TokenPlace::Cookie(_) | TokenPlace::Header(_) => Ok(value.into()),
        TokenPlace::Query(_) => credentials::query::decode_value(value).ok_or_else(|| {
            malformed(Cause::TokenMalformed, "The query parameter is not percent-encoded UTF-8.")
        }),
    }
}

/// With `trust_subject`, `sub` is a user-id of ours: the account must exist, and its line's groups and flags hold.
fn trusted_account(verifiers: &Verifiers, token: VerifiedJwt, now: UnixTime) -> Identified {
    let Some(subject) = token.subject() else {
        let detail = "The token has no sub, and its subject is to name an account.";
        return Refusal::new(Cause::TokenMissingClaim, detail).sent(Kind::Bearer).into();
    };
    let account = verifiers.users.as_ref().and_then(|users| users.account(subject));
    let Some(account) = account else {
        let detail = "The token's subject names no account.";
        return Refusal::new(Cause::CredentialsWrong, detail).sent(Kind::Bearer).into();
    };
    if let Err(refusal) = in_good_standing(account, Kind::Bearer, now) {
        return refusal.into();
    }
    let account = known_account(account).authenticated;
    let mut known = known_token(token);
    known.authenticated.user = account.user;
    known.authenticated.groups = account.groups;
    known.authenticated.is_account = true;
    Identified::Known(known)
}

fn known_token(token: VerifiedJwt) -> Known {
    let authenticated = Authenticated {
        kind: Kind::Bearer,
        user: token.subject().map(|subject| format!("token:{subject}")),
        groups: token.groups().to_vec(),
        scopes: token.scopes().map(str::to_owned).collect(),
        expires: token.expires(),
        key: Some(token.kid().to_owned()),
        is_account: false,
    };
    Known { authenticated, token: Some(token) }
}

/// Steps 19 and 20: whether they may.
fn authorize(rule: &Rule, who: &Known, facts: &RequestFacts<'_>, now: UnixTime) -> Result<(), Refusal> {
    let known = &who.authenticated;
    let not_allowed = |detail| Refusal {
        sent: Some(known.kind),
        user: known.user.clone(),
        ..Refusal::new(Cause::NotAllowed, detail)
    };
    holds_here_and_now(rule, facts, now).map_err(not_allowed)?;
    if !is_admitted(rule, who) {
        return Err(not_allowed("The rule of this path is for others."));
    }
    if rule.scopes.iter().all(|scope| known.scopes.contains(scope)) {
        return Ok(());
    }
    let detail = format!("This needs the scope {}.", rule.scopes.join(" "));
    Err(Refusal {
        sent: Some(known.kind),
        user: known.user.clone(),
        scopes: rule.scopes.clone(),
        ..Refusal::new(Cause::InsufficientScope, detail)
    })
}

/// One of `users`, `groups` and `claims` that matches is enough; with none of them, whoever is known.
fn is_admitted(rule: &Rule, who: &Known) -> bool {
    let (admits, known) = (&rule.admits, &who.authenticated);
    let by_user = known.is_account && known.user.as_ref().is_some_and(|user| admits.users.contains(user));
    let by_group = known.groups.iter().any(|group| admits.groups.contains(group));
    let by_claims = !admits.claims.is_empty()
        && who.token.as_ref().is_some_and(|token| token.claims_match(&admits.claims));
    admits.anyone() || by_user || by_group || by_claims
}
