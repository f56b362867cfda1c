//! What must hold of the replicated store: all that must hold of Raft, and what its clients see.

mod calm;

use super::config::Reads;
use super::core::{Core, Role};
use super::kv;
use super::message::Record;
use super::node::{Config, Fact, Judge, Machine, Store};
use super::oracle::sessions::SessionOracle;
use super::oracle::{CoreOracle, GOALS, Goal, Replicated, check_order};
use crate::environment::plan;
use crate::kernel::time::{Span, Time};
use crate::oracle::linearizable::register::{Answer, Operation, Register};
use crate::oracle::linearizable::{Checker, OperationId, Verdict as Linearizability};
use crate::oracle::spec::{Oracle, Spec, Touch, Verdict, View, Violation};
use crate::protocol::{NodeId, Order};
use std::ops::Range;

/// What must hold of the store beyond what must hold of Raft, with a sentence each.
pub const INVARIANTS: [(&str, &str); 6] = [
    ("raft.acknowledged-kept", "an operation that is more than a read, and whose client has its answer, is committed"),
    ("raft.linearizable", "the answers of the store are those of one register a key, used by one client at a time"),
    (
        "raft.sessions-end",
        "a client's session ends when it was not used for its lifetime by the time of the log, and not before, and nothing is carried out in one that is over (thesis, section 6.3)",
    ),
    (
        "raft.log-time",
        "the time of the log goes by the clock of whoever leads, from where it was when that one came (thesis, section 6.3)",
    ),
    (
        "raft.clients-served",
        "when the faults are over, and one leader serves, no client that reaches all servers goes without an answer",
    ),
    (
        "raft.settles",
        "when the faults are over, one leader serves a fresh write and a fresh read, and all logs become equal",
    ),
];

impl Replicated for Store {
    type Machine = Machine;

    #[inline]
    fn core(&self) -> Option<&Core<Machine>> {
        match self {
            Store::Server(server) => Some(server.core()),
            Store::Client(_) => None,
        }
    }

    #[inline]
    fn raft_record(record: &Record<Machine>) -> Option<&Record<Machine>> {
        Some(record)
    }
}

impl Spec for Store {
    type Oracles = StoreOracle;

    fn oracles(config: &Config) -> StoreOracle {
        StoreOracle {
            core: CoreOracle::new(&config.raft),
            servers: config.raft.all(),
            steady: config.raft.election_timeout_max.times(STEADY_TIMEOUTS),
            long: config.client.retry.times(u64::from(config.raft.all()) + ROUNDS),
            reads_anywhere: config.client.reads_anywhere,
            keys: Vec::new(),
            sessions: vec![Session::default(); config.clients as usize],
            ending: config.session_lifetime.map(|lifetime| SessionOracle::new(config.raft.all(), lifetime)),
            looks_on: config.raft.reads != Reads::Log || config.session_lifetime.is_some(),
            answered: if config.raft.reads == Reads::Log { Vec::new() } else { vec![0; config.raft.all().into()] },
            calm: None,
            judge: config.judge,
            is_blind: false,
            returned: 0,
            unknown: 0,
        }
    }

    /// Of a server: whether it is down, leads, campaigns, follows somebody or nobody; whether it is in the term of
    /// the latest leader or a later one; whether its log ends where that one's does.
    fn sketch(oracles: &StoreOracle, view: &View<Store>, node: NodeId) -> u64 {
        let core = match &view.host(node).state {
            None => return 1,
            Some(Store::Client(_)) => return 0,
            Some(Store::Server(server)) => server.core(),
        };
        let (highest, leader) = oracles.core.latest_leader();
        let leader = view.state(leader).and_then(Store::core);
        let role = match core.role() {
            Role::Leader(_) => 0,
            Role::PreCandidate { .. } | Role::Candidate { .. } => 1,
            Role::Outcast => return 2,
            Role::Follower if core.leader().is_some() => 2,
            Role::Follower => 3,
        };
        let same = leader.is_some_and(|leader| leader.log().last() == core.log().last());
        // Nobody is 0, which is a client, 1, which is down, or 2, which has lost its disk.
        4 << 2 | role << 2 | u64::from(core.term() >= highest) << 1 | u64::from(same)
    }

    fn standing(&self) -> String {
        match self {
            Store::Server(server) => server.core().standing_and_vote(),
            // Its facts say all that it does.
            Store::Client(_) => String::new(),
        }
    }

    fn invoked(fact: &Fact) -> Option<plan::Operation> {
        match fact {
            Fact::Invoked { command, .. } => Some((*command).into()),
            Fact::Returned { .. } | Fact::GaveUp { .. } => None,
        }
    }

    fn completed(fact: &Fact) -> Option<plan::Completion> {
        match fact {
            Fact::Invoked { .. } => None,
            Fact::Returned { answer: Answer::Value(value), .. } => Some(plan::Completion::Value(*value)),
            Fact::Returned { answer: Answer::Done, .. } => Some(plan::Completion::Done),
            Fact::Returned { answer: Answer::Swapped(swapped), .. } => Some(plan::Completion::Swapped(*swapped)),
            Fact::GaveUp { .. } => Some(plan::Completion::Unknown),
        }
    }
}

