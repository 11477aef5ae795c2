//! JWTs and HMACs by others: the suites of six libraries, Wycheproof, and what the RFCs print.
//!
//! The vectors stand beside this package, in `../shared/vectors`; where that folder is missing the tests say so. Each
//! file is one test. Where a case parts from what Edgeward does, its id stands in [`EXCEPTIONS`] with the reason.

use edgeward::policy::{HmacAlgorithm, TokenEntry, TokenPlace};
use edgeward::sorted_map::SortedMap;
use edgeward::time::{Lifetime, UnixTime};
use edgeward::token::jwt::JwtVerifier;
use edgeward::token::keys::{Key, KeySet};
use edgeward::token::mac::MacKey;
use edgeward::token::{from_base64url, to_base64url};
use serde_json::{Value, json};

const RANGE: &str = "a NumericDate is a number from 0 to 253402300799";
const SIZE: &str = "a token has 8 KB at most";
const TYP: &str = "typ is the issuer's; only that of our own assertion is refused";
const AUDIENCE: &str = "an audience is asked for where one is configured";

/// Cases that end otherwise here, and why. None is of the level "must".
const EXCEPTIONS: &[(&str, &str)] = &[
    ("jwt_rfc_negative-138", "no member name stands twice, at any depth"),
    ("jwt_rfc_negative-145", RANGE),
    ("jwt_rfc_negative-148", RANGE),
    ("jwt_rfc_negative-149", RANGE),
    ("jwt_rfc_negative-150", RANGE),
    ("jwt_rfc_negative-152", RANGE),
    ("jwt_rfc_negative-162", RANGE),
    ("jwt_rfc_negative-260", SIZE),
    ("jwt_rfc_negative-261", SIZE),
    ("jwt_rfc_negative-262", SIZE),
    ("hono_jwt-039", TYP),
    ("pyjwt-073", TYP),
    ("pyjwt-038", "null is a wrong type for aud"),
    ("pyjwt-055", AUDIENCE),
    ("rust_jsonwebtoken-038", AUDIENCE),
    ("node_jsonwebtoken-039", "leeway is added to the age"),
];

fn read(name: &str) -> Option<Value> {
    let path = format!("{}/../shared/vectors/{name}", env!("CARGO_MANIFEST_DIR"));
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {path} is not there");
        return None;
    };
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}")))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list"))
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).expect("a hex digit") as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// A key long enough for every algorithm, in place of one that the peer's test made too short.
fn long_key() -> Vec<u8> {
    (0..64).map(|i| i * 3 + 1).collect()
}

/// One case of the JWT tables.
struct Case<'v> {
    id: &'v str,
    input: &'v Value,
    tags: Vec<&'v str>,
}

impl<'v> Case<'v> {
    fn new(case: &'v Value) -> Self {
        Self {
            id: text(&case["id"]),
            input: &case["input"],
            tags: list(&case["tags"]).iter().map(text).collect(),
        }
    }

