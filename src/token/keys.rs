//! `EDGEWARD_KEYS`: the keys of tokens that others issue, as a JWK Set (RFC 7517 §5) of symmetric keys
//! (RFC 7518 §6.4).
//!
//! ```json
//! { "keys": [ { "kty": "oct", "kid": "2026-11", "alg": "HS256", "k": "<base64url of 32 random octets or more>" } ] }
//! ```
//!
//! Members that RFC 7517 does not name are ignored, as it asks; `edgeward` is kept for settings of ours. All that is
//! wrong is told at once, and one bad key makes the whole set unreadable: a key that silently is not there would
//! refuse good tokens.

pub(in crate::token) mod weak;

use super::mac::MacKey;
use crate::config::Problem;
use crate::json::Json;
use crate::policy::HmacAlgorithm;
use crate::secret::Secret;
use std::sync::Arc;

/// The fewest octets of a key for signed-URL formats that need SHA-1.
const HS1_KEY_SIZE: usize = 16;

/// The longest key id, in octets: a token names it, and a token has 8 KB.
const KID_SIZE: usize = 256;

/// How the texts of asymmetric keys begin. Whoever has the public one could sign with it (RFC 8725 §2.1).
const PUBLIC_KEYS: [&[u8]; 3] = [b"-----BEGIN ", b"ssh-", b"ecdsa-sha2-"];

/// Keys by their ids.
#[derive(Debug)]
pub struct KeySet {
    keys: Vec<Key>,
    warnings: Vec<Problem>,
}

/// A key, with its one algorithm.
#[derive(Clone, Debug)]
pub struct Key {
    kid: Arc<str>,
    mac: MacKey,
}

impl Key {
    /// A key that is in no set: one of ours.
    #[must_use]
    pub fn new(kid: &str, mac: MacKey) -> Self {
        Self { kid: kid.into(), mac }
    }

    /// Its id (RFC 7517 §4.5).
    #[must_use]
    pub const fn kid(&self) -> &Arc<str> {
        &self.kid
    }

    /// The key itself, ready for use.
    #[must_use]
    pub const fn mac(&self) -> &MacKey {
        &self.mac
    }

    /// The one algorithm it is for.
    #[must_use]
    pub const fn algorithm(&self) -> HmacAlgorithm {
        self.mac.algorithm()
    }
}

impl KeySet {
    /// Reads a JWK Set.
    ///
    /// # Errors
    /// Everything that is wrong, each with its path (`EDGEWARD_KEYS keys[1].k`); never a key.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        if text.trim().is_empty() {
            return Err(vec![Problem::new("EDGEWARD_KEYS", "nothing", "a JWK Set", SET_FIX)]);
        }
        let json = Json::parse(text).map_err(|error| {
            let found = format!("no JSON ({error})");
            vec![Problem::new("EDGEWARD_KEYS", found, "a JWK Set (RFC 7517 §5)", SET_FIX)]
        })?;
        match json.get("keys") {
            Some(Json::Array(keys)) if !keys.is_empty() => Reading::default().set(keys),
            Some(Json::Array(_)) => Err(vec![set_problem("an empty list", "at least one key")]),
            Some(other) => Err(vec![set_problem(other.kind(), "a list of keys")]),
            None => Err(vec![set_problem("nothing", "a list of keys")]),
        }
    }

    /// The keys, in the order of the set.
    pub fn iter(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter()
    }

    /// The key of that id.
    #[must_use]
    pub fn get(&self, kid: &str) -> Option<&Key> {
        self.keys.iter().find(|key| &*key.kid == kid)
    }

    /// The algorithms for JWTs that the keys have, each once: what an entry allows that names none.
    #[must_use]
    pub fn jwt_algorithms(&self) -> Vec<HmacAlgorithm> {
        let all = [HmacAlgorithm::Hs256, HmacAlgorithm::Hs384, HmacAlgorithm::Hs512];
        all.into_iter().filter(|a| self.keys.iter().any(|key| key.algorithm() == *a)).collect()
    }

    /// What works but deserves a second look.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }
}

