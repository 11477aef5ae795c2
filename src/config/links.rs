//! The entries of signed URLs, put together with their keys.

use super::Problem;
use super::notes::Notes;
use super::verifiers::Demand;
use crate::policy::{Format, LinkEntry, Policy};
use crate::token::keys::{FOREIGN_KEY_SIZE, Key, KeySet};
use crate::token::mac::RootSecret;
use crate::token::signed_url::{Entry, LinkVerifier, MAX_TRIED, edgeward, preset};

/// What verifies signed URLs under this policy; what is wrong with an entry's keys is noted.
pub fn verifier(
    policy: &Policy,
    keys: Option<&KeySet>,
    root: Option<&RootSecret>,
    notes: &Notes,
) -> LinkVerifier {
    let entry = |entry: &LinkEntry| {
        let keys = match (entry.format, keys, root) {
            (Format::Edgeward, _, root) => root.map(edgeward::keys).unwrap_or_default(),
            (_, Some(keys), _) => members(entry, keys, notes),
            (_, None, _) => Vec::new(),
        };
        Entry::new(entry.clone(), keys)
    };
    LinkVerifier::new(policy.links.iter().map(entry).collect(), policy.leeway)
}

/// How short the keys of each entry may be.
pub fn demands(links: &[LinkEntry]) -> Vec<Demand<'_>> {
    let foreign = links.iter().filter(|entry| entry.format != Format::Edgeward);
    foreign.map(|entry| (entry.keys.as_deref(), if entry.weak_keys { 1 } else { FOREIGN_KEY_SIZE })).collect()
}

/// The keys of an entry: those that it names, or all that fit.
fn members(entry: &LinkEntry, keys: &KeySet, notes: &Notes) -> Vec<Key> {
    let preset = preset(entry.format);
    let fits = |key: &Key| preset.algorithms.contains(&key.algorithm());
    let members = match &entry.keys {
        None => keys.iter().filter(|key| fits(key)).cloned().collect(),
        Some(kids) => {
            let named =
                kids.iter().enumerate().filter_map(|(n, kid)| member(entry, n, kid, keys, &fits, notes));
            named.collect::<Vec<_>>()
        }
    };
    let at = || format!("EDGEWARD.tokens[{}].keys", entry.index);
    if members.is_empty() && entry.keys.is_none() {
        let expected = "a key with one of these algorithms: ".to_owned() + &algorithms(entry.format);
        let fix = "Add it with `edgeward key import --format NAME`.";
        notes.missing.push(Problem::new(at(), "no key in EDGEWARD_KEYS that fits", expected, fix));
    } else if members.len() > MAX_TRIED && !preset.names_key {
        let expected = "8 at most, as links of this format do not say which key signed them";
        let fix = "Make a second entry, with paths of its own, for the others.";
        notes.missing.push(Problem::new(at(), format!("{} keys", members.len()), expected, fix));
    }
    members
}

fn member(
    entry: &LinkEntry,
    n: usize,
    kid: &str,
    keys: &KeySet,
    fits: &impl Fn(&Key) -> bool,
    notes: &Notes,
) -> Option<Key> {
    let at = || format!("EDGEWARD.tokens[{}].keys[{n}]", entry.index);
    let kid_quoted = super::quote::quote(kid);
    let (found, expected, fix) = match keys.get(kid) {
        Some(key) if fits(key) => return Some(key.clone()),
        Some(key) => (
            format!("{kid_quoted}, a key for {}", key.algorithm().name()),
            "a key for one of these: ".to_owned() + &algorithms(entry.format),
            "Name another key, or correct its \"alg\" in EDGEWARD_KEYS.",
        ),
        None => (
            format!("{kid_quoted}, which is not in EDGEWARD_KEYS"),
            "the id of a key that is there".to_owned(),
            "Add the key to EDGEWARD_KEYS, or take its id out.",
        ),
    };
    notes.missing.push(Problem::new(at(), found, expected, fix));
    None
}

fn algorithms(format: Format) -> String {
    let names: Vec<&str> = preset(format).algorithms.iter().map(|algorithm| algorithm.name()).collect();
    names.join(", ")
}
