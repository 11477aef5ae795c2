//! Which credentials a request bears, and which of them decides.
//!
//! 1. A value that holds two credentials, one cookie name or query parameter of ours twice, or two fields that each
//!    hold a kind the rule accepts: ambiguous. Nobody can say which was meant.
//! 2. Otherwise the first of these that is there and accepted decides alone: `Authorization` or a configured token
//!    field; a query parameter; a cookie. A weaker place is not consulted when a stronger one fails.
//! 3. Kinds that the rule does not accept are as if absent; if they are all there is, unsupported.

pub mod authorization;
pub mod basic;
pub mod cookie;
pub mod query;

use crate::policy::{Kind, Kinds, TokenEntry, TokenPlace};
use crate::request::RequestFacts;
use crate::secret::Secret;
use authorization::{Authorization, Scheme};

/// Every place in which any token entry looks: gathered once, so that a request is searched once.
#[derive(Clone, Debug, Default)]
pub struct Places {
    authorization: bool,
    fields: Vec<TokenPlace>,
    queries: Vec<TokenPlace>,
    cookies: Vec<TokenPlace>,
}

impl Places {
    /// Gathers the places of all entries.
    #[must_use]
    pub fn of(entries: &[TokenEntry]) -> Self {
        let mut places = Self::default();
        for place in entries.iter().flat_map(|entry| &entry.from) {
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
        places
    }

    /// Names of token fields, in lower case.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(name_of)
    }

    /// Names of token cookies.
    pub fn cookies(&self) -> impl Iterator<Item = &str> {
        self.cookies.iter().map(name_of)
    }

    /// Names of query parameters.
    pub fn queries(&self) -> impl Iterator<Item = &str> {
        self.queries.iter().map(name_of)
    }
}

fn name_of(place: &TokenPlace) -> &str {
    match place {
        TokenPlace::Authorization => "authorization",
        TokenPlace::Cookie(name) | TokenPlace::Query(name) | TokenPlace::Header(name) => name,
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
            Self::Basic(_) | Self::Token(_, TokenPlace::Cookie(_)) => true,
            Self::Ambiguous(ambiguity) => ambiguity.ambient,
            Self::Missing | Self::Unsupported(_) | Self::Malformed | Self::Token(..) => false,
        }
    }

    /// Whether Basic is what decides: the one ambient kind that a WebSocket handshake without `Origin` may bear.
    #[must_use]
    pub const fn is_basic(&self) -> bool {
        match self {
            Self::Basic(_) => true,
            Self::Ambiguous(ambiguity) => matches!(ambiguity.kind, Some(Kind::Basic)),
            Self::Missing | Self::Unsupported(_) | Self::Malformed | Self::Token(..) => false,
        }
    }
}

/// Finds what decides.
#[must_use]
pub fn extract<'p>(facts: &RequestFacts<'_>, places: &'p Places, accept: Kinds) -> Credentials<'p> {
    let strong = strong(facts, places, accept);
    let query = weak(&places.queries, accept, |name, seen| {
        query::values(facts.query.unwrap_or_default(), name).for_each(seen);
    });
    let cookies = (!places.cookies.is_empty()).then(|| facts.field("cookie")).flatten().unwrap_or_default();
    let cookie = weak(&places.cookies, accept, |name, seen| cookie::values(&cookies, name).for_each(seen));

    if matches!(strong, Credentials::Ambiguous(_)) {
        return strong;
    }
    let strong_decides = !matches!(strong, Credentials::Missing | Credentials::Unsupported(_));
    if matches!(query, Weak::Twice) {
        return twice("A query parameter of ours stands in the URL twice.", strong.is_ambient());
    }
    if matches!(cookie, Weak::Twice) {
        let cookie_decides = !strong_decides && matches!(query, Weak::Absent | Weak::Unaccepted);
        return twice("A cookie of ours was sent twice.", cookie_decides || strong.is_ambient());
    }
    if strong_decides {
        return strong;
    }
    let unaccepted = match (&query, &cookie) {
        (Weak::Unaccepted, _) | (_, Weak::Unaccepted) => Credentials::Unsupported(Some(Kind::Bearer)),
        _ => strong,
    };
    query.decides().or_else(|| cookie.decides()).unwrap_or(unaccepted)
}

/// `Authorization` and the configured token fields.
fn strong<'p>(facts: &RequestFacts<'_>, places: &'p Places, accept: Kinds) -> Credentials<'p> {
    let mut found = facts
        .field("authorization")
        .map_or(Credentials::Missing, |value| of_authorization(&value, places, accept));
    for place in &places.fields {
        let Some(value) = facts.field(name_of(place)) else { continue };
        if !accept.has(Kind::Bearer) {
            if matches!(found, Credentials::Missing) {
                found = Credentials::Unsupported(Some(Kind::Bearer));
            }
        } else if value.contains(',') {
            return ambiguous("A token field holds two values.", Some(Kind::Bearer));
        } else if matches!(found, Credentials::Missing | Credentials::Unsupported(_)) {
            found = Credentials::Token(Secret::new(value), place);
        } else {
            let both = matches!(found, Credentials::Token(..)).then_some(Kind::Bearer);
            return ambiguous("Two fields hold credentials.", both);
        }
    }
    found
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

const fn ambiguous<'p>(detail: &'static str, kind: Option<Kind>) -> Credentials<'p> {
    Credentials::Ambiguous(Ambiguity { detail, kind, ambient: matches!(kind, Some(Kind::Basic)) })
}

const fn twice<'p>(detail: &'static str, ambient: bool) -> Credentials<'p> {
    Credentials::Ambiguous(Ambiguity { detail, kind: Some(Kind::Bearer), ambient })
}

/// What a query or a cookie holds of ours.
enum Weak<'p> {
    Absent,
    Unaccepted,
    Twice,
    One(Secret<String>, &'p TokenPlace),
}

impl<'p> Weak<'p> {
    fn decides(self) -> Option<Credentials<'p>> {
        match self {
            Self::One(token, place) => Some(Credentials::Token(token, place)),
            Self::Absent | Self::Unaccepted | Self::Twice => None,
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
            (Some(_), _) if count > 1 => return Weak::Twice,
            (Some(_), _) if !accept.has(Kind::Bearer) => found = Weak::Unaccepted,
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
        }
    }

    fn said(uri: &str, lines: &[(&str, &str)], accept: Kinds) -> String {
        let fields = FieldList::new(lines.iter().copied());
        let facts = RequestFacts::new("GET", uri, &fields).expect("an absolute URI");
        match extract(&facts, &places(), accept) {
            Credentials::Missing => "missing".into(),
            Credentials::Unsupported(kind) => format!("unsupported {}", kind.map_or("other", Kind::name)),
            Credentials::Ambiguous(it) => format!("ambiguous {}", if it.ambient { "ambient" } else { "not" }),
            Credentials::Malformed => "malformed".into(),
            Credentials::Basic(value) => format!("basic {}", value.expose()),
            Credentials::Token(value, place) => format!("{} {}", name_of(place), value.expose()),
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
