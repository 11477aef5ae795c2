//! `check`: a good configuration, each problem, each back door.

use super::support::{Folder, GOOD, K, LEDGER, SECRET, dev_vars, keys};
use serde_json::Value;

const KV: &str = "\n[[kv_namespaces]]\nbinding = \"EDGEWARD_KV\"\n";

fn check(config: &str) -> super::support::Ran {
    let folder = Folder::good();
    folder.write("wrangler.toml", config);
    folder.run(&["check", "--json"])
}

fn places(json: &Value, list: &str) -> Vec<String> {
    let items = json[list].as_array().expect("a list");
    items.iter().map(|it| it["at"].as_str().expect("text").to_owned()).collect()
}

#[test]
fn a_good_one_is_good() {
    let folder = Folder::good();
    let ran = folder.run(&["check", "--strict"]).exits(0);
    assert!(ran.out.ends_with("wrangler.toml: no problems, no warnings.\n"), "{}", ran.out);
    ran.hides(SECRET).hides(K);
    let json = folder.run(&["check", "--json"]).exits(0).json();
    assert_eq!((&json["ok"], &json["environment"]), (&true.into(), &Value::Null));
}

/// Each back door, and whether it goes past Edgeward altogether (a problem) or past a part of it (a warning).
#[test]
fn each_back_door_is_named() {
    for (from, to, list, at) in [
        ("workers_dev = false", "", "warnings", "workers_dev"),
        ("workers_dev = false", "workers_dev = true", "warnings", "workers_dev"),
        ("preview_urls = false", "", "warnings", "preview_urls"),
        ("run_worker_first = true", "", "problems", "assets.run_worker_first"),
        ("run_worker_first = true", "run_worker_first = [\"/api/*\"]", "problems", "assets.run_worker_first"),
        ("html_handling = \"none\"", "", "problems", "assets.html_handling"),
        ("[dev]", "[cache]\nenabled = true\n[dev]", "problems", "cache.enabled"),
        ("host = \"localhost\"", "", "warnings", "dev.host"),
        ("host = \"localhost\"", "host = \"acme.example\"", "warnings", "dev.host"),
        (
            "routes = [{ pattern = \"staging.acme.example/*\", zone_name = \"acme.example\" }]",
            "",
            "warnings",
            "routes",
        ),
        ("staging.acme.example/*", "https://staging.acme.example/*", "warnings", "routes[0]"),
        ("staging.acme.example/*", "staging.acme.example/api/*", "warnings", "routes[0]"),
        ("staging.acme.example/*", "staging.acme.example", "warnings", "routes[0]"),
        ("origin = \"assets\"", "origin = \"https://origin.acme.example\"", "warnings", "EDGEWARD.origin"),
        (
            "origin = \"assets\"",
            "origin = \"https://origin.acme.example\"\nforward = { identity = false }",
            "warnings",
            "EDGEWARD.forward.identity",
        ),
        (
            "origin = \"assets\"",
            "origin = \"assets\"\ntokens = [{ from = [\"query:t\"] }]\n[observability]\nenabled = true\n[vars.EDGEWARD.forward]\n",
            "warnings",
            "observability.logs.invocation_logs",
        ),
    ] {
        assert!(GOOD.contains(from), "{from}");
        let json = check(&GOOD.replacen(from, to, 1)).json();
        assert_eq!(places(&json, list), [at], "{to}: {json}");
        assert_eq!(json["ok"], list == "warnings", "{json}");
    }
}

#[test]
fn warnings_count_where_they_are_told_to() {
    let folder = Folder::good();
    folder.write("wrangler.toml", &GOOD.replacen("preview_urls = false", "", 1));
    folder.run(&["check"]).exits(0);
    folder.run(&["check", "--strict"]).exits(1);
    folder.write("wrangler.toml", &GOOD.replacen("\"assets\"", "\"https://o.acme.example\"", 1));
    let open = folder.run(&["check", "--strict"]).exits(1);
    assert!(
        open.out.contains("X-Edgeward-Assertion") && open.out.contains("edgeward key assertion"),
        "{}",
        open.out
    );
    folder.run(&["check", "--strict", "--origin-closed"]).exits(0);
}

