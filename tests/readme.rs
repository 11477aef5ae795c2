//! README.md says nothing that is not so: its policies parse, its commands and options exist, its tables are complete.

use edgeward::config::{Config, Sources};
use edgeward::policy::Format;
use edgeward::reply;
use edgeward::reply::template::Template;
use edgeward::revocation;
use edgeward::secret::Secret;
use edgeward::token::mac::RootSecret;
use edgeward::token::signed_url::preset;
use edgeward::totp::{Digits, Hash, Made};
use edgeward::verdict::Cause;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

const README: &str = include_str!("../README.md");
/// RFC 9106's form; whose password it is does not matter here.
const USERS: &str = "ann:$argon2id$v=19$m=19456,t=2,p=1$O0YcwuG4QDuOckk+ohcxfA$GHLOkJJ2IRdhBM7fqD5BYrx7NPSgqEo6d5sXCzi4BM8:staff";
/// 32 random octets each.
const KEYS: [&str; 6] = [
    "RvqyClzaHHAxCBDt2O2HRSDJmUOlYzWSsJQqt1Rt5Rg",
    "IFTVqyTCvnW8mXZ0TvZHUVRyoZzfdB9ORPl2hXNDxTk",
    "qF6hQcXD3HMYVTeRgAp35w6eD2HwMf89YsQiSWOgt1E",
    "0EL2BFUcdAtlyhxUEmIbvCjT7hsV1XeI3aWPCdZrE0k",
    "m4bGyWzDgdPnUCvIIHrTTB2fUyAAtePhC3WEFC0zXQ8",
    "Pbzq3lYQvYUfX0Fz4vJm1mX6nEw7mSVTGkcZ8aLqM5A",
];
const SECRET: &str = "f5HWMbLL9hAi2nbsn1TjnX8PPcX2lRC0p2ihPVGfAYE";
/// Whose key it is does not matter here.
const API_KEYS: &str =
    "ci:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad:deploy,files:read";
/// The parts of `edgeward` that have commands of their own.
const GROUPS: [&str; 5] = ["token", "key", "url", "revoke", "totp"];

/// The fenced blocks of a language.
fn blocks(language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    README.split(&fence).skip(1).filter_map(|rest| rest.split("```").next()).map(str::to_owned).collect()
}

fn wrangler_blocks() -> Vec<toml::Table> {
    let parse = |text: &String| text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
    blocks("toml").iter().map(parse).collect()
}

fn policy_of(table: &toml::Table) -> Option<serde_json::Value> {
    let policy = table.get("vars")?.get("EDGEWARD")?;
    Some(serde_json::to_value(policy).expect("JSON"))
}

fn config_of(policy: &serde_json::Value) -> Config {
    let keys = keys_of(policy).to_string();
    let secret = |text: &str| Secret::new(text.to_owned());
    let sources = Sources {
        policy: Some(policy.to_string()),
        secret: Some(secret(SECRET)),
        keys: Some(secret(&keys)),
        users: vec![("EDGEWARD_USERS".to_owned(), secret(USERS))],
        api_keys: Some(secret(API_KEYS)),
        totp: policy.to_string().contains("second_factor").then(second_factor),
        assets: true,
        store: true,
        ledger: true,
        ..Sources::default()
    };
    Config::parse(&sources, str::to_owned)
}

/// Whose it is does not matter here.
fn second_factor() -> Secret<String> {
    let root = RootSecret::parse(SECRET).expect("a good secret");
    let made = Made::new("ann", Hash::Sha1, Digits::Six, &[1; 20], &[2; 16]).expect("whole");
    Secret::new(made.line(&root, [3; 24]).expect("sealed"))
}

/// The keys that the entries of a policy name; one where they name none.
fn keys_of(policy: &serde_json::Value) -> serde_json::Value {
    let entries = policy["tokens"].as_array().cloned().unwrap_or_default();
    let kids = |entry: &serde_json::Value| entry["keys"].as_array().cloned().unwrap_or_default();
    let mut kids: Vec<_> = entries.iter().flat_map(kids).collect();
    let discourse = &policy["session"]["discourse"];
    let providers = discourse["provider"].as_array().cloned().unwrap_or_default();
    let shared = providers.iter().chain([&discourse["consumer"]]).map(|it| it["key"].clone());
    kids.extend(shared.filter(|kid| kid.is_string()));
    if kids.is_empty() {
        kids.push("login-2026".into());
    }
    assert!(kids.len() <= KEYS.len(), "{kids:?}");
    let jwk = |(kid, k)| serde_json::json!({ "kty": "oct", "kid": kid, "alg": "HS256", "k": k });
    serde_json::json!({ "keys": kids.iter().zip(KEYS).map(jwk).collect::<Vec<_>>() })
}

