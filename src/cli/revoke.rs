//! `edgeward revoke`: what is good by its signature is refused from now on.
//!
//! What is revoked stands in `EDGEWARD_KV`, one value for each kind, and wrangler writes there. So the command says which
//! wrangler commands do it, or runs them: what is there is read, the new lines are put in, those that have outlived their
//! time are left out, and the whole is written. Where reading fails nothing is written. With `--ledger` an order that is
//! signed goes to the site itself.

mod kv;
mod list;
mod merge;
mod order;
mod shell;

use super::output::{Misuse, Outcome};
use super::{Which, clock};
use clap::{Args, Subcommand};
use edgeward::revocation::KV_KEYS;
use edgeward::time::{Lifetime, UnixTime};
use serde_json::{Value, json};
use std::path::PathBuf;

/// How long the id of a token is kept where nobody says, in days: longer than any token should be good.
const ID_DAYS: i64 = 400;

/// The kind of a wish that is about sessions: behind those of [`KV_KEYS`].
const SESSIONS: usize = KV_KEYS.len();

/// Refuse tokens, links and keys that would be good: by id, subject or key, or all before a moment
#[derive(Subcommand)]
pub enum Revoke {
    /// Tokens and links with these ids (jti)
    #[command(after_help = ID_AFTER)]
    Id(Names),
    /// All that these people or programs hold
    #[command(after_help = SUBJECT_AFTER)]
    Subject(Names),
    /// All that these keys signed (kid)
    #[command(after_help = KEY_AFTER)]
    Key(Names),
    /// Every sign-in of these users: they may sign in again
    #[command(after_help = SESSIONS_AFTER)]
    Sessions(Sessions),
    /// All that was issued before a moment
    #[command(after_help = BEFORE_AFTER)]
    Before(Before),
    /// What is revoked
    #[command(after_help = LIST_AFTER)]
    List(list::List),
}

const ID_AFTER: &str = "\
A line is kept for 400 days, or as --until says: when the token would have expired anyway. Without --run nothing is \
changed: the commands are printed.

Examples:
  edgeward revoke id 7f3c --run
  edgeward revoke id 7f3c 81aa --until 2026-12-01T00:00:00Z --env production --run
  edgeward revoke id 7f3c --undo --run
  edgeward revoke id 7f3c --ledger https://acme.example --run";

const SUBJECT_AFTER: &str = "\
ann is whoever is called so: the account, and every token with that sub. token:ann is the tokens alone, as `whoami` says \
it; key:ci an API key. Kept for ever, or as --until says.

Examples:
  edgeward revoke subject ann --run
  edgeward revoke subject token:ann key:ci --until 30d --run
  edgeward revoke subject ann --undo --run";

const KEY_AFTER: &str = "\
For the key of one of several issuers. A key that is yours is better taken out of EDGEWARD_KEYS, which is for good. Kept \
for ever, or as --until says.

Examples:
  edgeward revoke key 2026-05 --run
  edgeward revoke key 2026-05 --undo --run";

const SESSIONS_AFTER: &str = "\
All that they have begun so far, on every device. Their passwords stay good: give a user another one, or !suspended, to \
keep somebody out. With EDGEWARD_LEDGER bound tell that, by --ledger: then it is in effect at once.

Examples:
  edgeward revoke sessions ann --run
  edgeward revoke sessions ann bob --env production --run
  edgeward revoke sessions ann --ledger https://acme.example --run";

const BEFORE_AFTER: &str = "\
A token that does not say when it was issued (iat) is refused too. API keys have no such moment, and stay good. The \
latest moment stays until --undo takes it out.

Examples:
  edgeward revoke before --run
  edgeward revoke before 2026-11-01T00:00:00Z --env production --run
  edgeward revoke before --undo --run";

const LIST_AFTER: &str = "\
Examples:
  edgeward revoke list
  edgeward revoke list --run --env production --json
  edgeward revoke list --run --local";

/// Names to revoke, or to leave alone again.
#[derive(Args)]
pub struct Names {
    /// Each as it stands in the token
    #[arg(value_name = "VALUE", required = true, value_parser = name)]
    values: Vec<String>,

    /// When they may be forgotten: a moment, or a span from now (45s, 30m, 12h, 7d); 0 for never
    #[arg(long, value_name = "TIME|SPAN", conflicts_with = "undo")]
    until: Option<String>,

    #[command(flatten)]
    change: Change,
}

/// Users whose sessions end.
#[derive(Args)]
pub struct Sessions {
    /// User-ids
    #[arg(value_name = "USER", required = true, value_parser = name)]
    users: Vec<String>,

    #[command(flatten)]
    change: Change,
}

/// A moment to revoke by.
#[derive(Args)]
pub struct Before {
    /// RFC 3339, or Unix seconds [default: now]
    #[arg(value_name = "TIME", value_parser = moment, conflicts_with = "undo")]
    time: Option<UnixTime>,

