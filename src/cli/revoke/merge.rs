//! The value that is there, with what is wished for put in or taken out.

use super::{What, Wish};
use edgeward::json::push_string;
use edgeward::revocation::lists::{lines, moment};
use edgeward::revocation::sessions::{self, Ended, Ending};
use edgeward::time::UnixTime;
use std::collections::BTreeMap;

/// A value to write.
#[derive(Debug, PartialEq, Eq)]
pub struct Merged {
    /// The whole value; empty where none is to stay.
    pub value: String,
    /// What else is to be said.
    pub notes: Vec<String>,
}

/// Merges. An error is a sentence: what is there cannot be read, and nothing may be written over it.
pub fn merged(wish: &Wish, present: &str, now: UnixTime) -> Result<Merged, String> {
    match &wish.what {
        What::Names(names, until) => names_merged(wish, names, *until, present, now),
        What::Sessions(users, until) => sessions_merged(users, *until, present, now),
        What::Before(before) => moment_merged(wish, *before, present),
    }
}

fn names_merged(
    wish: &Wish,
    names: &[String],
    until: i64,
    present: &str,
    now: UnixTime,
) -> Result<Merged, String> {
    let (mut kept, mut notes) = (BTreeMap::new(), Vec::new());
    for (name, until) in lines(wish.key(), present)? {
        keep(&mut kept, name.into_owned(), until);
    }
    let before = kept.len();
    kept.retain(|_, until| *until == 0 || *until > now.seconds());
    if kept.len() < before {
        notes.push(format!("Left out what has outlived its time: {} of {before}.", before - kept.len()));
    }
    for name in names {
        if !wish.undo {
            keep(&mut kept, name.clone(), until);
        } else if kept.remove(name).is_none() {
            notes.push(format!("{} was not revoked.", crate::cli::output::visible(name)));
        }
    }
    Ok(Merged { value: written(&kept), notes })
}

fn sessions_merged(users: &[String], until: i64, present: &str, now: UnixTime) -> Result<Merged, String> {
    let mut ended = Ended::parse(Some(present))?;
    for user in users {
        let until = UnixTime::from_seconds(until);
        ended.add(&Ending { user: user.clone(), what: sessions::What::Until(now), until });
    }
    ended.forget(now);
    Ok(Merged { value: ended.written(), notes: Vec::new() })
}

/// Of two times the later one counts, and 0 is the latest.
fn keep(kept: &mut BTreeMap<String, i64>, name: String, until: i64) {
    let known = kept.entry(name).or_insert(until);
    *known = if *known == 0 || until == 0 { 0 } else { until.max(*known) };
}

/// In the order in which the Worker wants them, so that it need not sort.
fn written(kept: &BTreeMap<String, i64>) -> String {
    let mut value = String::from("{");
    for (name, until) in kept {
        value.push_str(if value.len() == 1 { "" } else { "," });
        push_string(&mut value, name);
        value.push(':');
        value.push_str(&until.to_string());
    }
    value + "}"
}

fn moment_merged(wish: &Wish, before: UnixTime, present: &str) -> Result<Merged, String> {
    let known = moment(wish.key(), present)?;
    if wish.undo {
        let notes = if known.is_none() { vec!["No moment was set.".to_owned()] } else { Vec::new() };
        return Ok(Merged { value: String::new(), notes });
    }
    let later = known.filter(|known| *known > before);
    let notes = later
        .map(|known| format!("A later moment is set already, and stays: {known}."))
        .into_iter()
        .collect();
    Ok(Merged { value: later.unwrap_or(before).seconds().to_string(), notes })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_seconds(1_000);

    fn names(names: &[&str], until: i64, undo: bool) -> Wish {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Wish { kind: 0, what: What::Names(names, until), undo }
    }

    fn before(seconds: i64, undo: bool) -> Wish {
        Wish { kind: 3, what: What::Before(UnixTime::from_seconds(seconds)), undo }
    }

    fn value(wish: &Wish, present: &str) -> Result<String, String> {
        merged(wish, present, NOW).map(|merged| merged.value)
    }

    #[test]
    fn names_are_put_in_and_taken_out() {
        let table: [(Wish, &str, &str); 9] = [
            (names(&["b", "a\""], 2_000, false), "", r#"{"a\"":2000,"b":2000}"#),
            (names(&["b"], 0, false), r#"{"a":0}"#, r#"{"a":0,"b":0}"#),
            (names(&["a"], 2_000, false), r#"{"a":3000}"#, r#"{"a":3000}"#),
            (names(&["a"], 2_000, false), r#"{"a":1500}"#, r#"{"a":2000}"#),
            (names(&["a"], 2_000, false), r#"{"a":0}"#, r#"{"a":0}"#),
            (names(&["c"], 0, false), r#"["b","a"]"#, r#"{"a":0,"b":0,"c":0}"#),
            (names(&["c"], 0, false), "b\r\na\n", r#"{"a":0,"b":0,"c":0}"#),
            (names(&["c"], 0, false), r#"{"over":1000,"not":1001}"#, r#"{"c":0,"not":1001}"#),
            (names(&["a", "x"], 0, true), r#"{"a":0}"#, "{}"),
        ];
        for (wish, present, expected) in table {
            assert_eq!(value(&wish, present).as_deref(), Ok(expected), "{present}");
        }
        let notes = merged(&names(&["x\u{1b}"], 0, true), r#"{"over":1}"#, NOW).expect("good").notes;
        assert_eq!(notes, ["Left out what has outlived its time: 1 of 1.", "x\\u{1b} was not revoked."]);
    }

    #[test]
    fn the_latest_moment_stays() {
        assert_eq!(value(&before(500, false), "").as_deref(), Ok("500"));
        assert_eq!(value(&before(500, false), "400\n").as_deref(), Ok("500"));
        assert_eq!(value(&before(500, false), "1970-01-01T00:10:00Z").as_deref(), Ok("600"));
        assert_eq!(value(&before(500, true), "600").as_deref(), Ok(""));
    }

    #[test]
    fn sessions_end_and_what_ended_stays_so() {
        let wish = Wish {
            kind: super::super::SESSIONS,
            what: What::Sessions(vec!["ann".into(), "b\"".into()], 2_000),
            undo: false,
        };
        assert_eq!(wish.key(), "revoked:sessions");
        assert_eq!(
            value(&wish, "").as_deref(),
            Ok(r#"{"ids":{},"users":{"ann":[1000,2000],"b\"":[1000,2000]}}"#)
        );
        let present = r#"{"ids":{"00ff":1500,"over":1000},"users":{"ann":[900,3000],"cy":[5,1500]}}"#;
        assert_eq!(
            value(&wish, present).as_deref(),
            Ok(r#"{"ids":{"00ff":1500},"users":{"ann":[1000,3000],"b\"":[1000,2000],"cy":[5,1500]}}"#)
        );
        assert!(value(&wish, "ann").is_err(), "nothing is written over what cannot be read");
    }

    #[test]
    fn nothing_is_written_over_what_cannot_be_read() {
        for wish in [names(&["a"], 0, false), names(&["a"], 0, true), before(1, false), before(1, true)] {
            assert!(value(&wish, "{\"a\"").is_err());
        }
    }
}
