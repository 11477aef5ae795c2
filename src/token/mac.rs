//! HMAC (RFC 2104) with keys that were prepared once, and the keys that Edgeward derives for itself.
//!
//! A [`MacKey`] holds the two hash states that follow the padded key, so that a tag costs the message and no more.
//! Tags are compared in constant time and at full length only: a cut tag is a wrong one.

use super::keys::weak;
use crate::config::Problem;
use crate::policy::HmacAlgorithm;
use crate::secret::Secret;
use crate::sorted_map::SortedMap;
use core::fmt;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha384, Sha512};

/// The fewest octets of a secret in `EDGEWARD_SECRET`: the output size of SHA-256 (RFC 7518 §3.2).
pub const ROOT_SECRET_SIZE: usize = 32;

/// A key ready to sign and to verify.
#[derive(Clone)]
pub struct MacKey {
    algorithm: HmacAlgorithm,
    state: State,
}

#[derive(Clone)]
enum State {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha384(Hmac<Sha384>),
    Sha512(Hmac<Sha512>),
}

impl MacKey {
    /// Prepares a key. RFC 2104 §2 takes any length; whether it is long enough is for the caller to say.
    #[must_use]
    pub fn new(algorithm: HmacAlgorithm, key: &[u8]) -> Self {
        let state = match algorithm {
            HmacAlgorithm::Hs1 => State::Sha1(keyed(key)),
            HmacAlgorithm::Hs256 => State::Sha256(keyed(key)),
            HmacAlgorithm::Hs384 => State::Sha384(keyed(key)),
            HmacAlgorithm::Hs512 => State::Sha512(keyed(key)),
        };
        Self { algorithm, state }
    }

    /// The one algorithm this key is for (RFC 8725 §3.1).
    #[must_use]
    pub const fn algorithm(&self) -> HmacAlgorithm {
        self.algorithm
    }

    /// The tag of the parts, one after the other with nothing between.
    #[must_use]
    pub fn tag(&self, parts: &[&[u8]]) -> Tag {
        match &self.state {
            State::Sha1(state) => Tag::new(&fed(state, parts).finalize().into_bytes()),
            State::Sha256(state) => Tag::new(&fed(state, parts).finalize().into_bytes()),
            State::Sha384(state) => Tag::new(&fed(state, parts).finalize().into_bytes()),
            State::Sha512(state) => Tag::new(&fed(state, parts).finalize().into_bytes()),
        }
    }

    /// Whether `received` is the whole tag of the parts. The time it takes does not depend on where they differ.
    #[must_use]
    pub fn verify(&self, parts: &[&[u8]], received: &[u8]) -> bool {
        match &self.state {
            State::Sha1(state) => fed(state, parts).verify_slice(received).is_ok(),
            State::Sha256(state) => fed(state, parts).verify_slice(received).is_ok(),
            State::Sha384(state) => fed(state, parts).verify_slice(received).is_ok(),
            State::Sha512(state) => fed(state, parts).verify_slice(received).is_ok(),
        }
    }

    /// The tag of fields that are signed for one purpose: no two lists of fields, and no two purposes, share an input.
    #[must_use]
    pub fn tag_for(&self, purpose: &Purpose, fields: &[&[u8]]) -> Tag {
        self.tag(&[&purpose.input(fields)])
    }

    /// Whether `received` is the whole tag of these fields for this purpose.
    #[must_use]
    pub fn verify_for(&self, purpose: &Purpose, fields: &[&[u8]], received: &[u8]) -> bool {
        self.verify(&[&purpose.input(fields)], received)
    }
}

/// Says which algorithm, never the state: it is as good as the key.
impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MacKey({}, [redacted])", self.algorithm.name())
    }
}

fn keyed<M: KeyInit>(key: &[u8]) -> M {
    // Only block ciphers refuse a length here.
    let Ok(mac) = M::new_from_slice(key) else {
        unreachable!("HMAC takes keys of any length (RFC 2104 §2)")
    };
    mac
}

fn fed<M: Mac + Clone>(state: &M, parts: &[&[u8]]) -> M {
    let mut mac = state.clone();
    for part in parts {
        mac.update(part);
    }
    mac
}

/// What a tag is for: `edgeward/link/v1`. It holds no NUL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purpose(pub &'static str);

impl Purpose {
    /// What is signed: purpose, NUL, then each field after its length in eight octets.
    pub(crate) fn input(self, fields: &[&[u8]]) -> Vec<u8> {
        debug_assert!(!self.0.contains('\0'), "the NUL ends the purpose");
        let mut input = [self.0.as_bytes(), &[0]].concat();
        for field in fields {
            input.extend_from_slice(&(field.len() as u64).to_be_bytes());
            input.extend_from_slice(field);
        }
        input
    }
}

/// A tag that was computed. Not for comparing: that is [`MacKey::verify`].
#[derive(Clone, Copy)]
pub struct Tag {
    octets: [u8; 64],
    length: usize,
}

