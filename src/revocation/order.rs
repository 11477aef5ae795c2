//! An order to revoke at once: a JWT from the command to `/.edgeward/revoke`, which tells `EDGEWARD_LEDGER`.
//!
//! `typ` is `edgeward-revoke+jwt`, HS256, by a key out of `EDGEWARD_SECRET` that signs nothing else. Claims: `aud`, the
//! origin of the site; `iat`; `exp`, a minute later and required, without leeway; and `revoke`, an object:
//!
//! | member | value |
//! | --- | --- |
//! | `jti`, `sub`, `kid` | arrays of ids, subjects, key ids |
//! | `sessions` | array of users: every sign-in of theirs ends |
//! | `before` | Unix seconds: all that was issued earlier |
//! | `until` | Unix seconds until which the ids, subjects and keys are kept; 0, or nothing, for ever |
//! | `undo` | `true`: these are good again |
//!
//! One that is overheard can be sent again within its minute, and does again what it did.

use crate::json::{Json, ObjectWriter};
use crate::policy::HmacAlgorithm;
use crate::secret::Secret;
use crate::time::UnixTime;
use crate::token::claims::Claims;
use crate::token::from_base64url;
use crate::token::jws::{Compact, Header};
use crate::token::jwt::mint;
use crate::token::mac::{MacKey, RootSecret};

/// `typ` of an order.
pub const TYPE: &str = "edgeward-revoke+jwt";

/// How long an order is good, in seconds.
pub const LIFETIME: i64 = 60;

/// How far ahead the clock of whoever signed may be, in seconds: an order that is good for longer is none of the command's.
const AHEAD: i64 = 60;

const KEY_PURPOSE: &[u8] = b"edgeward/revoke/v1";
const ID_PURPOSE: &[u8] = b"edgeward/revoke-kid/v1";

/// What is to be revoked, or is to be good again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// Ids of tokens and links.
    pub ids: Vec<String>,
    /// Names of those who hold them.
    pub subjects: Vec<String>,
    /// Ids of keys.
    pub keys: Vec<String>,
    /// Users whose every session ends: they may sign in again.
    pub sessions: Vec<String>,
    /// All that was issued before this moment.
    pub before: Option<UnixTime>,
    /// Unix second until which ids, subjects and keys are kept; 0 for ever.
    pub until: i64,
    /// Takes them out again.
    pub undo: bool,
}

impl Order {
    /// Whether it says nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.sessions.is_empty() && !self.marks()
    }

    /// Whether it says anything that is marked in one place for all ([`super::ledger::OBJECT`]).
    #[must_use]
    pub const fn marks(&self) -> bool {
        !self.ids.is_empty() || !self.subjects.is_empty() || !self.keys.is_empty() || self.before.is_some()
    }
}

/// Makes the token of an order for the site `audience` (`https://host[:port]`). The first secret signs; `None` where the
/// root holds none, which it never does.
#[must_use]
pub fn sign(root: &RootSecret, audience: &str, order: &Order, now: UnixTime) -> Option<String> {
    let (kid, key) = keys(root).into_iter().next()?;
    let claims = ObjectWriter::new()
        .text("aud", audience)
        .number("iat", now.seconds())
        .number("exp", now.seconds().saturating_add(LIFETIME))
        .literal("revoke", &written(order));
    Some(mint(&MacKey::new(HmacAlgorithm::Hs256, key.expose()), &kid, TYPE, &claims.finish()))
}

fn written(order: &Order) -> String {
    let mut revoke = ObjectWriter::new();
    let lists =
        [("jti", &order.ids), ("sub", &order.subjects), ("kid", &order.keys), ("sessions", &order.sessions)];
    for (name, names) in lists {
        revoke = if names.is_empty() { revoke } else { revoke.texts(name, names) };
    }
    if let Some(before) = order.before {
        revoke = revoke.number("before", before.seconds());
    }
    revoke = revoke.number("until", order.until);
    if order.undo {
        revoke = revoke.literal("undo", "true");
    }
    revoke.finish()
}

