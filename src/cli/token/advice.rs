//! What would have to be otherwise for a refused token to be taken.

use crate::cli::clock::{seconds_between, span};
use crate::cli::output::visible;
use crate::cli::secrets::Secrets;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use edgeward::json::Json;
use edgeward::policy::{HmacAlgorithm, Policy, TokenEntry};
use edgeward::secret::Secret;
use edgeward::time::{Lifetime, UnixTime};
use edgeward::token::jws::Compact;
use edgeward::token::keys::{Key, KeySet, Standing};
use edgeward::token::mac::MacKey;
use edgeward::verdict::{Cause, Refusal};
use serde_json::Value;

/// The most seconds that `leeway` may be.
const LONGEST_LEEWAY: i64 = 300;

/// What is known of a token and of the gate it meets.
pub struct Looked<'d> {
    /// The kids of the keys whose signature it is.
    pub fitting: Vec<String>,
    /// Keys that fit if their octets are taken in a way that issuers take them by mistake, with what that is.
    mistaken: Vec<(String, &'static str)>,
    refusal: Option<&'d Refusal>,
    has_keys: bool,
    kids: Vec<(String, &'static str)>,
    /// What is to be said of the dates of keys that have some.
    dates: Vec<(String, String)>,
    entries: &'d [TokenEntry],
    leeway: Lifetime,
    header: Claims,
    claims: Claims,
    now: UnixTime,
}

impl<'d> Looked<'d> {
    /// Looks at a token.
    pub fn at(
        token: &str,
        secrets: &Secrets,
        policy: Option<&'d Policy>,
        refusal: Option<&'d Refusal>,
        now: UnixTime,
    ) -> Self {
        let text = secrets.value("EDGEWARD_KEYS");
        let keys = text.as_ref().and_then(|text| KeySet::parse(text.expose()).ok());
        let list =
            |keys: &KeySet| keys.iter().map(|key| (key.kid().to_string(), key.algorithm().name())).collect();
        let mut parts = token.split('.');
        Self {
            fitting: keys.as_ref().map(|keys| fitting(token, keys)).unwrap_or_default(),
            mistaken: text.as_ref().map(|text| mistaken(token, text)).unwrap_or_default(),
            refusal,
            has_keys: keys.is_some(),
            kids: keys.as_ref().map(list).unwrap_or_default(),
            dates: keys.iter().flat_map(KeySet::iter).filter_map(|key| dates(key, now)).collect(),
            entries: policy.map_or(&[], |policy| &policy.tokens),
            leeway: policy.map(|policy| policy.leeway).unwrap_or_default(),
            header: Claims::of(parts.next()),
            claims: Claims::of(parts.next()),
            now,
        }
    }

    /// Whose signature it is, in words.
    pub fn signature(&self) -> String {
        match self.fitting.as_slice() {
            [] if !self.has_keys => "not verified: EDGEWARD_KEYS is not here, or is unreadable".to_owned(),
            [] => "NOT VERIFIED: no key here made it".to_owned(),
            [kid] => format!("holds, by key {}{}", visible(kid), self.standing(kid)),
            kids => format!("holds, by keys {}", visible(&kids.join(", "))),
        }
    }

    /// Where the key is out of use, or will be: since when.
    fn standing(&self, kid: &str) -> String {
        let dates = self.dates.iter().find(|(other, _)| other == kid).map(|(_, dates)| dates);
        dates.cloned().unwrap_or_default()
    }

    fn entry(&self) -> Option<&TokenEntry> {
        let is_of = |entry: &&TokenEntry| {
            let kids = entry.keys.as_ref();
            kids.is_none_or(|kids| self.fitting.iter().any(|kid| kids.contains(kid)))
        };
        self.entries.iter().find(is_of)
    }
}

/// Since when a key is out of use, or until when it is in use.
fn dates(key: &Key, now: UnixTime) -> Option<(String, String)> {
    let words = match key.standing(now) {
        Standing::NotYet(from) => format!(", which is not in use before {from}"),
        Standing::Retired(until) => format!(", which was retired at {until}"),
        Standing::Good => format!(", which retires at {}", key.retire_after()?),
    };
    Some((key.kid().to_string(), words))
}

/// A header or claims set, read leniently.
struct Claims(Option<Value>);

impl Claims {
    fn of(part: Option<&str>) -> Self {
        let decoded = part.and_then(|part| URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok());
        let text = decoded.and_then(|octets| String::from_utf8(octets).ok());
        // Ours is the stricter reader: what it refuses is not explained by one that takes it.
        let text = text.filter(|text| Json::parse(text).is_ok());
        Self(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    fn shown(&self, name: &str) -> String {
        let value = self.0.as_ref().and_then(|all| all.get(name));
        value.map_or("nothing".to_owned(), |value| visible(&value.to_string()))
    }

    fn moment(&self, name: &str) -> Option<UnixTime> {
        self.0.as_ref()?.get(name)?.as_f64().and_then(UnixTime::from_numeric_date)
    }
}

/// Sentences, none where it is taken.
pub fn advice(looked: &Looked<'_>) -> Vec<String> {
    let Some(refusal) = looked.refusal else { return Vec::new() };
    match refusal.cause {
        Cause::TokenExpired => expired(looked),
        Cause::TokenNotYetValid => too_early(looked),
        Cause::TokenTooOld => too_old(looked),
        Cause::TokenBadSignature => bad_signature(looked),
        Cause::TokenUnknownKey => vec![match &refusal.key {
            Some(kid) => out_of_use(kid),
            None => unknown_key(looked),
        }],
        Cause::TokenAlgorithm => vec![algorithm(looked)],
        Cause::TokenWrongIssuer => vec![unlike(looked, "iss", |entry| &entry.issuer)],
        Cause::TokenWrongAudience => vec![unlike(looked, "aud", |entry| &entry.audience)],
        Cause::TokenMissingClaim => {
            vec!["The issuer would have to set that claim, or the policy not to require it (require, issuer, audience, max_age).".to_owned()]
        }
        _ => Vec::new(),
    }
}

fn expired(looked: &Looked<'_>) -> Vec<String> {
    let Some(until) = looked.claims.moment("exp") else { return Vec::new() };
    let late = looked.now.millis().saturating_sub(until.millis()) / 1000;
    let needed = late + 1;
    vec![format!(
        "This JWT expired {} ago; {}.",
        exact(late),
        leeway(looked, needed, "a token that is not expired is needed")
    )]
}

fn too_early(looked: &Looked<'_>) -> Vec<String> {
    let (now, leeway_now) = (looked.now, looked.leeway);
    let early = ["nbf", "iat"].into_iter().find_map(|name| {
        let from = looked.claims.moment(name).filter(|from| now + leeway_now < *from)?;
        Some((name, seconds_between(now, from)))
    });
    let Some((name, seconds)) = early else { return Vec::new() };
    let what = if name == "nbf" { "is good" } else { "says it is issued" };
    vec![format!(
        "This JWT {what} ({name}) in {}; {}.",
        exact(seconds),
        leeway(looked, seconds, "either wait, or set the issuer's clock")
    )]
}

/// What leeway would let it in, and where that is more than the policy may say, what else to do.
fn leeway(looked: &Looked<'_>, needed: i64, otherwise: &str) -> String {
    if needed <= LONGEST_LEEWAY {
        // Whole half minutes are what people write.
        let round = if needed <= 30 { 30 } else { ((needed + 29) / 30 * 30).min(LONGEST_LEEWAY) };
        return format!("a leeway of {round} s would let it in (it is {} s)", looked.leeway.seconds());
    }
    format!("no leeway forgives that ({LONGEST_LEEWAY} s is the most): {otherwise}")
}

fn too_old(looked: &Looked<'_>) -> Vec<String> {
    let max_age = looked.entry().and_then(|entry| entry.max_age).unwrap_or_default();
    let Some(issued) = looked.claims.moment("iat") else { return Vec::new() };
    let mut sentences = Vec::new();
    if let Some(until) = looked.claims.moment("exp").filter(|until| until.since(issued) > max_age) {
        let lasts = until.since(issued).seconds();
        sentences.push(format!(
            "It is made to last {} (exp - iat), and max_age is {}.",
            exact(lasts),
            exact(max_age.seconds())
        ));
    }
    let age = looked.now.since(issued);
    if age > max_age {
        sentences.push(format!(
            "It is {} old, and max_age is {}.",
            exact(age.seconds()),
            exact(max_age.seconds())
        ));
    }
    sentences
}

fn bad_signature(looked: &Looked<'_>) -> Vec<String> {
    if let [first, ..] = looked.fitting.as_slice() {
        let named = looked.header.shown("kid");
        return vec![format!(
            "The key {} made it, and its header names {named}: the issuer would have to name the key it signs with.",
            visible(first)
        )];
    }
    let mut sentences: Vec<String> = looked
        .mistaken
        .iter()
        .map(|(kid, how)| format!("The issuer signs with the key {} {how}.", visible(kid)))
        .collect();
    if sentences.is_empty() {
        sentences.push("Issuer and gate have different keys: compare the octets of both, and whether they are text or base64url there.".to_owned());
    }
    sentences
}

fn out_of_use(kid: &str) -> String {
    format!(
        "The issuer would have to sign with a key that is in use now, or the dates of {} in EDGEWARD_KEYS (edgeward.use_from, \
         edgeward.retire_after) to be others.",
        visible(kid)
    )
}

fn unknown_key(looked: &Looked<'_>) -> String {
    let kids: Vec<&str> = looked.kids.iter().map(|(kid, _)| kid.as_str()).collect();
    let fits = match looked.fitting.as_slice() {
        [] => "",
        _ => " Its signature is that of a key here under another id.",
    };
    format!(
        "The token names the key {}; here there is: {}.{fits}",
        looked.header.shown("kid"),
        visible(&kids.join(", "))
    )
}

fn algorithm(looked: &Looked<'_>) -> String {
    let mut allowed: Vec<&str> =
        looked.entries.iter().flat_map(|entry| &entry.algorithms).map(|it| it.name()).collect();
    allowed.dedup();
    let keys: Vec<String> =
        looked.kids.iter().map(|(kid, algorithm)| format!("{} is for {algorithm}", visible(kid))).collect();
    format!(
        "The token says {}; the policy allows {}; of the keys here {}.",
        looked.header.shown("alg"),
        allowed.join(", "),
        keys.join(", ")
    )
}

fn unlike(looked: &Looked<'_>, claim: &str, listed: fn(&TokenEntry) -> &Vec<String>) -> String {
    let expected = looked.entry().map(|entry| listed(entry).join(", ")).unwrap_or_default();
    format!("The token's {claim} is {}; the policy wants one of: {expected}.", looked.claims.shown(claim))
}

/// Seconds as they are, and in words where these say more.
fn exact(seconds: i64) -> String {
    if seconds < 120 { format!("{seconds} s") } else { format!("{seconds} s ({})", span(seconds)) }
}

fn fitting(token: &str, keys: &KeySet) -> Vec<String> {
    let Ok(compact) = Compact::parse(token) else { return Vec::new() };
    let fits =
        |key: &&Key| key.mac().verify(&[compact.signing_input.as_bytes()], compact.signature.as_bytes());
    keys.iter().filter(fits).map(|key| key.kid().to_string()).collect()
}

/// The two ways in which keys are most often taken wrongly: the text of `k` as octets, and its octets as text again.
fn mistaken(token: &str, jwks: &Secret<String>) -> Vec<(String, &'static str)> {
    let Ok(compact) = Compact::parse(token) else { return Vec::new() };
    let set: Value = serde_json::from_str(jwks.expose()).unwrap_or_default();
    let keys = set.get("keys").and_then(Value::as_array).into_iter().flatten();
    let fits = |octets: &[u8], algorithm| {
        MacKey::new(algorithm, octets)
            .verify(&[compact.signing_input.as_bytes()], compact.signature.as_bytes())
    };
    let each = |key: &Value| {
        let text = |name| key.get(name).and_then(Value::as_str);
        let (kid, k, algorithm) = (text("kid")?, text("k")?, HmacAlgorithm::from_name(text("alg")?)?);
        let octets = Secret::new(URL_SAFE_NO_PAD.decode(k).ok()?);
        let base64 = Secret::new(STANDARD.encode(octets.expose()));
        let how = if fits(k.as_bytes(), algorithm) {
            "taken as text: it would have to decode k from base64url first"
        } else if fits(base64.expose().as_bytes(), algorithm) {
            "taken as text in base64: it would have to decode it first"
        } else if twice(octets.expose()).is_some_and(|inner| fits(inner.expose(), algorithm)) {
            "decoded once more: k here would have to be that text, not base64url of it"
        } else {
            return None;
        };
        Some((kid.to_owned(), how))
    };
    keys.filter_map(each).collect()
}

/// The octets that the octets spell, where they are base64 text themselves.
fn twice(octets: &[u8]) -> Option<Secret<Vec<u8>>> {
    let text = std::str::from_utf8(octets).ok()?.trim_end_matches('=');
    URL_SAFE_NO_PAD.decode(text.replace('+', "-").replace('/', "_")).ok().map(Secret::new)
}