impl Tag {
    fn new(output: &[u8]) -> Self {
        let mut octets = [0; 64];
        octets.iter_mut().zip(output).for_each(|(to, from)| *to = *from);
        Self { octets, length: output.len() }
    }

    /// The octets: as many as the hash puts out.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.octets.get(..self.length).unwrap_or(&self.octets)
    }
}

/// `EDGEWARD_SECRET`: one or more secrets. The first signs, all verify.
#[derive(Debug)]
pub struct RootSecret(Vec<Secret<Vec<u8>>>);

impl RootSecret {
    /// Reads base64url values of 32 octets or more, separated by white space.
    ///
    /// # Errors
    /// Everything that is wrong, by the position of the value (from 1); never a value.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut secrets = Vec::new();
        let mut seen = SortedMap::new();
        for (index, value) in text.split_ascii_whitespace().enumerate() {
            if seen.insert(value, ()).is_some() {
                problems.push(root_problem(index, "a value that stands there before", "each value once"));
                continue;
            }
            match root_value(value) {
                Ok(octets) => secrets.push(Secret::new(octets)),
                Err((found, expected)) => problems.push(root_problem(index, &found, expected)),
            }
        }
        if seen.is_empty() {
            let expected = "base64url of 32 random octets or more";
            problems.push(Problem::new("EDGEWARD_SECRET", "nothing", expected, ROOT_FIX));
        }
        if problems.is_empty() { Ok(Self(secrets)) } else { Err(problems) }
    }

    /// Keys for one purpose by HKDF-SHA-256 (RFC 5869) with an empty salt: one for each secret, the first signs.
    /// The parts of `purpose` are put together as `info`.
    #[must_use]
    pub fn derive(&self, purpose: &[&[u8]]) -> Vec<Secret<[u8; 32]>> {
        self.0.iter().map(|secret| derived(secret, purpose)).collect()
    }
}

impl RootSecret {
    /// [`Self::derive`] with an id for each key: base64url of the first `size` octets of what `id` derives. Both come out of
    /// HKDF, from infos that differ: the id tells nothing of the key.
    #[must_use]
    pub fn derive_named(
        &self,
        id: &[&[u8]],
        purpose: &[&[u8]],
        size: usize,
    ) -> Vec<(String, Secret<[u8; 32]>)> {
        let ids = self.derive(id).into_iter();
        let ids = ids.map(|id| super::to_base64url(id.expose().get(..size).unwrap_or_default()));
        ids.zip(self.derive(purpose)).collect()
    }
}

fn derived(secret: &Secret<Vec<u8>>, purpose: &[&[u8]]) -> Secret<[u8; 32]> {
    let mut key = [0; 32];
    let expanded = Hkdf::<Sha256>::new(Some(&[]), secret.expose()).expand_multi_info(purpose, &mut key);
    // RFC 5869 §2.3 allows 255 times 32 octets.
    debug_assert!(expanded.is_ok(), "32 octets can be had");
    Secret::new(key)
}

const ROOT_FIX: &str = "Run `edgeward keygen` and set its output with `wrangler secret put EDGEWARD_SECRET`.";

fn root_problem(index: usize, found: &str, expected: &str) -> Problem {
    Problem::new(format!("EDGEWARD_SECRET value {}", index + 1), found, expected, ROOT_FIX)
}

