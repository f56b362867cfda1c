//! What is seen of a server, and what is told of it when that has changed.

use super::Cluster;
use super::words::{KEYS, at, describe_entry, members, name, places, terms};
use squall::protocol::NodeId;
use squall::protocols::raft::core::{Core, Flow, Role};
use squall::protocols::raft::log::{Entry, Position};
use squall::protocols::raft::membership::{Configuration, Wish};
use squall::protocols::raft::message::Record;
use squall::protocols::raft::node::{Machine, Store};
use squall::protocols::raft::oracle::Replicated;

/// What is seen of a server before and after a turn.
#[derive(Clone, PartialEq)]
pub(super) struct Sight {
    pub(super) role: &'static str,
    pub(super) term: u64,
    pub(super) vote: Option<NodeId>,
    /// The last entry that is compacted away.
    base: Position,
    /// The terms of the entries after it.
    log: Vec<u64>,
    commit: u64,
    snapshot: Position,
    configuration: Configuration,
    wish: Option<Wish>,
}

impl Sight {
    fn of(core: &Core<Machine>) -> Sight {
        let role = match core.role() {
            Role::Follower => "follower",
            Role::PreCandidate { .. } => "pre-candidate",
            Role::Candidate { .. } => "candidate",
            Role::Leader(_) => "leader",
            Role::Outcast => "outcast",
        };
        let (log, base) = (core.log(), core.log().base());
        let terms = (base.index + 1..=log.last_index()).map(|index| log.term_at(index).expect("in the log"));
        Sight {
            role,
            term: core.term(),
            vote: core.vote(),
            base,
            log: terms.collect(),
            commit: core.commit(),
            snapshot: core.snapshot().map_or_else(Position::default, |snapshot| snapshot.last),
            configuration: *core.configuration(),
            wish: core.wish(),
        }
    }

    /// The terms of its log; in brackets the last entry that is compacted away.
    pub(super) fn log(&self) -> String {
        let base = if self.base.index == 0 { String::new() } else { format!("[{}]", at(self.base)) };
        [base, terms(&self.log)].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// The term at an index, if this log has that entry and it is not compacted away.
    fn term_at(&self, index: u64) -> Option<u64> {
        index.checked_sub(self.base.index + 1).and_then(|place| self.log.get(place as usize)).copied()
    }

    fn last(&self) -> u64 {
        self.base.index + self.log.len() as u64
    }

    fn changes_since(&self, before: &Sight, server: NodeId) -> Vec<String> {
        let mut changes = Vec::new();
        if self.role != before.role {
            changes.push(format!("becomes {} in T{}", self.role, self.term));
        } else if self.term != before.term {
            changes.push(format!("goes on to T{} as {}", self.term, self.role));
        }
        match self.vote {
            _ if (self.term, self.vote) == (before.term, before.vote) => {}
            Some(vote) if vote == server => changes.push("votes for itself".to_owned()),
            Some(vote) => changes.push(format!("votes for {}", name(vote))),
            None if self.term == before.term => changes.push("takes its vote back".to_owned()),
            None => {}
        }
        changes.extend(self.snapshot_since(before));
        changes.extend(self.entries_since(before));
        if self.commit != before.commit {
            let fell = if self.commit < before.commit { "falls back to commit" } else { "commits up to" };
            changes.push(format!("{fell} {}", self.commit));
        }
        if self.configuration != before.configuration {
            changes.push(format!("goes by {}", members(&self.configuration)));
        }
        if self.wish != before.wish {
            changes.push(match self.wish {
                Some(Wish::Join) => "wishes to join".to_owned(),
                Some(Wish::Leave) => "wishes to leave".to_owned(),
                Some(Wish::Replace(old)) => format!("wishes to take the place of {}", name(old)),
                None => "has its wish".to_owned(),
            });
        }
        changes
    }

    /// Of what was committed before a server has taken the snapshot itself; later ones are of a leader.
    fn snapshot_since(&self, before: &Sight) -> Vec<String> {
        let mut changes = Vec::new();
        if self.snapshot != before.snapshot {
            let own = before.commit >= self.snapshot.index;
            let verb = if own { "takes a snapshot" } else { "installs the snapshot" };
            changes.push(format!("{verb} up to {}", at(self.snapshot)));
        }
        if self.base != before.base {
            changes.push(format!("begins its log after {}", at(self.base)));
        }
        changes
    }

    fn entries_since(&self, before: &Sight) -> Vec<String> {
        let mut changes = Vec::new();
        let first = self.base.index.max(before.base.index) + 1;
        let differs = |index: &u64| self.term_at(*index) != before.term_at(*index);
        let from = (first..=self.last().max(before.last())).find(differs);
        // What is compacted away is not removed, unless it was something else.
        let conflict = before.term_at(self.base.index).is_some_and(|term| term != self.base.term);
        let from = if conflict { Some(self.base.index) } else { from };
        if let Some(from) = from {
            let removed = places(&before.log, before.base.index, from);
            let appended = places(&self.log, self.base.index, from);
            for (verb, places) in [("removes", removed), ("appends", appended)] {
                if !places.is_empty() {
                    changes.push(format!("{verb} {places}"));
                }
            }
        }
        changes
    }
}

impl Cluster {
    pub(super) fn core(&self, server: NodeId) -> Option<&Core<Machine>> {
        self.view.hosts[server.index()].state.as_ref().and_then(Store::core)
    }

