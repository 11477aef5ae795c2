//! Password hashes that others published, with their passwords: what we verify must agree, what we do not verify
//! must be refused when it is read. The vectors are read in place; where they are missing the tests say so.

use edgeward::password::UserPass;
use edgeward::password::htpasswd::Users;
use edgeward::password::phc::{PasswordHash, Pbkdf2};
use edgeward::secret::Secret;
use serde_json::Value;
use std::collections::BTreeMap;
use unicode_normalization::UnicodeNormalization as _;

/// Schemes of the vectors that are not verified: each of their hashes is to be refused by name.
const FOREIGN: [&str; 11] = [
    "apr_md5_crypt",
    "bcrypt_sha256",
    "des_crypt",
    "django_pbkdf2_sha256",
    "ldap_salted_sha1",
    "ldap_sha1",
    "pbkdf2_sha1",
    "plain",
    "scrypt",
    "sha256_crypt",
    "sha512_crypt",
];

fn vectors(name: &str) -> Option<Value> {
    let path = format!("{}/../shared/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {name} is not there");
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

fn nfc(text: &str) -> String {
    text.nfc().collect()
}

/// The way a request takes: a line is read, a password is checked. `None`: the line was refused.
fn check(hash: &str, password: &str) -> Option<bool> {
    let source = ("EDGEWARD_USERS".to_owned(), Secret::new(format!("ann:{hash}")));
    match Users::parse(&[source], &[], nfc) {
        Ok(users) => {
            Some(users.check(&UserPass { user: "ann".into(), password: Secret::new(nfc(password)) }))
        }
        Err(problems) => {
            assert!(
                problems.iter().all(|problem| !problem.to_string().contains(hash)),
                "a problem shows {hash}"
            );
            None
        }
    }
}

/// Why a hash of a scheme that is verified may be refused although it is well-formed.
fn refused_with_reason(hash: &str) -> Option<&'static str> {
    let reasons = [
        ("$argon2i$", "Argon2i is refused"),
        ("$argon2d$", "Argon2d is refused"),
        ("$2x$", "the bcrypt with a defect is refused"),
    ];
    reasons.into_iter().find(|(start, _)| hash.starts_with(start)).map(|(_, reason)| reason)
}

/// What happened in a case, or a panic if that is wrong.
fn outcome(case: &Value) -> String {
    let text = |pointer| case.pointer(pointer).and_then(Value::as_str).unwrap();
    let (id, scheme, hash) = (text("/id"), text("/input/scheme"), text("/input/hash"));
    let wanted = case["expected"]["match"].as_bool().unwrap();
    let got = check(hash, text("/input/password/utf8"));
    if FOREIGN.contains(&scheme) {
        assert_eq!(got, None, "{id}: {scheme} is not verified");
        return format!("{scheme}: refused by its name or form");
    }
    if case["expected"]["malformed"] == true {
        assert_ne!(got, Some(true), "{id}");
        return format!("{scheme}: malformed, {}", if got.is_none() { "refused" } else { "never right" });
    }
    if let Some(reason) = refused_with_reason(hash) {
        assert_eq!(got, None, "{id}");
        return format!("{scheme}: {reason}");
    }
    assert_eq!(got, Some(wanted), "{id}: {hash}");
    format!("{scheme}: {}", if wanted { "right" } else { "wrong" })
}

#[test]
fn htpasswd_cases() {
    let Some(file) = vectors("cases_htpasswd.json") else { return };
    let mut outcomes = BTreeMap::<String, usize>::new();
    for case in file["cases"].as_array().unwrap() {
        *outcomes.entry(outcome(case)).or_default() += 1;
    }
    for (outcome, count) in &outcomes {
        println!("{count:4} {outcome}");
    }
    assert_eq!(outcomes.values().sum::<usize>(), file["cases"].as_array().unwrap().len());
    // Both answers were seen: a gate that is always open, or always shut, fails here.
    let seen = |end| outcomes.iter().any(|(outcome, _)| outcome.ends_with(end));
    assert!(seen(": right") && seen(": wrong"));
}

fn unhex(text: &str) -> Vec<u8> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD_NO_PAD.encode(bytes)
}

/// The hash, as a line would hold it. A key longer than we read is cut: PBKDF2 makes its blocks one by one, so
/// the beginning of a longer key is the shorter one (RFC 8018 section 5.2).
fn pbkdf2(name: &str, rounds: u64, salt: &[u8], key: &[u8]) -> Option<Pbkdf2> {
    let key = &key[..key.len().min(64)];
    let text = format!("${name}$i={rounds},l={}${}${}", key.len(), base64(salt), base64(key));
    match PasswordHash::parse(&text) {
        Ok(PasswordHash::Pbkdf2(hash)) => Some(hash),
        _ => None,
    }
}

fn wycheproof(file: &str, name: &str) {
    let Some(file) = vectors(file) else { return };
    let (mut passed, mut refused) = (0, 0);
    let groups = file["testGroups"].as_array().unwrap().iter();
    for test in groups.flat_map(|group| group["tests"].as_array().unwrap()) {
        let bytes = |field: &str| unhex(test[field].as_str().unwrap());
        let rounds = test["iterationCount"].as_u64().unwrap();
        let Some(hash) = pbkdf2(name, rounds, &bytes("salt"), &bytes("dk")) else {
            assert!(rounds < 1000 || bytes("salt").len() < 8, "{}: refused", test["tcId"]);
            refused += 1;
            continue;
        };
        assert_eq!(hash.verify(&bytes("password")), test["result"] == "valid", "{}", test["tcId"]);
        // One in ten, as a debug build is slow.
        assert!(passed % 10 != 0 || !hash.verify(b"another password"), "{}", test["tcId"]);
        passed += 1;
    }
    println!("{name}: {passed} passed, {refused} refused (under 1,000 rounds, or a salt of under 8 octets)");
    assert!(passed > 50);
}

#[test]
fn wycheproof_pbkdf2_hmacsha256() {
    wycheproof("wycheproof/pbkdf2_hmacsha256_test.json", "pbkdf2-sha256");
}

#[test]
fn wycheproof_pbkdf2_hmacsha512() {
    wycheproof("wycheproof/pbkdf2_hmacsha512_test.json", "pbkdf2-sha512");
}

/// RFC 7914 section 11: its salts have 4 octets, so a line with them is refused; a unit test asks the function.
#[test]
fn rfc7914_pbkdf2_sha256() {
    let Some(file) = vectors("rfc_vectors.json") else { return };
    for case in file["sets"]["rfc7914_pbkdf2_sha256"].as_array().unwrap() {
        let (input, key) = (&case["input"], unhex(case["expected"]["dk_hex"].as_str().unwrap()));
        let salt = input["salt"].as_str().unwrap().as_bytes();
        let rounds = input["iterations"].as_u64().unwrap();
        assert!(pbkdf2("pbkdf2-sha256", rounds, salt, &key).is_none(), "{}", case["id"]);
    }
    println!("rfc7914_pbkdf2_sha256: 2 refused (salts of 4 octets)");
}
