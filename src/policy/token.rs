//! How bearer tokens are read: a part of the policy.

use crate::time::Lifetime;

/// How a bearer token (a JWT) is read. Configured means required.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenEntry {
    /// Its position in the file, from 0; `None` for the one that holds where the operator wrote none.
    pub index: Option<usize>,
    /// Key ids of the keys that verify it; `None` for every key.
    pub keys: Option<Vec<String>>,
    /// Algorithms that are allowed (RFC 8725 §3.1).
    pub algorithms: Vec<HmacAlgorithm>,
    /// Issuers, one of which `iss` must be; empty where none is configured.
    pub issuer: Vec<String>,
    /// Audiences, one of which must stand in `aud`; empty where none is configured.
    pub audience: Vec<String>,
    /// Claims that must be there.
    pub require: Vec<String>,
    /// The longest that `exp − iat` and `now − iat` may be.
    pub max_age: Option<Lifetime>,
    /// Where it is looked for.
    pub from: Vec<TokenPlace>,
    /// Whether `sub` is a user-id of ours.
    pub trust_subject: bool,
}

/// An HMAC algorithm (RFC 7518 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HmacAlgorithm {
    /// HMAC with SHA-256.
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
    /// HMAC with SHA-1: for signed-URL formats that need it, never for a JWT.
    Hs1,
}

impl HmacAlgorithm {
    /// The name, as in `alg`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Hs1 => "HS1",
        }
    }

    /// The algorithm of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Hs256, Self::Hs384, Self::Hs512, Self::Hs1].into_iter().find(|a| a.name() == name)
    }

    /// Octets of the hash's output: the least a key may have (RFC 7518 §3.2).
    #[must_use]
    pub const fn output_size(self) -> usize {
        match self {
            Self::Hs1 => 20,
            Self::Hs256 => 32,
            Self::Hs384 => 48,
            Self::Hs512 => 64,
        }
    }
}

/// Where a token is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenPlace {
    /// `Authorization: Bearer` (RFC 6750 §2.1).
    Authorization,
    /// A cookie of this name.
    Cookie(String),
    /// A query parameter of this name.
    Query(String),
    /// A field of this name, in lower case.
    Header(String),
}
