//! Problem details (RFC 9457): what a program reads of a refusal.

use crate::json::ObjectWriter;
use crate::policy::{Kind, Policy};
use crate::request::RequestFacts;
use crate::reserved::TOKEN;
use crate::verdict::{Cause, Refused};

/// What is known of an answer besides the refusal.
pub struct Known<'a> {
    /// Its status.
    pub status: u16,
    /// What the visitor reads out to whoever helps.
    pub reference: &'a str,
    /// The title of the cause.
    pub title: &'a str,
    /// Where a person can sign in, where that opens what was asked for.
    pub sign_in: Option<String>,
}

/// The members of RFC 9457 §3.1, and ours (§3.2). `expired_at` is in Unix seconds, `retry_after` in seconds; `refresh` is
/// the path where a POST makes a fresh token, where the policy has one made; `sign_in` the URL to open where a person signs
/// in and gets back to what was asked for.
#[must_use]
pub fn document(
    facts: &RequestFacts<'_>,
    policy: Option<&Policy>,
    refused: &Refused,
    known: &Known<'_>,
) -> String {
    let refusal = &refused.refusal;
    let Known { status, reference, title, sign_in } = known;
    let mut problem = ObjectWriter::new()
        .text("type", &format!("{}{}{}", facts.origin(), crate::reply::PROBLEMS, refusal.cause.name()))
        .text("title", title)
        .number("status", i64::from(*status))
        .text("detail", &refusal.detail)
        .text("instance", &format!("urn:edgeward:{reference}"))
        .text("cause", refusal.cause.name())
        .text("reference", reference)
        .optional("sign_in", sign_in.as_deref());
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
