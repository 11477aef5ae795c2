//! `keygen`, `key assertion` and `key import`.

use super::support::{Folder, GOOD, K, SECRET, dev_vars, keys};
use edgeward::token::from_base64url;
use edgeward::token::keys::KeySet;
use edgeward::token::mac::RootSecret;
use serde_json::Value;

#[test]
fn keygen_makes_what_the_gate_takes() {
    let folder = Folder::new();
    let ran = folder.run(&["keygen", "--json", "--kid", "a"]).exits(0);
    let json = ran.json();
    RootSecret::parse(json["EDGEWARD_SECRET"].as_str().expect("text")).expect("good");
    let set = KeySet::parse(json["EDGEWARD_KEYS"].as_str().expect("text")).expect("good");
    assert!(set.get("a").is_some() && set.warnings().is_empty());
    let again = folder.run(&["keygen", "--json"]).json();
    assert_ne!(again["EDGEWARD_SECRET"], json["EDGEWARD_SECRET"]);
    assert!(ran.err.contains("npx wrangler secret put EDGEWARD_SECRET"), "{}", ran.err);
    ran.err.lines().for_each(|line| assert!(!line.contains(json["EDGEWARD_SECRET"].as_str().expect("text"))));
}

#[test]
fn keygen_writes_lines_that_are_read_back() {
    let folder = Folder::new();
    let lines = folder.run(&["keygen", "--alg", "hs512"]).exits(0).out;
    assert_eq!(lines.lines().count(), 2);
    folder.write(".dev.vars", &lines);
    folder.run(&["token", "mint", "--sub", "ann"]).exits(0);
    let set: Value = serde_json::from_str(lines.split('\'').nth(3).expect("keys")).expect("JSON");
    assert_eq!(set["keys"][0]["alg"], "HS512");
    assert_eq!(from_base64url(set["keys"][0]["k"].as_str().expect("text")).expect("base64url").len(), 64);
}

#[test]
fn keygen_makes_one_of_the_two() {
    let folder = Folder::new();
    assert!(folder.run(&["keygen", "--only", "secret"]).exits(0).out.starts_with("EDGEWARD_SECRET='"));
    assert!(folder.run(&["keygen", "--only", "keys"]).exits(0).out.starts_with("EDGEWARD_KEYS='"));
    folder.run(&["keygen", "--kid", "it's"]).exits(2);
    folder.run(&["keygen", "--alg", "none"]).exits(2);
}

#[test]
fn rotation_puts_a_new_one_in_front_and_keeps_the_others() {
    let folder = Folder::new();
    folder.write(".dev.vars", &dev_vars());
    let json = folder.run(&["keygen", "--rotate", "--kid", "new", "--json"]).exits(0).json();
    let secrets: Vec<&str> = json["EDGEWARD_SECRET"].as_str().expect("text").split(' ').collect();
    assert_eq!(secrets.len(), 2);
    assert!(secrets[0] != SECRET && secrets[1] == SECRET);
    let set: Value = serde_json::from_str(json["EDGEWARD_KEYS"].as_str().expect("text")).expect("JSON");
    assert_eq!(set["keys"][0]["kid"], "new");
    assert_eq!((&set["keys"][1]["kid"], &set["keys"][1]["k"]), (&"k".into(), &K.into()));
    folder.run(&["keygen", "--rotate", "--kid", "k"]).exits(2);
}

#[test]
fn rotation_reads_standard_input_and_the_environment() {
    let folder = Folder::new();
    let ran = folder.run_with(&["keygen", "--rotate", "--secrets", "-"], &dev_vars()).exits(0);
    assert!(ran.out.contains(SECRET) && ran.out.contains(K));
    let mut command = folder.command(&["keygen", "--rotate", "--json"]);
    command.env("EDGEWARD_KEYS", keys());
    let json = super::support::ran(command, "").exits(0).json();
    assert!(json.get("EDGEWARD_SECRET").is_none(), "what is not here is not made up");
    assert!(json["EDGEWARD_KEYS"].as_str().expect("text").contains(K));
}

#[test]
fn rotation_of_nothing_and_of_what_is_broken_is_refused() {
    let folder = Folder::new();
    let ran = folder.run(&["keygen", "--rotate"]).exits(2);
    assert!(ran.err.contains("EDGEWARD_SECRET is not here") && ran.out.is_empty());
    folder.write(".dev.vars", "EDGEWARD_SECRET=c2hvcnQ\n");
    let ran = folder.run(&["keygen", "--rotate"]).exits(2);
    assert!(ran.err.contains("found a secret of 5 octets") && ran.out.is_empty());
    ran.hides("c2hvcnQ");
}

