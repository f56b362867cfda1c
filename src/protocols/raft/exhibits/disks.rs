//! Defects of what a server believes of its disk, and of what reaches it.

use crate::protocol::{Afterwards, Damage, DiskFailure};
use crate::protocols::exhibit::{Exhibit, Rarity};
use crate::protocols::raft::rules::Rules;

/// Those of this kind.
pub(super) const EXHIBITS: &[Exhibit<Rules>] = &[
    Exhibit {
        id: "ack-before-fsync",
        story: "a follower acknowledges entries before they are durable",
        source: "openraft ee460f37 \"Ensure Respond waits for IO completion\"; etcd issue 14370",
        invariants: &["raft.acknowledged-durable", "raft.commit-quorum"],
        rarity: Rarity::Common,
        plant: |rules| rules.acknowledgement_waits_for_disk = || false,
    },
    Exhibit {
        id: "leader-counts-itself-before-fsync",
        story: "a leader counts its own copy of an entry before it is durable",
        source: "openraft a9f696a9 \"New leader must flush blank log\"; thesis, section 10.2.1",
        invariants: &["raft.acknowledged-durable", "raft.commit-quorum"],
        rarity: Rarity::Common,
        plant: |rules| rules.leader_waits_for_disk = || false,
    },
    Exhibit {
        id: "append-failure-keeps-memory",
        story: "after a failed write a server goes on with the entry in memory",
        source: "canonical/raft 857e17e \"Truncate in-memory log when follower append fails\"; hashicorp/raft issue 460",
        invariants: &["raft.acknowledged-durable"],
        rarity: Rarity::Common,
        plant: |rules| {
            rules.after_disk_failure = |failure| match failure {
                DiskFailure::Write | DiskFailure::Full => Afterwards::GoOn,
                DiskFailure::Sync => Afterwards::Stop,
            }
        },
    },
    Exhibit {
        id: "fsync-retried-after-error",
        story: "after a failed sync a server goes on, and takes the next one that succeeds for both",
        source: "Rebello et al., \"Can Applications Recover from fsync Failures?\", USENIX ATC 2020; the handling of fsync in PostgreSQL, 2018",
        invariants: &["raft.acknowledged-durable"],
        rarity: Rarity::Common,
        plant: |rules| {
            rules.after_disk_failure = |failure| match failure {
                DiskFailure::Write | DiskFailure::Full => Afterwards::Stop,
                DiskFailure::Sync => Afterwards::GoOn,
            }
        },
    },
    Exhibit {
        id: "full-disk-ignored",
        story: "a server whose disk is full goes on without looking whether its log was stored",
        source: "RaftKeeper issue 287: \"This error occurs when the disk is full. It is caused by log segment store which ignores the append log error\"",
        invariants: &["raft.acknowledged-durable"],
        rarity: Rarity::Common,
        plant: |rules| {
            rules.after_disk_failure = |failure| match failure {
                DiskFailure::Full => Afterwards::GoOn,
                DiskFailure::Write | DiskFailure::Sync => Afterwards::Stop,
            }
        },
    },
    Exhibit {
        id: "leader-with-stalled-disk",
        story: "a leader whose disk stands still takes itself for one of those that answer, and leads on",
        source: "hashicorp/raft issue 503 \"When the leader's raft.LogStore hangs indefinitely, the network will hang indefinitely instead of re-electing\"; tarantool issue 9399",
        invariants: &["raft.settles"],
        rarity: Rarity::Common,
        plant: |rules| rules.answers_itself = |_, _| true,
    },
    Exhibit {
        id: "blank-rejoin-same-id",
        story: "a server that has lost its disk comes back as the voter it was",
        source: "Vanlightly, raft-tlaplus, on joint consensus",
        invariants: &["raft.leader-completeness", "raft.vote-monotonic"],
        rarity: Rarity::Common,
        plant: |rules| {
            rules.may_take_part = |damage| !matches!(damage, Some(Damage::Rotten { .. }));
        },
    },
    Exhibit {
        id: "rot-taken-for-torn-tail",
        story: "a record that has rotted is taken for one that a crash has torn, and the log cut before it",
        source: "Alagappan et al., \"Protocol-Aware Recovery for Consensus-Based Storage\", FAST 2018",
        invariants: &["raft.leader-completeness", "raft.vote-monotonic"],
        rarity: Rarity::Common,
        plant: |rules| rules.may_take_part = |damage| damage != Some(Damage::Replaced),
    },
    Exhibit {
        id: "torn-tail-taken-for-rot",
        story: "a record that a crash has torn is taken for one that has rotted, and its server takes no part any more",
        source: "Alagappan et al., \"Protocol-Aware Recovery for Consensus-Based Storage\", FAST 2018, section 3.3",
        invariants: &["raft.restart-restores"],
        rarity: Rarity::Common,
        plant: |rules| rules.may_take_part = |damage| damage.is_none(),
    },
    Exhibit {
        id: "record-without-checksum",
        story: "a record that was half written when the power failed is believed",
        source: "Alagappan et al., \"Protocol-Aware Recovery for Consensus-Based Storage\", FAST 2018: \"NoDetection\"",
        invariants: &[
            "raft.acknowledged-durable",
            "raft.committed-kept",
            "raft.leader-completeness",
            "raft.log-matching",
            "raft.settles",
            "raft.term-monotonic",
            "raft.vote-monotonic",
        ],
        rarity: Rarity::Common,
        plant: |rules| rules.checks_records = || false,
    },
    Exhibit {
        id: "message-without-checksum",
        story: "a message that was damaged on its way is believed",
        source: "Amazon S3 Availability Event: July 20, 2008",
        invariants: &[
            "raft.acknowledged-durable",
            "raft.commit-quorum",
            "raft.committed-kept",
            "raft.election-quorum",
            "raft.leader-completeness",
            "raft.log-matching",
            "raft.match-monotonic",
            "raft.state-machine-safety",
        ],
        rarity: Rarity::Common,
        plant: |rules| rules.checks_messages = || false,
    },
];
