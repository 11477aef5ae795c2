//! Moments and spans. There is no clock in here: `now` is an argument everywhere.

use crate::text;
use core::fmt;
use core::ops::{Add, Sub};

/// A moment: milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(i64);

/// A span of time in milliseconds, never negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lifetime(i64);

impl UnixTime {
    /// The last moment a NumericDate may name: 9999-12-31T23:59:59Z.
    pub const MAX_SECONDS: f64 = 253_402_300_799.0;

    /// The moment `millis` milliseconds after the epoch (JavaScript's `Date.now()`).
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// The moment `seconds` seconds after the epoch.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// A NumericDate (RFC 7519 §2) from 0 to 253402300799, fractions allowed; `None` outside of that.
    ///
    /// Rounded up to the next millisecond: as `now` is a whole number of milliseconds, every comparison of
    /// `now` with the result says the same as one with the exact fraction.
    #[must_use]
    pub fn from_numeric_date(seconds: f64) -> Option<Self> {
        if !(0.0..=Self::MAX_SECONDS).contains(&seconds) {
            return None;
        }
        // In range by the check above: at most 2.6e14, far below 2^53.
        #[allow(clippy::cast_possible_truncation)]
        Some(Self((seconds * 1000.0).ceil() as i64))
    }

    /// A NumericDate that is a whole number.
    #[must_use]
    #[allow(clippy::cast_precision_loss)] // What a double does not hold exactly is far out of range.
    pub fn from_whole(seconds: u64) -> Option<Self> {
        Self::from_numeric_date(seconds as f64)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The time from `earlier` to this moment; nothing if it is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Lifetime {
        Lifetime(self.0.saturating_sub(earlier.0).max(0))
    }

    /// An RFC 3339 date-time with an offset (`2026-12-01T00:00:00Z`); `None` if it is anything else.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let number = |from: usize, to: usize| -> Option<i64> {
            let part = bytes.get(from..to)?;
            part.iter().all(u8::is_ascii_digit).then_some(())?;
            core::str::from_utf8(part).ok()?.parse().ok()
        };
        let mark = |at: usize, wanted: &[u8]| bytes.get(at).filter(|b| wanted.contains(b)).map(|_| ());
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        mark(4, b"-")?;
        mark(7, b"-")?;
        mark(10, b"Tt ")?;
        mark(13, b":")?;
        mark(16, b":")?;
        let in_range = (1..=12).contains(&month)
            && (1..=days_in_month(year, month)).contains(&day)
            && hour <= 23
            && minute <= 59
            && second <= 60;
        if !in_range {
            return None;
        }
        let mut at = 19;
        let mut millis = 0;
        if bytes.get(at) == Some(&b'.') {
            let digits = bytes.get(at + 1..)?.iter().take_while(|b| b.is_ascii_digit()).count();
            if digits == 0 {
                return None;
            }
            for place in 0..3 {
                let digit = if place < digits { number(at + 1 + place, at + 2 + place)? } else { 0 };
                millis = millis * 10 + digit;
            }
            at += 1 + digits;
        }
        let offset = match bytes.get(at)? {
            b'Z' | b'z' if bytes.len() == at + 1 => 0,
            sign @ (b'+' | b'-') if bytes.len() == at + 6 => {
                mark(at + 3, b":")?;
                let (hours, minutes) = (number(at + 1, at + 3)?, number(at + 4, at + 6)?);
                if hours > 23 || minutes > 59 {
                    return None;
                }
                (hours * 60 + minutes) * 60 * if *sign == b'-' { -1 } else { 1 }
            }
            _ => return None,
        };
        let days = days_from_civil(year, month, day);
        let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second - offset;
        Some(Self(seconds * 1000 + millis))
    }

    /// An IMF-fixdate (RFC 9110 §5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`) whose day of the week is right; `None` if it
    /// is anything else.
    #[must_use]
    pub fn parse_imf_fixdate(text: &str) -> Option<Self> {
        const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
        const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
        let (name, date) = text::cut(text, ", ")?;
        let (date, time) = date.strip_suffix(" GMT")?.split_at_checked(11)?;
        let [day, month, year] = date.splitn(3, ' ').collect::<Vec<_>>().try_into().ok()?;
        let month = (1..=12).find(|n| MONTHS.get(n * 3 - 3..n * 3) == Some(month))?;
        let month = if month < 10 { format!("0{month}") } else { month.to_string() };
        // Lengths and ranges are seen to there; a fraction is no part of this form.
        let at =
            Self::parse_rfc3339(&[year, "-", &month, "-", day, "T", time.strip_prefix(' ')?, "Z"].concat())?;
        let weekday = usize::try_from(at.seconds().div_euclid(86_400).rem_euclid(7)).ok()?;
        (time.len() == 9 && DAYS.get(weekday) == Some(&name)).then_some(at)
    }

    /// Year, month, day, hour, minute and second in UTC.
    #[must_use]
    pub const fn civil(self) -> Civil {
        let seconds = self.seconds();
        let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let (year, month, day) = civil_from_days(days);
        Civil { year, month, day, hour: rest / 3600, minute: rest / 60 % 60, second: rest % 60 }
    }
}

