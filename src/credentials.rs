//! Which credentials a request bears, and which of them decides.
//!
//! 1. A value that holds two credentials, one cookie name or query parameter of ours twice, or two fields that each
//!    hold a kind the rule accepts: ambiguous. Nobody can say which was meant.
//! 2. Otherwise the first of these that is there and accepted decides alone: `Authorization`, an API key or a configured
//!    token field; a token in query or path; a token cookie. A weaker place is not consulted when a stronger one fails.
//! 3. Kinds that the rule does not accept are as if absent; if they are all there is, unsupported.

pub mod authorization;
pub mod basic;
pub mod cookie;
pub mod query;

use crate::policy::{Kind, Kinds, LinkEntry, LinkPlace, Policy, SessionSettings, TokenPlace};
use crate::request::{RequestFacts, Scheme as UrlScheme};
use crate::secret::Secret;
use crate::session;
use crate::token::signed_url::{Borne, LinkVerifier, Seen, Strength, bunny, grants};
use authorization::{Authorization, Scheme};
use std::borrow::Cow;

/// Every place in which any kind of token is looked for: gathered once, so that a request is searched once.
#[derive(Clone, Debug, Default)]
pub struct Places {
    authorization: bool,
    /// The field of API keys, where there are any.
    api_key: Option<String>,
    fields: Vec<TokenPlace>,
    queries: Vec<TokenPlace>,
    cookies: Vec<TokenPlace>,
    links: LinkPlaces,
    /// How people sign in, where they can.
    session: Option<SessionSettings>,
}

/// Where the tokens of signed URLs stand.
#[derive(Clone, Debug, Default)]
struct LinkPlaces {
    any: bool,
    fields: Vec<String>,
    cookies: Vec<String>,
    queries: Vec<String>,
    /// Parameters that belong together: the first is the one without which the others are somebody else's.
    groups: Vec<Vec<String>>,
    path: bool,
}

impl LinkPlaces {
    fn add(&mut self, entry: &LinkEntry) {
        self.any = true;
        for place in &entry.from {
            let (list, name) = match place {
                LinkPlace::Parameters => {
                    self.groups.push(entry.parameters.clone());
                    continue;
                }
                LinkPlace::Path => {
                    self.path = true;
                    continue;
                }
                LinkPlace::Query(name) => (&mut self.queries, name),
                LinkPlace::Cookie(name) => (&mut self.cookies, name),
                LinkPlace::Field(name) => (&mut self.fields, name),
            };
            if !list.contains(name) {
                list.push(name.clone());
            }
        }
    }
}

impl Places {
    /// Gathers the places that a policy names.
    #[must_use]
    pub fn of(policy: &Policy) -> Self {
        let mut places = Self::default();
        for place in policy.tokens.iter().flat_map(|entry| &entry.from) {
            let list = match place {
                TokenPlace::Authorization => {
                    places.authorization = true;
                    continue;
                }
                TokenPlace::Header(_) => &mut places.fields,
                TokenPlace::Query(_) => &mut places.queries,
                TokenPlace::Cookie(_) => &mut places.cookies,
            };
            if !list.contains(place) {
                list.push(place.clone());
            }
        }
        policy.links.iter().for_each(|entry| places.links.add(entry));
        places.session.clone_from(&policy.session);
        // Tokens that are made here stand where RFC 6750 §2.1 says.
        places.authorization |= policy.fresh_tokens.is_some();
        let has_keys = |rule: &crate::policy::Rule| rule.accept.has(Kind::ApiKey);
        if has_keys(policy.rules.default_rule()) || policy.rules.iter().any(has_keys) {
            places.api_key = Some(policy.api_key.field.clone());
        }
        places
    }

