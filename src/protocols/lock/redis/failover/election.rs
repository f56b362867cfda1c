//! How a replica takes the place of a primary of which nobody has heard for a while.
//!
//! Source: the Redis Cluster specification, "Replica election and promotion": one vote for each epoch, and the votes of a
//! majority; "High availability with Redis Sentinel": so many must agree that the primary is down.

use super::message::Peer;
use super::stream::Feed;
use super::waiting::Waiters;
use super::{Position, Promotion, Server, State};
use crate::kernel::chance::within;
use crate::kernel::time::Span;
use crate::protocol::NodeId;
use crate::protocols::lock::message as lock;
use crate::protocols::lock::redis::command::Record;
use crate::protocols::lock::service::Office;
use crate::servers::redis::Role;
use std::collections::{BTreeMap, BTreeSet};

/// Who has voted for this one.
#[derive(Clone, Debug)]
pub struct Candidacy {
    votes: BTreeSet<NodeId>,
}

impl Server {
    /// Draws how long it waits after the others might.
    pub(super) fn hesitate(&mut self, office: &mut Office<'_, '_>) {
        self.hesitation = within(office.io.dice().next(), Span::ZERO, self.config.silence);
    }

    fn is_silent_for(&self, span: Span, office: &Office<'_, '_>) -> bool {
        office.io.now().since(self.heard) >= span
    }

    /// Asks for votes, if it has heard of no primary for long enough.
    pub(super) fn consider(&mut self, office: &mut Office<'_, '_>) {
        if !self.is_silent_for(self.config.silence + self.hesitation, office) {
            return;
        }
        self.hesitate(office);
        self.heard = office.io.now();
        let epoch = self.epoch + 1;
        self.promise(epoch, self.pledged, office);
        self.state = State::Candidate(Candidacy { votes: BTreeSet::from([office.io.me()]) });
        let position = self.position;
        for other in office.others() {
            office.peer(other, lock::Peer::Redis(Peer::Candidacy { epoch, position }));
        }
    }

    /// Somebody wants to reign.
    pub(super) fn on_candidacy(&mut self, from: NodeId, epoch: u64, position: Position, office: &mut Office<'_, '_>) {
        if !(office.config.rules.redis.failover.votes)(epoch, self.epoch) {
            office.peer(from, lock::Peer::Redis(Peer::Refusal { epoch: self.epoch }));
            return;
        }
        let misses_nobody = self.is_primary() || !self.is_silent_for(self.config.silence, office);
        let knows_more = self.config.promotion == Promotion::Freshest && position < self.position;
        if misses_nobody || knows_more {
            return;
        }
        self.promise(epoch, epoch, office);
        self.step_down();
        // It gives the one that it has voted for some time.
        self.heard = office.io.now();
        office.peer(from, lock::Peer::Redis(Peer::Vote { epoch }));
    }

    /// Somebody has voted.
    pub(super) fn on_vote(&mut self, from: NodeId, epoch: u64, office: &mut Office<'_, '_>) {
        if !(office.config.rules.redis.failover.counts_vote)(epoch, self.epoch) {
            return;
        }
        let State::Candidate(Candidacy { votes }) = &mut self.state else { return };
        votes.insert(from);
        if votes.len() > usize::from(office.config.servers) / 2 {
            self.reign(office);
        }
    }

    /// There was word of a later reign. Who reigns already goes on: it may be that nobody has won that one.
    pub(super) fn on_refusal(&mut self, epoch: u64, office: &mut Office<'_, '_>) {
        if epoch > self.epoch {
            self.promise(epoch, self.pledged, office);
            if !self.is_primary() {
                self.step_down();
            }
        }
    }

    /// There was a vote for a later reign than its own.
    pub(super) fn on_deposed(&mut self, epoch: u64, office: &mut Office<'_, '_>) {
        if self.is_primary() && epoch > self.position.epoch {
            self.promise(self.epoch.max(epoch), self.pledged, office);
            self.step_down();
        }
    }

    /// It is the primary from now on: what it has is what there is.
    pub(super) fn reign(&mut self, office: &mut Office<'_, '_>) {
        assert!(self.epoch > self.position.epoch, "reign {} after {}", self.epoch, self.position.epoch);
        let run = office.io.dice().next();
        self.position = Position { epoch: self.epoch, run, offset: 0 };
        // Before the promise, for which this turn waits, and what clients ask meanwhile does not.
        self.store.tell_keepers(self.rank(), office);
        self.promise(self.epoch, self.epoch, office);
        self.store.set_role(Role::Primary);
        self.store.keep(Record::Whole(self.position, self.store.whole()), office);
        let (feed, waiters) = (Feed::new(office.config.servers), Waiters::of(self.epoch));
        feed.beat(self.position, office);
        self.state = State::Primary { feed, waiters, counts: BTreeMap::new() };
    }
}
