//! What a client can ask of the keys, and what it is answered: the messages of the API, by their names there.
//!
//! A revision, version, lease or limit is an `i64` as in the API; zero means that it is not given.

use super::bytes::{Bytes, KeyRange};

/// A key as it was at some revision.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KeyValue {
    /// The key.
    pub key: Bytes,
    /// Its value.
    pub value: Bytes,
    /// The revision at which it was last created.
    pub create: i64,
    /// The revision at which it was last changed.
    pub modified: i64,
    /// How often it was put since it was created: 1 at first.
    pub version: i64,
    /// The lease that it goes with; 0 for none.
    pub lease: i64,
}

/// Set a key.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Put {
    /// The key.
    pub key: Bytes,
    /// Its new value.
    pub value: Bytes,
    /// The lease that it shall go with; 0 for none.
    pub lease: i64,
    /// Answer with the key as it was.
    pub prev_kv: bool,
    /// Keep the value that it has.
    pub ignore_value: bool,
    /// Keep the lease that it has.
    pub ignore_lease: bool,
}

/// Read keys.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Range {
    /// Which.
    pub keys: KeyRange,
    /// At most so many; 0 for all.
    pub limit: i64,
    /// As they were at this revision; 0 or less for now.
    pub revision: i64,
    /// In this direction.
    pub order: SortOrder,
    /// Sorted by this.
    pub target: SortTarget,
    /// Without their values.
    pub keys_only: bool,
    /// Only how many there are.
    pub count_only: bool,
    /// Those changed at this revision or later.
    pub min_mod: i64,
    /// Those changed at this revision or before.
    pub max_mod: i64,
    /// Those created at this revision or later.
    pub min_create: i64,
    /// Those created at this revision or before.
    pub max_create: i64,
}

/// A direction of sorting.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SortOrder {
    /// Not said: by key, or rising if a target other than the key is given.
    #[default]
    Unsaid,
    /// Rising.
    Ascend,
    /// Falling.
    Descend,
}

/// What is sorted by.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SortTarget {
    /// The key.
    #[default]
    Key,
    /// The version.
    Version,
    /// The revision of the creation.
    Create,
    /// The revision of the last change.
    Modified,
    /// The value.
    Value,
}

/// Remove keys.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DeleteRange {
    /// Which.
    pub keys: KeyRange,
    /// Answer with the keys as they were.
    pub prev_kv: bool,
}

/// Compare, then do one thing or the other, all at one revision.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Txn {
    /// What is compared; the transaction succeeds if all of it holds.
    pub compare: Vec<Compare>,
    /// What is done if it succeeds.
    pub success: Vec<Op>,
    /// What is done if not.
    pub failure: Vec<Op>,
}

/// One operation of a transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Op {
    /// Set a key.
    Put(Put),
    /// Read keys.
    Range(Range),
    /// Remove keys.
    DeleteRange(DeleteRange),
    /// A transaction inside.
    Txn(Txn),
}

/// A comparison. In a range it must hold for each key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Compare {
    /// The keys that are looked at.
    pub keys: KeyRange,
    /// What of them, and with what it is compared.
    pub target: Target,
    /// How.
    pub result: CompareResult,
}

/// A property of a key and what it is compared with. A key that is not there has zero for every number,
/// and a comparison of its value never holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// How often it was put since it was created.
    Version(i64),
    /// The revision of its creation.
    Create(i64),
    /// The revision of its last change.
    Modified(i64),
    /// Its value.
    Value(Bytes),
    /// Its lease.
    Lease(i64),
}

/// How a key's property shall stand to what is given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CompareResult {
    /// The same.
    Equal,
    /// Greater.
    Greater,
    /// Less.
    Less,
    /// Another.
    NotEqual,
}

/// The answer to a [`Put`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PutReply {
    /// The revision of the change.
    pub revision: i64,
    /// The key as it was, if that was asked for and there was one.
    pub prev_kv: Option<KeyValue>,
}

/// The answer to a [`Range`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RangeReply {
    /// The newest revision of the store.
    pub revision: i64,
    /// What was found, as sorted and limited.
    pub kvs: Vec<KeyValue>,
    /// Whether the limit left some out.
    pub more: bool,
    /// How many keys the range has, whatever the limit and the bounds on revisions.
    pub count: i64,
}

/// The answer to a [`DeleteRange`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct DeleteRangeReply {
    /// The revision of the change, or the newest if there was none.
    pub revision: i64,
    /// How many keys are gone.
    pub deleted: i64,
    /// These keys as they were, if that was asked for.
    pub prev_kvs: Vec<KeyValue>,
}

/// The answer to a [`Txn`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TxnReply {
    /// The revision of the change, or the newest if there was none; 0 in a transaction inside another.
    pub revision: i64,
    /// Whether all comparisons held.
    pub succeeded: bool,
    /// An answer for each operation that was done.
    pub responses: Vec<OpReply>,
}

/// The answer to one operation of a transaction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OpReply {
    /// To a [`Put`].
    Put(PutReply),
    /// To a [`Range`].
    Range(RangeReply),
    /// To a [`DeleteRange`].
    DeleteRange(DeleteRangeReply),
    /// To a [`Txn`] inside.
    Txn(TxnReply),
}
