//! `[vars.EDGEWARD.forward]` and `[vars.EDGEWARD.api_key]`: the field names that the operator may choose.

use super::names::{folded, free_field_name};
use super::reader::Node;
use crate::policy::Forward;

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

/// The field that carries an API key, in lower case.
pub fn api_key_field(node: &Node<'_>) -> Option<String> {
    let name = node.table(|table| table.read("header", |node| free_field_name(&node)))??;
    Some(name.to_ascii_lowercase())
}

/// A name of the operator's own, or one of the two that are meant for this.
fn identity_field(node: &Node<'_>) -> Option<String> {
    let name = node.text()?;
    match folded(name).as_str() {
        "x-edgeward-user" | "x-edgeward-groups" => Some(name.to_owned()),
        _ => free_field_name(node),
    }
}
