//! Which key belongs to which entry, and which headers are known by their look.

use super::super::jws::{Header, is_for_jwt};
use super::super::keys::{Index, Key, KeySet, Standing};
use super::super::to_base64url;
use super::MAX_TRIED;
use crate::config::Problem;
use crate::json::push_string;
use crate::policy::{HmacAlgorithm, TokenEntry, TokenPlace};
use crate::sorted_map::SortedMap;
use crate::time::UnixTime;

/// So many keys, from the first on, have headers that are known by their look: some 50 KB. Of the others each header is
/// read, which costs less than the signature.
const MAX_KNOWN: usize = 64;

/// Of an entry and an algorithm so many keys are looked at for one without a `kid`, those out of use included: what such a
/// token costs does not grow with the set.
const MAX_LOOKED_AT: usize = 64;

/// What a header asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub algorithm: Option<HmacAlgorithm>,
    pub kid: Named,
}

/// The key that a header names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// None.
    Nobody,
    /// The one at this place of the ring.
    Key(usize),
    /// One that nobody here knows.
    Unknown,
}

/// An entry of the policy with its keys.
#[derive(Debug)]
pub(super) struct Entry {
    policy: TokenEntry,
    /// For each algorithm the places of its keys in the ring.
    keys: Vec<(HmacAlgorithm, Vec<usize>)>,
}

impl Entry {
    pub const fn policy(&self) -> &TokenEntry {
        &self.policy
    }

    fn takes(&self, algorithm: HmacAlgorithm, place: &TokenPlace) -> bool {
        self.policy.algorithms.contains(&algorithm) && self.policy.from.contains(place)
    }

    fn places(&self, algorithm: HmacAlgorithm) -> &[usize] {
        let of_it = self.keys.iter().find(|(other, _)| *other == algorithm);
        of_it.map_or(&[], |(_, places)| places)
    }

    fn push(&mut self, algorithm: HmacAlgorithm, place: usize) {
        match self.keys.iter_mut().find(|(other, _)| *other == algorithm) {
            Some((_, places)) => places.push(place),
            None => self.keys.push((algorithm, vec![place])),
        }
    }
}

/// The keys of all entries.
#[derive(Debug, Default)]
pub(super) struct Keyring {
    /// Each key with the place of its entry.
    keys: Vec<(Key, usize)>,
    entries: Vec<Entry>,
    by_kid: Index,
    /// Common spellings of headers, in base64url, and what they ask for: most tokens need no look into theirs. The
    /// table is fixed, so that nobody can push an entry out of it.
    known: SortedMap<String, Wanted>,
}

impl Keyring {
    pub fn new(entries: &[TokenEntry], keys: &KeySet) -> Result<Self, Vec<Problem>> {
        let mut ring = Self::default();
        let mut problems = Vec::new();
        for entry in entries {
            let members = members(entry, entries.len(), keys, &mut problems);
            ring.add(entry, members);
        }
        ring.by_kid = Index::new(&ring.keys.iter().map(|(key, _)| key.kid().as_bytes()).collect::<Vec<_>>());
        ring.refuse_repeated(&mut problems);
        if !problems.is_empty() {
            return Err(problems);
        }
        ring.know_common_headers();
        Ok(ring)
    }

    fn add(&mut self, policy: &TokenEntry, members: Vec<&Key>) {
        let mut policy = policy.clone();
        if policy.algorithms.is_empty() {
            policy.algorithms = algorithms_of(&members);
        }
        let mut entry = Entry { policy, keys: Vec::new() };
        for key in members {
            entry.push(key.algorithm(), self.keys.len());
            self.keys.push((key.clone(), self.entries.len()));
        }
        self.entries.push(entry);
    }

