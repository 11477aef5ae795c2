//! What is read of a request: the facts that a verdict rests on.

use crate::path::PathError;
use crate::text;
use core::net::IpAddr;

/// The field values of a request, by lower-case name.
///
/// Reading is lazy: a request with a good token is decided after two or three fields, and each one read costs a
/// crossing from JavaScript. Several lines of one name arrive joined by `, ` (RFC 9110 §5.3), as the platform does.
pub trait Fields {
    /// The value of the field `name` (in lower case), or `None` where the request has no such field.
    fn get(&self, name: &str) -> Option<String>;

    /// The country the client is in (ISO 3166-1, two capital letters), where the platform knows it.
    fn country(&self) -> Option<String> {
        None
    }
}

/// Fields held in memory: for the command and for tests.
#[derive(Clone, Debug, Default)]
pub struct FieldList(Vec<(String, String)>, Option<String>);

impl FieldList {
    /// Takes name and value pairs; names in any case.
    pub fn new<N: AsRef<str>, V: Into<String>>(lines: impl IntoIterator<Item = (N, V)>) -> Self {
        Self(lines.into_iter().map(|(n, v)| (n.as_ref().to_ascii_lowercase(), v.into())).collect(), None)
    }

    /// The same, of a client in a country.
    #[must_use]
    pub fn with_country(self, country: Option<&str>) -> Self {
        Self(self.0, country.map(str::to_owned))
    }
}

impl Fields for FieldList {
    fn get(&self, name: &str) -> Option<String> {
        let mut values = self.0.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str());
        let first = values.next()?.to_owned();
        Some(values.fold(first, |joined, value| joined + ", " + value))
    }

    fn country(&self) -> Option<String> {
        self.1.clone()
    }
}

/// How the request came in (RFC 9110 §4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// In clear.
    Http,
    /// Over TLS.
    Https,
}

impl Scheme {
    /// The scheme as it stands in a URI.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// A request, as far as deciding needs it. Made by `edge::facts`, and by the command from a description.
#[derive(Clone, Copy)]
pub struct RequestFacts<'r> {
    /// Method, case-sensitive (RFC 9110 §9.1).
    pub method: &'r str,
    /// How it came in.
    pub scheme: Scheme,
    /// Host and port as received, without userinfo (RFC 9110 §7.2).
    pub authority: &'r str,
    /// The path as received, still percent-encoded; begins with `/`. Where its first segment is a token, without that.
    pub path: &'r str,
    /// The token that the first segment of the path was, where one is looked for there.
    pub path_token: Option<&'r str>,
    /// What follows the first `?`, without it; `None` where there is none.
    pub query: Option<&'r str>,
    /// The field values.
    pub fields: &'r dyn Fields,
}

impl<'r> RequestFacts<'r> {
    /// Takes an absolute `http:` or `https:` URI apart; a fragment and userinfo are left out.
    ///
    /// # Errors
    /// [`PathError::NotAbsolute`] where it is no such URI.
    pub fn new(method: &'r str, uri: &'r str, fields: &'r dyn Fields) -> Result<Self, PathError> {
        let (scheme, rest) = match text::cut(uri, "://") {
            Some(("http", rest)) => (Scheme::Http, rest),
            Some(("https", rest)) => (Scheme::Https, rest),
            Some(_) | None => return Err(PathError::NotAbsolute),
        };
        let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = text::split(rest, end);
        let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        if authority.is_empty() {
            return Err(PathError::NotAbsolute);
        }
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        let path = if path.is_empty() { "/" } else { path };
        Ok(Self { method, scheme, authority, path, path_token: None, query, fields })
    }

    /// The same with the first segment of the path set aside, where it begins with `mark`: it is a token, and what
    /// follows is the path that rules match and the origin gets.
    #[must_use]
    pub fn with_token_in_path(mut self, mark: &str) -> Self {
        if let Some(token) = self.path.strip_prefix('/').filter(|rest| rest.starts_with(mark)) {
            let end = token.find('/').unwrap_or(token.len());
            let (token, path) = text::split(token, end);
            self.path_token = Some(token);
            self.path = if path.is_empty() { "/" } else { path };
        }
        self
    }

