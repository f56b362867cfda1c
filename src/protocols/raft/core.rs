//! One server of Raft, for any replicated state machine.
//!
//! What is common to all messages stands here: the state, the term rule, the timers, the disk. The
//! campaign is in `election`, the log's way to the others in `replication`.

mod election;
mod replication;

use super::config::Config;
use super::log::{Entry, Log};
use super::message::{Message, Record};
use super::rules::{Occasion, Timepiece};
use crate::kernel::digest::Digestible;
use crate::kernel::time::Time;
use crate::protocol::{Afterwards, DiskFailure, Found, Io, NodeId, Protocol};
use std::fmt::Debug;

/// What is replicated: a deterministic machine that all servers feed the same commands.
pub trait StateMachine: Clone + Debug {
    /// What it is fed.
    type Command: Clone + Debug + Digestible;
    /// What it answers.
    type Reply: Clone + Debug;

    /// Applies a command.
    fn apply(&mut self, command: &Self::Command) -> Self::Reply;

    /// A word that stands for the whole state; it must cost O(1).
    fn fingerprint(&self) -> u64;
}

/// A timer of a server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Alarm {
    /// Nobody was heard for too long: of a follower or candidate the leader, of a leader a quorum.
    Election,
    /// A leader has something to say even if there is nothing new.
    Heartbeat,
}

/// A protocol that embeds this core: its messages, timers and records include those of Raft.
pub trait Embeds<M: StateMachine>:
    Protocol<Message: From<Message<M::Command>>, Timer: From<Alarm>, Record: From<Record<M::Command>>>
{
}

impl<M: StateMachine, P> Embeds<M> for P where
    P: Protocol<Message: From<Message<M::Command>>, Timer: From<Alarm>, Record: From<Record<M::Command>>>
{
}

/// The state of one server.
#[derive(Clone, Debug)]
pub struct Core<M: StateMachine> {
    config: Config,
    me: NodeId,
    term: u64,
    vote: Option<NodeId>,
    log: Log<M::Command>,
    commit: u64,
    applied: u64,
    machine: M,
    role: Role,
    /// The leader of the current term, once known.
    leader: Option<NodeId>,
    /// When it was last heard, by the clock that the rules name.
    leader_heard: Option<Time>,
}

/// What a server is at the moment.
#[derive(Clone, Debug)]
pub enum Role {
    /// Waits for a leader.
    Follower,
    /// Asks whether a campaign could succeed.
    PreCandidate {
        /// Who would vote for it.
        votes: Vec<NodeId>,
    },
    /// Campaigns.
    Candidate {
        /// Who has voted for it.
        votes: Vec<NodeId>,
    },
    /// Leads.
    Leader(Leadership),
    /// Has lost what it had promised to keep, and takes no part.
    Outcast,
}

/// What a leader knows of the others.
#[derive(Clone, Debug)]
pub struct Leadership {
    /// By server.
    pub progress: Vec<Progress>,
    /// Who has answered since the last check of the quorum; the leader itself, if its disk has.
    heard: Vec<NodeId>,
    /// An entry of its own that is on its way to a quorum, and when it was sent.
    asked: Option<(u64, Time)>,
    /// When the last such entry was sent that a quorum has answered: until then nobody else can have led.
    confirmed: Option<Time>,
}

/// What a leader knows of one server's log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Paper: matchIndex. The logs are known to agree up to here, durably.
    pub match_index: u64,
    /// Paper: nextIndex. The next entry to send.
    pub next_index: u64,
    flow: Flow,
}

/// How a leader sends to one server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Flow {
    /// It is not known where the logs agree, or something was lost: one AppendEntries at a time, and
    /// this is the index up to which the one on its way goes. Answers to earlier ones do not count.
    Probe(Option<u64>),
    /// The logs agree: entries are sent as they come, before earlier ones are acknowledged.
    Replicate,
}

/// An entry that has just been applied.
#[derive(Clone, Debug)]
pub struct Applied<M: StateMachine> {
    /// The command.
    pub command: M::Command,
    /// What the state machine answered.
    pub reply: M::Reply,
}

impl<M: StateMachine> Core<M> {
    /// Starts a server with a machine to which nothing has been applied, and the records that its disk holds, none at the
    /// first start.
    ///
    /// # Panics
    /// If the records are not what a server of Raft writes.
    pub fn boot<P: Embeds<M>>(
        config: Config,
        machine: M,
        disk: Found<'_, Record<M::Command>>,
        io: &mut Io<'_, P>,
    ) -> Core<M> {
        let mut core = Core {
            config,
            me: io.me(),
            term: 0,
            vote: None,
            log: Log::new(),
            commit: 0,
            applied: 0,
            machine,
            role: Role::Follower,
            leader: None,
            leader_heard: None,
        };
        disk.records.iter().for_each(|record| core.restore(record));
        if (config.rules.may_take_part)(disk.damage) {
            core.arm_election(io);
        } else {
            core.role = Role::Outcast;
        }
        core
    }

