//! What a request does to the keys and their leases, and what it is answered.
//!
//! Source: `etcdserver/apply.go` and `mvcc/kvstore_txn.go` of etcd 3.4.

use super::bytes::Bytes;
use super::error::Error;
use super::lessor::Lessor;
use super::request::{DeleteRange, DeleteRangeReply, KeyValue, Put, PutReply, Range, RangeReply};
use super::request::{SortOrder, SortTarget};
use super::sort;
use super::store::{Event, EventKind, Revision, Store};

/// A change in progress: all that it does has one revision, the next of the store.
#[derive(Debug)]
pub(super) struct Write<'a> {
    store: &'a mut Store,
    lessor: &'a mut Lessor,
    events: Vec<Event>,
}

impl<'a> Write<'a> {
    pub(super) fn begin(store: &'a mut Store, lessor: &'a mut Lessor) -> Write<'a> {
        Write { store, lessor, events: Vec::new() }
    }

    /// Makes what was done the newest, if anything was, and tells it.
    pub(super) fn end(self) -> Vec<Event> {
        if !self.events.is_empty() {
            self.store.advance();
        }
        self.events
    }

    /// The revision that a reader inside sees: its own changes are there.
    pub(super) fn revision(&self) -> i64 {
        self.store.revision() + i64::from(!self.events.is_empty())
    }

    pub(super) fn put(&mut self, put: &Put) -> Result<PutReply, Error> {
        let before = self.store.get(&put.key).cloned();
        if before.is_none() && (put.ignore_value || put.ignore_lease) {
            return Err(Error::KeyNotFound);
        }
        let revision = self.store.revision() + 1;
        let kept = before.clone().unwrap_or_default();
        let kv = KeyValue {
            key: put.key.clone(),
            value: if put.ignore_value { kept.value } else { put.value.clone() },
            create: if before.is_some() { kept.create } else { revision },
            modified: revision,
            version: kept.version + 1,
            lease: if put.ignore_lease { kept.lease } else { put.lease },
        };
        self.lessor.attach(&kv.key, kv.lease);
        self.record(Event { kind: EventKind::Put, kv });
        Ok(PutReply { revision, prev_kv: before.filter(|_| put.prev_kv) })
    }

    pub(super) fn delete_range(&mut self, delete: &DeleteRange) -> DeleteRangeReply {
        let before: Vec<KeyValue> = self.store.iter(&delete.keys).cloned().collect();
        for kv in &before {
            self.delete(&kv.key);
        }
        let deleted = count(before.len());
        let prev_kvs = if delete.prev_kv { before } else { Vec::new() };
        DeleteRangeReply { revision: self.revision(), deleted, prev_kvs }
    }

    /// Removes a key that is there.
    pub(super) fn delete(&mut self, key: &Bytes) {
        self.lessor.detach(key);
        self.record(Event::removal(key.clone(), self.store.revision() + 1));
    }

    pub(super) fn range(&self, request: &Range) -> Result<RangeReply, Error> {
        range(self.store, self.revision(), request)
    }

    fn record(&mut self, event: Event) {
        self.store.record(Revision { main: self.store.revision() + 1, sub: count(self.events.len()) }, &event);
        self.events.push(event);
    }
}

/// Reads keys for a reader to whom `current` is the newest revision.
pub(super) fn range(store: &Store, current: i64, request: &Range) -> Result<RangeReply, Error> {
    let revision = if request.revision > 0 { request.revision } else { current };
    store.readable(revision, current)?;
    let mut reply = RangeReply { revision: current, ..RangeReply::default() };
    if request.count_only {
        reply.count = count(store.iter_at(&request.keys, revision).count());
        return Ok(reply);
    }
    // The count is that of the range: neither the limit nor the bounds on revisions lessen it.
    let fetch = fetched(request);
    for kv in store.iter_at(&request.keys, revision) {
        reply.count += 1;
        if reply.kvs.len() < fetch && is_wanted(request, kv) {
            reply.kvs.push(kv.clone());
        }
    }
    sort(request, &mut reply.kvs);
    if let Some(limit) = limit(request)
        && reply.kvs.len() > limit
    {
        reply.kvs.truncate(limit);
        reply.more = true;
    }
    if request.keys_only {
        for kv in &mut reply.kvs {
            kv.value = Bytes::empty();
        }
    }
    Ok(reply)
}

fn limit(request: &Range) -> Option<usize> {
    usize::try_from(request.limit).ok().filter(|limit| *limit > 0)
}

/// How many keys are fetched before they are sorted and cut: all, or one more than the limit, which shows that there
/// are more. Without an order the server does the latter even if a target is given: it sorts the first few.
fn fetched(request: &Range) -> usize {
    let bounds = [request.min_mod, request.max_mod, request.min_create, request.max_create];
    match limit(request) {
        Some(limit) if request.order == SortOrder::Unsaid && bounds == [0; 4] => limit.saturating_add(1),
        _ => usize::MAX,
    }
}

fn is_wanted(request: &Range, kv: &KeyValue) -> bool {
    (request.max_mod == 0 || kv.modified <= request.max_mod)
        && (request.min_mod == 0 || kv.modified >= request.min_mod)
        && (request.max_create == 0 || kv.create <= request.max_create)
        && (request.min_create == 0 || kv.create >= request.min_create)
}

fn sort(request: &Range, kvs: &mut [KeyValue]) {
    let less: fn(&KeyValue, &KeyValue) -> bool = match request.target {
        SortTarget::Key => |a, b| a.key < b.key,
        SortTarget::Version => |a, b| a.version < b.version,
        SortTarget::Create => |a, b| a.create < b.create,
        SortTarget::Modified => |a, b| a.modified < b.modified,
        SortTarget::Value => |a, b| a.value < b.value,
    };
    match request.order {
        SortOrder::Unsaid if request.target == SortTarget::Key => {}
        SortOrder::Unsaid | SortOrder::Ascend => sort::sort(kvs, less),
        SortOrder::Descend => sort::sort(kvs, |a, b| less(b, a)),
    }
}

fn count(length: usize) -> i64 {
    i64::try_from(length).expect("a length fits")
}
