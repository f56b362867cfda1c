//! A client of locks on ZooKeeper: one session for all its nodes, one question at a time.

use super::Config;
use super::command::{Answer, Node, Question, Sort, Write};
use super::rules::{Loss, Place, Retry};
use super::session::{Happened, Session};
use crate::kernel::digest::mix;
use crate::kernel::time::Time;
use crate::protocol::NodeId;
use crate::protocols::lock::claim::{Claim, ClaimId, Mode};
use crate::protocols::lock::message::{Call, Event, Reply};
use crate::protocols::lock::recipe::{Desk, Due, News, Recipe};

/// The state of the recipe: its claims, few at a time.
#[derive(Clone, Debug)]
pub struct Queued {
    config: Config,
    /// What it does when its session must have expired.
    loses: Loss,
    session: Session,
    claims: Vec<Own>,
    /// The question that is not answered yet.
    asked: Option<Asked>,
}

/// A question that is not answered yet.
#[derive(Clone, Debug)]
struct Asked {
    call: Call,
    /// Whose it is, and how far that claim was.
    claim: ClaimId,
    stage: Stage,
    /// What it asks, as long as it may be asked once more.
    again: Option<Question>,
}

/// One claim.
#[derive(Clone, Copy, Debug)]
struct Own {
    claim: Claim,
    stage: Stage,
    /// Its node, once it knows it.
    node: Option<Node>,
    /// The node with which it goes on sharing what it holds.
    shared: Option<Node>,
    /// Whether it goes as soon as it knows what it has.
    leaves: bool,
    /// Whether it may have a node of an earlier session.
    strays: bool,
    /// What has woken it, if it was woken and does not know yet whether its turn has come.
    woken_by: Option<u64>,
}

/// How far a claim is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// It asks for a node.
    Joining,
    /// It may have got one without knowing it. Before it looks, its server must have caught up.
    Doubting,
    /// It looks for it.
    Searching,
    /// It asks where its node stands.
    Looking,
    /// It sets a watch on that node.
    Arming(Node),
    /// It waits until that node is gone.
    Waiting(Node),
    /// It has the lock.
    Holding,
    /// It had it, and looks whether its node is still there although the session is another.
    Checking,
    /// It asks for a node with which to share the lock.
    Sharing,
    /// It has one, and gives up the one with which it held the lock alone.
    Yielding,
    /// It gives its nodes up.
    Leaving,
}

impl Own {
    /// Whether it has the lock, for all it knows.
    fn holds(&self) -> bool {
        matches!(self.stage, Stage::Holding | Stage::Checking | Stage::Sharing | Stage::Yielding)
    }
}

impl Queued {
    /// No session, no claims.
    pub fn boot(config: &Config, desk: &mut Desk<'_, '_>) -> Queued {
        let loses = (desk.config.rules.zookeeper.loses)();
        Queued { config: *config, loses, session: Session::boot(config, desk), claims: Vec::new(), asked: None }
    }

    /// The session, once it is open, and when it must have expired by the own clock.
    pub fn session(&self) -> Option<(u64, Time)> {
        self.session.id().map(|session| (session.0, self.session.until()))
    }

    fn own(&mut self, id: ClaimId) -> Option<&mut Own> {
        self.claims.iter_mut().find(|own| own.claim.id == id)
    }

    /// What is watched.
    fn watches(&self) -> Vec<Node> {
        let watched = |own: &Own| match own.stage {
            Stage::Waiting(other) => Some(other),
            Stage::Joining
            | Stage::Doubting
            | Stage::Searching
            | Stage::Looking
            | Stage::Arming(_)
            | Stage::Holding
            | Stage::Checking
            | Stage::Sharing
            | Stage::Yielding
            | Stage::Leaving => None,
        };
        self.claims.iter().filter_map(watched).collect()
    }

    /// Asks the next question, if there is one and none is under way.
    fn go_on(&mut self, desk: &mut Desk<'_, '_>) {
        if self.claims.is_empty() || self.asked.is_some() {
            return;
        }
        let (Some(connection), Some(_)) = (self.session.connection(), self.session.id()) else {
            self.session.open(desk);
            return;
        };
        let next =
            self.claims.iter().find_map(|own| Some((own.claim.id, own.stage, self.question(own, connection, desk)?)));
        if let Some((id, stage, question)) = next {
            // Nobody knows what has become of a create that is not answered, and what to make of that is for the recipe.
            let again = (stage != Stage::Joining).then(|| question.clone());
            let call = self.session.ask(question, desk);
            self.asked = Some(Asked { call, claim: id, stage, again });
        }
    }

