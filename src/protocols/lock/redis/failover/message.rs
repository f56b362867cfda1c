//! What a primary of Redis, its replicas and those who want to be one tell each other.

use super::Position;
use crate::kernel::digest::{Digest, Digestible};
use crate::protocols::lock::redis::command::Change;
use crate::servers::redis::Snapshot;

/// A message.
#[derive(Clone, PartialEq, Debug)]
pub enum Peer {
    /// Of a primary: what has changed from there on; nothing, if it only shows that it is there.
    Feed {
        /// What it had before.
        at: Position,
        /// Changes, in order.
        changes: Vec<Change>,
    },
    /// Of a replica: it lacks what comes after this.
    Lack {
        /// What it has.
        at: Position,
    },
    /// Of a primary: everything.
    Whole {
        /// As of then.
        at: Position,
        /// What it has.
        whole: Box<Snapshot>,
    },
    /// Of a replica: it has all up to there.
    Ack {
        /// What it has.
        at: Position,
    },
    /// It wants to reign.
    Candidacy {
        /// From then on.
        epoch: u64,
        /// What it has.
        position: Position,
    },
    /// It may.
    Vote {
        /// The reign.
        epoch: u64,
    },
    /// To who wants to reign: there was word of a later reign.
    Refusal {
        /// The later one.
        epoch: u64,
    },
    /// To who reigns, or believes so: there was a vote for a later reign.
    Deposed {
        /// The later one.
        epoch: u64,
    },
}

/// Their names, as [`Peer::label`] has them.
pub const MESSAGES: [&str; 8] = ["Feed", "Lack", "Whole", "Ack", "Candidacy", "Vote", "Refusal", "Deposed"];

impl Peer {
    /// What kind of message it is.
    pub const fn label(&self) -> &'static str {
        match self {
            Peer::Feed { .. } => "Feed",
            Peer::Lack { .. } => "Lack",
            Peer::Whole { .. } => "Whole",
            Peer::Ack { .. } => "Ack",
            Peer::Candidacy { .. } => "Candidacy",
            Peer::Vote { .. } => "Vote",
            Peer::Refusal { .. } => "Refusal",
            Peer::Deposed { .. } => "Deposed",
        }
    }
}

impl Digestible for Position {
    fn digest(&self, digest: &mut Digest) {
        digest.pair(self.epoch, self.offset);
        digest.word(self.run);
    }
}

fn digest_change(change: &Change, digest: &mut Digest) {
    for effect in change {
        digest.pair(effect.db as u64, effect.command.len() as u64);
        for word in &effect.command {
            digest.word(word.len() as u64);
            for bytes in word.chunks(8) {
                let mut eight = [0; 8];
                eight[..bytes.len()].copy_from_slice(bytes);
                digest.word(u64::from_le_bytes(eight));
            }
        }
    }
}

impl Digestible for Peer {
    fn digest(&self, digest: &mut Digest) {
        match self {
            Peer::Feed { at, changes } => {
                digest.pair(1, changes.len() as u64);
                at.digest(digest);
                changes.iter().for_each(|change| digest_change(change, digest));
            }
            Peer::Lack { at } => {
                digest.word(2);
                at.digest(digest);
            }
            // Its position says what is in it.
            Peer::Whole { at, .. } => {
                digest.word(3);
                at.digest(digest);
            }
            Peer::Ack { at } => {
                digest.word(4);
                at.digest(digest);
            }
            Peer::Candidacy { epoch, position } => {
                digest.pair(5, *epoch);
                position.digest(digest);
            }
            Peer::Vote { epoch } => digest.pair(6, *epoch),
            Peer::Deposed { epoch } => digest.pair(7, *epoch),
            Peer::Refusal { epoch } => digest.pair(8, *epoch),
        }
    }
}
