//! A value that must not be seen.
//!
//! [`Secret`] has no `Display`, no `Deref`, no `PartialEq` and no serialisation; its `Debug` is redacted and
//! its memory is wiped when it is dropped. [`Secret::expose`] is the one way in, so that every use of a
//! secret can be found by searching for that word.

use zeroize::Zeroize;

/// A secret value: a key, a password, a token.
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Wraps a value that must not be seen.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself, for the one computation that needs it.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize + Clone> Clone for Secret<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> core::fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_does_not_leak() {
        let secret = Secret::new(String::from("hunter2"));
        assert_eq!(format!("{secret:?}"), "Secret([redacted])");
        assert_eq!(format!("{:#?}", Some(secret)), "Some(\n    Secret([redacted]),\n)");
    }
}
