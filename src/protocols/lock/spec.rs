//! What must hold of a lock service as a whole.

use super::claim::{LockId, Mode};
use super::config::Config;
use super::ensemble::machine::Machine;
use super::kind::Kind;
use super::message::Record;
use super::node::{Fact, Lock};
use super::oracle::calm::Calm;
use super::oracle::grace::Grace;
use super::oracle::reigns::Reigns;
use super::oracle::replicas::Replicas;
use super::oracle::sessions::Sessions;
use super::oracle::{GOALS, LockOracle};
use crate::environment::plan;
use crate::oracle::spec::{Oracle, Spec, Touch, Verdict, View, Violation};
use crate::protocol::{NodeId, Protocol};
use crate::protocols::raft::core::Core;
use crate::protocols::raft::message;
use crate::protocols::raft::oracle::{self as raft, CoreOracle, Replicated};
use std::sync::Arc;

impl Replicated for Lock {
    type Machine = Machine;

    #[inline]
    fn core(&self) -> Option<&Core<Machine>> {
        Lock::core(self)
    }

    #[inline]
    fn raft_record(record: &Record) -> Option<&message::Record<Machine>> {
        record.raft()
    }
}

impl Spec for Lock {
    type Oracles = LockOracles;

    fn oracles(config: &Arc<Config>) -> LockOracles {
        LockOracles {
            config: config.clone(),
            core: config.kind.replicates().then(|| CoreOracle::of(config.servers)),
            reigns: matches!(config.kind, Kind::RedisFailover(_)).then(|| Reigns::new(config.servers)),
            replicas: Replicas::of(config),
            grace: Grace::new(config),
            sessions: Sessions::new(config.servers, config.clients),
            locks: LockOracle::new(config),
            calm: None,
            applied: 0,
            calls: vec![0; config.clients as usize],
            asked: 0,
            acquired: 0,
        }
    }

    /// Whether a node is up, and of a client, what it is doing.
    fn sketch(_: &LockOracles, view: &View<Lock>, node: NodeId) -> u64 {
        match view.state(node) {
            None => 1,
            Some(Lock::Client(client)) => 2 + client.doing(),
            Some(Lock::Server(_) | Lock::Resource(_)) => 0,
        }
    }

    fn standing(&self) -> String {
        match self {
            Lock::Server(server) => server.standing(),
            Lock::Client(client) => client.standing(),
            // What it accepts and refuses it tells.
            Lock::Resource(_) => String::new(),
        }
    }

    fn invoked(fact: &Fact) -> Option<plan::Operation> {
        let Fact::Sought { claim } = fact else { return None };
        let key = claim.lock.0;
        Some(match claim.mode {
            Mode::Exclusive => plan::Operation::Write { key, value: 0 },
            Mode::Shared => plan::Operation::Read { key },
        })
    }
}

/// All oracles of a lock service.
#[derive(Clone, Debug)]
pub struct LockOracles {
    config: Arc<Config>,
    /// Of servers that replicate by Raft.
    core: Option<CoreOracle>,
    /// Of sessions and leases that such servers take over.
    grace: Grace,
    /// Of what all of them make of these.
    sessions: Sessions,
    /// Of primaries of Redis and their replicas.
    reigns: Option<Reigns>,
    /// Of what they have, and say that they have.
    replicas: Option<Replicas>,
    locks: LockOracle,
    calm: Option<Calm>,
    /// How far the log was applied by any server, at most; or the latest reign before that of the latest primary.
    applied: u64,
    /// By client, how many calls it has made since it started.
    calls: Vec<u32>,
    /// How many all have made.
    asked: u64,
    /// How many claims were granted.
    acquired: u64,
}

impl LockOracles {
    /// The servers that can do their work.
    fn well(&self, view: &View<Lock>) -> Vec<NodeId> {
        (0..self.config.servers).map(NodeId::new).filter(|node| view.host(*node).is_able()).collect()
    }

