//! The faults that are active: how each begins, ends, and adds to the others.

use super::stop::Cause;
use super::{Event, Held, World};
use crate::environment::disk::crash::Survival;
use crate::environment::distribution::Distribution;
use crate::environment::fault::{Cut, Direction, FAULT_NAMES, Fault, Target};
use crate::environment::network::{Disturbance, Scope};
use crate::kernel::digest::mix;
use crate::kernel::rng::Purpose;
use crate::kernel::time::Span;
use crate::oracle::spec::{Oracle, Touch, Verdict};
use crate::protocol::{NodeId, Protocol, Timer};
use crate::trace::{Happening, Trace};
use std::sync::Arc;

/// What is wrong with the world at the moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Weather {
    active: Vec<Active>,
    /// How many faults of each kind have begun.
    fired: [u64; FAULT_NAMES.len()],
    /// How many faults of each kind have hit something.
    hits: [u64; FAULT_NAMES.len()],
    slow_disks: Option<Distribution>,
    season: Season,
}

/// How far the run is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Season {
    /// Faults begin and end as planned.
    #[default]
    Storm,
    /// Nothing begins or ends any more; what is broken stays broken.
    Frozen,
    /// Nothing is broken any more.
    Healed,
}

/// A fault that has begun and not ended.
#[derive(Clone, Debug)]
struct Active {
    number: usize,
    /// The nodes it hit, in the incarnation that it hit.
    victims: Vec<(NodeId, u32)>,
    links: Vec<(u16, u16)>,
}

impl Weather {
    /// How long the next sync takes.
    pub(super) fn sync_latency(&self, usual: Distribution, word: u64) -> Span {
        match self.slow_disks {
            None => usual.sample(word),
            Some(extra) => usual.sample(word) + extra.sample(mix(word, 1)),
        }
    }
}

impl<P: Protocol, O: Oracle<P>, T: Trace<P>> World<P, O, T> {
    /// How many faults of each kind have begun, in the order of [`FAULT_NAMES`].
    pub fn faults_fired(&self) -> [u64; FAULT_NAMES.len()] {
        self.weather.fired
    }

    /// How many faults of each kind have hit something, in the order of [`FAULT_NAMES`].
    pub fn fault_hits(&self) -> [u64; FAULT_NAMES.len()] {
        self.weather.hits
    }

    pub(super) fn begin_fault(&mut self, number: usize) -> Verdict {
        if self.weather.season != Season::Storm {
            return Ok(());
        }
        let plan = Arc::clone(&self.plan);
        let fault = &plan.faults[number];
        self.trace.happened(self.now, &Happening::Began { number, fault: &fault.inject });
        if let Some(until) = fault.until {
            self.queue.push(until, Event::FaultEnds(number as u32));
        }
        let mut active = Active { number, victims: Vec::new(), links: Vec::new() };
        let hit = match &fault.inject {
            Fault::Partition(cut) => {
                active.links = self.links_of(cut);
                !active.links.is_empty()
            }
            Fault::Kill { target } | Fault::Pause { target } => {
                let incarnation = |node: NodeId| self.hosts[node.index()].incarnation;
                active.victims = self.nodes_of(target).into_iter().map(|node| (node, incarnation(node))).collect();
                active.victims.iter().any(|(node, _)| self.hosts[node.index()].state.is_some())
            }
            Fault::Heal => self.weather.active.iter().any(|other| !other.links.is_empty()),
            Fault::Loss { .. } | Fault::Duplicate { .. } | Fault::Delay { .. } | Fault::DiskSlow { .. } => true,
        };
        self.weather.fired[fault.inject.kind()] += 1;
        self.weather.hits[fault.inject.kind()] += u64::from(hit);
        let victims = active.victims.clone();
        self.weather.active.push(active);
        match fault.inject {
            Fault::Kill { .. } => victims.iter().try_for_each(|(node, _)| self.crash(*node)),
            Fault::Pause { .. } => {
                victims.iter().for_each(|(node, _)| self.fall_asleep(*node));
                Ok(())
            }
            Fault::Heal => {
                self.weather.active.retain(|other| other.links.is_empty() && other.number != number);
                self.refresh();
                Ok(())
            }
            _ => {
                self.refresh();
                Ok(())
            }
        }
    }

