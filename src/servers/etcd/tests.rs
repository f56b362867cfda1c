//! What the parts promise to a cluster: members agree, history is bounded, leaders keep time, and many waiters are fine.

use super::bytes::{Bytes, KeyRange};
use super::error::Error;
use super::lessor::{Checkpoints, Renewal, Settings};
use super::primary::Checkpoint;
use super::request::{Compare, CompareResult, DeleteRange, Op, Put, Range, Target, Txn};
use super::state::{Command, Reply, State};
use super::store::{EventKind, Store};
use super::watchers::{Change, Told, Watch, Watchers};
use crate::kernel::time::{Span, Time};

fn at(secs: u64) -> Time {
    Time::ZERO + Span::secs(secs)
}

fn put(key: &str, lease: i64) -> Command {
    Command::Put(Put { key: key.into(), value: "v".into(), lease, ..Put::default() })
}

fn grant(id: i64, ttl: i64) -> Command {
    Command::Grant { id, ttl }
}

/// A state to which these commands were applied at time zero.
fn state(settings: Settings, commands: &[Command]) -> State {
    let mut state = State::new(settings);
    for command in commands {
        state.apply(Time::ZERO, command).expect("it is accepted");
    }
    state
}

fn leader(commands: &[Command]) -> State {
    let mut state = state(Settings::default(), commands);
    state.lessor.promote(Time::ZERO, Span::ZERO);
    state
}

#[test]
fn a_member_that_leads_and_one_that_does_not_agree_on_keys_and_leases() {
    let compare = Compare { keys: KeyRange::one("b"), target: Target::Create(0), result: CompareResult::Equal };
    let remove = Op::DeleteRange(DeleteRange { keys: KeyRange::prefix("a"), prev_kv: true });
    let commands = [
        grant(1, 5),
        put("a", 1),
        grant(1, 9),
        put("b", 2),
        Command::Checkpoint(vec![Checkpoint { id: 1, remaining: 3 }]),
        Command::Txn(Txn { compare: vec![compare], success: vec![remove], failure: Vec::new() }),
        put("c", 1),
        Command::Compact { revision: 3 },
        Command::Revoke { id: 1 },
    ];
    let (mut leading, mut following) = (leader(&[]), State::new(Settings::default()));
    for (second, command) in (0..).zip(&commands) {
        assert_eq!(leading.apply(at(second), command), following.apply(at(70), command), "{command:?}");
        assert_eq!(leading.store, following.store);
        assert!(leading.lessor.leases().eq(following.lessor.leases()));
    }
    assert_eq!(leading.store.revision(), 5);
    assert_ne!(leading.lessor, following.lessor, "only one of them decides when leases run out");
}

#[test]
fn the_keys_of_a_lease_go_in_their_order_and_at_one_revision() {
    let mut state = leader(&[grant(1, 60), put("b", 1), put("c", 1), put("a", 1), put("c", 0)]);
    let applied = state.apply(at(1), &Command::Revoke { id: 1 }).expect("the lease is there");
    assert_eq!(applied.reply, Reply::Revoke { revision: 6 });
    let gone: Vec<_> = applied.events.iter().map(|event| (event.kv.key.to_string(), event.kv.modified)).collect();
    assert_eq!(gone, [("a".to_owned(), 6), ("b".to_owned(), 6)]);
    let left: Vec<_> = state.store.iter(&KeyRange::prefix("")).map(|kv| kv.key.to_string()).collect();
    assert_eq!(left, ["c"], "a put without the lease takes a key from it");
    assert_eq!(state.apply(at(1), &Command::Revoke { id: 1 }), Err(Error::LeaseNotFound));
}

