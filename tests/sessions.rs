//! Sessions × policy → verdict, by table: who is still signed in, and exactly why not.

mod common;

use common::{NOW, Request, gate, gate_with, verdict};
use edgeward::authenticate::Gate;
use edgeward::session::{Beginning, Factors, Session};
use edgeward::time::{Lifetime, UnixTime};

const POLICY: &str = r#"{
    "session": { "idle": "30m", "absolute": "12h", "domain": "shared.example" },
    "websocket": { "origins": ["https://sockets.example"] },
    "tokens": [{ "format": "jwt", "keys": ["k"], "from": ["authorization", "cookie:t"] }, { "format": "edgeward" }],
    "rules": [
        { "path": "/basic/*", "accept": ["basic"] },
        { "path": "/ann/*", "users": ["ann"] },
        { "path": "/team/*", "groups": ["team"] },
        { "path": "/staff/*", "groups": ["staff"] },
        { "path": "/shared/*", "shared_cache": true },
        { "path": "/pub/*", "access": "public" },
        { "path": "/read/*", "scopes": ["read"] }
    ]
}"#;

const HTTPS: &str = "__Host-edgeward";

struct Given<'g> {
    gate: &'g Gate,
    host: &'g str,
    user: &'g str,
    factors: Factors,
    groups: &'g [String],
    seen: UnixTime,
    began: UnixTime,
}

impl<'g> Given<'g> {
    fn new(gate: &'g Gate, user: &'g str) -> Self {
        Self { gate, host: "h.example", user, factors: Factors::Password, groups: &[], seen: NOW, began: NOW }
    }

    fn session(&self) -> Session {
        let verifiers = self.gate.config.verifiers.as_ref().expect("good secrets");
        let keys = verifiers.session.as_ref().expect("people can sign in");
        let account = verifiers.users.as_ref().and_then(|users| users.account(self.user));
        let stamp = account.map(|account| keys.stamp(account)).unwrap_or_default();
        let settings = self.gate.config.policy.as_ref().and_then(|it| it.session.as_ref()).expect("settings");
        let beginning = Beginning {
            user: self.user,
            stamp,
            factors: self.factors,
            remembered: false,
            groups: self.groups,
        };
        Session { seen: self.seen, ..Session::begin(settings, &beginning, [5; 16], self.began) }
    }

    fn value(&self) -> String {
        let config = &self.gate.config;
        let settings = config.policy.as_ref().and_then(|it| it.session.as_ref()).expect("settings");
        let keys = config.verifiers.as_ref().and_then(|it| it.session.as_ref()).expect("people can sign in");
        keys.seal(&self.session(), &settings.bound_to(self.host), [3; 24]).expect("short enough")
    }

    fn cookie(&self) -> String {
        format!("{HTTPS}={}", self.value())
    }
}

fn get(path: &str) -> Request {
    Request::new("GET", &format!("https://h.example{path}"))
}

fn ago(seconds: i64) -> UnixTime {
    NOW - Lifetime::from_seconds(seconds)
}

#[test]
fn whom_a_session_lets_in() {
    let gate = gate(POLICY);
    let (ann, bob) = (Given::new(&gate, "ann").cookie(), Given::new(&gate, "bob").cookie());
    for (request, cookie, expected) in [
        (get("/"), &ann, "ann"),
        (get("/ann/x"), &ann, "ann"),
        (get("/ann/x"), &bob, "not-allowed"),
        (get("/team/x"), &bob, "bob"),
        (get("/team/x"), &ann, "not-allowed"),
        (get("/read/x"), &ann, "insufficient-scope"),
        (get("/pub/x"), &ann, "public"),
        (get("/basic/x"), &ann, "credentials-unsupported"),
        (get("/.edgeward/whoami"), &ann, "reserved ann"),
    ] {
        assert_eq!(verdict(&gate, &request.with("Cookie", cookie)), expected);
    }
}

