//! A server as one of those who decide on epochs: a server of Raft, and while it leads, the one who looks after the ring.
//!
//! It hears from all servers how far they are, and decides the next step looking at one epoch; whoever decides anything
//! else meanwhile makes the step void. What it hears is kept in memory only: whoever leads next hears it again.

use super::detector::Detector;
use super::epoch::{Epoch, Identity, Member, Phase, Step};
use super::message::{Beat, Message, Record, Ticket};
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
use std::sync::Arc;

/// Its state.
#[derive(Clone, Debug)]
pub struct Coordinator {
    core: Core<Metadata>,
    config: Arc<Config>,
    /// What it hears while it leads, and has applied what was committed before.
    detector: Option<Detector>,
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
        let machine = Metadata::new(config);
        let core = Core::boot(config.raft, machine, Found { records, damage }, io);
        let (config, cleared) = (config.clone(), io.now());
        Some(Coordinator { core, config, detector: None, cleared })
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
        if is_ready != self.detector.is_some() {
            self.detector = is_ready.then(|| Detector::new(&self.config, self.core.term(), io.now()));
            if is_ready {
                io.arm(Timer::Watch, self.config.pace.beat);
            } else {
                io.disarm(Timer::Watch);
            }
        }
        let news: Arc<[Topology]> = self.metadata().since(before).into();
        news.iter().for_each(|topology| io.note(Fact::Decided { epoch: topology.epoch().clone() }));
        // Also one that came together with later ones.
        if news.iter().any(|topology| topology.epoch().clears) {
            self.cleared = io.now();
        }
        if is_ready && !news.is_empty() {
            let me = io.me();
            let others = self.config.servers().filter(|node| *node != me);
            others.for_each(|node| io.send(node, Message::News(news.clone())));
        }
    }

    /// A server is alive.
    pub fn on_beat(&mut self, from: NodeId, beat: Beat, io: &mut Io<'_, Node>) {
        if self.detector.as_mut().is_some_and(|detector| detector.on_beat(from, beat, io.now())) {
            io.note(Fact::Cleared { node: from });
        }
        self.tell(from, beat, io);
    }

    /// Somebody has called a suspect, and was answered.
    pub fn on_passed(&mut self, node: NodeId, beat: Beat, io: &mut Io<'_, Node>) {
        if let Some(suspect) = self.detector.as_mut().and_then(|detector| detector.on_passed(node, beat, io.now())) {
            io.note(Fact::Passed(suspect));
        }
        self.tell(node, beat, io);
    }

    /// Somebody has called a suspect in vain.
    pub fn on_missed(&mut self, from: NodeId, node: NodeId, ticket: Ticket) {
        if let Some(detector) = &mut self.detector {
            detector.on_missed(node, ticket, from);
        }
    }

    /// Tells the epochs that a server does not know.
    fn tell(&self, node: NodeId, beat: Beat, io: &mut Io<'_, Node>) {
        let news = self.metadata().since(beat.epoch);
        if !news.is_empty() {
            io.send(node, Message::News(news.into()));
        }
    }

    /// It is time to look after the ring.
    pub fn on_watch(&mut self, shelf: &Shelf, io: &mut Io<'_, Node>) {
        let latest = self.metadata().latest().clone();
        let Some(detector) = &mut self.detector else { return };
        io.arm(Timer::Watch, self.config.pace.beat);
        look_after(detector, &latest, &self.config, io);
        let waits_for_last = self.config.rules.change.waits_for_last;
        let is_pending = waits_for_last() && self.core.log().last_index() > self.core.applied();
        // Its own shelf tells who owns what; it is about to follow.
        if is_pending || shelf.epoch() != latest.number {
            return;
        }
        let now = io.now();
        let Some(detector) = &self.detector else { return };
        if let Some(step) = self.decide(&latest, shelf.topology(), detector, now) {
            if let Step::Target(target) = &step {
                let given_up = latest.next.iter().filter(|member| Epoch::find(target, member.node).is_none());
                let dead = given_up.filter(|member| detector.is_dead(member.node, now));
                dead.for_each(|member| io.note(Fact::Presumed { dead: member.node }));
            }
            self.core.propose(Command { from: latest.number, step }, io);
            self.go_on(io);
        }
    }

    /// The next step, if one is due.
    fn decide(&self, latest: &Epoch, topology: &Topology, detector: &Detector, now: Time) -> Option<Step> {
        let rules = self.config.rules.change;
        let target = self.target(latest, detector, now);
        match latest.phase {
            Phase::Settled if *target != *latest.members => Some(Step::Target(target)),
            Phase::Settled => self.is_time_to_clear(latest, detector, now).then_some(Step::Clear),
            Phase::Copying if !(rules.waits_for_copies)() || have_all(latest, detector) => Some(Step::Switch),
            Phase::Copying => (*target != *latest.next).then_some(Step::Target(target)),
            Phase::Switched => {
                (!(rules.waits_for_readers)() || self.read_by_next(latest, topology, detector)).then_some(Step::Finish)
            }
        }
    }

    /// Who should be a member: whoever wants to, is not taken for dead, and has the disk that it had. Who has not been heard
    /// of yet, or has not heard of this epoch, stays what the plan says. Nobody is taken in who is suspected.
    fn target(&self, latest: &Epoch, detector: &Detector, now: Time) -> Arc<[Member]> {
        let rules = self.config.rules.change;
        let mut target: Vec<Member> = Vec::new();
        for node in self.config.servers() {
            let (planned, beat) = (Epoch::find(&latest.next, node), detector.beat(node));
            let is_out = match planned {
                Some(_) => (rules.gives_up_dead)() && detector.is_dead(node, now),
                None => detector.is_suspected(node),
            };
            if is_out {
                continue;
            }
            match (beat.filter(|beat| planned.is_none() || beat.epoch >= latest.number), planned) {
                (Some(Beat { wish: Wish::In { points, zone, .. }, identity, .. }), _) => {
                    target.push(Member { node, identity: *identity, points: *points, zone: *zone });
                }
                (Some(Beat { wish: Wish::Out, .. }), _) | (None, None) => {}
                (None, Some(member)) if (rules.keeps_unheard)() => target.push(*member),
                (None, Some(_)) => {}
            }
        }
        let replaced: Vec<NodeId> = target.iter().filter_map(|member| replaced_by(member.node, detector)).collect();
        target.retain(|member| !replaced.contains(&member.node));
        let is_gone = |member: &&Member| Epoch::find(&target, member.node).is_none();
        // Who must stay, though it would go, stays with the disk that it has: with the one that it had nobody could read from
        // it, nor would the change that makes it a member ever end.
        let disk = |member: &Member| {
            let beat = detector.beat(member.node).filter(|beat| beat.epoch >= latest.number);
            beat.map_or(member.identity, |beat| beat.identity)
        };
        let mut stay: Vec<(Member, Identity)> =
            latest.next.iter().filter(is_gone).map(|member| (*member, disk(member))).collect();
        stay.sort_by_key(|(member, disk)| (detector.is_dead(member.node, now), member.identity != *disk));
        let stay = stay.into_iter().map(|(member, identity)| Member { identity, ..member }).collect();
        Epoch::list(target, stay, (rules.least_members)(self.config.copies))
    }

    fn is_time_to_clear(&self, latest: &Epoch, detector: &Detector, now: Time) -> bool {
        let is_worth_it = || detector.beats().any(|beat| beat.known > 0 && beat.epoch == latest.number);
        let may_clear = self.config.rules.change.may_clear;
        self.config.pace.collect.is_some_and(|every| may_clear(now.since(self.cleared), every)) && is_worth_it()
    }

    /// Whether so many owners of every key know this epoch that no read quorum is left of those who do not.
    fn read_by_next(&self, latest: &Epoch, topology: &Topology, detector: &Detector) -> bool {
        let (config, mut blocked) = (&self.config, true);
        let knows = |node: &NodeId| detector.beat(*node).is_some_and(|beat| beat.epoch >= latest.number);
        topology.in_both(|_, now: Team, later: Team| {
            let needed = config.copies.saturating_sub(config.read_quorum) + 1;
            blocked &= now == later || now.iter().filter(knows).count() >= needed;
        });
        blocked
    }
}

