//! Absolute URLs as the operator writes them: taken apart strictly, put together as a URL parser would.
//!
//! Whatever the WHATWG URL parser would repair in silence (numbers as addresses, percent-encoded hosts, empty
//! ports, backslashes) is refused: what stands in the policy is what is compared and what is asked.

use crate::text;
use core::net::{Ipv4Addr, Ipv6Addr};

/// A URL with an authority.
#[derive(Debug, PartialEq, Eq)]
pub struct Url<'t> {
    /// Lower case.
    pub scheme: String,
    /// Host, serialised: lower case; an IPv6 address in brackets and in its shortest form.
    pub host: String,
    /// Port, where it is not the scheme's own.
    pub port: Option<u16>,
    /// What follows the authority: empty, or begins with `/`, `?` or `#`.
    pub rest: &'t str,
}

impl<'t> Url<'t> {
    /// Takes a URL apart; `None` where it is none, or has userinfo (RFC 9110 §4.2.4).
    pub fn parse(text: &'t str) -> Option<Self> {
        let (scheme, rest) = text::cut(text, "://")?;
        let scheme = Some(scheme.to_ascii_lowercase()).filter(|scheme| is_scheme(scheme))?;
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = text::split(rest, end);
        let (host, port) = split_port(authority)?;
        let host = self::host(host)?;
        let port = match port {
            Some(digits) => Some(self::port(digits)?).filter(|port| default_port(&scheme) != Some(*port)),
            None => None,
        };
        rest.bytes().all(is_uri_octet).then_some(Self { scheme, host, port, rest })
    }

    /// The origin, serialised (RFC 6454 §6.2).
    pub fn origin(&self) -> String {
        match self.port {
            Some(port) => format!("{}://{}:{port}", self.scheme, self.host),
            None => format!("{}://{}", self.scheme, self.host),
        }
    }

    /// Whether it is `https:`, or `http:` to this very machine.
    pub fn is_secure(&self) -> bool {
        self.scheme == "https" || self.scheme == "http" && is_loopback(&self.host)
    }
}

/// A host, serialised: lower case, without a trailing dot; `None` where it is none.
pub fn host(text: &str) -> Option<String> {
    if let Some(literal) = text.strip_prefix('[') {
        return ipv6(literal.strip_suffix(']')?);
    }
    let host = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let last = host.rsplit('.').next()?;
    if is_numeric(last) {
        return host.parse::<Ipv4Addr>().ok().map(|address| address.to_string());
    }
    (host.len() <= 253 && host.split('.').all(is_label)).then_some(host)
}

/// Whether a serialised host is this machine.
fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host == "[::1]"
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

/// Octets that may stand in a URI (RFC 3986 §2), and `%`.
pub const fn is_uri_octet(b: u8) -> bool {
    b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
}

fn is_scheme(scheme: &str) -> bool {
    scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

const fn default_port(scheme: &str) -> Option<u16> {
    match scheme.as_bytes() {
        b"http" => Some(80),
        b"https" => Some(443),
        _ => None,
    }
}

/// Host and digits of the port. The colons of an IPv6 address are none of a port.
fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    let after_address = authority.rfind(']').unwrap_or(0);
    match authority.get(after_address..)?.find(':') {
        Some(colon) => {
            let (host, port) = authority.split_at_checked(after_address + colon)?;
            Some((host, port.strip_prefix(':')))
        }
        None => Some((authority, None)),
    }
}

fn port(digits: &str) -> Option<u16> {
    let is_number = !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

/// In brackets, in the form of RFC 5952; the WHATWG's parser writes mapped IPv4 addresses in hexadecimal.
fn ipv6(text: &str) -> Option<String> {
    let address: Ipv6Addr = text.parse().ok()?;
    Some(match (address.to_ipv4_mapped(), address.segments()) {
        (Some(_), [.., high, low]) => format!("[::ffff:{high:x}:{low:x}]"),
        (None, _) => format!("[{address}]"),
    })
}

/// Whether a URL parser would take the host for an IPv4 address because of this last label (WHATWG URL §3.5).
fn is_numeric(label: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let hex = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
    !label.is_empty() && (digits(label) || label.strip_prefix("0x").is_some_and(hex))
}

/// Letters, digits and hyphens (RFC 1123 §2.1), and the underscore that private networks use.
fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= 63
        && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn origins() {
        for (text, origin) in [
            ("https://a.example", "https://a.example"),
            ("HTTPS://A.Example:443/x?y#z", "https://a.example"),
            ("http://a.example:80", "http://a.example"),
            ("http://a.example:443", "http://a.example:443"),
            ("http://10.0.0.1:8080/", "http://10.0.0.1:8080"),
            ("http://[0:0::1]:8080", "http://[::1]:8080"),
            ("http://[::FFFF:1.2.3.4]", "http://[::ffff:102:304]"),
            ("https://my_service.internal", "https://my_service.internal"),
            ("https://a.example.", "https://a.example"),
            ("capacitor://localhost", "capacitor://localhost"),
        ] {
            assert_eq!(Url::parse(text).map(|url| url.origin()).as_deref(), Some(origin), "{text}");
        }
    }

    #[test]
    fn what_a_url_parser_would_repair_is_refused() {
        for text in [
            "",
            "a.example",
            "https:a.example",
            "https:/a.example",
            "//a.example",
            "https://",
            "https:///x",
            "https://user@a.example",
            "https://user:pw@a.example",
            "https://a.example:",
            "https://a.example:0",
            "https://a.example:080",
            "https://a.example:65536",
            "https://a.example:+1",
            "https://a..example",
            "https://.a.example",
            "https://a.example..",
            "https://%61.example",
            "https://ä.example",
            "https://a example",
            "https://127.1",
            "https://0x7f.0.0.1",
            "https://127.0.0.0x1",
            "https://127.00.0.1",
            "https://2130706433",
            "https://256.0.0.1",
            "https://[::1",
            "https://::1",
            "https://[1.2.3.4]",
            "https://[::1]x",
            "https://a.example\\x",
            "https://a.example/ x",
            "https://a.example/\n",
            "1http://a.example",
        ] {
            assert_eq!(Url::parse(text), None, "{text}");
        }
    }

    #[test]
    fn loopback_needs_no_tls() {
        for (text, secure) in [
            ("https://a.example", true),
            ("http://a.example", false),
            ("http://localhost:8787/x", true),
            ("http://x.localhost", true),
            ("http://127.8.9.1", true),
            ("http://[::1]", true),
            ("http://[::2]", false),
            ("ftp://localhost", false),
        ] {
            assert_eq!(Url::parse(text).map(|url| url.is_secure()), Some(secure), "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_origin_parses_to_itself(text in "(https?|x)://[A-Za-z0-9.\\[\\]:-]{0,20}(/.{0,9})?") {
            if let Some(url) = Url::parse(&text) {
                let origin = url.origin();
                let again = Url::parse(&origin).map(|url| url.origin());
                prop_assert_eq!(again, Some(origin));
            }
        }

        #[test]
        fn never_panics(text in any::<String>()) {
            let _ = Url::parse(&text);
            let _ = host(&text);
        }
    }
}
