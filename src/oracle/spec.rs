//! What a judge is shown, and what it may say.

use crate::environment::clock::Clock;
use crate::environment::disk::Disk;
use crate::environment::network::Network;
use crate::environment::plan::{Completion, Operation};
use crate::kernel::time::Time;
use crate::protocol::{NodeId, Order, Protocol};
use std::borrow::Cow;

/// A promise that the simulated system has broken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// The invariant, `raft.election-safety`.
    pub invariant: Cow<'static, str>,
    /// Whom it concerns.
    pub nodes: Vec<NodeId>,
    /// The facts that contradict each other, in a sentence. Nodes appear as `#3`.
    pub message: String,
}

impl Violation {
    /// A broken invariant.
    pub fn new(invariant: &'static str, nodes: &[NodeId], message: impl Into<String>) -> Violation {
        let mut named: Vec<NodeId> = Vec::new();
        nodes.iter().for_each(|node| {
            if !named.contains(node) {
                named.push(*node)
            }
        });
        Violation { invariant: Cow::Borrowed(invariant), nodes: named, message: message.into() }
    }
}

/// What an oracle says. The error is boxed: it is rare and the way is hot.
pub type Verdict = Result<(), Box<Violation>>;

/// One node from outside.
#[derive(Clone, Debug)]
pub struct Host<P: Protocol> {
    /// Its volatile state; `None` while it is down.
    pub state: Option<P>,
    /// Its disk, which outlives crashes.
    pub disk: Disk<P::Record>,
    /// Its clocks. They tick on through crashes; what the monotonic one shows begins anew with each start, so measure by
    /// [`Clock::ticked`].
    pub clock: Clock,
    /// How often it has crashed.
    pub incarnation: u32,
    /// Whether it is paused.
    pub asleep: bool,
    /// When it last woke from a pause, in true time; zero if it never slept.
    pub woken: Time,
    /// Whether a fault that is going on can keep it from making progress, although it is up: its clock or its disk
    /// stands still, its disk is full or fails, or it takes its time for everything.
    pub impaired: bool,
}

impl<P: Protocol> Host<P> {
    /// Whether nothing keeps it from doing its work.
    pub fn is_able(&self) -> bool {
        self.state.is_some() && !self.asleep && !self.impaired
    }
}

/// Everything an oracle may look at. It cannot change anything.
#[derive(Clone, Debug)]
pub struct View<P: Protocol> {
    /// True time.
    pub now: Time,
    /// How many steps came before.
    pub step: u64,
    /// Whom the last step touched.
    pub touched: NodeId,
    /// All nodes.
    pub hosts: Vec<Host<P>>,
    /// All links.
    pub network: Network,
    /// When only a core was healed: who belongs to it, by number.
    pub core: Option<Vec<bool>>,
}

impl<P: Protocol> View<P> {
    /// Whether a node belongs to the core that was healed, or all were.
    pub fn is_inside(&self, node: NodeId) -> bool {
        self.core.as_ref().is_none_or(|core| core[node.index()])
    }

    /// One node.
    #[inline]
    pub fn host(&self, node: NodeId) -> &Host<P> {
        &self.hosts[node.index()]
    }

    /// The state of one node; `None` while it is down.
    #[inline]
    pub fn state(&self, node: NodeId) -> Option<&P> {
        self.hosts[node.index()].state.as_ref()
    }
}

/// What has happened to the node that a step touched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Touch {
    /// It handled a message, a timer or an order.
    Handled,
    /// More of its disk has become durable.
    Synced,
    /// It has died, and lost so many records that were not durable.
    Crashed {
        /// How many records are gone.
        lost: usize,
    },
    /// It has started, for the first time or again.
    Booted,
}

/// A judge of one world. It is part of the world's value: cloned with it, so that a fork is judged
/// like its parent. It keeps what it saw of each node, so that a check costs O(change).
pub trait Oracle<P: Protocol>: Clone {
    /// A node has told a fact; what held it back has become durable.
    ///
    /// # Errors
    /// The broken invariant.
    fn on_fact(&mut self, view: &View<P>, node: NodeId, fact: &P::Fact) -> Verdict;

