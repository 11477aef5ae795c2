//! What stays open, what deserves a second look, and that no secret is told.

use super::{KEY_256, KEY_512, ROOT, USERS, config, keys, parse, secret, sentences, sources};
use edgeward::config::Sources;
use edgeward::secret::Secret;
use serde_json::{Value, json};

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
        ("EDGEWARD_KEYS keys[1].k", Sources { keys: secret(keys().replace(KEY_512, KEY_256)), ..public() }),
        ("EDGEWARD_KEYS keys[1].k", Sources { keys: secret(keys().replace(KEY_512, "c2hvcnQ")), ..public() }),
        ("EDGEWARD_USERS", Sources { users: users(""), ..public() }),
        ("EDGEWARD_USERS", Sources { users: users(&format!("{USERS}\nbob:hunter2")), ..public() }),
        ("EDGEWARD_USERS, EDGEWARD_KEYS", Sources { users: Vec::new(), keys: None, ..public() }),
        ("EDGEWARD_ORIGIN_AUTHORIZATION", Sources { origin_authorization: secret(" "), ..public() }),
        ("EDGEWARD_ORIGIN_AUTHORIZATION", Sources { origin_authorization: secret("Basic a\nb"), ..public() }),
        ("ASSETS", Sources { assets: false, ..sources(json!({"origin": "assets"})) }),
    ];
    for (at, sources) in table {
        let config = parse(&sources);
        assert!(config.policy.is_some() && config.verifiers.is_none(), "{at}");
        assert_eq!(config.root.is_some(), at != "EDGEWARD_SECRET", "what is public is signed for the origin");
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
            sources(rule("api-key")),
            r#"EDGEWARD_API_KEYS: found nothing, expected lines of API keys, as EDGEWARD.rules[0].accept names "api-key". Set it with `wrangler secret put EDGEWARD_API_KEYS`."#,
        ),
        (
            without_keys(json!({"tokens": [{"format": "fastly"}]})),
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

/// The length of a key is judged by who uses it, and what nobody uses as strictly; the words say which key it is.
#[test]
fn short_keys_are_told_at_their_index() {
    let long = keys();
    let short = long.replace(KEY_512, "YW5vdGhlciBrZXkgdGhhdCBpcyBvbmx5IDMwIGI");
    let named = json!({"tokens": [{"keys": ["2026-11"]}]});
    for policy in [json!({}), named, json!({"tokens": [{"keys": ["2026-11", "long"]}]})] {
        let config = parse(&Sources { keys: secret(&*short), ..sources(policy) });
        assert_eq!(
            sentences(&config.problems),
            [
                "EDGEWARD_KEYS keys[1].k: found a key of 29 octets, expected 64 octets or more for HS512. `edgeward keygen` makes a good key; one that signs links elsewhere belongs into the keys of their entry."
            ]
        );
        assert!(config.policy.is_some() && config.verifiers.is_none());
    }
    // Which keys an entry means that is wrong is not known.
    let told = parse(&Sources { keys: secret(&*short), ..sources(json!({"tokens": [{"key": ["long"]}]})) });
    assert!(
        told.problems.iter().all(|problem| problem.at.starts_with("EDGEWARD.tokens")),
        "{:?}",
        told.problems
    );
}

#[test]
fn warnings_in_words() {
    let warned = |policy: Value| {
        let config = parse(&Sources { ledger: true, ..sources(policy) });
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
        (
            json!({"rules": [{"path": "/a", "accept": ["basic", "bearer"], "users": ["ann"], "scopes": ["read"]}]}),
            Some("EDGEWARD.rules[0].users"),
        ),
        (
            json!({"rules": [{"path": "/a", "accept": ["bearer"], "api_keys": ["ci"]}]}),
            Some("EDGEWARD.rules[0].api_keys"),
        ),
        (json!({"token": {}, "rules": [{"path": "/a", "accept": ["bearer"], "api_keys": ["ci"]}]}), None),
        (json!({"rules": [{"path": "/a", "accept": ["bearer"], "api_keys": ["ci"], "groups": ["g"]}]}), None),
    ];
    for (policy, at) in table {
        assert_eq!(warned(policy.clone()), Vec::from_iter(at), "{policy}");
    }
}

#[test]
fn guesses_that_are_not_counted_are_warned_of() {
    let users = || sources("{}").users;
    for (users, store, ledger, warned) in [
        (users(), false, false, true),
        (users(), false, true, false),
        (users(), true, true, false),
        (Vec::new(), true, false, true),
        (Vec::new(), false, false, false),
    ] {
        let config = parse(&Sources { users, store, ledger, ..sources("{}") });
        assert_eq!(sentences(&config.problems), [""; 0]);
        let told = sentences(&config.warnings);
        assert_eq!(
            told.iter().any(|it| it.starts_with("EDGEWARD_LEDGER: found nothing")),
            warned,
            "{told:?}"
        );
    }
}

/// Links have neither scopes nor names, API keys have no groups, and accounts no scopes.
#[test]
fn what_each_kind_can_meet() {
    let can = |kind: &str, key: &str, value: Value| {
        let rule = json!({"path": "/a", "accept": [kind], key: value});
        let policy = json!({"tokens": [{"format": "edgeward"}, {}], "rules": [rule]});
        let digest = "0".repeat(64);
        let config = parse(&Sources { api_keys: secret(format!("ci:{digest}")), ..sources(policy) });
        assert_eq!(sentences(&config.problems), [""; 0]);
        config.warnings.iter().all(|it| it.at != format!("EDGEWARD.rules[0].{key}"))
    };
    for (key, value, kinds) in [
        ("scopes", json!(["read"]), &["bearer", "api-key"][..]),
        ("users", json!(["ann"]), &["basic"]),
        ("groups", json!(["editors"]), &["basic", "bearer"]),
        ("api_keys", json!(["ci"]), &["api-key"]),
        ("claims", json!({"plan": "pro"}), &["bearer"]),
    ] {
        for kind in ["basic", "bearer", "api-key", "signed-url"] {
            assert_eq!(can(kind, key, value.clone()), kinds.contains(&kind), "{kind} {key}");
        }
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
        Sources { origin_authorization: secret(format!("{MARK}\n") + "é"), ..sources("{}") },
        sources(
            json!({"brand": {"logo": format!("https://ann:{MARK}@a.example"), "support": format!("https://ann:{MARK}@a.example")}}),
        ),
        sources(json!({"rules": [{"path": "/", "host": format!("https://ann:{MARK}@a.example")}]})),
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