/// The sentences are those that the Worker logs.
#[test]
fn problems_are_told_in_the_words_of_the_core() {
    let folder = Folder::good();
    let config = GOOD.replacen("origin = \"assets\"", "origin = \"assets\"\nleeway = 900\nraelm = \"x\"", 1);
    folder.write("wrangler.toml", &config);
    let ran = folder.run(&["check"]).exits(1);
    let toml: toml::Table = config.parse().expect("TOML");
    let policy = serde_json::to_string(&toml["vars"]["EDGEWARD"]).expect("JSON");
    let sources = edgeward::config::Sources {
        policy: Some(policy),
        secret: Some(edgeward::secret::Secret::new(SECRET.into())),
        keys: Some(edgeward::secret::Secret::new(keys())),
        assets: true,
        ..Default::default()
    };
    let problems = edgeward::config::Config::parse(&sources, str::to_owned).problems;
    assert_eq!(problems.len(), 2);
    for problem in problems {
        assert!(ran.out.contains(&format!("problem: {problem}\n")), "{problem}: {}", ran.out);
    }
    assert!(ran.out.ends_with("2 problems, no warnings.\n"), "{}", ran.out);
}

#[test]
fn the_policy_may_be_text_and_moments_of_toml() {
    let text = GOOD.split("[vars.EDGEWARD]").next().expect("the rest").to_owned();
    let json = check(&format!("{text}[vars]\nEDGEWARD = '{{\"origin\":\"assets\"}}'\n")).exits(0).json();
    assert!(places(&json, "problems").is_empty());
    let json = check(&format!("{text}[vars]\nEDGEWARD = '{{\"origin\":'\n")).exits(1).json();
    assert_eq!(places(&json, "problems"), ["EDGEWARD"]);
    let moment = format!("{GOOD}not_before = 2026-12-01T00:00:00Z\n");
    check(&moment).exits(0);
}

#[test]
fn secrets_that_are_not_here_are_no_problem_and_are_named() {
    let folder = Folder::new();
    folder.write("wrangler.toml", GOOD);
    let ran = folder.run(&["check", "--strict", "--json"]).exits(0);
    let notes = ran.json()["notes"].to_string();
    assert!(notes.contains("not checked: EDGEWARD_SECRET is not here"), "{notes}");
    assert!(
        notes.contains("EDGEWARD_KEYS is not here (EDGEWARD.rules[1].accept names \\\"bearer\\\")"),
        "{notes}"
    );
    assert!(!notes.contains("EDGEWARD_USERS"), "nothing needs it: {notes}");
    let kids = format!(
        "{GOOD}{LEDGER}[[vars.EDGEWARD.tokens]]\nkeys = [\"a\", \"b\"]\nalgorithms = [\"HS512\"]\n[[vars.EDGEWARD.tokens]]\nkeys = [\"c\"]\ntrust_subject = true\nfrom = [\"cookie:t\"]\n"
    );
    folder.write("wrangler.toml", &kids);
    let ran = folder.run(&["check", "--strict"]).exits(0);
    assert!(
        ran.out.contains("EDGEWARD_USERS is not here (EDGEWARD.tokens[1].trust_subject is true)"),
        "{}",
        ran.out
    );
    folder.write("wrangler.toml", &[&GOOD.replace("accept = [\"bearer\"]", ""), LEDGER].concat());
    let ran = folder.run(&["check", "--strict"]).exits(0);
    assert!(
        ran.out.contains("EDGEWARD_USERS is not here") && ran.out.contains("EDGEWARD_KEYS is not here"),
        "{}",
        ran.out
    );
}

