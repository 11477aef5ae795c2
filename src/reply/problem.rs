//! Problem details (RFC 9457): what a program reads of a refusal.

use crate::request::RequestFacts;
use crate::verdict::{Cause, Refused};
use serde::Serialize;

/// The members of RFC 9457 §3.1, and ours (§3.2).
#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    instance: String,
    cause: &'static str,
    reference: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expired_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
}

/// The document. `expired_at` is in Unix seconds, `retry_after` in seconds.
#[must_use]
pub fn document(
    facts: &RequestFacts<'_>,
    refused: &Refused,
    status: u16,
    reference: &str,
    title: &str,
) -> String {
    let refusal = &refused.refusal;
    let expired = matches!(refusal.cause, Cause::TokenExpired | Cause::PasswordExpired);
    let problem = Problem {
        r#type: format!("{}{}{}", facts.origin(), crate::reply::PROBLEMS, refusal.cause.name()),
        title,
        status,
        detail: &refusal.detail,
        instance: format!("urn:edgeward:{reference}"),
        cause: refusal.cause.name(),
        reference,
        expired_at: refusal.when.filter(|_| expired).map(|when| when.seconds()),
        retry_after: super::retry_after(refusal.cause),
    };
    // A struct of texts and numbers always serialises; were it not so, a program still gets the status.
    serde_json::to_string(&problem).unwrap_or_default()
}
