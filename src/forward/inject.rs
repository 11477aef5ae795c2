//! `session.warn = "inject"`: which answers of the origin get a script tag, and what else changes of them.
//!
//! A page that somebody who is signed in opens gets `<script src="/.edgeward/session.js" defer></script>` at the end of
//! its head; the platform's streaming rewriter puts it in, and all else stays octet for octet. An answer qualifies where
//! all of these hold:
//!
//! 1. It is a document: a navigation asked for it, its status is one whose content a browser shows, its type is
//!    `text/html` in a character encoding that the rewriter reads, and it is not to be saved as a file.
//! 2. It is whole and may be changed: no 206, no `no-transform` (RFC 9111 §5.2.2.6), no digest or signature of its content.
//! 3. Its coding is none, `gzip` or `br`: those the platform undoes before the rewriter and does again behind it, and it takes
//!    any other for text (seen in workerd; it compares the letters).
//! 4. Every Content-Security-Policy lets the script run, ask this origin and send a form to it. Elsewhere the page would be no
//!    better, and its owner would get a report of each visit.
//!
//! 401 and 403 of the origin pass unchanged, always.

use crate::authenticate::Who;
use crate::forward::answer::{Edits, directives};
use crate::policy::{Kind, Policy, Warn};
use crate::request::RequestFacts;

/// What of an answer is looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Document<'a> {
    /// Status code.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: Option<&'a str>,
    /// `Cache-Control`.
    pub cache_control: Option<&'a str>,
    /// `Content-Encoding`.
    pub coding: Option<&'a str>,
    /// `Content-Security-Policy`, its lines joined by commas.
    pub csp: Option<&'a str>,
    /// `ETag`.
    pub etag: Option<&'a str>,
    /// `Content-Disposition`.
    pub disposition: Option<&'a str>,
    /// Whether a field is there that speaks of each octet of the content, or wants one of each script: `Content-Digest`,
    /// `Repr-Digest`, `Digest`, `Content-MD5`, `Signature`, `Integrity-Policy`.
    pub is_fixed: bool,
}

/// Whether the answer to a request is to have the script, if it qualifies: somebody who is signed in opens a page.
#[must_use]
pub fn is_asked(policy: &Policy, facts: &RequestFacts<'_>, who: &Who) -> bool {
    let Who::Known(who) = who else { return false };
    let is = |name, value: &str| facts.field(name).is_some_and(|found| found == value);
    who.kind() == Kind::Session
        && policy.session.as_ref().is_some_and(|session| session.warn == Warn::Inject)
        && facts.method != "HEAD"
        && is("sec-fetch-mode", "navigate")
        // The script runs in no frame.
        && facts.field("sec-fetch-dest").is_none_or(|dest| dest == "document")
}

/// The changes to the fields of an answer that gets the script; `None` where it does not. `origin`: that of the request.
#[must_use]
pub fn edits(document: &Document<'_>, origin: &str) -> Option<Edits> {
    let is_fit = is_shown(document.status)
        && !document.is_fixed
        && document.content_type.is_some_and(is_html)
        && matches!(document.coding, None | Some("gzip" | "br"))
        && !document.cache_control.is_some_and(forbids_transforming)
        && !document.disposition.is_some_and(is_attachment)
        && document.csp.is_none_or(|csp| allows(csp, origin));
    is_fit.then(|| Edits {
        // Neither a length nor a range of the origin's content is one of what goes out.
        remove: vec!["content-length", "accept-ranges"],
        set: document.etag.and_then(weak).map(|etag| ("etag", etag)).into_iter().collect(),
        ..Edits::default()
    })
}

/// Statuses whose content a browser shows, and which nothing here has promised to leave alone.
const fn is_shown(status: u16) -> bool {
    matches!(status, 200..=203 | 207..=299 | 400 | 402 | 404..=599)
}

fn is_html(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(|part| part.trim_matches([' ', '\t']));
    let is_html = parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("text/html"));
    // What a parser makes of a field with two types differs.
    is_html && !content_type.contains(',') && parts.all(is_ascii_compatible)
}

/// Whether a parameter of the type names no encoding that the rewriter cannot read.
fn is_ascii_compatible(parameter: &str) -> bool {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    if !name.eq_ignore_ascii_case("charset") {
        return true;
    }
    is_read(&value.trim_matches('"').to_ascii_lowercase())
}