#[test]
fn what_is_refused_changes_nothing() {
    let mut state = leader(&[grant(1, 60), put("a", 1)]);
    let before = state.clone();
    let keep = Put { key: "a".into(), ignore_value: true, ..Put::default() };
    let endless = DeleteRange { keys: KeyRange::from_key("a"), prev_kv: false };
    let refused = [
        (vec![Op::Put(Put { key: "b".into(), lease: 9, ..Put::default() })], Error::LeaseNotFound),
        (vec![Op::Put(Put { key: "b".into(), ignore_lease: true, ..Put::default() })], Error::KeyNotFound),
        (vec![Op::Range(Range { keys: KeyRange::one("a"), revision: 3, ..Range::default() })], Error::FutureRevision),
        // The real server does not survive this one.
        (vec![Op::DeleteRange(endless), Op::Put(keep)], Error::KeyNotFound),
    ];
    for (mut success, error) in refused {
        success.insert(0, Op::Put(Put { key: "0".into(), ..Put::default() }));
        let command = Command::Txn(Txn { success, ..Txn::default() });
        assert_eq!(command.check(), Ok(()));
        assert_eq!(state.apply(at(1), &command), Err(error));
        assert_eq!(state, before, "after {command:?}");
    }
}

/// Only what a read at the revision of the compaction or later sees is kept.
#[test]
fn history_is_bounded_by_compaction() {
    let mut state = State::new(Settings::default());
    for turn in 0..10_000 {
        state.apply(Time::ZERO, &put(&format!("{:02}", turn % 50), 0)).expect("a put");
        if turn % 100 == 99 {
            let all = DeleteRange { keys: KeyRange::prefix("1"), prev_kv: false };
            state.apply(Time::ZERO, &Command::DeleteRange(all)).expect("a removal");
            let revision = state.store.revision();
            state.apply(Time::ZERO, &Command::Compact { revision }).expect("a compaction");
            assert_eq!(state.store.versions(), 40, "after {turn} turns");
        }
    }
    let store = &state.store;
    let newest = store.revision();
    assert_eq!(store.get_at(b"00", newest - 1), Err(Error::Compacted));
    assert!(store.get_at(b"00", newest).expect("it can be read").is_some());
    assert_eq!(store.get_at(b"10", newest), Ok(None));
    assert_eq!(store.get_at(b"00", newest + 1), Err(Error::FutureRevision));
}

/// A read at a revision sees the same before and after a compaction up to it, or before it.
#[test]
fn a_compaction_does_not_change_what_can_be_read() {
    let mut state = State::new(Settings::default());
    for turn in 0..60_usize {
        let key = ["a", "b", "c", "d"][turn * 7 % 4];
        let removal = Command::DeleteRange(DeleteRange { keys: KeyRange::one(key), prev_kv: false });
        let command = if turn % 3 == 2 { removal } else { put(key, 0) };
        state.apply(Time::ZERO, &command).expect("a change");
    }
    let view =
        |store: &Store, revision| -> Vec<_> { store.iter_at(&KeyRange::prefix(""), revision).cloned().collect() };
    for compacted in 1..=state.store.revision() {
        let mut store = state.store.clone();
        store.compact(compacted).expect("not yet compacted");
        for revision in compacted..=store.revision() {
            assert_eq!(view(&store, revision), view(&state.store, revision), "{revision} after {compacted}");
        }
        let later = KeyRange::prefix("");
        assert_eq!(store.events_since(&later, compacted + 1), state.store.events_since(&later, compacted + 1));
    }
}

#[test]
fn only_a_leader_renews_and_only_before_the_end() {
    let mut state = leader(&[grant(1, 5)]);
    let lessor = &mut state.lessor;
    assert_eq!(lessor.renew(at(4), 1), Ok(Renewal::Renewed { ttl: 5, forget: false }));
    assert_eq!(lessor.due(at(8), 10), [0; 0]);
    assert_eq!(lessor.renew(at(9), 1), Ok(Renewal::Ending), "it ran out at nine");
    assert_eq!(lessor.renew(at(9), 2), Err(Error::LeaseNotFound));
    assert_eq!(lessor.time_to_live(at(6), 1).expect("it is there").ttl, 3);
    assert_eq!(lessor.time_to_live(at(11), 1).expect("it is there").ttl, -2);
    lessor.demote();
    assert_eq!(lessor.renew(at(4), 1), Err(Error::NotPrimary));
    assert_eq!((lessor.next_due(), lessor.due(at(100), 10)), (None, Vec::new()));
}

