//! What works but deserves a second look.

use super::Problem;
use super::notes::Notes;
use crate::policy::{Access, Kind, Kinds, Mode, PlainHttp, Policy, Rule, TokenEntry};

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

/// Passwords that may be guessed at without end: where there may be accounts, `whoami` at least takes every kind.
pub fn of_lock_out(policy: &Policy, ledger: bool, notes: &Notes) {
    let accept = policy.rules.default_rule().accept;
    if !ledger && (accept.has(Kind::Basic) || accept.has(Kind::Session)) {
        let expected =
            "the binding, as without it wrong passwords are not counted and nobody ever has to wait";
        let fix = "Add [[durable_objects.bindings]] with name = \"EDGEWARD_LEDGER\", class_name = \"Ledger\" to wrangler.toml.";
        warn(notes, "EDGEWARD_LEDGER", "nothing", expected, fix);
    }
}

/// What tokens can be besides tokens.
#[derive(Clone, Copy)]
pub struct Means {
    /// Whether some name accounts of ours.
    trusted: bool,
    /// Whether some are made for API keys.
    fresh: bool,
}

impl Means {
    /// Of these entries; `fresh`: of a policy that makes tokens.
    pub fn of(tokens: &[TokenEntry], fresh: bool) -> Self {
        Self { trusted: tokens.iter().any(|entry| entry.trust_subject), fresh }
    }
}

/// Of each rule.
pub fn of_rules(rules: &[Rule], means: Means, notes: &Notes) {
    for rule in rules {
        let at = format!("EDGEWARD.rules[{}]", rule.index.unwrap_or_default());
        if rule.mode == Mode::Report {
            let expected =
                "\"enforce\", as with this everybody passes who would be asked to prove who they are";
            let fix = "Set it to \"enforce\" once the log holds no more surprises.";
            warn(notes, &format!("{at}.mode"), "\"report\"", expected, fix);
        }
        of_access(rule, &format!("{at}.access"), notes);
        of_demands(rule, means, &at, notes);
        of_second_factor(rule, &format!("{at}.basic_without_second_factor"), notes);
    }
}

/// Demands that decide nothing, because everybody or nobody passes anyhow.
fn of_access(rule: &Rule, at: &str, notes: &Notes) {
    let names_someone = !rule.admits.anyone() || !rule.scopes.is_empty() || rule.second_factor;
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

/// What a rule may ask for besides its kinds, and by how many of the accepted kinds it is had.
struct Demand {
    key: &'static str,
    is_made: bool,
    who: &'static str,
    had_by: Kinds,
}

fn demands(rule: &Rule, means: Means) -> [Demand; 5] {
    let kinds = |has: &[(Kind, bool)]| has.iter().filter(|(_, has)| *has).map(|(kind, _)| *kind).collect();
    let admits = &rule.admits;
    let (basic, token, key) = (Kind::Basic, Kind::Bearer, Kind::ApiKey);
    let demand = |key, is_made, who, had_by| Demand { key, is_made, who, had_by };
    [
        demand(
            "scopes",
            !rule.scopes.is_empty(),
            "tokens and API keys have scopes",
            kinds(&[(token, true), (key, true)]),
        ),
        demand(
            "users",
            !admits.users.is_empty(),
            "accounts are users",
            kinds(&[(basic, true), (token, means.trusted)]),
        ),
        demand(
            "groups",
            !admits.groups.is_empty(),
            "accounts and tokens have groups",
            kinds(&[(basic, true), (token, true)]),
        ),
        demand(
            "api_keys",
            !admits.api_keys.is_empty(),
            "API keys have such names",
            kinds(&[(key, true), (token, means.fresh)]),
        ),
        demand("claims", !admits.claims.is_empty(), "tokens have claims", kinds(&[(token, true)])),
    ]
}

/// Demands that none of the accepted kinds can meet. Scopes are asked for besides; of the others one is enough.
fn of_demands(rule: &Rule, means: Means, at: &str, notes: &Notes) {
    if rule.access == Access::Denied || rule.accept.is_empty() {
        return;
    }
    let [scopes, others @ ..] = demands(rule, means);
    let is_met = |demand: &Demand, kind: Kind| !demand.is_made || demand.had_by.has(kind);
    let is_one_of =
        |kind: Kind| rule.admits.anyone() || others.iter().any(|it| it.is_made && it.had_by.has(kind));
    let unmet = if !rule.accept.iter().any(|kind| is_met(&scopes, kind)) {
        Some(&scopes)
    } else if rule.accept.iter().any(|kind| is_met(&scopes, kind) && is_one_of(kind)) {
        None
    } else {
        others.iter().find(|it| it.is_made)
    };
    let Some(Demand { key, who, .. }) = unmet else { return };
    let beside = if scopes.is_made && *key != scopes.key { " together with scopes" } else { "" };
    let found = ["what no credentials of an accepted kind can have", beside].concat();
    let expected = ["what someone can have: only ", who].concat();
    let fix = "Take it out, or change what the rule accepts.";
    warn(notes, &format!("{at}.{key}"), &found, &expected, fix);
}

/// What lets in by a password alone whoever was given more than that.
fn of_second_factor(rule: &Rule, at: &str, notes: &Notes) {
    if !rule.basic_without_second_factor {
        return;
    }
    if rule.second_factor || !rule.accept.has(Kind::Basic) {
        let expected = "not there, as no password alone lets anybody in by this rule";
        warn(notes, at, "true", expected, "Take it out.");
    } else {
        let expected =
            "false, as with this a password alone is enough here for those who have a second factor, too";
        warn(notes, at, "true", expected, "Take it out, and give programs API keys or tokens instead.");
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
