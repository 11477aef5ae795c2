//! What RFC 4226 and RFC 6238 print. The vectors stand beside this package; where they are missing the tests say so.

use super::{nfc, root};
use edgeward::time::UnixTime;
use edgeward::totp::{Digits, Hash, Made, SEED_SIZE, STEP, Step, TotpSecrets};
use serde_json::Value;

fn set(name: &str) -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/vectors/rfc_vectors.json");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: {path} is not there");
        return Vec::new();
    };
    let all: Value = serde_json::from_str(&text).expect("JSON");
    let cases = all["sets"][name].as_array().expect("a list").clone();
    assert!(cases.len() >= 10, "{name}");
    cases
}

/// The code of a vector's secret, through a line that was sealed and read.
fn agrees(case: &Value, now: i64) {
    let (input, code) = (&case["input"], case["expected"]["code"].as_str().expect("a code"));
    let hash = Hash::from_name(input["hash"].as_str().expect("a hash")).expect("one of three");
    let digits = Digits::from_name(&input["digits"].to_string()).expect("6 or 8");
    let secret = input["secret_ascii"].as_str().expect("a secret").as_bytes();
    let made = Made::new("ann", hash, digits, secret, &[1; SEED_SIZE]).expect("of the hash's size");
    let line = made.line(&root(), [2; 24]).expect("sealed");
    let secrets = TotpSecrets::parse(&line, &root(), nfc).expect("a good line");
    let (ann, now) = (secrets.of("ann").expect("enrolled"), UnixTime::from_seconds(now));
    assert_eq!(ann.code(now), code, "{case}");
    assert_eq!(ann.matches(code, now), Some(Step::at(now)), "{case}");
}

#[test]
fn rfc_6238_appendix_b() {
    for case in set("rfc6238_totp") {
        assert_eq!(case["input"]["step"], STEP);
        agrees(&case, case["input"]["time"].as_i64().expect("seconds"));
    }
}

/// HOTP is TOTP at the moments whose step is the counter.
#[test]
fn rfc_4226_appendix_d() {
    for case in set("rfc4226_hotp") {
        agrees(&case, case["input"]["counter"].as_i64().expect("a count") * 30);
    }
}
