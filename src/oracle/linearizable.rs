//! Is this history explained by a sequential object?
//!
//! The checker listens to one object while the history happens and answers after every
//! completed operation. It keeps what the past leaves open, as a set of configurations: a
//! state the object may be in, with those pending operations that must have taken effect
//! for it to be there. An operation takes effect as late as possible: at its own return, or
//! right before the return of another that would be inexplicable without it.
//!
//! Sources: Wing and Gong, "Testing and verifying concurrent objects" (1993); Lowe, "Testing
//! for linearizability" (2017), section on just-in-time linearization. Both know all answers
//! beforehand. Here they are yet to come, so three things are postponed instead of guessed:
//!
//! - A pending read is never placed. A configuration notes which answers it could have given.
//! - A pending overwrite need not be placed before another overwrite that hides it. The
//!   configuration notes that it could have been.
//! - An operation that never returns is placed only if someone needs its effect.
//!
//! ```
//! use squall::oracle::linearizable::{Answer, Checker, Operation, Register};
//!
//! let mut checker = Checker::<Register>::new(0);
//! let write = checker.invoke(Operation::Write(1));
//! let read = checker.invoke(Operation::Read);
//! assert!(checker.returned(read, Answer::Value(1)).is_ok());
//! let late = checker.invoke(Operation::Read);
//! let stale = checker.returned(late, Answer::Value(0)).expect_err("the write was seen before");
//! assert_eq!(stale.states, [1]);
//! # let _ = write;
//! ```

use std::fmt;

/// A sequential object: what it remembers, what it can be asked, what it answers.
pub trait Model: Clone + fmt::Debug {
    /// All that the object remembers.
    type State: Clone + Eq + fmt::Debug;
    /// What a client asks for.
    type Operation: Clone + fmt::Debug;
    /// What a client is told.
    type Answer: Clone + Eq + fmt::Debug;

    /// Lets `operation` take effect and tells its answer. Must be a function of its arguments.
    fn apply(state: &mut Self::State, operation: &Self::Operation) -> Self::Answer;

    /// What `operation` does to the state, whatever the state. [`Effect::Update`] is always
    /// true, the others make the checker faster.
    fn effect(operation: &Self::Operation) -> Effect;
}

/// What an operation does to the state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Leaves it alone.
    Read,
    /// Replaces it: neither the new state nor the answer depends on the old state.
    Overwrite,
    /// Anything else.
    Update,
}

/// What the checker knows so far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// A sequential object explains everything up to now.
    Linearizable,
    /// Nothing explains it, and nothing that may still come will.
    NotLinearizable,
    /// Too many possibilities were open at once: the checker gave up before it knew.
    Undecided,
}

/// A pending operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OperationId(u64);

/// The event after which no sequential object explains the history.
#[derive(Clone, Debug)]
pub struct NotLinearizable<M: Model> {
    /// The operation that completed.
    pub operation: M::Operation,
    /// What it answered; `None` if it was reported not to have happened.
    pub answer: Option<M::Answer>,
    /// States the object may have been in before, at most eight, each once.
    pub states: Vec<M::State>,
    /// The operations that were pending beside it, oldest first.
    pub pending: Vec<Pending<M>>,
}

/// An operation that could still take effect.
#[derive(Clone, Debug)]
pub struct Pending<M: Model> {
    /// What was asked for.
    pub operation: M::Operation,
    /// Whether it will never return.
    pub unknown: bool,
}

impl<M: Model> fmt::Display for NotLinearizable<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.answer {
            Some(answer) => write!(f, "{:?} cannot have answered {answer:?}", self.operation)?,
            None => write!(f, "{:?} cannot have failed, its effect was seen", self.operation)?,
        }
        write!(f, "; the state before was ")?;
        for (place, state) in self.states.iter().enumerate() {
            write!(f, "{}{state:?}", if place == 0 { "" } else { " or " })?;
        }
        for (place, Pending { operation, unknown }) in self.pending.iter().enumerate() {
            write!(f, "{}{operation:?}", if place == 0 { "; still pending: " } else { ", " })?;
            write!(f, "{}", if *unknown { " (outcome unknown)" } else { "" })?;
        }
        Ok(())
    }
}

/// Listens to the operations on one object.
///
/// Memory depends on what is pending, not on how much has happened: at most 128 operations
/// may be pending or unknown at once, more make the verdict [`Verdict::Undecided`].
///
/// Once the verdict is no longer [`Verdict::Linearizable`] it stays, and all calls are free
/// and without effect.
#[derive(Clone, Debug)]
pub struct Checker<M: Model> {
    /// None covers another.
    configurations: Vec<Configuration<M>>,
    window: Window<M>,
    verdict: Verdict,
    budget: u64,
    credit: u64,
    /// Working space of a search; empty between calls.
    frontier: Vec<Configuration<M>>,
    survivors: Vec<Configuration<M>>,
}

impl<M: Model> Checker<M> {
    /// A checker of an object that nobody has touched, with a budget for a dozen clients.
    pub fn new(initial: M::State) -> Checker<M> {
        Checker::with_budget(initial, BUDGET)
    }

