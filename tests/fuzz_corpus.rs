//! Every input of the fuzzers' corpora, replayed without a fuzzer: what was found once stays found.

#[path = "../fuzz/targets/mod.rs"]
mod targets;

use std::path::PathBuf;

/// A corpus is for replaying in a moment and for reading: more belongs on the machine that fuzzes.
const MOST_INPUTS: usize = 60;
const MOST_OCTETS: usize = 60 * 1024;

const TARGETS: [&str; 12] = [
    "api_keys",
    "authorization",
    "cookie",
    "form",
    "grants",
    "jws",
    "path",
    "policy",
    "revocation",
    "sign_in",
    "signed_url",
    "totp",
];

fn folder(below: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus")).join(below)
}

/// Names in a folder, sorted.
fn names(folder: PathBuf) -> Vec<String> {
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn replay(target: &str, run: fn(&[u8])) {
    let names = names(folder(target));
    let mut octets = 0;
    for name in &names {
        let data = std::fs::read(folder(target).join(name)).expect("an input");
        octets += data.len();
        let passed = std::panic::catch_unwind(|| run(&data));
        assert!(passed.is_ok(), "fuzz/corpus/{target}/{name} fails: {:?}", String::from_utf8_lossy(&data));
    }
    println!("{target}: {} inputs of {octets} octets replayed", names.len());
    assert!((1..=MOST_INPUTS).contains(&names.len()) && octets <= MOST_OCTETS, "minimise the corpus");
}

#[test]
fn api_keys() {
    replay("api_keys", targets::api_keys::run);
}

#[test]
fn authorization() {
    replay("authorization", targets::authorization::run);
}

#[test]
fn cookie() {
    replay("cookie", targets::cookie::run);
}

#[test]
fn form() {
    replay("form", targets::form::run);
}

#[test]
fn grants() {
    replay("grants", targets::grants::run);
}

#[test]
fn jws() {
    replay("jws", targets::jws::run);
}

#[test]
fn path() {
    replay("path", targets::path::run);
}

#[test]
fn policy() {
    replay("policy", targets::policy::run);
}

#[test]
fn revocation() {
    replay("revocation", targets::revocation::run);
}

#[test]
fn sign_in() {
    replay("sign_in", targets::sign_in::run);
}

#[test]
fn signed_url() {
    replay("signed_url", targets::signed_url::run);
}

#[test]
fn totp() {
    replay("totp", targets::totp::run);
}

#[test]
fn every_corpus_is_replayed_and_every_target_is_fuzzed() {
    assert_eq!(names(folder("")), TARGETS);
    let sources = TARGETS.map(|name| format!("{name}.rs"));
    assert_eq!(names(folder("../fuzz_targets")), sources);
}
