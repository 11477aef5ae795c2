//! Writes every page that a visitor can meet into `target/pages/`, with an index to leaf through and a
//! `manifest.json` that says of each file what it shows and names its Content-Security-Policy:
//! `cargo run --example gallery [languages] [folder]`, with `all` languages or some, as in `en,de`.
//!
//! English stands in the folder itself, in three brands; any other language in a folder of its own, in the first one. The
//! tests in `tests/browser/` open these very files in a browser.

mod scenes;

use edgeward::policy::{Brand, Notice, Rgb};
use edgeward::reply::languages::{self, Language};
use edgeward::reply::page::Pages;
use scenes::{Scene, scenes};
use serde_json::{Value, json};
use std::io::{Error, Result};
use std::path::{Path, PathBuf};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let wanted = arguments.next().unwrap_or_else(|| "all".into());
    let folder = PathBuf::from(arguments.next().unwrap_or_else(|| "target/pages".into()));
    // What an earlier run left would be shown as if it were of this one.
    if folder.join("manifest.json").exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let mut manifest = Vec::new();
    for language in chosen(&wanted)? {
        learn(language)?;
        for (brand_name, brand) in brands() {
            if language.tag() == "en" || brand_name == "acme" {
                write_all(&folder, language, brand_name, brand, &mut manifest)?;
            }
        }
    }
    std::fs::write(folder.join("manifest.json"), serde_json::to_string_pretty(&manifest)?)?;
    std::fs::write(folder.join("index.html"), index(&manifest))?;
    println!("{} pages in {}", manifest.len(), folder.display());
    Ok(())
}

/// The languages that are asked for, English first.
fn chosen(wanted: &str) -> Result<Vec<&'static Language>> {
    if wanted == "all" {
        return Ok(languages::tags(|_| true).into_iter().filter_map(languages::find).collect());
    }
    let find = |tag: &str| languages::find(tag).ok_or_else(|| Error::other(format!("{tag} is no language")));
    wanted.split(',').map(find).collect()
}

fn learn(language: &Language) -> Result<()> {
    let file = format!("{}/www/.edgeward/locales/{}.json", env!("CARGO_MANIFEST_DIR"), language.tag());
    let words = std::fs::read_to_string(&file)?;
    languages::learn(language.tag(), &words).map_err(|why| Error::other(format!("{file}: {why}")))
}

fn write_all(
    folder: &Path,
    language: &Language,
    brand_name: &str,
    brand: Brand,
    manifest: &mut Vec<Value>,
) -> Result<()> {
    let mut pages = Pages::new(brand).with_languages();
    let place = if language.tag() == "en" { String::new() } else { format!("{}/", language.tag()) };
    std::fs::create_dir_all(folder.join(&place))?;
    for Scene { name, variant, page } in scenes(&mut pages, language.tag()) {
        let file = format!("{place}{brand_name}.{name}.{variant}.html");
        std::fs::write(folder.join(&file), &page.html)?;
        manifest.push(json!({
            "file": file, "csp": page.csp, "language": page.language, "brand": brand_name, "page": name, "variant": variant,
        }));
    }
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

/// One document, to be opened from a disk as well: what it shows is in it.
fn index(manifest: &[Value]) -> String {
    let names = |language: &Language| (language.tag().to_owned(), Value::from(language.name()));
    let names: Value = languages::all().iter().map(names).collect::<serde_json::Map<_, _>>().into();
    let shown =
        |page: &Value| json!([page["file"], page["language"], page["brand"], page["page"], page["variant"]]);
    let pages: Vec<Value> = manifest.iter().map(shown).collect();
    include_str!("index.html")
        .replace("\"{{names}}\"", &names.to_string())
        .replace("\"{{pages}}\"", &Value::from(pages).to_string())
}
