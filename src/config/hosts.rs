//! `session.domain`, `hosts`, `authority` and `discourse`: one sign-in for several sites.

use super::cors::texts;
use super::notes::Notes;
use super::origin::web_origin;
use super::quote::quote;
use super::reader::{Node, Table, each};
use super::token::{Entries, kid};
use super::url::{self, Url};
use super::verifiers::{Demand, need_secret};
use super::{Problem, Sources};
use crate::policy::{Consumer, Discourse, Format, HmacAlgorithm, Provider, SessionSettings};
use crate::token::keys::{FOREIGN_KEY_SIZE, KeySet};
use core::net::Ipv4Addr;

/// Domains of the platform below which anybody can have a host: browsers take no cookie for them.
const OF_ALL: [&str; 2] = ["workers.dev", "pages.dev"];
/// Second labels below which most countries register names.
const REGISTRIES: [&str; 9] = ["ac", "co", "com", "edu", "gov", "ne", "net", "or", "org"];

const SECURE: &str = "an https: origin, as what is sent there lets somebody in";
const SECURE_FIX: &str = "Let it speak TLS.";

/// The parent of the hosts that share one sign-in. Which domains are public suffixes only a list could tell; what can be
/// told without one is.
pub fn domain(node: &Node<'_>) -> Option<String> {
    let parent = |text: &str| {
        let text = text.strip_prefix('.').unwrap_or(text);
        url::host(text).filter(|host| is_parent(host))
    };
    let domain = node.parsed(
        parent,
        "the host that all others end with, of two labels or more",
        "Write it like \"acme.example\".",
    )?;
    if is_registry(&domain) {
        node.notes().warnings.push(Problem::new(
            node.at(),
            quote(&domain),
            "a domain of yours, as below most of this form anybody can register one",
            "Browsers take no cookie for such a domain: name the one that you registered.",
        ));
    }
    Some(domain)
}

fn is_parent(host: &str) -> bool {
    let is_name = host.contains('.') && !host.starts_with('[') && host.parse::<Ipv4Addr>().is_err();
    is_name && !OF_ALL.contains(&host)
}

fn is_registry(domain: &str) -> bool {
    let is_of = |(second, top): (&str, &str)| top.len() == 2 && REGISTRIES.contains(&second);
    domain.split_once('.').is_some_and(is_of)
}

/// Origins that a sign-in may lead back to.
pub fn hosts(node: &Node<'_>) -> Option<Vec<String>> {
    texts(node, secure_origin)
}

/// The origin where people sign in.
pub fn secure_origin(node: &Node<'_>) -> Option<String> {
    let origin = web_origin(node)?;
    if Url::parse(&origin).is_some_and(|url| url.is_secure()) {
        return Some(origin);
    }
    node.refuse(SECURE, SECURE_FIX);
    None
}

/// DiscourseConnect in both directions.
pub fn discourse(node: &Node<'_>) -> Option<Discourse> {
    node.table(|table| Discourse {
        consumer: table.read("consumer", |node| node.table(consumer).flatten()),
        providers: table
            .read_or_default("provider", |node| each(&node.items()?, |item| item.table(provider).flatten())),
    })
}

fn consumer(table: &mut Table<'_>) -> Option<Consumer> {
    let (url, key) = (needed(table, "url", URL, URL_FIX), needed(table, "key", KEY, KEY_FIX));
    Some(Consumer { url: sso_provider(&url?)?, key: kid(&key?)? })
}

fn provider(table: &mut Table<'_>) -> Option<Provider> {
    let (origin, key) = (needed(table, "return", RETURN, RETURN_FIX), needed(table, "key", KEY, KEY_FIX));
    Some(Provider { origin: secure_origin(&origin?)?, key: kid(&key?)? })
}

const URL: &str = "the https: URL of a Discourse's /session/sso_provider";
const URL_FIX: &str = "Write it like \"https://forum.acme.example/session/sso_provider\".";
const RETURN: &str = "the origin of a Discourse";
const RETURN_FIX: &str = "Write it like \"https://forum.acme.example\".";
const KEY: &str = "the kid of a key in EDGEWARD_KEYS";
const KEY_FIX: &str = "Copy it from the JWK Set.";