/// Two keys, with all that a rotation must not touch.
const KEPT: &str = r#"{"kty":"oct","kid":"old","alg":"HS256","k":"dGhlIGtleSBvZiB0aGVzZSB0ZXN0cywgMzIgb2N0ZXRz","x":{"n":12345678901234567890123,"t":"\u00e9"}}"#;
const DATED: &str = r#"{"kty":"oct","kid":"older","alg":"HS256","k":"YW5vdGhlciBrZXkgb2YgdGhlc2UgdGVzdHMsIDMyIG8","edgeward":{"retire_after":"2090-01-01T00:00:00Z"}}"#;

fn rotated(folder: &Folder, more: &[&str]) -> (Value, String, String) {
    let arguments = [&["keygen", "--rotate", "--only", "keys", "--kid", "new", "--json"], more].concat();
    let ran = folder.run(&arguments).exits(0);
    let text = ran.json()["EDGEWARD_KEYS"].as_str().expect("text").to_owned();
    (serde_json::from_str(&text).expect("JSON"), text, ran.err)
}

#[test]
fn rotation_keeps_every_member_of_the_others() {
    let folder = Folder::new();
    folder.write(".dev.vars", &format!("EDGEWARD_KEYS='{{\"keys\": [{KEPT},\n {DATED}], \"v\": 1.0}}'\n"));
    let (set, text, _) = rotated(&folder, &[]);
    assert!(text.contains(&format!("{KEPT},{DATED}]")) && text.ends_with(",\"v\":1.0}"), "{text}");
    assert_eq!((&set["keys"][0]["kid"], set["keys"].as_array().map(Vec::len)), (&"new".into(), Some(3)));
    // The lines can be read back, and rotated again.
    let lines = folder.run(&["keygen", "--rotate", "--kid", "new"]).exits(0).out;
    folder.write(".dev.vars", &lines);
    let again = folder.run(&["keygen", "--rotate"]).exits(0);
    assert!(again.out.contains(KEPT) && again.out.contains(DATED), "{}", again.out);
    folder.run(&["keygen", "--rotate", "--kid", "new"]).exits(2);
}

#[test]
fn old_keys_get_a_date_if_they_have_none() {
    let folder = Folder::new();
    folder.write(".dev.vars", &format!("EDGEWARD_KEYS='{{\"keys\":[{KEPT},{DATED}]}}'\n"));
    for date in ["2080-01-01", "2080-01-01T00:00:00Z", "2080-01-01T02:00:00+02:00"] {
        let (set, text, notes) = rotated(&folder, &["--retire-old-after", date]);
        assert!(set["keys"][0].get("edgeward").is_none(), "the new one stays");
        assert_eq!(set["keys"][1]["edgeward"]["retire_after"], "2080-01-01T00:00:00Z");
        assert!(text.contains("12345678901234567890123") && text.contains(DATED), "{text}");
        assert!(notes.contains("these verify, then no longer: old."), "{notes}");
    }
    let (set, _, notes) = rotated(&folder, &["--retire-old-after", "30d"]);
    let retire = set["keys"][1]["edgeward"]["retire_after"].as_str().expect("text");
    let at = edgeward::time::UnixTime::parse_rfc3339(retire).expect("a date").seconds();
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    assert!((at - now as i64 - 30 * 86_400).abs() < 60, "{retire}");
    assert!(notes.contains("in 29 days") || notes.contains("in 30 days"), "{notes}");
    for (arguments, words) in [
        (&["--retire-old-after", "2020-01-01"][..], "is over"),
        (&["--retire-old-after", "soon"], "write 2026-12-01"),
        (&["--retire-old-after", "30d", "--only", "secret"], "EDGEWARD_KEYS is not here"),
    ] {
        let ran = folder.run(&[&["keygen", "--rotate"], arguments].concat()).exits(2);
        assert!(ran.err.contains(words) && ran.out.is_empty(), "{}", ran.err);
    }
    folder.run(&["keygen", "--retire-old-after", "30d"]).exits(2);
}

