//! A server as one that coordinates requests of clients: it asks the owners, and answers when a quorum has.
//!
//! A write first asks a read quorum for the latest version, so that its own comes after every write that was acknowledged
//! before; then it is put to the owners. What a read has found is put back before it is answered, where a later read could
//! miss it and must not. Source: Attiya, Bar-Noy and Dolev, 1995; Lynch and Shvartsman, 1997, for many writers; Cassandra's blocking
//! read repair.

use super::cell::{Cell, OperationId, Rank, Version, newer};
use super::config::Reads;
use super::epoch::Phase;
use super::message::{Body, Message, Outcome, Ticket, Write};
use super::node::{Fact, Node, Timer};
use super::shelf::{Adopted, Shelf};
use super::topology::{Placed, Team};
use crate::kernel::time::Time;
use crate::protocol::{Io, NodeId};
use std::collections::BTreeMap;

/// The requests that are under way.
#[derive(Clone, Debug)]
pub struct Requests {
    last: Ticket,
    open: BTreeMap<Ticket, Request>,
}

/// One of them.
#[derive(Clone, Debug)]
struct Request {
    id: OperationId,
    rank: Rank,
    write: Option<Write>,
    begun: Time,
    stage: Stage,
}

/// How far it is.
#[derive(Clone, Debug)]
enum Stage {
    /// The owners are asked what they have.
    Query {
        /// What they have said.
        held: Vec<(NodeId, Option<Cell>)>,
        /// The highest counter of a deletion that one of them may have forgotten.
        floor: u32,
    },
    /// They are told what to keep.
    Put {
        /// That.
        cell: Cell,
        /// The owners by each list of members.
        teams: Teams,
        /// Who has it.
        kept: Vec<NodeId>,
        /// Whether its client has the answer; only the last copies are waited for.
        is_answered: bool,
    },
}

impl Requests {
    /// None is under way. Tickets of before a restart must not be taken for those after it.
    pub fn boot(io: &mut Io<'_, Node>) -> Requests {
        Requests { last: io.dice().next() >> 16 << 8, open: BTreeMap::new() }
    }

    /// A client asks.
    pub fn on_ask(&mut self, id: OperationId, rank: Rank, write: Option<Write>, shelf: &Shelf, io: &mut Io<'_, Node>) {
        let request = Request { id, rank, write, begun: io.now(), stage: Stage::Query { held: Vec::new(), floor: 0 } };
        if self.open.is_empty() {
            io.arm(Timer::Requests, shelf.config.pace.retry);
        }
        self.query(request, shelf, io);
    }

    /// Begins a request, or begins it anew.
    fn query(&mut self, mut request: Request, shelf: &Shelf, io: &mut Io<'_, Node>) {
        let team = shelf.topology().readers().route(request.rank, &shelf.config);
        io.note(Fact::Routed { rank: request.rank, epoch: shelf.epoch(), reads: true, team });
        self.last += 1;
        request.stage = Stage::Query { held: Vec::new(), floor: 0 };
        team.iter().for_each(|node| shelf.ask(node, Body::Query(self.last, request.rank), io));
        self.open.insert(self.last, request);
    }

    /// Puts a cell to all owners but those who have said that they have it.
    fn put(&mut self, mut request: Request, cell: Cell, kept: Vec<NodeId>, shelf: &Shelf, io: &mut Io<'_, Node>) {
        self.last += 1;
        let teams = Teams::of(request.rank, shelf);
        for team in teams.iter() {
            io.note(Fact::Routed { rank: request.rank, epoch: shelf.epoch(), reads: false, team });
        }
        for node in teams.owners().filter(|node| !kept.contains(node)) {
            shelf.ask(node, Body::Put(self.last, request.rank, cell), io);
        }
        request.stage = Stage::Put { cell, teams, kept, is_answered: false };
        self.open.insert(self.last, request);
    }

