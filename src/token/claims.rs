//! Claims (RFC 7519 §4): their types, and what an entry of the policy asks of them.
//!
//! The order is the contract's: types, missing, issuer, audience, too early, expired, too old. Configured means
//! required: an entry with an audience refuses a token without one. Nothing in here runs before the signature holds.

use super::jws::Malformed;
use crate::json::Json;
use crate::policy::{Kind, TokenEntry};
use crate::time::{Lifetime, UnixTime};
use crate::verdict::{Cause, Refusal};
use std::borrow::Cow;

/// What a user-id of ours never begins with: these name who came with a token, a key or a link.
const RESERVED_PREFIXES: [&str; 3] = ["token:", "key:", "link:"];

/// The claims of a token whose signature holds, with their types checked.
#[derive(Debug, Default)]
pub struct Claims<'a> {
    members: &'a [(Cow<'a, str>, Json<'a>)],
    /// `exp` (RFC 7519 §4.1.4).
    pub expires: Option<UnixTime>,
    not_before: Option<UnixTime>,
    /// `iat` (RFC 7519 §4.1.6).
    pub issued_at: Option<UnixTime>,
    /// `jti` (RFC 7519 §4.1.7).
    pub id: Option<&'a str>,
    issuer: Option<&'a str>,
    /// `sub` (RFC 7519 §4.1.2).
    pub subject: Option<&'a str>,
    audience: Option<&'a Json<'a>>,
    /// `scope` (RFC 8693 §4.2), as it stands there.
    pub scope: Option<&'a str>,
    /// `groups`.
    pub groups: &'a [Json<'a>],
}

impl<'a> Claims<'a> {
    /// Looks at the type of every claim that is known here, in one pass.
    ///
    /// # Errors
    /// [`Malformed`] where the claims set is no object or a claim has the wrong type or range. `null` is a wrong type.
    pub fn read(json: &'a Json<'a>) -> Result<Self, Malformed> {
        let members =
            json.as_object().ok_or_else(|| Malformed::new("The claims set is not a JSON object."))?;
        let mut claims = Self { members, ..Self::default() };
        for (name, value) in members {
            match &**name {
                "exp" => claims.expires = Some(numeric_date(name, value)?),
                "nbf" => claims.not_before = Some(numeric_date(name, value)?),
                "iat" => claims.issued_at = Some(numeric_date(name, value)?),
                "iss" => claims.issuer = Some(text(name, value)?),
                "sub" => claims.subject = Some(text(name, value)?),
                "scope" => claims.scope = Some(text(name, value)?),
                "aud" if value.as_text().is_none() => {
                    texts(name, value)?;
                    claims.audience = Some(value);
                }
                "aud" => claims.audience = Some(value),
                "groups" => claims.groups = texts(name, value)?,
                "jti" => claims.id = Some(text(name, value)?),
                _ => {}
            }
        }
        Ok(claims)
    }

    /// Whether the entry takes these claims now.
    ///
    /// # Errors
    /// The first refusal in the order of the contract.
    pub fn check(&self, entry: &TokenEntry, leeway: Lifetime, now: UnixTime) -> Result<(), Refusal> {
        self.subject_is_plain(entry)?;
        self.nothing_is_missing(entry)?;
        self.is_from_and_for(entry)?;
        self.is_in_time(entry.max_age, leeway, now)
    }

    fn subject_is_plain(&self, entry: &TokenEntry) -> Result<(), Refusal> {
        let reserved = |sub: &str| RESERVED_PREFIXES.iter().any(|prefix| sub.starts_with(prefix));
        if entry.trust_subject && self.subject.is_some_and(reserved) {
            return refuse(Cause::TokenMalformed, "The subject begins with token:, key: or link:.");
        }
        Ok(())
    }

    fn nothing_is_missing(&self, entry: &TokenEntry) -> Result<(), Refusal> {
        let configured = [
            ("iss", !entry.issuer.is_empty()),
            ("aud", !entry.audience.is_empty()),
            ("iat", entry.max_age.is_some()),
        ];
        let configured = configured.into_iter().filter(|(_, needed)| *needed).map(|(name, _)| name);
        let required = entry.require.iter().map(String::as_str);
        match required.chain(configured).find(|name| !self.has(name)) {
            Some(name) => refuse(Cause::TokenMissingClaim, format!("The token has no claim {name}.")),
            None => Ok(()),
        }
    }

