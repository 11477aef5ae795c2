//! `upstreams` as an origin that Cloudflare can reach.

use super::super::networks::{is_inside_only, network};
use crate::cli::nfc;
use edgeward::config::{Config, Sources};
use edgeward::policy;
use serde_json::json;

/// The origin, and whether the URL had a path of its own.
pub fn origin(url: &str) -> Result<(String, bool), &'static str> {
    let policy = json!({ "origin": url }).to_string();
    let config = Config::parse(&Sources { policy: Some(policy), ..Sources::default() }, nfc);
    let Some(policy::Origin::Url { origin, base_path }) = config.policy.map(|policy| policy.origin) else {
        return Err("an origin is an http: or https: URL");
    };
    let host = origin.split_once("://").map_or("", |(_, host)| host);
    if is_near(host) {
        return Err("Cloudflare cannot reach it: give it a public name or a tunnel, and set origin to that");
    }
    Ok((origin, !base_path.is_empty()))
}

/// Whether a host is one of this machine, of a cluster or of an inner network.
fn is_near(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let address = network(host).filter(|it| it.is_single());
    let named = host.ends_with(".local") || host.ends_with(".internal") || host.ends_with(".localhost");
    address.map_or(named || !host.contains('.'), |address| is_inside_only(&address))
}

/// A URL without what stands before `@`: it may be a password.
pub fn without_user(url: &str) -> String {
    match (url.split_once("://"), url.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://…@{rest}"),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins() {
        for (url, expected) in [
            ("https://origin.acme.example/", Ok(("https://origin.acme.example".to_owned(), false))),
            (
                "https://origin.acme.example:8443/x/",
                Ok(("https://origin.acme.example:8443".to_owned(), true)),
            ),
        ] {
            assert_eq!(origin(url), expected, "{url}");
        }
        for url in [
            "http://127.0.0.1:8080",
            "http://app:80",
            "http://[::1]/",
            "http://10.1.2.3",
            "file:///x",
            "static://202",
            "unix:///x",
            "",
        ] {
            assert!(origin(url).is_err(), "{url}");
        }
        assert_eq!(without_user("http://ann:pw@h/x"), "http://…@h/x");
    }
}