/// Verifies the token of an order that came to the site `audience`.
///
/// # Errors
/// What is wrong, as a sentence without the token's content.
pub fn verify(root: &RootSecret, token: &str, audience: &str, now: UnixTime) -> Result<Order, &'static str> {
    let compact = Compact::parse(token).map_err(|_| "The order is not a token.")?;
    let key = signer(root, compact.header)?;
    if !key.verify(&[compact.signing_input.as_bytes()], compact.signature.as_bytes()) {
        return Err("The signature of the order does not match.");
    }
    // The signature holds from here on.
    let text = core::str::from_utf8(&compact.payload).map_err(|_| NOT_JSON)?;
    let json = Json::parse(text).map_err(|_| NOT_JSON)?;
    is_for(&json, audience, now)?;
    json.get("revoke")
        .and_then(read)
        .filter(|order| !order.is_empty())
        .ok_or("The order does not say what to revoke.")
}

const NOT_JSON: &str = "The claims set of the order is not JSON.";

/// The key that the header names, where the header is one of an order.
fn signer(root: &RootSecret, segment: &str) -> Result<MacKey, &'static str> {
    const NO_ORDER: &str = "The token is not an order to revoke.";
    let header = Header::read(segment).map_err(|_| NO_ORDER)?;
    let is_order =
        header.algorithm == Some(HmacAlgorithm::Hs256) && type_of(segment).as_deref() == Some(TYPE);
    let kid = header.kid.filter(|_| is_order).ok_or(NO_ORDER)?;
    let key = keys(root).into_iter().find(|(known, _)| *known == kid);
    let (_, key) = key.ok_or("The order is signed with a key that is not known here.")?;
    Ok(MacKey::new(HmacAlgorithm::Hs256, key.expose()))
}

fn type_of(segment: &str) -> Option<String> {
    let text = String::from_utf8(from_base64url(segment)?).ok()?;
    Json::parse(&text).ok()?.get("typ").and_then(Json::as_text).map(str::to_owned)
}

/// The port is not looked at on the operator's own machine: `wrangler dev` does not tell the Worker which one it has.
fn is_same_site(named: &str, audience: &str) -> bool {
    const LOCAL: &str = "http://localhost";
    let is_local = |origin: &str| {
        origin.strip_prefix(LOCAL).is_some_and(|port| port.is_empty() || port.starts_with(':'))
    };
    named == audience || is_local(named) && is_local(audience)
}

fn is_for(claims: &Json<'_>, audience: &str, now: UnixTime) -> Result<(), &'static str> {
    let read = Claims::read(claims).map_err(|_| "A claim of the order has the wrong type.")?;
    if !claims.get("aud").and_then(Json::as_text).is_some_and(|named| is_same_site(named, audience)) {
        return Err("The order is for another site.");
    }
    let expires = read.expires.ok_or("The order has no claim exp.")?;
    if now >= expires {
        return Err("The order has expired.");
    }
    if expires.since(now).seconds() > LIFETIME + AHEAD {
        return Err("The order is made to last too long.");
    }
    Ok(())
}

/// `None` where a member has the wrong type or is not known: half an order would be carried out as a whole one.
fn read(revoke: &Json<'_>) -> Option<Order> {
    let mut order = Order::default();
    for (name, value) in revoke.as_object()? {
        let texts = || Some(value.as_texts()?.into_iter().map(str::to_owned).collect());
        let moment = || UnixTime::from_numeric_date(value.as_number()?);
        match &**name {
            "jti" => order.ids = texts()?,
            "sub" => order.subjects = texts()?,
            "kid" => order.keys = texts()?,
            "sessions" => order.sessions = texts()?,
            "before" => order.before = Some(moment()?),
            "until" => order.until = moment()?.seconds(),
            "undo" => order.undo = value.as_bool()?,
            _ => return None,
        }
    }
    // What ended stays so: whoever it was signs in again.
    (!order.undo || order.sessions.is_empty()).then_some(order)
}

/// Each key with its id.
fn keys(root: &RootSecret) -> Vec<(String, Secret<[u8; 32]>)> {
    root.derive_named(&[ID_PURPOSE], &[KEY_PURPOSE], 9)
}

#[cfg(test)]
mod tests;
