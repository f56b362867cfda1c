//! The decisions of locks on ZooKeeper.

use super::command::{Node, Order};

/// What a holder does whose session must have expired by its own clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Loss {
    /// It takes its lock for lost.
    Surrenders,
    /// It opens another session, and goes on if its node is still there.
    TrustsItsNode,
    /// It goes on until a server tells it that the session has expired.
    WaitsForWord,
}

/// What a client does that has got no answer when it asked for its node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Retry {
    /// It looks for a node with the number of its claim in its name.
    Searches,
    /// It asks for a node once more.
    Creates,
}

/// Where a holder stands that goes on with sharing its lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// Where it stood.
    Kept,
    /// Behind all others.
    Last,
}

/// All decisions.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// What a client does after the answer to its create is lost. Source: the recipes, "Recoverable Errors and the GUID".
    pub retries: fn() -> Retry,
    /// In which order nodes stand in a queue. Source: the recipes, "Locks", step 3: by their numbers.
    pub order: fn() -> Order,
    /// Does a waiter look again that finds, as it sets its watch, that the node is gone? Source: the recipes, "Locks", step 5.
    pub heeds_absence: fn() -> bool,
    /// Which node a waiter watches, of the first of the queue and the one that it waits for. Source: the recipes, "Locks": the next lower, so that
    /// "there is no herd effect".
    pub watches: fn(first: Node, ahead: Node) -> Node,
    /// What a holder does whose session must have expired. Source: the guide, "Sessions": only a server can say that it has, so a
    /// client that is cut off must not wait for that.
    pub loses: fn() -> Loss,
    /// Does a leader refuse what comes through a server from which the session has moved away? Source:
    /// `PrepRequestProcessor.pRequest2Txn`, which asks `SessionTrackerImpl.checkSession` for the session's owner.
    pub heeds_moves: fn() -> bool,
    /// Does a client whose session has moved away hear no more than that its connection is gone? Source: `FinalRequestProcessor.processRequest`.
    pub hides_moves: fn() -> bool,
    /// Where a holder stands that goes on with sharing: before those who have waited meanwhile.
    pub downgrades: fn() -> Place,
}

impl Rules {
    /// Those of the recipes.
    pub const SOUND: Rules = Rules {
        retries: || Retry::Searches,
        order: || Order::Number,
        heeds_absence: || true,
        watches: |_, ahead| ahead,
        loses: || Loss::Surrenders,
        heeds_moves: || true,
        hides_moves: || true,
        downgrades: || Place::Kept,
    };
}
