//! What is fuzzed, and replayed by `tests/fuzz_corpus.rs`: one function for each target.
//!
//! An input is text, so that a corpus can be read and written by hand; octets that are no UTF-8 are replaced, as the
//! platform does. Each target says how its text is laid out. A target that finds something wrong panics.

pub mod api_keys;
pub mod authorization;
pub mod cookie;
pub mod form;
pub mod grants;
pub mod jws;
pub mod path;
pub mod policy;
pub mod revocation;
pub mod sign_in;
pub mod signed_url;
pub mod totp;

use std::borrow::Cow;

fn text(data: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(data)
}

/// The first line, and what follows it: nothing where there is but one.
fn first_line(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}

/// Normalization Form C, as the command does it.
fn nfc(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    text.nfc().collect()
}
