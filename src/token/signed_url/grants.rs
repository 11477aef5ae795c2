//! To come: grants in a cookie.

use crate::token::mac::{MacKey, RootSecret};

/// The keys of the cookie.
#[derive(Debug, Default)]
pub struct JarKeys(Vec<MacKey>);

impl JarKeys {
    /// To come.
    pub fn new(_root: &RootSecret) -> Self {
        Self(Vec::new())
    }
}

/// To come.
pub fn cookie_name(_facts: &crate::request::RequestFacts<'_>) -> &'static str {
    "__Host-edgeward-link"
}

impl JarKeys {
    /// To come.
    pub fn judge(
        &self,
        _value: &str,
        _seen: &super::Seen<'_>,
        _at: &super::Moment,
        _links: &super::LinkVerifier,
    ) -> Result<super::Grant, crate::verdict::Refusal> {
        Err(crate::verdict::Refusal::new(crate::verdict::Cause::TokenMalformed, "To come."))
    }
}
