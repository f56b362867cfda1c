//! One server of Raft, for any replicated state machine.
//!
//! What is common to all messages stands here: the state, the term rule, the timers, the disk. The campaign is in
//! `election`, the log's way to the others in `replication`, that of snapshots in `compaction`; who belongs to
//! the cluster in `change`, handing over the lead in `transfer`, reads that spare the log in `read`.

mod change;
mod compaction;
mod election;
mod look;
mod read;
mod replication;
mod transfer;

use super::config::Config;
use super::log::{Entry, Log};
use super::membership::{Configuration, Decision, Servers, Wish};
use super::message::{Campaign, Message, Record, Request};
use super::rules::{Occasion, Timepiece};
use super::snapshot::{Snapshot, Staging};
use crate::kernel::digest::Digestible;
use crate::kernel::time::Time;
use crate::protocol::{Afterwards, DiskFailure, Found, Io, NodeId, Protocol};
use change::Change;
use read::Pending;
use std::fmt::Debug;
use std::sync::Arc;
use transfer::Transfer;

/// What is replicated: a deterministic machine that all servers feed the same commands.
pub trait StateMachine: Clone + Debug {
    /// What it is fed.
    type Command: Clone + Debug + Digestible;
    /// What it answers.
    type Reply: Clone + Debug;
    /// A piece of its state.
    type Part: Clone + Debug + Digestible;

    /// Applies a command.
    fn apply(&mut self, command: &Self::Command) -> Self::Reply;

    /// How many bytes a command takes in a message, for those who limit its length. Default: 48.
    fn size(_command: &Self::Command) -> usize {
        48
    }

    /// A word that stands for the whole state; it must cost O(1).
    fn fingerprint(&self) -> u64;

    /// The whole state in pieces of at most so many units, at least one piece. The same state makes the same pieces.
    fn parts(&self, size: usize) -> Vec<Self::Part>;

    /// Takes the state that these pieces make: all of them, in order.
    fn restore(&mut self, parts: &[Self::Part]);
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
    Protocol<Message: From<Message<M>>, Timer: From<Alarm>, Record: From<Record<M>>>
{
}

impl<M: StateMachine, P> Embeds<M> for P where
    P: Protocol<Message: From<Message<M>>, Timer: From<Alarm>, Record: From<Record<M>>>
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
    role: Role<M>,
    /// Who belongs to the cluster: the latest configuration that counts.
    configuration: Configuration,
    /// The configurations in the log, and the last one before it; in order.
    changes: Vec<Change>,
    /// The latest snapshot, which stands for all of the log up to some entry.
    snapshot: Option<Arc<Snapshot<M>>>,
    /// What has arrived of a leader's snapshot.
    staging: Option<Staging<M>>,
    /// What this server has been ordered to ask for.
    wish: Option<Wish>,
    /// Where the latest configuration stood that it knew when it was ordered so.
    wished_at: u64,
    /// Reads that may be answered when this much is applied: (token, index).
    reads: Vec<(u64, u64)>,
    /// The leader of the current term, once known.
    leader: Option<NodeId>,
    /// When it was last heard, by the clock that the rules name.
    leader_heard: Option<Time>,
}

/// What a server is at the moment.
#[derive(Clone, Debug)]
pub enum Role<M: StateMachine> {
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
        /// What it campaigns about.
        campaign: Campaign,
    },
    /// Leads.
    Leader(Leadership<M>),
    /// Has lost what it had promised to keep, and takes no part.
    Outcast,
}

/// What a leader knows of the others.
#[derive(Clone, Debug)]
pub struct Leadership<M: StateMachine> {
    /// By server, of the members of the cluster.
    pub progress: Vec<Progress>,
    /// Who has answered since the last check of the quorum; the leader itself, if its disk has.
    heard: Servers,
    /// Who had, at that check.
    answering: Servers,
    /// The snapshots that are being sent.
    sending: Vec<(NodeId, Arc<Snapshot<M>>)>,
    /// Whom the lead is handed to.
    transfer: Option<Transfer>,
    /// In this term a server has been told to campaign, and may do so at any time.
    has_told: bool,
    /// The latest round in which it asked whether it still leads, and when that began, if it is not confirmed yet.
    round: u64,
    round_began: Option<Time>,
    /// When the last round began that a quorum has confirmed: until then nobody else can have led.
    confirmed: Option<Time>,
    /// Reads that wait for a round.
    pending: Vec<Pending>,
}

