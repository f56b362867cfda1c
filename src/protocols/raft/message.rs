//! What servers of Raft tell each other, and what they keep on disk.

use super::log::{Entry, Position};
use crate::kernel::digest::{Digest, Digestible};
use crate::protocol::NodeId;

/// A message between servers. Every one carries a term.
#[derive(Clone, Debug)]
pub enum Message<C> {
    /// Paper, figure 2: RequestVote.
    RequestVote {
        /// The candidate's term; of a pre-vote, the term it would campaign in.
        term: u64,
        /// Where the candidate's log ends.
        last: Position,
        /// Whether this only asks how a campaign would go.
        pre_vote: bool,
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
        entries: Vec<Entry<C>>,
    },
    /// The answer to AppendEntries; a leader sends it to itself, too, when its own disk is done.
    AppendEntriesReply {
        /// The follower's term.
        term: u64,
        /// What became of the entries.
        outcome: Outcome,
    },
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

impl<C> Message<C> {
    /// The term it carries.
    pub fn term(&self) -> u64 {
        match self {
            Message::RequestVote { term, .. }
            | Message::RequestVoteReply { term, .. }
            | Message::AppendEntries { term, .. }
            | Message::AppendEntriesReply { term, .. } => *term,
        }
    }

    /// What kind of message it is, in the words of the paper.
    #[inline]
    pub const fn label(&self) -> &'static str {
        match self {
            Message::RequestVote { pre_vote: true, .. } => "RequestPreVote",
            Message::RequestVote { .. } => "RequestVote",
            Message::RequestVoteReply { pre_vote: true, .. } => "RequestPreVoteReply",
            Message::RequestVoteReply { .. } => "RequestVoteReply",
            Message::AppendEntries { .. } => "AppendEntries",
            Message::AppendEntriesReply { .. } => "AppendEntriesReply",
        }
    }
}

/// The kinds of messages, as [`Message::label`] names them.
pub const MESSAGES: [&str; 6] =
    ["RequestPreVote", "RequestPreVoteReply", "RequestVote", "RequestVoteReply", "AppendEntries", "AppendEntriesReply"];

/// Another number: one of its lowest bits has flipped.
const fn flipped(number: u64, word: u64) -> u64 {
    number ^ 1 << (word % 3)
}

impl<C: Clone> Message<C> {
    /// The same message with a flipped bit in one of its numbers.
    pub fn garbled(&self, word: u64) -> Message<C> {
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
            Message::AppendEntriesReply { term, outcome } => match (which, outcome) {
                (0, _) => *term = flipped(*term, word),
                (_, Outcome::Matched(index) | Outcome::Conflict { refused: index, .. }) => {
                    *index = flipped(*index, word)
                }
            },
        }
        garbled
    }
}

impl<C: Clone + Digestible> Record<C> {
    /// The same record with a flipped bit in a number.
    pub fn garbled(&self, word: u64) -> Record<C> {
        match self {
            Record::Term { term, vote } => Record::Term { term: flipped(*term, word), vote: *vote },
            Record::Truncate { from } => Record::Truncate { from: flipped(*from, word).max(1) },
            Record::Entry(entry) => Record::Entry(Entry::new(flipped(entry.term(), word), entry.command().cloned())),
        }
    }
}

impl<C> Digestible for Message<C> {
    #[inline]
    fn digest(&self, digest: &mut Digest) {
        match self {
            Message::RequestVote { term, last, pre_vote } => {
                digest.pair(1 << 8 | u64::from(*pre_vote), *term);
                digest.pair(last.term, last.index);
            }
            Message::RequestVoteReply { term, granted, pre_vote } => {
                digest.pair(2 << 8 | u64::from(*granted) << 1 | u64::from(*pre_vote), *term);
            }
            Message::AppendEntries { term, prev, commit, entries } => {
                digest.pair(3 << 8, *term);
                digest.pair(prev.term << 32 ^ prev.index, *commit);
                entries.iter().for_each(|entry| digest.word(entry.hash()));
            }
            Message::AppendEntriesReply { term, outcome: Outcome::Matched(index) } => {
                digest.pair(4 << 8 ^ *term << 16, *index);
            }
            Message::AppendEntriesReply { term, outcome: Outcome::Conflict { refused, hint } } => {
                digest.pair(5 << 8 ^ *term << 16, *refused);
                digest.pair(hint.term, hint.index);
            }
        }
    }
}

/// What a server keeps on disk. The records are folded in order at every start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Record<C> {
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
    Entry(Entry<C>),
}
