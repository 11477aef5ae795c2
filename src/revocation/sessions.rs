//! Sessions that were ended before their time: by signing out, here or everywhere, or by the command.
//!
//! A session is ended by its id, or with all that its user began up to a moment. Both are kept for as long as such a session
//! could be good, then forgotten:
//!
//! 1. in the ledger: one object for each user (`sessions:<user>`), a mark `id:<id>` for a session, and a mark `all` that
//!    bears the moment. Each request with a session asks it, so it is never late.
//! 2. in `EDGEWARD_KV`, where there is no ledger, or it does not answer: one value for all ([`KV_KEY`]), read together with
//!    the others that say what is revoked.
//!
//! ```json
//! { "ids": { "<id>": <until> }, "users": { "<user>": [<before>, <until>] } }
//! ```
//!
//! All are Unix seconds. KV has no way to change a value but to read it and to write it whole: of two isolates that do
//! so at once one may write over what the other wrote. So an isolate writes all that was ended in it lately, each time.
//! Exactly is what the ledger is for.

use crate::json::{Json, ObjectWriter, push_string};
use crate::policy::SessionSettings;
use crate::session::Session;
use crate::sorted_map::SortedMap;
use crate::time::{Lifetime, UnixTime};

/// Its key in `EDGEWARD_KV`.
pub const KV_KEY: &str = "revoked:sessions";

/// What an isolate itself ended and still knows by heart, at most.
const MOST_HERE: usize = 1024;

const ID: &str = "id:";
const ALL: &str = "all";

/// What is to be ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Whose it is.
    pub user: String,
    /// Which of theirs.
    pub what: What,
    /// The moment from which nothing of it could be good anyway.
    pub until: UnixTime,
}

/// Which sessions of a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The one with this id, in hexadecimal.
    One(String),
    /// All that began up to this moment; one that began in its very second among them.
    Until(UnixTime),
}

impl Ending {
    /// Ends one session.
    #[must_use]
    pub fn one(session: &Session) -> Self {
        Self { user: session.user.clone(), what: What::One(session.id_text()), until: session.ends }
    }

    /// Ends all sessions of a user that were begun up to now.
    #[must_use]
    pub fn all(user: &str, settings: &SessionSettings, now: UnixTime) -> Self {
        let until = now + settings.longest();
        Self { user: user.to_owned(), what: What::Until(now), until }
    }

    /// The ledger's object.
    #[must_use]
    pub fn object(&self) -> String {
        object(&self.user)
    }

    /// Arguments of [`super::ledger::MARK`] that keep it. A JSON array.
    #[must_use]
    pub fn mark_arguments(&self) -> String {
        let until = self.until.seconds().to_string();
        let mut text = String::from("[[[");
        match &self.what {
            What::One(id) => {
                push_string(&mut text, &[ID, id].concat());
                text.extend([",", &until]);
            }
            What::Until(moment) => {
                push_string(&mut text, ALL);
                text.extend([",", &until, ",", &moment.seconds().to_string()]);
            }
        }
        text + "]]]"
    }
}

/// The ledger's object for a user's sessions. It is asked for users who signed in, and for no others.
#[must_use]
pub fn object(user: &str) -> String {
    ["sessions:", user].concat()
}

/// Arguments of [`super::ledger::MARKED`]: was this one ended? A JSON array.
#[must_use]
pub fn marked_arguments(session: &Session) -> String {
    ["[[\"", ID, &session.id_text(), "\",\"", ALL, "\"]]"].concat()
}

/// What the ledger says of it.
///
/// # Errors
/// A sentence for the log where the answer is not one of the ledger's: it is as if there were none.
pub fn is_marked(answer: &str, session: &Session) -> Result<bool, &'static str> {
    const ODD: &str = "EDGEWARD_LEDGER gave an answer that cannot be read.";
    let json = Json::parse(answer).map_err(|_| ODD)?;
    let marked = json.get("marked").and_then(Json::as_texts).ok_or(ODD)?;
    if marked.iter().any(|mark| mark.starts_with(ID)) {
        return Ok(true);
    }
    if !marked.contains(&ALL) {
        return Ok(false);
    }
    let before = json.get("at").and_then(|at| at.get(ALL)).and_then(Json::as_whole).ok_or(ODD)?;
    Ok(session.began.seconds() <= before)
}

