//! Any text is answered, in bounded time and words.

use super::{config, refused, sentences, usable};
use edgeward::config::Problem;
use proptest::prelude::*;
use serde_json::{Value, json};

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
    let found = refused(json!({"tokens": vec![0; 1001]}));
    assert_eq!(
        found,
        ["EDGEWARD.tokens: found 1001 entries, expected 1,000 at most. One entry can name several keys."]
    );
    let found = refused(json!({"tokens": [{"from": vec!["authorization"; 17]}]}));
    assert_eq!(
        found,
        [
            "EDGEWARD.tokens[0].from: found 17 places, expected 16 at most. Take out those that no issuer uses."
        ]
    );
    let many: serde_json::Map<String, Value> = (0..20_000).map(|n| (format!("k{n}"), json!(0))).collect();
    assert_eq!(refused(Value::Object(many)).len(), 101);
    let found = refused(json!({"realm": "ä".repeat(10_000), "rules": [{"path": "x".repeat(10_000)}]}));
    assert!(found.len() == 2 && found.iter().all(|sentence| sentence.len() < 1200), "{found:?}");
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
        prop_assert_eq!(config.verifiers.is_some(), config.problems.is_empty());
        let is_of_policy = |problem: &Problem| problem.at.starts_with("EDGEWARD") && !problem.at.starts_with("EDGEWARD_");
        prop_assert!(config.policy.is_some() || config.problems.iter().any(is_of_policy));
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
        let found = config(json!({"origin": text, &key: {&key: text}, "rules": [{"path": text, "host": text, "methods": [text]}], "tokens": [{"keys": [text]}]}));
        for sentence in sentences(&found.problems) {
            prop_assert!(!sentence.chars().any(char::is_control), "{sentence:?}");
            prop_assert!(sentence.ends_with(['.', '?']), "{sentence}");
        }
    }
}
