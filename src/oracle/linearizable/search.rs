//! Whether any order of the operations explains a history: a search in depth, for histories too wide to be followed.
//!
//! Return by return, as late as possible: an operation takes effect when it must be over, or before if that helps. What
//! only looks takes effect as soon as it sees what it must. An overwrite that nobody looks at before the next one need
//! not be placed: it is hidden right before the next, once it must be over.
//!
//! Sources: Wing and Gong, "Testing and verifying concurrent objects" (1993), the algorithm of section 4.2; Lowe, "Testing
//! for linearizability" (2017): to remember the configurations that have been seen, and to linearize just in time.

use super::{Effect, Model};
use crate::kernel::digest::mix;
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

/// Looks for an order of the steps, which are in the order of their invocations. The object is in one of the `initials`
/// at first. `budget` bounds the time and the memory: to try an operation costs 1, to remember a configuration `weight`.
pub(in crate::oracle) fn search<M: Model>(initials: &[M::State], steps: &[Step<M>], budget: u64, weight: u64) -> Found {
    let mut search = Search::new(initials[0].clone(), steps, budget, weight);
    for initial in initials {
        search.place.state = initial.clone();
        if search.enter() && search.run() {
            return Found::Order;
        }
        if search.credit == 0 {
            return Found::TooMuch;
        }
        search.undo(0, search.start.clone());
    }
    Found::Nothing(search.deepest)
}

/// Where the search is: what follows from the steps that have been placed, in their order.
#[derive(Clone, Debug)]
struct Place<S> {
    state: S,
    /// How many of the returns are behind it.
    event: usize,
    /// What was invoked before this and is an overwrite can have been hidden.
    hiding: usize,
    /// Whether the last to change the state is an overwrite that was not due and that nobody has looked at.
    is_idle: bool,
}

/// What has been tried from a place.
#[derive(Clone, Debug)]
struct Frame<S> {
    place: Place<S>,
    /// How many steps had been placed.
    placed: usize,
    stage: Stage,
    /// The next step of that stage in its list.
    next: usize,
}

/// What is tried, in this order.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// What is due was hidden, or takes effect.
    First,
    /// The other of the two.
    Second,
    /// Operations that return, or never do, after which that fits which is due.
    Helpers,
    UnknownHelpers,
    /// All others.
    Others,
    UnknownOthers,
    Over,
}

/// A list of steps, in their order, out of which they are taken and put back.
struct List {
    next: Vec<usize>,
    previous: Vec<usize>,
}

struct Search<'a, M: Model> {
    steps: &'a [Step<M>],
    effects: Vec<Effect>,
    /// Steps that return, in the order of that.
    order: Vec<usize>,
    /// For a step that never returns, an earlier one that does the same.
    twins: Vec<Option<usize>>,
    known: List,
    unknown: List,
    /// Those that never return and are neither overwrites nor placed.
    lost_updates: List,
    is_placed: Vec<bool>,
    /// Steps in the order in which they were placed.
    trail: Vec<usize>,
    place: Place<M::State>,
    start: Place<M::State>,
    frames: Vec<Frame<M::State>>,
    /// 128 bits that stand for the set of steps that have been placed.
    placed: [u64; 2],
    seen: BTreeSet<([u64; 2], bool, M::State)>,
    /// The last step that was ever due.
    deepest: usize,
    credit: u64,
    weight: u64,
}

/// How many steps before it are looked at for one that does the same.
const TWINS: usize = 64;

