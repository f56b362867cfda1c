//! Defects of the log's way to the others, and of what counts as committed.

use crate::protocols::exhibit::{Exhibit, Rarity};
use crate::protocols::raft::rules::{Packing, Rules, Window};

/// Those of this kind.
pub(super) const EXHIBITS: &[Exhibit<Rules>] = &[
    Exhibit {
        id: "commit-old-term-by-counting",
        story: "a leader commits an entry of an earlier term by counting its copies",
        source: "Raft paper, section 5.4.2 and figure 8; PySyncObj issue 169; async-raft issue 106",
        invariants: &["raft.commit-current-term"],
        rarity: Rarity::Specific,
        plant: |rules| rules.may_commit = |_, _| true,
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
        id: "commit-index-regress",
        story: "a follower takes the leader's commit index even if it is lower than its own",
        source: "PySyncObj issue 166 (SandTable, section 1.2)",
        invariants: &["raft.commit-monotonic"],
        rarity: Rarity::Common,
        plant: |rules| rules.follower_commit = |_, leader_commit, verified, _| leader_commit.min(verified),
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
        id: "ack-own-last-index",
        story: "a follower acknowledges its whole log instead of what the message verified",
        source: "CCF pull request 6016 \"only ACK up to incoming AE\"",
        invariants: &["raft.acknowledged-durable", "raft.commit-quorum"],
        rarity: Rarity::VeryRare,
        plant: |rules| rules.acknowledge = |_, last| last,
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
        id: "stale-append-accepted",
        story: "a server stores what a leader of an earlier term has sent",
        source: "Raft paper, figure 2, AppendEntries, rule 1; sorock pull request 485: \"Without sender_term, stale leader may replicate stale entries to followers\"",
        invariants: &["raft.committed-kept", "raft.acknowledged-durable"],
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
        id: "next-index-not-bumped",
        story: "an acknowledgement raises matchIndex and leaves nextIndex where it was",
        source: "RaftOS issue 25; PySyncObj issue 167 (SandTable): the next index may be at or below the match index",
        invariants: &["raft.match-monotonic"],
        rarity: Rarity::Common,
        plant: |rules| rules.next_index = |next, _| next,
    },
    Exhibit {
        id: "noncontiguous-append",
        story: "an entry that does not fit into a message is left out, and a later one that does is sent",
        source: "LogCabin issue 160, cf4a659: it \"could mistakenly add a noncontiguous entry from later in the log\"",
        invariants: &["raft.log-matching", "raft.acknowledged-durable", "raft.state-machine-safety"],
        rarity: Rarity::Common,
        plant: |rules| rules.packs = |room, size| if size <= room { Packing::Take } else { Packing::Skip },
    },
    Exhibit {
        id: "quorum-scan-on-unsorted-progress",
        story: "a scan for the quorum counts all servers that stand before one in its list, as if the list were sorted by what they hold",
        source: "openraft issue 1802, f076cf6f",
        invariants: &["raft.commit-quorum"],
        rarity: Rarity::Common,
        plant: |rules| {
            rules.holders = |members, holding| {
                let last = holding.iter().last();
                members.iter().filter(|member| Some(*member) <= last).collect()
            }
        },
    },
];
