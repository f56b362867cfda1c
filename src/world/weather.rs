//! The faults that are active: how each begins, ends, and adds to the others.

use super::audit::{FaultCounts, Fired};
use super::{Event, World};
use crate::environment::disk::damage::Damage;
use crate::environment::fault::{Fault, Kind};
use crate::environment::network::{Disturbance, Scope};
use crate::environment::plan::Heal;
use crate::oracle::spec::{Oracle, Verdict};
use crate::protocol::{Effects, NodeId, Protocol};
use crate::trace::{Happening, Trace};
use std::sync::Arc;

/// What is wrong with the world at the moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Weather {
    active: Vec<Active>,
    season: Season,
    /// Members whose durable records a fault has taken.
    robbed: Vec<NodeId>,
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
    /// The links it hit.
    scope: Option<Scope>,
}

impl Weather {
    /// Whether faults still begin.
    pub(super) fn is_stormy(&self) -> bool {
        self.season == Season::Storm
    }
}

impl<P: Protocol, O: Oracle<P>, T: Trace<P>> World<P, O, T> {
    /// What the faults of each kind have done so far.
    pub fn fault_counts(&self) -> &FaultCounts {
        self.audit.counts()
    }

    pub(super) fn begin_fault(&mut self, number: usize) -> Verdict {
        if !self.weather.is_stormy() {
            return Ok(());
        }
        let plan = Arc::clone(&self.plan);
        let (fault, inject) = (&plan.faults[number], &plan.faults[number].inject);
        let lasts = fault.when.as_ref().and_then(|trigger| trigger.lasts).map(|lasts| self.view.now + lasts);
        let until = match (fault.until, lasts) {
            (Some(until), Some(lasts)) => Some(until.min(lasts)),
            (until, lasts) => until.or(lasts),
        };
        self.trace.happened(self.view.now, &Happening::Began { number, fault: inject });
        if let Some(until) = until {
            self.queue.push(until, Event::FaultEnds(number as u32));
        }
        let active = self.aim(number, inject);
        let victims: Vec<NodeId> = active.victims.iter().map(|victim| victim.0).collect();
        let fired = Fired { number, victims: victims.clone(), scope: active.scope.clone(), is_over: false };
        self.audit.fired(inject.kind(), fired);
        self.weather.active.push(active);
        self.strike(number, inject, &victims)
    }

    /// What a fault does at once to those whom it hits.
    fn strike(&mut self, number: usize, fault: &Fault, victims: &[NodeId]) -> Verdict {
        let kind = fault.kind();
        match fault {
            Fault::Kill { .. } => victims.iter().try_for_each(|node| self.strike_down(kind, *node)),
            Fault::Wipe { .. } => victims.iter().try_for_each(|node| self.wipe(*node)),
            Fault::Destroy { .. } => victims.iter().try_for_each(|node| {
                self.trouble(*node).is_destroyed = true;
                self.strike_down(kind, *node)
            }),
            Fault::Pause { .. } => {
                victims.iter().for_each(|node| self.fall_asleep(*node));
                Ok(())
            }
            Fault::ClockJump { by, .. } => {
                victims.iter().for_each(|node| {
                    self.view.hosts[node.index()].clock.jump(by.0);
                    self.backstage[node.index()].is_plain = false;
                    if by.0 == 0 {
                        self.audit.acquit(kind, *node, |fired| fired.number == number);
                    }
                });
                Ok(())
            }
            Fault::BitRot { .. } => {
                for node in victims {
                    let table = self.table;
                    let word = self.trouble(*node).next_rot(&table, *node);
                    if !self.view.hosts[node.index()].disk.rot(word) {
                        self.audit.acquit(kind, *node, |fired| fired.number == number);
                    }
                }
                Ok(())
            }
            Fault::Heal => {
                let plan = Arc::clone(&self.plan);
                if !self.view.network.is_whole() {
                    self.audit.bite(kind, |fired| fired.number == number);
                }
                self.weather.active.retain(|other| {
                    let kind = plan.faults[other.number].inject.kind();
                    let is_over = matches!(kind, Kind::Partition | Kind::Heal);
                    if is_over {
                        self.audit.over(kind, other.number);
                    }
                    !is_over
                });
                self.refresh();
                Ok(())
            }
            Fault::Order { command, .. } => {
                self.give_order(number, command, victims);
                Ok(())
            }
            Fault::LostSync { .. } => {
                for node in victims {
                    // All that earlier lies were about has reached the disk since.
                    if self.view.hosts[node.index()].disk.pretended() == 0 {
                        self.audit.acquit(kind, *node, |fired| fired.is_over);
                    }
                }
                self.refresh();
                Ok(())
            }
            Fault::Partition(_)
            | Fault::Clog { .. }
            | Fault::Loss { .. }
            | Fault::Duplicate { .. }
            | Fault::Delay { .. }
            | Fault::Reorder { .. }
            | Fault::Corrupt { .. }
            | Fault::Bandwidth { .. }
            | Fault::SlowNode { .. }
            | Fault::ClockDrift { .. }
            | Fault::ClockFreeze { .. }
            | Fault::DiskSlow { .. }
            | Fault::DiskStall { .. }
            | Fault::DiskError { .. }
            | Fault::DiskFull { .. }
            | Fault::TornWrite { .. } => {
                self.refresh();
                Ok(())
            }
        }
    }

