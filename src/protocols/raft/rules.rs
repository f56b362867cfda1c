//! The decisions of Raft on which its safety and liveness rest, one small function each, with its
//! source. A planted defect replaces one of them; the protocol's text stays clean.

mod change;
mod compact;
mod read;
mod session;

use super::log::Position;
use super::membership::Servers;
use crate::kernel::chance::within;
use crate::kernel::rng::Dice;
use crate::kernel::time::Span;
use crate::protocol::{Afterwards, Damage, DiskFailure, NodeId};

pub use change::ChangeRules;
pub use compact::CompactRules;
pub use read::ReadRules;
pub use session::SessionRules;

/// Why a server might start its election timer anew.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Occasion {
    /// The leader of the current term has sent AppendEntries.
    LeaderHeard,
    /// A server that was leader before, of an earlier term, has sent AppendEntries.
    StaleLeaderHeard,
    /// The vote was given to a candidate.
    VoteGranted,
    /// The vote was refused to a candidate.
    VoteRefused,
    /// A pre-vote was answered, one way or the other.
    PreVoteAnswered,
}

/// How the entries of an AppendEntries lie to a follower's log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Overlap {
    /// The first of them that has another term than the follower's entry there.
    pub conflict: Option<u64>,
    /// They come after this index.
    pub prev: u64,
    /// The last of them has this index; `prev`, if there are none.
    pub end: u64,
    /// The follower's log ends here.
    pub last: u64,
}

/// How much of what was sent to a server may be on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Window {
    /// More may be sent.
    Open,
    /// Nothing more, until it has answered.
    Full,
}

/// What becomes of an entry for which there may be no room left in a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Packing {
    /// It goes in.
    Take,
    /// The message is full.
    Stop,
    /// The message goes without it, and may take a later one.
    Skip,
}

/// A clock of a server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Timepiece {
    /// The one that only goes forwards.
    Monotonic,
    /// The one that is set by hand and by other clocks.
    Wall,
}

