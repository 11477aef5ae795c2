//! The one sort: the positions of a list in the order of some octets of each, and finding one by halving.
//!
//! A merge sort of our own, compiled once. The standard library's are compiled for each type, five kilobytes at a time.
//! This one compares the first eight octets as one number, which is all that digests need; and a list that is in order
//! already (names often are) costs one pass.

/// The octets of the item at a position.
pub type Octets<'a> = &'a dyn Fn(usize) -> &'a [u8];

/// An item while it is sorted: how its octets begin, and its position.
type Item = (u64, usize);

/// The items in the order of their octets; those that are equal stay as they were.
pub fn by<T: Default>(mut items: Vec<T>, octets: impl Fn(&T) -> &[u8]) -> Vec<T> {
    let order = sorted(items.len(), &|at| items.get(at).map(&octets).unwrap_or_default());
    order.into_iter().filter_map(|at| items.get_mut(at).map(core::mem::take)).collect()
}

/// The positions below `count` in the order of their octets; those that are equal stay as they were.
pub fn sorted(count: usize, octets: Octets<'_>) -> Vec<usize> {
    let mut items: Vec<Item> = (0..count).map(|at| (beginning(octets(at)), at)).collect();
    let mut next = Vec::with_capacity(count);
    let mut width = 1;
    while !items.is_sorted_by(|a, b| is_in_order(*a, *b, octets)) {
        next.clear();
        for pair in items.chunks(width * 2) {
            let (left, right) = pair.split_at(width.min(pair.len()));
            merge(left, right, octets, &mut next);
        }
        core::mem::swap(&mut items, &mut next);
        width *= 2;
    }
    items.into_iter().map(|(_, at)| at).collect()
}

/// The first position, in that order, whose octets are these or come behind.
pub fn lower_bound(order: &[usize], wanted: &[u8], octets: Octets<'_>) -> Option<usize> {
    order.get(order.partition_point(|at| octets(*at) < wanted)).copied()
}

/// The first eight octets as a number; zeros stand for those that are not there.
fn beginning(octets: &[u8]) -> u64 {
    let mut first = [0; 8];
    first.iter_mut().zip(octets).for_each(|(place, octet)| *place = *octet);
    u64::from_be_bytes(first)
}

/// Inlined: it runs some 260,000 times for ten thousand keys.
#[inline(always)]
fn is_in_order(a: Item, b: Item, octets: Octets<'_>) -> bool {
    a.0 < b.0 || (a.0 == b.0 && octets(a.1) <= octets(b.1))
}

/// Appends both, each of which is in order, in one order.
fn merge(mut left: &[Item], mut right: &[Item], octets: Octets<'_>, into: &mut Vec<Item>) {
    while let ([l, rest_left @ ..], [r, rest_right @ ..]) = (left, right) {
        if is_in_order(*l, *r, octets) {
            into.push(*l);
            left = rest_left;
        } else {
            into.push(*r);
            right = rest_right;
        }
    }
    into.extend_from_slice(left);
    into.extend_from_slice(right);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn is_like_the_standard_sort(
            items in prop::collection::vec(
                prop_oneof!["[ab]{0,3}", "beginning[ab\u{0}]{0,3}"].prop_map(String::into_bytes),
                0..70,
            ),
            wanted in "(beginning)?[ab]{0,3}",
        ) {
            let octets = |at: usize| -> &[u8] { &items[at] };
            let mut expected: Vec<usize> = (0..items.len()).collect();
            expected.sort_by_key(|at| &items[*at]);
            let order = sorted(items.len(), &octets);
            prop_assert_eq!(&order, &expected);
            let numbered: Vec<(&[u8], usize)> = items.iter().map(Vec::as_slice).zip(0..).collect();
            let positions: Vec<usize> = by(numbered, |(octets, _)| octets).iter().map(|(_, at)| *at).collect();
            prop_assert_eq!(&positions, &expected);
            let expected = expected.into_iter().find(|at| &*items[*at] >= wanted.as_bytes());
            let found = lower_bound(&order, wanted.as_bytes(), &octets);
            prop_assert_eq!(found, expected);
        }
    }
}
