//! The configuration as an operator meets it: what is read, what is refused and in which words, what stays open.

use edgeward::config::{Config, Problem, Sources};
use edgeward::policy::{
    Access, Brand, Cors, CorsOrigins, CrossSite, Forward, HmacAlgorithm, Kind, Kinds, LogLevel, Mode, Notice,
    Origin, PlainHttp, Policy, Preflight, Rgb, Rule, TokenEntry, TokenPlace,
};
use edgeward::secret::Secret;
use edgeward::time::{Lifetime, UnixTime};
use proptest::prelude::*;
use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization;

/// "a marked root secret: 32 octets." in base64url.
const ROOT: &str = "YSBtYXJrZWQgcm9vdCBzZWNyZXQ6IDMyIG9jdGV0cy4";
/// "a marked key for HS256: 32 bytes" in base64url.
const KEY_256: &str = "YSBtYXJrZWQga2V5IGZvciBIUzI1NjogMzIgYnl0ZXM";
/// "a marked key for HS512: …" in base64url, 65 octets.
const KEY_512: &str =
    "YSBtYXJrZWQga2V5IGZvciBIUzUxMjogYXMgbG9uZyBhcyB0aGUgb3V0cHV0IG9mIGl0cyBoYXNoOiA2NCBieS4";
/// A line as `htpasswd -B` writes it.
const USERS: &str = "ann:$2a$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi:editors";

fn keys() -> String {
    json!({"keys": [
        {"kty": "oct", "kid": "2026-11", "alg": "HS256", "k": KEY_256},
        {"kty": "oct", "kid": "long", "alg": "HS512", "k": KEY_512},
    ]})
    .to_string()
}

fn secret(text: impl Into<String>) -> Option<Secret<String>> {
    Some(Secret::new(text.into()))
}

/// Everything there, and right.
fn sources(policy: impl ToString) -> Sources {
    Sources {
        policy: Some(policy.to_string()),
        secret: secret(ROOT),
        keys: secret(keys()),
        users: vec![("EDGEWARD_USERS".to_owned(), Secret::new(USERS.to_owned()))],
        assets: true,
    }
}

fn parse(sources: &Sources) -> Config {
    Config::parse(sources, |text| text.nfc().collect())
}

fn config(policy: impl ToString) -> Config {
    parse(&sources(policy))
}

fn sentences(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}

/// A policy that must be usable, and its verifiers too.
fn usable(policy: impl ToString) -> Policy {
    let config = config(policy);
    assert_eq!(sentences(&config.problems), [""; 0]);
    assert!(config.verifiers.is_some());
    config.policy.expect("a policy without problems")
}

/// The sentences of a policy that must be unusable.
fn refused(policy: impl ToString) -> Vec<String> {
    let shown = policy.to_string();
    let config = config(policy);
    assert!(config.policy.is_none(), "{shown}");
    assert!(config.verifiers.is_none(), "{shown}");
    sentences(&config.problems)
}

