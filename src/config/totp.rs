//! Second factors: `EDGEWARD_TOTP`, and what rules say of them.

use super::notes::Notes;
use super::reader::Node;
use super::verifiers::{Configured, need_secret};
use super::{Problem, Sources};
use crate::password::Nfc;
use crate::policy::{Kind, Rule};
use crate::token::mac::RootSecret;
use crate::totp::TotpSecrets;

const SECRET: &str = "EDGEWARD_TOTP";

/// Reads the lines, where they are there and there is a secret that may open them; without a ledger they are no good, as
/// nothing else counts exactly.
pub fn read(sources: &Sources, root: Option<&RootSecret>, nfc: Nfc, notes: &Notes) -> Option<TotpSecrets> {
    let lines = sources.totp.as_ref()?;
    if !sources.ledger && !notes.missing.has("EDGEWARD_LEDGER") {
        let expected =
            "the binding, as EDGEWARD_TOTP is there: a code is good once, and wrong ones are counted";
        let fix = "Add [[durable_objects.bindings]] with name = \"EDGEWARD_LEDGER\", class_name = \"Ledger\" to wrangler.toml.";
        notes.missing.push(Problem::new("EDGEWARD_LEDGER", "nothing", expected, fix));
    }
    let read = TotpSecrets::parse(lines.expose(), root?, nfc);
    read.map_err(|problems| notes.missing.extend(problems)).ok()
}

/// Where nobody can sign in, nobody can prove a second factor, and whoever has one gets in by no password.
pub fn check_sessions(sources: &Sources, is_configured: bool, notes: &Notes) {
    if sources.totp.is_some() && !is_configured {
        let expected = "[vars.EDGEWARD.session], as those who have a second factor get in by signing in, and not by Basic";
        let fix = "Add the table, which may be empty, or delete the secret.";
        notes.warnings.push(Problem::new(SECRET, "second factors, and nowhere to prove one", expected, fix));
    }
}

/// A rule that asks for a second factor can be passed by who signed in, and by nobody else.
pub fn check_rule(node: &Node<'_>, rule: &Rule, configured: &Configured) {
    if !rule.second_factor {
        return;
    }
    let notes = node.notes();
    let at = format!("{}.second_factor", node.at());
    if !rule.accept.has(Kind::Session) {
        let expected =
            "a rule that accepts \"session\", as only who signed in can have proven a second factor";
        let fix = if configured.kinds().has(Kind::Session) {
            "Add \"session\" to its accept, or take this out."
        } else {
            "Add [vars.EDGEWARD.session], or take this out."
        };
        notes.problems.push(Problem::new(at.as_str(), "true", expected, fix));
    }
    if !configured.has_second_factors() {
        need_secret(SECRET, "lines of second factors", &format!("{at} is true"), notes);
    }
}