    /// The value of a field, by its lower-case name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        self.fields.get(name)
    }

    /// The host in lower case, without port and without a trailing dot.
    #[must_use]
    pub fn host(&self) -> String {
        host_of(self.authority)
    }

    /// The request's own origin, serialised (`https://host[:port]`).
    #[must_use]
    pub fn origin(&self) -> String {
        [self.scheme.as_str(), "://", self.authority].concat()
    }

    /// The public URI without its query: `htu` of RFC 9449 §4.2.
    #[must_use]
    pub fn uri_without_query(&self) -> String {
        [self.scheme.as_str(), "://", self.authority, self.path].concat()
    }

    /// Whether the host is this machine: `localhost`, `*.localhost`, 127.0.0.0/8 or `[::1]`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = self.host();
        host == "localhost"
            || host.ends_with(".localhost")
            || host.trim_matches(['[', ']']).parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }

    /// Whether somebody opens a page: a GET navigation, and not one that a browser makes in case they will.
    #[must_use]
    pub fn is_navigation(&self) -> bool {
        let prefetches = |name| self.field(name).is_some_and(|value| text::has(&value, "prefetch"));
        self.method == "GET"
            && self.field("sec-fetch-mode").as_deref() == Some("navigate")
            && !prefetches("sec-purpose")
            && !prefetches("purpose")
            && !prefetches("x-moz")
    }

    /// The client's address, as Cloudflare tells it; an IPv4 address that is written as an IPv6 one is the IPv4 one.
    #[must_use]
    pub fn client_address(&self) -> Option<IpAddr> {
        let address: IpAddr = self.field("cf-connecting-ip")?.trim().parse().ok()?;
        Some(address.to_canonical())
    }
}

/// An authority's host: lower case, no port, no trailing dot.
#[must_use]
pub fn host_of(authority: &str) -> String {
    let host = match authority.rfind(']') {
        Some(end) => authority.get(..=end).unwrap_or(authority),
        None => authority.split_once(':').map_or(authority, |(host, _)| host),
    };
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts<'r>(uri: &'r str, fields: &'r FieldList) -> RequestFacts<'r> {
        RequestFacts::new("GET", uri, fields).expect("an absolute URI")
    }

    #[test]
    fn takes_a_uri_apart() {
        let none = FieldList::default();
        let it = facts("https://Ann@Shop.Example.:8443//a/b?x=1?y#z", &none);
        assert_eq!((it.authority, it.path, it.query), ("Shop.Example.:8443", "//a/b", Some("x=1?y")));
        assert_eq!(it.host(), "shop.example");
        assert_eq!(facts("http://h?x", &none).path, "/");
        for bad in ["", "/a", "ftp://h/", "http://", "https:///a", "https:h"] {
            assert!(RequestFacts::new("GET", bad, &none).is_err(), "{bad}");
        }
    }

    #[test]
    fn knows_loopback() {
        let none = FieldList::default();
        for host in ["localhost", "a.localhost:8787", "127.0.0.1", "127.9.9.9:80", "[::1]:8787", "LOCALHOST."]
        {
            assert!(facts(&format!("http://{host}/"), &none).is_loopback(), "{host}");
        }
        for host in ["localhost.example", "128.0.0.1", "[::2]", "notlocalhost"] {
            assert!(!facts(&format!("http://{host}/"), &none).is_loopback(), "{host}");
        }
    }

    #[test]
    fn lines_of_one_name_are_joined() {
        let fields = FieldList::new([("Cookie", "a=1"), ("cookie", "b=2")]);
        assert_eq!(fields.get("cookie").as_deref(), Some("a=1, b=2"));
        assert_eq!(fields.get("host"), None);
    }
}
