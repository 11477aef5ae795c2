//! Paths of other systems as patterns of ours, and which pattern decides a path.

/// A decoded path as the text of a pattern: what has a meaning in a pattern is percent-encoded.
pub fn literal(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for c in path.chars() {
        match c {
            '%' => text.push_str("%25"),
            '*' => text.push_str("%2A"),
            '{' => text.push_str("%7B"),
            '}' => text.push_str("%7D"),
            _ => text.push(c),
        }
    }
    text
}

/// All below a folder: `/a/` and `/a` become `/a/*`.
pub fn below(pattern: &str) -> String {
    format!("{}/*", pattern.strip_suffix('/').unwrap_or(pattern))
}

/// Whether two patterns match the same paths.
pub fn are_same(one: &str, other: &str) -> bool {
    let (one, other) = (Shape::of(one), Shape::of(other));
    one.below == other.below
        && one.segments.len() == other.segments.len()
        && one.segments.iter().zip(&other.segments).all(|(a, b)| a == b || (is_name(a) && is_name(b)))
}

/// The pattern that decides a path: at the first difference a text precedes `{name}`, that precedes `*`, and an end
/// precedes `*`, as in [`edgeward::policy::rules`].
pub fn most_specific<'p>(patterns: &[&'p str], path: &str) -> Option<&'p str> {
    let path = Shape::of(path);
    let matching = patterns.iter().filter(|pattern| Shape::of(pattern).matches(&path.segments));
    matching.max_by_key(|pattern| Shape::of(pattern).rank()).copied()
}

/// A pattern, taken apart.
struct Shape<'p> {
    segments: Vec<&'p str>,
    below: bool,
}

impl<'p> Shape<'p> {
    fn of(pattern: &'p str) -> Self {
        let path = pattern.trim_start_matches('/');
        let path = path.strip_suffix('/').unwrap_or(path);
        let mut segments: Vec<&str> = if path.is_empty() { Vec::new() } else { path.split('/').collect() };
        let below = segments.pop_if(|last| *last == "*").is_some();
        Self { segments, below }
    }

    fn matches(&self, path: &[&str]) -> bool {
        let long_enough =
            if self.below { path.len() >= self.segments.len() } else { path.len() == self.segments.len() };
        long_enough
            && self.segments.iter().zip(path).all(|(wanted, there)| is_name(wanted) || wanted == there)
    }

    /// Among patterns that match one path, the more specific one has the greater rank.
    fn rank(&self) -> (Vec<u8>, bool) {
        (self.segments.iter().map(|segment| if is_name(segment) { 1 } else { 2 }).collect(), !self.below)
    }
}

fn is_name(segment: &str) -> bool {
    segment.starts_with('{') && segment.ends_with('}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_specific_decides() {
        let patterns = ["/*", "/a/*", "/a/{id}", "/a/b", "/{x}/b", "/a/{id}/*"];
        for (path, expected) in [
            ("/", "/*"),
            ("/a", "/a/*"),
            ("/a/b", "/a/b"),
            ("/a/c", "/a/{id}"),
            ("/c/b", "/{x}/b"),
            ("/a/c/d", "/a/{id}/*"),
            ("/ab", "/*"),
        ] {
            assert_eq!(most_specific(&patterns, path), Some(expected), "{path}");
        }
        assert_eq!(most_specific(&["/a/*"], "/b"), None);
    }

    #[test]
    fn same_and_not() {
        assert!(are_same("/a", "/a/") && are_same("/{a}/*", "/{b}/*") && are_same("/", "/"));
        assert!(!are_same("/a", "/a/*") && !are_same("/a", "/b") && !are_same("/{a}", "/a"));
    }

    #[test]
    fn encodes_what_has_a_meaning() {
        assert_eq!(literal("/a*b/{c}/100%"), "/a%2Ab/%7Bc%7D/100%25");
        assert_eq!((below("/"), below("/a"), below("/a/")), ("/*".into(), "/a/*".into(), "/a/*".into()));
    }
}
