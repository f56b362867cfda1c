//! Conversations with one cluster: every `tests/interaction/*.txt` is commands and what the cluster
//! answered. `SQUALL_REWRITE=1` writes the answers anew; then read the difference as a story.
//!
//! Nothing happens here that the conversation does not ask for: it fires the timers, delivers each
//! message, completes each sync, and moves the clock. The oracle of the core listens and says
//! `VIOLATION` once, when it hears one.
//!
//! A file has comments (`#`), and blocks: commands, `----`, the answer, an empty line. Nodes are
//! called by number. The commands:
//!
//! - `cluster 3 pre_vote=true check_quorum=true append_max=1 disk=manual exhibits=a,b`: plain Raft
//!   with disks that sync at once, unless said otherwise;
//! - `log 2 = 1 1 4` and `term 2 = 7`: what a disk holds before the first start;
//! - `timeout 1`, `heartbeat 1`: a timer fires; `advance 200ms`: all clocks go on; `elect 1` is a timeout
//!   and all that follows from it, told in one line;
//! - `propose 1 write x=5` (or `add x=5`, `cas x=5->6`, `read x`; `as c2`): a client asks a server;
//!   `retry 2`: the last request again, to another server;
//! - `deliver`: all in flight, until it is quiet; `deliver 1->2`, `deliver 1->* append`: what matches now;
//!   `deliver 1<->2`: between the two until it is quiet. `drop`, `duplicate`, `hold` take the same; `echo`
//!   holds a second copy of what is in flight; `release` lets go what is held;
//! - `sync 2`: its disk is done; `crash 2 keep=1`, `restart 2`; `isolate 1`, `cut 1->2`, `heal`;
//! - `status`, `log 2`, `flight`.

#![expect(clippy::disallowed_methods, reason = "a variable says whether to rewrite the answers")]

mod conversation {
    use squall::environment::disk::Disk;
    use squall::environment::disk::crash::Survival;
    use squall::environment::network::Network;
    use squall::environment::plan;
    use squall::kernel::rng::{Dice, Purpose, Table};
    use squall::kernel::time::{Span, Time};
    use squall::oracle::linearizable::register::{Answer, Operation};
    use squall::oracle::spec::{Host, Touch, View};
    use squall::protocol::{Effect, Found, Io, NodeId, Protocol};
    use squall::protocols::raft::core::Role;
    use squall::protocols::raft::exhibits::EXHIBITS;
    use squall::protocols::raft::log::{Entry, Position};
    use squall::protocols::raft::message::{Message as Raft, Outcome, Record};
    use squall::protocols::raft::node::{Command, Config, Message, Store, Timer};
    use squall::protocols::raft::oracle::{CoreOracle, Replicated};
    use squall::protocols::raft::rules::Rules;
    use squall::protocols::raft::session::Request;
    use squall::protocols::raft::{client, config, kv};
    use std::collections::VecDeque;
    use std::fmt::Write;

    /// One cluster, and what it has said since the last command.
    pub(super) struct Cluster {
        config: Config,
        hosts: Vec<Host<Store>>,
        backstage: Vec<Backstage>,
        flight: Vec<Flight>,
        held: Vec<Flight>,
        /// Directed links, by number.
        cuts: Vec<(u16, u16)>,
        network: Network,
        now: Time,
        steps: u64,
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

    /// What is seen of a server before and after a turn.
    #[derive(Clone, PartialEq)]
    struct Sight {
        role: &'static str,
        term: u64,
        vote: Option<NodeId>,
        log: Vec<u64>,
        commit: u64,
    }

    /// Which messages a command is about.
    struct Pattern {
        from: Option<u16>,
        to: Option<u16>,
        both_ways: bool,
        kind: Option<String>,
    }

