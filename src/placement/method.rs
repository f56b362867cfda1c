//! The ways to place keys on a list of nodes, chosen by name.

use super::bounded::{Bounded, Epsilon};
use super::jump;
use super::rendezvous::Rendezvous;
use super::ring::{Member, Ring, Settings};
use super::rules::Rules;
use std::fmt;

/// The most points that all nodes have together.
pub const POINTS_MAX: u64 = 1 << 24;
/// The most numbers that all nodes together draw for a key.
pub const DRAWS_MAX: u64 = 1 << 20;
/// The most nodes.
pub const NODES_MAX: usize = 1 << 16;

/// A node that keys may belong to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
    /// Its name. No other has it.
    pub name: Vec<u8>,
    /// Its share, compared with the weights of the others. With 0 it owns nothing.
    pub weight: u32,
}

impl Node {
    /// A node like others.
    pub fn new(name: impl Into<Vec<u8>>) -> Node {
        Node { name: name.into(), weight: 1 }
    }
}

/// How keys are placed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// A ring of MD5 digests. A node has `points` times its weight of them.
    Md5 {
        /// Points of a node of weight 1.
        points: u32,
    },
    /// The ring of libketama. A node has 4 points of each of its digests, and of those the integer part of
    /// `points / 4 * nodes * weight / sum of weights`.
    Ketama {
        /// Points of a node if all have the same weight, a multiple of 4.
        points: u32,
    },
    /// Highest random weight.
    Rendezvous,
    /// Jump consistent hash of the first 8 bytes of a key's MD5 digest, the first being the highest. Buckets are the nodes
    /// in their order. There are no weights.
    Jump,
    /// The ring of `Md5`, on which no node takes more than its share and a bit.
    BoundedLoad {
        /// Points of a node of weight 1.
        points: u32,
        /// How many keys there will be.
        keys: u64,
        /// The bit.
        epsilon: Epsilon,
    },
}

/// Why keys cannot be placed so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// There are no nodes.
    NoNodes,
    /// There are so many nodes: too many.
    TooManyNodes(usize),
    /// Two nodes have this name.
    SameName(Vec<u8>),
    /// All weights are zero.
    NoWeight,
    /// A node of weight 1 has no points.
    NoPoints,
    /// There would be so many points: too many.
    TooManyPoints(u64),
    /// So many numbers would be drawn for a key: too many.
    TooManyDraws(u64),
    /// Ketama makes four points at once; this number is no multiple of that.
    NoFours(u32),
    /// Jump has no weights, but this node has one.
    WeightInJump(Vec<u8>),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        match self {
            Refusal::NoNodes => write!(f, "there are no nodes; name at least one"),
            Refusal::TooManyNodes(count) => write!(f, "{count} nodes are too many; {NODES_MAX} is the limit"),
            Refusal::SameName(name) => {
                write!(f, "two nodes have the name {:?}; each needs a name of its own", text(name))
            }
            Refusal::NoWeight => write!(f, "all nodes have weight 0, so nobody owns anything; give one a weight of 1"),
            Refusal::NoPoints => write!(f, "a node with 0 points owns nothing; give each at least 1"),
            Refusal::TooManyPoints(count) => write!(
                f,
                "{count} points are too many, points of a node times its weight, all together; {POINTS_MAX} is the limit: \
                 lower the points or the weights"
            ),
            Refusal::TooManyDraws(count) => write!(
                f,
                "rendezvous hashing draws as many numbers for a key as all weights together, {count}; {DRAWS_MAX} is the \
                 limit: lower the weights"
            ),
            Refusal::NoFours(points) => {
                write!(
                    f,
                    "ketama makes 4 points of a digest; {points} is no multiple of 4, but {} is",
                    points / 4 * 4 + 4
                )
            }
            Refusal::WeightInJump(name) => write!(
                f,
                "jump hashing knows no weights, but {:?} has one; leave it out, or choose md5, ketama, rendezvous or \
                 bounded-load",
                text(name)
            ),
        }
    }
}

impl std::error::Error for Refusal {}

/// Nodes, and the way to place keys on them.
#[derive(Clone, Debug)]
pub enum Placement {
    /// On a ring.
    Ring(Ring),
    /// By the highest number.
    Rendezvous(Rendezvous),
    /// By jumps among so many buckets.
    Jump(u32),
    /// On a ring with bounded loads.
    Bounded(Box<Bounded>),
}

