//! What a conversation can ask of a cluster, line by line.

use super::words::{Pattern, describe, name, node, number, span};
use super::{Cluster, Flight};
use squall::oracle::linearizable::register::Operation;
use squall::protocol::{NodeId, Order, Protocol};
use squall::protocols::raft::kv;
use squall::protocols::raft::log::Entry;
use squall::protocols::raft::message::Record;
use squall::protocols::raft::node::{Store, Timer};
use squall::protocols::raft::session::Request;
use std::fmt::Write;

/// The text with the answers that the cluster gives now.
pub(crate) fn play(text: &str) -> String {
    let mut cluster: Option<Cluster> = None;
    let mut played = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        played.push_str(line);
        played.push('\n');
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut commands = vec![line];
        for line in lines.by_ref().take_while(|line| *line != "----") {
            commands.push(line);
            played.push_str(line);
            played.push('\n');
        }
        played.push_str("----\n");
        for command in commands {
            let words: Vec<&str> = command.split_whitespace().collect();
            let answer = match (&mut cluster, words.as_slice()) {
                (_, ["cluster", options @ ..]) => Cluster::new(options).map(|new| cluster = Some(new)),
                (Some(cluster), words) => cluster.command(words),
                (None, _) => Err("there is no cluster yet".to_owned()),
            };
            if let Some(cluster) = &mut cluster {
                played.push_str(&std::mem::take(&mut cluster.said));
            }
            if let Err(wrong) = answer {
                writeln!(played, "cannot {command:?}: {wrong}").unwrap();
            }
        }
        // The old answer.
        lines.by_ref().take_while(|line| !line.is_empty()).for_each(drop);
        played.push('\n');
    }
    played.truncate(played.trim_end().len());
    played.push('\n');
    played
}

impl Cluster {
    fn command(&mut self, words: &[&str]) -> Result<(), String> {
        match words {
            ["log", server, "=", terms @ ..] => return self.prepare_log(node(server)?, terms),
            ["term", server, "=", term] => return self.prepare_term(node(server)?, number(term)?),
            _ if !self.has_started() => {
                self.servers().for_each(|server| self.boot(server));
                self.said.clear();
            }
            _ => {}
        }
        match words {
            ["timeout", server] => self.fire(node(server)?, Timer::Election),
            ["heartbeat", server] => self.fire(node(server)?, Timer::Heartbeat),
            ["elect", server] => {
                self.fire(node(server)?, Timer::Election)?;
                self.deliver(&[])?;
                let said = std::mem::take(&mut self.said);
                said.lines().filter(|line| line.starts_with("VIOLATION")).for_each(|line| self.say(line));
                let sight = self.sight(node(server)?).expect("it is up");
                self.say(format!("n{} is {} of T{}, with log {}", server, sight.role, sight.term, sight.log()));
                Ok(())
            }
            ["advance", time] => {
                self.view.now += span(time)?;
                Ok(())
            }
            ["advance", time, server] => {
                let ahead = &mut self.ahead[node(server)?.index()];
                *ahead = *ahead + span(time)?;
                Ok(())
            }
            ["join", server] => self.order(node(server)?, Order::Join),
            ["leave", server] => self.order(node(server)?, Order::Leave),
            ["replace", old, "by", server] => self.order(node(server)?, Order::Replace(node(old)?)),
            ["transfer", server] => self.order(node(server)?, Order::TransferLeadership),
            ["propose", server, what @ ..] => self.propose(node(server)?, what),
            ["retry", server] => {
                let request = self.last_request.ok_or("nothing to try again")?;
                self.request(node(server)?, request)
            }
            ["deliver", pattern @ ..] => self.deliver(pattern),
            ["drop", pattern @ ..] => self.take(pattern).map(drop),
            ["duplicate", pattern @ ..] => {
                let pattern = Pattern::parse(pattern)?;
                let copies: Vec<Flight> = self.flight.iter().filter(|it| pattern.matches(it)).cloned().collect();
                self.flight.extend(copies);
                Ok(())
            }
            ["echo", pattern @ ..] => {
                let pattern = Pattern::parse(pattern)?;
                let copies = self.flight.iter().filter(|flight| pattern.matches(flight)).cloned();
                self.held.extend(copies);
                Ok(())
            }
            ["hold", pattern @ ..] => {
                let held = self.take(pattern)?;
                self.held.extend(held);
                Ok(())
            }
            ["release"] => {
                self.flight.append(&mut self.held);
                Ok(())
            }
            ["sync", server] => self.sync(node(server)?),
            ["crash", server] => self.crash(node(server)?, 0),
            ["crash", server, keep] => self.crash(node(server)?, number(keep.strip_prefix("keep=").ok_or("keep=?")?)?),
            ["restart", server] => {
                self.boot(node(server)?);
                Ok(())
            }
            ["isolate", server] => {
                let alone = node(server)?.number();
                for other in (0..self.config.raft.all()).filter(|other| *other != alone) {
                    self.cuts.extend([(alone, other), (other, alone)]);
                }
                Ok(())
            }
            ["cut", links @ ..] => {
                for link in links.iter() {
                    let pattern = Pattern::parse(&[link])?;
                    let (Some(from), Some(to)) = (pattern.from, pattern.to) else { return Err("which?".into()) };
                    self.cuts.push((from, to));
                    if pattern.both_ways {
                        self.cuts.push((to, from));
                    }
                }
                Ok(())
            }
            ["heal"] => {
                self.cuts.clear();
                Ok(())
            }
            ["status"] => {
                self.status();
                Ok(())
            }
            ["log", server] => {
                self.show_log(node(server)?);
                Ok(())
            }
            ["state", server] => self.show_state(node(server)?),
            ["members", server] => self.show_members(node(server)?),
            ["progress", server] => self.show_progress(node(server)?),
            ["flight"] => {
                for flight in &self.flight {
                    let text = describe(&flight.message);
                    writeln!(self.said, "{} -> {}: {text}", name(flight.from), name(flight.to)).unwrap();
                }
                Ok(())
            }
            ["sizes"] => {
                for flight in &self.flight {
                    let (text, bytes) = (describe(&flight.message), Store::size(&flight.message));
                    writeln!(self.said, "{bytes} bytes: {text}").unwrap();
                }
                Ok(())
            }
            _ => Err("no such command".to_owned()),
        }
    }