/// What was ended, as [`KV_KEY`] holds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// Ids, and until when each is kept; 0 for ever.
    ids: SortedMap<Box<str>, i64>,
    /// Users: all that began up to the first moment; kept until the second.
    users: SortedMap<Box<str>, (i64, i64)>,
}

impl Ended {
    /// None.
    #[must_use]
    pub const fn new() -> Self {
        Self { ids: SortedMap::new(), users: SortedMap::new() }
    }

    /// Reads the value of [`KV_KEY`]; nothing was ended where it is absent or blank.
    ///
    /// # Errors
    /// A sentence for the log, without any id. The caller treats the store as one that did not answer.
    pub fn parse(value: Option<&str>) -> Result<Self, String> {
        let text = value.unwrap_or_default().trim_ascii();
        if text.is_empty() {
            return Ok(Self::new());
        }
        read(text).ok_or_else(|| {
            [
                KV_KEY,
                " in EDGEWARD_KV cannot be read: it is not as Edgeward writes it. Take it out with `npx wrangler kv key \
                 delete`: then sessions that were ended and are still in time are good again.",
            ]
            .concat()
        })
    }

    /// Whether a session was ended.
    #[must_use]
    pub fn has(&self, session: &Session) -> bool {
        let by_user = || self.users.get(session.user.as_str());
        !self.ids.is_empty() && self.ids.get(session.id_text().as_str()).is_some()
            || by_user().is_some_and(|(before, _)| session.began.seconds() <= *before)
    }

    /// Puts in what is to be ended.
    pub fn add(&mut self, ending: &Ending) {
        let until = ending.until.seconds();
        match &ending.what {
            What::One(id) => self.add_id(id, until),
            What::Until(moment) => self.add_user(&ending.user, (moment.seconds(), until)),
        }
    }

    /// Puts in all that `more` holds, and leaves out what could not be good at `now` anyway.
    pub fn merge(&mut self, more: &Self, now: UnixTime) {
        more.ids.iter().for_each(|(id, until)| self.add_id(id, *until));
        more.users.iter().for_each(|(user, moments)| self.add_user(user, *moments));
        self.forget(now);
    }

    /// Leaves out what could not be good at `now` anyway.
    pub fn forget(&mut self, now: UnixTime) {
        let is_kept = |until: i64| until == 0 || until > now.seconds();
        self.ids.retain(|_, until| is_kept(*until));
        self.users.retain(|_, (_, until)| is_kept(*until));
    }

    /// Ids, and until when each is kept (Unix seconds; 0 for ever).
    pub fn ids(&self) -> impl Iterator<Item = (&str, i64)> {
        self.ids.iter().map(|(id, until)| (&**id, *until))
    }

    /// Users: all that began up to the first moment, kept until the second (Unix seconds).
    pub fn users(&self) -> impl Iterator<Item = (&str, (i64, i64))> {
        self.users.iter().map(|(user, moments)| (&**user, *moments))
    }

    /// Whether it is more than one isolate knows by heart.
    #[must_use]
    pub const fn is_long(&self) -> bool {
        self.ids.len() + self.users.len() >= MOST_HERE
    }

    /// The value of [`KV_KEY`].
    #[must_use]
    pub fn written(&self) -> String {
        let mut ids = ObjectWriter::new();
        for (id, until) in self.ids.iter() {
            ids = ids.number(id, *until);
        }
        let mut users = ObjectWriter::new();
        for (user, (before, until)) in self.users.iter() {
            users = users.literal(user, &["[", &before.to_string(), ",", &until.to_string(), "]"].concat());
        }
        ObjectWriter::new().literal("ids", &ids.finish()).literal("users", &users.finish()).finish()
    }

    fn add_id(&mut self, id: &str, until: i64) {
        let later = self.ids.get(id).map_or(until, |known| latest(*known, until));
        self.ids.insert(id.into(), later);
    }