    #[command(flatten)]
    change: Change,
}

/// What goes for every change.
#[derive(Args)]
struct Change {
    /// Let them in again
    #[arg(long)]
    undo: bool,

    /// What `wrangler kv key get` printed, so that the value to put can be printed; - for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["run", "ledger"])]
    present: Option<PathBuf>,

    /// Tell this site's EDGEWARD_LEDGER, for revocation = "strict": at once
    #[arg(long, value_name = "URL", conflicts_with_all = ["local", "preview", "persist_to"])]
    ledger: Option<String>,

    #[command(flatten)]
    how: How,
}

/// Which store, and whether to write there.
#[derive(Args)]
struct How {
    /// Run the commands instead of printing them
    #[arg(long)]
    run: bool,

    /// The store of `wrangler dev` instead of Cloudflare's
    #[arg(long)]
    local: bool,

    /// The namespace that preview_id names
    #[arg(long)]
    preview: bool,

    /// The folder of the local store, as in `wrangler dev --persist-to`
    #[arg(long, value_name = "FOLDER", requires = "local")]
    persist_to: Option<PathBuf>,

    #[command(flatten)]
    which: Which,
}

/// What is asked for.
struct Wish {
    /// Which of [`KV_KEYS`], or [`SESSIONS`].
    kind: usize,
    what: What,
    undo: bool,
}

enum What {
    /// Users, and the Unix second until which it is kept that their sessions ended.
    Sessions(Vec<String>, i64),
    /// Names, and the Unix second until which they are kept.
    Names(Vec<String>, i64),
    /// A moment; what it is does not matter where it is taken out.
    Before(UnixTime),
}

impl Revoke {
    /// Prints what does it, or does it.
    pub fn run(self) -> super::Result {
        let now = clock::now();
        let (kind, names) = match self {
            Self::Id(names) => (0, names),
            Self::Subject(names) => (1, names),
            Self::Key(names) => (2, names),
            Self::Sessions(sessions) => return sessions.run(now),
            Self::Before(before) => return before.run(now),
            Self::List(list) => return list.run(now),
        };
        let forever = Lifetime::from_seconds(if kind == 0 { ID_DAYS * 86_400 } else { 0 });
        let until = names.until.as_deref().map_or(Ok(until_of(forever, now)), |text| until(text, now))?;
        names
            .change
            .carry_out(Wish { kind, what: What::Names(names.values, until), undo: names.change.undo }, now)
    }
}

impl Sessions {
    fn run(self, now: UnixTime) -> super::Result {
        if self.change.undo {
            return Err(Misuse::new("What has ended stays so: whoever it was signs in again."));
        }
        // No session lasts longer than a browser keeps a cookie.
        let until = until_of(Lifetime::from_seconds(ID_DAYS * 86_400), now);
        self.change
            .carry_out(Wish { kind: SESSIONS, what: What::Sessions(self.users, until), undo: false }, now)
    }
}

impl Before {
    fn run(self, now: UnixTime) -> super::Result {
        // A token says in whole seconds when it was issued: what is of this second may be older than this moment.
        let next_second = UnixTime::from_seconds(now.seconds().saturating_add(1));
        let moment = self.time.unwrap_or(next_second);
        let wish = Wish { kind: 3, what: What::Before(moment), undo: self.change.undo };
        let mut outcome = self.change.carry_out(wish, now)?;
        if !self.change.undo && moment > next_second {
            outcome.notes.push(format!(
                "That is {}: until then whatever is issued is refused as well.",
                clock::relative(moment, now)
            ));
        }
        Ok(outcome)
    }
}

impl Change {
    fn carry_out(&self, wish: Wish, now: UnixTime) -> super::Result {
        match &self.ledger {
            Some(site) => order::send(site, &wish, &self.how, now),
            None if self.how.run => self.write(&wish, now),
            None => self.print(&wish, now),
        }
    }

    /// Reads, merges, writes.
    fn write(&self, wish: &Wish, now: UnixTime) -> super::Result {
        let store = kv::Store::new(&self.how);
        let present = match store.read(wish.key())? {
            Ok(present) => present,
            Err(why) => return Ok(failed(wish, &why)),
        };
        let merged = match merge::merged(wish, present.as_deref().unwrap_or_default(), now) {
            Ok(merged) => merged,
            Err(why) => return Ok(failed(wish, &why)),
        };
        match store.write(wish.key(), &merged.value)? {
            Ok(()) => Ok(done(wish, &merged)),
            Err(why) => Ok(failed(wish, &why)),
        }
    }

