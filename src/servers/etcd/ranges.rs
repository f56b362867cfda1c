//! Watched ranges: those that a key lies in are found in O(log n), and one step for each of them.
//!
//! A treap: a search tree by start and end that is a heap by a number made of both, so that it looks the same
//! whatever order the ranges came in, and is about 3 log n deep. Each node knows the farthest end below it.

use super::bytes::KeyRange;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// Ranges, each with the numbers of those who watch it.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Ranges {
    root: Link,
}

type Link = Option<Box<Node>>;

#[derive(Clone, PartialEq, Debug)]
struct Node {
    keys: KeyRange,
    watches: BTreeSet<i64>,
    weight: u64,
    /// The range that ends last, of this node and all below.
    last: KeyRange,
    left: Link,
    right: Link,
}

impl Ranges {
    /// Lets `watch` watch a range. It must not do so already.
    pub(super) fn insert(&mut self, keys: &KeyRange, watch: i64) {
        if let Some(watches) = find(&mut self.root, keys) {
            assert!(watches.insert(watch), "{watch} watches {keys:?} already");
            return;
        }
        let weight = weight(keys);
        let (keys, watches, last) = (keys.clone(), BTreeSet::from([watch]), keys.clone());
        insert(&mut self.root, Box::new(Node { keys, watches, weight, last, left: None, right: None }));
    }

    /// Undoes [`insert`](Ranges::insert).
    pub(super) fn remove(&mut self, keys: &KeyRange, watch: i64) {
        let watches = find(&mut self.root, keys).expect("the range is watched");
        assert!(watches.remove(&watch), "{watch} does not watch {keys:?}");
        if watches.is_empty() {
            remove(&mut self.root, keys);
        }
    }

    /// Adds to `found` who watches a range that the key lies in.
    pub(super) fn watching(&self, key: &[u8], found: &mut BTreeSet<i64>) {
        collect(&self.root, key, found);
    }
}

/// A number that looks drawn: FNV-1a of both keys, stirred as splitmix64 does.
fn weight(keys: &KeyRange) -> u64 {
    let bytes = keys.key.iter().chain(&[0]).chain(keys.end.iter());
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    let hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

fn order(a: &KeyRange, b: &KeyRange) -> Ordering {
    (&a.key, &a.end).cmp(&(&b.key, &b.end))
}

fn ends_later(a: &KeyRange, b: &KeyRange) -> bool {
    !b.is_endless() && (a.is_endless() || a.end > b.end)
}

fn find<'a>(mut link: &'a mut Link, keys: &KeyRange) -> Option<&'a mut BTreeSet<i64>> {
    while let Some(node) = link {
        match order(keys, &node.keys) {
            Ordering::Less => link = &mut node.left,
            Ordering::Greater => link = &mut node.right,
            Ordering::Equal => return Some(&mut node.watches),
        }
    }
    None
}

impl Node {
    /// Knows again which range below ends last.
    fn refresh(&mut self) {
        let mut last = &self.keys;
        for below in [&self.left, &self.right].into_iter().flatten() {
            if ends_later(&below.last, last) {
                last = &below.last;
            }
        }
        self.last = last.clone();
    }
}

fn insert(link: &mut Link, mut new: Box<Node>) {
    match link {
        Some(node) if node.weight >= new.weight => {
            let side = if order(&new.keys, &node.keys) == Ordering::Less { &mut node.left } else { &mut node.right };
            insert(side, new);
            node.refresh();
        }
        _ => {
            (new.left, new.right) = split(link.take(), &new.keys);
            new.refresh();
            *link = Some(new);
        }
    }
}

fn remove(link: &mut Link, keys: &KeyRange) {
    let node = link.as_mut().expect("the range is in the tree");
    match order(keys, &node.keys) {
        Ordering::Less => remove(&mut node.left, keys),
        Ordering::Greater => remove(&mut node.right, keys),
        Ordering::Equal => {
            *link = merge(node.left.take(), node.right.take());
            return;
        }
    }
    node.refresh();
}

/// What is before `keys` and what is after.
fn split(link: Link, keys: &KeyRange) -> (Link, Link) {
    let Some(mut node) = link else { return (None, None) };
    if order(&node.keys, keys) == Ordering::Less {
        let (before, after) = split(node.right.take(), keys);
        node.right = before;
        node.refresh();
        (Some(node), after)
    } else {
        let (before, after) = split(node.left.take(), keys);
        node.left = after;
        node.refresh();
        (before, Some(node))
    }
}

/// All of `left` is before all of `right`.
fn merge(left: Link, right: Link) -> Link {
    match (left, right) {
        (None, link) | (link, None) => link,
        (Some(mut left), Some(mut right)) => {
            if left.weight >= right.weight {
                left.right = merge(left.right.take(), Some(right));
                left.refresh();
                Some(left)
            } else {
                right.left = merge(Some(left), right.left.take());
                right.refresh();
                Some(right)
            }
        }
    }
}

fn collect(link: &Link, key: &[u8], found: &mut BTreeSet<i64>) {
    let Some(node) = link else { return };
    // Nothing here reaches as far as the key.
    if !node.last.is_endless() && *node.last.end <= *key {
        return;
    }
    collect(&node.left, key, found);
    if node.keys.contains(key) {
        found.extend(&node.watches);
    }
    if *node.keys.key <= *key {
        collect(&node.right, key, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Inserts and removes many ranges in a random order, and compares each answer with a look at all of them.
    #[test]
    fn a_key_finds_those_who_watch_it_and_nobody_else() {
        let mut state = 7;
        let mut draw = |below: u64| {
            state = weight(&KeyRange::one(format!("{state}")));
            state % below
        };
        let (mut ranges, mut all): (Ranges, Vec<(KeyRange, i64)>) = (Ranges::default(), Vec::new());
        for turn in 0..3_000 {
            let (start, end) = (draw(60), draw(60));
            if draw(5) < 2 && !all.is_empty() {
                let (keys, watch) = all.swap_remove(draw(all.len() as u64) as usize);
                ranges.remove(&keys, watch);
            } else {
                let (start, end) = (format!("{:02}", start.min(end)), format!("{:02}", start.max(end) + 1));
                let keys = if draw(9) == 0 { KeyRange::from_key(start) } else { KeyRange::between(start, end) };
                ranges.insert(&keys, turn);
                all.push((keys, turn));
            }
            let key = format!("{:02}", draw(62));
            let mut found = BTreeSet::new();
            ranges.watching(key.as_bytes(), &mut found);
            let expected = all.iter().filter(|(keys, _)| keys.contains(key.as_bytes())).map(|(_, watch)| *watch);
            assert_eq!(found, expected.collect(), "who watches {key} after {turn} turns");
        }
    }

    #[test]
    fn the_order_of_coming_leaves_no_trace() {
        let keys = |number: i64| KeyRange::prefix(format!("{number:03}"));
        let (mut up, mut down) = (Ranges::default(), Ranges::default());
        for number in 0..500 {
            up.insert(&keys(number), number);
            down.insert(&keys(499 - number), 499 - number);
        }
        assert_eq!(up, down);
        up.insert(&keys(500), 500);
        up.remove(&keys(500), 500);
        assert_eq!(up, down);
    }
}