const SET_FIX: &str =
    r#"Set it to {"keys":[{"kty":"oct","kid":"a","alg":"HS256","k":"…"}]}; `edgeward keygen` makes a key."#;

fn set_problem(found: &str, expected: &str) -> Problem {
    Problem::new("EDGEWARD_KEYS keys", found, expected, SET_FIX)
}

/// The set as far as it is read.
#[derive(Default)]
struct Reading {
    keys: Vec<(Key, Secret<Vec<u8>>)>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Reading {
    fn set<'j>(mut self, jwks: &'j [Json<'j>]) -> Result<KeySet, Vec<Problem>> {
        let mut kids = Vec::new();
        for (index, jwk) in jwks.iter().enumerate() {
            let mut one = One { path: format!("EDGEWARD_KEYS keys[{index}]"), jwk, reading: &mut self };
            one.key(&mut kids);
        }
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        let keys = self.keys.into_iter().map(|(key, _)| key).collect();
        Ok(KeySet { keys, warnings: self.warnings })
    }
}

/// One JWK that is being read.
struct One<'r, 'j> {
    path: String,
    jwk: &'j Json<'j>,
    reading: &'r mut Reading,
}

impl<'j> One<'_, 'j> {
    fn key(&mut self, kids: &mut Vec<&'j str>) {
        if self.jwk.as_object().is_none() {
            let problem =
                Problem::new(self.path.clone(), self.jwk.kind(), "an object", "Write each key as a JWK.");
            self.reading.problems.push(problem);
            return;
        }
        self.kty();
        self.usage();
        let kid = self.kid(kids);
        let algorithm = self.algorithm();
        let octets = self.octets(algorithm);
        if let (Some(kid), Some(algorithm), Some(octets)) = (kid, algorithm, octets) {
            self.not_repeated(algorithm, &octets);
            let key = Key { kid: kid.into(), mac: MacKey::new(algorithm, octets.expose()) };
            self.reading.keys.push((key, octets));
        }
    }

    fn kty(&mut self) {
        match self.jwk.get("kty").and_then(Json::as_text) {
            Some("oct") => {}
            Some(_) => {
                self.problem("kty", "another type of key", "\"oct\"", "Keys for HMAC are \"kty\":\"oct\".")
            }
            None => self.absent("kty", "\"oct\"", "Keys for HMAC are \"kty\":\"oct\"."),
        }
    }

    /// `use` (RFC 7517 §4.2), `key_ops` (§4.3), and our own member.
    fn usage(&mut self) {
        if self.jwk.get("use").is_some_and(|value| value.as_text() != Some("sig")) {
            self.problem("use", "another use", "\"sig\"", "Leave it out, or use a key that is for signing.");
        }
        if let Some(operations) = self.jwk.get("key_ops") {
            let verifies = operations.as_texts().is_some_and(|texts| texts.contains(&"verify"));
            if !verifies {
                self.problem(
                    "key_ops",
                    "no \"verify\"",
                    "a list with \"verify\"",
                    "Leave it out, or add \"verify\".",
                );
            }
        }
        if self.jwk.get("edgeward").is_some_and(|value| value.as_object().is_none()) {
            self.problem("edgeward", "no object", "an object", "Leave it out.");
        }
    }