/// All decisions. [`Rules::SOUND`] has those of the paper.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// May a voter whose log ends at `mine` vote for a candidate whose log ends at `candidate`?
    pub is_up_to_date: fn(candidate: Position, mine: Position) -> bool,
    /// Does a term go to disk, with the vote in it?
    pub term_is_kept: fn() -> bool,
    /// Which vote goes to disk with the term.
    pub vote_to_keep: fn(vote: Option<NodeId>) -> Option<NodeId>,
    /// The vote of a server that asks for pre-votes in the term in which it has given `vote`.
    pub vote_in_pre_candidacy: fn(vote: Option<NodeId>) -> Option<NodeId>,
    /// Does a server ask for pre-votes before it campaigns? `again` says that it has campaigned in this term already.
    pub asks_first: fn(again: bool) -> bool,
    /// Must a vote be durable before it is told?
    pub vote_waits_for_disk: fn() -> bool,
    /// Does a granted vote that carries `reply_term` count for a candidate in `term`?
    pub vote_is_current: fn(reply_term: u64, term: u64) -> bool,
    /// Adds a voter to those who granted.
    pub count_vote: fn(votes: &mut Vec<NodeId>, voter: NodeId),
    /// How many of so many votes elect a leader.
    pub election_quorum: fn(votes: usize) -> usize,
    /// Does a server adopt the higher term of a reply?
    pub reply_teaches_term: fn() -> bool,
    /// Does it adopt the one of a server that refuses it a pre-vote?
    pub refused_pre_vote_teaches_term: fn() -> bool,
    /// Does this occasion start the election timer anew?
    pub resets_election_timer: fn(occasion: Occasion) -> bool,
    /// Draws an election timeout.
    pub election_timeout: fn(dice: &mut Dice, min: Span, max: Span) -> Span,
    /// By which clock a server tells how long its leader has been silent.
    pub times_silence_by: fn() -> Timepiece,
    /// May a leader go on, if a quorum has answered it lately, or none?
    pub may_lead_on: fn(quorum_has_answered: bool) -> bool,
    /// Does a leader whose own disk holds its log up to `durable` of `last` count itself among those that answer?
    pub answers_itself: fn(durable: u64, last: u64) -> bool,
    /// Does what a leader of `leader_term` wants stored mean anything to a server in `term`?
    pub append_is_current: fn(leader_term: u64, term: u64) -> bool,
    /// From which index on a follower removes entries to store those that were sent, if from any.
    pub truncate_from: fn(overlap: &Overlap) -> Option<u64>,
    /// What a follower acknowledges that has verified its log up to `verified`.
    pub acknowledge: fn(verified: u64, last: u64) -> u64,
    /// Must entries be durable before they are acknowledged?
    pub acknowledgement_waits_for_disk: fn() -> bool,
    /// Must a leader's own entries be durable before it counts itself?
    pub leader_waits_for_disk: fn() -> bool,
    /// The commit index of a follower that has verified its log up to `verified`.
    pub follower_commit: fn(commit: u64, leader_commit: u64, verified: u64, last: u64) -> u64,
    /// Does an AppendEntriesReply that carries `reply_term` mean anything to a leader of `term`?
    pub reply_is_current: fn(reply_term: u64, term: u64) -> bool,
    /// The match index after an acknowledgement.
    pub match_index: fn(match_index: u64, acknowledged: u64) -> u64,
    /// The next entry to send to a server that was to be sent `next`, and has acknowledged all before `beyond`.
    pub next_index: fn(next: u64, beyond: u64) -> u64,
    /// What becomes of the next entry of this size, where a message has so much room left, both in bytes.
    pub packs: fn(room: usize, size: usize) -> Packing,
    /// Is it news to a leader that knows a match up to `match_index` that entries after `refused` were
    /// refused? `may_be_last` is false if they are not what was sent last.
    pub refusal_is_news: fn(may_be_last: bool, refused: u64, match_index: u64) -> bool,
    /// After which entry a heartbeat asks, to a server that is known to match up to `match_index` and was sent all up to
    /// `sent`. With a full `window` it will be sent nothing more before it has answered.
    pub heartbeat_asks_after: fn(match_index: u64, sent: u64, window: Window) -> u64,
    /// The next entry to send to a server that has refused, where its log could agree up to `agreed` and is known
    /// to match up to `match_index`.
    pub next_after_refusal: fn(agreed: u64, match_index: u64) -> u64,
    /// What a server does when its disk has refused something.
    pub after_disk_failure: fn(failure: DiskFailure) -> Afterwards,
    /// May a server take part that has found this on its disk?
    pub may_take_part: fn(damage: Option<Damage>) -> bool,
    /// Does a checksum tell that a message was damaged on its way?
    pub checks_messages: fn() -> bool,
    /// Does a checksum tell that a record was damaged on the disk?
    pub checks_records: fn() -> bool,
    /// How many of so many votes commit an entry.
    pub commit_quorum: fn(votes: usize) -> usize,
    /// Who of the members has an entry that these are known to hold.
    pub holders: fn(members: Servers, holding: Servers) -> Servers,
    /// May a leader of `term` commit by counting copies of an entry of `entry_term`?
    pub may_commit: fn(entry_term: u64, term: u64) -> bool,
    /// Has a command been applied before that its client counts as number `sequence`, when the last one of that client
    /// was `last`?
    pub is_repetition: fn(sequence: u32, last: u32) -> bool,
    /// Does a leader refuse a command for that reason when it comes, whatever becomes of those in its log?
    pub is_refused_as_repetition: fn(sequence: u32, last: u32) -> bool,
    /// The number under which a client sends its command again, when it has no answer.
    pub repeats_as: fn(sequence: u32) -> u32,
    /// About who belongs to the cluster, and about handing the lead over.
    pub change: ChangeRules,
    /// About snapshots.
    pub compact: CompactRules,
    /// About reads.
    pub read: ReadRules,
    /// About sessions that end.
    pub session: SessionRules,
}

