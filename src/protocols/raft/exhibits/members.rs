//! Defects of changes of members, and of handing over the lead.

use crate::protocol::NodeId;
use crate::protocols::exhibit::{Exhibit, Rarity};
use crate::protocols::raft::membership::{Configuration, Servers};
use crate::protocols::raft::rules::Rules;

/// Those of this kind.
pub(super) const EXHIBITS: &[Exhibit<Rules>] = &[
    Exhibit {
        id: "learner-counted-in-quorum",
        story: "what a learner has stored counts as if it voted",
        source: "hashicorp/raft 6e41709 (pull request 308) \"count only voters into quorum\"; thesis, section 4.2.1",
        invariants: &["raft.commit-quorum"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.counted = |agreed, _| agreed,
    },
    Exhibit {
        id: "learner-needed-for-quorum",
        story: "learners are among those of whom more than half must agree",
        source: "willemt/raft c4de21e: majority counts only include voting nodes, which prevents deadlocks",
        invariants: &["raft.settles"],
        rarity: Rarity::Common,
        plant: |rules| {
            rules.change.groups = |configuration| {
                let all = configuration.voters | configuration.learners;
                [all, configuration.outgoing]
            }
        },
    },
    Exhibit {
        id: "learner-becomes-voter-on-restart",
        story: "a learner that starts again takes itself for a voter",
        source: "async-raft 0.6.1: \"Learner nodes could be restarted and come back as voting members\"; openraft 39690593",
        invariants: &["raft.configuration-in-log"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.configuration_at_start = as_voter,
    },
    Exhibit {
        id: "learner-campaigns",
        story: "a server that does not vote stands for election",
        source: "etcd db54973 \"prevent learners from becoming leader\"; hashicorp/raft 656e6c0",
        invariants: &["raft.leader-is-voter"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.may_campaign = |_, _| true,
    },
    Exhibit {
        id: "learner-promoted-at-once",
        story: "a leader lets a learner vote whatever it lacks, and nothing is committed until it has all",
        source: "Ongaro's thesis, section 4.2.1: why new servers learn first",
        invariants: &["raft.promoted-caught-up"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.has_caught_up = |_, _, _| true,
    },
    Exhibit {
        id: "learner-never-caught-up",
        story: "a leader takes no learner for one that has caught up",
        source: "deventlab/d-engine issue 212: a learner that was \"remaining stuck as Learner indefinitely\", for voters were counted wrongly",
        invariants: &["raft.settles"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.has_caught_up = |_, _, _| false,
    },
    Exhibit {
        id: "join-done-as-learner",
        story: "a server that is to join is content to learn, and asks no more",
        source: "deventlab/d-engine issue 212; tikv/raft-rs issue 457: nobody but who embeds the library makes a voter of a learner",
        invariants: &["raft.order-kept"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.has_joined = |configuration, me| configuration.members().has(me),
    },
    Exhibit {
        id: "order-forgotten-too-soon",
        story: "a server asks no more as soon as its log says that it comes or goes, and what says so may be removed again",
        source: "own construction",
        invariants: &["raft.order-kept"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.is_final = |_, _| true,
    },
    Exhibit {
        id: "replaced-member-stays",
        story: "whoever was to vote in the place of a member votes beside it",
        source: "own construction",
        invariants: &["raft.as-ordered"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.makes_way = |voters, _| voters,
    },
    Exhibit {
        id: "single-server-change-before-noop",
        story: "a new leader changes the cluster before an entry of its term is committed",
        source: "Ongaro, \"bug in single-server membership changes\", raft-dev, 2015",
        invariants: &["raft.change-in-own-term", "raft.configurations-overlap"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.has_committed_in_term = |_, _| true,
    },
    Exhibit {
        id: "overlapping-config-changes",
        story: "a leader changes the cluster while an earlier change is not committed",
        source: "thesis, section 4.1; RedisRaft issue 17; raft-rs 2672ac5",
        invariants: &["raft.one-change-at-a-time"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.is_settled = |_, _| true,
    },
    Exhibit {
        id: "joint-quorum-counted-once",
        story: "old and new voters are one group, of which more than half decide",
        source: "openraft 6c0ccaf3 \"consider joint config when starting up and committing\", d882e743 and a10d9906",
        invariants: &["raft.commit-quorum", "raft.election-quorum"],
        rarity: Rarity::Common,
        plant: |rules| {
            rules.change.groups = |configuration| [configuration.voters | configuration.outgoing, Servers::NONE]
        },
    },
    Exhibit {
        id: "joint-quorum-of-the-new",
        story: "the new voters alone decide while the old ones must agree as well",
        source: "openraft beb0302b and 6c0ccaf3; Raft paper, section 6",
        invariants: &["raft.commit-quorum", "raft.election-quorum"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.groups = |configuration| [configuration.voters, Servers::NONE],
    },
    Exhibit {
        id: "config-used-at-apply-not-append",
        story: "a change of the cluster counts from when it is committed",
        source: "thesis, section 4.1; raft-rs 2672ac5, which has to guard against what follows",
        invariants: &["raft.configuration-in-log"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.counts_up_to = |_, commit| commit,
    },
    Exhibit {
        id: "removed-node-still-votes-and-counts",
        story: "what a removed server answers still counts",
        source: "hashicorp/raft issues 477 and 526; openraft 6d680484",
        invariants: &["raft.commit-quorum", "raft.election-quorum"],
        rarity: Rarity::Specific,
        plant: |rules| {
            rules.change.answering = |_, all| all;
            rules.change.counted = |agreed, _| agreed;
        },
    },
    Exhibit {
        id: "joint-never-left",
        story: "only the leader that has begun a joint configuration ends it",
        source: "etcd-io/raft 8fda0c0; Raft paper, section 6",
        invariants: &["raft.settles"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.leaves_joint = |mine| mine,
    },
    Exhibit {
        id: "auto-leave-repeated",
        story: "a leader proposes to end a joint configuration again while the first such entry is not committed",
        source: "etcd-io/raft bd3c759: several attempts to leave automatically if the change is not the last entry",
        invariants: &["raft.one-change-at-a-time"],
        rarity: Rarity::Specific,
        plant: |rules| rules.change.ends_joint = |committed, _| committed.is_joint(),
    },
    Exhibit {
        id: "transfer-accepts-writes",
        story: "a leader that hands over goes on taking commands",
        source: "hashicorp/raft 62eaa1c (pull request 581): rare failures of leadership transfer when writes happen meanwhile; thesis, section 3.10",
        invariants: &["raft.transfer-quiet"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.takes_commands_in_transfer = || true,
    },
    Exhibit {
        id: "transfer-accepts-changes",
        story: "a leader that hands over takes no commands, and lets servers come and go",
        source: "own construction; etcd-io/raft, raft.go, stepLeader, drops proposals of all kinds while it knows a transferee",
        invariants: &["raft.transfer-quiet"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.changes_in_transfer = || true,
    },
    Exhibit {
        id: "order-to-lead-comes-late",
        story: "a leader hands over to a server that was ordered to lead before it came itself",
        source: "own construction",
        invariants: &["raft.as-ordered"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.heeds = |_, _| true,
    },
    Exhibit {
        id: "timeoutnow-before-caught-up",
        story: "a server is told to campaign before it has all entries",
        source: "openraft d000ee20 (pull request 1805); thesis, section 3.10",
        invariants: &["raft.transfer-caught-up"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.is_ready_to_lead = |_, _| true,
    },
    Exhibit {
        id: "timeoutnow-of-earlier-term",
        story: "a server campaigns, unasked, because somebody has told it to that leads no more",
        source: "own construction; etcd-io/raft, raft.go, Step, ignores a MsgTimeoutNow of a lower term",
        invariants: &["raft.transfer-current"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.is_told = |told_in, mine| told_in <= mine,
    },
    Exhibit {
        id: "transfer-asks-first",
        story: "a server that is told to campaign asks for pre-votes, as if its leader had been silent",
        source: "canonical/raft issue 203 \"Candidate reverts to follower during raft_transfer with pre_vote on\", pull request 205",
        invariants: &["raft.leader-awaited"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.told_asks_first = |pre_vote| pre_vote,
    },
    Exhibit {
        id: "timeoutnow-never-sent",
        story: "a leader that hands over waits until the other one has everything, and then for ever",
        source: "camunda/camunda pull request 59047: \"we don't yet send the TimeoutNow to actually execute the transfer\"; thesis, section 3.10",
        invariants: &["raft.transfer-told"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.is_ready_to_lead = |_, _| false,
    },
    Exhibit {
        id: "transfer-never-given-up",
        story: "a leader that hands over waits for ever for whom it has told to campaign",
        source: "thesis, section 3.10: \"the prior leader aborts the transfer and resumes accepting client requests\"; etcd-io/raft, raft.go, tickHeartbeat: abortLeaderTransfer",
        invariants: &["raft.settles"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.gives_up_transfer = |_, _| false,
    },
];

/// The same configuration, in which a learner votes.
fn as_voter(configuration: Configuration, me: NodeId) -> Configuration {
    if configuration.learners.has(me) {
        let (voters, learners) = (configuration.voters.with(me), configuration.learners.without(me));
        return Configuration { voters, learners, ..configuration };
    }
    configuration
}