/// RFC 3339 in UTC, to the second.
impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Civil { year, month, day, hour, minute, second } = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

/// A moment on the calendar, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// Gregorian year.
    pub year: i64,
    /// 1–12.
    pub month: i64,
    /// 1–31.
    pub day: i64,
    /// 0–23.
    pub hour: i64,
    /// 0–59.
    pub minute: i64,
    /// 0–59.
    pub second: i64,
}

impl Add<Lifetime> for UnixTime {
    type Output = Self;
    fn add(self, span: Lifetime) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Lifetime> for UnixTime {
    type Output = Self;
    fn sub(self, span: Lifetime) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl Lifetime {
    /// A span of `seconds` seconds; a negative number is nothing.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(if seconds < 0 { 0 } else { seconds.saturating_mul(1000) })
    }

    /// Whole seconds, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0 / 1000
    }

    /// Milliseconds.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// A whole number and a unit: `"45s"`, `"30m"`, `"12h"`, `"7d"`; `"0"` needs none. `None` if it is anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text == "0" {
            return Some(Self(0));
        }
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let factor = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return None,
        };
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let seconds = number.parse::<i64>().ok()?.checked_mul(factor)?;
        seconds.checked_mul(1000).map(Self)
    }
}

const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from the epoch to a date of the proleptic Gregorian calendar, counted in eras of 400 years from 1 March.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numeric_date_bounds() {
        assert_eq!(UnixTime::from_numeric_date(0.0), Some(UnixTime(0)));
        assert_eq!(UnixTime::from_numeric_date(1.000_1), Some(UnixTime(1001)));
        assert_eq!(UnixTime::from_numeric_date(253_402_300_799.0), Some(UnixTime(253_402_300_799_000)));
        for bad in [-1.0, -0.001, 253_402_300_800.0, 1e300, f64::NAN, f64::INFINITY] {
            assert_eq!(UnixTime::from_numeric_date(bad), None, "{bad}");
        }
    }

    #[test]
    fn rfc3339_examples() {
        let at = |text| UnixTime::parse_rfc3339(text).map(UnixTime::millis);
        assert_eq!(at("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(at("2026-12-01T00:00:00Z"), Some(1_796_083_200_000));
        assert_eq!(at("2026-12-01T01:30:00+01:30"), Some(1_796_083_200_000));
        assert_eq!(at("2024-02-29T23:59:59.5Z"), Some(1_709_251_199_500));
        for bad in [
            "",
            "2026-12-01",
            "2026-02-29T00:00:00Z",
            "2026-12-01T00:00:00",
            "2026-12-01T24:00:00Z",
            "x026-12-01T00:00:00Z",
            "2026-12-01T00:00:00.Z",
            "2026-12-01T00:00:00+0100",
        ] {
            assert_eq!(at(bad), None, "{bad}");
        }
    }

    #[test]
    fn imf_fixdates() {
        let at = |text| UnixTime::parse_imf_fixdate(text).map(UnixTime::seconds);
        assert_eq!(at("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777), "the example of RFC 9110");
        assert_eq!(at("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(at("Thu, 29 Feb 2024 23:59:59 GMT"), Some(1_709_251_199));
        for bad in [
            "",
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 06 Nox 1994 08:49:37 GMT",
            "Sun, 06 anF 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37.5 GMT",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 24:49:37 GMT",
            "Sun, 31 Nov 1994 08:49:37 GMT",
            "Sun, 06  Nov1994 08:49:37 GMT",
            "Sun,06 Nov 1994 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(at(bad), None, "{bad}");
        }
    }

    #[test]
    fn lifetimes() {
        assert_eq!(Lifetime::parse("12h"), Some(Lifetime::from_seconds(43_200)));
        assert_eq!(Lifetime::parse("0"), Some(Lifetime::from_seconds(0)));
        for bad in ["", "h", "12", "-1h", "1.5h", "1w", "99999999999999999d", "ä"] {
            assert_eq!(Lifetime::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn display_and_parse_agree(seconds in 0_i64..253_402_300_800) {
            let time = UnixTime::from_seconds(seconds);
            prop_assert_eq!(UnixTime::parse_rfc3339(&time.to_string()), Some(time));
        }

        #[test]
        fn parse_never_panics(text in "\\PC*") {
            let _ = UnixTime::parse_rfc3339(&text);
            let _ = UnixTime::parse_imf_fixdate(&text);
            let _ = UnixTime::parse_imf_fixdate(&format!("Sun, {text} GMT"));
            let _ = Lifetime::parse(&text);
        }
    }
}