    /// The name of the cookie that holds the session, where people can sign in.
    #[must_use]
    pub fn session_cookie(&self, facts: &RequestFacts<'_>) -> Option<&'static str> {
        let settings = self.session.as_ref()?;
        let is_shared = settings.domain.is_some() && settings.shares(&facts.host());
        Some(session::cookie::name(facts.scheme == UrlScheme::Https, is_shared))
    }

    /// The request as rules see it: a token in the path is no part of that.
    #[must_use]
    pub fn set_aside<'r>(&self, facts: RequestFacts<'r>) -> RequestFacts<'r> {
        if self.links.path { facts.with_token_in_path(bunny::PATH_MARK) } else { facts }
    }

    /// Names of fields that hold credentials of ours, in lower case; `Authorization` is not among them.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        let api_key = self.api_key.as_deref().filter(|name| *name != "authorization");
        self.fields.iter().map(name_of).chain(self.links.fields.iter().map(String::as_str)).chain(api_key)
    }

    /// Whether a cookie of that name holds a token.
    #[must_use]
    pub fn has_cookie(&self, name: &str) -> bool {
        self.cookies.iter().any(|place| name_of(place) == name)
            || self.links.cookies.iter().any(|it| it == name)
    }

    /// Whether a token is looked for in the query at all.
    #[must_use]
    pub fn has_queries(&self) -> bool {
        !(self.queries.is_empty() && self.links.queries.is_empty() && self.links.groups.is_empty())
    }

    /// Whether a token is looked for in the URL at all: in its query, or in its path.
    #[must_use]
    pub fn are_in_urls(&self) -> bool {
        self.links.path || self.has_queries()
    }

    /// The query without tokens, octet for octet; `None` where nothing is left of it.
    #[must_use]
    pub fn without_tokens<'q>(&self, query: &'q str) -> Option<Cow<'q, str>> {
        if !self.has_queries() {
            return Some(Cow::Borrowed(query));
        }
        let bears = |names: &&Vec<String>| {
            names.first().is_some_and(|name| query::values(query, name).next().is_some())
        };
        let groups: Vec<&Vec<String>> = self.links.groups.iter().filter(bears).collect();
        query::without(query, |name| {
            let is = |known: &String| known.as_bytes() == name;
            self.queries.iter().any(|place| name_of(place).as_bytes() == name)
                || self.links.queries.iter().any(is)
                || groups.iter().any(|names| names.iter().any(is))
        })
    }
}

fn name_of(place: &TokenPlace) -> &str {
    match place {
        TokenPlace::Authorization => "authorization",
        TokenPlace::Cookie(name) | TokenPlace::Query(name) | TokenPlace::Header(name) => name,
    }
}

/// The field values in which the token of a signed URL may stand: read only where there are signed URLs.
#[derive(Debug, Default)]
pub struct Bearing {
    any: bool,
    cookies: String,
    fields: Vec<(String, String)>,
}

impl Bearing {
    /// Reads them.
    #[must_use]
    pub fn read(facts: &RequestFacts<'_>, places: &Places) -> Self {
        let LinkPlaces { any, fields, .. } = &places.links;
        if !any {
            return Self::default();
        }
        let value = |name: &String| facts.field(name).map(|value| (name.clone(), value));
        let fields = fields.iter().filter_map(value).collect();
        Self { any: true, cookies: facts.field("cookie").unwrap_or_default(), fields }
    }

    /// The request as presets see it; `None` where there are no signed URLs.
    #[must_use]
    pub fn seen<'s>(&'s self, facts: &'s RequestFacts<'s>) -> Option<Seen<'s>> {
        self.any.then(|| Seen::new(facts, &self.cookies, &self.fields))
    }
}

/// What decides, or why nothing does.
#[derive(Debug)]
pub enum Credentials<'p> {
    /// Nothing at all.
    Missing,
    /// Nothing but kinds that the rule does not accept; the kind, where it is one of ours.
    Unsupported(Option<Kind>),
    /// More than one reading.
    Ambiguous(Ambiguity),
    /// An `Authorization` that no scheme can be read from.
    Malformed,
    /// Basic: what stands behind the scheme.
    Basic(Secret<String>),
    /// A token, and where it was found.
    Token(Secret<String>, &'p TokenPlace),
    /// An API key.
    ApiKey(Secret<String>),
    /// The token of a signed URL, in a place of that strength.
    Link(Strength),
    /// The cookie that stands for signed URLs.
    Jar(Secret<String>),
    /// The cookie of a sign-in.
    Session(Secret<String>),
}

/// More than one reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ambiguity {
    /// What was there twice, in words for programs.
    pub detail: &'static str,
    /// The kind, where both readings are of one.
    pub kind: Option<Kind>,
    /// Whether every reading is ambient.
    pub ambient: bool,
}

