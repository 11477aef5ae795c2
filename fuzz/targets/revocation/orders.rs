//! Orders to revoke: taken is what a key of ours signed for this site and this minute, and nothing else.

use super::super::jws::expected::has_types;
use super::model::{date, marks};
use super::{first_line, json};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward::json::Json;
use edgeward::revocation::order::{Order, TYPE, sign, verify};
use edgeward::revocation::{Traits, ledger};
use edgeward::time::UnixTime;
use edgeward::token::mac::RootSecret;
use hmac::{Hmac, KeyInit as _, Mac as _};
use std::collections::BTreeMap;
use std::sync::LazyLock;

const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);
const SITE: &str = "https://h.example";

/// The secrets before they were changed, and after: the new one stands first.
static OLD: LazyLock<RootSecret> = LazyLock::new(|| root(&[7]));
static BOTH: LazyLock<RootSecret> = LazyLock::new(|| root(&[8, 7]));
static NEW: LazyLock<RootSecret> = LazyLock::new(|| root(&[8]));

fn root(octets: &[u8]) -> RootSecret {
    let values: Vec<String> = octets.iter().map(|octet| URL_SAFE_NO_PAD.encode([*octet; 32])).collect();
    RootSecret::parse(&values.join(" ")).expect("good secrets")
}

/// Checks what is signed here, and what is not.
pub fn check(signed: &str, token: &str, traits: &Traits<'_>) {
    assert!(verify(&BOTH, token, SITE, NOW).is_err(), "{token:?} was not signed");
    let [kid, key] = ["edgeward/revoke-kid/v1", "edgeward/revoke/v1"].map(|it| OLD.derive(&[it.as_bytes()]));
    let kid = URL_SAFE_NO_PAD.encode(&kid[0].expose()[..9]);
    let (header, claims) = first_line(signed);
    let header = header.replace('\u{b6}', &kid);
    let token = compact(&header, claims, key[0].expose());
    let found = verify(&BOTH, &token, SITE, NOW).ok();
    assert_eq!(found, expected(&header, claims, &kid).filter(|_| token.len() <= 8192), "{header} {claims}");
    found.iter().chain([&order_of(traits)]).for_each(round_trip);
    let wrong = compact(&header, claims, &[7; 32]);
    assert!(verify(&BOTH, &wrong, SITE, NOW).is_err(), "signed with the secret itself");
}

fn compact(header: &str, claims: &str, key: &[u8]) -> String {
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let mac = Hmac::<sha2::Sha256>::new_from_slice(key).expect("any length").chain_update(&input);
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// The order that a header and a claims set give, where they are one's.
fn expected(header: &str, claims: &str, kid: &str) -> Option<Order> {
    let (header, claims) = (json(header)?, json(claims)?);
    let says = |name, wanted: &str| header.get(name).and_then(Json::as_text) == Some(wanted);
    let is_order = says("alg", "HS256") && says("typ", TYPE) && says("kid", kid);
    let is_plain = header.get("crit").is_none() && header.get("b64").is_none();
    let is_here = claims.get("aud").and_then(Json::as_text) == Some(SITE);
    let left = date(claims.get("exp")?.as_number()?)?.millis() - NOW.millis();
    let is_now = left > 0 && left < 121_000;
    let is_good = is_order && is_plain && is_here && is_now && has_types(&claims);
    let revoke = claims.get("revoke").filter(|_| is_good)?;
    let known = ["jti", "sub", "kid", "sessions", "before", "until", "undo"];
    let is_known = revoke.as_object()?.iter().all(|(name, _)| known.contains(&&**name));
    let names = |name: &str| -> Option<Vec<String>> {
        let texts = revoke.get(name).map_or(Some(Vec::new()), Json::as_texts)?;
        Some(texts.into_iter().map(str::to_owned).collect())
    };
    let moment = |name| revoke.get(name).map(|it| it.as_number().and_then(date));
    let order = Order {
        ids: names("jti")?,
        subjects: names("sub")?,
        keys: names("kid")?,
        sessions: names("sessions")?,
        before: moment("before").map_or(Some(None), |it| it.map(Some))?,
        until: moment("until").map_or(Some(0), |it| it.map(UnixTime::seconds))?,
        undo: revoke.get("undo").map_or(Some(false), Json::as_bool)?,
    };
    let lists = [&order.ids, &order.subjects, &order.keys, &order.sessions];
    let says_something = lists.iter().any(|it| !it.is_empty()) || order.before.is_some();
    let is_possible = !order.undo || order.sessions.is_empty();
    (is_known && says_something && is_possible).then_some(order)
}

fn order_of(traits: &Traits<'_>) -> Order {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Order {
        ids: owned(traits.id.as_slice()),
        subjects: owned(traits.subjects),
        keys: owned(traits.key.as_slice()),
        ..Order::default()
    }
}

