//! What is replicated of locks on ZooKeeper: its tree and sessions, and who stands where in which queue.

use super::command::{Answer, Node, Order, Sort, Write};
use crate::protocols::lock::claim::{ClaimId, LockId};
use crate::servers::zookeeper::error::Error;
use crate::servers::zookeeper::operation::{Change, ChangeKind, Mode, Operation, Outcome, Reply, Stamp, Transaction};
use crate::servers::zookeeper::tree::{Tree, TtlNodes};
use crate::servers::zookeeper::znode::{SessionId, Zxid};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The state of the service.
#[derive(Clone, Debug)]
pub struct Machine {
    /// As ZooKeeper keeps it.
    pub tree: Tree,
    /// The nodes of the queues, by number. So it costs O(log n) to find who is ahead of a node, where a client of the real
    /// server looks at all children.
    queues: BTreeMap<Spot, ClaimId>,
    /// Those of them that want a lock alone.
    writes: BTreeMap<Spot, ClaimId>,
    /// The nodes by name, and whose they are.
    names: BTreeMap<Name, SessionId>,
    /// By number, which locks have a node of their own; it stays.
    made: Vec<bool>,
    /// How many nodes each session has.
    owned: BTreeMap<SessionId, BTreeSet<Name>>,
    /// A node that has outlived its session, if there ever was one.
    orphan: Option<Node>,
}

/// Where a node stands.
type Spot = (LockId, u32, Sort);

