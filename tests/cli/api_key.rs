//! `api-key`: the line that it writes is one that the gate's reader finds the key by, and `--check` shows no key.

use super::support::{Folder, Ran, dev_vars, ran};
use edgeward::api_key::{ApiKeys, Form, digest, form};
use serde_json::{Value, json};

/// SHA-256 of "abc".
const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/// The key on standard error.
fn key_of(ran: &Ran) -> String {
    let line = ran.err.lines().find(|line| line.contains("shown this once")).expect("a key");
    line.rsplit(' ').next().expect("a key").to_owned()
}

#[test]
fn the_line_knows_the_key() {
    let folder = Folder::new();
    let ran = folder.run(&["api-key", "ci", "--scopes", "deploy,files:read"]).exits(0);
    let key = key_of(&ran);
    assert_eq!((form(&key), ran.out.lines().count()), (Form::Ours, 1));
    assert!(!ran.out.contains(&key) && ran.err.matches(&key).count() == 1, "once, and not beside the line");
    let keys = ApiKeys::parse(&ran.out, "EDGEWARD_API_KEYS").expect("a good line");
    let found = keys.find(&digest(&key)).expect("known");
    assert_eq!((found.name(), found.scopes().collect::<Vec<_>>()), ("ci", vec!["deploy", "files:read"]));
    assert_ne!(key, key_of(&folder.run(&["api-key", "ci"])), "another one each time");
}

#[test]
fn it_says_how_to_store_it() {
    let ran = Folder::new().run(&["api-key", "ci"]).exits(0);
    for words in [
        "npx wrangler secret put EDGEWARD_API_KEYS < FILE",
        "npx wrangler kv key put --remote --binding EDGEWARD_KV api-keys --path FILE",
        "not checked: EDGEWARD_API_KEYS is not here",
    ] {
        assert!(ran.err.contains(words), "{words}: {}", ran.err);
    }
}

#[test]
fn json_holds_the_same() {
    let json = Folder::new().run(&["api-key", "the app", "--scopes", "a", "--json"]).exits(0).json();
    let key = json["key"].as_str().expect("text");
    let keys = ApiKeys::parse(json["line"].as_str().expect("text"), "x").expect("a good line");
    assert_eq!(keys.find(&digest(key)).expect("known").name(), "the app");
    assert_eq!((&json["name"], &json["scopes"]), (&json!("the app"), &json!(["a"])));
}

#[test]
fn a_name_that_is_taken_is_refused() {
    let folder = Folder::new();
    folder.write(".dev.vars", &format!("{}EDGEWARD_API_KEYS='# mine\nci:{ABC}:read\n'\n", dev_vars()));
    let no = folder.run(&["api-key", "ci"]).exits(2);
    assert!(no.err.contains("\"ci\" is taken, in EDGEWARD_API_KEYS (.dev.vars)"), "{}", no.err);
    assert!(no.out.is_empty() && !no.err.contains("ew_"));
    let yes = folder.run(&["api-key", "CI"]).exits(0);
    assert!(!yes.err.contains("not checked"), "{}", yes.err);
    folder.write("list.txt", &format!("app:{}\n", ABC.replace('b', "c")));
    assert!(
        folder.run(&["api-key", "app", "--list", "list.txt"]).exits(2).err.contains("taken, in list.txt")
    );
    folder.run(&["api-key", "ci", "--list", "list.txt"]).exits(2);
    folder.run(&["api-key", "app", "--list", "none.txt"]).exits(2);
    let mut command = Folder::new().command(&["api-key", "ci"]);
    command.env("EDGEWARD_API_KEYS", format!("ci:{ABC}")).current_dir(folder.path());
    assert!(ran(command, "").exits(2).err.contains("(the environment)"));
}

/// A list that grows line by line, as a shell appends to it.
#[test]
fn a_list_can_be_appended_to() {
    let folder = Folder::new();
    folder.write("list.txt", "");
    let mut text = String::new();
    for name in ["a", "b", "c"] {
        text.push_str(&folder.run(&["api-key", name, "--list", "list.txt"]).exits(0).out);
        folder.write("list.txt", &text);
    }
    assert_eq!(ApiKeys::parse(&text, "x").expect("good").iter().count(), 3);
}