    fn config(&self) -> &'v Value {
        &self.input["config"]
    }

    fn is_weak(&self) -> bool {
        self.tags.contains(&"weak-key")
    }

    fn key(&self) -> Vec<u8> {
        let value = text(&self.config()["key"]["value"]);
        match text(&self.config()["key"]["enc"]) {
            _ if self.is_weak() => long_key(),
            "utf8" => value.as_bytes().to_vec(),
            "hex" => unhex(value),
            "base64url" => from_base64url(value).expect("base64url"),
            other => panic!("{}: a key written as {other}", self.id),
        }
    }

    /// The token; signed again where the key was replaced and the two segments are given.
    fn token(&self) -> String {
        match self.input.get("resign").filter(|_| self.is_weak()) {
            None => text(&self.input["token"]).to_owned(),
            Some(resign) => {
                let segments: Vec<&str> = list(&resign["segments"]).iter().map(text).collect();
                let algorithm = HmacAlgorithm::from_name(text(&resign["alg"])).expect("an HMAC algorithm");
                let input = segments.join(".");
                let tag = MacKey::new(algorithm, &long_key()).tag(&[input.as_bytes()]);
                format!("{input}.{}", to_base64url(tag.as_bytes()))
            }
        }
    }

    /// The `kid` that the token names, so that its key is known by it; else one that no token names.
    fn kid(&self) -> String {
        let header = from_base64url(self.token().split('.').next().unwrap_or_default()).unwrap_or_default();
        let header: Value = serde_json::from_slice(&header).unwrap_or_default();
        header["kid"].as_str().unwrap_or("the-key").to_owned()
    }

    fn algorithms(&self) -> Option<Vec<HmacAlgorithm>> {
        list(&self.config()["algs"]).iter().map(|name| HmacAlgorithm::from_name(text(name))).collect()
    }

    fn key_set(&self, algorithms: &[HmacAlgorithm]) -> Result<KeySet, String> {
        let jwk = |(index, algorithm): (usize, &HmacAlgorithm)| {
            let kid = if index == 0 { self.kid() } else { format!("more-{index}") };
            json!({ "kty": "oct", "kid": kid, "alg": algorithm.name(), "k": to_base64url(&self.key()) })
        };
        let jwks: Vec<Value> = algorithms.iter().enumerate().map(jwk).collect();
        key_set(&json!({ "keys": jwks }))
    }

    fn entry(&self, algorithms: Vec<HmacAlgorithm>) -> TokenEntry {
        let texts = |name: &str| -> Vec<String> {
            let value = &self.config()[name];
            if value.is_null() { vec![] } else { list(value).iter().map(|v| text(v).to_owned()).collect() }
        };
        TokenEntry {
            index: Some(0),
            keys: None,
            algorithms,
            issuer: texts("iss"),
            audience: texts("aud"),
            require: texts("require"),
            max_age: self.config()["max_age_s"].as_i64().map(Lifetime::from_seconds),
            from: vec![TokenPlace::Authorization],
            trust_subject: false,
        }
    }

    /// Whether the token passes, and with what words it does not.
    fn run(&self) -> Result<(), String> {
        let algorithms = self.algorithms().ok_or("an algorithm that the policy does not have")?;
        let keys = self.key_set(&algorithms)?;
        let leeway = Lifetime::from_seconds(self.config()["leeway_s"].as_i64().expect("seconds"));
        let verifier = JwtVerifier::new(&[self.entry(algorithms)], &keys, leeway)
            .map_err(|problems| problems[0].to_string())?;
        let now = UnixTime::from_seconds(self.input["now"].as_i64().expect("seconds"));
        let jwt = verifier
            .verify(&self.token(), &TokenPlace::Authorization, now)
            .map_err(|refusal| format!("{}: {}", refusal.cause.name(), refusal.detail))?;
        match self.config()["sub"].as_str() {
            Some(sub) if !jwt.claims_match(&SortedMap::from([("sub".into(), vec![sub.into()])])) => {
                Err("the rule wants another subject".into())
            }
            Some(_) | None => Ok(()),
        }
    }
}

/// The causes that a case's reason may come out as. Form and types are `token-malformed` whatever the claim.
fn causes(reason: &str) -> &'static [&'static str] {
    match reason {
        "alg" => &["token-algorithm", "token-malformed", "an algorithm that the policy does not have"],
        // Two of the tables' tokens have no good signature to begin with.
        "aud" => &["token-wrong-audience", "token-missing-claim", "token-malformed", "token-bad-signature"],
        "exp" => &["token-expired", "token-not-yet-valid", "token-malformed"],
        "nbf" => &["token-not-yet-valid", "token-malformed"],
        "iat" => &["token-not-yet-valid", "token-too-old", "token-malformed"],
        "iss" => &["token-wrong-issuer", "token-missing-claim", "token-malformed"],
        "sub" => &["token-malformed", "the rule wants another subject"],
        "missing-claim" => &["token-missing-claim"],
        "signature" => &["token-bad-signature", "token-malformed"],
        "key" => &["EDGEWARD_KEYS keys[0].k"],
        "malformed" | "crit" | "claims-type" | "jti" => &["token-malformed"],
        other => panic!("no cause is known for {other}"),
    }
}

