//! To come.

use super::{Bearing, Preset, Reading, Seen};
use crate::policy::{Format, LinkEntry};

/// To come.
pub const PRESET: Preset = Preset {
    format: Format::Edgeward,
    algorithms: &[],
    parameters: &[("token", "token")],
    from: &["query"],
    settings: &[],
    names_key: false,
    read,
};

fn read<'r>(_seen: &Seen<'r>, _bearing: &Bearing<'r>, _entry: &'r LinkEntry) -> Reading<'r> {
    Reading::Malformed("To come.")
}

/// To come.
pub fn keys(_root: &crate::token::mac::RootSecret) -> Vec<crate::token::keys::Key> {
    Vec::new()
}