impl Rules {
    /// The rules of the paper.
    pub const SOUND: Rules = Rules {
        is_up_to_date,
        term_is_kept: always,
        vote_to_keep,
        vote_in_pre_candidacy,
        asks_first,
        vote_waits_for_disk: always,
        vote_is_current,
        count_vote,
        election_quorum: majority,
        reply_teaches_term: always,
        refused_pre_vote_teaches_term: always,
        resets_election_timer,
        election_timeout,
        times_silence_by,
        may_lead_on,
        answers_itself,
        append_is_current,
        truncate_from,
        acknowledge,
        acknowledgement_waits_for_disk: always,
        leader_waits_for_disk: always,
        follower_commit,
        reply_is_current,
        match_index,
        next_index,
        packs,
        refusal_is_news,
        heartbeat_asks_after,
        next_after_refusal,
        after_disk_failure,
        may_take_part,
        checks_messages: always,
        checks_records: always,
        commit_quorum: majority,
        holders,
        may_commit,
        is_repetition,
        is_refused_as_repetition,
        repeats_as,
        change: ChangeRules::SOUND,
        compact: CompactRules::SOUND,
        read: ReadRules::SOUND,
        session: SessionRules::SOUND,
    };
}

impl Default for Rules {
    fn default() -> Rules {
        Rules::SOUND
    }
}

/// Where a rule is only asked whether it holds: it does. Before a promise is told it must be durable: else a crash lets it be broken (paper, section 5 and
/// figure 2, "updated on stable storage before responding"). A leader may send entries before they are on its
/// own disk, but not count itself (thesis, section 10.2.1).
fn always() -> bool {
    true
}

/// The candidate's log is at least as up-to-date (paper, section 5.4.1).
fn is_up_to_date(candidate: Position, mine: Position) -> bool {
    candidate >= mine
}

/// The vote is kept with the term (paper, figure 2, persistent state).
fn vote_to_keep(vote: Option<NodeId>) -> Option<NodeId> {
    vote
}

/// A pre-vote changes nothing: a vote stays given until the term is over (thesis, section 9.6).
fn vote_in_pre_candidacy(vote: Option<NodeId>) -> Option<NodeId> {
    vote
}

/// Each time: else a server that nobody hears could raise its term again and again (thesis, section 9.6).
fn asks_first(_again: bool) -> bool {
    true
}

/// A vote of an earlier term is not a vote in this one (paper, section 5.2).
fn vote_is_current(reply_term: u64, term: u64) -> bool {
    reply_term == term
}

/// Voters are a set: a vote that arrives twice is one vote.
fn count_vote(votes: &mut Vec<NodeId>, voter: NodeId) {
    if !votes.contains(&voter) {
        votes.push(voter);
    }
}

/// More than half, so that any two quorums share a server (paper, section 5.2).
fn majority(votes: usize) -> usize {
    votes / 2 + 1
}

/// Only a living leader and the vote for a candidate are reasons to wait longer (paper, figure 2,
/// rules for followers). A refused candidate, or one that merely asks, must not keep the only
/// electable servers waiting.
fn resets_election_timer(occasion: Occasion) -> bool {
    match occasion {
        Occasion::LeaderHeard | Occasion::VoteGranted => true,
        Occasion::StaleLeaderHeard | Occasion::VoteRefused | Occasion::PreVoteAnswered => false,
    }
}

/// A fresh draw each time, so that split votes are resolved soon (paper, section 5.2).
fn election_timeout(dice: &mut Dice, min: Span, max: Span) -> Span {
    within(dice.next(), min, max)
}

/// How much time has passed only a clock can tell that nobody sets.
fn times_silence_by() -> Timepiece {
    Timepiece::Monotonic
}

/// Who hears no quorum may be the only one who takes it for the leader, or one of a few that hear it and wait for it
/// in vain (thesis, section 6.2).
fn may_lead_on(quorum_has_answered: bool) -> bool {
    quorum_has_answered
}

/// The leader's own disk must answer like any other server. One whose disk stands still cannot count itself, and with a
/// bare majority behind it commits nothing; but its heartbeats would keep everybody from electing another
/// (hashicorp/raft issue 503).
fn answers_itself(durable: u64, last: u64) -> bool {
    durable == last
}

