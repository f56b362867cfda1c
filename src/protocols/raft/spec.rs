//! What must hold of the replicated store: all that must hold of Raft, and what its clients see.

use super::core::{Core, Role};
use super::kv;
use super::membership::Servers;
use super::message::Record;
use super::node::{Config, Fact, Judge, Machine, Store};
use super::oracle::sessions::SessionOracle;
use super::oracle::{CoreOracle, GOALS, Goal, Replicated};
use crate::environment::plan;
use crate::kernel::time::Span;
use crate::oracle::linearizable::register::{Operation, Register};
use crate::oracle::linearizable::{Checker, OperationId, Verdict as Linearizability};
use crate::oracle::spec::{Oracle, Spec, Touch, Verdict, View, Violation};
use crate::protocol::NodeId;

/// What must hold of the store beyond what must hold of Raft, with a sentence each.
pub const INVARIANTS: [(&str, &str); 5] = [
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
            keys: Vec::new(),
            sessions: vec![Session::default(); config.clients as usize],
            ending: config.session_lifetime.map(|lifetime| SessionOracle::new(config.raft.all(), lifetime)),
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

    fn invoked(fact: &Fact) -> Option<plan::Operation> {
        match fact {
            Fact::Invoked { command, .. } => Some((*command).into()),
            Fact::Returned { .. } | Fact::GaveUp { .. } => None,
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

/// All oracles of the store.
#[derive(Clone, Debug)]
pub struct StoreOracle {
    core: CoreOracle,
    servers: u16,
    /// How long one leader must have led for the cluster to be settled.
    steady: Span,
    /// By key.
    keys: Vec<Checker<Register>>,
    /// By client.
    sessions: Vec<Session>,
    /// If sessions end.
    ending: Option<SessionOracle>,
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
}

/// What has happened since the faults are over.
#[derive(Clone, Debug)]
struct Calm {
    write: bool,
    read: bool,
    /// Why the servers could promise nothing when the faults ended, however well they are. Links do not change after that, but
    /// who belongs to the cluster may, and then clients have given up what they wanted.
    apart: Option<String>,
}

impl StoreOracle {
    fn client(&self, node: NodeId) -> usize {
        (node.number() - self.servers) as usize
    }

    fn on_invoked(&mut self, client: usize, command: &kv::Command) {
        while self.keys.len() <= command.key as usize {
            self.keys.push(Checker::new(0));
        }
        let id = self.keys[command.key as usize].invoke(command.operation);
        let reads = command.operation == Operation::Read;
        self.sessions[client].call = Some(Call { key: command.key, id, reads, fresh: self.calm.is_some() });
    }
}

impl StoreOracle {
    /// The members of the cluster that can do their work.
    fn well(&self, view: &View<Store>) -> Vec<NodeId> {
        let is_well = |node: &NodeId| {
            let takes_part = view.state(*node).and_then(Store::core).is_some_and(|core| !core.is_outcast());
            takes_part && view.host(*node).is_able()
        };
        self.core.configuration().members().iter().filter(is_well).collect()
    }

    /// Those of them whose logs may have to become equal: of a healed core all.
    fn healed(&self, view: &View<Store>) -> Vec<NodeId> {
        let mut well = self.well(view);
        well.retain(|node| view.is_inside(*node));
        well
    }

    /// The members that nothing keeps from their leader, wherever it is. Others can hear from people who hear from
    /// it, and that is why nobody votes for them.
    fn must_agree(&self, view: &View<Store>) -> Vec<NodeId> {
        let (_, leader) = self.core.latest_leader();
        let healed = self.healed(view).into_iter();
        healed.filter(|node| *node == leader || talk_well(view, *node, leader)).collect()
    }

    /// What of the logs and of the cluster is not as it must become.
    fn unrest(&self, view: &View<Store>) -> Option<String> {
        if self.core.configuration().is_joint() {
            return Some(format!("the cluster is still between two configurations: {:?}", self.core.configuration()));
        }
        let (_, leader) = self.core.latest_leader();
        if !self.core.configuration().voters.has(leader) {
            return Some(format!(
                "{leader:?} was elected last, and has no vote in the cluster: {:?}",
                self.core.configuration()
            ));
        }
        let is_at_rest = self.core.is_at_rest(view, &self.must_agree(view));
        (!is_at_rest).then(|| "the servers are not at rest under one leader".to_owned())
    }

    /// Whether these are enough to elect, and to commit. While a change is under way, by each configuration that one of them
    /// goes by.
    fn are_enough(&self, view: &View<Store>, servers: &[NodeId]) -> bool {
        let all: Servers = servers.iter().copied().collect();
        let cores = servers.iter().filter_map(|node| view.state(*node).and_then(Store::core));
        let mut configurations = cores.map(|core| *core.configuration()).chain([*self.core.configuration()]);
        configurations.all(|configuration| self.core.suffices(&configuration, all))
    }

    /// The most servers that can all talk with each other undisturbed; no more are looked for when they are
    /// enough, or when so many sets of them have been tried. `inside` are in already, of `rest` each may come.
    fn circle(&self, view: &View<Store>, rest: &[NodeId], inside: &[NodeId], tries: &mut u32) -> Vec<NodeId> {
        let mut most = inside.to_vec();
        *tries = tries.saturating_sub(1);
        for (place, node) in rest.iter().enumerate() {
            let left: Servers = inside.iter().chain(&rest[place..]).copied().collect();
            let may_be_more = left.len() > most.len() || self.core.suffices(self.core.configuration(), left);
            if *tries == 0 || self.are_enough(view, &most) || !may_be_more {
                break;
            }
            let others = rest[place + 1..].iter().filter(|other| talk_reliably(view, *node, **other));
            let others: Vec<NodeId> = others.copied().collect();
            let found = self.circle(view, &others, &[inside, &[*node]].concat(), tries);
            if found.len() > most.len() || self.are_enough(view, &found) {
                most = found;
            }
        }
        most
    }

    /// Why these servers can promise nothing: what is still wrong with the links between them, if that can be told soon.
    fn apart(&self, view: &View<Store>, servers: &[NodeId]) -> Option<String> {
        let mut tries = TRIES;
        let largest = self.circle(view, servers, &[], &mut tries);
        (tries > 0 && !self.are_enough(view, &largest)).then(|| {
            format!(
                "at most {} of {} servers can all talk with each other undisturbed, and Raft promises nothing to fewer than a quorum",
                largest.len(),
                self.core.configuration().members().len()
            )
        })
    }
}

/// How many sets of servers are tried to find enough that can all talk with each other. Eleven servers have 2,048; of sixty nobody could
/// try all, and hardly ever must.
const TRIES: u32 = 5_000;

/// Whether messages pass between two servers, in both directions.
fn talk(view: &View<Store>, one: NodeId, other: NodeId) -> bool {
    let (one, other) = (one.number(), other.number());
    one != other && !view.network.is_blocked(one, other) && !view.network.is_blocked(other, one)
}

/// Whether no fault hits messages between two servers, in either direction.
fn talk_well(view: &View<Store>, one: NodeId, other: NodeId) -> bool {
    let (one, other) = (one.number(), other.number());
    view.network.is_well(one, other) && view.network.is_well(other, one)
}

/// Whether also the network itself loses few of them: an election takes six in a row.
fn talk_reliably(view: &View<Store>, one: NodeId, other: NodeId) -> bool {
    let (one, other) = (one.number(), other.number());
    view.network.is_reliable(one, other) && view.network.is_reliable(other, one)
}

impl Oracle<Store> for StoreOracle {
    fn on_fact(&mut self, _: &View<Store>, node: NodeId, fact: &Fact) -> Verdict {
        let client = self.client(node);
        match fact {
            Fact::Invoked { command, .. } => self.on_invoked(client, command),
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
            }
        }
        Ok(())
    }

    #[inline]
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
        if let Some(sessions) = self.ending.as_mut().filter(|_| self.judge == Judge::All)
            && let Some(core) = view.state(node).and_then(Store::core)
        {
            let before = sessions.expired();
            sessions.after_step(view, node, core, fresh.clone())?;
            self.core.reached(Goal::SessionExpired, sessions.expired() - before);
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

    fn on_calm(&mut self, view: &View<Store>) {
        let members: Vec<NodeId> = self.core.configuration().members().iter().collect();
        self.calm = Some(Calm { write: false, read: false, apart: self.apart(view, &members) });
    }

    fn is_settled(&self, view: &View<Store>) -> bool {
        let Some(calm) = &self.calm else { return false };
        if self.judge == Judge::Clients {
            return calm.write && calm.read;
        }
        let steady = view.now.since(self.core.leadership_changed()) >= self.steady;
        calm.write && calm.read && steady && self.unrest(view).is_none()
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
        pending.push(self.core.standing(view));
        Violation::new("raft.settles", &[], pending.join("; "))
    }

    /// Raft promises progress where a quorum is well and connected, each with each: that is what keeps a leader in
    /// office and lets the best log win. Where not even one server reaches a quorum, none can be elected.
    fn excuse(&self, view: &View<Store>) -> Option<String> {
        let (well, members) = (self.well(view), self.core.configuration().members());
        if !self.are_enough(view, &well) {
            let down = members.iter().filter(|node| !well.contains(node));
            let names: Vec<String> = down.map(|node| format!("{node:?}")).collect();
            let (fit, all) = (well.len(), members.len());
            return Some(format!("only {fit} of {all} servers are fit for work, without {}", names.join(", ")));
        }
        let reached = |node: &NodeId| -> Vec<NodeId> {
            let others = well.iter().filter(|other| talk(view, *node, **other));
            others.chain([node]).copied().collect()
        };
        if !well.iter().any(|node| self.are_enough(view, &reached(node))) {
            let most = well.iter().map(|node| reached(node).len()).max().unwrap_or(0);
            return Some(format!("no server can talk with more than {most} of {}, itself included", members.len()));
        }
        let apart_before = || self.calm.as_ref().and_then(|calm| calm.apart.clone());
        self.apart(view, &well).or_else(apart_before)
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