    impl Pattern {
        fn parse(words: &[&str]) -> Result<Pattern, String> {
            let mut pattern = Pattern { from: None, to: None, both_ways: false, kind: None };
            for word in words {
                if let Some((from, to)) = word.split_once("<->") {
                    (pattern.from, pattern.to, pattern.both_ways) = (end(from)?, end(to)?, true);
                } else if let Some((from, to)) = word.split_once("->") {
                    (pattern.from, pattern.to) = (end(from)?, end(to)?);
                } else if ["vote", "vote-reply", "append", "append-reply"].contains(word) {
                    pattern.kind = Some((*word).to_owned());
                } else {
                    return Err(format!("{word:?} is neither a link nor a kind of message"));
                }
            }
            Ok(pattern)
        }

        fn matches(&self, flight: &Flight) -> bool {
            let link = |from: u16, to: u16| {
                self.from.is_none_or(|wanted| wanted == from) && self.to.is_none_or(|wanted| wanted == to)
            };
            let (from, to) = (flight.from.number(), flight.to.number());
            let kind = self.kind.as_ref().is_none_or(|kind| kind == kind_of(&flight.message));
            kind && (link(from, to) || self.both_ways && link(to, from))
        }
    }

    impl Cluster {
        fn new(words: &[&str]) -> Result<Cluster, String> {
            let (servers, options) = words.split_first().ok_or("how many servers?")?;
            let servers: u16 = servers.parse().map_err(|_| format!("{servers:?} servers?"))?;
            let mut raft = config::Config {
                servers,
                election_timeout_min: Span::ms(150),
                election_timeout_max: Span::ms(300),
                heartbeat: Span::ms(50),
                pre_vote: false,
                check_quorum: false,
                append_max: 64,
                inflight_max: 256,
                rules: Rules::SOUND,
            };
            let mut manual_disks = false;
            for option in options {
                match option.split_once('=').ok_or_else(|| format!("{option:?} has no ="))? {
                    ("pre_vote", value) => raft.pre_vote = value == "true",
                    ("check_quorum", value) => raft.check_quorum = value == "true",
                    ("append_max", value) => raft.append_max = number(value)? as usize,
                    ("disk", value) => manual_disks = value == "manual",
                    ("exhibits", ids) => {
                        for id in ids.split(',') {
                            let exhibit = EXHIBITS.iter().find(|exhibit| exhibit.id == id);
                            let exhibit = exhibit.ok_or_else(|| format!("there is no exhibit {id:?}"))?;
                            (exhibit.plant)(&mut raft.rules);
                        }
                    }
                    (name, _) => return Err(format!("there is no option {name:?}")),
                }
            }
            let client = client::Config {
                servers,
                interval: Span::ZERO,
                until: Time::ZERO,
                probe_at: None,
                keys: 3,
                reads: squall::kernel::chance::Ratio::ZERO,
                retry: Span::ms(1),
                patience: Span::ms(1),
            };
            let host = |_| Host { state: None, disk: Disk::new(), incarnation: 0, asleep: false, impaired: false };
            let backstage = |server| Backstage {
                dice: Dice::new(1, Purpose::Node, server),
                heartbeat_armed: false,
                parked: VecDeque::new(),
                to_itself: VecDeque::new(),
            };
            Ok(Cluster {
                config: Config { raft, client, clients: CLIENTS, scripts: None, idle: 0 },
                hosts: (0..servers).map(host).collect(),
                backstage: (0..u64::from(servers)).map(backstage).collect(),
                flight: Vec::new(),
                held: Vec::new(),
                cuts: Vec::new(),
                network: Network::new(&plan::Network::default(), Table::new(1), servers, servers + CLIENTS, &[]),
                now: Time::ZERO + Span::secs(1),
                steps: 0,
                oracle: Some(CoreOracle::new(servers)),
                last_request: None,
                sequences: [0; CLIENTS as usize],
                manual_disks,
                said: String::new(),
            })
        }

        /// Whether the servers have started: they do with the first command that is not about what
        /// the disks hold before that.
        fn has_started(&self) -> bool {
            self.steps > 0
        }

