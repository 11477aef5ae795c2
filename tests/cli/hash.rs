//! `hash`: what it writes is what the gate takes.

use super::support::{Folder, Ran, SECRET, dev_vars, ran};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What the gate says to these credentials, with that line as its only account.
fn gate_says(folder: &Folder, line: &str, user: &str, password: &str) -> Ran {
    folder.write("users.vars", &format!("{}EDGEWARD_USERS='{line}'\n", dev_vars()));
    let sent = STANDARD.encode(format!("{user}:{password}"));
    let arguments =
        ["explain", "--url", "https://a.example/x", "-H", "@-", "--secrets", "users.vars", "--json"];
    let ran = folder.run_with(&arguments, &format!("Authorization: Basic {sent}\n"));
    ran.hides(&sent).hides(password);
    ran
}

#[test]
fn every_algorithm_is_let_in_and_wrong_passwords_are_not() {
    let folder = Folder::new();
    for (algorithm, start) in [
        ("argon2id", "ann:$argon2id$v=19$m=19456,t=2,p=1$"),
        ("bcrypt", "ann:$2y$10$"),
        ("pbkdf2-sha256", "ann:$pbkdf2-sha256$i=600000"),
        ("pbkdf2-sha512", "ann:$pbkdf2-sha512$i=210000"),
    ] {
        let ran = folder.run_with(&["hash", "ann", "--algorithm", algorithm], "right password\n").exits(0);
        ran.hides("right password");
        assert!(ran.out.starts_with(start), "{}", ran.out);
        let line = ran.out.trim_end();
        assert_eq!(gate_says(&folder, line, "ann", "right password").exits(0).json()["user"], "ann");
        let no = gate_says(&folder, line, "ann", "wrong password").exits(1);
        assert_eq!(no.json()["cause"], "credentials-wrong", "{algorithm}");
    }
}

#[test]
fn the_default_is_argon2id_and_each_line_has_its_own_salt() {
    let folder = Folder::new();
    let one = folder.run_with(&["hash", "ann"], "right password").exits(0).out;
    assert!(one.starts_with("ann:$argon2id$"));
    assert_ne!(one, folder.run_with(&["hash", "ann"], "right password").out);
}

#[test]
fn a_generated_password_is_told_once_and_let_in() {
    let folder = Folder::new();
    folder.write(".dev.vars", &dev_vars());
    let ran = folder.run(&["hash", "robot", "--generate", "--groups", "bots,ci"]).exits(0);
    let line = ran.out.trim_end();
    assert!(line.starts_with("robot:{HMAC-SHA256}") && line.ends_with(":bots,ci"), "{line}");
    let password = ran.err.trim_end().rsplit(' ').next().expect("a password");
    assert_eq!(edgeward::token::from_base64url(password).expect("base64url").len(), 16);
    assert!(!ran.out.contains(password));
    ran.hides(SECRET);
    let said = gate_says(&folder, line, "robot", password).exits(0).json();
    assert_eq!(said["groups"], serde_json::json!(["bots", "ci"]));
    gate_says(&folder, line, "robot", "another password").exits(1);
    let slow = folder.run(&["hash", "robot", "--generate", "--algorithm", "argon2id", "--json"]).exits(0);
    assert!(slow.json()["line"].as_str().expect("text").starts_with("robot:$argon2id$"));
}

#[test]
fn a_generated_password_needs_the_secret() {
    let ran = Folder::new().run(&["hash", "robot", "--generate"]).exits(2);
    assert!(ran.err.contains("EDGEWARD_SECRET is not here") && ran.out.is_empty());
}

#[test]
fn user_and_password_are_brought_to_nfc() {
    let folder = Folder::new();
    let decomposed = folder.run_with(&["hash", "Zoe\u{308}"], "pa\u{308}ssword").exits(0).out;
    assert!(decomposed.starts_with("Zo\u{eb}:"), "{decomposed}");
    let line = decomposed.trim_end();
    for (user, password) in [("Zo\u{eb}", "p\u{e4}ssword"), ("Zoe\u{308}", "pa\u{308}ssword")] {
        assert_eq!(gate_says(&folder, line, user, password).exits(0).json()["user"], "Zo\u{eb}");
    }
}

