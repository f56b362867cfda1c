//! What a scenario says of servers that replicate by Raft.

use crate::protocols::raft::config;
use crate::protocols::raft::rules::Rules;
use crate::scenario::diagnostic::Complaint;
use crate::scenario::locate::PathStep;
use crate::scenario::model::Scenario;
use crate::systems::BuiltIn;
use crate::systems::raft::RaftSettings;

/// What the servers of Raft are told.
pub(super) fn config(settings: &RaftSettings) -> config::Config {
    config::Config {
        servers: settings.nodes,
        election_timeout_min: settings.election_timeout.min,
        election_timeout_max: settings.election_timeout.max,
        heartbeat: settings.heartbeat,
        pre_vote: settings.pre_vote,
        check_quorum: settings.check_quorum,
        append_max: settings.append_max as usize,
        inflight_max: settings.inflight_max as usize,
        rules: Rules::SOUND,
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