/// Nobody notices: what either key signed is let in, until the day that was named.
#[test]
fn tokens_of_the_old_key_hold_until_its_day() {
    let folder = Folder::good();
    let token = folder.run(&["token", "mint", "--sub", "ann", "--no-expiry"]).exits(0).out;
    let lines =
        folder.run(&["keygen", "--rotate", "--kid", "new", "--retire-old-after", "2080-01-01"]).exits(0).out;
    folder.write(".dev.vars", &lines);
    folder.write(
        "wrangler.toml",
        &format!("{}\n[[vars.EDGEWARD.tokens]]\nrequire = []\n", super::support::GOOD),
    );
    let verify = |token: &str, at: &str| folder.run_with(&["token", "verify", "--at", at], token);
    assert!(verify(&token, "2079-12-31T23:59:59Z").exits(0).out.contains("by key k,"));
    let refused = verify(&token, "2080-01-01T00:00:00Z").exits(1).out;
    let words =
        "token-unknown-key: The key \"k\", which signed the token, was retired at 2080-01-01T00:00:00Z.";
    assert!(refused.contains(words), "{refused}");
    let inspected =
        folder.run_with(&["token", "inspect", "--at", "2080-01-01T00:00:00Z"], &token).exits(1).out;
    assert!(
        inspected.contains(words) && inspected.contains("the dates of k in EDGEWARD_KEYS"),
        "{inspected}"
    );
    assert!(!inspected.contains("under another id"), "{inspected}");
    let new = folder.run(&["token", "mint", "--sub", "ann", "--no-expiry"]).exits(0).out;
    assert!(verify(&new, "2080-01-01T00:00:00Z").exits(0).out.contains("by key new,"));
    // And what is made then is not made with a key that is out of use.
    folder.write(
        ".dev.vars",
        &lines.replacen(
            "\"kid\":\"new\"",
            "\"kid\":\"new\",\"edgeward\":{\"use_from\":\"2080-01-01T00:00:00Z\"}",
            1,
        ),
    );
    let early = folder.run(&["token", "mint", "--no-expiry", "--json"]).exits(0).json();
    assert_eq!(early["kid"], "k");
    folder.run(&["token", "mint", "--no-expiry", "--kid", "new"]).exits(0);
}

#[test]
fn the_ninth_key_is_warned_of() {
    let folder = Folder::new();
    folder.write(".dev.vars", &folder.run(&["keygen", "--only", "keys"]).exits(0).out);
    for count in 2..=9 {
        let ran = folder.run(&["keygen", "--rotate"]).exits(0);
        let words = "EDGEWARD_KEYS now has 9 keys in use for HS256";
        assert_eq!(ran.err.contains(words), count == 9, "{}", ran.err);
        folder.write(".dev.vars", &ran.out);
    }
}

/// Where EDGEWARD_KEYS is not here, a set of this key alone.
fn imported(arguments: &[&str], key: &str) -> Value {
    let folder = Folder::new();
    let ran =
        folder.run_with(&[&["key", "import", "--kid", "a", "--json"], arguments].concat(), key).exits(0);
    assert!(ran.err.contains("EDGEWARD_KEYS is not here"), "{}", ran.err);
    assert!(!ran.err.contains(key.trim()), "{}", ran.err);
    let set = ran.json()["EDGEWARD_KEYS"].as_str().expect("a set").to_owned();
    let set: Value = serde_json::from_str(&set).expect("JSON");
    assert_eq!(set["keys"].as_array().map(Vec::len), Some(1));
    set["keys"][0].clone()
}