    fn refuse_repeated(&self, problems: &mut Vec<Problem>) {
        let kid_at = |place| self.kid_at(place);
        let later = self.by_kid.runs(&kid_at).flat_map(|run| run.iter().skip(1));
        for (key, entry) in later.filter_map(|place| self.keys.get(*place)) {
            let Some(entry) = self.entries.get(*entry) else { continue };
            let found = format!("the key \"{}\" in two entries or twice in one", key.kid());
            let fix = "Take it out of one of them.";
            problems.push(Problem::new(path(&entry.policy, "keys"), found, "each key in one entry", fix));
        }
    }

    fn kid_at(&self, place: usize) -> &[u8] {
        self.keys.get(place).map_or(&[], |(key, _)| key.kid().as_bytes())
    }

    /// What a header that is known by its look asks for.
    pub fn known_header(&self, segment: &str) -> Option<Wanted> {
        self.known.get(segment).copied()
    }

    #[cfg(test)]
    pub const fn known_headers(&self) -> usize {
        self.known.len()
    }

    /// What a header asks for.
    pub fn resolve(&self, header: &Header) -> Wanted {
        let kid = match &header.kid {
            None => Named::Nobody,
            Some(kid) => self
                .by_kid
                .find(kid.as_bytes(), &|place| self.kid_at(place))
                .map_or(Named::Unknown, Named::Key),
        };
        Wanted { algorithm: header.algorithm, kid }
    }

    /// Whether any entry that looks in this place takes the algorithm.
    pub fn allows(&self, algorithm: HmacAlgorithm, place: &TokenPlace) -> bool {
        self.entries.iter().any(|entry| entry.takes(algorithm, place))
    }

    /// The entries that look in this place and take the algorithm.
    pub fn entries(&self, algorithm: HmacAlgorithm, place: &TokenPlace) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.takes(algorithm, place))
    }

    /// The key at this place of the ring and its entry, where that looks in `place`.
    pub fn key(&self, index: usize, place: &TokenPlace) -> Option<(&Key, &Entry)> {
        let (key, entry) = self.keys.get(index)?;
        let entry = self.entries.get(*entry).filter(|entry| entry.policy.from.contains(place))?;
        Some((key, entry))
    }

    /// The keys of an entry that a token without a `kid` may be signed with now; `None` where they are too many to try.
    pub fn keys_to_try(
        &self,
        entry: &Entry,
        algorithm: HmacAlgorithm,
        now: UnixTime,
    ) -> Option<impl Iterator<Item = &Key>> {
        let in_use =
            || self.looked_at(entry, algorithm).filter(move |key| key.standing(now) == Standing::Good);
        let too_many = entry.places(algorithm).len() > MAX_LOOKED_AT || in_use().nth(MAX_TRIED).is_some();
        (!too_many).then(in_use)
    }

    /// The keys that would be tried as well, if they were in use.
    pub fn keys_out_of_use(
        &self,
        algorithm: HmacAlgorithm,
        place: &TokenPlace,
        now: UnixTime,
    ) -> impl Iterator<Item = &Key> {
        let keys = self.entries(algorithm, place).flat_map(move |entry| self.looked_at(entry, algorithm));
        keys.filter(move |key| key.standing(now) != Standing::Good)
    }

    fn looked_at(&self, entry: &Entry, algorithm: HmacAlgorithm) -> impl Iterator<Item = &Key> {
        let places = entry.places(algorithm).iter().take(MAX_LOOKED_AT);
        places.filter_map(|place| self.keys.get(*place)).map(|(key, _)| key)
    }

    fn know_common_headers(&mut self) {
        for (place, (key, _)) in self.keys.iter().enumerate().take(MAX_KNOWN) {
            let algorithm = key.algorithm();
            for (spelling, names_key) in spellings(algorithm, key.kid()) {
                let kid = if names_key { Named::Key(place) } else { Named::Nobody };
                let wanted = Wanted { algorithm: Some(algorithm), kid };
                self.known.insert(to_base64url(spelling.as_bytes()), wanted);
            }
        }
    }
}

