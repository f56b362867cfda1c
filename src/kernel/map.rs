//! An ordered map that knows the rank of each key, and whose copies share what they have in common.
//!
//! A weight-balanced tree (Adams 1992; with the balance that Hirai and Yamamoto have proved, "Balancing weight-balanced
//! trees", 2011). A clone costs one counter, and a change of a clone copies only the path from the root to where it happens:
//! so a snapshot is free, and a rollback is an assignment.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A map in the order of its keys. To look up, to insert, to remove and to rank cost O(log n), a clone O(1).
pub struct Map<K, V> {
    root: Link<K, V>,
}

type Link<K, V> = Option<Arc<Node<K, V>>>;

#[derive(Clone)]
struct Node<K, V> {
    key: K,
    value: V,
    /// How many nodes there are here and below.
    count: usize,
    left: Link<K, V>,
    right: Link<K, V>,
}

impl<K, V> Map<K, V> {
    /// An empty map.
    pub const fn new() -> Map<K, V> {
        Map { root: None }
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        count(&self.root)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.root.is_none()
    }

    /// The keys with their values, in the order of the keys.
    pub fn iter(&self) -> Iter<'_, K, V> {
        let mut iter = Iter { path: Vec::new() };
        iter.descend(&self.root);
        iter
    }

    /// The keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// What has these ranks, in order; fewer if there are not so many.
    pub fn slice(&self, ranks: Range<usize>) -> impl Iterator<Item = (&K, &V)> {
        let (mut iter, mut link, mut skip) = (Iter { path: Vec::new() }, &self.root, ranks.start);
        while let Some(node) = link {
            let before = count(&node.left);
            if skip <= before {
                iter.path.push(node);
                link = &node.left;
            } else {
                skip -= before + 1;
                link = &node.right;
            }
        }
        iter.take(ranks.len())
    }

    /// How many keys stand before the first for which `is_before` does not hold; it must hold for a prefix of the keys.
    pub fn count_while(&self, is_before: impl Fn(&K) -> bool) -> usize {
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

    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
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

    /// Whether there is such a key.
    pub fn contains<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.get(key).is_some()
    }

    /// How many keys stand before this one, if it is there.
    pub fn rank<Q: Ord + ?Sized>(&self, key: &Q) -> Option<usize>
    where
        K: Borrow<Q>,
    {
        self.contains(key).then(|| self.count_while(|other| other.borrow() < key))
    }
}

impl<K: Ord + Clone, V: Clone> Map<K, V> {
    /// The value of a key, to be changed in place.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
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
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        insert(&mut self.root, key, value)
    }

    /// Takes a key out, and hands back its value.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        remove(&mut self.root, key)
    }
}