    fn add_user(&mut self, user: &str, (before, until): (i64, i64)) {
        let known = self.users.get(user).copied().unwrap_or((before, until));
        self.users.insert(user.into(), (known.0.max(before), latest(known.1, until)));
    }
}

/// Of two moments until which something is kept, the later; 0 is for ever.
fn latest(one: i64, other: i64) -> i64 {
    if one == 0 || other == 0 { 0 } else { one.max(other) }
}

fn read(text: &str) -> Option<Ended> {
    let json = Json::parse(text).ok()?;
    json.as_object()?;
    let members = |name: &str| match json.get(name) {
        None => Some(&[][..]),
        Some(value) => value.as_object(),
    };
    let mut ended = Ended::new();
    for (id, until) in members("ids")? {
        ended.add_id(id, until.as_whole()?);
    }
    for (user, moments) in members("users")? {
        let [before, until] = moments.as_array()? else { return None };
        ended.add_user(user, (before.as_whole()?, until.as_whole()?));
    }
    Some(ended)
}

/// The value to write where `present` stands and `more` was ended, both as [`KV_KEY`] holds them; `None` where what stands
/// there cannot be read: nothing may be written over it.
#[must_use]
pub fn merged(present: Option<&str>, more: &str, now: UnixTime) -> Option<String> {
    let mut ended = Ended::parse(present).ok()?;
    ended.merge(&Ended::parse(Some(more)).ok()?, now);
    Some(ended.written())
}