#[test]
fn an_end_that_nobody_carries_out_is_proposed_again_after_three_seconds() {
    let mut state = leader(&[grant(1, 5), grant(2, 6)]);
    let told: Vec<_> = (4..=12).map(|second| state.lessor.due(at(second), 10)).collect();
    let expected: [&[i64]; 9] = [&[], &[1], &[2], &[], &[1], &[2], &[], &[1], &[2]];
    assert_eq!(told, expected);
    state.apply(at(13), &Command::Revoke { id: 1 }).expect("the lease is there");
    state.apply(at(13), &Command::Revoke { id: 2 }).expect("the lease is there");
    assert_eq!(state.lessor.next_due(), None);
}

/// A new leader does not know when a lease was last renewed: it gives the whole time and an election's more, or what
/// was left at the last checkpoint.
#[test]
fn a_new_leader_goes_by_the_last_checkpoint() {
    let settings = Settings { checkpoints: Checkpoints::OfAll(Span::secs(60)), ..Settings::default() };
    let mut old = state(settings, &[]);
    old.lessor.promote(Time::ZERO, Span::ZERO);
    let mut new = state(settings, &[]);
    for command in [grant(1, 60), grant(2, 200)] {
        old.apply(at(0), &command).expect("it is granted");
        new.apply(at(500), &command).expect("it is granted");
    }
    assert_eq!(old.lessor.due_checkpoints(at(59), 10), []);
    let checkpoints = old.lessor.due_checkpoints(at(60), 10);
    assert_eq!(checkpoints, [Checkpoint { id: 2, remaining: 140 }], "a lease of a minute needs none");
    for (second, state) in [(60, &mut old), (560, &mut new)] {
        state.apply(at(second), &Command::Checkpoint(checkpoints.clone())).expect("the lease is there");
    }
    // 80 is more than a minute, so there is one more; 20 is not.
    assert_eq!(old.lessor.due_checkpoints(at(120), 10), [Checkpoint { id: 2, remaining: 80 }]);
    new.lessor.promote(at(600), Span::secs(1));
    assert_eq!(new.lessor.time_to_live(at(600), 1).expect("it is there").ttl, 61);
    assert_eq!(new.lessor.time_to_live(at(600), 2).expect("it is there").ttl, 141);
    // Renewed, it lives its whole time, and a later leader must not go by the checkpoint.
    assert_eq!(new.lessor.renew(at(610), 2), Ok(Renewal::Renewed { ttl: 200, forget: true }));
    new.apply(at(610), &Command::Checkpoint(vec![Checkpoint { id: 2, remaining: 0 }])).expect("the lease is there");
    assert_eq!(new.lessor.renew(at(611), 2), Ok(Renewal::Renewed { ttl: 200, forget: false }));
}

/// What was wrong with checkpoints in etcd 3.4: the second leader plans none.
#[test]
fn a_leader_may_plan_checkpoints_for_what_it_granted_only() {
    let every = Span::secs(60);
    for (checkpoints, told) in
        [(Checkpoints::OfGranted(every), 0), (Checkpoints::OfAll(every), 1), (Checkpoints::Never, 0)]
    {
        let mut state = state(Settings { checkpoints, ..Settings::default() }, &[grant(1, 600)]);
        state.lessor.promote(Time::ZERO, Span::ZERO);
        assert_eq!(state.lessor.due_checkpoints(at(60), 10).len(), told, "{checkpoints:?}");
    }
}

