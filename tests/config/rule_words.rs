//! What is refused of rules and token entries, and in which words.

use super::{refused, usable};
use serde_json::json;

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
            json!("cookies"),
            r#"found "cookies", expected one of none, cookie. Did you mean "cookie"?"#,
        ),
        ("second_factor", json!(1), "found 1, expected true or false. Write true or false, without quotes."),
        (
            "basic_without_second_factor",
            json!("yes"),
            "found a string, expected true or false. Write true or false, without quotes.",
        ),
        (
            "api_keys",
            json!([]),
            "found an empty list, expected at least one item. Name one, or leave the key out.",
        ),
        (
            "acess",
            json!("denied"),
            r#"found an unknown key, expected one of accept, access, api_keys, basic_without_second_factor, claims, cross_site, exchange, forward_credentials, groups, host, methods, mode, networks, not_after, not_before, path, scopes, second_factor, shared_cache, users. Did you mean "access"?"#,
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
            json!(["basic", "webhook:stripe"]),
            r#"accept[1]: found "webhook:stripe", expected a kind that this version of Edgeward offers: basic, bearer, api-key, signed-url, session. Take it out."#,
        ),
        (
            "api_keys",
            json!(["ci", "ci:deploy"]),
            r#"api_keys[1]: found "ci:deploy", expected the name of an API key, as it stands in EDGEWARD_API_KEYS. Correct it."#,
        ),
        (
            "accept",
            json!(["webhook:github"]),
            r#"accept[0]: found "webhook:github", expected a kind that this version of Edgeward offers: basic, bearer, api-key, signed-url, session. Take it out."#,
        ),
        (
            "accept",
            json!(["Bearer"]),
            r#"accept[0]: found "Bearer", expected one of basic, bearer, api-key, signed-url, session. Did you mean "bearer"?"#,
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
        ("format", json!("nginx"), r#"format: found "nginx", expected one of jwt, akamai, bunny, cloudflare, edgeward, fastly, google-cdn, laravel, media-cdn, nginx-hmac, symfony. secure_link with MD5 is no HMAC and is not taken; "nginx-hmac" reads secure_link_hmac."#.to_owned()),
        ("format", json!("fastley"), r#"format: found "fastley", expected one of jwt, akamai, bunny, cloudflare, edgeward, fastly, google-cdn, laravel, media-cdn, nginx-hmac, symfony. Did you mean "fastly"?"#.to_owned()),
        ("format", json!("JWT"), r#"format: found "JWT", expected one of jwt, akamai, bunny, cloudflare, edgeward, fastly, google-cdn, laravel, media-cdn, nginx-hmac, symfony. Did you mean "jwt"?"#.to_owned()),
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
        ("ttl", json!(60), "ttl: found an unknown key, expected one of algorithms, audience, format, from, issuer, keys, max_age, require, trust_subject. Take it out, or correct its spelling.".to_owned()),
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
