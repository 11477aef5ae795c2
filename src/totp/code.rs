//! A code: HOTP (RFC 4226 §5) over steps of time (RFC 6238 §4).

use crate::policy::HmacAlgorithm;
use crate::time::UnixTime;
use crate::token::mac::MacKey;

/// Seconds of a step (RFC 6238 §4.1, X): what every authenticator app takes.
pub const STEP: u64 = 30;

/// Decimal digits of scripts whose keyboards write their own: of each the digit for zero. Those for 1 to 9 follow it.
const ZEROS: [char; 5] = ['0', '\u{660}', '\u{6f0}', '\u{966}', '\u{ff10}'];

/// The hash under the HMAC (RFC 6238 §1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-1, which all apps know. RFC 4226 §B.2: what weakens it for signatures does not concern HMAC.
    Sha1,
    /// SHA-256, which some apps take for SHA-1.
    Sha256,
    /// SHA-512, likewise.
    Sha512,
}

impl Hash {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Sha1, Self::Sha256, Self::Sha512];

    /// As it stands in a line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hash| hash.name() == name)
    }

    /// The HMAC with it.
    #[must_use]
    pub const fn algorithm(self) -> HmacAlgorithm {
        match self {
            Self::Sha1 => HmacAlgorithm::Hs1,
            Self::Sha256 => HmacAlgorithm::Hs256,
            Self::Sha512 => HmacAlgorithm::Hs512,
        }
    }

    /// Octets of a secret: as many as the hash puts out (RFC 4226 §4, R6; RFC 6238 §5.1).
    #[must_use]
    pub const fn secret_size(self) -> usize {
        self.algorithm().output_size()
    }
}

/// How many digits a code has (RFC 4226 §5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digits {
    /// Six, which all apps show.
    Six,
    /// Eight.
    Eight,
}

impl Digits {
    /// The number.
    #[must_use]
    pub const fn count(self) -> usize {
        match self {
            Self::Six => 6,
            Self::Eight => 8,
        }
    }

    /// As it stands in a line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Six => "6",
            Self::Eight => "8",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Six, Self::Eight].into_iter().find(|digits| digits.name() == name)
    }

    /// The number of codes there are.
    const fn codes(self) -> u32 {
        match self {
            Self::Six => 1_000_000,
            Self::Eight => 100_000_000,
        }
    }

    /// A code as somebody typed it: white space and dashes between the digits are let pass, apps show them in groups.
    pub(super) fn read(self, typed: &str) -> Option<u32> {
        let (mut code, mut count) = (0, 0);
        for c in typed.chars().filter(|c| !is_between(*c)) {
            count += 1;
            if count > self.count() {
                return None;
            }
            // Eight digits at most: the number stays below 10⁸.
            code = code * 10 + value(c)?;
        }
        (count == self.count()).then_some(code)
    }

    /// The digits of a code, leading zeros among them.
    pub(super) fn write(self, code: u32) -> String {
        format!("{code:0width$}", width = self.count())
    }
}

/// What people put between groups of characters, or get there by copying.
pub(super) fn is_between(c: char) -> bool {
    // Hyphens and dashes of U+2010 to U+2015 among them, the minus sign, and marks of direction.
    c.is_whitespace()
        || matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{200b}'..='\u{200f}' | '\u{feff}')
}

fn value(c: char) -> Option<u32> {
    ZEROS.into_iter().find_map(|zero| u32::from(c).checked_sub(zero.into()).filter(|value| *value < 10))
}

/// A step of time: which of the spans of 30 seconds since 1970 (RFC 6238 §4.2, T).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step(pub(super) u64);

