//! From when and until when a key verifies.
//!
//! ```json
//! "edgeward": { "use_from": "2026-12-01T00:00:00Z", "retire_after": 1798761600 }
//! ```
//!
//! Both are optional: RFC 3339 with an offset, or a NumericDate of whole seconds (RFC 7519 §2). A key verifies what is
//! presented from `use_from` on, and no longer when `retire_after` has come. No leeway is added: these are dates of the
//! operator's, who chooses them days apart, and not of a clock elsewhere.

use crate::json::Json;
use crate::time::UnixTime;

/// Whether a key is in use at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// What it signed is taken.
    Good,
    /// It is in use from that moment on.
    NotYet(UnixTime),
    /// It was in use until that moment.
    Retired(UnixTime),
}

/// The dates on a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Dates {
    pub use_from: Option<UnixTime>,
    pub retire_after: Option<UnixTime>,
}

impl Dates {
    pub fn standing(self, now: UnixTime) -> Standing {
        match self {
            Self { retire_after: Some(until), .. } if now >= until => Standing::Retired(until),
            Self { use_from: Some(from), .. } if now < from => Standing::NotYet(from),
            Self { .. } => Standing::Good,
        }
    }
}

/// A date as it may stand on a key.
pub(super) fn moment(value: &Json<'_>) -> Option<UnixTime> {
    match value {
        Json::Text(text) => UnixTime::parse_rfc3339(text),
        Json::Number(seconds) if seconds.fract() == 0.0 => UnixTime::from_numeric_date(*seconds),
        Json::Number(_) | Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_in_use_from_the_first_date_until_the_second() {
        let at = UnixTime::from_millis;
        let both = Dates { use_from: Some(at(10_000)), retire_after: Some(at(20_000)) };
        let (from, until) = (Standing::NotYet(at(10_000)), Standing::Retired(at(20_000)));
        let table = [
            (Dates::default(), 0, Standing::Good),
            (both, 9_999, from),
            (both, 10_000, Standing::Good),
            (both, 19_999, Standing::Good),
            (both, 20_000, until),
            (Dates { use_from: None, ..both }, 0, Standing::Good),
            (Dates { use_from: None, ..both }, 20_000, until),
            (Dates { retire_after: None, ..both }, 9_999, from),
            (Dates { retire_after: None, ..both }, 1_000_000, Standing::Good),
        ];
        for (dates, now, expected) in table {
            assert_eq!(dates.standing(at(now)), expected, "{dates:?} at {now}");
        }
    }

    #[test]
    fn dates_are_read_in_both_forms() {
        let read = |text| moment(&Json::parse(text).expect("JSON")).map(UnixTime::seconds);
        for good in
            ["\"2026-12-01T00:00:00Z\"", "\"2026-12-01T01:00:00+01:00\"", "1796083200", "1796083200.0"]
        {
            assert_eq!(read(good), Some(1_796_083_200), "{good}");
        }
        let bad = [
            "\"2026-12-01\"",
            "\"1796083200\"",
            "1796083200.5",
            "-1",
            "1e300",
            "null",
            "true",
            "[]",
            "{}",
            "\"\"",
        ];
        for bad in bad {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