#[test]
fn keys_of_vendors_are_imported_as_they_write_them() {
    use edgeward::token::to_base64url as k;
    let long = "a text that is the key, 32 octets";
    let hex = "52a152a152a152a152a152a152a1";
    let akamai: Vec<u8> = [0x52, 0xa1].repeat(7);
    let base64 = "cGFkZGVkIGtleSBvZiBhbiBpc3N1ZXIgb2YgSldUcyEhIQ==";
    let decoded = b"padded key of an issuer of JWTs!!!";
    let table: [(&[&str], String, &str, String); 16] = [
        (&["--format", "akamai"], format!("{hex}\n"), "HS256", k(&akamai)),
        (&["--format", "akamai", "--alg", "hs1"], hex.to_uppercase(), "HS1", k(&akamai)),
        (&["--format", "cloudflare"], format!("{long}\r\nmore"), "HS256", k(long.as_bytes())),
        (&["--format", "fastly"], format!("{base64}\n"), "HS1", k(decoded)),
        (
            &["--format", "google-cdn"],
            "nZtRohdNF9m3cKM24IcK4w==\n".into(),
            "HS1",
            "nZtRohdNF9m3cKM24IcK4w".into(),
        ),
        (
            &["--format", "media-cdn"],
            "g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8=".into(),
            "HS256",
            "g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8".into(),
        ),
        (
            &["--format", "media-cdn", "--alg", "HS1"],
            "g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8".into(),
            "HS1",
            "g_SlMILiIWKqsC6Z2L7gy0sReDOqtSrJrE7CXNr5Nl8".into(),
        ),
        (&["--format", "bunny"], long.into(), "HS256", k(long.as_bytes())),
        (&["--format", "nginx-hmac"], long.into(), "HS256", k(long.as_bytes())),
        (&["--format", "nginx-hmac", "--alg", "HS512"], long.into(), "HS512", k(long.as_bytes())),
        (
            &["--format", "laravel"],
            format!("base64:{base64}"),
            "HS256",
            k(format!("base64:{base64}").as_bytes()),
        ),
        (&["--format", "laravel", "--encoding", "base64"], format!("base64:{base64}"), "HS256", k(decoded)),
        (&["--format", "symfony"], long.into(), "HS256", k(long.as_bytes())),
        (&["--format", "discourse"], "sixteen or more!".into(), "HS256", k(b"sixteen or more!")),
        (&["--format", "jwt", "--encoding", "base64"], base64.into(), "HS256", k(decoded)),
        (&["--format", "jwt", "--encoding", "hex", "--alg", "HS384"], "0a".repeat(48), "HS384", k(&[10; 48])),
    ];
    for (arguments, key, alg, expected) in table {
        let jwk = imported(arguments, &key);
        let expected = serde_json::json!({ "kty": "oct", "kid": "a", "alg": alg, "k": expected });
        assert_eq!(jwk, expected, "{arguments:?}");
    }
}

#[test]
fn an_import_joins_the_keys_that_are_here() {
    let folder = Folder::good();
    let import =
        |arguments: &[&str], key: &str| folder.run_with(&[&["key", "import"], arguments].concat(), key);
    let kids = |lines: &str| -> Vec<String> {
        let text = lines.trim().trim_start_matches("EDGEWARD_KEYS='").trim_end_matches('\'');
        let set = KeySet::parse(text).expect("a good set");
        set.iter().map(|key| key.kid().to_string()).collect()
    };
    let ran = import(&["--format", "akamai", "--kid", "cdn"], "52a152a152a152a152a152a152a1").exits(0);
    assert_eq!(kids(&ran.out), ["k", "cdn"], "what signs here stays in front");
    assert!(ran.out.contains(K) && ran.err.contains("weak_keys = true") && ran.err.contains("has 14 octets"));
    assert!(ran.err.contains("format = \"akamai\" and keys = [\"cdn\"]"), "{}", ran.err);
    assert!(ran.err.contains("npx wrangler secret put EDGEWARD_KEYS"), "{}", ran.err);
    ran.hides("52a152a1");
    folder.write(".dev.vars", &format!("EDGEWARD_SECRET={SECRET}\n{}", ran.out));
    let issuer = "the key of an issuer, which says 'quoted' things";
    let ran = import(&["--format", "jwt", "--encoding", "text", "--kid", "idp"], issuer).exits(0);
    assert_eq!(kids(&ran.out), ["idp", "k", "cdn"]);
    assert!(!ran.err.contains("weak_keys"), "{}", ran.err);
    ran.hides(issuer);
    let minted = folder.run(&["token", "mint", "--json"]).exits(0).json();
    assert_eq!(minted["kid"], "k", "a key of a CDN signs no JWT");
}

/// As README.md has it, one CDN after the other, on a machine whose own keys stand in `.dev.vars`.
#[test]
fn imports_can_be_appended_to_the_file_of_a_deployment() {
    let folder = Folder::good();
    let mut file = format!("EDGEWARD_SECRET='{SECRET}'\n");
    for (format, kid, key) in [
        ("akamai", "akamai-2026", "52a152a152a152a152a152a152a152a152a1"),
        ("cloudflare", "waf-2026", "a secret of the rule at Cloudflare"),
    ] {
        folder.write(".dev.vars.production", &file);
        let arguments =
            ["key", "import", "--format", format, "--kid", kid, "--secrets", ".dev.vars.production"];
        let ran = folder.run_with(&arguments, key).exits(0);
        assert!(!ran.out.contains(K), "what is in .dev.vars is for this machine");
        file.push_str(&ran.out);
    }
    folder.write(".dev.vars.production", &file);
    folder.write("wrangler.toml", &format!("{}{CDNS}", GOOD.replace(FOR_JWTS, "accept = [\"signed-url\"]")));
    folder.run(&["check", "--config", "wrangler.toml", "--secrets", ".dev.vars.production"]).exits(0);
}

