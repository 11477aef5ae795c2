//! Reading a JWK Set: every problem, each with its place.

use super::dates::{Dates, moment};
use super::index::Index;
use super::{Key, KeySet, weak};
use crate::config::Problem;
use crate::json::Json;
use crate::policy::HmacAlgorithm;
use crate::secret::Secret;
use crate::time::UnixTime;
use crate::token::from_base64url;
use crate::token::mac::MacKey;

/// The longest key id, in octets: a token names it, and a token has 8 KB.
const KID_SIZE: usize = 256;

/// How the texts of asymmetric keys begin. Whoever has the public one could sign with it (RFC 8725 §2.1).
const PUBLIC_KEYS: [&[u8]; 3] = [b"-----BEGIN ", b"ssh-", b"ecdsa-sha2-"];

/// What to do where a key will not do.
pub(super) const KEY_FIX: &str = "`edgeward keygen` makes a good key.";

/// Reads the keys of a set.
pub(super) fn set<'j>(jwks: &'j [Json<'j>]) -> Result<KeySet, Vec<Problem>> {
    let mut reading = Reading::default();
    let second = second_kids(jwks);
    for (index, jwk) in jwks.iter().enumerate() {
        let kid_is_second = second.get(index).is_some_and(|second| *second);
        One { index, jwk, kid_is_second, reading: &mut reading }.key();
    }
    reading.none_is_repeated();
    if !reading.problems.is_empty() {
        return Err(reading.problems);
    }
    let keys = reading.keys.into_iter().map(|read| read.key).collect();
    Ok(KeySet::new(keys, reading.warnings))
}

