//! A client of locks that a connection holds: it takes a connection for each claim, and stops when that is gone.
//!
//! A client counts a connection's life from when it asked what was answered last. The server counts from when it has
//! heard that, which is later; so with keepalives alike the client gives up first. What it has sent to others before may
//! still be on its way then: to be safe, its keepalive must be shorter by as long as that takes. So it does not tell the
//! server when it gives up a connection that held something, but lets it find out by itself.

use super::command::{Answer, Command, Connection, Statement};
use super::rules::Rules;
use super::{Config, ConnectedConfig, Drawing, Hold};
use crate::kernel::chance::within;
use crate::kernel::time::{Span, Time};
use crate::protocol::NodeId;
use crate::protocols::lock::claim::{Claim, ClaimId, Mode, Token};
use crate::protocols::lock::message::{Call, Event, Reply, Request};
use crate::protocols::lock::recipe::{Desk, Due, News, Recipe};

/// The state of the recipe: its claims and its connections, few at a time.
#[derive(Clone, Debug)]
pub struct Connected {
    config: Config,
    way: ConnectedConfig,
    claims: Vec<Own>,
    /// Those that are open, for all it knows.
    lines: Vec<Line>,
    /// Whether it is due that it beats.
    beats: bool,
    /// Whether it minds that a connection is gone.
    stops_when_cut: bool,
    /// Whether it tells the server that a connection is given up by which it has held something.
    closes_what_held: bool,
}

/// A connection.
#[derive(Clone, Copy, Debug)]
struct Line {
    connection: Connection,
    /// When it asked what was answered last.
    proved: Time,
}

/// One claim.
#[derive(Clone, Copy, Debug)]
struct Own {
    claim: Claim,
    stage: Stage,
    /// The connection that is the claim's.
    connection: Option<Connection>,
    /// Whether it has had another before, of which the server may not know yet that it is gone.
    is_double: bool,
    /// What is not answered yet, when it was asked first, and what it was.
    asked: Option<(Call, Time, Command)>,
}

/// How far a claim is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// It needs a connection.
    Opening,
    /// It asks for the lock.
    Locking,
    /// It waits until it asks again.
    Waiting,
    /// It has the lock, and asks for a token.
    Numbering,
    /// It has the lock.
    Holding,
    /// It has the lock, and asks to share it too.
    Sharing,
    /// It shares the lock, and is about to have it alone no more.
    Yielding,
    /// It gives the lock back.
    Leaving,
    /// It gives its connection up, and all that goes with it.
    Closing,
}

impl Connected {
    /// No claims and no connections yet.
    pub fn boot(config: &Config, way: ConnectedConfig, rules: &Rules) -> Connected {
        Connected {
            config: *config,
            way,
            claims: Vec::new(),
            lines: Vec::new(),
            beats: false,
            stops_when_cut: (rules.stops_when_cut)(),
            closes_what_held: (rules.closes_what_held)(),
        }
    }

    fn place(&self, id: ClaimId) -> Option<usize> {
        self.claims.iter().position(|own| own.claim.id == id)
    }

    fn asking(&self, call: Call) -> Option<usize> {
        self.claims.iter().position(|own| own.asked.is_some_and(|(asked, ..)| asked == call))
    }

    /// Whether a connection lasts, for all that the client knows by its own clock.
    fn lasts(&self, connection: Connection, now: Time) -> bool {
        let of = |line: &&Line| line.connection == connection;
        self.lines.iter().find(of).is_some_and(|line| now < line.proved + self.way.client_keepalive)
    }

    fn prove(&mut self, connection: Connection, sent: Time) {
        if let Some(line) = self.lines.iter_mut().find(|line| line.connection == connection) {
            line.proved = line.proved.max(sent);
        }
    }

