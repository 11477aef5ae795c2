//! `EDGEWARD_KEYS` as a text that is changed: what stands in it stays as it is, members and numbers included that nobody
//! here knows.

use crate::cli::output::Misuse;
use crate::cli::secrets::sentences;
use edgeward::policy::HmacAlgorithm;
use edgeward::secret::Secret;
use edgeward::time::UnixTime;
use edgeward::token::jwt::MAX_TRIED;
use edgeward::token::keys::{Key, KeySet, Standing};
use edgeward::token::to_base64url;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;

/// The members of an object, each as it is written.
type Members = BTreeMap<String, Box<RawValue>>;

/// A JWK Set that grows.
#[derive(Default)]
pub struct Jwks {
    members: Members,
    keys: Vec<Box<RawValue>>,
    /// What the gate makes of the keys that were there; `None` where there were none.
    read: Option<KeySet>,
}

impl Jwks {
    /// Takes a set that the gate takes.
    pub fn read(text: &Secret<String>) -> Result<Self, Misuse> {
        let read = KeySet::parse(text.expose()).map_err(|problems| Misuse::new(sentences(&problems)))?;
        let mut members: Members = serde_json::from_str(text.expose()).map_err(unreadable)?;
        let keys = members.remove("keys").map(|keys| serde_json::from_str(keys.get()));
        Ok(Self {
            members,
            keys: keys.transpose().map_err(unreadable)?.unwrap_or_default(),
            read: Some(read),
        })
    }

    /// Whether a key has that id.
    pub fn has(&self, kid: &str) -> bool {
        self.read.as_ref().is_some_and(|set| set.get(kid).is_some())
    }

    /// The algorithm of the first key.
    pub fn first_algorithm(&self) -> Option<HmacAlgorithm> {
        self.read.iter().flat_map(KeySet::iter).next().map(Key::algorithm)
    }

    /// Gives a date of retirement to all keys that have none; their ids.
    pub fn retire(&mut self, at: UnixTime) -> Result<Vec<String>, Misuse> {
        let mut retired = Vec::new();
        for (key, jwk) in self.read.iter().flat_map(KeySet::iter).zip(&mut self.keys) {
            if key.retire_after().is_none() {
                *jwk = with_retirement(jwk, at).map_err(unreadable)?;
                retired.push(key.kid().to_string());
            }
        }
        Ok(retired)
    }

    /// Puts a key before the others: it signs what is made here.
    pub fn add_in_front(&mut self, jwk: &Jwk) -> Result<(), Misuse> {
        self.keys.insert(0, jwk.raw().map_err(unreadable)?);
        Ok(())
    }

    /// Puts a key behind the others: it verifies what is signed elsewhere.
    pub fn add_behind(&mut self, jwk: &Jwk) -> Result<(), Misuse> {
        self.keys.push(jwk.raw().map_err(unreadable)?);
        Ok(())
    }

    /// The set on one line, once the gate's own reader takes it.
    pub fn text(&self) -> Result<Secret<String>, Misuse> {
        let mut members = self.members.clone();
        members.insert("keys".to_owned(), to_raw_value(&self.keys).map_err(unreadable)?);
        let text = compact(&serde_json::to_string(&members).map_err(unreadable)?);
        KeySet::parse(&text).map_err(|problems| Misuse::new(sentences(&problems)))?;
        Ok(Secret::new(text))
    }
}

/// A fresh or imported key.
pub struct Jwk<'j> {
    /// Its id.
    pub kid: &'j str,
    /// What it is for.
    pub algorithm: HmacAlgorithm,
    /// The key itself.
    pub octets: &'j Secret<Vec<u8>>,
}

impl Jwk<'_> {
    /// Its members in the order in which people expect them.
    pub fn text(&self) -> Secret<String> {
        let Self { kid, algorithm, octets } = self;
        let (kid, k) = (serde_json::Value::from(*kid), Secret::new(to_base64url(octets.expose())));
        let alg = algorithm.name();
        Secret::new(compact(&format!(r#"{{"kty":"oct","kid":{kid},"alg":"{alg}","k":"{}"}}"#, k.expose())))
    }

    fn raw(&self) -> serde_json::Result<Box<RawValue>> {
        RawValue::from_string(self.text().expose().clone())
    }
}

/// What to know of a set in which more keys are in use for one algorithm than are tried for a token without a `kid`.
pub fn crowded(text: &Secret<String>, algorithm: HmacAlgorithm, now: UnixTime) -> Option<String> {
    let set = KeySet::parse(text.expose()).ok()?;
    let in_use = |key: &&Key| key.algorithm() == algorithm && key.standing(now) == Standing::Good;
    let count = set.iter().filter(in_use).count();
    (count > MAX_TRIED).then(|| {
        format!(
            "EDGEWARD_KEYS now has {count} keys in use for {}. Where one entry of the policy has more than {MAX_TRIED} of \
             them, a token that names no kid is refused: take out what nobody signs with, or give it a retire_after.",
            algorithm.name()
        )
    })
}

fn with_retirement(jwk: &RawValue, at: UnixTime) -> serde_json::Result<Box<RawValue>> {
    let mut members: Members = serde_json::from_str(jwk.get())?;
    let settings = members.get("edgeward").map(|settings| serde_json::from_str::<Members>(settings.get()));
    let mut settings = settings.transpose()?.unwrap_or_default();
    settings.insert("retire_after".to_owned(), to_raw_value(&at.to_string())?);
    members.insert("edgeward".to_owned(), to_raw_value(&settings)?);
    to_raw_value(&members)
}

/// The same JSON on one line, and without an apostrophe: that would end the value in a line of `.dev.vars`.
fn compact(json: &str) -> String {
    let (mut in_string, mut escaped) = (false, false);
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\'' => out.push_str("\\u0027"),
            c if in_string || !c.is_ascii_whitespace() => out.push(c),
            _ => {}
        }
        in_string ^= c == '"' && !escaped;
        escaped = in_string && c == '\\' && !escaped;
    }
    out
}