impl SessionSettings {
    /// The longest that any session may last.
    #[must_use]
    pub fn longest(&self) -> Lifetime {
        self.remember.map_or(self.absolute, |kept| kept.max(self.absolute))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::Factors;
    use proptest::prelude::*;

    const NOW: UnixTime = UnixTime::from_seconds(1_796_000_000);

    fn after(seconds: i64) -> UnixTime {
        UnixTime::from_millis(NOW.millis() + seconds * 1000)
    }

    fn session(id: u8, user: &str, began: UnixTime) -> Session {
        Session {
            id: [id; 16],
            user: user.to_owned(),
            stamp: [0; 8],
            began,
            seen: began,
            ends: began + Lifetime::from_seconds(3600),
            idle: Lifetime::from_seconds(600),
            remembered: false,
            factors: Factors::Password,
            groups: Vec::new(),
        }
    }

    fn settings(remember: Option<i64>) -> SessionSettings {
        let span = Lifetime::from_seconds;
        SessionSettings {
            idle: span(600),
            absolute: span(3600),
            remember: remember.map(span),
            remember_idle: span(600),
            warn: crate::policy::Warn::Off,
            domain: None,
            hosts: Vec::new(),
            authority: None,
            clear_site_data: Vec::new(),
            discourse: crate::policy::Discourse::default(),
            by_form: true,
        }
    }

    #[test]
    fn one_is_ended_and_no_other() {
        let (one, other) = (session(1, "ann", NOW), session(2, "ann", NOW));
        let mut ended = Ended::new();
        ended.add(&Ending::one(&one));
        assert!(ended.has(&one) && !ended.has(&other));
        assert_eq!(
            ended.written(),
            format!(r#"{{"ids":{{"{}":1796003600}},"users":{{}}}}"#, "01".repeat(16))
        );
    }

    #[test]
    fn all_that_began_so_far_are_ended_and_none_after() {
        let mut ended = Ended::new();
        ended.add(&Ending::all("a\"nn", &settings(None), NOW));
        assert!(ended.has(&session(1, "a\"nn", after(-9000))));
        assert!(ended.has(&session(1, "a\"nn", NOW)), "begun in that second");
        assert!(!ended.has(&session(1, "a\"nn", after(1))));
        assert!(!ended.has(&session(1, "bob", NOW)));
        assert_eq!(ended.written(), r#"{"ids":{},"users":{"a\"nn":[1796000000,1796003600]}}"#);
    }

    #[test]
    fn kept_for_as_long_as_one_could_be_good() {
        assert_eq!(Ending::all("a", &settings(None), NOW).until, after(3600));
        assert_eq!(Ending::all("a", &settings(Some(7200)), NOW).until, after(7200));
        assert_eq!(Ending::all("a", &settings(Some(60)), NOW).until, after(3600));
        assert_eq!(Ending::one(&session(1, "a", NOW)).until, after(3600));
    }

    #[test]
    fn what_is_written_is_added_to_what_stands_there() {
        let present = r#"{"ids":{"a":1796000001,"over":1796000000,"ever":0},"users":{"bob":[5,1796000009]}}"#;
        let more = r#"{"ids":{"a":1796000005},"users":{"bob":[7,1796000008],"cy":[1,1796000000]}}"#;
        let wanted = r#"{"ids":{"a":1796000005,"ever":0},"users":{"bob":[7,1796000009]}}"#;
        assert_eq!(merged(Some(present), more, NOW).as_deref(), Some(wanted));
        assert_eq!(merged(Some(wanted), more, NOW).as_deref(), Some(wanted), "once more changes nothing");
        assert_eq!(merged(None, "{}", NOW).as_deref(), Some(r#"{"ids":{},"users":{}}"#));
        assert_eq!(merged(Some("nonsense"), more, NOW), None);
    }

    #[test]
    fn what_cannot_be_read_is_no_empty_list() {
        for good in ["", " ", "{}", r#"{"ids":{}}"#, r#"{"later":1}"#] {
            assert_eq!(Ended::parse(Some(good)), Ok(Ended::new()), "{good}");
        }
        for bad in [
            "[]",
            "x",
            r#"{"ids":[]}"#,
            r#"{"ids":{"a":"1"}}"#,
            r#"{"ids":{"a":1.5}}"#,
            r#"{"users":{"a":1}}"#,
            r#"{"users":{"a":[1]}}"#,
            r#"{"users":{"a":[1,2,3]}}"#,
        ] {
            assert!(Ended::parse(Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_the_ledger_is_told_and_asked() {
        let one = session(0xab, "ann", NOW);
        let id = "ab".repeat(16);
        assert_eq!(Ending::one(&one).mark_arguments(), format!(r#"[[["id:{id}",1796003600]]]"#));
        let all = Ending::all("ann", &settings(None), NOW);
        assert_eq!(all.mark_arguments(), r#"[[["all",1796003600,1796000000]]]"#);
        assert_eq!((all.object().as_str(), object("ann").as_str()), ("sessions:ann", "sessions:ann"));
        assert_eq!(marked_arguments(&one), format!(r#"[["id:{id}","all"]]"#));
        for (answer, wanted) in [
            (r#"{"marked":[],"before":null,"at":{}}"#.to_owned(), Ok(false)),
            (format!(r#"{{"marked":["id:{id}"],"before":null,"at":{{}}}}"#), Ok(true)),
            (r#"{"marked":["all"],"before":null,"at":{"all":1796000000}}"#.to_owned(), Ok(true)),
            (r#"{"marked":["all"],"before":null,"at":{"all":1795999999}}"#.to_owned(), Ok(false)),
            (r#"{"marked":["all"],"before":null,"at":{}}"#.to_owned(), Err(())),
            (r#"{"marked":["all"]}"#.to_owned(), Err(())),
            (r#"{"marked":1}"#.to_owned(), Err(())),
            ("null".to_owned(), Err(())),
            (String::new(), Err(())),
        ] {
            assert_eq!(is_marked(&answer, &one).map_err(|_| ()), wanted, "{answer}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(ids in proptest::collection::vec(("[a-f0-9]{4}", 0..9i64), 0..6), users in proptest::collection::vec(("\\PC{0,6}", 0..9i64, 0..9i64), 0..6)) {
            let mut ended = Ended::new();
            ids.iter().for_each(|(id, until)| ended.add_id(id, *until));
            users.iter().for_each(|(user, before, until)| ended.add_user(user, (*before, *until)));
            prop_assert_eq!(Ended::parse(Some(&ended.written())), Ok(ended));
        }

        #[test]
        fn reading_never_panics(text in "\\PC{0,60}") {
            let _ = Ended::parse(Some(&text));
            let _ = is_marked(&text, &session(1, "ann", NOW));
        }
    }
}
