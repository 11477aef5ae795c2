//! `explain`: the core's verdicts on requests that are only described.

use super::support::{Folder, GOOD, K, LEDGER, Ran, SECRET, dev_vars};
use serde_json::json;

const AT: &str = "2026-11-22T00:00:00Z";

fn explain(folder: &Folder, arguments: &[&str], lines: &str) -> Ran {
    folder.run_with(&[&["explain", "--json", "--at", AT, "-H", "@-"], arguments].concat(), lines)
}

fn token(folder: &Folder, arguments: &[&str]) -> String {
    folder.run(&[&["token", "mint", "--at", AT], arguments].concat()).exits(0).out.trim_end().to_owned()
}

#[test]
fn the_verdicts() {
    let folder = Folder::good();
    let reader = format!("Authorization: Bearer {}", token(&folder, &["--sub", "ann", "--scope", "read"]));
    let writer = format!("Authorization: Bearer {}", token(&folder, &["--sub", "ann", "--scope", "write"]));
    let twice = format!("{reader}\n{writer}");
    for (arguments, lines, code, verdict, cause) in [
        (&["--url", "https://a.example/public/x"][..], "", 0, "pass", ""),
        (&["--url", "https://a.example/api/x"], "", 1, "refused", "credentials-missing"),
        (&["--url", "https://a.example/api/x"], reader.as_str(), 0, "pass", ""),
        (&["--url", "https://a.example/api/x"], &writer, 1, "refused", "insufficient-scope"),
        (&["--url", "https://a.example/api/x"], &twice, 1, "refused", "request-ambiguous"),
        (
            &["--url", "https://a.example/api/x"],
            "Authorization: Basic YTpi",
            1,
            "refused",
            "credentials-unsupported",
        ),
        (&["--url", "https://a.example/x/%2e%2e/api"], "", 1, "refused", "request-ambiguous"),
        (&["--url", "http://a.example/api/x"], &reader, 1, "to-https", ""),
        (
            &["--url", "http://a.example/api/x", "--method", "POST"],
            &reader,
            1,
            "refused",
            "insecure-transport",
        ),
        (&["--url", "http://localhost:8787/api/x"], &reader, 0, "pass", ""),
        (&["--url", "https://a.example/", "--method", "TRACE"], "", 1, "refused", "method-not-allowed"),
        (&["--url", "https://a.example/.edgeward/health"], "", 0, "reserved", ""),
        (&["--url", "https://a.example/.edgeward/whoami"], &reader, 0, "reserved", ""),
        (&["--url", "https://a.example/.edgeward/whoami"], "", 1, "refused", "credentials-missing"),
        (&["--url", "https://a.example/.edgeward/nothing"], "", 1, "reserved", "not-found"),
    ] {
        let ran = explain(&folder, arguments, lines).exits(code);
        let json = ran.json();
        assert_eq!(json["verdict"], verdict, "{arguments:?} {json}");
        assert_eq!(json["cause"].as_str().unwrap_or_default(), cause, "{arguments:?} {json}");
        assert_eq!(json["passes"], code == 0);
        for line in lines.lines() {
            ran.hides(line.rsplit(' ').next().expect("credentials"));
        }
        ran.hides(SECRET).hides(K);
    }
}

#[test]
fn the_rule_the_credentials_and_the_way_on() {
    let folder = Folder::good();
    folder.write("wrangler.toml", &GOOD.replacen("\"assets\"", "\"https://origin.acme.example/base\"", 1));
    let lines = format!(
        "Authorization: Bearer {}\nX-Edgeward-User: root\nAccept: */*\nCF-Connecting-IP: 203.0.113.9",
        token(&folder, &["--sub", "ann", "--scope", "read write"])
    );
    let json = explain(&folder, &["--url", "https://u:p@a.example/api/x?y=1"], &lines).exits(0).json();
    assert_eq!(json["rule"]["index"], 1);
    assert_eq!((&json["rule"]["path"], &json["rule"]["accept"]), (&"/api/*".into(), &json!(["bearer"])));
    assert_eq!(json["credentials"], "bearer, in Authorization");
    assert_eq!(
        (&json["user"], &json["key"], &json["scopes"]),
        (&"token:ann".into(), &"k".into(), &json!(["read", "write"]))
    );
    assert_eq!(json["request"]["url"], "https://a.example/api/x?y=1");
    let forward = &json["forward"];
    assert_eq!(forward["url"], "https://origin.acme.example/base/api/x?y=1");
    assert_eq!(forward["remove"], json!(["authorization"]), "what is set anyway needs no taking off");
    let set = json!([
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-forwarded-for",
        "via",
        "x-edgeward-user",
        "x-edgeward-assertion"
    ]);
    assert_eq!((&forward["set"], &forward["shared_caches"]), (&set, &false.into()));
}

