//! PBKDF2 (RFC 8018 §5.2) with HMAC-SHA-256 or -512, in two spellings.
//!
//! As a PHC string, `$pbkdf2-sha256$i=600000,l=32$salt$hash` (`l` may be left out); and as passlib writes it,
//! `$pbkdf2-sha256$29000$salt$hash`, where `.` stands for `+`. The parameters tell which: each has its alphabet.

use super::{Unusable, text};
use crate::password::cost::Cost;
use crate::secret::Secret;
use sha2::{Sha256, Sha512};
use subtle::ConstantTimeEq as _;

/// RFC 8018 §4.2 recommends 1,000 at least, and OWASP 600 times that; 2,000,000 take one to two seconds of CPU in a Worker.
const ROUNDS: core::ops::RangeInclusive<u32> = 1_000..=2_000_000;

const EXPECTED: &str = "$pbkdf2-sha256$i=600000,l=32$salt$hash, the last two in Base64 without padding";

/// The hash function under the HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

impl Digest {
    /// Octets of the output.
    #[must_use]
    pub const fn output_size(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "pbkdf2-sha256",
            Self::Sha512 => "pbkdf2-sha512",
        }
    }
}

/// A PBKDF2 hash.
#[derive(Clone, Debug)]
pub struct Pbkdf2 {
    digest: Digest,
    rounds: u32,
    salt: Secret<Vec<u8>>,
    derived: Secret<Vec<u8>>,
}

impl Pbkdf2 {
    /// Reads what stands behind `$pbkdf2-sha256$`, split at `$`.
    pub(super) fn parse(digest: Digest, parts: &[&str]) -> Result<Self, Unusable> {
        let [parameters, salt, derived] = parts else {
            return Err(malformed());
        };
        let Parameters { rounds, length, decode } = Parameters::parse(parameters).ok_or_else(malformed)?;
        check_rounds(rounds)?;
        let (salt, derived) = (text::salt(decode(salt))?, text::digest(decode(derived))?);
        if length.is_some_and(|l| usize::try_from(l) != Ok(derived.expose().len())) {
            return Err(Unusable::new("a PBKDF2 hash of another length than its l says", EXPECTED));
        }
        Ok(Self { digest, rounds, salt, derived })
    }

    /// One that no password is known for, to spend the work on.
    pub(in crate::password) fn dummy(digest: Digest, rounds: u32, length: usize) -> Self {
        Self { digest, rounds, salt: Secret::new(vec![0; 16]), derived: Secret::new(vec![0; length]) }
    }

    pub(super) const fn cost(&self) -> Cost {
        Cost::Pbkdf2 { digest: self.digest, rounds: self.rounds, length: self.derived.expose().len() }
    }

    /// Whether this is the hash of `password`.
    #[must_use]
    pub fn verify(&self, password: &[u8]) -> bool {
        let length = self.derived.expose().len();
        let derived = derive(self.digest, password, self.salt.expose(), self.rounds, length);
        derived.expose().ct_eq(self.derived.expose()).into()
    }
}

/// The PHC string of a hash as long as the digest's output: a longer one costs us more, and an attacker nothing.
pub(super) fn hash(digest: Digest, password: &[u8], salt: &[u8], rounds: u32) -> Result<String, Unusable> {
    check_rounds(rounds)?;
    let (name, length) = (digest.name(), digest.output_size());
    let derived = derive(digest, password, salt, rounds, length);
    let (salt, derived) = (text::to_base64(salt), text::to_base64(derived.expose()));
    Ok(format!("${name}$i={rounds},l={length}${salt}${derived}"))
}

/// What stands between the name and the salt, and the alphabet that comes with it.
struct Parameters {
    rounds: u32,
    length: Option<u32>,
    decode: fn(&str) -> Option<Vec<u8>>,
}

impl Parameters {
    fn parse(text: &str) -> Option<Self> {
        if let Some(rounds) = text::number(text) {
            return Some(Self { rounds, length: None, decode: passlib_base64 });
        }
        let mut parts = text.split(',');
        let rounds = text::parameter(parts.next()?, "i")?;
        let length = match parts.next() {
            Some(length) => Some(text::parameter(length, "l")?),
            None => None,
        };
        parts.next().is_none().then_some(Self { rounds, length, decode: text::base64 })
    }
}

/// passlib's `ab64`: `.` for `+`, which then has no place in it.
fn passlib_base64(text: &str) -> Option<Vec<u8>> {
    if text.contains('+') {
        return None;
    }
    text::base64(Secret::new(crate::text::replaced(text, ".", "+")).expose())
}

fn check_rounds(rounds: u32) -> Result<(), Unusable> {
    if ROUNDS.contains(&rounds) {
        return Ok(());
    }
    let expected = "1,000 to 2,000,000 rounds: fewer protect nothing, more take seconds of a Worker's CPU";
    Err(Unusable::new(format!("PBKDF2 of {rounds} rounds"), expected))
}

