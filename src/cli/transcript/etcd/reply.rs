//! From the model's answers to those of a transcript.

use super::request::START;
use crate::servers::etcd::error::Error;
use crate::servers::etcd::lessor::TimeToLive;
use crate::servers::etcd::request::{
    DeleteRange, DeleteRangeReply, KeyValue, Op, OpReply, Put, PutReply, RangeReply, Txn, TxnReply,
};
use crate::servers::etcd::store::EventKind;
use crate::servers::etcd::watchers::{Change, Told};
use serde_json::{Value, json};

pub(super) fn error(error: Error) -> Value {
    json!({ "error": error.to_string() })
}

/// A revision as a scenario counts it.
pub(super) fn counted(revision: i64) -> i64 {
    revision - START
}

fn key_value(kv: &KeyValue) -> Value {
    json!({
        "key": kv.key.to_string(),
        "value": kv.value.to_string(),
        "create": counted(kv.create),
        "mod": counted(kv.modified),
        "version": kv.version,
        "lease": kv.lease,
    })
}

fn key_values(kvs: &[KeyValue]) -> Value {
    kvs.iter().map(key_value).collect()
}

pub(super) fn put(request: &Put, reply: &PutReply) -> Value {
    let mut value = json!({ "rev": counted(reply.revision) });
    if request.prev_kv {
        value["prev"] = reply.prev_kv.as_ref().map_or(Value::Null, key_value);
    }
    value
}

pub(super) fn range(reply: &RangeReply) -> Value {
    json!({
        "rev": counted(reply.revision),
        "kvs": key_values(&reply.kvs),
        "count": reply.count,
        "more": reply.more,
    })
}

pub(super) fn delete(request: &DeleteRange, reply: &DeleteRangeReply) -> Value {
    let mut value = json!({ "rev": counted(reply.revision), "deleted": reply.deleted });
    if request.prev_kv {
        value["prev"] = key_values(&reply.prev_kvs);
    }
    value
}

pub(super) fn txn(request: &Txn, reply: &TxnReply) -> Value {
    let ops = if reply.succeeded { &request.success } else { &request.failure };
    let responses: Value = ops.iter().zip(&reply.responses).map(|(op, reply)| operation(op, reply)).collect();
    json!({ "rev": counted(reply.revision), "succeeded": reply.succeeded, "responses": responses })
}

fn operation(op: &Op, reply: &OpReply) -> Value {
    match (op, reply) {
        (Op::Put(request), OpReply::Put(reply)) => put(request, reply),
        (Op::Range(_), OpReply::Range(reply)) => range(reply),
        (Op::DeleteRange(request), OpReply::DeleteRange(reply)) => delete(request, reply),
        (Op::Txn(request), OpReply::Txn(reply)) => {
            // The server gives a transaction inside no revision of its own.
            let mut value = txn(request, reply);
            value["rev"] = Value::Null;
            value
        }
        _ => unreachable!("an answer is of the kind of its operation"),
    }
}

pub(super) fn time_to_live(reply: Result<TimeToLive, Error>) -> Value {
    match reply {
        Ok(TimeToLive { ttl, granted, keys }) => {
            let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
            json!({ "ttl": ttl, "granted": granted, "keys": keys })
        }
        Err(_) => json!({ "ttl": -1, "granted": 0, "keys": [] }),
    }
}

/// What the watcher with this name was told.
pub(super) fn told(name: &str, told: &Told) -> Vec<Value> {
    match told {
        Told::Created { .. } => Vec::new(),
        Told::Canceled { reason: "", .. } => Vec::new(),
        Told::Canceled { reason, compact_revision: 0 } => {
            vec![json!({ "watch": name, "canceled": true, "reason": reason })]
        }
        Told::Canceled { compact_revision, .. } => {
            vec![json!({ "watch": name, "canceled": true, "compact": counted(*compact_revision) })]
        }
        Told::Changed(changes) => changes.iter().map(|change| changed(name, change)).collect(),
    }
}

fn changed(name: &str, change: &Change) -> Value {
    let kv = &change.event.kv;
    let kind = match change.event.kind {
        EventKind::Put => "PUT",
        EventKind::Delete => "DELETE",
    };
    json!({
        "watch": name,
        "type": kind,
        "key": kv.key.to_string(),
        "value": kv.value.to_string(),
        "mod": counted(kv.modified),
        "prev": change.prev_kv.as_ref().map_or(Value::Null, key_value),
    })
}