impl Credentials<'_> {
    /// Whether the browser adds what decides by itself, whoever caused the request.
    #[must_use]
    pub const fn is_ambient(&self) -> bool {
        match self {
            Self::Basic(_)
            | Self::Token(_, TokenPlace::Cookie(_))
            | Self::Link(Strength::Cookie)
            | Self::Jar(_)
            | Self::Session(_) => true,
            Self::Ambiguous(ambiguity) => ambiguity.ambient,
            Self::Missing
            | Self::Unsupported(_)
            | Self::Malformed
            | Self::Token(..)
            | Self::ApiKey(_)
            | Self::Link(_) => false,
        }
    }

    /// Whether Basic is what decides: the one ambient kind that a WebSocket handshake without `Origin` may bear.
    #[must_use]
    pub const fn is_basic(&self) -> bool {
        match self {
            Self::Basic(_) => true,
            Self::Ambiguous(ambiguity) => matches!(ambiguity.kind, Some(Kind::Basic)),
            Self::Missing
            | Self::Unsupported(_)
            | Self::Malformed
            | Self::Token(..)
            | Self::ApiKey(_)
            | Self::Link(_)
            | Self::Jar(_)
            | Self::Session(_) => false,
        }
    }
}

/// Finds what decides. `seen` is there where there are signed URLs.
#[must_use]
pub fn extract<'p>(
    facts: &RequestFacts<'_>,
    places: &'p Places,
    accept: Kinds,
    links: &LinkVerifier,
    seen: Option<&Seen<'_>>,
) -> Credentials<'p> {
    let borne =
        |strength| seen.map_or(Weak::Absent, |seen| of_link(links.borne(seen, strength), strength, accept));
    let strong = strong(facts, places, accept, borne(Strength::Field));
    let query = weak(&places.queries, accept, |name, seen| {
        query::values(facts.query.unwrap_or_default(), name).for_each(seen);
    });
    let query = query.or(borne(Strength::Url));
    let cookies = (!places.cookies.is_empty()).then(|| facts.field("cookie")).flatten().unwrap_or_default();
    let cookie = weak(&places.cookies, accept, |name, seen| cookie::values(&cookies, name).for_each(seen));
    let cookie = cookie
        .or(borne(Strength::Cookie))
        .or(seen.map_or(Weak::Absent, |seen| jar(seen, accept)))
        .or(of_session(facts, places, accept));

    if matches!(strong, Credentials::Ambiguous(_)) {
        return strong;
    }
    let strong_decides = !matches!(strong, Credentials::Missing | Credentials::Unsupported(_));
    if let Weak::Twice(kind) = query {
        return twice("A query parameter of ours stands in the URL twice.", kind, strong.is_ambient());
    }
    if let Weak::Twice(kind) = cookie {
        let cookie_decides = !strong_decides && matches!(query, Weak::Absent | Weak::Unaccepted(_));
        return twice("A cookie of ours was sent twice.", kind, cookie_decides || strong.is_ambient());
    }
    if strong_decides {
        return strong;
    }
    let unaccepted = match (&query, &cookie) {
        (Weak::Unaccepted(kind), _) | (_, Weak::Unaccepted(kind)) => Credentials::Unsupported(Some(*kind)),
        _ => strong,
    };
    query.decides().or_else(|| cookie.decides()).unwrap_or(unaccepted)
}

/// The session alone, whatever else is there: it stands in for a signed URL that failed.
#[must_use]
pub fn session_besides(facts: &RequestFacts<'_>, places: &Places, accept: Kinds) -> Option<Secret<String>> {
    match of_session(facts, places, accept) {
        Weak::Session(value) => Some(value),
        _ => None,
    }
}

/// The session alone, whatever else is there, for the paths where people sign in and out; `None` where there is none.
///
/// # Errors
/// Where there are two.
pub fn session_alone(
    facts: &RequestFacts<'_>,
    places: &Places,
) -> Result<Option<Secret<String>>, &'static str> {
    match of_session(facts, places, Kinds::NONE.with(Kind::Session)) {
        Weak::Session(value) => Ok(Some(value)),
        Weak::Twice(_) => Err("A cookie of ours was sent twice."),
        _ => Ok(None),
    }
}

