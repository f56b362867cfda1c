//! What must happen once the faults are over: every lock can be had again, and everybody gets one.

use super::exclusion::how;
use crate::oracle::spec::Violation;
use crate::protocol::NodeId;
use crate::protocols::lock::claim::{Claim, ClaimId, LockId, Mode};
use crate::protocols::lock::config::Config;
use std::collections::{BTreeMap, BTreeSet};

/// What is still to happen.
#[derive(Clone, Debug)]
pub struct Calm {
    /// Who has still to get which lock, and how.
    wanted: BTreeSet<(NodeId, LockId, Mode)>,
    /// Who has entered since then.
    entered: BTreeSet<ClaimId>,
    /// How often something was written under each lock since then by those.
    had: BTreeMap<LockId, u64>,
}

impl Calm {
    /// All that these clients will try, see [`Config::probed_by`].
    pub fn of(config: &Config, is_well: impl Fn(NodeId) -> bool) -> Calm {
        let clients = (0..config.clients).map(|place| (usize::from(place), NodeId::new(config.servers + place)));
        let wanted = clients
            .filter(|(_, client)| is_well(*client))
            .flat_map(|(place, client)| config.probed_by(place).map(move |(lock, mode)| (client, lock, mode)))
            .collect();
        Calm { wanted, entered: BTreeSet::new(), had: BTreeMap::new() }
    }

    /// A client has got a lock.
    pub fn entered(&mut self, claim: &Claim) {
        self.entered.insert(claim.id);
    }

    /// The resource has taken a write. Who enters and never comes to write has been served by nobody.
    pub fn accepted(&mut self, claim: &Claim) {
        if self.entered.contains(&claim.id) {
            self.wanted.remove(&(claim.client, claim.lock, claim.mode));
            *self.had.entry(claim.lock).or_default() += 1;
        }
    }

    /// Whether all has happened.
    pub fn is_over(&self) -> bool {
        self.wanted.is_empty()
    }

    /// What has not happened.
    pub fn pending(&self) -> Violation {
        let Some((client, lock, mode)) = self.wanted.first() else {
            return Violation::new("lock.served", &[], "everybody was served");
        };
        let others = self.wanted.len() - 1;
        let also = if others == 0 { String::new() } else { format!("; {others} more wait") };
        let how = how(*mode);
        match self.had.get(lock) {
            None => {
                let message =
                    format!("nobody has written under lock {} since, and {client:?} wants to, {how}{also}", lock.0);
                Violation::new("lock.freed", &[*client], message)
            }
            Some(times) => {
                let message = format!(
                    "{client:?} has not written under lock {} {how}, under which was written {times} times since{also}",
                    lock.0
                );
                Violation::new("lock.served", &[*client], message)
            }
        }
    }
}
