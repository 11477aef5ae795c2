//! `[[vars.EDGEWARD.tokens]]`: how a bearer token is read.

use super::Problem;
use super::link;
use super::names::{is_free_field, is_own_cookie, is_plain, is_query_name, is_token};
use super::reader::{Node, Table, did_you_mean, each, one_of};
use super::verifiers::Configured;
use crate::policy::{Format, HmacAlgorithm, Kind, LinkEntry, TokenEntry, TokenPlace};
use crate::sorted_map::SortedMap;
use crate::time::Lifetime;

/// Octets of a key id, as [`crate::token::keys::KeySet`] takes them.
const LONGEST_KID: usize = 256;

/// Entries, and places of one entry: each is one more look at every request.
const MOST_ENTRIES: usize = 1000;
const MOST_PLACES: usize = 16;

const ALGORITHMS: [(&str, HmacAlgorithm); 3] =
    [("HS256", HmacAlgorithm::Hs256), ("HS384", HmacAlgorithm::Hs384), ("HS512", HmacAlgorithm::Hs512)];

/// Entries of both kinds.
#[derive(Default)]
pub struct Entries {
    /// JWTs.
    pub tokens: Vec<TokenEntry>,
    /// Signed URLs.
    pub links: Vec<LinkEntry>,
}

/// All entries; none where there is none.
pub fn tokens(node: &Node<'_>, configured: &Configured) -> Option<Entries> {
    let items = node.items()?;
    if items.len() > MOST_ENTRIES {
        node.refuse_as(
            format!("{} entries", items.len()),
            "1,000 at most",
            "One entry can name several keys.",
        );
        return None;
    }
    let mut entries = Entries::default();
    for (n, item) in items.iter().enumerate() {
        entry(item, n, configured, &mut entries);
    }
    if !entries.tokens.is_empty() {
        configured.need(Kind::Bearer, format!("{} is there", node.at()), node.notes());
    }
    if entries.links.iter().any(|link| link.format != Format::Edgeward) {
        configured.need(Kind::SignedUrl, format!("{} is there", node.at()), node.notes());
    }
    check_key_ids(&items, &entries);
    Some(entries)
}

/// The entry that holds where the operator wrote none: a JWT, every key, the algorithms of its keys.
pub fn default_entry(configured: &Configured) -> TokenEntry {
    TokenEntry {
        index: None,
        keys: None,
        algorithms: configured.algorithms(None),
        issuer: Vec::new(),
        audience: Vec::new(),
        require: vec!["exp".to_owned()],
        max_age: None,
        from: vec![TokenPlace::Authorization],
        trust_subject: false,
    }
}

/// The same where some keys are for something else; `None` where no other is left.
pub fn default_entry_without(configured: &Configured, shared: &[&str]) -> Option<TokenEntry> {
    let entry = default_entry(configured);
    let Some(kids) = configured.kids().filter(|_| !shared.is_empty()) else { return Some(entry) };
    let kids: Vec<String> = kids.filter(|kid| !shared.contains(kid)).map(str::to_owned).collect();
    let algorithms = configured.algorithms(Some(&kids));
    (!kids.is_empty()).then_some(TokenEntry { keys: Some(kids), algorithms, ..entry })
}

fn entry(node: &Node<'_>, index: usize, configured: &Configured, entries: &mut Entries) {
    node.table(|table| match table.get("format").map(|node| format(&node)) {
        None | Some(Some(None)) => entries.tokens.push(jwt(table, index, configured)),
        Some(Some(Some(format))) => entries.links.push(link::entry(table, index, format)),
        // What the other keys mean, nobody can say.
        Some(None) => table.ignore_rest(),
    });
}

fn jwt(table: &mut Table<'_>, index: usize, configured: &Configured) -> TokenEntry {
    let default = default_entry(configured);
    let keys = table.read("keys", |node| each(&node.one_or_more()?, kid));
    let algorithms = table.read("algorithms", |node| algorithms(&node));
    TokenEntry {
        index: Some(index),
        algorithms: algorithms.unwrap_or_else(|| configured.algorithms(keys.as_deref())),
        keys,
        issuer: table.read_or_default("issuer", |node| texts(&node)),
        audience: table.read_or_default("audience", |node| texts(&node)),
        require: table.read("require", |node| claim_names(&node)).unwrap_or(default.require),
        max_age: table.read("max_age", |node| max_age(&node)),
        from: table.read("from", |node| places(&node)).unwrap_or(default.from),
        trust_subject: table.read_or_default("trust_subject", |node| trust(&node, configured)),
    }
}

/// A format of signed URLs; the inner `None` for `jwt`.
fn format(node: &Node<'_>) -> Option<Option<Format>> {
    let text = node.text()?;
    if text == "jwt" {
        return Some(None);
    }
    let found = Format::from_name(text);
    if found.is_none() {
        let names: Vec<&str> = core::iter::once("jwt").chain(Format::ALL.map(|(name, _)| name)).collect();
        let is_md5 = matches!(text, "nginx" | "secure_link" | "secure-link" | "md5");
        let otherwise = if is_md5 {
            "secure_link with MD5 is no HMAC and is not taken; \"nginx-hmac\" reads secure_link_hmac."
        } else {
            "Write \"jwt\"."
        };
        node.refuse(&one_of(&names), &did_you_mean(text, &names, otherwise));
    }
    found.map(Some)
}

/// A string, or a list of at least one: what is configured is required, so nothing may be configured by nothing.
pub fn texts(node: &Node<'_>) -> Option<Vec<String>> {
    each(&node.one_or_more()?, |item| item.text().map(str::to_owned))
}

