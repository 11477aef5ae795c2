//! Argon2id (RFC 9106), version 0x13, as a PHC string.
//!
//! Argon2d may be read from the side channels of a shared machine, Argon2i is weaker against trade-offs, and a
//! string without `v=` means version 0x10, which attacks have thinned: all three are refused by name.

use super::{Unusable, text};
use crate::password::cost::Cost;
use crate::secret::Secret;
use argon2::{Algorithm, Argon2, Params, Version};
use subtle::ConstantTimeEq as _;

/// KiB: half of the 128 MiB that an isolate has.
const MOST_MEMORY: u32 = 64 * 1024;

/// Passes: with the most memory, a second of CPU in a Worker.
const MOST_PASSES: u32 = 16;

/// Lanes: they are computed one after the other, and so change nothing but the result.
const MOST_LANES: u32 = 16;

/// OWASP Password Storage Cheat Sheet, "Argon2id": 19 MiB, 2 passes, 1 lane.
const RECOMMENDED: Parameters = Parameters { memory: 19 * 1024, passes: 2, lanes: 1 };

/// What a verification of [`hash`] costs.
pub(super) const HASHED: Cost =
    Cost::Argon2id { memory: RECOMMENDED.memory, passes: RECOMMENDED.passes, lanes: RECOMMENDED.lanes };

const EXPECTED: &str = "$argon2id$v=19$m=…,t=…,p=…$salt$hash, the last two in Base64 without padding";

/// An Argon2id hash.
#[derive(Clone, Debug)]
pub struct Argon2id {
    parameters: Parameters,
    salt: Secret<Vec<u8>>,
    digest: Secret<Vec<u8>>,
}

/// RFC 9106 §3.1: m, t and p.
#[derive(Clone, Copy, Debug)]
struct Parameters {
    /// KiB.
    memory: u32,
    passes: u32,
    lanes: u32,
}

impl Argon2id {
    /// Reads what stands behind `$argon2id$`, split at `$`.
    pub(super) fn parse(parts: &[&str]) -> Result<Self, Unusable> {
        let ["v=19", parameters, salt, digest] = parts else {
            return Err(Unusable::new("an Argon2id hash of another form or version", EXPECTED));
        };
        let parameters = Parameters::parse(parameters).ok_or_else(|| {
            Unusable::new("an Argon2id hash with other parameters than m, t and p", EXPECTED)
        })?;
        let (salt, digest) = (text::salt(text::base64(salt)), text::digest(text::base64(digest)));
        Ok(Self { parameters: parameters.bearable()?, salt: salt?, digest: digest? })
    }

    /// One that no password is known for, to spend the work on.
    pub(in crate::password) fn dummy(memory: u32, passes: u32, lanes: u32) -> Self {
        let parameters = Parameters { memory, passes, lanes };
        Self { parameters, salt: Secret::new(vec![0; 16]), digest: Secret::new(vec![0; 32]) }
    }

    pub(super) const fn cost(&self) -> Cost {
        let Parameters { memory, passes, lanes } = self.parameters;
        Cost::Argon2id { memory, passes, lanes }
    }

    /// Whether this is the hash of `password`; no, if there is no memory to find out.
    #[must_use]
    pub fn verify(&self, password: &[u8]) -> bool {
        let length = self.digest.expose().len();
        let derived = self.parameters.derive(password, self.salt.expose(), length);
        derived.is_some_and(|derived| derived.expose().ct_eq(self.digest.expose()).into())
    }
}

