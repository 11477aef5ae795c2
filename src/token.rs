//! Tokens: what an HMAC says about a request.

pub mod claims;
pub mod jws;
pub mod jwt;
pub mod keys;
pub mod mac;
