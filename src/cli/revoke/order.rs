//! An order to a site's `EDGEWARD_LEDGER`: signed here, sent with curl.

use super::{How, What, Wish, shell};
use crate::cli::key::serialised;
use crate::cli::output::{Misuse, Outcome, visible_lines};
use crate::cli::secrets::Secrets;
use crate::cli::wrangler::folder_of;
use edgeward::revocation::order::{LIFETIME, Order, sign};
use edgeward::time::UnixTime;
use edgeward::token::jws::MAX_TOKEN_SIZE;
use serde_json::json;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

/// Prints the command that sends the order, or sends it.
pub fn send(site: &str, wish: &Wish, how: &How, now: UnixTime) -> crate::cli::Result {
    let origin = confidential(serialised("--ledger", site)?)?;
    let secrets = Secrets::read(&how.which.from, folder_of(&how.which.config))?;
    let token =
        sign(&secrets.root()?, &origin, &order(wish), now).filter(|token| token.len() <= MAX_TOKEN_SIZE);
    let token = token.ok_or_else(|| Misuse::new("That is too much for one order: name fewer at once."))?;
    let url = format!("{origin}/.edgeward/revoke");
    if how.run { sent(wish, &url, &token) } else { Ok(printed(wish, &url, &token)) }
}

/// The order stands in a field: whoever reads it on the way can send it again for a minute.
fn confidential(origin: String) -> Result<String, Misuse> {
    let host =
        origin.strip_prefix("http://").map(|host| host.rsplit_once(':').map_or(host, |(host, _)| host));
    match host {
        None | Some("localhost" | "127.0.0.1" | "[::1]") => Ok(origin),
        Some(_) => Err(Misuse::new("--ledger must be an https: URL; http: is for your own machine alone.")),
    }
}

fn order(wish: &Wish) -> Order {
    let mut order = Order { undo: wish.undo, ..Order::default() };
    match &wish.what {
        What::Before(moment) => order.before = Some(*moment),
        What::Sessions(users, _) => order.sessions.clone_from(users),
        What::Names(names, until) => {
            order.until = if wish.undo { 0 } else { *until };
            match wish.kind {
                0 => order.ids.clone_from(names),
                1 => order.subjects.clone_from(names),
                _ => order.keys.clone_from(names),
            }
        }
    }
    order
}

fn printed(wish: &Wish, url: &str, token: &str) -> Outcome {
    let field = format!("Authorization: Bearer {token}");
    let command: Vec<String> = [
        "curl",
        "--fail-with-body",
        "--silent",
        "--show-error",
        "--request",
        "POST",
        "--header",
        &field,
        url,
    ]
    .map(str::to_owned)
    .to_vec();
    let text = format!("{}\n", shell::line(&command));
    let notes = vec![
        format!("Good for {LIFETIME} seconds, and as secret as a password until then."),
        "Nothing is changed yet.".to_owned(),
    ];
    Outcome {
        notes,
        ..Outcome::yes(
            text,
            json!({ "command": command, "url": url, "values": wish.values(), "undo": wish.undo, "done": false }),
        )
    }
}

/// The field goes to curl by standard input: arguments show in lists of processes.
fn sent(wish: &Wish, url: &str, token: &str) -> crate::cli::Result {
    let output = curl(url, &format!("header = \"Authorization: Bearer {token}\"\n")).map_err(|error| {
        Misuse::new(format!("curl does not start: {error}. Without --run the command is printed."))
    })?;
    let done = output.status.success();
    let answer =
        [String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout)].join("\n");
    let why = (!done).then(|| visible_lines(answer.trim()));
    let json = json!({ "url": url, "values": wish.values(), "undo": wish.undo, "done": done, "error": why });
    let (text, note) = match why {
        None => (
            wish.sentence(),
            match wish.what {
                What::Sessions(..) => "In effect at once.".to_owned(),
                What::Names(..) | What::Before(_) => {
                    "In effect at once, wherever the policy says revocation = \"strict\".".to_owned()
                }
            },
        ),
        Some(why) => (String::new(), format!("edgeward: {url} did not take the order:\n{why}")),
    };
    Ok(Outcome { notes: vec![note], yes: done, ..Outcome::yes(text, json) })
}

fn curl(url: &str, config: &str) -> std::io::Result<Output> {
    let arguments = [
        "--fail-with-body",
        "--silent",
        "--show-error",
        "--max-time",
        "30",
        "--request",
        "POST",
        "--config",
        "-",
        "--",
        url,
    ];
    let mut child = Command::new("curl")
        // A settings file of the user's could follow redirects, and take the field along.
        .arg("--disable")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(config.as_bytes())?;
    }
    child.wait_with_output()
}
