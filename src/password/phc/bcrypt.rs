//! bcrypt: `$2a$`, `$2b$` and `$2y$`, which mean the same wherever a password has no more than 72 bytes.
//!
//! The three names differ in bugs of old libraries (a length kept in one byte, a sign taken with a byte above
//! 0x7F); `$2x$` says that the hash was made *with* the second bug, and is refused. What bcrypt does not see it
//! may not let in: a password of more than 72 bytes is wrong, and so is one with a NUL, where C would stop reading.

use super::Unusable;
use crate::password::cost::Cost;
use crate::secret::Secret;
use base64::Engine as _;
use bcrypt::BASE_64;
use subtle::ConstantTimeEq as _;

/// 2^cost rounds. 4 is where bcrypt begins; 14 takes a second of CPU in a Worker.
const COSTS: core::ops::RangeInclusive<u32> = 4..=14;

/// Bytes of a password that bcrypt takes in.
const SIGHT: usize = 72;

const EXPECTED: &str = "$2y$, a cost from 04 to 14, $ and 53 characters";

/// A bcrypt hash.
#[derive(Clone, Debug)]
pub struct Bcrypt {
    cost: u32,
    salt: Secret<[u8; 16]>,
    digest: Secret<[u8; 23]>,
}

impl Bcrypt {
    /// Reads what stands behind `$2y$`, split at `$`.
    pub(super) fn parse(parts: &[&str]) -> Result<Self, Unusable> {
        let [cost, rest] = parts else {
            return Err(malformed());
        };
        let cost = Some(*cost).filter(|c| c.len() == 2 && c.bytes().all(|b| b.is_ascii_digit()));
        let cost = cost.and_then(|c| c.parse().ok()).ok_or_else(malformed)?;
        check_cost(cost)?;
        let (salt, digest) = rest.split_at_checked(22).filter(|_| rest.len() == 53).ok_or_else(malformed)?;
        Ok(Self { cost, salt: exactly(salt)?, digest: exactly(digest)? })
    }

    /// One that no password is known for, to spend the work on.
    pub(in crate::password) const fn dummy(cost: u32) -> Self {
        Self { cost, salt: Secret::new([0; 16]), digest: Secret::new([0; 23]) }
    }

    pub(super) const fn cost(&self) -> Cost {
        Cost::Bcrypt { cost: self.cost }
    }

    /// Whether this is the hash of `password`; one that bcrypt would not see in full costs as much, and is wrong.
    #[must_use]
    pub fn verify(&self, password: &[u8]) -> bool {
        let digest = digest(self.cost, *self.salt.expose(), password);
        let same: bool = digest.expose().ct_eq(self.digest.expose()).into();
        same && is_seen_in_full(password)
    }
}

/// `$2y$`, cost, salt and hash.
pub(super) fn hash(password: &[u8], salt: [u8; 16], cost: u32) -> Result<String, Unusable> {
    check_cost(cost)?;
    if !is_seen_in_full(password) {
        let found = "a password of more than 72 bytes, or with a NUL";
        return Err(Unusable::new(found, "one that bcrypt sees in full, or another scheme"));
    }
    let digest = digest(cost, salt, password);
    Ok(format!("$2y${cost:02}${}{}", BASE_64.encode(salt), BASE_64.encode(digest.expose())))
}

fn is_seen_in_full(password: &[u8]) -> bool {
    password.len() <= SIGHT && !password.contains(&0)
}

/// The first 23 octets of the 24: that many are written, by a mistake as old as bcrypt.
fn digest(cost: u32, salt: [u8; 16], password: &[u8]) -> Secret<[u8; 23]> {
    // The end of the password is marked by a NUL, where there is room for one.
    let key = Secret::new(password.iter().copied().chain([0]).take(SIGHT).collect::<Vec<u8>>());
    let output = bcrypt::bcrypt(cost, salt, key.expose());
    let mut digest = [0; 23];
    digest.iter_mut().zip(output).for_each(|(to, from)| *to = from);
    Secret::new(digest)
}

fn check_cost(cost: u32) -> Result<(), Unusable> {
    if COSTS.contains(&cost) {
        return Ok(());
    }
    Err(Unusable::new(
        format!("bcrypt of cost {cost}"),
        "a cost from 4 to 14: more takes seconds of a Worker's CPU",
    ))
}

