//! Globs over octets, by a table: which beginnings of the glob fit which beginnings of the text.

/// What a place of a glob stands for.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Octet(u8),
    Any,
    Many,
}

pub struct Glob(Vec<Place>);

/// All that begins so.
pub fn beginning(text: &[u8]) -> Glob {
    Glob(text.iter().map(|octet| Place::Octet(*octet)).chain([Place::Many]).collect())
}

impl Glob {
    pub fn of(text: &[u8]) -> Self {
        let place = |octet: &u8| match octet {
            b'*' => Place::Many,
            b'?' => Place::Any,
            octet => Place::Octet(*octet),
        };
        Self(text.iter().map(place).collect())
    }

    pub fn fits(&self, text: &str) -> bool {
        // Which beginnings of the text the places so far fit.
        let mut fitting = vec![false; text.len() + 1];
        fitting[0] = true;
        for place in &self.0 {
            let before = fitting.clone();
            for at in 0..fitting.len() {
                let octet = at.checked_sub(1).map(|at| text.as_bytes()[at]);
                fitting[at] = match place {
                    Place::Many => before[..=at].contains(&true),
                    Place::Any => octet.is_some() && before[at - 1],
                    Place::Octet(wanted) => octet == Some(*wanted) && before[at - 1],
                };
            }
        }
        fitting[text.len()]
    }
}
