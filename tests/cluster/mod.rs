//! One cluster of Raft that does what a conversation says and nothing else, and tells what it does.

mod commands;
mod options;
mod sight;
mod words;

use options::Options;
use squall::environment::clock::Clock;
use squall::environment::disk::Disk;
use squall::environment::disk::crash::Survival;
use squall::environment::network::Network;
use squall::environment::plan;
use squall::kernel::rng::{Dice, Purpose, Table};
use squall::kernel::time::{Span, Time};
use squall::oracle::linearizable::register::Answer;
use squall::oracle::spec::{Host, Touch, View, Violation};
use squall::protocol::{Effect, Effects, Found, Io, NodeId, Order, Protocol};
use squall::protocols::raft::client;
use squall::protocols::raft::node::{Command, Config, Judge, Message, Store, Timer};
use squall::protocols::raft::oracle::{CoreOracle, Replicated, check_order};
use std::collections::VecDeque;
use words::{describe, held_back, name, or_nobody};

pub(crate) use commands::play;

/// One cluster, and what it has said since the last command.
struct Cluster {
    config: Config,
    view: View<Store>,
    backstage: Vec<Backstage>,
    flight: Vec<Flight>,
    held: Vec<Flight>,
    /// Directed links, by number.
    cuts: Vec<(u16, u16)>,
    /// By how much the clock of each server is ahead.
    ahead: Vec<Span>,
    /// `None` once it has spoken.
    oracle: Option<CoreOracle>,
    last_request: Option<Command>,
    sequences: [u32; CLIENTS as usize],
    manual_disks: bool,
    said: String,
}

const CLIENTS: u16 = 3;

struct Backstage {
    dice: Dice,
    heartbeat_armed: bool,
    /// What leaves when so many records are durable.
    parked: VecDeque<(usize, NodeId, Message)>,
    to_itself: VecDeque<Message>,
}

#[derive(Clone)]
struct Flight {
    from: NodeId,
    to: NodeId,
    message: Message,
}

impl Cluster {
    fn new(words: &[&str]) -> Result<Cluster, String> {
        let Options { raft, follower_reads, session_lifetime, manual_disks } = Options::parse(words)?;
        let (servers, all) = (raft.servers, raft.all());
        let client = client::Config {
            servers,
            interval: Span::ZERO,
            until: Time::ZERO,
            probe_at: None,
            keys: 3,
            reads: squall::kernel::chance::Ratio::ZERO,
            retry: Span::ms(1),
            patience: Span::ms(1),
            reads_anywhere: false,
            in_turn: false,
            repeats_as: raft.rules.repeats_as,
        };
        let host = |_| Host {
            state: None,
            disk: Disk::new(),
            clock: Clock::new(plan::Clock::default()),
            incarnation: 0,
            asleep: false,
            woken: Time::ZERO,
            impaired: false,
        };
        let backstage = |server| Backstage {
            dice: Dice::new(1, Purpose::Node, server),
            heartbeat_armed: false,
            parked: VecDeque::new(),
            to_itself: VecDeque::new(),
        };
        Ok(Cluster {
            config: Config {
                raft,
                client,
                clients: CLIENTS,
                follower_reads,
                judge: Judge::default(),
                session_lifetime,
                scripts: None,
                idle: 0,
            },
            view: View {
                now: Time::ZERO + Span::secs(1),
                step: 0,
                touched: NodeId::new(0),
                hosts: (0..all).map(host).collect(),
                network: Network::new(&plan::Network::default(), Table::new(1), all, all + CLIENTS, &[]),
                core: None,
            },
            backstage: (0..u64::from(all)).map(backstage).collect(),
            flight: Vec::new(),
            held: Vec::new(),
            cuts: Vec::new(),
            oracle: Some(CoreOracle::timeless(&raft)),
            last_request: None,
            sequences: [0; CLIENTS as usize],
            manual_disks,
            ahead: vec![Span::ZERO; usize::from(all)],
            said: String::new(),
        })
    }

    /// Whether the servers have started: they do with the first command that is not about what
    /// the disks hold before that.
    fn has_started(&self) -> bool {
        self.view.step > 0
    }

