//! A primary of Redis, its replicas, and how one of these takes its place.
//!
//! The primary tells its replicas what has changed after it has answered. A replica that has heard nothing of a primary
//! for long enough asks the others for their votes, and reigns with those of a majority. Who was deposed becomes a replica,
//! and what only it knew is gone. Who stands and gets no vote deposes nobody: it follows the primary again when it hears
//! of it.
//!
//! Sources: the manual pages "Redis replication" and "High availability with Redis Sentinel" (redis-doc), and the Redis
//! Cluster specification, "Cluster current epoch", "Configuration epoch" and "Replica election and promotion", where
//! servers vote for each other without further processes. There the voters are masters that follow nobody (the same,
//! "Masters reply to replica vote request"), and an election that fails leaves the old master in office. Here the voters are
//! replicas themselves: who has voted acknowledges nothing of an earlier reign, so that what a client has waited for is not
//! lost between. So a single vote costs the primary its reign, also among five servers where it makes no majority; nobody
//! gives one who has heard of the primary within its time of silence.

pub mod election;
pub mod message;
pub mod stream;
pub mod waiting;

use super::command::{Change, Command, Record, Reply};
use super::rules::{Counting, Promising};
use super::server::FORCED_EVERY;
use super::store::Store;
use super::{Hosting, Persistence};
use crate::kernel::time::{Span, Time};
use crate::protocol::{Found, NodeId};
use crate::protocols::lock::claim::LockId;
use crate::protocols::lock::message as lock;
use crate::protocols::lock::message::{Call, Request};
use crate::protocols::lock::recipe::Due;
use crate::protocols::lock::service::{Connections, Office, Service};
use crate::servers::redis::{Role, Snapshot};
use election::Candidacy;
use message::Peer;
use std::collections::BTreeMap;
use stream::Feed;
use waiting::Waiters;

/// The settings of a primary and its replicas.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Config {
    /// What a client knows and does.
    pub client: super::Config,
    /// How often a primary speaks, if it has nothing to say.
    pub beat: Span,
    /// How long nobody must have heard of it before another takes its place.
    pub silence: Span,
    /// Who may take it.
    pub promotion: Promotion,
}

/// Which replica may take the place of a primary.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Promotion {
    /// Whoever asks first.
    First,
    /// None that knows less than one who votes for it.
    Freshest,
}

/// How much of what primaries have told a server knows: it grows, and who has more of it knows all that the other knows,
/// unless one of them was deposed and has not heard of that.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Position {
    /// The reign of the primary that has told it last. 0 if none has.
    pub epoch: u64,
    /// Tells apart two that believe to reign in the same epoch: a random number (the replication id).
    pub run: u64,
    /// How many changes of this reign it has.
    pub offset: u64,
}

/// The state of a server.
#[derive(Clone, Debug)]
pub struct Server {
    config: Config,
    store: Store,
    connections: Connections,
    /// The highest reign that it has heard of, stood for or voted for (currentEpoch). On its disk, whatever else is.
    epoch: u64,
    /// The highest reign that it has followed, or voted for with the vote gone to another, or that is its own: nobody of
    /// an earlier one has a say any more (configEpoch, and lastVoteEpoch). On its disk, too.
    pledged: u64,
    position: Position,
    state: State,
    /// When a primary was heard last.
    heard: Time,
    /// How much longer than necessary this one waits before it asks for votes, so that not all do at once.
    hesitation: Span,
    /// When the disk was forced last.
    forced: Time,
}

/// What it is.
#[derive(Clone, Debug)]
enum State {
    /// It takes writes.
    Primary {
        feed: Feed,
        waiters: Waiters,
        /// How many tokens this reign has given with each lock, if it counts them here (never, but for a defect).
        counts: BTreeMap<LockId, i64>,
    },
    /// It follows, or would if it knew whom.
    Replica,
    /// It asks for votes.
    Candidate(Candidacy),
}

impl Server {
    /// Starts a server with what its disk holds. The first one begins as primary; after a restart everybody waits to hear
    /// of one.
    pub fn boot(config: Config, disk: Found<'_, lock::Record>, office: &mut Office<'_, '_>) -> Server {
        let Hosting { persistence, .. } = config.client.hosting;
        let (mut store, mut promised) = (Store::new(config.client.hosting), None);
        let mut position = Position::default();
        store.set_role(Role::Replica);
        for record in disk.records {
            let lock::Record::Redis(record) = record else { unreachable!("a record of another kind of server") };
            match record {
                Record::Promise { epoch, pledged } => promised = Some((*epoch, *pledged)),
                Record::Change(change) => {
                    store.replicate(change, office);
                    position.offset += 1;
                }
                Record::Whole(at, whole) => {
                    store.replace(whole, office);
                    position = *at;
                }
            }
        }
        // What the last reign had changed may be lost, and the position would lie about it.
        if persistence == Persistence::Nothing {
            position = Position::default();
        }
        let now = office.io.now();
        // The first reign is the first server's, so all know of it, and who stands against it stands for the next.
        let (epoch, pledged) = promised.unwrap_or((1, 0));
        let mut server = Server {
            config,
            store,
            connections: Connections::default(),
            epoch,
            pledged,
            position,
            state: State::Replica,
            heard: now,
            hesitation: Span::ZERO,
            forced: now,
        };
        server.hesitate(office);
        if promised.is_none() && office.io.me().number() == 0 {
            server.reign(office);
        }
        office.wake(config.beat, Due::Beat);
        server
    }

    /// How much of what primaries have told it has.
    pub fn position(&self) -> Position {
        self.position
    }