/// Whether a label is one of an encoding in which ASCII is ASCII (Encoding Standard §4.2), as pages write them. The rewriter
/// stops at one that it does not know.
fn is_read(label: &str) -> bool {
    let numbered = |prefix: &str| label.strip_prefix(prefix).and_then(|number| number.parse::<u16>().ok());
    matches!(label, "utf-8" | "utf8" | "us-ascii")
        || numbered("iso-8859-").is_some_and(|part| matches!(part, 1..=11 | 13..=16))
        || numbered("windows-").is_some_and(|page| matches!(page, 1250..=1258))
}

fn forbids_transforming(cache_control: &str) -> bool {
    directives(cache_control).any(|directive| {
        directive.split('=').next().is_some_and(|name| name.trim().eq_ignore_ascii_case("no-transform"))
    })
}

fn is_attachment(disposition: &str) -> bool {
    let kind = disposition.split(';').next().unwrap_or_default();
    !kind.trim_matches([' ', '\t']).eq_ignore_ascii_case("inline")
}

/// A strong entity tag as a weak one (RFC 9110 §8.8.1); `None` where it is weak, or no tag.
fn weak(etag: &str) -> Option<String> {
    etag.starts_with('"').then(|| ["W/", etag].concat())
}

/// Whether every policy lets a script of this origin run there, ask the origin and send a form to it (CSP 3). What is not
/// surely allowed is not: a path in a source, a wildcard of hosts, `strict-dynamic`, a sandbox.
#[must_use]
pub fn allows(csp: &str, origin: &str) -> bool {
    csp.split(',').all(|policy| {
        let value = |names: &[&str]| names.iter().find_map(|name| directive(policy, name));
        let is_ours = |sources: Option<&str>| sources.is_none_or(|sources| lists(sources, origin));
        directive(policy, "sandbox").is_none()
            && is_ours(value(&["script-src-elem", "script-src", "default-src"]))
            && is_ours(value(&["connect-src", "default-src"]))
            && is_ours(value(&["form-action"]))
    })
}

/// The value of a directive; the first of its name counts (CSP 3 §2.2.1).
fn directive<'p>(policy: &'p str, name: &str) -> Option<&'p str> {
    policy.split(';').find_map(|text| {
        let text = text.trim_ascii();
        let end = text.find(|c: char| c.is_ascii_whitespace()).unwrap_or(text.len());
        let (found, value) = text.split_at_checked(end)?;
        found.eq_ignore_ascii_case(name).then_some(value)
    })
}

