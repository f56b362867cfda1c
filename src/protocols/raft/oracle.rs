//! What must hold of every Raft, whatever it replicates, checked by what changed.
//!
//! The five properties of the paper's figure 3, what they rest on (votes and copies that are
//! durable on a quorum), and everything that only ever grows. The oracle keeps a few numbers of
//! each server, and one chain for every entry that ever was; so a step costs the same
//! in a log of a million entries as in an empty one.

mod chains;
mod configurations;
mod durable;
mod elections;
mod forgetting;
mod goals;
mod logs;
mod seen;
pub mod sessions;
mod silence;
mod snapshots;
mod wishes;

use super::config::Config;
use super::core::{Core, StateMachine};
use super::log::CHAIN_START;
use super::membership::{Configuration, Decision, Quorums, Servers};
use super::message::Record;
use crate::kernel::time::Time;
use crate::oracle::spec::{Touch, View, Violation};
use crate::protocol::{NodeId, Order, Protocol};
use chains::LogMatching;
use configurations::Configurations;
use durable::{Durable, check_outcast};
use elections::Elections;
pub use goals::{GOALS, Goal};
use logs::{Committed, States};
use seen::Seen;
use silence::check_silence;
use snapshots::{check_kept, has_just_sent};
use std::collections::BTreeMap;
use std::ops::Range;
use wishes::Orders;
pub use wishes::{check_order, is_granted};

/// A protocol that embeds Raft, for oracles to look into.
pub trait Replicated: Protocol {
    /// What is replicated.
    type Machine: StateMachine;

    /// The core of a server; `None` of a node that is none.
    fn core(&self) -> Option<&Core<Self::Machine>>;

    /// What Raft wrote, if this record is of Raft.
    fn raft_record(record: &Self::Record) -> Option<&Record<Self::Machine>>;
}

/// The invariants this oracle knows, with a sentence each.
pub const INVARIANTS: [(&str, &str); 35] = [
    ("raft.election-safety", "at most one leader is elected in a term (paper, figure 3)"),
    ("raft.election-quorum", "whoever leads has the durable votes of a quorum of distinct servers"),
    ("raft.leader-append-only", "a leader never removes or overwrites entries of its own log (paper, figure 3)"),
    (
        "raft.log-matching",
        "entries of one index and term are the same in all logs, with all before them (paper, figure 3)",
    ),
    ("raft.leader-completeness", "a committed entry is in the log of every leader of a later term (paper, figure 3)"),
    ("raft.state-machine-safety", "no two servers commit or apply different entries at one index (paper, figure 3)"),
    ("raft.commit-quorum", "what is committed is durable on a quorum"),
    ("raft.commit-current-term", "a leader commits by counting only entries of its own term (paper, section 5.4.2)"),
    ("raft.committed-kept", "no server removes an entry that was committed in a term it has reached"),
    ("raft.acknowledged-durable", "what a leader counts as stored by a server is durable there"),
    ("raft.term-monotonic", "a server's term never falls, not even over a restart"),
    ("raft.vote-monotonic", "a vote is given once in a term and never taken back, not even over a restart"),
    (
        "raft.pre-vote-first",
        "where servers are to ask for pre-votes, whoever campaigns unless told to has asked just before (thesis, section 9.6)",
    ),
    (
        "raft.leader-awaited",
        "whoever asks for pre-votes has heard no leader for the shortest election timeout (paper, section 5.2)",
    ),
    ("raft.commit-monotonic", "a commit index never falls while the server is up"),
    ("raft.applied-monotonic", "entries are applied once, in order, and only when they are committed"),
    (
        "raft.match-monotonic",
        "what is known to match never shrinks in one leadership, and the next entry to send is beyond it",
    ),
    (
        "raft.restart-restores",
        "a server starts with exactly what its disk holds, and takes part if that is all it ever held",
    ),
    (
        "raft.leader-is-voter",
        "whoever is elected votes by the latest configuration in its log, or, if that may come to nothing, by the one before (thesis, section 4.2.2)",
    ),
    ("raft.configuration-in-log", "a server goes by the latest configuration in its log (thesis, section 4.1)"),
    (
        "raft.one-change-at-a-time",
        "a leader changes the cluster when the change before is committed (thesis, section 4.1)",
    ),
    (
        "raft.change-in-own-term",
        "a leader changes the cluster when an entry of its own term is committed (Ongaro, raft-dev, 2015)",
    ),
    (
        "raft.configurations-overlap",
        "any two quorums of two configurations that follow each other share a server (thesis, section 4.1)",
    ),
    (
        "raft.promoted-caught-up",
        "a leader lets a learner vote when one message brings it all that is committed (thesis, section 4.2.1)",
    ),
    (
        "raft.order-kept",
        "what a server was ordered to ask for it asks for until it has got it for good, it crashes, or another order comes",
    ),
    (
        "raft.as-ordered",
        "who comes, goes or is told to lead was ordered to at some time, and who votes in the place of another one does so alone",
    ),
    (
        "raft.transfer-quiet",
        "a leader that hands over takes no commands and begins no change (thesis, section 3.10; etcd-io/raft, stepLeader)",
    ),
    ("raft.transfer-caught-up", "whoever is told to campaign has all entries of the leader (thesis, section 3.10)"),
    (
        "raft.transfer-told",
        "whoever is to lead next is told to campaign as soon as it is known to have all entries of the leader (thesis, section 3.10)",
    ),
    (
        "raft.transfer-current",
        "whoever campaigns because it was told to was told so by the leader of the term before (thesis, section 3.10)",
    ),
    (
        "raft.leader-begins-with-entry",
        "a leader has an entry of its own term from its first step on (paper, section 8)",
    ),
    (
        "raft.quorum-checked",
        "a leader that has not heard a quorum for three of the longest election timeouts leads no more (thesis, section 6.2)",
    ),
    ("raft.lease-exclusive", "nobody is elected while another leader reads by a lease (thesis, section 6.4.1)"),
    ("raft.snapshot-faithful", "a snapshot stands for committed entries, and for the configuration after them"),
    (
        "raft.log-compacted",
        "a server that is to take snapshots applies no more than so many entries after the latest one, and keeps no more before it, but what a leader keeps for whom it sends an earlier one (paper, section 7)",
    ),
];