    fn after_step_of_server(&mut self, view: &View<Lock>, node: NodeId, touch: Touch) -> Verdict {
        if let Some(reigns) = &mut self.reigns {
            reigns.after_step(view, node, touch)?;
            self.applied = reigns.latest().map_or(0, |(reign, _)| reign - 1);
        }
        if let Some(replicas) = &mut self.replicas {
            replicas.after_step(view, node, touch)?;
        }
        let Some(core) = &mut self.core else { return Ok(()) };
        core.after_step(view, node, touch)?;
        self.grace.after_step(view, node)?;
        let Some(core) = view.state(node).and_then(Lock::core) else { return Ok(()) };
        self.applied = self.applied.max(core.applied());
        self.sessions.after_step(view, node, touch, core)?;
        let orphan = core.machine().service.orphan();
        let Some((lock, claim)) = orphan else { return Ok(()) };
        let message = format!("at {node:?}, what claim {} has at lock {} has outlived its session", claim.0, lock.0);
        Err(Box::new(Violation::new("lock.ephemeral-owned", &[node], message)))
    }

    /// A server that leads says that a session is no more: then nobody has it who has applied more. Who leads in a later term
    /// may have opened it since, and lets the others know.
    fn check_denied(&self, view: &View<Lock>, node: NodeId, session: u64) -> Verdict {
        let Some(own) = view.state(node).and_then(Lock::core) else { return Ok(()) };
        let knows = |core: &Core<Machine>| core.machine().service.knows(session);
        let is_ahead = |core: &Core<Machine>| {
            core.applied() > own.applied() && core.log().term_at(core.applied()).is_some_and(|term| term <= own.term())
        };
        if knows(own) && !self.sessions.has_run_out(node, own.term(), session) {
            let message = format!(
                "{node:?} leads in term {} and says that session {session} is no more, which has not run out",
                own.term()
            );
            return Err(Box::new(Violation::new("lock.told-expired", &[node], message)));
        }
        let server = |other: &NodeId| view.state(*other).and_then(Lock::core);
        let mut others = (0..self.config.servers).map(NodeId::new).filter(|other| *other != node);
        let witness = others.find(|other| server(other).is_some_and(|core| is_ahead(core) && knows(core)));
        let Some(witness) = witness.filter(|_| !knows(own)) else { return Ok(()) };
        let message = format!(
            "{node:?} leads in term {} and says that session {session} is no more, of which it has not heard yet, and {witness:?} has",
            own.term()
        );
        Err(Box::new(Violation::new("lock.told-expired", &[node, witness], message)))
    }

    /// A leader outside the core that was healed, if others hear from it well enough to follow it, and it does not do its
    /// work as quickly as clients need. Of primaries of Redis, also one that none follows: a client that reaches it believes it.
    fn strange_leader(&self, view: &View<Lock>) -> Option<NodeId> {
        let latest = self.core.as_ref().map(|core| core.latest_leader().1);
        let may_lead = |node: &NodeId| latest.map_or(self.reigns.is_some(), |latest| latest == *node);
        let leads = |node: &NodeId| view.state(*node).is_some_and(|server| server.role("primary").is_some());
        let talks_well = |one: NodeId, other: u16| {
            view.network.is_well(one.number(), other) && view.network.is_well(other, one.number())
        };
        let is_slow = |node: &NodeId| {
            let mut others = (0..self.config.servers + self.config.clients).filter(|other| *other != node.number());
            !view.host(*node).is_able() || !others.all(|other| talks_well(*node, other))
        };
        let mut servers = (0..self.config.servers).map(NodeId::new);
        servers.find(|node| may_lead(node) && leads(node) && !view.is_inside(*node) && is_slow(node))
    }

    /// Whether nothing keeps a client from its work: it, the resource and enough servers are well, and so are the links
    /// between them.
    fn can_work(&self, view: &View<Lock>, client: NodeId) -> bool {
        let talks = |other: NodeId| {
            view.network.is_well(client.number(), other.number())
                && view.network.is_well(other.number(), client.number())
        };
        let resource = self.config.resource();
        let servers = self.well(view).into_iter().filter(|server| view.is_inside(*server) && talks(*server)).count();
        view.is_inside(client)
            && view.host(client).is_able()
            && view.host(resource).is_able()
            && talks(resource)
            && servers >= self.config.kind.quorum(self.config.servers).into()
    }
}