/// What a leader knows of one server's log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// Paper: matchIndex. The logs are known to agree up to here, durably.
    pub match_index: u64,
    /// Paper: nextIndex. The next entry to send.
    pub next_index: u64,
    /// How it is sent to.
    pub flow: Flow,
    /// The latest round that it has answered.
    round: u64,
}

/// How a leader sends to one server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// It is not known where the logs agree, or something was lost: one AppendEntries at a time, and
    /// this is the index up to which the one on its way goes. Answers to earlier ones do not count.
    Probe(Option<u64>),
    /// The logs agree: entries are sent as they come, before earlier ones are acknowledged.
    Replicate,
    /// It needs entries that are compacted away: it is sent a snapshot, one part at a time.
    Snapshot {
        /// Up to which entry.
        last: u64,
        /// The part on its way.
        offset: usize,
    },
}

impl Progress {
    /// Of a server of which nothing is known, where the leader's log ends at `last`.
    const fn unknown(last: u64) -> Progress {
        Progress { match_index: 0, next_index: last + 1, flow: Flow::Probe(None), round: 0 }
    }
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
    pub fn boot<P: Embeds<M>>(config: Config, machine: M, disk: Found<'_, Record<M>>, io: &mut Io<'_, P>) -> Core<M> {
        let first = Configuration::of(Servers::first(config.servers));
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
            configuration: first,
            changes: vec![Change { index: 0, term: 0, configuration: first }],
            snapshot: None,
            staging: None,
            wish: None,
            wished_at: 0,
            reads: Vec::new(),
            leader: None,
            leader_heard: None,
        };
        disk.records.iter().for_each(|record| core.restore(record));
        core.configuration = (config.rules.change.configuration_at_start)(core.configuration, core.me);
        if core.has_given_lease() && (config.rules.read.restart_honours_lease)() {
            core.leader_heard = Some(core.time_of_silence(io));
        }
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

    fn restore(&mut self, record: &Record<M>) {
        match record {
            Record::Term { term, vote } => (self.term, self.vote) = (*term, *vote),
            Record::Truncate { from } => self.truncate_from(*from),
            Record::Entry(entry) => drop(self.take(entry.clone())),
            Record::Checkpoint(checkpoint) => self.begin_at_checkpoint(checkpoint),
        }
    }

    /// Handles a message from another server, or from this one's own disk.
    pub fn on_message<P: Embeds<M>>(&mut self, from: NodeId, message: Message<M>, io: &mut Io<'_, P>) {
        if self.is_outcast() {
            return;
        }
        if message.term() > self.term && !self.keeps_term(&message) {
            if let Message::RequestVote { campaign, .. } = message
                && self.ignores_candidate(campaign, self.time_of_silence(io))
            {
                return;
            }
            self.become_follower(message.term(), io);
        }
        match message {
            Message::RequestVote { term, last, campaign: Campaign::PreVote } => self.on_pre_vote(from, term, last, io),
            Message::RequestVote { term, last, campaign } => self.on_request_vote(from, term, last, campaign, io),
            Message::RequestVoteReply { term, granted: true, pre_vote } => self.on_vote(from, term, pre_vote, io),
            // It has taught us its term, if that was higher; there is nothing else in it.
            Message::RequestVoteReply { granted: false, .. } => {}
            Message::AppendEntries { term, prev, commit, entries, round } => {
                self.on_append_entries(from, term, prev, commit, entries, round, io);
            }
            Message::AppendEntriesReply { term, outcome, round } => {
                self.on_append_entries_reply(from, term, outcome, round, io);
            }
            Message::InstallSnapshot { term, fragment, round } => {
                self.on_install_snapshot(from, term, *fragment, round, io);
            }
            Message::InstallSnapshotReply { term, last, wanted, round } => {
                self.on_install_snapshot_reply(from, term, last, wanted, round, io);
            }
            Message::TimeoutNow { term } => self.on_timeout_now(term, io),
            Message::Ask { term, request: Request::Lead } => self.on_ask_to_lead(from, term, io),
            Message::Ask { request: Request::Change(wish), .. } => self.on_ask_to_change(from, wish, io),
            Message::ReadIndex { token, .. } => self.on_read_index(from, token, io),
            Message::ReadIndexReply { term, token, index } => self.on_read_index_reply(term, token, index),
        }
    }