    /// What it is, for a reader.
    pub fn standing(&self) -> String {
        let role = match &self.state {
            State::Primary { .. } => "is primary",
            State::Replica => "is a replica",
            State::Candidate(_) => "asks for votes",
        };
        let Position { epoch, offset, .. } = self.position;
        format!("{role} in epoch {}, has {offset} changes of reign {epoch}", self.epoch)
    }

    /// A copy of its keys. It costs next to nothing.
    pub fn keys(&self) -> Snapshot {
        self.store.whole()
    }

    /// Of a primary: how much of its reign each server is known to have, by node: one more than the number of changes, and 0 if
    /// it has said nothing yet. Nothing of others.
    pub fn acknowledged(&self) -> &[u64] {
        match &self.state {
            State::Primary { feed, .. } => feed.acked(),
            State::Replica | State::Candidate(_) => &[],
        }
    }

    fn is_primary(&self) -> bool {
        matches!(self.state, State::Primary { .. })
    }

    /// The reign, for those who judge what it says in it; 0 if clients do not wait for others, and it decides alone.
    fn rank(&self) -> u64 {
        if self.config.client.wait == 0 { 0 } else { self.position.epoch }
    }

    /// What it votes for later, and whom it listens to, if that changes anything; also after a restart.
    fn promise(&mut self, epoch: u64, pledged: u64, office: &mut Office<'_, '_>) {
        assert!(epoch >= self.epoch && pledged >= self.pledged, "neither {epoch} nor {pledged} may fall");
        assert!(pledged <= epoch, "a pledge for reign {pledged}, and only {epoch} was heard of");
        if (epoch, pledged) == (self.epoch, self.pledged) {
            return;
        }
        (self.epoch, self.pledged) = (epoch, pledged);
        let promises = (office.config.rules.redis.failover.promises)();
        if promises != Promising::InMemory {
            office.io.write(lock::Record::Redis(Record::Promise { epoch, pledged }));
        }
        if promises == Promising::Durably {
            office.io.sync();
        }
    }

    /// Another reigns, or will.
    fn step_down(&mut self) {
        self.state = State::Replica;
        self.store.set_role(Role::Replica);
    }

    /// Carries out what a client asks of a primary, and tells the replicas.
    fn carry_out(&mut self, command: &Command, office: &mut Office<'_, '_>) -> Reply {
        let (mut reply, change) = self.store.apply(command, office);
        if let (Command::AcquireToken { lock, .. }, Reply::Int(token @ 1..)) = (command, &mut reply)
            && let State::Primary { counts, .. } = &mut self.state
            && (office.config.rules.redis.counts)() == Counting::InMemory
        {
            let count = counts.entry(*lock).or_default();
            *count += 1;
            *token = *count;
        }
        if !change.is_empty() {
            self.keep(change, office);
        }
        if self.config.client.wait == 0 {
            self.store.tell_keeper(command, reply, office);
        }
        reply
    }

    fn keep(&mut self, change: Change, office: &mut Office<'_, '_>) {
        self.store.keep(Record::Change(change.clone()), office);
        let State::Primary { feed, .. } = &mut self.state else { unreachable!("only a primary changes things") };
        feed.push(self.position, change, office);
        self.position.offset += 1;
    }
}

impl Service for Server {
    fn on_request(&mut self, from: NodeId, call: Call, request: Request, office: &mut Office<'_, '_>) {
        let Request::Redis(command) = request else { unreachable!("a command for another kind of server") };
        if !self.connections.admits(from, call) {
            return;
        }
        let at = self.position.offset;
        let reply = match (&mut self.state, command) {
            (State::Replica | State::Candidate(_), _) => Reply::ReadOnly,
            (State::Primary { feed, waiters, .. }, Command::Wait { lock, owner, replicas, timeout }) => {
                let waits = waiting::Waiter { client: from, call, lock, owner, offset: at, replicas };
                waiters.join(waits, Span::ms(timeout), feed, office);
                return;
            }
            (State::Primary { .. }, command) => self.carry_out(&command, office),
        };
        if let State::Primary { waiters, .. } = &mut self.state
            && self.position.offset > at
        {
            waiters.changed(from, command.lock());
        }
        office.reply(from, call, lock::Reply::Redis(reply));
    }

    fn on_peer(&mut self, from: NodeId, peer: lock::Peer, office: &mut Office<'_, '_>) {
        let lock::Peer::Redis(peer) = peer else { unreachable!("a message of another kind of server") };
        match peer {
            Peer::Feed { at, changes } => self.on_feed(from, at, changes, office),
            Peer::Lack { at } => self.on_lack(from, at, office),
            Peer::Whole { at, whole } => self.on_whole(from, at, &whole, office),
            Peer::Ack { at } => self.on_ack(from, at, office),
            Peer::Candidacy { epoch, position } => self.on_candidacy(from, epoch, position, office),
            Peer::Vote { epoch } => self.on_vote(from, epoch, office),
            Peer::Refusal { epoch } => self.on_refusal(epoch, office),
            Peer::Deposed { epoch } => self.on_deposed(epoch, office),
        }
    }

    fn on_due(&mut self, due: Due, office: &mut Office<'_, '_>) {
        if due == Due::Expiry {
            if let State::Primary { waiters, feed, .. } = &mut self.state {
                waiters.expire(feed, office);
            }
            return;
        }
        office.wake(self.config.beat, Due::Beat);
        match &self.state {
            State::Primary { feed, .. } => feed.beat(self.position, office),
            State::Replica | State::Candidate(_) => self.consider(office),
        }
        let now = office.io.now();
        if self.config.client.hosting.persistence == Persistence::EverySecond && now.since(self.forced) >= FORCED_EVERY
        {
            self.forced = now;
            office.io.sync();
        }
    }

    fn role(&self, role: &str) -> Option<u64> {
        (role == "primary" && self.is_primary()).then_some(self.position.epoch)
    }
}
