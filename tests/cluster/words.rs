//! The words of a conversation: what messages and entries are called, and what is meant by a word.

use super::Flight;
use squall::protocol::NodeId;
use squall::protocols::raft::log::Position;
use squall::protocols::raft::membership::Wish;
use squall::protocols::raft::message::{Campaign, Message as Raft, Outcome, Request};
use squall::protocols::raft::node::Message;

/// Which messages a command is about.
pub(super) struct Pattern {
    pub(super) from: Option<u16>,
    pub(super) to: Option<u16>,
    pub(super) both_ways: bool,
    pub(super) kind: Option<String>,
}

impl Pattern {
    pub(super) fn parse(words: &[&str]) -> Result<Pattern, String> {
        let mut pattern = Pattern { from: None, to: None, both_ways: false, kind: None };
        for word in words {
            if let Some((from, to)) = word.split_once("<->") {
                (pattern.from, pattern.to, pattern.both_ways) = (end(from)?, end(to)?, true);
            } else if let Some((from, to)) = word.split_once("->") {
                (pattern.from, pattern.to) = (end(from)?, end(to)?);
            } else if KINDS.contains(word) {
                pattern.kind = Some((*word).to_owned());
            } else {
                return Err(format!("{word:?} is neither a link nor a kind of message"));
            }
        }
        Ok(pattern)
    }

    pub(super) fn matches(&self, flight: &Flight) -> bool {
        let link = |from: u16, to: u16| {
            self.from.is_none_or(|wanted| wanted == from) && self.to.is_none_or(|wanted| wanted == to)
        };
        let (from, to) = (flight.from.number(), flight.to.number());
        let kind = self.kind.as_ref().is_none_or(|kind| kind == kind_of(&flight.message));
        kind && (link(from, to) || self.both_ways && link(to, from))
    }
}

const KINDS: [&str; 10] = [
    "vote",
    "vote-reply",
    "append",
    "append-reply",
    "snapshot",
    "snapshot-reply",
    "timeout-now",
    "ask",
    "read-index",
    "read-index-reply",
];

pub(super) fn kind_of(message: &Message) -> &'static str {
    match message {
        Message::Raft(Raft::RequestVote { .. }) => "vote",
        Message::Raft(Raft::RequestVoteReply { .. }) => "vote-reply",
        Message::Raft(Raft::AppendEntries { .. }) => "append",
        Message::Raft(Raft::AppendEntriesReply { .. }) => "append-reply",
        Message::Raft(Raft::InstallSnapshot { .. }) => "snapshot",
        Message::Raft(Raft::InstallSnapshotReply { .. }) => "snapshot-reply",
        Message::Raft(Raft::TimeoutNow { .. }) => "timeout-now",
        Message::Raft(Raft::Ask { .. }) => "ask",
        Message::Raft(Raft::ReadIndex { .. }) => "read-index",
        Message::Raft(Raft::ReadIndexReply { .. }) => "read-index-reply",
        Message::Request(_) | Message::Reply { .. } | Message::Expired { .. } | Message::Redirect { .. } => "client",
    }
}

pub(super) fn at(position: Position) -> String {
    format!("{}:{}", position.index, position.term)
}

pub(super) fn describe(message: &Message) -> String {
    let Message::Raft(message) = message else { unreachable!("clients are answered at once") };
    match message {
        Raft::RequestVote { term, last, campaign } => {
            let (kind, why) = match campaign {
                Campaign::PreVote => ("Pre", ""),
                Campaign::Election => ("Request", ""),
                Campaign::Transfer => ("Request", ", sent by the leader"),
            };
            format!("{kind}Vote T{term} last {}{why}", at(*last))
        }
        Raft::RequestVoteReply { term, granted, pre_vote } => {
            let word = if *granted { "granted" } else { "refused" };
            format!("{}VoteReply T{term} {word}", if *pre_vote { "Pre" } else { "" })
        }
        Raft::AppendEntries { term, prev, commit, entries, round: _ } => {
            let entries: Vec<String> =
                (prev.index + 1..).zip(entries).map(|(index, entry)| format!("{index}:{}", entry.term())).collect();
            let entries = if entries.is_empty() { "nothing".to_owned() } else { entries.join(" ") };
            format!("Append T{term} after {} commit {commit}: {entries}", at(*prev))
        }
        Raft::AppendEntriesReply { term, outcome: Outcome::Matched(index), round: _ } => {
            format!("AppendReply T{term} matched {index}")
        }
        Raft::AppendEntriesReply { term, outcome: Outcome::Conflict { refused, hint }, round: _ } => {
            format!("AppendReply T{term} refused {refused}, try {}", at(*hint))
        }
        Raft::InstallSnapshot { term, fragment, round: _ } => {
            let (part, count) = (fragment.offset + 1, fragment.count);
            format!("Snapshot T{term} up to {}: part {part} of {count}", at(fragment.last))
        }
        Raft::InstallSnapshotReply { term, last, wanted, round: _ } => {
            format!("SnapshotReply T{term} of {last}, wants part {}", wanted + 1)
        }
        Raft::TimeoutNow { term } => format!("TimeoutNow T{term}"),
        Raft::Ask { term, request } => match request {
            Request::Lead => format!("Ask T{term} to lead"),
            Request::Change(Wish::Join) => format!("Ask T{term} to join"),
            Request::Change(Wish::Leave) => format!("Ask T{term} to leave"),
            Request::Change(Wish::Replace(old)) => format!("Ask T{term} to take the place of {}", name(*old)),
        },
        Raft::ReadIndex { term, token: _ } => format!("ReadIndex T{term}"),
        Raft::ReadIndexReply { term, token: _, index } => format!("ReadIndexReply T{term} index {index}"),
    }
}

pub(super) fn held_back(server: NodeId, to: NodeId, message: &Message) -> String {
    match message {
        Message::Raft(Raft::RequestVoteReply { .. }) if to == server => "it counts its own vote".to_owned(),
        Message::Raft(Raft::AppendEntriesReply { .. }) if to == server => "it counts its own copy".to_owned(),
        message => format!("{} to {}", describe(message), name(to)),
    }
}

pub(super) fn name(node: NodeId) -> String {
    format!("n{}", node.number() + 1)
}

pub(super) fn or_nobody(vote: Option<NodeId>) -> String {
    vote.map_or_else(|| "none".to_owned(), name)
}

pub(super) fn terms(log: &[u64]) -> String {
    log.iter().map(u64::to_string).collect::<Vec<_>>().join(" ")
}

/// The entries from this place on, as index:term.
pub(super) fn places(log: &[u64], from: usize) -> String {
    let places = log.iter().enumerate().skip(from).map(|(place, term)| format!("{}:{term}", place + 1));
    places.collect::<Vec<_>>().join(" ")
}

pub(super) fn number(word: &str) -> Result<u64, String> {
    word.parse().map_err(|_| format!("{word:?} is not a number"))
}

pub(super) fn node(word: &str) -> Result<NodeId, String> {
    number(word.trim_start_matches('n')).map(|place| NodeId::new(place as u16 - 1))
}

pub(super) fn end(word: &str) -> Result<Option<u16>, String> {
    if word == "*" { Ok(None) } else { node(word).map(|node| Some(node.number())) }
}
