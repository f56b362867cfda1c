//! Which watches tell, of what, and how often.

use super::{Event, Remembered, WatchKind, WatchMode, Watches};
use crate::servers::zookeeper::error::Error;
use crate::servers::zookeeper::operation::{Change, ChangeKind, Mode, Operation, Stamp, Transaction};
use crate::servers::zookeeper::tree::{Tree, TtlNodes};
use crate::servers::zookeeper::znode::{SessionId, Zxid};
use std::sync::Arc;

const A: SessionId = SessionId(1);
const B: SessionId = SessionId(2);

fn path(text: &str) -> Arc<str> {
    Arc::from(text)
}

/// The events of one change, as text.
fn fire(watches: &mut Watches, kind: ChangeKind, at: &str) -> Vec<String> {
    watches.fire(&Change { kind, path: path(at) }).iter().map(text).collect()
}

fn text(event: &Event) -> String {
    format!("{} {:?} {}", event.session.0, event.kind, event.path)
}

#[test]
fn a_watch_tells_once_though_it_was_set_twice() {
    let mut watches = Watches::new();
    watches.watch_data(A, &path("/n"));
    watches.watch_data(A, &path("/n"));
    assert_eq!(watches.count(), 1);
    assert_eq!(fire(&mut watches, ChangeKind::Data, "/n"), ["1 Changed /n"]);
    assert_eq!(fire(&mut watches, ChangeKind::Data, "/n"), [""; 0]);
    assert_eq!(watches, Watches::new());
}

#[test]
fn each_change_tells_those_who_wait_for_its_kind() {
    let mut watches = Watches::new();
    watches.watch_data(A, &path("/d"));
    watches.watch_children(A, &path("/d"));
    watches.watch_children(B, &path("/"));
    assert_eq!(fire(&mut watches, ChangeKind::Created, "/d/c"), ["1 Child /d"]);
    assert_eq!(fire(&mut watches, ChangeKind::Data, "/d/c"), [""; 0]);
    watches.watch_children(A, &path("/d"));
    // Once to the one who watches both, and both watches are used up; then the parent.
    watches.watch_children(B, &path("/d"));
    assert_eq!(fire(&mut watches, ChangeKind::Deleted, "/d"), ["1 Deleted /d", "2 Deleted /d", "2 Child /"]);
    assert_eq!(watches.count(), 0);
    watches.watch_data(B, &path("/d"));
    watches.watch_children(A, &path("/"));
    assert_eq!(fire(&mut watches, ChangeKind::Created, "/d"), ["2 Created /d", "1 Child /"]);
}

#[test]
fn persistent_watches_stay_and_recursive_ones_hear_of_all_below_but_not_of_children_changing() {
    let mut watches = Watches::new();
    watches.add(A, &path("/p"), WatchMode::Persistent);
    watches.add(B, &path("/p"), WatchMode::PersistentRecursive);
    for _ in 0..2 {
        assert_eq!(fire(&mut watches, ChangeKind::Created, "/p/c"), ["2 Created /p/c", "1 Child /p"]);
        assert_eq!(fire(&mut watches, ChangeKind::Data, "/p/c/d"), ["2 Changed /p/c/d"]);
        assert_eq!(fire(&mut watches, ChangeKind::Deleted, "/p"), ["1 Deleted /p", "2 Deleted /p"]);
        assert_eq!(fire(&mut watches, ChangeKind::Data, "/pc"), [""; 0], "a path that only begins alike");
    }
    watches.add(B, &path("/"), WatchMode::PersistentRecursive);
    assert_eq!(fire(&mut watches, ChangeKind::Data, "/p/c"), ["2 Changed /p/c"], "told once for two watches");
    assert_eq!(watches.remove(B, "/p", WatchKind::Any), Ok(()));
    assert_eq!(watches.remove(B, "/p", WatchKind::Any), Err(Error::NoWatcher));
    watches.forget(B);
    watches.forget(A);
    assert_eq!(watches, Watches::new());
}

/// A session has one watch on a path; in this version a standard one takes the place of a persistent one.
#[test]
fn the_last_mode_set_on_a_path_holds() {
    let mut watches = Watches::new();
    watches.add(A, &path("/n"), WatchMode::PersistentRecursive);
    watches.watch_data(A, &path("/n"));
    assert_eq!(fire(&mut watches, ChangeKind::Data, "/n/c"), [""; 0]);
    assert_eq!(fire(&mut watches, ChangeKind::Data, "/n"), ["1 Changed /n"]);
    assert_eq!(fire(&mut watches, ChangeKind::Data, "/n"), [""; 0]);
    // The one on the children is recursive still.
    assert_eq!(watches.remove(A, "/n", WatchKind::Data), Err(Error::NoWatcher));
    assert_eq!(watches.remove(A, "/n", WatchKind::Children), Ok(()));
    assert_eq!(watches, Watches::new());
}

#[test]
fn a_client_that_comes_back_hears_what_it_has_missed_and_watches_the_rest() {
    let mut tree = Tree::new(TtlNodes::Refused);
    let mut zxid = 0;
    let mut apply = |tree: &mut Tree, transaction| {
        zxid += 1;
        tree.apply(Stamp { zxid: Zxid(zxid), time_ms: 0, session: A }, &transaction).reply.expect("it is done");
    };
    apply(&mut tree, Transaction::OpenSession { timeout_ms: 600 });
    for name in ["/old", "/set", "/parent", "/quiet", "/parent/new"] {
        let mode = Mode::Persistent { sequential: false };
        apply(&mut tree, Transaction::One(Operation::Create { path: path(name), data: Arc::from([]), mode }));
    }
    apply(&mut tree, Transaction::One(Operation::Set { path: path("/set"), data: Arc::from([]), version: None }));
    let mut watches = Watches::new();
    let remembered = Remembered {
        // `/quiet` was the last that it has seen.
        zxid: Zxid(5),
        data: ["/old", "/set", "/gone"].map(path).to_vec(),
        exist: ["/old", "/gone"].map(path).to_vec(),
        children: ["/parent", "/quiet", "/gone"].map(path).to_vec(),
        persistent: vec![path("/p")],
        recursive: vec![path("/r")],
    };
    let events: Vec<String> = watches.set_again(&tree, B, &remembered).iter().map(text).collect();
    assert_eq!(events, ["2 Changed /set", "2 Deleted /gone", "2 Created /old", "2 Child /parent", "2 Deleted /gone"]);
    assert_eq!(fire(&mut watches, ChangeKind::Data, "/old"), ["2 Changed /old"]);
    assert_eq!(fire(&mut watches, ChangeKind::Created, "/gone"), ["2 Created /gone"]);
    assert_eq!(fire(&mut watches, ChangeKind::Created, "/quiet/c"), ["2 Child /quiet"]);
    assert_eq!(fire(&mut watches, ChangeKind::Created, "/p/c"), ["2 Child /p"]);
    assert_eq!(fire(&mut watches, ChangeKind::Created, "/r/c"), ["2 Created /r/c"]);
}