    /// Whether a higher term in this message is not one to adopt: pre-votes are about a term that
    /// nobody is in yet, and a granted one carries the term that was asked about; who only asks for something deposes
    /// nobody.
    fn keeps_term(&self, message: &Message<M>) -> bool {
        match message {
            Message::RequestVote { campaign, .. } => *campaign == Campaign::PreVote,
            Message::RequestVoteReply { pre_vote: true, granted: true, .. } => true,
            Message::RequestVoteReply { pre_vote: true, granted: false, .. } => {
                let rules = &self.config.rules;
                !(rules.reply_teaches_term)() || !(rules.refused_pre_vote_teaches_term)()
            }
            Message::RequestVoteReply { .. }
            | Message::AppendEntriesReply { .. }
            | Message::InstallSnapshotReply { .. }
            | Message::ReadIndexReply { .. } => !(self.config.rules.reply_teaches_term)(),
            Message::Ask { .. } | Message::ReadIndex { .. } => true,
            Message::AppendEntries { .. } | Message::InstallSnapshot { .. } | Message::TimeoutNow { .. } => false,
        }
    }

    /// A candidate that comes while a leader is alive is disruptive: it is not even listened to (thesis,
    /// section 4.2.3). Its term still reaches the leader, by its answer to AppendEntries.
    fn ignores_candidate(&self, campaign: Campaign, now: Time) -> bool {
        (self.config.rules.change.ignores_candidate)(self.believes_in_leader(now), campaign == Campaign::Transfer)
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
            // A leader that may read by its lease counts on those who have heard it, whatever they learn since.
            if !self.has_given_lease() {
                self.leader_heard = None;
            }
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
        if (self.config.rules.term_is_kept)() {
            let (term, vote) = self.term_to_keep();
            io.write(Record::Term { term, vote }.into());
        }
    }

    /// The term and the vote in it that a restart will find.
    fn term_to_keep(&self) -> (u64, Option<NodeId>) {
        let is_kept = (self.config.rules.term_is_kept)();
        if is_kept { (self.term, (self.config.rules.vote_to_keep)(self.vote)) } else { (0, None) }
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
        self.take(entry)
    }

    /// Adds an entry to the log, on whose disk it is.
    fn take(&mut self, entry: Entry<M::Command>) -> u64 {
        let change = entry.configuration().map(|configuration| (entry.term(), configuration));
        let index = self.log.append(entry);
        if let Some((term, configuration)) = change {
            self.changes.push(Change { index, term, configuration });
            self.reconfigure();
        }
        index
    }

    /// Removes entries from the log.
    fn truncate_from(&mut self, from: u64) {
        self.log.truncate_from(from);
        if self.changes.last().is_some_and(|change| change.index >= from) {
            self.changes.retain(|change| change.index < from);
            self.wished_at = self.wished_at.min(from - 1);
            self.reconfigure();
        }
    }

    /// Applies the next committed entry, if there is one. Whoever embeds the core calls this after
    /// every turn until it answers `None`. What is no command is applied silently.
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

    /// Whose answers count for something.
    #[inline]
    fn answering(&self, members: Servers) -> Servers {
        (self.config.rules.change.answering)(members, Servers::first(self.config.all()))
    }

    /// The other members of the cluster.
    #[inline]
    fn others(&self) -> impl Iterator<Item = NodeId> + use<M> {
        self.configuration.members().without(self.me).iter()
    }

    /// Whether those who agree are a quorum of every group that must have one. Whoever stands there twice counts twice.
    /// `majority` says what more than half of the votes is.
    #[inline]
    fn has_quorum(&self, decision: Decision, agreed: &[Servers], majority: fn(usize) -> usize) -> bool {
        let Config { rules, quorums, .. } = &self.config;
        let is_met = |group: Servers| {
            let votes = |some: &Servers| quorums.votes((rules.change.counted)(*some, group));
            agreed.iter().map(votes).sum::<usize>() >= quorums.needed(decision, group, majority)
        };
        let [one, other] = (rules.change.groups)(&self.configuration);
        (one.is_empty() || is_met(one)) && (other.is_empty() || is_met(other))
    }
}
