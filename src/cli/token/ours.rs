//! JWTs that Edgeward makes itself, each by keys out of `EDGEWARD_SECRET`: fresh tokens of `POST /.edgeward/token`,
//! orders of `edgeward revoke`, and what the origin is told.

use super::verify::until;
use crate::cli::deployment::Deployment;
use crate::cli::output::visible;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward::policy::HmacAlgorithm;
use edgeward::revocation::order::{self, Order};
use edgeward::time::{Lifetime, UnixTime};
use edgeward::token::assertion;
use edgeward::token::fresh::FreshTokens;
use edgeward::token::jws::{ASSERTION_TYPE, Compact};
use edgeward::token::mac::{MacKey, RootSecret};
use edgeward::verdict::{Cause, Refusal};
use serde_json::{Value, json};

/// A JWT of ours, and what becomes of it.
pub struct Ours {
    /// What it is, in words.
    pub kind: &'static str,
    /// The keys that signed it.
    pub kids: Vec<String>,
    /// What the gate says to it.
    pub verdict: Result<Taken, Refusal>,
    /// What would have to be otherwise.
    pub advice: Vec<String>,
}

/// One that is taken.
pub struct Taken {
    /// What it comes to.
    pub words: String,
    /// The same for programs.
    pub json: Value,
}

/// Looks at a token; `None` for one of somebody else's, or where `EDGEWARD_SECRET` is not here.
pub fn look(token: &str, deployment: &Deployment, now: UnixTime) -> Option<Ours> {
    let root = deployment.secrets.root().ok()?;
    let part = |index| {
        let octets = URL_SAFE_NO_PAD.decode(token.split('.').nth(index)?).ok()?;
        serde_json::from_slice::<Value>(&octets).ok()
    };
    let (header, claims) = (part(0)?, part(1).unwrap_or_default());
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let kid = text(&header, "kid").unwrap_or_default();
    let audience = text(&claims, "aud").unwrap_or_default();
    match text(&header, "typ")?.as_str() {
        ASSERTION_TYPE => Some(of_assertion(token, &root, &audience)),
        order::TYPE => Some(of_order(token, &root, &audience, kid, now)),
        _ => of_fresh(token, &root, deployment, (kid, &audience), now),
    }
}

/// Known by its whole header, which holds an id that is derived from the secret. Which site it came to is not known here:
/// it is looked at as the one that it is for.
fn of_fresh(
    token: &str,
    root: &RootSecret,
    deployment: &Deployment,
    (kid, audience): (String, &str),
    now: UnixTime,
) -> Option<Ours> {
    let settings = deployment.config.policy.as_ref().and_then(|policy| policy.fresh_tokens);
    let lifetime = settings.map_or(Lifetime::from_seconds(900), |it| it.lifetime);
    let fresh = FreshTokens::new(root, lifetime).filter(|fresh| fresh.is_ours(token))?;
    let verified = fresh.verify(token, audience, now);
    let is_signed = match &verified {
        Ok(_) => true,
        Err(refusal) => refusal.key.is_some(),
    };
    let verdict = match settings {
        Some(_) => verified.map(|token| {
            let user = token.subject().unwrap_or_default().to_owned();
            let (scopes, until) = (token.scopes().collect::<Vec<_>>().join(" "), until(token.expires(), now));
            let words =
                format!("{} at {}, scopes {}, {until}", visible(&user), visible(audience), or_none(&scopes));
            Taken { words, json: json!({ "user": user, "audience": audience, "kid": kid, "scopes": scopes }) }
        }),
        None => {
            let detail = "The token names a key that is not known here.";
            Err(Refusal::new(Cause::TokenUnknownKey, detail))
        }
    };
    let advice = match &verdict {
        Ok(_) => Vec::new(),
        Err(refusal) => advice(refusal, settings.is_some()),
    };
    let kids = if is_signed { vec![kid] } else { Vec::new() };
    Some(Ours { kind: "a fresh token of POST /.edgeward/token", kids, verdict, advice })
}

fn or_none(scopes: &str) -> String {
    if scopes.is_empty() { "none".to_owned() } else { visible(scopes) }
}

fn advice(refusal: &Refusal, is_offered: bool) -> Vec<String> {
    if !is_offered {
        return vec!["[vars.EDGEWARD.token] would have to be there: without it none are taken.".to_owned()];
    }
    match refusal.cause {
        Cause::TokenExpired => vec![
            "Its client would have to get the next one: POST /.edgeward/token with its API key. No leeway is given."
                .to_owned(),
        ],
        _ => Vec::new(),
    }
}

fn of_order(token: &str, root: &RootSecret, audience: &str, kid: String, now: UnixTime) -> Ours {
    let verdict = order::verify(root, token, audience, now);
    let kids = if verdict.is_ok() { vec![kid] } else { Vec::new() };
    let advice = match &verdict {
        Ok(_) => Vec::new(),
        Err(_) => {
            vec![format!("An order is good for {} s: `edgeward revoke` makes the next one.", order::LIFETIME)]
        }
    };
    let verdict = verdict
        .map(|order| Taken {
            words: format!("POST /.edgeward/revoke of {}: {}", visible(audience), ordered(&order)),
            json: json!({ "audience": audience, "kid": kids.first(), "undo": order.undo }),
        })
        .map_err(|detail| Refusal::new(Cause::TokenBadSignature, detail));
    Ours { kind: "an order to revoke, which lets nobody in", kids, verdict, advice }
}

fn ordered(order: &Order) -> String {
    let lists = [("ids", &order.ids), ("subjects", &order.subjects), ("keys", &order.keys)];
    let mut parts: Vec<String> = lists
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(what, names)| format!("{what} {}", visible(&names.join(", "))))
        .collect();
    parts.extend(order.before.map(|moment| format!("all that was issued before {moment}")));
    let what = if order.undo { "good again" } else { "revoked" };
    format!("{} {what}", parts.join("; "))
}

/// Never taken as a bearer token, whoever signed it.
fn of_assertion(token: &str, root: &RootSecret, audience: &str) -> Ours {
    let set = assertion::jwk_set(root, audience);
    let keys = set.get("keys").and_then(Value::as_array).into_iter().flatten();
    let fits = |key: &&Value| {
        let k = key.get("k").and_then(Value::as_str).and_then(|k| URL_SAFE_NO_PAD.decode(k).ok());
        let (Some(k), Ok(compact)) = (k, Compact::parse(token)) else { return false };
        let mac = MacKey::new(HmacAlgorithm::Hs256, &k);
        mac.verify(&[compact.signing_input.as_bytes()], compact.signature.as_bytes())
    };
    let kids: Vec<String> =
        keys.filter(fits).filter_map(|key| key.get("kid")?.as_str().map(str::to_owned)).collect();
    let detail = "An assertion is for the origin, and is never taken as a bearer token.";
    let advice = vec![format!(
        "The origin verifies it: `edgeward key assertion --origin {}` prints its keys.",
        visible(audience)
    )];
    let verdict = Err(Refusal::new(Cause::TokenMalformed, detail));
    Ours { kind: "an assertion for the origin", kids, verdict, advice }
}
