//! The secrets: read one by one, asked what they make possible, and put together once the policy is known.

use super::notes::Notes;
use super::{Problem, Sources, Verifiers};
use crate::password::Nfc;
use crate::password::htpasswd::Users;
use crate::password::phc::GENERATED_PURPOSE;
use crate::policy::{HmacAlgorithm, Kind, Kinds, Policy};
use crate::secret::Secret;
use crate::token::jwt::JwtVerifier;
use crate::token::keys::KeySet;
use crate::token::mac::RootSecret;

/// What was read of the secrets; `None` for what is not there, or is wrong (then `notes.missing` says so).
pub struct Secrets {
    root: Option<RootSecret>,
    keys: Option<KeySet>,
    users: Option<Users>,
}

/// What the secrets make possible.
pub struct Configured {
    /// Kinds whose secret is there, be it right or wrong.
    pub kinds: Kinds,
    /// Ids and algorithms of the keys, where the set can be read.
    keys: Option<Vec<(String, HmacAlgorithm)>>,
}

impl Secrets {
    /// Reads all that are there. A secret that is set, even to nothing, is needed, and must be right.
    pub fn read(sources: &Sources, nfc: Nfc, notes: &Notes) -> Self {
        let root = noted(RootSecret::parse(text(sources.secret.as_ref())), notes);
        let keys = sources.keys.as_ref().and_then(|keys| noted(KeySet::parse(keys.expose()), notes));
        let users = (!sources.users.is_empty())
            .then(|| Users::parse(&sources.users, &password_keys(root.as_ref()), nfc))
            .and_then(|users| noted(users, notes));
        notes.warnings.extend(keys.iter().flat_map(KeySet::warnings).cloned());
        notes.warnings.extend(users.iter().flat_map(Users::warnings).cloned());
        Self { root, keys, users }
    }

    /// Which kinds there are. None at all is a problem of its own: nobody could prove who they are.
    pub fn configured(&self, sources: &Sources, notes: &Notes) -> Configured {
        let there = [(Kind::Basic, !sources.users.is_empty()), (Kind::Bearer, sources.keys.is_some())];
        let kinds: Kinds =
            there.into_iter().filter(|(_, is_there)| *is_there).map(|(kind, _)| kind).collect();
        if kinds.is_empty() {
            let expected = "one of them at least, as otherwise nobody can prove who they are";
            let fix = "Set one with `wrangler secret put`: accounts as EDGEWARD_USERS, keys of tokens as EDGEWARD_KEYS.";
            notes.missing.push(Problem::new("EDGEWARD_USERS, EDGEWARD_KEYS", "neither", expected, fix));
        }
        let pairs = |keys: &KeySet| keys.iter().map(|key| (key.kid().to_string(), key.algorithm())).collect();
        Configured { kinds, keys: self.keys.as_ref().map(pairs) }
    }

    /// The secret itself, which signs on public rules even where other secrets are wrong, and what verifies
    /// credentials under this policy; `None` without one.
    pub fn verifiers(
        self,
        policy: Option<&Policy>,
        notes: &Notes,
    ) -> (Option<RootSecret>, Option<Verifiers>) {
        let Self { root, keys, users } = self;
        // What is wrong with the entries by themselves was told before; this would say it again in other words.
        let is_told = notes.problems.has_below("EDGEWARD.tokens");
        let verifiers = policy.map(|policy| {
            let keys_to_try = keys.as_ref().filter(|_| !is_told);
            let jwt = keys_to_try
                .and_then(|keys| noted(JwtVerifier::new(&policy.tokens, keys, policy.leeway), notes));
            Verifiers { keys, users, jwt }
        });
        (root, verifiers)
    }
}

/// What the origin gets as its own `Authorization`: anything that a field value may hold (RFC 9110 §5.5).
pub fn origin_authorization(sources: &Sources, notes: &Notes) -> Option<Secret<String>> {
    let secret = sources.origin_authorization.as_ref()?;
    let value = secret.expose().trim();
    let fits = |b: u8| b == b' ' || b.is_ascii_graphic();
    if !value.is_empty() && value.bytes().all(fits) {
        return Some(Secret::new(value.to_owned()));
    }
    let found = if value.is_empty() { "nothing" } else { "characters that no field value may hold" };
    let expected = "what the origin expects as its Authorization, such as a scheme, a space and credentials";
    let fix = "Set it with `wrangler secret put EDGEWARD_ORIGIN_AUTHORIZATION`, or delete the secret.";
    notes.missing.push(Problem::new("EDGEWARD_ORIGIN_AUTHORIZATION", found, expected, fix));
    None
}

impl Configured {
    /// Records that the policy needs the secret of a kind, where that is not there. Once for each secret.
    pub fn need(&self, kind: Kind, reason: String, notes: &Notes) {
        let (name, what) = match kind {
            Kind::Basic => ("EDGEWARD_USERS", "htpasswd lines"),
            Kind::Bearer => ("EDGEWARD_KEYS", "a JWK Set"),
            Kind::ApiKey => ("EDGEWARD_API_KEYS", "lines of API keys"),
            Kind::SignedUrl => ("EDGEWARD_KEYS", "a JWK Set"),
        };
        if !self.kinds.has(kind) && !notes.missing.has(name) {
            let fix = format!("Set it with `wrangler secret put {name}`.");
            notes.missing.push(Problem::new(name, "nothing", format!("{what}, as {reason}"), fix));
        }
    }

    /// The algorithms for JWTs of the keys with these ids, or of all; each once.
    pub fn algorithms(&self, kids: Option<&[String]>) -> Vec<HmacAlgorithm> {
        let mut algorithms = Vec::new();
        for (kid, algorithm) in self.keys.iter().flatten() {
            let is_named = kids.is_none_or(|kids| kids.contains(kid));
            if is_named && *algorithm != HmacAlgorithm::Hs1 && !algorithms.contains(algorithm) {
                algorithms.push(*algorithm);
            }
        }
        algorithms
    }
}

/// The value, or its problems noted.
fn noted<T>(read: Result<T, Vec<Problem>>, notes: &Notes) -> Option<T> {
    read.map_err(|problems| notes.missing.extend(problems)).ok()
}

/// A secret that is not there reads like one that is empty: both have the same problem and the same fix.
fn text(secret: Option<&Secret<String>>) -> &str {
    secret.map_or("", |secret| secret.expose())
}

/// The keys of generated passwords; none where there is no secret to derive them from.
fn password_keys(root: Option<&RootSecret>) -> Vec<Secret<Vec<u8>>> {
    let derived = root.map(|root| root.derive(&[GENERATED_PURPOSE.as_bytes()])).unwrap_or_default();
    derived.iter().map(|key| Secret::new(key.expose().to_vec())).collect()
}