    fn ask(&mut self, place: usize, stage: Stage, command: Command, desk: &mut Desk<'_, '_>) {
        let call = desk.ask(NodeId::new(0), Request::Database(command), self.config.patience);
        let own = &mut self.claims[place];
        own.stage = stage;
        own.asked = Some((call, desk.io.now(), command));
    }

    /// Asks for a token. Another connection is one of many that those who share a pool have; so it is at hand.
    fn draw(&mut self, place: usize, drawing: Drawing, desk: &mut Desk<'_, '_>) {
        match drawing {
            Drawing::Alongside => self.say(place, Stage::Numbering, desk),
            Drawing::Apart => self.ask(place, Stage::Numbering, Command::Draw, desk),
        }
    }

    /// Says what belongs to a stage on the claim's connection, or looks for one.
    fn say(&mut self, place: usize, stage: Stage, desk: &mut Desk<'_, '_>) {
        let own = &mut self.claims[place];
        let Some(connection) = own.connection else {
            own.stage = Stage::Opening;
            self.find(place, desk);
            return;
        };
        let Claim { id, lock, mode, .. } = own.claim;
        let statement = match stage {
            Stage::Locking => Statement::Lock(mode),
            Stage::Numbering => Statement::Token,
            Stage::Sharing => Statement::Lock(Mode::Shared),
            Stage::Yielding => Statement::Unlock(Mode::Exclusive),
            Stage::Leaving => Statement::Unlock(mode),
            Stage::Closing => {
                // It is not to be kept alive, nor to serve another.
                self.lines.retain(|line| line.connection != connection);
                self.ask(place, stage, Command::Close { connection }, desk);
                return;
            }
            Stage::Opening | Stage::Waiting | Stage::Holding => unreachable!("it says nothing at this stage"),
        };
        self.ask(place, stage, Command::Say { connection, claim: id, lock, statement }, desk);
    }

    /// Gives the claim a connection that nobody uses, or asks for one.
    fn find(&mut self, place: usize, desk: &mut Desk<'_, '_>) {
        let is_used = |line: &Line| self.claims.iter().any(|own| own.connection == Some(line.connection));
        let now = desk.io.now();
        let idle = |line: &&Line| !is_used(line) && self.lasts(line.connection, now);
        match self.lines.iter().rfind(idle).map(|line| line.connection) {
            Some(connection) => {
                self.claims[place].connection = Some(connection);
                self.say(place, Stage::Locking, desk);
            }
            None => self.ask(place, Stage::Opening, Command::Open, desk),
        }
    }

    /// There is a connection, asked for at this time.
    fn opened(&mut self, connection: Connection, sent: Time, desk: &mut Desk<'_, '_>) {
        self.lines.push(Line { connection, proved: sent });
        if !self.beats {
            self.beats = true;
            desk.wake(self.beat(), Due::Beat);
        }
    }

    /// How often it shows that it is there, and sees whether the server is.
    fn beat(&self) -> Span {
        Span::ns(self.way.client_keepalive.min(self.way.server_keepalive).as_ns() / 4)
    }

    /// Whether a claim is held by a connection.
    fn holds(&self, connection: Connection) -> bool {
        let holds = |own: &Own| matches!(own.stage, Stage::Holding | Stage::Sharing | Stage::Yielding);
        self.claims.iter().any(|own| own.connection == Some(connection) && holds(own))
    }

    /// A connection is gone, and what it held.
    fn cut(&mut self, connection: Connection, told: bool, desk: &mut Desk<'_, '_>) {
        self.lines.retain(|line| line.connection != connection);
        let Some(place) = self.claims.iter().position(|own| own.connection == Some(connection)) else { return };
        let own = &mut self.claims[place];
        (own.connection, own.asked) = (None, None);
        own.is_double |= !told;
        let id = own.claim.id;
        match own.stage {
            Stage::Locking | Stage::Numbering => self.say(place, Stage::Locking, desk),
            Stage::Holding | Stage::Sharing | Stage::Yielding => {
                if self.stops_when_cut {
                    self.claims.remove(place);
                    desk.tell(News::Lost(id));
                } else {
                    own.stage = Stage::Holding;
                }
            }
            Stage::Leaving | Stage::Closing => self.gone(place, told, desk),
            // It looks for another one when it needs it.
            Stage::Waiting | Stage::Opening => {}
        }
    }

