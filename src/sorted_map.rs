//! The one look-up table: pairs in the order of their keys, found by halving.
//!
//! What is looked up here is small (rules, keys and accounts that fit into a few variables; the readings of one path), is
//! filled once and read often. For that it is as quick as hashing, no choice of keys can slow it down, and it
//! is a tenth of the code of the standard library's two maps.

use core::borrow::Borrow;
use core::slice::Iter;

/// A map from `K` to `V`. Looking up takes log₂ *n* comparisons; inserting moves what comes behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortedMap<K, V> {
    pairs: Vec<(K, V)>,
}

impl<K: Ord, V> SortedMap<K, V> {
    /// An empty map.
    #[must_use]
    pub const fn new() -> Self {
        Self { pairs: Vec::new() }
    }

    /// How many keys there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The value of a key.
    #[must_use]
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let at = self.find(key).ok()?;
        self.pairs.get(at).map(|(_, value)| value)
    }

    /// Gives a key a value. Returns the one it had.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.find(&key) {
            Ok(at) => self.pairs.get_mut(at).map(|(_, old)| core::mem::replace(old, value)),
            Err(at) => {
                self.pairs.insert(at, (key, value));
                None
            }
        }
    }

    /// Takes a key out.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let at = self.find(key).ok()?;
        Some(self.pairs.remove(at).1)
    }

    /// Takes out all of which this is not so.
    pub fn retain(&mut self, mut is_kept: impl FnMut(&K, &V) -> bool) {
        self.pairs.retain(|(key, value)| is_kept(key, value));
    }

    /// All, in the order of their keys.
    pub fn iter(&self) -> Pairs<'_, K, V> {
        self.pairs.iter().map(|(key, value)| (key, value))
    }

    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.pairs.binary_search_by(|(known, _)| known.borrow().cmp(key))
    }
}

impl<K: Ord, V: Default> SortedMap<K, V> {
    /// The value of a key, which gets one if it has none.
    pub fn or_default(&mut self, key: K) -> &mut V {
        let at = self.find(&key).unwrap_or_else(|at| {
            self.pairs.insert(at, (key, V::default()));
            at
        });
        // It was found there or put there just now.
        #[allow(clippy::indexing_slicing)]
        &mut self.pairs[at].1
    }
}

impl<K: Ord, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for SortedMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut map = Self::new();
        for (key, value) in pairs {
            map.insert(key, value);
        }
        map
    }
}

impl<K: Ord, V, const N: usize> From<[(K, V); N]> for SortedMap<K, V> {
    fn from(pairs: [(K, V); N]) -> Self {
        pairs.into_iter().collect()
    }
}

/// What [`SortedMap::iter`] gives.
pub type Pairs<'m, K, V> = core::iter::Map<Iter<'m, (K, V)>, fn(&'m (K, V)) -> (&'m K, &'m V)>;

impl<'m, K: Ord, V> IntoIterator for &'m SortedMap<K, V> {
    type Item = (&'m K, &'m V);
    type IntoIter = Pairs<'m, K, V>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::SortedMap;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn is_like_the_standard_map(steps in prop::collection::vec((0..6_u8, 0..16_u8, 0..8_u8), 0..64)) {
            let (mut ours, mut theirs) = (SortedMap::new(), BTreeMap::new());
            for (step, key, value) in steps {
                match step {
                    0 => prop_assert_eq!(ours.remove(&key), theirs.remove(&key)),
                    1 => {
                        *ours.or_default(key) ^= value;
                        *theirs.entry(key).or_default() ^= value;
                    }
                    2 => {
                        ours.retain(|_, known| *known != value);
                        theirs.retain(|_, known| *known != value);
                    }
                    _ => prop_assert_eq!(ours.insert(key, value), theirs.insert(key, value)),
                }
                prop_assert_eq!(ours.get(&key), theirs.get(&key));
            }
            prop_assert!(ours.iter().eq(theirs.iter()));
            prop_assert_eq!((ours.len(), ours.is_empty()), (theirs.len(), theirs.is_empty()));
            prop_assert_eq!(theirs.into_iter().collect::<SortedMap<_, _>>(), ours);
        }
    }
}
