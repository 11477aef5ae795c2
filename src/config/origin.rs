//! `origin`, and the origins of `cors` and `websocket`.

use super::Problem;
use super::reader::Node;
use super::url::Url;
use crate::policy::Origin;
use crate::text;

const EXPECTED: &str = "\"assets\", or an http: or https: URL without user name, query and fragment";

/// `origin = "https://origin.acme.example/base"`.
pub fn origin(node: &Node<'_>, has_assets: bool) -> Option<Origin> {
    let text = node.text()?;
    if text == "assets" {
        return Some(assets(node, has_assets));
    }
    let parsed = Url::parse(text).and_then(|url| {
        let is_http = url.scheme == "http" || url.scheme == "https";
        let base_path = Some(base_path(url.rest)?).filter(|_| is_http)?;
        Some((url.origin(), base_path, url.is_secure()))
    });
    let Some((origin, base_path, is_secure)) = parsed else {
        node.refuse(EXPECTED, "Write it like \"https://origin.acme.example\".");
        return None;
    };
    if !is_secure {
        warn_of_plain_http(node);
    }
    Some(Origin::Url { origin, base_path })
}

/// An origin as browsers send it in `Origin`: compared octet by octet, so it must be written like that.
pub fn web_origin(node: &Node<'_>) -> Option<String> {
    let text = node.text()?;
    let expected = "an origin as browsers send it: scheme and host in lower case, and the port if it is not the scheme's own";
    if text == "null" {
        let fix = "Take it out: every sandboxed page and every local file has that origin.";
        node.refuse("the origin of a page", fix);
        return None;
    }
    match Url::parse(text).map(|url| url.origin()) {
        Some(origin) if origin == text => Some(origin),
        Some(origin) => {
            node.refuse(expected, &format!("Write \"{origin}\"."));
            None
        }
        None => {
            node.refuse(expected, "Write it like \"https://app.acme.example\".");
            None
        }
    }
}

fn assets(node: &Node<'_>, has_assets: bool) -> Origin {
    if !has_assets {
        let expected = format!("a binding to static assets, as {} is \"assets\"", node.at());
        let fix =
            "Add [assets] with directory, binding = \"ASSETS\" and run_worker_first = true to wrangler.toml.";
        node.notes().missing.push(Problem::new("ASSETS", "no binding", expected, fix));
    }
    Origin::Assets
}

fn warn_of_plain_http(node: &Node<'_>) {
    node.notes().warnings.push(Problem::new(
        node.at(),
        "an http: URL",
        "https:, as requests and who sent them go to the origin in clear",
        "Let the origin speak TLS, or make sure that nobody else is on the way.",
    ));
}

/// What is put before the path: empty, or segments that a URL parser leaves as they are.
fn base_path(rest: &str) -> Option<String> {
    let path = rest.strip_suffix('/').unwrap_or(rest);
    if path.is_empty() {
        return Some(String::new());
    }
    let is_fine = path.strip_prefix('/')?.split('/').all(is_plain_segment);
    is_fine.then(|| path.to_owned())
}

/// Not empty, no dot segment in any spelling, no `?` or `#`, and `%` only before two hexadecimal digits.
fn is_plain_segment(segment: &str) -> bool {
    let dots = text::replaced(&segment.to_ascii_lowercase(), "%2e", ".");
    let mut after_percent = segment.split('%').skip(1);
    !matches!(&*dots, "" | "." | "..")
        && !segment.contains(['?', '#'])
        && after_percent
            .all(|rest| rest.as_bytes().get(..2).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_paths() {
        for (rest, path) in [("", ""), ("/", ""), ("/a", "/a"), ("/a/b/", "/a/b"), ("/%C3%A4", "/%C3%A4")] {
            assert_eq!(base_path(rest).as_deref(), Some(path), "{rest}");
        }
        for rest in [
            "//", "/a//b", "/a//", "/.", "/a/../b", "/%2E%2e/", "/.%2e", "?", "/a?x=1", "/a#", "/%", "/%4",
            "/%zz",
        ] {
            assert_eq!(base_path(rest), None, "{rest}");
        }
    }
}