/// The oracle of the core.
#[derive(Clone, Debug)]
pub struct CoreOracle {
    servers: Vec<Seen>,
    common: Common,
    /// Timers fire whenever somebody likes: how long a server has waited says nothing.
    is_timeless: bool,
}

/// What the oracle knows of all servers together.
#[derive(Clone, Debug)]
struct Common {
    /// When somebody last became leader or ceased to be.
    leadership_changed: Time,
    /// By server.
    durable: Vec<Durable>,
    elections: Elections,
    matching: LogMatching,
    committed: Committed,
    states: States,
    configurations: Configurations,
    /// By server, up to where the leader of some term counts it as holding its log: that term, the index, and the chain there.
    acknowledged: Vec<(u64, u64, u64)>,
    /// Whom the leader of a term has told to campaign; everybody, if it died and may have told somebody. Of the latest terms.
    told: BTreeMap<u64, Servers>,
    orders: Orders,
    goals: [u64; GOALS.len()],
}

impl CoreOracle {
    /// For servers that are told this.
    pub fn new(config: &Config) -> CoreOracle {
        CoreOracle::with(config.servers, config.all(), config.quorums)
    }

    /// The same where timers fire whenever somebody likes.
    pub fn timeless(config: &Config) -> CoreOracle {
        CoreOracle { is_timeless: true, ..CoreOracle::new(config) }
    }

    /// For so many servers, all of which vote, by majority.
    pub fn of(servers: u16) -> CoreOracle {
        CoreOracle::with(servers, servers, Quorums::Majority)
    }

    fn with(first: u16, servers: u16, quorums: Quorums) -> CoreOracle {
        let seen = Seen {
            term: 0,
            vote: None,
            led: 0,
            leads: false,
            last: 0,
            chain: CHAIN_START,
            commit: 0,
            applied: 0,
            agreed: 0,
            kept: (0, None),
            match_index: vec![0; servers as usize],
            base: 0,
            snapshot: 0,
            told: None,
            is_sent: false,
            asks: false,
            lags: false,
            deaf: None,
            overstayed: None,
            wish: None,
        };
        let common = Common {
            leadership_changed: Time::ZERO,
            durable: vec![Durable::default(); servers as usize],
            elections: Elections::default(),
            matching: LogMatching::default(),
            committed: Committed::default(),
            states: States::default(),
            configurations: Configurations::new(first, quorums),
            acknowledged: vec![(0, 0, CHAIN_START); servers as usize],
            told: BTreeMap::new(),
            orders: Orders::default(),
            goals: [0; GOALS.len()],
        };
        CoreOracle { servers: vec![seen; servers as usize], common, is_timeless: false }
    }