    /// Handles the refusal of a write or a sync.
    pub fn on_disk_failure<P: Embeds<M>>(&mut self, failure: DiskFailure, io: &mut Io<'_, P>) -> Afterwards {
        let afterwards = (self.config.rules.after_disk_failure)(failure);
        // The turn that failed may have been about to arm a timer.
        if afterwards == Afterwards::GoOn {
            match self.role {
                Role::Leader(_) => {
                    io.arm(Alarm::Election.into(), self.config.election_timeout_max);
                    io.arm(Alarm::Heartbeat.into(), self.config.heartbeat);
                }
                Role::Follower | Role::PreCandidate { .. } | Role::Candidate { .. } => self.arm_election(io),
                Role::Outcast => {}
            }
        }
        afterwards
    }

    fn restore(&mut self, record: &Record<M::Command>) {
        match record {
            Record::Term { term, vote } => (self.term, self.vote) = (*term, *vote),
            Record::Truncate { from } => self.log.truncate_from(*from),
            Record::Entry(entry) => drop(self.log.append(entry.clone())),
        }
    }

    /// Handles a message from another server, or from this one's own disk.
    pub fn on_message<P: Embeds<M>>(&mut self, from: NodeId, message: Message<M::Command>, io: &mut Io<'_, P>) {
        if self.is_outcast() {
            return;
        }
        if message.term() > self.term && !self.keeps_term(&message) {
            if self.ignores_candidate(&message, self.time_of_silence(io)) {
                return;
            }
            self.become_follower(message.term(), io);
        }
        match message {
            Message::RequestVote { term, last, pre_vote: true } => self.on_pre_vote(from, term, last, io),
            Message::RequestVote { term, last, pre_vote: false } => self.on_request_vote(from, term, last, io),
            Message::RequestVoteReply { term, granted: true, pre_vote } => self.on_vote(from, term, pre_vote, io),
            // It has taught us its term, if that was higher; there is nothing else in it.
            Message::RequestVoteReply { granted: false, .. } => {}
            Message::AppendEntries { term, prev, commit, entries } => {
                self.on_append_entries(from, term, prev, commit, entries, io);
            }
            Message::AppendEntriesReply { term, outcome } => self.on_append_entries_reply(from, term, outcome, io),
        }
    }

    /// Whether a higher term in this message is not one to adopt: pre-votes are about a term that
    /// nobody is in yet, and a granted one carries the term that was asked about.
    fn keeps_term(&self, message: &Message<M::Command>) -> bool {
        match message {
            Message::RequestVote { pre_vote, .. } => *pre_vote,
            Message::RequestVoteReply { pre_vote: true, granted: true, .. } => true,
            Message::RequestVoteReply { .. } | Message::AppendEntriesReply { .. } => {
                !(self.config.rules.reply_teaches_term)()
            }
            Message::AppendEntries { .. } => false,
        }
    }

    /// A candidate that comes while a leader is alive is disruptive: it is not even listened to (thesis,
    /// section 4.2.3). Its term still reaches the leader, by its answer to AppendEntries.
    fn ignores_candidate(&self, message: &Message<M::Command>, now: Time) -> bool {
        matches!(message, Message::RequestVote { .. }) && self.believes_in_leader(now)
    }

    /// Whether a leader has been heard within the shortest election timeout. A server that has just
    /// started has heard nobody, and listens to anyone.
    fn believes_in_leader(&self, now: Time) -> bool {
        let lately = |heard: Time| now.since(heard) < self.config.election_timeout_min;
        self.config.check_quorum && (self.is_leader() || self.leader_heard.is_some_and(lately))
    }

    /// What time it is by the clock that tells how long a leader has been silent.
    fn time_of_silence<P: Embeds<M>>(&self, io: &mut Io<'_, P>) -> Time {
        match (self.config.rules.times_silence_by)() {
            Timepiece::Monotonic => io.now(),
            Timepiece::Wall => io.wall(),
        }
    }

    /// Handles a timer.
    pub fn on_alarm<P: Embeds<M>>(&mut self, alarm: Alarm, io: &mut Io<'_, P>) {
        match (alarm, &self.role) {
            (Alarm::Election, Role::Leader(_)) => self.check_quorum(io),
            (Alarm::Election, _) => self.campaign(io),
            (Alarm::Heartbeat, Role::Leader(_)) => self.send_heartbeats(io),
            (Alarm::Heartbeat, _) => unreachable!("only a leader has the heartbeat armed"),
        }
    }

