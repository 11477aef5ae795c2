//! The doorkeeper at the edge.
//!
//! Edgeward decides, for every request, whether it may reach the origin — and answers for the origin where it
//! may not. The modules stand in the order in which a request meets them:
//!
//! ```text
//!  Request ─▶ edge::facts ─▶ RequestFacts ─▶ credentials::extract ─▶ Credentials
//!                                 │                                      │
//!                      Policy ────┤                                      ▼
//!              (parsed once)      └──────────▶ authenticate(facts, policy, keys, now) ─▶ Verdict
//!                                                                        │
//!  Response ◀─ edge::send ◀─ Reply ◀─ reply::for_verdict ◀───────────────┘
//! ```
//!
//! Nothing left of [`verdict`] knows HTML, status codes or cookies to be set; nothing right of it verifies
//! anything; nothing but `edge` knows that Workers exist. Time, randomness, keys and configuration are arguments.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
// Attacker bytes meet none of these: a panic kills every request in the isolate.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss
)]

mod case;
pub mod json;
pub mod network;
mod order;
pub mod seal;
pub mod secret;
pub mod sorted_map;
mod text;
pub mod time;

pub mod config;
pub mod path;
pub mod policy;
pub mod request;

pub mod api_key;
pub mod attempts;
pub mod authority;
pub mod credentials;
pub mod device;
pub mod password;
pub mod revocation;
pub mod session;
pub mod token;
pub mod totp;

pub mod authenticate;
pub mod reserved;
pub mod return_to;
pub mod sign_in;
pub mod sign_out;
pub mod verdict;

pub mod challenge;
pub mod exchange;
pub mod forward;
pub mod reply;

#[cfg(target_family = "wasm")]
mod edge;