impl Step {
    /// The one in which that moment lies.
    #[must_use]
    pub fn at(now: UnixTime) -> Self {
        Self(u64::try_from(now.seconds()).unwrap_or(0) / STEP)
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The Unix second from which its code is no longer taken.
    #[must_use]
    pub const fn over(self) -> u64 {
        // One step of skew behind the step itself.
        self.0.saturating_add(2).saturating_mul(STEP)
    }

    /// The steps whose codes are taken now: one of skew either way (RFC 6238 §5.2), the latest last.
    pub(super) const fn taken(self) -> [Self; 3] {
        [Self(self.0.saturating_sub(1)), self, Self(self.0.saturating_add(1))]
    }
}

/// HOTP (RFC 4226 §5.3): the code of a counter, as a number.
pub(super) fn hotp(key: &MacKey, counter: u64, digits: Digits) -> u32 {
    let tag = key.tag(&[&counter.to_be_bytes()]);
    let tag = tag.as_bytes();
    let offset = usize::from(tag.last().copied().unwrap_or_default() & 0xF);
    // Always there: the offset is 15 at most, and the shortest tag has 20 octets.
    let four = tag.get(offset..).and_then(<[u8]>::first_chunk::<4>).copied().unwrap_or_default();
    (u32::from_be_bytes(four) & 0x7FFF_FFFF) % digits.codes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// RFC 4226 appendix D.
    #[test]
    fn hotp_of_rfc_4226() {
        let key = MacKey::new(HmacAlgorithm::Hs1, b"12345678901234567890");
        let codes =
            [755_224, 287_082, 359_152, 969_429, 338_314, 254_676, 287_922, 162_583, 399_871, 520_489];
        for (counter, code) in (0..).zip(codes) {
            assert_eq!(hotp(&key, counter, Digits::Six), code, "{counter}");
        }
    }

    #[test]
    fn steps() {
        for (seconds, step) in [(-1, 0), (0, 0), (29, 0), (30, 1), (59, 1), (1_111_111_109, 37_037_036)] {
            assert_eq!(Step::at(UnixTime::from_seconds(seconds)), Step(step), "{seconds}");
        }
        assert_eq!(Step(7).taken(), [Step(6), Step(7), Step(8)]);
        assert_eq!(Step(7).over(), 270, "taken for the last time in step 8");
        assert_eq!(Step(u64::MAX).over(), u64::MAX);
    }

    #[test]
    fn as_people_type_them() {
        for (typed, code) in [
            ("012345", Some(12_345)),
            (" 012 345\r\n", Some(12_345)),
            ("012-345", Some(12_345)),
            ("\u{660}\u{661}\u{662}\u{663}\u{664}\u{665}", Some(12_345)),
            ("\u{6f0}\u{6f1}\u{6f2}\u{6f3}\u{6f4}\u{6f5}", Some(12_345)),
            ("\u{966}\u{967}\u{968}\u{969}\u{96a}\u{96b}", Some(12_345)),
            ("\u{ff10}\u{ff11}\u{ff12} \u{ff13}\u{ff14}\u{ff15}", Some(12_345)),
            ("", None),
            ("12345", None),
            ("1234567", None),
            ("00012345", None),
            ("+12345", None),
            ("1e2345", None),
            ("12345a", None),
            ("0x1234", None),
        ] {
            assert_eq!(Digits::Six.read(typed), code, "{typed:?}");
        }
        assert_eq!(Digits::Eight.read("9999 9999"), Some(99_999_999));
        assert_eq!(Digits::Eight.read("012345"), None);
    }

    #[test]
    fn names() {
        for hash in Hash::ALL {
            assert_eq!(Hash::from_name(hash.name()), Some(hash));
        }
        for name in ["", "SHA1", "sha-1", "sha384", "md5", "6"] {
            assert_eq!(Hash::from_name(name), None, "{name}");
        }
        for name in ["", "7", "06", "+6", "10", "sha1"] {
            assert_eq!(Digits::from_name(name), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(typed in "\\PC{0,20}") {
            let _ = Digits::Six.read(&typed);
            let _ = Digits::Eight.read(&typed);
        }

        #[test]
        fn what_is_written_is_read(code in 0..100_000_000_u32) {
            prop_assert_eq!(Digits::Eight.read(&Digits::Eight.write(code)), Some(code));
            let code = code % 1_000_000;
            prop_assert_eq!(Digits::Six.read(&Digits::Six.write(code)), Some(code));
        }
    }
}