/// Whether the refusal is for the reason that the case gives, where it gives one.
fn for_its_reason(value: &Value, outcome: &Result<(), String>) -> bool {
    match (value["expected"]["reason"].as_str(), outcome) {
        (Some(reason), Err(words)) => causes(reason).contains(&words.split(": ").next().unwrap_or_default()),
        (None, _) | (_, Ok(())) => true,
    }
}

/// Runs a table; what ends otherwise must stand in [`EXCEPTIONS`], and what stands there must end otherwise.
fn run_table(name: &str) {
    let Some(table) = read(name) else { return };
    let (mut accepted, mut refused, mut excepted, mut wrong) = (0, 0, 0, vec![]);
    for value in list(&table["cases"]) {
        let case = Case::new(value);
        let expected = text(&value["expected"]["verdict"]) == "accept";
        let outcome = case.run();
        let exception = EXCEPTIONS.iter().find(|(id, _)| *id == case.id);
        let right = outcome.is_ok() == expected && for_its_reason(value, &outcome);
        match (right, exception) {
            (true, None) if expected => accepted += 1,
            (true, None) => refused += 1,
            (false, Some(_)) if text(&value["expected"]["level"]) != "must" => excepted += 1,
            (true, Some(_)) | (false, _) => {
                let level = text(&value["expected"]["level"]);
                wrong.push(format!("{} ({level}) {}: {outcome:?}", case.id, value["what"]));
            }
        }
    }
    println!("{name}: {accepted} accepted, {refused} refused, {excepted} exceptions");
    assert!(wrong.is_empty(), "{name}: {} cases\n{}", wrong.len(), wrong.join("\n"));
    assert!(accepted > 0 && refused > 0, "{name}: a table of both kinds");
}

#[test]
fn rfc_negative() {
    run_table("cases_jwt_rfc_negative.json");
}

#[test]
fn pyjwt() {
    run_table("cases_pyjwt.json");
}

#[test]
fn node_jsonwebtoken() {
    run_table("cases_node_jsonwebtoken.json");
}

#[test]
fn hono() {
    run_table("cases_hono_jwt.json");
}

#[test]
fn rust_jsonwebtoken() {
    run_table("cases_rust_jsonwebtoken.json");
}

#[test]
fn golang_jwt() {
    run_table("cases_golang_jwt.json");
}

#[test]
fn wycheproof_jws_cases() {
    run_table("cases_wycheproof_jws.json");
}

/// A set of keys for JWTs.
fn key_set(set: &Value) -> Result<KeySet, String> {
    let keys = KeySet::parse(&set.to_string()).map_err(|problems| problems[0].to_string())?;
    match keys.check_sizes(&Key::least_size).first() {
        None => Ok(keys),
        Some(problem) => Err(problem.to_string()),
    }
}

/// A verifier with one key that asks nothing of the claims.
fn lenient(kid: &str, algorithm: HmacAlgorithm, key: &str) -> Result<JwtVerifier, String> {
    let set = json!({ "keys": [{ "kty": "oct", "kid": kid, "alg": algorithm.name(), "k": key }] });
    let keys = key_set(&set)?;
    let entry = TokenEntry {
        index: Some(0),
        keys: None,
        algorithms: vec![algorithm],
        issuer: vec![],
        audience: vec![],
        require: vec![],
        max_age: None,
        from: vec![TokenPlace::Authorization],
        trust_subject: false,
    };
    JwtVerifier::new(&[entry], &keys, Lifetime::default()).map_err(|problems| problems[0].to_string())
}

/// The cause of the refusal; `None` where the token passes.
fn cause(verifier: &JwtVerifier, token: &str, seconds: i64) -> Option<&'static str> {
    let now = UnixTime::from_seconds(seconds);
    verifier.verify(token, &TokenPlace::Authorization, now).err().map(|refusal| refusal.cause.name())
}

