//! What is known of the calls in a stretch of a history, object by object.

use super::{Action, Call, Outcome};
use std::collections::BTreeMap;

/// What an object is at the beginning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Start<'a> {
    /// This, as nobody has touched it.
    At(&'a str),
    /// Nobody knows.
    Anywhere,
}

/// A stretch of a history: what returned before it has happened, what is invoked after it has not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stretch<'a> {
    pub(super) start: Start<'a>,
    /// Its first position.
    pub(super) from: usize,
    /// The first position behind it.
    pub(super) end: usize,
}

/// What a call does to an object, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Use<'a> {
    pub(super) action: &'a Action,
    pub(super) outcome: &'a Outcome,
    pub(super) invoked: usize,
    /// `None` if it may have happened or not.
    pub(super) returned: Option<usize>,
}

/// A call that may take effect in a stretch.
#[derive(Clone, Debug)]
pub(super) struct Known<'a> {
    /// Which call it is, as the caller counts.
    pub(super) number: usize,
    pub(super) invoked: usize,
    pub(super) returned: Option<usize>,
    /// The objects, by their places among all, and what is done to them.
    pub(super) uses: Vec<(usize, Use<'a>)>,
}

impl Stretch<'_> {
    /// The calls that may take effect here. One that began before may have taken effect before, whatever it answered.
    pub(super) fn known<'a>(&self, calls: &[(usize, &'a Call)], objects: &[usize]) -> Vec<Known<'a>> {
        let known = |(number, call): &(usize, &'a Call)| {
            let is_over = call.returned.is_some_and(|at| at < self.from);
            if is_over || call.invoked >= self.end {
                return None;
            }
            let is_told = call.parts.iter().all(|part| part.outcome != Outcome::Unknown);
            let is_inside = call.invoked >= self.from;
            let returned = call.returned.filter(|at| *at < self.end && is_told && is_inside);
            let invoked = call.invoked;
            let uses = call.parts.iter().map(|part| {
                let place = objects.binary_search(&part.object).expect("every object is in the list");
                (place, Use { action: &part.action, outcome: &part.outcome, invoked, returned })
            });
            Some(Known { number: *number, invoked, returned, uses: uses.collect() })
        };
        calls.iter().filter_map(known).collect()
    }
}

/// Calls that have to do with each other: no object of one group is used together with one of another, or in one call
/// with one that is, and so on.
#[derive(Clone, Debug)]
pub(super) struct Group<'a> {
    /// Sorted, each once.
    pub(super) objects: Vec<usize>,
    /// With their numbers, in the order of the history.
    pub(super) calls: Vec<(usize, &'a Call)>,
}

impl Group<'_> {
    /// The objects of one of its calls.
    pub(super) fn objects_of(&self, number: usize) -> Vec<usize> {
        let place = self.calls.binary_search_by_key(&number, |(number, _)| *number).expect("a call of the group");
        self.calls[place].1.parts.iter().map(|part| part.object).collect()
    }

    /// Whether each call does one thing, all of them to the same object.
    pub(super) fn is_plain(&self) -> bool {
        self.objects.len() == 1 && self.calls.iter().all(|(_, call)| call.parts.len() == 1)
    }
}

/// Takes a history apart. Calls of nothing are in no group.
pub(super) fn groups(calls: &[Call]) -> Vec<Group<'_>> {
    let mut places: BTreeMap<usize, usize> = BTreeMap::new();
    for part in calls.iter().flat_map(|call| &call.parts) {
        let next = places.len();
        places.entry(part.object).or_insert(next);
    }
    // A forest, in which objects that belong together have one root.
    let mut above: Vec<usize> = (0..places.len()).collect();
    for call in calls {
        for pair in call.parts.windows(2) {
            let (one, other) = (root(&mut above, places[&pair[0].object]), root(&mut above, places[&pair[1].object]));
            above[one.max(other)] = one.min(other);
        }
    }
    let mut groups: BTreeMap<usize, Group<'_>> = BTreeMap::new();
    for (object, place) in &places {
        let group = groups.entry(root(&mut above, *place)).or_insert(Group { objects: Vec::new(), calls: Vec::new() });
        group.objects.push(*object);
    }
    for (number, call) in calls.iter().enumerate() {
        let Some(part) = call.parts.first() else { continue };
        let root = root(&mut above, places[&part.object]);
        groups.get_mut(&root).expect("every root has a group").calls.push((number, call));
    }
    groups.into_values().collect()
}

fn root(above: &mut [usize], mut place: usize) -> usize {
    while above[place] != place {
        above[place] = above[above[place]];
        place = above[place];
    }
    place
}