#[test]
fn every_policy_parses_without_a_problem() {
    let policies: Vec<_> = wrangler_blocks().iter().filter_map(policy_of).collect();
    assert!(policies.len() >= 18, "the recipes are there");
    for policy in policies {
        let config = config_of(&policy);
        assert!(config.problems.is_empty(), "{policy:#}\n{:?}", config.problems);
        let surprises: Vec<_> =
            config.warnings.iter().map(ToString::to_string).filter(|it| !it.contains(".mode:")).collect();
        assert!(surprises.is_empty(), "{policy:#}\n{surprises:?}");
    }
}

#[test]
fn a_page_of_the_brand_parses() {
    let [page] = blocks("html").try_into().expect("one page");
    Template::parse(&page).expect("a template");
}

#[test]
fn every_secret_and_binding_that_is_named_is_one() {
    let known = [
        "EDGEWARD_SECRET",
        "EDGEWARD_USERS",
        "EDGEWARD_KEYS",
        "EDGEWARD_API_KEYS",
        "EDGEWARD_TOTP",
        "EDGEWARD_ORIGIN_AUTHORIZATION",
        "EDGEWARD_KV",
        "EDGEWARD_LEDGER",
        "EDGEWARD_EVENTS",
    ];
    let is_part = |c: char| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit();
    let named: BTreeSet<&str> =
        README.split(|c| !is_part(c)).filter(|word| word.starts_with("EDGEWARD_")).collect();
    let unknown: Vec<_> =
        named.iter().filter(|it| !known.contains(it) && **it != "EDGEWARD_USERS_2").collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert!(known.iter().all(|it| named.contains(it)));
}

/// The names in backticks of the first cells below a heading: `name` → the rest of its row.
fn rows(section: &str) -> Vec<(Vec<String>, String)> {
    let is_row = |line: &&str| line.starts_with("| ") && !line.starts_with("| ---");
    section.lines().filter(is_row).map(row).filter(|(names, _)| !names.is_empty()).collect()
}

fn row(line: &str) -> (Vec<String>, String) {
    let (first, rest) = line.trim_start_matches("| ").split_once(" | ").unwrap_or((line, ""));
    (ticked(first), rest.to_owned())
}

fn ticked(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn between<'t>(text: &'t str, from: &str, to: &str) -> &'t str {
    let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no {from:?}"));
    rest.split_once(to).unwrap_or_else(|| panic!("no {to:?}")).0
}

/// The keys that the reader of the policy itself names when it meets one that it does not know.
fn known_keys(policy: &str) -> BTreeSet<String> {
    let config = config_of(&serde_json::from_str(policy).expect("JSON"));
    let sentence = config.problems.iter().find(|it| it.found == "an unknown key").expect(policy);
    let list = sentence.expected.trim_start_matches("one of ").trim_start_matches("only ");
    list.split(", ").map(str::to_owned).collect()
}

