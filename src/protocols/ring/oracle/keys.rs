//! What is known of each key: what was promised of it, and what was forgotten.

use crate::kernel::time::Time;
use crate::oracle::linearizable::register::{Answer, Operation, Register};
use crate::oracle::linearizable::{self, Checker};
use crate::oracle::spec::{Verdict, Violation};
use crate::protocol::NodeId;
use crate::protocols::ring::cell::{Cell, Rank, Version};
use crate::protocols::ring::config::{Config, Reads};
use crate::protocols::ring::message::{Outcome, Write};
use std::collections::BTreeMap;

/// What is known of a key.
#[derive(Clone, Debug, Default)]
pub(super) struct Key {
    /// The latest that was promised: acknowledged, or shown by a read that promises it to later ones.
    pub(super) promised: Option<Cell>,
    /// The latest deletion that some owner has forgotten.
    pub(super) forgotten: Option<Version>,
    /// In which epoch.
    pub(super) forgotten_in: u64,
    /// When somebody has begun to write it last.
    pub(super) asked: Time,
    /// Of a register that is promised to be atomic.
    checker: Option<Checker<Register>>,
}

impl Key {
    /// Whether no copy need be there of what was promised: it was deleted since, and the deletion is forgotten.
    pub(super) fn is_gone(&self) -> bool {
        self.promised.as_ref().is_none_or(|cell| self.forgotten >= Some(cell.version))
    }
}

/// The operation of a client that is under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub(super) key: u32,
    pub(super) rank: Rank,
    write: Option<Write>,
    /// The latest that had been promised when it began.
    floor: Option<Cell>,
    checked: Option<linearizable::OperationId>,
    pub(super) is_fresh: bool,
}

impl Call {
    pub(super) fn reads(&self) -> bool {
        self.write.is_none()
    }
}

/// All keys, and what clients do with them.
#[derive(Clone, Debug)]
pub(super) struct Keys {
    servers: usize,
    reads: Reads,
    /// By rank.
    pub(super) keys: Vec<Key>,
    /// By client, the operation under way.
    calls: Vec<Option<Call>>,
    /// By client, the latest that it has read of a key, where reads are monotonic.
    sessions: Vec<BTreeMap<Rank, Cell>>,
    /// By client and serial number from 1, to which key it has written, and what.
    written: Vec<Vec<(Rank, Option<Write>)>>,
    pub(super) returned: u64,
    pub(super) unknown: u64,
    pub(super) failed: u64,
}

impl Keys {
    pub(super) fn new(config: &Config) -> Keys {
        let (keys, clients, reads) = (config.keyspace.len(), usize::from(config.clients), config.reads);
        Keys {
            servers: usize::from(config.servers),
            reads,
            keys: vec![Key::default(); keys as usize],
            calls: vec![None; clients],
            sessions: vec![BTreeMap::new(); clients],
            written: vec![Vec::new(); clients],
            returned: 0,
            unknown: 0,
            failed: 0,
        }
    }

    pub(super) fn key(&mut self, rank: Rank) -> &mut Key {
        &mut self.keys[rank.0 as usize]
    }

    pub(super) fn invoked(
        &mut self,
        client: usize,
        (key, rank): (u32, Rank),
        write: Option<Write>,
        now: Time,
        is_fresh: bool,
    ) {
        self.written[client].push((rank, write));
        if write.is_some() {
            self.key(rank).asked = now;
        }
        let is_register = self.reads == Reads::Atomic;
        let entry = self.key(rank);
        let operation = write.map_or(Operation::Read, |write| Operation::Write(write.value.unwrap_or(0)));
        let checked = is_register.then(|| entry.checker.get_or_insert_with(|| Checker::new(0)).invoke(operation));
        let floor = entry.promised;
        self.calls[client] = Some(Call { key, rank, write, floor, checked, is_fresh });
    }

    fn take(&mut self, client: usize) -> Call {
        self.calls[client].take().unwrap_or_else(|| unreachable!("an answer without a question"))
    }

    /// An operation may take effect at any time, or never.
    pub(super) fn gave_up(&mut self, client: usize) {
        let call = self.take(client);
        self.unknown += 1;
        if let Some((id, checker)) = call.checked.zip(self.key(call.rank).checker.as_mut()) {
            checker.unknown(id);
        }
    }

    /// An operation was not done, and will not be.
    pub(super) fn failed(&mut self, client: usize, node: NodeId) -> Verdict {
        let call = self.take(client);
        self.failed += 1;
        match call.checked.zip(self.key(call.rank).checker.as_mut()) {
            Some((id, checker)) => checker.failed(id).map_err(|found| not_atomic(node, call.key, &*found)),
            None => Ok(()),
        }
    }