/// The octets of one value, or what was found and what was expected.
fn root_value(value: &str) -> Result<Vec<u8>, (String, &'static str)> {
    let Some(octets) = super::from_base64url(value) else {
        return Err(("a value that is not base64url".into(), "base64url without padding (RFC 4648 §5)"));
    };
    if octets.len() < ROOT_SECRET_SIZE {
        return Err((format!("a secret of {} octets", octets.len()), "32 octets or more"));
    }
    if weak::is_published(&octets) || weak::is_published(value.as_bytes()) {
        return Err(("a secret that is published in a list of weak ones".into(), "a random one"));
    }
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::to_base64url;
    use proptest::prelude::*;

    const ALL: [HmacAlgorithm; 4] =
        [HmacAlgorithm::Hs1, HmacAlgorithm::Hs256, HmacAlgorithm::Hs384, HmacAlgorithm::Hs512];

    #[test]
    fn only_the_whole_tag_verifies() {
        for algorithm in ALL {
            let key = MacKey::new(algorithm, b"a key");
            let tag = key.tag(&[b"ab", b"c"]);
            assert_eq!(tag.as_bytes().len(), algorithm.output_size());
            assert!(key.verify(&[b"abc"], tag.as_bytes()));
            assert!(!key.verify(&[b"abd"], tag.as_bytes()));
            assert!(!key.verify(&[b"abc"], &[]));
            assert!(!key.verify(&[b"abc"], &tag.as_bytes()[..16]));
            assert!(!key.verify(&[b"abc"], &[tag.as_bytes(), &[0]].concat()));
            assert!(!MacKey::new(algorithm, b"another").verify(&[b"abc"], tag.as_bytes()));
        }
    }

    #[test]
    fn debug_does_not_leak() {
        let key = MacKey::new(HmacAlgorithm::Hs256, b"a key");
        assert_eq!(format!("{key:?}"), "MacKey(HS256, [redacted])");
        let root = RootSecret::parse(&to_base64url(&[7; 32])).expect("a good secret");
        assert_eq!(format!("{root:?}"), "RootSecret([Secret([redacted])])");
    }

    /// RFC 5869 A.3 has an empty salt, an empty info and this key material; its first 32 octets are typed in.
    #[test]
    fn derives_as_rfc_5869_appendix_a_3() {
        let key = derived(&Secret::new(vec![0x0b; 22]), &[]);
        let expected = "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d";
        assert_eq!(key.expose().iter().map(|b| format!("{b:02x}")).collect::<String>(), expected);
    }

    #[test]
    fn every_secret_derives_its_own_keys() {
        let text = format!(" {}\n\t{} ", to_base64url(&[1; 32]), to_base64url(&[2; 40]));
        let root = RootSecret::parse(&text).expect("two good secrets");
        let keys = root.derive(&[b"a", b"b"]);
        assert_eq!(keys.len(), 2);
        assert_ne!(keys[0].expose(), keys[1].expose());
        assert_eq!(keys[0].expose(), root.derive(&[b"ab"])[0].expose());
        assert_ne!(keys[0].expose(), root.derive(&[b"ac"])[0].expose());
    }

    #[test]
    fn a_root_secret_that_is_wrong_is_refused_in_words() {
        let good = to_base64url(&[1; 32]);
        let published = "super-secret-jwt-token-with-at-least-32-characters-long";
        let table = [
            (String::new(), vec!["EDGEWARD_SECRET: found nothing"]),
            (" \n".into(), vec!["EDGEWARD_SECRET: found nothing"]),
            (to_base64url(&[1; 31]), vec!["EDGEWARD_SECRET value 1: found a secret of 31 octets"]),
            (format!("{good}="), vec!["EDGEWARD_SECRET value 1: found a value that is not base64url"]),
            (
                "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQF".into(),
                vec!["EDGEWARD_SECRET value 1: found a value"],
            ),
            (
                format!("{good} {good}"),
                vec!["EDGEWARD_SECRET value 2: found a value that stands there before"],
            ),
            (published.into(), vec!["EDGEWARD_SECRET value 1: found a secret that is published"]),
            (
                to_base64url(published.as_bytes()),
                vec!["EDGEWARD_SECRET value 1: found a secret that is published"],
            ),
            (format!("x+y {good} short"), vec!["EDGEWARD_SECRET value 1: ", "EDGEWARD_SECRET value 3: "]),
        ];
        for (text, expected) in table {
            let problems = RootSecret::parse(&text).expect_err(&text);
            let sentences: Vec<String> = problems.iter().map(ToString::to_string).collect();
            assert_eq!(sentences.len(), expected.len(), "{sentences:?}");
            for (sentence, start) in sentences.iter().zip(expected) {
                assert!(sentence.starts_with(start), "{sentence}");
                assert!(!sentence.contains(&good) && !sentence.contains(published), "{sentence}");
            }
        }
    }

    #[test]
    fn purposes_and_fields_do_not_run_into_each_other() {
        let key = MacKey::new(HmacAlgorithm::Hs256, b"a key");
        let tag = key.tag_for(&Purpose("edgeward/test/v1"), &[b"ab", b"c"]);
        assert!(key.verify_for(&Purpose("edgeward/test/v1"), &[b"ab", b"c"], tag.as_bytes()));
        let others: [(&Purpose, &[&[u8]]); 4] = [
            (&Purpose("edgeward/test/v1"), &[b"a", b"bc"]),
            (&Purpose("edgeward/test/v1"), &[b"abc"]),
            (&Purpose("edgeward/test/v1"), &[b"ab", b"c", b""]),
            (&Purpose("edgeward/test/v2"), &[b"ab", b"c"]),
        ];
        for (purpose, fields) in others {
            assert!(!key.verify_for(purpose, fields, tag.as_bytes()), "{purpose:?} {fields:?}");
        }
    }

    proptest! {
        #[test]
        fn inputs_are_one_to_one(a: Vec<Vec<u8>>, b: Vec<Vec<u8>>) {
            let input = |fields: &[Vec<u8>]| {
                Purpose("p").input(&fields.iter().map(Vec::as_slice).collect::<Vec<_>>())
            };
            prop_assert_eq!(input(&a) == input(&b), a == b);
        }

        #[test]
        fn root_secrets_never_panic(text in any::<String>()) {
            let _ = RootSecret::parse(&text);
        }
    }
}
