//! API keys: what one looks like, and the list of those that are known.
//!
//! 1. A key of ours is [`made`] of 32 random octets; its checksum tells a typing error before anything is hashed or
//!    looked up, and lets scanners of source code know a key that leaked ([`form()`]).
//! 2. A key that was made elsewhere is as good: the list knows nothing but SHA-256 of each.
//! 3. The list, [`ApiKeys`], is text of one line for each key, in `EDGEWARD_API_KEYS` or in the value `api-keys` of
//!    `EDGEWARD_KV`. Looking up takes as long among ten thousand as it does among ten.
//!
//! SHA-256 without salt and cost is right here and nowhere else: 256 random bits cannot be guessed, so there is
//! nothing to slow down, and a slow hash would be paid by every request. Keys made elsewhere need as many: a word that
//! somebody thought of is a password, and belongs into `EDGEWARD_USERS`.
//!
//! ```
//! use edgeward::api_key::{self, ApiKeys, Form};
//!
//! let key = api_key::made(&[7; 32]);
//! assert_eq!(api_key::form(key.expose()), Form::Ours);
//! assert_eq!(api_key::form(&key.expose().replace('9', "g")), Form::Mistyped);
//!
//! let line = api_key::line("ci", &api_key::digest(key.expose()), &["deploy"]);
//! let keys = ApiKeys::parse(&line, "EDGEWARD_API_KEYS").unwrap();
//! let known = keys.find(&api_key::digest(key.expose())).unwrap();
//! assert_eq!((known.name(), known.has_scope("deploy")), ("ci", true));
//!
//! let problems = ApiKeys::parse("ci:hunter2", "EDGEWARD_API_KEYS").unwrap_err();
//! assert_eq!(problems[0].at, "EDGEWARD_API_KEYS line 1");
//! ```

mod fault;
mod form;
mod line;
mod list;
mod reading;

pub use form::{Form, form, made};
pub use line::line;
pub use list::{ApiKey, ApiKeys};

use sha2::{Digest as _, Sha256};

/// SHA-256 of a key as it was sent: what [`ApiKeys::find`] looks for.
#[must_use]
pub fn digest(key: &str) -> [u8; 32] {
    Sha256::digest(key).into()
}
