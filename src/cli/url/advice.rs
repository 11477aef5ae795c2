//! What would have to be otherwise for a refused link to be taken.

use super::candidate::{Candidate, Described, Parts};
use super::{otherwise, words};
use crate::cli::clock::{seconds_between, span};
use crate::cli::output::visible;
use edgeward::policy::{Format, UrlMode};
use edgeward::secret::Secret;
use edgeward::time::{Lifetime, UnixTime};
use edgeward::token::signed_url::{Scope, Target};
use edgeward::verdict::Cause;

/// What is known of a link and of the gate it meets.
pub struct Looked<'l> {
    /// The format it is of.
    pub candidate: &'l Candidate,
    /// The link, taken apart.
    pub parts: Option<&'l Parts>,
    /// The request.
    pub described: &'l Described<'l>,
    /// Its URL.
    pub url: &'l str,
    /// Keys of tokens that others issue, where they are here.
    pub jwks: Option<&'l Secret<String>>,
    /// Clock skew that not-before is forgiven.
    pub leeway: Lifetime,
    /// The moment.
    pub now: UnixTime,
}

/// Sentences on a cause, none where there is nothing to say.
pub fn advice(looked: &Looked<'_>, cause: Cause) -> Vec<String> {
    match cause {
        Cause::TokenExpired | Cause::TokenNotYetValid | Cause::TokenWrongScope => limits(looked),
        Cause::TokenBadSignature => bad_signature(looked),
        Cause::TokenUnknownKey => vec![unknown_key(looked)],
        Cause::TokenMissingClaim => vec![
            "The signer would have to give it an expiry, or its entry of the policy to say require = []."
                .to_owned(),
        ],
        Cause::TokenMalformed => malformed(looked),
        Cause::RequestAmbiguous => {
            vec!["It may stand there once: which of two would be meant, nobody can say.".to_owned()]
        }
        _ => Vec::new(),
    }
}

/// Every limit of the link that does not hold, and not only the first: who mends one wants to know of the next.
pub fn limits(looked: &Looked<'_>) -> Vec<String> {
    elsewhere(looked).into_iter().chain(too_early(looked)).chain(expired(looked)).collect()
}

fn expired(looked: &Looked<'_>) -> Option<String> {
    let end = looked.parts?.stated.end.filter(|end| looked.now >= end.first_bad())?;
    let late = looked.now.since(end.stated()).seconds();
    Some(format!("It expired {} ago; no leeway is given on that: a fresh link is needed.", exact(late)))
}

fn too_early(looked: &Looked<'_>) -> Option<String> {
    let from = looked.parts?.stated.not_before.filter(|from| looked.now + looked.leeway < *from)?;
    let early = exact(seconds_between(looked.now, from));
    Some(format!(
        "It is good from {from} on, in {early}; a leeway of {} s is given.",
        looked.leeway.seconds()
    ))
}

/// Seconds as they are, and in words where these say more.
fn exact(seconds: i64) -> String {
    if seconds < 120 { format!("{seconds} s") } else { format!("{seconds} s ({})", span(seconds)) }
}

/// Which of the limits does not hold: each is looked at by itself.
fn elsewhere(looked: &Looked<'_>) -> Vec<String> {
    let Some(scope) = looked.parts.map(|parts| &parts.stated.scope) else { return Vec::new() };
    let only =
        |part: Scope| looked.described.at(looked.url, |seen| part.check(seen).is_err()).unwrap_or_default();
    let mut sentences = Vec::new();
    let (path, host) = looked
        .described
        .at(looked.url, |seen| (seen.facts.path.to_owned(), seen.facts.host()))
        .unwrap_or_default();
    if only(Scope { origin: scope.origin.clone(), host: scope.host.clone(), ..Scope::default() }) {
        let signed = scope.origin.as_ref().or(scope.host.as_ref()).map(|it| visible(it)).unwrap_or_default();
        sentences.push(format!("It was signed for {signed}, and is used on {}.", visible(&host)));
    }
    if only(Scope { target: scope.target.clone(), ..Scope::default() }) {
        sentences.extend(other_path(looked, &scope.target, &path));
    }
    if only(Scope { methods: scope.methods.clone(), ..Scope::default() }) {
        let methods = visible(&scope.methods.join(", "));
        sentences.push(format!(
            "It was signed for {methods}, and is used with {}.",
            visible(looked.described.method)
        ));
    }
    if only(Scope { networks: scope.networks.clone(), ..Scope::default() }) {
        let networks: Vec<String> = scope.networks.iter().map(ToString::to_string).collect();
        let used =
            address(looked).map_or("an address that is not said (--address)".to_owned(), |it| visible(&it));
        sentences
            .push(format!("It was signed for clients in {}, and is used from {used}.", networks.join(", ")));
    }
    let (countries, blocked_countries) = (scope.countries.clone(), scope.blocked_countries.clone());
    if only(Scope { countries, blocked_countries, ..Scope::default() }) {
        let used = looked.described.fields.country();
        let used = used.map_or("a country that is not said (--country)".to_owned(), |it| visible(&it));
        sentences.push(format!("It is not good in every country, and is used from {used}."));
    }
    let networks = &looked.candidate.entry.networks;
    if only(Scope { networks: networks.clone(), ..Scope::default() }) {
        sentences.push("Its entry of the policy takes links from its networks only.".to_owned());
    }
    sentences
}

