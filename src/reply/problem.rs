//! Problem details (RFC 9457): what a program reads of a refusal.

use crate::json::ObjectWriter;
use crate::policy::{Kind, Policy};
use crate::request::RequestFacts;
use crate::reserved::TOKEN;
use crate::verdict::{Cause, Refused};

/// The members of RFC 9457 §3.1, and ours (§3.2). `expired_at` is in Unix seconds, `retry_after` in seconds; `refresh` is
/// the path where a POST makes a fresh token, where the policy has one made.
#[must_use]
pub fn document(
    facts: &RequestFacts<'_>,
    policy: Option<&Policy>,
    refused: &Refused,
    status: u16,
    reference: &str,
    title: &str,
) -> String {
    let refusal = &refused.refusal;
    let mut problem = ObjectWriter::new()
        .text("type", &format!("{}{}{}", facts.origin(), crate::reply::PROBLEMS, refusal.cause.name()))
        .text("title", title)
        .number("status", i64::from(status))
        .text("detail", &refusal.detail)
        .text("instance", &format!("urn:edgeward:{reference}"))
        .text("cause", refusal.cause.name())
        .text("reference", reference);
    let expired = matches!(refusal.cause, Cause::TokenExpired | Cause::PasswordExpired);
    if let Some(when) = refusal.when.filter(|_| expired) {
        problem = problem.number("expired_at", when.seconds());
    }
    if refusal.cause == Cause::TokenExpired && refusal.sent == Some(Kind::Bearer) && makes_fresh(policy) {
        problem = problem.text("refresh", TOKEN);
    }
    if let Some(span) = super::retry_after(refusal) {
        problem = problem.number("retry_after", span.seconds());
    }
    problem.finish()
}

fn makes_fresh(policy: Option<&Policy>) -> bool {
    policy.is_some_and(|policy| policy.fresh_tokens.is_some())
}
