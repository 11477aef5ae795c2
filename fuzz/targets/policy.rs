//! To come.

/// To come.
pub fn run(_: &[u8]) {}
