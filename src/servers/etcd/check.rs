//! What is refused before anything is looked up: requests that are wrong in themselves.
//!
//! Source: `etcdserver/api/v3rpc/key.go` of etcd 3.4.

use super::bytes::{Bytes, KeyRange};
use super::error::Error;
use super::request::{Op, Put, Txn};
use std::collections::BTreeSet;

/// The most comparisons of a transaction, and the most operations of each of its branches. Source: `DefaultMaxTxnOps`.
pub const TXN_OPS_MAX: usize = 128;

/// Whether a put is one.
///
/// # Errors
///
/// [`Error::EmptyKey`], [`Error::ValueProvided`], [`Error::LeaseProvided`].
pub fn put(put: &Put) -> Result<(), Error> {
    keys(&put.key)?;
    if put.ignore_value && !put.value.is_empty() {
        return Err(Error::ValueProvided);
    }
    if put.ignore_lease && put.lease != 0 {
        return Err(Error::LeaseProvided);
    }
    Ok(())
}

/// Whether a key is given.
///
/// # Errors
///
/// [`Error::EmptyKey`].
pub fn keys(key: &Bytes) -> Result<(), Error> {
    if key.is_empty() { Err(Error::EmptyKey) } else { Ok(()) }
}

/// Whether a transaction is one, in both branches.
///
/// # Errors
///
/// [`Error::TooManyOps`], [`Error::DuplicateKey`], and those of its operations.
pub fn txn(txn: &Txn) -> Result<(), Error> {
    operations(txn, TXN_OPS_MAX)?;
    Changes::of(&txn.success)?;
    Changes::of(&txn.failure)?;
    Ok(())
}

/// Checks each operation. A transaction inside may have as many as the one around it leaves.
fn operations(txn: &Txn, ops_max: usize) -> Result<(), Error> {
    let count = txn.compare.len().max(txn.success.len()).max(txn.failure.len());
    let left = ops_max.checked_sub(count).ok_or(Error::TooManyOps)?;
    for compare in &txn.compare {
        keys(&compare.keys.key)?;
    }
    for op in txn.success.iter().chain(&txn.failure) {
        match op {
            Op::Put(request) => put(request)?,
            Op::Range(range) => keys(&range.keys.key)?,
            Op::DeleteRange(delete) => keys(&delete.keys.key)?,
            Op::Txn(inside) => operations(inside, left)?,
        }
    }
    Ok(())
}

/// What a branch may change, those inside of it together.
#[derive(Default)]
struct Changes<'a> {
    puts: BTreeSet<&'a [u8]>,
    deletes: Vec<&'a KeyRange>,
}

impl<'a> Changes<'a> {
    /// # Errors
    ///
    /// [`Error::DuplicateKey`] for two puts of a key, or a put of a key that is removed. The server does not look at a
    /// removal inside that comes after a put inside; nor do we.
    fn of(ops: &'a [Op]) -> Result<Changes<'a>, Error> {
        let mut changes = Changes::default();
        for op in ops {
            if let Op::DeleteRange(delete) = op {
                changes.deletes.push(&delete.keys);
            }
        }
        for op in ops {
            if let Op::Txn(inside) = op {
                changes.add_inside(Changes::of(&inside.success)?, Changes::of(&inside.failure)?)?;
            }
        }
        for op in ops {
            if let Op::Put(put) = op {
                changes.put(&put.key)?;
            }
        }
        Ok(changes)
    }

    /// Adds the two branches of a transaction inside: only one of them will be done, so both may put a key.
    fn add_inside(&mut self, success: Changes<'a>, failure: Changes<'a>) -> Result<(), Error> {
        for key in &success.puts {
            self.put(key)?;
        }
        for key in &failure.puts {
            if success.puts.contains(key) { self.check_deletes(key)? } else { self.put(key)? }
        }
        self.deletes.extend(success.deletes);
        self.deletes.extend(failure.deletes);
        Ok(())
    }

    fn put(&mut self, key: &'a [u8]) -> Result<(), Error> {
        self.check_deletes(key)?;
        if self.puts.insert(key) { Ok(()) } else { Err(Error::DuplicateKey) }
    }

    /// The server takes the end `"\0"` for the key that it looks like here, so that a range without end removes
    /// nothing in its eyes.
    fn check_deletes(&self, key: &[u8]) -> Result<(), Error> {
        let removed = self.deletes.iter().any(|keys| !keys.is_endless() && keys.contains(key));
        if removed { Err(Error::DuplicateKey) } else { Ok(()) }
    }
}
