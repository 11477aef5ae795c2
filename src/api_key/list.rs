//! The list of the keys that are known, and one of them.

use super::reading;
use crate::config::Problem;
use crate::order;
use core::fmt;
use subtle::ConstantTimeEq as _;

/// Every key: its SHA-256, its name and its scopes. The keys themselves are nowhere.
#[derive(Default)]
pub struct ApiKeys {
    pub(super) entries: Vec<Entry>,
    /// All names and scopes, one behind the other: one text instead of two for each key.
    pub(super) words: String,
    /// Positions in `entries`, by digest.
    pub(super) by_digest: Vec<usize>,
    /// The same, by name.
    pub(super) by_name: Vec<usize>,
}

/// One key: its digest, and where its words stand.
pub(super) struct Entry {
    pub(super) digest: [u8; 32],
    /// The number of its line.
    pub(super) line: usize,
    /// Where its name begins in the words; it ends where its scopes begin.
    pub(super) name: usize,
    /// Where its scopes begin.
    pub(super) scopes: usize,
    /// Where its scopes end.
    pub(super) end: usize,
}

impl ApiKeys {
    /// Reads lines of `name:sha256-hex-of-key[:scope,scope]`. `source`: what problems call the text.
    ///
    /// 1. Lines end with a newline; blank ones and those that begin with `#` are skipped, white space at an end is cut.
    /// 2. A name has 1 to 256 octets, no colon, no control characters, and no white space at an end. It is compared
    ///    octet by octet. It does not begin with `ew_` and is no SHA-256: names are logged and sent to the origin.
    /// 3. The digest has 64 hexadecimal digits, in either case, and is not that of an empty text.
    /// 4. A scope is a `scope-token` (RFC 6749 §3.3) without a comma; a key has at most 64, each once.
    /// 5. No name and no digest twice.
    /// 6. One bad line makes the whole unreadable, and so does a text without a line.
    ///
    /// Measured in V8, ten thousand lines take 5 to 6 ms: parse a list when it changes, not when it is looked at.
    ///
    /// # Errors
    /// What is wrong, in the order of the lines: twenty, and how many more. No problem shows a digest or a key.
    pub fn parse(text: &str, source: &str) -> Result<Self, Vec<Problem>> {
        reading::read(text, source)
    }

    /// The key with that SHA-256 ([`super::digest`]): some 14 comparisons among ten thousand keys.
    ///
    /// How long the search takes may tell how many leading octets of a digest are those of a known key. That is of no
    /// use: what is compared is SHA-256 of what was sent, so whoever wants the next octet to fit can but guess until
    /// it does, and 32 octets of a digest still are no key. What is found is then compared in constant time, so that
    /// nothing rests on the search alone.
    #[must_use]
    pub fn find(&self, digest: &[u8; 32]) -> Option<ApiKey<'_>> {
        let at = order::lower_bound(&self.by_digest, digest, &|at| self.digest_at(at))?;
        let entry = self.entries.get(at)?;
        bool::from(entry.digest.ct_eq(digest)).then(|| self.key(entry))
    }

    /// The key of that name.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<ApiKey<'_>> {
        let at = order::lower_bound(&self.by_name, name.as_bytes(), &|at| self.name_at(at))?;
        self.entries.get(at).map(|entry| self.key(entry)).filter(|key| key.name == name)
    }

    /// All, in the order of their lines.
    pub fn iter(&self) -> impl Iterator<Item = ApiKey<'_>> {
        self.entries.iter().map(|entry| self.key(entry))
    }

    pub(super) fn digest_at(&self, at: usize) -> &[u8] {
        self.entries.get(at).map_or(&[], |entry| &entry.digest)
    }

    /// Octets sort as the text does, and nobody needs to look for their characters.
    pub(super) fn name_at(&self, at: usize) -> &[u8] {
        self.entries.get(at).and_then(|it| self.words.as_bytes().get(it.name..it.scopes)).unwrap_or_default()
    }

    pub(super) fn key(&self, entry: &Entry) -> ApiKey<'_> {
        let words = |from, to| self.words.get(from..to).unwrap_or_default();
        ApiKey { name: words(entry.name, entry.scopes), scopes: words(entry.scopes, entry.end) }
    }
}

/// Names and scopes; no digest: a key that somebody thought of could be guessed by it.
impl fmt::Debug for ApiKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// A key that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ApiKey<'k> {
    name: &'k str,
    /// With commas between them.
    scopes: &'k str,
}

impl<'k> ApiKey<'k> {
    /// Its name: who it is, is `key:<name>`.
    #[must_use]
    pub const fn name(&self) -> &'k str {
        self.name
    }

    /// Its scopes, in the order of the line.
    pub fn scopes(&self) -> impl Iterator<Item = &'k str> + use<'k> {
        self.scopes.split(',').filter(|scope| !scope.is_empty())
    }

    /// Whether it has that scope.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes().any(|known| known == scope)
    }
}