    /// How often each of [`GOALS`] was reached.
    pub fn goals(&self) -> [u64; GOALS.len()] {
        self.common.goals
    }

    /// How many entries are committed.
    pub fn committed(&self) -> u64 {
        self.common.committed.upto()
    }

    /// When a server last became leader or ceased to be, in true time.
    pub fn leadership_changed(&self) -> Time {
        self.common.leadership_changed
    }

    /// The leader of the highest term so far, and that term; server 0 and term 0 before the first election.
    #[inline]
    pub fn latest_leader(&self) -> (u64, NodeId) {
        self.common.elections.latest
    }

    /// How many leaders were elected.
    pub fn elections(&self) -> u64 {
        self.common.goals[Goal::LeaderElected as usize]
    }

    /// Looks at the server that was touched. Answers which indexes this step has committed for the
    /// first time anywhere; the touched server's log holds them.
    ///
    /// # Errors
    /// The broken invariant.
    #[inline]
    pub fn after_step<P: Replicated>(
        &mut self,
        view: &View<P>,
        node: NodeId,
        touch: Touch,
    ) -> Result<Range<u64>, Box<Violation>> {
        let host = view.host(node);
        let (seen, folded) = (&self.servers[node.index()], self.common.durable[node.index()].folded);
        // Every other step is an answer that changes nothing.
        if touch == Touch::Handled
            && host.disk.sound() == folded
            && host.state.as_ref().and_then(P::core).is_some_and(|core| seen.is_as_before(core))
        {
            return Ok(0..0);
        }
        self.look_closer(view, node, touch)
    }

    #[inline(never)]
    fn look_closer<P: Replicated>(
        &mut self,
        view: &View<P>,
        node: NodeId,
        touch: Touch,
    ) -> Result<Range<u64>, Box<Violation>> {
        let host = view.host(node);
        let (seen, common) = (&mut self.servers[node.index()], &mut self.common);
        let core = host.state.as_ref().and_then(P::core);
        if touch == Touch::Booted && core.is_some_and(|core| !core.is_outcast()) {
            common.accept_loss(seen, node, host.disk.sound());
        }
        common.fold::<P>(node, &host.disk)?;
        if let Touch::Crashed { lost } = touch {
            common.on_crash(seen, lost);
            return Ok(0..0);
        }
        if touch == Touch::Booted && core.is_some_and(Core::is_outcast) {
            common.reach(Goal::ServerOutcast);
            check_outcast(node, &host.disk)?;
        }
        let Some(core) = core.filter(|core| !core.is_outcast()) else { return Ok(0..0) };
        let (held, base) = ((touch != Touch::Booted).then_some(seen.last), seen.base);
        if touch == Touch::Booted {
            common.check_restored(seen, node, core)?;
        }
        let (term, asked) = (seen.term, std::mem::replace(&mut seen.asks, core.asks_for_pre_votes()));
        if seen.asks && !asked && !self.is_timeless {
            check_silence(view, node, core)?;
        }
        if seen.check_term(node, core)? {
            common.check_sent(node, core.term())?;
        } else if core.term() > term && !asked {
            common.check_asked(node, core)?;
        }
        let has_snapshot = core.snapshot().is_some_and(|snapshot| snapshot.last.index > seen.snapshot);
        let has_just_sent = has_snapshot && has_just_sent(seen, core);
        // First whether somebody may lead, then what a leader did to its log.
        common.check_leadership(seen, view, node, core)?;
        common.check_log(seen, node, core)?;
        let fresh = common.check_commit(seen, held, node, core)?;
        common.check_wish(seen, node, core)?;
        if !fresh.is_empty() {
            common.check_successors(view, node, core)?;
        }
        common.check_applied(seen, node, core)?;
        common.check_snapshot(seen, held, node, core)?;
        if has_snapshot {
            check_kept(node, has_just_sent, core)?;
        }
        if host.disk.is_clean() {
            seen.kept = (seen.term, seen.vote);
        }
        if seen.base > base {
            self.forget();
        }
        Ok(fresh)
    }

