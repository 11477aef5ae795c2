//! `url sign` and `url verify`.

use super::support::{Folder, GOOD, Ran, SECRET, dev_vars};
use edgeward::policy::HmacAlgorithm;
use edgeward::token::mac::MacKey;
use serde_json::{Value, json};

const AT: &str = "2026-11-22T00:00:00Z";
const AT_SECONDS: i64 = 1_795_305_600;
/// Key of the links of other formats.
const FOREIGN: &[u8] = b"the key of some other signer, 32";

/// The good configuration, but for its rule on JWTs, with entries of formats.
fn folder(entries: &str) -> Folder {
    let folder = Folder::good();
    let (before, _) =
        GOOD.split_once("[[vars.EDGEWARD.rules]]\npath = \"/api/*\"").expect("the rule on JWTs");
    folder.write("wrangler.toml", &format!("{before}{entries}"));
    folder
}

fn shares() -> Folder {
    folder("\n[[vars.EDGEWARD.tokens]]\nformat = \"edgeward\"\n")
}

/// A folder whose `EDGEWARD_KEYS` is one key, `f`.
fn with_key(entries: &str, algorithm: &str, k: &[u8]) -> Folder {
    let folder = folder(entries);
    let k = edgeward::token::to_base64url(k);
    let set = json!({ "keys": [{ "kty": "oct", "kid": "f", "alg": algorithm, "k": k }] });
    folder.write(".dev.vars", &format!("EDGEWARD_SECRET='{SECRET}'\nEDGEWARD_KEYS='{set}'\n"));
    folder
}

fn sign(folder: &Folder, arguments: &[&str]) -> String {
    folder.run(&[&["url", "sign", "--at", AT], arguments].concat()).exits(0).out.trim_end().to_owned()
}

fn verify(folder: &Folder, link: &str, arguments: &[&str]) -> Ran {
    let moment: &[&str] = if arguments.contains(&"--at") { &[] } else { &["--at", "2026-11-22T00:30:00Z"] };
    let ran = folder.run_with(&[&["url", "verify"], moment, arguments].concat(), link);
    let token = link.rsplit(['=', '_', '~']).next().unwrap_or_default().trim();
    if token.len() > 20 {
        ran.hides(token);
    }
    ran.hides(SECRET);
    ran
}

fn json_of(folder: &Folder, link: &str, arguments: &[&str]) -> Value {
    verify(folder, link, &[&["--json"], arguments].concat()).json()
}

fn cause(report: &Value) -> &str {
    report["verdict"]["cause"].as_str().unwrap_or("none")
}

fn advice(report: &Value) -> String {
    let all = report["advice"].as_array().expect("a list");
    all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
}

