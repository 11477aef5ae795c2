//! Finding one of many by its text.

use crate::order;

/// Positions of a list in the order of what stands there: made in *n* log *n* steps, looked up in log *n*.
#[derive(Debug, Default)]
pub(in crate::token) struct Index(Vec<usize>);

impl Index {
    /// Sorts; what is alike stays in the order of the list.
    pub fn new(texts: &[&[u8]]) -> Self {
        Self(order::sorted(texts.len(), &|at| texts.get(at).copied().unwrap_or_default()))
    }

    /// The position of a text; `at` says what stands at a position.
    pub fn find<'t>(&self, text: &[u8], at: &dyn Fn(usize) -> &'t [u8]) -> Option<usize> {
        let found = self.0.binary_search_by(|position| at(*position).cmp(text)).ok()?;
        self.0.get(found).copied()
    }

    /// The positions in runs of what is alike; a run of one is there only once.
    pub fn runs<'i, 't>(&'i self, at: &'i dyn Fn(usize) -> &'t [u8]) -> impl Iterator<Item = &'i [usize]> {
        self.0.chunk_by(move |one, next| at(*one) == at(*next))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn finds_what_is_there_and_groups_what_is_alike(texts: Vec<Vec<u8>>, wanted: Vec<u8>) {
            let texts: Vec<Vec<u8>> = texts.into_iter().map(|text| text.into_iter().take(2).collect()).collect();
            let at = |position: usize| texts[position].as_slice();
            let index = Index::new(&texts.iter().map(Vec::as_slice).collect::<Vec<_>>());
            for text in texts.iter().chain([&wanted]) {
                let found = index.find(text, &at);
                prop_assert_eq!(found.map(at), texts.iter().find(|it| *it == text).map(Vec::as_slice));
            }
            let runs: Vec<&[usize]> = index.runs(&at).collect();
            prop_assert_eq!(runs.concat().len(), texts.len());
            for run in runs {
                prop_assert!(run.windows(2).all(|two| two[0] < two[1] && at(two[0]) == at(two[1])));
                prop_assert_eq!(texts.iter().filter(|it| it.as_slice() == at(run[0])).count(), run.len());
            }
        }
    }
}