    /// An operation is done. Answers which it was, and what is promised of its key if that is more than before.
    pub(super) fn returned(
        &mut self,
        client: usize,
        node: NodeId,
        outcome: Outcome,
    ) -> Result<(Call, Option<Cell>), Box<Violation>> {
        let call = self.take(client);
        self.returned += 1;
        let (found, value) = match outcome {
            Outcome::Found(cell) => (cell, Answer::Value(cell.and_then(|cell| cell.value).unwrap_or(0))),
            Outcome::Stored(version) => {
                let value = call.write.and_then(|write| write.value);
                (Some(Cell { version, value }), Answer::Done)
            }
            Outcome::Refused | Outcome::Unknown => unreachable!("no success"),
        };
        self.check_origin(node, &call, found)?;
        if self.reads != Reads::Eventual {
            check_order(node, &call, found, self.keys[call.rank.0 as usize].forgotten)?;
        }
        if self.reads == Reads::Monotonic && call.reads() {
            self.check_session(client, node, &call, found)?;
        }
        let is_promise = call.write.is_some() || self.reads == Reads::Atomic;
        let key = self.key(call.rank);
        if let Some((id, checker)) = call.checked.zip(key.checker.as_mut()) {
            checker.returned(id, value).map_err(|found| not_atomic(node, call.key, &*found))?;
        }
        let more = found.filter(|cell| is_promise && cell.is_newer_than(key.promised.as_ref()));
        key.promised = more.or(key.promised);
        Ok((call, more))
    }

    /// Whether somebody has written this, and to this key.
    pub(super) fn is_written(&self, rank: Rank, cell: &Cell) -> bool {
        let by = cell.version.by;
        let place = by.client.index().checked_sub(self.servers);
        let write = place.and_then(|place| self.written.get(place)?.get((by.serial as usize).wrapping_sub(1)));
        write.is_some_and(|(to, write)| *to == rank && *write == Some(Write { value: cell.value }))
    }

    /// What is read was written by somebody.
    fn check_origin(&self, node: NodeId, call: &Call, found: Option<Cell>) -> Verdict {
        let Some(cell) = found.filter(|cell| !self.is_written(call.rank, cell)) else { return Ok(()) };
        let message = format!("{node:?} has read {} of key {}, which nobody has written to it", shown(&cell), call.key);
        Err(Box::new(Violation::new("ring.nothing-invented", &[node], message)))
    }

    /// A client reads nothing older than what it has read before.
    fn check_session(&mut self, client: usize, node: NodeId, call: &Call, found: Option<Cell>) -> Verdict {
        let (forgotten, session) = (self.keys[call.rank.0 as usize].forgotten, &mut self.sessions[client]);
        let Some(before) = session.get(&call.rank) else {
            session.extend(found.map(|cell| (call.rank, cell)));
            return Ok(());
        };
        let is_older = match &found {
            Some(found) => found.version < before.version,
            // A deletion that is forgotten leaves nothing.
            None => !before.is_tombstone() && forgotten < Some(before.version),
        };
        if is_older {
            let found = found.as_ref().map_or_else(|| "nothing".to_owned(), shown);
            let message = format!("{node:?} has read {found} of key {}, and {} before", call.key, shown(before));
            return Err(Box::new(Violation::new("ring.reads-monotonic", &[node], message)));
        }
        session.extend(found.map(|cell| (call.rank, cell)));
        Ok(())
    }

    pub(super) fn undecided(&self) -> u64 {
        let is_open = |key: &&Key| {
            key.checker.as_ref().is_some_and(|checker| checker.verdict() == linearizable::Verdict::Undecided)
        };
        self.keys.iter().filter(is_open).count() as u64
    }
}

fn not_atomic(node: NodeId, key: u32, found: &impl std::fmt::Display) -> Box<Violation> {
    Box::new(Violation::new("ring.linearizable", &[node], format!("on key {key}: {found}")))
}

/// An operation comes after all those that had ended when it began.
fn check_order(node: NodeId, call: &Call, found: Option<Cell>, forgotten: Option<Version>) -> Verdict {
    let Some(floor) = call.floor else { return Ok(()) };
    let is_late = found.is_some_and(|found| match call.reads() {
        true => found.version >= floor.version,
        false => found.version > floor.version,
    });
    // A deletion that is forgotten leaves nothing. It may have come while the operation was under way.
    if is_late || (found.is_none() && (floor.is_tombstone() || forgotten >= Some(floor.version))) {
        return Ok(());
    }
    let found_words = found.as_ref().map_or_else(|| "nothing".to_owned(), shown);
    let (invariant, what) = match (call.reads(), floor.is_tombstone()) {
        (true, true) => ("ring.deleted-stays-deleted", "has read"),
        (true, false) => ("ring.read-sees-acknowledged", "has read"),
        (false, _) => ("ring.write-after-acknowledged", "has written"),
    };
    let message =
        format!("{node:?} {what} {found_words} of key {}, where {} had been promised", call.key, shown(&floor));
    Err(Box::new(Violation::new(invariant, &[node], message)))
}

/// A cell in words.
pub(super) fn shown(cell: &Cell) -> String {
    let Version { counter, by } = cell.version;
    let value = cell.value.map_or_else(|| "a deletion".to_owned(), |value| format!("value {value}"));
    format!("{value} of version {counter} by {:?} ({})", by.client, by.serial)
}