fn address(looked: &Looked<'_>) -> Option<String> {
    looked.described.fields.get("cf-connecting-ip")
}

fn other_path(looked: &Looked<'_>, target: &Target, path: &str) -> Vec<String> {
    if *target != Target::Elsewhere {
        let signed = visible(&words::target(target));
        return vec![format!("It was signed for {signed}, and is used on {}.", visible(path))];
    }
    let found = otherwise::otherwise(looked.candidate, looked.described, looked.url, None);
    if !found.is_empty() {
        return found;
    }
    vec![
        "It was signed for another host, path or query: a share link holds a digest of these, so which is not known \
         from it."
            .to_owned(),
    ]
}

fn bad_signature(looked: &Looked<'_>) -> Vec<String> {
    let found = otherwise::otherwise(looked.candidate, looked.described, looked.url, looked.jwks);
    if !found.is_empty() {
        return found;
    }
    let entry = &looked.candidate.entry;
    let mut sentences = vec![likely(entry.format, entry.url_mode).to_owned()];
    if entry.format == Format::Akamai {
        let salt = if entry.salt.is_some() { "The entry has a salt" } else { "The entry has no salt" };
        sentences.push(format!("{salt}: the signer must have the same."));
    }
    if entry.format == Format::Cloudflare {
        sentences.push("What stands in the query before the token is signed, too.".to_owned());
    }
    sentences
}

/// Why a signature of that format mostly does not hold.
const fn likely(format: Format, mode: UrlMode) -> &'static str {
    match (format, mode) {
        (Format::Edgeward, _) => {
            "It was made with another EDGEWARD_SECRET, or changed on the way: was it copied whole?"
        }
        (Format::GoogleCdn | Format::Symfony, _) | (Format::Laravel, UrlMode::Absolute) => {
            "Signer and gate have different keys, or it was signed for another host, scheme or path: all of the URL is \
             signed, as the signer saw it."
        }
        (Format::Laravel, UrlMode::Relative | UrlMode::Path)
        | (
            Format::Akamai
            | Format::Bunny
            | Format::Cloudflare
            | Format::Fastly
            | Format::MediaCdn
            | Format::NginxHmac,
            _,
        ) => {
            "Signer and gate have different keys, or it was signed for another path: the path is signed as it stands \
             there, percent-encoding included."
        }
    }
}

fn unknown_key(looked: &Looked<'_>) -> String {
    let kids: Vec<String> = looked.candidate.keys.iter().map(|key| visible(key.kid())).collect();
    let there = if kids.is_empty() { "none".to_owned() } else { kids.join(", ") };
    let named = looked.parts.and_then(|parts| parts.kid.as_deref());
    let fitting = looked.parts.map(|parts| looked.candidate.fitting(parts)).unwrap_or_default();
    match (fitting.first(), named) {
        (Some(kid), _) => {
            format!("The key {} signed it, which is not in use at {}.", visible(kid), looked.now)
        }
        (None, Some(named)) => format!("It names the key {}; here there is: {there}.", visible(named)),
        (None, None) => format!("Here there is: {there}."),
    }
}

fn malformed(looked: &Looked<'_>) -> Vec<String> {
    let found = otherwise::otherwise(looked.candidate, looked.described, looked.url, None);
    if found.is_empty() { vec!["Was it copied whole?".to_owned()] } else { found }
}
