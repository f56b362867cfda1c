//! What servers that replicate a log make of sessions and leases: the same on all, and who leads ends by itself only what has run out.

use super::reigns::has_forgotten;
use crate::kernel::digest::Digest;
use crate::kernel::time::Time;
use crate::oracle::spec::{Touch, Verdict, View, Violation};
use crate::protocol::NodeId;
use crate::protocols::lock::ensemble::machine::{Command, Machine, What};
use crate::protocols::lock::node::Lock;
use crate::protocols::lock::{lease, zookeeper};
use crate::protocols::raft::core::Core;
use std::collections::{BTreeMap, BTreeSet};

/// At how many of the latest places of the log is remembered what there was.
const REMEMBERED: usize = 256;

/// What is known of them.
#[derive(Clone, Debug)]
pub struct Sessions {
    /// By how far the log was applied, which there were and how long each lives, as a server had them that was first seen there.
    lives: BTreeMap<u64, u64>,
    servers: Vec<Known>,
    /// Which of them who led in which term has found to have run out.
    run_out: BTreeSet<(NodeId, u64, u64)>,
    /// Which of them somebody who leads, or takes itself for that, has found to have run out, or has not.
    ended: BTreeSet<u64>,
    /// By client, which it was seen to have, and when that must be over by its own clock.
    held: Vec<Option<(u64, Time)>>,
}

/// What is known of one server.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// How far it was seen to have applied the log.
    applied: u64,
    /// The term in which it was last seen to lead, and how far its log was looked through then.
    led: (u64, u64),
}

impl Sessions {
    /// Nothing yet, of so many servers and clients.
    pub fn new(servers: u16, clients: u16) -> Sessions {
        let (lives, servers) = (BTreeMap::new(), vec![Known::default(); servers.into()]);
        let (run_out, ended, held) = (BTreeSet::new(), BTreeSet::new(), vec![None; clients.into()]);
        Sessions { lives, servers, run_out, ended, held }
    }

    /// A server that leads in this term finds that a session or a lease has run out.
    pub fn ran_out(&mut self, node: NodeId, term: u64, session: u64) {
        self.run_out.insert((node, term, session));
        self.ended.insert(session);
    }

    /// A server that leads, as far as it knows, says that it has no such session or lease, and nobody could expect it to have it.
    pub fn denied(&mut self, session: u64) {
        self.ended.insert(session);
    }

    /// Whether it has found that.
    pub fn has_run_out(&self, node: NodeId, term: u64, session: u64) -> bool {
        self.run_out.contains(&(node, term, session))
    }

    /// A server has done something. O(entries that it has taken in as leader); where it has applied something, O(sessions).
    ///
    /// # Errors
    /// `lock.told-expired`, `lock.replicas-agree`.
    pub fn after_step(&mut self, view: &View<Lock>, node: NodeId, touch: Touch, core: &Core<Machine>) -> Verdict {
        if core.is_leader() {
            self.check_ends(node, core)?;
        }
        let before = std::mem::replace(&mut self.servers[node.index()].applied, core.applied());
        if before == core.applied() && touch != Touch::Booted { Ok(()) } else { self.check_lives(view, node, core) }
    }

    /// A client has done something: it has a session or a lease no more, perhaps. Before that must be over by its own clock only a
    /// server can have said so; then whoever leads has it no more, or somebody has found it to have run out, or a leader that was deposed
    /// has never heard of it. O(log n).
    ///
    /// # Errors
    /// `lock.told-expired`.
    pub fn after_step_of_client(&mut self, view: &View<Lock>, node: NodeId, leader: NodeId) -> Verdict {
        let now = match view.state(node) {
            Some(Lock::Client(client)) => client.session(),
            _ => None,
        };
        let place = node.index() - self.servers.len();
        let before = std::mem::replace(&mut self.held[place], now);
        let Some((session, until)) = before.filter(|(session, _)| now.is_none_or(|(now, _)| now != *session)) else {
            return Ok(());
        };
        let is_over = view.state(node).is_none() || view.host(node).clock.monotonic(view.now) >= until;
        let leads = view.state(leader).and_then(Lock::core).filter(|core| core.is_leader());
        if is_over || self.ended.contains(&session) || !leads.is_some_and(|core| core.machine().service.knows(session))
        {
            return Ok(());
        }
        let message = format!(
            "{node:?} takes session {session} for lost, which has not run out, and {leader:?} leads and has it"
        );
        Err(Box::new(Violation::new("lock.told-expired", &[node, leader], message)))
    }

    /// What it has brought into the log itself since it was looked through last. What clients have asked is theirs to say.
    fn check_ends(&mut self, node: NodeId, core: &Core<Machine>) -> Verdict {
        let (term, last) = (core.term(), core.log().last_index());
        let (before, seen) = std::mem::replace(&mut self.servers[node.index()].led, (term, last));
        let first = core.log().base().index.max(if before == term { seen } else { 0 }) + 1;
        let entries = (first..=last).rev().map_while(|index| core.log().entry(index));
        let own = entries.take_while(|entry| entry.term() == term);
        for ended in own.filter_map(|entry| entry.command().and_then(ended)) {
            if !self.has_run_out(node, term, ended) {
                let message =
                    format!("{node:?} leads in term {term} and ends session {ended}, which has not run out in it");
                return Err(Box::new(Violation::new("lock.told-expired", &[node], message)));
            }
        }
        Ok(())
    }

    fn check_lives(&mut self, view: &View<Lock>, node: NodeId, core: &Core<Machine>) -> Verdict {
        let mut digest = Digest::new();
        core.machine().service.lifetimes().iter().for_each(|(session, life)| digest.pair(*session, life.as_ns()));
        let lives = digest.low();
        let agrees = *self.lives.entry(core.applied()).or_insert(lives) == lives;
        if self.lives.len() > REMEMBERED {
            self.lives.pop_first();
        }
        if agrees || has_forgotten(view, self.servers.len()) {
            return Ok(());
        }
        let message = format!(
            "{node:?} has other sessions than another server that had applied {} entries, too, or they live for another time",
            core.applied()
        );
        Err(Box::new(Violation::new("lock.replicas-agree", &[node], message)))
    }
}

/// Which session or lease a command ends that no client has asked for.
fn ended(command: &Command) -> Option<u64> {
    match (command.asked, command.what) {
        (None, What::Lease(lease::command::Write::Revoke { lease })) => Some(lease as u64),
        (None, What::ZooKeeper(zookeeper::command::Write::Close { session })) => Some(session.0),
        _ => None,
    }
}
