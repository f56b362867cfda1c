//! Whether any order of the calls explains a history: a search in depth, for histories too wide to be followed.
//!
//! Sources: Wing and Gong, "Testing and verifying concurrent objects" (1993), the algorithm of section 4.2; Lowe, "Testing for
//! linearizability" (2017), which remembers the configurations that have been seen.

use super::{Effect, Model};
use std::collections::BTreeSet;

/// What a search came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::oracle) enum Found {
    /// An order that explains everything.
    Order,
    /// None does. The return of this step, by its number, is the first that nothing explains.
    Nothing(usize),
    /// The budget was spent before.
    TooMuch,
}

/// An operation of a history that is known whole.
#[derive(Clone, Debug)]
pub(in crate::oracle) struct Step<M: Model> {
    pub(in crate::oracle) operation: M::Operation,
    /// What it answered; `None` if it may have happened or not.
    pub(in crate::oracle) answer: Option<M::Answer>,
    /// Positions in the history; one that never returned does so last.
    pub(in crate::oracle) invoked: usize,
    pub(in crate::oracle) returned: usize,
}

/// Looks for an order of the steps, which are in the order of their invocations, in at most `budget` moves. The object is
/// in one of the `initials` at first.
pub(in crate::oracle) fn search<M: Model<State: Ord>>(initials: &[M::State], steps: &[Step<M>], budget: u64) -> Found {
    let mut search = Search::new(initials[0].clone(), steps);
    let mut initials = initials.iter();
    let mut is_open = false;
    for _ in 0..budget {
        if search.left == 0 {
            return Found::Order;
        }
        if !is_open {
            let Some(initial) = initials.next() else { return Found::Nothing(search.deepest) };
            search.begin(initial.clone());
        }
        is_open = search.go_on();
    }
    Found::TooMuch
}

/// An entry of the list of events: the invocation of step n is n, its return is n + the number of steps, and one more
/// is both the head and the end.
type Entry = usize;

/// The state, and which steps have been placed.
type Configuration<M> = (<M as Model>::State, usize, Box<[u64]>);

struct Search<'a, M: Model> {
    steps: &'a [Step<M>],
    next: Vec<Entry>,
    previous: Vec<Entry>,
    head: Entry,
    here: Entry,
    state: M::State,
    /// Steps that have been placed, a bit each.
    placed: Vec<u64>,
    /// Those before which all words of `placed` are full.
    full: usize,
    /// The order so far, each with the state before it, and whether it only looked.
    order: Vec<(usize, M::State, bool)>,
    /// Steps that returned and are not yet placed.
    left: usize,
    /// The last return that was ever in the way.
    deepest: usize,
    seen: BTreeSet<Configuration<M>>,
}

impl<M: Model<State: Ord>> Search<'_, M> {
    fn new(state: M::State, steps: &[Step<M>]) -> Search<'_, M> {
        let count = steps.len();
        let head = 2 * count;
        let mut entries: Vec<(usize, Entry)> = Vec::with_capacity(head);
        for (number, step) in steps.iter().enumerate() {
            entries.push((step.invoked, number));
            if step.answer.is_some() {
                entries.push((step.returned, number + count));
            }
        }
        entries.sort_unstable();
        let (mut next, mut previous) = (vec![head; head + 1], vec![head; head + 1]);
        let mut last = head;
        for (_, entry) in entries {
            (next[last], previous[entry]) = (entry, last);
            last = entry;
        }
        (next[last], previous[head]) = (head, last);
        let left = steps.iter().filter(|step| step.answer.is_some()).count();
        let deepest = steps.iter().position(|step| step.answer.is_some()).unwrap_or(0);
        let here = next[head];
        Search {
            steps,
            next,
            previous,
            head,
            here,
            state,
            placed: vec![0; count.div_ceil(64)],
            full: 0,
            order: Vec::new(),
            left,
            deepest,
            seen: BTreeSet::new(),
        }
    }

    /// Begins again, nothing being placed, in another state.
    fn begin(&mut self, state: M::State) {
        assert!(self.order.is_empty(), "the search from another state is not over");
        (self.state, self.here) = (state, self.next[self.head]);
    }

    /// Places the step at hand if it fits, else goes to the next entry. Answers whether there was anything left to try.
    fn go_on(&mut self) -> bool {
        assert!(self.here != self.head, "a return was missed");
        let count = self.steps.len();
        if self.here >= count {
            let step = self.here - count;
            if self.steps[step].returned > self.steps[self.deepest].returned {
                self.deepest = step;
            }
            return self.go_back();
        }
        let step = &self.steps[self.here];
        let mut state = self.state.clone();
        let given = M::apply(&mut state, &step.operation);
        let fits = step.answer.as_ref().map_or(state != self.state, |answer| *answer == given);
        if !fits {
            self.here = self.next[self.here];
            return true;
        }
        let number = self.here;
        let is_read = M::effect(&step.operation) == Effect::Read && state == self.state;
        self.place(number);
        if !is_read && !self.seen.insert(self.configuration(&state)) {
            self.take_back(number);
            self.here = self.next[number];
            return true;
        }
        let before = std::mem::replace(&mut self.state, state);
        self.order.push((number, before, is_read));
        self.here = self.next[self.head];
        true
    }

    fn go_back(&mut self) -> bool {
        while let Some((number, before, is_read)) = self.order.pop() {
            self.take_back(number);
            self.state = before;
            // To let a read wait that could have been placed has no merit.
            if !is_read {
                self.here = self.next[number];
                return true;
            }
        }
        false
    }

    /// The words of `placed` from the first that is not full to the last that is not empty say which are placed.
    fn configuration(&self, state: &M::State) -> Configuration<M> {
        let last = self.placed[self.full..].iter().rposition(|word| *word != 0).map_or(0, |last| last + 1);
        (state.clone(), self.full, self.placed[self.full..self.full + last].into())
    }

    fn place(&mut self, number: usize) {
        self.placed[number / 64] |= 1 << (number % 64);
        while self.placed.get(self.full) == Some(&u64::MAX) {
            self.full += 1;
        }
        self.unlink(number);
        if self.steps[number].answer.is_some() {
            self.left -= 1;
            self.unlink(number + self.steps.len());
        }
    }

    fn take_back(&mut self, number: usize) {
        self.placed[number / 64] &= !(1 << (number % 64));
        self.full = self.full.min(number / 64);
        if self.steps[number].answer.is_some() {
            self.left += 1;
            self.link(number + self.steps.len());
        }
        self.link(number);
    }

    fn unlink(&mut self, entry: Entry) {
        let (previous, next) = (self.previous[entry], self.next[entry]);
        (self.next[previous], self.previous[next]) = (next, previous);
    }

    /// Puts an entry back; those taken out after it are back already.
    fn link(&mut self, entry: Entry) {
        let (previous, next) = (self.previous[entry], self.next[entry]);
        (self.next[previous], self.previous[next]) = (entry, entry);
    }
}
