//! What a token authorises, checked against the request it came with.
//!
//! A prefix or glob that is checked against bytes alone is a way around it: `/files/ann/%2e%2e/bob` begins with
//! `/files/ann/`. So a path that can be read in more than one way has to be inside in every one of its readings.

use super::Seen;
use crate::credentials::query;
use crate::path::{Stray, decode};
use crate::request::RequestFacts;
use crate::token::mac::Purpose;
use crate::token::to_base64url;
use ipnet::IpNet;
use sha2::{Digest as _, Sha256};

/// Where a token may be used, and by whom. What is empty or `None` is not limited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// `scheme://host[:port]` it is for, as it was signed.
    pub origin: Option<String>,
    /// The host it is for: lower case, without port.
    pub host: Option<String>,
    /// Which paths.
    pub target: Target,
    /// Methods; HEAD is decided as GET.
    pub methods: Vec<String>,
    /// Client addresses.
    pub networks: Vec<IpNet>,
    /// Countries (ISO 3166-1, two capital letters), one of which the client must be in.
    pub countries: Vec<String>,
    /// Countries that the client must not be in.
    pub blocked_countries: Vec<String>,
    /// Fields that requests must bear: names in lower case, and their values. Empty is a field that is not there.
    pub fields: Vec<(String, String)>,
}

/// Which paths a token is for. All are raw: percent-encoded, as they were signed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Target {
    /// The very request it came with: the address itself was signed, so the tag has said it. `query`: with the query,
    /// less the token.
    This {
        /// Whether the query was signed too.
        query: bool,
    },
    /// This path, and where it was signed this query (`Some("")` for none).
    Exactly {
        /// The path.
        path: String,
        /// The query; `None` where it was not signed.
        query: Option<String>,
    },
    /// The path, and where it was signed the query, that have this digest: a long address, for a cookie.
    Digest {
        /// The digest, in base64url.
        sum: String,
        /// Whether the query is in it.
        query: bool,
    },
    /// All that begins so.
    Below(String),
    /// All that fits one of these: `*` is any number of characters, `?` is one.
    Globs(Vec<String>),
    /// Any.
    #[default]
    Anywhere,
    /// Not this one: the token holds a digest of where it is for, which the request does not have.
    Elsewhere,
}

impl Scope {
    /// Whether a request is inside.
    ///
    /// # Errors
    /// What is not, as a sentence for programs.
    pub fn check(&self, seen: &Seen<'_>) -> Result<(), String> {
        let facts = seen.facts;
        if self.origin.as_ref().is_some_and(|origin| *origin != facts.origin())
            || self.host.as_ref().is_some_and(|host| *host != facts.host())
        {
            return Err("The link is for another host.".to_owned());
        }
        if !self.target.holds(seen) {
            return Err(self.target.elsewhere());
        }
        let method = if facts.method == "HEAD" { "GET" } else { facts.method };
        if !self.methods.is_empty() && !self.methods.iter().any(|it| it == method || it == facts.method) {
            return Err(["The link is for ", &self.methods.join(", "), " only."].concat());
        }
        if !self.networks.is_empty() && !is_inside(&self.networks, seen) {
            return Err("The link is for another client address.".to_owned());
        }
        if self.fields.iter().any(|(name, value)| facts.field(name).unwrap_or_default() != *value) {
            return Err("The link is for requests with other fields.".to_owned());
        }
        self.check_country(facts)
    }

    /// Whether requests must bear the cookies of this one: then no other cookie can stand for the link.
    #[must_use]
    pub fn is_bound_to_cookies(&self) -> bool {
        self.fields.iter().any(|(name, _)| name == "cookie")
    }

    fn check_country(&self, facts: &RequestFacts<'_>) -> Result<(), String> {
        if self.countries.is_empty() && self.blocked_countries.is_empty() {
            return Ok(());
        }
        // Where the platform does not say, a link that asks for a country is for nobody.
        let country = facts.fields.country();
        let is_in = |list: &[String]| country.as_ref().is_some_and(|it| list.iter().any(|one| one == it));
        let allowed = self.countries.is_empty() || is_in(&self.countries);
        let blocked =
            !self.blocked_countries.is_empty() && (country.is_none() || is_in(&self.blocked_countries));
        if allowed && !blocked { Ok(()) } else { Err("The link is not for this country.".to_owned()) }
    }

    /// The same scope for another request than the one the token came with: what the tag said of this one is written
    /// out. `query` is the request's, less the token.
    #[must_use]
    pub fn written_out(mut self, facts: &RequestFacts<'_>, query: &str) -> Self {
        self.target = match self.target {
            Target::This { query: signed } => Target::exactly(facts.path, signed.then_some(query)),
            Target::Exactly { path, query } => Target::exactly(&path, query.as_deref()),
            other => other,
        };
        self.host.get_or_insert_with(|| facts.host());
        self
    }
}

/// The longest address that is written out, in octets: of a longer one, its digest. So every link to one address fits
/// into a cookie.
const LONGEST_WRITTEN: usize = 160;

