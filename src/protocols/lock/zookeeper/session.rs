//! A client's session, and its connection with one of the servers.
//!
//! A session outlives its connections: whoever is cut off looks for another server and comes back with it, until it must
//! have expired by the client's own clock, or a server says that it has.

use super::Config;
use super::command::{Answer, Node, Question, Write};
use crate::kernel::time::{Span, Time};
use crate::protocol::NodeId;
use crate::protocols::lock::message::{Call, Reply, Request};
use crate::protocols::lock::recipe::{Desk, Due};
use crate::servers::zookeeper::znode::{SessionId, Zxid};

/// The session of one client, if it has one.
#[derive(Clone, Debug)]
pub struct Session {
    config: Config,
    /// The place of the server that is talked to.
    server: usize,
    stage: Stage,
    /// How long it waits for an answer now: the longer, the slower the servers have been.
    patience: Span,
    /// What has asked for a session that is not open yet. It is asked again under this number, so that no answer comes too
    /// late.
    opening: Option<Call>,
    /// The number of the session, once it is open.
    id: Option<SessionId>,
    /// When it must have expired, by the client's clock, less what an access may take.
    until: Time,
    /// The last change of which there was word.
    seen: Zxid,
    /// How many events have come on this connection, and how many were sent on it, as of the last heartbeat.
    events: u32,
    sent: u32,
    /// The heartbeat that is not answered yet, and when it was sent.
    beat: Option<(Call, Time)>,
    /// When the next one is due.
    next_beat: Time,
}

/// How far it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// There is no session.
    Closed,
    /// It is asked for.
    Opening,
    /// It waits before it tries another server.
    Resting,
    /// A connection is asked for, since then.
    Attaching(Call, Time),
    /// It has a connection, known by the call that has made it.
    Connected(Call),
}

/// What the recipe must do about what has happened to the session.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Happened {
    /// Nothing.
    Nothing,
    /// It is connected: there is something to ask, perhaps.
    Connected,
    /// The connection is broken: what was asked is not answered any more.
    Broken,
    /// A server has said that it is no more.
    Expired,
    /// Whoever was asked something has not said it.
    Foreign,
}

impl Session {
    /// There is none yet, nor a connection.
    pub fn boot(config: &Config, desk: &mut Desk<'_, '_>) -> Session {
        let server = (desk.random() % u64::from(config.raft.servers)) as usize;
        Session {
            config: *config,
            server,
            stage: Stage::Closed,
            patience: config.patience,
            opening: None,
            id: None,
            until: desk.io.now(),
            seen: Zxid(0),
            events: 0,
            sent: 0,
            beat: None,
            next_beat: desk.io.now(),
        }
    }

    /// Its number, if it is open.
    pub fn id(&self) -> Option<SessionId> {
        self.id
    }

    /// When it must have expired, by the client's clock.
    pub fn until(&self) -> Time {
        self.until
    }

    /// Whether it is open and can still live, by the client's clock.
    pub fn is_alive(&self, now: Time) -> bool {
        self.id.is_some() && now < self.until
    }

    /// The connection, if there is one.
    pub fn connection(&self) -> Option<Call> {
        match self.stage {
            Stage::Connected(made) => Some(made),
            Stage::Closed | Stage::Opening | Stage::Resting | Stage::Attaching(..) => None,
        }
    }

    /// Asks the server that it is connected with.
    pub fn ask(&self, question: Question, desk: &mut Desk<'_, '_>) -> Call {
        desk.ask(self.node(), Request::ZooKeeper(question), self.patience)
    }

    /// Asks it again.
    pub fn repeat(&self, call: Call, question: Question, desk: &mut Desk<'_, '_>) {
        desk.repeat(self.node(), call, Request::ZooKeeper(question), self.patience);
    }

    /// Opens a session, if there is none.
    pub fn open(&mut self, desk: &mut Desk<'_, '_>) {
        if self.stage == Stage::Closed {
            let open = Write::Open { timeout_ms: self.config.session_timeout.as_ns() / 1_000_000 };
            match self.opening {
                Some(call) => self.repeat(call, Question::Outside(open), desk),
                None => self.opening = Some(self.ask(Question::Outside(open), desk)),
            }
            self.stage = Stage::Opening;
        }
    }

