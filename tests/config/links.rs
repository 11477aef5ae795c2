//! Entries of signed-URL formats: what is read, what is refused and in which words.

use super::{KEY_256, parse, refused, secret, sentences, sources, usable};
use edgeward::config::Sources;
use edgeward::policy::{Format, LinkPlace, UrlMode};
use serde_json::{Value, json};

fn entry(format: &str, members: Value) -> Value {
    let mut entry = json!({"format": format, "keys": ["2026-11"]});
    for (key, value) in members.as_object().expect("members") {
        entry[key] = value.clone();
    }
    json!({"tokens": [entry]})
}

#[test]
fn every_format_is_read_with_its_settings() {
    for (name, format) in Format::ALL {
        let members = if name == "cloudflare" { json!({"ttl": "1h"}) } else { json!({}) };
        let mut policy = entry(name, members);
        if format == Format::Edgeward {
            policy["tokens"][0].as_object_mut().expect("an entry").remove("keys");
        }
        // Some sign with SHA-1 alone.
        let fits = |alg: &str| {
            let keys = json!({"keys": [{"kty": "oct", "kid": "2026-11", "alg": alg, "k": KEY_256}]});
            let config = parse(&Sources { keys: secret(keys.to_string()), ..sources(&policy) });
            let read = config.policy.map(|policy| policy.links[0].format);
            assert_eq!(read, Some(format), "{:?}", config.problems);
            config.problems.is_empty()
        };
        assert!(fits("HS256") || fits("HS1"), "{name}");
    }
}

#[test]
fn what_of_the_url_is_signed() {
    for (format, mode, wanted) in [
        ("akamai", "path", UrlMode::Path),
        ("akamai", "relative", UrlMode::Relative),
        ("laravel", "absolute", UrlMode::Absolute),
        ("laravel", "relative", UrlMode::Relative),
    ] {
        assert_eq!(usable(entry(format, json!({"url_mode": mode}))).links[0].url_mode, wanted);
    }
    assert_eq!(
        refused(entry("akamai", json!({"url_mode": "absolute"}))),
        [
            r#"EDGEWARD.tokens[0].url_mode: found "absolute", expected one of relative, path. Choose one of these."#
        ]
    );
    let laravel = refused(entry("laravel", json!({"url_mode": "path"})));
    assert_eq!(laravel.len(), 1, "{laravel:?}");
    assert!(laravel[0].contains("expected one of absolute, relative."), "{laravel:?}");
}

/// What is not in the pattern is not signed: whoever has such a link could choose when it ends.
#[test]
fn a_pattern_signs_when_a_link_ends() {
    let fix = "Have both signed; require = [] is for links that have neither.";
    for members in [
        json!({"pattern": "$uri|$arg_ts|$arg_e"}),
        json!({"pattern": "$uri", "require": []}),
        json!({"pattern": "$uri|$arg_t|$arg_x", "parameters": {"timestamp": "t", "expires": "x"}}),
        json!({}),
    ] {
        usable(entry("nginx-hmac", members));
    }
    for (members, found, time, lifetime) in [
        (json!({"pattern": "$uri|$arg_ts"}), r#""$uri|$arg_ts""#, "ts", "e"),
        (json!({"pattern": "$uri|$arg_e"}), r#""$uri|$arg_e""#, "ts", "e"),
        (json!({"pattern": "$uri"}), r#""$uri""#, "ts", "e"),
        (json!({"pattern": "$uri|$arg_ts", "require": []}), r#""$uri|$arg_ts""#, "ts", "e"),
        (json!({"parameters": {"expires": "x"}}), "nothing", "ts", "x"),
        (
            json!({"pattern": "$uri|$arg_ts|$arg_e", "parameters": {"timestamp": "t"}}),
            r#""$uri|$arg_ts|$arg_e""#,
            "t",
            "e",
        ),
    ] {
        let expected = format!(
            "EDGEWARD.tokens[0].pattern: found {found}, expected a pattern with $arg_{time} and $arg_{lifetime}: what is \
             not in it is not signed. {fix}"
        );
        assert_eq!(refused(entry("nginx-hmac", members.clone())), [expected], "{members}");
    }
    // A pattern that is none is told once.
    let none = refused(entry("nginx-hmac", json!({"pattern": "$arg_ts"})));
    assert_eq!(none.len(), 1, "{none:?}");
}

/// A request with that field would always bear two credentials.
#[test]
fn a_field_carries_one_kind() {
    let link = json!({"format": "akamai", "keys": ["2026-11"], "from": ["header:X-Link"]});
    let jwt = |from: &str| json!({"keys": ["long"], "from": [from]});
    let words = |other: &str| {
        format!(
            "EDGEWARD.tokens[0].from: found \"x-link\", which is the field of {other} too, expected a field of its own. \
             Rename one of them."
        )
    };
    usable(json!({"tokens": [link, jwt("header:X-Token")]}));
    for (policy, other) in [
        (json!({"tokens": [link, jwt("header:X_Link")]}), "JWTs"),
        (json!({"tokens": [link], "api_key": {"header": "x-link"}}), "API keys"),
        (json!({"tokens": [link], "forward": {"user": "X-Link"}}), "the identity that the origin is told"),
    ] {
        assert_eq!(refused(policy), [words(other)]);
    }
}

#[test]
fn link_entries_in_words() {
    for (format, members, sentence) in [
        (
            "cloudflare",
            json!({}),
            "ttl: found nothing, expected how long a link is good. Add ttl = \"1h\", or what the signer counts on.",
        ),
        ("fastly", json!({"ttl": "1h"}), "ttl: found an unknown key, expected "),
        ("edgeward", json!({}), "keys: found an unknown key, expected "),
        ("fastly", json!({"require": ["sub"]}), "require[0]: found \"sub\", expected one of exp. "),
        (
            "fastly",
            json!({"paths": ["video"]}),
            "paths[0]: found \"video\", expected a path like \"/video/*\" or \"/report.pdf\". Correct it.",
        ),
        (
            "fastly",
            json!({"from": ["header:Authorization"]}),
            "from[0]: found \"header:Authorization\", expected ",
        ),
        (
            "bunny",
            json!({"parameters": {"expires": "token"}}),
            "parameters: found one name for two parameters, expected each name once. Correct one of them.",
        ),
        (
            "bunny",
            json!({"parameters": {"nothing": "x"}}),
            "parameters.nothing: found a parameter that the format does not have, expected one of ",
        ),
    ] {
        let found = refused(entry(format, members.clone()));
        let wanted = format!("EDGEWARD.tokens[0].{sentence}");
        assert!(found.len() == 1 && found[0].starts_with(&wanted), "{format} {members}: {found:#?}");
    }
}

#[test]
fn share_links_need_no_key_but_the_secret() {
    let sources = Sources { keys: None, ..sources(json!({"tokens": [{"format": "edgeward"}]})) };
    let config = parse(&sources);
    assert_eq!(sentences(&config.problems), [""; 0]);
    let policy = config.policy.expect("a policy");
    assert_eq!(policy.links[0].from, [LinkPlace::Parameters]);
    assert_eq!(policy.links[0].parameters, ["ew"]);
}
