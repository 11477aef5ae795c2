//! How signed URLs are read: a part of the policy.

use crate::network::Network;
use crate::time::Lifetime;

/// A dialect of signed URLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // The presets in `token::signed_url` say what each is.
pub enum Format {
    Akamai,
    Bunny,
    Cloudflare,
    Edgeward,
    Fastly,
    GoogleCdn,
    Laravel,
    MediaCdn,
    NginxHmac,
    Symfony,
}

impl Format {
    /// Every format, by name.
    pub const ALL: [(&'static str, Self); 10] = [
        ("akamai", Self::Akamai),
        ("bunny", Self::Bunny),
        ("cloudflare", Self::Cloudflare),
        ("edgeward", Self::Edgeward),
        ("fastly", Self::Fastly),
        ("google-cdn", Self::GoogleCdn),
        ("laravel", Self::Laravel),
        ("media-cdn", Self::MediaCdn),
        ("nginx-hmac", Self::NginxHmac),
        ("symfony", Self::Symfony),
    ];

    /// The name in the policy.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, it)| *it == self).map_or("", |(name, _)| name)
    }

    /// The format of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(it, _)| *it == name).map(|(_, format)| format)
    }
}

/// How a signed URL is read. Which of the settings a format takes, its preset says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkEntry {
    /// Its position in the file, from 0.
    pub index: usize,
    /// The dialect.
    pub format: Format,
    /// Key ids of the keys that verify it; `None` for every key that fits.
    pub keys: Option<Vec<String>>,
    /// Where a token is looked for.
    pub from: Vec<LinkPlace>,
    /// Names of the query parameters, in the order of the preset; the first is the one without which there is no token.
    pub parameters: Vec<String>,
    /// Paths to which it is limited (`/a`, `/a/*`); empty for all.
    pub paths: Vec<String>,
    /// Whether a token without an end is refused (the default).
    pub require_end: bool,
    /// How long a token is good after its time of issue.
    pub ttl: Option<Lifetime>,
    /// What is signed, but not sent.
    pub salt: Option<String>,
    /// What is signed, with variables.
    pub pattern: Option<String>,
    /// Whether values are percent-encoded before they are signed.
    pub escape_early: bool,
    /// What of the URL is signed.
    pub url_mode: UrlMode,
    /// Client addresses to which it is limited; empty for all.
    pub networks: Vec<Network>,
    /// Whether keys shorter than 16 octets are taken.
    pub weak_keys: bool,
}

/// What of the URL is signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UrlMode {
    /// All of it, with scheme and host (the default).
    #[default]
    Absolute,
    /// Path and query.
    Relative,
    /// The path alone, whatever the query is.
    Path,
}

/// Where the token of a signed URL is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkPlace {
    /// The format's own query parameters.
    Parameters,
    /// One query parameter of this name.
    Query(String),
    /// A cookie of this name.
    Cookie(String),
    /// A field of this name, in lower case.
    Field(String),
    /// The first segment of the path.
    Path,
}
