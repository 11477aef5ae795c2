//! The request as it is described: field lines, from arguments or from where credentials are safe.

use crate::cli::input;
use crate::cli::output::Misuse;
use edgeward::request::{FieldList, Fields};
use std::net::IpAddr;

/// Field lines in the order in which they are given, and their names.
pub struct Described {
    list: FieldList,
    lines: Vec<(String, String)>,
    /// Names in lower case, each once.
    pub names: Vec<String>,
}

impl Described {
    /// The same, of a client with that address and in that country. The platform names one address, so there is one.
    pub fn of(self, address: Option<IpAddr>, country: Option<&str>) -> Result<Self, Misuse> {
        let Self { mut lines, mut names, .. } = self;
        if let Some(address) = address {
            if names.iter().any(|name| name == ADDRESS) {
                return Err(Misuse::new(
                    "--address and -H 'CF-Connecting-IP: …' say the same: leave one out.",
                ));
            }
            lines.push((ADDRESS.to_owned(), address.to_string()));
            names.push(ADDRESS.to_owned());
        }
        if country.is_some_and(|it| it.len() != 2 || !it.bytes().all(|b| b.is_ascii_uppercase())) {
            return Err(Misuse::new("--country is two capital letters, such as NL."));
        }
        Ok(Self { list: FieldList::new(lines.clone()).with_country(country), lines, names })
    }
}

/// The field in which the platform says the client's address.
const ADDRESS: &str = "cf-connecting-ip";

impl Fields for Described {
    fn get(&self, name: &str) -> Option<String> {
        self.list.get(name)
    }

    fn country(&self) -> Option<String> {
        self.list.country()
    }
}

/// Reads every `-H`.
pub fn fields(arguments: &[String]) -> Result<Described, Misuse> {
    let mut lines = Vec::new();
    for argument in arguments {
        match argument.strip_prefix('@') {
            None => lines.push(line(argument)?),
            Some("-") => add(input::all()?.expose(), &mut lines)?,
            Some(file) => {
                let text = std::fs::read_to_string(file)
                    .map_err(|error| Misuse::new(format!("{file} cannot be read: {error}.")))?;
                add(&text, &mut lines)?;
            }
        }
    }
    let mut names: Vec<String> = lines.iter().map(|(name, _)| name.to_ascii_lowercase()).collect();
    names.sort();
    names.dedup();
    Ok(Described { list: FieldList::new(lines.clone()), lines, names })
}

fn add(text: &str, lines: &mut Vec<(String, String)>) -> Result<(), Misuse> {
    for text in text.lines().filter(|line| !line.trim().is_empty()) {
        lines.push(line(text)?);
    }
    Ok(())
}

/// `Name: value` (RFC 9112 §5). A line that is none is not shown: it may be a credential.
fn line(text: &str) -> Result<(String, String), Misuse> {
    let (name, value) =
        text.split_once(':').ok_or_else(|| Misuse::new("A field line is written 'Name: value'."))?;
    if !is_token(name) {
        return Err(Misuse::new(
            "A field line begins with a name of letters, digits and hyphens, and a colon.",
        ));
    }
    let value = value.trim_matches([' ', '\t', '\r']);
    if value.chars().any(|c| c.is_control() && c != '\t') {
        return Err(Misuse::new(format!(
            "The value of {name} holds a control character, which no field value may."
        )));
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// A method is a token (RFC 9110 §9.1).
pub fn check_method(method: &str) -> Result<(), Misuse> {
    if is_token(method) { Ok(()) } else { Err(Misuse::new("--method must be a token, such as GET.")) }
}

/// RFC 9110 §5.6.2.
fn is_token(text: &str) -> bool {
    let is_tchar = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(is_tchar)
}
