//! What would have to be otherwise for a signature to hold: tried, not guessed.
//!
//! A link that does not verify was mostly signed for an address that differs in one thing from the one it is used at: the
//! scheme behind a proxy, `www.`, a parameter that a newsletter added, a path that was percent-encoded on the way. So each
//! of these is changed in turn, and where the signature holds then, that is what is wrong.

use super::candidate::{Candidate, Described, read};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use edgeward::policy::{HmacAlgorithm, LinkEntry, UrlMode};
use edgeward::secret::Secret;
use edgeward::token::mac::MacKey;
use edgeward::token::signed_url::{Scope, preset};
use serde_json::Value;

/// Parameters that others add to links, by their names or how these begin.
const TRACKERS: [&str; 10] =
    ["utm_", "fbclid", "gclid", "msclkid", "mc_cid", "mc_eid", "igshid", "_gl", "_hs", "mtm_"];

/// So many parameters are left out one by one.
const MOST_PARAMETERS: usize = 30;

/// What would do, a sentence each.
pub fn otherwise(
    candidate: &Candidate,
    described: &Described<'_>,
    url: &str,
    jwks: Option<&Secret<String>>,
) -> Vec<String> {
    let macs: Vec<&MacKey> = candidate.keys.iter().map(edgeward::token::keys::Key::mac).collect();
    let tries = Tries { described, macs: &macs };
    let mut found: Vec<String> = Vec::new();
    for (changed, how) in addresses(url) {
        if tries.hold(&candidate.entry, &changed) {
            found.push(format!("It was signed {how}."));
        }
    }
    for (entry, how) in settings(&candidate.entry) {
        if tries.hold(&entry, url) {
            found.push(format!("It was signed {how}: its entry of the policy would have to say so."));
        }
    }
    if let Some(jwks) = jwks.filter(|_| candidate.entry.format != edgeward::policy::Format::Edgeward) {
        found.extend(keys(candidate, described, url, jwks));
    }
    found
}

struct Tries<'t> {
    described: &'t Described<'t>,
    macs: &'t [&'t MacKey],
}

impl Tries<'_> {
    /// Whether one of the keys signed what the entry makes of that address, for that address.
    fn hold(&self, entry: &LinkEntry, url: &str) -> bool {
        let holds = self.described.at(url, |seen| {
            let parts = read(entry, seen).and_then(|read| read.outcome.ok())?;
            let place = Scope { target: parts.stated.scope.target.clone(), ..Scope::default() };
            Some(self.macs.iter().any(|mac| parts.is_signed_by(mac)) && place.check(seen).is_ok())
        });
        holds.flatten().unwrap_or_default()
    }
}

/// A URL taken apart as text.
struct Split<'u> {
    scheme: &'u str,
    authority: &'u str,
    path: &'u str,
    query: Option<&'u str>,
}

impl<'u> Split<'u> {
    fn of(url: &'u str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let rest = rest.split_once('#').map_or(rest, |(before, _)| before);
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (path, query) =
            target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
        Some(Self { scheme, authority, path, query })
    }

    fn with(&self, scheme: &str, authority: &str, path: &str, query: Option<&str>) -> String {
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        format!("{scheme}://{authority}{path}{query}")
    }

    fn at(&self, authority: &str) -> String {
        self.with(self.scheme, authority, self.path, self.query)
    }

    fn path(&self, path: &str) -> String {
        self.with(self.scheme, self.authority, path, self.query)
    }

    fn query(&self, query: &str) -> String {
        let query = (!query.is_empty()).then_some(query);
        self.with(self.scheme, self.authority, self.path, query)
    }
}

/// Other addresses, each with what is different, in words that follow "it was signed".
fn addresses(url: &str) -> Vec<(String, String)> {
    let Some(split) = Split::of(url) else { return Vec::new() };
    let mut all = hosts(&split);
    all.extend(paths(&split));
    all.extend(queries(&split));
    all.retain(|(changed, _)| changed != url);
    all
}

fn hosts(split: &Split<'_>) -> Vec<(String, String)> {
    let other = if split.scheme == "https" { "http" } else { "https" };
    let swapped = split.with(other, split.authority, split.path, split.query);
    let mut all = vec![(swapped, format!("for {other}://, and it is used on {}://", split.scheme))];
    let mut at = |authority: &str| all.push((split.at(authority), format!("for the host {authority}")));
    match split.authority.strip_prefix("www.") {
        Some(bare) => at(bare),
        None => at(&format!("www.{}", split.authority)),
    }
    if let Some((host, _)) = split.authority.rsplit_once(':') {
        at(host);
    }
    at(&split.authority.to_ascii_lowercase());
    all
}

