//! The settings of oauth2-proxy, of its TOML file or of a file of flags, with their lines.

use super::super::Unreadable;
use super::super::words::shell_words;
use toml::de::{DeTable, DeValue};

/// One setting: the name that the TOML file has for it, and its values as text.
#[derive(Debug, PartialEq, Eq)]
pub struct Setting {
    /// The line, from 1.
    pub line: usize,
    /// `skip_auth_routes`.
    pub name: String,
    /// What stands there.
    pub values: Vec<String>,
}

/// Flags that may stand several times; the TOML file has their plural.
const REPEATED: [&str; 12] = [
    "allowed_group",
    "allowed_role",
    "api_route",
    "cookie_domain",
    "email_domain",
    "extra_jwt_issuer",
    "github_user",
    "google_group",
    "htpasswd_user_group",
    "skip_auth_route",
    "trusted_ip",
    "upstream",
];

/// Reads either of the two.
pub fn read(text: &str) -> Result<Vec<Setting>, Unreadable> {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let is_flags =
        lines().next().is_some_and(|line| line.starts_with('-') || line.starts_with("oauth2-proxy"));
    if is_flags { flags(text) } else { file(text) }
}

fn file(text: &str) -> Result<Vec<Setting>, Unreadable> {
    let table = DeTable::parse(text).map_err(|error| {
        let line = line_of(text, error.span().map_or(0, |span| span.start));
        // The message alone: the line may hold a secret.
        Unreadable::new(
            line,
            format!("it is no TOML: {}.", error.message().lines().next().unwrap_or_default()),
        )
    })?;
    let mut settings: Vec<Setting> = table
        .get_ref()
        .iter()
        .map(|(name, value)| Setting {
            line: line_of(text, name.span().start),
            name: name.get_ref().replace('-', "_"),
            values: values(value.get_ref()),
        })
        .collect();
    settings.sort_by_key(|setting| setting.line);
    Ok(settings)
}

fn values(value: &DeValue<'_>) -> Vec<String> {
    match value {
        DeValue::String(text) => vec![text.to_string()],
        DeValue::Boolean(value) => vec![value.to_string()],
        DeValue::Array(items) => items.iter().flat_map(|item| values(item.get_ref())).collect(),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Table(_) => Vec::new(),
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or_default().matches('\n').count() + 1
}

/// `--flag=value`, `--flag value`, `--flag`: lines of a shell, of a unit or of a list in YAML.
fn flags(text: &str) -> Result<Vec<Setting>, Unreadable> {
    let mut settings: Vec<Setting> = Vec::new();
    let mut waiting = false;
    for (line, number) in text.lines().zip(1..) {
        let line = line.trim().trim_end_matches('\\');
        if line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("- ").unwrap_or(line);
        let words =
            shell_words(line).ok_or_else(|| Unreadable::new(number, "a quotation mark is not closed."))?;
        for word in words {
            waiting = one_word(&word, number, waiting, &mut settings);
        }
    }
    Ok(settings)
}

/// Takes one word; whether the next one may be its value.
fn one_word(word: &str, line: usize, waiting: bool, settings: &mut Vec<Setting>) -> bool {
    let Some(flag) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else {
        if let Some(last) = settings.last_mut().filter(|_| waiting) {
            last.values.extend(listed(&last.name, word));
        }
        return false;
    };
    let (name, value) = flag.split_once('=').map_or((flag, None), |(name, value)| (name, Some(value)));
    let name = plural(&name.replace('-', "_"));
    let values = value.map(|value| listed(&name, value)).unwrap_or_default();
    settings.push(Setting { line, name, values });
    value.is_none()
}

fn plural(name: &str) -> String {
    if REPEATED.contains(&name) { format!("{name}s") } else { name.to_owned() }
}

/// A flag that may stand several times takes several values with commas between them, too.
fn listed(name: &str, value: &str) -> Vec<String> {
    let repeated = name == "skip_auth_regex" || REPEATED.iter().any(|it| name.strip_suffix('s') == Some(it));
    if repeated { value.split(',').map(str::to_owned).collect() } else { vec![value.to_owned()] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> Vec<(usize, String, String)> {
        let settings = read(text).unwrap();
        settings.into_iter().map(|it| (it.line, it.name, it.values.join(" "))).collect()
    }

    #[test]
    fn the_file_and_the_flags_say_the_same() {
        let file = "# c\nupstreams = [\"http://a:1/\"]\r\nskip_auth_routes = [\n  \"^/a$\",\n  'GET=^/b'\n]\nreverse_proxy = true\n";
        assert_eq!(
            shown(file),
            [
                (2, "upstreams".into(), "http://a:1/".into()),
                (3, "skip_auth_routes".into(), "^/a$ GET=^/b".into()),
                (7, "reverse_proxy".into(), "true".into())
            ]
        );
        let flags = "oauth2-proxy \\\n  --upstream=http://a:1/ \\\n --skip-auth-route '^/a$,GET=^/b' --reverse-proxy\n- --api-route=^/x\n";
        assert_eq!(
            shown(flags),
            [
                (2, "upstreams".into(), "http://a:1/".into()),
                (3, "skip_auth_routes".into(), "^/a$ GET=^/b".into()),
                (3, "reverse_proxy".into(), String::new()),
                (4, "api_routes".into(), "^/x".into())
            ]
        );
    }

    #[test]
    fn a_fault_is_told_by_its_line_alone() {
        let unreadable = read("a = 1\nclient_secret = \"hunter2\nb = 2\n").unwrap_err();
        assert_eq!(unreadable.line, 2);
        assert!(!unreadable.why.contains("hunter2"), "{unreadable:?}");
        assert_eq!(read("--a='open").unwrap_err().line, 1);
    }

    proptest! {
        #[test]
        fn never_panics(text in "(-|--a|=|\"|'|\n|\\[|\\]|[a-c]|\\PC){0,40}") {
            let _ = read(&text);
        }
    }
}