/// The PHC string at [`RECOMMENDED`].
pub(super) fn hash(password: &[u8], salt: &[u8]) -> Result<String, Unusable> {
    let Some(digest) = RECOMMENDED.derive(password, salt, 32) else {
        return Err(Unusable::new("too little memory", "20 MiB of it"));
    };
    let Parameters { memory, passes, lanes } = RECOMMENDED;
    let (salt, digest) = (text::to_base64(salt), text::to_base64(digest.expose()));
    Ok(format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${digest}"))
}

impl Parameters {
    /// `m=…,t=…,p=…`: these, in this order, and no other.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(',');
        let mut next = |name| text::parameter(parts.next()?, name);
        let parameters = Self { memory: next("m")?, passes: next("t")?, lanes: next("p")? };
        parts.next().is_none().then_some(parameters)
    }

    /// Itself, if the scheme allows it and a Worker can bear it.
    fn bearable(self) -> Result<Self, Unusable> {
        let Self { memory, passes, lanes } = self;
        let lanes_fit = (1..=MOST_LANES).contains(&lanes);
        if lanes_fit && (1..=MOST_PASSES).contains(&passes) && (8 * lanes..=MOST_MEMORY).contains(&memory) {
            return Ok(self);
        }
        let found = format!("Argon2id of m={memory},t={passes},p={lanes}");
        Err(Unusable::new(found, "at most m=65536 (64 MiB), t=16, p=16, and m of 8 for each lane"))
    }

    /// RFC 9106 §3.2; `None` if there is no memory for it.
    fn derive(self, password: &[u8], salt: &[u8], length: usize) -> Option<Secret<Vec<u8>>> {
        let params = Params::new(self.memory, self.passes, self.lanes, None).ok()?;
        let mut digest = vec![0; length];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        argon2.hash_password_into(password, salt, &mut digest).ok()?;
        Some(Secret::new(digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Argon2id, Unusable> {
        let parts: Vec<&str> = text.split('$').skip(2).collect();
        Argon2id::parse(&parts)
    }

    /// The reference implementation's test.c, by way of passlib.
    #[test]
    fn known_answers() {
        for (hash, password) in [
            (
                "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
                "password",
            ),
            (
                "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
                "password",
            ),
        ] {
            let parsed = parse(hash).unwrap();
            assert!(parsed.verify(password.as_bytes()), "{hash}");
            assert!(
                !parsed.verify(b"passwordx") && !parsed.verify(b"") && !parsed.verify(b"password\0"),
                "{hash}"
            );
        }
    }

    #[test]
    fn forms() {
        let rest = "$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        assert!(parse(&format!("$argon2id$v=19$m=256,t=2,p=1{rest}")).is_ok());
        for bad in [
            "$argon2id$m=256,t=2,p=1",
            "$argon2id$v=16$m=256,t=2,p=1",
            "$argon2id$v=019$m=256,t=2,p=1",
            "$argon2id$v=19$t=2,m=256,p=1",
            "$argon2id$v=19$m=256,t=2",
            "$argon2id$v=19$m=256,t=2,p=1,keyid=AAAA",
            "$argon2id$v=19$m=0256,t=2,p=1",
            "$argon2id$v=19$m=-256,t=2,p=1",
            "$argon2id$v=19$m=256,t=2,p=1,",
            "$argon2id$v=19$",
            "$argon2id",
        ] {
            assert!(parse(&format!("{bad}{rest}")).is_err(), "{bad}");
        }
        for bad in [
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ",
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$",
            "$argon2id$v=19$m=256,t=2,p=1$$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXM$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/5",
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ=$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
            "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4$",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn costs_have_a_floor_and_a_ceiling() {
        let parse = |parameters: &str| {
            parse(&format!(
                "$argon2id$v=19${parameters}$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
            ))
        };
        for (parameters, good) in [
            ("m=8,t=1,p=1", true),
            ("m=7,t=1,p=1", false),
            ("m=65536,t=16,p=16", true),
            ("m=65537,t=1,p=1", false),
            ("m=65536,t=17,p=1", false),
            ("m=65536,t=1,p=17", false),
            ("m=4294967295,t=4294967295,p=4294967295", false),
            ("m=15,t=1,p=2", false),
            ("m=256,t=0,p=1", false),
            ("m=256,t=1,p=0", false),
        ] {
            assert_eq!(parse(parameters).is_ok(), good, "{parameters}");
        }
        assert_eq!(parse("m=1048576,t=3,p=4").unwrap_err().found, "Argon2id of m=1048576,t=3,p=4");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn verifies_what_it_derives(password: Vec<u8>, salt: [u8; 16], memory in 8_u32..64, passes in 1_u32..3) {
            let digest = Parameters { memory, passes, lanes: 1 }.derive(&password, &salt, 32).unwrap();
            let (salt, digest) = (text::to_base64(&salt), text::to_base64(digest.expose()));
            let hash = parse(&format!("$argon2id$v=19$m={memory},t={passes},p=1${salt}${digest}")).unwrap();
            prop_assert!(hash.verify(&password));
            prop_assert!(!hash.verify(&[&password[..], b"x"].concat()));
        }
    }
}
