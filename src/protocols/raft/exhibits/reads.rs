//! Defects of reads that spare the log, and of sessions.

use crate::protocols::exhibit::{Exhibit, Rarity};
use crate::protocols::raft::rules::Rules;

/// Those of this kind.
pub(super) const EXHIBITS: &[Exhibit<Rules>] = &[
    Exhibit {
        id: "stale-leader-read",
        story: "a leader answers reads from its own state and does not ask whether it still leads",
        source: "thesis, section 6.4; Consul issue 54 \"Document potential stale read situation\"; etcd 0.4.1 in Jepsen, 2014",
        invariants: &["raft.linearizable"],
        rarity: Rarity::Common,
        plant: |rules| rules.read.needs_round = || false,
    },
    Exhibit {
        id: "lease-read-unsafe-clock",
        story: "a leader takes its lease to be as long as the shortest election timeout, whatever clocks may drift apart",
        source: "etcd, ReadOnlyLeaseBased: \"clock can move backward/pause without any bound\"; thesis, section 6.4.1; TiKV issue 964",
        invariants: &["raft.lease-exclusive", "raft.linearizable"],
        rarity: Rarity::Common,
        plant: |rules| rules.read.lease = |timeout, _| timeout,
    },
    Exhibit {
        id: "duplicate-command-applied",
        story: "a command that a client has sent again takes effect again",
        source: "thesis, section 6.3; etcd pull request 4691: \"retry might lead to duplicate proposals\"; rabbitmq/khepri pull request 250",
        invariants: &["raft.linearizable"],
        rarity: Rarity::Common,
        plant: |rules| rules.is_repetition = |_, _| false,
    },
    Exhibit {
        id: "readindex-before-term-commit",
        story: "a new leader says what is committed before an entry of its own term is",
        source: "thesis, section 6.4, step 1; etcd issue 7331, f9382a4; TiKV issue 9208",
        invariants: &["raft.linearizable"],
        rarity: Rarity::Specific,
        plant: |rules| rules.read.knows_commit = |_, _| true,
    },
    Exhibit {
        id: "read-quorum-minus-one",
        story: "one server too few confirms that a leader still leads",
        source: "openraft d60f1e85: reads used a quorum of a majority less one",
        invariants: &["raft.linearizable"],
        rarity: Rarity::Common,
        plant: |rules| rules.read.quorum = |votes| votes / 2,
    },
    Exhibit {
        id: "readindex-ctx-reused",
        story: "a read is answered when a round is confirmed that was under way before it came",
        source: "etcd-io/raft pull request 397, 63903dd: an old acknowledgement confirmed a new read with the same context",
        invariants: &["raft.linearizable"],
        rarity: Rarity::Specific,
        plant: |rules| rules.read.round = |latest, _| latest,
    },
    Exhibit {
        id: "lease-kept-in-transfer",
        story: "a leader that has told another one to campaign still reads by its lease",
        source: "thesis, section 6.4.1; TiKV issue 1593; etcd issue 12704",
        invariants: &["raft.lease-exclusive", "raft.linearizable"],
        rarity: Rarity::Common,
        plant: |rules| rules.read.survives_transfer = || true,
    },
    Exhibit {
        id: "lease-from-ack-time",
        story: "a lease begins when it is confirmed, not when the question was sent",
        source: "thesis, section 6.4.1; openraft 1ef3e574 (pull request 1747)",
        invariants: &["raft.lease-exclusive", "raft.linearizable"],
        rarity: Rarity::Common,
        plant: |rules| rules.read.lease_begins = |_, now| now,
    },
    Exhibit {
        id: "lease-forgotten-by-restart",
        story: "a server that has started again votes at once, whatever lease it has given",
        source: "thesis, section 6.4.1: a lease rests on followers that start no election for an election timeout after they have heard the leader",
        invariants: &["raft.lease-exclusive", "raft.linearizable"],
        rarity: Rarity::Common,
        plant: |rules| rules.read.restart_honours_lease = || false,
    },
    Exhibit {
        id: "dedup-at-leader-only",
        story: "a leader looks for repetitions when a command comes, and nobody does when it is applied",
        source: "thesis, section 6.3: the state machine filters duplicates, for it alone knows what has been applied",
        invariants: &["raft.linearizable"],
        rarity: Rarity::Common,
        plant: |rules| {
            rules.is_repetition = |_, _| false;
            rules.is_refused_as_repetition = |sequence, last| sequence <= last;
        },
    },
    Exhibit {
        id: "error-means-not-applied",
        story: "a client that has no answer takes its command for one that never happened, and sends it as a new one",
        source: "Jepsen, Redis-Raft 1b3fbf6, 2020, on aborted reads; thesis, section 6.3; openraft 43dd8b6f",
        invariants: &["raft.linearizable"],
        rarity: Rarity::Common,
        plant: |rules| rules.repeats_as = |sequence| sequence + 1,
    },
    Exhibit {
        id: "expiry-by-local-clock",
        story: "every server ends a session by its own clock",
        source: "thesis, section 6.3: \"session expiry must be deterministic\"; LogCabin 445f383",
        invariants: &["raft.linearizable", "raft.state-machine-safety"],
        rarity: Rarity::Common,
        plant: |rules| rules.session.clock = |_, local| local,
    },
    Exhibit {
        id: "session-recreated-if-unknown",
        story: "a command of a session that is over begins a new one, and is carried out",
        source: "thesis, section 6.3: who is not known any more gets an error, for its command may have been carried out before",
        invariants: &["raft.linearizable"],
        rarity: Rarity::Specific,
        plant: |rules| rules.session.may_open = |_| true,
    },
];
