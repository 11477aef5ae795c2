//! Where an address leads, read as a browser does (URL Standard §4.4), against `https://h.example/.edgeward/link`.

const HERE: &str = "h.example";

/// What an address leads to; the path with its dot segments.
#[derive(Debug, PartialEq, Eq)]
struct Resolved {
    /// `scheme://authority`.
    origin: String,
    path: String,
    query: Option<String>,
    fragment: Option<String>,
}

/// What was let through is on this host, alone and behind the origin, with the path and query that were read of it; what
/// a browser leaves as it is, on this host, is let through.
pub fn stays_here(text: &str, read: Option<(&str, Option<&str>)>) {
    let resolved = resolve(text);
    let Some((path, query)) = read else {
        let is_left_alone = resolved.is_some_and(|it| is_here(&it) && written(&it) == text);
        return assert!(!is_left_alone, "{text:?} is plain, and not let through");
    };
    assert_eq!(resolved, resolve(&format!("https://{HERE}{text}")), "{text:?}");
    let resolved = resolved.unwrap_or_else(|| panic!("{text:?} leads nowhere"));
    assert!(is_here(&resolved), "{text:?} leads to {resolved:?}");
    assert_eq!((resolved.path.as_str(), resolved.query.as_deref()), (path, query), "{text:?}");
    assert!(text.bytes().all(|octet| octet.is_ascii_graphic()), "{text:?} is no field value");
}

fn is_here(it: &Resolved) -> bool {
    it.origin == format!("https://{HERE}") && it.fragment.is_none()
}

/// Path and query as a browser writes them; one that it would write otherwise is nothing's equal.
fn written(it: &Resolved) -> String {
    let is_encoded = |c: char| !c.is_ascii_graphic() || "\"'<>^`{}\\".contains(c);
    let whole = it.query.as_ref().map_or_else(|| it.path.clone(), |query| format!("{}?{query}", it.path));
    whole.replace(is_encoded, "%")
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
    let (authority, target) = if slashes >= 2 || !is_relative {
        // However many slashes there are, an authority follows.
        let rest = rest.trim_start_matches(is_slash);
        rest.split_at(rest.find(['/', '\\', '?', '#']).unwrap_or(rest.len()))
    } else {
        (HERE, rest)
    };
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    (!host.is_empty()).then(|| taken_apart(format!("{scheme}://{host}"), target))
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

fn taken_apart(origin: String, target: &str) -> Resolved {
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
        "" => "/.edgeward/link".to_owned(),
        absolute if absolute.starts_with('/') => path,
        _ => format!("/.edgeward/{path}"),
    };
    Resolved { origin, path, query, fragment }
}