    /// Whom and what a fault hits that begins now.
    fn aim(&mut self, number: usize, fault: &Fault) -> Active {
        let scope = disturbance(fault)
            .map(|_| fault.links().map_or(Scope::All, |links| Scope::Links(self.links_of(links, number))));
        let mut victims = match (fault.target(), fault) {
            (Some(target), _) => self.nodes_of(target, number),
            (None, Fault::DiskSlow { .. }) => (0..self.cast.member_count()).map(NodeId::new).collect(),
            (None, _) => Vec::new(),
        };
        if matches!(fault, Fault::Wipe { .. } | Fault::Destroy { .. } | Fault::BitRot { .. } | Fault::LostSync { .. }) {
            victims.retain(|node| self.may_rob(*node));
        }
        // Who is down does not fall asleep, nor does a pause of others last for it.
        if matches!(fault, Fault::Pause { .. }) {
            victims.retain(|node| self.view.hosts[node.index()].state.is_some());
        }
        let incarnation = |node: NodeId| (node, self.view.hosts[node.index()].incarnation);
        Active { number, victims: victims.into_iter().map(incarnation).collect(), scope }
    }

    /// Whether a fault may take this member's durable records: never those of so many that what a majority held could
    /// be lost, if the plan wants it recoverable.
    fn may_rob(&mut self, node: NodeId) -> bool {
        let robbed = &mut self.weather.robbed;
        if robbed.contains(&node) {
            return true;
        }
        let most = (usize::from(self.cast.server_count()).saturating_sub(1)) / 2;
        if self.plan.disk.recoverable && robbed.len() >= most {
            return false;
        }
        robbed.push(node);
        true
    }

    fn strike_down(&mut self, kind: Kind, node: NodeId) -> Verdict {
        if self.view.hosts[node.index()].state.is_some() {
            self.audit.bite(kind, |fault| fault.hits(node));
        }
        self.crash(node)
    }

    /// The node dies, if it is up, and its disk is replaced.
    fn wipe(&mut self, node: NodeId) -> Verdict {
        let was_up = self.view.hosts[node.index()].state.is_some();
        // What has rotted the crash may take: it was promised all the same.
        let promised = self.view.hosts[node.index()].disk.acknowledged();
        self.crash(node)?;
        let disk = &mut self.view.hosts[node.index()].disk;
        // Also where an earlier crash has taken it: the next start would have said that something is lost.
        let is_rotten = matches!(disk.found().damage, Some(Damage::Rotten { .. }));
        let lost = disk.wipe();
        self.trouble(node).is_disk_new |= promised > 0 || lost > 0 || is_rotten;
        if was_up || lost > 0 {
            self.audit.bite(Kind::Wipe, |fault| fault.hits(node));
        }
        // What was wrong with the old disk nobody will see any more.
        self.audit.acquit(Kind::BitRot, node, |_| true);
        self.audit.acquit(Kind::LostSync, node, |fired| fired.is_over);
        Ok(())
    }

    pub(super) fn end_fault(&mut self, number: usize) -> Verdict {
        let place = self.weather.active.iter().position(|active| active.number == number);
        let Some(place) = place.filter(|_| self.weather.is_stormy()) else {
            return Ok(());
        };
        let active = self.weather.active.remove(place);
        self.undo(&active)
    }

    /// What the end of a fault means, once it is no longer among the active ones.
    fn undo(&mut self, ended: &Active) -> Verdict {
        let plan = Arc::clone(&self.plan);
        let fault = &plan.faults[ended.number].inject;
        self.trace.happened(self.view.now, &Happening::Ended { number: ended.number, fault });
        self.audit.over(fault.kind(), ended.number);
        if goes_on(fault) {
            self.refresh();
        }
        ended.victims.iter().try_for_each(|(node, incarnation)| self.recover(fault, *node, *incarnation))
    }

