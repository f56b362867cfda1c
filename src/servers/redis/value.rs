//! What a key can hold.

use super::double::Double;
use super::reply::Bytes;
use crate::kernel::map::Map;
use std::ops::Range;

/// What a key holds.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Value {
    Text(Bytes),
    Sorted(SortedSet),
    Hash(Hash),
    Set(Set),
    List(List),
}

impl Value {
    /// The word that TYPE answers.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Value::Text(_) => "string",
            Value::Sorted(_) => "zset",
            Value::Hash(_) => "hash",
            Value::Set(_) => "set",
            Value::List(_) => "list",
        }
    }

    /// Whether it holds nothing, so that its key must go. An empty string is something.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Value::Text(_) => false,
            Value::Sorted(sorted) => sorted.len() == 0,
            Value::Hash(hash) => hash.len() == 0,
            Value::Set(set) => set.len() == 0,
            Value::List(list) => list.len() == 0,
        }
    }
}

/// Members with scores, ordered by score, then by the bytes of the member.
#[derive(Clone, PartialEq, Default, Debug)]
pub(super) struct SortedSet {
    scores: Map<Bytes, Double>,
    order: Map<(Double, Bytes), ()>,
}

impl SortedSet {
    pub(super) fn len(&self) -> usize {
        self.scores.len()
    }

    pub(super) fn score(&self, member: &[u8]) -> Option<Double> {
        self.scores.get(member).copied()
    }

    /// Gives a member this score, and tells the one that it had.
    /// A small set of the real server keeps whole scores as integers, so that -0 becomes 0.
    pub(super) fn put(&mut self, member: &[u8], score: Double) -> Option<Double> {
        let score = if score == Double::ZERO { Double::ZERO } else { score };
        let old = self.scores.insert(member.to_vec(), score);
        if let Some(old) = old {
            self.order.remove(&(old, member.to_vec()));
        }
        self.order.insert((score, member.to_vec()), ());
        old
    }

    pub(super) fn remove(&mut self, member: &[u8]) -> Option<Double> {
        let score = self.scores.remove(member)?;
        self.order.remove(&(score, member.to_vec()));
        Some(score)
    }

    /// How many members stand before this one.
    pub(super) fn rank(&self, member: &[u8]) -> Option<usize> {
        let score = self.score(member)?;
        self.order.rank(&(score, member.to_vec()))
    }

    /// How many members stand before the first for which `is_before` does not hold.
    pub(super) fn count_while(&self, is_before: impl Fn(Double, &[u8]) -> bool) -> usize {
        self.order.count_while(|(score, member)| is_before(*score, member))
    }

    /// The members of these ranks, in order.
    pub(super) fn slice(&self, ranks: Range<usize>) -> Vec<(Bytes, Double)> {
        self.order.slice(ranks).map(|((score, member), ())| (member.clone(), *score)).collect()
    }
}

/// Fields with values, in the order in which the fields came, as a small hash of Redis lists them.
#[derive(Clone, PartialEq, Default, Debug)]
pub(super) struct Hash {
    fields: Map<Bytes, (u64, Bytes)>,
    order: Map<u64, Bytes>,
    next: u64,
}

impl Hash {
    pub(super) fn len(&self) -> usize {
        self.fields.len()
    }

    pub(super) fn get(&self, field: &[u8]) -> Option<&Bytes> {
        self.fields.get(field).map(|(_, value)| value)
    }

    /// Puts a value; whether the field is new.
    pub(super) fn put(&mut self, field: &[u8], value: Bytes) -> bool {
        if let Some((_, old)) = self.fields.get_mut(field) {
            *old = value;
            return false;
        }
        self.fields.insert(field.to_vec(), (self.next, value));
        self.order.insert(self.next, field.to_vec());
        self.next += 1;
        true
    }

    /// Whether the field was there.
    pub(super) fn remove(&mut self, field: &[u8]) -> bool {
        let Some((place, _)) = self.fields.remove(field) else { return false };
        self.order.remove(&place);
        true
    }

    pub(super) fn all(&self) -> Vec<(&Bytes, &Bytes)> {
        let value = |field| self.get(field).expect("a field has a value");
        self.order.iter().map(|(_, field)| (field, value(field))).collect()
    }
}

/// Members without scores.
#[derive(Clone, PartialEq, Default, Debug)]
pub(super) struct Set {
    members: Map<Bytes, ()>,
}

impl Set {
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    pub(super) fn contains(&self, member: &[u8]) -> bool {
        self.members.contains(member)
    }

    /// Whether the member is new.
    pub(super) fn put(&mut self, member: &[u8]) -> bool {
        self.members.insert(member.to_vec(), ()).is_none()
    }

    /// Whether the member was there.
    pub(super) fn remove(&mut self, member: &[u8]) -> bool {
        self.members.remove(member).is_some()
    }

    /// By number if all are integers, as the real server keeps those; else by bytes, where the real one has no order.
    pub(super) fn all(&self) -> Vec<Bytes> {
        let mut members: Vec<Bytes> = self.members.keys().cloned().collect();
        let number = |member: &Bytes| super::integer::strict(member);
        if members.iter().all(|member| number(member).is_some()) {
            members.sort_by_key(number);
        }
        members
    }

    /// The first by bytes: what a model without dice takes for a random one.
    pub(super) fn any(&self) -> Option<Bytes> {
        self.members.keys().next().cloned()
    }
}

/// Elements in the order of their places.
#[derive(Clone, PartialEq, Default, Debug)]
pub(super) struct List {
    /// By a number that rises from the head to the tail.
    elements: Map<i64, Bytes>,
}

/// An end of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    Head,
    Tail,
}

impl List {
    pub(super) fn len(&self) -> usize {
        self.elements.len()
    }

    pub(super) fn push(&mut self, end: End, element: Bytes) {
        let place = match (end, self.place(0), self.len().checked_sub(1).and_then(|last| self.place(last))) {
            (End::Head, Some(first), _) => first - 1,
            (End::Tail, _, Some(last)) => last + 1,
            (End::Head, None, _) | (End::Tail, _, None) => 0,
        };
        self.elements.insert(place, element);
    }

    pub(super) fn pop(&mut self, end: End) -> Option<Bytes> {
        let index = match end {
            End::Head => 0,
            End::Tail => self.len().checked_sub(1)?,
        };
        self.elements.remove(&self.place(index)?)
    }

    pub(super) fn get(&self, index: usize) -> Option<&Bytes> {
        self.elements.slice(index..index + 1).next().map(|(_, element)| element)
    }

    pub(super) fn set(&mut self, index: usize, element: Bytes) {
        let place = self.place(index).expect("an index within the list");
        self.elements.insert(place, element);
    }

    pub(super) fn slice(&self, ranks: Range<usize>) -> Vec<Bytes> {
        self.elements.slice(ranks).map(|(_, element)| element.clone()).collect()
    }

    pub(super) fn remove(&mut self, index: usize) {
        if let Some(place) = self.place(index) {
            self.elements.remove(&place);
        }
    }

    /// Puts an element before the one at an index. Takes O(n), as in the real server.
    pub(super) fn insert(&mut self, index: usize, element: Bytes) {
        let mut all = self.slice(0..self.len());
        all.insert(index, element);
        *self = List::default();
        all.into_iter().for_each(|element| self.push(End::Tail, element));
    }

    fn place(&self, index: usize) -> Option<i64> {
        self.elements.slice(index..index + 1).next().map(|(place, _)| *place)
    }
}
