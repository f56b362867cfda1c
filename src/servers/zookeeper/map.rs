//! An ordered map whose copies share what they have in common.
//!
//! An AVL tree: a clone costs one counter, and a change of a clone copies only the path from the root to
//! where it happens. So a snapshot of a tree of znodes is free, and a rollback is an assignment.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// A map in the order of its keys. Looking up, inserting and removing cost O(log n), a clone O(1).
pub(super) struct Map<K, V> {
    root: Link<K, V>,
    len: usize,
}

type Link<K, V> = Option<Arc<Node<K, V>>>;

#[derive(Clone)]
struct Node<K, V> {
    key: K,
    value: V,
    /// 1 for a leaf.
    height: u8,
    left: Link<K, V>,
    right: Link<K, V>,
}

impl<K, V> Map<K, V> {
    /// An empty map.
    pub(super) const fn new() -> Map<K, V> {
        Map { root: None, len: 0 }
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The keys with their values, in the order of the keys.
    pub(super) fn iter(&self) -> Iter<'_, K, V> {
        let mut iter = Iter { path: Vec::new() };
        iter.descend(&self.root);
        iter
    }

    /// The keys in order.
    pub(super) fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// The value of a key.
    pub(super) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let mut link = &self.root;
        while let Some(node) = link {
            match key.cmp(node.key.borrow()) {
                Ordering::Less => link = &node.left,
                Ordering::Greater => link = &node.right,
                Ordering::Equal => return Some(&node.value),
            }
        }
        None
    }
}

impl<K: Ord + Clone, V: Clone> Map<K, V> {
    /// The value of a key, to be changed in place.
    pub(super) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let mut link = &mut self.root;
        while let Some(node) = link {
            let node = Arc::make_mut(node);
            match key.cmp(node.key.borrow()) {
                Ordering::Less => link = &mut node.left,
                Ordering::Greater => link = &mut node.right,
                Ordering::Equal => return Some(&mut node.value),
            }
        }
        None
    }

    /// Gives a key a value, and hands back the one that it had.
    pub(super) fn insert(&mut self, key: K, value: V) -> Option<V> {
        let old = insert(&mut self.root, key, value);
        self.len += usize::from(old.is_none());
        old
    }

    /// Takes a key out, and hands back its value.
    pub(super) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let old = remove(&mut self.root, key);
        self.len -= usize::from(old.is_some());
        old
    }
}

fn insert<K: Ord + Clone, V: Clone>(link: &mut Link<K, V>, key: K, value: V) -> Option<V> {
    let Some(node) = link else {
        *link = Some(Arc::new(Node { key, value, height: 1, left: None, right: None }));
        return None;
    };
    let node = Arc::make_mut(node);
    let old = match key.cmp(&node.key) {
        Ordering::Less => insert(&mut node.left, key, value),
        Ordering::Greater => insert(&mut node.right, key, value),
        Ordering::Equal => return Some(std::mem::replace(&mut node.value, value)),
    };
    node.balance();
    old
}

fn remove<K: Ord + Clone + Borrow<Q>, V: Clone, Q: Ord + ?Sized>(link: &mut Link<K, V>, key: &Q) -> Option<V> {
    let node = Arc::make_mut(link.as_mut()?);
    let old = match key.cmp(node.key.borrow()) {
        Ordering::Less => remove(&mut node.left, key),
        Ordering::Greater => remove(&mut node.right, key),
        Ordering::Equal => {
            let Some(next) = remove_first(&mut node.right) else {
                let left = node.left.take();
                return std::mem::replace(link, left).map(|node| Arc::unwrap_or_clone(node).value);
            };
            node.key = next.key;
            Some(std::mem::replace(&mut node.value, next.value))
        }
    };
    node.balance();
    old
}

/// Takes the node with the smallest key out.
fn remove_first<K: Clone, V: Clone>(link: &mut Link<K, V>) -> Option<Node<K, V>> {
    let node = Arc::make_mut(link.as_mut()?);
    if let Some(first) = remove_first(&mut node.left) {
        node.balance();
        return Some(first);
    }
    let right = node.right.take();
    std::mem::replace(link, right).map(Arc::unwrap_or_clone)
}

fn height<K, V>(link: &Link<K, V>) -> u8 {
    link.as_ref().map_or(0, |node| node.height)
}

impl<K: Clone, V: Clone> Node<K, V> {
    /// Restores height and balance, where the two sides differ by at most two.
    fn balance(&mut self) {
        if height(&self.left) > height(&self.right) + 1 {
            let left = Arc::make_mut(self.left.as_mut().expect("the higher side"));
            if height(&left.right) > height(&left.left) {
                left.raise_right();
            }
            self.raise_left();
        } else if height(&self.right) > height(&self.left) + 1 {
            let right = Arc::make_mut(self.right.as_mut().expect("the higher side"));
            if height(&right.left) > height(&right.right) {
                right.raise_left();
            }
            self.raise_right();
        } else {
            self.measure();
        }
    }

