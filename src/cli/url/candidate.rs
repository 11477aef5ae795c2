//! Which formats a link may be of, and what each makes of it.

use crate::cli::deployment::Deployment;
use edgeward::policy::{Format, LinkEntry, LinkPlace};
use edgeward::request::{Fields, RequestFacts};
use edgeward::time::UnixTime;
use edgeward::token::keys::{Key, KeySet};
use edgeward::token::mac::MacKey;
use edgeward::token::signed_url::edgeward as share;
use edgeward::token::signed_url::seen::Twice;
use edgeward::token::signed_url::{
    Bearing, Borne, Grant, LinkVerifier, Reading, Seen, Stated, Strength, bunny, preset,
};
use edgeward::verdict::{Cause, Refusal};

const TWICE: &str = "A parameter, cookie or field of the link stands there twice.";

/// A request that is only described.
pub struct Described<'d> {
    /// Its method.
    pub method: &'d str,
    /// Its fields.
    pub fields: &'d dyn Fields,
    /// The value of `Cookie`.
    pub cookies: String,
    /// The fields that entries look in, by lower-case name.
    pub bearing: Vec<(String, String)>,
}

impl Described<'_> {
    /// The request with this URL, as presets see it; `None` where it is no absolute URL.
    pub fn at<T>(&self, url: &str, look: impl FnOnce(&Seen<'_>) -> T) -> Option<T> {
        let facts = RequestFacts::new(self.method, url, self.fields).ok()?;
        let facts = facts.with_token_in_path(bunny::PATH_MARK);
        Some(look(&Seen::new(&facts, &self.cookies, &self.bearing)))
    }
}

/// A format that a link may be of, and the keys that may have signed it.
pub struct Candidate {
    /// The policy's entry, or one of nothing but defaults.
    pub entry: LinkEntry,
    /// Whether the policy has it.
    pub is_configured: bool,
    /// Its keys, as far as they are here.
    pub keys: Vec<Key>,
    /// Whether the secret that holds its keys is here.
    pub has_keys: bool,
}

/// The policy's entries, and for each format that it has none of one of defaults.
pub fn candidates(deployment: &Deployment) -> Vec<Candidate> {
    let is_here = |format: Format| {
        let name = if format == Format::Edgeward { "EDGEWARD_SECRET" } else { "EDGEWARD_KEYS" };
        deployment.secrets.get(name).is_some()
    };
    let entries = deployment.config.policy.iter().flat_map(|policy| &policy.links);
    let mut all: Vec<Candidate> = entries
        .map(|entry| Candidate {
            entry: entry.clone(),
            is_configured: true,
            keys: keys(deployment, entry.format, entry.keys.as_deref()),
            has_keys: is_here(entry.format),
        })
        .collect();
    for (_, format) in Format::ALL {
        if all.iter().all(|it| it.entry.format != format) {
            let keys = keys(deployment, format, None);
            let entry = preset(format).defaults(0);
            all.push(Candidate { entry, is_configured: false, keys, has_keys: is_here(format) });
        }
    }
    all
}

/// The keys that an entry of that format has: those that it names, or all that fit.
fn keys(deployment: &Deployment, format: Format, kids: Option<&[String]>) -> Vec<Key> {
    if format == Format::Edgeward {
        return deployment.secrets.root().map(|root| share::keys(&root)).unwrap_or_default();
    }
    let text = deployment.secrets.value("EDGEWARD_KEYS");
    let keys = text.and_then(|text| KeySet::parse(text.expose()).ok());
    let algorithms = preset(format).algorithms;
    let is_named = |key: &Key| kids.is_none_or(|kids| kids.iter().any(|kid| **kid == **key.kid()));
    let fits = |key: &&Key| algorithms.contains(&key.algorithm()) && is_named(key);
    keys.iter().flat_map(KeySet::iter).filter(fits).cloned().collect()
}

