//! What the locks guard: a storage node that accepts writes, with or without looking at their tokens.

use super::claim::{LockId, Token};
use super::config::{Config, Fencing};
use super::message::{Access, Message, Record};
use super::node::{Fact, Lock};
use crate::kernel::time::Time;
use crate::protocol::{Found, Io, NodeId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The state of the resource.
#[derive(Clone, Debug)]
pub struct Resource {
    config: Arc<Config>,
    /// The highest token that it has seen, by lock. Durable before the access counts that has brought it: a resource
    /// that forgets it lets old holders in.
    marks: BTreeMap<LockId, Token>,
    /// The last access of each client, and what was answered: what comes again is answered again, and what comes later
    /// than its successor does nothing.
    last: Vec<Option<Answered>>,
}

#[derive(Clone, Copy, Debug)]
struct Answered {
    started: Time,
    serial: u64,
    accepted: bool,
}

impl Resource {
    /// Starts with the marks that its disk holds.
    pub fn boot(config: &Arc<Config>, disk: Found<'_, Record>) -> Resource {
        let mut marks = BTreeMap::new();
        for record in disk.records {
            let Record::Mark(lock, token) = record else { unreachable!("a record of a server") };
            marks.insert(*lock, *token);
        }
        Resource { config: config.clone(), marks, last: Vec::new() }
    }

    /// A client writes.
    pub fn on_access(&mut self, from: NodeId, access: Access, io: &mut Io<'_, Lock>) {
        let place = (from.number() - self.config.servers) as usize;
        if self.last.len() <= place {
            self.last.resize(place + 1, None);
        }
        let accepted = match &self.last[place] {
            Some(last) if (last.started, last.serial) > (access.started, access.serial) => return,
            Some(last) if (last.started, last.serial) == (access.started, access.serial) => {
                let accepted = last.accepted;
                self.wait_for_mark(io);
                accepted
            }
            Some(_) | None => self.judge(&access, io),
        };
        self.last[place] = Some(Answered { started: access.started, serial: access.serial, accepted });
        io.send(from, Message::Accessed { serial: access.serial, accepted });
    }

    /// Whether it accepts an access that it sees for the first time.
    fn judge(&mut self, Access { claim, token, .. }: &Access, io: &mut Io<'_, Lock>) -> bool {
        let seen = self.marks.get(&claim.lock).copied();
        if self.config.fencing == Fencing::Checked {
            if !(self.config.rules.resource.admits)(*token, seen) {
                io.note(Fact::Refused { claim: *claim, token: *token });
                return false;
            }
            let highest = (self.config.rules.resource.marks)(*token, seen);
            if highest != seen
                && let Some(token) = highest
            {
                self.marks.insert(claim.lock, token);
                io.write(Record::Mark(claim.lock, token));
            }
            self.wait_for_mark(io);
        }
        io.note(Fact::Accepted { claim: *claim, token: *token });
        true
    }

    /// Lets what follows in this turn wait until all marks are durable, also that of an access that comes again while its mark is
    /// still on the way.
    fn wait_for_mark(&self, io: &mut Io<'_, Lock>) {
        if self.config.fencing == Fencing::Checked && (self.config.rules.resource.mark_waits_for_disk)() {
            io.sync();
        }
    }
}
