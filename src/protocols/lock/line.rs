//! A client's line to an ensemble: one question at a time, asked of one server after the other until it is answered.
//!
//! What is asked changes the replicated state at most once and in the order of the questions, whichever servers they
//! went to: the ensemble remembers the last one of each client. That is what a session over connections gives.

use super::message::{Call, Reply, Request};
use super::recipe::Desk;
use crate::kernel::time::Span;
use crate::protocol::NodeId;
use std::collections::VecDeque;

/// The questions of one client. `T` is what the client remembers with each.
#[derive(Clone, Debug)]
pub struct Line<T> {
    /// The place of the server that is asked.
    server: usize,
    servers: usize,
    /// How long it waits for an answer before it asks the next.
    patience: Span,
    waiting: VecDeque<(T, Request)>,
    asked: Option<(Call, T, Request)>,
}

impl<T: Clone> Line<T> {
    /// A line to any of so many servers.
    pub fn boot(servers: u16, patience: Span, desk: &mut Desk<'_, '_>) -> Line<T> {
        let servers = usize::from(servers);
        let server = (desk.random() % servers as u64) as usize;
        Line { server, servers, patience, waiting: VecDeque::new(), asked: None }
    }

    /// Whom it talks to.
    pub fn server(&self) -> NodeId {
        NodeId::new(self.server as u16)
    }

    /// Asks, as soon as all before is answered.
    pub fn ask(&mut self, what: T, request: Request, desk: &mut Desk<'_, '_>) {
        self.waiting.push_back((what, request));
        self.go_on(desk);
    }

    /// What was asked but not answered yet is asked no more, if `drops` says so. What is on its way may still take
    /// effect, and its answer is waited for.
    pub fn forget(&mut self, drops: impl Fn(&T) -> bool) {
        self.waiting.retain(|(what, _)| !drops(what));
    }

    fn go_on(&mut self, desk: &mut Desk<'_, '_>) {
        if self.asked.is_none()
            && let Some((what, request)) = self.waiting.pop_front()
        {
            let call = desk.ask(self.server(), request.clone(), self.patience);
            self.asked = Some((call, what, request));
        }
    }

    /// A server has answered: what was asked, if this is the answer to it.
    pub fn answered(&mut self, call: Call, reply: &Reply, desk: &mut Desk<'_, '_>) -> Option<T> {
        let (asked, ..) = self.asked.as_ref()?;
        if *asked != call {
            return None;
        }
        // Another server is asked in a while: it may know who leads, or somebody leads by then.
        if *reply == Reply::Leaderless {
            return None;
        }
        let (_, what, _) = self.asked.take()?;
        self.go_on(desk);
        Some(what)
    }

    /// Whom it talks to seems to be dead.
    pub fn turn_away(&mut self) {
        self.server = (self.server + 1) % self.servers;
    }

    /// A call was not answered in time: if it is this line's, the next server is asked. Whether it was.
    pub fn unanswered(&mut self, call: Call, desk: &mut Desk<'_, '_>) -> bool {
        let Some((asked, _, request)) = &self.asked else { return false };
        if *asked != call {
            return false;
        }
        let request = request.clone();
        self.turn_away();
        desk.repeat(self.server(), call, request, self.patience);
        true
    }
}