#[test]
fn secrets_that_are_here_are_checked_in_full() {
    let folder = Folder::good();
    let broken =
        format!("EDGEWARD_SECRET=c2hvcnQ\nEDGEWARD_KEYS='{}'\nEDGEWARD_USERS='ann:hunter2'\n", keys());
    folder.write(".dev.vars", &broken);
    let ran = folder.run(&["check", "--json"]).exits(1);
    assert_eq!(places(&ran.json(), "problems"), ["EDGEWARD_SECRET value 1", "EDGEWARD_USERS line 1"]);
    ran.hides("c2hvcnQ").hides("hunter2").hides(K);
    folder.write("other.vars", &dev_vars());
    let mut command = folder.command(&["check", "--json", "--secrets", "other.vars"]);
    command.env("EDGEWARD_KEYS", "{}");
    // The file that is named comes before the environment, and stands in place of .dev.vars: what is there is for this
    // machine, and not what is deployed.
    let json = super::support::ran(command, "").exits(0).json();
    assert_eq!(places(&json, "problems"), [""; 0]);
    folder.write("keys.vars", &format!("EDGEWARD_KEYS='{}'\n", keys()));
    let ran = folder.run(&["url", "sign", "https://acme.example/a", "--secrets", "keys.vars"]).exits(2);
    assert!(
        ran.err.contains("EDGEWARD_SECRET is not here: looked in keys.vars and the environment."),
        "{}",
        ran.err
    );
    let low = "ann:$2y$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    folder.write(".dev.vars", &format!("{}EDGEWARD_USERS='{low}'\n", dev_vars()));
    let warnings = || places(&folder.run(&["check", "--json"]).exits(0).json(), "warnings");
    assert_eq!(warnings(), ["EDGEWARD_USERS line 1", "EDGEWARD_LEDGER"]);
    folder.write("wrangler.toml", &[GOOD, LEDGER].concat());
    assert_eq!(warnings(), ["EDGEWARD_USERS line 1"], "guesses are counted");
    folder.write("wrangler.toml", &[GOOD, KV].concat());
    folder.write(".dev.vars", &dev_vars());
    assert_eq!(warnings(), ["EDGEWARD_LEDGER"], "there may be accounts in KV");
    let only_tokens = "\n[[vars.EDGEWARD.rules]]\npath = \"/*\"\naccept = [\"bearer\"]\n";
    folder.write("wrangler.toml", &[GOOD, only_tokens, KV].concat());
    assert_eq!(warnings(), ["EDGEWARD_LEDGER"], "whoami takes every kind");
}

#[test]
fn environments_inherit_no_vars() {
    let folder = Folder::good();
    folder.write(
        "wrangler.toml",
        &format!("{GOOD}[env.staging]\n[env.production.vars.EDGEWARD]\norigin = \"assets\"\n"),
    );
    let lost = folder.run(&["check", "--env", "staging", "--json"]).exits(1).json();
    assert_eq!(places(&lost, "problems"), ["env.staging.vars.EDGEWARD"]);
    assert!(lost["problems"][0]["sentence"].as_str().expect("text").contains("does not inherit vars"));
    assert_eq!(lost["environment"], "staging");
    folder.run(&["check", "--env", "production", "--strict"]).exits(0);
    let top = folder.run(&["check"]).exits(0);
    assert!(top.out.contains("with --env: production, staging"), "{}", top.out);
    let none = folder.run(&["check", "--env", "prod"]).exits(2);
    assert!(none.err.contains("there is: production, staging"), "{}", none.err);
}

#[test]
fn an_environment_has_its_own_secrets_and_overrides() {
    let folder = Folder::good();
    let env = "[env.staging]\nworkers_dev = true\n[env.staging.vars.EDGEWARD]\norigin = \"assets\"\n[env.staging.secrets]\nrequired = [\"EDGEWARD_SECRET\"]\n";
    folder.write("wrangler.toml", &format!("{GOOD}{env}"));
    folder.write(".dev.vars.staging", &format!("EDGEWARD_SECRET=short\nEDGEWARD_KEYS='{}'\n", keys()));
    let json = folder.run(&["check", "--env", "staging", "--json"]).exits(1).json();
    assert_eq!(places(&json, "problems"), ["EDGEWARD_SECRET value 1"]);
    assert_eq!(places(&json, "warnings"), ["env.staging.secrets.required", "workers_dev"]);
    folder.run(&["check", "--strict"]).exits(0);
}

