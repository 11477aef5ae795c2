//! Writes every page that a visitor can meet into `target/pages/`, with an index to leaf through and a
//! `manifest.json` that names each file's Content-Security-Policy: `cargo run --example gallery`.
//!
//! The tests in `tests/browser/` open these very files in a browser.

use edgeward::policy::{Brand, Notice, Rgb};
use edgeward::reply::catalog::Variant;
use edgeward::reply::page::{Confirm, PageFacts, Pages, Rendered};
use edgeward::reply::status;
use edgeward::time::{Lifetime, UnixTime};
use edgeward::verdict::Cause;
use std::path::PathBuf;

/// Sunday, 22 November 2026, 18:30 UTC: every run writes the same bytes.
const NOW: i64 = 1_795_372_200;

fn main() -> std::io::Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "target/pages".into()));
    std::fs::create_dir_all(&folder)?;
    let mut manifest = Vec::new();
    for (brand_name, brand) in brands() {
        let mut pages = Pages::new(brand);
        for (name, html) in all(&mut pages) {
            let file = format!("{brand_name}.{name}.html");
            std::fs::write(folder.join(&file), &html.html)?;
            manifest.push(serde_json::json!({ "file": file, "csp": html.csp, "language": html.language }));
        }
    }
    std::fs::write(folder.join("manifest.json"), serde_json::to_string_pretty(&manifest)?)?;
    std::fs::write(folder.join("index.html"), index(&manifest))?;
    println!("{} pages in {}", manifest.len(), folder.display());
    Ok(())
}

fn brands() -> Vec<(&'static str, Brand)> {
    let url = |text: &str| Some(text.to_owned());
    let acme = Brand {
        name: Some("Acme".into()),
        color: Some(Rgb(0x0b, 0x5f, 0xff)),
        support: url("mailto:help@acme.example"),
        forgot_password: url("https://acme.example/reset"),
        status_page: url("https://status.acme.example"),
        notice: Some(Notice::Text("Maintenance on Sunday, 2–3 am".into())),
        ..Brand::default()
    };
    let logo = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Ccircle cx='16' cy='16' \
                r='16' fill='%23f2c200'/%3E%3C/svg%3E";
    let pale = Brand {
        name: Some("Königlich Württembergische Hofbräu-Verwaltungsgesellschaft".into()),
        logo: url(logo),
        color: Some(Rgb(0xff, 0xd8, 0x3d)),
        credit: true,
        ..acme.clone()
    };
    vec![("acme", acme), ("bare", Brand::default()), ("pale", pale)]
}

fn all(pages: &mut Pages) -> Vec<(String, Rendered)> {
    let mut rendered = Vec::new();
    for cause in Cause::ALL {
        for (variant, suffix) in
            [(Variant::Plain, "plain"), (Variant::Prompt, "prompt"), (Variant::Program, "program")]
        {
            let page = pages.render(&facts(cause, variant));
            rendered.push((format!("{}.{suffix}", cause.name()), page));
        }
        if cause == Cause::TokenNeedsConfirmation {
            let page = pages.render(&PageFacts { confirm: None, ..facts(cause, Variant::Plain) });
            rendered.push((format!("{}.unasked", cause.name()), page));
        }
        let host = "staging.acme.example";
        rendered.push((format!("{}.problem", cause.name()), pages.problem(cause, status(cause), host)));
    }
    rendered
}

/// What the form of the page sends has to come back as it went, whatever it is.
const LINK: Confirm<'static> = Confirm {
    token: "QAAAcj2mB8c1fKp0kS7vZmlnaHRvZmNvdW50ZWRsaW5rcw",
    return_to: "/reports/2026?view=full&note=\"><script>document.title='owned'</script>&percent=%26+%C3%A9",
};

fn facts(cause: Cause, variant: Variant) -> PageFacts<'static> {
    let now = UnixTime::from_seconds(NOW);
    let ahead = cause == Cause::TokenNotYetValid;
    let when = if ahead { now + Lifetime::from_seconds(290) } else { now - Lifetime::from_seconds(185) };
    PageFacts {
        status: status(cause),
        cause,
        variant,
        language: "en",
        host: "staging.acme.example",
        address: "http://staging.acme.example/reports/2026/quarterly-figures-of-the-northern-branch?view=full&access_token=\
                  eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJlIG9mIDMyIGJ5dGVzLCBhcyBIUzI1Ng",
        reference: "8f2b6c1d9e0a4f37-FRA",
        now,
        when: Some(when),
        span: Some(Lifetime::from_seconds(43_200)),
        user: Some("ann"),
        retry_after: matches!(
            cause,
            Cause::NotConfigured | Cause::CheckUnavailable | Cause::OriginUnreachable
        )
        .then(|| Lifetime::from_seconds(30)),
        confirm: (cause == Cause::TokenNeedsConfirmation).then_some(LINK),
        return_to: "/reports/2026",
        ..PageFacts::of(cause)
    }
}

fn index(manifest: &[serde_json::Value]) -> String {
    let links = manifest.iter().filter_map(|page| page["file"].as_str());
    let links: String = links.map(|file| format!("<li><a href=\"{file}\">{file}</a></li>\n")).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Pages</title>\n<ul>\n{links}</ul>\n"
    )
}