fn rules(policy: &Policy) -> Vec<&Rule> {
    policy.rules.iter().filter(|rule| rule.index.is_some()).collect()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

const EVERYTHING: &str = r##"
realm = "Acme staging"
origin = "https://Origin.acme.example:443/base/"
leeway = 45
log = "all"
http = "refuse"
hsts = true
paths = "ignore-case"

[brand]
name = "Acme"
logo = "/.edgeward/brand/logo.svg"
color = "#0b5fff"
support = "mailto:help@acme.example"
forgot_password = "https://acme.example/reset"
status_page = "http://localhost:9000/status"
notice = "Maintenance on Sunday, 2–3 am"
credit = true

[[rules]]
path = "/health"
access = "public"

[[rules]]
path = "/api/*"
host = "API.acme.example."
methods = ["GET", "HEAD"]
accept = ["bearer", "basic"]
scopes = ["read"]
users = ["ann", "Jose\u0301"]
groups = ["editors, and more"]
claims = { plan = ["pro", "max"], team = "red" }
networks = ["203.0.113.0/24", "2001:db8::/32", "198.51.100.7", "::1"]
not_before = "2026-12-01T00:00:00Z"
not_after = "2026-12-01T02:00:00+01:00"
mode = "enforce"
shared_cache = true
forward_credentials = true
cross_site = "allow"

[[tokens]]
format = "jwt"
keys = ["2026-11"]
algorithms = ["HS256"]
issuer = ["https://login.acme.example"]
audience = "staging"
require = ["exp", "sub"]
max_age = "12h"
from = ["authorization", "cookie:acme_token", "query:access_token", "header:X-Token"]
trust_subject = true

[[tokens]]
keys = ["long"]

[api_key]
header = "X-Acme-Key"

[forward]
identity = false
user = "Remote-User"
groups = "X-Acme-Groups"

[cors]
origins = ["https://app.acme.example", "http://localhost:3000"]
methods = ["GET", "POST"]
headers = ["Authorization", "Content-Type"]
credentials = true
max_age = 86400
preflight = "origin"

[websocket]
origins = ["https://app.acme.example"]
"##;

/// What `wrangler.toml` holds, as the platform hands it over.
fn json_of(toml: &str) -> String {
    let table: toml::Table = toml.parse().unwrap_or_else(|error| panic!("{error}"));
    serde_json::to_string(&table).expect("TOML is JSON but for its dates")
}

#[test]
fn every_value_is_read() {
    let policy = usable(json_of(EVERYTHING));
    assert_eq!(policy.realm, "Acme staging");
    let origin = Origin::Url { origin: "https://origin.acme.example".into(), base_path: "/base".into() };
    assert_eq!(policy.origin, origin);
    assert_eq!(policy.leeway, Lifetime::from_seconds(45));
    assert_eq!((policy.log, policy.http, policy.hsts), (LogLevel::All, PlainHttp::Refuse, true));
    assert_eq!(policy.rules.case(), edgeward::policy::rules::PathCase::Ignore);
    assert_eq!(policy.api_key_field, "x-acme-key");
    let forward = Forward { identity: false, user: "Remote-User".into(), groups: "X-Acme-Groups".into() };
    assert_eq!(policy.forward, forward);
    assert_eq!(policy.websocket_origins, ["https://app.acme.example"]);
}

#[test]
fn every_value_of_a_brand_is_read() {
    let brand = Brand {
        name: Some("Acme".into()),
        logo: Some("/.edgeward/brand/logo.svg".into()),
        color: Some(Rgb(0x0b, 0x5f, 0xff)),
        support: Some("mailto:help@acme.example".into()),
        forgot_password: Some("https://acme.example/reset".into()),
        status_page: Some("http://localhost:9000/status".into()),
        notice: Some(Notice::Text("Maintenance on Sunday, 2–3 am".into())),
        credit: true,
    };
    assert_eq!(usable(json_of(EVERYTHING)).brand, brand);
    let policy = usable(json!({"brand": {"notice": {"en": "Back soon", "pt-BR": "Já voltamos"}}}));
    let notice = [("en", "Back soon"), ("pt-br", "Já voltamos")];
    let notice = notice.into_iter().map(|(tag, text)| (tag.to_owned(), text.to_owned())).collect();
    assert_eq!(policy.brand.notice, Some(Notice::ByLanguage(notice)));
}

#[test]
fn every_value_of_a_rule_is_read() {
    let policy = usable(json_of(EVERYTHING));
    let rules = rules(&policy);
    assert_eq!((rules[0].index, &*rules[0].path, rules[0].access), (Some(0), "/health", Access::Public));
    let rule = rules[1];
    assert_eq!((rule.index, &*rule.path, rule.access), (Some(1), "/api/*", Access::Authenticated));
    assert_eq!(rule.host.as_deref(), Some("api.acme.example"));
    assert_eq!(rule.methods, Some(texts(&["GET", "HEAD"])));
    assert_eq!(rule.accept.iter().collect::<Vec<_>>(), [Kind::Basic, Kind::Bearer]);
    assert_eq!(rule.scopes, ["read"]);
    assert_eq!(rule.admits.users, ["ann", "Jos\u{e9}"]);
    assert_eq!(rule.admits.groups, ["editors, and more"]);
    let claims: Vec<_> = rule.admits.claims.iter().map(|(name, values)| (&**name, values.clone())).collect();
    assert_eq!(claims, [("plan", texts(&["pro", "max"])), ("team", texts(&["red"]))]);
    let networks: Vec<String> = rule.networks.iter().map(ToString::to_string).collect();
    assert_eq!(networks, ["203.0.113.0/24", "2001:db8::/32", "198.51.100.7/32", "::1/128"]);
    assert_eq!(rule.not_before, Some(UnixTime::from_seconds(1_796_083_200)));
    assert_eq!(rule.not_after, Some(UnixTime::from_seconds(1_796_086_800)));
    assert_eq!((rule.mode, rule.cross_site), (Mode::Enforce, CrossSite::Allow));
    assert!(rule.shared_cache && rule.forward_credentials);
}

#[test]
fn every_value_of_a_token_entry_is_read() {
    let entry = TokenEntry {
        index: Some(0),
        keys: Some(texts(&["2026-11"])),
        algorithms: vec![HmacAlgorithm::Hs256],
        issuer: texts(&["https://login.acme.example"]),
        audience: texts(&["staging"]),
        require: texts(&["exp", "sub"]),
        max_age: Some(Lifetime::from_seconds(43_200)),
        from: vec![
            TokenPlace::Authorization,
            TokenPlace::Cookie("acme_token".into()),
            TokenPlace::Query("access_token".into()),
            TokenPlace::Header("x-token".into()),
        ],
        trust_subject: true,
    };
    let tokens = usable(json_of(EVERYTHING)).tokens;
    assert_eq!(tokens[0], entry);
    assert_eq!(tokens[1].keys, Some(texts(&["long"])));
    assert_eq!(tokens[1].algorithms, [HmacAlgorithm::Hs512], "those of its keys");
}

#[test]
fn every_value_of_cors_is_read() {
    let cors = Cors {
        origins: CorsOrigins::Listed(texts(&["https://app.acme.example", "http://localhost:3000"])),
        methods: texts(&["GET", "POST"]),
        headers: texts(&["Authorization", "Content-Type"]),
        credentials: true,
        max_age: Lifetime::from_seconds(86_400),
        preflight: Preflight::Origin,
    };
    assert_eq!(usable(json_of(EVERYTHING)).cors, Some(cors));
    let cors = usable(json!({"cors": {"origins": ["*"]}})).cors.expect("configured");
    assert_eq!(cors.origins, CorsOrigins::Any);
    assert_eq!((cors.credentials, cors.preflight), (false, Preflight::Edge));
    assert_eq!(cors.max_age, Lifetime::from_seconds(600));
    assert_eq!((cors.methods, cors.headers), (texts(&["GET", "HEAD", "POST"]), texts(&[])));
}

fn is_all_defaults(policy: &Policy) {
    assert_eq!((&*policy.realm, &policy.origin), ("Restricted", &Origin::Own));
    assert_eq!(policy.leeway, Lifetime::from_seconds(30));
    assert_eq!((policy.log, policy.http, policy.hsts), (LogLevel::Refused, PlainHttp::Redirect, true));
    assert_eq!(policy.brand, Brand::default());
    assert!(rules(policy).is_empty() && policy.cors.is_none() && policy.websocket_origins.is_empty());
    assert_eq!((&*policy.api_key_field, &policy.forward), ("x-api-key", &Forward::default()));
    let default = policy.rules.iter().next().expect("the rule that holds where no other matches");
    assert_eq!((default.index, default.access), (None, Access::Authenticated));
    assert_eq!(default.accept, Kinds::from_iter([Kind::Basic, Kind::Bearer]));
    let entry = TokenEntry {
        index: None,
        keys: None,
        algorithms: vec![HmacAlgorithm::Hs256, HmacAlgorithm::Hs512],
        issuer: Vec::new(),
        audience: Vec::new(),
        require: texts(&["exp"]),
        max_age: None,
        from: vec![TokenPlace::Authorization],
        trust_subject: false,
    };
    assert_eq!(policy.tokens, [entry]);
}

#[test]
fn nothing_written_means_all_defaults() {
    is_all_defaults(&usable("{}"));
    is_all_defaults(&usable(
        json!({"brand": {}, "rules": [], "tokens": [], "api_key": {}, "forward": {}, "websocket": {}}),
    ));
    let absent = Sources { policy: None, ..sources("") };
    is_all_defaults(&parse(&absent).policy.expect("all defaults"));
}

#[test]
fn a_rule_accepts_every_configured_kind_by_default() {
    let with = |users: bool, keys: bool| {
        let mut sources = sources(json!({"rules": [{"path": "/a"}]}));
        sources.users.retain(|_| users);
        sources.keys = sources.keys.filter(|_| keys);
        parse(&sources).policy.expect("usable")
    };
    for (users, keys, kinds) in [
        (true, false, vec![Kind::Basic]),
        (false, true, vec![Kind::Bearer]),
        (true, true, vec![Kind::Basic, Kind::Bearer]),
        (false, false, vec![]),
    ] {
        let policy = with(users, keys);
        assert!(policy.rules.iter().all(|rule| rule.accept.iter().eq(kinds.iter().copied())), "{kinds:?}");
        assert_eq!(policy.tokens.len(), usize::from(keys));
    }
}

/// `at: found …, expected …. fix` of policies that have that one problem.
#[test]
fn top_level_problems_in_words() {
    let table = [
        (
            json!({"realm": "Zażółć"}),
            r#"EDGEWARD.realm: found "Zażółć", expected printable ASCII. Write it in letters without accents; brand.name may have any."#,
        ),
        (
            json!({"realm": "a\nb"}),
            r#"EDGEWARD.realm: found "a\u{a}b", expected printable ASCII. Write it in letters without accents; brand.name may have any."#,
        ),
        (
            json!({"realm": ""}),
            "EDGEWARD.realm: found an empty string, expected a string that is not empty. Give it a value, or leave the key out.",
        ),
        (
            json!({"leeway": 900}),
            "EDGEWARD.leeway: found 900, expected whole seconds from 0 to 300. Set it to 30.",
        ),
        (
            json!({"leeway": -1}),
            "EDGEWARD.leeway: found -1, expected whole seconds from 0 to 300. Set it to 30.",
        ),
        (
            json!({"leeway": 0.5}),
            "EDGEWARD.leeway: found a number that is not whole, expected whole seconds from 0 to 300. Set it to 30.",
        ),
        (
            json!({"leeway": "30s"}),
            "EDGEWARD.leeway: found a string, expected whole seconds from 0 to 300. Set it to 30.",
        ),
        (
            json!({"log": "refuse"}),
            r#"EDGEWARD.log: found "refuse", expected one of refused, all, none. Did you mean "refused"?"#,
        ),
        (json!({"log": false}), "EDGEWARD.log: found false, expected a string. Write a value in quotes."),
        (
            json!({"http": "https"}),
            r#"EDGEWARD.http: found "https", expected one of redirect, refuse, allow. Choose one of these."#,
        ),
        (
            json!({"hsts": "true"}),
            "EDGEWARD.hsts: found a string, expected true or false. Write true or false, without quotes.",
        ),
        (
            json!({"hsts": null}),
            "EDGEWARD.hsts: found null, expected true or false. Write true or false, without quotes.",
        ),
        (
            json!({"paths": "ignore_case"}),
            r#"EDGEWARD.paths: found "ignore_case", expected one of exact, ignore-case. Did you mean "ignore-case"?"#,
        ),
        (json!({"rules": {}}), "EDGEWARD.rules: found a table, expected a list. Put it in brackets: [ … ]."),
        (
            json!({"brand": "Acme"}),
            "EDGEWARD.brand: found a string, expected a table. Write it as a table with keys and values.",
        ),
        (
            json!({"session": {"idle": "30m"}}),
            "EDGEWARD.session: found a key of a later version, expected only what this version of Edgeward offers. Take it out.",
        ),
        (
            json!({"relam": "x"}),
            r#"EDGEWARD.relam: found an unknown key, expected one of api_key, brand, cors, forward, hsts, http, leeway, log, origin, paths, realm, rules, tokens, websocket. Did you mean "realm"?"#,
        ),
        (
            json!({"a b\n": 1}),
            r#"EDGEWARD."a b\u{a}": found an unknown key, expected one of api_key, brand, cors, forward, hsts, http, leeway, log, origin, paths, realm, rules, tokens, websocket. Take it out, or correct its spelling."#,
        ),
    ];
    for (policy, sentence) in table {
        assert_eq!(refused(policy), [sentence]);
    }
}

#[test]
fn text_that_is_no_policy_in_words() {
    let expected = "expected the policy: a table, or the same as JSON text. Write it as [vars.EDGEWARD] in wrangler.toml, or take the variable out for a policy of nothing but defaults.";
    for (text, found) in [("", "an empty text"), (" \n", "an empty text")] {
        assert_eq!(refused(text), [format!("EDGEWARD: found {found}, {expected}")]);
    }
    for text in
        ["{", "{} x", "nonsense", r#"{"realm": "a", "realm": "b"}"#, "\u{feff}{}", &"[".repeat(100_000)]
    {
        let found = refused(text);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("EDGEWARD: found text that is no JSON (line 1, column "), "{found:?}");
    }
    for (text, found) in [("[]", "an empty list"), ("\"x\"", "a string"), ("null", "null"), ("7", "7")] {
        let sentence =
            format!("EDGEWARD: found {found}, expected a table. Write it as a table with keys and values.");
        assert_eq!(refused(text), [sentence]);
    }
}

#[test]
fn origins_in_words() {
    let expected = r#"expected "assets", or an http: or https: URL without user name, query and fragment. Write it like "https://origin.acme.example"."#;
    for text in [
        "asset",
        "origin.acme.example",
        "//origin.acme.example",
        "ftp://origin.acme.example",
        "https://",
        "https://a.example?x",
        "https://a.example/#",
        "https://a.example/a/../b",
        "https://a.example/%2e%2E/b",
        "https://a.example//",
        "https://a.example:99999",
        "https://127.1",
        "https://ä.example",
    ] {
        assert_eq!(
            refused(json!({"origin": text})),
            [format!("EDGEWARD.origin: found \"{text}\", {expected}")]
        );
    }
    let found = refused(json!({"origin": "https://ann:hunter2@a.example"}));
    let shown = r#"a value with "@" in it, which may hold a password (not shown)"#;
    assert_eq!(found, [format!("EDGEWARD.origin: found {shown}, {expected}")]);
    assert_eq!(usable(json!({"origin": "assets"})).origin, Origin::Assets);
}

#[test]
fn brands_in_words() {
    let table = [
        (
            "name",
            json!("a\u{7}b"),
            r#"found "a\u{7}b", expected one line of at most 100 characters. Shorten it, and leave out control characters."#,
        ),
        (
            "logo",
            json!("https://acme.example/logo.svg"),
            r#"found "https://acme.example/logo.svg", expected a path below /.edgeward/brand/, or a data: URL of an image without raw quotes, spaces and angle brackets. Put the file into www/.edgeward/brand/ and write "/.edgeward/brand/logo.svg"."#,
        ),
        (
            "color",
            json!("blue"),
            r##"found "blue", expected a colour like "#0b5fff" or "#05f". Write # and 3 or 6 hexadecimal digits."##,
        ),
        (
            "support",
            json!("javascript:alert(1)"),
            r#"found "javascript:alert(1)", expected a mailto:, tel: or https: URL. Write it like "mailto:help@acme.example"."#,
        ),
        (
            "forgot_password",
            json!("http://acme.example/reset"),
            r#"found "http://acme.example/reset", expected an https: URL. Write it like "https://acme.example/reset"."#,
        ),
        (
            "status_page",
            json!("/status"),
            r#"found "/status", expected an https: URL. Write it like "https://acme.example/reset"."#,
        ),
        (
            "notice",
            json!(""),
            "found an empty string, expected a string that is not empty. Give it a value, or leave the key out.",
        ),
        (
            "notice",
            json!({}),
            "found an empty table, expected at least one name. Name one, or leave the key out.",
        ),
        ("notice", json!(["x"]), "found a list, expected a table. Write it as a table: { name = … }."),
        ("credit", json!(1), "found 1, expected true or false. Write true or false, without quotes."),
    ];
    for (key, value, sentence) in table {
        assert_eq!(refused(json!({"brand": {key: value}})), [format!("EDGEWARD.brand.{key}: {sentence}")]);
    }
    let found = refused(json!({"brand": {"notice": {"en": "a", "EN": "b", "e_n": "c"}}}));
    assert_eq!(
        found,
        [
            "EDGEWARD.brand.notice.e_n: found a key that is no language tag, expected one like en, pl or pt-BR. Correct the key.",
            "EDGEWARD.brand.notice.en: found this language a second time, expected one text for each. Take one out.",
        ]
    );
}

#[test]
fn rules_in_words() {
    let table = [
        (
            "access",
            json!("open"),
            r#"found "open", expected one of authenticated, public, denied. Choose one of these."#,
        ),
        (
            "host",
            json!("https://a.example"),
            r#"found "https://a.example", expected a host name or address without scheme, port and wildcard. Write it like "api.acme.example"."#,
        ),
        (
            "host",
            json!("a.example:8443"),
            r#"found "a.example:8443", expected a host name or address without scheme, port and wildcard. Write it like "api.acme.example"."#,
        ),
        (
            "host",
            json!("*.a.example"),
            r#"found "*.a.example", expected a host name or address without scheme, port and wildcard. Write it like "api.acme.example"."#,
        ),
        (
            "methods",
            json!([]),
            "found an empty list, expected at least one item. Name one, or leave the key out.",
        ),
        ("methods", json!("GET"), "found a string, expected a list. Put it in brackets: [ … ]."),
        (
            "users",
            json!([]),
            "found an empty list, expected at least one item. Name one, or leave the key out.",
        ),
        (
            "groups",
            json!([]),
            "found an empty list, expected at least one item. Name one, or leave the key out.",
        ),
        (
            "networks",
            json!([]),
            "found an empty list, expected at least one item. Name one, or leave the key out.",
        ),
        (
            "accept",
            json!([]),
            "found an empty list, expected at least one item. Name one, or leave the key out.",
        ),
        (
            "claims",
            json!({}),
            "found an empty table, expected at least one name. Name one, or leave the key out.",
        ),
        ("claims", json!("pro"), "found a string, expected a table. Write it as a table: { name = … }."),
        (
            "not_before",
            json!("2026-12-01"),
            r#"found "2026-12-01", expected a date and time with an offset (RFC 3339). Write it like "2026-12-01T00:00:00Z"."#,
        ),
        ("not_after", json!(1_796_083_200), "found 1796083200, expected a string. Write a value in quotes."),
        (
            "mode",
            json!("reprot"),
            r#"found "reprot", expected one of enforce, report. Did you mean "report"?"#,
        ),
        (
            "shared_cache",
            json!("yes"),
            "found a string, expected true or false. Write true or false, without quotes.",
        ),
        ("cross_site", json!(true), "found true, expected a string. Write a value in quotes."),
        (
            "exchange",
            json!("cookie"),
            "found a key of a later version, expected only what this version of Edgeward offers. Take it out.",
        ),
        (
            "second_factor",
            json!(true),
            "found a key of a later version, expected only what this version of Edgeward offers. Take it out.",
        ),
        (
            "basic_without_second_factor",
            json!(true),
            "found a key of a later version, expected only what this version of Edgeward offers. Take it out.",
        ),
        (
            "api_keys",
            json!(["ci"]),
            "found a key of a later version, expected only what this version of Edgeward offers. Take it out.",
        ),
        (
            "acess",
            json!("denied"),
            r#"found an unknown key, expected one of accept, access, claims, cross_site, forward_credentials, groups, host, methods, mode, networks, not_after, not_before, path, scopes, shared_cache, users. Did you mean "access"?"#,
        ),
    ];
    for (key, value, sentence) in table {
        let found = refused(json!({"rules": [{"path": "/a"}, {"path": "/b", key: value}]}));
        assert_eq!(found, [format!("EDGEWARD.rules[1].{key}: {sentence}")]);
    }
}

#[test]
fn items_of_rules_in_words() {
    let table = [
        (
            "accept",
            json!(["basic", "api-key"]),
            r#"accept[1]: found "api-key", expected a kind that this version of Edgeward offers: basic, bearer. Take it out."#,
        ),
        (
            "accept",
            json!(["webhook:github"]),
            r#"accept[0]: found "webhook:github", expected a kind that this version of Edgeward offers: basic, bearer. Take it out."#,
        ),
        (
            "accept",
            json!(["Bearer"]),
            r#"accept[0]: found "Bearer", expected one of basic, bearer. Did you mean "bearer"?"#,
        ),
        (
            "scopes",
            json!(["read write"]),
            r#"scopes[0]: found "read write", expected one scope: printable ASCII without spaces, quotes and backslashes. Write each scope as an item of its own."#,
        ),
        (
            "users",
            json!(["ann:$2y$10$abc"]),
            r#"users[0]: found something else, expected the user-id of an account, without ":" and control characters. Write the user-id alone; whom a token names is asked for with claims = { sub = ["…"] }."#,
        ),
        (
            "groups",
            json!(["a\u{0}"]),
            r#"groups[0]: found "a\u{0}", expected the name of a group, without control characters. Correct it."#,
        ),
        (
            "networks",
            json!(["203.0.113.7/24"]),
            r#"networks[0]: found "203.0.113.7/24", expected a network whose bits after the prefix are zero. Write "203.0.113.0/24"."#,
        ),
        (
            "networks",
            json!(["2001:db8::1/32"]),
            r#"networks[0]: found "2001:db8::1/32", expected a network whose bits after the prefix are zero. Write "2001:db8::/32"."#,
        ),
        (
            "networks",
            json!(["203.0.113.0/33"]),
            r#"networks[0]: found "203.0.113.0/33", expected a network or an address. Write it like "203.0.113.0/24" or "2001:db8::/32"."#,
        ),
        (
            "claims",
            json!({"plan": ["pro", 1]}),
            "claims.plan[1]: found 1, expected a string. Write a value in quotes.",
        ),
        (
            "claims",
            json!({"plan": []}),
            "claims.plan: found an empty list, expected at least one item. Name one, or leave the key out.",
        ),
        (
            "claims",
            json!({"a b": true}),
            r#"claims."a b": found true, expected a string. Write a value in quotes."#,
        ),
        (
            "claims",
            json!({"": "x"}),
            r#"claims."": found a claim without a name, expected the name of a claim. Name it, or take it out."#,
        ),
    ];
    for (key, value, sentence) in table {
        let found = refused(json!({"rules": [{"path": "/b", key: value}]}));
        assert_eq!(found, [format!("EDGEWARD.rules[0].{sentence}")]);
    }
}

#[test]
fn a_rule_needs_a_path_and_times_in_order() {
    let found = refused(json!({"rules": [{"access": "public"}, {"path": "relative"}, "x"]}));
    assert_eq!(
        found[0],
        "EDGEWARD.rules[0].path: found nothing, expected a path such as \"/api/*\". Add path = \"…\"."
    );
    assert_eq!(
        found[1],
        "EDGEWARD.rules[2]: found a string, expected a table. Write it as a table with keys and values."
    );
    assert!(found[2].starts_with("EDGEWARD.rules[1].path: found \"relative\", expected "), "{found:?}");
    let times =
        |from: &str, until: &str| json!({"rules": [{"path": "/", "not_before": from, "not_after": until}]});
    usable(times("2026-12-01T00:00:00Z", "2026-12-01T00:00:01Z"));
    for until in ["2026-12-01T00:00:00Z", "2026-12-01T00:00:00+00:01"] {
        let found = refused(times("2026-12-01T00:00:00Z", until));
        assert_eq!(found.len(), 1);
        assert!(
            found[0].ends_with("expected not_before earlier than not_after. Correct one of them."),
            "{found:?}"
        );
    }
}

#[test]
fn equal_rules_are_a_problem_and_bad_ones_not_twice() {
    let found = refused(json!({"rules": [{"path": "/a/{x}"}, {"path": "/a/{y}"}]}));
    assert!(found.len() == 1 && found[0].starts_with("EDGEWARD.rules[1]"), "{found:?}");
    // What methods these two are for is not known, so nobody says that they overlap.
    let found = refused(json!({"rules": [{"path": "/a", "methods": 1}, {"path": "/a", "methods": 2}]}));
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn token_entries_in_words() {
    let place = "expected one of authorization, cookie:NAME, query:NAME, header:NAME. Write it like \"authorization\" or \"cookie:acme_token\".";
    let hmac = "expected one of HS256, HS384, HS512. Take it out: Edgeward verifies JWTs that are signed with HMAC and SHA-2, and no others.";
    let table = [
        ("format", json!("fastly"), r#"format: found "fastly", expected a format that this version of Edgeward offers: jwt. A later version reads it; take this entry out until then."#.to_owned()),
        ("format", json!("JWT"), r#"format: found "JWT", expected a format that this version of Edgeward offers: jwt. Did you mean "jwt"?"#.to_owned()),
        ("algorithms", json!(["none"]), format!("algorithms[0]: found \"none\", {hmac}")),
        ("algorithms", json!(["HS256", "RS256"]), format!("algorithms[1]: found \"RS256\", {hmac}")),
        ("algorithms", json!(["HS1"]), format!("algorithms[0]: found \"HS1\", {hmac}")),
        ("algorithms", json!(["hs256"]), r#"algorithms[0]: found "hs256", expected one of HS256, HS384, HS512. Did you mean "HS256"?"#.to_owned()),
        ("algorithms", json!([]), "algorithms: found an empty list, expected at least one item. Name one, or leave the key out.".to_owned()),
        ("keys", json!([]), "keys: found an empty list, expected at least one item. Name one, or leave the key out.".to_owned()),
        ("keys", json!(["2026-11", "2026-11"]), r#"keys: found "2026-11", which stands in EDGEWARD.tokens[0].keys too, expected each kid once. Take it out of one of them, or give each issuer a key of its own."#.to_owned()),
        ("issuer", json!(""), "issuer: found an empty string, expected a string that is not empty. Give it a value, or leave the key out.".to_owned()),
        ("audience", json!(["a", ""]), "audience[1]: found an empty string, expected a string that is not empty. Give it a value, or leave the key out.".to_owned()),
        ("issuer", json!([]), "issuer: found an empty list, expected at least one item. Name one, or leave the key out.".to_owned()),
        ("require", json!("exp"), "require: found a string, expected a list. Put it in brackets: [ … ].".to_owned()),
        ("max_age", json!("0"), r#"max_age: found "0", expected a span of time that is not zero: a whole number and s, m, h or d. Write it like "12h"."#.to_owned()),
        ("max_age", json!("half an hour"), r#"max_age: found "half an hour", expected a span of time that is not zero: a whole number and s, m, h or d. Write it like "12h"."#.to_owned()),
        ("max_age", json!(3600), "max_age: found 3600, expected a string. Write a value in quotes.".to_owned()),
        ("from", json!(["Authorization"]), format!("from[0]: found \"Authorization\", {place}")),
        ("from", json!(["body:token"]), format!("from[0]: found \"body:token\", {place}")),
        ("from", json!(["cookie:a b"]), r#"from[0]: found "cookie:a b", expected a cookie name after "cookie:": letters, digits, - and _. Correct the name."#.to_owned()),
        ("from", json!(["cookie:__Host-edgeward"]), r#"from[0]: found "cookie:__Host-edgeward", expected a cookie that is not Edgeward's own. Let the issuer choose another name."#.to_owned()),
        ("from", json!(["query:a%20b"]), r#"from[0]: found "query:a%20b", expected a parameter name after "query:": letters, digits, - . _ ~. Correct the name."#.to_owned()),
        ("from", json!(["query:ew"]), r#"from[0]: found "query:ew", expected a parameter that is not Edgeward's own. Let the issuer choose another name."#.to_owned()),
        ("from", json!(["header:Authorization"]), r#"from[0]: found "header:Authorization", expected a field of the issuer's own after "header:". Write "authorization"."#.to_owned()),
        ("from", json!(["header:Cookie"]), r#"from[0]: found "header:Cookie", expected a field of the issuer's own after "header:". Write "cookie:NAME"."#.to_owned()),
        ("from", json!(["header:X_Edgeward.User"]), r#"from[0]: found "header:X_Edgeward.User", expected a field that neither HTTP, the platform nor Edgeward uses. Choose a name of your own, like "X-Acme-User"."#.to_owned()),
        ("from", json!(["header:X Token"]), r#"from[0]: found "header:X Token", expected a field name: letters, digits, hyphens. Write it like "X-Acme-User"."#.to_owned()),
        ("from", json!(["header:X-Token", "header:x-token"]), r#"from[1]: found "header:x-token", expected each place once. Take one of them out."#.to_owned()),
        ("from", json!(["header:X-API-Key"]), r#"from: found "x-api-key", which is the field of API keys too, expected a field of its own. Rename one of them."#.to_owned()),
        ("ttl", json!(60), "ttl: found a key of a later version, expected only what this version of Edgeward offers. Take it out.".to_owned()),
        ("trust_subject", json!("true"), "trust_subject: found a string, expected true or false. Write true or false, without quotes.".to_owned()),
    ];
    for (key, value, sentence) in table {
        assert_eq!(refused(json!({"tokens": [{key: value}]})), [format!("EDGEWARD.tokens[0].{sentence}")]);
    }
}

#[test]
fn several_entries_each_name_their_keys() {
    let found = refused(json!({"tokens": [{"keys": ["2026-11"]}, {}, {"keys": "2026-11"}]}));
    assert_eq!(
        found,
        [
            "EDGEWARD.tokens[1].keys: found nothing, expected the kids of this entry's keys, as there is more than one entry. Add keys = [\"…\"].",
            "EDGEWARD.tokens[2].keys: found \"2026-11\", which stands in EDGEWARD.tokens[0].keys too, expected each kid once. Take it out of one of them, or give each issuer a key of its own.",
        ]
    );
}

#[test]
fn field_names_in_words() {
    let own = "expected a field that neither HTTP, the platform nor Edgeward uses. Choose a name of your own, like \"X-Acme-User\".";
    for name in [
        "Authorization",
        "Cookie",
        "Host",
        "content-length",
        "Connection",
        "X-Forwarded-User",
        "X_Edgeward_Assertion",
    ] {
        let found = refused(json!({"forward": {"user": name}}));
        assert_eq!(found, [format!("EDGEWARD.forward.user: found \"{name}\", {own}")]);
        let found = refused(json!({"api_key": {"header": name}}));
        assert_eq!(found, [format!("EDGEWARD.api_key.header: found \"{name}\", {own}")]);
    }
    let same =
        "EDGEWARD.forward: found one field for user and groups, expected two fields. Rename one of them.";
    assert_eq!(refused(json!({"forward": {"user": "X-Who", "groups": "x_who"}})), [same]);
    assert_eq!(refused(json!({"forward": {"user": "X-Edgeward-Groups"}})), [same]);
    assert_eq!(
        refused(json!({"forward": {"groups": "X-API-Key"}})),
        [
            "EDGEWARD.forward.groups: found \"X-API-Key\", which is the field of API keys too, expected a field of its own. Rename one of them."
        ]
    );
    let found = refused(json!({"forward": {"user": "X-Who"}, "tokens": [{"from": ["header:x-who"]}]}));
    assert_eq!(
        found,
        [
            "EDGEWARD.tokens[0].from: found \"x-who\", which is the field of the identity that the origin is told too, expected a field of its own. Rename one of them."
        ]
    );
}

#[test]
fn cors_in_words() {
    let origin = "expected an origin as browsers send it: scheme and host in lower case, and the port if it is not the scheme's own.";
    let table = [
        (json!({}), "origins: found nothing, expected the origins that may read, or \"*\" for all. Add origins = [\"https://app.acme.example\"].".to_owned()),
        (json!({"origins": []}), "origins: found an empty list, expected at least one item. Name one, or leave the key out.".to_owned()),
        (json!({"origins": ["null"]}), "origins[0]: found \"null\", expected the origin of a page. Take it out: every sandboxed page and every local file has that origin.".to_owned()),
        (json!({"origins": ["*", "https://a.example"]}), "origins: found \"*\" among other origins, expected \"*\" alone. Take out \"*\", or all others.".to_owned()),
        (json!({"origins": ["*"], "credentials": true}), "origins: found \"*\", expected origins by name, as credentials = true. Name the origins, or set credentials to false.".to_owned()),
        (json!({"origins": ["https://A.example/"]}), format!("origins[0]: found \"https://A.example/\", {origin} Write \"https://a.example\".")),
        (json!({"origins": ["https://a.example:443"]}), format!("origins[0]: found \"https://a.example:443\", {origin} Write \"https://a.example\".")),
        (json!({"origins": ["a.example"]}), format!("origins[0]: found \"a.example\", {origin} Write it like \"https://app.acme.example\".")),
        (json!({"origins": ["https://*.a.example"]}), format!("origins[0]: found \"https://*.a.example\", {origin} Write it like \"https://app.acme.example\".")),
        (json!({"origins": ["https://a.example"], "methods": ["patch"]}), "methods[0]: found \"patch\", expected a method in capitals. Write \"PATCH\".".to_owned()),
        (json!({"origins": ["https://a.example"], "methods": ["TRACE"]}), "methods[0]: found \"TRACE\", expected a method that scripts may send. Take it out.".to_owned()),
        (json!({"origins": ["https://a.example"], "methods": ["GET, POST"]}), "methods[0]: found \"GET, POST\", expected a method. Write it like \"GET\".".to_owned()),
        (json!({"origins": ["https://a.example"], "headers": ["X: y"]}), "headers[0]: found \"X: y\", expected a field name. Write it like \"Content-Type\".".to_owned()),
        (json!({"origins": ["https://a.example"], "headers": ["*"], "credentials": true}), "headers[0]: found \"*\", expected a field name, as \"*\" stands for itself where credentials = true. Name those that are needed.".to_owned()),
        (json!({"origins": ["https://a.example"], "max_age": 86_401}), "max_age: found 86401, expected whole seconds from 0 to 86400. Set it to 600.".to_owned()),
        (json!({"origins": ["https://a.example"], "preflight": "edgeward"}), "preflight: found \"edgeward\", expected one of edge, origin. Choose one of these.".to_owned()),
    ];
    for (cors, sentence) in table {
        assert_eq!(refused(json!({"cors": cors})), [format!("EDGEWARD.cors.{sentence}")]);
    }
    for bad in ["null", "*"] {
        let found = refused(json!({"websocket": {"origins": [bad]}}));
        assert!(
            found.len() == 1 && found[0].starts_with("EDGEWARD.websocket.origins[0]: found \""),
            "{found:?}"
        );
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let found = refused(json!({
        "relam": "x", "leeway": 900, "origin": "x", "hsts": 1,
        "rules": [{"path": "/a", "acess": "denied"}, {"path": "b"}, {"users": [":", ""]}],
        "tokens": [{"from": ["a", "b"]}, {"issuer": ""}],
        "brand": {"color": "x", "logo": "y"},
        "cors": {"origins": ["null", "x"]},
    }));
    for at in [
        "relam",
        "leeway",
        "origin",
        "hsts",
        "rules[0].acess",
        "rules[1].path",
        "rules[2].path",
        "rules[2].users[0]",
        "rules[2].users[1]",
        "tokens[0].from[0]",
        "tokens[0].from[1]",
        "tokens[0].keys",
        "tokens[1].keys",
        "tokens[1].issuer",
        "brand.color",
        "brand.logo",
        "cors.origins[0]",
        "cors.origins[1]",
    ] {
        let start = format!("EDGEWARD.{at}: found ");
        assert_eq!(
            found.iter().filter(|sentence| sentence.starts_with(&start)).count(),
            1,
            "{at}: {found:#?}"
        );
    }
    assert_eq!(found.len(), 18, "{found:#?}");
}

/// What stays open: with a wrong policy nothing, with a wrong secret what is public.
#[test]
fn fails_closed_at_the_right_level() {
    let public = || sources(json!({"rules": [{"path": "/health", "access": "public"}]}));
    let users = |text: &str| vec![("EDGEWARD_USERS".to_owned(), Secret::new(text.to_owned()))];
    let table = [
        ("EDGEWARD_SECRET", Sources { secret: None, ..public() }),
        ("EDGEWARD_SECRET", Sources { secret: secret(""), ..public() }),
        ("EDGEWARD_SECRET", Sources { secret: secret("c2hvcnQ"), ..public() }),
        ("EDGEWARD_SECRET", Sources { secret: secret(format!("{ROOT} {ROOT}")), ..public() }),
        ("EDGEWARD_KEYS", Sources { keys: secret(""), ..public() }),
        ("EDGEWARD_KEYS", Sources { keys: secret("{}"), ..public() }),
        ("EDGEWARD_USERS", Sources { users: users(""), ..public() }),
        ("EDGEWARD_USERS", Sources { users: users(&format!("{USERS}\nbob:hunter2")), ..public() }),
        ("EDGEWARD_USERS, EDGEWARD_KEYS", Sources { users: Vec::new(), keys: None, ..public() }),
        ("ASSETS", Sources { assets: false, ..sources(json!({"origin": "assets"})) }),
    ];
    for (at, sources) in table {
        let config = parse(&sources);
        assert!(config.policy.is_some() && config.verifiers.is_none(), "{at}");
        assert!(!config.problems.is_empty(), "{at}");
        assert!(config.problems.iter().all(|problem| problem.at.starts_with(at)), "{:?}", config.problems);
    }
    assert!(parse(&public()).verifiers.is_some());
}

/// A kind that is named but not there is needed; it is told once, with who names it.
#[test]
fn named_kinds_are_needed() {
    let rule =
        |kind: &str| json!({"rules": [{"path": "/a", "accept": [kind]}, {"path": "/b", "accept": [kind]}]});
    let without_users = |policy: Value| Sources { users: Vec::new(), ..sources(policy) };
    let without_keys = |policy: Value| Sources { keys: None, ..sources(policy) };
    let table = [
        (
            without_users(rule("basic")),
            r#"EDGEWARD_USERS: found nothing, expected htpasswd lines, as EDGEWARD.rules[0].accept names "basic". Set it with `wrangler secret put EDGEWARD_USERS`."#,
        ),
        (
            without_keys(rule("bearer")),
            r#"EDGEWARD_KEYS: found nothing, expected a JWK Set, as EDGEWARD.rules[0].accept names "bearer". Set it with `wrangler secret put EDGEWARD_KEYS`."#,
        ),
        (
            without_keys(json!({"tokens": [{}]})),
            "EDGEWARD_KEYS: found nothing, expected a JWK Set, as EDGEWARD.tokens is there. Set it with `wrangler secret put EDGEWARD_KEYS`.",
        ),
        (
            without_users(json!({"tokens": [{"trust_subject": true}]})),
            "EDGEWARD_USERS: found nothing, expected htpasswd lines, as EDGEWARD.tokens[0].trust_subject is true. Set it with `wrangler secret put EDGEWARD_USERS`.",
        ),
        (sources(json!({"tokens": [{"keys": ["gone"]}]})), r#"EDGEWARD.tokens[0].keys[0]: found "gone""#),
    ];
    for (sources, sentence) in table {
        let config = parse(&sources);
        assert!(config.policy.is_some() && config.verifiers.is_none(), "{sentence}");
        let found = sentences(&config.problems);
        assert!(found.len() == 1 && found[0].starts_with(sentence), "{found:#?}");
    }
}

#[test]
fn warnings_in_words() {
    let warned = |policy: Value| {
        let config = config(policy);
        assert!(config.policy.is_some(), "{:?}", config.problems);
        config.warnings.into_iter().map(|problem| problem.at).collect::<Vec<_>>()
    };
    let table = [
        (json!({}), None),
        (json!({"http": "allow"}), Some("EDGEWARD.http")),
        (json!({"hsts": false}), Some("EDGEWARD.hsts")),
        (json!({"origin": "http://a.example"}), Some("EDGEWARD.origin")),
        (json!({"origin": "http://localhost:3000"}), None),
        (json!({"cors": {"origins": ["*"]}}), Some("EDGEWARD.cors.origins")),
        (json!({"tokens": [{"require": ["sub"]}]}), Some("EDGEWARD.tokens[0].require")),
        (json!({"tokens": [{"require": [], "max_age": "1h"}]}), None),
        (json!({"rules": [{"path": "/a", "mode": "report"}]}), Some("EDGEWARD.rules[0].mode")),
        (
            json!({"rules": [{"path": "/a", "access": "public", "users": ["ann"]}]}),
            Some("EDGEWARD.rules[0].access"),
        ),
        (json!({"rules": [{"path": "/a", "access": "public", "users": ["ann"], "networks": ["::1"]}]}), None),
        (
            json!({"rules": [{"path": "/a", "access": "denied", "networks": ["::1"]}]}),
            Some("EDGEWARD.rules[0].access"),
        ),
        (
            json!({"rules": [{"path": "/a", "accept": ["basic"], "scopes": ["read"]}]}),
            Some("EDGEWARD.rules[0].scopes"),
        ),
        (
            json!({"rules": [{"path": "/a", "accept": ["basic"], "claims": {"a": "b"}}]}),
            Some("EDGEWARD.rules[0].claims"),
        ),
        (
            json!({"rules": [{"path": "/a", "accept": ["basic"], "claims": {"a": "b"}, "users": ["ann"]}]}),
            None,
        ),
        (
            json!({"rules": [{"path": "/a", "accept": ["bearer"], "users": ["ann"]}]}),
            Some("EDGEWARD.rules[0].users"),
        ),
        (
            json!({"tokens": [{"trust_subject": true}], "rules": [{"path": "/a", "accept": ["bearer"], "users": ["ann"]}]}),
            None,
        ),
    ];
    for (policy, at) in table {
        assert_eq!(warned(policy.clone()), Vec::from_iter(at), "{policy}");
    }
}

/// Whatever goes wrong, no secret is in what is told of it.
#[test]
fn secrets_are_never_shown() {
    const MARK: &str = "hunter2marked";
    let long = format!("{MARK}-{MARK}-{MARK}-{MARK}");
    let jwk = |k: &str| json!({"keys": [{"kty": "oct", "kid": "a", "alg": "HS256", "k": k}]}).to_string();
    let users = |line: String| vec![("EDGEWARD_USERS_2".to_owned(), Secret::new(line))];
    let table = [
        Sources { secret: secret(MARK), ..sources("{}") },
        Sources { secret: secret(format!("{MARK}+/=")), ..sources("{}") },
        Sources { secret: secret(format!("{long} {long}")), ..sources("{}") },
        Sources { keys: secret(MARK), ..sources("{}") },
        Sources { keys: secret(format!("{{\"keys\": \"{MARK}\"}}")), ..sources("{}") },
        Sources { keys: secret(format!("[\"{MARK}\"]")), ..sources("{}") },
        Sources { keys: secret(jwk(MARK)), ..sources("{}") },
        Sources { keys: secret(jwk(&format!("{MARK}="))), ..sources("{}") },
        Sources { keys: secret(jwk(&long).replace("HS256", "HS512")), ..sources("{}") },
        Sources { keys: secret(jwk(&long).replace("}]", "")), ..sources("{}") },
        Sources { users: users(MARK.to_owned()), ..sources("{}") },
        Sources { users: users(format!("ann:{MARK}")), ..sources("{}") },
        Sources { users: users(format!("ann:{MARK}:{MARK}:!{MARK}:{MARK}")), ..sources("{}") },
        Sources { users: users(format!("ann:$2y$10${long}")), ..sources("{}") },
        Sources { users: users(format!("ann:$apr1${MARK}${MARK}\n{USERS}\n{USERS}")), ..sources("{}") },
        sources(json!({"origin": format!("https://ann:{MARK}@a.example")})),
        sources(json!({"origin": format!("htps:/ann:{MARK}@a.example")})),
        sources(json!({"brand": {"status_page": format!("https://ann:{MARK}@a.example")}})),
        sources(json!({"cors": {"origins": [format!("https://ann:{MARK}@a.example")]}})),
        sources(json!({"rules": [{"path": "/", "users": [format!("ann:{MARK}")]}]})),
        sources(
            json!({"users": format!("ann:{MARK}"), "api_key": MARK, "keys": {"a": MARK}, "session": MARK}),
        ),
        sources(json!({"rules": MARK, "tokens": MARK, "forward": MARK, "hsts": MARK, "leeway": MARK})),
        sources(format!("{{\"realm\": \"{MARK}")),
    ];
    for sources in table {
        let config = parse(&sources);
        assert!(!config.problems.is_empty(), "{sources:?}");
        let told = format!("{config:?} {sources:?} {:?}", sentences(&config.problems));
        let told = told.replace(sources.policy.as_deref().unwrap_or_default(), "");
        let told = told.replace(&format!("{:?}", sources.policy), "");
        assert!(!told.contains(MARK), "{told}");
    }
    let config = config("{}");
    let told = format!("{config:?}");
    assert!(
        ![ROOT, KEY_256, KEY_512, "WvvTPHKwdBJ3uk0Z37EMR"].iter().any(|secret| told.contains(secret)),
        "{told}"
    );
}

#[test]
fn a_policy_has_bounds() {
    let found = refused(" ".repeat(256 * 1024 - 2) + "{} ");
    assert_eq!(
        found,
        [
            "EDGEWARD: found 262145 bytes, expected 256 KB at most. Shorten it: one rule can cover a whole folder."
        ]
    );
    usable(" ".repeat(256 * 1024 - 2) + "{}");
    let found = refused(json!({"rules": vec![0; 10_001]}));
    assert_eq!(
        found,
        ["EDGEWARD.rules: found 10001 rules, expected 10,000 at most. Let one rule cover a whole folder."]
    );
    let found = refused(json!({"rules": vec![0; 10_000]}));
    assert_eq!(found.len(), 101);
    assert_eq!(
        found[100],
        "EDGEWARD: found 9900 more problems, expected none. Mend those above, then check again."
    );
    let many: serde_json::Map<String, Value> = (0..30_000).map(|n| (format!("k{n}"), json!(0))).collect();
    assert_eq!(refused(Value::Object(many)).len(), 101);
    let found = refused(json!({"realm": "ä".repeat(10_000), "rules": [{"path": "x".repeat(10_000)}]}));
    assert!(found.len() == 2 && found.iter().all(|sentence| sentence.len() < 1000), "{found:?}");
}

/// JSON as a careless operator or an attacker with the variable in hand would write it.
fn any_json() -> impl Strategy<Value = Value> {
    const WORDS: &[&str] = &[
        "realm",
        "origin",
        "assets",
        "leeway",
        "rules",
        "path",
        "/a/*",
        "accept",
        "bearer",
        "tokens",
        "keys",
        "from",
        "cookie:x",
        "cors",
        "origins",
        "*",
        "brand",
        "notice",
        "en",
        "forward",
        "user",
        "networks",
        "10.0.0.0/8",
    ];
    let word = prop_oneof![proptest::sample::select(WORDS).prop_map(str::to_owned), ".{0,9}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 8, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            proptest::collection::hash_map(word.clone(), inner, 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        config(text);
    }

    #[test]
    fn any_json_is_answered(json in any_json()) {
        let config = config(&json);
        prop_assert_eq!(config.policy.is_some(), config.problems.iter().all(|problem| !problem.at.starts_with("EDGEWARD.")));
    }

    #[test]
    fn an_unknown_key_anywhere_closes_everything(name in "[a-z_]{1,12}x", place in 0_usize..7) {
        let mut policy = json!({"brand": {}, "rules": [{"path": "/"}], "tokens": [{}], "api_key": {}, "forward": {}, "websocket": {}});
        let at = ["", "/brand", "/rules/0", "/tokens/0", "/api_key", "/forward", "/websocket"][place];
        policy.pointer_mut(at).expect("it is there")[&name] = json!("public");
        let found = refused(&policy);
        let wanted = format!(".{name}: found an unknown key, expected ");
        prop_assert!(found.len() == 1 && found[0].contains(&wanted), "{found:?}");
    }

    #[test]
    fn every_problem_is_one_line(text in ".{0,40}", key in ".{0,12}") {
        let found = config(json!({"origin": text, &key: {&key: text}, "rules": [{"path": text, "host": text, "methods": [text]}]}));
        for sentence in sentences(&found.problems) {
            prop_assert!(!sentence.chars().any(char::is_control), "{sentence:?}");
            prop_assert!(sentence.ends_with(['.', '?']), "{sentence}");
        }
    }
}