    /// One node has been touched; nothing else has changed.
    ///
    /// # Errors
    /// The broken invariant.
    fn after_step(&mut self, view: &View<P>, node: NodeId, touch: Touch) -> Verdict;

    /// Links have been cut or healed.
    fn on_weather(&mut self, _view: &View<P>) {}

    /// A node that is up hears an order of an operator. What it does about it comes after that.
    fn ordered(&mut self, _view: &View<P>, _node: NodeId, _order: Order) {}

    /// A node that is still up has heard an order of an operator. It is asked after [`Oracle::after_step`] of that step.
    ///
    /// # Errors
    /// The broken invariant.
    fn on_order(&mut self, _view: &View<P>, _node: NodeId, _order: Order) -> Verdict {
        Ok(())
    }

    /// The faults have ended; progress is required from now on.
    fn on_calm(&mut self, _view: &View<P>) {}

    /// Whether all progress that is required since the calm began has been made. Asked after every
    /// step then, so the usual answer must be cheap.
    fn is_settled(&self, _view: &View<P>) -> bool {
        true
    }

    /// If it is not settled: the invariant that is broken by that, and what is pending.
    fn pending(&self, _view: &View<P>) -> Violation {
        Violation::new("settle", &[], "the system did not settle")
    }

    /// If it is not settled: why nobody could be, with the faults that are left. A proof, in a sentence; the run is
    /// no failure then.
    fn excuse(&self, _view: &View<P>) -> Option<String> {
        None
    }

    /// The run has ended.
    ///
    /// # Errors
    /// The broken invariant.
    fn at_end(&mut self, _view: &View<P>) -> Verdict {
        Ok(())
    }

    /// Things that must happen sometimes over a sweep, and how often they happened in this run. All
    /// of them, also those that did not.
    fn goals(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }

    /// How often a goal was reached, by its place in [`Oracle::goals`]. Asked after every step while a fault waits for
    /// that goal.
    fn goal_count(&self, goal: usize) -> u64 {
        self.goals().get(goal).map_or(0, |goal| goal.1)
    }

    /// Figures about the run for the curious.
    fn stats(&self) -> Vec<(&'static str, u64)> {
        Vec::new()
    }
}

/// The oracle that has nothing to say.
#[derive(Clone, Copy, Debug, Default)]
pub struct Indifferent;

impl<P: Protocol> Oracle<P> for Indifferent {
    #[inline]
    fn on_fact(&mut self, _: &View<P>, _: NodeId, _: &P::Fact) -> Verdict {
        Ok(())
    }

    #[inline]
    fn after_step(&mut self, _: &View<P>, _: NodeId, _: Touch) -> Verdict {
        Ok(())
    }
}

/// A protocol that comes with its judge.
pub trait Spec: Protocol {
    /// All its oracles together.
    type Oracles: Oracle<Self>;

    /// The oracles of one run.
    fn oracles(config: &Self::Config) -> Self::Oracles;

    /// In what kind of state a node is, in a few bits: its role, whether it is behind, and the like.
    /// The sketches of all nodes together are the abstract state of the system. A sweep counts how many
    /// different ones it has seen, so that it can tell when more seeds show nothing new. Asked of touched nodes now and
    /// then, so it must cost O(1); the oracles may know what takes long to find out.
    fn sketch(_oracles: &Self::Oracles, _view: &View<Self>, _node: NodeId) -> u64 {
        0
    }

    /// What a node is at the moment, for somebody who reads the story of a run: its role, its term, what it holds, in a few words.
    /// That it has changed makes a step worth telling, so what changes all the time does not belong in it. Default: nothing.
    fn standing(&self) -> String {
        String::new()
    }

    /// The operation that a client begins, if that is what this fact tells.
    fn invoked(_fact: &Self::Fact) -> Option<Operation> {
        None
    }

    /// What a client has learnt of its operation, if that is what this fact tells.
    fn completed(_fact: &Self::Fact) -> Option<Completion> {
        None
    }
}
