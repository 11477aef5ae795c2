//! The choice of a rule and the readings of a path, written a second time: slowly and plainly, on texts.

use edgeward::policy::Rule;

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Rule(usize),
    Unlisted(usize),
    Default,
    Reserved,
    ReservedMarked,
    Ambiguous,
}

/// Sorts the rules by how specific they are and takes the first that matches path and host.
pub fn choose(rules: &[Rule], segments: &[String], method: &str, host: &str) -> Outcome {
    if segments.first().is_some_and(|first| first == ".edgeward") {
        return Outcome::Reserved;
    }
    let mut sorted: Vec<&Rule> = rules.iter().collect();
    sorted.sort_by_key(|rule| (specificity(rule), rule.host.is_none()));
    let matches = |rule: &&Rule| matches(rule, segments) && rule.host.as_deref().is_none_or(|h| h == host);
    let Some(best) = sorted.into_iter().find(matches) else { return Outcome::Default };
    let alike: Vec<&Rule> = rules.iter().filter(|rule| same_place(rule, best)).collect();
    let names = |rule: &&&Rule| methods(rule).is_some_and(|names| names.contains(&as_get(method)));
    match alike.iter().find(names).or_else(|| alike.iter().find(|rule| rule.methods.is_none())) {
        Some(rule) => Outcome::Rule(rule.index.expect("numbered")),
        None => Outcome::Unlisted(alike[0].index.expect("numbered")),
    }
}

/// Whether a request could fall to both rules alike.
pub fn equal(a: &Rule, b: &Rule) -> bool {
    let overlap = match (methods(a), methods(b)) {
        (None, None) => true,
        (Some(a), Some(b)) => a.iter().any(|method| b.contains(method)),
        _ => false,
    };
    overlap && same_place(a, b)
}

fn same_place(a: &Rule, b: &Rule) -> bool {
    shape(a) == shape(b) && a.host == b.host
}

/// The pattern with the names of parameters left out.
fn shape(rule: &Rule) -> Vec<String> {
    split(&rule.path).into_iter().map(|s| if s.starts_with('{') { "{}".into() } else { s }).collect()
}

fn methods(rule: &Rule) -> Option<Vec<&str>> {
    rule.methods.as_ref().map(|methods| methods.iter().map(|method| as_get(method)).collect())
}

fn as_get(method: &str) -> &str {
    if method == "HEAD" { "GET" } else { method }
}

/// Smaller is more specific, where both patterns match: end, literal, `{name}`, `*`.
fn specificity(rule: &Rule) -> Vec<u8> {
    let rank = |segment: &String| match segment.as_str() {
        "*" => 3,
        name if name.starts_with('{') => 2,
        _ => 1,
    };
    split(&rule.path).iter().map(rank).chain([0]).collect()
}

fn matches(rule: &Rule, segments: &[String]) -> bool {
    let mut pattern = split(&rule.path);
    let below = pattern.last().is_some_and(|last| last == "*");
    if below {
        pattern.pop();
    }
    let fits = pattern.iter().zip(segments).all(|(wanted, found)| wanted.starts_with('{') || wanted == found);
    fits && if below { segments.len() >= pattern.len() } else { segments.len() == pattern.len() }
}

/// The segments of a path or pattern; one empty segment at the end is none.
pub fn split(path: &str) -> Vec<String> {
    without_last_empty(path.split('/').skip(1).map(Into::into).collect())
}

fn without_last_empty(mut segments: Vec<String>) -> Vec<String> {
    if segments.last().is_some_and(String::is_empty) {
        segments.pop();
    }
    segments
}

/// All readings of a path: at each level every combination of nine steps in a row, each done or not. `None` where
/// the path cannot be decoded.
pub fn readings(path: &str) -> Option<Vec<Vec<String>>> {
    let received: Vec<String> = path.split('/').skip(1).map(Into::into).collect();
    if path.contains('%') && !received.iter().all(|segment| decodes_strictly(segment)) {
        return None;
    }
    let mut level: Vec<String> = decode_all(&received)?;
    let mut readings = Vec::new();
    for _ in 0..3 {
        readings.extend(read(&level).into_iter().map(without_last_empty));
        let deeper = decode_all(&level)?;
        if deeper == level {
            readings.sort();
            readings.dedup();
            return Some(readings);
        }
        level = deeper;
    }
    None
}

/// What each of the steps makes of each path that the steps before it, done or not, made.
fn read(level: &[String]) -> Vec<Vec<String>> {
    let steps: [fn(Vec<String>) -> Vec<String>; 9] = [
        |path| path.iter().flat_map(|s| s.split('\\').map(Into::into)).collect(),
        |path| path.iter().flat_map(|s| s.split('/').map(Into::into)).collect(),
        non_empty,
        cut,
        resolve,
        |path| path.iter().map(|s| s.split(';').next().unwrap_or("").into()).collect(),
        resolve,
        cut,
        non_empty,
    ];
    let mut paths = vec![level.to_vec()];
    for step in steps {
        let done: Vec<_> = paths.iter().cloned().map(step).collect();
        paths.extend(done);
        paths.sort();
        paths.dedup();
    }
    paths
}

fn non_empty(path: Vec<String>) -> Vec<String> {
    path.into_iter().filter(|segment| !segment.is_empty()).collect()
}

fn cut(path: Vec<String>) -> Vec<String> {
    let mut kept = Vec::new();
    for segment in path {
        match segment.find(['?', '#', '\0']) {
            Some(at) => {
                kept.push(segment[..at].to_owned());
                return kept;
            }
            None => kept.push(segment),
        }
    }
    kept
}

fn resolve(path: Vec<String>) -> Vec<String> {
    let mut resolved = Vec::new();
    for segment in path {
        match segment.as_str() {
            "." => {}
            ".." => {
                resolved.pop();
            }
            _ => resolved.push(segment),
        }
    }
    resolved
}

fn decode_all(segments: &[String]) -> Option<Vec<String>> {
    segments.iter().map(|segment| decode(segment)).collect()
}

fn decode(segment: &str) -> Option<String> {
    let bytes = segment.as_bytes();
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        match hex(bytes, at) {
            Some(octet) => {
                decoded.push(octet);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).ok()
}

fn hex(bytes: &[u8], at: usize) -> Option<u8> {
    let digits = bytes.get(at + 1..at + 3).filter(|d| d.iter().all(u8::is_ascii_hexdigit))?;
    let digits = std::str::from_utf8(digits).ok()?;
    (bytes[at] == b'%').then(|| u8::from_str_radix(digits, 16).ok())?
}

fn decodes_strictly(segment: &str) -> bool {
    let bytes = segment.as_bytes();
    (0..bytes.len()).filter(|at| bytes[*at] == b'%').all(|at| hex(bytes, at).is_some())
}
