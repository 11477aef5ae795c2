//! SECURITY.md says nothing that is not so: its table of OWASP ASVS 5.0 is whole, names tests that exist, and what it says of
//! numbers, fields and ways in is what the code does.

use edgeward::attempts::{FIRST_WAIT, FREE, FREE_EVERYWHERE, LONGEST_WAIT};
use edgeward::authenticate::in_good_standing;
use edgeward::config::{Config, Sources};
use edgeward::credentials::basic;
use edgeward::password::htpasswd::Users;
use edgeward::policy::Kind;
use edgeward::secret::Secret;
use edgeward::time::{Lifetime, UnixTime};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const SECURITY: &str = include_str!("../SECURITY.md");
const README: &str = include_str!("../README.md");
/// The sections of V6, V7 and V9, and how many of their requirements are of levels 1 and 2. Those of level 3 come last.
const SECTIONS: [(&str, usize); 15] = [
    ("V6.1", 3),
    ("V6.2", 12),
    ("V6.3", 4),
    ("V6.4", 4),
    ("V6.5", 5),
    ("V6.6", 3),
    ("V6.8", 4),
    ("V7.1", 3),
    ("V7.2", 4),
    ("V7.3", 2),
    ("V7.4", 5),
    ("V7.5", 2),
    ("V7.6", 2),
    ("V9.1", 3),
    ("V9.2", 4),
];

struct Row {
    item: &'static str,
    state: &'static str,
    more: &'static str,
}

fn rows() -> Vec<Row> {
    let table = section("## OWASP ASVS 5.0");
    table.lines().filter(|line| line.starts_with("| V")).map(row).collect()
}

fn row(line: &'static str) -> Row {
    let cells: Vec<&str> = line.trim_matches(['|', ' ']).split(" | ").collect();
    let [item, asks, state, more] = cells.try_into().unwrap_or_else(|_| panic!("four cells: {line}"));
    assert!(!asks.trim().is_empty() && more.trim().len() > 10, "{line}");
    Row { item, state, more }
}

/// What stands below a heading, up to the next one of its rank.
fn section(heading: &str) -> &'static str {
    let start = format!("\n{heading}\n");
    let (_, rest) = SECURITY.split_once(&start).unwrap_or_else(|| panic!("no {heading:?}"));
    rest.split("\n## ").next().unwrap_or(rest)
}

/// Each test that a text names, with the file in backticks before it.
fn named(text: &'static str) -> Vec<(Option<&'static str>, &'static str)> {
    let mut file = None;
    let mut found = Vec::new();
    for (at, mark) in text.match_indices(['`', '“']) {
        let rest = &text[at + mark.len()..];
        if mark == "“" {
            found.push((file, rest.split('”').next().expect("one word at least")));
        } else if let Some(path) = rest.split('`').next().filter(|it| is_file_of_tests(it)) {
            file = Some(path);
        }
    }
    found
}

fn is_file_of_tests(text: &str) -> bool {
    (text.starts_with("tests/") || text.starts_with("src/")) && text.contains('.')
}

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Whether a test of that name is in the text of a file: a function marked as one, or a call of `test`.
fn has_test(text: &str, name: &str) -> bool {
    let marks = [format!("test(\"{name}\""), format!("test(`{name}`"), format!("}}: {name}`")];
    let function = format!("fn {name}(");
    let is_marked =
        |at: usize| text[..at].trim_end().lines().rev().take(2).any(|line| line.trim() == "#[test]");
    marks.iter().any(|mark| text.contains(mark)) || text.find(&function).is_some_and(is_marked)
}

#[test]
fn each_item_of_the_table_stands_there_once() {
    let expected: Vec<String> = SECTIONS
        .iter()
        .flat_map(|(section, count)| (1..=*count).map(move |at| format!("{section}.{at}")))
        .collect();
    let found: Vec<&str> = rows().iter().map(|row| row.item).collect();
    assert_eq!(found, expected);
}

