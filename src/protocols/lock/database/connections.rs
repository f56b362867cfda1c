//! The connections of a server: who is connected, what each has said last, and when each was heard last.
//!
//! What is said on a connection is carried out once and in order, as with TCP: the client says one thing at a time, and
//! says it again until it is answered.

use super::command::{Answer, Connection, Statement};
use crate::kernel::time::{Span, Time};
use crate::protocol::NodeId;
use crate::protocols::lock::claim::{ClaimId, LockId};
use crate::protocols::lock::message::Call;
use crate::servers::postgres::SessionId;
use std::collections::{BTreeMap, BTreeSet};

/// All connections. Everything costs O(log n).
#[derive(Clone, Debug, Default)]
pub struct Connections {
    all: BTreeMap<Connection, Open>,
    sessions: BTreeMap<SessionId, Connection>,
    heard: BTreeSet<(Time, Connection)>,
    /// How many there have ever been.
    count: u32,
}

/// One connection.
#[derive(Clone, Copy, Debug)]
pub struct Open {
    /// Who is connected.
    pub client: NodeId,
    /// As the database knows it.
    pub session: SessionId,
    /// When the client was heard last.
    heard: Time,
    /// What it has said last.
    pub last: Option<Saying>,
}

/// Something that was said.
#[derive(Clone, Copy, Debug)]
pub struct Saying {
    /// Under which number.
    pub call: Call,
    /// For which claim.
    pub claim: ClaimId,
    /// On which lock.
    pub lock: LockId,
    /// What.
    pub statement: Statement,
    /// Whether its answer waits for the disk.
    pub durable: bool,
    /// The answer, if there is one yet.
    pub answer: Option<Answer>,
}

impl Connections {
    /// A client is connected from now on, under a number that was drawn.
    pub fn open(&mut self, connection: Connection, client: NodeId, now: Time) -> SessionId {
        self.count += 1;
        let session = SessionId(self.count);
        self.all.insert(connection, Open { client, session, heard: now, last: None });
        self.sessions.insert(session, connection);
        self.heard.insert((now, connection));
        session
    }

    /// A connection is no more. What it was.
    pub fn close(&mut self, connection: Connection) -> Option<Open> {
        let open = self.all.remove(&connection)?;
        self.sessions.remove(&open.session);
        self.heard.remove(&(open.heard, connection));
        Some(open)
    }

    /// Its client is heard on a connection. `None` if there is none.
    pub fn hear(&mut self, connection: Connection, now: Time) -> Option<&mut Open> {
        let open = self.all.get_mut(&connection)?;
        self.heard.remove(&(open.heard, connection));
        open.heard = now;
        self.heard.insert((now, connection));
        Some(open)
    }

    /// The connection of a session.
    pub fn of_session(&mut self, session: SessionId) -> Option<&mut Open> {
        self.all.get_mut(self.sessions.get(&session)?)
    }

    /// A connection on which nothing was heard for so long.
    pub fn silent(&self, now: Time, keepalive: Span) -> Option<Connection> {
        let (heard, connection) = self.heard.first()?;
        (now >= *heard + keepalive).then_some(*connection)
    }

    /// When there will be one, if nothing is heard.
    pub fn next_silence(&self, keepalive: Span) -> Option<Time> {
        self.heard.first().map(|(heard, _)| *heard + keepalive)
    }
}
