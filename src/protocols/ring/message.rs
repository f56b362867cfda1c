//! What nodes tell each other, and what they keep on disk.

use super::cell::{Cell, OperationId, Rank, Version};
use super::checkpoint::Checkpoint;
use super::detector::Suspect;
use super::epoch::{FOUNDER, Identity};
use super::metadata::Metadata;
use super::ranges::Ranges;
use super::store::{HintKey, Wish};
use super::topology::Topology;
use crate::kernel::digest::{Digest, Digestible};
use crate::kernel::time::Span;
use crate::protocol::NodeId;
use crate::protocols::raft::message as raft;
use std::ops::Range;
use std::sync::Arc;

/// Tells questions of one server apart, so that late answers count for none.
pub type Ticket = u64;

/// A message.
#[derive(Clone, Debug)]
pub enum Message {
    /// Between coordinators of the ring.
    Raft(raft::Message<Metadata>),
    /// From a client: please do this.
    Ask {
        /// Which operation.
        id: OperationId,
        /// On which key.
        rank: Rank,
        /// What to write, if it is a write.
        write: Option<Write>,
    },
    /// To a client.
    Answer {
        /// Which operation.
        id: OperationId,
        /// What has come of it.
        outcome: Outcome,
    },
    /// Between servers, about keys: it means something in this epoch only.
    Store {
        /// The sender's epoch.
        epoch: u64,
        /// What.
        body: Body,
    },
    /// A server tells its epoch.
    Gossip {
        /// The latest that it knows.
        epoch: u64,
    },
    /// Epochs, in a row. What everybody owns in them follows from who is a member and would not be sent; here it goes along,
    /// so that it is worked out where an epoch is decided, and not by every server.
    News(Arc<[Topology]>),
    /// A server is alive: to the coordinators of the ring, and to whoever has called it.
    Beat(Beat),
    /// From who leads: call this server.
    Suspect(Suspect),
    /// Are you alive?
    Call,
    /// To who leads: a server that was called has said this.
    Passed {
        /// Who.
        node: NodeId,
        /// What.
        beat: Beat,
    },
    /// To who leads: a server was called in vain for as long as it should be.
    Missed {
        /// Which.
        node: NodeId,
        /// For which suspicion.
        ticket: Ticket,
    },
}

/// What a client writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Write {
    /// The value; `None` deletes.
    pub value: Option<u64>,
}

/// What has come of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// A read has found this.
    Found(Option<Cell>),
    /// A write is stored, under this version.
    Stored(Version),
    /// Nothing was done, and nothing will be.
    Refused,
    /// Nobody knows whether it was done, or will be.
    Unknown,
}

/// What servers tell each other about keys.
#[derive(Clone, Debug)]
pub enum Body {
    /// What have you of this key?
    Query(Ticket, Rank),
    /// This, and no deletion that I have forgotten had a higher counter.
    Held(Ticket, Option<Cell>, u32),
    /// Keep this.
    Put(Ticket, Rank, Cell),
    /// It is on disk.
    Kept(Ticket),
    /// This key is not mine.
    NotMine(Ticket),
    /// What have you in this range of what I come to own?
    Fetch(Range<u32>),
    /// This, and that is all in this range.
    Batch {
        /// It begins as what was asked for, and may end before it.
        range: Range<u32>,
        /// What there is.
        cells: Vec<(Rank, Cell)>,
        /// No deletion that the source has forgotten had a higher counter.
        floor: u32,
    },
    /// Of what we both own, these ranges have these sums with me.
    Compare(Vec<(Range<u32>, u64)>),
    /// Of what we both own, I have this in that range.
    Contents {
        /// The range.
        range: Range<u32>,
        /// All there is in it.
        cells: Vec<(Rank, Cell)>,
        /// Whether the other shall tell what it has that is newer.
        asks: bool,
    },
    /// Have you these deletions, and nothing else of these keys?
    Confirm(Ticket, Vec<(Rank, Version)>),
    /// These of them.
    Confirmed(Ticket, Vec<(Rank, Version)>),
    /// All owners have them: they can be forgotten in the next epoch that clears.
    Known(Vec<(Rank, Version)>),
    /// These deletions are forgotten: an epoch has begun that clears, and all owners had had them.
    Gone(Vec<(Rank, Version)>),
}

