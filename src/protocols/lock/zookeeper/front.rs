//! What a server of ZooKeeper's locks knows that is not replicated: who is connected, who watches what, and, of a leader,
//! who is alive.
//!
//! A connection is what the guide calls one, over a network that loses single messages: it is known by the call that has
//! made it, a later one of the same client takes its place, and all that is sent on it is counted, so that a gap shows.
//! A heartbeat is answered once the leader has taken note of it. The real servers bring the leader word of their clients
//! with the answers to its own pings, and answer before it knows.

use super::Config;
use super::command::{Answer, Node, Question, Write};
use crate::kernel::time::Time;
use crate::protocol::NodeId;
use crate::protocols::lock::ensemble::machine::{Asked, Changes, Command, Done, Through, What};
use crate::protocols::lock::ensemble::{self, Proposal, Seen, Taken};
use crate::protocols::lock::message::{Call, Event, Reply, Request};
use crate::protocols::lock::node::Fact;
use crate::protocols::lock::service::Office;
use crate::servers::zookeeper::error::Error;
use crate::servers::zookeeper::sessions::{SessionTracker, password_of, refuses_client};
use crate::servers::zookeeper::watches::{self, EventKind, Remembered, Watches};
use crate::servers::zookeeper::znode::{SessionId, Zxid};
use std::collections::BTreeMap;

/// A server, but for what is replicated.
#[derive(Clone, Debug)]
pub struct Front {
    config: Config,
    watches: Watches,
    /// By client.
    connections: BTreeMap<NodeId, Connection>,
    /// Whose a session is that has a connection here.
    clients: BTreeMap<SessionId, NodeId>,
    /// Of a leader.
    tracker: Option<SessionTracker>,
}

/// A connection with a client.
#[derive(Clone, Copy, Debug)]
struct Connection {
    /// What has made it.
    made: Call,
    /// When: with another leader it counts no more.
    term: u64,
    session: SessionId,
    /// How many events were sent on it.
    events: u32,
}

/// Who speaks for a session that has no connection yet.
const NOBODY: u64 = 0;

/// Who speaks for a session on a connection; on a later one, somebody greater. Between real servers it is the server that
/// does, over one connection with the leader, in order: what a client has sent on an earlier connection with the same server
/// comes before what it sends on this one. Messages here keep no order, so each connection speaks for itself.
fn speaker(made: Call) -> u64 {
    u64::from(made.number)
}

impl Front {
    /// Nobody is connected.
    pub fn new(config: Config) -> Front {
        let (connections, clients) = (BTreeMap::new(), BTreeMap::new());
        Front { config, watches: Watches::new(), connections, clients, tracker: None }
    }

    /// Makes a connection, and sets the watches again that the client had elsewhere.
    fn attach(
        &mut self,
        client: NodeId,
        connection: Connection,
        remembered: &Remembered,
        see: &Seen<'_>,
        office: &mut Office<'_, '_>,
    ) {
        if let Some(old) = self.connections.insert(client, connection) {
            self.watches.forget(old.session);
            self.clients.remove(&old.session);
        }
        self.clients.insert(connection.session, client);
        let tree = &see.machine.service.zookeeper().tree;
        let missed = self.watches.set_again(tree, connection.session, remembered);
        self.tell(missed, tree.last(), office);
    }

    /// Tells those who have watched.
    fn tell(&mut self, events: Vec<watches::Event>, zxid: Zxid, office: &mut Office<'_, '_>) {
        for event in events {
            let Some(node) = Node::parse(&event.path).filter(|_| event.kind == EventKind::Deleted) else { continue };
            let Some(client) = self.clients.get(&event.session) else { continue };
            let Some(connection) = self.connections.get_mut(client) else { continue };
            connection.events += 1;
            let (made, number) = (connection.made, connection.events);
            office.event(*client, Event::NodeGone { connection: made, number, node, zxid });
        }
    }

    /// The leader hears of a session, or another server asks it on behalf of its client.
    fn hear(&mut self, now: Time, session: SessionId, comes_back: Option<Call>) -> Result<(), Error> {
        let tracker = self.tracker.as_mut().ok_or(Error::SessionExpired)?;
        let Some(made) = comes_back else {
            return tracker.touch(ms(now), session);
        };
        // Word of an earlier connection may come late, or twice. A real leader believes it (ZOOKEEPER-710), and then refuses
        // the client on the later one until that comes back once more.
        if tracker.speaker(session).is_some_and(|last| last > speaker(made)) {
            return Err(Error::SessionMoved);
        }
        let timeout_ms = self.config.session_timeout.as_ns() / 1_000_000;
        tracker.reattach(ms(now), session, password_of(session), timeout_ms, speaker(made)).map(|_| ())
    }

