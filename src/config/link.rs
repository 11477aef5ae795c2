//! `[[vars.EDGEWARD.tokens]]` of a signed-URL format.

use super::names::{is_free_field, is_own_cookie, is_query_name, is_token};
use super::reader::{Node, Table, each, one_of};
use super::rule::{network, some};
use super::token::kid;
use crate::policy::{Format, LinkEntry, LinkPlace, UrlMode};
use crate::time::Lifetime;
use crate::token::signed_url::nginx_hmac;
use crate::token::signed_url::preset::{self, Preset, preset};

/// Places of one entry: each is one more look at every request.
const MOST_PLACES: usize = 16;

/// Reads the keys of an entry of that format; `format` itself was read before.
pub fn entry(table: &mut Table<'_>, index: usize, format: Format) -> LinkEntry {
    let preset = preset(format);
    let takes = |setting: &str| preset.settings.contains(&setting);
    let mut entry = preset.defaults(index);
    if format != Format::Edgeward {
        entry.keys = table.read("keys", |node| each(&node.one_or_more()?, kid));
        entry.weak_keys = table.read_or_default("weak_keys", |node| node.boolean());
        parameters(table, preset, &mut entry);
        if let Some(from) = table.read("from", |node| places(&node, preset)) {
            entry.from = from;
        }
    }
    entry.paths = table.read_or_default("paths", |node| some(&node, path));
    entry.require_end = table.read("require", |node| requires_end(&node)).unwrap_or(true);
    entry.networks = table.read_or_default("networks", |node| some(&node, network));
    if takes("ttl") {
        entry.ttl = table.read("ttl", |node| ttl(&node));
        if entry.ttl.is_none() && table.get("ttl").is_none() {
            table.require(
                "ttl",
                "how long a link is good",
                "Add ttl = \"1h\", or what the signer counts on.",
            );
        }
    }
    if takes("salt") {
        entry.salt = table.read("salt", |node| node.text().map(str::to_owned));
    }
    if takes("pattern") {
        entry.pattern = table.read("pattern", |node| pattern(&node));
        signed_times(table, &entry);
    }
    if takes("escape_early") {
        entry.escape_early = table.read_or_default("escape_early", |node| node.boolean());
    }
    if takes("url_mode") {
        entry.url_mode = table.read_or_default("url_mode", |node| node.one_of(url_modes(format)));
    }
    entry
}

/// What of the URL each format can sign: the first is what it signs by default.
const fn url_modes(format: Format) -> &'static [(&'static str, UrlMode)] {
    match format {
        Format::Akamai => &[("relative", UrlMode::Relative), ("path", UrlMode::Path)],
        _ => &[("absolute", UrlMode::Absolute), ("relative", UrlMode::Relative)],
    }
}

/// Time and lifetime that are not signed are for whoever holds the link to choose. A pattern that cannot be used at all
/// was refused before.
fn signed_times(table: &mut Table<'_>, entry: &LinkEntry) {
    let node = table.get("pattern");
    if node.is_some() && entry.pattern.is_none() {
        return;
    }
    let Err(expected) = nginx_hmac::check_entry(entry) else { return };
    let fix = "Have both signed; require = [] is for links that have neither.";
    match node {
        Some(node) => node.refuse(&expected, fix),
        None => table.require("pattern", &expected, fix),
    }
}

/// `parameters = { signature = "sig" }`: other names for the format's own, which may be called by their first name, too.
fn parameters(table: &mut Table<'_>, preset: &Preset, entry: &mut LinkEntry) {
    let Some(node) = table.get("parameters") else { return };
    let Some(named) = node.named_items() else { return };
    for (key, node) in named {
        let Some(at) = preset.parameters.iter().position(|(known, name)| *known == key || *name == key)
        else {
            let known: Vec<&str> = preset.parameters.iter().map(|(known, _)| *known).collect();
            node.refuse_as("a parameter that the format does not have", &one_of(&known), "Correct the key.");
            continue;
        };
        let Some(name) = query_name(&node) else { continue };
        if let Some(place) = entry.parameters.get_mut(at) {
            name.clone_into(place);
        }
        // A format with one parameter is looked for under its new name alone.
        if at == 0 && entry.from.iter().any(|place| matches!(place, LinkPlace::Query(_))) {
            entry.from.retain(|place| !matches!(place, LinkPlace::Query(_)));
            entry.from.insert(0, LinkPlace::Query(name));
        }
    }
    let repeated =
        |(n, name): (usize, &String)| entry.parameters.iter().skip(n + 1).any(|other| other == name);
    if entry.parameters.iter().enumerate().any(repeated) {
        node.refuse_as("one name for two parameters", "each name once", "Correct one of them.");
    }
}