/// That a server is alive, and how far.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Beat {
    /// How often the server was started with this disk.
    pub starts: u32,
    /// How long it has been up.
    pub up: Span,
    /// The latest epoch that it knows, durably.
    pub epoch: u64,
    /// Which disk it has.
    pub identity: Identity,
    /// What it wants to be.
    pub wish: Wish,
    /// For this plan it has everything that it comes to own.
    pub fetched: u64,
    /// How many deletions it could forget.
    pub known: u32,
}

impl Beat {
    /// Whether it was sent after another one of the same server, or is that one. A clock that begins anew with every start cannot
    /// tell, so starts are counted on the disk, as Cassandra does (SystemKeyspace.incrementAndGetGeneration, which goes by the
    /// wall clock besides). Another disk has counted nothing: that of a founder comes before all others, and of two others
    /// nobody can tell. Then each is as late as the other, and the one that is in use will be heard again.
    pub fn is_as_late_as(&self, other: &Beat) -> bool {
        match self.identity == other.identity {
            true => (self.starts, self.up) >= (other.starts, other.up),
            false => self.identity != FOUNDER,
        }
    }
}

/// What is kept on disk. The records are folded in order at every start.
#[derive(Clone, Debug)]
pub enum Record {
    /// Of Raft.
    Raft(raft::Record<Metadata>),
    /// Which disk this is.
    Identity(Identity),
    /// The server has started once more.
    Started,
    /// What the server wants to be.
    Wish(Wish),
    /// It knows this epoch, the one after the last.
    Epoch(Topology),
    /// It keeps this.
    Cell(Rank, Cell),
    /// It has forgotten the deletion of this version.
    Forget(Rank, Version),
    /// No deletion that was forgotten by whom it has fetched from had a higher counter.
    Floor(u32),
    /// It keeps nothing of these ranges any more.
    Purge(Arc<[Range<u32>]>),
    /// It fetches for another plan. Of what it has fetched, this counts for that one, too.
    Planned {
        /// The epoch of the plan.
        plan: u64,
        /// What counts.
        keeps: Arc<Ranges>,
    },
    /// For its plan it has everything of a range from a source.
    Fetched {
        /// Who had it.
        source: NodeId,
        /// The range.
        range: Range<u32>,
    },
    /// Somebody has missed this.
    Hint {
        /// What it is filed under.
        key: HintKey,
        /// Who.
        target: NodeId,
        /// Of which key.
        rank: Rank,
        /// What.
        cell: Cell,
    },
    /// It has it, or needs it no more.
    HintGone(HintKey),
    /// All that the records before it say.
    Checkpoint(Box<Checkpoint>),
}

impl Record {
    /// What Raft wrote, if it is of Raft.
    pub fn raft(&self) -> Option<&raft::Record<Metadata>> {
        match self {
            Record::Raft(record) => Some(record),
            Record::Checkpoint(checkpoint) => checkpoint.raft.as_ref(),
            Record::Identity(_)
            | Record::Started
            | Record::Wish(_)
            | Record::Epoch(_)
            | Record::Cell(..)
            | Record::Forget(..)
            | Record::Floor(_)
            | Record::Purge(_)
            | Record::Planned { .. }
            | Record::Fetched { .. }
            | Record::Hint { .. }
            | Record::HintGone(_) => None,
        }
    }
}

impl From<raft::Record<Metadata>> for Record {
    fn from(record: raft::Record<Metadata>) -> Record {
        Record::Raft(record)
    }
}

impl From<raft::Message<Metadata>> for Message {
    fn from(message: raft::Message<Metadata>) -> Message {
        Message::Raft(message)
    }
}

