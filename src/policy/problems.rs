//! What can be wrong with the path, host and methods of a rule, in words.

use super::Rule;
use super::pattern::Wrong;
use crate::config::{Problem, quote};
use crate::request::host_of;

/// Methods of RFC 9110 §9.3 and RFC 5789, that are often written in lower case by mistake.
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"];

/// What is wrong with the path of a rule.
pub(super) fn path_problem(rule: &Rule, position: usize, wrong: Wrong) -> Problem {
    if quote::may_hold_password(&rule.path) {
        let wrong = Wrong::new(wrong.expected, "Write the path alone, without scheme, user name and host.");
        return problem(rule, position, ".path", quote::NOT_SHOWN.to_owned(), wrong);
    }
    problem(rule, position, ".path", quote::quote(&rule.path), wrong)
}

/// What is wrong with the methods of a rule.
pub(super) fn methods_problem(rule: &Rule, position: usize) -> Option<Problem> {
    let methods = rule.methods.as_deref()?;
    let (found, wrong) = if methods.is_empty() {
        let fix = "Leave methods out if the rule is for all of them.";
        ("no method".to_owned(), Wrong::new("at least one method", fix))
    } else {
        methods.iter().find_map(|method| wrong_method(method).map(|wrong| (quote::quote(method), wrong)))?
    };
    Some(problem(rule, position, ".methods", found, wrong))
}

fn wrong_method(method: &str) -> Option<Wrong> {
    let known = METHODS.into_iter().find(|known| method.eq_ignore_ascii_case(known));
    match known {
        Some(known) if known != method => Some(Wrong::new(
            "a method in upper case, as methods are case-sensitive",
            format!("Write \"{known}\"."),
        )),
        None if method.is_empty() || !method.bytes().all(is_token_octet) => {
            let fix = "Write each method as a text of its own: methods = [\"GET\", \"POST\"].";
            Some(Wrong::new("a method (RFC 9110 §5.6.2, token)", fix))
        }
        Some(_) | None => None,
    }
}

/// `tchar` of RFC 9110 §5.6.2.
const fn is_token_octet(octet: u8) -> bool {
    octet.is_ascii_alphanumeric()
        || matches!(octet, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

/// What is wrong with the host of a rule: a host that no request can have would switch its rule off in silence.
pub(super) fn host_problem(rule: &Rule, position: usize) -> Option<Problem> {
    let host = rule.host.as_deref()?;
    let name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
    let address = |b: u8| b.is_ascii_hexdigit() || matches!(b, b':' | b'.');
    let is_host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inside) => !inside.is_empty() && inside.bytes().all(address),
        None => !host.is_empty() && host.bytes().all(name),
    };
    if is_host && host_of(host) == host {
        return None;
    }
    let wrong = Wrong::new(
        "one host in lower case, without scheme, port, trailing dot and *, other scripts as xn--",
        "Write for example host = \"api.acme.example\", a rule for each host, or leave host out for any.",
    );
    Some(problem(rule, position, ".host", quote::quote(host), wrong))
}

/// A rule, and an earlier one that a request could fall to as well.
pub(super) fn equal_rules(rule: (&Rule, usize), other: (&Rule, usize)) -> Problem {
    let found = format!("the same path, host and method as rules[{}]", place(other.0, other.1));
    let fix = "Remove one of the two, or give them different methods.";
    let wrong = Wrong::new("one rule for each path, host and method (names in braces do not count)", fix);
    problem(rule.0, rule.1, "", found, wrong)
}

fn problem(rule: &Rule, position: usize, key: &str, found: String, wrong: Wrong) -> Problem {
    Problem::new(format!("EDGEWARD.rules[{}]{key}", place(rule, position)), found, wrong.expected, wrong.fix)
}

/// Where a rule stands in the file: the list may lack some that were refused before.
fn place(rule: &Rule, position: usize) -> usize {
    rule.index.unwrap_or(position)
}