#[test]
fn what_the_gate_could_not_read_is_refused() {
    let folder = Folder::new();
    let long = "x".repeat(257);
    for (arguments, words) in [
        (&["api-key", ""][..], "empty name"),
        (&["api-key", "a:b"], "colon"),
        (&["api-key", "#ci"], "begin with #"),
        (&["api-key", " ci"], "white space"),
        (&["api-key", "a\nb"], "another form"),
        (&["api-key", "a\u{7}b"], "control character"),
        (&["api-key", "ew_ci"], "begins with ew_"),
        (&["api-key", ABC], "SHA-256 for a name"),
        (&["api-key", &long], "256 octets"),
        (&["api-key", "ci", "--scopes", "a b"], "a scope with a character"),
        (&["api-key", "ci", "--scopes", "a,,b"], "an empty scope"),
        (&["api-key", "ci", "--scopes", "a,a"], "a scope twice"),
        (&["api-key", "ci", "--scopes", "a\nb"], "another form"),
        (&["api-key"], "NAME"),
        (&["api-key", "ci", "--check"], "--check"),
        (&["api-key", "--check", "--scopes", "a"], "--check"),
        (&["api-key", "--check", "ew_0123"], "read from standard input"),
    ] {
        let ran = folder.run(arguments).exits(2);
        assert!(ran.err.contains(words), "{arguments:?}: {}", ran.err);
        assert!(ran.out.is_empty() && !ran.err.contains("shown this once"), "{arguments:?}");
    }
}

#[test]
fn a_list_that_is_broken_is_told_and_not_shown() {
    let folder = Folder::new();
    folder.write("x.vars", "EDGEWARD_API_KEYS='ci:hunter2'\n");
    for arguments in [&["api-key", "app"][..], &["api-key", "--check"]] {
        let arguments = [arguments, &["--secrets", "x.vars"]].concat();
        let ran = folder.run_with(&arguments, "some key").exits(2);
        assert!(ran.err.contains("EDGEWARD_API_KEYS line 1: found no SHA-256 of a key"), "{}", ran.err);
        ran.hides("hunter2").hides("some key");
    }
}

#[test]
fn a_secret_that_grows_too_large_is_remarked_on() {
    let folder = Folder::new();
    let lines: String = (0..74_u32).map(|number| format!("n{number}:{number:064x}\n")).collect();
    folder.write(".dev.vars", &format!("EDGEWARD_API_KEYS='{lines}'\n"));
    let ran = folder.run(&["api-key", "ci"]).exits(0);
    assert!(ran.err.contains("EDGEWARD_API_KEYS would have ") && ran.err.contains("5 KB"), "{}", ran.err);
}

#[test]
fn check_tells_form_name_and_scopes() {
    let folder = Folder::new();
    let made = folder.run(&["api-key", "ci", "--scopes", "deploy"]).exits(0);
    let key = key_of(&made);
    folder.write(".dev.vars", &format!("EDGEWARD_API_KEYS='{}other:{ABC}'\n", made.out));
    let other = key_of(&folder.run(&["api-key", "else"]).exits(0));
    let wrong = format!("{}{}", &key[..51], if key.ends_with('0') { '1' } else { '0' });
    for (sent, code, form, name) in [
        (key.as_str(), 0, "ours", json!("ci")),
        ("abc", 0, "foreign", json!("other")),
        (&other, 1, "ours", Value::Null),
        (&wrong, 1, "mistyped", Value::Null),
        (&key[..40], 1, "mistyped", Value::Null),
        ("not a key", 1, "foreign", Value::Null),
    ] {
        let ran = folder.run_with(&["api-key", "--check", "--json"], &format!("{sent}\r\n")).exits(code);
        ran.hides(sent);
        let said = ran.json();
        assert_eq!((&said["ok"], &said["form"]), (&json!(code == 0), &json!(form)), "{sent}");
        assert_eq!((&said["known"], &said["name"]), (&json!(code == 0), &name), "{sent}");
        folder.run_with(&["api-key", "--check"], sent).exits(code).hides(sent);
    }
    let text = folder.run_with(&["api-key", "--check"], &key).exits(0).out;
    assert_eq!(
        text,
        "Form    ours, and the checksum fits\nKnown   yes, in EDGEWARD_API_KEYS (.dev.vars)\n\
         Name    ci\nScopes  deploy\n"
    );
}

#[test]
fn check_without_a_list_tells_the_form() {
    let folder = Folder::new();
    let key = key_of(&folder.run(&["api-key", "ci"]));
    let ran = folder.run_with(&["api-key", "--check", "--json"], &key).exits(1);
    assert_eq!((&ran.json()["form"], &ran.json()["known"]), (&json!("ours"), &Value::Null));
    let text = folder.run_with(&["api-key", "--check"], &key).exits(1).out;
    assert!(text.contains("not looked up: EDGEWARD_API_KEYS is not here (looked in "), "{text}");
    for nothing in ["", " \n"] {
        assert!(folder.run_with(&["api-key", "--check"], nothing).exits(2).err.contains("No key"));
    }
}

#[test]
fn check_looks_in_a_list_of_ten_thousand() {
    let folder = Folder::new();
    let mut lines: String = (0..10_000_u32).map(|number| format!("n{number}:{number:064x}:read\n")).collect();
    lines.push_str(&format!("last:{ABC}\n"));
    folder.write("list.txt", &lines);
    let said =
        folder.run_with(&["api-key", "--check", "--list", "list.txt", "--json"], "abc").exits(0).json();
    assert_eq!(
        (&said["name"], &said["place"], &said["scopes"]),
        (&json!("last"), &json!("list.txt"), &json!([]))
    );
}