/// For each key whether its id stands in the set before it.
fn second_kids(jwks: &[Json<'_>]) -> Vec<bool> {
    let kids: Vec<&[u8]> = jwks
        .iter()
        .map(|jwk| jwk.get("kid").and_then(Json::as_text).unwrap_or_default().as_bytes())
        .collect();
    let mut second = vec![false; kids.len()];
    let at = |position: usize| kids.get(position).copied().unwrap_or_default();
    for run in Index::new(&kids).runs(&at) {
        for position in run.iter().skip(1) {
            if let Some(second) = second.get_mut(*position) {
                *second = true;
            }
        }
    }
    second
}

/// The set as far as it is read.
#[derive(Default)]
struct Reading {
    keys: Vec<Read>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

/// A good key, with its place in the set and its octets.
struct Read {
    index: usize,
    key: Key,
    octets: Secret<Vec<u8>>,
}

impl Reading {
    /// One key under two ids does not go away when one of them does.
    fn none_is_repeated(&mut self) {
        let keys = &self.keys;
        let octets: Vec<&[u8]> = keys.iter().map(|read| read.octets.expose().as_slice()).collect();
        let octets_at = |at: usize| octets.get(at).copied().unwrap_or_default();
        for run in Index::new(&octets).runs(&octets_at).filter(|run| run.len() > 1) {
            let alike: Vec<&Read> = run.iter().filter_map(|at| keys.get(*at)).collect();
            for (earlier, later) in alike.iter().enumerate().skip(1) {
                let earlier = alike.get(..earlier).unwrap_or_default();
                repeated(earlier, later, &mut self.problems, &mut self.warnings);
            }
        }
    }
}

/// Tells of a key whose octets stand in the set before it, too.
fn repeated(earlier: &[&Read], later: &Read, problems: &mut Vec<Problem>, warnings: &mut Vec<Problem>) {
    let same = earlier.iter().find(|other| other.key.algorithm() == later.key.algorithm());
    let Some(other) = same.or(earlier.first()) else { return };
    let found = format!("the key of \"{}\" a second time", other.key.kid);
    let (expected, list) = match same {
        Some(_) => ("each key once", problems),
        None => ("a key for each algorithm (RFC 8725 §3.2)", warnings),
    };
    list.push(Problem::new(path(later.index, "k"), found, expected, "`edgeward keygen` makes another key."));
}

fn path(index: usize, member: &str) -> String {
    format!("EDGEWARD_KEYS keys[{index}].{member}")
}

/// One JWK that is being read.
struct One<'r, 'j> {
    index: usize,
    jwk: &'j Json<'j>,
    kid_is_second: bool,
    reading: &'r mut Reading,
}

impl<'j> One<'_, 'j> {
    fn key(&mut self) {
        if self.jwk.as_object().is_none() {
            let at = format!("EDGEWARD_KEYS keys[{}]", self.index);
            let problem = Problem::new(at, self.jwk.kind(), "an object", "Write each key as a JWK.");
            self.reading.problems.push(problem);
            return;
        }
        self.kty();
        self.usage();
        let dates = self.dates();
        let kid = self.kid();
        let algorithm = self.algorithm();
        let octets = self.octets();
        if let (Some(kid), Some(algorithm), Some(octets)) = (kid, algorithm, octets) {
            let mac = MacKey::new(algorithm, octets.expose());
            let key = Key { kid: kid.into(), mac, size: octets.expose().len(), dates };
            self.reading.keys.push(Read { index: self.index, key, octets });
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

    /// `use` (RFC 7517 §4.2) and `key_ops` (§4.3).
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
    }

    /// Our own member. A misspelt date would leave a key in use for ever: so no others are taken.
    fn dates(&mut self) -> Dates {
        let mut dates = Dates::default();
        let Some(settings) = self.jwk.get("edgeward") else { return dates };
        let Some(members) = settings.as_object() else {
            self.problem(
                "edgeward",
                settings.kind(),
                "an object",
                "Leave it out, or write {\"use_from\":\"…\"}.",
            );
            return dates;
        };
        for (name, value) in members {
            match &**name {
                "use_from" => dates.use_from = self.date("edgeward.use_from", value),
                "retire_after" => dates.retire_after = self.date("edgeward.retire_after", value),
                // Its name is not shown: what somebody misplaced may be a secret.
                _ => self.problem(
                    "edgeward",
                    "an unknown member",
                    "use_from and retire_after, and no others",
                    "Take it out, or spell it like one of these.",
                ),
            }
        }
        if let Some((from, until)) =
            dates.use_from.zip(dates.retire_after).filter(|(from, until)| from >= until)
        {
            let found = format!("{until}, which is not after use_from ({from})");
            self.problem("edgeward.retire_after", &found, "a later moment", "Correct one of the two.");
        }
        dates
    }

    fn date(&mut self, member: &str, value: &Json<'_>) -> Option<UnixTime> {
        let date = moment(value);
        if date.is_none() {
            let found = format!("{} that names no moment", value.kind());
            let expected = "a date and time with an offset (RFC 3339), or whole Unix seconds";
            self.problem(member, &found, expected, "Write it like \"2026-12-01T00:00:00Z\".");
        }
        date
    }

    fn kid(&mut self) -> Option<&'j str> {
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
            Some(kid) if self.kid_is_second => {
                self.problem("kid", &format!("\"{kid}\" a second time"), "an id of its own", fix);
            }
            Some(kid) => return Some(kid),
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

    /// `k` (RFC 7518 §6.4.1).
    fn octets(&mut self) -> Option<Secret<Vec<u8>>> {
        let Some(value) = self.jwk.get("k") else {
            self.absent("k", "the key in base64url", KEY_FIX);
            return None;
        };
        let decoded = value.as_text().and_then(from_base64url);
        let Some(octets) = decoded.map(Secret::new) else {
            let fix = "Write the octets of the key in base64url, without `=`; a text is to be encoded, too.";
            self.problem("k", "no base64url", "base64url without padding (RFC 4648 §5)", fix);
            return None;
        };
        if let Some((found, expected)) = unusable(octets.expose()) {
            self.problem("k", found, expected, KEY_FIX);
            return None;
        }
        if value.as_text().is_some_and(|text| weak::is_published(text.as_bytes())) {
            self.warn("k", "a text that is published in a list of weak keys", "a random key", KEY_FIX);
        }
        Some(octets)
    }

    fn absent(&mut self, member: &str, expected: &str, fix: &str) {
        self.problem(member, "nothing", expected, fix);
    }

    fn problem(&mut self, member: &str, found: &str, expected: &str, fix: &str) {
        self.reading.problems.push(Problem::new(path(self.index, member), found, expected, fix));
    }

    fn warn(&mut self, member: &str, found: &str, expected: &str, fix: &str) {
        self.reading.warnings.push(Problem::new(path(self.index, member), found, expected, fix));
    }
}

/// What is wrong with octets whatever they are for: what was found, and what was expected.
fn unusable(octets: &[u8]) -> Option<(&'static str, &'static str)> {
    if octets.is_empty() {
        return Some(("a key of 0 octets", "a key"));
    }
    if weak::is_published(octets) {
        return Some(("a key that is published in a list of weak ones", "a random key"));
    }
    let is_public = PUBLIC_KEYS.iter().any(|start| octets.starts_with(start));
    is_public.then_some(("a PEM or SSH key, which may be public", "a random key for HMAC"))
}