fn algorithms_of(keys: &[&Key]) -> Vec<HmacAlgorithm> {
    let all = [HmacAlgorithm::Hs256, HmacAlgorithm::Hs384, HmacAlgorithm::Hs512];
    all.into_iter().filter(|algorithm| keys.iter().any(|key| key.algorithm() == *algorithm)).collect()
}

/// Headers as the libraries write them: `alg`, and perhaps `typ` and `kid`, in any order and without white space.
fn spellings(algorithm: HmacAlgorithm, kid: &str) -> Vec<(String, bool)> {
    let alg = format!("\"alg\":\"{}\"", algorithm.name());
    let typ = "\"typ\":\"JWT\"".to_owned();
    let mut named = "\"kid\":".to_owned();
    push_string(&mut named, kid);
    let (a, t, k) = (&alg, &typ, &named);
    let orders: [(&[&String], bool); 11] = [
        (&[a], false),
        (&[a, t], false),
        (&[t, a], false),
        (&[a, k], true),
        (&[k, a], true),
        (&[a, t, k], true),
        (&[a, k, t], true),
        (&[t, a, k], true),
        (&[t, k, a], true),
        (&[k, a, t], true),
        (&[k, t, a], true),
    ];
    let spell = |members: &[&String]| {
        let members: Vec<&str> = members.iter().map(|member| member.as_str()).collect();
        format!("{{{}}}", members.join(","))
    };
    orders.into_iter().map(|(members, names_key)| (spell(members), names_key)).collect()
}

/// The keys of an entry; a key for signed URLs is none.
fn members<'k>(
    entry: &TokenEntry,
    entries: usize,
    keys: &'k KeySet,
    problems: &mut Vec<Problem>,
) -> Vec<&'k Key> {
    let told = problems.len();
    let members = match &entry.keys {
        Some(kids) => named_members(entry, kids, keys, problems),
        None => {
            if entries > 1 {
                let expected = "the ids of its keys, as there are several entries";
                problems.push(Problem::new(path(entry, "keys"), "nothing", expected, "Name its keys."));
            }
            keys.iter().filter(|key| is_for_jwt(&key.algorithm())).collect()
        }
    };
    let fits = |key: &&Key| entry.algorithms.is_empty() || entry.algorithms.contains(&key.algorithm());
    if problems.len() == told && !members.iter().any(fits) {
        let found = "no key in EDGEWARD_KEYS for any of them";
        let fix = "Add a key whose \"alg\" is one of them, or name the algorithm of a key that is there.";
        problems.push(Problem::new(path(entry, "algorithms"), found, "algorithms that keys have", fix));
    }
    members
}

fn named_members<'k>(
    entry: &TokenEntry,
    kids: &[String],
    keys: &'k KeySet,
    problems: &mut Vec<Problem>,
) -> Vec<&'k Key> {
    let mut members = Vec::new();
    for (index, kid) in kids.iter().enumerate() {
        let at = path(entry, &format!("keys[{index}]"));
        let allowed = |key: &Key| entry.algorithms.is_empty() || entry.algorithms.contains(&key.algorithm());
        match keys.get(kid) {
            None => {
                let fix = "Add the key to EDGEWARD_KEYS, or take its id out.";
                let found = format!("\"{kid}\", which is not in EDGEWARD_KEYS");
                problems.push(Problem::new(at, found, "the id of a key that is there", fix));
            }
            Some(key) if !is_for_jwt(&key.algorithm()) || !allowed(key) => {
                let found = format!("\"{kid}\", a key for {}", key.algorithm().name());
                let fix = "Add its algorithm to algorithms, or take the key out.";
                problems.push(Problem::new(at, found, "a key for one of the algorithms", fix));
            }
            Some(key) => members.push(key),
        }
    }
    members
}

fn path(entry: &TokenEntry, member: &str) -> String {
    match entry.index {
        Some(index) => format!("EDGEWARD.tokens[{index}].{member}"),
        None => format!("EDGEWARD.tokens.{member}"),
    }
}
