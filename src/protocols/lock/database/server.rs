//! A server of PostgreSQL, with its clocks, its disk and its connections.

use super::command::{Answer, Command, Connection, OnRow, Record, Statement};
use super::connections::{self, Saying};
use super::store::{Now, Store};
use super::{Config, Hold, Way};
use crate::kernel::time::{Span, Time};
use crate::protocol::{Found, NodeId};
use crate::protocols::lock::claim::LockId;
use crate::protocols::lock::message::{self, Call, Event, Reply, Request};
use crate::protocols::lock::node::Fact;
use crate::protocols::lock::recipe::Due;
use crate::protocols::lock::service::{Connections, Office, Service};
use crate::servers::postgres::SessionId;

/// The state of a server.
#[derive(Clone, Debug)]
pub struct Server {
    config: Config,
    store: Store,
    /// Of those who say one thing at a time and need no connection for long.
    short: Connections,
    connections: connections::Connections,
    /// For when it is woken.
    armed: Option<Time>,
}

impl Server {
    /// Starts a server with what its disk holds. No connection outlives a restart, and nothing that one held.
    pub fn boot(config: &Config, disk: Found<'_, message::Record>, office: &mut Office<'_, '_>) -> Server {
        let now = now(config, office);
        let records = disk.records.iter().map(|record| match record {
            message::Record::Database(record) => record,
            message::Record::Mark(..) | message::Record::Redis(_) | message::Record::Raft(_) => {
                unreachable!("a record of another kind of server")
            }
        });
        let mut store = Store::boot(config, now, records);
        for (lock, claim) in store.keepers(now) {
            office.io.note(Fact::Kept { lock, claim, index: 0 });
        }
        Server { config: *config, store, short: Connections::default(), connections: Default::default(), armed: None }
    }

    fn keepalive(&self) -> Option<Span> {
        match self.config.way {
            Way::Row(_) => None,
            Way::Connected(way) => Some(way.server_keepalive),
        }
    }

    /// Does something with the row of a lock. It commits at once: what it changes is durable before it is told.
    fn on_row(&mut self, lock: LockId, what: &OnRow, office: &mut Office<'_, '_>) -> Answer {
        let now = now(&self.config, office);
        let (answer, record) = self.store.on_row(now, lock, what);
        if let Some(record) = record {
            office.io.write(message::Record::Database(record));
        }
        office.io.sync();
        if let (OnRow::Take(stay) | OnRow::Seize(stay), Answer::Had(_)) = (what, answer) {
            office.io.note(Fact::Kept { lock, claim: stay.owner, index: 0 });
        }
        answer
    }

    fn on_open(&mut self, client: NodeId, office: &mut Office<'_, '_>) -> Answer {
        let connection = Connection(office.io.dice().next());
        let session = self.connections.open(connection, client, office.io.now());
        self.store.open(now(&self.config, office), session);
        Answer::Opened(connection)
    }

    /// A client says something on its connection. `None` if it is answered later, or was before.
    fn on_say(&mut self, connection: Connection, saying: Saying, office: &mut Office<'_, '_>) -> Option<Answer> {
        let now = now(&self.config, office);
        let Some(open) = self.connections.hear(connection, office.io.now()) else {
            return Some(closed(connection, office));
        };
        match open.last {
            Some(last) if last.call == saying.call => {
                // To say it again is to promise it again, and the disk may not have it yet.
                if last.durable {
                    office.io.sync();
                }
                return last.answer;
            }
            Some(last) if last.call > saying.call || last.answer.is_none() => return None,
            Some(_) | None => {}
        }
        open.last = Some(saying);
        let session = open.session;
        let answer = self.store.say(now, session, saying.lock, saying.statement);
        if let Some(answer) = answer {
            self.answered(session, saying, answer, office);
        }
        answer
    }

    /// There is an answer to what was said: writes down what has changed, waits for the disk if that is a commit's, and
    /// tells the oracles who holds what.
    ///
    /// A number of a sequence that was drawn in a transaction that is still open waits for the end of that; and one that
    /// nothing was written for waits for nobody, also if the record that covers it is not on the disk yet (sequence.c,
    /// nextval_internal: only what is logged gives the transaction a number; xact.c, RecordTransactionCommit: what has no
    /// number and has written nothing needs no flush).
    fn answered(&mut self, session: SessionId, saying: Saying, answer: Answer, office: &mut Office<'_, '_>) {
        let durable = match (saying.statement, answer, self.config.way) {
            (Statement::Lock(_), Answer::Had(_), _) => {
                office.io.note(Fact::Kept { lock: saying.lock, claim: saying.claim, index: 0 });
                false
            }
            (Statement::Token, Answer::Token(token), Way::Connected(way)) => {
                self.log(token, office) && way.hold == Hold::Advisory
            }
            (Statement::Unlock(_), _, Way::Connected(way)) => way.hold == Hold::RowLock,
            (Statement::Lock(_) | Statement::Token | Statement::Unlock(_), ..) => false,
        };
        if durable {
            office.io.sync();
        }
        if let Some(open) = self.connections.of_session(session) {
            open.last = Some(Saying { durable, answer: Some(answer), ..saying });
        }
    }