/// A key id, as a JWK Set may hold it.
pub fn kid(node: &Node<'_>) -> Option<String> {
    let is_kid = |text: &str| is_plain(text) && text.len() <= LONGEST_KID;
    let expected = "the kid of a key in EDGEWARD_KEYS: at most 256 octets without control characters";
    node.parsed(|text| is_kid(text).then(|| text.to_owned()), expected, "Copy it from the JWK Set.")
}

fn algorithms(node: &Node<'_>) -> Option<Vec<HmacAlgorithm>> {
    each(&node.some_items()?, algorithm)
}

fn algorithm(node: &Node<'_>) -> Option<HmacAlgorithm> {
    let text = node.text()?;
    let is_public_key = matches!(text.get(..2), Some("RS" | "ES" | "PS" | "Ed"));
    if is_public_key || text.eq_ignore_ascii_case("none") || text == "HS1" {
        let fix = "Take it out: Edgeward verifies JWTs that are signed with HMAC and SHA-2, and no others.";
        node.refuse("one of HS256, HS384, HS512", fix);
        return None;
    }
    node.one_of(&ALGORITHMS)
}

fn claim_names(node: &Node<'_>) -> Option<Vec<String>> {
    each(&node.items()?, |item| item.text().map(str::to_owned))
}

fn max_age(node: &Node<'_>) -> Option<Lifetime> {
    let parse = |text: &str| Lifetime::parse(text).filter(|span| *span > Lifetime::default());
    node.parsed(
        parse,
        "a span of time that is not zero: a whole number and s, m, h or d",
        "Write it like \"12h\".",
    )
}

fn trust(node: &Node<'_>, configured: &Configured) -> Option<bool> {
    let trust = node.boolean()?;
    if trust {
        configured.need(Kind::Basic, format!("{} is true", node.at()), node.notes());
    }
    Some(trust)
}

fn places(node: &Node<'_>) -> Option<Vec<TokenPlace>> {
    let items = node.some_items()?;
    if items.len() > MOST_PLACES {
        node.refuse_as(
            format!("{} places", items.len()),
            "16 at most",
            "Take out those that no issuer uses.",
        );
        return None;
    }
    let places = each(&items, place)?;
    for (n, item) in items.iter().enumerate() {
        if places.iter().take(n).any(|earlier| places.get(n) == Some(earlier)) {
            item.refuse("each place once", "Take one of them out.");
            return None;
        }
    }
    Some(places)
}

fn place(node: &Node<'_>) -> Option<TokenPlace> {
    let text = node.text()?;
    match text.split_once(':') {
        None if text == "authorization" => Some(TokenPlace::Authorization),
        Some(("cookie", name)) => cookie(node, name),
        Some(("query", name)) => query(node, name),
        Some(("header", name)) => header(node, name),
        Some(_) | None => {
            let fix = "Write it like \"authorization\" or \"cookie:acme_token\".";
            node.refuse("one of authorization, cookie:NAME, query:NAME, header:NAME", fix);
            None
        }
    }
}

fn cookie(node: &Node<'_>, name: &str) -> Option<TokenPlace> {
    if !is_token(name) {
        node.refuse("a cookie name after \"cookie:\": letters, digits, - and _", "Correct the name.");
    } else if is_own_cookie(name) {
        node.refuse("a cookie that is not Edgeward's own", "Let the issuer choose another name.");
    } else {
        return Some(TokenPlace::Cookie(name.to_owned()));
    }
    None
}

fn query(node: &Node<'_>, name: &str) -> Option<TokenPlace> {
    if !is_query_name(name) {
        let expected = "a parameter name after \"query:\": letters, digits, - . _ ~";
        node.refuse(expected, "Correct the name.");
    } else if name == "ew" {
        node.refuse("a parameter that is not Edgeward's own", "Let the issuer choose another name.");
    } else {
        return Some(TokenPlace::Query(name.to_owned()));
    }
    None
}

fn header(node: &Node<'_>, name: &str) -> Option<TokenPlace> {
    let other = match name.to_ascii_lowercase().as_str() {
        "authorization" => "\"authorization\"",
        "cookie" => "\"cookie:NAME\"",
        other => return is_free_field(node, name).then(|| TokenPlace::Header(other.to_owned())),
    };
    node.refuse("a field of the issuer's own after \"header:\"", &format!("Write {other}."));
    None
}

/// With several entries each says which keys are its own; otherwise one entry's token could pass as another's. Our own
/// format has none in the set.
fn check_key_ids(items: &[Node<'_>], entries: &Entries) {
    let mut owners: SortedMap<&str, usize> = SortedMap::new();
    let tokens = entries.tokens.iter().filter_map(|entry| Some((entry.index?, &entry.keys)));
    let links = entries.links.iter().filter(|entry| entry.format != Format::Edgeward);
    let all: Vec<_> = tokens.chain(links.map(|entry| (entry.index, &entry.keys))).collect();
    let several = all.len() > 1;
    for (index, node) in items.iter().enumerate() {
        let Some((_, keys)) = all.iter().find(|(at, _)| *at == index) else { continue };
        match keys {
            None if several && !node.has("keys") => node.notes().problems.push(Problem::new(
                format!("{}.keys", node.at()),
                "nothing",
                "the kids of this entry's keys, as there is more than one entry",
                "Add keys = [\"…\"].",
            )),
            None => {}
            Some(keys) => keys.iter().for_each(|kid| {
                if let Some(other) = owners.insert(kid, index) {
                    refuse_second(node, kid, other);
                }
            }),
        }
    }
}

fn refuse_second(node: &Node<'_>, kid: &str, other: usize) {
    node.notes().problems.push(Problem::new(
        format!("{}.keys", node.at()),
        format!("{}, which stands in EDGEWARD.tokens[{other}].keys too", super::quote::quote(kid)),
        "each kid once",
        "Take it out of one of them, or give each issuer a key of its own.",
    ));
}
