//! What a recorded history says of one object, or of several that are used together: its state, and what each call does.

use super::joined::{Deeds, Joined, Possible};
use super::key::Key;
use super::numbered::{Numbered, OTHER};
use super::uses::{Group, Known, Start, Stretch};
use crate::oracle::linearizable::Model;
use crate::oracle::linearizable::search::Step;
use std::fmt::Debug;

/// A model whose states can be remembered and told.
pub(super) trait Plain: Model {
    /// Of each object, the number of its state, if that is known.
    fn states(state: &Self::State) -> &[u32];
}

impl Plain for Numbered {
    fn states(state: &u32) -> &[u32] {
        std::slice::from_ref(state)
    }
}

impl Plain for Joined<u32> {
    fn states(state: &Vec<u32>) -> &[u32] {
        state
    }
}

/// What was asked of an object, in the order of the invocations.
#[derive(Clone, Debug)]
pub(super) struct Object<M: Model> {
    /// The states that it may have at first, each once.
    pub(super) initials: Vec<M::State>,
    pub(super) steps: Vec<Step<M>>,
    /// Which calls those are, as the caller counts.
    pub(super) calls: Vec<usize>,
    /// Whether a violation may be found before the event that makes it one.
    pub(super) is_farsighted: bool,
    /// Of each object that it consists of, by its number as the caller counts, what its states are; the first is [`OTHER`].
    pub(super) texts: Vec<(usize, Vec<String>)>,
}

impl<M: Plain> Object<M> {
    /// The states of these objects, by their numbers; `None` is what nobody has seen.
    pub(super) fn told(&self, state: &M::State, objects: &[usize]) -> Vec<(usize, Option<String>)> {
        let told = self
            .texts
            .iter()
            .zip(M::states(state))
            .map(|((object, texts), state)| (*object, (*state != OTHER).then(|| texts[*state as usize].clone())));
        told.filter(|(object, _)| objects.contains(object)).collect()
    }
}

/// The object of a plain group.
pub(super) fn single(group: &Group<'_>, stretch: &Stretch<'_>) -> Object<Numbered> {
    let (known, mut keys) = keys(group, stretch);
    let key = &mut keys[0];
    let steps = known.iter().filter_map(|call| {
        let deed = key.deed(&call.uses[0].1)?;
        // What may or may not have happened, and what nobody could have noticed, did not happen.
        if deed.answer.is_none() && deed.is_idle {
            return None;
        }
        Some(step(call, deed.operation, deed.answer))
    });
    let (calls, steps) = sorted(steps.collect());
    let texts = vec![(group.objects[0], key.table.texts())];
    let initials = match stretch.start {
        Start::At(initial) => vec![key.table.state(initial)],
        Start::Anywhere => (0..key.table.count()).collect(),
    };
    Object { initials, steps, calls, is_farsighted: key.is_farsighted, texts }
}

/// The objects of any group as one, of which is known what they are at first.
pub(super) fn several(group: &Group<'_>, initial: &str, end: usize) -> Object<Joined<u32>> {
    joined(group, &Stretch { start: Start::At(initial), from: 0, end }, |key| key.table.state(initial))
}

/// The same, of which it is not known.
pub(super) fn anywhere(group: &Group<'_>, from: usize, end: usize) -> Object<Joined<Possible>> {
    joined(group, &Stretch { start: Start::Anywhere, from, end }, |key| Possible::any(key.table.count()))
}

fn joined<K>(group: &Group<'_>, stretch: &Stretch<'_>, initial: impl FnMut(&Key<'_>) -> K) -> Object<Joined<K>>
where
    Joined<K>: Model<State = Vec<K>, Operation = Deeds, Answer = bool>,
{
    let (known, mut keys) = keys(group, stretch);
    let mut is_farsighted = false;
    let steps = known.iter().filter_map(|call| {
        let mut is_idle = true;
        let mut deeds = Vec::with_capacity(call.uses.len());
        for (place, call) in &call.uses {
            let Some(deed) = keys[*place].deed(call) else { continue };
            is_idle &= deed.is_idle;
            deeds.push((*place, deed.operation, deed.answer));
        }
        if deeds.is_empty() || call.returned.is_none() && is_idle {
            return None;
        }
        let deeds = Deeds::new(deeds);
        // Before it has returned, what it changed may go with other answers.
        is_farsighted |= call.returned.is_some() && deeds.is_mixed();
        Some(step(call, deeds, call.returned.map(|_| true)))
    });
    let (calls, steps) = sorted(steps.collect());
    let texts = group.objects.iter().zip(&keys).map(|(object, key)| (*object, key.table.texts())).collect();
    is_farsighted |= keys.iter().any(|key| key.is_farsighted);
    Object { initials: vec![keys.iter().map(initial).collect()], steps, calls, is_farsighted, texts }
}

fn keys<'a>(group: &Group<'a>, stretch: &Stretch<'a>) -> (Vec<Known<'a>>, Vec<Key<'a>>) {
    let known = stretch.known(&group.calls, &group.objects);
    let mut uses = vec![Vec::new(); group.objects.len()];
    for (place, call) in known.iter().flat_map(|call| &call.uses) {
        uses[*place].push(*call);
    }
    let keys = uses.iter().map(|uses| Key::of(uses, stretch.start, !group.is_plain())).collect();
    (known, keys)
}

fn step<M: Model>(call: &Known<'_>, operation: M::Operation, answer: Option<M::Answer>) -> (usize, Step<M>) {
    let returned = call.returned.unwrap_or(usize::MAX);
    (call.number, Step { operation, answer, invoked: call.invoked, returned })
}

/// In the order of the invocations.
fn sorted<M: Model>(mut steps: Vec<(usize, Step<M>)>) -> (Vec<usize>, Vec<Step<M>>) {
    steps.sort_by_key(|(_, step)| step.invoked);
    steps.into_iter().unzip()
}