    fn kid(&mut self, kids: &mut Vec<&'j str>) -> Option<&'j str> {
        let fix = "Give each key an id of its own, such as \"2026-11\".";
        let Some(value) = self.jwk.get("kid") else {
            self.absent("kid", "an id", fix);
            return None;
        };
        let good = value
            .as_text()
            .filter(|kid| (1..=KID_SIZE).contains(&kid.len()) && !kid.chars().any(char::is_control));
        match good {
            None => self.problem("kid", value.kind(), "1 to 256 octets of printable text", fix),
            Some(kid) if kids.contains(&kid) => {
                self.problem("kid", &format!("\"{kid}\" a second time"), "an id of its own", fix);
            }
            Some(kid) => {
                kids.push(kid);
                return Some(kid);
            }
        }
        None
    }

    fn algorithm(&mut self) -> Option<HmacAlgorithm> {
        let expected = "\"HS256\", \"HS384\", \"HS512\" or \"HS1\"";
        let fix = "Name the one algorithm that this key is for.";
        let Some(value) = self.jwk.get("alg") else {
            self.absent("alg", expected, fix);
            return None;
        };
        let algorithm = value.as_text().and_then(HmacAlgorithm::from_name);
        if algorithm.is_none() {
            self.problem("alg", "another algorithm", expected, fix);
        }
        algorithm
    }

    /// `k` (RFC 7518 §6.4.1). Its length is judged where the algorithm is known.
    fn octets(&mut self, algorithm: Option<HmacAlgorithm>) -> Option<Secret<Vec<u8>>> {
        let fix = "`edgeward keygen` makes a good key.";
        let Some(value) = self.jwk.get("k") else {
            self.absent("k", "the key in base64url", fix);
            return None;
        };
        let decoded = value.as_text().and_then(super::from_base64url);
        let Some(octets) = decoded.map(Secret::new) else {
            let fix = "Write the octets of the key in base64url, without `=`; a text is to be encoded, too.";
            self.problem("k", "no base64url", "base64url without padding (RFC 4648 §5)", fix);
            return None;
        };
        let length = octets.expose().len();
        if let Some(algorithm) = algorithm.filter(|algorithm| length < least(*algorithm)) {
            let expected = format!("{} octets or more for {}", least(algorithm), algorithm.name());
            self.problem("k", &format!("a key of {length} octets"), &expected, fix);
            return None;
        }
        if weak::is_published(octets.expose()) {
            self.problem("k", "a key that is published in a list of weak ones", "a random key", fix);
            return None;
        }
        if PUBLIC_KEYS.iter().any(|start| octets.expose().starts_with(start)) {
            self.problem("k", "a PEM or SSH key, which may be public", "a random key for HMAC", fix);
            return None;
        }
        if value.as_text().is_some_and(|text| weak::is_published(text.as_bytes())) {
            self.warn("k", "a text that is published in a list of weak keys", "a random key", fix);
        }
        Some(octets)
    }

    /// One key under two ids does not go away when one of them does.
    fn not_repeated(&mut self, algorithm: HmacAlgorithm, octets: &Secret<Vec<u8>>) {
        let fix = "`edgeward keygen` makes another key.";
        let same = self.reading.keys.iter().find(|(_, other)| other.expose() == octets.expose());
        let Some((other, _)) = same else { return };
        let found = format!("the key of \"{}\" a second time", other.kid);
        if other.algorithm() == algorithm {
            self.problem("k", &found, "each key once", fix);
        } else {
            self.warn("k", &found, "a key for each algorithm (RFC 8725 §3.2)", fix);
        }
    }

    fn absent(&mut self, member: &str, expected: &str, fix: &str) {
        self.problem(member, "nothing", expected, fix);
    }

    fn problem(&mut self, member: &str, found: &str, expected: &str, fix: &str) {
        self.reading.problems.push(Problem::new(format!("{}.{member}", self.path), found, expected, fix));
    }

    fn warn(&mut self, member: &str, found: &str, expected: &str, fix: &str) {
        self.reading.warnings.push(Problem::new(format!("{}.{member}", self.path), found, expected, fix));
    }
}

/// The fewest octets of a key: the hash's output (RFC 7518 §3.2), or what older signed-URL formats have.
const fn least(algorithm: HmacAlgorithm) -> usize {
    match algorithm {
        HmacAlgorithm::Hs1 => HS1_KEY_SIZE,
        HmacAlgorithm::Hs256 | HmacAlgorithm::Hs384 | HmacAlgorithm::Hs512 => algorithm.output_size(),
    }
}

#[cfg(test)]
mod tests;
