//! `edgeward check`: everything that is wrong, before it is deployed.
//!
//! The sentences about policy and secrets are the core's own, as the Worker logs them. What comes on top is what the
//! Worker cannot see or need not tell: the platform's back doors ([`doors`]), bindings ([`bindings`]), files ([`files`]),
//! secrets in the wrong place ([`places`]), keys out of use ([`keys`]), second factors of nobody ([`second_factors`]), hosts that nobody gets back to ([`shared_sign_in`]), and what no request can come to ([`rules`]).

mod bindings;
mod doors;
mod files;
mod keys;
mod places;
mod reach;
mod rules;
mod second_factors;
mod shared_sign_in;

use super::deployment::Deployment;
use super::output::{self, Outcome};
use super::{From, clock};
use clap::Args;
use edgeward::config::Problem;
use edgeward::time::UnixTime;
use serde_json::json;
use std::path::PathBuf;

/// Bytes of a variable that Cloudflare takes.
pub const LONGEST_VARIABLE: usize = 5 * 1024;

const AFTER: &str = "\
Secrets live at Cloudflare and cannot be read back: those that are in the environment or in .dev.vars are checked in \
full; for the others the policy is checked as if they were right, and a note says so.

wrangler does not inherit `vars` and `secrets` into environments: [env.staging] needs an [env.staging.vars.EDGEWARD] \
of its own. Check each environment that you deploy.

Exit status: 0, also with warnings; 1 with problems, and with --strict for warnings too.

Examples:
  edgeward check
  edgeward check --env production --strict
  edgeward check deploy/wrangler.toml --secrets production.vars --json";

/// Everything that is wrong with a configuration, and the back doors around it
#[derive(Args)]
#[command(after_help = AFTER)]
pub struct Check {
    /// The Worker's configuration
    #[arg(value_name = "FILE", default_value = "wrangler.toml")]
    file: PathBuf,

    /// The same, as the other subcommands have it
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    config: Option<PathBuf>,

    #[command(flatten)]
    from: From,

    /// Let warnings count as problems
    #[arg(long)]
    strict: bool,

    /// The origin verifies X-Edgeward-Assertion, or is closed in another way: do not warn of it
    #[arg(long)]
    origin_closed: bool,

    /// The moment at which keys have to be in use [default: now]
    #[arg(long, value_name = "RFC3339", value_parser = clock::moment)]
    at: Option<UnixTime>,
}

/// What was found, in the order of the file.
#[derive(Default)]
struct Findings {
    /// What is wrong.
    problems: Vec<Problem>,
    /// What works but deserves a second look.
    warnings: Vec<Problem>,
    /// What cannot be looked at from here.
    notes: Vec<String>,
}

impl Findings {
    fn problem(&mut self, at: &str, found: impl Into<String>, expected: &str, fix: &str) {
        self.problems.push(Problem::new(at, found.into(), expected, fix));
    }

    fn warn(&mut self, at: &str, found: impl Into<String>, expected: &str, fix: &str) {
        self.warnings.push(Problem::new(at, found.into(), expected, fix));
    }

    fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }
}

impl Check {
    /// Looks at all of it.
    pub fn run(self) -> super::Result {
        let deployment = Deployment::read(self.config.as_ref().unwrap_or(&self.file), &self.from)?;
        let mut findings = Findings::default();
        findings.problems.extend(deployment.problems().cloned());
        findings.warnings.extend(deployment.warnings().cloned());
        if let Some(wrangler) = &deployment.wrangler {
            places::look(&deployment, wrangler, &mut findings);
            bindings::look(&deployment, wrangler, &mut findings);
            doors::look(&deployment, wrangler, &mut findings);
            if !self.origin_closed {
                doors::look_at_origin(&deployment, wrangler, &mut findings);
            }
            files::look(&deployment, wrangler, &mut findings);
            shared_sign_in::look(&deployment, wrangler, &mut findings);
        }
        rules::look(&deployment, &mut findings);
        keys::look(&deployment, clock::at(self.at), &mut findings);
        second_factors::look(&deployment, &mut findings);
        self.look_at_secrets(&deployment, &mut findings);
        Ok(self.outcome(&findings))
    }

    /// A file that was named with `--secrets` is what will be deployed: what is missing in it is missing.
    fn look_at_secrets(&self, deployment: &Deployment, findings: &mut Findings) {
        for (name, from) in deployment.secrets.unknown() {
            let expected = "one of the names that Edgeward reads";
            findings.warn(
                name,
                format!("a name that nothing reads, in {from}"),
                expected,
                "Correct its spelling, or take it out.",
            );
        }
        findings.notes.extend(checked(deployment));
        if self.from.secrets.is_none() {
            findings.notes.extend(deployment.not_checked());
            return;
        }
        for it in deployment.stand_ins.iter().filter(|it| !it.is_here) {
            let expected = format!("a value, as {}", it.reason);
            let found = format!("nothing (looked in {})", deployment.secrets.searched());
            findings.problem(it.name, found, &expected, "Add it to the file.");
        }
    }

    fn outcome(&self, findings: &Findings) -> Outcome {
        let Findings { problems, warnings, notes } = findings;
        let yes = problems.is_empty() && (warnings.is_empty() || !self.strict);
        let mut text = String::new();
        problems.iter().for_each(|it| text.push_str(&format!("problem: {it}\n")));
        warnings.iter().for_each(|it| text.push_str(&format!("warning: {it}\n")));
        notes.iter().for_each(|it| text.push_str(&format!("note: {it}\n")));
        text.push_str(&self.summary(problems.len(), warnings.len()));
        let json = json!({
            "ok": yes,
            "file": self.file.display().to_string(),
            "environment": self.from.env,
            "problems": problems.iter().map(output::problem).collect::<Vec<_>>(),
            "warnings": warnings.iter().map(output::problem).collect::<Vec<_>>(),
            "notes": notes,
        });
        Outcome { yes, ..Outcome::yes(output::visible_lines(&text), json) }
    }

    fn summary(&self, problems: usize, warnings: usize) -> String {
        let environment =
            self.from.env.as_ref().map(|env| format!(", environment {env}")).unwrap_or_default();
        let count = |number: usize, what: &str| match number {
            0 => format!("no {what}s"),
            1 => format!("1 {what}"),
            _ => format!("{number} {what}s"),
        };
        format!(
            "{}{environment}: {}, {}.\n",
            self.file.display(),
            count(problems, "problem"),
            count(warnings, "warning")
        )
    }
}

/// Which secrets were looked at: those at Cloudflare may be others.
fn checked(deployment: &Deployment) -> Option<String> {
    let here: Vec<String> =
        deployment.secrets.iter().map(|(name, found)| format!("{name} ({})", found.from)).collect();
    let names = here.join(", ");
    (!here.is_empty()).then(|| format!("checked: {names}; what is set at Cloudflare may differ."))
}
