//! Fetching what a server comes to own.
//!
//! It asks those who own it now, and merges what a read quorum of them has, so that it misses no write that was
//! acknowledged before; every later one is put to it directly. A source answers in the epoch of the plan only, and from then on takes no
//! write of an earlier epoch: so none can be completed behind the back of whoever has fetched from a quorum. What has come
//! is kept with a mark of how far, so that a restart goes on where it was. If the plan is replaced meanwhile, it still counts
//! where that misses nothing.

use super::cell::{Cell, Rank};
use super::epoch::{Epoch, Phase};
use super::message::{Body, Record};
use super::node::{Fact, Node, Timer};
use super::ranges::Ranges;
use super::shelf::Shelf;
use super::topology::{Team, Topology};
use crate::kernel::time::{Span, Time};
use crate::protocol::{Io, NodeId};
use std::ops::Range;
use std::sync::Arc;

/// What is still to be fetched in this epoch.
#[derive(Clone, Debug, Default)]
pub struct Fetcher {
    /// The ranges that it comes to own, with those who own them now.
    gains: Vec<(Range<u32>, Team)>,
    /// The ranges that it was to own by the plan before, if that was given up for this one.
    given_up: Vec<Range<u32>>,
    /// Who of those is a source.
    sources: Vec<NodeId>,
    /// Whom to ask next.
    turn: usize,
    /// The plan for which it has everything.
    done: u64,
    /// When it has last asked.
    asked: Option<Time>,
}

impl Fetcher {
    /// The epoch is another, or the server has started.
    pub fn begin(&mut self, shelf: &mut Shelf, io: &mut Io<'_, Node>) {
        let topology = shelf.topology();
        let plan = topology.epoch().plan;
        let before = std::mem::take(&mut self.gains);
        if topology.epoch().phase == Phase::Copying {
            self.gains = topology.gains(shelf.me, shelf.identity());
            self.given_up = before.into_iter().map(|(range, _)| range).collect();
        }
        let rules = shelf.config.rules.change;
        if shelf.store().fetched.plan != plan && !self.gains.is_empty() {
            shelf.plan_anew(plan, Ranges::NONE, io);
        }
        let owns_already = !shelf.store().cells.is_empty() && !(rules.fetches_again)();
        if owns_already {
            self.gains.clear();
        }
        let mut sources: Vec<NodeId> = self.gains.iter().flat_map(|(_, team)| team.iter()).collect();
        sources.sort_unstable();
        sources.dedup();
        self.sources = sources;
        self.go_on(shelf, io);
    }

    /// The plan for which the server has everything that it comes to own.
    pub fn done(&self) -> u64 {
        self.done
    }

    /// It is time for the next batches.
    pub fn on_timer(&mut self, shelf: &mut Shelf, io: &mut Io<'_, Node>) {
        self.go_on(shelf, io);
    }

    fn go_on(&mut self, shelf: &mut Shelf, io: &mut Io<'_, Node>) {
        if self.is_complete(shelf) {
            let plan = shelf.topology().epoch().plan;
            if self.done != plan {
                self.done = plan;
                // What was fetched for a plan that was given up goes when the ring has settled, if it is not needed then.
                let given_up = std::mem::take(&mut self.given_up);
                if (shelf.config.rules.change.cleans_up_late)() {
                    shelf.give_up(given_up, io);
                }
                // Whoever decides hears of it at once.
                io.arm(Timer::Beat, Span::ZERO);
            }
            return;
        }
        // A plan that follows hard upon another one is no reason to ask more often.
        let next = self.asked.map_or(Time::ZERO, |asked| asked + shelf.config.pace.throttle);
        if (shelf.config.rules.change.keeps_pace)() && io.now() < next {
            io.arm(Timer::Fetch, next.since(io.now()));
            return;
        }
        self.ask(shelf, io);
        self.asked = Some(io.now());
        io.arm(Timer::Fetch, shelf.config.pace.throttle);
    }

    /// Asks some of the sources for more. Of those who do not answer, others are asked in turn.
    fn ask(&mut self, shelf: &Shelf, io: &mut Io<'_, Node>) {
        let wanted = |source: &NodeId| Some((*source, self.wanted(*source, shelf)?));
        let open: Vec<(NodeId, Range<u32>)> = self.sources.iter().filter_map(wanted).collect();
        let limits = shelf.config.limits;
        let count = open.len().min((shelf.config.rules.change.transfers)(limits.transfers));
        for step in 0..count {
            let (source, range) = &open[(self.turn + step) % open.len()];
            io.note(Fact::FetchAsked { source: *source, at: io.elapsed() });
            shelf.ask(*source, Body::Fetch(range.clone()), io);
        }
        self.turn = if open.is_empty() { 0 } else { (self.turn + 1) % open.len() };
    }

