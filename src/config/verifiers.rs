//! The secrets: read one by one, asked what they make possible, and put together once the policy is known.

use super::hosts;
use super::links;
use super::notes::Notes;
use super::reader::Node;
use super::token::Entries;
use super::totp;
use super::{Problem, Sources, Verifiers};
use crate::api_key::ApiKeys;
use crate::attempts::AttemptKey;
use crate::authority::AuthorityKeys;
use crate::device::DeviceKeys;
use crate::password::Nfc;
use crate::password::htpasswd::Users;
use crate::password::phc::GENERATED_PURPOSE;
use crate::policy::{ApiKeySettings, HmacAlgorithm, Kind, Kinds, Policy, TokenEntry};
use crate::secret::Secret;
use crate::session::SessionKeys;
use crate::token::fresh::FreshTokens;
use crate::token::jws::is_for_jwt;
use crate::token::jwt::JwtVerifier;
use crate::token::keys::{Key, KeySet};
use crate::token::mac::RootSecret;
use crate::token::signed_url::grants;
use crate::totp::TotpSecrets;
use core::cell::Cell;

/// What was read of the secrets; `None` for what is not there, or is wrong (then `notes.missing` says so).
pub struct Secrets {
    root: Option<RootSecret>,
    keys: Option<KeySet>,
    users: Option<Users>,
    api_keys: Option<ApiKeys>,
    totp: Option<TotpSecrets>,
}

/// What the secrets make possible, and, once its entries are read, the policy.
pub struct Configured {
    /// Kinds that rules accept unless they say otherwise.
    kinds: Cell<Kinds>,
    /// Whether the entries were read: before that, nobody knows which kind a key is for.
    is_known: Cell<bool>,
    /// Secrets and bindings that are there, be they right or wrong.
    there: There,
    /// Ids and algorithms of the keys, where the set can be read.
    keys: Option<Vec<(String, HmacAlgorithm)>>,
}

/// Secrets and bindings that are there.
struct There {
    users: bool,
    keys: bool,
    api_keys: bool,
    totp: bool,
    store: bool,
    ledger: bool,
}

impl Secrets {
    /// Reads all that are there. A secret that is set, even to nothing, is needed, and must be right.
    pub fn read(sources: &Sources, nfc: Nfc, notes: &Notes) -> Self {
        let root = noted(RootSecret::parse(text(sources.secret.as_ref())), notes);
        let keys = sources.keys.as_ref().and_then(|keys| noted(KeySet::parse(keys.expose()), notes));
        let users = noted(users(sources, root.as_ref(), nfc), notes).flatten();
        notes.warnings.extend(keys.iter().flat_map(KeySet::warnings).cloned());
        notes.warnings.extend(users.iter().flat_map(Users::warnings).cloned());
        let api_keys = sources.api_keys.as_ref();
        let api_keys = api_keys.and_then(|it| noted(ApiKeys::parse(it.expose(), "EDGEWARD_API_KEYS"), notes));
        let totp = totp::read(sources, root.as_ref(), nfc, notes);
        Self { root, keys, users, api_keys, totp }
    }

    /// Which kinds the secrets by themselves make possible.
    pub fn configured(&self, sources: &Sources) -> Configured {
        let there = There {
            users: !sources.users.is_empty(),
            keys: sources.keys.is_some(),
            api_keys: sources.api_keys.is_some(),
            totp: sources.totp.is_some(),
            store: sources.store,
            ledger: sources.ledger,
        };
        let kinds = there.kinds(there.keys, false);
        let pairs = |keys: &KeySet| keys.iter().map(|key| (key.kid().to_string(), key.algorithm())).collect();
        let keys = self.keys.as_ref().map(pairs);
        Configured { kinds: Cell::new(kinds), is_known: Cell::new(false), there, keys }
    }

