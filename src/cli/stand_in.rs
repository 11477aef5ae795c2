//! Stand-ins for the secrets that are not here.
//!
//! Secrets live at Cloudflare and cannot be read back. So that a policy can be checked without them, each that it needs
//! is stood in for by one that is right; whatever is said of a stand-in is nobody's problem.

mod second_factors;

use super::output::Misuse;
use super::random;
use super::secrets::Secrets;
use super::wrangler::Wrangler;
use edgeward::config::{Problem, Sources};
use edgeward::policy::{Format, HmacAlgorithm};
use edgeward::secret::Secret;
use edgeward::token::signed_url::preset;
use serde_json::{Value, json};

/// A bcrypt line; what its password was, nobody remembers.
const NOBODY: &str = "edgeward-check:$2y$10$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

/// What is stood in for.
pub struct StandIn {
    /// The secret's name.
    pub name: &'static str,
    /// What needs it.
    pub reason: String,
    /// Whether it is here, and cannot be looked at without another one that is not.
    pub is_here: bool,
}

impl StandIn {
    /// Whether a problem speaks of this stand-in.
    pub fn is_subject_of(&self, problem: &Problem) -> bool {
        problem.at.strip_prefix(self.name).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    }
}

/// The sources of a deployment, with stand-ins for what is not here.
pub fn sources(wrangler: Option<&Wrangler>, secrets: &Secrets) -> Result<(Sources, Vec<StandIn>), Misuse> {
    let policy = wrangler.and_then(Wrangler::policy);
    let needs = Needs::of(policy.as_deref(), wrangler, secrets);
    let mut sources = here(policy, wrangler, secrets);
    let mut stand_ins = Vec::new();
    if sources.secret.is_none() {
        sources.secret = Some(random::base64url::<32>()?);
        let reason = "Edgeward always needs it".to_owned();
        stand_ins.push(StandIn { name: "EDGEWARD_SECRET", reason, is_here: false });
    }
    if let Some(reason) = needs.keys.filter(|_| sources.keys.is_none()) {
        sources.keys = Some(keys(&needs.policy)?);
        stand_ins.push(StandIn { name: "EDGEWARD_KEYS", reason, is_here: false });
    }
    if let Some(reason) = needs.users.filter(|_| sources.users.is_empty()) {
        sources.users = vec![("EDGEWARD_USERS".to_owned(), Secret::new(NOBODY.to_owned()))];
        stand_ins.push(StandIn { name: "EDGEWARD_USERS", reason, is_here: false });
    }
    if let Some(reason) = needs.api_keys.filter(|_| sources.api_keys.is_none()) {
        let digest = edgeward::api_key::digest(random::base64url::<32>()?.expose());
        sources.api_keys = Some(Secret::new(edgeward::api_key::line("edgeward-check", &digest, &[])));
        stand_ins.push(StandIn { name: "EDGEWARD_API_KEYS", reason, is_here: false });
    }
    let is_secret_here = secrets.get("EDGEWARD_SECRET").is_some();
    stand_ins.extend(second_factors::stand_in(&mut sources, needs.totp, is_secret_here)?);
    Ok((sources, stand_ins))
}

fn here(policy: Option<String>, wrangler: Option<&Wrangler>, secrets: &Secrets) -> Sources {
    let users = secrets.iter().filter(|(name, _)| name.starts_with("EDGEWARD_USERS"));
    Sources {
        policy,
        secret: secrets.value("EDGEWARD_SECRET"),
        keys: secrets.value("EDGEWARD_KEYS"),
        users: users.map(|(name, found)| (name.to_owned(), found.value.clone())).collect(),
        origin_authorization: secrets.value("EDGEWARD_ORIGIN_AUTHORIZATION"),
        totp: secrets.value("EDGEWARD_TOTP"),
        api_keys: secrets.value("EDGEWARD_API_KEYS"),
        assets: wrangler.is_some_and(Wrangler::has_assets),
        store: wrangler.is_some_and(Wrangler::has_store),
        ledger: wrangler.is_some_and(Wrangler::has_ledger),
    }
}

/// What needs keys and accounts, in words; `None` where nothing does.
struct Needs {
    policy: Value,
    keys: Option<String>,
    users: Option<String>,
    api_keys: Option<String>,
    totp: Option<String>,
}

