//! The words of a conversation: what messages and entries are called, and what is meant by a word.

use super::Flight;
use squall::kernel::time::Span;
use squall::oracle::linearizable::register::Operation;
use squall::protocol::NodeId;
use squall::protocols::raft::log::{Content, Entry, Position};
use squall::protocols::raft::membership::{Configuration, Servers, Wish};
use squall::protocols::raft::message::{Campaign, Message as Raft, Outcome, Request};
use squall::protocols::raft::node::{Command, Machine, Message};
use squall::protocols::raft::session::Part;
use squall::protocols::raft::snapshot::Fragment;

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
        Raft::AppendEntries { term, prev, commit, entries, round } => {
            let entries: Vec<String> =
                (prev.index + 1..).zip(entries).map(|(index, entry)| format!("{index}:{}", entry.term())).collect();
            let entries = if entries.is_empty() { "nothing".to_owned() } else { entries.join(" ") };
            format!("Append T{term} after {} commit {commit}{}: {entries}", at(*prev), in_round(*round))
        }
        Raft::AppendEntriesReply { term, outcome: Outcome::Matched(index), round } => {
            format!("AppendReply T{term} matched {index}{}", in_round(*round))
        }
        Raft::AppendEntriesReply { term, outcome: Outcome::Conflict { refused, hint }, round } => {
            format!("AppendReply T{term} refused {refused}, try {}{}", at(*hint), in_round(*round))
        }
        Raft::InstallSnapshot { term, fragment, round } => {
            let Fragment { last, offset, count, .. } = &**fragment;
            let (part, what) = (offset + 1, describe_part(fragment));
            format!("Snapshot T{term} up to {}{}: part {part} of {count}, {what}", at(*last), in_round(*round))
        }
        Raft::InstallSnapshotReply { term, last, wanted, round } => {
            format!("SnapshotReply T{term} of {last}, wants part {}{}", wanted + 1, in_round(*round))
        }
        Raft::TimeoutNow { term } => format!("TimeoutNow T{term}"),
        Raft::Ask { term, request } => match request {
            Request::Lead => format!("Ask T{term} to lead"),
            Request::Change(Wish::Join) => format!("Ask T{term} to join"),
            Request::Change(Wish::Leave) => format!("Ask T{term} to leave"),
            Request::Change(Wish::Replace(old)) => format!("Ask T{term} to take the place of {}", name(*old)),
        },
        // The lower half of a token is the client's number for the request.
        Raft::ReadIndex { term, token } => format!("ReadIndex T{term} for request #{}", *token as u32),
        Raft::ReadIndexReply { term, token, index } => {
            format!("ReadIndexReply T{term} for request #{}: see {index}", *token as u32)
        }
    }
}

fn in_round(round: u64) -> String {
    if round == 0 { String::new() } else { format!(" round {round}") }
}

fn describe_part(fragment: &Fragment<Machine>) -> String {
    match &fragment.part {
        Part::Clock(clock) => format!("time of the log {} ms", clock.ns() / 1_000_000),
        Part::Sessions(_, sessions) => {
            let count = sessions.iter().flatten().count();
            format!("{count} session{}", if count == 1 { "" } else { "s" })
        }
        Part::Machine(part) if part.values.is_empty() => "nothing written".to_owned(),
        Part::Machine(part) => {
            let values = (part.first..).zip(&part.values).map(|(key, value)| format!("{}={value}", KEYS[key as usize]));
            values.collect::<Vec<_>>().join(" ")
        }
    }
}

/// The registers that a conversation knows, by key.
pub(super) const KEYS: [&str; 3] = ["x", "y", "z"];

/// What an entry is for, in a cluster of so many servers.
pub(super) fn describe_entry(entry: &Entry<Command>, servers: u16) -> String {
    let request = match entry.content() {
        Content::Nothing => return "no-op".to_owned(),
        Content::Configuration(configuration) => return members(configuration),
        Content::Command(request) => request,
    };
    let key = KEYS[request.command.key as usize];
    let what = match request.command.operation {
        Operation::Read => format!("read {key}"),
        Operation::Write(value) => format!("write {key}={value}"),
        Operation::Cas { from, to } => format!("cas {key}={from}->{to}"),
        Operation::Add(value) => format!("add {key}={value}"),
    };
    format!("{what} (c{}#{})", request.client.number() + 1 - servers, request.sequence)
}

/// Who belongs to the cluster.
pub(super) fn members(configuration: &Configuration) -> String {
    let Configuration { voters, outgoing, learners } = configuration;
    let names = |servers: &Servers| servers.iter().map(name).collect::<Vec<_>>().join(" ");
    let mut text = format!("voters {}", names(voters));
    for (word, servers) in [("together with", outgoing), ("learners", learners)] {
        if !servers.is_empty() {
            text.push_str(&format!(", {word} {}", names(servers)));
        }
    }
    text
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

/// The entries from index `from` on of a log that begins after `base`, as index:term.
pub(super) fn places(log: &[u64], base: u64, from: u64) -> String {
    let places = (base + 1..).zip(log).filter(|(index, _)| *index >= from);
    places.map(|(index, term)| format!("{index}:{term}")).collect::<Vec<_>>().join(" ")
}

/// A time in milliseconds.
pub(super) fn span(word: &str) -> Result<Span, String> {
    number(word.strip_suffix("ms").ok_or("a time in ms")?).map(Span::ms)
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
