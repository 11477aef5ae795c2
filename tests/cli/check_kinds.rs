//! `check` on what the new kinds need: bindings, keys by their dates, entries and rules that go together.

use super::support::{Folder, GOOD, Ran, SECRET, dev_vars};
use serde_json::{Value, json};

const AT: &str = "2026-11-22T00:00:00Z";

/// A 32-octet key.
const K: &str = "dGhlIGtleSBvZiB0aGVzZSB0ZXN0cywgMzIgb2N0ZXRz";

const LEDGER: &str = "[[durable_objects.bindings]]\nname = \"EDGEWARD_LEDGER\"\nclass_name = \"Ledger\"\n";
const MIGRATION: &str = "[[migrations]]\ntag = \"v1\"\nnew_sqlite_classes = [\"Ledger\"]\n";
const STORE: &str =
    "[[kv_namespaces]]\nbinding = \"EDGEWARD_KV\"\nid = \"0123456789abcdef0123456789abcdef\"\n";

fn config(policy: &str, rest: &str) -> String {
    let head = GOOD.split("[vars.EDGEWARD]").next().expect("the head");
    format!("{head}{rest}[vars.EDGEWARD]\norigin = \"assets\"\n{policy}")
}

fn check(folder: &Folder, policy: &str, rest: &str) -> Ran {
    folder.write("wrangler.toml", &config(policy, rest));
    folder.run(&["check", "--json", "--at", AT])
}

fn places(json: &Value, list: &str) -> Vec<String> {
    let items = json[list].as_array().expect("a list");
    items.iter().map(|it| it["at"].as_str().expect("text").to_owned()).collect()
}

fn notes(json: &Value) -> String {
    json["notes"].to_string()
}

#[test]
fn bindings_are_whole() {
    let whole =
        format!("{STORE}{LEDGER}{MIGRATION}[[analytics_engine_datasets]]\nbinding = \"EDGEWARD_EVENTS\"\n");
    let json = check(&Folder::good(), "revocation = \"strict\"\n", &whole).exits(0).json();
    assert_eq!(places(&json, "warnings"), [""; 0], "{json}");
    let table = [
        (LEDGER.to_owned(), "problems", "migrations"),
        (format!("{LEDGER}{}", MIGRATION.replace("sqlite_", "")), "problems", "migrations[0].new_classes"),
        (format!("{LEDGER}{}", MIGRATION.replace("[\"Ledger\"]", "[\"Other\"]")), "problems", "migrations"),
        (
            format!("{}{MIGRATION}", LEDGER.replace("\"Ledger\"", "\"Ledgers\"")),
            "problems",
            "durable_objects.bindings[0].class_name",
        ),
        (
            format!("{}{MIGRATION}", LEDGER.replace("EDGEWARD_LEDGER", "EDGEWARD_LEGDER")),
            "warnings",
            "durable_objects.bindings[0].name",
        ),
        (STORE.replace("EDGEWARD_KV", "edgeward_kv"), "warnings", "kv_namespaces[0].binding"),
        (STORE.replace("EDGEWARD_KV", "EDGEWARD_LEDGER"), "problems", "kv_namespaces[0].binding"),
    ];
    for (rest, list, at) in table {
        let json = check(&Folder::good(), "", &rest).json();
        assert_eq!(places(&json, list), [at], "{rest}: {json}");
    }
    // The class of another Worker is that one's, and a class may have had another name.
    let elsewhere = format!("{LEDGER}script_name = \"ledger\"\n");
    let renamed = format!(
        "{LEDGER}[[migrations]]\ntag = \"v2\"\nrenamed_classes = [{{ from = \"A\", to = \"Ledger\" }}]\n"
    );
    for rest in [elsewhere, renamed, "[[kv_namespaces]]\nbinding = \"SESSIONS\"\nid = \"0\"\n".to_owned()] {
        let json = check(&Folder::good(), "", &rest).exits(0).json();
        assert_eq!(places(&json, "warnings"), [""; 0], "{json}");
    }
}

