//! The decisions about who belongs to the cluster, and about handing the lead over.

use crate::kernel::time::Span;
use crate::protocol::NodeId;
use crate::protocols::raft::membership::{Configuration, Servers};

/// All of them. [`ChangeRules::SOUND`] has those of the thesis.
#[derive(Clone, Copy, Debug)]
pub struct ChangeRules {
    /// The groups of which each must have a quorum for something to be decided; nobody is no group.
    pub groups: fn(&Configuration) -> [Servers; 2],
    /// Which of those who agree count in this group.
    pub counted: fn(agreed: Servers, group: Servers) -> Servers,
    /// Whose answers a leader takes in, of all servers.
    pub answering: fn(members: Servers, all: Servers) -> Servers,
    /// Who belongs to the cluster, for a server that has started and whose log says this.
    pub configuration_at_start: fn(in_log: Configuration, me: NodeId) -> Configuration,
    /// Up to which index entries of a log that ends at `last` say who belongs to the cluster.
    pub counts_up_to: fn(last: u64, commit: u64) -> u64,
    /// May a leader of `term` change the cluster, whose last committed entry is of `commit_term`?
    pub has_committed_in_term: fn(commit_term: u64, term: u64) -> bool,
    /// May it, if the latest change stands at `latest` in its log?
    pub is_settled: fn(latest: u64, commit: u64) -> bool,
    /// May a learner vote whose log is known to match up to here? One message takes so many entries at most.
    pub has_caught_up: fn(match_index: u64, commit: u64, append_max: u64) -> bool,
    /// The voters after a learner has become one that was ordered to vote in the place of `old`.
    pub makes_way: fn(voters: Servers, old: NodeId) -> Servers,
    /// Has a server got what it was ordered to ask for, if that was to join, and this says who belongs to the cluster?
    pub has_joined: fn(configuration: &Configuration, me: NodeId) -> bool,
    /// Does it ask no more, if the change that says so stands at `latest` in its log?
    pub is_final: fn(latest: u64, commit: u64) -> bool,
    /// Is it time to end a joint configuration, if these are the latest committed one and the latest one?
    pub ends_joint: fn(committed: &Configuration, latest: &Configuration) -> bool,
    /// Does a leader end a joint configuration that is committed? `mine` says whether it was proposed in its term.
    pub leaves_joint: fn(mine: bool) -> bool,
    /// Does a leader step down that does not belong to the cluster any more?
    pub steps_down_when_removed: fn() -> bool,
    /// May a server campaign that votes by the latest configuration that it knows, or does not; and by the one before that, while the
    /// latest may come to nothing?
    pub may_campaign: fn(may_vote: bool, voted_before: bool) -> bool,
    /// Does a server that hears a leader ignore a candidate? `transfer` says that the leader itself has sent it.
    pub ignores_candidate: fn(hears_leader: bool, transfer: bool) -> bool,
    /// Does a leader of `term` let a server lead that has asked for that in another term?
    pub heeds: fn(asked_in: u64, term: u64) -> bool,
    /// Does a leader that hands over take commands?
    pub takes_commands_in_transfer: fn() -> bool,
    /// Does a leader that hands over let servers come and go? Source: etcd-io/raft, stepLeader, which drops proposals of all kinds.
    pub changes_in_transfer: fn() -> bool,
    /// May a server lead next whose log is known to match up to here?
    pub is_ready_to_lead: fn(match_index: u64, last: u64) -> bool,
    /// Does a server campaign that is told to by the leader of one term, and is in another?
    pub is_told: fn(told_in: u64, mine: u64) -> bool,
    /// Does a server that is told to campaign ask for pre-votes first? `pre_vote` says that all others do.
    pub told_asks_first: fn(pre_vote: bool) -> bool,
    /// Does a leader give up a handover that nobody has taken for so long, where the longest election timeout is `patience`?
    pub gives_up_transfer: fn(waited: Span, patience: Span) -> bool,
}

