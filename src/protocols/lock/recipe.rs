//! What a client knows of a lock service: how a claim is made, kept and given up.

use super::agenda::Agenda;
use super::claim::{Claim, ClaimId, Token};
use super::config::Config;
use super::kind::AnyRecipe;
use super::message::{Call, Event, Message, Reply, Request};
use super::node::Fact;
use super::node::Lock;
use crate::kernel::time::{Span, Time};
use crate::protocol::{Io, NodeId};

/// One way to lock, on the side of the client. It may hold and seek several locks at a time.
///
/// Everything that a recipe has to say to its client it says with [`Desk::tell`]: first or last, it tells of each claim
/// that it was granted, or refused, and in the end that it was let go.
pub trait Recipe {
    /// Makes a claim. The news are [`News::Granted`], or nothing until the client gives up.
    fn seek(&mut self, claim: Claim, desk: &mut Desk<'_, '_>);

    /// Gives a claim up that was not granted; it must not be in others' way. The news are [`News::Released`].
    fn abandon(&mut self, claim: ClaimId, desk: &mut Desk<'_, '_>);

    /// Gives back what was granted. The news are [`News::Released`], once the service has said so or it must be gone by
    /// itself.
    fn release(&mut self, claim: ClaimId, desk: &mut Desk<'_, '_>);

    /// Goes on with sharing what was granted to it alone; the news are [`News::Downgraded`]. `false` if the service
    /// knows nothing of that.
    fn downgrade(&mut self, _claim: ClaimId, _desk: &mut Desk<'_, '_>) -> bool {
        false
    }

    /// Asks the service whether the token of a claim is still the latest; the news are [`News::Compared`]. `false` if that
    /// cannot be asked. What is learned so is old when it is learned.
    fn compare(&mut self, _claim: ClaimId, _desk: &mut Desk<'_, '_>) -> bool {
        false
    }

    /// Whether the claim, which was granted, can still be held, for all that the client knows by its own clock.
    fn is_valid(&self, claim: ClaimId, now: Time) -> bool;

    /// A server has answered.
    fn on_reply(&mut self, from: NodeId, call: Call, reply: Reply, desk: &mut Desk<'_, '_>);

    /// A server speaks unasked.
    fn on_event(&mut self, _from: NodeId, _event: Event, _desk: &mut Desk<'_, '_>) {}

    /// Something that the recipe waits for is due.
    fn on_due(&mut self, due: Due, desk: &mut Desk<'_, '_>);
}

/// What a client or a server waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Due {
    /// Of a client: the next section begins.
    Next,
    /// Of a client: the next part of this section, counted through all of them.
    Step(u32),
    /// Of a client: the resource has not answered this access.
    Access(u64),
    /// Of a client: it has waited for this claim long enough.
    Patience(ClaimId),
    /// Of a client: it shows that all locks can be had.
    Probe,
    /// Of a recipe: this call was not answered.
    Unanswered(Call),
    /// Of a recipe: it is time to try this claim again.
    Again(ClaimId),
    /// Of a recipe: it is time to prolong this claim, or all of a session if there is none.
    Renew(Option<ClaimId>),
    /// Of a recipe: this claim, or the session if there is none, must be lost by now.
    Lost(Option<ClaimId>),
    /// Of a server: see whether something has expired.
    Expiry,
    /// Of a server: tell the others how far it is, or ask them. Of a recipe: try again to be connected.
    Beat,
}

/// What a recipe tells its client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum News {
    /// The claim holds.
    Granted(ClaimId, Option<Token>),
    /// The claim was granted, and holds no more, although nobody has given it back.
    Lost(ClaimId),
    /// The claim, given back or given up, is no more: the service has said so, or it must have expired.
    Released(ClaimId, bool),
    /// It is shared now.
    Downgraded(ClaimId),
    /// Whether its token was the latest.
    Compared(ClaimId, bool),
}

/// What a recipe may use.
pub struct Desk<'a, 'b> {
    /// The node's clocks, dice and effects.
    pub io: &'a mut Io<'b, Lock>,
    /// What all nodes are told.
    pub config: &'a Config,
    pub(super) agenda: &'a mut Agenda<Due>,
    pub(super) news: &'a mut Vec<News>,
    pub(super) calls: &'a mut Call,
}

impl Desk<'_, '_> {
    /// Asks a server, and waits so long for its answer: then [`Due::Unanswered`] comes.
    pub fn ask(&mut self, server: NodeId, request: Request, patience: Span) -> Call {
        let call = self.ask_only(server, request);
        self.wake(patience, Due::Unanswered(call));
        call
    }

    /// Asks a server, and does not care whether it answers.
    pub fn ask_only(&mut self, server: NodeId, request: Request) -> Call {
        self.calls.number += 1;
        self.io.send(server, Message::Request(*self.calls, request));
        *self.calls
    }

    /// Asks again, another server perhaps, under the number of an earlier call.
    pub fn repeat(&mut self, server: NodeId, call: Call, request: Request, patience: Span) {
        self.io.send(server, Message::Request(call, request));
        self.wake(patience, Due::Unanswered(call));
    }

    /// Is told after this time by the own clock.
    pub fn wake(&mut self, after: Span, due: Due) {
        self.agenda.put(after, due, self.io);
    }

    /// Tells the client.
    pub fn tell(&mut self, news: News) {
        self.news.push(news);
    }

    /// Tells the oracles that a waiter was woken in vain: `by` tells apart what had happened to the lock, such as a
    /// transaction, and now it has to wait on.
    pub fn woken(&mut self, claim: &Claim, by: u64) {
        self.io.note(Fact::Woken { claim: *claim, by });
    }

    /// A number of 64 random bits.
    pub fn random(&mut self) -> u64 {
        self.io.dice().next()
    }

    /// A server by its place, from 0.
    pub fn server(&self, place: usize) -> NodeId {
        NodeId::new(place as u16)
    }
}

/// The recipe of a kind, at the start of a client.
pub(super) fn boot(desk: &mut Desk<'_, '_>) -> AnyRecipe {
    AnyRecipe::boot(desk)
}