    /// A claim that is `null` says nothing.
    fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(n, value)| n == name && *value != Json::Null)
    }

    fn is_from_and_for(&self, entry: &TokenEntry) -> Result<(), Refusal> {
        let is_one_of = |listed: &[String], text: &str| listed.iter().any(|one| one == text);
        if !entry.issuer.is_empty() && !self.issuer.is_some_and(|issuer| is_one_of(&entry.issuer, issuer)) {
            return refuse(Cause::TokenWrongIssuer, "The token is of an issuer that is not accepted here.");
        }
        let here = |audience: &Json<'_>| any_text(audience, |text| is_one_of(&entry.audience, text));
        if !entry.audience.is_empty() && !self.audience.is_some_and(here) {
            return refuse(Cause::TokenWrongAudience, "The token is for another audience.");
        }
        Ok(())
    }

    /// `now < nbf − leeway` is too early, and so is `iat > now + leeway`; `now ≥ exp + leeway` is expired: RFC 7519
    /// §4.1.4 says *on or after*.
    fn is_in_time(&self, max_age: Option<Lifetime>, leeway: Lifetime, now: UnixTime) -> Result<(), Refusal> {
        if let Some(from) = self.not_before.filter(|from| now + leeway < *from) {
            let detail = format!("The token is not valid before {from}.");
            return refuse(Cause::TokenNotYetValid, detail).map_err(|refusal| refusal.at(from));
        }
        if let Some(from) = self.issued_at.filter(|from| now + leeway < *from) {
            let detail = format!("The token says that it is issued at {from}, which is yet to come.");
            return refuse(Cause::TokenNotYetValid, detail).map_err(|refusal| refusal.at(from));
        }
        if let Some(until) = self.expires.filter(|until| now >= *until + leeway) {
            let detail = format!("The token expired at {until}.");
            return refuse(Cause::TokenExpired, detail).map_err(|refusal| refusal.at(until));
        }
        match max_age {
            Some(max_age) => self.is_young(max_age, leeway, now),
            None => Ok(()),
        }
    }

    fn is_young(&self, max_age: Lifetime, leeway: Lifetime, now: UnixTime) -> Result<(), Refusal> {
        let Some(issued) = self.issued_at else {
            return refuse(Cause::TokenMissingClaim, "The token has no claim iat.");
        };
        if self.expires.is_some_and(|until| until.since(issued) > max_age) {
            let detail = format!("The token is made to last longer than {} seconds.", max_age.seconds());
            return refuse(Cause::TokenTooOld, detail);
        }
        if now > issued + max_age + leeway {
            let detail = format!("The token was issued more than {} seconds ago.", max_age.seconds());
            return refuse(Cause::TokenTooOld, detail);
        }
        Ok(())
    }
}

/// Whether the value is a string that is wanted, or an array with a member that is one.
pub(super) fn any_text(value: &Json<'_>, wanted: impl Fn(&str) -> bool) -> bool {
    match value {
        Json::Text(text) => wanted(text),
        Json::Array(elements) => elements.iter().filter_map(Json::as_text).any(wanted),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Object(_) => false,
    }
}

fn refuse<'d>(cause: Cause, detail: impl Into<std::borrow::Cow<'d, str>>) -> Result<(), Refusal> {
    Err(Refusal::new(cause, detail).sent(Kind::Bearer))
}

fn numeric_date(name: &str, value: &Json<'_>) -> Result<UnixTime, Malformed> {
    let number = value.as_number().ok_or_else(|| Malformed(format!("The claim {name} is not a number.")))?;
    UnixTime::from_numeric_date(number)
        .ok_or_else(|| Malformed(format!("The claim {name} is not from 0 to 253402300799.")))
}

