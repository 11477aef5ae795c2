//! What programs, and who writes them, are told of a cause: `www/.edgeward/problems.json`, in English alone.

use super::{Known, Wording, wording};
use crate::json::Json;
use crate::verdict::Cause;
use std::sync::OnceLock;

/// What a cause is called: `title` of problem details (RFC 9457 §3.1.3).
#[must_use]
pub fn title(cause: Cause) -> &'static str {
    problem(cause).headline
}

/// What a cause means.
#[must_use]
pub fn detail(cause: Cause) -> &'static str {
    problem(cause).text
}

/// Title, explanation, what to check.
#[must_use]
pub fn problem(cause: Cause) -> Wording {
    words()
        .get(cause.name())
        .map(|words| wording(words, "title", "check", Known::default()))
        .unwrap_or_default()
}

fn words() -> &'static Json<'static> {
    static WORDS: OnceLock<Json<'static>> = OnceLock::new();
    let json = include_str!(concat!(env!("OUT_DIR"), "/problems.json"));
    // It can be read: a test does.
    WORDS.get_or_init(|| Json::parse(json).unwrap_or(Json::Null))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::catalog::blanks::blanks;

    #[test]
    fn every_cause_is_explained() {
        for cause in Cause::ALL {
            let it = problem(cause);
            let whole = !it.headline.is_empty() && it.text.ends_with('.') && !it.steps.is_empty();
            assert!(whole, "{}", cause.name());
            assert_eq!(blanks(it.text).count(), 0);
            assert_eq!((title(cause), detail(cause)), (it.headline, it.text));
        }
    }

    #[test]
    fn the_page_is_the_brands() {
        let said = include_str!("../../../www/.edgeward/problems.json");
        let named = said.to_lowercase().replace("/.edgeward/", "").replace("edgeward_", "");
        assert!(!named.contains("edgeward"));
    }
}