#[test]
fn environments_inherit_no_bindings() {
    let folder = Folder::good();
    let env = "[env.staging.vars.EDGEWARD]\norigin = \"assets\"\n";
    folder.write("wrangler.toml", &format!("{}{env}", config("", &format!("{STORE}{LEDGER}{MIGRATION}"))));
    let json = folder.run(&["check", "--json", "--env", "staging"]).exits(0).json();
    assert_eq!(
        places(&json, "warnings"),
        ["env.staging.kv_namespaces", "env.staging.durable_objects.bindings"]
    );
    // Migrations are inherited.
    let own = "[[env.staging.kv_namespaces]]\nbinding = \"EDGEWARD_KV\"\nid = \"0\"\n\
        [[env.staging.durable_objects.bindings]]\nname = \"EDGEWARD_LEDGER\"\nclass_name = \"Ledger\"\n";
    folder
        .write("wrangler.toml", &format!("{}{env}{own}", config("", &format!("{STORE}{LEDGER}{MIGRATION}"))));
    let json = folder.run(&["check", "--json", "--env", "staging"]).exits(0).json();
    assert_eq!(places(&json, "warnings"), [""; 0], "{json}");
}

#[test]
fn revocation_needs_what_it_asks() {
    let folder = Folder::good();
    let stores = [STORE, LEDGER, MIGRATION].concat();
    let json = check(&folder, "revocation = \"strict\"\n", "").exits(1).json();
    assert_eq!(places(&json, "problems"), ["EDGEWARD_LEDGER"]);
    let json = check(&folder, "revocation_unavailable = \"allow\"\n", &stores).exits(0).json();
    assert_eq!(places(&json, "warnings"), ["EDGEWARD.revocation_unavailable"]);
}

#[test]
fn share_links_work_without_the_ledger_but_for_their_uses() {
    let folder = Folder::good();
    folder.write(".dev.vars", &format!("EDGEWARD_SECRET='{SECRET}'\n"));
    let policy = "[[vars.EDGEWARD.tokens]]\nformat = \"edgeward\"\n";
    let json = check(&folder, policy, "").exits(0).json();
    assert!(notes(&json).contains("share links that count their uses are refused without EDGEWARD_LEDGER"));
    assert!(notes(&json).contains("cannot be taken back before it ends without EDGEWARD_KV"));
    assert_eq!(places(&json, "warnings"), [""; 0], "{json}");
    let json = check(&folder, policy, &format!("{STORE}{LEDGER}{MIGRATION}")).exits(0).json();
    assert!(!notes(&json).contains("share link"), "{json}");
}

/// Secrets that are not here: each format gets a key that it can have.
#[test]
fn formats_are_checked_without_their_keys() {
    let folder = Folder::new();
    for (name, _) in edgeward::policy::Format::ALL {
        let more = if name == "cloudflare" { "ttl = \"1h\"\n" } else { "" };
        let keys = if name == "edgeward" { "" } else { "keys = [\"a\", \"b\"]\n" };
        let json =
            check(&folder, &format!("[[vars.EDGEWARD.tokens]]\nformat = \"{name}\"\n{keys}{more}"), "")
                .exits(0)
                .json();
        assert_eq!(places(&json, "warnings"), [""; 0], "{name}: {json}");
        assert_eq!(notes(&json).contains("EDGEWARD_KEYS is not here"), name != "edgeward", "{name}: {json}");
        assert!(!notes(&json).contains("EDGEWARD_USERS"), "{json}");
    }
    let accepting = |kind: &str| format!("[[vars.EDGEWARD.rules]]\npath = \"/a\"\naccept = [\"{kind}\"]\n");
    let json = check(&folder, &accepting("api-key"), "").exits(0).json();
    assert!(notes(&json).contains("EDGEWARD_API_KEYS is not here (EDGEWARD.rules[0].accept names"), "{json}");
    assert!(!notes(&json).contains("EDGEWARD_KEYS is not here"), "{json}");
    let stored = format!("{}[vars.EDGEWARD.api_key]\nkv = true\n", accepting("api-key"));
    let json = check(&folder, &stored, STORE).exits(0).json();
    assert!(!notes(&json).contains("EDGEWARD_API_KEYS"), "{json}");
    // An entry that is missing is a problem, whatever the keys are.
    let json = check(&folder, &accepting("signed-url"), "").exits(1).json();
    assert_eq!(places(&json, "problems"), ["EDGEWARD.tokens"]);
}

