//! `[[vars.EDGEWARD.rules]]`: one rule. Paths and conflicts are checked by [`crate::policy::RuleSet`].

use super::names::is_plain;
use super::reader::{Node, Table, each};
use super::token::texts;
use super::totp;
use super::url;
use super::verifiers::Configured;
use crate::network::Network;
use crate::password::Nfc;
use crate::policy::{Access, Admits, CrossSite, Kind, Kinds, Mode, Rule};
use crate::sorted_map::SortedMap;
use crate::time::UnixTime;
use core::net::IpAddr;

/// What else decides about a rule.
pub struct Surroundings<'c> {
    /// The kinds there are.
    pub configured: &'c Configured,
    /// How user-ids are normalised.
    pub nfc: Nfc,
}

/// One rule; `None` where its path, host or methods are not known, so that it cannot be compared with others.
pub fn rule(node: &Node<'_>, index: usize, around: &Surroundings<'_>) -> Option<Rule> {
    node.table(|table| {
        let which = which(table);
        let rule = Rule {
            index: Some(index),
            access: table.read_or_default("access", |node| access(&node)),
            accept: table
                .read("accept", |node| accept(&node, around.configured))
                .unwrap_or_else(|| around.configured.kinds()),
            admits: admits(table, around.nfc),
            scopes: table.read_or_default("scopes", |node| scopes(&node)),
            networks: table.read_or_default("networks", |node| some(&node, network)),
            not_before: table.read("not_before", |node| moment(&node)),
            not_after: table.read("not_after", |node| moment(&node)),
            mode: table.read_or_default("mode", |node| {
                node.one_of(&[("enforce", Mode::Enforce), ("report", Mode::Report)])
            }),
            shared_cache: table.read_or_default("shared_cache", |node| node.boolean()),
            forward_credentials: table.read_or_default("forward_credentials", |node| node.boolean()),
            cross_site: table.read_or_default("cross_site", |node| {
                node.one_of(&[("refuse", CrossSite::Refuse), ("allow", CrossSite::Allow)])
            }),
            exchange: table
                .read_or_default("exchange", |node| node.one_of(&[("none", false), ("cookie", true)])),
            second_factor: table.read_or_default("second_factor", |node| node.boolean()),
            basic_without_second_factor: table
                .read_or_default("basic_without_second_factor", |node| node.boolean()),
            ..Rule::protected(Kinds::NONE)
        };
        check_times(node, &rule);
        totp::check_rule(node, &rule, around.configured);
        let (path, host, methods) = which?;
        Some(Rule { path, host, methods, ..rule })
    })?
}

/// Path, host and methods: which requests it is for.
type Which = (String, Option<String>, Option<Vec<String>>);

fn which(table: &mut Table<'_>) -> Option<Which> {
    let path = table.get("path");
    if path.is_none() {
        table.require("path", "a path such as \"/api/*\"", "Add path = \"…\".");
    }
    let path = path.and_then(|node| node.text().map(str::to_owned));
    // The outer layer: whether the key is there; the inner: whether its value is right.
    let host = table.get("host").map(|node| host(&node));
    let methods = table.get("methods").map(|node| some(&node, |item| item.text().map(str::to_owned)));
    let whole = |host: Option<Option<String>>| host.map_or(Some(None), |host| host.map(Some));
    Some((path?, whole(host)?, methods.map_or(Some(None), |methods| methods.map(Some))?))
}

fn host(node: &Node<'_>) -> Option<String> {
    let expected = "a host name or address without scheme, port and wildcard";
    node.parsed(url::host, expected, "Write it like \"api.acme.example\".")
}

fn access(node: &Node<'_>) -> Option<Access> {
    node.one_of(&[
        ("authenticated", Access::Authenticated),
        ("public", Access::Public),
        ("denied", Access::Denied),
    ])
}

/// The kinds named; each needs its secret.
fn accept(node: &Node<'_>, configured: &Configured) -> Option<Kinds> {
    let kinds = some(node, kind)?;
    for kind in &kinds {
        configured.need(*kind, format!("{} names \"{}\"", node.at(), kind.name()), node.notes());
    }
    Some(kinds.into_iter().collect())
}