    /// All servers, members or not.
    fn servers(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.config.raft.all()).map(NodeId::new)
    }

    /// What time it is for a server.
    fn clock(&self, server: NodeId) -> Time {
        self.view.now + self.ahead[server.index()]
    }

    fn say(&mut self, text: impl AsRef<str>) {
        self.said.push_str(text.as_ref());
        self.said.push('\n');
    }

    fn boot(&mut self, server: NodeId) {
        let now = self.clock(server);
        let back = &mut self.backstage[server.index()];
        let host = &mut self.view.hosts[server.index()];
        assert!(host.state.is_none(), "{} is up", name(server));
        let mut effects = Effects::new();
        let mut io = Io::new(server, now, now, &mut back.dice, &mut effects);
        let records: Vec<_> = host.disk.records().cloned().collect();
        let state = Store::boot(&self.config, server, Found { records: &records, damage: None }, &mut io);
        host.state = Some(state);
        let sight = self.sight(server).expect("it is up");
        let log = if sight.log().is_empty() { "an empty log".to_owned() } else { format!("log {}", sight.log()) };
        self.say(format!("{} starts in T{}, vote {}, with {log}", name(server), sight.term, or_nobody(sight.vote)));
        self.perform(server, effects);
        self.judge(server, Touch::Booted);
        self.talk_to_itself(server);
    }

    fn fire(&mut self, server: NodeId, timer: Timer) -> Result<(), String> {
        if timer == Timer::Heartbeat && !self.backstage[server.index()].heartbeat_armed {
            return Err(format!("{} has no heartbeat to send", name(server)));
        }
        self.turn(server, "", |state, io| state.on_timer(timer, io))?;
        self.talk_to_itself(server);
        Ok(())
    }

    fn order(&mut self, server: NodeId, order: Order) -> Result<(), String> {
        let mut heard = false;
        if let (Some(oracle), Some(core)) = (&mut self.oracle, self.view.state(server).and_then(Store::core)) {
            oracle.ordered(order, server, core.term());
        }
        self.turn(server, "", |state, io| heard = state.on_order(order, io))?;
        if let (Some(_), Some(core)) = (&self.oracle, self.view.state(server).and_then(Store::core)) {
            let found = check_order(order, server, core).err();
            self.break_off(found);
        }
        if !heard {
            self.say(format!("{} has no use for that order", name(server)));
        }
        self.talk_to_itself(server);
        Ok(())
    }

    fn request(&mut self, server: NodeId, request: Command) -> Result<(), String> {
        self.turn(server, "", |state, io| state.on_message(request.client, Message::Request(request), io))?;
        self.talk_to_itself(server);
        Ok(())
    }

    fn arrive(&mut self, flight: Flight) -> Result<(), String> {
        let Flight { from, to, message } = flight;
        let head = format!("{} -> {}: {}", name(from), name(to), describe(&message));
        if self.cuts.contains(&(from.number(), to.number())) || self.view.hosts[to.index()].state.is_none() {
            self.say(format!("{head}: lost"));
            return Ok(());
        }
        self.turn(to, &head, |state, io| state.on_message(from, message, io))?;
        self.talk_to_itself(to);
        Ok(())
    }

    /// What a server sends itself arrives at once, in turns of its own.
    fn talk_to_itself(&mut self, server: NodeId) {
        while let Some(message) = self.backstage[server.index()].to_itself.pop_front() {
            self.turn(server, "", |state, io| state.on_message(server, message, io)).expect("it is up");
        }
    }

    fn turn(
        &mut self,
        server: NodeId,
        head: &str,
        handler: impl FnOnce(&mut Store, &mut Io<'_, Store>),
    ) -> Result<(), String> {
        let before = self.sight(server).ok_or_else(|| format!("{} is down", name(server)))?;
        let now = self.clock(server);
        let back = &mut self.backstage[server.index()];
        let mut effects = Effects::new();
        let mut io = Io::new(server, now, now, &mut back.dice, &mut effects);
        handler(self.view.hosts[server.index()].state.as_mut().expect("it is up"), &mut io);
        if !head.is_empty() {
            self.say(head);
        }
        self.tell_changes(server, &before);
        self.perform(server, effects);
        self.judge(server, Touch::Handled);
        Ok(())
    }

    fn perform(&mut self, server: NodeId, mut effects: Effects<Store>) {
        let mut gate = None;
        let mut parked = 0;
        for effect in effects.drain() {
            match effect {
                Effect::Send { to, message } => match gate {
                    None => self.send(server, to, message),
                    Some(upto) => {
                        parked += 1;
                        self.backstage[server.index()].parked.push_back((upto, to, message));
                    }
                },
                Effect::Arm { timer: Timer::Heartbeat, .. } => self.backstage[server.index()].heartbeat_armed = true,
                Effect::Disarm(Timer::Heartbeat) => self.backstage[server.index()].heartbeat_armed = false,
                // The conversation says when an election timer fires.
                Effect::Arm { .. } | Effect::Disarm(_) => {}
                Effect::Write(record) => {
                    let disk = &mut self.view.hosts[server.index()].disk;
                    if Store::is_checkpoint(&record) { disk.write_checkpoint(record) } else { disk.write(record) }
                }
                Effect::Sync => gate = self.begin_sync(server),
                Effect::Note(_) => unreachable!("only clients note facts"),
            }
        }
        if parked > 0 {
            let place = self.backstage[server.index()].parked.len() - parked;
            let waiting = self.backstage[server.index()].parked.iter().skip(place);
            let waiting: Vec<String> = waiting.map(|(_, to, message)| held_back(server, *to, message)).collect();
            self.say(format!("  {} waits for its disk before {}", name(server), waiting.join(", ")));
        }
    }

    /// Answers how many records must be durable before what follows may leave, if not all are.
    fn begin_sync(&mut self, server: NodeId) -> Option<usize> {
        let disk = &mut self.view.hosts[server.index()].disk;
        if disk.is_clean() {
            return None;
        }
        if !self.manual_disks {
            disk.sync_at_once(true);
            return None;
        }
        let upto = disk.end();
        disk.ask();
        Some(upto)
    }

    fn send(&mut self, from: NodeId, to: NodeId, message: Message) {
        if from == to {
            self.backstage[from.index()].to_itself.push_back(message);
            return;
        }
        let client = |number: u32| format!("c{}#{number}", to.number() + 1 - self.config.raft.all());
        match message {
            Message::Reply { sequence, answer } => {
                let answer = match answer {
                    Answer::Value(value) => value.to_string(),
                    Answer::Done => "done".to_owned(),
                    Answer::Swapped(true) => "swapped".to_owned(),
                    Answer::Swapped(false) => "not swapped".to_owned(),
                };
                self.say(format!("  {} answers {}: {answer}", name(from), client(sequence)));
            }
            Message::Expired { sequence } => {
                self.say(format!("  {} answers {}: its session is over", name(from), client(sequence)));
            }
            Message::Redirect { sequence, leader } => {
                let leader =
                    leader.map_or_else(|| "it knows no leader".to_owned(), |leader| format!("ask {}", name(leader)));
                self.say(format!("  {} answers {}: {leader}", name(from), client(sequence)));
            }
            message => self.flight.push(Flight { from, to, message }),
        }
    }

    fn sync(&mut self, server: NodeId) -> Result<(), String> {
        if self.view.hosts[server.index()].disk.is_clean() {
            return Err(format!("the disk of {} has nothing to do", name(server)));
        }
        while self.view.hosts[server.index()].disk.complete(true) {}
        let synced = self.view.hosts[server.index()].disk.synced();
        let back = &mut self.backstage[server.index()];
        let mut ready = Vec::new();
        while back.parked.front().is_some_and(|(upto, ..)| *upto <= synced) {
            ready.extend(back.parked.pop_front());
        }
        for (_, to, message) in ready {
            self.send(server, to, message);
        }
        self.judge(server, Touch::Synced);
        self.talk_to_itself(server);
        Ok(())
    }

    fn crash(&mut self, server: NodeId, keep: u64) -> Result<(), String> {
        let host = &mut self.view.hosts[server.index()];
        host.state.take().ok_or_else(|| format!("{} is down", name(server)))?;
        host.incarnation += 1;
        let unsynced = (host.disk.end() - host.disk.synced()) as u64;
        if keep > unsynced {
            return Err(format!("only {unsynced} records are not durable"));
        }
        // The word that makes the disk keep so many.
        let word = (u128::from(keep) << 64).div_ceil(u128::from(unsynced) + 1) as u64;
        let lost = host.disk.crash(word, Survival::Prefix, false).unsynced;
        let back = &mut self.backstage[server.index()];
        back.parked.clear();
        back.heartbeat_armed = false;
        if lost > 0 {
            self.say(format!("{} dies and loses {lost} of its records", name(server)));
        }
        self.judge(server, Touch::Crashed { lost });
        Ok(())
    }

    fn judge(&mut self, server: NodeId, touch: Touch) {
        self.view.step += 1;
        self.view.touched = server;
        let Some(oracle) = &mut self.oracle else { return };
        let found = oracle.after_step(&self.view, server, touch).err();
        self.break_off(found);
    }

    /// If a promise is broken, that is said, and no other one is looked for.
    fn break_off(&mut self, found: Option<Box<Violation>>) {
        if let Some(found) = found {
            self.oracle = None;
            let mut message = found.message;
            for server in (0..self.config.raft.all()).rev() {
                message = message.replace(&format!("#{server}"), &name(NodeId::new(server)));
            }
            self.say(format!("VIOLATION {}: {message}", found.invariant));
        }
    }
}
