//! What servers of Raft tell each other, and what they keep on disk.

use super::core::StateMachine;
use super::log::{Entry, Position};
use super::membership::Wish;
use super::snapshot::{Checkpoint, Fragment};
use crate::kernel::digest::{Digest, Digestible};
use crate::protocol::NodeId;

/// A message between servers. Every one carries a term.
#[derive(Clone, Debug)]
pub enum Message<M: StateMachine> {
    /// Paper, figure 2: RequestVote.
    RequestVote {
        /// The candidate's term; of a pre-vote, the term it would campaign in.
        term: u64,
        /// Where the candidate's log ends.
        last: Position,
        /// What the campaign is about.
        campaign: Campaign,
    },
    /// The answer to RequestVote.
    RequestVoteReply {
        /// The voter's term; of a granted pre-vote, the term asked about.
        term: u64,
        /// Whether the candidate has the vote.
        granted: bool,
        /// Whether it was a pre-vote.
        pre_vote: bool,
    },
    /// Paper, figure 2: AppendEntries.
    AppendEntries {
        /// The leader's term.
        term: u64,
        /// The place right before the first of `entries`.
        prev: Position,
        /// The leader's commit index.
        commit: u64,
        /// The entries to store; none in a mere heartbeat.
        entries: Vec<Entry<M::Command>>,
        /// The latest round in which the leader asks whether it still leads; 0 before the first.
        round: u64,
    },
    /// The answer to AppendEntries; a leader sends it to itself, too, when its own disk is done.
    AppendEntriesReply {
        /// The follower's term.
        term: u64,
        /// What became of the entries.
        outcome: Outcome,
        /// The round of the leader that is answered.
        round: u64,
    },
    /// Paper, figure 13: InstallSnapshot.
    InstallSnapshot {
        /// The leader's term.
        term: u64,
        /// A part of the snapshot.
        fragment: Box<Fragment<M>>,
        /// As in AppendEntries.
        round: u64,
    },
    /// The answer to InstallSnapshot, as long as parts are missing. Who has them all answers as to AppendEntries: its log
    /// agrees with the leader's up to the snapshot.
    InstallSnapshotReply {
        /// The follower's term.
        term: u64,
        /// Of which snapshot: the index of its last entry.
        last: u64,
        /// The next part that is wanted.
        wanted: usize,
        /// The round of the leader that is answered.
        round: u64,
    },
    /// Thesis, section 3.10: campaign now, without waiting for an election timeout.
    TimeoutNow {
        /// The leader's term.
        term: u64,
    },
    /// A server asks its leader to let it lead, or to change who belongs to the cluster.
    Ask {
        /// The term of the server that asks.
        term: u64,
        /// What for.
        request: Request,
    },
    /// A follower asks which entry a read must have seen (thesis, section 6.4).
    ReadIndex {
        /// The follower's term.
        term: u64,
        /// Which read: the follower's own number.
        token: u64,
    },
    /// The answer to ReadIndex.
    ReadIndexReply {
        /// The leader's term.
        term: u64,
        /// The follower's number.
        token: u64,
        /// What was committed when the leader was asked.
        index: u64,
    },
}

/// What a campaign is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Campaign {
    /// How a real one would go: nobody gives anything away by its answer.
    PreVote,
    /// The term, since no leader was heard.
    Election,
    /// The term, since the leader has asked for it: a leader that is alive is no reason to refuse.
    Transfer,
}

/// What a server asks its leader for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Request {
    /// To let it lead.
    Lead,
    /// To change who belongs to the cluster.
    Change(Wish),
}

/// What became of an AppendEntries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The follower's log agrees with the leader's up to this index, durably.
    Matched(u64),
    /// The follower's log has no entry like `prev`.
    Conflict {
        /// The index of the `prev` that was refused.
        refused: u64,
        /// The last place at which the follower's log could agree: the leader need not try later
        /// ones (paper, end of section 5.3).
        hint: Position,
    },
}

impl<M: StateMachine> Message<M> {
    /// The term it carries.
    pub fn term(&self) -> u64 {
        match self {
            Message::RequestVote { term, .. }
            | Message::RequestVoteReply { term, .. }
            | Message::AppendEntries { term, .. }
            | Message::AppendEntriesReply { term, .. }
            | Message::InstallSnapshot { term, .. }
            | Message::InstallSnapshotReply { term, .. }
            | Message::TimeoutNow { term }
            | Message::Ask { term, .. }
            | Message::ReadIndex { term, .. }
            | Message::ReadIndexReply { term, .. } => *term,
        }
    }

    /// What kind of message it is, in the words of the paper.
    #[inline]
    pub const fn label(&self) -> &'static str {
        match self {
            Message::RequestVote { campaign: Campaign::PreVote, .. } => "RequestPreVote",
            Message::RequestVote { .. } => "RequestVote",
            Message::RequestVoteReply { pre_vote: true, .. } => "RequestPreVoteReply",
            Message::RequestVoteReply { .. } => "RequestVoteReply",
            Message::AppendEntries { .. } => "AppendEntries",
            Message::AppendEntriesReply { .. } => "AppendEntriesReply",
            Message::InstallSnapshot { .. } => "InstallSnapshot",
            Message::InstallSnapshotReply { .. } => "InstallSnapshotReply",
            Message::TimeoutNow { .. } => "TimeoutNow",
            Message::Ask { .. } => "Ask",
            Message::ReadIndex { .. } => "ReadIndex",
            Message::ReadIndexReply { .. } => "ReadIndexReply",
        }
    }
}

/// The kinds of messages, as [`Message::label`] names them.
pub const MESSAGES: [&str; 12] = [
    "RequestPreVote",
    "RequestPreVoteReply",
    "RequestVote",
    "RequestVoteReply",
    "AppendEntries",
    "AppendEntriesReply",
    "InstallSnapshot",
    "InstallSnapshotReply",
    "TimeoutNow",
    "Ask",
    "ReadIndex",
    "ReadIndexReply",
];