fn lists(sources: &str, origin: &str) -> bool {
    let mut sources = sources.split_ascii_whitespace();
    let is_strict = sources.clone().any(|source| source.eq_ignore_ascii_case("'strict-dynamic'"));
    let authority = origin.split_once("://").map_or(origin, |(_, authority)| authority);
    let scheme = origin.split_once("//").map_or(origin, |(scheme, _)| scheme);
    !is_strict
        && sources.any(|source| {
            ["'self'", "*", scheme, origin, authority].iter().any(|ours| source.eq_ignore_ascii_case(ours))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ORIGIN: &str = "https://acme.example";
    const PAGE: Document<'_> = Document {
        status: 200,
        content_type: Some("text/html; charset=utf-8"),
        cache_control: None,
        coding: None,
        csp: None,
        etag: None,
        disposition: None,
        is_fixed: false,
    };

    fn qualifies(document: Document<'_>) -> bool {
        edits(&document, ORIGIN).is_some()
    }

    #[test]
    fn documents() {
        assert!(qualifies(PAGE));
        for status in [200, 201, 400, 404, 410, 500, 503] {
            assert!(qualifies(Document { status, ..PAGE }), "{status}");
        }
        for status in [101, 204, 205, 206, 301, 302, 304, 401, 403] {
            assert!(!qualifies(Document { status, ..PAGE }), "{status}");
        }
        assert!(!qualifies(Document { is_fixed: true, ..PAGE }));
    }

    #[test]
    fn types_and_encodings() {
        for (content_type, wanted) in [
            ("text/html", true),
            ("Text/HTML ; Charset=\"UTF-8\"", true),
            ("text/html;charset=ISO-8859-1;x=y", true),
            ("text/html; charset=windows-1252", true),
            ("text/html; charset=utf8", true),
            ("text/html; charset=utf-8x", false),
            ("text/html; charset=iso-8859-12", false),
            ("text/html; charset=utf-16", false),
            ("text/html; charset=UTF-16LE", false),
            ("text/html; charset=iso-2022-jp", false),
            ("text/html; charset=shift_jis", false),
            ("text/html; charset", false),
            ("text/html, text/html", false),
            ("text/htmlx", false),
            ("application/xhtml+xml", false),
            ("text/plain", false),
            ("", false),
        ] {
            let document = Document { content_type: Some(content_type), ..PAGE };
            assert_eq!(qualifies(document), wanted, "{content_type}");
        }
        assert!(!qualifies(Document { content_type: None, ..PAGE }));
    }

    #[test]
    fn codings_that_the_platform_undoes() {
        for (coding, wanted) in [
            ("gzip", true),
            ("br", true),
            ("GZIP", false),
            ("x-gzip", false),
            ("deflate", false),
            ("zstd", false),
            ("gzip, br", false),
            ("identity", false),
            ("", false),
        ] {
            assert_eq!(qualifies(Document { coding: Some(coding), ..PAGE }), wanted, "{coding}");
        }
    }

    #[test]
    fn what_is_to_stay_as_it_is() {
        for (cache_control, wanted) in [
            ("no-transform", false),
            ("private, No-Transform", false),
            ("max-age=1,no-transform=1", false),
            ("x=\"no-transform\"", true),
            ("private=\"a, no-transform\"", true),
            ("private", true),
        ] {
            let document = Document { cache_control: Some(cache_control), ..PAGE };
            assert_eq!(qualifies(document), wanted, "{cache_control}");
        }
        for (disposition, wanted) in [
            ("inline", true),
            ("Inline; filename=\"a\"", true),
            ("attachment", false),
            ("attachment; filename=\"inline\"", false),
            ("", false),
        ] {
            let document = Document { disposition: Some(disposition), ..PAGE };
            assert_eq!(qualifies(document), wanted, "{disposition}");
        }
    }

    #[test]
    fn entity_tags_become_weak() {
        let etag = |etag| edits(&Document { etag: Some(etag), ..PAGE }, ORIGIN).expect("it qualifies").set;
        assert_eq!(etag("\"a\""), [("etag", "W/\"a\"".to_owned())]);
        for stays in ["W/\"a\"", "", "a"] {
            assert!(etag(stays).is_empty(), "{stays}");
        }
    }

    #[test]
    fn policies() {
        for good in [
            "",
            "img-src 'none'",
            "script-src 'self'",
            "default-src 'self'; img-src *",
            "default-src 'none'; SCRIPT-SRC 'Self' 'nonce-abc'; connect-src 'self'",
            "default-src 'none'; script-src-elem https://acme.example; script-src 'none'; connect-src *",
            "script-src https:; connect-src acme.example; form-action 'self'",
            "script-src 'self'; script-src 'none'",
            "script-src 'self', default-src 'self'",
            ";; script-src\t'self' ;",
            "frame-ancestors 'none'; upgrade-insecure-requests",
        ] {
            assert!(allows(good, ORIGIN), "{good}");
        }
        for bad in [
            "script-src 'none'",
            "script-src",
            "default-src 'none'",
            "script-src 'nonce-abc'",
            "script-src 'sha256-x' 'unsafe-inline'",
            "script-src 'self' 'nonce-abc' 'Strict-Dynamic'",
            "script-src 'self'; default-src 'none'",
            "script-src 'self'; connect-src https://api.example",
            "script-src 'self', script-src https://cdn.example",
            "script-src-elem 'none'; script-src 'self'",
            "script-src https://acme.example:8443",
            "script-src https://acme.example/app/",
            "script-src http:",
            "script-src *.example",
            "script-src 'self'; form-action 'none'",
            "sandbox",
            "sandbox allow-scripts",
        ] {
            assert!(!allows(bad, ORIGIN), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(csp in "\\PC{0,60}", content_type in "\\PC{0,40}") {
            let document = Document { csp: Some(&csp), content_type: Some(&content_type), ..PAGE };
            let _ = edits(&document, ORIGIN);
        }

        #[test]
        fn one_more_policy_never_allows_more(one in "[a-z 'self;-]{0,40}", other in "[a-z 'self;-]{0,40}") {
            let both = [one.as_str(), &other].join(", ");
            prop_assert!(!allows(&both, ORIGIN) || allows(&one, ORIGIN) && allows(&other, ORIGIN));
        }
    }
}
