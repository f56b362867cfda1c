//! A server: it has copies, coordinates requests, fetches, repairs, and may be one of those who decide on epochs.

use super::collect::Collector;
use super::config::Config;
use super::coordinator::Coordinator;
use super::fetch::Fetcher;
use super::hints::Hints;
use super::message::{Beat, Body, Message, Record};
use super::metadata::Metadata;
use super::node::{Fact, Node, Timer};
use super::requests::Requests;
use super::shelf::Shelf;
use super::topology::Placed;
use super::topology::Topology;
use super::witness::Witness;
use crate::kernel::time::{Span, Time};
use crate::protocol::{Afterwards, DiskFailure, Found, Io, NodeId, Order};
use crate::protocols::raft::core::{Alarm, Core};
use std::sync::Arc;

/// Its state.
#[derive(Clone, Debug)]
pub struct Server {
    shelf: Shelf,
    requests: Requests,
    fetcher: Fetcher,
    hints: Hints,
    collector: Collector,
    witness: Witness,
    coordinator: Option<Coordinator>,
    /// What its monotonic clock showed when it started.
    started: Time,
    /// About how many records it had written when its journal began, see `Server::written`.
    pub(super) journal_began: u64,
}

impl Server {
    /// Starts one.
    pub fn boot(config: &Arc<Config>, disk: Found<'_, Record>, io: &mut Io<'_, Node>) -> Server {
        let shelf = Shelf::boot(config, &disk, io);
        let coordinator = Coordinator::boot(config, shelf.identity(), &disk, io);
        let (requests, hints) = (Requests::boot(io), Hints::boot(&shelf, io));
        let (fetcher, collector, witness) = (Fetcher::default(), Collector::default(), Witness::default());
        let (started, journal_began) = (io.now(), 0);
        let mut server =
            Server { shelf, requests, fetcher, hints, collector, witness, coordinator, started, journal_began };
        // What Raft has found is among the records that were found.
        server.journal_began = server.written() - server.shelf.written();
        let pace = config.pace;
        let chores = [
            (Timer::Beat, Some(pace.beat)),
            (Timer::Gossip, Some(pace.gossip)),
            (Timer::AntiEntropy, pace.anti_entropy),
            (Timer::Collect, pace.collect),
        ];
        for (timer, every) in chores.into_iter().filter_map(|(timer, every)| Some((timer, every?))) {
            // Not at the same time as everybody else.
            let after = Span::ns(io.dice().below(every.as_ns()));
            io.arm(timer, after);
        }
        server.fetcher.begin(&mut server.shelf, io);
        server
    }

    /// What it has.
    pub fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    /// The server of Raft in it, if it is one of those who decide.
    pub fn core(&self) -> Option<&Core<Metadata>> {
        self.coordinator.as_ref().map(Coordinator::core)
    }

    /// A message has arrived.
    pub fn on_message(&mut self, from: NodeId, message: Message, io: &mut Io<'_, Node>) {
        match message {
            Message::Raft(message) => {
                let Some(coordinator) = &mut self.coordinator else { unreachable!("not of this group") };
                coordinator.on_raft(from, message, io);
                self.follow(io);
            }
            Message::Ask { id, rank, write } => self.requests.on_ask(id, rank, write, &self.shelf, io),
            Message::Answer { .. } => unreachable!("a message for a client"),
            Message::Gossip { epoch } => self.on_gossip(from, epoch, io),
            Message::News(news) => self.on_news(from, &news, io),
            Message::Beat(beat) => {
                if self.witness.has_called(from) {
                    io.note(Fact::Heard { node: from });
                }
                self.witness.on_beat(from, beat, io);
                if let Some(coordinator) = &mut self.coordinator {
                    coordinator.on_beat(from, beat, io);
                }
            }
            Message::Suspect(suspect) => self.witness.on_suspect(from, suspect, &self.shelf.config, io),
            Message::Call => self.answer_call(from, io),
            Message::Passed { node, beat } => {
                let Some(coordinator) = &mut self.coordinator else { unreachable!("it leads nobody") };
                coordinator.on_passed(node, beat, io);
            }
            Message::Missed { node, ticket } => {
                let Some(coordinator) = &mut self.coordinator else { unreachable!("it leads nobody") };
                coordinator.on_missed(from, node, ticket);
            }
            Message::Store { epoch, body } => {
                if (self.shelf.config.rules.replica.takes_epoch)(epoch, self.shelf.epoch()) {
                    self.on_body(from, body, io);
                } else {
                    io.note(Fact::EpochRefused { theirs: epoch, mine: self.shelf.epoch() });
                    self.on_gossip(from, epoch, io);
                }
            }
        }
    }

