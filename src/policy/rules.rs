//! To come.
/// To come.
#[derive(Clone, Debug)]
pub struct RuleSet;
/// To come.
#[derive(Clone, Copy, Debug)]
pub struct Choice;
