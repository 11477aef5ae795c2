//! The closure of a path under the steps that servers do.
//!
//! A reading is held as one byte string that begins with `/` (or is empty: the root), with
//! [`INNER_SLASH`](super::INNER_SLASH) for a `/` that does not split. Every step but decoding either changes
//! nothing the second time or leaves fewer segments or octets, and decoding is bounded by the levels, so the
//! closure is finite. Nearly all errors are found before it is taken, as all steps but one join no octets that stood
//! apart and cut at ASCII only, so that what the whole path decodes to decides for all of its parts. The one is
//! dropping NULs: `%`, NUL, `ff` becomes an octet that is no UTF-8 only then, and is refused where it is decoded.

use super::{INNER_SLASH, PathError, Reading, Stray, decode, is_dot_segment};
use crate::sorted_map::SortedMap;

/// The most readings a path may have. One that bears every mark at once has some dozens to hundreds.
pub const MAX_READINGS: usize = 512;

/// The most octets all readings of a path may have together: what bounds the time a path costs.
pub const MAX_OCTETS: usize = 128 * 1024;

/// How often a received path is decoded.
const LEVELS: usize = 3;

/// What a server may do to a path besides decoding it; `None` where there is nothing to do.
type Step = fn(&[u8]) -> Option<Vec<u8>>;

const STEPS: [Step; 9] = [
    |path| replace(path, b'\\'),
    |path| replace(path, INNER_SLASH),
    cut_parameters,
    resolve_dot_segments,
    drop_empty_segments,
    |path| cut(path, b'?'),
    |path| cut(path, b'#'),
    |path| cut(path, 0),
    drop_nuls,
];

/// Some servers drop a NUL where others cut: `.%00.` is two dots to them.
fn drop_nuls(path: &[u8]) -> Option<Vec<u8>> {
    path.contains(&0).then(|| path.iter().copied().filter(|octet| *octet != 0).collect())
}

/// Refuses a path, decoded once, that is no UTF-8 at a deeper level or still changes when decoded a fourth time.
pub(super) fn check_depth(once: &[u8]) -> Result<(), PathError> {
    let mut path = once.to_vec();
    for _ in 0..LEVELS {
        let deeper = decode(&path, Stray::Kept)?;
        if deeper == path {
            return Ok(());
        }
        path = deeper;
    }
    Err(PathError::TooDeep)
}

/// All readings of a path that was decoded once.
pub(super) fn of(once: Vec<u8>) -> Result<Vec<Vec<u8>>, PathError> {
    let mut closure = Closure::default();
    closure.add(once)?;
    let mut level = closure.do_steps(0)?;
    for _ in 1..LEVELS {
        level = closure.do_decoding(level)?;
    }
    Ok(closure.found)
}

#[derive(Default)]
struct Closure {
    found: Vec<Vec<u8>>,
    /// The same: to tell what is new without looking at all.
    known: SortedMap<Vec<u8>, ()>,
    octets: usize,
}

impl Closure {
    /// Takes up a reading, unless it is known. It is enough to know it at its lowest level: all that decoding
    /// gives at a deeper one it gives at this one too.
    fn add(&mut self, reading: Vec<u8>) -> Result<(), PathError> {
        if self.known.get(&reading).is_some() {
            return Ok(());
        }
        self.octets += reading.len();
        if self.found.len() >= MAX_READINGS || self.octets > MAX_OCTETS {
            return Err(PathError::TooManyReadings);
        }
        self.known.insert(reading.clone(), ());
        self.found.push(reading);
        Ok(())
    }

    /// Does every step to the readings from `start` on, and to what comes of that. Returns `start`.
    fn do_steps(&mut self, start: usize) -> Result<usize, PathError> {
        let mut next = start;
        while let Some(reading) = self.found.get(next) {
            let changed: Vec<_> = STEPS.iter().filter_map(|step| step(reading)).collect();
            changed.into_iter().try_for_each(|reading| self.add(reading))?;
            next += 1;
        }
        Ok(start)
    }

    /// Decodes the readings from `start` on, and does every step to what comes of that. Returns where it begins.
    fn do_decoding(&mut self, start: usize) -> Result<usize, PathError> {
        let level = self.found.len();
        for at in start..level {
            let encoded = self.found.get(at).filter(|reading| reading.contains(&b'%'));
            if let Some(reading) = encoded {
                self.add(decode(reading, Stray::Kept)?)?;
            }
        }
        self.do_steps(level)
    }
}

/// Splits segments at an octet.
fn replace(path: &[u8], octet: u8) -> Option<Vec<u8>> {
    path.contains(&octet).then(|| path.iter().map(|b| if *b == octet { b'/' } else { *b }).collect())
}

/// Cuts the whole path at an octet.
fn cut(path: &[u8], octet: u8) -> Option<Vec<u8>> {
    let mut parts = path.splitn(2, |b| *b == octet);
    let before = parts.next()?;
    parts.next().map(|_| before.to_vec())
}

/// Cuts `;…` off each segment.
fn cut_parameters(path: &[u8]) -> Option<Vec<u8>> {
    path.contains(&b';').then(|| join(segments(path).map(|s| s.split(|b| *b == b';').next().unwrap_or(s))))
}

/// Resolves `.` and `..` (RFC 3986 §5.2.4); `..` takes an empty segment away like any other.
fn resolve_dot_segments(path: &[u8]) -> Option<Vec<u8>> {
    if !segments(path).any(is_dot_segment) {
        return None;
    }
    let mut resolved = Vec::new();
    for segment in segments(path) {
        match segment {
            b"." => {}
            b".." => drop(resolved.pop()),
            other => resolved.push(other),
        }
    }
    Some(join(resolved.into_iter()))
}

/// Drops empty segments. One at the end is none to a rule, so that alone gives no other reading.
fn drop_empty_segments(path: &[u8]) -> Option<Vec<u8>> {
    Reading(path)
        .segments()
        .any(<[u8]>::is_empty)
        .then(|| join(segments(path).filter(|segment| !segment.is_empty())))
}

/// The segments, an empty one at the end included.
fn segments(path: &[u8]) -> impl Iterator<Item = &[u8]> {
    path.split(|octet| *octet == b'/').skip(1)
}

fn join<'a>(segments: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut path = Vec::new();
    for segment in segments {
        path.push(b'/');
        path.extend_from_slice(segment);
    }
    path
}