    /// What a claim has to ask.
    fn question(&self, own: &Own, connection: Call, desk: &Desk<'_, '_>) -> Option<Question> {
        let (session, rules, Claim { id: claim, lock, .. }) =
            (self.session.id()?, desk.config.rules.zookeeper, own.claim);
        let delete = |node| Question::Write(connection, Write::Delete { session, node });
        Some(match own.stage {
            Stage::Joining => {
                let create = Write::Create { session, lock, claim, sort: self.sort(own.claim.mode), number: None };
                Question::Write(connection, create)
            }
            Stage::Doubting => Question::Write(connection, Write::Sync { session }),
            Stage::Searching | Stage::Checking => Question::Find(connection, lock, claim),
            Stage::Looking => Question::Look(connection, own.node?, (rules.order)()),
            Stage::Arming(other) => Question::Exists(connection, other),
            Stage::Waiting(_) | Stage::Holding => return None,
            Stage::Sharing => {
                let number = match (rules.downgrades)() {
                    Place::Kept => Some(own.node?.number),
                    Place::Last => None,
                };
                Question::Write(connection, Write::Create { session, lock, claim, sort: Sort::Read, number })
            }
            Stage::Yielding => delete(own.node?),
            Stage::Leaving => delete(own.shared.or(own.node)?),
        })
    }

    fn sort(&self, mode: Mode) -> Sort {
        match mode {
            Mode::Exclusive if self.config.shared => Sort::Write,
            Mode::Exclusive => Sort::Lock,
            Mode::Shared => Sort::Read,
        }
    }

    /// The connection is broken. Nobody knows what has become of the last question.
    fn break_off(&mut self, desk: &mut Desk<'_, '_>) {
        if let Some(Asked { claim: id, stage: Stage::Joining, .. }) = self.asked.take()
            && (desk.config.rules.zookeeper.retries)() == Retry::Searches
            && let Some(own) = self.own(id)
        {
            own.stage = Stage::Doubting;
        }
        // What was only just watched may be so, or not.
        for own in &mut self.claims {
            if matches!(own.stage, Stage::Arming(_)) {
                own.stage = Stage::Looking;
            }
        }
        let watches = self.watches();
        self.session.reconnect(watches, desk);
    }

    /// A question was not answered in time. What is lost is sent once more, as TCP would, before the connection is taken for
    /// broken; the servers carry it out once.
    fn on_silence(&mut self, call: Call, desk: &mut Desk<'_, '_>) {
        let Some(asked) = self.asked.as_mut().filter(|asked| asked.call == call) else { return };
        self.session.waits_longer();
        match asked.again.take() {
            Some(question) => self.session.repeat(call, question, desk),
            None => self.break_off(desk),
        }
    }

    /// The session is no more, and all nodes with it.
    fn lose(&mut self, desk: &mut Desk<'_, '_>) {
        let keeps = self.loses == Loss::TrustsItsNode;
        let unanswered = self.asked.take();
        self.session.close(desk);
        for own in &mut self.claims {
            if own.leaves || own.stage == Stage::Leaving {
                desk.tell(News::Released(own.claim.id, false));
                own.stage = Stage::Leaving;
            } else if own.holds() && keeps {
                own.stage = Stage::Checking;
            } else if own.holds() {
                desk.tell(News::Lost(own.claim.id));
                own.stage = Stage::Leaving;
            } else {
                own.strays |= own.node.is_some() || own.stage != Stage::Joining;
                own.strays |= unanswered.as_ref().is_some_and(|asked| asked.claim == own.claim.id);
                (own.stage, own.node, own.woken_by) = (Stage::Joining, None, None);
            }
        }
        self.claims.retain(|own| own.stage != Stage::Leaving);
        self.go_on(desk);
    }

    /// By the own clock, the session must have expired.
    fn on_overdue(&mut self, desk: &mut Desk<'_, '_>) {
        if self.session.id().is_none() || self.session.is_alive(desk.io.now()) {
            return;
        }
        match self.loses {
            Loss::Surrenders | Loss::TrustsItsNode => self.lose(desk),
            Loss::WaitsForWord => {}
        }
    }

    fn react(&mut self, happened: Happened, desk: &mut Desk<'_, '_>) {
        match happened {
            Happened::Nothing | Happened::Foreign => {}
            Happened::Connected => self.go_on(desk),
            Happened::Broken => self.break_off(desk),
            Happened::Expired => self.lose(desk),
        }
    }

