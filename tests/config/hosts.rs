//! One sign-in for several sites: what is read, what is refused and in which words, and that keys stay apart.

use super::{KEY_256, USERS, parse, refused, secret, sentences, sources};
use edgeward::config::{Config, Sources};
use edgeward::policy::{Kind, SessionSettings};
use serde_json::{Value, json};

/// "another marked key: 32 octets..." in base64url, and one of 16 octets.
const FORUM: &str = "YW5vdGhlciBtYXJrZWQga2V5OiAzMiBvY3RldHMuLi4";
const SHORT: &str = "c2l4dGVlbi1vY3RldHMtIQ";

fn jwk(kid: &str, alg: &str, k: &str) -> Value {
    json!({"kty": "oct", "kid": kid, "alg": alg, "k": k})
}

/// With a ledger, and with these keys.
fn config(policy: &Value, keys: &[Value]) -> Config {
    let keys = (!keys.is_empty()).then(|| json!({ "keys": keys }).to_string()).and_then(secret);
    parse(&Sources { keys, ledger: true, ..sources(policy) })
}

fn settings(session: Value) -> SessionSettings {
    let config = config(&json!({ "session": session }), &[jwk("forum", "HS256", FORUM)]);
    assert_eq!(sentences(&config.problems), [""; 0]);
    assert!(config.verifiers.is_some());
    config.policy.and_then(|policy| policy.session).expect("people can sign in")
}

const CONSUMER: &str = "https://forum.example/session/sso_provider";

#[test]
fn every_value_is_read() {
    let read = settings(json!({
        "authority": "https://login.example", "hosts": ["https://a.example", "http://b.localhost:8787"],
        "discourse": {
            "consumer": {"url": "HTTPS://Forum.example/session/sso_provider", "key": "forum"},
            "provider": [{"return": "https://forum.example", "key": "forum"}],
        },
    }));
    assert_eq!(read.authority.as_deref(), Some("https://login.example"));
    assert_eq!(read.hosts, ["https://a.example", "http://b.localhost:8787"]);
    let consumer = read.discourse.consumer.expect("one");
    assert_eq!((consumer.url.as_str(), consumer.key.as_str()), (CONSUMER, "forum"));
    assert_eq!(read.discourse.providers.len(), 1);
    assert!(read.by_form);
}

#[test]
fn what_is_wrong_in_words() {
    for (session, sentence) in [
        (
            json!({"authority": "http://login.example"}),
            r#"EDGEWARD.session.authority: found "http://login.example", expected an https: origin, as what is sent there lets somebody in. Let it speak TLS."#,
        ),
        (
            json!({"hosts": ["http://app.example"]}),
            r#"EDGEWARD.session.hosts[0]: found "http://app.example", expected an https: origin, as what is sent there lets somebody in. Let it speak TLS."#,
        ),
        (
            json!({"domain": "192.0.2.1"}),
            r#"EDGEWARD.session.domain: found "192.0.2.1", expected the host that all others end with, of two labels or more. Write it like "acme.example"."#,
        ),
        (
            json!({"domain": "workers.dev"}),
            r#"EDGEWARD.session.domain: found "workers.dev", expected the host that all others end with, of two labels or more. Write it like "acme.example"."#,
        ),
        (
            json!({"discourse": {"consumer": {"key": "forum"}}}),
            r#"EDGEWARD.session.discourse.consumer.url: found nothing, expected the https: URL of a Discourse's /session/sso_provider. Write it like "https://forum.acme.example/session/sso_provider"."#,
        ),
        (
            json!({"discourse": {"consumer": {"url": "https://forum.example", "key": "forum"}}}),
            r#"EDGEWARD.session.discourse.consumer.url: found "https://forum.example", expected the https: URL of a Discourse's /session/sso_provider. Write it like "https://forum.acme.example/session/sso_provider"."#,
        ),
        (
            json!({"discourse": {"provider": [{"return": "https://forum.example"}]}}),
            "EDGEWARD.session.discourse.provider[0].key: found nothing, expected the kid of a key in EDGEWARD_KEYS. Copy it from the JWK Set.",
        ),
        (
            json!({"discourse": {"provider": [{"return": "https://forum.example/x", "key": "forum"}]}}),
            r#"EDGEWARD.session.discourse.provider[0].return: found "https://forum.example/x", expected an origin as browsers send it: scheme and host in lower case, and the port if it is not the scheme's own. Write "https://forum.example"."#,
        ),
        (
            json!({"discourse": {"providers": []}}),
            r#"EDGEWARD.session.discourse.providers: found an unknown key, expected one of consumer, provider. Did you mean "provider"?"#,
        ),
    ] {
        assert_eq!(refused(json!({ "session": session })), [sentence]);
    }
}