    fn on_body(&mut self, from: NodeId, body: Body, io: &mut Io<'_, Node>) {
        let shelf = &mut self.shelf;
        match body {
            Body::Query(ticket, rank) => shelf.on_query(from, ticket, rank, io),
            Body::Held(ticket, cell, floor) => self.requests.on_held(from, ticket, (cell, floor), shelf, io),
            Body::Put(ticket, rank, cell) => shelf.on_put(from, ticket, rank, cell, io),
            Body::Kept(ticket) => {
                self.requests.on_kept(from, ticket, shelf, io);
                self.hints.on_kept(from, ticket, shelf, io);
            }
            // Others are asked again, or it is after it has learned what it is.
            Body::NotMine(_) => {}
            Body::Fetch(range) => shelf.on_fetch(from, range, io),
            Body::Batch { range, cells, floor } => self.fetcher.on_batch(from, range, cells, floor, shelf, io),
            Body::Compare(sums) => shelf.on_compare(from, sums, io),
            Body::Contents { range, cells, asks } => shelf.on_contents(from, range, cells, asks, io),
            Body::Confirm(ticket, keys) => Collector::on_confirm(from, ticket, keys, shelf, io),
            Body::Confirmed(_, keys) => self.collector.on_confirmed(from, keys, shelf, io),
            Body::Known(keys) => self.collector.on_known(keys),
            Body::Gone(keys) => shelf.on_gone(keys, io),
        }
    }

    /// Somebody tells its epoch: whoever is behind is told what has come since.
    fn on_gossip(&mut self, from: NodeId, epoch: u64, io: &mut Io<'_, Node>) {
        let known = &self.shelf.store().epochs;
        match epoch.cmp(&self.shelf.epoch()) {
            std::cmp::Ordering::Less if !(self.shelf.config.rules.change.tells_epochs)() => {}
            std::cmp::Ordering::Less => {
                // Of the first everybody knows.
                let news = known[(epoch.max(1) as usize - 1).min(known.len())..].into();
                io.send(from, Message::News(news));
            }
            std::cmp::Ordering::Equal => {}
            std::cmp::Ordering::Greater => io.send(from, Message::Gossip { epoch: self.shelf.epoch() }),
        }
    }

    fn on_news(&mut self, from: NodeId, news: &[Topology], io: &mut Io<'_, Node>) {
        let last = news.last().map_or(0, |topology| topology.epoch().number);
        self.adopt(news, io);
        if last > self.shelf.epoch() {
            io.send(from, Message::Gossip { epoch: self.shelf.epoch() });
        }
    }

    /// Takes in what the group has decided, if it is of it.
    fn follow(&mut self, io: &mut Io<'_, Node>) {
        let Some(coordinator) = &self.coordinator else { return };
        let metadata = coordinator.metadata();
        if metadata.latest().number > self.shelf.epoch() {
            let news = metadata.since(self.shelf.epoch()).to_vec();
            self.adopt(&news, io);
        }
    }

    fn adopt(&mut self, news: &[Topology], io: &mut Io<'_, Node>) {
        let before = self.shelf.epoch();
        let Some(adopted) = self.shelf.adopt(news, io) else { return };
        let epoch = self.shelf.topology().epoch().clone();
        io.note(Fact::Adopted { epoch: epoch.number });
        self.shelf.settle(io);
        self.collector.on_epoch(adopted, epoch.number == before + 1, &mut self.shelf, io);
        self.hints.on_epoch();
        self.requests.on_epoch(adopted, &mut self.shelf, io);
        self.fetcher.begin(&mut self.shelf, io);
        // Others wait for it.
        io.arm(Timer::Beat, Span::ZERO);
    }

    /// A timer has fired.
    pub fn on_timer(&mut self, timer: Timer, io: &mut Io<'_, Node>) {
        match timer {
            Timer::Election => self.on_alarm(Alarm::Election, io),
            Timer::Heartbeat => self.on_alarm(Alarm::Heartbeat, io),
            Timer::Watch => {
                let Some(coordinator) = &mut self.coordinator else { unreachable!("not of this group") };
                coordinator.on_watch(&self.shelf, io);
                self.follow(io);
            }
            Timer::Beat => {
                self.begin_journal(io);
                self.beat(io);
            }
            Timer::Gossip => self.gossip(io),
            Timer::Requests => self.requests.on_timer(&mut self.shelf, io),
            Timer::Fetch => self.fetcher.on_timer(&mut self.shelf, io),
            Timer::Hints => self.hints.on_timer(&mut self.shelf, io),
            Timer::AntiEntropy => self.shelf.on_anti_entropy(io),
            Timer::Collect => self.collector.on_timer(&mut self.shelf, io),
            Timer::Next | Timer::Retry => unreachable!("a timer of a client"),
        }
    }