#[test]
fn the_counts_are_those_of_the_table() {
    let mut counts = BTreeMap::<&str, usize>::new();
    for row in rows() {
        *counts.entry(row.state).or_default() += 1;
    }
    let states: Vec<&str> = counts.keys().copied().collect();
    assert_eq!(states, ["met", "missing", "not applicable"]);
    let said = format!(
        "Of {}, {} are met, {} are not applicable and {} are missing.",
        rows().len(),
        counts["met"],
        counts["not applicable"],
        counts["missing"]
    );
    assert!(section("## OWASP ASVS 5.0").contains(&said), "{said}");
}

#[test]
fn each_item_that_is_met_names_tests_that_exist() {
    for Row { item, state, more } in rows() {
        let tests = named(more);
        assert!(state != "met" || !tests.is_empty(), "{item} names no test");
        for (file, name) in tests {
            match file {
                Some(file) => assert!(has_test(&read(file), name), "{item}: no {name:?} in {file}"),
                // What is missing may say which part of it is not.
                None => assert!(state == "missing" && is_anywhere(name), "{item}: {name:?}"),
            }
        }
    }
}

fn is_anywhere(name: &str) -> bool {
    fn below(folder: &Path, name: &str) -> bool {
        let entries =
            std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
        entries.into_iter().any(|path| match path.extension().and_then(|it| it.to_str()) {
            None => path.is_dir() && below(&path, name),
            Some("rs" | "mjs") => has_test(&std::fs::read_to_string(&path).expect("text"), name),
            Some(_) => false,
        })
    }
    ["tests", "src"].iter().any(|it| below(&Path::new(env!("CARGO_MANIFEST_DIR")).join(it), name))
}

#[test]
fn what_is_missing_says_what_is_needed() {
    for Row { item, state, more } in rows() {
        let says = more.to_lowercase().contains("needed: ");
        assert_eq!(says, state == "missing", "{item}");
    }
}

#[test]
fn every_way_in_is_told() {
    let told: BTreeSet<&str> = section("## Ways in")
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    assert_eq!(told, Kind::ALL.map(Kind::name).into_iter().collect());
}

/// README's numbers are those of the code.
#[test]
fn the_lock_out_is_told_as_it_is() {
    let (_, chapter) = README.split_once("### Wrong passwords").expect("the chapter");
    let chapter = chapter.split("\n### ").next().expect("the chapter");
    let wait = format!(
        "wait {} seconds, then twice as long each time, up to {} minutes",
        FIRST_WAIT.seconds(),
        LONGEST_WAIT.seconds() / 60
    );
    for told in [
        format!("| from a browser in which that user signed in before | {FREE} | {wait} |"),
        format!("| from one network (IPv4 /24, IPv6 /48) | {FREE} |"),
        format!("| from all networks together | {FREE_EVERYWHERE} |"),
    ] {
        assert!(chapter.contains(&told), "{told}");
    }
}

