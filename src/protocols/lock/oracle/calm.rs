//! What must happen once the faults are over: every lock can be had again, and everybody gets one.

use crate::oracle::spec::Violation;
use crate::protocol::NodeId;
use crate::protocols::lock::claim::LockId;
use crate::protocols::lock::config::Config;
use std::collections::{BTreeMap, BTreeSet};

/// What is still to happen.
#[derive(Clone, Debug)]
pub struct Calm {
    /// Who has still to get which lock.
    wanted: BTreeSet<(NodeId, LockId)>,
    /// How often each lock was had since then.
    had: BTreeMap<LockId, u64>,
}

impl Calm {
    /// All that these clients will try, see [`Config::probed_by`].
    pub fn of(config: &Config, is_well: impl Fn(NodeId) -> bool) -> Calm {
        let clients = (0..config.clients).map(|place| (usize::from(place), NodeId::new(config.servers + place)));
        let wanted = clients
            .filter(|(_, client)| is_well(*client))
            .flat_map(|(place, client)| config.probed_by(place).map(move |lock| (client, lock)))
            .collect();
        Calm { wanted, had: BTreeMap::new() }
    }

    /// A client has got a lock.
    pub fn entered(&mut self, client: NodeId, lock: LockId) {
        self.wanted.remove(&(client, lock));
        *self.had.entry(lock).or_default() += 1;
    }

    /// Whether all has happened.
    pub fn is_over(&self) -> bool {
        self.wanted.is_empty()
    }

    /// What has not happened.
    pub fn pending(&self) -> Violation {
        let Some((client, lock)) = self.wanted.first() else {
            return Violation::new("lock.served", &[], "everybody was served");
        };
        let others = self.wanted.len() - 1;
        let also = if others == 0 { String::new() } else { format!("; {others} more wait") };
        match self.had.get(lock) {
            None => {
                let message = format!("nobody has got lock {} since, and {client:?} waits for it{also}", lock.0);
                Violation::new("lock.freed", &[*client], message)
            }
            Some(times) => {
                let message =
                    format!("{client:?} waits for lock {}, which others got {times} times since{also}", lock.0);
                Violation::new("lock.served", &[*client], message)
            }
        }
    }
}