/// `Authorization`, the field of API keys, and the configured token fields.
fn strong<'p>(
    facts: &RequestFacts<'_>,
    places: &'p Places,
    accept: Kinds,
    link: Weak<'p>,
) -> Credentials<'p> {
    let mut found = facts
        .field("authorization")
        .map_or(Credentials::Missing, |value| of_authorization(&value, places, accept));
    let api_key = places.api_key.as_deref().filter(|name| *name != "authorization");
    let fields = places.fields.iter().map(|place| (name_of(place), Kind::Bearer, Some(place)));
    let fields = api_key.into_iter().map(|name| (name, Kind::ApiKey, None)).chain(fields);
    for (name, kind, place) in fields {
        let Some(value) = facts.field(name) else { continue };
        if !accept.has(kind) {
            if matches!(found, Credentials::Missing) {
                found = Credentials::Unsupported(Some(kind));
            }
        } else if value.contains(',') {
            return ambiguous("A field holds two credentials.", Some(kind));
        } else if matches!(found, Credentials::Missing | Credentials::Unsupported(_)) {
            let value = Secret::new(value);
            found = match place {
                Some(place) => Credentials::Token(value, place),
                None => Credentials::ApiKey(value),
            };
        } else {
            return ambiguous("Two fields hold credentials.", both(&found, kind));
        }
    }
    match (link, &found) {
        (Weak::Twice(kind), _) => ambiguous("A field holds two credentials.", Some(kind)),
        (Weak::Link(strength), Credentials::Missing | Credentials::Unsupported(_)) => {
            Credentials::Link(strength)
        }
        (Weak::Link(_), _) => ambiguous("Two fields hold credentials.", None),
        (Weak::Unaccepted(kind), Credentials::Missing) => Credentials::Unsupported(Some(kind)),
        (Weak::Absent | Weak::Unaccepted(_) | Weak::One(..) | Weak::Jar(_) | Weak::Session(_), _) => found,
    }
}

/// The kind of two credentials, where both are of one.
const fn both(found: &Credentials<'_>, kind: Kind) -> Option<Kind> {
    match (found, kind) {
        (Credentials::Token(..), Kind::Bearer) => Some(kind),
        _ => None,
    }
}

fn of_authorization<'p>(value: &str, places: &Places, accept: Kinds) -> Credentials<'p> {
    let kind_of = |scheme| match scheme {
        Scheme::Basic => Kind::Basic,
        Scheme::Bearer => Kind::Bearer,
    };
    match Authorization::parse(value) {
        Authorization::Basic(credentials) if accept.has(Kind::Basic) => {
            Credentials::Basic(Secret::new(credentials.to_owned()))
        }
        Authorization::Bearer(value) if is_api_key(value, places, accept) => {
            Credentials::ApiKey(Secret::new(value.to_owned()))
        }
        Authorization::Bearer(token) if accept.has(Kind::Bearer) && places.authorization => {
            Credentials::Token(Secret::new(token.to_owned()), &TokenPlace::Authorization)
        }
        Authorization::Basic(_) => Credentials::Unsupported(Some(Kind::Basic)),
        Authorization::Bearer(_) => Credentials::Unsupported(Some(Kind::Bearer)),
        Authorization::Other => Credentials::Unsupported(None),
        Authorization::Malformed => Credentials::Malformed,
        Authorization::Ambiguous(scheme) => {
            ambiguous("The Authorization field holds two credentials.", scheme.map(kind_of))
        }
    }
}

/// Whether a Bearer value is an API key, where these share the field with JWTs, which have two periods.
fn is_api_key(value: &str, places: &Places, accept: Kinds) -> bool {
    let shares = places.api_key.as_deref() == Some("authorization") && accept.has(Kind::ApiKey);
    let is_jwt =
        accept.has(Kind::Bearer) && places.authorization && value.bytes().filter(|b| *b == b'.').count() == 2;
    shares && !is_jwt
}

/// What a request bears of signed URLs.
fn of_link<'p>(borne: Borne, strength: Strength, accept: Kinds) -> Weak<'p> {
    match borne {
        Borne::Absent => Weak::Absent,
        Borne::Twice => Weak::Twice(Kind::SignedUrl),
        Borne::Present if accept.has(Kind::SignedUrl) => Weak::Link(strength),
        Borne::Present => Weak::Unaccepted(Kind::SignedUrl),
    }
}