/// Another number: one of its lowest bits has flipped.
const fn flipped(number: u64, word: u64) -> u64 {
    number ^ 1 << (word % 3)
}

impl<M: StateMachine> Message<M> {
    /// The same message with a flipped bit in one of its numbers.
    pub fn garbled(&self, word: u64) -> Message<M> {
        let mut garbled = self.clone();
        let (which, word) = (word % 4, word >> 2);
        match &mut garbled {
            Message::RequestVote { term, last, .. } => match which {
                0 | 1 => *term = flipped(*term, word),
                2 => last.term = flipped(last.term, word),
                _ => last.index = flipped(last.index, word),
            },
            Message::RequestVoteReply { term, granted, .. } => match which {
                0 | 1 => *term = flipped(*term, word),
                _ => *granted = !*granted,
            },
            Message::AppendEntries { term, prev, commit, .. } => match which {
                0 => *term = flipped(*term, word),
                1 => prev.term = flipped(prev.term, word),
                2 => prev.index = flipped(prev.index, word),
                _ => *commit = flipped(*commit, word),
            },
            Message::AppendEntriesReply { term, outcome, .. } => match (which, outcome) {
                (0, _) => *term = flipped(*term, word),
                (_, Outcome::Matched(index) | Outcome::Conflict { refused: index, .. }) => {
                    *index = flipped(*index, word)
                }
            },
            Message::InstallSnapshot { term, fragment, .. } => match which {
                0 => *term = flipped(*term, word),
                1 => fragment.last.term = flipped(fragment.last.term, word),
                _ => fragment.last.index = flipped(fragment.last.index, word),
            },
            Message::InstallSnapshotReply { term, last, .. } => match which {
                0 | 1 => *term = flipped(*term, word),
                _ => *last = flipped(*last, word),
            },
            Message::TimeoutNow { term }
            | Message::Ask { term, .. }
            | Message::ReadIndex { term, .. }
            | Message::ReadIndexReply { term, .. } => *term = flipped(*term, word),
        }
        garbled
    }
}

impl<M: StateMachine> Record<M> {
    /// The same record with a flipped bit in a number.
    pub fn garbled(&self, word: u64) -> Record<M> {
        match self {
            Record::Term { term, vote } => Record::Term { term: flipped(*term, word), vote: *vote },
            Record::Truncate { from } => Record::Truncate { from: flipped(*from, word).max(1) },
            Record::Entry(entry) => Record::Entry(entry.clone().in_term(flipped(entry.term(), word))),
            Record::Checkpoint(checkpoint) => {
                let mut garbled = checkpoint.clone();
                garbled.term = flipped(garbled.term, word);
                Record::Checkpoint(garbled)
            }
        }
    }
}

impl<M: StateMachine> Digestible for Message<M> {
    #[inline]
    fn digest(&self, digest: &mut Digest) {
        match self {
            Message::RequestVote { term, last, campaign } => {
                let kind = match campaign {
                    Campaign::Election => 0,
                    Campaign::PreVote => 1,
                    Campaign::Transfer => 2,
                };
                digest.pair(1 << 8 | kind, *term);
                digest.pair(last.term, last.index);
            }
            Message::RequestVoteReply { term, granted, pre_vote } => {
                digest.pair(2 << 8 | u64::from(*granted) << 1 | u64::from(*pre_vote), *term);
            }
            Message::AppendEntries { term, prev, commit, entries, round } => {
                digest.pair(3 << 8 ^ *round << 16, *term);
                digest.pair(prev.term << 32 ^ prev.index, *commit);
                entries.iter().for_each(|entry| digest.word(entry.hash()));
            }
            Message::AppendEntriesReply { term, outcome: Outcome::Matched(index), round } => {
                digest.pair(4 << 8 ^ *term << 16, *index ^ *round << 40);
            }
            Message::AppendEntriesReply { term, outcome: Outcome::Conflict { refused, hint }, round } => {
                digest.pair(5 << 8 ^ *term << 16, *refused ^ *round << 40);
                digest.pair(hint.term, hint.index);
            }
            Message::InstallSnapshot { term, fragment, round } => {
                digest.pair(8 << 8 ^ *round << 16, *term);
                fragment.digest(digest);
            }
            Message::InstallSnapshotReply { term, last, wanted, round } => {
                digest.pair(9 << 8 ^ *round << 16, *term);
                digest.pair(*last, *wanted as u64);
            }
            Message::TimeoutNow { term } => digest.pair(10 << 8, *term),
            Message::Ask { term, request } => {
                digest.pair(11 << 8, *term);
                match request {
                    Request::Lead => digest.word(0),
                    Request::Change(wish) => wish.digest(digest),
                }
            }
            Message::ReadIndex { term, token } => {
                digest.pair(12 << 8, *term);
                digest.word(*token);
            }
            Message::ReadIndexReply { term, token, index } => {
                digest.pair(13 << 8, *term);
                digest.pair(*token, *index);
            }
        }
    }
}

/// What a server keeps on disk. The records are folded in order at every start.
#[derive(Clone, Debug)]
pub enum Record<M: StateMachine> {
    /// From now on this is the term and this the vote in it.
    Term {
        /// The current term.
        term: u64,
        /// Who got the vote in it.
        vote: Option<NodeId>,
    },
    /// The log ends before this index.
    Truncate {
        /// The first index that is gone.
        from: u64,
    },
    /// The log's next entry.
    Entry(Entry<M::Command>),
    /// All that the records before it say, and a snapshot.
    Checkpoint(Box<Checkpoint<M>>),
}
