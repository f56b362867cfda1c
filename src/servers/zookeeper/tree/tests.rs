//! What the tree does that a recorded conversation does not show.

use super::{Tree, TtlNodes};
use crate::servers::zookeeper::error::Error;
use crate::servers::zookeeper::operation::{Change, ChangeKind, Mode, Operation, Outcome, Reply, Stamp, Transaction};
use crate::servers::zookeeper::znode::{SessionId, Zxid};
use std::sync::Arc;

const A: SessionId = SessionId(1);
const B: SessionId = SessionId(2);
const PERSISTENT: Mode = Mode::Persistent { sequential: false };
const EPHEMERAL: Mode = Mode::Ephemeral { sequential: false };
const QUEUED: Mode = Mode::Ephemeral { sequential: true };

/// A tree with two sessions.
fn tree() -> Tree {
    let mut tree = Tree::new(TtlNodes::Allowed);
    for session in [A, B] {
        apply(&mut tree, session, &Transaction::OpenSession { timeout_ms: 600 });
    }
    tree
}

/// Applies a transaction as the next one, at a time of 10 ms each.
fn apply(tree: &mut Tree, session: SessionId, transaction: &Transaction) -> Outcome {
    let zxid = Zxid(tree.last().0 + 1);
    tree.apply(Stamp { zxid, time_ms: zxid.0 * 10, session }, transaction)
}

fn perform(tree: &mut Tree, session: SessionId, operation: Operation) -> Result<Reply, Error> {
    apply(tree, session, &Transaction::One(operation)).reply
}

fn creation(path: &str, mode: Mode) -> Operation {
    Operation::Create { path: Arc::from(path), data: Arc::from(*b"x"), mode }
}

/// The path of the new node.
fn create(tree: &mut Tree, session: SessionId, path: &str, mode: Mode) -> Result<String, Error> {
    match perform(tree, session, creation(path, mode))? {
        Reply::Created { path, .. } => Ok(path.to_string()),
        reply => panic!("{reply:?} to a create"),
    }
}

fn delete(tree: &mut Tree, path: &str) -> Result<Reply, Error> {
    perform(tree, A, Operation::Delete { path: Arc::from(path), version: None })
}

fn deletions(changes: &[Change]) -> Vec<&str> {
    assert!(changes.iter().all(|change| change.kind == ChangeKind::Deleted), "{changes:?}");
    changes.iter().map(|change| change.path.as_ref()).collect()
}

#[test]
fn a_new_server_has_nodes_for_its_own_use_which_count_as_never_created() {
    let mut tree = tree();
    assert_eq!(tree.children("/").expect("the root").map(AsRef::as_ref).collect::<Vec<_>>(), ["zookeeper"]);
    assert_eq!(tree.stat("/").expect("the root").cversion, -1);
    assert_eq!(tree.stat("/zookeeper").expect("its own").cversion, -2);
    assert_eq!(create(&mut tree, A, "/n-", QUEUED).as_deref(), Ok("/n-0000000000"));
    for path in ["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"] {
        assert_eq!(delete(&mut tree, path), Err(Error::BadArguments), "{path}");
    }
}

/// A missing parent is found before a malformed name, a taken name before an ephemeral parent.
#[test]
fn refusals_come_in_the_order_of_the_server() {
    let mut tree = tree();
    create(&mut tree, A, "/e", EPHEMERAL).expect("a new node");
    for (path, mode, expected) in [
        ("", PERSISTENT, Error::BadArguments),
        ("e", PERSISTENT, Error::BadArguments),
        ("/", PERSISTENT, Error::NodeExists),
        ("/no/child", PERSISTENT, Error::NoNode),
        ("/no/", PERSISTENT, Error::NoNode),
        ("/e/", PERSISTENT, Error::BadArguments),
        ("/e/.", PERSISTENT, Error::BadArguments),
        ("/e", PERSISTENT, Error::NodeExists),
        ("/e/c", PERSISTENT, Error::NoChildrenForEphemerals),
        ("/e/", QUEUED, Error::NoChildrenForEphemerals),
        ("/t", Mode::Ttl { ttl_ms: 0, sequential: false }, Error::BadArguments),
        ("/t", Mode::Ttl { ttl_ms: -1, sequential: false }, Error::BadArguments),
        ("/t", Mode::Ttl { ttl_ms: 1 << 40, sequential: false }, Error::BadArguments),
    ] {
        assert_eq!(create(&mut tree, A, path, mode), Err(expected), "{path:?}");
    }
    let mut strict = Tree::new(TtlNodes::Refused);
    let refused = create(&mut strict, A, "/t", Mode::Ttl { ttl_ms: 0, sequential: false });
    assert_eq!(refused, Err(Error::Unimplemented));
}

