//! What the store must come to when the faults are over: who can do something for that, and who may expect something.

use super::{Call, StoreOracle};
use crate::oracle::spec::{Verdict, View, Violation};
use crate::protocol::NodeId;
use crate::protocols::raft::membership::{Servers, Wish};
use crate::protocols::raft::node::{Judge, Store};
use crate::protocols::raft::oracle::{Replicated, is_granted};

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
    pub(super) fn unrest(&self, view: &View<Store>) -> Option<String> {
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
        if !self.core.is_at_rest(view, &self.must_agree(view)) {
            return Some("the servers are not at rest under one leader".to_owned());
        }
        self.wanting(view, leader)
    }

    /// Which server still wants what it was ordered to ask for, though nothing keeps it from the leader.
    fn wanting(&self, view: &View<Store>, leader: NodeId) -> Option<String> {
        let committed = self.core.configuration();
        let is_last = |server: NodeId, wish: Wish| wish == Wish::Leave && committed.voters == Servers::one(server);
        // Somebody must stay.
        let lacks = |server: NodeId, wish: Wish| !is_granted(wish, server, committed) && !is_last(server, wish);
        let can_ask = |server: NodeId| {
            let reaches = server == leader || talk_reliably(view, server, leader);
            reaches && view.is_inside(server) && view.host(server).is_able()
        };
        (0..self.servers).map(NodeId::new).find_map(|server| {
            let core = view.state(server).and_then(Store::core).filter(|core| !core.is_outcast())?;
            let wish = core.wish().filter(|wish| lacks(server, *wish) && can_ask(server))?;
            Some(format!("{server:?} still asks for what it was ordered to ask for: {wish:?}"))
        })
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
    pub(super) fn apart(&self, view: &View<Store>, servers: &[NodeId]) -> Option<String> {
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

    /// Whether nothing is between a client and the servers, nor wrong with one of them.
    fn is_in_reach(&self, view: &View<Store>, client: NodeId) -> bool {
        let is_well = |server: NodeId| {
            let takes_part = view.state(server).and_then(Store::core).is_some_and(|core| !core.is_outcast());
            takes_part && view.host(server).is_able() && talk_reliably(view, client, server)
        };
        view.host(client).is_able() && (0..self.servers).map(NodeId::new).all(is_well)
    }

    /// A client has given up. If it was served as others are it would have had an answer: its first copy of the request may have got lost, or
    /// the answer to it, but not all of them.
    pub(super) fn check_served(&self, view: &View<Store>, client: NodeId, call: Call) -> Verdict {
        let Some(served) = self.calm.as_ref().and_then(|calm| calm.served) else { return Ok(()) };
        let since = served.max(self.core.leadership_changed()).max(call.begun);
        // By its own clock, which makes so many nanoseconds of a millisecond.
        let passed = u128::from(view.now.since(since).as_ns()) * u128::from(view.host(client).clock.rate()) / 1_000_000;
        let is_long = passed >= u128::from(self.long.as_ns());
        let spares_log = call.reads && self.reads_anywhere;
        if !is_long || spares_log || self.judge == Judge::Clients || !self.is_in_reach(view, client) {
            return Ok(());
        }
        let message = format!(
            "{client:?} gives up after {}, the last {} of which one leader has served, and it has reached all servers",
            view.now.since(call.begun),
            view.now.since(since)
        );
        Err(Box::new(Violation::new("raft.clients-served", &[client], message)))
    }

    /// Which client waits that must be served in the end.
    pub(super) fn unanswered(&self, view: &View<Store>) -> Option<String> {
        (self.servers..).map(NodeId::new).zip(&self.sessions).find_map(|(client, session)| {
            let call = session.call.filter(|call| !(call.reads && self.reads_anywhere))?;
            let waited = view.now.since(call.begun);
            self.is_in_reach(view, client).then(|| format!("{client:?} has waited for an answer for {waited}"))
        })
    }

    /// Raft promises progress where a quorum is well and connected, each with each: that is what keeps a leader in
    /// office and lets the best log win. Where not even one server reaches a quorum, none can be elected.
    pub(super) fn excuse_for_unrest(&self, view: &View<Store>) -> Option<String> {
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