    /// A checker that makes at most `budget` comparisons of configurations for one operation,
    /// and in the long run 1/256 of that an operation. A comparison takes some nanoseconds; no
    /// more configurations are kept than the square root of twice the budget.
    ///
    /// # Panics
    /// If the budget is zero.
    pub fn with_budget(initial: M::State, budget: u64) -> Checker<M> {
        assert!(budget > 0, "a checker without a budget decides nothing");
        let untouched = Configuration { state: initial, linearized: 0, hidden: 0, bystanders: 0, notes: Vec::new() };
        Checker {
            configurations: vec![untouched],
            window: Window { slots: Vec::new(), taken: 0, reads: 0, overwrites: 0, unknown: 0, invoked: 0 },
            verdict: Verdict::Linearizable,
            budget,
            credit: budget,
            frontier: Vec::new(),
            survivors: Vec::new(),
        }
    }

    /// What is known so far.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// A client asks for `operation`, which may take effect from now on.
    #[inline]
    pub fn invoke(&mut self, operation: M::Operation) -> OperationId {
        if self.window.is_full() {
            self.stop(Verdict::Undecided);
        }
        if self.verdict != Verdict::Linearizable {
            return OperationId(u64::MAX);
        }
        self.window.add(operation)
    }

    /// The operation is going to return `answer`. To be said right after its invocation, by
    /// who has the whole history: what nobody will ask about is then not considered, which
    /// makes tens of concurrent clients feasible. A violation may be found earlier than
    /// without, never later.
    ///
    /// # Panics
    /// If the operation is not pending.
    pub fn foretell(&mut self, id: OperationId, answer: M::Answer) {
        if self.verdict == Verdict::Linearizable {
            let slot = self.window.slot(id);
            self.window.slots[slot].foretold = Some(answer);
        }
    }

    /// The operation took effect between its invocation and now, and gave `answer`.
    ///
    /// # Errors
    /// If no sequential object explains that. It is said once.
    ///
    /// # Panics
    /// If the operation is not pending, or another answer was foretold.
    #[inline]
    pub fn returned(&mut self, id: OperationId, answer: M::Answer) -> Result<(), Box<NotLinearizable<M>>> {
        if self.verdict != Verdict::Linearizable {
            return Ok(());
        }
        let slot = self.window.remove(id);
        assert!(
            self.window.may_answer(slot, &answer),
            "{:?} answers {answer:?}, not as foretold",
            self.window.slots[slot].operation
        );
        if self.settle_at_once(slot, &answer) || self.settle(slot, &answer) {
            return Ok(());
        }
        Err(self.violation(slot, Some(answer)))
    }

    /// The operation will not return: it takes effect at any time from its invocation on, or never.
    ///
    /// # Panics
    /// If the operation is not pending, or was foretold to return.
    pub fn unknown(&mut self, id: OperationId) {
        if self.verdict != Verdict::Linearizable {
            return;
        }
        let slot = self.window.slot(id);
        assert!(self.window.slots[slot].foretold.is_none(), "an operation was foretold to return and does not");
        if self.window.reads & bit(slot) != 0 {
            self.window.remove(id);
            self.configurations.iter_mut().for_each(|configuration| configuration.forget(slot));
        } else {
            self.window.unknown |= bit(slot);
        }
        // Nobody will ask what it answered.
        self.configurations.iter_mut().for_each(|configuration| configuration.notes.retain(|note| note.0 != slot));
        self.thin_out();
    }

    /// The operation did not happen and will not.
    ///
    /// # Errors
    /// If others have seen its effect.
    ///
    /// # Panics
    /// If the operation is not pending, or was foretold to return.
    pub fn failed(&mut self, id: OperationId) -> Result<(), Box<NotLinearizable<M>>> {
        if self.verdict != Verdict::Linearizable {
            return Ok(());
        }
        let slot = self.window.remove(id);
        assert!(self.window.slots[slot].foretold.is_none(), "an operation was foretold to return and does not");
        if self.configurations.iter().all(|configuration| configuration.linearized & bit(slot) != 0) {
            return Err(self.violation(slot, None));
        }
        self.configurations.retain(|configuration| configuration.linearized & bit(slot) == 0);
        self.configurations.iter_mut().for_each(|configuration| configuration.forget(slot));
        self.thin_out();
        Ok(())
    }

    /// The usual case: one configuration, and nothing to explore from there. Answers whether
    /// that settled it; if not, nothing has changed.
    #[inline]
    fn settle_at_once(&mut self, slot: usize, answer: &M::Answer) -> bool {
        let window = &self.window;
        let [only] = &mut self.configurations[..] else { return false };
        let operation = &window.slots[slot].operation;
        let effect = M::effect(operation);
        if effect == Effect::Read {
            let explained = M::apply(&mut only.state, operation) == *answer || only.noted(slot, answer);
            if explained {
                only.forget(slot);
            }
            return explained;
        }
        let others = window.taken & !window.reads & !only.linearized;
        // Overwrites that took effect right before this one would be hidden by it.
        let hidden = if effect == Effect::Overwrite { window.overwrites } else { 0 };
        let nothing_to_explore = others & !hidden == 0;
        if !nothing_to_explore || (only.linearized | only.hidden) & bit(slot) != 0 {
            return false;
        }
        let mut state = only.state.clone();
        if M::apply(&mut state, operation) != *answer || only.notes.len() >= NOTES {
            return false;
        }
        only.take_effect(slot, state, window);
        only.linearized &= !bit(slot);
        true
    }

