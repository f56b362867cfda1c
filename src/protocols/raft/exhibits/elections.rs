//! Defects of elections: votes, terms, and how long somebody waits.

use crate::protocols::exhibit::{Exhibit, Rarity};
use crate::protocols::raft::rules::{Occasion, Rules, Timepiece};

/// Those of this kind.
pub(super) const EXHIBITS: &[Exhibit<Rules>] = &[
    Exhibit {
        id: "vote-without-log-check",
        story: "a voter grants without comparing logs",
        source: "Raft paper, section 5.4.1; hashicorp/raft 441bd09 \"Compare logs correctly on a RequestVote\"",
        invariants: &["raft.leader-completeness", "raft.state-machine-safety"],
        rarity: Rarity::Common,
        plant: |rules| rules.is_up_to_date = |_, _| true,
    },
    Exhibit {
        id: "vote-by-index-only",
        story: "the longer log wins the vote, whatever its last term",
        source: "hashicorp/raft issue 94, commit 441bd09 \"Compare logs correctly on a RequestVote\": the index was compared without equal last terms",
        invariants: &["raft.leader-completeness"],
        rarity: Rarity::Specific,
        plant: |rules| rules.is_up_to_date = |candidate, mine| candidate.index >= mine.index,
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
        id: "vote-cleared-by-prevote",
        story: "a server takes its vote back when it asks for pre-votes",
        source: "canonical/raft 98d8f51 \"Don't reset vote during pre-vote candidacy\"; 9c70d96 had introduced it",
        invariants: &["raft.vote-monotonic"],
        rarity: Rarity::Common,
        plant: |rules| rules.vote_in_pre_candidacy = |_| None,
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
        id: "higher-term-in-response-ignored",
        story: "a server learns a higher term from requests only, not from answers",
        source: "openraft 4015cc38 \"a Candidate should revert to Follower at once when a higher vote is seen\"; canonical/raft fdce566",
        invariants: &["raft.settles"],
        rarity: Rarity::Common,
        plant: |rules| rules.reply_teaches_term = || false,
    },
    Exhibit {
        id: "election-timer-not-randomized",
        story: "every server waits for a leader equally long",
        source: "hashicorp/raft issue 50, commit cda1ee8 \"ensure different nodes use different sequences of random timeouts\"; thesis, section 9",
        invariants: &["raft.settles"],
        rarity: Rarity::Common,
        plant: |rules| rules.election_timeout = |_, min, _| min,
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
        id: "prevote-without-checkquorum",
        story: "a leader leads on that no quorum answers, and whoever still hears it refuses all others",
        source: "Howard and Abraham, \"Raft does not Guarantee Liveness in the face of Network Faults\", 2020, second example; thesis, section 6.2",
        invariants: &["raft.quorum-checked", "raft.settles"],
        rarity: Rarity::Common,
        plant: |rules| rules.may_lead_on = |_| true,
    },
    Exhibit {
        id: "leader-believed-by-wall-clock",
        story: "how long a leader has been silent is told by the wall clock",
        source: "Go issue 12914 \"time: use monotonic clock to measure elapsed time\"; Cloudflare, \"How and why the leap second affected Cloudflare DNS\", 2017: the same error elsewhere",
        invariants: &["raft.settles"],
        rarity: Rarity::Common,
        plant: |rules| rules.times_silence_by = || Timepiece::Wall,
    },
    Exhibit {
        id: "term-not-persisted",
        story: "the term is kept in memory only, and the vote with it",
        source: "Raft paper, figure 2: currentTerm is \"updated on stable storage before responding\"; akka-raft issue 62",
        invariants: &["raft.election-quorum", "raft.term-monotonic"],
        rarity: Rarity::Common,
        plant: |rules| rules.term_is_kept = || false,
    },
    Exhibit {
        id: "election-timer-kept-when-voting",
        story: "whoever has given its vote does not wait for the candidate",
        source: "hashicorp/raft 30f065a: the election timer was not reset when a vote was granted",
        invariants: &["raft.settles"],
        rarity: Rarity::Specific,
        plant: |rules| rules.resets_election_timer = |occasion| occasion == Occasion::LeaderHeard,
    },
    Exhibit {
        id: "election-timer-reset-by-prevote",
        story: "to answer a pre-vote starts the election timer anew",
        source: "hashicorp/raft 42d3446 (pull request 609): the last contact was refreshed when a pre-vote was granted",
        invariants: &["raft.settles"],
        rarity: Rarity::Specific,
        plant: |rules| {
            rules.resets_election_timer = |occasion| match occasion {
                Occasion::LeaderHeard | Occasion::VoteGranted | Occasion::PreVoteAnswered => true,
                Occasion::StaleLeaderHeard | Occasion::VoteRefused => false,
            }
        },
    },
    Exhibit {
        id: "prevote-term-cohort-deadlock",
        story: "a refused pre-vote does not teach the higher term of whoever refuses",
        source: "etcd-io/raft 3c7359d, etcd issue 8501: the cluster may deadlock if messages with a lower term are dropped; openraft d6a6d562 \"adopt higher vote from rejected Pre-Vote\"",
        invariants: &["raft.settles"],
        rarity: Rarity::Specific,
        plant: |rules| rules.refused_pre_vote_teaches_term = || false,
    },
    Exhibit {
        id: "prevote-once-only",
        story: "a server whose campaign has failed campaigns again without asking for pre-votes",
        source: "own construction; thesis, section 9.6",
        invariants: &["raft.pre-vote-first"],
        rarity: Rarity::Common,
        plant: |rules| rules.asks_first = |again| !again,
    },
    Exhibit {
        id: "disruptive-server",
        story: "a candidate is listened to while a leader is alive",
        source: "thesis, section 4.2.3; hashicorp/raft 99125f5 \"Disregard vote if leader exists\"; willemt/raft issue 58",
        invariants: &["raft.settles"],
        rarity: Rarity::Common,
        plant: |rules| rules.change.ignores_candidate = |_, _| false,
    },
];