    /// What asks the leader about a session: it answers, or is asked.
    fn about(&mut self, question: Question, see: &Seen<'_>, office: &mut Office<'_, '_>) -> Taken {
        let (session, comes_back, answer) = match question {
            Question::Reattach { session, made } => (session, Some(made), Answer::Attached),
            Question::Touch { session, events } => (session, None, Answer::Alive { events }),
            Question::Outside(_)
            | Question::Attach { .. }
            | Question::Beat(_)
            | Question::Write(..)
            | Question::Find(..)
            | Question::Look(..)
            | Question::Exists(..) => unreachable!("no question to the leader"),
        };
        if !see.leads {
            return Taken::PassedAs(Request::ZooKeeper(question));
        }
        match self.hear(office.io.now(), session, comes_back) {
            Ok(()) => answered(answer, Zxid(0)),
            Err(error) => answered(refusal(session, error, office), Zxid(0)),
        }
    }

    /// The connection that a question came on, if it is still there. None outlives a change of leaders.
    fn connection(&self, client: NodeId, made: Call, term: u64) -> Option<Connection> {
        let is_still = |connection: &Connection| connection.made == made && connection.term == term;
        self.connections.get(&client).copied().filter(is_still)
    }

    /// What is asked on a connection.
    fn take_connected(
        &mut self,
        connection: Connection,
        question: Question,
        see: &Seen<'_>,
        office: &mut Office<'_, '_>,
    ) -> Taken {
        let machine = see.machine.service.zookeeper();
        let zxid = machine.tree.last();
        match question {
            Question::Beat(_) => {
                let Connection { session, events, .. } = connection;
                self.about(Question::Touch { session, events }, see, office)
            }
            Question::Write(made, write) => {
                let through = Through { server: office.io.me(), made, term: connection.term };
                Taken::Proposed(What::ZooKeeper(write), Some(through))
            }
            Question::Find(_, lock, claim) => answered(Answer::Found(machine.find(lock, claim)), zxid),
            Question::Look(_, node, order) => answered(machine.place(&node, order), zxid),
            Question::Exists(_, node) => {
                if machine.has(&node) {
                    self.watches.watch_data(connection.session, &node.path());
                }
                answered(Answer::Exists(machine.has(&node)), zxid)
            }
            Question::Outside(_) | Question::Attach { .. } | Question::Reattach { .. } | Question::Touch { .. } => {
                unreachable!("not on a connection")
            }
        }
    }
}

fn ms(time: Time) -> u64 {
    time.ns() / 1_000_000
}

/// What a client hears of what the leader makes of its session.
fn refusal(session: SessionId, error: Error, office: &mut Office<'_, '_>) -> Answer {
    if error == Error::SessionMoved && (office.config.rules.zookeeper.hides_moves)() {
        return Answer::Disconnected;
    }
    office.io.note(Fact::Denied { session: session.0 });
    Answer::Expired
}

fn answered(answer: Answer, zxid: Zxid) -> Taken {
    Taken::Answered(Reply::ZooKeeper(answer, zxid))
}

impl ensemble::Front for Front {
    fn take(
        &mut self,
        from: NodeId,
        call: Call,
        request: Request,
        see: &mut Seen<'_>,
        office: &mut Office<'_, '_>,
    ) -> Taken {
        let Request::ZooKeeper(question) = request else { unreachable!("a question for another kind of server") };
        // Who has no leader serves nobody.
        if see.leader.is_none() {
            return Taken::Answered(Reply::Leaderless);
        }
        match question {
            Question::Outside(write) => Taken::Proposed(What::ZooKeeper(write), None),
            Question::Attach { session, seen, watches } => {
                if self.connections.get(&from).is_some_and(|connection| connection.made >= call) {
                    return Taken::Silent;
                }
                if refuses_client(see.machine.service.zookeeper().tree.last(), seen) {
                    return answered(Answer::Behind, Zxid(0));
                }
                let data = watches.iter().map(Node::path).collect();
                let remembered = Remembered { zxid: seen, data, ..Remembered::default() };
                let connection = Connection { made: call, term: see.term, session, events: 0 };
                self.attach(from, connection, &remembered, see, office);
                self.about(Question::Reattach { session, made: call }, see, office)
            }
            Question::Reattach { .. } | Question::Touch { .. } => self.about(question, see, office),
            Question::Beat(made)
            | Question::Write(made, _)
            | Question::Find(made, ..)
            | Question::Look(made, ..)
            | Question::Exists(made, _) => match self.connection(from, made, see.term) {
                Some(connection) => self.take_connected(connection, question, see, office),
                None => answered(Answer::Disconnected, Zxid(0)),
            },
        }
    }

