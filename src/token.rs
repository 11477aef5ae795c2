//! Tokens: what an HMAC says about a request.
//!
//! [`mac`] signs and compares, [`keys`] holds what others sign with, [`jws`] takes a token apart, [`claims`] judges
//! what it says, and [`jwt`] puts these in the order of the contract. [`assertion`] is the one token that is made
//! here for every request: it tells the origin who passed.

pub mod assertion;
pub mod claims;
pub mod fresh;
pub mod jws;
pub mod jwt;
pub mod keys;
pub mod mac;
pub mod signed_url;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Decodes base64url without padding (RFC 7515 §2): one text for each sequence of bytes, so unused bits must be zero.
#[must_use]
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// Encodes as base64url without padding.
#[must_use]
pub fn to_base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Appends base64url without padding to `out`.
fn push_base64url(out: &mut String, bytes: &[u8]) {
    URL_SAFE_NO_PAD.encode_string(bytes, out);
}