    /// Is done with the session. Its end may not reach anybody: then it expires.
    pub fn close(&mut self, desk: &mut Desk<'_, '_>) {
        if let Some(session) = self.id.take() {
            desk.ask_only(self.node(), Request::ZooKeeper(Question::Outside(Write::Close { session })));
        }
        (self.stage, self.opening, self.beat) = (Stage::Closed, None, None);
    }

    /// The connection is broken: goes to the next server, with what is watched.
    pub fn reconnect(&mut self, watches: Vec<Node>, desk: &mut Desk<'_, '_>) {
        self.server = (self.server + 1) % usize::from(self.config.raft.servers);
        self.attach(watches, desk);
    }

    fn node(&self) -> NodeId {
        NodeId::new(self.server as u16)
    }

    fn attach(&mut self, watches: Vec<Node>, desk: &mut Desk<'_, '_>) {
        let Some(session) = self.id else { return };
        let call = self.ask(Question::Attach { session, seen: self.seen, watches }, desk);
        self.stage = Stage::Attaching(call, desk.io.now());
        (self.events, self.sent, self.beat) = (0, 0, None);
    }

    /// It was heard by the leader, after this time.
    fn heard(&mut self, asked: Time, desk: &mut Desk<'_, '_>) {
        self.patience = Span::ns(self.patience.as_ns() / 4 * 3).max(self.config.patience);
        // A quarter is for what is under way, and for a clock that is slow.
        let life = Span::ns(self.config.session_timeout.as_ns() / 4 * 3);
        self.until = asked + life;
        desk.wake(self.until.since(desk.io.now()), Due::Lost(None));
    }

    /// Tries the next server after a while.
    fn rest(&mut self, desk: &mut Desk<'_, '_>) {
        self.server = (self.server + 1) % usize::from(self.config.raft.servers);
        self.stage = Stage::Resting;
        desk.wake(Span::ns(self.config.patience.as_ns() / 4), Due::Beat);
    }

    /// Has rested. `watches` are what is watched.
    pub fn on_rested(&mut self, watches: Vec<Node>, desk: &mut Desk<'_, '_>) {
        if self.stage != Stage::Resting {
            return;
        }
        if self.id.is_some() {
            self.attach(watches, desk);
        } else {
            self.stage = Stage::Closed;
            self.open(desk);
        }
    }

    /// A heartbeat is due.
    pub fn on_beat(&mut self, desk: &mut Desk<'_, '_>) -> Happened {
        let Some(connection) = self.connection() else { return Happened::Nothing };
        if self.beat.is_some() || desk.io.now() < self.next_beat {
            return Happened::Nothing;
        }
        // An event that was sent before the last heartbeat was answered has not come since: it is lost.
        if self.events < self.sent {
            return Happened::Broken;
        }
        let call = self.ask(Question::Beat(connection), desk);
        self.beat = Some((call, desk.io.now()));
        Happened::Nothing
    }

    /// Sees to the next heartbeat.
    fn beat_later(&mut self, desk: &mut Desk<'_, '_>) {
        let after = Span::ns(self.config.session_timeout.as_ns() / 4);
        self.next_beat = desk.io.now() + after;
        desk.wake(after, Due::Renew(None));
    }

    /// A server has answered.
    pub fn on_reply(&mut self, call: Call, reply: &Reply, desk: &mut Desk<'_, '_>) -> Happened {
        if let Reply::ZooKeeper(_, zxid) = reply {
            self.seen = self.seen.max(*zxid);
        }
        if self.opening == Some(call) {
            self.on_opened(reply, desk);
            return Happened::Nothing;
        }
        match self.stage {
            Stage::Attaching(asked, at) if asked == call => self.on_attached((asked, at), reply, desk),
            Stage::Connected(_) => match self.beat.take_if(|(beat, _)| *beat == call) {
                Some((_, at)) => self.on_heard(at, reply, desk),
                None => Happened::Foreign,
            },
            Stage::Closed | Stage::Opening | Stage::Resting | Stage::Attaching(..) => Happened::Nothing,
        }
    }