impl From<plan::Operation> for kv::Command {
    fn from(planned: plan::Operation) -> kv::Command {
        let operation = match planned {
            plan::Operation::Read { .. } => Operation::Read,
            plan::Operation::Write { value, .. } => Operation::Write(value),
            plan::Operation::Cas { from, to, .. } => Operation::Cas { from, to },
            plan::Operation::Add { delta, .. } => Operation::Add(delta),
        };
        kv::Command { key: planned.key(), operation }
    }
}

impl From<kv::Command> for plan::Operation {
    fn from(kv::Command { key, operation }: kv::Command) -> plan::Operation {
        match operation {
            Operation::Read => plan::Operation::Read { key },
            Operation::Write(value) => plan::Operation::Write { key, value },
            Operation::Cas { from, to } => plan::Operation::Cas { key, from, to },
            Operation::Add(delta) => plan::Operation::Add { key, delta },
        }
    }
}

/// A leader that outlasts so many of the longest election timeouts will not be replaced without a
/// reason: one quiet moment between two elections is no stability.
const STEADY_TIMEOUTS: u64 = 4;

/// A client asks every server in turn, or any, and so many times more: whoever knows the leader sends it there.
const ROUNDS: u64 = 4;

/// All oracles of the store.
#[derive(Clone, Debug)]
pub struct StoreOracle {
    core: CoreOracle,
    servers: u16,
    /// How long one leader must have led for the cluster to be settled.
    steady: Span,
    /// How long a client must have asked in vain, by its own clock, to be one that is not served.
    long: Span,
    /// Reads are not sent to the leader: who has no answer may have asked somebody who could not tell.
    reads_anywhere: bool,
    /// By key.
    keys: Vec<Checker<Register>>,
    /// By client.
    sessions: Vec<Session>,
    /// If sessions end.
    ending: Option<SessionOracle>,
    /// Whether there is more to see after each step than what there is of every Raft.
    looks_on: bool,
    /// By server, how many reads it has answered that spared the log; of none if none does.
    answered: Vec<u64>,
    calm: Option<Calm>,
    judge: Judge,
    /// What the servers hold is not looked at any more: it is not as it must be, and that is not to be said.
    is_blind: bool,
    returned: u64,
    unknown: u64,
}

/// What is known of one client's operations.
#[derive(Clone, Debug, Default)]
struct Session {
    /// The operation under way.
    call: Option<Call>,
    /// The highest number of a request of this client in what is committed.
    committed: u32,
}

#[derive(Clone, Copy, Debug)]
struct Call {
    key: u32,
    id: OperationId,
    reads: bool,
    fresh: bool,
    begun: Time,
}

/// What has happened since the faults are over.
#[derive(Clone, Debug)]
struct Calm {
    write: bool,
    read: bool,
    /// Since when the servers serve.
    served: Option<Time>,
    /// Why the servers could promise nothing when the faults ended, however well they are. Links do not change after that, but
    /// who belongs to the cluster may, and then clients have given up what they wanted.
    apart: Option<String>,
}

impl StoreOracle {
    fn client(&self, node: NodeId) -> usize {
        (node.number() - self.servers) as usize
    }

    fn on_invoked(&mut self, now: Time, client: usize, command: &kv::Command) {
        while self.keys.len() <= command.key as usize {
            self.keys.push(Checker::new(0));
        }
        let id = self.keys[command.key as usize].invoke(command.operation);
        let reads = command.operation == Operation::Read;
        self.sessions[client].call = Some(Call { key: command.key, id, reads, fresh: self.calm.is_some(), begun: now });
    }

    /// What there is to see only where reads spare the log, or sessions end.
    fn look_on(&mut self, view: &View<Store>, node: NodeId, fresh: Range<u64>) -> Verdict {
        if !self.answered.is_empty() {
            self.count_reads(view, node);
        }
        if let Some(sessions) = self.ending.as_mut().filter(|_| self.judge == Judge::All)
            && let Some(core) = view.state(node).and_then(Store::core)
        {
            let before = sessions.expired();
            sessions.after_step(view, node, core, fresh)?;
            self.core.reached(Goal::SessionExpired, sessions.expired() - before);
        }
        Ok(())
    }

    /// Whether a server has answered a read from its own state.
    fn count_reads(&mut self, view: &View<Store>, node: NodeId) {
        let Some(Store::Server(server)) = &view.host(node).state else { return };
        let before = std::mem::replace(&mut self.answered[node.index()], server.answered());
        let goal = if server.core().is_leader() { Goal::LeaderRead } else { Goal::FollowerRead };
        self.core.reached(goal, server.answered().saturating_sub(before));
    }
}