impl Placement {
    /// Places keys on these nodes. With `Jump` their order counts; with the others it does not.
    ///
    /// # Errors
    /// If the nodes cannot be used so.
    pub fn new(method: Method, nodes: &[Node]) -> Result<Placement, Refusal> {
        check(nodes)?;
        let weights = || nodes.iter().map(|node| node.weight);
        Ok(match method {
            Method::Md5 { points } => Placement::Ring(weighted(points, nodes)?),
            Method::Ketama { points } => Placement::Ring(ketama(points, nodes)?),
            Method::Rendezvous => {
                let draws = weights().map(u64::from).sum();
                if draws > DRAWS_MAX {
                    return Err(Refusal::TooManyDraws(draws));
                }
                Placement::Rendezvous(Rendezvous::new(nodes.iter().map(|node| (node.name.as_slice(), node.weight))))
            }
            Method::Jump => match nodes.iter().find(|node| node.weight != 1) {
                Some(node) => return Err(Refusal::WeightInJump(node.name.clone())),
                None => Placement::Jump(nodes.len() as u32),
            },
            Method::BoundedLoad { points, keys, epsilon } => {
                let weights: Vec<u32> = weights().collect();
                Placement::Bounded(Box::new(Bounded::new(weighted(points, nodes)?, &weights, keys, epsilon)))
            }
        })
    }

    /// The place in the list of the node to which a key belongs. With bounded loads it hangs on the keys before.
    ///
    /// # Panics
    /// If there are more keys than bounded loads were told of.
    pub fn owner(&mut self, key: &[u8]) -> u16 {
        match self {
            Placement::Ring(ring) => ring.owner(ring.position(key)),
            Placement::Rendezvous(rendezvous) => rendezvous.owner(key),
            Placement::Jump(buckets) => Some(jump::bucket((super::hash::key(key) >> 64) as u64, *buckets) as u16),
            Placement::Bounded(bounded) => bounded.place(key),
        }
        .expect("a node with a weight")
    }
}

fn check(nodes: &[Node]) -> Result<(), Refusal> {
    if nodes.is_empty() {
        return Err(Refusal::NoNodes);
    }
    if nodes.len() > NODES_MAX {
        return Err(Refusal::TooManyNodes(nodes.len()));
    }
    let mut names: Vec<&[u8]> = nodes.iter().map(|node| node.name.as_slice()).collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Refusal::SameName(pair[0].to_vec()));
    }
    if nodes.iter().all(|node| node.weight == 0) { Err(Refusal::NoWeight) } else { Ok(()) }
}

/// The ring of MD5 digests on which a node has so many points times its weight.
fn weighted(points: u32, nodes: &[Node]) -> Result<Ring, Refusal> {
    if points == 0 {
        return Err(Refusal::NoPoints);
    }
    let counts = nodes.iter().map(|node| u64::from(points) * u64::from(node.weight));
    ring(Settings::default(), nodes, counts.collect())
}

/// The ring of libketama, in exact arithmetic.
fn ketama(points: u32, nodes: &[Node]) -> Result<Ring, Refusal> {
    match points {
        0 => return Err(Refusal::NoPoints),
        _ if !points.is_multiple_of(4) => return Err(Refusal::NoFours(points)),
        _ => {}
    }
    let total: u128 = nodes.iter().map(|node| u128::from(node.weight)).sum();
    // At most 2^30 digests, 2^16 nodes and a weight of 2^32: far below 2^128. The quotient is below 2^46.
    let digests = |node: &Node| u128::from(points / 4) * nodes.len() as u128 * u128::from(node.weight) / total;
    let settings = Settings { bits: 32, rules: Rules::KETAMA };
    ring(settings, nodes, nodes.iter().map(|node| 4 * digests(node) as u64).collect())
}

/// The ring on which the nodes have so many points. Their ids are their places.
fn ring(settings: Settings, nodes: &[Node], points: Vec<u64>) -> Result<Ring, Refusal> {
    let total = points.iter().fold(0, |total: u64, points| total.saturating_add(*points));
    if total > POINTS_MAX {
        return Err(Refusal::TooManyPoints(total));
    }
    let member =
        |(id, (node, points)): (usize, (&Node, u64))| Member::new(id as u16, node.name.as_slice(), points as u32);
    let members = nodes.iter().zip(points).enumerate().map(member).collect();
    Ok(Ring::new(settings, members).expect("names differ, and there are not too many points"))
}
