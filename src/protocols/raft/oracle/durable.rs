//! What the servers' disks would bring back, what they have lost, and whether a restart brings it back.

use super::chains::Chains;
use super::{Common, Goal, Replicated, Seen, or_none, violation};
use crate::environment::disk::Disk;
use crate::oracle::spec::Verdict;
use crate::protocol::NodeId;
use crate::protocols::raft::core::{Core, StateMachine};
use crate::protocols::raft::message::Record;
use crate::protocols::raft::snapshot::Checkpoint;

/// What a disk would bring back.
#[derive(Clone, Debug, Default)]
pub(super) struct Durable {
    pub(super) folded: usize,
    pub(super) term: u64,
    pub(super) vote: Option<NodeId>,
    /// Of the durable log.
    pub(super) chains: Chains,
    /// Up to where a snapshot stands for it.
    pub(super) base: u64,
    /// The disk has lost what is folded here. Until the server takes part again with what is left, it counts as a
    /// witness of what it had.
    pub(super) is_lost: bool,
}

impl Common {
    /// Takes in what has become durable.
    pub(super) fn fold<P: Replicated>(&mut self, node: NodeId, disk: &Disk<P::Record>) -> Verdict {
        let durable = &mut self.durable[node.index()];
        durable.is_lost |= disk.sound() < durable.folded;
        if durable.is_lost {
            return Ok(());
        }
        if durable.folded == disk.sound() {
            return Ok(());
        }
        // Up to where committed entries were there, from where on some were removed, and in which term.
        let mut removed: Option<(u64, u64, u64)> = None;
        // What a checkpoint stands for may be forgotten by now.
        durable.folded = durable.folded.max(disk.first());
        while let Some(record) = disk.record(durable.folded).filter(|_| durable.folded < disk.sound()) {
            let record = P::raft_record(record);
            durable.folded += 1;
            match record {
                None => {}
                Some(Record::Term { term, vote }) => {
                    (durable.term, durable.vote) = (*term, *vote);
                    if let Some(candidate) = *vote {
                        self.elections.note_ballot(*term, node, candidate)?;
                    }
                }
                Some(Record::Truncate { from }) => {
                    let kept = self.committed.before_term(durable.term + 1);
                    let stored = durable.chains.at(*from, &self.matching);
                    if *from <= kept && stored == self.committed.chains.at(*from, &self.matching) {
                        let kept = kept.min(durable.chains.last());
                        let kept = self.committed.agreed(&durable.chains, kept, &self.matching);
                        removed = removed.max(Some((kept, *from, durable.term)));
                    }
                    durable.chains.truncate_from(*from, &self.matching);
                }
                Some(Record::Entry(entry)) => durable.chains.append(entry.hash(), &self.matching),
                Some(Record::Checkpoint(checkpoint)) => {
                    let Checkpoint { term, vote, snapshot, suffix } = &**checkpoint;
                    (durable.term, durable.vote) = (*term, *vote);
                    if let Some(candidate) = *vote {
                        self.elections.note_ballot(*term, node, candidate)?;
                    }
                    let last = snapshot.last.index;
                    if !self.committed.stands(last, snapshot.chain, &self.matching) {
                        return violation("raft.snapshot-faithful", &[node], || {
                            format!("on the disk of {node:?} is a snapshot up to index {last} of what is not committed")
                        });
                    }
                    let before = durable.chains.clone();
                    durable.chains = self.committed.chains.upto(last, snapshot.chain);
                    durable.base = last;
                    suffix.iter().for_each(|entry| durable.chains.append(entry.hash(), &self.matching));
                    let upto = self.committed.before_term(term + 1).min(before.last());
                    if durable.chains.at(upto, &self.matching) != self.committed.chains.at(upto, &self.matching) {
                        let kept = self.committed.agreed(&before, upto, &self.matching);
                        removed = removed.max(Some((kept, durable.chains.last() + 1, *term)));
                    }
                }
            }
        }
        // What the same sync has brought back was never away.
        match removed {
            Some((kept, from, term))
                if durable.chains.at(kept, &self.matching) != self.committed.chains.at(kept, &self.matching) =>
            {
                violation("raft.committed-kept", &[node], || {
                    format!(
                        "{node:?} in term {term} has removed its durable entries from {from} on; those up to {kept} were committed by then"
                    )
                })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// A server starts with what is left of a disk that has lost durable records. That it had them is no promise that
    /// it can keep; what follows from the loss for others is.
    pub(super) fn accept_loss(&mut self, seen: &mut Seen, node: NodeId, sound: usize) {
        let durable = &mut self.durable[node.index()];
        // Not only a crash takes records: a disk is replaced while its server is down, and rot is found by a boot.
        if durable.is_lost || sound < durable.folded {
            *durable = Durable::default();
            (seen.term, seen.vote, seen.kept) = (0, None, (0, None));
        }
    }

    /// A server has started: with what its disk holds, and without having forgotten what it had
    /// once made durable.
    pub(super) fn check_restored<M: StateMachine>(&mut self, seen: &mut Seen, node: NodeId, core: &Core<M>) -> Verdict {
        let durable = &self.durable[node.index()];
        let last = durable.chains.last();
        if !durable.chains.ends_with(core.log().last_index(), core.log().chain()) {
            return violation("raft.restart-restores", &[node], || {
                format!("{node:?} starts with {} entries, its disk holds {last}", core.log().last_index())
            });
        }
        let (term, vote) = seen.kept;
        if core.term() < term {
            return violation("raft.term-monotonic", &[node], || {
                format!("{node:?} was in term {term} and starts in term {}", core.term())
            });
        }
        if core.term() == term && vote.is_some() && core.vote() != vote {
            return violation("raft.vote-monotonic", &[node], || {
                format!(
                    "{node:?} had voted for {} in term {term}; after the restart its vote is {}",
                    or_none(vote),
                    or_none(core.vote())
                )
            });
        }
        // A crash may have brought back entries that had been removed in favour of committed ones.
        seen.agreed = seen.agreed.min(last);
        while self.chain_in(core, seen.agreed) != self.committed_at(seen.agreed) {
            seen.agreed -= 1;
        }
        (seen.term, seen.vote) = (core.term(), core.vote());
        // A disk may hold what was in memory for less than a step.
        self.check_matching(node, core, 0)?;
        (seen.last, seen.chain) = (last, core.log().chain());
        if last > 0 {
            self.reach(Goal::RestartWithLog);
        }
        Ok(())
    }
}

/// A server that takes no part has lost something that it had called durable. Of a new disk on which nothing was lost, because there
/// was nothing on the old one, only the server knows.
pub(super) fn check_outcast<R>(node: NodeId, disk: &Disk<R>) -> Verdict {
    let books = disk.books();
    if books.kept == 0 || books.lost_durable + books.cut + books.wiped > 0 {
        return Ok(());
    }
    violation("raft.restart-restores", &[node], || {
        format!("{node:?} takes no part from now on, though its disk has kept all that it ever called durable")
    })
}