fn unreadable(error: serde_json::Error) -> Misuse {
    // Where it is, not what stands there.
    Misuse::new(format!("EDGEWARD_KEYS cannot be changed: line {}, column {}.", error.line(), error.column()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const K: &str = "dGhlIGtleSBvZiB0aGVzZSB0ZXN0cywgMzIgb2N0ZXRz";

    fn jwks(text: &str) -> Jwks {
        Jwks::read(&Secret::new(text.to_owned())).map_err(|misuse| misuse.0).expect("a good set")
    }

    fn text(jwks: &Jwks) -> String {
        jwks.text().map_err(|misuse| misuse.0).expect("still a good set").expose().clone()
    }

    #[test]
    fn what_stands_there_stays_as_it_is() {
        let set = format!(
            "{{\n \"x\" : 1.50, \"keys\" : [ {{\"kid\":\"a b\", \"kty\":\"oct\", \"n\": 123456789012345678901234567890,\n\
             \"t\":\"it's \\\\\\\" \\u00e9\", \"alg\":\"HS256\", \"k\":\"{K}\",\n\
             \"edgeward\" : {{ \"use_from\" : 1700000000 }} }} ] }}"
        );
        let mut jwks = jwks(&set);
        assert!(jwks.has("a b") && !jwks.has("b"));
        let kept = format!(
            r#"{{"kid":"a b","kty":"oct","n":123456789012345678901234567890,"t":"it\u0027s \\\" \u00e9","alg":"HS256","k":"{K}","edgeward":{{"use_from":1700000000}}}}"#
        );
        assert_eq!(text(&jwks), format!(r#"{{"keys":[{kept}],"x":1.50}}"#));
        let octets = Secret::new(vec![7; 32]);
        let new = Jwk { kid: "new", algorithm: HmacAlgorithm::Hs256, octets: &octets };
        jwks.add_in_front(&new).map_err(|misuse| misuse.0).expect("added");
        let fresh =
            r#"{"kty":"oct","kid":"new","alg":"HS256","k":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"}"#;
        assert_eq!(text(&jwks), format!(r#"{{"keys":[{fresh},{kept}],"x":1.50}}"#));
    }

    #[test]
    fn a_date_of_retirement_comes_to_those_that_have_none() {
        let key = |kid: &str, k: &str, more: &str| {
            format!(r#"{{"kty":"oct","kid":"{kid}","alg":"HS256","k":"{k}"{more}}}"#)
        };
        let other = K.replace('d', "e");
        let third = K.replace('d', "f");
        let set = [
            key("a", K, ""),
            key("b", &other, r#","edgeward":{"retire_after":1700000000}"#),
            key(
                "c",
                &third,
                r#","big":10000000000000000000001,"edgeward":{"use_from":"2023-01-01T00:00:00Z"}"#,
            ),
        ];
        let mut jwks = jwks(&format!(r#"{{"keys":[{}]}}"#, set.join(",")));
        let retired =
            jwks.retire(UnixTime::from_seconds(1_800_000_000)).map_err(|misuse| misuse.0).expect("good");
        assert_eq!(retired, ["a", "c"]);
        let text = text(&jwks);
        let read = KeySet::parse(&text).expect("good");
        let dates = |kid: &str| {
            let key = read.get(kid).expect("there");
            (key.use_from().map(UnixTime::seconds), key.retire_after().map(UnixTime::seconds))
        };
        assert_eq!(dates("a"), (None, Some(1_800_000_000)));
        assert_eq!(dates("b"), (None, Some(1_700_000_000)));
        assert_eq!(dates("c"), (Some(1_672_531_200), Some(1_800_000_000)));
        assert!(text.contains(&set[1]) && text.contains("\"big\":10000000000000000000001,"), "{text}");
    }

    proptest! {
        #[test]
        fn compacting_changes_nothing_but_white_space(value in "[ \t\n{}\\[\\]:,\"'\\\\a-c0-9é]{0,40}") {
            let json = serde_json::json!({ "a": [value.clone(), 1], value: null });
            let pretty = serde_json::to_string_pretty(&json).expect("JSON");
            let compacted = compact(&pretty);
            prop_assert!(!compacted.contains('\''));
            prop_assert_eq!(compacted.replace("\\u0027", "'"), json.to_string());
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&compacted).expect("JSON"), json);
        }
    }
}