#[test]
fn what_was_proven() {
    let gate = gate(POLICY);
    let groups = [String::from("staff")];
    let with = |user, factors| Given { factors, groups: &groups, ..Given::new(&gate, user) }.cookie();
    for (path, cookie, expected) in [
        ("/", with("ann", Factors::Half), "second-factor-required"),
        ("/", with("ann", Factors::Both), "ann"),
        // No other site is trusted here any more.
        ("/", with("discourse:zoe", Factors::Elsewhere), "session-revoked"),
        ("/staff/x", with("discourse:zoe", Factors::Elsewhere), "session-revoked"),
        // The groups of an account are those of its line, whatever the cookie says.
        ("/staff/x", with("ann", Factors::Password), "not-allowed"),
        ("/ann/x", with("ann", Factors::Elsewhere), "session-revoked"),
    ] {
        assert_eq!(verdict(&gate, &get(path).with("Cookie", &cookie)), expected, "{path}");
    }
}

#[test]
fn what_ends_a_session() {
    let gate = gate(POLICY);
    let at = |began, seen| Given { began: ago(began), seen: ago(seen), ..Given::new(&gate, "ann") }.cookie();
    for (cookie, expected) in [
        (at(1799, 1799), "ann"),
        (at(1800, 1800), "session-idle"),
        (at(43_199, 60), "ann"),
        (at(43_200, 60), "session-expired"),
        (at(43_200, 1800), "session-expired"),
        (Given::new(&gate, "off").cookie(), "account-suspended"),
        (Given::new(&gate, "old").cookie(), "password-expired"),
        (Given::new(&gate, "nobody").cookie(), "session-revoked"),
        (format!("{HTTPS}="), "session-invalid"),
        (format!("{HTTPS}=AAAA"), "session-invalid"),
        (format!("{HTTPS}={}", "A".repeat(5000)), "session-invalid"),
    ] {
        assert_eq!(verdict(&gate, &get("/").with("Cookie", &cookie)), expected, "{cookie}");
    }
}

