//! The decisions on which locks rest, one small function each, with its source. A planted defect replaces one of them.

use super::claim::Token;
use super::{database, lease, redis, zookeeper};

/// All decisions. [`Rules::SOUND`] has those of the literature.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Of clients, whatever the service.
    pub client: ClientRules,
    /// Of the guarded resource.
    pub resource: ResourceRules,
    /// Of servers that replicate by Raft.
    pub ensemble: EnsembleRules,
    /// Of everything that is built on Redis.
    pub redis: redis::rules::Rules,
    /// Of leases.
    pub lease: lease::rules::Rules,
    /// Of ZooKeeper.
    pub zookeeper: zookeeper::rules::Rules,
    /// Of everything that is built on a database.
    pub database: database::rules::Rules,
}

/// The decisions of clients.
#[derive(Clone, Copy, Debug)]
pub struct ClientRules {
    /// Is a lock given back of which the client still holds so many?
    pub releases_at: fn(count: u32) -> bool,
    /// Does a client go on that holds its locks for all it knows?
    pub goes_on: fn(is_valid: bool) -> bool,
    /// Does a client ask the service before each write whether its token is still the latest? It need not: the resource
    /// looks.
    pub compares: fn() -> bool,
}

/// The decisions of servers that replicate by Raft, whatever the service.
#[derive(Clone, Copy, Debug)]
pub struct EnsembleRules {
    /// Does who leads speak for the service, if it has applied something of its own term, and so all that was committed
    /// before, or not yet? (Raft paper, section 8: a leader knows at first not what is committed)
    pub speaks: fn(has_caught_up: bool) -> bool,
    /// Does a question that arrives again, or after a later one of its client, have no effect? (Raft paper, section 8:
    /// the state machine tracks the latest serial number processed for each client)
    pub is_once: fn() -> bool,
}

/// The decisions of the guarded resource.
#[derive(Clone, Copy, Debug)]
pub struct ResourceRules {
    /// Is a write with this token let in by a resource that has seen that one? Source: Kleppmann, "How to do distributed
    /// locking", 2016: never after a higher one.
    pub admits: fn(token: Option<Token>, seen: Option<Token>) -> bool,
    /// What it has seen then.
    pub marks: fn(token: Option<Token>, seen: Option<Token>) -> Option<Token>,
    /// Must it be durable before the write counts?
    pub mark_waits_for_disk: fn() -> bool,
}

impl Rules {
    /// Those of the literature.
    pub const SOUND: Rules = Rules {
        client: ClientRules { releases_at: |count| count == 0, goes_on: |is_valid| is_valid, compares: || false },
        resource: ResourceRules {
            admits: |token, seen| token >= seen,
            marks: |token, seen| token.max(seen),
            mark_waits_for_disk: || true,
        },
        ensemble: EnsembleRules { speaks: |has_caught_up| has_caught_up, is_once: || true },
        redis: redis::rules::Rules::SOUND,
        lease: lease::rules::Rules::SOUND,
        zookeeper: zookeeper::rules::Rules::SOUND,
        database: database::rules::Rules::SOUND,
    };
}