    /// The secret itself, which signs on public rules even where other secrets are wrong, and what verifies
    /// credentials under this policy; `None` without one.
    pub fn verifiers(
        self,
        policy: Option<&Policy>,
        notes: &Notes,
    ) -> (Option<RootSecret>, Option<Verifiers>) {
        let Self { root, keys, users, api_keys, totp } = self;
        // What is wrong with the entries by themselves was told before; this would say it again in other words.
        let is_told = notes.problems.has_below("EDGEWARD.tokens");
        let verifiers = policy.map(|policy| {
            let keys_to_try = keys.as_ref().filter(|_| !is_told);
            if let Some(keys) = keys_to_try {
                let mut demands = links::demands(&policy.links);
                demands.extend(hosts::demands(policy.session.as_ref()));
                check_sizes(keys, &policy.tokens, &demands, notes);
            }
            let jwt = keys_to_try
                .filter(|_| !policy.tokens.is_empty())
                .and_then(|keys| noted(JwtVerifier::new(&policy.tokens, keys, policy.leeway), notes));
            let links = links::verifier(policy, keys_to_try, root.as_ref(), notes);
            let fresh = policy.fresh_tokens.zip(root.as_ref());
            let fresh = fresh.and_then(|(settings, root)| FreshTokens::new(root, settings.lifetime));
            let session = policy.session.as_ref().and(root.as_ref()).map(SessionKeys::new);
            hosts::check_keys(policy.session.as_ref(), keys.as_ref(), notes);
            let authority = policy.session.as_ref().and(root.as_ref()).map(AuthorityKeys::new);
            let jar = root.as_ref().map(grants::keys).unwrap_or_default();
            let attempts = root.as_ref().and_then(AttemptKey::new);
            let devices = root.as_ref().map(DeviceKeys::new).unwrap_or_default();
            Verifiers {
                keys,
                users,
                attempts,
                devices,
                jwt,
                links,
                jar,
                api_keys,
                fresh,
                session,
                totp,
                authority,
            }
        });
        (root, verifiers)
    }
}