    /// Keeps what explains the answer, after letting other pending operations take effect
    /// where that may help. Answers whether anything does; if not, nothing has changed.
    #[inline(never)]
    fn settle(&mut self, slot: usize, answer: &M::Answer) -> bool {
        self.credit = self.budget.min(self.credit + self.budget / EARNED + 1);
        assert!(self.frontier.is_empty() && self.survivors.is_empty(), "the working space holds an older search");
        let effect = M::effect(&self.window.slots[slot].operation);
        let window = &self.window;
        for configuration in &self.configurations {
            let in_force = configuration.linearized & bit(slot) != 0;
            let settled = match effect {
                // To go on before reading would add nothing: what is pending can follow later.
                Effect::Read => {
                    configuration.noted(slot, answer) || window.outcome(slot, &configuration.state).1 == *answer
                }
                Effect::Overwrite => in_force && window.outcome(slot, &configuration.state).1 == *answer,
                Effect::Update => in_force && configuration.noted(slot, answer),
            };
            if settled {
                let mut survivor = configuration.clone();
                survivor.forget(slot);
                admit(&mut self.survivors, survivor, window, &mut self.credit);
                continue;
            }
            if in_force {
                continue;
            }
            let seen_by_now = |hidden: usize| match effect {
                Effect::Read => {
                    configuration.bystanders & bit(slot) != 0
                        && window.seen(hidden, slot, &configuration.state) == *answer
                }
                Effect::Overwrite => hidden == slot && window.outcome(slot, &configuration.state).1 == *answer,
                Effect::Update => false,
            };
            for hidden in bits(configuration.hidden).filter(|hidden| seen_by_now(*hidden)) {
                let mut survivor = configuration.clone();
                survivor.was_hidden(hidden, window);
                survivor.forget(slot);
                admit(&mut self.survivors, survivor, window, &mut self.credit);
            }
            self.frontier.push(configuration.clone());
        }
        self.explore(slot, effect, answer);
        self.frontier.clear();
        if self.credit == 0 {
            self.stop(Verdict::Undecided);
            return true;
        }
        if self.survivors.is_empty() {
            return false;
        }
        std::mem::swap(&mut self.configurations, &mut self.survivors);
        self.survivors.clear();
        self.release_spent();
        true
    }

    /// From every configuration of the frontier: the operation takes effect now, or another
    /// takes effect first.
    fn explore(&mut self, slot: usize, effect: Effect, answer: &M::Answer) {
        let changes = self.window.taken & !self.window.reads;
        let updates = changes & !self.window.overwrites;
        for root in 0..self.frontier.len() {
            self.step(root, self.window.overwrites);
        }
        // Two overwrites in a row would be covered by the second with the first one hidden.
        let overwritten = self.frontier.len();
        let mut next = 0;
        while next < self.frontier.len() && self.credit > 0 {
            let window = &self.window;
            let here = &self.frontier[next];
            let (state, given) = window.outcome(slot, &here.state);
            let explained = given == *answer;
            if explained {
                let mut survivor = here.clone();
                survivor.take_effect(slot, state, window);
                survivor.forget(slot);
                if survivor.notes.len() > NOTES {
                    self.credit = 0;
                }
                admit(&mut self.survivors, survivor, window, &mut self.credit);
            }
            if !explained || effect != Effect::Read {
                self.step(next, if next < overwritten { updates } else { changes });
            }
            next += 1;
        }
    }

    /// Adds to the frontier where one operation out of `choice` leads from a place in it.
    fn step(&mut self, place: usize, choice: Mask) {
        let window = &self.window;
        for other in bits(choice & !self.frontier[place].linearized) {
            let here = &self.frontier[place];
            let (state, given) = window.outcome(other, &here.state);
            let unknown = window.unknown & bit(other) != 0;
            // What changes nothing and will not be asked about need not happen.
            if unknown && state == here.state || !window.may_answer(other, &given) {
                continue;
            }
            let mut there = here.clone();
            there.take_effect(other, state, window);
            if !unknown && window.overwrites & bit(other) == 0 {
                there.notes.push((other, given));
            }
            self.credit = self.credit.saturating_sub(1 + there.notes.len() as u64);
            if self.credit > 0 && !is_covered(&self.frontier, &there, window, &mut self.credit) {
                self.frontier.push(there);
            }
        }
    }

    /// Less is pending or asked about than before: some configurations may now cover others.
    fn thin_out(&mut self) {
        for configuration in self.configurations.drain(..) {
            admit(&mut self.survivors, configuration, &self.window, &mut self.credit);
        }
        std::mem::swap(&mut self.configurations, &mut self.survivors);
        self.release_spent();
    }

    /// Forgets operations of unknown outcome that have taken effect for certain.
    fn release_spent(&mut self) {
        assert!(!self.configurations.is_empty(), "a history without an explanation goes on");
        let everywhere = |mask: Mask, configuration: &Configuration<M>| mask & configuration.linearized;
        for slot in bits(self.configurations.iter().fold(self.window.unknown, everywhere)) {
            self.window.release(slot);
            self.configurations.iter_mut().for_each(|configuration| configuration.forget(slot));
        }
    }

    #[cold]
    fn violation(&mut self, slot: usize, answer: Option<M::Answer>) -> Box<NotLinearizable<M>> {
        let mut states = Vec::new();
        for configuration in &self.configurations {
            if states.len() < STATES && !states.contains(&configuration.state) {
                states.push(configuration.state.clone());
            }
        }
        let window = &self.window;
        let mut oldest_first: Vec<usize> = bits(window.taken).collect();
        oldest_first.sort_by_key(|slot| window.slots[*slot].id.0);
        let pending = oldest_first.into_iter().map(|slot| Pending {
            operation: window.slots[slot].operation.clone(),
            unknown: window.unknown & bit(slot) != 0,
        });
        let violation = NotLinearizable {
            operation: window.slots[slot].operation.clone(),
            answer,
            states,
            pending: pending.collect(),
        };
        self.stop(Verdict::NotLinearizable);
        Box::new(violation)
    }

