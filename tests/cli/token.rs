//! `token mint`, `verify` and `inspect`.

use super::support::{Folder, GOOD, K, dev_vars, keys, ran};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edgeward::policy::HmacAlgorithm;
use edgeward::token::mac::MacKey;
use serde_json::{Value, json};

const AT: &str = "2026-11-22T00:00:00Z";
const AT_SECONDS: i64 = 1_795_305_600;

fn mint(folder: &Folder, arguments: &[&str]) -> String {
    folder.run(&[&["token", "mint", "--at", AT], arguments].concat()).exits(0).out.trim_end().to_owned()
}

fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).expect("a part");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}

/// A token signed with other octets than the gate's key.
fn signed_with(octets: &[u8], header: &str, claims: &str) -> String {
    let input = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let tag = MacKey::new(HmacAlgorithm::Hs256, octets).tag(&[input.as_bytes()]);
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag.as_bytes()))
}

#[test]
fn mint_sets_every_claim() {
    let folder = Folder::good();
    let arguments = [
        "--kid",
        "k",
        "--sub",
        "ann",
        "--aud",
        "a",
        "--aud",
        "b",
        "--iss",
        "me",
        "--scope",
        "read write",
        "--groups",
        "x,y",
        "--expires",
        "12h",
        "--not-before",
        AT,
        "--claim",
        "plan=pro",
        "--claim",
        "seats=5",
        "--claim",
        "nested={\"a\":[true]}",
    ];
    let token = mint(&folder, &arguments);
    assert_eq!(part(&token, 0), json!({ "alg": "HS256", "typ": "JWT", "kid": "k" }));
    let expected = json!({
        "iss": "me", "sub": "ann", "aud": ["a", "b"], "scope": "read write", "groups": ["x", "y"],
        "iat": AT_SECONDS, "nbf": AT_SECONDS, "exp": AT_SECONDS + 12 * 3600,
        "plan": "pro", "seats": 5, "nested": { "a": [true] },
    });
    assert_eq!(part(&token, 1), expected);
    let json =
        folder.run(&["token", "mint", "--aud", "a", "--no-expiry", "--json", "--at", AT]).exits(0).json();
    assert_eq!(json["claims"], json!({ "aud": "a", "iat": AT_SECONDS }));
    assert_eq!(json["expires"], Value::Null);
}

#[test]
fn mint_is_misused() {
    let folder = Folder::good();
    for arguments in [
        &["--kid", "other"][..],
        &["--expires", "0"],
        &["--expires", "soon"],
        &["--claim", "exp=5"],
        &["--claim", "a=1", "--claim", "a=2"],
        &["--claim", "a"],
        &["--at", "now"],
        &["--expires", "5m", "--no-expiry"],
        &["--expires", "99999999999d"],
    ] {
        let ran = folder.run(&[&["token", "mint"], arguments].concat()).exits(2);
        assert!(ran.out.is_empty(), "{arguments:?}");
        ran.hides(K);
    }
    let ran = Folder::new().run(&["token", "mint"]).exits(2);
    assert!(ran.err.contains("EDGEWARD_KEYS is not here"));
}

#[test]
fn mint_says_where_this_gate_refuses_it() {
    let folder = Folder::good();
    assert_eq!(folder.run(&["token", "mint", "--sub", "ann"]).exits(0).err, "");
    let wants = format!("{GOOD}\n[[vars.EDGEWARD.tokens]]\naudience = \"staging\"\n");
    folder.write("wrangler.toml", &wants);
    let ran = folder.run(&["token", "mint", "--aud", "production"]).exits(0);
    assert!(ran.err.contains("This gate would refuse it: token-wrong-audience"), "{}", ran.err);
    assert_eq!(folder.run(&["token", "mint", "--aud", "staging"]).exits(0).err, "");
}

