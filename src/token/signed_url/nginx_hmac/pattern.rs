//! `pattern = "$uri|$arg_ts|$arg_e"`: what is signed, with nginx's variables.

use crate::policy::LinkEntry;

/// The pattern of an entry that names none: that of the module's README.
pub const DEFAULT: &str = "$uri|$arg_ts|$arg_e";

/// Variables by name, besides `$arg_NAME`.
const KNOWN: [&str; 7] = ["uri", "request_uri", "args", "host", "scheme", "remote_addr", "request_method"];

/// A pattern taken apart.
#[derive(Debug)]
pub struct Pattern<'p> {
    /// Its variables, in their order.
    pub variables: Vec<Variable<'p>>,
    /// What stands behind the last.
    pub tail: &'p str,
}

/// A variable of a pattern.
#[derive(Debug, PartialEq, Eq)]
pub struct Variable<'p> {
    /// What stands before it, behind the one before.
    pub before: &'p str,
    /// Its name, without `$` and braces.
    pub name: &'p str,
}

impl<'p> Pattern<'p> {
    /// Takes a pattern apart.
    ///
    /// # Errors
    /// What was expected where it is none.
    pub fn parse(text: &'p str) -> Result<Self, String> {
        let mut variables = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('$') {
            let (name, left) = name(after).ok_or("a name after each $, as in $uri or ${uri}")?;
            if !is_known(name) {
                return Err(["$arg_NAME, $", &KNOWN.join(", $"), " instead of $", name].concat());
            }
            variables.push(Variable { before, name });
            rest = left;
        }
        Ok(Self { variables, tail: rest })
    }

    /// The pattern of an entry, or the default.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn of(entry: &'p LinkEntry) -> Result<Self, String> {
        Self::parse(entry.pattern.as_deref().unwrap_or(DEFAULT))
    }

    /// Whether the variable is in it.
    pub fn has(&self, name: &str) -> bool {
        self.variables.iter().any(|variable| variable.name == name)
    }

    /// Whether the query parameter is signed: by itself, or with the whole query.
    pub fn signs(&self, parameter: &str) -> bool {
        let is_it = |variable: &Variable<'_>| variable.name.strip_prefix("arg_") == Some(parameter);
        self.signs_query() || self.variables.iter().any(is_it)
    }

    /// Whether the whole query is signed.
    pub fn signs_query(&self) -> bool {
        self.has("args") || self.has("request_uri")
    }

    /// What stands between a variable and the path or query, which alone may hold any octet: the octet that ends it.
    /// `None` where nothing does. There is no such octet for the path or query itself.
    pub fn separators(&self) -> impl Iterator<Item = (&Variable<'p>, Option<u8>)> {
        let free = self.free();
        let others = self.variables.iter().enumerate().filter(move |(at, _)| Some(*at) != free);
        others.map(move |(at, variable)| {
            let octet = if free.is_none_or(|free| at > free) {
                variable.before.bytes().last()
            } else {
                self.variables.get(at + 1).and_then(Variable::first)
            };
            (variable, octet)
        })
    }

    /// The variable that may hold any octet: it is found by what stands on both sides of it.
    fn free(&self) -> Option<usize> {
        let at = |name: &str| self.variables.iter().position(|variable| variable.name == name);
        at("request_uri").or_else(|| at("args")).or_else(|| at("uri"))
    }
}

impl Variable<'_> {
    /// The octet at which the variable before it ends.
    fn first(&self) -> Option<u8> {
        let path = matches!(self.name, "uri" | "request_uri").then_some(b'/');
        self.before.bytes().next().or(path)
    }
}

/// The name behind a `$`, and what follows it.
fn name(text: &str) -> Option<(&str, &str)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let (name, rest) = match text.strip_prefix('{') {
        Some(braced) => braced.split_once('}')?,
        None => text.split_at_checked(text.find(|c| !is_name(c)).unwrap_or(text.len()))?,
    };
    (!name.is_empty() && name.chars().all(is_name)).then_some((name, rest))
}

fn is_known(name: &str) -> bool {
    KNOWN.contains(&name) || name.strip_prefix("arg_").is_some_and(|name| !name.is_empty())
}