    /// One node after the end of a fault.
    fn recover(&mut self, fault: &Fault, node: NodeId, incarnation: u32) -> Verdict {
        match fault {
            Fault::Kill { .. } | Fault::Wipe { .. } => self.restart(node),
            Fault::DiskError { .. } | Fault::DiskFull { .. } => {
                let trouble = self.trouble(node);
                let is_well = !trouble.disk.refuses();
                if is_well && std::mem::take(&mut trouble.has_stopped) { self.restart(node) } else { Ok(()) }
            }
            Fault::Pause { .. } => {
                let host = &self.view.hosts[node.index()];
                // Who has died since then, and sleeps again, does so for another pause.
                if host.asleep && host.incarnation == incarnation && !self.is_held_asleep(node, incarnation) {
                    self.wake(node);
                }
                Ok(())
            }
            Fault::DiskStall { .. } => {
                let trouble = self.trouble(node);
                if !trouble.disk.is_stalled
                    && let Some(incarnation) = trouble.due_sync.take()
                {
                    self.queue.push(self.view.now, Event::SyncDone { node, incarnation });
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Starts a node that is down, if nothing else keeps it down.
    pub(super) fn restart(&mut self, node: NodeId) -> Verdict {
        if self.view.hosts[node.index()].state.is_some() {
            return Ok(());
        }
        let trouble = self.backstage[node.index()].trouble.as_ref();
        if trouble.is_some_and(|trouble| trouble.is_destroyed) {
            self.audit.bite_past(Kind::Destroy, |fired| fired.hits(node));
            return Ok(());
        }
        // Who strikes a node that is down already, and keeps it down for longer, has changed something, too.
        if let Some(kind) = self.held_down_by(node) {
            self.audit.bite(kind, |fault| fault.hits(node));
            return Ok(());
        }
        if trouble.is_some_and(|trouble| trouble.has_stopped) { Ok(()) } else { self.boot(node, &mut Effects::new()) }
    }

    /// The kind of another fault that is active and keeps this node down.
    fn held_down_by(&self, node: NodeId) -> Option<Kind> {
        let holds = |active: &&Active| active.victims.iter().any(|victim| victim.0 == node);
        let kinds =
            self.weather.active.iter().filter(holds).map(|active| self.plan.faults[active.number].inject.kind());
        kinds.into_iter().find(|kind| matches!(kind, Kind::Kill | Kind::Wipe))
    }

    /// Whether another fault that is active keeps this node asleep, in this incarnation.
    fn is_held_asleep(&self, node: NodeId, incarnation: u32) -> bool {
        self.weather.active.iter().any(|active| {
            matches!(self.plan.faults[active.number].inject, Fault::Pause { .. })
                && active.victims.contains(&(node, incarnation))
        })
    }

    /// Whether the storm has ended.
    pub fn is_calm(&self) -> bool {
        self.weather.season != Season::Storm
    }

    /// Ends the storm: no fault begins any more. What `heal` names is healed, and there the network loses and doubles
    /// nothing more; the rest stays as it is.
    ///
    /// # Errors
    /// What an oracle found.
    pub fn calm(&mut self, heal: &Heal) -> Result<(), Box<super::Failure>> {
        self.trace.happened(self.view.now, &Happening::Calmed);
        self.heal(heal).map_err(|found| self.failure(found))?;
        self.oracles.on_calm(&self.view);
        Ok(())
    }

    fn heal(&mut self, heal: &Heal) -> Verdict {
        match heal {
            Heal::Nothing => self.weather.season = Season::Frozen,
            Heal::Everything => {
                self.weather.season = Season::Healed;
                let ended = std::mem::take(&mut self.weather.active);
                // First all is well, and then the dead start: not on a full disk, nor into a storm.
                self.refresh();
                ended.iter().try_for_each(|active| self.undo(active))?;
            }
            Heal::Core(names) => {
                self.weather.season = Season::Frozen;
                let mut core = vec![false; self.view.hosts.len()];
                names.iter().filter_map(|name| self.cast.find(name)).for_each(|node| core[node.index()] = true);
                // Each fault goes on outside of the core, and for the core's nodes it is over.
                let (plan, mut over) = (Arc::clone(&self.plan), Vec::new());
                for active in &mut self.weather.active {
                    let (inside, outside) = active.victims.iter().partition(|(node, _)| core[node.index()]);
                    active.victims = outside;
                    let inside: Vec<(NodeId, u32)> = inside;
                    over.extend(inside.into_iter().map(|victim| (active.number, victim)));
                }
                self.view.core = Some(core);
                self.refresh();
                for (number, (node, incarnation)) in over {
                    self.recover(&plan.faults[number].inject, node, incarnation)?;
                }
            }
        }
        Ok(())
    }

    /// Makes links, nodes, clocks and disks what the active faults say.
    fn refresh(&mut self) {
        let plan = Arc::clone(&self.plan);
        let standing = self.weather.season != Season::Healed;
        let disturbances: Vec<(Disturbance, Scope)> = self
            .weather
            .active
            .iter()
            .filter_map(|active| Some((disturbance(&plan.faults[active.number].inject)?, active.scope.clone()?)))
            .collect();
        self.view.network.disturb(standing, &disturbances, self.view.core.as_deref());
        self.unclog();
        self.backstage.iter_mut().filter_map(|back| back.trouble.as_mut()).for_each(|trouble| trouble.calm());
        let active = std::mem::take(&mut self.weather.active);
        for Active { number, victims, .. } in &active {
            victims.iter().for_each(|(node, _)| self.burden(*node, &plan.faults[*number].inject));
        }
        self.weather.active = active;
        for number in 0..self.view.hosts.len() {
            let Some(trouble) = &self.backstage[number].trouble else { continue };
            self.view.hosts[number].impaired = trouble.impairs();
            self.set_clock(NodeId::new(number as u16));
        }
        self.oracles.on_weather(&self.view);
    }

    /// Adds a fault that goes on to a node's troubles.
    fn burden(&mut self, node: NodeId, fault: &Fault) {
        match fault {
            // Of several the one that began last holds: distributions cannot be added.
            Fault::SlowNode { handling, .. } => self.trouble(node).slow = Some(*handling),
            Fault::ClockDrift { ppm, .. } => self.trouble(node).drift_ppm += i64::from(*ppm),
            Fault::ClockFreeze { .. } => self.trouble(node).is_frozen = true,
            Fault::DiskSlow { extra, .. } => self.trouble(node).disk.extra.push(*extra),
            Fault::DiskStall { .. } => self.trouble(node).disk.is_stalled = true,
            Fault::DiskError { write, sync, .. } => {
                let disk = &mut self.trouble(node).disk;
                disk.write_errors = disk.write_errors.or(*write);
                disk.sync_errors = disk.sync_errors.or(*sync);
            }
            Fault::DiskFull { .. } => self.trouble(node).disk.is_full = true,
            Fault::TornWrite { .. } => self.trouble(node).disk.tears = true,
            Fault::LostSync { .. } => self.trouble(node).disk.lies = true,
            Fault::Kill { .. }
            | Fault::Wipe { .. }
            | Fault::Destroy { .. }
            | Fault::Pause { .. }
            | Fault::ClockJump { .. }
            | Fault::BitRot { .. }
            | Fault::Order { .. } => {}
            Fault::Partition(_)
            | Fault::Clog { .. }
            | Fault::Loss { .. }
            | Fault::Duplicate { .. }
            | Fault::Delay { .. }
            | Fault::Reorder { .. }
            | Fault::Corrupt { .. }
            | Fault::Bandwidth { .. }
            | Fault::Heal => unreachable!("{fault} hits no node"),
        }
    }
}

/// Whether a fault does something as long as it lasts; the others only begin and end.
const fn goes_on(fault: &Fault) -> bool {
    let strikes =
        matches!(fault, Fault::Kill { .. } | Fault::Wipe { .. } | Fault::Destroy { .. } | Fault::Pause { .. });
    !strikes && !fault.is_momentary()
}

/// What a fault does to links, if it does something to links.
fn disturbance(fault: &Fault) -> Option<Disturbance> {
    Some(match *fault {
        Fault::Partition(_) => Disturbance::Cut,
        Fault::Clog { .. } => Disturbance::Clog,
        Fault::Loss { probability, burst, .. } => Disturbance::Loss { probability, burst },
        Fault::Duplicate { probability, .. } => Disturbance::Duplicate { probability },
        Fault::Delay { extra, .. } => Disturbance::Delay { extra },
        Fault::Reorder { probability, within, .. } => Disturbance::Reorder { probability, within },
        Fault::Corrupt { probability, .. } => Disturbance::Corrupt { probability },
        Fault::Bandwidth { rate, queue, .. } => Disturbance::Bandwidth { rate: rate.0, queue: queue.0 },
        _ => return None,
    })
}