    /// A server in this term hears an order of an operator.
    pub fn ordered(&mut self, order: Order, node: NodeId, term: u64) {
        self.common.orders.note(order, node, term);
    }

    /// Links were cut or healed: is a leader on its own now?
    pub fn on_weather<P: Replicated>(&mut self, view: &View<P>) {
        let count = self.servers.len() as u16;
        for leader in 0..count {
            self.servers[leader as usize].lags |= view.host(NodeId::new(leader)).impaired;
            if !self.servers[leader as usize].leads {
                continue;
            }
            let reaches = |other: &u16| !view.network.is_cut(leader, *other) && !view.network.is_cut(*other, leader);
            let reached: Servers = (0..count).filter(reaches).map(NodeId::new).collect();
            if !self.is_quorum(Decision::Replication, reached) {
                self.common.reach(Goal::LeaderIsolated);
            }
            self.note_silence(view, NodeId::new(leader));
        }
    }

    /// Who belongs to the cluster by what is committed.
    pub fn configuration(&self) -> &Configuration {
        &self.common.configurations.committed
    }

    /// Whether these can elect by this configuration, and commit.
    pub fn suffices(&self, configuration: &Configuration, servers: Servers) -> bool {
        let is_quorum = |decision| self.common.configurations.is_quorum(configuration, decision, servers);
        is_quorum(Decision::Election) && is_quorum(Decision::Replication)
    }

    /// Whether these are enough of them.
    pub fn is_quorum(&self, decision: Decision, servers: Servers) -> bool {
        self.common.configurations.is_quorum(self.configuration(), decision, servers)
    }

    /// Whether one leader leads all these servers, and all their logs are equal, committed and applied.
    pub fn is_at_rest<P: Replicated>(&self, view: &View<P>, servers: &[NodeId]) -> bool {
        let seen = |server: &NodeId| &self.servers[server.index()];
        let Some(first) = servers.first().map(seen) else { return true };
        let same = |seen: &Seen| {
            (seen.term, seen.last, seen.chain, seen.commit, seen.applied)
                == (first.term, first.last, first.chain, first.last, first.last)
        };
        let leader = |server: &NodeId| view.state(*server).and_then(P::core).and_then(Core::leader);
        let common = leader(&servers[0]);
        servers.iter().map(seen).all(same)
            && common.is_some_and(|leader| self.servers[leader.index()].leads)
            && servers.iter().all(|server| leader(server) == common)
    }

    /// How every server stands, for the message of a run that did not settle.
    pub fn standing<P: Replicated>(&self, view: &View<P>) -> String {
        let of = |node: usize| {
            let id = NodeId::new(node as u16);
            let Some(core) = view.state(id).and_then(P::core) else { return format!("{id:?} is down") };
            format!("{id:?} {}", core.standing())
        };
        (0..self.servers.len()).map(of).collect::<Vec<_>>().join("; ")
    }
}

impl Common {
    fn reach(&mut self, goal: Goal) {
        self.goals[goal as usize] += 1;
    }

    /// The chain of what is committed.
    #[inline]
    fn committed_at(&self, index: u64) -> Option<u64> {
        self.committed.chains.at(index, &self.matching)
    }

    fn on_crash(&mut self, seen: &mut Seen, lost: usize) {
        let led = seen.leads;
        (seen.leads, seen.commit, seen.applied, seen.base, seen.snapshot) = (false, 0, 0, 0, 0);
        (seen.wish, seen.lags, seen.overstayed, seen.asks) = (None, false, None, false);
        if led {
            self.note_told(seen.led, Servers::first(64));
            self.reach(Goal::LeaderCrashed);
        }
        if lost > 0 {
            self.reach(Goal::UnsyncedLost);
        }
    }
}

fn or_none(node: Option<NodeId>) -> String {
    node.map_or_else(|| "nobody".to_owned(), |node| format!("{node:?}"))
}

/// A broken invariant. The message is made only here: the way to it is hot.
#[cold]
fn violation<T>(
    invariant: &'static str,
    nodes: &[NodeId],
    message: impl FnOnce() -> String,
) -> Result<T, Box<Violation>> {
    Err(Box::new(Violation::new(invariant, nodes, message())))
}
