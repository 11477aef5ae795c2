//! What is different from format to format, as data.

use super::{Bearing, Reading, Seen};
use super::{
    akamai, bunny, cloudflare, edgeward, fastly, google_cdn, laravel, media_cdn, nginx_hmac, symfony,
};
use crate::policy::{Format, HmacAlgorithm, LinkEntry, LinkPlace, UrlMode};

/// A dialect of signed URLs.
pub struct Preset {
    /// Which.
    pub format: Format,
    /// Algorithms that its keys may have; empty for our own, whose keys are derived from `EDGEWARD_SECRET`.
    pub algorithms: &'static [HmacAlgorithm],
    /// Query parameters: what the policy calls each (`parameters = { signature = "sig" }`), and its default name. The
    /// first is the one without which there is no token.
    pub parameters: &'static [(&'static str, &'static str)],
    /// Where it is looked for unless the policy says otherwise, as in `from`: `"query"` for the parameters above,
    /// `"query:NAME"`, `"cookie:NAME"`, `"path"`.
    pub from: &'static [&'static str],
    /// Settings of the policy that it takes besides those that every format takes.
    pub settings: &'static [&'static str],
    /// Whether its tokens name their key. Those of the others are tried with each key of the entry.
    pub names_key: bool,
    /// Takes a token apart.
    pub read: for<'r> fn(&Seen<'r>, &Bearing<'r>, &'r LinkEntry) -> Reading<'r>,
}

impl Preset {
    /// An entry of nothing but defaults.
    #[must_use]
    pub fn defaults(&self, index: usize) -> LinkEntry {
        LinkEntry {
            index,
            format: self.format,
            keys: None,
            from: self.from.iter().filter_map(|text| place(text)).collect(),
            parameters: self.parameters.iter().map(|(_, name)| (*name).to_owned()).collect(),
            paths: Vec::new(),
            require_end: true,
            ttl: None,
            salt: None,
            pattern: None,
            escape_early: false,
            url_mode: UrlMode::default(),
            networks: Vec::new(),
            weak_keys: false,
        }
    }
}

/// A place as `from` writes it.
#[must_use]
pub fn place(text: &str) -> Option<LinkPlace> {
    match text.split_once(':') {
        None if text == "query" => Some(LinkPlace::Parameters),
        None if text == "path" => Some(LinkPlace::Path),
        Some(("query", name)) => Some(LinkPlace::Query(name.to_owned())),
        Some(("cookie", name)) => Some(LinkPlace::Cookie(name.to_owned())),
        Some(("header", name)) => Some(LinkPlace::Field(name.to_ascii_lowercase())),
        Some(_) | None => None,
    }
}

impl core::fmt::Debug for Preset {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.format.name())
    }
}

/// The preset of a format.
#[must_use]
pub const fn preset(format: Format) -> &'static Preset {
    match format {
        Format::Akamai => &akamai::PRESET,
        Format::Bunny => &bunny::PRESET,
        Format::Cloudflare => &cloudflare::PRESET,
        Format::Edgeward => &edgeward::PRESET,
        Format::Fastly => &fastly::PRESET,
        Format::GoogleCdn => &google_cdn::PRESET,
        Format::Laravel => &laravel::PRESET,
        Format::MediaCdn => &media_cdn::PRESET,
        Format::NginxHmac => &nginx_hmac::PRESET,
        Format::Symfony => &symfony::PRESET,
    }
}
