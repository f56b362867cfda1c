//! What the server refuses, with its own words.

use std::fmt;

/// A refusal. Written with [`Display`](fmt::Display) it is the text that a client is sent.
/// Source: `etcdserver/api/v3rpc/rpctypes/error.go` of etcd 3.4.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Error {
    /// A request without a key.
    EmptyKey,
    /// `ignore_value` or `ignore_lease` for a key that is not there, or an operation of a transaction that is none.
    KeyNotFound,
    /// A value beside `ignore_value`.
    ValueProvided,
    /// A lease beside `ignore_lease`.
    LeaseProvided,
    /// More than 128 comparisons or operations in a transaction.
    TooManyOps,
    /// Two changes of one key in a transaction.
    DuplicateKey,
    /// The revision asked for is no longer kept.
    Compacted,
    /// The revision asked for is yet to come.
    FutureRevision,
    /// No lease has this id.
    LeaseNotFound,
    /// A lease has this id already.
    LeaseExists,
    /// A time to live above 9,000,000,000 seconds.
    LeaseTtlTooLarge,
    /// This member does not lead, and so does not know how long leases live.
    NotPrimary,
}

impl Error {
    /// The gRPC status code that goes with it.
    pub fn code(self) -> u32 {
        match self {
            // No code was given to it: clients see "unknown".
            Error::NotPrimary => 2,
            Error::EmptyKey
            | Error::KeyNotFound
            | Error::ValueProvided
            | Error::LeaseProvided
            | Error::TooManyOps
            | Error::DuplicateKey => 3,
            Error::LeaseNotFound => 5,
            Error::LeaseExists => 9,
            Error::Compacted | Error::FutureRevision | Error::LeaseTtlTooLarge => 11,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Error::EmptyKey => "etcdserver: key is not provided",
            Error::KeyNotFound => "etcdserver: key not found",
            Error::ValueProvided => "etcdserver: value is provided",
            Error::LeaseProvided => "etcdserver: lease is provided",
            Error::TooManyOps => "etcdserver: too many operations in txn request",
            Error::DuplicateKey => "etcdserver: duplicate key given in txn request",
            Error::Compacted => "etcdserver: mvcc: required revision has been compacted",
            Error::FutureRevision => "etcdserver: mvcc: required revision is a future revision",
            Error::LeaseNotFound => "etcdserver: requested lease not found",
            Error::LeaseExists => "etcdserver: lease already exists",
            Error::LeaseTtlTooLarge => "etcdserver: too large lease TTL",
            Error::NotPrimary => "not a primary lessor",
        })
    }
}

impl std::error::Error for Error {}