/// The kinds of messages of a ring, without those of Raft.
pub const MESSAGES: [&str; 22] = [
    "Ask",
    "Answer",
    "Gossip",
    "News",
    "Beat",
    "Suspect",
    "Call",
    "Passed",
    "Missed",
    "Query",
    "Held",
    "Put",
    "Kept",
    "NotMine",
    "Fetch",
    "Batch",
    "Compare",
    "Contents",
    "Confirm",
    "Confirmed",
    "Known",
    "Gone",
];

impl Message {
    /// What kind of message it is.
    pub const fn label(&self) -> &'static str {
        match self {
            Message::Raft(message) => message.label(),
            Message::Ask { .. } => "Ask",
            Message::Answer { .. } => "Answer",
            Message::Gossip { .. } => "Gossip",
            Message::News(_) => "News",
            Message::Beat(_) => "Beat",
            Message::Suspect(_) => "Suspect",
            Message::Call => "Call",
            Message::Passed { .. } => "Passed",
            Message::Missed { .. } => "Missed",
            Message::Store { body, .. } => match body {
                Body::Query(..) => "Query",
                Body::Held(..) => "Held",
                Body::Put(..) => "Put",
                Body::Kept(_) => "Kept",
                Body::NotMine(_) => "NotMine",
                Body::Fetch(_) => "Fetch",
                Body::Batch { .. } => "Batch",
                Body::Compare(_) => "Compare",
                Body::Contents { .. } => "Contents",
                Body::Confirm(..) => "Confirm",
                Body::Confirmed(..) => "Confirmed",
                Body::Known(_) => "Known",
                Body::Gone(_) => "Gone",
            },
        }
    }

    /// How many bytes it takes on a link of limited bandwidth: a header, and so much for each key in it.
    pub fn size(&self) -> u64 {
        let keys = match self {
            Message::Raft(raft::Message::AppendEntries { entries, .. }) => entries.len(),
            Message::News(news) => news.iter().map(Topology::epoch).map(|it| it.members.len() + it.next.len()).sum(),
            Message::Store { body, .. } => match body {
                Body::Batch { cells, .. } | Body::Contents { cells, .. } => cells.len(),
                Body::Compare(sums) => sums.len(),
                Body::Confirm(_, keys) | Body::Confirmed(_, keys) | Body::Known(keys) | Body::Gone(keys) => keys.len(),
                Body::Query(..) | Body::Held(..) | Body::Put(..) | Body::Kept(_) | Body::NotMine(_) => 1,
                Body::Fetch(_) => 0,
            },
            Message::Raft(_) | Message::Ask { .. } | Message::Answer { .. } | Message::Gossip { .. } => 1,
            Message::Beat(_)
            | Message::Suspect(_)
            | Message::Call
            | Message::Passed { .. }
            | Message::Missed { .. } => 1,
        };
        64 + 32 * keys as u64
    }
}

fn digest_cells(cells: &[(Rank, Cell)], digest: &mut Digest) {
    let sum = cells.iter().fold(0u64, |sum, (rank, cell)| sum.wrapping_add(cell.hash_at(*rank)));
    digest.pair(cells.len() as u64, sum);
}

fn digest_versions(versions: &[(Rank, Version)], digest: &mut Digest) {
    digest.word(versions.len() as u64);
    versions.iter().for_each(|(rank, version)| digest.pair(u64::from(rank.0), u64::from(version.counter)));
}

impl Digestible for OperationId {
    #[inline]
    fn digest(&self, digest: &mut Digest) {
        digest.word(u64::from(self.client.number()) << 32 | u64::from(self.serial));
    }
}