    pub(super) fn end_fault(&mut self, number: usize) -> Verdict {
        let place = self.weather.active.iter().position(|active| active.number == number);
        let Some(place) = place.filter(|_| self.weather.season == Season::Storm) else {
            return Ok(());
        };
        let active = self.weather.active.remove(place);
        self.undo(&active)
    }

    /// What the end of a fault means, once it is no longer among the active ones.
    fn undo(&mut self, ended: &Active) -> Verdict {
        let plan = Arc::clone(&self.plan);
        let fault = &plan.faults[ended.number].inject;
        self.trace.happened(self.now, &Happening::Ended { number: ended.number, fault });
        match fault {
            Fault::Kill { .. } => ended.victims.iter().try_for_each(|(node, _)| {
                let down = self.hosts[node.index()].state.is_none();
                if down && !self.is_held_by(*node, None) { self.boot(*node, &mut Vec::new()) } else { Ok(()) }
            }),
            Fault::Pause { .. } => {
                for (node, incarnation) in &ended.victims {
                    let asleep = self.hosts[node.index()].asleep;
                    if asleep && !self.is_held_by(*node, Some(*incarnation)) {
                        self.wake(*node);
                    }
                }
                Ok(())
            }
            _ => {
                self.refresh();
                Ok(())
            }
        }
    }

    /// Whether another fault that is active keeps this node down, or, given an incarnation, asleep.
    fn is_held_by(&self, node: NodeId, asleep_in: Option<u32>) -> bool {
        self.weather.active.iter().any(|active| match (&self.plan.faults[active.number].inject, asleep_in) {
            (Fault::Kill { .. }, None) => active.victims.iter().any(|victim| victim.0 == node),
            (Fault::Pause { .. }, Some(incarnation)) => active.victims.contains(&(node, incarnation)),
            _ => false,
        })
    }

    /// Ends the storm: no fault begins any more. With `heal` all that are active end, and the
    /// network loses and doubles nothing more; without, everything stays as it is.
    ///
    /// # Errors
    /// What an oracle found.
    pub fn calm(&mut self, heal: bool) -> Result<(), Box<super::Failure>> {
        self.trace.happened(self.now, &Happening::Calmed);
        self.weather.season = if heal { Season::Healed } else { Season::Frozen };
        if heal {
            let ended = std::mem::take(&mut self.weather.active);
            ended.iter().try_for_each(|active| self.undo(active)).map_err(|found| self.failure(found))?;
            self.refresh();
        }
        let view = crate::oracle::spec::View {
            now: self.now,
            step: self.steps,
            hosts: &self.hosts,
            network: &self.network,
            touched: self.touched,
        };
        self.oracles.on_calm(&view);
        Ok(())
    }

    /// Makes the links, the weather between members, and the disks what the active faults say.
    fn refresh(&mut self) {
        let plan = Arc::clone(&self.plan);
        // Of several delays of syncs the one that began last holds: distributions cannot be added.
        let (mut disturbances, mut slow_disks) = (Vec::new(), None);
        for active in &self.weather.active {
            let disturbance = match plan.faults[active.number].inject {
                Fault::Loss { probability } => Disturbance::Loss { probability, burst: 1 },
                Fault::Duplicate { probability } => Disturbance::Duplicate { probability },
                Fault::Delay { extra } => Disturbance::Delay { extra },
                Fault::Partition(_) => {
                    disturbances.push((Disturbance::Cut, Scope::Links(active.links.clone())));
                    continue;
                }
                Fault::DiskSlow { extra } => {
                    slow_disks = Some(extra);
                    continue;
                }
                Fault::Kill { .. } | Fault::Pause { .. } | Fault::Heal => continue,
            };
            disturbances.push((disturbance, Scope::All));
        }
        self.network.disturb(self.weather.season != Season::Healed, &disturbances, None);
        self.weather.slow_disks = slow_disks;
        let view = crate::oracle::spec::View {
            now: self.now,
            step: self.steps,
            hosts: &self.hosts,
            network: &self.network,
            touched: self.touched,
        };
        self.oracles.on_weather(&view);
    }