    /// An owner says what it has.
    pub fn on_held(
        &mut self,
        from: NodeId,
        ticket: Ticket,
        (cell, least): (Option<Cell>, u32),
        shelf: &mut Shelf,
        io: &mut Io<'_, Node>,
    ) {
        let Some(request) = self.open.get_mut(&ticket) else { return };
        let Stage::Query { held, floor } = &mut request.stage else { return };
        *floor = least.max(*floor);
        if held.iter().all(|(node, _)| *node != from) {
            held.push((from, cell));
        }
        if held.len() < shelf.config.read_quorum {
            return;
        }
        let (held, floor) = (std::mem::take(held), *floor);
        let request = self.open.remove(&ticket).unwrap_or_else(|| unreachable!("it was there"));
        let latest = held.iter().fold(None, |latest, (_, cell)| newer(latest, *cell));
        match request.write {
            Some(write) => {
                let seen = latest.map_or(floor, |cell| cell.version.counter.max(floor));
                let counter = (shelf.config.rules.request.next_counter)(seen, io.wall());
                let cell = Cell { version: Version { counter, by: request.id }, value: write.value };
                self.put(request, cell, Vec::new(), shelf, io);
            }
            None => self.found(request, latest, &held, shelf, io),
        }
    }

    /// A read quorum has told what it has.
    fn found(
        &mut self,
        request: Request,
        latest: Option<Cell>,
        held: &[(NodeId, Option<Cell>)],
        shelf: &Shelf,
        io: &mut Io<'_, Node>,
    ) {
        let config = &shelf.config;
        let stale = || held.iter().filter(|(_, cell)| *cell != latest).map(|(node, _)| *node);
        let Some(cell) = latest else {
            answer(&request, Outcome::Found(None), io);
            return;
        };
        if config.reads.are_put_back() {
            let same: Vec<NodeId> = held.iter().filter(|(_, cell)| *cell == latest).map(|(node, _)| *node).collect();
            let (enough, phase) = (config.copies - config.read_quorum + 1, shelf.topology().epoch().phase);
            if !(config.rules.request.is_settled)(same.len(), enough, phase) {
                // Where keys are moved, those who are read from need not be those who are written to.
                let counts = config.reads == Reads::Monotonic && phase == Phase::Settled;
                self.put(request, cell, if counts { same } else { Vec::new() }, shelf, io);
                return;
            }
        }
        if config.read_repair {
            stale().for_each(|node| {
                io.note(Fact::Mended { rank: request.rank });
                shelf.ask(node, Body::Put(0, request.rank, cell), io);
            });
        }
        answer(&request, Outcome::Found(Some(cell)), io);
    }

    /// An owner has it on disk.
    pub fn on_kept(&mut self, from: NodeId, ticket: Ticket, shelf: &mut Shelf, io: &mut Io<'_, Node>) {
        let Some(request) = self.open.get_mut(&ticket) else { return };
        let Stage::Put { kept, is_answered, cell, teams } = &mut request.stage else { return };
        if !kept.contains(&from) {
            kept.push(from);
        }
        let all = teams.owners().all(|node| kept.contains(&node));
        if !*is_answered && is_enough(*teams, kept, shelf) {
            *is_answered = true;
            io.note(Fact::Stored { rank: request.rank, cell: *cell, epoch: shelf.epoch() });
            let outcome = match request.write {
                Some(_) => Outcome::Stored(cell.version),
                None => Outcome::Found(Some(*cell)),
            };
            answer(request, outcome, io);
        }
        if all {
            self.open.remove(&ticket);
        }
    }

    /// It is time to ask again, to give up, and to leave hints.
    pub fn on_timer(&mut self, shelf: &mut Shelf, io: &mut Io<'_, Node>) {
        let pace = shelf.config.pace;
        let open: Vec<Ticket> = self.open.keys().copied().collect();
        for ticket in open {
            let Some(request) = self.open.get(&ticket) else { continue };
            let age = io.now().since(request.begun);
            let is_answered = matches!(request.stage, Stage::Put { is_answered: true, .. });
            if age >= pace.patience || (is_answered && age >= pace.linger) {
                let request = self.open.remove(&ticket).unwrap_or_else(|| unreachable!("it was there"));
                give_up(&request, shelf, io);
            } else {
                ask_again(ticket, request, shelf, io);
            }
        }
        if !self.open.is_empty() {
            io.arm(Timer::Requests, pace.retry);
        }
    }