#[test]
fn who_has_no_session_changes_nothing() {
    let mut tree = tree();
    let stranger = SessionId(9);
    assert_eq!(create(&mut tree, stranger, "/a", PERSISTENT), Err(Error::SessionExpired));
    let parts = Arc::from([creation("/a", PERSISTENT), creation("/b", PERSISTENT)]);
    let outcome = apply(&mut tree, stranger, &Transaction::Multi(parts));
    let expected = vec![Err(Error::SessionExpired), Err(Error::RuntimeInconsistency)];
    assert_eq!((outcome.reply, outcome.changes), (Ok(Reply::Multi(expected)), Vec::new()));
    assert!(apply(&mut tree, stranger, &Transaction::CloseSession).changes.is_empty());
}

#[test]
fn a_closed_session_takes_its_nodes_along_in_the_order_of_their_paths_and_no_others() {
    let mut tree = tree();
    create(&mut tree, A, "/q", PERSISTENT).expect("a new node");
    for (session, path) in [(A, "/z"), (B, "/q/b"), (A, "/q/a"), (A, "/b")] {
        create(&mut tree, session, path, EPHEMERAL).expect("a new node");
    }
    assert_eq!(delete(&mut tree, "/b"), Ok(Reply::Done));
    assert_eq!(tree.ephemerals(A).map(AsRef::as_ref).collect::<Vec<_>>(), ["/q/a", "/z"]);
    let outcome = apply(&mut tree, A, &Transaction::CloseSession);
    assert_eq!(deletions(&outcome.changes), ["/q/a", "/z"]);
    assert!(!tree.is_open(A) && tree.stat("/q/b").is_ok());
    let parent = tree.stat("/q").expect("it stays");
    assert_eq!((parent.cversion, parent.num_children, parent.pzxid), (3, 1, tree.last()));
}

#[test]
fn a_multi_that_fails_leaves_no_trace_but_its_number() {
    let mut tree = tree();
    create(&mut tree, A, "/q", PERSISTENT).expect("a new node");
    let before = tree.clone();
    let parts = Arc::from([
        creation("/q/n-", QUEUED),
        Operation::Set { path: Arc::from("/q"), data: Arc::from(*b"y"), version: Some(0) },
        Operation::Check { path: Arc::from("/q"), version: Some(0) },
        creation("/c", Mode::Container),
    ]);
    let outcome = apply(&mut tree, B, &Transaction::Multi(parts));
    let expected = [Error::RolledBack, Error::RolledBack, Error::BadVersion, Error::RuntimeInconsistency].map(Err);
    assert_eq!(outcome.reply, Ok(Reply::Multi(expected.to_vec())));
    assert!(outcome.changes.is_empty());
    assert_eq!(tree, Tree { last: tree.last(), ..before });
    assert_eq!(create(&mut tree, A, "/q/n-", QUEUED).as_deref(), Ok("/q/n-0000000000"));
}

#[test]
fn a_multi_sees_what_its_earlier_parts_did() {
    let mut tree = tree();
    let parts = Arc::from([
        creation("/a", PERSISTENT),
        creation("/a/b", PERSISTENT),
        Operation::Delete { path: Arc::from("/a/b"), version: Some(0) },
        Operation::Set { path: Arc::from("/a"), data: Arc::from(*b"yy"), version: Some(0) },
        Operation::Check { path: Arc::from("/a"), version: Some(1) },
    ]);
    let outcome = apply(&mut tree, A, &Transaction::Multi(parts));
    let kinds: Vec<ChangeKind> = outcome.changes.iter().map(|change| change.kind).collect();
    assert_eq!(kinds, [ChangeKind::Created, ChangeKind::Created, ChangeKind::Deleted, ChangeKind::Data]);
    let stat = tree.stat("/a").expect("it is there");
    assert_eq!((stat.version, stat.cversion, stat.data_length), (1, 2, 2));
    assert_eq!((stat.czxid, stat.mzxid, stat.pzxid), (tree.last(), tree.last(), tree.last()));
}