    pub(super) fn sight(&self, server: NodeId) -> Option<Sight> {
        self.core(server).map(Sight::of)
    }

    pub(super) fn tell_changes(&mut self, server: NodeId, before: &Sight) {
        let after = self.sight(server).expect("it is up");
        let changes = after.changes_since(before, server);
        if !changes.is_empty() {
            let indent = if self.said.lines().last().is_some_and(|line| line.contains(" -> ")) { "  " } else { "" };
            self.say(format!("{indent}{} {}", name(server), changes.join(", ")));
        }
    }

    pub(super) fn status(&mut self) {
        self.say("     role          term vote commit applied durable  log");
        for server in self.servers() {
            let durable = self.durable(server);
            let (Some(sight), Some(core)) = (self.sight(server), self.core(server)) else {
                self.say(format!("{:4} down {:>39}", name(server), durable));
                continue;
            };
            let line = format!(
                "{:4} {:13} {:4} {:4} {:6} {:7} {:7}  {}",
                name(server),
                sight.role,
                format!("T{}", sight.term),
                sight.vote.map_or("-".to_owned(), name),
                sight.commit,
                core.applied(),
                durable,
                sight.log()
            );
            self.say(line.trim_end());
        }
    }

    /// The last index of the log that the disk would bring back.
    fn durable(&self, server: NodeId) -> usize {
        let mut log: Vec<u64> = Vec::new();
        for record in self.view.hosts[server.index()].disk.durable() {
            match record {
                Record::Term { .. } => {}
                Record::Truncate { from } => log.truncate(*from as usize - 1),
                Record::Entry(entry) => log.push(entry.term()),
                Record::Checkpoint(checkpoint) => {
                    let Position { term, index } = checkpoint.snapshot.last;
                    // Of what comes before, only how much it is matters from here on.
                    log = vec![term; index as usize];
                    log.extend(checkpoint.suffix.iter().map(Entry::term));
                }
            }
        }
        log.len()
    }

    pub(super) fn show_log(&mut self, server: NodeId) {
        let Some(core) = self.core(server) else { return };
        let (base, all) = (core.log().base(), self.config.raft.all());
        let mut lines = Vec::new();
        if base.index > 0 {
            lines.push(format!("up to {}: compacted away", at(base)));
        }
        for index in base.index + 1..=core.log().last_index() {
            let entry = core.log().entry(index).expect("in the log");
            lines.push(format!("{index}:{} {}", entry.term(), describe_entry(entry, all)));
        }
        lines.iter().for_each(|line| self.say(line));
    }

    /// The values of the registers.
    pub(super) fn show_state(&mut self, server: NodeId) -> Result<(), String> {
        let core = self.core(server).ok_or("it is down")?;
        let values = KEYS.iter().zip(0..).map(|(name, key)| {
            let squall::oracle::linearizable::register::Answer::Value(value) = core.machine().machine().read(key)
            else {
                unreachable!("a read answers a value");
            };
            format!("{name}={value}")
        });
        let line = format!("{}: {}", name(server), values.collect::<Vec<_>>().join(" "));
        self.say(line);
        Ok(())
    }

    /// What a leader knows of the others.
    pub(super) fn show_progress(&mut self, server: NodeId) -> Result<(), String> {
        let core = self.core(server).ok_or("it is down")?;
        let Role::Leader(leadership) = core.role() else { return Err("it does not lead".to_owned()) };
        let others = core.configuration().members().without(server).iter();
        let lines: Vec<String> = others
            .map(|other| {
                let progress = leadership.progress[other.index()];
                let flow = match progress.flow {
                    Flow::Probe(None) => "probes".to_owned(),
                    Flow::Probe(Some(upto)) => format!("probes, waits for an answer about {upto}"),
                    Flow::Replicate => "replicates".to_owned(),
                    Flow::Snapshot { last, offset } => {
                        format!("sends part {} of the snapshot up to {last}", offset + 1)
                    }
                };
                format!(
                    "{}: matches up to {}, next is {}; {flow}",
                    name(other),
                    progress.match_index,
                    progress.next_index
                )
            })
            .collect();
        lines.iter().for_each(|line| self.say(line));
        Ok(())
    }

    pub(super) fn show_members(&mut self, server: NodeId) -> Result<(), String> {
        let core = self.core(server).ok_or("it is down")?;
        let line = format!("{} goes by {}", name(server), members(core.configuration()));
        self.say(line);
        Ok(())
    }
}
