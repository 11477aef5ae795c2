//! The secrets: read one by one, asked what they make possible, and put together once the policy is known.

use super::notes::Notes;
use super::{Problem, Sources, Verifiers};
use crate::password::Nfc;
use crate::password::htpasswd::Users;
use crate::password::phc::GENERATED_PURPOSE;
use crate::policy::{HmacAlgorithm, Kind, Kinds, Policy, TokenEntry};
use crate::secret::Secret;
use crate::token::jws::is_for_jwt;
use crate::token::jwt::JwtVerifier;
use crate::token::keys::{Key, KeySet};
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
            if let Some(keys) = keys_to_try {
                check_sizes(keys, &policy.tokens, &[], notes);
            }
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

/// The keys that an entry uses (`None`: all), and the fewest octets that it is content with.
type Demand<'p> = (Option<&'p [String]>, usize);

/// Judges the length of each key by what it is used for; `foreign` are the entries of signed-URL formats of others.
fn check_sizes(keys: &KeySet, jwt: &[TokenEntry], foreign: &[Demand<'_>], notes: &Notes) {
    let problems = keys.check_sizes(&|key| demanded(key, jwt, foreign));
    if problems.is_empty() {
        notes.warnings.extend(keys.short_keys());
    }
    notes.missing.extend(problems);
}

/// The fewest octets that the entries which use the key are content with. One that a JWT may be signed with, or that no
/// entry uses, is judged as for a JWT.
fn demanded(key: &Key, jwt: &[TokenEntry], foreign: &[Demand<'_>]) -> usize {
    let uses = |kids: Option<&[String]>| kids.is_none_or(|kids| kids.iter().any(|kid| **kid == **key.kid()));
    let signs_jwts = is_for_jwt(&key.algorithm()) && jwt.iter().any(|entry| uses(entry.keys.as_deref()));
    let foreign = foreign.iter().filter(|(kids, _)| uses(*kids)).map(|(_, least)| *least).max();
    foreign.filter(|_| !signs_jwts).unwrap_or_else(|| key.least_size())
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

#[cfg(test)]
mod tests {
    use super::*;

    /// "b" and "d" are too short for a JWT, "d" and "s" for signed URLs too.
    fn keys() -> KeySet {
        let sized = [("a", "HS256", 32), ("b", "HS256", 16), ("d", "HS256", 3), ("s", "HS1", 15)];
        let jwk = |(kid, alg, size): (&str, &str, usize)| {
            // "aaaa…" itself is a published key.
            let octets: Vec<u8> = kid.repeat(size).bytes().map(|octet| octet ^ 0x80).collect();
            let k = crate::token::to_base64url(&octets);
            format!(r#"{{"kty":"oct","kid":"{kid}","alg":"{alg}","k":"{k}"}}"#)
        };
        KeySet::parse(&format!(r#"{{"keys":[{}]}}"#, sized.map(jwk).join(","))).expect("any size is read")
    }

    fn jwt(kids: Option<&[&str]>) -> TokenEntry {
        TokenEntry {
            index: None,
            keys: kids.map(|kids| kids.iter().map(ToString::to_string).collect()),
            algorithms: Vec::new(),
            issuer: Vec::new(),
            audience: Vec::new(),
            require: Vec::new(),
            max_age: None,
            from: Vec::new(),
            trust_subject: false,
        }
    }

    /// The places and sizes in the problems, and the places in the warnings.
    fn judged(jwt: &[TokenEntry], foreign: &[(Option<&[&str]>, usize)]) -> (Vec<String>, Vec<String>) {
        let foreign: Vec<(Option<Vec<String>>, usize)> = foreign
            .iter()
            .map(|(kids, least)| (kids.map(|kids| kids.iter().map(ToString::to_string).collect()), *least))
            .collect();
        let demands: Vec<Demand<'_>> =
            foreign.iter().map(|(kids, least)| (kids.as_deref(), *least)).collect();
        let notes = Notes::default();
        check_sizes(&keys(), jwt, &demands, &notes);
        let said = |problem: &Problem| {
            let (at, least) = (problem.at.trim_start_matches("EDGEWARD_KEYS "), &problem.expected);
            format!("{at} {}", least.split(' ').next().unwrap_or_default())
        };
        let list = |problems: Vec<Problem>| problems.iter().map(said).collect();
        (list(notes.missing.into_list()), list(notes.warnings.into_list()))
    }

    #[test]
    fn a_key_is_as_long_as_its_strictest_use_demands() {
        let (b, d, s) = ("keys[1].k 32", "keys[2].k 32", "keys[3].k 16");
        let problems = |jwt: &[TokenEntry], foreign: &[(Option<&[&str]>, usize)]| judged(jwt, foreign).0;
        // What no entry uses is judged as for a JWT.
        assert_eq!(problems(&[], &[]), [b, d, s]);
        assert_eq!(problems(&[jwt(None)], &[]), [b, d, s]);
        assert_eq!(problems(&[jwt(Some(&["a"]))], &[(Some(&["b"]), 16)]), [d, s]);
        assert_eq!(problems(&[], &[(Some(&["b", "d", "s"]), 16)]), ["keys[2].k 16", s]);
        assert_eq!(problems(&[], &[(Some(&["b"]), 16), (Some(&["d", "s"]), 1)]), [""; 0]);
        assert_eq!(problems(&[], &[(None, 16)]), ["keys[2].k 16", s]);
        assert_eq!(problems(&[], &[(None, 1)]), [""; 0]);
        // Two that use one key, in whichever order.
        assert_eq!(problems(&[], &[(None, 1), (Some(&["d"]), 16)]), ["keys[2].k 16"]);
        assert_eq!(problems(&[], &[(Some(&["d"]), 16), (None, 1)]), ["keys[2].k 16"]);
        assert_eq!(problems(&[jwt(Some(&["d"]))], &[(None, 1)]), [d]);
        // No JWT is signed with a key for SHA-1.
        assert_eq!(problems(&[jwt(None)], &[(Some(&["b", "d", "s"]), 1)]), [b, d]);
        assert_eq!(problems(&[jwt(Some(&["none"]))], &[(Some(&["none"]), 1)]), [b, d, s]);
    }

    #[test]
    fn weak_keys_are_warned_of_where_they_are_allowed() {
        let (problems, warnings) = judged(&[jwt(Some(&["a"]))], &[(Some(&["b", "d", "s"]), 1)]);
        assert!(problems.is_empty());
        assert_eq!(warnings, ["keys[2].k 16", "keys[3].k 16"]);
        assert!(judged(&[], &[]).1.is_empty(), "a problem is not told twice");
    }
}