fn paths(split: &Split<'_>) -> Vec<(String, String)> {
    let mut all = Vec::new();
    let mut add = |path: &str, how: &str| all.push((split.path(path), how.to_owned()));
    match split.path.strip_suffix('/') {
        Some(bare) if !bare.is_empty() => add(bare, "without the slash at the end of the path"),
        Some(_) | None => add(&format!("{}/", split.path), "with a slash at the end of the path"),
    }
    if let Some(decoded) = decoded(split.path) {
        add(&decoded, "over the path percent-decoded: the signer would have to sign it as it is sent");
    }
    let digits = |upper: bool| recased(split.path, upper);
    add(&digits(true), "with percent-encoding in capitals (%2F)");
    add(&digits(false), "with percent-encoding in small letters (%2f)");
    all
}

fn queries(split: &Split<'_>) -> Vec<(String, String)> {
    let Some(query) = split.query else { return Vec::new() };
    let mut all = Vec::new();
    let mut add = |query: &str, how: String| all.push((split.query(query), how));
    let parameters: Vec<&str> = query.split('&').collect();
    let name = |parameter: &str| parameter.split('=').next().unwrap_or_default().to_owned();
    for (index, parameter) in parameters.iter().enumerate().take(MOST_PARAMETERS) {
        let rest: Vec<&str> =
            parameters.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, it)| *it).collect();
        add(&rest.join("&"), format!("without the parameter {}", name(parameter)));
    }
    let is_tracker = |parameter: &&&str| TRACKERS.iter().any(|tracker| parameter.starts_with(tracker));
    if parameters.iter().filter(is_tracker).count() > 1 {
        let rest: Vec<&str> = parameters.iter().filter(|it| !is_tracker(it)).copied().collect();
        add(&rest.join("&"), "without the parameters that others added to follow who clicks".to_owned());
    }
    add(
        &query.replace("&amp;", "&"),
        "with & where the link has &amp;: it was taken out of HTML as it stands".to_owned(),
    );
    let cut = query.trim_end_matches(['.', ',', ';', ':', ')', ']', '>', '"', '\'', '!', '?']);
    add(cut, "without the punctuation at its end".to_owned());
    if let Some(decoded) = decoded(query) {
        add(&decoded, "with its query percent-decoded: that was encoded once too often".to_owned());
    }
    all
}

/// Percent-decoded, where that is text and changes anything.
fn decoded(text: &str) -> Option<String> {
    let decoded = edgeward::token::signed_url::seen::decoded(text)?.into_owned();
    let is_good = !decoded.contains(['#', ' ']) && !decoded.contains(char::is_control);
    is_good.then_some(decoded)
}

/// The same with the digits of its percent-encoding in capitals or small letters.
fn recased(text: &str, upper: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut digits = 0;
    for c in text.chars() {
        let is_digit = digits > 0 && c.is_ascii_hexdigit();
        digits = if c == '%' { 2 } else { digits - i32::from(digits > 0) };
        out.push(match (is_digit, upper) {
            (false, _) => c,
            (true, true) => c.to_ascii_uppercase(),
            (true, false) => c.to_ascii_lowercase(),
        });
    }
    out
}

/// The entry with other settings, each with what is different.
fn settings(entry: &LinkEntry) -> Vec<(LinkEntry, String)> {
    let takes = |setting: &str| preset(entry.format).settings.contains(&setting);
    let mut all = Vec::new();
    if takes("url_mode") {
        let modes =
            [(UrlMode::Absolute, "absolute"), (UrlMode::Relative, "relative"), (UrlMode::Path, "path")];
        let others = modes.into_iter().filter(|(mode, _)| *mode != entry.url_mode);
        all.extend(others.map(|(url_mode, name)| {
            (LinkEntry { url_mode, ..entry.clone() }, format!("with url_mode = \"{name}\""))
        }));
    }
    if takes("escape_early") {
        let escape_early = !entry.escape_early;
        all.push((
            LinkEntry { escape_early, ..entry.clone() },
            format!("with escape_early = {escape_early}"),
        ));
    }
    if entry.salt.is_some() {
        all.push((LinkEntry { salt: None, ..entry.clone() }, "without salt".to_owned()));
    }
    all
}