impl<M: Model> Search<'_, M> {
    fn new(state: M::State, steps: &[Step<M>], credit: u64, weight: u64) -> Search<'_, M> {
        let count = steps.len();
        let effects: Vec<Effect> = steps.iter().map(|step| M::effect(&step.operation)).collect();
        let mut order: Vec<usize> = (0..count).filter(|step| steps[*step].answer.is_some()).collect();
        let known = List::of(count, &order);
        order.sort_by_key(|step| steps[*step].returned);
        let is_unknown = |step: &usize| steps[*step].answer.is_none() && effects[*step] != Effect::Read;
        let lost: Vec<usize> = (0..count).filter(is_unknown).collect();
        let is_update = |step: &usize| effects[*step] == Effect::Update;
        let lost_updates: Vec<usize> = lost.iter().copied().filter(is_update).collect();
        let mut twins = vec![None; count];
        for (place, step) in lost.iter().enumerate() {
            let earlier = lost[place.saturating_sub(TWINS)..place].iter().rev();
            twins[*step] = earlier.copied().find(|other| steps[*other].operation == steps[*step].operation);
        }
        let deepest = order.first().copied().unwrap_or(0);
        let place = Place { state, event: 0, hiding: 0, is_idle: false };
        Search {
            steps,
            effects,
            order,
            twins,
            known,
            unknown: List::of(count, &lost),
            lost_updates: List::of(count, &lost_updates),
            is_placed: vec![false; count],
            trail: Vec::new(),
            start: place.clone(),
            place,
            frames: Vec::new(),
            placed: [0; 2],
            seen: BTreeSet::new(),
            deepest,
            credit,
            weight,
        }
    }

    /// Tries everything from the present place on. Answers whether it found an order.
    fn run(&mut self) -> bool {
        while let Some(frame) = self.frames.last() {
            if frame.place.event == self.order.len() {
                return true;
            }
            if self.credit == 0 {
                return false;
            }
            if self.advance() {
                continue;
            }
            self.frames.pop();
            if let Some(frame) = self.frames.last() {
                let (placed, place) = (frame.placed, frame.place.clone());
                self.undo(placed, place);
            }
        }
        false
    }

    /// Tries the next step from the place at the top. Answers whether there was one that led somewhere.
    fn advance(&mut self) -> bool {
        while self.credit > 0 {
            let Some((step, is_hidden)) = self.candidate() else { return false };
            let frame = self.frames.last().expect("a place to go on from");
            let (placed, before) = (frame.placed, frame.place.clone());
            let is_due = step == self.order[before.event];
            if !is_hidden {
                M::apply(&mut self.place.state, &self.steps[step].operation);
                if self.effects[step] == Effect::Overwrite {
                    self.place.hiding = self.steps[self.order[before.event]].returned;
                }
                self.place.is_idle = self.effects[step] == Effect::Overwrite && !is_due;
            }
            self.take(step);
            if self.enter() {
                return true;
            }
            self.undo(placed, before);
        }
        false
    }

    /// The next step to try from the place at the top, and whether it is only hidden.
    fn candidate(&mut self) -> Option<(usize, bool)> {
        loop {
            let frame = self.frames.last().expect("a place to go on from");
            let due = self.order[frame.place.event];
            let stage = frame.stage;
            let candidate = match stage {
                Stage::First | Stage::Second => {
                    let can_hide = self.effects[due] == Effect::Overwrite
                        && self.steps[due].invoked < self.place.hiding
                        && self.fits(due);
                    let hides = can_hide && (stage == Stage::First) != self.is_wanted(due, due);
                    self.turn(if stage == Stage::First { Stage::Second } else { Stage::Helpers });
                    match (hides, can_hide || stage == Stage::First) {
                        (true, _) => Some((due, true)),
                        (false, true) => Some((due, false)).filter(|_| self.is_allowed(due) && self.fits(due)),
                        (false, false) => None,
                    }
                }
                Stage::Over => return None,
                Stage::Helpers | Stage::UnknownHelpers | Stage::Others | Stage::UnknownOthers => {
                    self.listed(due, stage).map(|step| (step, false))
                }
            };
            if candidate.is_some() || self.credit == 0 {
                return candidate;
            }
        }
    }

    /// The next step of a list that belongs to the stage; goes to the next stage if there is none.
    fn listed(&mut self, due: usize, stage: Stage) -> Option<usize> {
        let end = self.steps.len();
        let is_unknown = matches!(stage, Stage::UnknownHelpers | Stage::UnknownOthers);
        let helps = matches!(stage, Stage::Helpers | Stage::UnknownHelpers);
        let fits_now = self.fits(due);
        let mut step = self.frames.last().expect("a place to go on from").next;
        if step == usize::MAX {
            step = if is_unknown { self.unknown.next[end] } else { self.known.next[end] };
        }
        // What fits already needs no help.
        while !(helps && fits_now) && step != end && self.steps[step].invoked < self.steps[due].returned {
            if self.credit == 0 {
                return None;
            }
            let next = if is_unknown { self.unknown.next[step] } else { self.known.next[step] };
            if step != due && self.is_useful(step, due, fits_now, helps) {
                self.frames.last_mut().expect("a place to go on from").next = next;
                return Some(step);
            }
            step = next;
        }
        self.turn(match stage {
            Stage::Helpers => Stage::UnknownHelpers,
            Stage::UnknownHelpers => Stage::Others,
            Stage::Others => Stage::UnknownOthers,
            _ => Stage::Over,
        });
        None
    }

    fn turn(&mut self, stage: Stage) {
        let frame = self.frames.last_mut().expect("a place to go on from");
        (frame.stage, frame.next) = (stage, usize::MAX);
    }

    /// Whether to place a step that is not due may be of use: it fits, changes something, and does or does not help.
    fn is_useful(&mut self, step: usize, due: usize, fits_now: bool, helps: bool) -> bool {
        self.credit = self.credit.saturating_sub(1);
        let Step { operation, answer, .. } = &self.steps[step];
        if !self.is_allowed(step) || self.twins[step].is_some_and(|twin| !self.is_placed[twin]) {
            return false;
        }
        let mut state = self.place.state.clone();
        let given = M::apply(&mut state, operation);
        if answer.as_ref().is_some_and(|answer| *answer != given) {
            return false;
        }
        // An overwrite by the same value may hide others.
        let is_same = state == self.place.state && (answer.is_none() || self.effects[step] == Effect::Read);
        if is_same && self.effects[step] != Effect::Overwrite {
            return false;
        }
        if !fits_now {
            let due = &self.steps[due];
            if (Some(M::apply(&mut state, &due.operation)) == due.answer) != helps {
                return false;
            }
        }
        if self.effects[step] == Effect::Overwrite && (fits_now || !helps) && !self.is_used(step, due) {
            return false;
        }
        !self.has_more_urgent(step, due, &given)
    }

    /// Whether another that does the same, and answers the same, returns sooner.
    fn has_more_urgent(&self, step: usize, due: usize, given: &M::Answer) -> bool {
        let (mut other, end) = (self.known.next[self.steps.len()], self.steps.len());
        let own = &self.steps[step];
        while other != end && self.steps[other].invoked < self.steps[due].returned {
            let Step { operation, answer, returned, .. } = &self.steps[other];
            if *returned < own.returned && answer.as_ref() == Some(given) && *operation == own.operation {
                return true;
            }
            other = self.known.next[other];
        }
        false
    }

    /// Two overwrites in a row are one, with the other hidden.
    fn is_allowed(&self, step: usize) -> bool {
        !self.place.is_idle || self.effects[step] != Effect::Overwrite
    }

    fn fits(&self, step: usize) -> bool {
        let given = M::apply(&mut self.place.state.clone(), &self.steps[step].operation);
        self.steps[step].answer.as_ref().is_none_or(|answer| *answer == given)
    }

    /// Whether something could follow upon an overwrite that is not due, other than the next overwrite.
    fn is_used(&self, step: usize, due: usize) -> bool {
        let lost = self.lost_updates.next[self.steps.len()];
        lost != self.steps.len() && self.steps[lost].invoked < self.steps[due].returned || self.is_wanted(step, due)
    }

    /// Whether somebody who waits would see what a step makes of the state.
    fn is_wanted(&self, maker: usize, due: usize) -> bool {
        let mut state = self.place.state.clone();
        M::apply(&mut state, &self.steps[maker].operation);
        let (mut step, end) = (self.known.next[self.steps.len()], self.steps.len());
        while step != end && self.steps[step].invoked < self.steps[due].returned {
            let Step { operation, answer, .. } = &self.steps[step];
            let looks = self.effects[step] != Effect::Overwrite && step != maker;
            if looks && Some(M::apply(&mut state.clone(), operation)) == *answer {
                return true;
            }
            step = self.known.next[step];
        }
        false
    }

    /// Lets everything take effect that only looks, and sees what it must. Answers whether the place is a new one; it is
    /// then one to go on from.
    fn enter(&mut self) -> bool {
        while let Some(due) = self.due() {
            let (mut step, end) = (self.known.next[self.steps.len()], self.steps.len());
            while step != end && self.steps[step].invoked < self.steps[due].returned {
                let next = self.known.next[step];
                if self.effects[step] == Effect::Read {
                    self.credit = self.credit.saturating_sub(1);
                    let mut state = self.place.state.clone();
                    let given = M::apply(&mut state, &self.steps[step].operation);
                    if Some(given) == self.steps[step].answer && state == self.place.state {
                        self.take(step);
                        self.place.is_idle = false;
                    }
                }
                step = next;
            }
            if !self.is_placed[due] {
                if self.steps[due].returned > self.steps[self.deepest].returned {
                    self.deepest = due;
                }
                break;
            }
        }
        self.credit = self.credit.saturating_sub(self.weight);
        let configuration = (self.configuration(), self.place.is_idle, self.place.state.clone());
        if !self.seen.insert(configuration) {
            return false;
        }
        let (place, placed) = (self.place.clone(), self.trail.len());
        self.frames.push(Frame { place, placed, stage: Stage::First, next: usize::MAX });
        true
    }

    /// The step that must be over next.
    fn due(&mut self) -> Option<usize> {
        while self.order.get(self.place.event).is_some_and(|step| self.is_placed[*step]) {
            self.place.event += 1;
        }
        self.order.get(self.place.event).copied()
    }

    /// Stands for the steps that have been placed, and those that can have been hidden.
    fn configuration(&self) -> [u64; 2] {
        let mut configuration = self.placed;
        let (mut step, end) = (self.known.next[self.steps.len()], self.steps.len());
        while step != end && self.steps[step].invoked < self.place.hiding {
            if self.effects[step] == Effect::Overwrite {
                configuration[0] ^= mix(step as u64, 3);
                configuration[1] ^= mix(step as u64, 4);
            }
            step = self.known.next[step];
        }
        configuration
    }

    fn take(&mut self, step: usize) {
        self.list(step).take(step);
        if self.is_lost_update(step) {
            self.lost_updates.take(step);
        }
        self.toggle(step);
        self.is_placed[step] = true;
        self.trail.push(step);
    }

    /// Takes back all but the first `placed` steps.
    fn undo(&mut self, placed: usize, place: Place<M::State>) {
        while self.trail.len() > placed {
            let step = self.trail.pop().expect("it is longer");
            self.list(step).put_back(step);
            if self.is_lost_update(step) {
                self.lost_updates.put_back(step);
            }
            self.toggle(step);
            self.is_placed[step] = false;
        }
        self.place = place;
    }

    fn list(&mut self, step: usize) -> &mut List {
        if self.steps[step].answer.is_some() { &mut self.known } else { &mut self.unknown }
    }

    fn is_lost_update(&self, step: usize) -> bool {
        self.steps[step].answer.is_none() && self.effects[step] == Effect::Update
    }

    fn toggle(&mut self, step: usize) {
        self.placed[0] ^= mix(step as u64, 1);
        self.placed[1] ^= mix(step as u64, 2);
    }
}

impl List {
    /// A list of some of `count` steps; the entry behind the last stands for both ends.
    fn of(count: usize, steps: &[usize]) -> List {
        let (mut next, mut previous) = (vec![count; count + 1], vec![count; count + 1]);
        let mut last = count;
        for step in steps {
            (next[last], previous[*step]) = (*step, last);
            last = *step;
        }
        (next[last], previous[count]) = (count, last);
        List { next, previous }
    }

    fn take(&mut self, step: usize) {
        let (previous, next) = (self.previous[step], self.next[step]);
        (self.next[previous], self.previous[next]) = (next, previous);
    }

    /// Those taken out after it are back already.
    fn put_back(&mut self, step: usize) {
        let (previous, next) = (self.previous[step], self.next[step]);
        (self.next[previous], self.previous[next]) = (step, step);
    }
}