    /// The lock is the claim's.
    fn granted(&mut self, place: usize, token: Option<Token>, desk: &mut Desk<'_, '_>) {
        let own = &mut self.claims[place];
        own.stage = Stage::Holding;
        desk.tell(News::Granted(own.claim.id, token));
    }

    /// The claim is gone. Its connection may serve another.
    fn gone(&mut self, place: usize, acknowledged: bool, desk: &mut Desk<'_, '_>) {
        let own = self.claims.remove(place);
        desk.tell(News::Released(own.claim.id, acknowledged && !own.is_double));
    }

    fn on_answer(&mut self, place: usize, answer: Answer, desk: &mut Desk<'_, '_>) {
        let own = &mut self.claims[place];
        own.asked = None;
        let id = own.claim.id;
        match (own.stage, answer) {
            (Stage::Opening, _) => self.find(place, desk),
            (Stage::Locking, Answer::Had(_)) => match self.way.tokens {
                Some(drawing) => self.draw(place, drawing, desk),
                None => self.granted(place, None, desk),
            },
            (Stage::Locking, _) => {
                own.stage = Stage::Waiting;
                let (shortest, longest) = self.config.poll;
                let pause = within(desk.random(), shortest, longest);
                desk.wake(pause, Due::Again(id));
            }
            (Stage::Numbering, Answer::Token(token)) => self.granted(place, Some(token as u64), desk),
            (Stage::Sharing, _) => self.say(place, Stage::Yielding, desk),
            (Stage::Yielding, _) => {
                (own.stage, own.claim.mode) = (Stage::Holding, Mode::Shared);
                desk.tell(News::Downgraded(id));
            }
            (Stage::Leaving | Stage::Closing, answer) => self.gone(place, answer == Answer::Done(true), desk),
            (Stage::Numbering | Stage::Waiting | Stage::Holding, _) => {
                unreachable!("it has not asked for that: {answer:?}")
            }
        }
    }

    fn on_beat(&mut self, desk: &mut Desk<'_, '_>) {
        let now = desk.io.now();
        for connection in self.lines.iter().map(|line| line.connection).collect::<Vec<_>>() {
            if self.lasts(connection, now) {
                desk.ask_only(NodeId::new(0), Request::Database(Command::Beat { connection, sent: now }));
                continue;
            }
            let held = self.holds(connection);
            self.cut(connection, false, desk);
            if !held || self.closes_what_held {
                desk.ask_only(NodeId::new(0), Request::Database(Command::Close { connection }));
            }
        }
        self.beats = !self.lines.is_empty();
        if self.beats {
            desk.wake(self.beat(), Due::Beat);
        }
    }

    /// Something was not answered: it is said again, or given up if it needs no answer any more.
    fn on_unanswered(&mut self, place: usize, desk: &mut Desk<'_, '_>) {
        let own = self.claims[place];
        let Some((call, since, command)) = own.asked else { return };
        if own.stage == Stage::Closing && desk.io.now() >= since + self.way.server_keepalive {
            self.gone(place, false, desk);
            return;
        }
        desk.repeat(NodeId::new(0), call, Request::Database(command), self.config.patience);
    }
}

impl Recipe for Connected {
    fn seek(&mut self, claim: Claim, desk: &mut Desk<'_, '_>) {
        self.claims.push(Own { claim, stage: Stage::Opening, connection: None, is_double: false, asked: None });
        self.find(self.claims.len() - 1, desk);
    }