/// An order that the command signs is taken as it is, in its minute, on its site, unaltered; and the ledger says so.
fn round_trip(order: &Order) {
    let order =
        &Order { before: order.before.map(|it| UnixTime::from_seconds(it.seconds())), ..order.clone() };
    let token = sign(&OLD, SITE, order, NOW).expect("a key");
    let taken = verify(&BOTH, &token, SITE, NOW).ok();
    assert_eq!(taken.as_ref(), Some(order).filter(|it| !it.is_empty() && token.len() <= 8192));
    let minute = |seconds: i64| UnixTime::from_seconds(NOW.seconds() + seconds);
    let elsewhere = [
        verify(&BOTH, &token, "https://h.example:8443", NOW),
        verify(&BOTH, &token, "http://h.example", NOW),
        verify(&BOTH, &token, SITE, minute(60)),
        verify(&BOTH, &token, SITE, minute(-61)),
        verify(&NEW, &token, SITE, NOW),
    ];
    assert!(elsewhere.iter().all(Result::is_err), "{elsewhere:?}");
    for at in (0..token.len()).step_by(1 + token.len() / 8) {
        let mut altered = token.clone();
        altered.replace_range(at..=at, if &token[at..=at] == "A" { "B" } else { "A" });
        assert!(verify(&BOTH, &altered, SITE, NOW).is_err(), "{altered}");
    }
    carried_out(order);
}

/// A ledger that does as it is told revokes what was ordered, and no more; undone, nothing.
fn carried_out(order: &Order) {
    let mut ledger = BTreeMap::new();
    told(&mut ledger, &Order { undo: false, ..order.clone() });
    let of = |names: &[String]| names.to_vec();
    for (ids, subjects, keys) in [
        (of(&order.ids), vec![], vec![]),
        (vec![], of(&order.subjects), vec![]),
        (vec![], vec![], of(&order.keys)),
    ] {
        let subjects: Vec<&str> = subjects.iter().map(String::as_str).collect();
        let (id, key) = (ids.first().map(String::as_str), keys.first().map(String::as_str));
        let traits = Traits { id, subjects: &subjects, key, issued: edgeward::revocation::Issued::Never };
        assert_eq!(is_revoked(&ledger, &traits), !marks(&traits).is_empty(), "{traits:?}");
        let longest = order.ids.iter().map(String::len).max().unwrap_or_default();
        let other = "x".repeat(longest + 1);
        assert!(!is_revoked(&ledger, &Traits { id: Some(&other), subjects: &[], key: None, ..traits }));
    }
    let unknown =
        Traits { id: None, subjects: &[], key: None, issued: edgeward::revocation::Issued::Unknown };
    assert_eq!(is_revoked(&ledger, &unknown), order.before.is_some());
    told(&mut ledger, &Order { undo: true, ..order.clone() });
    assert!(ledger.is_empty(), "{ledger:?}");
}

type Ledger = BTreeMap<String, i64>;

fn told(ledger: &mut Ledger, order: &Order) {
    let arguments = ledger::mark_arguments(order);
    let [entries]: [Vec<(String, Option<i64>)>; 1] =
        serde_json::from_str(&arguments).expect("JSON to every reader");
    for (mark, value) in entries {
        match value {
            Some(value) => ledger.insert(mark, value),
            None => ledger.remove(&mark),
        };
    }
}

fn is_revoked(ledger: &Ledger, traits: &Traits<'_>) -> bool {
    let [asked]: [Vec<String>; 1] =
        serde_json::from_str(&ledger::marked_arguments(traits)).expect("JSON to every reader");
    let marked: Vec<String> = asked.into_iter().filter(|mark| ledger.contains_key(mark)).collect();
    let answer = serde_json::json!({ "marked": marked, "before": ledger.get("before") }).to_string();
    ledger::read_marked(&answer).expect("an answer").verdict(traits).is_some()
}
