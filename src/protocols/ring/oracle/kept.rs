//! That what was promised of a key is on as many disks as must have it.

use super::keys::shown;
use super::reference::{readers, writers};
use super::{RingOracle, violation};
use crate::oracle::spec::Verdict;
use crate::protocol::NodeId;
use crate::protocols::ring::cell::{Cell, Rank};
use crate::protocols::ring::config::Reads;
use crate::protocols::ring::epoch::Epoch;
use crate::protocols::ring::topology::{Placed, Team, Topology};
use std::ops::Range;

impl RingOracle {
    /// Keys are read from others now: they must have what was promised.
    pub(super) fn check_switch(&mut self) -> Verdict {
        let mut moved: Vec<Range<u32>> = Vec::new();
        let mut copies = 0;
        self.reference.latest().in_both(|range, now, later| {
            if now != later {
                copies +=
                    u64::from(range.end - range.start) * later.iter().filter(|node| !now.has(*node)).count() as u64;
                moved.push(range);
            }
        });
        self.moved += copies;
        moved.into_iter().flatten().try_for_each(|rank| self.check_kept(Rank(rank)))
    }

    /// The old owners are let go: of those of each key that has moved so many know of the switch that nobody can read it from the
    /// others. Source: CEP-21, Transactional Cluster Metadata, on the steps of a change; each waits for those who know of the last.
    pub(super) fn check_finish(&self, switched: &Topology) -> Verdict {
        let number = switched.epoch().number;
        let needed = self.config.copies + 1 - self.config.read_quorum;
        let mut unaware: Option<(Range<u32>, Team)> = None;
        switched.in_both(|range, now, later| {
            let knows = |node: &NodeId| self.mirrors[node.index()].known >= number;
            if now != later && now.iter().filter(knows).count() < needed {
                unaware = Some((range, now));
            }
        });
        let Some((range, team)) = unaware else { return Ok(()) };
        let owners: Vec<NodeId> = team.iter().collect();
        let message = format!(
            "the change of epoch {number} ends, and of the owners {owners:?} of the keys of rank {}..{} that it has moved, fewer than {needed} know that",
            range.start, range.end
        );
        violation("ring.left-by-readers", &owners, message)
    }

    /// Every read quorum of the owners sees what was promised of a key.
    pub(super) fn check_kept(&self, rank: Rank) -> Verdict {
        let key = &self.keys.keys[rank.0 as usize];
        if self.config.reads == Reads::Eventual || key.is_gone() {
            return Ok(());
        }
        let Some(promised) = key.promised else { return Ok(()) };
        let topology = self.reference.latest();
        let owners: Vec<NodeId> = readers(topology).team(rank).iter().collect();
        let has = |node: &&NodeId| self.has(readers(topology), **node, rank, &promised);
        let (count, enough) = (owners.iter().filter(has).count(), owners.len() + 1 - self.config.read_quorum);
        if count >= enough {
            return Ok(());
        }
        let message = format!(
            "of the key of rank {} was promised {}, but in epoch {} only {count} of its owners {owners:?} have it durably: a read quorum of {} can miss it",
            rank.0,
            shown(&promised),
            topology.epoch().number,
            self.config.read_quorum
        );
        violation("ring.acknowledged-kept", &owners, message)
    }

    /// A write is enough where it should be: on the disks of a write quorum by each list by which keys are written. An epoch
    /// that is not the latest any more may have been left by some of them.
    pub(super) fn check_written(&self, rank: Rank, cell: &Cell, epoch: u64) -> Verdict {
        let topology = self.reference.latest();
        // A deletion that was forgotten since need not be there, nor what it has deleted.
        let is_gone = self.keys.keys[rank.0 as usize].forgotten >= Some(cell.version);
        if topology.epoch().number != epoch || is_gone {
            return Ok(());
        }
        for placed in writers(topology) {
            let owners: Vec<NodeId> = placed.team(rank).iter().collect();
            let count = owners.iter().filter(|node| self.has(placed, **node, rank, cell)).count();
            if count < self.config.write_quorum {
                let message = format!(
                    "{} of the key of rank {} is acknowledged in epoch {epoch}, and only {count} of its owners {owners:?} have it durably: a write quorum is {}",
                    shown(cell),
                    rank.0,
                    self.config.write_quorum
                );
                return violation("ring.acknowledged-kept", &owners, message);
            }
        }
        Ok(())
    }

    fn has(&self, placed: &Placed, node: NodeId, rank: Rank, cell: &Cell) -> bool {
        let identity = Epoch::find(placed.members(), node).map(|member| member.identity);
        identity.is_some_and(|identity| self.mirrors[node.index()].has(rank, cell, identity))
    }
}