    /// Writes down that the sequence has given this number, unless a record covers it already; whether it did.
    fn log(&mut self, token: i64, office: &mut Office<'_, '_>) -> bool {
        let Some(upto) = self.store.log(token) else { return false };
        office.io.write(message::Record::Database(Record::Sequence(upto)));
        true
    }

    /// Gives a number of the sequence, in a transaction that has a number itself: its commit waits for the disk, and so for
    /// all that was written before.
    fn on_draw(&mut self, office: &mut Office<'_, '_>) -> Answer {
        let token = self.store.draw(now(&self.config, office));
        self.log(token, office);
        office.io.sync();
        Answer::Token(token)
    }

    /// Ends a connection.
    fn end(&mut self, connection: Connection, office: &mut Office<'_, '_>) -> Option<NodeId> {
        let open = self.connections.close(connection)?;
        self.store.close(now(&self.config, office), open.session);
        Some(open.client)
    }

    /// Answers those who had waited, and is woken when something is due.
    fn go_on(&mut self, office: &mut Office<'_, '_>) {
        let now = now(&self.config, office);
        while let Some((session, reply)) = self.store.next_resumed() {
            let Some(open) = self.connections.of_session(session) else { continue };
            let (client, Some(saying)) = (open.client, open.last) else { continue };
            let answer = self.store.understood(now, session, saying.statement, &reply);
            self.answered(session, saying, answer, office);
            office.reply(client, saying.call, Reply::Database(answer));
        }
        let silence = self.keepalive().and_then(|keepalive| self.connections.next_silence(keepalive));
        let next = silence.into_iter().chain(self.store.next_timer().map(Time::from_ns)).min();
        if let Some(next) = next
            && self.armed.is_none_or(|armed| next < armed)
        {
            self.armed = Some(next);
            office.wake(next.since(office.io.now()), Due::Expiry);
        }
    }
}

/// There is no such connection, or no more. That is not told before what was told of it has left, whatever is asked: over
/// TCP, nothing that is sent on a connection comes after its end.
fn closed(connection: Connection, office: &mut Office<'_, '_>) -> Answer {
    office.io.sync();
    Answer::Closed(connection)
}

/// What time it is.
fn now(config: &Config, office: &mut Office<'_, '_>) -> Now {
    let monotonic = office.io.now().ns();
    let shown = config.clock.shows(office.io);
    Now { monotonic, ahead: (shown.ns() as i64).wrapping_sub(monotonic as i64) }
}

impl Service for Server {
    fn on_request(&mut self, from: NodeId, call: Call, request: Request, office: &mut Office<'_, '_>) {
        let Request::Database(command) = request else { unreachable!("a command for another kind of server") };
        let answer = match command {
            Command::Row(lock, what) if self.short.admits(from, call) => Some(self.on_row(lock, &what, office)),
            Command::Row(..) => None,
            Command::Draw => Some(self.on_draw(office)),
            Command::Open => Some(self.on_open(from, office)),
            Command::Beat { connection, sent } => Some(match self.connections.hear(connection, office.io.now()) {
                Some(_) => Answer::Alive { connection, sent },
                None => closed(connection, office),
            }),
            Command::Close { connection } => {
                self.end(connection, office);
                Some(closed(connection, office))
            }
            Command::Say { connection, claim, lock, statement } => {
                self.on_say(connection, Saying { call, claim, lock, statement, durable: false, answer: None }, office)
            }
        };
        if let Some(answer) = answer {
            office.reply(from, call, Reply::Database(answer));
        }
        self.go_on(office);
    }

    fn on_due(&mut self, _: Due, office: &mut Office<'_, '_>) {
        let time = office.io.now();
        if self.armed.is_some_and(|armed| armed <= time) {
            self.armed = None;
        }
        self.store.advance(now(&self.config, office));
        if let Some(keepalive) = self.keepalive() {
            while let Some(connection) = self.connections.silent(time, keepalive) {
                if let Some(client) = self.end(connection, office) {
                    office.io.sync();
                    office.event(client, Event::Disconnected(connection));
                }
            }
        }
        self.go_on(office);
    }

    fn role(&self, role: &str) -> Option<u64> {
        (role == "primary").then_some(0)
    }
}
