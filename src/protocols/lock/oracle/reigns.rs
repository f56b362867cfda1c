//! Who has reigned when, where a replica of Redis takes the place of a primary.

use crate::environment::disk::Disk;
use crate::oracle::spec::{Verdict, View, Violation};
use crate::protocol::{NodeId, Protocol};
use crate::protocols::lock::message::Record;
use crate::protocols::lock::node::Lock;
use std::collections::BTreeMap;

/// The reigns that there were.
#[derive(Clone, Debug, Default)]
pub struct Reigns {
    /// Of each, the first that was seen to be primary in it.
    primaries: BTreeMap<u64, NodeId>,
}

impl Reigns {
    /// The highest that has begun, and whose it is.
    pub fn latest(&self) -> Option<(u64, NodeId)> {
        self.primaries.last_key_value().map(|(reign, primary)| (*reign, *primary))
    }

    /// A server has done something. O(log n) for n reigns.
    ///
    /// # Errors
    /// `lock.one-primary`, unless a disk has lost for which server its own has voted.
    pub fn after_step(&mut self, view: &View<Lock>, node: NodeId, servers: u16) -> Verdict {
        let Some(reign) = view.state(node).and_then(|server| server.role("primary")) else { return Ok(()) };
        let first = *self.primaries.entry(reign).or_insert(node);
        let has_forgotten = |server| has_lost(&view.host(NodeId::new(server)).disk);
        if first == node || (0..servers).any(has_forgotten) {
            return Ok(());
        }
        let message = format!("{node:?} is primary in reign {reign}, and so was {first:?}");
        Err(Box::new(Violation::new("lock.one-primary", &[first, node], message)))
    }
}

/// Whether a disk has ever lost what it had called durable.
fn has_lost(disk: &Disk<Record>) -> bool {
    let books = disk.books();
    books.wiped + books.lost_durable + books.cut > 0
}