    /// The claim goes: as soon as it is known what it has.
    fn leave(&mut self, id: ClaimId, desk: &mut Desk<'_, '_>) {
        let is_asked = self.asked.as_ref().is_some_and(|asked| asked.claim == id);
        let Some(own) = self.own(id) else { return };
        match own.stage {
            Stage::Joining if !is_asked => {
                self.gone(id, false, desk);
                return;
            }
            Stage::Joining | Stage::Doubting | Stage::Searching | Stage::Sharing => own.leaves = true,
            Stage::Looking
            | Stage::Arming(_)
            | Stage::Waiting(_)
            | Stage::Holding
            | Stage::Checking
            | Stage::Yielding
            | Stage::Leaving => own.stage = Stage::Leaving,
        }
        self.go_on(desk);
    }

    /// The claim is no more. If something of it may be left in an earlier session, nobody has said that it is not.
    fn gone(&mut self, id: ClaimId, acknowledged: bool, desk: &mut Desk<'_, '_>) {
        let Some(place) = self.claims.iter().position(|own| own.claim.id == id) else { return };
        let own = self.claims.remove(place);
        desk.tell(News::Released(id, acknowledged && !own.strays));
    }

    /// The claim has this node.
    fn on_created(&mut self, id: ClaimId, node: Node) {
        let Some(own) = self.own(id) else { return };
        (own.node, own.stage) = (Some(node), if own.leaves { Stage::Leaving } else { Stage::Looking });
    }

    /// What nodes there are of a claim.
    fn on_found(&mut self, id: ClaimId, nodes: &[Node], desk: &mut Desk<'_, '_>) {
        match nodes.first() {
            Some(node) => self.on_created(id, *node),
            None => {
                let Some(own) = self.own(id) else { return };
                own.stage = Stage::Joining;
                if own.leaves {
                    self.gone(id, false, desk);
                }
            }
        }
    }

    fn on_place(&mut self, id: ClaimId, ahead: Option<(Node, Node)>, desk: &mut Desk<'_, '_>) {
        let watches = desk.config.rules.zookeeper.watches;
        let Some(own) = self.own(id) else { return };
        match ahead {
            Some((first, ahead)) => {
                if let Some(by) = own.woken_by.take() {
                    desk.woken(&own.claim, by);
                }
                own.stage = Stage::Arming(watches(first, ahead));
            }
            None => {
                own.stage = Stage::Holding;
                let token = own.node.map(|node| u64::from(node.number));
                desk.tell(News::Granted(id, token));
            }
        }
    }

    /// A node of this claim is gone.
    fn on_gone(&mut self, id: ClaimId, was_there: bool, desk: &mut Desk<'_, '_>) {
        let Some(own) = self.own(id) else { return };
        if own.stage == Stage::Yielding {
            (own.node, own.claim.mode, own.stage) = (own.shared.take(), Mode::Shared, Stage::Holding);
            desk.tell(News::Downgraded(id));
        } else if own.shared.take().is_none() {
            self.gone(id, was_there, desk);
        }
    }

    /// The server has answered what was asked for this claim at this stage.
    fn on_answer(&mut self, id: ClaimId, stage: Stage, answer: Answer, desk: &mut Desk<'_, '_>) {
        let session = self.session.id();
        let Some(own) = self.own(id).filter(|own| own.stage == stage) else { return };
        match (stage, answer) {
            (Stage::Joining, Answer::Created(node)) => self.on_created(id, node),
            (Stage::Doubting, Answer::Done) => own.stage = Stage::Searching,
            (Stage::Searching, Answer::Found(found)) => {
                let mine = found.iter().filter(|(_, owner)| Some(*owner) == session);
                let nodes: Vec<Node> = mine.map(|(node, _)| *node).collect();
                self.on_found(id, &nodes, desk);
            }
            (Stage::Checking, Answer::Found(found)) if found.is_empty() => {
                desk.tell(News::Lost(id));
                self.claims.retain(|own| own.claim.id != id);
            }
            (Stage::Checking, Answer::Found(_)) => own.stage = Stage::Holding,
            (Stage::Looking, Answer::Place { is_there: true, ahead }) => self.on_place(id, ahead, desk),
            (Stage::Arming(other), Answer::Exists(is_there)) => {
                let looks = !is_there && (desk.config.rules.zookeeper.heeds_absence)();
                own.stage = if looks { Stage::Looking } else { Stage::Waiting(other) };
            }
            (Stage::Sharing, Answer::Created(node)) => {
                own.shared = Some(node);
                own.stage = if own.leaves { Stage::Leaving } else { Stage::Yielding };
            }
            (Stage::Yielding | Stage::Leaving, Answer::Gone(was_there)) => self.on_gone(id, was_there, desk),
            // Its node is not there any more, or whose it was is not.
            (_, Answer::Place { is_there: false, .. } | Answer::Expired) => self.lose(desk),
            (stage, answer) => unreachable!("{answer:?} is no answer at {stage:?}"),
        }
    }
}

