//! `revoke`: what it prints, what it merges, and orders that the core takes. What wrangler makes of the commands is tested
//! with wrangler, in `tests/workerd/revoke.test.mjs`.

use super::support::{Folder, Ran, SECRET, ran};
use edgeward::revocation::order::{self, Order};
use edgeward::time::UnixTime;
use edgeward::token::mac::RootSecret;
use serde_json::json;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

fn root() -> RootSecret {
    RootSecret::parse(SECRET).expect("good")
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_secs()).expect("before the year 292 billion")
}

#[test]
fn the_commands_are_printed_with_the_delay() {
    let folder = Folder::new();
    let ran = folder.run(&["revoke", "key", "2026-05", "it's", "--env", "production"]).exits(0);
    let get = "npx wrangler kv key get --binding EDGEWARD_KV revoked:kid --remote --env production\n";
    assert!(ran.out.contains(get), "{}", ran.out);
    let put = r#"npx wrangler kv key put --binding EDGEWARD_KV revoked:kid '{"2026-05":0,"it'\''s":0}' --remote --preview=false --env production"#;
    assert!(ran.out.contains(put), "{}", ran.out);
    assert!(
        ran.err.contains(edgeward::revocation::DELAY) && ran.err.contains("Nothing is changed yet."),
        "{}",
        ran.err
    );
    let delay = "Revoked everywhere within 30 seconds, plus the time Workers KV takes to spread a write (up to 60 seconds).";
    assert_eq!(edgeward::revocation::DELAY, delay);
    let local = folder
        .run(&["revoke", "before", "0", "--local", "--persist-to", "x", "--config", "a/w.toml"])
        .exits(0);
    assert!(
        local.out.contains("revoked:before 0 --local --preview=false --config a/w.toml --persist-to x"),
        "{}",
        local.out
    );
}

