//! Request → facts. What every request needs is read in one crossing; the rest when it is asked for.

use super::host::Host;
use crate::authenticate::Gate;
use crate::request::Fields;
use wasm_bindgen::JsValue;

/// Fields that nearly every request needs: the verdict, or the origin.
const ALWAYS: [&str; 4] = ["authorization", "cookie", "via", "cf-connecting-ip"];

/// The names that are read in one crossing.
pub struct Prefetch {
    names: Vec<String>,
    list: JsValue,
}

impl Prefetch {
    /// Gathers the names for a policy.
    pub fn of(gate: &Gate) -> Self {
        let mut names: Vec<String> = ALWAYS.iter().map(|name| (*name).to_owned()).collect();
        names.extend(gate.places.fields().map(str::to_owned));
        if gate.config.policy.as_ref().is_some_and(|policy| policy.cors.is_some()) {
            names.push("origin".to_owned());
        }
        let list = names.iter().map(JsValue::from).collect::<js_sys::Array>().into();
        Self { names, list }
    }

    /// Reads what is always needed of a request.
    pub fn read<'r>(&'r self, host: &'r Host, request: &'r JsValue) -> Text<'r> {
        Text { prefetch: self, host, request, text: host.read(request, &self.list) }
    }
}

/// A request as text, still to be taken apart.
pub struct Text<'r> {
    prefetch: &'r Prefetch,
    host: &'r Host,
    request: &'r JsValue,
    text: String,
}

impl Text<'_> {
    /// Method, URL, and the fields.
    pub fn parts(&self) -> (&str, &str, Read<'_>) {
        let mut lines = self.text.split('\n');
        let (method, url) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        let values = lines.map(|line| if line == "\0" { None } else { Some(line) }).collect();
        let read = Read { names: &self.prefetch.names, values, host: self.host, request: self.request };
        (method, url, read)
    }
}

/// The fields of a request of the platform's.
pub struct Read<'t> {
    names: &'t [String],
    values: Vec<Option<&'t str>>,
    host: &'t Host,
    request: &'t JsValue,
}

impl Fields for Read<'_> {
    fn get(&self, name: &str) -> Option<String> {
        match self.names.iter().position(|known| known == name) {
            Some(at) => self.values.get(at).copied().flatten().map(str::to_owned),
            None => self.host.field(self.request, name),
        }
    }
}