#[test]
fn links_that_go_too_far() {
    let folder = Folder::good();
    let entry = |more: &str| format!("[[vars.EDGEWARD.tokens]]\nformat = \"akamai\"\nkeys = [\"k\"]\n{more}");
    folder.write(".dev.vars", &dev_vars());
    for (policy, at) in [
        (entry("require = []\n"), "EDGEWARD.tokens[0].require"),
        (entry("weak_keys = true\n"), "EDGEWARD.tokens[0].weak_keys"),
    ] {
        let json = check(&folder, &policy, "").exits(0).json();
        assert_eq!(places(&json, "warnings"), [at], "{policy}: {json}");
    }
    // A key that is here and short is told by its place, once.
    let short = dev_vars().replace(K, "c2hvcnQ");
    folder.write(".dev.vars", &short);
    let json = check(&folder, &entry("weak_keys = true\n"), "").exits(0).json();
    assert_eq!(places(&json, "warnings"), ["EDGEWARD_KEYS keys[0].k"]);
}

#[test]
fn entries_and_rules_go_together() {
    let folder = Folder::good();
    let link = |more: &str| format!("[[vars.EDGEWARD.tokens]]\nformat = \"edgeward\"\n{more}");
    let jwt = |more: &str| format!("[[vars.EDGEWARD.tokens]]\nkeys = [\"k\"]\n{more}");
    let rule = |path: &str, more: &str| format!("[[vars.EDGEWARD.rules]]\npath = \"{path}\"\n{more}\n");
    let basic = "accept = [\"bearer\"]";
    let bunny = "[[vars.EDGEWARD.tokens]]\nformat = \"bunny\"\nkeys = [\"b\"]\n";
    let table = [
        (link("paths = [\"/video/*\"]\n") + &rule("/video/*", basic), Some("EDGEWARD.tokens[0].paths")),
        (
            link("paths = [\"/video/*\"]\n")
                + &rule("/video/*", "users = [\"ann\"]\naccept = [\"signed-url\"]"),
            Some("EDGEWARD.rules[0].users EDGEWARD.tokens[0].paths"),
        ),
        (link("paths = [\"/video/*\"]\n") + &rule("/video/a/*", basic), None),
        (link("paths = [\"/video/*\"]\n") + &rule("/*", basic) + &rule("/video/{x}", ""), None),
        (
            link("paths = [\"/video/x\"]\n") + &rule("/*", basic) + &rule("/video/y", ""),
            Some("EDGEWARD.tokens[0].paths"),
        ),
        (
            link("paths = [\"/public/*\"]\n") + &rule("/public/*", "access = \"public\""),
            Some("EDGEWARD.tokens[0].paths"),
        ),
        (link("") + &rule("/*", basic), Some("EDGEWARD.tokens[0]")),
        (link("") + &rule("/*", basic) + &rule("/x", "host = \"b.example\"\nmethods = [\"POST\"]"), None),
        (link("") + &rule("/a", "exchange = \"cookie\""), None),
        (
            link("") + &rule("/a", &format!("exchange = \"cookie\"\n{basic}")),
            Some("EDGEWARD.rules[0].exchange"),
        ),
        (
            link("") + &rule("/a", "exchange = \"cookie\"\nscopes = [\"read\"]"),
            Some("EDGEWARD.rules[0].exchange"),
        ),
        (bunny.to_owned() + &jwt("from = [\"query:token\"]\n"), Some("EDGEWARD.tokens[0].from")),
        (bunny.to_owned() + &jwt("from = [\"query:jwt\"]\n"), None),
        (
            bunny.to_owned()
                + "paths = [\"/dl/*\"]\n"
                + &jwt("from = [\"query:token\"]\n")
                + &rule("/dl/*", "accept = [\"signed-url\"]"),
            None,
        ),
    ];
    let two = json!({"keys": [
        {"kty": "oct", "kid": "k", "alg": "HS256", "k": K},
        {"kty": "oct", "kid": "b", "alg": "HS256", "k": SECRET},
    ]});
    for (policy, at) in table {
        let keys = if policy.contains("bunny") {
            format!("EDGEWARD_SECRET='{SECRET}'\nEDGEWARD_KEYS='{two}'\n")
        } else {
            format!("EDGEWARD_SECRET='{SECRET}'\nEDGEWARD_KEYS='{}'\n", super::support::keys())
        };
        let policy = if policy.contains("bunny") { policy } else { policy + &jwt("") };
        folder.write(".dev.vars", &keys);
        let json = check(&folder, &policy, "").exits(0).json();
        assert_eq!(places(&json, "warnings").join(" "), at.unwrap_or_default(), "{policy}: {json}");
    }
}