impl Oracle<Lock> for LockOracles {
    fn on_fact(&mut self, view: &View<Lock>, node: NodeId, fact: &Fact) -> Verdict {
        match fact {
            Fact::Denied { session } => {
                self.check_denied(view, node, *session)?;
                // A leader that is deposed and does not know it may not have heard of what was opened since.
                if view.state(node).and_then(Lock::core).is_some_and(|core| core.is_leader()) {
                    self.sessions.denied(*session);
                }
            }
            Fact::RanOut { session } => {
                self.grace.check_run_out(view, node, *session)?;
                let term = view.state(node).and_then(Lock::core).map_or(0, |core| core.term());
                self.sessions.ran_out(node, term, *session);
            }
            _ => {}
        }
        if let Fact::Entered { .. } = fact {
            self.acquired += 1;
        }
        match (&mut self.calm, fact) {
            (Some(calm), Fact::Entered { claim, .. }) => calm.entered(claim),
            (Some(calm), Fact::Accepted { claim, .. }) => calm.accepted(claim),
            _ => {}
        }
        self.locks.on_fact(node, fact, self.applied)
    }

    fn after_step(&mut self, view: &View<Lock>, node: NodeId, touch: Touch) -> Verdict {
        let Some(place) = node.number().checked_sub(self.config.servers) else {
            return self.after_step_of_server(view, node, touch);
        };
        let Some(seen) = self.calls.get_mut(place as usize) else { return Ok(()) };
        if matches!(touch, Touch::Crashed { .. }) {
            *seen = 0;
            self.locks.on_crash(node);
        }
        if let Some(core) = &self.core {
            self.sessions.after_step_of_client(view, node, core.latest_leader().1)?;
        }
        if let Some(Lock::Client(client)) = view.state(node) {
            self.asked += u64::from(client.calls() - *seen);
            *seen = client.calls();
        }
        Ok(())
    }

    fn on_weather(&mut self, view: &View<Lock>) {
        if let Some(core) = &mut self.core {
            core.on_weather(view);
        }
    }

    fn on_calm(&mut self, view: &View<Lock>) {
        self.calm = Some(Calm::of(&self.config, |client| self.can_work(view, client)));
    }

    fn is_settled(&self, _: &View<Lock>) -> bool {
        self.calm.as_ref().is_some_and(Calm::is_over)
    }

    fn pending(&self, _: &View<Lock>) -> Violation {
        self.calm.as_ref().map_or_else(|| unreachable!("nothing is pending before the calm"), Calm::pending)
    }

    /// A service promises something to those who reach enough of its servers, and only if those are well.
    fn excuse(&self, view: &View<Lock>) -> Option<String> {
        let (well, quorum) = (self.well(view).len(), usize::from(self.config.kind.quorum(self.config.servers)));
        if well < quorum {
            return Some(format!(
                "only {well} of {} servers are fit for work, and {quorum} are needed",
                self.config.servers
            ));
        }
        if let Some(leader) = self.strange_leader(view) {
            return Some(format!(
                "{leader:?} leads, which is outside the core, and what it is sent or sends is disturbed"
            ));
        }
        let clients = (0..self.config.clients).map(|place| NodeId::new(self.config.servers + place));
        let stranded: Vec<String> =
            clients.filter(|client| !self.can_work(view, *client)).map(|client| format!("{client:?}")).collect();
        (!stranded.is_empty()).then(|| {
            format!("{} cannot work, or reach no {quorum} servers and the resource undisturbed", stranded.join(", "))
        })
    }

    fn goals(&self) -> Vec<(&'static str, u64)> {
        let of_core = self.core.iter().flat_map(|core| raft::GOALS.into_iter().zip(core.goals()));
        GOALS.into_iter().zip(self.locks.goals()).chain(of_core).collect()
    }

    fn goal_count(&self, goal: usize) -> u64 {
        let of_core = |core: &CoreOracle| core.goals()[goal - GOALS.len()];
        self.locks.goals().get(goal).copied().unwrap_or_else(|| self.core.as_ref().map_or(0, of_core))
    }

    fn stats(&self) -> Vec<(&'static str, u64)> {
        let per_hundred = (self.asked * 100).checked_div(self.acquired).unwrap_or(0);
        let mut stats = vec![("acquisitions", self.acquired), ("calls_per_100_acquisitions", per_hundred)];
        stats.extend(self.locks.costs());
        stats
    }
}

/// What a scenario's operation asks of a lock service: to change something takes its key's lock alone, to read it shares it.
pub fn planned(operation: plan::Operation) -> (LockId, Mode) {
    let mode = match operation {
        plan::Operation::Read { .. } => Mode::Shared,
        plan::Operation::Write { .. } | plan::Operation::Cas { .. } | plan::Operation::Add { .. } => Mode::Exclusive,
    };
    (LockId(operation.key()), mode)
}
