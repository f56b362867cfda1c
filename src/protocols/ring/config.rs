//! What all nodes are told.

use super::cell::Rank;
use super::client;
use super::epoch::Epoch;
use super::rules::Rules;
use super::topology::Topology;
use crate::kernel::time::Span;
use crate::placement::measure::Space;
use crate::protocol::NodeId;
use crate::protocols::raft;
use std::sync::Arc;

/// What a read promises.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reads {
    /// Each key is an atomic register: what a read has seen, no later one misses. Source: Attiya, Bar-Noy and Dolev,
    /// "Sharing Memory Robustly in Message-Passing Systems", 1995.
    Atomic,
    /// A read sees every write that was acknowledged before it, and what it has seen of one that was not, no later read
    /// misses. Source: "Expectation of Monotonic Quorum Reads" in Cassandra's documentation of read repair, and its table
    /// option `read_repair = 'BLOCKING'` (CASSANDRA-14635).
    Monotonic,
    /// A read sees every write that was acknowledged before it; one that was not may come and go.
    Quorum,
    /// Replicas become equal in the end.
    Eventual,
}

impl Reads {
    /// Whether what a read has found is put to more owners before it is answered, where a later one could miss it.
    #[inline]
    pub fn are_put_back(self) -> bool {
        matches!(self, Reads::Atomic | Reads::Monotonic)
    }
}

/// One run of a ring.
#[derive(Clone, Debug)]
pub struct Config {
    /// How many servers there are, members and not; they are nodes 0 up to this.
    pub servers: u16,
    /// How many clients, after the servers.
    pub clients: u16,
    /// The coordinators' Raft: its servers are the first of the servers.
    pub raft: raft::config::Config,
    /// The first epoch.
    pub first: Arc<Epoch>,
    /// What everybody owns in it, if that is worked out already: see [`Config::founded`].
    pub founding: Option<Topology>,
    /// How many points a server has that joins, and in which zone each server stands.
    pub points: u32,
    /// By server.
    pub zones: Vec<u16>,
    /// Of how many bits a position on the ring is, 1 to 128.
    pub bits: u8,
    /// All keys.
    pub keyspace: Arc<Keyspace>,
    /// Dynamo: N. How many copies a key has, 1 to [`COPIES_MAX`](super::topology::COPIES_MAX).
    pub copies: usize,
    /// Dynamo: R. How many must answer to a read.
    pub read_quorum: usize,
    /// Dynamo: W. How many must have stored a write.
    pub write_quorum: usize,
    /// What reads promise.
    pub reads: Reads,
    /// Whether what a read finds out of date is mended.
    pub read_repair: bool,
    /// How many others must have called a server in vain before who leads the coordinators takes it for dead.
    pub witnesses: usize,
    /// When what.
    pub pace: Pace,
    /// How much at once.
    pub limits: Limits,
    /// What clients do.
    pub client: client::Config,
    /// What each does and when, in order, if that is spelled out.
    pub scripts: Option<Vec<Vec<client::Planned>>>,
    /// The decisions, each replaceable by a planted defect.
    pub rules: Rules,
}

/// When nodes do what they do by themselves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// How long a coordinator of a request waits for replicas before it asks again.
    pub retry: Span,
    /// How long it tries before it gives up.
    pub patience: Span,
    /// How long it waits for the last replicas after it has answered; then it leaves hints for them.
    pub linger: Span,
    /// How often a server tells the ring's coordinators that it is alive, and how far.
    pub beat: Span,
    /// How often it tells its epoch to somebody.
    pub gossip: Span,
    /// How long a server is silent before it is taken for dead, and its keys are given to others; after half of it others
    /// are asked.
    pub dead_after: Span,
    /// How often a server compares what it has with another owner, if it does.
    pub anti_entropy: Option<Span>,
    /// How often it tries to deliver hints.
    pub hints: Span,
    /// How often owners look which deletions all know of, and the least time between two epochs that forget them; if they
    /// are ever forgotten.
    pub collect: Option<Span>,
    /// How long somebody who fetches waits between two batches of one source.
    pub throttle: Span,
}

