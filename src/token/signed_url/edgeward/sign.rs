//! Making a share link.

use super::fields::{self, Fields, GET, Where};
use super::{LINK, PARAMETER, digest};
use crate::credentials::query;
use crate::network::Network;
use crate::path::RequestPath;
use crate::request::{FieldList, RequestFacts};
use crate::time::UnixTime;
use crate::token::keys::Key;
use crate::token::signed_url::{Scope, Seen, Target};
use crate::token::{from_base64url, to_base64url};

/// What a link is to say.
#[derive(Clone, Debug)]
pub struct Terms<'t> {
    /// The time of issue. A link with a not-before does not say it.
    pub issued: UnixTime,
    /// From when on it is good.
    pub not_before: Option<UnixTime>,
    /// When it ends.
    pub end: UnixTime,
    /// All paths that begin so, where it is not for this one alone; ends with `/`.
    pub prefix: Option<&'t str>,
    /// Methods; empty for GET.
    pub methods: &'t [String],
    /// How often it may be used; `None` for any number of times.
    pub uses: Option<u16>,
    /// From where it may be used.
    pub network: Option<Network>,
    /// For whom it is.
    pub subject: Option<&'t str>,
}

impl Terms<'_> {
    /// A link for one address by GET, and nothing else said.
    #[must_use]
    pub const fn new(issued: UnixTime, end: UnixTime) -> Self {
        Self {
            issued,
            not_before: None,
            end,
            prefix: None,
            methods: &[],
            uses: None,
            network: None,
            subject: None,
        }
    }
}

/// Signs with the first key: the URL with its token, which stands last in the query. `id` is random.
///
/// # Errors
/// Why a link cannot be made, as a sentence.
pub fn sign(
    keys: &[Key],
    url: &str,
    terms: &Terms<'_>,
    id: [u8; fields::ID_SIZE],
) -> Result<String, &'static str> {
    let (url, fragment) = url.split_at(url.find('#').unwrap_or(url.len()));
    let none = FieldList::default();
    let facts = RequestFacts::new("GET", url, &none)
        .map_err(|_| "The URL must be absolute, with http:// or https:// and a host.")?;
    check_url(&facts, url)?;
    if query::values(facts.query.unwrap_or_default(), PARAMETER).next().is_some() {
        return Err("The URL bears a token already: sign it without.");
    }
    let key = keys.first().ok_or("There is no key to sign with.")?;
    let parts =
        fields(&facts, terms, key, id)?.write().ok_or("The link's times must lie between 1970 and 2106.")?;
    let signed: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    let tag = key.mac().tag_for(&LINK, &signed);
    let token = to_base64url(&[&parts.concat(), tag.as_bytes()].concat());
    let separator = match facts.query {
        None => "?",
        Some("") => "",
        Some(_) => "&",
    };
    Ok([url, separator, PARAMETER, "=", &token, fragment].concat())
}

fn fields(
    facts: &RequestFacts<'_>,
    terms: &Terms<'_>,
    key: &Key,
    id: [u8; fields::ID_SIZE],
) -> Result<Fields, &'static str> {
    let from = terms.not_before.unwrap_or(terms.issued);
    if terms.end.seconds() <= from.seconds() {
        return Err("The link must end after it begins.");
    }
    if terms.uses == Some(0) {
        return Err("A link that may be used no time at all is none.");
    }
    if terms.network.is_some_and(|network| network.length() == 0) {
        return Err("A network of all addresses limits nothing: leave it out.");
    }
    if terms.subject.is_some_and(|subject| !fields::is_subject(subject)) {
        return Err("The subject must have 1 to 255 octets, none of them a control character.");
    }
    let kid = from_base64url(key.kid()).and_then(|kid| kid.try_into().ok());
    Ok(Fields {
        kid: kid.ok_or("The key is none for share links.")?,
        id,
        delayed: terms.not_before.is_some(),
        from,
        end: terms.end,
        uses: terms.uses,
        methods: methods(terms.methods)?,
        prefix: prefix_length(facts, terms.prefix)?,
        network: terms.network,
        subject: terms.subject.map(str::to_owned),
        target: digest(&facts.host(), &place(facts, terms.prefix)),
    })
}

fn place<'a>(facts: &RequestFacts<'a>, prefix: Option<&'a str>) -> Where<'a> {
    match prefix {
        Some(prefix) => Where::Below(prefix),
        None => Where::Exactly { path: facts.path, query: facts.query.unwrap_or_default() },
    }
}

fn methods(names: &[String]) -> Result<u8, &'static str> {
    let mut set = 0;
    for name in names {
        set |= fields::method_bit(name)
            .ok_or("A link can be for GET (and HEAD), POST, PUT, PATCH, DELETE and OPTIONS.")?;
    }
    Ok(if set == 0 { GET } else { set })
}

fn prefix_length(facts: &RequestFacts<'_>, prefix: Option<&str>) -> Result<Option<u8>, &'static str> {
    let Some(prefix) = prefix else { return Ok(None) };
    if !prefix.ends_with('/') {
        return Err("The prefix must end with a slash.");
    }
    if !facts.path.starts_with(prefix) {
        return Err("The URL's path must begin with the prefix.");
    }
    // In every reading: `/a%2fb/` is below `/a/` to some servers and beside it to others.
    let scope = Scope { target: Target::Below(prefix.to_owned()), ..Scope::default() };
    if scope.check(&Seen::new(facts, "", &[])).is_err() {
        return Err("Servers read this path in more than one way, and not all are below the prefix.");
    }
    u8::try_from(prefix.len()).map(Some).map_err(|_| "The prefix may have 255 octets at most.")
}

/// Whether the URL is what the Worker will see of it: a browser and the platform rewrite one that is not.
fn check_url(facts: &RequestFacts<'_>, url: &str) -> Result<(), &'static str> {
    let after_scheme = url.split_once("://").map_or("", |(_, after)| after);
    if !after_scheme.starts_with(facts.authority) {
        return Err("The URL may not hold a user-id or password.");
    }
    let of_host = |octet: u8| octet.is_ascii_alphanumeric() || b"-._:[]".contains(&octet);
    if !facts.authority.bytes().all(of_host) || facts.host().is_empty() {
        return Err("The URL's host must be written in ASCII (xn--…).");
    }
    let plain = |octet: u8, unlike: &[u8]| octet.is_ascii_graphic() && !unlike.contains(&octet);
    if !facts.path.bytes().all(|octet| plain(octet, b"\"<>`{}^\\")) {
        return Err("The URL's path has characters that are percent-encoded on the way: write them so.");
    }
    if !facts.query.unwrap_or_default().bytes().all(|octet| plain(octet, b"\"<>'")) {
        return Err("The URL's query has characters that are percent-encoded on the way: write them so.");
    }
    if facts.path.split('/').any(is_dots) {
        return Err("The URL's path has . or .. in it, which is resolved on the way: write it without.");
    }
    RequestPath::parse(facts.path)
        .map(|_| ())
        .map_err(|_| "The URL's path cannot be read: it is not UTF-8 once it is percent-decoded.")
}

/// Whether a URL parser takes a segment for `.` or `..` (URL Standard §4.1).
fn is_dots(segment: &str) -> bool {
    let mut rest = segment;
    let mut dots = 0;
    while let Some(after) =
        rest.strip_prefix('.').or_else(|| rest.strip_prefix("%2e").or_else(|| rest.strip_prefix("%2E")))
    {
        (rest, dots) = (after, dots + 1);
    }
    rest.is_empty() && (dots == 1 || dots == 2)
}
