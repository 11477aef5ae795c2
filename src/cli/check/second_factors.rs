//! Second factors in `EDGEWARD_TOTP` by whom they are for. Only those that are here: a stand-in is for nobody.

use super::Findings;
use crate::cli::deployment::Deployment;
use crate::cli::output::visible;

/// Names users who have a second factor and no account.
pub fn look(deployment: &Deployment, findings: &mut Findings) {
    let Some(verifiers) = &deployment.config.verifiers else { return };
    let (Some(secrets), Some(users)) = (&verifiers.totp, &verifiers.users) else { return };
    if deployment.is_stood_in("EDGEWARD_TOTP") || deployment.is_stood_in("EDGEWARD_USERS") {
        return;
    }
    let absent: Vec<&str> = secrets.users().filter(|user| users.account(user).is_none()).collect();
    let names = absent.iter().map(|user| format!("\"{}\"", visible(user))).collect::<Vec<_>>().join(", ");
    if absent.is_empty() {
        return;
    }
    if deployment.config.store {
        findings.note(format!(
            "EDGEWARD_TOTP: {names} without a line in EDGEWARD_USERS: whether there is an account in EDGEWARD_KV cannot be \
             seen from here."
        ));
        return;
    }
    let expected = "a line in EDGEWARD_USERS for each, as a second factor without an account lets nobody in";
    let found = format!("second factors of nobody: {names}");
    findings.warn("EDGEWARD_TOTP", found, expected, "Correct the user-ids, or take the lines out.");
}