/// README's table, and what SECURITY.md makes of it.
#[test]
fn times_of_sessions_are_told_as_they_are() {
    let sources = Sources {
        policy: Some(r#"{"session":{}}"#.to_owned()),
        secret: Some(Secret::new("f5HWMbLL9hAi2nbsn1TjnX8PPcX2lRC0p2ihPVGfAYE".to_owned())),
        users: vec![("EDGEWARD_USERS".to_owned(), Secret::new(line("ann", "correct horse", "")))],
        ..Sources::default()
    };
    let policy = Config::parse(&sources, str::to_owned).policy.expect("a good policy");
    let settings = policy.session.expect("people can sign in");
    let remember = settings.remember.expect("allowed");
    let (_, table) = README.split_once("| `session` | `idle` |").expect("the table");
    for (cell, span) in [
        (" `\"", settings.idle),
        ("| | `absolute` | `\"", settings.absolute),
        ("| | `remember` | `\"", remember),
        ("| | `remember_idle` | `\"", settings.remember_idle),
    ] {
        let told = table.split_once(cell).and_then(|(_, rest)| rest.split('"').next()).expect(cell);
        assert_eq!(Lifetime::parse(told), Some(span), "{cell}{told}");
    }
    let days = |span: Lifetime| span.seconds() / 86_400;
    for told in [
        format!("after {} minutes without a request", settings.idle.seconds() / 60),
        format!("after {} hours in any case", settings.absolute.seconds() / 3600),
        format!("makes that {} and {} days", days(settings.remember_idle), days(remember)),
    ] {
        assert!(section("## Times and numbers of sessions").contains(&told), "{told}");
    }
}

fn built_in_pages() -> String {
    ["page.html", "form.js", "resend.js", "wait.js"]
        .map(|it| read(&format!("www/.edgeward/pages/{it}")))
        .concat()
}

/// Recovery codes, which browsers should not keep, are the one field that says so.
#[test]
fn nothing_hinders_pasting() {
    let pages = built_in_pages().to_lowercase();
    for hindrance in ["paste", "oncopy", "beforeinput", "maxlength", "readonly", "contextmenu"] {
        assert!(!pages.contains(hindrance), "{hindrance}");
    }
    let fields = pages.split("<input ").skip(1).filter_map(|rest| rest.split('>').next());
    let off: Vec<&str> = fields.filter(|field| field.contains("autocomplete=\"off\"")).collect();
    assert!(off.iter().all(|field| field.contains("name=\"recovery\"")), "{off:?}");
}

#[test]
fn forms_ask_for_nothing_else() {
    let pages = built_in_pages();
    let fields =
        pages.split(['<', '>']).filter(|tag| tag.starts_with("input ") || tag.starts_with("select "));
    let name =
        |tag: &str| tag.split_once("name=\"").and_then(|(_, rest)| rest.split('"').next().map(str::to_owned));
    let asked: BTreeSet<String> =
        fields.filter(|tag| !tag.contains("type=\"hidden\"")).filter_map(name).collect();
    let known = ["username", "password", "remember", "code", "recovery", "everywhere", "language"];
    assert_eq!(asked, known.map(str::to_owned).into());
}

/// A line as programs write it: PBKDF2, which takes passwords of any length.
fn line(user: &str, password: &str, more: &str) -> String {
    use base64::Engine as _;
    let mut tag = [0; 32];
    pbkdf2::pbkdf2_hmac::<sha2::Sha256>(password.as_bytes(), b"saltsaltsaltsalt", 1000, &mut tag);
    let tag = base64::engine::general_purpose::STANDARD_NO_PAD.encode(tag);
    format!("{user}:$pbkdf2-sha256$i=1000,l=32$c2FsdHNhbHRzYWx0c2FsdA${tag}{more}")
}

fn users(line: String) -> Users {
    Users::parse(&[("EDGEWARD_USERS".to_owned(), Secret::new(line))], &[], str::to_owned)
        .expect("a good line")
}

#[test]
fn a_password_may_be_long() {
    for password in ["x".repeat(64), "x".repeat(128), "correct horse ".repeat(70), "\u{1f40e}".repeat(64)] {
        let users = users(line("ann", &password, ""));
        let is_right =
            |typed: &str| users.check(&basic::user_pass("ann", typed, str::to_owned).expect("a form"));
        assert!(is_right(&password), "{password}");
        let mut shorter = password.clone();
        shorter.pop();
        assert!(!is_right(&shorter), "its last character counts: {password}");
    }
}

#[test]
fn a_password_has_no_end_of_its_own() {
    let late = UnixTime::parse_rfc3339("2126-01-01T00:00:00Z").expect("a moment");
    for (more, holds) in [
        ("", true),
        (":staff", true),
        (":staff:!until=2126-02-01", true),
        (":staff:!until=2125-01-01", false),
    ] {
        let users = users(line("ann", "correct horse", more));
        let account = users.account("ann").expect("an account");
        assert_eq!(in_good_standing(account, Kind::Basic, late).is_ok(), holds, "{more}");
    }
}