    /// The epoch is another. What was said in the one before counts no more.
    pub fn on_epoch(&mut self, adopted: Adopted, shelf: &mut Shelf, io: &mut Io<'_, Node>) {
        for (_, request) in std::mem::take(&mut self.open) {
            match request.stage {
                Stage::Query { .. } => self.query(request, shelf, io),
                Stage::Put { is_answered: true, .. } if adopted.clears => {}
                // A quorum of those who owned it has it, so that whoever comes to own it fetches it.
                Stage::Put { is_answered: true, .. } => give_up(&request, shelf, io),
                // A deletion that came later may be forgotten by now.
                Stage::Put { .. } if adopted.clears && request.write.is_some() => {
                    answer(&request, Outcome::Unknown, io);
                }
                Stage::Put { .. } if adopted.clears => self.query(request, shelf, io),
                Stage::Put { cell, .. } => self.put(request, cell, Vec::new(), shelf, io),
            }
        }
    }
}

/// The lists of members by which keys are written.
fn lists(shelf: &Shelf) -> impl Iterator<Item = &Placed> {
    let count = if (shelf.config.rules.request.writes_to_next)() { 2 } else { 1 };
    shelf.topology().writers().take(count)
}

/// The owners of a key by each list of members by which it is written, as they are in one epoch.
#[derive(Clone, Copy, Debug)]
struct Teams {
    now: Team,
    next: Option<Team>,
}

impl Teams {
    fn of(rank: Rank, shelf: &Shelf) -> Teams {
        let mut teams = lists(shelf).map(|placed| placed.route(rank, &shelf.config));
        Teams { now: teams.next().unwrap_or_default(), next: teams.next() }
    }

    fn iter(self) -> impl Iterator<Item = Team> {
        std::iter::once(self.now).chain(self.next)
    }

    /// All who own it, or come to.
    fn owners(self) -> impl Iterator<Item = NodeId> {
        let more = self.next.into_iter().flat_map(|team| team.iter());
        self.now.iter().chain(more.filter(move |node| !self.now.has(*node)))
    }
}

/// Whether a write quorum of each has a key.
fn is_enough(teams: Teams, kept: &[NodeId], shelf: &Shelf) -> bool {
    let (config, topology) = (&shelf.config, shelf.topology());
    if !(config.rules.request.needs_both)() {
        return kept.len() >= config.write_quorum;
    }
    lists(shelf).zip(teams.iter()).all(|(placed, team)| {
        let counts = |node: &&NodeId| team.has(**node) && topology.is_same_in(placed, **node);
        kept.iter().filter(counts).count() >= config.write_quorum
    })
}

fn answer(request: &Request, outcome: Outcome, io: &mut Io<'_, Node>) {
    io.send(request.id.client, Message::Answer { id: request.id, outcome });
}

/// Asks those again who have not answered.
fn ask_again(ticket: Ticket, request: &Request, shelf: &Shelf, io: &mut Io<'_, Node>) {
    match &request.stage {
        Stage::Query { held, .. } => {
            let team = shelf.topology().readers().route(request.rank, &shelf.config);
            let silent = team.iter().filter(|node| held.iter().all(|(other, _)| other != node));
            silent.for_each(|node| shelf.ask(node, Body::Query(ticket, request.rank), io));
        }
        Stage::Put { cell, kept, teams, .. } => {
            let silent = teams.owners().filter(|node| !kept.contains(node));
            silent.for_each(|node| shelf.ask(node, Body::Put(ticket, request.rank, *cell), io));
        }
    }
}

/// Waits no longer: whoever has missed something is left a hint. Source: Dynamo, section 4.6; but a hint counts as no
/// copy.
fn give_up(request: &Request, shelf: &mut Shelf, io: &mut Io<'_, Node>) {
    let Stage::Put { cell, kept, is_answered, teams } = &request.stage else {
        answer(request, Outcome::Refused, io);
        return;
    };
    let rules = shelf.config.rules.request;
    let missing: Vec<NodeId> = teams.owners().filter(|node| !kept.contains(node) && *node != shelf.me).collect();
    let hints = missing.len();
    for target in missing {
        shelf.leave_hint(target, request.rank, *cell, io);
    }
    if !*is_answered {
        let is_enough = (rules.hint_counts)() && kept.len() + hints >= shelf.config.write_quorum;
        let outcome = match request.write {
            Some(_) if is_enough => Outcome::Stored(cell.version),
            Some(_) => Outcome::Unknown,
            None => Outcome::Refused,
        };
        answer(request, outcome, io);
    }
}
