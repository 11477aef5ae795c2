//! Laravel and Symfony: the vectors of the shared folder by name, read in place.

use edgeward::policy::{Format, HmacAlgorithm};
use edgeward::request::{FieldList, RequestFacts};
use edgeward::time::{Lifetime, UnixTime};
use edgeward::token::keys::Key;
use edgeward::token::mac::MacKey;
use edgeward::token::signed_url::{Entry, Grant, LinkVerifier, Seen, Strength, preset};
use edgeward::verdict::{Cause, Refusal};
use serde_json::Value;

const NOW: UnixTime = UnixTime::from_seconds(1_700_000_000);

/// Verifies a link without an expiry.
fn verify(format: Format, key: &str, link: &str) -> Result<Grant, Refusal> {
    let mut entry = preset(format).defaults(0);
    entry.require_end = false;
    let keys = vec![Key::new("k", MacKey::new(HmacAlgorithm::Hs256, key.as_bytes()))];
    let verifier = LinkVerifier::new(vec![Entry::new(entry, keys)], Lifetime::from_seconds(0));
    let fields = FieldList::default();
    let facts = RequestFacts::new("GET", link, &fields).expect("an absolute URI");
    verifier.verify(&Seen::new(&facts, "", &[]), Strength::Url, NOW)
}

fn percent_encoded(base64: &str) -> String {
    base64.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

/// The cases of one kind; `None` where the folder is not here.
fn cases(kind: &str) -> Option<Vec<Value>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/vectors/cases_signed_kat.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: {path} is not here");
        return None;
    };
    let file: Value = serde_json::from_str(&text).expect("JSON");
    let of_kind = |case: &&Value| case["input"]["kind"] == kind;
    Some(file["cases"].as_array().expect("cases").iter().filter(of_kind).cloned().collect())
}

/// What was signed in each of these has a fragment, which no client sends: a link is verified as it arrives, and the hash
/// is that of the canonical URL.
#[test]
fn symfony_urisigner() {
    let Some(cases) = cases("symfony-urisigner") else { return };
    assert!(!cases.is_empty());
    for case in cases {
        let text = |at: &str| case["input"][at].as_str().expect("a text").to_owned();
        let hash = case["expected"]["hash"].as_str().expect("a hash");
        let (url, canonical, secret) = (text("url"), text("canonical"), text("secret"));
        assert_eq!(mac(&secret, &canonical), hash, "{}", case["id"]);
        let (sent, fragment) = url.split_once('#').unwrap_or((&url, ""));
        let link = format!("{sent}&_hash={}", percent_encoded(hash));
        let verdict = verify(Format::Symfony, &secret, &link).map_err(|refusal| refusal.cause);
        if fragment.is_empty() {
            assert!(verdict.is_ok(), "{}: {verdict:?}", case["id"]);
        } else {
            assert_eq!(verdict.err(), Some(Cause::TokenBadSignature), "{}", case["id"]);
            let of_what_is_sent = mac(&secret, sent);
            let link = format!("{sent}&_hash={}", percent_encoded(&of_what_is_sent));
            assert!(verify(Format::Symfony, &secret, &link).is_ok(), "{}", case["id"]);
        }
    }
}

/// The checked vector of Symfony's own tests, in both alphabets and in any order.
#[test]
fn symfony_example() {
    for query in [
        "_hash=rIOcC%2FF3DoEGo%2FvnESjSp7uU9zA9S%2F%2BOLhxgMexoPUM%3D&baz=bay&foo=bar",
        "foo=bar&baz=bay&_hash=rIOcC_F3DoEGo_vnESjSp7uU9zA9S_-OLhxgMexoPUM",
    ] {
        let link = format!("http://example.com/foo?{query}");
        let grant = verify(Format::Symfony, "foobar", &link).expect("a good link");
        assert_eq!((grant.format(), grant.key()), (Format::Symfony, "k"));
        let changed = link.replace("bay", "baz");
        let refusal = verify(Format::Symfony, "foobar", &changed).expect_err("another link");
        assert_eq!(refusal.cause, Cause::TokenBadSignature);
    }
}

/// The derived vector of Laravel.
#[test]
fn laravel_example() {
    let mac = "068377037871db956c399d8b1145095740651ab9309265a07098929db1f0c8d3";
    let link = format!("http://localhost/foo?expires=1700000000&signature={mac}");
    let grant = verify(Format::Laravel, "key", &link).expect("a good link in its last second");
    assert_eq!(grant.stated().end.map(|end| end.stated()), Some(NOW));
}

/// HMAC-SHA-256 in standard base64.
fn mac(key: &str, message: &str) -> String {
    use base64::Engine as _;
    use hmac::{Hmac, KeyInit as _, Mac as _};
    let mac = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()).expect("any length");
    base64::engine::general_purpose::STANDARD.encode(mac.chain_update(message).finalize().into_bytes())
}
