//! The first line of a conversation: how the cluster is set up.

use super::words::{number, span};
use squall::kernel::time::Span;
use squall::protocols::raft::config::{Config, Reads};
use squall::protocols::raft::exhibits::EXHIBITS;
use squall::protocols::raft::membership::{Quorums, WEIGHTED_MAX};
use squall::protocols::raft::rules::Rules;
use squall::protocols::raft::snapshot::Compaction;

/// What the first line says.
pub(super) struct Options {
    pub(super) raft: Config,
    pub(super) follower_reads: bool,
    pub(super) session_lifetime: Option<Span>,
    pub(super) manual_disks: bool,
}

impl Options {
    pub(super) fn parse(words: &[&str]) -> Result<Options, String> {
        let (servers, options) = words.split_first().ok_or("how many servers?")?;
        let servers: u16 = servers.parse().map_err(|_| format!("{servers:?} servers?"))?;
        let raft = Config {
            servers,
            spares: 0,
            election_timeout_min: Span::ms(150),
            election_timeout_max: Span::ms(300),
            heartbeat: Span::ms(50),
            pre_vote: false,
            check_quorum: false,
            append_max: 64,
            append_bytes: None,
            inflight_max: 256,
            compaction: None,
            always_joint: false,
            reads: Reads::Log,
            quorums: Quorums::Majority,
            rules: Rules::SOUND,
        };
        let mut parsed = Options { raft, follower_reads: false, session_lifetime: None, manual_disks: false };
        options.iter().try_for_each(|option| parsed.set(option))?;
        Ok(parsed)
    }

    fn set(&mut self, option: &str) -> Result<(), String> {
        let raft = &mut self.raft;
        match option.split_once('=').ok_or_else(|| format!("{option:?} has no ="))? {
            ("spares", value) => raft.spares = number(value)? as u16,
            ("pre_vote", value) => raft.pre_vote = yes(value)?,
            ("check_quorum", value) => raft.check_quorum = yes(value)?,
            ("append_max", value) => raft.append_max = number(value)? as usize,
            ("inflight_max", value) => raft.inflight_max = number(value)? as usize,
            ("snapshot", value) => raft.compaction = Some(compaction(value)?),
            ("always_joint", value) => raft.always_joint = yes(value)?,
            ("reads", value) => raft.reads = reads(value)?,
            ("follower_reads", value) => self.follower_reads = yes(value)?,
            ("session_lifetime", value) => self.session_lifetime = Some(span(value)?),
            ("quorums", value) => raft.quorums = quorums(value)?,
            ("disk", "manual") => self.manual_disks = true,
            ("exhibits", ids) => {
                for id in ids.split(',') {
                    let exhibit = EXHIBITS.iter().find(|exhibit| exhibit.id == id);
                    let exhibit = exhibit.ok_or_else(|| format!("there is no exhibit {id:?}"))?;
                    (exhibit.plant)(&mut raft.rules);
                }
            }
            (name, value) => return Err(format!("there is no option {name}={value}")),
        }
        Ok(())
    }
}

fn yes(value: &str) -> Result<bool, String> {
    value.parse().map_err(|_| format!("{value:?} is neither true nor false"))
}

/// `3/1/2`: every 3 entries, of which 1 is kept, in parts of 2.
fn compaction(value: &str) -> Result<Compaction, String> {
    let numbers = numbers(value)?;
    let [every, keep, chunk] = *numbers else { return Err("snapshot=every/keep/chunk".to_owned()) };
    Ok(Compaction { every, keep, chunk: chunk as usize })
}

/// `index`, or `lease/500` for clocks that drift apart by 500 millionths.
fn reads(value: &str) -> Result<Reads, String> {
    match value.split_once('/') {
        None if value == "index" => Ok(Reads::Index),
        Some(("lease", drift)) => Ok(Reads::Lease { drift_ppm: number(drift)? as u32 }),
        _ => Err("reads=index or reads=lease/500".to_owned()),
    }
}

/// `flexible/4/2`: 4 elect, 2 commit; `weighted/3/1/1`: the votes of each server.
fn quorums(value: &str) -> Result<Quorums, String> {
    let (kind, rest) = value.split_once('/').ok_or("quorums=flexible/4/2 or weighted/3/1/1")?;
    let numbers = numbers(rest)?;
    match (kind, numbers.as_slice()) {
        ("flexible", [election, replication]) => {
            Ok(Quorums::Flexible { election: *election as u16, replication: *replication as u16 })
        }
        ("weighted", votes) if votes.len() <= WEIGHTED_MAX => {
            let mut weights = [0; WEIGHTED_MAX];
            weights.iter_mut().zip(votes).for_each(|(weight, votes)| *weight = *votes as u8);
            Ok(Quorums::Weighted(weights))
        }
        _ => Err(format!("{value:?} are no quorums")),
    }
}

fn numbers(value: &str) -> Result<Vec<u64>, String> {
    value.split('/').map(number).collect()
}
