//! Facts × policy → verdict, by table: who may pass, and exactly why not.

mod common;

use common::{Request, gate, verdict};
use edgeward::token::keys::KeySet;

const POLICY: &str = r#"{
    "realm": "Tests",
    "leeway": 0,
    "cors": { "origins": ["https://app.example"], "methods": ["GET"], "headers": ["Authorization"], "credentials": true },
    "websocket": { "origins": ["https://sockets.example"] },
    "tokens": [{ "format": "jwt", "from": ["authorization", "cookie:t", "query:q", "header:X-Token"] }],
    "rules": [
        { "path": "/pub/*", "access": "public" },
        { "path": "/denied/*", "access": "denied" },
        { "path": "/office/*", "access": "public", "networks": ["203.0.113.0/24"] },
        { "path": "/wire/*", "networks": ["203.0.113.0/24"] },
        { "path": "/soon/*", "not_before": "2030-01-01T00:00:00Z" },
        { "path": "/over/*", "not_after": "2020-01-01T00:00:00Z" },
        { "path": "/ann/*", "users": ["ann"] },
        { "path": "/team/*", "groups": ["team"] },
        { "path": "/pro/*", "claims": { "plan": ["pro"] } },
        { "path": "/read/*", "scopes": ["read", "more"] },
        { "path": "/basic/*", "accept": ["basic"] },
        { "path": "/bearer/*", "accept": ["bearer"] },
        { "path": "/only-get/*", "methods": ["GET"], "access": "public" },
        { "path": "/report/*", "mode": "report" },
        { "path": "/foreign/*", "cross_site": "allow" },
        { "path": "/acme/*", "host": "acme.example", "access": "public" }
    ]
}"#;

fn said(request: &Request) -> String {
    verdict(&gate(POLICY), request)
}

fn table(rows: &[(Request, &str)]) {
    for (request, expected) in rows {
        assert_eq!(&said(request), expected, "{request:?}");
    }
}

fn get(path: &str) -> Request {
    Request::new("GET", &format!("https://h.example{path}"))
}

fn ann(path: &str) -> Request {
    get(path).basic("ann", "right")
}

#[test]
fn what_no_rule_matches_is_protected() {
    table(&[
        (get("/"), "credentials-missing"),
        (get("/pub"), "public"),
        (get("/pub/x?y"), "public"),
        (get("/public"), "credentials-missing"),
        (get("/denied/x"), "denied"),
        (ann("/denied/x"), "denied"),
        (ann("/"), "ann"),
        (get("/").with("Authorization", "Basic YW5uOndyb25n"), "credentials-wrong"),
        (get("/").basic("nobody", "right"), "credentials-wrong"),
    ]);
}

#[test]
fn methods_are_decided_by_their_own_names() {
    let method = |method: &str, path: &str| Request::new(method, &format!("https://h.example{path}"));
    table(&[
        (method("HEAD", "/only-get/x"), "public"),
        (method("POST", "/only-get/x"), "denied"),
        (method("get", "/only-get/x"), "denied"),
        (method("POST", "/only-get/x").with("X-HTTP-Method-Override", "GET"), "denied"),
        (method("FROB", "/pub/x"), "public"),
        (method("TRACE", "/pub/x"), "method-not-allowed"),
    ]);
}

