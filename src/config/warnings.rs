//! What works but deserves a second look.

use super::Problem;
use super::notes::Notes;
use crate::policy::{Access, Kind, Mode, PlainHttp, Policy, Rule, TokenEntry};

/// Of the policy as a whole.
pub fn of_policy(policy: &Policy, notes: &Notes) {
    if policy.http == PlainHttp::Allow {
        let expected = "\"redirect\" or \"refuse\", as passwords and tokens can be read on the way";
        warn(notes, "EDGEWARD.http", "\"allow\"", expected, "Set it to \"redirect\".");
    }
    if !policy.hsts {
        let expected = "true, as without it a browser's first request may go out in clear";
        warn(notes, "EDGEWARD.hsts", "false", expected, "Take the key out.");
    }
    policy.tokens.iter().for_each(|entry| of_entry(entry, notes));
}

/// Of each rule.
pub fn of_rules(rules: &[Rule], tokens: &[TokenEntry], notes: &Notes) {
    for rule in rules {
        let at = format!("EDGEWARD.rules[{}]", rule.index.unwrap_or_default());
        if rule.mode == Mode::Report {
            let expected =
                "\"enforce\", as with this everybody passes who would be asked to prove who they are";
            let fix = "Set it to \"enforce\" once the log holds no more surprises.";
            warn(notes, &format!("{at}.mode"), "\"report\"", expected, fix);
        }
        of_access(rule, &format!("{at}.access"), notes);
        of_demands(rule, tokens, &at, notes);
    }
}

/// Demands that decide nothing, because everybody or nobody passes anyhow.
fn of_access(rule: &Rule, at: &str, notes: &Notes) {
    let names_someone = !rule.admits.anyone() || !rule.scopes.is_empty();
    let is_narrowed = !rule.networks.is_empty() || rule.not_before.is_some() || rule.not_after.is_some();
    let fix = "Take these out, or set access to \"authenticated\".";
    match rule.access {
        Access::Public if names_someone && !is_narrowed => {
            let expected = "neither beside it, as everybody passes";
            warn(notes, at, "\"public\" on a rule that names who may pass", expected, fix);
        }
        Access::Denied if names_someone || is_narrowed => {
            let expected = "neither beside it, as nobody passes";
            warn(notes, at, "\"denied\" on a rule that names who may pass", expected, fix);
        }
        Access::Public | Access::Denied | Access::Authenticated => {}
    }
}

/// Demands that none of the accepted kinds can meet.
fn of_demands(rule: &Rule, tokens: &[TokenEntry], at: &str, notes: &Notes) {
    if rule.access == Access::Denied || rule.accept.is_empty() {
        return;
    }
    let has_accounts = rule.accept.has(Kind::Basic) || tokens.iter().any(|entry| entry.trust_subject);
    let has_tokens = rule.accept.has(Kind::Bearer);
    let only = |named: bool, others: [bool; 2]| named && others == [true, true];
    let admits = &rule.admits;
    let (users, groups, claims) =
        (admits.users.is_empty(), admits.groups.is_empty(), admits.claims.is_empty());
    for (key, is_met, whose) in [
        ("scopes", has_tokens || rule.scopes.is_empty(), "tokens have scopes, and the rule accepts none"),
        (
            "claims",
            has_tokens || !only(!claims, [users, groups]),
            "tokens have claims, and the rule accepts none",
        ),
        (
            "users",
            has_accounts || !only(!users, [groups, claims]),
            "accounts are users, and the rule accepts none",
        ),
    ] {
        if !is_met {
            let found = "what no credentials of an accepted kind can have";
            let expected = format!("what someone can have: only {whose}");
            warn(
                notes,
                &format!("{at}.{key}"),
                found,
                &expected,
                "Take it out, or change what the rule accepts.",
            );
        }
    }
}

/// A token that is good for ever cannot be taken back.
fn of_entry(entry: &TokenEntry, notes: &Notes) {
    if let Some(index) = entry.index
        && entry.max_age.is_none()
        && !entry.require.iter().any(|claim| claim == "exp")
    {
        let at = format!("EDGEWARD.tokens[{index}].require");
        let expected = "\"exp\" in it, or max_age, as a token without an end is good for ever";
        warn(notes, &at, "no \"exp\"", expected, "Add \"exp\", or set max_age.");
    }
}

fn warn(notes: &Notes, at: &str, found: &str, expected: &str, fix: &str) {
    notes.warnings.push(Problem::new(at, found, expected, fix));
}
