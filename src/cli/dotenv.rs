//! `.dev.vars`: lines of `NAME=value`, as wrangler reads them (dotenv 16.3, without expansion).
//!
//! 1. A name, `=` or `: `, and a value; `export` before the name is skipped; lines that are neither are too.
//! 2. A value in `'`, `"` or `` ` `` may span lines; in `"` alone `\n` and `\r` are line ends.
//! 3. Any other value ends at `#` or at the end of the line; white space around it is cut.
//! 4. A name that stands twice has its last value.

use edgeward::secret::Secret;

/// The names and values of a text.
pub fn parse(text: &str) -> Vec<(String, Secret<String>)> {
    let text = Secret::new(text.trim_start_matches('\u{feff}').replace("\r\n", "\n").replace('\r', "\n"));
    let mut rest: &str = text.expose();
    let mut pairs: Vec<(String, Secret<String>)> = Vec::new();
    while !rest.is_empty() {
        let Some((name, after)) = name(rest) else {
            rest = next_line(rest);
            continue;
        };
        let (value, after) = value(after);
        pairs.retain(|(known, _)| known != name);
        pairs.push((name.to_owned(), Secret::new(value)));
        rest = next_line(after);
    }
    pairs
}

/// A line of `NAME='value'` that [`parse`] and wrangler read back.
pub fn line(name: &str, value: &str) -> String {
    let quote = ['\'', '`', '"'].into_iter().find(|quote| !value.contains(*quote)).unwrap_or('\'');
    format!("{name}={quote}{value}{quote}\n")
}

fn next_line(text: &str) -> &str {
    text.split_once('\n').map_or("", |(_, rest)| rest)
}

/// A name and what follows its `=`.
fn name(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start_matches([' ', '\t']);
    let line = line.strip_prefix("export ").map_or(line, |rest| rest.trim_start_matches([' ', '\t']));
    let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-')))?;
    let (name, rest) = line.split_at(end);
    let after = match rest.trim_start_matches([' ', '\t']).strip_prefix('=') {
        Some(after) => after,
        None => rest.strip_prefix(": ")?,
    };
    (!name.is_empty()).then_some((name, after))
}

/// A value, and the text from its end on.
fn value(text: &str) -> (String, &str) {
    let text = text.trim_start_matches([' ', '\t']);
    let (raw, after) = quoted(text).unwrap_or_else(|| {
        let end = text.find(['#', '\n']).unwrap_or(text.len());
        let (raw, after) = text.split_at(end);
        (unwrapped(raw.trim()), after)
    });
    if text.starts_with('"') {
        return (raw.replace("\\n", "\n").replace("\\r", "\r"), after);
    }
    (raw.to_owned(), after)
}

/// A value in quotation marks with nothing but a comment behind it. It ends at the first mark without a backslash
/// before it, or else at the last one with.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"' | '`'))?;
    let inner = text.get(1..)?;
    let marks: Vec<usize> = inner.match_indices(quote).map(|(at, _)| at).collect();
    let is_escaped = |at: usize| inner.get(..at).is_some_and(|before| before.ends_with('\\'));
    let last = marks.iter().position(|at| !is_escaped(*at)).map_or(marks.len(), |first| first + 1);
    let ends = marks.into_iter().take(last).rev();
    let end = ends.into_iter().find(|at| is_end(inner.get(at + 1..).unwrap_or_default()))?;
    Some((inner.get(..end)?, inner.get(end + 1..)?))
}

/// The same without quotation marks around all of it.
fn unwrapped(text: &str) -> &str {
    let inner = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
    ['\'', '"', '`'].into_iter().find_map(inner).unwrap_or(text)
}

/// Whether the rest of the line is blank or a comment.
fn is_end(text: &str) -> bool {
    let line = text.split('\n').next().unwrap_or_default().trim_start();
    line.is_empty() || line.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        parse(text).into_iter().map(|(name, value)| (name, value.expose().clone())).collect()
    }

    /// Each expectation is what `dotenv` 16.3.1 says to the same text.
    #[test]
    fn as_wrangler_reads_it() {
        for (text, expected) in [
            ("A=b", vec![("A", "b")]),
            ("# note\n\nA = b # c\r\nexport B='c'\n", vec![("A", "b"), ("B", "c")]),
            ("A='ann:$2y$10$abc'\nB=\"x\\ny\"", vec![("A", "ann:$2y$10$abc"), ("B", "x\ny")]),
            ("A='one\ntwo:x'\nB=c", vec![("A", "one\ntwo:x"), ("B", "c")]),
            ("A='{\"a\":1}' # c", vec![("A", "{\"a\":1}")]),
            ("A=`it's`", vec![("A", "it's")]),
            ("A=\nB=", vec![("A", ""), ("B", "")]),
            ("A: b", vec![("A", "b")]),
            ("A=1\nA=2", vec![("A", "2")]),
            ("A=x#y", vec![("A", "x")]),
            ("A='open\nB=c", vec![("A", "'open"), ("B", "c")]),
            ("A='a\\'b'\nB=1", vec![("A", "a\\'b"), ("B", "1")]),
            ("A='a' b\nB='2'", vec![("A", "'a' b"), ("B", "2")]),
            ("A='x'y'\nB=1", vec![("A", "x'y"), ("B", "1")]),
            ("A = 'x\\' # y\nC='z'", vec![("A", "x\\"), ("C", "z")]),
            ("no name here\n=x\nA=b", vec![("A", "b")]),
        ] {
            let expected: Vec<_> =
                expected.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            assert_eq!(pairs(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "([A-C='\"`#\\\\\n: ]|\\PC){0,40}") {
            let _ = parse(&text);
        }

        #[test]
        fn lines_are_read_back(value in "[A-Za-z0-9$:,{}\"/+#=-]{0,40}(\n[a-z$:]{1,9})?") {
            prop_assert_eq!(pairs(&line("A", &value)), vec![("A".to_owned(), value)]);
        }
    }
}