        fn command(&mut self, words: &[&str]) -> Result<(), String> {
            match words {
                ["log", server, "=", terms @ ..] => return self.prepare_log(node(server)?, terms),
                ["term", server, "=", term] => return self.prepare_term(node(server)?, number(term)?),
                _ if !self.has_started() => {
                    (0..self.config.raft.servers).for_each(|server| self.boot(NodeId::new(server)));
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
                    self.say(format!(
                        "n{} is {} of T{}, with log {}",
                        server,
                        sight.role,
                        sight.term,
                        terms(&sight.log)
                    ));
                    Ok(())
                }
                ["advance", span] => {
                    let ms = span.strip_suffix("ms").ok_or("a time in ms")?;
                    self.now += Span::ms(number(ms)?);
                    Ok(())
                }
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
                ["crash", server, keep] => {
                    self.crash(node(server)?, number(keep.strip_prefix("keep=").ok_or("keep=?")?)?)
                }
                ["restart", server] => {
                    self.boot(node(server)?);
                    Ok(())
                }
                ["isolate", server] => {
                    let alone = node(server)?.number();
                    for other in (0..self.config.raft.servers).filter(|other| *other != alone) {
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
                ["flight"] => {
                    for flight in &self.flight {
                        let text = describe(&flight.message);
                        writeln!(self.said, "{} -> {}: {text}", name(flight.from), name(flight.to)).unwrap();
                    }
                    Ok(())
                }
                _ => Err("no such command".to_owned()),
            }
        }

        fn say(&mut self, text: impl AsRef<str>) {
            self.said.push_str(text.as_ref());
            self.said.push('\n');
        }

        /// Entries of these terms, all no-ops: of one term at one index there is only one.
        fn prepare_log(&mut self, server: NodeId, terms: &[&str]) -> Result<(), String> {
            let mut newest = 0;
            for term in terms {
                newest = number(term)?;
                self.hosts[server.index()].disk.write(Record::Entry(Entry::new(newest, None)));
            }
            self.prepare_term(server, newest)
        }

        fn prepare_term(&mut self, server: NodeId, term: u64) -> Result<(), String> {
            if self.has_started() {
                return Err("the servers have started".to_owned());
            }
            let disk = &mut self.hosts[server.index()].disk;
            disk.write(Record::Term { term, vote: None });
            disk.sync_at_once(true);
            Ok(())
        }

        fn boot(&mut self, server: NodeId) {
            let back = &mut self.backstage[server.index()];
            let host = &mut self.hosts[server.index()];
            assert!(host.state.is_none(), "{} is up", name(server));
            let mut effects = Vec::new();
            let mut io = Io::new(server, self.now, self.now, &mut back.dice, &mut effects);
            let records: Vec<_> = host.disk.records().from(0).cloned().collect();
            let state = Store::boot(&self.config, server, Found { records: &records, damage: None }, &mut io);
            host.state = Some(state);
            let sight = self.sight(server).expect("it is up");
            let log =
                if sight.log.is_empty() { "an empty log".to_owned() } else { format!("log {}", terms(&sight.log)) };
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
            let client = NodeId::new(self.config.raft.servers + client);
            let request = Request { client, sequence: *sequence, command: kv::Command { key, operation } };
            self.last_request = Some(request);
            self.request(server, request)
        }

        fn request(&mut self, server: NodeId, request: Command) -> Result<(), String> {
            self.turn(server, "", |state, io| state.on_message(request.client, Message::Request(request), io))?;
            self.talk_to_itself(server);
            Ok(())
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

        fn arrive(&mut self, flight: Flight) -> Result<(), String> {
            let Flight { from, to, message } = flight;
            let head = format!("{} -> {}: {}", name(from), name(to), describe(&message));
            if self.cuts.contains(&(from.number(), to.number())) || self.hosts[to.index()].state.is_none() {
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
            let back = &mut self.backstage[server.index()];
            let mut effects = Vec::new();
            let mut io = Io::new(server, self.now, self.now, &mut back.dice, &mut effects);
            handler(self.hosts[server.index()].state.as_mut().expect("it is up"), &mut io);
            if !head.is_empty() {
                self.say(head);
            }
            self.tell_changes(server, &before);
            self.perform(server, effects);
            self.judge(server, Touch::Handled);
            Ok(())
        }

        fn tell_changes(&mut self, server: NodeId, before: &Sight) {
            let after = self.sight(server).expect("it is up");
            let mut changes = Vec::new();
            if after.role != before.role {
                changes.push(format!("becomes {} in T{}", after.role, after.term));
            } else if after.term != before.term {
                changes.push(format!("goes on to T{} as {}", after.term, after.role));
            }
            match after.vote {
                _ if (after.term, after.vote) == (before.term, before.vote) => {}
                Some(vote) if vote == server => changes.push("votes for itself".to_owned()),
                Some(vote) => changes.push(format!("votes for {}", name(vote))),
                None if after.term == before.term => changes.push("takes its vote back".to_owned()),
                None => {}
            }
            let common = before.log.iter().zip(&after.log).take_while(|(mine, now)| mine == now).count();
            if common < before.log.len() {
                changes.push(format!("removes {}", places(&before.log, common)));
            }
            if common < after.log.len() {
                changes.push(format!("appends {}", places(&after.log, common)));
            }
            if after.commit != before.commit {
                let fell = if after.commit < before.commit { "falls back to commit" } else { "commits up to" };
                changes.push(format!("{fell} {}", after.commit));
            }
            if !changes.is_empty() {
                let indent = if self.said.lines().last().is_some_and(|line| line.contains(" -> ")) { "  " } else { "" };
                self.say(format!("{indent}{} {}", name(server), changes.join(", ")));
            }
        }

        fn perform(&mut self, server: NodeId, effects: Vec<Effect<Store>>) {
            let mut gate = None;
            let mut parked = 0;
            for effect in effects {
                match effect {
                    Effect::Send { to, message } => match gate {
                        None => self.send(server, to, message),
                        Some(upto) => {
                            parked += 1;
                            self.backstage[server.index()].parked.push_back((upto, to, message));
                        }
                    },
                    Effect::Arm { timer: Timer::Heartbeat, .. } => {
                        self.backstage[server.index()].heartbeat_armed = true
                    }
                    Effect::Disarm(Timer::Heartbeat) => self.backstage[server.index()].heartbeat_armed = false,
                    // The conversation says when an election timer fires.
                    Effect::Arm { .. } | Effect::Disarm(_) => {}
                    Effect::Write(record) => self.hosts[server.index()].disk.write(record),
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
            let disk = &mut self.hosts[server.index()].disk;
            if disk.is_clean() {
                return None;
            }
            if !self.manual_disks {
                disk.sync_at_once(true);
                return None;
            }
            let upto = disk.records().len();
            disk.ask();
            Some(upto)
        }

        fn send(&mut self, from: NodeId, to: NodeId, message: Message) {
            if from == to {
                self.backstage[from.index()].to_itself.push_back(message);
                return;
            }
            let client = |number: u32| format!("c{}#{number}", to.number() + 1 - self.config.raft.servers);
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
                Message::Redirect { sequence, leader } => {
                    let leader = leader
                        .map_or_else(|| "it knows no leader".to_owned(), |leader| format!("ask {}", name(leader)));
                    self.say(format!("  {} answers {}: {leader}", name(from), client(sequence)));
                }
                message => self.flight.push(Flight { from, to, message }),
            }
        }

        fn sync(&mut self, server: NodeId) -> Result<(), String> {
            if self.hosts[server.index()].disk.is_clean() {
                return Err(format!("the disk of {} has nothing to do", name(server)));
            }
            while self.hosts[server.index()].disk.complete(true) {}
            let synced = self.hosts[server.index()].disk.synced();
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
            let host = &mut self.hosts[server.index()];
            host.state.take().ok_or_else(|| format!("{} is down", name(server)))?;
            host.incarnation += 1;
            let unsynced = (host.disk.records().len() - host.disk.synced()) as u64;
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
            self.steps += 1;
            let Some(oracle) = &mut self.oracle else { return };
            let view = View {
                now: self.now,
                step: self.steps,
                touched: server,
                hosts: &self.hosts,
                network: &self.network,
                core: None,
            };
            if let Err(found) = oracle.after_step(&view, server, touch) {
                self.oracle = None;
                let mut message = found.message;
                for server in (0..self.config.raft.servers).rev() {
                    message = message.replace(&format!("#{server}"), &name(NodeId::new(server)));
                }
                self.say(format!("VIOLATION {}: {message}", found.invariant));
            }
        }

        fn sight(&self, server: NodeId) -> Option<Sight> {
            let core = self.hosts[server.index()].state.as_ref().and_then(Store::core)?;
            let role = match core.role() {
                Role::Follower => "follower",
                Role::PreCandidate { .. } => "pre-candidate",
                Role::Candidate { .. } => "candidate",
                Role::Leader(_) => "leader",
                Role::Outcast => "outcast",
            };
            let log = (1..=core.log().last_index()).map(|index| core.log().term_at(index).expect("in the log"));
            Some(Sight { role, term: core.term(), vote: core.vote(), log: log.collect(), commit: core.commit() })
        }

        fn status(&mut self) {
            self.say("     role          term vote commit applied durable  log");
            for server in (0..self.config.raft.servers).map(NodeId::new) {
                let durable = self.durable(server);
                let Some(sight) = self.sight(server) else {
                    self.say(format!("{:4} down {:>39}", name(server), durable));
                    continue;
                };
                let core = self.hosts[server.index()].state.as_ref().and_then(Store::core).expect("it is up");
                let line = format!(
                    "{:4} {:13} {:4} {:4} {:6} {:7} {:7}  {}",
                    name(server),
                    sight.role,
                    format!("T{}", sight.term),
                    sight.vote.map_or("-".to_owned(), name),
                    sight.commit,
                    core.applied(),
                    durable,
                    terms(&sight.log)
                );
                self.say(line.trim_end());
            }
        }

        /// How many entries the disk would bring back.
        fn durable(&self, server: NodeId) -> u64 {
            self.hosts[server.index()].disk.durable().fold(0, |upto, record| match record {
                Record::Term { .. } => upto,
                Record::Truncate { from } => from - 1,
                Record::Entry(_) => upto + 1,
            })
        }

        fn show_log(&mut self, server: NodeId) {
            let Some(core) = self.hosts[server.index()].state.as_ref().and_then(Store::core) else { return };
            let mut lines = Vec::new();
            for index in 1..=core.log().last_index() {
                let entry = core.log().entry(index).expect("in the log");
                let what = entry.command().map_or("no-op".to_owned(), |request| {
                    let key = ["x", "y", "z"][request.command.key as usize];
                    let client = request.client.number() + 1 - self.config.raft.servers;
                    let what = match request.command.operation {
                        Operation::Read => format!("read {key}"),
                        Operation::Write(value) => format!("write {key}={value}"),
                        Operation::Cas { from, to } => format!("cas {key}={from}->{to}"),
                        Operation::Add(value) => format!("add {key}={value}"),
                    };
                    format!("{what} (c{client}#{})", request.sequence)
                });
                lines.push(format!("{index}:{} {what}", entry.term()));
            }
            lines.iter().for_each(|line| self.say(line));
        }
    }

    fn kind_of(message: &Message) -> &'static str {
        match message {
            Message::Raft(Raft::RequestVote { .. }) => "vote",
            Message::Raft(Raft::RequestVoteReply { .. }) => "vote-reply",
            Message::Raft(Raft::AppendEntries { .. }) => "append",
            Message::Raft(Raft::AppendEntriesReply { .. }) => "append-reply",
            Message::Request(_) | Message::Reply { .. } | Message::Redirect { .. } => "client",
        }
    }

    fn at(position: Position) -> String {
        format!("{}:{}", position.index, position.term)
    }

    fn describe(message: &Message) -> String {
        let pre = |pre_vote: bool| if pre_vote { "Pre" } else { "Request" };
        let Message::Raft(message) = message else { unreachable!("clients are answered at once") };
        match message {
            Raft::RequestVote { term, last, pre_vote } => format!("{}Vote T{term} last {}", pre(*pre_vote), at(*last)),
            Raft::RequestVoteReply { term, granted, pre_vote } => {
                let word = if *granted { "granted" } else { "refused" };
                format!("{}VoteReply T{term} {word}", if *pre_vote { "Pre" } else { "" })
            }
            Raft::AppendEntries { term, prev, commit, entries } => {
                let entries: Vec<String> =
                    (prev.index + 1..).zip(entries).map(|(index, entry)| format!("{index}:{}", entry.term())).collect();
                let entries = if entries.is_empty() { "nothing".to_owned() } else { entries.join(" ") };
                format!("Append T{term} after {} commit {commit}: {entries}", at(*prev))
            }
            Raft::AppendEntriesReply { term, outcome: Outcome::Matched(index) } => {
                format!("AppendReply T{term} matched {index}")
            }
            Raft::AppendEntriesReply { term, outcome: Outcome::Conflict { refused, hint } } => {
                format!("AppendReply T{term} refused {refused}, try {}", at(*hint))
            }
        }
    }

    fn held_back(server: NodeId, to: NodeId, message: &Message) -> String {
        match message {
            Message::Raft(Raft::RequestVoteReply { .. }) if to == server => "it counts its own vote".to_owned(),
            Message::Raft(Raft::AppendEntriesReply { .. }) if to == server => "it counts its own copy".to_owned(),
            message => format!("{} to {}", describe(message), name(to)),
        }
    }

    fn name(node: NodeId) -> String {
        format!("n{}", node.number() + 1)
    }

    fn or_nobody(vote: Option<NodeId>) -> String {
        vote.map_or_else(|| "none".to_owned(), name)
    }

    fn terms(log: &[u64]) -> String {
        log.iter().map(u64::to_string).collect::<Vec<_>>().join(" ")
    }

    /// The entries from this place on, as index:term.
    fn places(log: &[u64], from: usize) -> String {
        let places = log.iter().enumerate().skip(from).map(|(place, term)| format!("{}:{term}", place + 1));
        places.collect::<Vec<_>>().join(" ")
    }

    fn number(word: &str) -> Result<u64, String> {
        word.parse().map_err(|_| format!("{word:?} is not a number"))
    }

    fn node(word: &str) -> Result<NodeId, String> {
        number(word.trim_start_matches('n')).map(|place| NodeId::new(place as u16 - 1))
    }

    fn end(word: &str) -> Result<Option<u16>, String> {
        if word == "*" { Ok(None) } else { node(word).map(|node| Some(node.number())) }
    }

    /// The text with the answers that the cluster gives now.
    pub(super) fn play(text: &str) -> String {
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
}

mod files {
    use super::conversation::play;
    use std::path::{Path, PathBuf};
    use std::{env, fs};

    fn files() -> Vec<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interaction");
        let entries = fs::read_dir(folder).expect("the folder is there");
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
        files.sort();
        files
    }

    #[test]
    fn every_conversation_goes_as_it_is_written() {
        let rewrite = env::var_os("SQUALL_REWRITE").is_some();
        let mut different = Vec::new();
        for file in files() {
            let written = fs::read_to_string(&file).expect("it can be read");
            let played = play(&written);
            if played == written {
                continue;
            }
            if rewrite {
                fs::write(&file, &played).expect("it can be written");
            }
            let (line, (old, new)) = (1..)
                .zip(written.lines().chain(std::iter::repeat("")).zip(played.lines().chain([""])))
                .find(|(_, (old, new))| old != new)
                .unwrap_or((0, ("the end", "another end")));
            different.push(format!("{}:{line}\n  written: {old}\n  played:  {new}", file.display()));
        }
        let count = different.len();
        assert!(rewrite || count == 0, "{}\n{count} went otherwise; SQUALL_REWRITE=1", different.join("\n"));
    }

    /// What a file says of itself must hold of what is played: a sound cluster breaks nothing, and a
    /// command that could not be carried out is a mistake in the file.
    #[test]
    fn violations_come_exactly_where_a_defect_is_planted() {
        for file in files() {
            let text = fs::read_to_string(&file).expect("it can be read");
            let planted = text.contains("exhibits=");
            assert_eq!(text.contains("VIOLATION"), planted, "{}", file.display());
            assert!(!text.contains("\ncannot \""), "{} asks for what cannot be", file.display());
        }
    }
}
