//! A server as one that has copies.

use super::cell::{Cell, Rank};
use super::epoch::Phase;
use super::message::{Body, Ticket};
use super::node::{Fact, Node};
use super::shelf::Shelf;
use crate::protocol::{Io, NodeId};

impl Shelf {
    /// Somebody reads, or looks before it writes.
    pub fn on_query(&mut self, from: NodeId, ticket: Ticket, rank: Rank, io: &mut Io<'_, Node>) {
        let phase = self.topology().epoch().phase;
        let serves = phase == Phase::Settled || (self.config.rules.change.serves)(phase);
        if serves && self.topology().is_read_from(rank, self.me, self.identity()) {
            self.promise(from, Body::Held(ticket, self.store().get(rank), self.store().floor), io);
        } else {
            self.refuse(from, ticket, (rank, true), io);
        }
    }

    /// Somebody writes, mends, or delivers a hint.
    pub fn on_put(&mut self, from: NodeId, ticket: Ticket, rank: Rank, cell: Cell, io: &mut Io<'_, Node>) {
        if self.topology().holds(rank, self.me, self.identity()) {
            self.keep(rank, cell, io);
            self.promise(from, Body::Kept(ticket), io);
        } else {
            self.refuse(from, ticket, (rank, false), io);
        }
    }

    fn refuse(&mut self, from: NodeId, ticket: Ticket, (rank, reads): (Rank, bool), io: &mut Io<'_, Node>) {
        io.note(Fact::Refused { rank, epoch: self.epoch(), reads });
        self.ask(from, Body::NotMine(ticket), io);
    }
}
