//! Swarm testing: each seed draws which kinds of faults there are and how strong they are.

use serde::{Deserialize, Serialize};

/// How rough it may become.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Swarm {
    /// Written `true`: the seed draws one of the others, too.
    #[serde(rename = "true")]
    Any,
    /// Nothing goes wrong, but no two seeds have the same links, disks and clocks.
    Calm,
    /// A rack: quick links that are rarely lost, single servers that fail.
    Lan,
    /// A continent: slow links with long tails, partitions of regions.
    Wan,
    /// Everything at once, as bad as a system may survive.
    Hostile,
}