    fn print(&self, wish: &Wish, now: UnixTime) -> super::Result {
        let store = kv::Store::new(&self.how);
        let present = self.present.as_deref().map(kv::printed).transpose()?;
        let merged = merge::merged(wish, present.as_deref().unwrap_or_default(), now).map_err(Misuse::new)?;
        let (get, put) = (store.get(wish.key()), store.put(wish.key(), &merged.value));
        let text = match present {
            Some(_) => format!("{}\n", shell::line(&put)),
            None => format!(
                "# What is there now. \"Value not found\", or 404: nothing.\n{}\n\
                 # Where there was nothing:\n{}\n\
                 # Where there was something, put what this says, or let --run do it all:\n{} | {} --present -\n",
                shell::line(&get),
                shell::line(&put),
                shell::line(&get),
                shell::line(&shell::own())
            ),
        };
        let json = wish.json(&merged, &json!({ "done": false, "commands": { "get": get, "put": put } }));
        let notes = [merged.notes, wish.delay(), vec!["Nothing is changed yet.".to_owned()]].concat();
        Ok(Outcome { notes, ..Outcome::yes(text, json) })
    }
}

impl Wish {
    fn key(&self) -> &'static str {
        KV_KEYS.get(self.kind).copied().unwrap_or(edgeward::revocation::sessions::KV_KEY)
    }

    /// When it takes effect.
    fn delay(&self) -> Vec<String> {
        if self.undo {
            return vec![
                "Good again everywhere after the same time: half a minute, and that of Workers KV."
                    .to_owned(),
            ];
        }
        vec![edgeward::revocation::DELAY.to_owned()]
    }

    /// `rest`: what came of it.
    fn json(&self, merged: &merge::Merged, rest: &Value) -> Value {
        let mut json = json!({
            "key": self.key(),
            "undo": self.undo,
            "values": self.values(),
            "value": merged.value,
            "delay": self.delay().concat(),
        });
        if let (Some(members), Some(rest)) = (json.as_object_mut(), rest.as_object()) {
            members.extend(rest.clone());
        }
        json
    }

    fn values(&self) -> Value {
        match &self.what {
            What::Names(names, _) | What::Sessions(names, _) => json!(names),
            What::Before(moment) => json!([moment.seconds()]),
        }
    }

    /// What was done, in words.
    fn sentence(&self) -> String {
        let what = match &self.what {
            What::Names(names, _) => {
                names.iter().map(|name| super::output::visible(name)).collect::<Vec<_>>().join(", ")
            }
            What::Sessions(users, _) => {
                let users: Vec<String> = users.iter().map(|user| super::output::visible(user)).collect();
                format!("every sign-in of {}", users.join(", "))
            }
            What::Before(_) if self.undo => "the moment".to_owned(),
            What::Before(moment) => format!("all that was issued before {moment}"),
        };
        format!("{}: {what}\n", if self.undo { "good again" } else { "revoked" })
    }
}

fn done(wish: &Wish, merged: &merge::Merged) -> Outcome {
    let json = wish.json(merged, &json!({ "done": true }));
    Outcome { notes: [merged.notes.clone(), wish.delay()].concat(), ..Outcome::yes(wish.sentence(), json) }
}

/// Nothing came of it.
fn failed(wish: &Wish, why: &str) -> Outcome {
    let json = json!({ "key": wish.key(), "done": false, "error": why });
    let notes = vec![format!("edgeward: {why}"), "Nothing is changed.".to_owned()];
    Outcome { notes, yes: false, ..Outcome::yes(String::new(), json) }
}

/// A span of nothing is for ever.
fn until_of(span: Lifetime, now: UnixTime) -> i64 {
    if span == Lifetime::default() { 0 } else { (now + span).seconds() }
}

fn until(text: &str, now: UnixTime) -> super::Result<i64> {
    const EXPECTED: &str =
        "--until takes a moment (2026-12-01T00:00:00Z), a span from now (45s, 30m, 12h, 7d), or 0 for never.";
    if let Some(span) = Lifetime::parse(text) {
        let until = until_of(span, now);
        return if until <= 253_402_300_799 { Ok(until) } else { Err(Misuse::new(EXPECTED)) };
    }
    let moment = UnixTime::parse_rfc3339(text).ok_or_else(|| Misuse::new(EXPECTED))?;
    if moment <= now {
        return Err(Misuse::new(format!(
            "--until {moment} is over: what expired by then need not be revoked."
        )));
    }
    clock::numeric_date(moment)
}

fn moment(text: &str) -> Result<UnixTime, String> {
    edgeward::revocation::lists::moment("", text)
        .ok()
        .flatten()
        .ok_or_else(|| "write it like 2026-12-01T00:00:00Z, or as Unix seconds".to_owned())
}

/// Whatever a token may hold, but for what was surely not meant.
fn name(text: &str) -> Result<String, String> {
    if text.trim().is_empty() || text.contains(char::is_control) {
        return Err("it is blank, or holds a control character".to_owned());
    }
    Ok(text.to_owned())
}