/// A link as one format reads it.
pub struct Read {
    /// Where its token was found, as `from` writes it.
    pub place: String,
    /// What it was found to be.
    pub outcome: Result<Parts, (Cause, &'static str)>,
}

/// A link that was taken apart.
pub struct Parts {
    /// What it says; nothing is verified.
    pub stated: Stated,
    /// The key it names.
    pub kid: Option<String>,
    message: Vec<u8>,
    tag: Vec<u8>,
}

impl Parts {
    /// Whether a key signed it.
    pub fn is_signed_by(&self, key: &MacKey) -> bool {
        key.verify(&[&self.message], &self.tag)
    }
}

impl Candidate {
    /// How the policy calls it.
    pub fn name(&self) -> String {
        let format = self.entry.format.name();
        if self.is_configured {
            format!("{format} (EDGEWARD.tokens[{}])", self.entry.index)
        } else {
            format!("{format} (the policy has no entry for it)")
        }
    }

    /// What it makes of the link, where it finds one: of several places the one that came furthest.
    pub fn read(&self, seen: &Seen<'_>) -> Option<Read> {
        read(&self.entry, seen)
    }

    /// Ids of the keys that signed it.
    pub fn fitting(&self, parts: &Parts) -> Vec<String> {
        let fits = |key: &&Key| parts.is_signed_by(key.mac());
        self.keys.iter().filter(fits).map(|key| key.kid().to_string()).collect()
    }
}

/// What an entry makes of a link.
pub fn read(entry: &LinkEntry, seen: &Seen<'_>) -> Option<Read> {
    let reads = entry.from.iter().filter_map(|place| {
        let outcome = match seen.bearing(entry, place) {
            Ok(None) => return None,
            Ok(Some(bearing)) => taken_apart(entry, seen, &bearing),
            Err(Twice) => Err((Cause::RequestAmbiguous, TWICE)),
        };
        Some(Read { place: place_name(place, entry), outcome })
    });
    // Of equals the first: `max_by_key` would take the last.
    reads.reduce(|best, next| if progress(&next) > progress(&best) { next } else { best })
}

fn taken_apart(
    entry: &LinkEntry,
    seen: &Seen<'_>,
    bearing: &Bearing<'_>,
) -> Result<Parts, (Cause, &'static str)> {
    match (preset(entry.format).read)(seen, bearing, entry) {
        Reading::Malformed(detail) => Err((Cause::TokenMalformed, detail)),
        Reading::Algorithm(detail) => Err((Cause::TokenAlgorithm, detail)),
        Reading::Token(token) => Ok(Parts {
            message: token.message.iter().flat_map(|part| part.iter().copied()).collect(),
            tag: token.tag,
            kid: token.kid.map(std::borrow::Cow::into_owned),
            stated: token.stated,
        }),
    }
}

/// How far a format came with a link.
pub const fn progress(read: &Read) -> u8 {
    match read.outcome {
        Ok(_) => 2,
        Err((Cause::TokenAlgorithm, _)) => 1,
        Err(_) => 0,
    }
}

fn place_name(place: &LinkPlace, entry: &LinkEntry) -> String {
    match place {
        LinkPlace::Parameters => format!("query:{}", entry.parameters.first().map_or("", String::as_str)),
        LinkPlace::Query(name) => format!("query:{name}"),
        LinkPlace::Cookie(name) => format!("cookie:{name}"),
        LinkPlace::Field(name) => format!("header:{name}"),
        LinkPlace::Path => "path".to_owned(),
    }
}

/// What the gate says to the link: the strongest place that bears one decides alone. `None` where it finds none.
pub fn verdict(verifier: &LinkVerifier, seen: &Seen<'_>, now: UnixTime) -> Option<Result<Grant, Refusal>> {
    [Strength::Field, Strength::Url, Strength::Cookie].into_iter().find_map(|strength| {
        match verifier.borne(seen, strength) {
            Borne::Absent => None,
            Borne::Twice => Some(Err(Refusal::new(Cause::RequestAmbiguous, TWICE))),
            Borne::Present => Some(verifier.verify(seen, strength, now)),
        }
    })
}