    #[cold]
    fn stop(&mut self, verdict: Verdict) {
        if self.verdict == Verdict::Linearizable {
            self.verdict = verdict;
        }
        // The memory of a large search is not carried along to the end of the run.
        (self.configurations, self.frontier, self.survivors) = (Vec::new(), Vec::new(), Vec::new());
    }
}

/// Adds a configuration unless another covers it, and drops those that it covers.
fn admit<M: Model>(list: &mut Vec<Configuration<M>>, new: Configuration<M>, window: &Window<M>, credit: &mut u64) {
    if !is_covered(list, &new, window, credit) {
        list.retain(|old| !new.covers(old, window));
        list.push(new);
    }
}

fn is_covered<M: Model>(
    list: &[Configuration<M>],
    new: &Configuration<M>,
    window: &Window<M>,
    credit: &mut u64,
) -> bool {
    *credit = credit.saturating_sub(list.len() as u64);
    list.iter().any(|old| old.covers(new, window))
}

/// One way in which everything up to now can be explained.
#[derive(Clone, Debug)]
struct Configuration<M: Model> {
    state: M::State,
    /// Pending operations that have taken effect.
    linearized: Mask,
    /// Pending overwrites that have not, but could have, right before the latest overwrite,
    /// which hid them. Whoever could have been hidden earlier could be so then.
    hidden: Mask,
    /// Pending reads that could have seen the hidden.
    bystanders: Mask,
    /// By slot. For an update that has taken effect: the answer that it gave. For a read: the
    /// answers it could have given on the way here, the present state's not among them.
    notes: Vec<(usize, M::Answer)>,
}

impl<M: Model> Configuration<M> {
    /// The operation takes effect now and leads to `state`.
    #[inline]
    fn take_effect(&mut self, slot: usize, state: M::State, window: &Window<M>) {
        if state != self.state {
            for read in bits(window.reads) {
                let answer = M::apply(&mut self.state, &window.slots[read].operation);
                self.note(read, answer, window);
            }
            self.state = state;
        }
        self.linearized |= bit(slot);
        if M::effect(&window.slots[slot].operation) == Effect::Overwrite {
            self.hidden = window.overwrites;
            self.bystanders = window.reads;
        }
        self.hidden &= !self.linearized;
    }

    /// A hidden operation did take effect, where it can be.
    fn was_hidden(&mut self, slot: usize, window: &Window<M>) {
        assert!(self.hidden & bit(slot) != 0, "slot {slot} could not have been hidden");
        self.hidden &= !bit(slot);
        self.linearized |= bit(slot);
        for read in bits(self.bystanders & window.reads) {
            let answer = window.seen(slot, read, &self.state);
            self.note(read, answer, window);
        }
    }

    /// The operation is over.
    #[inline]
    fn forget(&mut self, slot: usize) {
        self.linearized &= !bit(slot);
        self.hidden &= !bit(slot);
        self.bystanders &= !bit(slot);
        if !self.notes.is_empty() {
            self.notes.retain(|(noted, _)| *noted != slot);
        }
    }

    fn note(&mut self, slot: usize, answer: M::Answer, window: &Window<M>) {
        if window.may_answer(slot, &answer) && !self.noted(slot, &answer) {
            self.notes.push((slot, answer));
        }
    }

    #[inline]
    fn noted(&self, slot: usize, answer: &M::Answer) -> bool {
        self.notes.iter().any(|(noted, possible)| *noted == slot && possible == answer)
    }

    /// Whether everything that can follow upon `other` can follow upon this.
    ///
    /// What `other` has used up and this has not must be no burden: it never returns, or can
    /// be said to have been hidden.
    #[inline]
    fn covers(&self, other: &Configuration<M>, window: &Window<M>) -> bool {
        let used = other.linearized & !self.linearized;
        // An operation of unknown outcome matters among the hidden only if somebody could have seen it.
        let unseen = if other.bystanders == 0 { window.unknown } else { 0 };
        self.linearized & !other.linearized == 0
            && used & !self.hidden & !window.unknown == 0
            && other.hidden & !self.hidden & !unseen == 0
            && (other.hidden == 0 || other.bystanders & !self.bystanders == 0)
            && self.state == other.state
            && other.notes.iter().all(|(slot, answer)| {
                let seen = |hidden| window.seen(hidden, *slot, &self.state) == *answer;
                self.noted(*slot, answer)
                    || self.bystanders & window.reads & bit(*slot) != 0 && bits(used & self.hidden).any(seen)
            })
    }
}

/// The operations that are pending, each in a slot.
#[derive(Clone, Debug)]
struct Window<M: Model> {
    slots: Vec<Slot<M>>,
    taken: Mask,
    /// Of the taken: those that leave the state alone.
    reads: Mask,
    /// Of the taken: those that replace the state.
    overwrites: Mask,
    /// Of the taken: those that will not return.
    unknown: Mask,
    invoked: u64,
}

#[derive(Clone, Debug)]
struct Slot<M: Model> {
    id: OperationId,
    operation: M::Operation,
    foretold: Option<M::Answer>,
}