    fn on_opened(&mut self, reply: &Reply, desk: &mut Desk<'_, '_>) {
        match reply {
            Reply::ZooKeeper(Answer::Opened { session, .. }, _) => {
                (self.id, self.opening) = (Some(*session), None);
                // How old the answer is does not matter: nothing is held in this session yet.
                self.heard(desk.io.now(), desk);
                self.attach(Vec::new(), desk);
            }
            Reply::ZooKeeper(..) | Reply::Leaderless if self.stage == Stage::Opening => self.rest(desk),
            Reply::ZooKeeper(..) | Reply::Leaderless => {}
            Reply::Redis(_) | Reply::Lease(_) | Reply::Database(_) => unreachable!("a reply of another kind of server"),
        }
    }

    fn on_attached(&mut self, (made, at): (Call, Time), reply: &Reply, desk: &mut Desk<'_, '_>) -> Happened {
        match reply {
            Reply::ZooKeeper(Answer::Attached, _) => {
                self.stage = Stage::Connected(made);
                self.heard(at, desk);
                self.beat_later(desk);
                Happened::Connected
            }
            Reply::ZooKeeper(Answer::Expired, _) => {
                self.id = None;
                Happened::Expired
            }
            Reply::ZooKeeper(..) | Reply::Leaderless => {
                self.rest(desk);
                Happened::Nothing
            }
            Reply::Redis(_) | Reply::Lease(_) | Reply::Database(_) => unreachable!("a reply of another kind of server"),
        }
    }

    fn on_heard(&mut self, at: Time, reply: &Reply, desk: &mut Desk<'_, '_>) -> Happened {
        match reply {
            Reply::ZooKeeper(Answer::Alive { events }, _) => {
                self.sent = *events;
                self.heard(at, desk);
                self.beat_later(desk);
                Happened::Nothing
            }
            Reply::ZooKeeper(Answer::Expired, _) => {
                self.id = None;
                Happened::Expired
            }
            Reply::ZooKeeper(..) | Reply::Leaderless => Happened::Broken,
            Reply::Redis(_) | Reply::Lease(_) | Reply::Database(_) => unreachable!("a reply of another kind of server"),
        }
    }

    /// The next answer may take twice as long. A session must not expire meanwhile.
    pub fn waits_longer(&mut self) {
        self.patience = self.patience.times(2).min(Span::ns(self.config.session_timeout.as_ns() / 2));
    }

    /// A call was not answered in time. [`Happened::Foreign`] if it is none of the session's.
    pub fn on_silence(&mut self, call: Call, desk: &mut Desk<'_, '_>) -> Happened {
        match self.stage {
            Stage::Opening if self.opening == Some(call) => {
                self.waits_longer();
                self.rest(desk);
                Happened::Nothing
            }
            Stage::Attaching(asked, _) if asked == call => {
                self.waits_longer();
                self.rest(desk);
                Happened::Nothing
            }
            Stage::Connected(_) if self.beat.is_some_and(|(beat, _)| beat == call) => {
                self.waits_longer();
                Happened::Broken
            }
            Stage::Connected(_) => Happened::Foreign,
            Stage::Closed | Stage::Opening | Stage::Resting | Stage::Attaching(..) => Happened::Nothing,
        }
    }

    /// An event has come: whether it is the next one of this connection. If it is a later one, those before it are lost.
    pub fn on_event(&mut self, connection: Call, number: u32, zxid: Zxid) -> Happened {
        let is_mine = match self.stage {
            // Events may overtake the answer to what has made the connection.
            Stage::Connected(made) | Stage::Attaching(made, _) => made == connection,
            Stage::Closed | Stage::Opening | Stage::Resting => false,
        };
        if !is_mine || number <= self.events {
            return Happened::Nothing;
        }
        if number > self.events + 1 {
            return Happened::Broken;
        }
        (self.events, self.seen) = (number, self.seen.max(zxid));
        Happened::Foreign
    }
}
