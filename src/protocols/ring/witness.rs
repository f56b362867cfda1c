//! A server as a witness: it calls whom the leader of those who decide suspects, and says what it has heard.
//!
//! It calls once for each time that it is asked. What the suspect answers is its beat, which is passed on. Who has been called in
//! vain for as long as it was asked to, by its own clock, it has missed. Source: as of [`detector`](super::detector).

use super::config::Config;
use super::detector::Suspect;
use super::message::{Beat, Message, Ticket};
use super::node::{Fact, Node};
use crate::kernel::time::Time;
use crate::protocol::{Io, NodeId};
use std::collections::BTreeMap;

/// Whom it calls.
#[derive(Clone, Debug, Default)]
pub struct Witness {
    calls: BTreeMap<NodeId, Calls>,
}

/// The calls to one suspect.
#[derive(Clone, Debug)]
struct Calls {
    /// For whom.
    by: NodeId,
    /// For which suspicion.
    ticket: Ticket,
    /// Since when there is no answer.
    since: Time,
    /// Whether the next answer is to be passed on.
    is_owed: bool,
}

impl Witness {
    /// Somebody wants to know of a suspect.
    pub fn on_suspect(&mut self, by: NodeId, suspect: Suspect, config: &Config, io: &mut Io<'_, Node>) {
        let Suspect { node, ticket, .. } = suspect;
        let patience = (config.rules.change.patience)(suspect.patience);
        let first = Calls { by, ticket, since: io.now(), is_owed: true };
        let calls = self.calls.entry(node).or_insert_with(|| first.clone());
        if (calls.by, calls.ticket) != (by, ticket) {
            *calls = first;
        }
        calls.is_owed = true;
        if io.now().since(calls.since) >= patience {
            io.note(Fact::Missed { node, by, ticket });
            io.send(by, Message::Missed { node, ticket });
        }
        io.send(node, Message::Call);
    }

    /// Whether it has called this server.
    pub fn has_called(&self, node: NodeId) -> bool {
        self.calls.contains_key(&node)
    }

    /// A server is alive.
    pub fn on_beat(&mut self, node: NodeId, beat: Beat, io: &mut Io<'_, Node>) {
        if let Some(calls) = self.calls.get_mut(&node) {
            calls.since = io.now();
            if std::mem::take(&mut calls.is_owed) {
                io.send(calls.by, Message::Passed { node, beat });
            }
        }
    }
}
