//! Revocation: what is good by its signature and its dates, and is to be refused all the same.
//!
//! Four things can be revoked: a token or link by its id, all that somebody holds by their name, all that a key signed, and
//! all that was issued before a moment. Where that stands is for the operator to choose:
//!
//! 1. `EDGEWARD_KV` holds one value for each of the four ([`KV_KEYS`]). They are read together, once for each isolate every
//!    half minute ([`snapshot`]), whatever the number of tokens: the free plan has 100,000 reads a day. So a revocation
//!    is late, and how late is said ([`DELAY`]).
//! 2. `EDGEWARD_LEDGER` is asked for each request and is never late ([`ledger`]). It is told by an order that is signed
//!    with a key out of `EDGEWARD_SECRET` ([`order`]).
//!
//! Sessions that somebody signed out of stand in a list of their own ([`sessions`]).
//!
//! A value that cannot be read never means that nothing is revoked: it is as if the store had not answered.

pub mod ledger;
pub mod lists;
pub mod order;
pub mod sessions;
pub mod snapshot;

pub use lists::Lists;
pub use snapshot::{Kept, State};

use crate::time::UnixTime;

/// Keys of the values in `EDGEWARD_KV`, in the order of [`Lists::parse`]: ids, subjects, key ids, and a moment.
pub const KV_KEYS: [&str; 4] = ["revoked:jti", "revoked:sub", "revoked:kid", "revoked:before"];

/// How late a revocation by way of `EDGEWARD_KV` may be.
pub const DELAY: &str = "Revoked everywhere within 30 seconds, plus the time Workers KV takes to spread a write \
                         (up to 60 seconds).";

/// What can be revoked about credentials that were verified.
#[derive(Clone, Copy, Debug)]
pub struct Traits<'a> {
    /// The token's `jti`, or the link's id.
    pub id: Option<&'a str>,
    /// All names of whoever came: the bare `sub` and the user as `whoami` says it (`ann` and `token:ann`, `key:ci`).
    pub subjects: &'a [&'a str],
    /// Id of the key that signed it.
    pub key: Option<&'a str>,
    /// When it was issued.
    pub issued: Issued,
}

/// When credentials were issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issued {
    /// At this moment (`iat`).
    At(UnixTime),
    /// They should say and do not: for all that is known, before any moment.
    Unknown,
    /// Their kind has no such moment (an API key): "everything before" does not mean them.
    Never,
}

/// Why credentials are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// Their id is revoked.
    Id,
    /// A name of whoever came with them is.
    Subject,
    /// The key that signed them is.
    Key,
    /// Everything issued before this moment is.
    Before(UnixTime),
}

impl Revoked {
    /// For the log: the word after `revoked:` in [`KV_KEYS`].
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Id => "jti",
            Self::Subject => "sub",
            Self::Key => "kid",
            Self::Before(_) => "before",
        }
    }
}
