//! Faults that wait for a moment of the run.

use super::{Event, World};
use crate::environment::fault::{Moment, Trigger};
use crate::kernel::time::Span;
use crate::oracle::spec::{Oracle, Verdict, Violation};
use crate::protocol::{NodeId, Protocol};
use crate::trace::Trace;
use std::collections::BTreeMap;

/// Who waits for what. While nobody does, a step costs a look at a flag.
#[derive(Clone, Debug, Default)]
pub(super) struct Moments {
    waiting: Vec<Waiting>,
    /// By goal that somebody waits for: how often it was reached when last looked at.
    goals: Vec<(usize, u64)>,
    /// By fault that waited: whom its moment was about.
    subjects: BTreeMap<u32, NodeId>,
    pub(super) wait_for_goals: bool,
    pub(super) wait_for_facts: bool,
    pub(super) wait_for_messages: bool,
    pub(super) wait_for_disks: bool,
    pub(super) wait_for_syncs: bool,
}

/// A fault that has not begun yet.
#[derive(Clone, Debug)]
struct Waiting {
    fault: u32,
    moment: Moment,
    /// Of a goal, its place.
    goal: usize,
    /// So many moments more pass by.
    skip: u32,
    after: Span,
}

impl Moments {
    /// A fault begins to wait. The goals are those of the oracles.
    pub(super) fn wait(&mut self, fault: u32, trigger: &Trigger, goals: &[(&'static str, u64)]) {
        let Trigger { moment, skip, after, .. } = trigger;
        let mut goal = usize::MAX;
        match moment {
            Moment::Goal(name) => {
                // Of a goal that nobody has, nobody will hear.
                let Some(place) = goals.iter().position(|goal| goal.0 == name) else { return };
                goal = place;
                self.wait_for_goals = true;
                if !self.goals.iter().any(|goal| goal.0 == place) {
                    self.goals.push((place, goals[place].1));
                }
            }
            Moment::Fact(_) => self.wait_for_facts = true,
            Moment::Message(_) => self.wait_for_messages = true,
            Moment::Written | Moment::Syncing => self.wait_for_disks = true,
            Moment::Synced => self.wait_for_syncs = true,
            Moment::Started | Moment::Crashed => {}
        }
        self.waiting.push(Waiting { fault, moment: moment.clone(), goal, skip: *skip, after: *after });
    }

    /// Whom the moment was about that this fault has waited for.
    pub(super) fn subject(&self, fault: usize) -> Option<NodeId> {
        self.subjects.get(&(fault as u32)).copied()
    }
}

impl<P: Protocol, O: Oracle<P>, T: Trace<P>> World<P, O, T> {
    pub(super) fn goals_reached(&mut self, node: NodeId) -> Verdict {
        for place in 0..self.moments.goals.len() {
            let (goal, before) = self.moments.goals[place];
            let count = self.oracles.goal_count(goal);
            self.moments.goals[place].1 = count;
            for _ in before..count {
                self.moment(node, |waiting| waiting.goal == goal);
            }
        }
        Ok(())
    }

    pub(super) fn fact_noted(&mut self, node: NodeId, label: &str) -> Verdict {
        self.moment(node, |waiting| matches!(&waiting.moment, Moment::Fact(fact) if fact == label));
        Ok(())
    }

    pub(super) fn message_handled(&mut self, node: NodeId, label: &str) -> Verdict {
        self.moment(node, |waiting| matches!(&waiting.moment, Moment::Message(message) if message == label));
        Ok(())
    }

    /// Answers whether the node is still up.
    #[cold]
    pub(super) fn record_written(&mut self, node: NodeId) -> Result<bool, Box<Violation>> {
        self.moment_between(node, &Moment::Written)
    }

    /// Answers whether the node is still up.
    #[cold]
    pub(super) fn sync_begun(&mut self, node: NodeId) -> Result<bool, Box<Violation>> {
        self.moment_between(node, &Moment::Syncing)
    }

    /// A sync begins outside of a turn, right after another one.
    #[cold]
    pub(super) fn sync_follows(&mut self, node: NodeId) {
        self.moment(node, |waiting| waiting.moment == Moment::Syncing);
    }

    pub(super) fn sync_ended(&mut self, node: NodeId) -> Verdict {
        self.moment(node, |waiting| waiting.moment == Moment::Synced);
        Ok(())
    }

    pub(super) fn started(&mut self, node: NodeId) {
        self.moment(node, |waiting| waiting.moment == Moment::Started);
    }

    pub(super) fn crashed(&mut self, node: NodeId) {
        self.moment(node, |waiting| waiting.moment == Moment::Crashed);
    }

    /// A moment of some kind: the faults that have waited for it are due, right after this step or later.
    fn moment(&mut self, node: NodeId, is_it: impl Fn(&Waiting) -> bool) {
        for (fault, after) in self.due(node, is_it) {
            self.queue.push(self.view.now + after, Event::FaultBegins(fault));
        }
    }

    /// A moment between two effects of a turn: a fault that does not wait comes before the next one.
    fn moment_between(&mut self, node: NodeId, moment: &Moment) -> Result<bool, Box<Violation>> {
        for (fault, after) in self.due(node, |waiting| waiting.moment == *moment) {
            if after.is_zero() {
                self.begin_fault(fault as usize)?;
            } else {
                self.queue.push(self.view.now + after, Event::FaultBegins(fault));
            }
        }
        Ok(self.view.hosts[node.index()].state.is_some())
    }

    /// The faults that have waited for this moment and for no later one. They wait no longer.
    fn due(&mut self, node: NodeId, is_it: impl Fn(&Waiting) -> bool) -> Vec<(u32, Span)> {
        if self.moments.waiting.is_empty() || !self.weather.is_stormy() {
            return Vec::new();
        }
        let (now, faults, subjects) = (self.view.now, &self.plan.faults, &mut self.moments.subjects);
        let mut due = Vec::new();
        self.moments.waiting.retain_mut(|waiting| {
            let fault = &faults[waiting.fault as usize];
            if now < fault.at || !is_it(waiting) {
                return true;
            }
            if waiting.skip > 0 {
                waiting.skip -= 1;
                return true;
            }
            if fault.until.is_none_or(|until| now + waiting.after < until) {
                subjects.insert(waiting.fault, node);
                due.push((waiting.fault, waiting.after));
            }
            false
        });
        due
    }
}
