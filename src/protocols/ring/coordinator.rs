//! A server as one of those who decide on epochs: a server of Raft, and while it leads, the one who looks after the ring.
//!
//! It hears from all servers how far they are, and decides the next step looking at one epoch; whoever decides anything
//! else meanwhile makes the step void. What it hears is kept in memory only: whoever leads next hears it again.

use super::epoch::{Epoch, Identity, Member, Phase, Step};
use super::message::{Beat, Message, Record};
use super::metadata::{Command, Metadata};
use super::node::{Fact, Node, Timer};
use super::shelf::Shelf;
use super::store::Wish;
use super::topology::{Team, Topology};
use super::{config::Config, rules};
use crate::kernel::time::Time;
use crate::protocol::{Afterwards, Damage, DiskFailure, Found, Io, NodeId};
use crate::protocols::raft;
use crate::protocols::raft::core::{Alarm, Core};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Its state.
#[derive(Clone, Debug)]
pub struct Coordinator {
    core: Core<Metadata>,
    config: Arc<Config>,
    /// Since when it leads, and has applied what was committed before.
    leads_since: Option<Time>,
    /// What it has heard since, and when.
    heard: BTreeMap<NodeId, (Time, Beat)>,
    /// When the last epoch began that clears.
    cleared: Time,
}

impl Coordinator {
    /// Starts one, if this server is one.
    pub fn boot(
        config: &Arc<Config>,
        identity: Identity,
        disk: &Found<'_, Record>,
        io: &mut Io<'_, Node>,
    ) -> Option<Coordinator> {
        if io.me().number() >= config.raft.servers {
            return None;
        }
        let records: Vec<raft::message::Record<Metadata>> =
            disk.records.iter().filter_map(Record::raft).cloned().collect();
        // Its place in the group went with the disk.
        let is_lost = !rules::may_coordinate(identity);
        let damage = if is_lost { Some(Damage::Replaced) } else { disk.damage };
        let records = if is_lost { &[][..] } else { &records };
        let machine = Metadata::new(config.first.clone(), config.rules);
        let core = Core::boot(config.raft, machine, Found { records, damage }, io);
        let (config, cleared) = (config.clone(), io.now());
        Some(Coordinator { core, config, leads_since: None, heard: BTreeMap::new(), cleared })
    }

    /// The server of Raft in it.
    pub fn core(&self) -> &Core<Metadata> {
        &self.core
    }

    /// The epochs.
    pub fn metadata(&self) -> &Metadata {
        self.core.machine()
    }

    /// A message of Raft.
    pub fn on_raft(&mut self, from: NodeId, message: raft::message::Message<Metadata>, io: &mut Io<'_, Node>) {
        self.core.on_message(from, message, io);
        self.go_on(io);
    }

    /// A timer of Raft.
    pub fn on_alarm(&mut self, alarm: Alarm, io: &mut Io<'_, Node>) {
        self.core.on_alarm(alarm, io);
        self.go_on(io);
    }

    /// The refusal of a write or a sync.
    pub fn on_disk_failure(&mut self, failure: DiskFailure, io: &mut Io<'_, Node>) -> Afterwards {
        self.core.on_disk_failure(failure, io)
    }

    fn go_on(&mut self, io: &mut Io<'_, Node>) {
        let before = self.metadata().latest().number;
        while self.core.apply_next().is_some() {}
        let is_ready = self.core.is_leader() && self.core.log().term_at(self.core.applied()) == Some(self.core.term());
        if is_ready != self.leads_since.is_some() {
            self.leads_since = is_ready.then(|| io.now());
            self.heard.clear();
            if is_ready {
                io.arm(Timer::Watch, self.config.pace.beat);
            } else {
                io.disarm(Timer::Watch);
            }
        }
        let news: Arc<[Arc<Epoch>]> = self.metadata().since(before).into();
        news.iter().for_each(|epoch| io.note(Fact::Decided { epoch: epoch.clone() }));
        if let Some(last) = news.last() {
            if last.clears {
                self.cleared = io.now();
            }
            if is_ready {
                let me = io.me();
                let others = self.config.servers().filter(|node| *node != me);
                others.for_each(|node| io.send(node, Message::News(news.clone())));
            }
        }
    }

    /// A server is alive.
    pub fn on_beat(&mut self, from: NodeId, beat: Beat, io: &mut Io<'_, Node>) {
        // A beat that was held up must not undo a later one.
        let is_news = self.heard.get(&from).is_none_or(|(_, known)| known.at <= beat.at);
        if self.leads_since.is_some() && is_news {
            self.heard.insert(from, (io.now(), beat));
        }
        let news = self.metadata().since(beat.epoch);
        if !news.is_empty() {
            io.send(from, Message::News(news.into()));
        }
    }