/// The cookie that stands for signed URLs.
fn jar<'p>(seen: &Seen<'_>, accept: Kinds) -> Weak<'p> {
    let mut values = seen.cookies(grants::name(seen.facts.scheme == UrlScheme::Https));
    match (values.next(), values.next()) {
        (None, _) => Weak::Absent,
        (Some(_), Some(_)) => Weak::Twice(Kind::SignedUrl),
        (Some(_), None) if !accept.has(Kind::SignedUrl) => Weak::Unaccepted(Kind::SignedUrl),
        (Some(value), None) => Weak::Jar(Secret::new(value.to_owned())),
    }
}

/// The cookie of a sign-in.
fn of_session<'p>(facts: &RequestFacts<'_>, places: &Places, accept: Kinds) -> Weak<'p> {
    let Some(name) = places.session_cookie(facts) else { return Weak::Absent };
    let Some(field) = facts.field("cookie") else { return Weak::Absent };
    // Only a browser keeps cookies that somebody else's host has set, and browsers say that they are one.
    let is_browser = facts.field("sec-fetch-site").is_some() || facts.field("sec-fetch-mode").is_some();
    let (first, second) = if is_browser {
        let mut values = cookie::values(&field, name);
        (values.next(), values.next())
    } else {
        let mut values = cookie::values_of_lines(&field, name);
        (values.next(), values.next())
    };
    match (first, second) {
        (None, _) => Weak::Absent,
        (Some(_), Some(_)) => Weak::Twice(Kind::Session),
        (Some(_), None) if !accept.has(Kind::Session) => Weak::Unaccepted(Kind::Session),
        (Some(value), None) => Weak::Session(Secret::new(value.to_owned())),
    }
}

const fn ambiguous<'p>(detail: &'static str, kind: Option<Kind>) -> Credentials<'p> {
    Credentials::Ambiguous(Ambiguity { detail, kind, ambient: matches!(kind, Some(Kind::Basic)) })
}

const fn twice<'p>(detail: &'static str, kind: Kind, ambient: bool) -> Credentials<'p> {
    Credentials::Ambiguous(Ambiguity { detail, kind: Some(kind), ambient })
}

/// What a query, a cookie or a field of their own holds of ours.
enum Weak<'p> {
    Absent,
    Unaccepted(Kind),
    Twice(Kind),
    One(Secret<String>, &'p TokenPlace),
    Link(Strength),
    Jar(Secret<String>),
    Session(Secret<String>),
}

impl<'p> Weak<'p> {
    fn decides(self) -> Option<Credentials<'p>> {
        match self {
            Self::One(token, place) => Some(Credentials::Token(token, place)),
            Self::Link(strength) => Some(Credentials::Link(strength)),
            Self::Jar(value) => Some(Credentials::Jar(value)),
            Self::Session(value) => Some(Credentials::Session(value)),
            Self::Absent | Self::Unaccepted(_) | Self::Twice(_) => None,
        }
    }

    /// What stands in one place by two ways of looking: the first that decides, but nothing that is there twice.
    fn or(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Twice(_), _) => self,
            (_, Self::Twice(_)) | (Self::Absent, _) => other,
            (Self::Unaccepted(_), Self::One(..) | Self::Link(_) | Self::Jar(_) | Self::Session(_)) => other,
            (Self::Unaccepted(_) | Self::One(..) | Self::Link(_) | Self::Jar(_) | Self::Session(_), _) => {
                self
            }
        }
    }
}