/// The ways in which keys are most often taken wrongly.
fn keys(candidate: &Candidate, described: &Described<'_>, url: &str, jwks: &Secret<String>) -> Vec<String> {
    let set: Value = serde_json::from_str(jwks.expose()).unwrap_or_default();
    let mut found = Vec::new();
    for key in set.get("keys").and_then(Value::as_array).into_iter().flatten() {
        let text = |name| key.get(name).and_then(Value::as_str);
        let (Some(kid), Some(k)) = (text("kid"), text("k")) else { continue };
        for (octets, how) in mistaken(k) {
            for algorithm in preset(candidate.entry.format).algorithms {
                let mac = MacKey::new(*algorithm, octets.expose());
                let tries = Tries { described, macs: &[&mac] };
                let is_news = how.is_some() || Some(algorithm.name()) != text("alg");
                if is_news && tries.hold(&candidate.entry, url) {
                    found.push(sentence(kid, how, *algorithm, text("alg")));
                }
            }
        }
    }
    found
}

fn sentence(kid: &str, how: Option<&str>, algorithm: HmacAlgorithm, named: Option<&str>) -> String {
    let kid = crate::cli::output::visible(kid);
    let is_another = Some(algorithm.name()) != named;
    let other =
        if is_another { format!(" Its alg would have to be {}.", algorithm.name()) } else { String::new() };
    match how {
        Some(how) => format!("The signer takes the key {kid} {how}.{other}"),
        None => format!("The key {kid} fits with another algorithm.{other}"),
    }
}

/// What signers make of a key by mistake, and the key itself.
fn mistaken(k: &str) -> Vec<(Secret<Vec<u8>>, Option<&'static str>)> {
    let Ok(octets) = URL_SAFE_NO_PAD.decode(k) else { return Vec::new() };
    let spelt = std::str::from_utf8(&octets).map(|text| text.trim().trim_end_matches('=').to_owned());
    let spelt = Secret::new(spelt.unwrap_or_default());
    let hex = |octets: &[u8]| octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>();
    let inner = spelt.expose();
    let unhexed = edgeward::token::signed_url::decode::hex(&inner.to_ascii_lowercase());
    let unbased = URL_SAFE_NO_PAD.decode(inner).or_else(|_| STANDARD_NO_PAD.decode(inner)).ok();
    let not_empty = |octets: &Option<Vec<u8>>| octets.as_ref().is_some_and(|octets| !octets.is_empty());
    let mut all = vec![
        (
            Secret::new(hex(&octets).into_bytes()),
            Some("as the text of its hexadecimal digits, not as octets"),
        ),
        (
            Secret::new(k.as_bytes().to_vec()),
            Some("as text in base64url: k would have to be base64url of that text"),
        ),
    ];
    if not_empty(&unhexed) {
        let how = "decoded from hexadecimal digits, which k here spells as text";
        all.push((Secret::new(unhexed.unwrap_or_default()), Some(how)));
    }
    if not_empty(&unbased) {
        let how = "decoded from base64, which k here spells as text";
        all.push((Secret::new(unbased.unwrap_or_default()), Some(how)));
    }
    all.push((Secret::new(octets), None));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_were_perhaps_meant() {
        let all = addresses("https://h.example/a%2fb/?x=1&utm_source=m&utm_medium=n&s=%3D).");
        for wanted in [
            "http://h.example/a%2fb/?x=1&utm_source=m&utm_medium=n&s=%3D).",
            "https://www.h.example/a%2fb/?x=1&utm_source=m&utm_medium=n&s=%3D).",
            "https://h.example/a%2fb?x=1&utm_source=m&utm_medium=n&s=%3D).",
            "https://h.example/a/b/?x=1&utm_source=m&utm_medium=n&s=%3D).",
            "https://h.example/a%2Fb/?x=1&utm_source=m&utm_medium=n&s=%3D).",
            "https://h.example/a%2fb/?utm_source=m&utm_medium=n&s=%3D).",
            "https://h.example/a%2fb/?x=1&s=%3D).",
            "https://h.example/a%2fb/?x=1&utm_source=m&utm_medium=n&s=%3D",
            "https://h.example/a%2fb/?x=1&utm_source=m&utm_medium=n&s==).",
        ] {
            assert!(all.iter().any(|(url, _)| url == wanted), "{wanted}");
        }
        assert!(addresses("no url").is_empty());
    }

    #[test]
    fn digits_in_both_cases() {
        assert_eq!(recased("/a%2f%C3%a9/bc%2", true), "/a%2F%C3%A9/bc%2");
        assert_eq!(recased("/A%2F%C3", false), "/A%2f%c3");
    }
}
