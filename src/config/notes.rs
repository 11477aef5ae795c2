//! What is collected while the configuration is read: every problem, not just the first.

use super::Problem;
use core::cell::RefCell;

/// Problems of one list that are kept; the rest is counted. A file with more of them has one cause.
const MOST: usize = 100;

/// Characters of each part of a sentence that are kept.
const LONGEST: usize = 300;

/// The three lists that reading fills. Shared by all readers of one text, hence the inner mutability.
#[derive(Default)]
pub struct Notes {
    /// The policy cannot be used: nothing is public.
    pub problems: Problems,
    /// A secret or binding that the policy needs is wrong: only what is public passes.
    pub missing: Problems,
    /// Works, but deserves a second look.
    pub warnings: Problems,
}

/// A list of problems that does not grow without bound.
#[derive(Default)]
pub struct Problems(RefCell<(Vec<Problem>, usize)>);

impl Problems {
    /// Keeps a problem, or counts it where there are many.
    pub fn push(&self, problem: Problem) {
        let (list, more) = &mut *self.0.borrow_mut();
        if list.len() < MOST {
            let Problem { at, found, expected, fix } = problem;
            list.push(Problem::new(at, shortened(found), shortened(expected), shortened(fix)));
        } else {
            *more += 1;
        }
    }

    /// Keeps several.
    pub fn extend(&self, problems: impl IntoIterator<Item = Problem>) {
        problems.into_iter().for_each(|problem| self.push(problem));
    }

    /// Whether further problems are only counted: then nobody needs to word them.
    pub fn is_full(&self) -> bool {
        self.0.borrow().0.len() >= MOST
    }

    /// Counts a problem that nobody worded.
    pub fn count(&self) {
        self.0.borrow_mut().1 += 1;
    }

    /// Whether one is kept for that very place.
    pub fn has(&self, at: &str) -> bool {
        self.0.borrow().0.iter().any(|problem| problem.at == at)
    }

    /// Whether one is kept for a place below this key path.
    pub fn has_below(&self, at: &str) -> bool {
        self.0.borrow().0.iter().any(|problem| problem.at.starts_with(at))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.borrow().0.is_empty()
    }

    /// The list, and how many more there were.
    pub fn into_list(self) -> Vec<Problem> {
        let (mut list, more) = self.0.into_inner();
        if more > 0 {
            let found = format!("{more} more problems");
            list.push(Problem::new("EDGEWARD", found, "none", "Mend those above, then check again."));
        }
        list
    }
}

/// Not every reader shortens what it shows.
fn shortened(mut found: String) -> String {
    if let Some((end, _)) = found.char_indices().nth(LONGEST) {
        found.truncate(end);
        found.push('…');
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_problems_are_counted() {
        let problems = Problems::default();
        for n in 0..MOST + 7 {
            problems.push(Problem::new(n.to_string(), "", "", ""));
        }
        problems.count();
        assert!(problems.is_full());
        let list = problems.into_list();
        assert_eq!(list.len(), MOST + 1);
        let last = list.last().expect("a last one").to_string();
        assert_eq!(
            last,
            "EDGEWARD: found 8 more problems, expected none. Mend those above, then check again."
        );
    }
}