    fn on_alarm(&mut self, alarm: Alarm, io: &mut Io<'_, Node>) {
        let Some(coordinator) = &mut self.coordinator else { unreachable!("not of this group") };
        coordinator.on_alarm(alarm, io);
        self.follow(io);
    }

    /// Tells those who decide that it is alive, and how far.
    fn beat(&mut self, io: &mut Io<'_, Node>) {
        let (beat, config) = (self.state_of_things(io), &self.shelf.config);
        config.coordinators().for_each(|node| io.send(node, Message::Beat(beat)));
        io.arm(Timer::Beat, config.pace.beat);
    }

    /// Somebody wants to know whether it is alive.
    fn answer_call(&self, from: NodeId, io: &mut Io<'_, Node>) {
        let beat = self.state_of_things(io);
        io.send(from, Message::Beat(beat));
    }

    /// How far it is: what it says must hold after a crash.
    fn state_of_things(&self, io: &mut Io<'_, Node>) -> Beat {
        let shelf = &self.shelf;
        if (shelf.config.rules.change.beat_waits_for_disk)() {
            io.sync();
        }
        Beat {
            starts: shelf.store().starts,
            up: io.now().since(self.started),
            epoch: shelf.epoch(),
            identity: shelf.identity(),
            wish: shelf.wish(),
            fetched: self.fetcher.done(),
            known: self.collector.known(),
        }
    }

    /// Tells somebody its epoch.
    fn gossip(&mut self, io: &mut Io<'_, Node>) {
        let config = &self.shelf.config;
        io.arm(Timer::Gossip, config.pace.gossip);
        let others: u64 = u64::from(config.servers) - 1;
        if others > 0 {
            let drawn = NodeId::new(io.dice().below(others) as u16);
            let peer = if drawn >= io.me() { NodeId::new(drawn.number() + 1) } else { drawn };
            io.send(peer, Message::Gossip { epoch: self.shelf.epoch() });
        }
    }

    /// Its operator tells it something.
    pub fn on_order(&mut self, order: Order, io: &mut Io<'_, Node>) -> bool {
        if order == Order::Rebalance {
            self.shelf.on_anti_entropy(io);
            return true;
        }
        let config = &self.shelf.config;
        let usual = (config.points, config.zones[io.me().index()]);
        let before = self.shelf.wish();
        let Some(wish) = (config.rules.change.order)(before, order, usual) else { return false };
        if wish == before {
            return false;
        }
        self.shelf.write(Record::Wish(wish), io);
        // Whose place it should take may be no member, and itself one.
        self.shelf.settle(io);
        self.beat(io);
        true
    }

    /// A write or a sync was refused.
    pub fn on_disk_failure(&mut self, failure: DiskFailure, io: &mut Io<'_, Node>) -> Afterwards {
        // Also where Raft would go on: what a server has in memory of keys may not be on its disk.
        let _ = self.coordinator.as_mut().map(|coordinator| coordinator.on_disk_failure(failure, io));
        Afterwards::Stop
    }

    /// What it is, for a reader: its part in the ring, and in the group that decides.
    pub fn standing(&self) -> String {
        let (topology, hints) = (self.shelf.topology(), self.shelf.store().hints.len());
        let is_of = |placed: &Placed| placed.is_of(self.shelf.me, self.shelf.identity());
        let part = match (is_of(topology.current()), is_of(topology.next())) {
            (true, true) => "a member",
            (true, false) => "leaves",
            (false, true) => "joins",
            (false, false) => "no member",
        };
        let epoch = topology.epoch();
        let waiting = if hints == 0 { String::new() } else { format!(", has {hints} hints") };
        let group = self.core().map_or(String::new(), |core| format!("; {}", core.standing_and_vote()));
        format!("{part} in epoch {} ({:?}){waiting}{group}", epoch.number, epoch.phase)
    }

    /// By what right it holds a role: of those who lead the one in the latest term, of those who take themselves for the
    /// first owner of a key the one in the latest epoch.
    pub fn role(&self, role: &str) -> Option<u64> {
        if let Some(key) = role.strip_prefix("owner:") {
            let (shelf, key) = (&self.shelf, key.parse::<u32>().ok()?);
            let rank = (key < shelf.config.keyspace.len()).then(|| shelf.config.keyspace.rank(key))?;
            let readers = shelf.topology().readers();
            let is_first =
                readers.team(rank).iter().next() == Some(shelf.me) && readers.is_of(shelf.me, shelf.identity());
            return is_first.then(|| shelf.epoch());
        }
        let core = self.core()?;
        (matches!(role, "leader" | "primary") && core.is_leader()).then(|| core.term())
    }
}