    /// It is time to look after the ring.
    pub fn on_watch(&mut self, shelf: &Shelf, io: &mut Io<'_, Node>) {
        let Some(since) = self.leads_since else { return };
        io.arm(Timer::Watch, self.config.pace.beat);
        let latest = self.metadata().latest().clone();
        let waits_for_last = self.config.rules.change.waits_for_last;
        let is_pending = waits_for_last() && self.core.log().last_index() > self.core.applied();
        // Its own shelf tells who owns what; it is about to follow.
        if is_pending || shelf.epoch() != latest.number {
            return;
        }
        let now = io.now();
        if let Some(step) = self.decide(&latest, shelf.topology(), since, now) {
            if let Step::Target(target) = &step {
                let given_up = latest.next.iter().filter(|member| Epoch::find(target, member.node).is_none());
                let dead = given_up.filter(|member| self.is_silent(member.node, since, now));
                dead.for_each(|member| io.note(Fact::Presumed { dead: member.node }));
            }
            self.core.propose(Command { from: latest.number, step }, io);
            self.go_on(io);
        }
    }

    /// The next step, if one is due.
    fn decide(&self, latest: &Epoch, topology: &Topology, since: Time, now: Time) -> Option<Step> {
        let rules = self.config.rules.change;
        let target = self.target(latest, since, now);
        match latest.phase {
            Phase::Settled if *target != *latest.members => Some(Step::Target(target)),
            Phase::Settled => self.is_time_to_clear(latest, now).then_some(Step::Clear),
            Phase::Copying if !(rules.waits_for_copies)() || self.have_all(latest) => Some(Step::Switch),
            Phase::Copying => (*target != *latest.next).then_some(Step::Target(target)),
            Phase::Switched => {
                (!(rules.waits_for_readers)() || self.read_by_next(latest, topology)).then_some(Step::Finish)
            }
        }
    }

    /// Who should be a member: whoever wants to, is heard of, and has the disk that it had. Who has not been heard of yet, or
    /// has not heard of this epoch, stays what the plan says.
    fn target(&self, latest: &Epoch, since: Time, now: Time) -> Arc<[Member]> {
        let mut target: Vec<Member> = Vec::new();
        for node in self.config.servers().filter(|node| !self.is_silent(*node, since, now)) {
            let planned = Epoch::find(&latest.next, node);
            let beat = self.heard.get(&node).map(|(_, beat)| beat);
            match (beat.filter(|beat| planned.is_none() || beat.epoch >= latest.number), planned) {
                (Some(Beat { wish: Wish::In { points, zone, .. }, identity, .. }), _) => {
                    target.push(Member { node, identity: *identity, points: *points, zone: *zone });
                }
                (Some(Beat { wish: Wish::Out, .. }), _) | (None, None) => {}
                (None, Some(member)) => target.push(*member),
            }
        }
        let replaced: Vec<NodeId> = target.iter().filter_map(|member| self.replaced_by(member.node)).collect();
        target.retain(|member| !replaced.contains(&member.node));
        let is_gone = |member: &&Member| Epoch::find(&target, member.node).is_none();
        let mut stay: Vec<Member> = latest.next.iter().filter(is_gone).copied().collect();
        stay.sort_by_key(|member| self.is_silent(member.node, since, now));
        Epoch::list(target, stay, self.config.copies)
    }

    fn is_silent(&self, node: NodeId, since: Time, now: Time) -> bool {
        let heard = self.heard.get(&node).map_or(since, |(at, _)| *at);
        now.since(heard) >= self.config.pace.dead_after
    }

    /// Whose place a server takes that is heard of.
    fn replaced_by(&self, node: NodeId) -> Option<NodeId> {
        match self.heard.get(&node)?.1.wish {
            Wish::In { instead_of, .. } => instead_of,
            Wish::Out => None,
        }
    }

    fn is_time_to_clear(&self, latest: &Epoch, now: Time) -> bool {
        let is_worth_it = || self.heard.values().any(|(_, beat)| beat.known > 0 && beat.epoch == latest.number);
        self.config.pace.collect.is_some_and(|every| now.since(self.cleared) >= every) && is_worth_it()
    }

    /// Whether everybody has what it comes to own.
    fn have_all(&self, latest: &Epoch) -> bool {
        latest.next.iter().all(|member| {
            let beat = self.heard.get(&member.node).map(|(_, beat)| beat);
            beat.is_some_and(|beat| beat.identity == member.identity && beat.fetched == latest.plan)
        })
    }

    /// Whether so many owners of every key know this epoch that no read quorum is left of those who do not.
    fn read_by_next(&self, latest: &Epoch, topology: &Topology) -> bool {
        let (config, mut blocked) = (&self.config, true);
        let knows = |node: &NodeId| self.heard.get(node).is_some_and(|(_, beat)| beat.epoch >= latest.number);
        topology.in_both(|_, now: Team, later: Team| {
            let needed = config.copies.saturating_sub(config.read_quorum) + 1;
            blocked &= now == later || now.iter().filter(knows).count() >= needed;
        });
        blocked
    }
}