/// How a node is called: in the order of the names.
type Name = (LockId, ClaimId, &'static str, u32, Sort);

fn spot(node: &Node) -> Spot {
    (node.lock, node.number, node.sort)
}

fn name(node: &Node) -> Name {
    (node.lock, node.claim, node.sort.word(), node.number, node.sort)
}

fn named((lock, claim, _, number, sort): Name) -> Node {
    Node { lock, claim, sort, number }
}

impl Default for Machine {
    fn default() -> Machine {
        Machine::new()
    }
}

impl Machine {
    /// No sessions, no nodes.
    pub fn new() -> Machine {
        Machine {
            tree: Tree::new(TtlNodes::Refused),
            queues: BTreeMap::new(),
            writes: BTreeMap::new(),
            names: BTreeMap::new(),
            made: Vec::new(),
            owned: BTreeMap::new(),
            orphan: None,
        }
    }

    /// A node that has outlived its session.
    pub fn orphan(&self) -> Option<Node> {
        self.orphan
    }

    /// The first node of a queue: whose it is has the lock. O(log n), as all of these.
    pub fn first(&self, lock: LockId) -> Option<Node> {
        let all = (lock, 0, Sort::Lock)..=(lock, u32::MAX, Sort::Read);
        self.queues.range(all).next().map(|((lock, number, sort), claim)| Node {
            lock: *lock,
            claim: *claim,
            sort: *sort,
            number: *number,
        })
    }

    /// The claims that hold locks since these changes: of a node that came, if it is the first; of one that went, who is
    /// it now.
    pub fn keepers(&self, changes: &[Change]) -> impl Iterator<Item = (LockId, ClaimId)> {
        changes.iter().filter_map(|change| {
            let node = Node::parse(&change.path)?;
            let first = self.first(node.lock)?;
            (change.kind == ChangeKind::Deleted || first == node).then_some((first.lock, first.claim))
        })
    }

    /// Applies a command, and tells what has changed.
    pub fn apply(&mut self, write: &Write) -> (Answer, Vec<Change>) {
        let mut changes = Vec::new();
        let answer = match write {
            Write::Open { timeout_ms } => {
                let session = SessionId(self.next().0);
                let open = Transaction::OpenSession { timeout_ms: *timeout_ms };
                self.carry_out(session, &open, &mut changes).expect("to open a session is never refused");
                Answer::Opened { session, timeout_ms: *timeout_ms }
            }
            Write::Close { session } => {
                let closed = self.carry_out(*session, &Transaction::CloseSession, &mut changes);
                closed.expect("to end a session is never refused");
                self.orphan = self.owned.get(session).and_then(BTreeSet::first).copied().map(named).or(self.orphan);
                Answer::Done
            }
            Write::Create { session, lock, claim, sort, number } => {
                self.create(*session, (*lock, *claim, *sort), *number, &mut changes)
            }
            Write::Delete { session, node } => {
                let delete = Operation::Delete { path: node.path(), version: None };
                match self.carry_out(*session, &Transaction::One(delete), &mut changes) {
                    Ok(_) => Answer::Gone(true),
                    Err(error) => refused(error, Answer::Gone(false)),
                }
            }
            Write::Sync { .. } => Answer::Done,
        };
        (answer, changes)
    }

    fn next(&self) -> Zxid {
        Zxid(self.tree.last().0 + 1)
    }

    /// The lock's own node is made first, if there is none yet.
    fn create(
        &mut self,
        session: SessionId,
        (lock, claim, sort): (LockId, ClaimId, Sort),
        number: Option<u32>,
        changes: &mut Vec<Change>,
    ) -> Answer {
        let place = lock.0 as usize;
        if self.made.len() <= place {
            self.made.resize(place + 1, false);
        }
        if !self.made[place] {
            let (path, mode) = (Arc::from(Node::parent(lock)), Mode::Persistent { sequential: false });
            let make = Operation::Create { path, data: Arc::from([]), mode };
            if let Err(error) = self.carry_out(session, &Transaction::One(make), changes) {
                return refused(error, Answer::Expired);
            }
            self.made[place] = true;
        }
        let (path, sequential) = match number {
            None => (Arc::from(Node::stem(lock, claim, sort)), true),
            Some(number) => (Node { lock, claim, sort, number }.path(), false),
        };
        let create =
            Operation::Create { path: path.clone(), data: Arc::from([]), mode: Mode::Ephemeral { sequential } };
        let path = match self.carry_out(session, &Transaction::One(create), changes) {
            Ok(Reply::Created { path, .. }) => path,
            Ok(Reply::Done | Reply::Set(_) | Reply::Multi(_)) => unreachable!("no reply to a create"),
            Err(Error::NodeExists) => path,
            Err(error) => return refused(error, Answer::Expired),
        };
        Answer::Created(Node::parse(&path).unwrap_or_else(|| unreachable!("{path} is of a queue")))
    }

    /// Lets ZooKeeper do it, and keeps the queues as its nodes are. No node lives by the clock, so none is stamped.
    fn carry_out(
        &mut self,
        session: SessionId,
        transaction: &Transaction,
        changes: &mut Vec<Change>,
    ) -> Result<Reply, Error> {
        let stamp = Stamp { zxid: self.next(), time_ms: 0, session };
        let outcome: Outcome = self.tree.apply(stamp, transaction);
        for change in &outcome.changes {
            let Some(node) = Node::parse(&change.path) else { continue };
            match change.kind {
                ChangeKind::Created => self.enqueue(&node, session),
                ChangeKind::Deleted => self.dequeue(&node),
                ChangeKind::Data => unreachable!("nobody sets data"),
            }
        }
        changes.extend(outcome.changes);
        outcome.reply
    }

    fn enqueue(&mut self, node: &Node, session: SessionId) {
        self.queues.insert(spot(node), node.claim);
        if node.sort != Sort::Read {
            self.writes.insert(spot(node), node.claim);
        }
        self.names.insert(name(node), session);
        self.owned.entry(session).or_default().insert(name(node));
    }

    fn dequeue(&mut self, node: &Node) {
        self.queues.remove(&spot(node));
        self.writes.remove(&spot(node));
        let Some(session) = self.names.remove(&name(node)) else { return };
        if let Some(names) = self.owned.get_mut(&session) {
            names.remove(&name(node));
            if names.is_empty() {
                self.owned.remove(&session);
            }
        }
    }

    /// Whether a node is there.
    pub fn has(&self, node: &Node) -> bool {
        self.names.contains_key(&name(node))
    }

    /// All nodes of a claim, and whose they are.
    pub fn find(&self, lock: LockId, claim: ClaimId) -> Vec<(Node, SessionId)> {
        let all = (lock, claim, "", 0, Sort::Lock)..=(lock, claim, "~", 0, Sort::Lock);
        self.names.range(all).map(|(name, session)| (named(*name), *session)).collect()
    }

    /// Where a node stands, by an order: whoever reads waits for the last before it that writes, all others for the last before them.
    pub fn place(&self, node: &Node, order: Order) -> Answer {
        let is_there = self.has(node);
        let ahead = match order {
            Order::Number => {
                let queue = if node.sort == Sort::Read { &self.writes } else { &self.queues };
                let before = queue.range((node.lock, 0, Sort::Lock)..spot(node)).next_back();
                before.map(|((lock, number, sort), claim)| Node {
                    lock: *lock,
                    claim: *claim,
                    sort: *sort,
                    number: *number,
                })
            }
            Order::Name => {
                let before = self.names.range((node.lock, ClaimId(0), "", 0, Sort::Lock)..name(node)).next_back();
                before.map(|(name, _)| named(*name))
            }
        };
        let first = ahead.and_then(|_| self.first(node.lock));
        Answer::Place { is_there, ahead: first.zip(ahead) }
    }
}

/// What a client hears of a refusal.
fn refused(error: Error, otherwise: Answer) -> Answer {
    match error {
        Error::SessionExpired => Answer::Expired,
        Error::NoNode => otherwise,
        Error::RolledBack
        | Error::RuntimeInconsistency
        | Error::Unimplemented
        | Error::BadArguments
        | Error::BadVersion
        | Error::NoChildrenForEphemerals
        | Error::NodeExists
        | Error::NotEmpty
        | Error::SessionMoved
        | Error::NoWatcher => unreachable!("no command of locks is refused so: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: LockId = LockId(3);

    fn session(machine: &mut Machine) -> SessionId {
        match machine.apply(&Write::Open { timeout_ms: 2_000 }).0 {
            Answer::Opened { session, .. } => session,
            answer => panic!("{answer:?} to an open"),
        }
    }

    fn create(machine: &mut Machine, session: SessionId, claim: u64, sort: Sort, number: Option<u32>) -> Node {
        match machine.apply(&Write::Create { session, lock: LOCK, claim: ClaimId(claim), sort, number }).0 {
            Answer::Created(node) => node,
            answer => panic!("{answer:?} to a create"),
        }
    }

    fn ahead(machine: &Machine, node: &Node, order: Order) -> Option<Node> {
        match machine.place(node, order) {
            Answer::Place { is_there: true, ahead } => ahead.map(|(_, ahead)| ahead),
            answer => panic!("{answer:?} to a look"),
        }
    }

    #[test]
    fn a_node_is_known_by_its_path() {
        let node = Node { lock: LOCK, claim: ClaimId(0xabc), sort: Sort::Write, number: 17 };
        assert_eq!(&*node.path(), "/lock-3/0000000000000abc-write-0000000017");
        assert_eq!(Node::parse(&node.path()), Some(node));
        assert_eq!(Node::parse("/lock-3"), None);
    }

    /// A thousand wait, each for the one before, whatever they are called; and each knows its turn.
    #[test]
    fn a_thousand_wait_in_the_order_of_their_numbers() {
        let mut machine = Machine::new();
        let session = session(&mut machine);
        let nodes: Vec<Node> =
            (0..1_000).map(|place| create(&mut machine, session, 1_000 - place, Sort::Lock, None)).collect();
        for pair in nodes.windows(2) {
            assert_eq!(ahead(&machine, &pair[1], Order::Number), Some(pair[0]));
            assert_eq!(ahead(&machine, &pair[0], Order::Name), Some(pair[1]));
        }
        for node in &nodes {
            assert_eq!(machine.first(LOCK), Some(*node));
            assert_eq!(machine.apply(&Write::Delete { session, node: *node }).0, Answer::Gone(true));
        }
        assert_eq!(machine.first(LOCK), None);
    }

    #[test]
    fn readers_wait_for_the_last_writer_and_who_shares_what_it_wrote_keeps_its_place() {
        let mut machine = Machine::new();
        let session = session(&mut machine);
        let first = create(&mut machine, session, 1, Sort::Write, None);
        let reader = create(&mut machine, session, 2, Sort::Read, None);
        let other = create(&mut machine, session, 3, Sort::Read, None);
        let writer = create(&mut machine, session, 4, Sort::Write, None);
        assert_eq!(ahead(&machine, &reader, Order::Number), Some(first));
        assert_eq!(ahead(&machine, &other, Order::Number), Some(first));
        assert_eq!(ahead(&machine, &writer, Order::Number), Some(other));
        let shared = create(&mut machine, session, 1, Sort::Read, Some(first.number));
        machine.apply(&Write::Delete { session, node: first });
        assert_eq!(machine.first(LOCK), Some(shared));
        assert_eq!(ahead(&machine, &reader, Order::Number), None);
        assert_eq!(ahead(&machine, &writer, Order::Number), Some(other));
    }

    #[test]
    fn the_end_of_a_session_takes_its_nodes_along() {
        let mut machine = Machine::new();
        let (mine, other) = (session(&mut machine), session(&mut machine));
        let node = create(&mut machine, mine, 1, Sort::Lock, None);
        let next = create(&mut machine, other, 1, Sort::Lock, None);
        assert_eq!(machine.find(LOCK, ClaimId(1)), [(node, mine), (next, other)]);
        machine.apply(&Write::Close { session: mine });
        assert_eq!((machine.first(LOCK), machine.orphan()), (Some(next), None));
        let late = Write::Create { session: mine, lock: LOCK, claim: ClaimId(1), sort: Sort::Lock, number: None };
        assert_eq!(machine.apply(&late).0, Answer::Expired);
    }
}