    fn applied(&mut self, command: &Command, done: &Done, see: &mut Seen<'_>, office: &mut Office<'_, '_>) {
        let What::ZooKeeper(write) = command.what else { unreachable!("a command of another kind of server") };
        if let (
            Write::Open { .. },
            Some(Reply::ZooKeeper(Answer::Opened { session, timeout_ms }, _)),
            Changes::ZooKeeper(_),
        ) = (write, &done.reply, &done.changes)
            && let Some(tracker) = &mut self.tracker
        {
            tracker.open(ms(office.io.now()), *session, *timeout_ms, NOBODY);
        }
        if let (Write::Close { session }, Changes::ZooKeeper(_)) = (write, &done.changes) {
            self.watches.forget(session);
            if let Some(tracker) = &mut self.tracker {
                tracker.remove(session);
            }
        }
        let Changes::ZooKeeper(changes) = &done.changes else { return };
        let zxid = see.machine.service.zookeeper().tree.last();
        for change in changes {
            let events = self.watches.fire(change);
            self.tell(events, zxid, office);
        }
    }

    /// Who is brought up to date with a snapshot has lost its leader, and all connections with it. Source: `Learner.syncWithLeader`, after
    /// `Follower.shutdown`.
    fn restored(&mut self, _: &mut Seen<'_>, _: &mut Office<'_, '_>) {
        self.watches = Watches::new();
        self.clients.clear();
        // Known they stay, so that no older one takes their place. There is no term 0.
        self.connections.values_mut().for_each(|connection| connection.term = 0);
    }

    fn leads(&mut self, see: &mut Seen<'_>, office: &mut Office<'_, '_>) {
        // Nobody knows when the old leader has heard of them last: each lives its whole time again.
        self.tracker = see.leads.then(|| {
            let (tick_ms, now_ms) = (self.config.tick.as_ns() / 1_000_000, ms(office.io.now()));
            SessionTracker::take_over(tick_ms, now_ms, see.machine.service.zookeeper().tree.sessions())
        });
    }

    fn on_beat(&mut self, see: &mut Seen<'_>, office: &mut Office<'_, '_>) -> Vec<Proposal> {
        let Some(tracker) = self.tracker.as_mut().filter(|_| see.leads) else { return Vec::new() };
        let expired = tracker.expire(ms(office.io.now())).into_iter();
        let close = |session: SessionId| {
            office.io.note(Fact::RanOut { session: session.0 });
            Proposal { what: What::ZooKeeper(Write::Close { session }), term: Some(see.term) }
        };
        expired.map(close).collect()
    }

    /// As real servers do, it tears down the connection of who speaks for a session that has moved: the client never reads
    /// the code (-118). Source: `FinalRequestProcessor.processRequest`.
    fn refuses(&mut self, asked: &Asked, what: &What, see: &Seen<'_>, office: &mut Office<'_, '_>) -> Option<Reply> {
        let What::ZooKeeper(write) = what else { unreachable!("a command of another kind of server") };
        let (Some(through), Some(session)) = (asked.through, write.session()) else { return None };
        let Some(tracker) = self.tracker.as_mut().filter(|_| see.leads) else { return Some(Reply::Leaderless) };
        let checked = match tracker.check(session, speaker(through.made)) {
            _ if through.term != see.term => Err(Error::SessionMoved),
            Err(Error::SessionMoved) if !(office.config.rules.zookeeper.heeds_moves)() => Ok(()),
            checked => checked,
        };
        checked.err().map(|error| Reply::ZooKeeper(refusal(session, error, office), Zxid(0)))
    }

    fn proposes(&self, proposal: &Proposal, see: &mut Seen<'_>, _: &mut Office<'_, '_>) -> bool {
        proposal.term.is_none_or(|term| term == see.term)
    }
}