fn weak<'p>(places: &'p [TokenPlace], accept: Kinds, each: impl Fn(&str, &mut dyn FnMut(&str))) -> Weak<'p> {
    let mut found = Weak::Absent;
    for place in places {
        let (mut count, mut first) = (0_u32, None);
        each(name_of(place), &mut |value| {
            count = count.saturating_add(1);
            first.get_or_insert_with(|| Secret::new(value.to_owned()));
        });
        match (first, &found) {
            (Some(_), _) if count > 1 => return Weak::Twice(Kind::Bearer),
            (Some(_), _) if !accept.has(Kind::Bearer) => found = Weak::Unaccepted(Kind::Bearer),
            (Some(value), Weak::Absent) => found = Weak::One(value, place),
            (Some(_) | None, _) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::FieldList;

    const BOTH: Kinds = Kinds::NONE.with(Kind::Basic).with(Kind::Bearer);

    fn places() -> Places {
        let header = TokenPlace::Header("x-token".into());
        let from = [
            TokenPlace::Authorization,
            TokenPlace::Cookie("t".into()),
            TokenPlace::Query("q".into()),
            header,
        ];
        Places {
            authorization: true,
            fields: from[3..].to_vec(),
            queries: from[2..3].to_vec(),
            cookies: from[1..2].to_vec(),
            ..Places::default()
        }
    }

    fn said(uri: &str, lines: &[(&str, &str)], accept: Kinds) -> String {
        let fields = FieldList::new(lines.iter().copied());
        let facts = RequestFacts::new("GET", uri, &fields).expect("an absolute URI");
        match extract(&facts, &places(), accept, &LinkVerifier::default(), None) {
            Credentials::Missing => "missing".into(),
            Credentials::Unsupported(kind) => format!("unsupported {}", kind.map_or("other", Kind::name)),
            Credentials::Ambiguous(it) => format!("ambiguous {}", if it.ambient { "ambient" } else { "not" }),
            Credentials::Malformed => "malformed".into(),
            Credentials::Basic(value) => format!("basic {}", value.expose()),
            Credentials::Token(value, place) => format!("{} {}", name_of(place), value.expose()),
            Credentials::ApiKey(_) | Credentials::Link(_) | Credentials::Jar(_) | Credentials::Session(_) => {
                "another kind".into()
            }
        }
    }

    #[test]
    fn the_first_that_is_there_and_accepted_decides() {
        let (basic, bearer) = (Kinds::NONE.with(Kind::Basic), Kinds::NONE.with(Kind::Bearer));
        let auth = |value| ("Authorization", value);
        for (uri, lines, accept, expected) in [
            ("https://h/", vec![], BOTH, "missing"),
            ("https://h/", vec![auth("Basic x")], BOTH, "basic x"),
            ("https://h/", vec![auth("Basic x")], bearer, "unsupported basic"),
            ("https://h/", vec![auth("Digest x")], BOTH, "unsupported other"),
            ("https://h/", vec![auth("")], BOTH, "malformed"),
            ("https://h/?q=1", vec![auth("Bearer b"), ("Cookie", "t=2")], BOTH, "authorization b"),
            ("https://h/?q=1", vec![("Cookie", "t=2")], BOTH, "q 1"),
            ("https://h/", vec![("Cookie", "t=2")], BOTH, "t 2"),
            ("https://h/", vec![("Cookie", "t=2")], basic, "unsupported bearer"),
            ("https://h/?q=1", vec![auth("Digest x")], BOTH, "q 1"),
            ("https://h/", vec![auth("Digest x"), ("X-Token", "3")], BOTH, "x-token 3"),
            ("https://h/", vec![auth("Basic x"), ("X-Token", "3")], basic, "basic x"),
            ("https://h/", vec![auth("Basic x"), ("X-Token", "3")], bearer, "x-token 3"),
        ] {
            assert_eq!(said(uri, &lines, accept), expected, "{uri} {lines:?}");
        }
    }

    #[test]
    fn two_that_are_accepted_are_ambiguous() {
        for (uri, lines, expected) in [
            ("https://h/", vec![("Authorization", "Basic x"), ("X-Token", "3")], "ambiguous not"),
            (
                "https://h/",
                vec![("Authorization", "Basic a"), ("Authorization", "Basic b")],
                "ambiguous ambient",
            ),
            (
                "https://h/",
                vec![("Authorization", "Bearer a"), ("Authorization", "Bearer b")],
                "ambiguous not",
            ),
            ("https://h/", vec![("X-Token", "a"), ("X-Token", "b")], "ambiguous not"),
            ("https://h/?q=1&q=1", vec![], "ambiguous not"),
            ("https://h/?q=1&%71=1", vec![("Authorization", "Bearer a")], "ambiguous not"),
            ("https://h/", vec![("Cookie", "t=1; t=1")], "ambiguous ambient"),
            ("https://h/", vec![("Cookie", "t=1; t=1"), ("Authorization", "Bearer a")], "ambiguous not"),
        ] {
            assert_eq!(said(uri, &lines, BOTH), expected, "{uri} {lines:?}");
        }
    }
}
