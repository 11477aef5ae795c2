//! To come.
/// Why a URI or path cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathError {
    /// No absolute `http:` or `https:` URI.
    NotAbsolute,
}