/// A leader of an earlier term has been replaced, and what it wanted stored may contradict what is committed since
/// (paper, figure 2, AppendEntries, rule 1).
fn append_is_current(leader_term: u64, term: u64) -> bool {
    leader_term >= term
}

/// Entries are removed from the first that really conflicts, same index and different terms; a message
/// that is late or overlaps removes nothing (paper, figure 2, AppendEntries, rule 3).
fn truncate_from(overlap: &Overlap) -> Option<u64> {
    overlap.conflict
}

/// A follower acknowledges what this message has verified, not what else its log may hold.
fn acknowledge(verified: u64, _last: u64) -> u64 {
    verified
}

/// Never falls, and never goes beyond what this message has verified (paper, figure 2, AppendEntries,
/// rule 5: "index of last new entry").
fn follower_commit(commit: u64, leader_commit: u64, verified: u64, _last: u64) -> u64 {
    commit.max(leader_commit.min(verified))
}

/// An answer to an earlier leadership says nothing about this one: in between the follower's log
/// may have been cut.
fn reply_is_current(reply_term: u64, term: u64) -> bool {
    reply_term == term
}

/// Never falls: an answer may be late (paper, figure 2, matchIndex "increases monotonically").
fn match_index(match_index: u64, acknowledged: u64) -> u64 {
    match_index.max(acknowledged)
}

/// Always beyond what is known to match (paper, figure 2, nextIndex).
fn next_index(next: u64, beyond: u64) -> u64 {
    next.max(beyond)
}

/// In order and without gaps: an entry's index is its place (paper, section 5.3).
fn packs(room: usize, size: usize) -> Packing {
    if size <= room { Packing::Take } else { Packing::Stop }
}

/// A refusal of what was not sent last, or of what is known to match, is late.
fn refusal_is_news(may_be_last: bool, refused: u64, match_index: u64) -> bool {
    may_be_last && refused > match_index
}

/// After all that was sent: a server that misses some of it refuses, also if there is nothing more to send (paper, figure
/// 2, rules for leaders: a heartbeat is an AppendEntries like any other).
fn heartbeat_asks_after(_match_index: u64, sent: u64, _window: Window) -> u64 {
    sent
}

/// Where both logs could agree, but never back to what is known to match.
fn next_after_refusal(agreed: u64, match_index: u64) -> u64 {
    agreed.max(match_index) + 1
}

/// What the disk holds after a failure is not what the server believes, and asking again does not mend it:
/// so it starts anew from what is there (Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC
/// 2020).
fn after_disk_failure(_: DiskFailure) -> Afterwards {
    Afterwards::Stop
}

/// Who has lost what it had promised to keep, its vote or entries, can break the promise without knowing. It stays
/// away until somebody replaces it (Alagappan et al., "Protocol-Aware Recovery for Consensus-Based Storage", FAST
/// 2018). What was only torn was never promised.
fn may_take_part(damage: Option<Damage>) -> bool {
    match damage {
        None | Some(Damage::Torn) => true,
        Some(Damage::Rotten { .. } | Damage::Replaced) => false,
    }
}

/// These alone.
fn holders(_members: Servers, holding: Servers) -> Servers {
    holding
}

/// Only entries of the leader's own term are committed by counting; earlier ones go with them (paper,
/// section 5.4.2 and figure 8).
fn may_commit(entry_term: u64, term: u64) -> bool {
    entry_term == term
}

/// A client has one command under way at a time, so whatever does not count on has been there (thesis, section 6.3).
fn is_repetition(sequence: u32, last: u32) -> bool {
    sequence <= last
}

/// No: an earlier copy may be in the log and not applied yet. The machine alone can tell (thesis, section 6.3).
fn is_refused_as_repetition(_sequence: u32, _last: u32) -> bool {
    false
}

/// The same: no answer does not mean that nothing has happened (thesis, section 6.3).
fn repeats_as(sequence: u32) -> u32 {
    sequence
}