/// The digest of an address. No secret: it stands in what is signed.
fn sum(path: &str, query: Option<&str>) -> String {
    const ADDRESS: Purpose = Purpose("edgeward/link-address/v1");
    let fields: Vec<&[u8]> = core::iter::once(path).chain(query).map(str::as_bytes).collect();
    to_base64url(&Sha256::digest(ADDRESS.input(&fields)))
}

impl Target {
    fn exactly(path: &str, query: Option<&str>) -> Self {
        if path.len() + query.map_or(0, str::len) > LONGEST_WRITTEN {
            return Self::Digest { sum: sum(path, query), query: query.is_some() };
        }
        Self::Exactly { path: path.to_owned(), query: query.map(str::to_owned) }
    }

    fn holds(&self, seen: &Seen<'_>) -> bool {
        let facts = seen.facts;
        match self {
            Self::This { .. } | Self::Anywhere => true,
            Self::Elsewhere => false,
            Self::Exactly { path, query } => {
                path == facts.path
                    && query.as_ref().is_none_or(|query| query == facts.query.unwrap_or_default())
            }
            Self::Digest { sum: wanted, query } => {
                *wanted == sum(facts.path, query.then(|| facts.query.unwrap_or_default()))
            }
            Self::Below(prefix) => starts_with(prefix, seen),
            Self::Globs(globs) => globs.iter().any(|glob| fits(glob, seen)),
        }
    }

    /// `The link is for /a/* and was used for another path.`
    fn elsewhere(&self) -> String {
        let what = match self {
            Self::This { .. } | Self::Digest { .. } | Self::Anywhere | Self::Elsewhere => {
                return "The link is for another page.".to_owned();
            }
            Self::Exactly { path, .. } => path.clone(),
            Self::Below(prefix) => [prefix, "*"].concat(),
            Self::Globs(globs) => globs.join(" or "),
        };
        ["The link is for ", &what, " and was used for another path."].concat()
    }
}

/// Whether a path begins so, in every reading of it.
fn starts_with(prefix: &str, seen: &Seen<'_>) -> bool {
    everywhere(prefix, seen, |prefix, path| path.starts_with(prefix))
}

/// Whether a path fits a glob, in every reading of it.
fn fits(glob: &str, seen: &Seen<'_>) -> bool {
    everywhere(glob, seen, matches_glob)
}

fn everywhere(raw: &str, seen: &Seen<'_>, holds: impl Fn(&[u8], &[u8]) -> bool) -> bool {
    let Some(readings) = seen.readings() else { return false };
    let received = holds(raw.as_bytes(), seen.facts.path.as_bytes());
    if readings.is_empty() || !received {
        return received;
    }
    decode(raw.as_bytes(), Stray::Kept)
        .is_ok_and(|decoded| readings.iter().all(|reading| holds(&decoded, reading)))
}

/// `*` is any number of octets, `?` is one. Takes the product of both lengths at most.
#[must_use]
pub fn matches_glob(glob: &[u8], text: &[u8]) -> bool {
    let (mut glob, mut text) = (glob, text);
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        match (glob.split_first(), text.split_first()) {
            (Some((b'*', after)), _) => {
                retry = Some((after, text));
                glob = after;
            }
            (Some((wanted, after)), Some((octet, rest))) if wanted == octet || *wanted == b'?' => {
                (glob, text) = (after, rest);
            }
            (None, None) => return true,
            _ => {
                let Some((after, [_, rest @ ..])) = retry else { return false };
                retry = Some((after, rest));
                (glob, text) = (after, rest);
            }
        }
    }
}

/// Whether the client's address is in one of these networks.
#[must_use]
pub fn is_inside(networks: &[IpNet], seen: &Seen<'_>) -> bool {
    seen.facts.client_address().is_some_and(|address| networks.iter().any(|net| net.contains(&address)))
}

/// Whether the path is one of these (`/a`), or below one of them (`/a/*` is `/a` and all below), in every reading.
#[must_use]
pub fn is_below(paths: &[String], seen: &Seen<'_>) -> bool {
    let below = |pattern: &[u8], path: &[u8]| match pattern.strip_suffix(b"/*") {
        Some(folder) => {
            path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        }
        None => pattern == path,
    };
    paths.iter().any(|pattern| everywhere(pattern, seen, below))
}