fn text<'j>(name: &str, value: &'j Json<'_>) -> Result<&'j str, Malformed> {
    value.as_text().ok_or_else(|| Malformed(format!("The claim {name} is not a string.")))
}

fn texts<'j>(name: &str, value: &'j Json<'j>) -> Result<&'j [Json<'j>], Malformed> {
    value
        .as_array()
        .filter(|elements| elements.iter().all(|element| element.as_text().is_some()))
        .ok_or_else(|| Malformed(format!("The claim {name} is not made of strings.")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::TokenPlace;

    const NOW: UnixTime = UnixTime::from_seconds(1000);

    fn entry() -> TokenEntry {
        TokenEntry {
            index: Some(0),
            keys: None,
            algorithms: vec![],
            issuer: vec![],
            audience: vec![],
            require: vec![],
            max_age: None,
            from: vec![TokenPlace::Authorization],
            trust_subject: false,
        }
    }

    fn cause(json: &str, entry: &TokenEntry, leeway: i64) -> Option<(Cause, String)> {
        let json = Json::parse(json).expect("JSON");
        let read = Claims::read(&json).map_err(|Malformed(sentence)| (Cause::TokenMalformed, sentence));
        let checked = read.and_then(|claims| {
            let checked = claims.check(entry, Lifetime::from_seconds(leeway), NOW);
            checked.map_err(|refusal| (refusal.cause, refusal.detail))
        });
        checked.err()
    }

    #[test]
    fn types_are_checked() {
        for good in [
            "{}",
            r#"{"exp":1001,"nbf":0,"iat":999.5,"iss":"i","sub":"s","jti":"j","aud":"a","scope":"x y","groups":["g"]}"#,
            r#"{"aud":[],"groups":[]}"#,
            r#"{"aud":["a","b"],"exp":253402300799,"other":{"exp":"x"}}"#,
        ] {
            assert_eq!(cause(good, &entry(), 0), None, "{good}");
        }
        for bad in [
            "[]",
            "1",
            "\"x\"",
            "null",
            r#"{"exp":"1001"}"#,
            r#"{"exp":null}"#,
            r#"{"exp":[1001]}"#,
            r#"{"exp":{}}"#,
            r#"{"exp":true}"#,
            r#"{"exp":-1}"#,
            r#"{"exp":1e300}"#,
            r#"{"exp":253402300799.5}"#,
            r#"{"exp":253402300800}"#,
            r#"{"nbf":"0"}"#,
            r#"{"nbf":-0.5}"#,
            r#"{"iat":"0"}"#,
            r#"{"iat":null}"#,
            r#"{"iss":1}"#,
            r#"{"iss":["i"]}"#,
            r#"{"sub":1}"#,
            r#"{"sub":null}"#,
            r#"{"jti":1}"#,
            r#"{"aud":1}"#,
            r#"{"aud":null}"#,
            r#"{"aud":["a",1]}"#,
            r#"{"aud":{"a":1}}"#,
            r#"{"aud":[["a"]]}"#,
            r#"{"scope":["x"]}"#,
            r#"{"groups":"g"}"#,
            r#"{"groups":[1]}"#,
        ] {
            assert_eq!(cause(bad, &entry(), 0).map(|(cause, _)| cause), Some(Cause::TokenMalformed), "{bad}");
        }
    }

    #[test]
    fn times_are_compared_as_the_contract_says() {
        let table = [
            (r#"{"exp":1001}"#, 0, None),
            (r#"{"exp":1000.001}"#, 0, None),
            (r#"{"exp":1000}"#, 0, Some(Cause::TokenExpired)),
            (r#"{"exp":970}"#, 30, Some(Cause::TokenExpired)),
            (r#"{"exp":971}"#, 30, None),
            (r#"{"nbf":1000}"#, 0, None),
            (r#"{"nbf":1001}"#, 0, Some(Cause::TokenNotYetValid)),
            (r#"{"nbf":1030}"#, 30, None),
            (r#"{"nbf":1030.5}"#, 30, Some(Cause::TokenNotYetValid)),
            (r#"{"iat":1000}"#, 0, None),
            (r#"{"iat":1031}"#, 30, Some(Cause::TokenNotYetValid)),
            (r#"{"iat":1030}"#, 30, None),
            (r#"{"exp":1,"nbf":2000}"#, 0, Some(Cause::TokenNotYetValid)),
        ];
        for (json, leeway, expected) in table {
            assert_eq!(cause(json, &entry(), leeway).map(|(cause, _)| cause), expected, "{json} {leeway}");
        }
    }

    #[test]
    fn age_is_limited() {
        let entry = TokenEntry { max_age: Some(Lifetime::from_seconds(100)), ..entry() };
        let table = [
            (r#"{"iat":900,"exp":1001}"#, 30, Some(Cause::TokenTooOld)),
            (r#"{"iat":901,"exp":1001}"#, 0, None),
            (r#"{"iat":900}"#, 0, None),
            (r#"{"iat":899}"#, 0, Some(Cause::TokenTooOld)),
            (r#"{"iat":870}"#, 30, None),
            (r#"{"iat":869}"#, 30, Some(Cause::TokenTooOld)),
            (r#"{"exp":1001}"#, 0, Some(Cause::TokenMissingClaim)),
            (r#"{"iat":1,"exp":2}"#, 0, Some(Cause::TokenExpired)),
        ];
        for (json, leeway, expected) in table {
            assert_eq!(cause(json, &entry, leeway).map(|(cause, _)| cause), expected, "{json} {leeway}");
        }
    }

    #[test]
    fn configured_means_required() {
        let entry = TokenEntry {
            issuer: vec!["i".into(), "j".into()],
            audience: vec!["a".into(), "b".into()],
            require: vec!["exp".into(), "plan".into()],
            ..entry()
        };
        let table = [
            (r#"{"exp":2000,"plan":"x","iss":"j","aud":["x","b"]}"#, None),
            (
                r#"{"plan":"x","iss":"j","aud":"b"}"#,
                Some((Cause::TokenMissingClaim, "The token has no claim exp.")),
            ),
            (
                r#"{"exp":2000,"plan":null,"iss":"j","aud":"b"}"#,
                Some((Cause::TokenMissingClaim, "The token has no claim plan.")),
            ),
            (
                r#"{"exp":1,"plan":1,"aud":"b"}"#,
                Some((Cause::TokenMissingClaim, "The token has no claim iss.")),
            ),
            (
                r#"{"exp":1,"plan":1,"iss":"z"}"#,
                Some((Cause::TokenMissingClaim, "The token has no claim aud.")),
            ),
            (
                r#"{"exp":1,"plan":1,"iss":"I","aud":"z"}"#,
                Some((Cause::TokenWrongIssuer, "The token is of an issuer that is not accepted here.")),
            ),
            (
                r#"{"exp":1,"plan":1,"iss":"i","aud":"ab"}"#,
                Some((Cause::TokenWrongAudience, "The token is for another audience.")),
            ),
            (
                r#"{"exp":1,"plan":1,"iss":"i","aud":[]}"#,
                Some((Cause::TokenWrongAudience, "The token is for another audience.")),
            ),
            (
                r#"{"exp":60,"plan":1,"iss":"i","aud":"a"}"#,
                Some((Cause::TokenExpired, "The token expired at 1970-01-01T00:01:00Z.")),
            ),
        ];
        for (json, expected) in table {
            let expected = expected.map(|(cause, detail)| (cause, detail.to_owned()));
            assert_eq!(cause(json, &entry, 0), expected, "{json}");
        }
    }

    #[test]
    fn a_trusted_subject_is_a_plain_user_id() {
        let trusting = TokenEntry { trust_subject: true, ..entry() };
        for (json, entry, malformed) in [
            (r#"{"sub":"token:ann"}"#, entry(), false),
            (r#"{"sub":"ann"}"#, trusting.clone(), false),
            (r#"{"sub":"token:ann"}"#, trusting.clone(), true),
            (r#"{"sub":"key:x"}"#, trusting.clone(), true),
            (r#"{"sub":"link:x"}"#, trusting, true),
        ] {
            assert_eq!(cause(json, &entry, 0).is_some(), malformed, "{json}");
        }
    }
}