fn needed<'a>(table: &mut Table<'a>, key: &'static str, expected: &str, fix: &str) -> Option<Node<'a>> {
    let node = table.get(key);
    if node.is_none() {
        table.require(key, expected, fix);
    }
    node
}

fn sso_provider(node: &Node<'_>) -> Option<String> {
    let is_one = |url: &Url<'_>| url.is_secure() && url.rest.len() > 1 && !url.rest.contains('#');
    let read = |text: &str| Url::parse(text).filter(is_one).map(|url| url.origin() + url.rest);
    node.parsed(read, URL, URL_FIX)
}

/// Keys that are shared with a Discourse verify nothing else: a JWT that it signs is none of ours. So the entry that holds
/// where the operator wrote none leaves them out, and one that the operator wrote has to name its own.
pub fn keep_apart(settings: Option<&SessionSettings>, entries: &Entries, notes: &Notes) {
    let shared: Vec<(String, &String)> =
        settings.map(|settings| settings.discourse.keys().collect()).unwrap_or_default();
    if shared.is_empty() {
        return;
    }
    let tokens = entries.tokens.iter().filter_map(|entry| Some((entry.index?, &entry.keys)));
    let links = entries.links.iter().filter(|entry| entry.format != Format::Edgeward);
    for (index, keys) in tokens.chain(links.map(|entry| (entry.index, &entry.keys))) {
        let at = format!("EDGEWARD.tokens[{index}].keys");
        match keys {
            None => {
                let expected = "the kids of this entry's keys, as others are shared with a Discourse";
                notes.problems.push(Problem::new(at, "nothing", expected, "Add keys = [\"…\"]."));
            }
            Some(keys) => {
                for (place, kid) in shared.iter().filter(|(_, kid)| keys.contains(kid)) {
                    let found = format!("{}, which stands in {at} too", quote(kid));
                    notes.problems.push(Problem::new(
                        place.clone(),
                        found,
                        "a key of its own",
                        "Make another.",
                    ));
                }
            }
        }
    }
}

/// How short the keys of Discourses may be.
pub fn demands(settings: Option<&SessionSettings>) -> impl Iterator<Item = Demand<'_>> {
    let keys = settings.into_iter().flat_map(|settings| settings.discourse.keys());
    keys.map(|(_, kid)| (Some(core::slice::from_ref(kid)), FOREIGN_KEY_SIZE))
}

/// Looks each key up that is shared with a Discourse. `keys`: `None` where they cannot be read.
pub fn check_keys(settings: Option<&SessionSettings>, keys: Option<&KeySet>, notes: &Notes) {
    let Some(keys) = keys else { return };
    for (at, kid) in settings.into_iter().flat_map(|settings| settings.discourse.keys()) {
        let (found, expected, fix) = match keys.get(kid) {
            Some(key) if key.algorithm() == HmacAlgorithm::Hs256 => continue,
            Some(key) => (
                format!("{}, a key for {}", quote(kid), key.algorithm().name()),
                "a key for HS256",
                "Correct its \"alg\" in EDGEWARD_KEYS.",
            ),
            None => (
                format!("{}, which is not in EDGEWARD_KEYS", quote(kid)),
                "the id of a key that is there",
                "Add the key to EDGEWARD_KEYS.",
            ),
        };
        notes.missing.push(Problem::new(at, found, expected, fix));
    }
}

/// Records that a key is shared with a Discourse, and there are none.
pub fn need_keys(settings: Option<&SessionSettings>, sources: &Sources, notes: &Notes) {
    let first = settings.and_then(|settings| settings.discourse.keys().next());
    if let Some((at, _)) = first.filter(|_| sources.keys.is_none()) {
        need_secret("EDGEWARD_KEYS", "a JWK Set", &format!("{at} names a key"), notes);
    }
}
