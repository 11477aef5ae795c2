//! Signing in.
mod form;
pub use form::{SignInForm, Step};
