//! The way back: what is changed of the origin's answer.

use crate::forward::{PublicOrigin, is_own_cookie};
use crate::policy::{Cors, CorsOrigins, Origin};
use crate::text;

/// What of an answer is looked at.
#[derive(Debug, Default)]
pub struct Seen<'a> {
    /// Status code.
    pub status: u16,
    /// `Cache-Control`.
    pub cache_control: Option<&'a str>,
    /// `Location`.
    pub location: Option<&'a str>,
    /// `Content-Location`.
    pub content_location: Option<&'a str>,
    /// `Set-Cookie`, line by line.
    pub set_cookie: Vec<&'a str>,
    /// Whether `Access-Control-Allow-Origin` is there.
    pub allows_origin: bool,
}

/// What is asked of the answer.
#[derive(Debug)]
pub struct Back<'a> {
    /// Where the request was sent.
    pub origin: &'a Origin,
    /// Where the client thinks it was sent.
    pub public: &'a PublicOrigin,
    /// Whether shared caches are kept out.
    pub private: bool,
    /// Cross-origin sharing and the request's `Origin`, where it is a listed one.
    pub cors: Option<(&'a Cors, &'a str)>,
}

/// Changes to an answer's fields.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Edits {
    /// Fields to take off.
    pub remove: Vec<&'static str>,
    /// Fields to set.
    pub set: Vec<(&'static str, String)>,
    /// All lines of `Set-Cookie` as they are to be; `None` where they stay.
    pub set_cookie: Option<Vec<String>>,
    /// Names of cookies of ours that the origin tried to set.
    pub dropped: Vec<String>,
    /// Whether `Vary` gets `Origin`.
    pub vary_origin: bool,
}

/// Fields by which shared caches are told to keep what `Cache-Control` says is private.
const SHARED_CACHE_FIELDS: [&str; 3] =
    ["cdn-cache-control", "cloudflare-cdn-cache-control", "surrogate-control"];

impl Back<'_> {
    /// The changes that this answer needs; none of them for one that has nothing to hide.
    #[must_use]
    pub fn edits(&self, seen: &Seen<'_>) -> Edits {
        let mut edits = if self.private { kept_private(seen) } else { Edits::default() };
        let locations = [("location", seen.location), ("content-location", seen.content_location)];
        for (name, value) in locations {
            if let Some(value) = value.and_then(|value| self.public_location(value)) {
                edits.set.push((name, value));
            }
        }
        self.cookies(&seen.set_cookie, &mut edits);
        if let Some((cors, origin)) = self.cors.filter(|_| !seen.allows_origin) {
            edits.set.extend(sharing(cors, origin));
            edits.vary_origin = true;
        }
        edits
    }

    /// A reference on the origin's authority as one on the public authority; `None` where it stays as it is.
    fn public_location(&self, value: &str) -> Option<String> {
        let Origin::Url { origin, base_path } = self.origin else { return None };
        let authority = text::cut(origin, "://").map_or(origin.as_str(), |(_, authority)| authority);
        let Some(rest) = after_authority(value, authority) else {
            let path = value.starts_with('/') && !value.starts_with("//") && !base_path.is_empty();
            let path = path.then(|| without_base(value, base_path)).filter(|path| path != value)?;
            return Some(if is_another_site(&path) { self.on_public(&path) } else { path });
        };
        Some(self.on_public(&without_base(rest, base_path)))
    }

    fn on_public(&self, path: &str) -> String {
        format!("{}://{}{path}", self.public.scheme.as_str(), self.public.authority)
    }

    fn cookies(&self, lines: &[&str], edits: &mut Edits) {
        let mut changed = false;
        let mut kept = Vec::with_capacity(lines.len());
        for line in lines {
            // `=__Host-x=1` has no name, and some browsers send `__Host-x=1` of it.
            let line_from_name = line.trim_start_matches(['=', ' ', '\t']);
            let name = line_from_name.split([';', '=']).next().unwrap_or_default().trim_matches([' ', '\t']);
            if is_own_cookie(name) {
                edits.dropped.push(name.to_owned());
                changed = true;
                continue;
            }
            let line = self.public_cookie(line);
            changed |= matches!(line, std::borrow::Cow::Owned(_));
            kept.push(line.into_owned());
        }
        edits.set_cookie = changed.then_some(kept);
    }

    /// A cookie without the origin's `Domain`, and with the base path off its `Path`.
    fn public_cookie<'l>(&self, line: &'l str) -> std::borrow::Cow<'l, str> {
        let Origin::Url { origin, base_path } = self.origin else { return line.into() };
        let authority = text::cut(origin, "://").map_or(origin.as_str(), |(_, authority)| authority);
        let host = crate::request::host_of(authority);
        let mut changed = false;
        let attributes: Vec<String> = line
            .split(';')
            .enumerate()
            .filter_map(|(index, attribute)| {
                let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
                let (name, value) = (name.trim(), value.trim());
                if index > 0 && name.eq_ignore_ascii_case("domain") {
                    let of_origin = value.trim_start_matches('.').eq_ignore_ascii_case(&host);
                    changed |= of_origin;
                    return (!of_origin).then(|| attribute.to_owned());
                }
                if index > 0 && name.eq_ignore_ascii_case("path") && !base_path.is_empty() {
                    let path = without_base(value, base_path);
                    changed |= path != value;
                    return Some(if path == value { attribute.to_owned() } else { format!(" Path={path}") });
                }
                Some(attribute.to_owned())
            })
            .collect();
        if changed { attributes.join(";").into() } else { line.into() }
    }
}