#[test]
fn words_for_people() {
    let folder = Folder::good();
    let ran = folder.run(&["explain", "--url", "https://a.example/api/x"]).exits(1);
    for words in [
        "Request      GET https://a.example/api/x",
        "Rule         EDGEWARD.rules[1], path \"/api/*\": accepts bearer",
        "Credentials  none",
        "Verdict      refused: 401 credentials-missing",
        "Status       401",
        "Challenge    Bearer realm=\"Restricted\"",
    ] {
        assert!(ran.out.contains(words), "{words}: {}", ran.out);
    }
    let ran = folder.run(&["explain", "--url", "https://a.example/other"]).exits(1);
    assert!(ran.out.contains("none names this path: protected, accepts bearer"), "{}", ran.out);
}

#[test]
fn tokens_of_a_query_are_not_printed() {
    let folder = Folder::good();
    folder.write("wrangler.toml", "[vars.EDGEWARD]\ntokens = [{ from = [\"query:t\", \"cookie:c\"] }]\n");
    let token = token(&folder, &["--sub", "ann"]);
    let url = format!("https://a.example/x?a=1&t={token}");
    let ran = explain(&folder, &["--url", &url], "").exits(0);
    ran.hides(&token);
    assert_eq!(ran.json()["request"]["url"], "https://a.example/x?a=1");
    assert_eq!(ran.json()["forward"]["url"], "https://a.example/x?a=1");
    assert_eq!(ran.json()["credentials"], "bearer, in the query parameter t");
    let plain = explain(&folder, &["--url", &url.replace("https:", "http:")], "").exits(1);
    plain.hides(&token);
    let cookie =
        explain(&folder, &["--url", "https://a.example/"], &format!("Cookie: c={token}; d=1")).exits(0);
    cookie.hides(&token);
    assert_eq!(cookie.json()["credentials"], "bearer, in the cookie c");
}

#[test]
fn times_networks_and_reports() {
    let folder = Folder::good();
    let rules = "[[vars.EDGEWARD.rules]]\npath = \"/launch\"\naccess = \"public\"\nnot_before = \"2026-12-01T00:00:00Z\"\n\
        [[vars.EDGEWARD.rules]]\npath = \"/office\"\naccess = \"public\"\nnetworks = [\"203.0.113.0/24\"]\n\
        [[vars.EDGEWARD.rules]]\npath = \"/trial\"\nmode = \"report\"\n\
        [[vars.EDGEWARD.rules]]\npath = \"/closed\"\naccess = \"denied\"\n";
    folder.write("wrangler.toml", rules);
    let run = |at: &str, url: &str, field: &str| {
        folder.run(&[
            "explain",
            "--json",
            "--at",
            at,
            "--url",
            &format!("https://a.example{url}"),
            "-H",
            field,
        ])
    };
    run(AT, "/launch", "Accept: */*").exits(1);
    run("2026-12-01T00:00:00Z", "/launch", "Accept: */*").exits(0);
    run(AT, "/office", "CF-Connecting-IP: 203.0.113.9").exits(0);
    run(AT, "/office", "CF-Connecting-IP: 198.51.100.9").exits(1);
    let report = run(AT, "/trial", "Accept: */*").exits(0).json();
    assert_eq!(report["reported"]["cause"], "credentials-missing");
    assert_eq!(run(AT, "/closed", "Accept: */*").exits(1).json()["cause"], "denied");
}