impl Digestible for Body {
    fn digest(&self, digest: &mut Digest) {
        match self {
            Body::Query(ticket, rank) => digest.pair(*ticket, 1 << 32 | u64::from(rank.0)),
            Body::Held(ticket, cell, floor) => {
                digest.pair(*ticket, 2 << 32 | u64::from(*floor) << 1 | u64::from(cell.is_some()));
                cell.iter().for_each(|cell| cell.digest(digest));
            }
            Body::Put(ticket, rank, cell) => {
                digest.pair(*ticket, 3 << 32 | u64::from(rank.0));
                cell.digest(digest);
            }
            Body::Kept(ticket) => digest.pair(*ticket, 4 << 32),
            Body::NotMine(ticket) => digest.pair(*ticket, 5 << 32),
            Body::Fetch(range) => digest.pair(6 << 32 | u64::from(range.start), range.end.into()),
            Body::Batch { range, cells, floor } => {
                digest.pair(7 << 32 | u64::from(range.start), u64::from(*floor) << 32 | u64::from(range.end));
                digest_cells(cells, digest);
            }
            Body::Compare(sums) => {
                digest.word(8 << 32);
                sums.iter().for_each(|(range, sum)| {
                    digest.pair(u64::from(range.start) << 32 | u64::from(range.end), *sum);
                });
            }
            Body::Contents { range, cells, asks } => {
                digest.pair(9 << 32 | u64::from(*asks), u64::from(range.start) << 32 | u64::from(range.end));
                digest_cells(cells, digest);
            }
            Body::Confirm(ticket, versions) => {
                digest.pair(*ticket, 10 << 32);
                digest_versions(versions, digest);
            }
            Body::Confirmed(ticket, versions) => {
                digest.pair(*ticket, 11 << 32);
                digest_versions(versions, digest);
            }
            Body::Known(versions) => {
                digest.word(12 << 32);
                digest_versions(versions, digest);
            }
            Body::Gone(versions) => {
                digest.word(13 << 32);
                digest_versions(versions, digest);
            }
        }
    }
}

impl Digestible for Message {
    #[inline]
    fn digest(&self, digest: &mut Digest) {
        match self {
            Message::Raft(message) => message.digest(digest),
            Message::Ask { id, rank, write } => {
                id.digest(digest);
                let value = write.map_or(0, |write| write.value.map_or(1, |value| value.wrapping_add(2)));
                digest.pair(16 << 32 | u64::from(rank.0), value);
            }
            Message::Answer { id, outcome } => {
                id.digest(digest);
                match outcome {
                    Outcome::Found(cell) => {
                        digest.word(17 << 32 | u64::from(cell.is_some()));
                        cell.iter().for_each(|cell| cell.digest(digest));
                    }
                    Outcome::Stored(version) => digest.word(18 << 32 | u64::from(version.counter)),
                    Outcome::Refused => digest.word(19 << 32),
                    Outcome::Unknown => digest.word(20 << 32),
                }
            }
            Message::Store { epoch, body } => {
                digest.word(*epoch);
                body.digest(digest);
            }
            Message::Gossip { epoch } => digest.pair(21 << 32, *epoch),
            Message::News(news) => {
                digest.word(22 << 32);
                news.iter().for_each(|topology| digest.word(topology.epoch().number));
            }
            Message::Beat(beat) => {
                digest.word(23 << 32);
                beat.digest(digest);
            }
            Message::Suspect(Suspect { node, ticket, patience, .. }) => {
                digest.pair(24 << 32 | u64::from(node.number()), *ticket);
                digest.word(patience.as_ns());
            }
            Message::Call => digest.word(25 << 32),
            Message::Passed { node, beat } => {
                digest.word(26 << 32 | u64::from(node.number()));
                beat.digest(digest);
            }
            Message::Missed { node, ticket } => digest.pair(27 << 32 | u64::from(node.number()), *ticket),
        }
    }
}

impl Digestible for Beat {
    fn digest(&self, digest: &mut Digest) {
        digest.pair(u64::from(self.known), self.epoch);
        digest.pair(self.fetched, self.identity);
        digest.pair(self.up.as_ns(), self.starts.into());
        self.wish.digest(digest);
    }
}

impl Digestible for Wish {
    fn digest(&self, digest: &mut Digest) {
        match self {
            Wish::Out => digest.word(0),
            Wish::In { points, zone, instead_of } => {
                let node = instead_of.map_or(0, |node| 1 + u64::from(node.number()));
                digest.pair(1 + u64::from(*points), u64::from(*zone) << 32 | node);
            }
        }
    }
}
