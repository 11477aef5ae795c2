//! To come.

use super::{Bearing, Preset, Reading, Seen};
use crate::policy::{Format, HmacAlgorithm, LinkEntry};

/// To come.
pub const PRESET: Preset = Preset {
    format: Format::NginxHmac,
    algorithms: &[HmacAlgorithm::Hs256],
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
pub fn check_pattern(_pattern: &str) -> Result<(), String> {
    Ok(())
}