impl ChangeRules {
    /// The rules of the thesis.
    pub const SOUND: ChangeRules = ChangeRules {
        groups,
        counted,
        answering,
        configuration_at_start,
        counts_up_to,
        has_committed_in_term,
        is_settled,
        has_caught_up,
        makes_way,
        has_joined,
        is_final,
        ends_joint,
        leaves_joint,
        steps_down_when_removed,
        may_campaign,
        ignores_candidate,
        heeds,
        takes_commands_in_transfer,
        changes_in_transfer: || false,
        is_ready_to_lead,
        is_told: |told_in, mine| told_in == mine,
        told_asks_first: |_| false,
        gives_up_transfer,
    };
}

/// Old and new voters decide separately as long as both are there (paper, section 6: "separate majorities from both the old
/// and new configurations").
fn groups(configuration: &Configuration) -> [Servers; 2] {
    [configuration.voters, configuration.outgoing]
}

/// Voters only: neither learners nor who has been removed (thesis, section 4.2.1).
fn counted(agreed: Servers, group: Servers) -> Servers {
    agreed & group
}

/// Of members only: what others hold will not be there when it is needed (thesis, section 4.2.2).
fn answering(members: Servers, _all: Servers) -> Servers {
    members
}

/// What the log says: a restart changes nothing.
fn configuration_at_start(in_log: Configuration, _me: NodeId) -> Configuration {
    in_log
}

/// A server uses the latest configuration in its log, committed or not (thesis, section 4.1).
fn counts_up_to(last: u64, _commit: u64) -> u64 {
    last
}

/// Not before an entry of its own term is committed: until then a change of an earlier leader may still come, of which this one
/// does not know (Ongaro, "bug in single-server membership changes", raft-dev, 2015).
fn has_committed_in_term(commit_term: u64, term: u64) -> bool {
    commit_term == term
}

/// One change at a time (thesis, section 4.1).
fn is_settled(latest: u64, commit: u64) -> bool {
    latest <= commit
}

/// Who lacks no more of what is committed than one message holds keeps nobody waiting for long (thesis, section 4.2.1).
fn has_caught_up(match_index: u64, commit: u64, append_max: u64) -> bool {
    match_index + append_max >= commit
}

/// All but the one that is replaced.
fn makes_way(voters: Servers, old: NodeId) -> Servers {
    voters.without(old)
}

/// When it votes: who learns only has come half the way (thesis, section 4.2.1).
fn has_joined(configuration: &Configuration, me: NodeId) -> bool {
    configuration.voters.has(me)
}

/// When that is committed: until then another leader may remove it, and nobody would ask again.
fn is_final(latest: u64, commit: u64) -> bool {
    latest <= commit
}

/// When it is the latest one and committed: then old and new voters know of it (paper, section 6).
fn ends_joint(committed: &Configuration, latest: &Configuration) -> bool {
    latest.is_joint() && committed == latest
}

/// Whoever leads ends it: who began it may be gone (paper, section 6).
fn leaves_joint(_mine: bool) -> bool {
    true
}

/// As soon as the change is committed: until then it leads without counting itself (thesis, section 4.2.2).
fn steps_down_when_removed() -> bool {
    true
}

/// Who does not vote does not stand for election, unless it may be the only one with the entry that says so: a leader that was about to leave
/// and has told nobody yet refuses its vote to all others (thesis, section 4.2.2: "a server that is not part of its
/// own latest configuration should still start new elections").
fn may_campaign(may_vote: bool, voted_before: bool) -> bool {
    may_vote || voted_before
}

/// A candidate that comes while a leader is alive is disruptive (thesis, section 4.2.3); unless the leader has sent it (section 3.10).
fn ignores_candidate(hears_leader: bool, transfer: bool) -> bool {
    hears_leader && !transfer
}

/// Only in its own term. To a later leader that would come late: the lead would move again, though nobody has ordered it again.
fn heeds(asked_in: u64, term: u64) -> bool {
    asked_in == term
}

/// No: what it takes the next leader might not have (thesis, section 3.10).
fn takes_commands_in_transfer() -> bool {
    false
}

/// It has all entries, so that it wins (thesis, section 3.10).
fn is_ready_to_lead(match_index: u64, last: u64) -> bool {
    match_index == last
}

/// After about an election timeout it takes commands again (thesis, section 3.10).
fn gives_up_transfer(waited: Span, patience: Span) -> bool {
    waited >= patience
}