/// A number for the end of a node.
fn happening(node: &Node) -> u64 {
    mix(u64::from(node.lock.0) << 32 | u64::from(node.number), node.sort as u64 + 1)
}

impl Recipe for Queued {
    fn seek(&mut self, claim: Claim, desk: &mut Desk<'_, '_>) {
        let (node, shared, woken_by) = (None, None, None);
        self.claims.push(Own { claim, stage: Stage::Joining, node, shared, leaves: false, strays: false, woken_by });
        self.go_on(desk);
    }

    fn abandon(&mut self, claim: ClaimId, desk: &mut Desk<'_, '_>) {
        self.leave(claim, desk);
    }

    fn release(&mut self, claim: ClaimId, desk: &mut Desk<'_, '_>) {
        self.leave(claim, desk);
    }

    fn downgrade(&mut self, claim: ClaimId, desk: &mut Desk<'_, '_>) -> bool {
        let Some(own) = self.own(claim).filter(|own| own.stage == Stage::Holding) else { return false };
        own.stage = Stage::Sharing;
        self.go_on(desk);
        true
    }

    fn is_valid(&self, claim: ClaimId, now: Time) -> bool {
        let holds = |own: &Own| own.claim.id == claim && own.holds() && own.stage != Stage::Checking;
        let is_alive = self.session.is_alive(now) || self.loses == Loss::WaitsForWord;
        is_alive && self.claims.iter().any(holds)
    }

    fn on_reply(&mut self, _: NodeId, call: Call, reply: Reply, desk: &mut Desk<'_, '_>) {
        let happened = self.session.on_reply(call, &reply, desk);
        if happened != Happened::Foreign {
            self.react(happened, desk);
            return;
        }
        let Some(asked) = self.asked.take_if(|asked| asked.call == call) else { return };
        match reply {
            // That may be said of a copy of the question: the first may have come before the server crashed.
            Reply::ZooKeeper(Answer::Disconnected, _) | Reply::Leaderless => {
                self.asked = Some(asked);
                self.break_off(desk);
            }
            Reply::ZooKeeper(answer, _) => {
                self.on_answer(asked.claim, asked.stage, answer, desk);
                self.go_on(desk);
            }
            Reply::Redis(_) | Reply::Lease(_) | Reply::Database(_) => unreachable!("a reply of another kind of server"),
        }
    }

    fn on_event(&mut self, _: NodeId, event: Event, desk: &mut Desk<'_, '_>) {
        let Event::NodeGone { connection, number, node, zxid } = event else {
            unreachable!("an event of another kind of server")
        };
        let happened = self.session.on_event(connection, number, zxid);
        if happened != Happened::Foreign {
            self.react(happened, desk);
            return;
        }
        for own in &mut self.claims {
            if own.stage == Stage::Waiting(node) || own.stage == Stage::Arming(node) {
                own.stage = Stage::Looking;
                own.woken_by = Some(happening(&node));
            }
        }
        self.go_on(desk);
    }

    fn on_due(&mut self, due: Due, desk: &mut Desk<'_, '_>) {
        match due {
            Due::Unanswered(call) => match self.session.on_silence(call, desk) {
                Happened::Foreign => self.on_silence(call, desk),
                happened => self.react(happened, desk),
            },
            Due::Renew(None) => {
                let happened = self.session.on_beat(desk);
                self.react(happened, desk);
            }
            Due::Beat => {
                let watches = self.watches();
                self.session.on_rested(watches, desk);
            }
            Due::Lost(None) => self.on_overdue(desk),
            Due::Next
            | Due::Step(_)
            | Due::Access(_)
            | Due::Patience(_)
            | Due::Probe
            | Due::Again(_)
            | Due::Renew(Some(_))
            | Due::Lost(Some(_))
            | Due::Expiry => {}
        }
    }
}