#[test]
fn many_leases_do_not_run_out_together_after_an_election() {
    let grants: Vec<_> = (1..=3_000).map(|id| grant(id, 10)).collect();
    let mut state = leader(&grants);
    let mut ends = 0;
    for second in 10..15 {
        let due = state.lessor.due(at(second), usize::MAX);
        assert!(due.len() <= 750, "{} leases run out in second {second}", due.len());
        ends += due.len();
        for id in due {
            state.apply(at(second), &Command::Revoke { id }).expect("the lease is there");
        }
    }
    assert_eq!(ends, 3_000);
}

fn changes(told: &[Told]) -> Vec<(EventKind, i64, Option<i64>)> {
    let one = |change: &Change| {
        let kv = &change.event.kv;
        (change.event.kind, kv.modified, change.prev_kv.as_ref().map(|kv| kv.modified))
    };
    told.iter()
        .flat_map(|told| if let Told::Changed(changes) = told { changes.as_slice() } else { &[] })
        .map(one)
        .collect()
}

#[test]
fn a_watcher_hears_of_the_past_that_it_asks_for() {
    let remove = Command::DeleteRange(DeleteRange { keys: KeyRange::one("a"), prev_kv: false });
    let mut state = state(Settings::default(), &[put("a", 0), put("b", 0), remove, put("a", 0)]);
    let mut watchers = Watchers::new();
    let watch = Watch { keys: KeyRange::one("a"), start: 2, prev_kv: true, ..Watch::default() };
    let (sets, removes) = (EventKind::Put, EventKind::Delete);
    let told = watchers.watch(&state.store, 1, watch.clone());
    assert_eq!(told[0], Told::Created { revision: 5 });
    assert_eq!(changes(&told), [(sets, 2, None), (removes, 4, Some(2)), (sets, 5, None)]);
    let told = watchers.watch(&state.store, 2, Watch { no_put: true, ..watch.clone() });
    assert_eq!(changes(&told), [(removes, 4, Some(2))]);
    let told = watchers.watch(&state.store, 2, watch.clone());
    assert!(matches!(told[..], [Told::Canceled { compact_revision: 0, .. }]), "{told:?}");
    state.apply(Time::ZERO, &Command::Compact { revision: 4 }).expect("a compaction");
    let told = watchers.watch(&state.store, 3, watch.clone());
    assert!(matches!(told[..], [Told::Created { .. }, Told::Canceled { compact_revision: 4, .. }]), "{told:?}");
    // The removal at the revision of the compaction is forgotten, as is what was before it.
    let told = watchers.watch(&state.store, 4, Watch { start: 4, ..watch });
    assert_eq!(changes(&told), [(sets, 5, None)]);
}

/// Each waiter watches the one before it: with n waiters a release must not cost n.
#[test]
fn ten_thousand_waiters_leave_one_after_the_other() {
    const WAITERS: i64 = 10_000;
    let key = |number: i64| format!("lock/{number:x}");
    let mut state = leader(&[]);
    let mut watchers = Watchers::new();
    for number in 0..WAITERS {
        state.apply(Time::ZERO, &grant(number + 1, 60)).expect("it is granted");
        state.apply(Time::ZERO, &put(&key(number), number + 1)).expect("a put");
        let watch = Watch { keys: KeyRange::one(key(number)), no_put: true, ..Watch::default() };
        watchers.watch(&state.store, number + 1, watch);
        let range = Watch { keys: KeyRange::prefix(key(number) + "/"), ..Watch::default() };
        watchers.watch(&state.store, WAITERS + number + 1, range);
    }
    for number in 0..WAITERS {
        let command = Command::Revoke { id: number + 1 };
        let applied = state.apply(at(1), &command).expect("the lease is there");
        let told = watchers.notify(&state.store, &applied.events);
        assert_eq!(told.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [number + 1]);
        assert!(watchers.cancel(number + 1) && watchers.cancel(WAITERS + number + 1));
    }
    assert_eq!((watchers.iter().count(), state.lessor.leases().count()), (0, 0));
    assert_eq!(state.store.get(&Bytes::from(key(7))), None);
}