    /// The next range to ask a source for: it begins with what has not come, and ends where something has.
    fn wanted(&self, source: NodeId, shelf: &Shelf) -> Option<Range<u32>> {
        let none = Ranges::NONE;
        let has = shelf.store().fetched.from.get(&source).unwrap_or(&none);
        let open = self.gains.iter().filter(|(range, team)| team.has(source) && !self.has(range, *team, shelf));
        let first = open.filter_map(|(range, _)| has.gap(range.clone())).next()?;
        has.gap(first.start..shelf.config.keyspace.len())
    }

    /// Whether everything of a range has come from as many of its owners as answer to a read.
    fn has(&self, range: &Range<u32>, team: Team, shelf: &Shelf) -> bool {
        let needed = (shelf.config.rules.change.sources)(shelf.config.read_quorum);
        let from = &shelf.store().fetched.from;
        let has = |node: &NodeId| from.get(node).is_some_and(|ranges| ranges.has(range));
        team.iter().filter(has).count() >= needed
    }

    fn is_complete(&self, shelf: &Shelf) -> bool {
        self.gains.iter().all(|(range, team)| self.has(range, *team, shelf))
    }

    /// A source has sent something.
    pub fn on_batch(
        &mut self,
        source: NodeId,
        range: Range<u32>,
        cells: Vec<(Rank, Cell)>,
        floor: u32,
        shelf: &mut Shelf,
        io: &mut Io<'_, Node>,
    ) {
        let has = shelf.store().fetched.from.get(&source);
        if !self.sources.contains(&source) || has.is_some_and(|has| has.has(&range)) {
            return;
        }
        for (rank, cell) in cells {
            if shelf.topology().holds(rank, shelf.me, shelf.identity()) {
                shelf.keep(rank, cell, io);
            }
        }
        if floor > shelf.store().floor && (shelf.config.rules.change.hands_floor_over)() {
            shelf.write(Record::Floor(floor), io);
        }
        shelf.write(Record::Fetched { source, range }, io);
        if self.is_complete(shelf) {
            self.go_on(shelf, io);
        }
    }
}

impl Shelf {
    /// Another plan is fetched for. Of what has been fetched, this counts for it, too.
    fn plan_anew(&mut self, plan: u64, keeps: Ranges, io: &mut Io<'_, Node>) {
        let gains: Ranges =
            self.topology().gains(self.me, self.identity()).into_iter().map(|(range, _)| range).collect();
        let keys = gains.len() - gains.within(&keeps).len();
        self.write(Record::Planned { plan, keeps: Arc::new(keeps) }, io);
        let kept = self.store().fetched.from.values().map(Ranges::len).sum();
        io.note(Fact::FetchBegun { plan, keys, kept });
    }

    /// The plan by which keys are copied has been replaced by another one. What was fetched for it still counts where
    /// whoever does not fetch anew has had all writes in between: see [`Topology::kept`].
    pub fn follow_plan(&mut self, before: &Topology, io: &mut Io<'_, Node>) {
        let (old, new) = (before.epoch(), self.topology().epoch());
        let is_retarget = (old.phase, new.phase) == (Phase::Copying, Phase::Copying);
        if !is_retarget || self.store().fetched.plan != old.plan {
            return;
        }
        let counts = self.config.rules.change.counts_for_next_plan;
        let kept = self.topology().kept(before, self.me, self.identity(), counts);
        self.plan_anew(self.topology().epoch().plan, kept, io);
    }
}

/// How many cells are looked at for one batch, in batches.
const LOOKS: usize = 16;

impl Shelf {
    /// Somebody fetches what it comes to own.
    pub fn on_fetch(&mut self, to: NodeId, range: Range<u32>, io: &mut Io<'_, Node>) {
        let topology = self.topology();
        let Some(member) = Epoch::find(topology.next().members(), to) else { return };
        if topology.epoch().phase != Phase::Copying || !topology.current().is_of(self.me, self.identity()) {
            return;
        }
        let had = topology.current().is_of(to, member.identity);
        let is_wanted = |rank: Rank| {
            let now = topology.current().team(rank);
            now.has(self.me) && topology.next().team(rank).has(to) && !(had && now.has(to))
        };
        let most = self.config.limits.batch;
        let (mut cells, mut range) = (Vec::new(), range);
        for (looked, (rank, cell)) in self.cells(range.clone()).enumerate() {
            if cells.len() == most || looked == most * LOOKS {
                range.end = rank.0;
                break;
            }
            if is_wanted(rank) {
                cells.push((rank, cell));
            }
        }
        let sent: Vec<Range<u32>> = cells.iter().map(|(rank, _)| rank.0..rank.0 + 1).collect();
        self.promise(to, Body::Batch { range, cells, floor: self.store().floor }, io);
        if (self.config.rules.change.gives_up_when_sent)() {
            self.give_up(sent, io);
        }
    }
}
