//! Whether each value stands where it belongs, and fits there.

use super::{Findings, LONGEST_VARIABLE};
use crate::cli::deployment::Deployment;
use crate::cli::secrets::NAMES;
use crate::cli::wrangler::Wrangler;

/// Looks at variables and secrets as such.
pub fn look(deployment: &Deployment, wrangler: &Wrangler, findings: &mut Findings) {
    policy(wrangler, findings);
    secrets_in_vars(wrangler, findings);
    sizes(deployment, wrangler, findings);
    required(deployment, wrangler, findings);
}

fn policy(wrangler: &Wrangler, findings: &mut Findings) {
    let env = wrangler.env.as_deref().unwrap_or_default();
    if wrangler.lost_policy() {
        let at = format!("env.{env}.vars.EDGEWARD");
        let expected = "the policy, as wrangler does not inherit vars from the top level: without it all is protected by nothing but defaults";
        let fix = format!("Repeat [vars.EDGEWARD] and its rules as [env.{env}.vars.EDGEWARD].");
        findings.problem(&at, "nothing", expected, &fix);
    } else if wrangler.policy().is_none() {
        findings.note(
            "there is no [vars.EDGEWARD]: the policy is one of nothing but defaults, and all is protected.",
        );
    }
    let environments = wrangler.environments();
    if wrangler.env.is_none() && !environments.is_empty() {
        let names = environments.join(", ");
        findings.note(format!(
            "this is the top level; check each environment that is deployed with --env: {names}."
        ));
    }
}

/// A variable is no secret: it is in git, in the dashboard and in every log of a deploy.
fn secrets_in_vars(wrangler: &Wrangler, findings: &mut Findings) {
    for name in NAMES.into_iter().filter(|name| wrangler.var(name).is_some()) {
        let fix = format!(
            "Take it out, make another, and set that with `npx wrangler secret put {name}`; for your machine, in .dev.vars."
        );
        findings.problem(&format!("vars.{name}"), "a secret in the file (not shown)", "no secret here", &fix);
    }
}

fn sizes(deployment: &Deployment, wrangler: &Wrangler, findings: &mut Findings) {
    let policy = wrangler.policy().map(|text| ("EDGEWARD", text.len()));
    let secrets = deployment.secrets.iter().map(|(name, found)| (name, found.value.expose().len()));
    for (name, size) in policy.into_iter().chain(secrets).filter(|(_, size)| *size > LONGEST_VARIABLE) {
        let fix = match name {
            "EDGEWARD" => "Shorten it: one rule can cover a whole folder.",
            name if name.starts_with("EDGEWARD_USERS") => {
                "Move lines to EDGEWARD_USERS_2 and so on, up to _9."
            }
            "EDGEWARD_API_KEYS" => {
                "Move the lines to EDGEWARD_KV (`edgeward api-key --help` says how), and set api_key = { kv = true }."
            }
            "EDGEWARD_TOTP" => "Take out lines of users who are gone: it holds about 40.",
            _ => "Take out what is not in use any more.",
        };
        findings.problem(
            name,
            format!("{size} bytes"),
            "5 KB (5,120 bytes) at most, as Cloudflare takes no more",
            fix,
        );
    }
}

/// `secrets.required` stops a deploy that lacks one, and locally hides what it does not list.
fn required(deployment: &Deployment, wrangler: &Wrangler, findings: &mut Findings) {
    let Some(required) = wrangler.required() else { return };
    let env = wrangler.env.as_ref().map(|env| format!("env.{env}.")).unwrap_or_default();
    let at = format!("{env}secrets.required");
    let here = deployment.secrets.iter().map(|(name, _)| name);
    let needed = deployment.stand_ins.iter().map(|stand_in| stand_in.name);
    for name in here.chain(needed).filter(|name| !required.contains(name)) {
        let expected =
            "each secret that is used: a deploy that lacks one then stops, and `wrangler dev` reads no other";
        findings.warn(&at, format!("no {name}"), expected, &format!("Add \"{name}\"."));
    }
}
