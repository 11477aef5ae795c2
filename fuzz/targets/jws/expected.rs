//! What a token must say to be accepted, written a second time: no order, no causes, just yes or no.

use super::{Key, LEEWAY, NOW};
use edgeward::json::Json;
use edgeward::policy::TokenEntry;
use edgeward::token::jwt::VerifiedJwt;

/// Whether a token of this header and these claims, signed by `key`, is accepted under `entry`.
pub(super) fn accepts(header: &str, claims: &str, key: &Key, entry: &TokenEntry) -> bool {
    let (Ok(header), Ok(claims)) = (Json::parse(header), Json::parse(claims)) else { return false };
    names_key(&header, key) && has_types(&claims) && is_for(&claims, entry) && is_in_time(&claims, entry)
}

fn names_key(header: &Json<'_>, key: &Key) -> bool {
    let text_or = |name, otherwise: bool, wanted: &dyn Fn(&str) -> bool| match header.get(name) {
        None => otherwise,
        Some(Json::Text(text)) => wanted(text),
        Some(_) => false,
    };
    header.as_object().is_some()
        && header.get("crit").is_none()
        && header.get("b64").is_none()
        && text_or("typ", true, &|typ| !is_assertion_type(typ))
        && text_or("alg", false, &|alg| alg == key.algorithm.name())
        && text_or("kid", true, &|kid| kid == key.kid)
}

pub fn is_assertion_type(typ: &str) -> bool {
    ["edgeward-assertion+jwt", "application/edgeward-assertion+jwt"]
        .iter()
        .any(|it| typ.eq_ignore_ascii_case(it))
}

pub fn has_types(claims: &Json<'_>) -> bool {
    let all = |names: &[&str], fits: &dyn Fn(&Json<'_>) -> bool| {
        names.iter().all(|name| claims.get(name).is_none_or(fits))
    };
    let is_texts = |value: &Json<'_>| value.as_texts().is_some();
    claims.as_object().is_some()
        && all(&["exp", "nbf", "iat"], &|it| {
            it.as_number().is_some_and(|n| (0.0..=253_402_300_799.0).contains(&n))
        })
        && all(&["iss", "sub", "scope", "jti"], &|it| it.as_text().is_some())
        && all(&["aud"], &|it| it.as_text().is_some() || is_texts(it))
        && all(&["groups"], &is_texts)
}

fn is_for(claims: &Json<'_>, entry: &TokenEntry) -> bool {
    let texts = |name| match claims.get(name) {
        Some(Json::Text(text)) => vec![&**text],
        Some(other) => other.as_texts().unwrap_or_default(),
        None => Vec::new(),
    };
    let one_of = |name, wanted: &[String]| {
        wanted.is_empty() || texts(name).iter().any(|text| wanted.iter().any(|it| it == text))
    };
    let is_foreign = |sub: &&str| !["token:", "key:", "link:"].iter().any(|prefix| sub.starts_with(prefix));
    entry.require.iter().all(|name| claims.get(name).is_some())
        && one_of("iss", &entry.issuer)
        && one_of("aud", &entry.audience)
        && (!entry.trust_subject || texts("sub").iter().all(is_foreign))
}

/// In whole milliseconds, rounded up as the product does.
fn is_in_time(claims: &Json<'_>, entry: &TokenEntry) -> bool {
    let moment = |name| claims.get(name).and_then(Json::as_number).map(|n| (n * 1000.0).ceil() as i64);
    let (exp, nbf, iat) = (moment("exp"), moment("nbf"), moment("iat"));
    let (now, leeway) = (NOW.millis(), LEEWAY.seconds() * 1000);
    let age = entry.max_age.map(|age| age.seconds() * 1000);
    let is_young =
        |age: i64| iat.is_some_and(|iat| exp.is_none_or(|exp| exp - iat <= age) && now - iat <= age + leeway);
    exp.is_none_or(|exp| now < exp + leeway)
        && [nbf, iat].into_iter().flatten().all(|from| now >= from - leeway)
        && age.is_none_or(is_young)
}

/// What a verified token tells is what stood in its claims.
pub fn says_what_it_was_signed_with(jwt: &VerifiedJwt, claims: &str) {
    let claims = Json::parse(claims).expect("it was accepted");
    let text = |name| claims.get(name).and_then(Json::as_text);
    assert_eq!(jwt.subject(), text("sub"));
    assert_eq!(jwt.groups(), claims.get("groups").and_then(Json::as_texts).unwrap_or_default());
    let scopes: Vec<&str> =
        text("scope").unwrap_or_default().split(' ').filter(|it| !it.is_empty()).collect();
    assert_eq!(jwt.scopes().collect::<Vec<_>>(), scopes);
    assert_eq!(jwt.expires().is_some(), claims.get("exp").is_some());
    assert_eq!(jwt.claims(), claims);
}

/// Whether two readers read the same.
pub fn same(ours: &Json<'_>, theirs: &serde_json::Value) -> bool {
    match (ours, theirs) {
        (Json::Null, serde_json::Value::Null) => true,
        (Json::Bool(a), serde_json::Value::Bool(b)) => a == b,
        // serde_json's quick reading of doubles may be off by the last bit.
        (Json::Number(a), serde_json::Value::Number(b)) => {
            b.as_f64().is_some_and(|b| (a - b).abs() <= b.abs() * 1e-15)
        }
        (Json::Text(a), serde_json::Value::String(b)) => a == b,
        (Json::Array(a), serde_json::Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Json::Object(a), serde_json::Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(name, a)| b.get(&**name).is_some_and(|b| same(a, b)))
        }
        _ => false,
    }
}