impl<M: Model> Window<M> {
    #[inline]
    fn is_full(&self) -> bool {
        self.taken == Mask::MAX
    }

    #[inline]
    fn add(&mut self, operation: M::Operation) -> OperationId {
        let slot = self.taken.trailing_ones() as usize;
        assert!(slot < SLOTS, "all {SLOTS} slots are taken");
        // Numbers are not used again, so that an id of an operation that is over is noticed.
        let id = OperationId((self.invoked << SLOT_BITS) | slot as u64);
        self.invoked += 1;
        self.taken |= bit(slot);
        match M::effect(&operation) {
            Effect::Read => self.reads |= bit(slot),
            Effect::Overwrite => self.overwrites |= bit(slot),
            Effect::Update => {}
        }
        match self.slots.get_mut(slot) {
            Some(free) => *free = Slot { id, operation, foretold: None },
            None => self.slots.push(Slot { id, operation, foretold: None }),
        }
        id
    }

    /// Where the operation is, which must be pending.
    #[inline]
    fn slot(&self, id: OperationId) -> usize {
        let slot = id.0 as usize % SLOTS;
        let pending = self.taken & !self.unknown & bit(slot) != 0 && self.slots[slot].id == id;
        assert!(pending, "operation {} is not pending", id.0 >> SLOT_BITS);
        slot
    }

    /// The operation is no longer pending. It can be looked up until the next one is added.
    #[inline]
    fn remove(&mut self, id: OperationId) -> usize {
        let slot = self.slot(id);
        self.release(slot);
        slot
    }

    #[inline]
    fn release(&mut self, slot: usize) {
        self.taken &= !bit(slot);
        self.reads &= !bit(slot);
        self.overwrites &= !bit(slot);
        self.unknown &= !bit(slot);
    }

    #[inline]
    fn may_answer(&self, slot: usize, answer: &M::Answer) -> bool {
        self.slots[slot].foretold.as_ref().is_none_or(|foretold| foretold == answer)
    }

    #[inline]
    fn outcome(&self, slot: usize, state: &M::State) -> (M::State, M::Answer) {
        let mut state = state.clone();
        let answer = M::apply(&mut state, &self.slots[slot].operation);
        (state, answer)
    }

    /// What a read sees of an overwrite, for which any state will do.
    #[inline]
    fn seen(&self, overwrite: usize, read: usize, state: &M::State) -> M::Answer {
        let (state, _) = self.outcome(overwrite, state);
        self.outcome(read, &state).1
    }
}

/// One bit for each operation that may be pending.
type Mask = u128;

/// How many operations may be pending.
const SLOTS: usize = Mask::BITS as usize;
/// The low bits of an id are its slot.
const SLOT_BITS: u32 = SLOTS.ilog2();
/// How many answers a configuration may note. A read during which more values go by belongs
/// to a client that should have been reported as unknown.
const NOTES: usize = 1_024;
/// How many states a violation lists.
const STATES: usize = 8;
/// Comparisons for one operation. Worth about ten milliseconds.
const BUDGET: u64 = 1 << 22;
/// An operation that calls for a search earns this part of the budget.
const EARNED: u64 = 256;

#[inline]
fn bit(slot: usize) -> Mask {
    1 << slot
}

/// The slots in a mask, lowest first.
#[inline]
fn bits(mut mask: Mask) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let slot = mask.trailing_zeros() as usize;
        mask &= mask.wrapping_sub(1);
        (slot < SLOTS).then_some(slot)
    })
}

/// A register that holds a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Register;

/// What a [`Register`] can be asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// Tells the number.
    Read,
    /// Replaces the number.
    Write(u64),
    /// Replaces the number if it is `from`.
    Cas {
        /// What the number must be.
        from: u64,
        /// What it becomes then.
        to: u64,
    },
    /// Adds to the number, modulo 2^64, and tells the sum.
    Add(u64),
}

/// What a [`Register`] answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// To a read: the number. To an addition: the sum.
    Value(u64),
    /// To a write.
    Done,
    /// To a compare-and-swap: whether the number was as expected.
    Swapped(bool),
}

impl Model for Register {
    type State = u64;
    type Operation = Operation;
    type Answer = Answer;

    #[inline]
    fn apply(state: &mut u64, operation: &Operation) -> Answer {
        match *operation {
            Operation::Read => Answer::Value(*state),
            Operation::Write(value) => {
                *state = value;
                Answer::Done
            }
            Operation::Cas { from, to } => {
                let swapped = *state == from;
                if swapped {
                    *state = to;
                }
                Answer::Swapped(swapped)
            }
            Operation::Add(delta) => {
                *state = state.wrapping_add(delta);
                Answer::Value(*state)
            }
        }
    }