fn derive(digest: Digest, password: &[u8], salt: &[u8], rounds: u32, length: usize) -> Secret<Vec<u8>> {
    let mut derived = vec![0; length];
    match digest {
        Digest::Sha256 => pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, rounds, &mut derived),
        Digest::Sha512 => pbkdf2::pbkdf2_hmac::<Sha512>(password, salt, rounds, &mut derived),
    }
    Secret::new(derived)
}

fn malformed() -> Unusable {
    Unusable::new("a malformed PBKDF2 hash", EXPECTED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Pbkdf2, Unusable> {
        let parts: Vec<&str> = text.split('$').skip(2).collect();
        let digest = if text.starts_with("$pbkdf2-sha512$") { Digest::Sha512 } else { Digest::Sha256 };
        Pbkdf2::parse(digest, &parts)
    }

    /// RFC 7914 §11. Its salts are too short for a line of ours, so the function itself is asked.
    #[test]
    fn rfc7914_section_11() {
        for (password, salt, rounds, start) in [
            ("passwd", "salt", 1, [0x55, 0xac, 0x04, 0x6e, 0x56, 0xe3, 0x08, 0x9f]),
            ("Password", "NaCl", 80_000, [0x4d, 0xdc, 0xd8, 0xf6, 0x0b, 0x98, 0xbe, 0x21]),
        ] {
            let derived = derive(Digest::Sha256, password.as_bytes(), salt.as_bytes(), rounds, 64);
            assert_eq!(derived.expose()[..8], start, "{password}");
        }
    }

    /// From passlib's tests: the same hash in its spelling and as a PHC string.
    #[test]
    fn both_spellings() {
        for hash in [
            "$pbkdf2-sha256$1212$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg.fJPeq1h/gXXY7acBp9/6c.tmQ",
            "$pbkdf2-sha256$i=1212$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg+fJPeq1h/gXXY7acBp9/6c+tmQ",
            "$pbkdf2-sha256$i=1212,l=32$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg+fJPeq1h/gXXY7acBp9/6c+tmQ",
            "$pbkdf2-sha512$1212$RHY0Fr3IDMSVO/RSZyb5ow$\
             eNLfBK.eVozomMr.1gYa17k9B7KIK25NOEshvhrSX.esqY3s.FvWZViXz4KoLlQI.BzY/YTNJOiKc5gBYFYGww",
        ] {
            let parsed = parse(hash).unwrap();
            assert!(parsed.verify(b"password"), "{hash}");
            assert!(!parsed.verify(b"passwordx") && !parsed.verify(b""), "{hash}");
        }
    }

    #[test]
    fn forms() {
        for bad in [
            "$pbkdf2-sha256$i=1212$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg.fJPeq1h/gXXY7acBp9/6c.tmQ",
            "$pbkdf2-sha256$1212$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg+fJPeq1h/gXXY7acBp9/6c+tmQ",
            "$pbkdf2-sha256$i=1212,l=31$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg+fJPeq1h/gXXY7acBp9/6c+tmQ",
            "$pbkdf2-sha256$l=32,i=1212$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg+fJPeq1h/gXXY7acBp9/6c+tmQ",
            "$pbkdf2-sha256$i=1212,l=32,x=1$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg+fJPeq1h/gXXY7acBp9/6c+tmQ",
            "$pbkdf2-sha256$01212$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg.fJPeq1h/gXXY7acBp9/6c.tmQ",
            "$pbkdf2-sha256$$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg.fJPeq1h/gXXY7acBp9/6c.tmQ",
            "$pbkdf2-sha256$1212$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1Fg.fJPeq1h/gXXY7acBp9/6c.tmQ$",
            "$pbkdf2-sha256$1212$4vjV83LKPjQzk31VI4E0Vx$hsYF68OiOUPdDZ1Fg.fJPeq1h/gXXY7acBp9/6c.tmQ",
            "$pbkdf2-sha256$1212$4vjV83LKPjQzk31VI4E0Vw",
            "$pbkdf2-sha256",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn rounds_have_a_floor_and_a_ceiling() {
        for (rounds, good) in [
            (0, false),
            (1, false),
            (999, false),
            (1000, true),
            (2_000_000, true),
            (2_000_001, false),
            (u32::MAX, false),
        ] {
            let rest = "$4vjV83LKPjQzk31VI4E0Vw$hsYF68OiOUPdDZ1FgAfJPeq1h/gXXY7acBp9/6cAtmQ";
            assert_eq!(parse(&format!("$pbkdf2-sha256$i={rounds}{rest}")).is_ok(), good, "{rounds}");
            assert_eq!(parse(&format!("$pbkdf2-sha256${rounds}{rest}")).is_ok(), good, "{rounds}");
        }
        assert!(hash(Digest::Sha256, b"x", &[0; 16], 999).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn round_trip(password: Vec<u8>, salt: [u8; 16], rounds in 1000_u32..1010) {
            for digest in [Digest::Sha256, Digest::Sha512] {
                let text = hash(digest, &password, &salt, rounds).unwrap();
                prop_assert!(parse(&text).unwrap().verify(&password));
            }
        }
    }
}
