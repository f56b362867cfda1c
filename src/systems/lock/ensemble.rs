//! What a scenario says of servers that replicate by Raft.

use crate::scenario::diagnostic::Complaint;
use crate::scenario::locate::PathStep;
use crate::scenario::model::Scenario;
use crate::systems::BuiltIn;
use crate::systems::raft::RaftSettings;

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
