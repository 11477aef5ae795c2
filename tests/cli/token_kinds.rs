//! `token inspect` and `token verify` on what else is taken for a token.

use super::support::{Folder, GOOD, K, Ran, SECRET, dev_vars};
use edgeward::time::{Lifetime, UnixTime};
use edgeward::token::mac::RootSecret;
use serde_json::{Value, json};

const AT: &str = "2026-11-22T00:00:00Z";
const LATER: &str = "2026-11-22T02:00:00Z";

fn now() -> UnixTime {
    UnixTime::parse_rfc3339(AT).expect("a moment")
}

fn root() -> RootSecret {
    RootSecret::parse(SECRET).expect("a secret")
}

fn both(folder: &Folder, given: &str, at: &str) -> [Ran; 2] {
    ["inspect", "verify"].map(|command| {
        let ran = folder.run_with(&["token", command, "--json", "--at", at], given);
        ran.hides(SECRET).hides(K);
        ran
    })
}

fn advice(json: &Value) -> String {
    json["advice"].to_string()
}

#[test]
fn fresh_tokens() {
    use edgeward::token::fresh::{FreshTokens, Holder};
    let holder = Holder { origin: "https://a.example", user: "key:ci", scope: "deploy", id: "1" };
    let fresh = FreshTokens::new(&root(), Lifetime::from_seconds(300)).expect("a secret");
    let token = fresh.mint(&holder, now());
    let folder = Folder::good();
    folder.write("wrangler.toml", &format!("{GOOD}\n[vars.EDGEWARD.token]\nlifetime = \"5m\"\n"));
    let [inspect, verify] = both(&folder, &token, AT);
    let (inspect, verify) = (inspect.hides(&token).json(), verify.hides(&token).json());
    assert_eq!(
        (&inspect["verified"], &inspect["kind"]),
        (&json!(true), &json!("a fresh token of POST /.edgeward/token"))
    );
    assert_eq!(inspect["verdict"]["taken"]["user"], "key:ci");
    assert_eq!(
        (&verify["ok"], &verify["user"], &verify["scopes"]),
        (&json!(true), &json!("key:ci"), &json!("deploy"))
    );
    let [late, no] = both(&folder, &token, LATER).map(|ran| ran.exits(1).json());
    assert_eq!((&late["verdict"]["cause"], &no["cause"]), (&json!("token-expired"), &json!("token-expired")));
    assert_eq!(late["signature"]["holds"], true);
    assert!(advice(&late).contains("POST /.edgeward/token with its API key"), "{late}");
    let [off, _] = both(&Folder::good(), &token, AT).map(|ran| ran.exits(1).json());
    assert_eq!(off["verdict"]["cause"], "token-unknown-key");
    assert!(advice(&off).contains("[vars.EDGEWARD.token] would have to be there"), "{off}");
}

#[test]
fn orders_to_revoke() {
    use edgeward::revocation::order::{Order, sign};
    let order = Order { ids: vec!["abc".to_owned()], keys: vec!["k9".to_owned()], ..Order::default() };
    let token = sign(&root(), "https://a.example", &order, now()).expect("a secret");
    let folder = Folder::good();
    let ran = folder.run_with(&["token", "inspect", "--at", AT], &token).exits(0);
    for words in [
        "Kind       an order to revoke, which lets nobody in",
        "Signature  holds, by the key ",
        "Verdict    taken: POST /.edgeward/revoke of https://a.example: ids abc; keys k9 revoked",
    ] {
        assert!(ran.out.contains(words), "{words}: {}", ran.out);
    }
    let [late, _] = both(&folder, &token, LATER).map(|ran| ran.exits(1).json());
    assert_eq!((&late["verdict"]["ok"], &late["signature"]["holds"]), (&json!(false), &json!(false)));
    assert!(advice(&late).contains("good for 60 s"), "{late}");
}

#[test]
fn assertions_for_the_origin() {
    use edgeward::token::assertion::{AssertionClaims, AssertionKey};
    let key = AssertionKey::new(&root(), "https://origin.acme.example").expect("a secret");
    let token = key.sign(&AssertionClaims {
        issuer: "https://acme.example",
        subject: Some("ann"),
        issued_at: now(),
        id: "1",
        method: "GET",
        uri: "https://acme.example/",
        methods: &["pwd"],
    });
    let [inspect, verify] = both(&Folder::good(), &format!("X-Edgeward-Assertion: {token}"), AT);
    let (inspect, verify) = (inspect.exits(1).json(), verify.exits(1).json());
    assert_eq!(
        (&inspect["kind"], &inspect["signature"]["holds"]),
        (&json!("an assertion for the origin"), &json!(true))
    );
    assert_eq!(verify["cause"], "token-malformed");
    assert!(
        advice(&inspect).contains("edgeward key assertion --origin https://origin.acme.example"),
        "{inspect}"
    );
    let forged = format!("{}AAAA", &token[..token.len() - 4]);
    let [forged, _] = both(&Folder::good(), &forged, AT).map(|ran| ran.exits(1).json());
    assert_eq!(forged["signature"]["holds"], false);
}

