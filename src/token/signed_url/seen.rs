//! What a preset sees of a request: the bytes as they came in.

use super::Bearing;
use crate::credentials::cookie;
use crate::credentials::query::{self, Parameter, Parameters};
use crate::path::RequestPath;
use crate::policy::{LinkEntry, LinkPlace};
use crate::request::RequestFacts;
use core::cell::OnceCell;
use std::borrow::Cow;

/// A parameter, cookie or field of ours stands there twice: nobody can say which was meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Twice;

/// A request, as a preset sees it.
pub struct Seen<'r> {
    /// The facts.
    pub facts: &'r RequestFacts<'r>,
    /// The cookies, by name.
    cookies: Vec<(&'r str, &'r str)>,
    /// The values of the fields that entries look in, by lower-case name.
    fields: &'r [(String, String)],
    /// The query, taken apart once: entries ask for a dozen names.
    parameters: Vec<Parameter<'r>>,
    readings: OnceCell<Option<Vec<Vec<u8>>>>,
}

impl<'r> Seen<'r> {
    /// A request with the fields that may bear a token; `cookies` is the value of `Cookie`, empty where there is none.
    #[must_use]
    pub fn new(facts: &'r RequestFacts<'r>, cookies: &'r str, fields: &'r [(String, String)]) -> Self {
        let parameters = facts.query.into_iter().flat_map(Parameters::of).collect();
        Self { facts, cookies: cookie::all(cookies).collect(), fields, parameters, readings: OnceCell::new() }
    }

    /// The values of a cookie.
    pub fn cookies(&self, name: &str) -> impl Iterator<Item = &'r str> {
        self.cookies.iter().filter(move |(known, _)| *known == name).map(|(_, value)| *value)
    }

    /// The raw query; empty where there is none.
    #[must_use]
    pub fn query(&self) -> &'r str {
        self.facts.query.unwrap_or_default()
    }

    /// The raw values of a query parameter, however its name is spelled.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &'r str> {
        let wanted = move |it: &&Parameter<'r>| *it.name == *name.as_bytes();
        self.parameters.iter().filter(wanted).map(|it| it.value)
    }

    /// The raw value of a query parameter, where it stands there once and its name is spelled as it is: a name that is
    /// percent-encoded is another byte sequence than the one that was signed.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&'r str> {
        self.parameters.iter().find_map(|it| it.raw.strip_prefix(name)?.strip_prefix('='))
    }

    /// The parameters of the raw query, in their order, without those of these names.
    pub fn parameters_without(&self, names: &'r [String]) -> impl Iterator<Item = &'r str> {
        let is_one = |raw: &str, name: &str| {
            raw.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        };
        let raw = self.parameters.iter().map(|it| it.raw);
        raw.filter(move |raw| !names.iter().any(|name| is_one(raw, name)))
    }

    /// Path and query as they came in, without the parameters of these names; a `?` stands only before what is left.
    #[must_use]
    pub fn target_without(&self, names: &'r [String]) -> String {
        let rest: Vec<&str> = self.parameters_without(names).collect();
        let mut target = self.facts.path.to_owned();
        if !rest.is_empty() {
            target.push('?');
            target.push_str(&rest.join("&"));
        }
        target
    }

    /// What stands in a place of an entry, if anything does.
    ///
    /// # Errors
    /// Where it stands there twice, in whatever spelling of its name.
    pub fn bearing(&self, entry: &'r LinkEntry, place: &'r LinkPlace) -> Result<Option<Bearing<'r>>, Twice> {
        let bears = |value: &'r str| Bearing { place, value };
        match place {
            LinkPlace::Parameters => self.bears_parameters(entry).map(|there| there.then(|| bears(""))),
            // A name that is percent-encoded is not the one that was sent: its token is malformed, as it is empty.
            LinkPlace::Query(name) => {
                once(self.values(name)).map(|it| it.map(|_| bears(self.parameter(name).unwrap_or_default())))
            }
            LinkPlace::Cookie(name) => once(self.cookies(name)).map(|it| it.map(bears)),
            LinkPlace::Field(name) => {
                let values = self.fields.iter().filter(|(known, _)| known == name);
                once(values.map(|(_, value)| value.as_str())).map(|it| it.map(bears))
            }
            LinkPlace::Path => Ok(self.facts.path_token.map(bears)),
        }
    }

    /// Whether the first of the format's parameters is there; none of them may be there twice then.
    fn bears_parameters(&self, entry: &LinkEntry) -> Result<bool, Twice> {
        let count = |name: &String| self.values(name).take(2).count();
        let there = entry.parameters.first().is_some_and(|name| count(name) > 0);
        if there && entry.parameters.iter().any(|name| count(name) > 1) {
            return Err(Twice);
        }
        Ok(there)
    }

    /// The readings of a path that has more than one, decoded; empty for one that is what it looks like, `None` for one
    /// that cannot be read.
    pub fn readings(&self) -> Option<&[Vec<u8>]> {
        self.readings.get_or_init(|| readings(self.facts.path)).as_deref()
    }
}

fn readings(path: &str) -> Option<Vec<Vec<u8>>> {
    let path = RequestPath::parse(path).ok()?;
    let marked = path.bears_marks();
    Some(path.readings().filter(|_| marked).map(|reading| reading.as_bytes().to_vec()).collect())
}

fn once<'r>(mut values: impl Iterator<Item = &'r str>) -> Result<Option<&'r str>, Twice> {
    let first = values.next();
    if values.next().is_some() { Err(Twice) } else { Ok(first) }
}

/// A value with its percent-encoding taken off; `None` where a `%` stands alone or it is no UTF-8. `+` stays.
#[must_use]
pub fn decoded(value: &str) -> Option<Cow<'_, str>> {
    query::decode_value(value)
}
