//! What is refused, and in which words: everything but rules and token entries.

use super::{refused, usable};
use edgeward::policy::Origin;
use serde_json::json;

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
            json!({"origin_timeout": 100}),
            "EDGEWARD.origin_timeout: found 100, expected a string. Write a value in quotes.",
        ),
        (
            json!({"origin_timeout": "11m"}),
            r#"EDGEWARD.origin_timeout: found "11m", expected a whole number and a unit from "1s" to "10m". Write it like "100s"."#,
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
        (
            json!({"rules": {}}),
            "EDGEWARD.rules: found a table, expected a list. Write its heading in [[ … ]].",
        ),
        (
            json!({"brand": "Acme"}),
            "EDGEWARD.brand: found a string, expected a table. Write it as a table with keys and values.",
        ),
        (
            json!({"session": {"idle": "0"}}),
            r#"EDGEWARD.session.idle: found "0", expected a whole number and a unit from "1s" to "400d". Write it like "30m", "12h" or "30d"."#,
        ),
        (
            json!({"session": {"remember": "401d"}}),
            r#"EDGEWARD.session.remember: found "401d", expected a whole number and a unit up to "400d", or "0". Write it like "30m", "12h" or "30d"."#,
        ),
        (
            json!({"session": {"domain": "localhost"}}),
            r#"EDGEWARD.session.domain: found "localhost", expected the host that all others end with, of two labels or more. Write it like "acme.example"."#,
        ),
        (
            json!({"session": {"hosts": ["https://app.acme.example/"]}}),
            r#"EDGEWARD.session.hosts[0]: found "https://app.acme.example/", expected an origin as browsers send it: scheme and host in lower case, and the port if it is not the scheme's own. Write "https://app.acme.example"."#,
        ),
        (
            json!({"rules": [{"path": "/", "accept": ["session"]}]}),
            r#"EDGEWARD.session: found nothing, expected the table that lets people sign in, as EDGEWARD.rules[0].accept names "session". Add [vars.EDGEWARD.session]; it may be empty."#,
        ),
        (
            json!({"relam": "x"}),
            r#"EDGEWARD.relam: found an unknown key, expected one of api_key, brand, cors, forward, hsts, http, leeway, log, origin, origin_timeout, paths, realm, revocation, revocation_unavailable, rules, session, token, tokens, websocket. Did you mean "realm"?"#,
        ),
        (
            json!({"a b\n": 1}),
            r#"EDGEWARD."a b\u{a}": found an unknown key, expected one of api_key, brand, cors, forward, hsts, http, leeway, log, origin, origin_timeout, paths, realm, revocation, revocation_unavailable, rules, session, token, tokens, websocket. Take it out, or correct its spelling."#,
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
        // API keys may share that field with JWTs.
        if name != "Authorization" {
            let found = refused(json!({"api_key": {"header": name}}));
            assert_eq!(found, [format!("EDGEWARD.api_key.header: found \"{name}\", {own}")]);
        }
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