/// bcrypt's own Base64; the engine refuses trailing bits that are not zero.
fn exactly<const N: usize>(text: &str) -> Result<Secret<[u8; N]>, Unusable> {
    let mut bytes = [0; N];
    match BASE_64.decode_slice(text, &mut bytes) {
        Ok(length) if length == N => Ok(Secret::new(bytes)),
        _ => Err(malformed()),
    }
}

fn malformed() -> Unusable {
    Unusable::new("a malformed bcrypt hash", EXPECTED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Bcrypt, Unusable> {
        let parts: Vec<&str> = text.split('$').skip(2).collect();
        Bcrypt::parse(&parts)
    }

    /// Openwall crypt_blowfish 1.3, wrapper.c, `tests`; the last two are from passlib. Here a byte above 0x7F shows
    /// whether the defect of `$2x$` is there.
    #[test]
    fn known_answers() {
        for (hash, password) in [
            ("$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", &b"U*U"[..]),
            ("$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK", b"U*U*"),
            ("$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a", b"U*U*U"),
            ("$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy", b""),
            ("$2y$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e", b"\xff\xff\xa3"),
            ("$2b$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e", b"\xff\xff\xa3"),
            ("$2y$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq", b"\xa3"),
            ("$2a$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq", b"\xa3"),
            ("$2a$05$Z17AXnnlpzddNUvnC6cZNOSwMA/8oNiKnHTHTwLlBijfucQQlHjaG", "táБℓə".as_bytes()),
            ("$2b$05$Z17AXnnlpzddNUvnC6cZNOSwMA/8oNiKnHTHTwLlBijfucQQlHjaG", "táБℓə".as_bytes()),
        ] {
            let parsed = parse(hash).unwrap();
            assert!(parsed.verify(password), "{hash}");
            assert!(!parsed.verify(&[password, b"x"].concat()), "{hash}");
        }
    }

    /// Openwall's vector: bcrypt stops after 72 bytes, so it takes any longer password for the same one.
    #[test]
    fn a_password_over_72_bytes_is_wrong() {
        let hash = parse("$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui").unwrap();
        let password = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored";
        assert!(hash.verify(&password[..72]), "72 bytes are right");
        assert!(!hash.verify(&password[..73]));
        assert!(!hash.verify(password));
        assert!(!hash.verify(&password[..71]));
    }

    #[test]
    fn a_password_with_a_nul_is_wrong() {
        let of_empty = parse("$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy").unwrap();
        assert!(of_empty.verify(b"") && !of_empty.verify(b"\0") && !of_empty.verify(b"\0x"));
    }

    #[test]
    fn forms() {
        let good = "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
        assert!(parse(good).is_ok());
        for (what, bad) in [
            ("one digit", "$2y$5$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
            ("a sign", "$2y$+5$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
            ("short", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe"),
            ("long", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW."),
            ("alphabet", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyO+W"),
            ("salt's trailing bits", "$2y$05$CCCCCCCCCCCCCCCCCCCCC/E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
            ("hash's trailing bits", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeX"),
            ("not ASCII", "$2y$05$CCCCCCCCCCCCCCCCCCCCCéE5YPO9kmyuRGyh0XouQYb4YMJKvyOe"),
            ("a fourth field", "$2y$05$CCCCCCCCCCCCCCCCCCCCC.$E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
        ] {
            assert_eq!(parse(bad).unwrap_err(), malformed(), "{what}");
        }
    }

    #[test]
    fn costs_have_a_floor_and_a_ceiling() {
        let rest = "$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
        for (cost, good) in
            [("00", false), ("03", false), ("04", true), ("14", true), ("15", false), ("31", false)]
        {
            assert_eq!(parse(&format!("$2b${cost}{rest}")).is_ok(), good, "{cost}");
        }
        assert_eq!(parse(&format!("$2b$31{rest}")).unwrap_err().found, "bcrypt of cost 31");
        assert!(hash(b"x", [0; 16], 15).is_err());
    }

    #[test]
    fn what_bcrypt_would_not_see_is_not_hashed() {
        assert!(hash(&[b'x'; 72], [0; 16], 4).is_ok());
        assert!(hash(&[b'x'; 73], [0; 16], 4).is_err());
        assert!(hash(b"x\0y", [0; 16], 4).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn round_trip(password in "[^\\x00]{0,18}", salt: [u8; 16]) {
            let text = hash(password.as_bytes(), salt, 4).unwrap();
            prop_assert_eq!(text.len(), 60);
            prop_assert!(parse(&text).unwrap().verify(password.as_bytes()));
        }
    }
}
