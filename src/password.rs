//! Passwords: lines of accounts, their hashes, and the memory of what was proven.

pub mod htpasswd;
pub mod phc;
pub mod proven;

/// Brings text to Unicode Normalization Form C (UAX #15).
///
/// The Worker asks the platform (`String.prototype.normalize`), the command brings its own table. Only called
/// for text that is not ASCII.
pub type Nfc = fn(&str) -> String;