#[test]
fn the_reference_names_every_key_and_no_other() {
    let reference = between(README, "## Policy reference", "\n## Secrets");
    let tables = ["brand", "rules", "tokens", "token", "forward", "cors", "websocket", "api_key", "session"];
    let root = names(between(reference, "| key |", "`[vars.EDGEWARD.brand]`"));
    let expected: BTreeSet<String> = known_keys(r#"{"unknown":1}"#);
    assert_eq!(&root | &tables.map(str::to_owned).into(), expected, "[vars.EDGEWARD]");

    let brand = names(between(reference, "`[vars.EDGEWARD.brand]`", "`[[vars.EDGEWARD.rules]]`"));
    assert_eq!(brand, known_keys(r#"{"brand":{"unknown":1}}"#), "brand");
    let rules = names(between(reference, "`[[vars.EDGEWARD.rules]]`", "Of the rules whose"));
    assert_eq!(rules, known_keys(r#"{"rules":[{"path":"/a","unknown":1}]}"#), "rules");
    let tokens =
        names(between(reference, "`[[vars.EDGEWARD.tokens]]`", "Of an entry of a signed-URL format"));
    assert_eq!(tokens, known_keys(r#"{"tokens":[{"unknown":1}]}"#), "tokens");
    for (table, keys) in smaller_tables(between(reference, "| table | key", "A whole table")) {
        assert_eq!(keys, known_keys(&format!(r#"{{"{table}":{{"unknown":1}}}}"#)), "{table}");
    }
}

#[test]
fn the_reference_names_every_key_of_each_format_and_no_other() {
    let table = between(README, "Of an entry of a signed-URL format", "| table | key");
    let rows: Vec<_> = rows(table).into_iter().filter(|(names, _)| names != &["key"]).collect();
    for (name, _) in Format::ALL {
        let is_for = |rest: &str| {
            let of = rest.split(" | ").next().unwrap_or_default();
            match ticked(of) {
                _ if of == "every one" => true,
                others if of.starts_with("all but ") => !others.iter().any(|it| it == name),
                formats => formats.iter().any(|it| it == name),
            }
        };
        let told: BTreeSet<String> =
            rows.iter().filter(|(_, rest)| is_for(rest)).flat_map(|(names, _)| names.clone()).collect();
        let policy = format!(r#"{{"tokens":[{{"format":"{name}","unknown":1}}]}}"#);
        assert_eq!(told, known_keys(&policy), "{name}");
    }
}

#[test]
fn every_format_stands_in_the_table_with_its_places() {
    let table = rows(between(README, "### Signed URLs that another system makes", "In all of them:"));
    let told: Vec<&str> = table.iter().filter_map(|(names, _)| names.first()).map(String::as_str).collect();
    let known: Vec<&str> = Format::ALL.iter().map(|(name, _)| *name).collect();
    assert_eq!(told.iter().collect::<BTreeSet<_>>(), known.iter().chain(["format"].iter()).collect());
    for (name, format) in Format::ALL {
        let (_, row) =
            table.iter().find(|(names, _)| names.first().is_some_and(|it| it == name)).expect(name);
        let preset = preset(format);
        let own = preset.parameters.first().map(|(_, parameter)| *parameter);
        let named = preset.from.iter().filter_map(|place| place.split_once(':')).map(|(_, name)| name);
        let missing: Vec<_> = named.chain(own).filter(|place| !row.contains(place)).collect();
        assert!(missing.is_empty(), "{name}: {missing:?}");
    }
}

#[test]
fn parameters_are_named_as_the_policy_names_them() {
    let row = between(README, "| `parameters` |", "\n");
    for (name, format) in Format::ALL.into_iter().filter(|(_, format)| *format != Format::Edgeward) {
        let parameters: Vec<String> =
            preset(format).parameters.iter().map(|(name, _)| format!("`{name}`")).collect();
        let told = format!("`{name}` {}", parameters.join(", "));
        assert!(parameters.is_empty() || row.contains(&told), "{told}");
    }
}

#[test]
fn the_delay_of_a_revocation_is_said_as_the_command_says_it() {
    assert!(README.contains(revocation::DELAY));
    let section = between(README, "## Bindings", "\n## ");
    assert!(revocation::KV_KEYS.iter().all(|key| section.contains(&format!("`{key}`"))));
}

fn names(section: &str) -> BTreeSet<String> {
    rows(section).into_iter().flat_map(|(names, _)| names).collect()
}

/// Rows `| table | key |`, where the first cell is empty for the table above.
fn smaller_tables(section: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut tables: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut table = String::new();
    for line in section.lines().filter(|line| line.starts_with("| ") && line.contains('`')) {
        let cells: Vec<&str> = line.split('|').collect();
        table = ticked(cells[1]).pop().unwrap_or(table);
        tables.entry(table.clone()).or_default().extend(ticked(cells[2]));
    }
    tables
}

#[test]
fn every_cause_is_told_with_its_status() {
    let table = rows(between(README, "## What each cause means", "## What clients"));
    let told: BTreeMap<String, String> =
        table.into_iter().map(|(names, rest)| (names.concat(), rest[..3].to_owned())).collect();
    let all: BTreeMap<String, String> =
        Cause::ALL.iter().map(|it| (it.name().to_owned(), reply::status(*it).to_string())).collect();
    assert_eq!(told, all);
}

/// Every `edgeward …` of the shell blocks, as words, up to where the shell takes over.
fn commands() -> Vec<Vec<String>> {
    let text = blocks("sh").concat();
    let lines = text.lines().flat_map(|line| line.match_indices("edgeward ").map(move |(at, _)| &line[at..]));
    let words = |line: &str| -> Vec<String> {
        line.split([')', '>', '<', '|'])
            .next()
            .unwrap_or_default()
            .split_ascii_whitespace()
            .map(str::to_owned)
            .collect()
    };
    lines.map(words).collect()
}

#[test]
fn every_command_exists_with_its_options() {
    let commands = commands();
    assert!(commands.len() >= 10, "{commands:?}");
    for words in commands {
        let depth = if GROUPS.contains(&words[1].as_str()) { 3 } else { 2 };
        let path = words.get(1..depth).expect("a command").iter().filter(|it| !it.starts_with('-'));
        let help =
            Command::new(env!("CARGO_BIN_EXE_edgeward")).args(path).arg("--help").output().expect("it runs");
        assert!(help.status.success(), "{words:?}");
        let help = String::from_utf8_lossy(&help.stdout).into_owned();
        for option in words.iter().filter(|it| it.starts_with("--")) {
            assert!(
                help.contains(&format!("{option} ")) || help.contains(&format!("{option}\n")),
                "{words:?}: no {option}\n{help}"
            );
        }
    }
}

/// As GitHub makes them: lower case, punctuation off, hyphens for spaces.
fn anchor(heading: &str) -> String {
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    heading.trim().chars().filter(kept).collect::<String>().to_lowercase().replace(' ', "-")
}

/// The headings of a document, as links name them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings.map(|line| anchor(line.trim_start_matches('#'))).collect()
}

#[test]
fn links_lead_somewhere_in_every_document() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: &str| std::fs::read_to_string(root.join(file)).expect(file);
    for file in ["README.md", "ARCHITECTURE.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        let text = read(file);
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|it| !it.starts_with("http")) {
            let (path, heading) = target.split_once('#').unwrap_or((target, ""));
            let path = if path.is_empty() { file } else { path };
            assert!(root.join(path).exists(), "{file}: no file {target}");
            assert!(
                heading.is_empty() || anchors(&read(path)).contains(heading),
                "{file}: no heading {target}"
            );
        }
    }
}

/// Everything below a folder, as one text.
fn text_below(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            text_below(&path, text);
        } else if path != Path::new(file!()) {
            text.push_str(&std::fs::read_to_string(&path).unwrap_or_default());
        }
    }
}

#[test]
fn every_test_that_is_named_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut tests, security) =
        (String::new(), std::fs::read_to_string(root.join("SECURITY.md")).expect("SECURITY.md"));
    text_below(&root.join("tests"), &mut tests);
    text_below(&root.join("src"), &mut tests);
    let threats = between(&security, "## Threats", "## What is not defended");
    let named: Vec<_> = threats.split('“').skip(1).filter_map(|rest| rest.split('”').next()).collect();
    assert!(named.len() >= 40, "{named:?}");
    let is_test = |name: &str| {
        // Those that run for each of several formats or stores begin with its name.
        let of_each = format!("}}: {name}`");
        [format!("(\"{name}\""), format!("('{name}'"), format!("fn {name}("), of_each]
            .iter()
            .any(|it| tests.contains(it))
    };
    // A name with an apostrophe may be escaped in single quotes.
    let missing: Vec<_> =
        named.iter().filter(|it| !is_test(it) && !is_test(&it.replace('\'', "\\'"))).collect();
    assert!(missing.is_empty(), "no tests of these names: {missing:#?}");
}

#[test]
fn the_pictures_are_there_and_small() {
    for file in ["docs/page.png", "docs/page-dark.png"] {
        assert!(README.contains(file));
        let size = std::fs::metadata(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect(file).len();
        assert!((10_000..100_000).contains(&size), "{file}: {size} bytes");
    }
}
