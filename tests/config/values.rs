//! What is read: every key of the contract, and what holds where none is written.

use super::{parse, rules, sources, texts, usable};
use edgeward::config::Sources;
use edgeward::policy::{
    Access, Brand, Cors, CorsOrigins, CrossSite, Forward, HmacAlgorithm, Kind, Kinds, LogLevel, Mode, Notice,
    Origin, PlainHttp, Policy, Preflight, Rgb, TokenEntry, TokenPlace, Warn,
};
use edgeward::time::{Lifetime, UnixTime};
use serde_json::json;

const EVERYTHING: &str = r##"
realm = "Acme staging"
origin = "https://Origin.acme.example:443/base/"
leeway = 45
origin_timeout = "10m"
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
    assert_eq!(policy.origin_timeout, Some(Lifetime::from_seconds(600)));
    assert_eq!((policy.log, policy.http, policy.hsts), (LogLevel::All, PlainHttp::Refuse, true));
    assert_eq!(policy.rules.case(), edgeward::policy::rules::PathCase::Ignore);
    assert_eq!((&*policy.api_key.field, &*policy.api_key.written), ("x-acme-key", "X-Acme-Key"));
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
    assert_eq!(policy.origin_timeout, None);
    assert_eq!((policy.log, policy.http, policy.hsts), (LogLevel::Refused, PlainHttp::Redirect, true));
    assert_eq!(policy.brand, Brand::default());
    assert!(rules(policy).is_empty() && policy.cors.is_none() && policy.websocket_origins.is_empty());
    assert_eq!((&*policy.api_key.field, &*policy.api_key.written), ("x-api-key", "X-API-Key"));
    assert_eq!(policy.forward, Forward::default());
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

#[test]
fn every_value_of_a_session_is_read() {
    let span = Lifetime::from_seconds;
    let settings = usable(json!({"session": {}})).session.expect("people can sign in");
    assert_eq!((settings.idle, settings.absolute), (span(1800), span(43_200)));
    assert_eq!((settings.remember, settings.remember_idle), (Some(span(2_592_000)), span(604_800)));
    assert_eq!((settings.warn, settings.domain, settings.authority), (Warn::Off, None, None));
    let settings = usable(json!({"session": {
        "idle": "5m", "absolute": "1h", "remember": "0", "remember_idle": "1d", "warn": "inject",
        "domain": "Acme.example", "hosts": ["https://app.acme.example"], "clear_site_data": ["storage"],
    }}));
    let settings = settings.session.expect("people can sign in");
    assert_eq!((settings.idle, settings.absolute, settings.remember), (span(300), span(3600), None));
    assert_eq!((settings.warn, settings.domain.as_deref()), (Warn::Inject, Some("acme.example")));
    assert_eq!(
        (settings.hosts, settings.clear_site_data),
        (texts(&["https://app.acme.example"]), texts(&["storage"]))
    );
    assert!(usable(json!({})).session.is_none());
}

#[test]
fn hosts_that_share_a_sign_in() {
    let settings =
        usable(json!({"session": {"domain": "acme.example"}})).session.expect("people can sign in");
    for (host, shares) in [
        ("acme.example", true),
        ("app.acme.example", true),
        ("evilacme.example", false),
        ("acme.example.evil", false),
        ("", false),
    ] {
        assert_eq!(settings.shares(host), shares, "{host}");
        assert_eq!(settings.bound_to(host), if shares { ".acme.example" } else { host });
    }
}