/// The changes that keep an answer out of shared caches.
#[must_use]
pub fn kept_private(seen: &Seen<'_>) -> Edits {
    let cache_control = private(seen.cache_control.unwrap_or_default());
    Edits {
        remove: SHARED_CACHE_FIELDS.to_vec(),
        set: vec![("cache-control", cache_control)],
        ..Edits::default()
    }
}

/// What stands behind `authority` in an absolute or network-path reference (RFC 3986 §4.2); `None` where the
/// reference is on another authority, or has none.
fn after_authority<'v>(reference: &'v str, authority: &str) -> Option<&'v str> {
    let (default_port, rest) = if let Some(rest) = reference.strip_prefix("//") {
        (None, rest)
    } else {
        let (scheme, rest) = text::cut(reference, "://")?;
        match scheme.to_ascii_lowercase().as_str() {
            "https" => (Some(":443"), rest),
            "http" => (Some(":80"), rest),
            _ => return None,
        }
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (found, rest) = text::split(rest, end);
    let bare = default_port.and_then(|port| found.strip_suffix(port)).unwrap_or(found);
    (bare.eq_ignore_ascii_case(authority) || found.eq_ignore_ascii_case(authority)).then_some(rest)
}

/// Whether what is left of a path once the base path is off would lead to another site: `/base//evil` was a path,
/// `//evil` is an authority. `\` is a `/` to browsers, and tabs are nothing (WHATWG URL §4.4).
fn is_another_site(path: &str) -> bool {
    path.get(1..).is_some_and(|rest| rest.trim_start_matches('\t').starts_with(['/', '\\']))
}

/// A path without the base path; `/` where nothing is left.
fn without_base(path: &str, base_path: &str) -> String {
    let rest = match path.strip_prefix(base_path) {
        Some(rest) if rest.is_empty() || rest.starts_with(['/', '?', '#']) => rest,
        Some(_) | None => path,
    };
    if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") }
}

/// `Cache-Control` reduced to what private caches may do (RFC 9111 §5.2.2): stricter directives stay.
fn private(field: &str) -> String {
    let kept: Vec<&str> = directives(field)
        .filter(|directive| {
            let name = directive.split('=').next().unwrap_or_default().trim();
            !["public", "s-maxage", "private"].iter().any(|off| name.eq_ignore_ascii_case(off))
        })
        .collect();
    let stands = |name: &str| kept.iter().any(|directive| directive.eq_ignore_ascii_case(name));
    // RFC 9111 §5.2.2.3: a cache that understands the status ignores `no-store` next to `must-understand`.
    let no_store = stands("no-store") && !stands("must-understand");
    match (no_store, kept.is_empty()) {
        (true, _) => kept.join(", "),
        (false, true) => "private".into(),
        (false, false) => format!("private, {}", kept.join(", ")),
    }
}

/// Directives, parted by commas outside of quoted-strings.
pub(crate) fn directives(field: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    field
        .split(move |c| {
            quoted ^= c == '"';
            c == ',' && !quoted
        })
        .map(|directive| directive.trim_matches([' ', '\t']))
        .filter(|directive| !directive.is_empty())
}

