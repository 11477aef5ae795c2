//! Stand-ins for the secrets that are not here.
//!
//! Secrets live at Cloudflare and cannot be read back. So that a policy can be checked without them, each that it needs
//! is stood in for by one that is right; whatever is said of a stand-in is nobody's problem.

use super::output::Misuse;
use super::random;
use super::secrets::Secrets;
use super::wrangler::Wrangler;
use edgeward::config::{Problem, Sources};
use edgeward::policy::HmacAlgorithm;
use edgeward::secret::Secret;
use serde_json::{Value, json};

/// A bcrypt line; what its password was, nobody remembers.
const NOBODY: &str = "edgeward-check:$2y$10$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";

/// What is stood in for.
pub struct StandIn {
    /// The secret's name.
    pub name: &'static str,
    /// What needs it.
    pub reason: String,
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
        stand_ins.push(StandIn { name: "EDGEWARD_SECRET", reason });
    }
    if let Some(reason) = needs.keys.filter(|_| sources.keys.is_none()) {
        sources.keys = Some(keys(&needs.policy)?);
        stand_ins.push(StandIn { name: "EDGEWARD_KEYS", reason });
    }
    if let Some(reason) = needs.users.filter(|_| sources.users.is_empty()) {
        sources.users = vec![("EDGEWARD_USERS".to_owned(), Secret::new(NOBODY.to_owned()))];
        stand_ins.push(StandIn { name: "EDGEWARD_USERS", reason });
    }
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
        let keys = accepting(&policy, "bearer")
            .or_else(|| first(&policy, "tokens").map(|_| "EDGEWARD.tokens is there".to_owned()))
            .or_else(|| listed("EDGEWARD_KEYS"));
        let users =
            accepting(&policy, "basic").or_else(|| trusting(&policy)).or_else(|| listed("EDGEWARD_USERS"));
        let has_any = secrets.iter().any(|(name, _)| name.starts_with("EDGEWARD_USERS"))
            || secrets.get("EDGEWARD_KEYS").is_some();
        let either = || Some("it or the other of the two proves who somebody is".to_owned());
        if keys.is_none() && users.is_none() && !has_any {
            return Self { policy, keys: either(), users: either() };
        }
        Self { policy, keys, users }
    }
}

fn items<'p>(policy: &'p Value, key: &str) -> impl Iterator<Item = &'p Value> {
    policy.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn first<'p>(policy: &'p Value, key: &str) -> Option<&'p Value> {
    items(policy, key).next()
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
    for (index, entry) in items(policy, "tokens").enumerate() {
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
