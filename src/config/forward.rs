//! `[vars.EDGEWARD.forward]` and `[vars.EDGEWARD.api_key]`: the field names that the operator may choose.

use super::names::{folded, free_field_name};
use super::reader::Node;
use super::verifiers::Configured;
use crate::policy::{ApiKeySettings, Forward};

/// The default of `api_key.header`.
pub const API_KEY_FIELD: &str = "x-api-key";

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
    let defaults = default_api_key();
    node.table(|table| ApiKeySettings {
        field: table.read("header", |node| api_key_field(&node)).unwrap_or(defaults.field),
        in_store: table.read_or_default("kv", |node| {
            let in_store = node.boolean()?;
            if in_store {
                configured.need_store(&node);
            }
            Some(in_store)
        }),
    })
}

/// In a field of their own, and in a secret.
pub fn default_api_key() -> ApiKeySettings {
    ApiKeySettings { field: API_KEY_FIELD.to_owned(), in_store: false }
}

/// The field that carries an API key, in lower case.
fn api_key_field(node: &Node<'_>) -> Option<String> {
    if node.text()?.eq_ignore_ascii_case("authorization") {
        return Some("authorization".to_owned());
    }
    Some(free_field_name(node)?.to_ascii_lowercase())
}

/// A name of the operator's own, or one of the two that are meant for this.
fn identity_field(node: &Node<'_>) -> Option<String> {
    let name = node.text()?;
    match folded(name).as_str() {
        "x-edgeward-user" | "x-edgeward-groups" => Some(name.to_owned()),
        _ => free_field_name(node),
    }
}