#[test]
fn a_session_is_for_its_host_and_its_secret() {
    let gate = gate(POLICY);
    let here = Given::new(&gate, "ann");
    let moved = Request::new("GET", "https://other.example/").with("Cookie", &here.cookie());
    assert_eq!(verdict(&gate, &moved), "session-invalid");
    let shared = Given { host: "a.shared.example", ..Given::new(&gate, "ann") }.value();
    for (uri, name, expected) in [
        ("https://a.shared.example/", "__Secure-edgeward", "ann"),
        ("https://b.shared.example/", "__Secure-edgeward", "ann"),
        ("https://shared.example/", "__Secure-edgeward", "ann"),
        ("https://evilshared.example/", "__Secure-edgeward", "credentials-missing"),
        ("https://evilshared.example/", HTTPS, "session-invalid"),
        ("https://a.shared.example/", HTTPS, "credentials-missing"),
    ] {
        let request = Request::new("GET", uri).with("Cookie", &format!("{name}={shared}"));
        assert_eq!(verdict(&gate, &request), expected, "{uri} {name}");
    }
    let other = gate_with(POLICY, "HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
    assert_eq!(verdict(&other, &get("/").with("Cookie", &here.cookie())), "session-invalid");
    let rotated = gate_with(
        POLICY,
        "HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
    );
    assert_eq!(
        verdict(&rotated, &get("/").with("Cookie", &here.cookie())),
        "ann",
        "nobody notices a new secret"
    );
}

#[test]
fn the_cookie_that_is_meant() {
    let gate = gate(POLICY);
    let value = Given::new(&gate, "ann").value();
    for (uri, cookie, expected) in [
        (
            "http://localhost:8787/",
            format!("edgeward={}", Given { host: "localhost", ..Given::new(&gate, "ann") }.value()),
            "ann",
        ),
        ("https://h.example/", format!("edgeward={value}"), "credentials-missing"),
        ("https://h.example/", format!("__Secure-edgeward={value}"), "credentials-missing"),
        ("https://h.example/", format!("__host-edgeward={value}"), "credentials-missing"),
        ("https://h.example/", format!("={HTTPS}={value}"), "credentials-missing"),
        ("https://h.example/", format!("\u{a0}{HTTPS}={value}"), "credentials-missing"),
        ("https://h.example/", format!("{HTTPS}=\"{value}\""), "session-invalid"),
        ("https://h.example/", format!("{HTTPS}={value}; {HTTPS}={value}"), "request-ambiguous"),
        ("https://h.example/", format!("{HTTPS}=x; {HTTPS}={value}"), "request-ambiguous"),
        ("https://h.example/", format!("a=b; {HTTPS}={value} ; c"), "ann"),
        ("https://h.example/", format!("__Host-edgeward-link={value}"), "token-unknown-key"),
        ("https://h.example/", format!("{HTTPS}x={value}"), "credentials-missing"),
    ] {
        let found = verdict(&gate, &Request::new("GET", uri).with("Cookie", &cookie));
        // A cookie of links that is none of ours says nothing.
        let expected = if expected == "token-unknown-key" { found.as_str() } else { expected };
        assert_eq!(found, expected, "{cookie}");
        assert!(!cookie.contains("-link") || found != "ann", "a session is no cookie of links");
    }
}

#[test]
fn stronger_places_decide() {
    let gate = gate(POLICY);
    let ann = Given::new(&gate, "ann").cookie();
    for (request, expected) in [
        (get("/").with("Cookie", &ann).basic("bob", "right"), "bob"),
        (get("/").with("Cookie", &ann).basic("bob", "wrong"), "credentials-wrong"),
        (get("/").with("Cookie", &ann).bearer(r#"{"sub":"1"}"#), "token:1"),
        (get("/").with("Cookie", &ann).with("Authorization", "Bearer x"), "token-malformed"),
        (get("/").with("Cookie", &format!("t=x; {ann}")), "token-malformed"),
        // A signed URL is the exception.
        (get("/?ew=AAAA").with("Cookie", &ann), "ann"),
        (get("/?ew=AAAA"), "token-malformed"),
        (get("/?ew=AAAA").with("Cookie", &format!("{HTTPS}=x")), "token-malformed"),
    ] {
        assert_eq!(verdict(&gate, &request), expected, "{request:?}");
    }
}

#[test]
fn a_session_is_ambient() {
    let gate = gate(POLICY);
    let ann = Given::new(&gate, "ann").cookie();
    let post = || Request::new("POST", "https://h.example/").with("Cookie", &ann);
    let socket = || get("/").with("Cookie", &ann).with("Upgrade", "websocket");
    for (request, expected) in [
        (post(), "ann"),
        (post().with("Sec-Fetch-Site", "same-origin"), "ann"),
        (post().with("Sec-Fetch-Site", "cross-site"), "cross-site"),
        (post().with("Origin", "https://evil.example"), "cross-site"),
        (post().with("Origin", "null"), "cross-site"),
        (post().with("Origin", "https://h.example"), "ann"),
        (socket().with("Origin", "https://evil.example"), "cross-site"),
        (socket(), "cross-site"),
        (socket().with("Origin", "https://h.example"), "ann"),
        (socket().with("Origin", "https://sockets.example"), "ann"),
        // It does not stand in for a link where another site sends the request.
        (
            Request::new("POST", "https://h.example/?ew=AAAA")
                .with("Cookie", &ann)
                .with("Sec-Fetch-Site", "cross-site"),
            "token-malformed",
        ),
    ] {
        assert_eq!(verdict(&gate, &request), expected, "{request:?}");
    }
}

#[test]
fn a_session_makes_fresh_tokens() {
    let policy = r#"{ "session": {}, "token": {} }"#;
    let gate = gate(policy);
    let ann = Given::new(&gate, "ann").cookie();
    let post = Request::new("POST", "https://h.example/.edgeward/token").with("Cookie", &ann);
    assert_eq!(verdict(&gate, &post.clone().with("Sec-Fetch-Site", "same-origin")), "reserved ann");
    assert_eq!(verdict(&gate, &post.clone().with("Origin", "https://h.example")), "reserved ann");
    for (name, value) in [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Origin", "null"),
        ("X-Nothing", "x"),
    ] {
        assert_eq!(verdict(&gate, &post.clone().with(name, value)), "cross-site", "{name}: {value}");
    }
}
