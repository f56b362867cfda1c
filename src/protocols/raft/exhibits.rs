//! Published defects of Raft implementations, planted by replacing rules.

use super::rules::Rules;
use crate::protocol::Damage;

/// How rare it is that a run under a generic mix of faults shows a defect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rarity {
    /// Within about 100 seeds.
    Common,
    /// Needs a specific interleaving: within 100 to 10,000 seeds.
    Specific,
    /// More, or a directed profile.
    VeryRare,
}

/// A published defect that can be planted.
#[derive(Clone, Copy, Debug)]
pub struct Exhibit {
    /// Its name in a scenario.
    pub id: &'static str,
    /// What it does, against what a sound server does.
    pub story: &'static str,
    /// Where it was published.
    pub source: &'static str,
    /// The invariants of which one breaks first.
    pub invariants: &'static [&'static str],
    /// How rare that is.
    pub rarity: Rarity,
    /// Plants it.
    pub plant: fn(&mut Rules),
}

/// All exhibits of Raft.
pub const EXHIBITS: [Exhibit; 16] = [
    Exhibit {
        id: "vote-without-log-check",
        story: "a voter grants without comparing logs",
        source: "Raft paper, section 5.4.1; hashicorp/raft 441bd09 \"Compare logs correctly on a RequestVote\"",
        invariants: &["raft.leader-completeness", "raft.state-machine-safety"],
        rarity: Rarity::Common,
        plant: |rules| rules.is_up_to_date = |_, _| true,
    },
    Exhibit {
        id: "votedfor-not-persisted",
        story: "the vote is kept in memory only, the term on disk",
        source: "akka-raft issue 62",
        invariants: &["raft.election-quorum", "raft.vote-monotonic"],
        rarity: Rarity::Common,
        plant: |rules| rules.vote_to_keep = |_| None,
    },
    Exhibit {
        id: "stale-term-vote-counted",
        story: "a candidate counts a granted vote of an earlier term",
        source: "Xraft issue 33 (SandTable, section 6.1); akka-raft issue 46",
        invariants: &["raft.election-quorum", "raft.election-safety"],
        rarity: Rarity::Specific,
        plant: |rules| rules.vote_is_current = |_, _| true,
    },
    Exhibit {
        id: "duplicate-vote-counted",
        story: "votes are counted by message, not by voter",
        source: "akka-raft issue 45",
        invariants: &["raft.election-quorum", "raft.election-safety"],
        rarity: Rarity::Common,
        plant: |rules| rules.count_vote = |votes, voter| votes.push(voter),
    },
    Exhibit {
        id: "election-timer-reset-wrong",
        story: "every RequestVote and every late AppendEntries starts the election timer anew",
        source: "hashicorp/raft 42d3446 (pull request 609) for pre-votes; LogCabin issue 200 for the like",
        invariants: &["raft.settles"],
        rarity: Rarity::VeryRare,
        plant: |rules| rules.resets_election_timer = |_| true,
    },
    Exhibit {
        id: "commit-old-term-by-counting",
        story: "a leader commits an entry of an earlier term by counting its copies",
        source: "Raft paper, section 5.4.2 and figure 8; PySyncObj issue 169; async-raft issue 106",
        invariants: &["raft.commit-current-term"],
        rarity: Rarity::Specific,
        plant: |rules| rules.may_commit = |_, _| true,
    },
    Exhibit {
        id: "quorum-off-by-one-even",
        story: "half of an even number of servers is taken for a quorum",
        source: "hashicorp/raft 163a55f \"Fix off-by-one affecting even-sized clusters\"; akka-raft issue 42",
        invariants: &["raft.commit-quorum", "raft.election-quorum"],
        rarity: Rarity::Common,
        plant: |rules| {
            rules.election_quorum = |voters| voters.div_ceil(2);
            rules.commit_quorum = |voters| voters.div_ceil(2);
        },
    },
    Exhibit {
        id: "vote-quorum-third",
        story: "a third of the servers and one more elect a leader",
        source: "the mutant measured in SuzumiyaHaruki/modelfuzz-ng",
        invariants: &["raft.election-quorum", "raft.election-safety"],
        rarity: Rarity::Common,
        plant: |rules| rules.election_quorum = |voters| voters / 3 + 1,
    },
    Exhibit {
        id: "truncate-on-stale-append",
        story: "a follower removes everything after prevLogIndex, conflict or not",
        source: "RaftOS issue 26 (SandTable, section 2.2); akka-raft issue 66",
        invariants: &["raft.acknowledged-durable", "raft.committed-kept", "raft.commit-quorum"],
        rarity: Rarity::Common,
        plant: |rules| rules.truncate_from = |log| (log.last > log.prev).then_some(log.prev + 1),
    },
    Exhibit {
        id: "commit-index-regress",
        story: "a follower takes the leader's commit index even if it is lower than its own",
        source: "PySyncObj issue 166 (SandTable, section 1.2)",
        invariants: &["raft.commit-monotonic"],
        rarity: Rarity::Common,
        plant: |rules| rules.follower_commit = |_, leader_commit, verified, _| leader_commit.min(verified),
    },
    Exhibit {
        id: "ack-own-last-index",
        story: "a follower acknowledges its whole log instead of what the message verified",
        source: "CCF pull request 6016 \"only ACK up to incoming AE\"",
        invariants: &["raft.acknowledged-durable", "raft.commit-quorum"],
        rarity: Rarity::VeryRare,
        plant: |rules| rules.acknowledge = |_, last| last,
    },
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
        id: "non-atomic-truncate-append",
        story: "a follower removes what it has of the entries it is sent, and stores them again",
        source: "openraft 9540c904, with an example of three servers",
        invariants: &["raft.acknowledged-durable", "raft.committed-kept"],
        rarity: Rarity::Specific,
        plant: |rules| {
            rules.truncate_from =
                |log| log.conflict.or((log.end >= log.last && log.last > log.prev).then_some(log.prev + 1));
        },
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
];

/// The exhibit of this name.
pub fn find(id: &str) -> Option<&'static Exhibit> {
    EXHIBITS.iter().find(|exhibit| exhibit.id == id)
}

#[cfg(test)]
mod tests {
    use super::super::oracle::INVARIANTS;
    use super::*;

    #[test]
    fn every_exhibit_names_invariants_that_exist_and_stands_under_one_name() {
        for (place, exhibit) in EXHIBITS.iter().enumerate() {
            assert!(!exhibit.invariants.is_empty(), "{}", exhibit.id);
            for invariant in exhibit.invariants {
                assert!(INVARIANTS.iter().any(|(name, _)| name == invariant), "{invariant}");
            }
            assert!(EXHIBITS[..place].iter().all(|other| other.id != exhibit.id), "{}", exhibit.id);
        }
    }
}