/// The query without the parameters of these names, octet for octet; empty where nothing is left.
#[must_use]
pub fn query_without(facts: &RequestFacts<'_>, ours: impl Fn(&[u8]) -> bool) -> String {
    facts.query.and_then(|query| query::without(query, ours)).unwrap_or_default().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::FieldList;

    fn inside(scope: &Scope, method: &str, uri: &str, fields: &FieldList) -> bool {
        let facts = RequestFacts::new(method, uri, fields).expect("an absolute URI");
        scope.check(&Seen::new(&facts, "", &[])).is_ok()
    }

    #[test]
    fn a_prefix_holds_in_every_reading() {
        let scope = Scope { target: Target::Below("/files/ann/".into()), ..Scope::default() };
        let none = FieldList::default();
        for (path, wanted) in [
            ("/files/ann/a.txt", true),
            ("/files/ann/a%20b.txt", true),
            ("/files/ann/", true),
            ("/files/ann", false),
            ("/files/anna", false),
            ("/files/ann/%2e%2e/bob", false),
            ("/files/ann/../bob", false),
            ("/files/ann/..%2fbob", false),
            ("/files/ann/..;/bob", false),
            ("/files/ann/%252e%252e/bob", false),
            ("/files/ann\\..\\bob", false),
            ("/files/%61nn/x", false),
            ("/files/ann/%zz", false),
        ] {
            assert_eq!(inside(&scope, "GET", &format!("https://h{path}"), &none), wanted, "{path}");
        }
    }

    #[test]
    fn globs() {
        for (glob, text, wanted) in [
            ("/*", "/", true),
            ("/a/*", "/a/b/c", true),
            ("/a/*", "/a", false),
            ("/b/?.ts", "/b/1.ts", true),
            ("/b/?.ts", "/b/12.ts", false),
            ("*.m3u8", "/x/y.m3u8", true),
            ("/a*b*c", "/aXbYbZc", true),
            ("/a*b*c", "/aXbYbZ", false),
            ("", "", true),
            ("*", "", true),
        ] {
            assert_eq!(matches_glob(glob.as_bytes(), text.as_bytes()), wanted, "{glob} {text}");
        }
    }

    #[test]
    fn who_and_how() {
        let from = |address: &str, country: Option<&str>| {
            FieldList::new([("CF-Connecting-IP", address)]).with_country(country)
        };
        let scope = Scope {
            host: Some("a.example".into()),
            methods: vec!["GET".into()],
            networks: vec!["203.0.113.0/24".parse().expect("a network")],
            countries: vec!["NL".into()],
            blocked_countries: vec!["XX".into()],
            ..Scope::default()
        };
        let here = from("203.0.113.9", Some("NL"));
        for (method, uri, fields, wanted) in [
            ("GET", "https://a.example/", &here, true),
            ("HEAD", "https://A.example.:8443/", &here, true),
            ("POST", "https://a.example/", &here, false),
            ("GET", "https://b.example/", &here, false),
            ("GET", "https://a.example/", &from("203.0.114.9", Some("NL")), false),
            ("GET", "https://a.example/", &from("", Some("NL")), false),
            ("GET", "https://a.example/", &from("203.0.113.9", Some("DE")), false),
            ("GET", "https://a.example/", &from("203.0.113.9", None), false),
        ] {
            assert_eq!(inside(&scope, method, uri, fields), wanted, "{method} {uri}");
        }
        let blocked = Scope { blocked_countries: vec!["RU".into()], ..Scope::default() };
        assert!(inside(&blocked, "GET", "https://h/", &here));
        assert!(!inside(&blocked, "GET", "https://h/", &from("", Some("RU"))));
        assert!(!inside(&blocked, "GET", "https://h/", &from("", None)), "unknown is not let in");
    }

    #[test]
    fn fields_that_a_link_binds() {
        let bound = |name: &str, value: &str| Scope {
            fields: vec![(name.to_owned(), value.to_owned())],
            ..Scope::default()
        };
        let with = |value: &str| FieldList::new([("User-Agent", value)]);
        for (scope, fields, wanted) in [
            (bound("user-agent", "a"), with("a"), true),
            (bound("user-agent", "a"), with("A"), false),
            (bound("user-agent", "a"), FieldList::default(), false),
            (bound("user-agent", ""), FieldList::default(), true),
            (bound("user-agent", ""), with("a"), false),
        ] {
            assert_eq!(inside(&scope, "GET", "https://h/", &fields), wanted, "{:?}", scope.fields);
        }
        assert!(bound("cookie", "a=1").is_bound_to_cookies());
        assert!(!bound("user-agent", "a").is_bound_to_cookies());
    }

    #[test]
    fn a_long_address_is_written_as_its_digest() {
        let none = FieldList::default();
        let long = "x".repeat(LONGEST_WRITTEN);
        let uri = format!("https://h/{long}?{long}");
        let facts = RequestFacts::new("GET", &uri, &none).expect("absolute");
        for query in [true, false] {
            let scope = Scope { target: Target::This { query }, ..Scope::default() };
            let scope = scope.written_out(&facts, &long);
            assert!(matches!(scope.target, Target::Digest { query: bound, .. } if bound == query));
            assert!(inside(&scope, "GET", &uri, &none));
            assert_eq!(inside(&scope, "GET", &format!("https://h/{long}"), &none), !query);
            assert!(!inside(&scope, "GET", &format!("https://h/{long}y?{long}"), &none));
            assert!(!inside(&scope, "GET", &format!("https://i/{long}?{long}"), &none));
        }
        assert!(matches!(Target::exactly("/a", Some("b")), Target::Exactly { .. }));
    }
}