    /// Adopts a term, or the same term without being a candidate or leader in it.
    fn become_follower<P: Embeds<M>>(&mut self, term: u64, io: &mut Io<'_, P>) {
        assert!(term >= self.term, "term {term} is behind {}", self.term);
        if term > self.term {
            self.term = term;
            // Only a new term makes the vote free again: not stepping down, not a pre-vote.
            self.vote = None;
            self.leader = None;
            self.leader_heard = None;
            self.write_term(io);
        }
        if self.is_leader() {
            io.disarm(Alarm::Heartbeat.into());
            self.leader = None;
            self.arm_election(io);
        }
        self.role = Role::Follower;
    }

    fn write_term<P: Embeds<M>>(&mut self, io: &mut Io<'_, P>) {
        let vote = (self.config.rules.vote_to_keep)(self.vote);
        io.write(Record::Term { term: self.term, vote }.into());
    }

    fn arm_election<P: Embeds<M>>(&mut self, io: &mut Io<'_, P>) {
        let (min, max) = (self.config.election_timeout_min, self.config.election_timeout_max);
        let timeout = (self.config.rules.election_timeout)(io.dice(), min, max);
        io.arm(Alarm::Election.into(), timeout);
    }

    fn on_occasion<P: Embeds<M>>(&mut self, occasion: Occasion, io: &mut Io<'_, P>) {
        if (self.config.rules.resets_election_timer)(occasion) && !self.is_leader() {
            self.arm_election(io);
        }
    }

    fn append<P: Embeds<M>>(&mut self, entry: Entry<M::Command>, io: &mut Io<'_, P>) -> u64 {
        io.write(Record::Entry(entry.clone()).into());
        self.log.append(entry)
    }

    /// Applies the next committed entry, if there is one. Whoever embeds the core calls this after
    /// every turn until it answers `None`. No-ops are applied silently.
    pub fn apply_next(&mut self) -> Option<Applied<M>> {
        while self.applied < self.commit {
            self.applied += 1;
            let entry = self.log.entry(self.applied).expect("a committed entry is in the log");
            if let Some(command) = entry.command() {
                let reply = self.machine.apply(command);
                return Some(Applied { command: command.clone(), reply });
            }
        }
        None
    }

    fn others(&self) -> impl Iterator<Item = NodeId> + use<M> {
        let me = self.me;
        (0..self.config.servers).map(NodeId::new).filter(move |server| *server != me)
    }

    /// Whether this server leads its term.
    #[inline]
    pub fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }

    /// Whether this server takes no part.
    #[inline]
    pub fn is_outcast(&self) -> bool {
        matches!(self.role, Role::Outcast)
    }

    /// Whether a read may be answered from the state as it is now, by what a quorum has last answered.
    pub fn may_read_at_once(&self, now: Time) -> bool {
        let Role::Leader(Leadership { confirmed, .. }) = &self.role else { return false };
        let since = confirmed.map(|confirmed| now.since(confirmed));
        (self.config.rules.may_read_at_once)(since, self.config.election_timeout_min)
    }

    /// Paper: currentTerm.
    #[inline]
    pub fn term(&self) -> u64 {
        self.term
    }

    /// Paper: votedFor.
    #[inline]
    pub fn vote(&self) -> Option<NodeId> {
        self.vote
    }

    /// Paper: log.
    #[inline]
    pub fn log(&self) -> &Log<M::Command> {
        &self.log
    }

    /// Paper: commitIndex.
    #[inline]
    pub fn commit(&self) -> u64 {
        self.commit
    }

    /// Paper: lastApplied.
    #[inline]
    pub fn applied(&self) -> u64 {
        self.applied
    }

    /// The replicated state.
    #[inline]
    pub fn machine(&self) -> &M {
        &self.machine
    }

    /// The same, to change in it what is not replicated, such as what a leader alone knows.
    #[inline]
    pub fn machine_mut(&mut self) -> &mut M {
        &mut self.machine
    }

    /// What this server is at the moment.
    #[inline]
    pub fn role(&self) -> &Role {
        &self.role
    }

    /// The leader of the current term, as far as this server knows.
    #[inline]
    pub fn leader(&self) -> Option<NodeId> {
        if self.is_leader() { Some(self.me) } else { self.leader }
    }

    /// How this server was configured.
    #[inline]
    pub fn config(&self) -> &Config {
        &self.config
    }
}
