//! What a scenario says of servers that replicate by Raft.

use crate::scenario::diagnostic::Complaint;
use crate::scenario::locate::PathStep;
use crate::scenario::model::Scenario;
use crate::systems::BuiltIn;
use crate::systems::raft::{RaftSettings, SnapshotSettings};
use serde::{Deserialize, Serialize};

/// When servers compact their log into a snapshot, which travels in one piece.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WholeSnapshotSettings {
    /// After so many entries, at least 1.
    pub every: u32,
    /// So many entries before a snapshot stay in the log. Default: none.
    #[serde(default)]
    pub keep: u32,
}

impl WholeSnapshotSettings {
    /// As Raft is told.
    pub(super) fn of_raft(self) -> SnapshotSettings {
        SnapshotSettings { every: self.every, keep: self.keep, chunk: 1 }
    }
}

/// What is wrong with those settings, which stand in those of the kind.
pub(super) fn complaints(settings: &RaftSettings, scenario: &Scenario<BuiltIn>) -> Vec<Complaint> {
    let mut complaints = settings.complaints();
    complaints.extend(settings.complaints_about(scenario));
    for complaint in &mut complaints {
        if complaint.path.first() == Some(&PathStep::Field("system".to_owned())) {
            complaint.path.insert(1, PathStep::Field("kind".to_owned()));
        }
        complaint.cure = complaint.cure.replace("system.", "system.kind.");
    }
    complaints
}