/// The fields by which an answer is shared with a listed origin (Fetch §3.2.3).
#[must_use]
pub fn sharing(cors: &Cors, origin: &str) -> Vec<(&'static str, String)> {
    let allowed = match cors.origins {
        CorsOrigins::Any => "*".to_owned(),
        CorsOrigins::Listed(_) => origin.to_owned(),
    };
    let mut fields = vec![
        ("access-control-allow-origin", allowed),
        ("access-control-expose-headers", "WWW-Authenticate, Retry-After".to_owned()),
    ];
    if cors.credentials {
        fields.push(("access-control-allow-credentials", "true".to_owned()));
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Scheme;

    fn origin() -> Origin {
        Origin::Url { origin: "https://origin.example".into(), base_path: "/app".into() }
    }

    fn edits(origin: &Origin, private: bool, seen: &Seen<'_>) -> Edits {
        let public = PublicOrigin { scheme: Scheme::Https, authority: "acme.example:8443".into() };
        Back { origin, public: &public, private, cors: None }.edits(seen)
    }

    fn located(value: &str) -> Option<String> {
        let seen = Seen { location: Some(value), ..Seen::default() };
        edits(&origin(), false, &seen).set.pop().map(|(_, value)| value)
    }

    #[test]
    fn locations_become_public() {
        for (value, expected) in [
            ("https://origin.example/app/x?y#z", "https://acme.example:8443/x?y#z"),
            ("http://ORIGIN.example:80/app", "https://acme.example:8443/"),
            ("https://origin.example:443/other", "https://acme.example:8443/other"),
            ("https://origin.example", "https://acme.example:8443/"),
            ("https://origin.example?x", "https://acme.example:8443/?x"),
            ("//origin.example/app/x", "https://acme.example:8443/x"),
            ("/app/x", "/x"),
            ("/app", "/"),
        ] {
            assert_eq!(located(value).as_deref(), Some(expected), "{value}");
        }
        for kept in [
            "/x",
            "/application",
            "x",
            "?x",
            "https://other.example/app",
            "https://origin.example.evil/",
            "https://origin.example:444/",
            "//other/app",
            "",
        ] {
            assert_eq!(located(kept), None, "{kept}");
        }
    }

    #[test]
    fn a_path_does_not_become_another_site() {
        for (value, expected) in [
            ("/app//evil.example/x", "https://acme.example:8443//evil.example/x"),
            ("/app/\\evil.example", "https://acme.example:8443/\\evil.example"),
            ("/app/\t/evil.example", "https://acme.example:8443/\t/evil.example"),
            ("https://origin.example/app//evil.example", "https://acme.example:8443//evil.example"),
        ] {
            assert_eq!(located(value).as_deref(), Some(expected), "{value}");
        }
    }

    #[test]
    fn caches_are_kept_out() {
        for (field, expected) in [
            ("", "private"),
            ("public, max-age=600, s-maxage=60", "private, max-age=600"),
            ("Public", "private"),
            ("no-store", "no-store"),
            ("no-cache, PRIVATE=\"a, b\"", "private, no-cache"),
            ("private, max-age=1", "private, max-age=1"),
            ("public, must-understand, no-store", "private, must-understand, no-store"),
        ] {
            assert_eq!(private(field), expected, "{field}");
        }
        let untouched =
            edits(&Origin::Own, false, &Seen { cache_control: Some("public"), ..Seen::default() });
        assert_eq!(untouched, Edits::default());
    }

    #[test]
    fn cookies_become_public() {
        let lines = vec![
            "a=1; Domain=origin.example; Path=/app; HttpOnly",
            "b=2; Path=/app/x",
            "c=Domain=origin.example; Domain=example",
            "__Host-edgeward=x; Path=/",
            "=__Host-edgeward=x; Path=/",
            "=; Path=/x",
        ];
        let edits = edits(&origin(), false, &Seen { set_cookie: lines, ..Seen::default() });
        let kept = [
            "a=1; Path=/; HttpOnly",
            "b=2; Path=/x",
            "c=Domain=origin.example; Domain=example",
            "=; Path=/x",
        ];
        assert_eq!(edits.set_cookie.unwrap_or_default(), kept);
        assert_eq!(edits.dropped, ["__Host-edgeward", "__Host-edgeward"]);
    }
}