#[test]
fn in_clear() {
    let http = |method: &str, path: &str| Request::new(method, &format!("http://h.example{path}"));
    table(&[
        (http("GET", "/"), "to-https"),
        (http("HEAD", "/denied/x"), "to-https"),
        (http("POST", "/"), "insecure-transport"),
        (http("GET", "/pub/x"), "public"),
        (http("GET", "/pub/%2e%2e/x"), "to-https"),
        (http("GET", "/.edgeward/whoami"), "to-https"),
        (Request::new("GET", "http://localhost:8787/"), "credentials-missing"),
    ]);
    let refusing = gate(r#"{ "http": "refuse" }"#);
    assert_eq!(verdict(&refusing, &http("GET", "/")), "insecure-transport");
    let allowing = gate(r#"{ "http": "allow" }"#);
    assert_eq!(verdict(&allowing, &http("GET", "/")), "credentials-missing");
}

#[test]
fn readings_that_differ_are_refused() {
    table(&[
        (ann("/pub/%2e%2e/x"), "request-ambiguous"),
        (ann("/pub%2fx"), "request-ambiguous"),
        (ann("/x/%zz"), "request-ambiguous"),
        (ann("/x//y"), "ann"),
        (get("/.edgeward/health"), "reserved"),
        (get("/.edgeward/%68ealth"), "not-found"),
        (get("/x/..%2f.edgeward/health"), "request-ambiguous"),
    ]);
}

#[test]
fn networks_and_times() {
    let inside = |path: &str| ann(path).with("CF-Connecting-IP", "203.0.113.9");
    table(&[
        (get("/office/x").with("CF-Connecting-IP", "203.0.113.9"), "public"),
        (get("/office/x").with("CF-Connecting-IP", "::ffff:203.0.113.9"), "public"),
        (get("/office/x").with("CF-Connecting-IP", "203.0.114.9"), "credentials-missing"),
        (get("/office/x"), "credentials-missing"),
        (ann("/office/x"), "not-allowed"),
        (inside("/wire/x"), "ann"),
        (ann("/wire/x"), "not-allowed"),
        (get("/wire/x"), "credentials-missing"),
        (ann("/wire/x").with("X-Forwarded-For", "203.0.113.9"), "not-allowed"),
        (ann("/soon/x"), "not-allowed"),
        (ann("/over/x"), "not-allowed"),
    ]);
}

#[test]
fn who_may_pass() {
    let token = |path: &str, claims: &str| get(path).bearer(claims);
    table(&[
        (ann("/ann/x"), "ann"),
        (get("/ann/x").basic("bob", "right"), "not-allowed"),
        (token("/ann/x", r#"{"sub":"ann"}"#), "not-allowed"),
        (get("/team/x").basic("bob", "right"), "bob"),
        (ann("/team/x"), "not-allowed"),
        (token("/team/x", r#"{"groups":["team"]}"#), "somebody"),
        (token("/pro/x", r#"{"sub":"1","plan":"pro"}"#), "token:1"),
        (token("/pro/x", r#"{"plan":["free","pro"]}"#), "somebody"),
        (token("/pro/x", r#"{"plan":"free"}"#), "not-allowed"),
        (ann("/pro/x"), "not-allowed"),
        (token("/read/x", r#"{"scope":"more read"}"#), "somebody"),
        (token("/read/x", r#"{"scope":"read"}"#), "insufficient-scope"),
        (ann("/read/x"), "insufficient-scope"),
        (get("/").basic("off", "right"), "account-suspended"),
        (get("/").basic("old", "right"), "password-expired"),
        (get("/").basic("old", "wrong"), "credentials-wrong"),
    ]);
}

#[test]
fn which_credentials_decide() {
    let good = common::token(r#"{"sub":"1"}"#);
    table(&[
        (ann("/bearer/x"), "credentials-unsupported"),
        (get("/basic/x").bearer("{}"), "credentials-unsupported"),
        (get("/").with("Authorization", "Digest x"), "credentials-unsupported"),
        (get("/").with("Authorization", ""), "credentials-malformed"),
        (get("/").with("Authorization", "Basic !"), "credentials-malformed"),
        (get("/").with("Authorization", "Bearer a b"), "credentials-malformed"),
        (ann("/").with("X-Token", &good), "request-ambiguous"),
        (ann("/").with("Authorization", "Basic YTpi"), "request-ambiguous"),
        (get("/").with("X-Token", &good), "token:1"),
        (get("/").with("Cookie", &format!("a=1; t={good}")), "token:1"),
        (get("/").with("Cookie", &format!("t={good}; t={good}")), "request-ambiguous"),
        (get(&format!("/?q={good}")), "token:1"),
        (get(&format!("/?q={good}&q={good}")), "request-ambiguous"),
        (ann("/").with("Cookie", "t=x"), "ann"),
        (
            get("/").with("Authorization", "Basic YW5uOndyb25n").with("Cookie", &format!("t={good}")),
            "credentials-wrong",
        ),
    ]);
}

#[test]
fn ambient_credentials_that_another_site_sends() {
    let post = |path: &str| Request::new("POST", &format!("https://h.example{path}")).basic("ann", "right");
    let socket = |path: &str| ann(path).with("Upgrade", "WebSocket");
    let good = common::token("{}");
    table(&[
        (post("/"), "ann"),
        (post("/").with("Sec-Fetch-Site", "same-origin"), "ann"),
        (post("/").with("Sec-Fetch-Site", "cross-site"), "cross-site"),
        (post("/").with("Sec-Fetch-Site", "elsewhere").with("Origin", "https://evil.example"), "cross-site"),
        (post("/foreign/x").with("Sec-Fetch-Site", "cross-site"), "ann"),
        (post("/").with("Origin", "https://h.example"), "ann"),
        (post("/").with("Origin", "https://evil.example"), "cross-site"),
        (post("/").with("Origin", "null"), "cross-site"),
        (post("/").with("Origin", "https://app.example"), "ann"),
        (post("/report/x").with("Origin", "null"), "cross-site"),
        (ann("/").with("Sec-Fetch-Site", "cross-site"), "ann"),
        (get("/").bearer("{}").with("Origin", "null"), "somebody"),
        (Request::new("POST", "https://h.example/").with("Origin", "null"), "credentials-missing"),
        (
            Request::new("POST", "https://h.example/")
                .with("Cookie", &format!("t={good}"))
                .with("Origin", "null"),
            "cross-site",
        ),
        (socket("/"), "ann"),
        (socket("/").with("Origin", "https://h.example"), "ann"),
        (socket("/").with("Origin", "https://sockets.example"), "ann"),
        (socket("/").with("Origin", "https://evil.example"), "cross-site"),
        (get("/").with("Upgrade", "websocket").with("Cookie", &format!("t={good}")), "cross-site"),
        (get("/").with("Upgrade", "websocket"), "credentials-missing"),
    ]);
}

#[test]
fn preflights() {
    let preflight = |path: &str, origin: &str, method: &str| {
        Request::new("OPTIONS", &format!("https://h.example{path}"))
            .with("Origin", origin)
            .with("Access-Control-Request-Method", method)
    };
    table(&[
        (preflight("/", "https://app.example", "GET"), "preflight"),
        (preflight("/denied/x", "https://app.example", "GET"), "denied"),
        (preflight("/pub/x", "https://app.example", "GET"), "public"),
        (preflight("/only-get/x", "https://app.example", "GET"), "public"),
        (preflight("/only-get/x", "https://app.example", "POST"), "denied"),
        (preflight("/", "https://evil.example", "GET"), "credentials-missing"),
        (preflight("/", "null", "GET"), "credentials-missing"),
        (Request::new("OPTIONS", "https://h.example/"), "credentials-missing"),
    ]);
}

#[test]
fn report_mode_lets_pass_what_it_may() {
    table(&[
        (get("/report/x"), "reported credentials-missing"),
        (get("/report/x").with("Authorization", "Basic YW5uOndyb25n"), "reported credentials-wrong"),
        (ann("/report/x"), "ann"),
        (ann("/report/x").with("X-Token", "x"), "request-ambiguous"),
        (get("/report/x").basic("off", "right"), "account-suspended"),
    ]);
}

#[test]
fn hosts() {
    let on = |host: &str| Request::new("GET", &format!("https://{host}/acme/x"));
    table(&[
        (on("acme.example"), "public"),
        (on("ACME.example.:8443"), "public"),
        (on("acme.example.evil"), "credentials-missing"),
        (on("h.example").with("X-Forwarded-Host", "acme.example"), "credentials-missing"),
    ]);
}

#[test]
fn a_trusted_subject_is_an_account() {
    let policy = r#"{ "tokens": [{ "format": "jwt", "trust_subject": true }], "rules": [{ "path": "/team/*", "groups": ["team"] }] }"#;
    let gate = gate(policy);
    for (claims, expected) in [
        (r#"{"sub":"bob"}"#, "bob"),
        (r#"{"sub":"ann","groups":["team"]}"#, "not-allowed"),
        (r#"{"sub":"nobody"}"#, "credentials-wrong"),
        (r#"{"sub":"off"}"#, "account-suspended"),
        (r#"{"sub":"token:bob"}"#, "token-malformed"),
        (r"{}", "token-missing-claim"),
    ] {
        assert_eq!(verdict(&gate, &get("/team/x").bearer(claims)), expected, "{claims}");
    }
}

#[test]
fn whoami_asks_for_credentials() {
    table(&[
        (get("/.edgeward/whoami"), "credentials-missing"),
        (ann("/.edgeward/whoami"), "reserved ann"),
        (ann("/.edgeward/health"), "reserved"),
    ]);
}

#[test]
fn nothing_is_public_under_a_policy_with_a_problem() {
    let broken = gate(r#"{ "rules": [{ "path": "/pub/*", "acess": "public" }] }"#);
    assert_eq!(verdict(&broken, &get("/pub/x")), "not-configured");
    assert_eq!(verdict(&broken, &get("/.edgeward/health")), "not-configured");
    assert_eq!(verdict(&broken, &Request::new("TRACE", "https://h.example/")), "not-configured");
}

#[test]
fn only_public_rules_pass_while_a_secret_is_wrong() {
    let broken = common::gate_with(POLICY, "too-short");
    assert_eq!(verdict(&broken, &get("/pub/x")), "public");
    assert_eq!(verdict(&broken, &get("/denied/x")), "denied");
    assert_eq!(verdict(&broken, &ann("/")), "not-configured");
    assert_eq!(verdict(&broken, &get("/")), "not-configured");
}

#[test]
fn the_keys_of_these_tests_are_good() {
    assert!(KeySet::parse(common::KEYS).is_ok());
}