const FOR_JWTS: &str = "accept = [\"bearer\"]\nscopes = [\"read\"]";

const CDNS: &str = r#"
[[vars.EDGEWARD.tokens]]
format = "akamai"
keys = ["akamai-2026"]

[[vars.EDGEWARD.tokens]]
format = "cloudflare"
keys = ["waf-2026"]
ttl = "3h"
"#;

#[test]
fn an_import_that_cannot_be_is_refused_in_words() {
    let folder = Folder::good();
    let long = "a text that is the key, 32 octets";
    let published = "super-secret-jwt-token-with-at-least-32-characters-long";
    let table: [(&[&str], &str, &str); 15] = [
        (&["akamai"], "52a1zz52a1zz", "This is no key of akamai in hex: character 5 is no hexadecimal digit"),
        (&["akamai"], "", "Standard input is empty"),
        (&["akamai"], "\n", "the key is empty"),
        (&["akamai", "--alg", "HS512"], "52a1", "--alg: keys of akamai are for HS256 or HS1."),
        (&["akamai", "--alg", "MD5"], "52a1", "write HS256, HS384, HS512 or HS1"),
        (&["akamai", "--encoding", "text"], "52a1", "--encoding: keys of akamai are written as hex."),
        (&["fastly"], "g_SlMILi", "character 2 does not belong to base64: this looks like base64url"),
        (&["google-cdn"], "g_SlMILi", "the key has 6 bytes, and those of google-cdn have 16"),
        (&["jwt"], long, "--encoding is needed"),
        (
            &["jwt", "--encoding", "text", "--alg", "HS512"],
            long,
            "The key has 33 octets, and one for JWTs with HS512 has 64",
        ),
        (&["jwt", "--encoding", "text"], "-----BEGIN PUBLIC KEY-----MFkwEwYHKoZIzj0C", "a PEM or SSH key"),
        (&["discourse"], "ten octets", "The secret has 10 octets, and fewer than 16 can be found by trying"),
        (&["bunny"], published, "a key that is published in a list of weak ones"),
        (&["edgeward"], long, "invalid value 'edgeward'"),
        (&["symfony", "--kid", "a b"], long, "letters, digits"),
    ];
    for (arguments, key, words) in table {
        let kid = if arguments.contains(&"--kid") { &[][..] } else { &["--kid", "cdn"] };
        let arguments = [&["key", "import", "--format"], arguments, kid].concat();
        let ran = folder.run_with(&arguments, key).exits(2);
        assert!(ran.err.contains(words) && ran.out.is_empty(), "{arguments:?}: {}", ran.err);
        assert!(key.len() < 4 || !ran.err.contains(key), "{}", ran.err);
    }
    let taken = folder.run_with(&["key", "import", "--format", "bunny", "--kid", "k"], long).exits(2);
    assert!(taken.err.contains("EDGEWARD_KEYS has a key \"k\" already"), "{}", taken.err);
    let both = folder.run_with(&["key", "import", "--format", "bunny", "--kid", "b", "--secrets", "-"], long);
    assert!(both.exits(2).err.contains("cannot both be read from standard input"));
    let argument = folder.run(&["key", "import", "--format", "bunny", "--kid", "b", long]).exits(2);
    assert!(
        argument.err.contains("read from standard input") && !argument.err.contains(long),
        "{}",
        argument.err
    );
}

#[test]
fn an_origin_gets_a_key_for_each_secret() {
    let folder = Folder::good();
    let other = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
    folder.write("two.vars", &format!("EDGEWARD_SECRET='{SECRET} {other}'\n"));
    let arguments = ["key", "assertion", "--origin", "https://Origin.acme.example:443/base"];
    let one = folder.run(&arguments).exits(0);
    one.hides(SECRET);
    assert!(one.err.contains("https://origin.acme.example."), "{}", one.err);
    let root = RootSecret::parse(SECRET).expect("good");
    assert_eq!(one.json(), edgeward::token::assertion::jwk_set(&root, "https://origin.acme.example"));
    let two = folder.run(&[&arguments[..], &["--secrets", "two.vars"]].concat()).exits(0).json();
    assert_eq!(two["keys"].as_array().expect("list").len(), 2);
    assert_eq!(two["keys"][0], one.json()["keys"][0]);
    for bad in ["origin.acme.example", "assets", "ftp://a.example", "https://u:p@a.example"] {
        let ran = folder.run(&["key", "assertion", "--origin", bad]).exits(2);
        assert!(ran.out.is_empty(), "{bad}");
    }
}
