//! The command `edgeward`.
fn main() {}