#[test]
fn api_keys() {
    let folder = Folder::good();
    let made = folder.run(&["api-key", "ci", "--scopes", "deploy", "--json"]).exits(0).json();
    let (key, line) = (made["key"].as_str().expect("a key"), made["line"].as_str().expect("a line"));
    for ran in both(&folder, key, AT) {
        ran.hides(key);
        let json = ran.exits(1).json();
        assert_eq!(
            (&json["kind"], &json["form"], &json["known"]),
            (&json!("api-key"), &json!("ours"), &Value::Null)
        );
    }
    folder.write(".dev.vars", &format!("{}EDGEWARD_API_KEYS='{line}'\n", dev_vars()));
    for ran in both(&folder, &format!("X-API-Key: {key}\n"), AT) {
        ran.hides(key);
        let json = ran.exits(0).json();
        assert_eq!((&json["name"], &json["scopes"]), (&json!("ci"), &json!(["deploy"])));
    }
    let mistyped = key.replacen(&key[10..13], "---", 1);
    let [inspect, _] = both(&folder, &mistyped, AT);
    inspect.hides(&mistyped);
    assert_eq!(inspect.exits(1).json()["form"], "mistyped");
}

#[test]
fn user_ids_and_passwords() {
    let folder = Folder::good();
    assert!(both(&folder, "ann:right password", AT)[0].err.contains("EDGEWARD_USERS is not here"));
    let line =
        folder.run_with(&["hash", "ann", "--groups", "editors", "--algorithm", "bcrypt"], "right password");
    let line = line.exits(0).out.trim_end().to_owned();
    let off = line.replacen("ann", "off", 1) + ":!suspended";
    let old = line.replacen("ann", "old", 1) + ":!until=2026-01-01";
    folder.write(".dev.vars", &format!("{}EDGEWARD_USERS='{line}\n{off}\n{old}'\n", dev_vars()));
    for (given, code, cause, said) in [
        ("Basic YW5uOnJpZ2h0IHBhc3N3b3Jk", 0, "", ""),
        ("Authorization: Basic YW5uOnJpZ2h0IHBhc3N3b3Jk", 0, "", ""),
        ("ann:right password", 0, "", ""),
        ("ann:wrong password", 1, "credentials-wrong", "The account is there"),
        ("bob:right password", 1, "credentials-wrong", "has no such account"),
        ("off:right password", 1, "account-suspended", "without !suspended"),
        ("old:right password", 1, "password-expired", "a later !until"),
        ("Basic !", 1, "credentials-malformed", ""),
    ] {
        for ran in both(&folder, given, AT) {
            ran.hides("right password").hides("wrong password");
            let json = ran.exits(code).json();
            assert_eq!(json["kind"], "basic");
            assert_eq!(json["cause"].as_str().unwrap_or_default(), cause, "{given}: {json}");
            assert!(advice(&json).contains(said), "{given}: {json}");
        }
    }
}

#[test]
fn links_are_for_another_command() {
    let folder = Folder::good();
    folder.write("wrangler.toml", &format!("{GOOD}\n[[vars.EDGEWARD.tokens]]\nformat = \"edgeward\"\n"));
    let link = folder.run(&["url", "sign", "https://a.example/x"]).exits(0).out.trim_end().to_owned();
    let token = link.rsplit('=').next().expect("a token").to_owned();
    for given in [&link, &token] {
        for ran in both(&folder, given, AT) {
            let ran = ran.exits(2);
            assert!(ran.err.contains("edgeward url verify"), "{}", ran.err);
            ran.hides(&token);
        }
    }
}

/// A key out of use is said to be so, by its date.
#[test]
fn keys_by_their_dates() {
    let folder = Folder::good();
    let token = folder.run(&["token", "mint", "--at", AT, "--sub", "ann"]).exits(0).out;
    for (dates, code, words) in [
        (
            json!({"retire_after": "2026-11-01T00:00:00Z"}),
            1,
            "holds, by key k, which was retired at 2026-11-01T00:00:00Z",
        ),
        (
            json!({"use_from": "2026-12-01T00:00:00Z"}),
            1,
            "holds, by key k, which is not in use before 2026-12-01",
        ),
        (json!({"retire_after": "2026-12-01T00:00:00Z"}), 0, "holds, by key k, which retires at 2026-12-01"),
    ] {
        let key = json!({"kty": "oct", "kid": "k", "alg": "HS256", "k": K, "edgeward": dates});
        let keys = json!({ "keys": [key] });
        folder.write(".dev.vars", &format!("EDGEWARD_SECRET='{SECRET}'\nEDGEWARD_KEYS='{keys}'\n"));
        let ran = folder.run_with(&["token", "inspect", "--at", AT], &token).exits(code);
        assert!(ran.out.contains(words), "{words}: {}", ran.out);
        if code == 1 {
            assert!(ran.out.contains("refused: token-unknown-key: The key \"k\""), "{}", ran.out);
            assert!(ran.out.contains("sign with a key that is in use now"), "{}", ran.out);
        }
    }
}
