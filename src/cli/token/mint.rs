//! `edgeward token mint`: a token by a key that is here.

use crate::cli::deployment::Deployment;
use crate::cli::output::{Misuse, Outcome};
use crate::cli::secrets::sentences;
use crate::cli::{Which, clock};
use clap::Args;
use edgeward::json::push_string;
use edgeward::policy::TokenPlace;
use edgeward::time::{Lifetime, UnixTime};
use edgeward::token::jws::is_for_jwt;
use edgeward::token::jwt::mint;
use edgeward::token::keys::{Key, KeySet, Standing};
use serde_json::{Value, json};

/// Claims that have an option of their own.
const OWN: [&str; 8] = ["iss", "sub", "aud", "scope", "groups", "iat", "nbf", "exp"];

const AFTER: &str = "\
The claim iat is always set. A --claim is JSON where it reads as JSON, and text otherwise.

Examples:
  edgeward token mint --sub ann
  edgeward token mint --kid 2026-11 --sub ann --aud staging --iss https://login.acme.example \\
      --scope 'read write' --groups editors --expires 12h --claim plan=pro --claim seats=5
  curl -H \"Authorization: Bearer $(edgeward token mint --sub ann --expires 5m)\" https://staging.acme.example/";

/// A token signed with a key of EDGEWARD_KEYS
#[derive(Args)]
#[command(after_help = AFTER)]
pub struct Mint {
    /// The key [default: the first of EDGEWARD_KEYS that signs JWTs and is in use]
    #[arg(long, value_name = "ID")]
    kid: Option<String>,

    /// The subject (sub)
    #[arg(long, value_name = "NAME")]
    sub: Option<String>,

    /// The audience (aud); several make a list
    #[arg(long, value_name = "NAME")]
    aud: Vec<String>,

    /// The issuer (iss)
    #[arg(long, value_name = "NAME")]
    iss: Option<String>,

    /// Scopes, with spaces between them (scope)
    #[arg(long, value_name = "SCOPES")]
    scope: Vec<String>,

    /// Groups, with commas between them (groups)
    #[arg(long, value_name = "GROUPS", value_delimiter = ',')]
    groups: Vec<String>,

    /// How long it is good (exp): 45s, 30m, 12h, 7d
    #[arg(long, value_name = "SPAN", default_value = "1h", value_parser = clock::lifetime)]
    expires: Lifetime,

    /// It never expires: no exp
    #[arg(long, conflicts_with = "expires")]
    no_expiry: bool,

    /// The moment from which it is good (nbf)
    #[arg(long, value_name = "RFC3339", value_parser = clock::moment)]
    not_before: Option<UnixTime>,

    /// Any other claim; may stand several times
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = claim)]
    claims: Vec<(String, Value)>,

    /// What the header says the token is (typ)
    #[arg(long, value_name = "TYPE", default_value = "JWT")]
    typ: String,

    /// The moment it is issued at (iat) [default: now]
    #[arg(long, value_name = "RFC3339", value_parser = clock::moment)]
    at: Option<UnixTime>,

    #[command(flatten)]
    which: Which,
}

impl Mint {
    /// Makes it, and says where this gate would refuse it.
    pub fn run(self) -> crate::cli::Result {
        let deployment = Deployment::find(&self.which)?;
        let keys = self.keys(&deployment)?;
        let key = self.key(&keys)?;
        let claims = self.claims_set()?;
        let token = mint(key.mac(), key.kid(), &self.typ, &claims);
        let claims: Value = serde_json::from_str(&claims).unwrap_or_default();
        let expires = claims.get("exp").cloned();
        let json = json!({ "token": token, "kid": &**key.kid(), "claims": claims, "expires": expires });
        Ok(Outcome { notes: self.doubts(&deployment, &token), ..Outcome::yes(format!("{token}\n"), json) })
    }

    fn keys(&self, deployment: &Deployment) -> Result<KeySet, Misuse> {
        let Some(found) = deployment.secrets.get("EDGEWARD_KEYS") else {
            return Err(deployment.secrets.absent("EDGEWARD_KEYS"));
        };
        KeySet::parse(found.value.expose()).map_err(|problems| Misuse::new(sentences(&problems)))
    }