fn insert<K: Ord + Clone, V: Clone>(link: &mut Link<K, V>, key: K, value: V) -> Option<V> {
    let Some(node) = link else {
        *link = Some(Arc::new(Node { key, value, count: 1, left: None, right: None }));
        return None;
    };
    let node = Arc::make_mut(node);
    let old = match key.cmp(&node.key) {
        Ordering::Less => insert(&mut node.left, key, value),
        Ordering::Greater => insert(&mut node.right, key, value),
        Ordering::Equal => return Some(std::mem::replace(&mut node.value, value)),
    };
    if old.is_none() {
        node.balance();
    }
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
    if old.is_some() {
        node.balance();
    }
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

fn count<K, V>(link: &Link<K, V>) -> usize {
    link.as_ref().map_or(0, |node| node.count)
}

/// How many times as many nodes one side may have.
const DELTA: usize = 3;

/// From which ratio on a rotation is a double one.
const GAMMA: usize = 2;

impl<K: Clone, V: Clone> Node<K, V> {
    /// Restores count and balance after one node below has come or gone.
    fn balance(&mut self) {
        let (lefts, rights) = (count(&self.left), count(&self.right));
        if lefts + rights > 1 && lefts > DELTA * rights {
            let left = Arc::make_mut(self.left.as_mut().expect("the heavier side"));
            if count(&left.right) >= GAMMA * count(&left.left) {
                left.raise_right();
            }
            self.raise_left();
        } else if lefts + rights > 1 && rights > DELTA * lefts {
            let right = Arc::make_mut(self.right.as_mut().expect("the heavier side"));
            if count(&right.left) >= GAMMA * count(&right.right) {
                right.raise_left();
            }
            self.raise_right();
        } else {
            self.count = lefts + 1 + rights;
        }
    }

    fn recount(&mut self) {
        self.count = count(&self.left) + 1 + count(&self.right);
    }

    /// Puts the left child in this place, and this node to its right.
    fn raise_left(&mut self) {
        let mut link = self.left.take().expect("a left child");
        let child = Arc::make_mut(&mut link);
        self.left = child.right.take();
        self.recount();
        std::mem::swap(self, child);
        self.right = Some(link);
        self.recount();
    }

    /// Puts the right child in this place, and this node to its left.
    fn raise_right(&mut self) {
        let mut link = self.right.take().expect("a right child");
        let child = Arc::make_mut(&mut link);
        self.right = child.left.take();
        self.recount();
        std::mem::swap(self, child);
        self.left = Some(link);
        self.recount();
    }
}

/// The keys of a [`Map`] with their values, in order.
pub struct Iter<'a, K, V> {
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
        Map { root: self.root.clone() }
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
        same_root || self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl<K: Eq, V: Eq> Eq for Map<K, V> {}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Map<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K, V> fmt::Debug for Iter<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Iter")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Panics unless no side is too heavy and all counts are right; gives back the depth.
    fn depth(link: &Link<u32, u32>) -> usize {
        let Some(node) = link else { return 0 };
        let (left, right) = (count(&node.left), count(&node.right));
        assert!(left + right <= 1 || (left <= DELTA * right && right <= DELTA * left), "{left} beside {right}");
        assert_eq!(node.count, left + right + 1);
        1 + depth(&node.left).max(depth(&node.right))
    }

    /// A walk of inserts and removals by a fixed generator, beside a map that is known to be right.
    #[test]
    fn it_behaves_as_the_standard_map_and_stays_balanced() {
        let (mut map, mut model, mut state) = (Map::new(), BTreeMap::new(), 7_u32);
        let mut kept = Vec::new();
        for step in 0..20_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let key = (state >> 16) % 1_000;
            if (state >> 28) % 2 == 0 || step < 1_000 {
                assert_eq!(map.insert(key, step), model.insert(key, step), "insert at step {step}");
            } else {
                assert_eq!(map.remove(&key), model.remove(&key), "remove at step {step}");
            }
            assert_eq!(map.len(), model.len());
            assert_eq!(map.get(&key), model.get(&key));
            if step % 500 == 0 {
                depth(&map.root);
                assert!(map.iter().eq(model.iter()), "the contents at step {step}");
                kept.push((map.clone(), model.clone()));
            }
        }
        assert!(depth(&map.root) < 16, "{} keys", map.len());
        assert!(kept.iter().all(|(map, model)| map.iter().eq(model.iter())), "a copy was changed through another");
        for (rank, (key, value)) in model.iter().enumerate() {
            assert_eq!((map.rank(key), map.get(key)), (Some(rank), Some(value)));
            assert!(map.slice(rank..rank + 1).eq([(key, value)]));
        }
        assert!(map.slice(10..20).eq(model.iter().skip(10).take(10)));
        assert_eq!(map.slice(map.len()..map.len() + 5).count(), 0);
    }

    #[test]
    fn keys_in_order_do_not_make_it_a_list() {
        let mut map = Map::new();
        for key in 0..10_000_u32 {
            map.insert(key, key);
        }
        assert!(depth(&map.root) <= 19, "{} levels for 10,000 keys", depth(&map.root));
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
        assert!(map.get_mut(&2).is_none() && map.rank(&2).is_none());
    }
}
