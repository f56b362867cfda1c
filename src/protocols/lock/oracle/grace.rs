//! How long sessions and leases live that a new leader takes over: nobody knows when the old one has heard of them last.

use crate::kernel::time::{Span, Time};
use crate::oracle::spec::{Verdict, View, Violation};
use crate::protocol::NodeId;
use crate::protocols::lock::config::Config;
use crate::protocols::lock::kind::Kind;
use crate::protocols::lock::node::Lock;
use std::collections::BTreeMap;

/// What each server has taken over when it began to lead.
#[derive(Clone, Debug)]
pub struct Grace {
    /// How much longer than its time each lives, if nobody renews it.
    more: Span,
    /// By server.
    taken: Vec<Option<Taken>>,
}

/// What a server has taken over.
#[derive(Clone, Debug)]
struct Taken {
    /// In which term.
    term: u64,
    /// When, by its own clock.
    at: Time,
    /// How long each session or lease must live from then on, also if it is renewed at once.
    lives: BTreeMap<u64, Span>,
}

fn clock(view: &View<Lock>, node: NodeId) -> Time {
    view.host(node).clock.monotonic(view.now)
}

impl Grace {
    /// Of servers that have not led yet.
    pub fn new(config: &Config) -> Grace {
        let more = match &config.kind {
            Kind::Lease(lease) => lease.raft.election_timeout_max,
            Kind::ZooKeeper(_)
            | Kind::Redis(_)
            | Kind::RedisFailover(_)
            | Kind::Redlock(_)
            | Kind::SortedSet(_)
            | Kind::Database(_) => Span::ZERO,
        };
        Grace { more, taken: vec![None; config.servers.into()] }
    }

    /// A server has done something: it begins to lead in a term, perhaps. O(1), and O(sessions) then.
    ///
    /// # Errors
    /// `lock.takeover-grace`.
    pub fn after_step(&mut self, view: &View<Lock>, node: NodeId) -> Verdict {
        let Some(core) = view.state(node).and_then(Lock::core).filter(|core| core.is_leader()) else {
            // If it leads again, in the same term even, its clock shows something else.
            if view.state(node).is_none() {
                self.taken[node.index()] = None;
            }
            return Ok(());
        };
        let (term, taken) = (core.term(), &mut self.taken[node.index()]);
        let is_known = taken.as_ref().is_some_and(|taken| taken.term == term);
        if is_known || core.log().term_at(core.applied()) != Some(term) {
            return Ok(());
        }
        let (at, lives) = (clock(view, node), core.machine().service.lifetimes());
        for (session, life) in &lives {
            let expiry = core.machine().service.expiry(*session);
            if let Some(left) = expiry.map(|expiry| expiry.since(at)).filter(|left| *left < *life + self.more) {
                return broken(node, term, *session, left, *life + self.more);
            }
        }
        *taken = Some(Taken { term, at, lives: lives.into_iter().collect() });
        Ok(())
    }

    /// A server that leads finds that a session or a lease has run out.
    ///
    /// # Errors
    /// `lock.takeover-grace`.
    pub fn check_run_out(&self, view: &View<Lock>, node: NodeId, session: u64) -> Verdict {
        let term = view.state(node).and_then(Lock::core).map(|core| core.term());
        let taken = self.taken[node.index()].as_ref().filter(|taken| Some(taken.term) == term);
        let Some((taken, least)) = taken.and_then(|taken| Some((taken, *taken.lives.get(&session)?))) else {
            return Ok(());
        };
        let lived = clock(view, node).since(taken.at);
        if lived >= least {
            return Ok(());
        }
        broken(node, taken.term, session, lived, least)
    }
}

fn broken(node: NodeId, term: u64, session: u64, lived: Span, least: Span) -> Verdict {
    let message = format!(
        "{node:?} leads in term {term}, and lets session {session} run out too early; it has lived {lived} from then on, and must live {least}"
    );
    Err(Box::new(Violation::new("lock.takeover-grace", &[node], message)))
}
