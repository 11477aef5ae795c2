//! `[vars.EDGEWARD.cors]` (Fetch §3.2) and `[vars.EDGEWARD.websocket]`.

use super::Problem;
use super::names::is_token;
use super::origin::web_origin;
use super::reader::{Node, Table, each};
use crate::policy::{Cors, CorsOrigins, Preflight};
use crate::time::Lifetime;

/// How long a preflight's answer is good where the operator says nothing, in seconds.
const DEFAULT_MAX_AGE: i64 = 600;
/// A day: no browser keeps it longer.
const LONGEST_MAX_AGE: i64 = 86_400;
/// The CORS-safelisted methods (Fetch §2.2.1): what browsers send without asking.
const DEFAULT_METHODS: [&str; 3] = ["GET", "HEAD", "POST"];
/// Methods that no script may send (Fetch §2.2.1).
const FORBIDDEN_METHODS: [&str; 3] = ["CONNECT", "TRACE", "TRACK"];

/// The whole table.
pub fn cors(node: &Node<'_>) -> Option<Cors> {
    node.table(|table| {
        let credentials = table.read_or_default("credentials", |node| node.boolean());
        Cors {
            // Where they are wrong, none is listed; the problem is noted, and the policy is not used.
            origins: origins(table, credentials).unwrap_or(CorsOrigins::Listed(Vec::new())),
            methods: table
                .read("methods", |node| texts(&node, |item| method(item, credentials)))
                .unwrap_or_else(|| DEFAULT_METHODS.map(str::to_owned).to_vec()),
            headers: table.read_or_default("headers", |node| texts(&node, |item| header(item, credentials))),
            credentials,
            max_age: table
                .read("max_age", |node| node.seconds(0..=LONGEST_MAX_AGE, DEFAULT_MAX_AGE))
                .map_or(Lifetime::from_seconds(DEFAULT_MAX_AGE), Lifetime::from_seconds),
            preflight: table.read_or_default("preflight", |node| {
                node.one_of(&[("edge", Preflight::Edge), ("origin", Preflight::Origin)])
            }),
        }
    })
}

/// `websocket.origins`: besides the request's own.
pub fn websocket_origins(node: &Node<'_>) -> Option<Vec<String>> {
    node.table(|table| table.read_or_default("origins", |node| texts(&node, web_origin)))
}

fn origins(table: &mut Table<'_>, credentials: bool) -> Option<CorsOrigins> {
    let Some(node) = table.get("origins") else {
        let expected = "the origins that may read, or \"*\" for all";
        table.require("origins", expected, "Add origins = [\"https://app.acme.example\"].");
        return None;
    };
    let items = node.some_items()?;
    if items.iter().any(|item| item.is("*")) {
        return Some(any_origin(&node, items.len(), credentials));
    }
    Some(CorsOrigins::Listed(items.iter().filter_map(web_origin).collect()))
}

fn any_origin(node: &Node<'_>, items: usize, credentials: bool) -> CorsOrigins {
    if items > 1 {
        node.refuse_as("\"*\" among other origins", "\"*\" alone", "Take out \"*\", or all others.");
    }
    if credentials {
        let expected = "origins by name, as credentials = true";
        node.refuse_as("\"*\"", expected, "Name the origins, or set credentials to false.");
    }
    node.notes().warnings.push(Problem::new(
        node.at(),
        "\"*\"",
        "the origins that need it, as with this the pages of every site may read what a token opens",
        "Name the origins.",
    ));
    CorsOrigins::Any
}

fn method(node: &Node<'_>, credentials: bool) -> Option<String> {
    let name = node.text()?;
    let upper = name.to_ascii_uppercase();
    if FORBIDDEN_METHODS.contains(&&*upper) {
        node.refuse("a method that scripts may send", "Take it out.");
        return None;
    }
    // Browsers send these in capitals and compare with what we answer octet by octet.
    if name != upper && ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"].contains(&&*upper) {
        node.refuse("a method in capitals", &format!("Write \"{upper}\"."));
        return None;
    }
    name_or_any(node, credentials, "a method", "Write it like \"GET\".")
}

fn header(node: &Node<'_>, credentials: bool) -> Option<String> {
    name_or_any(node, credentials, "a field name", "Write it like \"Content-Type\".")
}

/// A token; `*` is a wildcard only where no credentials are sent along (Fetch §3.2.2).
fn name_or_any(node: &Node<'_>, credentials: bool, expected: &str, fix: &str) -> Option<String> {
    if credentials && node.is("*") {
        let expected = format!("{expected}, as \"*\" stands for itself where credentials = true");
        node.refuse(&expected, "Name those that are needed.");
        return None;
    }
    node.parsed(|text| is_token(text).then(|| text.to_owned()), expected, fix)
}

/// A list that may be empty.
pub fn texts(node: &Node<'_>, read: impl Fn(&Node<'_>) -> Option<String>) -> Option<Vec<String>> {
    each(&node.items()?, read)
}