impl Needs {
    fn of(policy: Option<&str>, wrangler: Option<&Wrangler>, secrets: &Secrets) -> Self {
        // Text that is no JSON names nothing; that it is none, the core says.
        let policy: Value = policy.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        let required = wrangler.and_then(Wrangler::required).unwrap_or_default();
        let listed = |name: &str| {
            let is_listed = required.contains(&name);
            is_listed.then(|| "secrets.required lists it".to_owned())
        };
        let keys = keys_reason(&policy).or_else(|| listed("EDGEWARD_KEYS"));
        // Accounts may be in EDGEWARD_KV, too.
        let has_store = wrangler.is_some_and(Wrangler::has_store);
        let users = accepting(&policy, "basic").or_else(|| trusting(&policy)).filter(|_| !has_store);
        let users = users.or_else(|| listed("EDGEWARD_USERS"));
        let in_store = policy.get("api_key").and_then(|table| table.get("kv")) == Some(&Value::Bool(true));
        let api_keys = accepting(&policy, "api-key").filter(|_| !in_store);
        let api_keys = api_keys.or_else(|| listed("EDGEWARD_API_KEYS"));
        let totp = second_factors::reason(&policy).or_else(|| listed("EDGEWARD_TOTP"));
        let has_any = ["EDGEWARD_USERS", "EDGEWARD_KEYS", "EDGEWARD_API_KEYS"]
            .iter()
            .any(|known| secrets.iter().any(|(name, _)| name.starts_with(known)));
        let names_any = keys.is_some() || users.is_some() || api_keys.is_some() || in_store || has_store;
        if names_any || has_any || has_share_links(&policy) {
            return Self { policy, keys, users, api_keys, totp };
        }
        let either = || Some("it or the other of the two proves who somebody is".to_owned());
        Self { policy, keys: either(), users: either(), api_keys, totp }
    }
}

/// What needs keys that others sign with: share links are signed with one of ours.
fn keys_reason(policy: &Value) -> Option<String> {
    let is_fresh = policy.get("token").is_some();
    let bearer = accepting(policy, "bearer").filter(|_| !is_fresh);
    let links = accepting(policy, "signed-url").filter(|_| !has_share_links(policy));
    let entry = items(policy, "tokens").any(|entry| !is_share_link(entry));
    bearer.or(links).or_else(|| entry.then(|| "EDGEWARD.tokens is there".to_owned()))
}

fn is_share_link(entry: &Value) -> bool {
    format(entry) == Some(Format::Edgeward)
}

fn has_share_links(policy: &Value) -> bool {
    items(policy, "tokens").any(is_share_link)
}

/// A format of signed URLs; `None` for a JWT.
fn format(entry: &Value) -> Option<Format> {
    entry.get("format").and_then(Value::as_str).and_then(Format::from_name)
}

fn items<'p>(policy: &'p Value, key: &str) -> impl Iterator<Item = &'p Value> {
    policy.get(key).and_then(Value::as_array).into_iter().flatten()
}

/// The first rule that names a kind.
fn accepting(policy: &Value, kind: &str) -> Option<String> {
    let names = |rule: &Value| items(rule, "accept").any(|item| item == kind);
    let index = items(policy, "rules").position(names)?;
    Some(format!("EDGEWARD.rules[{index}].accept names \"{kind}\""))
}

/// The first entry whose tokens name accounts.
fn trusting(policy: &Value) -> Option<String> {
    let index =
        items(policy, "tokens").position(|entry| entry.get("trust_subject") == Some(&Value::Bool(true)))?;
    Some(format!("EDGEWARD.tokens[{index}].trust_subject is true"))
}

/// A key for every kid that the policy names, each of an algorithm that its entry allows; one at least.
fn keys(policy: &Value) -> Result<Secret<String>, Misuse> {
    let mut named: Vec<(String, HmacAlgorithm)> = Vec::new();
    for (index, entry) in items(policy, "tokens").enumerate().filter(|(_, entry)| !is_share_link(entry)) {
        let algorithms = algorithms(entry);
        let mut kids: Vec<String> = texts(entry.get("keys"));
        if kids.is_empty() {
            kids = (0..algorithms.len()).map(|n| format!("stand-in-{index}-{n}")).collect();
        }
        named.extend(kids.into_iter().zip(algorithms.iter().copied().cycle()));
    }
    if named.is_empty() {
        named.push(("stand-in".to_owned(), HmacAlgorithm::Hs256));
    }
    named.sort_by(|(a, _), (b, _)| a.cmp(b));
    named.dedup_by(|(a, _), (b, _)| a == b);
    let jwk = |(kid, algorithm): (String, HmacAlgorithm)| {
        let k = random::base64url::<64>()?;
        Ok(json!({ "kty": "oct", "kid": kid, "alg": algorithm.name(), "k": k.expose() }))
    };
    let jwks = named.into_iter().map(jwk).collect::<Result<Vec<_>, Misuse>>()?;
    Ok(Secret::new(json!({ "keys": jwks }).to_string()))
}

fn algorithms(entry: &Value) -> Vec<HmacAlgorithm> {
    if let Some(format) = format(entry) {
        return preset(format).algorithms.to_vec();
    }
    let is_for_jwt = edgeward::token::jws::is_for_jwt;
    let names = texts(entry.get("algorithms"));
    let mut algorithms: Vec<_> =
        names.iter().filter_map(|name| HmacAlgorithm::from_name(name)).filter(is_for_jwt).collect();
    if algorithms.is_empty() {
        algorithms.push(HmacAlgorithm::Hs256);
    }
    algorithms
}

/// A string, or the strings of a list.
fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(_) | None => Vec::new(),
    }
}