#[test]
fn a_registry_is_warned_of() {
    let warned = |domain: &str| {
        let config = config(&json!({"session": {"domain": domain}}), &[]);
        config.warnings.iter().any(|warning| warning.at == "EDGEWARD.session.domain")
    };
    for domain in ["co.uk", "com.au", "ac.jp", ".or.kr"] {
        assert!(warned(domain), "{domain}");
    }
    for domain in ["acme.example", "acme.co.uk", "co.example", "acme.uk"] {
        assert!(!warned(domain), "{domain}");
    }
}

#[test]
fn what_lets_in_once_has_to_be_counted() {
    let policy = json!({"session": {"authority": "https://login.example"}});
    let config = parse(&sources(&policy));
    assert!(config.verifiers.is_none());
    assert!(config.problems.iter().any(|problem| problem.at == "EDGEWARD_LEDGER"));
}

fn problems(discourse: &Value, keys: &[Value]) -> Vec<String> {
    let config = config(&json!({"session": {"discourse": discourse}}), keys);
    assert!(config.verifiers.is_none());
    sentences(&config.problems)
}

#[test]
fn keys_that_are_not_there_or_for_something_else() {
    let provider = json!({"provider": [{"return": "https://forum.example", "key": "forum"}]});
    let at = "EDGEWARD.session.discourse.provider[0].key";
    for (keys, sentence) in [
        (
            vec![],
            format!(
                "EDGEWARD_KEYS: found nothing, expected a JWK Set, as {at} names a key. Set it with `wrangler secret put EDGEWARD_KEYS`."
            ),
        ),
        (
            vec![jwk("other", "HS256", KEY_256)],
            format!(
                r#"{at}: found "forum", which is not in EDGEWARD_KEYS, expected the id of a key that is there. Add the key to EDGEWARD_KEYS."#
            ),
        ),
        (
            vec![jwk("forum", "HS1", FORUM)],
            format!(
                r#"{at}: found "forum", a key for HS1, expected a key for HS256. Correct its "alg" in EDGEWARD_KEYS."#
            ),
        ),
    ] {
        assert_eq!(problems(&provider, &keys), [sentence]);
    }
}

#[test]
fn a_key_that_is_shared_with_a_discourse_signs_no_jwt() {
    let discourse = json!({"provider": [{"return": "https://forum.example", "key": "forum"}]});
    let keys = [jwk("forum", "HS256", SHORT), jwk("main", "HS256", KEY_256)];
    let entries = |policy: Value, keys: &[Value]| {
        let config = config(&policy, keys);
        assert_eq!(sentences(&config.problems), [""; 0]);
        let policy = config.policy.expect("a policy");
        let bearer = policy.rules.default_rule().accept.has(Kind::Bearer);
        (policy.tokens.iter().map(|entry| entry.keys.clone()).collect::<Vec<_>>(), bearer)
    };
    // Without an entry all other keys are for JWTs; where there is none, tokens are no kind of credentials here.
    let policy = json!({"session": {"discourse": discourse}});
    assert_eq!(entries(policy.clone(), &keys), (vec![Some(vec!["main".to_owned()])], true));
    assert_eq!(entries(policy, &keys[..1]), (vec![], false));
    let with = |tokens: Value| json!({"session": {"discourse": discourse}, "tokens": tokens});
    assert_eq!(entries(with(json!([{"format": "jwt", "keys": ["main"]}])), &keys).0.len(), 1);
    for (tokens, sentence) in [
        (
            json!([{"format": "jwt"}]),
            r#"EDGEWARD.tokens[0].keys: found nothing, expected the kids of this entry's keys, as others are shared with a Discourse. Add keys = ["…"]."#,
        ),
        (
            json!([{"format": "jwt", "keys": ["main", "forum"]}]),
            r#"EDGEWARD.session.discourse.provider[0].key: found "forum", which stands in EDGEWARD.tokens[0].keys too, expected a key of its own. Make another."#,
        ),
    ] {
        let config = config(&with(tokens), &[jwk("forum", "HS256", FORUM), keys[1].clone()]);
        assert!(config.policy.is_none());
        assert_eq!(sentences(&config.problems).first().map(String::as_str), Some(sentence));
    }
}

#[test]
fn a_discourse_is_enough_to_sign_in() {
    let discourse = json!({"consumer": {"url": CONSUMER, "key": "forum"}});
    let keys = secret(json!({"keys": [jwk("forum", "HS256", FORUM)]}).to_string());
    let bare = |users: Vec<_>| {
        let sources = sources(json!({"session": {"discourse": discourse}}));
        parse(&Sources { keys: keys.clone(), users, ledger: true, ..sources })
    };
    let of = |config: Config| config.policy.and_then(|policy| policy.session).expect("sessions").by_form;
    let without = bare(Vec::new());
    assert!(without.verifiers.is_some(), "{:?}", without.problems);
    assert!(!of(without));
    let users = ("EDGEWARD_USERS".to_owned(), edgeward::secret::Secret::new(USERS.to_owned()));
    assert!(of(bare(vec![users])));
}
