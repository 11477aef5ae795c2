//! The reserved paths that take a POST: where they are, who may post there, and what a form holds.

use crate::credentials::query;
use crate::request::RequestFacts;
use crate::text;
use std::borrow::Cow;

/// Makes fresh tokens for programs.
pub const TOKEN: &str = "/.edgeward/token";

/// Opens a link that counts its uses.
pub const LINK: &str = "/.edgeward/link";

/// Takes orders to revoke, signed by the command.
pub const REVOKE: &str = "/.edgeward/revoke";

/// Where people sign in: GET shows the form, POST takes it.
pub const SIGN_IN: &str = "/.edgeward/sign-in";

/// Where they sign out: GET asks, POST does.
pub const SIGN_OUT: &str = "/.edgeward/sign-out";

/// Takes away all that a browser keeps for this site: GET asks, POST does.
pub const CLEAR: &str = "/.edgeward/clear";

/// Says how long a session is good; POST extends it.
pub const SESSION: &str = "/.edgeward/session";

/// The script that warns before a session ends.
pub const SESSION_SCRIPT: &str = "/.edgeward/session.js";

/// Takes the language that a visitor chose.
pub const LANGUAGE: &str = "/.edgeward/language";

/// Octets of a form that are read.
pub const LONGEST_FORM: usize = 16 * 1024;

/// Whether a page of this origin can have made this request: `Sec-Fetch-Site` says `same-origin`, or, where that field is
/// absent, `Origin` is the request's own. Anything else, no `Origin` included, may be another site's doing.
#[must_use]
pub fn is_own(facts: &RequestFacts<'_>) -> bool {
    match facts.field("sec-fetch-site") {
        Some(site) => site == "same-origin",
        None => facts.field("origin").is_some_and(|origin| origin == facts.origin()),
    }
}

/// Whether a form of our own pages can have made this request: it is our own, and its content is a form.
#[must_use]
pub fn is_own_form(facts: &RequestFacts<'_>) -> bool {
    is_own(facts) && is_form(facts)
}

/// Whether the content says that it is a form.
fn is_form(facts: &RequestFacts<'_>) -> bool {
    let content_type = facts.field("content-type").unwrap_or_default();
    // White space that HTTP does not know (U+00A0) belongs to the value: to others it is no form then.
    let essence = content_type.split(';').next().unwrap_or_default().trim_matches([' ', '\t']);
    essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// The scopes that are asked for (RFC 6749 §3.3); `None` where the content names none: then it is all that there are.
///
/// # Errors
/// A sentence where it cannot be told which are asked for: more might be given than whoever asks means.
pub fn scope_asked<'f>(
    facts: &RequestFacts<'_>,
    content: &'f str,
) -> Result<Option<Cow<'f, str>>, &'static str> {
    if content.is_empty() {
        return Ok(None);
    }
    if !is_form(facts) {
        return Err("The content is no form (application/x-www-form-urlencoded).");
    }
    // A parameter without a value is as if it were not there (RFC 6749 §3.2).
    match (query::values(content, "scope").all(str::is_empty), form_value(content, "scope")) {
        (true, _) => Ok(None),
        (false, Some(scope)) => Ok(Some(scope)),
        (false, None) => Err("scope stands there twice, or is not percent-encoded UTF-8."),
    }
}

/// The value of a field of a form (`application/x-www-form-urlencoded`, URL Standard §5.1), decoded; `None` where it is
/// not there, stands there twice or is no UTF-8.
#[must_use]
pub fn form_value<'f>(form: &'f str, name: &str) -> Option<Cow<'f, str>> {
    let mut values = query::values(form, name);
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    if !value.contains('+') {
        return query::decode_value(value);
    }
    query::decode_value(&text::replaced(value, "+", "%20")).map(|value| Cow::Owned(value.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::FieldList;

    #[test]
    fn a_form_of_ours_is_told_from_others() {
        let form = ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
        let text = ("Content-Type", "text/plain");
        for (fields, wanted) in [
            (vec![form, ("Sec-Fetch-Site", "same-origin")], true),
            (vec![form, ("Sec-Fetch-Site", "same-origin"), ("Origin", "null")], true),
            (vec![form, ("Sec-Fetch-Site", "same-site")], false),
            (vec![form, ("Sec-Fetch-Site", "cross-site"), ("Origin", "https://h")], false),
            (vec![form, ("Sec-Fetch-Site", "none")], false),
            (vec![form, ("Origin", "https://h")], true),
            (vec![form, ("Origin", "https://h:8443")], false),
            (vec![form, ("Origin", "http://h")], false),
            (vec![form, ("Origin", "null")], false),
            (vec![form], false),
            (vec![text, ("Sec-Fetch-Site", "same-origin")], false),
            (vec![("Sec-Fetch-Site", "same-origin")], false),
            (
                vec![
                    ("Sec-Fetch-Site", "same-origin"),
                    ("Content-Type", " application/X-WWW-form-urlencoded\t;"),
                ],
                true,
            ),
            (
                vec![
                    ("Sec-Fetch-Site", "same-origin"),
                    ("Content-Type", "\u{a0}application/x-www-form-urlencoded"),
                ],
                false,
            ),
        ] {
            let list = FieldList::new(fields.iter().copied());
            let facts = RequestFacts::new("POST", "https://h/.edgeward/link", &list).expect("absolute");
            assert_eq!(is_own_form(&facts), wanted, "{fields:?}");
        }
    }

    #[test]
    fn forms() {
        let form = "a=1&b=x+y%2B&c=%zz&d=1&d=2&e";
        assert_eq!(form_value(form, "a").as_deref(), Some("1"));
        assert_eq!(form_value(form, "b").as_deref(), Some("x y+"));
        assert_eq!(form_value(form, "e").as_deref(), Some(""));
        for bad in ["c", "d", "f", ""] {
            assert_eq!(form_value(form, bad), None, "{bad}");
        }
    }

    #[test]
    fn scopes_that_are_asked_for() {
        let form = ("Content-Type", "application/x-www-form-urlencoded");
        let asked = |fields: &[(&str, &str)], content| {
            let list = FieldList::new(fields.iter().copied());
            let facts = RequestFacts::new("POST", "https://h/.edgeward/token", &list).expect("absolute");
            scope_asked(&facts, content).map(|scope| scope.map(Cow::into_owned)).ok()
        };
        for none in ["", "grant_type=client_credentials", "scope", "scope=&a=b", "scope=&scope="] {
            assert_eq!(asked(&[form], none), Some(None), "{none}");
        }
        assert_eq!(asked(&[], ""), Some(None));
        assert_eq!(asked(&[form], "a=b&scope=read+write%3Aall"), Some(Some("read write:all".to_owned())));
        for bad in ["scope=read&scope=write", "scope=read&scope", "scope=%ff", "scope=%zz"] {
            assert_eq!(asked(&[form], bad), None, "{bad}");
        }
        assert_eq!(asked(&[], "scope=read"), None);
        assert_eq!(asked(&[("Content-Type", "application/json")], "{\"scope\":\"read\"}"), None);
    }
}