    #[inline]
    fn effect(operation: &Operation) -> Effect {
        match operation {
            Operation::Read => Effect::Read,
            Operation::Write(_) => Effect::Overwrite,
            Operation::Cas { .. } | Operation::Add(_) => Effect::Update,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::rng::{Dice, Purpose};
    use Answer::{Done, Swapped, Value};
    use Operation::{Add, Cas, Read, Write};

    /// What happens to an operation, by its number in the history.
    #[derive(Clone, Copy, PartialEq, Debug)]
    enum Event {
        Invoked(usize, Operation),
        Returned(usize, Answer),
        Unknown(usize),
        Failed(usize),
    }
    use Event::{Failed, Invoked, Returned, Unknown};

    /// The index of the first event without an explanation, if there is one.
    fn first_bad(events: &[Event]) -> Option<usize> {
        first_bad_foretold(events, false)
    }

    fn first_bad_foretold(events: &[Event], foretold: bool) -> Option<usize> {
        let mut checker = Checker::<Register>::new(0);
        let mut ids = Vec::new();
        for (index, event) in events.iter().enumerate() {
            let explained = match *event {
                Invoked(operation, asked) => {
                    assert_eq!(operation, ids.len(), "operations are numbered in order");
                    ids.push(checker.invoke(asked));
                    if let Some(answer) = answer_to(operation, events).filter(|_| foretold) {
                        checker.foretell(ids[operation], answer);
                    }
                    true
                }
                Returned(operation, answer) => checker.returned(ids[operation], answer).is_ok(),
                Unknown(operation) => {
                    checker.unknown(ids[operation]);
                    true
                }
                Failed(operation) => checker.failed(ids[operation]).is_ok(),
            };
            if !explained {
                assert_eq!(checker.verdict(), Verdict::NotLinearizable);
                return Some(index);
            }
            assert_eq!(checker.verdict(), Verdict::Linearizable, "the budget is ample");
        }
        None
    }

    fn answer_to(asked: usize, events: &[Event]) -> Option<Answer> {
        events.iter().find_map(|event| match event {
            Returned(operation, answer) if *operation == asked => Some(*answer),
            _ => None,
        })
    }

    /// The twin: tries all orders, for each prefix anew.
    fn first_bad_by_trying_all_orders(events: &[Event]) -> Option<usize> {
        (0..events.len()).find(|last| {
            let mut operations = Vec::new();
            for (index, event) in events[..=*last].iter().enumerate() {
                match *event {
                    Invoked(_, asked) => operations.push(Span { asked, from: index, upto: usize::MAX, answer: None }),
                    Returned(operation, answer) => {
                        (operations[operation].upto, operations[operation].answer) = (index, Some(answer));
                    }
                    Unknown(_) => {}
                    // Never later than before it was asked for.
                    Failed(operation) => operations[operation].from = usize::MAX,
                }
            }
            operations.retain(|operation| operation.from != usize::MAX);
            !some_order_explains(0, &mut operations)
        })
    }

    struct Span {
        asked: Operation,
        from: usize,
        upto: usize,
        answer: Option<Answer>,
    }

    fn some_order_explains(state: u64, operations: &mut Vec<Span>) -> bool {
        if operations.iter().all(|operation| operation.answer.is_none()) {
            return true;
        }
        let deadline = operations.iter().map(|operation| operation.upto).min().expect("one has returned");
        (0..operations.len()).any(|place| {
            if operations[place].from > deadline {
                return false;
            }
            let operation = operations.remove(place);
            let mut after = state;
            let given = Register::apply(&mut after, &operation.asked);
            let explained =
                operation.answer.is_none_or(|answer| answer == given) && some_order_explains(after, operations);
            operations.insert(place, operation);
            explained
        })
    }

    /// What a real register does for concurrent clients, some of which never hear of it.
    fn history(dice: &mut Dice, operation_count: usize, clients: usize) -> Vec<Event> {
        let mut events = Vec::new();
        // Each client's operation, and the answer once it has taken effect.
        let mut asked: Vec<Option<(usize, Operation, Option<Answer>)>> = vec![None; clients];
        // Operations that may still take effect though their clients have gone.
        let mut lost = Vec::new();
        let (mut state, mut invoked) = (0, 0);
        let updates = dice.below(3);
        while invoked < operation_count || asked.iter().any(Option::is_some) {
            let client = &mut asked[dice.below(clients as u64) as usize];
            match *client {
                None if invoked == operation_count => {}
                None => {
                    let (a, b) = (dice.below(3), dice.below(3));
                    let operations = [Add(1), Cas { from: a, to: b }, Write(a), Write(b), Read, Read, Write(a), Read];
                    // Some histories without updates: much is postponed there.
                    let operation = operations[(updates + dice.below(8 - updates)) as usize];
                    *client = Some((invoked, operation, None));
                    events.push(Invoked(invoked, operation));
                    invoked += 1;
                }
                Some((number, operation, None)) => match dice.below(8) {
                    0 => {
                        events.push(Unknown(number));
                        lost.push(operation);
                        *client = None;
                    }
                    1 => {
                        events.push(Failed(number));
                        *client = None;
                    }
                    _ => *client = Some((number, operation, Some(Register::apply(&mut state, &operation)))),
                },
                Some((number, _, Some(answer))) => {
                    events.push(if dice.below(8) == 0 { Unknown(number) } else { Returned(number, answer) });
                    *client = None;
                }
            }
            if !lost.is_empty() && dice.below(6) == 0 {
                Register::apply(&mut state, &lost.remove(0));
            }
        }
        events
    }

    fn corrupt(events: &mut [Event], dice: &mut Dice) {
        let completed: Vec<usize> = (0..events.len()).filter(|index| !matches!(events[*index], Invoked(..))).collect();
        let event = &mut events[completed[dice.below(completed.len() as u64) as usize]];
        match event {
            Returned(_, Value(value)) => *value = dice.below(5),
            Returned(_, Swapped(swapped)) => *swapped = !*swapped,
            Returned(operation, Done) | Unknown(operation) => *event = Failed(*operation),
            Failed(operation) => *event = Unknown(*operation),
            Invoked(..) => unreachable!("only completions are chosen"),
        }
    }

    #[test]
    fn the_checker_agrees_with_trying_all_orders() {
        let (mut good, mut bad) = (0, 0);
        for (number, mut dice) in Dice::flock(1, Purpose::Workload, 0..60_000).enumerate() {
            let clients = 2 + number / 2 % 4;
            let mut events = history(&mut dice, 2 + number % 5, clients);
            if number % 2 == 0 {
                assert_eq!(first_bad(&events), None, "a real register did this: {events:?}");
            } else {
                (0..1 + dice.below(3)).for_each(|_| corrupt(&mut events, &mut dice));
            }
            let expected = first_bad_by_trying_all_orders(&events);
            assert_eq!(first_bad(&events), expected, "history {number}: {events:?}");
            let foretold = first_bad_foretold(&events, true);
            assert_eq!(foretold.is_some(), expected.is_some(), "history {number}: {events:?}");
            assert!(foretold <= expected, "foretold answers delay the verdict");
            if expected.is_none() { good += 1 } else { bad += 1 }
        }
        assert!(good > 30_000 && bad > 10_000, "{good} good and {bad} bad histories prove little");
    }

    /// Operations one after the other.
    fn sequence(operations: &[(Operation, Answer)]) -> Vec<Event> {
        let events = |(number, (asked, answer)): (usize, &(Operation, Answer))| {
            [Invoked(number, *asked), Returned(number, *answer)]
        };
        operations.iter().enumerate().flat_map(events).collect()
    }

    #[test]
    fn a_stale_read_is_found_when_it_returns() {
        let stale = sequence(&[(Write(1), Done), (Write(2), Done), (Read, Value(1))]);
        assert_eq!(first_bad(&stale), Some(5));
        // While the second write is pending it is not stale.
        let concurrent = [
            Invoked(0, Write(1)),
            Returned(0, Done),
            Invoked(1, Write(2)),
            Invoked(2, Read),
            Returned(1, Done),
            Returned(2, Value(1)),
        ];
        assert_eq!(first_bad(&concurrent), None);
    }

    #[test]
    fn a_value_once_seen_does_not_go_away_again() {
        let flicker =
            [Invoked(0, Write(1)), Invoked(1, Read), Returned(1, Value(1)), Invoked(2, Read), Returned(2, Value(0))];
        assert_eq!(first_bad(&flicker), Some(4));
    }

    #[test]
    fn two_reads_may_disagree_about_two_writes_but_not_about_their_order() {
        let prefix = [Invoked(0, Write(1)), Invoked(1, Write(2)), Invoked(2, Read), Invoked(3, Read)];
        let first = [Returned(2, Value(1)), Returned(3, Value(2)), Invoked(4, Read)];
        let events = |last| [&prefix[..], &first, &[Returned(4, Value(last))]].concat();
        assert_eq!(first_bad(&events(1)), None);
        assert_eq!(first_bad(&events(2)), None);
        assert_eq!(first_bad(&events(0)), Some(7));
        let mut settled = events(2);
        settled.extend([Returned(0, Done), Returned(1, Done), Invoked(5, Read), Returned(5, Value(1))]);
        assert_eq!(first_bad(&settled), Some(11));
    }

    #[test]
    fn a_lost_update_is_found_by_the_sum() {
        assert_eq!(first_bad(&sequence(&[(Add(1), Value(1)), (Add(1), Value(1))])), Some(3));
        let concurrent = [Invoked(0, Add(1)), Invoked(1, Add(1)), Returned(1, Value(1)), Returned(0, Value(1))];
        assert_eq!(first_bad(&concurrent), Some(3));
    }

    #[test]
    fn an_addition_that_took_effect_twice_is_found() {
        assert_eq!(first_bad(&sequence(&[(Add(1), Value(1)), (Read, Value(2))])), Some(3));
        // An unknown one takes effect once, not once for each who looks.
        let unknown = [
            Invoked(0, Add(1)),
            Unknown(0),
            Invoked(1, Read),
            Returned(1, Value(1)),
            Invoked(2, Read),
            Returned(2, Value(2)),
        ];
        assert_eq!(first_bad(&unknown), Some(5));
    }

    #[test]
    fn a_sum_seen_by_others_is_the_sum_that_must_be_answered() {
        let events = |sum| {
            [
                Invoked(0, Add(5)),
                Invoked(1, Read),
                Returned(1, Value(5)),
                Invoked(2, Write(7)),
                Returned(2, Done),
                Returned(0, Value(sum)),
            ]
        };
        assert_eq!(first_bad(&events(5)), None);
        assert_eq!(first_bad(&events(12)), Some(5));
    }

    #[test]
    fn of_two_swaps_from_one_value_one_wins() {
        let cas = |to| Cas { from: 0, to };
        let events = |second| [Invoked(0, cas(1)), Invoked(1, cas(2)), Returned(0, Swapped(true)), Returned(1, second)];
        assert_eq!(first_bad(&events(Swapped(true))), Some(3));
        assert_eq!(first_bad(&events(Swapped(false))), None);
        assert_eq!(first_bad(&sequence(&[(cas(1), Swapped(false))])), Some(1));
    }

    #[test]
    fn an_unknown_write_may_take_effect_late() {
        let mut events = vec![Invoked(0, Write(9)), Unknown(0), Invoked(1, Write(1)), Returned(1, Done)];
        events.extend([Invoked(2, Read), Returned(2, Value(1)), Invoked(3, Read), Returned(3, Value(9))]);
        assert_eq!(first_bad(&events), None);
    }

    #[test]
    fn an_unknown_write_is_not_seen_again_after_another_write() {
        let mut events = vec![Invoked(0, Write(9)), Unknown(0), Invoked(1, Read), Returned(1, Value(9))];
        events.extend([Invoked(2, Write(1)), Returned(2, Done), Invoked(3, Read), Returned(3, Value(9))]);
        assert_eq!(first_bad(&events), Some(7));
    }

    #[test]
    fn two_unknown_writes_of_one_value_are_seen_twice_but_not_thrice() {
        let mut events = vec![Invoked(0, Write(9)), Unknown(0), Invoked(1, Write(9)), Unknown(1)];
        for number in [2, 4, 6] {
            events.extend([Invoked(number, Read), Returned(number, Value(9))]);
            events.extend([Invoked(number + 1, Write(1)), Returned(number + 1, Done)]);
        }
        assert_eq!(first_bad(&events), Some(13));
    }

    #[test]
    fn a_write_that_was_seen_cannot_have_failed() {
        let mut events = vec![Invoked(0, Write(9)), Invoked(1, Read), Returned(1, Value(9)), Failed(0)];
        assert_eq!(first_bad(&events), Some(3));
        events[2] = Returned(1, Value(0));
        assert_eq!(first_bad(&events), None);
        events.extend([Invoked(2, Read), Returned(2, Value(9))]);
        assert_eq!(first_bad(&events), Some(5));
    }

    #[test]
    fn a_write_is_not_asked_to_answer_a_number() {
        assert_eq!(first_bad(&sequence(&[(Write(1), Value(1))])), Some(1));
        assert_eq!(first_bad(&[Invoked(0, Write(1)), Invoked(1, Read), Returned(0, Value(1))]), Some(2));
    }

    #[test]
    fn the_violation_says_what_was_asked_and_what_was_possible() {
        let mut checker = Checker::<Register>::new(0);
        let lost = checker.invoke(Write(4));
        let (left, right) = (checker.invoke(Write(1)), checker.invoke(Write(2)));
        checker.unknown(lost);
        checker.returned(right, Done).expect("fine");
        checker.returned(left, Done).expect("fine");
        let read = checker.invoke(Read);
        let _also_pending = checker.invoke(Add(1));
        let violation = checker.returned(read, Value(7)).expect_err("nobody wrote 7");
        let told = "Read cannot have answered Value(7); the state before was 2 or 1; \
                    still pending: Write(4) (outcome unknown), Add(1)";
        assert_eq!(violation.to_string(), told);
        assert_eq!(checker.verdict(), Verdict::NotLinearizable);
        // It is said once.
        let after = checker.invoke(Read);
        assert!(checker.returned(after, Value(8)).is_ok());
    }

    #[test]
    #[should_panic(expected = "operation 0 is not pending")]
    fn an_operation_returns_once() {
        let mut checker = Checker::<Register>::new(0);
        let first = checker.invoke(Read);
        checker.returned(first, Value(0)).expect("fine");
        let _second = checker.invoke(Read);
        let _ = checker.returned(first, Value(0));
    }

    #[test]
    fn too_many_pending_operations_leave_it_undecided() {
        let mut checker = Checker::<Register>::new(0);
        (0..SLOTS).for_each(|_| {
            checker.invoke(Add(1));
        });
        assert_eq!(checker.verdict(), Verdict::Linearizable);
        let one_more = checker.invoke(Read);
        assert_eq!(checker.verdict(), Verdict::Undecided);
        assert!(checker.returned(one_more, Value(1_000)).is_ok());
    }

    #[test]
    fn a_hundred_unknown_writes_do_no_harm() {
        let mut checker = Checker::<Register>::new(0);
        for value in 1..=100 {
            let lost = checker.invoke(Write(value));
            checker.unknown(lost);
        }
        for round in 0..1_000 {
            let (write, read) = (checker.invoke(Write(1_000)), checker.invoke(Read));
            checker.returned(write, Done).expect("a write");
            checker.returned(read, Value(1_000)).expect("what was written");
            if round % 100 == 0 {
                let late = checker.invoke(Read);
                checker.returned(late, Value(1 + round / 20)).expect("an unknown write");
            }
        }
        assert_eq!(checker.verdict(), Verdict::Linearizable);
        assert!(checker.configurations.len() < 10, "{} configurations", checker.configurations.len());
    }

    #[test]
    fn twenty_clients_at_one_register_are_decided_or_given_up_in_time_and_space() {
        for seed in 0..3 {
            let mut dice = Dice::new(seed, Purpose::Workload, 0);
            let events = history(&mut dice, 10_000, 20);
            let mut checker = Checker::<Register>::with_budget(0, 1 << 18);
            let mut ids = Vec::new();
            for event in events {
                match event {
                    Invoked(_, asked) => ids.push(checker.invoke(asked)),
                    Returned(operation, answer) => checker.returned(ids[operation], answer).expect("a real register"),
                    Unknown(operation) => checker.unknown(ids[operation]),
                    Failed(operation) => checker.failed(ids[operation]).expect("a real register"),
                }
                assert!(checker.configurations.len().pow(2) < 1 << 19, "too many configurations");
            }
            assert_ne!(checker.verdict(), Verdict::NotLinearizable);
        }
    }
}
