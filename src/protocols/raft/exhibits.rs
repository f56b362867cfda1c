//! Published defects of Raft implementations, planted by replacing rules.

use super::rules::{Rules, Timepiece, Window};
use crate::protocol::{Afterwards, Damage, DiskFailure};
use crate::protocols::exhibit::{Exhibit, Rarity};

/// All exhibits of Raft.
pub const EXHIBITS: [Exhibit<Rules>; 37] = [
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
        id: "vote-by-index-only",
        story: "the longer log wins the vote, whatever its last term",
        source: "hashicorp/raft issue 94, commit 441bd09 \"Compare logs correctly on a RequestVote\": the index was compared without equal last terms",
        invariants: &["raft.leader-completeness"],
        rarity: Rarity::Specific,
        plant: |rules| rules.is_up_to_date = |candidate, mine| candidate.index >= mine.index,
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
        id: "prevote-without-checkquorum",
        story: "a leader leads on that no quorum answers, and whoever still hears it refuses all others",
        source: "Howard and Abraham, \"Raft does not Guarantee Liveness in the face of Network Faults\", 2020, second example; thesis, section 6.2",
        invariants: &["raft.settles"],
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
        id: "heartbeat-commit-beyond-match",
        story: "a follower commits up to its own last entry, also what the message has not verified",
        source: "openraft 9540c904, second half; WRaft issue 118",
        invariants: &["raft.state-machine-safety"],
        rarity: Rarity::Specific,
        plant: |rules| {
            rules.follower_commit = |commit, leader_commit, _, last| commit.max(leader_commit.min(last));
        },
    },
    Exhibit {
        id: "match-index-regress",
        story: "a late acknowledgement lowers what a leader knows to match",
        source: "RaftOS issue 25; PySyncObj issue 167 (SandTable)",
        invariants: &["raft.match-monotonic"],
        rarity: Rarity::Common,
        plant: |rules| rules.match_index = |_, acknowledged| acknowledged,
    },
    Exhibit {
        id: "ack-from-earlier-leadership",
        story: "a leader takes an acknowledgement of an earlier term for one of its own",
        source: "openraft a80579ef \"a stepped down leader should ignore replication progress message\"; CCF issue 5927",
        invariants: &["raft.acknowledged-durable", "raft.match-monotonic"],
        rarity: Rarity::Specific,
        plant: |rules| rules.reply_is_current = |_, _| true,
    },
    Exhibit {
        id: "stale-reject-rewinds-next",
        story: "a late refusal makes a leader send again what is known to match",
        source: "etcd-io/raft 91ff7cd \"do not decrease nextIndex and send entries for stale reply\"; openraft fbbf37b1 \"ignore stale conflict\"",
        invariants: &["raft.match-monotonic"],
        rarity: Rarity::Common,
        plant: |rules| {
            rules.refusal_is_news = |_, _, _| true;
            rules.next_after_refusal = |agreed, _| agreed + 1;
        },
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
        id: "stale-append-accepted",
        story: "a server stores what a leader of an earlier term has sent",
        source: "Raft paper, figure 2, AppendEntries, rule 1; sorock pull request 485: \"Without sender_term, stale leader may replicate stale entries to followers\"",
        invariants: &["raft.committed-kept"],
        rarity: Rarity::Common,
        plant: |rules| rules.append_is_current = |_, _| true,
    },
    Exhibit {
        id: "full-window-not-asked-about",
        story: "a leader that may send no more asks only about what is known to match: nobody hears that the rest was lost",
        source: "etcd pull request 2544 \"add flow control for progress\": without a reset by heartbeats \"the progress might get stuck\"; the like in hashicorp/raft issue 612",
        invariants: &["raft.settles"],
        rarity: Rarity::Common,
        plant: |rules| {
            rules.heartbeat_asks_after = |match_index, sent, window| match window {
                Window::Full => match_index,
                Window::Open => sent,
            }
        },
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
        invariants: &["raft.linearizable"],
        rarity: Rarity::Common,
        plant: |rules| rules.read.lease = |timeout, _| timeout,
    },
];

#[cfg(test)]
mod tests {
    use super::super::{oracle, spec};
    use super::EXHIBITS;
    use crate::protocols::exhibit::check;

    #[test]
    fn every_exhibit_names_invariants_that_exist_and_stands_under_one_name() {
        check(&EXHIBITS, &[oracle::INVARIANTS.as_slice(), &spec::INVARIANTS].concat());
    }
}
