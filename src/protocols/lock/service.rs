//! What a server of a lock service does, whichever kind it is.

use super::agenda::Agenda;
use super::config::Config;
use super::message::{Call, Event, Message, Peer, Reply, Request};
use super::node::Lock;
use super::recipe::Due;
use crate::kernel::time::Span;
use crate::protocol::{Io, NodeId};

/// One server.
pub trait Service {
    /// A client asks.
    fn on_request(&mut self, from: NodeId, call: Call, request: Request, office: &mut Office<'_, '_>);

    /// Another server speaks. Default: there is no other.
    fn on_peer(&mut self, from: NodeId, peer: Peer, _office: &mut Office<'_, '_>) {
        unreachable!("{from:?} has nothing to say to this server: {peer:?}");
    }

    /// Something that the server waits for is due.
    fn on_due(&mut self, due: Due, office: &mut Office<'_, '_>);

    /// By what right it holds a role, see [`crate::protocol::Protocol::role`].
    fn role(&self, role: &str) -> Option<u64>;
}

/// What a server may use.
pub struct Office<'a, 'b> {
    /// The node's clocks, dice and effects.
    pub io: &'a mut Io<'b, Lock>,
    /// What all nodes are told.
    pub config: &'a Config,
    pub(super) agenda: &'a mut Agenda<Due>,
}

impl Office<'_, '_> {
    /// Answers a client.
    pub fn reply(&mut self, to: NodeId, call: Call, reply: Reply) {
        self.io.send(to, Message::Reply(call, reply));
    }

    /// Tells a client unasked.
    pub fn event(&mut self, to: NodeId, event: Event) {
        self.io.send(to, Message::Event(event));
    }

    /// Tells another server.
    pub fn peer(&mut self, to: NodeId, peer: Peer) {
        self.io.send(to, Message::Peer(peer));
    }

    /// Is told after this time by the own clock.
    pub fn wake(&mut self, after: Span, due: Due) {
        self.agenda.put(after, due, self.io);
    }

    /// The other servers.
    pub fn others(&self) -> impl Iterator<Item = NodeId> + use<> {
        let me = self.io.me();
        (0..self.config.servers).map(NodeId::new).filter(move |node| *node != me)
    }
}

/// The connections of a server with its clients: what a client has asked on an earlier one, or before something that has
/// arrived, is not carried out any more. So it is with TCP, where what has not arrived is lost with its connection. That
/// a server remembers nothing of this after a restart does no harm: what was sent before does not arrive then
/// (see [`crate::protocol::Protocol::is_connected`]).
#[derive(Clone, Debug, Default)]
pub struct Connections {
    /// The last call of each client, by node.
    last: Vec<Option<Call>>,
}

impl Connections {
    /// Whether this call comes after all others of its client, and remembers it. O(1).
    pub fn admits(&mut self, client: NodeId, call: Call) -> bool {
        let place = client.index();
        if self.last.len() <= place {
            self.last.resize(place + 1, None);
        }
        let is_later = self.last[place].is_none_or(|last| call > last);
        if is_later {
            self.last[place] = Some(call);
        }
        is_later
    }
}