#[test]
fn values_in_the_wrong_place_and_of_the_wrong_size() {
    let folder = Folder::good();
    folder.write(
        "wrangler.toml",
        &GOOD.replacen(
            "[vars.EDGEWARD]",
            &format!("[vars]\nEDGEWARD_SECRET = \"{SECRET}\"\n[vars.EDGEWARD]"),
            1,
        ),
    );
    let ran = folder.run(&["check", "--json"]).exits(1);
    assert_eq!(places(&ran.json(), "problems"), ["vars.EDGEWARD_SECRET"]);
    ran.hides(SECRET);
    let rules: String = (0..400).map(|n| format!("[[vars.EDGEWARD.rules]]\npath = \"/{n}/*\"\n")).collect();
    folder.write("wrangler.toml", &format!("{GOOD}{rules}"));
    let json = folder.run(&["check", "--json"]).exits(1).json();
    assert_eq!(places(&json, "problems"), ["EDGEWARD"]);
    assert!(json["problems"][0]["expected"].as_str().expect("text").contains("5 KB"));
}

#[test]
fn pages_and_logos_are_looked_at() {
    let folder = Folder::good();
    let logo = GOOD.replacen(
        "origin = \"assets\"",
        "origin = \"assets\"\nbrand = { logo = \"/.edgeward/brand/l.svg\" }",
        1,
    );
    folder.write("wrangler.toml", &logo);
    assert_eq!(
        places(&folder.run(&["check", "--json"]).exits(1).json(), "problems"),
        ["EDGEWARD.brand.logo"]
    );
    folder.write("www/.edgeward/brand/l.svg", "<svg/>");
    folder.write("www/.edgeward/pages/page.html", "{{broken");
    folder.write("www/.edgeward/pages/401.html", "<p>{{headline}}</p>");
    folder.run(&["check", "--strict"]).exits(0);
    folder.write("www/.edgeward/pages/403.html", "<p>\n{{nobody}}</p>");
    folder.write("www/.edgeward/pages/418.html", "<p>tea</p>");
    let json = folder.run(&["check", "--json"]).exits(1).json();
    assert_eq!(places(&json, "problems"), ["./www/.edgeward/pages/403.html"]);
    assert!(
        json["problems"][0]["found"].as_str().expect("text").starts_with("line 2: {{nobody}} is unknown")
    );
    assert_eq!(places(&json, "warnings"), ["./www/.edgeward/pages/418.html"]);
}

#[test]
fn a_file_that_cannot_be_read_is_a_misuse() {
    let folder = Folder::new();
    assert!(folder.run(&["check"]).exits(2).err.contains("wrangler.toml cannot be read"));
    folder.write("wrangler.toml", "a = 1\nEDGEWARD_SECRET = \"hunter2\n");
    let ran = folder.run(&["check"]).exits(2);
    assert!(ran.err.contains("line 2"), "{}", ran.err);
    ran.hides("hunter2");
    folder.write("wrangler.jsonc", "{}");
    assert!(folder.run(&["check", "wrangler.jsonc"]).exits(2).err.contains("is JSON"));
}

/// The configuration that this repository ships.
#[test]
fn the_shipped_configuration_has_no_problem() {
    let root = env!("CARGO_MANIFEST_DIR");
    let folder = Folder::new();
    let ran = folder.run(&["check", &format!("{root}/wrangler.toml"), "--json"]).exits(0);
    assert_eq!(places(&ran.json(), "warnings"), ["routes"], "the demo stands in front of nothing yet");
}
