//! The rules as a tree of segments: a rule is found in the length of the path, not the number of rules.
//!
//! Each node is one pattern prefix. A segment of the path leads to the node of that very text, found by halving,
//! or to the node of `{name}`; the search tries them in this order and takes a node's `/*` last, so what it finds first
//! is the most specific. It goes back only where a more specific prefix led nowhere, at most once into each node:
//! *n* segments cost at most 2ⁿ⁺¹ − 1 nodes, n no more than the longest pattern has, and that only for a policy
//! that holds both a text and `{name}` after every prefix; one that holds no `{name}` costs n + 1.

use super::pattern::{Pattern, Segment};
use super::rules::PathCase;
use crate::path::Reading;
use crate::sorted_map::SortedMap;

/// A node: what is known of the patterns that begin alike.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    literals: SortedMap<Box<[u8]>, Node>,
    parameter: Option<Box<Node>>,
    /// Rules whose pattern ends here.
    end: Hosts,
    /// Rules whose pattern ends here with `/*`.
    below: Hosts,
}

/// The rules of one pattern, by host.
#[derive(Clone, Debug, Default)]
struct Hosts {
    named: SortedMap<Box<str>, Methods>,
    any: Option<Methods>,
}

/// The rules of one pattern and host, by method: positions in the policy's list.
#[derive(Clone, Debug, Default)]
pub(super) struct Methods {
    named: SortedMap<Box<str>, usize>,
    any: Option<usize>,
}

/// What a request asks for, besides its path.
#[derive(Debug)]
pub(super) struct Search<'r> {
    /// Lower case, no port, no trailing dot.
    pub host: &'r str,
    pub case: PathCase,
    /// How many nodes were looked at.
    pub visited: usize,
}

impl Node {
    /// Takes up a rule.
    ///
    /// # Errors
    /// The position of a rule with the same pattern and host that a request could fall to as well.
    pub fn insert(
        &mut self,
        pattern: Pattern,
        host: Option<&str>,
        methods: Option<&[String]>,
        rule: usize,
    ) -> Result<(), usize> {
        let mut node = self;
        for segment in pattern.segments {
            node = match segment {
                Segment::Literal(text) => node.literals.or_default(text.into()),
                Segment::Parameter => node.parameter.get_or_insert_default(),
            };
        }
        let hosts = if pattern.below { &mut node.below } else { &mut node.end };
        hosts.insert(host).insert(methods, rule)
    }

    /// The rules with the most specific path and host that match.
    pub fn find<'n>(&'n self, path: Reading<'_>, search: &mut Search<'_>) -> Option<&'n Methods> {
        search.visited += 1;
        let here = match path.split_first() {
            None => self.end.find(search.host),
            Some((segment, rest)) => {
                let literal = self.literals.get(&*search.case.fold(segment));
                let children = [literal, self.parameter.as_deref()];
                children.into_iter().flatten().find_map(|child| child.find(rest, search))
            }
        };
        here.or_else(|| self.below.find(search.host))
    }
}

impl Hosts {
    fn insert(&mut self, host: Option<&str>) -> &mut Methods {
        match host {
            Some(host) => self.named.or_default(host.into()),
            None => self.any.get_or_insert_default(),
        }
    }

    fn find(&self, host: &str) -> Option<&Methods> {
        self.named.get(host).or(self.any.as_ref())
    }
}

impl Methods {
    fn insert(&mut self, methods: Option<&[String]>, rule: usize) -> Result<(), usize> {
        let Some(methods) = methods else { return set(&mut self.any, rule) };
        for method in methods {
            match self.named.insert(decided_as(method).into(), rule) {
                Some(other) if other != rule => return Err(other),
                Some(_) | None => {}
            }
        }
        Ok(())
    }

    /// The rule that decides a method, or else one of the rules that stand here, the first in the file.
    pub fn find(&self, method: &str) -> Result<usize, usize> {
        match self.named.get(decided_as(method)).copied().or(self.any) {
            Some(rule) => Ok(rule),
            None => Err(self.named.iter().map(|(_, rule)| *rule).min().unwrap_or_default()),
        }
    }
}

fn set(place: &mut Option<usize>, rule: usize) -> Result<(), usize> {
    place.replace(rule).map_or(Ok(()), Err)
}

/// The method a request is decided by: HEAD is decided as GET, every other one by its own name.
fn decided_as(method: &str) -> &str {
    if method == "HEAD" { "GET" } else { method }
}