impl Oracle<Store> for StoreOracle {
    fn on_fact(&mut self, view: &View<Store>, node: NodeId, fact: &Fact) -> Verdict {
        let client = self.client(node);
        match fact {
            Fact::Invoked { command, .. } => self.on_invoked(view.now, client, command),
            Fact::Returned { sequence, answer } => {
                let session = &mut self.sessions[client];
                let Some(call) = session.call.take() else { unreachable!("an answer without a question") };
                if !call.reads && session.committed < *sequence && self.judge == Judge::All {
                    let message = format!(
                        "{node:?} has the answer to its request {sequence}, but committed of its requests is only {}",
                        session.committed
                    );
                    return Err(Box::new(Violation::new("raft.acknowledged-kept", &[node], message)));
                }
                self.returned += 1;
                if let Some(calm) = &mut self.calm
                    && call.fresh
                {
                    (calm.read, calm.write) = (calm.read || call.reads, calm.write || !call.reads);
                    calm.served.get_or_insert(view.now);
                }
                if let Err(found) = self.keys[call.key as usize].returned(call.id, *answer) {
                    let message = format!("on key {}: {found}", call.key);
                    return Err(Box::new(Violation::new("raft.linearizable", &[node], message)));
                }
            }
            Fact::GaveUp { .. } => {
                let Some(call) = self.sessions[client].call.take() else { unreachable!("nothing to give up") };
                self.keys[call.key as usize].unknown(call.id);
                self.unknown += 1;
                self.check_served(view, node, call)?;
            }
        }
        Ok(())
    }

    #[inline(always)]
    fn after_step(&mut self, view: &View<Store>, node: NodeId, touch: Touch) -> Verdict {
        if node.number() >= self.servers {
            return Ok(());
        }
        if self.is_blind {
            return Ok(());
        }
        let fresh = match self.core.after_step(view, node, touch) {
            Err(_) if self.judge == Judge::Clients => {
                self.is_blind = true;
                return Ok(());
            }
            found => found?,
        };
        if self.looks_on {
            self.look_on(view, node, fresh.clone())?;
        }
        for index in fresh {
            let core = view.state(node).and_then(Store::core).expect("a server that is up has committed it");
            let entry = core.log().entry(index).expect("a committed entry is in the log");
            if let Some(request) = entry.command() {
                let session = &mut self.sessions[(request.client.number() - self.servers) as usize];
                session.committed = session.committed.max(request.sequence);
            }
        }
        Ok(())
    }

    fn on_weather(&mut self, view: &View<Store>) {
        self.core.on_weather(view);
    }

    fn ordered(&mut self, view: &View<Store>, node: NodeId, order: Order) {
        if let Some(core) = view.state(node).and_then(Store::core) {
            self.core.ordered(order, node, core.term());
        }
    }

    fn on_order(&mut self, view: &View<Store>, node: NodeId, order: Order) -> Verdict {
        match view.state(node).and_then(Store::core) {
            Some(core) if self.judge == Judge::All => check_order(order, node, core),
            Some(_) | None => Ok(()),
        }
    }

    fn on_calm(&mut self, view: &View<Store>) {
        let members: Vec<NodeId> = self.core.configuration().members().iter().collect();
        self.calm = Some(Calm { write: false, read: false, served: None, apart: self.apart(view, &members) });
    }

    fn is_settled(&self, view: &View<Store>) -> bool {
        let Some(calm) = &self.calm else { return false };
        if self.judge == Judge::Clients {
            return calm.write && calm.read;
        }
        let steady = view.now.since(self.core.leadership_changed()) >= self.steady;
        calm.write && calm.read && steady && self.unrest(view).is_none() && self.unanswered(view).is_none()
    }

    fn pending(&self, view: &View<Store>) -> Violation {
        let Some(calm) = &self.calm else { unreachable!("nothing is pending before the calm") };
        let mut pending = Vec::new();
        if !calm.write {
            pending.push("no fresh write was served".to_owned());
        }
        if !calm.read {
            pending.push("no fresh read was served".to_owned());
        }
        if self.judge == Judge::Clients {
            return Violation::new("raft.settles", &[], pending.join("; "));
        }
        if view.now.since(self.core.leadership_changed()) < self.steady {
            pending.push(format!("no leader has lasted for {}", self.steady));
        }
        pending.extend(self.unrest(view));
        pending.extend(self.unanswered(view));
        pending.push(self.core.standing(view));
        Violation::new("raft.settles", &[], pending.join("; "))
    }

    fn excuse(&self, view: &View<Store>) -> Option<String> {
        self.excuse_for_unrest(view)
    }

    fn goals(&self) -> Vec<(&'static str, u64)> {
        GOALS.into_iter().zip(self.core.goals()).collect()
    }

    fn goal_count(&self, goal: usize) -> u64 {
        self.core.goals()[goal]
    }

    fn stats(&self) -> Vec<(&'static str, u64)> {
        let undecided = self.keys.iter().filter(|key| key.verdict() == Linearizability::Undecided).count();
        vec![
            ("committed", self.core.committed()),
            ("elections", self.core.elections()),
            ("operations_returned", self.returned),
            ("operations_unknown", self.unknown),
            ("keys_undecided", undecided as u64),
        ]
    }
}
