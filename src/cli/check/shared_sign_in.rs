//! One sign-in for several hosts: whether the authority takes back whom this Worker's hosts send to it.

use super::Findings;
use super::doors::routed_hosts;
use crate::cli::deployment::Deployment;
use crate::cli::wrangler::Wrangler;

/// Looks at the hosts of routes where the authority is one of them; behind another Worker its policy is not here to see.
pub fn look(deployment: &Deployment, wrangler: &Wrangler, findings: &mut Findings) {
    let policy = deployment.config.policy.as_ref();
    let Some(session) = policy.and_then(|policy| policy.session.as_ref()) else { return };
    let Some(authority) = &session.authority else { return };
    let of_host = |host: &String| format!("https://{host}");
    let routed: Vec<String> = routed_hosts(wrangler).iter().map(of_host).collect();
    if !routed.contains(authority) {
        return;
    }
    let at = "EDGEWARD.session.hosts";
    let fix = |origin: &str| format!("Add \"{origin}\" to it.");
    let missing: Vec<&String> =
        routed.iter().filter(|origin| *origin != authority && !session.hosts.contains(origin)).collect();
    for origin in &missing {
        let expected =
            format!("\"{origin}\" among them, as its visitors are sent to {authority}, and are not let back");
        findings.warn(at, "a list without it", &expected, &fix(origin));
    }
    if missing.is_empty() && session.hosts.is_empty() {
        let expected = format!("the origins that send their visitors to {authority}, which is this Worker");
        findings.warn(at, "nothing", &expected, &fix("https://shop.example"));
    }
}