#[test]
fn what_is_there_is_merged() {
    let folder = Folder::new();
    let merged = |arguments: &[&str], present: &str| {
        let arguments = [&["revoke"], arguments, &["--present", "-", "--json"]].concat();
        folder.run_with(&arguments, present).exits(0).json()["value"].as_str().expect("text").to_owned()
    };
    assert_eq!(merged(&["subject", "ann"], "Value not found\n"), r#"{"ann":0}"#);
    assert_eq!(merged(&["subject", "ann"], "\n"), r#"{"ann":0}"#);
    assert_eq!(merged(&["subject", "ann"], r#"{"bob":4000000000,"old":5}"#), r#"{"ann":0,"bob":4000000000}"#);
    assert_eq!(merged(&["subject", "ann", "--undo"], r#"["ann","bob"]"#), r#"{"bob":0}"#);
    assert_eq!(merged(&["before", "2026-01-01T00:00:00Z"], "5"), "1767225600");
    assert_eq!(merged(&["before", "--undo"], "5"), "");
    let ran = folder.run_with(&["revoke", "subject", "ann", "--present", "-"], r#"{"bob":0"#).exits(2);
    assert!(
        ran.err.contains("revoked:sub in EDGEWARD_KV cannot be read") && ran.out.is_empty(),
        "{}",
        ran.err
    );
}

#[test]
fn lines_are_kept_as_long_as_they_are_needed() {
    let folder = Folder::new();
    let until = |arguments: &[&str]| {
        let json = folder.run(&[&["revoke"], arguments, &["--json"]].concat()).exits(0).json();
        let value: serde_json::Value =
            serde_json::from_str(json["value"].as_str().expect("text")).expect("JSON");
        value["a"].as_i64().expect("seconds")
    };
    let near = |found: i64, days: i64| assert!((found - now() - days * 86_400).abs() < 60, "{found}");
    near(until(&["id", "a"]), 400);
    near(until(&["id", "a", "--until", "2d"]), 2);
    assert_eq!(until(&["id", "a", "--until", "0"]), 0);
    assert_eq!(until(&["subject", "a"]), 0);
    assert_eq!(until(&["key", "a", "--until", "2100-01-01T00:00:00Z"]), 4_102_444_800);
    for bad in ["1999-01-01T00:00:00Z", "soon", "-1d", "99999999999d"] {
        folder.run(&["revoke", "id", "a", &format!("--until={bad}")]).exits(2);
    }
}

#[test]
fn now_is_the_end_of_this_second() {
    let folder = Folder::new();
    let json = folder.run(&["revoke", "before", "--json"]).exits(0).json();
    let moment: i64 = json["value"].as_str().expect("text").parse().expect("seconds");
    assert!((0..=30).contains(&(now() + 1 - moment)), "{moment}");
    let later = folder.run(&["revoke", "before", "2100-01-01T00:00:00Z"]).exits(0);
    assert!(later.err.contains("until then whatever is issued is refused as well"), "{}", later.err);
}

#[test]
fn sessions_of_a_user_end() {
    let folder = Folder::good();
    let present = r#"{"ids":{"0a":4000000000},"users":{"bob":[5,4000000000]}}"#;
    let arguments = ["revoke", "sessions", "ann", "--present", "-", "--json"];
    let json = folder.run_with(&arguments, present).exits(0).json();
    assert_eq!(json["key"], "revoked:sessions");
    let value: serde_json::Value = serde_json::from_str(json["value"].as_str().expect("text")).expect("JSON");
    assert_eq!(value["ids"], json!({ "0a": 4_000_000_000_i64 }));
    assert_eq!(value["users"]["bob"], json!([5, 4_000_000_000_i64]));
    let moments: Vec<i64> =
        value["users"]["ann"].as_array().expect("two").iter().filter_map(serde_json::Value::as_i64).collect();
    assert!((now() - moments[0]).abs() < 60 && (moments[1] - now() - 400 * 86_400).abs() < 60, "{moments:?}");
    let ran = folder.run_with(&["revoke", "sessions", "ann", "--present", "-"], "[]").exits(2);
    assert!(ran.err.contains("revoked:sessions in EDGEWARD_KV cannot be read"), "{}", ran.err);
    folder.run(&["revoke", "sessions", "ann", "--undo"]).exits(2);
    folder.run(&["revoke", "sessions"]).exits(2);

    let arguments = ["revoke", "sessions", "ann", "bob", "--ledger", "https://acme.example", "--json"];
    let json = folder.run(&arguments).exits(0).json();
    let command = json["command"].as_array().expect("list");
    let token = command
        .iter()
        .filter_map(|it| it.as_str()?.strip_prefix("Authorization: Bearer "))
        .next()
        .expect("one");
    let order =
        order::verify(&root(), token, "https://acme.example", UnixTime::from_seconds(now())).expect("good");
    assert_eq!(order, Order { sessions: vec!["ann".into(), "bob".into()], ..Order::default() });
}

#[test]
fn misuse() {
    let folder = Folder::good();
    for arguments in [
        &["revoke"][..],
        &["revoke", "id"],
        &["revoke", "id", ""],
        &["revoke", "id", "a\nb"],
        &["revoke", "before", "soon"],
        &["revoke", "before", "5", "--undo"],
        &["revoke", "id", "a", "--undo", "--until", "0"],
        &["revoke", "id", "a", "--persist-to", "x"],
        &["revoke", "id", "a", "--ledger", "acme.example"],
        &["revoke", "id", "a", "--ledger", "http://acme.example"],
        &["revoke", "id", "a", "--ledger", "https://acme.example", "--local"],
        &["revoke", "list", "--ledger", "https://acme.example"],
    ] {
        folder.run(arguments).exits(2);
    }
    let ran = Folder::new().run(&["revoke", "id", "a", "--ledger", "https://acme.example"]).exits(2);
    assert!(ran.err.contains("EDGEWARD_SECRET is not here"), "{}", ran.err);
}

#[test]
fn an_order_for_the_ledger_is_one_that_the_gate_takes() {
    let folder = Folder::good();
    let arguments =
        ["revoke", "subject", "ann", "token:bob", "--ledger", "https://Acme.example:443/x", "--json"];
    let ran = folder.run(&arguments).exits(0);
    ran.hides(SECRET);
    let json = ran.json();
    assert_eq!(
        (&json["url"], &json["done"]),
        (&json!("https://acme.example/.edgeward/revoke"), &json!(false))
    );
    let command: Vec<&str> =
        json["command"].as_array().expect("list").iter().filter_map(|it| it.as_str()).collect();
    assert_eq!((command[0], command[command.len() - 1]), ("curl", "https://acme.example/.edgeward/revoke"));
    let token = command.iter().find_map(|it| it.strip_prefix("Authorization: Bearer ")).expect("a token");
    let order =
        order::verify(&root(), token, "https://acme.example", UnixTime::from_seconds(now())).expect("good");
    assert_eq!(order, Order { subjects: vec!["ann".into(), "token:bob".into()], ..Order::default() });
}

/// A site that answers once, and keeps what it was sent.
fn site(status: &'static str) -> (String, std::thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let origin = format!("http://127.0.0.1:{}", listener.local_addr().expect("bound").port());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a connection");
        let (mut request, mut part) = (Vec::new(), [0; 4096]);
        while !request.windows(4).any(|it| it == b"\r\n\r\n") {
            let read = stream.read(&mut part).expect("it reads");
            request.extend_from_slice(&part[..read]);
        }
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 6\r\nConnection: close\r\n\r\nreason");
        stream.write_all(answer.as_bytes()).expect("it writes");
        String::from_utf8(request).expect("text")
    });
    (origin, server)
}

fn run_with_path(folder: &Folder, arguments: &[&str]) -> Ran {
    let mut command = folder.command(arguments);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    ran(command, "")
}

#[test]
fn an_order_is_sent_by_curl() {
    if std::process::Command::new("curl").arg("--version").output().is_err() {
        println!("skipped: there is no curl");
        return;
    }
    let folder = Folder::good();
    let (origin, server) = site("200 OK");
    let sent =
        run_with_path(&folder, &["revoke", "id", "a", "--undo", "--run", "--ledger", &origin]).exits(0);
    assert!(sent.out.contains("good again: a") && sent.err.contains("In effect at once"), "{sent:?}");
    let request = server.join().expect("it ends");
    assert!(request.starts_with("POST /.edgeward/revoke HTTP/1.1\r\n"), "{request}");
    let token =
        request.lines().find_map(|line| line.strip_prefix("Authorization: Bearer ")).expect("a token");
    let order = order::verify(&root(), token, &origin, UnixTime::from_seconds(now())).expect("good");
    assert_eq!(order, Order { ids: vec!["a".into()], undo: true, ..Order::default() });

    let (origin, server) = site("403 Forbidden");
    let refused =
        run_with_path(&folder, &["revoke", "id", "a", "--run", "--json", "--ledger", &origin]).exits(1);
    assert_eq!(refused.json()["done"], false);
    assert!(refused.err.contains("did not take the order") && refused.err.contains("reason"), "{refused:?}");
    server.join().expect("it ends");
}
