//! How long lists that were read may be used, and when the store is asked again.
//!
//! ```text
//!  0 s                        27 s                     30 s
//!  ├── Fresh ──────────────────┼── Renew, once; Fresh ──┼── Stale: wait for the store ──▶
//! ```
//!
//! From 27 seconds on somebody asks in the background, so that under traffic nobody waits: three seconds are what the host
//! gives the store, and sooner would be more reads than one each half minute. At 30 seconds the lists are too old to let
//! anybody in by themselves: one request asks, and those that come meanwhile wait for what it learns. A store that failed
//! is left alone for a second: an outage costs no call for each request. Pure: the time is an argument.

use super::Lists;
use super::sessions::{Ended, Ending};
use crate::session::Session;
use crate::time::{Lifetime, UnixTime};

/// From this age on, in milliseconds, lists are renewed in the background.
pub const RENEW_AFTER: i64 = 27_000;

/// From this age on, in milliseconds, lists may not be used by themselves: what [`super::DELAY`] promises.
pub const STALE_AFTER: i64 = 30_000;

/// For so long after a failure, in milliseconds, the store is not asked.
pub const FAILURE_LASTS: i64 = 1_000;

/// After so long, in milliseconds, a question is given up for lost; the host's own limit is three seconds.
pub const QUESTION_LASTS: i64 = 4_000;

/// For so long, in milliseconds, requests wait for what another one asked. Then one more asks: the other may have ended
/// with its client. With two on their way it is the store that is slow, and a third would only be later.
pub const PATIENCE: i64 = 500;

/// Lists, and the moment at which the store was asked for them.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// What is revoked.
    pub lists: Lists,
    /// When the question was put: the answer may be as old as that.
    pub read_at: UnixTime,
}

/// What an isolate keeps of the store.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    last: Option<Snapshot>,
    asked_at: Option<UnixTime>,
    /// Whether more than one has asked, and none has an answer yet.
    asked_again: bool,
    failed_at: Option<UnixTime>,
    /// Sessions that were ended by this very isolate: it knows at once.
    here: Ended,
}

/// What to do with what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Use [`Kept::last`].
    Fresh,
    /// Use [`Kept::last`], and ask the store in the background: [`Kept::asking`], then [`Kept::took`] or [`Kept::failed`].
    Renew,
    /// Ask the store and wait for it.
    Stale,
    /// The store failed a moment ago, and what is kept is too old: it is unavailable. Do not ask.
    Failed,
}

impl Kept {
    /// Nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { last: None, asked_at: None, asked_again: false, failed_at: None, here: Ended::new() }
    }

    /// What to do at this moment.
    #[must_use]
    pub fn state(&self, now: UnixTime) -> State {
        let age = self.last.as_ref().map(|last| distance(last.read_at, now));
        let failed = within(self.failed_at, now, FAILURE_LASTS);
        match age {
            Some(age) if age < RENEW_AFTER => State::Fresh,
            Some(age) if age < STALE_AFTER => {
                if failed || within(self.asked_at, now, QUESTION_LASTS) {
                    State::Fresh
                } else {
                    State::Renew
                }
            }
            Some(_) | None if failed => State::Failed,
            Some(_) | None => State::Stale,
        }
    }

    /// Somebody asks the store: nobody else need do so.
    pub fn asking(&mut self, now: UnixTime) {
        self.asked_again = within(self.asked_at, now, QUESTION_LASTS);
        self.asked_at = Some(now);
    }

    /// Whether others have asked the store and have no answer yet: their question is enough for all who wait.
    #[must_use]
    pub fn others_ask(&self, now: UnixTime) -> bool {
        let patience = if self.asked_again { QUESTION_LASTS } else { PATIENCE };
        within(self.asked_at, now, patience)
    }

    /// The store answered; `asked` is when it was asked. An answer to an older question than the one kept is dropped.
    pub fn took(&mut self, lists: Lists, asked: UnixTime) {
        self.asked_at = None;
        self.failed_at = None;
        if self.last.as_ref().is_none_or(|last| last.read_at <= asked) {
            self.last = Some(Snapshot { lists, read_at: asked });
        }
    }

    /// The store did not answer, or with what cannot be read.
    pub const fn failed(&mut self, now: UnixTime) {
        self.asked_at = None;
        self.failed_at = Some(now);
    }

    /// The last lists that were read, of whatever age: what [`Kept::state`] says to use, and, where the operator lets
    /// requests pass while the store is unavailable, what still counts then.
    #[must_use]
    pub fn last(&self) -> Option<&Lists> {
        self.last.as_ref().map(|last| &last.lists)
    }

    /// This isolate ends a session. It remembers a limited number, and of those that are over none.
    pub fn end(&mut self, ending: &Ending, now: UnixTime) {
        self.here.forget(now);
        if self.here.is_long() {
            self.here = Ended::new();
        }
        self.here.add(ending);
    }

    /// What this isolate ended.
    #[must_use]
    pub const fn here(&self) -> &Ended {
        &self.here
    }

    /// Whether a session was ended, as far as is known without asking.
    #[must_use]
    pub fn has_ended(&self, session: &Session) -> bool {
        self.here.has(session) || self.last().is_some_and(|lists| lists.sessions().has(session))
    }

    /// The age of the last lists.
    #[must_use]
    pub fn age(&self, now: UnixTime) -> Option<Lifetime> {
        self.last.as_ref().map(|last| now.since(last.read_at))
    }
}

