//! Lists the languages: one for each file of `www/.edgeward/locales/`, so that adding a language is adding a file; and packs
//! the words that are compiled in.

use std::path::{Path, PathBuf};
use std::{env, fs};

const FOLDER: &str = "www/.edgeward/locales";
const ENGLISH: &str = "www/.edgeward/locales/en.json";
const PROBLEMS: &str = "www/.edgeward/problems.json";

struct Language {
    tag: String,
    name: String,
    right_to_left: bool,
}

fn main() {
    println!("cargo::rerun-if-changed={FOLDER}");
    println!("cargo::rerun-if-changed=build.rs");
    let mut languages: Vec<Language> = files().iter().map(|file| read(file)).collect();
    // As a list of names is read: by their letters, whatever the tags are.
    languages.sort_by(|one, other| one.name.cmp(&other.name));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where"));
    fs::write(out.join("languages.rs"), list(&languages)).expect("the target folder can be written");
    for (file, packed) in [(ENGLISH, "english.json"), (PROBLEMS, "problems.json")] {
        println!("cargo::rerun-if-changed={file}");
        // Without white space: what is compiled in counts.
        fs::write(out.join(packed), json(Path::new(file)).to_string())
            .expect("the target folder can be written");
    }
}

fn files() -> Vec<PathBuf> {
    let entries = fs::read_dir(FOLDER).unwrap_or_else(|error| panic!("{FOLDER}: {error}"));
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.extension().is_some_and(|it| it == "json")).collect()
}

fn read(file: &Path) -> Language {
    let shown = file.display();
    let words = json(file);
    let said = |name: &str| {
        let value = words["language"][name].as_str();
        value.unwrap_or_else(|| panic!("{shown}: language.{name} is missing")).to_owned()
    };
    let language = Language { tag: said("tag"), name: said("name"), right_to_left: said("dir") == "rtl" };
    let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    assert!(
        stem == language.tag,
        "{shown}: the file is named by the language's tag, and language.tag in it is {:?}: make them one",
        language.tag
    );
    // It becomes a part of a URL, of a cookie and of a page as it is.
    let is_tag = language.tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    assert!(is_tag, "{shown}: a language tag has letters, digits and hyphens (RFC 5646)");
    language
}

fn json(file: &Path) -> serde_json::Value {
    let shown = file.display();
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{shown}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{shown}: {error}"))
}

fn list(languages: &[Language]) -> String {
    let mut list = format!("static LANGUAGES: [Language; {}] = [\n", languages.len());
    for Language { tag, name, right_to_left } in languages {
        list.push_str(&format!("    Language::new({tag:?}, {name:?}, {right_to_left}),\n"));
    }
    list + "];\n"
}
