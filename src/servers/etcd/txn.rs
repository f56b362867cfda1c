//! A transaction: compare, choose, check, and do it all at one revision.
//!
//! Source: `applyTxn` and its kin in `etcdserver/apply.go` of etcd 3.4.

use super::apply::Write;
use super::bytes::KeyRange;
use super::error::Error;
use super::lessor::Lessor;
use super::request::{Compare, CompareResult, DeleteRange, KeyValue, Op, OpReply, Put, Range, Target, Txn, TxnReply};
use super::store::{Event, Store};
use std::cmp::Ordering;

/// What a transaction will do, once all comparisons are made, those inside of it too.
struct Chosen<'a> {
    succeeded: bool,
    steps: Vec<Step<'a>>,
}

enum Step<'a> {
    Put(&'a Put),
    Range(&'a Range),
    DeleteRange(&'a DeleteRange),
    Txn(Chosen<'a>),
}

/// Does a transaction.
pub(super) fn apply(store: &mut Store, lessor: &mut Lessor, txn: &Txn) -> Result<(TxnReply, Vec<Event>), Error> {
    let chosen = choose(store, txn);
    // All puts are checked before all reads, so that a lease that is not there comes before a revision that is not.
    check_puts(store, lessor, &chosen)?;
    check_kept(&chosen, &mut Vec::new())?;
    check_ranges(store, &chosen)?;
    let mut write = Write::begin(store, lessor);
    let mut reply = perform(&mut write, &chosen);
    reply.revision = write.revision();
    Ok((reply, write.end()))
}

/// Makes all comparisons, with the keys as they are before anything is done.
fn choose<'a>(store: &Store, txn: &'a Txn) -> Chosen<'a> {
    let succeeded = txn.compare.iter().all(|compare| holds(store, compare));
    let ops = if succeeded { &txn.success } else { &txn.failure };
    let steps = ops.iter().map(|op| match op {
        Op::Put(put) => Step::Put(put),
        Op::Range(range) => Step::Range(range),
        Op::DeleteRange(delete) => Step::DeleteRange(delete),
        Op::Txn(inside) => Step::Txn(choose(store, inside)),
    });
    Chosen { succeeded, steps: steps.collect() }
}

fn holds(store: &Store, compare: &Compare) -> bool {
    let mut kvs = store.iter(&compare.keys).peekable();
    if kvs.peek().is_none() {
        // A value that is not there cannot be told from an empty one, so it is like none.
        return !matches!(compare.target, Target::Value(_)) && holds_for(compare, &KeyValue::default());
    }
    kvs.all(|kv| holds_for(compare, kv))
}

fn holds_for(compare: &Compare, kv: &KeyValue) -> bool {
    let order = match &compare.target {
        Target::Version(version) => kv.version.cmp(version),
        Target::Create(revision) => kv.create.cmp(revision),
        Target::Modified(revision) => kv.modified.cmp(revision),
        Target::Value(value) => kv.value.cmp(value),
        Target::Lease(lease) => kv.lease.cmp(lease),
    };
    match compare.result {
        CompareResult::Equal => order == Ordering::Equal,
        CompareResult::Greater => order == Ordering::Greater,
        CompareResult::Less => order == Ordering::Less,
        CompareResult::NotEqual => order != Ordering::Equal,
    }
}

fn check_puts(store: &Store, lessor: &Lessor, chosen: &Chosen<'_>) -> Result<(), Error> {
    for step in &chosen.steps {
        match step {
            Step::Put(put) => check_put(store, lessor, put)?,
            Step::Txn(inside) => check_puts(store, lessor, inside)?,
            Step::Range(_) | Step::DeleteRange(_) => {}
        }
    }
    Ok(())
}

fn check_put(store: &Store, lessor: &Lessor, put: &Put) -> Result<(), Error> {
    if (put.ignore_value || put.ignore_lease) && store.get(&put.key).is_none() {
        return Err(Error::KeyNotFound);
    }
    if put.lease != 0 && lessor.lease(put.lease).is_none() {
        return Err(Error::LeaseNotFound);
    }
    Ok(())
}

/// Refuses to keep the value or lease of a key that is removed before. The server overlooks such a removal if its
/// range has no end, and does not survive it.
fn check_kept<'a>(chosen: &Chosen<'a>, removed: &mut Vec<&'a KeyRange>) -> Result<(), Error> {
    for step in &chosen.steps {
        match step {
            Step::Put(put) if put.ignore_value || put.ignore_lease => {
                if removed.iter().any(|keys| keys.contains(&put.key)) {
                    return Err(Error::KeyNotFound);
                }
            }
            Step::DeleteRange(delete) => removed.push(&delete.keys),
            Step::Txn(inside) => check_kept(inside, removed)?,
            Step::Put(_) | Step::Range(_) => {}
        }
    }
    Ok(())
}

fn check_ranges(store: &Store, chosen: &Chosen<'_>) -> Result<(), Error> {
    for step in &chosen.steps {
        match step {
            // Unlike in a read by itself, a negative revision is older than the oldest here.
            Step::Range(range) if range.revision != 0 => store.readable(range.revision, store.revision())?,
            Step::Txn(inside) => check_ranges(store, inside)?,
            Step::Range(_) | Step::Put(_) | Step::DeleteRange(_) => {}
        }
    }
    Ok(())
}

fn perform(write: &mut Write<'_>, chosen: &Chosen<'_>) -> TxnReply {
    let responses = chosen.steps.iter().map(|step| match step {
        Step::Put(put) => OpReply::Put(write.put(put).expect("it was checked")),
        Step::Range(range) => OpReply::Range(write.range(range).expect("it was checked")),
        Step::DeleteRange(delete) => OpReply::DeleteRange(write.delete_range(delete)),
        Step::Txn(inside) => OpReply::Txn(perform(write, inside)),
    });
    let responses = responses.collect();
    TxnReply { revision: 0, succeeded: chosen.succeeded, responses }
}
