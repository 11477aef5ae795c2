//! `keygen` and `key assertion`.

use super::support::{Folder, K, SECRET, dev_vars, keys};
use edgeward::token::from_base64url;
use edgeward::token::keys::KeySet;
use edgeward::token::mac::RootSecret;
use serde_json::Value;

#[test]
fn keygen_makes_what_the_gate_takes() {
    let folder = Folder::new();
    let ran = folder.run(&["keygen", "--json", "--kid", "a"]).exits(0);
    let json = ran.json();
    RootSecret::parse(json["EDGEWARD_SECRET"].as_str().expect("text")).expect("good");
    let set = KeySet::parse(json["EDGEWARD_KEYS"].as_str().expect("text")).expect("good");
    assert!(set.get("a").is_some() && set.warnings().is_empty());
    let again = folder.run(&["keygen", "--json"]).json();
    assert_ne!(again["EDGEWARD_SECRET"], json["EDGEWARD_SECRET"]);
    assert!(ran.err.contains("npx wrangler secret put EDGEWARD_SECRET"), "{}", ran.err);
    ran.err.lines().for_each(|line| assert!(!line.contains(json["EDGEWARD_SECRET"].as_str().expect("text"))));
}

#[test]
fn keygen_writes_lines_that_are_read_back() {
    let folder = Folder::new();
    let lines = folder.run(&["keygen", "--alg", "hs512"]).exits(0).out;
    assert_eq!(lines.lines().count(), 2);
    folder.write(".dev.vars", &lines);
    folder.run(&["token", "mint", "--sub", "ann"]).exits(0);
    let set: Value = serde_json::from_str(lines.split('\'').nth(3).expect("keys")).expect("JSON");
    assert_eq!(set["keys"][0]["alg"], "HS512");
    assert_eq!(from_base64url(set["keys"][0]["k"].as_str().expect("text")).expect("base64url").len(), 64);
}

#[test]
fn keygen_makes_one_of_the_two() {
    let folder = Folder::new();
    assert!(folder.run(&["keygen", "--only", "secret"]).exits(0).out.starts_with("EDGEWARD_SECRET='"));
    assert!(folder.run(&["keygen", "--only", "keys"]).exits(0).out.starts_with("EDGEWARD_KEYS='"));
    folder.run(&["keygen", "--kid", "it's"]).exits(2);
    folder.run(&["keygen", "--alg", "none"]).exits(2);
}

#[test]
fn rotation_puts_a_new_one_in_front_and_keeps_the_others() {
    let folder = Folder::new();
    folder.write(".dev.vars", &dev_vars());
    let json = folder.run(&["keygen", "--rotate", "--kid", "new", "--json"]).exits(0).json();
    let secrets: Vec<&str> = json["EDGEWARD_SECRET"].as_str().expect("text").split(' ').collect();
    assert_eq!(secrets.len(), 2);
    assert!(secrets[0] != SECRET && secrets[1] == SECRET);
    let set: Value = serde_json::from_str(json["EDGEWARD_KEYS"].as_str().expect("text")).expect("JSON");
    assert_eq!(set["keys"][0]["kid"], "new");
    assert_eq!((&set["keys"][1]["kid"], &set["keys"][1]["k"]), (&"k".into(), &K.into()));
    folder.run(&["keygen", "--rotate", "--kid", "k"]).exits(2);
}

#[test]
fn rotation_reads_standard_input_and_the_environment() {
    let folder = Folder::new();
    let ran = folder.run_with(&["keygen", "--rotate", "--secrets", "-"], &dev_vars()).exits(0);
    assert!(ran.out.contains(SECRET) && ran.out.contains(K));
    let mut command = folder.command(&["keygen", "--rotate", "--json"]);
    command.env("EDGEWARD_KEYS", keys());
    let json = super::support::ran(command, "").exits(0).json();
    assert!(json.get("EDGEWARD_SECRET").is_none(), "what is not here is not made up");
    assert!(json["EDGEWARD_KEYS"].as_str().expect("text").contains(K));
}

#[test]
fn rotation_of_nothing_and_of_what_is_broken_is_refused() {
    let folder = Folder::new();
    let ran = folder.run(&["keygen", "--rotate"]).exits(2);
    assert!(ran.err.contains("EDGEWARD_SECRET is not here") && ran.out.is_empty());
    folder.write(".dev.vars", "EDGEWARD_SECRET=c2hvcnQ\n");
    let ran = folder.run(&["keygen", "--rotate"]).exits(2);
    assert!(ran.err.contains("found a secret of 5 octets") && ran.out.is_empty());
    ran.hides("c2hvcnQ");
}

#[test]
fn an_origin_gets_a_key_for_each_secret() {
    let folder = Folder::good();
    let other = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
    folder.write("two.vars", &format!("EDGEWARD_SECRET='{SECRET} {other}'\n"));
    let arguments = ["key", "assertion", "--origin", "https://Origin.acme.example:443/base"];
    let one = folder.run(&arguments).exits(0);
    one.hides(SECRET);
    assert!(one.err.contains("https://origin.acme.example."), "{}", one.err);
    let root = RootSecret::parse(SECRET).expect("good");
    assert_eq!(one.json(), edgeward::token::assertion::jwk_set(&root, "https://origin.acme.example"));
    let two = folder.run(&[&arguments[..], &["--secrets", "two.vars"]].concat()).exits(0).json();
    assert_eq!(two["keys"].as_array().expect("list").len(), 2);
    assert_eq!(two["keys"][0], one.json()["keys"][0]);
    for bad in ["origin.acme.example", "assets", "ftp://a.example", "https://u:p@a.example"] {
        let ran = folder.run(&["key", "assertion", "--origin", bad]).exits(2);
        assert!(ran.out.is_empty(), "{bad}");
    }
}
