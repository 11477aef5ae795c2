//! What is revoked, as it stands in `EDGEWARD_KV`.
//!
//! The command writes a JSON object for each of the three lists: ids, each with the Unix second until which its line
//! must stay, or 0 for ever. An operator may write by hand or by a program of their own, so these are read too:
//!
//! 1. a JSON object whose values are numbers or `null`,
//! 2. a JSON array of strings,
//! 3. lines of plain ids; blank lines, and white space around an id, mean nothing.
//!
//! `revoked:before` is Unix seconds (`1767225600`) or an RFC 3339 date-time (`2026-01-01T00:00:00Z`). A value that is
//! absent or blank revokes nothing. A line that has outlived its second still counts until somebody takes it out: what it
//! names has expired by then.

use super::sessions::Ended;
use super::{Issued, KV_KEYS, Revoked, Traits};
use crate::json::Json;
use crate::order;
use crate::time::UnixTime;
use std::borrow::Cow;

/// All that is revoked. A look-up takes log₂ *n* comparisons.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lists {
    ids: Sorted,
    subjects: Sorted,
    keys: Sorted,
    before: Option<UnixTime>,
    sessions: Ended,
}

/// Texts in order, none of them twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sorted(Vec<Box<str>>);

/// A line of a list: an id, and the Unix second until which it must stay; 0 for ever.
pub type Line<'a> = (Cow<'a, str>, i64);

impl Lists {
    /// Reads the values of [`KV_KEYS`], in that order.
    ///
    /// # Errors
    /// A sentence for the log that names the KV key, never an id. The caller treats the store as one that did not answer.
    pub fn parse(
        ids: Option<&str>,
        subjects: Option<&str>,
        keys: Option<&str>,
        before: Option<&str>,
    ) -> Result<Self, String> {
        let [id_key, subject_key, key_key, before_key] = KV_KEYS;
        Ok(Self {
            ids: Sorted::parse(id_key, ids)?,
            subjects: Sorted::parse(subject_key, subjects)?,
            keys: Sorted::parse(key_key, keys)?,
            before: moment(before_key, before.unwrap_or_default())?,
            sessions: Ended::new(),
        })
    }

    /// Of ids, subjects and key ids as they are.
    #[must_use]
    pub fn new(
        ids: Vec<Box<str>>,
        subjects: Vec<Box<str>>,
        keys: Vec<Box<str>>,
        before: Option<UnixTime>,
    ) -> Self {
        Self {
            ids: Sorted::new(ids),
            subjects: Sorted::new(subjects),
            keys: Sorted::new(keys),
            before,
            sessions: Ended::new(),
        }
    }

    /// The same with the sessions that were ended.
    #[must_use]
    pub fn with_sessions(self, sessions: Ended) -> Self {
        Self { sessions, ..self }
    }

    /// The sessions that were ended.
    #[must_use]
    pub const fn sessions(&self) -> &Ended {
        &self.sessions
    }

    /// Whether, and why, such credentials are refused.
    #[must_use]
    pub fn verdict(&self, traits: &Traits<'_>) -> Option<Revoked> {
        if traits.id.is_some_and(|id| self.ids.has(id)) {
            return Some(Revoked::Id);
        }
        if traits.subjects.iter().any(|subject| self.subjects.has(subject)) {
            return Some(Revoked::Subject);
        }
        if traits.key.is_some_and(|key| self.keys.has(key)) {
            return Some(Revoked::Key);
        }
        let before = self.before?;
        let is_older = match traits.issued {
            Issued::At(moment) => moment < before,
            Issued::Unknown => true,
            Issued::Never => false,
        };
        is_older.then_some(Revoked::Before(before))
    }
}

impl Sorted {
    fn parse(key: &str, value: Option<&str>) -> Result<Self, String> {
        let lines = lines(key, value.unwrap_or_default())?;
        Ok(Self::new(lines.into_iter().map(|(id, _)| id.into()).collect()))
    }

    /// Sorting once costs n · log n, and nothing where they stand in order as the command writes them.
    fn new(texts: Vec<Box<str>>) -> Self {
        let mut texts = order::by(texts, |text| text.as_bytes());
        texts.dedup();
        Self(texts)
    }

    fn has(&self, text: &str) -> bool {
        self.0.binary_search_by(|known| (**known).cmp(text)).is_ok()
    }
}

/// The lines of a list; `key` is where it stands.
///
/// # Errors
/// A sentence that names `key`, never an id.
pub fn lines<'v>(key: &str, value: &'v str) -> Result<Vec<Line<'v>>, String> {
    match value.trim_ascii().as_bytes().first() {
        None => Ok(Vec::new()),
        Some(b'{' | b'[') => of_json(key, value),
        // A JSON string is neither a list nor an id, whoever wrote it.
        Some(b'"') => Err(unreadable(key, "begins with a quotation mark")),
        Some(_) => of_text(key, value),
    }
}

fn of_json<'v>(key: &str, value: &'v str) -> Result<Vec<Line<'v>>, String> {
    let json = Json::parse(value).map_err(|error| unreadable(key, &error.to_string()))?;
    let lines: Option<Vec<Line<'v>>> = match json {
        Json::Object(members) => {
            members.into_iter().map(|(id, until)| Some((id, until_of(&until)?))).collect()
        }
        Json::Array(elements) => elements.into_iter().map(|element| Some((text_of(element)?, 0))).collect(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Text(_) => None,
    };
    lines.ok_or_else(|| unreadable(key, "holds a value of the wrong type"))
}

fn text_of(element: Json<'_>) -> Option<Cow<'_, str>> {
    match element {
        Json::Text(text) => Some(text),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

/// A number that is no moment keeps its line for ever: more is revoked, not less.
fn until_of(value: &Json<'_>) -> Option<i64> {
    match value {
        Json::Null => Some(0),
        Json::Number(seconds) => Some(UnixTime::from_numeric_date(*seconds).map_or(0, UnixTime::seconds)),
        Json::Bool(_) | Json::Text(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

/// Characters that nobody sees would make an id that matches nothing: a byte order mark, what is left of UTF-16.
fn of_text<'v>(key: &str, value: &'v str) -> Result<Vec<Line<'v>>, String> {
    let is_odd = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\r' | '\t')) || matches!(c, '\u{feff}' | '\u{fffd}')
    };
    if value.contains(is_odd) {
        return Err(unreadable(key, "holds a character that no id has"));
    }
    let ids = value.split(['\n', '\r']).map(str::trim).filter(|id| !id.is_empty());
    Ok(ids.map(|id| (Cow::Borrowed(id), 0)).collect())
}

/// The moment that `revoked:before` names; `None` where it is blank.
///
/// # Errors
/// A sentence that names `key`.
pub fn moment(key: &str, value: &str) -> Result<Option<UnixTime>, String> {
    let value = value.trim_ascii();
    if value.is_empty() {
        return Ok(None);
    }
    let moment = match value.bytes().all(|b| b.is_ascii_digit()) {
        // Read as a whole number: the standard library's reader of any number brings 10 KB of tables.
        true => value.parse().ok().and_then(UnixTime::from_whole),
        false => UnixTime::parse_rfc3339(value),
    };
    moment.map(Some).ok_or_else(|| unreadable(key, "is neither Unix seconds nor an RFC 3339 date-time"))
}

fn unreadable(key: &str, what: &str) -> String {
    let mut sentence = String::from(key);
    sentence.push_str(" in EDGEWARD_KV cannot be read: ");
    sentence.push_str(what);
    sentence.push_str(". Put what it should hold with `npx wrangler kv key put`.");
    sentence
}

#[cfg(test)]
mod tests;