#[test]
fn api_keys_that_rules_name_are_there() {
    let folder = Folder::good();
    let line = |name: &str| format!("{name}:{}", "0123456789abcdef".repeat(4));
    folder.write(".dev.vars", &format!("{}EDGEWARD_API_KEYS='{}'\n", dev_vars(), line("ci")));
    let rule = "[[vars.EDGEWARD.rules]]\npath = \"/a\"\napi_keys = [\"ci\", \"cd\"]\n";
    let json = check(&folder, rule, "").exits(0).json();
    assert_eq!(places(&json, "warnings"), ["EDGEWARD.rules[0].api_keys[1]"]);
    // Those in KV are not here.
    let json = check(&folder, &format!("{rule}[vars.EDGEWARD.api_key]\nkv = true\n"), STORE).exits(0).json();
    // Where there is KV, there may be accounts in it.
    assert_eq!(places(&json, "warnings"), ["EDGEWARD_LEDGER"], "{json}");
    let many: String = (0..80).map(|n| format!("key-{n}:{:064x}\n", n + 1)).collect();
    folder.write(".dev.vars", &format!("{}EDGEWARD_API_KEYS='{many}'\n", dev_vars()));
    let json = check(&folder, "", "").exits(1).json();
    assert_eq!(places(&json, "problems"), ["EDGEWARD_API_KEYS"]);
    assert!(json["problems"][0]["fix"].as_str().expect("text").contains("EDGEWARD_KV"), "{json}");
    folder.write(".dev.vars", &dev_vars());
    let json = check(&folder, "[vars.EDGEWARD.token]\n", "").exits(0).json();
    assert_eq!(places(&json, "warnings"), ["EDGEWARD.token"]);
}

#[test]
fn keys_by_their_dates() {
    let folder = Folder::good();
    let key = |kid: &str, dates: Value| {
        // Each its own: two keys of one value are a warning.
        let k = format!("{}{}", &K[..K.len() - 2], if kid == "a" { "Rz" } else { "R0" });
        json!({"kty": "oct", "kid": kid, "alg": "HS256", "k": k, "edgeward": dates})
    };
    let run = |keys: Vec<Value>, policy: &str| {
        let keys = json!({ "keys": keys });
        folder.write(".dev.vars", &format!("EDGEWARD_SECRET='{SECRET}'\nEDGEWARD_KEYS='{keys}'\n"));
        check(&folder, policy, "").exits(0).hides(K).json()
    };
    let (good, gone) = (json!({}), json!({"retire_after": "2026-11-01T00:00:00Z"}));
    let (soon, later) =
        (json!({"retire_after": "2026-12-01T00:00:00Z"}), json!({"retire_after": "2026-12-24T00:00:00Z"}));
    let next = json!({"use_from": "2026-12-01T00:00:00Z"});
    let both = "[[vars.EDGEWARD.tokens]]\nkeys = [\"a\", \"b\"]\n";
    let one = "[[vars.EDGEWARD.tokens]]\nkeys = [\"a\"]\n";
    let keys = "EDGEWARD.tokens[0].keys";
    for (a, b, policy, at, note) in [
        (&good, &good, both, "", ""),
        (&good, &gone, both, "", "the key \\\"b\\\" was retired at 2026-11-01"),
        (&good, &next, both, "", "the key \\\"b\\\" is not in use before 2026-12-01"),
        (&soon, &next, both, "", ""),
        (&later, &gone, both, "", ""),
        (&soon, &gone, both, keys, ""),
        (&gone, &gone, both, keys, ""),
        (&next, &gone, both, keys, ""),
        (&good, &good, one, "EDGEWARD_KEYS keys[1]", ""),
        (&gone, &gone, "", "EDGEWARD_KEYS", ""),
    ] {
        let json = run(vec![key("a", a.clone()), key("b", b.clone())], policy);
        assert_eq!(places(&json, "warnings").join(" "), at, "{a} {b}: {json}");
        assert!(notes(&json).contains(note), "{note}: {json}");
    }
}

