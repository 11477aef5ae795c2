//! Moments and spans as people say them.
//!
//! The visitor's clock and time zone are not known here: short distances are said as such ("3 minutes ago"), which are the
//! same everywhere, and longer ones name their moment in UTC and say so.

use crate::reply::catalog::{Catalog, fill};
use crate::time::{Civil, Lifetime, UnixTime};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// From here on a moment is called by its day.
const FAR: u64 = 12 * HOUR;

/// A moment, seen from `now`: "3 minutes ago", "yesterday, 18:00 UTC", "in 2 hours".
#[must_use]
pub fn relative(words: &'static Catalog, when: UnixTime, now: UnixTime) -> String {
    if when > now { future(words, when, now) } else { past(words, when, now) }
}

/// A moment, exact to the minute: "22 November 2026, 01:12 UTC".
#[must_use]
pub fn exact(words: &'static Catalog, when: UnixTime) -> String {
    dated(words, words.word("/time/exact"), when)
}

/// How long something lasts, rounded up: "40 seconds", "5 minutes", "12 hours", "30 days".
#[must_use]
pub fn span(words: &'static Catalog, span: Lifetime) -> String {
    let seconds = u64::try_from(span.seconds()).unwrap_or_default().max(1);
    match seconds {
        _ if seconds >= 2 * DAY => counted(words, "/time/span/days", seconds.div_ceil(DAY)),
        _ if seconds.is_multiple_of(HOUR) => counted(words, "/time/span/hours", seconds / HOUR),
        0..=90 => counted(words, "/time/span/seconds", seconds),
        91..=5400 => counted(words, "/time/span/minutes", seconds.div_ceil(MINUTE)),
        _ => counted(words, "/time/span/hours", seconds.div_ceil(HOUR)),
    }
}

fn past(words: &'static Catalog, when: UnixTime, now: UnixTime) -> String {
    let ago = u64::try_from(now.since(when).seconds()).unwrap_or_default();
    match ago {
        0..MINUTE => words.word("/time/past/now").to_owned(),
        MINUTE..HOUR => counted(words, "/time/past/minutes", ago / MINUTE),
        HOUR..FAR => counted(words, "/time/past/hours", ago / HOUR),
        _ => match day(now) - day(when) {
            0 => dated(words, words.word("/time/past/today"), when),
            1 => dated(words, words.word("/time/past/yesterday"), when),
            _ => dated(words, words.word("/time/past/date"), when),
        },
    }
}

/// Rounded up: who comes back "in 2 minutes" does not come too early.
fn future(words: &'static Catalog, when: UnixTime, now: UnixTime) -> String {
    let ahead = u64::try_from(when.since(now).seconds()).unwrap_or_default();
    match ahead {
        0..MINUTE => words.word("/time/future/now").to_owned(),
        MINUTE..HOUR => counted(words, "/time/future/minutes", ahead.div_ceil(MINUTE)),
        HOUR..FAR => counted(words, "/time/future/hours", ahead.div_ceil(HOUR)),
        _ => match day(when) - day(now) {
            0 => dated(words, words.word("/time/future/today"), when),
            1 => dated(words, words.word("/time/future/tomorrow"), when),
            _ => dated(words, words.word("/time/future/date"), when),
        },
    }
}

const fn day(moment: UnixTime) -> i64 {
    moment.seconds().div_euclid(86_400)
}

fn counted(words: &'static Catalog, pointer: &str, number: u64) -> String {
    fill(words.plural(pointer, number), &[("n", &number.to_string())])
}

fn dated(words: &'static Catalog, form: &str, when: UnixTime) -> String {
    let Civil { year, month, day, hour, minute, .. } = when.civil();
    let month = words.word(&format!("/time/months/{}", month - 1));
    let time = format!("{hour:02}:{minute:02}");
    fill(form, &[("day", &day.to_string()), ("month", month), ("year", &year.to_string()), ("time", &time)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::languages::english;
    use proptest::prelude::*;

    fn at(text: &str) -> UnixTime {
        UnixTime::parse_rfc3339(text).expect(text)
    }

    #[test]
    fn distances_by_table() {
        let now = at("2026-11-22T18:30:00Z");
        for (when, wanted) in [
            ("2026-11-22T18:30:00Z", "a moment ago"),
            ("2026-11-22T18:29:01Z", "a moment ago"),
            ("2026-11-22T18:29:00Z", "1 minute ago"),
            ("2026-11-22T18:27:00Z", "3 minutes ago"),
            ("2026-11-22T17:30:01Z", "59 minutes ago"),
            ("2026-11-22T17:30:00Z", "1 hour ago"),
            ("2026-11-22T06:30:01Z", "11 hours ago"),
            ("2026-11-22T05:00:00Z", "today, 05:00 UTC"),
            ("2026-11-21T18:00:00Z", "yesterday, 18:00 UTC"),
            ("2026-11-20T23:59:59Z", "20 November 2026, 23:59 UTC"),
            ("1970-01-01T00:00:00Z", "1 January 1970, 00:00 UTC"),
            ("2026-11-22T18:30:30Z", "in a moment"),
            ("2026-11-22T18:31:00Z", "in 1 minute"),
            ("2026-11-22T18:34:01Z", "in 5 minutes"),
            ("2026-11-22T19:30:00Z", "in 1 hour"),
            ("2026-11-22T19:30:01Z", "in 2 hours"),
            ("2026-11-23T09:00:00Z", "tomorrow at 09:00 UTC"),
            ("2027-03-01T09:05:00Z", "on 1 March 2027 at 09:05 UTC"),
        ] {
            assert_eq!(relative(english(), at(when), now), wanted, "{when}");
        }
        assert_eq!(
            relative(english(), at("2026-11-22T13:00:00Z"), at("2026-11-22T00:30:00Z")),
            "today at 13:00 UTC"
        );
        assert_eq!(exact(english(), now), "22 November 2026, 18:30 UTC");
    }

    #[test]
    fn spans_by_table() {
        for (seconds, wanted) in [
            (0, "1 second"),
            (1, "1 second"),
            (90, "90 seconds"),
            (91, "2 minutes"),
            (1800, "30 minutes"),
            (3599, "60 minutes"),
            (3600, "1 hour"),
            (5400, "90 minutes"),
            (5401, "2 hours"),
            (43_200, "12 hours"),
            (86_400, "24 hours"),
            (172_799, "48 hours"),
            (172_800, "2 days"),
            (172_801, "3 days"),
            (2_592_000, "30 days"),
        ] {
            assert_eq!(span(english(), Lifetime::from_seconds(seconds)), wanted);
        }
    }

    proptest! {
        #[test]
        fn always_says_something(when in any::<i64>(), now in any::<i64>()) {
            // Twice the range of any token's dates.
            let clamp = |t: i64| UnixTime::from_seconds(t % 253_402_300_799);
            let said = relative(english(), clamp(when), clamp(now));
            prop_assert!(!said.is_empty() && !said.contains('{'), "{}", said);
        }
    }
}