    fn measure(&mut self) {
        self.height = height(&self.left).max(height(&self.right)) + 1;
    }

    /// Puts the left child in this place, and this node to its right.
    fn raise_left(&mut self) {
        let mut link = self.left.take().expect("a left child");
        let child = Arc::make_mut(&mut link);
        self.left = child.right.take();
        self.measure();
        std::mem::swap(self, child);
        self.right = Some(link);
        self.measure();
    }

    /// Puts the right child in this place, and this node to its left.
    fn raise_right(&mut self) {
        let mut link = self.right.take().expect("a right child");
        let child = Arc::make_mut(&mut link);
        self.right = child.left.take();
        self.measure();
        std::mem::swap(self, child);
        self.left = Some(link);
        self.measure();
    }
}

/// The keys of a [`Map`] with their values, in order.
pub(super) struct Iter<'a, K, V> {
    /// The nodes that are still to come and whose left sides have been.
    path: Vec<&'a Node<K, V>>,
}

impl<'a, K, V> Iter<'a, K, V> {
    fn descend(&mut self, mut link: &'a Link<K, V>) {
        while let Some(node) = link {
            self.path.push(node);
            link = &node.left;
        }
    }
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        let node = self.path.pop()?;
        self.descend(&node.right);
        Some((&node.key, &node.value))
    }
}

// Not derived: a copy needs nothing of the keys and values.
impl<K, V> Clone for Map<K, V> {
    fn clone(&self) -> Map<K, V> {
        Map { root: self.root.clone(), len: self.len }
    }
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Map<K, V> {
        Map::new()
    }
}

/// By content: two histories that lead to the same keys and values give the same map.
impl<K: PartialEq, V: PartialEq> PartialEq for Map<K, V> {
    fn eq(&self, other: &Map<K, V>) -> bool {
        let same_root = match (&self.root, &other.root) {
            (Some(one), Some(two)) => Arc::ptr_eq(one, two),
            (None, None) => true,
            _ => false,
        };
        same_root || self.len == other.len && self.iter().eq(other.iter())
    }
}

impl<K: Eq, V: Eq> Eq for Map<K, V> {}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Map<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{Link, Map, height};
    use std::collections::BTreeMap;

    fn assert_balanced(link: &Link<u32, u32>) {
        if let Some(node) = link {
            let (left, right) = (height(&node.left), height(&node.right));
            assert!(left.abs_diff(right) <= 1, "sides of {left} and {right} levels at {}", node.key);
            assert_eq!(node.height, left.max(right) + 1, "the height at {}", node.key);
            assert_balanced(&node.left);
            assert_balanced(&node.right);
        }
    }

    /// A walk of inserts and removals by a fixed generator, beside a map that is known to be right.
    #[test]
    fn it_behaves_as_the_standard_map_and_stays_balanced() {
        let (mut map, mut model, mut state) = (Map::new(), BTreeMap::new(), 7_u32);
        let mut kept = Vec::new();
        for step in 0..4_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let key = (state >> 16) % 300;
            if (state >> 28) % 2 == 0 || step < 200 {
                assert_eq!(map.insert(key, step), model.insert(key, step), "insert at step {step}");
            } else {
                assert_eq!(map.remove(&key), model.remove(&key), "remove at step {step}");
            }
            assert_eq!(map.len(), model.len());
            assert_eq!(map.get(&key), model.get(&key));
            if step % 500 == 0 {
                assert_balanced(&map.root);
                assert!(map.iter().eq(model.iter()), "the contents at step {step}");
                kept.push((map.clone(), model.clone()));
            }
        }
        assert!(kept.iter().all(|(map, model)| map.iter().eq(model.iter())), "a copy was changed through another");
    }

    #[test]
    fn keys_in_order_do_not_make_it_a_list() {
        let mut map = Map::new();
        for key in 0..10_000_u32 {
            map.insert(key, key);
        }
        assert_balanced(&map.root);
        assert!(height(&map.root) <= 19, "{} levels for 10,000 keys", height(&map.root));
        for key in 0..10_000_u32 {
            assert_eq!(map.remove(&key), Some(key));
        }
        assert!(map.is_empty() && map.root.is_none());
    }

    #[test]
    fn a_change_in_place_stays_out_of_the_copies_and_equality_is_by_content() {
        let mut map: Map<u32, u32> = Map::new();
        for key in [5, 1, 9] {
            map.insert(key, 0);
        }
        let before = map.clone();
        *map.get_mut(&9).expect("it is there") = 1;
        assert_eq!((before.get(&9), map.get(&9)), (Some(&0), Some(&1)));
        assert_ne!(before, map);
        map.insert(9, 0);
        assert_eq!(before, map);
        let mut other: Map<u32, u32> = Map::new();
        for key in [9, 5, 1] {
            other.insert(key, 0);
        }
        assert_eq!(before, other);
        assert!(map.get_mut(&2).is_none());
    }
}
