//! Names that the operator may choose, and those that are taken.

use super::reader::Node;
use crate::text;

/// The token of RFC 9110 §5.6.2: field names, methods, cookie names.
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_tchar)
}

const fn is_tchar(b: u8) -> bool {
    b.is_ascii_alphanumeric()
        || matches!(
            b,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

/// A text without control characters: a name, a title, a user-id.
pub fn is_plain(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(char::is_control)
}

/// A field name that no one else uses, as written.
pub fn free_field_name(node: &Node<'_>) -> Option<String> {
    let name = node.text()?;
    is_free_field(node, name).then(|| name.to_owned())
}

/// Whether a name that stands in `node` is a field name that no one else uses; a problem where it is not.
pub fn is_free_field(node: &Node<'_>, name: &str) -> bool {
    if !is_token(name) {
        node.refuse("a field name: letters, digits, hyphens", "Write it like \"X-Acme-User\".");
    } else if is_taken(name) {
        let expected = "a field that neither HTTP, the platform nor Edgeward uses";
        node.refuse(expected, "Choose a name of your own, like \"X-Acme-User\".");
    }
    is_token(name) && !is_taken(name)
}

/// One spelling for all aliases of a field name: origins that fold `_` and `.` into `-` see them as one.
pub fn folded(name: &str) -> String {
    text::replaced(&text::replaced(&name.to_ascii_lowercase(), "_", "-"), ".", "-")
}

/// Whether a field has a meaning of its own in HTTP, for the platform, or for Edgeward.
fn is_taken(name: &str) -> bool {
    let name = folded(name);
    TAKEN.contains(&&*name) || TAKEN_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

const TAKEN_PREFIXES: [&str; 8] =
    ["access-control-", "cf-", "content-", "if-", "proxy-", "sec-", "x-edgeward-", "x-forwarded-"];

const TAKEN: [&str; 45] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "accept-ranges",
    "age",
    "allow",
    "alt-svc",
    "authorization",
    "cache-control",
    "cdn-loop",
    "connection",
    "cookie",
    "date",
    "etag",
    "expect",
    "expires",
    "forwarded",
    "host",
    "http2-settings",
    "keep-alive",
    "last-modified",
    "location",
    "max-forwards",
    "origin",
    "pragma",
    "range",
    "referer",
    "server",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "true-client-ip",
    "upgrade",
    "user-agent",
    "vary",
    "via",
    "www-authenticate",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
];

/// Whether a cookie name is one of Edgeward's own, with or without its prefix.
pub fn is_own_cookie(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let bare = name.strip_prefix("__host-").or_else(|| name.strip_prefix("__secure-")).unwrap_or(&name);
    matches!(bare, "edgeward" | "edgeward-device" | "edgeward-lang" | "edgeward-link")
        || crate::authority::cookie::is_ours(bare)
}

/// Whether a text may be a query parameter's name without percent-encoding (RFC 3986 §2.3).
pub fn is_query_name(text: &str) -> bool {
    let unreserved = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    !text.is_empty() && text.bytes().all(unreserved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taken_names_in_every_spelling() {
        for name in [
            "Authorization",
            "COOKIE",
            "Host",
            "Content-Length",
            "content_type",
            "X-Forwarded-User",
            "X.Forwarded_For",
            "X-Edgeward-Assertion",
            "x_edgeward_assertion",
            "X-Edgeward-Anything",
            "CF-Connecting-IP",
            "Connection",
            "Sec-Fetch-Site",
        ] {
            assert!(is_taken(name), "{name}");
        }
        for name in ["Remote-User", "X-API-Key", "X-Token", "X-Edge-User"] {
            assert!(!is_taken(name), "{name}");
        }
        assert!(TAKEN.is_sorted());
    }

    #[test]
    fn cookies_and_parameters() {
        for name in [
            "__Host-edgeward",
            "__secure-edgeward-link",
            "edgeward",
            "Edgeward-Lang",
            "edgeward-away-07070707",
        ] {
            assert!(is_own_cookie(name), "{name}");
        }
        for name in ["__Host-acme", "edgewards", "my-edgeward"] {
            assert!(!is_own_cookie(name), "{name}");
        }
        assert!(
            is_query_name("access_token")
                && !is_query_name("a b")
                && !is_query_name("")
                && !is_query_name("a%")
        );
    }

    #[test]
    fn tokens() {
        assert!(is_token("X-API-Key") && is_token("!#$%&'*+-.^_`|~09azAZ"));
        for bad in ["", "a b", "a:b", "a(b", "ä", "a\n"] {
            assert!(!is_token(bad), "{bad}");
        }
    }
}
