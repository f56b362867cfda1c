//! What shrinking asks of a system, answered for every system.

use super::{System, complaints_about};
use crate::environment::plan::{Plan, PlannedOperation, Workload};
use crate::kernel::time::Time;
use crate::run::outcome::Outcome;
use crate::run::shrink::Subject;
use crate::run::watch::{Call, Closeness, Told, Watch};
use std::fmt;
use std::marker::PhantomData;

/// Any system, to be shrunk.
pub struct Shrinkable<S>(PhantomData<fn() -> S>);

impl<S> Shrinkable<S> {
    /// The system.
    pub const fn new() -> Shrinkable<S> {
        Shrinkable(PhantomData)
    }
}

impl<S> Default for Shrinkable<S> {
    fn default() -> Shrinkable<S> {
        Shrinkable::new()
    }
}

impl<S> fmt::Debug for Shrinkable<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shrinkable")
    }
}

impl<S: System> Subject<S> for Shrinkable<S> {
    fn play(&self, plan: &Plan<S>) -> Outcome {
        S::play(plan)
    }

    fn operations(&self, plan: &Plan<S>) -> Vec<PlannedOperation> {
        let mut scribe = Scribe::default();
        S::play_watched(plan, &mut scribe);
        scribe.operations
    }

    fn members(&self, system: &S, workload: &Workload) -> Vec<String> {
        system.members(workload)
    }

    fn roles(&self, system: &S) -> Vec<String> {
        // A primary is the leader by another name, or somebody else who has a name of their own.
        system.vocabulary().roles.into_iter().filter(|role| *role != "primary").map(str::to_owned).collect()
    }

    fn simpler(&self, system: &S) -> Vec<S> {
        system.simpler()
    }

    fn is_allowed(&self, plan: &Plan<S>) -> bool {
        complaints_about(plan).is_empty()
    }
}

/// Writes down what clients begin.
#[derive(Default)]
struct Scribe {
    operations: Vec<PlannedOperation>,
}

impl Watch for Scribe {
    fn closeness(&self) -> Closeness {
        Closeness::Digests
    }

    fn call(&mut self, at: Time, client: &str, call: Call) {
        if let Call::Begins(invoke) = call {
            self.operations.push(PlannedOperation { at, client: client.to_owned(), invoke });
        }
    }
}

/// The last events of a run, in words: a line each, with its time.
pub fn told<S: System>(plan: &Plan<S>) -> Vec<Told> {
    let mut listener = Listener::default();
    S::play_watched(plan, &mut listener);
    listener.told
}

/// Remembers what is told.
#[derive(Default)]
struct Listener {
    told: Vec<Told>,
}

impl Watch for Listener {
    fn closeness(&self) -> Closeness {
        Closeness::Words
    }

    fn events(&mut self, events: Vec<Told>) {
        self.told.extend(events);
    }
}
