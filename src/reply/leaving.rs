//! Answers around staying in and getting out, besides pages.

use super::{Answerer, Reply, language};
use crate::challenge;
use crate::json::push_string;
use crate::reply::catalog::{Catalog, categories};
use crate::reply::languages;

/// What the words in `session.js` are, in their order; behind the text come its numbers by plural category.
const WORDS: [&str; 8] = [
    "/session/title",
    "/session/text",
    SECONDS,
    "/session/stay",
    "/session/leave",
    "/actions/next",
    "/session/ended",
    "/session/again",
];

const SECONDS: &str = "/time/span/seconds";

impl Answerer<'_> {
    /// A JSON document, for scripts.
    #[must_use]
    pub fn json(&self, document: String) -> Reply {
        self.finish(Reply::new(200).typed("application/json", document))
    }

    /// The fields around `session.js`, and its words (JSON) in the visitor's language.
    #[must_use]
    pub fn session_script(&self) -> (Reply, String) {
        let reply = Reply::new(200).typed("text/javascript; charset=utf-8", String::new());
        (self.finish(reply), words(languages::catalog(language::spoken(self.facts))))
    }

    /// The challenge under which a browser asks with its own prompt (RFC 7617 §2).
    #[must_use]
    pub fn basic_challenge(&self) -> String {
        challenge::basic(self.terms().realm)
    }
}

/// The words of `session.js`: an array, as `src/edge/session.js` takes it apart.
fn words(catalog: &'static Catalog) -> String {
    let mut out = String::from("[");
    push_string(&mut out, catalog.tag());
    out.push(',');
    push_string(&mut out, catalog.dir());
    for pointer in WORDS {
        out.push(',');
        match pointer {
            SECONDS => push_forms(&mut out, catalog),
            pointer => push_string(&mut out, catalog.word(pointer)),
        }
    }
    out + "]"
}

fn push_forms(out: &mut String, catalog: &'static Catalog) {
    let categories = categories(catalog.word("/language/plural")).unwrap_or(&["other"]);
    for (index, category) in categories.iter().enumerate() {
        out.push(if index == 0 { '{' } else { ',' });
        push_string(out, category);
        out.push(':');
        push_string(out, catalog.word(&[SECONDS, "/", category].concat()));
    }
    out.push('}');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::languages::english;

    #[test]
    fn the_words_of_the_script() {
        assert_eq!(
            words(english()),
            r#"["en","ltr","You will be signed out soon","Your sign-in ends in {left}.",{"one":"{n} second","other":"{n} seconds"},"Stay signed in","Sign out","Continue","You were signed out.","Sign in"]"#
        );
    }
}