/// How much nodes do at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// How many hints a server keeps.
    pub hints: usize,
    /// How many keys a batch has.
    pub batch: usize,
    /// From how many sources somebody fetches at a time.
    pub transfers: usize,
    /// After how many records a server begins its journal anew, if it ever does.
    pub journal: Option<u64>,
}

impl Config {
    /// Works out what everybody owns in the beginning, once for all nodes.
    #[must_use]
    pub fn founded(self) -> Config {
        let founding = Topology::at(&self.first, &self);
        Config { founding: Some(founding), ..self }
    }

    /// A server's name, which places it on the ring.
    pub fn name(&self, node: NodeId) -> String {
        format!("n{}", node.number() + 1)
    }

    /// The servers.
    pub fn servers(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.servers).map(NodeId::new)
    }

    /// Those of them that decide on epochs.
    pub fn coordinators(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.raft.servers).map(NodeId::new)
    }
}

/// All keys in the order of their positions on the ring.
#[derive(Clone, Debug)]
pub struct Keyspace {
    /// By rank.
    positions: Vec<u128>,
    /// By key.
    ranks: Vec<u32>,
}

impl Keyspace {
    /// So many keys, named `key-0` and so on, in a space of so many bits, under a hash of 128.
    pub fn new(keys: u32, bits: u8, hash: fn(&[u8]) -> u128) -> Keyspace {
        let space = Space::new(bits).unwrap_or_else(|| panic!("a position of {bits} bits"));
        let position = |key: u32| space.position(hash(format!("key-{key}").as_bytes()));
        let mut order: Vec<(u128, u32)> = (0..keys).map(|key| (position(key), key)).collect();
        order.sort_unstable();
        let mut ranks = vec![0; order.len()];
        (0..).zip(&order).for_each(|(rank, (_, key))| ranks[*key as usize] = rank);
        Keyspace { positions: order.into_iter().map(|(position, _)| position).collect(), ranks }
    }

    /// How many there are.
    pub fn len(&self) -> u32 {
        self.positions.len() as u32
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// A key's rank.
    pub fn rank(&self, key: u32) -> Rank {
        Rank(self.ranks[key as usize])
    }

    /// Where the key of this rank is on the ring.
    pub fn position(&self, rank: Rank) -> u128 {
        self.positions[rank.0 as usize]
    }

    /// How many keys are not above this position.
    pub fn upto(&self, position: u128) -> u32 {
        self.positions.partition_point(|other| *other <= position) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::rules::Rules;

    #[test]
    fn keys_are_ranked_by_their_positions_also_where_these_coincide() {
        for (keys, bits) in [(0, 8), (1, 1), (40, 3), (100, 8), (100, 128)] {
            let hash = Rules::SOUND.key;
            let keyspace = Keyspace::new(keys, bits, hash);
            assert_eq!((keyspace.len(), keyspace.is_empty()), (keys, keys == 0));
            let mut ranks: Vec<u32> = (0..keys).map(|key| keyspace.rank(key).0).collect();
            for key in 0..keys {
                let position = hash(format!("key-{key}").as_bytes()) >> (128 - bits);
                assert_eq!(keyspace.position(keyspace.rank(key)), position, "key {key} of {bits} bits");
            }
            ranks.sort_unstable();
            assert_eq!(ranks, (0..keys).collect::<Vec<u32>>(), "every rank once");
            let positions: Vec<u128> = (0..keys).map(|rank| keyspace.position(Rank(rank))).collect();
            assert!(positions.is_sorted());
            let near = |position: &u128| [position.saturating_sub(1), *position, position.saturating_add(1)];
            for asked in positions.iter().flat_map(near).chain([0, u128::MAX]) {
                let below = positions.iter().filter(|position| **position <= asked).count();
                assert_eq!(keyspace.upto(asked) as usize, below);
            }
        }
    }
}
