//! The clock, which the core is told, and times in words.

use super::output::Misuse;
use edgeward::time::UnixTime;
use std::time::{SystemTime, UNIX_EPOCH};

/// The moment of the machine's clock.
pub fn now() -> UnixTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixTime::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// What `--at` says, or now.
pub fn at(moment: Option<UnixTime>) -> UnixTime {
    moment.unwrap_or_else(now)
}

/// Reads `--at` (RFC 3339).
pub fn moment(text: &str) -> Result<UnixTime, String> {
    UnixTime::parse_rfc3339(text).ok_or_else(|| "write it like 2026-12-01T00:00:00Z".to_owned())
}

/// The kid of a fresh key: the month it was made in.
pub fn month(at: UnixTime) -> String {
    let civil = at.civil();
    format!("{:04}-{:02}", civil.year, civil.month)
}

/// Seconds between two moments, the begun one counted.
pub fn seconds_between(earlier: UnixTime, later: UnixTime) -> i64 {
    later.millis().saturating_sub(earlier.millis()).saturating_add(999) / 1000
}

/// `14 seconds ago`, `in 3 hours`.
pub fn relative(moment: UnixTime, now: UnixTime) -> String {
    match moment.millis().cmp(&now.millis()) {
        std::cmp::Ordering::Equal => "now".into(),
        std::cmp::Ordering::Less => format!("{} ago", span(seconds_between(moment, now))),
        std::cmp::Ordering::Greater => format!("in {}", span(seconds_between(now, moment))),
    }
}

/// A span in its largest unit that it has two of, rounded down.
pub fn span(seconds: i64) -> String {
    let units = [("day", 86_400), ("hour", 3_600), ("minute", 60)];
    let (name, size) = units.into_iter().find(|(_, size)| seconds >= 2 * size).unwrap_or(("second", 1));
    let count = seconds / size;
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

/// A span as the policy writes it, for `--expires`.
pub fn lifetime(text: &str) -> Result<edgeward::time::Lifetime, String> {
    edgeward::time::Lifetime::parse(text)
        .filter(|span| span.seconds() > 0)
        .ok_or_else(|| "write a whole number and a unit: 45s, 30m, 12h or 7d".to_owned())
}

/// A misuse where a moment is outside of what a NumericDate can say.
pub fn numeric_date(moment: UnixTime) -> Result<i64, Misuse> {
    let seconds = moment.seconds();
    if (0..=253_402_300_799).contains(&seconds) {
        return Ok(seconds);
    }
    Err(Misuse::new("The token's times must lie between 1970 and 9999."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_words() {
        let now = UnixTime::from_seconds(1_000_000);
        for (seconds, words) in [
            (1_000_000, "now"),
            (999_999, "1 second ago"),
            (999_986, "14 seconds ago"),
            (999_881, "119 seconds ago"),
            (999_880, "2 minutes ago"),
            (1_000_000 + 7_200, "in 2 hours"),
            (1_000_000 + 172_800, "in 2 days"),
        ] {
            assert_eq!(relative(UnixTime::from_seconds(seconds), now), words);
        }
    }
}