fn users(sources: &Sources, root: Option<&RootSecret>, nfc: Nfc) -> Result<Option<Users>, Vec<Problem>> {
    let keys = password_keys(root);
    if !sources.users.is_empty() {
        return Users::parse(&sources.users, &keys, nfc).map(Some);
    }
    Ok(sources.store.then(|| Users::none(&keys)))
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
    /// The kinds that rules accept unless they say otherwise.
    pub const fn kinds(&self) -> Kinds {
        self.kinds.get()
    }

    /// Takes note of what the policy makes of the secrets: keys are for JWTs, for signed URLs or for both.
    pub fn know(&self, entries: &Entries, api_key: Option<&ApiKeySettings>, fresh: bool) {
        let bearer = !entries.tokens.is_empty() || fresh;
        let stored_keys = self.there.store && api_key.is_some_and(|settings| settings.in_store);
        let mut kinds = self.there.kinds(bearer, stored_keys);
        if !entries.links.is_empty() {
            kinds = kinds.with(Kind::SignedUrl);
        }
        self.kinds.set(kinds);
        self.is_known.set(true);
    }

    /// Takes note of whether people can sign in: the table says so.
    pub fn know_session(&self, is_there: bool) {
        if is_there {
            self.kinds.set(self.kinds().with(Kind::Session));
        }
    }

    /// Whether there are accounts, be they right or wrong.
    pub const fn has_accounts(&self) -> bool {
        self.there.accounts()
    }

    /// Records that the policy needs accounts, where there are none.
    pub fn need_accounts(&self, reason: &str, notes: &Notes) {
        if !self.there.accounts() {
            need_secret("EDGEWARD_USERS", "htpasswd lines", reason, notes);
        }
    }

    /// None at all is a problem of its own: nobody could prove who they are.
    pub fn check_some(&self, notes: &Notes) {
        if self.kinds().is_empty() && !notes.missing.has("EDGEWARD_KEYS") {
            let expected = "one of them at least, as otherwise nobody can prove who they are";
            let fix = "Set one with `wrangler secret put`: accounts as EDGEWARD_USERS, keys of tokens as EDGEWARD_KEYS.";
            notes.missing.push(Problem::new("EDGEWARD_USERS, EDGEWARD_KEYS", "neither", expected, fix));
        }
    }

    /// Records that the policy needs a kind, where what that needs is not there. Once for each secret.
    pub fn need(&self, kind: Kind, reason: String, notes: &Notes) {
        let (name, what, is_there) = match kind {
            Kind::Basic => ("EDGEWARD_USERS", "htpasswd lines", self.there.accounts()),
            Kind::Bearer => ("EDGEWARD_KEYS", "a JWK Set", self.there.keys || self.kinds().has(Kind::Bearer)),
            Kind::ApiKey => {
                let is_there = self.there.api_keys || self.kinds().has(Kind::ApiKey);
                ("EDGEWARD_API_KEYS", "lines of API keys", is_there)
            }
            Kind::SignedUrl => {
                ("EDGEWARD_KEYS", "a JWK Set", self.there.keys || self.kinds().has(Kind::SignedUrl))
            }
            Kind::Session => return self.need_session(&reason, notes),
        };
        if !is_there {
            need_secret(name, what, &reason, notes);
        } else if self.is_known.get()
            && !self.kinds().has(kind)
            && !notes.problems.has_below("EDGEWARD.tokens")
        {
            let entry = if kind == Kind::Bearer { "\"jwt\"" } else { "a format of signed URLs" };
            let expected = format!("an entry whose format is {entry}, as {reason}");
            notes.problems.push(Problem::new(
                "EDGEWARD.tokens",
                "none",
                expected,
                "Add one, with the kids of its keys.",
            ));
        }
    }

    fn need_session(&self, reason: &str, notes: &Notes) {
        if self.is_known.get() && !self.kinds().has(Kind::Session) {
            let expected = format!("the table that lets people sign in, as {reason}");
            notes.problems.push(Problem::new(
                "EDGEWARD.session",
                "nothing",
                expected,
                "Add [vars.EDGEWARD.session]; it may be empty.",
            ));
        }
    }

    /// Whether `EDGEWARD_TOTP` is there, be it right or wrong.
    pub const fn has_second_factors(&self) -> bool {
        self.there.totp
    }

    /// Records that the policy needs `EDGEWARD_LEDGER`, where that is not there.
    pub fn need_ledger(&self, node: &Node<'_>) {
        let binding = "[[durable_objects.bindings]] with name = \"EDGEWARD_LEDGER\", class_name = \"Ledger\"";
        if !self.there.ledger {
            need_binding("EDGEWARD_LEDGER", binding, node);
        }
    }

    /// Records that the policy needs `EDGEWARD_KV`, where that is not there.
    pub fn need_store(&self, node: &Node<'_>) {
        if !self.there.store {
            need_binding("EDGEWARD_KV", "[[kv_namespaces]] with binding = \"EDGEWARD_KV\"", node);
        }
    }

    /// The ids of the keys, where the set can be read.
    pub fn kids(&self) -> Option<impl Iterator<Item = &str>> {
        self.keys.as_ref().map(|keys| keys.iter().map(|(kid, _)| kid.as_str()))
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

impl There {
    /// Whether there may be accounts: those of `EDGEWARD_KV` show when they are asked for.
    const fn accounts(&self) -> bool {
        self.users || self.store
    }

    fn kinds(&self, bearer: bool, stored_keys: bool) -> Kinds {
        let there = [
            (Kind::Basic, self.accounts()),
            (Kind::Bearer, bearer),
            (Kind::ApiKey, self.api_keys || stored_keys),
        ];
        there.into_iter().filter(|(_, is_there)| *is_there).map(|(kind, _)| kind).collect()
    }
}

/// Records that a secret is needed, where it is not there. Once for each.
pub fn need_secret(name: &str, what: &str, reason: &str, notes: &Notes) {
    if !notes.missing.has(name) {
        let fix = format!("Set it with `wrangler secret put {name}`.");
        notes.missing.push(Problem::new(name, "nothing", format!("{what}, as {reason}"), fix));
    }
}

fn need_binding(name: &str, binding: &str, node: &Node<'_>) {
    if !node.notes().missing.has(name) {
        let expected = format!("the binding, as {} asks for it", node.at());
        let fix = format!("Add {binding} to wrangler.toml.");
        node.notes().missing.push(Problem::new(name, "nothing", expected, fix));
    }
}

/// The keys that an entry uses (`None`: all), and the fewest octets that it is content with.
pub type Demand<'p> = (Option<&'p [String]>, usize);

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