fn hex(tag: &[u8]) -> String {
    tag.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[test]
fn what_is_signed_is_good_and_says_so() {
    let folder = shares();
    let link = sign(&folder, &["https://staging.acme.example/a/report.pdf?x=1#page"]);
    assert!(link.starts_with("https://staging.acme.example/a/report.pdf?x=1&ew=") && link.ends_with("#page"));
    let report = json_of(&folder, &link, &[]);
    assert_eq!(report["verified"], true);
    assert_eq!(
        (&report["format"], &report["entry"], &report["place"]),
        (&json!("edgeward"), &json!(0), &json!("query:ew"))
    );
    assert_eq!(report["says"]["issued"], AT_SECONDS);
    assert_eq!(report["says"]["expires"], AT_SECONDS + 7 * 86_400, "seven days unless it is said otherwise");
    assert_eq!(report["advice"], json!([]));
    let id = report["says"]["id"].as_str().expect("an id");
    assert_eq!(report["verdict"]["user"], format!("link:{id}"));
    verify(&folder, &link, &[]).exits(0);
    let text = verify(&folder, &format!("{link}\n"), &[]).exits(0).out;
    for words in
        ["edgeward (EDGEWARD.tokens[0]), found in query:ew", "holds, by key", "let in as link:", "expires"]
    {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains("not verified"));
}

#[test]
fn signing_says_in_words_what_it_grants() {
    let folder = shares();
    let arguments = [
        "url",
        "sign",
        "https://acme.example/album/é?x='",
        "--at",
        AT,
        "--prefix",
        "/album/",
        "--method",
        "GET",
        "--method",
        "POST",
        "--uses",
        "3",
        "--subject",
        "ann",
        "--network",
        "203.0.113.0/24",
        "--not-before",
        "1h",
        "--expires",
        "12h",
    ];
    let ran = folder.run(&arguments).exits(0);
    for words in [
        "It grants GET (and HEAD), POST of every path of acme.example that begins with /album/, to ann, from 203.0.113.0/24, 3 times.",
        "It is good from 2026-11-22T01:00:00Z (in 60 minutes) until 2026-11-22T13:00:00Z (in 13 hours).",
        "edgeward revoke id ",
        "percent-encoded",
        "EDGEWARD_LEDGER is not bound",
    ] {
        assert!(ran.err.contains(words), "{words}: {}", ran.err);
    }
    assert!(ran.out.starts_with("https://acme.example/album/%C3%A9?x=%27&ew="), "{}", ran.out);
    let json = folder.run(&[&arguments[..], &["--json"]].concat()).exits(0).json();
    assert_eq!(json["length"], json["url"].as_str().expect("a link").len());
    assert_eq!(json["says"]["for"], "/album/*");
    assert_eq!(json["says"]["networks"], json!(["203.0.113.0/24"]));
    assert_eq!(json["says"]["uses"], 3);
    let once = folder.run(&["url", "sign", "https://acme.example/", "--uses", "1"]).exits(0);
    assert!(once.err.contains("this address alone, without any query, once."), "{}", once.err);
    let moment = folder.run(&[
        "url",
        "sign",
        "https://acme.example/",
        "--at",
        AT,
        "--expires",
        "2026-12-01T09:00:00+01:00",
    ]);
    assert!(moment.exits(0).err.contains("It is good until 2026-12-01T08:00:00Z"));
}

#[test]
fn signing_warns() {
    let folder = shares();
    let quiet = folder.run(&["url", "sign", "https://acme.example/"]).exits(0);
    assert!(!quiet.err.contains("warning"), "{}", quiet.err);
    let long = format!("https://acme.example/{}", "a".repeat(160));
    let ran = folder.run(&["url", "sign", &long]).exits(0);
    assert!(ran.err.contains("warning: the link has 276 characters"), "{}", ran.err);
    let none = Folder::good().run(&["url", "sign", "https://acme.example/"]).exits(0);
    assert!(none.err.contains("format = \"edgeward\""), "{}", none.err);
}

#[test]
fn signing_is_misused() {
    let folder = shares();
    for arguments in [
        &["/a"][..],
        &["https://h.example/?ew=x"],
        &["https://ann:b@h.example/"],
        &["https://h.example/a", "--prefix", "/b/"],
        &["https://h.example/a", "--prefix", "/a"],
        &["https://h.example/a", "--uses", "0"],
        &["https://h.example/a", "--uses", "65536"],
        &["https://h.example/a", "--method", "trace"],
        &["https://h.example/a", "--network", "0.0.0.0/0"],
        &["https://h.example/a", "--network", "here"],
        &["https://h.example/a", "--expires", "soon"],
        &["https://h.example/a", "--expires", "2020-01-01T00:00:00Z"],
        &["https://h.example/a", "--expires", "2200-01-01T00:00:00Z"],
        &["https://h.example/a", "--subject", ""],
        &[],
    ] {
        let ran = folder.run(&[&["url", "sign"], arguments].concat()).exits(2);
        assert!(ran.out.is_empty(), "{arguments:?}");
    }
    let none = Folder::new().run(&["url", "sign", "https://h.example/"]).exits(2);
    assert!(none.err.contains("EDGEWARD_SECRET is not here"));
    let argument = folder.run(&["url", "verify", "https://h.example/?ew=secret"]).exits(2);
    assert!(argument.err.contains("read from standard input"), "{}", argument.err);
    argument.hides("ew=secret");
    let option = folder.run(&["url", "verify", "--adress", "203.0.113.9"]).exits(2);
    assert!(option.err.contains("'--address'"), "{}", option.err);
    for (input, words) in [("", "No link"), ("not a url", "absolute URL")] {
        let ran = folder.run_with(&["url", "verify"], input).exits(2);
        assert!(ran.err.contains(words), "{}", ran.err);
    }
}

/// One link used wrongly in each way: the cause, and what would have to be otherwise.
#[test]
fn it_is_said_what_would_have_to_be_otherwise() {
    let folder = shares();
    let exact = sign(&folder, &["https://acme.example/a/b?x=1", "--expires", "1h"]);
    let below = sign(
        &folder,
        &[
            "https://acme.example/a/b",
            "--prefix",
            "/a/",
            "--network",
            "203.0.113.0/24",
            "--not-before",
            "2026-11-22T01:00:00Z",
        ],
    );
    let at = |moment| ["--at", moment];
    let mut flipped = exact.clone().into_bytes();
    let place = flipped.len() - 10;
    flipped[place] = if flipped[place] == b'A' { b'B' } else { b'A' };
    let flipped = String::from_utf8(flipped).expect("ASCII");
    let scope = "token-wrong-scope";
    for (link, arguments, wanted, words) in [
        (exact.clone(), &["--at", "2026-11-22T01:00:14Z"][..], "token-expired", "It expired 14 s ago"),
        (
            exact.replace("?x", "?utm_source=m&x"),
            &[],
            scope,
            "It was signed without the parameter utm_source.",
        ),
        (
            exact.replace("?x", "?utm_source=m&utm_medium=n&x"),
            &[],
            scope,
            "without the parameters that others added",
        ),
        (exact.replace("/acme", "/www.acme"), &[], scope, "It was signed for the host acme.example."),
        (exact.replace("/b?", "/b/?"), &[], scope, "without the slash at the end"),
        (exact.replace("&ew", "&amp;ew"), &[], "none", "It has &amp; where & should stand"),
        (format!("{exact})."), &[], "token-malformed", "without the punctuation"),
        (exact.replace("/a/b", "/c"), &[], scope, "another host, path or query"),
        (exact.clone(), &["--method", "POST"], scope, "It was signed for GET, and is used with POST."),
        (
            exact.replace("x=1", "x=2"),
            &at("2026-11-22T02:00:00Z"),
            scope,
            "It expired 3600 s (60 minutes) ago",
        ),
        (format!("{exact}&{}", exact.split_once("&").expect("a token").1), &[], "request-ambiguous", "once"),
        (exact[..exact.len() - 3].to_owned(), &[], "token-malformed", "copied whole"),
        (flipped, &[], "token-bad-signature", "copied whole"),
        (
            below.clone(),
            &["--address", "203.0.113.9"],
            "token-not-yet-valid",
            "good from 2026-11-22T01:00:00Z on, in 1800 s",
        ),
        (
            below.clone(),
            &["--address", "2001:db8::1"],
            scope,
            "clients in 203.0.113.0/24, and is used from 2001:db8::1",
        ),
        (below.clone(), &[], scope, "--address"),
        (below.clone(), &["-H", "CF-Connecting-IP: 203.0.114.1"], scope, "used from 203.0.114.1"),
    ] {
        let report = json_of(&folder, &link, arguments);
        assert_eq!(cause(&report), wanted, "{link} {report:#}");
        assert_eq!(report["verified"], false);
        assert!(advice(&report).contains(words), "{words}: {report:#}");
        verify(&folder, &link, arguments).exits(1);
    }
}

#[test]
fn the_key_that_made_it() {
    let folder = shares();
    let link = sign(&folder, &["https://acme.example/"]);
    let other = "AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    let vars = |secrets: &str| dev_vars().replace(SECRET, secrets);
    folder.write(".dev.vars", &vars(other));
    let report = json_of(&folder, &link, &[]);
    assert_eq!(cause(&report), "token-unknown-key");
    assert!(advice(&report).contains("It names the key "), "{report:#}");
    folder.write(".dev.vars", &vars(&format!("{other} {SECRET}")));
    assert_eq!(json_of(&folder, &link, &[])["verified"], true, "a secret that was rotated still verifies");
    folder.write(".dev.vars", "");
    let ran = verify(&folder, &link, &[]).exits(1);
    assert!(
        ran.out.contains("EDGEWARD_SECRET is not here") && ran.out.contains("not verified"),
        "{}",
        ran.out
    );
}

#[test]
fn formats_that_the_policy_has_not_are_recognised() {
    let folder = with_key("", "HS1", FOREIGN);
    let tag = MacKey::new(HmacAlgorithm::Hs1, FOREIGN).tag(&[b"/foo/bar.html", b"1795309200"]);
    let link = format!("https://h.example/foo/bar.html?token=1795309200_{}", hex(tag.as_bytes()));
    let report = json_of(&folder, &link, &[]);
    assert_eq!(
        (&report["format"], &report["entry"], &report["verdict"]),
        (&json!("fastly"), &Value::Null, &Value::Null)
    );
    assert_eq!(report["signature"]["kids"], json!(["f"]));
    assert_eq!(report["verified"], false);
    assert!(advice(&report).contains("format = \"fastly\""));
    let share = sign(&folder, &["https://acme.example/"]);
    assert_eq!(json_of(&folder, &share, &[])["signature"]["holds"], true);
    let nothing = verify(&folder, "https://h.example/?a=b", &[]).exits(1);
    assert!(nothing.out.starts_with("No token of a format that is known here"), "{}", nothing.out);
}

#[test]
fn other_formats_are_explained_too() {
    let entry = "\n[[vars.EDGEWARD.tokens]]\nformat = \"akamai\"\nkeys = [\"f\"]\n";
    let folder = with_key(entry, "HS256", FOREIGN);
    let token = |key: &[u8], fields: &str| {
        let tag = MacKey::new(HmacAlgorithm::Hs256, key).tag(&[fields.as_bytes()]);
        format!("{fields}~hmac={}", hex(tag.as_bytes()))
    };
    let fields = "st=1795305600~exp=1795309200~acl=/a/*";
    let good = format!("https://h.example/a/x?hdnts={}", token(FOREIGN, fields));
    let report = json_of(&folder, &good, &[]);
    assert_eq!(report["verified"], true, "{report:#}");
    assert_eq!(report["says"]["for"], "/a/*");
    let elsewhere = json_of(&folder, &good.replace("/a/x", "/b/x"), &[]);
    assert_eq!(cause(&elsewhere), "token-wrong-scope");
    assert_eq!(advice(&elsewhere), "It was signed for /a/*, and is used on /b/x.");
    // A signer that takes the hexadecimal digits of the key for the key.
    let digits = hex(FOREIGN);
    let mistaken = format!("https://h.example/a/x?hdnts={}", token(digits.as_bytes(), fields));
    let report = json_of(&folder, &mistaken, &[]);
    assert_eq!(cause(&report), "token-bad-signature");
    assert!(
        advice(&report).contains("The signer takes the key f as the text of its hexadecimal digits"),
        "{report:#}"
    );
    assert!(!report.to_string().contains(&digits));
    let stranger =
        json_of(&folder, &format!("https://h.example/a/x?hdnts={}", token(b"another", fields)), &[]);
    assert!(
        advice(&stranger).contains("different keys") && advice(&stranger).contains("no salt"),
        "{stranger:#}"
    );
    // In a cookie, given as a field line.
    let cookie = format!("Cookie: hdnts={}", token(FOREIGN, fields));
    let report = json_of(&folder, "https://h.example/a/x", &["-H", &cookie]);
    assert_eq!((&report["verified"], &report["place"]), (&json!(true), &json!("cookie:hdnts")));
}

#[test]
fn settings_that_would_do_are_named() {
    let entry = "\n[[vars.EDGEWARD.tokens]]\nformat = \"laravel\"\nkeys = [\"f\"]\n";
    let folder = with_key(entry, "HS256", FOREIGN);
    let signed =
        |text: &str| hex(MacKey::new(HmacAlgorithm::Hs256, FOREIGN).tag(&[text.as_bytes()]).as_bytes());
    let link = |tag: &str| format!("https://h.example/foo?expires=1795309200&signature={tag}");
    let good = link(&signed("https://h.example/foo?expires=1795309200"));
    assert_eq!(json_of(&folder, &good, &[])["verified"], true);
    for (text, words) in [
        ("/foo?expires=1795309200", "url_mode = \"relative\""),
        ("http://h.example/foo?expires=1795309200", "It was signed for http://, and it is used on https://."),
        ("https://www.h.example/foo?expires=1795309200", "for the host www.h.example"),
    ] {
        let report = json_of(&folder, &link(&signed(text)), &[]);
        assert_eq!(cause(&report), "token-bad-signature");
        assert!(advice(&report).contains(words), "{words}: {report:#}");
    }
}

#[test]
fn what_is_wrong_with_the_policy_is_told() {
    let broken = folder("\n[[vars.EDGEWARD.tokens]]\nformat = \"edgeward\"\nsalt = \"x\"\n");
    let link = sign(&shares(), &["https://acme.example/"]);
    let ran = verify(&broken, &link, &[]).exits(1);
    assert!(ran.err.contains("problem: EDGEWARD.tokens[0].salt"), "{}", ran.err);
    assert!(ran.out.contains("none: the configuration has problems"), "{}", ran.out);
}

/// Akamai has three names for its token, and a policy mostly one.
#[test]
fn a_token_where_its_entry_does_not_look_is_named() {
    let entry =
        "\n[[vars.EDGEWARD.tokens]]\nformat = \"akamai\"\nkeys = [\"f\"]\nfrom = [\"cookie:hdnts\"]\n";
    let folder = with_key(entry, "HS256", &[0x52; 16]);
    let token = "exp=1795330266~acl=/*~hmac=04fc020f635a9c5a1e237df0ea1c275ad048c6b6015015caf8682d68ca303c10";
    let report = json_of(&folder, &format!("https://acme.example/a?hdnea={token}"), &[]);
    assert!(advice(&report).contains("in query:hdnea, where tokens of akamai mostly stand"), "{report:#}");
    assert!(advice(&report).contains("EDGEWARD.tokens[0] does not look there"), "{report:#}");
    let elsewhere = json_of(&folder, &format!("https://acme.example/a?token1={token}"), &[]);
    assert!(advice(&elsewhere).contains("where the policy's entries say"), "{elsewhere:#}");
}

#[test]
fn an_entry_for_other_paths_is_named() {
    let entry = "\n[[vars.EDGEWARD.tokens]]\nformat = \"edgeward\"\npaths = [\"/video/*\"]\n";
    let folder = folder(entry);
    let link = sign(&folder, &["https://acme.example/audio/x"]);
    let report = json_of(&folder, &link, &[]);
    assert_eq!((&report["verdict"], &report["signature"]["holds"]), (&Value::Null, &json!(true)));
    assert!(advice(&report).contains("Its entry is for /video/* only."), "{report:#}");
}