/// Whether `moment` is less than `span` milliseconds away.
fn within(moment: Option<UnixTime>, now: UnixTime, span: i64) -> bool {
    moment.is_some_and(|moment| distance(moment, now) < span)
}

/// Milliseconds between two moments, whichever comes first: the clocks of two requests in one isolate stand still at
/// moments that differ a little, and one that went back a long way may not keep lists fresh until it has caught up.
const fn distance(one: UnixTime, other: UnixTime) -> i64 {
    one.millis().saturating_sub(other.millis()).saturating_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: i64) -> UnixTime {
        UnixTime::from_millis(1_800_000_000_000 + millis)
    }

    fn lists(id: &str) -> Lists {
        Lists::parse(Some(id), None, None, None).expect("one id")
    }

    fn taken() -> Kept {
        let mut kept = Kept::new();
        kept.took(lists("a"), at(0));
        kept
    }

    #[test]
    fn ages() {
        let kept = taken();
        for (millis, state) in [
            (0, State::Fresh),
            (26_999, State::Fresh),
            (27_000, State::Renew),
            (29_999, State::Renew),
            (30_000, State::Stale),
            (i64::MAX / 4, State::Stale),
            (-26_999, State::Fresh),
            (-30_000, State::Stale),
        ] {
            assert_eq!(kept.state(at(millis)), state, "{millis}");
        }
        assert_eq!(Kept::new().state(at(0)), State::Stale);
        assert_eq!(Kept::new().last(), None);
        assert_eq!(kept.age(at(5_000)), Some(Lifetime::from_seconds(5)));
    }

    #[test]
    fn one_question_at_a_time_in_the_background() {
        let mut kept = taken();
        kept.asking(at(27_000));
        assert_eq!(kept.state(at(27_001)), State::Fresh);
        assert_eq!(kept.state(at(29_999)), State::Fresh);
        assert_eq!(kept.state(at(30_000)), State::Stale, "nobody is let in by lists this old");
        kept.took(lists("b"), at(27_000));
        assert_eq!(kept.state(at(30_000)), State::Fresh);
        assert_eq!(kept.last(), Some(&lists("b")));
    }

    #[test]
    fn who_waits_lets_one_ask() {
        let mut kept = taken();
        assert!(!kept.others_ask(at(40_000)));
        kept.asking(at(40_000));
        assert!(kept.others_ask(at(40_000)) && kept.others_ask(at(40_499)));
        assert!(!kept.others_ask(at(40_500)), "the question is lost");
        kept.asking(at(40_500));
        assert!(kept.others_ask(at(44_499)), "the store is slow, and two questions are enough");
        assert!(!kept.others_ask(at(44_500)));
        kept.failed(at(43_000));
        assert!(!kept.others_ask(at(43_000)));
        kept.asking(at(44_200));
        assert!(kept.others_ask(at(44_699)) && !kept.others_ask(at(44_700)));
        kept.asking(at(41_200));
        kept.took(lists("b"), at(41_200));
        assert!(!kept.others_ask(at(41_300)));
    }

    #[test]
    fn a_failure_is_remembered_for_a_second() {
        let mut kept = taken();
        kept.failed(at(28_000));
        assert_eq!(kept.state(at(28_999)), State::Fresh);
        assert_eq!(kept.state(at(29_000)), State::Renew);
        kept.failed(at(40_000));
        assert_eq!(kept.state(at(40_999)), State::Failed);
        assert_eq!(kept.state(at(41_000)), State::Stale);
        assert_eq!(kept.last(), Some(&lists("a")), "what was read last still counts where that is allowed");
        kept.took(lists("b"), at(41_000));
        assert_eq!(kept.state(at(41_001)), State::Fresh);

        let mut never = Kept::new();
        never.failed(at(0));
        assert_eq!((never.state(at(999)), never.state(at(1_000))), (State::Failed, State::Stale));
    }

    #[test]
    fn a_late_answer_does_not_undo_a_later_one() {
        let mut kept = Kept::new();
        kept.took(lists("new"), at(5_000));
        kept.took(lists("old"), at(1_000));
        assert_eq!(kept.last(), Some(&lists("new")));
    }
}