    fn key<'k>(&self, keys: &'k KeySet) -> Result<&'k Key, Misuse> {
        // One that is too short for a JWT is a key of signed URLs.
        let signs = |key: &&Key| is_for_jwt(&key.algorithm()) && key.size() >= key.least_size();
        let at = clock::at(self.at);
        let key = match &self.kid {
            Some(kid) => keys.get(kid).filter(signs),
            None => keys.iter().filter(signs).find(|key| key.standing(at) == Standing::Good),
        };
        key.ok_or_else(|| {
            let kids: Vec<&str> = keys.iter().filter(signs).map(|key| &**key.kid()).collect();
            let wanted = self.kid.as_ref().map_or("that is in use".to_owned(), |kid| format!("{kid:?}"));
            Misuse::new(format!("EDGEWARD_KEYS has no key {wanted} for JWTs; there is: {}.", kids.join(", ")))
        })
    }

    /// The claims set as JSON text, in a readable order.
    fn claims_set(&self) -> Result<String, Misuse> {
        let issued = clock::at(self.at);
        let mut claims: Vec<(&str, Value)> = Vec::new();
        claims.extend(self.iss.as_ref().map(|iss| ("iss", json!(iss))));
        claims.extend(self.sub.as_ref().map(|sub| ("sub", json!(sub))));
        match self.aud.as_slice() {
            [] => {}
            [one] => claims.push(("aud", json!(one))),
            several => claims.push(("aud", json!(several))),
        }
        claims.extend((!self.scope.is_empty()).then(|| ("scope", json!(self.scope.join(" ")))));
        claims.extend((!self.groups.is_empty()).then(|| ("groups", json!(self.groups))));
        claims.push(("iat", json!(clock::numeric_date(issued)?)));
        if let Some(from) = self.not_before {
            claims.push(("nbf", json!(clock::numeric_date(from)?)));
        }
        if !self.no_expiry {
            claims.push(("exp", json!(clock::numeric_date(issued + self.expires)?)));
        }
        for (name, value) in &self.claims {
            if claims.iter().any(|(known, _)| known == name) {
                return Err(Misuse::new(format!("The claim {name:?} is named twice.")));
            }
            claims.push((name, value.clone()));
        }
        Ok(text(&claims))
    }

    /// Why the gate here would not take what was made.
    fn doubts(&self, deployment: &Deployment, token: &str) -> Vec<String> {
        let verifier = deployment.config.verifiers.as_ref().and_then(|verifiers| verifiers.jwt.as_ref());
        let (Some(verifier), Some(policy)) = (verifier, &deployment.config.policy) else {
            return vec!["Whether the gate takes it is not known: see `edgeward check`.".to_owned()];
        };
        let places = policy.tokens.iter().flat_map(|entry| &entry.from);
        let place = places.clone().next().unwrap_or(&TokenPlace::Authorization);
        let at = self.not_before.unwrap_or_else(|| clock::at(self.at));
        let verdict = places.map(|place| verifier.verify(token, place, at)).find(Result::is_ok);
        let refused = verdict.unwrap_or_else(|| verifier.verify(token, place, at)).err();
        refused
            .map(|it| format!("This gate would refuse it: {}: {}", it.cause.name(), it.detail))
            .into_iter()
            .collect()
    }
}

fn text(claims: &[(&str, Value)]) -> String {
    let mut text = String::from("{");
    for (index, (name, value)) in claims.iter().enumerate() {
        text.push_str(if index == 0 { "" } else { "," });
        push_string(&mut text, name);
        text.push(':');
        text.push_str(&value.to_string());
    }
    text.push('}');
    text
}

fn claim(argument: &str) -> Result<(String, Value), String> {
    let (name, value) = argument.split_once('=').ok_or("write NAME=VALUE")?;
    if name.is_empty() {
        return Err("write a name before the =".to_owned());
    }
    if OWN.contains(&name) {
        return Err(format!("{name} has an option of its own: see --help"));
    }
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
    Ok((name.to_owned(), value))
}
