//! Raw configuration → [`Policy`] and the keys and accounts that verify credentials.
//!
//! Parsed once for each isolate. Every problem has a key path, what was found, what was expected and the fix;
//! a secret's value never stands in one.

mod brand;
mod cors;
mod forward;
mod hosts;
mod link;
mod links;
mod names;
mod notes;
mod origin;
mod policy;
pub(crate) mod quote;
mod reader;
mod rule;
mod session;
mod suggest;
mod token;
mod totp;
mod url;
mod verifiers;
mod warnings;

use crate::api_key::ApiKeys;
use crate::attempts::AttemptKey;
use crate::authority::AuthorityKeys;
use crate::device::DeviceKeys;
use crate::password::Nfc;
use crate::password::htpasswd::Users;
use crate::policy::Policy;
use crate::secret::Secret;
use crate::session::SessionKeys;
use crate::token::fresh::FreshTokens;
use crate::token::jwt::JwtVerifier;
use crate::token::keys::KeySet;
use crate::token::mac::{MacKey, RootSecret};
use crate::token::signed_url::LinkVerifier;
use crate::totp::TotpSecrets;
use core::fmt;
use notes::Notes;
use std::borrow::Cow;
use verifiers::Secrets;

/// What the environment holds, as text. A secret that is set to nothing is `Some` of an empty text.
#[derive(Debug, Default)]
pub struct Sources {
    /// `EDGEWARD`: the policy as JSON text; `None` where the variable is not there.
    pub policy: Option<String>,
    /// `EDGEWARD_SECRET`.
    pub secret: Option<Secret<String>>,
    /// `EDGEWARD_KEYS`.
    pub keys: Option<Secret<String>>,
    /// `EDGEWARD_USERS`, `EDGEWARD_USERS_2` … `_9`: those that are there, by their names.
    pub users: Vec<(String, Secret<String>)>,
    /// `EDGEWARD_API_KEYS`.
    pub api_keys: Option<Secret<String>>,
    /// `EDGEWARD_TOTP`.
    pub totp: Option<Secret<String>>,
    /// `EDGEWARD_ORIGIN_AUTHORIZATION`.
    pub origin_authorization: Option<Secret<String>>,
    /// Whether the `ASSETS` binding is there.
    pub assets: bool,
    /// Whether `EDGEWARD_KV` is there.
    pub store: bool,
    /// Whether `EDGEWARD_LEDGER` is there.
    pub ledger: bool,
}

/// A configuration that can be acted on: perhaps only to say that it is not complete.
#[derive(Debug)]
pub struct Config {
    /// The policy; `None` where it has a problem: then nothing is public.
    pub policy: Option<Policy>,
    /// What verifies credentials; `None` where a needed secret is wrong: then only what is public passes.
    pub verifiers: Option<Verifiers>,
    /// `EDGEWARD_SECRET`: the keys of all that Edgeward itself signs; `None` where it is wrong.
    pub root: Option<RootSecret>,
    /// `EDGEWARD_ORIGIN_AUTHORIZATION`: what the origin gets as its own `Authorization`.
    pub origin_authorization: Option<Secret<String>>,
    /// Whether `EDGEWARD_KV` is there: then it is asked what was revoked.
    pub store: bool,
    /// Whether `EDGEWARD_LEDGER` is there.
    pub ledger: bool,
    /// Everything that is wrong: with the policy first, then with the secrets and bindings that it needs.
    pub problems: Vec<Problem>,
    /// What works but deserves a second look: `edgeward check` tells them.
    pub warnings: Vec<Problem>,
}

impl Config {
    /// Reads everything, and gathers every problem. Total: whatever the texts are, there is a configuration.
    ///
    /// Without a `policy` every value has its default, so that all is protected. What makes the policy unusable
    /// and what only makes the verifiers so is told apart as the contract's "Fail closed" does: a wrong policy
    /// opens nothing; a wrong or missing secret leaves open what is public.
    #[must_use]
    pub fn parse(sources: &Sources, nfc: Nfc) -> Self {
        let notes = Notes::default();
        let secrets = Secrets::read(sources, nfc, &notes);
        let configured = secrets.configured(sources);
        let policy = policy::policy(sources, &configured, nfc, &notes);
        configured.check_some(&notes);
        let origin_authorization = verifiers::origin_authorization(sources, &notes);
        let (root, verifiers) = secrets.verifiers(policy.as_ref(), &notes);
        let Notes { problems, missing, warnings } = notes;
        let policy = policy.filter(|_| problems.is_empty());
        let verifiers = verifiers.filter(|_| problems.is_empty() && missing.is_empty() && root.is_some());
        let problems = [problems.into_list(), missing.into_list()].concat();
        let warnings = warnings.into_list();
        let Sources { store, ledger, .. } = *sources;
        Self { policy, verifiers, root, origin_authorization, store, ledger, problems, warnings }
    }
}

/// Keys and accounts.
#[derive(Debug)]
pub struct Verifiers {
    /// `EDGEWARD_KEYS`, where it is there.
    pub keys: Option<KeySet>,
    /// `EDGEWARD_USERS…`, where it is there; where accounts can be in `EDGEWARD_KV` alone, none, but what verifies those.
    pub users: Option<Users>,
    /// What the ledger knows user-ids by.
    pub attempts: Option<AttemptKey>,
    /// What reads and writes the cookie of known browsers.
    pub devices: DeviceKeys,
    /// What reads JWTs as the policy's `tokens` say, where there are keys.
    pub jwt: Option<JwtVerifier>,
    /// What reads signed URLs as the policy's `tokens` say.
    pub links: LinkVerifier,
    /// What reads and writes the cookie that stands for signed URLs.
    pub jar: Vec<MacKey>,
    /// `EDGEWARD_API_KEYS`, where it is there.
    pub api_keys: Option<ApiKeys>,
    /// What makes and reads tokens of `POST /.edgeward/token`, where that is offered.
    pub fresh: Option<FreshTokens>,
    /// What seals and opens sessions, where people can sign in.
    pub session: Option<SessionKeys>,
    /// `EDGEWARD_TOTP`: the second factors of those who have one.
    pub totp: Option<TotpSecrets>,
    /// What seals who is handed from host to host, where people can sign in.
    pub authority: Option<AuthorityKeys>,
}

/// One thing that is wrong: where, what was found, what was expected, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Key path: `EDGEWARD.rules[2].path`, `EDGEWARD_USERS line 3`.
    pub at: String,
    /// What was found there; never a secret's value.
    pub found: String,
    /// What was expected.
    pub expected: String,
    /// What to do about it.
    pub fix: String,
}

impl Problem {
    /// Puts the four parts together.
    pub fn new<'a>(
        at: impl Into<Cow<'a, str>>,
        found: impl Into<Cow<'a, str>>,
        expected: impl Into<Cow<'a, str>>,
        fix: impl Into<Cow<'a, str>>,
    ) -> Self {
        Self::of([at.into(), found.into(), expected.into(), fix.into()])
    }

    /// The same, compiled once.
    #[inline(never)]
    fn of(parts: [Cow<'_, str>; 4]) -> Self {
        let [at, found, expected, fix] = parts.map(Cow::into_owned);
        Self { at, found, expected, fix }
    }
}

/// A sentence: `EDGEWARD.leeway: found 900, expected whole seconds from 0 to 300. Set it to 30.`
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: found {}, expected {}. {}", self.at, self.found, self.expected, self.fix)
    }
}