fn kind(node: &Node<'_>) -> Option<Kind> {
    if node.text()?.starts_with("webhook:") {
        let expected =
            "a kind that this version of Edgeward offers: basic, bearer, api-key, signed-url, session";
        node.refuse(expected, "Take it out.");
        return None;
    }
    node.one_of(&Kind::ALL.map(|kind| (kind.name(), kind)))
}

fn admits(table: &mut Table<'_>, nfc: Nfc) -> Admits {
    Admits {
        users: table.read_or_default("users", |node| some(&node, |item| user(item, nfc))),
        groups: table.read_or_default("groups", |node| some(&node, group)),
        api_keys: table.read_or_default("api_keys", |node| some(&node, key_name)),
        claims: table.read_or_default("claims", |node| claims(&node)),
    }
}

/// A user-id (RFC 7617 §2) in NFC, as user-ids are before they are looked up. What is refused is not shown: it
/// may be a whole line with its hash.
fn user(node: &Node<'_>, nfc: Nfc) -> Option<String> {
    let text = node.text()?;
    if text.contains(':') || !is_plain(text) {
        let expected = "the user-id of an account, without \":\" and control characters";
        let fix = "Write the user-id alone; whom a token names is asked for with claims = { sub = [\"…\"] }.";
        node.refuse_as("something else", expected, fix);
        return None;
    }
    Some(if text.is_ascii() { text.to_owned() } else { nfc(text) })
}

fn group(node: &Node<'_>) -> Option<String> {
    let plain = |text: &str| is_plain(text).then(|| text.to_owned());
    node.parsed(plain, "the name of a group, without control characters", "Correct it.")
}

fn key_name(node: &Node<'_>) -> Option<String> {
    let plain = |text: &str| (is_plain(text) && !text.contains(':')).then(|| text.to_owned());
    node.parsed(plain, "the name of an API key, as it stands in EDGEWARD_API_KEYS", "Correct it.")
}

fn claims(node: &Node<'_>) -> Option<SortedMap<String, Vec<String>>> {
    let named = node.named_items()?;
    Some(named.iter().filter_map(|(name, node)| claim(name, node)).collect())
}

fn claim(name: &str, node: &Node<'_>) -> Option<(String, Vec<String>)> {
    if name.is_empty() {
        node.refuse_as("a claim without a name", "the name of a claim", "Name it, or take it out.");
    }
    Some((name.to_owned(), texts(node)?))
}

/// Scope-tokens (RFC 6749 §3.3). None at all is fine: then none is needed.
fn scopes(node: &Node<'_>) -> Option<Vec<String>> {
    let is_scope = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
    let expected = "one scope: printable ASCII without spaces, quotes and backslashes";
    let fix = "Write each scope as an item of its own.";
    each(&node.items()?, |item| item.text_of(is_scope, expected, fix))
}

/// A network, or one address.
pub fn network(node: &Node<'_>) -> Option<Network> {
    let parse = |text: &str| text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(Network::from));
    let network: Network = node.parsed(
        parse,
        "a network or an address",
        "Write it like \"203.0.113.0/24\" or \"2001:db8::/32\".",
    )?;
    if network != network.truncated() {
        let fix = format!("Write \"{}\".", network.truncated());
        node.refuse("a network whose bits after the prefix are zero", &fix);
        return None;
    }
    Some(network)
}

fn moment(node: &Node<'_>) -> Option<UnixTime> {
    node.parsed(
        UnixTime::parse_rfc3339,
        "a date and time with an offset (RFC 3339)",
        "Write it like \"2026-12-01T00:00:00Z\".",
    )
}

fn check_times(node: &Node<'_>, rule: &Rule) {
    if let (Some(from), Some(until)) = (rule.not_before, rule.not_after)
        && from >= until
    {
        node.refuse_as(
            format!("not_before {from}, not_after {until}"),
            "not_before earlier than not_after",
            "Correct one of them.",
        );
    }
}

/// A list of at least one.
pub fn some<T>(node: &Node<'_>, read: impl Fn(&Node<'_>) -> Option<T>) -> Option<Vec<T>> {
    each(&node.some_items()?, read)
}
