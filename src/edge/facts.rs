//! Request → facts, in one crossing.
//!
//! Measured: one pass over all fields costs less than looking up the four that nearly every verdict reads and listing
//! the names, which forwarding needs to find the spoofed ones in every spelling.

use super::host::Host;
use crate::request::Fields;
use wasm_bindgen::JsValue;

/// A request as text, still to be taken apart.
pub struct Text(String);

impl Text {
    /// Reads a request.
    pub fn read(host: &Host, request: &JsValue) -> Self {
        Self(host.read(request))
    }

    /// Method, URL, and the fields.
    pub fn parts<'t>(&'t self, host: &'t Host, request: &'t JsValue) -> (&'t str, &'t str, Read<'t>) {
        let mut lines = self.0.split('\n');
        let (method, url) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        let mut fields = Vec::with_capacity(24);
        while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
            fields.push((name, value));
        }
        (method, url, Read { fields, host, request })
    }
}

/// The fields of a request of the platform's: names in lower case, and their values.
pub struct Read<'t> {
    fields: Vec<(&'t str, &'t str)>,
    host: &'t Host,
    request: &'t JsValue,
}

impl<'t> Read<'t> {
    /// The names of all fields.
    pub fn names(&self) -> impl Iterator<Item = &'t str> {
        self.fields.iter().map(|(name, _)| *name)
    }
}

impl Fields for Read<'_> {
    fn get(&self, name: &str) -> Option<String> {
        let mut values = self.fields.iter().filter(|(known, _)| *known == name).map(|(_, value)| *value);
        let first = values.next()?.to_owned();
        // The platform has joined the lines of one name, but for those of `Set-Cookie`.
        Some(values.fold(first, |joined, value| joined + ", " + value))
    }

    fn country(&self) -> Option<String> {
        self.host.country(self.request)
    }
}
