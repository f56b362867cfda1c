//! An ordered map that knows the rank of each key, and is cloned at no cost.
//!
//! A weight-balanced tree (Adams 1992; with the balance that Hirai and Yamamoto 2011 have proved) whose nodes are
//! shared between clones until one of them changes. Every operation takes O(log n).

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::sync::Arc;

type Link<K, V> = Option<Arc<Node<K, V>>>;

/// Keys in their order, each with a value.
#[derive(Clone, Debug)]
pub(super) struct Tree<K, V> {
    root: Link<K, V>,
}

#[derive(Clone, Debug)]
struct Node<K, V> {
    key: K,
    value: V,
    /// How many nodes there are below and here.
    count: usize,
    left: Link<K, V>,
    right: Link<K, V>,
}

impl<K, V> Default for Tree<K, V> {
    fn default() -> Tree<K, V> {
        Tree { root: None }
    }
}

/// Two are the same if they hold the same, however they came to it.
impl<K: PartialEq, V: PartialEq> PartialEq for Tree<K, V> {
    fn eq(&self, other: &Tree<K, V>) -> bool {
        self.len() == other.len() && self.slice(0, self.len()) == other.slice(0, other.len())
    }
}

impl<K, V> Tree<K, V> {
    pub(super) fn len(&self) -> usize {
        count(&self.root)
    }

    /// How many keys stand before the first for which `is_before` does not hold; it must hold for a prefix of the keys.
    pub(super) fn count_while(&self, is_before: impl Fn(&K) -> bool) -> usize {
        let (mut link, mut before) = (&self.root, 0);
        while let Some(node) = link {
            if is_before(&node.key) {
                before += count(&node.left) + 1;
                link = &node.right;
            } else {
                link = &node.left;
            }
        }
        before
    }

    pub(super) fn first(&self) -> Option<(&K, &V)> {
        self.slice(0, 1).pop()
    }

    /// What has the ranks from `from` to before `upto`, in order.
    pub(super) fn slice(&self, from: usize, upto: usize) -> Vec<(&K, &V)> {
        let mut found = Vec::new();
        collect(&self.root, from, upto.min(self.len()), &mut found);
        found
    }

    pub(super) fn all(&self) -> Vec<(&K, &V)> {
        self.slice(0, self.len())
    }
}

impl<K: Ord + Clone, V: Clone> Tree<K, V> {
    pub(super) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let mut link = &self.root;
        while let Some(node) = link {
            link = match key.cmp(node.key.borrow()) {
                Ordering::Less => &node.left,
                Ordering::Equal => return Some(&node.value),
                Ordering::Greater => &node.right,
            };
        }
        None
    }

    pub(super) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        // Nothing is copied for a key that is not there.
        self.get(key)?;
        let mut link = &mut self.root;
        while let Some(node) = link {
            let node = Arc::make_mut(node);
            link = match key.cmp(node.key.borrow()) {
                Ordering::Less => &mut node.left,
                Ordering::Equal => return Some(&mut node.value),
                Ordering::Greater => &mut node.right,
            };
        }
        None
    }

    pub(super) fn contains<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.get(key).is_some()
    }

    /// How many keys stand before this one, if it is there.
    pub(super) fn rank(&self, key: &K) -> Option<usize> {
        self.contains(key).then(|| self.count_while(|other| other < key))
    }

    /// Puts a value, and gives back the one that it replaces.
    pub(super) fn insert(&mut self, key: K, value: V) -> Option<V> {
        if let Some(old) = self.get_mut(&key) {
            return Some(std::mem::replace(old, value));
        }
        self.root = inserted(self.root.take(), key, value);
        None
    }

    pub(super) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.get(key)?;
        let (root, value) = removed(self.root.take(), key);
        self.root = root;
        value
    }
}

fn count<K, V>(link: &Link<K, V>) -> usize {
    link.as_ref().map_or(0, |node| node.count)
}

fn collect<'a, K, V>(link: &'a Link<K, V>, from: usize, upto: usize, found: &mut Vec<(&'a K, &'a V)>) {
    let Some(node) = link else { return };
    let here = count(&node.left);
    if from < here {
        collect(&node.left, from, upto.min(here), found);
    }
    if from <= here && here < upto {
        found.push((&node.key, &node.value));
    }
    if upto > here + 1 {
        collect(&node.right, from.saturating_sub(here + 1), upto - here - 1, found);
    }
}

fn joined<K, V>(left: Link<K, V>, key: K, value: V, right: Link<K, V>) -> Link<K, V> {
    let count = count(&left) + 1 + count(&right);
    Some(Arc::new(Node { key, value, count, left, right }))
}

fn inserted<K: Ord + Clone, V: Clone>(link: Link<K, V>, key: K, value: V) -> Link<K, V> {
    let Some(node) = link else { return joined(None, key, value, None) };
    let node = Arc::unwrap_or_clone(node);
    if key < node.key {
        balanced(inserted(node.left, key, value), node.key, node.value, node.right)
    } else {
        balanced(node.left, node.key, node.value, inserted(node.right, key, value))
    }
}