    /// Entries of these terms, all no-ops: of one term at one index there is only one.
    fn prepare_log(&mut self, server: NodeId, terms: &[&str]) -> Result<(), String> {
        let mut newest = 0;
        for term in terms {
            newest = number(term)?;
            self.view.hosts[server.index()].disk.write(Record::Entry(Entry::new(newest, None)));
        }
        self.prepare_term(server, newest)
    }

    fn prepare_term(&mut self, server: NodeId, term: u64) -> Result<(), String> {
        if self.has_started() {
            return Err("the servers have started".to_owned());
        }
        let disk = &mut self.view.hosts[server.index()].disk;
        disk.write(Record::Term { term, vote: None });
        disk.sync_at_once(true);
        Ok(())
    }

    fn propose(&mut self, server: NodeId, what: &[&str]) -> Result<(), String> {
        let (what, client) = match what {
            [what @ .., "as", client] => (what, number(client.trim_start_matches('c'))? as u16 - 1),
            what => (what, 0),
        };
        let key = |word: &str| match word {
            "x" => Ok(0),
            "y" => Ok(1),
            "z" => Ok(2),
            other => Err(format!("{other:?} is not x, y or z")),
        };
        let (key, operation) = match what {
            ["read", word] => (key(word)?, Operation::Read),
            ["write" | "add" | "cas", what] => {
                let (word, value) = what.split_once('=').ok_or("x=?")?;
                let operation = match value.split_once("->") {
                    Some((from, to)) => Operation::Cas { from: number(from)?, to: number(to)? },
                    None if what.is_empty() => unreachable!("split above"),
                    None => Operation::Write(number(value)?),
                };
                (key(word)?, operation)
            }
            _ => return Err("propose what?".to_owned()),
        };
        let operation = match (what[0], operation) {
            ("add", Operation::Write(value)) => Operation::Add(value),
            (_, operation) => operation,
        };
        let sequence = &mut self.sequences[client as usize];
        *sequence += 1;
        let client = NodeId::new(self.config.raft.all() + client);
        let request = Request {
            client,
            sequence: *sequence,
            session: 0,
            opens: *sequence == 1,
            at_ms: 0,
            command: kv::Command { key, operation },
        };
        self.last_request = Some(request);
        self.request(server, request)
    }

    fn take(&mut self, pattern: &[&str]) -> Result<Vec<Flight>, String> {
        let pattern = Pattern::parse(pattern)?;
        let taken: Vec<Flight> = self.flight.extract_if(.., |flight| pattern.matches(flight)).collect();
        if taken.is_empty() { Err("no such message is in flight".to_owned()) } else { Ok(taken) }
    }

    fn deliver(&mut self, words: &[&str]) -> Result<(), String> {
        let pattern = Pattern::parse(words)?;
        let until_quiet = words.is_empty() || pattern.both_ways;
        if !until_quiet {
            return self.take(words)?.into_iter().try_for_each(|flight| self.arrive(flight));
        }
        for _ in 0..10_000 {
            let Some(place) = self.flight.iter().position(|flight| pattern.matches(flight)) else { return Ok(()) };
            let flight = self.flight.remove(place);
            self.arrive(flight)?;
        }
        Err("it does not become quiet".to_owned())
    }
}