/// Asks all others to call those whom it has not heard of for long, of those who own keys or come to.
fn look_after(detector: &mut Detector, latest: &Epoch, config: &Config, io: &mut Io<'_, Node>) {
    let is_concerned =
        |node: &NodeId| [&latest.members, &latest.next].into_iter().any(|list| Epoch::find(list, *node).is_some());
    for suspect in detector.suspects(config.servers().filter(is_concerned), io.now()) {
        if suspect.is_new {
            io.note(Fact::Suspected(suspect));
        }
        if !(config.rules.change.asks_others)() {
            continue;
        }
        let me = io.me();
        let witnesses = config.servers().filter(|node| *node != me && !detector.is_suspected(*node));
        witnesses.for_each(|node| io.send(node, Message::Suspect(suspect)));
    }
}

/// Whose place a server takes that is heard of.
fn replaced_by(node: NodeId, detector: &Detector) -> Option<NodeId> {
    match detector.beat(node)?.wish {
        Wish::In { instead_of, .. } => instead_of,
        Wish::Out => None,
    }
}

/// Whether everybody has what it comes to own.
fn have_all(latest: &Epoch, detector: &Detector) -> bool {
    latest.next.iter().all(|member| {
        let beat = detector.beat(member.node);
        beat.is_some_and(|beat| beat.identity == member.identity && beat.fetched == latest.plan)
    })
}
