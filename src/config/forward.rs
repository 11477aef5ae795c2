//! `[vars.EDGEWARD.forward]` and `[vars.EDGEWARD.api_key]`: the field names that the operator may choose.

use super::names::{folded, free_field_name};
use super::reader::Node;
use super::verifiers::Configured;
use crate::policy::{ApiKeySettings, Forward};

/// The default of `api_key.header`.
const API_KEY_FIELD: &str = "X-API-Key";

/// What the origin is told, and in which fields.
pub fn forward(node: &Node<'_>) -> Option<Forward> {
    let defaults = Forward::default();
    let forward = node.table(|table| Forward {
        identity: table.read("identity", |node| node.boolean()).unwrap_or(true),
        user: table.read("user", |node| identity_field(&node)).unwrap_or(defaults.user),
        groups: table.read("groups", |node| identity_field(&node)).unwrap_or(defaults.groups),
    })?;
    if folded(&forward.user) == folded(&forward.groups) {
        node.refuse_as("one field for user and groups", "two fields", "Rename one of them.");
    }
    Some(forward)
}

/// Where API keys are.
pub fn api_key(node: &Node<'_>, configured: &Configured) -> Option<ApiKeySettings> {
    node.table(|table| {
        let written = table.read("header", |node| api_key_field(&node));
        let in_store = table.read_or_default("kv", |node| {
            let in_store = node.boolean()?;
            if in_store {
                configured.need_store(&node);
            }
            Some(in_store)
        });
        in_field(written.unwrap_or_else(|| API_KEY_FIELD.to_owned()), in_store)
    })
}

/// In a field of their own, and in a secret.
pub fn default_api_key() -> ApiKeySettings {
    in_field(API_KEY_FIELD.to_owned(), false)
}

fn in_field(written: String, in_store: bool) -> ApiKeySettings {
    ApiKeySettings { field: written.to_ascii_lowercase(), written, in_store }
}

/// The field that carries an API key, as it was written.
fn api_key_field(node: &Node<'_>) -> Option<String> {
    let name = node.text()?;
    if name.eq_ignore_ascii_case("authorization") { Some(name.to_owned()) } else { free_field_name(node) }
}

/// A name of the operator's own, or one of the two that are meant for this.
fn identity_field(node: &Node<'_>) -> Option<String> {
    let name = node.text()?;
    match folded(name).as_str() {
        "x-edgeward-user" | "x-edgeward-groups" => Some(name.to_owned()),
        _ => free_field_name(node),
    }
}
