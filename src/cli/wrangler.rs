//! `wrangler.toml`, as far as it decides what stands in front of what.
//!
//! An environment inherits most keys from the top level, but neither `vars` nor `secrets`: an environment without its
//! own `vars` has none at all.

use super::output::Misuse;
use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The file, seen as one environment of it.
pub struct Wrangler {
    /// The file's path as it was given.
    pub file: PathBuf,
    /// The environment; `None` for the top level.
    pub env: Option<String>,
    top: Table,
    own: Table,
}

impl Wrangler {
    /// Reads it.
    pub fn read(file: &Path, env: Option<&str>) -> Result<Self, Misuse> {
        let shown = file.display();
        if file.extension().is_some_and(|it| it == "json" || it == "jsonc") {
            return Err(Misuse::new(format!("{shown} is JSON, and only wrangler.toml is read here.")));
        }
        let text = std::fs::read_to_string(file)
            .map_err(|error| Misuse::new(format!("{shown} cannot be read: {error}.")))?;
        let top: Table =
            text.parse().map_err(|error: toml::de::Error| unreadable(&shown.to_string(), &error, &text))?;
        let own = own(&top, env, &shown.to_string())?;
        Ok(Self { file: file.to_owned(), env: env.map(str::to_owned), top, own })
    }

    /// The folder it is in.
    pub fn folder(&self) -> &Path {
        folder_of(&self.file)
    }

    /// A key that environments inherit.
    pub fn inherited(&self, key: &str) -> Option<&Value> {
        self.own.get(key).or_else(|| self.top.get(key))
    }

    /// A key that environments do not inherit.
    pub fn own(&self, key: &str) -> Option<&Value> {
        self.own.get(key)
    }

    /// A key of the top level.
    pub fn top(&self, key: &str) -> Option<&Value> {
        self.top.get(key)
    }

    /// A variable.
    pub fn var(&self, name: &str) -> Option<&Value> {
        self.own("vars")?.get(name)
    }

    /// `EDGEWARD` as the Worker gets it: JSON text.
    pub fn policy(&self) -> Option<String> {
        match self.var("EDGEWARD")? {
            Value::String(text) => Some(text.clone()),
            table => Some(json(table).to_string()),
        }
    }

    /// Whether the top level has a policy that this environment does not inherit.
    pub fn lost_policy(&self) -> bool {
        let at_top = self.top.get("vars").is_some_and(|vars| vars.get("EDGEWARD").is_some());
        self.env.is_some() && self.var("EDGEWARD").is_none() && at_top
    }

    /// The names of its environments.
    pub fn environments(&self) -> Vec<&str> {
        let table = self.top.get("env").and_then(Value::as_table);
        table.map(|table| table.keys().map(String::as_str).collect()).unwrap_or_default()
    }

    /// What `secrets.required` lists; `None` where there is no such list.
    pub fn required(&self) -> Option<Vec<&str>> {
        let list = self.own("secrets")?.get("required")?.as_array()?;
        Some(list.iter().filter_map(Value::as_str).collect())
    }

    /// The folder of the assets, where there is one.
    pub fn assets_folder(&self) -> Option<PathBuf> {
        let directory = self.inherited("assets")?.get("directory")?.as_str()?;
        Some(self.folder().join(directory))
    }

    /// Whether the `ASSETS` binding is there.
    pub fn has_assets(&self) -> bool {
        let binding = self.inherited("assets").and_then(|assets| assets.get("binding"));
        binding.and_then(Value::as_str) == Some("ASSETS")
    }

    /// Whether `EDGEWARD_KV` is bound.
    pub fn has_store(&self) -> bool {
        self.bindings(Section::KV).any(|(_, it)| Section::KV.name_of(it) == Some("EDGEWARD_KV"))
    }

    /// Whether `EDGEWARD_LEDGER` is bound.
    pub fn has_ledger(&self) -> bool {
        self.bindings(Section::OBJECTS).any(|(_, it)| Section::OBJECTS.name_of(it) == Some("EDGEWARD_LEDGER"))
    }

    /// The bindings of a section, which environments do not inherit, and the place of each.
    pub fn bindings(&self, section: Section) -> impl Iterator<Item = (String, &Value)> {
        listed(&self.own, section)
    }

    /// Those of the top level, which an environment would have to repeat.
    pub fn top_bindings(&self, section: Section) -> impl Iterator<Item = (String, &Value)> {
        listed(&self.top, section)
    }
}

/// Where bindings of a kind are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Section {
    /// Key path of the list.
    pub path: &'static str,
    /// The key that names a binding.
    pub key: &'static str,
}

impl Section {
    /// KV namespaces.
    pub const KV: Self = Self { path: "kv_namespaces", key: "binding" };
    /// Durable Objects.
    pub const OBJECTS: Self = Self { path: "durable_objects.bindings", key: "name" };
    /// Data sets of Analytics Engine.
    pub const EVENTS: Self = Self { path: "analytics_engine_datasets", key: "binding" };

    /// The name of one of its bindings.
    pub fn name_of(self, binding: &Value) -> Option<&str> {
        binding.get(self.key)?.as_str()
    }
}

fn listed(table: &Table, section: Section) -> impl Iterator<Item = (String, &Value)> {
    let (first, rest) = section.path.split_once('.').map_or((section.path, None), |(a, b)| (a, Some(b)));
    let list = table.get(first).and_then(|value| rest.map_or(Some(value), |rest| value.get(rest)));
    let items = list.and_then(Value::as_array).into_iter().flatten();
    items.enumerate().map(move |(index, item)| (format!("{}[{index}]", section.path), item))
}

/// The folder of a file, where its neighbours are.
pub fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."))
}

/// What an environment itself says.
fn own(top: &Table, env: Option<&str>, file: &str) -> Result<Table, Misuse> {
    let Some(env) = env else { return Ok(top.clone()) };
    let environments = top.get("env").and_then(Value::as_table);
    if let Some(table) = environments.and_then(|all| all.get(env)).and_then(Value::as_table) {
        return Ok(table.clone());
    }
    let names: Vec<&str> = environments.into_iter().flat_map(|all| all.keys().map(String::as_str)).collect();
    let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    Err(Misuse::new(format!("{file} has no environment {env:?}; there is: {there}.")))
}

/// Says where, and shows no line of the file: a secret may stand in it.
fn unreadable(file: &str, error: &toml::de::Error, text: &str) -> Misuse {
    let at = error.span().map_or(0, |span| span.start);
    let line = text.get(..at).unwrap_or_default().matches('\n').count() + 1;
    let what = error.message().lines().next().unwrap_or_default();
    Misuse::new(format!("{file} line {line} is no TOML: {what}."))
}

/// The same value as JSON; moments become text, as in wrangler.
fn json(value: &Value) -> Json {
    match value {
        Value::String(text) => Json::from(text.as_str()),
        Value::Integer(number) => Json::from(*number),
        Value::Float(number) => Json::from(*number),
        Value::Boolean(value) => Json::from(*value),
        Value::Datetime(moment) => Json::from(moment.to_string()),
        Value::Array(items) => Json::Array(items.iter().map(json).collect()),
        Value::Table(table) => {
            Json::Object(table.iter().map(|(key, value)| (key.clone(), json(value))).collect())
        }
    }
}
