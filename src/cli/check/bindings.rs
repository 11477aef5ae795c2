//! The bindings that Edgeward asks for: under their names, of the right kind, with all that a deploy needs of them.

use super::Findings;
use crate::cli::deployment::Deployment;
use crate::cli::wrangler::{Section, Wrangler};
use edgeward::policy::{Format, Policy};
use toml::Value;

/// The bindings that Edgeward reads, and where they are listed. `ASSETS` is looked at with the back doors.
const KNOWN: [(&str, Section); 3] = [
    ("EDGEWARD_KV", Section::KV),
    ("EDGEWARD_LEDGER", Section::OBJECTS),
    ("EDGEWARD_EVENTS", Section::EVENTS),
];

/// The class behind the ledger, which the Worker exports.
const CLASS: &str = "Ledger";

/// Looks at bindings, and at what the policy cannot do without one.
pub fn look(deployment: &Deployment, wrangler: &Wrangler, findings: &mut Findings) {
    names(wrangler, findings);
    ledger(wrangler, findings);
    inheritance(wrangler, findings);
    if let Some(policy) = &deployment.config.policy {
        revocation(policy, findings);
        share_links(policy, wrangler, findings);
        sessions(policy, wrangler, findings);
    }
}

/// A name of ours that nothing reads, or that stands in a list of another kind.
fn names(wrangler: &Wrangler, findings: &mut Findings) {
    for (_, section) in KNOWN {
        for (at, binding) in wrangler.bindings(section) {
            let name = section.name_of(binding).unwrap_or_default();
            if name.to_ascii_uppercase().starts_with("EDGEWARD") {
                name_of_ours(&format!("{at}.{}", section.key), name, section, findings);
            }
        }
    }
}

fn name_of_ours(at: &str, name: &str, section: Section, findings: &mut Findings) {
    match KNOWN.into_iter().find(|(known, _)| *known == name) {
        Some((_, right)) if right == section => {}
        Some((_, right)) => {
            let expected = format!("it in [[{}]], as it is a binding of that kind", right.path);
            findings.problem(at, format!("{name:?}"), &expected, "Move it there.");
        }
        None => {
            let known: Vec<&str> =
                KNOWN.into_iter().filter(|(_, it)| *it == section).map(|(known, _)| known).collect();
            let expected = format!("{}, as nothing reads a binding of this name", known.join(", "));
            findings.warn(at, format!("{name:?}"), &expected, "Correct the name, or take it out.");
        }
    }
}

/// Its class is the Worker's own, and a deploy without the migration that makes it fails.
fn ledger(wrangler: &Wrangler, findings: &mut Findings) {
    let section = Section::OBJECTS;
    let bound = wrangler.bindings(section).find(|(_, it)| section.name_of(it) == Some("EDGEWARD_LEDGER"));
    let Some((at, binding)) = bound else { return };
    // Behind another Worker it is that one's class and migration.
    if binding.get("script_name").is_some() {
        return;
    }
    let class = binding.get("class_name");
    if class.and_then(Value::as_str) != Some(CLASS) {
        let found = class.map_or_else(|| "nothing".to_owned(), ToString::to_string);
        let expected = "\"Ledger\", the class that the Worker exports";
        findings.problem(&format!("{at}.class_name"), found, expected, "Write class_name = \"Ledger\".");
    }
    migration(wrangler, findings);
}

fn migration(wrangler: &Wrangler, findings: &mut Findings) {
    let migrations = wrangler.inherited("migrations").and_then(Value::as_array);
    let migrations = migrations.map(Vec::as_slice).unwrap_or_default();
    let makes = |key: &str| {
        let lists = |step: &Value| {
            let classes = step.get(key).and_then(Value::as_array).into_iter().flatten();
            classes.filter_map(Value::as_str).any(|it| it == CLASS)
        };
        migrations.iter().position(lists)
    };
    let is_renamed = |step: &Value| {
        let classes = step.get("renamed_classes").and_then(Value::as_array).into_iter().flatten();
        classes.filter_map(|it| it.get("to")?.as_str()).any(|to| to == CLASS)
    };
    let exported = wrangler.inherited("exports").is_some_and(|classes| classes.get(CLASS).is_some());
    if makes("new_sqlite_classes").is_some() || migrations.iter().any(is_renamed) || exported {
        return;
    }
    let sqlite = "\"Ledger\" in new_sqlite_classes, as it keeps its counts in SQLite";
    match makes("new_classes") {
        Some(index) => {
            let at = format!("migrations[{index}].new_classes");
            findings.problem(&at, "\"Ledger\"", sqlite, "Move it to new_sqlite_classes.");
        }
        None => {
            let expected = format!("{sqlite}: without the class a deploy fails");
            let fix = "Add [[migrations]] with tag = \"v1\", new_sqlite_classes = [\"Ledger\"].";
            findings.problem("migrations", "nothing that makes the class Ledger", &expected, fix);
        }
    }
}

/// What the top level has and this environment has not: wrangler inherits no bindings.
fn inheritance(wrangler: &Wrangler, findings: &mut Findings) {
    let Some(env) = &wrangler.env else { return };
    for (name, section) in KNOWN {
        let is_it = |(_, binding): &(String, &Value)| section.name_of(binding) == Some(name);
        let is_lost = wrangler.top_bindings(section).any(|it| is_it(&it))
            && !wrangler.bindings(section).any(|it| is_it(&it));
        if is_lost {
            let at = format!("env.{env}.{}", section.path);
            let expected = format!("{name}, as wrangler does not inherit bindings from the top level");
            findings.warn(
                &at,
                "nothing",
                &expected,
                &format!("Repeat it as [[env.{env}.{}]].", section.path),
            );
        }
    }
}

fn revocation(policy: &Policy, findings: &mut Findings) {
    if policy.revocation.pass_unchecked {
        let expected = "\"refuse\", as with this what was revoked is good again for as long as the store does not answer";
        findings.warn("EDGEWARD.revocation_unavailable", "\"allow\"", expected, "Take the key out.");
    }
}

/// Signing out takes the cookie away; a copy of it is refused only where that is kept somewhere.
fn sessions(policy: &Policy, wrangler: &Wrangler, findings: &mut Findings) {
    if policy.session.is_none() || wrangler.has_store() || wrangler.has_ledger() {
        return;
    }
    let expected = "EDGEWARD_LEDGER (signed out at once) or EDGEWARD_KV (within 90 seconds), as without either a copied \
                    cookie stays good until it expires, whoever signs out";
    let fix = "Bind one of them; or let sessions be short: absolute = \"8h\", remember = \"0\".";
    findings.warn("EDGEWARD.session", "neither EDGEWARD_KV nor EDGEWARD_LEDGER", expected, fix);
}

/// Share links work without bindings, but some of what they can say does not.
fn share_links(policy: &Policy, wrangler: &Wrangler, findings: &mut Findings) {
    let Some(entry) = policy.links.iter().find(|entry| entry.format == Format::Edgeward) else { return };
    let at = format!("EDGEWARD.tokens[{}]", entry.index);
    if !wrangler.has_ledger() {
        findings.note(format!(
            "{at}: share links that count their uses are refused without EDGEWARD_LEDGER; those without a number of uses \
             are not."
        ));
    }
    if !wrangler.has_store() && !policy.revocation.strict {
        findings.note(format!(
            "{at}: a share link cannot be taken back before it ends without EDGEWARD_KV, or EDGEWARD_LEDGER and \
             revocation = \"strict\"."
        ));
    }
}
