//! The cookie that holds a session (RFC 6265bis).

use crate::time::Lifetime;

const BARE: &str = "edgeward";
const OF_HOST: &str = "__Host-edgeward";
const SECURE: &str = "__Secure-edgeward";

/// Its name: with the prefix that binds it to the host (RFC 6265bis §4.1.3.2), or to https where hosts share it. Neither
/// works in clear, where it only ever is on loopback.
#[must_use]
pub const fn name(https: bool, is_shared: bool) -> &'static str {
    match (https, is_shared) {
        (true, false) => OF_HOST,
        (true, true) => SECURE,
        (false, _) => BARE,
    }
}

/// `Set-Cookie`. Without `max_age` the cookie ends with the browser's own session.
#[must_use]
pub fn set(value: &str, https: bool, domain: Option<&str>, max_age: Option<Lifetime>) -> String {
    let mut cookie = attributes(name(https, domain.is_some()), value, https, domain);
    if let Some(span) = max_age {
        cookie.push_str("; Max-Age=");
        cookie.push_str(&span.seconds().to_string());
    }
    cookie
}

/// `Set-Cookie` lines that take it away, in every variant that it may have.
#[must_use]
pub fn cleared(https: bool, domain: Option<&str>) -> Vec<String> {
    let gone = |name, domain| attributes(name, "", https, domain) + "; Max-Age=0";
    let mut lines = vec![gone(BARE, None)];
    if https {
        lines.insert(0, gone(OF_HOST, None));
    }
    lines.extend(domain.map(|domain| gone(name(https, true), Some(domain))));
    lines
}

fn attributes(name: &str, value: &str, https: bool, domain: Option<&str>) -> String {
    let secure = if https { "; Secure" } else { "" };
    let mut cookie = [name, "=", value, "; Path=/", secure, "; HttpOnly; SameSite=Lax"].concat();
    if let Some(domain) = domain {
        cookie.push_str("; Domain=");
        cookie.push_str(domain);
    }
    cookie
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_table() {
        let hour = Some(Lifetime::from_seconds(3600));
        for (https, domain, max_age, wanted) in [
            (true, None, None, "__Host-edgeward=v; Path=/; Secure; HttpOnly; SameSite=Lax"),
            (true, None, hour, "__Host-edgeward=v; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=3600"),
            (
                true,
                Some("acme.example"),
                None,
                "__Secure-edgeward=v; Path=/; Secure; HttpOnly; SameSite=Lax; Domain=acme.example",
            ),
            (false, None, None, "edgeward=v; Path=/; HttpOnly; SameSite=Lax"),
        ] {
            assert_eq!(set("v", https, domain, max_age), wanted);
        }
        let names = |lines: Vec<String>| -> Vec<String> {
            lines.iter().map(|line| line.split('=').next().unwrap_or_default().to_owned()).collect()
        };
        assert_eq!(
            names(cleared(true, Some("acme.example"))),
            ["__Host-edgeward", "edgeward", "__Secure-edgeward"]
        );
        assert_eq!(names(cleared(false, None)), ["edgeward"]);
        // In clear a cookie of the parent has the same name, and is another all the same.
        let both = cleared(false, Some("acme.localhost"));
        assert_eq!(names(both.clone()), ["edgeward", "edgeward"]);
        assert!(both[1].contains("; Domain=acme.localhost;") && !both[0].contains("Domain"));
        assert!(cleared(true, None).iter().all(|line| line.ends_with("; Max-Age=0")));
    }
}
