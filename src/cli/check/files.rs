//! The brand's files: what the policy names is there, and pages can be read.

use super::Findings;
use crate::cli::deployment::Deployment;
use crate::cli::wrangler::Wrangler;
use edgeward::reply;
use edgeward::reply::template::Template;
use edgeward::verdict::Cause;
use std::path::Path;

/// Looks at the folder of the assets.
pub fn look(deployment: &Deployment, wrangler: &Wrangler, findings: &mut Findings) {
    logo(deployment, wrangler, findings);
    if let Some(folder) = wrangler.assets_folder() {
        pages(&folder.join(".edgeward").join("pages"), findings);
    }
}

fn logo(deployment: &Deployment, wrangler: &Wrangler, findings: &mut Findings) {
    let logo = deployment.config.policy.as_ref().and_then(|policy| policy.brand.logo.as_deref());
    let Some(path) = logo.filter(|logo| logo.starts_with('/')) else { return };
    let at = "EDGEWARD.brand.logo";
    let folder = wrangler.assets_folder().filter(|_| wrangler.has_assets());
    let Some(folder) = folder else {
        let expected = "an ASSETS binding to serve it from";
        findings.problem(
            at,
            format!("{path:?}"),
            expected,
            "Add [assets] with directory and binding = \"ASSETS\", or use a data: URL.",
        );
        return;
    };
    let file = folder.join(path.trim_start_matches('/'));
    if !file.is_file() {
        let fix = format!("Put the file at {}, or correct the path.", file.display());
        findings.problem(
            at,
            format!("{path:?}, which is not there"),
            "a file below www/.edgeward/brand/",
            &fix,
        );
    }
}

/// Overrides are named by their status; the built-in sources beside them are not looked at.
fn pages(folder: &Path, findings: &mut Findings) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|it| it == "html")) {
        let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        if matches!(name, "page" | "problem") {
            continue;
        }
        page(file, name, findings);
    }
}

fn page(file: &Path, name: &str, findings: &mut Findings) {
    let at = file.display().to_string();
    let is_status = name
        .parse::<u16>()
        .is_ok_and(|status| Cause::ALL.iter().any(|cause| reply::status(*cause) == status));
    if !is_status {
        let expected =
            "the name of a status that Edgeward answers with, such as 401.html, as no other is ever shown";
        findings.warn(&at, format!("{name:?}"), expected, "Rename the file, or take it out.");
    }
    match std::fs::read_to_string(file).map(|text| Template::parse(&text)) {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => {
            let fix = "Correct it; until then the built-in page is shown.";
            findings.problem(&at, error.to_string(), "a page as www/.edgeward/README.md says", fix);
        }
        Err(error) => findings.problem(&at, error.to_string(), "a file of UTF-8 text", "Make it readable."),
    }
}