#[test]
fn rfc_7515_appendix_a_1() {
    let vector: Value = serde_json::from_str(include_str!("vectors/rfc7515_a1.json")).expect("JSON");
    let verifier = lenient("a", HmacAlgorithm::Hs256, text(&vector["key"])).expect("a good key");
    let part = |name: &str| text(&vector[name]).to_owned();
    let token = [part("header"), part("payload"), part("signature")].join(".");
    let expires = vector["expires"].as_i64().expect("seconds");
    assert_eq!(cause(&verifier, &token, expires - 1), None);
    assert_eq!(cause(&verifier, &token, expires), Some("token-expired"), "on or after (RFC 7519 §4.1.4)");
    // Written again without CR LF it is another token.
    let again = to_base64url(br#"{"typ":"JWT","alg":"HS256"}"#);
    let token = [again, part("payload"), part("signature")].join(".");
    assert_eq!(cause(&verifier, &token, expires - 1), Some("token-bad-signature"));
}

/// RFC 7515 A.1, RFC 7520 §4.4 and RFC 7797 §4, as collected.
#[test]
fn rfc_jws() {
    let Some(vectors) = read("rfc_vectors.json") else { return };
    let mut count = 0;
    for set in ["rfc7515_a1", "rfc7520_4_4", "rfc7797"] {
        for vector in list(&vectors["sets"][set]) {
            let input = &vector["input"];
            let token = text(input.get("token").unwrap_or(&input["compact"]));
            let kid = if set == "rfc7520_4_4" { "018c0ae5-4d9b-471b-bfd6-eef314bc7037" } else { "a" };
            let verifier =
                lenient(kid, HmacAlgorithm::Hs256, text(&input["key_b64url"])).expect("a good key");
            let until = vector["expected"]["valid_until"].as_i64();
            let expected = if until.is_some() { None } else { Some("token-malformed") };
            assert_eq!(cause(&verifier, token, until.unwrap_or(0)), expected, "{}", vector["id"]);
            count += 1;
        }
    }
    println!("rfc_vectors.json: {count} tokens");
    assert_eq!(count, 6);
}

/// RFC 2202 and RFC 4231.
#[test]
fn rfc_hmac() {
    let Some(vectors) = read("rfc_vectors.json") else { return };
    let mut count = 0;
    for vector in list(&vectors["sets"]["rfc2202_4231_hmac"]) {
        let input = &vector["input"];
        let algorithm = match text(&input["hash"]) {
            "sha1" => HmacAlgorithm::Hs1,
            "sha256" => HmacAlgorithm::Hs256,
            "sha384" => HmacAlgorithm::Hs384,
            "sha512" => HmacAlgorithm::Hs512,
            _ => continue,
        };
        let key = MacKey::new(algorithm, &unhex(text(&input["key_hex"])));
        let (message, mac) = (unhex(text(&input["msg_hex"])), unhex(text(&vector["expected"]["mac_hex"])));
        let whole = mac.len() == algorithm.output_size();
        assert!(key.tag(&[&message]).as_bytes().starts_with(&mac), "{}", vector["id"]);
        assert_eq!(key.verify(&[&message], &mac), whole, "{}: only whole tags verify", vector["id"]);
        count += 1;
    }
    println!("rfc_vectors.json: {count} HMACs");
    assert!(count >= 20);
}

/// Wycheproof's HMAC files hold valid tags that are cut short; those are wrong here.
fn wycheproof_hmac(name: &str, algorithm: HmacAlgorithm) {
    let Some(file) = read(&format!("wycheproof/{name}")) else { return };
    let (mut valid, mut invalid, mut cut) = (0, 0, 0);
    for group in list(&file["testGroups"]) {
        for test in list(&group["tests"]) {
            let key = MacKey::new(algorithm, &unhex(text(&test["key"])));
            let (message, tag) = (unhex(text(&test["msg"])), unhex(text(&test["tag"])));
            let holds = text(&test["result"]) == "valid";
            let whole = tag.len() == algorithm.output_size();
            assert_eq!(key.verify(&[&message], &tag), holds && whole, "{name} {}", test["tcId"]);
            assert_eq!(key.tag(&[&message]).as_bytes().starts_with(&tag), holds, "{name} {}", test["tcId"]);
            *(if !holds {
                &mut invalid
            } else if whole {
                &mut valid
            } else {
                &mut cut
            }) += 1;
        }
    }
    println!("{name}: {valid} valid, {invalid} invalid, {cut} valid but cut short");
    assert!(valid > 0 && invalid > 0);
}

#[test]
fn wycheproof_hmac_sha1() {
    wycheproof_hmac("hmac_sha1_test.json", HmacAlgorithm::Hs1);
}

#[test]
fn wycheproof_hmac_sha256() {
    wycheproof_hmac("hmac_sha256_test.json", HmacAlgorithm::Hs256);
}

#[test]
fn wycheproof_hmac_sha384() {
    wycheproof_hmac("hmac_sha384_test.json", HmacAlgorithm::Hs384);
}

#[test]
fn wycheproof_hmac_sha512() {
    wycheproof_hmac("hmac_sha512_test.json", HmacAlgorithm::Hs512);
}

/// Mistakes of Wycheproof's JWS file: what it says, and what is right.
///
/// 367 and 370 equal the valid 357 octet by octet and are marked invalid; 372 and 373 hold a `?` inside base64url and
/// are marked valid.
const WYCHEPROOF_MISTAKES: [(u64, bool); 4] = [(367, true), (370, true), (372, false), (373, false)];

/// The payloads are texts such as `foo`, no claims. So a JWS that is valid gets through form, algorithm, key and
/// signature and fails at its claims: `token-malformed` after the signature, which a wrong tag never reaches.
#[test]
fn wycheproof_json_web_signature() {
    let Some(file) = read("wycheproof/json_web_signature_test.json") else { return };
    let (mut valid, mut invalid, mut foreign) = (0, 0, 0);
    for group in list(&file["testGroups"]) {
        let Some(key) = group["private"].as_object().filter(|key| key["kty"] == "oct") else {
            foreign += refuse_foreign(group);
            continue;
        };
        let verifier = lenient_jwk(key);
        for test in list(&group["tests"]) {
            let id = test["tcId"].as_u64().expect("a number");
            let mistake = WYCHEPROOF_MISTAKES.iter().find(|(mistaken, _)| *mistaken == id);
            let holds = mistake.map_or(test["result"] == "valid", |(_, right)| *right);
            let Some(token) = test["jws"].as_str() else { continue };
            assert_eq!(signature_holds(&verifier, token), holds, "tcId {id}: {}", test["comment"]);
            *(if holds { &mut valid } else { &mut invalid }) += 1;
        }
    }
    println!(
        "json_web_signature_test.json: {valid} valid, {invalid} invalid, {foreign} of other kinds of key"
    );
    assert!(valid > 0 && invalid > 0 && foreign > 0);
}

fn lenient_jwk(jwk: &serde_json::Map<String, Value>) -> Result<JwtVerifier, String> {
    let algorithm = HmacAlgorithm::from_name(text(&jwk["alg"])).ok_or("another algorithm")?;
    lenient(text(&jwk["kid"]), algorithm, text(&jwk["k"]))
}

/// No token of an RSA or EC key passes where an HMAC key of the same id is: the algorithm is the key's.
fn refuse_foreign(group: &Value) -> usize {
    let key = if group["public"].is_object() { &group["public"] } else { &group["private"] };
    let kid = key["kid"].as_str().unwrap_or("a");
    let verifier = lenient(kid, HmacAlgorithm::Hs256, &to_base64url(&long_key())).expect("a good key");
    let tokens = list(&group["tests"]).iter().filter_map(|test| test["jws"].as_str());
    tokens.map(|token| assert!(cause(&verifier, token, 0).is_some(), "{token}")).count()
}

fn signature_holds(verifier: &Result<JwtVerifier, String>, token: &str) -> bool {
    let Ok(verifier) = verifier else { return false };
    let refusal = verifier
        .verify(token, &TokenPlace::Authorization, UnixTime::from_seconds(0))
        .expect_err("its payload is no claims set");
    refusal.detail.starts_with("The claims set is not")
}