fn removed<K: Ord + Clone + Borrow<Q>, V: Clone, Q: Ord + ?Sized>(
    link: Link<K, V>,
    key: &Q,
) -> (Link<K, V>, Option<V>) {
    let Some(node) = link else { return (None, None) };
    let node = Arc::unwrap_or_clone(node);
    match key.cmp(node.key.borrow()) {
        Ordering::Less => {
            let (left, value) = removed(node.left, key);
            (balanced(left, node.key, node.value, node.right), value)
        }
        Ordering::Greater => {
            let (right, value) = removed(node.right, key);
            (balanced(node.left, node.key, node.value, right), value)
        }
        Ordering::Equal => {
            let rest = match node.right {
                None => node.left,
                Some(right) => {
                    let (right, key, value) = without_first(right);
                    balanced(node.left, key, value, right)
                }
            };
            (rest, Some(node.value))
        }
    }
}

fn without_first<K: Clone, V: Clone>(node: Arc<Node<K, V>>) -> (Link<K, V>, K, V) {
    let node = Arc::unwrap_or_clone(node);
    match node.left {
        None => (node.right, node.key, node.value),
        Some(left) => {
            let (left, key, value) = without_first(left);
            (balanced(left, node.key, node.value, node.right), key, value)
        }
    }
}

/// How many times as many nodes one side may have.
const DELTA: usize = 3;
/// From which ratio on a rotation is a double one.
const GAMMA: usize = 2;

fn balanced<K: Clone, V: Clone>(left: Link<K, V>, key: K, value: V, right: Link<K, V>) -> Link<K, V> {
    let (lefts, rights) = (count(&left), count(&right));
    if lefts + rights <= 1 {
        return joined(left, key, value, right);
    }
    match (left, right) {
        (left, Some(right)) if rights > DELTA * lefts => {
            let right = Arc::unwrap_or_clone(right);
            match right.left {
                Some(middle) if middle.count >= GAMMA * count(&right.right) => {
                    let middle = Arc::unwrap_or_clone(middle);
                    let left = joined(left, key, value, middle.left);
                    joined(left, middle.key, middle.value, joined(middle.right, right.key, right.value, right.right))
                }
                middle => joined(joined(left, key, value, middle), right.key, right.value, right.right),
            }
        }
        (Some(left), right) if lefts > DELTA * rights => {
            let left = Arc::unwrap_or_clone(left);
            match left.right {
                Some(middle) if middle.count >= GAMMA * count(&left.left) => {
                    let middle = Arc::unwrap_or_clone(middle);
                    let right = joined(middle.right, key, value, right);
                    joined(joined(left.left, left.key, left.value, middle.left), middle.key, middle.value, right)
                }
                middle => joined(left.left, left.key, left.value, joined(middle, key, value, right)),
            }
        }
        (left, right) => joined(left, key, value, right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Panics unless no side is too heavy; gives back the depth.
    fn depth(link: &Link<u64, u64>) -> usize {
        let Some(node) = link else { return 0 };
        let (left, right) = (count(&node.left), count(&node.right));
        assert!(left + right <= 1 || (left <= DELTA * right && right <= DELTA * left), "{left} beside {right}");
        assert_eq!(node.count, left + right + 1);
        1 + depth(&node.left).max(depth(&node.right))
    }

    #[test]
    fn it_holds_what_a_plain_map_holds_and_stays_flat() {
        let (mut tree, mut plain, mut dice) = (Tree::default(), BTreeMap::new(), 7_u64);
        for step in 0..20_000_u64 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let key = (dice >> 33) % 3_000;
            if (dice >> 20) % 3 == 0 {
                assert_eq!(tree.remove(&key), plain.remove(&key));
            } else {
                assert_eq!(tree.insert(key, step), plain.insert(key, step));
            }
        }
        assert_eq!(tree.all(), plain.iter().collect::<Vec<_>>());
        assert!(depth(&tree.root) < 25);
        for (rank, (key, value)) in plain.iter().enumerate() {
            assert_eq!((tree.rank(key), tree.get(key)), (Some(rank), Some(value)));
            assert_eq!(tree.slice(rank, rank + 1), [(key, value)]);
        }
        assert_eq!(tree.slice(10, 20), plain.iter().skip(10).take(10).collect::<Vec<_>>());
    }

    #[test]
    fn a_clone_does_not_change_with_its_original() {
        let mut tree = Tree::default();
        for key in 0..10_000_u64 {
            tree.insert(key, 0_u64);
        }
        let old = tree.clone();
        *tree.get_mut(&5_000).expect("it is there") = 9;
        tree.remove(&1);
        assert_eq!((old.len(), old.get(&5_000), tree.len(), tree.get(&5_000)), (10_000, Some(&0), 9_999, Some(&9)));
        assert!(old != tree && depth(&tree.root) < 28);
        tree.insert(1, 0);
        tree.insert(5_000, 0);
        assert!(old == tree);
    }
}
