//! Whether a leader that hears no quorum steps down, and whether others wait until they hear no leader.

use super::seen::Deaf;
use super::{CoreOracle, Replicated, violation};
use crate::kernel::time::Span;
use crate::oracle::spec::{Verdict, View};
use crate::protocol::NodeId;
use crate::protocols::raft::core::Core;
use crate::protocols::raft::membership::{Decision, Servers};

/// A leader asks itself once in the longest election timeout whom it has heard since it asked before. So it may lead
/// on for two of them when nothing comes any more; and one is for what the order of events at one instant decides.
const PERIODS: u64 = 3;

impl CoreOracle {
    /// Links have changed, and this server leads: up to now it has heard nobody through those that were blocked. That
    /// is judged when it is looked at next.
    pub(super) fn note_silence<P: Replicated>(&mut self, view: &View<P>, leader: NodeId) {
        let Some(core) = view.state(leader).and_then(P::core) else { return };
        let (config, host) = (core.config(), view.host(leader));
        let seen = &self.servers[leader.index()];
        let own = host.clock.ticked(view.now);
        let here = (core.term(), *core.configuration());
        // Who sleeps cannot ask itself anything.
        let is_same = |deaf: &Deaf| (deaf.term, deaf.configuration) == here && host.woken < deaf.since;
        let before = seen.deaf.filter(|deaf| core.is_leader() && !seen.lags && is_same(deaf));
        let silence = before.map_or(Span::ZERO, |deaf| own.since(deaf.by_clock));
        let most = config.election_timeout_max.times(PERIODS);
        if config.check_quorum && host.is_able() && silence > most {
            self.servers[leader.index()].overstayed = Some(most);
        }
        let hears = |other: &NodeId| *other == leader || !view.network.is_blocked(other.number(), leader.number());
        let heard: Servers = (0..self.servers.len() as u16).map(NodeId::new).filter(hears).collect();
        let configurations = &self.common.configurations;
        let is_deaf = [core.configuration(), &configurations.committed]
            .iter()
            .all(|configuration| !configurations.is_quorum(configuration, Decision::Replication, heard));
        let now = Deaf { term: here.0, configuration: here.1, since: view.now, by_clock: own };
        self.servers[leader.index()].deaf = (is_deaf && core.is_leader()).then(|| before.unwrap_or(now));
    }
}

/// A leader has led on too long.
#[cold]
pub(super) fn overstayed(node: NodeId, term: u64, most: Span) -> Verdict {
    violation("raft.quorum-checked", &[node], || {
        format!("{node:?} has heard no quorum for more than {most} by its own clock, and leads on in term {term}")
    })
}

/// A server begins to ask for pre-votes: it has waited for its leader, whether it was told to campaign or not.
#[cold]
pub(super) fn check_silence<P: Replicated>(view: &View<P>, node: NodeId, core: &Core<P::Machine>) -> Verdict {
    let (clock, least) = (view.host(node).clock, core.config().election_timeout_min);
    let Some(silence) = core.silence(clock.monotonic(view.now)).filter(|silence| *silence < least) else {
        return Ok(());
    };
    violation("raft.leader-awaited", &[node], || {
        format!("{node:?} asks for pre-votes in term {}, and has heard a leader {silence} ago", core.term())
    })
}
