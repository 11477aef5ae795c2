//! Where an address leads, read as a browser does (URL Standard §4.4), against `https://h.example/.edgeward/link`.

use edgeward::return_to::{ReturnTo, written};

const HERE: &str = "h.example";

/// A host that shares the sign-in of this one.
const OTHER: &str = "https://b.example";

/// What an address leads to; the path with its dot segments.
#[derive(Debug, PartialEq, Eq)]
struct Resolved {
    /// `scheme://authority`.
    origin: String,
    path: String,
    query: Option<String>,
    fragment: Option<String>,
}

/// What was let through is on this host, or on the one that shares its sign-in, as every reader reads it; what a browser
/// leaves as it is, on one of them, is let through unless it looks like another address when it is decoded.
pub fn stays_here(text: &str) {
    let (origin, hosts) = (format!("https://{HERE}"), [OTHER.to_owned()]);
    let resolved = resolve(text);
    let Some(read) = ReturnTo::parse(text, &origin, &hosts) else {
        let is_left_alone = resolved.is_some_and(|it| is_here(&it) && is_plain(&it, text));
        return assert!(!is_left_alone, "{text:?} is plain, and not let through");
    };
    let resolved = resolved.unwrap_or_else(|| panic!("{text:?} leads nowhere"));
    assert_eq!(Some(&resolved), resolve(read.url()).as_ref(), "{text:?} is sent as {:?}", read.url());
    assert!(is_here(&resolved), "{text:?} leads to {resolved:?}");
    assert_eq!(read.origin(), resolved.origin, "{text:?}");
    let (path, query) = read.target();
    assert_eq!((resolved.path.as_str(), resolved.query.as_deref()), (path, query), "{text:?}");
    assert!(!path.split('/').any(is_dots), "{text:?} is resolved once more");
    assert!(read.url().bytes().all(|octet| octet.is_ascii_graphic()), "{text:?} is no field value");
    if text.starts_with('/') {
        assert_eq!(written(&origin, text), text, "{text:?} is written in another way than it is taken");
    }
}

fn is_here(it: &Resolved) -> bool {
    it.origin == OTHER || it.origin == format!("https://{HERE}")
}

/// Whether a browser would write it just so, and nobody who decodes it finds another address in it.
fn is_plain(it: &Resolved, text: &str) -> bool {
    let is_encoded = |c: char| !c.is_ascii_graphic() || "\"'<>^`{}\\".contains(c);
    let mut whole = it.path.clone();
    it.query.iter().for_each(|query| whole.extend(["?", query]));
    it.fragment.iter().for_each(|fragment| whole.extend(["#", fragment]));
    let first = it.path.split('/').nth(1).unwrap_or_default();
    let is_odd = it.path.contains("//") || first.contains(':');
    let is_it = text == whole && !is_odd || text == it.origin.clone() + &whole;
    is_it && !whole.contains(is_encoded) && !it.path.split('/').any(is_dots)
}

fn is_dots(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

/// `None` where the host is empty, or where the scheme is not one of the web's: there is nothing to say of those.
fn resolve(text: &str) -> Option<Resolved> {
    let trimmed = text.trim_matches(|c: char| c <= ' ');
    let input: String = trimmed.chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect();
    let (scheme, rest) = scheme(&input);
    let is_slash = |c: char| matches!(c, '/' | '\\');
    let is_relative = scheme.as_deref().is_none_or(|scheme| scheme == "https");
    let slashes = rest.chars().take_while(|c| is_slash(*c)).count();
    let scheme = scheme.unwrap_or_else(|| "https".to_owned());
    if !matches!(scheme.as_str(), "http" | "https") {
        return None;
    }
    let has_authority = slashes >= 2 || !is_relative;
    let (authority, target) = if has_authority {
        // However many slashes there are, an authority follows.
        let rest = rest.trim_start_matches(is_slash);
        rest.split_at(rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len()))
    } else {
        (HERE, rest)
    };
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    (!host.is_empty()).then(|| taken_apart(format!("{scheme}://{host}"), target, has_authority))
}

/// A scheme in lower case, where the text begins with one, and what follows its colon.
fn scheme(input: &str) -> (Option<String>, &str) {
    let end = input.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).unwrap_or(input.len());
    let begins = input.starts_with(|c: char| c.is_ascii_alphabetic());
    match input[end..].strip_prefix(':').filter(|_| begins) {
        Some(rest) => (Some(input[..end].to_ascii_lowercase()), rest),
        None => (None, input),
    }
}

fn taken_apart(origin: String, target: &str, has_authority: bool) -> Resolved {
    let (target, fragment) = match target.split_once('#') {
        Some((target, fragment)) => (target, Some(fragment.to_owned())),
        None => (target, None),
    };
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query.to_owned())),
        None => (target, None),
    };
    let path = path.replace('\\', "/");
    let path = match path.as_str() {
        // Of a relative one, the base's own; of an absolute one, the root.
        "" if origin == format!("https://{HERE}") && !has_authority => "/.edgeward/link".to_owned(),
        "" => "/".to_owned(),
        absolute if absolute.starts_with('/') => path,
        _ => format!("/.edgeward/{path}"),
    };
    Resolved { origin, path, query, fragment }
}