#[test]
fn a_container_is_overdue_after_its_last_child_and_a_ttl_node_after_its_time() {
    let mut tree = tree();
    create(&mut tree, A, "/c", Mode::Container).expect("a new node");
    create(&mut tree, A, "/t", Mode::Ttl { ttl_ms: 100, sequential: false }).expect("a new node");
    let born_ms = tree.stat("/t").expect("it is there").mtime_ms;
    let overdue = |tree: &Tree, now_ms| tree.overdue(now_ms).map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(overdue(&tree, born_ms + 100), [""; 0], "never used, not yet over");
    assert_eq!(overdue(&tree, born_ms + 101), ["/t"]);
    create(&mut tree, A, "/c/k", EPHEMERAL).expect("a new node");
    create(&mut tree, A, "/t/k", EPHEMERAL).expect("a new node");
    assert_eq!(overdue(&tree, u64::MAX), [""; 0], "both have a child");
    let remove = |path: &str| Transaction::DeleteContainer { path: Arc::from(path) };
    assert_eq!(apply(&mut tree, SessionId(0), &remove("/c")).reply, Err(Error::NotEmpty));
    assert_eq!(apply(&mut tree, SessionId(0), &remove("/c/k")).reply, Err(Error::BadVersion));
    assert_eq!(apply(&mut tree, SessionId(0), &remove("/")).reply, Err(Error::BadArguments));
    apply(&mut tree, A, &Transaction::CloseSession);
    assert_eq!(overdue(&tree, born_ms), ["/c"]);
    assert_eq!(deletions(&apply(&mut tree, SessionId(0), &remove("/c")).changes), ["/c"]);
    assert_eq!(apply(&mut tree, SessionId(0), &remove("/c")).reply, Err(Error::NoNode));
    assert_eq!(overdue(&tree, born_ms), [""; 0]);
}

/// At the end of its range the counter stays where it is, and the next number is taken.
#[test]
fn sequence_numbers_end_at_the_end_of_their_range() {
    let mut tree = tree();
    create(&mut tree, A, "/q", PERSISTENT).expect("a new node");
    tree.node_mut("/q").expect("it is there").created = i32::MAX - 1;
    for expected in ["/q/n-2147483646", "/q/n-2147483647"] {
        assert_eq!(create(&mut tree, A, "/q/n-", QUEUED).as_deref(), Ok(expected));
    }
    assert_eq!(create(&mut tree, A, "/q/n-", QUEUED), Err(Error::NodeExists));
}

/// The queue of a lock with ten thousand waiters, from the first to the last; a snapshot of it stays whole.
#[test]
fn ten_thousand_wait_and_go_in_their_order() {
    let mut tree = tree();
    create(&mut tree, A, "/q", PERSISTENT).expect("a new node");
    for _ in 0..10_000 {
        create(&mut tree, B, "/q/n-", QUEUED).expect("a new node");
    }
    let snapshot = tree.clone();
    for waiter in 0..10_000 {
        let first = tree.children("/q").expect("it is there").next().expect("a waiter").to_string();
        assert_eq!(first, format!("n-{waiter:010}"));
        delete(&mut tree, &format!("/q/{first}")).expect("it is there");
    }
    assert_eq!(tree.ephemerals(B).count(), 0);
    assert_eq!(snapshot.ephemerals(B).count(), 10_000);
    assert_eq!(snapshot.stat("/q").expect("it is there").num_children, 10_000);
}

#[test]
#[should_panic(expected = "zxid Zxid(2) after Zxid(2)")]
fn a_number_is_not_given_twice() {
    let mut tree = tree();
    tree.apply(Stamp { zxid: Zxid(2), time_ms: 0, session: A }, &Transaction::CloseSession);
}