#[test]
fn verify_says_yes_and_no() {
    let folder = Folder::good();
    let token = mint(&folder, &["--sub", "ann", "--scope", "read", "--expires", "1h"]);
    let verify = |at: &str, token: &str| folder.run_with(&["token", "verify", "--json", "--at", at], token);
    let yes = verify("2026-11-22T00:30:00Z", &format!("Bearer {token}\n")).exits(0);
    assert_eq!(yes.json()["user"], "token:ann");
    assert_eq!(yes.json()["scopes"], json!(["read"]));
    for (at, token, cause) in [
        ("2026-11-22T01:00:30Z", token.as_str(), "token-expired"),
        ("2026-11-21T23:59:29Z", &token, "token-not-yet-valid"),
        (AT, &token[..token.len() - 3], "token-bad-signature"),
        (AT, "a.b", "token-malformed"),
        (AT, "e30.e30.AAAA", "token-algorithm"),
        (AT, &signed_with(b"x", r#"{"alg":"HS256","kid":"z"}"#, "{}"), "token-unknown-key"),
    ] {
        let no = verify(at, token).exits(1);
        assert_eq!((&no.json()["cause"], &no.json()["ok"]), (&cause.into(), &false.into()), "{token}");
        no.hides(token);
    }
    // Within the leeway of 30 s it is still good.
    verify("2026-11-22T01:00:29Z", &token).exits(0);
}

#[test]
fn a_token_comes_from_the_environment_or_standard_input_alone() {
    let folder = Folder::good();
    let token = mint(&folder, &["--sub", "ann"]);
    let mut command = folder.command(&["token", "verify", "--at", AT]);
    command.env("EDGEWARD_TOKEN", &token);
    assert!(
        ran(command, "").exits(0).out.starts_with("good: token:ann, by key k, until 2026-11-22T01:00:00Z")
    );
    folder.run(&["token", "verify", &token]).exits(2);
    let ran = folder.run(&["token", "verify"]).exits(2);
    assert!(ran.err.contains("EDGEWARD_TOKEN"), "{}", ran.err);
    let both = folder.run_with(&["token", "verify", "--secrets", "-"], &token).exits(2);
    assert!(both.err.contains("standard input"), "{}", both.err);
}

#[test]
fn a_gate_that_is_not_configured_takes_no_token() {
    let folder = Folder::good();
    let token = mint(&folder, &[]);
    folder.write("wrangler.toml", "[vars.EDGEWARD]\nleeway = 900\n");
    let ran = folder.run_with(&["token", "verify", "--json"], &token).exits(1);
    assert_eq!(ran.json()["cause"], "not-configured");
    assert!(ran.json()["detail"].as_str().expect("text").contains("EDGEWARD.leeway: found 900"));
    let bare = Folder::new();
    let ran = bare.run_with(&["token", "verify"], &token).exits(2);
    assert!(ran.err.contains("EDGEWARD_KEYS is not here"));
}

#[test]
fn a_trusted_subject_must_have_an_account() {
    let folder = Folder::good();
    let line = folder.run_with(&["hash", "ann", "--algorithm", "bcrypt"], "right password").out;
    folder.write(".dev.vars", &format!("{}EDGEWARD_USERS='{}'\n", dev_vars(), line.trim_end()));
    folder.write("wrangler.toml", &format!("{GOOD}\n[[vars.EDGEWARD.tokens]]\ntrust_subject = true\n"));
    for (arguments, code, words) in [
        (&["--sub", "ann"][..], 0, "\"user\": \"ann\""),
        (&["--sub", "eve"], 1, "credentials-wrong"),
        (&["--sub", "token:ann"], 1, "token-malformed"),
        (&[], 1, "token-missing-claim"),
    ] {
        let token = mint(&folder, arguments);
        let ran = folder.run_with(&["token", "verify", "--json", "--at", AT], &token).exits(code);
        assert!(ran.out.contains(words), "{ran:?}");
    }
}

#[test]
fn inspect_tells_what_a_good_token_says() {
    let folder = Folder::good();
    let token = mint(&folder, &["--sub", "ann", "--claim", "n=5"]);
    let ran = folder.run_with(&["token", "inspect", "--at", "2026-11-22T00:00:14Z"], &token).exits(0);
    for words in [
        "Signature  holds, by key k",
        "Verdict    let in as token:ann (found in authorization, at 2026-11-22T00:00:14Z)",
        "iat  issued at 2026-11-22T00:00:00Z, 14 seconds ago",
        "exp  expires 2026-11-22T01:00:00Z, in 59 minutes",
        "sub  \"ann\"",
    ] {
        assert!(ran.out.contains(words), "{words}: {}", ran.out);
    }
    assert!(!ran.out.contains("not verified"));
    ran.hides(&token).hides(K);
}

#[test]
fn inspect_says_what_would_have_to_be_otherwise() {
    let folder = Folder::good();
    let strict = "[vars.EDGEWARD]\nleeway = 0\n[[vars.EDGEWARD.tokens]]\nissuer = \"https://a.example\"\naudience = [\"x\", \"y\"]\nmax_age = \"2h\"\n";
    folder.write("strict.toml", strict);
    folder.write("plain.toml", "[vars.EDGEWARD]\nleeway = 0\n");
    let good = ["--iss", "https://a.example", "--aud", "x"];
    let token = |more: &[&str]| mint(&folder, &[&good, more].concat());
    for (config, at, token, words) in [
        (
            "plain.toml",
            "2026-11-22T01:00:14Z",
            token(&[]),
            "This JWT expired 14 s ago; a leeway of 30 s would let it in (it is 0 s).",
        ),
        ("plain.toml", "2026-11-22T01:00:30Z", token(&[]), "a leeway of 60 s would let it in"),
        ("plain.toml", "2026-11-22T01:04:59Z", token(&[]), "a leeway of 300 s would let it in"),
        ("plain.toml", "2026-11-22T01:05:00Z", token(&[]), "no leeway forgives that"),
        (
            "plain.toml",
            "2026-11-21T23:59:20Z",
            token(&[]),
            "This JWT says it is issued (iat) in 40 s; a leeway of 60 s",
        ),
        (
            "strict.toml",
            AT,
            mint(&folder, &["--iss", "b", "--aud", "x"]),
            "The token's iss is \"b\"; the policy wants one of: https://a.example.",
        ),
        (
            "strict.toml",
            AT,
            mint(&folder, &["--iss", "https://a.example", "--aud", "z"]),
            "The token's aud is \"z\"; the policy wants one of: x, y.",
        ),
        ("strict.toml", AT, mint(&folder, &["--aud", "x"]), "The issuer would have to set that claim"),
        (
            "strict.toml",
            AT,
            token(&["--expires", "3h"]),
            "It is made to last 10800 s (3 hours) (exp - iat), and max_age is 7200 s (2 hours).",
        ),
        (
            "plain.toml",
            AT,
            signed_with(K.as_bytes(), r#"{"alg":"HS256"}"#, "{}"),
            "The issuer signs with the key k taken as text",
        ),
        (
            "plain.toml",
            AT,
            signed_with(b"something else", r#"{"alg":"HS256"}"#, "{}"),
            "Issuer and gate have different keys",
        ),
        (
            "plain.toml",
            AT,
            signed_with(b"the key of these tests, 32 octets", r#"{"alg":"HS256","kid":"q"}"#, "{}"),
            "The token names the key \"q\"; here there is: k. Its signature is that of a key here under another id.",
        ),
        (
            "plain.toml",
            AT,
            signed_with(b"x", r#"{"alg":"RS256"}"#, "{}"),
            "The token says \"RS256\"; the policy allows HS256; of the keys here k is for HS256.",
        ),
    ] {
        let ran = folder.run_with(&["token", "inspect", "--config", config, "--at", at], &token).exits(1);
        assert!(ran.out.contains(words), "{words}: {}", ran.out);
        let json =
            folder.run_with(&["token", "inspect", "--config", config, "--at", at, "--json"], &token).json();
        assert_eq!(json["verified"], false);
        assert!(json["advice"].to_string().contains(&words.replace('"', "\\\"")[..20]), "{json}");
    }
}

/// What a leeway is said to do, it does.
#[test]
fn the_leeway_that_is_named_lets_it_in() {
    let folder = Folder::good();
    let token = mint(&folder, &[]);
    let inspect = |leeway: u32| {
        folder.write("some.toml", &format!("[vars.EDGEWARD]\nleeway = {leeway}\n"));
        folder
            .run_with(&["token", "inspect", "--config", "some.toml", "--at", "2026-11-22T01:01:17Z"], &token)
    };
    assert!(inspect(0).exits(1).out.contains("a leeway of 90 s would let it in"));
    inspect(90).exits(0);
}

#[test]
fn inspect_shows_what_is_not_verified_as_such() {
    let folder = Folder::good();
    let forged = signed_with(b"guess", r#"{"alg":"HS256"}"#, "{\"sub\":\"root\\u001b[2J\u{9b}\u{202e}\"}");
    let ran = folder.run_with(&["token", "inspect"], &forged).exits(1);
    assert!(
        ran.out.contains("NOT VERIFIED")
            && ran.out.contains("Claims (not verified: anybody can write these)")
    );
    assert!(ran.out.contains("root"));
    for steering in ['\u{1b}', '\u{9b}', '\u{202e}'] {
        assert!(!ran.out.contains(steering), "{:?}", ran.out);
    }
    let bare = Folder::new();
    let ran = bare.run_with(&["token", "inspect", "--json"], &forged).exits(1);
    assert_eq!((&ran.json()["verdict"], &ran.json()["header"]["alg"]), (&Value::Null, &"HS256".into()));
    for garbage in ["x", "..", "a.b.c.d", "\u{e9}\u{e9}.\u{e9}", "AAAA.AAAA.AAAA"] {
        let ran = folder.run_with(&["token", "inspect"], garbage).exits(1);
        assert!(ran.out.contains("token-malformed"), "{ran:?}");
    }
}

#[test]
fn the_place_decides_which_entry_reads_it() {
    let folder = Folder::new();
    let two = keys().replace(
        "]}",
        &format!(
            ",{{\"kty\":\"oct\",\"kid\":\"c\",\"alg\":\"HS256\",\"k\":\"{}\"}}]}}",
            K.replace("dGhl", "VGhl")
        ),
    );
    folder.write(".dev.vars", &dev_vars().replace(&keys(), &two));
    let entries = "[[vars.EDGEWARD.tokens]]\nkeys = [\"k\"]\n[[vars.EDGEWARD.tokens]]\nkeys = [\"c\"]\nfrom = [\"cookie:t\"]\n";
    folder.write("wrangler.toml", entries);
    let token = mint(&folder, &["--kid", "c"]);
    let verify =
        |place: &str| folder.run_with(&["token", "verify", "--at", AT, "--from", place, "--json"], &token);
    verify("cookie:t").exits(0);
    assert_eq!(verify("authorization").exits(1).json()["cause"], "token-unknown-key");
    folder.run_with(&["token", "verify", "--from", "elsewhere"], &token).exits(2);
}
