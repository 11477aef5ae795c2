//! What holds for every subcommand.

use super::support::{Folder, GOOD, LEDGER, SECRET, dev_vars};
use std::io::Write as _;
use std::process::Stdio;

#[test]
fn help_has_examples_and_names_no_later_capability() {
    let folder = Folder::new();
    for command in [
        &["--help"][..],
        &["keygen", "--help"],
        &["hash", "--help"],
        &["token", "mint", "--help"],
        &["token", "verify", "--help"],
        &["token", "inspect", "--help"],
        &["key", "assertion", "--help"],
        &["key", "import", "--help"],
        &["api-key", "--help"],
        &["url", "sign", "--help"],
        &["url", "verify", "--help"],
        &["revoke", "id", "--help"],
        &["revoke", "subject", "--help"],
        &["revoke", "key", "--help"],
        &["revoke", "sessions", "--help"],
        &["revoke", "before", "--help"],
        &["revoke", "list", "--help"],
        &["check", "--help"],
        &["explain", "--help"],
        &["import", "--help"],
    ] {
        let ran = folder.run(command).exits(0);
        assert!(ran.out.contains("Examples:\n"), "{command:?}: {}", ran.out);
        assert!(ran.out.contains("--json"), "{command:?}");
    }
    folder.run(&["totp"]).exits(2);
    assert!(folder.run(&["--version"]).exits(0).out.starts_with("edgeward "));
}

#[test]
fn misuse_is_two_and_json_all_the_same() {
    let folder = Folder::new();
    folder.run(&[]).exits(2);
    folder.run(&["sing"]).exits(2);
    folder.run(&["token"]).exits(2);
    let ran = folder.run(&["check", "--json"]).exits(2);
    assert!(ran.json()["error"].as_str().expect("text").contains("wrangler.toml cannot be read"));
}

/// Secrets are never arguments: there is no option that takes one.
#[test]
fn no_option_takes_a_secret() {
    let folder = Folder::new();
    for arguments in [
        &["keygen", "--rotate", "--secret", SECRET][..],
        &["hash", "ann", "--password", "x"],
        &["hash", "ann", "password"],
        &["token", "verify", "--token", "x"],
        &["token", "inspect", "x"],
        &["url", "verify", "https://h.example/?ew=x"],
        &["url", "sign", "https://h.example/", "--secret", SECRET],
        &["token", "mint", "--key", SECRET],
        &["key", "assertion", "--origin", "https://a.example", "--secret", SECRET],
    ] {
        folder.run(arguments).exits(2);
    }
}

/// A reader that goes away before the first byte is no reason to panic, nor an error.
#[test]
fn a_closed_pipe_is_no_error() {
    let folder = Folder::new();
    folder.write(".dev.vars", &dev_vars());
    let mut child = folder
        .command(&["hash", "ann", "--algorithm", "bcrypt"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    child.stdin.take().expect("a pipe").write_all(b"right password\n").expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(output.stderr, b"");
}

#[test]
fn nobody_on_standard_error_is_no_error() {
    let folder = Folder::new();
    let mut child = folder
        .command(&["hash", "ann", "--algorithm", "bcrypt"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stderr.take());
    child.stdin.take().expect("a pipe").write_all(b"short\n").expect("it reads");
    assert_eq!(child.wait_with_output().expect("it ends").status.code(), Some(0));
}

/// `.dev.vars` as wrangler reads it: quotation marks, several lines, comments.
#[test]
fn dev_vars_in_every_spelling() {
    let folder = Folder::good();
    folder.write("wrangler.toml", &[GOOD, LEDGER].concat());
    let line = folder.run_with(&["hash", "ann", "--algorithm", "bcrypt"], "right password").out;
    let other = line.replacen("ann", "bob", 1);
    let keys = super::support::keys();
    let text = format!(
        "# mine\nexport EDGEWARD_SECRET = {SECRET} # note\n\nEDGEWARD_KEYS=`{keys}`\nEDGEWARD_USERS='{line}{}'\n",
        other.trim_end()
    );
    folder.write(".dev.vars", &text);
    let ran = folder.run(&["check", "--strict"]).exits(0);
    assert!(!ran.out.contains("not here"), "{}", ran.out);
    // The same with the line ends of Windows.
    folder.write(".dev.vars", &text.replace('\n', "\r\n"));
    folder.run(&["check", "--strict"]).exits(0);
}