    fn abandon(&mut self, claim: ClaimId, desk: &mut Desk<'_, '_>) {
        let Some(place) = self.place(claim) else { return };
        match self.claims[place].stage {
            Stage::Opening | Stage::Waiting => self.gone(place, false, desk),
            // Nobody knows when it will be had; and then it is too late.
            Stage::Locking | Stage::Numbering => self.say(place, Stage::Closing, desk),
            Stage::Holding | Stage::Sharing | Stage::Yielding | Stage::Leaving | Stage::Closing => {
                self.release(claim, desk);
            }
        }
    }

    fn release(&mut self, claim: ClaimId, desk: &mut Desk<'_, '_>) {
        let Some(place) = self.place(claim) else { return };
        let own = self.claims[place];
        match own.stage {
            Stage::Holding if own.connection.is_none() => self.gone(place, false, desk),
            Stage::Holding => self.say(place, Stage::Leaving, desk),
            Stage::Sharing | Stage::Yielding => self.say(place, Stage::Closing, desk),
            Stage::Opening | Stage::Locking | Stage::Waiting | Stage::Numbering | Stage::Leaving | Stage::Closing => {}
        }
    }

    fn downgrade(&mut self, claim: ClaimId, desk: &mut Desk<'_, '_>) -> bool {
        // A transaction cannot give a row lock up for a weaker one.
        let Some(place) = self.place(claim).filter(|_| self.way.hold == Hold::Advisory) else { return false };
        let own = self.claims[place];
        if own.stage != Stage::Holding || own.connection.is_none() {
            return false;
        }
        self.say(place, Stage::Sharing, desk);
        true
    }

    fn is_valid(&self, claim: ClaimId, now: Time) -> bool {
        let Some(place) = self.place(claim) else { return false };
        let connection = self.claims[place].connection;
        !self.stops_when_cut || connection.is_some_and(|connection| self.lasts(connection, now))
    }

    fn on_reply(&mut self, _: NodeId, call: Call, reply: Reply, desk: &mut Desk<'_, '_>) {
        let Reply::Database(answer) = reply else { unreachable!("a reply of another kind of server") };
        match answer {
            Answer::Alive { connection, sent } => {
                self.prove(connection, sent);
                return;
            }
            Answer::Closed(connection) => {
                self.cut(connection, true, desk);
                return;
            }
            Answer::Opened(_) | Answer::Had(_) | Answer::Busy | Answer::Free | Answer::Done(_) | Answer::Token(_) => {}
        }
        let Some(place) = self.asking(call) else { return };
        let own = self.claims[place];
        let Some((_, sent, command)) = own.asked else { return };
        match (answer, own.connection) {
            (Answer::Opened(connection), _) => self.opened(connection, sent, desk),
            // What was said on another connection proves nothing of this one.
            (_, Some(_)) if command == Command::Draw => {}
            (_, Some(connection)) => self.prove(connection, sent),
            (_, None) => {}
        }
        self.on_answer(place, answer, desk);
    }

    fn on_event(&mut self, _: NodeId, event: Event, desk: &mut Desk<'_, '_>) {
        match event {
            Event::Disconnected(connection) => self.cut(connection, true, desk),
            Event::KeyGone { .. } | Event::NodeGone { .. } => unreachable!("an event of another kind of server"),
        }
    }

    fn on_due(&mut self, due: Due, desk: &mut Desk<'_, '_>) {
        match due {
            Due::Again(claim) => {
                let Some(place) = self.place(claim) else { return };
                if self.claims[place].stage == Stage::Waiting {
                    self.say(place, Stage::Locking, desk);
                }
            }
            Due::Unanswered(call) => {
                if let Some(place) = self.asking(call) {
                    self.on_unanswered(place, desk);
                }
            }
            Due::Beat => self.on_beat(desk),
            Due::Next
            | Due::Step(_)
            | Due::Access(_)
            | Due::Patience(_)
            | Due::Probe
            | Due::Renew(_)
            | Due::Lost(_)
            | Due::Expiry => {}
        }
    }
}