#[test]
fn a_gate_that_is_not_configured_says_so() {
    let folder = Folder::good();
    folder.write("wrangler.toml", "[vars.EDGEWARD]\nleeway = 900\n");
    let ran = folder.run(&["explain", "--url", "https://a.example/", "--json"]).exits(1);
    assert_eq!((&ran.json()["cause"], &ran.json()["status"]), (&"not-configured".into(), &503.into()));
    assert!(ran.err.contains("EDGEWARD.leeway: found 900"), "{}", ran.err);
    let bare = Folder::new();
    let ran = bare.run(&["explain", "--url", "https://a.example/"]).exits(1);
    assert!(
        ran.err.contains("EDGEWARD_USERS is not here, and is taken to be right: no password is good here")
    );
    assert!(ran.err.contains("policy of nothing but defaults"), "{}", ran.err);
    assert!(ran.out.contains("credentials-missing"), "{}", ran.out);
}

#[test]
fn a_request_that_is_none() {
    let folder = Folder::good();
    for (arguments, secret) in [
        (&["--url", "/path"][..], ""),
        (&["--url", "ftp://a.example/"], ""),
        (&["--url", "https://a.example/", "--method", "GE T"], ""),
        (&["--url", "https://a.example/", "-H", "hunter2"], "hunter2"),
        (&["--url", "https://a.example/", "-H", "Bearer hunter2: x"], "hunter2"),
        (&["--url", "https://a.example/", "-H", "A: hunter2\nB: x"], "hunter2"),
        (&["--url", "https://a.example/", "-H", "@nothing.txt"], ""),
        (&["--url", "https://a.example/", "-H", "@-", "--secrets", "-"], ""),
        (&[], ""),
    ] {
        let ran = folder.run(&[&["explain"], arguments].concat()).exits(2);
        if !secret.is_empty() {
            ran.hides(secret);
        }
    }
    folder.write("fields.txt", "Accept: */*\r\n\r\nX-A: b\r\n");
    folder.run(&["explain", "--url", "https://a.example/public/", "-H", "@fields.txt"]).exits(0);
}

#[test]
fn slow_hashes_are_run() {
    let folder = Folder::good();
    let line = folder.run_with(&["hash", "ann", "--algorithm", "bcrypt"], "right password").out;
    let suspended = format!("{}:!suspended", line.trim_end().replacen("ann", "off", 1));
    folder.write(".dev.vars", &format!("{}EDGEWARD_USERS='{line}{suspended}'\n", dev_vars()));
    for (credentials, code, words) in [
        ("YW5uOnJpZ2h0IHBhc3N3b3Jk", 0, "passes as ann"),
        ("YW5uOndyb25n", 1, "401 credentials-wrong"),
        ("b2ZmOnJpZ2h0IHBhc3N3b3Jk", 1, "403 account-suspended"),
        ("!", 1, "401 credentials-malformed"),
    ] {
        let lines = format!("Authorization: Basic {credentials}");
        let ran =
            folder.run_with(&["explain", "--url", "https://a.example/", "-H", "@-"], &lines).exits(code);
        assert!(ran.out.contains(words), "{words}: {ran:?}");
    }
}

/// People sign in on another host: a browser never sees the 401 that programs get.
#[test]
fn where_a_browser_is_sent_to_sign_in() {
    let folder = Folder::good();
    let session = "[vars.EDGEWARD.session]\nauthority = \"https://login.acme.example\"\nhosts = [\"https://shop.example\"]\n";
    folder.write("wrangler.toml", &[GOOD, LEDGER, session].concat());
    let ann = folder.run(&["hash", "ann", "--generate"]).exits(0).out;
    folder.write(".dev.vars", &format!("{}EDGEWARD_USERS='{}'\n", dev_vars(), ann.trim_end()));
    let sent = |url: &str, more: &[&str]| {
        let json = explain(&folder, &[&["--url", url], more].concat(), "").exits(1).json();
        json["sent_to"].as_str().map(str::to_owned)
    };
    assert_eq!(sent("https://shop.example/x", &[]).as_deref(), Some("login.acme.example"));
    assert_eq!(sent("https://shop.example/x", &["-X", "POST"]), None);
    assert_eq!(sent("https://shop.example/api/x", &[]), None, "the rule takes no sign-in");
    assert_eq!(sent("https://login.acme.example/x", &[]), None);
}
