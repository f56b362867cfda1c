//! From the operations of a transcript to requests.
//!
//! Revisions in a transcript count from the start of its scenario; those of the model from the first of a new store.

use super::fields::Fields;
use crate::servers::etcd::bytes::{Bytes, KeyRange};
use crate::servers::etcd::request::{
    Compare, CompareResult, DeleteRange, Op, Put, Range, SortOrder, SortTarget, Target, Txn,
};
use crate::servers::etcd::watchers::Watch;
use serde_json::Value;

/// The revision of a new store, at which every scenario starts.
pub(super) const START: i64 = 1;

/// A revision of the model. What is not positive is no revision and says the same on both sides.
fn revision(counted: i64) -> i64 {
    if counted > 0 { counted.saturating_add(START) } else { counted }
}

pub(super) fn compaction(fields: &mut Fields<'_>) -> Result<i64, String> {
    Ok(revision(fields.number(&["rev", "revision"])?))
}

pub(super) fn put(fields: &mut Fields<'_>) -> Result<Put, String> {
    Ok(Put {
        key: Bytes::from(fields.text(&["key"])?),
        value: Bytes::from(fields.text_or_empty(&["value"])?),
        lease: fields.number_or_zero(&["lease"])?,
        prev_kv: fields.flag(&["prev_kv"])?,
        ignore_value: fields.flag(&["ignore_value"])?,
        ignore_lease: fields.flag(&["ignore_lease"])?,
    })
}

/// `prefix` and `from_key` are what clients make a range of; `end` is the range's own.
fn keys(fields: &mut Fields<'_>) -> Result<KeyRange, String> {
    let (key, end) = (fields.text(&["key"])?, fields.text_or_empty(&["end", "range_end"])?);
    match (fields.flag(&["prefix"])?, fields.flag(&["from_key"])?, end) {
        (false, false, end) => Ok(KeyRange::between(key, end)),
        (true, false, "") => Ok(KeyRange::prefix(key)),
        (false, true, "") => Ok(KeyRange::from_key(if key.is_empty() { "\0" } else { key })),
        _ => Err("`prefix`, `from_key` and `end` exclude each other".to_owned()),
    }
}

pub(super) fn range(fields: &mut Fields<'_>) -> Result<Range, String> {
    // Whether a read is serializable is told apart by a cluster only.
    fields.flag(&["serializable"])?;
    let (order, target) = sorting(fields)?;
    Ok(Range {
        keys: keys(fields)?,
        limit: fields.number_or_zero(&["limit"])?,
        revision: revision(fields.number_or_zero(&["rev", "revision"])?),
        order,
        target,
        keys_only: fields.flag(&["keys_only"])?,
        count_only: fields.flag(&["count_only"])?,
        min_mod: revision(fields.number_or_zero(&["min_mod", "min_mod_revision"])?),
        max_mod: revision(fields.number_or_zero(&["max_mod", "max_mod_revision"])?),
        min_create: revision(fields.number_or_zero(&["min_create", "min_create_revision"])?),
        max_create: revision(fields.number_or_zero(&["max_create", "max_create_revision"])?),
    })
}

/// Where a target is given without an order, the order sent was the rising one, as clients have it.
fn sorting(fields: &mut Fields<'_>) -> Result<(SortOrder, SortTarget), String> {
    let by = target(fields.text_or_empty(&["sort", "sort_target"])?)?;
    match (fields.text_or_empty(&["order", "sort_order"])?, fields.value(&["sort", "sort_target"])) {
        ("", Some(_)) => Ok((SortOrder::Ascend, by)),
        (name, _) => Ok((order(name)?, by)),
    }
}

fn order(name: &str) -> Result<SortOrder, String> {
    match name.to_ascii_lowercase().as_str() {
        "" | "none" => Ok(SortOrder::Unsaid),
        "ascend" => Ok(SortOrder::Ascend),
        "descend" => Ok(SortOrder::Descend),
        _ => Err(format!("`order` is \"{name}\", expected ASCEND or DESCEND")),
    }
}

fn target(name: &str) -> Result<SortTarget, String> {
    match name.to_ascii_lowercase().as_str() {
        "" | "key" => Ok(SortTarget::Key),
        "version" => Ok(SortTarget::Version),
        "create" => Ok(SortTarget::Create),
        "mod" => Ok(SortTarget::Modified),
        "value" => Ok(SortTarget::Value),
        _ => Err(format!("`sort` is \"{name}\", expected key, version, create, mod or value")),
    }
}

pub(super) fn delete(fields: &mut Fields<'_>) -> Result<DeleteRange, String> {
    Ok(DeleteRange { keys: keys(fields)?, prev_kv: fields.flag(&["prev_kv"])? })
}

pub(super) fn txn(fields: &mut Fields<'_>) -> Result<Txn, String> {
    Ok(Txn {
        compare: fields.list(&["compare"])?.iter().map(compare).collect::<Result<_, _>>()?,
        success: fields.list(&["then", "success"])?.iter().map(operation).collect::<Result<_, _>>()?,
        failure: fields.list(&["else", "failure"])?.iter().map(operation).collect::<Result<_, _>>()?,
    })
}

fn operation(value: &Value) -> Result<Op, String> {
    let mut fields = Fields::of(value)?;
    let op = match fields.text(&["op"])? {
        "put" => Op::Put(put(&mut fields)?),
        "get" => Op::Range(range(&mut fields)?),
        "delete" => Op::DeleteRange(delete(&mut fields)?),
        "txn" => Op::Txn(txn(&mut fields)?),
        other => return Err(format!("\"{other}\" is no operation of a transaction")),
    };
    fields.finish()?;
    Ok(op)
}

fn compare(value: &Value) -> Result<Compare, String> {
    let mut fields = Fields::of(value)?;
    let keys = keys(&mut fields)?;
    let target = match fields.text(&["target"])? {
        "version" => Target::Version(fields.number(&["v"])?),
        "create" => Target::Create(revision(fields.number(&["v"])?)),
        "mod" => Target::Modified(revision(fields.number(&["v"])?)),
        "value" => Target::Value(Bytes::from(fields.text(&["v"])?)),
        "lease" => Target::Lease(fields.number(&["v"])?),
        other => return Err(format!("\"{other}\" is nothing that is compared")),
    };
    let result = match fields.text(&["result"])? {
        "=" => CompareResult::Equal,
        "!=" => CompareResult::NotEqual,
        ">" => CompareResult::Greater,
        "<" => CompareResult::Less,
        other => return Err(format!("`result` is \"{other}\", expected =, !=, > or <")),
    };
    fields.finish()?;
    Ok(Compare { keys, target, result })
}

pub(super) fn watch(fields: &mut Fields<'_>) -> Result<Watch, String> {
    Ok(Watch {
        keys: keys(fields)?,
        start: revision(fields.number_or_zero(&["from", "start_revision"])?),
        prev_kv: fields.flag(&["prev_kv"])?,
        no_put: fields.flag(&["no_put", "noput"])?,
        no_delete: fields.flag(&["no_delete", "nodelete"])?,
    })
}