#[test]
fn without_a_user_the_first_line_names_one() {
    let ran =
        Folder::new().run_with(&["hash", "--algorithm", "bcrypt"], "ann\r\nright password\r\n").exits(0);
    assert!(ran.out.starts_with("ann:$2y$"), "{}", ran.out);
}

#[test]
fn what_the_gate_would_refuse_is_refused() {
    let folder = Folder::new();
    let long = "x".repeat(73);
    let longer = "x".repeat(1024);
    for (arguments, input, words) in [
        (&["hash", "a:b"][..], "password\n", "colon"),
        (&["hash", ""], "password\n", "empty"),
        (&["hash", " ann"], "password\n", "white space"),
        (&["hash", "#ann"], "password\n", "#"),
        (&["hash", "a\u{7}b"], "password\n", "control character"),
        (&["hash", "ann"], "pass\u{7}word\n", "control character"),
        (&["hash", "ann"], "\n", "empty"),
        (&["hash", "ann"], "", "empty"),
        (&["hash", "ann", "--algorithm", "bcrypt"], &long, "72"),
        (&["hash", "ann"], &longer, "1,024"),
        (&["hash", "ann", "--groups", "a,a"], "password\n", "group"),
        (&["hash", "ann", "--groups", "!suspended"], "password\n", "group"),
        (&["hash", "ann", "--groups", "a:!until=2020-01-01"], "password\n", "group"),
        (&["hash", "ann", "--algorithm", "md5"], "password\n", "argon2id"),
    ] {
        let ran = folder.run_with(arguments, input).exits(2);
        assert!(ran.err.contains(words), "{arguments:?}: {}", ran.err);
        assert!(ran.out.is_empty(), "{arguments:?}");
    }
}

#[test]
fn a_short_password_is_remarked_on() {
    let folder = Folder::new();
    let short = folder.run_with(&["hash", "ann", "--algorithm", "bcrypt"], "hunter2").exits(0);
    assert!(short.err.contains("fewer than 8 characters"));
    short.hides("hunter2");
}

/// On a terminal it asks twice, and nothing that is typed shows.
#[test]
fn a_prompt_does_not_echo() {
    const PTY: &str = r#"
import os, pty, select, sys, time
def session(answers):
    pid, fd = pty.fork()
    if pid == 0:
        os.execv(sys.argv[1], [sys.argv[1], "hash", "ann", "--algorithm", "bcrypt"])
    seen = b""
    until = time.monotonic() + 60
    for prompt, answer in answers:
        while prompt not in seen and time.monotonic() < until:
            if select.select([fd], [], [], 1)[0]:
                seen += os.read(fd, 4096)
        time.sleep(0.2)
        os.write(fd, answer)
    while time.monotonic() < until:
        try:
            more = os.read(fd, 4096)
        except OSError:
            break
        if not more:
            break
        seen += more
    return seen.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
for second in (b"typed secret\n", b"another one\n"):
    seen, code = session([(b"Password: ", b"typed secret\n"), (b"Again: ", second)])
    print(code, repr(seen))
"#;
    let folder = Folder::new();
    let mut python = std::process::Command::new("python3");
    python.args(["-c", PTY, env!("CARGO_BIN_EXE_edgeward")]).current_dir(folder.path());
    python.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let mut is_there = std::process::Command::new("python3");
    is_there.args(["-c", "import pty, os; os.waitstatus_to_exitcode"]);
    if !is_there.stderr(std::process::Stdio::null()).status().is_ok_and(|status| status.success()) {
        println!("skipped: no python3 to make a terminal with");
        return;
    }
    let ran = ran(python, "").exits(0);
    let (same, different) = ran.out.split_once('\n').expect("two sessions");
    assert!(same.starts_with("0 ") && same.contains("ann:$2y$10$"), "{ran:?}");
    assert!(different.starts_with("2 ") && different.contains("not the same"), "{ran:?}");
    assert!(!different.contains("$2y$"), "{ran:?}");
    ran.hides("typed secret").hides("another one");
}
