//! The writer: what Edgeward itself says in JSON is flat objects of texts and whole numbers.

use crate::text;

/// Writes an object, member by member in the order of the calls. The names are ours, and no two of them alike.
///
/// ```
/// use edgeward::json::ObjectWriter;
/// let object = ObjectWriter::new().text("sub", "ann").number("exp", 1_767_225_600).optional("kid", None);
/// assert_eq!(object.finish(), r#"{"sub":"ann","exp":1767225600}"#);
/// ```
#[derive(Debug)]
pub struct ObjectWriter {
    out: String,
}

impl ObjectWriter {
    /// An object without members.
    #[must_use]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self { out: String::from("{") }
    }

    /// A member that is a string.
    #[must_use]
    pub fn text(mut self, name: &str, value: &str) -> Self {
        self.name(name);
        push_string(&mut self.out, value);
        self
    }

    /// A member that is a string, where there is one.
    #[must_use]
    pub fn optional(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// A member that is a string, or `null` where there is none.
    #[must_use]
    pub fn nullable(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self.literal(name, "null"),
        }
    }

    /// A member that is a whole number.
    #[must_use]
    pub fn number(self, name: &str, value: i64) -> Self {
        self.literal(name, &value.to_string())
    }

    /// A member that is `null`, `true`, `false` or a number, already written.
    #[must_use]
    pub fn literal(mut self, name: &str, value: &str) -> Self {
        self.name(name);
        self.out.push_str(value);
        self
    }

    /// A member that is an array of strings.
    #[must_use]
    pub fn texts(mut self, name: &str, values: &[String]) -> Self {
        self.name(name);
        self.out.push('[');
        for (index, value) in values.iter().enumerate() {
            self.out.push_str(if index == 0 { "" } else { "," });
            push_string(&mut self.out, value);
        }
        self.out.push(']');
        self
    }

    /// The object.
    #[must_use]
    pub fn finish(mut self) -> String {
        self.out.push('}');
        self.out
    }

    fn name(&mut self, name: &str) {
        if self.out.len() > 1 {
            self.out.push(',');
        }
        push_string(&mut self.out, name);
        self.out.push(':');
    }
}

/// Appends `text` to `out` as a JSON string, with its quotation marks (RFC 8259 §7).
pub fn push_string(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|b| b < 0x20 || b == b'"' || b == b'\\') {
        let (plain, from_special) = text::split(rest, at);
        out.push_str(plain);
        let mut characters = from_special.chars();
        if let Some(special) = characters.next() {
            push_escape(out, special);
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

fn push_escape(out: &mut String, special: char) {
    match special {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        control => {
            let code = u32::from(control);
            out.push_str(if code < 0x10 { "\\u000" } else { "\\u001" });
            out.extend(char::from_digit(code & 0xF, 16));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn every_kind_of_member() {
        let object = ObjectWriter::new()
            .text("a", "\"é\n")
            .optional("b", Some(""))
            .optional("c", None)
            .number("d", -1)
            .nullable("e", None)
            .texts("f", &["x".into(), "\\".into()])
            .texts("g", &[]);
        let read: Value = serde_json::from_str(&object.finish()).expect("JSON");
        assert_eq!(read, json!({ "a": "\"é\n", "b": "", "d": -1, "e": null, "f": ["x", "\\"], "g": [] }));
        assert_eq!(ObjectWriter::new().finish(), "{}");
    }
}
