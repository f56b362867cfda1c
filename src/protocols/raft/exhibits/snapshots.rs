//! Defects of snapshots and of the compacted log.

use crate::protocols::exhibit::{Exhibit, Rarity};
use crate::protocols::raft::rules::Rules;

/// Those of this kind.
pub(super) const EXHIBITS: &[Exhibit<Rules>] = &[
    Exhibit {
        id: "campaign-with-pending-snapshot",
        story: "a server campaigns as if it had a snapshot that it has begun to receive",
        source: "etcd-io/raft f1f74e0, etcd pull request 12163 \"don't campaign with pending snapshot\"; canonical/raft 4fbd3c0",
        invariants: &["raft.leader-completeness"],
        rarity: Rarity::Specific,
        plant: |rules| rules.compact.campaigns_from = |log, pending| pending.map_or(log, |pending| log.max(pending)),
    },
    Exhibit {
        id: "snapshot-discards-suffix",
        story: "a snapshot takes the place of the whole log, also of entries after it that agree",
        source: "Raft paper, section 7: \"entries following the snapshot are still valid and must be retained\"; etcd-io/raft 80615be \"do not restore snapshot if local raft has longer matching history\"",
        invariants: &["raft.acknowledged-durable", "raft.committed-kept"],
        rarity: Rarity::Specific,
        plant: |rules| rules.compact.keeps_suffix = |_, _| false,
    },
    Exhibit {
        id: "snapshot-keeps-conflicting-suffix",
        story: "entries after a snapshot stay, also if those before them conflict with it",
        source: "openraft 21684bbd: \"conflicting logs before snapshot last id should be deleted\"",
        invariants: &["raft.log-matching"],
        rarity: Rarity::Specific,
        plant: |rules| rules.compact.keeps_suffix = |_, _| true,
    },
    Exhibit {
        id: "snapshot-boundary-off-by-one",
        story: "who needs exactly the last entry that is compacted away is sent entries",
        source: "WRaft issue 118 (SandTable); RedisLabs/raft pull requests 47 and 68; daos-stack/raft pull request 10",
        invariants: &["raft.settles"],
        rarity: Rarity::Common,
        plant: |rules| rules.compact.needs_snapshot = |next, base| next < base,
    },
    Exhibit {
        id: "snapshot-loses-configuration",
        story: "whoever takes over a snapshot keeps the members that it knew",
        source: "etcd-io/raft e515a67 and a424e5b; openraft 01e813a5: stale membership survived the installation of a snapshot",
        invariants: &["raft.configuration-in-log"],
        rarity: Rarity::Common,
        plant: |rules| rules.compact.configuration = |known, _| known,
    },
    Exhibit {
        id: "snapshots-never-taken",
        story: "nobody asks whether it is time for a snapshot, and the log grows",
        source: "matrixarkai/TemporalStore pull request 104: the threshold \"is never consulted\"; openbao issue 3342: \"the log can grow indefinitely\"",
        invariants: &["raft.log-compacted"],
        rarity: Rarity::Common,
        plant: |rules| rules.compact.is_due = |_, _, _| false,
    },
    Exhibit {
        id: "snapshot-loses-sessions",
        story: "the sessions of clients are not part of a snapshot",
        source: "LogCabin 445f383: \"state machines diverge\" when a snapshot lacks something of the sessions",
        invariants: &["raft.state-machine-safety"],
        rarity: Rarity::Common,
        plant: |rules| rules.compact.has_sessions = || false,
    },
];