fn query_name(node: &Node<'_>) -> Option<String> {
    let is_name = |name: &str| is_query_name(name) && name != "ew";
    let expected = "the name of a query parameter: letters, digits, - . _ ~";
    node.parsed(|name| is_name(name).then(|| name.to_owned()), expected, "Correct the name.")
}

fn places(node: &Node<'_>, preset: &Preset) -> Option<Vec<LinkPlace>> {
    let items = node.some_items()?;
    if items.len() > MOST_PLACES {
        node.refuse_as("too many places", "16 at most", "Take out those that no signer uses.");
        return None;
    }
    each(&items, |item| place(item, preset))
}

/// A place that the format can stand in.
fn place(node: &Node<'_>, preset: &Preset) -> Option<LinkPlace> {
    let text = node.text()?;
    let kinds = |mark: &str| preset.from.iter().any(|from| from.starts_with(mark));
    let single = kinds("query:");
    let is_good = match preset::place(text) {
        Some(LinkPlace::Parameters | LinkPlace::Path) => preset.from.contains(&text),
        Some(LinkPlace::Query(name)) => single && is_query_name(&name) && name != "ew",
        Some(LinkPlace::Cookie(name)) => kinds("cookie:") && is_token(&name) && !is_own_cookie(&name),
        Some(LinkPlace::Field(name)) if single => {
            return is_free_field(node, &name).then_some(LinkPlace::Field(name));
        }
        Some(LinkPlace::Field(_)) | None => false,
    };
    if !is_good {
        let expected = ["a place in which this format can stand, such as ", &preset.from.join(", ")].concat();
        node.refuse(&expected, "Correct it, or take it out.");
    }
    preset::place(text).filter(|_| is_good)
}

/// `/a` or `/a/*`.
fn path(node: &Node<'_>) -> Option<String> {
    let is_path = |text: &str| {
        let literal = text.strip_suffix("/*").unwrap_or(text);
        (literal.is_empty() || literal.starts_with('/')) && !literal.contains(['*', '{', '?', '#', '%', '\\'])
    };
    let expected = "a path like \"/video/*\" or \"/report.pdf\"";
    node.parsed(|text| (!text.is_empty() && is_path(text)).then(|| text.to_owned()), expected, "Correct it.")
}

/// `["exp"]`, or `[]` for links that are good for ever.
fn requires_end(node: &Node<'_>) -> Option<bool> {
    let items = node.items()?;
    for item in &items {
        item.one_of(&[("exp", ())])?;
    }
    Some(!items.is_empty())
}

fn ttl(node: &Node<'_>) -> Option<Lifetime> {
    const LONGEST: i64 = 10 * 366 * 86_400;
    if !node.is_text() {
        return node.seconds(1..=LONGEST, 3600).map(Lifetime::from_seconds);
    }
    let fits = |span: &Lifetime| (1..=LONGEST).contains(&span.seconds());
    let expected = "seconds, or a whole number and s, m, h or d";
    node.parsed(|text| Lifetime::parse(text).filter(fits), expected, "Write it like \"1h\".")
}

fn pattern(node: &Node<'_>) -> Option<String> {
    let text = node.text()?;
    match nginx_hmac::check_pattern(text) {
        Ok(()) => Some(text.to_owned()),
        Err(expected) => {
            node.refuse(
                &expected,
                "Write it as in secure_link_hmac_message, such as \"$uri|$arg_ts|$arg_e\".",
            );
            None
        }
    }
}