#[test]
fn keys_that_are_shared_with_a_discourse_are_in_use() {
    let folder = Folder::good();
    let policy = "[vars.EDGEWARD.session.discourse]\nconsumer = { url = \"https://forum.example/session/sso_provider\", key = \"k\" }\n";
    let told = check(&folder, policy, &[LEDGER, MIGRATION].concat()).exits(0).json();
    assert!(places(&told, "warnings").is_empty(), "{told}");
}

/// What stands in the shipped configuration as a comment can be uncommented, all of it at once.
#[test]
fn the_shipped_comments_are_good() {
    let text =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/wrangler.toml")).expect("a file");
    let is_key = |line: &str| {
        line.split_once(" = ")
            .is_some_and(|(key, _)| key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
    };
    let uncommented = |line: &str| match line.strip_prefix("# ") {
        Some(rest) if rest.starts_with('[') || is_key(rest) => rest.to_owned(),
        Some(_) | None => line.to_owned(),
    };
    let lines: Vec<String> = text.lines().map(uncommented).collect();
    assert!(lines.iter().filter(|line| line.starts_with('[')).count() > 20, "{lines:#?}");
    // Two entries of others' keys each say which are theirs.
    let text = lines.join("\n").replace("format = \"jwt\"", "format = \"jwt\"\nkeys = [\"login\"]");
    let folder = Folder::new();
    folder.write("www/.edgeward/brand/logo.svg", "<svg/>");
    folder.write("wrangler.toml", &text);
    let json = folder.run(&["check", "--json"]).exits(0).json();
    assert_eq!(places(&json, "warnings"), [""; 0], "{json}");
}

/// Behind the same Worker each host has to be one that the authority lets its visitors back to.
#[test]
fn hosts_that_share_a_sign_in_are_let_back() {
    let checked = |routes: &str, session: &str| {
        let folder = Folder::good();
        let policy =
            config(&format!("[vars.EDGEWARD.session]\n{session}\n"), &format!("{STORE}{LEDGER}{MIGRATION}"));
        let routes = format!("routes = [{routes}]");
        let policy = policy.replace(
            "routes = [{ pattern = \"staging.acme.example/*\", zone_name = \"acme.example\" }]",
            &routes,
        );
        folder.write("wrangler.toml", &policy);
        places(&folder.run(&["check", "--json", "--origin-closed"]).json(), "warnings")
    };
    let (login, app, shop) = (
        "\"login.acme.example/*\"",
        "\"acme.example/*\"",
        "{ pattern = \"shop.example\", custom_domain = true }",
    );
    let authority = "authority = \"https://login.acme.example\"";
    let all = format!("{login}, {app}, {shop}");
    let hosts = "EDGEWARD.session.hosts";
    for (routes, session, wanted) in [
        (
            all.as_str(),
            format!("{authority}\nhosts = [\"https://acme.example\", \"https://shop.example\"]"),
            vec![],
        ),
        (&all, format!("{authority}\nhosts = [\"https://acme.example\"]"), vec![hosts]),
        (&all, authority.to_owned(), vec![hosts, hosts]),
        (login, authority.to_owned(), vec![hosts]),
        (login, format!("{authority}\nhosts = [\"https://elsewhere.example\"]"), vec![]),
        // Where the authority is another Worker's, its policy is.
        (app, authority.to_owned(), vec![]),
        (app, String::new(), vec![]),
    ] {
        assert_eq!(checked(routes, &session), wanted, "{routes} {session}");
    }
}