    fn crash(&mut self, node: NodeId) -> Verdict {
        let host = &mut self.hosts[node.index()];
        if host.state.take().is_none() {
            return Ok(());
        }
        host.incarnation += 1;
        host.asleep = false;
        let word = self.table.word(Purpose::Disk, 1 << 16 | u64::from(node.number()), u64::from(host.incarnation));
        let lost = host.disk.crash(word, Survival::Prefix, false).unsynced;
        let back = &mut self.backstage[node.index()];
        back.parked.clear();
        back.held.clear();
        P::Timer::ALL.iter().for_each(|timer| self.deadlines.disarm(Self::timer_number(node, *timer)));
        self.cause = Cause::Crash;
        self.trace.happened(self.now, &Happening::Crashed { node, lost });
        self.judge(node, Touch::Crashed { lost })
    }

    fn fall_asleep(&mut self, node: NodeId) {
        let host = &mut self.hosts[node.index()];
        host.asleep = host.state.is_some();
    }

    /// Everything that waited for the sleeper happens now, in its order: late, as after a stalled
    /// garbage collection.
    fn wake(&mut self, node: NodeId) {
        self.hosts[node.index()].asleep = false;
        for held in std::mem::take(&mut self.backstage[node.index()].held) {
            match held {
                Held::Event(event) => self.queue.push(self.now, event),
                Held::Timer(timer) => self.deadlines.arm(&mut self.queue, timer, self.now),
            }
        }
    }

    fn nodes_of(&self, target: &Target) -> Vec<NodeId> {
        match target {
            Target::Nodes(names) => names.iter().map(|name| self.named(name)).collect(),
            Target::Role(role) => {
                let right = |node: &NodeId| {
                    let state = self.hosts[node.index()].state.as_ref();
                    state.and_then(|state| state.role(role)).map(|right| (right, *node))
                };
                let members = (0..self.cast.member_count()).map(NodeId::new);
                members.filter_map(|node| right(&node)).max().map(|(_, node)| node).into_iter().collect()
            }
        }
    }

    /// # Panics
    /// If nobody has that name: the loader of a plan checks its names.
    fn named(&self, name: &str) -> NodeId {
        self.cast.find(name).unwrap_or_else(|| panic!("the plan names {name:?}, who does not take part"))
    }

    fn links_of(&self, cut: &Cut) -> Vec<(u16, u16)> {
        let number = |name: &String| self.named(name).number();
        match cut {
            Cut::Links(links) => links.iter().map(|(from, to)| (number(from), number(to))).collect(),
            Cut::Split { from, to, one_way } => {
                let pairs = from.iter().flat_map(|from| to.iter().map(move |to| (from, to)));
                let there = pairs.map(|(from, to)| (number(from), number(to)));
                both_ways(there, Direction::Outgoing, !one_way)
            }
            Cut::Isolate { target, direction } => {
                let alone = self.nodes_of(target);
                let others = (0..self.cast.member_count()).map(NodeId::new).filter(|node| !alone.contains(node));
                let pairs = others.flat_map(|other| alone.iter().map(move |node| (node.number(), other.number())));
                both_ways(pairs, *direction, *direction == Direction::Both)
            }
        }
    }
}

/// The given links, or those back, or both.
fn both_ways(there: impl Iterator<Item = (u16, u16)>, one: Direction, both: bool) -> Vec<(u16, u16)> {
    there
        .flat_map(|(from, to)| [(from, to, Direction::Outgoing), (to, from, Direction::Incoming)])
        .filter(|link| both || link.2 == one)
        .map(|(from, to, _)| (from, to))
        .collect()
}
