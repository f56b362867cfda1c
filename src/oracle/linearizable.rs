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
//! beforehand. Here they are yet to come (see [`Checker::foretell`] where they are known), so
//! three things are postponed instead of guessed:
//!
//! - A pending read is never placed. A configuration notes which answers it could have given.
//! - A pending overwrite need not be placed before another overwrite that hides it. The
//!   configuration notes that it could have been.
//! - An operation that never returns is placed only if someone needs its effect.
//!
//! ```
//! use squall::oracle::linearizable::Checker;
//! use squall::oracle::linearizable::register::{Answer, Operation, Register};
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

mod configuration;
mod recent;
pub mod register;
pub mod registers;
pub(in crate::oracle) mod search;
mod violation;
mod window;

use configuration::{Configuration, admit, is_covered};
use recent::Recent;
use std::fmt;
pub use violation::{NotLinearizable, Pending};
use window::{Mask, Window, bit, bits};

/// A sequential object: what it remembers, what it can be asked, what it answers.
pub trait Model: Clone + fmt::Debug {
    /// All that the object remembers. Its order is of no matter.
    type State: Clone + Ord + fmt::Debug;
    /// What a client asks for. Equal operations do the same.
    type Operation: Clone + PartialEq + fmt::Debug;
    /// What a client is told.
    type Answer: Clone + Eq + fmt::Debug;

    /// Lets `operation` take effect and tells its answer. Must be a function of its arguments.
    fn apply(state: &mut Self::State, operation: &Self::Operation) -> Self::Answer;

    /// What `operation` does to the state, whatever the state. [`Effect::Update`] is always
    /// true, the others make the checker faster.
    fn effect(operation: &Self::Operation) -> Effect;

    /// The state after `operation`, if it follows from what was answered, whatever the state was before; no answer is one
    /// that nobody knows. `None` is always true, more makes what is told of a violation shorter.
    fn reveals(operation: &Self::Operation, answer: Option<&Self::Answer>) -> Option<Self::State> {
        let _ = (operation, answer);
        None
    }
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

/// How many answers a configuration may note. A read during which more values go by belongs
/// to a client that should have been reported as unknown.
const NOTES: usize = 1_024;
/// How many states a violation lists.
const STATES: usize = 8;
/// Comparisons for one operation. Worth about ten milliseconds.
const BUDGET: u64 = 1 << 22;
/// An operation that calls for a search earns this part of the budget.
const EARNED: u64 = 256;

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
    recent: Recent<M>,
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
        Checker { recent: Recent::new(), ..Checker::among(vec![initial], budget) }
    }

    /// A checker of an object of which it is only known that it is in one of these states. It does not tell the window of
    /// a violation.
    ///
    /// # Panics
    /// If there is no state, or the budget is zero.
    pub fn among(states: Vec<M::State>, budget: u64) -> Checker<M> {
        assert!(budget > 0, "a checker without a budget decides nothing");
        assert!(!states.is_empty(), "an object has a state");
        let untouched = |state| Configuration { state, linearized: 0, hidden: 0, bystanders: 0, notes: Vec::new() };
        Checker {
            configurations: states.into_iter().map(untouched).collect(),
            window: Window::new(),
            recent: Recent::none(),
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
        self.window.add(operation, self.recent.tick())
    }

    /// The operation is going to return `answer`, before all that return at a greater `at`. To be
    /// said right after its invocation, by who has the whole history: what nobody will ask about
    /// is then not considered, and of operations that do the same only the most urgent is, which
    /// makes tens of concurrent clients feasible. A violation may be found earlier than
    /// without, never later.
    ///
    /// # Panics
    /// If the operation is not pending.
    pub fn foretell(&mut self, id: OperationId, answer: M::Answer, at: u64) {
        if self.verdict == Verdict::Linearizable {
            let slot = self.window.slot(id);
            self.window.slots[slot].foretold = Some(answer);
            self.window.slots[slot].at = at;
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
        self.recent.add(&self.window.slots[slot], Some(&answer));
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
            let update = window.overwrites & bit(other) == 0;
            let unknown = window.unknown & bit(other) != 0;
            // An update that changes nothing and will not be asked about need not happen. An
            // overwrite by the same value may: it hides others.
            if update && unknown && state == here.state || !window.may_answer(other, &given) {
                continue;
            }
            if here.has_more_urgent(other, choice, &given, window) {
                continue;
            }
            let mut there = here.clone();
            there.take_effect(other, state, window);
            if update && !unknown {
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
            self.recent.add(&self.window.slots[slot], None);
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
        let shown = if answer.is_some() { self.recent.window(&self.window) } else { Vec::new() };
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
            window: shown,
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

#[cfg(test)]
mod tests;
