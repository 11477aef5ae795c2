//! `edgeward revoke list`: what stands in the store.

use super::kv::Store;
use super::{How, shell};
use crate::cli::clock;
use crate::cli::output::{Outcome, columns, visible};
use clap::Args;
use edgeward::revocation::KV_KEYS;
use edgeward::revocation::lists::{Line, lines, moment};
use edgeward::revocation::sessions::{Ended, KV_KEY};
use edgeward::time::UnixTime;
use serde_json::{Map, Value, json};

/// What is revoked.
#[derive(Args)]
pub struct List {
    #[command(flatten)]
    how: How,
}

impl List {
    /// Prints the commands that show it, or shows it.
    pub fn run(self, now: UnixTime) -> crate::cli::Result {
        let store = Store::new(&self.how);
        if !self.how.run {
            let commands: Vec<Vec<String>> = keys().map(|key| store.get(key)).collect();
            let text = commands.iter().map(|command| shell::line(command) + "\n").collect();
            return Ok(Outcome::yes(text, json!({ "commands": commands })));
        }
        let mut shown = Shown { now, text: String::new(), json: Map::new(), problems: Vec::new() };
        for key in keys() {
            match store.read(key)? {
                Ok(value) => shown.add(key, value.as_deref().unwrap_or_default()),
                Err(why) => shown.problems.push(why),
            }
        }
        Ok(shown.outcome())
    }
}

/// Every key that says what is revoked.
fn keys() -> impl Iterator<Item = &'static str> {
    KV_KEYS.into_iter().chain([KV_KEY])
}

struct Shown {
    now: UnixTime,
    text: String,
    json: Map<String, Value>,
    problems: Vec<String>,
}

impl Shown {
    fn add(&mut self, key: &'static str, value: &str) {
        let added = match key {
            key if key == KV_KEYS[3] => self.add_moment(key, value),
            KV_KEY => self.add_sessions(key, value),
            key => self.add_lines(key, value),
        };
        self.problems.extend(added.err());
    }

    fn add_moment(&mut self, key: &str, value: &str) -> Result<(), String> {
        let moment = moment(key, value)?;
        if let Some(moment) = moment {
            let words = format!("{moment} ({})", clock::relative(moment, self.now));
            self.text += &columns(&[(key.to_owned(), words)]);
        }
        self.json.insert(key.to_owned(), json!(moment.map(UnixTime::seconds)));
        Ok(())
    }

    fn add_lines(&mut self, key: &str, value: &str) -> Result<(), String> {
        let lines = lines(key, value)?;
        let rows: Vec<(String, String)> =
            lines.iter().map(|line| (format!("{key}  {}", visible(&line.0)), self.until(line))).collect();
        self.text += &columns(&rows);
        let members = lines.into_iter().map(|(id, until)| (id.into_owned(), until.into()));
        self.json.insert(key.to_owned(), Value::Object(members.collect()));
        Ok(())
    }

    fn add_sessions(&mut self, key: &str, value: &str) -> Result<(), String> {
        let ended = Ended::parse(Some(value))?;
        let ids = ended.ids().map(|(id, until)| (format!("{key}  {id}"), self.until(&(id.into(), until))));
        let users = ended.users().map(|(user, (before, _))| {
            let began = UnixTime::from_seconds(before);
            (format!("{key}  {}", visible(user)), format!("all that began up to {began}"))
        });
        let rows: Vec<(String, String)> = ids.chain(users).collect();
        self.text += &columns(&rows);
        let json = serde_json::from_str(&ended.written()).unwrap_or_default();
        self.json.insert(key.to_owned(), json);
        Ok(())
    }

    fn until(&self, (_, until): &Line<'_>) -> String {
        let until = match until {
            0 => return "for ever".to_owned(),
            seconds => UnixTime::from_seconds(*seconds),
        };
        let over = if until <= self.now { ", over" } else { "" };
        format!("until {until}{over}")
    }

    fn outcome(mut self) -> Outcome {
        if self.text.is_empty() && self.problems.is_empty() {
            self.text.push_str("nothing is revoked\n");
        }
        let yes = self.problems.is_empty();
        if !yes {
            self.json.insert("errors".to_owned(), json!(self.problems));
        }
        Outcome { notes: self.problems, yes, ..Outcome::yes(self.text, Value::Object(self.json)) }
    }
}
